//! Nothing is left of memory, of descriptors, or of the disk that the log goes to: requests go on.

use std::{fs, os::unix::net::UnixDatagram, process::Command, time::Instant};

use rustix::process::Signal;

use crate::support::{
    address::Address,
    process::Watched,
    site::{PROGRAM, Running, program},
};

use super::{
    Chaos, RATE,
    account::{Death, Outcome},
    control::{Census, reload, serving},
    ledger::Ledger,
    traffic::Traffic,
};

/// Memory that is asked for at once and refused costs the request that asked, and nothing else.
#[test]
fn memory_is_refused() {
    let chaos = Chaos::start(|site| site.workers(2, 2).setting("limits", "limit-as = \"1G\""));
    let (traffic, census) = (chaos.traffic(), Census::start(chaos.directory()));
    for round in 1..=3 {
        traffic.wait_for(50);
        assert_eq!(traffic.ask("/take", "").outcome(), Outcome::Refused(500));
        chaos.wait_for_nth("a worker is replaced, it was refused memory", round);
    }
    traffic.wait_for(100);
    assert!(census.finish().fewest_serving >= 2);
    traffic.finish().check_spotless(&chaos.ledger);
}

/// With all of it gone, requests of other threads get 500 until the worker is replaced; none hangs, none is cut off.
#[test]
fn memory_is_used_up() {
    let chaos = Chaos::start(|site| site.workers(2, 2).setting("limits", "limit-as = \"512M\""));
    let traffic = chaos.traffic();
    traffic.wait_for(50);
    let from = Instant::now();
    let greedy = traffic.ask("/take-all", "");
    let worker = chaos.ledger.wait_for(greedy.number);
    assert_eq!(greedy.outcome(), Outcome::Refused(500));
    chaos.wait_for_nth("a worker is replaced, it was refused memory", 1);
    traffic.wait_for(200);
    let account = traffic.finish();
    let death = Death {
        worker,
        from,
        to: None,
    };
    let lost = account.check_lost_only_in(&[death], &chaos.ledger);
    assert!(
        lost.iter()
            .all(|record| record.outcome == Outcome::Refused(500)),
        "{lost:?}"
    );
    assert_eq!(chaos.count("SIGABRT"), 0);
}

/// Connections that came while all descriptors were in use wait in the queue; those that were there go on.
#[test]
fn descriptors_are_used_up() {
    let chaos = Chaos::start(|site| site.workers(2, 2).setting("limits", "max-fd = 64"));
    let traffic = chaos.traffic();
    for round in 1..=2 {
        traffic.wait_for(50);
        let told = chaos.count("connections cannot be accepted for a moment");
        let idle: Vec<_> = (0..150).map(|_| chaos.site.address().connect()).collect();
        if round == 1 {
            // It is told of once in a while only.
            chaos.wait_for_nth("connections cannot be accepted for a moment", told + 1);
        }
        traffic.wait_for(50);
        drop(idle);
        traffic.wait_for(100);
    }
    traffic.finish().check_spotless(&chaos.ledger);
}

/// Serves on a Unix socket, since no log tells of a port; the shell's `script` ends in the program.
fn start_by(ledger: &Ledger, script: &str, log: &str) -> Running {
    let mut command = Command::new("sh");
    command.args(["-c", script, PROGRAM]);
    for (name, value) in program().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let site = ledger
        .site()
        .workers(2, 2)
        .listen("http", "./site.sock")
        .setting("log", log);
    let (process, directory) = site.launch_by(command);
    let addresses = vec![Address(
        directory
            .path()
            .join("site.sock")
            .to_str()
            .unwrap()
            .to_owned(),
    )];
    let running = Running {
        process,
        addresses,
        directory,
    };
    let directory = running.directory.path();
    running.wait_until("that it serves", || {
        directory.join("control.sock").exists() && serving(directory).len() == 2
    });
    running
}

/// Requests, a traceback, an application that writes, a dead worker, a reload and a stop, all without a log.
fn check_goes_on(mut site: Running, ledger: &Ledger) {
    let traffic = Traffic::start(site.address(), RATE);
    let mut deaths = Vec::new();
    for _ in 0..2 {
        traffic.wait_for(50);
        assert_eq!(traffic.ask("/fail", "").outcome(), Outcome::Refused(500));
        assert!(matches!(
            traffic.ask("/say", "").outcome(),
            Outcome::Answered(_)
        ));
        let (worker, from) = (serving(site.directory.path())[0], Instant::now());
        Watched::new(u64::from(worker)).signal(Signal::KILL);
        deaths.push(Death {
            worker,
            from,
            to: None,
        });
        traffic.wait_for(50);
        assert!(reload(site.directory.path())["reloaded"].is_object());
    }
    traffic.wait_for(100);
    traffic.finish().check_lost_only_in(&deaths, ledger);
    assert!(site.process.stop().success());
}

#[test]
fn the_disk_of_the_log_is_full() {
    let ledger = Ledger::new();
    let site = start_by(&ledger, "exec \"$0\" \"$@\" >/dev/full 2>&1", "");
    check_goes_on(site, &ledger);
}

/// As after the end of whoever has read it.
#[test]
fn nobody_reads_the_log() {
    let ledger = Ledger::new();
    let site = start_by(
        &ledger,
        "mkfifo \"$RUNTIME_DIRECTORY/log\"; : <\"$RUNTIME_DIRECTORY/log\" & exec \"$0\" \"$@\" >\"$RUNTIME_DIRECTORY/log\" 2>&1",
        "",
    );
    check_goes_on(site, &ledger);
}

/// In a mount namespace of its own, where this test is the journal.
#[test]
fn the_journal_is_gone() {
    let ledger = Ledger::new();
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("socket");
    let journal = UnixDatagram::bind(&socket).unwrap();
    let script = format!(
        "exec unshare --map-root-user --mount sh -c 'mount -t tmpfs none /run && mkdir /run/systemd && \
         ln -s {} /run/systemd/journal && exec \"$0\" \"$@\"' \"$0\" \"$@\"",
        place.path().display()
    );
    // A log that nobody takes fills its socket; the one that is read is of no interest here.
    let reader = std::thread::spawn(move || {
        let mut entry = vec![0; 1 << 16];
        while !String::from_utf8_lossy(&entry).contains("MESSAGE=ready") {
            let length = journal.recv(&mut entry).unwrap();
            entry[length..].fill(0);
        }
    });
    let site = start_by(&ledger, &script, "to = [\"journal\"]");
    reader.join().unwrap();
    fs::remove_file(socket).unwrap();
    check_goes_on(site, &ledger);
}
