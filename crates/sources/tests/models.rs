//! The models of other tools, beside the predictions of the tools themselves, for every row of the data sets.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use roundproof_exact::{Rational, decode, parse_number, power_of_two, round};
use roundproof_files::safetensors::{forest_bytes, parse_forest};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_network::{Dataset, Forest, TreeNode};
use roundproof_sources::csv::read_csv;
use roundproof_sources::models::{ForestOptions, Kind, Model, ModelNode, ModelTree, Outputs, Remark, read_model};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

fn model(file: &str) -> Model {
    read_model(&folder().join(file)).unwrap().value
}

fn data(name: &str, format: Format) -> Dataset {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(name).with_extension("csv");
    read_csv(&path, &["class".to_string()], format).unwrap().value.dataset
}

fn lines(file: String) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_string).collect()).collect()
}

fn value(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).unwrap().rational().unwrap()
}

fn row(data: &Dataset, index: usize) -> Vec<Encoding> {
    (0..data.dimension()).map(|column| data.inputs().get(index * data.dimension() + column)).collect()
}

/// The leaf that an input reaches in the model.
fn reach<'a>(tree: &'a ModelTree, input: &[Rational]) -> (u32, &'a [Rational]) {
    fn skip(nodes: &[ModelNode], from: usize) -> usize {
        match nodes[from] {
            ModelNode::Leaf { .. } => from + 1,
            ModelNode::Split { .. } => skip(nodes, skip(nodes, from + 1)),
        }
    }
    let mut place = 0;
    loop {
        match &tree.nodes()[place] {
            ModelNode::Leaf { number, values } => return (*number, values),
            ModelNode::Split { column, cuts } => {
                let x = &input[*column as usize];
                let lower = cuts.iter().filter(|cut| !cut.is_above(x)).count() % 2 == 0;
                place = if lower { place + 1 } else { skip(tree.nodes(), place + 1) };
            }
        }
    }
}

/// The leaf of each tree of a forest that an input reaches.
fn forest_leaves(forest: &Forest, input: &[Encoding]) -> Vec<usize> {
    let read = |encoding| value(forest.format(), encoding);
    let leaf = |tree: &roundproof_network::Tree| {
        let (links, mut place) = (tree.preorder(), 0);
        loop {
            match tree.nodes[place] {
                TreeNode::Leaf => return links.link(place),
                TreeNode::Split { column, threshold } => {
                    let lower = read(input[column as usize]) <= read(threshold);
                    place = if lower { place + 1 } else { links.link(place) };
                }
            }
        }
    };
    forest.trees().iter().map(leaf).collect()
}

/// What the tool computes: the base, and the leaves of each tree after each other, every sum rounded; then a quotient.
fn fold(model: &Model, format: Format, input: &[Rational]) -> Vec<Rational> {
    let rounded = |q: &Rational| value(format, round(q, format, RoundingMode::TiesToEven, Overflow::Ieee).encoding);
    let mut sums = model.base.clone();
    for tree in &model.trees {
        let (_, values) = reach(tree, input);
        let first = tree.output.unwrap_or(0);
        for (sum, value) in sums[first..].iter_mut().zip(values) {
            *sum = rounded(&(sum.clone() + value));
        }
    }
    sums.iter().map(|sum| rounded(&(sum.clone() / model.divisor as u64))).collect()
}

struct Case {
    name: &'static str,
    extension: &'static str,
    data: &'static str,
    /// The format of the tool's scores, if sums that are rounded to it one by one are these.
    scores: Option<Format>,
}

/// The columns of digits that a model takes.
fn columns(case: &Case) -> std::ops::Range<usize> {
    if case.name.ends_with("-categories") { 18..30 } else { 0..case.model().dimension }
}

/// The inputs of the model in row `index`, in its own format.
fn inputs(case: &Case, data: &Dataset, index: usize) -> Vec<Encoding> {
    row(data, index)[columns(case)].to_vec()
}

const CASES: &[Case] = &[
    Case { name: "xgboost-softprob", extension: "json", data: "iris", scores: Some(Format::BINARY32) },
    Case { name: "xgboost-logistic", extension: "json", data: "iris", scores: Some(Format::BINARY32) },
    Case { name: "xgboost-one", extension: "json", data: "iris", scores: Some(Format::BINARY32) },
    Case { name: "xgboost-digits", extension: "json", data: "digits", scores: None },
    Case { name: "lightgbm-multiclass", extension: "txt", data: "iris", scores: Some(Format::BINARY64) },
    Case { name: "lightgbm-forest", extension: "txt", data: "iris", scores: Some(Format::BINARY64) },
    Case { name: "lightgbm-digits", extension: "txt", data: "digits", scores: None },
    Case { name: "sklearn-tree", extension: "json", data: "iris", scores: Some(Format::BINARY64) },
    Case { name: "sklearn-forest", extension: "json", data: "iris", scores: Some(Format::BINARY64) },
    Case { name: "sklearn-extra", extension: "json", data: "iris", scores: Some(Format::BINARY64) },
    Case { name: "sklearn-digits", extension: "json", data: "digits", scores: None },
    Case { name: "xgboost-dart", extension: "json", data: "iris", scores: None },
    Case { name: "xgboost-vector", extension: "json", data: "iris", scores: Some(Format::BINARY32) },
    Case { name: "xgboost-categories", extension: "ubj", data: "digits", scores: None },
    Case { name: "xgboost-clamped", extension: "json", data: "iris", scores: Some(Format::BINARY32) },
    Case { name: "xgboost-clamped-above", extension: "json", data: "iris", scores: Some(Format::BINARY32) },
    Case { name: "xgboost-logitraw", extension: "json", data: "iris", scores: Some(Format::BINARY32) },
    Case { name: "xgboost-infinite", extension: "json", data: "iris", scores: None },
    Case { name: "lightgbm-categories", extension: "txt", data: "digits", scores: None },
    Case { name: "sklearn-boosting", extension: "json", data: "iris", scores: None },
    Case { name: "sklearn-boosting-one", extension: "json", data: "iris", scores: None },
    Case { name: "sklearn-outputs", extension: "json", data: "iris", scores: Some(Format::BINARY64) },
    Case { name: "sklearn-missing", extension: "json", data: "iris", scores: None },
];

impl Case {
    fn model(&self) -> Model {
        model(&format!("{}.{}", self.name, self.extension))
    }
}

#[test]
fn every_row_reaches_the_leaves_that_the_tool_says() {
    for case in CASES {
        let model = case.model();
        let data = data(case.data, model.inputs);
        let leaves = lines(format!("{}.leaves.csv", case.name));
        assert_eq!(leaves.len(), data.rows(), "{}", case.name);
        let options = ForestOptions { outputs: Some(Outputs::Scores), grid: None, real_inputs: false };
        let (forest, rounding) = model.to_forest(model.inputs, &options).unwrap();
        // Of what parts missing values, one side is not there.
        let one_sided = ["xgboost-infinite", "sklearn-missing"].contains(&case.name);
        assert_eq!(rounding.pruned > 0, one_sided, "{}", case.name);
        assert!(rounding.remarks.iter().all(|remark| matches!(remark, Remark::BaseScore { .. })));
        // The thresholds of scikit-learn are means of values of binary32.
        assert!(rounding.thresholds == 0 || model.kind == Kind::ScikitLearn, "{}", case.name);
        for (index, expected) in leaves.iter().enumerate() {
            let input = inputs(case, &data, index);
            let exact: Vec<Rational> = input.iter().map(|&x| value(model.inputs, x)).collect();
            let found: Vec<String> = model.trees.iter().map(|tree| reach(tree, &exact).0.to_string()).collect();
            assert_eq!(&found, expected, "{}, row {index}", case.name);
            let by_forest = forest_leaves(&forest, &input).into_iter().zip(&rounding.numbers);
            let found: Vec<String> = by_forest.map(|(leaf, numbers)| numbers[leaf].to_string()).collect();
            assert_eq!(&found, expected, "{}, row {index}, as a forest", case.name);
        }
        assert_eq!(parse_forest(Path::new("f"), &forest_bytes(&forest)).unwrap(), forest);
    }
}

#[test]
fn sums_that_are_rounded_as_the_tool_does_it_are_its_scores() {
    for case in CASES {
        let Some(format) = case.scores else { continue };
        let model = case.model();
        let data = data(case.data, model.inputs);
        for (index, expected) in lines(format!("{}.scores.csv", case.name)).iter().enumerate() {
            let exact: Vec<Rational> = inputs(case, &data, index).iter().map(|&x| value(model.inputs, x)).collect();
            let expected: Vec<Rational> = expected.iter().map(|x| parse_number(x).unwrap().value()).collect();
            assert_eq!(fold(&model, format, &exact), expected, "{}, row {index}", case.name);
        }
    }
}

/// Inputs between values of the tools' own formats, around zero and between categories, in a format that has them all.
#[test]
fn every_probe_reaches_the_leaf_that_the_tool_says() {
    let (format, mut probes) = (Format::BINARY64, 0);
    for name in [
        "xgboost-dart.json",
        "xgboost-categories.ubj",
        "lightgbm-categories.txt",
        "lightgbm-zeros.txt",
        "sklearn-boosting.json",
    ] {
        let model = model(name);
        let (forest, rounding) = model.to_forest(format, &ForestOptions::default()).unwrap();
        for (index, line) in lines(format!("{}.probes.csv", name.split_once('.').unwrap().0)).iter().enumerate() {
            let (input, expected) = line.split_at(model.dimension);
            let input: Vec<Encoding> =
                input.iter().map(|x| nearest(format, &parse_number(x).unwrap().value())).collect();
            let by_forest = forest_leaves(&forest, &input).into_iter().zip(&rounding.numbers);
            let found: Vec<String> = by_forest.map(|(leaf, numbers)| numbers[leaf].to_string()).collect();
            assert_eq!(found, expected, "{name}, probe {index}: {line:?}");
            probes += 1;
        }
    }
    assert_eq!(probes, 1500);
}

/// What rounds its products too is near to the sum over the reals, and to no other.
#[test]
fn scores_of_weighted_trees_are_near_the_tools() {
    for (name, places) in [("xgboost-dart", 21), ("sklearn-boosting", 50), ("sklearn-boosting-one", 50)] {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        let (model, data) = (case.model(), data(case.data, case.model().inputs));
        for (index, expected) in lines(format!("{name}.scores.csv")).iter().enumerate() {
            let exact: Vec<Rational> = row(&data, index).iter().map(|&x| value(model.inputs, x)).collect();
            let found = fold(&model, Format::BINARY128, &exact);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                let off = (found.clone() - parse_number(expected).unwrap().value()).abs();
                assert!(off <= power_of_two(-places), "{name}, row {index}: {found} is not near {expected}");
            }
        }
    }
}

#[test]
fn a_model_without_trees_is_its_base() {
    let model = model("xgboost-none.json");
    assert_eq!((model.trees.len(), model.outputs(), model.dimension), (0, 1, 4));
    let (forest, rounding) = model.to_forest(Format::BINARY32, &ForestOptions::default()).unwrap();
    assert_eq!((forest.trees().len(), forest.trees()[0].leaves(), rounding.base), (1, 1, 0));
    let [base] = &model.base[..] else { panic!() };
    assert_eq!(value(Format::BINARY32, forest.trees()[0].values.get(0)), *base);
    // What predict(output_margin=True) of XGBoost 3.2.0 gives.
    assert_eq!(*base, parse_number("0x1.d5241p-1").unwrap().value());
}

#[test]
fn a_forest_is_worth_its_leaves() {
    for case in CASES {
        let model = case.model();
        let data = data(case.data, model.inputs);
        let options = ForestOptions { outputs: Some(Outputs::Scores), grid: None, real_inputs: false };
        let (forest, rounding) = model.to_forest(Format::BINARY64, &options).unwrap();
        let k = forest.outputs();
        for index in 0..data.rows() {
            let exact: Vec<Rational> = inputs(case, &data, index).iter().map(|&x| value(model.inputs, x)).collect();
            let wide: Vec<Encoding> = exact.iter().map(|x| nearest(Format::BINARY64, x)).collect();
            let leaves = forest_leaves(&forest, &wide);
            for output in 0..k {
                let mut sum = value(forest.format(), forest.base().get(output));
                let mut meant = model.base[output].clone();
                for ((tree, leaf), of) in forest.trees().iter().zip(&leaves).zip(&model.trees) {
                    sum += value(forest.format(), tree.values.get(leaf * k + output));
                    let (_, values) = reach(of, &exact);
                    let part = match of.output {
                        None => values[output].clone(),
                        Some(only) if only == output => values[0].clone(),
                        Some(_) => Rational::new(),
                    };
                    meant += part / model.divisor as u64;
                }
                let bound = rounding.largest_error.clone() * (model.trees.len() as u64 + 1);
                assert!((sum.clone() - &meant).abs() <= bound, "{}, row {index}", case.name);
                let exact = model.divisor == 1 && !case.name.contains("boosting");
                assert!(!exact || sum == meant, "{}, row {index}", case.name);
            }
        }
    }
}

fn nearest(format: Format, x: &Rational) -> Encoding {
    round(x, format, RoundingMode::TiesToEven, Overflow::Ieee).encoding
}

#[test]
fn labels_and_votes_are_those_of_the_leaves() {
    let data = data("iris", Format::BINARY32);
    let tree = model("sklearn-tree.json");
    let (labels, rounding) = tree.to_forest(Format::BINARY32, &ForestOptions::default()).unwrap();
    assert_eq!((labels.outputs(), rounding.leaves, rounding.largest_error), (1, 0, Rational::new()));
    let forest = model("sklearn-forest.json");
    let votes = ForestOptions { outputs: Some(Outputs::Votes), grid: None, real_inputs: false };
    let (votes, rounding) = forest.to_forest(Format::BFLOAT16, &votes).unwrap();
    assert_eq!((votes.outputs(), rounding.leaves), (3, 0));
    assert_eq!(forest.classes.as_deref().unwrap(), ["setosa", "versicolor", "virginica"]);
    for index in 0..data.rows() {
        let leaf = forest_leaves(&labels, &row(&data, index))[0];
        // This tree was grown until it had every row right.
        assert_eq!(labels.trees()[0].values.get(leaf), data.labels().get(index), "row {index}");
    }
    for tree in votes.trees() {
        let (one, zero) = (Format::BFLOAT16.one(false), Format::BFLOAT16.zero());
        for leaf in 0..tree.leaves() {
            let values: Vec<Encoding> = (0..3).map(|output| tree.values.get(leaf * 3 + output)).collect();
            assert_eq!(values.iter().filter(|&&value| value == one).count(), 1);
            assert_eq!(values.iter().filter(|&&value| value == zero).count(), 2);
        }
    }
}

#[test]
fn models_say_what_they_are() {
    let softprob = model("xgboost-softprob.json");
    assert_eq!((softprob.kind, softprob.dimension, softprob.outputs()), (Kind::XgBoost, 4, 3));
    assert_eq!(softprob.objective.as_deref(), Some("multi:softprob"));
    assert!(softprob.remarks.is_empty());
    assert_eq!(softprob.trees.iter().map(|tree| tree.output).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2].map(Some));
    let logistic = model("xgboost-logistic.json");
    let [Remark::BaseScore { score, .. }] = &logistic.remarks[..] else { panic!("{:?}", logistic.remarks) };
    assert_eq!(score, "3.3333334E-1");
    assert!(logistic.remarks[0].to_string().contains("margin -6.9e-1, the binary32 value nearest"));
    let lightgbm = model("lightgbm-forest.txt");
    assert_eq!((lightgbm.kind, lightgbm.divisor), (Kind::LightGbm, 3));
    assert_eq!(lightgbm.feature_names.as_deref().unwrap()[3], "Column_3");
    let trees = model("sklearn-extra.json");
    assert_eq!((trees.kind, trees.divisor, trees.outputs(), trees.classes), (Kind::ScikitLearn, 2, 2, None));
    assert_eq!(trees.objective.as_deref(), Some("ExtraTreesRegressor"));
}
