//! A worker that has run out of descriptors: clients wait in the queue and lose nothing.

use std::fs;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{client::Client, site::Site};

/// Lets the process open `more` descriptors than it has.
fn limit_descriptors(pid: u64, more: u64) {
    let numbers = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let highest: u64 = numbers
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .max()
        .unwrap();
    let limit = Some(highest + 1 + more);
    let limit = Rlimit {
        current: limit,
        maximum: limit,
    };
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    prlimit(pid, Resource::Nofile, limit).unwrap();
}

#[test]
fn clients_wait_while_descriptors_are_exhausted() {
    let site = Site::app("process").start();
    let pid = site.get("/pid").json()["pid"].as_u64().unwrap();
    limit_descriptors(pid, 4);
    let mut clients: Vec<Client> = (0..20).map(|_| site.address().connect()).collect();
    for client in &mut clients {
        client.send_get("/thread");
    }
    site.process
        .wait_for_text("connections cannot be accepted for a moment");
    for mut client in clients {
        assert_eq!(client.answer().status, 200);
    }
}
