//! Random networks of every form of step, and that rounding twice is rounding once.

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Specials};
use roundproof_network::PathModel;
use roundproof_onnx::{ELEMENTS, ExportError};
use roundproof_softfloat::Arithmetic;

use crate::evaluate::evaluate;
use crate::networks::{Numbers, random_network};
use crate::{exported, on_its_path};

const MODELS: [&str; 6] = [
    "all",
    "paper",
    "all,accumulator=binary32",
    "paper,accumulator=binary64",
    "all,overflow=saturate",
    "all,overflow=nan,subnormals=flush",
];

/// Any inputs, NaN among them, and infinities unless sums saturate: they would stay infinite where a Cast does not leave them so.
fn inputs(numbers: &mut Numbers, format: Format, overflow: Overflow, count: usize) -> Vec<Encoding> {
    let special =
        [format.infinity(true), format.infinity(false), format.nan(), format.negative_zero(), format.largest(false)];
    let is_admitted =
        |value: &Encoding| overflow == Overflow::Ieee || format.is_finite(*value) || format.is_nan(*value);
    let special: Vec<Encoding> = special.into_iter().flatten().filter(is_admitted).collect();
    (0..count).map(|_| if numbers.below(8) == 0 { numbers.pick(&special) } else { numbers.value(format) }).collect()
}

#[test]
fn the_graph_is_the_path_that_it_is_said_to_be() {
    let mut numbers = Numbers::new(1);
    for &(format, _) in ELEMENTS {
        let mut exports = [0; MODELS.len()];
        for round in 0..40 {
            let network = random_network(&mut numbers, format);
            for (index, text) in MODELS.iter().enumerate() {
                let Ok(model) = PathModel::parse(text, format) else { continue };
                let graph = match exported(&network, &model) {
                    Ok(graph) => graph,
                    Err(ExportError::Overflow { .. } | ExportError::Narrowing { .. } | ExportError::Model(_)) => {
                        continue;
                    }
                    Err(error) => panic!("{format}, {text}: {error}"),
                };
                exports[index] += 1;
                let width = network.input_dimension();
                let rows: Vec<_> = (0..20).map(|_| inputs(&mut numbers, format, model.overflow, width)).collect();
                let given = evaluate(&graph, &rows).unwrap_or_else(|error| panic!("{format}, {text}: {error}"));
                assert_eq!(
                    given,
                    on_its_path(&network, &model, &rows),
                    "{format}, {text}, network {round}: {network:?}"
                );
            }
        }
        assert!(exports.iter().any(|&count| count > 10), "{format}: {exports:?}");
    }
}

/// Sums and products of two values, in binary32 and then rounded to the format, beside those that are rounded once: of formats of
/// 8 bits all, of 16 bits those near each other and near the ends, and any.
#[test]
fn by_way_of_binary32_is_once() {
    let nearest = RoundingMode::TiesToEven;
    let wide = Arithmetic::new(Format::BINARY32, Overflow::Ieee).expect("a policy");
    let mut numbers = Numbers::new(2);
    for &(format, _) in &ELEMENTS[..6] {
        let overflow = format.default_overflow();
        let narrow = Arithmetic::new(format, overflow).expect("a policy");
        let check = |a: Encoding, b: Encoding| {
            let (x, y) = (wide.convert(nearest, format, a).encoding, wide.convert(nearest, format, b).encoding);
            let back = |value| narrow.convert(nearest, Format::BINARY32, value).encoding;
            // A saturating sum of infinities is that of a format that has them.
            if overflow == Overflow::Ieee || (format.is_finite(a) && format.is_finite(b)) {
                assert_eq!(
                    back(wide.add(nearest, x, y).encoding),
                    narrow.add(nearest, a, b).encoding,
                    "{format}: {a:?} + {b:?}"
                );
                let product = narrow.multiply(nearest, a, b).encoding;
                assert_eq!(back(wide.multiply(nearest, x, y).encoding), product, "{format}: {a:?} * {b:?}");
            }
        };
        if format.width() == 8 {
            format.encodings().for_each(|a| format.encodings().for_each(|b| check(a, b)));
            continue;
        }
        assert_eq!(format.specials(), Some(Specials::Ieee));
        for _ in 0..200_000 {
            let a = numbers.below(1 << 16) as u128;
            let near = (a & 0x7fff).wrapping_add(numbers.below(1 << 10) as u128) & 0x7fff;
            let reciprocal = (0x7f80u128 + numbers.below(1 << 10) as u128).wrapping_sub(a) & 0x7fff;
            let b = [numbers.below(1 << 16) as u128, near, near | 0x8000, reciprocal];
            check(Encoding::from_bits(a), Encoding::from_bits(numbers.pick(&b)));
        }
        // Products about half the least value, and sums about the largest.
        for a in 1..=0x200u128 {
            for exponent in 0..1u128 << format.exponent_bits() {
                for b in [0, 1, 2, 0x3f, (1 << format.trailing_bits()) - 1] {
                    check(Encoding::from_bits(a), Encoding::from_bits(exponent << format.trailing_bits() | b));
                }
            }
        }
    }
}
