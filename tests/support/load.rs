//! Clients that keep asking while something happens to the server, and count what goes wrong.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    PATIENCE,
    address::Address,
    client::{Client, request},
};

/// Clients at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Starts `count` clients that ask for `target`: every other one with a connection per request, the rest with one
    /// connection for as long as it lasts.
    pub(crate) fn start(address: &Address, target: &str, count: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let clients = (0..count)
            .map(|number| {
                let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
                let mut user = User {
                    address: address.clone(),
                    target: target.to_owned(),
                    kept: None,
                    keeps: number % 2 == 0,
                };
                thread::spawn(move || user.ask_until(&stop, &done))
            })
            .collect();
        Self {
            stop,
            done,
            clients,
        }
    }

    /// Waits until `more` requests were answered from now on.
    pub(crate) fn wait_for(&self, more: usize) {
        let wanted = self.done.load(Ordering::Relaxed) + more;
        let deadline = Instant::now() + PATIENCE;
        while self.done.load(Ordering::Relaxed) < wanted
            && self.clients.iter().any(|client| !client.is_finished())
        {
            assert!(Instant::now() < deadline, "the server answers too little");
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Ends it: how many were answered, and what went wrong.
    pub(crate) fn finish(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self
            .clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect();
        (self.done.load(Ordering::Relaxed), failures)
    }
}

struct User {
    address: Address,
    target: String,
    kept: Option<Client>,
    keeps: bool,
}

impl User {
    fn ask_until(&mut self, stop: &AtomicBool, done: &AtomicUsize) -> Vec<String> {
        let mut failures = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            match self.ask() {
                Ok(()) => _ = done.fetch_add(1, Ordering::Relaxed),
                Err(failure) => failures.push(failure),
            }
        }
        failures
    }

    fn ask(&mut self) -> Result<(), String> {
        if let Some(mut client) = self.kept.take() {
            client.send(&request("GET", &self.target, &[], b""));
            // RFC 9112 section 9.3.1: a server may close an idle connection at any time, and a client repeats a
            // request to which not one byte came back.
            if client.has_more() {
                return self.take_answer(client);
            }
        }
        let mut client = self
            .address
            .try_connect()
            .map_err(|error| format!("connect: {error}"))?;
        let close: &[_] = if self.keeps {
            &[]
        } else {
            &[("Connection", "close")]
        };
        client.send(&request("GET", &self.target, close, b""));
        if !client.has_more() {
            return Err("closed without an answer".into());
        }
        self.take_answer(client)
    }

    fn take_answer(&mut self, mut client: Client) -> Result<(), String> {
        let answer = client.try_answer()?;
        if answer.status != 200 || !answer.whole {
            return Err(format!(
                "{} {:?}, whole: {}",
                answer.status,
                answer.text(),
                answer.whole
            ));
        }
        if self.keeps && answer.header("Connection") != Some("close") {
            self.kept = Some(client);
        }
        Ok(())
    }
}
