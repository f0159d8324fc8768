//! What processes take, as the kernel has it at hand (proc_pid_statm(5)), so that every look may read it; why one
//! does not run; and whether the kernel has killed for want of memory.

use std::{fs, path::PathBuf};

use rustix::param::{clock_ticks_per_second, page_size};

use super::lifecycle::Memory;

/// What a process takes; `None` when it is gone.
pub(super) fn memory(pid: i32) -> Option<Memory> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    parse_statm(&statm, page_size() as u64)
}

/// How long a process has had a processor, in microseconds, as exact as the kernel's ticks (proc_pid_stat(5)).
pub(super) fn cpu_us(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&stat, clock_ticks_per_second())
}

/// What the kernel says of a process that does not answer (proc_pid_stat(5)), in words.
pub(super) fn why_it_does_not_run(pid: i32) -> Option<&'static str> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in parentheses, may contain anything.
    let (_, rest) = stat.rsplit_once(')')?;
    match rest.trim_start().chars().next()? {
        'T' => Some("it was stopped by a signal"),
        't' => Some("a debugger has stopped it"),
        'D' => Some("it waits for a disk or another device"),
        'Z' | 'X' => Some("it has ended"),
        _ => None,
    }
}

/// Counts what the kernel's OOM killer has killed in our control group.
#[derive(Debug)]
pub(super) struct OomKills {
    events: Option<PathBuf>,
    count: u64,
}

impl OomKills {
    pub(super) fn new() -> Self {
        let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut kills = Self {
            events: events_file(&group),
            count: 0,
        };
        kills.count = kills.read();
        kills
    }

    /// Whether there has been one since the last question.
    pub(super) fn has_struck(&mut self) -> bool {
        let before = self.count;
        self.count = self.read();
        self.count > before
    }

    fn read(&self) -> u64 {
        let events = self.events.as_ref();
        let text = events.and_then(|path| fs::read_to_string(path).ok());
        let text = text.unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|count| count.trim().parse().ok())
            .unwrap_or_default()
    }
}

/// Of the unified hierarchy (cgroups(7)); there may be none.
fn events_file(group: &str) -> Option<PathBuf> {
    let path = group.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(PathBuf::from(format!("/sys/fs/cgroup{path}/memory.events")))
}

/// The fields `utime` and `stime`, 14 and 15.
fn parse_stat(text: &str, ticks_per_second: u64) -> Option<u64> {
    // The name of the program, in parentheses, may contain anything; what follows it begins with field 3.
    let (_, rest) = text.rsplit_once(')')?;
    let mut times = rest.split_ascii_whitespace().skip(14 - 3);
    let (user, system): (u64, u64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some((user + system) * 1_000_000 / ticks_per_second.max(1))
}

fn parse_statm(text: &str, page: u64) -> Option<Memory> {
    let mut pages = text.split_ascii_whitespace().map(|word| word.parse().ok());
    let (size, resident): (u64, u64) = (pages.next()??, pages.next()??);
    Some(Memory {
        rss: resident * page,
        address_space: size * page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statm_counts_pages() {
        let expected = Memory {
            rss: 3 * 4096,
            address_space: 7 * 4096,
        };
        assert_eq!(parse_statm("7 3 2 1 0 1 0\n", 4096), Some(expected));
        assert_eq!(parse_statm("", 4096), None);
    }

    #[test]
    fn stat_counts_ticks() {
        let text = "7 (a ) b) S 1 7 7 0 -1 4194304 9 0 0 0 150 50 3 4 20 0 1 0 5 6";
        assert_eq!(parse_stat(text, 100), Some(2_000_000));
        assert_eq!(parse_stat("7 (a) S 1", 100), None);
        assert!(cpu_us(std::process::id().cast_signed()).is_some());
    }

    #[test]
    fn this_process_takes_something_and_a_missing_one_nothing() {
        let own = std::process::id().cast_signed();
        let memory = memory(own).unwrap();
        assert!(memory.rss > 0 && memory.address_space >= memory.rss);
        assert_eq!(super::memory(i32::MAX), None);
    }

    #[test]
    fn a_running_process_has_no_excuse() {
        assert_eq!(why_it_does_not_run(std::process::id().cast_signed()), None);
        assert_eq!(why_it_does_not_run(i32::MAX), None);
    }

    #[test]
    fn the_group_is_that_of_the_unified_hierarchy() {
        let expected = "/sys/fs/cgroup/system.slice/hostler@shop.service/memory.events";
        let group = "4:cpu:/a\n0::/system.slice/hostler@shop.service\n";
        assert_eq!(events_file(group), Some(expected.into()));
        assert_eq!(events_file("4:cpu:/a\n"), None);
    }
}
