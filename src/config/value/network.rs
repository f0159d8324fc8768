//! Networks in CIDR notation.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::{Notation, ValueError};

/// Every address that begins with the first `prefix` bits of `addr` (RFC 4632, RFC 4291); the other bits of `addr` are
/// zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// First address of the network.
    pub addr: IpAddr,
    /// How many bits of it count: 0 to 32 for IPv4, 0 to 128 for IPv6.
    pub prefix: u8,
}

impl Network {
    /// Whether a peer at this address is meant. An IPv4 peer of an IPv6 socket (`::ffff:192.0.2.1`) is an IPv4 peer.
    pub fn contains(&self, peer: IpAddr) -> bool {
        match (self.addr, peer.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(peer)) => first_v4(peer, self.prefix) == network,
            (IpAddr::V6(network), IpAddr::V6(peer)) => first_v6(peer, self.prefix) == network,
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.addr, self.prefix)
    }
}

impl FromStr for Network {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let reason = match parse(text) {
            Some(result) => match result {
                Ok(network) => return Ok(network),
                Err(reason) => reason,
            },
            None => "write a network like \"10.0.0.0/8\", or an address".to_owned(),
        };
        Err(ValueError {
            text: text.to_owned(),
            kind: "a network",
            reason,
        })
    }
}

impl Notation for Network {
    const EXPECTED: &'static str = "a network like \"10.0.0.0/8\"";
}

/// `None`: it does not begin with an address.
pub(super) fn parse(text: &str) -> Option<Result<Network, String>> {
    let (addr, prefix) = match text.split_once('/') {
        Some((addr, prefix)) => (addr, Some(prefix)),
        None => (text, None),
    };
    let addr: IpAddr = addr.parse().ok()?;
    let longest = if addr.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => longest,
        Some(digits) => match digits.parse::<u8>() {
            Ok(prefix) if prefix <= longest && digits.bytes().all(|b| b.is_ascii_digit()) => prefix,
            _ => {
                return Some(Err(format!(
                    "the number behind `/` goes from 0 to {longest}"
                )));
            }
        },
    };
    let first = match addr {
        IpAddr::V4(addr) => IpAddr::V4(first_v4(addr, prefix)),
        IpAddr::V6(addr) => IpAddr::V6(first_v6(addr, prefix)),
    };
    Some(match first == addr {
        true => Ok(Network { addr, prefix }),
        // Either the address or the prefix is a slip; trusting the larger network by guess would be unsafe.
        false => Err(format!(
            "the network is `{first}/{prefix}`, the single address `{addr}`"
        )),
    })
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
        testing::check(text, Network { addr, prefix }, display);
    }

    #[test]
    fn networks_and_addresses_are_read() {
        check("10.0.0.0/8", "10.0.0.0", 8, "10.0.0.0/8");
        check("192.0.2.1", "192.0.2.1", 32, "192.0.2.1/32");
        check("0.0.0.0/0", "0.0.0.0", 0, "0.0.0.0/0");
        check("::1", "::1", 128, "::1/128");
        check("2001:db8::/32", "2001:db8::", 32, "2001:db8::/32");
    }

    #[track_caller]
    fn check_contains(network: &str, peer: &str, expected: bool) {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(peer.parse().unwrap()), expected);
    }

    #[test]
    fn a_peer_is_compared_by_prefix_within_its_family() {
        check_contains("10.0.0.0/8", "10.255.0.1", true);
        check_contains("10.0.0.0/8", "11.0.0.1", false);
        check_contains("10.0.0.0/8", "::ffff:10.1.2.3", true);
        check_contains("0.0.0.0/0", "203.0.113.9", true);
        check_contains("0.0.0.0/0", "::1", false);
        check_contains("::/0", "2001:db8::1", true);
        check_contains("::/0", "192.0.2.1", false);
        check_contains("192.0.2.1", "192.0.2.1", true);
        check_contains("192.0.2.1", "192.0.2.2", false);
        check_contains("2001:db8::/127", "2001:db8::1", true);
        check_contains("2001:db8::/127", "2001:db8::2", false);
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<Network>(text, reason);
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        for text in ["", "*", "nginx", "10.0.0/8", "unix"] {
            check_refused(text, "write a network like \"10.0.0.0/8\", or an address");
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
