//! Where a peer and this project part, and why that is tolerated: the whole list.
//!
//! Each entry covers the answers of one kind that it names, and shows one. A test asks for the example again: an entry
//! that no longer occurs has to go.

use roundproof_format::{Encoding, Format, RoundingMode, Status};

use crate::{Answer, Operation, Question};

/// A difference that is known and tolerated.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The peer that the example is asked of.
    pub peer: &'static str,
    /// Whether other peers may differ so too.
    pub everyone: bool,
    /// Why the two may part here.
    pub reason: &'static str,
    /// Which answers it covers.
    pub covers: fn(&Seen) -> bool,
    /// A question that shows it.
    pub example: Question,
    /// Our answer to that, in bits.
    pub ours: u128,
    /// The peer's.
    pub theirs: u128,
}

/// Two answers to a question.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The question.
    pub question: Question,
    /// The answer of this project, which has a status.
    pub ours: Answer,
    /// The peer's.
    pub theirs: Answer,
}

impl Seen {
    /// Whether the statuses agree, as far as the peer knows them.
    pub fn status_agrees(&self) -> bool {
        self.theirs.status.is_none_or(|theirs| self.ours.status == Some(theirs))
    }

    /// Whether nothing differs.
    pub fn agrees(&self) -> bool {
        self.ours.encoding == self.theirs.encoding && self.status_agrees()
    }

    /// The entry that covers the difference between this answer and that of the peer with this name.
    pub fn tolerated(&self, peer: &str) -> Option<&'static Difference> {
        TOLERATED.iter().find(|known| (known.everyone || known.peer == peer) && (known.covers)(self))
    }

    fn both_nan(&self) -> bool {
        let is_nan = |answer: Answer| self.question.format.is_nan(answer.encoding);
        is_nan(self.ours) && is_nan(self.theirs) && self.status_agrees()
    }
}

const fn example(format: Format, operation: Operation, mode: RoundingMode, operands: [u128; 3]) -> Question {
    let [a, b, c] = operands;
    let operands = [Encoding::from_bits(a), Encoding::from_bits(b), Encoding::from_bits(c)];
    Question { format, operation, mode, operands }
}

/// Every difference that is tolerated.
pub const TOLERATED: &[Difference] = &[
    Difference {
        peer: "rustc_apfloat 0.2.3",
        everyone: true,
        reason: "a NaN here is the canonical one; there it has the sign and the payload of an operand, or the machine's \
                 (IEEE 754-2019, clause 6.2.3, recommends the payload and requires nothing)",
        covers: Seen::both_nan,
        example: example(Format::BINARY32, Operation::Add, RoundingMode::TiesToEven, [0xffc0_0001, 0x3f80_0000, 0]),
        ours: 0x7fc0_0000,
        theirs: 0xffc0_0001,
    },
    Difference {
        peer: "rustc_apfloat 0.2.3",
        everyone: false,
        reason: "float8_e4m3fn, a negative overflow in a direction that leads back to the finite values: \
                 (-32) + (-448) toward positive is NaN there, though its mirror image 32 + 448 toward negative is 448",
        covers: negative_overflow_back,
        example: example(Format::FLOAT8_E4M3FN, Operation::Add, RoundingMode::TowardPositive, [0xe0, 0xfe, 0]),
        ours: 0xfe,
        theirs: 0xff,
    },
    Difference {
        peer: "rustc_apfloat 0.2.3",
        everyone: false,
        reason: "float8_e4m3fn, a negative overflow in a direction that leads away from zero: (-32) + (-448) toward \
                 negative is -448 there, though its mirror image 32 + 448 toward positive is NaN",
        covers: negative_overflow_away,
        example: example(Format::FLOAT8_E4M3FN, Operation::Add, RoundingMode::TowardNegative, [0xe0, 0xfe, 0]),
        ours: 0x7f,
        theirs: 0xfe,
    },
    Difference {
        peer: "minifloat 0.3.1",
        everyone: false,
        reason: "what would be NaN, in a format without one, is +0 here, with invalid raised; there it is the largest \
                 finite value, of a NaN with its sign (the standard has no such format)",
        covers: nan_in_a_format_without,
        example: example(
            Format::FLOAT4_E2M1FN,
            Operation::Convert(Format::FLOAT8_E3M4),
            RoundingMode::TiesToEven,
            [0xf8, 0, 0],
        ),
        ours: 0x0,
        theirs: 0xf,
    },
];

/// An answer that is the least finite value, and another that is NaN, where we overflow to float8_e4m3fn.
fn least_and_nan(seen: &Seen, mode: RoundingMode, least: Answer, nan: Answer) -> bool {
    let format = Format::FLOAT8_E4M3FN;
    seen.question.format == format
        && seen.question.mode == mode
        && seen.ours.status.is_some_and(|status| status.contains(Status::OVERFLOW))
        && Some(least.encoding) == format.largest(true)
        && format.is_nan(nan.encoding)
}

fn negative_overflow_back(seen: &Seen) -> bool {
    least_and_nan(seen, RoundingMode::TowardPositive, seen.ours, seen.theirs)
}

fn negative_overflow_away(seen: &Seen) -> bool {
    least_and_nan(seen, RoundingMode::TowardNegative, seen.theirs, seen.ours)
}

fn nan_in_a_format_without(seen: &Seen) -> bool {
    let format = seen.question.format;
    !format.has_nan()
        && seen.ours == Answer { encoding: format.zero(), status: Some(Status::INVALID) }
        && [false, true].iter().any(|&negative| format.largest(negative) == Some(seen.theirs.encoding))
}
