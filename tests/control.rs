//! The control socket and the commands that use it: what they print, how they end, and what no client can do.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixStream,
    },
    path::PathBuf,
    process::Output,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    process::{Process, Watched},
    site::{Running, Site, program},
};

fn site() -> Site {
    Site::app("process")
}

fn socket(site: &Running) -> PathBuf {
    site.directory.path().join("control.sock")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The command succeeds; what it prints.
#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    text(&output.stdout)
}

/// The command fails with one line that contains all of these.
#[track_caller]
fn check_error(output: &Output, texts: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for text in texts {
        assert!(said.contains(text), "{text:?} in {said}");
    }
}

fn status(site: &Running) -> Value {
    serde_json::from_str(&done(&site.control(&["status", "--json"]))).unwrap()
}

fn pids(site: &Running) -> Vec<u64> {
    let status = status(site);
    let workers = status["workers"].as_array().unwrap();
    let pids = workers.iter().map(|worker| worker["pid"].as_u64().unwrap());
    pids.collect()
}

fn requests(status: &Value) -> u64 {
    let workers = status["workers"].as_array().unwrap().iter();
    workers
        .map(|worker| worker["requests"].as_u64().unwrap())
        .sum()
}

#[test]
fn the_status_tells_of_service_and_workers() {
    let site = site().workers(2, 3).start();
    site.get("/pid");
    // A request is counted when its answer has been sent.
    site.wait_until("it is counted", || requests(&status(&site)) == 1);
    let status = status(&site);
    assert_eq!(status["site"], "site");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["pid"], site.process.pid());
    assert_eq!(status["file"], site.file().to_str().unwrap());
    assert_eq!(status["listeners"][0]["address"], site.address().0.as_str());
    assert_eq!(
        (&status["generation"], &status["threads"]),
        (&1.into(), &3.into())
    );
    let workers = status["workers"].as_array().unwrap();
    assert_eq!(workers.len(), 2);
    for worker in workers {
        assert_eq!(worker["state"], "serving");
        assert!(worker["rss"].as_u64() > worker["pss"].as_u64(), "{worker}");
        assert!(worker["age_us"].as_u64().unwrap() > 0);
    }
    // Two workers share what one process has imported.
    assert!(
        status["preload_saved"].as_u64().unwrap() > 1 << 20,
        "{status}"
    );
}

#[test]
fn the_table_fits_a_terminal() {
    let site = site().workers(2, 1).start();
    let table = done(&site.control(&["status"]));
    assert!(
        table.starts_with("site: serving with 2 of 2 workers"),
        "{table}"
    );
    let rows: Vec<&str> = table
        .lines()
        .skip_while(|line| !line.starts_with("WORKER"))
        .collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert!(rows.iter().all(|row| row.len() <= 80), "{table}");
}

#[test]
fn a_reload_is_waited_for() {
    let settings = |version: &str| site().env("TEST_VERSION", version);
    let site = settings("1").start();
    site.rewrite(&settings("2"));
    let said = done(&site.control(&["reload"]));
    assert_eq!(said, "reloaded: generation 2 serves with 1 worker\n");
    assert_eq!(site.get("/").json()["version"], "2");
    site.rewrite(&settings("3"));
    done(&site.control(&["reload", "--wait", site.file().to_str().unwrap()]));
    assert_eq!(site.get("/").json()["version"], "3");
    done(&site.control(&["reload", "--no-wait"]));
    site.process
        .wait_for_nth("the fourth generation", 4, |line| {
            crate::support::site::serves(line).then_some(())
        });
}

#[test]
fn a_reload_that_fails_prints_why() {
    let site = site().env("TEST_VERSION", "1").start();
    site.rewrite(&Site::app("broken"));
    let output = site.control(&["reload"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.starts_with("Traceback (most recent call last):\n"),
        "{said}"
    );
    let last = said.lines().last().unwrap();
    assert!(
        last.starts_with("error: the reload failed") && last.contains("LookupError"),
        "{said}"
    );
    fs::write(site.file(), "[app]\nmodul = \"x\"\n").unwrap();
    check_error(&site.control(&["reload"]), &["site.toml:2:1", "`module`"]);
    assert_eq!(site.get("/").json()["version"], "1");
    site.rewrite(&self::site().env("TEST_VERSION", "2"));
    done(&site.control(&["reload"]));
    assert_eq!(site.get("/").json()["version"], "2");
}

/// Each of them gets the outcome of a reload that began after it had asked.
#[test]
fn many_may_wait_for_a_reload() {
    let site = site().start();
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| site.control(&["reload"])))
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    for output in outputs {
        assert!(done(&output).starts_with("reloaded: generation"));
    }
}

#[test]
fn a_worker_is_recycled() {
    let site = site().workers(2, 1).start();
    let before = pids(&site);
    let old = Watched::new(before[1]);
    done(&site.control(&["worker", "recycle", "1"]));
    old.wait();
    let after = pids(&site);
    assert!(after.contains(&before[0]) && !after.contains(&before[1]));
    check_error(
        &site.control(&["worker", "recycle", "77"]),
        &["no worker 77 serves"],
    );
}

#[test]
fn a_site_is_stopped() {
    let mut site = site().start();
    assert_eq!(done(&site.control(&["stop"])), "");
    assert_eq!(site.process.wait().code(), Some(0));
    assert!(!socket(&site).exists());
    // By its name: without one it would be whichever site runs on this machine.
    let file = site.file();
    check_error(&site.control(&["stop", file.to_str().unwrap()]), &["runs"]);
}

#[test]
fn a_log_that_is_not_ours_is_not_reopened() {
    let site = site().start();
    check_error(&site.control(&["log", "reopen"]), &["standard error"]);
}

#[test]
fn the_wrong_site_is_not_touched() {
    let site = site().start();
    let wrong = "/elsewhere/site.toml";
    check_error(
        &site.control(&["stop", wrong]),
        &[site.file().to_str().unwrap()],
    );
    check_error(&site.control(&["stop", "shop"]), &["is site, not shop"]);
    assert_eq!(site.get("/pid").status, 200);
    let link = site.directory.path().join("link");
    std::os::unix::fs::symlink(site.directory.path(), &link).unwrap();
    let same = link.join("site.toml");
    done(&site.control(&["status", same.to_str().unwrap()]));
}

#[test]
fn the_socket_is_for_its_owner() {
    let site = site().start();
    let metadata = fs::metadata(socket(&site)).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(metadata.uid(), rustix::process::geteuid().as_raw());
}

/// Whoever is not root has no say over the service of another user; only root can try.
#[test]
fn other_users_are_sent_away() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("only root can be somebody else");
        return;
    }
    let site = site().start();
    fs::set_permissions(site.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut nobody = std::process::Command::new("setpriv");
    nobody.args(["--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c"]);
    nobody.arg(format!(
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({:?})\n\
         s.sendall(b'{{\"protocol\": 1, \"version\": \"1\", \"command\": \"stop\"}}\\n')\nprint(s.recv(4096).decode())",
        socket(&site)
    ));
    let refused = nobody.output().unwrap();
    assert!(
        text(&refused.stderr).contains("PermissionError"),
        "{refused:?}"
    );
    fs::set_permissions(socket(&site), fs::Permissions::from_mode(0o666)).unwrap();
    let answered = text(&nobody.output().unwrap().stdout);
    assert!(answered.contains("only root"), "{answered}");
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn nonsense_is_answered_and_changes_nothing() {
    let site = site().start();
    for nonsense in [
        "GET / HTTP/1.1\n",
        "\n",
        "{\"protocol\": 1, \"version\": \"1\", \"command\": \"dance\"}\n",
        "{\"protocol\": 9, \"version\": \"9.9.9\", \"command\": \"stop\"}\n",
    ] {
        let mut client = UnixStream::connect(socket(&site)).unwrap();
        client.write_all(nonsense.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("refused"), "{answer}");
    }
    assert_eq!(site.get("/pid").status, 200);
}

/// Clients that connect and say nothing, that never end their request, and that do not read: the service serves.
#[test]
fn slow_clients_hold_nothing() {
    let site = site().start();
    let mut silent: Vec<UnixStream> = (0..40)
        .map(|_| UnixStream::connect(socket(&site)).unwrap())
        .collect();
    for client in silent.iter_mut().step_by(2) {
        // The service may have closed a connection that was too slow.
        let _ = client.write_all(&[b'x'; 4096]);
    }
    assert_eq!(site.get("/pid").status, 200);
    site.process.signal(Signal::HUP);
    site.process.wait_for_text("ready after the reload");
    // They are sent away, and others are heard.
    assert_eq!(status(&site)["generation"], 2);
}

#[test]
fn a_socket_that_a_dead_service_left_is_replaced() {
    let mut first = site().start();
    first.process.signal(Signal::KILL);
    first.process.wait();
    assert!(socket(&first).exists());
    let again = Process::start(
        "hostler",
        program()
            .env("RUNTIME_DIRECTORY", first.directory.path())
            .arg("serve")
            .arg(first.file()),
    );
    again.wait_for_text("control socket");
    again.wait_for("that it serves", |line| {
        crate::support::site::serves(line).then_some(())
    });
    assert_eq!(status(&first)["pid"], again.pid());
}

#[test]
fn a_second_service_leaves_the_socket_of_the_first() {
    let site = site().start();
    let mut second = Process::start(
        "hostler",
        program()
            .env("RUNTIME_DIRECTORY", site.directory.path())
            .arg("serve")
            .arg(site.file()),
    );
    second.wait_for_text("no control socket");
    second.wait_for("that it serves", |line| {
        crate::support::site::serves(line).then_some(())
    });
    second.stop();
    assert_eq!(status(&site)["pid"], site.process.pid());
}

#[test]
fn a_user_has_a_directory_for_each_site() {
    let (user, settings) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = settings.path().join("shop.toml");
    fs::write(&file, site().settings(settings.path())).unwrap();
    let mut command = program();
    command
        .env_remove("RUNTIME_DIRECTORY")
        .env("XDG_RUNTIME_DIR", user.path());
    let mut service = Process::start("hostler", command.arg("serve").arg(file));
    service.wait_for_text("control socket");
    let directory = user.path().join("hostler/shop");
    assert!(directory.join("control.sock").exists());
    service.stop();
    assert!(!directory.exists());
}
