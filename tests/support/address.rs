//! Where a server listens, and how to get a connection to it.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::{
        fd::{AsFd, BorrowedFd},
        linux::net::SocketAddrExt,
        unix::net as unix,
    },
    time::Duration,
};

use rustix::net::{self, AddressFamily, SocketType, sockopt};

use super::{
    answer::Answer,
    client::{Client, request},
    tls,
};

/// Where a server listens: `127.0.0.1:8000`, `[::1]:8000`, `/run/x.sock` or `@name`; `tls:` stands before an address of
/// HTTPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) String);

/// What a client needs of a connection, be it over TCP or a Unix socket.
pub(super) trait Stream: Read + Write + Send {
    fn descriptor(&self) -> BorrowedFd<'_>;
    fn patience(&self, time: Duration);
    fn end(&self, how: Shutdown);
}

impl Stream for TcpStream {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }

    fn patience(&self, time: Duration) {
        self.set_read_timeout(Some(time)).unwrap();
        self.set_write_timeout(Some(time)).unwrap();
    }

    fn end(&self, how: Shutdown) {
        let _ = self.shutdown(how);
    }
}

impl Stream for unix::UnixStream {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }

    fn patience(&self, time: Duration) {
        self.set_read_timeout(Some(time)).unwrap();
        self.set_write_timeout(Some(time)).unwrap();
    }

    fn end(&self, how: Shutdown) {
        let _ = self.shutdown(how);
    }
}

const TLS: &str = "tls:";

/// A port of this machine that nobody listens on at the moment.
pub(crate) fn free() -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Address(listener.local_addr().unwrap().to_string())
}

impl Address {
    /// The same address, for clients that encrypt.
    pub(crate) fn over_tls(&self) -> Self {
        Self(format!("{TLS}{}", self.0))
    }

    /// The port of an address that has one.
    pub(crate) fn port(&self) -> &str {
        self.0.rsplit_once(':').unwrap().1
    }

    /// Connects, or says why not.
    pub(crate) fn try_connect(&self) -> std::io::Result<Client> {
        if let Some(address) = self.0.strip_prefix(TLS) {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            return Ok(Client::new(tls::over(stream)));
        }
        let stream: Box<dyn Stream> = match self.0.as_bytes()[0] {
            b'/' => Box::new(unix::UnixStream::connect(&self.0)?),
            b'@' => {
                let address = unix::SocketAddr::from_abstract_name(&self.0[1..])?;
                Box::new(unix::UnixStream::connect_addr(&address)?)
            }
            _ => {
                let stream = TcpStream::connect(&self.0)?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        };
        Ok(Client::new(stream))
    }

    /// Connects.
    pub(crate) fn connect(&self) -> Client {
        self.try_connect()
            .unwrap_or_else(|error| panic!("no connection to {}: {error}", self.0))
    }

    /// Connects over TCP with as small a receive buffer as the kernel gives, so that the server feels what is not read.
    pub(crate) fn connect_with_small_buffer(&self) -> Client {
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        sockopt::set_socket_recv_buffer_size(&socket, 1).unwrap();
        net::connect(&socket, &self.0.parse::<SocketAddr>().unwrap()).unwrap();
        Client::new(Box::new(TcpStream::from(socket)))
    }

    /// One GET on a connection of its own.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.request("GET", target, &[], b"")
    }

    /// One request on a connection of its own. A body brings its Content-Length.
    pub(crate) fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut client = self.connect();
        client.send(&request(method, target, headers, body));
        client.answer_to(method)
    }
}
