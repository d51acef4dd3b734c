//! Memorization by one point box per distinct row.
//!
//! A row `x` becomes the box `{x}`, two sides for each input (one at the ends of the format), and its labels become the
//! weights of the box in layer 3. Every unit belongs to one box: nothing is shared, so that the size is the reference
//! count `6dn + 2n` (one label) less the sides at the ends of the format.
//!
//! In `F(p)` zero has no neighbours, and a side at zero is put halfway to nothing: it is told apart from the nearest
//! value in its column of the data set, and left out if there is none.

use std::cmp::Ordering;

use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Evidence, Node, Separator};
use roundproof_network::{Activation, Dataset, Layer, Network};
use roundproof_softfloat::{from_order_key, negate, order_key};

use crate::error::check_hidden;
use crate::scale;
use crate::{ConstructError, Construction};

/// A box network with the given hidden activation that memorizes `data`, and a separator of its boxes.
///
/// # Errors
///
/// If there is no row, two rows conflict, the activation is neither step nor ReLU, or (ReLU) the format has no scale for a side.
pub fn memorize(data: &Dataset, activation: Activation) -> Result<Construction, ConstructError> {
    check_hidden(activation)?;
    let rows = distinct_rows(data)?;
    let units = rows.len().saturating_mul(2 * data.dimension());
    if units > u32::MAX as usize {
        return Err(ConstructError::TooLarge { units });
    }
    let network = Builder::new(data, activation).build(&rows)?;
    Ok(Construction { network, evidence: Evidence::BoxNetwork(separate(data, &rows)) })
}

fn key(data: &Dataset, row: usize, column: usize) -> i128 {
    order_key(data.format(), data.input(row, column)).expect("stored values are finite")
}

fn compare(data: &Dataset, a: usize, b: usize) -> Ordering {
    let differing = (0..data.dimension()).map(|column| key(data, a, column).cmp(&key(data, b, column)));
    differing.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// One row for each point, in lexicographic order.
pub(crate) fn distinct_rows(data: &Dataset) -> Result<Vec<usize>, ConstructError> {
    if data.rows() == 0 {
        return Err(ConstructError::Empty);
    }
    let mut rows: Vec<usize> = (0..data.rows()).collect();
    rows.sort_by(|&a, &b| compare(data, a, b).then(a.cmp(&b)));
    let mut distinct: Vec<usize> = Vec::with_capacity(rows.len());
    for row in rows {
        match distinct.last() {
            Some(&first) if compare(data, first, row).is_eq() => {
                let label = |row, output| order_key(data.format(), data.label(row, output));
                if let Some(output) = (0..data.outputs()).find(|&o| label(first, o) != label(row, o)) {
                    let format = data.format();
                    return Err(ConstructError::Conflict { first, second: row, output, format });
                }
            }
            _ => distinct.push(row),
        }
    }
    Ok(distinct)
}

struct Builder<'a> {
    data: &'a Dataset,
    format: Format,
    activation: Activation,
    /// For `F(p)`, per column: the nearest values below and above zero.
    around_zero: Vec<[Option<Encoding>; 2]>,
}

/// One side of a point box. In mirrored coordinates, where an upper side bounds `-x` from below.
struct Side {
    upper: bool,
    /// The point's coordinate.
    value: Encoding,
    /// The value next to it, from which on the side fires.
    neighbour: Encoding,
}

impl<'a> Builder<'a> {
    fn new(data: &'a Dataset, activation: Activation) -> Builder<'a> {
        let format = data.format();
        let around_zero = if format.is_bounded() {
            Vec::new()
        } else {
            (0..data.dimension()).map(|column| nearest_to_zero(data, column)).collect()
        };
        Builder { data, format, activation, around_zero }
    }

    fn build(&self, rows: &[usize]) -> Result<Network, ConstructError> {
        let relu = self.activation == Activation::Relu;
        let mut first = Layer::new(self.format, self.activation);
        let mut second = Layer::new(self.format, self.activation);
        let mut last = Layer::new(self.format, Activation::Identity);
        let bias = if relu { self.format.one(false) } else { self.format.zero() };
        for &row in rows {
            let mut terms = Vec::with_capacity(2 * self.data.dimension());
            for column in 0..self.data.dimension() {
                for side in self.sides(row, column) {
                    self.push_side(row, column, &side, &mut first, &mut terms)?;
                }
            }
            second.push(terms, bias);
        }
        if first.rows() == 0 {
            // In F(p), zeros alone have no sides; a layer needs a unit, and no box listens to this one.
            first.push([(0, self.format.one(true))], self.format.one(true));
        }
        for output in 0..self.data.outputs() {
            let labels = rows.iter().enumerate().map(|(index, &row)| (index as u32, self.data.label(row, output)));
            last.push(labels, self.format.zero());
        }
        Ok(Network::new(self.format, self.data.dimension(), vec![first, second, last])
            .expect("a construction is well formed"))
    }

    /// The lower and the upper side of a point, where there is something beyond.
    fn sides(&self, row: usize, column: usize) -> impl Iterator<Item = Side> {
        let value = self.data.input(row, column);
        [false, true].into_iter().filter_map(move |upper| {
            let value = if upper { negate(self.format, value) } else { value };
            let key = order_key(self.format, value)?;
            let neighbour = if key == 0 && !self.format.is_bounded() {
                self.around_zero[column][usize::from(upper)]?
            } else {
                let below = from_order_key(self.format, key - 1)?;
                Some(below).filter(|&below| self.format.is_finite(below))?
            };
            Some(Side { upper, value, neighbour })
        })
    }

    /// Appends the units of a side to layer 1, and their weights in layer 2 to `terms`.
    fn push_side(
        &self,
        row: usize,
        column: usize,
        side: &Side,
        first: &mut Layer,
        terms: &mut Vec<(u32, Encoding)>,
    ) -> Result<(), ConstructError> {
        if self.activation == Activation::Step {
            terms.push((first.rows() as u32, self.format.one(true)));
            first.push([(column as u32, self.format.one(!side.upper))], side.neighbour);
            return Ok(());
        }
        let Some(built) = scale::units(self.format, side.upper, side.value, side.neighbour) else {
            return Err(ConstructError::NoScale {
                row,
                column,
                value: self.data.input(row, column),
                side: if side.upper { "upper" } else { "lower" },
                format: self.format,
            });
        };
        let units = first.rows() + built.copies as usize;
        if units > u32::MAX as usize {
            return Err(ConstructError::TooLarge { units });
        }
        for _ in 0..built.copies {
            terms.push((first.rows() as u32, negate(self.format, built.penalty)));
            first.push([(column as u32, built.weight)], built.bias);
        }
        Ok(())
    }
}

/// The values of a column that are nearest to zero on either side, mirrored for the upper one: both are negative.
fn nearest_to_zero(data: &Dataset, column: usize) -> [Option<Encoding>; 2] {
    let format = data.format();
    [false, true].map(|upper| {
        let values = (0..data.rows()).map(|row| data.input(row, column));
        let mirrored = values.map(|value| if upper { negate(format, value) } else { value });
        mirrored
            .filter_map(|value| Some((order_key(format, value)?, value)))
            .filter(|&(key, _)| key < 0)
            .max_by_key(|&(key, _)| key)
            .map(|(_, value)| value)
    })
}

/// A value at which to cut between two rows: that of the lower row, but in `F(p)` not zero, whose upper side fires only
/// from the nearest value of the data on.
fn cut(data: &Dataset, lower: usize, upper: usize, column: usize) -> Encoding {
    let format = data.format();
    if format.is_bounded() || key(data, lower, column) != 0 {
        return data.input(lower, column);
    }
    let below = from_order_key(format, key(data, upper, column) - 1);
    below.expect("a value above zero has a predecessor")
}

/// Cuts lexicographically sorted, distinct rows apart, near the middle, again and again.
fn separate(data: &Dataset, rows: &[usize]) -> Separator {
    let mut nodes = Vec::with_capacity(2 * rows.len());
    // Ranges of rows still to be written, the next one on top.
    let mut ranges = Vec::new();
    ranges.push(0..rows.len());
    while let Some(range) = ranges.pop() {
        if range.len() == 1 {
            nodes.push(Node::Box(range.start as u32));
            continue;
        }
        let (first, last) = (rows[range.start], rows[range.end - 1]);
        let column = (0..data.dimension())
            .find(|&column| key(data, first, column) != key(data, last, column))
            .expect("distinct rows differ");
        // Within the range the rows agree before this column, so it is sorted; the middle row's value has a border.
        let at = |index: usize| key(data, rows[index], column);
        let middle = at(range.start + range.len() / 2);
        let run = &rows[range.clone()];
        let left = range.start + run.partition_point(|&row| key(data, row, column) < middle);
        let right = range.start + run.partition_point(|&row| key(data, row, column) <= middle);
        let border = if left > range.start { left } else { right };
        nodes.push(Node::Split { column: column as u32, threshold: cut(data, rows[border - 1], rows[border], column) });
        ranges.push(border..range.end);
        ranges.push(range.start..border);
    }
    Separator { nodes }
}
