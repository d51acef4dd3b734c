//! The operations of a path model on a format, and one sum on one path.

use std::collections::BTreeMap;

use roundproof_format::{Encoding, Format, RoundingMode, Subnormals};
use roundproof_network::{
    Accumulator, Choice, Flushes, ModelError, Network, PathModel, Rounding, Summation, TreePath, Trees,
};
use roundproof_softfloat::{Arithmetic, flush, is_subnormal, negate};

/// One product: a stored weight and the value that it multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The weight.
    pub weight: Encoding,
    /// The input.
    pub input: Encoding,
}

/// What a neuron adds up: its products, in the order in which the weights are stored, and its bias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The products.
    pub terms: Vec<Term>,
    /// The bias.
    pub bias: Encoding,
}

/// Every intermediate result of one sum on one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumTrace {
    /// The rounded products, in the accumulator's format; none for a contracted one.
    pub products: Vec<Option<Encoding>>,
    /// The results of the additions, in the accumulator's format.
    pub additions: Vec<Encoding>,
    /// The sum, in the format of the values: what the activation is applied to.
    pub value: Encoding,
}

/// The arithmetic of a path model on the formats of a step: what one operation gives for one choice.
///
/// Weights, biases and what they multiply are in the format of the operands, values in the machine's own format. A number is
/// *wide* when it is in the accumulator's format, which is the machine's own for [`Accumulator::Same`].
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    model: PathModel,
    trees: Trees,
    operands: Format,
    /// In the machine's format: the rounding out of the accumulator.
    narrow: Arithmetic,
    /// In the accumulator's format: products and sums.
    wide: Arithmetic,
}

/// The two directions that between them give every allowed result of a rounding.
const BOTH: &[RoundingMode] = &[RoundingMode::TowardNegative, RoundingMode::TowardPositive];

impl Machine {
    /// The arithmetic of `model` on `format` alone.
    ///
    /// # Errors
    ///
    /// If the format does not support the model.
    pub fn new(format: Format, model: &PathModel) -> Result<Machine, ModelError> {
        Machine::of(format, format, model)
    }

    /// The machine of every step of a network.
    ///
    /// # Errors
    ///
    /// If the formats of a step do not support the model.
    pub fn of_steps(network: &Network, model: &PathModel) -> Result<Vec<Machine>, ModelError> {
        network.steps().iter().map(|step| Machine::of(step.operands(), step.format(), model)).collect()
    }

    /// The arithmetic of `model` where values of `operands` become values of `format`.
    ///
    /// # Errors
    ///
    /// If the formats do not support the model: see [`PathModel::at`].
    pub fn of(operands: Format, format: Format, model: &PathModel) -> Result<Machine, ModelError> {
        let model = model.at(operands, format)?;
        let unsupported = |error: roundproof_softfloat::UnsupportedPolicy| ModelError::Overflow {
            format: error.format,
            overflow: error.overflow,
            remedy: "use saturate",
        };
        let narrow = Arithmetic::new(format, model.overflow).map_err(unsupported)?;
        let Summation::Trees(trees) = model.summation;
        let wide = match trees.accumulator {
            Accumulator::Same => narrow,
            Accumulator::Wider { format, overflow } => Arithmetic::new(format, overflow).map_err(unsupported)?,
        };
        Ok(Machine { model, trees, operands, narrow, wide })
    }

    /// The path model, as it is for these formats: see [`PathModel::at`].
    pub fn model(&self) -> &PathModel {
        &self.model
    }

    /// The trees by which the path model forms its sums.
    pub fn trees(&self) -> &Trees {
        &self.trees
    }

    /// The format of values.
    pub fn format(&self) -> Format {
        self.narrow.format()
    }

    /// The format of weights, biases, and what they multiply.
    pub fn operands(&self) -> Format {
        self.operands
    }

    /// The accumulator's format.
    pub fn accumulator(&self) -> Format {
        self.wide.format()
    }

    /// Whether there is one more rounding at the end.
    pub fn is_widened(&self) -> bool {
        matches!(self.trees.accumulator, Accumulator::Wider { .. })
    }

    /// Whether subnormal numbers may be flushed.
    pub fn flushes(&self) -> bool {
        self.model.subnormals == Subnormals::Flush
    }

    /// Directions that between them give every result that the model allows: the model's own, or toward negative and
    /// toward positive.
    pub fn modes(&self) -> &[RoundingMode] {
        match &self.model.rounding {
            Rounding::Mode(mode) => std::slice::from_ref(mode),
            Rounding::Any => BOTH,
        }
    }

    pub(crate) fn narrow(&self) -> &Arithmetic {
        &self.narrow
    }

    pub(crate) fn wide(&self) -> &Arithmetic {
        &self.wide
    }

    /// An operand as a wide number: exact, but for what the accumulator lacks: it reads NaN as +0 if
    /// it has none, and an infinity as its largest value if its policy is to saturate.
    pub fn widen(&self, value: Encoding) -> Encoding {
        self.read_by(&self.wide, value)
    }

    /// An operand in the format of this arithmetic, which contains it.
    pub(crate) fn read_by(&self, arithmetic: &Arithmetic, value: Encoding) -> Encoding {
        if arithmetic.format() == self.operands {
            return value;
        }
        arithmetic.convert(RoundingMode::TowardZero, self.operands, value).encoding
    }

    /// An element-wise product, rounded once, in the machine's format.
    pub fn multiply(&self, factors: [Encoding; 2], choice: Choice) -> Encoding {
        let Choice { mode, flushes } = choice;
        let read = |flag, value| self.read_by(&self.narrow, flushed(self.operands, value, flag));
        let [left, right] = [read(flushes.left, factors[0]), read(flushes.right, factors[1])];
        flushed(self.format(), self.narrow.multiply(mode, left, right).encoding, flushes.result)
    }

    /// Every value of an element-wise product, each with a choice that gives it, ascending by their bits.
    pub fn products(&self, factors: [Encoding; 2]) -> BTreeMap<Encoding, Choice> {
        let mut all = BTreeMap::new();
        for (_, left) in readings(self, self.operands, factors[0]) {
            for (_, right) in readings(self, self.operands, factors[1]) {
                for &mode in self.modes() {
                    let flushes = Flushes { left, right, result: false };
                    let product = self.multiply(factors, Choice { mode, flushes });
                    for (product, result) in readings(self, self.format(), product) {
                        all.entry(product).or_insert(Choice { mode, flushes: Flushes { result, ..flushes } });
                    }
                }
            }
        }
        all
    }

    /// The largest of some values, of which there is one at least; NaN if one is NaN, and +0 above -0.
    pub fn maximum(&self, values: impl Iterator<Item = Encoding>) -> Encoding {
        let largest = |a, b| self.narrow.maximum(a, b).encoding;
        // With itself, since a NaN has one encoding as a result.
        values.reduce(largest).map_or(self.format().zero(), |value| largest(value, value))
    }

    /// The factors of a product, read as `choice` says and wide.
    pub(crate) fn factors(&self, term: Term, choice: Choice) -> (Encoding, Encoding) {
        let (format, flushes) = (self.operands, choice.flushes);
        let weight = flushed(format, term.weight, flushes.left);
        let input = flushed(format, term.input, flushes.right);
        (self.widen(weight), self.widen(input))
    }

    /// A product, rounded by itself. Wide.
    pub fn product(&self, term: Term, choice: Choice) -> Encoding {
        let (weight, input) = self.factors(term, choice);
        let product = self.wide.multiply(choice.mode, weight, input).encoding;
        flushed(self.accumulator(), product, choice.flushes.result)
    }

    /// The sum of two wide numbers.
    pub fn add(&self, left: Encoding, right: Encoding, choice: Choice) -> Encoding {
        let (format, flushes) = (self.accumulator(), choice.flushes);
        let left = flushed(format, left, flushes.left);
        let right = flushed(format, right, flushes.right);
        flushed(format, self.wide.add(choice.mode, left, right).encoding, flushes.result)
    }

    /// A product, read as `product` says, plus a wide number, rounded once as `choice` says.
    pub fn fuse(&self, term: Term, product: Choice, other: Encoding, choice: Choice) -> Encoding {
        let format = self.accumulator();
        let (weight, input) = self.factors(term, product);
        let other = flushed(format, other, choice.flushes.right);
        let sum = self.wide.fused_multiply_add(choice.mode, weight, input, other).encoding;
        flushed(format, sum, choice.flushes.result)
    }

    /// The rounding out of a wider accumulator.
    pub fn round_out(&self, value: Encoding, choice: Choice) -> Encoding {
        let value = flushed(self.accumulator(), value, choice.flushes.left);
        let rounded = self.narrow.convert(choice.mode, self.accumulator(), value).encoding;
        flushed(self.format(), rounded, choice.flushes.result)
    }

    /// The product of two numbers of the network's format, rounded in that format.
    pub(crate) fn scale(&self, factor: Encoding, value: Encoding, choice: Choice) -> Encoding {
        let (format, flushes) = (self.format(), choice.flushes);
        let factor = flushed(format, factor, flushes.left);
        let value = flushed(format, value, flushes.right);
        flushed(format, self.narrow.multiply(choice.mode, factor, value).encoding, flushes.result)
    }

    /// The value of a sum of finite weights whose path is from left to right, unfused and unflushed, every rounding in `mode`: without
    /// writing anything down, and without the products with inputs that are zero. These change no bit but the sign of a
    /// sum that is zero, and all of them together do what one at the end does: [`affine`] says why.
    ///
    /// [`affine`]: roundproof_softfloat::slices::affine
    pub(crate) fn in_order(&self, terms: impl Iterator<Item = Term>, bias: Encoding, mode: RoundingMode) -> Encoding {
        let choice = Choice::plain(mode);
        let (format, wide) = (self.operands, self.accumulator());
        let downward = mode == RoundingMode::TowardNegative;
        let (mut total, mut changed) = (None, false);
        for term in terms {
            if format.is_zero(term.input) {
                let negative = format.is_sign_minus(term.weight) != format.is_sign_minus(term.input);
                changed |= negative == downward;
                continue;
            }
            let product = self.product(term, choice);
            total = Some(total.map_or(product, |total| self.add(total, product, choice)));
        }
        let bias = self.widen(bias);
        let mut total = total.map_or(bias, |total| self.add(total, bias, choice));
        if changed {
            let strong = if downward { negate(wide, wide.zero()) } else { wide.zero() };
            total = self.add(total, strong, choice);
        }
        if self.is_widened() { self.round_out(total, choice) } else { total }
    }

    /// The direction of [`TreePath::plain`].
    pub(crate) fn plain_mode(&self) -> RoundingMode {
        Choice::of(&self.model).mode
    }

    /// Every intermediate result of `sum` on `path`.
    ///
    /// # Panics
    ///
    /// If the path is not one of a sum of that many terms: see [`TreePath::check`].
    pub fn sum(&self, sum: &Sum, path: &TreePath) -> SumTrace {
        let count = sum.terms.len();
        let mut contracted = vec![false; count];
        for add in path.additions.iter().filter(|add| add.contracted) {
            contracted[add.left as usize] = true;
        }
        let products: Vec<Option<Encoding>> = (0..count)
            .map(|index| (!contracted[index]).then(|| self.product(sum.terms[index], path.products[index])))
            .collect();
        let bias = self.widen(sum.bias);
        let mut additions: Vec<Encoding> = Vec::with_capacity(count);
        for add in &path.additions {
            let operand = |number: u32| match number as usize {
                index if index < count => products[index].unwrap_or(bias),
                index if index == count => bias,
                index => additions[index - count - 1],
            };
            additions.push(if add.contracted {
                let index = add.left as usize;
                self.fuse(sum.terms[index], path.products[index], operand(add.right), add.choice)
            } else {
                self.add(operand(add.left), operand(add.right), add.choice)
            });
        }
        let total = additions.last().copied().unwrap_or(bias);
        let value = path.narrowing.map_or(total, |choice| self.round_out(total, choice));
        SumTrace { products, additions, value }
    }
}

/// `value`, or what flushing makes of it.
fn flushed(format: Format, value: Encoding, flag: bool) -> Encoding {
    if flag { flush(format, value) } else { value }
}

/// Every way to read or write `value`: itself, and flushed if the model has that and it changes anything.
pub(crate) fn readings(machine: &Machine, format: Format, value: Encoding) -> impl Iterator<Item = (Encoding, bool)> {
    let other = (machine.flushes() && is_subnormal(format, value)).then(|| (flush(format, value), true));
    std::iter::once((value, false)).chain(other)
}
