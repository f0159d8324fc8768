//! How entries of the access log look.

mod field;
mod template;

use std::{fmt, str::FromStr};

use super::{Notation, ValueError};

pub use field::Field;
pub use template::{Layout, Piece, Template};

/// The form of an access entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessFormat {
    /// `combined`: the common line of web servers, with referrer and user agent.
    Combined,
    /// A text with variables in it.
    Custom(Template),
    /// `json`: one object per line.
    Json,
    /// `uwsgi`: the line that uWSGI writes when it is told nothing else.
    Uwsgi,
}

impl AccessFormat {
    /// What a form with variables is made of.
    pub fn template(&self) -> Option<&Template> {
        match self {
            Self::Custom(template) => Some(template),
            Self::Combined | Self::Json | Self::Uwsgi => None,
        }
    }

    /// Whether the line has one of these.
    pub fn has(&self, fields: &[Field]) -> bool {
        let is_one = |piece: &Piece| match piece {
            Piece::Field(field, _) => fields.contains(field),
            Piece::Text(_) => false,
        };
        self.template()
            .is_some_and(|template| template.pieces.iter().any(is_one))
    }
}

impl fmt::Display for AccessFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Combined => "combined",
            Self::Custom(template) => &template.text,
            Self::Json => "json",
            Self::Uwsgi => "uwsgi",
        })
    }
}

impl FromStr for AccessFormat {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a form of access entries",
            reason,
        })
    }
}

impl Notation for AccessFormat {
    const EXPECTED: &'static str = "a form of access entries like \"combined\"";
    const WORDS: &'static [&'static str] = &["uwsgi", "combined", "json"];
}

fn parse(text: &str) -> Result<AccessFormat, String> {
    match text {
        "combined" => Ok(AccessFormat::Combined),
        "json" => Ok(AccessFormat::Json),
        "uwsgi" => Ok(AccessFormat::Uwsgi),
        text if text.contains(|letter: char| letter.is_control() && letter != '\t') => {
            Err("an entry is one line, so it cannot contain a control character".to_owned())
        }
        text if text.contains("%(") => Template::parse(text).map(AccessFormat::Custom),
        _ => Err(
            "write \"uwsgi\", \"combined\", \"json\", or a text with variables like \"%(method) %(uri)\""
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn forms_are_words_or_have_variables() {
        testing::check("combined", AccessFormat::Combined, "combined");
        testing::check("json", AccessFormat::Json, "json");
        testing::check("uwsgi", AccessFormat::Uwsgi, "uwsgi");
        let text = "%(method) \"%(uri)\" %(h)s";
        let custom: AccessFormat = text.parse().unwrap();
        testing::check(text, custom, text);
        testing::check_refused::<AccessFormat>(
            "plain",
            "write \"uwsgi\", \"combined\", \"json\", or a text with variables like \"%(method) %(uri)\"",
        );
        testing::check_refused::<AccessFormat>(
            "%(uri)\n",
            "an entry is one line, so it cannot contain a control character",
        );
    }

    #[test]
    fn what_a_line_has_is_known() {
        let custom: AccessFormat = "%(rss) %(uri)".parse().unwrap();
        assert!(custom.has(&[Field::Pid, Field::Rss]));
        assert!(!custom.has(&[Field::Pid]) && !AccessFormat::Uwsgi.has(&[Field::Pid]));
    }
}
