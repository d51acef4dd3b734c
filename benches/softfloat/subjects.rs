//! The operations of every implementation, in the same loops.

use criterion::BenchmarkId;
use roundproof_format::{Encoding, Format, RoundingMode, Status};
use roundproof_softfloat::{
    Arithmetic, Bfloat16, Binary16, Binary32, Binary64, Binary128, BothNeighbours, Integer, IntegerFormat, Outcome,
    Standard, compare_quiet, compare_signaling,
};
use rug::float::Round;
use rug::ops::AssignRound;
use rustc_apfloat::{Float as _, Round as ApfloatRound, StatusAnd, ieee};
use softfloat_wrapper::{BF16, F16, F32, F64, F128, Float as BerkeleyFloat, RoundingMode as BerkeleyMode};
use std::cmp::Ordering;
use std::hint::black_box;

use crate::operands::{COUNT, Distribution, chain, triples};
use crate::{Group, throughput};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    SquareRoot,
    FusedMultiplyAdd,
    Remainder,
    RoundToIntegral,
    /// compareSignalingLess.
    Less,
    /// compareQuietEqual.
    Equal,
    /// To integers of 64 bits, inexact raised, and from them.
    ToInteger,
    FromInteger,
    /// To a format of Berkeley SoftFloat, by its width.
    ToBinary16,
    ToBinary32,
    ToBinary64,
    ToBinary128,
}

impl Operation {
    pub const ALL: [Operation; 16] = [
        Operation::Add,
        Operation::Subtract,
        Operation::Multiply,
        Operation::Divide,
        Operation::SquareRoot,
        Operation::FusedMultiplyAdd,
        Operation::Remainder,
        Operation::RoundToIntegral,
        Operation::Less,
        Operation::Equal,
        Operation::ToInteger,
        Operation::FromInteger,
        Operation::ToBinary16,
        Operation::ToBinary32,
        Operation::ToBinary64,
        Operation::ToBinary128,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Operation::Add => "add",
            Operation::Subtract => "subtract",
            Operation::Multiply => "multiply",
            Operation::Divide => "divide",
            Operation::SquareRoot => "square root",
            Operation::FusedMultiplyAdd => "fma",
            Operation::Remainder => "remainder",
            Operation::RoundToIntegral => "to integral",
            Operation::Less => "less",
            Operation::Equal => "equal",
            Operation::ToInteger => "to int64",
            Operation::FromInteger => "from int64",
            Operation::ToBinary16 => "to binary16",
            Operation::ToBinary32 => "to binary32",
            Operation::ToBinary64 => "to binary64",
            Operation::ToBinary128 => "to binary128",
        }
    }

    /// Whether it has a direction.
    pub fn rounds(self) -> bool {
        !matches!(self, Operation::Remainder | Operation::Less | Operation::Equal)
    }

    /// Whether it is one of those whose speed depends on the kind of operands, and which are measured with all of them, in
    /// chains, and for both neighbours at once.
    pub fn is_arithmetic(self) -> bool {
        matches!(self, Operation::Add | Operation::Multiply | Operation::FusedMultiplyAdd)
    }

    /// Whether this is a conversion from the format to itself.
    fn is_idle(self, format: Format) -> bool {
        let to = match self {
            Operation::ToBinary16 => Format::BINARY16,
            Operation::ToBinary32 => Format::BINARY32,
            Operation::ToBinary64 => Format::BINARY64,
            Operation::ToBinary128 => Format::BINARY128,
            _ => return false,
        };
        to == format
    }
}

/// The integers of [`Operation::ToInteger`].
const INT64: IntegerFormat = match IntegerFormat::new(64, true) {
    Ok(format) => format,
    Err(_) => unreachable!(),
};

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
    type Berkeley: BerkeleyFloat<Payload: TryFrom<u128> + Into<u128>>;
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

impl Subject for Binary128 {
    const NAME: &'static str = "binary128";
    type Berkeley = F128;
    type Apfloat = ieee::Quad;
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

fn ordered((order, status): (Option<Ordering>, Status), wanted: Ordering) -> (u64, Status) {
    (u64::from(order == Some(wanted)), status)
}

fn counted((integer, status): (Integer, Status)) -> (u64, Status) {
    match integer {
        Integer::Signed(integer) => (integer as u64, status),
        Integer::Unsigned(integer) => (integer as u64, status),
    }
}

/// An integer of which all bits are set at random.
fn integer(bits: u128) -> i64 {
    (bits as i64).wrapping_mul(0x2545_f491_4f6c_dd1d)
}

pub fn every<S: Subject>(group: &mut Group, operation: Operation, mode: RoundingMode, distribution: Distribution) {
    if operation.is_idle(S::FORMAT) {
        return;
    }
    let row = format!("{mode}, {}", distribution.name());
    let mut encodings = triples::<S>(distribution);
    if operation == Operation::SquareRoot {
        let magnitude = (1u128 << (S::FORMAT.width() - 1)) - 1;
        encodings.iter_mut().for_each(|triple| triple[0] &= magnitude);
    }
    ours::<S>(group, &row, operation, mode, &encodings);
    ours_at_run_time::<S>(group, &row, operation, mode, &encodings);
    if S::HAS_BERKELEY {
        berkeley::<S>(group, &row, operation, mode, &encodings);
    }
    apfloat::<S>(group, &row, operation, mode, &encodings);
    // MPFR's range ends nowhere.
    if distribution != Distribution::Uniform {
        mpfr::<S>(group, &row, operation, mode, &encodings);
    }
}

fn ours<S: Subject>(group: &mut Group, row: &str, operation: Operation, mode: RoundingMode, encodings: &[[u128; 3]]) {
    let data: Vec<[S::Bits; 3]> = encodings.iter().map(|triple| triple.map(bits)).collect();
    macro_rules! run {
        ($result:expr) => {
            throughput(group, OURS, row, &data, $result)
        };
    }
    macro_rules! ours {
        ($mode:expr) => {
            match operation {
                Operation::Add => run!(|&[a, b, _]| told(S::add($mode, a, b))),
                Operation::Subtract => run!(|&[a, b, _]| told(S::subtract($mode, a, b))),
                Operation::Multiply => run!(|&[a, b, _]| told(S::multiply($mode, a, b))),
                Operation::Divide => run!(|&[a, b, _]| told(S::divide($mode, a, b))),
                Operation::SquareRoot => run!(|&[a, ..]| told(S::square_root($mode, a))),
                Operation::FusedMultiplyAdd => run!(|&[a, b, c]| told(S::fused_multiply_add($mode, a, b, c))),
                Operation::Remainder => run!(|&[a, b, _]| told(S::remainder(a, b))),
                Operation::RoundToIntegral => run!(|&[a, ..]| told(S::round_to_integral($mode, a))),
                Operation::Less => run!(|&[a, b, _]| ordered(S::compare_signaling(a, b), Ordering::Less)),
                Operation::Equal => run!(|&[a, b, _]| ordered(S::compare_quiet(a, b), Ordering::Equal)),
                Operation::ToInteger => run!(|&[a, ..]| counted(S::to_integer($mode, a, INT64, true))),
                Operation::FromInteger => {
                    let data: Vec<i64> = encodings.iter().map(|triple| integer(triple[0])).collect();
                    throughput(group, OURS, row, &data, |&n| told(S::from_integer($mode, n.into())));
                }
                Operation::ToBinary16 => run!(|&[a, ..]| told(Binary16::convert::<S, _>($mode, a))),
                Operation::ToBinary32 => run!(|&[a, ..]| told(Binary32::convert::<S, _>($mode, a))),
                Operation::ToBinary64 => run!(|&[a, ..]| told(Binary64::convert::<S, _>($mode, a))),
                Operation::ToBinary128 => run!(|&[a, ..]| told(Binary128::convert::<S, _>($mode, a))),
            }
        };
    }
    for_mode!(mode, ours);
}

fn ours_at_run_time<S: Subject>(
    group: &mut Group,
    row: &str,
    operation: Operation,
    mode: RoundingMode,
    encodings: &[[u128; 3]],
) {
    let data: Vec<[Encoding; 3]> = encodings.iter().map(|triple| triple.map(Encoding::from_bits)).collect();
    let arithmetic: Arithmetic = black_box(*S::ARITHMETIC);
    let format = arithmetic.format();
    let to = |format| black_box(Arithmetic::new(format, arithmetic.overflow()).expect("a standard format"));
    macro_rules! run {
        ($result:expr) => {
            throughput(group, OURS_AT_RUN_TIME, row, &data, $result)
        };
    }
    macro_rules! convert {
        ($format:ident) => {{
            let to = to(Format::$format);
            run!(|&[a, ..]| told(to.convert(mode, format, a)))
        }};
    }
    match operation {
        Operation::Add => run!(|&[a, b, _]| told(arithmetic.add(mode, a, b))),
        Operation::Subtract => run!(|&[a, b, _]| told(arithmetic.subtract(mode, a, b))),
        Operation::Multiply => run!(|&[a, b, _]| told(arithmetic.multiply(mode, a, b))),
        Operation::Divide => run!(|&[a, b, _]| told(arithmetic.divide(mode, a, b))),
        Operation::SquareRoot => run!(|&[a, ..]| told(arithmetic.square_root(mode, a))),
        Operation::FusedMultiplyAdd => run!(|&[a, b, c]| told(arithmetic.fused_multiply_add(mode, a, b, c))),
        Operation::Remainder => run!(|&[a, b, _]| told(arithmetic.remainder(a, b))),
        Operation::RoundToIntegral => run!(|&[a, ..]| told(arithmetic.round_to_integral(mode, a))),
        Operation::Less => run!(|&[a, b, _]| ordered(compare_signaling(format, a, b), Ordering::Less)),
        Operation::Equal => run!(|&[a, b, _]| ordered(compare_quiet(format, a, b), Ordering::Equal)),
        Operation::ToInteger => run!(|&[a, ..]| counted(arithmetic.to_integer(mode, a, INT64, true))),
        Operation::FromInteger => {
            let data: Vec<i64> = encodings.iter().map(|triple| integer(triple[0])).collect();
            throughput(group, OURS_AT_RUN_TIME, row, &data, |&n| told(arithmetic.from_integer(mode, n.into())));
        }
        Operation::ToBinary16 => convert!(BINARY16),
        Operation::ToBinary32 => convert!(BINARY32),
        Operation::ToBinary64 => convert!(BINARY64),
        Operation::ToBinary128 => convert!(BINARY128),
    }
}

/// It raises its flags as a state of the thread.
fn berkeley<S: Subject>(
    group: &mut Group,
    row: &str,
    operation: Operation,
    mode: RoundingMode,
    encodings: &[[u128; 3]],
) {
    let mode = berkeley_mode(mode);
    let float = |encoding| S::Berkeley::from_bits(bits(encoding));
    let data: Vec<[S::Berkeley; 3]> = encodings.iter().map(|triple| triple.map(float)).collect();
    macro_rules! run {
        (|$operands:pat_param| $result:expr) => {
            throughput(group, BERKELEY, row, &data, |$operands| (Into::<u128>::into($result) as u64, Status::NONE))
        };
    }
    match operation {
        Operation::Add => run!(|[a, b, _]| a.add(b, mode).to_bits()),
        Operation::Subtract => run!(|[a, b, _]| a.sub(b, mode).to_bits()),
        Operation::Multiply => run!(|[a, b, _]| a.mul(b, mode).to_bits()),
        Operation::Divide => run!(|[a, b, _]| a.div(b, mode).to_bits()),
        Operation::SquareRoot => run!(|[a, ..]| a.sqrt(mode).to_bits()),
        Operation::FusedMultiplyAdd => run!(|[a, b, c]| a.fused_mul_add(b, c, mode).to_bits()),
        Operation::Remainder => run!(|[a, b, _]| a.rem(b, mode).to_bits()),
        Operation::RoundToIntegral => run!(|[a, ..]| a.round_to_integral(mode).to_bits()),
        Operation::Less => run!(|[a, b, _]| a.lt(b)),
        Operation::Equal => run!(|[a, b, _]| a.eq(b)),
        Operation::ToInteger => run!(|[a, ..]| a.to_i64(mode, true) as u64),
        Operation::FromInteger => {
            let data: Vec<i64> = encodings.iter().map(|triple| integer(triple[0])).collect();
            throughput(group, BERKELEY, row, &data, |&n| {
                (S::Berkeley::from_i64(n, mode).to_bits().into() as u64, Status::NONE)
            });
        }
        Operation::ToBinary16 => run!(|[a, ..]| a.to_f16(mode).to_bits()),
        Operation::ToBinary32 => run!(|[a, ..]| a.to_f32(mode).to_bits()),
        Operation::ToBinary64 => run!(|[a, ..]| a.to_f64(mode).to_bits()),
        Operation::ToBinary128 => run!(|[a, ..]| a.to_f128(mode).to_bits()),
    }
}

fn apfloat_told<F: rustc_apfloat::Float>(result: StatusAnd<F>) -> (u64, Status) {
    (result.value.to_bits() as u64, Status::NONE.when(result.status.is_empty()))
}

/// It has no square root.
fn apfloat<S: Subject>(
    group: &mut Group,
    row: &str,
    operation: Operation,
    mode: RoundingMode,
    encodings: &[[u128; 3]],
) {
    let data: Vec<[S::Apfloat; 3]> = encodings.iter().map(|triple| triple.map(S::Apfloat::from_bits)).collect();
    let round = apfloat_mode(mode);
    macro_rules! run {
        ($result:expr) => {
            throughput(group, APFLOAT, row, &data, $result)
        };
    }
    match operation {
        Operation::Add => run!(|&[a, b, _]| apfloat_told(a.add_r(b, round))),
        Operation::Subtract => run!(|&[a, b, _]| apfloat_told(a.sub_r(b, round))),
        Operation::Multiply => run!(|&[a, b, _]| apfloat_told(a.mul_r(b, round))),
        Operation::Divide => run!(|&[a, b, _]| apfloat_told(a.div_r(b, round))),
        Operation::FusedMultiplyAdd => run!(|&[a, b, c]| apfloat_told(a.mul_add_r(b, c, round))),
        Operation::Remainder => run!(|&[a, b, _]| apfloat_told(a.ieee_rem(b))),
        Operation::RoundToIntegral => run!(|&[a, ..]| apfloat_told(a.round_to_integral(round))),
        Operation::Less => run!(|&[a, b, _]| (u64::from(a < b), Status::NONE)),
        Operation::Equal => run!(|&[a, b, _]| (u64::from(a == b), Status::NONE)),
        _ => {}
    }
}

/// It rounds to a precision and then, below the normal range, once more as if once in all. It has no ties to away.
fn mpfr<S: Subject>(group: &mut Group, row: &str, operation: Operation, mode: RoundingMode, encodings: &[[u128; 3]]) {
    let Some(round) = mpfr_mode(mode) else { return };
    let format = S::FORMAT;
    let emin = format.emin().expect("a bounded format");
    let float = |encoding| decoded(format, encoding);
    let data: Vec<[rug::Float; 3]> = encodings.iter().map(|triple| triple.map(float)).collect();
    let mut result = rug::Float::new(format.precision());
    macro_rules! run {
        (|$operands:pat_param| $assigned:expr) => {
            throughput(group, MPFR, row, &data, |$operands| {
                let side = result.assign_round($assigned, round);
                let side = result.subnormalize_round(emin + 1, side, round);
                (u64::from(black_box(&result).is_zero()), Status::INEXACT.when(side.is_ne()))
            })
        };
    }
    match operation {
        Operation::Add => run!(|[a, b, _]| a + b),
        Operation::Subtract => run!(|[a, b, _]| a - b),
        Operation::Multiply => run!(|[a, b, _]| a * b),
        Operation::Divide => run!(|[a, b, _]| a / b),
        Operation::SquareRoot => run!(|[a, ..]| a.sqrt_ref()),
        Operation::FusedMultiplyAdd => run!(|[a, b, c]| a.mul_add_ref(b, c)),
        _ => {}
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
            _ => S::fused_multiply_add(BothNeighbours, a, b, c),
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
                _ => S::fused_multiply_add(MODE, a, b, c),
            };
            bits::<S::Bits>(outcome.encoding.bits())
        }
    );
    if S::HAS_BERKELEY {
        let float = |encoding: u128| S::Berkeley::from_bits(bits(encoding));
        let mode = berkeley_mode(MODE);
        chained!(
            BERKELEY,
            float(start),
            links.map(float),
            float(zero),
            |a: &S::Berkeley, b: &S::Berkeley, c: &S::Berkeley| {
                match operation {
                    Operation::Add => a.add(b, mode),
                    Operation::Multiply => a.mul(b, mode),
                    _ => a.fused_mul_add(b, c, mode),
                }
            }
        );
    }
    let float = S::Apfloat::from_bits;
    let round = apfloat_mode(MODE);
    chained!(
        APFLOAT,
        float(start),
        links.map(float),
        float(zero),
        |&a: &S::Apfloat, &b: &S::Apfloat, &c: &S::Apfloat| {
            match operation {
                Operation::Add => a.add_r(b, round).value,
                Operation::Multiply => a.mul_r(b, round).value,
                _ => a.mul_add_r(b, c, round).value,
            }
        }
    );
}

fn decoded(format: Format, bits: u128) -> rug::Float {
    let value = roundproof_exact::decode(format, Encoding::from_bits(bits)).and_then(|datum| datum.rational());
    rug::Float::with_val(format.precision(), value.expect("finite operands"))
}

fn berkeley_mode(mode: RoundingMode) -> BerkeleyMode {
    match mode {
        RoundingMode::TiesToEven => BerkeleyMode::TiesToEven,
        RoundingMode::TiesToAway => BerkeleyMode::TiesToAway,
        RoundingMode::TowardPositive => BerkeleyMode::TowardPositive,
        RoundingMode::TowardNegative => BerkeleyMode::TowardNegative,
        RoundingMode::TowardZero => BerkeleyMode::TowardZero,
    }
}

fn apfloat_mode(mode: RoundingMode) -> ApfloatRound {
    match mode {
        RoundingMode::TiesToEven => ApfloatRound::NearestTiesToEven,
        RoundingMode::TiesToAway => ApfloatRound::NearestTiesToAway,
        RoundingMode::TowardPositive => ApfloatRound::TowardPositive,
        RoundingMode::TowardNegative => ApfloatRound::TowardNegative,
        RoundingMode::TowardZero => ApfloatRound::TowardZero,
    }
}

fn mpfr_mode(mode: RoundingMode) -> Option<Round> {
    match mode {
        RoundingMode::TiesToEven => Some(Round::Nearest),
        RoundingMode::TiesToAway => None,
        RoundingMode::TowardPositive => Some(Round::Up),
        RoundingMode::TowardNegative => Some(Round::Down),
        RoundingMode::TowardZero => Some(Round::Zero),
    }
}
