//! Clients that ask at a steady pace, each request with a number of its own, and keep an account of every one.
//!
//! They differ in how they use connections, since that is where a server that changes its workers can go wrong: one
//! connection for each request, one that is kept, one that is kept and carries bodies, and one with two requests at a
//! time. What RFC 9112 lets a server do is no fault: requests behind an answer that announces the close are asked again
//! (section 9.6), and so is one whose connection was closed before it was sent.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::support::{
    PATIENCE,
    address::Address,
    answer::Answer,
    client::{Broken, Client, request},
};

use super::account::{Account, Outcome, QuietEnd, Record};

const CLIENTS: u32 = 16;

/// Clients at work.
pub(crate) struct Traffic {
    address: Address,
    numbers: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Account>>,
}

/// A request beside the steady ones.
pub(crate) struct Asked {
    pub(crate) number: u64,
    client: JoinHandle<Account>,
}

/// How a client uses connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// A connection for each request.
    New,
    /// One connection for as long as it lasts.
    Kept,
    /// The same, with bodies.
    Bodies,
    /// The same, with two requests at a time.
    Pairs,
}

struct User {
    address: Address,
    target: String,
    habit: Habit,
    numbers: Arc<AtomicU64>,
    answered: Arc<AtomicUsize>,
    kept: Option<Connection>,
    account: Account,
}

struct Connection {
    client: Client,
    /// Who has answered here last.
    worker: Option<u32>,
    /// Since when nothing was asked.
    quiet: Instant,
}

impl Traffic {
    /// Starts clients that ask for `/echo`, so many times a second all together.
    pub(crate) fn start(address: &Address, rate: u32) -> Self {
        Self::to(address, rate, &["/echo"])
    }

    /// The same for several targets in turn.
    pub(crate) fn to(address: &Address, rate: u32, targets: &[&str]) -> Self {
        let mut traffic = Self {
            address: address.clone(),
            numbers: Arc::default(),
            stop: Arc::default(),
            answered: Arc::default(),
            clients: Vec::new(),
        };
        for (number, target) in (0..CLIENTS).zip(targets.iter().cycle()) {
            let habit =
                [Habit::New, Habit::Kept, Habit::Bodies, Habit::Pairs][number as usize / 2 % 4];
            let user = traffic.user(target, habit);
            let pace = Duration::from_secs(1) * CLIENTS * habit.depth() / rate;
            let stop = Arc::clone(&traffic.stop);
            let client = thread::spawn(move || user.ask_steadily(pace, &stop));
            traffic.clients.push(client);
        }
        traffic
    }

    /// Waits until `more` requests were answered from now on.
    pub(crate) fn wait_for(&self, more: usize) {
        let wanted = self.answered.load(Relaxed) + more;
        let deadline = Instant::now() + PATIENCE + PATIENCE;
        while self.answered.load(Relaxed) < wanted {
            assert!(Instant::now() < deadline, "the server answers too little");
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// One request on a connection of its own; `argument` follows its number.
    pub(crate) fn ask(&self, path: &str, argument: &str) -> Asked {
        let number = self.numbers.fetch_add(1, Relaxed);
        let mut user = self.user(path, Habit::New);
        let target = format!("{path}?{number}&{argument}");
        let client = thread::spawn(move || {
            user.ask(VecDeque::from([number]), |_| {
                request("GET", &target, &[("Connection", "close")], b"")
            });
            user.account
        });
        Asked { number, client }
    }

    /// Ends it, and gives the account of all clients.
    pub(crate) fn finish(self) -> Account {
        self.stop.store(true, Relaxed);
        let accounts = self
            .clients
            .into_iter()
            .map(|client| client.join().unwrap());
        accounts.fold(Account::default(), Account::with)
    }

    fn user(&self, target: &str, habit: Habit) -> User {
        User {
            address: self.address.clone(),
            target: target.to_owned(),
            habit,
            numbers: Arc::clone(&self.numbers),
            answered: Arc::clone(&self.answered),
            kept: None,
            account: Account::default(),
        }
    }
}

impl Asked {
    /// What became of it.
    pub(crate) fn outcome(self) -> Outcome {
        let account = self.client.join().unwrap();
        let mut outcomes = account.records.into_iter().map(|record| record.outcome);
        outcomes.next().unwrap()
    }
}

impl Habit {
    fn depth(self) -> u32 {
        if self == Self::Pairs { 2 } else { 1 }
    }
}

impl User {
    /// Whoever was kept waiting makes up for it.
    fn ask_steadily(mut self, pace: Duration, stop: &AtomicBool) -> Account {
        let mut due = Instant::now();
        while !stop.load(Relaxed) {
            let numbers = (0..self.habit.depth()).map(|_| self.numbers.fetch_add(1, Relaxed));
            let (target, habit) = (self.target.clone(), self.habit);
            self.ask(numbers.collect(), |number| ask_for(&target, habit, number));
            due += pace;
            thread::park_timeout(due.saturating_duration_since(Instant::now()));
        }
        self.account
    }

    /// Asks for these in one go, and again for those that were handed back.
    fn ask(&mut self, mut numbers: VecDeque<u64>, bytes: impl Fn(u64) -> Vec<u8>) {
        let begun = Instant::now();
        while !numbers.is_empty() {
            let mut connection = match self.connect() {
                Ok(connection) => connection,
                Err(error) => {
                    let outcome = Outcome::Closed(format!("no connection: {error}"));
                    numbers
                        .drain(..)
                        .for_each(|number| self.record(number, None, begun, outcome.clone()));
                    return;
                }
            };
            let all: Vec<u8> = numbers.iter().flat_map(|number| bytes(*number)).collect();
            connection.client.send(&all);
            self.hear(connection, &mut numbers, begun);
        }
    }

    /// Takes the answers to `numbers`, in this order; those that stay there are to be asked for again.
    fn hear(&mut self, mut connection: Connection, numbers: &mut VecDeque<u64>, begun: Instant) {
        while let Some(number) = numbers.pop_front() {
            let before = connection.worker;
            let answer = match connection.client.whole_answer() {
                Ok(answer) => answer,
                Err(broken) => {
                    let outcome = match broken {
                        Broken::Closed(text) => Outcome::Closed(text),
                        Broken::Silent => Outcome::Silent,
                    };
                    self.record(number, before, begun, outcome.clone());
                    let rest = numbers.drain(..);
                    return rest
                        .for_each(|number| self.record(number, before, begun, outcome.clone()));
                }
            };
            let closes = answer.header("Connection") == Some("close");
            let mut outcome = judge(number, self.habit, &answer);
            if let Outcome::Answered(worker) = outcome {
                connection.worker = Some(worker);
            }
            if closes && !connection.client.is_closed() {
                outcome = Outcome::Wrong("more came after the last answer".into());
            }
            self.record(number, before, begun, outcome);
            if closes {
                return;
            }
        }
        connection.quiet = Instant::now();
        self.kept = Some(connection);
    }

    /// The connection that was kept, if it is still open.
    fn connect(&mut self) -> std::io::Result<Connection> {
        if let Some(mut kept) = self.kept.take() {
            if !kept.client.is_readable() {
                return Ok(kept);
            }
            self.account.quiet_ends.push(QuietEnd {
                worker: kept.worker,
                quiet: kept.quiet.elapsed(),
                surplus: kept.client.rest(),
            });
        }
        let client = self.address.try_connect()?;
        Ok(Connection {
            client,
            worker: None,
            quiet: Instant::now(),
        })
    }

    fn record(&mut self, number: u64, before: Option<u32>, begun: Instant, outcome: Outcome) {
        if matches!(outcome, Outcome::Answered(_)) {
            self.answered.fetch_add(1, Relaxed);
        }
        let ended = Instant::now();
        self.account.records.push(Record {
            number,
            before,
            begun,
            ended,
            outcome,
        });
    }
}

fn ask_for(target: &str, habit: Habit, number: u64) -> Vec<u8> {
    let target = format!("{target}?{number}");
    match habit {
        Habit::New => request("GET", &target, &[("Connection", "close")], b""),
        Habit::Bodies => request("POST", &target, &[], &body(number)),
        Habit::Kept | Habit::Pairs => request("GET", &target, &[], b""),
    }
}

/// A body that no other request has, of up to 32 KiB.
fn body(number: u64) -> Vec<u8> {
    let text = format!("body {number};");
    text.repeat(1 + number as usize * 7 % 2000).into_bytes()
}

fn judge(number: u64, habit: Habit, answer: &Answer) -> Outcome {
    if answer.status != 200 {
        return Outcome::Refused(answer.status);
    }
    let expected = if habit == Habit::Bodies {
        body(number)
    } else {
        Vec::new()
    };
    let line = answer.body.iter().position(|&byte| byte == b'\n');
    let (line, rest) = answer.body.split_at(line.map_or(0, |at| at + 1));
    let line = String::from_utf8_lossy(line);
    let worker = line
        .trim()
        .strip_prefix(&format!("{number} "))
        .and_then(|pid| pid.parse().ok());
    match worker {
        Some(worker) if rest == expected => Outcome::Answered(worker),
        _ => Outcome::Wrong(format!(
            "{line:?} and {} bytes, asked was {number}",
            rest.len()
        )),
    }
}
