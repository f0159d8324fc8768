//! Where nginx passes requests to: every `proxy_pass`, `uwsgi_pass` and the like of a configuration, names of upstreams
//! resolved.

use std::{collections::BTreeMap, path::PathBuf};

use crate::config::{Address, Protocol};

use super::syntax::Directive;

/// One way on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pass {
    /// `uwsgi_pass`.
    pub(super) directive: String,
    pub(super) protocol: Protocol,
    pub(super) address: Address,
    /// Variables of the protocol are set, there or around it.
    pub(super) has_params: bool,
    pub(super) file: PathBuf,
    pub(super) line: usize,
}

/// What is known on the way into the blocks.
#[derive(Debug, Clone, Default)]
struct Around {
    upstreams: BTreeMap<String, Vec<String>>,
    /// Protocols whose variables are set.
    params: Vec<Protocol>,
}

/// Every pass of a configuration, in its order.
pub(super) fn passes(directives: &[Directive]) -> Vec<Pass> {
    let mut found = Vec::new();
    collect(directives, &Around::default(), &mut found);
    found
}

/// The user that the workers run as, if the configuration says so.
pub(super) fn user(directives: &[Directive]) -> Option<String> {
    let user = directives.iter().find(|one| one.name == "user")?;
    user.words.first().cloned()
}

fn collect(directives: &[Directive], around: &Around, found: &mut Vec<Pass>) {
    let mut around = around.clone();
    for one in directives.iter().filter(|one| one.name == "upstream") {
        let servers = one.block.iter().filter(|inner| inner.name == "server");
        let servers = servers.filter_map(|server| server.words.first().cloned());
        if let Some(name) = one.words.first() {
            around.upstreams.insert(name.clone(), servers.collect());
        }
    }
    for one in directives {
        let set = one.name.strip_suffix("_param").and_then(protocol);
        around.params.extend(set);
    }
    for one in directives {
        found.extend(of_directive(one, &around));
        collect(&one.block, &around, found);
    }
}

fn protocol(name: &str) -> Option<Protocol> {
    match name {
        "fastcgi" => Some(Protocol::Fastcgi),
        "scgi" => Some(Protocol::Scgi),
        "uwsgi" => Some(Protocol::Uwsgi),
        _ => None,
    }
}

fn of_directive(one: &Directive, around: &Around) -> Vec<Pass> {
    let Some(name) = one.name.strip_suffix("_pass") else {
        return Vec::new();
    };
    let Some(target) = one.words.first() else {
        return Vec::new();
    };
    let (scheme, rest) = target.split_once("://").unwrap_or(("", target));
    let protocol = match (name, scheme) {
        ("proxy", "http") => Protocol::Http,
        ("proxy", "https") => Protocol::Https,
        (name, _) => match protocol(name) {
            Some(protocol) => protocol,
            None => return Vec::new(),
        },
    };
    let place = place(rest);
    let servers = around.upstreams.get(place);
    let addresses = match servers {
        Some(servers) => servers.iter().map(String::as_str).collect(),
        None => vec![place],
    };
    let pass = |address: &str| {
        Some(Pass {
            directive: one.name.clone(),
            protocol,
            address: address_of(address, protocol)?,
            has_params: name == "proxy" || around.params.contains(&protocol),
            file: one.file.clone(),
            line: one.line,
        })
    };
    addresses.into_iter().filter_map(pass).collect()
}

/// Without the path of the URL: `unix:/run/a.sock:/path`, `127.0.0.1:8000/path`.
fn place(text: &str) -> &str {
    let end = match text.strip_prefix("unix:") {
        Some(path) => path.find(':').map(|at| at + "unix:".len()),
        None => text.find('/'),
    };
    end.map_or(text, |end| &text[..end])
}

/// nginx takes port 80 where none is given.
fn address_of(text: &str, protocol: Protocol) -> Option<Address> {
    let with_port = match text.rsplit_once(':') {
        _ if text.starts_with("unix:") => text.to_owned(),
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => text.to_owned(),
        _ if protocol == Protocol::Https => format!("{text}:443"),
        _ => format!("{text}:80"),
    };
    with_port.parse().ok()
}
