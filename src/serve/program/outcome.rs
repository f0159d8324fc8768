//! What becomes of a request that a program does not simply answer: it is sent elsewhere, ends too early or too late, or
//! is given up; and what is told of that to the client and to the log.

use std::{
    fmt::{self, Display},
    io,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::Duration,
};

use tracing::{error, info, warn};

use super::{Detour, child::Child, run::Run};
use crate::{
    cgi::output::OutputError,
    environ,
    protocol::http::response::header,
    serve::{
        exchange::{Exchange, ResponseHead},
        route::Changes,
    },
};

/// How often a request may be sent elsewhere by programs, before it counts as a circle.
const DETOURS: u32 = 10;
/// How long we wait for the status of a program that has closed its output, which comes with its end as a rule: an
/// answer whose program has crashed must not look whole.
const LAST_MOMENT: Duration = Duration::from_millis(100);

impl Run<'_> {
    /// RFC 3875 section 6.2.2: "the server MUST generate the response that it would have produced in response to a
    /// request containing the URL". While there is more of its body to come the client makes that request itself, with the
    /// same result: 303 has it ask with GET.
    pub(super) fn lead_away(&self, exchange: &mut Exchange<'_>, target: &[u8]) {
        let number = exchange.detours() + 1;
        if number > DETOURS {
            let program = self.program.file.display();
            warn!(%program, "CGI programs send a request round in a circle; the client gets 502");
            return exchange.fail(502);
        }
        if !exchange.may_take_a_detour() {
            let mut lines = Vec::new();
            header(&mut lines, b"Location", target);
            let head = ResponseHead {
                lines,
                ..ResponseHead::default()
            };
            exchange.say_words(head, 303);
            return exchange.finish();
        }
        let mut parts = target.splitn(2, |&byte| byte == b'?');
        let path = parts.next().unwrap_or_default();
        let changes = Changes {
            path: Some(environ::resolved(path)),
            query: Some(parts.next().unwrap_or_default().to_vec()),
            ..Changes::default()
        };
        exchange.postpone(Detour { changes, number });
    }

    /// The program has said everything.
    pub(super) fn conclude(&self, exchange: &mut Exchange<'_>, child: &mut Child) {
        let status = child.wait(Some(LAST_MOMENT));
        if !exchange.is_committed() {
            return self.blame(exchange, &Cut { status });
        }
        let program = self.program.file.display();
        match status {
            Some(status) if status.signal().is_some() => {
                warn!(%program, %status, "a CGI program has crashed; its answer is cut off");
                exchange.fail(502);
            }
            Some(status) if !status.success() => {
                info!(%program, %status, "a CGI program has answered and says that it failed");
                exchange.finish();
            }
            _ => exchange.finish(),
        }
    }

    /// What the program says is no answer.
    pub(super) fn blame(&self, exchange: &mut Exchange<'_>, why: &dyn Display) {
        let program = self.program.file.display();
        warn!(%program, %why, "a CGI program gave no answer; the client gets 502");
        exchange.fail(502);
    }

    /// The body of the request does not come as it should.
    pub(super) fn give_up_body(&self, exchange: &mut Exchange<'_>, error: &io::Error) {
        let has_gone = matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::UnexpectedEof
        );
        match exchange.peers_fault() {
            _ if has_gone => exchange.desert(),
            Some(status) => exchange.fail(status),
            None => {
                let program = self.program.file.display();
                error!(%program, %error, "a CGI program cannot be given the body of its request; the client gets 500");
                exchange.fail(500);
            }
        }
    }

    /// Nothing has moved for as long as it may.
    pub(super) fn time_is_over(&self, exchange: &mut Exchange<'_>, is_full: bool) {
        if is_full {
            exchange.cut();
        } else if self.feed.is_empty() {
            exchange.fail(408);
        } else {
            let program = self.program.file.display();
            warn!(%program, "a CGI program was silent for longer than cgi.timeout and is killed; the client gets 504 if it got nothing yet");
            exchange.fail(504);
        }
    }
}

/// A program has ended, and there is no answer.
struct Cut {
    status: Option<ExitStatus>,
}

impl Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        OutputError::Cut.fmt(formatter)?;
        match self.status {
            Some(status) => write!(formatter, " ({status})"),
            None => Ok(()),
        }
    }
}
