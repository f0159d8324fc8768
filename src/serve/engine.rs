//! The loop of a worker: wait, take what is ready, let `drive` go on with it, wait again; and the drain at the end.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    },
    time::Duration,
};

use rustix::{
    event::{EventfdFlags, epoll, eventfd},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
    net::{SocketFlags, acceptfrom_with},
};
use tracing::{error, warn};

use super::{
    application::Application,
    clock::coarse_ms,
    connection::{Connection, Phase},
    drive::Next,
    exchange::Scratch,
    table::{Slot, Table},
    timers::{NEVER, Timers},
};
use crate::{
    config::{Protocol, Settings, TrustedProxy},
    ipc::ListenerInfo,
    protocol::http::head::Limits,
    scoreboard::{Scoreboard, ThreadSlot},
};

/// Connections accepted before other events get their turn.
const ACCEPTS: usize = 16;
/// Events taken at once by a lone thread. With more threads each takes one: what one thread took, no other can.
const EVENTS: usize = 64;
/// How long accepting rests when descriptors or memory have run out.
const ACCEPT_REST_MS: u64 = 100;
/// How long an idle connection of a draining worker may still bring the request that its client has sent already.
const DRAIN_IDLE_MS: u64 = 1_000;
/// Buffers and connections that a thread keeps for reuse.
const SPARES: usize = 32;
/// Larger buffers are given back to the allocator.
const SPARE_CAPACITY: usize = 64 << 10;
/// Unread request bodies up to here are read and dropped, so that the connection lives on.
const DISCARD: u64 = 256 << 10;

/// All that an engine is made of.
pub struct Plan {
    /// The site's settings.
    pub settings: Settings,
    /// Listening sockets, with what is spoken on them.
    pub listeners: Vec<(ListenerInfo, OwnedFd)>,
    /// Where requests are recorded.
    pub scoreboard: Arc<Scoreboard>,
    /// This worker's place there.
    pub slot: u32,
    /// `SERVER_NAME` of HTTP requests.
    pub server_name: String,
    /// The first of these to become readable (or closed) starts the drain.
    pub drain: Vec<OwnedFd>,
}

/// The settings as the request path needs them.
pub(super) struct Rules {
    pub(super) http: Limits,
    pub(super) uwsgi_packet: usize,
    pub(super) body_limit: u64,
    pub(super) read_ahead: u64,
    pub(super) spool_above: u64,
    pub(super) keep_alive_ms: u64,
    pub(super) header_ms: u64,
    pub(super) body_ms: u64,
    pub(super) send_ms: u64,
    pub(super) socket: Duration,
    pub(super) buffering: u64,
    pub(super) discard: u64,
    pub(super) trusted: Vec<TrustedProxy>,
}

impl Rules {
    fn new(settings: &Settings) -> Self {
        let ms = |span: crate::config::TimeSpan| {
            u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX >> 1)
        };
        let size = |size: crate::config::ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
        Self {
            http: Limits {
                head: size(settings.http.buffer_size),
                body: settings.http.max_body.0,
            },
            uwsgi_packet: size(settings.uwsgi.buffer_size),
            body_limit: settings.http.max_body.0,
            read_ahead: settings.request.post_buffering.0,
            spool_above: settings.request.spool_above.0,
            keep_alive_ms: ms(settings.http.keep_alive),
            header_ms: ms(settings.http.header_timeout),
            body_ms: ms(settings.http.body_timeout),
            send_ms: ms(settings.http.send_timeout),
            socket: settings.timeouts.socket.0,
            buffering: settings.response.buffering.0,
            discard: DISCARD,
            trusted: settings.http.trusted_proxies.clone(),
        }
    }
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
#[error("the worker's event loop cannot {operation}")]
pub struct EngineError {
    operation: &'static str,
    source: io::Error,
}

struct Listener {
    fd: OwnedFd,
    protocol: Protocol,
    port: String,
}

/// See the module.
pub struct Engine<A: Application> {
    pub(super) app: A,
    pub(super) rules: Rules,
    pub(super) draining: AtomicBool,
    epoll: OwnedFd,
    listeners: Vec<Listener>,
    drain: Vec<OwnedFd>,
    /// Written once, when the last connection of a draining worker has gone; never read, so that all threads see it.
    ended: OwnedFd,
    timers: Timers,
    table: Table,
    open: AtomicUsize,
    resting: AtomicBool,
    server_name: String,
    scoreboard: Arc<Scoreboard>,
    slot: u32,
    threads: u32,
}

/// What one thread of the loop has for itself.
pub(super) struct Local {
    pub(super) index: u32,
    pub(super) scratch: Scratch,
    buffers: Vec<Vec<u8>>,
    connections: Vec<Box<Connection>>,
}

/// What an event is about; the number beside it is in the low half of epoll's data.
#[derive(Clone, Copy)]
enum Topic {
    Connection = 0,
    Drain = 1,
    Ended = 2,
    Listener = 3,
    Timer = 4,
}

fn token(topic: Topic, number: u32) -> epoll::EventData {
    epoll::EventData::new_u64(((topic as u64) << 32) | u64::from(number))
}

impl<A: Application> Engine<A> {
    /// An engine that has taken over its listeners and waits for [`Engine::run`].
    ///
    /// # Errors
    /// A descriptor cannot be made or registered.
    pub fn new(plan: Plan, app: A) -> Result<Self, EngineError> {
        let failed = |operation| {
            move |source: Errno| EngineError {
                operation,
                source: source.into(),
            }
        };
        let engine = Self {
            app,
            rules: Rules::new(&plan.settings),
            draining: AtomicBool::new(false),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)
                .map_err(failed("make an epoll instance"))?,
            listeners: plan
                .listeners
                .into_iter()
                .map(|(info, fd)| Listener::new(&info, fd))
                .collect(),
            drain: plan.drain,
            ended: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
                .map_err(failed("make an eventfd"))?,
            timers: Timers::new().map_err(|source| EngineError {
                operation: "make a timer",
                source,
            })?,
            table: Table::new(),
            open: AtomicUsize::new(0),
            resting: AtomicBool::new(false),
            server_name: plan.server_name,
            scoreboard: plan.scoreboard,
            slot: plan.slot,
            threads: plan.settings.workers.threads,
        };
        engine.register().map_err(failed("watch its descriptors"))?;
        Ok(engine)
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
        for fd in &self.drain {
            epoll::add(&self.epoll, fd, token(Topic::Drain, 0), once)?;
        }
        for listener in &self.listeners {
            // An accept that finds nothing must not block: another worker may have been faster.
            fcntl_setfl(&listener.fd, fcntl_getfl(&listener.fd)? | OFlags::NONBLOCK)?;
        }
        self.watch_listeners()
    }

    /// EPOLLEXCLUSIVE: a new connection wakes one worker that has a thread to spare, not all of them.
    fn watch_listeners(&self) -> Result<(), Errno> {
        for (number, listener) in self.listeners.iter().enumerate() {
            let flags = epoll::EventFlags::IN | epoll::EventFlags::EXCLUSIVE;
            epoll::add(
                &self.epoll,
                &listener.fd,
                token(Topic::Listener, number as u32),
                flags,
            )?;
        }
        Ok(())
    }

    fn unwatch_listeners(&self) {
        for listener in &self.listeners {
            // Not registered (already resting) is as good.
            let _ = epoll::delete(&self.epoll, &listener.fd);
        }
    }

    /// Serves until the worker has drained. Call it once from each of the worker's threads; `index` counts from 0.
    pub fn run(&self, index: u32, thread: &mut A::Thread) {
        let mut local = Local {
            index,
            scratch: Scratch::default(),
            buffers: Vec::new(),
            connections: Vec::new(),
        };
        let at_once = if self.threads == 1 { EVENTS } else { 1 };
        let mut ready = Vec::with_capacity(at_once);
        while !self.has_ended() {
            let waited = self
                .app
                .while_waiting(thread, || self.wait(at_once, &mut ready));
            match waited {
                Ok(()) | Err(Errno::INTR) => {}
                Err(error) => {
                    error!(%error, "the worker's event loop cannot wait; the worker drains");
                    self.begin_drain(&mut local, thread);
                }
            }
            for data in ready.drain(..) {
                self.dispatch(data, &mut local, thread);
            }
        }
    }

    fn wait(&self, at_once: usize, ready: &mut Vec<u64>) -> Result<(), Errno> {
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); EVENTS];
        let (events, _) = epoll::wait(&self.epoll, &mut events[..at_once], None)?;
        ready.extend(events.iter().map(|event| event.data.u64()));
        Ok(())
    }

    /// How many threads are to call [`Engine::run`].
    pub fn threads(&self) -> u32 {
        self.threads
    }

    fn dispatch(&self, data: u64, local: &mut Local, thread: &mut A::Thread) {
        const CONNECTION: u64 = Topic::Connection as u64;
        const DRAIN: u64 = Topic::Drain as u64;
        const LISTENER: u64 = Topic::Listener as u64;
        const TIMER: u64 = Topic::Timer as u64;
        match data >> 32 {
            CONNECTION => {
                if let Some(slot) = self.table.slot(data as u32) {
                    slot.mark();
                    self.attend(slot, local, thread);
                }
            }
            DRAIN => self.begin_drain(local, thread),
            LISTENER => self.accept(data as u32 as usize, local, thread),
            TIMER => self.sweep(local, thread),
            _ => {}
        }
    }

    fn accept(&self, number: usize, local: &mut Local, thread: &mut A::Thread) {
        let Some(listener) = self.listeners.get(number) else {
            return;
        };
        for _ in 0..ACCEPTS {
            if self.draining.load(Ordering::Relaxed) {
                return;
            }
            match acceptfrom_with(&listener.fd, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok((socket, address)) => {
                    let mut connection = local.connection(socket, number, listener.protocol);
                    connection.peer.set(address, &self.rules.trusted);
                    self.open.fetch_add(1, Ordering::SeqCst);
                    match self.drive(&mut connection, local, thread) {
                        Next::Close => self.close(connection, local),
                        Next::Wait => self.park(connection, local, thread),
                    }
                }
                Err(Errno::AGAIN) => return,
                Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                    return self.rest(error);
                }
                // accept(2): errors of the new connection, which is gone; the listener is well.
                Err(_) => {}
            }
        }
    }

    /// Stops accepting for a moment: with descriptors exhausted the listener stays ready, and the loop would spin.
    fn rest(&self, error: Errno) {
        if !self.resting.swap(true, Ordering::SeqCst) {
            warn!(%error, "connections cannot be accepted for a moment; they wait in the queue");
            self.unwatch_listeners();
            self.timers.arm(coarse_ms() + ACCEPT_REST_MS);
        }
    }

    /// Gives a connection that has to wait a place in the table, and lets epoll watch it.
    fn park(&self, mut connection: Box<Connection>, local: &mut Local, thread: &mut A::Thread) {
        let Some((number, slot, mut place)) = self.table.reserve() else {
            warn!("a connection was closed: this worker has as many as it can hold");
            return self.close(connection, local);
        };
        connection.slot = Some(number);
        let mut flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        flags.set(epoll::EventFlags::OUT, connection.phase == Phase::Flush);
        connection.watches_output = connection.phase == Phase::Flush;
        if let Err(error) = epoll::add(
            &self.epoll,
            &connection.socket,
            token(Topic::Connection, number),
            flags,
        ) {
            warn!(%error, "a connection was closed: it cannot be watched");
            drop(place);
            self.table.release(number);
            return self.close(connection, local);
        }
        self.note_deadline(slot, &connection);
        *place = Some(connection);
        drop(place);
        fence(Ordering::SeqCst);
        self.attend(slot, local, thread);
    }

    /// Goes on with the connection of a marked slot, unless another thread is at it, which then sees the mark.
    fn attend(&self, slot: &Slot, local: &mut Local, thread: &mut A::Thread) {
        while slot.is_marked() {
            let Some(mut place) = slot.try_own() else {
                return;
            };
            slot.clear_mark();
            let Some(connection) = place.as_mut() else {
                return;
            };
            connection.drained = false;
            local.lend_buffer(connection);
            match self.drive(connection, local, thread) {
                Next::Wait => self.note_deadline(slot, connection),
                Next::Close => {
                    let gone = place.take();
                    slot.deadline.store(NEVER, Ordering::SeqCst);
                    drop(place);
                    if let Some(connection) = gone {
                        self.unpark(connection, local);
                    }
                    return;
                }
            }
            drop(place);
            // Between letting go and looking for a mark: see `Slot::mark`.
            fence(Ordering::SeqCst);
        }
    }

    fn unpark(&self, connection: Box<Connection>, local: &mut Local) {
        // Explicitly, because a child that the application forked may hold a copy that would keep it registered.
        let _ = epoll::delete(&self.epoll, &connection.socket);
        if let Some(number) = connection.slot {
            self.table.release(number);
        }
        self.close(connection, local);
    }

    fn close(&self, connection: Box<Connection>, local: &mut Local) {
        local.recycle(connection);
        if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.end_if_drained();
        }
    }

    fn note_deadline(&self, slot: &Slot, connection: &Connection) {
        slot.deadline.store(connection.deadline, Ordering::SeqCst);
        self.timers.arm(connection.deadline);
    }

    /// Lets epoll report room in the socket's buffer; from then on it always does.
    pub(super) fn watch_output(&self, connection: &mut Connection) {
        if let (Some(number), false) = (connection.slot, connection.watches_output) {
            let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
            // It fails only for a descriptor that is not registered, and this one is.
            let _ = epoll::modify(
                &self.epoll,
                &connection.socket,
                token(Topic::Connection, number),
                flags,
            );
            connection.watches_output = true;
        }
    }

    /// Ends what has waited too long, and sets the clock for the rest.
    fn sweep(&self, local: &mut Local, thread: &mut A::Thread) {
        self.timers.rang();
        if self.resting.swap(false, Ordering::SeqCst) && !self.draining.load(Ordering::SeqCst) {
            if let Err(error) = self.watch_listeners() {
                warn!(%error, "accepting cannot be resumed yet");
                self.rest(error);
            }
        }
        let now = coarse_ms();
        let mut earliest = NEVER;
        for (_, slot) in self.table.iter() {
            let deadline = slot.deadline.load(Ordering::SeqCst);
            if deadline > now {
                earliest = earliest.min(deadline);
                continue;
            }
            // Somebody at work on it will note a new deadline.
            let Some(mut place) = slot.try_own() else {
                continue;
            };
            if let Some(connection) = place
                .as_mut()
                .filter(|connection| connection.deadline <= now)
            {
                self.expire(connection);
                slot.mark();
            }
            drop(place);
            fence(Ordering::SeqCst);
            self.attend(slot, local, thread);
        }
        self.timers.arm(earliest);
    }

    /// Stops accepting. What runs is finished; idle connections get a moment for a request that is on its way.
    fn begin_drain(&self, local: &mut Local, thread: &mut A::Thread) {
        if self.draining.swap(true, Ordering::SeqCst) {
            return;
        }
        for fd in &self.drain {
            let _ = epoll::delete(&self.epoll, fd);
        }
        self.unwatch_listeners();
        let limit = self.idle_deadline(NEVER);
        for (_, slot) in self.table.iter() {
            if let Some(mut place) = slot.try_own() {
                if let Some(connection) = place.as_mut().filter(|connection| connection.is_idle()) {
                    connection.deadline = connection.deadline.min(limit);
                    self.note_deadline(slot, connection);
                }
                drop(place);
                fence(Ordering::SeqCst);
                self.attend(slot, local, thread);
            }
        }
        self.end_if_drained();
    }

    /// When an idle connection is closed that otherwise had until `deadline`.
    pub(super) fn idle_deadline(&self, deadline: u64) -> u64 {
        if self.draining.load(Ordering::SeqCst) {
            deadline.min(coarse_ms() + DRAIN_IDLE_MS)
        } else {
            deadline
        }
    }

    fn has_ended(&self) -> bool {
        self.draining.load(Ordering::SeqCst) && self.open.load(Ordering::SeqCst) == 0
    }

    fn end_if_drained(&self) {
        if self.has_ended() {
            // A counter that was written is readable; that it was written before changes nothing.
            let _ = rustix::io::write(&self.ended, &1_u64.to_ne_bytes());
        }
    }

    /// Where requests of this thread are recorded.
    pub(super) fn record(&self, local: &Local) -> &ThreadSlot {
        self.scoreboard.thread(self.slot, local.index)
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

impl Listener {
    fn new(info: &ListenerInfo, fd: OwnedFd) -> Self {
        // uWSGI's rule for SERVER_PORT: what follows the last colon, 80 for Unix sockets.
        let port = match info.address.rsplit_once(':') {
            Some((_, port)) if !info.address.starts_with(['/', '@']) => port.to_owned(),
            _ => "80".to_owned(),
        };
        Self {
            fd,
            protocol: info.protocol,
            port,
        }
    }
}

impl Local {
    fn connection(
        &mut self,
        socket: OwnedFd,
        listener: usize,
        protocol: Protocol,
    ) -> Box<Connection> {
        let mut connection = match self.connections.pop() {
            Some(mut used) => {
                used.renew(socket, listener, protocol);
                used
            }
            None => Box::new(Connection::new(socket, listener, protocol)),
        };
        self.lend_buffer(&mut connection);
        connection
    }

    fn lend_buffer(&mut self, connection: &mut Connection) {
        if connection.input.capacity() == 0 {
            connection.input = self.buffers.pop().unwrap_or_default();
        }
    }

    /// Takes the buffer of a connection that waits with nothing in it: idle connections own none.
    pub(super) fn reclaim_buffer(&mut self, connection: &mut Connection) {
        if connection.input.is_empty() && connection.input.capacity() > 0 {
            let buffer = std::mem::take(&mut connection.input);
            if self.buffers.len() < SPARES && buffer.capacity() <= SPARE_CAPACITY {
                self.buffers.push(buffer);
            }
        }
    }

    fn recycle(&mut self, mut connection: Box<Connection>) {
        connection.input.clear();
        self.reclaim_buffer(&mut connection);
        if self.connections.len() < SPARES {
            self.connections.push(connection);
        }
    }
}
