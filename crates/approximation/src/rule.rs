//! That a tree approximates a function of the reals: at every point of a domain, leaf by leaf.
//!
//! A point of the domain is a finite value of the format for each variable; a box of them is a range of order keys for each.
//! The leaves of a tree cut the domain into such boxes, on each of which the tree is one number `y`.
//!
//! - [`Accuracy::Rounded`]: every point of every box is visited, and the function rounded there by
//!   [`Function::round`](roundproof_functions::Function::round).
//! - [`Accuracy::Within`] and [`Accuracy::Excess`]: the function is enclosed over the reals between the ends of a box. At a
//!   real `t` the error is `|t - y|`, the excess `|t - y| - |t - v|` with the value `v` nearest to `t`. Both grow, or
//!   stay, as `t` moves away from `y`, since `|t - v|` changes no faster than `t`. So if they are small enough at both
//!   ends of the enclosure, they are at every point of the box; and if they are too large at the end next to a `y` beyond it,
//!   they are everywhere. If neither, the box is halved by its keys. At a single point, precision grows until the enclosure
//!   says which.
//!
//! In `F(p)` a box may reach to 0, with infinitely many values next to it, and keys count only those that can be written.
//! There a box stands for all reals between its ends, 0 being the end of what lies beyond a cut at 0, and halves are halves of
//! these reals; correct rounding is judged only where 0 is not an end of a range and not within.
//!
//! What is believed is that an enclosure holds the function: `roundproof-functions` proves it by outward rounding.

use roundproof_exact::{Rational, Value, order_key, real, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::FunctionError;
use roundproof_kernel::cut::{Event, Walk};
use roundproof_kernel::{ReplayRejection, datum, exponent_is_moderate, key, stored};
use roundproof_network::{Forest, Input, TreeNode};

use crate::{Accuracy, Approximation, ApproximationRejection, Region, Rejection};

/// The most points of a domain at which a function is rounded.
pub const MOST_POINTS: u128 = 1 << 16;
/// The most enclosures that one claim may take.
pub const MOST_ENCLOSURES: usize = 1 << 21;
/// Bits with which an enclosure begins, beyond the precision of the format.
const FIRST_BITS: u32 = 32;
/// Bits at which a point is given up.
const MOST_BITS: u32 = 1 << 12;
/// How often reals are halved in `F(p)`.
const MOST_HALVINGS: u32 = 1 << 8;
/// An enclosure with ends of so many bits counts as one more, for what it takes to compute.
const BITS_OF_AN_ENCLOSURE: usize = 1 << 12;

/// A box of the domain: for each variable, its least and its largest order key.
type Keys = Vec<(i128, i128)>;

/// Checks that `forest` is a single tree with one output that approximates the function as `claimed`.
///
/// # Errors
///
/// The first condition or point that fails. See [`ApproximationRejection`].
pub fn check_tree(
    claimed: &Approximation,
    forest: &Forest,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), ApproximationRejection> {
    let domain = domain(claimed, forest)?;
    if let Accuracy::Rounded { overflow, .. } = claimed.accuracy {
        check_points(forest.format(), &domain, overflow)?;
    }
    let mut judge = Judge { claimed, format: forest.format(), enclosures: 0 };
    let leaves = forest.leaves();
    visit(forest, domain, &mut |leaf, value, region| {
        if leaf % 256 == 0 {
            progress(leaf, leaves);
        }
        match &claimed.accuracy {
            Accuracy::Rounded { .. } => judge.rounded(value, &region),
            Accuracy::Within(_) | Accuracy::Excess(_) => judge.near(value, region),
        }
    })?;
    progress(leaves, leaves);
    Ok(())
}

/// Checks that `given` at `point`, a value for each variable, is not what is claimed there: it is another value than the
/// function rounded, or farther from the function than is allowed. NaN and infinities are near nothing, and NaN equals nothing.
///
/// # Errors
///
/// If the point is outside the domain or what is claimed holds there; or if it is not known which, since the function has
/// no value there or no precision tells.
pub(crate) fn contradicts(
    claimed: &Approximation,
    forest: &Forest,
    point: &[Encoding],
    given: Encoding,
) -> Result<(), Rejection> {
    let (format, domain) = (forest.format(), domain(claimed, forest)?);
    let mut keys = Keys::new();
    for (input, (&value, (low, high))) in point.iter().zip(domain).enumerate() {
        let key = order_key(format, value).filter(|key| (low..=high).contains(key));
        let outside = || ReplayRejection::Outside { input: Input(input), value: Value { format, encoding: value } };
        let key = key.ok_or_else(outside)?;
        keys.push((key, key));
    }
    let mut judge = Judge { claimed, format, enclosures: 0 };
    let number = real(format, given);
    let holds = match claimed.accuracy {
        Accuracy::Rounded { mode, overflow } => {
            check_policy(format, overflow)?;
            let expected = judge.round_at(&keys.iter().map(|key| key.0).collect::<Vec<i128>>(), mode, overflow)?;
            // NaN has no key, and equals nothing.
            order_key(format, given).is_some_and(|given| order_key(format, expected) == Some(given))
        }
        Accuracy::Within(_) | Accuracy::Excess(_) => match judge.near(&number.clone().unwrap_or_default(), keys) {
            Ok(()) => number.is_some(),
            Err(ApproximationRejection::Error { .. }) => false,
            Err(undecided) => return Err(undecided.into()),
        },
    };
    let given = Value { format, encoding: given };
    if holds { Err(ReplayRejection::Holds { given }.into()) } else { Ok(()) }
}

/// The domain as keys, if function, domain and forest go together.
fn domain(claimed: &Approximation, forest: &Forest) -> Result<Keys, ApproximationRejection> {
    let format = forest.format();
    let (variables, inputs) = (claimed.function.arity(), forest.dimension());
    if variables != inputs || variables != claimed.domain.len() {
        return Err(ApproximationRejection::Variables { variables, inputs, ranges: claimed.domain.len() });
    }
    let (trees, outputs) = (forest.trees().len(), forest.outputs());
    if (trees, outputs) != (1, 1) {
        return Err(ApproximationRejection::Forest { trees, outputs });
    }
    let range = |(variable, &(low, high)): (usize, &(Encoding, Encoding))| {
        let key =
            |end| order_key(format, end).filter(|&key| format.is_finite(end) && exponent_is_moderate(format, key));
        match (key(low), key(high)) {
            (Some(low), Some(high)) if low <= high => Ok((low, high)),
            _ => {
                let [low, high] = [low, high].map(|encoding| Value { format, encoding });
                Err(ApproximationRejection::Domain { variable, low, high })
            }
        }
    };
    claimed.domain.iter().enumerate().map(range).collect()
}

/// Whether the points of a domain can be visited, and the function rounded at each by this policy.
fn check_points(format: Format, domain: &Keys, overflow: Overflow) -> Result<(), ApproximationRejection> {
    check_policy(format, overflow)?;
    let infinite = |&(low, high): &(i128, i128)| !format.is_bounded() && low <= 0 && 0 <= high && low < high;
    if let Some(variable) = domain.iter().position(infinite) {
        return Err(ApproximationRejection::Infinite { variable, format });
    }
    let points = domain.iter().try_fold(1u128, |points, &(low, high)| points.checked_mul(1 + high.abs_diff(low)));
    match points.unwrap_or(u128::MAX) {
        0..=MOST_POINTS => Ok(()),
        points => Err(ApproximationRejection::Points { points, most: MOST_POINTS }),
    }
}

fn check_policy(format: Format, overflow: Overflow) -> Result<(), ApproximationRejection> {
    if format.expresses(overflow) { Ok(()) } else { Err(ApproximationRejection::Policy { format, overflow }) }
}

/// Every leaf that meets the domain, in preorder, with its value and where it meets it.
fn visit(
    forest: &Forest,
    domain: Keys,
    judge: &mut dyn FnMut(usize, &Rational, Keys) -> Result<(), ApproximationRejection>,
) -> Result<(), ApproximationRejection> {
    let (format, tree) = (forest.format(), &forest.trees()[0]);
    let preorder = tree.preorder();
    let base = stored(format, forest.base().get(0));
    let mut walk = Walk::new(0);
    while let Some(event) = walk.next() {
        let Event::Visit(node) = event else { continue };
        let region: Option<Keys> =
            (0..).zip(&domain).map(|(column, &range)| walk.bounds.within(column, range)).collect();
        match (region, tree.nodes[node]) {
            (None, _) => {}
            (Some(region), TreeNode::Leaf) => {
                let leaf = preorder.link(node);
                judge(leaf, &(stored(format, tree.values.get(leaf)) + &base), region)?;
            }
            (Some(_), TreeNode::Split { column, threshold }) => {
                walk.split(column, key(format, threshold), preorder.sides(node));
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
        let expected = self.round_at(point, mode, overflow)?;
        let is_value = real(self.format, expected).is_some_and(|it| it == *value);
        if is_value {
            return Ok(());
        }
        let at = self.region(point.iter().map(|&key| (key, key)));
        let expected = Value { format: self.format, encoding: expected };
        Err(ApproximationRejection::Value { at, given: value.clone(), expected })
    }

    /// The function at a point, rounded.
    fn round_at(
        &self,
        point: &[i128],
        mode: RoundingMode,
        overflow: Overflow,
    ) -> Result<Encoding, ApproximationRejection> {
        let input: Vec<Rational> = point.iter().map(|&key| self.value_of(key)).collect();
        let rounded = self.claimed.function.round(&input, self.format, mode, overflow);
        let undefined = |error| self.undefined(point.iter().map(|&key| (key, key)), error);
        rounded.map(|rounded| rounded.encoding).map_err(undefined)
    }

    /// Whether the function is as near as claimed to `value` at every point of the leaf.
    fn near(&mut self, value: &Rational, leaf: Keys) -> Result<(), ApproximationRejection> {
        let first_bits = self.format.precision() + FIRST_BITS;
        let mut open = vec![(self.part(leaf.clone()), first_bits)];
        while let Some((part, bits)) = open.pop() {
            let reals = self.reals(&part);
            let size = reals.iter().map(|(low, high)| bits_of(low) + bits_of(high)).sum::<usize>();
            self.enclosures += 1 + size / BITS_OF_AN_ENCLOSURE;
            if self.enclosures > MOST_ENCLOSURES {
                return Err(ApproximationRejection::Work { most: MOST_ENCLOSURES });
            }
            let region = || self.region(part.keys().unwrap_or(&leaf).iter().copied());
            let is_point = reals.iter().all(|(low, high)| low == high);
            let enclosure = self.claimed.function.enclose(&reals, bits);
            if let Ok((low, high)) = &enclosure {
                let far = |end| self.exceeds(value, end);
                if !far(low) && !far(high) {
                    continue;
                }
                // Nowhere in the region is it near enough.
                if (low > value && far(low)) || (high < value && far(high)) {
                    let between = Box::new((low.clone(), high.clone()));
                    return Err(ApproximationRejection::Error { region: region(), given: value.clone(), between });
                }
            }
            // An enclosure over a box may fail where the function itself is defined at each of its points, and one of few
            // bits where one of many does not.
            match (part.halves(&reals), enclosure) {
                (Some((lower, upper)), _) => open.extend([(upper, first_bits), (lower, first_bits)]),
                (None, _) if is_point && bits < MOST_BITS => open.push((part, 2 * bits)),
                (None, Err(error)) => return Err(ApproximationRejection::Function { region: region(), error }),
                (None, Ok(_)) => return Err(ApproximationRejection::Undecided { region: region(), bits }),
            }
        }
        Ok(())
    }

    /// Whether `value` would not be as near as claimed, were the function this real.
    fn exceeds(&self, value: &Rational, real: &Rational) -> bool {
        let distance = |other: &Rational| Rational::from(real - other).abs();
        match &self.claimed.accuracy {
            Accuracy::Within(error) => distance(value) > *error,
            Accuracy::Excess(excess) => {
                let nearest = round(real, self.format, RoundingMode::TiesToEven, Overflow::Saturate).encoding;
                distance(value) - distance(&stored(self.format, nearest)) > *excess
            }
            Accuracy::Rounded { .. } => true,
        }
    }

    fn part(&self, keys: Keys) -> Part {
        if self.format.is_bounded() {
            return Part::Keys(keys);
        }
        // Keys 1 and -1 have exponents beyond those of cuts and domains: such an end lies beyond a cut at 0.
        let end = |key: i128| if key.abs() == 1 { Rational::new() } else { self.value_of(key) };
        Part::Reals(keys.into_iter().map(|(low, high)| (end(low), end(high))).collect(), 0)
    }

    fn reals(&self, part: &Part) -> Reals {
        match part {
            Part::Keys(keys) => keys.iter().map(|&(low, high)| (self.value_of(low), self.value_of(high))).collect(),
            Part::Reals(reals, _) => reals.clone(),
        }
    }

    fn undefined(&self, region: impl Iterator<Item = (i128, i128)>, error: FunctionError) -> ApproximationRejection {
        ApproximationRejection::Function { region: self.region(region), error }
    }

    fn region(&self, keys: impl Iterator<Item = (i128, i128)>) -> Region {
        // In `F(p)`, an end beyond a cut at 0 is not a datum: its bits are what its key would have.
        let end = |key: i128| {
            let sign = if key < 0 { 1 << (self.format.width() - 1) } else { 0 };
            Encoding::from_bits(sign | key.unsigned_abs())
        };
        Region { format: self.format, ends: keys.map(|(low, high)| (end(low), end(high))).collect() }
    }

    fn value_of(&self, key: i128) -> Rational {
        stored(self.format, datum(self.format, key))
    }
}

/// A box of reals: for each variable, its ends.
type Reals = Vec<(Rational, Rational)>;

/// A part of a leaf: the values between two, or in `F(p)` the reals, and how often they were halved.
enum Part {
    Keys(Keys),
    Reals(Reals, u32),
}

impl Part {
    fn keys(&self) -> Option<&Keys> {
        match self {
            Part::Keys(keys) => Some(keys),
            Part::Reals(..) => None,
        }
    }

    /// The part, halved where it is widest; none if that is at an end.
    fn halves(&self, reals: &Reals) -> Option<(Part, Part)> {
        match self {
            Part::Keys(keys) => {
                let widest = (0..keys.len()).rev().max_by_key(|&variable| keys[variable].1 - keys[variable].0)?;
                let (low, high) = keys[widest];
                let middle = low + (high - low) / 2;
                let (mut lower, mut upper) = (keys.clone(), keys.clone());
                lower[widest] = (low, middle);
                upper[widest] = (middle + 1, high);
                (low < high).then_some((Part::Keys(lower), Part::Keys(upper)))
            }
            Part::Reals(_, halvings) => {
                let width = |variable: &usize| Rational::from(&reals[*variable].1 - &reals[*variable].0);
                let widest = (0..reals.len()).rev().max_by_key(width)?;
                let (low, high) = &reals[widest];
                let middle = Rational::from(low + high) / 2;
                let (mut lower, mut upper) = (reals.clone(), reals.clone());
                lower[widest].1.clone_from(&middle);
                upper[widest].0 = middle;
                let halvings = halvings + 1;
                let is_small = low == high || halvings > MOST_HALVINGS;
                (!is_small).then_some((Part::Reals(lower, halvings), Part::Reals(upper, halvings)))
            }
        }
    }
}

fn bits_of(number: &Rational) -> usize {
    (number.numer().significant_bits() + number.denom().significant_bits()) as usize
}
