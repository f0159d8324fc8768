//! Answers that are not the application's: files, redirections and errors, sent by the engine alone.
//!
//! They go the same way as the application's do, by [`Exchange`], so that framing, keep-alive, the log and the scoreboard
//! know no difference.

use rustix::io::pread;
use tracing::warn;

use super::{
    application::Application,
    connection::Connection,
    drive::Step,
    engine::Engine,
    exchange::{Exchange, ResponseHead},
    local::Local,
    route::{Destination, Inquiry},
    rules::Rules,
};
use crate::{
    environ,
    protocol::{Kind, Request, http::response::header, uwsgi},
    static_files::{Conditions, FoundFile, OpenFile, Piece, Range, Reply},
};

/// Files up to here are read and sent with their head; for larger ones sendfile(2) is worth its call.
const SMALL: u64 = 32 << 10;

impl<A: Application> Engine<A> {
    /// Decides on a request whose head is complete. Gives the step if it was answered; else it is the application's.
    pub(super) fn answer_alone(
        &self,
        connection: &mut Connection,
        local: &mut Local,
    ) -> Option<Step> {
        let request = Request {
            head: &connection.head,
            buffer: &connection.input,
        };
        let inquiry = Inquiry {
            request,
            host: environ::host_name(&request),
            remote: remote(connection, &request),
        };
        let (destination, changes) = match &connection.detour {
            None => self.rules.router.route(&inquiry, &mut local.scratch.path),
            Some(detour) => self.rules.router.route_anew(
                &inquiry,
                detour.changes.clone(),
                &mut local.scratch.path,
            ),
        };
        let is_head = request.method() == b"HEAD";
        connection.changes = (changes != Default::default()).then(|| Box::new(changes));
        let step = match destination {
            Destination::Application if wants_program(connection) => {
                self.exchange(connection, local, |exchange| refuse(exchange, 404))
            }
            Destination::Application => return None,
            Destination::Barred(file, why) => {
                warn!(program = %file.display(), why, "a CGI program may not run; the client gets 403");
                self.exchange(connection, local, |exchange| refuse(exchange, 403))
            }
            Destination::Program(program) => self.expect_program(connection, program),
            Destination::File(found, url) => {
                self.record(local).file();
                self.exchange(connection, local, |exchange| {
                    send_file(exchange, &self.rules, found, &url, is_head);
                })
            }
            Destination::Redirect(status, url) => self.exchange(connection, local, |exchange| {
                let mut lines = Vec::new();
                header(&mut lines, b"Location", &url);
                exchange.say_words(head_with(lines), status);
                exchange.finish();
            }),
            Destination::Refuse(status) => {
                self.exchange(connection, local, |exchange| refuse(exchange, status))
            }
        };
        Some(step)
    }
}

/// Whether the front server says that a CGI program is to answer, and nobody else.
fn wants_program(connection: &Connection) -> bool {
    let kind = connection.head.kind;
    matches!(kind, Kind::Uwsgi { modifier1, .. } if modifier1 == uwsgi::CGI)
}

fn refuse(exchange: &mut Exchange<'_>, status: u16) {
    exchange.say_words(ResponseHead::default(), status);
    exchange.finish();
}

/// The client's address: a front server's word for it where the protocol has one.
fn remote<'b>(connection: &'b Connection, request: &Request<'b>) -> &'b [u8] {
    match request.head.kind {
        Kind::Http => connection.peer.address.as_bytes(),
        _ => {
            let mut fields = request.fields();
            let found = fields.find(|(name, _)| *name == b"REMOTE_ADDR");
            found.map_or(b"", |(_, value)| value)
        }
    }
}

fn head_with(lines: Vec<u8>) -> ResponseHead {
    ResponseHead {
        lines,
        ..ResponseHead::default()
    }
}

fn send_file(
    exchange: &mut Exchange<'_>,
    rules: &Rules,
    found: FoundFile<'_>,
    url: &[u8],
    is_head: bool,
) {
    let conditions = Conditions::of(&exchange.request());
    let (reply, open) = rules.router.files().reply(found, url, &conditions, is_head);
    let Reply {
        status,
        lines,
        mut body,
    } = reply;
    let length = body.iter().map(Piece::length).sum::<u64>();
    if !is_head && length > 0 && length <= SMALL {
        // Read before anything is said: that a file became shorter can still be told.
        let Some(bytes) = read(&body, &open) else {
            warn!("a file became shorter while it was read; the client gets 500");
            return exchange.fail(500);
        };
        body = vec![Piece::Bytes(bytes)];
    }
    exchange.say(head_with(lines), status, body, &open.file, 0);
    exchange.finish();
}

fn read(pieces: &[Piece], open: &OpenFile) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => body.extend_from_slice(bytes),
            Piece::File(Range { offset, length }) => {
                let start = body.len();
                body.resize(start + *length as usize, 0);
                let mut at = *offset;
                let mut rest = &mut body[start..];
                while !rest.is_empty() {
                    let read =
                        rustix::io::retry_on_intr(|| pread(&open.file, &mut *rest, at)).ok()?;
                    if read == 0 {
                        return None;
                    }
                    rest = &mut rest[read..];
                    at += read as u64;
                }
            }
        }
    }
    Some(body)
}
