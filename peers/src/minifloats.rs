//! The crate `minifloat`: the small formats, ties to even.

use minifloat::{
    BF16, F4E2M1FN, F6E2M3FN, F6E3M2FN, F8E3M4, F8E4M3, F8E4M3B11FNUZ, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F16,
};
use roundproof_format::{Encoding, Format, RoundingMode};

use crate::{Answer, Operation, Peer, Question, no_such};

/// The peer. Formats without infinity saturate.
#[derive(Clone, Copy, Debug)]
pub struct Minifloats;

macro_rules! formats {
    ($($format:ident = $float:ident($bits:ty)),+ $(,)?) => {
        impl Minifloats {
            /// Its formats.
            pub const FORMATS: &[Format] = &[$(Format::$format),+];
        }

        fn compute(question: Question) -> u128 {
            match question.format {
                $(Format::$format => {
                    let [a, b, _] = question.operands.map(|operand| $float::from_bits(operand.bits() as $bits));
                    let value = match question.operation {
                        Operation::Add => a + b,
                        Operation::Subtract => a - b,
                        Operation::Multiply => a * b,
                        Operation::Divide => a / b,
                        Operation::Convert(from) => $float::from_f64(widen(from, question)),
                        _ => no_such(question),
                    };
                    u128::from(value.to_bits())
                })+
                _ => no_such(question),
            }
        }

        /// The operand in binary64, which has every value of these formats.
        fn widen(from: Format, question: Question) -> f64 {
            let bits = question.operands[0].bits();
            match from {
                $(Format::$format => $float::from_bits(bits as $bits).to_f64(),)+
                Format::BINARY32 => f32::from_bits(bits as u32).into(),
                Format::BINARY64 => f64::from_bits(bits as u64),
                _ => no_such(question),
            }
        }
    };
}

formats! {
    FLOAT4_E2M1FN = F4E2M1FN(u8),
    FLOAT6_E2M3FN = F6E2M3FN(u8),
    FLOAT6_E3M2FN = F6E3M2FN(u8),
    FLOAT8_E3M4 = F8E3M4(u8),
    FLOAT8_E4M3 = F8E4M3(u8),
    FLOAT8_E4M3FN = F8E4M3FN(u8),
    FLOAT8_E4M3FNUZ = F8E4M3FNUZ(u8),
    FLOAT8_E4M3B11FNUZ = F8E4M3B11FNUZ(u8),
    FLOAT8_E5M2 = F8E5M2(u8),
    FLOAT8_E5M2FNUZ = F8E5M2FNUZ(u8),
    BFLOAT16 = BF16(u16),
    BINARY16 = F16(u16),
}

impl Peer for Minifloats {
    fn name(&self) -> &'static str {
        "minifloat 0.3.1"
    }

    fn has_format(&self, format: Format) -> bool {
        Minifloats::FORMATS.contains(&format)
    }

    fn has(&self, operation: Operation, format: Format) -> bool {
        let offered = match operation {
            Operation::Add | Operation::Subtract | Operation::Multiply | Operation::Divide => true,
            Operation::Convert(from) => self.has_format(from) || matches!(from, Format::BINARY32 | Format::BINARY64),
            _ => false,
        };
        offered && self.has_format(format)
    }

    fn modes(&self, _: Operation) -> &'static [RoundingMode] {
        &[RoundingMode::TiesToEven]
    }

    fn knows_status(&self) -> bool {
        false
    }

    fn answer(&self, question: Question) -> Answer {
        Answer { encoding: Encoding::from_bits(compute(question)), status: None }
    }
}
