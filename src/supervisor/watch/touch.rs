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
mod tests {
    use std::{fs::File, os::unix::fs::symlink};

    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const WISHES: [Wish; 1] = [Wish::Reload];

    fn reload(path: &Path) -> Reload {
        Reload {
            touch_reload: vec![path.to_owned()],
            ..Reload::default()
        }
    }

    fn later(path: &Path, seconds: u64) {
        let file = File::options().write(true).open(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000 + seconds);
        file.set_modified(time).unwrap();
    }

    /// Each change is made below a directory of its own while the file is watched; what is wished for after each.
    #[track_caller]
    fn check(file: &str, prepare: impl Fn(&Path), changes: &[(&dyn Fn(&Path), bool)]) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        prepare(root);
        // A second file, which is always touched, ends the wait for a change that is none.
        let end = root.join("end");
        fs::write(&end, "").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut touch = Touch::new().unwrap();
            touch.follow(&Reload {
                touch_logreopen: vec![end.clone()],
                ..reload(&root.join(file))
            });
            for (number, (change, touched)) in changes.iter().enumerate() {
                change(root);
                later(&end, number as u64);
                let mut seen = BTreeSet::new();
                while !seen.contains(&Wish::ReopenLog) {
                    seen.extend(timeout(PATIENCE, touch.touched()).await.unwrap());
                }
                assert_eq!(seen.contains(&Wish::Reload), *touched, "change {number}");
            }
        });
    }

    #[test]
    fn a_later_time_counts_and_an_earlier_one_does_not() {
        check(
            "me",
            |root| fs::write(root.join("me"), "").unwrap(),
            &[
                (&|root| later(&root.join("me"), 100), true),
                (&|root| later(&root.join("me"), 50), false),
                (&|root| later(&root.join("me"), 99), false),
                (&|root| later(&root.join("me"), 101), true),
            ],
        );
    }

    #[test]
    fn coming_and_going_counts() {
        check(
            "me",
            |_| {},
            &[
                (&|root| fs::write(root.join("me"), "").unwrap(), true),
                (&|root| fs::write(root.join("other"), "").unwrap(), false),
                (&|root| fs::remove_file(root.join("me")).unwrap(), true),
                (&|root| fs::write(root.join("me"), "").unwrap(), true),
            ],
        );
    }

    #[test]
    fn a_file_renamed_over_it_counts_and_is_watched_then() {
        check(
            "me",
            |root| fs::write(root.join("me"), "").unwrap(),
            &[
                (
                    &|root| {
                        fs::write(root.join("new"), "").unwrap();
                        later(&root.join("new"), 100);
                        fs::rename(root.join("new"), root.join("me")).unwrap();
                    },
                    true,
                ),
                (&|root| later(&root.join("me"), 200), true),
            ],
        );
    }

    #[test]
    fn directories_may_come_later() {
        check(
            "a/b/me",
            |_| {},
            &[
                (&|root| fs::create_dir(root.join("a")).unwrap(), false),
                (&|root| fs::create_dir(root.join("a/b")).unwrap(), false),
                (&|root| fs::write(root.join("a/b/me"), "").unwrap(), true),
                (&|root| fs::remove_dir_all(root.join("a")).unwrap(), true),
                (
                    &|root| {
                        fs::create_dir_all(root.join("a/b")).unwrap();
                        fs::write(root.join("a/b/me"), "").unwrap();
                    },
                    true,
                ),
            ],
        );
    }

    #[test]
    fn links_are_followed_and_may_change() {
        check(
            "current/me",
            |root| {
                for (number, release) in ["one", "two"].into_iter().enumerate() {
                    fs::create_dir(root.join(release)).unwrap();
                    fs::write(root.join(release).join("me"), "").unwrap();
                    later(&root.join(release).join("me"), number as u64);
                }
                symlink("one", root.join("current")).unwrap();
            },
            &[
                (&|root| later(&root.join("one/me"), 50), true),
                (
                    &|root| {
                        later(&root.join("two/me"), 60);
                        symlink("two", root.join("next")).unwrap();
                        fs::rename(root.join("next"), root.join("current")).unwrap();
                    },
                    true,
                ),
                (&|root| later(&root.join("one/me"), 100), false),
                (&|root| later(&root.join("two/me"), 101), true),
            ],
        );
    }

    #[test]
    fn a_write_is_one_touch() {
        let directory = tempfile::tempdir().unwrap();
        let me = directory.path().join("me");
        fs::write(&me, "before").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut touch = Touch::new().unwrap();
            touch.follow(&reload(&me));
            fs::write(&me, "after").unwrap();
            let wishes = timeout(PATIENCE, touch.touched()).await.unwrap();
            assert_eq!(wishes, BTreeSet::from(WISHES));
            assert!(timeout(10 * QUIET, touch.touched()).await.is_err());
        });
    }

    #[test]
    fn what_was_known_stays_known_when_the_list_changes() {
        let directory = tempfile::tempdir().unwrap();
        let (me, other) = (directory.path().join("me"), directory.path().join("other"));
        fs::write(&me, "").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut touch = Touch::new().unwrap();
            touch.follow(&reload(&me));
            fs::remove_file(&me).unwrap();
            touch.follow(&Reload {
                touch_workers_reload: vec![other],
                ..reload(&me)
            });
            let wishes = timeout(PATIENCE, touch.touched()).await.unwrap();
            assert_eq!(wishes, BTreeSet::from(WISHES));
        });
    }
}
