//! Which application answers a request: that of `[app]`, or one of `[[mount]]`.
//!
//! uWSGI gives whatever fits nowhere to the first application whose path begins with a slash. Here nobody gets it.

use std::fmt;

use crate::{
    config::{DynamicApps, Mount, Settings},
    environ,
    protocol::{Kind, Request},
};

/// Number of an application: 0 is that of `[app]`, the first `[[mount]]` is 1.
pub type ApplicationNumber = u32;

/// The application that answers a request, and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) application: ApplicationNumber,
    /// How much of the application's path is moved from PATH_INFO to SCRIPT_NAME: all or nothing.
    pub(super) moves_path: bool,
}

/// Where a site without mounts has its application.
pub(super) const ONLY: Place = Place {
    application: 0,
    moves_path: false,
};

/// Variables by which a front server names an application (uWSGI's `dynamic-apps`).
const NAMING: [&[u8]; 3] = [b"UWSGI_FILE", b"UWSGI_MODULE", b"UWSGI_SCRIPT"];

/// Every application of a site.
pub(super) struct Mounts {
    /// Whether `[app]` names an application.
    has_default: bool,
    /// Whether requests may name theirs.
    are_dynamic: bool,
    /// Whether whoever sees an answer may learn how the site is made.
    pub(super) is_development: bool,
    /// Those with a host before those without, then those with the longer path.
    entries: Vec<Entry>,
}

struct Entry {
    application: ApplicationNumber,
    /// In lower case.
    host: Option<Vec<u8>>,
    /// Without a slash at its end; empty for every path.
    path: Vec<u8>,
}

impl Mounts {
    /// `None` for a site with nothing to choose from.
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let Settings {
            app,
            mount,
            dynamic_apps: DynamicApps { enabled, .. },
            reload,
            ..
        } = settings;
        let has_default = app.target().is_some();
        if has_default && mount.is_empty() && !enabled {
            return None;
        }
        let mut entries: Vec<Entry> = (1..).zip(mount).map(Entry::new).collect();
        entries.sort_by_key(|entry| (entry.host.is_none(), usize::MAX - entry.path.len()));
        Some(Self {
            has_default,
            are_dynamic: *enabled,
            is_development: reload.py_autoreload,
            entries,
        })
    }

    /// Who answers; `None`: nobody does. `changed` is the path as the routes have made it, `scratch` memory for that of
    /// the request.
    pub(super) fn place(
        &self,
        request: &Request<'_>,
        changed: Option<&[u8]>,
        scratch: &mut Vec<u8>,
    ) -> Option<Place> {
        if self.are_dynamic && names_application(request) {
            return Some(ONLY);
        }
        let host = environ::host_name(request).to_ascii_lowercase();
        let hosted = || {
            let fits = |entry: &&Entry| entry.host.as_ref().is_none_or(|of| *of == host);
            self.entries.iter().filter(fits)
        };
        // A front server that says where the application lies has looked at the path already.
        if let Some(said) = said_place(request) {
            let said = trimmed(said);
            if let Some(entry) = hosted().find(|entry| entry.path == said) {
                return Some(Place {
                    application: entry.application,
                    moves_path: false,
                });
            }
        }
        let path = changed.unwrap_or_else(|| environ::path_info(request, scratch));
        let found = hosted().find(|entry| entry.holds(path));
        found
            .map(|entry| Place {
                application: entry.application,
                moves_path: !entry.path.is_empty(),
            })
            .or(self.has_default.then_some(ONLY))
    }

    /// Each place that has an application, as a person would write it.
    pub(super) fn places(&self) -> impl Iterator<Item = String> {
        let default = self.has_default.then(|| "/".to_owned());
        default
            .into_iter()
            .chain(self.entries.iter().map(Entry::to_string))
    }

    /// What is to be added to SCRIPT_NAME at this place.
    pub(super) fn path(&self, place: Place) -> &[u8] {
        let mut entries = self.entries.iter();
        entries
            .find(|entry| place.moves_path && entry.application == place.application)
            .map_or(b"", |entry| &entry.path)
    }
}

/// Whether the front server names the application, which it can in a uwsgi packet alone: the names of other requests'
/// variables are made from headers, which anybody sends.
pub(super) fn names_application(request: &Request<'_>) -> bool {
    request.head.kind != Kind::Http
        && NAMING
            .iter()
            .any(|name| !environ::variable(request, name).is_empty())
}

fn said_place<'b>(request: &Request<'b>) -> Option<&'b [u8]> {
    if request.head.kind == Kind::Http {
        return None;
    }
    let id = environ::variable(request, b"UWSGI_APPID");
    let said = match id {
        b"" => environ::script_name(request),
        id => id,
    };
    (!said.is_empty()).then_some(said)
}

impl fmt::Display for Mounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.places().collect();
        formatter.write_str(&places.join(", "))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.as_deref().unwrap_or_default();
        let (host, path) = (host.escape_ascii(), self.path.escape_ascii());
        match self.path.is_empty() {
            true => write!(formatter, "{host}/"),
            false => write!(formatter, "{host}{path}"),
        }
    }
}

impl Entry {
    fn new((application, mount): (ApplicationNumber, &Mount)) -> Self {
        let host = mount.host.as_ref();
        Self {
            application,
            host: host.map(|host| host.to_ascii_lowercase().into_bytes()),
            path: trimmed(mount.path.as_bytes()).to_vec(),
        }
    }

    /// Whether the path is this one or lies below it.
    fn holds(&self, path: &[u8]) -> bool {
        path.strip_prefix(&self.path[..])
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || self.path.is_empty())
    }
}

fn trimmed(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}

#[cfg(test)]
mod tests;
