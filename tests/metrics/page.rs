//! The status page in a real browser: it shows what is there, nothing of the application's becomes markup, and it can be
//! read on a phone and in the dark. Its screenshots are in `target/screenshots`, to be looked at.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::{FREE, metrics_address, site};
use crate::support::{
    chromium::{Chromium, is_there},
    root,
    site::{Running, Site},
};

/// What a browser would run if it became markup.
const HOSTILE: &str =
    "/wait?FIFO&\"><img/src=x/onerror=\"document.title='owned'\"><script>alert(1)</script>";

fn with_page(app: &str) -> Site {
    site(app, &format!("{FREE}\npage = true"))
}

fn open(site: &Running) -> Chromium {
    let chromium = Chromium::start();
    chromium.look(1200, false);
    chromium.open(&format!("http://{}/", metrics_address(site).0));
    chromium.wait_until("return !document.getElementById('main').hidden");
    chromium
}

/// Waits until the lines have points.
fn wait_for_lines(chromium: &Chromium) {
    chromium.wait_until("return document.querySelectorAll('#rate path').length === 2");
}

fn text(chromium: &Chromium, id: &str) -> String {
    let script = format!("return document.getElementById('{id}').innerText");
    chromium.run(&script).as_str().unwrap().to_owned()
}

#[track_caller]
fn check_no_complaints(chromium: &Chromium) {
    assert_eq!(chromium.complaints(), Vec::<Value>::new());
}

#[test]
fn it_shows_what_the_site_does() {
    if !is_there() {
        return;
    }
    let site = with_page("metrics").workers(2, 2).start();
    let chromium = open(&site);
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..200).for_each(|_| _ = site.get("/"));
            site.get("/missing");
        });
    });
    wait_for_lines(&chromium);
    chromium.wait_until("return document.getElementById('mounts').innerText.includes('200')");
    assert_eq!(text(&chromium, "ready"), "ready");
    assert_eq!(text(&chromium, "site"), "site");
    assert!(text(&chromium, "sockets").contains(&site.address().0));
    let lanes = text(&chromium, "lanes");
    assert!(
        lanes.contains("worker 0") && lanes.contains("worker 1"),
        "{lanes}"
    );
    assert!(
        lanes.contains("serving") && lanes.contains("PSS"),
        "{lanes}"
    );
    let label = "return document.getElementById('rate').getAttribute('aria-label')";
    assert!(chromium.run(label).as_str().unwrap().contains("/s"));
    check_no_complaints(&chromium);
}

/// A request whose line is hostile, and which runs until it is released.
fn hostile(site: &Running) -> (std::path::PathBuf, thread::JoinHandle<u16>) {
    let fifo = site.directory.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let target = HOSTILE.replace("FIFO", &fifo.display().to_string());
    let address = site.address().clone();
    let client = thread::spawn(move || address.get(&target).status);
    (fifo, client)
}

#[test]
fn nothing_of_a_request_becomes_markup() {
    if !is_there() {
        return;
    }
    let site = with_page("metrics").workers(1, 2).start();
    let (fifo, client) = hostile(&site);
    let chromium = open(&site);
    chromium.wait_until("return document.getElementById('running').innerText.includes('<img/src')");
    wait_for_lines(&chromium);
    assert_eq!(chromium.run("return document.title"), "site · hostler");
    let foreign = "return document.querySelectorAll('img, iframe, script:not([nonce])').length";
    assert_eq!(chromium.run(foreign), 0);
    check_no_complaints(&chromium);
    std::fs::write(&fifo, "x").unwrap();
    assert_eq!(client.join().unwrap(), 200);
}

#[test]
fn its_policy_keeps_out_what_does_not_belong_to_it() {
    if !is_there() {
        return;
    }
    let site = with_page("metrics").start();
    let chromium = open(&site);
    let script = "const script = document.createElement('script');\
        script.textContent = 'document.title = \"owned\"';\
        document.body.append(script);\
        const frame = document.createElement('div');\
        frame.innerHTML = '<img src=x onerror=\"document.title = `owned`\">';\
        document.body.append(frame);\
        return document.title";
    assert_ne!(chromium.run(script), "owned");
    chromium.wait_until("return document.querySelector('img').complete");
    assert_ne!(chromium.run("return document.title"), "owned");
    assert!(chromium.complaints().len() >= 2);
}

#[test]
fn it_says_when_the_site_is_gone_and_goes_on_when_that_is_back() {
    if !is_there() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    let described = site("metrics", &format!("address = \"{address}\"\npage = true"));
    let mut first = described.start();
    let chromium = open(&first);
    assert!(first.process.stop().success());
    chromium.wait_until("return document.getElementById('ready').innerText === 'no connection'");
    let second = described.start();
    chromium.wait_until("return document.getElementById('ready').innerText === 'ready'");
    drop((second, directory));
}

/// Requests without an end, until this is dropped.
struct Visitors {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Visitors {
    fn of(site: &Running) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (address, told) = (site.address().clone(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                address.get("/missing");
                address.get("/");
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(thread::JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

#[test]
fn it_can_be_read_on_every_screen() {
    if !is_there() {
        return;
    }
    let site = with_page("metrics").workers(3, 2).start();
    let (fifo, client) = hostile(&site);
    let chromium = open(&site);
    let visitors = Visitors::of(&site);
    wait_for_lines(&chromium);
    let strokes = "document.querySelector('#rate .one').getAttribute('d').split('L').length";
    chromium.wait_until(&format!("return {strokes} > 2"));
    for (name, width, dark) in [
        ("light.png", 1200, false),
        ("dark.png", 1200, true),
        ("phone.png", 360, false),
        ("phone-dark.png", 360, true),
    ] {
        chromium.look(width, dark);
        chromium.wait_until(&format!("return innerWidth === {width}"));
        let fits =
            "const all = document.documentElement; return all.scrollWidth <= all.clientWidth";
        assert_eq!(chromium.run(fits), true, "{name}");
        chromium.screenshot(&root().join("target/screenshots"), name);
    }
    drop(visitors);
    check_no_complaints(&chromium);
    std::fs::write(&fifo, "x").unwrap();
    assert_eq!(client.join().unwrap(), 200);
}
