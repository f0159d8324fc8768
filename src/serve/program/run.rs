//! One request that a program answers: what its client sends goes in, what it says comes out, and whoever of the two
//! keeps the other waiting for too long ends it.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, poll};
use tracing::warn;

use super::{
    child::{self, Child, Said},
    feed::Feed,
};
use crate::{
    cgi::{
        Call, Environment, Program, Programs,
        output::{self, Output},
    },
    serve::exchange::{Exchange, Progress, ResponseHead},
};

/// A program that is about to answer.
pub(super) struct Run<'p> {
    pub(super) programs: &'p Programs,
    pub(super) program: Program,
    /// What it has said, as long as that is no answer; nothing after.
    said: Vec<u8>,
    pub(super) feed: Feed,
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
        let is_full = match exchange.push() {
            Progress::Full => true,
            Progress::Gone => return Turn::Over,
            Progress::Open => false,
        };
        // Whom we wait for: the program, unless its client has to do something first.
        let limit = match is_full || self.feed.is_empty() {
            true => Some(exchange.patience()).filter(|time| !time.is_zero()),
            false => self.patience(),
        };
        match self.wait(exchange, child, is_full, limit) {
            Some(ready) => self.go_on(exchange, child, &ready),
            None => {
                self.time_is_over(exchange, is_full);
                Turn::Over
            }
        }
    }

    fn go_on(&mut self, exchange: &mut Exchange<'_>, child: &mut Child, ready: &Ready) -> Turn {
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
            true => self.hear(exchange, child, ready.end),
            false => Turn::Wait,
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
            Some(exchange.watched(self.feed.is_empty())),
            Some(child.end()).filter(|_| hears),
            pipe(&child.stdout, PollFlags::IN).filter(|_| hears),
            pipe(&child.stderr, PollFlags::IN),
            pipe(&child.stdin, PollFlags::OUT).filter(|_| feeds),
        ];
        let left = limit.map(|limit| limit.saturating_sub(self.moved.elapsed()));
        let [client, end, stdout, stderr, stdin] = look(watched, left)?;
        let is_over = left.is_some_and(|left| left.is_zero());
        if is_over && (client | end | stdout | stdin).is_empty() {
            // What it writes to its standard error is for the log, and no answer.
            return None;
        }
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
                Ok(Some((Output::Local(target), _))) => {
                    self.lead_away(exchange, &target);
                    return Turn::Led;
                }
                Ok(Some((Output::Answer(head), at))) => {
                    exchange.commit(&ResponseHead::from(head), None);
                    body = at;
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
}

impl From<output::Head> for ResponseHead {
    fn from(head: output::Head) -> Self {
        let output::Head {
            status,
            lines,
            facts,
        } = head;
        Self {
            status,
            lines,
            facts,
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

/// What is ready of these; `None` when the time is over.
fn look<const N: usize>(
    watched: [Option<PollFd<'_>>; N],
    limit: Option<Duration>,
) -> Option<[PollFlags; N]> {
    let mut places = [None; N];
    let mut fds = Vec::with_capacity(N);
    for (place, fd) in places.iter_mut().zip(watched) {
        *place = fd.is_some().then_some(fds.len());
        fds.extend(fd);
    }
    // A signal is as good as nothing: the next turn waits on.
    if poll(&mut fds, limit.map(child::timespec).as_ref()) == Ok(0) {
        return None;
    }
    let found = |place: usize| fds[place].revents();
    Some(places.map(|place| place.map_or(PollFlags::empty(), found)))
}

fn pipe(end: &Option<OwnedFd>, what: PollFlags) -> Option<PollFd<'_>> {
    end.as_ref().map(|end| PollFd::new(end, what))
}
