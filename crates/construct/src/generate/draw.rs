//! Drawing, on integers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// A number below `bound`, each as likely as the others.
pub(super) fn below(bound: u128, random: &mut ChaCha8Rng) -> u128 {
    if let Ok(bound) = u64::try_from(bound) {
        return below_word(bound, random).into();
    }
    // The bits that a number below the bound can have; at least every other one is below it.
    let mask = u128::MAX >> (bound - 1).leading_zeros();
    loop {
        let number = (u128::from(random.next_u64()) << 64 | u128::from(random.next_u64())) & mask;
        if number < bound {
            return number;
        }
    }
}

/// By multiplication and rejection (Lemire, Fast random integer generation in an interval, 2019).
fn below_word(bound: u64, random: &mut ChaCha8Rng) -> u64 {
    loop {
        let product = u128::from(random.next_u64()) * u128::from(bound);
        let (high, low) = ((product >> 64) as u64, product as u64);
        // The first `2^64 mod bound` of the words that lead to a number are one too many.
        if low >= bound || low >= bound.wrapping_neg() % bound {
            return high;
        }
    }
}

/// Brings numbers into an order, each order as likely as the others.
pub(super) fn shuffle(numbers: &mut [u128], random: &mut ChaCha8Rng) {
    for last in (1..numbers.len()).rev() {
        numbers.swap(last, below(last as u128 + 1, random) as usize);
    }
}

/// A number that equal rows share. Should others share it, one of them is drawn again, and nothing is lost.
pub(super) fn fingerprint(row: &[u128]) -> u128 {
    // Odd, and the bits without a pattern: the fraction of the golden ratio.
    const MULTIPLIER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let mixed = row.iter().fold(row.len() as u128, |hash, &position| {
        let hash = (hash ^ position).wrapping_mul(MULTIPLIER);
        hash ^ hash >> 61
    });
    mixed.wrapping_mul(MULTIPLIER)
}
