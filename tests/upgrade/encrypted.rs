//! HTTPS during an upgrade, with a service manager and without: connections that clients keep end as they should, requests
//! that run are answered, new connections are the new program's. That sessions go on is in `tls::resume`.

use std::fs;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::{
    certificates::Certificates,
    load::Load,
    site::{Running, Site},
};

use super::{Installed, managed::Managed, site, upgrade};

fn encrypted(certificates: &Certificates) -> Site {
    site().listen_with("https", "127.0.0.1:0", &certificates.keys("localhost"))
}

/// What clients see of two upgrades.
fn check(site: &Running, upgrade: impl Fn()) {
    let address = site.address().over_tls();
    let fifo = site.directory.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let load = Load::start(&address, "/pid", 8);
    load.wait_for(100);
    let (mut idle, mut busy) = (address.connect(), address.connect());
    idle.send_get("/pid");
    assert_eq!(idle.answer().status, 200);
    busy.send_get(&format!("/wait?{}", fifo.display()));
    site.process.wait_for_text("waiting");
    upgrade();
    // Not before it is told that nothing more comes: the alert of RFC 8446 section 6.1, and then the end.
    assert!(idle.is_closed());
    let new = address.get("/pid").json();
    load.wait_for(100);
    fs::write(&fifo, "done").unwrap();
    let answer = busy.answer().json();
    assert_eq!(answer["read"], "done");
    assert_ne!(answer["pid"], new["pid"]);
    assert!(busy.is_closed());
    upgrade();
    load.wait_for(100);
    let (done, failures) = load.finish();
    assert!(failures.is_empty(), "{failures:#?} of {done}");
}

#[test]
fn without_a_service_manager() {
    let (installed, certificates) = (Installed::new(), Certificates::of(&["localhost"]));
    let site = encrypted(&certificates).start_by(installed.command());
    check(&site, || drop(upgrade(&site, &installed)));
}

#[test]
fn with_a_service_manager() {
    let certificates = Certificates::of(&["localhost"]);
    let managed = Managed::start(&encrypted(&certificates));
    let heirs = std::cell::RefCell::new(Vec::new());
    check(&managed.site, || heirs.borrow_mut().push(managed.upgrade()));
}
