//! Sockets that each entry is sent to as a datagram: `udp:`, `unix:` and `syslog:`.
//!
//! The supervisor makes and connects them, as it opens files, and all processes share them. Nobody waits: what is not
//! taken at once is counted, and the number is told with the next entry that is. A peer that went and came again is found
//! by whoever has something to say; UDP has no connection that could be lost, and tells of a peer that does not listen by
//! refusing what comes after.

use std::{
    io,
    net::ToSocketAddrs,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use rustix::{
    io::{Errno, retry_on_intr},
    net::{
        AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, getpeername,
        send, socket_with, sockopt,
    },
};

use crate::{
    config::{HostPort, LogTarget},
    sys::replace_fd,
};

/// The longest datagram, in bytes: what syslog daemons take unless they are told otherwise. The rest is cut off.
const LONGEST: usize = 8 << 10;
/// Stands where something was cut off.
const CUT: &str = "...";
/// Where the machine's own syslog listens.
const SYSLOG: &str = "/dev/log";
const AT_ONCE: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// See the module.
#[derive(Debug)]
pub(super) struct Datagrams {
    socket: OwnedFd,
    /// Where it is connected to; `None`: over UDP.
    path: Option<std::path::PathBuf>,
    lost: AtomicU64,
}

impl Datagrams {
    /// By the supervisor's socket for this target.
    pub(super) fn new(target: &LogTarget, socket: OwnedFd) -> Self {
        Self {
            socket,
            path: path(target).map(Path::to_owned),
            lost: AtomicU64::new(0),
        }
    }

    /// From now on entries go by this socket.
    pub(super) fn replace(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        replace_fd(&self.socket, socket)
    }

    /// Sends an entry, or counts it as lost. With the first one that arrives again comes `report` of how many were lost.
    pub(super) fn send(&self, mut entry: String, report: impl Fn(u64) -> String) {
        cut(&mut entry);
        if self.try_send(entry.as_bytes()).is_err() {
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        if self.lost.load(Relaxed) == 0 {
            return;
        }
        if self.is_refused() {
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        let lost = self.lost.swap(0, Relaxed);
        if lost > 0 && self.try_send(report(lost).as_bytes()).is_err() {
            self.lost.fetch_add(lost, Relaxed);
        }
    }

    fn try_send(&self, entry: &[u8]) -> Result<(), Errno> {
        match (self.send_once(entry), &self.path) {
            (Err(errno), Some(path)) if is_disconnected(errno) => {
                reconnect(self.socket.as_fd(), path)?;
                self.send_once(entry)
            }
            // It is said of the datagram before.
            (Err(Errno::CONNREFUSED), None) => {
                self.lost.fetch_add(1, Relaxed);
                self.send_once(entry)
            }
            (result, _) => result,
        }
    }

    fn send_once(&self, entry: &[u8]) -> Result<(), Errno> {
        retry_on_intr(|| send(&self.socket, entry, AT_ONCE)).map(drop)
    }

    /// Whether nobody listens to what was sent just now, as far as that is known already.
    fn is_refused(&self) -> bool {
        let error = sockopt::socket_error(&self.socket);
        self.path.is_none() && matches!(error, Ok(Err(_)))
    }
}

/// A socket for a target, connected if its peer is there. `None`: this target has none.
///
/// # Errors
/// A name has no address, or the peer is of another kind, or may not be spoken to.
pub(super) fn open(target: &LogTarget) -> io::Result<Option<OwnedFd>> {
    if let Some(path) = path(target) {
        let socket = new(AddressFamily::UNIX)?;
        // A peer may ask who speaks only after it can be spoken to, as journald does (unix(7)).
        sockopt::set_socket_passcred(&socket, true)?;
        return match reconnect(socket.as_fd(), path) {
            // It may come later.
            Err(Errno::NOENT | Errno::CONNREFUSED) | Ok(()) => Ok(Some(socket)),
            Err(errno) => Err(errno.into()),
        };
    }
    let (LogTarget::Udp(peer) | LogTarget::SyslogUdp(peer)) = target else {
        return Ok(None);
    };
    let HostPort { host, port } = peer;
    let address = (host.as_str(), *port).to_socket_addrs()?.next();
    let address = address.ok_or(io::ErrorKind::NotFound)?;
    let socket = new(match address.is_ipv4() {
        true => AddressFamily::INET,
        false => AddressFamily::INET6,
    })?;
    connect(&socket, &address)?;
    Ok(Some(socket))
}

/// Connects the socket of a target anew if one of us has found that its peer is gone; for those who may not do that
/// themselves. A peer that is not there yet is looked for again.
pub(super) fn heal(target: &LogTarget, socket: BorrowedFd<'_>) {
    if let Some(path) = path(target)
        && getpeername(socket).is_err()
    {
        let _ = reconnect(socket, path);
    }
}

/// Whether a target is a socket with a path.
pub(super) fn is_path(target: &LogTarget) -> bool {
    path(target).is_some()
}

fn path(target: &LogTarget) -> Option<&Path> {
    match target {
        LogTarget::Syslog => Some(Path::new(SYSLOG)),
        LogTarget::SyslogUnix(path) | LogTarget::Unix(path) => Some(path),
        _ => None,
    }
}

fn new(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    Ok(socket_with(family, SocketType::DGRAM, flags, None)?)
}

fn reconnect(socket: BorrowedFd<'_>, path: &Path) -> Result<(), Errno> {
    connect(socket, &SocketAddrUnix::new(path)?)
}

fn is_disconnected(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::CONNREFUSED | Errno::CONNRESET | Errno::DESTADDRREQ | Errno::NOTCONN
    )
}

/// At the end of a letter, and a line end stays one.
fn cut(entry: &mut String) {
    if entry.len() <= LONGEST {
        return;
    }
    let end = if entry.ends_with('\n') { "\n" } else { "" };
    let most = LONGEST - CUT.len() - end.len();
    let end_of_letter = (0..=most).rev().find(|&at| entry.is_char_boundary(at));
    entry.truncate(end_of_letter.unwrap_or_default());
    entry.extend([CUT, end]);
}

#[cfg(test)]
mod tests {
    use std::{
        net::UdpSocket,
        os::unix::net::{UnixDatagram, UnixListener},
    };

    use rustix::process::getpid;
    use tempfile::TempDir;

    use super::*;
    use crate::journal::fake::sender_of_next;

    fn report(lost: u64) -> String {
        format!("{lost} lost")
    }

    fn to(target: &LogTarget) -> Datagrams {
        Datagrams::new(target, open(target).unwrap().unwrap())
    }

    /// A target in a directory of its own, where nobody listens yet.
    fn place() -> (TempDir, LogTarget) {
        let directory = tempfile::tempdir().unwrap();
        let target = LogTarget::Unix(directory.path().join("socket"));
        (directory, target)
    }

    fn udp(port: u16) -> LogTarget {
        let host = "127.0.0.1".to_owned();
        LogTarget::Udp(HostPort { host, port })
    }

    fn next(receive: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> String {
        let mut bytes = vec![0; 1 << 16];
        let length = receive(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_peer_that_comes_later_or_again_is_found_and_told_of_what_it_has_missed() {
        let (_directory, target) = place();
        let path = path(&target).unwrap();
        let datagrams = to(&target);
        datagrams.send("one".into(), report);
        for round in 1..=2 {
            let peer = UnixDatagram::bind(path).unwrap();
            datagrams.send("two".into(), report);
            assert_eq!(next(|buffer| peer.recv(buffer)), "two");
            assert_eq!(next(|buffer| peer.recv(buffer)), format!("{round} lost"));
            drop(peer);
            std::fs::remove_file(path).unwrap();
            (0..2).for_each(|_| datagrams.send("nobody".into(), report));
        }
    }

    /// This test would not end if anybody waited.
    #[test]
    fn a_peer_that_does_not_read_loses_entries_and_keeps_nobody() {
        let (_directory, target) = place();
        let peer = UnixDatagram::bind(path(&target).unwrap()).unwrap();
        let datagrams = to(&target);
        (0..10_000).for_each(|number| datagrams.send(number.to_string(), report));
        let lost = datagrams.lost.load(Relaxed);
        assert!(lost > 0);
        for number in 0..10_000 - lost {
            assert_eq!(next(|buffer| peer.recv(buffer)), number.to_string());
        }
        datagrams.send("again".into(), report);
        assert_eq!(next(|buffer| peer.recv(buffer)), "again");
        assert_eq!(next(|buffer| peer.recv(buffer)), format!("{lost} lost"));
    }

    #[test]
    fn what_nobody_listens_to_over_udp_is_counted() {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = peer.local_addr().unwrap();
        let datagrams = to(&udp(address.port()));
        datagrams.send("one".into(), report);
        assert_eq!(next(|buffer| peer.recv(buffer)), "one");
        drop(peer);
        (0..5).for_each(|_| datagrams.send("nobody".into(), report));
        let peer = UdpSocket::bind(address).unwrap();
        datagrams.send("two".into(), report);
        assert_eq!(next(|buffer| peer.recv(buffer)), "two");
        // A network need not say at once that nobody listens.
        let told = next(|buffer| peer.recv(buffer));
        let (number, _) = told.split_once(" lost").unwrap();
        assert!((1..=5).contains(&number.parse().unwrap()), "{told}");
    }

    #[test]
    fn the_supervisor_finds_a_peer_for_those_who_may_not() {
        let (_directory, target) = place();
        let socket = open(&target).unwrap().unwrap();
        heal(&target, socket.as_fd());
        let peer = UnixDatagram::bind(path(&target).unwrap()).unwrap();
        heal(&target, socket.as_fd());
        send(&socket, b"one", AT_ONCE).unwrap();
        assert_eq!(next(|buffer| peer.recv(buffer)), "one");
    }

    #[test]
    fn a_peer_that_is_not_ready_yet_will_know_whose_entry_it_is() {
        let (_directory, target) = place();
        let peer = UnixDatagram::bind(path(&target).unwrap()).unwrap();
        to(&target).send("early".into(), report);
        assert_eq!(sender_of_next(&peer), getpid());
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let mut text = "é".repeat(LONGEST) + "\n";
        cut(&mut text);
        assert!(text.len() <= LONGEST && text.len() > LONGEST - 2);
        assert!(text.ends_with("é...\n"));
    }

    #[test]
    fn a_peer_of_another_kind_is_an_error() {
        let (_directory, target) = place();
        let _listener = UnixListener::bind(path(&target).unwrap()).unwrap();
        assert!(open(&target).is_err());
        let host = "nobody.invalid".to_owned();
        assert!(open(&LogTarget::Udp(HostPort { host, port: 1 })).is_err());
        assert!(open(&LogTarget::Journal).unwrap().is_none());
    }
}
