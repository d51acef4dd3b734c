//! Tensors of intervals in fixed point: integers times one power of two for each tensor, rounded outward.
//!
//! Ends have at most [`BITS`] bits. A weight has as many, or fewer where so many products are added that their sum would leave 126 bits:
//! see [`weight_bits`]. So that no sum of products overflows, whatever the model; what does not fit into so many bits becomes
//! the interval between its neighbours, and the loss is the bound's.

use roundproof_exact::{Parts, parts};
use roundproof_format::Format;
use roundproof_network::Encodings;

/// Bits of the ends of intervals.
pub(crate) const BITS: u32 = 56;

/// Intervals `[low, high] 2^unit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub unit: i32,
    pub low: Vec<i64>,
    pub high: Vec<i64>,
}

/// A number between two of one sign: `+-[low, high] 2^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Magnitude {
    pub negative: bool,
    pub low: u128,
    pub high: u128,
    pub exponent: i32,
}

/// What divides every value of a tensor, and how long their significands are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exactness {
    /// Every value is a multiple of `2^grid`.
    pub grid: i32,
    /// Every value is an integer of at most so many bits times a power of two.
    pub bits: u32,
}

/// `center +- radius`, in units of `2^unit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Centered {
    pub unit: i32,
    pub center: Vec<i64>,
    /// None where every one is zero.
    pub radius: Option<Vec<i64>>,
}

/// The grid of zeros: a multiple of every power that occurs.
pub(crate) const ZERO_GRID: i32 = 1 << 24;

/// The most bits of weights of sums with so many leaves. The magnitudes of a leaf are at most `2^(BITS + 1)`, those of a weight
/// `2^(bits + 1)`, in half units; twice the sum of the leaves has to stay below `2^126`.
pub(crate) fn weight_bits(leaves: usize) -> u32 {
    let log = usize::BITS - leaves.leading_zeros();
    (126 - 1 - (BITS + 1) - 1).saturating_sub(log).min(BITS)
}

impl Fixed {
    /// The values of a constant or an input. Each is there exactly, if all of them fit into `bits` bits; none unless all are finite.
    pub fn of(format: Format, values: &Encodings, bits: u32) -> Option<(Fixed, Exactness)> {
        let mut all = Vec::with_capacity(values.len());
        let mut exactness = Exactness { grid: ZERO_GRID, bits: 0 };
        for value in values.iter() {
            let Parts { negative, significand, exponent } = parts(format, value)?;
            if significand == 0 {
                all.push(Magnitude { negative, low: 0, high: 0, exponent: 0 });
                continue;
            }
            let trailing = significand.trailing_zeros();
            let (significand, exponent) = (significand >> trailing, i32::try_from(exponent).ok()? + trailing as i32);
            exactness.grid = exactness.grid.min(exponent);
            exactness.bits = exactness.bits.max(significand.ilog2() + 1);
            all.push(Magnitude { negative, low: significand, high: significand, exponent });
        }
        Some((Fixed::align(&all, bits)?, exactness))
    }

    /// Intervals in one unit: the least one of them all, if the ends then have at most `bits` bits.
    pub fn align(all: &[Magnitude], bits: u32) -> Option<Fixed> {
        let present = || all.iter().filter(|magnitude| magnitude.high != 0);
        let least = present().map(|magnitude| magnitude.exponent).min().unwrap_or(0);
        let top = present().map(|magnitude| magnitude.exponent + magnitude.high.ilog2() as i32 + 1).max().unwrap_or(0);
        let unit = least.max(top - bits as i32);
        let mut fixed = Fixed { unit, low: Vec::with_capacity(all.len()), high: Vec::with_capacity(all.len()) };
        for &Magnitude { negative, low, high, exponent } in all {
            // Rounded down, and whether anything was cut off.
            let floor = |end: u128| match exponent - unit {
                _ if end == 0 => (0, false),
                up @ 0.. => (end << up, false),
                down => {
                    let by = down.unsigned_abs();
                    if by >= 128 { (0, true) } else { (end >> by, end.trailing_zeros() < by) }
                }
            };
            let (above, cut) = floor(high);
            let (low, high) = (i64::try_from(floor(low).0).ok()?, i64::try_from(above).ok()? + i64::from(cut));
            let (low, high) = if negative { (-high, -low) } else { (low, high) };
            fixed.low.push(low);
            fixed.high.push(high);
        }
        Some(fixed)
    }

    /// Intervals of wide ends, cut down to [`BITS`].
    pub fn narrow(unit: i32, low: &[i128], high: &[i128]) -> Fixed {
        let shift = excess(low.iter().chain(high), BITS);
        let narrow = |end: i128| i64::try_from(end).unwrap_or(if end < 0 { i64::MIN } else { i64::MAX });
        Fixed {
            unit: unit + shift as i32,
            low: low.iter().map(|&end| narrow(end >> shift)).collect(),
            high: high.iter().map(|&end| narrow(ceiling(end, shift))).collect(),
        }
    }

    /// The largest of their units, but for tensors of zeros, which are there in any.
    pub fn common_unit<'a>(all: impl Iterator<Item = &'a Fixed>) -> i32 {
        all.filter(|fixed| fixed.largest() != 0).map(|fixed| fixed.unit).max().unwrap_or(0)
    }

    /// The same intervals, and perhaps more, in larger units; zeros in any.
    pub fn coarser(&self, unit: i32) -> Fixed {
        if self.largest() == 0 {
            return Fixed { unit, ..self.clone() };
        }
        let shift = u32::try_from(unit - self.unit).unwrap_or(0).min(63);
        Fixed {
            unit: self.unit + shift as i32,
            low: self.low.iter().map(|&end| end >> shift).collect(),
            high: self.high.iter().map(|&end| -((-end) >> shift)).collect(),
        }
    }

    /// As centers and radii, in half units.
    pub fn centered(&self) -> Centered {
        let ends = || self.low.iter().zip(&self.high);
        let radius = ends().any(|(low, high)| low != high);
        Centered {
            unit: self.unit - 1,
            center: ends().map(|(low, high)| low + high).collect(),
            radius: radius.then(|| ends().map(|(low, high)| high - low).collect()),
        }
    }

    /// As weights: in whole units, if they are single values.
    pub fn weights(&self) -> Centered {
        if self.low == self.high {
            return Centered { unit: self.unit, center: self.low.clone(), radius: None };
        }
        self.centered()
    }

    /// Each interval, larger by `2^-bits` of its larger magnitude on both sides, and perhaps more.
    pub fn loosened(&self, bits: u32) -> Fixed {
        let by = |low: i64, high: i64| ((low.unsigned_abs().max(high.unsigned_abs()) >> bits) + 1) as i64;
        let ends = || self.low.iter().zip(&self.high);
        let zero = |low: i64, high: i64| low == 0 && high == 0;
        let low = ends().map(|(&low, &high)| if zero(low, high) { 0 } else { low - by(low, high) }).collect();
        let high = ends().map(|(&low, &high)| if zero(low, high) { 0 } else { high + by(low, high) }).collect();
        Fixed { unit: self.unit, low, high }
    }

    /// With zero in each interval that has a value of less than `2^exponent` in magnitude in it.
    pub fn flush(&mut self, exponent: i32) {
        let limit = match exponent - self.unit {
            by @ 0..=62 => 1i64 << by,
            ..0 => 1,
            63.. => i64::MAX,
        };
        for (low, high) in self.low.iter_mut().zip(&mut self.high) {
            if *low > 0 && *low < limit {
                *low = 0;
            }
            if *high < 0 && *high > -limit {
                *high = 0;
            }
        }
    }

    /// The exponent of a power of two above all ends.
    pub fn top(&self) -> i32 {
        self.unit + (u64::BITS - self.largest().leading_zeros()) as i32
    }

    /// The largest magnitude.
    pub fn largest(&self) -> u64 {
        self.low.iter().chain(&self.high).map(|end| end.unsigned_abs()).max().unwrap_or(0)
    }
}

impl Centered {
    /// Weights times factors, `channel` of each weight: every product of one within and a factor within, and a little more.
    pub fn multiplied(&self, factors: &Fixed, channel: impl Fn(usize) -> usize) -> Centered {
        let (mut low, mut high) = (Vec::new(), Vec::new());
        for (index, &center) in self.center.iter().enumerate() {
            let radius = self.radius.as_ref().map_or(0, |radius| radius[index]);
            let ends = [center - radius, center + radius].map(i128::from);
            let by = [factors.low[channel(index)], factors.high[channel(index)]].map(i128::from);
            let all = [ends[0] * by[0], ends[0] * by[1], ends[1] * by[0], ends[1] * by[1]];
            low.push(all.into_iter().fold(all[0], i128::min));
            high.push(all.into_iter().fold(all[0], i128::max));
        }
        let Fixed { unit, low, high } = Fixed::narrow(self.unit + factors.unit, &low, &high);
        // The product of the two middles is less than two units from the middle of these.
        let zero = |low: i64, high: i64| low == 0 && high == 0;
        let wider = |add: i64| {
            move |(&low, &high): (&i64, &i64)| {
                if zero(low, high) { 0 } else { (if add < 0 { low } else { high }) + add }
            }
        };
        let ends = || low.iter().zip(&high);
        Fixed { unit, low: ends().map(wider(-2)).collect(), high: ends().map(wider(2)).collect() }.centered()
    }
}

/// By how many bits the longest of these has to be shifted to have `bits` bits.
pub(crate) fn excess<'a>(values: impl Iterator<Item = &'a i128>, bits: u32) -> u32 {
    let longest = values.map(|value| u128::BITS - value.unsigned_abs().leading_zeros()).max().unwrap_or(0);
    longest.saturating_sub(bits)
}

/// `value / 2^shift`, rounded up.
pub(crate) fn ceiling(value: i128, shift: u32) -> i128 {
    -((-value) >> shift)
}

#[cfg(test)]
mod tests {
    use roundproof_exact::{Rational, power_of_two, real};
    use roundproof_format::Encoding;

    use super::*;

    #[test]
    fn values_lie_within() {
        let format = Format::BINARY32;
        // From the least subnormal to the largest value: not all of them fit.
        let bits = [0, 1, 0x8000_0003, 0x3f80_0001, 0xc2f6_e979, 0x7f7f_ffff];
        let values = Encodings::collect(format, bits.map(Encoding::from_bits));
        for width in [8, 30, 56] {
            let (fixed, exactness) = Fixed::of(format, &values, width).expect("finite");
            assert_eq!(exactness, Exactness { grid: -149, bits: 24 });
            assert!(fixed.largest() <= 1 << width);
            let unit = power_of_two(fixed.unit.into());
            for (index, value) in values.iter().enumerate() {
                let value = real(format, value).expect("finite");
                assert!(Rational::from(fixed.low[index]) * &unit <= value);
                assert!(Rational::from(fixed.high[index]) * &unit >= value);
                assert!(fixed.high[index] - fixed.low[index] <= 1);
            }
        }
        let single = Encodings::collect(format, [0x4040_0000, 0xbf80_0000].map(Encoding::from_bits));
        let (fixed, exactness) = Fixed::of(format, &single, 56).expect("finite");
        assert_eq!((fixed.unit, &fixed.low[..], exactness.bits), (0, &[3, -1][..], 2));
        assert_eq!(fixed.low, fixed.high);
        assert!(Fixed::of(format, &Encodings::collect(format, [Encoding::from_bits(0x7f80_0000)]), 56).is_none());
    }

    #[test]
    fn what_is_cut_off_is_rounded_outward() {
        let fixed = Fixed::narrow(-100, &[-(1 << 100) - 1, 5, -1], &[1 << 99, 5, -1]);
        assert_eq!(fixed.unit, -100 + 45);
        assert_eq!(fixed.low, [-(1 << 55) - 1, 0, -1]);
        assert_eq!(fixed.high, [1 << 54, 1, 0]);
        let coarse = fixed.coarser(-50);
        assert_eq!((coarse.low[0], coarse.high[1], coarse.low[2]), (-(1 << 50) - 1, 1, -1));
    }

    #[test]
    fn flushing_takes_zero_in() {
        let mut fixed = Fixed { unit: -3, low: vec![1, 2, -3, -1, -1], high: vec![5, 2, -2, -1, 1] };
        fixed.flush(-2);
        assert_eq!(fixed, Fixed { unit: -3, low: vec![0, 2, -3, -1, -1], high: vec![5, 2, -2, 0, 1] });
    }

    #[test]
    fn sums_of_products_stay_within_their_bits() {
        for leaves in [1, 2, 1 << 10, 1 << 20, 1 << 28] {
            let bits = weight_bits(leaves);
            assert!(bits >= 36);
            let most = (leaves as u128) << (BITS + 1 + bits + 1 + 1);
            assert!(most < 1 << 126, "{leaves}");
        }
    }
}
