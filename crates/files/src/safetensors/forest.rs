//! Decision forests.

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_format::Format;
use roundproof_network::{Encodings, Forest, ForestError, Tree, TreeNode};

use crate::atomic::WriteProblem;
use crate::digest::{Digest, Stored};
use crate::error::{In, InFile};
use crate::write_atomically;

use super::container::{self, Container};
use super::network::{take_dimension, take_format};
use super::values::{take_u32s, take_u64s, take_values, u32s, u64s, values};
use super::{TensorError, TensorProblem};

/// The column of a leaf.
const LEAF: u32 = u32::MAX;

/// The bytes of a forest's file: the same for the same forest, always.
///
/// # Panics
///
/// If a split compares the input of number 2^32 - 1, which stands for a leaf.
pub fn forest_bytes(forest: &Forest) -> Vec<u8> {
    let format = forest.format();
    let (mut starts, mut columns) = (vec![0u64], Vec::new());
    let (mut thresholds, mut leaves) = (Encodings::new(format), Encodings::new(format));
    for tree in forest.trees() {
        for node in &tree.nodes {
            let (column, threshold) = match *node {
                TreeNode::Leaf => (LEAF, format.zero()),
                TreeNode::Split { column, threshold } => (column, threshold),
            };
            assert!(column != LEAF || *node == TreeNode::Leaf, "an input of number 2^32 - 1");
            columns.push(column);
            thresholds.push(threshold);
        }
        leaves.extend(tree.values.iter());
        starts.push(columns.len() as u64);
    }
    let outputs = forest.outputs();
    let mut parts = vec![u64s("starts".to_string(), &starts), u32s("columns".to_string(), &columns)];
    parts.extend(values(format, "thresholds".to_string(), vec![thresholds.len()], &thresholds));
    parts.extend(values(format, "values".to_string(), vec![forest.leaves(), outputs], &leaves));
    parts.extend(values(format, "base".to_string(), vec![outputs], forest.base()));
    let metadata =
        BTreeMap::from([("format", format.to_string()), ("input_dimension", forest.dimension().to_string())]);
    container::bytes(&metadata, parts)
}

/// Writes a forest's file, as a whole or not at all, and says its digest.
///
/// # Errors
///
/// If the file cannot be written.
///
/// # Panics
///
/// As [`forest_bytes`].
pub fn write_forest(path: &Path, forest: &Forest) -> Result<Digest, InFile<WriteProblem>> {
    let bytes = forest_bytes(forest);
    write_atomically(path, &bytes)?;
    Ok(Digest::of(&bytes))
}

/// The forest in a file, and the file's digest.
///
/// # Errors
///
/// If the file cannot be read or is not a forest.
pub fn read_forest(path: &Path) -> Result<Stored<Forest>, TensorError> {
    let bytes = std::fs::read(path).map_err(TensorProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse_forest(path, &bytes)?, digest: Digest::of(&bytes) })
}

/// The forest in `bytes`, which come from `file`.
///
/// # Errors
///
/// If they are not a forest.
pub fn parse_forest(file: &Path, bytes: &[u8]) -> Result<Forest, TensorError> {
    parse(bytes).in_file(file)
}

fn parse(bytes: &[u8]) -> Result<Forest, TensorProblem> {
    let mut container = Container::parse(bytes)?;
    let format = take_format(&mut container)?;
    let dimension = take_dimension(&mut container)?;
    let starts = take_u64s(&mut container, "starts")?;
    let columns = take_u32s(&mut container, "columns")?;
    let (thresholds, _) = take_values(&mut container, format, "thresholds", 1)?;
    let (leaves, leaf_shape) = take_values(&mut container, format, "values", 2)?;
    let (base, _) = take_values(&mut container, format, "base", 1)?;
    container.finish()?;

    let wrong = |tensor: &str, found: Vec<usize>, expected: String| {
        Err(TensorProblem::Shape { tensor: tensor.to_string(), found, expected })
    };
    let (nodes, outputs) = (columns.len(), base.len());
    if thresholds.len() != nodes {
        return wrong("thresholds", vec![thresholds.len()], format!("[{nodes}] (one for each column)"));
    }
    let count = columns.iter().filter(|&&column| column == LEAF).count();
    if leaf_shape != [count, outputs] {
        let expected = format!("[{count}, {outputs}] (a row for each leaf, as wide as the base)");
        return wrong("values", leaf_shape, expected);
    }
    check_starts(&starts, nodes)?;
    let nodes = nodes_of(format, &columns, &thresholds)?;
    let mut leaves = leaves.iter();
    let cut = |ends: &[u64]| {
        let nodes = nodes[ends[0] as usize..ends[1] as usize].to_vec();
        let count = nodes.iter().filter(|&&node| node == TreeNode::Leaf).count() * outputs;
        Tree { nodes, values: Encodings::collect(format, leaves.by_ref().take(count)) }
    };
    let trees = starts.windows(2).map(cut).collect();
    Forest::new(format, dimension, base, trees)
        .map_err(|source| TensorProblem::Forest { tensor: faulty(&source), source })
}

/// The starts of the trees must ascend from 0 to the number of nodes.
fn check_starts(starts: &[u64], nodes: usize) -> Result<(), TensorProblem> {
    let broken = |what: String| Err(TensorProblem::Layout { tensor: "starts".to_string(), what });
    if let Some(tree) = starts.windows(2).position(|ends| ends[0] >= ends[1]) {
        return broken(format!("tree {tree} ends at node {}, where it starts or before", starts[tree + 1]));
    }
    match (starts.first(), starts.last()) {
        (Some(0), Some(&last)) if last == nodes as u64 => Ok(()),
        _ => broken(format!("the trees must begin at node 0 and end at node {nodes}, after the last")),
    }
}

/// Nodes, of which the leaves have the threshold +0 and no other.
fn nodes_of(format: Format, columns: &[u32], thresholds: &Encodings) -> Result<Vec<TreeNode>, TensorProblem> {
    let node = |(index, (&column, threshold))| {
        if column != LEAF {
            return Ok(TreeNode::Split { column, threshold });
        }
        if threshold == format.zero() {
            return Ok(TreeNode::Leaf);
        }
        let what =
            format!("node {index} is a leaf and has the threshold {threshold:#x}; a leaf has {:#x}", format.zero());
        Err(TensorProblem::Layout { tensor: "thresholds".to_string(), what })
    };
    columns.iter().zip(thresholds.iter()).enumerate().map(node).collect()
}

/// The tensor that an error is about.
fn faulty(error: &ForestError) -> &'static str {
    match error {
        ForestError::Shape { trees: 0, .. } => "starts",
        ForestError::Shape { dimension: 0, .. } => "columns",
        ForestError::Value { place, .. } if !place.starts_with("base") => "values",
        ForestError::Shape { .. } | ForestError::Value { .. } | ForestError::Width { .. } => "base",
        ForestError::Node { what, .. } if what.contains("finite") => "thresholds",
        ForestError::Node { .. } => "columns",
        ForestError::Values { .. } => "values",
    }
}
