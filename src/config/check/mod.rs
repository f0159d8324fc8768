//! Rules that hold between values: what each value alone cannot know.
//!
//! A value that exists is well formed (`value`), so the rules here are about ranges, company and absence. They look
//! at nothing but the settings: whether a directory exists or a name resolves shows when it is needed.

mod app;
mod cheaper;
mod command;
mod daemon;
mod directives;
mod limits;
mod listen;
mod log;
mod mount;
mod reload;
mod route;
mod service;
mod static_files;
mod timer;
mod tls;
mod workers;

use std::{fmt::Display, ops::RangeInclusive, os::unix::ffi::OsStrExt, path::Path};

use super::{
    error::{Part, Problem},
    schema::{Http, Settings, Timeouts, Uwsgi},
    value::{ByteSize, TimeSpan},
};

impl Settings {
    /// Whether requests have an answer although `[app]` names no application.
    fn answers_without_app(&self) -> bool {
        let files = &self.static_files;
        !self.mount.is_empty()
            || self.dynamic_apps.enabled
            || !self.cgi.is_empty()
            || !self.route.is_empty()
            || !files.check.is_empty()
            || !files.map.is_empty()
    }

    /// Holds the settings against every rule, and gives the first that is broken.
    pub(super) fn check(&self) -> Result<(), Problem> {
        app::check(&self.app, !self.answers_without_app())?;
        listen::check(&self.listen)?;
        http(&self.http)?;
        uwsgi(&self.uwsgi)?;
        mount::check(&self.mount)?;
        mount::dynamic_apps(&self.dynamic_apps)?;
        workers::check(&self.workers)?;
        limits::check(&self.limits)?;
        timeouts(&self.timeouts)?;
        reload::check(&self.reload)?;
        log::response(&self.response)?;
        static_files::check(&self.static_files)?;
        static_files::cgi(&self.cgi)?;
        route::check(&self.route)?;
        log::check(&self.log)?;
        log::reports(self)?;
        service::check(&self.service)?;
        timer::check(&self.timer)?;
        daemon::check(&self.daemon)
    }
}

fn http(http: &Http) -> Result<(), Problem> {
    let defaults = Http::default();
    within(
        &["http", "buffer-size"],
        http.buffer_size,
        ByteSize(1 << 10)..=ByteSize(1 << 20),
    )?;
    not_zero(
        &["http", "header-timeout"],
        http.header_timeout,
        defaults.header_timeout,
    )?;
    not_zero(
        &["http", "body-timeout"],
        http.body_timeout,
        defaults.body_timeout,
    )?;
    not_zero(
        &["http", "send-timeout"],
        http.send_timeout,
        defaults.send_timeout,
    )?;
    match &http.request_id_header {
        Some(header) => header_name(&["http", "request-id-header"], header),
        None => Ok(()),
    }
}

/// Fewer characters than RFC 9110 section 5.1 allows, because every server has to let them through.
fn header_name(key: &[&str], name: &str) -> Result<(), Problem> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !name.is_empty() && name.bytes().all(is_plain) {
        return Ok(());
    }
    let message =
        format!("`{name}` is not the name of a header; write for example \"X-Request-ID\"");
    Err(problem(key, Part::Value, message))
}

fn uwsgi(uwsgi: &Uwsgi) -> Result<(), Problem> {
    within(
        &["uwsgi", "buffer-size"],
        uwsgi.buffer_size,
        ByteSize(4 << 10)..=ByteSize(64 << 10),
    )
}

fn timeouts(timeouts: &Timeouts) -> Result<(), Problem> {
    let defaults = Timeouts::default();
    not_zero(&["timeouts", "socket"], timeouts.socket, defaults.socket)?;
    not_zero(&["timeouts", "start"], timeouts.start, defaults.start)
}

fn within<T: PartialOrd + Display>(
    key: &[&str],
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), Problem> {
    if range.contains(&value) {
        return Ok(());
    }
    let (from, to) = range.into_inner();
    Err(problem(
        key,
        Part::Value,
        format!("`{}` goes from {from} to {to}, not {value}", name(key)),
    ))
}

fn not_zero(key: &[&str], value: TimeSpan, default: TimeSpan) -> Result<(), Problem> {
    if !value.0.is_zero() {
        return Ok(());
    }
    let message = format!(
        "`{}` leaves no time at all; write for example \"{default}\"",
        name(key)
    );
    Err(problem(key, Part::Value, message))
}

/// The key's own name, without its sections.
fn name<'k>(key: &[&'k str]) -> &'k str {
    key.last().copied().unwrap_or_default()
}

/// A text that can be handed to another program.
fn no_nul(key: &[&str], text: &str) -> Result<(), Problem> {
    match text.contains('\0') {
        true => Err(problem(key, Part::Value, "the value cannot contain a NUL")),
        false => Ok(()),
    }
}

/// A path that the kernel takes.
fn path_text(key: &[&str], path: &Path) -> Result<(), Problem> {
    match path.as_os_str().as_bytes() {
        [] => Err(problem(
            key,
            Part::Value,
            "the path is empty; write one, or leave the key out",
        )),
        bytes if bytes.contains(&0) => {
            Err(problem(key, Part::Value, "a path cannot contain a NUL"))
        }
        _ => Ok(()),
    }
}

/// What the paths of URLs can begin with.
fn url_prefix(key: &[&str], part: Part, prefix: &str) -> Result<(), Problem> {
    match prefix.starts_with('/') && !prefix.contains(|c: char| c.is_control()) {
        true => Ok(()),
        false => {
            let message = format!(
                "`{prefix}` is not the beginning of a path; it begins with `/`, as in \"/static\""
            );
            Err(problem(key, part, message))
        }
    }
}

/// A host as clients ask for it, without a port.
fn host_name(key: &[&str], host: &str) -> Result<(), Problem> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_v6 = |host: &str| host.starts_with('[') && host.ends_with(']');
    match !host.is_empty() && (host.chars().all(is_part) || is_v6(host)) {
        true => Ok(()),
        false => {
            let message = format!(
                "`{host}` is not the name of a host; write for example \"shop.example.com\""
            );
            Err(problem(key, Part::Value, message))
        }
    }
}

/// A broken rule, and the key to point at.
fn problem(key: &[&str], part: Part, message: impl Into<String>) -> Problem {
    Problem {
        key: key.iter().map(|&name| name.to_owned()).collect(),
        part,
        message: message.into(),
    }
}
