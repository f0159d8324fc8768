//! One request that a program answers: what its client sends goes in, what it says comes out, and whoever of the two
//! keeps the other waiting for too long ends it.

use std::{
    fmt::{self, Display},
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::ExitStatus,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, poll};
use tracing::{error, info, warn};

use super::{
    Detour,
    child::{self, Child, Said},
    feed::Feed,
};
use crate::{
    cgi::{
        Call, Environment, Program, Programs,
        output::{self, Output, OutputError},
    },
    environ,
    protocol::http::response::header,
    serve::{
        exchange::{Exchange, Progress, ResponseHead},
        route::Changes,
    },
};

/// How often a request may be sent elsewhere by programs, before it counts as a circle.
const DETOURS: u32 = 10;
/// How long we wait for the status of a program that has closed its output, which comes with its end as a rule: an
/// answer whose program has crashed must not look whole.
const LAST_MOMENT: Duration = Duration::from_millis(100);

/// A program that is about to answer.
pub(super) struct Run<'p> {
    programs: &'p Programs,
    program: Program,
    /// What it has said, as long as that is no answer; nothing after.
    said: Vec<u8>,
    feed: Feed,
    /// When something last moved.
    moved: Instant,
}

/// The client sends no more. Half of an open connection would be the other reading of it, which nobody uses in HTTP;
/// nginx takes it as we do.
const GONE: PollFlags = PollFlags::RDHUP.union(PollFlags::HUP).union(PollFlags::ERR);

/// What comes of a look.
enum Turn {
    /// The answer is another's: the program may come to its end.
    Led,
    /// The answer is given up, and the program with it.
    Over,
    /// The program has said everything.
    Said,
    Wait,
}

impl<'p> Run<'p> {
    pub(super) fn new(programs: &'p Programs, program: Program) -> Self {
        Self {
            programs,
            program,
            said: Vec::new(),
            feed: Feed::Done,
            moved: Instant::now(),
        }
    }

    /// Answers. Gives the process, if it still runs.
    pub(super) fn answer(mut self, exchange: &mut Exchange<'_>) -> Option<Child> {
        let mut child = self.start(exchange)?;
        loop {
            match self.turn(exchange, &mut child) {
                Turn::Wait => {}
                Turn::Over => {
                    child.dismiss();
                    return Some(child);
                }
                Turn::Led => {
                    child.stdout = None;
                    return Some(child);
                }
                Turn::Said => break,
            }
        }
        self.conclude(exchange, &mut child);
        Some(child)
    }

    fn start(&mut self, exchange: &mut Exchange<'_>) -> Option<Child> {
        let prepared = match Feed::prepare(exchange) {
            Ok(prepared) => prepared,
            Err(error) => {
                self.give_up_body(exchange, &error);
                return None;
            }
        };
        self.feed = prepared.feed;
        let mut environment = Environment::default();
        exchange.variables(|variable, value| environment.visit(variable, value));
        let call = Call {
            script: &exchange.script(),
            length: prepared.length,
            added: exchange.added_variables(),
        };
        let environment = environment.complete(self.programs, &self.program, call);
        let request_id = exchange.request_id().to_owned();
        let patience = self.patience();
        let started = Child::start(
            &self.program,
            environment,
            prepared.stdin,
            patience,
            &request_id,
        );
        self.moved = Instant::now();
        started
            .inspect_err(|error| {
                let (program, helper) = (self.program.file.display(), &self.program.helper);
                warn!(%program, helper, %error, "a CGI program cannot be started; the client gets 502");
                exchange.fail(502);
            })
            .ok()
    }

    /// How long the program may be silent; `None`: as long as it wants.
    fn patience(&self) -> Option<Duration> {
        let (settings, _) = self.programs.settings(&self.program);
        Some(settings.timeout.0).filter(|time| !time.is_zero())
    }

    /// Waits for something to happen, and does what follows from it.
    fn turn(&mut self, exchange: &mut Exchange<'_>, child: &mut Child) -> Turn {
        match self.feed.fill(exchange) {
            Ok(has_moved) => self.note(has_moved),
            Err(error) => {
                self.give_up_body(exchange, &error);
                return Turn::Over;
            }
        }
        if self.feed.is_done() {
            child.stdin = None;
        }
        let progress = exchange.push();
        let is_full = progress == Progress::Full;
        if progress == Progress::Gone {
            return Turn::Over;
        }
        // Whom we wait for: the program, unless its client has to do something first.
        let waits_for_client = is_full || self.feed.is_empty();
        let limit = match waits_for_client {
            true => Some(exchange.patience()).filter(|time| !time.is_zero()),
            false => self.patience(),
        };
        let Some(ready) = self.wait(exchange, child, is_full, limit) else {
            self.time_is_over(exchange, is_full);
            return Turn::Over;
        };
        if ready.client.intersects(GONE) {
            exchange.desert();
            return Turn::Over;
        }
        self.note(ready.client.contains(PollFlags::OUT));
        if ready.stderr {
            child.log();
        }
        if ready.stdin
            && let Some(stdin) = &child.stdin
        {
            let has_moved = self.feed.push(exchange, stdin);
            self.note(has_moved);
        }
        match ready.stdout || ready.end {
            true if !is_full => self.hear(exchange, child, ready.end),
            _ => Turn::Wait,
        }
    }

    fn note(&mut self, has_moved: bool) {
        if has_moved {
            self.moved = Instant::now();
        }
    }

    /// Waits until something is ready; `None` when the time is over since something moved last.
    fn wait(
        &self,
        exchange: &Exchange<'_>,
        child: &Child,
        is_full: bool,
        limit: Option<Duration>,
    ) -> Option<Ready> {
        // What the client does not take yet stays with the program, and its end is no news then either.
        let (hears, feeds) = (!is_full, !self.feed.is_done() && !self.feed.is_empty());
        let watched = [
            Some(exchange.client(self.feed.is_empty())),
            Some(child.end()).filter(|_| hears),
            pipe(&child.stdout, PollFlags::IN).filter(|_| hears),
            pipe(&child.stderr, PollFlags::IN),
            pipe(&child.stdin, PollFlags::OUT).filter(|_| feeds),
        ];
        let mut places = [None; 5];
        let mut fds = Vec::with_capacity(watched.len());
        for (place, fd) in places.iter_mut().zip(watched) {
            *place = fd.is_some().then_some(fds.len());
            fds.extend(fd);
        }
        let left = limit.map(|limit| limit.saturating_sub(self.moved.elapsed()));
        // A signal is as good as nothing: the next turn waits on.
        if poll(&mut fds, left.map(child::timespec).as_ref()) == Ok(0) {
            return None;
        }
        let found = places
            .map(|place| place.map_or(PollFlags::empty(), |place: usize| fds[place].revents()));
        let [client, end, stdout, stderr, stdin] = found;
        Some(Ready {
            client,
            end: !end.is_empty(),
            stdout: !stdout.is_empty(),
            stderr: !stderr.is_empty(),
            stdin: !stdin.is_empty(),
        })
    }

    /// Takes a piece of what the program says.
    fn hear(&mut self, exchange: &mut Exchange<'_>, child: &mut Child, has_ended: bool) -> Turn {
        match child.hear(&mut self.said) {
            Said::End => Turn::Said,
            Said::Nothing if has_ended => Turn::Said,
            Said::Nothing => Turn::Wait,
            Said::Something => {
                self.note(true);
                self.pass_on(exchange)
            }
        }
    }

    /// Gives its client what the program has said.
    fn pass_on(&mut self, exchange: &mut Exchange<'_>) -> Turn {
        let mut body = 0;
        if !exchange.is_committed() {
            match output::parse(&self.said) {
                Ok(None) => return Turn::Wait,
                Ok(Some((output, at))) => {
                    body = at;
                    match output {
                        Output::Answer {
                            status,
                            lines,
                            facts,
                        } => exchange.commit(
                            &ResponseHead {
                                status,
                                lines,
                                facts,
                            },
                            None,
                        ),
                        Output::Local(target) => {
                            self.lead_away(exchange, &target);
                            return Turn::Led;
                        }
                    }
                }
                Err(error) => {
                    self.blame(exchange, &error);
                    return Turn::Over;
                }
            }
        }
        exchange.write(&self.said[body..]);
        self.said.clear();
        Turn::Wait
    }

    /// RFC 3875 section 6.2.2: "the server MUST generate the response that it would have produced in response to a
    /// request containing the URL". One that is not a plain GET the client makes itself, with the same result: 303 has it
    /// ask with GET.
    fn lead_away(&self, exchange: &mut Exchange<'_>, target: &[u8]) {
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
    fn conclude(&self, exchange: &mut Exchange<'_>, child: &mut Child) {
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
    fn blame(&self, exchange: &mut Exchange<'_>, why: &dyn Display) {
        let program = self.program.file.display();
        warn!(%program, %why, "a CGI program gave no answer; the client gets 502");
        exchange.fail(502);
    }

    /// The body of the request does not come as it should.
    fn give_up_body(&self, exchange: &mut Exchange<'_>, error: &io::Error) {
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
    fn time_is_over(&self, exchange: &mut Exchange<'_>, is_full: bool) {
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

/// What is ready.
struct Ready {
    client: PollFlags,
    end: bool,
    stdout: bool,
    stderr: bool,
    stdin: bool,
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

fn pipe(end: &Option<OwnedFd>, what: PollFlags) -> Option<PollFd<'_>> {
    end.as_ref().map(|end| PollFd::new(end, what))
}
