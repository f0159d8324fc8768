//! The files of an application: whether the site's user can read them all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    Patient,
    access::{Ownership, Want, obstacle},
    entry::Entry,
};

const TOPIC: &str = "permissions";
/// Files and directories that are looked at.
const MOST: usize = 20_000;
/// So many that cannot be read are named.
const NAMED: usize = 3;
/// Directories that are no part of the code, besides those with a dot in front.
const ASIDE: [&str; 2] = ["__pycache__", "node_modules"];

/// Looks at every directory and at every Python file below the application's directory.
pub(super) fn look(patient: &Patient<'_>) -> Option<Entry> {
    let chdir = patient.settings.app.chdir.as_deref()?;
    let virtualenv = patient.settings.app.virtualenv.as_deref();
    // Closed directories are found by their name in the one around them; what is in them is nobody's to see.
    let closed = patient.person.act(|| closed(chdir, virtualenv))?;
    judge(&patient.person.name, &closed)
}

/// What whoever calls cannot read.
fn closed(chdir: &Path, virtualenv: Option<&Path>) -> Vec<PathBuf> {
    let (mut found, mut seen) = (Vec::new(), 0);
    let mut open = vec![chdir.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MOST {
                return found;
            }
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_aside = name.starts_with('.')
                || ASIDE.contains(&&*name)
                || Some(path.as_path()) == virtualenv;
            let want = match is_directory {
                true if is_aside => continue,
                true => Want::List,
                false if name.ends_with(".py") => Want::Read,
                false => continue,
            };
            if obstacle(&path, want).is_some() {
                found.push(path);
            } else if is_directory {
                open.push(path);
            }
        }
    }
    found
}

fn judge(name: &str, closed: &[PathBuf]) -> Option<Entry> {
    let first = closed.first()?;
    let shown = |path: &PathBuf| -> io::Result<String> {
        let ownership = Ownership::of(path)?;
        Ok(format!("{} ({})", path.display(), ownership.shown()))
    };
    let named: Vec<String> = closed
        .iter()
        .take(NAMED)
        .filter_map(|path| shown(path).ok())
        .collect();
    let more = match closed.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let directory = first.parent().unwrap_or(first).display();
    Some(Entry::warning(
        TOPIC,
        format!("{name} may not read {}{more}", named.join(", ")),
        format!(
            "if the application needs them: chmod -R o+rX {directory}, or chgrp and chmod g+rX where others shall not see them"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::process::geteuid;

    use super::*;
    use crate::{doctor::person::Person, sys::Account};

    #[test]
    fn what_cannot_be_read_is_found_anywhere_below() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["shop/models", "shop/secret", ".git", "venv"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for (name, mode) in [
            ("shop/models/a.py", 0o600),
            ("shop/b.py", 0o644),
            (".git/c.py", 0o600),
            ("venv/d.py", 0o600),
            ("shop/e.txt", 0o600),
            ("shop/secret", 0o700),
            ("", 0o755),
        ] {
            if name.contains('.') {
                fs::write(at(name), "").unwrap();
            }
            fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let stranger = Person::of(Account {
            user: 54321,
            group: 54321,
            groups: Vec::new(),
        });
        let look = || closed(directory.path(), Some(&at("venv")));
        let Some(mut found) = stranger.act(look) else {
            assert!(!geteuid().is_root());
            return;
        };
        found.sort();
        assert_eq!(found, [at("shop/models/a.py"), at("shop/secret")]);
        let entry = judge("shop", &found).unwrap();
        assert!(
            entry.message.contains("a.py (-rw------- root root), "),
            "{entry:?}"
        );
        assert_eq!(judge("shop", &[]), None);
    }
}
