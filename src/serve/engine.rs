//! What a worker serves with, all of it: made here, and looked up by those who serve. `turns` is its loop.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use rustix::{
    event::{EventfdFlags, epoll, eventfd},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, fcntl_dupfd_cloexec},
};

use super::{
    accept::{Listener, ListeningSocket},
    access::Origin,
    application::Application,
    connection::Connection,
    flusher::Flusher,
    foreign::Foreign,
    handover::Handover,
    local::Local,
    making_way::Turns,
    pages::PageError,
    program::Lanes,
    rules::Rules,
    standby::Standby,
    table::Table,
    timers::Timers,
    watch::Watches,
};
use crate::{
    config::{RedirectTarget, Settings},
    journal::Gathered,
    scoreboard::{Scoreboard, ThreadSlot, now_us},
    static_files::MediaTypesError,
    sys,
};

/// All that an engine is made of.
pub struct Plan {
    /// The site's settings.
    pub settings: Settings,
    /// Where connections come from.
    pub listeners: Vec<ListeningSocket>,
    /// Where requests are recorded.
    pub scoreboard: Arc<Scoreboard>,
    /// This worker's place there.
    pub slot: u32,
    /// `SERVER_NAME` of HTTP requests.
    pub server_name: String,
    /// Where threads gather lines of the access log; `None`: they write each at once.
    pub gathered: Option<Arc<Gathered>>,
    /// How far each thread is with its request; made for the same scoreboard and slot.
    pub watches: Arc<Watches>,
    /// The way to the other workers for connections that wait, where a thread stands by.
    pub handover: Option<Handover>,
    /// The first of these to become readable (or closed) starts the drain.
    pub drain: Vec<OwnedFd>,
    /// When this becomes readable (or closed), `on_control` is called.
    pub control: Option<OwnedFd>,
    /// Reads what the supervisor says, from any thread; gives whether it asks for the drain.
    pub on_control: Box<dyn Fn() -> bool + Send + Sync>,
    /// Called by the first thread of a site that wakes up after the supervisor has asked for it.
    pub on_ring: Box<dyn Fn() + Send + Sync>,
    /// Called once, when the drain has begun and nothing more is accepted.
    pub on_drain: Box<dyn Fn() + Send + Sync>,
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A system call failed.
    #[error("the worker's event loop cannot {operation}")]
    Call {
        /// What it was for.
        operation: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// A page for errors cannot be used.
    #[error(transparent)]
    ErrorPage(PageError),
    /// A table of media types cannot be used.
    #[error(transparent)]
    MediaTypes(MediaTypesError),
}

/// See the module.
pub struct Engine<A: Application> {
    pub(super) app: A,
    pub(super) rules: Rules,
    /// Itself, for threads of its own; set by [`Engine::share`].
    pub(super) shared: OnceLock<Weak<Self>>,
    /// How many programs may run.
    pub(super) lanes: Arc<Lanes>,
    pub(super) standby: Option<Standby>,
    /// For threads; greenlets have none.
    pub(super) flusher: Flusher,
    /// Where the loop is somebody else's; nobody stands by then.
    pub(super) foreign: Option<Foreign>,
    pub(super) handover: Option<Handover>,
    pub(super) draining: AtomicBool,
    /// Whether connections had come when accepting ended, for which nobody else is woken; unset before that.
    pub(super) has_late_arrivals: OnceLock<bool>,
    pub(super) epoll: OwnedFd,
    pub(super) listeners: Vec<Listener>,
    /// Whether other workers have them too.
    pub(super) shares_listeners: bool,
    /// Whether a thread has begun to end the connections that wait.
    pub(super) draining_table: AtomicBool,
    pub(super) watches: Arc<Watches>,
    pub(super) drain: Vec<OwnedFd>,
    /// One of `drain`, for [`Engine::stop`].
    pub(super) stop: OwnedFd,
    control: Option<OwnedFd>,
    pub(super) on_control: Box<dyn Fn() -> bool + Send + Sync>,
    pub(super) on_ring: Box<dyn Fn() + Send + Sync>,
    pub(super) on_drain: Box<dyn Fn() + Send + Sync>,
    /// Written when the last connection of a draining worker has gone; left readable, so that all threads see it.
    pub(super) ended: OwnedFd,
    pub(super) timers: Timers,
    pub(super) table: Table,
    /// Connections that are open.
    pub(super) open: AtomicUsize,
    /// Whether accepting rests.
    pub(super) resting: AtomicBool,
    /// When it is news again that it does, in milliseconds of the coarse clock.
    pub(super) rest_told: AtomicU64,
    /// Whether there are, or were, child processes with copies of our sockets.
    pub(super) has_forked: AtomicBool,
    server_name: String,
    pub(super) gathered: Option<Arc<Gathered>>,
    pub(super) scoreboard: Arc<Scoreboard>,
    pub(super) slot: u32,
    threads: u32,
    /// How far each of those is.
    pub(super) turns: Turns,
}

/// What an event is about; the number beside it is in the low half of epoll's data.
#[derive(Clone, Copy)]
pub(super) enum Topic {
    Connection = 0,
    Drain = 1,
    Ended = 2,
    Listener = 3,
    Timer = 4,
    Control = 5,
    Left = 6,
    Handed = 7,
}

pub(super) fn token(topic: Topic, number: u32) -> epoll::EventData {
    epoll::EventData::new_u64(((topic as u64) << 32) | u64::from(number))
}

impl<A: Application> Engine<A> {
    /// An engine that has taken over its listeners and waits for [`Engine::run`].
    ///
    /// # Errors
    /// A descriptor cannot be made or registered.
    pub fn new(plan: Plan, app: A) -> Result<Self, EngineError> {
        let failed = |operation| {
            move |source: Errno| EngineError::Call {
                operation,
                source: source.into(),
            }
        };
        let counter = || eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let stop = counter().map_err(failed("make an eventfd"))?;
        let mut drain = plan.drain;
        drain.push(fcntl_dupfd_cloexec(&stop, 0).map_err(failed("make an eventfd"))?);
        let is_green = plan.settings.workers.is_green();
        let threads = plan.settings.workers.requests_at_once();
        let engine = Self {
            app,
            rules: Rules::new(&plan.settings)?,
            shared: OnceLock::new(),
            lanes: Lanes::new(&plan.settings.cgi),
            standby: standby(&plan.settings)?,
            flusher: Flusher::new(if is_green { 0 } else { threads }),
            foreign: is_green.then(Foreign::default),
            handover: plan.handover,
            draining: AtomicBool::new(false),
            has_late_arrivals: OnceLock::new(),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)
                .map_err(failed("make an epoll instance"))?,
            listeners: plan.listeners.into_iter().map(Listener::new).collect(),
            shares_listeners: plan.settings.workers.processes > 1,
            draining_table: AtomicBool::new(false),
            watches: plan.watches,
            drain,
            stop,
            control: plan.control,
            on_control: plan.on_control,
            on_ring: plan.on_ring,
            on_drain: plan.on_drain,
            ended: counter().map_err(failed("make an eventfd"))?,
            timers: Timers::new().map_err(|source| EngineError::Call {
                operation: "make a timer",
                source,
            })?,
            table: Table::new(),
            open: AtomicUsize::new(0),
            resting: AtomicBool::new(false),
            rest_told: AtomicU64::new(0),
            has_forked: AtomicBool::new(false),
            server_name: plan.server_name,
            gathered: plan.gathered,
            scoreboard: plan.scoreboard,
            slot: plan.slot,
            threads,
            turns: Turns::new(threads),
        };
        engine.watches.say(engine.rules.too_late());
        engine.register().map_err(failed("watch its descriptors"))?;
        Ok(engine)
    }

    /// The engine for several threads. Without this it runs no programs, since each of them takes a thread.
    pub fn share(self) -> Arc<Self> {
        Arc::new_cyclic(|shared| {
            // A new engine is shared with nobody.
            let _ = self.shared.set(Weak::clone(shared));
            self
        })
    }

    fn register(&self) -> Result<(), Errno> {
        let once = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&self.epoll, self.timers.fd(), token(Topic::Timer, 0), once)?;
        epoll::add(
            &self.epoll,
            &self.ended,
            token(Topic::Ended, 0),
            epoll::EventFlags::IN,
        )?;
        if let Some(standby) = &self.standby {
            epoll::add(&self.epoll, standby.bell(), token(Topic::Left, 0), once)?;
        }
        for fd in &self.drain {
            epoll::add(&self.epoll, fd, token(Topic::Drain, 0), once)?;
        }
        if let Some(control) = &self.control {
            epoll::add(&self.epoll, control, token(Topic::Control, 0), once)?;
        }
        for listener in &self.listeners {
            // An accept that finds nothing must not block: another worker may have been faster.
            fcntl_setfl(&listener.fd, fcntl_getfl(&listener.fd)? | OFlags::NONBLOCK)?;
        }
        self.watch_handover()?;
        self.watch_listeners()
    }

    /// How many threads are to call [`Engine::run`], or how many greenlets there may be.
    pub fn threads(&self) -> u32 {
        self.threads
    }

    /// To be called after the application has forked, in its parent: a child has copies of all sockets, and as long as
    /// it lives, closing them does not tell their clients of an end.
    pub fn note_fork(&self) {
        self.has_forked.store(true, Ordering::Relaxed);
    }

    /// To be called after the application has forked, in its child, which never serves: the child may outlive the
    /// site, and must not keep its addresses.
    ///
    /// # Errors
    /// A system call that cannot fail but for want of descriptors has failed.
    pub fn leave_listeners(&self) -> io::Result<()> {
        let listeners = self.listeners.iter().map(|one| one.fd.as_fd());
        let handover = self.handover.iter().flat_map(Handover::ends);
        sys::replace_with_null(&listeners.chain(handover).collect::<Vec<_>>())
    }

    /// Whether every thread of the site that could accept has been at the same request for so long.
    pub(super) fn is_site_kept(&self, for_us: u64) -> bool {
        self.scoreboard.is_kept(self.threads, now_us(), for_us)
    }

    /// Where requests of this thread are recorded.
    pub(super) fn record(&self, local: &Local) -> &ThreadSlot {
        self.scoreboard.thread(self.slot, local.index)
    }

    /// Where requests of this thread are answered, for entries of its requests.
    pub(super) fn origin(&self, local: &Local) -> Origin<'_> {
        Origin {
            scoreboard: &self.scoreboard,
            slot: self.slot,
            thread: local.index,
        }
    }

    /// Where the requests of a connection are sent instead of the application.
    pub(super) fn redirect(&self, connection: &Connection) -> Option<&RedirectTarget> {
        let listener = self.listeners.get(connection.listener)?;
        listener.redirect.as_ref()
    }

    /// `SERVER_NAME` and `SERVER_PORT` of a connection.
    pub(super) fn server(&self, connection: &Connection) -> (&str, &str) {
        let port = self
            .listeners
            .get(connection.listener)
            .map_or("", |listener| &listener.port);
        (&self.server_name, port)
    }
}

fn standby(settings: &Settings) -> Result<Option<Standby>, EngineError> {
    let stands_by = settings.answers_alone() && !settings.workers.is_green();
    let standby = stands_by.then(Standby::new);
    standby.transpose().map_err(|source| EngineError::Call {
        operation: "make an eventfd",
        source,
    })
}
