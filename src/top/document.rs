//! The readings for programs: one document for each time that all sites were asked.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use super::{
    sites::{Site, Sites, busy},
    window::{Pace, WorkerKey},
};

/// Everything that top knows. Times are in microseconds, sizes in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    /// When it was made, in seconds since 1970.
    time: f64,
    sites: Vec<SiteEntry>,
}

#[derive(Debug, Default, Serialize)]
struct SiteEntry {
    site: String,
    socket: String,
    /// Why nothing is known; then numbers are 0 and lists empty.
    error: Option<String>,
    state: String,
    pid: u32,
    generation: u32,
    uptime_us: u64,
    #[serde(flatten)]
    pace: Option<PaceEntry>,
    busy_threads: u32,
    threads: u32,
    queue: u32,
    backlog: u32,
    rss: Option<u64>,
    pss: Option<u64>,
    preload_saved: Option<u64>,
    /// Workers that are gone, by cause.
    respawns: BTreeMap<String, u64>,
    workers: Vec<WorkerEntry>,
    running: Vec<RunningEntry>,
}

/// Since the reading before.
#[derive(Debug, Default, Serialize)]
struct PaceEntry {
    requests_per_second: f64,
    errors_per_second: f64,
    latency_us: Option<LatencyEntry>,
}

#[derive(Debug, Serialize)]
struct LatencyEntry {
    p50: u64,
    p95: u64,
    p99: u64,
}

#[derive(Debug, Serialize)]
struct WorkerEntry {
    worker: u32,
    generation: u32,
    pid: i32,
    state: String,
    age_us: u64,
    requests: u64,
    #[serde(flatten)]
    pace: Option<PaceEntry>,
    busy_threads: u32,
    rss: Option<u64>,
    pss: Option<u64>,
}

#[derive(Debug, Serialize)]
struct RunningEntry {
    worker: u32,
    generation: u32,
    thread: u32,
    age_us: u64,
    request: String,
    peer: String,
}

impl Document {
    /// Of these sites, now.
    pub(crate) fn new(sites: &Sites) -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH);
        let sites = sites.iter().map(|(place, site)| SiteEntry {
            socket: place.to_string_lossy().into_owned(),
            ..SiteEntry::of(site)
        });
        Self {
            time: time.unwrap_or_default().as_millis() as f64 / 1e3,
            sites: sites.collect(),
        }
    }
}

impl SiteEntry {
    fn of(site: &Site) -> Self {
        let name = site.name.clone();
        let status = match &site.outcome {
            Ok(status) => status,
            Err(trouble) => {
                return Self {
                    site: name,
                    error: Some(trouble.to_string()),
                    ..Self::default()
                };
            }
        };
        let sums = site.sums();
        Self {
            site: name,
            state: status.state.clone(),
            pid: status.pid,
            generation: status.generation,
            uptime_us: status.uptime_us,
            pace: site
                .window
                .as_ref()
                .map(|window| PaceEntry::from(&window.site)),
            busy_threads: sums.busy,
            threads: sums.threads,
            queue: sums.waiting,
            backlog: sums.backlog,
            rss: sums.rss,
            pss: sums.pss,
            preload_saved: status.preload_saved,
            respawns: status.counters.clone(),
            workers: workers(site),
            running: running(site),
            ..Self::default()
        }
    }
}

fn workers(site: &Site) -> Vec<WorkerEntry> {
    let Some(status) = site.status() else {
        return Vec::new();
    };
    let workers = status.workers.iter().map(|worker| {
        let window = site.window.as_ref();
        let pace = window.and_then(|window| window.workers.get(&WorkerKey::from(worker)));
        WorkerEntry {
            worker: worker.worker,
            generation: worker.generation,
            pid: worker.pid,
            state: worker.state.clone(),
            age_us: worker.age_us,
            requests: worker.requests,
            pace: pace.map(PaceEntry::from),
            busy_threads: busy(worker, status.threads),
            rss: worker.rss,
            pss: worker.pss,
        }
    });
    workers.collect()
}

fn running(site: &Site) -> Vec<RunningEntry> {
    let running = site
        .running()
        .into_iter()
        .map(|(worker, request)| RunningEntry {
            worker: worker.worker,
            generation: worker.generation,
            thread: request.thread,
            age_us: request.age_us,
            request: request.request.clone(),
            peer: request.peer.clone(),
        });
    running.collect()
}

impl From<&Pace> for PaceEntry {
    fn from(pace: &Pace) -> Self {
        Self {
            requests_per_second: pace.rate,
            errors_per_second: pace.errors,
            latency_us: pace.latency.map(|latency| LatencyEntry {
                p50: latency.p50,
                p95: latency.p95,
                p99: latency.p99,
            }),
        }
    }
}
