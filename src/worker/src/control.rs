//! What the supervisor says to a worker, and the guard that hears it when all threads are busy.
//!
//! Usually a thread of the engine hears the supervisor between two requests. Where requests have deadlines this is not
//! enough: the only thread may be the one that is stuck, in C code that keeps the interpreter lock. So there a thread of
//! its own listens too. It knows no Python, has no lock that the application could hold, and sleeps all its life but
//! for a few moments. A worker without deadlines has none, so that a fork by its application copies all there is.

use std::{
    os::fd::OwnedFd,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use hostler::{
    config::LogTarget,
    ipc::{Channel, FromWorker, IpcError, ToWorker},
    journal,
    serve::Engine,
    sys,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::{error, warn};

use crate::{harakiri::Harakiri, wsgi::Wsgi};

/// The connection with the supervisor.
pub(crate) struct Control {
    channel: Channel,
    harakiri: Arc<Harakiri>,
    /// Several threads are woken by one message.
    reading: Mutex<()>,
    has_ended: AtomicBool,
}

impl Control {
    pub(crate) fn new(channel: Channel, harakiri: Arc<Harakiri>) -> Self {
        Self {
            channel,
            harakiri,
            reading: Mutex::new(()),
            has_ended: AtomicBool::new(false),
        }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Does what the supervisor has said by now; gives whether the worker is to drain.
    pub(crate) fn hear(&self) -> bool {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut drain = false;
        while !self.has_ended() && self.wait(Some(&Timespec::default())) {
            match self.channel.recv() {
                Ok(Some((ToWorker::Log(targets), fds))) => {
                    follow_log(&targets, &fds);
                    continue;
                }
                Ok(Some((ToWorker::Drain, _))) => {}
                Ok(Some((ToWorker::Harakiri { threads }, _))) => self.harakiri.end(&threads),
                Ok(None) => self.has_ended.store(true, Ordering::Relaxed),
                Err(error) => {
                    error!(error = %crate::chain(&error), "the supervisor cannot be understood; the worker drains");
                    self.has_ended.store(true, Ordering::Relaxed);
                }
            }
            drain = true;
        }
        drain
    }

    /// Whether the supervisor will say no more.
    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    fn wait(&self, limit: Option<&Timespec>) -> bool {
        let mut fds = [PollFd::new(&self.channel, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut fds, limit)).is_ok_and(|ready| ready > 0)
    }

    /// A supervisor that is gone cannot be told; that it is gone is in its own log or in systemd's.
    pub(crate) fn tell(&self, message: &FromWorker) {
        match self.channel.send(message, &[]) {
            Ok(()) | Err(IpcError::Closed) => {}
            Err(error) => {
                warn!(error = %crate::chain(&error), "cannot report to the supervisor");
            }
        }
    }
}

/// Goes on in log files that were opened anew.
pub(crate) fn follow_log(targets: &[LogTarget], fds: &[OwnedFd]) {
    if let Err(error) = journal::replace(targets, fds) {
        error!(%error, "the log goes on in the files of before");
    }
}

/// See the module.
pub(crate) struct Guard {
    engine: Arc<Engine<Wsgi>>,
    control: Arc<Control>,
    started: Once,
}

impl Guard {
    pub(crate) fn new(engine: &Arc<Engine<Wsgi>>, control: &Arc<Control>) -> Self {
        Self {
            engine: Arc::clone(engine),
            control: Arc::clone(control),
            started: Once::new(),
        }
    }

    /// From now on requests may have deadlines.
    pub(crate) fn start(&self) {
        self.started.call_once(|| {
            let (engine, control) = (Arc::clone(&self.engine), Arc::clone(&self.control));
            let started = sys::spawn_helper("hostler-guard", move || listen(&engine, &control));
            if let Err(error) = started {
                error!(%error, "requests that take too long will be killed without a word to their clients");
            }
        });
    }
}

fn listen(engine: &Engine<Wsgi>, control: &Control) {
    while !control.has_ended() {
        control.wait(None);
        if control.hear() {
            engine.stop();
        }
    }
}
