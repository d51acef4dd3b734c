//! `roundproof prove`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use roundproof_checker::memorize::{Preference, Proof, ProveError, Strategy, Task, describe, memorize};
use roundproof_files::certificate::{RelativePath, SourceReference};
use roundproof_files::csv::{CsvData, read_csv};
use roundproof_files::{Stored, write_atomically};
use roundproof_format::Format;
use roundproof_network::{Activation, PathModel};

use crate::exit::{Exit, WRITING};
use crate::output::{emit, emit_json, note};
use crate::parsers;
use crate::progress::Progress;

mod report;

use report::Report;

/// The names of the three files, the certificate last: it is what makes the others mean something.
const FILES: [&str; 3] = ["network.safetensors", "dataset.safetensors", "certificate.json"];

const PATHS_HELP: &str = "\
The rounding paths that the claim speaks of: `all`, `paper`, or either with changes, as in `all,subnormals=flush`.

  all    any direction for each rounding, additions in any order, products fused or not, gradual underflow
  paper  ties to even, products in index order and the bias last, nothing fused (arXiv 2401.15121)

Fields: rounding (any, ties-to-even, …), order (any, left-to-right), contraction (any, none), overflow (ieee, saturate, \
nan), subnormals (gradual, flush), and, last, accumulator (same, or a wider format, as in accumulator=binary32).";

const EXAMPLES: &str = "\
DIR gets network.safetensors, dataset.safetensors and certificate.json, which replace what was there under these names. \
On an error, nothing is written. The verdict is the kernel's, on the bytes that are written.

Exit codes: 0 Proved, 1 Refuted, 2 no network or a wrong command line, 3 Unknown.

Examples:
  roundproof prove iris.csv --label class --format bfloat16 --out iris
  roundproof prove table.csv -l x -l y --format float8_e5m2 --activation step --paths all,accumulator=binary32
  roundproof prove steps.csv --label y --format bfloat16 --strategy telescoping-sum --out refuted";

/// Make a network that memorizes a table, and prove that it does
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Prove {
    /// The table: a CSV with a header; every column that is no label is an input
    #[arg(value_name = "DATA.csv")]
    data: PathBuf,
    /// A label column, by name or as #5 for the fifth; once for each output of the network
    #[arg(short, long = "label", value_name = "COLUMN", required = true)]
    labels: Vec<String>,
    /// The floating-point format of data and network; see `roundproof formats`
    #[arg(short, long)]
    format: Format,
    /// The activation of the hidden layers; what the strategy makes, relu if it makes both
    #[arg(short, long, value_parser = parsers::activation())]
    activation: Option<Activation>,
    /// How the network is made; only `point` is right for all data
    #[arg(short, long, default_value = "point", value_parser = parsers::strategy())]
    strategy: Strategy,
    /// The rounding paths that the claim speaks of: all, paper, or either with changes
    #[arg(short, long, default_value = "all", value_name = "MODEL", long_help = PATHS_HELP)]
    paths: String,
    /// What the kernel is to check; the default is what the strategy offers
    #[arg(short, long, value_enum)]
    evidence: Option<EvidenceKind>,
    /// Where to put the network, the rounded data set and the certificate; nowhere, if left out
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
        let csv = read_csv(&self.data, &self.labels, self.format)?;
        let task = Task {
            strategy: self.strategy,
            activation: self.activation()?,
            model,
            preference,
            prefix: String::new(),
            source: self.source(&csv),
        };
        let proof = self.prove(&csv.value, &task)?;
        let certificate = proof.certificate.to_json().context("the certificate cannot be written down")?;
        if let Some(out) = &self.out {
            place(out, [&proof.network_bytes, &proof.dataset_bytes, certificate.as_bytes()])?;
        }
        let report = Report::new(&proof, &csv.value, self.out.as_deref(), since.elapsed());
        if self.json {
            emit_json(&report)?;
        } else {
            emit(&report.text(&proof, &csv.value))?;
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

    fn preference(&self) -> Result<Preference> {
        match (self.evidence, self.strategy) {
            (None, _) => Ok(Preference::Construction),
            (Some(EvidenceKind::Paths), _) => Ok(Preference::Paths),
            (Some(EvidenceKind::BoxNetwork), Strategy::Point | Strategy::HalvedPenalties) => {
                Ok(Preference::Construction)
            }
            (Some(EvidenceKind::BoxNetwork), strategy) => {
                bail!("--evidence: the strategy {strategy} makes no box network; use --evidence paths")
            }
        }
    }

    fn prove(&self, csv: &CsvData, task: &Task) -> Result<Proof> {
        let progress = Progress::new();
        let mut report = |what, done, of| progress.report(what, done, of);
        memorize(&csv.dataset, Some(&csv.columns), task, &mut report).map_err(|error| match error {
            ProveError::Construct(error) => anyhow!("{}: {}", self.data.display(), describe(&error, csv)),
            other => other.into(),
        })
    }

    /// The table by its name alone, so that the certificate is the same wherever it was made.
    fn source(&self, csv: &Stored<CsvData>) -> Option<SourceReference> {
        let path = self.data.file_name()?.to_str()?.parse::<RelativePath>().ok()?;
        Some(SourceReference { path, sha256: csv.digest, labels: csv.value.columns.labels.clone() })
    }
}

/// Puts the three files into `out`: all of them, or none if one cannot be written.
fn place(out: &Path, contents: [&[u8]; 3]) -> Result<()> {
    let _writing = WRITING.lock();
    let cannot = || format!("{}: cannot be written to", out.display());
    let existed = out.exists();
    fs::create_dir_all(out).with_context(cannot)?;
    let placed = fill(out, contents).with_context(cannot);
    if placed.is_err() && !existed {
        // Made above, and empty again.
        let _ = fs::remove_dir(out);
    }
    placed
}

fn fill(out: &Path, contents: [&[u8]; 3]) -> Result<()> {
    // On the same file system as the destination, so that moving is renaming; removed when dropped.
    let staging = tempfile::Builder::new().prefix(".roundproof-").tempdir_in(out)?;
    for (name, bytes) in FILES.iter().zip(contents) {
        write_atomically(&staging.path().join(name), bytes).map_err(|error| anyhow!("{name}: {}", error.problem))?;
    }
    // What cannot be replaced is found out before anything is.
    if let Some(name) = FILES.iter().find(|name| out.join(name).is_dir()) {
        bail!("{name} is a folder");
    }
    for name in FILES {
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
        let out = folder.path().join("a/b");
        place(&out, [b"1", b"2", b"3"]).unwrap();
        place(&out, [b"4", b"5", b"6"]).unwrap();
        assert_eq!(FILES.map(|name| fs::read(out.join(name)).unwrap()), [b"4", b"5", b"6"]);
        assert_eq!(fs::read_dir(&out).unwrap().count(), 3, "nothing else is left");

        let blocked = folder.path().join("c");
        fs::create_dir_all(blocked.join("certificate.json")).unwrap();
        let error = format!("{:#}", place(&blocked, [b"1", b"2", b"3"]).unwrap_err());
        assert!(error.contains("certificate.json is a folder"), "{error}");
        assert_eq!(fs::read_dir(&blocked).unwrap().count(), 1, "nothing was written");

        let file = folder.path().join("d");
        fs::write(&file, b"").unwrap();
        assert!(place(&file, [b"1", b"2", b"3"]).is_err());
        assert!(file.is_file());
    }
}
