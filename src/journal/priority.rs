//! How important an entry is, in the eight steps of syslog(3).

use tracing::Level;

/// A step; a smaller number is more important.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(u8);

impl Priority {
    /// The process cannot go on.
    pub const CRITICAL: Self = Self(2);
    /// It costs a request or the service.
    pub const ERROR: Self = Self(3);
    /// It wants attention.
    pub const WARNING: Self = Self(4);
    /// Normal, and still worth a look.
    pub const NOTICE: Self = Self(5);
    /// The life of the service.
    pub const INFO: Self = Self(6);
    /// For whoever looks for a fault.
    pub const DEBUG: Self = Self(7);

    /// Of a level of Python's `logging`, a number of which 10 is DEBUG and 50 CRITICAL.
    pub fn of_python(level: i64) -> Self {
        match level {
            50.. => Self::CRITICAL,
            40.. => Self::ERROR,
            30.. => Self::WARNING,
            20.. => Self::INFO,
            _ => Self::DEBUG,
        }
    }

    /// Of a request that was answered with this status.
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            500.. => Self::ERROR,
            400.. => Self::NOTICE,
            _ => Self::INFO,
        }
    }

    /// `<3>` at the beginning of a line, as in sd-daemon(3), and what is behind it.
    pub(super) fn prefix(text: &str) -> Option<(Self, &str)> {
        let rest = text.strip_prefix('<')?;
        let (digit, rest) = rest.split_once('>')?;
        let number = digit.parse().ok().filter(|number| *number <= 7)?;
        (digit.len() == 1).then_some((Self(number), rest))
    }

    /// The digit, as journald takes it.
    pub(super) fn digit(self) -> &'static str {
        ["0", "1", "2", "3", "4", "5", "6", "7"][usize::from(self.0 & 7)]
    }

    /// As syslog has it.
    pub(super) fn number(self) -> u8 {
        self.0 & 7
    }

    /// For people, in five columns at the most.
    pub(super) fn name(self) -> &'static str {
        match self.0 {
            0..=3 => "ERROR",
            4 => "WARN",
            5 | 6 => "INFO",
            _ => "DEBUG",
        }
    }
}

impl From<Level> for Priority {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::ERROR,
            Level::WARN => Self::WARNING,
            Level::INFO => Self::INFO,
            _ => Self::DEBUG,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_one_digit_in_brackets() {
        assert_eq!(Priority::prefix("<3>x"), Some((Priority::ERROR, "x")));
        for text in ["x", "<8>x", "<33>x", "<>x", "<a>x", "<3x"] {
            assert_eq!(Priority::prefix(text), None, "{text}");
        }
    }

    #[test]
    fn levels_of_python_and_statuses_have_their_step() {
        let steps = [10, 20, 25, 30, 40, 50].map(|level| Priority::of_python(level).digit());
        assert_eq!(steps, ["7", "6", "6", "4", "3", "2"]);
        let steps = [200, 304, 404, 500].map(|status| Priority::of_status(status).digit());
        assert_eq!(steps, ["6", "6", "5", "3"]);
    }
}
