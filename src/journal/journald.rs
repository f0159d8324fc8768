//! The connection to journald: each entry is a datagram that is sent at once or not at all.
//!
//! Nobody waits here, since it may be a request that has something to say: what a journal that is slow, full or gone
//! does not take is counted, and the number is the next thing that it hears. There is a socket and a counter and nothing
//! more: no lock and no buffer that a fork could copy in a bad moment.

use std::{
    fs::File,
    io::{self, Write},
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create},
    io::{Errno, retry_on_intr},
    net::{
        AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
        SocketFlags, SocketType, connect, send, sendmsg, socket_with, sockopt,
    },
};

/// Where journald listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";
/// As libsystemd asks for; the kernel gives what net.core.wmem_max allows.
const BUFFER: usize = 8 << 20;
const AT_ONCE: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// See the module.
#[derive(Debug)]
pub(super) struct Journald {
    path: String,
    socket: OwnedFd,
    lost: AtomicU64,
}

impl Journald {
    /// Fails when nobody listens there.
    pub(super) fn connect(path: &str) -> io::Result<Self> {
        let journald = Self::disconnected(path)?;
        journald.reconnect()?;
        Ok(journald)
    }

    /// Without a journald for now: each entry looks for it.
    pub(super) fn disconnected(path: &str) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        // Whoever listens has a name for a moment before it asks who speaks. An entry of that moment, such as the report
        // of what was lost, would belong to no unit if we did not say it by ourselves (unix(7)).
        sockopt::set_socket_passcred(&socket, true)?;
        // A smaller buffer takes smaller entries; larger ones go by file.
        let _ = sockopt::set_socket_send_buffer_size(&socket, BUFFER);
        let path = path.to_owned();
        let lost = AtomicU64::new(0);
        Ok(Self { path, socket, lost })
    }

    /// Connects anew, to whoever listens there now.
    pub(super) fn reconnect(&self) -> io::Result<()> {
        Ok(connect(&self.socket, &SocketAddrUnix::new(&self.path)?)?)
    }

    /// Sends an entry, or counts it as lost. With the first one that arrives again comes `report` of how many were lost.
    pub(super) fn send(&self, entry: &[u8], report: impl Fn(u64) -> Vec<u8>) {
        if self.try_send(entry).is_err() {
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        if self.lost.load(Relaxed) > 0 {
            let lost = self.lost.swap(0, Relaxed);
            if lost > 0 && self.try_send(&report(lost)).is_err() {
                self.lost.fetch_add(lost, Relaxed);
            }
        }
    }

    /// A journald that went and came again has another socket; the second attempt is made there.
    fn try_send(&self, entry: &[u8]) -> io::Result<()> {
        match self.send_once(entry) {
            Err(error) if is_disconnected(&error) => {
                self.reconnect()?;
                self.send_once(entry)
            }
            result => result,
        }
    }

    /// What is too long for a datagram goes in a sealed file of its own.
    fn send_once(&self, entry: &[u8]) -> io::Result<()> {
        match retry_on_intr(|| send(&self.socket, entry, AT_ONCE)) {
            Err(Errno::MSGSIZE | Errno::NOBUFS) => self.send_file(entry),
            Err(errno) => Err(errno.into()),
            Ok(_) => Ok(()),
        }
    }

    fn send_file(&self, entry: &[u8]) -> io::Result<()> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(memfd_create("hostler-journal", flags)?);
        file.write_all(entry)?;
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let fds = [file.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
        retry_on_intr(|| sendmsg(&self.socket, &[], &mut ancillary, AT_ONCE))?;
        Ok(())
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

#[cfg(test)]
mod tests {
    use rustix::process::getpid;

    use super::*;
    use crate::journal::fake::Fake;

    fn report(lost: u64) -> Vec<u8> {
        format!("{lost} lost").into_bytes()
    }

    #[test]
    fn what_is_too_long_for_a_datagram_arrives_as_a_file() {
        let fake = Fake::new();
        let long = "x".repeat(20 << 20);
        fake.connect().send(long.as_bytes(), report);
        assert!(fake.next() == long);
    }

    #[test]
    fn a_journald_that_came_again_is_found_and_told_of_what_it_has_missed() {
        let mut fake = Fake::new();
        let journald = fake.connect();
        fake.go();
        journald.send(b"one", report);
        journald.send(b"two", report);
        fake.come_again();
        journald.send(b"three", report);
        assert_eq!([fake.next(), fake.next()], ["three", "2 lost"]);
        journald.send(b"four", report);
        assert_eq!(fake.next(), "four");
    }

    /// This test would not end if anybody waited.
    #[test]
    fn a_journald_that_does_not_read_loses_entries_and_keeps_nobody() {
        let fake = Fake::new();
        let journald = fake.connect();
        (0..10_000).for_each(|number| journald.send(number.to_string().as_bytes(), report));
        let lost = journald.lost.load(Relaxed);
        assert!(lost > 0);
        (0..10_000 - lost).for_each(|number| assert_eq!(fake.next(), number.to_string()));
        journald.send(b"again", report);
        assert_eq!(
            [fake.next(), fake.next()],
            ["again", &format!("{lost} lost")]
        );
    }

    #[test]
    fn a_journald_that_comes_later_is_found() {
        let mut fake = Fake::new();
        fake.go();
        let journald = Journald::disconnected(fake.path().to_str().unwrap()).unwrap();
        journald.send(b"nobody", report);
        fake.come_again();
        journald.send(b"somebody", report);
        assert_eq!([fake.next(), fake.next()], ["somebody", "1 lost"]);
    }

    #[test]
    fn a_journald_that_is_not_ready_yet_will_know_whose_entry_it_is() {
        let fake = Fake::new();
        fake.connect().send(b"early", report);
        assert_eq!(fake.sender_of_next(), getpid());
    }

    #[test]
    fn a_connection_can_be_made_anew() {
        let (fake, other) = (Fake::new(), Fake::new());
        let journald = fake.connect();
        fake.move_to(&other);
        journald.reconnect().unwrap();
        journald.send(b"entry", report);
        assert_eq!(other.next(), "entry");
    }
}
