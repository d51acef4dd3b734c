//! JSON, strictly: every key once, every number a count, every field taken or refused.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use thiserror::Error;

/// A JSON value in which no object has a key twice and every number is an integer in `0..2^64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A count.
    Number(u64),
    /// A string.
    Text(String),
    /// Values in order.
    Array(Vec<Json>),
    /// In the order of the text.
    Object(Vec<(String, Json)>),
}

/// A text that is not JSON, or is it too loosely.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct JsonError(String);

impl JsonError {
    /// What serde_json found.
    pub fn of(error: &serde_json::Error) -> JsonError {
        JsonError(error.to_string())
    }
}

/// A JSON value that is not what should stand there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {problem}", if at.is_empty() { "top level" } else { at.as_str() })]
pub struct Misfit {
    /// The path to the value: `claim.model.order`, `lemmas[2].name`.
    pub at: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// How a JSON value does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// A field that must be there is not.
    #[error("the field is missing")]
    Missing,
    /// A field that nobody knows.
    #[error("unknown field (known: {})", known.join(", "))]
    Unknown {
        /// The fields that may stand there.
        known: Vec<String>,
    },
    /// A value of another JSON type.
    #[error("{expected} is needed, not {found}")]
    Type {
        /// What is needed.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A value of the right type that says nothing sensible.
    #[error("{value}: {reason}")]
    Value {
        /// What is there, shortened.
        value: String,
        /// Why it does not do.
        reason: String,
    },
}

impl Json {
    /// The value that `bytes` hold.
    pub fn parse(bytes: &[u8]) -> Result<Json, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|error| JsonError(format!("is not UTF-8 text: {error}")))?;
        serde_json::from_str(text).map_err(|error| JsonError::of(&error))
    }

    /// The value as text, indented, with a line feed at the end.
    pub fn pretty(&self) -> String {
        // Serializing such a value into memory cannot fail: its keys are strings.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The value as text without white space.
    pub fn compact(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What `text` displays, as a string.
    pub fn text(text: impl fmt::Display) -> Json {
        Json::Text(text.to_string())
    }

    /// A count.
    pub fn count(count: usize) -> Json {
        Json::Number(count as u64)
    }

    /// An array of strings.
    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Json {
        Json::Array(texts.into_iter().map(Json::text).collect())
    }

    /// An object with these fields, in this order.
    pub fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
        Json::Object(fields.map(|(key, value)| (key.to_string(), value)).into())
    }

    fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a truth value",
            Json::Number(_) => "a number",
            Json::Text(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(value) => serializer.serialize_u64(*value),
            Json::Text(value) => serializer.serialize_str(value),
            Json::Array(values) => serializer.collect_seq(values),
            Json::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

struct Strict;

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an array, an object or an integer from 0 to 2^64 - 1")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let (mut fields, mut keys) = (Vec::new(), HashSet::new());
        while let Some(key) = entries.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key `{}` is there twice", shorten(&key))));
            }
            fields.push((key, entries.next_value()?));
        }
        Ok(Json::Object(fields))
    }
}

/// A value and its place.
#[derive(Debug)]
pub struct Field {
    at: String,
    value: Json,
}

/// An object whose fields are taken one by one; what is left at the end is refused.
#[derive(Debug)]
pub struct Fields {
    at: String,
    left: Vec<(String, Json)>,
    known: Vec<String>,
}

impl Field {
    /// The whole document.
    pub fn root(value: Json) -> Field {
        Field { at: String::new(), value }
    }

    fn misfit<T>(at: String, problem: Problem) -> Result<T, Misfit> {
        Err(Misfit { at, problem })
    }

    fn wrong_type<T>(self, expected: &'static str) -> Result<T, Misfit> {
        let found = self.value.kind();
        Field::misfit(self.at, Problem::Type { expected, found })
    }

    /// The fields of an object.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn object(self) -> Result<Fields, Misfit> {
        match self.value {
            Json::Object(left) => Ok(Fields { at: self.at, left, known: Vec::new() }),
            _ => self.wrong_type("an object"),
        }
    }

    /// The elements of an array.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn array(self) -> Result<Vec<Field>, Misfit> {
        match self.value {
            Json::Array(items) => {
                let place = |(index, value)| Field { at: format!("{}[{index}]", self.at), value };
                Ok(items.into_iter().enumerate().map(place).collect())
            }
            _ => self.wrong_type("an array"),
        }
    }

    /// The text of a string.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn text(self) -> Result<String, Misfit> {
        match self.value {
            Json::Text(text) => Ok(text),
            _ => self.wrong_type("a string"),
        }
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// If it is none, or too large.
    pub fn count(self) -> Result<usize, Misfit> {
        match self.value {
            Json::Number(number) => usize::try_from(number).or_else(|_| {
                Field::misfit(self.at, Problem::Value { value: number.to_string(), reason: "too large".to_string() })
            }),
            _ => self.wrong_type("a number"),
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.value == Json::Null
    }

    /// Refuses all but null.
    pub fn null(self) -> Result<(), Misfit> {
        if self.is_null() { Ok(()) } else { self.wrong_type("null") }
    }

    /// Whether it is a string.
    pub fn is_text(&self) -> bool {
        matches!(self.value, Json::Text(_))
    }

    /// What `read` makes of the text.
    pub fn read<T, E: fmt::Display>(self, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Misfit> {
        let at = self.at.clone();
        let text = self.text()?;
        read(&text).or_else(|error| {
            let value = format!("`{}`", shorten(&text));
            Field::misfit(at, Problem::Value { value, reason: error.to_string() })
        })
    }
}

impl Fields {
    fn place(&self, key: &str) -> String {
        if self.at.is_empty() { shorten(key) } else { format!("{}.{}", self.at, shorten(key)) }
    }

    /// The field `key`.
    pub fn take(&mut self, key: &str) -> Result<Field, Misfit> {
        self.take_optional(key).ok_or_else(|| Misfit { at: self.place(key), problem: Problem::Missing })
    }

    /// The field `key`, if it is there.
    pub fn take_optional(&mut self, key: &str) -> Option<Field> {
        self.known.push(key.to_string());
        let index = self.left.iter().position(|(name, _)| name == key)?;
        Some(Field { at: self.place(key), value: self.left.remove(index).1 })
    }

    /// Every field that is left, in the order of the text.
    pub fn take_all(&mut self) -> Vec<(String, Field)> {
        let left = std::mem::take(&mut self.left);
        left.into_iter().map(|(key, value)| (key.clone(), Field { at: self.place(&key), value })).collect()
    }

    /// Refuses what was not taken.
    pub fn finish(self) -> Result<(), Misfit> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Field::misfit(self.place(key), Problem::Unknown { known: self.known }),
        }
    }
}

/// The first characters of a text that may be of any length and content.
pub fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Json::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_json_lets_pass_is_refused() {
        assert!(refused(r#"{"a": 1, "b": {"c": 1, "c": 1}}"#).contains("the key `c` is there twice at line 1"));
        assert!(refused(r#"[{"a": 1, "\u0061": 2}]"#).contains("twice"));
        for number in ["1.0", "1e3", "-1", "-0", "18446744073709551616", "0.5", "1E400"] {
            assert!(refused(number).contains("line 1"), "{number}");
        }
        for text in ["", "{", "{}{}", "[1,]", "nan", "'a'", "{a: 1}", "01", "\"\u{0}\""] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Json::parse(b"\"\xff\"").unwrap_err().to_string().contains("UTF-8"));
        assert!(refused(&"[".repeat(100_000)).contains("recursion limit"));
    }

    #[test]
    fn a_misfit_says_where() {
        let root = || Field::root(Json::parse(br#"{"a": [{"b": 1, "x": null}], "c": "t"}"#).unwrap());
        let mut fields = root().object().unwrap();
        let item = fields.take("a").unwrap().array().unwrap().remove(0);
        let mut inner = item.object().unwrap();
        assert_eq!(inner.take("c").unwrap_err().to_string(), "a[0].c: the field is missing");
        let error = inner.take("b").unwrap().text().unwrap_err();
        assert_eq!(error.to_string(), "a[0].b: a string is needed, not a number");
        assert_eq!(inner.finish().unwrap_err().to_string(), "a[0].x: unknown field (known: c, b)");
        let error = fields.take("c").unwrap().read(|_| Err::<(), _>("no")).unwrap_err();
        assert_eq!(error.to_string(), "c: `t`: no");
        fields.finish().unwrap();
        assert_eq!(root().text().unwrap_err().to_string(), "top level: a string is needed, not an object");
    }
}
