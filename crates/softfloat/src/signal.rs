//! Operations that round nothing, with the exceptions that they raise.

use std::cmp::Ordering;

use roundproof_format::{Encoding, Format, Status};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::class::is_signaling;
use crate::datum::{flush, is_subnormal};
use crate::layout::Layout;
use crate::order::{next_down, next_up};
use crate::real::Operand;

/// The order of two data, none if one is NaN, with invalid raised if one is a signaling NaN.
///
/// The quiet predicates of IEEE 754-2019, clause 5.6.1, are tests of the order: compareQuietNotLess, say, is
/// `order != Some(Ordering::Less)`.
#[inline]
pub fn compare_quiet(format: Format, a: Encoding, b: Encoding) -> (Option<Ordering>, Status) {
    quiet(&Layout::of(format), a, b)
}

#[inline(always)]
pub(crate) fn quiet(layout: &Layout, a: Encoding, b: Encoding) -> (Option<Ordering>, Status) {
    let order = layout.order(a, b);
    (order, if order.is_some() { Status::NONE } else { unordered_status(layout.format, a, b) })
}

#[cold]
fn unordered_status(format: Format, a: Encoding, b: Encoding) -> Status {
    Status::INVALID.when(is_signaling(format, a) || is_signaling(format, b))
}

/// The order of two data, none if one is NaN, with invalid raised in that case: the signaling predicates of IEEE
/// 754-2019, clause 5.6.1, are tests of the order.
#[inline]
pub fn compare_signaling(format: Format, a: Encoding, b: Encoding) -> (Option<Ordering>, Status) {
    signaling(&Layout::of(format), a, b)
}

#[inline(always)]
pub(crate) fn signaling(layout: &Layout, a: Encoding, b: Encoding) -> (Option<Ordering>, Status) {
    let order = layout.order(a, b);
    (order, Status::INVALID.when(order.is_none()))
}

/// An outcome whose subnormal result is flushed: to a zero of its sign, with underflow and inexact raised beside the
/// flags it has. For operands, [`flush`] is all there is: that they are replaced raises nothing.
pub fn flush_outcome(format: Format, outcome: Outcome) -> Outcome {
    if !is_subnormal(format, outcome.encoding) {
        return outcome;
    }
    Outcome { encoding: flush(format, outcome.encoding), status: outcome.status | Status::UNDERFLOW | Status::INEXACT }
}

impl Arithmetic {
    /// [`next_up`], with the canonical NaN for NaN and invalid raised for a signaling one (IEEE 754-2019, clause 5.3.1).
    pub fn next_up(&self, a: Encoding) -> Outcome {
        self.neighbour(a, next_up)
    }

    /// [`next_down`], with the canonical NaN for NaN and invalid raised for a signaling one.
    pub fn next_down(&self, a: Encoding) -> Outcome {
        self.neighbour(a, next_down)
    }

    fn neighbour(&self, a: Encoding, next: fn(Format, Encoding) -> Encoding) -> Outcome {
        match self.layout().unpack::<u128>(a) {
            Operand::Nan { signaling } => self.not_a_number(signaling),
            Operand::Zero { negative } => Outcome::exact(next(self.format(), self.layout().zero(negative))),
            Operand::Finite(_) | Operand::Infinite { .. } => Outcome::exact(next(self.format(), a)),
        }
    }
}
