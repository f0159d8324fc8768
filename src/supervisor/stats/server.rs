//! The clients of the stats address. Each has a task of its own, so that the supervisor's loop never waits for one;
//! whatever a client can hold or make us store has a limit.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketFlags, accept_with, recv, send, shutdown};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{Semaphore, mpsc, oneshot},
    task::yield_now,
    time::{sleep, timeout},
};
use tracing::warn;

use crate::{
    listener::Listener,
    stats::{Document, Facts},
    supervisor::{memory::memory, readable, ready_for},
};

/// Clients at a time; further ones wait in the queue of the socket.
pub(super) const CLIENTS: usize = 32;
/// Longest head of a request over HTTP, in bytes.
const LONGEST: usize = 8 << 10;
/// How long a client may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Before the next attempt to accept, when there is no descriptor left.
const PAUSE: Duration = Duration::from_millis(500);
/// What uWSGI answers with `stats-http`; the end of the connection is the end of the document.
const HEAD: &[u8] = b"HTTP/1.0 200 OK\r\nConnection: close\r\n\
    Access-Control-Allow-Origin: *\r\nContent-Type: application/json\r\n\r\n";

/// Where the answer to a client goes.
pub(in crate::supervisor) type Question = oneshot::Sender<Facts>;

/// A duplicate of a listening socket that the loop can wait for.
///
/// # Errors
/// There is no descriptor left.
pub(super) fn listening(listener: &Listener) -> io::Result<AsyncFd<OwnedFd>> {
    readable(listener.as_fd().try_clone_to_owned()?)
}

/// Accepts clients until the task is aborted.
pub(super) async fn accept(
    socket: AsyncFd<OwnedFd>,
    http: bool,
    questions: mpsc::Sender<Question>,
) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match next(&socket).await {
            Ok(client) => {
                let questions = questions.clone();
                tokio::spawn(async move {
                    // Nobody is left to tell that a client has gone.
                    let _ = talk(&client, http, &questions).await;
                    drop(place);
                });
            }
            // Too many open files, for example; a connection that waits would wake us again at once.
            Err(error) => {
                warn!(%error, "the stats address cannot accept, trying again");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn next(socket: &AsyncFd<OwnedFd>) -> io::Result<AsyncFd<OwnedFd>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let accept = |socket: &OwnedFd| Ok(accept_with(socket, flags)?);
    let client = socket.async_io(Interest::READABLE, accept).await?;
    ready_for(client, Interest::READABLE | Interest::WRITABLE)
}

/// One document for each connection. A client that is too slow, or goes, is left.
async fn talk(
    client: &AsyncFd<OwnedFd>,
    http: bool,
    questions: &mpsc::Sender<Question>,
) -> io::Result<()> {
    let mut answer = Vec::new();
    if http {
        timeout(PATIENCE, read_head(client)).await??;
        answer.extend_from_slice(HEAD);
    }
    let (reply, facts) = oneshot::channel();
    let ended = || io::Error::from(io::ErrorKind::BrokenPipe);
    questions.send(reply).await.map_err(|_| ended())?;
    let facts = measured(facts.await.map_err(|_| ended())?).await;
    answer.append(&mut Document::new(&facts).encode()?);
    timeout(PATIENCE, write_all(client, &answer)).await??;
    shutdown(client, Shutdown::Write)?;
    Ok(())
}

/// Adds the memory of the processes. The loop has its turn between any two of them.
async fn measured(mut facts: Facts) -> Facts {
    for worker in facts.workers.iter_mut().filter(|worker| worker.pid != 0) {
        if let Some(memory) = memory(worker.pid) {
            worker.rss = memory.rss;
            worker.vsz = memory.address_space;
        }
        yield_now().await;
    }
    facts
}

/// Up to the empty line; what is asked for makes no difference.
async fn read_head(client: &AsyncFd<OwnedFd>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let read = |client: &OwnedFd| Ok(recv(client, &mut buffer[..], RecvFlags::empty())?);
        let (count, _) = client.async_io(Interest::READABLE, read).await?;
        head.extend_from_slice(&buffer[..count]);
        if head.windows(4).any(|window| window == b"\r\n\r\n") {
            return Ok(());
        }
        if count == 0 || head.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

async fn write_all(client: &AsyncFd<OwnedFd>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let write = |client: &OwnedFd| Ok(send(client, bytes, SendFlags::NOSIGNAL)?);
        let count = client.async_io(Interest::WRITABLE, write).await?;
        bytes = &bytes[count..];
    }
    Ok(())
}
