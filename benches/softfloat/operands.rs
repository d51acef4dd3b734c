//! Operands from several distributions.

use roundproof_softfloat::Standard;

/// Where operands come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Encodings with uniform bits: a quarter to a half of the products leave the range, some operands are special.
    Uniform,
    /// Exponents within four of that of 1, random significands and signs.
    Normal,
    /// The second operand is minus the first, but for the three lowest bits.
    Cancelling,
    /// Subnormal operands; the second, and every other third, is normal and near 1.
    Subnormal,
}

impl Distribution {
    pub const ALL: [Distribution; 4] =
        [Distribution::Uniform, Distribution::Normal, Distribution::Cancelling, Distribution::Subnormal];

    pub fn name(self) -> &'static str {
        match self {
            Distribution::Uniform => "uniform",
            Distribution::Normal => "normal",
            Distribution::Cancelling => "cancelling",
            Distribution::Subnormal => "subnormal",
        }
    }
}

/// Too many for a branch predictor to learn by heart.
pub const COUNT: usize = 4096;

/// Triples of encodings, the same at every run.
pub fn triples<S: Standard>(distribution: Distribution) -> Vec<[u128; 3]> {
    let format = S::FORMAT;
    let (trailing, width) = (format.trailing_bits(), format.width());
    let sign = 1u128 << (width - 1);
    let one = format.one(false).bits() >> trailing;
    let mut state: u128 = 1;
    let mut half = || {
        state = state.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state >> 64
    };
    let mut next = || if width > 64 { half() << 64 | half() } else { half() };
    let mut datum = |low: u128, span: u128| {
        let (bits, field) = (next(), low + next() % span);
        bits & (sign | ((1 << trailing) - 1)) | field << trailing
    };
    let triple = |index: usize| match distribution {
        Distribution::Uniform => [0; 3].map(|_: u8| datum(0, 1 << format.exponent_bits())),
        Distribution::Normal => [0; 3].map(|_: u8| datum(one - 4, 8)),
        Distribution::Cancelling => {
            let a = datum(one - 4, 8);
            [a, a ^ sign ^ (datum(0, 1) & 7), datum(one - 4, 8)]
        }
        Distribution::Subnormal => {
            let third = if index.is_multiple_of(2) { 0 } else { one };
            [datum(0, 1) | 1, datum(one - 1, 2), datum(third, 1) | 1]
        }
    };
    (0..COUNT).map(triple).collect()
}

/// A start near 1 and operands that keep a chain of the operation near it.
pub fn chain<S: Standard>(adds: bool) -> (u128, [u128; 2]) {
    let format = S::FORMAT;
    let one = format.one(false).bits();
    let half = one - (1 << format.trailing_bits());
    let sign = 1u128 << (format.width() - 1);
    if adds { (one + 1, [half + 3, sign | (half + 3)]) } else { (one + 5, [one + 2, one - 4]) }
}
