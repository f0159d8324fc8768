//! Real sockets, on loopback and in temporary directories.

mod heirloom;
mod options;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

use rustix::{
    io::{FdFlags, fcntl_getfd},
    net::sockopt::{ipv6_v6only, tcp_nodelay},
};

use super::*;
use crate::config::{FileMode, Protocol};

const DEFER: Duration = Duration::from_secs(4);
/// What is said when somebody else has an address.
const REMEDY: &str = "stop that one (hostler doctor names it), or listen elsewhere";

fn at(address: &str) -> Listen {
    Listen::at(address.parse().unwrap())
}

fn bound(settings: &[Listen]) -> Listeners {
    Listeners::bind(settings, DEFER, Vec::new()).unwrap()
}

fn refused(settings: &[Listen]) -> String {
    Listeners::bind(settings, DEFER, Vec::new())
        .unwrap_err()
        .to_string()
}

fn addresses(listeners: &Listeners) -> Vec<String> {
    listeners
        .iter()
        .map(|listener| listener.bound.clone())
        .collect()
}

fn inherited(fd: impl Into<OwnedFd>) -> Vec<Inherited> {
    vec![Inherited {
        fd: fd.into(),
        name: "web".into(),
    }]
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn connects(path: &Path) -> bool {
    UnixStream::connect(path).is_ok()
}

#[test]
fn port_0_becomes_the_true_port() {
    let listeners = bound(&[at("127.0.0.1:0")]);
    let address = addresses(&listeners).remove(0);
    assert!(address.starts_with("127.0.0.1:") && !address.ends_with(":0"));
    assert!(TcpStream::connect(address).is_ok());
}

#[test]
fn sockets_are_close_on_exec_and_without_delay() {
    let listeners = bound(&[at("127.0.0.1:0")]);
    let fd = listeners.iter().next().unwrap();
    assert_eq!(fcntl_getfd(fd).unwrap(), FdFlags::CLOEXEC);
    assert!(tcp_nodelay(fd).unwrap());
}

#[test]
fn every_address_is_one_socket_for_both_versions_of_ip() {
    let listeners = bound(&[at(":0")]);
    let fds: Vec<_> = listeners.iter().collect();
    assert_eq!(fds.len(), 1);
    if let Ok(only) = ipv6_v6only(fds[0]) {
        assert!(!only);
    }
    let address = addresses(&listeners).remove(0);
    let port = address.rsplit(':').next().unwrap();
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
}

#[test]
fn a_name_is_resolved() {
    let listeners = bound(&[at("localhost:0")]);
    assert!(
        addresses(&listeners)
            .iter()
            .all(|address| TcpStream::connect(address).is_ok())
    );
    let expected = "cannot listen on no-such-host.invalid:80: the host name has no address";
    assert_eq!(refused(&[at("no-such-host.invalid:80")]), expected);
}

#[test]
fn a_port_in_use_is_named() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let expected = format!("cannot listen on {address}: it is in use by another server; {REMEDY}");
    assert_eq!(refused(&[at(&address)]), expected);
}

#[test]
fn a_unix_socket_is_for_owner_and_group_unless_the_settings_say_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    let mut listen = at(path.to_str().unwrap());
    drop(bound(std::slice::from_ref(&listen)));
    let listeners = bound(std::slice::from_ref(&listen));
    assert_eq!(mode_of(&path), 0o660);
    listen.mode = Some(FileMode(0o666));
    let wider = listeners
        .rebind(std::slice::from_ref(&listen), DEFER)
        .unwrap();
    assert_eq!(mode_of(&path), 0o660);
    assert!(wider.apply(&[listen], DEFER).is_empty());
    assert_eq!(
        (mode_of(&path), addresses(&wider).remove(0)),
        (0o666, path.display().to_string())
    );
}

#[test]
fn owner_and_group_may_be_names_or_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let mut listen = at(directory.path().join("a.sock").to_str().unwrap());
    listen.owner = uzers::get_current_username().map(|name| name.to_string_lossy().into_owned());
    listen.group = Some(uzers::get_effective_gid().to_string());
    drop(bound(std::slice::from_ref(&listen)));
    listen.group = Some("no-such-group".into());
    assert!(refused(&[listen]).ends_with("there is no group \"no-such-group\""));
}

#[test]
fn an_unknown_owner_is_found_before_anything_changes() {
    let directory = tempfile::tempdir().unwrap();
    let mut listen = at(directory.path().join("a.sock").to_str().unwrap());
    let listeners = bound(std::slice::from_ref(&listen));
    listen.owner = Some("no-such-user".into());
    let error = listeners.rebind(&[listen], DEFER).unwrap_err().to_string();
    assert!(
        error.ends_with("there is no owner \"no-such-user\""),
        "{error}"
    );
}

#[test]
fn a_new_length_of_the_queue_counts_from_the_change_on() {
    let mut listen = at("127.0.0.1:0");
    listen.backlog = Some(8);
    // A connection without data counts only if the kernel does not hold it back.
    let at_once = Duration::ZERO;
    let listeners = Listeners::bind(std::slice::from_ref(&listen), at_once, Vec::new()).unwrap();
    let address = addresses(&listeners).remove(0);
    let waits = |count: usize| {
        let clients = (0..count).map(|_| TcpStream::connect(&address).unwrap());
        clients.collect::<Vec<_>>()
    };
    listen.backlog = Some(1);
    let shorter = listeners
        .rebind(std::slice::from_ref(&listen), DEFER)
        .unwrap();
    let early = waits(4);
    assert!(shorter.apply(&[listen], at_once).is_empty());
    let late = address.parse().unwrap();
    let patience = Duration::from_millis(100);
    assert!(TcpStream::connect_timeout(&late, patience).is_err());
    drop(early);
}

#[test]
fn only_what_is_all_inherited_outlives_us() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = at("127.0.0.1:0");
    let given = at(&socket.local_addr().unwrap().to_string());
    let sockets = inherited(socket.try_clone().unwrap());
    let only = Listeners::bind(std::slice::from_ref(&given), DEFER, sockets).unwrap();
    assert!(only.are_inherited());
    let mixed = Listeners::bind(&[given, own], DEFER, inherited(socket)).unwrap();
    assert!(!mixed.are_inherited() && !Listeners::default().are_inherited());
}

#[test]
fn the_file_goes_with_its_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    let listeners = bound(&[at(path.to_str().unwrap())]);
    assert!(connects(&path));
    drop(listeners);
    assert!(!path.exists());
}

#[test]
fn the_file_of_a_successor_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    let listeners = bound(&[at(path.to_str().unwrap())]);
    fs::remove_file(&path).unwrap();
    let _successor = UnixListener::bind(&path).unwrap();
    drop(listeners);
    assert!(connects(&path));
}

#[test]
fn a_file_left_by_a_dead_server_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    drop(UnixListener::bind(&path).unwrap());
    let _listeners = bound(&[at(path.to_str().unwrap())]);
    assert!(connects(&path));
}

#[test]
fn the_socket_of_a_living_server_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    let _other = UnixListener::bind(&path).unwrap();
    assert!(refused(&[at(path.to_str().unwrap())]).ends_with(REMEDY));
    assert!(connects(&path));
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    fs::write(&path, "precious").unwrap();
    assert!(refused(&[at(path.to_str().unwrap())]).contains("exists and is not a socket"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("run");
    let error = refused(&[at(missing.join("a.sock").to_str().unwrap())]);
    assert!(error.contains(&format!(
        "the directory {} does not exist",
        missing.display()
    )));
}

#[test]
fn abstract_names_are_bound_once() {
    let name = format!("@hostler-test-{}", std::process::id());
    let listeners = bound(&[at(&name)]);
    assert_eq!(addresses(&listeners), [name.as_str()]);
    assert!(refused(&[at(&name)]).ends_with(REMEDY));
}

#[test]
fn an_inherited_socket_is_found_by_its_address() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let listeners = Listeners::bind(&[at(&address)], DEFER, inherited(socket)).unwrap();
    assert_eq!(addresses(&listeners), [address]);
    assert!(tcp_nodelay(listeners.iter().next().unwrap()).unwrap());
}

#[test]
fn an_inherited_socket_on_every_address_is_found_by_its_port() {
    let socket = TcpListener::bind("0.0.0.0:0").unwrap();
    let address = socket.local_addr().unwrap();
    let settings = [at(&format!(":{}", address.port()))];
    let listeners = Listeners::bind(&settings, DEFER, inherited(socket)).unwrap();
    assert_eq!(addresses(&listeners), [address.to_string()]);
}

#[test]
fn the_file_of_an_inherited_socket_is_not_ours() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    let socket = UnixListener::bind(&path).unwrap();
    let mode = mode_of(&path);
    let settings = [at(path.to_str().unwrap())];
    drop(Listeners::bind(&settings, DEFER, inherited(socket)).unwrap());
    assert_eq!(mode_of(&path), mode);
}

#[test]
fn an_inherited_socket_that_nobody_wants_is_an_error_with_both_lists() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let error = Listeners::bind(&[at("@wanted")], DEFER, inherited(socket)).unwrap_err();
    let expected = format!(
        "inherited sockets that no [[listen]] names: {address} (web); the [[listen]] addresses are: @wanted; \
         if the settings have changed: systemctl daemon-reload, then restart the socket unit"
    );
    assert_eq!(error.to_string(), expected);
}

/// `inherited` calls every socket `web`.
fn at_as(address: &str, name: &str) -> Listen {
    let name = Some(name.to_owned());
    Listen {
        name,
        ..at(address)
    }
}

#[test]
fn an_inherited_socket_is_found_by_its_name() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let settings = [at_as("127.0.0.1:0", "other"), at_as(&address, "web")];
    let listeners = Listeners::bind(&settings, DEFER, inherited(socket)).unwrap();
    assert_eq!(addresses(&listeners)[1], address);
}

#[test]
fn a_name_that_is_not_inherited_leaves_the_address() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let settings = [at_as(&address, "other")];
    let listeners = Listeners::bind(&settings, DEFER, inherited(socket)).unwrap();
    assert!(listeners.are_inherited());
}

#[test]
fn an_inherited_socket_with_the_name_and_another_address_is_an_error_with_both() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let settings = [at_as("@elsewhere", "web")];
    let error = Listeners::bind(&settings, DEFER, inherited(socket)).unwrap_err();
    let expected = format!(
        "the inherited socket called web is bound to {address}, and its [[listen]] says @elsewhere; \
         if the settings have changed: systemctl daemon-reload, then restart the socket unit"
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_port_can_be_shared_and_an_address_can_come_later() {
    let share = |address: &str| Listen {
        reuse_port: true,
        freebind: true,
        ..at(address)
    };
    let first = bound(&[share("127.0.0.1:0")]);
    let address = addresses(&first)[0].to_owned();
    let second = bound(&[share(&address)]);
    assert_eq!(addresses(&second), [address]);
    // An address for documentation (RFC 5737), which nobody has.
    assert_eq!(bound(&[share("192.0.2.1:0")]).iter().count(), 1);
    assert_eq!(bound(&[share("[2001:db8::1]:0")]).iter().count(), 1);
}

#[test]
fn a_reload_keeps_what_stays_binds_what_is_new_and_closes_what_goes() {
    let directory = tempfile::tempdir().unwrap();
    let [kept, gone, new] = ["kept", "gone", "new"].map(|name| directory.path().join(name));
    let [kept_at, gone_at, new_at] = [&kept, &gone, &new].map(|path| at(path.to_str().unwrap()));
    let old = bound(&[kept_at.clone(), gone_at]);
    let now = old.rebind(&[kept_at, new_at], DEFER).unwrap();
    assert!(connects(&kept) && connects(&gone) && connects(&new));
    drop(old);
    assert!(connects(&kept) && !gone.exists() && connects(&new));
    drop(now);
    assert!(!kept.exists() && !new.exists());
}

#[test]
fn a_reload_that_cannot_bind_leaves_everything_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let [kept, new] = ["kept", "new"].map(|name| directory.path().join(name));
    let old = bound(&[at(kept.to_str().unwrap())]);
    let settings = [at(new.to_str().unwrap()), at("/no-such-directory/a.sock")];
    assert!(old.rebind(&settings, DEFER).is_err());
    assert!(connects(&kept) && !new.exists());
}

#[test]
fn a_listener_may_change_its_protocol() {
    let mut listen = at("127.0.0.1:0");
    let old = bound(std::slice::from_ref(&listen));
    listen.protocol = Protocol::Uwsgi;
    let now = old.rebind(&[listen], DEFER).unwrap();
    let (old, now) = (old.iter().next().unwrap(), now.iter().next().unwrap());
    assert_eq!((now.protocol, &now.bound), (Protocol::Uwsgi, &old.bound));
}
