//! What is logged of requests that are greenlets.

use std::fs;

use super::{begin, site};

const CROSSED: &str = "a request is slow ";
const ENDED: &str = "a slow request has ended: ";

#[test]
fn every_request_has_one_line_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access");
    let log = format!(
        "to = [\"stderr\"]\naccess = true\naccess-to = [\"file:{}\"]",
        path.display()
    );
    let site = site(8).setting("log", &log).start();
    let targets: Vec<String> = (0..100).map(|number| format!("/pid?{number}")).collect();
    let mut clients: Vec<_> = targets.iter().map(|target| begin(&site, target)).collect();
    clients
        .iter_mut()
        .for_each(|client| assert_eq!(client.answer().status, 200));
    let lines = || fs::read_to_string(&path).unwrap_or_default();
    site.wait_until("every line is there", || {
        lines().lines().count() >= targets.len()
    });
    let text = lines();
    for target in targets {
        let line = format!(" GET {target} => 200 ");
        assert_eq!(text.matches(&line).count(), 1, "{line}");
    }
}

#[test]
fn slow_requests_are_told_of_once_each_and_again_when_they_end() {
    let site = site(8).setting("log", "slow = \"100ms\"").start();
    let gate = site.directory.path().join("gate");
    let target = format!("/wait?{}", gate.display());
    let mut clients: Vec<_> = (0..2).map(|_| begin(&site, &target)).collect();
    let told = |what: &'static str| {
        site.process.wait_for_nth(what, 2, |line| {
            (line.contains(what) && line.contains("/wait?")).then_some(())
        });
    };
    told(CROSSED);
    assert_eq!(site.get("/pid").status, 200);
    fs::write(&gate, "").unwrap();
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
    told(ENDED);
    let output = site.process.output();
    // The stack is that of the thread, whichever greenlet has it.
    assert!(output.contains("(most recent call first):"), "{output}");
    assert_eq!(
        [CROSSED, ENDED].map(|what| output.matches(what).count()),
        [2, 2]
    );
}
