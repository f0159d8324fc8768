//! Headers that settings and routes add to answers, and take out of them.

use crate::{
    config::{HeaderLine, HeaderName},
    protocol::http::response,
};

/// What is taken out, and then what is added.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// Lines as they go out.
    add: Vec<u8>,
    remove: Vec<String>,
}

impl Edits {
    pub(super) fn new(add: &[HeaderLine], remove: &[HeaderName]) -> Self {
        let mut lines = Vec::new();
        for line in add {
            response::header(
                &mut lines,
                line.name.as_str().as_bytes(),
                line.value.as_bytes(),
            );
        }
        Self {
            add: lines,
            remove: remove.iter().map(|name| name.as_str().to_owned()).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// Lines to add.
    pub(super) fn added(&self) -> &[u8] {
        &self.add
    }

    /// Edits header lines.
    pub(super) fn apply(&self, lines: &mut Vec<u8>) {
        if !self.remove.is_empty() {
            let is_removed = |name: &[u8]| {
                let mut removed = self.remove.iter();
                removed.any(|removed| name.eq_ignore_ascii_case(removed.as_bytes()))
            };
            remove(lines, is_removed);
        }
        lines.extend_from_slice(&self.add);
    }
}

/// Takes out the lines whose name is to go.
pub(super) fn remove(lines: &mut Vec<u8>, is_removed: impl Fn(&[u8]) -> bool) {
    let mut kept = 0;
    let mut at = 0;
    while at < lines.len() {
        let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |end| at + end + 1);
        if !is_removed(name_of(&lines[at..end])) {
            lines.copy_within(at..end, kept);
            kept += end - at;
        }
        at = end;
    }
    lines.truncate(kept);
}

/// The value of the first line of this name.
pub(super) fn value_of<'l>(lines: &'l [u8], name: &str) -> Option<&'l [u8]> {
    let mut all = lines.split_inclusive(|&byte| byte == b'\n');
    let line = all.find(|line| name_of(line).eq_ignore_ascii_case(name.as_bytes()))?;
    Some(line[name.len() + 1..].trim_ascii())
}

fn name_of(line: &[u8]) -> &[u8] {
    &line[..memchr::memchr(b':', line).unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "A: 1\r\nServer: x\r\nserver: y\r\nServers: z\r\n";

    #[track_caller]
    fn check(add: &[&str], removed: &[&str], expected: &str) {
        let add: Vec<HeaderLine> = add.iter().map(|line| line.parse().unwrap()).collect();
        let removed: Vec<HeaderName> = removed.iter().map(|name| name.parse().unwrap()).collect();
        let mut lines = LINES.as_bytes().to_vec();
        Edits::new(&add, &removed).apply(&mut lines);
        assert_eq!(String::from_utf8(lines).unwrap(), expected);
    }

    #[test]
    fn lines_go_and_come() {
        check(&[], &[], LINES);
        check(&[], &["Server"], "A: 1\r\nServers: z\r\n");
        check(
            &["B: 2"],
            &["a", "Servers", "none"],
            "Server: x\r\nserver: y\r\nB: 2\r\n",
        );
        check(
            &["Server: own"],
            &["SERVER"],
            "A: 1\r\nServers: z\r\nServer: own\r\n",
        );
    }

    #[test]
    fn values() {
        assert_eq!(value_of(LINES.as_bytes(), "SERVER"), Some(&b"x"[..]));
        assert_eq!(value_of(LINES.as_bytes(), "Serve"), None);
    }
}
