//! Data sets and networks from the files that a user names.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use roundproof_exact::real;
use roundproof_files::json::shorten;
use roundproof_files::safetensors::{Columns, Contents, NamedDataset, NamedNetwork, read_dataset, read_named_network};
use roundproof_files::{Digest, Stored};
use roundproof_format::{Encoding, Format};
use roundproof_network::Encodings;
use roundproof_sources::table::{
    Choice, Inputs, Kind as Notation, Places, Remark, Table, memory_needed, read_inputs, read_table,
};

use crate::memory;
use crate::progress::{Progress, READING};

/// How the columns of a table are told apart.
#[derive(Args, Clone, Debug, Default)]
pub struct TableOptions {
    /// Input columns of a table, in the order of the network's or model's inputs; every column that is not a label, if left out
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub inputs: Vec<String>,
    /// Columns of a table that are neither inputs nor labels, by name or as #5 for the fifth
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub drop: Vec<String>,
    /// The first line of a CSV is data; its columns are #1, #2 and so on
    #[arg(long)]
    pub no_header: bool,
}

impl TableOptions {
    /// With these labels.
    pub fn choice(&self, labels: &[String]) -> Choice {
        let TableOptions { inputs, drop, no_header } = self.clone();
        Choice { labels: labels.to_vec(), inputs, drop, no_header }
    }

    /// The names of the inputs of a table that was read with these options, if the table has any that tell them apart.
    pub fn names_of_inputs(&self, table: &Table) -> Option<Vec<String>> {
        let named = !self.no_header && table.places.lines().is_some();
        if named { told_apart(table.columns.inputs.clone()) } else { None }
    }

    fn is_default(&self) -> bool {
        self.inputs.is_empty() && self.drop.is_empty() && !self.no_header
    }
}

/// Names, if no two are the same.
pub fn told_apart(names: Vec<String>) -> Option<Vec<String>> {
    let different: std::collections::BTreeSet<&String> = names.iter().collect();
    (different.len() == names.len()).then_some(names)
}

/// What the inputs of a network or of a model are called.
pub struct Names<'a> {
    /// `network` or `model`.
    pub of: &'static str,
    /// Its file.
    pub file: &'a Path,
    /// The names, if it has any.
    pub inputs: Option<&'a [String]>,
}

/// A table that was read, and may have to be read again with its inputs in another order.
pub trait Named {
    /// The names of the inputs, and whether these stand in the file.
    fn inputs(&self) -> (&[String], bool);
}

impl Named for Table {
    fn inputs(&self) -> (&[String], bool) {
        (&self.columns.inputs, self.places.lines().is_some())
    }
}

impl Named for Inputs {
    fn inputs(&self) -> (&[String], bool) {
        (&self.columns.inputs, self.places.lines().is_some())
    }
}

/// The table, its inputs in the order of those of a network or a model, by their names if both have names.
///
/// # Errors
///
/// If it cannot be read, or its inputs have names and are not those that are wanted.
pub fn matched<T: Named>(
    data: &Path,
    options: &TableOptions,
    labels: &[String],
    wanted: &Names<'_>,
    read: &dyn Fn(&Choice) -> Result<Stored<T>>,
) -> Result<Stored<T>> {
    let mut choice = options.choice(labels);
    let table = read(&choice)?;
    let (found, named) = table.value.inputs();
    let by_name = choice.inputs.is_empty() && !choice.no_header && named;
    let Some(names) = wanted.inputs.filter(|_| by_name) else { return Ok(table) };
    let missing = |of: &[String], from: &[String]| of.iter().find(|name| !from.contains(name)).cloned();
    let trimmed: Vec<String> = names.iter().map(|name| name.trim().to_string()).collect();
    let told = match (missing(&trimmed, found), missing(found, &trimmed)) {
        (None, None) if *found == trimmed => return Ok(table),
        (None, None) => {
            choice.inputs = trimmed;
            return read(&choice);
        }
        (None, Some(other)) => {
            let remedy = if labels.is_empty() {
                "leave it out with --drop, or name it with --label"
            } else {
                "leave it out with --drop"
            };
            format!("the column `{}` is not an input of the {}; {remedy}", shorten(&other), wanted.of)
        }
        (Some(name), _) => format!(
            "has no column `{}`, which is an input of the {}; name the columns as in {}, or give them in the order of the {}'s \
             inputs with --inputs",
            shorten(&name),
            wanted.of,
            wanted.file.display(),
            wanted.of
        ),
    };
    Err(anyhow!("{}: {told}", data.display()))
}

/// Rows of inputs, with labels or without, and where they come from.
pub struct Data {
    /// The inputs, row by row.
    inputs: Encodings,
    /// The labels, row by row.
    labels: Encodings,
    /// How many inputs a row has.
    pub dimension: usize,
    /// How many labels a row has: 0 if the rows are unlabelled.
    pub outputs: usize,
    /// The names of the columns, if they have any.
    pub columns: Option<Columns>,
    /// Where each row stands, if they come from a table.
    pub places: Option<Places>,
    /// What there is to know about the reading of a table.
    pub remarks: Vec<Remark>,
    /// The digest of the file.
    pub digest: Digest,
}

impl Data {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.inputs.len() / self.dimension
    }

    /// The inputs of a row.
    pub fn input(&self, row: usize) -> Vec<Encoding> {
        (0..self.dimension).map(|column| self.inputs.get(row * self.dimension + column)).collect()
    }

    /// Puts other numbers in place of the labels 0, 1 and so on of a column.
    pub fn renumber(&mut self, output: usize, numbers: &[Encoding], format: Format) {
        let all = self.labels.iter().enumerate().map(|(place, label)| {
            let index = real(format, label).and_then(|value| value.numer().to_usize());
            let number = index.filter(|_| place % self.outputs == output).and_then(|index| numbers.get(index));
            number.copied().unwrap_or(label)
        });
        self.labels = Encodings::collect(format, all.collect::<Vec<_>>());
    }

    /// The labels of a row.
    pub fn labels(&self, row: usize) -> Vec<Encoding> {
        (0..self.outputs).map(|output| self.labels.get(row * self.outputs + output)).collect()
    }
}

/// What kind of file a user named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A network, as safetensors.
    Network,
    /// The graph of a model of another tool, as safetensors.
    Graph,
    /// A data set, as safetensors.
    Dataset,
    /// A forest, as safetensors.
    Forest,
    /// Rows of an audit, as safetensors.
    Rows,
    /// A certificate.
    Certificate,
    /// A table of arrays.
    Arrays,
    /// Anything else.
    Text,
}

/// What a file seems to be, from its first bytes. Whoever reads it says whether it is.
pub fn kind(bytes: &[u8]) -> Kind {
    match Contents::of(bytes) {
        Some(Contents::Network) => return Kind::Network,
        Some(Contents::Graph) => return Kind::Graph,
        Some(Contents::Dataset) => return Kind::Dataset,
        Some(Contents::Forest) => return Kind::Forest,
        Some(Contents::Rows) => return Kind::Rows,
        None => {}
    }
    if Notation::of_bytes(bytes) != Notation::Csv {
        return Kind::Arrays;
    }
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Kind::Certificate,
        _ => Kind::Text,
    }
}

/// What to say of a file that is not of the kind that is wanted: what it is, if that is plain, else the error.
pub fn instead(path: &Path, wanted: Kind, error: anyhow::Error) -> anyhow::Error {
    let Ok(bytes) = std::fs::read(path) else { return error };
    let found = kind(&bytes);
    // Whether what a file seems to be goes beyond its first bytes.
    let plain = match found {
        Kind::Network | Kind::Graph | Kind::Forest | Kind::Rows | Kind::Certificate => true,
        Kind::Dataset => bytes.first_chunk().is_some_and(|length| u64::from_le_bytes(*length) < bytes.len() as u64),
        Kind::Text => !bytes.is_empty() && !bytes.contains(&0) && std::str::from_utf8(&bytes).is_ok(),
        Kind::Arrays => false,
    };
    let name = |kind| match kind {
        Kind::Network => "a network",
        Kind::Graph => "the graph of a model of another tool",
        Kind::Dataset => "a data set",
        Kind::Forest => "a forest",
        Kind::Rows => "the rows of an audit",
        Kind::Certificate => "a certificate",
        Kind::Arrays => "arrays of NumPy",
        Kind::Text => "text",
    };
    if plain && found != wanted {
        anyhow!("{}: is {}, and {} is needed", path.display(), name(found), name(wanted))
    } else {
        error
    }
}

/// A network, with the names of its inputs.
pub fn named_network(path: &Path) -> Result<Stored<NamedNetwork>> {
    read_named_network(path).map_err(|error| instead(path, Kind::Network, error.into()))
}

/// Rows for networks in `format`: a safetensors data set, or a table, whose label columns `labels` may be none, and whose inputs are
/// those of a network.
pub fn data(
    path: &Path,
    labels: &[String],
    options: &TableOptions,
    format: Format,
    network: &Names<'_>,
) -> Result<Data> {
    if !is_table(path)? {
        if !labels.is_empty() || !options.is_default() {
            bail!(
                "{}: --label, --inputs, --drop and --no-header speak of a table; this data set has its columns already",
                path.display()
            );
        }
        let stored = read_dataset(path).map_err(|error| instead(path, Kind::Dataset, error.into()))?;
        let NamedDataset { dataset, columns } = stored.value;
        let found = dataset.format();
        if found != format {
            bail!(
                "{}: is a data set in {found}, the network is in {format}; run it on a data set of its own format, or on \
                 a table, which is rounded to it",
                path.display()
            );
        }
        if let (Some(names), Some(Columns { inputs, labels: _ })) = (network.inputs, &columns)
            && let Some((wanted, other)) = names.iter().zip(inputs).find(|(wanted, other)| wanted != other)
        {
            bail!(
                "{}: has the input `{}` where {} has `{}`: it is a data set for another {}",
                path.display(),
                shorten(other),
                network.file.display(),
                shorten(wanted),
                network.of
            );
        }
        return Ok(Data {
            inputs: dataset.inputs().clone(),
            labels: dataset.labels().clone(),
            dimension: dataset.dimension(),
            outputs: dataset.outputs(),
            columns,
            places: None,
            remarks: Vec::new(),
            digest: stored.digest,
        });
    }
    let table = |choice: &Choice| reading(path, format, |report| Ok(read_inputs(path, choice, format, report)?));
    let Stored { value: read, digest } = matched(path, options, labels, network, &table)?;
    Ok(Data {
        inputs: read.inputs,
        labels: read.labels,
        dimension: read.columns.inputs.len(),
        outputs: read.columns.labels.len(),
        columns: Some(read.columns),
        places: Some(read.places),
        remarks: read.remarks,
        digest,
    })
}

/// A table with labels, rounded to `format`, if there is memory for it.
pub fn table(path: &Path, choice: &Choice, format: Format) -> Result<Stored<Table>> {
    reading(path, format, |report| Ok(read_table(path, choice, format, report)?))
}

fn reading<T>(path: &Path, format: Format, read: impl FnOnce(&mut dyn FnMut(u64, u64)) -> Result<T>) -> Result<T> {
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        bail!(
            "{}: is not a table; a CSV with a header, or arrays of NumPy (.npy, .npz), are read here",
            path.display()
        );
    }
    // What cannot be read, reading says.
    if let Ok(needed) = memory_needed(path, format) {
        memory::ensure(&path.display().to_string(), needed, "take a narrower format, or fewer rows")?;
    }
    let progress = Progress::new();
    let mut report = |done, of| progress.report(READING, done as usize, of as usize);
    read(&mut report)
}

/// Whether a file is a table: by the end of its name, else by its first bytes.
fn is_table(path: &Path) -> Result<bool> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => Ok(false),
        _ if Notation::of_name(path).is_some() => Ok(true),
        _ => {
            let bytes = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
            Ok(matches!(kind(&bytes), Kind::Text | Kind::Arrays))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        let tensors = |header: &str| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        assert_eq!(kind(&tensors(r#"{"layer0.bias":{}}"#)), Kind::Network);
        assert_eq!(kind(&tensors(r#"{"inputs":{}}"#)), Kind::Dataset);
        assert_eq!(kind(&tensors(r#"{"base":{},"starts":{},"thresholds":{}}"#)), Kind::Forest);
        assert_eq!(kind(b"\n{\"schema\": 1}"), Kind::Certificate);
        assert_eq!(kind(b"x,y\n1,2\n"), Kind::Text);
        assert_eq!(kind(b""), Kind::Text);
        assert_eq!(kind(b"\x93NUMPY\x01\0"), Kind::Arrays);
        assert_eq!(kind(b"PK\x03\x04"), Kind::Arrays);
    }
}
