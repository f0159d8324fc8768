//! What SELinux and AppArmor have denied to the site or to nginx, where the journal or the audit log can be read.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{Patient, access::Need, entry::Entry, manager};

const TOPIC: &str = "denials";
/// Where auditd writes.
const AUDIT_LOG: &str = "/var/log/audit/audit.log";
/// So much of its end is read, in bytes.
const TAIL: u64 = 256 << 10;
/// What is older may have been put right.
const RECENT: Duration = Duration::from_secs(24 * 3600);
/// So many denials are told.
const MOST: usize = 5;

/// Something that a security module did not let a process do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Denial {
    module: Module,
    /// The process, cut to 15 bytes by the kernel.
    process: String,
    /// What it wanted to do, `open` or `connectto`.
    action: String,
    /// A path; of SELinux perhaps only its last part.
    object: String,
    /// The profile, or the domain.
    domain: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Module {
    AppArmor,
    SELinux,
}

/// Reads what there is to read, and tells what concerns the site.
pub(super) fn look(patient: &Patient<'_>, needs: &[Need]) -> Vec<Entry> {
    let mut lines = if manager::is_booted() {
        manager::kernel()
    } else {
        Vec::new()
    };
    lines.extend(tail(Path::new(AUDIT_LOG)).lines().map(str::to_owned));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let denials: BTreeSet<Denial> = lines
        .iter()
        .filter(|line| is_recent(line, now))
        .filter_map(|line| parse(line))
        .filter(|denial| concerns(denial, patient, needs))
        .collect();
    denials.iter().take(MOST).map(judge).collect()
}

/// Nothing when it is not there, or not ours to read.
fn tail(path: &Path) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// By the time in `audit(1700000000.123:45)`; what has none counts.
fn is_recent(line: &str, now: Duration) -> bool {
    let time = line
        .split_once("audit(")
        .and_then(|(_, rest)| rest.split_once('.'));
    let time = time.and_then(|(seconds, _)| seconds.parse().ok());
    time.is_none_or(|seconds| now.saturating_sub(Duration::from_secs(seconds)) < RECENT)
}

fn parse(line: &str) -> Option<Denial> {
    let value = |name: &str| value(line, name).unwrap_or_default();
    if line.contains("apparmor=\"DENIED\"") {
        return Some(Denial {
            module: Module::AppArmor,
            process: value("comm"),
            action: value("operation"),
            object: value("name"),
            domain: value("profile"),
        });
    }
    let (_, rest) = line.split_once("avc:  denied  { ")?;
    let (action, _) = rest.split_once(" }")?;
    if value("permissive") == "1" {
        return None;
    }
    let path = value("path");
    Some(Denial {
        module: Module::SELinux,
        process: value("comm"),
        action: action.to_owned(),
        object: if path.is_empty() { value("name") } else { path },
        domain: value("scontext"),
    })
}

/// The value behind ` name=`, with or without quotes.
fn value(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!(" {name}="))?;
    let value = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split_whitespace().next(),
    };
    value.map(str::to_owned)
}

/// Our processes, the site's interpreter, nginx; and whoever wanted a file that the site needs.
fn concerns(denial: &Denial, patient: &Patient<'_>, needs: &[Need]) -> bool {
    let process = denial.process.as_str();
    if process.starts_with("hostler") || process == "nginx" {
        return true;
    }
    let object = Path::new(&denial.object);
    let is_below = |path: &Path| object.is_absolute() && object.starts_with(path);
    let sockets = patient.settings.listen.iter();
    let mut sockets = sockets.map(|listen| listen.address.to_string());
    needs.iter().any(|need| is_below(&need.path))
        || sockets.any(|socket| object.is_absolute() && object == Path::new(&socket))
}

fn judge(denial: &Denial) -> Entry {
    let Denial {
        module,
        process,
        action,
        object,
        domain,
    } = denial;
    let message = match object.is_empty() {
        true => format!("{module:?} has denied {process} ({domain}) to {action}"),
        false => format!("{module:?} has denied {process} ({domain}) to {action} {object}"),
    };
    let advice = match module {
        Module::AppArmor => {
            let local = domain.trim_start_matches('/').replace('/', ".");
            format!("allow it in /etc/apparmor.d/local/{local}, then systemctl reload apparmor")
        }
        Module::SELinux if action == "name_connect" => {
            "setsebool -P httpd_can_network_connect 1".to_owned()
        }
        Module::SELinux => {
            "label the file as its directory should be (restorecon -Rv DIRECTORY), or allow it: ausearch -m avc -ts recent | audit2allow -M hostler-local && semodule -i hostler-local.pp".to_owned()
        }
    };
    Entry::wrong(TOPIC, message, advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::entry::lines;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let denials: Vec<Entry> = parse(line).iter().map(judge).collect();
        assert_eq!(lines(&denials), expected);
    }

    #[test]
    fn both_modules_are_understood() {
        check(
            "audit: type=1400 audit(1.2:3): apparmor=\"DENIED\" operation=\"connect\" class=\"file\" \
             profile=\"/usr/sbin/nginx\" name=\"/run/hostler/shop.sock\" pid=1 comm=\"nginx\" requested_mask=\"w\"",
            &[
                "Wrong denials: AppArmor has denied nginx (/usr/sbin/nginx) to connect /run/hostler/shop.sock \
               -> allow it in /etc/apparmor.d/local/usr.sbin.nginx, then systemctl reload apparmor",
            ],
        );
        check(
            "type=AVC msg=audit(1.2:3): avc:  denied  { name_connect } for  pid=1 comm=\"nginx\" dest=8000 \
             scontext=system_u:system_r:httpd_t:s0 tcontext=a:b:c:s0 tclass=tcp_socket permissive=0",
            &[
                "Wrong denials: SELinux has denied nginx (system_u:system_r:httpd_t:s0) to name_connect \
               -> setsebool -P httpd_can_network_connect 1",
            ],
        );
        check(
            "audit: apparmor=\"ALLOWED\" operation=\"open\" comm=\"nginx\"",
            &[],
        );
        check(
            "avc:  denied  { read } for  comm=\"nginx\" permissive=1",
            &[],
        );
    }

    #[test]
    fn what_is_old_is_not_told() {
        let line = "type=AVC msg=audit(1700000000.123:45): avc:";
        assert!(is_recent(line, Duration::from_secs(1_700_000_100)));
        assert!(!is_recent(line, Duration::from_secs(1_700_100_000)));
        assert!(is_recent("no time", Duration::from_secs(1_700_100_000)));
    }

    #[test]
    fn the_end_of_a_log_is_enough() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "x".repeat(TAIL as usize) + "end").unwrap();
        let tail = tail(file.path());
        assert!(tail.len() as u64 == TAIL && tail.ends_with("end"));
        assert_eq!(super::tail(Path::new("/no/such/file")), "");
    }
}
