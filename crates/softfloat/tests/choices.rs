//! Rounding to odd and stochastic rounding against the definition: every pair of data up to 6 bits, a seventh of the
//! pairs up to 8 bits, samples beyond; and the standard formats with their constants against the same at run time.

mod common;

use common::{operands, small_formats, triples};
use proptest::prelude::*;
use proptest::sample::select;
use roundproof_exact::{self as exact, Datum, Rational, Rounded};
use roundproof_format::{Class, Encoding, Format, Overflow, RoundingMode};
use roundproof_softfloat::{
    Arithmetic, Bfloat16, Binary16, Binary32, Binary64, Binary128, BothNeighbours, IntegerFormat, Outcome, Standard,
    Stochastic, ToOdd, compare_quiet, compare_signaling, decode,
};

/// Random bits at and around the ends, and their count.
const RANDOM: [(u64, u32); 9] =
    [(0, 1), (1, 1), (0, 3), (5, 3), (7, 3), (1 << 31, 32), (0, 64), (u64::MAX, 64), (0x9e37_79b9_7f4a_7c15, 64)];

fn value(format: Format, encoding: Encoding) -> Option<Rational> {
    exact::decode(format, encoding).filter(|datum| !matches!(datum, Datum::Nan)).and_then(|datum| datum.rational())
}

fn same(ours: Outcome, theirs: Rounded, what: &str, format: Format, operands: &[Encoding]) {
    assert_eq!((ours.encoding, ours.status), (theirs.encoding, theirs.status), "{what} of {operands:?} in {format}");
}

/// Of a result that is not zero, whose sign would be another question.
fn every_choice(arithmetic: &Arithmetic, q: &Rational, what: &str, operands: &[Encoding], ours: impl Choices) {
    if *q == 0 {
        return;
    }
    let (format, overflow) = (arithmetic.format(), arithmetic.overflow());
    same(ours.to_odd(), exact::round_to_odd(q, format, overflow), what, format, operands);
    for (bits, count) in RANDOM {
        let stochastic = Stochastic::new(bits, count).expect("1 to 64 bits");
        let theirs = exact::round_stochastically(q, format, overflow, bits, count);
        same(ours.stochastic(stochastic), theirs, &format!("{what} by {bits:#x}/{count}"), format, operands);
    }
}

/// One operation on operands that are given, under either choice.
trait Choices {
    fn to_odd(&self) -> Outcome;
    fn stochastic(&self, rounding: Stochastic) -> Outcome;
}

impl<O: Fn(ToOdd) -> Outcome, S: Fn(Stochastic) -> Outcome> Choices for (O, S) {
    fn to_odd(&self) -> Outcome {
        self.0(ToOdd)
    }

    fn stochastic(&self, rounding: Stochastic) -> Outcome {
        self.1(rounding)
    }
}

macro_rules! check {
    ($arithmetic:expr, $operation:ident, $exact:expr, $($operand:expr),+) => {
        every_choice(
            $arithmetic,
            &$exact,
            stringify!($operation),
            &[$($operand),+],
            (|r: ToOdd| $arithmetic.$operation(r, $($operand),+), |r: Stochastic| $arithmetic.$operation(r, $($operand),+)),
        )
    };
}

fn pair(arithmetic: &Arithmetic, a: Encoding, b: Encoding) {
    let format = arithmetic.format();
    let (Some(x), Some(y)) = (value(format, a), value(format, b)) else { return };
    check!(arithmetic, add, x.clone() + &y, a, b);
    check!(arithmetic, subtract, x.clone() - &y, a, b);
    check!(arithmetic, multiply, x.clone() * &y, a, b);
    if y != 0 {
        check!(arithmetic, divide, x / y, a, b);
    }
}

#[test]
fn pairs_of_small_formats() {
    for format in small_formats() {
        let data: Vec<Encoding> = format.encodings().collect();
        let arithmetic = Arithmetic::new(format, format.default_overflow()).expect("the default");
        // A part of the pairs of 8 bits: each choice is the same threshold whatever the operands.
        let step = if format.width() > 6 { 7 } else { 1 };
        for &a in &data {
            for &b in data.iter().skip(a.bits() as usize % step).step_by(step) {
                pair(&arithmetic, a, b);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn wider_formats(
        (format, [a, b, c]) in select(vec!["bfloat16", "binary16", "binary32", "binary64", "F(33)", "F(53)", "e5m7", "e4m59"])
            .prop_map(|name| name.parse::<Format>().expect("a format"))
            .prop_flat_map(|f| (Just(f), triples(f))),
    ) {
        let arithmetic = Arithmetic::new(format, format.default_overflow()).expect("the default");
        pair(&arithmetic, a, b);
        if let (Some(x), Some(y), Some(z)) = (value(format, a), value(format, b), value(format, c)) {
            check!(&arithmetic, fused_multiply_add, x * y + z, a, b, c);
        }
    }

    #[test]
    fn sums_and_products_of_binary128([a, b, c] in triples(Format::BINARY128)) {
        let arithmetic = Arithmetic::new(Format::BINARY128, Overflow::Ieee).expect("an IEEE format");
        if let (Some(x), Some(y), Some(z)) =
            (value(Format::BINARY128, a), value(Format::BINARY128, b), value(Format::BINARY128, c))
        {
            check!(&arithmetic, add, x.clone() + &y, a, b);
            check!(&arithmetic, multiply, x.clone() * &y, a, b);
            check!(&arithmetic, fused_multiply_add, x * y + z, a, b, c);
        }
    }

    #[test]
    fn conversions(
        (from, a) in select(vec!["binary16", "binary64", "binary128", "F(60)", "F(96)"])
            .prop_map(|name| name.parse::<Format>().expect("a format"))
            .prop_flat_map(|f| (Just(f), operands(f))),
        to in select(vec!["float4_e2m1fn", "float8_e5m2", "bfloat16", "binary32", "binary64", "e4m59"]),
    ) {
        let to: Format = to.parse().expect("a format");
        let arithmetic = Arithmetic::new(to, to.default_overflow()).expect("the default");
        if let Some(q) = value(from, a) {
            every_choice(
                &arithmetic,
                &q,
                "convert",
                &[a],
                (|r: ToOdd| arithmetic.convert(r, from, a), |r: Stochastic| arithmetic.convert(r, from, a)),
            );
        }
    }

    #[test]
    fn constants_make_no_difference([a, b, c] in triples(Format::BINARY128)) {
        standard::<Binary16>([a, b, c]);
        standard::<Bfloat16>([a, b, c]);
        standard::<Binary32>([a, b, c]);
        standard::<Binary64>([a, b, c]);
        standard::<Binary128>([a, b, c]);
    }
}

/// The lowest bits, as an encoding of binary16.
fn a16(e: Encoding) -> u16 {
    e.bits() as u16
}

/// The top bits of these encodings as encodings of a standard format, at compile time and at run time.
fn standard<S: Standard>(encodings: [Encoding; 3]) {
    let arithmetic = std::hint::black_box(*S::ARITHMETIC);
    let dropped = 128 - S::FORMAT.width();
    let data = encodings.map(|e| Encoding::from_bits(e.bits() >> dropped));
    let [a, b, c] = data.map(|e| S::Bits::try_from(e.bits()).ok().expect("as wide as the format"));
    let [x, y, z] = data;
    for &mode in RoundingMode::ALL {
        assert_eq!(S::add(mode, a, b), arithmetic.add(mode, x, y));
        assert_eq!(S::subtract(mode, a, b), arithmetic.subtract(mode, x, y));
        assert_eq!(S::multiply(mode, a, b), arithmetic.multiply(mode, x, y));
        assert_eq!(S::divide(mode, a, b), arithmetic.divide(mode, x, y));
        assert_eq!(S::square_root(mode, a), arithmetic.square_root(mode, x));
        assert_eq!(S::fused_multiply_add(mode, a, b, c), arithmetic.fused_multiply_add(mode, x, y, z));
        assert_eq!(S::round_to_integral(mode, a), arithmetic.round_to_integral(mode, x));
        assert_eq!(S::round_to_integral_exact(mode, a), arithmetic.round_to_integral_exact(mode, x));
        for (bits, signed) in [(8, true), (32, false), (64, true), (65, false)] {
            let to = IntegerFormat::new(bits, signed).expect("a width");
            assert_eq!(S::to_integer(mode, a, to, true), arithmetic.to_integer(mode, x, to, true));
        }
        for n in [x.bits() as i128, x.bits() as i64 as i128, i128::MIN] {
            assert_eq!(S::from_integer(mode, n), arithmetic.from_integer(mode, n));
        }
        let converted = [
            (S::convert::<Binary16, _>(mode, a16(x)), Format::BINARY16, Encoding::from_bits(a16(x).into())),
            (S::convert::<Binary128, _>(mode, y.bits()), Format::BINARY128, y),
        ];
        for (outcome, from, e) in converted {
            assert_eq!(outcome, arithmetic.convert(mode, from, e));
        }
    }
    assert_eq!(S::remainder(a, b), arithmetic.remainder(x, y));
    assert_eq!(S::compare_quiet(a, b), compare_quiet(S::FORMAT, x, y));
    assert_eq!(S::compare_signaling(a, b), compare_signaling(S::FORMAT, x, y));
    assert_eq!(S::add(BothNeighbours, a, b), arithmetic.add(BothNeighbours, x, y));
    assert_eq!(S::multiply(ToOdd, a, b), arithmetic.multiply(ToOdd, x, y));
}

#[test]
fn random_bits_are_counted() {
    assert!(Stochastic::new(0, 0).is_none() && Stochastic::new(0, 65).is_none());
    assert_eq!(Stochastic::new(0b101, 2), Stochastic::new(0b01, 2));
}

/// Over all random bits of a count, the results away from zero are as many as the fraction says.
#[test]
fn stochastic_rounding_has_the_probability_of_the_fraction() {
    let format = Format::BFLOAT16;
    let arithmetic = Arithmetic::new(format, Overflow::Ieee).expect("an IEEE format");
    // 1 + 3/16 of a unit in the last place.
    let (one, small) = (format.one(false), Encoding::from_bits(0x3ac0));
    let up = (0..16).filter(|&bits| {
        let stochastic = Stochastic::new(bits, 4).expect("4 bits");
        arithmetic.add(stochastic, one, small).encoding != one
    });
    assert_eq!(up.count(), 3, "{:?}", decode(format, small));
    assert_eq!(format.class(small), Class::Normal);
}
