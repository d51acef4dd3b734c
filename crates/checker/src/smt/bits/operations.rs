//! The operations: the exact result, and one rounding.

use super::rounding::Exact;
use super::{Bits, Choices, Operation, Unpacked};
use crate::smt::term::{Lets, Truth, Vector};

/// Guard, round and sticky: what a sum keeps below the smaller operand's last place.
const GUARD_BITS: u32 = 3;

impl Bits {
    pub(super) fn operation(&self, operation: Operation) -> Vec<String> {
        let sort = self.sort();
        let define = |name, parameters, body| self.define(name, parameters, &sort, body);
        match operation {
            Operation::Add => {
                vec![define("add", "x y c", self.add()), define("subtract", "x y c", "(add x (neg y) c)".to_string())]
            }
            Operation::Multiply => vec![define("multiply", "x y c", self.multiply())],
            Operation::Scale => vec![define("scale", "k x c", self.scale())],
            Operation::FusedMultiplyAdd => vec![define("fma", "x y z c", self.fused_multiply_add())],
            Operation::ScaleAdd => vec![define("scale-add", "k x y c", self.scale_add())],
            Operation::ScaleSum => vec![define("scale-sum", "k x y c", self.scale_sum())],
            Operation::Round => self.reals(),
        }
    }

    fn add(&self) -> String {
        let mut lets = Lets::default();
        let (x, y) = (self.datum("x"), self.datum("y"));
        let (a, b) = (self.unpack(&mut lets, &x), self.unpack(&mut lets, &y));
        let (x_negative, y_negative) = (a.negative.clone(), b.negative.clone());
        let finite = self.sum(&mut lets, a, b, false, None);
        let nan = self.is_nan(&x).or(&self.is_nan(&y));
        let infinities = [(self.is_infinite(&x), x_negative), (self.is_infinite(&y), y_negative)];
        lets.close(self.special_sum(&nan, &infinities, &finite))
    }

    fn multiply(&self) -> String {
        let mut lets = Lets::default();
        let (x, y) = (self.datum("x"), self.datum("y"));
        let (a, b) = (self.unpack(&mut lets, &x), self.unpack(&mut lets, &y));
        let width = self.exponent_width();
        let widened = |part: Unpacked| Unpacked { offset: part.offset.widen(width), ..part };
        let product = self.product(&mut lets, widened(a), widened(b));
        let negative = product.negative.clone();
        let finite = self.round(&mut lets, product.into_exact(), true, "c");
        let nan = self.is_nan(&x).or(&self.is_nan(&y)).or(&self.is_zero_times_infinity(&x, &y));
        let infinity = self.is_infinite(&x).or(&self.is_infinite(&y));
        lets.close(self.special_sum(&nan, &[(infinity, negative)], &finite))
    }

    fn scale(&self) -> String {
        let mut lets = Lets::default();
        let (x, k, width) = (self.datum("x"), self.k(), self.exponent_width());
        let mut part = self.unpack(&mut lets, &x);
        part.offset = lets.vector("offset", part.offset.widen(width).plus(&k));
        let negative = part.negative.clone();
        let finite = self.round(&mut lets, part.into_exact(), true, "c");
        lets.close(self.special_sum(&self.is_nan(&x), &[(self.is_infinite(&x), negative)], &finite))
    }

    fn fused_multiply_add(&self) -> String {
        let mut lets = Lets::default();
        let (x, y, z) = (self.datum("x"), self.datum("y"), self.datum("z"));
        let (a, b) = (self.unpack_normalized(&mut lets, &x), self.unpack_normalized(&mut lets, &y));
        let mut addend = self.unpack_normalized(&mut lets, &z);
        let mut product = self.product(&mut lets, a, b);
        // A product of two normalized significands has at most one leading zero.
        let top = lets.truth("top", product.significand.top());
        let shifted = product.significand.low(2 * self.p() - 1).padded(1);
        product.significand = lets.vector("significand", top.pick(&product.significand, &shifted));
        let offset = top.pick(&product.offset, &product.offset.previous());
        let offset = product.significand.is_zero().pick(&self.least_offset(), &offset);
        product.offset = lets.vector("offset", offset);
        addend.significand = lets.vector("significand", addend.significand.padded(self.p()));

        let (product_negative, z_negative) = (product.negative.clone(), addend.negative.clone());
        let finite = self.sum(&mut lets, product, addend, true, None);
        let nan = self.is_nan(&x).or(&self.is_nan(&y)).or(&self.is_nan(&z)).or(&self.is_zero_times_infinity(&x, &y));
        let infinite = self.is_infinite(&x).or(&self.is_infinite(&y));
        let infinities = [(infinite, product_negative), (self.is_infinite(&z), z_negative)];
        lets.close(self.special_sum(&nan, &infinities, &finite))
    }

    fn scale_add(&self) -> String {
        let mut lets = Lets::default();
        let (x, y) = (self.datum("x"), self.datum("y"));
        let (mut a, b) = (self.unpack_normalized(&mut lets, &x), self.unpack_normalized(&mut lets, &y));
        let offset = a.significand.is_zero().pick(&self.least_offset(), &a.offset.plus(&self.k()));
        a.offset = lets.vector("offset", offset);
        let (x_negative, y_negative) = (a.negative.clone(), b.negative.clone());
        let finite = self.sum(&mut lets, a, b, true, None);
        let nan = self.is_nan(&x).or(&self.is_nan(&y));
        let infinities = [(self.is_infinite(&x), x_negative), (self.is_infinite(&y), y_negative)];
        lets.close(self.special_sum(&nan, &infinities, &finite))
    }

    fn scale_sum(&self) -> String {
        let mut lets = Lets::default();
        let (x, y) = (self.datum("x"), self.datum("y"));
        let (a, b) = (self.unpack(&mut lets, &x), self.unpack(&mut lets, &y));
        let rounded = self.sum(&mut lets, a, b, false, Some(self.k()));
        lets.close(rounded)
    }

    fn k(&self) -> Vector {
        Vector::new("k", self.exponent_width())
    }

    /// The exact product; offsets in two's complement.
    fn product(&self, lets: &mut Lets, a: Unpacked, b: Unpacked) -> Unpacked {
        let double = 2 * self.p();
        let significand = a.significand.widen(double).times(&b.significand.widen(double));
        let exponent = Vector::signed(self.emin + 1, self.exponent_width());
        Unpacked {
            negative: lets.truth("negative", a.negative.xor(&b.negative)),
            offset: lets.vector("offset", a.offset.plus(&b.offset).plus(&exponent)),
            significand: lets.vector("product", significand),
        }
    }

    /// The rounded sum of two numbers whose pairs (offset, significand) are ordered as magnitudes are; scaled by `2^k`
    /// before the rounding, if asked for. Offsets are in two's complement iff `signed`.
    fn sum(&self, lets: &mut Lets, a: Unpacked, b: Unpacked, signed: bool, scale: Option<Vector>) -> Vector {
        let lower = if signed { a.offset.below_signed(&b.offset) } else { a.offset.below(&b.offset) };
        let swap = lower.or(&a.offset.equals(&b.offset).and(&a.significand.below(&b.significand)));
        let swap = lets.truth("swap", swap);
        let negative = lets.truth("negative", swap.choose(&b.negative, &a.negative));
        let same_sign = lets.truth("same", a.negative.equals(&b.negative));
        let large_offset = lets.vector("offset", swap.pick(&b.offset, &a.offset));
        let small_offset = lets.vector("offset", swap.pick(&a.offset, &b.offset));
        let large = lets.vector("large", swap.pick(&b.significand, &a.significand));
        let small = lets.vector("small", swap.pick(&a.significand, &b.significand));

        // Align the smaller one. The difference of offsets, read unsigned, fits: the range is below 2^width.
        let distance = lets.vector("distance", large_offset.minus(&small_offset));
        let small = lets.vector("small", small.padded(GUARD_BITS));
        let small = self.shift_right_sticky(lets, small, &distance);
        let width = small.width() + 1;
        let large = lets.vector("large", large.padded(GUARD_BITS).widen(width));
        let small = lets.vector("small", small.widen(width));
        let significand = lets.vector("sum", same_sign.pick(&large.plus(&small), &large.minus(&small)));
        // An exact zero from opposite signs has the sign that the direction gives it (IEEE 754-2019, clause 6.3).
        let cancels = significand.is_zero().and(&same_sign.not());
        let negative = lets.truth("negative", cancels.choose(&self.negative_zero_sum(), &negative));

        let offset = if signed { large_offset } else { large_offset.widen(large_offset.width() + 1) };
        let offset = match scale {
            Some(k) => offset.widen(self.exponent_width()).plus(&k),
            None => offset,
        };
        // The sum has one more bit in front.
        let offset = lets.vector("offset", offset.next());
        self.round(lets, Exact { negative, offset, significand }, signed, "c")
    }

    fn negative_zero_sum(&self) -> Truth {
        match self.choices {
            Choices::Neighbours => Truth::new("c"),
            Choices::Directions => Vector::new("c", 3).is(3),
        }
    }

    fn is_zero_times_infinity(&self, x: &Vector, y: &Vector) -> Truth {
        let one_way = |x: &Vector, y: &Vector| self.is_zero(x).and(&self.is_infinite(y));
        one_way(x, y).or(&one_way(y, x))
    }

    /// NaN, else a sum of up to two infinities with these signs, else the finite result.
    fn special_sum(&self, nan: &Truth, infinities: &[(Truth, Truth)], finite: &Vector) -> Vector {
        let (mut nan, mut out) = (nan.clone(), finite.clone());
        if let Some(infinity) = self.infinity() {
            let infinity = Vector::constant(infinity, self.magnitude_width());
            for (infinite, negative) in infinities.iter().rev() {
                out = infinite.pick(&negative.as_bit().join(&infinity), &out);
            }
            if let [(first, a), (second, b)] = infinities {
                nan = nan.or(&first.and(second).and(&a.xor(b)));
            }
        }
        match self.format.nan() {
            Some(code) => nan.pick(&Vector::constant(code.bits(), self.format.width()), &out),
            None => out,
        }
    }
}

impl Unpacked {
    fn into_exact(self) -> Exact {
        Exact { negative: self.negative, offset: self.offset, significand: self.significand }
    }
}
