//! Makes the paths of the settings absolute, so that nothing behind the loader depends on a working directory.

use std::path::{Path, PathBuf};

use super::{
    schema::{Listen, Log, Response, Settings, Sni, StaticFiles},
    secret::secret_path,
    value::LogTarget,
};

impl Settings {
    /// `chdir` counts from `directory`; the other paths count from `chdir` if there is one, else from `directory`.
    pub(super) fn resolve_paths(&mut self, directory: &Path) {
        let base = match &self.app.chdir {
            Some(chdir) => resolve(chdir, directory),
            None => directory.to_owned(),
        };
        if let Some(chdir) = &mut self.app.chdir {
            chdir.clone_from(&base);
        }
        for path in self.listen.iter_mut().flat_map(of_listen) {
            *path = secret_path(path, &self.service, &base);
        }
        for path in self.paths() {
            *path = resolve(path, &base);
        }
        for name in &mut self.dynamic_apps.allow {
            if is_file(name) {
                *name = resolve(Path::new(name), &base)
                    .to_string_lossy()
                    .into_owned();
            }
        }
    }

    /// Every path but `chdir`.
    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let app = &mut self.app;
        let of_app = app
            .file
            .iter_mut()
            .chain(&mut app.virtualenv)
            .chain(&mut app.python_path)
            .chain(
                self.mount
                    .iter_mut()
                    .filter_map(|mount| mount.file.as_mut()),
            );
        let reload = &mut self.reload;
        let of_reload = reload
            .touch_reload
            .iter_mut()
            .chain(&mut reload.touch_chain_reload)
            .chain(&mut reload.touch_workers_reload)
            .chain(&mut reload.touch_logreopen);
        let service = &mut self.service;
        let of_service = service
            .read_write_paths
            .iter_mut()
            .chain(&mut service.read_only_paths)
            .chain(service.credentials.values_mut());
        let of_cgi = self.cgi.iter_mut();
        let of_cgi = of_cgi.flat_map(|cgi| cgi.directory.iter_mut().chain(&mut cgi.file));
        let of_route = self.route.iter_mut();
        let of_route = of_route.filter_map(|route| route.static_file.as_mut());
        of_app
            .chain(of_reload)
            .chain(of_service)
            .chain(of_cgi)
            .chain(of_route)
            .chain(of_static(&mut self.static_files))
            .chain(of_response(&mut self.response))
            .chain(of_log(&mut self.log))
    }
}

fn of_listen(listen: &mut Listen) -> impl Iterator<Item = &mut PathBuf> {
    listen
        .certificate
        .iter_mut()
        .chain(&mut listen.key)
        .chain(&mut listen.client_ca)
        .chain(listen.sni.iter_mut().flat_map(of_sni))
}

fn of_sni(sni: &mut Sni) -> [&mut PathBuf; 2] {
    [&mut sni.certificate, &mut sni.key]
}

fn of_static(files: &mut StaticFiles) -> impl Iterator<Item = &mut PathBuf> {
    files
        .check
        .iter_mut()
        .chain(files.map.values_mut().flat_map(|paths| &mut paths.0))
        .chain(&mut files.safe)
        .chain(&mut files.mime_types)
}

fn of_response(response: &mut Response) -> impl Iterator<Item = &mut PathBuf> {
    response
        .error_pages
        .values_mut()
        .chain(response.internal.values_mut())
}

fn of_log(log: &mut Log) -> impl Iterator<Item = &mut PathBuf> {
    let targets = log.to.iter_mut().chain(&mut log.access_to);
    targets.filter_map(|target| match target {
        LogTarget::File(path) | LogTarget::Unix(path) => Some(path),
        _ => None,
    })
}

/// Whether a name that stands for an application is that of a file and not that of a module.
pub(super) fn is_file(name: &str) -> bool {
    name.contains('/') || name.ends_with(".py")
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
