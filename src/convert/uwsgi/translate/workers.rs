//! Workers: loops, adapting to load, and what is held in memory.

use super::{
    super::options::{Kind, refusals},
    Applied, Outcome, Topic,
    engine::Translation,
    typed,
    value::{self, Read},
};

pub(in crate::convert::uwsgi) static GEVENT: Topic = Topic {
    documentation: "kept: `workers.loop = \"gevent\"` and `workers.concurrency`",
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

pub(in crate::convert::uwsgi) static BUFFER: Topic = Topic {
    documentation: "kept: `uwsgi.buffer-size` and `http.buffer-size`, where it is more than they are",
    slot: Some("buffer-size"),
    early: false,
    run: buffer,
};

pub(in crate::convert::uwsgi) static POST_BUFFERING: Topic = Topic {
    documentation: "kept: `request.post-buffering` and `request.spool-above`",
    slot: Some("post-buffering"),
    early: false,
    run: post_buffering,
};

pub(in crate::convert::uwsgi) static HTTP_TIMEOUT: Topic = Topic {
    documentation: "kept: `http.body-timeout` and `http.send-timeout`",
    slot: Some("http-timeout"),
    early: false,
    run: http_timeout,
};

pub(in crate::convert::uwsgi) static HTTP_KEEPALIVE: Topic = Topic {
    documentation: "kept: `http.keep-alive`",
    slot: Some("http-keepalive"),
    early: false,
    run: http_keepalive,
};

pub(in crate::convert::uwsgi) static STATS: Topic = Topic {
    documentation: "kept: `stats.address`",
    slot: Some("stats"),
    early: false,
    run: stats,
};

pub(in crate::convert::uwsgi) static TOUCH_EXEC: Topic = Topic {
    documentation: "not possible: a unit with `PathChanged=` (systemd.path(5)) runs a command when a file changes",
    slot: None,
    early: false,
    run: |_, _| {
        let instead = "a .path unit with `PathChanged=`";
        let why = "files whose change runs a command are systemd's business";
        Outcome::not_possible(why, instead)
    },
};

/// The addresses that a router passes requests on to.
pub(in crate::convert::uwsgi) static HTTP_TO: Topic = Topic {
    documentation: "not needed for the site's own socket; other servers are not possible",
    slot: None,
    early: false,
    run: http_to,
};

pub(in crate::convert::uwsgi) static CACHE: Topic = Topic {
    documentation: "not possible, but for the cache of paths, which is not needed; instead: Redis or Valkey",
    slot: None,
    early: false,
    run: cache,
};

pub(in crate::convert::uwsgi) static CARBON: Topic = Topic {
    documentation: "not possible, and not needed without `carbon`; instead: `[metrics] address` and an agent",
    slot: None,
    early: false,
    run: |translation, _| match translation.last("carbon") {
        Some(_) => Outcome::refused(&refusals::CARBON),
        None => Outcome::not_needed("without `carbon` nothing was sent"),
    },
};

/// A cache that only static files use has nothing to do.
fn cache(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let mut parts = option.value.split(',');
    let name = parts.find_map(|part| part.trim().strip_prefix("name="));
    let of_paths = translation.last("static-cache-paths-name");
    match of_paths.is_some_and(|of_paths| Some(of_paths.value.as_str()) == name) {
        true => Outcome::not_needed("only paths of static files were kept in it"),
        false => Outcome::refused(&refusals::CACHE),
    }
}

fn http_to(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let target = value::text(&option.value).value;
    let (target, _) = super::sockets::address(translation, &target);
    match super::sockets::same_address(translation, &target) {
        Some(_) => Outcome::not_needed("it is a socket of the site itself"),
        None => Outcome::refused(&refusals::HTTP_PROXY),
    }
}

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
    outcome
        .notes(notes)
        .note(format!("with workers.concurrency = {value}"))
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

/// The largest packet and head that hostler takes without a key, and at all.
const PACKET: (u64, u64) = (32 << 10, 64 << 10);
const HEAD: (u64, u64) = (64 << 10, 1 << 20);

fn buffer(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let read = match value::number(&option.value, Kind::Bytes) {
        Ok(read) => read,
        Err(unread) => return translation.no_number(option, "uwsgi.buffer-size", &unread),
    };
    let size = read.value.next_multiple_of(1 << 10);
    if size <= PACKET.0 {
        return Outcome::not_needed("packets of 32K and heads of 64K are taken anyway")
            .notes(read.notes);
    }
    let outcome = translation.keep("uwsgi", "buffer-size", typed::bytes(size.min(PACKET.1)));
    if size > HEAD.0 {
        translation.keep("http", "buffer-size", typed::bytes(size.min(HEAD.1)));
    }
    let outcome = outcome.notes(read.notes);
    match size > PACKET.1 {
        true => outcome
            .note("the uwsgi protocol cannot say more than 64K; heads of HTTP may have up to 1M"),
        false => outcome,
    }
}

/// uWSGI takes in every body before the application runs, and those from this size on go to a file.
fn post_buffering(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let read = match value::number(&option.value, Kind::Bytes) {
        Ok(read) => read,
        Err(unread) => return translation.no_number(option, "request.post-buffering", &unread),
    };
    if read.value == 0 {
        return Outcome::not_needed("it was off");
    }
    let most = translation.last("limit-post");
    let most = most.and_then(|option| value::number(&option.value, Kind::Bytes).ok());
    let most = most.map_or(1 << 30, |read| read.value.max(1));
    translation.keep("request", "spool-above", typed::bytes(read.value));
    translation
        .keep("request", "post-buffering", typed::bytes(most))
        .notes(read.notes)
        .note("as in uWSGI bodies are read before the application runs, and larger ones wait in a file (request.spool-above)")
}

fn http_timeout(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let read = match value::number(&option.value, Kind::Seconds) {
        Ok(read) if read.value > 0 => read,
        Ok(_) => return Outcome::not_needed("there is no time without end"),
        Err(unread) => return translation.no_number(option, "http.body-timeout", &unread),
    };
    translation.keep("http", "send-timeout", typed::seconds(read.value));
    let outcome = translation.keep("http", "body-timeout", typed::seconds(read.value));
    let outcome = outcome.notes(read.notes);
    match translation.last("harakiri") {
        Some(_) => outcome,
        None => outcome.note(
            "uWSGI also gave up a request for which the application took longer; `limits.harakiri` does that here",
        ),
    }
}

fn http_keepalive(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    if super::engine::is_off(&text) {
        return translation.keep("http", "keep-alive", "0");
    }
    match value::number(&text, Kind::Seconds) {
        Ok(read) if read.value > 1 => {
            let seconds = typed::seconds(read.value);
            translation
                .keep("http", "keep-alive", seconds)
                .notes(read.notes)
        }
        _ => Outcome::not_needed("connections are kept alive anyway"),
    }
}

fn stats(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    let (address, doubt) = super::sockets::address(translation, &value);
    match doubt {
        None => translation.keep("stats", "address", address).notes(notes),
        Some(doubt) => translation.unread(option, "stats.address", doubt),
    }
}
