//! Workers that are replaced while they are well, or killed because they take too much, under load.

use rustix::process::Signal;

use crate::support::{
    load::Load,
    process::Watched,
    site::{Running, Site},
};

/// Two workers with these limits.
fn site(limits: &str) -> Site {
    Site::app("grows")
        .bare()
        .setting("workers", &format!("processes = 2\n{limits}"))
}

fn pid(site: &Running) -> u64 {
    site.get("/pid").text().trim().parse().unwrap()
}

/// Which worker a line of the log is about; which of the two has leaked is up to the kernel.
fn pid_in(line: &str) -> u64 {
    let pid = line.split_once(" pid=").unwrap().1;
    pid.split(' ').next().unwrap().parse().unwrap()
}

/// Asks until so many workers have been replaced for this reason; nobody's request may be lost.
fn check_replaced(limits: &str, reason: &str, times: usize) {
    let site = site(limits).start();
    let load = Load::start(site.address(), "/pid", 6);
    site.process
        .wait_for_nth(reason, times, |line| line.contains(reason).then_some(()));
    load.wait_for(100);
    let (done, failures) = load.finish();
    assert!(
        failures.is_empty(),
        "{} of {done}: {failures:#?}",
        failures.len()
    );
}

#[test]
fn after_so_many_requests() {
    check_replaced(
        "max-requests = 50\nmax-requests-delta = 20",
        "it has reached workers.max-requests",
        4,
    );
}

#[test]
fn after_so_much_time() {
    check_replaced(
        "max-worker-lifetime = \"1s\"\nmax-worker-lifetime-delta = \"500ms\"",
        "it has reached workers.max-worker-lifetime",
        3,
    );
}

#[test]
fn a_leak_is_contained() {
    let site = site("reload-on-rss = \"150M\"").start();
    let reason = "it has reached workers.reload-on-rss";
    site.wait_until("that the leaking worker is replaced", || {
        assert_eq!(site.get("/leak?20").status, 200);
        site.process.output().contains(reason)
    });
    let worker = pid_in(&site.process.wait_for_text(reason));
    site.wait_until("that it ends", || !site.children().contains(&worker));
    assert_ne!(pid(&site), worker);
}

#[test]
fn far_too_much_is_ended_at_once() {
    let site = site("evil-reload-on-rss = \"150M\"").start();
    let reason = "it had reached workers.evil-reload-on-rss";
    site.wait_until("that the leaking worker is killed", || {
        // The request may be lost with its worker, which is what the setting is for.
        let mut client = site.address().connect();
        client.send_get("/leak?30");
        let _ = client.has_more();
        site.process.output().contains(reason)
    });
    let worker = pid_in(&site.process.wait_for_text(reason));
    site.wait_until("that it ends", || !site.children().contains(&worker));
    assert_ne!(pid(&site), worker);
}

#[test]
fn workers_are_replaced_by_hand_one_after_the_other() {
    let site = site("threads = 1").start();
    let load = Load::start(site.address(), "/pid", 4);
    let output = site.control(&["worker", "recycle", "0", site.file().to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    site.process.wait_for_text("a worker is replaced as asked");
    load.wait_for(100);
    assert!(load.finish().1.is_empty());
}

#[test]
fn their_number_follows_the_load_and_falls_again() {
    let site = Site::app("grows")
        .bare()
        .setting("workers", "processes = 3")
        .setting(
            "workers.cheaper",
            "minimum = 1\noverload = 1\nidle = \"1s\"",
        )
        .start();
    let held: Vec<_> = (0..2)
        .map(|_| {
            let address = site.address().clone();
            std::thread::spawn(move || address.get("/sleep?4").status)
        })
        .collect();
    site.process.wait_for_text("from=1 to=2");
    site.process.wait_for_text("from=2 to=3");
    for client in held {
        assert_eq!(client.join().unwrap(), 200);
    }
    site.process.wait_for_text("from=2 to=1");
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn nobody_waits_for_a_worker_that_was_stopped() {
    let site = Site::app("grows")
        .bare()
        .setting("workers", "processes = 1")
        .start();
    let worker = Watched::new(pid(&site));
    worker.signal(Signal::STOP);
    site.process
        .wait_for_text("a worker was stopped by a signal");
    let load = Load::start(site.address(), "/pid", 4);
    load.wait_for(50);
    worker.signal(Signal::CONT);
    site.process
        .wait_for_text("a worker that was stopped goes on");
    load.wait_for(50);
    assert!(load.finish().1.is_empty());
}
