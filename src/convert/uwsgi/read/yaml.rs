//! YAML: a mapping for each section; lists repeat an option.
//!
//! There are two uWSGIs. With libyaml it understands nearly all of YAML; without, as `pip` builds it, only lines with a
//! name, a colon and a value. The file is read as YAML, and what the other one would make of it is said.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

use super::{line::asked, structured::Found};

/// How deep a document may be; options are on the third level.
const DEPTH: usize = 32;

/// The options in the mapping of this name.
pub(super) fn read(text: &str, section: &str) -> Result<Found, String> {
    let simple = by_lines(text, section);
    let mut found = match Reading::default().read(text, section) {
        Ok(found) => found,
        Err(problem) if simple.is_empty() => return Err(problem),
        Err(problem) => {
            let mut found = Found::default();
            let text = format!(
                "this is no YAML ({problem}); it was read line by line, as uWSGI does it without libyaml"
            );
            found.remarks.push((1, asked(text)));
            for (line, name, value) in &simple {
                found.push(*line, name, value);
            }
            return Ok(found);
        }
    };
    let mut pairs = found
        .drafts
        .iter()
        .map(|draft| (&draft.name[..], &draft.value[..]));
    let is_same = simple
        .iter()
        .all(|(_, name, value)| pairs.next() == Some((name, value)));
    if !is_same || pairs.next().is_some() {
        let text = "a uWSGI without libyaml, as `pip` installs it, does not understand lists, quotes and the like, and reads \
                    something else here";
        found.remarks.push((1, asked(text)));
    }
    Ok(found)
}

/// Where in a document a walk is.
#[derive(Default)]
struct Reading {
    /// The mappings and lists around: for a mapping the key whose value comes next.
    around: Vec<Around>,
    /// Texts with an anchor.
    anchors: HashMap<usize, String>,
    found: Found,
    is_found: bool,
}

enum Around {
    List,
    Mapping { key: Option<String> },
}

impl Reading {
    fn read(mut self, text: &str, section: &str) -> Result<Found, String> {
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| error.to_string())?;
            let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
            self.event(event, line, section);
            if self.around.len() > DEPTH {
                return Err(format!("line {line} is more than {DEPTH} levels deep"));
            }
        }
        if self.is_found {
            Ok(self.found)
        } else {
            Err(format!("there is no mapping `{section}`"))
        }
    }

    fn event(&mut self, event: Event<'_>, line: u32, section: &str) {
        match event {
            Event::Scalar(text, _, anchor, _) => {
                if anchor > 0 {
                    self.anchors.insert(anchor, text.clone().into_owned());
                }
                self.scalar(&text, line, section);
            }
            Event::Alias(anchor) => {
                let text = self.anchors.get(&anchor).cloned().unwrap_or_default();
                self.scalar(&text, line, section);
            }
            Event::MappingStart(..) => {
                self.is_found |= self.key_at(1) == Some(section) && self.around.len() == 1;
                self.too_deep(line, section);
                self.around.push(Around::Mapping { key: None });
            }
            Event::SequenceStart(..) => self.around.push(Around::List),
            Event::MappingEnd | Event::SequenceEnd => {
                self.around.pop();
                if let Some(Around::Mapping { key }) = self.around.last_mut() {
                    *key = None;
                }
            }
            _ => {}
        }
    }

    /// The key of the mapping at this depth, from 1.
    fn key_at(&self, depth: usize) -> Option<&str> {
        match self.around.get(depth - 1) {
            Some(Around::Mapping { key }) => key.as_deref(),
            _ => None,
        }
    }

    fn scalar(&mut self, text: &str, line: u32, section: &str) {
        let is_ours = self.key_at(1) == Some(section);
        let depth = self.around.len();
        let name = self.key_at(2).map(str::to_owned);
        match self.around.last_mut() {
            Some(Around::Mapping { key: key @ None }) => *key = Some(text.to_owned()),
            Some(Around::Mapping { key }) => {
                if let (true, 2, Some(name)) = (is_ours, depth, name) {
                    self.found.push(line, &name, nothing(text));
                }
                *key = None;
            }
            Some(Around::List) => {
                if let (true, 3, Some(name)) = (is_ours, depth, name) {
                    self.found.push(line, &name, nothing(text));
                }
            }
            None => {}
        }
    }

    /// A mapping as the value of an option.
    fn too_deep(&mut self, line: u32, section: &str) {
        if self.key_at(1) == Some(section)
            && let Some(name) = self.key_at(2)
        {
            let text = format!(
                "`{name}` has a mapping as its value, which is no option; it was passed over"
            );
            self.found.remarks.push((line, asked(text)));
        }
    }
}

/// YAML's nothing is an empty text.
fn nothing(text: &str) -> &str {
    if text == "~" { "" } else { text }
}

/// How far a line is indented; a tab counts for eight.
fn indent(line: &str) -> usize {
    let blanks = line.bytes().take_while(|byte| b" \t\r".contains(byte));
    blanks.map(|byte| if byte == b' ' { 1 } else { 8 }).sum()
}

/// What a uWSGI without libyaml reads.
fn by_lines(text: &str, section: &str) -> Vec<(u32, String, String)> {
    let space = [' ', '\t', '\r'];
    let mut pairs = Vec::new();
    let (mut is_in, mut outer) = (false, 0);
    for (line, number) in text.split('\n').zip(1..) {
        let line = line.split('#').next().unwrap_or("");
        let content = line.trim_matches(space);
        let depth = indent(line);
        if line.is_empty() {
            continue;
        }
        if depth <= outer {
            outer = depth;
            if is_in {
                break;
            }
        } else if !is_in {
            continue;
        }
        if content.is_empty() {
            continue;
        }
        if content.starts_with(['-', '[', '{']) {
            if is_in {
                break;
            }
            continue;
        }
        if !is_in {
            is_in = content
                .split_once(':')
                .is_some_and(|(name, _)| name == section);
            continue;
        }
        let pair = content
            .split_once(": ")
            .or_else(|| content.split_once(":\t"));
        let Some((name, value)) = pair else {
            break;
        };
        pairs.push((
            number,
            name.trim_end_matches(space).to_owned(),
            value.trim_matches(space).to_owned(),
        ));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(u32, &str, &str)], remarks: usize) {
        let found = read(text, "uwsgi").unwrap();
        let pairs = found.drafts.iter();
        let pairs: Vec<_> = pairs.map(|d| (d.line, &d.name[..], &d.value[..])).collect();
        assert_eq!(pairs, expected, "{text}");
        assert_eq!(found.remarks.len(), remarks, "{:?}", found.remarks);
    }

    #[test]
    fn a_mapping_is_read() {
        check(
            "# x\nuwsgi:\n  socket: :1\n  master: true # y\n",
            &[(3, "socket", ":1"), (4, "master", "true")],
            0,
        );
        check(
            "a:\n  b: c\nuwsgi:\n  master: 1\nz: 1\n",
            &[(4, "master", "1")],
            0,
        );
    }

    #[test]
    fn what_only_libyaml_understands_is_said() {
        check(
            "uwsgi:\n  env:\n    - A=1\n    - B=2\n",
            &[(3, "env", "A=1"), (4, "env", "B=2")],
            1,
        );
        check(
            "uwsgi: {a: 'b', c: [d, e]}",
            &[(1, "a", "b"), (1, "c", "d"), (1, "c", "e")],
            1,
        );
        check(
            "x: &x 7\nuwsgi:\n  a: *x\n  b: ~\n",
            &[(3, "a", "7"), (4, "b", "")],
            1,
        );
    }

    #[test]
    fn a_mapping_in_a_mapping_is_passed_over() {
        check("uwsgi:\n  a:\n    b: c\n  d: e\n", &[(4, "d", "e")], 2);
    }

    #[test]
    fn what_is_no_yaml_is_read_by_lines_or_not_at_all() {
        check(
            "uwsgi:\n  a: b\n  c: %d: @x\n",
            &[(2, "a", "b"), (3, "c", "%d: @x")],
            1,
        );
        assert!(read("a: b", "uwsgi").unwrap_err().contains("no mapping"));
        assert!(read("{", "uwsgi").is_err());
        assert!(
            read(&"- ".repeat(10_000), "uwsgi")
                .unwrap_err()
                .contains("levels deep")
        );
    }
}
