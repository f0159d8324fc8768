//! Magic variables: `%d`, `%n` and the like, replaced in the raw text of a file before anything else is done with it.
//!
//! A letter that stands for nothing vanishes with its `%`. Marks of templates (`{% if x %}`, `<%= x %>`) are left alone,
//! since the text that uWSGI reads does not have them any more.

use std::collections::HashMap;

use super::{
    line::{Source, TextLine, asked, said},
    surroundings::Surroundings,
};
use crate::convert::account::Remark;

/// What the letters stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    values: HashMap<char, String>,
    /// Whether `%O`, `%D` and their like have been filled.
    first_is_known: bool,
}

/// Of a file, in the order of `%o %p %s %n %e %d %c %x %i %j`.
const OF_FILE: [char; 10] = ['o', 'p', 's', 'n', 'e', 'd', 'c', 'x', 'i', 'j'];

/// The most that the text of a file may grow to, in bytes: each `%d` can put in a long path.
pub(super) const LIMIT: usize = 8 << 20;

/// What a letter is about, if its value can be another elsewhere.
fn subject(letter: char) -> Option<&'static str> {
    Some(match letter {
        'b' => "the path of uWSGI's program",
        'c' | 'd' | 'p' | 'C' | 'D' | 'P' | '0'..='9' => "where the file lies",
        'g' | 'G' => "the group",
        'h' => "the host's name",
        'i' | 'I' => "the inode of the file",
        'j' | 'J' => "the hash of the file's path",
        'k' => "the number of processors",
        't' | 'T' => "the time",
        'u' | 'U' => "the user",
        'v' => "the working directory",
        'V' => "uWSGI's version",
        _ => return None,
    })
}

impl Table {
    /// What is the same for all files.
    pub(super) fn new(surroundings: &dyn Surroundings, directory: &str) -> Self {
        let identity = surroundings.identity();
        let (seconds, micros) = surroundings.now();
        let values = [
            ('%', "%".to_owned()),
            ('(', "%(".to_owned()),
            ('[', "\u{1b}".to_owned()),
            ('v', directory.to_owned()),
            ('h', surroundings.host_name()),
            ('k', surroundings.cpus().to_string()),
            ('u', identity.uid.to_string()),
            ('U', identity.user),
            ('g', identity.gid.to_string()),
            ('G', identity.group),
            ('t', seconds.to_string()),
            (
                'T',
                (u128::from(seconds) * 1_000_000 + u128::from(micros)).to_string(),
            ),
            ('V', surroundings.uwsgi_version()),
            ('b', surroundings.uwsgi_path()),
        ];
        Self {
            values: values.into(),
            first_is_known: false,
        }
    }

    /// uWSGI is started in another directory than this process.
    pub(super) fn set_directory(&mut self, directory: &str) {
        self.values.insert('v', directory.to_owned());
    }

    /// A file is read next; `name` may have a section. `is_first`: it may fill the capital letters.
    pub(super) fn enter(
        &mut self,
        surroundings: &dyn Surroundings,
        name: &str,
        path: &str,
        is_first: bool,
    ) {
        let (file, section) = name.rsplit_once(':').unwrap_or((name, ""));
        self.values.insert('o', file.to_owned());
        self.values.insert('x', section.to_owned());
        // `:section` is in the file that was read last.
        if !file.is_empty() {
            self.fill(surroundings, path);
        }
        if is_first && !self.first_is_known {
            self.first_is_known = true;
            for letter in OF_FILE {
                let value = self.values.get(&letter).cloned().unwrap_or_default();
                self.values.insert(letter.to_ascii_uppercase(), value);
            }
        }
    }

    /// A text without a file, or one that is found in another way: it has a name and nothing else.
    pub(super) fn enter_nameless(&mut self, name: &str) {
        self.values.insert('o', name.to_owned());
    }

    fn fill(&mut self, surroundings: &dyn Surroundings, path: &str) {
        // A symlink counts as the file it is, and not as the one it points to.
        let full = if surroundings.is_link(path) {
            path.to_owned()
        } else {
            surroundings
                .canonical(path)
                .unwrap_or_else(|| path.to_owned())
        };
        let (directory, base) = full.rsplit_once('/').unwrap_or(("", &full));
        let (stem, extension) = base.rsplit_once('.').unwrap_or((base, ""));
        let last = directory.rsplit_once('/').map_or("", |(_, last)| last);
        let mut set = |letter, value: String| self.values.insert(letter, value);
        set('p', full.clone());
        set('s', base.to_owned());
        set('n', stem.to_owned());
        set('e', extension.to_owned());
        set('d', format!("{directory}/"));
        set('c', last.to_owned());
        set('j', hash(&full));
        if let Some(inode) = surroundings.inode(&full) {
            // uWSGI keeps the lower half of it as a signed number.
            set(
                'i',
                i32::from_ne_bytes((inode as u32).to_ne_bytes()).to_string(),
            );
        }
        let mut parts = directory.split('/').filter(|part| !part.is_empty());
        for digit in '0'..='9' {
            set(digit, parts.next().unwrap_or("").to_owned());
        }
    }

    /// The lines of a text, with everything replaced; `None` if that makes more than [`LIMIT`] of it.
    pub(super) fn apply(&self, text: &str) -> Option<Source> {
        let mut size = 0;
        let mut lines = Vec::new();
        for (raw, number) in text.split('\n').zip(1..) {
            let line = self.line(raw, number);
            size += line.text.len();
            if size > LIMIT {
                return None;
            }
            lines.push(line);
        }
        Some(Source { lines })
    }

    fn line(&self, raw: &str, number: u32) -> TextLine {
        let mut seen = Seen::default();
        let text = self.replace(raw, &mut seen);
        TextLine {
            number,
            source: None,
            raw: raw.to_owned(),
            text,
            remarks: seen.remarks(),
        }
    }

    fn replace(&self, raw: &str, seen: &mut Seen) -> String {
        let mut text = String::with_capacity(raw.len());
        let mut marks = Marks::of(raw);
        let mut rest = raw;
        while let Some(at) = rest.find(['%', '{', '<']) {
            let len = marks.len_at(raw.len() - rest.len() + at).max(1);
            if len > 1 || !rest[at..].starts_with('%') {
                text.push_str(&rest[..at + len]);
                rest = &rest[at + len..];
                continue;
            }
            text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some(letter) = rest.chars().next() else {
                seen.at_end = true;
                text.push('%');
                break;
            };
            rest = &rest[letter.len_utf8()..];
            match self.values.get(&letter) {
                Some(value) => {
                    text.push_str(value);
                    seen.replaced(letter, value);
                }
                None if letter == '\r' && rest.is_empty() => seen.at_end = true,
                None => seen.vanished.push(letter),
            }
        }
        text.push_str(rest);
        text
    }
}

/// The marks of templates in a line. Where the next mark of a kind ends is looked for once, so that a line full of
/// beginnings does not take forever.
struct Marks<'a> {
    line: &'a str,
    /// For each kind of end: its place, if it is known; the length of the line if there is none any more.
    ends: [usize; 3],
}

impl<'a> Marks<'a> {
    fn of(line: &'a str) -> Self {
        Self { line, ends: [0; 3] }
    }

    /// The length of the mark that begins at a place and ends on the same line; otherwise 0.
    fn len_at(&mut self, place: usize) -> usize {
        let (kind, close) = match self.line.as_bytes().get(place..).unwrap_or_default() {
            // `{%(uri)}` is a log format.
            [b'{' | b'<', b'%', b'(', ..] | [b'{', b'{', b'%', b'(', ..] => return 0,
            [b'{', b'%', ..] => (0, "%}"),
            [b'{', b'{', ..] => (1, "}}"),
            [b'<', b'%', ..] => (2, "%>"),
            _ => return 0,
        };
        let from = place + 2;
        let Some(end) = self.ends.get_mut(kind) else {
            return 0;
        };
        if *end < from {
            let found = self.line.get(from..).and_then(|rest| rest.find(close));
            *end = found.map_or(self.line.len(), |found| from + found);
        }
        if *end == self.line.len() {
            0
        } else {
            *end + 2 - place
        }
    }
}

/// uWSGI's hash of a path: Daniel J. Bernstein's, with exclusive or, its four bytes in hexadecimal.
fn hash(path: &str) -> String {
    let hash = path.bytes().fold(5381_u32, |hash, byte| {
        (hash << 5).wrapping_add(hash) ^ i32::from(byte as i8) as u32
    });
    let bytes = hash.to_le_bytes();
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// What was replaced in a line.
#[derive(Default)]
struct Seen {
    here: Vec<(char, String)>,
    vanished: Vec<char>,
    at_end: bool,
}

impl Seen {
    fn replaced(&mut self, letter: char, value: &str) {
        if subject(letter).is_some() && !self.here.iter().any(|(known, _)| *known == letter) {
            self.here.push((letter, value.to_owned()));
        }
    }

    fn remarks(&self) -> Vec<Remark> {
        let mut remarks: Vec<Remark> = self
            .here
            .iter()
            .map(|(letter, value)| frozen(*letter, value))
            .collect();
        if !self.vanished.is_empty() {
            let letters: Vec<String> = self
                .vanished
                .iter()
                .map(|letter| format!("`%{letter}`"))
                .collect();
            remarks.push(asked(format!(
                "uWSGI replaces {} by nothing; a percent sign has to be written `%%`",
                letters.join(", ")
            )));
        }
        if self.at_end {
            remarks.push(asked(
                "uWSGI takes `%` at the end of a line together with what follows it, and so loses the next line",
            ));
        }
        remarks
    }
}

fn frozen(letter: char, value: &str) -> Remark {
    let subject = subject(letter).unwrap_or("this machine");
    let text = format!("`%{letter}` ({subject}) is `{value}` here, and fixed now");
    // What a path stands for is wrong only if the file was moved for the conversion.
    if subject == "where the file lies" || subject == "the working directory" {
        said(text)
    } else {
        asked(text)
    }
}
