//! Log files of a site that runs: what is in them, and what becomes of it when they are renamed, full or too large.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    thread,
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::site::{Running, Site};

struct Place {
    directory: TempDir,
    site: Running,
}

impl Place {
    /// A site of so many workers that logs into `log` of a directory of its own, with further lines of `[log]`.
    fn new(workers: u32, log: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let site = Site::app("log")
            .bare()
            .workers(workers, 2)
            .setting(
                "log",
                &format!("to = [\"stderr\", \"file:{}\"]\n{log}", path.display()),
            )
            .start();
        Self { directory, site }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn wait_for(&self, name: &str, text: &str) {
        let path = self.path(name);
        self.site
            .wait_until("a text is in the file", || read(&path).contains(text));
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn everybody_writes_into_one_file() {
    let place = Place::new(1, "access = true\nmode = \"0600\"");
    place.site.get("/printed?x=1");
    place.wait_for("log", "GET /printed?x=1 => 200 ");
    let text = read(&place.path("log"));
    for expected in [
        "supervisor: hostler starts",
        "zygote stdout: imported",
        ": printed 1 2\n",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let mode = fs::metadata(place.path("log"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn a_timestamp_has_the_form_that_was_asked_for() {
    let place = Place::new(1, "timestamp = \"<%Y>\"");
    place.site.get("/printed");
    place.wait_for("log", "stdout: printed 1 2\n");
    let text = read(&place.path("log"));
    assert!(
        text.lines()
            .all(|line| line.starts_with("<20") && line[5..].starts_with("> ")),
        "{text}"
    );
}

#[test]
fn a_file_that_was_renamed_is_followed_by_everybody() {
    let place = Place::new(1, "access = true");
    place.site.get("/before");
    place.wait_for("log", "GET /before ");
    fs::rename(place.path("log"), place.path("log.old")).unwrap();
    place.site.process.signal(Signal::USR1);
    place.wait_for("log", "opened the log files anew");
    let site = &place.site;
    site.wait_until("the worker writes into the new file", || {
        site.get("/after");
        read(&place.path("log")).contains("worker 0: GET /after ")
    });
    assert!(read(&place.path("log.old")).contains("GET /before "));
}

#[test]
fn a_worker_of_later_writes_into_the_file_of_now() {
    let place = Place::new(1, "");
    fs::rename(place.path("log"), place.path("log.old")).unwrap();
    place.site.process.signal(Signal::USR1);
    place.wait_for("log", "opened the log files anew");
    let mut client = place.site.address().connect();
    client.send_get("/crash");
    assert!(client.is_closed());
    place.wait_for("log", "killed by SIGSEGV");
    place.site.get("/printed");
    place.wait_for("log", "worker 0 stdout: printed 1 2\n");
}

#[test]
fn a_disk_that_is_full_costs_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    let site = Site::app("log")
        .bare()
        .setting(
            "log",
            &format!(
                "to = [\"file:{}\", \"stderr\"]\naccess = true",
                log.display()
            ),
        )
        .start();
    for _ in 0..10 {
        assert_eq!(site.get("/lost").status, 200);
    }
    fs::remove_file(&log).unwrap();
    site.process.signal(Signal::USR1);
    site.wait_until("the next entry says how many were lost", || {
        site.get("/kept");
        let text = read(&log);
        text.contains("worker 0: log entries were lost, they could not be written: ")
            && text.contains("GET /kept ")
    });
}

#[test]
fn a_limit_of_the_size_of_files_ends_nobody() {
    let place = Place::new(1, "access = true");
    let pid = place.site.process.pid();
    let limit = rustix::process::Rlimit {
        current: Some(0),
        maximum: None,
    };
    let supervisor = rustix::process::Pid::from_raw(pid.cast_signed());
    rustix::process::prlimit(supervisor, rustix::process::Resource::Fsize, limit).unwrap();
    place.site.process.signal(Signal::USR1);
    place
        .site
        .process
        .wait_for_text("opened the log files anew");
    assert_eq!(place.site.get("/").status, 200);
}

#[test]
fn no_line_is_lost_when_files_are_put_aside_under_load() {
    const CLIENTS: usize = 4;
    const EACH: usize = 400;
    let place = Place::new(2, "access = true\nmax-size = \"8K\"\nbackups = 1000");
    let put_aside = place.path("log.2");
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (site, put_aside) = (&place.site, &put_aside);
            scope.spawn(move || {
                for number in 0.. {
                    site.get(&format!("/line-{client}-{number}"));
                    if number >= EACH && put_aside.exists() {
                        site.get(&format!("/last-{client}-{number}"));
                        break;
                    }
                }
            });
        }
    });
    let all = || {
        let files = fs::read_dir(place.directory.path()).unwrap();
        files
            .map(|file| read(&file.unwrap().path()))
            .collect::<String>()
    };
    place.site.wait_until("the last lines are there", || {
        all().matches("GET /last-").count() == CLIENTS
    });
    let text = all();
    for client in 0..CLIENTS {
        for number in 0..EACH {
            let line = format!(": GET /line-{client}-{number} => ");
            assert_eq!(text.matches(&line).count(), 1, "{line}");
        }
    }
    assert!(
        text.lines().all(|line| line.starts_with("20")),
        "lines are mixed"
    );
}

#[test]
fn requests_can_have_a_file_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access");
    let site = Site::app("log")
        .bare()
        .setting(
            "log",
            &format!(
                "to = [\"stderr\"]\naccess = true\naccess-to = [\"file:{}\"]",
                path.display()
            ),
        )
        .start();
    site.get("/printed");
    site.wait_until("the request is in its file", || {
        read(&path).contains("GET /printed => 200 ")
    });
    assert_eq!(read(&path).lines().count(), 1);
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let site = Site::app("log").setting("log", "to = [\"file:/nonexistent/log\"]");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("site.toml");
    fs::write(&file, site.settings(directory.path())).unwrap();
    let output = std::process::Command::new(crate::support::site::PROGRAM)
        .args(["serve", file.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot open the log file /nonexistent/log"),
        "{said}"
    );
}
