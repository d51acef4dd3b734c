//! The operations of every implementation, in the same loops.

use criterion::BenchmarkId;
use roundproof_format::{Encoding, RoundingMode, Status};
use roundproof_softfloat::{Arithmetic, Bfloat16, Binary16, Binary32, Binary64, BothNeighbours, Outcome, Standard};
use rug::float::Round;
use rug::ops::AssignRound;
use rustc_apfloat::{Float as _, Round as ApfloatRound, ieee};
use softfloat_wrapper::{BF16, F16, F32, F64, Float as BerkeleyFloat, RoundingMode as BerkeleyMode};
use std::hint::black_box;

use crate::operands::{COUNT, Distribution, chain, triples};
use crate::{Group, throughput};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Add,
    Multiply,
    FusedMultiplyAdd,
}

impl Operation {
    pub const ALL: [Operation; 3] = [Operation::Add, Operation::Multiply, Operation::FusedMultiplyAdd];

    pub fn name(self) -> &'static str {
        match self {
            Operation::Add => "add",
            Operation::Multiply => "multiply",
            Operation::FusedMultiplyAdd => "fma",
        }
    }
}

/// Implementations, in the order of the columns.
pub const OURS: &str = "ours";
pub const OURS_AT_RUN_TIME: &str = "run-time format";
pub const BERKELEY: &str = "Berkeley SoftFloat";
pub const APFLOAT: &str = "rustc_apfloat";
pub const MPFR: &str = "MPFR";

/// A format with its peers.
pub trait Subject: Standard<Bits: 'static> {
    const NAME: &'static str;
    /// Berkeley SoftFloat's type; its bfloat16 rounds toward zero whatever it is told, and is not measured.
    type Berkeley: BerkeleyFloat<Payload: TryFrom<u128> + Into<u64>>;
    const HAS_BERKELEY: bool = true;
    type Apfloat: rustc_apfloat::Float;
}

impl Subject for Binary16 {
    const NAME: &'static str = "binary16";
    type Berkeley = F16;
    type Apfloat = ieee::Half;
}

impl Subject for Bfloat16 {
    const NAME: &'static str = "bfloat16";
    type Berkeley = BF16;
    const HAS_BERKELEY: bool = false;
    type Apfloat = ieee::BFloat;
}

impl Subject for Binary32 {
    const NAME: &'static str = "binary32";
    type Berkeley = F32;
    type Apfloat = ieee::Single;
}

impl Subject for Binary64 {
    const NAME: &'static str = "binary64";
    type Berkeley = F64;
    type Apfloat = ieee::Double;
}

fn bits<T: TryFrom<u128>>(bits: u128) -> T {
    T::try_from(bits).ok().expect("an encoding of the format")
}

fn told(outcome: Outcome) -> (u64, Status) {
    (outcome.encoding.bits() as u64, outcome.status)
}

/// Calls a macro with the direction as a literal.
macro_rules! for_mode {
    ($mode:expr, $call:ident) => {
        match $mode {
            RoundingMode::TiesToEven => $call!(RoundingMode::TiesToEven),
            RoundingMode::TiesToAway => $call!(RoundingMode::TiesToAway),
            RoundingMode::TowardPositive => $call!(RoundingMode::TowardPositive),
            RoundingMode::TowardNegative => $call!(RoundingMode::TowardNegative),
            RoundingMode::TowardZero => $call!(RoundingMode::TowardZero),
        }
    };
}

pub fn every<S: Subject>(group: &mut Group, operation: Operation, mode: RoundingMode, distribution: Distribution) {
    let row = format!("{mode}, {}", distribution.name());
    let encodings = triples::<S>(distribution);

    let data: Vec<[S::Bits; 3]> = encodings.iter().map(|triple| triple.map(bits)).collect();
    macro_rules! ours {
        ($mode:expr) => {
            match operation {
                Operation::Add => throughput(group, OURS, &row, &data, |&[a, b, _]| told(S::add($mode, a, b))),
                Operation::Multiply => {
                    throughput(group, OURS, &row, &data, |&[a, b, _]| told(S::multiply($mode, a, b)))
                }
                Operation::FusedMultiplyAdd => {
                    throughput(group, OURS, &row, &data, |&[a, b, c]| told(S::fused_multiply_add($mode, a, b, c)))
                }
            }
        };
    }
    for_mode!(mode, ours);

    let data: Vec<[Encoding; 3]> = encodings.iter().map(|triple| triple.map(Encoding::from_bits)).collect();
    let arithmetic: Arithmetic = black_box(*S::ARITHMETIC);
    throughput(group, OURS_AT_RUN_TIME, &row, &data, |&[a, b, c]| {
        told(match operation {
            Operation::Add => arithmetic.add(mode, a, b),
            Operation::Multiply => arithmetic.multiply(mode, a, b),
            Operation::FusedMultiplyAdd => arithmetic.fused_multiply_add(mode, a, b, c),
        })
    });

    if S::HAS_BERKELEY {
        let mode = berkeley(mode);
        let float = |encoding| S::Berkeley::from_bits(bits(encoding));
        let data: Vec<[S::Berkeley; 3]> = encodings.iter().map(|triple| triple.map(float)).collect();
        throughput(group, BERKELEY, &row, &data, |[a, b, c]| {
            let result = match operation {
                Operation::Add => a.add(b, mode),
                Operation::Multiply => a.mul(b, mode),
                Operation::FusedMultiplyAdd => a.fused_mul_add(b, c, mode),
            };
            (result.to_bits().into(), Status::NONE)
        });
    }

    let data: Vec<[S::Apfloat; 3]> = encodings.iter().map(|triple| triple.map(S::Apfloat::from_bits)).collect();
    let round = apfloat(mode);
    throughput(group, APFLOAT, &row, &data, |&[a, b, c]| {
        let result = match operation {
            Operation::Add => a.add_r(b, round),
            Operation::Multiply => a.mul_r(b, round),
            Operation::FusedMultiplyAdd => a.mul_add_r(b, c, round),
        };
        (result.value.to_bits() as u64, Status::NONE.when(result.status.is_empty()))
    });

    // MPFR rounds to a precision and then, below the normal range, once more as if once in all; the range ends nowhere.
    if let Some(round) = mpfr(mode)
        && distribution != Distribution::Uniform
    {
        let format = S::FORMAT;
        let emin = format.emin().expect("a bounded format");
        let float = |encoding| decoded(format, encoding);
        let data: Vec<[rug::Float; 3]> = encodings.iter().map(|triple| triple.map(float)).collect();
        let mut result = rug::Float::new(format.precision());
        throughput(group, MPFR, &row, &data, |[a, b, c]| {
            let side = match operation {
                Operation::Add => result.assign_round(a + b, round),
                Operation::Multiply => result.assign_round(a * b, round),
                Operation::FusedMultiplyAdd => result.assign_round(a.mul_add_ref(b, c), round),
            };
            let side = result.subnormalize_round(emin + 1, side, round);
            (u64::from(black_box(&result).is_zero()), Status::INEXACT.when(side.is_ne()))
        });
    }
}

/// The faithful pair beside one rounding, in the row of [`RoundingMode::TowardPositive`].
pub fn faithful<S: Subject>(group: &mut Group, operation: Operation) {
    let row = "faithful pair, normal";
    let data: Vec<[S::Bits; 3]> = triples::<S>(Distribution::Normal).iter().map(|triple| triple.map(bits)).collect();
    throughput(group, OURS, row, &data, |&[a, b, c]| {
        let pair = match operation {
            Operation::Add => S::add(BothNeighbours, a, b),
            Operation::Multiply => S::multiply(BothNeighbours, a, b),
            Operation::FusedMultiplyAdd => S::fused_multiply_add(BothNeighbours, a, b, c),
        };
        ((pair.below.bits() ^ (pair.above.bits() << 1)) as u64, pair.status)
    });
}

/// The time from an operand to the result, ties to even.
pub fn latency<S: Subject>(group: &mut Group, operation: Operation) {
    const MODE: RoundingMode = RoundingMode::TiesToEven;
    let (start, links) = chain::<S>(operation == Operation::Add);
    let zero = S::FORMAT.zero().bits();
    macro_rules! chained {
        ($who:expr, $start:expr, $links:expr, $zero:expr, $step:expr) => {
            group.bench_function(BenchmarkId::new($who, "latency, ties-to-even"), |bencher| {
                let (links, zero) = (black_box($links), black_box($zero));
                bencher.iter(|| {
                    let mut value = black_box($start);
                    for index in 0..COUNT {
                        value = $step(&value, &links[index % 2], &zero);
                    }
                    value
                });
            });
        };
    }
    chained!(
        OURS,
        bits::<S::Bits>(start),
        links.map(bits::<S::Bits>),
        bits::<S::Bits>(zero),
        |&a: &S::Bits, &b: &S::Bits, &c: &S::Bits| {
            let outcome = match operation {
                Operation::Add => S::add(MODE, a, b),
                Operation::Multiply => S::multiply(MODE, a, b),
                Operation::FusedMultiplyAdd => S::fused_multiply_add(MODE, a, b, c),
            };
            bits::<S::Bits>(outcome.encoding.bits())
        }
    );
    if S::HAS_BERKELEY {
        let float = |encoding: u128| S::Berkeley::from_bits(bits(encoding));
        let mode = berkeley(MODE);
        chained!(
            BERKELEY,
            float(start),
            links.map(float),
            float(zero),
            |a: &S::Berkeley, b: &S::Berkeley, c: &S::Berkeley| {
                match operation {
                    Operation::Add => a.add(b, mode),
                    Operation::Multiply => a.mul(b, mode),
                    Operation::FusedMultiplyAdd => a.fused_mul_add(b, c, mode),
                }
            }
        );
    }
    let float = S::Apfloat::from_bits;
    let round = apfloat(MODE);
    chained!(
        APFLOAT,
        float(start),
        links.map(float),
        float(zero),
        |&a: &S::Apfloat, &b: &S::Apfloat, &c: &S::Apfloat| {
            match operation {
                Operation::Add => a.add_r(b, round).value,
                Operation::Multiply => a.mul_r(b, round).value,
                Operation::FusedMultiplyAdd => a.mul_add_r(b, c, round).value,
            }
        }
    );
}

fn decoded(format: roundproof_format::Format, bits: u128) -> rug::Float {
    let value = roundproof_exact::decode(format, Encoding::from_bits(bits)).and_then(|datum| datum.rational());
    rug::Float::with_val(format.precision(), value.expect("finite operands"))
}

fn berkeley(mode: RoundingMode) -> BerkeleyMode {
    match mode {
        RoundingMode::TiesToEven => BerkeleyMode::TiesToEven,
        RoundingMode::TiesToAway => BerkeleyMode::TiesToAway,
        RoundingMode::TowardPositive => BerkeleyMode::TowardPositive,
        RoundingMode::TowardNegative => BerkeleyMode::TowardNegative,
        RoundingMode::TowardZero => BerkeleyMode::TowardZero,
    }
}

fn apfloat(mode: RoundingMode) -> ApfloatRound {
    match mode {
        RoundingMode::TiesToEven => ApfloatRound::NearestTiesToEven,
        RoundingMode::TiesToAway => ApfloatRound::NearestTiesToAway,
        RoundingMode::TowardPositive => ApfloatRound::TowardPositive,
        RoundingMode::TowardNegative => ApfloatRound::TowardNegative,
        RoundingMode::TowardZero => ApfloatRound::TowardZero,
    }
}

fn mpfr(mode: RoundingMode) -> Option<Round> {
    match mode {
        RoundingMode::TiesToEven => Some(Round::Nearest),
        RoundingMode::TiesToAway => None,
        RoundingMode::TowardPositive => Some(Round::Up),
        RoundingMode::TowardNegative => Some(Round::Down),
        RoundingMode::TowardZero => Some(Round::Zero),
    }
}
