//! The JSON document. Names and order of the fields are uWSGI's (2.0 and 2.1); every number is an integer, because the
//! programs that read it are strict about that. What hostler does not have is 0 or an empty list.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::ser::{PrettyFormatter, Serializer as JsonSerializer};

use crate::scoreboard::{RunningRequest, ThreadSnapshot};

use super::{
    facts::{Facts, Phase, Socket, Worker},
    tally::Counts,
};

/// What is given out.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    version: &'static str,
    listen_queue: u32,
    listen_queue_errors: u64,
    signal_queue: u64,
    load: u32,
    pid: i32,
    uid: u32,
    gid: u32,
    cwd: String,
    locks: [u8; 0],
    sockets: Vec<SocketEntry>,
    workers: Vec<WorkerEntry>,
}

#[derive(Debug, Serialize)]
struct SocketEntry {
    name: String,
    proto: String,
    queue: u32,
    max_queue: u32,
    shared: u8,
    can_offload: u8,
}

#[derive(Debug, Serialize)]
struct WorkerEntry {
    id: u32,
    pid: i32,
    accepting: u8,
    requests: u64,
    delta_requests: u64,
    exceptions: u64,
    harakiri_count: u64,
    signals: u64,
    signal_queue: u64,
    status: &'static str,
    rss: u64,
    vsz: u64,
    running_time: u64,
    last_spawn: u64,
    respawn_count: u64,
    tx: u64,
    avg_rt: u64,
    apps: Vec<AppEntry>,
    cores: Vec<CoreEntry>,
}

#[derive(Debug, Serialize)]
struct AppEntry {
    id: usize,
    modifier1: u8,
    mountpoint: String,
    startup_time: u64,
    requests: u64,
    exceptions: u64,
    chdir: &'static str,
}

#[derive(Debug, Serialize)]
struct CoreEntry {
    id: usize,
    requests: u64,
    static_requests: u64,
    routed_requests: u64,
    offloaded_requests: u64,
    write_errors: u64,
    read_errors: u64,
    in_request: u8,
    vars: Vec<String>,
    req_info: RequestInfo,
}

/// Of the running request; an empty object without one.
#[derive(Debug)]
struct RequestInfo {
    /// Seconds since 1970.
    request_start: Option<u64>,
}

impl Serialize for RequestInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(start) = self.request_start {
            map.serialize_entry("request_start", &start)?;
        }
        map.end()
    }
}

impl Document {
    /// Of a site at that moment.
    pub(crate) fn new(facts: &Facts) -> Self {
        // uWSGI shows the longest queue, and calls it the load, too.
        let queues = facts.sockets.iter().map(|socket| socket.waiting);
        let longest = queues.max().unwrap_or_default();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            listen_queue: longest,
            listen_queue_errors: 0,
            signal_queue: 0,
            load: longest,
            pid: facts.pid,
            uid: facts.uid,
            gid: facts.gid,
            cwd: facts.cwd.clone(),
            locks: [],
            sockets: facts.sockets.iter().map(SocketEntry::new).collect(),
            workers: { facts.workers.iter() }
                .map(|worker| WorkerEntry::new(worker, facts))
                .collect(),
        }
    }

    /// The text, indented with tabs.
    ///
    /// # Errors
    /// None that is known: every key is a string, and memory takes all that is written.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = Vec::new();
        let format = PrettyFormatter::with_indent(b"\t");
        self.serialize(&mut JsonSerializer::with_formatter(&mut text, format))?;
        text.push(b'\n');
        Ok(text)
    }
}

impl SocketEntry {
    fn new(socket: &Socket) -> Self {
        Self {
            name: socket.name.clone(),
            proto: socket.protocol.clone(),
            queue: socket.waiting,
            max_queue: socket.limit,
            shared: 0,
            can_offload: 0,
        }
    }
}

impl WorkerEntry {
    fn new(worker: &Worker, facts: &Facts) -> Self {
        let threads = worker.tally.with(&worker.threads);
        let mut total = Counts::default();
        threads.iter().for_each(|counts| total += *counts);
        let cores = threads.iter().enumerate();
        let running = |id: usize| running(worker, id);
        Self {
            id: worker.slot + 1,
            pid: worker.pid,
            accepting: u8::from(worker.phase == Phase::Accepting),
            requests: total.requests,
            delta_requests: { worker.threads.iter() }
                .map(|thread| thread.requests)
                .sum(),
            exceptions: total.exceptions,
            harakiri_count: worker.tally.harakiris,
            signals: 0,
            signal_queue: 0,
            status: status(worker),
            rss: worker.rss,
            vsz: worker.vsz,
            running_time: total.busy_us,
            last_spawn: worker.tally.last_spawn,
            respawn_count: worker.tally.spawns,
            tx: total.bytes,
            avg_rt: total.busy_us / total.requests.max(1),
            apps: apps(&facts.mounts, &total),
            cores: cores
                .map(|(id, counts)| CoreEntry::new(id, counts, running(id), facts))
                .collect(),
        }
    }
}

impl CoreEntry {
    fn new(id: usize, counts: &Counts, running: Option<&RunningRequest>, facts: &Facts) -> Self {
        let start = |request: &RunningRequest| {
            let age_us = facts.now_us.saturating_sub(request.began_us);
            facts.now_unix.saturating_sub(age_us / 1_000_000)
        };
        Self {
            id,
            requests: counts.requests,
            static_requests: counts.files,
            routed_requests: 0,
            offloaded_requests: 0,
            write_errors: counts.write_errors,
            read_errors: counts.read_errors,
            in_request: u8::from(running.is_some()),
            vars: running.map(vars).unwrap_or_default(),
            req_info: RequestInfo {
                request_start: running.map(start),
            },
        }
    }
}

/// What a thread works on. A process that is gone has left its last request in the scoreboard.
fn running(worker: &Worker, thread: usize) -> Option<&RunningRequest> {
    let lives = worker.phase != Phase::None;
    let thread = worker.threads.get(thread).filter(|_| lives);
    thread.and_then(|thread: &ThreadSnapshot| thread.running.as_ref())
}

/// In the words of uWSGI: a place without a process is `cheap`.
fn status(worker: &Worker) -> &'static str {
    let is_busy = (0..worker.threads.len()).any(|thread| running(worker, thread).is_some());
    match worker.phase {
        Phase::None => "cheap",
        Phase::Stopped => "pause",
        Phase::Accepting | Phase::Closed if is_busy => "busy",
        Phase::Accepting | Phase::Closed => "idle",
    }
}

/// Requests are not counted for each application; so they are those of the only one, or nobody's.
fn apps(mounts: &[String], total: &Counts) -> Vec<AppEntry> {
    let is_alone = mounts.len() == 1;
    let of_one = |count: u64| if is_alone { count } else { 0 };
    let entries = mounts.iter().enumerate().map(|(id, mount)| AppEntry {
        id,
        modifier1: 0,
        mountpoint: mount.clone(),
        startup_time: 0,
        requests: of_one(total.requests.saturating_sub(total.files)),
        exceptions: of_one(total.exceptions),
        chdir: "",
    });
    entries.collect()
}

/// As much as is known of a request, ended by an empty one as uWSGI does it.
fn vars(request: &RunningRequest) -> Vec<String> {
    let (method, uri) = request.line.split_once(' ').unwrap_or((&request.line, ""));
    let (_, query) = uri.split_once('?').unwrap_or_default();
    vec![
        format!("REQUEST_METHOD={method}"),
        format!("REQUEST_URI={uri}"),
        format!("QUERY_STRING={query}"),
        format!("REMOTE_ADDR={}", request.peer),
        String::new(),
    ]
}
