//! As many workers and threads as large machines have.

use rustix::process::Signal;

use crate::support::{
    load::Load,
    process::Watched,
    site::{Running, Site, serves},
};

const WORKERS: u32 = 64;
const THREADS: u32 = 8;

fn workers(site: &Running) -> Vec<u64> {
    let all = site.children().into_iter();
    all.filter(|pid| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name.trim() == "hostler-worker")
    })
    .collect()
}

#[test]
fn a_reload_of_very_many_workers_loses_no_request() {
    let site = Site::app("process")
        .bare()
        .workers(WORKERS, THREADS)
        .start();
    let before = workers(&site);
    assert_eq!(before.len(), WORKERS as usize);
    let old: Vec<_> = before.iter().map(|pid| Watched::new(*pid)).collect();
    let load = Load::start(site.address(), "/", 4);
    load.wait_for(100);
    site.process.signal(Signal::HUP);
    site.process
        .wait_for_nth("that the next generation serves", 2, |line| {
            serves(line).then_some(())
        });
    old.iter().for_each(Watched::wait);
    load.wait_for(100);
    let (_, failures) = load.finish();
    assert_eq!(failures, Vec::<String>::new());
    let after = workers(&site);
    assert_eq!(after.len(), WORKERS as usize);
    assert!(after.iter().all(|pid| !before.contains(pid)));
}
