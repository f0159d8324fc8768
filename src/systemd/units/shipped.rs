//! The units that are shipped, as far as units that are made anew have to say the same: there is no way to refer to a
//! part of another unit. And what is shipped inside the program, because not every systemd understands it.

use super::Unit;

const SERVICE: &str = include_str!("../../../systemd/system/hostler@.service");
const SOCKET: &str = include_str!("../../../systemd/system/hostler@.socket");
const SINCE_254: &str =
    include_str!("../../../systemd/since-254/hostler@.service.d/10-since-254.conf");

/// What this version of systemd understands beyond the oldest that we run on; an older one would warn of it whenever it
/// reads its units. An upgrade of the machine brings it without one of ours.
pub(super) fn newer(systemd: u32) -> Option<Unit> {
    (systemd >= 254).then(|| Unit {
        path: "hostler@.service.d/10-since-254.conf".into(),
        text: SINCE_254.to_owned(),
    })
}

/// The user and the sandbox: what holds for the site's commands as for its service.
pub(super) fn sandbox() -> impl Iterator<Item = &'static str> {
    between(SERVICE, "\nUser=", "\n[Install]")
}

/// All that the service is told.
pub(super) fn service() -> impl Iterator<Item = &'static str> {
    between(SERVICE, "\n[Service]", "\n[Install]")
}

/// What holds for every socket, but for its address.
pub(super) fn socket() -> impl Iterator<Item = &'static str> {
    let lines = between(SOCKET, "\n[Socket]", "\n[Install]");
    lines.filter(|line| !line.starts_with("ListenStream="))
}

/// The settings from one place on to another one.
fn between(
    unit: &'static str,
    begin: &str,
    end: &str,
) -> impl Iterator<Item = &'static str> + use<> {
    let from = unit.find(begin).unwrap_or(unit.len());
    let to = unit.find(end).unwrap_or(unit.len());
    let lines = unit.get(from..to).unwrap_or_default().lines();
    lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sandbox_is_all_of_it() {
        let lines: Vec<&str> = sandbox().collect();
        assert_eq!(lines.first(), Some(&"User=hostler"));
        assert_eq!(lines.last(), Some(&"SystemCallFilter=~@privileged"));
        assert!(lines.contains(&"ProtectSystem=strict"));
    }

    #[test]
    fn an_old_systemd_is_told_nothing_new() {
        assert_eq!(newer(253), None);
        assert!(newer(254).unwrap().text.contains("\nRestartSteps="));
    }

    #[test]
    fn sockets_have_everything_but_the_address() {
        let lines: Vec<&str> = socket().collect();
        assert_eq!(lines.first(), Some(&"SocketUser=hostler"));
        assert_eq!(lines.last(), Some(&"BindIPv6Only=both"));
    }
}
