//! What the kernel says of a worker's memory (proc(5), smaps_rollup). It walks the page tables for it, so this is asked
//! only when somebody wants to know.

use std::fs;

/// A process's memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::supervisor) struct Memory {
    /// Resident, shared pages counted whole.
    pub(in crate::supervisor) rss: u64,
    /// Resident, shared pages divided by the number of their users.
    pub(in crate::supervisor) pss: u64,
    /// Resident and used by other processes too.
    pub(in crate::supervisor) shared: u64,
    /// Resident and not from a file: what the program has made itself.
    pub(super) anonymous: u64,
    /// The same in shares.
    pub(super) anonymous_share: u64,
}

impl Memory {
    /// Nothing when the process is gone, or is not ours to look at.
    pub(in crate::supervisor) fn of(pid: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        Some(Self {
            rss: bytes(&text, "Rss:")?,
            pss: bytes(&text, "Pss:")?,
            shared: bytes(&text, "Shared_Clean:")? + bytes(&text, "Shared_Dirty:")?,
            anonymous: bytes(&text, "Anonymous:")?,
            // Kernels before 5.4 do not tell.
            anonymous_share: bytes(&text, "Pss_Anon:").unwrap_or_default(),
        })
    }

    /// What workers that were forked from one process have not had to make for themselves, this process's own part
    /// being the price. Pages of files are shared in any case and do not count.
    pub(in crate::supervisor) fn saved(zygote: Self, workers: &[Self]) -> u64 {
        let alone: u64 = workers.iter().map(|worker| worker.anonymous).sum();
        let shares = workers.iter().map(|worker| worker.anonymous_share);
        let together = shares.sum::<u64>() + zygote.anonymous_share;
        alone.saturating_sub(together)
    }
}

/// The line `name   123 kB`.
fn bytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_ourselves() {
        let memory = Memory::of(std::process::id().cast_signed()).unwrap();
        assert!(memory.rss >= memory.pss && memory.pss >= memory.anonymous_share);
        assert!(memory.anonymous > 0 && memory.shared <= memory.rss);
        assert_eq!(Memory::of(-1), None);
    }

    #[test]
    fn lines_are_told_apart_by_their_whole_name() {
        let text = "Pss_Anon:   7 kB\nPss:    5 kB\nRss:  9 pages\n";
        assert_eq!(bytes(text, "Pss:"), Some(5 << 10));
        assert_eq!(bytes(text, "Rss:"), None);
        assert_eq!(bytes(text, "Swap:"), None);
    }

    fn memory(anonymous: u64, anonymous_share: u64) -> Memory {
        Memory {
            anonymous,
            anonymous_share,
            ..Memory::default()
        }
    }

    #[test]
    fn saved_is_what_is_shared_less_what_the_sharing_costs() {
        // 100 are shared by three processes, and each worker has 20 of its own.
        let worker = memory(120, 53);
        assert_eq!(Memory::saved(memory(100, 33), &[worker, worker]), 101);
        // One worker saves nothing: the zygote is one process more.
        assert_eq!(Memory::saved(memory(100, 50), &[memory(100, 50)]), 0);
    }
}
