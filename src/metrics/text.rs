//! Every metric with its name, its unit and its labels (OpenMetrics 1.0). docs/metrics.md has the same list for people, and
//! a test holds the two together.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, text::encode},
    registry::{Registry, Unit},
};

use super::{
    exposition::{Exposition, Labels, Number, labels},
    facts::{Facts, Memory, Socket, Worker},
};

/// What the answer is called over HTTP.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The first digits of statuses.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// The states that a worker can be in.
const STATES: [&str; 6] = [
    "starting", "serving", "leaving", "harakiri", "killed", "stopped",
];

/// Everything as text.
///
/// # Errors
/// None that is known: memory takes all that is written.
pub(crate) fn text(facts: Facts) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(facts));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Facts {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Exposition(encoder);
        self.requests(&mut out)?;
        self.troubles(&mut out)?;
        self.times(&mut out)?;
        self.bytes(&mut out)?;
        self.connections(&mut out)?;
        self.threads(&mut out)?;
        self.workers(&mut out)?;
        self.memory(&mut out)?;
        self.service(&mut out)
    }
}

impl Facts {
    fn requests(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let responses = self.responses.iter().flat_map(|(mount, counts)| {
            let of = |class: &str| labels([("mount", mount), ("class", class)]);
            let pairs = CLASSES.iter().zip(counts);
            pairs.map(move |(class, count)| (of(class), Number::Whole(*count)))
        });
        let help = "Requests answered, by the application that did and the class of the status";
        out.counter("hostler_requests", help, None, responses)?;
        let help = "Requests answered with a file, without the application";
        out.count("hostler_file_requests", help, None, self.done.files)
    }

    fn troubles(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let done = &self.done;
        let help = "Exceptions of the application that met no handler";
        out.count("hostler_exceptions", help, None, done.exceptions)?;
        let help = "Connections ended because what came was no request, or came too late";
        out.count("hostler_refused", help, None, done.refused)?;
        let help = "Requests whose client spoilt their body or left before its end";
        out.count("hostler_read_errors", help, None, done.read_errors)?;
        let help = "Responses that their client did not take";
        out.count("hostler_write_errors", help, None, done.write_errors)
    }

    fn times(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let done = &self.done;
        let help = "Time from the complete head of a request to the end of its answer";
        out.histogram("hostler_request_duration", help, &done.latency)?;
        let help =
            "Time from when a request was there, as far as known, until the application was called";
        out.histogram("hostler_request_queue", help, &done.queued)?;
        let mut time = |name, help, time_us| {
            let unit = Some(Unit::Seconds);
            out.counter(name, help, unit, [(Labels::new(), Number::micros(time_us))])
        };
        let help = "Time in which applications worked on requests";
        time("hostler_application", help, done.application_us)?;
        let help = "Time in which requests waited for the interpreter lock";
        time("hostler_lock_wait", help, done.lock_us)?;
        let help = "Time in which applications waited for their clients";
        time("hostler_client_wait", help, done.client_us)
    }

    fn bytes(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let unit = || Some(Unit::Bytes);
        let (received, sent) = (self.done.received, self.done.sent);
        out.count("hostler_received", "Bytes of requests", unit(), received)?;
        out.count("hostler_sent", "Bytes of responses", unit(), sent)
    }

    fn connections(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let accepted = self.done.accepted;
        let help = "Connections accepted";
        out.count("hostler_connections_accepted", help, None, accepted)?;
        let help = "Connections that are open";
        out.level("hostler_connections_open", help, None, self.connections)?;
        let of_each = |number: fn(&Socket) -> u32| {
            self.sockets.iter().map(move |socket| {
                let address = ("address", &*socket.address);
                let labels = labels([address, ("protocol", &socket.protocol)]);
                (labels, Number::from(number(socket)))
            })
        };
        let waiting = of_each(|socket| socket.waiting);
        let help = "Connections that nobody has accepted yet";
        out.gauge("hostler_listen_queue", help, None, waiting)?;
        let limit = of_each(|socket| socket.limit);
        let help = "How many connections may wait to be accepted";
        out.gauge("hostler_listen_queue_limit", help, None, limit)
    }

    fn threads(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let busy: u32 = self.workers.iter().map(Worker::busy).sum();
        let serving = self.workers.iter().filter(|one| one.state == "serving");
        let idle = serving.map(|one| one.threads.saturating_sub(one.busy()));
        let threads = [("busy", busy), ("idle", idle.sum())];
        let threads = threads.map(|(state, count)| (labels([("state", state)]), count.into()));
        let help = "Threads that call the application, by whether they have a request";
        out.gauge("hostler_threads", help, None, threads)
    }

    fn workers(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let states = STATES.map(|state| {
            let count = self.workers.iter().filter(|one| one.state == state).count();
            (labels([("state", state)]), Number::Whole(count as u64))
        });
        out.gauge("hostler_workers", "Workers by state", None, states)?;
        let (wanted, help) = (self.wanted.into(), "How many workers there should be");
        out.level("hostler_workers_wanted", help, None, wanted)?;
        let respawns = self.respawns.iter();
        let respawns = respawns.map(|&(cause, count)| (labels([("cause", cause)]), count.into()));
        let help = "Workers that went, by cause";
        out.counter("hostler_respawns", help, None, respawns)?;
        let cpu = self.workers.iter().filter_map(|one| {
            let time = Number::micros(one.cpu_us?);
            Some((worker_labels(one), time))
        });
        let help = "Time that a worker has had a processor";
        out.counter("hostler_worker_cpu", help, Some(Unit::Seconds), cpu)
    }

    fn memory(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let of_each = |number: fn(&Memory) -> Number| {
            let known = self.workers.iter();
            known.filter_map(move |one| Some((worker_labels(one), number(&one.memory?))))
        };
        let unit = || Some(Unit::Bytes);
        let rss = of_each(|memory| memory.rss.into());
        let help = "Resident memory of a worker, shared pages counted whole";
        out.gauge("hostler_worker_rss", help, unit(), rss)?;
        let pss = of_each(|memory| memory.pss.into());
        let help = "Resident memory of a worker, shared pages divided by the number of their users";
        out.gauge("hostler_worker_pss", help, unit(), pss)?;
        let shared = of_each(|memory| Number::Share(memory.shared, memory.rss));
        let ratio = Some(Unit::Other("ratio".to_owned()));
        let help = "Share of a worker's resident memory that other processes use too";
        out.gauge("hostler_worker_shared", help, ratio, shared)?;
        let saved = self.preload_saved.into_iter();
        let saved = saved.map(|bytes| (Labels::new(), bytes.into()));
        let help = "Memory that workers would need more if each had imported the application";
        out.gauge("hostler_preload_saved", help, unit(), saved)
    }

    fn service(&self, out: &mut Exposition<'_>) -> fmt::Result {
        let ends = [("done", self.reloads_done), ("failed", self.reloads_failed)];
        let ends = ends.map(|(end, count)| (labels([("outcome", end)]), count.into()));
        out.counter("hostler_reloads", "Reloads, by their outcome", None, ends)?;
        let help = "Number of the generation that serves; a reload makes the next one";
        out.level("hostler_generation", help, None, self.generation.into())?;
        let help = "1 while a worker accepts connections and the service is not to end";
        out.level("hostler_ready", help, None, self.is_ready.into())?;
        let (unit, help) = (Unit::Seconds, "When the supervisor started, since 1970");
        out.level("hostler_start_time", help, Some(unit), self.started_unix)?;
        let build = [("version", env!("CARGO_PKG_VERSION")), ("site", &self.site)];
        out.info("hostler_build", "What runs", &labels(build))
    }
}

/// A worker by number and generation, of which there are two during a reload.
fn worker_labels(worker: &Worker) -> Labels {
    labels([
        ("worker", &worker.worker.to_string()),
        ("generation", &worker.generation.to_string()),
    ])
}
