//! Peers that are believed when they speak for others.

use std::{fmt, net::IpAddr, str::FromStr};

use super::{Network, Notation, ValueError, network};

/// A peer whose forwarded headers count: a network in CIDR notation, one address, or `unix`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedProxy {
    /// Every address of a network.
    Network(Network),
    /// Whoever may connect to a Unix socket of ours.
    Unix,
}

impl TrustedProxy {
    /// Whether a peer at this address is meant.
    pub fn matches(&self, peer: IpAddr) -> bool {
        match self {
            Self::Network(network) => network.contains(peer),
            Self::Unix => false,
        }
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(formatter),
            Self::Unix => formatter.write_str("unix"),
        }
    }
}

impl FromStr for TrustedProxy {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let otherwise =
            || Err("write a network like \"10.0.0.0/8\", an address, or \"unix\"".to_owned());
        let network = network::parse(text).unwrap_or_else(otherwise);
        network.map(Self::Network).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a trusted proxy",
            reason,
        })
    }
}

impl Notation for TrustedProxy {
    const EXPECTED: &'static str = "a network like \"10.0.0.0/8\", or \"unix\"";
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn networks_addresses_and_unix_are_read() {
        let network = "10.0.0.0/8".parse().unwrap();
        testing::check("10.0.0.0/8", TrustedProxy::Network(network), "10.0.0.0/8");
        testing::check("unix", TrustedProxy::Unix, "unix");
    }

    #[track_caller]
    fn check_match(proxy: &str, peer: &str, expected: bool) {
        let proxy: TrustedProxy = proxy.parse().unwrap();
        assert_eq!(proxy.matches(peer.parse().unwrap()), expected);
    }

    #[test]
    fn a_peer_with_an_address_is_no_unix_peer() {
        check_match("10.0.0.0/8", "10.255.0.1", true);
        check_match("10.0.0.0/8", "11.0.0.1", false);
        check_match("unix", "127.0.0.1", false);
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<TrustedProxy>(text, reason);
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        for text in ["", "*", "nginx", "10.0.0/8", "UNIX"] {
            check_refused(
                text,
                "write a network like \"10.0.0.0/8\", an address, or \"unix\"",
            );
        }
        check_refused("10.0.0.0/33", "the number behind `/` goes from 0 to 32");
        check_refused(
            "10.0.0.5/8",
            "the network is `10.0.0.0/8`, the single address `10.0.0.5`",
        );
    }
}
