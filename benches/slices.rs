//! Operations over slices of encodings, beside a plain loop over the host's own floats and one over Berkeley SoftFloat's.
//!
//! `just bench slices`.

use divan::{Bencher, black_box, counter::ItemsCount};
use roundproof_format::RoundingMode;
use roundproof_softfloat::slices::{self, Hardware};
use roundproof_softfloat::{Bfloat16, Binary16, Binary32, Binary64, Float8E4m3};
use softfloat_wrapper::{F16, F32, F64, Float as _};

fn main() {
    divan::main();
}

const ELEMENTS: usize = 4096;
const OPERANDS: [&str; 4] = ["uniform", "normal", "cancelling", "subnormal"];

/// Pairs of encodings: uniform bits; exponents near that of 1; opposite operands but for some low bits; a
/// subnormal one, and one that is subnormal too or near 1.
fn operands<H: Hardware>(kind: &str) -> [Vec<H::Bits>; 2] {
    let format = H::FORMAT;
    let (trailing, fields) = (format.trailing_bits(), 1u128 << format.exponent_bits());
    let sign = 1u128 << (format.width() - 1);
    let mut state: u128 = 1;
    let mut next = || {
        state = state.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state >> 64
    };
    let mut datum = |low: u128, span: u128| {
        let (bits, field) = (next(), low + next() % span);
        bits & (sign | ((1 << trailing) - 1)) | field << trailing
    };
    let one = fields / 2 - 1;
    let pairs = (0..ELEMENTS).map(|_| match kind {
        "uniform" => (datum(0, fields), datum(0, fields)),
        "normal" => (datum(one - 4, 8), datum(one - 4, 8)),
        "cancelling" => {
            let a = datum(one - 4, 8);
            (a, a ^ sign ^ (datum(0, 1) & 0xf))
        }
        _ => {
            let a = datum(0, 1);
            let low = if a & 1 == 0 { one } else { 0 };
            (a, datum(low, 1))
        }
    });
    let bits = |bits: u128| H::Bits::try_from(bits).ok().expect("of the format");
    let (a, b) = pairs.map(|(a, b)| (bits(a), bits(b))).unzip();
    [a, b]
}

macro_rules! format {
    ($module:ident, $format:ident) => {
        mod $module {
            use super::*;

            format!(add, add_faithful, $format);
            format!(multiply, multiply_faithful, $format);
        }
    };
    ($operation:ident, $faithful:ident, $format:ident) => {
        mod $operation {
            use super::*;

            fn direction(bencher: Bencher, kind: &str, mode: RoundingMode) {
                let [a, b] = operands::<$format>(kind);
                let mut out = a.clone();
                bencher.counter(ItemsCount::new(ELEMENTS)).bench_local(|| {
                    slices::$operation::<$format>(mode, black_box(&a), black_box(&b), black_box(&mut out))
                });
            }

            #[divan::bench(args = OPERANDS)]
            fn ties_to_even(bencher: Bencher, kind: &str) {
                direction(bencher, kind, RoundingMode::TiesToEven);
            }

            #[divan::bench(args = OPERANDS)]
            fn ties_to_away(bencher: Bencher, kind: &str) {
                direction(bencher, kind, RoundingMode::TiesToAway);
            }

            #[divan::bench(args = OPERANDS)]
            fn toward_negative(bencher: Bencher, kind: &str) {
                direction(bencher, kind, RoundingMode::TowardNegative);
            }

            #[divan::bench(args = OPERANDS)]
            fn toward_zero(bencher: Bencher, kind: &str) {
                direction(bencher, kind, RoundingMode::TowardZero);
            }

            #[divan::bench(args = OPERANDS)]
            fn faithful(bencher: Bencher, kind: &str) {
                let [a, b] = operands::<$format>(kind);
                let (mut below, mut above) = (a.clone(), a.clone());
                bencher.counter(ItemsCount::new(ELEMENTS)).bench_local(|| {
                    slices::$faithful::<$format>(
                        black_box(&a),
                        black_box(&b),
                        black_box(&mut below),
                        black_box(&mut above),
                    )
                });
            }
        }
    };
}

format!(float8_e4m3, Float8E4m3);
format!(binary16, Binary16);
format!(bfloat16, Bfloat16);
format!(binary32, Binary32);
format!(binary64, Binary64);

macro_rules! host {
    ($name:ident, $float:ty, $format:ident, $operator:tt) => {
        #[divan::bench(args = OPERANDS)]
        fn $name(bencher: Bencher, kind: &str) {
            let [a, b] = operands::<$format>(kind).map(|bits| bits.into_iter().map(<$float>::from_bits).collect::<Vec<_>>());
            let mut out = a.clone();
            bencher.counter(ItemsCount::new(ELEMENTS)).bench_local(|| {
                for ((&a, &b), out) in black_box(&a).iter().zip(black_box(&b)).zip(black_box(&mut out)) {
                    *out = a $operator b;
                }
            });
        }
    };
}

host!(host_f32_add, f32, Binary32, +);
host!(host_f32_multiply, f32, Binary32, *);
host!(host_f64_add, f64, Binary64, +);
host!(host_f64_multiply, f64, Binary64, *);

macro_rules! berkeley {
    ($name:ident, $float:ty, $format:ident, $operation:ident) => {
        #[divan::bench(args = OPERANDS)]
        fn $name(bencher: Bencher, kind: &str) {
            let [a, b] = operands::<$format>(kind)
                .map(|bits| bits.into_iter().map(<$float>::from_bits).collect::<Vec<$float>>());
            let mut out = a.clone();
            bencher.counter(ItemsCount::new(ELEMENTS)).bench_local(|| {
                for ((a, b), out) in black_box(&a).iter().zip(black_box(&b)).zip(black_box(&mut out)) {
                    *out = a.$operation(b, softfloat_wrapper::RoundingMode::TiesToEven);
                }
            });
        }
    };
}

berkeley!(berkeley_binary16_add, F16, Binary16, add);
berkeley!(berkeley_binary16_multiply, F16, Binary16, mul);
berkeley!(berkeley_binary32_add, F32, Binary32, add);
berkeley!(berkeley_binary32_multiply, F32, Binary32, mul);
berkeley!(berkeley_binary64_add, F64, Binary64, add);
berkeley!(berkeley_binary64_multiply, F64, Binary64, mul);

macro_rules! dot {
    ($name:ident, $format:ident, $wide:ident) => {
        #[divan::bench]
        fn $name(bencher: Bencher) {
            let [a, b] = operands::<$format>("normal");
            bencher
                .counter(ItemsCount::new(ELEMENTS))
                .bench_local(|| slices::dot::<$format, $wide>(RoundingMode::TiesToEven, black_box(&a), black_box(&b)));
        }
    };
}

dot!(dot_binary16_in_binary32, Binary16, Binary32);
dot!(dot_bfloat16_in_binary32, Bfloat16, Binary32);
dot!(dot_binary32_in_binary64, Binary32, Binary64);
