//! From the path of a URL to a program: names are walked along until one of them is a file; what is behind it is the
//! program's own affair (RFC 3875 section 4.1.5, PATH_INFO).

#[cfg(test)]
mod tests;

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use super::{Found, Program, Root, Section, ends_with};
use crate::static_files::Opened;

/// Longer paths lead to no file (PATH_MAX, limits.h).
const LONGEST: usize = 4096;

impl Section {
    /// What `path` leads to, of which the section's prefix ends at `at`. `place` is that of the section.
    pub(super) fn find(&self, place: usize, path: &[u8], at: usize) -> Found {
        match &self.root {
            Root::File(file) => match self.links.open(file, b"") {
                Opened::File(_) => self.judge(place, file.clone(), path, at),
                Opened::Denied => Found::Barred(file.clone(), "hostler cannot read it"),
                Opened::Directory | Opened::Nothing => Found::Nothing,
            },
            Root::Directory(root) => self.walk(place, root, path, at),
        }
    }

    fn walk(&self, place: usize, root: &Path, path: &[u8], start: usize) -> Found {
        let mut at = start;
        loop {
            let slashes = path[at..].iter().take_while(|&&byte| byte == b'/').count();
            let name = at + slashes;
            if name == path.len() {
                return self.index(place, root, path, start);
            }
            let length = memchr::memchr(b'/', &path[name..]).unwrap_or(path.len() - name);
            at = name + length;
            // What is hidden is no program, and a `..` that could climb begins with a dot as well.
            if path[name] == b'.' || at - start > LONGEST || path[name..at].contains(&0) {
                return Found::Nothing;
            }
            let below = below(&path[start..at]);
            match self.links.open(root, below) {
                Opened::File(_) => return self.judge(place, join(root, below), path, at),
                Opened::Denied => {
                    return Found::Barred(join(root, below), "hostler cannot read it");
                }
                Opened::Directory => {}
                Opened::Nothing => return Found::Nothing,
            }
        }
    }

    /// `path` leads to a directory: its index answers, if there is one and the path has the slash that makes relative
    /// links in its page right.
    fn index(&self, place: usize, root: &Path, path: &[u8], start: usize) -> Found {
        let directory = join(root, below(&path[start..]));
        for index in &self.settings.index {
            let file = directory.join(index);
            let name = file.strip_prefix(root).unwrap_or(Path::new(index));
            match self.links.open(root, name.as_os_str().as_bytes()) {
                Opened::Directory | Opened::Nothing => {}
                Opened::Denied => return Found::Barred(file, "hostler cannot read it"),
                Opened::File(_) if !path.ends_with(b"/") => return Found::Directory,
                Opened::File(_) => {
                    let path = [path, index.as_bytes()].concat();
                    return self.judge(place, file, &path, path.len());
                }
            }
        }
        Found::Nothing
    }

    /// Whether this file may run, and by what. `path` has led to it by its first `end` bytes.
    fn judge(&self, place: usize, file: PathBuf, path: &[u8], end: usize) -> Found {
        let settings = &self.settings;
        // A program that has a section of its own is allowed by it, whatever its name is.
        let is_named = matches!(self.root, Root::File(_));
        let mut allowed = settings.allowed_ext.iter();
        if !is_named
            && !settings.allowed_ext.is_empty()
            && !allowed.any(|end| ends_with(&file, end))
        {
            return Found::Barred(file, "its name does not end as cgi.allowed-ext says");
        }
        let mut helpers = settings.helpers.iter();
        let helper = helpers.find(|(end, _)| ends_with(&file, end));
        if helper.is_none() && access(&file, Access::EXEC_OK).is_err() {
            let why = "it is not executable, and cgi.helpers names nothing that runs it";
            return Found::Barred(file, why);
        }
        Found::Program(Box::new(Program {
            section: place,
            helper: helper.map(|(_, helper)| helper.clone()),
            name: path[..end].to_vec(),
            info: path[end..].to_vec(),
            file,
        }))
    }
}

/// A name as openat2(2) wants it: below the root, without slashes around it.
fn below(path: &[u8]) -> &[u8] {
    let start = path.iter().position(|&byte| byte != b'/');
    let name = start.map_or(&b""[..], |start| &path[start..]);
    let end = name.iter().rposition(|&byte| byte != b'/');
    end.map_or(&b""[..], |end| &name[..=end])
}

fn join(root: &Path, name: &[u8]) -> PathBuf {
    root.join(OsStr::from_bytes(name))
}
