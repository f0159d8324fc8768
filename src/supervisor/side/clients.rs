//! The clients of an address beside the site's own. Each has a task of its own, so that the supervisor's loop never waits
//! for one; whatever a client can hold or make us store has a limit.

use std::{
    future::Future,
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketFlags, accept_with, recv, send, shutdown};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{Semaphore, mpsc, oneshot},
    time::{sleep, timeout},
};
use tracing::warn;

use crate::{
    listener::Listener,
    supervisor::{readable, ready_for},
};

use super::Question;

/// Clients at a time; further ones wait in the queue of the socket.
pub(in crate::supervisor) const CLIENTS: usize = 32;
/// Longest head of a request over HTTP, in bytes.
const LONGEST: usize = 8 << 10;
/// How long a client may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Before the next attempt to accept, when there is no descriptor left.
const PAUSE: Duration = Duration::from_millis(500);

/// Whoever has connected.
pub(in crate::supervisor) struct Client(AsyncFd<OwnedFd>);

/// A duplicate of a listening socket that the loop can wait for.
///
/// # Errors
/// There is no descriptor left.
pub(super) fn listening(listener: &Listener) -> io::Result<AsyncFd<OwnedFd>> {
    readable(listener.as_fd().try_clone_to_owned()?)
}

/// Accepts clients until the task is aborted, and lets `talk` speak with each.
pub(in crate::supervisor) async fn accept<F>(socket: AsyncFd<OwnedFd>, talk: impl Fn(Client) -> F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CLIENTS));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match next(&socket).await {
            Ok(client) => {
                let talk = talk(client);
                tokio::spawn(async move {
                    // Nobody is left to tell that a client has gone.
                    let _ = talk.await;
                    drop(place);
                });
            }
            // Too many open files, for example; a connection that waits would wake us again at once.
            Err(error) => {
                warn!(%error, "an address of [stats] or [metrics] cannot accept, trying again");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn next(socket: &AsyncFd<OwnedFd>) -> io::Result<Client> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let accept = |socket: &OwnedFd| Ok(accept_with(socket, flags)?);
    let client = socket.async_io(Interest::READABLE, accept).await?;
    ready_for(client, Interest::READABLE | Interest::WRITABLE).map(Client)
}

/// Asks the loop for what is to be told.
///
/// # Errors
/// The loop has ended.
pub(in crate::supervisor) async fn ask<T>(
    questions: &mpsc::Sender<Question>,
    question: impl FnOnce(oneshot::Sender<T>) -> Question,
) -> io::Result<T> {
    let (reply, answer) = oneshot::channel();
    let ended = || io::Error::from(io::ErrorKind::BrokenPipe);
    questions.send(question(reply)).await.map_err(|_| ended())?;
    answer.await.map_err(|_| ended())
}

impl Client {
    /// The head of a request over HTTP, up to the empty line.
    ///
    /// # Errors
    /// The client is too slow, says too much, or goes.
    pub(in crate::supervisor) async fn head(&self) -> io::Result<Vec<u8>> {
        timeout(PATIENCE, self.read_head()).await?
    }

    /// All that the client is told, and the end of the connection.
    ///
    /// # Errors
    /// The client is too slow, or goes.
    pub(in crate::supervisor) async fn tell(&self, answer: &[u8]) -> io::Result<()> {
        timeout(PATIENCE, self.write_all(answer)).await??;
        Ok(shutdown(&self.0, Shutdown::Write)?)
    }

    async fn read_head(&self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let read = |client: &OwnedFd| Ok(recv(client, &mut buffer[..], RecvFlags::empty())?);
            let (count, _) = self.0.async_io(Interest::READABLE, read).await?;
            head.extend_from_slice(&buffer[..count]);
            if head.windows(4).any(|window| window == b"\r\n\r\n") {
                return Ok(head);
            }
            if count == 0 || head.len() > LONGEST {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let write = |client: &OwnedFd| Ok(send(client, bytes, SendFlags::NOSIGNAL)?);
            let count = self.0.async_io(Interest::WRITABLE, write).await?;
            bytes = &bytes[count..];
        }
        Ok(())
    }
}
