//! Events in journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), with fields of their own.
//!
//! Fields are `HOSTLER_` and the name in capitals; those that begin with `http_` need no prefix. The message holds all
//! values too, since `journalctl` shows nothing else. There is a socket and nothing more: no lock and no buffer
//! that a fork could copy in a bad moment.

use std::{
    io::{self, Write},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create},
    io::{Errno, retry_on_intr},
    net::{
        AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
        SocketFlags, SocketType, connect, send, sendmsg, socket_with,
    },
};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

use super::{Role, content::Content, line};

const SOCKET: &str = "/run/systemd/journal/socket";

/// Sends each event as one datagram.
pub(super) struct JournaldLayer {
    path: String,
    site: String,
    socket: OwnedFd,
}

impl JournaldLayer {
    /// Fails when journald does not listen.
    pub(super) fn connect(site: String) -> io::Result<Self> {
        Self::connect_to(SOCKET, site)
    }

    /// Without a journald for now: each event looks for it.
    pub(super) fn disconnected(site: String) -> io::Result<Self> {
        Self::disconnected_from(SOCKET, site)
    }

    fn connect_to(path: &str, site: String) -> io::Result<Self> {
        let layer = Self::disconnected_from(path, site)?;
        connect(&layer.socket, &SocketAddrUnix::new(path)?)?;
        Ok(layer)
    }

    fn disconnected_from(path: &str, site: String) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        let path = path.to_owned();
        Ok(Self { path, site, socket })
    }

    /// A handle by which this connection can be made anew while the layer is in use.
    pub(super) fn handle(&self) -> io::Result<Handle> {
        let socket = self.socket.try_clone()?;
        let path = self.path.clone();
        Ok(Handle { socket, path })
    }

    /// A journald that went and came again has another socket; the second attempt is made there.
    fn send(&self, entry: &[u8]) -> io::Result<()> {
        match self.send_once(entry) {
            Err(error) if is_disconnected(&error) => {
                connect(&self.socket, &SocketAddrUnix::new(&self.path)?)?;
                self.send_once(entry)
            }
            result => result,
        }
    }

    /// What is too long for a datagram goes in a sealed file of its own.
    fn send_once(&self, entry: &[u8]) -> io::Result<()> {
        match retry_on_intr(|| send(&self.socket, entry, SendFlags::NOSIGNAL)) {
            Err(Errno::MSGSIZE | Errno::NOBUFS) => self.send_file(entry),
            Err(errno) => Err(errno.into()),
            Ok(_) => Ok(()),
        }
    }

    fn send_file(&self, entry: &[u8]) -> io::Result<()> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = std::fs::File::from(memfd_create("hostler-journal", flags)?);
        file.write_all(entry)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let fds = [file.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
        retry_on_intr(|| sendmsg(&self.socket, &[], &mut ancillary, SendFlags::NOSIGNAL))?;
        Ok(())
    }
}

impl<S: Subscriber> Layer<S> for JournaldLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut content = Content::default();
        event.record(&mut content);
        // A log that nobody takes has no better place to complain.
        let _ = self.send(&entry(
            event.metadata(),
            super::role(),
            &self.site,
            &content,
        ));
    }
}

/// The connection of a layer, from elsewhere in the same process.
#[derive(Debug)]
pub(super) struct Handle {
    /// A duplicate: what it is connected to is common to both.
    socket: OwnedFd,
    path: String,
}

impl Handle {
    /// Connects anew.
    pub(super) fn reconnect(&self) -> io::Result<()> {
        Ok(connect(&self.socket, &SocketAddrUnix::new(&self.path)?)?)
    }
}

fn is_disconnected(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NotConnected
    )
}

fn entry(metadata: &Metadata<'_>, role: Role, site: &str, content: &Content) -> Vec<u8> {
    let mut entry = Vec::with_capacity(512);
    let further = content.further_lines().flat_map(|line| ["\n", line]);
    let mut message = line::sentence(content);
    message.extend(further);
    put(&mut entry, "MESSAGE", &message);
    put(&mut entry, "PRIORITY", priority(*metadata.level()));
    put(&mut entry, "SYSLOG_IDENTIFIER", "hostler");
    put(&mut entry, "HOSTLER_SITE", site);
    match role {
        Role::Supervisor => put(&mut entry, "HOSTLER_ROLE", "supervisor"),
        Role::Zygote => put(&mut entry, "HOSTLER_ROLE", "zygote"),
        Role::Worker(slot) => {
            put(&mut entry, "HOSTLER_ROLE", "worker");
            put(&mut entry, "HOSTLER_WORKER", &slot.to_string());
        }
    }
    if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
        put(&mut entry, "CODE_FILE", file);
        put(&mut entry, "CODE_LINE", &line.to_string());
    }
    for (name, value) in content.fields() {
        put(&mut entry, &journal_name(name), value);
    }
    entry
}

/// Capitals, digits and underscores are all that journald takes.
fn journal_name(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let prefix = if name.starts_with("http_") {
        ""
    } else {
        "HOSTLER_"
    };
    prefix.chars().chain(name.chars().map(letter)).collect()
}

/// `NAME=value`, or with its length in front when a line feed would end the value too early.
fn put(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

/// Of syslog(3), as text.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        _ => "7",
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{IoSliceMut, Read, Seek},
        os::unix::net::UnixDatagram,
    };

    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    use tracing::subscriber::with_default;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What a journald that listens in a directory of its own receives: the datagram, or the file that comes with it.
    fn received(event: impl Fn()) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let layer = JournaldLayer::connect_to(path.to_str().unwrap(), "shop".into()).unwrap();
        with_default(tracing_subscriber::registry().with(layer), event);
        let mut bytes = vec![0; 1 << 20];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let buffer = &mut [IoSliceMut::new(&mut bytes)];
        let length = recvmsg(&journald, buffer, &mut ancillary, RecvFlags::CMSG_CLOEXEC).unwrap();
        bytes.truncate(length.bytes);
        for message in ancillary.drain() {
            let RecvAncillaryMessage::ScmRights(fds) = message else {
                continue;
            };
            let mut file = File::from(fds.into_iter().next().unwrap());
            file.rewind().unwrap();
            file.read_to_end(&mut bytes).unwrap();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn an_event_is_an_entry_with_fields() {
        let entry = received(|| tracing::warn!(pid = 7, http_status = 500, "died"));
        let lines: Vec<&str> = entry.lines().collect();
        for expected in [
            "MESSAGE=died pid=7 http_status=500",
            "PRIORITY=4",
            "SYSLOG_IDENTIFIER=hostler",
            "HOSTLER_SITE=shop",
            "HOSTLER_PID=7",
            "HTTP_STATUS=500",
            concat!("CODE_FILE=", file!()),
        ] {
            assert!(lines.contains(&expected), "{expected} is not in {entry}");
        }
    }

    #[test]
    fn a_long_value_is_in_the_message() {
        let entry = received(|| tracing::error!(traceback = "Traceback:\n  File\n", "failed"));
        let expected = "MESSAGE\n\u{18}\0\0\0\0\0\0\0failed\nTraceback:\n  File\nPRIORITY=3\n";
        assert!(entry.starts_with(expected), "{entry:?}");
    }

    #[test]
    fn what_is_too_long_for_a_datagram_arrives_as_a_file() {
        let long = "x".repeat(500_000);
        let entry = received(|| tracing::info!(text = long, "long"));
        assert!(entry.contains(&format!("HOSTLER_TEXT={long}\n")));
    }

    #[test]
    fn a_journald_that_came_again_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let layer = JournaldLayer::connect_to(path.to_str().unwrap(), "shop".into()).unwrap();
        drop(journald);
        assert!(layer.send(b"nobody").is_err());
        std::fs::remove_file(&path).unwrap();
        let journald = UnixDatagram::bind(&path).unwrap();
        layer.send(b"somebody").unwrap();
        let mut bytes = [0; 16];
        let length = journald.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"somebody");
    }

    #[test]
    fn a_journald_that_comes_later_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let layer = JournaldLayer::disconnected_from(path.to_str().unwrap(), "shop".into());
        let layer = layer.unwrap();
        assert!(layer.send(b"nobody").is_err());
        let journald = UnixDatagram::bind(&path).unwrap();
        layer.send(b"somebody").unwrap();
        assert_eq!(journald.recv(&mut [0; 16]).unwrap(), 8);
    }

    #[test]
    fn a_handle_connects_the_layer_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let moved = directory.path().join("moved");
        let first = UnixDatagram::bind(&path).unwrap();
        let layer = JournaldLayer::connect_to(path.to_str().unwrap(), "shop".into()).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        let second = UnixDatagram::bind(&path).unwrap();
        layer.handle().unwrap().reconnect().unwrap();
        layer.send(b"entry").unwrap();
        first.set_nonblocking(true).unwrap();
        assert!(first.recv(&mut [0; 16]).is_err());
        assert_eq!(second.recv(&mut [0; 16]).unwrap(), 5);
    }

    #[test]
    fn names_are_made_of_what_journald_takes() {
        assert_eq!(journal_name("request-line.raw"), "HOSTLER_REQUEST_LINE_RAW");
    }
}
