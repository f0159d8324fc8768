//! Whether a module can be found, without running Python.
//!
//! Python can find modules in more ways than are known here (import hooks, zip files, the standard library), so only a
//! package that is there and lacks the module is an error.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::config::App;

use super::host::Findings;

/// Directories in which modules are looked for.
#[derive(Debug)]
pub(super) struct Search {
    directories: Vec<PathBuf>,
}

impl Search {
    /// The beginning of `sys.path`, and what the virtual environment adds to it.
    pub(super) fn new(app: &App) -> Self {
        let here = app.chdir.clone().or_else(|| env::current_dir().ok());
        let mut directories: Vec<PathBuf> = here.into_iter().collect();
        directories.extend(app.python_path.iter().cloned());
        if let Some(virtualenv) = &app.virtualenv {
            for packages in site_packages(virtualenv) {
                directories.extend(linked(&packages));
                directories.push(packages);
            }
        }
        Self { directories }
    }

    /// The first directory that has a module or a package of this name.
    fn find(&self, name: &str) -> Option<&Path> {
        let mut directories = self.directories.iter().map(PathBuf::as_path);
        directories.find(|directory| has(directory, name))
    }
}

/// Looks for `package.module`.
pub(super) fn look(search: &Search, name: &str, key: &[&str], findings: &mut Findings) {
    let mut parts = name.split('.');
    let first = parts.next().unwrap_or_default();
    let Some(directory) = search.find(first) else {
        let directories = search.directories.iter().take(3);
        let directories: Vec<_> = directories.map(|path| path.display().to_string()).collect();
        findings.note(
            key,
            format!(
                "there is no module `{first}` in {}; unless Python finds it elsewhere, correct the name, or set app.chdir or app.python-path",
                directories.join(", ")
            ),
        );
        return;
    };
    let mut package = directory.join(first);
    for part in parts {
        // A module that is not a package, or one that is made while it is imported.
        if !package.is_dir() {
            return;
        }
        if !has(&package, part) {
            let package = package.display();
            findings.error(
                key,
                format!("there is no module `{part}` in {package}; correct the name"),
            );
            return;
        }
        package.push(part);
    }
}

/// `NAME/`, `NAME.py`, or `NAME.*.so`.
fn has(directory: &Path, name: &str) -> bool {
    let is_extension = |file: &str| {
        file.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".so"))
    };
    directory.join(name).is_dir()
        || directory.join(format!("{name}.py")).is_file()
        || directory.join(format!("{name}.pyc")).is_file()
        || entries(directory)
            .iter()
            .filter_map(|path| path.file_name()?.to_str())
            .any(is_extension)
}

fn site_packages(virtualenv: &Path) -> Vec<PathBuf> {
    let versions = ["lib", "lib64"]
        .iter()
        .flat_map(|lib| entries(&virtualenv.join(lib)));
    let packages = versions.map(|version| version.join("site-packages"));
    packages.filter(|packages| packages.is_dir()).collect()
}

/// Directories that `.pth` files add to the path, one in a line (docs.python.org, module site).
fn linked(packages: &Path) -> Vec<PathBuf> {
    let files = entries(packages);
    let files = files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "pth"));
    let texts = files.filter_map(|path| fs::read_to_string(path).ok());
    let lines: Vec<PathBuf> = texts
        .flat_map(|text| {
            text.lines()
                .map(|line| packages.join(line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    lines.into_iter().filter(|path| path.is_dir()).collect()
}

/// What is in a directory; nothing when it cannot be read.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}
