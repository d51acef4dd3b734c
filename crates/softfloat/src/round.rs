//! The one rounding: from an unpacked real to an encoding.

use std::hint::select_unpredictable;

use roundproof_format::{RoundingMode, Status};

use crate::arithmetic::{Arithmetic, Faithful, Outcome};
use crate::real::Real;
use crate::word::{Bits, Word};

/// A real cut off after the last bit of the format's significands: the neighbour toward zero, and what is known of the
/// rest.
#[derive(Clone, Copy)]
pub struct Cut<B> {
    negative: bool,
    /// The encoding of the neighbour toward zero, without its sign. The next encoding is the next value. Past the
    /// largest finite value the result is an overflow, even where nothing was cut off.
    magnitude: B,
    /// Whether the significand of that neighbour is odd.
    odd: bool,
    /// What was cut off, as a fraction of a unit in the last place: its binary point is left of the word.
    rest: B,
    /// For a real below `2^emin`: what lies below its `p` leading bits where these are all ones just below `2^emin`.
    /// Rounded as if the exponent were unbounded, it is tiny unless this rounds up (IEEE 754-2019, clause 7.5).
    tiny: Option<B>,
}

/// How a result is chosen from the two neighbours of a real: an argument of every operation that rounds.
///
/// A [`RoundingMode`] chooses one in its direction, [`ToOdd`] and [`Stochastic`] choose one by other rules, and
/// [`BothNeighbours`] delivers both. The trait is sealed.
pub trait Rounding: Choose {}

impl<C: Choose> Rounding for C {}

/// What an operation asks of its [`Rounding`].
pub trait Choose: Copy {
    /// What the operation delivers: an [`Outcome`], or both neighbours.
    type Output;

    /// Whether bits of the rest count beyond the first: a sticky bit must then lie below 64 of them.
    const WIDE: bool = false;

    /// A result that no direction changes.
    fn settled(self, outcome: Outcome) -> Self::Output;

    /// The same, by value: what a function that is not inlined delivers would else take all results through memory.
    #[inline(always)]
    fn apart(self, output: Self::Output) -> Self::Output {
        output
    }

    /// The exact zero that is the sum of operands of unlike signs (IEEE 754-2019, clause 6.3).
    fn cancelled(self, arithmetic: &Arithmetic) -> Self::Output;

    /// The result among the neighbours.
    fn choose<B: Bits>(self, arithmetic: &Arithmetic, cut: Cut<B>) -> Self::Output;
}

/// A choice of one neighbour: the one away from zero where what was cut off exceeds a threshold.
pub(crate) trait Threshold: Copy {
    const WIDE: bool = false;

    /// The largest rest, of a neighbour toward zero of this sign and parity, that is still dropped.
    fn threshold<B: Bits>(self, negative: bool, odd: bool) -> B;

    /// Whether the neighbour away from zero is chosen.
    #[inline(always)]
    fn is_away<B: Bits>(self, negative: bool, odd: bool, rest: B) -> bool {
        rest > self.threshold(negative, odd)
    }

    /// Whether a real beyond the largest finite value gives what the overflow policy names, and not that value.
    fn overflows(self, negative: bool) -> bool;
}

/// One half, as a rest.
#[inline(always)]
fn half<B: Bits>() -> B {
    B::from(true) << (B::BITS - 1)
}

/// All ones: the rest that no rest exceeds.
#[inline(always)]
fn most<B: Bits>() -> B {
    let half = half::<B>();
    half | (half - B::from(true))
}

impl Threshold for RoundingMode {
    /// With p = 1 every normal significand is odd, and a tie goes to the larger magnitude, as clause 4.3.1 has it.
    #[inline(always)]
    fn threshold<B: Bits>(self, negative: bool, odd: bool) -> B {
        // What the direction decides comes first: where it does not change, that is done once.
        let toward = |negative| match self {
            RoundingMode::TiesToEven => half::<B>(),
            RoundingMode::TiesToAway => half::<B>() - B::from(true),
            _ if self.overflows(negative) => B::ZERO,
            _ => most(),
        };
        let (positive, opposite) = (toward(false), toward(true));
        let even = self == RoundingMode::TiesToEven;
        let threshold = if negative { opposite } else { positive };
        select_unpredictable(odd & even, threshold.wrapping_sub(B::from(true)), threshold)
    }

    #[inline(always)]
    fn overflows(self, negative: bool) -> bool {
        let directed = if negative { RoundingMode::TowardNegative } else { RoundingMode::TowardPositive };
        self.is_nearest() | (self == directed)
    }
}

/// Rounding to odd: an exact result is delivered, of any other the neighbour whose significand is odd; beyond the
/// largest finite value, that value.
///
/// A result rounded to odd in a format with two bits more of precision rounds on, in any direction, as if it were exact
/// (Boldo and Melquiond, *Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd*, 2008).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ToOdd;

impl Threshold for ToOdd {
    #[inline(always)]
    fn threshold<B: Bits>(self, _: bool, odd: bool) -> B {
        if odd { most() } else { B::ZERO }
    }

    #[inline(always)]
    fn overflows(self, _: bool) -> bool {
        false
    }
}

/// Stochastic rounding by given random bits.
///
/// With `n` bits of value `r`, and the fraction `f` of a unit in the last place by which the real exceeds its neighbour
/// toward zero, the result is the neighbour away from zero iff `floor(f * 2^n) + r >= 2^n`: with uniform bits, with a
/// probability of `floor(f * 2^n) / 2^n`. Quotients and square roots of formats with `p > 60` are known to 128 bits: there
/// `n` beyond `127 - p` makes it no finer. An exact result is delivered as it is. A real of the largest exponent that
/// rounds beyond the largest finite value, and every real of a larger one, gives what the overflow policy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stochastic {
    bits: u64,
    count: u32,
}

impl Stochastic {
    /// Rounding by the lowest `count` bits of `bits`; none unless `count` is in `1..=64`.
    pub const fn new(bits: u64, count: u32) -> Option<Stochastic> {
        if count == 0 || count > 64 {
            return None;
        }
        Some(Stochastic { bits: bits & (u64::MAX >> (64 - count)), count })
    }
}

impl Threshold for Stochastic {
    const WIDE: bool = true;

    #[inline]
    fn threshold<B: Bits>(self, _: bool, _: bool) -> B {
        most::<B>() - (B::from_bits(self.bits.into()) << (B::BITS - self.count))
    }

    #[inline]
    fn overflows(self, _: bool) -> bool {
        true
    }
}

macro_rules! choose_by_threshold {
    ($($rounding:ty: $zero_is_negative:expr),+ $(,)?) => { $(
        impl Choose for $rounding {
            type Output = Outcome;
            const WIDE: bool = <$rounding as Threshold>::WIDE;

            #[inline(always)]
            fn settled(self, outcome: Outcome) -> Outcome {
                outcome
            }

            #[inline(always)]
    fn cancelled(self, arithmetic: &Arithmetic) -> Outcome {
                let negative: fn($rounding) -> bool = $zero_is_negative;
                Outcome::exact(arithmetic.layout().zero(negative(self)))
            }

            #[inline(always)]
            fn choose<B: Bits>(self, arithmetic: &Arithmetic, cut: Cut<B>) -> Outcome {
                choose(self, arithmetic, cut)
            }
        }
    )+ };
}

choose_by_threshold! {
    RoundingMode: |mode| mode == RoundingMode::TowardNegative,
    ToOdd: |_| false,
    Stochastic: |_| false,
}

#[inline(always)]
fn choose<T: Threshold, B: Bits>(rounding: T, arithmetic: &Arithmetic, cut: Cut<B>) -> Outcome {
    let magnitude = cut.magnitude + B::from(rounding.is_away(cut.negative, cut.odd, cut.rest));
    if magnitude > B::from_bits(arithmetic.layout().largest) {
        return arithmetic.beyond(cut.negative, rounding.overflows(cut.negative));
    }
    let tiny = cut.tiny.is_some_and(|rest| !rounding.is_away(cut.negative, true, rest));
    Outcome { encoding: arithmetic.layout().pack(cut.negative, magnitude.bits()), status: cut.status(tiny) }
}

/// Rounding toward negative and toward positive at once: the faithful pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BothNeighbours;

impl Choose for BothNeighbours {
    type Output = Faithful;

    #[inline(always)]
    fn settled(self, outcome: Outcome) -> Faithful {
        Faithful { below: outcome.encoding, above: outcome.encoding, status: outcome.status }
    }

    #[inline(always)]
    fn cancelled(self, arithmetic: &Arithmetic) -> Faithful {
        let zero = |negative| arithmetic.layout().zero(negative);
        Faithful { below: zero(true), above: zero(false), status: Status::NONE }
    }

    #[inline(always)]
    fn choose<B: Bits>(self, arithmetic: &Arithmetic, cut: Cut<B>) -> Faithful {
        let layout = arithmetic.layout();
        let away = cut.magnitude + B::from(cut.rest != B::ZERO);
        let (inner, outer, status) = if away <= B::from_bits(layout.largest) {
            let pack = |magnitude: B| layout.pack(cut.negative, magnitude.bits());
            (pack(cut.magnitude), pack(away), cut.status(cut.tiny.is_some()))
        } else {
            let outer = arithmetic.beyond(cut.negative, true);
            (layout.pack(cut.negative, layout.largest), outer.encoding, outer.status)
        };
        let (below, above) = if cut.negative { (outer, inner) } else { (inner, outer) };
        Faithful { below, above, status }
    }
}

impl<B: Bits> Cut<B> {
    #[inline(always)]
    fn status(&self, tiny: bool) -> Status {
        let inexact = self.rest != B::ZERO;
        Status::INEXACT.when(inexact).union(Status::UNDERFLOW.when(inexact & tiny))
    }
}

impl Arithmetic {
    /// Rounds a real into the format and packs it.
    #[inline(always)]
    pub(crate) fn round_pack<W: Word, R: Rounding>(&self, rounding: R, real: Real<W>) -> R::Output {
        if R::WIDE { self.round_real(rounding, real.widened()) } else { self.round_real(rounding, real) }
    }

    /// [`Arithmetic::round_pack`] in any integer.
    #[inline(always)]
    pub(crate) fn round_real<B: Bits, R: Rounding>(&self, rounding: R, real: Real<B>) -> R::Output {
        let field = real.exponent - self.layout().emin;
        if field < 0 {
            return self.round_below(rounding, real.negative, field, real.significand);
        }
        self.round_placed(rounding, real.negative, field, real.significand)
    }

    /// Rounds a non-zero real whose significand need not be normalized, and packs it.
    ///
    /// If its leading bit were at the top of the word, the real has the exponent `emin + field`.
    #[inline(always)]
    pub(crate) fn round_aligned<B: Bits, R: Rounding>(
        &self,
        rounding: R,
        negative: bool,
        field: i64,
        significand: B,
    ) -> R::Output {
        let shift = i64::from(significand.leading_zeros());
        if shift > field {
            return self.round_below(rounding, negative, field, significand);
        }
        self.round_placed(rounding, negative, field - shift, significand << shift as u32)
    }

    /// [`Arithmetic::round_aligned`] of a normal real: its significand has the leading bit at the top, `field` is not
    /// negative.
    #[inline(always)]
    pub(crate) fn round_placed<B: Bits, R: Rounding>(
        &self,
        rounding: R,
        negative: bool,
        field: i64,
        significand: B,
    ) -> R::Output {
        let layout = self.layout();
        // Past emax the field of emax + 1 is already past the largest finite value.
        let field = field.min(layout.emax + 1 - layout.emin);
        let kept = significand >> (B::BITS - layout.precision);
        // The leading bit of the significand carries into the exponent field.
        let magnitude = (B::from_bits(field as u128) << layout.trailing) + kept;
        let rest = significand << layout.precision;
        rounding.choose(self, Cut { negative, magnitude, odd: kept.is_odd(), rest, tiny: None })
    }

    /// [`Arithmetic::round_aligned`] of a real below `2^emin`, whose last place is that of `2^emin`.
    #[cold]
    #[inline(never)]
    pub(crate) fn round_below<B: Bits, R: Rounding>(
        &self,
        rounding: R,
        negative: bool,
        field: i64,
        significand: B,
    ) -> R::Output {
        let layout = self.layout();
        if !layout.gradual {
            return rounding.settled(self.least(negative));
        }
        let placed =
            if field < 0 { significand.shift_right_jam(field.unsigned_abs()) } else { significand << field as u32 };
        let magnitude = placed >> (B::BITS - layout.precision);
        let rest = placed << layout.precision;
        // All `p` leading bits are ones just below 2^emin.
        let ones = (B::from(true) << layout.precision) - B::from(true);
        let nearly_normal = placed >> (B::BITS - layout.precision - 1) == ones;
        let tiny = if nearly_normal { placed << (layout.precision + 1) } else { B::ZERO };
        rounding.choose(self, Cut { negative, magnitude, odd: magnitude.is_odd(), rest, tiny: Some(tiny) })
    }
}
