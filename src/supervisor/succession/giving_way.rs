//! What a supervisor does for its heir: starts it, tells the service manager of it, and lets go of what is the heir's now.

use std::time::Duration;

use rustix::process::Signal;
use tracing::{error, info, warn};

use crate::{
    ipc::LoadFailure,
    journal::LogFiles,
    supervisor::{generation::one_line, lifecycle::Event, log::LogKeeper, run::Supervisor},
    sys::Kinship,
};

use super::{
    Accession, Change,
    estate::{Estate, Sockets},
    heir::Heir,
    program::OnDisk,
};

impl Supervisor {
    /// Starts the program that lies there, if it is another one; its first generation has this number.
    pub(in crate::supervisor) fn start_heir(&mut self, generation: u32) -> Option<Event> {
        match self.succession.program.on_disk() {
            OnDisk::Same => return None,
            OnDisk::Gone => {
                let program = self.succession.program.path();
                warn!(program = %program.display(), "the program is not where it was started from, this one serves on");
                return None;
            }
            OnDisk::Other => {}
        }
        info!("another program lies where this one was started from, it is started to take over");
        Some(match self.try_start_heir(generation) {
            Ok(heir) => {
                let pid = heir.pid();
                let is_child = self.succession.kinship == Kinship::Child;
                self.succession.heir = Some(heir);
                Event::HeirStarted {
                    child: is_child.then_some(pid),
                }
            }
            Err(reason) => Event::SettingsRead(Err(reason)),
        })
    }

    fn try_start_heir(&self, number: u32) -> Result<Heir, String> {
        let overview = self.lifecycle.status(Duration::ZERO);
        let current = self.generations.get(&overview.generation);
        let current = current.ok_or("no generation is left")?;
        let (control, made_directory) = &self.succession.control;
        let sockets = Sockets {
            control: control.clone(),
            listen: current.listeners.clone(),
            metrics: current.metrics.clone(),
            stats: current.stats.clone(),
        };
        let (left, mut fds) = sockets.leave();
        fds.push(current.https.ticket_keys());
        let estate = Estate {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: number,
            is_child: self.succession.kinship == Kinship::Child,
            made_directory: *made_directory,
            sockets: left,
        };
        let (program, words) = (&self.succession.program, self.succession.words.clone());
        Heir::start(program, self.succession.kinship, estate, &fds, words)
    }

    /// Tells the service manager of an heir that serves, as long as somebody waits for it. An heir of which it does not know
    /// would be taken for what a service has left behind at its end.
    pub(super) fn introduce(&mut self, accession: Accession) -> Event {
        let is_sibling = self.succession.kinship == Kinship::Sibling;
        let heir = self.succession.heir.as_ref();
        let main = heir.map(Heir::pid).filter(|_| is_sibling);
        if self.lifecycle.awaits_heir()
            && let Err(error) = self.notifier.give_way(main)
        {
            let reason = format!("the service manager cannot be told of the new process: {error}");
            return Event::HeirFailed(LoadFailure {
                reason,
                traceback: String::new(),
            });
        }
        Event::HeirReady(accession)
    }

    /// Gives way to the heir: from here on it is the service, and we finish what we have.
    pub(in crate::supervisor) fn abdicate(&mut self, reload: bool) {
        let Some(heir) = &self.succession.heir else {
            return;
        };
        // What only an older generation listens on was not left to anybody.
        let current = self.lifecycle.status(Duration::ZERO).generation;
        if let Some(current) = self.generations.get(&current) {
            for left in [&current.listeners, &current.stats, &current.metrics] {
                left.disown();
            }
        }
        let (control, _) = std::mem::take(&mut self.succession.control);
        control.disown();
        if let Err(error) = heir.crown(reload) {
            // It ends as any supervisor that crashes, and whoever starts supervisors starts another one.
            error!(error = %one_line(&error), "the new supervisor has ended");
        }
        self.stats.rest();
        self.metrics.rest();
        self.rotation = None;
        self.log = LogKeeper::new(LogFiles::default());
        self.succession.change = Some(Change::Abdicated);
    }

    /// Says to the heir that nothing more comes.
    pub(in crate::supervisor) fn part_with_heir(&self) {
        if let Some(heir) = &self.succession.heir {
            heir.part();
        }
    }

    /// Signals the heir.
    pub(in crate::supervisor) fn signal_heir(&self, signal: Signal) {
        if let Some(heir) = &self.succession.heir {
            heir.signal(signal);
        }
    }
}
