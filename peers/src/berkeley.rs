//! Berkeley SoftFloat 3, through `softfloat-wrapper`. Not its bfloat16, which truncates in every direction.

use roundproof_format::{Encoding, Format, RoundingMode, Status};
use softfloat_wrapper::{ExceptionFlags, F16, F32, F64, F128, Float, RoundingMode as Round};

use crate::{Answer, Operation, Peer, Question, no_such};

/// The peer. Its state is the thread's own.
#[derive(Clone, Copy, Debug)]
pub struct Berkeley;

impl Berkeley {
    /// Its formats.
    pub const FORMATS: [Format; 4] = [Format::BINARY16, Format::BINARY32, Format::BINARY64, Format::BINARY128];
}

fn round(mode: RoundingMode) -> Round {
    match mode {
        RoundingMode::TiesToEven => Round::TiesToEven,
        RoundingMode::TiesToAway => Round::TiesToAway,
        RoundingMode::TowardPositive => Round::TowardPositive,
        RoundingMode::TowardNegative => Round::TowardNegative,
        RoundingMode::TowardZero => Round::TowardZero,
    }
}

fn status(flags: ExceptionFlags) -> Status {
    [
        (flags.is_invalid(), Status::INVALID),
        (flags.is_infinite(), Status::DIVIDE_BY_ZERO),
        (flags.is_overflow(), Status::OVERFLOW),
        (flags.is_underflow(), Status::UNDERFLOW),
        (flags.is_inexact(), Status::INEXACT),
    ]
    .into_iter()
    .filter(|(raised, _)| *raised)
    .fold(Status::NONE, |all, (_, flag)| all | flag)
}

/// The conversion of any of its formats to the one of the answer.
fn convert<F>(question: Question, to: impl Fn(&dyn Source, Round) -> F) -> F {
    let (bits, round) = (question.operands[0].bits(), round(question.mode));
    match question.operation.source(question.format) {
        Format::BINARY16 => to(&F16::from_bits(bits as u16), round),
        Format::BINARY32 => to(&F32::from_bits(bits as u32), round),
        Format::BINARY64 => to(&F64::from_bits(bits as u64), round),
        Format::BINARY128 => to(&F128::from_bits(bits), round),
        _ => no_such(question),
    }
}

/// The conversions of [`Float`], which is not made for trait objects.
trait Source {
    fn f16(&self, round: Round) -> F16;
    fn f32(&self, round: Round) -> F32;
    fn f64(&self, round: Round) -> F64;
    fn f128(&self, round: Round) -> F128;
}

impl<F: Float> Source for F {
    fn f16(&self, round: Round) -> F16 {
        self.to_f16(round)
    }
    fn f32(&self, round: Round) -> F32 {
        self.to_f32(round)
    }
    fn f64(&self, round: Round) -> F64 {
        self.to_f64(round)
    }
    fn f128(&self, round: Round) -> F128 {
        self.to_f128(round)
    }
}

fn compute<F: Float>(question: Question, [a, b, c]: [F; 3], to: impl Fn(&dyn Source, Round) -> F) -> F {
    let round = round(question.mode);
    match question.operation {
        Operation::Add => a.add(b, round),
        Operation::Subtract => a.sub(b, round),
        Operation::Multiply => a.mul(b, round),
        Operation::Divide => a.div(b, round),
        Operation::SquareRoot => a.sqrt(round),
        Operation::FusedMultiplyAdd => a.fused_mul_add(b, c, round),
        Operation::Remainder => a.rem(b, round),
        Operation::RoundToIntegral => a.round_to_integral(round),
        Operation::Convert(_) => convert(question, to),
    }
}

impl Peer for Berkeley {
    fn name(&self) -> &'static str {
        "Berkeley SoftFloat, softfloat-wrapper 0.3.4"
    }

    fn has_format(&self, format: Format) -> bool {
        Berkeley::FORMATS.contains(&format)
    }

    /// A conversion to the same format is not a function of its own there.
    fn has(&self, operation: Operation, format: Format) -> bool {
        self.has_format(format) && self.has_format(operation.source(format)) && operation != Operation::Convert(format)
    }

    fn modes(&self, operation: Operation) -> &'static [RoundingMode] {
        match operation {
            Operation::Remainder => &[RoundingMode::TiesToEven],
            _ => RoundingMode::ALL,
        }
    }

    fn knows_status(&self) -> bool {
        true
    }

    fn answer(&self, question: Question) -> Answer {
        ExceptionFlags::default().set();
        let bits = question.operands.map(Encoding::bits);
        let bits = match question.format {
            Format::BINARY16 => {
                compute(question, bits.map(|bits| F16::from_bits(bits as u16)), |a, round| a.f16(round))
                    .to_bits()
                    .into()
            }
            Format::BINARY32 => {
                compute(question, bits.map(|bits| F32::from_bits(bits as u32)), |a, round| a.f32(round))
                    .to_bits()
                    .into()
            }
            Format::BINARY64 => {
                compute(question, bits.map(|bits| F64::from_bits(bits as u64)), |a, round| a.f64(round))
                    .to_bits()
                    .into()
            }
            Format::BINARY128 => compute(question, bits.map(F128::from_bits), |a, round| a.f128(round)).to_bits(),
            _ => no_such(question),
        };
        let mut flags = ExceptionFlags::default();
        flags.get();
        // The wrapper asks for roundings to integers that do not raise inexact.
        let known = question.operation != Operation::RoundToIntegral || flags.is_invalid();
        Answer { encoding: Encoding::from_bits(bits), status: known.then(|| status(flags)) }
    }
}
