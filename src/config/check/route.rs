//! The rules of `[[route]]`.

use super::{no_nul, path_text, problem, within};
use crate::config::{
    error::{Part, Problem},
    schema::Route,
};

/// RFC 9110 section 15.4: those that lead somewhere else by `Location`.
const REDIRECTIONS: [u16; 5] = [301, 302, 303, 307, 308];

pub(super) fn check(routes: &[Route]) -> Result<(), Problem> {
    for (number, route) in routes.iter().enumerate() {
        let section = number.to_string();
        let key = |name| ["route", section.as_str(), name];
        actions(&section, route)?;
        for (number, method) in route.method.iter().enumerate() {
            method_name(&["route", &section, "method", &number.to_string()], method)?;
        }
        if let Some(url) = &route.redirect {
            location(&key("redirect"), url)?;
            groups(&key("redirect"), route, url)?;
        }
        if let Some(path) = &route.rewrite {
            rewritten(&key("rewrite"), path)?;
            groups(&key("rewrite"), route, path)?;
        }
        if let Some(file) = &route.static_file {
            path_text(&key("static"), file)?;
        }
        if let Some(status) = route.deny {
            within(&key("deny"), status, 400..=599)?;
        }
        for (name, value) in &route.env {
            variable(&["route", &section, "env", name], name, value)?;
            groups(&["route", &section, "env", name], route, value)?;
        }
    }
    Ok(())
}

/// Something is done, and the request is answered at most once.
fn actions(section: &str, route: &Route) -> Result<(), Problem> {
    let answers = [
        ("redirect", route.redirect.is_some()),
        ("static", route.static_file.is_some()),
        ("deny", route.deny.is_some()),
        ("rewrite", route.rewrite.is_some()),
    ];
    let mut answers = answers.iter().filter(|(_, given)| *given);
    let first = answers.next();
    if let (Some((first, _)), Some((second, _))) = (first, answers.next()) {
        let message = format!("`{first}` and `{second}` exclude each other; keep one");
        return Err(problem(&["route", section, second], Part::Key, message));
    }
    let does_something = first.is_some()
        || !route.log
        || route.last
        || !route.add_headers.is_empty()
        || !route.remove_headers.is_empty()
        || !route.env.is_empty();
    if !does_something {
        let message =
            "a route that does nothing; write for example redirect = \"/new\", or deny = 403";
        return Err(problem(&["route", section], Part::Value, message));
    }
    status(section, route)
}

fn status(section: &str, route: &Route) -> Result<(), Problem> {
    let status = route.status;
    let key = ["route", section, "status"];
    if !REDIRECTIONS.contains(&status) {
        let message = format!("`status` is 301, 302, 303, 307 or 308, not {status}");
        return Err(problem(&key, Part::Value, message));
    }
    match route.redirect.is_none() && status != 302 {
        true => {
            let message = "`status` is that of `redirect`, which is not set";
            Err(problem(&key, Part::Key, message))
        }
        false => Ok(()),
    }
}

/// RFC 9110 section 9.1: a token, and upper case is not lower case.
fn method_name(key: &[&str], method: &str) -> Result<(), Problem> {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || b"-_".contains(&byte);
    if !method.is_empty() && method.bytes().all(is_part) {
        return Ok(());
    }
    let message = format!("`{method}` is not a method; write for example \"POST\"");
    Err(problem(key, Part::Value, message))
}

fn location(key: &[&str], url: &str) -> Result<(), Problem> {
    match url.is_empty() || url.contains(|c: char| c.is_control() || c == ' ') {
        true => {
            let message =
                format!("`{url}` is not a URL; write for example \"https://www.example.com/$1\"");
            Err(problem(key, Part::Value, message))
        }
        false => Ok(()),
    }
}

fn rewritten(key: &[&str], path: &str) -> Result<(), Problem> {
    match path.starts_with('/') && !path.contains(|c: char| c.is_control() || c == '#') {
        true => Ok(()),
        false => {
            let message =
                format!("`{path}` is not the path of a URL; write for example \"/new/$1\"");
            Err(problem(key, Part::Value, message))
        }
    }
}

fn variable(key: &[&str], name: &str, value: &str) -> Result<(), Problem> {
    if name.is_empty() || name.contains(['=', '\0']) {
        let message = format!("`{name}` is not the name of a variable");
        return Err(problem(key, Part::Key, message));
    }
    no_nul(key, value)
}

/// `$1` is the first group of `path`, which has to have one.
fn groups(key: &[&str], route: &Route, template: &str) -> Result<(), Problem> {
    // The first group of an expression is the whole.
    let known = route
        .path
        .as_ref()
        .map_or(0, |path| path.regex().captures_len() - 1);
    let named = template.split('$').skip(1);
    let named = named.filter_map(|rest| rest.chars().next()?.to_digit(10));
    match named.max().unwrap_or(0) {
        most if most as usize <= known => Ok(()),
        most => {
            let groups = if known == 1 { "group" } else { "groups" };
            let message = format!(
                "`${most}` is a group of `path`, which has {known} {groups} in round brackets"
            );
            Err(problem(key, Part::Value, message))
        }
    }
}
