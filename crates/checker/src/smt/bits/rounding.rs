//! One rounding, shared by all operations.

use super::{Bits, Choices};
use crate::smt::term::{Lets, Truth, Vector};

/// The bits that hold every number below `count`, at least one.
fn bits_for(count: u32) -> u32 {
    (u32::BITS - (count - 1).leading_zeros()).max(1)
}

/// Shifts left by the number of leading zeros, but by no more than `room`. Gives the result and the shift, which have
/// `bits_for(width)` bits, as `room` must have. A zero is shifted by as much as there is room.
///
/// A logarithmic shifter, from the largest power of two down.
pub(super) fn normalize(lets: &mut Lets, significand: Vector, room: Option<Vector>) -> (Vector, Vector) {
    let width = significand.width();
    let count_bits = bits_for(width);
    let (mut value, mut room, mut count) = (significand, room, Vector::new("", 0));
    for index in (0..count_bits).rev() {
        let step = 1 << index;
        if step >= width {
            count = count.join(&Vector::zero(1));
            continue;
        }
        let mut shifts = value.high(step).is_zero();
        if let Some(room) = &room {
            shifts = shifts.and(&room.high(count_bits - index).is_nonzero());
        }
        let shifts = lets.truth("shifts", shifts);
        value = lets.vector("normal", shifts.pick(&value.low(width - step).padded(step), &value));
        if index > 0 {
            room = room.map(|room| {
                lets.vector("room", shifts.pick(&room.minus(&Vector::constant(step.into(), count_bits)), &room))
            });
        }
        count = count.join(&shifts.as_bit());
    }
    (value, lets.vector("count", count))
}

/// Shifts right by `distance`, unsigned. Gives the result and whether a set bit was lost.
pub(super) fn shift_right(lets: &mut Lets, value: Vector, distance: &Vector) -> (Vector, Truth) {
    let width = value.width();
    let (mut value, mut sticky, mut index) = (value, Truth::no(), 0);
    while 1 << index < width && index < distance.width() {
        let step = 1 << index;
        let shifts = lets.truth("shifts", distance.bit(index));
        sticky = lets.truth("sticky", sticky.or(&shifts.and(&value.low(step).is_nonzero())));
        let shifted = Vector::zero(step).join(&value.high(width - step));
        value = lets.vector("shifted", shifts.pick(&shifted, &value));
        index += 1;
    }
    if index < distance.width() {
        let everything = lets.truth("everything", distance.high(distance.width() - index).is_nonzero());
        sticky = lets.truth("sticky", sticky.or(&everything.and(&value.is_nonzero())));
        value = lets.vector("shifted", everything.pick(&Vector::zero(width), &value));
    }
    (value, sticky)
}

/// An exact result, but for what its sticky bits stand for.
pub(super) struct Exact {
    pub(super) negative: Truth,
    /// The exponent of the significand's top bit, less `emin`, in two's complement.
    pub(super) offset: Vector,
    pub(super) significand: Vector,
}

impl Bits {
    /// Shifts right, gathering what is lost into the lowest bit.
    pub(super) fn shift_right_sticky(&self, lets: &mut Lets, value: Vector, distance: &Vector) -> Vector {
        let width = value.width();
        let (value, sticky) = shift_right(lets, value, distance);
        let sticky = if self.loses_sticky { Truth::no() } else { sticky };
        lets.vector("gathered", value.or(&sticky.as_bit().widen(width)))
    }

    /// Rounds to an encoding, as `choice` says. `may_underflow` is false where the offset is known not to be negative,
    /// as in a sum of two values, and saves a shifter.
    pub(super) fn round(&self, lets: &mut Lets, exact: Exact, may_underflow: bool, choice: &str) -> Vector {
        let Exact { negative, mut offset, mut significand } = exact;
        let p = self.p();
        if significand.width() < p + 2 {
            let missing = p + 2 - significand.width();
            significand = lets.vector("padded", significand.padded(missing));
        }
        let width = significand.width();
        let count_bits = bits_for(width);
        if offset.width() < count_bits + 1 {
            offset = lets.vector("offset", offset.widen_signed(count_bits + 1));
        }
        let below = if may_underflow { lets.truth("below", offset.top()) } else { Truth::no() };

        // Normalize, down to offset 0 at the lowest: what is left of the leading zeros then makes it subnormal.
        let large = lets.truth("large", offset.slice(count_bits, offset.width() - 1 - count_bits).is_nonzero());
        let most = Vector::constant((1 << count_bits) - 1, count_bits);
        let room = below.pick(&Vector::zero(count_bits), &large.pick(&most, &offset.low(count_bits)));
        let room = lets.vector("room", room);
        let (mut significand, count) = normalize(lets, significand, Some(room));
        let mut field = lets.vector("field", offset.minus(&count.widen(offset.width())).next());
        let mut sticky = Truth::no();
        if may_underflow {
            // Below the least exponent: shift down to it.
            let distance = lets.vector("distance", below.pick(&offset.negated(), &Vector::zero(offset.width())));
            (significand, sticky) = shift_right(lets, significand, &distance);
            field = lets.vector("field", below.pick(&Vector::constant(1, offset.width()), &field));
        }

        // The magnitude toward zero, and what it leaves out: the guard bit and the rest.
        let normal = lets.truth("normal", significand.top());
        let field = normal.pick(&field, &Vector::zero(field.width()));
        let trailing = significand.slice(width - p, p - 1);
        let magnitude = lets.vector("magnitude", field.join(&trailing));
        let guard = lets.truth("guard", significand.bit(width - p - 1));
        let rest = lets.truth("rest", sticky.or(&significand.low(width - p - 1).is_nonzero()));
        let odd = significand.bit(width - p);
        let (away, past) = self.directions(lets, choice, &negative, &guard, &rest, &odd);
        let up = lets.truth("up", away.and(&guard.or(&rest)));
        let out = self.limit(lets, magnitude, &up, &past);
        self.pack(&negative, &out)
    }

    /// Whether to take the neighbour away from zero, if the result is not exact; and whether to leave the finite values
    /// if the result is past them.
    fn directions(
        &self,
        lets: &mut Lets,
        choice: &str,
        negative: &Truth,
        guard: &Truth,
        rest: &Truth,
        odd: &Truth,
    ) -> (Truth, Truth) {
        if self.choices == Choices::Neighbours {
            return (Truth::new(choice), Truth::new(choice));
        }
        let c = Vector::new(choice, 3);
        let directed = c.is(2).and(&negative.not()).or(&c.is(3).and(negative));
        let directed = lets.truth("directed", directed);
        let to_even = c.is(0).and(guard).and(&rest.or(odd));
        let to_away = c.is(1).and(guard);
        let nearest = c.is(0).or(&c.is(1));
        (lets.truth("away", directed.or(&to_even).or(&to_away)), lets.truth("past", directed.or(&nearest)))
    }

    /// The magnitude, or the next one, or what is allowed past the largest finite one.
    fn limit(&self, lets: &mut Lets, magnitude: Vector, up: &Truth, past: &Truth) -> Vector {
        let width = self.magnitude_width();
        let largest = Vector::constant(self.largest(), width);
        let over = lets.truth("over", magnitude.at_most(&largest.widen(magnitude.width())).not());
        let low = magnitude.low(width);
        let rounded = lets.vector("rounded", low.plus(&up.as_bit().widen(width)));
        let out = match self.infinity().filter(|_| !self.saturates) {
            Some(infinity) => {
                let infinite = Vector::constant(infinity, width);
                let beyond = over.pick(&past.pick(&infinite, &largest), &rounded);
                if infinity == self.largest() + 1 {
                    beyond
                } else {
                    // The encodings between the largest finite value and infinity are those of nothing.
                    over.not().and(up).and(&low.equals(&largest)).pick(&infinite, &beyond)
                }
            }
            None => over.or(&low.equals(&largest)).pick(&largest, &rounded),
        };
        lets.vector("out", out)
    }
}
