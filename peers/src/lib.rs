//! Implementations of floating-point arithmetic that were written elsewhere, behind one trait.
//!
//! A [`Peer`] says what it has: formats, operations, directions, and whether its status flags are those of IEEE 754.
//! The tests of this crate compare `roundproof-softfloat` with every one of them. Where a peer and the standard part,
//! [`differences`] says so, with bits that show it: everything else is an error, in one of the two.
//!
//! None of this shares code with `roundproof-softfloat` or `roundproof-exact`: the vocabulary alone.

pub mod apfloat;
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
pub mod berkeley;
pub mod differences;
pub mod machine;
pub mod minifloats;
pub mod mpfr;

use std::fmt;

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};

/// An operation of IEEE 754-2019, clauses 5.3 and 5.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a * b`.
    Multiply,
    /// `a / b`.
    Divide,
    /// The square root of `a`.
    SquareRoot,
    /// `a * b + c`, rounded once.
    FusedMultiplyAdd,
    /// `a - b * n` with the integer `n` nearest to `a / b`, even in a tie. Exact: it has no direction.
    Remainder,
    /// `a` rounded to an integer in the direction, inexact if that changes it (roundToIntegralExact).
    RoundToIntegral,
    /// `a`, of the format given, rounded into the format of the result.
    Convert(Format),
}

impl Operation {
    /// Every operation on one format.
    pub const HOMOGENEOUS: [Operation; 8] = [
        Operation::Add,
        Operation::Subtract,
        Operation::Multiply,
        Operation::Divide,
        Operation::SquareRoot,
        Operation::FusedMultiplyAdd,
        Operation::Remainder,
        Operation::RoundToIntegral,
    ];

    /// How many operands it has.
    pub const fn arity(self) -> usize {
        match self {
            Operation::SquareRoot | Operation::RoundToIntegral | Operation::Convert(_) => 1,
            Operation::FusedMultiplyAdd => 3,
            _ => 2,
        }
    }

    /// The format of the operands, for a result in `format`.
    pub const fn source(self, format: Format) -> Format {
        match self {
            Operation::Convert(from) => from,
            _ => format,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Operation::Add => "add",
            Operation::Subtract => "subtract",
            Operation::Multiply => "multiply",
            Operation::Divide => "divide",
            Operation::SquareRoot => "square_root",
            Operation::FusedMultiplyAdd => "fused_multiply_add",
            Operation::Remainder => "remainder",
            Operation::RoundToIntegral => "round_to_integral",
            Operation::Convert(from) => return write!(f, "convert from {from}"),
        })
    }
}

/// What a peer delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Answer {
    /// The result. A NaN has the sign and the payload that the peer gives it.
    pub encoding: Encoding,
    /// The flags of IEEE 754-2019, clause 7, where the peer knows them.
    pub status: Option<Status>,
}

/// One computation, of which a peer is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The format of the result, and of the operands unless [`Operation::source`] says otherwise.
    pub format: Format,
    /// What to compute.
    pub operation: Operation,
    /// The rounding direction.
    pub mode: RoundingMode,
    /// The operands; those beyond [`Operation::arity`] are not looked at.
    pub operands: [Encoding; 3],
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}, {}, of", self.operation, self.format, self.mode)?;
        self.operands[..self.operation.arity()].iter().try_for_each(|operand| write!(f, " {:#x}", operand.bits()))
    }
}

/// An implementation of floating-point arithmetic.
pub trait Peer: Send + Sync {
    /// Its name, and its version if it is a package.
    fn name(&self) -> &'static str;

    /// Whether it has the format.
    fn has_format(&self, format: Format) -> bool;

    /// Whether it has the operation, with a result in the format.
    fn has(&self, operation: Operation, format: Format) -> bool;

    /// The directions of the operation that it knows; one of a remainder, which is exact.
    fn modes(&self, operation: Operation) -> &'static [RoundingMode];

    /// What it gives beyond the largest finite value of the format.
    fn overflow(&self, format: Format) -> Overflow {
        format.default_overflow()
    }

    /// Whether its answers have a status.
    fn knows_status(&self) -> bool;

    /// Its answer to a question about what it has.
    ///
    /// # Panics
    ///
    /// If it [has](Peer::has) no such thing.
    fn answer(&self, question: Question) -> Answer;
}

/// Every peer that can be built here.
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(apfloat::Apfloat),
        Box::new(machine::Machine),
        Box::new(mpfr::Mpfr),
        Box::new(minifloats::Minifloats),
        #[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
        Box::new(berkeley::Berkeley),
    ]
}

pub(crate) fn no_such(question: Question) -> ! {
    panic!("not asked of this peer: {question}")
}
