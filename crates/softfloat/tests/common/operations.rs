//! Comparison of the operations beyond sums and products.

use roundproof_exact as exact;
use roundproof_format::{Encoding, RoundingMode};
use roundproof_softfloat::{BothNeighbours, Faithful, Integer, IntegerFormat, Outcome};

use super::{Directed, Pair, same};

impl Pair {
    /// One operation in every direction, and its faithful pair.
    fn directions(
        &self,
        name: &str,
        operands: &[Encoding],
        ours: impl Fn(RoundingMode) -> Outcome,
        both: Faithful,
        theirs: impl Fn(RoundingMode) -> exact::Rounded,
    ) {
        let mut directed = Directed::default();
        for &mode in RoundingMode::ALL {
            let outcome = ours(mode);
            same(outcome, theirs(mode), || self.describe(name, mode, operands));
            directed.take(mode, outcome);
        }
        directed.check(both, || self.describe(name, RoundingMode::TowardZero, operands));
    }

    pub fn divide(&self, a: Encoding, b: Encoding) {
        self.directions(
            "divide",
            &[a, b],
            |mode| self.ours.divide(mode, a, b),
            self.ours.divide(BothNeighbours, a, b),
            |mode| self.definition.divide(mode, a, b),
        );
    }

    pub fn square_root(&self, a: Encoding) {
        self.directions(
            "square root",
            &[a],
            |mode| self.ours.square_root(mode, a),
            self.ours.square_root(BothNeighbours, a),
            |mode| self.definition.square_root(mode, a),
        );
    }

    pub fn scale_b(&self, a: Encoding, n: i64) {
        self.directions(
            &format!("scaling by 2^{n}"),
            &[a],
            |mode| self.ours.scale_b(mode, a, n),
            self.ours.scale_b(BothNeighbours, a, n),
            |mode| self.definition.scale_b(mode, a, n),
        );
    }

    pub fn log_b(&self, a: Encoding) {
        self.directions(
            "exponent",
            &[a],
            |mode| self.ours.log_b_datum(mode, a),
            self.ours.log_b_datum(BothNeighbours, a),
            |mode| self.definition.log_b(mode, a),
        );
    }

    pub fn remainder(&self, a: Encoding, b: Encoding) {
        same(self.ours.remainder(a, b), self.definition.remainder(a, b), || {
            self.describe("remainder", RoundingMode::TiesToEven, &[a, b])
        });
    }

    pub fn round_to_integral(&self, a: Encoding) {
        for &mode in RoundingMode::ALL {
            let theirs = |exact| self.definition.round_to_integral(mode, a, exact);
            same(self.ours.round_to_integral(mode, a), theirs(false), || self.describe("integral", mode, &[a]));
            same(self.ours.round_to_integral_exact(mode, a), theirs(true), || {
                self.describe("exact integral", mode, &[a])
            });
        }
    }

    pub fn to_integer(&self, a: Encoding, bits: u32, signed: bool) {
        let to = IntegerFormat::new(bits, signed).expect("a width");
        let power = |k: u32| exact::Integer::from(1) << k;
        let bounds = if signed {
            [-power(bits - 1), power(bits - 1) - 1u32]
        } else {
            [exact::Integer::new(), power(bits) - 1u32]
        };
        for &mode in RoundingMode::ALL {
            for signals_inexact in [false, true] {
                let (n, status) = self.ours.to_integer(mode, a, to, signals_inexact);
                let ours = match n {
                    Integer::Signed(n) if signed => exact::Integer::from(n),
                    Integer::Unsigned(n) if !signed => exact::Integer::from(n),
                    _ => panic!("{n:?} is of the other kind"),
                };
                let theirs = self.definition.to_integer(mode, a, bounds.each_ref(), signals_inexact);
                assert_eq!((ours, status), theirs, "{} to {to:?}", self.describe("conversion", mode, &[a]));
            }
        }
    }

    pub fn integer(&self, n: i128) {
        self.directions(
            &format!("{n}"),
            &[],
            |mode| self.ours.from_integer(mode, n),
            self.ours.from_integer(BothNeighbours, n),
            |mode| self.definition.from_integer(mode, &n.into()),
        );
    }

    pub fn unsigned(&self, n: u128) {
        self.directions(
            &format!("{n}"),
            &[],
            |mode| self.ours.from_unsigned(mode, n),
            self.ours.from_unsigned(BothNeighbours, n),
            |mode| self.definition.from_integer(mode, &n.into()),
        );
    }
}
