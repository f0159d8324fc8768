//! Why settings cannot be used, each in one line: file, line and column, what is wrong, what to do.

use std::{fmt, io, path::PathBuf};

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists, and whoever runs hostler may not read it.
    #[error("{}: permission denied; the user that runs hostler must be able to read it", path.display())]
    Denied {
        /// As it was given.
        path: PathBuf,
    },
    /// The name of a directory was given.
    #[error("{}: is a directory; name a settings file", path.display())]
    Directory {
        /// As it was given.
        path: PathBuf,
    },
    /// The file was read, and what it says is not good.
    #[error("{}{}: {message}", path.display(), Suffix(position))]
    Invalid {
        /// As it was given.
        path: PathBuf,
        /// Where; `None` when the fault is that something is absent.
        position: Option<Position>,
        /// What is wrong and what to do, in one line.
        message: String,
    },
    /// There is no such file.
    #[error("{}: no such file; name the settings file of a site", path.display())]
    Missing {
        /// As it was given.
        path: PathBuf,
    },
    /// The file cannot be read for another reason.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ConfigError {
    /// What it means that a file could not be read.
    pub(super) fn unreadable(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::IsADirectory => Self::Directory { path },
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::PermissionDenied => Self::Denied { path },
            _ => Self::Unreadable { path, source },
        }
    }
}

/// A place in a file as editors count: both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Position {
    /// The place of a byte in a text.
    pub(super) fn of(offset: usize, text: &str) -> Self {
        // Offsets of the parser are at the boundary of a character; of anything else the end is near enough.
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// A position as it stands behind the name of a file.
struct Suffix<'a>(&'a Option<Position>);

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Position { line, column }) => write!(formatter, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// Settings whose values do not go together, and the key that is to blame.
///
/// It knows no file, since `hostler run` has none; the loader turns it into a [`ConfigError`] with line and column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// From the section inwards; an entry of a list by its number, from 0.
    pub key: Vec<String>,
    /// Which half of `key = value` to point at.
    pub part: Part,
    /// What is wrong and what to do, in one line.
    pub message: String,
}

/// One half of `key = value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The key should not be there.
    Key,
    /// The key is right, its value is not.
    Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(offset: usize, text: &str, line: usize, column: usize) {
        assert_eq!(Position::of(offset, text), Position { line, column });
    }

    #[test]
    fn positions_count_from_one_and_in_characters() {
        check(0, "", 1, 1);
        check(4, "a\nbcd", 2, 3);
        check(2, "a\nb", 2, 1);
        check(3, "éx", 1, 3);
        check(1, "é", 1, 2);
        check(99, "a\r\nb", 2, 2);
    }
}
