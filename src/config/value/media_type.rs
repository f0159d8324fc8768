//! Media types, one or a family of them.

use std::{fmt, str::FromStr};

use super::{Notation, ValueError};

/// A media type without parameters (RFC 9110 section 8.3.1), `"text/css"`, or all of a kind, `"text/*"`. In lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType(String);

impl MediaType {
    /// Whether a `Content-Type` is meant; its parameters do not matter, nor does upper or lower case.
    pub fn matches(&self, content_type: &[u8]) -> bool {
        let end = content_type.iter().position(|&byte| byte == b';');
        let essence = content_type[..end.unwrap_or(content_type.len())].trim_ascii();
        match self.0.strip_suffix('*') {
            Some(kind) => essence
                .get(..kind.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(kind.as_bytes())),
            None => essence.eq_ignore_ascii_case(self.0.as_bytes()),
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for MediaType {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_part);
        match text.split_once('/') {
            Some((kind, subtype)) if is_name(kind) && (subtype == "*" || is_name(subtype)) => {
                Ok(Self(text.to_ascii_lowercase()))
            }
            _ => Err(ValueError {
                text: text.to_owned(),
                kind: "a media type",
                reason: "write for example \"text/css\", or \"text/*\" for every kind of text"
                    .to_owned(),
            }),
        }
    }
}

impl Notation for MediaType {
    const EXPECTED: &'static str = "a media type like \"text/css\" or \"text/*\"";
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[track_caller]
    fn check_match(media: &str, content_type: &str, expected: bool) {
        let media: MediaType = media.parse().unwrap();
        assert_eq!(media.matches(content_type.as_bytes()), expected);
    }

    #[test]
    fn a_type_is_compared_without_its_parameters() {
        check_match("text/css", "text/css", true);
        check_match("text/CSS", "Text/css ; charset=utf-8", true);
        check_match("text/*", "text/html;charset=utf-8", true);
        check_match("text/*", "textile/html", false);
        check_match("text/css", "text/css2", false);
        check_match("text/css", "", false);
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        testing::check("text/*", MediaType("text/*".to_owned()), "text/*");
        for text in [
            "",
            "text",
            "text/",
            "/css",
            "*",
            "*/*",
            "text/css; a=b",
            "text/c ss",
        ] {
            testing::check_refused::<MediaType>(
                text,
                "write for example \"text/css\", or \"text/*\" for every kind of text",
            );
        }
    }
}
