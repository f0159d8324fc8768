//! What the supervisor waits for, all at once; what is done about it is in `run`.

use std::{
    collections::BTreeSet,
    future,
    io::{self, IsTerminal},
    os::fd::{AsFd, OwnedFd},
    time::Instant,
};

use tokio::{
    io::unix::AsyncFd,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval, sleep_until},
};

use crate::systemd::watchdog_interval;

use super::{
    SupervisorError,
    children::Children,
    control::{Asked, Server},
    lifecycle::StopSignal,
    pressure::Pressure,
    readable, setup,
    side::Question,
    succession::Word,
    watch::{Watch, Wish},
};

/// Where events come from.
pub(super) struct Sources {
    /// The channels' epoll instance, by a duplicate: the channels are the supervisor's.
    channels: AsyncFd<OwnedFd>,
    child: Signal,
    pub(super) control: Option<Server>,
    has_terminal: bool,
    hangup: Signal,
    interrupt: Signal,
    pressure: Pressure,
    reopen: Signal,
    /// Clients of the addresses of `[stats]` and `[metrics]`.
    sides: mpsc::Receiver<Question>,
    /// Supervisors before and after this one.
    succession: mpsc::Receiver<Word>,
    terminate: Signal,
    /// `None`: somebody else watches.
    pub(super) watch: Option<Watch>,
    pub(super) watchdog: Option<Interval>,
}

/// What ended the wait.
pub(super) enum Wake {
    /// A client of the control socket wants something.
    Asked(Asked),
    /// Somebody has said something, a process has ended, or time has passed.
    Look,
    /// Memory is short.
    MemoryPressure,
    Reload,
    Reopen,
    /// A client of another address wants to know something.
    Side(Question),
    Stop(StopSignal),
    Watchdog,
    /// Files have changed.
    Wished(BTreeSet<Wish>),
    /// Another supervisor has said something.
    Word(Word),
}

impl Sources {
    /// Signals are handled from here on.
    pub(super) fn new(
        children: &Children,
        watch: Watch,
        sides: mpsc::Receiver<Question>,
        succession: mpsc::Receiver<Word>,
    ) -> Result<Self, SupervisorError> {
        let channels = children.as_fd().try_clone_to_owned();
        let channels = channels.and_then(readable);
        let on = |kind| signal(kind).map_err(setup("handle signals"));
        Ok(Self {
            channels: channels.map_err(setup("wait for the channels"))?,
            child: on(SignalKind::child())?,
            control: None,
            has_terminal: io::stderr().is_terminal(),
            hangup: on(SignalKind::hangup())?,
            interrupt: on(SignalKind::interrupt())?,
            pressure: Pressure::new(),
            reopen: on(SignalKind::user_defined1())?,
            sides,
            succession,
            terminate: on(SignalKind::terminate())?,
            watch: Some(watch),
            watchdog: None,
        })
    }

    /// Another supervisor is in charge: it speaks with clients and sees what changes.
    pub(super) fn rest(&mut self) {
        if let Some(control) = &mut self.control {
            control.rest();
        }
        self.watch = None;
        self.watchdog = None;
    }

    /// SIGHUP means reload, unless it means what it says: the terminal of a server in the foreground is closed.
    fn hung_up(&self) -> Wake {
        match self.has_terminal && !io::stderr().is_terminal() {
            true => Wake::Stop(StopSignal::Terminate),
            false => Wake::Reload,
        }
    }

    /// The next thing that happens, or [`Wake::Look`] at `deadline`.
    pub(super) async fn wait(&mut self, deadline: Option<Instant>) -> Wake {
        let time = async {
            match deadline {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => future::pending().await,
            }
        };
        let watchdog = async {
            match &mut self.watchdog {
                Some(interval) => interval.tick().await,
                None => future::pending().await,
            }
        };
        let asked = async {
            match &mut self.control {
                Some(control) => control.asked().await,
                None => future::pending().await,
            }
        };
        let changed = async {
            match &mut self.watch {
                Some(watch) => watch.changed().await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            Some(asked) = asked => Wake::Asked(asked),
            ready = self.channels.readable() => {
                // Everything is read after this, so that the next word makes it ready again.
                if let Ok(mut ready) = ready {
                    ready.clear_ready();
                }
                Wake::Look
            }
            _ = self.child.recv() => Wake::Look,
            () = time => Wake::Look,
            _ = self.hangup.recv() => self.hung_up(),
            wishes = changed => Wake::Wished(wishes),
            () = self.pressure.pressed() => Wake::MemoryPressure,
            _ = self.interrupt.recv() => Wake::Stop(StopSignal::Interrupt),
            _ = self.reopen.recv() => Wake::Reopen,
            Some(question) = self.sides.recv() => Wake::Side(question),
            Some(word) = self.succession.recv() => Wake::Word(word),
            _ = self.terminate.recv() => Wake::Stop(StopSignal::Terminate),
            _ = watchdog => Wake::Watchdog,
        }
    }
}

/// When the service manager is to hear of us, if it wants to.
pub(super) fn watchdog() -> Option<Interval> {
    let mut interval = interval(watchdog_interval()?);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(interval)
}
