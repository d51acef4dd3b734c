//! Which activations, formats, path models and properties each rule covers: a claim for each, accepted or rejected by its kind;
//! and the table of it in TRUST.md.
//!
//! The lists name every variant of every type, in a match that does not compile when one is missing.

use std::collections::BTreeSet;
use std::path::Path;

use roundproof_construct::compile::compile;
use roundproof_construct::point::memorize;
use roundproof_exact::Rational;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Specials, Subnormals};
use roundproof_kernel::{Claim, Evidence, Rejection, Subject, Verdict, check};
use roundproof_network::{
    Accumulator, Activation, At, Axis, Contraction, Convolution, Dataset, Datatype, Dense, Encodings, Forest, Geometry,
    Matrix, Network, Op, Order, PathModel, Rounding, Sparse, Step, Storage, Summation, Tree, TreeNode, Trees, Windows,
    Witness,
};

use crate::common::*;

/// Wide enough for sums of ReLU units that do not overflow.
const F: Format = Format::BFLOAT16;

/// What a rejection is called: the name of the kind that says why.
fn kind(rejection: &Rejection) -> String {
    let text = format!("{rejection:?}");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_rule = ["Boxes", "Reach", "Replay", "Model"].contains(&words[0]);
    format!("`{}`", words[usize::from(is_rule)])
}

fn cell(judged: Result<Verdict, Rejection>, accepted: Verdict) -> String {
    match judged {
        Ok(verdict) => {
            assert_eq!(verdict, accepted);
            "covered".to_string()
        }
        Err(rejection) => kind(&rejection),
    }
}

/// Rows that give `texts` their own labels, 1 for the first and 0 for the others.
fn rows(format: Format, inputs: &[Encoding]) -> Dataset {
    let label = |index| if index == 0 { format.one(false) } else { format.zero() };
    let rows: Vec<_> = inputs.iter().enumerate().map(|(index, &input)| (vec![input], vec![label(index)])).collect();
    dataset(format, &rows)
}

/// A network of boxes of this activation; of one that boxes do not have, in the place of Step.
fn boxes(activation: Activation, data: &Dataset) -> (Network, Evidence) {
    let hidden = match activation {
        Activation::Step | Activation::Relu => activation,
        Activation::Identity | Activation::Sign => Activation::Step,
        Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ } => Activation::Step,
    };
    let built = memorize(data, hidden).expect("a box network");
    let mut layers = built.network.into_layers().expect("layers");
    layers[..2].iter_mut().for_each(|layer| layer.activation = activation);
    (network(data.format(), 1, layers), built.evidence)
}

/// `act(x)`.
fn single(format: Format, activation: Activation) -> Network {
    network(format, 1, vec![layer(format, activation, &[(&[(0, "1")], "0")])])
}

/// What each rule says to a network of this activation over these inputs, under this model.
fn by_rule(activation: Activation, model: &PathModel, format: Format, inputs: &[Encoding]) -> [String; 3] {
    let data = rows(format, inputs);
    let (network, evidence) = boxes(activation, &data);
    let by_boxes = cell(judge(model, &network, &data, &evidence), Verdict::Proved);
    let [_, by_paths, by_witness] = of(&single(format, activation), model, format, &evidence);
    [by_boxes, by_paths, by_witness]
}

/// What each rule says to a network that gives 1 at 1: that it does, and that it does not give 0.
fn of(network: &Network, model: &PathModel, format: Format, separator: &Evidence) -> [String; 3] {
    let right = dataset(format, &[(vec![format.one(false)], vec![format.one(false)])]);
    let wrong = dataset(format, &[(vec![format.one(false)], vec![format.zero()])]);
    let by_boxes = cell(judge(model, network, &right, separator), Verdict::Proved);
    let by_paths = cell(judge(model, network, &right, &Evidence::Paths), Verdict::Proved);
    let witness = Witness { at: At::Row(0), output: 0, value: format.one(false), neurons: Vec::new() };
    let by_witness = cell(judge(model, network, &wrong, &Evidence::Witness(witness)), Verdict::Refuted);
    [by_boxes, by_paths, by_witness]
}

/// A line of the table: boxes of Step and of ReLU, the rule `paths`, a witness.
fn line(what: &str, model: &PathModel, format: Format, inputs: &[Encoding]) -> String {
    let [step, paths, witness] = by_rule(Activation::Step, model, format, inputs);
    let [relu, ..] = by_rule(Activation::Relu, model, format, inputs);
    format!("| {what} | {step} | {relu} | {paths} | {witness} |\n")
}

fn activations() -> String {
    let one = |activation: &Activation| {
        let [boxes, paths, witness] = by_rule(*activation, &PathModel::all(F), F, &[F.one(false), value(F, "2")]);
        match activation {
            Activation::Step => format!("| activation `step` | {boxes} | | {paths} | {witness} |\n"),
            Activation::Relu => format!("| `relu` | | {boxes} | {paths} | {witness} |\n"),
            Activation::Identity | Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ } => {
                format!("| `{activation}` | {boxes} | {boxes} | {paths} | {witness} |\n")
            }
            Activation::Sign => format!("| `sign` | {boxes} | {boxes} | {paths} | {witness} |\n"),
        }
    };
    let one_to_one =
        [Activation::LeakyRelu { slope: F.one(false) }, Activation::Clip { low: F.one(true), high: F.one(false) }];
    Activation::WITHOUT_PARAMETERS.iter().chain(&one_to_one).map(one).collect()
}

/// Networks that give 1 at 1, of steps of every form.
fn forms() -> Vec<(&'static str, Network)> {
    let (one, zero, wide) = (F.one(false), F.zero(), Format::BINARY32);
    let step = |op, reads: &[usize], format| {
        let (reads, datatype) = (reads.to_vec(), Datatype::Float(format));
        Step { op, reads, datatype, activation: Activation::Identity }
    };
    let values = |values: &[Encoding]| Encodings::collect(F, values.iter().copied());
    let matrix = |storage, format| {
        let bias = Encodings::collect(format, [format.zero()]);
        Op::Sum { matrix: Matrix::new(storage), bias }
    };
    let sparse = |weights: &[Encoding], format| {
        let (row_ptr, columns) = (vec![0, weights.len() as u64], (0..weights.len() as u32).collect());
        let weights = Encodings::collect(format, weights.iter().copied());
        matrix(Storage::Sparse(Sparse { row_ptr, columns, weights }), format)
    };
    let window = || Geometry::new(vec![Axis::plain(1, 1)]).expect("a geometry");
    let convolution = Convolution { geometry: window(), inputs: 1, outputs: 1, groups: 1, weights: values(&[one]) };
    let listed = Windows::Listed { row_ptr: vec![0, 1], columns: vec![0] };
    let mixed = [step(sparse(&[one], F), &[0], wide), step(sparse(&[wide.one(false)], wide), &[1], F)];
    let skip = [step(sparse(&[zero], F), &[0], F), step(sparse(&[one], F), &[0], F)];
    let all = vec![
        ("sum, dense", vec![step(matrix(Storage::Dense(Dense { inputs: 1, weights: values(&[one]) }), F), &[0], F)]),
        ("sum, convolution", vec![step(matrix(Storage::Convolution(convolution), F), &[0], F)]),
        ("maximum, listed", vec![step(Op::Maximum(listed), &[0], F)]),
        ("maximum, sliding", vec![step(Op::Maximum(Windows::Sliding { geometry: window(), channels: 1 }), &[0], F)]),
        ("product", vec![step(Op::Product, &[0, 0], F)]),
        ("several vectors", vec![step(sparse(&[one, zero], F), &[0, 0], F)]),
        ("an earlier vector", skip.to_vec()),
        ("several formats", mixed.to_vec()),
    ];
    // Named here, so that a new one is thought of.
    let known = |step: &Step| match &step.op {
        Op::Sum { matrix, bias: _ } => match matrix.storage() {
            Storage::Sparse(_) | Storage::Dense(_) | Storage::Convolution(_) => {}
        },
        Op::Maximum(Windows::Listed { .. } | Windows::Sliding { .. }) | Op::Product => {}
    };
    all.iter().for_each(|(_, steps)| steps.iter().for_each(known));
    all.into_iter().map(|(what, steps)| (what, Network::of_steps(F, 1, steps).expect("a network"))).collect()
}

fn steps() -> String {
    let model = PathModel::all(F);
    let line = |(what, network): (&str, Network)| {
        // Whatever else it is, it is nothing that boxes speak of.
        assert!(network.as_layers().is_none(), "{what}");
        let separator = boxes(Activation::Step, &rows(F, &[F.one(false), F.zero()])).1;
        let [boxes, paths, witness] = of(&network, &model, F, &separator);
        format!("| step: {what} | {boxes} | {boxes} | {paths} | {witness} |\n")
    };
    forms().into_iter().map(line).collect()
}

fn formats() -> String {
    let one = |specials: Option<Specials>| {
        let (what, format) = match specials {
            Some(Specials::Ieee) => ("format with infinities and NaN", Format::FLOAT8_E4M3),
            Some(Specials::NanAllOnes) => ("format with NaN at all ones (`fn`)", Format::FLOAT8_E4M3FN),
            Some(Specials::NanNegativeZero) => ("format with NaN in place of -0 (`fnuz`)", Format::FLOAT8_E4M3FNUZ),
            Some(Specials::Finite) => ("format with finite values only", Format::FLOAT6_E3M2FN),
            None => ("`F(p)`", Format::unbounded(4).expect("a format")),
        };
        line(what, &PathModel::all(format), format, &[format.one(false), value(format, "2")])
    };
    Specials::ALL.iter().copied().map(Some).chain([None]).map(one).collect()
}

/// Every path model that differs from `all` in one choice, with what differs.
fn models() -> Vec<(String, PathModel)> {
    let all = PathModel::all(F);
    // Named here, so that a new field or a new form of sums is thought of.
    let PathModel { rounding: _, overflow: _, subnormals: _, summation: Summation::Trees(trees) } = all;
    let Trees { order: _, contraction: _, accumulator: _ } = trees;
    let with = |trees| PathModel { summation: Summation::Trees(trees), ..all };
    let mut found = vec![("rounding `any`, order `any`, contraction `any`".to_string(), all)];
    for &mode in RoundingMode::ALL {
        found.push((format!("rounding `{mode}`"), PathModel { rounding: Rounding::Mode(mode), ..all }));
    }
    for order in [Order::Any, Order::LeftToRight] {
        match order {
            Order::Any => {}
            Order::LeftToRight => found.push(("order `left-to-right`".to_string(), with(Trees { order, ..trees }))),
        }
    }
    for contraction in [Contraction::Any, Contraction::None] {
        match contraction {
            Contraction::Any => {}
            Contraction::None => found.push(("contraction `none`".to_string(), with(Trees { contraction, ..trees }))),
        }
    }
    for &subnormals in Subnormals::ALL {
        found.push((format!("subnormals `{subnormals}`"), PathModel { subnormals, ..all }));
    }
    for &overflow in Overflow::ALL {
        found.push((format!("overflow `{overflow}`"), PathModel { overflow, ..all }));
    }
    for accumulator in accumulators() {
        let what = match accumulator {
            Accumulator::Same => "accumulator `same`".to_string(),
            Accumulator::Wider { format: _, overflow } => format!("accumulator wider, overflow `{overflow}`"),
        };
        found.push((what, with(Trees { accumulator, ..trees })));
    }
    found
}

fn accumulators() -> Vec<Accumulator> {
    let wider = |&overflow: &Overflow| Accumulator::Wider { format: Format::BINARY32, overflow };
    [Accumulator::Same].into_iter().chain(Overflow::ALL.iter().map(wider)).collect()
}

/// Sums of a size at which they can overflow.
fn overflowing() -> String {
    let large = |format: Format| [format.largest(false), format.largest(true)].map(|value| value.expect("bounded"));
    let lines = Overflow::ALL.iter().map(|&overflow| {
        let model = PathModel { overflow, ..PathModel::all(F) };
        line(&format!("overflow `{overflow}`, at the largest values"), &model, F, &large(F))
    });
    // NaN of an accumulator is none in a format without NaN.
    let f: Format = "p=8,emin=-30,emax=30,specials=finite".parse().expect("a format");
    let accumulator = Accumulator::Wider { format: F, overflow: Overflow::Nan };
    let PathModel { rounding, overflow, subnormals, summation: Summation::Trees(trees) } = PathModel::all(f);
    let summation = Summation::Trees(Trees { accumulator, ..trees });
    let model = PathModel { rounding, overflow, subnormals, summation };
    let what = "accumulator with NaN over a format without it, overflow `nan`";
    let small = line(what, &model, f, &[f.one(false), value(f, "2")]);
    let last = line("the same, at the largest values", &model, f, &large(f));
    lines.chain([small, last]).collect()
}

fn properties() -> String {
    let data = rows(F, &[F.one(false), F.zero()]);
    let model = PathModel::all(F);
    let (memorizing, separator) = boxes(Activation::Step, &data);
    let nodes = vec![TreeNode::Split { column: 0, threshold: F.zero() }, TreeNode::Leaf, TreeNode::Leaf];
    let tree = Tree { nodes, values: Encodings::collect(F, [F.zero(), F.one(false)]) };
    let forest = Forest::new(F, 1, Encodings::collect(F, [F.zero()]), vec![tree]).expect("a forest");
    let built = compile(&forest, Activation::Step).expect("a network");
    // What refutes both is another network: it gives its input.
    let other = single(F, Activation::Identity);
    let half = value(F, "0.5");
    let witness = |at| Evidence::Witness(Witness { at, output: 0, value: half, neurons: Vec::new() });
    let apart = dataset(F, &[(vec![half], vec![F.zero()])]);
    let memorizes = |evidence: &Evidence, refuted: bool| {
        let (network, data) = if refuted { (&other, &apart) } else { (&memorizing, &data) };
        judge(&model, network, data, evidence)
    };
    let computes = |evidence: &Evidence, refuted: bool| {
        let network = if refuted { &other } else { &built.network };
        let claim = Claim::computes(network, &forest, None, model, Rational::new(), Vec::new());
        check(&claim, &Subject { network, data: None, forest: Some(&forest) }, evidence, &mut |_, _| ())
    };
    let line = |what: &str, boxes: &Evidence, judge: &dyn Fn(&Evidence, bool) -> Result<Verdict, Rejection>| {
        let cells = [
            cell(judge(boxes, false), Verdict::Proved),
            cell(judge(&Evidence::Paths, false), Verdict::Proved),
            cell(judge(&witness(At::Row(0)), true), Verdict::Refuted),
            cell(judge(&witness(At::Point(vec![half])), true), Verdict::Refuted),
        ];
        format!("| {what} | {} |\n", cells.join(" | "))
    };
    let head = "| | `box-network` | `paths` | a witness at a row | at a point |\n| --- | --- | --- | --- | --- |\n";
    let lines = [
        line("memorizes: its label in every row", &separator, &memorizes),
        line("computes: a forest, at every finite input", &built.evidence, &computes),
    ];
    format!("{head}{}", lines.concat())
}

fn tables() -> String {
    let head = "| | boxes of Step | boxes of ReLU | `paths` | `witness` |\n| --- | --- | --- | --- | --- |\n";
    let models: String =
        models().iter().map(|(what, model)| line(what, model, F, &[F.one(false), value(F, "2")])).collect();
    let [activations, steps, formats, overflowing] = [activations(), steps(), formats(), overflowing()];
    format!("{head}{activations}{steps}{formats}{models}{overflowing}\n{}", properties())
}

#[test]
fn the_tables_in_trust_are_what_the_rules_do() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../TRUST.md");
    let text = std::fs::read_to_string(&path).expect("TRUST.md");
    let (begin, end) = ("<!-- coverage -->\n\n", "\n<!-- end of coverage -->");
    let written = text.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).expect("the tables").0;
    let tables = tables();
    assert!(written == tables, "TRUST.md has other tables than these:\n{tables}");
}

#[test]
fn rejections_of_every_rule_are_among_the_cells() {
    let tables = tables();
    let cells: BTreeSet<&str> = tables.split('|').map(str::trim).filter(|cell| cell.starts_with('`')).collect();
    for kind in ["`Flush`", "`Layers`", "`Headroom`", "`Silenced`", "`Evidence`", "`At`"] {
        assert!(cells.contains(kind), "{kind} is not among {cells:?}");
    }
    assert!(tables.matches("covered").count() > 80);
}
