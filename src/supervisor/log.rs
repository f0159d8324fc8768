//! The log as the supervisor has it for everybody: opened anew when somebody wants it, its files put aside when they are
//! large, and zygotes and workers told of it.

use std::time::{Duration, Instant};

use crate::{
    config::Log,
    ipc::{IpcError, ToWorker, ToZygote},
    journal::{self, LogFiles},
    scoreboard::now_us,
};

use super::{control::Reply, generation::one_line, lifecycle::WorkerId, run::Supervisor};

/// How often the size of files is looked at, and whether peers of sockets are gone.
const LOOK: Duration = Duration::from_secs(1);
/// The same while the site has nothing to do, and so hardly anything to say.
const REST: Duration = Duration::from_secs(10);

/// The files, and when they were looked at last.
pub(super) struct LogKeeper {
    pub(super) files: LogFiles,
    looked: Option<Instant>,
}

impl LogKeeper {
    pub(super) fn new(files: LogFiles) -> Self {
        let looked = None;
        Self { files, looked }
    }

    /// When there is something to do, for a site that has, or has not; `None`: never.
    pub(super) fn due(&self, site_rests: bool, now: Instant) -> Option<Instant> {
        let pace = if site_rests { REST } else { LOOK };
        let due = self.looked.map_or(now, |looked| looked + pace);
        (self.files.are_limited() || self.files.have_peers()).then_some(due)
    }
}

impl Supervisor {
    /// Opens the log anew, as far as it is ours to open; the log says so too.
    pub(super) fn reopen_log(&mut self) -> Reply {
        let files = self.log.files.reopen();
        self.tell_of_log();
        let reconnected = journal::reconnect();
        let has_files = !self.log.files.is_empty();
        match files.and(reconnected) {
            Ok(is_connected) if is_connected || has_files => {
                if is_connected {
                    tracing::info!("connected to the journal anew");
                }
                if has_files {
                    tracing::info!("opened the log files anew");
                }
                Reply::Accepted
            }
            Ok(_) => {
                let reason =
                    "the log goes to standard error, which only who started hostler can open anew";
                tracing::info!("nothing was opened anew: {reason}");
                Reply::refused(reason)
            }
            Err(error) => {
                let reason = one_line(&error);
                tracing::error!(reason, "the log is as it was");
                Reply::Failed {
                    reason,
                    traceback: String::new(),
                }
            }
        }
    }

    /// Puts aside log files that have become too large, if it is time to look.
    pub(super) fn keep_log(&mut self, now: Instant) {
        let due = self.log.due(self.lifecycle.is_asleep(), now);
        if due.is_none_or(|due| now < due) {
            return;
        }
        self.log.looked = Some(now);
        self.log.files.heal();
        let (changed, errors) = self.log.files.rotate();
        if changed {
            self.tell_of_log();
        }
        for error in errors {
            tracing::error!(error = %one_line(&error), "a log file grows on");
        }
    }

    /// Writes the lines that a worker has left which is gone.
    pub(super) fn save_lines(&self, worker: WorkerId) {
        let Some((generation, slot)) = self.workers.get(&worker) else {
            return;
        };
        if let Some(parts) = self.generations.get(generation)
            && let Some(gathered) = &parts.gathered
        {
            self.write_lines(&parts.settings.log, &gathered.take_left(*slot));
        }
    }

    /// Writes lines that threads have gathered and cannot write, because a request keeps them.
    pub(super) fn write_old_lines(&self) {
        let now_us = now_us();
        for (generation, slot) in self.workers.values() {
            if let Some(parts) = self.generations.get(generation)
                && let Some(gathered) = &parts.gathered
            {
                self.write_lines(&parts.settings.log, &gathered.take_old(*slot, now_us));
            }
        }
    }

    fn write_lines(&self, log: &Log, texts: &[Vec<u8>]) {
        for text in texts {
            for error in self.log.files.write_requests(log, text) {
                tracing::error!(error = %one_line(&error), "lines of requests are lost");
            }
        }
    }

    fn tell_of_log(&self) {
        let targets = self.log.files.targets();
        if targets.is_empty() {
            return;
        }
        let fds: Vec<_> = self.log.files.fds().collect();
        let (zygotes, workers) = (ToZygote::Log(targets.clone()), ToWorker::Log(targets));
        for error in self.children.tell_all(&zygotes, &workers, &fds) {
            // Who has ended needs no log.
            if !matches!(error, IpcError::Closed) {
                tracing::error!(error = %one_line(&error), "a process logs on into the file of before");
            }
        }
    }
}
