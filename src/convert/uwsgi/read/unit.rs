//! A systemd unit that starts uWSGI: its command line, environment and directory, as systemd.service(5) and
//! systemd.exec(5) have them. What else the unit says is for whoever writes drop-ins, and is said once.

use std::rc::Rc;

use super::{
    collect::Reader,
    error::ReadError,
    input::Input,
    line::{Pair, asked, said},
    load::LARGEST,
};
use crate::convert::account::Origin;

/// A directive of `[Service]`.
struct Directive {
    line: u32,
    name: String,
    value: String,
}

/// Directives whose meaning comes with any service of ours.
const NOT_NEEDED: [&str; 12] = [
    "ExecReload",
    "ExecStop",
    "KillMode",
    "KillSignal",
    "NotifyAccess",
    "PIDFile",
    "Restart",
    "RestartSec",
    "RuntimeDirectory",
    "StandardError",
    "StandardOutput",
    "Type",
];

/// Directives that an option of uWSGI says as well, so that the site gets them like any option.
const OPTIONS: [(&str, &str); 7] = [
    ("Group", "gid"),
    ("LimitNOFILE", "max-fd"),
    ("Nice", "prio"),
    ("SupplementaryGroups", "add-gid"),
    ("UMask", "umask"),
    ("User", "uid"),
    ("WorkingDirectory", "chdir"),
];

impl Reader<'_> {
    /// The inputs, with each unit as its command line.
    pub(super) fn without_units(&mut self, inputs: &[Input]) -> Result<Vec<Input>, ReadError> {
        let inputs = inputs.iter().map(|input| match input {
            Input::Unit { path } => self.unit(path).map(Input::CommandLine),
            other => Ok(other.clone()),
        });
        inputs.collect()
    }

    fn unit(&mut self, path: &str) -> Result<Vec<String>, ReadError> {
        let bytes = self.surroundings.read(&self.absolute(path), LARGEST);
        let bytes = bytes.map_err(|source| ReadError::File {
            path: path.to_owned(),
            source,
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let source: Rc<str> = path.into();
        let mut command = None;
        for directive in directives(&text) {
            let origin = Origin {
                source: Rc::clone(&source),
                line: Some(directive.line),
            };
            match &directive.name[..] {
                "ExecStart" if directive.value.is_empty() => command = None,
                "ExecStart" => command = Some((origin, directive.value)),
                "Environment" => self.unit_variables(&origin, &directive)?,
                "EnvironmentFile" => self.unit_file(origin, &directive),
                name if OPTIONS.iter().any(|(known, _)| *known == name) => {
                    self.unit_option(origin, &directive)?;
                }
                name if NOT_NEEDED.contains(&name) => {
                    self.unit_line(
                        origin,
                        &directive,
                        "the units that come with hostler say it",
                    );
                }
                _ => {
                    let text = format!(
                        "`{}={}` of the unit is not read: put it into `service.directives` if the site needs it",
                        directive.name, directive.value
                    );
                    self.notes.notice(origin, asked(text));
                }
            }
        }
        let (origin, command) = command.ok_or_else(|| ReadError::NoExecStart {
            path: path.to_owned(),
        })?;
        Ok(self.unit_words(&origin, &command))
    }

    /// A line of the unit that ends here.
    fn unit_line(&mut self, origin: Origin, directive: &Directive, why: &str) {
        let pair = Pair {
            value: None,
            ..pair_of(origin, &directive.name, &directive.value)
        };
        self.notes.used(pair, why);
    }

    /// A directive as the option that says the same. The command line comes behind it, and counts more.
    fn unit_option(&mut self, origin: Origin, directive: &Directive) -> Result<(), ReadError> {
        let mut known = OPTIONS.iter();
        let option = known.find(|(known, _)| *known == directive.name);
        let value = directive.value.trim_start_matches('-');
        if directive.name == "WorkingDirectory" {
            if !value.starts_with('/') {
                self.unit_line(origin, directive, "it is no path");
                return Ok(());
            }
            self.magic.set_directory(value);
            value.clone_into(&mut self.directory);
        }
        let name = option.map_or("", |(_, option)| option);
        self.collect(pair_of(origin, name, value))
    }

    /// `Environment=A=1 "B=2 3"`
    fn unit_variables(&mut self, origin: &Origin, directive: &Directive) -> Result<(), ReadError> {
        for word in words(&directive.value) {
            let Some((name, value)) = word.split_once('=') else {
                continue;
            };
            self.environment.insert(name.to_owned(), value.to_owned());
            match name.starts_with("UWSGI_") {
                true => {
                    let why = "the configuration was read with it";
                    self.unit_line(origin.clone(), directive, why);
                }
                false => self.collect(pair_of(origin.clone(), "env", &word))?,
            }
        }
        Ok(())
    }

    /// A file with a variable on each line.
    fn unit_file(&mut self, origin: Origin, directive: &Directive) {
        let path = directive.value.trim_start_matches('-');
        let Ok(bytes) = self.surroundings.read(path, LARGEST) else {
            let text = format!(
                "`{path}` cannot be read here: the configuration was read without its variables"
            );
            self.notes.notice(origin, asked(text));
            return;
        };
        for line in String::from_utf8_lossy(&bytes).lines() {
            let line = line.trim();
            if let Some((name, value)) = line
                .split_once('=')
                .filter(|_| !line.starts_with(['#', ';']))
            {
                let value = words(value).join(" ");
                self.environment.insert(name.trim().to_owned(), value);
            }
        }
        self.unit_line(
            origin,
            directive,
            "the configuration was read with its variables",
        );
    }

    /// The words of a command, without the signs in front of the program, with variables.
    fn unit_words(&mut self, origin: &Origin, command: &str) -> Vec<String> {
        let command = command.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let mut result = Vec::new();
        for word in words(command) {
            // `$NAME` as a word of its own is several words, `${NAME}` within one is a part of it.
            let alone = word
                .strip_prefix('$')
                .filter(|name| !name.starts_with(['{', '$', '(']));
            match alone.and_then(|name| self.variable(name)) {
                Some(value) => result.extend(words(&value)),
                None => result.push(self.unit_replaced(&word)),
            }
        }
        if result.iter().any(|word| has_specifier(word)) {
            let text = "specifiers like `%i` are systemd's, and stay as they are";
            self.notes.notice(origin.clone(), asked(text));
        }
        let text = format!("the command is `{}`", result.join(" "));
        self.notes.notice(origin.clone(), said(text));
        result
    }

    fn unit_replaced(&self, word: &str) -> String {
        let mut text = String::new();
        let mut rest = word;
        while let Some((before, behind)) = rest.split_once("${") {
            text.push_str(before);
            let Some((name, after)) = behind.split_once('}') else {
                text.push_str("${");
                rest = behind;
                break;
            };
            text.push_str(&self.variable(name).unwrap_or_default());
            rest = after;
        }
        text.push_str(rest);
        text.replace("$$", "$").replace("%%", "%")
    }
}

/// An option that a line of the unit stands for.
fn pair_of(origin: Origin, name: &str, value: &str) -> Pair {
    Pair {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        written: value.to_owned(),
        origin,
        comments: Vec::new(),
        remarks: Vec::new(),
    }
}

/// `%i` and its like.
fn has_specifier(word: &str) -> bool {
    let mut signs = word.split('%').skip(1);
    signs.any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// The lines of `[Service]`; a backslash at the end of a line puts the next one to it.
fn directives(text: &str) -> Vec<Directive> {
    let mut found: Vec<Directive> = Vec::new();
    let (mut is_service, mut goes_on) = (false, false);
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let part = line.strip_suffix('\\').unwrap_or(line);
        let went_on = std::mem::replace(&mut goes_on, part.len() < line.len());
        if went_on {
            if let Some(last) = found.last_mut().filter(|_| is_service) {
                last.value.push(' ');
                last.value.push_str(part.trim());
            }
        } else if part.starts_with('[') {
            is_service = part == "[Service]";
        } else if let (true, Some((name, value))) = (is_service, part.split_once('=')) {
            found.push(Directive {
                line: number,
                name: name.trim().to_owned(),
                value: value.trim().to_owned(),
            });
        }
    }
    found
}

/// Words as systemd cuts them: quotes at the beginning of a word, and backslashes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (_, '\\') => {
                let next = match characters.next() {
                    Some('n') => '\n',
                    Some('s') => ' ',
                    Some('t') => '\t',
                    Some(other) => other,
                    None => '\\',
                };
                word.get_or_insert_default().push(next);
            }
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_systemd_does_it() {
        let check = |text: &str, expected: &[&str]| assert_eq!(words(text), expected, "{text}");
        check("a  b\tc", &["a", "b", "c"]);
        check("'a b' \"c'd\" e\\ f ''", &["a b", "c'd", "e f", ""]);
        check("'open", &["open"]);
    }

    #[test]
    fn only_the_service_is_read_and_lines_go_on() {
        let found = directives("[Unit]\nA=1\n[Service]\n# x\nExecStart=a \\\n  b\nType = notify\n");
        let found: Vec<_> = found
            .iter()
            .map(|d| (d.line, &d.name[..], &d.value[..]))
            .collect();
        assert_eq!(found, [(5, "ExecStart", "a b"), (7, "Type", "notify")]);
    }
}
