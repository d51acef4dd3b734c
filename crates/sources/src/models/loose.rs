//! JSON of other tools: numbers are kept as text, and what nobody asks for is passed over unread.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use roundproof_files::json::{JsonError, Misfit, Problem, shorten};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::ModelProblem;

/// A JSON value that was not taken apart yet, and its place.
#[derive(Clone, Debug)]
pub(super) struct Loose<'a> {
    at: String,
    raw: &'a RawValue,
}

/// An object's fields, every key once.
#[derive(Debug)]
pub(super) struct LooseFields<'a> {
    at: String,
    fields: Vec<(String, &'a RawValue)>,
}

/// The entries of an array, and its place.
#[derive(Debug)]
pub(super) struct LooseArray<'a> {
    at: String,
    items: Vec<&'a RawValue>,
}

/// What JSON has no numbers for, as other tools write it, and as a string.
const NOT_FINITE: [(&str, &str); 3] =
    [("-Infinity", "\"-Infinity\""), ("Infinity", "\"Infinity\""), ("NaN", "\"NaN\"")];

/// The document with quotes around what is not finite and has none: what JSON cannot say, XGBoost and Python write so.
pub(super) fn quote_not_finite(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut quoted, mut copied, mut position, mut in_string) = (String::new(), 0, 0, false);
    while position < bytes.len() {
        match bytes[position] {
            b'\\' if in_string => position += 1,
            b'"' => in_string = !in_string,
            b'-' | b'I' | b'N' if !in_string => {
                let rest = &bytes[position..];
                if let Some((word, with_quotes)) = NOT_FINITE.iter().find(|(word, _)| rest.starts_with(word.as_bytes()))
                {
                    quoted += &text[copied..position];
                    quoted += with_quotes;
                    position += word.len();
                    copied = position;
                    continue;
                }
            }
            _ => {}
        }
        position += 1;
    }
    if copied == 0 { text.into() } else { (quoted + &text[copied..]).into() }
}

impl<'a> Loose<'a> {
    /// The whole document: its syntax is checked here, down to the last bracket. What is not finite stands in it as a
    /// string; see [`quote_not_finite`].
    pub(super) fn root(text: &'a str) -> Result<Loose<'a>, ModelProblem> {
        let raw = serde_json::from_str(text).map_err(|error| ModelProblem::Json(JsonError::of(&error)))?;
        Ok(Loose { at: String::new(), raw })
    }

    fn misfit<T>(&self, expected: &'static str) -> Result<T, Misfit> {
        let found = match self.raw.get().as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a truth value",
            Some(b'n') => "null",
            _ => "a number",
        };
        Err(Misfit { at: self.at.clone(), problem: Problem::Type { expected, found } })
    }

    fn parse<T: Deserialize<'a>>(&self, first: u8, expected: &'static str) -> Result<T, Misfit> {
        if self.raw.get().as_bytes().first() != Some(&first) {
            return self.misfit(expected);
        }
        // The syntax was found right already; what is left is a key that is there twice, or half a surrogate pair.
        serde_json::from_str(self.raw.get()).map_err(|error| self.refuse(error.to_string()))
    }

    /// This value, refused.
    pub(super) fn refuse(&self, reason: String) -> Misfit {
        let value = format!("`{}`", shorten(self.raw.get()));
        Misfit { at: self.at.clone(), problem: Problem::Value { value, reason } }
    }

    pub(super) fn object(self) -> Result<LooseFields<'a>, Misfit> {
        let Entries(fields) = self.parse(b'{', "an object")?;
        Ok(LooseFields { at: self.at, fields })
    }

    pub(super) fn array(self) -> Result<LooseArray<'a>, Misfit> {
        Ok(LooseArray { items: self.parse(b'[', "an array")?, at: self.at })
    }

    pub(super) fn text(self) -> Result<String, Misfit> {
        self.parse(b'"', "a string")
    }

    /// A number, as it is written.
    pub(super) fn written(self) -> Result<String, Misfit> {
        match self.raw.get().as_bytes().first() {
            Some(b'-' | b'0'..=b'9') => Ok(self.raw.get().to_string()),
            _ => self.misfit("a number"),
        }
    }

    /// A whole number that is not negative.
    pub(super) fn natural(self) -> Result<u64, Misfit> {
        let text = self.clone().written()?;
        text.parse().map_err(|_| self.refuse("is not a count".to_string()))
    }

    /// A count that is written as a string, as XGBoost does.
    pub(super) fn count(self) -> Result<usize, Misfit> {
        let refused = self.clone();
        self.text()?.parse().map_err(|_| refused.refuse("is not a count".to_string()))
    }
}

impl<'a> LooseFields<'a> {
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == key)
    }

    fn place(&self, key: &str) -> String {
        if self.at.is_empty() { shorten(key) } else { format!("{}.{}", self.at, shorten(key)) }
    }

    /// The field `key`.
    pub(super) fn get(&self, key: &str) -> Result<Loose<'a>, Misfit> {
        self.optional(key).ok_or_else(|| Misfit { at: self.place(key), problem: Problem::Missing })
    }

    /// The field `key`, if it is there.
    pub(super) fn optional(&self, key: &str) -> Option<Loose<'a>> {
        let (_, raw) = self.fields.iter().find(|(name, _)| name == key)?;
        Some(Loose { at: self.place(key), raw })
    }

    /// Refuses fields other than these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Misfit> {
        match self.fields.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let known = known.iter().map(ToString::to_string).collect();
                Err(Misfit { at: self.place(name), problem: Problem::Unknown { known } })
            }
        }
    }
}

impl<'a> LooseArray<'a> {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The entry at `index`, which is there.
    pub(super) fn get(&self, index: usize) -> Loose<'a> {
        Loose { at: format!("{}[{index}]", self.at), raw: self.items[index] }
    }

    /// The values, one by one.
    pub(super) fn iter(&self) -> impl Iterator<Item = Loose<'a>> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The number at `index`, which is there, as it is written; of what is not finite, the word.
    pub(super) fn number(&self, index: usize) -> Result<&'a str, Misfit> {
        let text = self.items[index].get();
        if let Some(word) = NOT_FINITE.iter().find(|(_, quoted)| text == *quoted).map(|(word, _)| *word) {
            return Ok(word);
        }
        if text.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
            return Ok(text);
        }
        self.get(index).misfit("a number")
    }

    /// The integer at `index`, which is there.
    pub(super) fn integer(&self, index: usize) -> Result<i64, Misfit> {
        self.number(index)?.parse().map_err(|_| self.get(index).refuse("is not an integer".to_string()))
    }

    /// The truth value, or 0 or 1, at `index`, which is there.
    pub(super) fn truth(&self, index: usize) -> Result<bool, Misfit> {
        match self.items[index].get() {
            "0" | "false" => Ok(false),
            "1" | "true" => Ok(true),
            _ => Err(self.get(index).refuse("is neither 0 nor 1".to_string())),
        }
    }
}

/// The fields of an object, their values unread.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<'a>, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for EntriesVisitor<'a> {
    type Value = Entries<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'a>, A::Error> {
        let (mut entries, mut keys) = (Vec::new(), HashSet::new());
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                let twice = format!("the key `{}` is there twice", shorten(&key));
                return Err(serde::de::Error::custom(twice));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Entries(entries))
    }
}
