//! From a model to a forest of a format.

use std::fmt;

use roundproof_exact::text::approximate;
use roundproof_exact::{Rational, decode, parse_number, power_of_two, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_network::{Encodings, Forest, Tree, TreeNode};

use super::{Comparison, ConversionError, Model, ModelNode, ModelTree, Remark};

/// The most values of leaves that a forest is made with; a model of many trees and many outputs has the product of both.
const MOST_VALUES: usize = 1 << 28;
/// The largest magnitude of the exponent of a grid. No named format has exponents beyond it.
const LARGEST_GRID: i64 = 1 << 16;

/// What is to be made of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForestOptions {
    /// What the forest gives. None is [`Outputs::Label`] for a single tree of scikit-learn whose classes are numbers,
    /// and [`Outputs::Scores`] for every other model.
    pub outputs: Option<Outputs>,
    /// Leaves and base are rounded to multiples of `2^grid`, not to the format: sums of them are then multiples too,
    /// and exact as long as the format has every multiple of that size.
    pub grid: Option<i64>,
}

/// What a forest gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outputs {
    /// The tool's raw scores. Of an average, every leaf is divided and then rounded.
    Scores,
    /// For each class, how many trees have it as the largest fraction of the leaf; of equal ones, the first. Exact.
    Votes,
    /// The number that is the name of the class with the largest fraction; of equal ones, the first.
    Label,
}

/// What became of a model's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rounding {
    /// Splits whose threshold is no value of the format. All values of the format go to the same sides still.
    pub thresholds: usize,
    /// Splits that are gone, since all values of the format go to one side, and the splits on the empty sides of those.
    pub pruned: usize,
    /// Values of leaves that are no values of the format (or multiples of the grid), those of removed leaves not counted.
    pub leaves: usize,
    /// Values of the base that are none.
    pub base: usize,
    /// The largest `|rounded - exact|` among the leaves and the base.
    pub largest_error: Rational,
    /// For each tree, the model's own number of each leaf, in the order of the forest's leaves.
    pub numbers: Vec<Vec<u32>>,
    /// What the tool does otherwise.
    pub remarks: Vec<Remark>,
}

impl Model {
    /// The model as a forest of `format`, and what had to be rounded.
    ///
    /// Thresholds are rounded down to the largest value of the format that goes to the lower side. So every value of the
    /// format takes the way through a tree that it takes in the model. A split that all finite values of the format pass
    /// on the same side is left out. The base of a single tree is added to its leaves, so that each value is rounded once and
    /// none is a sum. Leaves and base are rounded to nearest, ties to even, a zero always to +0.
    ///
    /// # Errors
    ///
    /// If a leaf or a base is beyond the format, the model does not have such outputs, or the grid is none of the
    /// format.
    pub fn to_forest(&self, format: Format, options: &ForestOptions) -> Result<(Forest, Rounding), ConversionError> {
        let outputs = options.outputs.unwrap_or_else(|| self.default_outputs());
        let labels = self.check_outputs(outputs)?;
        check_grid(outputs, options.grid)?;
        let width = if outputs == Outputs::Label { 1 } else { self.outputs() };
        if self.leaves().checked_mul(width).is_none_or(|values| values > MOST_VALUES) {
            return Err(ConversionError::Size { leaves: self.leaves(), outputs: width });
        }
        let mut maker =
            Maker { model: self, format, outputs, width, labels, grid: options.grid, done: Rounding::default() };
        maker.done.remarks = self.remarks_on(format);
        let mut base = Encodings::with_capacity(format, width);
        for output in 0..width {
            let apart = outputs == Outputs::Scores && self.trees.len() > 1;
            let exact = if apart { self.base[output].clone() } else { Rational::new() };
            let (value, inexact) = maker.round(&exact, || format!("base, output {output}"))?;
            maker.done.base += usize::from(inexact);
            base.push(value);
        }
        let trees = self.trees.iter().enumerate().map(|(index, tree)| maker.tree(index, tree));
        let trees = trees.collect::<Result<Vec<Tree>, ConversionError>>()?;
        let forest = Forest::new(format, self.dimension, base, trees)?;
        Ok((forest, maker.done))
    }

    /// The classes as numbers, if they are.
    fn numeric_classes(&self) -> Option<Vec<Rational>> {
        self.classes.as_ref()?.iter().map(|class| Some(parse_number(class).ok()?.value())).collect()
    }

    fn default_outputs(&self) -> Outputs {
        let single = self.trees.len() == 1 && self.numeric_classes().is_some();
        if single { Outputs::Label } else { Outputs::Scores }
    }

    /// The numbers of the classes, if they are what the forest is to give.
    fn check_outputs(&self, outputs: Outputs) -> Result<Vec<Rational>, ConversionError> {
        let refuse = |why: String| Err(ConversionError::Outputs { outputs, why });
        match (outputs, &self.classes) {
            (Outputs::Scores, _) => Ok(Vec::new()),
            (_, None) => refuse("its leaves are no fractions of classes".to_string()),
            (Outputs::Votes, Some(_)) => Ok(Vec::new()),
            (Outputs::Label, Some(_)) if self.trees.len() != 1 => {
                refuse(format!("the label of {} trees is no sum of their leaves", self.trees.len()))
            }
            (Outputs::Label, Some(_)) => match self.numeric_classes() {
                Some(labels) => Ok(labels),
                None => refuse("its classes are no numbers".to_string()),
            },
        }
    }

    fn remarks_on(&self, format: Format) -> Vec<Remark> {
        // 2^-117 is the largest power of two that LightGBM takes for 0.
        let has_tiny = smallest(format).is_none_or(|exponent| exponent <= -117);
        let matters = |remark: &&Remark| has_tiny || !matches!(remark, Remark::TinyInputs { .. });
        let mut remarks: Vec<Remark> = self.remarks.iter().filter(matters).cloned().collect();
        if !is_within(format, self.inputs) {
            remarks.push(Remark::PeerCast { kind: self.kind, inputs: self.inputs, format });
        }
        remarks
    }
}

/// The exponent of the smallest positive value; none in `F(p)`.
fn smallest(format: Format) -> Option<i64> {
    Some(i64::from(format.emin()?) + 1 - i64::from(format.precision()))
}

/// Whether all finite values of `inner` are values of `outer`, a standard format.
fn is_within(inner: Format, outer: Format) -> bool {
    inner.is_bounded()
        && inner.precision() <= outer.precision()
        && inner.emax() <= outer.emax()
        && smallest(inner) >= smallest(outer)
}

fn check_grid(outputs: Outputs, grid: Option<i64>) -> Result<(), ConversionError> {
    let refuse = |grid, why| Err(ConversionError::Grid { grid, why });
    match grid {
        Some(grid) if outputs != Outputs::Scores => {
            refuse(grid, "votes and labels are not rounded; leave the grid out")
        }
        Some(grid) if grid.abs() > LARGEST_GRID => refuse(grid, "no format has such exponents; take one within +-2^16"),
        _ => Ok(()),
    }
}

/// Where a split sends the values of the format.
enum Place {
    Lower,
    Upper,
    /// `x <= threshold` to the lower side; whether the model's threshold was no value of the format.
    Both(Encoding, bool),
}

/// A forest in the making.
struct Maker<'a> {
    model: &'a Model,
    format: Format,
    outputs: Outputs,
    /// Outputs of the forest.
    width: usize,
    /// For [`Outputs::Label`], the numbers of the classes.
    labels: Vec<Rational>,
    grid: Option<i64>,
    done: Rounding,
}

impl Maker<'_> {
    fn tree(&mut self, index: usize, tree: &ModelTree) -> Result<Tree, ConversionError> {
        let ends = tree.ends();
        let (mut nodes, mut values, mut numbers) = (Vec::new(), Encodings::new(self.format), Vec::new());
        // Parts of the tree that are still to come, as the index of their root; the nearest last.
        let mut open = vec![0];
        while let Some(place) = open.pop() {
            match &tree.nodes()[place] {
                ModelNode::Split { column, threshold } => {
                    let (lower, upper) = (place + 1, ends[place + 1]);
                    match self
                        .place(threshold)
                        .ok_or(ConversionError::NoPredecessor { tree: index, format: self.format })?
                    {
                        Place::Both(threshold, moved) => {
                            self.done.thresholds += usize::from(moved);
                            nodes.push(TreeNode::Split { column: *column, threshold });
                            open.extend([upper, lower]);
                        }
                        Place::Lower => open.push(lower),
                        Place::Upper => open.push(upper),
                    }
                }
                ModelNode::Leaf { number, values: exact } => {
                    nodes.push(TreeNode::Leaf);
                    self.leaf(index, *number, tree.output, exact, &mut values)?;
                    numbers.push(*number);
                }
            }
        }
        // Two nodes go with every split: itself, and a side or a leaf of one.
        self.done.pruned += (tree.nodes().len() - nodes.len()) / 2;
        self.done.numbers.push(numbers);
        Ok(Tree { nodes, values })
    }

    /// The largest value of the format on the lower side of a threshold; none if there is no largest one.
    fn place(&self, threshold: &Rational) -> Option<Place> {
        let format = self.format;
        let toward_negative = |q: &Rational| round(q, format, RoundingMode::TowardNegative, Overflow::Saturate);
        let mut rounded = toward_negative(threshold);
        let moved = rounded.status != Status::NONE;
        if self.model.comparison == Comparison::Less && !moved {
            // Less than the distance to the value below: half a unit of the binade below, or of the subnormals.
            let step = if *threshold == 0 {
                power_of_two(i64::from(format.emin()?) - i64::from(format.precision()))
            } else {
                threshold.clone().abs() * power_of_two(-2 - i64::from(format.precision()))
            };
            rounded = toward_negative(&(threshold.clone() - step));
        }
        Some(match (format.largest(true), format.largest(false)) {
            // Below the smallest value there is none: saturation gives that value, which is on the upper side.
            (Some(smallest), _) if rounded.encoding == smallest && rounded.status.contains(Status::OVERFLOW) => {
                Place::Upper
            }
            (_, Some(largest)) if rounded.encoding == largest => Place::Lower,
            _ => Place::Both(rounded.encoding, moved),
        })
    }

    /// Appends the values of a leaf.
    fn leaf(
        &mut self,
        tree: usize,
        number: u32,
        output: Option<usize>,
        exact: &[Rational],
        values: &mut Encodings,
    ) -> Result<(), ConversionError> {
        let winner = if self.outputs == Outputs::Scores { 0 } else { first_largest(exact) };
        for place in 0..self.width {
            let mut value = match (self.outputs, output) {
                (Outputs::Votes, _) => Rational::from(u8::from(place == winner)),
                (Outputs::Label, _) => self.labels.get(winner).cloned().unwrap_or_default(),
                (Outputs::Scores, None) => exact.get(place).cloned().unwrap_or_default() / self.model.divisor as u64,
                (Outputs::Scores, Some(output)) if output != place => Rational::new(),
                (Outputs::Scores, Some(_)) => exact.first().cloned().unwrap_or_default() / self.model.divisor as u64,
            };
            if self.outputs == Outputs::Scores && self.model.trees.len() == 1 {
                value += &self.model.base[place];
            }
            let (value, inexact) = self.round(&value, || format!("tree {tree}, leaf {number}, output {place}"))?;
            self.done.leaves += usize::from(inexact);
            values.push(value);
        }
        Ok(())
    }

    /// A value of the format, and whether it is another number than `exact`.
    fn round(&mut self, exact: &Rational, place: impl Fn() -> String) -> Result<(Encoding, bool), ConversionError> {
        let format = self.format;
        let target = match self.grid {
            None => exact.clone(),
            Some(grid) => nearest_integer(exact.clone() / power_of_two(grid)) * power_of_two(grid),
        };
        let rounded = round(&target, format, RoundingMode::TiesToEven, Overflow::Saturate);
        if rounded.status.contains(Status::OVERFLOW) {
            let value = approximate(&exact.clone().abs());
            return Err(ConversionError::OutOfRange { place: place(), value, format });
        }
        if let (Some(grid), true) = (self.grid, rounded.status.contains(Status::INEXACT)) {
            return Err(ConversionError::OffGrid { place: place(), grid, format });
        }
        // A finite value: it did not overflow.
        let value = decode(format, rounded.encoding).and_then(|datum| datum.rational()).unwrap_or_default();
        let error = Rational::from(&value - exact).abs();
        let inexact = error != 0;
        if error > self.done.largest_error {
            self.done.largest_error = error;
        }
        let encoding = if format.is_zero(rounded.encoding) { format.zero() } else { rounded.encoding };
        Ok((encoding, inexact))
    }
}

/// The integer nearest to `q`, of two the even one.
fn nearest_integer(q: Rational) -> Rational {
    let floor = q.clone().floor();
    let half = Rational::from((1, 2));
    match (q - &floor).cmp(&half) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Equal if floor.numer().is_even() => floor,
        _ => floor + 1u32,
    }
}

/// Where the first of the largest values stands.
fn first_largest(values: &[Rational]) -> usize {
    let mut winner = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[winner] {
            winner = index;
        }
    }
    winner
}

impl fmt::Display for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outputs::Scores => "scores",
            Outputs::Votes => "votes",
            Outputs::Label => "labels",
        })
    }
}
