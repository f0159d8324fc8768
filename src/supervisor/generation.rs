//! What belongs to one (re)load: settings, interpreter, listening sockets and scoreboard.

use std::{
    error::Error,
    io, iter,
    os::fd::{AsFd, BorrowedFd},
    path::PathBuf,
};

use crate::{
    config::Settings,
    ipc::{ListenerInfo, Start, ToZygote},
    journal::{self, Gathered, LogFiles},
    listener::{Listener, Listeners},
    scoreboard::{Scoreboard, Totals},
    stats::Tally,
};

use super::{Interpreter, https::Https, lifecycle::Plan};

/// The parts of a generation; they go with its last process.
pub(super) struct Generation {
    pub(super) settings: Settings,
    pub(super) interpreter: Interpreter,
    pub(super) listeners: Listeners,
    /// Where `[stats]` are given out, as long as this generation is the current one.
    pub(super) stats: Listeners,
    /// The same for `[metrics]`.
    pub(super) metrics: Listeners,
    pub(super) https: Https,
    pub(super) scoreboard: Scoreboard,
    /// Where workers gather lines for log files, if they do.
    pub(super) gathered: Option<Gathered>,
    /// Of each slot, what its workers were.
    pub(super) tallies: Vec<Tally>,
}

impl Generation {
    /// The first one.
    pub(super) fn new(
        settings: Settings,
        interpreter: Interpreter,
        listeners: Listeners,
        stats: Listeners,
        metrics: Listeners,
        https: Https,
    ) -> io::Result<Self> {
        let slots = Plan::from(&settings).slots;
        let scoreboard = Scoreboard::create(slots, settings.serving_threads())?;
        let gathers = Gathered::is_wanted(&settings);
        let gathered = gathers.then(|| Gathered::create(slots, settings.workers.threads));
        Ok(Self {
            settings,
            interpreter,
            listeners,
            stats,
            metrics,
            https,
            scoreboard,
            gathered: gathered.transpose()?,
            tallies: vec![Tally::default(); slots as usize],
        })
    }

    /// The one that follows this one, with other settings, `[stats]` and `[metrics]` there; the error is one line.
    pub(super) fn successor(
        &self,
        settings: Settings,
        (stats, metrics): (Listeners, Listeners),
    ) -> Result<Self, String> {
        let interpreter = self.interpreter.find_again(&settings.app);
        let interpreter = interpreter.map_err(|error| one_line(&error))?;
        let https = self.https.reload(&settings.listen);
        let https = https.map_err(|error| one_line(&error))?;
        let defer = settings.timeouts.socket.0;
        let listeners = self.listeners.rebind(&settings.listen, defer);
        let listeners = listeners.map_err(|error| one_line(&error))?;
        Self::new(settings, interpreter, listeners, stats, metrics, https)
            .map_err(|error| format!("cannot make shared memory: {error}"))
    }

    /// All that workers of this slot have done, those that are gone included.
    pub(super) fn totals(&self, slot: u32) -> Totals {
        let mut totals = self.scoreboard.totals(slot);
        let tally = self.tallies.get(slot as usize);
        tally.into_iter().for_each(|tally| totals += &tally.done);
        totals
    }

    /// What the rules need to know of it.
    pub(super) fn plan(&self) -> Plan {
        Plan {
            is_activated: self.listeners.are_inherited(),
            ..Plan::from(&self.settings)
        }
    }

    /// The first message to a zygote; the descriptors that go with it are [`Generation::fds`].
    pub(super) fn start_message(
        &self,
        site: &str,
        generation: u32,
        log_files: &LogFiles,
    ) -> ToZygote {
        ToZygote::Start(Box::new(Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            site: site.to_owned(),
            generation,
            settings: self.settings.clone(),
            log_files: log_files.targets(),
            listeners: self.listeners.iter().map(info).collect(),
            gathers: self.gathered.is_some(),
            https: self.https.is_used(),
        }))
    }

    /// The scoreboard, our standard error, each log file, the memory for lines, what HTTPS needs, then each listener.
    pub(super) fn fds<'f>(&'f self, log_files: &'f LogFiles) -> Vec<BorrowedFd<'f>> {
        let listeners = self.listeners.iter().map(AsFd::as_fd);
        [self.scoreboard.as_fd(), journal::stderr()]
            .into_iter()
            .chain(log_files.fds())
            .chain(self.gathered.as_ref().map(AsFd::as_fd))
            .chain(self.https.fds())
            .chain(listeners)
            .collect()
    }

    /// How people call the applications.
    pub(super) fn application(&self) -> String {
        let Settings { app, mount, .. } = &self.settings;
        let mounted = mount.iter().map(|mount| (&mount.module, &mount.file));
        let all = iter::once((&app.module, &app.file)).chain(mounted);
        let names: Vec<String> = all.filter_map(name).collect();
        names.join(", ")
    }
}

fn name((module, file): (&Option<String>, &Option<PathBuf>)) -> Option<String> {
    let file = || file.as_ref().map(|file| file.display().to_string());
    module.clone().or_else(file)
}

fn info(listener: &Listener) -> ListenerInfo {
    ListenerInfo {
        protocol: listener.protocol,
        section: listener.section,
        address: listener.bound.clone(),
    }
}

/// An error and its causes.
pub(super) fn one_line(error: &dyn Error) -> String {
    let causes = iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
