//! The tables: sites, the workers of one site, and requests that run.

use std::path::{Path, PathBuf};

use crate::supervisor::control::WorkerStatus;

use super::{
    columns::{Cell, Column, Kind, Row, Table, Tone},
    sites::{Site, Sites, busy, causes},
    source::Trouble,
    window::{Latency, Pace, WorkerKey},
    words::{duration, latency, printable, rate, size},
};

/// What a row stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Site(PathBuf),
    Worker(PathBuf, WorkerKey),
    /// The request that a thread of a worker is at.
    Request(PathBuf, WorkerKey, u32),
}

impl Key {
    /// The site that it belongs to.
    pub(super) fn place(&self) -> &PathBuf {
        match self {
            Self::Site(place) | Self::Worker(place, _) | Self::Request(place, _, _) => place,
        }
    }

    /// The worker that it belongs to; a site is none.
    pub(super) fn worker(&self) -> Option<WorkerKey> {
        match self {
            Self::Site(_) => None,
            Self::Worker(_, worker) | Self::Request(_, worker, _) => Some(*worker),
        }
    }
}

const fn column(title: &'static str, width: u16, kind: Kind, dispensable: u8) -> Column {
    Column {
        title,
        width,
        kind,
        dispensable,
    }
}

const SITES: &[Column] = &[
    column("SITE", 11, Kind::Text, 0),
    column("STATE", 9, Kind::Text, 6),
    column("REQ/S", 5, Kind::Number, 0),
    column("5XX/S", 5, Kind::Number, 7),
    column("P50", 5, Kind::Number, 4),
    column("P95", 5, Kind::Number, 1),
    column("P99", 5, Kind::Number, 5),
    column("BUSY", 7, Kind::Number, 2),
    column("QUEUE", 5, Kind::Number, 3),
    column("PSS", 6, Kind::Number, 4),
    column("RESPAWN", 7, Kind::Number, 5),
    column("CAUSES", 12, Kind::Rest, 9),
];

const WORKERS: &[Column] = &[
    column("WORKER", 6, Kind::Ordinal, 0),
    column("GEN", 3, Kind::Ordinal, 8),
    column("PID", 7, Kind::Ordinal, 6),
    column("STATE", 9, Kind::Text, 3),
    column("AGE", 5, Kind::Number, 7),
    column("REQ/S", 5, Kind::Number, 0),
    column("P50", 5, Kind::Number, 5),
    column("P95", 5, Kind::Number, 1),
    column("P99", 5, Kind::Number, 6),
    column("BUSY", 5, Kind::Number, 2),
    column("RSS", 6, Kind::Number, 8),
    column("PSS", 6, Kind::Number, 4),
    column("REQUESTS", 10, Kind::Number, 9),
];

const RUNNING: &[Column] = &[
    column("AGE", 5, Kind::Number, 0),
    column("SITE", 12, Kind::Text, 2),
    column("WORKER", 6, Kind::Ordinal, 1),
    column("THREAD", 6, Kind::Ordinal, 3),
    column("PEER", 15, Kind::Text, 4),
    column("REQUEST", 16, Kind::Rest, 0),
];

/// Every site.
pub(super) fn of_sites(sites: &Sites) -> Table<Key> {
    let rows = sites.iter().map(|(place, site)| {
        let sums = site.sums();
        let status = site.status();
        let mut cells = vec![Cell::text(printable(&site.name)), Cell::text(state(site))];
        cells.extend(pace(site.window.as_ref().map(|window| &window.site), true));
        let unknown = || Cell::text("-");
        cells.extend(match status {
            Some(status) => [
                part(sums.busy, sums.threads),
                ordinal(sums.waiting.into()),
                Cell::known(sums.pss, size),
                ordinal(sums.respawns),
                Cell::text(printable(&causes(status).unwrap_or_default())),
            ],
            None => [unknown(), unknown(), unknown(), unknown(), Cell::default()],
        });
        let is_full = sums.threads > 0 && sums.busy >= sums.threads;
        let tone = match status {
            None => Tone::Faint,
            Some(_) if sums.workers == 0 => Tone::Alarm,
            Some(_) if is_full && sums.waiting > 0 => Tone::Alarm,
            Some(_) if is_full => Tone::Warning,
            Some(_) => Tone::Plain,
        };
        Row {
            key: Key::Site(place.clone()),
            cells,
            tone,
        }
    });
    Table {
        columns: SITES,
        rows: rows.collect(),
    }
}

/// The workers of one site.
pub(super) fn of_workers(place: &Path, site: &Site) -> Table<Key> {
    let status = site.status();
    let workers = status.into_iter().flat_map(|status| {
        let threads = status.threads;
        status.workers.iter().map(move |worker| (worker, threads))
    });
    let rows = workers.map(|(worker, threads)| {
        let key = WorkerKey::from(worker);
        let window = site.window.as_ref();
        let busy = busy(worker, threads);
        let mut cells = vec![
            ordinal(worker.worker.into()),
            ordinal(worker.generation.into()),
            pid(worker),
            Cell::text(printable(&worker.state)),
            Cell::known(Some(worker.age_us), duration),
        ];
        cells.extend(pace(
            window.and_then(|window| window.workers.get(&key)),
            false,
        ));
        cells.extend([
            part(busy, threads),
            Cell::known(worker.rss, size),
            Cell::known(worker.pss, size),
            Cell::known(Some(worker.requests), |requests| requests.to_string()),
        ]);
        Row {
            key: Key::Worker(place.to_owned(), key),
            cells,
            tone: tone(worker, busy >= threads && threads > 0),
        }
    });
    Table {
        columns: WORKERS,
        rows: rows.collect(),
    }
}

/// The requests that run in all sites or one, the oldest first.
pub(super) fn of_running(sites: &Sites, only: Option<&PathBuf>) -> Table<Key> {
    let shown = sites
        .iter()
        .filter(|(place, _)| only.is_none_or(|only| only == *place));
    let requests = shown.flat_map(|(place, site)| {
        let running = site.running().into_iter();
        running.map(move |(worker, request)| Row {
            key: Key::Request(place.clone(), worker.into(), request.thread),
            cells: vec![
                Cell::known(Some(request.age_us), duration),
                Cell::text(printable(&site.name)),
                ordinal(worker.worker.into()),
                ordinal(request.thread.into()),
                Cell::text(printable(&request.peer)),
                Cell::text(printable(&request.request)),
            ],
            tone: Tone::Plain,
        })
    });
    let mut table = Table {
        columns: RUNNING,
        rows: requests.collect(),
    };
    table.sort(0, false);
    table
}

/// In one word, as far as there is one.
fn state(site: &Site) -> String {
    match &site.outcome {
        Err(Trouble::Denied) => "denied".to_owned(),
        Err(Trouble::Gone) => "gone".to_owned(),
        Err(Trouble::Other(_)) => "no answer".to_owned(),
        Ok(status) => {
            let word = status.state.split([' ', ',', ';']).next();
            printable(word.unwrap_or_default())
        }
    }
}

/// Requests a second, those that failed perhaps, and three percentiles.
fn pace(pace: Option<&Pace>, with_errors: bool) -> Vec<Cell> {
    let per_second = |value: Option<f64>| match value {
        Some(value) => Cell::number(rate(value), value),
        None => Cell::text("-"),
    };
    let of = |part: fn(&Latency) -> u64| {
        let times = pace.and_then(|pace| pace.latency);
        Cell::known(times.as_ref().map(part), latency)
    };
    let mut cells = vec![per_second(pace.map(|pace| pace.rate))];
    if with_errors {
        cells.push(per_second(pace.map(|pace| pace.errors)));
    }
    cells.extend([
        of(|times| times.p50),
        of(|times| times.p95),
        of(|times| times.p99),
    ]);
    cells
}

fn part(part: u32, whole: u32) -> Cell {
    Cell::number(format!("{part}/{whole}"), part.into())
}

fn ordinal(number: u64) -> Cell {
    Cell::number(number.to_string(), number as f64)
}

fn pid(worker: &WorkerStatus) -> Cell {
    match worker.pid {
        0 => Cell::text("-"),
        pid => Cell::number(pid.to_string(), pid.into()),
    }
}

fn tone(worker: &WorkerStatus, is_full: bool) -> Tone {
    match worker.state.as_str() {
        "harakiri" | "killed" | "stopped" => Tone::Alarm,
        "starting" | "leaving" => Tone::Faint,
        _ if is_full => Tone::Warning,
        _ => Tone::Plain,
    }
}
