//! Rows in blocks, on the host's arithmetic, against the definition: [`trace`], one operation after the other.

use roundproof_format::{Class, Encoding, Format, RoundingMode};
use roundproof_network::{Activation, Layer, Network, PathModel};

use crate::choose::{Arrangement, Fixed};
use crate::evaluate::{evaluate, evaluate_rows, trace};
use crate::machine::Machine;
use crate::random::Random;

/// The formats whose arithmetic the host has, and some that it has not.
const FORMATS: &[&str] = &[
    "float8_e3m4",
    "float8_e4m3",
    "float8_e5m2",
    "bfloat16",
    "binary16",
    "binary32",
    "binary64",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "tf32",
    "F(4)",
];

fn in_order(mode: RoundingMode) -> Fixed {
    Fixed { mode, arrangement: Arrangement::LeftToRight, contract: false, flush: false }
}

fn agree(network: &Network, rows: &[Vec<Encoding>], model: &PathModel, mode: RoundingMode) {
    let all: Vec<&[Encoding]> = rows.iter().map(Vec::as_slice).collect();
    let given = evaluate_rows(network, &all, model, &mut in_order(mode)).unwrap();
    assert_eq!(given.len(), rows.len());
    for (row, given) in rows.iter().zip(given) {
        let told = trace(network, row, model, &mut in_order(mode)).unwrap();
        let defined: Vec<Encoding> = told.layers.last().unwrap().iter().map(|neuron| neuron.value).collect();
        let name = network.format();
        assert_eq!(
            given,
            defined,
            "{name}, {mode}, {model}: {row:?} through {:?}",
            network.as_layers().expect("layers")
        );
        assert_eq!(evaluate(network, row, model, &mut in_order(mode)), Ok(defined), "{name}, {mode}: one row");
    }
}

/// A datum: often a zero, one, near the ends, or where an exponent is that of 1; of `F(p)` with a small exponent.
fn datum(random: &mut Random, format: Format, special: bool) -> Encoding {
    if !format.is_bounded() {
        return super::datum(random, format, false);
    }
    loop {
        let (width, trailing) = (format.width(), format.trailing_bits());
        let word = u128::from(random.below(u32::MAX)) << 32 | u128::from(random.below(u32::MAX));
        let sign = u128::from(random.coin()) << (width - 1);
        let significand = word & ((1 << trailing) - 1);
        let bits = match random.below(8) {
            0 | 1 => sign,
            2 => sign | format.one(false).bits(),
            3 => sign | significand,
            4 | 5 => {
                let field = (format.bias() as u128 + u128::from(random.below(8))).saturating_sub(4);
                sign | field << trailing | significand & !0 << (trailing / 2)
            }
            _ => word & ((1 << width) - 1),
        };
        let datum = Encoding::from_bits(bits);
        if format.is_finite(datum) || (special && format.class(datum) != Class::Invalid) {
            return datum;
        }
    }
}

fn random_network(random: &mut Random, format: Format) -> Network {
    let dimension = 1 + random.below(4) as usize;
    let mut inputs = dimension;
    let mut layers = Vec::new();
    for _ in 0..=random.below(3) {
        let in_blocks = [Activation::Step, Activation::Relu, Activation::Identity];
        // Now and then one that blocks do not have.
        let activation = match in_blocks.get(random.below(4) as usize) {
            Some(&one) => one,
            None => super::activation(random, format),
        };
        let mut layer = Layer::new(format, activation);
        for _ in 0..=random.below(6) {
            let kept: Vec<u32> = (0..inputs as u32).filter(|_| random.below(4) > 0).collect();
            let terms: Vec<(u32, Encoding)> = kept.into_iter().map(|c| (c, datum(random, format, false))).collect();
            layer.push(terms, datum(random, format, false));
        }
        inputs = layer.rows();
        layers.push(layer);
    }
    Network::new(format, dimension, layers).unwrap()
}

#[test]
fn rows_in_blocks_give_what_each_gives() {
    let mut random = Random::new(31, 0);
    for format in FORMATS.iter().map(|name| name.parse::<Format>().unwrap()) {
        for text in
            ["all", "paper,rounding=any", "all,overflow=saturate", "all,subnormals=flush", "all,accumulator=binary64"]
        {
            let Ok(model) = PathModel::parse(text, format) else { continue };
            for count in [1, 2, 7, 64, 67].into_iter().cycle().take(40) {
                let network = random_network(&mut random, format);
                let special = random.coin();
                // A column that is the same in all rows is zero in all of them, now and then.
                let row = |random: &mut Random| -> Vec<Encoding> {
                    (0..network.input_dimension()).map(|_| datum(random, format, special)).collect()
                };
                let mut rows: Vec<Vec<Encoding>> = (0..count).map(|_| row(&mut random)).collect();
                if random.coin() {
                    rows.iter_mut().for_each(|row| row[0] = format.zero());
                }
                let modes = RoundingMode::ALL;
                agree(&network, &rows, &model, modes[random.below(modes.len() as u32) as usize]);
            }
        }
    }
}

#[test]
fn every_pair_of_small_inputs_gives_what_it_should() {
    for format in [Format::FLOAT8_E3M4, Format::FLOAT8_E4M3, Format::FLOAT8_E5M2] {
        let model = PathModel::all(format);
        let mut random = Random::new(32, 0);
        let all = |_: ()| (0..1u128 << format.width()).map(Encoding::from_bits);
        let rows: Vec<Vec<Encoding>> = all(()).flat_map(|a| all(()).step_by(3).map(move |b| vec![a, b])).collect();
        for &mode in RoundingMode::ALL {
            let mut layer = Layer::new(format, Activation::Identity);
            let mut weight = || datum(&mut random, format, false);
            layer.push([(0, weight()), (1, weight())], weight());
            layer.push([(0, format.one(true)), (1, format.one(false))], format.zero());
            let network = Network::new(format, 2, vec![layer]).unwrap();
            agree(&network, &rows, &model, mode);
        }
    }
}

/// Sums of zeros of every sign, of inputs that are zero in all rows of a block and of some that are not.
#[test]
fn signs_of_zeros_are_those_of_the_definition() {
    for format in [Format::BFLOAT16, Format::BINARY16, Format::BINARY32, Format::BINARY64] {
        let model = PathModel::all(format);
        let (plus, minus) = (format.zero(), format.negative_zero().unwrap());
        let ones = [format.one(false), format.one(true), plus, minus];
        let mut layer = Layer::new(format, Activation::Identity);
        for bits in 0..1u32 << 10 {
            let pick = |place: u32| ones[(bits >> (2 * place) & 3) as usize];
            let kept = (0..4).filter(|&column| bits >> 9 == 0 || column != 1);
            layer.push(kept.map(|column| (column, pick(column))), pick(4));
        }
        let network = Network::new(format, 4, vec![layer]).unwrap();
        let values = [plus, minus, format.one(false), format.one(true)];
        let rows: Vec<Vec<Encoding>> =
            (0..16usize).map(|row| vec![plus, values[row & 3], values[row >> 2], plus]).collect();
        for &mode in RoundingMode::ALL {
            agree(&network, &rows, &model, mode);
        }
    }
}

/// What is computed while a path is drawn is what the path gives once it is written down; and as many words are drawn.
#[test]
fn random_paths_give_what_they_give_written_down() {
    let mut random = Random::new(33, 0);
    for format in FORMATS.iter().map(|name| name.parse::<Format>().unwrap()) {
        for text in
            ["all", "paper,rounding=any", "all,contraction=none", "all,rounding=ties-to-away", "all,subnormals=flush"]
        {
            let model = PathModel::parse(text, format).unwrap();
            for path in 0..60 {
                let network = random_network(&mut random, format);
                let special = random.coin();
                let row: Vec<Encoding> =
                    (0..network.input_dimension()).map(|_| datum(&mut random, format, special)).collect();
                let told = trace(&network, &row, &model, &mut Random::new(34, path)).unwrap();
                let defined: Vec<Encoding> = told.layers.last().unwrap().iter().map(|neuron| neuron.value).collect();
                let given = evaluate(&network, &row, &model, &mut Random::new(34, path));
                assert_eq!(
                    given,
                    Ok(defined),
                    "{format}, {model}: {row:?} through {:?}",
                    network.as_layers().expect("layers")
                );
            }
        }
    }
}

/// Whichever fixed paths are taken for ones from left to right.
#[test]
fn fixed_paths_give_what_they_give_written_down() {
    let mut random = Random::new(35, 0);
    for format in FORMATS.iter().map(|name| name.parse::<Format>().unwrap()) {
        for text in ["all", "all,subnormals=flush", "paper,subnormals=flush", "all,contraction=none"] {
            let model = PathModel::parse(text, format).unwrap();
            let machine = Machine::new(format, &model).unwrap();
            for fixed in Fixed::all(&machine, RoundingMode::ALL) {
                let network = random_network(&mut random, format);
                let row: Vec<Encoding> =
                    (0..network.input_dimension()).map(|_| datum(&mut random, format, false)).collect();
                let told = trace(&network, &row, &model, &mut { fixed }).unwrap();
                let defined: Vec<Encoding> = told.layers.last().unwrap().iter().map(|neuron| neuron.value).collect();
                let given = evaluate(&network, &row, &model, &mut { fixed });
                assert_eq!(
                    given,
                    Ok(defined),
                    "{format}, {model}, {fixed:?}: {row:?} through {:?}",
                    network.as_layers().expect("layers")
                );
            }
        }
    }
}
