//! `[[listen]]` as socket units (systemd.socket(5)).
//!
//! One socket unit says mode, owner, backlog and the like once for all its addresses. So addresses that agree in these
//! share a unit, `hostler@SITE.socket` being the first, and the others get `hostler-2@SITE.socket` and so on, which come
//! and go with it.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
    time::Duration,
};

use crate::config::{Address, ByteSize, FileMode, Listen, Settings};

use super::{
    SiteName, Unit,
    service::seconds,
    shipped,
    text::{Text, line},
};

/// The units of one site.
pub(super) struct Sockets {
    groups: Vec<Group>,
    /// Addresses that systemd cannot listen on; hostler does so itself.
    own: Vec<String>,
}

/// Addresses of one unit, and what it says of them.
struct Group {
    streams: Vec<String>,
    /// For files: mode, owner and group.
    access: Option<Access>,
    backlog: Option<u32>,
    freebind: bool,
    reuse_port: bool,
    name: Option<String>,
    /// What concerns sockets with a port.
    tcp: Option<Tcp>,
    send_buffer: ByteSize,
    receive_buffer: ByteSize,
}

#[derive(Clone, PartialEq)]
struct Tcp {
    /// For how long a connection may be silent before a worker sees it; `None`: not at all.
    defer: Option<Duration>,
    keepalive: bool,
}

#[derive(Clone, PartialEq)]
struct Access {
    mode: Option<FileMode>,
    owner: Option<String>,
    group: Option<String>,
}

impl Sockets {
    pub(super) fn new(site: &SiteName, settings: &Settings) -> Self {
        let mut sockets = Self {
            groups: Vec::new(),
            own: Vec::new(),
        };
        for listen in &settings.listen {
            match stream(&listen.address) {
                Some(stream) => sockets.add(Group::new(site, settings, listen, stream)),
                None => sockets.own.push(listen.address.to_string()),
            }
        }
        sockets
    }

    /// Whether systemd listens on nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    fn add(&mut self, new: Group) {
        match self.groups.iter_mut().find(|group| group.agrees(&new)) {
            Some(group) => {
                group.streams.extend(new.streams);
                group.access = group.access.take().or(new.access);
                group.tcp = group.tcp.take().or(new.tcp);
            }
            None => self.groups.push(new),
        }
    }

    /// The drop-in of the first unit, which also wants `timers`, and those of the others.
    pub(super) fn units(&self, site: &SiteName, timers: &[String], source: &Path) -> Vec<Unit> {
        let mut first = Text::from(source);
        let name_of = |index: usize| format!("hostler-{}@{site}.socket", index + 1);
        let others = (1..self.groups.len()).map(name_of);
        first.set_words("Wants", others.chain(timers.iter().cloned()));
        first.section("Socket");
        for address in &self.own {
            first.comment(&format!(
                "{address} is not for a socket unit; hostler listens there itself."
            ));
        }
        first.set("ListenStream", "");
        if let Some(group) = self.groups.first() {
            group.write(&mut first);
        }
        let mut units = vec![Unit::drop_in(
            &format!("hostler@{site}.socket"),
            first.finish(),
        )];
        for (index, group) in self.groups.iter().enumerate().skip(1) {
            let mut text = Text::from(source);
            text.set(
                "Description",
                &format!("hostler, more sockets of site {site}"),
            );
            text.set("PartOf", &format!("hostler@{site}.socket"));
            text.section("Socket");
            text.set("Service", &format!("hostler@{site}.service"));
            text.copy(shipped::socket());
            group.write(&mut text);
            units.push(Unit {
                path: name_of(index).into(),
                text: text.finish(),
            });
        }
        units
    }
}

impl Group {
    fn new(site: &SiteName, settings: &Settings, listen: &Listen, stream: String) -> Self {
        let is_file = matches!(listen.address, Address::Unix(_));
        let service = &settings.service;
        // Without an owner the socket belongs to whoever runs the site, with the group that runs it.
        let access = is_file.then(|| Access {
            mode: listen.mode,
            owner: listen.owner.clone().or_else(|| service.user.clone()),
            group: listen.group.clone().or_else(|| service.group.clone()),
        });
        Self {
            streams: vec![stream],
            access,
            backlog: listen.backlog,
            freebind: listen.freebind,
            reuse_port: listen.reuse_port,
            name: listen.name.clone().or_else(|| Some(site.to_string())),
            tcp: matches!(listen.address, Address::Tcp { .. }).then(|| Tcp {
                defer: listen.defer_accept.then_some(settings.timeouts.socket.0),
                keepalive: listen.tcp_keepalive,
            }),
            send_buffer: listen.send_buffer,
            receive_buffer: listen.receive_buffer,
        }
    }

    /// Whether one unit can say both.
    fn agrees(&self, other: &Self) -> bool {
        let same_access = match (&self.access, &other.access) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        let same_tcp = match (&self.tcp, &other.tcp) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        same_access
            && same_tcp
            && self.send_buffer == other.send_buffer
            && self.receive_buffer == other.receive_buffer
            && self.backlog == other.backlog
            && self.freebind == other.freebind
            && self.reuse_port == other.reuse_port
            && self.name == other.name
    }

    fn write(&self, text: &mut Text) {
        for stream in &self.streams {
            text.set("ListenStream", stream);
        }
        text.set_some("FileDescriptorName", self.name.as_deref());
        if let Some(access) = &self.access {
            text.set_some("SocketMode", access.mode.map(|mode| mode.to_string()));
            text.set_some("SocketUser", access.owner.as_deref());
            text.set_some("SocketGroup", access.group.as_deref());
        }
        text.set_some("Backlog", self.backlog.map(|backlog| backlog.to_string()));
        if self.freebind {
            text.set("FreeBind", "yes");
        }
        if self.reuse_port {
            text.set("ReusePort", "yes");
        }
        if let Some(tcp) = &self.tcp {
            text.set_some("DeferAcceptSec", tcp.defer.map(seconds));
            if tcp.keepalive {
                text.set("KeepAlive", "yes");
            }
        }
        for (key, size) in [
            ("SendBuffer", self.send_buffer),
            ("ReceiveBuffer", self.receive_buffer),
        ] {
            if size != ByteSize(0) {
                text.set(key, &size.0.to_string());
            }
        }
    }
}

/// An address as `ListenStream=` takes it; `None` for host names, which systemd does not look up, for port 0, and for
/// names that a line of a unit cannot hold.
fn stream(address: &Address) -> Option<String> {
    let holds = |name: &str| !name.ends_with(|c: char| c == '\\' || c.is_whitespace());
    match address {
        Address::Tcp { port: 0, .. } => None,
        Address::Tcp { host: None, port } => Some(port.to_string()),
        Address::Tcp {
            host: Some(host),
            port,
        } => {
            let (ip, _scope) = host.split_once('%').unwrap_or((host, ""));
            if host.parse::<Ipv4Addr>().is_ok() {
                Some(format!("{host}:{port}"))
            } else if ip.parse::<Ipv6Addr>().is_ok() {
                Some(line(&format!("[{host}]:{port}")))
            } else {
                None
            }
        }
        Address::Unix(path) => path.to_str().filter(|path| holds(path)).map(line),
        Address::Abstract(name) => holds(name).then(|| line(&format!("@{name}"))),
    }
}
