//! Small formats, every model, and sums drawn from all their data: each claim of the crate against brute force.

mod blocks;
mod enumeration;
mod evaluation;
mod exact;
mod reachable;
mod searching;
mod targets;

use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_network::{Activation, PathModel, Rounding};
use roundproof_softfloat::{encode, negate, order_key};

use crate::machine::{Machine, Sum, Term};
use crate::random::Random;

/// Formats of 4 to 8 bits with every scheme of special values, p = 1 and `F(p)`.
const FORMATS: &[&str] = &[
    "float4_e2m1fn",
    "float6_e3m2fn",
    "float8_e3m4",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e4m3b11fnuz",
    "float8_e5m2",
    "p=2,emin=-1,emax=1",
    "p=3,emin=-1,emax=2",
    "p=1,emin=-2,emax=2,specials=finite",
    "F(2)",
    "F(3)",
];

/// Changes to a model, applied where the format supports them.
const MODELS: &[&str] = &[
    "all",
    "paper",
    "all,order=left-to-right",
    "all,contraction=none",
    "all,subnormals=flush",
    "paper,order=any,contraction=any",
    "all,rounding=toward-zero",
    "all,rounding=toward-positive,subnormals=flush",
    "all,rounding=toward-negative,order=left-to-right",
    "paper,subnormals=flush",
    "all,overflow=saturate",
    "all,overflow=nan",
    "all,overflow=nan,rounding=ties-to-even",
    "all,accumulator=float8_e4m3fn",
    "all,overflow=nan,accumulator=float8_e5m2",
    "all,accumulator=binary16",
    "all,subnormals=flush,accumulator=p=6,emin=-15,emax=16",
    "paper,order=any,accumulator=bfloat16",
    "all,accumulator=p=5,emin=-8,emax=9,specials=fn/nan",
    "all,accumulator=F(5)",
    "all,accumulator=bfloat16/saturate",
    "all,accumulator=float8_e5m2/saturate",
    "all,contraction=none,accumulator=float8_e5m2/nan",
    "paper,order=any,overflow=saturate,accumulator=p=6,emin=-15,emax=16,specials=finite",
];

fn machines() -> impl Iterator<Item = Machine> {
    FORMATS.iter().flat_map(|name| {
        let format: Format = name.parse().unwrap();
        let models = MODELS.iter().filter_map(move |text| PathModel::parse(text, format).ok());
        models.map(move |model| Machine::new(format, &model).unwrap())
    })
}

/// A datum, finite unless `special`; in `F(p)` one with a small exponent.
fn datum(random: &mut Random, format: Format, special: bool) -> Encoding {
    if !format.is_bounded() {
        let significand = random.below(1 << format.precision());
        return encode(format, random.coin(), significand.into(), i64::from(random.below(5)) - 2).unwrap();
    }
    loop {
        let bits = match format.width() {
            width @ ..32 => random.below(1 << width).into(),
            width => (0..4).fold(0, |bits, _| bits << 32 | u128::from(random.below(u32::MAX))) >> (128 - width),
        };
        let value = Encoding::from_bits(bits);
        let class = format.class(value);
        if format.is_finite(value) || (special && class != roundproof_format::Class::Invalid) {
            return value;
        }
    }
}

/// Any activation, with any parameters that it may have.
fn activation(random: &mut Random, format: Format) -> Activation {
    let (one, other) = (datum(random, format, false), datum(random, format, false));
    let without = Activation::WITHOUT_PARAMETERS;
    match random.below(without.len() as u32 + 2) {
        0 => Activation::LeakyRelu { slope: one },
        1 if order_key(format, one) <= order_key(format, other) => Activation::Clip { low: one, high: other },
        1 => Activation::Clip { low: other, high: one },
        place => without[place as usize - 2],
    }
}

/// A sum of at most `most` products; one in four with small integers, so that cancellation and grids are met.
fn random_sum(random: &mut Random, format: Format, most: u32) -> Sum {
    let count = random.below(most + 1);
    let (small, special) = (random.below(4) == 0, random.below(4) == 0);
    let mut value = |special: bool| {
        if random.below(6) == 0 {
            format.zero()
        } else if small {
            let values = [0, 1, 1, 2].map(|n| encode(format, false, n, 0).unwrap_or(format.one(false)));
            let value = values[random.below(4) as usize];
            if random.coin() { negate(format, value) } else { value }
        } else {
            datum(random, format, special)
        }
    };
    let terms = (0..count).map(|_| Term { weight: value(false), input: value(special) }).collect();
    Sum { terms, bias: value(false) }
}

/// Every direction that the model allows, all five where it may choose.
fn every_mode(machine: &Machine) -> Vec<RoundingMode> {
    match machine.model().rounding {
        Rounding::Mode(mode) => vec![mode],
        Rounding::Any => RoundingMode::ALL.to_vec(),
    }
}
