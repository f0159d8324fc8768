//! Listeners behind proxies that pass bytes on and say whose they are: the header of the PROXY protocol is read before
//! the connection's own first byte, be that of TLS or of HTTP.

use std::os::fd::AsFd;

use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};
use tracing::warn;

use super::{
    application::Application,
    clock::coarse_ms,
    connection::{Connection, Phase},
    drive::Step,
    engine::Engine,
};
use crate::protocol::proxy::{self, MAX_HEADER};

/// Lets the connection begin with what a proxy says; `false`: its peer is none that may say it.
///
/// The PROXY protocol, section 2: "The receiver SHOULD ensure proper access filtering so that only trusted proxies are
/// allowed to use this protocol."
pub(super) fn expect_proxy(connection: &mut Connection) -> bool {
    if !connection.peer.trusted {
        let peer = &connection.peer.address;
        warn!(
            peer,
            "a connection was refused: `proxy-protocol` is for peers in `http.trusted-proxies`"
        );
        return false;
    }
    connection.behind_proxy = std::mem::replace(&mut connection.phase, Phase::Proxied);
    true
}

impl<A: Application> Engine<A> {
    /// Takes the header, and no byte more, when all of it is there.
    pub(super) fn read_proxy(&self, connection: &mut Connection) -> Step {
        if connection.drained {
            return self.wait_for_proxy(connection);
        }
        let mut buffer = [0; MAX_HEADER];
        let length = match peek(connection, &mut buffer) {
            Ok(0) => return Step::Close,
            Ok(length) => length,
            Err(Errno::AGAIN) => return self.wait_for_proxy(connection),
            Err(Errno::INTR) => return Step::Again,
            Err(_) => return Step::Close,
        };
        match proxy::parse(&buffer[..length]) {
            // What has come is still in the socket's buffer: only more of it can change anything.
            Ok(None) if connection.ended => Step::Close,
            Ok(None) => self.wait_for_proxy(connection),
            Ok(Some(proxied)) => {
                if let Some(client) = &proxied.client {
                    connection.peer.set_proxied(client, &self.rules.trusted);
                }
                connection.phase = connection.behind_proxy;
                take(connection, &mut buffer[..proxied.len])
            }
            Err(refusal) => {
                let (peer, reason) = (&connection.peer.address, refusal.reason);
                warn!(
                    peer,
                    reason, "a connection was closed: a proxy has to say whose it is"
                );
                Step::Close
            }
        }
    }

    /// `http.header-timeout` runs from the beginning, for this header and the request's together.
    fn wait_for_proxy(&self, connection: &mut Connection) -> Step {
        connection.drained = true;
        if !connection.head_begun {
            connection.head_begun = true;
            connection.deadline = coarse_ms() + self.rules.header_ms;
        }
        Step::Wait
    }
}

fn peek(connection: &Connection, buffer: &mut [u8]) -> Result<usize, Errno> {
    let (length, _) = recv(connection.socket.as_fd(), buffer, RecvFlags::PEEK)?;
    Ok(length)
}

/// Takes so many bytes out of the socket, where they have been seen.
fn take(connection: &Connection, mut header: &mut [u8]) -> Step {
    while !header.is_empty() {
        match recv(connection.socket.as_fd(), &mut *header, RecvFlags::empty()) {
            Ok((0, _)) => return Step::Close,
            Ok((length, _)) => header = &mut header[length..],
            Err(Errno::INTR) => {}
            Err(_) => return Step::Close,
        }
    }
    Step::Again
}
