//! MPFR, through `rug`: any precision, four directions.
//!
//! MPFR rounds to `p` bits with exponents of 31 bits and says on which side of the exact value it came out. With that,
//! `mpfr_subnormalize` rounds once more below `emin`, as if once in all. The end of the range at `emax` is put on here,
//! by clause 7.4: a result that exceeds the largest finite value overflows. No encoding is rounded by own code.

use std::cmp::Ordering;

use rug::Float;
use rug::float::{Round, Special};
use rug::ops::AssignRound;

use roundproof_format::{Class, Encoding, Format, RoundingMode, Status};

use crate::{Answer, Operation, Peer, Question, no_such};

/// The peer. Its status is known where neither an operand nor the result is NaN: MPFR does not tell an invalid
/// operation from a NaN.
///
/// Where a format lacks the NaN or the infinity that MPFR gives, as 0 / 0 or 1 / 0, the answer is what this project has
/// in its place: +0, and the largest finite value, or +0 in `F(p)`.
#[derive(Clone, Copy, Debug)]
pub struct Mpfr;

const DIRECTED_AND_EVEN: &[RoundingMode] =
    &[RoundingMode::TiesToEven, RoundingMode::TowardPositive, RoundingMode::TowardNegative, RoundingMode::TowardZero];

fn direction(mode: RoundingMode) -> Round {
    match mode {
        // Ties to away are asked of roundings to integers alone, which are then values of the format.
        RoundingMode::TiesToEven | RoundingMode::TiesToAway => Round::Nearest,
        RoundingMode::TowardPositive => Round::Up,
        RoundingMode::TowardNegative => Round::Down,
        RoundingMode::TowardZero => Round::Zero,
    }
}

/// Bits of the significand and exponent fields of a finite encoding, as an integer times a power of two.
fn parts(format: Format, encoding: Encoding) -> (u128, i64) {
    let trailing = format.trailing_bits();
    let magnitude = encoding.bits() & ((1 << (format.width() - 1)) - 1);
    let (field, fraction) = (magnitude >> trailing, magnitude & ((1 << trailing) - 1));
    let unit = |field: u128| field as i64 - format.bias() - i64::from(trailing);
    if field == 0 && format.is_bounded() { (fraction, unit(1)) } else { (fraction | 1 << trailing, unit(field)) }
}

/// The value of an encoding, exactly.
fn float(format: Format, encoding: Encoding) -> Float {
    let precision = format.precision();
    let negative = format.is_sign_minus(encoding);
    match format.class(encoding) {
        Class::Nan | Class::Invalid => Float::with_val(precision, Special::Nan),
        Class::Infinite if negative => Float::with_val(precision, Special::NegInfinity),
        Class::Infinite => Float::with_val(precision, Special::Infinity),
        Class::Zero if negative => Float::with_val(precision, Special::NegZero),
        Class::Zero => Float::new(precision),
        Class::Subnormal | Class::Normal => {
            let (significand, exponent) = parts(format, encoding);
            let value = Float::with_val(precision, significand) << exponent as i32;
            if negative { -value } else { value }
        }
    }
}

/// The encoding of a finite value of the format that is not zero.
fn encoding(format: Format, value: &Float) -> Encoding {
    let trailing = format.trailing_bits();
    let (integer, exponent) = value.to_integer_exp().expect("a finite value");
    let negative = value.is_sign_negative();
    let significand = integer.abs().to_u128().expect("at most 113 bits");
    let leading = i64::from(exponent) + i64::from(significand.ilog2());
    let least = format.emin().map_or(leading, i64::from);
    let unit = leading.max(least) - i64::from(trailing);
    let (odd, zeros) = (significand >> significand.trailing_zeros(), i64::from(significand.trailing_zeros()));
    let fraction = odd << (i64::from(exponent) + zeros - unit);
    let magnitude = if leading < least {
        fraction
    } else {
        (((leading + format.bias()) as u128) << trailing) + (fraction - (1 << trailing))
    };
    Encoding::from_bits(u128::from(negative) << (format.width() - 1) | magnitude)
}

fn zero(format: Format, negative: bool) -> Encoding {
    format.negative_zero().filter(|_| negative).unwrap_or(format.zero())
}

fn inexact(side: Ordering) -> Status {
    if side == Ordering::Equal { Status::NONE } else { Status::INEXACT }
}

/// A result of precision `p` and on which side of the exact one it is, in the range of the format.
fn ranged(Question { format, operation, mode, .. }: Question, mut value: Float, side: Ordering) -> Answer {
    let settled = |encoding| Answer { encoding, status: Some(Status::NONE) };
    if value.is_nan() {
        return Answer { encoding: format.nan().unwrap_or(format.zero()), status: None };
    }
    if value.is_infinite() {
        let negative = value.is_sign_negative();
        return settled(format.infinity(negative).or(format.largest(negative)).unwrap_or(format.zero()));
    }
    if value.is_zero() {
        // Inexact where a rounding to an integer made it.
        let encoding = zero(format, value.is_sign_negative());
        return Answer { encoding, status: Some(inexact(side)) };
    }
    let negative = value.is_sign_negative();
    if let (Some(largest), Some(emin)) = (format.largest(false), format.emin()) {
        if value.cmp_abs(&float(format, largest)) == Some(Ordering::Greater) {
            return Answer {
                encoding: beyond(format, mode, negative),
                status: Some(Status::OVERFLOW | Status::INEXACT),
            };
        }
        // MPFR's significands are in [1/2, 1).
        // A rounding to an integer raises inexact and nothing else, even where 1 is subnormal.
        let tiny =
            operation != Operation::RoundToIntegral && value.get_exp().is_some_and(|exponent| exponent < emin + 1);
        let side = value.subnormalize_round(emin + 1, side, direction(mode));
        let encoding = if value.is_zero() { zero(format, negative) } else { encoding(format, &value) };
        let underflow = if tiny && side != Ordering::Equal { Status::UNDERFLOW } else { Status::NONE };
        return Answer { encoding, status: Some(inexact(side) | underflow) };
    }
    Answer { encoding: encoding(format, &value), status: Some(inexact(side)) }
}

/// What IEEE 754-2019, clause 7.4, gives beyond the largest finite value; the largest finite value without infinities.
fn beyond(format: Format, mode: RoundingMode, negative: bool) -> Encoding {
    let away = match mode {
        RoundingMode::TiesToEven | RoundingMode::TiesToAway => true,
        RoundingMode::TowardPositive => !negative,
        RoundingMode::TowardNegative => negative,
        RoundingMode::TowardZero => false,
    };
    let largest = format.largest(negative).expect("a bounded format");
    if away { format.infinity(negative).unwrap_or(largest) } else { largest }
}

fn round_to_integral(mode: RoundingMode, a: &Float) -> (Float, Ordering) {
    let precision = a.prec();
    // No integer between two values of the precision: each of these is exact, and `prec` bits hold the result.
    let result = match mode {
        RoundingMode::TiesToEven => Float::with_val(precision, a.round_even_ref()),
        RoundingMode::TiesToAway => Float::with_val(precision, a.round_ref()),
        RoundingMode::TowardPositive => Float::with_val(precision, a.ceil_ref()),
        RoundingMode::TowardNegative => Float::with_val(precision, a.floor_ref()),
        RoundingMode::TowardZero => Float::with_val(precision, a.trunc_ref()),
    };
    let side = result.partial_cmp(a).unwrap_or(Ordering::Equal);
    (result, side)
}

impl Peer for Mpfr {
    fn name(&self) -> &'static str {
        "MPFR, rug 1.30"
    }

    fn has_format(&self, _: Format) -> bool {
        true
    }

    /// Conversions of what the destination lacks are nobody's but ours.
    fn has(&self, operation: Operation, format: Format) -> bool {
        let from = operation.source(format);
        (format.has_nan() || !from.has_nan()) && (format.has_infinity() || !from.has_infinity())
    }

    fn modes(&self, operation: Operation) -> &'static [RoundingMode] {
        match operation {
            Operation::RoundToIntegral => RoundingMode::ALL,
            Operation::Remainder => &[RoundingMode::TiesToEven],
            _ => DIRECTED_AND_EVEN,
        }
    }

    fn knows_status(&self) -> bool {
        true
    }

    fn answer(&self, question: Question) -> Answer {
        let Question { format, operation, mode, operands } = question;
        let source = operation.source(format);
        let [a, b, c] = operands.map(|operand| float(source, operand));
        if operation == Operation::RoundToIntegral {
            let (value, side) = round_to_integral(mode, &a);
            return ranged(question, value, side);
        }
        let (mut value, round) = (Float::new(format.precision()), direction(mode));
        let side = match operation {
            Operation::Add => value.assign_round(&a + &b, round),
            Operation::Subtract => value.assign_round(&a - &b, round),
            Operation::Multiply => value.assign_round(&a * &b, round),
            Operation::Divide => value.assign_round(&a / &b, round),
            Operation::SquareRoot => value.assign_round(a.sqrt_ref(), round),
            Operation::FusedMultiplyAdd => value.assign_round(a.mul_add_ref(&b, &c), round),
            Operation::Remainder => value.assign_round(a.remainder_ref(&b), round),
            Operation::Convert(_) => value.assign_round(&a, round),
            Operation::RoundToIntegral => no_such(question),
        };
        let mut answer = ranged(question, value, side);
        if operands[..operation.arity()].iter().any(|&operand| source.is_nan(operand)) {
            answer.status = None;
        }
        if operation == Operation::Divide && b.is_zero() && !a.is_zero() && a.is_finite() {
            answer.status = Some(Status::DIVIDE_BY_ZERO);
        }
        answer
    }
}
