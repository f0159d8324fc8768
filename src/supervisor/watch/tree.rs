//! `py-autoreload` and `run --reload`: a Python file of the application has changed.
//!
//! In the directories of the application every Python file counts: one that is imported later, or that was broken when it
//! was tried, does as well. Of other directories only the files count that modules were loaded from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::inotify::{ReadFlags, WatchFlags};
use tokio::time::{Instant, timeout_at};

use crate::config::App;

use super::notices::{Notice, Notices};

/// Editors and version control write many files at once; the last one must be written before anything is loaded.
const QUIET: Duration = Duration::from_millis(50);

/// A file is written to its end, comes or goes.
const EVENTS: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::ONLYDIR);

/// Watches the directories of an application.
pub(super) struct Tree {
    notices: Notices,
    /// Directories of the application, by the number of the watch.
    directories: BTreeMap<i32, PathBuf>,
    /// Names of files that were loaded, by the watch of their directory.
    loaded: BTreeMap<i32, BTreeSet<String>>,
    /// Something has changed, and this is when it will have been quiet for long enough. Kept here because a wait may be
    /// given up at any time.
    quiet_at: Option<Instant>,
}

impl Tree {
    /// Watches the working directory, that of the file, and those of the module path, each with all below it.
    pub(super) fn new(app: &App) -> io::Result<Self> {
        let mut watch = Self {
            notices: Notices::new()?,
            directories: BTreeMap::new(),
            loaded: BTreeMap::new(),
            quiet_at: None,
        };
        watch.follow(app);
        Ok(watch)
    }

    /// Watches the directories of this application as well; those that it had stay, with what is not told yet of them.
    pub(super) fn follow(&mut self, app: &App) {
        let file = app.file.as_deref().and_then(Path::parent);
        let roots = app.chdir.iter().map(PathBuf::as_path).chain(file);
        for root in roots.chain(app.python_path.iter().map(PathBuf::as_path)) {
            self.add(root);
        }
    }

    /// Watches files that modules were loaded from, wherever they are.
    pub(super) fn add_loaded(&mut self, files: &[PathBuf]) {
        for file in files {
            let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else {
                continue;
            };
            if let Some(watch) = self.notices.watch(directory, EVENTS) {
                let name = name.to_string_lossy().into_owned();
                self.loaded.entry(watch).or_default().insert(name);
            }
        }
    }

    /// Returns when something has changed and nothing more has for a moment.
    pub(super) async fn changed(&mut self) {
        loop {
            let more = match self.quiet_at {
                Some(quiet_at) => timeout_at(quiet_at, self.read()).await,
                None => Ok(self.read().await),
            };
            match more {
                Ok(true) => self.quiet_at = Some(Instant::now() + QUIET),
                Ok(false) => {}
                Err(_) => {
                    self.quiet_at = None;
                    return;
                }
            }
        }
    }

    /// Waits for notices; whether one of them matters. Lost ones might.
    async fn read(&mut self) -> bool {
        let (mut matters, mut new) = (false, Vec::new());
        for notice in self.notices.next().await {
            matters |= self.matters(&notice);
            if let (true, Some(directory)) = (
                notice.flags.contains(ReadFlags::ISDIR),
                self.directories.get(&notice.watch),
            ) {
                new.push(directory.join(notice.name));
            }
        }
        new.iter()
            .filter(|directory| holds_code(directory))
            .for_each(|directory| self.add(directory));
        matters
    }

    fn matters(&self, notice: &Notice) -> bool {
        let in_application = self.directories.contains_key(&notice.watch);
        let loaded = self.loaded.get(&notice.watch);
        notice.flags.contains(ReadFlags::QUEUE_OVERFLOW)
            || in_application && notice.name.ends_with(".py")
            || loaded.is_some_and(|names| names.contains(&notice.name))
    }

    /// Watches a directory and all below it. One that cannot be read or watched is left out: it is gone already, it is
    /// not ours, or there are more than fs.inotify.max_user_watches.
    fn add(&mut self, directory: &Path) {
        let Some(watch) = self.notices.watch(directory, EVENTS) else {
            return;
        };
        self.directories.insert(watch, directory.to_owned());
        let Ok(entries) = fs::read_dir(directory) else {
            return;
        };
        for entry in entries.flatten() {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory && holds_code(&entry.path()) {
                self.add(&entry.path());
            }
        }
    }
}

/// Not hidden, no cache, nobody else's code.
fn holds_code(directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let foreign = ["__pycache__", "node_modules", "site-packages"].contains(&&*name);
    !name.starts_with('.') && !foreign && !directory.join("pyvenv.cfg").exists()
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Whether `change`, made in a watched directory, is seen; a file that always counts is written after it.
    fn sees(change: impl Fn(&Path)) -> bool {
        let directory = tempfile::tempdir().unwrap();
        for name in ["pkg", "venv", ".git"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        fs::write(directory.path().join("venv/pyvenv.cfg"), "").unwrap();
        let app = App {
            chdir: Some(directory.path().to_owned()),
            ..App::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut watch = Tree::new(&app).unwrap();
            change(directory.path());
            // Without any event of its own this would wait for ever.
            fs::write(directory.path().join("end.txt"), "").unwrap();
            timeout(PATIENCE, watch.read()).await.unwrap()
        })
    }

    #[test]
    fn a_written_python_file_counts() {
        assert!(sees(
            |path| fs::write(path.join("pkg/views.py"), "").unwrap()
        ));
    }

    #[test]
    fn a_python_file_put_in_place_by_a_rename_counts() {
        assert!(sees(|path| {
            fs::write(path.join("views.tmp"), "").unwrap();
            fs::rename(path.join("views.tmp"), path.join("views.py")).unwrap();
        }));
    }

    #[test]
    fn a_removed_python_file_counts() {
        assert!(sees(|path| {
            fs::write(path.join("old.py"), "").unwrap();
            fs::remove_file(path.join("old.py")).unwrap();
        }));
    }

    #[test]
    fn other_files_and_other_peoples_code_do_not_count() {
        assert!(!sees(|path| {
            fs::write(path.join("db.sqlite3"), "").unwrap();
            fs::write(path.join("venv/six.py"), "").unwrap();
            fs::write(path.join(".git/hook.py"), "").unwrap();
        }));
    }

    #[test]
    fn of_other_directories_the_loaded_files_count() {
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let app = App {
            chdir: Some(own.path().to_owned()),
            ..App::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut watch = Tree::new(&app).unwrap();
            watch.add_loaded(&[other.path().join("six.py")]);
            for (name, counts) in [("seven.py", false), ("six.py", true)] {
                fs::write(other.path().join(name), "").unwrap();
                let seen = timeout(PATIENCE, watch.read()).await.unwrap();
                assert_eq!(seen, counts, "{name}");
            }
        });
    }

    #[test]
    fn a_new_directory_is_watched_too() {
        let directory = tempfile::tempdir().unwrap();
        let app = App {
            chdir: Some(directory.path().to_owned()),
            ..App::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut watch = Tree::new(&app).unwrap();
            let new = directory.path().join("new");
            fs::create_dir(&new).unwrap();
            assert!(!timeout(PATIENCE, watch.read()).await.unwrap());
            fs::write(new.join("views.py"), "").unwrap();
            assert!(timeout(PATIENCE, watch.read()).await.unwrap());
        });
    }

    #[test]
    fn many_changes_are_one() {
        let directory = tempfile::tempdir().unwrap();
        let app = App {
            chdir: Some(directory.path().to_owned()),
            ..App::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut watch = Tree::new(&app).unwrap();
            for number in 0..50 {
                fs::write(directory.path().join(format!("m{number}.py")), "").unwrap();
            }
            timeout(PATIENCE, watch.changed()).await.unwrap();
            assert!(timeout(3 * QUIET, watch.changed()).await.is_err());
        });
    }
}
