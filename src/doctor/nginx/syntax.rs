//! nginx's configuration as a tree of directives: words, quotes, comments, blocks, and included files.
//!
//! As lenient as a reader may be who does not run it: what cannot be read is left out, nginx itself says what is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files inside of each other; nginx has no limit, and an endless include would not end.
const DEEPEST: usize = 10;
/// Bytes of one file.
const LARGEST: u64 = 1 << 20;
/// Files altogether.
const MOST_FILES: usize = 500;

/// One directive and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) words: Vec<String>,
    pub(super) block: Vec<Directive>,
    pub(super) file: PathBuf,
    pub(super) line: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Close,
    End,
    Open,
    Word(String),
}

/// A reader of files that include others.
struct Reader {
    /// What relative names count from.
    base: PathBuf,
    files: usize,
}

/// Everything that a configuration says; empty when it is not there or not ours to read.
pub(super) fn read(path: &Path) -> Vec<Directive> {
    let base = path.parent().unwrap_or(Path::new("/")).to_owned();
    let mut reader = Reader { base, files: 0 };
    reader.file(path, 0)
}

/// Every file that has a say in it.
pub(super) fn files(directives: &[Directive]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for directive in directives {
        files.push(directive.file.clone());
        files.extend(self::files(&directive.block));
    }
    files.sort();
    files.dedup();
    files
}

impl Reader {
    fn file(&mut self, path: &Path, depth: usize) -> Vec<Directive> {
        self.files += 1;
        let is_small =
            fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
        if depth > DEEPEST || self.files > MOST_FILES || !is_small {
            return Vec::new();
        }
        let bytes = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut tokens = tokens(&text).into_iter();
        self.directives(&mut tokens, path, depth)
    }

    fn directives(
        &mut self,
        tokens: &mut impl Iterator<Item = (usize, Token)>,
        path: &Path,
        depth: usize,
    ) -> Vec<Directive> {
        let mut found = Vec::new();
        let (mut words, mut line) = (Vec::new(), 0);
        while let Some((at, token)) = tokens.next() {
            let block = match token {
                Token::Word(word) => {
                    if words.is_empty() {
                        line = at;
                    }
                    words.push(word);
                    continue;
                }
                Token::Close => return found,
                Token::End => Vec::new(),
                Token::Open => self.directives(tokens, path, depth),
            };
            let mut words = std::mem::take(&mut words).into_iter();
            let Some(name) = words.next() else { continue };
            let words: Vec<String> = words.collect();
            if name == "include" {
                for file in words
                    .first()
                    .map(|name| self.named(name))
                    .unwrap_or_default()
                {
                    found.extend(self.file(&file, depth + 1));
                }
            }
            let file = path.to_owned();
            found.push(Directive {
                name,
                words,
                block,
                file,
                line,
            });
        }
        found
    }

    /// The files of this name, in which `*` stands for anything.
    fn named(&self, name: &str) -> Vec<PathBuf> {
        let path = self.base.join(name);
        let mut found = vec![PathBuf::from("/")];
        for part in path.components().skip(1) {
            let part = part.as_os_str().to_string_lossy();
            found = match part.contains('*') {
                false => found.into_iter().map(|path| path.join(&*part)).collect(),
                true => found
                    .iter()
                    .flat_map(|path| matching(path, &part))
                    .collect(),
            };
        }
        found
    }
}

/// Entries of a directory whose name is like the pattern, in their order.
fn matching(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_like = |name: &str| is_like(name, pattern) && !name.starts_with('.');
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_like))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// Whether a name is what stands between the stars, in this order.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

/// Each with its line.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let token = match character {
            '\n' => {
                line += 1;
                continue;
            }
            c if c.is_whitespace() => continue,
            '#' => {
                while characters.peek().is_some_and(|c| *c != '\n') {
                    characters.next();
                }
                continue;
            }
            ';' => Token::End,
            '{' => Token::Open,
            '}' => Token::Close,
            first => {
                let begin = line;
                let word = word(first, &mut characters, &mut line);
                found.push((begin, Token::Word(word)));
                continue;
            }
        };
        found.push((line, token));
    }
    found
}

fn word(
    first: char,
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    line: &mut usize,
) -> String {
    let quote = matches!(first, '"' | '\'').then_some(first);
    let mut word = String::new();
    if quote.is_none() {
        word.push(first);
    }
    while let Some(character) = rest.peek().copied() {
        let ends = match quote {
            Some(quote) => character == quote,
            // A variable's name may stand in braces.
            None => {
                character.is_whitespace()
                    || character == ';'
                    || (character == '{' && !word.ends_with('$'))
                    || (character == '}' && !word.contains("${"))
            }
        };
        if ends {
            if quote.is_some() {
                rest.next();
            }
            break;
        }
        rest.next();
        *line += usize::from(character == '\n');
        match (character, rest.peek()) {
            ('\\', Some(next)) => {
                word.push(*next);
                rest.next();
            }
            _ => word.push(character),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(directives: &[Directive]) -> String {
        let shown = |one: &Directive| {
            let words: String = one.words.iter().map(|word| format!(" {word}")).collect();
            let block = match one.block.is_empty() {
                true => String::new(),
                false => format!(" {{{}}}", shown(&one.block)),
            };
            format!("{}:{}{words}{block};", one.line, one.name)
        };
        directives.iter().map(shown).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("conf.d")).unwrap();
        fs::write(directory.path().join("conf.d/b.conf"), "b;").unwrap();
        fs::write(directory.path().join("conf.d/a.conf"), "a;").unwrap();
        fs::write(directory.path().join("conf.d/none"), "none;").unwrap();
        let path = directory.path().join("nginx.conf");
        fs::write(&path, text).unwrap();
        assert_eq!(shown(&read(&path)), expected);
    }

    #[test]
    fn directives_have_words_and_blocks() {
        check(
            "user www-data;\n# no;\nhttp {\n  a 'x y' \"}\" ${v};\n}\n",
            "1:user www-data;3:http {4:a x y } ${v};};",
        );
        check("a\n b;", "1:a b;");
        check("map $a $b { ~*\\.x 1; }", "1:map $a $b {1:~*.x 1;};");
    }

    #[test]
    fn files_are_included_where_they_are_named() {
        check(
            "include conf.d/*.conf; c;",
            "1:a;1:b;1:include conf.d/*.conf;1:c;",
        );
        check("include conf.d/none;", "1:none;1:include conf.d/none;");
    }

    #[test]
    fn an_endless_include_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nginx.conf");
        fs::write(&path, "include nginx.conf; include nginx.conf; c;").unwrap();
        assert!(read(&path).len() < 4 * MOST_FILES);
    }

    #[test]
    fn names_are_like_patterns() {
        for (name, pattern, expected) in [
            ("a.conf", "*.conf", true),
            ("a.conf.bak", "*.conf", false),
            ("a", "*", true),
            ("x-a-y", "x*a*y", true),
            ("x-y", "x*a*y", false),
        ] {
            assert_eq!(is_like(name, pattern), expected, "{name} {pattern}");
        }
    }
}
