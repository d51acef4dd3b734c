//! Operations that round nothing, with the exceptions that they raise.

use std::cmp::Ordering;

use roundproof_format::{Encoding, Format, Status};

use crate::arithmetic::{Arithmetic, Outcome};
use crate::class::is_signaling;
use crate::datum::{flush, is_subnormal};
use crate::order::{compare, next_down, next_up};
use crate::real::Operand;

/// The order of two data, none if one is NaN, with invalid raised if one is a signaling NaN.
///
/// The quiet predicates of IEEE 754-2019, clause 5.6.1, are tests of the order: compareQuietNotLess, say, is
/// `order != Some(Ordering::Less)`.
pub fn compare_quiet(format: Format, a: Encoding, b: Encoding) -> (Option<Ordering>, Status) {
    (compare(format, a, b), invalid_if(is_signaling(format, a) || is_signaling(format, b)))
}

/// The order of two data, none if one is NaN, with invalid raised in that case: the signaling predicates of IEEE
/// 754-2019, clause 5.6.1, are tests of the order.
pub fn compare_signaling(format: Format, a: Encoding, b: Encoding) -> (Option<Ordering>, Status) {
    let order = compare(format, a, b);
    (order, invalid_if(order.is_none()))
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

fn invalid_if(invalid: bool) -> Status {
    if invalid { Status::INVALID } else { Status::NONE }
}
