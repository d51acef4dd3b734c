//! Every path of a sum in a small format, one by one: integers in units of a power of two, and nothing of what is tested.

use std::collections::BTreeSet;

use roundproof_exact::{Rational, power_of_two, real};
use roundproof_format::{Encoding, Format, RoundingMode, Subnormals};
use roundproof_network::Rounding;

use crate::model::PathModel;

/// Numbers are integers times this power of two.
pub(crate) const UNIT: i32 = -24;

/// A small format, and how operations round into it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Small {
    pub format: Format,
    precision: i32,
    least: i32,
    emin: i32,
    largest: i64,
    nearest: bool,
    flushed: bool,
}

impl Small {
    pub fn new(format: Format, model: &PathModel) -> Small {
        let nearest = match model.rounding {
            Rounding::Any => false,
            Rounding::Mode(RoundingMode::TiesToEven) => true,
            Rounding::Mode(other) => panic!("{other} is not enumerated"),
        };
        let emin = format.emin().expect("bounded");
        Small {
            format,
            precision: format.precision() as i32,
            least: emin - format.precision() as i32 + 1,
            emin,
            largest: number(format, format.largest(false).expect("bounded")),
            nearest,
            flushed: model.subnormals == Subnormals::Flush,
        }
    }

    /// What one rounding may give; nothing if that may be beyond the largest value.
    pub fn round(&self, n: i64) -> Option<Vec<i64>> {
        let leading = n.unsigned_abs().checked_ilog2().map_or(i32::MIN / 2, |leading| leading as i32 + UNIT);
        let ulp = (leading + 1 - self.precision).max(self.least) - UNIT;
        assert!(ulp > 0, "products of values are numbers here");
        let (below, ulp) = ((n >> ulp) << ulp, 1i64 << ulp);
        let above = if below == n { n } else { below + ulp };
        let mut all = if !self.nearest || below == n {
            vec![below, above]
        } else {
            let even = if below / ulp % 2 == 0 { below } else { above };
            match (n - below).cmp(&(above - n)) {
                std::cmp::Ordering::Less => vec![below],
                std::cmp::Ordering::Greater => vec![above],
                std::cmp::Ordering::Equal => vec![even],
            }
        };
        if all.iter().any(|value| value.abs() > self.largest) {
            return None;
        }
        // What is subnormal before it is rounded may be flushed, too, if it is rounded to a normal value.
        if self.flushed && (self.is_subnormal(n) || all.iter().any(|&value| self.is_subnormal(value))) {
            all.push(0);
        }
        Some(all)
    }

    fn is_subnormal(&self, n: i64) -> bool {
        n != 0 && n.abs() < 1 << (self.emin - UNIT)
    }

    /// What an operand may be read as.
    pub fn read(&self, n: i64) -> Vec<i64> {
        if self.flushed && self.is_subnormal(n) { vec![n, 0] } else { vec![n] }
    }
}

/// The number that an encoding is.
pub(crate) fn number(format: Format, encoding: Encoding) -> i64 {
    let value = real(format, encoding).expect("finite") * power_of_two((-UNIT).into());
    assert_eq!(*value.denom(), 1);
    value.numer().to_i64().expect("small")
}

/// The real that a number is.
pub(crate) fn rational(n: i64) -> Rational {
    Rational::from(n) * power_of_two(UNIT.into())
}

/// A leaf: a value, or an exact product.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaf {
    Number(i64),
    Product(i64, i64),
}

impl Leaf {
    pub fn product(self) -> i64 {
        match self {
            Leaf::Number(n) => n,
            Leaf::Product(w, x) => {
                let product = i128::from(w) * i128::from(x);
                assert_eq!(product % (1 << -UNIT), 0, "a product is a number");
                (product >> -UNIT) as i64
            }
        }
    }
}

/// How sums are formed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paths {
    pub accumulator: Small,
    /// At most so many computed values are rounded to this format too.
    pub narrowed: Option<(Small, u8)>,
    /// And beside them those of the sums of these leaves, a bit for each: one of none.
    pub inner: Option<usize>,
}

impl Paths {
    /// All values of a sum, over all trees, contractions, roundings, flushes and narrowings; nothing if one of them overflows.
    pub fn values(&self, leaves: &[Leaf]) -> Option<BTreeSet<i64>> {
        let all = 1usize << leaves.len();
        // By the set of leaves: values, each with how many of the computed values were narrowed; and exact products.
        let mut values: Vec<BTreeSet<(i64, u8)>> = vec![BTreeSet::new(); all];
        let mut exact: Vec<Vec<i64>> = vec![Vec::new(); all];
        for set in 1..all {
            let mut found = BTreeSet::new();
            let inner = self.inner == Some(set);
            if set.is_power_of_two() {
                let leaf = leaves[set.trailing_zeros() as usize];
                match leaf {
                    Leaf::Number(n) => found.extend(self.accumulator.read(n).into_iter().map(|n| (n, 0))),
                    Leaf::Product(w, x) => {
                        for w in self.accumulator.read(w) {
                            for x in self.accumulator.read(x) {
                                let product = Leaf::Product(w, x).product();
                                exact[set].push(product);
                                self.compute(product, 0, inner, &mut found)?;
                            }
                        }
                    }
                }
            }
            let mut left = (set - 1) & set;
            while left > 0 {
                let right = set ^ left;
                if left < right {
                    for &(a, used) in &values[left] {
                        for &(b, more) in &values[right] {
                            self.compute(a + b, used + more, inner, &mut found)?;
                        }
                        for &b in &exact[right] {
                            self.compute(a + b, used, inner, &mut found)?;
                        }
                    }
                    for &a in &exact[left] {
                        for &(b, used) in &values[right] {
                            self.compute(a + b, used, inner, &mut found)?;
                        }
                    }
                }
                left = (left - 1) & set;
            }
            values[set] = found;
        }
        Some(values[all - 1].iter().map(|&(value, _)| value).collect())
    }

    fn compute(&self, n: i64, used: u8, inner: bool, found: &mut BTreeSet<(i64, u8)>) -> Option<()> {
        if let Some((_, most)) = self.narrowed
            && used > most
        {
            return Some(());
        }
        for value in self.accumulator.round(n)? {
            found.insert((value, used));
            if let Some((storage, most)) = &self.narrowed {
                if inner {
                    found.extend(storage.round(value)?.into_iter().map(|narrow| (narrow, used)));
                }
                if used < *most {
                    found.extend(storage.round(value)?.into_iter().map(|narrow| (narrow, used + 1)));
                }
            }
        }
        Some(())
    }
}

/// Random numbers, the same each time.
pub(crate) struct Random(pub u64);

impl Random {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % most
    }
}

/// The finite values of a small format.
pub(crate) fn finite(format: Format) -> Vec<Encoding> {
    format
        .encodings()
        .filter(|&encoding| format.is_finite(encoding) && !(format.is_zero(encoding) && encoding.bits() != 0))
        .collect()
}

#[test]
fn roundings_are_those_of_the_definition() {
    use roundproof_exact::{Overflow, faithful, round};
    for text in ["p=2,emin=-2,emax=2,specials=finite", "p=4,emin=-3,emax=3"] {
        let format: Format = text.parse().expect(text);
        for model in [PathModel::ALL, PathModel::NEAREST] {
            let small = Small::new(format, &model);
            for n in (-(9 << 24)..(9 << 24)).step_by((1 << 16) - 4096) {
                let both = faithful(&rational(n), format, Overflow::Saturate);
                let mut expected = [both.below, both.above].map(|value| number(format, value)).to_vec();
                if small.nearest {
                    expected = vec![number(
                        format,
                        round(&rational(n), format, RoundingMode::TiesToEven, Overflow::Saturate).encoding,
                    )];
                }
                if let Some(found) = small.round(n) {
                    assert_eq!(BTreeSet::from_iter(found), BTreeSet::from_iter(expected), "{text} {n}");
                }
            }
        }
    }
}
