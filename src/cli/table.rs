//! The status as people read it: what there is to say of the service, a row for each worker, the requests that have been
//! running longest, and the tracebacks of what went wrong last, in 80 columns.

mod past;
#[cfg(test)]
mod tests;

use std::{cmp::Reverse, fmt::Write};

use crate::{
    scoreboard::Histogram,
    supervisor::control::{ListenerStatus, RunningStatus, Status, WorkerStatus},
    top::{causes, duration, latency, printable, size},
};

/// Columns of the narrowest terminal that people have.
const WIDTH: usize = 80;
const HEADER: &str = "WORKER GEN     PID STATE       AGE   REQUESTS  BUSY    RSS    PSS\n";
const RUNNING: &str = "   AGE WORKER THREAD REQUEST\n";
/// Requests that are shown; --json has all of them.
const REQUESTS: usize = 10;

/// Everything that people ask for, as a text of several lines.
pub(super) fn of_status(status: &Status) -> String {
    let (state, ..) = headline(status);
    let mut text = format!("{}: {}\n\n", printable(&status.site), printable(state));
    let past = past::facts(status).into_iter();
    for (name, value) in facts(status).into_iter().chain(past) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<12} {}", printable(&value));
    }
    if !status.workers.is_empty() {
        text.push('\n');
        text.push_str(HEADER);
    }
    for worker in &status.workers {
        text.push_str(&row(worker));
    }
    running(&status.workers, &mut text);
    past::tracebacks(&status.history, &mut text);
    text
}

fn facts(status: &Status) -> Vec<(&'static str, String)> {
    let (_, load, failure) = headline(status);
    let application = format!("{}, with {}", status.application, status.python);
    let supervisor = format!(
        "pid {} for {}, hostler {}",
        status.pid,
        duration(status.uptime_us),
        status.version
    );
    let all = [
        ("application", Some(application)),
        ("settings", status.file.clone()),
        ("listening", joined(status.listeners.iter().map(listener))),
        ("supervisor", Some(supervisor)),
        ("upgrade", upgrade(&status.on_disk).map(str::to_owned)),
        ("now", load.map(str::to_owned)),
        ("requests", requests(&status.workers)),
        ("memory", memory(status)),
        ("workers gone", causes(status)),
        ("last failure", failure.map(str::to_owned)),
    ];
    let known = all
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    known.collect()
}

/// What there is to say of the program on the disk.
fn upgrade(on_disk: &str) -> Option<&'static str> {
    match on_disk {
        "gone" => Some("the program is gone from the disk, this one serves on"),
        "other" => Some("another hostler is installed, reload to upgrade"),
        _ => None,
    }
}

/// The line that the service has for everybody, in its parts: what goes on, how busy it is, and its last failure.
fn headline(status: &Status) -> (&str, Option<&str>, Option<&str>) {
    let parts = status.state.split_once("; last failure: ");
    let (now, failure) = parts.map_or((&*status.state, None), |(now, why)| (now, Some(why)));
    let parts = now.split_once("; ");
    let (state, load) = parts.map_or((now, None), |(state, load)| (state, Some(load)));
    (state, load, failure)
}

fn listener(listener: &ListenerStatus) -> String {
    let ListenerStatus {
        protocol,
        address,
        waiting,
        limit,
    } = listener;
    match waiting {
        0 => format!("{protocol} on {address}"),
        _ => format!("{protocol} on {address} ({waiting} of {limit} wait)"),
    }
}

/// Of the workers that there are.
fn requests(workers: &[WorkerStatus]) -> Option<String> {
    let count: u64 = workers.iter().map(|worker| worker.requests).sum();
    let errors: u64 = workers.iter().map(|worker| worker.errors).sum();
    let mut times = Histogram::default();
    workers.iter().for_each(|worker| times += &worker.latency);
    let within = |share| times.per_mille(share).map(latency);
    let (half, most, nearly_all) = (within(500)?, within(950)?, within(990)?);
    let errors = match errors {
        0 => String::new(),
        count => format!(", {count} failed (5xx)"),
    };
    Some(format!(
        "{count}{errors}; 50% within {half}, 95% {most}, 99% {nearly_all}"
    ))
}

/// Of all workers, with what they would need more if each had imported the application for itself.
fn memory(status: &Status) -> Option<String> {
    let sum = |of: fn(&WorkerStatus) -> Option<u64>| -> u64 {
        status.workers.iter().filter_map(of).sum()
    };
    let (rss, pss) = (sum(|worker| worker.rss), sum(|worker| worker.pss));
    let saved = status.preload_saved.map(size);
    let saved = saved.map(|saved| format!("; preloading saves {saved}"));
    (rss > 0).then(|| {
        format!(
            "{} resident, {} in shares{}",
            size(rss),
            size(pss),
            saved.unwrap_or_default()
        )
    })
}

fn joined(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn row(worker: &WorkerStatus) -> String {
    let unknown = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), size);
    let pid = match worker.pid {
        0 => "-".to_owned(),
        pid => pid.to_string(),
    };
    format!(
        "{:>6} {:>3} {pid:>7} {:<9} {:>5} {:>10} {:>4.0}% {:>6} {:>6}\n",
        worker.worker,
        worker.generation,
        printable(&worker.state),
        duration(worker.age_us),
        worker.requests,
        worker.busy * 100.0,
        unknown(worker.rss),
        unknown(worker.pss),
    )
}

/// The oldest first.
fn running(workers: &[WorkerStatus], text: &mut String) {
    let of_worker = |worker: &'_ WorkerStatus| worker.worker;
    let requests = workers.iter().flat_map(|worker| {
        let number = of_worker(worker);
        worker.running.iter().map(move |request| (number, request))
    });
    let mut requests: Vec<(u32, &RunningStatus)> = requests.collect();
    requests.sort_by_key(|(_, request)| Reverse(request.age_us));
    if !requests.is_empty() {
        text.push('\n');
        text.push_str(RUNNING);
    }
    for (worker, request) in requests.iter().take(REQUESTS) {
        let age = duration(request.age_us);
        let RunningStatus {
            thread,
            request,
            peer,
            ..
        } = request;
        let line = format!("{age:>6} {worker:>6} {thread:>6} {request} from {peer}");
        let _ = writeln!(text, "{}", cut(&line));
    }
    if let Some(more) = requests
        .len()
        .checked_sub(REQUESTS)
        .filter(|more| *more > 0)
    {
        let _ = writeln!(text, "       and {more} more");
    }
}

/// Where the terminal ends, without words that command it.
fn cut(line: &str) -> String {
    printable(line).chars().take(WIDTH).collect()
}
