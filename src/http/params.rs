//! The query string as a struct. Every error names its parameter and says what would be right; a parameter that the struct
//! does not have is an error too.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, IntoDeserializer, Visitor,
        value::{MapDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

/// Reads a query string, without its `?`.
///
/// # Errors
/// What is wrong with which parameter.
pub(super) fn read<T: DeserializeOwned>(query: &str) -> Result<T, String> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let pairs = pairs.map(|(name, text)| {
        let value = Value {
            name: name.clone(),
            text,
        };
        (Name(name), value)
    });
    T::deserialize(MapDeserializer::new(pairs)).map_err(|Wrong(what)| what)
}

/// What is wrong.
#[derive(Debug)]
struct Wrong(String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self(what.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = expected.join("`, `");
        let field: String = field.chars().take(100).collect();
        Self(format!(
            "there is no parameter `{field}`; known are `{known}`"
        ))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(format!(
            "the parameter `{field}` stands twice; send it once"
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("the parameter `{field}` is missing"))
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de> IntoDeserializer<'de, Wrong> for Name<'de> {
    type Deserializer = serde::de::value::CowStrDeserializer<'de, Wrong>;

    fn into_deserializer(self) -> Self::Deserializer {
        self.0.into_deserializer()
    }
}

/// One parameter's text.
struct Value<'a> {
    name: Cow<'a, str>,
    text: Cow<'a, str>,
}

impl Value<'_> {
    fn wrong(&self, what: impl fmt::Display) -> Wrong {
        let text: String = self.text.chars().take(100).collect();
        Wrong(format!(
            "the parameter `{}` is `{}`; {what}",
            self.name,
            text.escape_debug()
        ))
    }

    fn parse<T: std::str::FromStr>(&self, right: &str) -> Result<T, Wrong> {
        self.text.parse().map_err(|_| self.wrong(right))
    }
}

impl<'de> IntoDeserializer<'de, Wrong> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $right:literal,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit(self.parse($right)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Wrong;

    numbers! {
        deserialize_u8 visit_u8 "use a whole number from 0 to 255",
        deserialize_u16 visit_u16 "use a whole number from 0 to 65535",
        deserialize_u32 visit_u32 "use a whole number, 0 or more",
        deserialize_u64 visit_u64 "use a whole number, 0 or more",
        deserialize_i8 visit_i8 "use a whole number from -128 to 127",
        deserialize_i16 visit_i16 "use a whole number from -32768 to 32767",
        deserialize_i32 visit_i32 "use a whole number",
        deserialize_i64 visit_i64 "use a whole number",
        deserialize_f32 visit_f32 "use a number",
        deserialize_f64 visit_f64 "use a number",
        deserialize_bool visit_bool "use `true` or `false`",
    }

    /// Texts, and what has a form in text: times, names.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let read = visitor.visit_str::<Wrong>(&self.text);
        read.map_err(|Wrong(what)| self.wrong(what))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let text: StrDeserializer<'_, Wrong> = (*self.text).into_deserializer();
        let read = visitor.visit_enum(text);
        read.map_err(|_| self.wrong(format!("use one of `{}`", variants.join("`, `"))))
    }

    /// The struct has no field of this name.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Wrong> {
        Err(Wrong(format!("there is no parameter `{}`", self.name)))
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Manual,
        Failures,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Wanted {
        limit: Option<u32>,
        paused: Option<bool>,
        since: Option<DateTime<Utc>>,
        kind: Option<Kind>,
        q: Option<String>,
    }

    #[test]
    fn parameters_of_every_kind_are_read() {
        let query = "limit=5&paused=true&since=2026-01-02T03:04:05Z&kind=failures&q=a%20b%26c";
        let wanted: Wanted = read(query).unwrap();
        assert_eq!((wanted.limit, wanted.paused), (Some(5), Some(true)));
        assert_eq!(wanted.since.unwrap().timestamp(), 1_767_323_045);
        assert_eq!(wanted.kind, Some(Kind::Failures));
        assert_eq!(wanted.q.as_deref(), Some("a b&c"));
        assert_eq!(read::<Wanted>("").unwrap(), Wanted::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, parts) in [
            ("limit=x", ["`limit`", "whole number"]),
            ("limit=-1", ["`limit`", "0 or more"]),
            ("limit=99999999999", ["`limit`", "whole number"]),
            ("limit=", ["`limit`", "whole number"]),
            ("paused=yes", ["`paused`", "`true` or `false`"]),
            ("since=yesterday", ["`since`", "`yesterday`"]),
            ("kind=other", ["`kind`", "`manual`, `failures`"]),
            ("limits=5", ["no parameter", "`limits`"]),
            ("limit=1&limit=2", ["`limit`", "twice"]),
        ] {
            let said = read::<Wanted>(query).unwrap_err();
            assert!(
                parts.iter().all(|part| said.contains(part)),
                "{query}: {said}"
            );
        }
    }
}
