//! Box networks of random data sets: every row gives its label, and every input what the path gives.

use proptest::prelude::*;
use roundproof_construct::point::memorize;
use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Dataset, Encodings};
use roundproof_onnx::ELEMENTS;
use roundproof_softfloat::{compare, next_down, next_up};

use crate::evaluate::evaluate;
use crate::{exported, on_its_path, path_model};

/// A data set whose rows differ, of one or two inputs.
fn dataset() -> impl Strategy<Value = Dataset> {
    let format = prop::sample::select(
        ELEMENTS.iter().map(|(format, _)| *format).filter(|f| f.width() <= 16).collect::<Vec<_>>(),
    );
    (format, 1..3usize, prop::collection::vec(any::<[u16; 3]>(), 1..8)).prop_map(|(format, dimension, rows)| {
        let value = |bits: u16| {
            let value = Encoding::from_bits(u128::from(bits) & ((1 << format.width()) - 1));
            if format.is_finite(value) { value } else { format.one(false) }
        };
        let mut kept: Vec<[Encoding; 3]> = Vec::new();
        for row in rows.into_iter().map(|row| row.map(value)) {
            let equal = |a: &[Encoding], b: &[Encoding]| {
                a.iter().zip(b).all(|(a, b)| compare(format, *a, *b).is_some_and(|order| order.is_eq()))
            };
            if kept.iter().all(|other| !equal(&row[..dimension], &other[..dimension])) {
                kept.push(row);
            }
        }
        let inputs = kept.iter().flat_map(|row| row[..dimension].to_vec());
        let labels = kept.iter().map(|row| row[2]);
        let (inputs, labels) = (Encodings::collect(format, inputs), Encodings::collect(format, labels));
        Dataset::new(format, dimension, 1, inputs, labels).expect("a data set")
    })
}

/// The ends of the format, zeros, and what is beside the values of the data set.
fn adversarial(data: &Dataset) -> Vec<Vec<Encoding>> {
    let format: Format = data.format();
    let mut values: Vec<Encoding> =
        [format.largest(true), format.largest(false), format.negative_zero()].into_iter().flatten().collect();
    values.extend([format.zero(), next_up(format, format.zero()), next_down(format, format.zero())]);
    values.extend(data.inputs().iter().flat_map(|value| [next_down(format, value), value, next_up(format, value)]));
    let all: Vec<Vec<Encoding>> = match data.dimension() {
        1 => values.iter().map(|&value| vec![value]).collect(),
        _ => values.iter().flat_map(|&a| values.iter().map(move |&b| vec![a, b])).collect(),
    };
    all.into_iter().filter(|row| row.iter().all(|&value| format.is_finite(value))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn rows_give_their_labels(data in dataset(), step in any::<bool>()) {
        let format = data.format();
        let activation = if step { Activation::Step } else { Activation::Relu };
        let Ok(built) = memorize(&data, activation) else { return Ok(()) };
        let rows: Vec<Vec<Encoding>> =
            (0..data.rows()).map(|row| (0..data.dimension()).map(|column| data.input(row, column)).collect()).collect();
        for model in ["all", "paper"] {
            let model = path_model(model, format);
            let graph = exported(&built.network, &model).expect("a model in ONNX");
            for (row, given) in evaluate(&graph, &rows).expect("a graph").iter().enumerate() {
                let order = compare(format, given[0], data.label(row, 0));
                prop_assert!(order.is_some_and(|order| order.is_eq()), "{format}, row {row} of {data:?}: {given:?}");
            }
            let far = adversarial(&data);
            prop_assert_eq!(evaluate(&graph, &far).expect("a graph"), on_its_path(&built.network, &model, &far));
        }
    }
}
