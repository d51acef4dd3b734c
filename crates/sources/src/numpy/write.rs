//! Arrays for NumPy.

use std::io::{self, Seek, Write};

use roundproof_format::Format;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{Dtype, MAGIC};

/// What a `.npy` file in C order begins with; its elements follow. The same bytes as NumPy writes.
pub fn header(dtype: Dtype, shape: &[usize]) -> Vec<u8> {
    let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut text =
        format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({}{comma}), }}", lengths.join(", "));
    // NumPy leaves room for the first length to grow to 20 digits, and then aligns the elements to 64 bytes.
    text.push_str(&" ".repeat(20usize.saturating_sub(lengths.first().map_or(20, String::len)) + 1));
    let before = MAGIC.len() + 4;
    let padded = ((before + text.len() + 1) / 64 + 1) * 64 - before - 1;
    let mut bytes = [MAGIC, &[1, 0]].concat();
    // A header of some dimensions is far shorter than 65536 bytes.
    bytes.extend_from_slice(&((padded + 1) as u16).to_le_bytes());
    bytes.extend_from_slice(format!("{text:padded$}\n").as_bytes());
    bytes
}

/// The narrowest type of floating-point elements that has every value of a format; none if binary64 has not.
pub fn narrowest(format: Format) -> Option<Dtype> {
    let fits = |wide: Format| {
        let (emin, emax) = (i64::from(format.emin()?), format.emax()?);
        let least = |emin: i64, format: Format| emin - i64::from(format.precision());
        let fits = format.precision() <= wide.precision()
            && emax <= wide.emax()?
            && least(emin, format) >= least(wide.emin()?.into(), wide);
        fits.then_some(())
    };
    [Dtype::F16, Dtype::F32, Dtype::F64].into_iter().find(|dtype| dtype.format().and_then(fits).is_some())
}

/// Writes a `.npz` file, array by array: the same bytes for the same arrays, uncompressed and without a date.
pub struct ArchiveWriter<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> ArchiveWriter<W> {
    /// An archive without arrays.
    pub fn new(out: W) -> ArchiveWriter<W> {
        ArchiveWriter(ZipWriter::new(out))
    }

    /// Begins an array in C order. Its elements are what is written next.
    ///
    /// # Errors
    ///
    /// If its header cannot be written.
    pub fn start(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(true);
        self.0.start_file(format!("{name}.npy"), options)?;
        self.0.write_all(&header(dtype, shape))
    }

    /// Ends the archive.
    ///
    /// # Errors
    ///
    /// If its directory cannot be written.
    pub fn finish(self) -> io::Result<W> {
        Ok(self.0.finish()?)
    }
}

impl<W: Write + Seek> Write for ArchiveWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
