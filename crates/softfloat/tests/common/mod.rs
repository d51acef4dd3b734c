//! Comparison with the definition: encodings and status, never values.

#![allow(dead_code)] // Each test file uses a part.

mod operations;

use proptest::prelude::*;
use roundproof_exact as exact;
use roundproof_format::{Class, Encoding, Format, NAMED, Overflow, RoundingMode, Status};
use roundproof_softfloat::{
    Arithmetic, BothNeighbours, Faithful, Outcome, Unpacked, decode, encode, from_order_key, negate, order_key,
};

/// An operation in this implementation and in the definition.
pub struct Pair {
    pub ours: Arithmetic,
    pub definition: exact::Arithmetic,
}

impl Pair {
    pub fn new(format: Format, overflow: Overflow) -> Pair {
        Pair {
            ours: Arithmetic::new(format, overflow).expect("a policy of the format"),
            definition: exact::Arithmetic::new(format, overflow).expect("a policy of the format"),
        }
    }

    /// One for each overflow policy that the format expresses.
    pub fn all(format: Format) -> impl Iterator<Item = Pair> {
        Overflow::ALL
            .iter()
            .filter(move |&&policy| format.expresses(policy))
            .map(move |&policy| Pair::new(format, policy))
    }

    pub fn describe(&self, operation: &str, mode: RoundingMode, operands: &[Encoding]) -> String {
        format!("{operation} of {operands:?} in {}, {}, {mode}", self.ours.format(), self.ours.overflow())
    }

    pub fn add(&self, a: Encoding, b: Encoding) {
        let mut directed = Directed::default();
        for &mode in RoundingMode::ALL {
            let theirs = self.definition.add(mode, a, b);
            for (ours, swapped) in [(self.ours.add(mode, a, b), false), (self.ours.add(mode, b, a), true)] {
                same(ours, theirs, || self.describe(if swapped { "swapped add" } else { "add" }, mode, &[a, b]));
            }
            directed.take(mode, self.ours.add(mode, a, b));
        }
        directed.check(self.ours.add(BothNeighbours, a, b), || self.describe("add", RoundingMode::TowardZero, &[a, b]));
    }

    pub fn subtract(&self, a: Encoding, b: Encoding) {
        for &mode in RoundingMode::ALL {
            let theirs = self.definition.subtract(mode, a, b);
            same(self.ours.subtract(mode, a, b), theirs, || self.describe("subtract", mode, &[a, b]));
        }
    }

    pub fn multiply(&self, a: Encoding, b: Encoding) {
        let mut directed = Directed::default();
        for &mode in RoundingMode::ALL {
            let theirs = self.definition.multiply(mode, a, b);
            for (ours, swapped) in [(self.ours.multiply(mode, a, b), false), (self.ours.multiply(mode, b, a), true)] {
                same(ours, theirs, || {
                    self.describe(if swapped { "swapped multiply" } else { "multiply" }, mode, &[a, b])
                });
            }
            directed.take(mode, self.ours.multiply(mode, a, b));
        }
        directed.check(self.ours.multiply(BothNeighbours, a, b), || {
            self.describe("multiply", RoundingMode::TowardZero, &[a, b])
        });
    }

    pub fn fused_multiply_add(&self, a: Encoding, b: Encoding, c: Encoding) {
        let mut directed = Directed::default();
        for &mode in RoundingMode::ALL {
            let ours = self.ours.fused_multiply_add(mode, a, b, c);
            let theirs = self.definition.fused_multiply_add(mode, a, b, c);
            same(ours, theirs, || self.describe("fused multiply-add", mode, &[a, b, c]));
            directed.take(mode, ours);
        }
        directed.check(self.ours.fused_multiply_add(BothNeighbours, a, b, c), || {
            self.describe("fused multiply-add", RoundingMode::TowardZero, &[a, b, c])
        });
    }

    pub fn convert(&self, from: Format, a: Encoding) {
        if !self.ours.format().is_bounded() && from.class(a) == Class::Infinite {
            // Tolerated: the definition raises invalid under some policies only, though `F(p)` knows no difference.
            let ours = self.ours.convert(RoundingMode::TowardZero, from, a);
            assert_eq!(ours, Outcome { encoding: self.ours.format().zero(), status: Status::INVALID });
            return;
        }
        let mut directed = Directed::default();
        for &mode in RoundingMode::ALL {
            let ours = self.ours.convert(mode, from, a);
            let theirs = self.definition.convert(mode, from, a);
            same(ours, theirs, || self.describe(&format!("conversion from {from}"), mode, &[a]));
            directed.take(mode, ours);
        }
        directed.check(self.ours.convert(BothNeighbours, from, a), || {
            self.describe(&format!("conversion from {from}"), RoundingMode::TowardZero, &[a])
        });
    }
}

fn same(ours: Outcome, theirs: exact::Rounded, describe: impl Fn() -> String) {
    assert!(
        ours.encoding == theirs.encoding && ours.status == theirs.status,
        "{}: {ours:?} instead of {theirs:?}",
        describe()
    );
}

/// The results toward negative and toward positive, to be found again in a faithful pair.
#[derive(Default)]
struct Directed {
    below: Option<Outcome>,
    above: Option<Outcome>,
}

impl Directed {
    fn take(&mut self, mode: RoundingMode, outcome: Outcome) {
        match mode {
            RoundingMode::TowardNegative => self.below = Some(outcome),
            RoundingMode::TowardPositive => self.above = Some(outcome),
            _ => {}
        }
    }

    fn check(&self, pair: Faithful, describe: impl Fn() -> String) {
        let (Some(below), Some(above)) = (self.below, self.above) else { panic!("both directions are in ALL") };
        let expected = Faithful { below: below.encoding, above: above.encoding, status: below.status | above.status };
        assert_eq!(pair, expected, "the faithful pair of {}", describe());
    }
}

/// The formats of up to 8 bits that have names, and some that are odd in one way each.
pub fn small_formats() -> Vec<Format> {
    let named = NAMED.iter().map(|(_, format, _)| *format).filter(|format| format.width() <= 8);
    named.chain(ODD.iter().map(|text| text.parse().expect("a format"))).collect()
}

/// Precision 1 (every normal significand is odd), exponents that do not fill their field, a range without middle, 1
/// subnormal, a single exponent, a NaN that takes a third of the significands at emax.
pub const ODD: &[&str] = &[
    "p=1,emin=-3,emax=4,specials=finite",
    "p=1,emin=-4,emax=3,specials=fnuz",
    "p=2,emin=-3,emax=3",
    "p=3,emin=-2,emax=2",
    "p=3,emin=-5,emax=0,specials=fnuz",
    "p=3,emin=1,emax=4,specials=finite",
    "p=4,emin=3,emax=5,specials=ieee",
    "p=4,emin=0,emax=0,specials=fn",
    "p=2,emin=-3,emax=3,specials=fn",
];

/// Three operands, gathered where roundings are hard: at the ends of the format, at ties, where a sum cancels or a
/// product is near an end.
pub fn triples(format: Format) -> impl Strategy<Value = [Encoding; 3]> {
    let relation = 0..6u8;
    (operands(format), operands(format), operands(format), relation, -3..=3i128).prop_map(
        move |(a, b, c, relation, distance)| match relation {
            // The sum of a and b cancels, all or nearly.
            1 => [a, nearby(format, negate(format, a), distance), c],
            // The sum of a * b and c does.
            2 | 3 => {
                let arithmetic = Arithmetic::new(format, format.default_overflow()).expect("the default");
                let product = arithmetic.multiply(RoundingMode::TowardZero, a, b).encoding;
                [a, b, nearby(format, negate(format, product), distance)]
            }
            // The product of a and b is near the least or the largest value.
            4 => [a, with_product_near(format, a, b, distance), c],
            5 => [a, with_product_near(format, a, b, distance), nearby(format, format.zero(), distance)],
            _ => [a, b, c],
        },
    )
}

/// Data of the format, gathered at its ends, near 1 and at significands with few bits set or few clear. In `F(p)`, with
/// exponents of at most 300 or so, for the definition's sake.
pub fn operands(format: Format) -> impl Strategy<Value = Encoding> {
    let trailing = format.trailing_bits();
    let ones = (1u128 << trailing) - 1;
    let significands = prop_oneof![
        3 => any::<u128>().prop_map(move |bits| bits & ones),
        1 => (0..=trailing).prop_map(move |k| ones & (ones << k)),
        1 => (0..=trailing).prop_map(move |k| ones >> k),
        1 => (0..=trailing).prop_map(move |k| ones & (1 << k)),
        1 => (0..=trailing).prop_map(move |k| ones & (1 << k | 1)),
        1 => Just(0),
    ];
    let (least, most) = match (format.emin(), format.emax()) {
        (Some(emin), Some(emax)) => (0, i64::from(emax) - i64::from(emin) + 2),
        _ => (format.bias() - 300, format.bias() + 300),
    };
    let (precision, bias) = (i64::from(format.precision()), format.bias());
    let fields = prop_oneof![
        3 => least..=most,
        3 => (-precision - 2..=precision + 2).prop_map(move |k| bias + k),
        1 => (0..4i64).prop_map(move |k| least + k),
        1 => (0..4i64).prop_map(move |k| most - k),
    ];
    (any::<bool>(), fields, significands).prop_map(move |(negative, field, significand)| {
        let field = field.clamp(least, most) as u128;
        let bits = u128::from(negative) << (format.width() - 1) | field << trailing | significand;
        let encoding = Encoding::from_bits(bits);
        match format.class(encoding) {
            // Past the largest value in a field that is not filled.
            Class::Invalid => format.largest(negative).unwrap_or(format.zero()),
            _ => encoding,
        }
    })
}

fn nearby(format: Format, encoding: Encoding, distance: i128) -> Encoding {
    let key = order_key(format, encoding).map(|key| key + distance);
    key.and_then(|key| from_order_key(format, key)).filter(|_| format.is_bounded()).unwrap_or(encoding)
}

/// `b` with the exponent that takes its product with `a` near an end of the format.
fn with_product_near(format: Format, a: Encoding, b: Encoding, distance: i128) -> Encoding {
    let (Some(emin), Some(emax)) = (format.emin(), format.emax()) else { return b };
    let Unpacked::Finite { significand, exponent, .. } = decode(format, a) else { return b };
    let leading = exponent + i64::from(significand.ilog2());
    let end = if distance % 2 == 0 { i64::from(emax) } else { i64::from(emin) - i64::from(format.trailing_bits()) };
    let wanted = end - leading + distance as i64;
    let Unpacked::Finite { negative, significand, .. } = decode(format, b) else { return b };
    encode(format, negative, significand, wanted - i64::from(significand.ilog2())).unwrap_or(b)
}
