//! What uWSGI did beside serving: statistics, caches, commands for files that change.

use super::{
    super::options::refusals,
    Applied, Outcome, Topic,
    engine::Translation,
    value::{self, Read},
};

pub(in crate::convert::uwsgi) static STATS: Topic = Topic {
    documentation: "kept: `stats.address`",
    slot: Some("stats"),
    early: false,
    run: stats,
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

fn stats(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    let (address, doubt) = super::sockets::address(translation, &value);
    match doubt {
        None => translation.keep("stats", "address", address).notes(notes),
        Some(doubt) => translation.unread(option, "stats.address", doubt),
    }
}

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
