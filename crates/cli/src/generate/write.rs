//! Rows as a table in one of the notations.

use std::io::{self, Seek, Write};

use anyhow::{Result, bail};
use roundproof_construct::generate::{Generator, Recipe};
use roundproof_exact::text::exact_decimal;
use roundproof_format::{Encoding, Format};
use roundproof_softfloat::{Unpacked, decode, encode};
use roundproof_sources::numpy::{self, ArchiveWriter, Dtype};
use roundproof_sources::table::Kind as Notation;
use rustc_hash::FxHashMap;

/// The most texts, and the most elements, that are kept.
const MOST_KEPT: usize = 1 << 16;

/// The type of elements for a data set, in a notation that has types.
pub fn dtype(notation: Notation, generator: &Generator) -> Result<Option<Dtype>> {
    if notation == Notation::Csv {
        return Ok(None);
    }
    if generator.is_bytes() {
        return Ok(Some(Dtype::U8));
    }
    let format = generator.recipe().format;
    match numpy::narrowest(format) {
        None => {
            bail!("binary64, the widest type of NumPy's that is written, has not every value of {format}; write a .csv")
        }
        some => Ok(some),
    }
}

/// A file that takes rows.
pub struct Sink<W: Write + Seek> {
    out: Out<W>,
    format: Format,
    /// Of encodings, for a text.
    texts: FxHashMap<u128, String>,
    /// Of encodings, as elements.
    elements: FxHashMap<u128, u64>,
    buffer: Vec<u8>,
    /// The bytes of the labels so far, where they come after all inputs.
    labels: Vec<u8>,
}

enum Out<W: Write + Seek> {
    Csv(W),
    Npy(W, Dtype),
    Npz(Box<ArchiveWriter<W>>, Dtype),
}

impl<W: Write + Seek> Sink<W> {
    /// Begins a file for the rows of `recipe`.
    pub fn new(mut out: W, notation: Notation, dtype: Option<Dtype>, recipe: &Recipe) -> io::Result<Sink<W>> {
        let &Recipe { rows, dimension, format, .. } = recipe;
        let out = match (notation, dtype) {
            (Notation::Npy, Some(dtype)) => {
                out.write_all(&numpy::header(dtype, &[rows, dimension + 1]))?;
                Out::Npy(out, dtype)
            }
            (Notation::Npz, Some(dtype)) => {
                let mut archive = ArchiveWriter::new(out);
                archive.start("x", dtype, &[rows, dimension])?;
                Out::Npz(Box::new(archive), dtype)
            }
            _ => {
                for input in 0..dimension {
                    write!(out, "x{input},")?;
                }
                out.write_all(b"label\n")?;
                Out::Csv(out)
            }
        };
        let (texts, elements) = (FxHashMap::default(), FxHashMap::default());
        Ok(Sink { out, format, texts, elements, buffer: Vec::new(), labels: Vec::new() })
    }

    /// Appends a row.
    pub fn row(&mut self, inputs: &[Encoding], label: Encoding) -> io::Result<()> {
        self.buffer.clear();
        match &mut self.out {
            Out::Csv(out) => {
                for (index, &value) in inputs.iter().chain([&label]).enumerate() {
                    if index > 0 {
                        self.buffer.push(b',');
                    }
                    push_text(&mut self.buffer, &mut self.texts, self.format, value);
                }
                self.buffer.push(b'\n');
                out.write_all(&self.buffer)
            }
            Out::Npy(out, dtype) => {
                inputs
                    .iter()
                    .chain([&label])
                    .for_each(|&value| push(&mut self.buffer, &mut self.elements, *dtype, self.format, value));
                out.write_all(&self.buffer)
            }
            Out::Npz(archive, dtype) => {
                inputs.iter().for_each(|&value| push(&mut self.buffer, &mut self.elements, *dtype, self.format, value));
                push(&mut self.labels, &mut self.elements, *dtype, self.format, label);
                archive.write_all(&self.buffer)
            }
        }
    }

    /// Ends the file.
    pub fn finish(self) -> io::Result<W> {
        match self.out {
            Out::Csv(out) | Out::Npy(out, _) => Ok(out),
            Out::Npz(mut archive, dtype) => {
                archive.start("label", dtype, &[self.labels.len() / dtype.size()])?;
                archive.write_all(&self.labels)?;
                archive.finish()
            }
        }
    }
}

/// A value, exactly.
fn push_text(buffer: &mut Vec<u8>, texts: &mut FxHashMap<u128, String>, format: Format, value: Encoding) {
    if let Some(text) = texts.get(&value.bits()) {
        buffer.extend_from_slice(text.as_bytes());
        return;
    }
    let text = exact_decimal(format, value);
    buffer.extend_from_slice(text.as_bytes());
    if texts.len() < MOST_KEPT {
        texts.insert(value.bits(), text);
    }
}

/// The bytes of a value as an element.
fn push(buffer: &mut Vec<u8>, elements: &mut FxHashMap<u128, u64>, dtype: Dtype, format: Format, value: Encoding) {
    let bits = match elements.get(&value.bits()) {
        Some(&bits) => bits,
        None => {
            let bits = element(dtype, format, value);
            if elements.len() < MOST_KEPT {
                elements.insert(value.bits(), bits);
            }
            bits
        }
    };
    buffer.extend_from_slice(&bits.to_le_bytes()[..dtype.size()]);
}

/// A value as an element, exactly.
fn element(dtype: Dtype, format: Format, value: Encoding) -> u64 {
    let bits = match (dtype.format(), decode(format, value)) {
        (Some(wide), Unpacked::Finite { negative, significand, exponent }) => {
            encode(wide, negative, significand, exponent).expect("the type has every value of the format").bits()
        }
        // An integer, which has no bits below 1.
        (None, Unpacked::Finite { significand, exponent, .. }) if exponent < 0 => significand >> -exponent,
        (None, Unpacked::Finite { significand, exponent, .. }) => significand << exponent,
        // Zero, which is positive.
        _ => 0,
    };
    // Elements have at most 64 bits.
    bits as u64
}
