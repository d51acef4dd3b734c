//! `roundproof prove`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use roundproof_checker::prove::{Preference, Proof, ProveError, Strategy, Task, TreeOptions, describe, memorize};
use roundproof_construct::learn::LearnOptions;
use roundproof_construct::{ConstructError, reference_parameters};
use roundproof_exact::text::exact_decimal;
use roundproof_files::certificate::{RelativePath, SourceReference};
use roundproof_files::{Stored, write_atomically};
use roundproof_format::Format;
use roundproof_network::{Activation, PathModel};
use roundproof_sources::table::{Remark, Table};

use crate::exit::{self, Exit};
use crate::input::{self, TableOptions};
use crate::memory;
use crate::output::{emit_json, emit_verdicts, note};
use crate::parsers;
use crate::progress::Progress;

mod report;

pub use report::Report;

/// The name of the certificate, which is written last: it is what makes the other files mean something.
const CERTIFICATE: &str = "certificate.json";

/// The names of the classes that were numbered.
pub const CLASSES: &str = "classes.json";

pub const PATHS_HELP: &str = "\
The rounding paths that the claim speaks of: `all`, `paper`, or either with changes, as in `all,subnormals=flush`.

  all    any direction for each rounding, additions in any order, products fused or not, gradual underflow
  paper  ties to even, products in index order and the bias last, nothing fused (arXiv 2401.15121)

Fields: rounding (any, ties-to-even, …), order (any, left-to-right), contraction (any, none), overflow (ieee, saturate, \
nan), subnormals (gradual, flush), and, last, accumulator (same, or a wider format, as in accumulator=binary32).";

const STRATEGY_HELP: &str = "\
How the network is made.

  point               a box for each distinct row: proved for any data
  tree                a decision tree grown until every row is right, compiled to boxes: proved to compute the tree at every \
finite input, and far smaller
  halved-penalties    point with every penalty halved: wrong, to be refuted
  telescoping-sum     right over the reals, wrong in floating point: to be refuted (one input, one label)
  counting-indicator  counts the bounds that hold: right over the reals, wrong once 2 * inputs > 2^p (one label)
  counted-ramps       the same of steps of two ReLU layers
  dense-point         point with every weight stored: a stored zero makes NaN of an infinity";

const EXAMPLES: &str = "\
DIR gets network.safetensors, dataset.safetensors and certificate.json, and from the strategy tree also \
forest.safetensors; label columns of names get their numbers in classes.json. They replace what was there under these names. On an error, nothing is written. The verdict is the kernel's, on the bytes that are written.

Exit codes: 0 Proved, 2 no network or a wrong command line, 3 Unknown, 4 Refuted.

Examples:
  roundproof prove iris.csv --label class --format bfloat16 --out iris
  roundproof prove digits.csv --label class --format bfloat16 --strategy tree --optimize 10
  roundproof prove digits.csv --label class --format bfloat16 --strategy tree --max-leaves 100
  roundproof prove table.csv -l x -l y --format float8_e5m2 --activation step --paths all,accumulator=binary32
  roundproof prove mnist.npz --label y --format float8_e4m3
  roundproof prove steps.csv --label y --format bfloat16 --strategy telescoping-sum --out refuted";

/// Make a network that memorizes a table, and prove that it does
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Prove {
    /// The table: a CSV, or arrays of NumPy (.npy, .npz); every column that is not a label is an input
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// A label column, by name or as #5 for the fifth, or an array of a .npz; once for each output of the network
    #[arg(short, long = "label", value_name = "COLUMN", required = true)]
    labels: Vec<String>,
    #[command(flatten)]
    table: TableOptions,
    /// The floating-point format of data and network; see `roundproof formats`
    #[arg(short, long)]
    format: Format,
    /// The activation of the hidden layers; what the strategy makes, relu if it makes both
    #[arg(short, long, value_parser = parsers::activation())]
    activation: Option<Activation>,
    /// How the network is made
    #[arg(short, long, default_value = "point", value_parser = parsers::strategy(), long_help = STRATEGY_HELP)]
    strategy: Strategy,
    /// tree: the most leaves; rows that are then wrong are named, and are part of the claim
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_leaves: Option<u32>,
    /// tree: the least number of rows in a leaf
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    min_rows: Option<u32>,
    /// tree: look for a smaller network for this long; the result depends on the speed of the machine
    #[arg(long, value_name = "SECONDS", value_parser = parsers::seconds, allow_negative_numbers = true)]
    optimize: Option<Duration>,
    /// tree: where the search for a smaller network begins
    #[arg(long, value_name = "N", requires = "optimize")]
    seed: Option<u64>,
    /// The rounding paths that the claim speaks of: all, paper, or either with changes
    #[arg(short, long, default_value = "all", value_name = "MODEL", long_help = PATHS_HELP)]
    paths: String,
    /// What the kernel is to check; the default is what the strategy offers
    #[arg(short, long, value_enum)]
    evidence: Option<EvidenceKind>,
    /// Where to put the network, the rounded data set, the tree and the certificate; nowhere, if left out
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EvidenceKind {
    /// That the network is made of disjoint boxes, each row in one: fast
    BoxNetwork,
    /// An enclosure of what every neuron can give on any path: any network
    Paths,
}

impl Prove {
    /// Makes the network, has it judged, and writes the files.
    pub fn execute(self) -> Result<Exit> {
        let since = Instant::now();
        let model = PathModel::parse(&self.paths, self.format).context("--paths")?;
        let preference = self.preference()?;
        let table = input::table(&self.data, &self.table.choice(&self.labels), self.format)?;
        self.ensure_memory(&table.value)?;
        let task = Task {
            strategy: self.strategy,
            activation: self.activation()?,
            model,
            tree: self.tree()?,
            preference,
            prefix: String::new(),
            source: self.source(&table),
            input_names: self.table.names_of_inputs(&table.value),
        };
        let proof = self.prove(&table.value, &task)?;
        if let Some(out) = &self.out {
            place(out, &proof, Some(&table.value))?;
        }
        let report = Report::new(&proof, Some(&table.value), self.out.as_deref(), since.elapsed());
        if self.json {
            emit_json(&report)?;
        } else {
            let mut sheet = report.sheet(&proof, Some(&table.value));
            report.end(&mut sheet);
            emit_verdicts(&sheet.text())?;
            if self.strategy == Strategy::Point {
                note(
                    "note: the network has the labels of these rows alone, and gives 0 elsewhere; --strategy tree makes one \
                     with an answer for every input",
                );
            }
            if self.out.is_none() {
                note("note: nothing was written; --out DIR keeps the network, the data set and the certificate");
            }
        }
        Ok(proof.certificate.verdict.into())
    }

    fn activation(&self) -> Result<Activation> {
        match (self.strategy.only_activation(), self.activation) {
            (Some(only), Some(asked)) if only != asked => {
                bail!("--activation: the strategy {} makes {only} networks, and no {asked} ones", self.strategy)
            }
            (only, asked) => Ok(asked.or(only).unwrap_or(Activation::Relu)),
        }
    }

    /// The options of the strategy `tree`, which other strategies do not take.
    fn tree(&self) -> Result<TreeOptions> {
        let given = [
            ("--max-leaves", self.max_leaves.is_some()),
            ("--min-rows", self.min_rows.is_some()),
            ("--optimize", self.optimize.is_some()),
        ];
        if let Some((name, _)) = given.iter().find(|(_, given)| *given && self.strategy != Strategy::Tree) {
            bail!("{name}: the strategy {} grows no tree; add --strategy tree", self.strategy);
        }
        let mut learn =
            LearnOptions { max_leaves: self.max_leaves.map(|most| most as usize), ..LearnOptions::default() };
        if let Some(least) = self.min_rows {
            learn.min_rows = least as usize;
        }
        if let Some(seed) = self.seed {
            learn.seed = seed;
        }
        Ok(TreeOptions { learn, optimize: self.optimize })
    }

    fn preference(&self) -> Result<Preference> {
        match (self.evidence, self.strategy) {
            (None, _) => Ok(Preference::Construction),
            (Some(EvidenceKind::Paths), Strategy::Tree) => {
                bail!("--evidence: that a network computes a tree at every input takes the evidence box-network")
            }
            (Some(EvidenceKind::Paths), _) => Ok(Preference::Paths),
            (Some(EvidenceKind::BoxNetwork), Strategy::Point | Strategy::Tree | Strategy::HalvedPenalties) => {
                Ok(Preference::Construction)
            }
            (Some(EvidenceKind::BoxNetwork), strategy) => {
                bail!("--evidence: the strategy {strategy} makes no box network; use --evidence paths")
            }
        }
    }

    fn prove(&self, table: &Table, task: &Task) -> Result<Proof> {
        let progress = Progress::new();
        let mut report = |what, done, of| progress.report(what, done, of);
        memorize(&table.dataset, Some(&table.columns), task, &mut report).map_err(|error| match error {
            ProveError::Construct(error) => {
                let told = self.identical(&error, table).unwrap_or_else(|| describe(&error, table));
                anyhow!("{}: {told}", self.data.display())
            }
            other => other.into(),
        })
    }

    /// What to say of rows that conflict in every format, since the table has them with the same inputs.
    fn identical(&self, error: &ConstructError, table: &Table) -> Option<String> {
        let &ConstructError::Conflict { first, second, output, .. } = error else { return None };
        // With more bits than tables hold, what differs stays apart.
        let wide = Format::unbounded(96).ok()?;
        let exact = input::table(&self.data, &self.table.choice(&self.labels), wide).ok()?.value.dataset;
        let inputs = |row| (0..exact.dimension()).map(move |column| (row, column));
        let same = inputs(first)
            .zip(inputs(second))
            .all(|((a, column), (b, _))| exact.input(a, column) == exact.input(b, column));
        if !same || exact.label(first, output) == exact.label(second, output) {
            return None;
        }
        let [earlier, later] = [first, second].map(|row| table.places.of(row));
        let [one, other] = [first, second].map(|row| exact_decimal(wide, exact.label(row, output)));
        let column = table.columns.labels.get(output).map_or("?", String::as_str);
        Some(format!(
            "{earlier} and {later} are the same inputs with different labels: `{column}` is {one} in {earlier} and {other} in \
             {later}, and no network can give both, in any format. Delete one of the rows"
        ))
    }

    /// Refuses what would run out of memory on the way.
    fn ensure_memory(&self, table: &Table) -> Result<()> {
        let data = &table.dataset;
        match self.strategy {
            Strategy::Point => {
                let parameters = reference_parameters(data.rows(), data.dimension(), data.outputs());
                memory::ensure(
                    "a box for each row",
                    memory::of_boxes(&parameters, self.format),
                    "take --strategy tree, which shares boxes, or a narrower format",
                )
            }
            _ => Ok(()),
        }
    }

    /// The table by its name alone, so that the certificate is the same wherever it was made.
    fn source(&self, table: &Stored<Table>) -> Option<SourceReference> {
        let path = self.data.file_name()?.to_str()?.parse::<RelativePath>().ok()?;
        Some(SourceReference { path, sha256: table.digest, labels: table.value.columns.labels.clone() })
    }
}

/// Puts the files of a proof and its certificate into `out`, and the names of classes that were numbered: all of them, or
/// none if one cannot be written.
pub fn place(out: &Path, proof: &Proof, table: Option<&Table>) -> Result<()> {
    let certificate = proof.certificate.to_json().context("the certificate cannot be written down")?;
    let mut files: Vec<(&str, &[u8])> = proof.files.named().collect();
    let classes = table.and_then(classes).map(|names| serde_json::to_string_pretty(&names)).transpose()?;
    let classes = classes.map(|text| text + "\n");
    if let Some(classes) = &classes {
        files.push((CLASSES, classes.as_bytes()));
    }
    files.push((CERTIFICATE, certificate.as_bytes()));
    place_files(out, &files)
}

/// For each label column whose names were numbered, the names in the order of their numbers; none if there is none.
fn classes(table: &Table) -> Option<BTreeMap<&str, &[String]>> {
    let named = table.remarks.iter().filter_map(|remark| match remark {
        Remark::Classes { column, names } => Some((column.as_str(), names.as_slice())),
        _ => None,
    });
    let classes: BTreeMap<&str, &[String]> = named.collect();
    (!classes.is_empty()).then_some(classes)
}

/// Puts files into `out`: all of them, or none if one cannot be written.
pub fn place_files(out: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let _writing = exit::writing();
    let cannot = || format!("{}: cannot be written to", out.display());
    let existed = out.exists();
    fs::create_dir_all(out).with_context(cannot)?;
    let placed = fill(out, files).with_context(cannot);
    if placed.is_err() && !existed {
        // Made above, and empty again.
        let _ = fs::remove_dir(out);
    }
    placed
}

fn fill(out: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    // On the same file system as the destination, so that moving is renaming; removed when dropped.
    let staging = tempfile::Builder::new().prefix(".roundproof-").tempdir_in(out)?;
    for (name, bytes) in files {
        write_atomically(&staging.path().join(name), bytes).map_err(|error| anyhow!("{name}: {}", error.problem))?;
    }
    // What cannot be replaced is found out before anything is.
    if let Some((name, _)) = files.iter().find(|(name, _)| out.join(name).is_dir()) {
        bail!("{name} is a folder");
    }
    for (name, _) in files {
        fs::rename(staging.path().join(name), out.join(name)).with_context(|| name.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_placed_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["network.safetensors", "dataset.safetensors", CERTIFICATE];
        let place = |out: &Path, contents: [&'static str; 3]| {
            let files: Vec<(&str, &[u8])> = names.iter().copied().zip(contents.map(str::as_bytes)).collect();
            place_files(out, &files)
        };
        let out = folder.path().join("a/b");
        place(&out, ["1", "2", "3"]).unwrap();
        place(&out, ["4", "5", "6"]).unwrap();
        assert_eq!(names.map(|name| fs::read(out.join(name)).unwrap()), [b"4", b"5", b"6"]);
        assert_eq!(fs::read_dir(&out).unwrap().count(), 3, "nothing else is left");

        let blocked = folder.path().join("c");
        fs::create_dir_all(blocked.join(CERTIFICATE)).unwrap();
        let error = format!("{:#}", place(&blocked, ["1", "2", "3"]).unwrap_err());
        assert!(error.contains("certificate.json is a folder"), "{error}");
        assert_eq!(fs::read_dir(&blocked).unwrap().count(), 1, "nothing was written");

        let file = folder.path().join("d");
        fs::write(&file, b"").unwrap();
        assert!(place(&file, ["1", "2", "3"]).is_err());
        assert!(file.is_file());
    }
}
