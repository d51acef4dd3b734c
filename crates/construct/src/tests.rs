use roundproof_format::{Encoding, Format, NAMED};
use roundproof_kernel::{Claim, Evidence, Node, Subject, Verdict, check};
use roundproof_network::{Activation, Dataset, Encodings, PathModel};

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
        assert_eq!(built.network.parameters(), reference_parameters(3, 2, 1) + 1);
        assert_eq!(reference_parameters(3, 2, 1), 6 * 2 * 3 + 2 * 3);
        assert_eq!(judge(&data, &built), Ok(Verdict::Proved));
    }
}

#[test]
fn equal_rows_need_equal_labels() {
    let f = Format::BFLOAT16;
    let same = dataset(f, 1, &[0x3f80, 0x3f80, 0x0000, 0x8000], &[1, 1, 0x8000, 0]);
    let built = point::memorize(&same, Activation::Relu).expect("equal labels, zeros included");
    assert_eq!(built.network.layers()[1].rows(), 2);
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
    assert!(built.network.parameters() > reference_parameters(data.rows(), 1, 1));
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
fn weakened_and_classical_networks_are_well_formed() {
    let f = Format::BFLOAT16;
    let data = dataset(f, 1, &[0x3f80, 0x4000, 0x4040], &[0x3f80, 0x3f81, 0x4040]);
    let sum = classical::telescoping_sum(&data).expect("one input");
    assert_eq!((sum.layers().len(), sum.parameters()), (2, 2 * 2 + 3));
    let built = point::memorize(&data, Activation::Relu).expect("no conflict");
    let weak = classical::halve_penalties(built.network.clone()).expect("weights above the least value");
    let claim = Claim::memorizes(&weak, &data, PathModel::all(f));
    let verdict = check(&claim, &Subject::memorizing(&weak, &data), &built.evidence, &mut |_, _| ());
    assert!(verdict.unwrap_err().to_string().contains("W * K * gap = 2^-1"), "a penalty below 1");
}
