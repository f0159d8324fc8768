//! Plugins and modifiers: what they did is built in, or is of another language.

use super::{super::options::refusals, Applied, Outcome, Topic, engine::Translation, value};

pub(in crate::convert::uwsgi) static PLUGINS: Topic = Topic {
    documentation: "not needed for Python, HTTP, CGI and logs; other languages are not possible",
    slot: None,
    early: false,
    run: plugins,
};

pub(in crate::convert::uwsgi) static MODIFIER: Topic = Topic {
    documentation: "not needed for Python (0, 30) and CGI (9); other languages are not possible",
    slot: None,
    early: false,
    run: modifier,
};

/// Plugins whose work is done without them.
const BUILT_IN: [&str; 33] = [
    "0",
    "alarm",
    "asyncio",
    "cache",
    "cgi",
    "cheaper_backlog2",
    "cheaper_busyness",
    "corerouter",
    "cron",
    "dumbloop",
    "fd",
    "file",
    "gevent",
    "greenlet",
    "http",
    "logfile",
    "logpipe",
    "logsocket",
    "notfound",
    "ping",
    "python",
    "router_",
    "rpc",
    "rsyslog",
    "rrdtool",
    "signal",
    "spooler",
    "stats_pusher",
    "syslog",
    "systemd_logger",
    "transformation_",
    "ugreen",
    "zergpool",
];

fn plugins(_: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    let names = text
        .split([',', ' '])
        .map(str::trim)
        .filter(|name| !name.is_empty());
    for name in names {
        if let Some(outcome) = plugin(name) {
            return outcome;
        }
    }
    Outcome::not_needed("there are no plugins; what they did is built in")
}

/// What a plugin means that is not built in.
fn plugin(name: &str) -> Option<Outcome> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.trim_end_matches("_plugin.so");
    if name.starts_with("python2") {
        let instead = "Python 3.9 or newer; 2to3 and python-modernize show what has to change";
        let outcome = Outcome::not_possible("Python 2 is not supported", instead);
        return Some(outcome);
    }
    let other = [
        ("php", &refusals::PHP),
        ("psgi", &refusals::PERL),
        ("rack", &refusals::RUBY),
        ("ruby", &refusals::RUBY),
        ("lua", &refusals::LUA),
        ("jvm", &refusals::JVM),
        ("jwsgi", &refusals::JVM),
        ("ring", &refusals::CLOJURE),
        ("mono", &refusals::MONO),
        ("gccgo", &refusals::GO),
        ("go", &refusals::GO),
        ("v8", &refusals::V8),
        ("pypy", &refusals::PYPY),
        ("tornado", &refusals::TORNADO),
        ("webdav", &refusals::WEBDAV),
        ("xslt", &refusals::XSLT),
        ("symcall", &refusals::C_SYMBOL),
        ("forkptyrouter", &refusals::PTY),
        ("pty", &refusals::PTY),
        ("tuntap", &refusals::TUNTAP),
        ("carbon", &refusals::CARBON),
        ("emperor_", &refusals::CONFIG_SOURCE),
        ("ldap", &refusals::LDAP),
    ];
    if BUILT_IN.iter().any(|known| name.starts_with(known)) || value::is_template(name) {
        return None;
    }
    let found = other.iter().find(|(prefix, _)| name.starts_with(prefix));
    found.map(|(_, refusal)| Outcome::refused(refusal))
}

fn modifier(_: &mut Translation<'_>, option: &Applied) -> Outcome {
    match value::text(&option.value).value.as_str() {
        "" | "0" | "30" => Outcome::not_needed("requests go to the application anyway"),
        "9" => Outcome::not_needed("`[[cgi]]` says which requests run a program"),
        _ => Outcome::refused(&refusals::MODIFIER),
    }
}
