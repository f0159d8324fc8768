//! `[http]`: what holds for every listener that speaks HTTP.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{ByteSize, Network, TimeSpan, TrustedProxy};

/// `[http]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Http {
    /// How long an idle connection stays open for its next request; 0 closes after each response.
    pub keep_alive: TimeSpan,
    /// Longest time from the first byte of a request head to its last; then 408.
    pub header_timeout: TimeSpan,
    /// Longest silence of a client that sends a body which no thread waits for; then 408.
    pub body_timeout: TimeSpan,
    /// Longest time without progress towards a client that a finished response is being sent to.
    pub send_timeout: TimeSpan,
    /// Largest request head, from 1K to 1M; then 431 (or 414 when the request line alone exceeds it).
    pub buffer_size: ByteSize,
    /// Largest request body; then 413. 0: no limit.
    pub max_body: ByteSize,
    /// Peers whose forwarded headers count: networks in CIDR notation, and `unix` for whoever may connect to a Unix
    /// socket. The default believes this machine alone; a proxy elsewhere has to be named, since anybody can send
    /// these headers.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// Header that names a request: trusted proxies may send it, and every answer has it. Without this key answers have
    /// none, and the name that proxies send is taken from `X-Request-ID`.
    pub request_id_header: Option<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            keep_alive: TimeSpan(Duration::from_secs(75)),
            header_timeout: TimeSpan(Duration::from_secs(10)),
            body_timeout: TimeSpan(Duration::from_secs(60)),
            send_timeout: TimeSpan(Duration::from_secs(60)),
            buffer_size: ByteSize(64 << 10),
            max_body: ByteSize(0),
            trusted_proxies: vec![
                TrustedProxy::Network(Network {
                    addr: Ipv4Addr::new(127, 0, 0, 0).into(),
                    prefix: 8,
                }),
                TrustedProxy::Network(Network {
                    addr: Ipv6Addr::LOCALHOST.into(),
                    prefix: 128,
                }),
                TrustedProxy::Unix,
            ],
            request_id_header: None,
        }
    }
}
