//! The encoding against `roundproof-exact`, operation by operation, and against Z3's own theory.

use std::time::Duration;

use roundproof_exact::{Arithmetic, Rational, decode, encode, power_of_two};
use roundproof_format::{Encoding, Format, NAMED, Overflow, RoundingMode};

use super::{Bits, Choices, Operation, direction};
use crate::smt::ieee::FloatingPoint;
use crate::smt::term::Vector;
use roundproof_solver::{Answer, Script, Solver};

const EVERY: [Operation; 7] = [
    Operation::Add,
    Operation::Multiply,
    Operation::Scale,
    Operation::FusedMultiplyAdd,
    Operation::ScaleAdd,
    Operation::ScaleSum,
    Operation::Round,
];

fn solver() -> Solver {
    roundproof_solver::testing::solver(Duration::from_secs(60))
}

fn custom(text: &str) -> Format {
    text.parse().expect("a format")
}

/// One format's encoding, with the exact arithmetic beside it, and a growing list of what would be a difference.
struct Comparison {
    bits: Bits,
    exact: Arithmetic,
    format: Format,
    differences: Vec<String>,
}

impl Comparison {
    fn new(format: Format, overflow: Overflow, choices: Choices) -> Comparison {
        let bits = Bits::new(format, overflow, choices).expect("a bounded format");
        let exact = Arithmetic::new(format, overflow).expect("a policy of the format");
        Comparison { bits, exact, format, differences: Vec::new() }
    }

    fn default(format: Format) -> Comparison {
        Comparison::new(format, format.default_overflow(), Choices::Neighbours)
    }

    fn datum(&self, encoding: Encoding) -> String {
        self.bits.constant(encoding)
    }

    /// `call` is the operation without its choice, `exact` what it should give in a direction.
    fn expect(&mut self, call: &str, exact: impl Fn(&Arithmetic, RoundingMode) -> Encoding) {
        let choices: Vec<(&str, Encoding)> = match self.bits.choices {
            Choices::Neighbours => {
                let below = exact(&self.exact, RoundingMode::TowardNegative);
                let above = exact(&self.exact, RoundingMode::TowardPositive);
                let negative = self.format.is_sign_minus(below) && !self.format.is_nan(below);
                let (away, toward) = if negative { (below, above) } else { (above, below) };
                vec![("true", away), ("false", toward)]
            }
            Choices::Directions => {
                RoundingMode::ALL.iter().map(|&mode| (direction(mode), exact(&self.exact, mode))).collect()
            }
        };
        for (choice, result) in choices {
            let result = self.datum(result);
            self.differences.push(format!("(not (= ({call} {choice}) {result}))"));
        }
    }

    fn pair(&mut self, x: Encoding, y: Encoding) {
        let (a, b) = (self.datum(x), self.datum(y));
        self.expect(&format!("add {a} {b}"), |exact, mode| exact.add(mode, x, y).encoding);
        self.expect(&format!("multiply {a} {b}"), |exact, mode| exact.multiply(mode, x, y).encoding);
    }

    fn triple(&mut self, x: Encoding, y: Encoding, z: Encoding) {
        let (a, b, c) = (self.datum(x), self.datum(y), self.datum(z));
        self.expect(&format!("fma {a} {b} {c}"), |exact, mode| exact.fused_multiply_add(mode, x, y, z).encoding);
    }

    /// The operations with an exponent; `2^k` is a value.
    fn scaled(&mut self, k: i64, x: Encoding, y: Encoding) {
        let power = encode(self.format, &roundproof_exact::Datum::Finite(power_of_two(k))).expect("a value");
        let (k_text, a, b) = (self.bits.exponent(k), self.datum(x), self.datum(y));
        self.differences.push(format!("(not (= (pow2 {k_text}) {}))", self.datum(power)));
        self.expect(&format!("scale {k_text} {a}"), |exact, mode| exact.multiply(mode, power, x).encoding);
        self.expect(&format!("scale-add {k_text} {a} {b}"), |exact, mode| {
            exact.fused_multiply_add(mode, power, x, y).encoding
        });
        let Some(value) = rational(self.format, x) else { return };
        let scaled = value * power_of_two(k);
        let fits = scaled.clone().abs() <= rational(self.format, self.format.largest(false).unwrap()).unwrap();
        self.differences.push(format!("(not (= (fits {k_text} {a}) {fits}))"));
        if k >= 0 && self.format.is_finite(y) {
            let same = rational(self.format, y) == Some(scaled);
            self.differences.push(format!("(not (= (is-scaled {b} {k_text} {a}) {same}))"));
            // K(x + y) with one rounding, through a product with the exact sum where that is a value.
            let sum = self.exact.add(RoundingMode::TowardZero, x, y).encoding;
            let exact_sum = rational(self.format, x).unwrap() + rational(self.format, y).unwrap();
            if rational(self.format, sum) == Some(exact_sum.clone()) && exact_sum != 0 {
                self.expect(&format!("scale-sum {k_text} {a} {b}"), |exact, mode| {
                    exact.multiply(mode, power, sum).encoding
                });
            }
        }
    }

    /// Neighbours, activations and order of one pair.
    fn vocabulary(&mut self, x: Encoding, y: Encoding) {
        let (a, b) = (self.datum(x), self.datum(y));
        let key = |e| roundproof_exact::order_key(self.format, e);
        let (le, lt, eq) = match (key(x), key(y)) {
            (Some(p), Some(q)) => (p <= q, p < q, p == q),
            _ => (false, false, false),
        };
        let f = self.format;
        let facts = [
            (format!("(le {a} {b})"), le),
            (format!("(lt {a} {b})"), lt),
            (format!("(eq {a} {b})"), eq),
            (format!("(is-nan {a})"), f.is_nan(x)),
            (format!("(is-finite {a})"), f.is_finite(x)),
            (format!("(is-zero {a})"), f.is_zero(x)),
            (format!("(is-infinite {a})"), f.class(x) == roundproof_format::Class::Infinite),
            (
                format!("(and (has-pred {a}) (eq (pred {a}) {b}))"),
                f.is_finite(x) && f.is_finite(y) && key(y) == key(x).map(|k| k - 1),
            ),
            (
                format!("(and (has-succ {a}) (eq (succ {a}) {b}))"),
                f.is_finite(x) && f.is_finite(y) && key(y) == key(x).map(|k| k + 1),
            ),
            (format!("(eq (relu {a}) {b})"), key(x).map(|k| k.max(0)) == key(y) && key(y).is_some()),
            (
                format!("(eq (step {a}) {b})"),
                Some(key(x).is_some_and(|k| k >= 0))
                    == key(y).and_then(|k| {
                        if k == 0 {
                            Some(false)
                        } else if y == f.one(false) {
                            Some(true)
                        } else {
                            None
                        }
                    }),
            ),
        ];
        for (term, truth) in facts {
            self.differences.push(format!("(not (= {term} {truth}))"));
        }
    }

    fn answer(&self) -> Answer {
        self.ask(&format!("(or {})", self.differences.join(" ")))
    }

    fn ask(&self, formula: &str) -> Answer {
        let mut script = Script::new(None);
        self.bits.definitions(&EVERY).iter().for_each(|line| script.line(line));
        script.assert(formula);
        solver().check(&script)
    }

    fn agrees(self) {
        if self.answer() != Answer::Unsatisfiable {
            let differs = |formula: &&String| self.ask(formula) != Answer::Unsatisfiable;
            panic!("{}: {:?}", self.format, self.differences.iter().find(differs));
        }
    }
}

fn rational(format: Format, encoding: Encoding) -> Option<Rational> {
    decode(format, encoding).and_then(|datum| datum.rational())
}

fn exponents(format: Format) -> (i64, i64) {
    let emin = i64::from(format.emin().unwrap());
    (emin - i64::from(format.trailing_bits()), i64::from(format.emax().unwrap()))
}

/// A generator of numbers that are the same on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn wide(&mut self) -> u128 {
        (0..5).fold(0, |wide, _| wide << 31 | u128::from(self.next()))
    }

    fn exponent(&mut self, format: Format) -> i64 {
        let (least, most) = exponents(format);
        match self.next() % 3 {
            0 => (self.next() % 4) as i64,
            _ => least + (self.next() % (most - least + 1) as u64) as i64,
        }
        .min(most)
    }

    /// Data near zero, near the subnormals' end, near 1, near the largest value and its infinity, and anywhere; the
    /// significands often have few bits, or few zeros.
    fn datum(&mut self, format: Format) -> Encoding {
        loop {
            let sign = u128::from(self.next() % 2) << (format.width() - 1);
            let near = u128::from(self.next() % 3);
            let sparse = 1u128 << (self.next() % u64::from(format.width() - 1));
            let anchors =
                [0, 1 << format.trailing_bits(), format.one(false).bits(), format.largest(false).unwrap().bits()];
            let magnitude = match self.next() % 6 {
                0..3 => anchors[self.next() as usize % 4].wrapping_add(near).wrapping_sub(1),
                3 => anchors[self.next() as usize % 4] ^ sparse,
                _ => self.wide(),
            };
            let datum = Encoding::from_bits(magnitude & ((1 << (format.width() - 1)) - 1) | sign);
            if format.class(datum) != roundproof_format::Class::Invalid {
                return datum;
            }
        }
    }
}

fn batch(comparison: &mut Comparison, seed: u64, count: usize) {
    let mut numbers = Numbers(seed);
    let format = comparison.format;
    for _ in 0..count {
        let (x, y, z) = (numbers.datum(format), numbers.datum(format), numbers.datum(format));
        comparison.pair(x, y);
        comparison.triple(x, y, z);
        let k = numbers.exponent(format);
        comparison.scaled(k, x, y);
        comparison.vocabulary(x, if numbers.next().is_multiple_of(2) { y } else { x });
    }
}

#[test]
fn float4_completely() {
    for choices in [Choices::Neighbours, Choices::Directions] {
        let format = Format::FLOAT4_E2M1FN;
        let mut comparison = Comparison::new(format, Overflow::Saturate, choices);
        for x in format.encodings() {
            for y in format.encodings() {
                comparison.pair(x, y);
                comparison.vocabulary(x, y);
                let (least, most) = exponents(format);
                (least..=most).for_each(|k| comparison.scaled(k, x, y));
                for z in format.encodings().filter(|_| choices == Choices::Neighbours) {
                    comparison.triple(x, y, z);
                }
            }
        }
        comparison.agrees();
    }
}

#[test]
fn float6_sums_and_products_completely() {
    for format in [Format::FLOAT6_E2M3FN, Format::FLOAT6_E3M2FN] {
        let mut comparison = Comparison::default(format);
        // Addition and multiplication commute in the encoding's own terms, but nothing is taken for granted: all pairs.
        for x in format.encodings() {
            format.encodings().for_each(|y| comparison.pair(x, y));
        }
        comparison.agrees();
    }
}

#[test]
fn every_named_format_at_its_edges() {
    for (index, (_, format, _)) in NAMED.iter().enumerate() {
        let count = if format.width() > 32 { 60 } else { 150 };
        let mut comparison = Comparison::default(*format);
        batch(&mut comparison, index as u64, count);
        comparison.agrees();
        let mut comparison = Comparison::new(*format, format.default_overflow(), Choices::Directions);
        batch(&mut comparison, 100 + index as u64, count / 4);
        comparison.agrees();
    }
}

#[test]
fn lopsided_formats_one_bit_of_precision_and_saturation() {
    let formats = [
        ("p=1,emin=-3,emax=3,specials=finite", Overflow::Saturate),
        ("p=1,emin=-2,emax=2,specials=fnuz", Overflow::Saturate),
        ("p=2,emin=-1,emax=2", Overflow::Ieee),
        ("p=4,emin=-6,emax=3", Overflow::Ieee),
        ("p=5,emin=2,emax=4,specials=fnuz", Overflow::Saturate),
        ("p=3,emin=-1,emax=1,specials=finite", Overflow::Saturate),
        ("float8_e3m4", Overflow::Saturate),
        ("e2m6", Overflow::Ieee),
    ];
    for (text, overflow) in formats {
        for choices in [Choices::Neighbours, Choices::Directions] {
            let mut comparison = Comparison::new(custom(text), overflow, choices);
            batch(&mut comparison, 7, 60);
            comparison.agrees();
        }
    }
}

/// Reals of few and of many bits, near values and far from all of them, rounded and compared.
#[test]
fn reals_are_rounded_and_compared() {
    let formats = [
        ("float4_e2m1fn", Overflow::Saturate),
        ("float8_e4m3fn", Overflow::Saturate),
        ("float8_e5m2", Overflow::Ieee),
        ("float8_e4m3b11fnuz", Overflow::Saturate),
        ("p=1,emin=-2,emax=2,specials=fnuz", Overflow::Saturate),
        ("binary16", Overflow::Ieee),
    ];
    let mut numbers = Numbers(11);
    for (text, overflow) in formats {
        let format = custom(text);
        let mut comparison = Comparison::new(format, overflow, Choices::Neighbours);
        let (width, emin) = (format.precision() + 3, i64::from(format.emin().unwrap()));
        let range = i64::from(format.emax().unwrap()) - emin + 8;
        for _ in 0..100 {
            let (negative, m) =
                (numbers.next().is_multiple_of(2), (numbers.wide() % (1 << width)) | (1 << (width - 1)));
            let e = numbers.next() as i64 % (range + width as i64 + 4) - width as i64 - 4;
            let magnitude = Rational::from(m) * power_of_two(emin + e - i64::from(width) + 1);
            let t = if negative { -magnitude } else { magnitude };
            let offset = Vector::signed(e, comparison.bits.exponent_width() + 2);
            let real = format!("{negative} {offset} {}", Vector::constant(m, width));
            comparison.expect(&format!("round {real}"), |_, mode| {
                roundproof_exact::round(&t, format, mode, overflow).encoding
            });
            let x = numbers.datum(format);
            let (below, above) = match decode(format, x) {
                Some(roundproof_exact::Datum::Infinity { negative }) => (negative, !negative),
                Some(datum) => datum.rational().map_or((false, false), |x| (x <= t, t <= x)),
                None => (false, false),
            };
            let x = comparison.datum(x);
            for (term, truth) in [("le-real X T", below), ("real-le T X", above), ("is-real X T", below && above)] {
                let term = term.replace('X', &x).replace('T', &real);
                comparison.differences.push(format!("(not (= ({term}) {truth}))"));
            }
        }
        comparison.agrees();
    }
}

#[test]
fn a_lost_sticky_bit_is_caught() {
    let mut comparison = Comparison::default(Format::FLOAT8_E4M3);
    comparison.bits = comparison.bits.without_sticky();
    batch(&mut comparison, 3, 60);
    assert_eq!(comparison.answer(), Answer::Satisfiable);
}

#[test]
fn the_solvers_own_theory_gives_one_of_the_two() {
    // For all operands: the theory's result in a symbolic direction is one of the two neighbours, and the result in each
    // direction is that direction's.
    for format in [Format::FLOAT8_E4M3, Format::FLOAT8_E3M4] {
        let theory = FloatingPoint::new(format).expect("a format of the theory");
        for (operation, function) in [("add", "fp.add"), ("multiply", "fp.mul")] {
            for choices in [Choices::Neighbours, Choices::Directions] {
                let bits = Bits::new(format, Overflow::Ieee, choices).unwrap();
                let mut script = Script::new(None);
                bits.definitions(&[Operation::Add, Operation::Multiply]).iter().for_each(|line| script.line(line));
                for name in ["a", "b"] {
                    script.line(&format!("(declare-const {name} {})", bits.sort()));
                }
                script.line("(declare-const m RoundingMode)");
                script.line("(define-fun number () (_ BitVec 3) (ite (= m RNE) #b000 (ite (= m RNA) #b001 (ite (= m RTP) #b010 (ite (= m RTN) #b011 #b100)))))");
                let (eb, sb) = theory.widths();
                let float = |bits: &str| format!("((_ to_fp {eb} {sb}) {bits})");
                let expected = format!("({function} m {} {})", float("a"), float("b"));
                let same = |choice: &str| format!("(= {expected} {})", float(&format!("({operation} a b {choice})")));
                script.assert(&match choices {
                    Choices::Neighbours => format!("(not (or {} {}))", same("true"), same("false")),
                    Choices::Directions => format!("(not {})", same("number")),
                });
                assert_eq!(solver().check(&script), Answer::Unsatisfiable, "{format} {operation}");
            }
        }
    }
}
