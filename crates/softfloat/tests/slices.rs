//! The slice kernels against the integer arithmetic, encoding by encoding.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};

use roundproof_format::{Encoding, Overflow, RoundingMode};
use roundproof_softfloat::slices::{self, AccumulateIn, Block, Hardware, LengthMismatch, Rows, affine};
use roundproof_softfloat::{
    Arithmetic, Bfloat16, Binary16, Binary32, Binary64, BothNeighbours, Faithful, Float8E3m4, Float8E4m3, Float8E5m2,
};

type Elementwise<B> = fn(RoundingMode, &[B], &[B], &mut [B]) -> Result<(), LengthMismatch>;
type Pairwise<B> = fn(&[B], &[B], &mut [B], &mut [B]) -> Result<(), LengthMismatch>;

/// An operation on slices, and what it should be.
struct Operation<B> {
    name: &'static str,
    slices: Elementwise<B>,
    faithful: Pairwise<B>,
    scalar: fn(&Arithmetic, RoundingMode, Encoding, Encoding) -> Encoding,
    both: fn(&Arithmetic, Encoding, Encoding) -> Faithful,
}

fn operations<H: Hardware>() -> [Operation<H::Bits>; 3] {
    macro_rules! operation {
        ($name:ident, $faithful:ident) => {
            Operation {
                name: stringify!($name),
                slices: slices::$name::<H>,
                faithful: slices::$faithful::<H>,
                scalar: |arithmetic, mode, a, b| arithmetic.$name(mode, a, b).encoding,
                both: |arithmetic, a, b| arithmetic.$name(BothNeighbours, a, b),
            }
        };
    }
    [operation!(add, add_faithful), operation!(multiply, multiply_faithful), operation!(subtract, subtract_faithful)]
}

fn encoding<B: Into<u128>>(bits: B) -> Encoding {
    Encoding::from_bits(bits.into())
}

/// Every direction, or the faithful pair for `None`.
fn compare<B: Copy + Default + Debug + Eq + Into<u128>>(
    arithmetic: &Arithmetic,
    operation: &Operation<B>,
    mode: Option<RoundingMode>,
    (a, b): (&[B], &[B]),
    [first, second]: [&mut Vec<B>; 2],
) {
    first.resize(a.len(), B::default());
    second.resize(a.len(), B::default());
    let fail = |a: B, b: B, ours: Encoding, theirs: Encoding| {
        let (format, name) = (arithmetic.format(), operation.name);
        panic!("{name} of {:?}, {:?} in {format}, {mode:?}: {ours:?} instead of {theirs:?}", encoding(a), encoding(b))
    };
    match mode {
        Some(mode) => {
            (operation.slices)(mode, a, b, first).expect("equal lengths");
            for ((&a, &b), &ours) in a.iter().zip(b).zip(&*first) {
                let theirs = (operation.scalar)(arithmetic, mode, encoding(a), encoding(b));
                if encoding(ours) != theirs {
                    fail(a, b, encoding(ours), theirs);
                }
            }
        }
        None => {
            (operation.faithful)(a, b, first, second).expect("equal lengths");
            for ((&a, &b), (&below, &above)) in a.iter().zip(b).zip(first.iter().zip(&*second)) {
                let theirs = (operation.both)(arithmetic, encoding(a), encoding(b));
                if (encoding(below), encoding(above)) != (theirs.below, theirs.above) {
                    fail(a, b, encoding(below), theirs.below);
                }
            }
        }
    }
}

fn directions() -> impl Iterator<Item = Option<RoundingMode>> {
    RoundingMode::ALL.iter().map(|&mode| Some(mode)).chain([None])
}

/// A linear congruential generator.
struct Random(u128);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x9e37_79b9_7f4a_7c15);
        (self.0 >> 64) as u64
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The parameters of an encoding.
#[derive(Clone, Copy)]
struct Layout {
    trailing: u32,
    fields: u64,
}

impl Layout {
    fn encode(self, negative: bool, field: u64, significand: u64) -> u64 {
        let sign = u64::from(negative) << (self.trailing + self.fields.ilog2());
        sign | field << self.trailing | significand & ((1 << self.trailing) - 1)
    }

    /// Gathered where roundings are hard: few bits set or clear, exponents at the ends.
    fn operand(self, random: &mut Random) -> u64 {
        let ones = (1 << self.trailing) - 1;
        let shift = random.below(u64::from(self.trailing) + 1);
        let significand = match random.below(9) {
            0 => ones << shift,
            1 => ones >> shift,
            2 => 1 << shift,
            3 => 1 << shift | 1,
            4 => 0,
            5 => 1 << (self.trailing - 1) | random.below(3),
            6 => random.next() << shift,
            _ => random.next(),
        };
        let field = match random.below(6) {
            0 => random.below(4),
            1 => self.fields - 1 - random.below(4),
            2 => self.fields / 2 - 2 + random.below(4),
            _ => random.below(self.fields),
        };
        self.encode(random.below(2) == 1, field, significand)
    }

    fn pair(self, random: &mut Random) -> (u64, u64) {
        let (a, b) = (self.operand(random), self.operand(random));
        let (field, ones) = (a >> self.trailing & (self.fields - 1), self.fields - 2);
        let precision = u64::from(self.trailing) + 1;
        let near = |random: &mut Random, field: u64, distance: u64| {
            (field + random.below(2 * distance + 1)).saturating_sub(distance).min(ones)
        };
        let b = match random.below(6) {
            // Cancels, all or nearly.
            0 => (a ^ 1 << (self.trailing + self.fields.ilog2())).wrapping_add(random.below(7)).wrapping_sub(3),
            // Overlaps: exponents apart by up to the precision and a little.
            1 => self.encode(b & 1 == 1, near(random, field, precision + 2), b),
            // The product is near the least value, the least normal one, the largest.
            2 => {
                let bias = self.fields / 2 - 1;
                let end = [bias.saturating_sub(precision), bias, bias + ones][random.below(3) as usize];
                let wanted = near(random, end, 3).max(near(random, end, precision)).saturating_sub(field);
                self.encode(random.below(2) == 1, wanted.min(ones), b)
            }
            // A significand of few bits: products that are ties.
            3 => b >> (precision / 2) << (precision / 2),
            _ => b,
        };
        (a, b)
    }
}

/// Every operation and direction on these many pairs.
fn sampled<H: Hardware>(pairs: usize) {
    let arithmetic = Arithmetic::new(H::FORMAT, Overflow::Ieee).expect("an IEEE format");
    let layout = Layout { trailing: H::FORMAT.trailing_bits(), fields: 1 << H::FORMAT.exponent_bits() };
    let mut random = Random(u128::from(layout.fields));
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let bits = |bits: u64| H::Bits::try_from(u128::from(bits) & ((1 << H::FORMAT.width()) - 1)).ok().expect("its bits");
    for _ in 0..pairs {
        let (x, y) = layout.pair(&mut random);
        a.push(bits(x));
        b.push(bits(y));
    }
    for operation in operations::<H>() {
        for mode in directions() {
            compare(&arithmetic, &operation, mode, (&a, &b), [&mut Vec::new(), &mut Vec::new()]);
        }
    }
}

macro_rules! sampled {
    ($($name:ident, $format:ident;)+) => { $(
        #[test]
        fn $name() {
            sampled::<$format>(1_000_003);
        }
    )+ };
}

sampled! {
    binary16, Binary16;
    bfloat16, Bfloat16;
    binary32, Binary32;
    binary64, Binary64;
}

/// Every operation and direction on all pairs of encodings of 8 bits.
fn all_pairs<H: Hardware<Bits = u8>>() {
    let arithmetic = Arithmetic::new(H::FORMAT, Overflow::Ieee).expect("an IEEE format");
    let (a, b): (Vec<u8>, Vec<u8>) = (0..=u8::MAX).flat_map(|a| (0..=u8::MAX).map(move |b| (a, b))).unzip();
    for operation in operations::<H>() {
        for mode in directions() {
            compare(&arithmetic, &operation, mode, (&a, &b), [&mut Vec::new(), &mut Vec::new()]);
        }
    }
}

#[test]
fn eight_bits() {
    all_pairs::<Float8E3m4>();
    all_pairs::<Float8E4m3>();
    all_pairs::<Float8E5m2>();
}

/// All pairs of encodings of 16 bits in these directions, on all processors.
fn enumerated<H: Hardware<Bits = u16>>(operation: usize, mode: Option<RoundingMode>) {
    let arithmetic = Arithmetic::new(H::FORMAT, Overflow::Ieee).expect("an IEEE format");
    let operation = &operations::<H>()[operation];
    let all: &Vec<u16> = &(0..=u16::MAX).collect();
    let next = &AtomicU32::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let (mut first, mut second) = (Vec::new(), Vec::new());
                while let Ok(a) = u16::try_from(next.fetch_add(1, Ordering::Relaxed)) {
                    let same = vec![a; all.len()];
                    compare(&arithmetic, operation, mode, (&same, all), [&mut first, &mut second]);
                }
            });
        }
    });
    assert!(next.load(Ordering::Relaxed) > u32::from(u16::MAX));
}

macro_rules! enumerated {
    ($($name:ident, $format:ident, $operation:literal;)+) => { $(
        mod $name {
            use super::*;

            enumerated!(in $format, $operation;
                ties_to_even Some(RoundingMode::TiesToEven);
                ties_to_away Some(RoundingMode::TiesToAway);
                toward_positive Some(RoundingMode::TowardPositive);
                toward_negative Some(RoundingMode::TowardNegative);
                toward_zero Some(RoundingMode::TowardZero);
                faithful None;
            );
        }
    )+ };
    (in $format:ident, $operation:literal; $($name:ident $mode:expr;)+) => { $(
        #[test]
        #[ignore = "every pair of encodings: minutes with --release"]
        fn $name() {
            enumerated::<$format>($operation, $mode);
        }
    )+ };
}

enumerated! {
    every_sum_of_binary16, Binary16, 0;
    every_product_of_binary16, Binary16, 1;
    every_sum_of_bfloat16, Bfloat16, 0;
    every_product_of_bfloat16, Bfloat16, 1;
}

#[test]
fn lengths_differ() {
    let (two, mut three) = ([0; 2], [0; 3]);
    let error = Err(LengthMismatch { expected: 2, found: 3 });
    assert_eq!(slices::add::<Binary32>(RoundingMode::TiesToEven, &two, &two, &mut three), error);
    assert_eq!(slices::multiply::<Binary32>(RoundingMode::TiesToEven, &two, &three.clone(), &mut three), error);
    assert_eq!(slices::add_faithful::<Binary32>(&two, &two, &mut [0; 2], &mut three), error);
}

#[test]
fn every_length() {
    for length in 0..200 {
        let a: Vec<u64> = (0..length).map(|i| (f64::from(i) + 0.1).to_bits()).collect();
        let mut sums = vec![0; a.len()];
        slices::add::<Binary64>(RoundingMode::TiesToEven, &a, &a, &mut sums).expect("equal lengths");
        assert!(a.iter().zip(sums).all(|(&a, sum)| sum == (2.0 * f64::from_bits(a)).to_bits()));
    }
}

/// Many short dot products, every direction.
fn dots<H: AccumulateIn<A>, A: Hardware>() {
    let arithmetic = |format| Arithmetic::new(format, Overflow::Ieee).expect("an IEEE format");
    let (narrow, wide) = (arithmetic(H::FORMAT), arithmetic(A::FORMAT));
    let layout = Layout { trailing: H::FORMAT.trailing_bits(), fields: 1 << H::FORMAT.exponent_bits() };
    let mut random = Random(1);
    let even = RoundingMode::TiesToEven;
    for length in (0..150).cycle().take(5_000) {
        // Exponents near one another, else one product decides.
        let span = layout.fields.min(20);
        let near = random.below(layout.fields - span + 1);
        let mut element = || {
            let field = if random.below(200) == 0 { random.below(layout.fields) } else { near + random.below(span) };
            let bits = layout.encode(random.below(2) == 1, field, random.next());
            H::Bits::try_from(bits.into()).ok().expect("its bits")
        };
        let (a, b): (Vec<_>, Vec<_>) = (0..length).map(|_| (element(), element())).unzip();
        let mut sum = A::FORMAT.zero();
        for (&a, &b) in a.iter().zip(&b) {
            let [a, b] = [a, b].map(|bits| wide.convert(even, H::FORMAT, encoding(bits)).encoding);
            sum = wide.add(even, sum, wide.multiply(even, a, b).encoding).encoding;
        }
        for &mode in RoundingMode::ALL {
            let ours = slices::dot::<H, A>(mode, &a, &b).map(encoding);
            assert_eq!(ours, Ok(narrow.convert(mode, A::FORMAT, sum).encoding), "{a:?}, {b:?} in {mode}");
        }
    }
}

#[test]
fn dot_products() {
    dots::<Binary16, Binary32>();
    dots::<Float8E5m2, Binary32>();
    dots::<Bfloat16, Binary32>();
    dots::<Binary16, Binary64>();
    dots::<Bfloat16, Binary64>();
    dots::<Binary32, Binary64>();
    assert_eq!(slices::dot::<Binary16, Binary32>(RoundingMode::TiesToEven, &[0], &[]).unwrap_err().found, 0);
}

/// `weight * input + bias`.
struct Term<B>(B, B);

impl<B: Copy> Rows<B> for Term<B> {
    fn rows(&self) -> usize {
        1
    }

    fn terms(&self, _: usize) -> impl Iterator<Item = (usize, B)> {
        std::iter::once((0, self.0))
    }

    fn bias(&self, _: usize) -> B {
        self.1
    }
}

/// Sums and products of hard cases with each of `inputs`, by themselves and one after the other.
fn terms<H: Hardware>(inputs: &[u128], cases: usize) {
    const L: usize = 32;
    let arithmetic = Arithmetic::new(H::FORMAT, Overflow::Ieee).expect("an IEEE format");
    let layout = Layout { trailing: H::FORMAT.trailing_bits(), fields: 1 << H::FORMAT.exponent_bits() };
    let bits = |bits: u128| H::Bits::try_from(bits & ((1 << H::FORMAT.width()) - 1)).ok().expect("its bits");
    let (zero, one) = (H::FORMAT.zero(), H::FORMAT.one(false));
    let mut random = Random(7);
    let mut finite = || loop {
        let datum = encoding(bits(layout.operand(&mut random).into()));
        if H::FORMAT.is_finite(datum) {
            return datum;
        }
    };
    for case in 0..cases {
        // A bias of -0 leaves all sums as they are, toward negative one of +0.
        let minus = H::FORMAT.negative_zero().expect("a negative zero");
        let (weight, bias) = (finite(), finite());
        for &mode in RoundingMode::ALL {
            let weak = if mode == RoundingMode::TowardNegative { zero } else { minus };
            let (weight, bias) = [(one, bias), (weight, weak), (weight, bias)][case % 3];
            let matrix = Term(bits(weight.bits()), bits(bias.bits()));
            for chunk in inputs.chunks(L) {
                let mut block = Block::<H::Bits, L>::default();
                block.push(std::array::from_fn(|i| bits(chunk[i % chunk.len()])));
                let given = affine::<H, _, L>(mode, &matrix, &block, |_| ());
                for (&input, &given) in chunk.iter().zip(given.get(0)) {
                    let input = encoding(bits(input));
                    let product = arithmetic.multiply(mode, weight, input).encoding;
                    let right = arithmetic.add(mode, product, bias).encoding;
                    assert_eq!(encoding(given), right, "{weight:?} * {input:?} + {bias:?} in {}, {mode}", H::FORMAT);
                }
            }
        }
    }
}

#[test]
fn affine_maps() {
    let all = |width: u32| -> Vec<u128> { (0..1 << width).collect() };
    terms::<Float8E3m4>(&all(8), 600);
    terms::<Float8E4m3>(&all(8), 600);
    terms::<Float8E5m2>(&all(8), 600);
    terms::<Binary16>(&all(16), 60);
    terms::<Bfloat16>(&all(16), 60);
    let sampled = |trailing, fields| -> Vec<u128> {
        let (layout, mut random) = (Layout { trailing, fields }, Random(8));
        (0..4000).map(|_| layout.operand(&mut random).into()).collect()
    };
    terms::<Binary32>(&sampled(23, 1 << 8), 300);
    terms::<Binary64>(&sampled(52, 1 << 11), 300);
}

#[test]
fn activations() {
    fn all<H: Hardware>(bits: impl Iterator<Item = H::Bits>) {
        let mut relus: Vec<H::Bits> = bits.collect();
        let (before, mut steps) = (relus.clone(), relus.clone());
        slices::relu::<H>(&mut relus);
        slices::step::<H>(&mut steps);
        for ((a, relu), step) in before.into_iter().map(encoding).zip(relus).zip(steps) {
            assert_eq!(encoding(relu), roundproof_softfloat::relu(H::FORMAT, a), "relu of {a:?} in {}", H::FORMAT);
            assert_eq!(encoding(step), roundproof_softfloat::step(H::FORMAT, a), "step of {a:?} in {}", H::FORMAT);
        }
    }
    all::<Float8E3m4>(0..=u8::MAX);
    all::<Float8E4m3>(0..=u8::MAX);
    all::<Float8E5m2>(0..=u8::MAX);
    all::<Binary16>(0..=u16::MAX);
    all::<Bfloat16>(0..=u16::MAX);
    let mut random = Random(9);
    let words: Vec<u64> = (0..100_000).map(|_| random.next()).collect();
    let ends = [0, 1, 2].into_iter().flat_map(|low| [0, 1 << 63, 0x7ff << 52, 0xfff << 52].map(|high| high + low));
    all::<Binary64>(words.iter().copied().chain(ends));
    let ends = [0, 1, 2].into_iter().flat_map(|low| [0, 1 << 31, 0xff << 23, 0x1ff << 23].map(|high| high + low));
    all::<Binary32>(words.iter().map(|&word| word as u32).chain(ends));
}
