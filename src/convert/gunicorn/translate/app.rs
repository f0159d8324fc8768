//! `[app]`, and what has to do with how the application is found and loaded.

use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Value as Toml;

use crate::convert::account::{Entry, Origin, Verdict};

use super::{Site, Told, not_needed, not_possible};

/// What stands where the configuration names no application; it is marked.
const NAMELESS: &str = "application";

impl Site<'_> {
    /// The application, its directory and its interpreter.
    pub(super) fn make_app(&mut self) {
        let directory = match self.values.text("chdir") {
            Some(chdir) => self.gathered.directory.join(chdir),
            None => self.gathered.directory.clone(),
        };
        self.keep("app", "chdir", text(&directory));
        if self.gathered.directory_is_guessed && self.values.given("chdir").is_none() {
            let what = "gunicorn looks for modules where it is started, which its settings do not name; chdir is \
                        where this was converted from";
            self.notice(origin("the directory"), what, false);
        }
        if let Some(virtualenv) = &self.gathered.virtualenv {
            self.keep("app", "virtualenv", text(virtualenv));
        }
        let app = self.app_name();
        if app.is_none() {
            let what =
                "no application is named; give it behind the file, or write it into [app] module";
            self.notice(origin("the application"), what, true);
        }
        let name = app.unwrap_or_else(|| NAMELESS.to_owned());
        let (name, arguments) = without_arguments(&name);
        self.keep("app", "module", name.clone());
        if let Some(arguments) = arguments {
            let what = format!(
                "the factory is called with {arguments}, and hostler calls factories without arguments; put the call \
                 into a module: `application = ...`, and name that as [app] module"
            );
            self.notice(origin("the application"), &what, true);
        }
        if !self.values.switch("preload_app") {
            let why = "gunicorn imports the application in each worker, unless preload_app is set.";
            self.keep_default("app", "lazy-apps", true, why);
        }
    }

    pub(super) fn app_setting(&mut self, name: &str) -> Option<Told> {
        Some(match name {
            "chdir" => self.as_kept("app", "chdir"),
            "wsgi_app" => match &self.gathered.app {
                Some((_, origin)) => {
                    let why = format!("{origin} names the application");
                    not_needed(&why)
                }
                None => self.as_kept("app", "module"),
            },
            "preload_app" => {
                let lazy = !self.values.switch("preload_app");
                self.keep("app", "lazy-apps", lazy)
            }
            "pythonpath" => self.python_path(),
            "raw_env" => self.raw_env(),
            "reload" => match self.values.switch("reload") {
                true => self.keep("reload", "py-autoreload", true),
                false => not_needed("it is off anyway"),
            },
            "reload_extra_files" => self.reload_extra_files(),
            "post_fork" | "post_worker_init" => self.post_fork(name),
            _ => return None,
        })
    }

    /// The application that the command line names.
    pub(super) fn app_entry(&mut self) -> Option<Entry> {
        let (name, origin) = self.gathered.app.clone()?;
        Some(Entry {
            origin,
            name: "APP_MODULE".to_owned(),
            value: name,
            verdict: self.as_kept("app", "module").verdict,
            remarks: Vec::new(),
        })
    }

    fn app_name(&self) -> Option<String> {
        let named = self.gathered.app.as_ref().map(|(name, _)| name.clone());
        named.or_else(|| self.values.text("wsgi_app"))
    }

    /// A key of a section that has been written before its setting was looked at.
    pub(super) fn as_kept(&mut self, section: &str, key: &str) -> Told {
        let table = self.draft.section(section);
        let value = self.draft.get(table, key).map(Toml::to_string);
        Told::of(Verdict::Kept {
            key: format!("{section}.{key}"),
            value: value.unwrap_or_default(),
        })
    }

    fn python_path(&mut self) -> Told {
        let paths = self.values.list("pythonpath");
        let directory = &self.gathered.directory;
        // gunicorn puts each of them in front of those before.
        let paths: Vec<String> = paths
            .iter()
            .rev()
            .map(|path| text(&directory.join(path)))
            .collect();
        match paths.is_empty() {
            true => not_needed("it is empty"),
            false => self.keep("app", "python-path", paths),
        }
    }

    fn raw_env(&mut self) -> Told {
        let pairs = self.values.list("raw_env");
        let (good, bad): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|pair| pair.contains('='));
        for (name, value) in good.iter().filter_map(|pair| pair.split_once('=')) {
            self.keep("app.env", name, value);
        }
        let told = match good.is_empty() {
            true => not_needed("it is empty"),
            false => Told::of(Verdict::Kept {
                key: "app.env".to_owned(),
                value: good.join(", "),
            }),
        };
        match bad.is_empty() {
            true => told,
            false => told.check(format!(
                "`{}` has no = in it, and gunicorn refuses it",
                bad.join("`, `")
            )),
        }
    }

    fn reload_extra_files(&mut self) -> Told {
        let files = self.values.list("reload_extra_files");
        let directory = self.gathered.directory.clone();
        let (patterns, files): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|file| file.contains(['*', '?', '[']));
        let files: Vec<String> = files
            .iter()
            .map(|file| text(&directory.join(file)))
            .collect();
        let told = match files.is_empty() {
            true => not_needed("it names no file"),
            false => self.keep("reload", "touch-reload", files),
        };
        match patterns.is_empty() {
            true => told,
            false => told.check(format!(
                "write the files that {} stands for",
                patterns.join(", ")
            )),
        }
    }

    fn post_fork(&self, name: &str) -> Told {
        if self.values.raw(name) == Value::Null {
            return not_needed("it is not set");
        }
        not_possible(
            "nothing of the settings file runs in the workers",
            "move the function into a module of the application, without its arguments, and write \
             [app] post-fork = \"module:function\"",
        )
    }
}

/// A factory without what it is called with, and that.
fn without_arguments(name: &str) -> (String, Option<String>) {
    match name.split_once('(') {
        Some((callable, arguments)) => {
            let arguments = arguments.trim().trim_end_matches(')').trim();
            let arguments = (!arguments.is_empty()).then(|| arguments.to_owned());
            (format!("{callable}()"), arguments)
        }
        None => (name.to_owned(), None),
    }
}

fn origin(what: &str) -> Origin {
    Origin {
        source: what.into(),
        line: None,
    }
}

/// Paths come from texts.
fn text(path: &Path) -> String {
    // Of `.` and `a/./b` nothing is left but what matters.
    let path: PathBuf = path.components().collect();
    path.to_string_lossy().into_owned()
}
