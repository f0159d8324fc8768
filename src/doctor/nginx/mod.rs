//! Whether nginx, where its configuration can be read, passes requests to the site: to an address that the site has, in
//! the protocol that is spoken there, as a user who may connect; and whether it has read its configuration as it is.

mod passes;
mod reloaded;
mod syntax;

use std::path::Path;

use crate::config::{Address, Listen, Protocol};

use super::{
    Patient,
    access::{self, Need, Want},
    entry::Entry,
    manager::{self, Unit},
    person::Person,
};

use passes::Pass;

const TOPIC: &str = "nginx";
/// Debian's, and most others'.
const CONFIGURATION: &str = "/etc/nginx/nginx.conf";
/// How it is run.
const SERVICE: &str = "nginx.service";
/// Whom nginx runs as when its configuration does not say so: Debian's, Red Hat's, and what it is built with elsewhere.
const USERS: [&str; 3] = ["www-data", "nginx", "nobody"];

/// Looks, if there is an nginx.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Entry> {
    let directives = syntax::read(Path::new(CONFIGURATION));
    if directives.is_empty() {
        return Vec::new();
    }
    let listens = &patient.settings.listen;
    let passes = passes::passes(&directives);
    let mut entries = judge(&patient.site, listens, &passes);
    let named = passes::user(&directives);
    let user = named
        .as_deref()
        .into_iter()
        .chain(USERS)
        .find_map(Person::named);
    let ours = passes
        .iter()
        .filter(|pass| listens.iter().any(|listen| listen.address == pass.address));
    let sockets: Vec<Need> = ours.filter_map(need).collect();
    if let Some(unit) = manager::is_booted()
        .then(|| manager::unit(SERVICE))
        .flatten()
    {
        entries.extend(state(&unit));
        entries.extend(reloaded::look(&unit, &syntax::files(&directives)));
    }
    if let Some(user) = user {
        entries.extend(access::look(&user, &sockets).unwrap_or_default());
    }
    entries
}

/// An nginx that is installed as a service and does not run.
fn state(unit: &Unit) -> Option<Entry> {
    let state = unit.property("ActiveState");
    let rests = unit.property("LoadState") == "loaded" && ["inactive", "failed"].contains(&state);
    rests.then(|| {
        Entry::warning(
            TOPIC,
            format!("{SERVICE} is {state}"),
            "nginx -t says whether its configuration is good; systemctl enable --now nginx",
        )
    })
}

/// The socket that it has to be able to connect to.
fn need(pass: &Pass) -> Option<Need> {
    let Address::Unix(path) = &pass.address else {
        return None;
    };
    Some(Need {
        path: path.clone(),
        want: Want::Connect,
        key: format!("{}:{}", pass.file.display(), pass.line),
    })
}

/// What there is to say of all passes.
fn judge(site: &str, listens: &[Listen], passes: &[Pass]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = passes
        .iter()
        .filter_map(|pass| {
            let listen = listens
                .iter()
                .find(|listen| is_same(&listen.address, &pass.address))?;
            Some(of_pass(listen, pass))
        })
        .collect();
    if !entries.is_empty() {
        return entries;
    }
    let near = passes.iter().find_map(|pass| {
        let listen = listens
            .iter()
            .find(|listen| is_near(site, &listen.address, &pass.address))?;
        Some((pass, listen))
    });
    match (near, listens.first()) {
        (Some((pass, listen)), _) => entries.push(Entry::wrong(
            TOPIC,
            format!(
                "{}:{} passes requests to {}, and the site listens on {}",
                pass.file.display(),
                pass.line,
                pass.address,
                listen.address
            ),
            format!(
                "write there `{}`, then: systemctl reload nginx",
                directive(listen)
            ),
        )),
        (None, Some(listen)) if !is_public(&listen.address) => entries.push(Entry::warning(
            TOPIC,
            format!(
                "{CONFIGURATION} and what it includes pass no request to {}",
                listen.address
            ),
            format!(
                "write into a location of the site `{}`, then: systemctl reload nginx",
                directive(listen)
            ),
        )),
        _ => {}
    }
    entries
}

fn of_pass(listen: &Listen, pass: &Pass) -> Entry {
    let place = format!("{}:{}", pass.file.display(), pass.line);
    let address = &listen.address;
    if listen.protocol != pass.protocol {
        return Entry::wrong(
            TOPIC,
            format!(
                "{place} has {} to {address}, where {} is spoken",
                pass.directive, listen.protocol
            ),
            format!(
                "write there `{}`, then: systemctl reload nginx",
                directive(listen)
            ),
        );
    }
    if !pass.has_params {
        let protocol = listen.protocol;
        return Entry::wrong(
            TOPIC,
            format!(
                "{place} has {} to {address} without the variables of a request",
                pass.directive
            ),
            format!("write above it `include {protocol}_params;`, then: systemctl reload nginx"),
        );
    }
    Entry::good(
        TOPIC,
        format!("{place} passes requests to {address}, {}", listen.protocol),
    )
}

/// As it has to be written for this listener.
fn directive(listen: &Listen) -> String {
    let address = match &listen.address {
        Address::Unix(path) => format!("unix:{}", path.display()),
        Address::Tcp { host: None, port } => format!("127.0.0.1:{port}"),
        address => address.to_string(),
    };
    let protocol = listen.protocol;
    match protocol {
        Protocol::Http | Protocol::Https => format!("proxy_pass {protocol}://{address};"),
        _ => format!("include {protocol}_params; {protocol}_pass {address};"),
    }
}

/// `localhost` and every address are where a listener on the loopback is.
fn is_same(listen: &Address, passed: &Address) -> bool {
    let (
        Address::Tcp { host: one, port },
        Address::Tcp {
            host: Some(other),
            port: passed_port,
        },
    ) = (listen, passed)
    else {
        return listen == passed;
    };
    let is_local = |host: &str| host == "localhost" || host.starts_with("127.") || host == "::1";
    port == passed_port
        && match one {
            None => true,
            Some(one) => one == other || one == "0.0.0.0" || (is_local(one) && is_local(other)),
        }
}

/// Not the same, and yet probably meant: a socket of the same file name or with the site's name, the same port elsewhere.
fn is_near(site: &str, listen: &Address, passed: &Address) -> bool {
    match (listen, passed) {
        (_, Address::Unix(passed)) => {
            let name = passed.file_name().unwrap_or_default();
            let is_same = matches!(listen, Address::Unix(path) if path.file_name() == Some(name));
            is_same || Path::new(name).file_stem().is_some_and(|stem| stem == site)
        }
        (Address::Tcp { port, .. }, Address::Tcp { port: passed, .. }) => port == passed,
        _ => false,
    }
}

/// Whether clients may be meant to come without a front server.
fn is_public(address: &Address) -> bool {
    match address {
        Address::Tcp { host: None, .. } => true,
        Address::Tcp { port, .. } => matches!(port, 80 | 443),
        Address::Abstract(_) | Address::Unix(_) => false,
    }
}

#[cfg(test)]
mod tests;
