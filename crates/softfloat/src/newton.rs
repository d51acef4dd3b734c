//! Reciprocals and square roots, a little below the exact ones: from a table, improved by Newton's iteration.
//!
//! Words are fractions of `2^BITS` here, and reciprocals are in units of `2^-(BITS/2 - 1)`, which leaves half a word for
//! them. All products but squares of roots are of two halves. What is cut off makes results smaller, not larger; the
//! tests measure how much, and those who use a result correct it by an exact remainder.

use crate::word::Word;

/// A chord of a decreasing convex function, moved below it: its value at the left end of an interval, in units of
/// `2^-31`, and by how much it falls to the right end.
#[derive(Clone, Copy)]
struct Chord {
    start: u32,
    fall: u32,
}

impl Chord {
    /// The chord through the values at both ends, moved down by its distance from the function in the middle and by four
    /// units, more than roundings and its distance elsewhere take.
    const fn below(left: u128, middle: u128, right: u128) -> Chord {
        Chord { start: (middle + (left - right) / 2 - 4) as u32, fall: (left - right) as u32 }
    }

    /// At the next multiple of `2^-16` of the interval.
    #[inline(always)]
    fn at<W: Word>(self, place: u64) -> W {
        let fall = (u64::from(self.fall) * (place + 1)) >> 16;
        W::from_bits((u64::from(self.start) - fall).into()) << (W::BITS / 2 - 32)
    }
}

/// `1 / x` for `x = (256 + index) / 512`: relative errors are below `2^-17`.
const RECIPROCALS: [Chord; 256] = {
    let mut chords = [Chord { start: 0, fall: 0 }; 256];
    let mut index = 0;
    while index < 256 {
        let x = 256 + index as u128;
        chords[index] = Chord::below((1 << 40) / x, (1 << 41) / (2 * x + 1), (1 << 40) / (x + 1));
        index += 1;
    }
    chords
};

/// `1 / sqrt(x)` for `x = index / 256`, from `x = 1/4`: relative errors are below `2^-15`.
const ROOTS: [Chord; 256] = {
    let mut chords = [Chord { start: 0, fall: 0 }; 256];
    let mut index = 64;
    while index < 256 {
        let x = index as u128;
        let [left, middle, right] = [(1 << 70) / x, (1 << 71) / (2 * x + 1), (1 << 70) / (x + 1)];
        chords[index] = Chord::below(left.isqrt(), middle.isqrt(), right.isqrt());
        index += 1;
    }
    chords
};

/// The reciprocal of a divisor whose leading bit is at the top, too small by less than 16 units.
#[inline(always)]
pub(crate) fn reciprocal<W: Word>(divisor: W) -> W {
    let half = W::BITS / 2;
    let (upper, first) = (divisor >> half, (divisor >> (W::BITS - 25)).bits() as u64);
    let mut reciprocal: W = RECIPROCALS[(first >> 16) as usize & 255].at(first & 0xffff);
    let mut correct = 17;
    while correct < half {
        // A step, r + r (1 - d r), makes a relative error its square.
        let error = (W::from(true) << (W::BITS - 1)) - upper.half_product(reciprocal);
        reciprocal = reciprocal + ((error >> (half - 16)).half_product(reciprocal) >> (half + 15));
        correct *= 2;
    }
    // The reciprocal of the upper half alone is larger, by two units at most.
    reciprocal - W::from_bits(2)
}

/// The square root of `x >= 1/4`, too small by less than `2^-bits`, for `bits <= 54` in words of 64 bits and
/// `bits <= 114` in those of 128.
#[inline(always)]
pub(crate) fn root<W: Word>(x: W, bits: u32) -> W {
    let half = W::BITS / 2;
    let (upper, first) = (x >> half, (x >> (W::BITS - 24)).bits() as u64);
    let mut reciprocal: W = ROOTS[(first >> 16) as usize & 255].at(first & 0xffff);
    let mut correct = 15;
    while 2 * correct < bits + 2 {
        // A step, r + r (1 - x r^2) / 2, makes a relative error e one of 3/2 e^2.
        let square = (reciprocal.half_product(reciprocal) >> half) + W::from(true);
        let product = (square.half_product(upper) >> half) + W::from(true);
        reciprocal = reciprocal.half_product((W::from_bits(3) << (half - 2)) - product) >> (half - 1);
        correct *= 2;
    }
    // That of the upper half alone is larger, by two units at most.
    reciprocal = reciprocal - W::from_bits(2);
    let root = upper.half_product(reciprocal) >> (half - 1);
    if bits + 2 <= correct {
        return root << half;
    }
    // A step, s + r (x - s^2) / 2, makes relative errors d of the root and e of its reciprocal one of d (e + d / 2).
    let rest = x - root.half_product(root);
    let scale = half + 4 - correct;
    (root << half) + ((rest >> scale).half_product(reciprocal) >> (half - scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ends of every interval of a table of 256, places within, and what follows of them in a longer word.
    fn words<W: Word>(from: u64) -> impl Iterator<Item = W> {
        let places = |first| (0..129u64).map(move |place| first << 56 | place << 49 | (place * 0x3_1415_9265));
        let last = |first| [first << 56 | (u64::MAX >> 8)];
        (from..256).flat_map(move |first| places(first).chain(last(first))).flat_map(|word: u64| {
            let upper = W::from_bits(word.into()) << (W::BITS - 64);
            let ones = W::from_bits(u128::MAX >> 64 >> (128 - W::BITS));
            [upper, upper | W::from(true), upper | if W::BITS == 64 { W::ZERO } else { ones }]
        })
    }

    fn reciprocals<W: Word + std::fmt::Debug>() {
        let one = (W::from(true) << (W::BITS / 2 - 1), W::ZERO);
        for divisor in words::<W>(128) {
            let reciprocal = reciprocal(divisor);
            assert!(reciprocal.product(divisor) <= one, "of {divisor:x?} is {reciprocal:x?}, and too large");
            let next = reciprocal + W::from_bits(16);
            assert!(next.product(divisor) > one, "of {divisor:x?} is {reciprocal:x?}, and too small");
        }
    }

    #[test]
    fn reciprocals_are_below() {
        reciprocals::<u64>();
        reciprocals::<u128>();
    }

    fn roots<W: Word + std::fmt::Debug>(bits: impl Iterator<Item = u32>) {
        for bits in bits {
            let last = W::from(true) << (W::BITS - bits);
            for x in words::<W>(64) {
                let root = root(x, bits);
                assert!(root.product(root) <= (x, W::ZERO), "of {x:x?} to {bits} bits is {root:x?}, and too large");
                let next = root.wrapping_sub(W::ZERO.wrapping_sub(last));
                // It may be one.
                assert!(next < root || next.product(next) > (x, W::ZERO), "of {x:x?} to {bits} bits is {root:x?}");
            }
        }
    }

    #[test]
    fn roots_are_below() {
        roots::<u64>(2..=54);
        roots::<u128>([55, 90, 113, 114].into_iter());
    }
}
