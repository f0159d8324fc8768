//! What clients have sent, in a line that they can neither end nor forge, and that does nothing to a terminal.

use std::fmt::Write as _;

/// Printable ASCII as it is, but for backslashes and quotation marks, which get a backslash; every other byte as `\xff`,
/// line ends and tabs by their letters.
pub(super) fn escape(text: &[u8], line: &mut String) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    // Nearly all there is. Without an early end, so that many bytes are looked at together.
    if text.iter().fold(true, |all, &byte| all & is_plain(byte))
        && let Ok(text) = str::from_utf8(text)
    {
        return line.push_str(text);
    }
    for &byte in text {
        match byte {
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            b'"' | b'\\' => line.extend(['\\', char::from(byte)]),
            b' '..=b'~' => line.push(char::from(byte)),
            // Writing into a string does not fail.
            _ => _ = write!(line, "\\x{byte:02x}"),
        }
    }
}

/// The same, or a dash for what is not known.
pub(super) fn escape_or_dash(text: &[u8], line: &mut String) {
    match text {
        b"" => line.push('-'),
        text => escape(text, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &[u8]) -> String {
        let mut line = String::new();
        escape(text, &mut line);
        line
    }

    #[test]
    fn no_byte_ends_a_line_or_a_quotation() {
        assert_eq!(escaped(b"/it's?a=%20"), "/it's?a=%20");
        assert_eq!(
            escaped(b"a\"b\\c\n\r\t\0\x1b\x7f\xc3\xa9"),
            "a\\\"b\\\\c\\n\\r\\t\\x00\\x1b\\x7f\\xc3\\xa9"
        );
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert!(
            escaped(&all)
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte))
        );
        let mut line = String::new();
        escape_or_dash(b"", &mut line);
        escape_or_dash(b"a", &mut line);
        assert_eq!(line, "-a");
    }
}
