//! Requests that a CGI program answers: from the engine to a thread of their own, and back.
//!
//! A program takes as long as it likes, so none of the engine's threads waits for it. Its connection leaves the table and
//! epoll, and belongs to a native thread that lives for this one request (`run`), with a place of its own in the
//! scoreboard (`lanes`). When the answer is said, the connection goes back into the table, whatever is still queued, and
//! the thread stays with its process (`child`) until that has ended and is reaped. `feed` is what the process reads, `outcome`
//! what becomes of a request that it does not answer.
//!
//! There are no such threads as long as nobody asks for a program, so that a worker without is one that can be forked.

mod child;
mod feed;
mod lanes;
mod outcome;
mod run;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tracing::{error, warn};

use super::{
    application::Application,
    connection::{Connection, Phase},
    drive::Step,
    engine::Engine,
    exchange::ResponseHead,
    local::Local,
    mounts::ONLY,
    route::Changes,
};
use crate::{
    cgi::Program,
    protocol::{Framing, http::response::header},
    sys,
};

use self::{child::Child, lanes::Lane, run::Run};
pub(super) use lanes::Lanes;

/// Seconds after which a client may try again that found too many programs running.
const RETRY_AFTER: &[u8] = b"1";

/// Where a program has sent its request (RFC 3875 section 6.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detour {
    /// Path and query instead of those of the request.
    pub(super) changes: Changes,
    /// How often that has happened.
    pub(super) number: u32,
}

impl<A: Application> Engine<A> {
    /// A program is to answer; its body, if there is one, is read beforehand as for an application.
    pub(super) fn expect_program(
        &self,
        connection: &mut Connection,
        program: Box<Program>,
    ) -> Step {
        connection.program = Some(program);
        // What an earlier request of the connection asked for; no path is a mount's here.
        connection.place = Some(ONLY);
        match connection.head.framing {
            Framing::None | Framing::Length(0) => Step::Run,
            _ => {
                connection.phase = Phase::Body;
                connection.deadline = 0;
                Step::Again
            }
        }
    }

    /// Gives a connection whose request waits for a program to a thread of its own, or answers that there is none.
    pub(super) fn start_program(&self, connection: Box<Connection>, local: &mut Local) {
        let Err(mut connection) = self.try_start(connection) else {
            return;
        };
        let step = self.exchange(&mut connection, local, |exchange| {
            let mut lines = Vec::new();
            header(&mut lines, b"Retry-After", RETRY_AFTER);
            let head = ResponseHead {
                lines,
                ..ResponseHead::default()
            };
            exchange.say_words(head, 503);
            exchange.finish();
        });
        self.take_back(connection, step, local);
    }

    fn try_start(&self, connection: Box<Connection>) -> Result<(), Box<Connection>> {
        let engine = self.shared.get().and_then(Weak::upgrade);
        let program = connection.program.as_ref();
        let lane = program.and_then(|program| self.lane(program));
        let (Some(engine), Some(lane)) = (engine, lane) else {
            return Err(connection);
        };
        // A thread that does not start drops what it was given.
        let kept = Arc::new(Mutex::new(Some(connection)));
        let given = Arc::clone(&kept);
        let started = sys::spawn_helper("hostler-cgi", move || {
            if let Some(connection) = take(&given) {
                let child = engine.run_program(connection, &lane);
                // The engine has to be able to end while a process is waited for.
                drop(engine);
                if let Some(child) = child {
                    child.see_off();
                }
                drop(lane);
            }
        });
        match started {
            Ok(_) => Ok(()),
            Err(error) => {
                error!(%error, "there is no thread for a CGI program; the client gets 503");
                take(&kept).map_or(Ok(()), Err)
            }
        }
    }

    fn lane(&self, program: &Program) -> Option<Lane> {
        let (settings, section) = self.rules.router.programs().settings(program);
        let lane = self.lanes.take(section);
        if lane.is_none() {
            let (program, limit) = (program.file.display(), settings.processes());
            warn!(%program, limit, "cgi.max-processes programs run; the client gets 503");
        }
        lane
    }

    /// Gives the process, if it still runs.
    fn run_program(&self, mut connection: Box<Connection>, lane: &Lane) -> Option<Child> {
        // Behind the threads of the application is the one that stands by.
        let mut local = Local::new(self.threads() + 1 + lane.number());
        self.watches.of(local.index).attach();
        let mut child = None;
        let program = connection.program.clone();
        let step = self.exchange(&mut connection, &mut local, |exchange| {
            if let Some(program) = program {
                child = Run::new(self.rules.router.programs(), *program).answer(exchange);
            }
        });
        self.take_back(connection, step, &mut local);
        child
    }

    fn take_back(&self, mut connection: Box<Connection>, step: Step, local: &mut Local) {
        match step {
            Step::Close => self.close(connection, local),
            Step::Again | Step::Leave | Step::Run | Step::Wait => {
                self.yield_turn(&mut connection);
                self.give_back(connection, local);
            }
        }
    }
}

fn take(place: &Mutex<Option<Box<Connection>>>) -> Option<Box<Connection>> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
