//! Files, redirections and refusals that need no application, from the real program.
//!
//! - `answers`: headers, conditions and ranges as clients see them.
//! - `hostile`: paths that try to leave their directory, files that change while they are sent.
//! - `named`: files that the application names, ranges of those that it hands over, pages for errors.
//! - `routes`: `[[route]]`, and headers that settings add and remove.
//! - `standby`: all of it while every thread of Python is kept.

mod answers;
mod hostile;
mod named;
mod routes;
mod standby;

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::site::{Running, Site};

/// A site whose `/static` and whose `check` directory are those of a tree of its own.
struct Files {
    site: Running,
    tree: TempDir,
}

impl Files {
    /// With these files, each having its own name as its content.
    fn with(names: &[&str]) -> Self {
        Self::configured(names, "", |site| site)
    }

    /// With further lines for `[static]`, and whatever else the site shall have.
    fn configured(names: &[&str], lines: &str, change: impl FnOnce(Site) -> Site) -> Self {
        let tree = tempfile::tempdir().unwrap();
        for name in names {
            write(tree.path(), name, name.as_bytes());
        }
        fs::create_dir_all(tree.path().join("check")).unwrap();
        fs::create_dir_all(tree.path().join("static")).unwrap();
        let at = |name: &str| tree.path().join(name);
        let section = format!(
            "check = [{:?}]\nmap = {{ \"/static\" = {:?} }}\nindex = [\"index.html\"]\n{lines}",
            at("check"),
            at("static")
        );
        let site = Site::app("statics").setting("static", &section);
        let site = change(site).start();
        Self { site, tree }
    }
}

fn write(tree: &Path, name: &str, content: &[u8]) {
    let path = tree.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
