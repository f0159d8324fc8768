//! Sockets: one `[[listen]]` for each address that was served.

use toml::Value;

use super::{
    super::options::Kind,
    Applied, Outcome, Topic,
    engine::Translation,
    typed,
    value::{self, Read},
};
use crate::{config::Address, convert::draft::Section};

pub(in crate::convert::uwsgi) static SOCKET: Topic = Topic {
    documentation: "kept: a `[[listen]]` with its `protocol` and `address`",
    slot: None,
    early: true,
    run: socket,
};

pub(in crate::convert::uwsgi) static SHARED: Topic = Topic {
    documentation: "kept: `address` of the `[[listen]]` that refers to it by `=N`",
    slot: None,
    early: false,
    run: shared,
};

pub(in crate::convert::uwsgi) static PROTOCOL: Topic = Topic {
    documentation: "kept: `[[listen]] protocol` of each `socket`",
    slot: Some("protocol"),
    early: false,
    run: protocol,
};

fn socket(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    match protocol_of(translation, option) {
        Some(protocol) => listen(translation, protocol, &option.value),
        None => Outcome::not_possible(
            "its protocol is none that hostler speaks",
            "`protocol = \"http\"` or `\"uwsgi\"`, and the same in the front server",
        )
        .ask("the protocol of this socket is not spoken; there is no listener for it"),
    }
}

/// What is spoken on a socket: its name says it, or the option `protocol`.
fn protocol_of(translation: &Translation<'_>, option: &Applied) -> Option<&'static str> {
    let named = match option.name.as_str() {
        "socket" => match translation.last("protocol") {
            Some(option) => value::text(&option.value).value,
            None => "uwsgi".to_owned(),
        },
        name => name.split("-socket").next().unwrap_or_default().to_owned(),
    };
    match named.as_str() {
        "uwsgi" => Some("uwsgi"),
        "http" | "http11" | "httprouter" | "" => Some("http"),
        "fastcgi" | "fastcgi-nph" => Some("fastcgi"),
        "scgi" | "scgi-nph" => Some("scgi"),
        _ => None,
    }
}

/// Adds a listener, with everything that other options say about sockets.
pub(super) fn listen(translation: &mut Translation<'_>, protocol: &str, written: &str) -> Outcome {
    let Read { value, notes } = value::text(written);
    let (address, doubt) = address(translation, &value);
    if let Some(earlier) = same_address(translation, &address) {
        let known = translation.draft.get(earlier, "protocol");
        if known.and_then(Value::as_str) == Some(protocol) {
            return Outcome::not_needed("the address is listened on already");
        }
        return Outcome::not_possible(
            "another protocol is spoken at this address",
            "another address",
        )
        .ask("two protocols cannot be spoken at one address; the first is kept");
    }
    let section = translation.draft.add("listen");
    translation.draft.set(section, "protocol", protocol);
    let outcome = translation.keep_in(section, "listen", "address", address.as_str());
    furnish(translation, section, &address, protocol);
    let outcome = outcome.notes(notes);
    match doubt {
        Some(doubt) => outcome.ask(doubt),
        None => outcome,
    }
}

/// The listener that has this address already.
pub(super) fn same_address(translation: &Translation<'_>, address: &str) -> Option<Section> {
    let listeners = translation.draft.all("listen").into_iter();
    let mut same = listeners.filter(|section| {
        let known = translation.draft.get(*section, "address");
        known.and_then(Value::as_str) == Some(address) && !address.ends_with(":0")
    });
    same.next()
}

/// The address in our notation, and what is doubtful about it.
pub(super) fn address(translation: &Translation<'_>, written: &str) -> (String, Option<String>) {
    if let Some(number) = written.strip_prefix('=') {
        let shared = translation.each(&["shared-socket", "undeferred-shared-socket"]);
        let shared = number
            .parse()
            .ok()
            .and_then(|number| shared.into_iter().nth(number));
        return match shared {
            Some(shared) => address(translation, &value::text(&shared.value).value),
            None => unreadable(
                translation,
                written,
                "there is no shared socket of this number",
            ),
        };
    }
    if written.starts_with("fd://") {
        return unreadable(
            translation,
            written,
            "write the address that the descriptor is bound to",
        );
    }
    let address = spelled(translation, written);
    match address.parse::<Address>() {
        Ok(_) => (address, None),
        Err(_) if value::is_template(written) => {
            unreadable(translation, written, "only the template's program knows it")
        }
        Err(error) => unreadable(translation, written, &error.to_string()),
    }
}

/// What a listener gets for its address when that could not be read: one that is free still.
fn unreadable(translation: &Translation<'_>, written: &str, why: &str) -> (String, Option<String>) {
    let ports = 8000..u16::MAX;
    let mut places = ports.map(|port| format!("127.0.0.1:{port}"));
    let free = places.find(|place| same_address(translation, place).is_none());
    let doubt = format!("put the address `{written}` here: {why}");
    (free.unwrap_or_default(), Some(doubt))
}

/// uWSGI's ways of writing an address, in ours.
fn spelled(translation: &Translation<'_>, written: &str) -> String {
    let written = written.strip_prefix("unix:").unwrap_or(written);
    if let Some(name) = written.strip_prefix("\\0") {
        return format!("@{name}");
    }
    if written.starts_with('@') {
        return written.to_owned();
    }
    match written.rsplit_once(':') {
        Some((host, port)) if !written.starts_with('/') => {
            let host = match host {
                "0.0.0.0" | "*" | "[::]" | "::" => "",
                host => host,
            };
            let port = if port.is_empty() { "0" } else { port };
            format!("{host}:{port}")
        }
        _ if translation.is_on("abstract-socket") => format!("@{written}"),
        _ if is_port(written) => format!(":{written}"),
        _ => translation.below_chdir(written),
    }
}

/// uWSGI takes a bare number for the name of a file; nobody means that.
fn is_port(written: &str) -> bool {
    written.parse::<u16>().is_ok_and(|port| port > 0)
}

/// What options about all sockets say.
fn furnish(translation: &mut Translation<'_>, section: Section, address: &str, protocol: &str) {
    let is_file = address.starts_with('/');
    let is_tcp = !is_file && !address.starts_with('@');
    if is_file {
        super::access::furnish(translation, section);
    }
    if let Some(backlog) = translation.last("listen")
        && let Ok(read) = typed::written(Kind::Count, &backlog.value)
        && read.value != Value::from(0)
    {
        translation.draft.set(section, "backlog", read.value);
    }
    let on_all = [
        ("so-keepalive", "tcp-keepalive", true),
        ("no-defer-accept", "defer-accept", false),
        ("freebind", "freebind", true),
        ("reuse-port", "reuse-port", true),
    ];
    for (name, key, value) in on_all {
        if is_tcp && translation.is_on(name) {
            translation.draft.set(section, key, value);
        }
    }
    for (name, key) in [
        ("socket-sndbuf", "send-buffer"),
        ("socket-rcvbuf", "receive-buffer"),
    ] {
        if let Some(option) = translation.last(name)
            && let Ok(read) = typed::written(Kind::Bytes, &option.value)
        {
            translation.draft.set(section, key, read.value);
        }
    }
    let proxy = translation.is_on("http-enable-proxy-protocol")
        || translation.is_on("enable-proxy-protocol");
    if proxy && matches!(protocol, "http" | "https") {
        translation.draft.set(section, "proxy-protocol", true);
    }
}

fn shared(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let (address, _) = address(translation, &value::text(&option.value).value);
    match same_address(translation, &address) {
        Some(section) => Outcome::kept(section, "listen", "address", &Value::from(address)),
        None => Outcome::not_needed("no option refers to it"),
    }
}

fn protocol(translation: &mut Translation<'_>, _: &Applied) -> Outcome {
    let sockets = translation.each(&["socket"]).count();
    if sockets == 0 {
        return Outcome::not_needed("there is no `socket` that it could be about");
    }
    on_listeners(translation, "protocol", |_| true)
}

/// For an option that has been written to every listener it is about: the first of them is its place.
pub(super) fn on_listeners(
    translation: &Translation<'_>,
    key: &str,
    is_about: impl Fn(&str) -> bool,
) -> Outcome {
    let text = |section, key| translation.draft.get(section, key).and_then(Value::as_str);
    let mut listeners = translation.draft.all("listen").into_iter();
    let first = listeners.find(|section| {
        text(*section, "address").is_some_and(&is_about)
            && translation.draft.get(*section, key).is_some()
    });
    let value = first.and_then(|section| translation.draft.get(section, key));
    match first.zip(value) {
        Some((section, value)) => Outcome::kept(section, "listen", key, value),
        None => Outcome::not_needed("no socket is left that it could be about"),
    }
}
