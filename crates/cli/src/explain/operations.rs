//! The operations of one neuron that are not exact.

use roundproof_exact::text::{exact_decimal, exact_dyadic};
use roundproof_exact::{Rational, faithful, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_network::{Accumulator, Activation, Addition, Choice, PathModel, Rounding, Summation, TreePath};
use roundproof_paths::{Computed, NeuronTrace, Sum, SumTrace};
use serde::Serialize;

use super::reals::real;

/// An operation, or several in a row that come out the same.
#[derive(Serialize)]
pub struct Operation {
    /// `product`, `addition`, `out of the accumulator` or `activation`.
    pub kind: &'static str,
    /// Among those of its kind, from 1; of the product, its place among the weights.
    pub first: usize,
    pub last: usize,
    pub of: usize,
    /// With its operands; of several, the first.
    pub operation: String,
    pub fused: bool,
    /// None beside NaN and infinities.
    pub exact: Option<String>,
    pub below: Option<String>,
    pub above: Option<String>,
    pub taken: String,
    pub direction: String,
    pub ties_to_even: Option<String>,
    pub flushed: Vec<&'static str>,
}

/// One neuron, and the formats that it is computed in.
pub struct Operations<'a> {
    /// Of weights, biases, and what they multiply.
    pub operands: Format,
    /// Of values.
    pub format: Format,
    /// That of the layer.
    pub model: PathModel,
    pub activation: Activation,
    pub neuron: &'a NeuronTrace,
}

/// A sum in it.
struct Added<'a> {
    operands: Format,
    format: Format,
    model: &'a PathModel,
    sum: &'a Sum,
    path: &'a TreePath,
    steps: &'a SumTrace,
}

/// A number on its way into an operation.
struct Operand {
    format: Format,
    value: Encoding,
    name: String,
}

impl Operand {
    fn real(&self) -> Option<Rational> {
        real(self.format, self.value)
    }

    fn text(&self) -> String {
        exact_decimal(self.format, self.value)
    }
}

/// What an operation is given, beside its result.
struct Given {
    kind: &'static str,
    number: usize,
    of: usize,
    operation: String,
    fused: bool,
    /// The exact result of the operands as they are, before any flush.
    exact: Option<Rational>,
    /// Whether an operand is NaN already.
    after_nan: bool,
}

impl Operations<'_> {
    /// Those that are not exact, in the order in which they are computed; equal ones in a row as one.
    pub fn inexact(&self) -> Vec<Operation> {
        let mut all = Vec::new();
        match &self.neuron.computed {
            Computed::Sum { .. } => self.added().into_iter().for_each(|added| added.inexact(&mut all)),
            Computed::Maximum { .. } => {}
            Computed::Product { factors, choice, value } => {
                let given = Given {
                    kind: "product",
                    number: 1,
                    of: 1,
                    operation: factors.map(|factor| exact_decimal(self.operands, factor)).join(" * "),
                    fused: false,
                    exact: real(self.operands, factors[0]).zip(real(self.operands, factors[1])).map(|(a, b)| a * b),
                    after_nan: factors.iter().any(|&factor| self.operands.is_nan(factor)),
                };
                push(&mut all, operation(given, (self.format, self.model.overflow), *value, *choice));
            }
        }
        push(&mut all, self.activation());
        all
    }

    /// The tree of the additions of a sum, if it is not the one from left to right and short enough to be read.
    pub fn order(&self) -> Option<String> {
        self.added().and_then(|added| added.order())
    }

    fn added(&self) -> Option<Added<'_>> {
        match &self.neuron.computed {
            Computed::Sum { sum, path, steps } => {
                Some(Added { operands: self.operands, format: self.format, model: &self.model, sum, path, steps })
            }
            Computed::Maximum { .. } | Computed::Product { .. } => None,
        }
    }

    /// What the activation rounds.
    fn activation(&self) -> Option<Operation> {
        let (sum, value) = (self.neuron.computed.value(), self.neuron.value);
        let slope = match self.activation {
            Activation::LeakyRelu { slope } if real(self.format, sum).is_none_or(|sum| sum < 0) => slope,
            Activation::LeakyRelu { slope: _ } | Activation::Step | Activation::Relu | Activation::Identity => {
                return None;
            }
            Activation::Clip { low: _, high: _ } | Activation::Sign => return None,
        };
        let given = Given {
            kind: "activation",
            number: 1,
            of: 1,
            operation: format!("{} * {}", exact_decimal(self.format, slope), exact_decimal(self.format, sum)),
            fused: false,
            exact: real(self.format, slope).zip(real(self.format, sum)).map(|(slope, sum)| slope * sum),
            after_nan: self.format.is_nan(sum),
        };
        let (plain, any) = match self.model.rounding {
            Rounding::Mode(mode) => (mode, false),
            Rounding::Any => (RoundingMode::TiesToEven, true),
        };
        let mut told = operation(given, (self.format, self.model.overflow), value, Choice::plain(plain))?;
        // A witness names the value, and no direction.
        if any && told.ties_to_even.as_ref() != Some(&told.taken) {
            told.direction = "the path".to_string();
        }
        Some(told)
    }
}

impl Added<'_> {
    fn inexact(&self, all: &mut Vec<Operation>) {
        let (sum, path, steps) = (self.sum, self.path, self.steps);
        let wide = self.wide();
        for (index, &result) in steps.products.iter().enumerate() {
            let Some(result) = result else { continue };
            let term = sum.terms[index];
            let given = Given {
                kind: "product",
                number: index + 1,
                of: sum.terms.len(),
                operation: format!("p{index} = {}", self.product(index)),
                fused: false,
                exact: self.exact_product(index),
                after_nan: self.operands.is_nan(term.weight) || self.operands.is_nan(term.input),
            };
            push(all, operation(given, wide, result, path.products[index]));
        }
        for (index, (add, &result)) in path.additions.iter().zip(&steps.additions).enumerate() {
            push(all, operation(self.addition(index, add), wide, result, self.choice(path, add)));
        }
        if let Some(choice) = path.narrowing {
            let total = self.operand(2 * sum.terms.len());
            let given = Given {
                kind: "out of the accumulator",
                number: 1,
                of: 1,
                operation: total.text(),
                fused: false,
                exact: total.real(),
                after_nan: total.format.is_nan(total.value),
            };
            push(all, operation(given, (self.format, self.model.overflow), steps.value, choice));
        }
    }

    fn wide(&self) -> (Format, Overflow) {
        let Summation::Trees(trees) = &self.model.summation;
        match trees.accumulator {
            Accumulator::Same => (self.format, self.model.overflow),
            Accumulator::Wider { format, overflow } => (format, overflow),
        }
    }

    /// The operand of that number: products, bias, results of additions.
    fn operand(&self, number: usize) -> Operand {
        let (format, terms) = (self.wide().0, self.sum.terms.len());
        let (sum, steps) = (self.sum, self.steps);
        match number {
            _ if number < terms => {
                Operand { format, value: steps.products[number].unwrap_or(sum.bias), name: format!("p{number}") }
            }
            _ if number == terms => Operand { format: self.operands, value: sum.bias, name: "b".to_string() },
            _ => {
                let index = number - terms - 1;
                Operand { format, value: steps.additions[index], name: format!("sum {}", index + 1) }
            }
        }
    }

    fn product(&self, index: usize) -> String {
        let term = self.sum.terms[index];
        let [weight, input] = [term.weight, term.input].map(|factor| exact_decimal(self.operands, factor));
        format!("{weight} * {input}")
    }

    fn exact_product(&self, index: usize) -> Option<Rational> {
        let term = self.sum.terms[index];
        Some(real(self.operands, term.weight)? * real(self.operands, term.input)?)
    }

    fn addition(&self, index: usize, add: &Addition) -> Given {
        let right = self.operand(add.right as usize);
        let (left, name, text, nan) = if add.contracted {
            let product = add.left as usize;
            let term = self.sum.terms[product];
            let nan = self.operands.is_nan(term.weight) || self.operands.is_nan(term.input);
            (self.exact_product(product), format!("p{product}"), self.product(product), nan)
        } else {
            let left = self.operand(add.left as usize);
            (left.real(), left.name.clone(), left.text(), left.format.is_nan(left.value))
        };
        let names = match add.contracted {
            true => format!("fma({name}, {})", right.name),
            false => format!("{name} + {}", right.name),
        };
        Given {
            kind: "addition",
            number: index + 1,
            of: self.path.additions.len(),
            operation: format!("{names} = {text} + {}", right.text()),
            fused: add.contracted,
            exact: left.zip(right.real()).map(|(left, right)| left + right),
            after_nan: nan || right.format.is_nan(right.value),
        }
    }

    /// The choice of an addition; of a fused one, the product's own says how its factors are read.
    fn choice(&self, path: &TreePath, add: &Addition) -> Choice {
        let mut choice = add.choice;
        if add.contracted {
            let read = path.products[add.left as usize].flushes;
            choice.flushes.left = read.left || read.right;
        }
        choice
    }

    /// See [`Operations::order`].
    fn order(&self) -> Option<String> {
        const MOST: usize = 8;
        let (path, terms) = (self.path, self.sum.terms.len());
        let shape = |path: &TreePath| -> Vec<(u32, u32, bool)> {
            path.additions
                .iter()
                .map(|add| match add.contracted {
                    true => (add.left, add.right, true),
                    false => (add.left.min(add.right), add.left.max(add.right), false),
                })
                .collect()
        };
        if shape(path) == shape(&TreePath::plain(terms, self.model)) {
            return None;
        }
        if terms > MOST {
            return Some(format!("not from left to right: {} in all", crate::output::count(terms, "addition")));
        }
        let mut names: Vec<String> = (0..terms).map(|index| format!("p{index}")).chain(["b".to_string()]).collect();
        for add in &path.additions {
            let [left, right] = [add.left, add.right].map(|operand| names[operand as usize].clone());
            names.push(match add.contracted {
                true => format!("fma({left}, {right})"),
                false => format!("({left} + {right})"),
            });
        }
        let whole = names.last().cloned().unwrap_or_default();
        let bare = whole.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
        Some(bare.map_or(whole.clone(), str::to_string))
    }
}

/// One operation, if its result is not the exact value.
fn operation(given: Given, (format, policy): (Format, Overflow), taken: Encoding, choice: Choice) -> Option<Operation> {
    let Given { kind, number, of, operation, fused, exact, after_nan } = given;
    match &exact {
        Some(exact) if real(format, taken).as_ref() == Some(exact) => return None,
        // An infinity or NaN that goes on is nothing new; NaN of operands that are none is.
        None if after_nan || !format.is_nan(taken) => return None,
        _ => {}
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
        kind,
        first: number,
        last: number,
        of,
        operation,
        fused,
        exact: exact.map(exact_dyadic),
        below: between.as_ref().map(|both| spell(both.below)),
        above: between.as_ref().map(|both| spell(both.above)),
        taken: spell(taken),
        direction: choice.mode.to_string(),
        ties_to_even: even.map(spell),
        flushed: flags.into_iter().filter_map(|(flag, what)| flag.then_some(what)).collect(),
    })
}

fn push(all: &mut Vec<Operation>, next: Option<Operation>) {
    let Some(next) = next else { return };
    if let Some(before) = all.last_mut()
        && (before.kind, before.last + 1, before.fused) == (next.kind, next.first, next.fused)
        && before.exact.is_some()
        && (&before.exact, &before.taken, &before.direction) == (&next.exact, &next.taken, &next.direction)
        && before.flushed == next.flushed
    {
        before.last = next.last;
        return;
    }
    all.push(next);
}
