//! Logs that go out as datagrams: over UDP, to Unix sockets, to syslog; and what becomes of them when nobody listens.

use std::{
    cell::Cell,
    io,
    net::UdpSocket,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use regex::Regex;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::site::{Running, Site};

/// Where datagrams arrive.
enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

/// Reads all that arrives, until it is dropped.
struct Sink {
    received: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Socket {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Udp(socket) => socket.recv(buffer),
            Self::Unix(socket) => socket.recv(buffer),
        }
    }

    fn set_patience(&self, time: Duration) {
        match self {
            Self::Udp(socket) => socket.set_read_timeout(Some(time)).unwrap(),
            Self::Unix(socket) => socket.set_read_timeout(Some(time)).unwrap(),
        }
    }
}

impl Sink {
    fn new(socket: Socket) -> Self {
        // So that the end is seen.
        socket.set_patience(Duration::from_millis(50));
        let (received, ends) = <(Arc<Mutex<Vec<String>>>, Arc<AtomicBool>)>::default();
        let (ours, ended) = (Arc::clone(&received), Arc::clone(&ends));
        let reader = thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while !ended.load(Relaxed) {
                if let Ok(length) = socket.receive(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                    ours.lock().unwrap().push(text);
                }
            }
        });
        Self {
            received,
            ends,
            reader: Some(reader),
        }
    }

    fn unix(path: &PathBuf) -> Self {
        Self::new(Socket::Unix(UnixDatagram::bind(path).unwrap()))
    }

    fn all(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }

    /// Waits for one that has this in it.
    fn wait_for(&self, site: &Running, text: &str) -> String {
        site.wait_until(text, || self.all().iter().any(|one| one.contains(text)));
        let found = self.all().into_iter().find(|one| one.contains(text));
        found.unwrap()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.ends.store(true, Relaxed);
        self.reader.take().map(JoinHandle::join);
    }
}

/// A site whose requests are logged there, with further lines of `[log]`. It has one worker, because each tells of its own
/// losses with its own next entry.
fn site(target: &str, log: &str) -> Running {
    let log = format!("to = [\"stderr\"]\naccess = true\naccess-to = [\"{target}\"]\n{log}");
    Site::app("log")
        .bare()
        .workers(1, 2)
        .setting("log", &log)
        .start()
}

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sink");
    (directory, path)
}

/// The number behind the words of a loss.
fn lost(text: &str) -> Option<u64> {
    let (_, number) = text.split_once("log entries were lost, nobody has taken them: ")?;
    number.trim().parse().ok()
}

/// Until so many entries for `target` have arrived or are told of as lost. What is asked for to hear of losses may be lost
/// as well.
fn wait_for_all(site: &Running, sink: &Sink, target: &str, count: usize) {
    let asked = Cell::new(0);
    let target = format!("GET {target} ");
    site.wait_until("every entry has arrived or is told of", || {
        site.get("/after");
        asked.set(asked.get() + 1);
        let all = sink.all();
        let is_ours = |one: &&String| one.contains(&target) || one.contains("GET /after ");
        let told: u64 = all.iter().filter_map(|one| lost(one)).sum();
        all.iter().filter(is_ours).count() + told as usize == count + asked.get()
    });
}

#[test]
fn each_entry_is_a_datagram() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = format!("udp:localhost:{}", socket.local_addr().unwrap().port());
    let sink = Sink::new(Socket::Udp(socket));
    let site = site(&target, "access-format = \"%(method) %(uri) %(status)\"");
    site.get("/a");
    assert_eq!(sink.wait_for(&site, "/a"), "GET /a 200\n");
}

#[test]
fn the_whole_log_can_go_there() {
    let (_directory, path) = place();
    let sink = Sink::unix(&path);
    let log = format!("to = [\"stderr\", \"unix:{}\"]", path.display());
    let site = Site::app("log").bare().setting("log", &log).start();
    site.get("/printed");
    sink.wait_for(&site, "supervisor: loading the application");
    let line = sink.wait_for(&site, "stdout: printed 1 2");
    assert!(line.starts_with("20") && line.ends_with('\n'), "{line}");
    let traceback = {
        site.get("/raised");
        sink.wait_for(&site, "KeyError")
    };
    assert!(
        traceback.contains("Traceback (most recent call last):\n"),
        "{traceback}"
    );
}

#[test]
fn syslog_gets_our_fields_as_structured_data() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = format!("syslog:{}", socket.local_addr().unwrap());
    let sink = Sink::new(Socket::Udp(socket));
    let site = site(
        &target,
        "syslog-facility = \"local3\"\nsyslog-identifier = \"shop\"",
    );
    site.request("GET", "/a?\"b]\\c", &[], b"");
    let message = sink.wait_for(&site, "GET /a");
    // Facility 19, severity 6.
    let form = Regex::new(concat!(
        r"^<158>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ shop \d+ - \[hostler@32473 ",
        r#"HOSTLER_SITE="\w+" HOSTLER_ROLE="worker" HOSTLER_WORKER="\d" HTTP_METHOD="GET" "#,
        r#"REQUEST_URI="/a\?\\"b\\\]\\\\c" .*HTTP_STATUS="200" .*HOSTLER_REQUEST_ID="[0-9a-f]{32}"\] GET /a"#
    ));
    assert!(form.unwrap().is_match(&message), "{message}");
}

#[test]
fn a_sink_that_is_killed_and_started_again_while_requests_run_is_told_what_it_has_missed() {
    let (_directory, path) = place();
    let first = Sink::unix(&path);
    let site = site(&format!("syslog:{}", path.display()), "");
    site.get("/first");
    first.wait_for(&site, "GET /first");
    drop(first);
    std::fs::remove_file(&path).unwrap();
    for number in 0..20 {
        assert_eq!(site.get(&format!("/missed-{number}")).status, 200);
    }
    let second = Sink::unix(&path);
    site.wait_until("everything that was missed is told", || {
        assert_eq!(site.get("/again").status, 200);
        let all = second.all();
        let told: u64 = all.iter().filter_map(|one| lost(one)).sum();
        // A request is logged after its answer, so the last one may have come late enough.
        let late = all
            .iter()
            .filter(|one| one.contains("GET /missed-"))
            .count();
        told as usize + late == 20
    });
    let all = second.all();
    assert!(
        all.iter().any(|one| one.contains("HOSTLER_LOST=")),
        "{all:?}"
    );
}

#[test]
fn a_sink_that_reads_nothing_keeps_no_request_and_is_told_what_it_has_missed() {
    let (_directory, path) = place();
    let socket = UnixDatagram::bind(&path).unwrap();
    let site = site(&format!("unix:{}", path.display()), "");
    const REQUESTS: usize = 2000;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..REQUESTS / 4).for_each(|_| assert_eq!(site.get("/full").status, 200))
            });
        }
    });
    let sink = Sink::new(Socket::Unix(socket));
    wait_for_all(&site, &sink, "/full", REQUESTS);
    assert!(sink.all().iter().any(|one| lost(one).is_some()));
}

#[test]
fn a_slow_sink_keeps_no_request() {
    let (_directory, path) = place();
    let socket = UnixDatagram::bind(&path).unwrap();
    let site = site(&format!("unix:{}", path.display()), "");
    let (mut arrived, mut told, mut buffer) = (0, 0, vec![0; 1 << 16]);
    for _ in 0..100 {
        (0..10).for_each(|_| assert_eq!(site.get("/slow").status, 200));
        let length = socket.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        arrived += usize::from(text.contains("GET /slow "));
        told += lost(&text).unwrap_or_default();
    }
    let sink = Sink::new(Socket::Unix(socket));
    wait_for_all(&site, &sink, "/slow", 1000 - arrived - told as usize);
}

#[test]
fn what_nobody_hears_over_udp_costs_no_request() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let site = site(&format!("udp:{address}"), "");
    for _ in 0..20 {
        assert_eq!(site.get("/unheard").status, 200);
    }
    let sink = Sink::new(Socket::Udp(UdpSocket::bind(address).unwrap()));
    site.wait_until("what was lost is told", || {
        site.get("/heard");
        let told: u64 = sink.all().iter().filter_map(|one| lost(one)).sum();
        // A network need not say at once, nor for each datagram, that nobody listens.
        (1..=20).contains(&told)
    });
}

#[test]
fn sockets_are_made_anew_with_the_files() {
    let (_directory, path) = place();
    let first = Sink::unix(&path);
    let site = site(&format!("unix:{}", path.display()), "");
    site.get("/first");
    first.wait_for(&site, "GET /first ");
    // The first one reads on, under no name.
    std::fs::remove_file(&path).unwrap();
    let second = Sink::unix(&path);
    site.process.signal(Signal::USR1);
    site.process.wait_for_text("opened the log files anew");
    site.wait_until("the second one is spoken to", || {
        site.get("/second");
        second.all().iter().any(|one| one.contains("GET /second "))
    });
}

#[test]
fn a_peer_without_an_address_is_named() {
    let site = Site::app("log").setting("log", "to = [\"udp:nobody.invalid:514\"]");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("site.toml");
    std::fs::write(&file, site.settings(directory.path())).unwrap();
    let output = crate::support::site::program()
        .args(["serve", file.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot send the log to udp:nobody.invalid:514"),
        "{said}"
    );
}
