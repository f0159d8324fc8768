//! `if-…` and `for…` blocks: what a block asks, and what it makes of a line.

use std::rc::Rc;

use super::{
    arithmetic::number,
    glob,
    list::List,
    load::LARGEST,
    surroundings::{Kind, Surroundings},
};

/// The most that one block may repeat its lines. uWSGI has no limit.
pub(super) const REPETITIONS: usize = 10_000;

/// What a block does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logic {
    /// A condition; `true` asks for the contrary.
    If(Test, bool),
    /// The words of the argument.
    For,
    /// The paths that match.
    ForGlob,
    /// The lines of a file.
    ForReadline,
    /// 1, 2, 3 …
    ForTimes,
}

/// What a condition asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Directory,
    Environment,
    Exists,
    File,
    HostName,
    HostNameMatch,
    Option,
    Plugin,
    Reload,
}

/// A block that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Its place in the list.
    pub(super) place: usize,
    /// What it does.
    pub(super) logic: Logic,
    /// What stands behind the `=`.
    pub(super) argument: String,
    /// `else` was seen.
    pub(super) is_else: bool,
    /// What a loop goes over, which is found out once; nothing that a block does can change it.
    pub(super) items: Rc<[String]>,
}

/// What a condition makes of a line.
pub(super) enum Outcome {
    /// The line counts; `%(_)` stands for the text, and stays where there is none.
    Count(Option<String>),
    /// The line does not count.
    Skip,
}

/// The block that an option of this name opens.
pub(super) fn opened_by(name: &str) -> Option<Logic> {
    match name {
        "for" => return Some(Logic::For),
        "for-glob" => return Some(Logic::ForGlob),
        "for-readline" => return Some(Logic::ForReadline),
        "for-times" => return Some(Logic::ForTimes),
        _ => {}
    }
    let rest = name.strip_prefix("if")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let (rest, is_not) = rest
        .strip_prefix("not-")
        .map_or((rest, false), |rest| (rest, true));
    let test = match rest {
        "dir" | "directory" => Test::Directory,
        "env" => Test::Environment,
        "exists" => Test::Exists,
        "file" => Test::File,
        "hostname" => Test::HostName,
        "hostname-match" => Test::HostNameMatch,
        "opt" => Test::Option,
        "plugin" => Test::Plugin,
        "reload" => Test::Reload,
        _ => return None,
    };
    Some(Logic::If(test, is_not))
}

/// Whether an option of this name closes any block.
pub(super) fn closes(name: &str) -> bool {
    ["end", "endfor", "endif", "end-for", "end-if"].contains(&name)
}

/// What the conditions may look at.
pub(super) struct View<'a> {
    pub(super) surroundings: &'a dyn Surroundings,
    pub(super) list: &'a List,
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    pub(super) absolute: &'a dyn Fn(&str) -> String,
}

impl View<'_> {
    /// What a condition makes of a line. It is asked anew for each line, and may depend on the one before.
    pub(super) fn outcome(&self, test: Test, is_not: bool, block: &Block) -> Outcome {
        let (is_so, item) = self.ask(test, is_not, &block.argument);
        if is_so != (is_not ^ block.is_else) {
            Outcome::Count(item)
        } else {
            Outcome::Skip
        }
    }

    /// Whether it is so, and what `%(_)` stands for.
    fn ask(&self, test: Test, is_not: bool, argument: &str) -> (bool, Option<String>) {
        let own = || Some(argument.to_owned());
        let path = || (self.absolute)(argument);
        match test {
            Test::Directory => (
                self.surroundings.kind(&path()) == Some(Kind::Directory),
                own(),
            ),
            Test::Environment => compare(argument, is_not, |name| (self.variable)(name)),
            Test::Exists => (self.surroundings.readable(&path()), own()),
            Test::File => (self.surroundings.kind(&path()) == Some(Kind::File), own()),
            Test::HostName => (self.surroundings.host_name() == argument, own()),
            Test::HostNameMatch => (matches(argument, &self.surroundings.host_name()), own()),
            Test::Option => compare(argument, is_not, |name| {
                self.list.find(name).map(str::to_owned)
            }),
            // A converted site is a Python site, and has the plugin for it.
            Test::Plugin => (
                argument.trim_matches(|c: char| c.is_ascii_digit()) == "python",
                own(),
            ),
            Test::Reload => (false, None),
        }
    }

    /// What a loop goes over; nothing for a condition. At most one more than [`REPETITIONS`].
    pub(super) fn items(&self, logic: Logic, argument: &str) -> Rc<[String]> {
        let absolute = |path| (self.absolute)(path);
        let mut items: Vec<String> = match logic {
            Logic::If(..) => Vec::new(),
            Logic::For => words(argument),
            Logic::ForGlob => glob::find(self.surroundings, &absolute(""), argument),
            Logic::ForReadline => {
                let text = self.surroundings.read(&absolute(argument), LARGEST);
                lines(&text.unwrap_or_default())
            }
            Logic::ForTimes => {
                let times = usize::try_from(number(argument)).unwrap_or(0);
                let items = 1..=times.min(REPETITIONS + 1);
                items.map(|item| item.to_string()).collect()
            }
        };
        items.truncate(REPETITIONS + 1);
        items.into()
    }
}

/// Between spaces.
pub(super) fn words(text: &str) -> Vec<String> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// `name`, which has to be there, or `name=value`; with what it is.
fn compare(
    argument: &str,
    is_not: bool,
    find: impl Fn(&str) -> Option<String>,
) -> (bool, Option<String>) {
    let (name, wanted) = match argument.split_once('=') {
        Some((name, wanted)) => (name, Some(wanted)),
        None => (argument, None),
    };
    let found = find(name);
    let is_so = match (&found, wanted) {
        (Some(found), Some(wanted)) => found == wanted,
        (found, _) => found.is_some(),
    };
    // What is there but is not to be: `%(_)` stands for it only if it has another value.
    let item = found.filter(|_| !is_not || !is_so);
    (is_so, item)
}

/// Lines as fgets(3) with a buffer of 1024 bytes gives them.
fn lines(text: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        for piece in line.chunks(1023) {
            let piece = String::from_utf8_lossy(piece);
            lines.push(piece.trim_end_matches(['\n', '\r']).to_owned());
        }
    }
    lines
}

/// Whether the expression is found in the name; one that is none is not.
fn matches(expression: &str, name: &str) -> bool {
    regex::Regex::new(expression).is_ok_and(|expression| expression.is_match(name))
}
