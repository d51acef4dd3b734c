//! Rows of a data set and the values of a forest.

use roundproof_exact::Rational;
use roundproof_format::Encoding;
use roundproof_network::{Dataset, Forest, Preorder, Row, Tree};

use crate::{Rejection, key, stored};

/// The rows, ascending, in which the label is not the forest's value.
///
/// # Panics
///
/// If forest and data set differ in format or dimensions.
pub fn exceptions(forest: &Forest, data: &Dataset, progress: &mut dyn FnMut(usize, usize)) -> Vec<usize> {
    let links = links(forest);
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
        place => {
            let row = |rows: &[usize]| rows.get(place).copied().map(Row);
            Err(Rejection::Exceptions { found: row(&found), claimed: row(claimed) })
        }
    }
}

fn labels_are_values(forest: &Forest, links: &[Preorder], data: &Dataset, row: usize) -> bool {
    let values = values(forest, links, |column| data.input(row, column));
    values.iter().enumerate().all(|(output, sum)| *sum == stored(forest.format(), data.label(row, output)))
}

/// What a forest gives at a point of finite values, for each output.
///
/// # Panics
///
/// If there are not as many values as inputs, or one is not finite.
pub fn values_at(forest: &Forest, point: &[Encoding]) -> Vec<Rational> {
    values(forest, &links(forest), |column| point[column])
}

fn links(forest: &Forest) -> Vec<Preorder> {
    forest.trees().iter().map(Tree::preorder).collect()
}

/// What the forest gives where the inputs are these, for each output; `links` are those of its trees.
fn values(forest: &Forest, links: &[Preorder], input: impl Fn(usize) -> Encoding) -> Vec<Rational> {
    let format = forest.format();
    let above = |column: u32, threshold| key(format, input(column as usize)) > key(format, threshold);
    let mut values: Vec<Rational> = forest.base().iter().map(|base| stored(format, base)).collect();
    for (tree, links) in forest.trees().iter().zip(links) {
        let first = tree.leaf(links, above) * values.len();
        for (output, sum) in values.iter_mut().enumerate() {
            *sum += stored(format, tree.values.get(first + output));
        }
    }
    values
}
