//! `roundproof explain`: a refutation in words.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use roundproof_exact::{Datum, Rational, decode, faithful, round};
use roundproof_files::Certificate;
use roundproof_files::safetensors::{parse_dataset, parse_network};
use roundproof_files::text::{exact_decimal, exact_dyadic};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_kernel::{Evidence, Subject, Verdict, check};
use roundproof_network::{Accumulator, Activation, Choice, Network, PathModel, Witness};
use roundproof_paths::{FromWitness, NeuronTrace, Plain, Trace, trace};
use serde::Serialize;

use crate::check::referenced;
use crate::exit::Exit;
use crate::input;
use crate::output::{count, emit, emit_json};

const EXAMPLES: &str = "\
The kernel replays the witness first. Shown are the neurons on which the wrong output depends and whose value differs from \
that on the plain path, or from what their inputs give over the reals, or whose path the witness states; of each, the \
operations that are not exact.

Examples:
  roundproof explain broken/certificate.json
  roundproof explain broken/certificate.json --json";

/// How many neurons are shown, and how many operations of each.
const MOST: usize = 20;

/// Say how a refuted network comes to its wrong output
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// A certificate that says Refuted
    certificate: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Explanation {
    row: usize,
    output: usize,
    expected: String,
    given: String,
    /// The output on the plain path.
    plain: String,
    layers: Vec<Travel>,
    neurons: Vec<Neuron>,
    neurons_left_out: usize,
}

/// How far the error has come.
#[derive(Serialize)]
struct Travel {
    layer: usize,
    neurons: usize,
    /// How many of those on which the output depends.
    relevant: usize,
    /// How many of these have another value than on the plain path.
    different: usize,
}

#[derive(Serialize)]
struct Neuron {
    layer: usize,
    neuron: usize,
    activation: &'static str,
    value: String,
    plain: String,
    /// What the activation makes of the exact sum for the inputs that the path gives it; none beside NaN and infinities.
    exact: Option<String>,
    operations: Vec<Operation>,
    operations_left_out: usize,
}

#[derive(Serialize)]
struct Operation {
    operation: String,
    fused: bool,
    /// None beside NaN and infinities.
    exact: Option<String>,
    below: Option<String>,
    above: Option<String>,
    chosen: String,
    direction: String,
    ties_to_even: Option<String>,
    flushed: Vec<&'static str>,
}

impl Explain {
    /// Explains the certificate.
    pub fn execute(self) -> Result<Exit> {
        let explanation = explain(&self.certificate)?;
        if self.json {
            emit_json(&explanation)?
        } else {
            emit(&explanation.text())?
        }
        Ok(Exit::AsClaimed)
    }
}

fn explain(path: &Path) -> Result<Explanation> {
    let read = Certificate::read(path).map_err(|error| input::instead(path, input::Kind::Certificate, error.into()));
    let certificate = read?.value;
    let shown = path.display();
    let Some(evidence @ Evidence::Witness(witness)) = &certificate.evidence else {
        bail!(
            "{shown}: says {}: there is nothing to explain; only a Refuted certificate has a path",
            certificate.verdict
        );
    };
    let (file, bytes) = referenced(path, &certificate.network)?.map_err(|reason| anyhow!("{shown}: {reason}"))?;
    let network = parse_network(&file, &bytes)?;
    let reference = certificate.dataset.as_ref().ok_or_else(|| anyhow!("{shown}: names no data set"))?;
    let (file, bytes) = referenced(path, reference)?.map_err(|reason| anyhow!("{shown}: {reason}"))?;
    let data = parse_dataset(&file, &bytes)?.dataset;
    let judged = check(&certificate.claim, &Subject::memorizing(&network, &data), evidence, &mut |_, _| ());
    match judged {
        Ok(Verdict::Refuted) => {}
        Ok(other) => bail!("{shown}: the kernel says {other}; there is nothing to explain"),
        Err(rejection) => bail!("{shown}: the kernel rejects the witness: {rejection}"),
    }
    let inputs: Vec<Encoding> = (0..data.dimension()).map(|column| data.input(witness.row, column)).collect();
    let model = &certificate.claim.model;
    let taken = trace(&network, &inputs, model, &mut FromWitness::new(witness))?;
    let plain = trace(&network, &inputs, model, &mut Plain)?;
    let story = Story { model, network: &network, witness, taken: &taken, plain: &plain };
    Ok(story.tell(data.label(witness.row, witness.output)))
}

/// What an explanation is made of.
struct Story<'a> {
    model: &'a PathModel,
    network: &'a Network,
    witness: &'a Witness,
    taken: &'a Trace,
    plain: &'a Trace,
}

impl Story<'_> {
    fn tell(&self, label: Encoding) -> Explanation {
        let format = self.network.format();
        let cone = self.cone();
        let (mut layers, mut neurons, mut neurons_left_out) = (Vec::new(), Vec::new(), 0);
        for (layer, relevant) in cone.iter().enumerate() {
            let mut different = 0;
            for &neuron in relevant {
                let (taken, plain) = (&self.taken.layers[layer][neuron], &self.plain.layers[layer][neuron]);
                let activation = self.network.layers()[layer].activation;
                let exact = over_the_reals(format, activation, taken);
                let differs = taken.value != plain.value;
                different += usize::from(differs);
                let listed = self.witness.neurons.iter().any(|place| (place.layer, place.neuron) == (layer, neuron));
                let departs = exact.is_none() || exact != real(format, taken.value);
                if !(differs || listed || departs) {
                    continue;
                }
                if neurons.len() == MOST {
                    neurons_left_out += 1;
                    continue;
                }
                let mut operations = self.operations(taken);
                let operations_left_out = operations.len().saturating_sub(MOST);
                operations.truncate(MOST);
                neurons.push(Neuron {
                    layer,
                    neuron,
                    activation: activation.name(),
                    value: exact_decimal(format, taken.value),
                    plain: exact_decimal(format, plain.value),
                    exact: exact.map(exact_dyadic),
                    operations,
                    operations_left_out,
                });
            }
            let all = self.taken.layers[layer].len();
            layers.push(Travel { layer, neurons: all, relevant: relevant.len(), different });
        }
        let Witness { row, output, value, .. } = *self.witness;
        let plain = self.plain.layers.last().map_or(value, |last| last[output].value);
        let [expected, given, plain] = [label, value, plain].map(|value| exact_decimal(format, value));
        Explanation { row, output, expected, given, plain, layers, neurons, neurons_left_out }
    }

    /// The neurons of every layer on which the wrong output depends.
    fn cone(&self) -> Vec<BTreeSet<usize>> {
        let mut wanted = BTreeSet::from([self.witness.output]);
        let mut cone = Vec::new();
        for layer in self.network.layers().iter().rev() {
            let columns = wanted.iter().flat_map(|&neuron| layer.terms(neuron)).map(|(column, _)| column as usize);
            let before = columns.collect();
            cone.push(std::mem::replace(&mut wanted, before));
        }
        cone.reverse();
        cone
    }

    /// The operations of one neuron that are not exact.
    fn operations(&self, neuron: &NeuronTrace) -> Vec<Operation> {
        let format = self.network.format();
        let (wide, policy) = match self.model.accumulator {
            Accumulator::Same => (format, self.model.overflow),
            Accumulator::Wider { format, overflow } => (format, overflow),
        };
        let (sum, path, steps) = (&neuron.sum, &neuron.path, &neuron.steps);
        let terms = sum.terms.len();
        let product = |index: usize| {
            let term = sum.terms[index];
            (term, real(format, term.weight).zip(real(format, term.input)).map(|(weight, input)| weight * input))
        };
        let operand = |number: usize| match number {
            _ if number < terms => (wide, steps.products[number].unwrap_or(sum.bias), format!("product {number}")),
            _ if number == terms => (format, sum.bias, "bias".to_string()),
            _ => (wide, steps.additions[number - terms - 1], format!("sum {}", number - terms - 1)),
        };
        let spelled =
            |(own, value, name): (Format, Encoding, String)| format!("{name} ({})", exact_decimal(own, value));
        let mut all = Vec::new();
        for (index, &result) in steps.products.iter().enumerate() {
            let Some(result) = result else { continue };
            let (term, exact) = product(index);
            let [weight, input] = [term.weight, term.input].map(|factor| exact_decimal(format, factor));
            let what = format!("product {index} = {weight} * {input}");
            all.extend(operation(what, false, exact, (wide, policy), result, path.products[index]));
        }
        for (index, (add, &result)) in path.additions.iter().zip(&steps.additions).enumerate() {
            let (own, value, _) = operand(add.right as usize);
            let right = real(own, value);
            let (left, name, mut choice) = if add.contracted {
                let (term, exact) = product(add.left as usize);
                let [weight, input] = [term.weight, term.input].map(|factor| exact_decimal(format, factor));
                let mut choice = add.choice;
                // The product's own choice says how its factors are read.
                let read = path.products[add.left as usize].flushes;
                choice.flushes.left = read.left || read.right;
                (exact, format!("{weight} * {input}, fused,"), choice)
            } else {
                let (own, value, _) = operand(add.left as usize);
                (real(own, value), spelled(operand(add.left as usize)), add.choice)
            };
            choice.mode = add.choice.mode;
            let what = format!("sum {index} = {name} + {}", spelled(operand(add.right as usize)));
            let exact = left.zip(right).map(|(left, right)| left + right);
            all.extend(operation(what, add.contracted, exact, (wide, policy), result, choice));
        }
        if let Some(choice) = path.narrowing {
            let total = steps.additions.last().copied();
            let (own, total) = total.map_or((format, sum.bias), |total| (wide, total));
            let what = format!("out of the accumulator: {}", exact_decimal(own, total));
            all.extend(operation(what, false, real(own, total), (format, self.model.overflow), steps.value, choice));
        }
        all
    }
}

/// One operation, if its result is not the exact value.
fn operation(
    operation: String,
    fused: bool,
    exact: Option<Rational>,
    (format, policy): (Format, Overflow),
    chosen: Encoding,
    choice: Choice,
) -> Option<Operation> {
    if exact.is_some() && exact == real(format, chosen) {
        return None;
    }
    let spell = |encoding| exact_decimal(format, encoding);
    let between = exact.as_ref().map(|exact| faithful(exact, format, policy));
    let even = exact.as_ref().map(|exact| round(exact, format, RoundingMode::TiesToEven, policy).encoding);
    let flags = [
        (choice.flushes.left, "the left operand"),
        (choice.flushes.right, "the right operand"),
        (choice.flushes.result, "the result"),
    ];
    Some(Operation {
        operation,
        fused,
        exact: exact.map(exact_dyadic),
        below: between.as_ref().map(|both| spell(both.below)),
        above: between.as_ref().map(|both| spell(both.above)),
        chosen: spell(chosen),
        direction: choice.mode.to_string(),
        ties_to_even: even.map(spell),
        flushed: flags.into_iter().filter_map(|(flag, what)| flag.then_some(what)).collect(),
    })
}

fn real(format: Format, encoding: Encoding) -> Option<Rational> {
    decode(format, encoding).as_ref().and_then(Datum::rational)
}

/// What a neuron would give if nothing in it were rounded.
fn over_the_reals(format: Format, activation: Activation, neuron: &NeuronTrace) -> Option<Rational> {
    let mut sum = real(format, neuron.sum.bias)?;
    for term in &neuron.sum.terms {
        sum += real(format, term.weight)? * real(format, term.input)?;
    }
    Some(match activation {
        Activation::Identity => sum,
        Activation::Relu if sum < 0 => Rational::new(),
        Activation::Relu => sum,
        Activation::Step => Rational::from(u32::from(sum >= 0)),
    })
}

impl Explanation {
    fn text(&self) -> String {
        let Explanation { row, output, expected, given, plain, .. } = self;
        let mut text = format!(
            "Refuted: row {row}, output {output}: expected {expected}, the path gives {given}; the plain path gives {plain}\n"
        );
        for neuron in &self.neurons {
            neuron.write(&mut text);
        }
        if self.neurons_left_out > 0 {
            let _ = writeln!(text, "… and {} more", count(self.neurons_left_out, "neuron"));
        }
        for Travel { layer, neurons, relevant, different } in &self.layers {
            let neurons = count(*neurons, "neuron");
            let _ = writeln!(
                text,
                "layer {layer}: the output depends on {relevant} of {neurons}; not as on the plain path: {different}"
            );
        }
        text
    }
}

impl Neuron {
    fn write(&self, text: &mut String) {
        let Neuron { layer, neuron, activation, value, plain, .. } = self;
        let exact = self.exact.as_deref().unwrap_or("undefined");
        let _ = writeln!(
            text,
            "layer {layer}, neuron {neuron} ({activation}): {value}; on the plain path {plain}; exactly, from its inputs, {exact}"
        );
        for Operation { operation, exact, below, above, chosen, direction, ties_to_even, flushed, .. } in
            &self.operations
        {
            let _ = match (exact, below, above, ties_to_even) {
                (Some(exact), Some(below), Some(above), Some(even)) => {
                    let lies = match below == above {
                        true => format!("{exact}, a value"),
                        false => format!("{exact}, between {below} and {above}"),
                    };
                    write!(text, "  {operation}: {lies}; {direction} gives {chosen}, ties-to-even {even}")
                }
                _ => write!(text, "  {operation}: {chosen}"),
            };
            if !flushed.is_empty() {
                let _ = write!(text, "; flushed if subnormal: {}", flushed.join(", "));
            }
            text.push('\n');
        }
        if self.operations_left_out > 0 {
            let _ = writeln!(text, "  … and {} more", count(self.operations_left_out, "operation"));
        }
    }
}
