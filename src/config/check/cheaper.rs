//! The rules of `[workers.cheaper]`.

use super::{problem, within};
use crate::config::{
    error::{Part, Problem},
    schema::Cheaper,
    value::ByteSize,
};

pub(super) fn check(cheaper: &Cheaper, processes: u32) -> Result<(), Problem> {
    counts(cheaper, processes)?;
    for (name, value) in [
        ("step", cheaper.step),
        ("overload", cheaper.overload),
        ("backlog", cheaper.backlog),
        ("busyness-multiplier", cheaper.busyness_multiplier),
    ] {
        within(&key(name), value, 1..=65_535)?;
    }
    within(
        &key("busyness-penalty"),
        cheaper.busyness_penalty,
        0..=65_535,
    )?;
    busyness(cheaper)?;
    memory(cheaper)?;
    idle(cheaper)
}

/// `minimum` < `processes`, and `initial` between them.
fn counts(cheaper: &Cheaper, processes: u32) -> Result<(), Problem> {
    let Cheaper {
        minimum, initial, ..
    } = *cheaper;
    if minimum >= processes {
        let message = format!(
            "`minimum` must be less than `processes` of [workers], which is {processes}, not {minimum}"
        );
        return refuse("minimum", Part::Value, message);
    }
    if initial == 0 {
        return Ok(());
    }
    if minimum == 0 {
        let message = "`initial` needs `minimum`: without it there are always `processes` workers";
        return refuse("initial", Part::Key, message.to_owned());
    }
    within(&key("initial"), initial, minimum..=processes)
}

fn busyness(cheaper: &Cheaper) -> Result<(), Problem> {
    let (min, max) = (cheaper.busyness_min, cheaper.busyness_max);
    within(&key("busyness-max"), max, 1..=100)?;
    if min < max {
        return Ok(());
    }
    let message =
        format!("`busyness-min` must be less than `busyness-max`, which is {max}, not {min}");
    refuse("busyness-min", Part::Value, message)
}

fn memory(cheaper: &Cheaper) -> Result<(), Problem> {
    let (soft, hard) = (cheaper.rss_limit_soft, cheaper.rss_limit_hard);
    if hard == ByteSize(0) || soft <= hard {
        return Ok(());
    }
    let message =
        format!("`rss-limit-hard` is {hard}, and `rss-limit-soft` ({soft}) may not be above it");
    refuse("rss-limit-hard", Part::Value, message)
}

/// What happens after the time, and the time, ask for each other.
fn idle(cheaper: &Cheaper) -> Result<(), Problem> {
    let set = !cheaper.idle.0.is_zero();
    if cheaper.exit_on_idle && !set {
        let message = "`exit-on-idle` needs `idle`; write for example idle = \"10min\"";
        return refuse("exit-on-idle", Part::Key, message.to_owned());
    }
    if set && !cheaper.exit_on_idle && cheaper.minimum == 0 {
        let message = "`idle` does nothing alone; set `minimum`, or exit-on-idle = true";
        return refuse("idle", Part::Key, message.to_owned());
    }
    Ok(())
}

fn key(name: &str) -> [&str; 3] {
    ["workers", "cheaper", name]
}

fn refuse(name: &str, part: Part, message: String) -> Result<(), Problem> {
    Err(problem(&key(name), part, message))
}
