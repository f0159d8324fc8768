//! The control socket and those who speak on it. Each client has a task of its own, so that the supervisor's loop never
//! waits for one; whatever a client can hold or make us store has a limit.

use std::{
    fs::{self, DirBuilder},
    io,
    os::{
        fd::AsFd,
        unix::{fs::DirBuilderExt, net},
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::process::geteuid;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc, oneshot},
    task::{AbortHandle, yield_now},
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::{
    config::{Address, FileMode, Listen},
    listener::Listeners,
    supervisor::generation::one_line,
};

use super::{
    Asked,
    memory::Memory,
    message::{Command, Reply, Request},
    place::{Place, Places},
    status::Status,
};

/// Clients at a time; further ones wait in the queue of the socket.
const CLIENTS: usize = 16;
/// Longest request in bytes, a path with room for the rest.
const LONGEST: usize = 8 << 10;
/// How long a client may take to say what it wants, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the end of the service waits for clients to take the answers that they were promised.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a worker may take to write its stacks. It writes them in a signal handler, so that one which takes longer
/// does not run at all.
const DUMPING: Duration = Duration::from_secs(2);
/// Before the next attempt to accept, when there is no descriptor left.
const PAUSE: Duration = Duration::from_millis(500);
/// Whoever may connect may stop the service.
const MODE: u32 = 0o600;

/// The control socket, while it is open: what clients want, one after the other.
pub(in crate::supervisor) struct Server {
    asked: mpsc::Receiver<Asked>,
    /// Each client whose answer was not sent yet has one of them.
    unanswered: Arc<Semaphore>,
    accepting: AbortHandle,
    /// Keeps the socket's file, which goes with it.
    socket: Listeners,
    /// The directory that was made for it.
    directory: Option<Directory>,
}

/// A directory that we have made; dropping it removes it if nothing else is in it. Without a name it is somebody else's.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = fs::remove_dir(&self.0);
        }
    }
}

impl Server {
    /// Opens the socket where it belongs. When there is no such place, or it cannot be used, the log says so, and the
    /// service goes on without.
    ///
    /// `left` is the socket of another supervisor, and whether its directory was made for it; it is used if it is in the
    /// same place.
    pub(in crate::supervisor) fn open(site: &str, left: (Listeners, bool)) -> Option<Self> {
        let Some(place) = Places::here().of_service(site) else {
            info!(
                "no control socket: there is neither $RUNTIME_DIRECTORY nor $XDG_RUNTIME_DIR; reload and stop by signals"
            );
            return None;
        };
        let path = &place.socket;
        match Self::open_at(&place, left) {
            Ok(server) => {
                info!(path = %path.display(), "control socket");
                Some(server)
            }
            Err(reason) => {
                warn!(path = %path.display(), reason, "no control socket; reload and stop by signals");
                None
            }
        }
    }

    fn open_at(place: &Place, (left, made): (Listeners, bool)) -> Result<Self, String> {
        let directory = place.directory.as_deref().map(make_directory).transpose();
        let directory = directory.map_err(|error| error.to_string())?.flatten();
        let ours = || place.directory.clone().filter(|_| made).map(Directory);
        let directory = directory.or_else(ours);
        let address = place.socket.to_str().ok_or("its path is not UTF-8")?;
        let listen = Listen {
            mode: Some(FileMode(MODE)),
            ..Listen::at(Address::Unix(address.into()))
        };
        let socket = left
            .rebind(&[listen], Duration::ZERO)
            .map_err(|error| one_line(&error))?;
        let listener = duplicate(&socket).map_err(|error| error.to_string())?;
        let (sender, asked) = mpsc::channel(CLIENTS);
        let unanswered = Arc::new(Semaphore::new(CLIENTS));
        let accepting = tokio::spawn(accept(listener, sender, Arc::clone(&unanswered)));
        let accepting = accepting.abort_handle();
        Ok(Self {
            asked,
            unanswered,
            accepting,
            socket,
            directory,
        })
    }

    /// The socket, and whether its directory was made for it.
    pub(in crate::supervisor) fn socket(&self) -> (Listeners, bool) {
        (self.socket.clone(), self.directory.is_some())
    }

    /// Somebody else is spoken with from now on. Clients that are here already get their answers.
    pub(in crate::supervisor) fn rest(&mut self) {
        self.accepting.abort();
        self.socket = Listeners::default();
        if let Some(Directory(path)) = &mut self.directory {
            // It goes with whoever has the socket now.
            *path = PathBuf::new();
        }
    }

    /// Waits for the next client that wants something.
    pub(in crate::supervisor) async fn asked(&mut self) -> Option<Asked> {
        self.asked.recv().await
    }

    /// The service ends, and the clients' tasks with it: those that have an answer to send do it first, the others hear
    /// of the end. The loop may never have been idle since the answer, so that they had no turn yet.
    pub(in crate::supervisor) async fn finish(mut self) {
        self.asked.close();
        while self.asked.try_recv().is_ok() {}
        let all = self.unanswered.acquire_many(CLIENTS as u32);
        // Whoever does not take an answer in time goes without.
        let _ = timeout(FAREWELL, all).await;
    }
}

/// Makes the directory of a site and the one above it, which all sites share; nothing above that. Gives the directory
/// if it was not there.
fn make_directory(directory: &Path) -> io::Result<Option<Directory>> {
    if let Some(above) = directory.parent() {
        make_one(above)?;
    }
    let made = make_one(directory)?;
    Ok(made.then(|| Directory(directory.to_owned())))
}

fn make_one(directory: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o755).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        result => result.map(|()| true),
    }
}

fn duplicate(listeners: &Listeners) -> io::Result<UnixListener> {
    let listener = listeners.iter().next().ok_or(io::ErrorKind::NotFound)?;
    let fd = listener.as_fd().try_clone_to_owned()?;
    UnixListener::from_std(net::UnixListener::from(fd))
}

async fn accept(listener: UnixListener, asked: mpsc::Sender<Asked>, unanswered: Arc<Semaphore>) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    // The semaphore is never closed; the loop ends with the runtime.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((client, _)) => {
                let (asked, unanswered) = (asked.clone(), Arc::clone(&unanswered));
                tokio::spawn(async move {
                    talk(&client, &asked, &unanswered).await;
                    drop(place);
                });
            }
            // Too many open files, for example; a connection that waits would wake us again at once.
            Err(error) => {
                warn!(%error, "the control socket cannot accept, trying again");
                sleep(PAUSE).await;
            }
        }
    }
}

/// One request, one reply. A client that is too slow, or goes, is left.
async fn talk(client: &UnixStream, asked: &mpsc::Sender<Asked>, unanswered: &Semaphore) {
    let Ok(Ok(line)) = timeout(PATIENCE, read_line(client)).await else {
        return;
    };
    let request = match may_speak(client) {
        true => Request::decode(&line).map_err(|error| Reply::refused(error.to_string())),
        false => Err(Reply::refused(
            "only root and the user that runs the service may speak here",
        )),
    };
    // There are as many of these as clients.
    let Ok(promise) = unanswered.acquire().await else {
        return;
    };
    let stops = matches!(&request, Ok(request) if request.command == Command::Stop);
    let reply = match request {
        Ok(request) => tokio::select! {
            reply = ask(request, asked) => reply,
            () = gone(client) => return,
        },
        Err(reply) => reply,
    };
    let accepted = reply == Reply::Accepted;
    let Ok(line) = reply.encode() else { return };
    let Ok(Ok(())) = timeout(PATIENCE, write_all(client, &line)).await else {
        return;
    };
    drop(promise);
    if stops && accepted {
        // The end of the service closes the connection, and so tells a client that waits for it.
        gone(client).await;
    }
}

/// The socket's mode says the same; this holds when somebody has changed it.
fn may_speak(client: &UnixStream) -> bool {
    client
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == 0 || peer.uid() == geteuid().as_raw())
}

async fn ask(request: Request, asked: &mpsc::Sender<Asked>) -> Reply {
    let (reply, answer) = oneshot::channel();
    let dumping = match request.command {
        Command::Stack { worker, .. } => Some(worker),
        _ => None,
    };
    // Both fail only when the loop has ended, and this task ends with it.
    let _ = asked.send(Asked { request, reply }).await;
    let answer = match dumping {
        Some(worker) => match timeout(DUMPING, answer).await {
            Ok(answer) => answer,
            Err(_) => return silent(worker),
        },
        None => answer.await,
    };
    match answer {
        Ok(Reply::Status(status)) => Reply::Status(measured(status).await),
        Ok(reply) => reply,
        Err(_) => Reply::refused("the service has ended"),
    }
}

fn silent(worker: u32) -> Reply {
    Reply::Failed {
        reason: format!(
            "worker {worker} does not write the stacks of its threads; it is stopped, or waits in the kernel"
        ),
        traceback: String::new(),
    }
}

/// Adds the memory of the processes. The loop has its turn between any two of them.
async fn measured(mut status: Box<Status>) -> Box<Status> {
    let mut workers = Vec::new();
    for worker in &mut status.workers {
        let memory = Memory::of(worker.pid);
        worker.rss = memory.map(|memory| memory.rss);
        worker.pss = memory.map(|memory| memory.pss);
        workers.extend(memory.filter(|_| worker.generation == status.generation));
        yield_now().await;
    }
    let zygote = status.zygote.and_then(Memory::of);
    status.preload_saved = zygote.map(|zygote| Memory::saved(zygote, &workers));
    status
}

/// Up to the line feed, which the client may leave out at its end.
async fn read_line(client: &UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        client.readable().await?;
        match client.try_read(&mut buffer) {
            Ok(0) => return Ok(line),
            Ok(count) => line.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            line.truncate(end);
            return Ok(line);
        }
        if line.len() > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
}

async fn write_all(client: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        client.writable().await?;
        match client.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns when the client has closed its end. What else it says is not heard.
async fn gone(client: &UnixStream) {
    let mut buffer = [0; 1024];
    while client.readable().await.is_ok() {
        match client.try_read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// The loop is never idle between the answer and the end, as on a machine with too much to do.
    #[test]
    fn an_answer_arrives_although_the_service_ends_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place {
            socket: directory.path().join("control.sock"),
            directory: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let mut client = runtime.block_on(async {
            let mut server = Server::open_at(&place, Default::default()).unwrap();
            let mut client = net::UnixStream::connect(&place.socket).unwrap();
            let request = Request {
                site: None,
                file: None,
                command: Command::Stop,
            };
            client.write_all(&request.encode().unwrap()).unwrap();
            let asked = server.asked().await.unwrap();
            asked.reply.send(Reply::Accepted).unwrap();
            server.finish().await;
            client
        });
        drop(runtime);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert_eq!(Reply::decode(&answer).unwrap(), Reply::Accepted);
    }
}
