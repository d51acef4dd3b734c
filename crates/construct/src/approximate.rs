//! From a function of the reals to a tree that approximates it at every value of a domain.
//!
//! The domain is all values of a format between two ends, for each variable; beyond it the tree goes on with the leaf at the
//! edge. Leaves are regions of order keys, neighbours of one value joined.
//!
//! - [`Accuracy::Rounded`]: the function is rounded at every point. In one variable, each run of equal results is a leaf,
//!   and the tree over the runs is balanced. In two, a region that has more than one result is cut where most
//!   neighbours across the cut differ.
//! - [`Accuracy::Within`], [`Accuracy::Excess`]: in one variable, each leaf reaches as far as one value fits an enclosure of
//!   the function; in two, regions are halved until one does.

mod attainable;
mod estimate;
mod near;
mod places;
mod search;

use roundproof_approximation::rule::MOST_POINTS;
use roundproof_approximation::{Accuracy, Approximation, Region};
use roundproof_exact::{Rational, order_key, real};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::Function;
use roundproof_network::{Encodings, Forest, Tree, TreeNode};

use crate::ConstructError;

/// The most leaves within an error.
pub const MOST_LEAVES: usize = 1 << 16;

/// Order keys, the least and the largest.
type Keys = (i128, i128);

/// A tree that approximates a function as asked.
///
/// `progress` is told how many of how many points are done.
///
/// # Errors
///
/// If function and domain do not go together or the domain is none of the format; the function is not defined somewhere,
/// or leaves the format; there are more points or leaves than can be; or the error is less than the format can hold, or, in
/// `F(p)`, than the function varies next to 0.
pub fn approximate(
    wanted: &Approximation,
    format: Format,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Forest, ConstructError> {
    let key = |end| order_key(format, end).filter(|_| format.is_finite(end));
    if let Accuracy::Rounded { overflow, .. } = wanted.accuracy
        && !format.expresses(overflow)
    {
        return Err(ConstructError::Unsuitable("the format cannot express the overflow policy"));
    }
    let ends = |&(low, high): &(Encoding, Encoding)| Some((key(low)?, key(high)?)).filter(|(low, high)| low <= high);
    let domain: Option<Vec<Keys>> = wanted.domain.iter().map(ends).collect();
    let domain = domain.ok_or(ConstructError::Unsuitable("a domain is from one finite value to a larger one"))?;
    if domain.len() != wanted.function.arity() {
        return Err(ConstructError::Unsuitable("a domain has a range for each variable of the function"));
    }
    let mut grower = Grower::new(wanted, format);
    match &wanted.accuracy {
        &Accuracy::Rounded { mode, overflow } => grower.rounded(mode, overflow, &domain, progress)?,
        Accuracy::Within(_) | Accuracy::Excess(_) => near::grow(&mut grower, &domain, progress)?,
    }
    let base = Encodings::collect(format, [format.zero()]);
    let tree = Tree { nodes: grower.nodes, values: grower.values };
    Forest::new(format, domain.len(), base, vec![tree])
        .map_err(|_| ConstructError::Unsuitable("the tree has more nodes than a tree may have"))
}

struct Grower<'a> {
    wanted: &'a Approximation,
    format: Format,
    nodes: Vec<TreeNode>,
    values: Encodings,
}

impl<'a> Grower<'a> {
    fn new(wanted: &'a Approximation, format: Format) -> Grower<'a> {
        Grower { wanted, format, nodes: Vec::new(), values: Encodings::new(format) }
    }

    fn leaf(&mut self, value: Encoding) {
        self.nodes.push(TreeNode::Leaf);
        self.values.push(value);
    }

    fn split(&mut self, column: u32, threshold: Encoding) {
        self.nodes.push(TreeNode::Split { column, threshold });
    }

    /// The balanced tree over runs in one variable, each with its last input and its value.
    fn runs(&mut self, runs: &[(Encoding, Encoding)]) {
        match runs {
            [] => {}
            [(_, value)] => self.leaf(*value),
            _ => {
                let (lower, upper) = runs.split_at(runs.len() / 2);
                self.split(0, lower[lower.len() - 1].0);
                self.runs(lower);
                self.runs(upper);
            }
        }
    }

    fn rounded(
        &mut self,
        mode: RoundingMode,
        overflow: Overflow,
        domain: &[Keys],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), ConstructError> {
        let infinite = |&(low, high): &Keys| !self.format.is_bounded() && low <= 0 && 0 <= high && low < high;
        if domain.iter().any(infinite) {
            return Err(ConstructError::InfinitelyManyPoints { format: self.format });
        }
        let points = domain.iter().try_fold(1u128, |points, &range| points.checked_mul(length(range)));
        let points = points.filter(|&points| points <= MOST_POINTS);
        let points = points.ok_or(ConstructError::TooManyPoints { most: MOST_POINTS })? as usize;
        let (format, function) = (self.format, &self.wanted.function);
        let (rows, columns) = (domain[0], domain.get(1).copied().unwrap_or((0, 0)));
        let mut table = Vec::with_capacity(points);
        for first in rows.0..=rows.1 {
            progress(table.len(), points);
            for second in columns.0..=columns.1 {
                let at: Vec<Encoding> =
                    [first, second][..domain.len()].iter().map(|&key| encoding(format, key)).collect();
                let input: Vec<Rational> = at.iter().map(|&input| value(format, input)).collect();
                match function.round(&input, format, mode, overflow) {
                    Err(error) => return Err(ConstructError::Function { at: Region::point(format, at), error }),
                    Ok(rounded) if !format.is_finite(rounded.encoding) => {
                        return Err(ConstructError::Overflow { at: Region::point(format, at), format });
                    }
                    Ok(rounded) if format.is_zero(rounded.encoding) => table.push(format.zero()),
                    Ok(rounded) => table.push(rounded.encoding),
                }
            }
        }
        if domain.len() == 1 {
            let mut runs: Vec<(Encoding, Encoding)> = Vec::new();
            for (key, value) in (rows.0..=rows.1).zip(table) {
                let input = encoding(format, key);
                match runs.last_mut() {
                    Some(last) if last.1 == value => last.0 = input,
                    _ => runs.push((input, value)),
                }
            }
            self.runs(&runs);
        } else {
            let table = Table::new(table, length(columns) as usize, [rows.0, columns.0]);
            let whole = [(0, length(rows) as usize), (0, length(columns) as usize)];
            self.divide(&table, whole);
        }
        Ok(())
    }

    /// The tree over a part of a table.
    fn divide(&mut self, table: &Table, part: [(usize, usize); 2]) {
        match table.best_cut(part) {
            None => self.leaf(table.values[part[0].0 * table.width + part[1].0]),
            Some((axis, after)) => {
                self.split(axis as u32, encoding(self.format, table.first[axis] + after as i128));
                let (mut lower, mut upper) = (part, part);
                (lower[axis].1, upper[axis].0) = (after + 1, after + 1);
                self.divide(table, lower);
                self.divide(table, upper);
            }
        }
    }
}

/// A cut: which of how many neighbours differ, how central it is, its axis and place.
type Best = ((u64, u64), u64, (usize, usize));

/// A table of results, rows by the first variable, and where its neighbours differ.
struct Table {
    values: Vec<Encoding>,
    width: usize,
    /// The keys of the first row and column.
    first: [i128; 2],
    /// For each axis, and each place and line along it, how many lines before have another value at the next place.
    changes: [Vec<u32>; 2],
}

impl Table {
    fn new(values: Vec<Encoding>, width: usize, first: [i128; 2]) -> Table {
        let height = values.len() / width;
        let mut changes = [Vec::new(), Vec::new()];
        for (axis, sums) in changes.iter_mut().enumerate() {
            let (along, across) = if axis == 0 { (height, width) } else { (width, height) };
            for place in 0..along.saturating_sub(1) {
                let mut sum = 0;
                sums.push(sum);
                for line in 0..across {
                    let (here, next) = match axis {
                        0 => (place * width + line, (place + 1) * width + line),
                        _ => (line * width + place, line * width + place + 1),
                    };
                    sum += u32::from(values[here] != values[next]);
                    sums.push(sum);
                }
            }
        }
        Table { values, width, first, changes }
    }

    /// The axis and the place after which most neighbours differ, of equally good ones the most central; none if all are
    /// equal.
    fn best_cut(&self, part: [(usize, usize); 2]) -> Option<(usize, usize)> {
        let height = self.values.len() / self.width;
        let mut best: Option<Best> = None;
        for axis in 0..2 {
            let ((low, high), (start, end)) = (part[axis], part[1 - axis]);
            let stride = 1 + if axis == 0 { self.width } else { height };
            for after in low..high - 1 {
                let sums = &self.changes[axis][after * stride..(after + 1) * stride];
                let share = (u64::from(sums[end] - sums[start]), (end - start) as u64);
                if share.0 == 0 {
                    continue;
                }
                let centrality = (after + 1 - low).min(high - 1 - after) as u64;
                let better =
                    best.is_none_or(|(other, centre, _)| (share.0 * other.1, centrality) > (other.0 * share.1, centre));
                if better {
                    best = Some((share, centrality, (axis, after)));
                }
            }
        }
        best.map(|(_, _, cut)| cut)
    }
}

fn length((low, high): Keys) -> u128 {
    high.abs_diff(low) + 1
}

/// The encoding with an order key; of the zeros, +0.
fn encoding(format: Format, key: i128) -> Encoding {
    let sign = if key < 0 { 1 << (format.width() - 1) } else { 0 };
    Encoding::from_bits(sign | key.unsigned_abs())
}

fn value_of(format: Format, key: i128) -> Rational {
    value(format, encoding(format, key))
}

fn value(format: Format, encoding: Encoding) -> Rational {
    real(format, encoding).expect("keys lie between those of finite values")
}

/// The widest domain of a function: all finite values, for each variable.
pub fn all_finite(function: &Function, format: Format) -> Vec<(Encoding, Encoding)> {
    let end = |negative| format.largest(negative).unwrap_or(format.zero());
    vec![(end(true), end(false)); function.arity()]
}
