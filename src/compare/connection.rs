//! A connection with one deadline for everything that happens on it.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::{fd::OwnedFd, unix::net::UnixStream},
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};

use super::server::Place;

/// A connected socket whose reads and writes fail with `TimedOut` once the deadline is there.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    deadline: Instant,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection {
    /// Connects; of the addresses of a name it takes the first that answers.
    pub(super) fn open(place: &Place, deadline: Instant) -> io::Result<Self> {
        let stream = match place {
            Place::Tcp(host, port) => Stream::Tcp(tcp((host.as_str(), *port), deadline)?),
            Place::Unix(path) => {
                let address = SocketAddrUnix::new(path.as_path())?;
                Stream::Unix(unix(&address, deadline)?)
            }
            Place::Abstract(name) => {
                let address = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
                Stream::Unix(unix(&address, deadline)?)
            }
        };
        Ok(Self { stream, deadline })
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = Some(left(self.deadline)?);
        let read = match &mut self.stream {
            Stream::Tcp(stream) => stream
                .set_read_timeout(left)
                .and_then(|()| stream.read(buffer)),
            Stream::Unix(stream) => stream
                .set_read_timeout(left)
                .and_then(|()| stream.read(buffer)),
        };
        read.map_err(timed_out)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = Some(left(self.deadline)?);
        let written = match &mut self.stream {
            Stream::Tcp(stream) => stream
                .set_write_timeout(left)
                .and_then(|()| stream.write(bytes)),
            Stream::Unix(stream) => stream
                .set_write_timeout(left)
                .and_then(|()| stream.write(bytes)),
        };
        written.map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tcp(address: impl ToSocketAddrs, deadline: Instant) -> io::Result<TcpStream> {
    let mut fault = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => fault = error,
        }
    }
    Err(fault)
}

/// connect(2) of a Unix socket waits while the queue of the listener is full, as long as the timeout for sending says;
/// the standard library can set that on a connected socket only.
fn unix(address: &SocketAddrUnix, deadline: Instant) -> io::Result<UnixStream> {
    let socket: OwnedFd = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    let left = left(deadline)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(left))?;
    rustix::net::connect(&socket, address).map_err(|error| timed_out(error.into()))?;
    Ok(UnixStream::from(socket))
}

/// The time that is left; it is never zero, which would mean for ever.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(io::ErrorKind::TimedOut.into()),
        false => Ok(left.max(Duration::from_millis(1))),
    }
}

/// A socket whose timeout is over says EAGAIN (socket(7)).
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}
