//! The life of supervisor, zygote and workers, seen from outside.
//!
//! `start`: how the application is found and loaded, and what is said when it cannot be; `stop`: signals and drains;
//! `crash`: workers that die; `reload`: SIGHUP, good and bad; `worker`: what a worker is when it begins.

mod crash;
mod post_fork;
mod reload;
mod start;
mod stop;
mod systemd;
mod worker;

use std::{fs, path::PathBuf, thread::JoinHandle};

use rustix::fs::{CWD, FileType, Mode};
use serde_json::Value;

use crate::support::{
    answer::Answer,
    site::{Running, Site},
};

fn site() -> Site {
    Site::app("process")
}

fn pid(site: &Running) -> u64 {
    site.get("/pid").json()["pid"].as_u64().unwrap()
}

/// A request that lasts until it is told to end.
pub(crate) struct Held {
    fifo: PathBuf,
    client: JoinHandle<Answer>,
}

impl Held {
    /// Begins the request and waits until the application has it.
    pub(crate) fn begin(site: &Running) -> Self {
        Self::begin_nth(site, 1)
    }

    /// The same for the `nth` request of this kind.
    pub(crate) fn begin_nth(site: &Running, nth: usize) -> Self {
        let fifo = site.directory.path().join(format!("fifo-{nth}"));
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (address, target) = (site.address().clone(), format!("/wait?{}", fifo.display()));
        let client = std::thread::spawn(move || {
            let mut client = address.connect();
            client.send_get(&target);
            // A server that kills the request closes without a word.
            if client.has_more() {
                client.answer()
            } else {
                Answer::default()
            }
        });
        site.process.wait_for_nth("that it waits", nth, |line| {
            line.contains("waiting").then_some(())
        });
        Self { fifo, client }
    }

    /// What it asks for.
    pub(crate) fn target(&self) -> String {
        format!("/wait?{}", self.fifo.display())
    }

    /// Lets the request end and gives its answer.
    pub(crate) fn end(self) -> Value {
        fs::write(&self.fifo, "done").unwrap();
        self.client.join().unwrap().json()
    }

    /// The answer to a request that nobody lets end.
    pub(crate) fn killed(self) -> Answer {
        self.client.join().unwrap()
    }
}
