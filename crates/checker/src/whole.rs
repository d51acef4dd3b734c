//! Whole small networks in one query: a cross-check that leans on no lemma.
//!
//! The row is symbolic, and so is a choice for every rounding: a direction of Z3's own theory where that takes the format
//! and nothing is contracted, else one of the two neighbours in our bit-vectors. With contraction, a Boolean for every
//! addition says which product goes in unrounded. The sums go from left to right. Unsatisfiable means: no row, no
//! directions and no contractions give another value than the label.

use roundproof_files::Digest;
use roundproof_files::certificate::LemmaReference;
use roundproof_format::{Encoding, Subnormals};
use roundproof_kernel::Verdict;
use roundproof_network::{
    Accumulator, Activation, Contraction, Dataset, Network, Order, PathModel, Rounding, SparseLayer, Summation,
};

use crate::smt::bits::{Bits, Choices, Operation};
use crate::smt::ieee::{DIRECTIONS, FloatingPoint};
use crate::smt::term::{Vector, vector_sort};
use roundproof_solver::{Answer, Script, Solver};

/// What a solver said of a whole network.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// `Attested`, or `Unknown`.
    pub verdict: Verdict,
    /// In words.
    pub how: String,
    /// The query, by its digest.
    pub lemma: LemmaReference,
    /// What was asked, by name, each as a file for any solver.
    pub scripts: Vec<(String, String)>,
}

/// Asks whether `network` can miss a label of `data` on a path of `model`, in one query.
///
/// Models with any rounding, left to right, gradual underflow and no wider accumulator, and layers of step, ReLU and the
/// identity are covered; others come out
/// `Unknown`. So does a network that can miss a label: a witness is for the kernel to replay.
pub fn attest(
    solver: &Solver,
    network: &Network,
    data: &Dataset,
    model: &PathModel,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Attestation {
    let unknown = |how: String, scripts| Attestation {
        verdict: Verdict::Unknown,
        how,
        lemma: LemmaReference { name: "whole-network".to_string(), established: "not established".to_string() },
        scripts,
    };
    let Some(query) = Query::new(network, data, model) else {
        return unknown(format!("one query does not cover {} under {model}", network.format()), Vec::new());
    };
    progress("asking Z3", 0, 2);
    let possible = solver.check(&query.script);
    progress("asking Z3", 1, 2);
    let negation = query.negation();
    let missed = solver.check(&negation);
    progress("asking Z3", 2, 2);
    let texts = [("assumptions", &query.script), ("another value than the label", &negation)];
    let scripts = texts.map(|(name, script)| (name.to_string(), script.to_smtlib())).to_vec();
    if (&possible, &missed) != (&Answer::Satisfiable, &Answer::Unsatisfiable) {
        return unknown(format!("assumptions {possible:?}, a missed label {missed:?}"), scripts);
    }
    let established = format!("unsatisfiable in {}, {} symbolic choices, one query", query.words.name(), query.choices);
    Attestation {
        verdict: Verdict::Attested,
        how: format!("z3: one query, {} symbolic choices, {}", query.choices, query.words.name()),
        lemma: LemmaReference {
            name: format!("whole-network sha256:{}", Digest::of(negation.to_smtlib().as_bytes())),
            established,
        },
        scripts,
    }
}

/// Whose arithmetic.
enum Words {
    Theory(FloatingPoint),
    Bits(Bits),
}

impl Words {
    fn name(&self) -> &'static str {
        match self {
            Words::Theory(_) => "floating-point",
            Words::Bits(_) => "bit-vectors",
        }
    }

    fn sort(&self) -> String {
        match self {
            Words::Theory(theory) => theory.sort(),
            Words::Bits(bits) => bits.sort(),
        }
    }

    fn constant(&self, encoding: Encoding) -> String {
        match self {
            Words::Theory(theory) => theory.constant(encoding),
            Words::Bits(bits) => bits.constant(encoding),
        }
    }
}

/// A query under construction: definitions of intermediate results, and constants for choices.
struct Query {
    words: Words,
    contract: bool,
    script: Script,
    choices: usize,
    results: usize,
    /// Says that every output is its label.
    right: String,
}

impl Query {
    fn new(network: &Network, data: &Dataset, model: &PathModel) -> Option<Query> {
        let Summation::Trees(trees) = &model.summation;
        let covered = model.rounding == Rounding::Any
            && trees.order == Order::LeftToRight
            && model.subnormals == Subnormals::Gradual
            && trees.accumulator == Accumulator::Same;
        let layers = network.as_layers()?;
        let known = |layer: &SparseLayer<'_>| match layer.activation {
            Activation::Step | Activation::Relu | Activation::Identity => true,
            Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ } | Activation::Sign => false,
        };
        if !covered || data.rows() == 0 || !layers.iter().all(known) {
            return None;
        }
        let format = network.format();
        let contract = trees.contraction == Contraction::Any;
        // Z3's theory overflows to infinity, as every format that it takes does by default.
        let theory = FloatingPoint::new(format).filter(|_| !contract && model.overflow == format.default_overflow());
        let (words, definitions) = match theory {
            Some(theory) => {
                let definitions = theory.definitions();
                (Words::Theory(theory), definitions)
            }
            None => {
                let bits = Bits::new(format, model.overflow, Choices::Neighbours)?;
                let mut operations = vec![Operation::Add, Operation::Multiply];
                operations.extend(contract.then_some(Operation::FusedMultiplyAdd));
                let definitions = bits.definitions(&operations);
                (Words::Bits(bits), definitions)
            }
        };
        let mut query =
            Query { words, contract, script: Script::new(None), choices: 0, results: 0, right: String::new() };
        for line in &definitions {
            query.script.line(line);
        }
        query.evaluate(&layers, data);
        Some(query)
    }

    fn negation(&self) -> Script {
        let mut script = self.script.clone();
        script.assert(&format!("(not {})", self.right));
        script
    }

    fn evaluate(&mut self, layers: &[SparseLayer<'_>], data: &Dataset) {
        let width = usize::BITS - (data.rows() - 1).leading_zeros().min(usize::BITS - 1);
        self.script.line(&format!("(declare-const row {})", vector_sort(width)));
        let last = Vector::constant(data.rows() as u128 - 1, width);
        self.script.assert(&format!("(bvule row {last})"));
        let mut values: Vec<String> = (0..data.dimension())
            .map(|column| self.pick(width, (0..data.rows()).map(|row| data.input(row, column))))
            .collect();
        for layer in layers {
            values = (0..layer.rows()).map(|neuron| self.neuron(layer, neuron, &values)).collect();
        }
        let equal = if matches!(self.words, Words::Theory(_)) { "fp.eq" } else { "eq" };
        let right: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(output, value)| {
                let label = self.pick(width, (0..data.rows()).map(|row| data.label(row, output)));
                format!("({equal} {value} {label})")
            })
            .collect();
        self.right = format!("(and {})", right.join(" "));
    }

    /// The entry of the symbolic row.
    fn pick(&mut self, width: u32, entries: impl DoubleEndedIterator<Item = Encoding>) -> String {
        let entries: Vec<String> = entries.map(|entry| self.words.constant(entry)).collect();
        let mut picked = entries[entries.len() - 1].clone();
        for (row, entry) in entries.iter().enumerate().rev().skip(1) {
            picked = format!("(ite (= row {}) {entry} {picked})", Vector::constant(row as u128, width));
        }
        self.result(&picked)
    }

    fn result(&mut self, term: &str) -> String {
        self.results += 1;
        self.script.line(&format!("(define-fun v{} () {} {term})", self.results, self.words.sort()));
        format!("v{}", self.results)
    }

    fn constant_of_sort(&mut self, sort: &str) -> String {
        self.choices += 1;
        self.script.line(&format!("(declare-const c{} {sort})", self.choices));
        format!("c{}", self.choices)
    }

    fn choice(&mut self) -> String {
        match &self.words {
            Words::Theory(_) => self.constant_of_sort(DIRECTIONS),
            Words::Bits(bits) => {
                let sort = bits.choice_sort();
                self.constant_of_sort(sort)
            }
        }
    }

    fn operation(&mut self, name: &str, operands: &[&str]) -> String {
        let (choice, operands) = (self.choice(), operands.join(" "));
        let term = match self.words {
            Words::Theory(_) => format!("(fp.{name} {choice} {operands})"),
            Words::Bits(_) => format!("({name} {operands} {choice})"),
        };
        self.result(&term)
    }

    fn neuron(&mut self, layer: &SparseLayer<'_>, neuron: usize, inputs: &[String]) -> String {
        let bias = self.words.constant(layer.bias.get(neuron));
        let multiply = if matches!(self.words, Words::Theory(_)) { "mul" } else { "multiply" };
        let factors: Vec<(String, &str)> = layer
            .terms(neuron)
            .map(|(column, weight)| (self.words.constant(weight), inputs[column as usize].as_str()))
            .collect();
        let products: Vec<String> =
            factors.iter().map(|(weight, input)| self.operation(multiply, &[weight, input])).collect();
        // The terms in order; those that are products may go in unrounded.
        let mut sum = products.first().unwrap_or(&bias).clone();
        for index in 1..=products.len() {
            let right = products.get(index).unwrap_or(&bias);
            let rounded = self.operation("add", &[&sum, right]);
            let mut next = rounded;
            if self.contract {
                // Of the first addition either operand is a product, later only the right one.
                let candidates = [(0, right.as_str()), (index, sum.as_str())];
                for (product, other) in candidates {
                    let is_operand = if product == 0 { index == 1 } else { product < products.len() };
                    if is_operand {
                        let (weight, input) = &factors[product];
                        let fused = self.operation("fma", &[weight, input, other]);
                        let contracted = self.constant_of_sort("Bool");
                        next = self.result(&format!("(ite {contracted} {fused} {next})"));
                    }
                }
            }
            sum = next;
        }
        match layer.activation {
            Activation::Identity => sum,
            other => self.result(&format!("({} {sum})", other.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use roundproof_construct::{classical, point};
    use roundproof_format::Format;
    use roundproof_network::Encodings;

    use super::*;

    fn neighbours(format: Format) -> Dataset {
        let one = format.one(false).bits();
        let column = |bits: [u128; 2]| Encodings::collect(format, bits.map(Encoding::from_bits));
        Dataset::new(format, 1, 1, column([one, one + 1]), column([one, 0])).expect("two rows")
    }

    #[test]
    fn a_box_network_is_attested_and_a_weakened_one_is_not() {
        let solver = roundproof_solver::testing::solver(Duration::from_secs(20));
        for format in [Format::FLOAT8_E4M3, Format::FLOAT8_E4M3FN] {
            let data = neighbours(format);
            let network = point::memorize(&data, Activation::Relu).expect("no conflict").network;
            for text in ["all,order=left-to-right", "all,order=left-to-right,contraction=none"] {
                let model = PathModel::parse(text, format).expect("a model");
                let verdict = |network: &Network| attest(&solver, network, &data, &model, &mut |_, _, _| ()).verdict;
                assert_eq!(verdict(&network), Verdict::Attested, "{format} {text}");
                let weak = classical::halve_penalties(network.clone()).expect("weaker");
                assert_eq!(verdict(&weak), Verdict::Unknown, "{format} {text}");
            }
        }
    }

    #[test]
    fn other_models_are_not_covered() {
        let solver = roundproof_solver::testing::solver(Duration::from_secs(20));
        let format = Format::FLOAT8_E4M3;
        let data = neighbours(format);
        let network = point::memorize(&data, Activation::Step).expect("no conflict").network;
        for text in ["all", "paper", "all,order=left-to-right,subnormals=flush"] {
            let model = PathModel::parse(text, format).expect("a model");
            let attestation = attest(&solver, &network, &data, &model, &mut |_, _, _| ());
            assert_eq!(attestation.verdict, Verdict::Unknown, "{text}");
        }
    }
}
