//! The machine's own binary32 and binary64.

use roundproof_format::{Encoding, Format, RoundingMode};

use crate::{Answer, Operation, Peer, Question, no_such};

/// The peer. Rust knows no direction but ties to even, save for rounding to an integer, and no status.
#[derive(Clone, Copy, Debug)]
pub struct Machine;

macro_rules! compute {
    ($float:ty, $question:expr) => {{
        let [a, b, c] = $question.operands.map(|operand| <$float>::from_bits(operand.bits() as _));
        let value: $float = match $question.operation {
            Operation::Add => a + b,
            Operation::Subtract => a - b,
            Operation::Multiply => a * b,
            Operation::Divide => a / b,
            Operation::SquareRoot => a.sqrt(),
            Operation::FusedMultiplyAdd => a.mul_add(b, c),
            Operation::RoundToIntegral => match $question.mode {
                RoundingMode::TiesToEven => a.round_ties_even(),
                RoundingMode::TiesToAway => a.round(),
                RoundingMode::TowardPositive => a.ceil(),
                RoundingMode::TowardNegative => a.floor(),
                RoundingMode::TowardZero => a.trunc(),
            },
            Operation::Convert(Format::BINARY32) => f32::from_bits($question.operands[0].bits() as u32) as $float,
            Operation::Convert(Format::BINARY64) => f64::from_bits($question.operands[0].bits() as u64) as $float,
            Operation::Remainder | Operation::Convert(_) => no_such($question),
        };
        u128::from(value.to_bits())
    }};
}

impl Peer for Machine {
    fn name(&self) -> &'static str {
        "the machine"
    }

    fn has_format(&self, format: Format) -> bool {
        matches!(format, Format::BINARY32 | Format::BINARY64)
    }

    fn has(&self, operation: Operation, format: Format) -> bool {
        operation != Operation::Remainder && self.has_format(format) && self.has_format(operation.source(format))
    }

    fn modes(&self, operation: Operation) -> &'static [RoundingMode] {
        match operation {
            Operation::RoundToIntegral => RoundingMode::ALL,
            _ => &[RoundingMode::TiesToEven],
        }
    }

    fn knows_status(&self) -> bool {
        false
    }

    fn answer(&self, question: Question) -> Answer {
        let bits = match question.format {
            Format::BINARY32 => compute!(f32, question),
            Format::BINARY64 => compute!(f64, question),
            _ => no_such(question),
        };
        Answer { encoding: Encoding::from_bits(bits), status: None }
    }
}
