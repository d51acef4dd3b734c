//! Integer arithmetic beside its definition on rationals: nanoseconds for 1024 operations on random encodings.
//!
//! `just bench softfloat`.

use divan::{Bencher, black_box, counter::ItemsCount};
use roundproof_exact::Arithmetic as Exact;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_softfloat::Arithmetic;

fn main() {
    divan::main();
}

const FORMATS: [&str; 4] = ["bfloat16", "binary16", "binary32", "binary64"];
const PAIRS: usize = 1024;

/// Pairs of encodings with uniform bits, from a linear congruential generator.
fn pairs(format: Format) -> Vec<(Encoding, Encoding)> {
    let mut state: u128 = 1;
    let mut next = || {
        state = state.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x9e37_79b9_7f4a_7c15);
        Encoding::from_bits((state >> 64) & ((1 << format.width()) - 1))
    };
    (0..PAIRS).map(|_| (next(), next())).collect()
}

macro_rules! beside_the_definition {
    ($soft:ident, $exact:ident, $operation:ident) => {
        #[divan::bench(args = FORMATS)]
        fn $soft(bencher: Bencher, name: &str) {
            let format: Format = name.parse().expect("a format");
            let arithmetic = Arithmetic::new(format, Overflow::Ieee).expect("expressed");
            let pairs = pairs(format);
            bencher.counter(ItemsCount::new(PAIRS)).bench(|| {
                for &(a, b) in &pairs {
                    black_box(arithmetic.$operation(RoundingMode::TiesToEven, a, b).encoding);
                }
            });
        }

        #[divan::bench(args = FORMATS)]
        fn $exact(bencher: Bencher, name: &str) {
            let format: Format = name.parse().expect("a format");
            let arithmetic = Exact::new(format, Overflow::Ieee).expect("expressed");
            let pairs = pairs(format);
            bencher.counter(ItemsCount::new(PAIRS)).bench(|| {
                for &(a, b) in &pairs {
                    black_box(arithmetic.$operation(RoundingMode::TiesToEven, a, b).encoding);
                }
            });
        }
    };
}

beside_the_definition!(add_softfloat, add_exact, add);
beside_the_definition!(multiply_softfloat, multiply_exact, multiply);
