//! From the path of a URL to a file, without a way out of the root, and from a file to what is answered: conditions,
//! ranges, codings, how long it may be kept.
//!
//! [`Files::find`] looks and opens (`name` refuses what is no name, `open` lets the kernel refuse the rest); everything
//! behind it decides from numbers and texts (`condition`, `range`, `coding`, `media`, `expiry`, and `reply`, which puts
//! them together). Sockets do not belong here: `serve` sends what a [`Reply`] says.

mod coding;
mod condition;
mod expiry;
mod media;
mod name;
mod open;
pub mod outside;
mod range;
mod reply;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::config::{Expires, StaticFiles};

pub(crate) use coding::Coding;
pub(crate) use condition::{Conditions, Validators};
pub use media::MediaTypesError;
pub(crate) use name::behind;
pub(crate) use open::{Links, OpenFile, Opened};
pub(crate) use range::Range;
pub(crate) use reply::{Entity, Piece, Reply, parts};

use self::media::MediaTypes;

/// The files of a site.
#[derive(Debug)]
pub(crate) struct Files {
    check: Vec<PathBuf>,
    /// The longest prefix first.
    map: Vec<(String, Vec<PathBuf>)>,
    index: Vec<String>,
    skip: Vec<String>,
    expires: Vec<Expires>,
    types: MediaTypes,
    links: Links,
    hidden: bool,
    precompressed: bool,
    /// Directories of URLs that no client may ask for, the longest prefix first.
    internal: Vec<(String, PathBuf)>,
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Found<'f> {
    /// A file that we may not read.
    Denied,
    /// A directory with an index, asked for without the slash at the end.
    Directory,
    /// A file.
    File(FoundFile<'f>),
    /// Nothing: the request is the application's.
    Nothing,
}

/// A file to be sent.
#[derive(Debug)]
pub(crate) struct FoundFile<'f> {
    /// Below which root.
    root: &'f Path,
    /// Its name there; empty for a root that is a file.
    name: Vec<u8>,
    open: OpenFile,
}

impl Files {
    /// Those that the settings name.
    ///
    /// # Errors
    /// A table of media types cannot be read.
    pub(crate) fn new(
        settings: &StaticFiles,
        internal: &BTreeMap<String, PathBuf>,
    ) -> Result<Self, MediaTypesError> {
        let pairs = settings.map.iter();
        let mut map: Vec<_> = pairs
            .map(|(prefix, roots)| (prefix.clone(), roots.0.clone()))
            .collect();
        map.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let mut internal: Vec<_> = internal.clone().into_iter().collect();
        internal.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(Self {
            check: settings.check.clone(),
            map,
            index: settings.index.clone(),
            skip: settings.skip_ext.clone(),
            expires: settings.expires.clone(),
            types: MediaTypes::load(&settings.mime_types)?,
            links: Links::new(settings.symlinks, settings.safe.clone()),
            hidden: settings.hidden,
            precompressed: settings.precompressed,
            internal,
        })
    }

    /// Whether any path can lead to a file.
    pub(crate) fn is_empty(&self) -> bool {
        self.check.is_empty() && self.map.is_empty()
    }

    /// The file that a decoded path leads to: first in the directories of `check`, then in those of the longest prefix of
    /// `map`, then in those of shorter ones. A directory leads to its index.
    pub(crate) fn find(&self, path: &[u8]) -> Found<'_> {
        if self.skip.iter().any(|end| path.ends_with(end.as_bytes())) {
            return Found::Nothing;
        }
        let whole = self.check.iter().map(|root| (root, path));
        let mapped = self.map.iter().filter_map(|(prefix, roots)| {
            let rest = name::behind(path, prefix.as_bytes())?;
            Some(roots.iter().map(move |root| (root, rest)))
        });
        let places = whole.chain(mapped.flatten());
        let mut found = places.map(|(root, rest)| self.look(root, rest));
        found
            .find(|found| !matches!(found, Found::Nothing))
            .unwrap_or(Found::Nothing)
    }

    /// The file that the application names by its path: below a directory of `check`, `map` or `safe`.
    pub(crate) fn named(&self, path: &[u8]) -> Found<'_> {
        let mapped = self.map.iter().flat_map(|(_, roots)| roots);
        let internal = self.internal.iter().map(|(_, root)| root);
        let roots = self
            .check
            .iter()
            .chain(mapped)
            .chain(&self.links.safe)
            .chain(internal);
        let mut found = roots.filter_map(|root| {
            let rest = name::behind(path, root.as_os_str().as_bytes())?;
            Some(self.open(root, rest, true))
        });
        found
            .find(|found| !matches!(found, Found::Nothing))
            .unwrap_or(Found::Nothing)
    }

    /// The file that the application names by a URL of its own, decoded: below a directory of `response.internal`, or
    /// one that clients may ask for as well.
    pub(crate) fn internal(&self, url: &[u8]) -> Found<'_> {
        let mut found = self.internal.iter().filter_map(|(prefix, root)| {
            let rest = name::behind(url, prefix.as_bytes())?;
            Some(self.open(root, rest, true))
        });
        let found = found.find(|found| !matches!(found, Found::Nothing));
        found.unwrap_or_else(|| self.find(url))
    }

    /// The file below one root.
    pub(crate) fn look<'f>(&'f self, root: &'f Path, path: &[u8]) -> Found<'f> {
        self.open(root, path, self.hidden)
    }

    fn open<'f>(&'f self, root: &'f Path, path: &[u8], hidden: bool) -> Found<'f> {
        let Some(name) = name::below_root(path, hidden) else {
            return Found::Nothing;
        };
        match self.links.open(root, name.path) {
            Opened::Denied => Found::Denied,
            Opened::Nothing => Found::Nothing,
            Opened::Directory => self.look_for_index(root, name),
            // A file is no directory, and a prefix that is mapped to a file has nothing behind it.
            Opened::File(_) if name.is_directory && !path.is_empty() => Found::Nothing,
            Opened::File(open) => file(root, name.path.to_vec(), open),
        }
    }

    fn look_for_index<'f>(&'f self, root: &'f Path, name: name::Name<'_>) -> Found<'f> {
        for index in &self.index {
            let mut inside = name.path.to_vec();
            if !inside.is_empty() {
                inside.push(b'/');
            }
            inside.extend_from_slice(index.as_bytes());
            match self.links.open(root, &inside) {
                Opened::File(_) if !name.is_directory => return Found::Directory,
                Opened::File(open) => return file(root, inside, open),
                Opened::Denied => return Found::Denied,
                Opened::Directory | Opened::Nothing => {}
            }
        }
        Found::Nothing
    }

    /// Answers a GET or HEAD for `found`, which `url` led to; gives the file that the pieces of the answer are parts of.
    pub(crate) fn reply(
        &self,
        found: FoundFile<'_>,
        url: &[u8],
        conditions: &Conditions<'_>,
        is_head: bool,
    ) -> (Reply, OpenFile) {
        let path = match found.name.as_slice() {
            [] => found.root.to_owned(),
            name => found.root.join(OsStr::from_bytes(name)),
        };
        let path = path.as_os_str().as_bytes();
        let media_type = self.types.of(path);
        let lifetime = expiry::lifetime(&self.expires, url, path, media_type);
        let content_type = content_type(media_type);
        let (coding, open) = self.smaller(&found, conditions).unwrap_or(("", found.open));
        let entity = Entity {
            content_type,
            coding,
            varies: self.precompressed,
            lifetime,
            size: open.size,
        };
        let now = now();
        let validators = Validators::new(open.modified, open.size, coding, now);
        let reply = reply::reply(conditions, &entity, &validators, is_head, now);
        (reply, open)
    }

    /// A compressed file beside this one that the client takes, unless it is older than what it was made from.
    fn smaller(
        &self,
        found: &FoundFile<'_>,
        conditions: &Conditions<'_>,
    ) -> Option<(&'static str, OpenFile)> {
        if !self.precompressed {
            return None;
        }
        conditions.codings().find_map(|coding| {
            let beside = |name: &[u8]| [name, coding.suffix().as_bytes()].concat();
            let opened = match found.name.as_slice() {
                [] => {
                    let root = beside(found.root.as_os_str().as_bytes());
                    self.links.open(Path::new(OsStr::from_bytes(&root)), b"")
                }
                name => self.links.open(found.root, &beside(name)),
            };
            match opened {
                Opened::File(open) if open.modified >= found.open.modified => {
                    Some((coding.name(), open))
                }
                _ => None,
            }
        })
    }

    /// `Content-Type` of a file by its name.
    pub(crate) fn content_type(&self, name: &[u8]) -> String {
        content_type(self.types.of(name))
    }
}

fn file(root: &Path, name: Vec<u8>, open: OpenFile) -> Found<'_> {
    Found::File(FoundFile { root, name, open })
}

fn content_type(media_type: &str) -> String {
    match media::is_utf8(media_type) {
        true => format!("{media_type}; charset=utf-8"),
        false => media_type.to_owned(),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
