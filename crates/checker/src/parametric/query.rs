//! The box network of a symbolic data set, as one script.

use roundproof_format::{Format, Subnormals};
use roundproof_network::{Accumulator, Activation, PathModel, Rounding, Summation};

use super::sum::{Choices, Factor, Product, Writer};
use crate::smt::bits::{Bits, Choices as Kind};
use crate::smt::term::{Truth, Vector, vector_sort};
use roundproof_solver::Script;

/// How many rows there are, and inputs of each. Every row has one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows, at least one.
    pub rows: usize,
    /// Inputs, at least one.
    pub inputs: usize,
}

/// One thing that is wrong with a construction, or missing from what is assumed of its data.
///
/// A question about a defective construction must be satisfiable: this is how the checker is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// `W * K * gap` is 1/2 on every side.
    HalvedPenalties,
    /// Step: the thresholds are the values of the rows, not their neighbours.
    ThresholdAtValue,
    /// ReLU: `K * a` and `K * pred(a)` need not be values.
    ScaleBeyondRange,
    /// Rows need not be distinct.
    EqualRows,
    /// Step: the counting indicator, `Step(x - a) + Step(b - x)` compared with twice the number of inputs.
    Counting,
}

/// A neuron that exists if `present` does, as terms.
#[cfg_attr(not(test), allow(dead_code, reason = "read off models of wrong constructions, in tests"))]
pub(super) struct Neuron {
    pub layer: usize,
    pub products: Vec<Product>,
    pub bias: String,
    pub activation: Activation,
    pub present: Truth,
}

/// Something that holds of one result of the network. Beyond it, nothing need be known of the result.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// The result.
    pub name: String,
    /// What holds of it.
    pub formula: String,
}

/// A side of a point box: of row `row`, at its coordinate `column`, which an upper side sees mirrored.
struct Side {
    upper: bool,
    column: usize,
    /// The coordinate, or its negative.
    value: String,
    present: Truth,
    /// `K` and `W`, if this is ReLU.
    scale: Option<(String, String)>,
    bias: String,
}

/// One question, all of its data symbolic.
#[cfg_attr(not(test), allow(dead_code, reason = "read off models of wrong constructions, in tests"))]
pub(super) struct Query {
    pub format: Format,
    pub shape: Shape,
    pub bits: Bits,
    /// Declarations, definitions and assumptions.
    pub script: Script,
    /// Says that the output is the label.
    pub right: String,
    pub choices: Choices,
    pub neurons: Vec<Neuron>,
    /// What holds of the units, of their products, and of the boxes: each follows from the cuts before it alone.
    pub cuts: [Vec<Cut>; 3],
    /// `inputs[row][column]`, `labels[row]`: symbolic constants.
    pub inputs: Vec<Vec<String>>,
    pub labels: Vec<String>,
    /// The row.
    pub row: Vector,
}

/// Whether a model is covered. Flushing is, in part: results, not operands; so only a counterexample counts there.
fn is_covered(model: &PathModel) -> bool {
    let Summation::Trees(trees) = &model.summation;
    model.rounding == Rounding::Any && trees.accumulator == Accumulator::Same
}

impl Query {
    pub fn new(
        activation: Activation,
        format: Format,
        model: &PathModel,
        shape: Shape,
        defect: Option<Defect>,
    ) -> Option<Query> {
        let suits = match (activation, defect) {
            (Activation::Identity | Activation::Sign, _) => false,
            (Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ }, _) => false,
            (Activation::Relu, Some(Defect::ThresholdAtValue | Defect::Counting)) => false,
            (Activation::Step, Some(Defect::HalvedPenalties | Defect::ScaleBeyondRange)) => false,
            (Activation::Relu | Activation::Step, _) => shape.rows > 0 && shape.inputs > 0,
        };
        if !suits || !is_covered(model) {
            return None;
        }
        let bits = Bits::new(format, model.overflow, Kind::Neighbours)?;
        let mut build = Build {
            writer: Writer::new(bits, *model),
            format,
            activation,
            shape,
            defect,
            neurons: Vec::new(),
            cuts: [const { Vec::new() }; 3],
        };
        build.define_subnormal();
        build.query()
    }

    /// What is assumed, and that the network gives another value than the label.
    pub fn negation(&self) -> Script {
        let mut script = self.script.clone();
        script.assert(&format!("(not {})", self.right));
        script
    }

    /// The units, with whether they exist.
    pub fn units(&self) -> impl Iterator<Item = (&Truth, &str)> {
        let units = self.neurons.iter().filter(|neuron| neuron.layer == 0).zip(&self.cuts[0]);
        units.map(|(neuron, cut)| (&neuron.present, cut.name.as_str()))
    }

    /// What is assumed, and something more.
    pub fn with(&self, assumption: &str) -> Script {
        let mut script = self.script.clone();
        script.assert(assumption);
        script
    }
}

struct Build {
    writer: Writer,
    format: Format,
    activation: Activation,
    shape: Shape,
    defect: Option<Defect>,
    neurons: Vec<Neuron>,
    cuts: [Vec<Cut>; 3],
}

impl Build {
    fn assert(&mut self, formula: &str) {
        self.writer.script.assert(formula);
    }

    fn is(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Only where results may be flushed.
    fn define_subnormal(&mut self) {
        if self.writer.model.subnormals == Subnormals::Flush {
            let (sort, exponents) = (self.writer.bits.sort(), self.format.exponent_bits());
            let from = self.format.trailing_bits();
            let field = Vector::new("x", self.format.width()).slice(from, exponents).is_zero();
            let finite = "(is-finite x)";
            self.writer.script.line(&format!("(define-fun is-subnormal ((x {sort})) Bool (and {finite} {field}))"));
        }
    }

    fn query(mut self) -> Option<Query> {
        let (inputs, labels) = self.data();
        let (row, read, label) = self.symbolic_row(&inputs, &labels);
        let mut boxes = Vec::with_capacity(self.shape.rows);
        for point in &inputs {
            let sides = self.sides(point);
            let mut units = Vec::with_capacity(sides.len());
            for side in &sides {
                units.push(self.unit(side, &read));
            }
            boxes.push((sides, units));
        }
        let first_units: Vec<usize> = boxes
            .iter()
            .scan(0, |count, (_, units)| {
                let first = *count;
                *count += units.len();
                Some(first)
            })
            .collect();
        let mut indicators = Vec::with_capacity(boxes.len());
        for (((sides, units), first), point) in boxes.iter().zip(first_units).zip(&inputs) {
            let indicator = self.indicator(sides, units, first, &read)?;
            let inside = read.iter().zip(point).map(|(read, value)| Truth::new(format!("(eq {read} {value})")));
            let inside = inside.fold(Truth::yes(), |all, one| all.and(&one));
            self.cut(2, &indicator, format!("(eq {indicator} (ite {inside} one zero))"));
            indicators.push(indicator);
        }
        let products = labels.iter().zip(&indicators).enumerate();
        let products = products
            .map(|(index, (label, indicator))| {
                self.writer.product(Truth::yes(), index, Factor::Value(label.clone()), indicator)
            })
            .collect();
        let out = self.neuron(2, products, "zero".to_string(), Activation::Identity, Truth::yes());
        let Writer { bits, script, choices, .. } = self.writer;
        Some(Query {
            format: self.format,
            shape: self.shape,
            bits,
            script,
            right: format!("(eq {out} {label})"),
            choices,
            neurons: self.neurons,
            cuts: self.cuts,
            inputs,
            labels,
            row,
        })
    }

    /// Finite inputs and labels; rows that differ in some input, where +0 and -0 do not.
    fn data(&mut self) -> (Vec<Vec<String>>, Vec<String>) {
        let sort = self.writer.bits.sort();
        let Shape { rows, inputs: columns } = self.shape;
        let finite = |build: &mut Build, letter| {
            let name = build.writer.declare(letter, &sort);
            build.assert(&format!("(is-finite {name})"));
            name
        };
        let inputs: Vec<Vec<String>> = (0..rows).map(|_| (0..columns).map(|_| finite(self, 'x')).collect()).collect();
        let labels = (0..rows).map(|_| finite(self, 'y')).collect();
        if !self.is(Defect::EqualRows) {
            for (index, first) in inputs.iter().enumerate() {
                for second in &inputs[..index] {
                    let same = first.iter().zip(second).map(|(a, b)| format!("(eq {a} {b})"));
                    let same = same.fold(Truth::yes(), |all, one| all.and(&Truth::new(one)));
                    self.assert(&same.not().to_string());
                }
            }
        }
        (inputs, labels)
    }

    /// A symbolic row, what the network reads of it, and its label.
    fn symbolic_row(&mut self, inputs: &[Vec<String>], labels: &[String]) -> (Vector, Vec<String>, String) {
        let last = inputs.len() - 1;
        let width = (usize::BITS - last.leading_zeros()).max(1);
        let row = Vector::new(self.writer.declare('r', &vector_sort(width)), width);
        self.assert(&row.at_most(&Vector::constant(last as u128, width)).to_string());
        let entry = |entries: Vec<&String>| {
            let picked = entries[last].to_string();
            let earlier = entries.into_iter().enumerate().take(last);
            earlier.fold(picked, |picked, (index, entry)| format!("(ite {} {entry} {picked})", row.is(index as u128)))
        };
        let sort = self.writer.bits.sort();
        let mut read = Vec::with_capacity(self.shape.inputs);
        for column in 0..self.shape.inputs {
            let name = self.writer.declare('z', &sort);
            let picked = entry(inputs.iter().map(|point| &point[column]).collect());
            self.assert(&format!("(eq {name} {picked})"));
            read.push(name);
        }
        let label = self.writer.define(&entry(labels.iter().collect()));
        (row, read, label)
    }

    /// The sides of a point box, lower and upper for each coordinate.
    fn sides(&mut self, point: &[String]) -> Vec<Side> {
        let mut sides = Vec::with_capacity(2 * point.len());
        for (column, coordinate) in point.iter().enumerate() {
            for upper in [false, true] {
                let value = if upper { self.writer.define(&format!("(neg {coordinate})")) } else { coordinate.clone() };
                let counts = self.is(Defect::Counting);
                let present = if counts { Truth::yes() } else { Truth::new(format!("(has-pred {value})")) };
                let (scale, bias) = match self.activation {
                    Activation::Relu => self.scaled(&value, &present),
                    _ if counts => (None, self.writer.define(&format!("(neg {value})"))),
                    _ if self.is(Defect::ThresholdAtValue) => (None, value.clone()),
                    _ => (None, self.writer.define(&format!("(pred {value})"))),
                };
                sides.push(Side { upper, column, value, present, scale, bias });
            }
        }
        sides
    }

    /// Powers of two `K` and `W`, any that the construction allows, and `K a`.
    fn scaled(&mut self, value: &str, present: &Truth) -> (Option<(String, String)>, String) {
        let (sort, exponents) = (self.writer.bits.sort(), self.writer.bits.exponent_sort());
        let (zero, emax) = (self.writer.bits.exponent(0), self.format.emax().map_or(0, i64::from));
        let most = self.writer.bits.exponent(emax);
        let (k, w) = (self.writer.declare('k', &exponents), self.writer.declare('w', &exponents));
        let bias = self.writer.declare('a', &sort);
        let wide = |term: &str| format!("((_ sign_extend 2) {term})");
        let product = format!("(bvadd {} {} {})", wide(&w), wide(&k), wide(&format!("(gap-exponent {value})")));
        let width = self.writer.bits.exponent_width() + 2;
        let mut conditions = vec![
            format!("(bvsle {zero} {k})"),
            format!("(bvsle {k} {most})"),
            format!("(is-exponent {w})"),
            match self.is(Defect::HalvedPenalties) {
                false => format!("(bvsle {} {product})", Vector::zero(width)),
                true => format!("(= {} {product})", Vector::signed(-1, width)),
            },
        ];
        if self.is(Defect::ScaleBeyondRange) {
            // What is beyond the largest value stays there.
            conditions.push(format!("(ite (fits {k} {value}) (is-scaled {bias} {k} {value}) (= {bias} (ite (lt zero {value}) largest (neg largest))))"));
        } else {
            conditions.push(format!("(is-scaled {bias} {k} {value})"));
            conditions.push(format!("(or (= {k} {zero}) (and (fits {k} {value}) (fits {k} (pred {value}))))"));
        }
        self.assert(&format!("(=> {present} (and {}))", conditions.join(" ")));
        (Some((k, w)), bias)
    }

    fn neuron(
        &mut self,
        layer: usize,
        mut products: Vec<Product>,
        bias: String,
        activation: Activation,
        present: Truth,
    ) -> String {
        let sum = self.writer.sum(&mut products, &bias);
        let value = match activation {
            Activation::Identity => sum,
            other => self.writer.define(&format!("({} {sum})", other.name())),
        };
        self.neurons.push(Neuron { layer, products, bias, activation, present });
        value
    }

    /// Layer 1: fires outside of its side.
    fn unit(&mut self, side: &Side, read: &[String]) -> String {
        let negative = side.upper == self.is(Defect::Counting);
        let weight = match (&side.scale, negative) {
            (Some((k, _)), negative) => Factor::Power(k.clone(), negative),
            (None, true) => Factor::Value("minus-one".to_string()),
            (None, false) => Factor::Value("one".to_string()),
        };
        let product = self.writer.product(Truth::yes(), side.column, weight, &read[side.column]);
        let unit = self.neuron(0, vec![product], side.bias.clone(), self.activation, side.present.clone());
        let (fires, value) = (self.fires(side, read), &side.value);
        let holds = match &side.scale {
            Some((k, _)) => {
                format!("(ite {fires} (le (pow2 (bvadd {k} (gap-exponent {value}))) {unit}) (is-zero {unit}))")
            }
            None => format!("(eq {unit} (ite {fires} one zero))"),
        };
        self.cut(0, &unit, format!("(=> {} {holds})", side.present));
        unit
    }

    fn cut(&mut self, level: usize, name: &str, formula: String) {
        self.cuts[level].push(Cut { name: name.to_string(), formula });
    }

    /// Whether the input is beyond a side.
    fn fires(&self, side: &Side, read: &[String]) -> String {
        let read = &read[side.column];
        if side.upper { format!("(lt (neg {read}) {})", side.value) } else { format!("(lt {read} {})", side.value) }
    }

    /// Layer 2: whether the input is in the box.
    fn indicator(&mut self, sides: &[Side], units: &[String], first: usize, read: &[String]) -> Option<String> {
        let mut products = Vec::with_capacity(sides.len());
        for (index, (side, unit)) in sides.iter().zip(units).enumerate() {
            let weight = match &side.scale {
                Some((_, w)) => Factor::Power(w.clone(), true),
                None if self.is(Defect::Counting) => Factor::Value("one".to_string()),
                None => Factor::Value("minus-one".to_string()),
            };
            products.push(self.writer.product(side.present.clone(), first + index, weight, unit));
        }
        let bias = match self.activation {
            Activation::Relu => "one".to_string(),
            _ if self.is(Defect::Counting) => {
                let count = roundproof_softfloat::encode(self.format, true, sides.len() as u128, 0)?;
                self.writer.bits.constant(count)
            }
            _ => "zero".to_string(),
        };
        let indicator = self.neuron(1, products, bias, self.activation, Truth::yes());
        let products = &self.neurons[self.neurons.len() - 1].products;
        let names: Vec<String> = products.iter().map(|product| product.value.clone()).collect();
        for (side, name) in sides.iter().zip(names) {
            let fires = self.fires(side, read);
            let holds = format!("(ite {fires} (le {name} minus-one) (is-zero {name}))");
            self.cut(1, &name, format!("(=> {} {holds})", side.present));
        }
        Some(indicator)
    }
}
