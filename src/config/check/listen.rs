//! The rules of `[[listen]]`.

use super::{problem, tls, within};
use crate::config::{
    error::{Part, Problem},
    schema::Listen,
    value::{Address, ByteSize},
};

pub(super) fn check(listen: &[Listen]) -> Result<(), Problem> {
    if listen.is_empty() {
        return Err(problem(
            &["listen"],
            Part::Value,
            "nothing is listened on; write [[listen]], and address = \"127.0.0.1:8000\" below",
        ));
    }
    for (number, one) in listen.iter().enumerate() {
        let section = number.to_string();
        if binds_twice(one, &listen[..number]) {
            let message = format!(
                "{} is listened on twice; remove one [[listen]]",
                one.address
            );
            return Err(problem(
                &["listen", &section, "address"],
                Part::Value,
                message,
            ));
        }
        file_keys(one, &section)?;
        tcp_keys(one, &section)?;
        tls::check(one, &section)?;
        buffers(one, &section)?;
        name(one, &listen[..number], &section)?;
        if let Some(backlog @ (0 | 65_536..)) = one.backlog {
            let message = format!("`backlog` goes from 1 to 65535, not {backlog}");
            return Err(problem(
                &["listen", &section, "backlog"],
                Part::Value,
                message,
            ));
        }
    }
    Ok(())
}

/// Port 0 is another port each time.
fn binds_twice(one: &Listen, earlier: &[Listen]) -> bool {
    !matches!(one.address, Address::Tcp { port: 0, .. })
        && earlier.iter().any(|other| other.address == one.address)
}

/// Keys that are about addresses of the network need one.
fn tcp_keys(one: &Listen, section: &str) -> Result<(), Problem> {
    let is_tcp = matches!(one.address, Address::Tcp { .. });
    let mut keys = [
        ("freebind", one.freebind),
        ("reuse-port", one.reuse_port),
        ("tcp-keepalive", one.tcp_keepalive),
    ]
    .into_iter();
    match keys.find(|(_, given)| *given && !is_tcp) {
        Some((key, _)) => {
            let message = format!(
                "`{key}` is for sockets with a port, and {} has none",
                one.address
            );
            Err(problem(&["listen", section, key], Part::Key, message))
        }
        None => Ok(()),
    }
}

/// The kernel makes smaller ones larger, and larger ones cannot be meant.
fn buffers(one: &Listen, section: &str) -> Result<(), Problem> {
    for (key, size) in [
        ("send-buffer", one.send_buffer),
        ("receive-buffer", one.receive_buffer),
    ] {
        if size != ByteSize(0) {
            let sizes = ByteSize(4 << 10)..=ByteSize(1 << 30);
            within(&["listen", section, key], size, sizes)?;
        }
    }
    Ok(())
}

/// What systemd takes for `FileDescriptorName=`, for one socket each.
fn name(one: &Listen, earlier: &[Listen], section: &str) -> Result<(), Problem> {
    let Some(name) = &one.name else {
        return Ok(());
    };
    let refuse = |message| Err(problem(&["listen", section, "name"], Part::Value, message));
    let is_part = |c: char| c.is_ascii_graphic() && c != ':' && c != '%';
    if !(1..=255).contains(&name.len()) || !name.chars().all(is_part) {
        return refuse(format!(
            "`{name}` cannot be the name of a socket; use letters, digits and signs other than `:` and `%`"
        ));
    }
    match earlier.iter().any(|other| other.name == one.name) {
        true => refuse(format!("two sockets are called `{name}`; rename one")),
        false => Ok(()),
    }
}

/// Keys that are about a socket's file need one.
fn file_keys(one: &Listen, section: &str) -> Result<(), Problem> {
    if matches!(one.address, Address::Unix(_)) {
        return match [("owner", &one.owner), ("group", &one.group)]
            .into_iter()
            .find(|(_, name)| name.as_deref().is_some_and(str::is_empty))
        {
            Some((key, _)) => {
                let message =
                    format!("`{key}` is empty; write a name or a number, or leave it out");
                Err(problem(&["listen", section, key], Part::Value, message))
            }
            None => Ok(()),
        };
    }
    for (key, given) in [
        ("mode", one.mode.is_some()),
        ("owner", one.owner.is_some()),
        ("group", one.group.is_some()),
    ] {
        if given {
            let message = format!(
                "`{key}` is for sockets with a path, and {} has none",
                one.address
            );
            return Err(problem(&["listen", section, key], Part::Key, message));
        }
    }
    Ok(())
}
