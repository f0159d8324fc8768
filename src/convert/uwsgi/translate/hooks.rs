//! Commands around the start: `exec-*` and those `hook-*` that run commands, as commands of the unit.

use super::{Applied, Outcome, Topic, daemons::words, engine::Translation, value};

pub(in crate::convert::uwsgi) static BEFORE: Topic = Topic {
    documentation: "moved to systemd: `ExecStartPre=` by `service.exec-start-pre`",
    slot: None,
    early: false,
    run: |translation, option| hook(translation, option, "exec-start-pre", "ExecStartPre="),
};

pub(in crate::convert::uwsgi) static AFTER: Topic = Topic {
    documentation: "moved to systemd: `ExecStartPost=` by `service.exec-start-post`",
    slot: None,
    early: false,
    run: |translation, option| hook(translation, option, "exec-start-post", "ExecStartPost="),
};

pub(in crate::convert::uwsgi) static STOPPED: Topic = Topic {
    documentation: "moved to systemd: `ExecStopPost=` by `service.exec-stop-post`",
    slot: None,
    early: false,
    run: |translation, option| hook(translation, option, "exec-stop-post", "ExecStopPost="),
};

pub(in crate::convert::uwsgi) static WAIT_FILE: Topic = Topic {
    documentation: "moved to systemd: a command of `service.exec-start-pre` that waits",
    slot: None,
    early: false,
    run: wait_for_file,
};

pub(in crate::convert::uwsgi) static WAIT_INTERFACE: Topic = Topic {
    documentation: "moved to systemd: `After=` the device, by `service.after`",
    slot: None,
    early: false,
    run: wait_for_interface,
};

pub(in crate::convert::uwsgi) static FILE_WRITE: Topic = Topic {
    documentation: "moved to systemd: a command of `service.exec-start-pre`",
    slot: None,
    early: false,
    run: file_write,
};

fn hook(
    translation: &mut Translation<'_>,
    option: &Applied,
    key: &str,
    directive: &str,
) -> Outcome {
    let text = option.value.trim();
    if text.is_empty() {
        return Outcome::not_needed("it names nothing");
    }
    let is_action = option.name.starts_with("hook-");
    if let Some(variable) = text.strip_prefix("putenv:").filter(|_| is_action) {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        return translation.keep("app.env", name.trim(), value.trim());
    }
    if is_action && text.starts_with("unix_signal:") && text.ends_with("gracefully_kill_them_all") {
        return Outcome::not_needed("SIGTERM lets requests finish anyway");
    }
    let command = match is_action {
        true => action(text),
        false => Some(words(text)),
    };
    let Some(command) = command else {
        let instead = "`service.exec-start-pre` with a command that does it";
        return Outcome::not_possible("this action of a hook is not known to systemd", instead);
    };
    if command.is_empty() {
        return Outcome::not_needed("it only printed a message");
    }
    let outcome = translation.gather("service", key, command).moved(directive);
    let as_root = ["asap", "root", "jail"]
        .iter()
        .any(|word| option.name.contains(word));
    match as_root {
        true => outcome.ask(
            "it ran as root, and runs as the user of the site now, in its sandbox; what needs root is for \
             `ExecStartPre=+` by `systemctl edit hostler@SITE`",
        ),
        false => outcome,
    }
}

/// The command that does what `action:arguments` does; an empty one for what needs no command.
fn action(text: &str) -> Option<Vec<String>> {
    let (name, arguments) = text.split_once(':').unwrap_or((text, ""));
    let owned = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let (first, second) = arguments.split_once(' ').unwrap_or((arguments, ""));
    match name.trim() {
        "exec" | "safeexec" => Some(words(arguments)),
        "mkdir" => owned(&["/bin/mkdir", "-p", arguments]),
        "chmod" => owned(&["/bin/chmod", second, first]),
        "chown" => owned(&["/bin/chown", &second.replacen(' ', ":", 1), first]),
        "unlink" => owned(&["/bin/rm", "-f", arguments]),
        "creat" | "create" => owned(&["/usr/bin/touch", arguments]),
        "write" | "writen" | "append" | "appendn" => Some(write(name, first, second)),
        "print" | "log" => Some(Vec::new()),
        _ => None,
    }
}

/// `write:file text` and its kin; those with an `n` end the line.
fn write(action: &str, file: &str, text: &str) -> Vec<String> {
    let quoted = |text: &str| text.replace('\'', "'\\''");
    let format = if action.ends_with('n') { "%s\\n" } else { "%s" };
    let how = if action.starts_with("append") {
        ">>"
    } else {
        ">"
    };
    let command = format!(
        "printf '{format}' '{}' {how} '{}'",
        quoted(text),
        quoted(file)
    );
    ["/bin/sh", "-c", &command].map(str::to_owned).into()
}

fn wait_for_file(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let path = value::text(&option.value).value;
    let command = format!("until [ -e '{path}' ]; do sleep 1; done");
    let command = vec!["/bin/sh".to_owned(), "-c".to_owned(), command];
    translation
        .gather("service", "exec-start-pre", command)
        .moved("ExecStartPre=")
}

fn wait_for_interface(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let name = value::text(&option.value).value;
    let unit = format!(
        "sys-subsystem-net-devices-{}.device",
        name.replace('-', "\\x2d")
    );
    translation.gather("service", "wants", unit.as_str());
    translation.gather("service", "after", unit).moved("After=")
}

/// `file=content`
fn file_write(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let (path, content) = option.value.split_once('=').unwrap_or((&option.value, ""));
    let quoted = |text: &str| text.replace('\'', "'\\''");
    let command = format!("printf '%s' '{}' > '{}'", quoted(content), quoted(path));
    let command = vec!["/bin/sh".to_owned(), "-c".to_owned(), command];
    translation
        .gather("service", "exec-start-pre", command)
        .moved("ExecStartPre=")
        .note("the path has to be one that the site may write to (`service.read-write-paths`)")
}
