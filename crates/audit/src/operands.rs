//! Factors that are rounded before they are multiplied: TF32, bfloat16 or binary16 in place of the format of the tensors.
//!
//! A factor is what its tensor has, or one of the two neighbours of that in the format `F` of the path model: the value itself, if it is one
//! of `F`. So what is multiplied is within `d` of it, `d` the ulp of `F` at its largest magnitude (and the least normal value of `F` where
//! subnormals may be flushed); truncated or to nearest is not told apart. Each product may see another one. With `x' - x` and `w' - w`
//! at most `d` and `e` in magnitude, `x' w' - x w = (x' - x) w' + x (w' - w)`: what that comes to over the leaves of an element is a slack
//! of this element, and part of what the theorem of `sum` is about. Constant weights become the intervals `w -+ e`. A magnitude beyond the
//! largest value of `F` gives the row up; as a weight it is refused.
//!
//! What divides a value divides its neighbours in `F`, which are multiples of it or, being farther apart, of more; and their significands
//! are not longer.

use std::sync::Arc;

use roundproof_format::Format;
use roundproof_network::Rounding;

use crate::fixed::{Centered, Exactness};
use crate::model::PathModel;
use crate::plan::{Placed, Step, Weights};
use crate::rounding::Grain;

/// Into which factors may be rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors(Grain);

impl Factors {
    /// None for a format without a largest value.
    pub fn new(format: Format, model: &PathModel) -> Option<Factors> {
        let mut faithful = *model;
        faithful.rounding = Rounding::Any;
        Grain::new(format, &faithful).map(Factors)
    }

    /// How far what is multiplied may be from each element, in its units; none if one may be beyond the largest value,
    /// or farther away than the largest magnitude of all.
    pub fn moved(&self, operand: &Centered, exact: Exactness) -> Option<Centered> {
        let Factors(grain) = self;
        let Exactness { grid, bits } = exact;
        let kept = bits <= grain.precision && grid >= grain.grid();
        // The budget of bits has room for twice the largest magnitude.
        let magnitude = |(index, center): (usize, &i64)| {
            let radius = operand.radius.as_ref().map_or(0, |radius| radius[index].unsigned_abs());
            u128::from(center.unsigned_abs()) + u128::from(radius)
        };
        let most = operand.center.iter().enumerate().map(magnitude).max().unwrap_or(0);
        let each = operand.center.iter().enumerate().map(|(index, center)| {
            let radius = operand.radius.as_ref().map_or(0, |radius| radius[index].unsigned_abs());
            let largest = u128::from(center.unsigned_abs()) + u128::from(radius);
            let error = if largest == 0 || kept || (radius == 0 && self.has(center.unsigned_abs(), operand.unit)) {
                0
            } else {
                let least = u128::from(center.unsigned_abs().saturating_sub(radius));
                let flushed = match grain.flush(operand.unit) {
                    Some(limit) if least >= limit => 0,
                    Some(limit) => limit.min(largest),
                    None => largest,
                };
                grain.rounding(largest, operand.unit)?.checked_add(flushed)?
            };
            let within = grain.reaches(largest.checked_add(error)?, operand.unit) && error <= most;
            if within { i64::try_from(error).ok() } else { None }
        });
        Some(Centered { unit: operand.unit, center: each.collect::<Option<_>>()?, radius: None })
    }

    /// Whether a single value is one of the format that nothing flushes.
    fn has(&self, magnitude: u64, unit: i32) -> bool {
        let Factors(grain) = self;
        let trailing = magnitude.trailing_zeros();
        u64::BITS - magnitude.leading_zeros() - trailing <= grain.precision && unit + trailing as i32 >= grain.grid()
    }

    /// Makes the constant weights of sums intervals; the first step of which one is beyond the largest value, else.
    pub fn widen(&self, placed: &mut [Placed]) -> Result<(), usize> {
        let mut known: Vec<(Arc<Centered>, Arc<Centered>)> = Vec::new();
        for Placed { step, writes: _, node, work: _ } in placed {
            let Step::Sum(sum) = step else { continue };
            for part in sum.ways.iter_mut().flat_map(|way| &mut way.parts) {
                match &mut part.weights {
                    Weights::One | Weights::Tensor(_) => {}
                    Weights::Constant(weights, exact) => {
                        // Ways share weights.
                        if let Some((_, wider)) = known.iter().find(|(before, _)| Arc::ptr_eq(before, weights)) {
                            *weights = Arc::clone(wider);
                            continue;
                        }
                        let before = Arc::clone(weights);
                        let mut wider = Centered::clone(weights);
                        let moved = self.moved(weights, *exact).ok_or(*node)?;
                        if moved.center.iter().any(|&moved| moved != 0) {
                            let radius = wider.radius.take().unwrap_or_else(|| vec![0; moved.center.len()]);
                            let sum =
                                radius.iter().zip(&moved.center).map(|(radius, moved)| radius.checked_add(*moved));
                            wider.radius = Some(sum.collect::<Option<_>>().ok_or(*node)?);
                        }
                        *weights = Arc::new(wider);
                        known.push((before, Arc::clone(weights)));
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use roundproof_exact::{Overflow, Rational, faithful, power_of_two, real};

    use roundproof_graph::{Graph, Node, Op, Source, Tensor};
    use roundproof_network::{Datatype, Encodings};

    use super::*;
    use crate::audit::{Audit, Verdict};
    use crate::decision::{Decision, Ties};
    use crate::fixed::{BITS, Fixed};
    use crate::tests::Random;

    /// Both neighbours of every value of a format, in one that is narrower, and in one whose subnormals begin earlier.
    #[test]
    fn neighbours_are_within() {
        let format: Format = "p=6,emin=-6,emax=6".parse().expect("a format");
        for text in ["p=3,emin=-6,emax=6", "p=3,emin=-3,emax=7", "p=6,emin=-6,emax=6"] {
            let narrow: Format = text.parse().expect(text);
            let factors = Factors::new(narrow, &PathModel::ALL).expect("bounded");
            let one = faithful(&Rational::from(1), format, Overflow::Ieee).below;
            let (mut exact_ones, mut others) = (0, 0);
            for encoding in format.encodings().filter(|&encoding| format.is_finite(encoding)) {
                // Beside a large one: an error beyond the largest magnitude of all is not counted.
                let values = Encodings::collect(format, [encoding, one]);
                let (fixed, exactness) = Fixed::of(format, &values, BITS).expect("finite");
                let value = real(format, encoding).expect("finite");
                let both = faithful(&value, narrow, Overflow::Ieee);
                let ends = [both.below, both.above].map(|end| real(narrow, end));
                let centered = fixed.centered();
                let Some(moved) = factors.moved(&centered, exactness) else {
                    let largest = real(narrow, narrow.largest(false).expect("bounded")).expect("finite");
                    let ulp = power_of_two(3);
                    assert!(value.clone().abs() > largest - ulp * 2, "{text} {value}");
                    continue;
                };
                let moved = Rational::from(moved.center[0]) * power_of_two(moved.unit.into());
                exact_ones += usize::from(moved == 0);
                others += usize::from(moved != 0);
                for end in ends {
                    let off = (end.expect("within the format") - &value).abs();
                    assert!(off <= moved, "{text} {value}");
                }
            }
            assert!(exact_ones > 20 && (others > 20 || text.starts_with("p=6")), "{text}: {exact_ones} {others}");
        }
    }

    /// A product of a row of so many elements with a matrix of two columns: of constants, or of elements that are read too.
    fn product(inner: usize, weights: Option<Encodings>) -> Graph {
        let datatype = Datatype::Float(Format::BINARY32);
        let tensor = |name: &str, shape: [usize; 2], source| Tensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            datatype,
            source,
        };
        let weights = weights.map_or(Source::Input, Source::Constant);
        let tensors = vec![
            tensor("x", [1, inner], Source::Input),
            tensor("w", [inner, 2], weights),
            tensor("y", [1, 2], Source::Node(0)),
        ];
        let node = Node { name: "product".to_owned(), op: Op::MatMul, reads: vec![0, 1], writes: 2 };
        Graph::new(tensors, vec![node], vec![2]).expect("a graph")
    }

    /// One path: each factor is rounded, truncated or kept; products are exact or rounded, in any order.
    fn formed(random: &mut Random, narrow: Format, x: &[Rational], w: &[Rational], column: usize) -> Rational {
        let factor = |value: &Rational, random: &mut Random| {
            let both = faithful(value, narrow, Overflow::Ieee);
            let end = |encoding| real(narrow, encoding).expect("finite");
            match random.below(3) {
                0 => end(both.below),
                1 => end(both.above),
                _ => value.clone(),
            }
        };
        let rounded = |value: &Rational, random: &mut Random| {
            let both = faithful(value, Format::BINARY32, Overflow::Ieee);
            real(Format::BINARY32, if random.below(2) == 0 { both.below } else { both.above }).expect("finite")
        };
        let mut sum = Rational::new();
        for k in 0..x.len() {
            let product = factor(&x[k], random) * factor(&w[2 * k + column], random);
            sum = rounded(&(sum + product), random);
        }
        sum
    }

    /// Paths whose factors are rounded lie within; some of them do not where factors are taken as they are. And a decision that they change is
    /// not said to be one.
    #[test]
    fn factors_that_are_rounded_are_within() {
        let mut random = Random(31);
        let (mut outside, mut flips, mut invariant) = (0, 0, 0);
        for text in ["tf32", "bfloat16", "binary16"] {
            let narrow: Format = text.parse().expect(text);
            // Sums of many leaves, and of so few that every tree is followed.
            for (sample, inner) in (0..40).map(|sample| (sample, 24)).chain((0..40).map(|sample| (sample, 3))) {
                let mut draw = |count: usize| -> Vec<Rational> {
                    let number = |random: &mut Random| {
                        let n = (random.below(1 << 24) as i64) - (1 << 23);
                        Rational::from(n) * power_of_two(-20 - random.below(6) as i64)
                    };
                    (0..count).map(|_| number(&mut random)).collect()
                };
                let (x, mut w) = (draw(inner), draw(2 * inner));
                // Two columns that are close to each other.
                for k in 0..inner {
                    let step = Rational::from(random.below(9) as i64 - 4) * power_of_two(-16 + 4 * (sample % 5));
                    w[2 * k + 1] = Rational::from(&w[2 * k] + &step);
                }
                let encode = |values: &[Rational]| {
                    let nearest = roundproof_exact::RoundingMode::TiesToEven;
                    let each = values
                        .iter()
                        .map(|x| roundproof_exact::round(x, Format::BINARY32, nearest, Overflow::Ieee).encoding);
                    Encodings::collect(Format::BINARY32, each)
                };
                let decode = |values: &Encodings| -> Vec<Rational> {
                    values.iter().map(|x| real(Format::BINARY32, x).expect("finite")).collect()
                };
                let (row, weights) = (encode(&x), encode(&w));
                let (x, w) = (decode(&row), decode(&weights));
                let constant = sample % 2 == 0;
                let graph = product(inner, constant.then(|| weights.clone()));
                let inputs = if constant { vec![row] } else { vec![row, weights] };
                let judge = |model: &str| {
                    let model = PathModel::parse(model).expect(model);
                    let audit = Audit::new(&graph, model, 2, Decision::Argmax { ties: Ties::Any }).expect("covered");
                    let within = audit.enclosure(&inputs).expect("a row").expect("finite");
                    (within, audit.row(&inputs).expect("a row"))
                };
                let (within, verdict) = judge(&format!("all,operands={text}"));
                let (exact, _) = judge("all");
                let mut places = std::collections::BTreeSet::new();
                for _ in 0..30 {
                    let found = [0, 1].map(|column| formed(&mut random, narrow, &x, &w, column));
                    for ((low, high), value) in within.iter().zip(&found) {
                        assert!(low <= value && value <= high, "{text} {sample}");
                    }
                    outside +=
                        usize::from(exact.iter().zip(&found).any(|((low, high), value)| value < low || value > high));
                    places.insert(found[0] < found[1]);
                }
                flips += usize::from(places.len() == 2);
                if let Verdict::Invariant { answer, margin: _ } = verdict {
                    assert_eq!(places.into_iter().collect::<Vec<_>>(), [answer == [1]], "{text} {sample}");
                    invariant += 1;
                }
            }
        }
        println!(
            "{outside} of 7200 paths are outside of what holds without; {flips} of 240 rows flip, {invariant} are invariant"
        );
        assert!(outside > 1000 && flips > 5 && invariant > 5);
    }
}
