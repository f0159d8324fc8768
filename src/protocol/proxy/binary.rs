//! Version 2: a binary header, with a list of further facts behind the addresses.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Client, Proxied, begins};
use crate::protocol::Refusal;

/// What no other protocol begins with (section 2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const HEADER: usize = 16;
/// Most bytes behind the header: the longest addresses are 216, the rest is for the facts that proxies add.
const MAX_LENGTH: usize = 4 << 10;
/// With its beginning.
pub(super) const MAX_HEADER: usize = HEADER + MAX_LENGTH;
/// The fact that the client speaks TLS with the proxy (section 2.2.5).
const TLV_SSL: u8 = 0x20;
/// The bit of it that says so.
const CLIENT_SSL: u8 = 0x01;

const MALFORMED: Refusal = Refusal::new(400, "a malformed header of the PROXY protocol, version 2");

pub(super) fn parse(buffer: &[u8]) -> Result<Option<Proxied>, Refusal> {
    if !begins(buffer, SIGNATURE)? {
        return Ok(None);
    }
    let Some((&[command, family, high, low], rest)) =
        buffer[SIGNATURE.len()..].split_first_chunk::<4>()
    else {
        return Ok(None);
    };
    if command >> 4 != 2 || command & 0xf > 1 {
        return Err(Refusal::new(
            400,
            "a version or command of the PROXY protocol that nobody has described",
        ));
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_LENGTH {
        return Err(Refusal::new(
            400,
            "a header of the PROXY protocol of more than 4 KiB",
        ));
    }
    let Some(rest) = rest.get(..length) else {
        return Ok(None);
    };
    let is_local = command & 0xf == 0;
    // Section 2.2: of a LOCAL connection the receiver must take the real ends, and discard what is said of others.
    let client = if is_local {
        None
    } else {
        client(family, rest)?
    };
    Ok(Some(Proxied {
        len: HEADER + length,
        client,
    }))
}

fn client(family: u8, rest: &[u8]) -> Result<Option<Client>, Refusal> {
    const IPV4_STREAM: u8 = 0x11;
    const IPV6_STREAM: u8 = 0x21;
    const UNIX_STREAM: u8 = 0x31;
    let (address, facts) = match family {
        IPV4_STREAM => {
            let (source, facts) = ends::<4>(rest)?;
            (Some((Ipv4Addr::from(source.0), source.1).into()), facts)
        }
        IPV6_STREAM => {
            let (source, facts) = ends::<16>(rest)?;
            let address: SocketAddr = (Ipv6Addr::from(source.0), source.1).into();
            (Some(address), facts)
        }
        UNIX_STREAM => (None, rest.get(216..).ok_or(MALFORMED)?),
        // AF_UNSPEC: the proxy does not know either.
        0 => return Ok(None),
        _ => {
            return Err(Refusal::new(
                400,
                "a PROXY header for something else than a stream",
            ));
        }
    };
    Ok(Some(Client {
        address,
        tls: speaks_tls(facts)?,
    }))
}

/// The bytes of an address, and a port.
type End<const N: usize> = ([u8; N], u16);

/// The source out of two addresses and two ports, and what follows them.
fn ends<const N: usize>(rest: &[u8]) -> Result<(End<N>, &[u8]), Refusal> {
    let parts = rest.split_first_chunk::<N>().and_then(|(source, rest)| {
        let (_destination, rest) = rest.split_first_chunk::<N>()?;
        let (&[high, low, _, _], facts) = rest.split_first_chunk::<4>()?;
        Some(((*source, u16::from_be_bytes([high, low])), facts))
    });
    parts.ok_or(MALFORMED)
}

/// Whether one of the facts is that the client speaks TLS. Each is its type, its length in two bytes, and itself.
fn speaks_tls(mut facts: &[u8]) -> Result<bool, Refusal> {
    let mut tls = false;
    while !facts.is_empty() {
        let (&[kind, high, low], rest) = facts.split_first_chunk::<3>().ok_or(MALFORMED)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, rest) = rest.split_at_checked(length).ok_or(MALFORMED)?;
        if kind == TLV_SSL {
            let client = value.first().ok_or(MALFORMED)?;
            tls |= client & CLIENT_SSL != 0;
        }
        facts = rest;
    }
    Ok(tls)
}
