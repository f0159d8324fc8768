//! Who waits for the stacks of a worker: the rules, which want them in the log, and clients of the control socket, who
//! get them in their answer.
//!
//! A worker has one pipe for its stacks, so that one dump answers everybody who waits for it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{control::Reply, lifecycle::WorkerId};

/// A worker that has written nothing for so long is asked once more. One that is stopped keeps every signal for later,
/// so that it is not asked as often as clients want.
const AGAIN: Duration = Duration::from_secs(5);

/// The workers that were asked and have not answered.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    workers: BTreeMap<WorkerId, Wanted>,
}

#[derive(Debug)]
struct Wanted {
    since: Instant,
    by_rules: bool,
    /// The server lets each client wait for a short time only, and there are never more than it lets in.
    clients: Vec<oneshot::Sender<Reply>>,
}

impl Dumps {
    /// The rules want the stacks of a worker; gives whether it has to be asked for them.
    pub(super) fn for_rules(&mut self, worker: WorkerId, now: Instant) -> bool {
        let (wanted, asks) = self.want(worker, now);
        wanted.by_rules = true;
        asks
    }

    /// A client waits; gives whether the worker has to be asked for it.
    pub(super) fn for_client(
        &mut self,
        worker: WorkerId,
        client: oneshot::Sender<Reply>,
        now: Instant,
    ) -> bool {
        let (wanted, asks) = self.want(worker, now);
        wanted.clients.retain(|client| !client.is_closed());
        wanted.clients.push(client);
        asks
    }

    /// The worker has written `text`, or nothing in the time that the rules give it; then everybody goes on waiting. Gives
    /// whether the log is to have it: unless clients alone have asked for it.
    pub(super) fn answer(&mut self, worker: WorkerId, text: &str) -> bool {
        if text.is_empty() {
            return true;
        }
        let Some(wanted) = self.workers.remove(&worker) else {
            return true;
        };
        for client in wanted.clients {
            // A client that has gone is not missed.
            let _ = client.send(Reply::Stack {
                text: text.to_owned(),
            });
        }
        wanted.by_rules
    }

    /// The worker is gone, and whoever waits hears of it.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        let wanted = self.workers.remove(&worker);
        for client in wanted.into_iter().flat_map(|wanted| wanted.clients) {
            let _ = client.send(Reply::refused("the worker has ended meanwhile"));
        }
    }

    /// What is wanted of a worker, and whether it was not asked yet, or has been silent for so long.
    fn want(&mut self, worker: WorkerId, now: Instant) -> (&mut Wanted, bool) {
        let mut asks = false;
        let wanted = self.workers.entry(worker).or_insert_with(|| {
            asks = true;
            Wanted {
                since: now,
                by_rules: false,
                clients: Vec::new(),
            }
        });
        if now.saturating_duration_since(wanted.since) >= AGAIN {
            wanted.since = now;
            asks = true;
        }
        (wanted, asks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: WorkerId = WorkerId(7);

    /// A client's end, and whether the worker had to be asked.
    fn ask(dumps: &mut Dumps, now: Instant) -> (oneshot::Receiver<Reply>, bool) {
        let (sender, receiver) = oneshot::channel();
        let asks = dumps.for_client(WORKER, sender, now);
        (receiver, asks)
    }

    fn told(text: &str) -> Result<Reply, oneshot::error::TryRecvError> {
        Ok(Reply::Stack { text: text.into() })
    }

    #[test]
    fn one_dump_answers_everybody_and_the_log_stays_as_it_was() {
        let (mut dumps, now) = (Dumps::default(), Instant::now());
        let (mut first, asks) = ask(&mut dumps, now);
        let (mut second, asks_again) = ask(&mut dumps, now);
        assert_eq!((asks, asks_again), (true, false));
        assert!(!dumps.answer(WORKER, "stacks"));
        assert_eq!(first.try_recv(), told("stacks"));
        assert_eq!(second.try_recv(), told("stacks"));
        assert!(ask(&mut dumps, now).1, "what was answered is over");
    }

    #[test]
    fn what_the_rules_or_nobody_asked_for_is_logged() {
        let (mut dumps, now) = (Dumps::default(), Instant::now());
        assert!(dumps.answer(WORKER, "somebody has sent the signal"));
        let (mut client, _) = ask(&mut dumps, now);
        assert!(!dumps.for_rules(WORKER, now), "it was asked already");
        assert!(dumps.answer(WORKER, "stacks"));
        assert_eq!(client.try_recv(), told("stacks"));
    }

    #[test]
    fn what_comes_late_is_for_everybody_still() {
        let (mut dumps, now) = (Dumps::default(), Instant::now());
        assert!(dumps.for_rules(WORKER, now));
        let (mut client, asks) = ask(&mut dumps, now);
        assert!(!asks && dumps.answer(WORKER, ""));
        assert!(dumps.answer(WORKER, "late"));
        assert_eq!(client.try_recv(), told("late"));
    }

    #[test]
    fn a_worker_that_does_not_answer_is_asked_again_now_and_then() {
        let (mut dumps, now) = (Dumps::default(), Instant::now());
        let asked = [0, 1, 4, 5, 6, 9, 10].map(|seconds| {
            let (client, asks) = ask(&mut dumps, now + Duration::from_secs(seconds));
            drop(client);
            asks
        });
        assert_eq!(asked, [true, false, false, true, false, false, true]);
        assert_eq!(dumps.workers[&WORKER].clients.len(), 1);
    }

    #[test]
    fn whoever_waits_for_a_worker_that_ends_is_told() {
        let mut dumps = Dumps::default();
        let (mut client, _) = ask(&mut dumps, Instant::now());
        dumps.forget(WORKER);
        assert!(matches!(client.try_recv(), Ok(Reply::Refused { .. })));
    }
}
