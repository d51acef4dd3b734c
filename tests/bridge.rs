//! The bridge between the kernel's rule `box-network` and its theorem in `proofs/rocq/`.
//!
//! Over random networks of boxes, unchanged and with one number or node changed, the hypotheses of the theorem are
//! evaluated (`bridge/theorem.rs`) and the kernel is asked. What it accepts has to meet every hypothesis; where it does
//! not accept what meets them all, the difference has to be one that [`TOLERATED`] names.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

#[path = "bridge/cases.rs"]
mod cases;
#[path = "bridge/theorem.rs"]
mod theorem;

use std::collections::BTreeMap;

use cases::{Case, Random, Setting, case, mutate};
use roundproof_exact::{Rational, power_of_two};
use roundproof_kernel::{BoxRejection, Claim, Evidence, Node, Rejection, Separator, Subject, Verdict, check};
use roundproof_network::{Accumulator, Activation, Encodings, Forest, Layer, Network, PathModel, Tree, TreeNode};
use theorem::{AtZero, Decision, Fails, Input, Net};

/// Where the kernel may reject what meets the hypotheses, and why it does.
const TOLERATED: &[(&str, &str)] = &[
    ("regions", "the theorem asks what is around each input; the kernel takes only what a separator shows it"),
    ("unfilled", "the same for functions: a box may be smaller than its region where its label is 0"),
    ("worst path", "the theorem asks of the sum at each input; the kernel adds up the worst path of every tree"),
    ("another bias", "the kernel takes a selection only if no output has a bias, the theorem output by output"),
    (
        "nearest row",
        "a ReLU unit at 0 may be taken for one that only tells rows apart; the kernel does so in F(p) alone",
    ),
    (
        "headroom",
        "overflow to NaN: there is no theorem; the kernel lets nothing overflow, or silence what is relied on",
    ),
    ("sum range", "a bounded format: the kernel wants the grown sum of the error bound within it"),
];

/// How often what was seen.
#[derive(Debug, Default)]
struct Counts(BTreeMap<String, usize>);

impl Counts {
    fn add(&mut self, name: impl Into<String>) {
        *self.0.entry(name.into()).or_default() += 1;
    }

    fn tolerate(&mut self, name: &str) {
        assert!(TOLERATED.iter().any(|(known, _)| *known == name), "{name}");
        self.add(format!("tolerated: {name}"));
    }

    fn at_least(&self, least: &[(&str, usize)]) {
        for (name, least) in least {
            assert!(self.0.get(*name).is_some_and(|count| count >= least), "{name} < {least}: {self:#?}");
        }
    }
}

/// The kind of a rejection: the name of its variant.
fn kind(why: &BoxRejection) -> String {
    let text = format!("{why:?}");
    text.split([' ', '{', '(']).next().unwrap().to_string()
}

fn judge(claim: &Claim, subject: &Subject<'_>, case: &Case) -> Result<(), BoxRejection> {
    match check(claim, subject, &Evidence::BoxNetwork(case.separator.clone()), &mut |_, _| ()) {
        Ok(Verdict::Proved) => Ok(()),
        Err(Rejection::Boxes(why)) => Err(why),
        other => panic!("{other:?}"),
    }
}

/// A setting with one of its models.
struct Place<'a> {
    setting: &'a Setting,
    model: &'a PathModel,
}

impl Place<'_> {
    fn show(&self, case: &Case) -> String {
        format!("{} {}\n{:?}\n{:?}\n{:?}", self.setting.format, self.model, case.network, case.separator, case.forest)
    }

    /// What the theorem asks beside `box_network`, and the kernel checks: `separated` and `checked_sum` (Evidence.v).
    fn evidence(&self, n: &Net, units: &[theorem::Side], case: &Case) -> Result<(), Fails> {
        let ss = self.setting.separators(&case.separator).ok_or("no trees")?;
        theorem::separated(&self.setting.arithmetic, n, units, &ss)?;
        self.sums(n, &ss)
    }

    fn sums(&self, n: &Net, ss: &[theorem::Separator]) -> Result<(), Fails> {
        let exact = n.layers[2].iter().all(|c| theorem::checked_sum(&self.setting.arithmetic, ss, c));
        if exact { Ok(()) } else { Err("checked_sum") }
    }

    /// Counts what is accepted, by what it is.
    fn accept(&self, counts: &mut Counts, case: &Case, n: &Net, d: theorem::Inputs<'_>) {
        let units = theorem::recognised(&self.setting.arithmetic, d, n, AtZero::Neighbour).unwrap_or_default();
        let step = n.activations[0] == Activation::Step;
        for (kind, holds) in [
            (self.setting.format.to_string().as_str(), true),
            ("Step units that have to fire", step && n.layers[1].iter().flat_map(|c| &c.weights).any(|t| t.1 > 0)),
            ("ReLU", !step),
            ("copies", !step && n.layers[1].iter().any(|c| theorem::takes_copies(&units, c))),
            ("nested", case.separator.nodes.iter().any(|node| matches!(node, Node::Nested(_)))),
            ("several trees", case.forest.trees().len() > 1),
            ("a bias", n.layers[2].iter().any(|c| c.bias != 0)),
            ("accumulator", self.model.summation.trees().accumulator != Accumulator::Same),
        ] {
            if holds {
                counts.add(format!("accepted: {kind}"));
            }
        }
    }

    /// `memorization` (Theorems.v), and the evidence for it.
    fn memorization(&self, counts: &mut Counts, case: &Case, rows: &[(Input, Input)]) {
        let (setting, a) = (self.setting, &self.setting.arithmetic);
        let Some(data) = setting.dataset(rows) else { return };
        let inputs: Vec<Input> = rows.iter().map(|row| row.0.clone()).collect();
        let n = setting.net(&case.network);
        let theorem = |at_zero| -> Result<Result<(), Fails>, Fails> {
            let units = theorem::recognised(a, Some(&inputs), &n, at_zero)?;
            theorem::box_network(a, &n, &units, rows)?;
            Ok(self.evidence(&n, &units, case))
        };
        let claim = Claim::memorizes(&case.network, &data, *self.model);
        let found = [AtZero::Neighbour, AtZero::Rows].map(theorem);
        match judge(&claim, &Subject::memorizing(&case.network, &data), case) {
            Ok(()) => {
                assert_eq!(found[0], Ok(Ok(())), "accepted: {rows:?}\n{}", self.show(case));
                self.accept(counts, case, &n, inputs.as_slice().into());
            }
            Err(why) => {
                counts.add(format!("rejected: {}", kind(&why)));
                let difference = match (&found, &why) {
                    ([Err(_), Err(_)], _) => return,
                    (_, BoxRejection::Headroom { .. } | BoxRejection::Silenced { .. }) => "headroom",
                    ([Err(_), Ok(_)], _) => "nearest row",
                    ([Ok(Ok(())), _], BoxRejection::Sum { .. } | BoxRejection::SumRange { .. })
                        if n.layers[2].iter().any(|c| c.bias != 0) =>
                    {
                        "another bias"
                    }
                    ([Ok(Err("checked_sum")), _], BoxRejection::Sum { .. } | BoxRejection::SumRange { .. }) => {
                        "worst path"
                    }
                    (
                        [Ok(Err(_)), _],
                        BoxRejection::Separator { .. } | BoxRejection::BoxRegions { .. } | BoxRejection::Overlap { .. },
                    ) => "regions",
                    _ => panic!("{found:?}, and {why}: {rows:?}\n{}", self.show(case)),
                };
                counts.tolerate(difference);
            }
        }
    }

    /// `box_network` (BoxNetwork.v) for a forest at every input, and `forest_computed` (Theorems.v), or within a tolerance
    /// the bound of `checked_sum_error` (Evidence.v).
    fn function(&self, counts: &mut Counts, case: &Case, tolerance: &Rational, inputs: &[Input]) {
        let (setting, a) = (self.setting, &self.setting.arithmetic);
        let n = setting.net(&case.network);
        let trees = setting.decisions(&case.forest);
        let base: Input = case.forest.base().iter().map(|base| setting.real(base)).collect();
        let ss = setting.separators(&case.separator).unwrap_or_default();
        let bound = |c| {
            if theorem::checked_sum(a, &ss, c) { Rational::new() } else { theorem::checked_sum_error(a, &ss, c) }
        };
        let units = theorem::recognised(a, None, &n, AtZero::Neighbour);
        let structure = units.clone().and_then(|units| {
            theorem::separated(a, &n, &units, &ss)?;
            theorem::filled(a, &n, &units, &ss)?;
            theorem::overlaid(&n, &ss, &trees, &base, inputs)?;
            if n.layers[2].iter().all(|c| bound(c) <= *tolerance) { Ok(()) } else { Err("checked_sum_error") }
        });
        let claim = Claim::computes(&case.network, &case.forest, None, *self.model, tolerance.clone(), vec![]);
        let subject = Subject { network: &case.network, data: None, forest: Some(&case.forest) };
        let decision = judge(&claim, &subject, case);
        if let Err(why) = &decision {
            counts.add(format!("rejected: {}", kind(why)));
            if structure.is_ok() {
                let difference = match why {
                    BoxRejection::Headroom { .. } | BoxRejection::Silenced { .. } => "headroom",
                    BoxRejection::SumRange { .. } if a.bound.is_some() => "sum range",
                    _ => panic!("{why}\n{}", self.show(case)),
                };
                return counts.tolerate(difference);
            }
        }
        let exact = || self.at_each_input(&n, &units.clone()?, &trees, &base, inputs);
        match decision {
            Ok(()) => {
                assert_eq!(structure, Ok(()), "accepted within {tolerance}\n{}", self.show(case));
                self.accept(counts, case, &n, None);
                let beyond = every_input(&a.window, case.forest.dimension());
                if theorem::overlaid(&n, &ss, &trees, &base, &beyond).is_err() {
                    // The only hypothesis that may fail, for values that no input has: see the test with a name for it.
                    assert!(a.bound.is_some(), "{}", self.show(case));
                    counts.add("accepted, with other leaves beyond the largest value");
                }
                if self.sums(&n, &ss).is_ok() {
                    assert_eq!(exact(), Ok(()), "accepted within {tolerance}\n{}", self.show(case));
                } else {
                    counts.add("accepted with an error");
                }
            }
            Err(why) if *tolerance == 0 && exact().is_ok() => counts.tolerate(match why {
                BoxRejection::Headroom { .. } | BoxRejection::Silenced { .. } => "headroom",
                BoxRejection::Separator { .. } | BoxRejection::BoxRegions { .. } | BoxRejection::Overlap { .. } => {
                    "regions"
                }
                BoxRejection::Unfilled { .. } => "unfilled",
                BoxRejection::Sum { .. } | BoxRejection::SumRange { .. } => "worst path",
                _ => panic!("{why}\n{}", self.show(case)),
            }),
            Err(_) => {}
        }
    }

    fn at_each_input(
        &self,
        n: &Net,
        units: &[theorem::Side],
        trees: &[Decision],
        base: &Input,
        inputs: &[Input],
    ) -> Result<(), Fails> {
        let rows: Vec<_> = inputs.iter().map(|x| (x.clone(), theorem::forest(trees, base, x))).collect();
        theorem::box_network(&self.setting.arithmetic, n, units, &rows)
    }
}

/// Every input of one or two columns.
fn every_input(values: &[Rational], dimension: usize) -> Vec<Input> {
    match dimension {
        1 => values.iter().map(|v| vec![v.clone()]).collect(),
        _ => values.iter().flat_map(|v| values.iter().map(|w| vec![v.clone(), w.clone()])).collect(),
    }
}

const SETTINGS: &[&str] = &["p=2,emin=-1,emax=2", "p=3,emin=-2,emax=3", "F(1)", "F(2)", "F(3)"];

/// With and without a wider accumulator, and where the largest value is another matter.
const MODELS: &[&str] =
    &["all", "all,overflow=nan", "all,overflow=saturate", "all,accumulator=p=5,emin=-6,emax=6", "all,accumulator=F(4)"];

/// Asks of each case and its changes.
fn each_case(seed: u64, rounds: usize, ask: &mut dyn FnMut(&mut Random, &Place<'_>, &Case)) {
    let mut random = Random(seed);
    for setting in SETTINGS.iter().map(|name| Setting::new(name)) {
        let models = MODELS.iter().filter_map(|text| PathModel::parse(text, setting.format).ok());
        let models: Vec<PathModel> = models.collect();
        for round in 0..rounds {
            let activation = [Activation::Step, Activation::Relu][round % 2];
            let Some(mut case) = case(&mut random, &setting, activation) else { continue };
            for change in 0..5 {
                if change > 0 {
                    mutate(&mut random, &setting, &mut case);
                }
                let model = random.pick(&models);
                ask(&mut random, &Place { setting: &setting, model }, &case);
            }
        }
    }
}

/// How often at least each thing is seen with data sets: the comparison is not about nothing.
const LEAST_OF_DATA: &[(&str, usize)] = &[
    ("accepted: p=2,emin=-1,emax=2", 3000),
    ("accepted: e3m2", 3000),
    ("accepted: F(1)", 3000),
    ("accepted: F(2)", 3000),
    ("accepted: F(3)", 3000),
    ("accepted: ReLU", 7000),
    ("accepted: Step units that have to fire", 3000),
    ("accepted: copies", 200),
    ("accepted: nested", 1800),
    ("accepted: several trees", 3000),
    ("accepted: a bias", 8000),
    ("accepted: accumulator", 4000),
    ("rejected: BoxBias", 7000),
    ("rejected: BoxCount", 100),
    ("rejected: BoxWeight", 4000),
    ("rejected: BoxRegions", 250),
    ("rejected: Label", 3000),
    ("rejected: Overlap", 4000),
    ("rejected: Penalty", 4000),
    ("rejected: Silenced", 100),
    ("rejected: Sum", 2000),
    ("rejected: SumRange", 500),
    ("rejected: UnitAtEnd", 30),
    ("rejected: UnitScale", 100),
    ("rejected: UnitThreshold", 150),
    ("rejected: UnitWeight", 9000),
    ("tolerated: another bias", 1),
    ("tolerated: headroom", 450),
    ("tolerated: nearest row", 8),
    ("tolerated: regions", 2000),
    ("tolerated: worst path", 1000),
];

/// And with functions.
const LEAST_OF_FUNCTIONS: &[(&str, usize)] = &[
    ("accepted: p=2,emin=-1,emax=2", 700),
    ("accepted: e3m2", 600),
    ("accepted: F(1)", 800),
    ("accepted: F(2)", 800),
    ("accepted: F(3)", 800),
    ("accepted: ReLU", 1800),
    ("accepted: Step units that have to fire", 600),
    ("accepted: copies", 50),
    ("accepted: nested", 400),
    ("accepted: several trees", 800),
    ("accepted: a bias", 1800),
    ("accepted: accumulator", 1000),
    ("accepted with an error", 50),
    ("accepted, with other leaves beyond the largest value", 15),
    ("rejected: BoxCount", 50),
    ("rejected: BoxRegions", 80),
    ("rejected: Leaf", 200),
    ("rejected: Offset", 600),
    ("rejected: Overlap", 800),
    ("rejected: Penalty", 600),
    ("rejected: Silenced", 150),
    ("rejected: Sum", 600),
    ("rejected: SumRange", 150),
    ("rejected: Unfilled", 600),
    ("rejected: UnitAtZero", 700),
    ("rejected: UnitScale", 30),
    ("tolerated: headroom", 150),
    ("tolerated: regions", 150),
    ("tolerated: sum range", 5),
    ("tolerated: unfilled", 100),
    ("tolerated: worst path", 80),
];

#[test]
fn what_the_kernel_accepts_of_data_sets_meets_the_hypotheses_of_memorization() {
    let mut counts = Counts::default();
    each_case(1, 6000, &mut |random, place, case| {
        let setting = place.setting;
        let values = setting.arithmetic.inputs();
        let palette = if random.one_in(2) { &values } else { &setting.palette };
        let (trees, base) = (setting.decisions(&case.forest), vec![Rational::new(); case.forest.outputs()]);
        let row = |random: &mut Random| {
            let x: Input = (0..case.forest.dimension()).map(|_| random.pick(palette).clone()).collect();
            let f = theorem::forest(&trees, &base, &x);
            (x, f)
        };
        let rows: Vec<_> = (0..1 + random.below(6)).map(|_| row(random)).collect();
        place.memorization(&mut counts, case, &rows);
    });
    counts.at_least(LEAST_OF_DATA);
}

#[test]
fn what_the_kernel_accepts_of_functions_meets_the_hypotheses_of_forest_computed() {
    let mut counts = Counts::default();
    let mut inputs: BTreeMap<(String, usize), Vec<Input>> = BTreeMap::new();
    each_case(2, 1500, &mut |random, place, case| {
        let tolerance = if random.one_in(3) { power_of_two(4 - random.below(6) as i64) } else { Rational::new() };
        let dimension = case.forest.dimension();
        let place_of = (place.setting.format.to_string(), dimension);
        let inputs =
            inputs.entry(place_of).or_insert_with(|| every_input(&place.setting.arithmetic.inputs(), dimension));
        place.function(&mut counts, case, &tolerance, inputs);
    });
    counts.at_least(LEAST_OF_FUNCTIONS);
}

/// The one side condition of a theorem that the kernel does not have: `forest_computed_with_overflow` asks `leaf_offset` at
/// all values of FLT, the kernel at those of the format. A leaf above a cut at the largest value is not an input's. What is
/// accepted then is true by `box_network_with_overflow`, which is about finite data.
#[test]
fn a_leaf_beyond_the_largest_value_is_accepted_and_is_at_no_finite_input() {
    let setting = Setting::new("p=2,emin=-1,emax=2");
    let (format, a) = (setting.format, &setting.arithmetic);
    let [zero, one] = [format.zero(), format.one(false)];
    let largest = format.largest(false).unwrap();
    let mut first = Layer::new(format, Activation::Step);
    first.push([(0, format.one(true))], largest);
    let mut second = Layer::new(format, Activation::Step);
    second.push([], zero);
    let mut last = Layer::new(format, Activation::Identity);
    last.push([(0, one)], zero);
    let network = Network::new(format, 1, vec![first, second, last]).unwrap();
    let nodes = vec![TreeNode::Split { column: 0, threshold: largest }, TreeNode::Leaf, TreeNode::Leaf];
    let tree = Tree { nodes, values: Encodings::collect(format, [one, zero]) };
    let forest = Forest::new(format, 1, Encodings::collect(format, [zero]), vec![tree]).unwrap();
    let case = Case { network, separator: Separator { nodes: vec![Node::Box(0)] }, forest };
    let model = PathModel::parse("all", format).unwrap();
    let claim = Claim::computes(&case.network, &case.forest, None, model, Rational::new(), vec![]);
    let subject = Subject { network: &case.network, data: None, forest: Some(&case.forest) };
    assert_eq!(judge(&claim, &subject, &case), Ok(()));

    let (n, trees, base) = (setting.net(&case.network), setting.decisions(&case.forest), vec![Rational::new()]);
    let ss = setting.separators(&case.separator).unwrap();
    let overlaid = |values: &[Rational]| theorem::overlaid(&n, &ss, &trees, &base, &every_input(values, 1));
    assert_eq!(overlaid(&a.inputs()), Ok(()));
    assert_eq!(overlaid(&a.window), Err("leaf_offset"));
    let units = theorem::recognised(a, None, &n, AtZero::Neighbour).unwrap();
    let place = Place { setting: &setting, model: &model };
    assert_eq!(place.at_each_input(&n, &units, &trees, &base, &every_input(&a.inputs(), 1)), Ok(()));
}
