//! Without systemd: as process 1 of a container, as root that becomes somebody else, with a root file system that
//! cannot be written to, under any user id.

use std::{fs, path::Path, process::Command};

use rustix::process::Signal;

use crate::support::{
    certificates::Certificates,
    process::Process,
    root,
    site::{PROGRAM, Running, Site, listening, serves},
};

const APPS: &str = "tests/apps";

fn site() -> Site {
    Site::app("outside").bare()
}

/// Numbers that no account of this machine has.
const USER: &str = "54321";
const GROUP: &str = "54322";

/// `hostler run` of the application under another program, which makes the surroundings.
fn run_under(words: &[&str]) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(words[0]);
    let apps = root().join(APPS).join("outside");
    command
        .args(&words[1..])
        .args([PROGRAM, "run", "app:application", "--http", "127.0.0.1:0"])
        .args(["--chdir", apps.to_str().unwrap()])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("VIRTUAL_ENV")
        .env_remove("JOURNAL_STREAM")
        .env_remove("RUNTIME_DIRECTORY")
        .env_remove("XDG_RUNTIME_DIR")
        .current_dir("/");
    let process = Process::start(words[0], &mut command);
    process.wait_for("that it serves", |line| serves(line).then_some(()));
    let address = process.wait_for("where it listens", listening);
    Running {
        process,
        addresses: vec![address],
        directory,
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says loudly what is not tested.
fn only_root_can(what: &str) -> bool {
    if !is_root() {
        eprintln!("NOT TESTED, only root can: {what}");
    }
    is_root()
}

#[test]
fn zygote_and_workers_have_no_capability() {
    let running = site().start();
    let seen = running.get("/status").json();
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(seen[set], "0000000000000000", "{seen}");
    }
    assert_eq!(seen["NoNewPrivs"], "1");
    if is_root() {
        assert_eq!(seen["CapBnd"], "0000000000000000", "{seen}");
    }
}

#[test]
fn dumps_can_be_forbidden() {
    assert_eq!(site().start().get("/dumpable").text(), "1");
    let site = site().setting("limits", "dumpable = false");
    assert_eq!(site.start().get("/dumpable").text(), "0");
}

#[test]
fn root_becomes_the_user_of_the_settings() {
    if !only_root_can("[service] user") {
        return;
    }
    let service =
        format!("user = \"{USER}\"\ngroup = \"{GROUP}\"\nsupplementary-groups = [\"54323\"]");
    let running = site().setting("service", &service).start();
    let seen = running.get("/status").json();
    assert_eq!(seen["Uid"], [USER; 4].join("\t"));
    assert_eq!(seen["Gid"], [GROUP; 4].join("\t"));
    assert_eq!(seen["Groups"], "54323");
    // Successors as well.
    running.process.signal(Signal::HUP);
    running.process.wait_for_text("ready after the reload");
    assert_eq!(running.get("/status").json()["Uid"], [USER; 4].join("\t"));
}

#[test]
fn keys_that_only_root_can_read_are_handed_over_and_left_in_no_descriptor() {
    if !only_root_can("[service] user") {
        return;
    }
    let certificates = Certificates::of(&["localhost"]);
    let service = format!("user = \"{USER}\"\ngroup = \"{GROUP}\"");
    let running = site()
        .listen_with("https", "127.0.0.1:0", &certificates.keys("localhost"))
        .setting("service", &service)
        .start();
    running.process.signal(Signal::HUP);
    running.process.wait_for_text("ready after the reload");
    let seen = running.address().over_tls().get("/status").json();
    assert_eq!(seen["Uid"], [USER; 4].join("\t"));
    for process in running.children() {
        let descriptors = fs::read_dir(format!("/proc/{process}/fd"));
        for descriptor in descriptors.into_iter().flatten().flatten() {
            let target = fs::read_link(descriptor.path()).unwrap_or_default();
            let name = target.to_string_lossy();
            assert!(!name.contains("hostler-certificates"), "{process}: {name}");
        }
    }
}

#[test]
fn a_named_user_has_its_home() {
    if !only_root_can("[service] user") {
        return;
    }
    let running = site().setting("service", "user = \"nobody\"").start();
    assert_eq!(running.get("/env/USER").text(), "nobody");
    assert_eq!(running.get("/env/LOGNAME").text(), "nobody");
    assert_eq!(running.get("/env/HOME").text(), "/nonexistent");
}

#[test]
fn a_user_that_does_not_exist_ends_the_start() {
    if !only_root_can("[service] user") {
        return;
    }
    let (mut process, _directory) = site()
        .setting("service", "user = \"no-such-user\"")
        .launch();
    process.wait_for_text("service.user: there is no user no-such-user");
    assert_eq!(process.wait().code(), Some(78));
}

#[test]
fn a_secret_becomes_a_variable() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("db-password"), "s3cret\n").unwrap();
    let site = site().setting(
        "service",
        "env-credentials = { DB_PASSWORD = \"db-password\" }",
    );
    let with = |site: Site| site.start().get("/env/DB_PASSWORD").text();
    let path = directory.path().to_str().unwrap();
    let served = with(site.program_env("CREDENTIALS_DIRECTORY", path));
    assert_eq!(served, "s3cret");
}

#[test]
fn without_systemd_secrets_are_read_from_their_files() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    fs::write(&file, "s3cret").unwrap();
    let service = format!("credentials = {{ pw = {file:?} }}\nenv-credentials = {{ PW = \"pw\" }}");
    assert_eq!(
        site()
            .setting("service", &service)
            .start()
            .get("/env/PW")
            .text(),
        "s3cret"
    );
}

#[test]
fn a_secret_that_is_missing_ends_the_start() {
    let (mut process, _directory) = site()
        .setting("service", "env-credentials = { PW = \"pw\" }")
        .launch();
    process.wait_for_text("there is no credential pw: $CREDENTIALS_DIRECTORY is not set");
    assert_eq!(process.wait().code(), Some(78));
}

#[test]
fn process_1_of_a_container_reaps_strangers_and_stops_when_told() {
    if !only_root_can("process 1 of a namespace") {
        return;
    }
    let mut running = run_under(&["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    assert_eq!(running.get("/parent").text(), "1");
    // Each leaves a grandchild that ends as an orphan, and so is process 1's to reap.
    for _ in 0..3 {
        assert_eq!(running.get("/orphan").status, 200);
    }
    running.wait_until("orphans are reaped", || {
        running.get("/zombies").text() == "0"
    });
    let supervisor = running.children()[0];
    let supervisor = crate::support::process::Watched::new(supervisor);
    supervisor.signal(Signal::TERM);
    supervisor.wait();
    assert_eq!(running.process.wait().code(), Some(0));
    assert!(
        running
            .process
            .output()
            .contains("every request was finished")
    );
}

/// The application finds nothing that it could write to, and neither do we.
#[test]
fn nothing_has_to_be_written() {
    if !only_root_can("a file system that is read-only") {
        return;
    }
    let readonly = "mount --make-rprivate / && mount -o remount,bind,ro / && \
                    for dir in /tmp /run /var /dev/shm; do mount --bind -o ro $dir $dir 2>/dev/null; \
                    mount -o remount,bind,ro $dir; done; exec \"$@\"";
    let running = run_under(&["unshare", "--mount", "sh", "-c", readonly, "sh"]);
    assert_eq!(running.get("/status").status, 200);
    assert_eq!(running.get("/writes").text(), "EROFS");
}

#[test]
fn any_user_id_will_do() {
    if !only_root_can("another user id") {
        return;
    }
    let ours = Path::new("/run/hostler/app");
    let before = ours.exists();
    let running = run_under(&[
        "setpriv",
        "--reuid",
        USER,
        "--regid",
        GROUP,
        "--clear-groups",
    ]);
    let seen = running.get("/status").json();
    assert_eq!(seen["Uid"], [USER; 4].join("\t"));
    assert_eq!(ours.exists(), before);
}

#[test]
fn memory_that_is_short_lets_idle_workers_go() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("pressure");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).unwrap();
    let running = site()
        .setting(
            "workers",
            "processes = 3\n[workers.cheaper]\nminimum = 1\ninitial = 2\noverload = 1000",
        )
        .program_env("MEMORY_PRESSURE_WATCH", fifo.to_str().unwrap())
        .start();
    fs::write(&fifo, "x").unwrap();
    running
        .process
        .wait_for_text("memory is short, a worker goes from=2 to=1");
    assert_eq!(running.get("/status").status, 200);
}
