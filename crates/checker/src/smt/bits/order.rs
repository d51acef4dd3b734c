//! The vocabulary of statements: constants, comparisons, neighbours, activations, powers of two.

use super::Bits;
use crate::smt::term::{Lets, Truth, Vector};

impl Bits {
    /// Everything that lemmas speak of beside the rounded operations.
    pub(super) fn vocabulary(&self) -> Vec<String> {
        let (x, y) = (self.datum("x"), self.datum("y"));
        let mut lines = vec![
            self.predicate("is-nan", "x", self.is_nan(&x)),
            self.predicate("is-infinite", "x", self.is_infinite(&x)),
            self.predicate("is-finite", "x", self.is_finite(&x)),
            self.predicate("is-zero", "x", self.is_zero(&x)),
        ];
        lines.extend(self.comparisons(&x, &y));
        lines.extend(self.constants());
        lines.extend(self.neighbours(&x));
        lines.extend(self.activations(&x));
        lines.extend(self.powers(&x));
        lines
    }

    fn predicate(&self, name: &str, parameters: &str, body: Truth) -> String {
        self.define(name, parameters, "Bool", body.to_string())
    }

    fn value(&self, name: &str, parameters: &str, body: Vector) -> String {
        self.define(name, parameters, &self.sort(), body.to_string())
    }

    /// Comparisons of values: false as soon as one is NaN; the zeros are equal.
    fn comparisons(&self, x: &Vector, y: &Vector) -> Vec<String> {
        let (a, b) = (self.magnitude(x), self.magnitude(y));
        let (x_negative, y_negative) = (self.sign(x), self.sign(y));
        let zeros = self.is_zero(x).and(&self.is_zero(y));
        let negative = y_negative.choose(&b.at_most(&a), &Truth::yes());
        let positive = y_negative.choose(&zeros, &a.at_most(&b));
        let ordered = self.is_nan(x).or(&self.is_nan(y)).not();
        let same = x.equals(y).or(&zeros);
        vec![
            self.predicate("le-ordered", "x y", x_negative.choose(&negative, &positive)),
            self.predicate("le", "x y", ordered.and(&Truth::new("(le-ordered x y)"))),
            self.predicate("lt", "x y", ordered.and(&Truth::new("(not (le-ordered y x))"))),
            self.predicate("eq", "x y", self.is_nan(x).not().and(&same)),
        ]
    }

    fn constants(&self) -> Vec<String> {
        let constant = |bits: u128| Vector::constant(bits, self.format.width());
        vec![
            self.value("zero", "", constant(0)),
            self.value("one", "", constant(self.format.one(false).bits())),
            self.value("minus-one", "", constant(self.format.one(true).bits())),
            self.value("largest", "", constant(self.largest())),
        ]
    }

    /// `neg`, and for finite values `pred` and `succ`, where `has-pred` and `has-succ` say that there is one.
    fn neighbours(&self, x: &Vector) -> Vec<String> {
        let (negative, magnitude) = (self.sign(x), self.magnitude(x));
        let flipped = negative.not().as_bit().join(&magnitude);
        // In formats with one zero, neither zero nor NaN has a negative.
        let unsigned = if self.format.has_negative_zero() { Truth::no() } else { magnitude.is_zero() };
        let width = self.format.width();
        let sign_bit = 1 << self.magnitude_width();
        let least = Vector::constant(1, width);
        let minus_least = Vector::constant(sign_bit + 1, width);
        let zero = self.is_zero(x);
        let pred = zero.pick(&minus_least, &negative.pick(&x.next(), &x.previous()));
        let above_minus_least = x.equals(&minus_least).pick(&Vector::zero(width), &x.previous());
        let succ = zero.pick(&least, &negative.pick(&above_minus_least, &x.next()));
        let (largest, finite) = (self.largest(), self.is_finite(x));
        vec![
            self.value("neg", "x", unsigned.pick(x, &flipped)),
            self.value("pred", "x", pred),
            self.value("succ", "x", succ),
            self.predicate("has-pred", "x", finite.and(&x.is(sign_bit | largest).not())),
            self.predicate("has-succ", "x", finite.and(&x.is(largest).not())),
        ]
    }

    fn activations(&self, x: &Vector) -> Vec<String> {
        let zero = Vector::zero(self.format.width());
        let cut = self.sign(x).pick(&zero, x);
        vec![
            self.value("relu", "x", self.is_nan(x).pick(x, &cut)),
            self.value("step", "x", Truth::new("(le zero x)").pick(&Vector::new("one", x.width()), &zero)),
        ]
    }

    fn powers(&self, x: &Vector) -> Vec<String> {
        let width = self.exponent_width();
        let k = Vector::new("k", width);
        let unit = self.emin - i64::from(self.trailing());
        let within =
            Vector::signed(unit, width).at_most_signed(&k).and(&k.at_most_signed(&Vector::signed(self.emax, width)));
        let exponents = self.exponent_sort();
        let lower = Truth::new(
            "(or (= ((_ extract TOP TOP) x) #b1) (is-zero x))".replace("TOP", &self.magnitude_width().to_string()),
        );
        let gap = lower.pick(x, &Vector::new("(pred x)", x.width()));
        let mut lets = Lets::default();
        let offset = self.unpack_normalized(&mut lets, x).offset;
        let normalized_offset = lets.close(offset);
        let mut lets = Lets::default();
        let significand = self.unpack_normalized(&mut lets, x).significand;
        let normalized_significand = lets.close(significand);
        vec![
            self.predicate("is-exponent", "k", within),
            self.define("pow2", "k", &self.sort(), self.power()),
            // The exponent of the spacing of the binade of x, and that of x - pred(x).
            self.define("spacing-exponent", "x", &exponents, self.spacing(x)),
            self.define("gap-exponent", "x", &exponents, format!("(spacing-exponent {gap})")),
            // The exponent of x less emin, and its normalized significand; of a zero: the least one, and zero.
            self.define("offset", "x", &exponents, normalized_offset),
            self.define("significand", "x", &format!("(_ BitVec {})", self.p()), normalized_significand),
            self.predicate("fits", "k x", self.fits()),
            self.define("is-scaled", "r k x", "Bool", self.is_scaled()),
        ]
    }

    /// `2^k`, for exponents with `is-exponent`.
    fn power(&self) -> String {
        let (width, trailing) = (self.exponent_width(), self.trailing());
        let k = Vector::new("k", width);
        let mut lets = Lets::default();
        let offset = lets.vector("offset", k.minus(&Vector::signed(self.emin, width)));
        let normal = offset.next().low(self.exponent_bits()).padded(trailing);
        let wide = width.max(self.magnitude_width());
        let position = offset.plus(&Vector::signed(trailing.into(), width)).widen_signed(wide);
        let shifted = Vector::new(format!("(bvshl {} {position})", Vector::constant(1, wide)), wide);
        let subnormal = shifted.low(self.magnitude_width());
        let magnitude = offset.top().pick(&subnormal, &normal);
        lets.close(Vector::new("#b0", 1).join(&magnitude))
    }

    fn spacing(&self, x: &Vector) -> String {
        let width = self.exponent_width();
        let field = x.slice(self.trailing(), self.exponent_bits());
        let offset = field.is_zero().pick(&field, &field.previous());
        offset.widen(width).plus(&Vector::signed(self.emin - i64::from(self.trailing()), width)).to_string()
    }

    /// `|2^k * x|` is at most the largest value; `x` finite.
    fn fits(&self) -> Truth {
        let width = self.exponent_width();
        let top = Vector::signed(self.emax - self.emin, width);
        let largest = Vector::constant(self.format.largest_significand(), self.p());
        let offset = Vector::new("(bvadd (offset x) k)", width);
        let significand = Vector::new("(significand x)", self.p());
        let at_top = offset.equals(&top).and(&significand.at_most(&largest));
        Truth::new("(is-zero x)").or(&offset.below_signed(&top)).or(&at_top)
    }

    /// `r = 2^k * x` exactly, for finite `x` and `k >= 0`: the significand of `r` is that of `x` shifted left.
    fn is_scaled(&self) -> String {
        let (width, wide) = (self.exponent_width(), 3 * self.p());
        let mut lets = Lets::default();
        let x = self.unpack(&mut lets, &self.datum("x"));
        let r = self.unpack(&mut lets, &self.datum("r"));
        let shift = x.offset.widen(width).plus(&Vector::new("k", width)).minus(&r.offset.widen(width));
        let shift = lets.vector("shift", shift);
        let (mut shifted, mut beyond) = (lets.vector("shifted", x.significand.widen(wide)), Truth::no());
        for index in 0..width {
            let step = 1u32.checked_shl(index).filter(|&step| step < self.p());
            match step {
                Some(step) => {
                    let more = shifted.low(wide - step).padded(step);
                    shifted = lets.vector("shifted", shift.bit(index).pick(&more, &shifted));
                }
                None => beyond = beyond.or(&shift.bit(index)),
            }
        }
        let same = shifted.equals(&r.significand.widen(wide));
        let scaled = Truth::new("(is-finite r)").and(&x.negative.equals(&r.negative)).and(&beyond.not()).and(&same);
        lets.close(Truth::new("(is-zero x)").choose(&Truth::new("(is-zero r)"), &scaled))
    }
}
