//! Rows of a data set and the values of a forest.

use roundproof_exact::{Rational, decode, order_key};
use roundproof_format::{Encoding, Format};
use roundproof_network::{Dataset, Forest, TreeNode};

use crate::{Rejection, ReplayRejection};

/// The rows, ascending, in which the label is not the forest's value.
///
/// # Panics
///
/// If forest and data set differ in format or dimensions.
pub fn exceptions(forest: &Forest, data: &Dataset, progress: &mut dyn FnMut(usize, usize)) -> Vec<usize> {
    let links: Vec<Vec<u32>> = forest.trees().iter().map(|tree| tree.links()).collect();
    let mut found = Vec::new();
    for row in 0..data.rows() {
        if row % 1024 == 0 {
            progress(row, data.rows());
        }
        if !labels_are_values(forest, &links, data, row) {
            found.push(row);
        }
    }
    progress(data.rows(), data.rows());
    found
}

/// Checks that the exceptions are those rows and no others.
pub(crate) fn check_exceptions(
    forest: &Forest,
    data: &Dataset,
    claimed: &[usize],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), Rejection> {
    let found = exceptions(forest, data, progress);
    let place = found.iter().zip(claimed).position(|(found, claimed)| found != claimed);
    match place.unwrap_or(found.len().min(claimed.len())) {
        end if end == found.len() && end == claimed.len() => Ok(()),
        place => Err(Rejection::Exceptions { found: found.get(place).copied(), claimed: claimed.get(place).copied() }),
    }
}

fn labels_are_values(forest: &Forest, links: &[Vec<u32>], data: &Dataset, row: usize) -> bool {
    let values = values(forest, links, |column| data.input(row, column));
    values.iter().enumerate().all(|(output, sum)| *sum == value(forest.format(), data.label(row, output)))
}

/// Checks that `given` is farther than `tolerance` from what the forest gives at a point of finite values, or not finite.
pub(crate) fn contradicts(
    forest: &Forest,
    tolerance: &Rational,
    point: &[Encoding],
    output: usize,
    given: Encoding,
) -> Result<(), ReplayRejection> {
    let links: Vec<Vec<u32>> = forest.trees().iter().map(|tree| tree.links()).collect();
    let wanted = &values(forest, &links, |column| point[column])[output];
    let found = decode(forest.format(), given).and_then(|datum| datum.rational());
    match found.is_some_and(|found| (found - wanted).abs() <= *tolerance) {
        true => Err(ReplayRejection::Holds { given }),
        false => Ok(()),
    }
}

/// What the forest gives where the inputs are these, for each output; `links` are those of its trees.
fn values(forest: &Forest, links: &[Vec<u32>], input: impl Fn(usize) -> Encoding) -> Vec<Rational> {
    let format = forest.format();
    let mut values: Vec<Rational> = forest.base().iter().map(|base| value(format, base)).collect();
    for (tree, links) in forest.trees().iter().zip(links) {
        let mut node = 0;
        while let TreeNode::Split { column, threshold } = tree.nodes[node] {
            let below = key(format, input(column as usize)) <= key(format, threshold);
            node = if below { node + 1 } else { links[node] as usize };
        }
        let first = links[node] as usize * values.len();
        for (output, sum) in values.iter_mut().enumerate() {
            *sum += value(format, tree.values.get(first + output));
        }
    }
    values
}

fn key(format: Format, encoding: Encoding) -> i128 {
    order_key(format, encoding).expect("stored values are finite")
}

fn value(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).and_then(|datum| datum.rational()).expect("stored values are finite")
}
