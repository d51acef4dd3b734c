//! `rustc_apfloat`, the port of LLVM's APFloat: every named format with the layout of IEEE 754 that LLVM had in 2023.

use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use rustc_apfloat::ieee::{BFloat, Double, Float8E4M3FN, Float8E5M2, Half, Quad, Single};
use rustc_apfloat::{Float, FloatConvert, Round};

use crate::{Answer, Operation, Peer, Question, no_such};

/// The peer. Its status flags are not those of IEEE 754: overflow is missing where the result is finite.
#[derive(Clone, Copy, Debug)]
pub struct Apfloat;

impl Apfloat {
    /// Its formats.
    pub const FORMATS: [Format; 7] = [
        Format::FLOAT8_E5M2,
        Format::FLOAT8_E4M3FN,
        Format::BFLOAT16,
        Format::BINARY16,
        Format::BINARY32,
        Format::BINARY64,
        Format::BINARY128,
    ];
}

fn round(mode: RoundingMode) -> Round {
    match mode {
        RoundingMode::TiesToEven => Round::NearestTiesToEven,
        RoundingMode::TiesToAway => Round::NearestTiesToAway,
        RoundingMode::TowardPositive => Round::TowardPositive,
        RoundingMode::TowardNegative => Round::TowardNegative,
        RoundingMode::TowardZero => Round::TowardZero,
    }
}

fn convert<A: FloatConvert<B>, B: Float>(bits: u128, round: Round) -> B {
    A::from_bits(bits).convert_r(round, &mut false).value
}

fn compute<F>(question: Question) -> u128
where
    F: Float,
    Float8E5M2: FloatConvert<F>,
    Float8E4M3FN: FloatConvert<F>,
    BFloat: FloatConvert<F>,
    Half: FloatConvert<F>,
    Single: FloatConvert<F>,
    Double: FloatConvert<F>,
    Quad: FloatConvert<F>,
{
    let round = round(question.mode);
    let bits = question.operands.map(Encoding::bits);
    let [a, b, c] = bits.map(F::from_bits);
    let value = match question.operation {
        Operation::Add => a.add_r(b, round).value,
        Operation::Subtract => a.sub_r(b, round).value,
        Operation::Multiply => a.mul_r(b, round).value,
        Operation::Divide => a.div_r(b, round).value,
        Operation::FusedMultiplyAdd => a.mul_add_r(b, c, round).value,
        Operation::Remainder => a.ieee_rem(b).value,
        Operation::RoundToIntegral => a.round_to_integral(round).value,
        Operation::Convert(Format::FLOAT8_E5M2) => convert::<Float8E5M2, F>(bits[0], round),
        Operation::Convert(Format::FLOAT8_E4M3FN) => convert::<Float8E4M3FN, F>(bits[0], round),
        Operation::Convert(Format::BFLOAT16) => convert::<BFloat, F>(bits[0], round),
        Operation::Convert(Format::BINARY16) => convert::<Half, F>(bits[0], round),
        Operation::Convert(Format::BINARY32) => convert::<Single, F>(bits[0], round),
        Operation::Convert(Format::BINARY64) => convert::<Double, F>(bits[0], round),
        Operation::Convert(Format::BINARY128) => convert::<Quad, F>(bits[0], round),
        Operation::SquareRoot | Operation::Convert(_) => no_such(question),
    };
    value.to_bits()
}

impl Peer for Apfloat {
    fn name(&self) -> &'static str {
        "rustc_apfloat 0.2.3"
    }

    fn has_format(&self, format: Format) -> bool {
        Apfloat::FORMATS.contains(&format)
    }

    fn has(&self, operation: Operation, format: Format) -> bool {
        operation != Operation::SquareRoot && self.has_format(format) && self.has_format(operation.source(format))
    }

    fn modes(&self, operation: Operation) -> &'static [RoundingMode] {
        match operation {
            Operation::Remainder => &[RoundingMode::TiesToEven],
            _ => RoundingMode::ALL,
        }
    }

    fn overflow(&self, format: Format) -> Overflow {
        if format.has_infinity() { Overflow::Ieee } else { Overflow::Nan }
    }

    fn knows_status(&self) -> bool {
        false
    }

    fn answer(&self, question: Question) -> Answer {
        let bits = match question.format {
            Format::FLOAT8_E5M2 => compute::<Float8E5M2>(question),
            Format::FLOAT8_E4M3FN => compute::<Float8E4M3FN>(question),
            Format::BFLOAT16 => compute::<BFloat>(question),
            Format::BINARY16 => compute::<Half>(question),
            Format::BINARY32 => compute::<Single>(question),
            Format::BINARY64 => compute::<Double>(question),
            Format::BINARY128 => compute::<Quad>(question),
            _ => no_such(question),
        };
        Answer { encoding: Encoding::from_bits(bits), status: None }
    }
}
