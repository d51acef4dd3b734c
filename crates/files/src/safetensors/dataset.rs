//! Rounded data sets.

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_network::{Dataset, DatasetError};

use crate::atomic::WriteProblem;
use crate::digest::{Digest, Stored};
use crate::error::{In, InFile};
use crate::json::{Field, Json};
use crate::write_atomically;

use super::container::{self, Container};
use super::network::take_format;
use super::values::{take_values, values};
use super::{TensorError, TensorProblem};

/// The names of the columns of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Of the inputs, in order.
    pub inputs: Vec<String>,
    /// Of the labels, in order.
    pub labels: Vec<String>,
}

/// A data set, and the names of its columns where they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDataset {
    /// The data set.
    pub dataset: Dataset,
    /// The names, as many as there are columns.
    pub columns: Option<Columns>,
}

/// The bytes of a data set's file: the same for the same data set and names, always.
pub fn dataset_bytes(dataset: &Dataset, columns: Option<&Columns>) -> Vec<u8> {
    let (format, rows) = (dataset.format(), dataset.rows());
    let mut parts = values(format, "inputs".to_string(), vec![rows, dataset.dimension()], dataset.inputs());
    parts.extend(values(format, "labels".to_string(), vec![rows, dataset.outputs()], dataset.labels()));
    let mut metadata = BTreeMap::from([("format", format.to_string())]);
    if let Some(Columns { inputs, labels }) = columns {
        metadata.insert("input_names", Json::texts(inputs).compact());
        metadata.insert("label_names", Json::texts(labels).compact());
    }
    container::bytes(&metadata, parts)
}

/// Writes a data set's file, as a whole or not at all, and says its digest.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_dataset(
    path: &Path,
    dataset: &Dataset,
    columns: Option<&Columns>,
) -> Result<Digest, InFile<WriteProblem>> {
    let bytes = dataset_bytes(dataset, columns);
    write_atomically(path, &bytes)?;
    Ok(Digest::of(&bytes))
}

/// The data set in a file, and the file's digest.
///
/// # Errors
///
/// If the file cannot be read or is not a data set.
pub fn read_dataset(path: &Path) -> Result<Stored<NamedDataset>, TensorError> {
    let bytes = std::fs::read(path).map_err(TensorProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse_dataset(path, &bytes)?, digest: Digest::of(&bytes) })
}

/// The data set in `bytes`, which come from `file`.
///
/// # Errors
///
/// If they are not a data set.
pub fn parse_dataset(file: &Path, bytes: &[u8]) -> Result<NamedDataset, TensorError> {
    parse(bytes).in_file(file)
}

fn parse(bytes: &[u8]) -> Result<NamedDataset, TensorProblem> {
    let mut container = Container::parse(bytes)?;
    let format = take_format(&mut container)?;
    let (inputs, input_shape) = take_values(&mut container, format, "inputs", 2)?;
    let (labels, label_shape) = take_values(&mut container, format, "labels", 2)?;
    if input_shape[0] != label_shape[0] {
        let expected = format!("[{}, …], a row for each row of inputs,", input_shape[0]);
        return Err(TensorProblem::Shape { tensor: "labels".to_string(), found: label_shape, expected });
    }
    let (dimension, outputs) = (input_shape[1], label_shape[1]);
    let columns = take_columns(&mut container, dimension, outputs)?;
    container.finish()?;
    let dataset = Dataset::new(format, dimension, outputs, inputs, labels)
        .map_err(|source| TensorProblem::Dataset { tensor: faulty(&source), source })?;
    Ok(NamedDataset { dataset, columns })
}

fn take_columns(
    container: &mut Container<'_>,
    dimension: usize,
    outputs: usize,
) -> Result<Option<Columns>, TensorProblem> {
    let inputs = take_names(container, "input_names", dimension, "columns")?;
    let labels = take_names(container, "label_names", outputs, "columns")?;
    match (inputs, labels) {
        (Some(inputs), Some(labels)) => Ok(Some(Columns { inputs, labels })),
        (None, None) => Ok(None),
        (inputs, _) => {
            container.take_metadata(if inputs.is_some() { "label_names" } else { "input_names" })?;
            Ok(None)
        }
    }
}

/// The names in an entry of the metadata, if it is there: as many as are `needed` of what is named.
pub(super) fn take_names(
    container: &mut Container<'_>,
    key: &'static str,
    needed: usize,
    what: &str,
) -> Result<Option<Vec<String>>, TensorProblem> {
    if !container.metadata.contains_key(key) {
        return Ok(None);
    }
    let read = container.read_metadata(key, |text| {
        let names = names(text)?;
        let found = names.len();
        if found == needed { Ok(names) } else { Err(format!("{found} names for {needed} {what}")) }
    });
    read.map(Some)
}

fn names(text: &str) -> Result<Vec<String>, String> {
    let json = Json::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let names = Field::root(json).array().and_then(|names| names.into_iter().map(Field::text).collect());
    names.map_err(|misfit| misfit.to_string())
}

/// The tensor that an error is about.
fn faulty(error: &DatasetError) -> &'static str {
    match error {
        DatasetError::Value { what: "label", .. } => "labels",
        _ => "inputs",
    }
}
