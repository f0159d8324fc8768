//! The variables of access entries: uWSGI's by their names, gunicorn's by their letters.
//!
//! One table, so that the parser, the advice for a misspelt name and the document know the same ones.

/// What a variable stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The client's address.
    Address,
    /// Bytes of the worker's address space.
    AddressSpace,
    /// The same in MiB.
    AddressSpaceMib,
    /// The time of the entry, in seconds since 1970.
    Now,
    /// A header of the answer, by its place in the template's list.
    AnswerHeader(usize),
    /// When the request began, in the form of asctime(3).
    AscTime,
    /// When it began, in the common log format, without brackets.
    CommonTime,
    /// The same in brackets.
    CommonTimeInBrackets,
    /// The request's `Content-Length`.
    ContentLength,
    /// The number of the thread, from 0.
    Core,
    /// What is never known: the remote logname of the common log format.
    Dash,
    /// From the complete head to the end of the application's work, in microseconds.
    DurationMicros,
    /// The same in milliseconds.
    DurationMillis,
    /// The same in whole seconds.
    DurationSeconds,
    /// The same in seconds, with six digits after the point.
    DurationPrecise,
    /// When it began, in the form of `log.timestamp`.
    FormattedTime,
    /// How many headers the answer has.
    HeaderCount,
    /// Bytes of the head of the answer.
    HeadSize,
    /// The host that is asked for.
    Host,
    /// How often reading or writing failed.
    IoErrors,
    /// Method, target and protocol.
    Line,
    /// The method.
    Method,
    /// `modifier1` of a packet of the uwsgi protocol.
    Modifier1,
    /// `modifier2` of it.
    Modifier2,
    /// Bytes that the variables take in the uwsgi protocol.
    PacketSize,
    /// The worker's process.
    Pid,
    /// The same in angle brackets.
    PidInBrackets,
    /// The protocol, `HTTP/1.1`.
    Protocol,
    /// How often reading failed.
    ReadErrors,
    /// The header `Referer`.
    Referer,
    /// The name of the request.
    RequestId,
    /// Bytes of the worker in memory.
    Rss,
    /// The same in MiB.
    RssMib,
    /// Bytes of the answer, head and body.
    Size,
    /// The status.
    Status,
    /// Turns of uWSGI's engine; here always one.
    Switches,
    /// The target as it was sent.
    Target,
    /// When it began, in seconds since 1970.
    Time,
    /// The same in microseconds.
    TimeMicros,
    /// The same in milliseconds.
    TimeMillis,
    /// The header `traceparent`.
    Traceparent,
    /// Bytes of the body of the answer.
    BodySize,
    /// Who it is by the front server's word, else by the client's own (Basic authentication).
    ClaimedUser,
    /// The header `User-Agent`.
    UserAgent,
    /// Who it is by the front server's word.
    User,
    /// A CGI variable of the request, by its place in the template's list.
    Variable(usize),
    /// Keys and values of the request's variables.
    VariableCount,
    /// The number of the worker, from 1.
    Worker,
    /// How often writing failed.
    WriteErrors,
}

/// uWSGI's names, sorted, and two of our own.
pub(super) const NAMED: &[(&str, Field)] = &[
    ("addr", Field::Address),
    ("cl", Field::ContentLength),
    ("core", Field::Core),
    ("ctime", Field::AscTime),
    ("epoch", Field::Now),
    ("ftime", Field::FormattedTime),
    ("headers", Field::HeaderCount),
    ("host", Field::Host),
    ("hsize", Field::HeadSize),
    ("ioerr", Field::IoErrors),
    ("ltime", Field::CommonTime),
    ("method", Field::Method),
    ("micros", Field::DurationMicros),
    ("modifier1", Field::Modifier1),
    ("modifier2", Field::Modifier2),
    ("msecs", Field::DurationMillis),
    ("pid", Field::Pid),
    ("pktsize", Field::PacketSize),
    ("proto", Field::Protocol),
    ("referer", Field::Referer),
    ("request_id", Field::RequestId),
    ("rerr", Field::ReadErrors),
    ("rsize", Field::BodySize),
    ("rss", Field::Rss),
    ("rssM", Field::RssMib),
    ("secs", Field::DurationPrecise),
    ("size", Field::Size),
    ("status", Field::Status),
    ("switches", Field::Switches),
    ("time", Field::Time),
    ("tmicros", Field::TimeMicros),
    ("tmsecs", Field::TimeMillis),
    ("traceparent", Field::Traceparent),
    ("uagent", Field::UserAgent),
    ("uri", Field::Target),
    ("user", Field::User),
    ("vars", Field::VariableCount),
    ("vsz", Field::AddressSpace),
    ("vszM", Field::AddressSpaceMib),
    ("werr", Field::WriteErrors),
    ("wid", Field::Worker),
];

/// gunicorn's letters.
pub(super) const LETTERS: &[(&str, Letter)] = &[
    ("B", Letter::Field(Field::BodySize)),
    ("D", Letter::Field(Field::DurationMicros)),
    ("H", Letter::Field(Field::Protocol)),
    ("L", Letter::Field(Field::DurationPrecise)),
    ("M", Letter::Field(Field::DurationMillis)),
    ("T", Letter::Field(Field::DurationSeconds)),
    ("U", Letter::Variable("PATH_INFO")),
    ("a", Letter::Field(Field::UserAgent)),
    ("b", Letter::Field(Field::BodySize)),
    ("f", Letter::Field(Field::Referer)),
    ("h", Letter::Field(Field::Address)),
    ("l", Letter::Field(Field::Dash)),
    ("m", Letter::Field(Field::Method)),
    ("p", Letter::Field(Field::PidInBrackets)),
    ("q", Letter::Variable("QUERY_STRING")),
    ("r", Letter::Field(Field::Line)),
    ("s", Letter::Field(Field::Status)),
    ("t", Letter::Field(Field::CommonTimeInBrackets)),
    ("u", Letter::Field(Field::ClaimedUser)),
];

/// What a letter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letter {
    Field(Field),
    /// A CGI variable.
    Variable(&'static str),
}

/// What stands for a name in a table.
pub(super) fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value)
}

impl Field {
    /// Whether it is a number that Python's `%d` can write too.
    pub(super) fn is_number(self) -> bool {
        matches!(
            self,
            Self::BodySize | Self::DurationMicros | Self::DurationMillis | Self::DurationSeconds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../../docs/access-log.md");

    #[test]
    fn a_name_belongs_to_one_of_both() {
        assert!(LETTERS.iter().all(|(letter, _)| letter.len() == 1));
        assert!(NAMED.iter().all(|(name, _)| name.len() > 1));
        assert!(NAMED.is_sorted_by_key(|(name, _)| name.to_ascii_lowercase()));
    }

    /// What the first column of a table holds.
    fn documented(heading: &str) -> Vec<&'static str> {
        let (_, section) = DOCUMENT.split_once(heading).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let cells = section.lines().filter_map(|line| line.strip_prefix("| "));
        let cells = cells.filter_map(|line| line.split(" | ").next());
        let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        words.filter_map(|word| word.strip_prefix("%(")).collect()
    }

    #[test]
    fn the_document_has_each_variable_and_no_other() {
        let mut names = documented("\n## uWSGI's variables\n");
        names.sort_by_key(|name| name.to_ascii_lowercase());
        let known: Vec<String> = NAMED.iter().map(|(name, _)| format!("{name})")).collect();
        let known = known.iter().map(String::as_str);
        let mut all: Vec<&str> = known.chain(["var.NAME)"]).collect();
        all.sort_by_key(|name| name.to_ascii_lowercase());
        assert_eq!(names, all);
        let mut letters = documented("\n## gunicorn's variables\n");
        letters.sort_unstable();
        let known: Vec<String> = LETTERS
            .iter()
            .map(|(name, _)| format!("{name})s"))
            .collect();
        let known = known.iter().map(String::as_str);
        let known: Vec<&str> = known
            .chain(["{NAME}e)s", "{NAME}i)s", "{NAME}o)s"])
            .collect();
        assert_eq!(letters, known);
    }
}
