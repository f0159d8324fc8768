//! Where a request goes whose head is complete: to the application, to a file, somewhere else, or nowhere.
//!
//! The decision is made before any thread of the application is needed, by the `[[route]]`s in their order and then by
//! `[static]`. It depends on nothing but settings, request and file system, so that it may be made again: the standby
//! thread leaves a request for the application as it found it.

mod rule;
mod template;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::{
    cgi::{self, Program, Programs},
    config::Settings,
    environ,
    protocol::Request,
    static_files::{Files, Found, FoundFile, MediaTypesError},
};

use self::{
    rule::{Action, Rule, location, rewritten},
    template::{in_url, plain},
};
use super::headers::Edits;

/// What answers a request.
#[derive(Debug)]
pub(super) enum Destination<'r> {
    /// The application.
    Application,
    /// A program that may not run, and why; the answer is 403.
    Barred(PathBuf, &'static str),
    /// A file, and the path that has led to it.
    File(FoundFile<'r>, Vec<u8>),
    /// A program.
    Program(Box<Program>),
    /// A redirection: status and URL.
    Redirect(u16, Vec<u8>),
    /// An error of this status.
    Refuse(u16),
}

/// What the routes have changed about a request and its answer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Changes {
    /// PATH_INFO, decoded.
    pub(super) path: Option<Vec<u8>>,
    /// QUERY_STRING.
    pub(super) query: Option<Vec<u8>>,
    /// Variables for the environ.
    pub(super) env: Vec<(String, Vec<u8>)>,
    /// Routes whose edits of headers apply, by number.
    pub(super) edits: Vec<usize>,
    /// The access log does without it.
    pub(super) is_silent: bool,
}

/// A request as routes see it.
pub(super) struct Inquiry<'b> {
    pub(super) request: Request<'b>,
    /// Without its port.
    pub(super) host: &'b [u8],
    /// Address of the client; empty for Unix sockets.
    pub(super) remote: &'b [u8],
}

/// Routes, files and programs of a site.
pub(super) struct Router {
    rules: Vec<Rule>,
    files: Files,
    programs: Programs,
}

impl Changes {
    /// Adds what one more rule has changed.
    fn take(&mut self, other: Self) {
        self.path = other.path.or_else(|| self.path.take());
        self.query = other.query.or_else(|| self.query.take());
        for (name, value) in other.env {
            self.env.retain(|(known, _)| *known != name);
            self.env.push((name, value));
        }
    }
}

/// What a rule makes of a request.
#[derive(Default)]
struct Outcome<'r> {
    changes: Changes,
    destination: Option<Destination<'r>>,
}

impl Router {
    /// # Errors
    /// A table of media types cannot be read.
    pub(super) fn new(settings: &Settings) -> Result<Self, MediaTypesError> {
        Ok(Self {
            rules: settings.route.iter().map(Rule::new).collect(),
            files: Files::new(&settings.static_files, &settings.response.internal)?,
            programs: Programs::new(&settings.cgi),
        })
    }

    /// Whether every request is the application's.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.files.is_empty() && self.programs.is_empty()
    }

    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    pub(super) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The edits of headers that routes have asked for.
    pub(super) fn edits<'r>(&'r self, changes: &'r Changes) -> impl Iterator<Item = &'r Edits> {
        let rules = changes
            .edits
            .iter()
            .filter_map(|number| self.rules.get(*number));
        rules.map(|rule| &rule.edits)
    }

    /// Decides on a request; `scratch` is memory for its path.
    pub(super) fn route(
        &self,
        inquiry: &Inquiry<'_>,
        scratch: &mut Vec<u8>,
    ) -> (Destination<'_>, Changes) {
        self.route_anew(inquiry, Changes::default(), scratch)
    }

    /// The same for a request that has been changed before.
    pub(super) fn route_anew(
        &self,
        inquiry: &Inquiry<'_>,
        mut changes: Changes,
        scratch: &mut Vec<u8>,
    ) -> (Destination<'_>, Changes) {
        let request = &inquiry.request;
        let was_changed = changes.path.is_some();
        let sent = environ::path_info(request, scratch);
        for (number, rule) in self.rules.iter().enumerate() {
            let path = changes.path.as_deref().unwrap_or(sent);
            let query = changes.query.as_deref();
            let query = query.unwrap_or_else(|| request.head.query.of(request.buffer));
            let Some(outcome) = self.outcome(rule, inquiry, path, query) else {
                continue;
            };
            changes.edits.push(number);
            changes.is_silent |= !rule.is_logged;
            changes.take(outcome.changes);
            if let Some(destination) = outcome.destination {
                return (destination, changes);
            }
            if rule.is_last {
                break;
            }
        }
        let path = changes.path.as_deref().unwrap_or(sent);
        let destination = match self.file(inquiry, path) {
            Destination::Application => self.program(inquiry, path),
            file => file,
        };
        let destination = match destination {
            // The URL that was asked for is not the one of the directory.
            Destination::Redirect(status, _) if was_changed => {
                Destination::Redirect(status, slashed(path, changes.query.as_deref()))
            }
            destination => destination,
        };
        (destination, changes)
    }

    /// What a rule makes of a request; `None` when its conditions do not hold.
    fn outcome<'r>(
        &'r self,
        rule: &'r Rule,
        inquiry: &Inquiry<'_>,
        path: &[u8],
        query: &[u8],
    ) -> Option<Outcome<'r>> {
        let groups = rule.holds(inquiry, path, query)?;
        let groups = groups.as_ref();
        let mut outcome = Outcome::default();
        let env = rule.env.iter();
        outcome.changes.env = env
            .map(|(name, value)| (name.clone(), value.fill(groups, plain)))
            .collect();
        match &rule.action {
            None => {}
            Some(Action::Deny(status)) => outcome.destination = Some(Destination::Refuse(*status)),
            Some(Action::File(_)) if !is_get(&inquiry.request) => return None,
            Some(Action::File(file)) => outcome.destination = Some(self.single(file, path)),
            Some(Action::Redirect(status, url)) => {
                let url = location(url, groups);
                outcome.destination = Some(Destination::Redirect(*status, url));
            }
            Some(Action::Rewrite(path, query)) => {
                outcome.changes.path = Some(rewritten(path, groups));
                outcome.changes.query = query.as_ref().map(|query| query.fill(groups, in_url));
            }
        }
        Some(outcome)
    }

    /// The file that a rule names.
    fn single<'r>(&'r self, file: &'r Path, path: &[u8]) -> Destination<'r> {
        match self.files.look(file, b"") {
            Found::Denied => Destination::Refuse(403),
            Found::Directory | Found::Nothing => Destination::Refuse(404),
            Found::File(found) => Destination::File(found, path.to_vec()),
        }
    }

    fn file(&self, inquiry: &Inquiry<'_>, path: &[u8]) -> Destination<'_> {
        // What is no GET is no wish for a file, whatever lies there; uWSGI does the same.
        if self.files.is_empty() || !is_get(&inquiry.request) {
            return Destination::Application;
        }
        match self.files.find(path) {
            Found::Denied => Destination::Refuse(403),
            Found::Directory => Destination::Redirect(301, with_slash(&inquiry.request)),
            Found::File(found) => Destination::File(found, path.to_vec()),
            Found::Nothing => Destination::Application,
        }
    }

    /// What no file answers may be a program's.
    fn program(&self, inquiry: &Inquiry<'_>, path: &[u8]) -> Destination<'_> {
        match self.programs.find(path) {
            cgi::Found::Barred(file, why) => Destination::Barred(file, why),
            cgi::Found::Directory => Destination::Redirect(301, with_slash(&inquiry.request)),
            cgi::Found::Elsewhere => Destination::Application,
            cgi::Found::Nothing => Destination::Refuse(404),
            cgi::Found::Program(program) => Destination::Program(program),
        }
    }
}

fn is_get(request: &Request<'_>) -> bool {
    matches!(request.method(), b"GET" | b"HEAD")
}

/// The URL of a directory that was not asked for, by its decoded path.
fn slashed(path: &[u8], query: Option<&[u8]>) -> Vec<u8> {
    let start = path.iter().take_while(|&&byte| byte == b'/').count();
    let mut url = b"/".to_vec();
    in_url(&path[start..], &mut url);
    url.push(b'/');
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        url.push(b'?');
        url.extend_from_slice(query);
    }
    url
}

/// The URL of a directory: what the client has asked for with a slash behind the path. Of several slashes in front one
/// stays, because two would begin the name of a host.
fn with_slash(request: &Request<'_>) -> Vec<u8> {
    let target = request.target();
    let (path, query) = match memchr::memchr(b'?', target) {
        Some(at) => target.split_at(at),
        None => (target, &b""[..]),
    };
    let path = match path.starts_with(b"/") {
        true => path,
        // RFC 9112 section 3.2.2: a target in absolute form; its path is known already.
        false => request.head.path.of(request.buffer),
    };
    let start = path
        .iter()
        .position(|&byte| byte != b'/')
        .unwrap_or(path.len());
    let mut url = b"/".to_vec();
    // What is escaped stays as it is.
    path[start..]
        .split(|&byte| byte == b'%')
        .enumerate()
        .for_each(|(place, part)| {
            if place > 0 {
                url.push(b'%');
            }
            in_url(part, &mut url);
        });
    url.push(b'/');
    url.extend_from_slice(query);
    url
}
