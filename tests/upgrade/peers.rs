//! Supervisors of other versions, played by the test from what they say on the channel: an older one, a newer one that says
//! more, and one that speaks another protocol; before this program, and after it. A change of what words mean fails here.

use std::{
    net::TcpListener,
    os::fd::{AsFd, OwnedFd},
    process::Stdio,
};

use hostler::ipc::Channel;
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    address::Address,
    load::Load,
    process::Process,
    root,
    site::{Site, program},
    venv,
};

use super::{Installed, refused, reload, site, supervisor};

const GREETING: &str = "hostler succession 1";

/// A supervisor that leaves its one listening socket to this program.
struct Elder {
    channel: Channel,
    heir: Process,
    address: Address,
    directory: TempDir,
}

impl Elder {
    /// Says its first words with this greeting: the estate, to which `more` adds.
    fn begin(greeting: &'static str, more: impl FnOnce(&mut Value)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let settings = Site::app("process").listen("http", &address);
        let file = directory.path().join("site.toml");
        std::fs::write(&file, settings.settings(directory.path())).unwrap();
        let (ours, theirs) = Channel::pair().unwrap();
        let channel = ours.greeting(greeting);
        let mut estate = recorded(&address);
        more(&mut estate);
        // What it has for keys of tickets is laid out in a way of its own.
        let keys = memfd_create("keys", MemfdFlags::CLOEXEC).unwrap();
        let sockets = estate["sockets"].as_array().unwrap().len();
        let mut fds = vec![listener.as_fd(); sockets];
        fds.push(keys.as_fd());
        channel.send(&json!({ "estate": estate }), &fds).unwrap();
        let mut command = program();
        command.env("HOSTLER_SUCCESSION", "1");
        command.env("RUNTIME_DIRECTORY", directory.path());
        command.arg("serve").arg(&file);
        let stdin = Stdio::from(theirs.into_fd());
        Self {
            channel: channel.greeting(GREETING),
            heir: Process::start_with("heir", &mut command, stdin),
            address: Address(address),
            directory,
        }
    }

    /// The heir's next word, without those for patience.
    fn hear(&self) -> Value {
        loop {
            let (word, _): (Value, Vec<OwnedFd>) = self.channel.recv().unwrap().unwrap();
            if word.get("extend").is_none() {
                return word;
            }
        }
    }

    fn say(&self, word: &Value) {
        self.channel.send(word, &[]).unwrap();
    }
}

/// What hostler 0.1.0 has left.
fn recorded(address: &str) -> Value {
    json!({
        "version": "0.1.0",
        "generation": 7,
        "is-child": true,
        "made-directory": false,
        "sockets": [
            {"purpose": "listen", "socket": {"address": address, "inherited": false, "file": null}},
        ],
    })
}

/// The heir serves on what is left and reigns when it is told to.
fn check_followed(more: impl FnOnce(&mut Value), words: &[Value]) {
    let mut elder = Elder::begin(GREETING, more);
    let ready = elder.hear();
    assert_eq!(ready["ready"]["generation"], 7, "{ready}");
    words.iter().for_each(|word| elder.say(word));
    elder.heir.wait_for_text("this supervisor is in charge now");
    assert_eq!(elder.address.get("/pid").status, 200);
    elder.heir.wait_for_text("control socket path=");
    assert!(elder.directory.path().join("control.sock").exists());
    drop(elder.channel);
    assert_eq!(elder.heir.stop().code(), Some(0));
}

#[test]
fn an_older_one_is_followed() {
    check_followed(|_| {}, &[json!({"reign": {"reload": false}})]);
}

#[test]
fn one_that_says_less_is_followed() {
    let less = |estate: &mut Value| {
        let estate = estate.as_object_mut().unwrap();
        estate.remove("made-directory");
        estate.remove("version");
    };
    check_followed(less, &[json!({"reign": {"reload": false}})]);
}

#[test]
fn a_newer_one_is_followed() {
    let more = |estate: &mut Value| {
        estate["version"] = "9.9.9".into();
        estate["colour"] = json!(["blue"]);
        let mut other = estate["sockets"][0].clone();
        estate["sockets"][0]["socket"]["backlog"] = 7.into();
        other["purpose"] = "telepathy".into();
        estate["sockets"].as_array_mut().unwrap().insert(0, other);
    };
    let words = [
        json!({"weather": {"is": "fine"}}),
        json!({"reign": {"reload": false, "until": "evening"}}),
    ];
    check_followed(more, &words);
}

/// Nothing changes, and whoever asked for the reload hears why.
fn check_refuses(greeting: &'static str, more: impl FnOnce(&mut Value), texts: &[&str]) {
    let mut elder = Elder::begin(greeting, more);
    let word = elder.hear();
    let reason = word["failed"]["reason"].as_str().unwrap();
    for text in texts {
        assert!(reason.contains(text), "{text:?} in {reason}");
    }
    assert_ne!(elder.heir.wait().code(), Some(0));
}

#[test]
fn one_of_another_protocol_is_told() {
    let texts = [
        "\"hostler succession 2\"",
        "\"hostler succession 1\"",
        "restart the service instead",
    ];
    check_refuses("hostler succession 2", |_| {}, &texts);
}

#[test]
fn one_that_leaves_what_is_unknown_is_told() {
    let other = |estate: &mut Value| {
        estate["sockets"][0]["socket"]["address"] = "quic://[::1]:443".into();
    };
    check_refuses(GREETING, other, &["hostler 0.1.0 leaves what"]);
}

/// A site whose program was replaced by `heir.py`.
fn replaced(manner: &str) -> (Installed, crate::support::site::Running) {
    let installed = Installed::new();
    let site = site().start_by(installed.command());
    let python = venv().join("bin/python");
    let script = root().join("tests/upgrade/heir.py");
    let command = format!("exec {} {} {manner}", python.display(), script.display());
    installed.replace_by(&command);
    (installed, site)
}

#[test]
fn a_newer_one_takes_over() {
    let (_installed, mut site) = replaced("newer");
    let load = Load::start(site.address(), "/", 4);
    load.wait_for(50);
    let said = reload(&site);
    assert!(
        said.contains("hostler 9.9.9 has taken over from hostler"),
        "{said}"
    );
    site.process.wait_for_text("this supervisor has finished");
    load.wait_for(50);
    assert_eq!(site.get("/").text(), "9.9.9");
    let (done, failures) = load.finish();
    assert!(failures.is_empty(), "{failures:#?} of {done}");
    assert_eq!(site.process.stop().code(), Some(0));
}

#[test]
fn a_stranger_takes_nothing_over() {
    let (installed, site) = replaced("stranger");
    let (before, load) = (supervisor(&site), Load::start(site.address(), "/", 4));
    let said = refused(&site);
    for text in ["\"hostler succession 2\"", "restart the service instead"] {
        assert!(said.contains(text), "{text:?} in {said}");
    }
    assert_eq!(supervisor(&site), before);
    installed.upgrade();
    assert!(reload(&site).contains("has taken over"));
    let (done, failures) = load.finish();
    assert!(failures.is_empty(), "{failures:#?} of {done}");
}
