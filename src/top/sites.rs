//! The sites that are watched: the last reading of each, and what lies between it and the one before.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    thread,
};

use crate::supervisor::control::{RunningStatus, Status, WorkerStatus};

use super::{
    source::{Reading, Source, Trouble},
    window::Window,
};

/// Sites that are remembered. Whoever may make directories below /run/hostler must not fill our memory.
const MOST: usize = 1024;

/// All of them, by their sockets.
#[derive(Debug, Default)]
pub(crate) struct Sites(BTreeMap<PathBuf, Site>);

/// One of them.
#[derive(Debug)]
pub(super) struct Site {
    /// What it is called: by itself, or before it has answered by its directory.
    pub(super) name: String,
    /// The last reading.
    pub(super) outcome: Result<Box<Status>, Trouble>,
    /// Nothing until there are two readings in a row.
    pub(super) window: Option<Window>,
}

/// Sums over workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Workers that serve.
    pub(super) workers: u32,
    /// Threads of Python that work on a request.
    pub(super) busy: u32,
    /// Threads of Python of workers that serve.
    pub(super) threads: u32,
    /// Connections that nobody has accepted yet, on all listening sockets.
    pub(super) waiting: u32,
    /// How many of them there may be.
    pub(super) backlog: u32,
    /// Nothing when none could be measured.
    pub(super) rss: Option<u64>,
    pub(super) pss: Option<u64>,
    /// Workers that are gone.
    pub(super) respawns: u64,
}

impl Sites {
    /// Asks all sites at the same time, so that one that is slow delays none of the others' answers. Those that have
    /// been there are asked again: the socket of a site goes with it, and comes back with it.
    pub(crate) fn read(&mut self, source: &dyn Source) {
        let known = self.0.keys().cloned();
        let places: BTreeSet<PathBuf> = source.places().into_iter().chain(known).collect();
        let readings: Vec<Reading> = thread::scope(|scope| {
            let ask = |place| scope.spawn(move || Reading::take(source, place));
            let asked: Vec<_> = places.into_iter().map(ask).collect();
            let readings = asked.into_iter().filter_map(|asked| asked.join().ok());
            readings.collect()
        });
        readings.into_iter().for_each(|reading| self.take(reading));
    }

    /// Takes in what a site has said.
    pub(super) fn take(&mut self, reading: Reading) {
        let Reading { place, outcome } = reading;
        if self.0.len() >= MOST && !self.0.contains_key(&place) {
            return;
        }
        // A socket that was never there to be asked is somebody's leftover; one that was is a site that has ended.
        if outcome == Err(Trouble::Gone) && !self.0.contains_key(&place) {
            return;
        }
        let before = self.0.remove(&place);
        self.0
            .insert(place.clone(), Site::new(&place, before, outcome));
    }

    /// A site that was asked for by name is shown from the beginning, whether it runs or not.
    pub(crate) fn expect(&mut self, place: PathBuf, name: String) {
        let site = Site {
            name,
            outcome: Err(Trouble::Gone),
            window: None,
        };
        self.0.entry(place).or_insert(site);
    }

    /// In the order of their sockets.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&PathBuf, &Site)> {
        self.0.iter()
    }

    /// Who does not answer, and why.
    pub(crate) fn troubles(&self) -> Vec<(&str, &Trouble)> {
        let troubles = self.0.values().filter_map(|site| {
            let trouble = site.outcome.as_ref().err()?;
            Some((site.name.as_str(), trouble))
        });
        troubles.collect()
    }

    /// Whether anybody has answered.
    pub(crate) fn has_answers(&self) -> bool {
        self.0.values().any(|site| site.outcome.is_ok())
    }

    pub(super) fn of(&self, place: &Path) -> Option<&Site> {
        self.0.get(place)
    }
}

impl Site {
    fn new(place: &Path, before: Option<Self>, outcome: Result<Box<Status>, Trouble>) -> Self {
        let window = match (&before, &outcome) {
            (
                Some(Self {
                    outcome: Ok(before),
                    ..
                }),
                Ok(after),
            ) => Window::between(before, after),
            _ => None,
        };
        let told = outcome.as_ref().ok().map(|status| status.site.clone());
        let known = before.map(|before| before.name);
        let name = told.or(known).unwrap_or_else(|| directory_of(place));
        Self {
            name,
            outcome,
            window,
        }
    }

    /// Of what it said last; nothing when that was no status.
    pub(super) fn status(&self) -> Option<&Status> {
        self.outcome.as_deref().ok()
    }

    /// Over its workers.
    pub(super) fn sums(&self) -> Sums {
        let Some(status) = self.status() else {
            return Sums::default();
        };
        let workers = || status.workers.iter();
        let measured = |of: fn(&WorkerStatus) -> Option<u64>| {
            workers()
                .filter_map(of)
                .fold(None, |sum: Option<u64>, bytes| {
                    Some(sum.unwrap_or_default().saturating_add(bytes))
                })
        };
        let serving = workers().filter(|worker| worker.state == "serving");
        let serving = serving.count() as u32;
        Sums {
            workers: serving,
            busy: workers().map(|worker| busy(worker, status.threads)).sum(),
            threads: serving.saturating_mul(status.threads),
            waiting: status
                .listeners
                .iter()
                .map(|listener| listener.waiting)
                .sum(),
            backlog: status.listeners.iter().map(|listener| listener.limit).sum(),
            rss: measured(|worker| worker.rss),
            pss: measured(|worker| worker.pss),
            respawns: status.counters.values().sum(),
        }
    }

    /// Requests that run, with their workers, the oldest first.
    pub(super) fn running(&self) -> Vec<(&WorkerStatus, &RunningStatus)> {
        let workers = self.status().into_iter().flat_map(|status| &status.workers);
        let mut running: Vec<_> = workers
            .flat_map(|worker| worker.running.iter().map(move |request| (worker, request)))
            .collect();
        running.sort_by_key(|(_, request)| std::cmp::Reverse(request.age_us));
        running
    }
}

/// Threads of Python come first; those for files and programs are not what a site runs out of.
pub(super) fn busy(worker: &WorkerStatus, threads: u32) -> u32 {
    let running = worker.running.iter();
    running.filter(|request| request.thread < threads).count() as u32
}

/// Workers that are gone, by cause, as "2 by crash, 1 by harakiri"; nothing when all are there.
pub(crate) fn causes(status: &Status) -> Option<String> {
    let counters = status.counters.iter().filter(|(_, count)| **count > 0);
    let causes: Vec<String> = counters
        .map(|(cause, count)| format!("{count} by {cause}"))
        .collect();
    (!causes.is_empty()).then(|| causes.join(", "))
}

fn directory_of(place: &Path) -> String {
    let directory = place.parent().and_then(Path::file_name);
    directory.unwrap_or_default().to_string_lossy().into_owned()
}
