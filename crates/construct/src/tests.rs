use roundproof_format::{Encoding, Format, NAMED};
use roundproof_kernel::{Claim, Evidence, Node, Subject, Verdict, check};
use roundproof_network::{Activation, Dataset, Encodings, PathModel};
use roundproof_paths::{Enumeration, Keep, Machine, Sum, Term};
use roundproof_softfloat::{encode, order_key};

use super::*;

fn dataset(format: Format, dimension: usize, inputs: &[u128], labels: &[u128]) -> Dataset {
    let column = |bits: &[u128]| Encodings::collect(format, bits.iter().map(|&b| Encoding::from_bits(b)));
    Dataset::new(format, dimension, 1, column(inputs), column(labels)).expect("well formed")
}

fn judge(data: &Dataset, construction: &Construction) -> Result<Verdict, roundproof_kernel::Rejection> {
    let claim = Claim::memorizes(&construction.network, data, PathModel::all(data.format()));
    check(&claim, &Subject::memorizing(&construction.network, data), &construction.evidence, &mut |_, _| ())
}

/// Every finite value of a format as a row, labelled with the next one.
fn everything(format: Format) -> Dataset {
    let mut values: Vec<u128> = format.encodings().filter(|&e| format.is_finite(e)).map(Encoding::bits).collect();
    values.retain(|&bits| Some(Encoding::from_bits(bits)) != format.negative_zero());
    let mut labels = values.clone();
    labels.rotate_left(1);
    dataset(format, 1, &values, &labels)
}

#[test]
fn every_function_on_a_small_format_is_memorized() {
    for (name, format, _) in NAMED.iter().filter(|(_, format, _)| format.width() <= 8) {
        let data = everything(*format);
        let step = point::memorize(&data, Activation::Step).expect(name);
        assert_eq!(judge(&data, &step), Ok(Verdict::Proved), "{name} step");
        match point::memorize(&data, Activation::Relu) {
            Ok(relu) => assert_eq!(judge(&data, &relu), Ok(Verdict::Proved), "{name} relu"),
            Err(error) => {
                assert_eq!(*name, "float8_e4m3b11fnuz", "{error}");
                assert!(matches!(error, ConstructError::NoScale { .. }));
            }
        }
    }
}

#[test]
fn the_reference_count_is_met_away_from_the_ends() {
    let f = Format::BFLOAT16;
    let data = dataset(f, 2, &[0x3f80, 0x4000, 0xbf80, 0x0001, 0x3f80, 0x4040], &[0, 0x3f80, 0x4000]);
    for activation in [Activation::Step, Activation::Relu] {
        let built = point::memorize(&data, activation).expect("no conflict");
        // One output bias, zero, is stored beyond the count.
        assert_eq!(reference_parameters(3, 2, 1) + 1, built.network.parameters());
        assert_eq!(reference_parameters(3, 2, 1), 6 * 2 * 3 + 2 * 3);
        assert_eq!(reference_parameters(u64::MAX, 1, 1), 8 * u128::from(u64::MAX));
        assert_eq!(judge(&data, &built), Ok(Verdict::Proved));
    }
}

#[test]
fn equal_rows_need_equal_labels() {
    let f = Format::BFLOAT16;
    let same = dataset(f, 1, &[0x3f80, 0x3f80, 0x0000, 0x8000], &[1, 1, 0x8000, 0]);
    let built = point::memorize(&same, Activation::Relu).expect("equal labels, zeros included");
    assert_eq!(built.network.as_layers().expect("layers")[1].rows(), 2);
    let conflicting = dataset(f, 1, &[0x0000, 0x3f80, 0x8000], &[1, 1, 2]);
    let error = point::memorize(&conflicting, Activation::Step).unwrap_err();
    assert_eq!(error, ConstructError::Conflict { first: 0, second: 2, output: 0, format: f });
}

#[test]
fn unbounded_formats_are_memorized_around_zero() {
    for precision in [1, 2, 8, 24] {
        let f = Format::unbounded(precision).expect("a format");
        let one = f.one(false).bits();
        let minus = f.one(true).bits();
        let data = dataset(f, 2, &[0, one, minus, 0, 0, 0, one, one], &[one, 0, minus, one]);
        for activation in [Activation::Step, Activation::Relu] {
            let built = point::memorize(&data, activation).expect("no conflict");
            assert_eq!(judge(&data, &built), Ok(Verdict::Proved), "{f} {activation}");
        }
    }
}

#[test]
fn a_single_point_at_zero_has_no_sides_in_an_unbounded_format() {
    let f = Format::unbounded(8).expect("a format");
    let data = dataset(f, 2, &[0, 0, 0, 0], &[f.one(false).bits(); 2]);
    for activation in [Activation::Step, Activation::Relu] {
        let built = point::memorize(&data, activation).expect("no conflict");
        assert_eq!(judge(&data, &built), Ok(Verdict::Proved), "{activation}");
    }
}

#[test]
fn copies_make_up_for_a_weak_penalty() {
    // emax = 1 leaves K and W at most 2: the gap 1/8 next to 1/8 needs 2 copies at K = 2.
    let f: Format = "p=3,emin=-1,emax=1,specials=finite".parse().expect("a format");
    let data = everything(f);
    let built = point::memorize(&data, Activation::Relu).expect("copies");
    assert!(reference_parameters(data.rows(), 1, 1) < built.network.parameters());
    assert_eq!(judge(&data, &built), Ok(Verdict::Proved));
}

#[test]
fn separators_stay_shallow() {
    let f = Format::BINARY16;
    let inputs: Vec<u128> = (0..1024u128).flat_map(|i| [i / 32, i % 32]).collect();
    let labels = vec![0u128; 1024];
    let built = point::memorize(&dataset(f, 2, &inputs, &labels), Activation::Step).expect("no conflict");
    let Evidence::BoxNetwork(separator) = built.evidence else { panic!("a box network") };
    let (mut depth, mut deepest) = (vec![false], 0);
    for node in &separator.nodes {
        deepest = deepest.max(depth.len());
        match node {
            Node::Split { .. } => depth.push(false),
            _ => {
                while depth.pop() == Some(true) {}
                depth.push(true);
            }
        }
    }
    assert!(deepest <= 16, "{deepest}");
}

#[test]
fn counted_ramps_need_a_slope_and_a_number() {
    let f = Format::BFLOAT16;
    let data = dataset(f, 2, &[0x3f80, 0x4000, 0xbf80, 0x4040], &[0x3f80, 0x4000]);
    let ramps = classical::counted_ramps(&data).expect("slopes");
    assert_eq!(
        ramps.as_layers().expect("layers").iter().map(|layer| layer.rows()).collect::<Vec<_>>(),
        [8, 8, 2, 2, 1]
    );
    let zero = dataset(f, 1, &[0], &[0x3f80]);
    let error = classical::counted_ramps(&zero).unwrap_err();
    assert!(matches!(error, ConstructError::NoSlope { row: 0, column: 0, side: "lower", .. }), "{error}");
    let wide = dataset(Format::FLOAT8_E3M4, 8, &[0x30; 8], &[0x30]);
    let error = classical::counting_indicator(&wide).unwrap_err();
    assert_eq!(error, ConstructError::Count { bounds: 16, format: Format::FLOAT8_E3M4 });
    let twice = dataset(f, 1, &[0x3f80, 0x3f80], &[0x3f80, 0x3f80]);
    assert!(matches!(classical::counted_ramps(&twice), Err(ConstructError::Conflict { first: 0, second: 1, .. })));
}

#[test]
fn a_dense_network_stores_every_weight() {
    let f = Format::BFLOAT16;
    let data = dataset(f, 1, &[0x3f80, 0x4000], &[0x3f80, 0x4040]);
    let built = point::memorize(&data, Activation::Relu).expect("no conflict");
    let dense = classical::dense(built.network.clone()).expect("few weights");
    assert_eq!((built.network.steps()[1].parameters(), dense.steps()[1].parameters()), (4 + 2, 2 * 4 + 2));
}

#[test]
fn weakened_and_classical_networks_are_well_formed() {
    let f = Format::BFLOAT16;
    let data = dataset(f, 1, &[0x3f80, 0x4000, 0x4040], &[0x3f80, 0x3f81, 0x4040]);
    let sum = classical::telescoping_sum(&data).expect("one input");
    assert_eq!((sum.steps().len(), sum.parameters()), (2, 2 * 2 + 3));
    let built = point::memorize(&data, Activation::Relu).expect("no conflict");
    let weak = classical::halve_penalties(built.network.clone()).expect("weights above the least value");
    let claim = Claim::memorizes(&weak, &data, PathModel::all(f));
    let verdict = check(&claim, &Subject::memorizing(&weak, &data), &built.evidence, &mut |_, _| ());
    assert!(verdict.unwrap_err().to_string().contains("W * K * gap = 2^-1"), "a penalty below 1");
}

/// At `z_2`, the telescoping sum of three rows gives `y_1 + fl(y_2 - y_1)`, rounded: for many labels that is `y_2` on no path
/// of `all`. Of all triples of finite labels, or pairs, since `y_3` is weighed by zero there.
#[test]
fn the_telescoping_sum_loses_labels_on_every_path() {
    let mut shares = Vec::new();
    for (name, format, _) in NAMED.iter().filter(|(_, format, _)| format.width() <= 8) {
        shares.push((*name, lost_labels(*format)));
    }
    // 28 % in four bits, up to 46 % in eight.
    let expected = [
        ("float4_e2m1fn", (64, 225)),
        ("float6_e2m3fn", (1186, 3969)),
        ("float6_e3m2fn", (1466, 3969)),
        ("float8_e3m4", (17890, 49729)),
        ("float8_e4m3", (24250, 57121)),
        ("float8_e4m3fn", (27406, 64009)),
        ("float8_e4m3fnuz", (27882, 65025)),
        ("float8_e4m3b11fnuz", (27882, 65025)),
        ("float8_e5m2", (28146, 61009)),
        ("float8_e5m2fnuz", (30074, 65025)),
    ];
    assert_eq!(shares, expected);
    // The third label changes nothing.
    let format = Format::FLOAT4_E2M1FN;
    let labels = finite(format);
    for third in &labels {
        let (lost, all) = lost_pairs(format, &labels, *third);
        assert_eq!((lost, all), lost_labels(format), "{third:?}");
    }
}

fn finite(format: Format) -> Vec<Encoding> {
    format.encodings().filter(|&e| format.is_finite(e) && Some(e) != format.negative_zero()).collect()
}

fn lost_labels(format: Format) -> (usize, usize) {
    let labels = finite(format);
    lost_pairs(format, &labels, labels[0])
}

/// How many pairs of labels, with this third one, have a second label that no path gives; and how many pairs there are.
fn lost_pairs(format: Format, labels: &[Encoding], third: Encoding) -> (usize, usize) {
    let machine = Machine::new(format, &PathModel::all(format)).expect("a model of every format");
    let places = [1, 2, 3].map(|n| encode(format, false, n, 0).expect("a small integer"));
    let mut lost = 0;
    for &first in labels {
        for &second in labels {
            let rows = [first, second, third].map(Encoding::bits);
            let data = dataset(format, 1, &places.map(Encoding::bits), &rows);
            let network = classical::telescoping_sum(&data).expect("three inputs");
            let last = &network.as_layers().expect("layers")[1];
            let inputs = [format.one(false), format.zero()];
            let terms = last.terms(0).map(|(column, weight)| Term { weight, input: inputs[column as usize] });
            let sum = Sum { terms: terms.collect(), bias: last.bias.get(0) };
            let values = Enumeration::new(&machine, &sum, Keep::Values, 100_000).expect("two terms and a bias");
            let hit = |value: Encoding| order_key(format, value) == order_key(format, second);
            lost += usize::from(!values.values().into_iter().any(hit));
        }
    }
    (lost, labels.len() * labels.len())
}
