//! `roundproof generate`.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use roundproof_construct::generate::{Generator, Kind, Recipe};
use roundproof_files::AtomicFile;
use roundproof_format::{Encoding, Format};
use roundproof_sources::table::Kind as Notation;
use serde::Serialize;

use crate::exit::{self, Exit, Unfinished};
use crate::memory;
use crate::output::{Sheet, count, emit, emit_json};
use crate::parsers;
use crate::progress::Progress;

mod write;

use write::Sink;

/// Inputs between two reports of progress.
const INPUTS_BETWEEN: usize = 1 << 16;

const EXAMPLES: &str = "\
The same options give the same file on every machine. No two rows have the same inputs. Labels are the integers from 0 on, \
in the last column (`label`; of a .npy, the last number).

Kinds:
  clusters       noise around a centre for each class, on the integers from 0 to 255, or as far as the format has them all
  random-labels  any finite values, and labels that have nothing to do with them
  one-ulp        pairs of rows with different labels, one unit in the last place apart in one input
  subnormals     subnormal values and zero
  extremes       the largest and the smallest values, zero, 1 and -1

A .csv holds every format; .npy and .npz those whose values binary64 has, in the narrowest of uint8, float16, float32 and \
float64 that has them.

Exit codes: 0 written, 2 a wrong command line, or a file that cannot be written.

Examples:
  roundproof generate --rows 60000 --dimension 784 --format bfloat16 --out mnist-like.npz
  roundproof generate --kind one-ulp --rows 100 --dimension 3 --classes 2 --format float8_e4m3 --out pairs.csv";

/// Make up a table for tests and measurements, of any size
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Generate {
    /// How many rows
    #[arg(short, long, value_name = "N")]
    rows: usize,
    /// How many inputs a row has
    #[arg(short, long, value_name = "D")]
    dimension: usize,
    /// How many different labels
    #[arg(short, long, value_name = "C", default_value_t = 10)]
    classes: usize,
    /// For clusters: how much further apart the centres are in an input, on average, than the noise reaches
    #[arg(long, value_name = "S", default_value_t = 4)]
    separation: u32,
    /// Which of many such tables
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The floating-point format whose values are in the table; see `roundproof formats`
    #[arg(short, long)]
    format: Format,
    /// What the rows are like
    #[arg(short, long, default_value = "clusters", value_parser = parsers::made_up())]
    kind: Kind,
    /// The file to write: .csv, .npy or .npz
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// What `generate` says.
#[derive(Serialize)]
struct Report {
    file: String,
    kind: &'static str,
    format: String,
    rows: usize,
    inputs: usize,
    classes: usize,
    separation: Option<u32>,
    seed: u64,
    /// The type of the elements of arrays.
    dtype: Option<String>,
    bytes: u64,
    seconds: f64,
}

impl Generate {
    /// Makes up the rows and writes them.
    pub fn execute(self) -> Result<Exit> {
        let since = Instant::now();
        let Some(notation) = Notation::of_name(&self.out) else {
            bail!("{}: ends neither with .csv nor with .npy nor with .npz; name the file so", self.out.display());
        };
        // What tells rows apart; rows themselves are not kept.
        let needed = (self.rows as u64).saturating_mul(64);
        memory::ensure("telling so many rows apart", needed, "take fewer rows")?;
        // A row as it is made and as it is written, and what clusters lie around.
        let centres = if self.kind == Kind::Clusters { self.classes } else { 0 };
        let needed = (self.dimension as u64).saturating_mul((centres as u64).saturating_add(4)).saturating_mul(16);
        memory::ensure("rows of so many inputs", needed, "take fewer inputs or classes")?;
        let recipe = Recipe {
            kind: self.kind,
            rows: self.rows,
            dimension: self.dimension,
            classes: self.classes,
            separation: self.separation,
            seed: self.seed,
            format: self.format,
        };
        let generator = Generator::new(recipe)?;
        let dtype = write::dtype(notation, &generator).with_context(|| self.out.display().to_string())?;
        self.write(generator, notation, dtype)?;
        let report = Report {
            file: self.out.display().to_string(),
            kind: self.kind.name(),
            format: self.format.to_string(),
            rows: self.rows,
            inputs: self.dimension,
            classes: self.classes,
            separation: (self.kind == Kind::Clusters).then_some(self.separation),
            seed: self.seed,
            dtype: dtype.map(|dtype| dtype.to_string()),
            bytes: std::fs::metadata(&self.out).map_or(0, |metadata| metadata.len()),
            seconds: since.elapsed().as_secs_f64(),
        };
        if self.json {
            emit_json(&report)?;
        } else {
            emit(&report.text())?;
        }
        Ok(Exit::AsClaimed)
    }

    /// Writes all rows to a temporary file, and puts it into its place.
    fn write(
        &self,
        mut generator: Generator,
        notation: Notation,
        dtype: Option<roundproof_sources::numpy::Dtype>,
    ) -> Result<()> {
        let file = AtomicFile::create(&self.out)?;
        // Dropped after the file: an interrupt in between finds nothing.
        let _unfinished = Unfinished::new(file.temporary_path());
        let written = |error: std::io::Error| anyhow::anyhow!("{}: cannot be written: {error}", self.out.display());
        let mut sink =
            Sink::new(BufWriter::with_capacity(1 << 20, file), notation, dtype, generator.recipe()).map_err(written)?;
        self.rows(&mut generator, &mut sink).map_err(written)?;
        let mut buffered = sink.finish().map_err(written)?;
        buffered.flush().map_err(written)?;
        let file = buffered.into_inner().map_err(|error| written(error.into_error()))?;
        let _writing = exit::writing();
        Ok(file.finish()?)
    }

    fn rows<W: Write + std::io::Seek>(&self, generator: &mut Generator, sink: &mut Sink<W>) -> std::io::Result<()> {
        let progress = Progress::new();
        let (mut inputs, mut done, mut unreported): (Vec<Encoding>, usize, usize) = (Vec::new(), 0, 0);
        while let Some(label) = generator.next_row(&mut inputs) {
            sink.row(&inputs, label)?;
            done += 1;
            unreported += self.dimension;
            if unreported >= INPUTS_BETWEEN {
                unreported = 0;
                progress.report("rows", done, self.rows);
            }
        }
        Ok(())
    }
}

impl Report {
    fn text(&self) -> String {
        let mut sheet = Sheet::new(format!("Written: {}", Path::new(&self.file).display()));
        let sizes = [count(self.rows, "row"), count(self.inputs, "input"), format!("{} classes", self.classes)];
        sheet.line("size", format!("{}; {} bytes", sizes.join(", "), self.bytes));
        let separation = self.separation.map(|separation| format!(", separation {separation}")).unwrap_or_default();
        sheet.line("kind", format!("{}{separation}, seed {}", self.kind, self.seed));
        let dtype = self.dtype.as_ref().map(|dtype| format!(", stored as {dtype}")).unwrap_or_default();
        sheet.line("format", format!("{}{dtype}", self.format));
        sheet.line("time", format!("{:.1} s", self.seconds));
        sheet.text()
    }
}
