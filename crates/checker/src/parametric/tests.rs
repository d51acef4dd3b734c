//! That wrong constructions are found out: a question about one has a model, and the data set and network that the model
//! names really miss a label, as the soft-float's paths and the kernel's exact replay have it.

use std::time::Duration;

use roundproof_construct::point;
use roundproof_format::Encoding;
use roundproof_kernel::{Claim, Evidence, Node, Rejection, Separator, Subject, Verdict, check};
use roundproof_network::{Dataset, Encodings, Layer, Network, Witness};
use roundproof_paths::{Finding, SearchOptions, search};
use roundproof_softfloat::order_key;

use super::*;

const SMALL: Shape = Shape { rows: 2, inputs: 1 };

fn solver() -> Solver {
    roundproof_solver::testing::solver(Duration::from_secs(60))
}

fn model(text: &str, format: Format) -> PathModel {
    PathModel::parse(text, format).expect("a model")
}

/// Terms to be read off a model: constants that equal them.
struct Observed {
    script: Script,
    names: Vec<(String, u32)>,
}

impl Observed {
    fn see(&mut self, term: &str, width: u32) -> usize {
        let name = format!("observed{}", self.names.len());
        self.script.line(&format!("(declare-const {name} (_ BitVec {width}))"));
        self.script.assert(&format!("(= {name} {term})"));
        self.names.push((name, width));
        self.names.len() - 1
    }
}

/// The data set and the network of a model in which the label is missed.
fn counterexample(solver: &Solver, query: &Query) -> Result<(Dataset, Network), Answer> {
    instance(solver, query, query.negation())
}

/// The data set and the network of a model of a script.
fn instance(solver: &Solver, query: &Query, script: Script) -> Result<(Dataset, Network), Answer> {
    let (format, width) = (query.format, query.format.width());
    let mut seen = Observed { script, names: Vec::new() };
    let inputs: Vec<usize> = query.inputs.iter().flatten().map(|term| seen.see(term, width)).collect();
    let labels: Vec<usize> = query.labels.iter().map(|term| seen.see(term, width)).collect();
    let truth = |seen: &mut Observed, truth: &crate::smt::term::Truth| seen.see(&truth.as_bit().to_string(), 1);
    let neurons: Vec<_> = query
        .neurons
        .iter()
        .map(|neuron| {
            let present = truth(&mut seen, &neuron.present);
            let bias = seen.see(&neuron.bias, width);
            let products = neuron.products.iter();
            let products: Vec<_> = products
                .map(|product| (truth(&mut seen, &product.present), product.column, seen.see(&product.weight, width)))
                .collect();
            (neuron, present, bias, products)
        })
        .collect();
    let names: Vec<(&str, u32)> = seen.names.iter().map(|(name, width)| (name.as_str(), *width)).collect();
    let values = solver.model(&seen.script, &names)?;
    let datum = |index: usize| Encoding::from_bits(values[index]);
    let column = |indices: &[usize]| Encodings::collect(format, indices.iter().map(|&index| datum(index)));
    let data = Dataset::new(format, query.shape.inputs, 1, column(&inputs), column(&labels)).expect("finite data");
    let mut layers: Vec<Layer> = Vec::new();
    // Where the units that exist come to stand.
    let mut places: Vec<u32> = Vec::new();
    let mut units = 0;
    for (neuron, present, bias, products) in neurons {
        if layers.len() <= neuron.layer {
            layers.push(Layer::new(format, neuron.activation));
        }
        if neuron.layer == 0 {
            places.push(units);
        }
        if values[present] == 0 {
            continue;
        }
        units += u32::from(neuron.layer == 0);
        let place = |column: usize| if neuron.layer == 1 { places[column] } else { column as u32 };
        let terms = products.iter().filter(|(present, ..)| values[*present] == 1);
        let terms: Vec<(u32, Encoding)> = terms.map(|&(_, column, weight)| (place(column), datum(weight))).collect();
        layers[neuron.layer].push(terms, datum(bias));
    }
    Ok((data, Network::new(format, query.shape.inputs, layers).expect("a network")))
}

/// What is symbolic is the box network that the kernel recognises, with as many parameters as the one that `construct`
/// builds: of data sets that Z3 chooses, the kernel accepts it with the evidence for the latter.
#[test]
fn the_symbolic_network_is_the_box_network() {
    let (solver, shape) = (solver(), Shape { rows: 3, inputs: 2 });
    for activation in [Activation::Step, Activation::Relu] {
        for format in [Format::FLOAT4_E2M1FN, Format::FLOAT8_E4M3, Format::FLOAT8_E5M2, Format::BFLOAT16] {
            let model = model("all,contraction=none", format);
            let asked = Parametric { activation, format, model, shape, steps: false };
            let query = Query::new(activation, format, &model, shape, None).expect("covered");
            let cases = asked.cases(&query).into_iter().map(|(_, case)| case);
            for case in std::iter::once("true".to_string()).chain(cases) {
                let (data, network) = instance(&solver, &query, query.with(&case)).expect("a data set");
                let built = point::memorize(&data, activation).expect("a network");
                let claim = Claim::memorizes(&network, &data, model);
                let evidence = in_order_of_rows(&built.evidence, &data);
                let verdict = check(&claim, &Subject::memorizing(&network, &data), &evidence, &mut |_, _| ());
                assert_eq!(verdict, Ok(Verdict::Proved), "{activation} {format} {case}");
                assert_eq!(network.parameters(), built.network.parameters(), "{activation} {format} {case}");
            }
        }
    }
}

/// Evidence for boxes in lexicographic order of their points, as `construct` has them, for boxes in the order of rows.
fn in_order_of_rows(evidence: &Evidence, data: &Dataset) -> Evidence {
    let point = |row: usize| -> Vec<_> {
        (0..data.dimension()).map(|column| order_key(data.format(), data.input(row, column))).collect()
    };
    let mut rows: Vec<usize> = (0..data.rows()).collect();
    rows.sort_by_key(|&row| point(row));
    let Evidence::BoxNetwork(separator) = evidence else { panic!("a box network has a separator") };
    let nodes = separator.nodes.iter().map(|&node| match node {
        Node::Box(index) => Node::Box(rows[index as usize] as u32),
        other => other,
    });
    Evidence::BoxNetwork(Separator { nodes: nodes.collect() })
}

/// What the kernel says of a witness against memorization.
fn judge(model: &PathModel, network: &Network, data: &Dataset, witness: Witness) -> Result<Verdict, Rejection> {
    let claim = Claim::memorizes(network, data, *model);
    check(&claim, &Subject::memorizing(network, data), &Evidence::Witness(witness), &mut |_, _| ())
}

/// The defect is found, and the counterexample is one by the judgement of others.
fn is_refuted(defect: Defect, activation: Activation, format: Format, paths: &str, shape: Shape) {
    let model = model(paths, format);
    let query = Query::new(activation, format, &model, shape, Some(defect)).expect("covered");
    let (data, network) = counterexample(&solver(), &query).unwrap_or_else(|answer| panic!("{defect:?}: {answer:?}"));
    let found = search(&network, &data, &model, &SearchOptions::default()).expect("it fits");
    let Finding::Found(witness) = found else { panic!("{defect:?} {format}: {found:?}") };
    assert_eq!(judge(&model, &network, &data, witness), Ok(Verdict::Refuted), "{defect:?}");
}

const LEFT_TO_RIGHT: &str = "all,order=left-to-right,contraction=none";

#[test]
fn halved_penalties_are_refuted() {
    for format in [Format::FLOAT4_E2M1FN, Format::FLOAT8_E4M3, Format::FLOAT8_E5M2] {
        is_refuted(Defect::HalvedPenalties, Activation::Relu, format, LEFT_TO_RIGHT, SMALL);
    }
}

#[test]
fn thresholds_at_the_value_are_refuted() {
    for format in [Format::FLOAT4_E2M1FN, Format::FLOAT8_E4M3FN, Format::BFLOAT16] {
        is_refuted(Defect::ThresholdAtValue, Activation::Step, format, LEFT_TO_RIGHT, SMALL);
    }
}

#[test]
fn scales_beyond_the_range_are_refuted() {
    is_refuted(Defect::ScaleBeyondRange, Activation::Relu, Format::FLOAT8_E4M3FN, LEFT_TO_RIGHT, SMALL);
}

#[test]
fn equal_rows_are_refuted() {
    for activation in [Activation::Step, Activation::Relu] {
        is_refuted(Defect::EqualRows, activation, Format::FLOAT8_E4M3, LEFT_TO_RIGHT, SMALL);
    }
}

/// Counting to 6 is exact with 2^p >= 6, and not in two bits.
#[test]
fn counting_beyond_the_precision_is_refuted() {
    let shape = Shape { rows: 1, inputs: 3 };
    is_refuted(Defect::Counting, Activation::Step, Format::FLOAT4_E2M1FN, LEFT_TO_RIGHT, shape);
    let format = Format::FLOAT6_E3M2FN;
    let model = model(LEFT_TO_RIGHT, format);
    let query = Query::new(Activation::Step, format, &model, shape, Some(Defect::Counting)).expect("covered");
    assert_eq!(solver().check(&query.negation()), Answer::Unsatisfiable);
}

/// The construction itself is right, but not where results may be flushed.
#[test]
fn flushed_differences_are_refuted() {
    for format in [Format::FLOAT8_E4M3, Format::FLOAT8_E5M2FNUZ] {
        let model = model("all,order=left-to-right,contraction=none,subnormals=flush", format);
        let query = Query::new(Activation::Step, format, &model, SMALL, None).expect("in part");
        let (data, network) = counterexample(&solver(), &query).expect("a model");
        let found = search(&network, &data, &model, &SearchOptions::default()).expect("it fits");
        let Finding::Found(witness) = found else { panic!("{format}: {found:?}") };
        assert_eq!(judge(&model, &network, &data, witness), Ok(Verdict::Refuted), "{format}");
    }
}

fn asked(activation: Activation, format: Format, paths: &str, shape: Shape, steps: bool) -> Parametric {
    Parametric { activation, format, model: model(paths, format), shape, steps }
}

#[test]
fn the_construction_is_attested() {
    let solver = solver();
    for (activation, steps) in [(Activation::Step, false), (Activation::Relu, false), (Activation::Relu, true)] {
        for paths in ["all,contraction=none", LEFT_TO_RIGHT] {
            let answered =
                asked(activation, Format::FLOAT4_E2M1FN, paths, SMALL, steps).attest(&solver, &mut |_, _, _| ());
            assert_eq!(answered.verdict, Verdict::Attested, "{activation} {paths} {steps}: {}", answered.how);
        }
    }
}

/// Contracted products, too, and one query of them with Step.
#[test]
fn contractions_are_attested() {
    let asked = asked(Activation::Step, Format::FLOAT4_E2M1FN, "all", SMALL, false);
    let answered = asked.attest(&solver(), &mut |_, _, _| ());
    assert_eq!(answered.verdict, Verdict::Attested, "{}", answered.how);
}

/// No verdict without an answer, nor about models that are not covered.
#[test]
fn nothing_is_attested_without_an_answer() {
    let ask = |solver: &Solver, paths| {
        asked(Activation::Relu, Format::BINARY16, paths, SMALL, false).attest(solver, &mut |_, _, _| ()).verdict
    };
    let hurried = roundproof_solver::testing::solver(Duration::from_millis(5));
    assert_eq!(ask(&hurried, "all"), Verdict::Unknown);
    for paths in ["all,subnormals=flush", "paper", "all,accumulator=binary32"] {
        assert_eq!(ask(&solver(), paths), Verdict::Unknown, "{paths}");
    }
}

/// A step that is false is not passed over: with halved penalties some cut has a counterexample.
#[test]
fn a_false_step_is_found() {
    let format = Format::FLOAT4_E2M1FN;
    let model = model(LEFT_TO_RIGHT, format);
    let query = Query::new(Activation::Relu, format, &model, SMALL, Some(Defect::HalvedPenalties)).expect("covered");
    let solver = solver();
    assert!(steps(&query).iter().any(|step| solver.check(&step.script) == Answer::Satisfiable));
}
