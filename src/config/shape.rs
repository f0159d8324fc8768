//! Asks serde which keys a section has, so that the names of the keys stand in the schema alone.
//!
//! A derived `Deserialize` hands the names of its fields to `deserialize_struct`. [`shape`] deserializes `Settings`
//! from a probe that walks to the wanted place and there answers with these names in place of a value.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};

use super::schema::Settings;

/// What may stand at one place of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One section, with these keys.
    Section(&'static [&'static str]),
    /// Any number of sections under the same name, each with these keys.
    Sections(&'static [&'static str]),
    /// A value, or a table whose keys are the user's own.
    Value,
}

impl Shape {
    /// The keys of a section.
    pub(crate) fn keys(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Section(keys) | Self::Sections(keys) => Some(keys),
            Self::Value => None,
        }
    }
}

/// What the schema has at this place; the path is made of keys, the empty one is the file itself.
pub(crate) fn shape(path: &[&str]) -> Shape {
    match Settings::deserialize(Probe { path }) {
        Err(Answer(shape)) => shape,
        Ok(_) => Shape::Value,
    }
}

/// A deserializer without data, on its way to a place in the schema.
#[derive(Clone, Copy)]
struct Probe<'p> {
    path: &'p [&'p str],
}

/// The answer travels as the error that ends the walk.
#[derive(Debug)]
struct Answer(Shape);

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

impl std::error::Error for Answer {}

impl serde::de::Error for Answer {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self(Shape::Value)
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Answer> {
        Err(Answer(Shape::Value))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_seq(self).map_err(|answer| match answer {
            Answer(Shape::Section(keys)) if self.path.is_empty() => Answer(Shape::Sections(keys)),
            answer => answer,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Answer> {
        if self.path.is_empty() {
            return Err(Answer(Shape::Section(fields)));
        }
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct tuple tuple_struct map enum identifier ignored_any
    }
}

/// A section on the way has one key: the next one of the path.
impl<'de> MapAccess<'de> for Probe<'_> {
    type Error = Answer;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Answer> {
        match self.path.first() {
            Some(key) => seed.deserialize(StrDeserializer::new(key)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Answer> {
        self.path = self.path.get(1..).unwrap_or_default();
        seed.deserialize(*self)
    }
}

/// A list on the way has one entry, at the same place of the schema.
impl<'de> SeqAccess<'de> for Probe<'_> {
    type Error = Answer;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Answer> {
        seed.deserialize(*self).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &[&str], expected: Shape) {
        assert_eq!(shape(path), expected);
    }

    #[test]
    fn sections_are_told_from_values() {
        assert!(matches!(shape(&["workers"]), Shape::Section(_)));
        assert!(shape(&["workers"]).keys().unwrap().contains(&"processes"));
        assert!(matches!(shape(&["workers", "cheaper"]), Shape::Section(_)));
        let timer = shape(&["timer"]).keys().unwrap();
        assert_eq!(timer[..2], ["name", "command"]);
        assert!(matches!(shape(&["listen"]), Shape::Sections(_)));
        check(&["workers", "threads"], Shape::Value);
        check(&["workers", "cheaper", "idle"], Shape::Value);
        check(&["app", "env"], Shape::Value);
        check(&["app", "argv"], Shape::Value);
        check(&["listen", "mode"], Shape::Value);
        check(&["nowhere"], Shape::Value);
        check(&["workers", "nowhere", "at-all"], Shape::Value);
    }

    #[test]
    fn every_section_of_the_file_is_found() {
        for section in shape(&[]).keys().unwrap() {
            assert!(shape(&[section]).keys().is_some(), "{section}");
        }
    }
}
