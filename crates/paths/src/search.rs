//! Looking for a path on which a label, or what else is right, is missed.
//!
//! In this order, cheap before dear, each on all rows before the next:
//!
//! 1. the plain path;
//! 2. the enclosure of all paths ([`reach`](fn@crate::reach)), which settles rows for good;
//! 3. fixed paths: every [`Arrangement`](crate::Arrangement) in several directions, contracted and flushed or not;
//! 4. greedy paths ([`greedy`]): for an output that is to come out low or high, every neuron below it takes the extreme
//!    value that pushes that way;
//! 5. single deviations: one neuron takes another value, all others the plain path;
//! 6. random paths;
//! 7. every combination of all neurons' values ([`exhaustive`]), which settles a row for good if it is small enough.

mod exhaustive;
mod greedy;
mod minimise;
mod shorter;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use roundproof_format::{Encoding, RoundingMode};
use roundproof_network::{
    Activation, Choice, Network, Neuron, NeuronPath, PathModel, Placed, SumPath, TreePath, Witness,
};
use roundproof_softfloat::compare;

use crate::choose::{Chooser, Fixed, Plain, Site};
use crate::enumerate::{Enumeration, Keep};
use crate::error::EvaluateError;
use crate::evaluate::{check_fit, step_values, sum_of, values};
use crate::machine::{Machine, Sum};
use crate::random::Random;
use crate::reach::reach;
use crate::targets::{Targets, are_right, is_right};
pub use minimise::minimise;
pub(crate) use shorter::departures;

/// How long to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchOptions {
    /// Where random paths start from: see [`Random`]. Path `i` of row `r` is number `r * random_paths + i`.
    pub seed: u64,
    /// Random paths per row.
    pub random_paths: u64,
    /// Evaluations with one deviating neuron, per row.
    pub deviations: usize,
    /// Operations that the enumeration of one neuron may take.
    pub operations: usize,
    /// Combinations of values, per layer and row, up to which all of them are looked at.
    pub states: usize,
    /// Whether a witness is made small before it is returned: see [`minimise`].
    pub minimise: bool,
}

impl Default for SearchOptions {
    fn default() -> SearchOptions {
        SearchOptions { seed: 0, random_paths: 64, deviations: 256, operations: 100_000, states: 1_000, minimise: true }
    }
}

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A path on which a label is missed; it replays.
    Found(Witness),
    /// There is none, as far as this crate can be believed: every row is settled by an enclosure or by enumeration.
    Excluded,
    /// None was found, and these rows or points are not settled.
    Open(Vec<usize>),
}

/// Looks for a path of `model` on which `network` gives a value that is not right at one of the points of `targets`: in
/// a row of a data set, another value than the label.
///
/// The same arguments give the same finding. The witness lists only neurons that do not take the plain path.
///
/// ```
/// use roundproof_format::{Encoding, Format};
/// use roundproof_network::{Activation, At, Dataset, Encodings, Layer, Network, PathModel};
/// use roundproof_paths::{Finding, SearchOptions, search};
///
/// // 16 x + x - 16 for x = 1, in four bits of precision: 17 is not a value, and 16 is nearer than 18 (by the even rule).
/// let format = Format::FLOAT8_E4M3;
/// let [one, sixteen, minus_sixteen] = [0x38, 0x58, 0xd8].map(Encoding::from_bits);
/// let mut layer = Layer::new(format, Activation::Identity);
/// layer.push([(0, sixteen), (1, one)], minus_sixteen);
/// let network = Network::new(format, 2, vec![layer])?;
/// let inputs = Encodings::collect(format, [one, one]);
/// let labels = Encodings::collect(format, [format.zero()]);
/// let data = Dataset::new(format, 2, 1, inputs, labels)?;
///
/// let under = |model| search(&network, &data, &model, &SearchOptions::default());
/// assert_eq!(under(PathModel::paper(format))?, Finding::Excluded);
/// let Finding::Found(witness) = under(PathModel::all(format))? else { panic!() };
/// assert_eq!((witness.at, witness.output, witness.neurons.len()), (At::Row(0), 0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the format does not support the model, or the data set does not fit the network.
pub fn search(
    network: &Network,
    targets: &dyn Targets,
    model: &PathModel,
    options: &SearchOptions,
) -> Result<Finding, EvaluateError> {
    check_fit(network, targets)?;
    let machines = Machine::of_steps(network, model)?;
    let hunt = Hunt { network, targets, model, machines, options };
    hunt.all_rows()
}

/// How many rows are looked at for the smallest witness.
const MOST_WITNESSES: usize = 16;

/// One search.
struct Hunt<'a> {
    network: &'a Network,
    targets: &'a dyn Targets,
    model: &'a PathModel,
    /// One for each step.
    machines: Vec<Machine>,
    options: &'a SearchOptions,
}

/// A row or point that no enclosure has settled.
struct Row {
    index: usize,
    inputs: Vec<Encoding>,
    /// The outputs that may not be right.
    outputs: Vec<usize>,
}

type Attempt = Result<Option<Witness>, EvaluateError>;

impl Hunt<'_> {
    fn all_rows(&self) -> Result<Finding, EvaluateError> {
        for row in 0..self.targets.points() {
            if let Some(witness) = self.attempt(row, &self.targets.inputs(row), &Plain)? {
                return Ok(Finding::Found(witness));
            }
        }
        let rows = self.unsettled()?;
        for strategy in [Self::fixed as fn(&Self, &Row) -> Attempt, Self::greedy, Self::deviations, Self::random] {
            for (index, row) in rows.iter().enumerate() {
                if let Some(witness) = strategy(self, row)? {
                    return self.smallest(witness, &rows[index + 1..], strategy).map(Finding::Found);
                }
            }
        }
        let mut open = Vec::new();
        for row in &rows {
            match self.exhaust(row)? {
                Finding::Found(witness) => return self.minimised(witness).map(Finding::Found),
                Finding::Excluded => {}
                Finding::Open(_) => open.push(row.index),
            }
        }
        Ok(if open.is_empty() { Finding::Excluded } else { Finding::Open(open) })
    }

    fn minimised(&self, witness: Witness) -> Result<Witness, EvaluateError> {
        if !self.options.minimise {
            return Ok(witness);
        }
        minimise(self.network, self.targets, self.model, witness)
    }

    /// Of this witness and those that the same strategy finds in the next rows, the one that departs from the plain path
    /// in the fewest places; of several, the first row's.
    fn smallest(
        &self,
        first: Witness,
        rows: &[Row],
        strategy: fn(&Self, &Row) -> Attempt,
    ) -> Result<Witness, EvaluateError> {
        let mut smallest = self.minimised(first)?;
        if !self.options.minimise {
            return Ok(smallest);
        }
        let size = |witness: &Witness| departures(witness, self.network, self.model);
        for row in rows.iter().take(MOST_WITNESSES - 1) {
            if size(&smallest) < 2 {
                break;
            }
            let Some(witness) = strategy(self, row)? else { continue };
            let witness = self.minimised(witness)?;
            if size(&witness) < size(&smallest) {
                smallest = witness;
            }
        }
        Ok(smallest)
    }

    fn unsettled(&self) -> Result<Vec<Row>, EvaluateError> {
        let mut rows = Vec::new();
        for index in 0..self.targets.points() {
            let inputs = self.targets.inputs(index);
            let sets = reach(self.network, &inputs, self.model)?;
            let right =
                |&output: &usize| are_right(self.network.format(), &sets[output], self.targets.right(index, output));
            let outputs: Vec<usize> = (0..sets.len()).filter(|output| !right(output)).collect();
            if !outputs.is_empty() {
                rows.push(Row { index, inputs, outputs });
            }
        }
        Ok(rows)
    }

    /// The first output that is not right.
    fn missed(&self, row: usize, outputs: &[Encoding]) -> Option<usize> {
        let format = self.network.format();
        (0..outputs.len()).find(|&output| !is_right(format, outputs[output], self.targets.right(row, output)))
    }

    fn values(&self, inputs: &[Encoding], chooser: &mut dyn Chooser) -> Result<Vec<Encoding>, EvaluateError> {
        values(self.network, &self.machines, inputs, chooser)
    }

    /// Takes the path of a chooser, and writes it down if an output is not right.
    fn attempt<C: Chooser + Clone>(&self, row: usize, inputs: &[Encoding], chooser: &C) -> Attempt {
        let outputs = self.values(inputs, &mut chooser.clone())?;
        let Some(output) = self.missed(row, &outputs) else { return Ok(None) };
        let mut recorder = Recorder { chooser: chooser.clone(), neurons: Vec::new(), plain: None };
        let value = self.values(inputs, &mut recorder)?[output];
        Ok(Some(Witness { at: self.targets.at(row), output, value, neurons: recorder.neurons }))
    }

    fn fixed(&self, row: &Row) -> Attempt {
        for fixed in Fixed::all(&self.machines[0], RoundingMode::ALL) {
            if let Some(witness) = self.attempt(row.index, &row.inputs, &fixed)? {
                return Ok(Some(witness));
            }
        }
        Ok(None)
    }

    fn greedy(&self, row: &Row) -> Attempt {
        for &output in &row.outputs {
            for high in [false, true] {
                let greedy = greedy::Greedy::new(self.network, output, high, self.options.operations);
                if let Some(witness) = self.attempt(row.index, &row.inputs, &greedy)? {
                    return Ok(Some(witness));
                }
            }
        }
        Ok(None)
    }

    fn random(&self, row: &Row) -> Attempt {
        let count = self.options.random_paths;
        for path in 0..count {
            let number = (row.index as u64).wrapping_mul(count).wrapping_add(path);
            if let Some(witness) = self.attempt(row.index, &row.inputs, &Random::new(self.options.seed, number))? {
                return Ok(Some(witness));
            }
        }
        Ok(None)
    }

    fn deviations(&self, row: &Row) -> Attempt {
        let mut left = self.options.deviations;
        let mut vectors = vec![row.inputs.clone()];
        for (index, step) in self.network.steps().iter().enumerate() {
            let machine = &self.machines[index];
            let read = step.read(&vectors);
            let values = step_values(step, machine, index, &read, &mut Plain)?;
            for (neuron, &usual) in values.iter().enumerate() {
                let found = Possible::of(machine, step, neuron, &read, Keep::Extremes, self.options.operations);
                let Some(found) = found else { continue };
                let sums = found.values().into_iter();
                let values = sums.flat_map(|sum| {
                    machine.activations(step.activation(), sum).into_iter().map(move |value| (sum, value))
                });
                for (sum, value) in values {
                    if compare(machine.format(), value, usual) == Some(Ordering::Equal) {
                        continue;
                    }
                    let Some(path) = found.path(sum) else { continue };
                    // The path may give the other zero, for which another value may be admitted.
                    let value = Some(value).filter(|&value| value != machine.activate(step.activation(), sum));
                    let deviation = Deviation { site: Site { layer: index, neuron }, path, value };
                    if let Some(witness) = self.attempt(row.index, &row.inputs, &deviation)? {
                        return Ok(Some(witness));
                    }
                    left = left.saturating_sub(1);
                    if left == 0 {
                        return Ok(None);
                    }
                }
            }
            drop(read);
            vectors.push(values);
        }
        Ok(None)
    }
}

/// What a neuron can compute before its activation, each value with a path to it.
enum Possible {
    Sum(Enumeration),
    Product(BTreeMap<Encoding, Choice>),
    Maximum(Encoding),
}

impl Possible {
    /// Where its step reads `values`; none if that takes more than `operations`.
    fn of(
        machine: &Machine,
        step: &Placed,
        neuron: usize,
        values: &[Encoding],
        keep: Keep,
        operations: usize,
    ) -> Option<Possible> {
        Some(match step.neuron(neuron) {
            Neuron::Sum { terms, bias } => {
                Possible::Sum(Enumeration::new(machine, &sum_of(terms, bias, values), keep, operations)?)
            }
            Neuron::Product(columns) => {
                Possible::Product(machine.products(columns.map(|column| values[column as usize])))
            }
            Neuron::Maximum(window) => Possible::Maximum(machine.maximum(window.map(|column| values[column as usize]))),
        })
    }

    fn values(&self) -> Vec<Encoding> {
        match self {
            Possible::Sum(found) => found.values(),
            Possible::Product(found) => found.keys().copied().collect(),
            Possible::Maximum(value) => vec![*value],
        }
    }

    fn path(&self, value: Encoding) -> Option<SumPath> {
        match self {
            Possible::Sum(found) => found.path(value).map(SumPath::Tree),
            Possible::Product(found) => found.get(&value).copied().map(SumPath::Product),
            Possible::Maximum(only) => (value == *only).then_some(SumPath::Maximum),
        }
    }
}

/// One neuron takes this path and has this value, all others take the plain one.
#[derive(Clone)]
struct Deviation {
    site: Site,
    path: SumPath,
    value: Option<Encoding>,
}

impl Chooser for Deviation {
    fn is_plain(&self, site: Site) -> bool {
        site != self.site
    }

    fn in_order(&self, layer: usize, machine: &Machine) -> Option<RoundingMode> {
        (layer != self.site.layer).then(|| machine.plain_mode())
    }

    fn choose(&mut self, site: Site, sum: &Sum, machine: &Machine) -> Cow<'_, TreePath> {
        match &self.path {
            SumPath::Tree(path) if site == self.site => Cow::Borrowed(path),
            _ => Cow::Owned(plain(sum, machine)),
        }
    }

    fn product(&mut self, site: Site, _: [Encoding; 2], machine: &Machine) -> Choice {
        match &self.path {
            SumPath::Product(choice) if site == self.site => *choice,
            _ => Choice::of(machine.model()),
        }
    }

    fn activate(&mut self, site: Site, _: Activation, _: Encoding, _: &Machine) -> Option<Encoding> {
        self.value.filter(|_| site == self.site)
    }
}

/// Another chooser's paths, written down where they are not plain.
struct Recorder<C> {
    chooser: C,
    neurons: Vec<NeuronPath>,
    /// The plain path of the neuron that was asked for last; of a maximum, which is not asked for, none.
    plain: Option<SumPath>,
}

impl<C> Recorder<C> {
    fn record(&mut self, site: Site, path: SumPath, plain: SumPath) {
        if path != plain {
            self.neurons.push(NeuronPath { layer: site.layer, neuron: site.neuron, path, value: None });
        }
        self.plain = Some(plain);
    }
}

impl<C: Chooser> Chooser for Recorder<C> {
    fn is_plain(&self, site: Site) -> bool {
        self.chooser.is_plain(site)
    }

    fn choose(&mut self, site: Site, sum: &Sum, machine: &Machine) -> Cow<'_, TreePath> {
        let path = self.chooser.choose(site, sum, machine).into_owned();
        self.record(site, path.clone().into(), plain(sum, machine).into());
        Cow::Owned(path)
    }

    fn product(&mut self, site: Site, factors: [Encoding; 2], machine: &Machine) -> Choice {
        let choice = self.chooser.product(site, factors, machine);
        self.record(site, SumPath::Product(choice), SumPath::Product(Choice::of(machine.model())));
        choice
    }

    fn activate(&mut self, site: Site, activation: Activation, sum: Encoding, machine: &Machine) -> Option<Encoding> {
        let value = self.chooser.activate(site, activation, sum, machine);
        let plain = self.plain.take().unwrap_or(SumPath::Maximum);
        if let Some(value) = value.filter(|&value| value != machine.activate(activation, sum)) {
            let Site { layer, neuron } = site;
            if self.neurons.last().is_none_or(|last| (last.layer, last.neuron) != (layer, neuron)) {
                self.neurons.push(NeuronPath { layer, neuron, path: plain, value: None });
            }
            self.neurons.last_mut().expect("there is one").value = Some(value);
        }
        value
    }
}

fn plain(sum: &Sum, machine: &Machine) -> TreePath {
    TreePath::plain(sum.terms.len(), machine.model())
}
