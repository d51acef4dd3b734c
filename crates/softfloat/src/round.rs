//! The one rounding: from an unpacked real to an encoding.

use roundproof_format::{RoundingMode, Status};

use crate::arithmetic::{Arithmetic, Faithful, Outcome};
use crate::real::Real;
use crate::word::Word;

/// A real cut off after the last bit of the format's significands: the neighbour toward zero, and what is known of the
/// rest.
pub struct Cut<W> {
    negative: bool,
    /// The encoding of the neighbour toward zero, without its sign. The next encoding is the next value. Past the
    /// largest finite value the result is an overflow, even where nothing was cut off.
    magnitude: W,
    /// Whether the significand of that neighbour is odd.
    odd: bool,
    rest: Rest,
    tininess: Tininess,
}

/// The part of a real below the last bit of a significand.
#[derive(Clone, Copy)]
struct Rest {
    /// At least half a unit in the last place.
    half: bool,
    /// Neither zero nor exactly half a unit in the last place.
    sticky: bool,
}

impl Rest {
    const BEYOND: Rest = Rest { half: true, sticky: true };

    #[inline]
    fn of<W: Word>(significand: W, precision: u32) -> Rest {
        let rest = significand << precision;
        Rest { half: rest >> (W::BITS - 1) != W::ZERO, sticky: rest << 1 != W::ZERO }
    }

    #[inline]
    fn is_zero(self) -> bool {
        !self.half && !self.sticky
    }

    /// Whether the neighbour away from zero is the one to deliver (IEEE 754-2019, clause 4.3).
    ///
    /// With p = 1 every normal significand is odd, and a tie goes to the larger magnitude, as clause 4.3.1 has it.
    #[inline]
    fn rounds_up(self, mode: RoundingMode, negative: bool, odd: bool) -> bool {
        match mode {
            RoundingMode::TiesToEven => self.half && (self.sticky || odd),
            RoundingMode::TiesToAway => self.half,
            RoundingMode::TowardPositive => !negative && !self.is_zero(),
            RoundingMode::TowardNegative => negative && !self.is_zero(),
            RoundingMode::TowardZero => false,
        }
    }
}

/// Whether a real is tiny after rounding: strictly between -2^emin and 2^emin when rounded as if the exponent were
/// unbounded (IEEE 754-2019, clause 7.5).
#[derive(Clone, Copy)]
enum Tininess {
    Normal,
    Tiny,
    /// All `p` leading bits are ones, just below 2^emin: tiny unless this rest rounds up.
    Unless(Rest),
}

/// How a result is chosen from the two neighbours of a real: an argument of every operation that rounds.
///
/// A [`RoundingMode`] chooses one, [`BothNeighbours`] delivers both. The trait is sealed.
pub trait Rounding: Choose {}

impl<C: Choose> Rounding for C {}

/// What an operation asks of its [`Rounding`].
pub trait Choose: Copy {
    /// What the operation delivers: an [`Outcome`], or both neighbours.
    type Output;

    /// A result that no direction changes.
    fn settled(self, outcome: Outcome) -> Self::Output;

    /// The exact zero that is the sum of operands of unlike signs (IEEE 754-2019, clause 6.3).
    fn cancelled(self, arithmetic: &Arithmetic) -> Self::Output;

    fn choose<W: Word>(self, arithmetic: &Arithmetic, cut: Cut<W>) -> Self::Output;
}

impl Choose for RoundingMode {
    type Output = Outcome;

    #[inline]
    fn settled(self, outcome: Outcome) -> Outcome {
        outcome
    }

    fn cancelled(self, arithmetic: &Arithmetic) -> Outcome {
        Outcome::exact(arithmetic.layout().zero(self == RoundingMode::TowardNegative))
    }

    #[inline]
    fn choose<W: Word>(self, arithmetic: &Arithmetic, cut: Cut<W>) -> Outcome {
        let up = cut.rest.rounds_up(self, cut.negative, cut.odd);
        let magnitude = cut.magnitude + W::from(up);
        if magnitude > W::from_encoding(arithmetic.layout().largest) {
            return arithmetic.beyond(cut.negative, Rest::BEYOND.rounds_up(self, cut.negative, true));
        }
        let tiny = match cut.tininess {
            Tininess::Normal => false,
            Tininess::Tiny => true,
            Tininess::Unless(rest) => !rest.rounds_up(self, cut.negative, true),
        };
        Outcome { encoding: arithmetic.layout().pack(cut.negative, magnitude.bits()), status: cut.status(tiny) }
    }
}

/// Rounding toward negative and toward positive at once: the faithful pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BothNeighbours;

impl Choose for BothNeighbours {
    type Output = Faithful;

    #[inline]
    fn settled(self, outcome: Outcome) -> Faithful {
        Faithful { below: outcome.encoding, above: outcome.encoding, status: outcome.status }
    }

    fn cancelled(self, arithmetic: &Arithmetic) -> Faithful {
        let zero = |negative| arithmetic.layout().zero(negative);
        Faithful { below: zero(true), above: zero(false), status: Status::NONE }
    }

    #[inline]
    fn choose<W: Word>(self, arithmetic: &Arithmetic, cut: Cut<W>) -> Faithful {
        let layout = arithmetic.layout();
        let largest = W::from_encoding(layout.largest);
        let away = cut.magnitude + W::from(!cut.rest.is_zero());
        let (inner, outer, status) = if away <= largest {
            let tiny = !matches!(cut.tininess, Tininess::Normal);
            let pack = |magnitude: W| layout.pack(cut.negative, magnitude.bits());
            (pack(cut.magnitude), pack(away), cut.status(tiny))
        } else {
            let outer = arithmetic.beyond(cut.negative, true);
            (layout.pack(cut.negative, layout.largest), outer.encoding, outer.status)
        };
        let (below, above) = if cut.negative { (outer, inner) } else { (inner, outer) };
        Faithful { below, above, status }
    }
}

impl<W: Word> Cut<W> {
    #[inline]
    fn status(&self, tiny: bool) -> Status {
        match (self.rest.is_zero(), tiny) {
            (true, _) => Status::NONE,
            (false, false) => Status::INEXACT,
            (false, true) => Status::INEXACT.union(Status::UNDERFLOW),
        }
    }
}

impl Arithmetic {
    /// Rounds a real into the format and packs it: the only place in this crate where a value is rounded.
    #[inline]
    pub(crate) fn round_pack<W: Word, R: Rounding>(&self, rounding: R, real: Real<W>) -> R::Output {
        let layout = self.layout();
        if real.exponent > layout.emax {
            return rounding.choose(self, self.cut_beyond::<W>(real.negative));
        }
        let shift = real.exponent - layout.emin;
        if shift < 0 {
            return self.round_pack_subnormal(rounding, real);
        }
        let kept = real.significand >> (W::BITS - layout.precision);
        // The leading bit of a normal significand carries into the exponent field.
        let magnitude = (W::from_encoding(shift as u128) << layout.trailing) + kept;
        let rest = Rest::of(real.significand, layout.precision);
        rounding.choose(
            self,
            Cut { negative: real.negative, magnitude, odd: kept.is_odd(), rest, tininess: Tininess::Normal },
        )
    }

    /// [`Arithmetic::round_pack`] for reals below `2^emin`, whose last place is that of `2^emin`.
    fn round_pack_subnormal<W: Word, R: Rounding>(&self, rounding: R, real: Real<W>) -> R::Output {
        let layout = self.layout();
        let distance = (layout.emin - real.exponent) as u64;
        if !layout.gradual {
            let least = layout.pack(real.negative, layout.least);
            return rounding.settled(Outcome { encoding: least, status: Status::UNDERFLOW | Status::INEXACT });
        }
        let shifted = real.significand.shift_right_jam(distance);
        let kept = shifted >> (W::BITS - layout.precision);
        let ones = (W::from(true) << layout.precision) - W::from(true);
        let tininess = if distance == 1 && real.significand >> (W::BITS - layout.precision) == ones {
            Tininess::Unless(Rest::of(real.significand, layout.precision))
        } else {
            Tininess::Tiny
        };
        let rest = Rest::of(shifted, layout.precision);
        rounding.choose(self, Cut { negative: real.negative, magnitude: kept, odd: kept.is_odd(), rest, tininess })
    }

    /// The cut of a real with an exponent above emax: the first encoding past the largest finite value.
    fn cut_beyond<W: Word>(&self, negative: bool) -> Cut<W> {
        let magnitude = W::from_encoding(self.layout().largest) + W::from(true);
        Cut { negative, magnitude, odd: false, rest: Rest::BEYOND, tininess: Tininess::Normal }
    }
}
