//! Processes beside the site: attached daemons and mules that run a script, as `[[daemon]]`.

use super::{
    super::options::refusals, Applied, Outcome, Topic, Verdict, engine::Translation, value,
};

pub(in crate::convert::uwsgi) static DAEMON: Topic = Topic {
    documentation: "moved to systemd: a `[[daemon]]`",
    slot: None,
    early: false,
    run: |translation, option| {
        let command = option.value.trim();
        daemon(translation, option, command)
    },
};

pub(in crate::convert::uwsgi) static SMART: Topic = Topic {
    documentation: "moved to systemd: a `[[daemon]]`, which stays in the foreground",
    slot: None,
    early: false,
    run: smart,
};

pub(in crate::convert::uwsgi) static DAEMON2: Topic = Topic {
    documentation: "moved to systemd: a `[[daemon]]`",
    slot: None,
    early: false,
    run: daemon2,
};

pub(in crate::convert::uwsgi) static MULE: Topic = Topic {
    documentation: "moved to systemd: a `[[daemon]]` for each script; a mule without a script is not possible",
    slot: None,
    early: false,
    run: mule,
};

fn daemon(translation: &mut Translation<'_>, option: &Applied, command: &str) -> Outcome {
    if command.is_empty() {
        return Outcome::not_needed("it names no command");
    }
    let section = translation.draft.add("daemon");
    let name = name_of(translation, "daemon", command);
    translation.draft.set(section, "name", name.as_str());
    translation.draft.set(section, "command", words(command));
    let outcome = Outcome {
        place: Some((section, None)),
        ..Outcome::new(Verdict::Moved {
            directive: format!("hostler-daemon-{name}@{}.service", translation.start.site),
            key: "daemon".to_owned(),
        })
    };
    match option.name.contains("control") {
        true => {
            outcome.note("the site stayed up only while it ran; now it is started again by itself")
        }
        false => outcome,
    }
}

/// `pidfile[,seconds] command`, where the program goes into the background by itself, or without the `2` does not.
fn smart(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = option.value.trim();
    let Some((_, command)) = text.split_once(' ') else {
        return Outcome::not_possible("it has no command", "a `[[daemon]]`")
            .ask(format!("`{text}` has no command behind the pid file"));
    };
    let outcome = daemon(translation, option, command.trim());
    match option.name.ends_with('2') {
        true => outcome,
        false => outcome
            .ask("the program has to stay in the foreground; give it the option that says so"),
    }
}

/// Keys of `attach-daemon2` that need no key of ours.
const DAEMON_KEYS: [&str; 10] = [
    "chdir",
    "cmd",
    "command",
    "control",
    "exec",
    "freq",
    "max_throttle",
    "pidfile",
    "stdin",
    "touch",
];

/// `key=value,...`, a comma in a value with a backslash before it.
fn daemon2(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = option.value.replace("\\,", "\u{0}");
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let pairs: Vec<(&str, String)> = pairs
        .map(|(name, value)| (name.trim(), value.replace('\u{0}', ",")))
        .collect();
    let find = |names: &[&str]| {
        let mut found = pairs.iter().filter(|(name, _)| names.contains(name));
        found.next().map(|(_, value)| value.as_str())
    };
    let Some(command) = find(&["cmd", "command", "exec"]) else {
        return Outcome::not_possible("it has no command", "a `[[daemon]]`");
    };
    let command = match find(&["chdir"]) {
        Some(directory) => format!("cd {directory} && exec {command}"),
        None => command.to_owned(),
    };
    let outcome = daemon(translation, option, &command);
    let names = pairs.iter().map(|(name, _)| *name);
    let left: Vec<&str> = names.filter(|name| !DAEMON_KEYS.contains(name)).collect();
    match left.is_empty() {
        true => outcome,
        false => outcome.ask(format!(
            "`{}` has no key; `systemctl edit` of the daemon's unit takes User=, KillSignal= and the like",
            left.join("`, `")
        )),
    }
}

fn mule(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let script = value::text(&option.value).value;
    if script.is_empty() || matches!(script.as_str(), "true" | "1") {
        return Outcome::refused(&refusals::MULES);
    }
    let command = match script.ends_with(".py") {
        true => format!("python {script}"),
        false => {
            let module = script.split(':').next().unwrap_or(&script);
            format!("python -m {module}")
        }
    };
    daemon(translation, option, &command)
        .ask("it ran inside of uWSGI and may use its functions (messages, signals, locks); those are not there")
}

/// A command as a list of words where no shell is needed to understand it, else for a shell.
pub(super) fn words(command: &str) -> Vec<String> {
    let is_plain = |c: char| c.is_alphanumeric() || " /._-=:,+@%".contains(c);
    let mut words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let first_is_program = words.first().is_some_and(|word| !word.contains('='));
    if command.chars().all(is_plain) && first_is_program {
        return words;
    }
    words = ["/bin/sh", "-c", command].map(str::to_owned).into();
    words
}

/// A name for a unit, from the last word that looks like one; each once.
pub(super) fn name_of(translation: &Translation<'_>, kind: &str, command: &str) -> String {
    let stem = |word: &str| {
        let word = word.rsplit('/').next().unwrap_or(word);
        let word = word.split_once('.').map_or(word, |(stem, _)| stem);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let good = word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(is_name);
        good.then(|| word.to_owned())
    };
    let common = [
        "bin", "bash", "cd", "env", "exec", "manage", "nice", "python", "python3", "sh", "sudo",
    ];
    // Where it runs says nothing.
    let behind = command
        .strip_prefix("cd ")
        .and_then(|rest| rest.split_once("&& "));
    let command = behind.map_or(command, |(_, rest)| rest);
    let words = command.split([' ', ';', '&', '|', '"', '\'']);
    let mut stems = words
        .filter_map(stem)
        .filter(|word| !common.contains(&word.as_str()));
    let wanted = stems.next().unwrap_or_else(|| kind.to_owned());
    let names = translation.draft.all(kind).into_iter();
    let taken: Vec<String> = names
        .filter_map(|section| Some(translation.draft.get(section, "name")?.as_str()?.to_owned()))
        .collect();
    let mut name = wanted.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{wanted}-{number}");
        number += 1;
    }
    name
}
