//! Addresses beside the site's own, where whoever asks is told about it: those of `[stats]` and `[metrics]`.
//!
//! Here it is decided where is listened: the sockets belong to a generation, so that a reload that fails changes nothing,
//! and the current generation's are served. `clients` has what every client is owed and may not do. What is said is the
//! sections' own affair.

pub(super) mod clients;

use std::{future::Future, os::fd::OwnedFd, time::Duration};

use tokio::{
    io::unix::AsyncFd,
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tracing::error;

use crate::{
    config::{Address, Listen},
    listener::{ListenError, Listeners},
    metrics, stats,
};

use super::{generation::one_line, run::Supervisor};

/// What a client's task asks of the loop: where the answer goes says what is wanted.
pub(super) enum Question {
    Metrics(oneshot::Sender<metrics::Facts>),
    Stats(oneshot::Sender<stats::Facts>),
}

/// Binds an address; without one there is no socket.
///
/// # Errors
/// The address cannot be had.
pub(super) fn bind(address: &Option<Address>) -> Result<Listeners, ListenError> {
    Listeners::bind(&wanted(address), Duration::ZERO, Vec::new())
}

/// The sockets of settings that follow others, each with its address: of the same address they are the same.
///
/// # Errors
/// The address cannot be had.
pub(super) fn rebind<'g>(
    before: impl DoubleEndedIterator<Item = (&'g Listeners, &'g Option<Address>)>,
    address: &Option<Address>,
) -> Result<Listeners, ListenError> {
    let is_owner = |(sockets, of): &(&Listeners, &Option<Address>)| {
        sockets.iter().next().is_some() && *of == address
    };
    match before.rev().find(is_owner) {
        Some((owner, _)) => rebind_to(owner, address),
        None => bind(address),
    }
}

/// The same, given those sockets.
///
/// # Errors
/// The address cannot be had.
pub(super) fn rebind_to(
    sockets: &Listeners,
    address: &Option<Address>,
) -> Result<Listeners, ListenError> {
    sockets.rebind(&wanted(address), Duration::ZERO)
}

fn wanted(address: &Option<Address>) -> Vec<Listen> {
    let address = address.iter();
    address
        .map(|address| Listen {
            // Who connects and says nothing is to be told, too.
            defer_accept: false,
            ..Listen::at(address.clone())
        })
        .collect()
}

/// The tasks that serve a section's address, of the current generation.
pub(super) struct Side {
    questions: mpsc::Sender<Question>,
    /// What the log was told last: where, and the section's switch.
    told: Vec<(String, bool)>,
    tasks: JoinSet<()>,
}

impl Side {
    /// None yet; what clients ask goes there.
    pub(super) fn new(questions: mpsc::Sender<Question>) -> Self {
        Self {
            questions,
            told: Vec::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Serves nobody new; clients that are spoken with are not disturbed.
    pub(super) fn rest(&mut self) {
        // Dropping the tasks ends them, and their duplicates of the sockets with them.
        self.tasks = JoinSet::new();
    }

    /// Serves these from now on, by one task each, and no others. Clients that are spoken with are not disturbed. Gives what
    /// is new about it, where and with which switch: a reload that leaves everything as it was is no news.
    fn serve<F>(
        &mut self,
        listeners: &Listeners,
        switch: bool,
        task: impl Fn(AsyncFd<OwnedFd>, mpsc::Sender<Question>) -> F,
    ) -> Option<&[(String, bool)]>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.rest();
        for listener in listeners.iter() {
            match clients::listening(listener) {
                Ok(socket) => {
                    self.tasks.spawn(task(socket, self.questions.clone()));
                }
                Err(error) => {
                    error!(address = %listener.bound, error = %one_line(&error), "an address is not served");
                }
            }
        }
        let served = listeners.iter();
        let served: Vec<_> = served.map(|one| (one.bound.clone(), switch)).collect();
        let is_news = served != self.told;
        self.told = served;
        is_news.then_some(&self.told)
    }
}

impl Supervisor {
    /// Serves the addresses of this generation from now on, and of no other.
    pub(super) fn serve_sides(&mut self, number: u32) {
        for (other, generation) in &mut self.generations {
            if *other != number {
                generation.stats = Listeners::default();
                generation.metrics = Listeners::default();
            }
        }
        let Some(generation) = self.generations.get(&number) else {
            return;
        };
        let (http, page) = (
            generation.settings.stats.http,
            generation.settings.metrics.page,
        );
        let task = |socket, questions| super::stats::serve(socket, http, questions);
        if let Some(news) = self.stats.serve(&generation.stats, http, task) {
            super::stats::tell(news);
        }
        let task = |socket, questions| super::metrics::serve(socket, page, questions);
        if let Some(news) = self.metrics.serve(&generation.metrics, page, task) {
            super::metrics::tell(news);
        }
    }

    /// Answers the task of a client; one that has gone is not missed.
    pub(super) fn answer_side(&self, question: Question) {
        match question {
            Question::Metrics(answer) => _ = answer.send(self.metrics_facts()),
            Question::Stats(answer) => _ = answer.send(self.stats_facts()),
        }
    }
}
