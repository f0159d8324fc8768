//! The log: where it goes, what of it, and in which form.

use crate::config::SyslogFacility;

use super::{
    super::options::{Kind, refusals},
    Applied, Outcome, Topic, access_format,
    engine::Translation,
    typed,
    value::{self, Read},
};

pub(in crate::convert::uwsgi) static LOGTO: Topic = Topic {
    documentation: "kept: `log.to`",
    slot: Some("logto"),
    early: false,
    run: logto,
};

pub(in crate::convert::uwsgi) static LOGGER: Topic = Topic {
    documentation: "kept: `log.to`, for files, standard error, syslog, sockets and the journal",
    slot: None,
    early: false,
    run: |translation, option| logger(translation, option, "to"),
};

pub(in crate::convert::uwsgi) static REQUEST_LOGGER: Topic = Topic {
    documentation: "kept: `log.access-to`, for files, standard error, syslog, sockets and the journal",
    slot: None,
    early: false,
    run: |translation, option| logger(translation, option, "access-to"),
};

pub(in crate::convert::uwsgi) static SYSLOG: Topic = Topic {
    documentation: "kept: `log.to = [\"syslog\"]`",
    slot: Some("log-syslog"),
    early: false,
    run: syslog,
};

pub(in crate::convert::uwsgi) static SOCKET: Topic = Topic {
    documentation: "kept: `log.to`",
    slot: None,
    early: false,
    run: log_socket,
};

pub(in crate::convert::uwsgi) static DISABLE: Topic = Topic {
    documentation: "kept: `log.access`, which is on without it",
    slot: Some("disable-logging"),
    early: true,
    run: disable,
};

pub(in crate::convert::uwsgi) static ONLY: Topic = Topic {
    documentation: "kept: `log.access-only`, together with `disable-logging`",
    slot: None,
    early: false,
    run: only,
};

pub(in crate::convert::uwsgi) static FORMAT: Topic = Topic {
    documentation: "kept: `log.access-format`",
    slot: Some("log-format"),
    early: false,
    run: format,
};

pub(in crate::convert::uwsgi) static DATE: Topic = Topic {
    documentation: "kept: `log.timestamp`",
    slot: Some("log-date"),
    early: false,
    run: date,
};

pub(in crate::convert::uwsgi) static MODE: Topic = Topic {
    documentation: "kept: `log.mode`",
    slot: Some("logfile-chmod"),
    early: false,
    run: mode,
};

/// Files that are the terminal or the log of a container.
const TERMINAL: [&str; 8] = [
    "/dev/stdout",
    "/dev/stderr",
    "/dev/fd/1",
    "/dev/fd/2",
    "/proc/1/fd/1",
    "/proc/1/fd/2",
    "/proc/self/fd/1",
    "/proc/self/fd/2",
];

/// Options that can name a log file.
const FILES: [&str; 8] = [
    "daemonize",
    "daemonize2",
    "logger",
    "logger-req",
    "logto",
    "logto2",
    "req-logger",
    "worker-logger",
];

/// What uWSGI writes in front of its lines by default.
const CTIME: &str = "%a %b %e %H:%M:%S %Y";

fn logto(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    if value.is_empty() || value == "true" || value == "1" {
        return Outcome::not_needed("the log goes to the journal, or to standard error");
    }
    let target = place(translation, &value);
    let outcome = to(translation, "to", &target).notes(notes);
    match option.name.starts_with("daemonize") {
        true => {
            outcome.note("systemd keeps the process; there is nothing to put into the background")
        }
        false => outcome,
    }
}

/// A file, or `host:port` for datagrams.
fn place(translation: &Translation<'_>, value: &str) -> String {
    if TERMINAL.contains(&value) {
        return "stderr".to_owned();
    }
    let is_peer = |(host, port): (&str, &str)| !host.contains('/') && port.parse::<u16>().is_ok();
    match value.rsplit_once(':').is_some_and(is_peer) {
        true => format!("udp:{value}"),
        false => format!("file:{}", translation.absolute(value)),
    }
}

/// Adds a target, and lets the site write to the directory of a file.
fn to(translation: &mut Translation<'_>, key: &str, target: &str) -> Outcome {
    let section = translation.draft.section("log");
    let known = translation.draft.get(section, key);
    let known = known.and_then(toml::Value::as_array);
    if known.is_some_and(|known| known.contains(&toml::Value::from(target))) {
        return Outcome::not_needed("the log goes there already");
    }
    let outcome = translation.gather("log", key, target);
    match target.strip_prefix("file:") {
        Some(path) => {
            writable(translation, path);
            outcome.note(
                "the user of the site has to be able to write there; uWSGI opened the file as root",
            )
        }
        None => outcome,
    }
}

/// The sandbox lets a site write to its own directories alone, so that others are named.
fn writable(translation: &mut Translation<'_>, file: &str) {
    let Some((directory, _)) = file.rsplit_once('/') else {
        return;
    };
    let own = [
        "/dev",
        "/tmp",
        "/var/tmp",
        "/var/log/hostler",
        "/run/hostler",
    ];
    if directory.is_empty() || own.iter().any(|own| directory.starts_with(own)) {
        return;
    }
    let section = translation.draft.section("service");
    let known = translation.draft.get(section, "read-write-paths");
    let directory = toml::Value::from(directory);
    let is_there = known
        .and_then(toml::Value::as_array)
        .is_some_and(|list| list.contains(&directory));
    if !is_there {
        translation
            .draft
            .push(section, "read-write-paths", directory);
    }
}

/// `[id ]kind[:arguments]`
fn logger(translation: &mut Translation<'_>, option: &Applied, key: &str) -> Outcome {
    let text = value::text(&option.value).value;
    let (head, arguments) = text.split_once(':').unwrap_or((&text, ""));
    let kind = head.rsplit(' ').next().unwrap_or(head);
    let target = match kind {
        "file" => {
            let path = part(arguments, "logfile").unwrap_or(arguments);
            size(translation, arguments);
            place(translation, path.split(',').next().unwrap_or(path))
        }
        "stdio" | "fd" => "stderr".to_owned(),
        "systemd" => "journal".to_owned(),
        "syslog" => {
            speaker(translation, arguments);
            "syslog".to_owned()
        }
        "rsyslog" => {
            let (peer, speaks) = arguments.split_once(',').unwrap_or((arguments, ""));
            speaker(translation, speaks);
            match peer.contains(':') {
                true => format!("syslog:{peer}"),
                false => format!("syslog:{peer}:514"),
            }
        }
        "socket" => socket_place(translation, arguments),
        _ if arguments.is_empty() && kind.contains('/') => place(translation, kind),
        _ if value::is_template(&text) => return Outcome::carried(&format!("log.{key}"), &text),
        _ => {
            let instead = "`log.to`, or a log collector that reads the journal";
            return Outcome::not_possible("this kind of logger is not there", instead);
        }
    };
    let outcome = to(translation, key, &target);
    match head.contains(' ') {
        true => outcome
            .note("it had a name that other options could send entries to; it gets all of them"),
        false => outcome,
    }
}

/// `name=value` among parts with commas between them.
fn part<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(known, _)| *known == name);
    found.next().map(|(_, value)| value)
}

/// `maxsize=` of a file logger.
fn size(translation: &mut Translation<'_>, arguments: &str) {
    let size = part(arguments, "maxsize").and_then(|text| value::number(text, Kind::Bytes).ok());
    if let Some(size) = size {
        let section = translation.draft.section("log");
        translation
            .draft
            .set(section, "max-size", typed::bytes(size.value));
    }
}

/// `[identifier[,facility]]`
fn syslog(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    if !["", "1", "true"].contains(&text.as_str()) {
        speaker(translation, &text);
    }
    to(translation, "to", "syslog")
}

/// Who speaks to syslog, `identifier[,facility]`; rsyslog has a number in place of the facility, which has the importance
/// in it.
fn speaker(translation: &mut Translation<'_>, text: &str) {
    let (identifier, facility) = text.split_once(',').unwrap_or((text, ""));
    let section = translation.draft.section("log");
    let known = SyslogFacility::ALL.into_iter().find(|known| {
        let number = facility.parse::<u8>().ok().map(|number| number / 8);
        known.name() == facility || number == Some(known.number())
    });
    if let Some(known) = known {
        translation
            .draft
            .set(section, "syslog-facility", known.name());
    }
    if !identifier.is_empty() {
        translation
            .draft
            .set(section, "syslog-identifier", identifier);
    }
}

/// `address[,prefix]`
fn log_socket(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    let target = socket_place(translation, &text);
    let outcome = to(translation, "to", &target);
    match text.contains(',') {
        true => outcome.note("the text in front of each entry is left out"),
        false => outcome,
    }
}

fn socket_place(translation: &Translation<'_>, arguments: &str) -> String {
    let address = arguments.split(',').next().unwrap_or_default();
    match address.contains(':') && !address.starts_with('/') {
        true => format!("udp:{address}"),
        false => format!("unix:{}", translation.absolute(address)),
    }
}

fn disable(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::flag(&option.value);
    let filtered = translation
        .each(&FILTERS)
        .any(|option| !super::remarks::is_off(&option.value));
    let outcome = translation
        .keep("log", "access", !value || filtered)
        .notes(notes);
    match value && filtered {
        true => outcome.note("requests are logged that `access-only` names"),
        false => outcome,
    }
}

/// What is logged in spite of `disable-logging`.
const FILTERS: [&str; 7] = [
    "log-4xx",
    "log-5xx",
    "log-big",
    "log-ioerror",
    "log-sendfile",
    "log-slow",
    "log-zero",
];

fn only(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    if !translation.is_on("disable-logging") {
        return Outcome::not_needed("every request is logged");
    }
    let number = value::number(&option.value, Kind::Count).map(|read| read.value);
    let filter = match (option.name.as_str(), number) {
        _ if super::remarks::is_off(&option.value) => return Outcome::not_needed("it was off"),
        ("log-4xx", _) => "4xx".to_owned(),
        ("log-5xx", _) => "5xx".to_owned(),
        ("log-slow", Ok(number)) => format!("slower-than {number}ms"),
        ("log-big", Ok(number)) => format!("larger-than {}", typed::bytes(number)),
        _ => return Outcome::refused(&refusals::LOG_ROUTES),
    };
    translation.gather("log", "access-only", filter)
}

fn format(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = option.value.trim();
    let text = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let date = translation
        .last("log-date")
        .map(|option| option.value.trim());
    let date = date.filter(|date| date.contains('%'));
    let mut names = ["log-format-strftime", "logformat-strftime"].into_iter();
    let keeps_time = names.any(|name| translation.is_on(name)) && text.contains("%(ftime)");
    let date = date.filter(|_| keeps_time);
    if let Some(date) = date {
        let section = translation.draft.section("log");
        translation.draft.set(section, "timestamp", date);
    }
    let converted = access_format::convert(text, date.is_some());
    let outcome = translation.keep("log", "access-format", converted.text);
    match converted.unknown.as_slice() {
        [] => outcome,
        unknown => outcome.note(format!(
            "a dash stands for {}: an entry has no variables of the application's, and no metrics",
            unknown.join(" and ")
        )),
    }
}

fn date(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = option.value.trim();
    if super::remarks::is_off(text) {
        return Outcome::not_needed("it was off");
    }
    let mut places = translation.each(&FILES);
    if !places.any(|option| option.value.contains('/')) {
        return Outcome::not_needed(
            "there is no log file, and the journal has the time of every entry",
        );
    }
    let is_on = ["", "true", "1", "on", "yes"].contains(&text.to_ascii_lowercase().as_str());
    let format = if is_on { CTIME } else { text };
    translation.keep("log", "timestamp", format)
}

fn mode(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    match u32::from_str_radix(&text, 8) {
        Ok(mode) if mode <= 0o777 => translation.keep("log", "mode", format!("{mode:04o}")),
        _ => translation.unread(option, "log.mode", "it is no mode of three octal digits"),
    }
}
