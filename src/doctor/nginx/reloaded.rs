//! Whether nginx serves with its configuration as it is on the disk: who edits a file and forgets the reload sees no error
//! anywhere.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::time::{ClockId, clock_gettime};

use crate::doctor::{entry::Entry, manager::Unit};

use super::TOPIC;

/// Ticks of /proc/PID/stat in a second (USER_HZ), the same on every machine that Linux has left.
const TICKS: u64 = 100;
/// A file is written and nginx reloaded within it by the same command; clocks differ by as much.
const SLACK: Duration = Duration::from_secs(1);
/// What nginx calls workers that finish what they have begun before a reload.
const LEAVING: &str = "is shutting down";

/// Looks, if nginx runs as a service; `files` are all of its configuration.
pub(super) fn look(unit: &Unit, files: &[PathBuf]) -> Option<Entry> {
    if unit.property("ActiveState") != "active" {
        return None;
    }
    let main: u32 = unit.property("MainPID").parse().ok()?;
    let serving = serving(main);
    let changed = files
        .iter()
        .filter_map(|file| Some((changed(file)?, file.as_path())));
    judge(serving?, changed.max()?)
}

/// When a file was written, or put into its place with an older time.
fn changed(file: &Path) -> Option<SystemTime> {
    let found = fs::metadata(file).ok()?;
    let placed = Duration::from_secs(u64::try_from(found.ctime()).ok()?);
    Some(found.modified().ok()?.max(SystemTime::UNIX_EPOCH + placed))
}

/// The newest file against the time from which on nginx serves as it does.
fn judge(serving: SystemTime, (changed, file): (SystemTime, &Path)) -> Option<Entry> {
    let late = changed.duration_since(serving).unwrap_or_default();
    (late > SLACK).then(|| {
        Entry::warning(
            TOPIC,
            format!("{} has changed since nginx has read it", file.display()),
            "nginx -t && systemctl reload nginx",
        )
    })
}

/// Since when the youngest worker is there: a reload makes new ones, and only the first process stays.
fn serving(main: u32) -> Option<SystemTime> {
    let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children"));
    let children = children.unwrap_or_default();
    let workers = children.split_whitespace().filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        !String::from_utf8_lossy(&line).contains(LEAVING)
    });
    let began = workers.filter_map(began).max();
    let since_boot = began.or_else(|| began_at(main))?;
    let now = clock_gettime(ClockId::Boottime);
    let seconds = Duration::from_secs(u64::try_from(now.tv_sec).ok()?);
    let now = seconds + Duration::from_nanos(u64::try_from(now.tv_nsec).ok()?);
    SystemTime::now().checked_sub(now.checked_sub(since_boot)?)
}

fn began(pid: &str) -> Option<Duration> {
    began_at(pid.parse().ok()?)
}

fn began_at(pid: u32) -> Option<Duration> {
    start(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The 22nd field of proc(5), behind a name in brackets that may hold anything.
fn start(stat: &str) -> Option<Duration> {
    let (_, behind) = stat.rsplit_once(") ")?;
    let ticks: u64 = behind.split(' ').nth(19)?.parse().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::entry::lines;

    #[test]
    fn the_start_of_a_process_is_read() {
        let stat = format!("1 (a) b) S {}1234 77", "0 ".repeat(18));
        assert_eq!(start(&stat), Some(Duration::from_millis(12_340)));
        let ours = serving(std::process::id()).unwrap();
        assert!(ours <= SystemTime::now());
    }

    #[test]
    fn a_file_that_is_newer_was_not_read() {
        let serving = SystemTime::now();
        let at = |seconds| serving + Duration::from_secs(seconds);
        let file = Path::new("/etc/nginx/shop.conf");
        assert_eq!(judge(serving, (serving, file)), None);
        assert_eq!(judge(serving, (at(1), file)), None);
        assert_eq!(
            lines(&Vec::from_iter(judge(serving, (at(2), file)))),
            [
                "Warning nginx: /etc/nginx/shop.conf has changed since nginx has read it \
              -> nginx -t && systemctl reload nginx"
            ]
        );
    }
}
