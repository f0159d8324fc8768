//! One `[[route]]` as the request path needs it: its conditions, and its texts taken apart.

use std::{net::IpAddr, path::PathBuf};

use regex::bytes::{Captures, Regex};

use super::{
    Inquiry,
    template::{Template, in_url, plain},
};
use crate::{
    config::{self, Network},
    serve::{headers::Edits, request_id::Header},
};

/// See the module.
pub(super) struct Rule {
    path: Option<Regex>,
    host: Option<Regex>,
    methods: Vec<String>,
    headers: Vec<(Header, Regex)>,
    query: Option<Regex>,
    networks: Vec<Network>,
    pub(super) action: Option<Action>,
    pub(super) env: Vec<(String, Template)>,
    pub(super) edits: Edits,
    pub(super) is_logged: bool,
    pub(super) is_last: bool,
}

/// What a rule does beside adding and taking away.
pub(super) enum Action {
    Deny(u16),
    File(PathBuf),
    Redirect(u16, Template),
    /// Path, and query.
    Rewrite(Template, Option<Template>),
}

impl Rule {
    pub(super) fn new(route: &config::Route) -> Self {
        let regex = |pattern: &Option<config::Pattern>| {
            pattern.as_ref().map(|pattern| pattern.regex().clone())
        };
        let header = |(name, pattern): (&config::HeaderName, &config::Pattern)| {
            (Header::new(name.as_str()), pattern.regex().clone())
        };
        let env = route.env.iter();
        Self {
            path: regex(&route.path),
            host: regex(&route.host),
            methods: route.method.clone(),
            headers: route.header.iter().map(header).collect(),
            query: regex(&route.query),
            networks: route.remote_addr.clone(),
            action: Action::new(route),
            env: env
                .map(|(name, value)| (name.clone(), Template::new(value)))
                .collect(),
            edits: Edits::new(&route.add_headers, &route.remove_headers),
            is_logged: route.log,
            is_last: route.last,
        }
    }

    /// Whether every condition holds for a request whose path and query are, after earlier rules, these; with the groups
    /// of `path`.
    pub(super) fn holds<'p>(
        &self,
        inquiry: &Inquiry<'_>,
        path: &'p [u8],
        query: &[u8],
    ) -> Option<Option<Captures<'p>>> {
        let groups = match &self.path {
            None => None,
            Some(regex) => Some(regex.captures(path)?),
        };
        let is_met = |regex: &Option<Regex>, text: &[u8]| {
            regex.as_ref().is_none_or(|regex| regex.is_match(text))
        };
        let holds = self.has_method(inquiry.request.method())
            && is_met(&self.query, query)
            && is_met(&self.host, inquiry.host)
            && self
                .headers
                .iter()
                .all(|(header, regex)| regex.is_match(header.of(&inquiry.request)))
            && (self.networks.is_empty() || self.has_client(inquiry.remote));
        holds.then_some(groups)
    }

    fn has_method(&self, method: &[u8]) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|one| one.as_bytes() == method)
    }

    /// A client on a Unix socket has no address, and is in no network.
    fn has_client(&self, remote: &[u8]) -> bool {
        let text = str::from_utf8(remote).unwrap_or_default();
        text.parse::<IpAddr>()
            .is_ok_and(|client| self.networks.iter().any(|network| network.contains(client)))
    }
}

impl Action {
    /// The rules of the settings see to it that there is one at most.
    fn new(route: &config::Route) -> Option<Self> {
        if let Some(status) = route.deny {
            Some(Self::Deny(status))
        } else if let Some(url) = &route.redirect {
            Some(Self::Redirect(route.status, Template::new(url)))
        } else if let Some(file) = &route.static_file {
            Some(Self::File(file.clone()))
        } else {
            let target = route.rewrite.as_ref()?;
            let (path, query) = match target.split_once('?') {
                Some((path, query)) => (path, Some(query)),
                None => (target.as_str(), None),
            };
            Some(Self::Rewrite(Template::new(path), query.map(Template::new)))
        }
    }
}

/// The URL that a rule redirects to.
pub(super) fn location(url: &Template, groups: Option<&Captures<'_>>) -> Vec<u8> {
    url.fill(groups, in_url)
}

/// The path that a rule goes on with; it is decoded, like the groups in it, and begins with a slash.
pub(super) fn rewritten(path: &Template, groups: Option<&Captures<'_>>) -> Vec<u8> {
    let mut path = path.fill(groups, plain);
    if path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
    path
}
