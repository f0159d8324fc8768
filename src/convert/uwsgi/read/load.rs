//! From the name of a file to pairs: where it lies, what it is written in, which section is asked for.

use std::rc::Rc;

use super::{
    collect::{Reader, too_much},
    error::ReadError,
    ini::{self, Header},
    input::Format,
    line::{Draft, Pair, Source, asked, said},
    magic, structured,
};
use crate::convert::account::{Origin, Remark};

/// The largest file that is read, in bytes.
pub(super) const LARGEST: u64 = 1 << 20;

/// The most that is read in all, in bytes: a file may be included many times.
pub(super) const ALL: usize = 32 << 20;

/// How deep files may include each other. uWSGI has no limit.
const DEPTH: usize = 32;

/// How many files may be read in all.
const FILES: usize = 1000;

/// What uWSGI takes for something else than a path.
const SCHEMES: [&str; 9] = [
    "call", "callint", "data", "emperor", "exec", "fd", "http", "section", "sym",
];

/// Why a file that is included is not read, or what is to be said about one that is.
pub(super) type Loaded = Result<Vec<String>, String>;

/// A text that was found, and whose it is.
struct Found {
    /// As it was named, without its section.
    source: Rc<str>,
    /// Where it lies.
    path: String,
    bytes: Vec<u8>,
    /// What is to be said about where it was found.
    said: Vec<String>,
}

/// The scheme of a name like `exec://date`.
pub(super) fn scheme(name: &str) -> Option<&str> {
    let (scheme, _) = name.split_once("://")?;
    SCHEMES.contains(&scheme).then_some(scheme)
}

/// Why what has this name is not read: it is no file.
fn unreachable(name: &str) -> Option<String> {
    if let Some(scheme) = scheme(name) {
        return Some(format!(
            "`{scheme}://` is not followed: a conversion runs and fetches nothing"
        ));
    }
    let text = "standard input is read only as an input of the conversion";
    (name == "-").then(|| text.to_owned())
}

/// An included file that is no good is left out; limits are for all files together.
fn loaded(result: Result<(), ReadError>, said: Vec<String>) -> Result<Loaded, ReadError> {
    match result {
        Ok(()) => Ok(Ok(said)),
        Err(ReadError::Syntax {
            problem, format, ..
        }) => Ok(Err(format!("it is no {format}: {problem}"))),
        Err(error @ ReadError::Utf16 { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

impl Reader<'_> {
    /// Reads the file of this name, which may have a section, into the list.
    ///
    /// # Errors
    /// What makes the whole configuration unreadable.
    pub(super) fn load(&mut self, name: &str, format: Option<Format>) -> Result<Loaded, ReadError> {
        let Some(format) = format.or_else(|| Format::of_name(name)) else {
            return Ok(Err(format!(
                "uWSGI does not start: it cannot tell from the ending of `{name}` what is in it; `ini = {name}` says it"
            )));
        };
        if let Some(why) = unreachable(name) {
            return Ok(Err(why));
        }
        let (path, section) = name.rsplit_once(':').unwrap_or((name, ""));
        let path = if path.is_empty() {
            self.last_file.clone()
        } else {
            path.to_owned()
        };
        let found = match self.find(&path) {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let absolute = found.path;
        self.magic
            .enter(self.surroundings, name, &absolute, !self.is_included);
        self.last_file = path;
        let section = if section.is_empty() { "uwsgi" } else { section };
        let key = format!("{absolute}:{section}");
        if self.within.contains(&key) {
            return Ok(Err(
                "uWSGI does not start: the file leads back to itself".to_owned()
            ));
        }
        let origin = Origin {
            source: Rc::clone(&found.source),
            line: None,
        };
        self.files += 1;
        if self.files > FILES || self.within.len() >= DEPTH {
            return Err(too_much(&origin, self.within.len().max(FILES), "files"));
        }
        self.within.push(key);
        let result = self.text(&origin, &found.bytes, format, section);
        self.within.pop();
        loaded(result, found.said)
    }

    /// Looks for a file in the working directory, as uWSGI does, and then beside the file that names it.
    fn find(&self, path: &str) -> Result<Found, String> {
        let source: Rc<str> = path.into();
        let absolute = self.absolute(path);
        let problem = match self.surroundings.read(&absolute, LARGEST) {
            Ok(bytes) => {
                return Ok(Found {
                    source,
                    path: absolute,
                    bytes,
                    said: Vec::new(),
                });
            }
            Err(problem) => problem,
        };
        let beside = self.within.last().and_then(|key| key.rsplit_once('/'));
        let beside = beside.map(|(directory, _)| format!("{directory}/{path}"));
        if let Some(beside) = beside.filter(|_| !path.starts_with('/'))
            && let Ok(bytes) = self.surroundings.read(&beside, LARGEST)
        {
            let said = vec![format!(
                "uWSGI looks for it in its working directory; it was found beside the file that names it, as `{beside}`"
            )];
            return Ok(Found {
                source,
                path: beside,
                bytes,
                said,
            });
        }
        Err(format!(
            "`{path}` cannot be read here ({problem}), so nothing of it is in the result"
        ))
    }

    /// Reads a text into the list.
    pub(super) fn text(
        &mut self,
        origin: &Origin,
        bytes: &[u8],
        format: Format,
        section: &str,
    ) -> Result<(), ReadError> {
        let text = self.decode(origin, bytes)?;
        let source = self.replaced(origin, &text)?;
        if format == Format::Ini {
            return self.ini(origin, &source, section);
        }
        let found = structured::read(&source, format, section);
        let found = found.map_err(|(format, problem)| ReadError::Syntax {
            path: origin.source.to_string(),
            format,
            problem,
        })?;
        for (line, remark) in found.remarks {
            self.notes.notice(at(&source, origin, line), remark);
        }
        self.collect_all(origin, &source, found.drafts)
    }

    /// The characters of a file.
    fn decode(&mut self, origin: &Origin, bytes: &[u8]) -> Result<String, ReadError> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(ReadError::Utf16 {
                path: origin.source.to_string(),
            });
        }
        let mut text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                let remark = said("the file is not UTF-8, and was read as Latin-1");
                self.notes.notice(origin.clone(), remark);
                bytes.iter().map(|byte| char::from(*byte)).collect()
            }
        };
        if let Some(rest) = text.strip_prefix('\u{feff}') {
            text = rest.to_owned();
            let remark = asked(
                "the file begins with a byte order mark, so that uWSGI does not see what its first line is, and reads no \
                 options if that is `[uwsgi]`; they were read all the same",
            );
            self.notes.notice(origin.clone(), remark);
        }
        if text.contains('\0') {
            text = text.replace('\0', "");
            let remark =
                asked("the file has NUL bytes, where uWSGI ends a line; they were left out");
            self.notes.notice(origin.clone(), remark);
        }
        Ok(text)
    }

    /// The lines with magic variables replaced, between those of `inject-before` and `inject-after`.
    fn replaced(&mut self, origin: &Origin, text: &str) -> Result<Source, ReadError> {
        let [before, after] = self.injected.clone();
        let mut source = Source::default();
        for path in before {
            self.injected(origin, &path, &mut source)?;
        }
        source
            .lines
            .append(&mut self.magic_lines(origin, text)?.lines);
        for path in after {
            self.injected(origin, &path, &mut source)?;
        }
        Ok(source)
    }

    fn magic_lines(&mut self, origin: &Origin, text: &str) -> Result<Source, ReadError> {
        let left = self.unread.checked_sub(text.len());
        self.unread = left.ok_or_else(|| too_much(origin, ALL, "bytes"))?;
        let source = self.magic.apply(text);
        source.ok_or_else(|| too_much(origin, magic::LIMIT, "bytes of replacements"))
    }

    fn injected(
        &mut self,
        origin: &Origin,
        path: &str,
        source: &mut Source,
    ) -> Result<(), ReadError> {
        let Ok(bytes) = self.surroundings.read(&self.absolute(path), LARGEST) else {
            let text = format!("uWSGI does not start: `{path}` cannot be read, and was left out");
            let remark = self.notes.refusal(text);
            self.notes.notice(origin.clone(), remark);
            return Ok(());
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut injected = self.magic_lines(origin, &text)?;
        for line in &mut injected.lines {
            line.source = Some(path.into());
        }
        source.lines.append(&mut injected.lines);
        Ok(())
    }

    fn ini(&mut self, origin: &Origin, source: &Source, asked_for: &str) -> Result<(), ReadError> {
        let sections = ini::sections(source);
        let has_headers = sections.len() > 1;
        let mut is_found = false;
        for section in sections {
            let place = at(source, origin, section.line);
            let header = if has_headers {
                section.is(asked_for)
            } else {
                Header::Meant
            };
            let count = section.lines.len();
            self.notes
                .section(&place, &section.header, count, header != Header::Other);
            if header == Header::Other || (count == 0 && header == Header::Meant) {
                continue;
            }
            is_found = true;
            if header == Header::Meant {
                self.notes
                    .notice(place, misread(&section.header, asked_for));
            }
            self.collect_all(origin, source, section.lines)?;
        }
        if !is_found {
            let text = format!(
                "there is no option in a section [{asked_for}], so that uWSGI reads nothing"
            );
            self.notes.notice(origin.clone(), asked(text));
        }
        Ok(())
    }

    fn collect_all(
        &mut self,
        origin: &Origin,
        source: &Source,
        drafts: Vec<Draft>,
    ) -> Result<(), ReadError> {
        for draft in drafts {
            let remarks = source.line(draft.line).map(|line| line.remarks.clone());
            self.collect(Pair {
                name: draft.name,
                value: Some(draft.value),
                written: draft.written,
                origin: at(source, origin, draft.line),
                comments: draft.comments,
                remarks: remarks.unwrap_or_default(),
            })?;
        }
        Ok(())
    }
}

/// Where the line at this place of a source stands.
fn at(source: &Source, origin: &Origin, place: u32) -> Origin {
    let line = source.line(place);
    let other = line.and_then(|line| line.source.as_ref());
    Origin {
        source: Rc::clone(other.unwrap_or(&origin.source)),
        line: Some(line.map_or(0, |line| line.number)),
    }
}

fn misread(header: &str, asked_for: &str) -> Remark {
    if header.is_empty() {
        return asked(format!(
            "there is no section header, so that uWSGI reads nothing; it was read as [{asked_for}]"
        ));
    }
    asked(format!(
        "uWSGI does not take `{header}` for [{asked_for}], and reads none of its options; they were read all the same"
    ))
}
