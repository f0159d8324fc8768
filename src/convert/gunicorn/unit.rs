//! A systemd unit that starts gunicorn: its command line, and what it says of the service.
//!
//! As much of systemd.syntax(7) and of the command lines of systemd.service(5) as such units use.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use super::{GunicornError, command, words};

/// Bytes of a unit that are read.
const MAX_UNIT: u64 = 1 << 20;

/// A unit.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub(super) path: PathBuf,
    /// Every assignment, in the order of the file.
    pub(super) lines: Vec<Line>,
    /// The command that starts gunicorn, expanded.
    pub(super) command: Vec<String>,
    /// Where that stands, from 1.
    pub(super) command_line: u32,
    /// Of `Environment=`, with the line of each.
    pub(super) environment: Vec<(String, String, u32)>,
    /// Of `WorkingDirectory=`.
    pub(super) directory: Option<String>,
    /// What is to be looked at, with its line.
    pub(super) doubts: Vec<(u32, String)>,
    /// The socket unit that listens for it, when that lies beside it.
    pub(super) socket: Option<Socket>,
}

/// A socket unit.
#[derive(Debug, Default)]
pub(super) struct Socket {
    pub(super) path: PathBuf,
    /// Every assignment, in the order of the file.
    pub(super) lines: Vec<Line>,
}

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) value: String,
    /// From 1.
    pub(super) number: u32,
}

/// Reads a unit, and the socket unit beside it that it belongs to.
///
/// # Errors
/// It cannot be read, or nothing in it starts gunicorn.
pub(super) fn read(path: &Path) -> Result<Unit, GunicornError> {
    let mut unit = parse(&text_of(path)?);
    unit.path = path.to_owned();
    if unit.command.is_empty() {
        return Err(GunicornError::Unit {
            path: path.to_owned(),
        });
    }
    let socket = unit.sockets().into_iter().find(|socket| socket.is_file());
    if let Some(path) = socket {
        unit.socket = Some(Socket {
            lines: assignments(&text_of(&path)?),
            path,
        });
    }
    Ok(unit)
}

fn text_of(path: &Path) -> Result<String, GunicornError> {
    let unreadable = |source| GunicornError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_UNIT)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn parse(text: &str) -> Unit {
    let mut unit = Unit {
        lines: assignments(text),
        ..Unit::default()
    };
    let service = |line: &&Line| line.section == "Service";
    let lines = unit.lines.clone();
    for line in lines.iter().filter(service) {
        match line.key.as_str() {
            "Environment" if line.value.is_empty() => unit.environment.clear(),
            "Environment" => {
                let pairs = words::split(&line.value).unwrap_or_default();
                let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
                let pairs =
                    pairs.map(|(name, value)| (name.to_owned(), value.to_owned(), line.number));
                unit.environment.extend(pairs);
            }
            "WorkingDirectory" => {
                unit.directory = Some(line.value.trim_start_matches('-').to_owned())
            }
            _ => {}
        }
    }
    for line in lines
        .iter()
        .filter(service)
        .filter(|line| line.key == "ExecStart")
    {
        let words = unit.expand(line);
        let candidates = [words.clone()].into_iter().chain(of_shell(&words));
        if let Some(command) = candidates.into_iter().find(|words| starts_gunicorn(words)) {
            (unit.command, unit.command_line) = (command, line.number);
        }
    }
    unit
}

/// Lines that end in a backslash go on; comments and empty lines are nothing.
fn assignments(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut section = String::new();
    let mut pending: Option<(u32, String)> = None;
    for (text, number) in text.lines().zip(1..) {
        let text = text.trim();
        if text.starts_with(['#', ';']) || (text.is_empty() && pending.is_none()) {
            continue;
        }
        let (number, mut whole) = pending.take().unwrap_or((number, String::new()));
        if let Some(begin) = text.strip_suffix('\\') {
            whole.push_str(begin);
            whole.push(' ');
            pending = Some((number, whole));
            continue;
        }
        whole.push_str(text);
        if let Some(name) = whole
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name.to_owned();
        } else if let Some((key, value)) = whole.split_once('=') {
            lines.push(Line {
                section: section.clone(),
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
                number,
            });
        }
    }
    lines
}

impl Socket {
    /// Where it listens, in gunicorn's notation, with the lines. gunicorn ignores its own addresses when it gets a
    /// socket.
    pub(super) fn binds(&self) -> Vec<(String, u32)> {
        let lines = self.lines.iter().filter(|line| line.key == "ListenStream");
        let mut binds = Vec::new();
        for Line { value, number, .. } in lines {
            match value.as_str() {
                "" => binds.clear(),
                path if path.starts_with('/') => binds.push((format!("unix:{path}"), *number)),
                port if port.parse::<u16>().is_ok() => binds.push((format!(":{port}"), *number)),
                address => binds.push((address.to_owned(), *number)),
            }
        }
        binds
    }

    /// What it says at this key of `[Socket]`; the last one counts.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        let line = self
            .lines
            .iter()
            .rfind(|line| line.section == "Socket" && line.key == key)?;
        Some(&line.value)
    }
}

impl Unit {
    /// Where the socket units would be that may belong to it: those that it names, and the one of its own name.
    fn sockets(&self) -> Vec<PathBuf> {
        let keys = ["Sockets", "Requires", "Wants", "After"];
        let lines = self
            .lines
            .iter()
            .filter(|line| keys.contains(&line.key.as_str()));
        let names = lines.flat_map(|line| line.value.split_whitespace());
        let named = names.filter(|name| name.ends_with(".socket"));
        let mut paths: Vec<_> = named.map(|name| self.path.with_file_name(name)).collect();
        paths.push(self.path.with_extension("socket"));
        paths
    }

    /// The words of a command line with their variables and specifiers.
    fn expand(&mut self, line: &Line) -> Vec<String> {
        let text = line
            .value
            .trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let words = match words::split(text) {
            Ok(words) => words,
            Err(fault) => {
                self.doubts.push((line.number, fault));
                return Vec::new();
            }
        };
        let mut expanded = Vec::new();
        for word in words {
            match word.strip_prefix('$').filter(|name| is_name(name)) {
                // A variable that is a word is divided at its blanks.
                Some(name) => {
                    let value = self.variable(name, line.number);
                    expanded.extend(value.split_whitespace().map(str::to_owned));
                }
                None => expanded.push(self.substitute(&word, line.number)),
            }
        }
        expanded
    }

    fn substitute(&mut self, word: &str, line: u32) -> String {
        let mut text = String::new();
        let mut rest = word;
        while let Some(at) = rest.find(['$', '%']) {
            text.push_str(&rest[..at]);
            let tail = &rest[at..];
            let braced = tail
                .strip_prefix("${")
                .and_then(|tail| tail.split_once('}'));
            rest = if let Some((name, after)) = braced {
                text.push_str(&self.variable(name, line));
                after
            } else if let Some(after) = tail.strip_prefix("$$").or(tail.strip_prefix("%%")) {
                text.push_str(&tail[..1]);
                after
            } else if let Some(after) = tail.strip_prefix("%t") {
                text.push_str("/run");
                after
            } else {
                let specifier = &tail[..1];
                if specifier == "%" {
                    let what = format!(
                        "the unit has a specifier of systemd in `{word}`; put its value in its place"
                    );
                    self.doubts.push((line, what));
                }
                text.push_str(specifier);
                &tail[1..]
            };
        }
        text + rest
    }

    fn variable(&mut self, name: &str, line: u32) -> String {
        let found = self.environment.iter().rfind(|(known, ..)| known == name);
        match found {
            Some((_, value, _)) => value.clone(),
            None => {
                let what =
                    format!("the unit has no value for ${name}, which its command line uses");
                self.doubts.push((line, what));
                String::new()
            }
        }
    }
}

/// The commands of `sh -c "..."`.
fn of_shell(words: &[String]) -> Vec<Vec<String>> {
    let Some([_, script, ..]) = words
        .iter()
        .position(|word| word == "-c" || word == "-lc")
        .map(|at| &words[at..])
    else {
        return Vec::new();
    };
    let commands = script.split("&&").flat_map(|part| part.split(';'));
    commands
        .filter_map(|command| words::split(command).ok())
        .collect()
}

fn starts_gunicorn(words: &[String]) -> bool {
    let origin = crate::convert::account::Origin {
        source: "".into(),
        line: None,
    };
    !matches!(command::parse(words, &origin), Err(fault) if fault == command::NOT_GUNICORN)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, command: &str, line: u32, doubts: usize) {
        let unit = parse(text);
        let found = (unit.command.join("|"), unit.command_line, unit.doubts.len());
        assert_eq!(found, (command.to_owned(), line, doubts));
    }

    #[test]
    fn a_command_line_goes_over_several_lines() {
        check(
            "[Service]\n# a comment\nExecStart=-/a/gunicorn \\\n  --bind :80 \\\n# one more\n  'a b'\n",
            "/a/gunicorn|--bind|:80|a b",
            3,
            0,
        );
    }

    #[test]
    fn variables_have_the_values_of_the_unit() {
        let unit =
            "[Service]\nEnvironment=A=1 \"B=2 3\"\nExecStart=/a/gunicorn ${A}x $B ${C} %t/%i\n";
        check(unit, "/a/gunicorn|1x|2|3||/run/%i", 3, 2);
    }

    #[test]
    fn a_shell_is_looked_through() {
        check(
            "[Service]\nExecStart=/bin/sh -c 'cd /srv && exec gunicorn -w 2 shop'\n",
            "exec|gunicorn|-w|2|shop",
            2,
            0,
        );
    }

    #[test]
    fn only_gunicorn_counts() {
        check("[Service]\nExecStart=/usr/bin/uvicorn a:b\n", "", 0, 0);
        check("[Unit]\nExecStart=/usr/bin/gunicorn a:b\n", "", 0, 0);
    }
}
