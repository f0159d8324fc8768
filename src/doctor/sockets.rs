//! Whether the addresses of a site are free, its own, or somebody else's, and whether the files of its Unix sockets are as
//! its settings say.

use std::{
    fs,
    net::{IpAddr, ToSocketAddrs},
    path::Path,
};

use crate::config::{Address, Listen};

use super::{
    Patient,
    access::{Ownership, group_name, user_name},
    entry::Entry,
    listening::{self, Bound, Holder, Socket},
    units::Units,
};

const TOPIC: &str = "sockets";
/// Mode of a socket's file when the settings name none, as the shipped socket unit has it.
const DEFAULT_MODE: u32 = 0o660;

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nobody.
    Free,
    /// A process that we may not look at.
    Hidden,
    /// Somebody else.
    Other(Holder),
    /// The site itself, or the service manager for it.
    Ours,
    /// The service manager, for another unit.
    Unit,
}

/// Looks at the address of every `[[listen]]`.
pub(super) fn look(patient: &Patient<'_>, units: Option<&Units>) -> Vec<Entry> {
    let sockets = listening::sockets();
    let mut entries = Vec::new();
    for listen in &patient.settings.listen {
        let taken = taken(patient, units, &listen.address, &sockets);
        let is_open = units.is_some_and(Units::socket_is_active);
        entries.push(judge(&patient.site, is_open, listen, &taken));
        if let (Taken::Ours, Address::Unix(path), true) =
            (&taken, &listen.address, patient.is_service)
        {
            entries.extend(file(patient, listen, path));
        }
    }
    entries
}

fn taken(
    patient: &Patient<'_>,
    units: Option<&Units>,
    address: &Address,
    sockets: &[Socket],
) -> Taken {
    let Some(socket) = sockets.iter().find(|socket| is_at(socket, address)) else {
        return Taken::Free;
    };
    let Some(holder) = listening::holder(socket.inode) else {
        return Taken::Hidden;
    };
    let site = &patient.site;
    let of_site = holder
        .unit
        .as_ref()
        .is_some_and(|unit| *unit == format!("hostler@{site}.service"));
    let is_manager = holder.pid == 1 && holder.name.starts_with("systemd");
    if of_site || serves(&holder, patient.file) {
        return Taken::Ours;
    }
    match (
        is_manager,
        units.is_some_and(|units| units.socket_listens_on(address)),
    ) {
        (true, true) => Taken::Ours,
        (true, false) => Taken::Unit,
        (false, _) => Taken::Other(holder),
    }
}

/// Whether it is `hostler serve` of this very file, in a terminal perhaps, or a worker of it.
fn serves(holder: &Holder, file: &Path) -> bool {
    let directory = |pid: u32| fs::read_link(format!("/proc/{pid}/cwd"));
    let words = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let parent = fs::read_to_string(format!("/proc/{}/stat", holder.pid));
    let parent = parent.ok().and_then(|stat| {
        let (_, rest) = stat.rsplit_once(") ")?;
        rest.split_whitespace().nth(1)?.parse::<u32>().ok()
    });
    let is_it = |pid: u32| {
        let words = words(pid);
        let mut words = words.split(|byte| *byte == 0);
        let is_hostler = words
            .next()
            .is_some_and(|program| program.ends_with(b"hostler"));
        let directory = directory(pid).unwrap_or_default();
        let names = |word: &[u8]| {
            let named = directory.join(String::from_utf8_lossy(word).as_ref());
            !word.is_empty() && fs::canonicalize(named).ok() == fs::canonicalize(file).ok()
        };
        is_hostler && words.any(names)
    };
    is_it(holder.pid) || parent.is_some_and(is_it)
}

/// Whether whoever listens there keeps others from listening at the address.
fn is_at(socket: &Socket, address: &Address) -> bool {
    match (&socket.bound, address) {
        (Bound::Abstract(bound), Address::Abstract(name)) => bound == name,
        (Bound::Unix(bound), Address::Unix(path)) => bound == path,
        (Bound::Tcp(bound), Address::Tcp { host, port }) if bound.port() == *port => {
            let Some(host) = host else { return true };
            let meant: Vec<IpAddr> = match host.parse() {
                Ok(ip) => vec![ip],
                Err(_) => {
                    let found = (host.as_str(), *port).to_socket_addrs();
                    found
                        .into_iter()
                        .flatten()
                        .map(|found| found.ip())
                        .collect()
                }
            };
            // A socket of IPv6 for every address usually takes those of IPv4 as well.
            let for_all = bound.ip().is_unspecified()
                && (bound.is_ipv6() || meant.iter().any(IpAddr::is_ipv4));
            for_all || meant.contains(&bound.ip())
        }
        _ => false,
    }
}

/// What there is to say of an address. `is_open`: the site's socket unit is active.
fn judge(site: &str, is_open: bool, listen: &Listen, taken: &Taken) -> Entry {
    let address = &listen.address;
    match taken {
        Taken::Free if is_open => Entry::wrong(
            TOPIC,
            format!(
                "hostler@{site}.socket is active and nobody listens on {address}: the settings have changed since it was started"
            ),
            format!("systemctl daemon-reload && systemctl restart hostler@{site}.socket"),
        ),
        Taken::Free => Entry::good(TOPIC, format!("{address} is free")),
        Taken::Ours => Entry::good(
            TOPIC,
            format!("{address} is open for {site}, {}", listen.protocol),
        ),
        Taken::Hidden => Entry::warning(
            TOPIC,
            format!("somebody listens on {address}, and only root may see who"),
            "run this as root",
        ),
        Taken::Unit => Entry::wrong(
            TOPIC,
            format!("systemd listens on {address} for another unit than hostler@{site}.socket"),
            "find it with systemctl list-sockets, and stop it; or choose another address in [[listen]]",
        ),
        Taken::Other(Holder { pid, name, unit }) => {
            let (of_unit, stop) = match unit {
                Some(unit) => (format!(" of {unit}"), format!("systemctl stop {unit}")),
                None => (String::new(), format!("kill {pid}")),
            };
            Entry::wrong(
                TOPIC,
                format!("{address} is in use by {name} (process {pid}{of_unit})"),
                format!("{stop}; or choose another address in [[listen]]"),
            )
        }
    }
}

/// Compares the file of a socket that systemd has made with what the settings say.
fn file(patient: &Patient<'_>, listen: &Listen, path: &Path) -> Option<Entry> {
    let found = Ownership::of(path).ok()?;
    let service = &patient.settings.service;
    let number =
        |name: &String, find: fn(&str) -> Option<u32>| name.parse().ok().or_else(|| find(name));
    let user = |name: &str| uzers::get_user_by_name(name).map(|user| user.uid());
    let group = |name: &str| uzers::get_group_by_name(name).map(|group| group.gid());
    let ids = &patient.person.ids;
    let owner = listen.owner.as_ref().and_then(|name| number(name, user));
    let named = listen.group.as_ref().or(service.group.as_ref());
    let wanted = Ownership {
        mode: listen.mode.map_or(DEFAULT_MODE, |mode| mode.0),
        user: owner.unwrap_or(ids.user),
        group: named
            .and_then(|name| number(name, group))
            .unwrap_or(ids.group),
    };
    differs(&patient.site, path, &found, &wanted)
}

fn differs(site: &str, path: &Path, found: &Ownership, wanted: &Ownership) -> Option<Entry> {
    let same = found.mode & 0o777 == wanted.mode & 0o777
        && found.user == wanted.user
        && found.group == wanted.group;
    (!same).then(|| {
        Entry::wrong(
            TOPIC,
            format!(
                "{} is {}, and the settings say mode {:04o} and {} {}",
                path.display(),
                found.shown(),
                wanted.mode & 0o7777,
                user_name(wanted.user),
                group_name(wanted.group)
            ),
            format!("systemctl daemon-reload && systemctl restart hostler@{site}.socket"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::entry::lines;

    fn holder(unit: Option<&str>) -> Taken {
        Taken::Other(Holder {
            pid: 77,
            name: "nginx".to_owned(),
            unit: unit.map(str::to_owned),
        })
    }

    #[track_caller]
    fn check(is_open: bool, taken: &Taken, expected: &str) {
        let listen = Listen::at("127.0.0.1:8000".parse().unwrap());
        assert_eq!(lines(&[judge("shop", is_open, &listen, taken)]), [expected]);
    }

    #[test]
    fn an_address_is_free_or_ours_or_somebody_has_it() {
        check(false, &Taken::Free, "Good sockets: 127.0.0.1:8000 is free");
        check(
            true,
            &Taken::Ours,
            "Good sockets: 127.0.0.1:8000 is open for shop, http",
        );
        check(
            true,
            &Taken::Free,
            "Wrong sockets: hostler@shop.socket is active and nobody listens on 127.0.0.1:8000: the settings have \
             changed since it was started -> systemctl daemon-reload && systemctl restart hostler@shop.socket",
        );
        check(
            false,
            &holder(Some("nginx.service")),
            "Wrong sockets: 127.0.0.1:8000 is in use by nginx (process 77 of nginx.service) \
             -> systemctl stop nginx.service; or choose another address in [[listen]]",
        );
        check(
            false,
            &holder(None),
            "Wrong sockets: 127.0.0.1:8000 is in use by nginx (process 77) \
             -> kill 77; or choose another address in [[listen]]",
        );
    }

    #[track_caller]
    fn check_at(bound: &str, address: &str, expected: bool) {
        let bound = Bound::Tcp(bound.parse().unwrap());
        let socket = Socket { bound, inode: 1 };
        assert_eq!(is_at(&socket, &address.parse().unwrap()), expected);
    }

    #[test]
    fn addresses_overlap() {
        check_at("127.0.0.1:80", "127.0.0.1:80", true);
        check_at("127.0.0.1:80", "127.0.0.2:80", false);
        check_at("127.0.0.1:80", "127.0.0.1:81", false);
        check_at("0.0.0.0:80", "127.0.0.1:80", true);
        check_at("0.0.0.0:80", "[::1]:80", false);
        check_at("[::]:80", "127.0.0.1:80", true);
        check_at("127.0.0.1:80", ":80", true);
        check_at("127.0.0.1:80", "localhost:80", true);
    }

    #[test]
    fn a_file_that_is_not_as_the_settings_say() {
        let found = |mode: u32, group| Ownership {
            mode: 0o140_000 | mode,
            user: 0,
            group,
        };
        let path = Path::new("/run/a.sock");
        assert_eq!(
            differs("shop", path, &found(0o660, 0), &found(0o660, 0)),
            None
        );
        let entry = differs("shop", path, &found(0o600, 0), &found(0o660, 54321));
        let text = &lines(&[entry.unwrap()])[0];
        assert!(
            text.contains(
                "/run/a.sock is srw------- root root, and the settings say mode 0660 and root 54321"
            ),
            "{text}"
        );
    }
}
