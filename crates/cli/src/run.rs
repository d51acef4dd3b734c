//! `roundproof run`: one path through a network.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use roundproof_files::safetensors::{NamedNetwork, parse_forest};
use roundproof_files::{Certificate, Digest};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Subnormals};
use roundproof_judge::point::Point;
use roundproof_judge::{Evidence, referenced};
use roundproof_network::{self as network, At, Contraction, Network, PathModel, Rounding, Summation, Trees, Witness};
use roundproof_paths::{Arrangement, Fixed, FromWitness, Random, evaluate, evaluate_rows};
use roundproof_softfloat::compare;

use crate::exit::Exit;
use crate::input::{self, Data, Names, TableOptions};
use crate::output::{count, note};
use crate::parsers::{self, Accumulator, Rows, TermOrder};
use crate::progress::Progress;

mod classes;
mod table;

use table::Printer;

/// Rows that are computed together, and rows between which a thread may wait for another.
const BLOCK: usize = 64;
const WAVE: usize = 16 * BLOCK;

const EXAMPLES: &str = "\
The values are computed in software, in the network's format, on exactly the path that is asked for. Without options: ties \
to even, from left to right, nothing fused.

Exit codes: 0 whatever comes out, 2 a wrong command line or input that cannot be read.

Examples:
  roundproof run network.safetensors dataset.safetensors --rows 0..10
  roundproof run network.safetensors unlabelled.csv --output-format csv
  roundproof run network.safetensors data.csv --label class --mode toward-zero --order pairwise --fma
  roundproof run network.safetensors dataset.safetensors --order random --seed 7 --output-format csv
  roundproof run network.safetensors dataset.safetensors --path certificate.json
  roundproof run network.safetensors --path approximation/certificate.json";

/// Compute the outputs of a network on one rounding path
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// The network: a safetensors file
    network: PathBuf,
    /// The inputs: a safetensors data set in the network's format, or a table (CSV, .npy, .npz), which is rounded to it; none
    /// for a witness at a point
    #[arg(required_unless_present = "path")]
    data: Option<PathBuf>,
    /// A label column of the table, to be compared with the outputs, by name or as #5 for the fifth; once for each label
    #[arg(short, long = "label", value_name = "COLUMN")]
    labels: Vec<String>,
    #[command(flatten)]
    table: TableOptions,
    /// The names of classes in the order of their numbers, for labels that are names; classes.json beside the network, if left out
    #[arg(long, value_name = "FILE", requires = "labels")]
    classes: Option<PathBuf>,
    /// The rows to compute, from 0: 7, 0..10 (10 not among them), 5.. or lists of these with commas
    #[arg(short, long, value_name = "ROWS")]
    rows: Option<Rows>,
    /// The direction of every rounding; ties-to-even if left out (any, with --order random)
    #[arg(short, long, value_parser = parsers::mode())]
    mode: Option<RoundingMode>,
    /// The order of additions; for the orders by size and by value, of the rounded products and the bias
    #[arg(short, long, default_value = "left-to-right", value_parser = parsers::order())]
    order: TermOrder,
    /// Fuse every product that can be fused into an addition (with --order random: some of them)
    #[arg(long)]
    fma: bool,
    /// Replace subnormal operands and results by zeros (with --order random: some of them)
    #[arg(long)]
    flush: bool,
    /// Add up in a wider format, and round once more at the end: FORMAT or FORMAT/OVERFLOW
    #[arg(long, value_name = "FORMAT")]
    accumulator: Option<Accumulator>,
    /// What overflow gives; ieee where the format has infinities, else saturate
    #[arg(long, value_parser = parsers::overflow())]
    overflow: Option<Overflow>,
    /// Which random path, with --order random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Take the path of the witness in a certificate; its point, or its row, if --rows is left out
    #[arg(
        short, long, value_name = "CERTIFICATE",
        conflicts_with_all = ["mode", "order", "fma", "flush", "accumulator", "overflow", "seed"]
    )]
    path: Option<PathBuf>,
    /// How to print the values
    #[arg(long, value_enum, default_value = "text")]
    output_format: OutputFormat,
    /// Print values as hexadecimal floats, which are short and exact, not as decimals
    #[arg(long)]
    hex: bool,
    /// Print JSON instead of text: the same as --output-format json
    #[arg(long, conflicts_with = "output_format")]
    json: bool,
}

/// How values are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// A table for people: values exactly, and whether they are the labels
    Text,
    /// Comma-separated, exact values, all in decimal (or, with --hex, in hexadecimal)
    Csv,
    /// A JSON array: exact values and encodings
    Json,
}

/// The path that is taken.
enum Choice {
    Fixed(Fixed),
    Random(u64),
    Witness(Witness),
}

/// One computed row.
struct Computed {
    row: usize,
    outputs: Vec<Encoding>,
    labels: Vec<Encoding>,
}

impl Run {
    /// Computes the rows and prints them.
    pub fn execute(mut self) -> Result<Exit> {
        if self.json {
            self.output_format = OutputFormat::Json;
        }
        let stored = input::named_network(&self.network)?;
        let NamedNetwork { network, input_names } = &stored.value;
        let format = network.format();
        let refuted = self.path.as_deref().map(|path| self.refuted(path, stored.digest, network)).transpose()?;
        if let Some((certificate, witness @ Witness { at: At::Point(inputs), .. })) = &refuted {
            return self.at_point(network, certificate, witness, inputs);
        }
        let file = self.data.as_deref().ok_or_else(|| anyhow!("the witness is in a row; name the data set too"))?;
        let names = Names { of: "network", file: &self.network, inputs: input_names.as_deref() };
        let mut data = input::data(file, &self.labels, &self.table, format, &names)?;
        classes::renumber(&mut data, file, format, &self.network, self.classes.as_deref())?;
        self.check_fit(network, file, &data)?;
        let (model, choice) = match refuted {
            Some((certificate, witness)) => {
                self.check_data(&certificate, file, &data)?;
                (certificate.claim.model, Choice::Witness(witness))
            }
            None => (self.model(format)?, self.choice()),
        };
        let rows = match (&self.rows, &choice) {
            (Some(rows), _) => rows.clone(),
            (None, Choice::Witness(Witness { at: At::Row(row), .. })) => Rows::only(*row),
            (None, _) => Rows::of_all(),
        };
        let rows = rows.of(data.rows()).map_err(|error| anyhow!("--rows: {error}"))?;
        let mut printer = Printer::new(self.output_format, self.hex, format, network.output_dimension(), &data);
        let (mut equal, total) = (0, rows.len());
        // Rows that appear on a terminal tell how far it is, and a bar between them would be in their way.
        let streams = self.output_format == OutputFormat::Csv && io::stdout().is_terminal();
        let progress = (!streams).then(Progress::new);
        for (index, wave) in rows.chunks(WAVE).enumerate() {
            let blocks: Vec<&[usize]> = wave.chunks(BLOCK).collect();
            let computed: Result<Vec<Vec<Computed>>> =
                blocks.into_par_iter().map(|rows| compute(network, &data, &model, &choice, rows)).collect();
            if let Some(progress) = &progress {
                progress.report("rows", index * WAVE + wave.len(), total);
            }
            for computed in computed?.iter().flatten() {
                equal += usize::from(computed.gives_labels(format) == Some(true));
                printer.row(computed)?;
            }
        }
        drop(progress);
        printer.finish()?;
        for remark in &data.remarks {
            note(&format!("note: {}: {remark}", file.display()));
        }
        if self.output_format == OutputFormat::Text && data.outputs > 0 {
            note(&format!("{equal} of {} give their labels on this path", count(total, "row")));
        }
        Ok(Exit::AsClaimed)
    }

    fn check_fit(&self, network: &Network, file: &Path, data: &Data) -> Result<()> {
        let (inputs, columns) = (network.input_dimension(), data.dimension);
        let (outputs, labels) = (network.output_dimension(), data.outputs);
        if inputs != columns || (labels != 0 && outputs != labels) {
            let labels = if labels == 0 { "no label column".to_string() } else { count(labels, "label column") };
            let remedy = if data.places.is_some() {
                "; name labels with --label, or choose columns with --inputs or --drop"
            } else {
                ""
            };
            bail!(
                "{}: has {} and {labels}, the network {} takes {} and gives {}{remedy}",
                file.display(),
                count(columns, "input column"),
                self.network.display(),
                count(inputs, "input"),
                count(outputs, "output"),
            );
        }
        Ok(())
    }

    /// The model that has the path that the options ask for, and not much more.
    fn model(&self, format: Format) -> Result<PathModel> {
        let rounding = self.mode.map_or(Rounding::Any, Rounding::Mode);
        let contraction = if self.fma { Contraction::Any } else { Contraction::None };
        let subnormals = if self.flush { Subnormals::Flush } else { Subnormals::Gradual };
        let accumulator = match self.accumulator {
            None => network::Accumulator::Same,
            Some(Accumulator { format, overflow }) => network::Accumulator::Wider { format, overflow },
        };
        let overflow = self.overflow.unwrap_or(format.default_overflow());
        let summation = Summation::Trees(Trees { order: network::Order::Any, contraction, accumulator });
        let model = PathModel { rounding, overflow, subnormals, summation };
        model.check(format)?;
        Ok(model)
    }

    fn choice(&self) -> Choice {
        let fixed = |arrangement: Arrangement| Fixed {
            mode: self.mode.unwrap_or(RoundingMode::TiesToEven),
            arrangement,
            contract: self.fma,
            flush: self.flush,
        };
        match self.order {
            TermOrder::Random => Choice::Random(self.seed),
            TermOrder::Fixed(arrangement) => Choice::Fixed(fixed(arrangement)),
        }
    }

    /// A certificate about this network, and the witness in it.
    fn refuted(&self, path: &Path, digest: Digest, network: &Network) -> Result<(Certificate, Witness)> {
        let certificate = Certificate::read(path)?.value;
        if certificate.network.sha256 != digest {
            return Err(another("network", &self.network, path));
        }
        let Some(Evidence::Witness(witness)) = &certificate.evidence else {
            bail!(
                "{}: says {}, and has no witness whose path could be taken; only a Refuted certificate has",
                path.display(),
                certificate.verdict
            );
        };
        for place in &witness.neurons {
            let step = network.steps().get(place.layer).filter(|step| place.neuron < step.rows());
            step.with_context(|| {
                format!("{}: there is no neuron {} in layer {}", path.display(), place.neuron, place.layer)
            })?;
        }
        let witness = witness.clone();
        Ok((certificate, witness))
    }

    /// Whether the certificate is about this data set, unless that is a table.
    fn check_data(&self, certificate: &Certificate, file: &Path, data: &Data) -> Result<()> {
        let path = self.path.as_deref().unwrap_or(file);
        if data.places.is_none() && certificate.dataset.as_ref().is_none_or(|dataset| dataset.sha256 != data.digest) {
            return Err(another("data set", file, path));
        }
        Ok(())
    }

    /// Computes the point of a witness and prints it.
    fn at_point(
        &self,
        network: &Network,
        certificate: &Certificate,
        witness: &Witness,
        inputs: &[Encoding],
    ) -> Result<Exit> {
        if let Some(file) = &self.data {
            bail!("{}: the witness is at a point, and takes no data", file.display());
        }
        if self.rows.is_some() || !self.labels.is_empty() || self.hex {
            bail!("the witness is at a point: there are no rows and no labels to name, and --hex is for rows");
        }
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let reference = certificate.forest.as_ref();
        let reference = reference.ok_or_else(|| anyhow!("{}: names no forest", path.display()))?;
        let (file, bytes) = referenced(path, reference)?.map_err(|reason| anyhow!("{}: {reason}", path.display()))?;
        let forest = parse_forest(&file, &bytes)?;
        let claim = &certificate.claim;
        let point = Point::new(claim, &forest, inputs);
        let point = point.ok_or_else(|| anyhow!("{}: nothing is claimed of its point", path.display()))?;
        let outputs = evaluate(network, inputs, &claim.model, &mut FromWitness::new(witness))?;
        table::point(self.output_format, network.format(), &point, &outputs)?;
        Ok(Exit::AsClaimed)
    }
}

fn another(what: &str, file: &Path, certificate: &Path) -> anyhow::Error {
    anyhow!(
        "{}: is not the {what} that {} is about: their SHA-256 digests differ",
        file.display(),
        certificate.display()
    )
}

/// Computes rows, each on its own path.
fn compute(
    network: &Network,
    data: &Data,
    model: &PathModel,
    choice: &Choice,
    rows: &[usize],
) -> Result<Vec<Computed>> {
    let inputs: Vec<Vec<Encoding>> = rows.iter().map(|&row| data.input(row)).collect();
    let all: Vec<&[Encoding]> = inputs.iter().map(Vec::as_slice).collect();
    let place = || format!("rows {} to {}", rows[0], rows[rows.len() - 1]);
    let outputs = match choice {
        Choice::Fixed(path) => evaluate_rows(network, &all, model, &mut path.clone()).with_context(place)?,
        Choice::Witness(path) => {
            evaluate_rows(network, &all, model, &mut FromWitness::new(path)).with_context(place)?
        }
        Choice::Random(seed) => {
            let one = |(&row, inputs): (&usize, &&[Encoding])| {
                let mut path = Random::new(*seed, row as u64);
                evaluate(network, inputs, model, &mut path).with_context(|| format!("row {row}"))
            };
            rows.iter().zip(&all).map(one).collect::<Result<_>>()?
        }
    };
    let computed = |(&row, outputs): (&usize, Vec<Encoding>)| Computed { row, outputs, labels: data.labels(row) };
    Ok(rows.iter().zip(outputs).map(computed).collect())
}

impl Computed {
    /// Whether every output equals its label as a value; none without labels.
    fn gives_labels(&self, format: Format) -> Option<bool> {
        let equal = |(a, b): (&Encoding, &Encoding)| compare(format, *a, *b).is_some_and(|order| order.is_eq());
        (!self.labels.is_empty()).then(|| self.outputs.iter().zip(&self.labels).all(equal))
    }
}
