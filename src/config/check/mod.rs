//! Rules that hold between values: what each value alone cannot know.
//!
//! A value that exists is well formed (`value`), so the rules here are about ranges, company and absence. They look
//! at nothing but the settings: whether a directory exists or a name resolves shows when it is needed.

mod app;
mod listen;

use std::{fmt::Display, ops::RangeInclusive};

use super::{
    error::{Part, Problem},
    schema::{Http, Settings, Timeouts, Uwsgi, Workers},
    value::{ByteSize, TimeSpan},
};

impl Settings {
    /// Holds the settings against every rule, and gives the first that is broken.
    pub(super) fn check(&self) -> Result<(), Problem> {
        app::check(&self.app)?;
        listen::check(&self.listen)?;
        http(&self.http)?;
        uwsgi(&self.uwsgi)?;
        workers(&self.workers)?;
        timeouts(&self.timeouts)
    }
}

fn http(http: &Http) -> Result<(), Problem> {
    let defaults = Http::default();
    within(
        ["http", "buffer-size"],
        http.buffer_size,
        ByteSize(1 << 10)..=ByteSize(1 << 20),
    )?;
    not_zero(
        ["http", "header-timeout"],
        http.header_timeout,
        defaults.header_timeout,
    )?;
    not_zero(
        ["http", "body-timeout"],
        http.body_timeout,
        defaults.body_timeout,
    )?;
    not_zero(
        ["http", "send-timeout"],
        http.send_timeout,
        defaults.send_timeout,
    )
}

fn uwsgi(uwsgi: &Uwsgi) -> Result<(), Problem> {
    within(
        ["uwsgi", "buffer-size"],
        uwsgi.buffer_size,
        ByteSize(4 << 10)..=ByteSize(64 << 10),
    )
}

fn workers(workers: &Workers) -> Result<(), Problem> {
    within(["workers", "processes"], workers.processes, 1..=1024)?;
    within(["workers", "threads"], workers.threads, 1..=1024)?;
    if workers.thread_stack == ByteSize(0) {
        return Ok(());
    }
    let sizes = ByteSize(64 << 10)..=ByteSize(1 << 30);
    within(["workers", "thread-stack"], workers.thread_stack, sizes)
}

fn timeouts(timeouts: &Timeouts) -> Result<(), Problem> {
    let defaults = Timeouts::default();
    not_zero(["timeouts", "socket"], timeouts.socket, defaults.socket)?;
    not_zero(["timeouts", "start"], timeouts.start, defaults.start)
}

fn within<T: PartialOrd + Display>(
    key: [&str; 2],
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), Problem> {
    if range.contains(&value) {
        return Ok(());
    }
    let (from, to) = range.into_inner();
    Err(problem(
        &key,
        Part::Value,
        format!("`{}` goes from {from} to {to}, not {value}", key[1]),
    ))
}

fn not_zero(key: [&str; 2], value: TimeSpan, default: TimeSpan) -> Result<(), Problem> {
    if !value.0.is_zero() {
        return Ok(());
    }
    let message = format!(
        "`{}` leaves no time at all; write for example \"{default}\"",
        key[1]
    );
    Err(problem(&key, Part::Value, message))
}

/// A broken rule, and the key to point at.
fn problem(key: &[&str], part: Part, message: impl Into<String>) -> Problem {
    Problem {
        key: key.iter().map(|&name| name.to_owned()).collect(),
        part,
        message: message.into(),
    }
}
