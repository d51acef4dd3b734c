//! How mixed the classes of a node are, in integers: the same on every machine and in every order of summation.

/// A family of impurities `g(m) - sum of g(m_c)` over a node's `m` rows and the `m_c` of each class, for convex `g` with
/// `g(0) = 0`: zero for a pure node and, but for rounding, never greater after a split. It decides how large a tree
/// becomes, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Criterion {
    /// `g(m) = m log2 m`: `m` times the Shannon entropy.
    Entropy,
    /// `g(m) = m^(5/4)`.
    Quarter,
    /// `g(m) = m^(3/2)`.
    Half,
    /// `g(m) = m^2`: pairs of rows that are still to be told apart. It likes balanced splits best.
    Pairs,
}

impl Criterion {
    pub const ALL: [Criterion; 4] = [Criterion::Entropy, Criterion::Quarter, Criterion::Half, Criterion::Pairs];
}

/// Bits after the point of [`Weights`]: with 2^31 rows `m^(3/2)` still fits.
const FRACTION: u32 = 16;

/// `g` of a criterion for 0 up to the number of rows.
pub(super) struct Weights {
    values: Vec<i64>,
}

impl Weights {
    /// For up to `rows < 2^31` rows.
    pub fn new(criterion: Criterion, rows: usize) -> Weights {
        let value = |m: u128| match criterion {
            Criterion::Entropy => (m * u128::from(log2(m as u64))) >> (LOG_FRACTION - FRACTION),
            Criterion::Quarter => m * (m << (4 * FRACTION)).isqrt().isqrt(),
            Criterion::Half => m * (m << (2 * FRACTION)).isqrt(),
            Criterion::Pairs => m * m,
        };
        Weights { values: (0..=rows as u128).map(|m| value(m) as i64).collect() }
    }

    /// `g(m)`.
    pub fn at(&self, m: u32) -> i64 {
        self.values[m as usize]
    }

    /// `g(m + 1) - g(m)`.
    pub fn step(&self, m: u32) -> i64 {
        self.values[m as usize + 1] - self.values[m as usize]
    }
}

/// Bits after the point of [`log2`].
pub(super) const LOG_FRACTION: u32 = 32;

/// `floor(2^32 log2 m)` but for the last few bits, 0 for `m = 0`: one bit for each squaring.
pub(super) fn log2(m: u64) -> u64 {
    let Some(whole) = m.checked_ilog2() else { return 0 };
    let mut mantissa = u128::from(m) << (63 - whole);
    let mut log = u64::from(whole);
    for _ in 0..LOG_FRACTION {
        mantissa = (mantissa * mantissa) >> 63;
        let bit = (mantissa >> 64) as u64;
        mantissa >>= bit;
        log = log << 1 | bit;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_the_host_to_ten_places() {
        assert_eq!((log2(0), log2(1), log2(2), log2(1 << 40)), (0, 0, 1 << 32, 40 << 32));
        for m in (1..5000).chain([60_000, 1 << 31, u64::from(u32::MAX)]) {
            let error = (m as f64).log2() - log2(m) as f64 / 2f64.powi(32);
            assert!(error.abs() < 1e-8, "{m}: {error}");
        }
    }

    #[test]
    fn weights_grow_ever_faster() {
        for criterion in Criterion::ALL {
            let weights = Weights::new(criterion, 3000);
            assert_eq!(weights.at(0), 0);
            // Roundings of neighbours may part by two units of 2^-16.
            assert!((0..2998).all(|m| weights.step(m + 1) + 2 * 3000 >= weights.step(m)), "{criterion:?}");
            assert_eq!((0..3000).map(|m| weights.step(m)).sum::<i64>(), weights.at(3000));
        }
    }
}
