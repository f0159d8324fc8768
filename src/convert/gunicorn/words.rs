//! A command line as words, as a shell would take it apart.

/// The words of a text: blanks divide them, quotes and backslashes hold them together. Nothing is expanded.
///
/// # Errors
/// A quote that does not end.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                quoted(character, &mut characters, word)?;
            }
            '\\' => word.get_or_insert_default().extend(characters.next()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Reads to the quote that ends what `quote` has begun. Within double quotes a backslash escapes what has a meaning
/// there, within single ones nothing has.
fn quoted(
    quote: char,
    characters: &mut impl Iterator<Item = char>,
    word: &mut String,
) -> Result<(), String> {
    while let Some(character) = characters.next() {
        match character {
            _ if character == quote => return Ok(()),
            '\\' if quote == '"' => match characters.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
                None => break,
            },
            other => word.push(other),
        }
    }
    Err(format!("a quote ({quote}) is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text).unwrap(), expected);
    }

    #[test]
    fn words_are_a_shells() {
        check("a  b\tc\n", &["a", "b", "c"]);
        check(r#"-e 'A=b c' "d'e" f\ g"#, &["-e", "A=b c", "d'e", "f g"]);
        check(r#""a\"b\n" '\' ''"#, &["a\"b\\n", "\\", ""]);
        check(r#"--x="a b"c"#, &["--x=a bc"]);
        check("", &[]);
    }

    #[test]
    fn a_quote_that_does_not_end_is_named() {
        assert_eq!(split("a 'b").unwrap_err(), "a quote (') is not closed");
    }
}
