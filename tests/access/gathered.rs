//! Lines that threads gather before they write them to a file: none is lost, none is there twice, and none is late, whatever
//! becomes of the thread.

use std::{collections::BTreeMap, fs, path::PathBuf, thread, time::Instant};

use rustix::{
    fs::{CWD, FileType, Mode},
    process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit},
};
use tempfile::TempDir;

use crate::support::{
    PATIENCE,
    client::{Client, request},
    site::{Running, Site},
};

/// Requests that a client sends in one go.
const IN_ONE_GO: usize = 40;

/// A site with a file for its requests.
struct Place {
    directory: TempDir,
    site: Running,
}

impl Place {
    /// One worker with so many threads, and further lines of `[log]`.
    fn new(threads: u32, log: &str) -> Self {
        Self::of(Site::app("process").bare().workers(1, threads), log)
    }

    fn of(site: Site, log: &str) -> Self {
        Self::at(site, |file| {
            format!("to = [\"stderr\"]\naccess-to = [\"{file}\"]\n{log}")
        })
    }

    /// A site whose file has everything else in it too.
    fn shared(site: Site) -> Self {
        Self::at(site, |file| format!("to = [\"stderr\", \"{file}\"]"))
    }

    fn at(site: Site, log: impl FnOnce(String) -> String) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = log(format!(
            "file:{}",
            directory.path().join("access").display()
        ));
        let log = format!("access = true\n{log}");
        let site = site.setting("log", &log).start();
        Self { directory, site }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("access")
    }

    /// Everything that has been logged, in whatever file.
    fn text(&self) -> String {
        let files = fs::read_dir(self.directory.path()).unwrap();
        files
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap_or_default())
            .collect()
    }

    /// Waits until `all` lines are there, or as many as there will ever be, and looks whether each is there once.
    #[track_caller]
    fn check_once(&self, targets: &[String]) {
        let is_complete = || {
            let text = self.text();
            targets.iter().all(|target| has_line(&text, target))
        };
        self.site.wait_until("every line is there", is_complete);
        let text = self.text();
        let counts = counts(&text);
        for target in targets {
            assert_eq!(counts.get(target.as_str()), Some(&1), "{target}");
        }
    }

    fn worker(&self) -> Pid {
        let pid = self.site.get("/pid").json()["pid"].as_i64().unwrap();
        Pid::from_raw(pid as i32).unwrap()
    }
}

fn has_line(text: &str, target: &str) -> bool {
    text.contains(&format!(" GET {target} => "))
}

/// How often each target has a line.
fn counts(text: &str) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        assert!(line.starts_with("20"), "lines are mixed: {line}");
        if let Some((head, rest)) = line.split_once(": GET ") {
            assert!(head.ends_with("worker 0"), "{line}");
            *counts
                .entry(rest.split_once(" => ").unwrap().0)
                .or_default() += 1;
        }
    }
    counts
}

/// Sends these requests in one go.
fn send_all(client: &mut Client, targets: &[String]) {
    let requests = targets.iter();
    let bytes = requests.flat_map(|target| request("GET", target, &[], b""));
    client.send(&bytes.collect::<Vec<u8>>());
}

fn names(prefix: &str) -> Vec<String> {
    let number = |number| format!("/{prefix}-{number}");
    (0..IN_ONE_GO).map(number).collect()
}

/// A request that hangs until somebody writes to its FIFO, behind fast ones on the same connection.
struct Hanging {
    client: Client,
    fast: Vec<String>,
    fifo: PathBuf,
    target: String,
}

impl Hanging {
    /// Waits until the application has it, the `nth` of its kind.
    fn begin(place: &Place, nth: usize) -> Self {
        let fifo = place.site.directory.path().join(format!("fifo-{nth}"));
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (fast, target) = (
            names(&format!("fast-{nth}")),
            format!("/wait?{}", fifo.display()),
        );
        let mut client = place.site.address().connect();
        send_all(
            &mut client,
            &[fast.as_slice(), std::slice::from_ref(&target)].concat(),
        );
        place
            .site
            .process
            .wait_for_nth("that it waits", nth, |line| {
                line.contains("waiting").then_some(())
            });
        fast.iter()
            .for_each(|_| assert_eq!(client.answer().status, 200));
        Self {
            client,
            fast,
            fifo,
            target,
        }
    }

    /// Lets it end.
    fn end(&mut self) {
        fs::write(&self.fifo, "done").unwrap();
        assert_eq!(self.client.answer().status, 200);
    }
}

/// Begins requests that hang behind fast ones until one finds lines of the fast ones gathered, which a busy machine may
/// need some attempts for; gives that.
fn with_gathered_lines(place: &Place, give_up: impl Fn(Hanging)) -> Hanging {
    let deadline = Instant::now() + PATIENCE;
    for nth in 1.. {
        let hanging = Hanging::begin(place, nth);
        let text = place.text();
        if !hanging.fast.iter().all(|target| has_line(&text, target)) {
            return hanging;
        }
        assert!(Instant::now() < deadline, "no line was ever gathered");
        give_up(hanging);
    }
    unreachable!("somebody has counted to the end");
}

#[test]
fn a_worker_that_is_killed_leaves_its_lines() {
    let place = Place::new(1, "");
    let worker = place.worker();
    let mut hanging = with_gathered_lines(&place, |mut hanging| hanging.end());
    kill_process(worker, Signal::KILL).unwrap();
    assert!(hanging.client.is_closed());
    place.check_once(&hanging.fast);
    assert!(!has_line(&place.text(), &hanging.target));
    place.site.get("/after");
    place.check_once(&[hanging.fast, vec!["/after".into()]].concat());
}

#[test]
fn a_request_that_hangs_keeps_no_line_back() {
    let place = Place::new(1, "");
    let mut hanging = with_gathered_lines(&place, |mut hanging| hanging.end());
    place.check_once(&hanging.fast);
    hanging.end();
    place.check_once(&[hanging.fast, vec![hanging.target]].concat());
}

#[test]
fn a_reload_and_a_stop_write_what_is_gathered() {
    let place = Place::new(1, "");
    let mut client = place.site.address().connect();
    let targets = names("one");
    send_all(&mut client, &targets);
    targets
        .iter()
        .for_each(|_| assert_eq!(client.answer().status, 200));
    assert!(
        place
            .site
            .control(&["reload", place.site.file().to_str().unwrap()])
            .status
            .success()
    );
    place.check_once(&targets);
    let more = names("two");
    let mut client = place.site.address().connect();
    send_all(&mut client, &more);
    more.iter()
        .for_each(|_| assert_eq!(client.answer().status, 200));
    place.site.process.signal(Signal::TERM);
    place
        .site
        .process
        .wait_for_text("stopped, every request was finished");
    place.check_once(&[targets, more].concat());
}

/// Clients that send as fast as they can while the log is renamed and opened anew.
#[track_caller]
fn check_load(threads: u32, log: &str) {
    const CLIENTS: usize = 4;
    const ROUNDS: usize = 10;
    let place = Place::new(threads, log);
    let all: Vec<String> = thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|client| {
            let site = &place.site;
            scope.spawn(move || {
                let mut connection = site.address().connect();
                let rounds = (0..ROUNDS).flat_map(|round| {
                    let targets = names(&format!("load-{client}-{round}"));
                    send_all(&mut connection, &targets);
                    targets
                        .iter()
                        .for_each(|_| assert_eq!(connection.answer().status, 200));
                    targets
                });
                rounds.collect::<Vec<_>>()
            })
        });
        let clients: Vec<_> = clients.collect();
        for number in 1.. {
            if clients.iter().all(|client| client.is_finished()) {
                break;
            }
            rename(&place, number);
        }
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    });
    place.check_once(&all);
}

/// The file gets another name, and a new one is begun.
fn rename(place: &Place, number: usize) {
    let aside = place.directory.path().join(format!("access.old.{number}"));
    if fs::rename(place.path(), aside).is_ok() {
        let site = &place.site;
        site.process.signal(Signal::USR1);
        site.wait_until("there is a new file", || place.path().exists());
    }
}

#[test]
fn a_thread_loses_no_line_while_files_change() {
    check_load(1, "");
}

#[test]
fn four_threads_lose_no_line_while_files_change() {
    check_load(4, "");
}

#[test]
fn lines_with_a_form_of_their_own_are_gathered_as_well() {
    check_load(
        1,
        "access-format = \"2026 worker 0: GET %(uri) => %(status)\"",
    );
}

#[test]
fn lines_that_a_full_disk_does_not_take_are_counted_one_by_one() {
    let place = Place::new(1, "");
    let worker = place.worker();
    let limit = |current| Rlimit {
        current,
        maximum: None,
    };
    place.check_once(&["/pid".into()]);
    let size = fs::metadata(place.path()).unwrap().len();
    // The limit is in the middle of a line, and of whatever is written together.
    prlimit(Some(worker), Resource::Fsize, limit(Some(size + 1000))).unwrap();
    let mut client = place.site.address().connect();
    let targets = names("full");
    send_all(&mut client, &targets);
    targets
        .iter()
        .for_each(|_| assert_eq!(client.answer().status, 200));
    prlimit(Some(worker), Resource::Fsize, limit(None)).unwrap();
    let told = "log entries were lost, they could not be written: ";
    place.site.wait_until("it is told how many were lost", || {
        place.site.get("/again");
        place.text().contains(told)
    });
    let text = place.text();
    let there = targets
        .iter()
        .filter(|target| has_line(&text, target))
        .count();
    let lost = text
        .lines()
        .find_map(|line| line.split_once(told))
        .unwrap()
        .1;
    let lost: usize = lost.parse().unwrap();
    assert!(there > 0 && lost > 0);
    // A `/again` may have been lost too.
    assert!(there + lost >= targets.len(), "{there} {lost}");
    let again = text.matches("GET /again ").count();
    assert!(there + lost <= targets.len() + 1, "{there} {lost} {again}");
}

#[test]
fn a_child_of_the_application_leaves_the_lines_to_its_parent() {
    let place = Place::shared(Site::app("process").bare().workers(1, 1));
    let mut client = place.site.address().connect();
    let targets = [names("before"), vec!["/fork".into()], names("behind")].concat();
    send_all(&mut client, &targets);
    targets
        .iter()
        .for_each(|_| assert_eq!(client.answer().status, 200));
    place.check_once(&targets);
    assert_eq!(place.text().matches("the child speaks").count(), 1);
}

#[test]
fn what_a_thread_says_between_its_requests_stands_between_their_lines() {
    let place = Place::shared(Site::app("log").bare().workers(1, 1));
    let mut client = place.site.address().connect();
    let targets = ["/a", "/b", "/printed", "/c", "/d", "/last"].map(String::from);
    send_all(&mut client, &targets);
    targets
        .iter()
        .for_each(|_| assert_eq!(client.answer().status, 200));
    place.check_once(&targets);
    let text = place.text();
    let places = [
        "GET /a ",
        "GET /b ",
        ": printed 1 2",
        "GET /printed ",
        "GET /c ",
        "GET /d ",
        "GET /last ",
    ]
    .map(|words| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words}: {text}"))
    });
    assert!(places.is_sorted(), "{text}");
}
