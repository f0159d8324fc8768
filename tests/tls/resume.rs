//! Sessions that were begun in one worker and go on in another, before and after a reload, and an upgrade.

use rustix::process::{Pid, Signal, kill_process};

use super::{GET, printed, s_client, site};
use crate::{
    support::{certificates::Certificates, process::Watched, site::Running},
    upgrade::Installed,
};

/// One request in a session, with `arguments` about where that is kept; gives the worker and whether it was resumed.
fn ask(site: &Running, version: &str, arguments: &[&str]) -> (u64, bool) {
    let arguments = [&[version], arguments].concat();
    let request = GET.replace("/ ", "/pid ");
    let output = printed(&s_client(site, &arguments, &request));
    let is_reused = output.contains("Reused, TLSv1.");
    assert!(is_reused || output.contains("New, TLSv1."), "{output}");
    let body = output.find("{\"").unwrap_or_else(|| panic!("{output}"));
    let mut values = serde_json::Deserializer::from_str(&output[body..]).into_iter();
    let answer: serde_json::Value = values.next().unwrap().unwrap();
    (answer["pid"].as_u64().unwrap(), is_reused)
}

/// A session is resumed although the worker that began it is gone, its whole generation too, and the program.
fn check(version: &str) {
    let certificates = Certificates::of(&["localhost"]);
    let installed = Installed::new();
    let settings = site("process", &certificates, "").workers(2, 1);
    let site = settings.start_by(installed.command());
    let session = certificates.path("session");
    let session = session.to_str().unwrap();
    let (first, is_reused) = ask(&site, version, &["-sess_out", session]);
    assert!(!is_reused);
    let worker = Watched::new(first);
    kill_process(Pid::from_raw(first as i32).unwrap(), Signal::KILL).unwrap();
    worker.wait();
    let (second, is_reused) = ask(&site, version, &["-sess_in", session]);
    assert!(is_reused && second != first);
    assert!(site.control(&["reload"]).status.success());
    let (third, is_reused) = ask(&site, version, &["-sess_in", session]);
    assert!(is_reused && third != second);
    installed.upgrade();
    assert!(site.control(&["reload"]).status.success());
    let (fourth, is_reused) = ask(&site, version, &["-sess_in", session]);
    assert!(is_reused && fourth != third);
}

#[test]
fn tls_1_2() {
    check("-tls1_2");
}

#[test]
fn tls_1_3() {
    check("-tls1_3");
}
