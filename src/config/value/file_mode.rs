//! Modes of files, octal as chmod(1) takes them.

use std::{fmt, str::FromStr};

use super::{Notation, ValueError};

/// An octal file mode, `"0660"`: read, write and execute for owner, group and others.
///
/// It is a string in the file, never a number: TOML would read `660` as a decimal number and refuses `0660`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMode(pub u32);

impl fmt::Display for FileMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04o}", self.0)
    }
}

impl FromStr for FileMode {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let refuse = |reason: &str| ValueError {
            text: text.to_owned(),
            kind: "a file mode",
            reason: reason.to_owned(),
        };
        // `from_str_radix` would take a sign.
        if text.is_empty() || !text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
            return Err(refuse("write octal digits, for example \"0660\""));
        }
        match u32::from_str_radix(text, 8) {
            Ok(mode @ 0..=0o777) => Ok(Self(mode)),
            _ => Err(refuse(
                "a socket has read, write and execute bits alone, at most \"0777\"",
            )),
        }
    }
}

impl Notation for FileMode {
    const EXPECTED: &'static str = "a file mode in quotes like \"0660\"";
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn modes_are_octal() {
        testing::check("0660", FileMode(0o660), "0660");
        testing::check("666", FileMode(0o666), "0666");
        testing::check("0", FileMode(0), "0000");
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<FileMode>(text, reason);
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        for text in ["", "0o660", "0680", "+660", "rw-rw----"] {
            check_refused(text, "write octal digits, for example \"0660\"");
        }
        for text in ["1777", "77777777777777777"] {
            check_refused(
                text,
                "a socket has read, write and execute bits alone, at most \"0777\"",
            );
        }
    }

    #[test]
    fn a_number_is_refused_because_its_base_is_in_doubt() {
        let error = serde_json::from_str::<FileMode>("660")
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "invalid type: integer `660`, expected a file mode in quotes like \"0660\" at line 1 column 3"
        );
    }
}
