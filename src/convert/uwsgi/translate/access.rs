//! Who may connect: modes and owners of Unix sockets; and what other options say about all sockets.

use toml::Value;

use super::{Applied, Outcome, Topic, engine::Translation, sockets::on_listeners, value};
use crate::convert::draft::Section;

pub(in crate::convert::uwsgi) static CHMOD: Topic = Topic {
    documentation: "kept: `[[listen]] mode` of Unix sockets",
    slot: Some("chmod-socket"),
    early: false,
    run: chmod,
};

pub(in crate::convert::uwsgi) static CHOWN: Topic = Topic {
    documentation: "kept: `[[listen]] owner` and `group` of Unix sockets",
    slot: Some("chown-socket"),
    early: false,
    run: chown,
};

macro_rules! about_listeners {
    ($($topic:ident $slot:literal $key:literal $run:ident)*) => {
        $(
            pub(in crate::convert::uwsgi) static $topic: Topic = Topic {
                documentation: concat!("kept: `[[listen]] ", $key, "`"),
                slot: Some($slot),
                early: false,
                run: $run,
            };

            fn $run(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
                about_listeners(translation, option, $key)
            }
        )*
    };
}

about_listeners! {
    LISTEN "listen" "backlog" listen
    FREEBIND "freebind" "freebind" freebind
    REUSE_PORT "reuse-port" "reuse-port" reuse_port
    KEEPALIVE "so-keepalive" "tcp-keepalive" keepalive
    NO_DEFER "no-defer-accept" "defer-accept" no_defer
    SEND_BUFFER "socket-sndbuf" "send-buffer" send_buffer
    RECEIVE_BUFFER "socket-rcvbuf" "receive-buffer" receive_buffer
    PROXY_PROTOCOL "proxy-protocol" "proxy-protocol" proxy_protocol
    ABSTRACT "abstract-socket" "address" abstract_socket
}

fn about_listeners(translation: &Translation<'_>, option: &Applied, key: &str) -> Outcome {
    if super::remarks::is_off(&option.value) {
        return Outcome::not_needed("it was off");
    }
    let number = value::number(&option.value, super::super::options::Kind::Bytes);
    let outcome = on_listeners(translation, key, |_| true);
    match number {
        Ok(read) => outcome.notes(read.notes),
        Err(_) => outcome,
    }
}

/// Mode and owner of a new listener, from options that may stand anywhere in the file.
pub(super) fn furnish(translation: &mut Translation<'_>, section: Section) {
    if let Some(mode) = translation
        .last("chmod-socket")
        .and_then(|option| mode(&option.value))
    {
        translation.draft.set(section, "mode", mode);
    }
    let Some(option) = translation.last("chown-socket") else {
        return;
    };
    let (owner, group) = owner(&option.value);
    if let Some(owner) = owner {
        translation.draft.set(section, "owner", owner);
    }
    if let Some(group) = group {
        translation.draft.set(section, "group", group);
    }
}

/// Three octal digits, or what uWSGI takes for 666.
fn mode(written: &str) -> Option<String> {
    let text = value::text(written).value;
    if matches!(text.as_str(), "" | "1" | "true") {
        return Some("0666".to_owned());
    }
    let digits = text.strip_prefix("0o").unwrap_or(&text);
    let mode = u32::from_str_radix(digits, 8).ok()?;
    (mode <= 0o7777 && digits.len() >= 3).then(|| format!("{:04o}", mode & 0o777))
}

/// `user:group`, either of which may be missing.
fn owner(written: &str) -> (Option<String>, Option<String>) {
    let text = value::text(written).value;
    let (owner, group) = text.split_once(':').unwrap_or((&text, ""));
    let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    (given(owner.trim()), given(group.trim()))
}

fn chmod(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    if mode(&option.value).is_none() {
        if value::is_template(&option.value) {
            return Outcome::carried("listen.mode", &option.value);
        }
        return Outcome::not_possible("it is no mode of three octal digits", "`[[listen]] mode`")
            .ask(format!(
                "`{}` is no mode; without one it is 0660",
                option.value
            ));
    }
    unix_alone(translation, "mode")
}

fn chown(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let key = match owner(&option.value) {
        (None, Some(_)) => "group",
        _ => "owner",
    };
    unix_alone(translation, key)
}

fn unix_alone(translation: &Translation<'_>, key: &str) -> Outcome {
    let sections = translation.draft.all("listen").into_iter();
    let addresses = sections.filter_map(|section| translation.draft.get(section, "address"));
    match addresses
        .filter_map(Value::as_str)
        .any(|address| address.starts_with('/'))
    {
        true => on_listeners(translation, key, |address| address.starts_with('/')),
        false => Outcome::not_needed("no socket has a file that it could be about"),
    }
}
