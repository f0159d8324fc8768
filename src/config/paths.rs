//! Makes the paths of `[app]`, `[reload]` and `[service]` absolute, so that nothing behind the loader depends on a working directory.

use std::path::{Path, PathBuf};

use super::schema::Settings;

impl Settings {
    /// `chdir` counts from `directory`; the other paths count from `chdir` if there is one, else from `directory`.
    pub(super) fn resolve_paths(&mut self, directory: &Path) {
        let app = &mut self.app;
        let base = match &app.chdir {
            Some(chdir) => resolve(chdir, directory),
            None => directory.to_owned(),
        };
        if let Some(chdir) = &mut app.chdir {
            chdir.clone_from(&base);
        }
        let of_app = app
            .file
            .iter_mut()
            .chain(&mut app.virtualenv)
            .chain(&mut app.python_path);
        let of_reload = self
            .reload
            .touch_reload
            .iter_mut()
            .chain(&mut self.reload.touch_chain_reload)
            .chain(&mut self.reload.touch_workers_reload)
            .chain(&mut self.reload.touch_logreopen);
        let service = &mut self.service;
        let of_service = service
            .read_write_paths
            .iter_mut()
            .chain(&mut service.read_only_paths)
            .chain(service.credentials.values_mut());
        for path in of_app.chain(of_reload).chain(of_service) {
            *path = resolve(path, &base);
        }
    }
}

/// Joins, and drops `.` and doubled slashes. `..` stays: behind a symbolic link only the kernel knows what it means.
pub(super) fn resolve(path: &Path, base: &Path) -> PathBuf {
    base.join(path).components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{App, Reload};

    /// Resolves `chdir`, `file`, and a `virtualenv` called `venv` for a file in `/etc/hostler`.
    #[track_caller]
    fn check(chdir: Option<&str>, file: &str, expected: [Option<&str>; 3]) {
        let app = App {
            chdir: chdir.map(Into::into),
            file: Some(file.into()),
            virtualenv: Some("venv".into()),
            ..App::default()
        };
        let mut settings = Settings {
            app,
            ..Settings::default()
        };
        settings.resolve_paths(Path::new("/etc/hostler"));
        let App {
            chdir,
            file,
            virtualenv,
            ..
        } = settings.app;
        assert_eq!(
            [chdir, file, virtualenv],
            expected.map(|path| path.map(PathBuf::from))
        );
    }

    #[test]
    fn without_chdir_paths_count_from_the_files_directory() {
        let expected = [None, Some("/etc/hostler/app.py"), Some("/etc/hostler/venv")];
        check(None, "app.py", expected);
    }

    #[test]
    fn with_chdir_they_count_from_there() {
        check(
            Some("/srv"),
            "app.py",
            [Some("/srv"), Some("/srv/app.py"), Some("/srv/venv")],
        );
        let below = "/etc/hostler/shop";
        let venv = "/etc/hostler/shop/venv";
        check(
            Some("./shop//"),
            "/x/app.py",
            [Some(below), Some("/x/app.py"), Some(venv)],
        );
        check(
            Some(".."),
            "a/../b.py",
            [
                Some("/etc/hostler/.."),
                Some("/etc/hostler/../a/../b.py"),
                Some("/etc/hostler/../venv"),
            ],
        );
    }

    #[test]
    fn files_that_are_watched_count_from_the_same_place() {
        let touch = |name: &str| vec![PathBuf::from(name)];
        let mut settings = Settings::default();
        settings.app.chdir = Some("/srv/shop".into());
        settings.reload = Reload {
            touch_reload: touch("reload.me"),
            touch_chain_reload: touch("./chain.me"),
            touch_workers_reload: touch("/run/workers.me"),
            touch_logreopen: touch("log.me"),
            py_autoreload: false,
        };
        settings.resolve_paths(Path::new("/etc/hostler"));
        let expected = Reload {
            touch_reload: touch("/srv/shop/reload.me"),
            touch_chain_reload: touch("/srv/shop/chain.me"),
            touch_workers_reload: touch("/run/workers.me"),
            touch_logreopen: touch("/srv/shop/log.me"),
            py_autoreload: false,
        };
        assert_eq!(settings.reload, expected);
    }
}
