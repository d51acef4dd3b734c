//! The header of an array: a dictionary in Python's notation.
//!
//! ```text
//! {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), }
//! ```

use roundproof_files::json::shorten;

use super::{Dtype, MAGIC, NumpyProblem};

/// The longest header that is read. Those of arrays without fields have about a hundred bytes.
pub(super) const LONGEST: usize = 1 << 16;
/// The most dimensions that are read; NumPy has no more than 64.
const MOST_DIMENSIONS: usize = 64;

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) dtype: Dtype,
    pub(super) fortran: bool,
    pub(super) shape: Vec<u64>,
}

impl Header {
    /// The header that an array begins with, and what comes after.
    pub(super) fn parse<'a>(array: &str, bytes: &'a [u8]) -> Result<(Header, &'a [u8]), NumpyProblem> {
        let wrong = |what| NumpyProblem::Header { array: shorten(array), what };
        let (text, elements) = split(bytes).map_err(wrong)?;
        let mut parser = Parser { rest: text };
        let Entries { descr, fortran, shape } = parser.dictionary().map_err(wrong)?;
        let refuse = |dtype: &str, (what, remedy)| {
            Err(NumpyProblem::Dtype { array: shorten(array), dtype: shorten(dtype), what, remedy })
        };
        let dtype = match descr {
            Descr::Plain(text) => match Dtype::parse(text) {
                Ok(dtype) => dtype,
                Err(refusal) => return refuse(text, refusal),
            },
            Descr::Fields(text) => {
                return refuse(text, ("records of several fields", "save each field as an array of its own"));
            }
        };
        Ok((Header { dtype, fortran, shape }, elements))
    }
}

/// The text of the header, and what comes after it.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), &'static str> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("is not a NumPy array")?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or("is cut off in its header")?;
    let (length, rest) = match version {
        [1, _] => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or("is cut off in its header")?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        [2 | 3, _] => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or("is cut off in its header")?;
            (usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX), rest)
        }
        _ => return Err("has a version of the format that is not known; 1, 2 and 3 are"),
    };
    if length > LONGEST {
        return Err("has a header of more than 65536 bytes");
    }
    let (text, elements) = rest.split_at_checked(length).ok_or("is cut off in its header")?;
    // Versions 1 and 2 are in Latin-1, but only names of fields can be anything but ASCII.
    let text = std::str::from_utf8(text).map_err(|_| "has a header that is not text")?;
    Ok((text, elements))
}

enum Descr<'a> {
    Plain(&'a str),
    Fields(&'a str),
}

struct Entries<'a> {
    descr: Descr<'a>,
    fortran: bool,
    shape: Vec<u64>,
}

const MALFORMED: &str = "has a malformed header";

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn dictionary(&mut self) -> Result<Entries<'a>, &'static str> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.take('}') {
            let key = self.string()?;
            self.expect(':')?;
            let twice = match key {
                "descr" => descr.replace(self.descr()?).is_some(),
                "fortran_order" => fortran.replace(self.boolean()?).is_some(),
                "shape" => shape.replace(self.shape()?).is_some(),
                _ => return Err("has an unknown entry in its header"),
            };
            if twice {
                return Err("has an entry twice in its header");
            }
            if !self.take(',') {
                self.expect('}')?;
                break;
            }
        }
        if !self.rest.trim().is_empty() {
            return Err(MALFORMED);
        }
        match (descr, fortran, shape) {
            (Some(descr), Some(fortran), Some(shape)) => Ok(Entries { descr, fortran, shape }),
            _ => Err("has no descr, fortran_order or shape in its header"),
        }
    }

    /// Whether `c` comes next after white space, and past it.
    fn take(&mut self, c: char) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, c: char) -> Result<(), &'static str> {
        if self.take(c) { Ok(()) } else { Err(MALFORMED) }
    }

    /// A string without escapes.
    fn string(&mut self) -> Result<&'a str, &'static str> {
        let quote = if self.take('\'') {
            '\''
        } else {
            self.expect('"')?;
            '"'
        };
        let (text, rest) = self.rest.split_once(quote).ok_or(MALFORMED)?;
        if text.contains('\\') {
            return Err(MALFORMED);
        }
        self.rest = rest;
        Ok(text)
    }

    /// A type: a string, or a list whose end is looked for without regard to what is in it.
    fn descr(&mut self) -> Result<Descr<'a>, &'static str> {
        self.rest = self.rest.trim_start();
        if !self.rest.starts_with('[') {
            return self.string().map(Descr::Plain);
        }
        let (mut depth, mut quote) = (0usize, None);
        for (position, c) in self.rest.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '[') => depth += 1,
                (None, ']') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let (fields, rest) = self.rest.split_at(position + 1);
                self.rest = rest;
                return Ok(Descr::Fields(fields));
            }
        }
        Err(MALFORMED)
    }

    fn boolean(&mut self) -> Result<bool, &'static str> {
        self.rest = self.rest.trim_start();
        for (text, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(text) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(MALFORMED)
    }

    fn shape(&mut self) -> Result<Vec<u64>, &'static str> {
        self.expect('(')?;
        let mut shape = Vec::new();
        while !self.take(')') {
            if shape.len() == MOST_DIMENSIONS {
                return Err("has more than 64 dimensions");
            }
            self.rest = self.rest.trim_start();
            let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
            let (digits, rest) = self.rest.split_at(end);
            shape.push(digits.parse().map_err(|_| MALFORMED)?);
            // Python 2 wrote long integers so.
            self.rest = rest.strip_prefix('L').unwrap_or(rest);
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(shape)
    }
}
