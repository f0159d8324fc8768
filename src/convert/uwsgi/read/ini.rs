//! The lines of an ini file, cut up as uWSGI does: nothing is quoted, nothing continues, nothing follows a value.

use super::line::{Draft, Source};

/// What a line is.
enum Line<'a> {
    Blank,
    Comment(&'a str),
    Header(&'a str),
    Pair { name: &'a str, value: &'a str },
}

/// What uWSGI strips from both ends of a line, a name and a value.
const SPACE: [char; 3] = [' ', '\t', '\r'];

/// How a header asks for a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// As uWSGI wants it.
    Exact,
    /// uWSGI takes it for another name, and everybody else for this one.
    Meant,
    /// Another section.
    Other,
}

/// A stretch of lines under one header.
#[derive(Debug)]
pub(super) struct Section {
    /// The line of the header; 0 for what stands before the first.
    pub(super) line: u32,
    /// The header as it is written; empty for what stands before the first.
    pub(super) header: String,
    /// The name as uWSGI understands it.
    pub(super) name: String,
    /// What is in it.
    pub(super) lines: Vec<Draft>,
}

impl Section {
    /// Whether this is the section of this name.
    pub(super) fn is(&self, asked: &str) -> Header {
        if self.name == asked {
            return Header::Exact;
        }
        let meant = self.header.trim_start_matches('[');
        let meant = meant.split(']').next().unwrap_or("").trim_matches(SPACE);
        if self.line > 0 && meant.eq_ignore_ascii_case(asked) {
            Header::Meant
        } else {
            Header::Other
        }
    }
}

/// All sections in their order, the one before the first header included.
pub(super) fn sections(source: &Source) -> Vec<Section> {
    let mut sections = vec![Section {
        line: 0,
        header: String::new(),
        name: String::new(),
        lines: Vec::new(),
    }];
    let mut comments: Vec<String> = Vec::new();
    for (line, place) in source.lines.iter().zip(1..) {
        match cut(&line.text) {
            Line::Blank => comments.clear(),
            Line::Comment(text) => comments.push(text.to_owned()),
            Line::Header(header) => {
                comments.clear();
                sections.push(Section {
                    line: place,
                    header: header.to_owned(),
                    name: header_name(header),
                    lines: Vec::new(),
                });
            }
            Line::Pair { name, value } => {
                let written = match cut(&line.raw) {
                    Line::Pair { value, .. } => value,
                    _ => value,
                };
                let draft = Draft {
                    name: name.to_owned(),
                    value: value.to_owned(),
                    written: written.to_owned(),
                    line: place,
                    comments: std::mem::take(&mut comments),
                };
                if let Some(section) = sections.last_mut() {
                    section.lines.push(draft);
                }
            }
        }
    }
    sections
}

/// The name is all that follows the bracket, but the last character of the line.
fn header_name(header: &str) -> String {
    let mut name = header.chars();
    name.next();
    name.next_back();
    name.as_str().to_owned()
}

fn cut(text: &str) -> Line<'_> {
    let text = text.trim_matches(SPACE);
    if text.is_empty() {
        return Line::Blank;
    }
    if text.starts_with('[') {
        return Line::Header(text);
    }
    if text.starts_with([';', '#']) {
        return Line::Comment(text.trim_start_matches([';', '#']).trim());
    }
    // A line without `=` has an empty value, not none.
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Line::Pair {
        name: name.trim_end_matches(SPACE),
        value: value.trim_matches(SPACE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str, &str)]) {
        let source = Source::plain(text);
        let found: Vec<_> = sections(&source)
            .iter()
            .flat_map(|section| {
                section
                    .lines
                    .iter()
                    .map(|line| (section.name.clone(), line.name.clone(), line.value.clone()))
            })
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|(section, name, value)| (&section[..], &name[..], &value[..]))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn lines_are_cut_at_the_first_equals_sign() {
        check("[s]\n a\t=  b = c \r\n", &[("s", "a", "b = c")]);
        check("[s]\nmaster\n=x\n", &[("s", "master", ""), ("s", "", "x")]);
        check("[s]\na: b\n", &[("s", "a: b", "")]);
    }

    #[test]
    fn there_is_no_comment_behind_a_value() {
        check("[s]\na = 4 # four\n", &[("s", "a", "4 # four")]);
        check("[s]\n  ; a = b\n#c=d\n", &[]);
    }

    #[test]
    fn a_header_is_all_but_its_first_and_last_character() {
        check("[ s ]\na=b", &[(" s ", "a", "b")]);
        check("[s] ; x\na=b", &[("s] ; ", "a", "b")]);
        check("[\na=b", &[("", "a", "b")]);
    }

    #[test]
    fn a_header_is_understood_where_uwsgi_does_not() {
        let check = |header: &str, expected| {
            let source = Source::plain(header);
            assert_eq!(sections(&source)[1].is("uwsgi"), expected, "{header}");
        };
        check("[uwsgi]", Header::Exact);
        check("[uwsgi] ; production", Header::Meant);
        check("[ uWSGI ]", Header::Meant);
        check("[uwsgi", Header::Meant);
        check("[uwsgi2]", Header::Other);
    }

    #[test]
    fn comments_belong_to_the_option_right_below() {
        let source = Source::plain("; far\n\n; one\n#two\na = b\nc = d");
        let found = &sections(&source)[0].lines;
        assert_eq!(found[0].comments, ["one", "two"]);
        assert!(found[1].comments.is_empty());
    }
}
