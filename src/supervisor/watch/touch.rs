//! Files that are touched to ask for something (`[reload]`), by uWSGI's rules: a file that gets a later time, that
//! appears or that disappears has been touched; one whose time is set back has not.
//!
//! A file may come and go, as may any directory on the way to it, and any of them may be a link that is pointed
//! elsewhere. So every directory on the way is watched for the next name, and the file itself, which may be a link to
//! a file in another directory. Whenever one of them tells something, the files are looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::fs::inotify::{ReadFlags, WatchFlags};
use tokio::time::{Instant, sleep_until};

use crate::config::Reload;

use super::notices::{Notice, Notices};

/// Whoever writes a file truncates it first; that is one touch and not two. Files are looked at so long after the first
/// word of a change.
const QUIET: Duration = Duration::from_millis(20);

/// What a file asks for. A reload replaces the workers as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::supervisor) enum Wish {
    /// Connect to the journal anew.
    ReopenLog,
    /// Replace the workers.
    RecycleWorkers,
    /// Load everything anew.
    Reload,
}

/// Watches the files of `[reload]`.
pub(super) struct Touch {
    notices: Notices,
    files: Vec<TouchFile>,
    /// By the number of the watch: the names that matter in this directory.
    watches: BTreeMap<i32, BTreeSet<String>>,
    /// Something was told, and this is when the files will be looked at. Kept here because a wait may be given up at
    /// any time.
    look_at: Option<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TouchFile {
    path: PathBuf,
    wish: Wish,
    memory: Memory,
}

/// What was last seen of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Memory {
    exists: bool,
    /// The latest time that it ever had.
    latest: Option<SystemTime>,
}

impl Memory {
    fn of(path: &Path) -> Self {
        let latest = fs::metadata(path).and_then(|file| file.modified()).ok();
        Self {
            exists: latest.is_some(),
            latest,
        }
    }

    /// Takes in what is seen now, and says whether the file was touched since the last time.
    fn update(&mut self, now: Self) -> bool {
        let touched = now.exists != self.exists || now.latest > self.latest;
        self.exists = now.exists;
        self.latest = self.latest.max(now.latest);
        touched
    }
}

impl Touch {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            notices: Notices::new()?,
            files: Vec::new(),
            watches: BTreeMap::new(),
            look_at: None,
        })
    }

    /// From now on these files count. What is known of those that counted before stays known.
    pub(super) fn follow(&mut self, reload: &Reload) {
        let lists = [
            (&reload.touch_reload, Wish::Reload),
            (&reload.touch_chain_reload, Wish::Reload),
            (&reload.touch_workers_reload, Wish::RecycleWorkers),
            (&reload.touch_logreopen, Wish::ReopenLog),
        ];
        let wanted = lists
            .into_iter()
            .flat_map(|(paths, wish)| paths.iter().map(move |path| (path.clone(), wish)));
        let wanted: Vec<(PathBuf, Wish)> = wanted.collect();
        let before = std::mem::take(&mut self.files);
        self.watch(wanted.iter().map(|(path, _)| path.as_path()));
        let file = |(path, wish): (PathBuf, Wish)| {
            let known = before
                .iter()
                .find(|file| (&file.path, file.wish) == (&path, wish));
            let memory = known.map_or_else(|| Memory::of(&path), |file| file.memory);
            TouchFile { path, wish, memory }
        };
        self.files = wanted.into_iter().map(file).collect();
        // What was touched while the lists changed is seen at the next look.
        self.look_at = (!before.is_empty()).then(Instant::now);
    }

    /// Returns what is wished for by whoever touched files.
    pub(super) async fn touched(&mut self) -> BTreeSet<Wish> {
        loop {
            let Some(look_at) = self.look_at else {
                let notices = self.notices.next().await;
                if notices.iter().any(|notice| self.matters(notice)) {
                    self.look_at = Some(Instant::now() + QUIET);
                }
                continue;
            };
            sleep_until(look_at).await;
            self.look_at = None;
            let wishes = self.look();
            if !wishes.is_empty() {
                return wishes;
            }
        }
    }

    fn matters(&self, notice: &Notice) -> bool {
        if notice.flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            return true;
        }
        let names = self.watches.get(&notice.watch);
        names.is_some_and(|names| notice.name.is_empty() || names.contains(&notice.name))
    }

    /// Watches anew first: whatever changes after that is told again.
    fn look(&mut self) -> BTreeSet<Wish> {
        let mut files = std::mem::take(&mut self.files);
        self.watch(files.iter().map(|file| file.path.as_path()));
        let touched = files.iter_mut().filter_map(|file| {
            file.memory
                .update(Memory::of(&file.path))
                .then_some(file.wish)
        });
        let mut wishes: BTreeSet<Wish> = touched.collect();
        if wishes.contains(&Wish::Reload) {
            wishes.remove(&Wish::RecycleWorkers);
        }
        self.files = files;
        wishes
    }

    /// Watches what there is of these paths now, and nothing else.
    fn watch<'p>(&mut self, paths: impl Iterator<Item = &'p Path>) {
        let mut watches: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
        for path in paths {
            for (directory, name) in steps(path) {
                if let Some(watch) = self.notices.watch(directory, in_directory()) {
                    watches.entry(watch).or_default().insert(name);
                }
            }
            if let Some(watch) = self.notices.watch(path, of_file()) {
                watches.entry(watch).or_default();
            }
        }
        for old in self.watches.keys().filter(|old| !watches.contains_key(old)) {
            self.notices.forget(*old);
        }
        self.watches = watches;
    }
}

/// Every directory on the way to a file, with the name that comes next.
fn steps(path: &Path) -> impl Iterator<Item = (&Path, String)> {
    let with_parent = path
        .ancestors()
        .filter_map(|step| Some((step.parent()?, step)));
    with_parent.filter_map(|(parent, step)| {
        let name = step.file_name()?.to_string_lossy().into_owned();
        Some((parent, name))
    })
}

/// An entry comes or goes. Many write in a directory like /tmp, so that what they write is not asked for.
fn in_directory() -> WatchFlags {
    WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
}

/// It is touched or goes. A directory may be given as a file, and keeps what else is asked of it.
fn of_file() -> WatchFlags {
    WatchFlags::ATTRIB
        | WatchFlags::DELETE_SELF
        | WatchFlags::MASK_ADD
        | WatchFlags::MODIFY
        | WatchFlags::MOVE_SELF
}

#[cfg(test)]
mod tests;
