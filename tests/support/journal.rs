//! A journald of our own: the entries that a site sends, by their fields.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{IoSliceMut, Read, Seek},
    mem::MaybeUninit,
    os::unix::net::UnixDatagram,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Instant,
};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tempfile::TempDir;

use super::{PATIENCE, site::Site};

/// Fields and values of one entry.
pub(crate) type Entry = BTreeMap<String, String>;

/// Collects what arrives.
pub(crate) struct Journal {
    directory: TempDir,
    entries: Arc<(Mutex<Vec<Entry>>, Condvar)>,
}

impl Journal {
    /// One that reads at once.
    pub(crate) fn start() -> Self {
        let (journal, socket) = Self::silent();
        let entries = Arc::clone(&journal.entries);
        thread::spawn(move || {
            while let Some(bytes) = receive(&socket) {
                entries.0.lock().unwrap().push(parse(&bytes));
                entries.1.notify_all();
            }
        });
        journal
    }

    /// One that reads nothing, with the socket that it should read from.
    pub(crate) fn silent() -> (Self, UnixDatagram) {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("socket")).unwrap();
        let entries = Arc::default();
        (Self { directory, entries }, socket)
    }

    /// A site whose log goes here and to standard error, with further lines of `[log]`.
    pub(crate) fn site(&self, site: Site, log: &str) -> Site {
        let socket = self.directory.path().join("socket");
        site.program_env("HOSTLER_JOURNAL_SOCKET", socket.to_str().unwrap())
            .setting("log", &format!("to = [\"journal\", \"stderr\"]\n{log}"))
    }

    /// Waits for an entry with these fields.
    pub(crate) fn wait_for(&self, fields: &[(&str, &str)]) -> Entry {
        let deadline = Instant::now() + PATIENCE;
        let has = |entry: &&Entry| {
            let mut fields = fields.iter();
            fields.all(|(name, value)| entry.get(*name).is_some_and(|found| found == value))
        };
        let mut entries = self.entries.0.lock().unwrap();
        loop {
            if let Some(found) = entries.iter().find(has) {
                return found.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no entry has {fields:?}: {entries:#?}");
            let waited = self.entries.1.wait_timeout(entries, left);
            entries = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// One entry: the datagram, or the file that comes with it.
pub(crate) fn receive(socket: &UnixDatagram) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 256 << 10];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let buffer = &mut [IoSliceMut::new(&mut bytes)];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let length = recvmsg(socket, buffer, &mut ancillary, flags).ok()?;
    bytes.truncate(length.bytes);
    for message in ancillary.drain() {
        let RecvAncillaryMessage::ScmRights(fds) = message else {
            continue;
        };
        let mut file = File::from(fds.into_iter().next()?);
        file.rewind().ok()?;
        file.read_to_end(&mut bytes).ok()?;
    }
    Some(bytes)
}

/// The native protocol: `NAME=value`, or `NAME`, a line feed, eight bytes of length and the value.
pub(crate) fn parse(mut bytes: &[u8]) -> Entry {
    let mut entry = Entry::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    while let Some(end) = bytes.iter().position(|byte| b"=\n".contains(byte)) {
        let (name, rest) = bytes.split_at(end);
        let (value, rest) = if rest[0] == b'=' {
            let end = rest.iter().position(|&byte| byte == b'\n').unwrap();
            (&rest[1..end], &rest[end + 1..])
        } else {
            let (length, rest) = rest[1..].split_first_chunk::<8>().unwrap();
            let length = u64::from_le_bytes(*length) as usize;
            (&rest[..length], &rest[length + 1..])
        };
        entry.insert(text(name), text(value));
        bytes = rest;
    }
    entry
}
