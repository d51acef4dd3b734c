//! Which functions on a few inputs two layers compute, whatever their width, by enumeration.
//!
//! # What is claimed
//!
//! The partial sums of the output at all inputs together are a vector of values, and in a small format there are few of
//! these. A hidden unit, that is its weight, bias and output weight, takes one vector to another. So a search of the graph
//! of these vectors, from zero, over all units that there are, ends, and finds every function that a network of two layers
//! and one input computes from left to right, with any number of units.
//!
//! - With one direction of rounding this is exact: what is not found is not computed on that path, nor on all paths.
//! - With any rounding, and infinities, this is exact as well: a label on every path needs, at every input, units that give
//!   one value each, products that are values, and a value for the sum of every part of the terms; and that is enough
//!   (`agreed_sum_exact` in `proofs/rocq/DepthSums.v`). So instead of partial sums, the sets of the sums of all parts are
//!   followed. The model must allow every order.
//! - With any rounding and saturation, every sum from left to right is followed twice, rounded down and rounded up, and a
//!   label counts where both meet. What is not found is computed by no network; what is found may fail on other paths.
//!
//! +0 and -0 are one value. `proofs/theorems/depth/README.md` has the theorem that this goes with.

use std::collections::BTreeMap;

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Subnormals};
use roundproof_kernel::{Claim, Evidence, Subject, Verdict, check};
use roundproof_network::{
    Accumulator, Activation, Dataset, Encodings, Layer, Network, Order, PathModel, Rounding, Summation,
};
use roundproof_softfloat::{Arithmetic, from_order_key, order_key, relu, step};
use thiserror::Error;

/// The most vectors of partial sums.
const MOST_SUMS: usize = 1 << 22;
/// The most values of a format: there is a candidate unit for every three of them.
const MOST_VALUES: usize = 64;
/// No value: infinite, NaN, or two sums that have parted.
const NONE: u16 = u16::MAX;

/// What is enumerated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The format of inputs, weights and labels.
    pub format: Format,
    /// The hidden activation, Step or ReLU.
    pub activation: Activation,
    /// The rounding paths.
    pub model: PathModel,
    /// The inputs, finite.
    pub points: Vec<Encoding>,
}

/// A question that is too large, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QuestionError {
    /// A format with too many values.
    #[error("{0} has too many values to enumerate two layers; take at most 64, and 2^22 for all inputs together")]
    TooMany(Format),
    /// A path model that is not covered.
    #[error("depth is enumerated for gradual underflow, without a wider accumulator and without overflow to NaN")]
    Model,
    /// An input that is not finite, or none.
    #[error("depth is about finite inputs, at least one, and Step or ReLU")]
    Points,
}

/// An operation on two data in a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A sum.
    Add,
    /// A product.
    Multiply,
}

/// A hidden unit with its output weight, and what it adds to each partial sum, by the number of the value.
#[derive(Clone, Debug)]
struct Unit {
    weight: Encoding,
    bias: Encoding,
    gain: Encoding,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Enumeration {
    question: Question,
    /// Finite values, in order.
    values: Vec<Encoding>,
    units: Vec<Unit>,
    /// For each vector of sums that was reached, the one before it and the unit between them.
    before: BTreeMap<usize, (usize, usize)>,
    /// For each function that was found, a vector of sums and a bias.
    labels: BTreeMap<usize, (usize, usize)>,
}

/// How the sums at one input are followed.
struct Arena<'a> {
    values: &'a [Encoding],
    /// Tables of sums, by the numbers of two values: one for each sum that is followed at an input.
    sums: Vec<Vec<u16>>,
    /// How many inputs.
    points: usize,
}

impl Arena<'_> {
    fn coordinates(&self) -> usize {
        self.points * self.sums.len()
    }

    fn digits(&self, mut place: usize) -> Vec<u16> {
        let digit = |_| {
            let digit = (place % self.values.len()) as u16;
            place /= self.values.len();
            digit
        };
        (0..self.coordinates()).map(digit).collect()
    }

    /// The vector that `added` leads to from `sums`.
    fn add(&self, sums: &[u16], added: impl Fn(usize) -> u16) -> Option<usize> {
        let mut place = 0;
        for coordinate in (0..sums.len()).rev() {
            let table = &self.sums[coordinate % self.sums.len()];
            let sum = table[usize::from(sums[coordinate]) * self.values.len() + usize::from(added(coordinate))];
            if sum == NONE {
                return None;
            }
            place = place * self.values.len() + usize::from(sum);
        }
        Some(place)
    }

    /// The labels that a vector of sums is, where all sums at one input agree.
    fn labels(&self, place: usize) -> Option<usize> {
        let digits = self.digits(place);
        let mut labels = 0;
        for at_point in digits.chunks(self.sums.len()).rev() {
            if at_point.iter().any(|digit| *digit != at_point[0]) {
                return None;
            }
            labels = labels * self.values.len() + usize::from(at_point[0]);
        }
        Some(labels)
    }
}

impl Question {
    /// Answers it.
    ///
    /// # Errors
    ///
    /// If the format has too many values, or the path model is not covered.
    pub fn answer(&self) -> Result<Enumeration, QuestionError> {
        let arithmetic = Arithmetic::new(self.format, self.model.overflow).map_err(|_| QuestionError::Model)?;
        self.answer_with(&|operation, mode, a, b| match operation {
            Operation::Add => arithmetic.add(mode, a, b).encoding,
            Operation::Multiply => arithmetic.multiply(mode, a, b).encoding,
        })
    }

    /// Whether the kernel proves that a network gives these labels at the points, on every path: by the rule `paths`, which
    /// does not decide everything.
    pub fn is_answered_by(&self, network: &Network, labels: &[Encoding]) -> bool {
        let column = |encodings: &[Encoding]| Encodings::collect(self.format, encodings.iter().copied());
        let Ok(data) = Dataset::new(self.format, 1, 1, column(&self.points), column(labels)) else { return false };
        let claim = Claim::memorizes(network, &data, self.model);
        check(&claim, &Subject::memorizing(network, &data), &Evidence::Paths, &mut |_, _| ()) == Ok(Verdict::Proved)
    }

    /// Answers it with another arithmetic.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer).
    pub fn answer_with(
        &self,
        compute: &dyn Fn(Operation, RoundingMode, Encoding, Encoding) -> Encoding,
    ) -> Result<Enumeration, QuestionError> {
        let values = self.values()?;
        let number = |encoding| order_key(self.format, encoding).and_then(|key| self.number(values.len(), key));
        let modes = match self.model.rounding {
            Rounding::Mode(mode) => vec![mode],
            Rounding::Any => vec![RoundingMode::TowardNegative, RoundingMode::TowardPositive],
        };
        let table = |mode| -> Vec<u16> {
            let sum = |&a: &Encoding, &b: &Encoding| number(compute(Operation::Add, mode, a, b)).unwrap_or(NONE);
            values.iter().flat_map(|a| values.iter().map(move |b| sum(a, b))).collect()
        };
        let mut sums: Vec<Vec<u16>> = modes.iter().map(|mode| table(*mode)).collect();
        let merged = self.model.overflow == Overflow::Ieee && sums.len() == 2;
        if merged {
            let meet = sums[0].iter().zip(&sums[1]).map(|(low, high)| if low == high { *low } else { NONE });
            sums = vec![meet.collect()];
        }
        let arena = Arena { values: &values, sums, points: self.points.len() };
        let size = (0..arena.coordinates()).try_fold(1usize, |size, _| size.checked_mul(values.len()));
        if size.is_none_or(|size| size > MOST_SUMS) {
            return Err(QuestionError::TooMany(self.format));
        }
        let mut units: BTreeMap<Vec<u16>, Unit> = BTreeMap::new();
        for &weight in &values {
            for &bias in &values {
                let hidden: Vec<Vec<Encoding>> = self.hidden(&modes, weight, bias, compute);
                for &gain in &values {
                    let mut added = self.added(&modes, &hidden, gain, compute).map(number);
                    let added: Option<Vec<u16>> = if merged {
                        let all: Option<Vec<u16>> = added.collect();
                        all.and_then(|all| all.chunks(2).map(|pair| (pair[0] == pair[1]).then_some(pair[0])).collect())
                    } else {
                        added.by_ref().collect()
                    };
                    if let Some(added) = added {
                        units.entry(added).or_insert(Unit { weight, bias, gain });
                    }
                }
            }
        }
        let (steps, units): (Vec<_>, Vec<_>) = units.into_iter().unzip();
        if merged {
            let (before, labels) = search_parts(&arena, &steps).ok_or(QuestionError::TooMany(self.format))?;
            return Ok(Enumeration { question: self.clone(), values, units, before, labels });
        }
        let (before, labels) = search(&arena, &steps, number(self.format.zero()).unwrap_or_default());
        Ok(Enumeration { question: self.clone(), values, units, before, labels })
    }

    fn number(&self, values: usize, key: i128) -> Option<u16> {
        u16::try_from(key + (values / 2) as i128).ok().filter(|number| usize::from(*number) < values)
    }

    /// The finite values, zero once.
    fn values(&self) -> Result<Vec<Encoding>, QuestionError> {
        let Summation::Trees(trees) = &self.model.summation;
        let covered = self.model.subnormals == Subnormals::Gradual
            && trees.accumulator == Accumulator::Same
            && self.model.overflow != Overflow::Nan
            && (self.model.rounding != Rounding::Any || trees.order == Order::Any);
        let finite = self.points.iter().all(|point| self.format.is_finite(*point));
        if !covered {
            return Err(QuestionError::Model);
        }
        let hidden = match self.activation {
            Activation::Step | Activation::Relu => true,
            Activation::Identity | Activation::Sign => false,
            Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ } => false,
        };
        if self.points.is_empty() || !finite || !hidden {
            return Err(QuestionError::Points);
        }
        let last = self.format.largest(false).and_then(|largest| order_key(self.format, largest));
        let last = last.filter(|last| 2 * last < MOST_VALUES as i128).ok_or(QuestionError::TooMany(self.format))?;
        Ok((-last..=last).filter_map(|key| from_order_key(self.format, key)).collect())
    }

    /// What a unit gives at each input, in each direction.
    fn hidden(
        &self,
        modes: &[RoundingMode],
        weight: Encoding,
        bias: Encoding,
        compute: &dyn Fn(Operation, RoundingMode, Encoding, Encoding) -> Encoding,
    ) -> Vec<Vec<Encoding>> {
        let at = |point: Encoding, mode| {
            let sum = compute(Operation::Add, mode, compute(Operation::Multiply, mode, weight, point), bias);
            match self.activation {
                Activation::Step => step(self.format, sum),
                _ => relu(self.format, sum),
            }
        };
        self.points.iter().map(|point| modes.iter().map(|mode| at(*point, *mode)).collect()).collect()
    }

    /// Its product with an output weight: below zero the lower product is that of the higher value.
    fn added<'a>(
        &'a self,
        modes: &'a [RoundingMode],
        hidden: &'a [Vec<Encoding>],
        gain: Encoding,
        compute: &'a dyn Fn(Operation, RoundingMode, Encoding, Encoding) -> Encoding,
    ) -> impl Iterator<Item = Encoding> + 'a {
        let negative = order_key(self.format, gain).is_some_and(|key| key < 0);
        hidden.iter().flat_map(move |values| {
            modes.iter().enumerate().map(move |(place, mode)| {
                let value = if negative { values[modes.len() - 1 - place] } else { values[place] };
                compute(Operation::Multiply, *mode, gain, value)
            })
        })
    }
}

/// A place in a search, and what led there.
type Reached = BTreeMap<usize, (usize, usize)>;

/// All vectors of sums that can be reached from zero, and all labels that a bias makes of them.
fn search(arena: &Arena<'_>, steps: &[Vec<u16>], zero: u16) -> (Reached, Reached) {
    let origin = (0..arena.coordinates()).fold(0, |place, _| place * arena.values.len() + usize::from(zero));
    let size = (0..arena.coordinates()).fold(1, |size, _| size * arena.values.len());
    let mut seen = vec![false; size];
    seen[origin] = true;
    let (mut before, mut labels) = (BTreeMap::new(), BTreeMap::new());
    let mut queue = vec![origin];
    let mut next = 0;
    while let Some(&place) = queue.get(next) {
        next += 1;
        let sums = arena.digits(place);
        for (unit, step) in steps.iter().enumerate() {
            if let Some(reached) = arena.add(&sums, |coordinate| step[coordinate])
                && !seen[reached]
            {
                seen[reached] = true;
                before.insert(reached, (place, unit));
                queue.push(reached);
            }
        }
        for bias in 0..arena.values.len() {
            let sum = arena.add(&sums, |_| bias as u16);
            if let Some(found) = sum.and_then(|sum| arena.labels(sum)) {
                labels.entry(found).or_insert((place, bias));
            }
        }
    }
    (before, labels)
}

/// The same where all parts of a sum have to sum to values: at each input, the sums of all parts, as a set of values.
/// The sum of all terms is the largest of these plus the least. None if there are too many.
fn search_parts(arena: &Arena<'_>, steps: &[Vec<u16>]) -> Option<(Reached, Reached)> {
    let (count, table) = (arena.values.len(), arena.sums.first()?);
    let add = |parts: &[u64], added: &dyn Fn(usize) -> u16| -> Option<Vec<u64>> {
        let at = |(point, parts): (usize, &u64)| {
            let sums = (0..count).filter(|part| parts >> part & 1 == 1);
            sums.map(|part| table[part * count + usize::from(added(point))])
                .try_fold(*parts, |set, sum| (sum != NONE).then(|| set | 1 << sum))
        };
        parts.iter().enumerate().map(at).collect()
    };
    let total = |parts: &u64| {
        let (least, most) = (parts.trailing_zeros() as usize, 63 - parts.leading_zeros() as usize);
        usize::from(table[least * count + most])
    };
    let mut seen = BTreeMap::new();
    let (mut before, mut labels) = (BTreeMap::new(), BTreeMap::new());
    let mut queue = vec![vec![1u64 << (count / 2); arena.points]];
    seen.insert(queue[0].clone(), 0);
    let mut next = 0;
    while let Some(parts) = queue.get(next).cloned() {
        for bias in 0..count {
            if let Some(sums) = add(&parts, &|_| bias as u16) {
                let found = sums.iter().rev().fold(0, |place, parts| place * count + total(parts));
                labels.entry(found).or_insert((next, bias));
            }
        }
        for (unit, step) in steps.iter().enumerate() {
            let Some(reached) = add(&parts, &|point| step[point]) else { continue };
            if !seen.contains_key(&reached) {
                before.insert(queue.len(), (next, unit));
                seen.insert(reached.clone(), queue.len());
                queue.push(reached);
            }
        }
        if queue.len() > MOST_SUMS {
            return None;
        }
        next += 1;
    }
    Some((before, labels))
}

impl Enumeration {
    /// How many values the format has.
    pub fn values(&self) -> usize {
        self.values.len()
    }

    /// How many units there are that differ in what they add.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// How many vectors of partial sums, or of sets of sums, were reached.
    pub fn sums(&self) -> usize {
        self.before.len() + 1
    }

    /// How many functions there are from the inputs to the values.
    pub fn functions(&self) -> usize {
        (0..self.question.points.len()).fold(1, |size, _| size * self.values.len())
    }

    /// How many of them were found.
    pub fn found(&self) -> usize {
        self.labels.len()
    }

    /// The labels of the functions that were not found, in order, each a label for each input.
    pub fn missing(&self) -> impl Iterator<Item = Vec<Encoding>> {
        (0..self.functions()).filter(|place| !self.labels.contains_key(place)).map(|place| self.function(place))
    }

    /// The labels of the functions that were found.
    pub fn computed(&self) -> impl Iterator<Item = Vec<Encoding>> {
        self.labels.keys().map(|place| self.function(*place))
    }

    fn function(&self, mut place: usize) -> Vec<Encoding> {
        let digit = |_| {
            let value = self.values[place % self.values.len()];
            place /= self.values.len();
            value
        };
        (0..self.question.points.len()).map(digit).collect()
    }

    /// A network of two layers that gives these labels on the paths that were followed, if there is one.
    pub fn network(&self, labels: &[Encoding]) -> Option<Network> {
        let format = self.question.format;
        let mut wanted = 0;
        for label in labels.iter().rev() {
            let key = order_key(format, *label)?;
            wanted = wanted * self.values.len() + usize::from(self.question.number(self.values.len(), key)?);
        }
        let (mut place, bias) = *self.labels.get(&wanted)?;
        let mut chain = Vec::new();
        while let Some(&(before, unit)) = self.before.get(&place) {
            chain.push(&self.units[unit]);
            place = before;
        }
        chain.reverse();
        let mut hidden = Layer::new(format, self.question.activation);
        for unit in &chain {
            hidden.push([(0, unit.weight)], unit.bias);
        }
        let mut output = Layer::new(format, Activation::Identity);
        output.push((0..).zip(chain.iter().map(|unit| unit.gain)), self.values[bias]);
        if chain.is_empty() {
            hidden.push([], format.zero());
        }
        Network::new(format, 1, vec![hidden, output]).ok()
    }
}

#[cfg(test)]
mod tests;
