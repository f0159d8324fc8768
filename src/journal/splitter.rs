//! Cuts what a thread or a process writes into entries: a line each, but a traceback is one entry.
//!
//! Python writes a traceback line by line. It is known by its first line, and ends with the first one that is not
//! indented, which names the exception. What was written by one call belongs together too.

/// A longer line is cut, and so is a block without end.
const LONGEST: usize = 48 << 10;

/// What was written and is no entry yet.
#[derive(Debug, Default)]
pub struct Splitter {
    text: Vec<u8>,
}

impl Splitter {
    /// Takes what one call has written; `entry` gets what is complete, without the line end.
    pub fn write(&mut self, bytes: &[u8], entry: impl FnOnce(&str)) {
        self.text.extend_from_slice(bytes);
        let is_complete = self.text.ends_with(b"\n") && !is_block(&self.text);
        if is_complete || self.text.len() > LONGEST {
            self.finish(entry);
        }
    }

    /// Takes bytes whose calls are not known: every line is one.
    pub fn stream(&mut self, bytes: &[u8], mut entry: impl FnMut(&str)) {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.write(line, &mut entry);
        }
    }

    /// Nothing more will come that belongs to a block.
    pub fn end_block(&mut self, entry: impl FnOnce(&str)) {
        if self.text.ends_with(b"\n") {
            self.finish(entry);
        }
    }

    /// Nothing more will come: what there is is an entry, also without a line end.
    pub fn finish(&mut self, entry: impl FnOnce(&str)) {
        if self.text.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&self.text);
        let text = text.trim_end().trim_start_matches(['\r', '\n']);
        if !text.is_empty() {
            entry(text);
        }
        self.text.clear();
    }

    /// Whether there is nothing that waits for its end.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// What the lines so far are part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// What the interpreter writes when it is about to die; its end is that of the process.
    Fatal,
    /// Of an exception group, which has a frame around it.
    Group,
    None,
    Traceback,
}

/// Whether more lines belong to these.
fn is_block(text: &[u8]) -> bool {
    let lines = text.split(|&byte| byte == b'\n');
    // Behind the last line end is an empty piece that is no line.
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.fold(Block::None, next) != Block::None
}

fn next(block: Block, line: &[u8]) -> Block {
    let bare = line.trim_ascii_start();
    let framed = bare.trim_ascii_start().strip_prefix(b"+ ").unwrap_or(bare);
    if block == Block::Fatal || line.starts_with(b"Fatal Python error: ") {
        return Block::Fatal;
    }
    if framed == b"Exception Group Traceback (most recent call last):" {
        return Block::Group;
    }
    if bare == b"Traceback (most recent call last):" || is_chain(bare) {
        return if block == Block::Group {
            block
        } else {
            Block::Traceback
        };
    }
    match block {
        Block::Group if is_frame_end(bare) => Block::None,
        Block::Group => block,
        Block::Traceback if line.is_empty() || line.starts_with(b" ") => block,
        _ => Block::None,
    }
}

/// What stands between an exception and the one that came of it.
fn is_chain(line: &[u8]) -> bool {
    line.starts_with(b"During handling of the above exception, another")
        || line.starts_with(b"The above exception was the direct cause of")
}

fn is_frame_end(line: &[u8]) -> bool {
    line.starts_with(b"+---") && line.iter().skip(1).all(|&byte| byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(writes: &[&str], expected: &[&str]) {
        let (mut splitter, mut entries) = (Splitter::default(), Vec::new());
        for bytes in writes {
            splitter.write(bytes.as_bytes(), |entry| entries.push(entry.to_owned()));
        }
        assert_eq!(entries, expected);
    }

    const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\n\n  File\nKeyError: 'x'";

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn a_line_is_an_entry_when_it_is_complete() {
        check(
            &["one", " line", "\n", "\n", "two\n", "three"],
            &["one line", "two"],
        );
    }

    #[test]
    fn lines_of_one_call_are_one_entry() {
        check(&["a\n  b\nc\n"], &["a\n  b\nc"]);
    }

    #[test]
    fn a_traceback_is_one_entry_however_it_is_written() {
        let written = lines(TRACEBACK);
        let mut written: Vec<&str> = written.iter().map(String::as_str).collect();
        written.push("next\n");
        check(&written, &[TRACEBACK, "next"]);
        check(
            &[&format!("ERROR it failed\n{TRACEBACK}\n")],
            &[&format!("ERROR it failed\n{TRACEBACK}")],
        );
    }

    #[test]
    fn the_sentence_between_two_tracebacks_begins_the_second() {
        let chain = "\nDuring handling of the above exception, another exception occurred:\n\n";
        let expected = format!("{}\n\n{TRACEBACK}", chain.trim());
        check(
            &[&format!("{TRACEBACK}\n"), chain, &format!("{TRACEBACK}\n")],
            &[TRACEBACK, &expected],
        );
    }

    #[test]
    fn an_exception_group_ends_with_its_frame() {
        let group = "  + Exception Group Traceback (most recent call last):\n  |   File\n  | ExceptionGroup: x (1 sub-exception)\n  \
                     +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    | KeyError: 1\n    \
                     +------------------------------------";
        let written = lines(group);
        check(
            &written.iter().map(String::as_str).collect::<Vec<_>>(),
            &[group],
        );
    }

    #[test]
    fn last_words_are_one_entry() {
        let (mut splitter, mut entries) = (Splitter::default(), Vec::new());
        let words = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x7f (most recent call first):\n  File \"a.py\"\n";
        splitter.stream(words.as_bytes(), |entry| entries.push(entry.to_owned()));
        assert!(entries.is_empty() && !splitter.is_empty());
        splitter.finish(|entry| entries.push(entry.to_owned()));
        assert_eq!(entries, [words.trim_end()]);
    }

    #[test]
    fn what_has_no_end_is_cut() {
        let (mut splitter, mut count) = (Splitter::default(), 0);
        (0..100).for_each(|_| splitter.write(&[b'x'; 1 << 10], |_| count += 1));
        assert_eq!(count, 2);
    }
}
