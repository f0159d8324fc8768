//! Values that can be wrong, each a type of its own, parsed from the string in the file.
//!
//! They are apart from the schema because a value that exists is a good one: nothing behind the loader looks at
//! notation again. On the wire (TOML, and JSON between our processes) each is the string that a person would write.
//! What a value may be in the company of others is decided in `check`, not here.

mod access;
mod access_format;
mod address;
mod byte_size;
mod error_status;
mod file_mode;
mod header;
mod log_target;
mod media_type;
mod network;
mod number;
mod one_or_more;
mod pattern;
mod percent;
mod redirect_target;
mod syslog_facility;
mod time_span;
mod trusted_proxy;

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::de::{self, Deserializer, Unexpected, Visitor};

pub use access::AccessFilter;
pub use access_format::{
    AccessFormat, Field as AccessField, Layout as AccessLayout, Piece as AccessPiece,
    Template as AccessTemplate,
};
pub use address::Address;
pub use byte_size::ByteSize;
pub use error_status::ErrorStatus;
pub use file_mode::FileMode;
pub use header::{HeaderLine, HeaderName};
pub use log_target::{HostPort, LogTarget};
pub use media_type::MediaType;
pub use network::Network;
pub use one_or_more::OneOrMore;
pub use pattern::Pattern;
pub use percent::Percent;
pub use redirect_target::RedirectTarget;
pub use syslog_facility::SyslogFacility;
pub use time_span::TimeSpan;
pub use trusted_proxy::TrustedProxy;

/// A text that is not what its key needs: what it should have been, why it is not, and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}: {reason}")]
pub struct ValueError {
    /// As it was given.
    pub text: String,
    /// With its article: "a time span".
    pub kind: &'static str,
    /// What is wrong, and what to write instead.
    pub reason: String,
}

/// A value that is written as a string.
trait Notation: fmt::Display + FromStr<Err = ValueError> {
    /// What is expected, with an example, as it stands in "expected ..., found a boolean".
    const EXPECTED: &'static str;

    /// The words that it can be, or can begin with; a text that is a single word is held against them.
    const WORDS: &'static [&'static str] = &[];

    /// The value for a bare whole number in TOML; `None` for a type that has no unit one could leave out.
    fn from_number(_number: u64) -> Option<Self> {
        None
    }
}

/// Reads a [`Notation`] from a string, and from a whole number where the type allows it.
struct NotationVisitor<T>(PhantomData<T>);

impl<T: Notation> Visitor<'_> for NotationVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match text.parse() {
            Ok(value) => Ok(value),
            // A slip of the hand is told like that of any other word of a fixed set.
            Err(_) if is_word && !T::WORDS.is_empty() && !T::WORDS.contains(&text) => {
                Err(E::unknown_variant(text, T::WORDS))
            }
            Err(error) => Err(E::custom(error)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        T::from_number(number)
            .ok_or_else(|| E::invalid_type(Unexpected::Unsigned(number), &T::EXPECTED))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &T::EXPECTED)),
        }
    }
}

/// Reads a [`Notation`] from any format that knows its own types.
fn deserialize<'de, T: Notation, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(NotationVisitor(PhantomData))
}

/// What editors are told of a [`Notation`]: a string with examples, the words that complete it, a number where one is
/// taken.
fn notation_schema<T: Notation>() -> schemars::Schema {
    let examples: Vec<&str> = T::EXPECTED.split('"').skip(1).step_by(2).collect();
    let mut string = schemars::json_schema!({ "type": "string", "examples": examples });
    let words: Vec<&&str> = T::WORDS
        .iter()
        .filter(|word| word.parse::<T>().is_ok())
        .collect();
    if !words.is_empty() {
        string = schemars::json_schema!({ "anyOf": [{ "enum": words }, string] });
    }
    if T::from_number(1).is_some() {
        string = schemars::json_schema!({
            "anyOf": [string, { "type": "integer", "minimum": 0 }]
        });
    }
    string.insert("description".to_owned(), sentence(T::EXPECTED).into());
    string
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// Gives types that have a [`Notation`] their wire form: the string.
macro_rules! as_string_on_the_wire {
    ($($value:ty),*) => {$(
        impl serde::Serialize for $value {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize(deserializer)
            }
        }

        impl schemars::JsonSchema for $value {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($value).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                notation_schema::<$value>()
            }
        }
    )*};
}

as_string_on_the_wire!(
    AccessFilter,
    AccessFormat,
    Address,
    ByteSize,
    ErrorStatus,
    FileMode,
    HeaderLine,
    HeaderName,
    LogTarget,
    MediaType,
    Network,
    Pattern,
    Percent,
    RedirectTarget,
    TimeSpan,
    TrustedProxy
);

/// Helpers of the tests below each value.
#[cfg(test)]
mod testing {
    use std::fmt::Debug;

    use super::*;

    /// Parses `text`, compares, and goes once around through `Display` and through JSON.
    #[track_caller]
    pub(super) fn check<T>(text: &str, value: T, display: &str)
    where
        T: Notation + Debug + PartialEq + serde::Serialize + de::DeserializeOwned,
    {
        assert_eq!(text.parse::<T>().as_ref(), Ok(&value));
        assert_eq!(value.to_string(), display);
        assert_eq!(display.parse::<T>().as_ref(), Ok(&value));
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(json, format!("{display:?}"));
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
    }

    /// The whole message for a text that is refused.
    #[track_caller]
    pub(super) fn check_refused<T: Notation + Debug>(text: &str, reason: &str) {
        assert_eq!(text.parse::<T>().unwrap_err().reason, reason);
    }
}
