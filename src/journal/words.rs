//! What the application says: by its standard streams, by what it runs, and by Python's `logging`.

use super::{
    Priority, Role,
    entry::Entry,
    targets::{Parts, Targets},
};

/// By which way it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream<'a> {
    /// By `logging`, with this name of a logger.
    Logger(&'a str),
    /// By a descriptor: C code, the interpreter's last words, programs that the application runs.
    Output,
    /// By `sys.stderr`.
    Stderr,
    /// By `sys.stdout`.
    Stdout,
}

/// The place in the application's code.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// Its file.
    pub file: &'a str,
    /// The line in it.
    pub line: u32,
    /// The function.
    pub function: &'a str,
}

/// One entry.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// Whose application says it; `None`: this process.
    pub role: Option<Role>,
    /// By which way.
    pub stream: Stream<'a>,
    /// `None`: what the text itself says, by `<3>` at its beginning (sd-daemon(3)) or as a traceback.
    pub priority: Option<Priority>,
    /// Without the last line end.
    pub text: &'a str,
    /// The request that it is about; empty: none.
    pub request_id: &'a str,
    /// Where in the code, if that is known.
    pub code: Option<Code<'a>>,
}

/// Logs what the application has said.
pub fn say(words: &Words<'_>) {
    if let Some(targets) = super::TARGETS.get() {
        put(targets, words);
    }
}

fn put(targets: &Targets, words: &Words<'_>) {
    let (priority, text) = match words.priority {
        Some(priority) => (priority, words.text),
        None => judge(words.text),
    };
    let name = words.stream.name();
    let speaker = match words.request_id {
        "" => name.to_owned(),
        id => format!("{name} {id}"),
    };
    let parts = Parts {
        priority,
        role: words.role.unwrap_or_else(super::role),
        speaker: &speaker,
        message: text,
        is_bare: false,
    };
    targets.put(&targets.log, parts, |entry| fields(entry, words));
}

fn fields(entry: &mut Entry, words: &Words<'_>) {
    match words.stream {
        Stream::Logger(name) => entry.put_some("HOSTLER_LOGGER", name),
        stream => entry.put("HOSTLER_STREAM", stream.name()),
    }
    entry.put_some("HOSTLER_REQUEST_ID", words.request_id);
    if let Some(code) = words.code {
        entry.put_some("CODE_FILE", code.file);
        entry.put("CODE_LINE", code.line.to_string());
        entry.put_some("CODE_FUNC", code.function);
    }
}

/// How important a text is by its own account, and the text without that.
fn judge(text: &str) -> (Priority, &str) {
    if let Some(found) = Priority::prefix(text) {
        return found;
    }
    let is_traceback = |line: &str| line.ends_with("Traceback (most recent call last):");
    let priority = match text {
        _ if text.starts_with("Fatal Python error: ") => Priority::CRITICAL,
        _ if text.lines().any(is_traceback) => Priority::ERROR,
        _ => Priority::INFO,
    };
    (priority, text)
}

impl<'a> Stream<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Logger(name) => name,
            Self::Output => "output",
            Self::Stderr => "stderr",
            Self::Stdout => "stdout",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{fake::Fake, targets};

    const WORDS: Words<'_> = Words {
        role: Some(Role::Worker(2)),
        stream: Stream::Stdout,
        priority: None,
        text: "hello",
        request_id: "",
        code: None,
    };

    #[track_caller]
    fn check(words: Words<'_>, expected: &str) {
        let fake = Fake::new();
        put(&targets::tests::to(&fake), &words);
        let who =
            "SYSLOG_IDENTIFIER=hostler\nHOSTLER_SITE=shop\nHOSTLER_ROLE=worker\nHOSTLER_WORKER=2\n";
        assert_eq!(fake.next(), expected.replace("WHO\n", who));
    }

    #[test]
    fn what_is_printed_has_the_request_that_printed_it() {
        let words = Words {
            request_id: "4f",
            ..WORDS
        };
        check(
            words,
            "MESSAGE=hello\nPRIORITY=6\nWHO\nHOSTLER_STREAM=stdout\nHOSTLER_REQUEST_ID=4f\n",
        );
    }

    #[test]
    fn a_logger_has_its_name_and_its_place_in_the_code() {
        let code = Code {
            file: "/srv/a.py",
            line: 7,
            function: "view",
        };
        let words = Words {
            stream: Stream::Logger("shop.views"),
            priority: Some(Priority::WARNING),
            code: Some(code),
            ..WORDS
        };
        let place = "CODE_FILE=/srv/a.py\nCODE_LINE=7\nCODE_FUNC=view\n";
        check(
            words,
            &format!("MESSAGE=hello\nPRIORITY=4\nWHO\nHOSTLER_LOGGER=shop.views\n{place}"),
        );
    }

    #[test]
    fn a_text_may_say_how_important_it_is() {
        assert_eq!(judge("<4>careful"), (Priority::WARNING, "careful"));
        assert_eq!(
            judge("x\nTraceback (most recent call last):\n").0,
            Priority::ERROR
        );
        assert_eq!(judge("Fatal Python error: Aborted").0, Priority::CRITICAL);
        assert_eq!(judge("Traceback").0, Priority::INFO);
    }
}
