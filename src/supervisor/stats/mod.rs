//! `[stats]`: who asks at its address is told what the site is doing, as uWSGI's stats server would tell it.
//!
//! `facts` collects what has to be known, `server` speaks with clients. Here it is decided where is listened: the sockets
//! belong to a generation, so that a reload that fails changes nothing, and the current generation's are served.

mod facts;
mod server;

use std::time::Duration;

use tokio::{sync::mpsc, task::JoinSet};
use tracing::{error, info};

use crate::{
    config::{Listen, Settings},
    listener::{ListenError, Listener, Listeners},
};

use super::{generation::Generation, generation::one_line, run::Supervisor};

pub(super) use server::Question;

/// Why there are no stats.
#[derive(Debug, thiserror::Error)]
#[error("the `address` of [stats] cannot be used; end who uses it, or write another address")]
pub(crate) struct StatsError {
    #[from]
    source: ListenError,
}

/// Binds the address of `[stats]`; without one there is no socket.
///
/// # Errors
/// The address cannot be had.
pub(crate) fn bind(settings: &Settings) -> Result<Listeners, StatsError> {
    Ok(Listeners::bind(
        &wanted(settings),
        Duration::ZERO,
        Vec::new(),
    )?)
}

/// The sockets of settings that follow these: of the same address they are the same.
///
/// # Errors
/// The address cannot be had.
pub(super) fn rebind<'g>(
    generations: impl DoubleEndedIterator<Item = &'g Generation>,
    settings: &Settings,
) -> Result<Listeners, StatsError> {
    let address = &settings.stats.address;
    let owner = generations.rev().find(|generation| {
        let is_bound = generation.stats.iter().next().is_some();
        is_bound && generation.settings.stats.address == *address
    });
    match owner {
        Some(owner) => rebind_to(&owner.stats, settings),
        None => bind(settings),
    }
}

/// The same, given those sockets.
///
/// # Errors
/// The address cannot be had.
pub(super) fn rebind_to(sockets: &Listeners, settings: &Settings) -> Result<Listeners, StatsError> {
    Ok(sockets.rebind(&wanted(settings), Duration::ZERO)?)
}

fn wanted(settings: &Settings) -> Vec<Listen> {
    let address = settings.stats.address.iter();
    address
        .map(|address| Listen {
            // Who connects and says nothing is to be told, too.
            defer_accept: false,
            ..Listen::at(address.clone())
        })
        .collect()
}

/// The tasks that serve the current generation's address.
pub(super) struct Stats {
    questions: mpsc::Sender<Question>,
    /// What the log was told last: where, and whether over HTTP.
    told: Vec<(String, bool)>,
    tasks: JoinSet<()>,
}

impl Stats {
    /// None yet; what clients ask comes out at the other end.
    pub(super) fn new() -> (Self, mpsc::Receiver<Question>) {
        let (questions, asked) = mpsc::channel(server::CLIENTS);
        let stats = Self {
            questions,
            told: Vec::new(),
            tasks: JoinSet::new(),
        };
        (stats, asked)
    }

    /// A reload that leaves everything as it was is no news.
    fn tell(&mut self, served: Vec<(String, bool)>) {
        if served == self.told {
            return;
        }
        for (address, http) in &served {
            info!(address, http, "stats are given out");
        }
        if served.is_empty() {
            info!("stats are not given out any more");
        }
        self.told = served;
    }

    /// Gives out nothing more; clients that are spoken with are not disturbed.
    pub(super) fn rest(&mut self) {
        // Dropping the tasks ends them, and their duplicates of the sockets with them.
        self.tasks = JoinSet::new();
    }

    fn serve(&mut self, listener: &Listener, http: bool) {
        match server::listening(listener) {
            Ok(socket) => {
                let task = server::accept(socket, http, self.questions.clone());
                self.tasks.spawn(task);
            }
            Err(error) => {
                error!(address = %listener.bound, error = %one_line(&error), "stats are not given out");
            }
        }
    }
}

impl Supervisor {
    /// Serves the stats of this generation from now on, and of no other. Clients that are spoken with are not disturbed.
    pub(super) fn serve_stats(&mut self, number: u32) {
        self.stats.rest();
        for (other, generation) in &mut self.generations {
            if *other != number {
                generation.stats = Listeners::default();
            }
        }
        let Some(generation) = self.generations.get(&number) else {
            return;
        };
        let http = generation.settings.stats.http;
        let served = generation.stats.iter();
        let served = served.map(|listener| (listener.bound.clone(), http));
        self.stats.tell(served.collect());
        for listener in generation.stats.iter() {
            self.stats.serve(listener, http);
        }
    }
}
