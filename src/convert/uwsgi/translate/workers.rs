//! Workers: what runs the application in them, and how their number adapts.

use super::{
    super::options::{Kind, refusals},
    Applied, Outcome, Topic,
    engine::Translation,
    typed,
    value::{self, Read},
};

pub(in crate::convert::uwsgi) static GEVENT: Topic = Topic {
    documentation: "kept: `workers.loop = \"gevent\"`, `workers.concurrency` and `timeouts.socket`",
    slot: Some("gevent"),
    early: true,
    run: gevent,
};

pub(in crate::convert::uwsgi) static LOOP: Topic = Topic {
    documentation: "kept: `workers.loop`, for gevent",
    slot: Some("loop"),
    early: true,
    run: event_loop,
};

pub(in crate::convert::uwsgi) static ASYNC: Topic = Topic {
    documentation: "kept: `workers.concurrency`, for gevent",
    slot: Some("async"),
    early: false,
    run: concurrency,
};

pub(in crate::convert::uwsgi) static ALGORITHM: Topic = Topic {
    documentation: "kept: `workers.cheaper.algorithm`",
    slot: Some("cheaper-algo"),
    early: false,
    run: algorithm,
};

pub(in crate::convert::uwsgi) static IDLE: Topic = Topic {
    documentation: "kept: `workers.cheaper.idle`, with `exit-on-idle` where no workers stay",
    slot: Some("idle"),
    early: false,
    run: idle,
};

const GREEN_PATIENCE: &str = "30s";

fn gevent(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = match value::number(&option.value, Kind::Count) {
        Ok(read) => read,
        Err(unread) => return translation.no_number(option, "workers.concurrency", &unread),
    };
    if value == 0 {
        return Outcome::not_needed("it was off");
    }
    let outcome = translation.keep("workers", "loop", "gevent");
    let number = i64::try_from(value).unwrap_or(i64::MAX);
    translation.keep("workers", "concurrency", number);
    let outcome = outcome
        .notes(notes)
        .note(format!("with workers.concurrency = {value}"));
    let outcome = match is_patched(translation) {
        true => outcome,
        false => outcome.note(
            "the standard library is patched, which uWSGI does with `gevent-monkey-patch` alone",
        ),
    };
    with_patience(translation, outcome)
}

fn is_patched(translation: &Translation<'_>) -> bool {
    ["gevent-monkey-patch", "gevent-early-monkey-patch"]
        .iter()
        .any(|name| translation.is_on(name))
}

/// uWSGI raises `socket-timeout` to half a minute where there are greenlets, because those that wait cost little.
fn with_patience(translation: &mut Translation<'_>, outcome: Outcome) -> Outcome {
    if translation.last("socket-timeout").is_some() {
        return outcome;
    }
    translation.keep("timeouts", "socket", GREEN_PATIENCE);
    outcome.note(format!(
        "and timeouts.socket = \"{GREEN_PATIENCE}\", to which uWSGI raises `socket-timeout`"
    ))
}

fn event_loop(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    match value::text(&option.value).value.as_str() {
        "gevent" => translation.keep("workers", "loop", "gevent"),
        "simple" | "" => Outcome::not_needed("threads are what runs the application anyway"),
        _ => Outcome::refused(&refusals::ASYNC),
    }
}

fn concurrency(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let number = value::number(&option.value, Kind::Count).map(|read| read.value);
    let section = translation.draft.section("workers");
    let is_gevent = translation.draft.get(section, "loop").is_some();
    match number {
        Ok(0 | 1) => Outcome::not_needed("one request at a time is what a thread does"),
        Ok(_) if translation.last("gevent").is_some() => {
            Outcome::not_needed("`gevent` says how many")
        }
        Ok(number) if is_gevent => {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            translation.keep("workers", "concurrency", number)
        }
        _ => Outcome::refused(&refusals::ASYNC),
    }
}

fn algorithm(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    let (algorithm, is_same) = match value.as_str() {
        "" => return Outcome::not_needed("it names none"),
        "spare" => ("spare", true),
        "spare2" => ("spare", false),
        "backlog" => ("backlog", true),
        "backlog2" => ("backlog", false),
        "busyness" => ("busyness", true),
        _ => {
            let why = format!("`{value}` is none of spare, backlog and busyness");
            return translation.unread(option, "workers.cheaper.algorithm", why);
        }
    };
    let outcome = translation
        .keep("workers.cheaper", "algorithm", algorithm)
        .notes(notes);
    match is_same {
        true => outcome,
        false => outcome.note(format!("`{algorithm}` is the nearest to `{value}`")),
    }
}

/// uWSGI stops all workers; with systemd's socket the whole service ends, and the next connection starts it.
fn idle(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let read = match value::number(&option.value, Kind::Seconds) {
        Ok(read) => read,
        Err(unread) => return translation.no_number(option, "workers.cheaper.idle", &unread),
    };
    if read.value == 0 {
        return Outcome::not_needed("it was off");
    }
    let outcome = translation.keep("workers.cheaper", "idle", typed::seconds(read.value));
    let outcome = outcome.notes(read.notes);
    if translation.last("cheaper").is_some() || translation.is_on("die-on-idle") {
        return outcome;
    }
    translation.keep("workers.cheaper", "exit-on-idle", true);
    outcome.note("the service ends, and the next connection to its socket starts it again")
}
