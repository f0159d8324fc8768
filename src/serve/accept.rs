//! New connections: taken from the listeners while there is room, and started at once, without a detour through epoll.

use std::{os::fd::OwnedFd, sync::atomic::Ordering};

use rustix::{
    event::{PollFd, PollFlags, Timespec, epoll, poll},
    io::Errno,
    net::{SocketFlags, acceptfrom_with},
};
use tracing::warn;

use super::{
    application::Application,
    clock::coarse_ms,
    connection::Phase,
    drive::Next,
    encryption::Tls,
    engine::{Engine, Topic, token},
    local::Local,
    proxied::expect_proxy,
};
use crate::{
    config::{Protocol, RedirectTarget},
    tls::Server,
};

/// Connections accepted before other events get their turn.
const ACCEPTS: usize = 16;
/// How long accepting rests when descriptors or memory have run out.
const ACCEPT_REST_MS: u64 = 100;
/// How long it stays the same news that they have.
const TELL_AGAIN_MS: u64 = 10_000;

/// A listening socket as the engine is given it.
pub struct ListeningSocket {
    /// What is spoken on it.
    pub protocol: Protocol,
    /// As bound: `127.0.0.1:8000`, `[::1]:8000`, `/run/x.sock`, `@name`.
    pub address: String,
    /// It may be shared with other workers.
    pub socket: OwnedFd,
    /// What connections are encrypted with.
    pub tls: Option<Server>,
    /// Where all requests are sent, without asking the application.
    pub redirect: Option<RedirectTarget>,
    /// Whether proxies send a header of the PROXY protocol before everything else.
    pub proxied: bool,
}

/// A listening socket of the site.
pub(super) struct Listener {
    pub(super) fd: OwnedFd,
    pub(super) protocol: Protocol,
    /// `SERVER_PORT`.
    pub(super) port: String,
    tls: Option<Server>,
    pub(super) redirect: Option<RedirectTarget>,
    proxied: bool,
}

impl Listener {
    pub(super) fn new(listening: ListeningSocket) -> Self {
        // uWSGI's rule for SERVER_PORT: what follows the last colon, 80 for Unix sockets.
        let port = match listening.address.rsplit_once(':') {
            Some((_, port)) if !listening.address.starts_with(['/', '@']) => port.to_owned(),
            _ => "80".to_owned(),
        };
        Self {
            fd: listening.socket,
            protocol: listening.protocol,
            port,
            tls: listening.tls,
            redirect: listening.redirect,
            proxied: listening.proxied,
        }
    }
}

impl<A: Application> Engine<A> {
    pub(super) fn accept(&self, number: usize, local: &mut Local, thread: &mut A::Thread) {
        if self.draining.load(Ordering::SeqCst) {
            // Accepting was resumed while the drain began, or whoever drains accepts what has come.
            return self.unwatch_listeners();
        }
        self.accept_from(number, local, thread);
    }

    fn accept_from(&self, number: usize, local: &mut Local, thread: &mut A::Thread) {
        let Some(listener) = self.listeners.get(number) else {
            return;
        };
        for _ in 0..ACCEPTS {
            match acceptfrom_with(&listener.fd, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok((socket, address)) => {
                    let mut connection = local.connection(socket, number, listener.protocol);
                    connection.peer.set(address, &self.rules.trusted);
                    if let Some(server) = &listener.tls {
                        connection.tls = Tls::new(server);
                        connection.phase = Phase::Handshake;
                    }
                    if listener.proxied && !expect_proxy(&mut connection) {
                        local.recycle(connection);
                        continue;
                    }
                    self.open.fetch_add(1, Ordering::SeqCst);
                    self.record(local).accepted();
                    let next = self.drive(&mut connection, local, thread);
                    let stays = matches!(next, Next::Wait | Next::Yield);
                    self.settle(connection, next, local, thread);
                    if stays && self.shares_listeners {
                        return self.let_others_accept(number);
                    }
                }
                Err(Errno::AGAIN) => return,
                Err(error) if is_of_the_connection(error) => {}
                Err(error) => return self.rest(error),
            }
        }
    }

    /// Accepts for the last time before others do. For a connection the kernel wakes one worker only: if it was this one,
    /// whose listeners are out of epoll now, nobody would come for it before the next connection.
    pub(super) fn accept_last(&self, local: &mut Local, thread: &mut A::Thread) {
        for number in 0..self.listeners.len() {
            self.accept_from(number, local, thread);
        }
    }

    /// Whether a connection waits that nobody has accepted.
    pub(super) fn has_arrivals(&self) -> bool {
        let listeners = self.listeners.iter();
        let mut fds: Vec<_> = listeners
            .map(|listener| PollFd::new(&listener.fd, PollFlags::IN))
            .collect();
        poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// Stops accepting for a moment: with descriptors exhausted the listener stays ready, and the loop would spin.
    pub(super) fn rest(&self, error: Errno) {
        if self.resting.swap(true, Ordering::SeqCst) {
            return;
        }
        self.unwatch_listeners();
        let now = coarse_ms();
        // One line for an hour of exhaustion is too few, ten a second are too many.
        if now >= self.rest_told.load(Ordering::Relaxed) {
            self.rest_told.store(now + TELL_AGAIN_MS, Ordering::Relaxed);
            warn!(%error, "connections cannot be accepted for a moment; they wait in the queue");
        }
        self.timers.arm(now + ACCEPT_REST_MS);
    }

    /// EPOLLEXCLUSIVE: a new connection wakes one worker that has a thread to spare, not all of them.
    pub(super) fn watch_listeners(&self) -> Result<(), Errno> {
        for (number, listener) in self.listeners.iter().enumerate() {
            let flags = epoll::EventFlags::IN | epoll::EventFlags::EXCLUSIVE;
            let token = token(Topic::Listener, number as u32);
            match epoll::add(&self.epoll, &listener.fd, token, flags) {
                // The standby thread lets them rest as well, and either may be the first to begin again.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Of the workers that sleep the kernel wakes the one that has watched for longest: always the same one, which would
    /// have all connections that stay. Whoever watches anew is the last in line.
    fn let_others_accept(&self, number: usize) {
        if self.resting.load(Ordering::SeqCst) || self.draining.load(Ordering::SeqCst) {
            return;
        }
        let Some(listener) = self.listeners.get(number) else {
            return;
        };
        // Whoever has begun to rest or to drain since then has not watched any more, or finds out with the next event.
        if epoll::delete(&self.epoll, &listener.fd).is_ok()
            && let Err(error) = self.watch_listeners()
        {
            self.rest(error);
        }
    }

    pub(super) fn unwatch_listeners(&self) {
        for listener in &self.listeners {
            // Not registered (already resting) is as good.
            let _ = epoll::delete(&self.epoll, &listener.fd);
        }
    }
}

/// accept(2): errors that the new connection had before it was accepted. It is gone, the listener is well.
fn is_of_the_connection(error: Errno) -> bool {
    matches!(
        error,
        Errno::CONNABORTED
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::INTR
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::NONET
            | Errno::NOPROTOOPT
            | Errno::PERM
            | Errno::PROTO
    )
}
