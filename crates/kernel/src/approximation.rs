//! That a tree approximates a function of the reals: at every point of a domain, leaf by leaf.
//!
//! A point of the domain is a finite value of the format for each variable; a box of them is a range of order keys for each.
//! The leaves of a tree cut the domain into such boxes, on each of which the tree is one number.
//!
//! - [`Accuracy::Rounded`]: every point of every box is visited, and the function rounded there by
//!   [`Function::round`](roundproof_exact::functions::Function::round).
//! - [`Accuracy::Within`]: the function is enclosed over the reals between the ends of a box. If both ends of the
//!   enclosure are within the error of the leaf, so is the function at every point of the box; if not, the box is halved
//!   by its keys. At a single point, precision grows until the enclosure says which.
//!
//! What is believed is that an enclosure holds the function: `roundproof-exact` proves it by outward rounding.

use roundproof_exact::functions::FunctionError;
use roundproof_exact::{Rational, decode, order_key};
use roundproof_format::{Encoding, Format};
use roundproof_network::{Forest, TreeNode};

use crate::{Accuracy, Approximation, ApproximationRejection};

/// The most points of a domain at which a function is rounded.
pub const MOST_POINTS: u128 = 1 << 16;
/// The most enclosures that one claim may take.
pub const MOST_ENCLOSURES: usize = 1 << 21;
/// Bits with which an enclosure begins, beyond the precision of the format.
const FIRST_BITS: u32 = 32;
/// Bits at which a point is given up.
const MOST_BITS: u32 = 1 << 12;

/// A box of the domain: for each variable, its least and its largest order key.
type Keys = Vec<(i128, i128)>;

/// Checks that `forest` is a single tree with one output that approximates the function as `claimed`.
///
/// # Errors
///
/// The first condition or point that fails. See [`ApproximationRejection`].
pub fn check(
    claimed: &Approximation,
    forest: &Forest,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), ApproximationRejection> {
    let domain = domain(claimed, forest)?;
    let points = domain.iter().try_fold(1u128, |points, &(low, high)| points.checked_mul(1 + high.abs_diff(low)));
    let points = points.unwrap_or(u128::MAX);
    if matches!(claimed.accuracy, Accuracy::Rounded { .. }) && points > MOST_POINTS {
        return Err(ApproximationRejection::Points { points, most: MOST_POINTS });
    }
    let mut judge = Judge { claimed, format: forest.format(), enclosures: 0 };
    let leaves = forest.leaves();
    visit(forest, domain, &mut |leaf, value, region| {
        if leaf % 256 == 0 {
            progress(leaf, leaves);
        }
        match &claimed.accuracy {
            Accuracy::Rounded { .. } => judge.rounded(value, &region),
            Accuracy::Within(error) => judge.within(value, error, region),
        }
    })?;
    progress(leaves, leaves);
    Ok(())
}

/// The domain as keys, if function, domain and forest go together.
fn domain(claimed: &Approximation, forest: &Forest) -> Result<Keys, ApproximationRejection> {
    let format = forest.format();
    if !format.is_bounded() {
        return Err(ApproximationRejection::Unbounded { format });
    }
    let (variables, inputs) = (claimed.function.arity(), forest.dimension());
    if variables != inputs || variables != claimed.domain.len() {
        return Err(ApproximationRejection::Variables { variables, inputs, ranges: claimed.domain.len() });
    }
    let (trees, outputs) = (forest.trees().len(), forest.outputs());
    if (trees, outputs) != (1, 1) {
        return Err(ApproximationRejection::Forest { trees, outputs });
    }
    let range = |(variable, &(low, high)): (usize, &(Encoding, Encoding))| {
        let key = |end| order_key(format, end).filter(|_| format.is_finite(end));
        match (key(low), key(high)) {
            (Some(low), Some(high)) if low <= high => Ok((low, high)),
            _ => Err(ApproximationRejection::Domain { variable, low, high }),
        }
    };
    claimed.domain.iter().enumerate().map(range).collect()
}

/// Every leaf that meets the domain, in preorder, with its value and where it meets it.
fn visit(
    forest: &Forest,
    domain: Keys,
    judge: &mut dyn FnMut(usize, &Rational, Keys) -> Result<(), ApproximationRejection>,
) -> Result<(), ApproximationRejection> {
    let (format, tree) = (forest.format(), &forest.trees()[0]);
    let links = tree.links();
    let base = value(format, forest.base().get(0));
    let mut open = vec![(0, domain)];
    while let Some((node, region)) = open.pop() {
        match tree.nodes[node] {
            TreeNode::Leaf => {
                let leaf = links[node] as usize;
                judge(leaf, &(value(format, tree.values.get(leaf)) + &base), region)?;
            }
            TreeNode::Split { column, threshold } => {
                let threshold = order_key(format, threshold).expect("thresholds of a forest are finite");
                let (low, high) = region[column as usize];
                let mut side = |node, low, high| {
                    if low <= high {
                        let mut region = region.clone();
                        region[column as usize] = (low, high);
                        open.push((node, region));
                    }
                };
                side(links[node] as usize, low.max(threshold + 1), high);
                side(node + 1, low, high.min(threshold));
            }
        }
    }
    Ok(())
}

struct Judge<'a> {
    claimed: &'a Approximation,
    format: Format,
    enclosures: usize,
}

impl Judge<'_> {
    /// Whether the function, rounded, is `value` at every point of the region.
    fn rounded(&self, value: &Rational, region: &[(i128, i128)]) -> Result<(), ApproximationRejection> {
        let mut point: Vec<i128> = region.iter().map(|range| range.0).collect();
        loop {
            self.rounded_at(value, &point)?;
            // The next point, the last variable first.
            let Some(variable) = (0..point.len()).rev().find(|&variable| point[variable] < region[variable].1) else {
                return Ok(());
            };
            point[variable] += 1;
            for (key, range) in point.iter_mut().zip(region).skip(variable + 1) {
                *key = range.0;
            }
        }
    }

    fn rounded_at(&self, value: &Rational, point: &[i128]) -> Result<(), ApproximationRejection> {
        let Accuracy::Rounded { mode, overflow } = self.claimed.accuracy else { return Ok(()) };
        let input: Vec<Rational> = point.iter().map(|&key| self.value_of(key)).collect();
        let rounded = self.claimed.function.round(&input, self.format, mode, overflow);
        let expected = rounded.map_err(|error| self.undefined(point.iter().map(|&key| (key, key)), error))?.encoding;
        let is_value = decode(self.format, expected).and_then(|datum| datum.rational()).is_some_and(|it| it == *value);
        if is_value {
            return Ok(());
        }
        let at = point.iter().map(|&key| self.encoding(key)).collect();
        Err(ApproximationRejection::Value { at, given: value.clone(), expected })
    }

    /// Whether the function is within `error` of `value` at every point of the region.
    fn within(&mut self, value: &Rational, error: &Rational, region: Keys) -> Result<(), ApproximationRejection> {
        let first_bits = self.format.precision() + FIRST_BITS;
        let mut open = vec![(region, first_bits)];
        while let Some((region, bits)) = open.pop() {
            self.enclosures += 1;
            if self.enclosures > MOST_ENCLOSURES {
                return Err(ApproximationRejection::Work { most: MOST_ENCLOSURES });
            }
            let is_point = region.iter().all(|(low, high)| low == high);
            let reals: Vec<(Rational, Rational)> =
                region.iter().map(|&(low, high)| (self.value_of(low), self.value_of(high))).collect();
            match self.claimed.function.enclose(&reals, bits) {
                Ok((low, high)) => {
                    let [least, most] = [value.clone() - error, value.clone() + error];
                    if least <= low && high <= most {
                        continue;
                    }
                    if high < least || most < low {
                        // Nowhere in the region is it near enough.
                        let region = self.ends(region);
                        return Err(ApproximationRejection::Error { region, given: value.clone(), low, high });
                    }
                }
                // An enclosure over a box may fail where the function itself is defined at each of its points, and one
                // of few bits where one of many does not.
                Err(_) if !is_point || bits < MOST_BITS => {}
                Err(error) => return Err(self.undefined(region.into_iter(), error)),
            }
            if !is_point {
                let (lower, upper) = halves(&region);
                open.extend([(upper, first_bits), (lower, first_bits)]);
            } else if bits < MOST_BITS {
                open.push((region, 2 * bits));
            } else {
                let region = self.ends(region);
                return Err(ApproximationRejection::Undecided { region, bits });
            }
        }
        Ok(())
    }

    fn undefined(&self, region: impl Iterator<Item = (i128, i128)>, error: FunctionError) -> ApproximationRejection {
        ApproximationRejection::Function { region: self.ends(region.collect()), error }
    }

    fn ends(&self, region: Keys) -> Vec<(Encoding, Encoding)> {
        region.into_iter().map(|(low, high)| (self.encoding(low), self.encoding(high))).collect()
    }

    /// The value with an order key; of the zeros, +0.
    fn encoding(&self, key: i128) -> Encoding {
        let sign = if key < 0 { 1 << (self.format.width() - 1) } else { 0 };
        Encoding::from_bits(sign | key.unsigned_abs())
    }

    fn value_of(&self, key: i128) -> Rational {
        value(self.format, self.encoding(key))
    }
}

/// A region halved where it has the most keys.
fn halves(region: &[(i128, i128)]) -> (Keys, Keys) {
    let widest = (0..region.len()).rev().max_by_key(|&variable| region[variable].1 - region[variable].0).unwrap_or(0);
    let (low, high) = region[widest];
    let middle = low + (high - low) / 2;
    let (mut lower, mut upper) = (region.to_vec(), region.to_vec());
    lower[widest] = (low, middle);
    upper[widest] = (middle + 1, high);
    (lower, upper)
}

fn value(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).and_then(|datum| datum.rational()).expect("values of forests and domains are finite")
}
