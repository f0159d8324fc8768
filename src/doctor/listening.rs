//! Who listens where on this machine, as /proc tells it (proc(5)): addresses from the tables of the kernel, and the
//! process that has the socket open.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// State of a TCP socket that listens (include/net/tcp_states.h).
const LISTEN: &str = "0A";
/// Flag of a Unix socket that listens (`__SO_ACCEPTCON`).
const ACCEPTS: u64 = 0x1_0000;

/// Where a socket is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    Abstract(String),
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// A socket that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) bound: Bound,
    pub(super) inode: u64,
}

/// A process that has a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: u32,
    /// As ps(1) shows it.
    pub(super) name: String,
    /// The unit of the service manager that it belongs to.
    pub(super) unit: Option<String>,
}

/// Every socket that listens in our network and mount namespaces.
pub(super) fn sockets() -> Vec<Socket> {
    let read = |name: &str| fs::read_to_string(Path::new("/proc/net").join(name));
    let read = |name| read(name).unwrap_or_default();
    let mut found = tcp(&read("tcp"));
    found.extend(tcp(&read("tcp6")));
    found.extend(unix(&read("unix")));
    found
}

/// Who has it open, the service manager only when nobody else has; `None`: nobody whom we may look at.
pub(super) fn holder(inode: u64) -> Option<Holder> {
    let target = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<u32> = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable_by(|a, b| b.cmp(a));
    let has_it = |pid: &u32| {
        let open = fs::read_dir(format!("/proc/{pid}/fd"));
        let open = open.into_iter().flatten().flatten();
        let mut links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
        links.any(|link| link.as_os_str() == target.as_str())
    };
    let pid = pids.into_iter().find(has_it)?;
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    Some(Holder {
        pid,
        name: read("comm").trim_end().to_owned(),
        unit: unit(&read("cgroup")),
    })
}

/// The service or scope of a cgroup.
fn unit(cgroups: &str) -> Option<String> {
    let mut parts = cgroups.lines().flat_map(|line| line.rsplit('/'));
    parts
        .find(|part| part.ends_with(".service"))
        .map(str::to_owned)
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...`
fn tcp(table: &str) -> Vec<Socket> {
    let rows = table.lines().skip(1).filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        if *columns.get(3)? != LISTEN {
            return None;
        }
        let (ip, port) = columns.get(1)?.split_once(':')?;
        let address = SocketAddr::new(ip_of(ip)?, u16::from_str_radix(port, 16).ok()?);
        Some(Socket {
            bound: Bound::Tcp(address),
            inode: columns.get(9)?.parse().ok()?,
        })
    });
    rows.collect()
}

/// Words of 32 bits in the order of the machine, each in hexadecimal.
fn ip_of(text: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = text.get(at..at + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            let ip = Ipv6Addr::from(bytes);
            Some(ip.into())
        }
        _ => None,
    }
}

/// `Num: RefCount Protocol Flags Type St Inode Path`, the path perhaps with blanks.
fn unix(table: &str) -> Vec<Socket> {
    let rows = table.lines().skip(1).filter_map(|line| {
        let mut rest = line;
        let mut columns = Vec::new();
        while columns.len() < 7 {
            rest = rest.trim_start();
            let (column, behind) = rest.split_once(' ')?;
            columns.push(column);
            rest = behind;
        }
        let flags = u64::from_str_radix(columns[3], 16).ok()?;
        if flags & ACCEPTS == 0 {
            return None;
        }
        let bound = match rest.strip_prefix('@') {
            Some(name) => Bound::Abstract(name.to_owned()),
            None => Bound::Unix(rest.into()),
        };
        let inode = columns[6].parse().ok()?;
        Some(Socket { bound, inode })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn tables_of_the_kernel_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n   \
            1: 0100007F:1F41 0100007F:1F40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0\n";
        let found = match cfg!(target_endian = "little") {
            true => "127.0.0.1:8000",
            false => "1.0.0.127:8000",
        };
        let bound = Bound::Tcp(found.parse().unwrap());
        assert_eq!(tcp(table), [Socket { bound, inode: 4711 }]);
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 17 /run/a b.sock\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 18 @name\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 19 /run/connected\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 20\n";
        let found: Vec<Bound> = unix(table).into_iter().map(|socket| socket.bound).collect();
        assert_eq!(
            found,
            [
                Bound::Unix("/run/a b.sock".into()),
                Bound::Abstract("name".to_owned())
            ]
        );
    }

    #[test]
    fn our_own_socket_is_found_and_is_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bound = Bound::Tcp(listener.local_addr().unwrap());
        let found = sockets().into_iter().find(|socket| socket.bound == bound);
        let holder = holder(found.unwrap().inode).unwrap();
        assert_eq!(holder.pid, std::process::id());
    }

    #[test]
    fn a_unit_is_the_innermost_service() {
        let cgroup = "1:name=systemd:/system.slice/system-a.slice/hostler@shop.service\n0::/x\n";
        assert_eq!(unit(cgroup).as_deref(), Some("hostler@shop.service"));
        assert_eq!(unit("0::/user.slice/session-1.scope\n"), None);
    }
}
