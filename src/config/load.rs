//! From a file to settings that were checked, in the one order of steps that every command uses.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    document::{Document, error_in},
    error::{ConfigError, Part, Position, Problem},
    explain, keys,
    schema::Settings,
};

/// A settings file that was read: what it says, and where.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    /// As it was given.
    path: PathBuf,
    text: String,
    /// Checked, with absolute paths.
    pub settings: Settings,
}

impl SettingsFile {
    /// Reads the settings file of a site.
    ///
    /// # Errors
    /// As [`load`].
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let settings = parse(&text, path)?;
        Ok(Self {
            path: path.to_owned(),
            text,
            settings,
        })
    }

    /// Where a key stands, or the innermost section on the way to it that the file has.
    pub fn position(&self, key: &[String], part: Part) -> Option<Position> {
        let text = without_mark(&self.text);
        let document = Document::parse(&self.path, text).ok()?;
        let place = document.place_of(key, part)?;
        Some(Position::of(place.start, text))
    }
}

/// Reads the settings file of a site.
///
/// # Errors
/// The file cannot be read, is not TOML in UTF-8, has a key or a value that the schema does not know, or values that
/// do not go together. The error is one line with the file's name and, where there is one, the place in it.
pub fn load(path: &Path) -> Result<Settings, ConfigError> {
    SettingsFile::open(path).map(|file| file.settings)
}

/// The text of a settings file.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    let bytes = fs::read(path).map_err(|source| ConfigError::unreadable(path.into(), source))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            let message = "this byte is not UTF-8; save the file in UTF-8";
            Err(error_in(path, &text, Some(good..good), message))
        }
    }
}

/// Reads settings from a text that is, or could be, the content of the file at `path`.
///
/// # Errors
/// As [`load`], but for reading.
pub fn parse(text: &str, path: &Path) -> Result<Settings, ConfigError> {
    let text = without_mark(text);
    let document = Document::parse(path, text)
        .map_err(|error| error_in(path, text, error.span(), &explain::syntax(text, &error)))?;
    keys::check(&document)?;
    let settings = document
        .settings()
        .map_err(|error| explain::value(&document, &error))?;
    let directory = directory_of(path)?;
    settings
        .checked(&directory)
        .map_err(|problem| document.error_of(&problem))
}

/// Editors on other systems put a byte order mark in front; it is no column.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl Settings {
    /// Settings whose values go together, with every path absolute: the last step of loading, and the only one for
    /// settings that come from no file. `directory` is what relative paths count from, itself absolute.
    ///
    /// # Errors
    /// The first rule that the values break.
    pub fn checked(mut self, directory: &Path) -> Result<Self, Problem> {
        self.check()?;
        // Paths travel to the workers as JSON, which knows text alone.
        if directory.to_str().is_none() {
            return Err(Problem {
                key: Vec::new(),
                part: Part::Value,
                message: format!("{} is not UTF-8; rename the directory", directory.display()),
            });
        }
        self.resolve_paths(directory);
        Ok(self)
    }
}

/// The directory that a file is in, absolute, as it was named: a symbolic link is not followed.
fn directory_of(path: &Path) -> Result<PathBuf, ConfigError> {
    let mut directory = std::path::absolute(path).map_err(|source| ConfigError::Unreadable {
        path: path.into(),
        source,
    })?;
    directory.pop();
    Ok(directory)
}
