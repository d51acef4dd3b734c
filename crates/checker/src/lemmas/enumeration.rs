//! The axioms of a format of up to 8 bits, case by case, in exact arithmetic: no solver, and none of its encodings.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use roundproof_exact::{Datum, Rational, decode, faithful, power_of_two};
use roundproof_format::{Encoding, Format};
use serde::Serialize;

/// The most bits of a format that is enumerated.
const BITS: u32 = 8;

/// What was enumerated of a format.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Enumerated {
    format: String,
    /// How many values there are.
    values: usize,
    /// How many reals stand for all of them.
    reals: usize,
    /// How many cases there are of each axiom.
    cases: BTreeMap<&'static str, u64>,
    /// Of these, how many are as the axiom says.
    #[serde(skip)]
    holds: BTreeMap<&'static str, u64>,
}

impl Enumerated {
    pub(super) fn total(&self) -> u64 {
        self.cases.values().sum()
    }

    /// An axiom with a case that is not as it says, in words; or one that no case was found for.
    pub(super) fn failure(&self) -> Option<String> {
        let wrong = |(axiom, cases): (&&str, &u64)| {
            let holds = self.holds.get(*axiom).copied().unwrap_or(0);
            (holds != *cases || *cases == 0)
                .then(|| format!("{}: {axiom} holds in {holds} of {cases} cases", self.format))
        };
        self.cases.iter().find_map(wrong)
    }
}

/// Something a real may become, ordered as extended reals are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Extended {
    Below,
    Finite(i128),
    Above,
    Nan,
}

/// Values and a rounding. Numbers are multiples of one power of two, so small that all that occur are.
struct Subject {
    name: String,
    precision: u32,
    /// The exponent of the power of two.
    unit: i64,
    /// In order.
    values: Vec<i128>,
    /// The two results that a real may have.
    rounds: Box<dyn Fn(i128) -> [Extended; 2]>,
}

/// The axioms of `format`, enumerated; none if the format is too large.
pub(super) fn axioms(format: Format) -> Option<Enumerated> {
    Some(Subject::of(format)?.enumerate())
}

impl Subject {
    fn of(format: Format) -> Option<Subject> {
        let emin = format.emin().filter(|_| format.width() <= BITS)?;
        // Products of two values, and the middles of neighbours.
        let unit = 2 * (i64::from(emin) - i64::from(format.trailing_bits())) - 1;
        let datum = move |encoding: Encoding| match decode(format, encoding) {
            Some(Datum::Infinity { negative: true }) => Extended::Below,
            Some(Datum::Infinity { negative: false }) => Extended::Above,
            Some(datum) => datum.rational().and_then(|q| scaled(&q, unit)).map_or(Extended::Nan, Extended::Finite),
            None => Extended::Nan,
        };
        let finite = |encoding| match datum(encoding) {
            Extended::Finite(value) => Some(value),
            _ => None,
        };
        let mut values: Vec<i128> = format.encodings().filter_map(finite).collect();
        values.sort_unstable();
        values.dedup();
        let rounds = move |t: i128| {
            let rounded = faithful(&(Rational::from(t) * power_of_two(unit)), format, format.default_overflow());
            [datum(rounded.below), datum(rounded.above)]
        };
        let (name, precision) = (format.to_string(), format.precision());
        Some(Subject { name, precision, unit, values, rounds: Box::new(rounds) })
    }

    /// Sums and products of any two values, and the middles of neighbours.
    fn reals(&self) -> Vec<i128> {
        let mut reals: Vec<i128> = self.values.windows(2).map(|pair| (pair[0] + pair[1]) / 2).collect();
        for &x in &self.values {
            // x y 2^(2 unit) is a multiple of 2^unit.
            let product = |y: i128| x.checked_mul(y).map(|product| product >> self.unit.unsigned_abs());
            reals.extend(self.values.iter().map(|&y| x + y));
            reals.extend(self.values.iter().filter_map(|&y| product(y)));
        }
        reals.sort_unstable();
        reals.dedup();
        reals
    }

    fn is_value(&self, v: i128) -> bool {
        self.values.binary_search(&v).is_ok()
    }

    /// The value before each, with it.
    fn neighbours(&self) -> impl Iterator<Item = (i128, i128)> {
        self.values.windows(2).map(|pair| (pair[0], pair[1]))
    }

    fn enumerate(&self) -> Enumerated {
        let mut tally = Tally::default();
        let reals = self.reals();
        self.rounding(&reals, &mut tally);
        self.differences(&mut tally);
        self.grids(&mut tally);
        Enumerated {
            format: self.name.clone(),
            values: self.values.len(),
            reals: reals.len(),
            cases: tally.cases,
            holds: tally.holds,
        }
    }

    /// R, that what a real becomes is next to it; R1, and the symmetry of rounding.
    fn rounding(&self, reals: &[i128], tally: &mut Tally) {
        let (Some(&least), Some(&largest)) = (self.values.first(), self.values.last()) else { return };
        for &t in reals {
            let results = (self.rounds)(t);
            let next = |index: Option<usize>| index.and_then(|index| self.values.get(index)).copied();
            let upper = self.values.partition_point(|&v| v < t);
            let lower = self.values.partition_point(|&v| v <= t).checked_sub(1);
            let near = [next(lower), next(Some(upper))].map(|value| value.map(Extended::Finite));
            let past = |infinity, end| [Some(infinity), Some(Extended::Finite(end))];
            let allowed = match t {
                _ if t > largest => past(Extended::Above, largest),
                _ if t < least => past(Extended::Below, least),
                _ => near,
            };
            tally.count("R", results.iter().all(|result| allowed.contains(&Some(*result))));
            for &f in &self.values {
                let value = Extended::Finite(f);
                let sandwiched = |r: Extended| match f.cmp(&t) {
                    _ if r == Extended::Nan => false,
                    Ordering::Less => value <= r,
                    Ordering::Equal => value == r,
                    Ordering::Greater => r <= value,
                };
                tally.count("R1", results.into_iter().all(sandwiched));
            }
            let mut mirrored = (self.rounds)(-t).map(Extended::negated);
            mirrored.reverse();
            tally.count("symmetry of R", mirrored == results);
        }
    }

    /// S, N, D and R3.
    fn differences(&self, tally: &mut Tally) {
        for &v in &self.values {
            tally.count("S", self.is_value(-v));
        }
        for (before, a) in self.neighbours() {
            tally.count("D", self.is_value(a - before));
            for &x in &self.values {
                tally.count("N", before < a && (x <= before || a <= x));
                if x < a {
                    let enough = |r| r != Extended::Nan && Extended::Finite(a - before) <= r;
                    tally.count("R3", (self.rounds)(a - x).into_iter().all(enough));
                }
            }
        }
    }

    /// R4, G0 and G.
    fn grids(&self, tally: &mut Tally) {
        let Some(&largest) = self.values.last() else { return };
        let one = 1i128 << self.unit.unsigned_abs();
        for v in [0, one, -one] {
            tally.count("G0", self.is_value(v));
        }
        for &x in self.values.iter().filter(|&&x| x != 0) {
            let mut scaled = x;
            while scaled.abs() <= largest {
                tally.count("R4", self.is_value(scaled));
                scaled *= 2;
            }
        }
        let powers = self.values.iter().filter(|&&g| g > 0 && g.count_ones() == 1);
        for &g in powers {
            for m in -(1i128 << self.precision)..=1 << self.precision {
                if (m * g).abs() <= largest {
                    tally.count("G", self.is_value(m * g));
                }
            }
        }
    }
}

impl Extended {
    fn negated(self) -> Extended {
        match self {
            Extended::Below => Extended::Above,
            Extended::Finite(value) => Extended::Finite(-value),
            Extended::Above => Extended::Below,
            Extended::Nan => Extended::Nan,
        }
    }
}

#[derive(Default)]
struct Tally {
    cases: BTreeMap<&'static str, u64>,
    holds: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn count(&mut self, axiom: &'static str, holds: bool) {
        *self.cases.entry(axiom).or_default() += 1;
        *self.holds.entry(axiom).or_default() += u64::from(holds);
    }
}

/// `q / 2^unit`, if that is an integer of 127 bits.
fn scaled(q: &Rational, unit: i64) -> Option<i128> {
    let scaled = q.clone() * power_of_two(-unit);
    scaled.is_integer().then(|| scaled.numer().to_i128()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject::of(Format::FLOAT6_E3M2FN).expect("6 bits")
    }

    /// The axioms that fail.
    fn failing(subject: &Subject) -> Vec<&'static str> {
        let enumerated = subject.enumerate();
        let wrong = enumerated.cases.iter().filter(|(axiom, cases)| enumerated.holds.get(*axiom) != Some(cases));
        wrong.map(|(axiom, _)| *axiom).collect()
    }

    #[test]
    fn small_formats_satisfy_the_axioms() {
        for format in [Format::FLOAT4_E2M1FN, Format::FLOAT6_E2M3FN, Format::FLOAT6_E3M2FN, Format::FLOAT8_E4M3FNUZ] {
            let enumerated = axioms(format).expect("at most 8 bits");
            assert_eq!(enumerated.failure(), None);
            assert_eq!(enumerated.cases.len(), 10, "{format}: no axiom is passed over");
        }
        assert!(axioms(Format::BFLOAT16).is_none());
    }

    #[test]
    fn a_missing_value_is_seen() {
        let without = |sixteenths: i128| {
            let mut subject = subject();
            let sixteenth = 1 << (subject.unit.unsigned_abs() - 4);
            subject.values.retain(|&value| value != sixteenths * sixteenth);
            failing(&subject)
        };
        // Rounding is that of all values, so it is not to the neighbours that are left.
        assert_eq!(without(1), ["D", "R", "S"]);
        assert_eq!(without(-16), ["G", "G0", "R", "R4", "S"]);
        assert_eq!(without(80), ["G", "R", "R4", "S"]);
    }

    #[test]
    fn a_flushed_result_is_seen() {
        let mut subject = subject();
        let (least_normal, rounds) = (1 << (subject.unit.unsigned_abs() - 2), subject.rounds);
        subject.rounds = Box::new(move |t| {
            rounds(t).map(|result| match result {
                Extended::Finite(value) if value.abs() < least_normal => Extended::Finite(0),
                other => other,
            })
        });
        assert_eq!(failing(&subject), ["R", "R1", "R3"]);
    }

    #[test]
    fn another_precision_and_a_biased_rounding_are_seen() {
        let mut precise = subject();
        precise.precision += 1;
        assert_eq!(failing(&precise), ["G"]);
        let mut biased = subject();
        let rounds = biased.rounds;
        biased.rounds = Box::new(move |t| [rounds(t)[1]; 2]);
        assert_eq!(failing(&biased), ["symmetry of R"]);
        let mut wild = subject();
        wild.rounds = Box::new(|_| [Extended::Finite(0), Extended::Above]);
        assert_eq!(failing(&wild), ["R", "R1", "R3", "symmetry of R"]);
        let mut silent = subject();
        silent.rounds = Box::new(|_| [Extended::Nan; 2]);
        assert_eq!(failing(&silent), ["R", "R1", "R3"]);
    }
}
