//! The first phase of an encrypted connection: until client and server have agreed, nothing of HTTP is said.

use std::os::fd::AsFd;

use tracing::debug;

use super::{
    access::Outcome,
    application::Application,
    clock::{DateText, coarse_ms},
    connection::{Connection, Phase, Received},
    drive::Step,
    engine::Engine,
    exchange::log_refusal,
};

/// For a client that was given a URL with the wrong scheme.
const PLAIN_ON_TLS: &str =
    "This port speaks HTTPS, and the request came as plain HTTP. Use https:// in the address.\n";

impl<A: Application> Engine<A> {
    /// Goes on with a handshake. It has `http.header-timeout` from its beginning, whatever the client does meanwhile.
    pub(super) fn handshake(&self, connection: &mut Connection) -> Step {
        let Some(tls) = &mut connection.tls else {
            // rustls could make no session. Nothing is said in plain text on a listener for HTTPS.
            return Step::Close;
        };
        match tls.push(connection.socket.as_fd()) {
            Ok(true) => {}
            Ok(false) => {
                self.watch_output(connection);
                return self.wait_for_handshake(connection);
            }
            Err(_) => return Step::Close,
        }
        if tls.is_ready() {
            connection.phase = Phase::Head;
            connection.head_begun = false;
            return Step::Again;
        }
        if connection.drained {
            return self.wait_for_handshake(connection);
        }
        match connection.receive() {
            Ok(Received::Data | Received::WouldBlock) => Step::Again,
            Ok(Received::Closed) => Step::Close,
            Err(error) => self.end_handshake(connection, &error),
        }
    }

    fn wait_for_handshake(&self, connection: &mut Connection) -> Step {
        if !connection.head_begun {
            connection.head_begun = true;
            connection.deadline = coarse_ms() + self.rules.header_ms;
        }
        if connection.tls.as_ref().is_some_and(|tls| tls.is_fresh()) {
            connection.deadline = self.idle_deadline(connection.deadline);
        }
        Step::Wait
    }

    /// There will be no agreement. The client is told why, by an alert, or as HTTP if that is what it speaks.
    fn end_handshake(&self, connection: &mut Connection, error: &std::io::Error) -> Step {
        let Some(tls) = &mut connection.tls else {
            return Step::Close;
        };
        let peer = &connection.peer.address;
        connection.linger = true;
        if !tls.is_plain_http() {
            debug!(peer, %error, "a TLS handshake failed");
            // The alert. If it does not get out, the client sees the end.
            let _ = tls.push(connection.socket.as_fd());
            return self.after_response(connection);
        }
        debug!(peer, "plain HTTP was sent to an HTTPS port");
        if self.rules.access.takes(Outcome::refusal(400)) {
            log_refusal(peer, 400);
        }
        connection.tls = None;
        let mut answer = plain_on_tls();
        if connection.send(&mut answer).is_err() {
            return Step::Close;
        }
        connection.phase = Phase::Flush;
        connection.deadline = 0;
        Step::Again
    }
}

fn plain_on_tls() -> Vec<u8> {
    let (mut date, length) = (DateText::default(), PLAIN_ON_TLS.len());
    let date = date.now();
    format!(
        "HTTP/1.1 400 Bad Request\r\nDate: {date}\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{PLAIN_ON_TLS}"
    )
    .into_bytes()
}
