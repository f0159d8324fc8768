//! Peers that are believed when they speak for others.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::{Notation, ValueError};

/// A peer whose forwarded headers count: a network in CIDR notation (RFC 4632, RFC 4291), one address, or `unix`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedProxy {
    /// Every address that begins with the first `prefix` bits of `addr`; the other bits of `addr` are zero.
    Network {
        /// First address of the network.
        addr: IpAddr,
        /// How many bits of it count: 0 to 32 for IPv4, 0 to 128 for IPv6.
        prefix: u8,
    },
    /// Whoever may connect to a Unix socket of ours.
    Unix,
}

impl TrustedProxy {
    /// Whether a peer at this address is meant. An IPv4 peer of an IPv6 socket (`::ffff:192.0.2.1`) is an IPv4 peer.
    pub fn matches(&self, peer: IpAddr) -> bool {
        match (self, peer.to_canonical()) {
            (
                Self::Network {
                    addr: IpAddr::V4(network),
                    prefix,
                },
                IpAddr::V4(peer),
            ) => first_v4(peer, *prefix) == *network,
            (
                Self::Network {
                    addr: IpAddr::V6(network),
                    prefix,
                },
                IpAddr::V6(peer),
            ) => first_v6(peer, *prefix) == *network,
            _ => false,
        }
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { addr, prefix } => write!(formatter, "{addr}/{prefix}"),
            Self::Unix => formatter.write_str("unix"),
        }
    }
}

impl FromStr for TrustedProxy {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a trusted proxy",
            reason,
        })
    }
}

impl Notation for TrustedProxy {
    const EXPECTED: &'static str = "a network like \"10.0.0.0/8\", or \"unix\"";
}

fn parse(text: &str) -> Result<TrustedProxy, String> {
    if text == "unix" {
        return Ok(TrustedProxy::Unix);
    }
    let (addr, prefix) = match text.split_once('/') {
        Some((addr, prefix)) => (addr, Some(prefix)),
        None => (text, None),
    };
    let addr: IpAddr = addr
        .parse()
        .map_err(|_| "write a network like \"10.0.0.0/8\", an address, or \"unix\"".to_owned())?;
    let longest = if addr.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => longest,
        Some(digits) => match digits.parse::<u8>() {
            Ok(prefix) if prefix <= longest && digits.bytes().all(|b| b.is_ascii_digit()) => prefix,
            _ => return Err(format!("the number behind `/` goes from 0 to {longest}")),
        },
    };
    let first = match addr {
        IpAddr::V4(addr) => IpAddr::V4(first_v4(addr, prefix)),
        IpAddr::V6(addr) => IpAddr::V6(first_v6(addr, prefix)),
    };
    if first != addr {
        // Either the address or the prefix is a slip; trusting the larger network by guess would be unsafe.
        return Err(format!(
            "the network is `{first}/{prefix}`, the single address `{addr}`"
        ));
    }
    Ok(TrustedProxy::Network { addr, prefix })
}

/// The address with all but its first bits zeroed.
fn first_v4(addr: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    Ipv4Addr::from_bits(addr.to_bits() & mask)
}

/// The address with all but its first bits zeroed.
fn first_v6(addr: Ipv6Addr, prefix: u8) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    Ipv6Addr::from_bits(addr.to_bits() & mask)
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[track_caller]
    fn check(text: &str, addr: &str, prefix: u8, display: &str) {
        let addr = addr.parse().unwrap();
        testing::check(text, TrustedProxy::Network { addr, prefix }, display);
    }

    #[test]
    fn networks_addresses_and_unix_are_read() {
        check("10.0.0.0/8", "10.0.0.0", 8, "10.0.0.0/8");
        check("192.0.2.1", "192.0.2.1", 32, "192.0.2.1/32");
        check("0.0.0.0/0", "0.0.0.0", 0, "0.0.0.0/0");
        check("::1", "::1", 128, "::1/128");
        check("2001:db8::/32", "2001:db8::", 32, "2001:db8::/32");
        testing::check("unix", TrustedProxy::Unix, "unix");
    }

    #[track_caller]
    fn check_match(proxy: &str, peer: &str, expected: bool) {
        let proxy: TrustedProxy = proxy.parse().unwrap();
        assert_eq!(proxy.matches(peer.parse().unwrap()), expected);
    }

    #[test]
    fn a_peer_is_compared_by_prefix_within_its_family() {
        check_match("10.0.0.0/8", "10.255.0.1", true);
        check_match("10.0.0.0/8", "11.0.0.1", false);
        check_match("10.0.0.0/8", "::ffff:10.1.2.3", true);
        check_match("0.0.0.0/0", "203.0.113.9", true);
        check_match("0.0.0.0/0", "::1", false);
        check_match("::/0", "2001:db8::1", true);
        check_match("::/0", "192.0.2.1", false);
        check_match("192.0.2.1", "192.0.2.1", true);
        check_match("192.0.2.1", "192.0.2.2", false);
        check_match("2001:db8::/127", "2001:db8::1", true);
        check_match("2001:db8::/127", "2001:db8::2", false);
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
        for text in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8"] {
            check_refused(text, "the number behind `/` goes from 0 to 32");
        }
        check_refused("::/129", "the number behind `/` goes from 0 to 128");
        check_refused(
            "10.0.0.5/8",
            "the network is `10.0.0.0/8`, the single address `10.0.0.5`",
        );
    }
}
