//! A machine that is made up: files, environment, names.

use std::{collections::BTreeMap, io};

use super::super::{Identity, Kind, Surroundings};

/// Files by absolute path, and variables.
#[derive(Debug, Default)]
pub(super) struct World {
    files: BTreeMap<String, Vec<u8>>,
    variables: Vec<(String, String)>,
}

impl World {
    /// With a file in it.
    pub(super) fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.to_owned(), text.as_ref().to_owned());
        self
    }

    /// With a variable in its environment.
    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn is_directory(&self, path: &str) -> bool {
        let beginning = format!("{}/", path.trim_end_matches('/'));
        self.files.keys().any(|file| file.starts_with(&beginning))
    }
}

impl Surroundings for World {
    fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }

    fn directory(&self) -> String {
        "/srv/site".to_owned()
    }

    fn host_name(&self) -> String {
        "web1.example.com".to_owned()
    }

    fn cpus(&self) -> usize {
        4
    }

    fn identity(&self) -> Identity {
        Identity {
            uid: 33,
            user: "www-data".to_owned(),
            gid: 34,
            group: "web".to_owned(),
        }
    }

    fn now(&self) -> (u64, u32) {
        (1_700_000_000, 5)
    }

    fn uwsgi_version(&self) -> String {
        "2.0.31".to_owned()
    }

    fn uwsgi_path(&self) -> String {
        "/usr/bin/uwsgi".to_owned()
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        if self.files.contains_key(path) {
            Some(Kind::File)
        } else {
            self.is_directory(path).then_some(Kind::Directory)
        }
    }

    fn readable(&self, path: &str) -> bool {
        self.kind(path).is_some()
    }

    fn is_link(&self, _path: &str) -> bool {
        false
    }

    fn inode(&self, _path: &str) -> Option<u64> {
        Some(77)
    }

    fn canonical(&self, path: &str) -> Option<String> {
        Some(path.to_owned())
    }

    fn entries(&self, path: &str) -> Vec<String> {
        let beginning = format!("{}/", path.trim_end_matches('/'));
        let below = self
            .files
            .keys()
            .filter_map(|file| file.strip_prefix(&beginning));
        let mut names: Vec<String> = below
            .filter_map(|rest| rest.split('/').next())
            .map(str::to_owned)
            .collect();
        names.dedup();
        names
    }

    fn read(&self, path: &str, _limit: u64) -> io::Result<Vec<u8>> {
        let file = self.files.get(path).cloned();
        file.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn address(&self, host: &str) -> Option<String> {
        (host == "db").then(|| "192.0.2.7".to_owned())
    }
}
