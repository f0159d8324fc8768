//! What clients have sent, in a line that they can neither end nor forge, and that does nothing to a terminal.

use std::fmt::Write as _;

/// Printable ASCII as it is, but for backslashes and quotation marks, which get a backslash; every other byte as `\xff`,
/// line ends and tabs by their letters.
pub(super) fn escape(text: &[u8], line: &mut String) {
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

/// The same, alone.
pub(super) fn escaped(text: &[u8]) -> String {
    let mut line = String::with_capacity(text.len());
    escape(text, &mut line);
    line
}

/// The same, or a dash for what is not known.
pub(super) fn or_dash(text: &[u8]) -> String {
    match text {
        b"" => "-".to_owned(),
        text => escaped(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(or_dash(b""), "-");
    }
}
