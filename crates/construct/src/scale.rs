//! The scale `K`, penalty `W` and number of copies for a side of a ReLU box.

use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_softfloat::{Arithmetic, Unpacked, decode, encode, negate, power_of_two};

/// The units of a side of a ReLU box, as numbers: `copies` of them, `ReLU(bias + weight * x)`, each with `-penalty` in layer 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Units {
    pub weight: Encoding,
    pub bias: Encoding,
    pub penalty: Encoding,
    pub copies: u32,
}

/// The side that is silent from `value` on and fires from `neighbour` on, the value below it; of an upper side, both
/// are mirrored. None if the format has no scale and penalty for it.
pub(crate) fn units(format: Format, upper: bool, value: Encoding, neighbour: Encoding) -> Option<Units> {
    // Differences of neighbours are exact (R3): the policy never acts.
    let exact = Arithmetic::new(format, Overflow::Saturate).expect("every format saturates");
    let gap = exact.subtract(RoundingMode::TowardZero, value, neighbour).encoding;
    let chosen = choose(format, value, neighbour, floor_exponent(format, gap)?)?;
    let bias = scaled(format, value, chosen.scale)?;
    let (weight, penalty) = (power_of_two(format, chosen.scale)?, power_of_two(format, chosen.penalty)?);
    let weight = if upper { weight } else { negate(format, weight) };
    Some(Units { weight, bias, penalty, copies: chosen.copies })
}

/// How the side of a box is built: `copies` units `ReLU(2^scale * (a - x'))`, each with the weight `-2^penalty`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scale {
    pub scale: i64,
    pub penalty: i64,
    pub copies: u32,
}

/// The binary logarithm of the most copies of a unit.
const MAX_WEAKNESS: i64 = 12;

/// The smallest scale, then the smallest penalty of at least 1, with `W * K * gap >= 1`; else the least number of copies
/// of the strongest unit. None if the format is too narrow for either.
///
/// `threshold` is `a`, `neighbour` the value next to it on the side where the unit fires, `gap` the binary exponent of
/// (at most) their distance. `K` keeps both within the format unless it is 1.
fn choose(format: Format, threshold: Encoding, neighbour: Encoding, gap: i64) -> Option<Scale> {
    let Some(emax) = format.emax().map(i64::from) else {
        return Some(Scale { scale: 0, penalty: (-gap).max(0), copies: 1 });
    };
    let allowed = |k: i64| {
        k == 0
            || (power_of_two(format, k).is_some()
                && [threshold, neighbour].iter().all(|&value| scaled(format, value, k).is_some()))
    };
    let most_penalty = (0..=emax).rev().find(|&w| power_of_two(format, w).is_some())?;
    let needed = (-gap - most_penalty).max(0);
    if needed <= emax && allowed(needed) {
        return Some(Scale { scale: needed, penalty: (-gap - needed).max(0), copies: 1 });
    }
    let scale = (0..=emax).rev().find(|&k| allowed(k))?;
    let weakness = -(most_penalty + scale + gap);
    let precision = i64::from(format.precision());
    let within = weakness <= precision.min(MAX_WEAKNESS) && power_of_two(format, -weakness).is_some();
    within.then(|| Scale { scale, penalty: most_penalty, copies: 1 << weakness })
}

/// `2^k` times a value, if that is a value of the format.
pub(crate) fn scaled(format: Format, value: Encoding, k: i64) -> Option<Encoding> {
    match decode(format, value) {
        Unpacked::Zero { .. } => Some(value),
        Unpacked::Finite { negative, significand, exponent } => encode(format, negative, significand, exponent + k),
        _ => None,
    }
}

/// The exponent of the largest power of two that is at most a positive value.
pub(crate) fn floor_exponent(format: Format, value: Encoding) -> Option<i64> {
    match decode(format, value) {
        Unpacked::Finite { negative: false, significand, exponent } => Some(exponent + i64::from(significand.ilog2())),
        _ => None,
    }
}
