//! Media types by the end of a file's name: the site's own `mime-types` files first, then what everybody agrees on.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

/// What is not known is not guessed from its content, and no browser shall do so either.
const UNKNOWN: &str = "application/octet-stream";

/// A file with media types cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("static.mime-types: cannot read {}", path.display())]
pub struct MediaTypesError {
    path: PathBuf,
    source: io::Error,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct MediaTypes {
    /// By extension in small letters.
    own: HashMap<String, String>,
}

impl MediaTypes {
    /// With what these files say, in the format of /etc/mime.types; a later one wins.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(super) fn load(files: &[PathBuf]) -> Result<Self, MediaTypesError> {
        let mut types = Self::default();
        for path in files {
            let text = read(path).map_err(|source| MediaTypesError {
                path: path.clone(),
                source,
            })?;
            types.add(&text);
        }
        Ok(types)
    }

    /// Lines of a type and its extensions; what follows a `#` is a comment.
    fn add(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            let Some(media_type) = words.next().filter(|word| is_media_type(word)) else {
                continue;
            };
            for extension in words {
                let extension = extension.trim_start_matches('.').to_ascii_lowercase();
                self.own.insert(extension, media_type.to_owned());
            }
        }
    }

    /// The type of a file of this name, without parameters.
    pub(super) fn of(&self, name: &[u8]) -> &str {
        let dot = name.iter().rposition(|&byte| byte == b'.' || byte == b'/');
        let extension = dot
            .filter(|&dot| name[dot] == b'.')
            .map(|dot| &name[dot + 1..]);
        let Some(extension) = extension.and_then(|extension| str::from_utf8(extension).ok()) else {
            return UNKNOWN;
        };
        let own = match self.own.is_empty() {
            true => None,
            false => self.own.get(&extension.to_ascii_lowercase()),
        };
        own.map_or_else(
            || {
                mime_guess::from_ext(extension)
                    .first_raw()
                    .unwrap_or(UNKNOWN)
            },
            String::as_str,
        )
    }
}

/// Whether `Content-Type` says that the file is UTF-8. HTML and XML say in themselves what they are, and the header
/// would silence them; JSON has no such parameter (RFC 8259 section 11).
pub(super) fn is_utf8(media_type: &str) -> bool {
    media_type.starts_with("text/") && !matches!(media_type, "text/html" | "text/xml")
}

fn is_media_type(word: &str) -> bool {
    let is_token = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !part.is_empty() && part.bytes().all(is_plain)
    };
    word.split_once('/')
        .is_some_and(|(kind, name)| is_token(kind) && is_token(name))
}

fn read(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(types: &MediaTypes, name: &str, expected: &str) {
        assert_eq!(types.of(name.as_bytes()), expected, "{name}");
    }

    #[test]
    fn what_everybody_agrees_on() {
        let types = MediaTypes::default();
        check(&types, "a.css", "text/css");
        check(&types, "dir/a.HTML", "text/html");
        check(&types, "a.min.js", "text/javascript");
        check(&types, "a.svg", "image/svg+xml");
        check(&types, "a.woff2", "font/woff2");
        check(&types, "a.png", "image/png");
        check(&types, "a.wasm", "application/wasm");
        check(&types, "a.json", "application/json");
        check(&types, "a.txt", "text/plain");
    }

    #[test]
    fn what_nobody_knows() {
        let types = MediaTypes::default();
        for name in ["README", "a.", "a.unheard-of", "dir.css/file", ""] {
            check(&types, name, UNKNOWN);
        }
        assert_eq!(types.of(b"a.\xff"), UNKNOWN);
    }

    #[test]
    fn the_sites_own_win() {
        let mut types = MediaTypes::default();
        types.add("# comment\ntext/x-own  own .OWN2 css # more\nbroken line\n\ntext/x-none\n");
        check(&types, "a.own", "text/x-own");
        check(&types, "a.OWN2", "text/x-own");
        check(&types, "a.css", "text/x-own");
        check(&types, "a.js", "text/javascript");
        check(&types, "a.line", UNKNOWN);
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let error = MediaTypes::load(&["/none/mime.types".into()]).unwrap_err();
        assert!(error.to_string().contains("/none/mime.types"), "{error}");
    }

    #[test]
    fn who_says_that_it_is_utf8() {
        assert!(is_utf8("text/css") && is_utf8("text/plain"));
        assert!(!is_utf8("text/html") && !is_utf8("text/xml") && !is_utf8("image/svg+xml"));
    }
}
