//! A sum of products and a bias on all paths at once.
//!
//! A sum is formed by merging two operands until one is left. From left to right, the operands of the first merge are
//! the first two; in any order, two symbolic positions say which two. Every arrangement of the terms as a binary tree is
//! a sequence of merges. A Boolean says whether a product that was not rounded yet goes in unrounded, and another one
//! which, if both are.
//!
//! A term may be absent: a side at the end of the format has no unit. A merge with it gives the other operand. Every tree
//! over the terms that are there is reached, since the others may be merged last.

use roundproof_format::Subnormals;
use roundproof_network::{Contraction, Order, PathModel, Summation, Trees};

use crate::smt::bits::{Bits, Operation};
use crate::smt::term::{Truth, Vector, vector_sort};
use roundproof_solver::Script;

/// How many symbolic choices a query makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// One of two neighbours, for every rounded operation.
    pub roundings: usize,
    /// Two operands that are added next.
    pub orders: usize,
    /// Whether a product goes into an addition unrounded, and which.
    pub contractions: usize,
}

impl Choices {
    /// All of them.
    pub fn total(&self) -> usize {
        self.roundings + self.orders + self.contractions
    }
}

/// A weight, as a product is encoded. Both ways form the exact product and round it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    /// Some value.
    Value(String),
    /// A power of two with this exponent, and whether it is negative: adds to the exponent of the input.
    Power(String, bool),
}

/// A product of a neuron, as terms.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), allow(dead_code, reason = "read off models of wrong constructions, in tests"))]
pub(super) struct Product {
    /// Whether the weight is stored; its factors are nothing to speak of, if not.
    pub present: Truth,
    /// Which value of the layer below it reads.
    pub column: usize,
    /// The weight, as a term.
    pub weight: String,
    /// What it is multiplied by, and so for a power of two its exponent; the input has the sign then.
    factor: Factor,
    input: String,
    /// How it is rounded by itself.
    choice: String,
    /// The product, rounded by itself.
    pub value: String,
}

/// An operand of a merge.
#[derive(Clone)]
struct Operand {
    present: Truth,
    value: String,
    /// Whether it is a product that may still go in unrounded, and its factors.
    product: Truth,
    weight: String,
    input: String,
}

/// A script under construction: constants for choices, and definitions of results.
pub(super) struct Writer {
    pub bits: Bits,
    pub model: PathModel,
    trees: Trees,
    pub script: Script,
    pub choices: Choices,
    names: usize,
    /// Whether the weights of the sum under construction are powers of two.
    powers: bool,
}

impl Writer {
    pub fn new(bits: Bits, model: PathModel) -> Writer {
        let mut script = Script::new(Some("QF_BV"));
        let mut operations = vec![Operation::Add, Operation::Multiply];
        operations.push(Operation::Scale);
        let Summation::Trees(trees) = model.summation;
        if trees.contraction == Contraction::Any {
            operations.extend([Operation::FusedMultiplyAdd, Operation::ScaleAdd]);
        }
        for line in bits.definitions(&operations) {
            script.line(&line);
        }
        Writer { bits, model, trees, script, choices: Choices::default(), names: 0, powers: false }
    }

    fn name(&mut self, letter: char) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    /// A symbolic constant.
    pub fn declare(&mut self, letter: char, sort: &str) -> String {
        let name = self.name(letter);
        self.script.line(&format!("(declare-const {name} {sort})"));
        name
    }

    /// A name for a datum.
    pub fn define(&mut self, term: &str) -> String {
        let sort = self.bits.sort();
        self.define_of(term, &sort)
    }

    fn define_of(&mut self, term: &str, sort: &str) -> String {
        let name = self.name('v');
        self.script.line(&format!("(define-fun {name} () {sort} {term})"));
        name
    }

    fn define_truth(&mut self, truth: Truth) -> Truth {
        let text = truth.to_string();
        if !text.starts_with('(') {
            return truth;
        }
        let name = self.name('t');
        self.script.line(&format!("(define-fun {name} () Bool {text})"));
        Truth::new(name)
    }

    fn pick(&mut self, which: &Truth, yes: &str, no: &str) -> String {
        let sort = self.bits.sort();
        self.pick_of(which, yes, no, &sort)
    }

    /// A weight or an exponent, of whose sorts a sum has one.
    fn pick_weight(&mut self, which: &Truth, yes: &Operand, no: &Operand) -> String {
        let sort = if self.powers { self.bits.exponent_sort() } else { self.bits.sort() };
        self.pick_of(which, &yes.weight, &no.weight, &sort)
    }

    fn pick_of(&mut self, which: &Truth, yes: &str, no: &str, sort: &str) -> String {
        match which.to_string().as_str() {
            _ if yes == no => yes.to_string(),
            "true" => yes.to_string(),
            "false" => no.to_string(),
            which => self.define_of(&format!("(ite {which} {yes} {no})"), sort),
        }
    }

    fn pick_operand(&mut self, which: &Truth, yes: &Operand, no: &Operand) -> Operand {
        let both = |a: &Truth, b: &Truth| if a == b { a.clone() } else { which.choose(a, b) };
        let (present, product) = (both(&yes.present, &no.present), both(&yes.product, &no.product));
        let (present, product) = (self.define_truth(present), self.define_truth(product));
        Operand {
            present,
            value: self.pick(which, &yes.value, &no.value),
            product,
            weight: self.pick_weight(which, yes, no),
            input: self.pick(which, &yes.input, &no.input),
        }
    }

    fn rounding(&mut self) -> String {
        self.choices.roundings += 1;
        let sort = self.bits.choice_sort();
        self.declare('c', sort)
    }

    /// The result of an operation, or where there is flushing, what is left of it.
    fn rounded(&mut self, term: &str) -> String {
        let value = self.define(term);
        if self.model.subnormals == Subnormals::Gradual {
            return value;
        }
        let flushed = self.declare('f', "Bool");
        self.define(&format!("(ite (and {flushed} (is-subnormal {value})) zero {value})"))
    }

    /// A product of a neuron that reads `input`.
    pub fn product(&mut self, present: Truth, column: usize, factor: Factor, input: &str) -> Product {
        let (weight, input) = match &factor {
            Factor::Value(weight) => (weight.clone(), input.to_string()),
            Factor::Power(exponent, false) => (format!("(pow2 {exponent})"), input.to_string()),
            Factor::Power(exponent, true) => {
                (format!("(neg (pow2 {exponent}))"), self.define(&format!("(neg {input})")))
            }
        };
        Product { present, column, weight, factor, input, choice: self.rounding(), value: String::new() }
    }

    /// The sum of the products in order, and the bias last.
    pub fn sum(&mut self, products: &mut [Product], bias: &str) -> String {
        let contracts = self.trees.contraction == Contraction::Any;
        let mut operands = Vec::with_capacity(products.len() + 1);
        // One neuron's weights are all encoded alike.
        let (mut fused, mut none) = ("fma", "zero".to_string());
        for product in products {
            let Product { factor, input, choice, .. } = &*product;
            let (multiply, weight) = match factor {
                Factor::Value(weight) => ("multiply", weight.clone()),
                Factor::Power(exponent, _) => ("scale", exponent.clone()),
            };
            self.powers = multiply == "scale";
            fused = if self.powers { "scale-add" } else { "fma" };
            none = if self.powers { self.bits.exponent(0) } else { "zero".to_string() };
            let value = self.rounded(&format!("({multiply} {weight} {input} {choice})"));
            product.value.clone_from(&value);
            operands.push(Operand {
                present: product.present.clone(),
                value,
                product: if contracts { Truth::yes() } else { Truth::no() },
                weight,
                input: product.input.clone(),
            });
        }
        let (present, product, input) = (Truth::yes(), Truth::no(), "zero".to_string());
        operands.push(Operand { present, value: bias.to_string(), product, weight: none, input });
        while operands.len() > 1 {
            let positions = self.choose_operands(operands.len());
            let (first, second, mut rest) = match &positions {
                None => (operands[0].clone(), operands[1].clone(), operands.split_off(2)),
                Some((low, high)) => self.take(&operands, low, high),
            };
            let sum = self.merge(&first, &second, fused);
            if self.trees.order == Order::LeftToRight {
                rest.insert(0, sum);
            } else {
                rest.push(sum);
            }
            operands = rest;
        }
        operands.swap_remove(0).value
    }

    /// Two positions of operands, where they are not the first two.
    fn choose_operands(&mut self, count: usize) -> Option<(Vector, Vector)> {
        if self.trees.order == Order::LeftToRight || count == 2 {
            return None;
        }
        let width = usize::BITS - (count - 1).leading_zeros();
        let low = Vector::new(self.declare('i', &vector_sort(width)), width);
        let high = Vector::new(self.declare('i', &vector_sort(width)), width);
        self.choices.orders += 1;
        self.script
            .assert(&low.below(&high).and(&high.at_most(&Vector::constant(count as u128 - 1, width))).to_string());
        Some((low, high))
    }

    /// The operands at two positions, and the others in order.
    fn take(&mut self, operands: &[Operand], low: &Vector, high: &Vector) -> (Operand, Operand, Vec<Operand>) {
        let count = operands.len();
        let at = |position: &Vector, index: usize| position.is(index as u128);
        let mut first = operands[count - 2].clone();
        let mut second = operands[count - 1].clone();
        for index in (0..count - 2).rev() {
            first = self.pick_operand(&at(low, index), &operands[index], &first);
        }
        for index in (1..count - 1).rev() {
            second = self.pick_operand(&at(high, index), &operands[index], &second);
        }
        let rest = (0..count - 2)
            .map(|index| {
                // Before both, between them, or after both.
                let above = |index: usize| Vector::constant(index as u128, low.width());
                let between =
                    self.pick_operand(&above(index + 1).below(high), &operands[index + 1], &operands[index + 2]);
                self.pick_operand(&above(index).below(low), &operands[index], &between)
            })
            .collect();
        (first, second, rest)
    }

    fn merge(&mut self, a: &Operand, b: &Operand, fused: &str) -> Operand {
        let choice = self.rounding();
        let mut exact = format!("(add {} {} {choice})", a.value, b.value);
        let mut contracts = false;
        if a.product != Truth::no() || b.product != Truth::no() {
            let (contract, second) = (self.declare('b', "Bool"), self.declare('b', "Bool"));
            self.choices.contractions += 1;
            let which = Truth::new(second.clone());
            let product = self.define_truth(which.choose(&b.product, &a.product));
            let weight = self.pick_weight(&which, b, a);
            let input = self.pick(&which, &b.input, &a.input);
            let other = self.pick(&which, &a.value, &b.value);
            exact = format!("(ite (and {contract} {product}) ({fused} {weight} {input} {other} {choice}) {exact})");
            contracts = true;
        }
        let sum = self.rounded(&exact);
        let both = self.define_truth(a.present.and(&b.present));
        let alone = self.pick(&a.present, &a.value, &b.value);
        let value = self.pick(&both, &sum, &alone);
        let product = if contracts {
            self.define_truth(a.present.choose(&a.product, &b.product).and(&both.not()))
        } else {
            Truth::no()
        };
        Operand {
            present: self.define_truth(a.present.or(&b.present)),
            value,
            product,
            weight: self.pick_weight(&a.present, a, b),
            input: self.pick(&a.present, &a.input, &b.input),
        }
    }
}
