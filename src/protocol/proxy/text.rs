//! Version 1: one line that people can read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use memchr::memmem;

use super::{Client, Proxied, begins};
use crate::protocol::Refusal;

/// The longest line that there can be, with its end (section 2.1).
const MAX_LINE: usize = 107;

const MALFORMED: Refusal = Refusal::new(400, "a malformed PROXY line");

pub(super) fn parse(buffer: &[u8]) -> Result<Option<Proxied>, Refusal> {
    if !begins(buffer, b"PROXY ")? {
        return Ok(None);
    }
    let window = &buffer[..buffer.len().min(MAX_LINE)];
    let Some(end) = memmem::find(window, b"\r\n") else {
        return match window.len() == MAX_LINE {
            true => Err(Refusal::new(400, "a PROXY line of more than 107 bytes")),
            false => Ok(None),
        };
    };
    let line = str::from_utf8(&window[..end]).map_err(|_| MALFORMED)?;
    Ok(Some(Proxied {
        len: end + 2,
        client: client(line)?,
    }))
}

fn client(line: &str) -> Result<Option<Client>, Refusal> {
    let mut words = line.split(' ').skip(1);
    let family = words.next().unwrap_or_default();
    if family == "UNKNOWN" {
        // Section 2.1: the rest of the line is to be ignored, and the connection's own ends count.
        return Ok(None);
    }
    let mut ip = || -> Option<IpAddr> {
        let word = words.next()?;
        match family {
            "TCP4" => word.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => word.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let (source, _destination) = ip().zip(ip()).ok_or(MALFORMED)?;
    let mut port = || -> Option<u16> {
        let word = words.next()?;
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        word.parse().ok().filter(|_| is_number)
    };
    let (port, _destination) = port().zip(port()).ok_or(MALFORMED)?;
    if words.next().is_some() {
        return Err(MALFORMED);
    }
    Ok(Some(Client {
        address: Some(SocketAddr::new(source, port)),
        tls: false,
    }))
}
