//! What waits in the kernel until somebody looks: connections in a listening socket's queue, and bytes of a client.

use std::{
    io, mem,
    os::fd::{AsFd, AsRawFd},
    sync::LazyLock,
    time::Duration,
};

use rustix::{
    fs::fstat,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send,
        socket_with, sockopt::socket_domain,
    },
    time::{ClockId, clock_getres},
};

/// A listening socket's queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListenQueue {
    /// Connections that wait.
    pub waiting: u32,
    /// How many may.
    pub limit: u32,
}

/// The queue. TCP sockets tell it by TCP_INFO (tcp(7)), Unix sockets by the kernel's socket diagnosis
/// (sock_diag(7)), which a sandbox without AF_NETLINK does not allow.
pub fn listen_queue(listener: impl AsFd) -> io::Result<ListenQueue> {
    match socket_domain(&listener)? {
        AddressFamily::UNIX => {
            let inode = u32::try_from(fstat(&listener)?.st_ino).map_err(io::Error::other)?;
            unix_queue(inode)
        }
        _ => tcp_queue(listener),
    }
}

/// Of a listening socket, `tcpi_unacked` is the number of connections in its queue, and `tcpi_sacked` how many
/// may be there (net/ipv4/tcp.c, `tcp_get_info`).
fn tcp_queue(listener: impl AsFd) -> io::Result<ListenQueue> {
    // Eight bytes of states and options, then `rto`, `ato`, `snd_mss`, `rcv_mss`, `unacked`, `sacked`.
    const UNACKED: usize = 6;
    let info = tcp_info::<{ UNACKED + 2 }>(listener)?;
    Ok(ListenQueue {
        waiting: info[UNACKED],
        limit: info[UNACKED + 1],
    })
}

/// How long ago the last bytes of a client came over TCP, less what the kernel's clock for that may be wrong; `None` for
/// other sockets.
pub fn received_ago(socket: impl AsFd) -> Option<Duration> {
    // Behind `sacked` come `lost`, `retrans`, `fackets`, `last_data_sent`, `last_ack_sent`, `last_data_recv`.
    const LAST_DATA_RECV: usize = 13;
    let info = tcp_info::<{ LAST_DATA_RECV + 1 }>(socket).ok()?;
    let ago = Duration::from_millis(info[LAST_DATA_RECV].into());
    // It counts ticks, as the coarse clock does: two moments of different ticks may be next to each other.
    static TICK: LazyLock<Duration> = LazyLock::new(|| {
        let tick = clock_getres(ClockId::MonotonicCoarse);
        Duration::new(tick.tv_sec as u64, tick.tv_nsec as u32)
    });
    Some(ago.saturating_sub(*TICK))
}

/// The first `N` words of `struct tcp_info` (linux/tcp.h).
fn tcp_info<const N: usize>(socket: impl AsFd) -> io::Result<[u32; N]> {
    let mut info = [0_u32; N];
    let mut length = mem::size_of_val(&info) as libc::socklen_t;
    // SAFETY: the kernel writes no more than `length` bytes, all of which the array has; integers take any bytes.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(info)
}

/// linux/sock_diag.h
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// linux/netlink.h
const NLM_F_REQUEST: u16 = 1;
/// linux/netlink.h
const NLMSG_ERROR: u16 = 2;
/// linux/unix_diag.h
const UDIAG_SHOW_RQLEN: u32 = 0x10;
/// linux/unix_diag.h
const UNIX_DIAG_RQLEN: u16 = 4;
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 24;
/// `unix_diag_msg`, in front of the attributes.
const MESSAGE: usize = 16;

fn unix_queue(inode: u32) -> io::Result<ListenQueue> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    send(&socket, &request(inode), SendFlags::empty())?;
    let mut answer = [0; 256];
    let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    parse(&answer[..length]).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

/// `nlmsghdr` and `unix_diag_req`, in the byte order of the machine.
fn request(inode: u32) -> [u8; REQUEST] {
    let all_states = u32::MAX;
    // Any socket of this inode: INET_DIAG_NOCOOKIE.
    let cookie = u32::MAX;
    let family = u32::from_ne_bytes([libc::AF_UNIX as u8, 0, 0, 0]);
    let mut bytes = [0; REQUEST];
    bytes[..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&NLM_F_REQUEST.to_ne_bytes());
    let words = [family, all_states, inode, UDIAG_SHOW_RQLEN, cookie, cookie];
    for (place, word) in bytes[HEADER..].chunks_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// The two numbers of the attribute that was asked for (`unix_diag_rqlen`).
fn parse(answer: &[u8]) -> Option<ListenQueue> {
    if short(answer, 4)? == NLMSG_ERROR {
        return None;
    }
    let mut attributes = answer.get(HEADER + MESSAGE..)?;
    loop {
        let (length, kind) = (usize::from(short(attributes, 0)?), short(attributes, 2)?);
        if kind == UNIX_DIAG_RQLEN {
            return Some(ListenQueue {
                waiting: word(attributes, 4)?,
                limit: word(attributes, 8)?,
            });
        }
        // Attributes begin at multiples of four.
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let value = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(value.try_into().ok()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let value = bytes.get(at..at + 2)?;
    Some(u16::from_ne_bytes(value.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        net::{TcpListener, TcpStream},
        os::unix::net::{UnixListener, UnixStream},
        time::Instant,
    };

    use super::*;

    #[test]
    fn tcp_connections_are_counted_until_they_are_accepted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(listen_queue(&listener).unwrap().waiting, 0);
        assert!(listen_queue(&listener).unwrap().limit > 0);
        let address = listener.local_addr().unwrap();
        let clients = [(); 3].map(|()| TcpStream::connect(address).unwrap());
        assert_eq!(listen_queue(&listener).unwrap().waiting, 3);
        listener.accept().unwrap();
        assert_eq!(listen_queue(&listener).unwrap().waiting, 2);
        drop(clients);
    }

    #[test]
    fn only_tcp_tells_when_bytes_have_come() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let began = Instant::now();
        client.write_all(b"x").unwrap();
        // Until the kernel's clock has gone on far enough to be sure of it.
        while received_ago(&server).unwrap().is_zero() {
            assert!(began.elapsed() < Duration::from_secs(10));
        }
        let ago = received_ago(&server).unwrap();
        assert!(ago <= began.elapsed(), "{ago:?}");
        assert_eq!(received_ago(UnixStream::pair().unwrap().0), None);
    }

    #[test]
    fn unix_connections_are_counted_until_they_are_accepted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(listen_queue(&listener).unwrap().waiting, 0);
        assert!(listen_queue(&listener).unwrap().limit > 0);
        let clients = [(); 3].map(|()| UnixStream::connect(&path).unwrap());
        assert_eq!(listen_queue(&listener).unwrap().waiting, 3);
        listener.accept().unwrap();
        assert_eq!(listen_queue(&listener).unwrap().waiting, 2);
        drop(clients);
    }

    #[test]
    fn what_is_no_socket_is_refused() {
        assert!(listen_queue(std::fs::File::open("/dev/null").unwrap()).is_err());
        assert!(parse(&[0; 40]).is_none());
        assert!(parse(&[]).is_none());
    }
}
