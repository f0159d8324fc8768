//! `[app]`: the application, and the interpreter that runs it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[app]`
///
/// Relative paths: `chdir` counts from the directory of the settings file; everything else counts from `chdir`, or
/// from the directory of the settings file when there is no `chdir`. In settings that were loaded all are absolute.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// The module that holds the application, `package.module` or `package.module:callable`. Give this or `file`.
    pub module: Option<String>,
    /// The Python file that holds the application. Give this or `module`.
    pub file: Option<PathBuf>,
    /// The WSGI callable in the module or file, `application` unless it is named here or behind the `:` of `module`:
    /// `name`, `object.attribute`, or `factory()`, which is called once and returns the callable.
    pub callable: Option<String>,
    /// Working directory of the application, also the first entry of `sys.path`. Without it the application starts
    /// where hostler was started.
    pub chdir: Option<PathBuf>,
    /// A virtual environment of CPython 3.9 or newer, whose own interpreter then runs the application. Without it the
    /// first `python3` on PATH does.
    pub virtualenv: Option<PathBuf>,
    /// Directories put on `sys.path` in the order given, before everything else but `chdir`.
    pub python_path: Vec<PathBuf>,
    /// Arguments that the application finds in `sys.argv[1:]`.
    pub argv: Vec<String>,
    /// Environment variables of the application, added to those that hostler was started with.
    pub env: BTreeMap<String, String>,
    /// `false`: the application is imported once and the workers are forked from it, so that they share memory;
    /// `true`: each worker imports it for itself.
    pub lazy_apps: bool,
    /// Fork even when the application started threads at import. Those threads do not exist in the workers, and a
    /// lock that one of them held stays locked; `lazy-apps` is the safe way.
    pub fork_with_threads: bool,
    /// `module:function`, called without arguments in each worker before it serves.
    pub post_fork: Option<String>,
    /// Modules that are imported once, before the application.
    pub preload: Vec<String>,
    /// Modules that each worker imports, after the application.
    pub import: Vec<String>,
}

/// Where the application is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// A Python file.
    File {
        /// Absolute in settings that were loaded.
        path: &'a Path,
    },
    /// A module that is imported by name.
    Module {
        /// With dots, without the callable.
        name: &'a str,
    },
}

/// WSGI servers have agreed on this name; PEP 3333 itself uses it for the application side.
const DEFAULT_CALLABLE: &str = "application";

impl App {
    /// Name of the callable: behind the `:` of `module`, else `callable`, else `application`.
    pub fn callable_name(&self) -> &str {
        callable_name(self.module.as_deref(), self.callable.as_deref())
    }

    /// Where the application is found; `None` only in settings that were not checked and name none.
    pub fn target(&self) -> Option<Target<'_>> {
        target(self.module.as_deref(), self.file.as_deref())
    }
}

/// What `module` and `callable` say together.
pub(super) fn callable_name<'a>(module: Option<&'a str>, callable: Option<&'a str>) -> &'a str {
    let behind_module = module.and_then(|module| module.split_once(':'));
    match (behind_module, callable) {
        (Some((_, name)), _) => name,
        (None, Some(name)) => name,
        (None, None) => DEFAULT_CALLABLE,
    }
}

/// What `module` and `file` say together.
pub(super) fn target<'a>(module: Option<&'a str>, file: Option<&'a Path>) -> Option<Target<'a>> {
    if let Some(module) = module {
        let (name, _) = module.split_once(':').unwrap_or((module, ""));
        return Some(Target::Module { name });
    }
    file.map(|path| Target::File { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(app: App, target: Option<Target<'_>>, callable: &str) {
        assert_eq!(app.target(), target);
        assert_eq!(app.callable_name(), callable);
    }

    fn module(module: &str) -> App {
        App {
            module: Some(module.into()),
            ..App::default()
        }
    }

    #[test]
    fn a_module_may_name_its_callable() {
        let name = "shop.wsgi";
        check(
            module("shop.wsgi"),
            Some(Target::Module { name }),
            "application",
        );
        check(
            module("shop.wsgi:app"),
            Some(Target::Module { name }),
            "app",
        );
        let separate = App {
            callable: Some("app".into()),
            ..module("shop.wsgi")
        };
        check(separate, Some(Target::Module { name }), "app");
    }

    #[test]
    fn a_file_has_its_callable_beside_it() {
        let file = App {
            file: Some("/srv/app.py".into()),
            ..App::default()
        };
        let path = Path::new("/srv/app.py");
        check(file.clone(), Some(Target::File { path }), "application");
        let named = App {
            callable: Some("app".into()),
            ..file
        };
        check(named, Some(Target::File { path }), "app");
        check(App::default(), None, "application");
    }
}
