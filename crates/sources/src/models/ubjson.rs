//! XGBoost's binary JSON (UBJSON, draft 12): `save_model("model.ubj")`, and what is saved without an end of its name.
//!
//! It is written out as JSON, so that both are read by one reader. The text takes at most about sixteen times the bytes
//! of the file: a container says how many elements follow, and each takes at least one byte.
//!
//! There are objects, arrays, strings and numbers, all lengths and numbers with the high byte first; an array may give its
//! length, and the type of all of its elements, ahead of them. Numbers of binary32 and binary64 become the shortest
//! decimals that are read back as the same number.

use std::fmt::{Display, Write};

/// The deepest nesting of containers. Models have about ten levels.
const DEEPEST: usize = 100;

/// The document in `bytes` as JSON, in which what is not finite stands as a string.
///
/// # Errors
///
/// The byte at which it is not UBJSON, and what is wrong there.
pub(super) fn to_json(bytes: &[u8]) -> Result<String, (usize, &'static str)> {
    let mut writer = Writer { bytes, position: 0, json: String::new() };
    let written = writer.marker().and_then(|marker| writer.value(marker, 0));
    match written {
        Ok(()) if writer.position == bytes.len() => Ok(writer.json),
        Ok(()) => Err((writer.position, "bytes follow the end of the document")),
        Err(what) => Err((writer.position, what)),
    }
}

const CUT_OFF: &str = "the file ends too early";

struct Writer<'a> {
    bytes: &'a [u8],
    position: usize,
    json: String,
}

/// A container's length and the type of its elements, if they stand ahead of them.
struct Ahead {
    marker: Option<u8>,
    length: Option<usize>,
}

impl<'a> Writer<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (taken, _) = self.bytes[self.position..].split_first_chunk::<N>().ok_or(CUT_OFF)?;
        self.position += N;
        Ok(*taken)
    }

    /// The next marker; those that mean nothing are passed over.
    fn marker(&mut self) -> Result<u8, &'static str> {
        loop {
            let [marker] = self.take()?;
            if marker != b'N' {
                return Ok(marker);
            }
        }
    }

    /// Whether `marker` comes next, and past it.
    fn is_next(&mut self, marker: u8) -> bool {
        let next = self.bytes.get(self.position) == Some(&marker);
        self.position += usize::from(next);
        next
    }

    fn integer(&mut self, marker: u8) -> Result<Option<i64>, &'static str> {
        Ok(Some(match marker {
            b'i' => i64::from(i8::from_be_bytes(self.take()?)),
            b'U' => i64::from(u8::from_be_bytes(self.take()?)),
            b'I' => i64::from(i16::from_be_bytes(self.take()?)),
            b'l' => i64::from(i32::from_be_bytes(self.take()?)),
            b'L' => i64::from_be_bytes(self.take()?),
            _ => return Ok(None),
        }))
    }

    /// A length, which is not beyond the bytes that are left.
    fn length(&mut self) -> Result<usize, &'static str> {
        let marker = self.marker()?;
        let length = self.integer(marker)?.ok_or("a length is not an integer")?;
        let length = usize::try_from(length).map_err(|_| "a length is negative")?;
        if length > self.bytes.len() - self.position { Err(CUT_OFF) } else { Ok(length) }
    }

    fn text(&mut self) -> Result<&'a str, &'static str> {
        let length = self.length()?;
        let text = &self.bytes[self.position..self.position + length];
        self.position += length;
        std::str::from_utf8(text).map_err(|_| "a string is not UTF-8")
    }

    /// A finite number, or the word for one that is not, as a string.
    fn number(&mut self, finite: bool, number: impl Display) {
        let quote = if finite { "" } else { "\"" };
        let word = match number.to_string() {
            word if finite => word,
            word if word == "inf" => "Infinity".to_string(),
            word if word == "-inf" => "-Infinity".to_string(),
            _ => "NaN".to_string(),
        };
        // Writing to a string does not fail.
        let _ = write!(self.json, "{quote}{word}{quote}");
    }

    fn string(&mut self, text: &str) {
        self.json.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.json.extend(['\\', c]),
                '\0'..='\x1f' => {
                    let _ = write!(self.json, "\\u{:04x}", u32::from(c));
                }
                c => self.json.push(c),
            }
        }
        self.json.push('"');
    }

    fn value(&mut self, marker: u8, depth: usize) -> Result<(), &'static str> {
        if depth > DEEPEST {
            return Err("containers are nested too deeply");
        }
        match marker {
            b'Z' => self.json.push_str("null"),
            b'T' => self.json.push_str("true"),
            b'F' => self.json.push_str("false"),
            b'd' => {
                let number = f32::from_be_bytes(self.take()?);
                self.number(number.is_finite(), format_args!("{number:e}"));
            }
            b'D' => {
                let number = f64::from_be_bytes(self.take()?);
                self.number(number.is_finite(), format_args!("{number:e}"));
            }
            b'S' => {
                let text = self.text()?;
                self.string(text);
            }
            b'[' => self.array(depth)?,
            b'{' => self.object(depth)?,
            b'C' | b'H' => return Err("characters and long decimals are not read"),
            _ => {
                let number = self.integer(marker)?.ok_or("there is no such marker of a value")?;
                self.number(true, number);
            }
        }
        Ok(())
    }

    fn ahead(&mut self) -> Result<Ahead, &'static str> {
        let marker = if self.is_next(b'$') { Some(self.take::<1>()?[0]) } else { None };
        // Elements without a byte of their own could be any number.
        if marker.is_some_and(|marker| !b"iUIlLdDS[{".contains(&marker)) {
            return Err("a container is of elements that take no bytes, or of an unknown type");
        }
        let length = if self.is_next(b'#') { Some(self.length()?) } else { None };
        if marker.is_some() && length.is_none() {
            return Err("a container has a type and no length");
        }
        Ok(Ahead { marker, length })
    }

    fn array(&mut self, depth: usize) -> Result<(), &'static str> {
        let ahead = self.ahead()?;
        self.json.push('[');
        let mut count = 0;
        loop {
            while ahead.length.is_none() && self.is_next(b'N') {}
            if ahead.length == Some(count) || (ahead.length.is_none() && self.is_next(b']')) {
                break;
            }
            if count > 0 {
                self.json.push(',');
            }
            let marker = ahead.marker.map_or_else(|| self.marker(), Ok)?;
            self.value(marker, depth + 1)?;
            count += 1;
        }
        self.json.push(']');
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), &'static str> {
        let ahead = self.ahead()?;
        self.json.push('{');
        let mut count = 0;
        loop {
            if ahead.length == Some(count) || (ahead.length.is_none() && self.is_next(b'}')) {
                break;
            }
            if count > 0 {
                self.json.push(',');
            }
            let key = self.text()?;
            self.string(key);
            self.json.push(':');
            let marker = ahead.marker.map_or_else(|| self.marker(), Ok)?;
            self.value(marker, depth + 1)?;
            count += 1;
        }
        self.json.push('}');
        Ok(())
    }
}
