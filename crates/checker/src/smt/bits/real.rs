//! Arbitrary reals, so that the axioms can be asked of a format: what a real may be rounded to, and how values compare
//! with it.
//!
//! A real is a sign `s`, an offset `e` (the exponent of the top bit of the significand, less `emin`) and a significand `m`
//! of `p + 3` bits whose top bit is set, unless `e` is 0. Of an odd significand, the numbers between the even ones beside
//! it are meant too: no value is among them, since values have `p` bits, so all of them compare alike with every value
//! and have the same neighbours. So every real is meant, but for those whose offset does not fit: they are nearer to zero
//! than any value, or beyond any, and there are others that are too.

use super::rounding::{Exact, shift_right};
use super::{Bits, Unpacked};
use crate::smt::term::{Lets, Truth, Vector, vector_sort};

/// Bits of a real's significand beyond those of a value.
const MORE: u32 = 3;

impl Bits {
    /// Bits of the significand of a real.
    fn real_width(&self) -> u32 {
        self.p() + MORE
    }

    /// Bits of the offset of a real: enough for every value times every `2^k`.
    fn real_exponent_width(&self) -> u32 {
        self.exponent_width() + 2
    }

    /// The sorts of the sign and the offset of a real, and of its significand below the top bit.
    pub fn real_sorts(&self) -> [String; 3] {
        ["Bool".to_string(), self.real_exponent_sort(), vector_sort(self.real_width() - 1)]
    }

    /// Offset and significand of zero.
    pub fn real_zero(&self) -> String {
        format!("{} {}", Vector::zero(self.real_exponent_width()), Vector::zero(self.real_width()))
    }

    /// Offset and significand of `2^k`.
    pub fn real_power(&self, k: &str) -> String {
        let emin = Vector::signed(self.emin, self.real_exponent_width());
        let top = Vector::constant(1 << (self.real_width() - 1), self.real_width());
        format!("(bvsub ((_ sign_extend 2) {k}) {emin}) {top}")
    }

    /// Offset and significand of the value `x`.
    pub fn real_of(&self, x: &str) -> String {
        format!("(real-offset {x}) (real-significand {x})")
    }

    /// `(round s e m c)` and the words about reals.
    pub(super) fn reals(&self) -> Vec<String> {
        let (x, mut lets) = (self.datum("x"), Lets::default());
        let mut compare = |relation: fn(&Unpacked, &Unpacked) -> Truth, infinite: Truth| {
            let (value, real) = (self.value_in_place(&mut lets, &x), self.real_in_place(&mut lets));
            let finite = self.is_finite(&x).and(&relation(&value, &real));
            let infinite = self.is_infinite(&x).and(&infinite);
            std::mem::take(&mut lets).close(finite.or(&infinite))
        };
        let below = compare(at_most, self.sign(&x));
        let above = compare(|value, real| at_most(real, value), self.sign(&x).not());
        let same = compare(same, Truth::no());
        let part = self.unpack(&mut lets, &x);
        let offset = std::mem::take(&mut lets).close(part.offset.widen(self.real_exponent_width()));
        let part = self.unpack(&mut lets, &x);
        let significand = std::mem::take(&mut lets).close(part.significand.padded(MORE));
        let (negative, offset_of_real, significand_of_real) = self.real_parameters();
        let real = Exact { negative, offset: offset_of_real, significand: significand_of_real };
        let rounded = self.round(&mut lets, real, true, "c");
        vec![
            self.define("is-negative", "x", "Bool", self.sign(&x).to_string()),
            self.define("real-offset", "x", &self.real_exponent_sort(), offset),
            self.define("real-significand", "x", &self.real_significand_sort(), significand),
            self.define("le-real", "x s e m", "Bool", below),
            self.define("real-le", "s e m x", "Bool", above),
            self.define("is-real", "x s e m", "Bool", same),
            self.define("near", "s e m x", "Bool", self.near(&x)),
            self.define("is-gap", "k x", "Bool", self.is_gap(&x)),
            self.define("on-grid", "e m k", "Bool", self.on_grid()),
            self.define("round", "s e m c", &self.sort(), lets.close(rounded)),
        ]
    }

    pub(super) fn real_exponent_sort(&self) -> String {
        vector_sort(self.real_exponent_width())
    }

    pub(super) fn real_significand_sort(&self) -> String {
        vector_sort(self.real_width())
    }

    /// Whether `x` is the greatest value up to a real, the least one from it on, or what is allowed past the largest.
    fn near(&self, x: &Vector) -> String {
        let finite = "(or (and (le-real x s e m) (=> (has-succ x) (not (le-real (succ x) s e m)))) \
                      (and (real-le s e m x) (=> (has-pred x) (not (real-le s e m (pred x))))))";
        let past = "(ite (is-negative x) (not (le-real (neg largest) s e m)) (not (real-le s e m largest)))";
        let infinite = if self.saturates { Truth::no() } else { self.is_infinite(x).and(&Truth::new(past)) };
        self.is_finite(x).and(&Truth::new(finite)).or(&infinite).to_string()
    }

    fn real_parameters(&self) -> (Truth, Vector, Vector) {
        let offset = Vector::new("e", self.real_exponent_width());
        (Truth::new("s"), offset, Vector::new("m", self.real_width()))
    }

    /// The real of the parameters, shifted to the least exponent if it is below, with a bit for what that loses: pairs
    /// (offset, significand) are ordered as magnitudes are. A zero is not negative.
    fn real_in_place(&self, lets: &mut Lets) -> Unpacked {
        let (negative, offset, significand) = self.real_parameters();
        let none = Vector::zero(self.real_exponent_width());
        let below = lets.truth("below", offset.top());
        let distance = lets.vector("distance", below.pick(&offset.negated(), &none));
        let (significand, sticky) = shift_right(lets, significand, &distance);
        let significand = lets.vector("significand", significand.join(&sticky.as_bit()));
        let offset = lets.vector("offset", below.pick(&none, &offset));
        Unpacked { negative: negative.and(&significand.is_nonzero()), offset, significand }
    }

    /// A finite value in the same form.
    fn value_in_place(&self, lets: &mut Lets, x: &Vector) -> Unpacked {
        let value = self.unpack(lets, x);
        let negative = value.negative.and(&self.is_zero(x).not());
        let offset = value.offset.widen(self.real_exponent_width());
        Unpacked { negative, offset, significand: value.significand.padded(MORE + 1) }
    }

    /// `2^k = x - pred(x)`: neighbours are at most one exponent apart, and as integers on the grid of the smaller exponent
    /// they are one apart. Of `x` and `pred(x)` that farther from zero is one more, and neither is beyond zero.
    fn is_gap(&self, x: &Vector) -> String {
        let mut lets = Lets::default();
        let y = lets.vector("pred", Vector::new("(pred x)", x.width()));
        let (a, b) = (self.unpack(&mut lets, x), self.unpack(&mut lets, &y));
        let a_higher = lets.truth("higher", a.offset.equals(&b.offset.next()));
        let b_higher = lets.truth("higher", b.offset.equals(&a.offset.next()));
        let close = a_higher.or(&b_higher).or(&a.offset.equals(&b.offset));
        let mut integer = |part: &Unpacked, higher: &Truth| {
            let plain = part.significand.widen(self.p() + 1);
            lets.vector("integer", higher.pick(&part.significand.padded(1), &plain))
        };
        let (p, q) = (integer(&a, &a_higher), integer(&b, &b_higher));
        let below_zero = q.equals(&p.next()).and(&b.negative);
        let above_zero = p.equals(&q.next()).and(&b.negative.not().or(&self.is_zero(&y)));
        let one_apart = a.negative.or(&self.is_zero(x)).choose(&below_zero, &above_zero);
        let unit = Vector::signed(self.emin - i64::from(self.trailing()), self.exponent_width());
        let lower = a_higher.pick(&b.offset, &a.offset).widen(self.exponent_width());
        let is_unit = Vector::new("k", self.exponent_width()).equals(&lower.plus(&unit));
        lets.close(close.and(&one_apart).and(&is_unit))
    }

    /// The magnitude of a real is a multiple of `2^k`, and at most `2^(p + k)`; its top bit is set.
    fn on_grid(&self) -> String {
        let (_, offset, significand) = self.real_parameters();
        // Wide enough for differences of any offset and any exponent.
        let (mut lets, width) = (Lets::default(), self.real_exponent_width() + 2);
        let (offset, k) = (offset.widen_signed(width), Vector::new("k", self.exponent_width()).widen_signed(width));
        // How far the top bit is above the unit of the grid, and how many bits are below that.
        let above = lets.vector("above", offset.plus(&Vector::signed(self.emin, width)).minus(&k));
        let below = Vector::constant((self.real_width() - 1).into(), width).minus(&above);
        let (_, lost) = shift_right(&mut lets, significand.clone(), &below);
        let multiple = below.top().or(&lost.not());
        let most = Vector::constant(self.p().into(), width);
        let power = significand.is(1 << (self.real_width() - 1));
        let small = above.below_signed(&most).or(&above.equals(&most).and(&power));
        lets.close(multiple.and(&small))
    }
}

/// Whether one number in place is at most another.
fn at_most(a: &Unpacked, b: &Unpacked) -> Truth {
    let positive = b.negative.not().and(&magnitude_at_most(a, b));
    let negative = b.negative.not().or(&magnitude_at_most(b, a));
    a.negative.choose(&negative, &positive)
}

fn magnitude_at_most(a: &Unpacked, b: &Unpacked) -> Truth {
    let lower = a.offset.below(&b.offset);
    lower.or(&a.offset.equals(&b.offset).and(&a.significand.at_most(&b.significand)))
}

fn same(a: &Unpacked, b: &Unpacked) -> Truth {
    a.negative.equals(&b.negative).and(&a.offset.equals(&b.offset)).and(&a.significand.equals(&b.significand))
}
