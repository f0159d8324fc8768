//! Whether this machine has the addresses and directories of the sockets.

use std::{
    io,
    net::{IpAddr, TcpListener},
    path::Path,
};

use rustix::fs::{Access, access};

use crate::config::{Address, Settings};

use super::host::Findings;

/// Looks at every `[[listen]]`, and at the addresses of the reports.
pub(super) fn look(settings: &Settings, findings: &mut Findings) {
    for (number, listen) in settings.listen.iter().enumerate() {
        let number = number.to_string();
        address(
            &["listen", &number, "address"],
            &listen.address,
            listen.freebind,
            findings,
        );
    }
    for (section, given) in [
        ("stats", &settings.stats.address),
        ("metrics", &settings.metrics.address),
    ] {
        if let Some(given) = given {
            address(&[section, "address"], given, false, findings);
        }
    }
}

fn address(key: &[&str], address: &Address, freebind: bool, findings: &mut Findings) {
    match address {
        Address::Tcp {
            host: Some(host), ..
        } if !freebind => {
            // Any free port tells whether the machine has the address; a name may have another one by then.
            let Ok(ip) = host.parse::<IpAddr>() else {
                return;
            };
            let bound = TcpListener::bind((ip, 0));
            if bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrNotAvailable) {
                findings.error(
                    key,
                    format!("this machine does not have the address {ip}; correct it, or set freebind = true if it comes later"),
                );
            }
        }
        Address::Unix(path) => directory(key, path.parent().unwrap_or(path), findings),
        _ => {}
    }
}

/// systemd makes the directory for a socket unit, as root; hostler itself does neither.
fn directory(key: &[&str], directory: &Path, findings: &mut Findings) {
    let shown = directory.display();
    if !directory.is_dir() {
        findings.note(
            key,
            format!("{shown} does not exist; systemd makes it for a socket unit, hostler itself does not"),
        );
    } else if access(directory, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        findings.note(
            key,
            format!("whoever runs this check may not make a file in {shown}; whoever serves the site without systemd has to"),
        );
    }
}
