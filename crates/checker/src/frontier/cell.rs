//! One construction in one format, under several path models.

use std::collections::BTreeMap;

use roundproof_construct::learn::{LearnOptions, learn};
use roundproof_construct::{ConstructError, compile, point};
use roundproof_exact::Rational;
use roundproof_exact::text::exact_decimal;
use roundproof_files::Digest;
use roundproof_files::certificate::{Certificate, FileReference, RelativePath};
use roundproof_files::safetensors::{dataset_bytes, network_bytes};
use roundproof_format::{Format, Subnormals};
use roundproof_judge::Property;
use roundproof_kernel::{Claim, Evidence, Subject, Verdict, check};
use roundproof_network::{Accumulator, Activation, At, Dataset, Forest, Network, PathModel, Rounding, Summation};
use roundproof_paths::{Finding, SearchOptions, search};

use super::condition::{all_ramps, expected, hopeless_side, most_units, sides, weakness};
use super::instances::{self, Instance};
use super::{Construction, Status, formats};
use crate::prove::{Strategy, construct};

/// What was found, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The kernel accepted evidence.
    Holds {
        /// Whether every finite value has a row; else the edges of all binades have.
        every_value: bool,
        /// Whether the evidence was the values that the kernel encloses, `paths`; else it was `box-network`.
        by_paths: bool,
    },
    /// The kernel replayed a witness.
    Fails {
        /// The data set, the row, its label, what the path gives, and the digest of the certificate without provenance.
        witness: String,
    },
    /// The construction refuses the hardest data set.
    NoParameters {
        /// Why.
        why: String,
        /// Whether there are none either among numbers that are not powers of two.
        hopeless: bool,
    },
    /// There is no such format.
    NoFormat,
    /// The format cannot express the path model.
    NoModel,
    /// Nothing was established.
    Unknown {
        /// What the kernel had against the evidence.
        why: String,
    },
}

impl Cell {
    /// What it says.
    pub const fn status(&self) -> Status {
        match self {
            Cell::Holds { .. } => Status::Holds,
            Cell::Fails { .. } => Status::Fails,
            Cell::NoParameters { .. } => Status::NoParameters,
            Cell::NoFormat => Status::NoFormat,
            Cell::NoModel => Status::NoModel,
            Cell::Unknown { .. } => Status::Unknown,
        }
    }
}

/// The product of rows and parameters up to which the kernel is asked to enclose all paths.
const MOST_ENCLOSED: usize = 1 << 21;

/// A witness that takes longer to find is not looked for.
const SEARCH: SearchOptions =
    SearchOptions { seed: 0, random_paths: 8, deviations: 32, operations: 20_000, states: 100, minimise: true };

/// A network, what it is claimed of, and evidence.
pub(super) struct Made {
    pub network: Network,
    pub forest: Option<Forest>,
    pub evidence: Vec<Evidence>,
}

type Make = fn(&Construction, &Dataset) -> Result<Made, ConstructError>;
type Expect = fn(&Construction, Format, &PathModel) -> Option<Status>;

/// How cells are looked at. Tests put another construction or theory in.
pub(super) struct Lab {
    pub construction: &'static Construction,
    pub every_value: u32,
    pub make: Make,
    pub expect: Expect,
}

/// What a format has of a construction, whatever the path model.
struct Bench {
    every_value: bool,
    data: Dataset,
    hardest: Result<Made, ConstructError>,
    /// Of counted ramps, each value of the hardest data set with either neighbour.
    neighbours: Vec<(Dataset, Made)>,
    small: Vec<(Instance, Result<Made, ConstructError>)>,
}

impl Bench {
    /// Whether the kernel is asked to enclose all paths.
    fn is_enclosed(&self, made: &Made) -> bool {
        let size = self.data.rows().saturating_mul(made.network.parameters());
        !self.neighbours.is_empty() || size <= MOST_ENCLOSED
    }

    /// Whether the kernel's enclosure of all paths is exact for the hardest data set, or for each pair of neighbours in it;
    /// and for small ones too: they have rows in which all bounds but one are satisfied.
    fn enclosed(&self, made: &Made, model: &PathModel) -> Result<(), String> {
        if self.neighbours.is_empty() {
            judge(made, &self.data, model, &Evidence::Paths)?;
        }
        self.neighbours.iter().try_for_each(|(data, made)| judge(made, data, model, &Evidence::Paths))?;
        let small = self.small.iter().filter_map(|(instance, made)| Some((instance, made.as_ref().ok()?)));
        let wanted = if self.data.dimension() == 1 { self.small.len() } else { 2 };
        small.take(wanted).try_for_each(|(instance, made)| judge(made, &instance.data, model, &Evidence::Paths))
    }
}

impl Lab {
    pub fn new(construction: &'static Construction, every_value: u32) -> Lab {
        Lab { construction, every_value, make, expect: expected }
    }

    /// What is found under each path model, and what contradicts the theory or itself. A model that cannot be read in this
    /// format is one that the format cannot express.
    pub fn cells(&self, format: Format, models: &[&str]) -> (Vec<Cell>, Vec<String>) {
        let mut bench = None;
        let (mut cells, mut contradictions) = (Vec::new(), Vec::new());
        let mut known: Vec<(PathModel, Status)> = Vec::new();
        for text in models {
            let Ok(model) = formats::model(text, format) else {
                cells.push(Cell::NoModel);
                continue;
            };
            let bench = bench.get_or_insert_with(|| self.bench(format));
            let cell = self.cell(bench, format, &model);
            let place = format!("{} in {format} under {text}", self.construction.name);
            let status = cell.status();
            if let Some(expected) = (self.expect)(self.construction, format, &model)
                && ![expected, Status::Unknown].contains(&status)
            {
                let (found, said) = (status.name(), expected.name());
                contradictions.push(format!("{place}: established: {found}; the theory: {said}"));
            }
            for (other, found) in &known {
                let pair = [(status, *found, model, *other), (*found, status, *other, model)];
                if pair.iter().any(|(wide, narrow, a, b)| {
                    (*wide, *narrow) == (Status::Holds, Status::Fails) && formats::includes(a, b)
                }) {
                    contradictions.push(format!("{place}: holds and fails on paths of one model"));
                }
            }
            known.push((model, status));
            cells.push(cell);
        }
        contradictions.extend(bench.and_then(|bench| self.search_parameters(&bench, format)));
        (cells, contradictions)
    }

    fn bench(&self, format: Format) -> Bench {
        let Construction { strategy, activation, inputs, .. } = *self.construction;
        // Copies of units make a network large.
        let copied = activation == Activation::Relu && strategy != Strategy::CountedRamps;
        let copies = if copied { weakness(format).clamp(0, 12) as u32 } else { 0 };
        let every_value = inputs == 1 && format.width() + copies <= self.every_value;
        let keys = if every_value { instances::every_key(format) } else { instances::edge_keys(format) };
        let keys = if inputs == 1 { keys } else { instances::thinned(&keys, inputs) };
        let zeros = matches!(strategy, Strategy::Point | Strategy::Tree);
        let hardest = |keys: &[i128]| instances::over(format, keys, inputs, zeros).expect("keys of finite values");
        let data = hardest(&keys);
        let made = (self.make)(self.construction, &data);
        let small = instances::small(format, inputs).into_iter();
        let small = small.map(|instance| {
            let made = (self.make)(self.construction, &instance.data);
            (instance, made)
        });
        let mut bench = Bench { every_value, data, hardest: made, neighbours: Vec::new(), small: small.collect() };
        // Each indicator depends on its own row alone, and a ramp is 1 up to a value, and 0 from its neighbour on.
        if strategy == Strategy::CountedRamps && bench.hardest.is_ok() {
            let pair = |upper: i128| {
                let data = hardest(&[upper - 1, upper]);
                (self.make)(self.construction, &data).map(|made| (data, made))
            };
            bench.neighbours = sides(format, &keys).map(pair).collect::<Result<_, _>>().unwrap_or_default();
        }
        bench
    }

    fn cell(&self, bench: &Bench, format: Format, model: &PathModel) -> Cell {
        // Without subnormals nothing is flushed, and the paths are those of gradual underflow.
        let Summation::Trees(trees) = &model.summation;
        let judged = match trees.accumulator {
            Accumulator::Same if format.precision() == 1 => PathModel { subnormals: Subnormals::Gradual, ..*model },
            _ => *model,
        };
        let made = match &bench.hardest {
            Ok(made) => made,
            Err(refusal) => {
                // The search lets every rounding go either way, in the format itself.
                let covered = (model.rounding, trees.accumulator) == (Rounding::Any, Accumulator::Same);
                let hopeless = covered && self.has_gadget() && hopeless_side(format).is_some();
                return Cell::NoParameters { why: reason(refusal), hopeless };
            }
        };
        let every_value = bench.every_value;
        let mut why = "no evidence was offered".to_string();
        for evidence in &made.evidence {
            match judge(made, &bench.data, &judged, evidence) {
                Ok(()) => return Cell::Holds { every_value, by_paths: false },
                Err(rejection) => why = rejection,
            }
        }
        // Only which is looked for first depends on the theory.
        let hoped = !matches!((self.expect)(self.construction, format, model), Some(Status::Fails));
        let enclosed = bench.is_enclosed(made);
        if hoped && enclosed {
            match bench.enclosed(made, &judged) {
                Ok(()) => return Cell::Holds { every_value, by_paths: true },
                Err(rejection) => why = rejection,
            }
        }
        let refuted = bench.small.iter().find_map(|(instance, made)| {
            let made = made.as_ref().ok()?;
            refute(instance, &made.network, model)
        });
        match refuted {
            Some(witness) => Cell::Fails { witness },
            None if !hoped && enclosed && bench.enclosed(made, &judged).is_ok() => {
                Cell::Holds { every_value, by_paths: true }
            }
            None => Cell::Unknown { why },
        }
    }

    /// Whether its networks have units `ReLU(K a - K x)`, and are refused for want of `K` and `W`.
    fn has_gadget(&self) -> bool {
        let Construction { strategy, activation, .. } = self.construction;
        *activation == Activation::Relu && matches!(strategy, Strategy::Point | Strategy::Tree)
    }

    /// Compares the construction's refusal, or that there is none, with a search over all powers of two.
    fn search_parameters(&self, bench: &Bench, format: Format) -> Option<String> {
        let ramps = self.construction.strategy == Strategy::CountedRamps;
        if !ramps && !self.has_gadget() {
            return None;
        }
        let keys = if bench.every_value { instances::every_key(format) } else { instances::edge_keys(format) };
        let found = if ramps { all_ramps(format, &keys) } else { most_units(format, &keys).is_some() };
        let made = bench.hardest.is_ok();
        (found != made).then(|| {
            let name = self.construction.name;
            format!(
                "{name} in {format}: the search over powers of two finds parameters: {found}; the construction: {made}"
            )
        })
    }
}

/// Why a construction refuses, without the row at which it was noticed.
fn reason(refusal: &ConstructError) -> String {
    match refusal {
        ConstructError::NoScale { .. } | ConstructError::NoScaleAtCut { .. } => {
            "no powers of two K and W with W * K * gap >= 1, nor 2^j copies with 2^-j".to_string()
        }
        other => other.to_string(),
    }
}

/// The network of a data set, and evidence that it may be right.
pub(super) fn make(construction: &Construction, data: &Dataset) -> Result<Made, ConstructError> {
    if construction.strategy == Strategy::Tree {
        let forest = learn(data, &LearnOptions::default(), &mut |_, _| ())?;
        let made = compile::compile(&forest, construction.activation)?;
        return Ok(Made { network: made.network, forest: Some(forest), evidence: vec![made.evidence] });
    }
    let (network, offered) = construct(data, construction.strategy, construction.activation)?;
    let mut evidence = Vec::new();
    match offered {
        // A counting neuron is a box to the kernel, too: the separator of the rows tells its boxes apart.
        Evidence::Paths if network.steps().len() == 3 => {
            evidence.extend(point::memorize(data, Activation::Step).map(|made| made.evidence));
        }
        Evidence::Paths => {}
        other => evidence.push(other),
    }
    Ok(Made { network, forest: None, evidence })
}

/// Has the kernel judge; or what it has against the evidence.
fn judge(made: &Made, data: &Dataset, model: &PathModel, evidence: &Evidence) -> Result<(), String> {
    let Made { network, forest, .. } = made;
    let forest = forest.as_ref().filter(|_| *evidence != Evidence::Paths);
    let claim = match forest {
        Some(forest) => Claim::computes(network, forest, Some(data), *model, Rational::new(), Vec::new()),
        None => Claim::memorizes(network, data, *model),
    };
    let subject = Subject { network, data: Some(data), forest };
    match check(&claim, &subject, evidence, &mut |_, _| ()) {
        Ok(Verdict::Proved) => Ok(()),
        Ok(other) => Err(format!("the kernel said {other}")),
        Err(rejection) => Err(rejection.to_string()),
    }
}

/// A path on which the network misses a label, found and then replayed by the kernel.
fn refute(instance: &Instance, network: &Network, model: &PathModel) -> Option<String> {
    let data = &instance.data;
    let Ok(Finding::Found(witness)) = search(network, data, model, &SEARCH) else { return None };
    let claim = Claim::memorizes(network, data, *model);
    let At::Row(row) = witness.at else { return None };
    let (given, label) = (witness.value, data.label(row, witness.output));
    let evidence = Evidence::Witness(witness);
    let verdict = check(&claim, &Subject::memorizing(network, data), &evidence, &mut |_, _| ());
    if verdict != Ok(Verdict::Refuted) {
        return None;
    }
    let reference = |name: &str, bytes: &[u8]| {
        Some(FileReference { path: name.parse::<RelativePath>().ok()?, sha256: Digest::of(bytes) })
    };
    let certificate = Certificate {
        network: reference("network.safetensors", &network_bytes(network))?,
        network_source: None,
        dataset: Some(reference("dataset.safetensors", &dataset_bytes(data, None))?),
        claim: claim.map(Property::from),
        forest: None,
        source: None,
        verdict: Verdict::Refuted,
        evidence: Some(evidence),
        lemmas: Vec::new(),
        provenance: BTreeMap::new(),
    };
    let digest = Digest::of(certificate.to_json().ok()?.as_bytes());
    let [given, label] = [given, label].map(|value| number(data.format(), value));
    Some(format!("{}, row {row}: {label}, a path gives {given}; {digest}", instance.name))
}

/// A value in short.
fn number(format: Format, value: roundproof_format::Encoding) -> String {
    let decimal = exact_decimal(format, value);
    if decimal.len() <= 9 { decimal } else { format!("0x{:x}", value.bits()) }
}
