//! What claims say, over all properties and path models; and what can be required of them.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use roundproof_exact::Rational;
use roundproof_files::Digest;
use roundproof_files::certificate::{Certificate, FileReference};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_judge::paths::covers;
use roundproof_judge::{
    Accuracy, Approximates, Approximation, Claim, KernelProperty, Property, Requirements, Shape, Statement, Subject,
    Verdict,
};
use roundproof_network::{Activation, Dataset, Encodings, Forest, Layer, Network, PathModel, Tree, TreeNode};

const F: Format = Format::BFLOAT16;
const SHAPE: Shape = Shape { rows: 3, input_dimension: 1, output_dimension: 1, layers: 3, parameters: 40 };

fn claim(property: Property, model: &str, format: Format) -> Claim {
    let shape = match property {
        Property::Approximates(_) => Shape { rows: 0, ..SHAPE },
        Property::Kernel(_) => SHAPE,
    };
    Claim { format, model: PathModel::parse(model, format).unwrap(), property, shape }
}

fn computes(trees: usize, tolerance: (u32, u32), exceptions: &[usize]) -> Property {
    let tolerance = Rational::from(tolerance);
    KernelProperty::Computes { trees, leaves: 4, tolerance, exceptions: exceptions.to_vec() }.into()
}

fn approximates(function: &str, domain: Option<(u128, u128)>, accuracy: Accuracy, format: Format) -> Property {
    let everything = || (format.largest(true).unwrap(), format.largest(false).unwrap());
    let domain = domain.map_or_else(everything, |(low, high)| (Encoding::from_bits(low), Encoding::from_bits(high)));
    let approximation = Approximation { function: function.parse().unwrap(), domain: vec![domain], accuracy };
    Approximates { approximation, leaves: 9 }.into()
}

fn rounded() -> Accuracy {
    Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow: Overflow::Ieee }
}

fn properties() -> Vec<Property> {
    let error = |n, d| Rational::from((n, d));
    vec![
        KernelProperty::Memorizes.into(),
        computes(1, (0, 1), &[]),
        computes(1, (0, 1), &[1]),
        computes(6, (1, 64), &[]),
        approximates("tanh", None, rounded(), F),
        approximates("exp", Some((0x0000, 0x3f80)), Accuracy::Within(error(1, 8)), F),
        approximates("exp", Some((0x0000, 0x3f80)), Accuracy::Excess(error(1, 8)), F),
        approximates("exp", Some((0x0000, 0x3f80)), Accuracy::Excess(error(0, 1)), F),
    ]
}

#[test]
fn every_claim_names_its_path_model() {
    let mut told = String::new();
    for model in [
        "all",
        "paper",
        "paper,rounding=toward-zero",
        "paper,order=any",
        "all,subnormals=flush",
        "all,overflow=saturate,accumulator=binary32",
        "paper,accumulator=binary32/saturate",
    ] {
        let claim = claim(KernelProperty::Memorizes.into(), model, F);
        told += &format!("{model}\n  {}\n", Statement::new(&claim, None).sentence);
    }
    let unbounded = Format::unbounded(8).unwrap();
    let of_unbounded = claim(KernelProperty::Memorizes.into(), "all", unbounded);
    told += &format!("all, of F(8)\n  {}\n\n", Statement::new(&of_unbounded, None).sentence);
    for property in properties() {
        for model in ["all", "paper"] {
            let sentence = Statement::new(&claim(property.clone(), model, F), None).sentence;
            let (paths, rest) = sentence.split_once("), ").unwrap();
            told += &format!("{} … {rest}\n", paths.split(':').next().unwrap());
        }
    }
    insta::assert_snapshot!(told);
}

/// The name of a model is read as that model again, for every combination of its fields.
#[test]
fn names_are_read_as_their_models() {
    let mut names = std::collections::BTreeSet::new();
    let mut models = Vec::new();
    for rounding in ["any", "ties-to-even", "toward-zero"] {
        for order in ["any", "left-to-right"] {
            for contraction in ["any", "none"] {
                for overflow in ["ieee", "saturate", "nan"] {
                    for subnormals in ["gradual", "flush"] {
                        for accumulator in ["same", "binary32", "p=12,emin=-200,emax=200/saturate"] {
                            models.push(format!(
                                "rounding={rounding},order={order},contraction={contraction},overflow={overflow},\
                                 subnormals={subnormals},accumulator={accumulator}"
                            ));
                        }
                    }
                }
            }
        }
    }
    for text in &models {
        let model = PathModel::parse(text, F).unwrap();
        let name = Statement::new(&claim(KernelProperty::Memorizes.into(), text, F), None).paths.name;
        assert_eq!(PathModel::parse(&name, F).unwrap(), model, "{text}: {name}");
        assert!(names.insert(name), "{text}");
    }
    assert_eq!(names.len(), 3 * 2 * 2 * 3 * 2 * 3);
}

#[test]
fn a_model_covers_what_has_fewer_paths() {
    let covers =
        |one: &str, other: &str| covers(&PathModel::parse(one, F).unwrap(), &PathModel::parse(other, F).unwrap());
    let wide = "all,accumulator=binary32";
    for (one, other) in [
        ("all", "paper"),
        ("all", "paper,rounding=toward-zero"),
        ("all,subnormals=flush", "all"),
        ("paper,order=any", "paper"),
        ("paper,contraction=any", "paper"),
        (wide, "paper,accumulator=binary32"),
    ] {
        assert!(covers(one, other) && !covers(other, one), "{one} and {other}");
    }
    for (one, other) in [
        ("all", wide),
        ("all", "all,overflow=saturate"),
        (wide, "all,accumulator=binary32/saturate"),
        ("paper", "paper,rounding=toward-zero"),
        ("paper,order=any", "paper,contraction=any"),
    ] {
        assert!(!covers(one, other) && !covers(other, one), "{one} and {other}");
    }
}

/// A network that is not looked into: what is said of a claim depends on its data and its forest alone.
fn network() -> Network {
    let mut layer = Layer::new(F, Activation::Identity);
    layer.push([], F.zero());
    Network::new(F, 1, vec![layer]).unwrap()
}

fn data(labels: &[u128]) -> Dataset {
    let column = |bits: &[u128]| Encodings::collect(F, bits.iter().map(|&bits| Encoding::from_bits(bits)));
    let inputs: Vec<u128> = (0..labels.len() as u128).map(|row| 0x3f80 + row).collect();
    Dataset::new(F, 1, 1, column(&inputs), column(labels)).unwrap()
}

fn forest(base: u128, trees: &[&[u128]]) -> Forest {
    let column = |bits: &[u128]| Encodings::collect(F, bits.iter().map(|&bits| Encoding::from_bits(bits)));
    let split = |threshold| TreeNode::Split { column: 0, threshold: Encoding::from_bits(threshold) };
    let tree = |leaves: &&[u128]| {
        let mut nodes = Vec::new();
        for place in 1..leaves.len() {
            nodes.extend([split(0x3f80 + place as u128), TreeNode::Leaf]);
        }
        nodes.push(TreeNode::Leaf);
        Tree { nodes, values: column(leaves) }
    };
    Forest::new(F, 1, column(&[base]), trees.iter().map(tree).collect()).unwrap()
}

/// 1 in bfloat16; with the sign bit, -1.
const ONE: u128 = 0x3f80;
const SIGN: u128 = 0x8000;

#[test]
fn encodings_are_equal_where_nothing_is_zero() {
    let network = network();
    let of_rows = |labels: &[u128]| {
        let data = data(labels);
        let subject = Subject { network: &network, data: Some(&data), forest: None };
        Statement::new(&claim(KernelProperty::Memorizes.into(), "all", F), Some(&subject)).equal_encodings
    };
    assert_eq!(of_rows(&[ONE, ONE + 1, SIGN | ONE]), Some(true));
    assert_eq!(of_rows(&[ONE, 0, ONE]), Some(false));
    assert_eq!(of_rows(&[ONE, SIGN, ONE]), Some(false));
    let of_forest = |property: Property, base, trees: &[&[u128]]| {
        let forest = forest(base, trees);
        let subject = Subject { network: &network, data: None, forest: Some(&forest) };
        Statement::new(&claim(property, "all", F), Some(&subject)).equal_encodings
    };
    let exact = |trees| computes(trees, (0, 1), &[]);
    assert_eq!(of_forest(exact(1), 0, &[&[ONE, SIGN | ONE]]), Some(true));
    assert_eq!(of_forest(exact(1), 0, &[&[ONE, 0]]), Some(false));
    // 1 - 1.
    assert_eq!(of_forest(exact(1), ONE, &[&[ONE, SIGN | ONE]]), Some(false));
    assert_eq!(of_forest(exact(2), 0, &[&[ONE, ONE + 1], &[ONE, 0]]), Some(true));
    assert_eq!(of_forest(exact(2), 0, &[&[ONE, ONE + 1], &[SIGN | ONE, 0]]), Some(false));
    // An error is not a value.
    assert_eq!(of_forest(computes(1, (1, 64), &[]), 0, &[&[ONE, ONE]]), Some(false));
    assert_eq!(of_forest(approximates("exp", None, rounded(), F), 0, &[&[ONE, ONE + 1]]), Some(true));
    assert_eq!(of_forest(approximates("exp", None, rounded(), F), 0, &[&[ONE, 0]]), Some(false));
    // One zero: nothing to tell apart.
    let one_zero = Format::FLOAT8_E4M3FNUZ;
    let of_one_zero = claim(KernelProperty::Memorizes.into(), "all", one_zero);
    let subject = Subject { network: &network, data: None, forest: None };
    assert_eq!(Statement::new(&of_one_zero, Some(&subject)).equal_encodings, Some(true));
}

/// A certificate of a claim, with files of these names.
fn certificate(claim: Claim) -> Certificate {
    let file = |name: &str| FileReference { path: name.parse().unwrap(), sha256: Digest::of(name.as_bytes()) };
    let of_points =
        matches!(claim.property, Property::Approximates(_) | Property::Kernel(KernelProperty::Computes { .. }));
    Certificate {
        dataset: (claim.shape.rows > 0).then(|| file("data")),
        forest: of_points.then(|| file("forest")),
        claim,
        network: file("network"),
        network_source: None,
        source: None,
        verdict: Verdict::Proved,
        evidence: Some(roundproof_judge::Evidence::Paths),
        lemmas: Vec::new(),
        provenance: Default::default(),
    }
}

#[test]
fn what_is_required_and_not_claimed_is_told() {
    let (network, data) = (network(), data(&[ONE, 0, ONE]));
    let forest = forest(0, &[&[ONE, 0]]);
    let mut told = String::new();
    let mut judge = |name: &str, claim: Claim, met: &[&str], unmet: &[&str]| {
        let subject = Subject { network: &network, data: Some(&data), forest: Some(&forest) };
        let certificate = certificate(claim);
        for text in met {
            let requirements: Requirements = text.parse().unwrap();
            assert_eq!(requirements.unmet(&certificate, &subject), Vec::<String>::new(), "{name}: {text}");
        }
        for text in unmet {
            let requirements: Requirements = text.parse().unwrap();
            let found = requirements.unmet(&certificate, &subject);
            assert!(!found.is_empty(), "{name}: {text}");
            told += &format!("{name}, {text}\n  {}\n", found.join("\n  "));
        }
    };
    let digest = |name: &str| Digest::of(name.as_bytes());
    let of_network = format!("network={}", digest("network"));
    let of_others = format!("network={0},dataset={0},forest={0}", digest("other"));
    judge(
        "memorizes",
        claim(KernelProperty::Memorizes.into(), "all", F),
        &[
            "paths=all",
            "paths=paper,order=any,format=bfloat16",
            "exceptions=0,rows=3,tolerance=0",
            "property=memorizes",
            &of_network,
        ],
        &[
            "paths=all,subnormals=flush,format=binary16",
            "paths=all,accumulator=binary32",
            "rows=4",
            "inputs=finite",
            "encodings=equal",
            "property=computes",
            &of_others,
        ],
    );
    judge(
        "computes",
        claim(computes(6, (1, 64), &[1]), "paper", F),
        &["paths=paper", "inputs=finite", "tolerance=1/64", "tolerance=0x1p-6", "tolerance=0.5", "exceptions=1"],
        &["paths=all", "tolerance=1/65", "exceptions=0", "encodings=equal"],
    );
    judge(
        "approximates",
        claim(approximates("exp", Some((0, ONE)), Accuracy::Within(Rational::from((1, 8))), F), "all", F),
        &["tolerance=0.125", "exceptions=0"],
        &["tolerance=0.1", "inputs=finite", "rows=1"],
    );
    judge(
        "rounded",
        claim(approximates("tanh", None, rounded(), F), "all", F),
        &["inputs=finite", "property=approximates"],
        &["tolerance=1", "encodings=equal"],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_not_a_requirement_is_refused() {
    let mut told = String::new();
    for text in [
        "",
        "path=all",
        "paths=gpu",
        "paths=all,ordr=any",
        "rows=3,order=any",
        "format=bf17",
        "property=proves",
        "inputs=all",
        "encodings=same",
        "exceptions=-1",
        "rows=many",
        "tolerance=-1",
        "tolerance=1/0",
        "tolerance=small",
        "network=12",
        "invariant=most",
        "invariant=101%",
        "invariant=-1",
    ] {
        let error = text.parse::<Requirements>().unwrap_err();
        told += &format!("{text:?}: {error}\n");
    }
    insta::assert_snapshot!(told);
    // A format's commas and a model's are their own.
    let custom = "format=p=8,emin=-126,emax=127,paths=paper,order=any,rows=3";
    assert!(custom.parse::<Requirements>().is_ok());
    for text in
        ["invariant=all", "invariant=99.5%,rows=3", "invariant=7", "paths=portable,operands=tf32,property=decides"]
    {
        assert!(text.parse::<Requirements>().is_ok(), "{text}");
    }
}
