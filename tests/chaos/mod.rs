//! Everything that can happen to a service under load, one thing after the other, and an account of every request.
//!
//! Clients ask steadily for numbers (`traffic`), the application writes down which numbers it had (`ledger`), and at the
//! end every request is explained (`account`): a turnover costs none, a death those that were in it, and nothing hangs.
//!
//! `reload`: again and again, and to code that is broken; `recycle`: for requests, age and memory; `death`: of workers
//! and zygotes, and workers that are stopped; `late`: requests that take too long; `scarcity`: no memory, no descriptors,
//! no place for the log.

mod account;
mod control;
mod death;
mod late;
mod ledger;
mod recycle;
mod reload;
mod scarcity;
mod traffic;

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, FileType, Mode};

use self::{
    account::Outcome,
    ledger::Ledger,
    traffic::{Asked, Traffic},
};
use crate::support::site::{Running, Site};

/// Requests a second, all clients together.
const RATE: u32 = 250;

/// A site under load.
struct Chaos {
    ledger: Ledger,
    site: Running,
}

impl Chaos {
    /// Starts the numbers with these settings.
    fn start(settings: impl FnOnce(Site) -> Site) -> Self {
        let ledger = Ledger::new();
        let site = settings(ledger.site()).start();
        Self { ledger, site }
    }

    fn directory(&self) -> &Path {
        self.site.directory.path()
    }

    fn traffic(&self) -> Traffic {
        Traffic::start(self.site.address(), RATE)
    }

    /// Waits for the `nth` line of the log with this text.
    fn wait_for_nth(&self, text: &str, nth: usize) {
        self.site
            .process
            .wait_for_nth(text, nth, |line| line.contains(text).then_some(()));
    }

    fn count(&self, text: &str) -> usize {
        self.site.process.output().matches(text).count()
    }

    /// A request that lasts until it is told to end, and the worker that has it.
    fn hold(&self, traffic: &Traffic, name: &str) -> Held {
        let fifo = self.directory().join(name);
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let asked = traffic.ask("/hold", fifo.to_str().unwrap());
        let worker = self.ledger.wait_for(asked.number);
        Held {
            asked,
            worker,
            fifo,
        }
    }
}

/// A request that somebody else has to end.
struct Held {
    asked: Asked,
    worker: u32,
    fifo: PathBuf,
}

impl Held {
    /// Lets it end.
    #[track_caller]
    fn release(self) {
        fs::write(&self.fifo, "done").unwrap();
        assert_eq!(self.asked.outcome(), Outcome::Answered(self.worker));
    }

    /// What became of it.
    fn outcome(self) -> Outcome {
        self.asked.outcome()
    }
}
