//! From one supervisor to the next: when another program lies in the place of the one that runs, a reload starts it, and
//! it takes over while this one finishes what it has begun.
//!
//! The new supervisor, the *heir*, gets what only one process at a time could have: listening sockets, the control socket,
//! the keys of session tickets. It goes through its whole start, and tells its *predecessor* that it serves, or why it
//! cannot. Only then anything changes. `program` says whether there is a reason, `heir` and `predecessor` are the two ends,
//! `estate` is what is left and `message` what they say. When what happens is decided in `lifecycle/succession`.
//!
//! The service manager is told of the new main process if there is one, which ends then like any other. Anybody else who has
//! started us waits for this process and knows no other: so it stays as the parent of the heir, does nothing but pass on
//! signals, and ends as the heir does.

mod estate;
mod giving_way;
mod heir;
mod message;
mod predecessor;
mod program;
mod words;

use std::{
    env,
    time::{Duration, Instant},
};

use rustix::process::getpid;
use tokio::sync::mpsc;
use tracing::info;

use crate::{ipc::LoadFailure, listener::Listeners, sys::Kinship, systemd::Notifier};

use super::{
    SupervisorError,
    control::Server,
    interpreter::Extension,
    lifecycle::{Event, Notice, Report},
    run::Supervisor,
    setup,
};

pub(super) use self::words::Word;
use self::{
    heir::Heir,
    message::{FromHeir, GREETING, ToHeir},
    program::{OnDisk, Program},
};
pub(crate) use self::{
    message::Accession,
    predecessor::{Predecessor, SuccessionError},
};

/// What a supervisor knows of those before and after it.
pub(super) struct Succession {
    program: Program,
    kinship: Kinship,
    heir: Option<Heir>,
    predecessor: Option<Predecessor>,
    words: mpsc::Sender<Word>,
    /// The socket of the control socket's server, and whether its directory goes with it.
    control: (Listeners, bool),
    change: Option<Change>,
}

/// What has become of us, for the loop.
pub(super) enum Change {
    /// We have given way.
    Abdicated,
    /// We are in charge: the control socket that was left to us, if one was.
    Crowned((Listeners, bool)),
}

impl Succession {
    /// For the one that begins now; words of others come out at the other end.
    pub(super) fn new(
        extension: &Extension,
        predecessor: Option<Predecessor>,
    ) -> Result<(Self, mpsc::Receiver<Word>), SupervisorError> {
        let (words, heard) = mpsc::channel(words::QUEUE);
        if let Some(predecessor) = &predecessor {
            let listening = predecessor.listen(words.clone());
            listening.map_err(setup("hear the supervisor before this one"))?;
        }
        let program = Program::here(extension);
        let kinship = match &predecessor {
            Some(predecessor) if predecessor.is_parent() => Kinship::Child,
            _ => kinship(),
        };
        let succession = Self {
            program: program.map_err(setup("see which program runs"))?,
            kinship,
            heir: None,
            predecessor,
            words,
            control: Default::default(),
            change: None,
        };
        Ok((succession, heard))
    }

    /// Number of the first generation.
    pub(super) fn first_generation(&self) -> u32 {
        let predecessor = self.predecessor.as_ref();
        predecessor.map_or(1, Predecessor::generation)
    }

    /// Whether somebody else is in charge still.
    pub(super) fn is_waiting(&self) -> bool {
        let predecessor = self.predecessor.as_ref();
        predecessor.is_some_and(|predecessor| !predecessor.is_followed())
    }

    /// The control socket that is open, if one is.
    pub(super) fn note_control(&mut self, server: Option<&Server>) {
        self.control = server.map(Server::socket).unwrap_or_default();
    }

    /// What has become of us since this was asked last.
    pub(super) fn change(&mut self) -> Option<Change> {
        self.change.take()
    }
}

/// A service manager takes a new main process only from the one that it has started; nobody is a sibling of process 1.
fn kinship() -> Kinship {
    let is_managed = env::var_os("NOTIFY_SOCKET").is_some_and(|name| !name.is_empty());
    match is_managed && !getpid().is_init() {
        true => Kinship::Sibling,
        false => Kinship::Child,
    }
}

/// Why a new program cannot take over that speaks another protocol.
fn foreign(theirs: &str) -> String {
    format!(
        "the new program speaks {theirs:?} and this one {GREETING:?}, so it cannot take over; restart the service instead, when you like"
    )
}

impl Supervisor {
    /// What is where this program was started from, in a word.
    pub(super) fn on_disk(&self) -> &'static str {
        match self.succession.program.on_disk() {
            OnDisk::Gone => "gone",
            OnDisk::Other => "other",
            OnDisk::Same => "same",
        }
    }

    /// Whoever starts us hears of `notice`: a predecessor that has not given way yet, else the service manager.
    pub(super) fn notify(&self, notice: Notice) {
        match &self.succession.predecessor {
            Some(predecessor) if !predecessor.is_followed() => predecessor.notify(notice),
            _ => self.tell_manager(notice),
        }
    }

    fn tell_manager(&self, notice: Notice) {
        match notice {
            Notice::Extend(time) => self.notifier.extend(time),
            Notice::Hangs => self.notifier.hangs(),
            Notice::Ready => self.notifier.ready(),
            Notice::Reloading => self.notifier.reloading(),
            Notice::Stopping => self.notifier.stopping(),
        }
    }

    /// A predecessor hears how our start ends.
    pub(super) fn tell_predecessor(&mut self, report: &Report) {
        if let Some(predecessor) = &mut self.succession.predecessor
            && !predecessor.is_followed()
        {
            predecessor.note(report);
        }
    }

    /// The service ends, and whoever was before us has so much time.
    pub(super) fn hurry_predecessor(&self, mercy: Duration) {
        if let Some(predecessor) = &self.succession.predecessor {
            predecessor.hurry(mercy);
        }
    }

    /// What somebody before or after us says, as an event.
    pub(super) fn hear_word(&mut self, word: Word) -> Option<Event> {
        Some(match word {
            Word::Heir(Some(FromHeir::Extend { ms })) => {
                Event::HeirExtends(Duration::from_millis(ms))
            }
            Word::Heir(Some(FromHeir::Failed(failure))) => Event::HeirFailed(failure),
            Word::Heir(Some(FromHeir::Outcome(reply))) => {
                self.waiting.pass_on(&reply);
                Event::HeirAnswered
            }
            Word::Heir(Some(FromHeir::Ready(accession))) => self.introduce(accession),
            Word::Heir(Some(FromHeir::Stop { mercy_ms })) => {
                Event::HeirStops(Duration::from_millis(mercy_ms))
            }
            Word::Heir(None) => Event::HeirGone,
            Word::Predecessor(Some(ToHeir::Reign { reload })) => self.reign(reload),
            Word::Predecessor(Some(ToHeir::Estate(_))) => return None,
            Word::Predecessor(None) => Event::PredecessorGone,
            Word::Stranger(theirs) if self.succession.heir.is_some() => {
                Event::HeirFailed(LoadFailure {
                    reason: foreign(&theirs),
                    traceback: String::new(),
                })
            }
            Word::Stranger(_) => return None,
        })
    }

    /// The predecessor has given way.
    fn reign(&mut self, reload: bool) -> Event {
        if let Some(predecessor) = &mut self.succession.predecessor {
            info!(
                before = predecessor.version(),
                "this supervisor is in charge now"
            );
            let control = predecessor.follow();
            let made_directory = predecessor.made_directory();
            self.succession.change = Some(Change::Crowned((control, made_directory)));
            if reload {
                self.waiting.add(predecessor.promise());
            }
        }
        self.notifier = Notifier::from_environment();
        self.notifier
            .status(self.lifecycle.headline(), Instant::now());
        let current = self.lifecycle.status(Duration::ZERO).generation;
        self.promote(current);
        Event::Crowned { reload }
    }
}
