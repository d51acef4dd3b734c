//! From a model to a forest of a format.

use std::collections::BTreeMap;
use std::fmt;

use roundproof_exact::text::{approximate, exact_dyadic};
use roundproof_exact::{Integer, Rational, decode, parse_number, power_of_two, round};
use roundproof_files::json::shorten;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_network::{Encodings, Forest, Tree, TreeNode};

use super::{ConversionError, Cut, Model, ModelNode, ModelTree, Remark};

/// The most values of leaves that a forest is made with; a model of many trees and many outputs has the product of both.
const MOST_VALUES: usize = 1 << 28;
/// The most leaves that copies are made of: the sides of a split with several cuts stand in a forest several times.
const MOST_COPIES: usize = 1 << 22;
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
    /// Compare every input as it is, over the reals, and not as the tool rounds it: what is meant is the tree, and no tool.
    pub real_inputs: bool,
}

/// What a forest gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outputs {
    /// The tool's raw scores. Of an average, every leaf is divided and then rounded.
    Scores,
    /// For each class, how many trees have it as the largest fraction of the leaf; of equal ones, the first. They add up
    /// exactly to as many trees as the format counts exactly; more are refused.
    Votes,
    /// The number that is the name of the class with the largest fraction; of equal ones, the first. Refused if two classes
    /// are one number in the format.
    Label,
}

/// What became of a model's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rounding {
    /// Splits with a cut that is not at a value of the format. All values of the format go to the same sides still.
    pub thresholds: usize,
    /// Splits that are gone, since all values of the format go to one side, and the splits on the empty sides of those.
    pub pruned: usize,
    /// Values of leaves that are not values of the format (or multiples of the grid), those of removed leaves not counted.
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
    /// Cuts are rounded down to the largest value of the format below them; if the tool rounds inputs to a format that does
    /// not have all values of this one, cuts first go where that rounding changes sides. So every value of the format takes
    /// the way through a tree that it takes in the tool. A split that all finite values of the format pass on the same side
    /// is left out; one with several cuts becomes splits of one each, and its sides are there several times. The base of a single tree is added to its leaves, so that each value is rounded once and
    /// none is a sum. Leaves and base are rounded to nearest, ties to even, a zero always to +0.
    ///
    /// # Errors
    ///
    /// If a leaf or a base is beyond the format, the model does not have such outputs, or the grid is none of the
    /// format.
    pub fn to_forest(&self, format: Format, options: &ForestOptions) -> Result<(Forest, Rounding), ConversionError> {
        let outputs = options.outputs.unwrap_or_else(|| self.default_outputs());
        let labels = self.check_outputs(format, outputs)?;
        check_grid(outputs, options.grid)?;
        let width = if outputs == Outputs::Label { 1 } else { self.outputs() };
        if self.leaves().checked_mul(width).is_none_or(|values| values > MOST_VALUES) {
            return Err(ConversionError::Size { leaves: self.leaves(), outputs: width });
        }
        let mut maker = Maker {
            model: self,
            format,
            outputs,
            width,
            labels,
            grid: options.grid,
            real_inputs: options.real_inputs,
            copies: 0,
            done: Rounding::default(),
        };
        maker.done.remarks = if options.real_inputs { self.remarks.clone() } else { self.remarks_on(format) };
        if outputs == Outputs::Votes && self.has_mixed_leaves() {
            maker.done.remarks.push(Remark::Votes);
        }
        let mut base = Encodings::with_capacity(format, width);
        for output in 0..width {
            let apart = outputs == Outputs::Scores && self.trees.len() > 1;
            let exact = if apart { self.base[output].clone() } else { Rational::new() };
            let (value, inexact) = maker.round(&exact, || format!("base, output {output}"))?;
            maker.done.base += usize::from(inexact);
            base.push(value);
        }
        let trees = self.trees.iter().enumerate().map(|(index, tree)| maker.tree(index, tree));
        let mut trees = trees.collect::<Result<Vec<Tree>, ConversionError>>()?;
        if trees.is_empty() {
            trees.push(maker.constant()?);
        }
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
    fn check_outputs(&self, format: Format, outputs: Outputs) -> Result<Vec<Rational>, ConversionError> {
        let refuse = |why: String| Err(ConversionError::Outputs { outputs, why });
        match (outputs, &self.classes) {
            (Outputs::Scores, _) => Ok(Vec::new()),
            (_, None) => refuse("its leaves are not fractions of classes".to_string()),
            (Outputs::Votes, Some(_)) => {
                let (trees, most) = (self.trees.len(), counts_to(format));
                if most < trees { Err(ConversionError::Votes { trees, most, format }) } else { Ok(Vec::new()) }
            }
            (Outputs::Label, Some(_)) if self.trees.len() != 1 => {
                refuse(format!("the label of {} trees is not a sum of their leaves", self.trees.len()))
            }
            (Outputs::Label, Some(classes)) => match self.numeric_classes() {
                Some(labels) => check_classes(format, classes, &labels).map(|()| labels),
                None => refuse("its classes are not numbers".to_string()),
            },
        }
    }

    /// Whether a leaf has fractions of several classes, so that a vote says less than they do.
    fn has_mixed_leaves(&self) -> bool {
        let mut leaves = self.trees.iter().flat_map(ModelTree::nodes);
        leaves.any(|node| match node {
            ModelNode::Leaf { number: _, values } => values.iter().filter(|value| **value != 0).count() > 1,
            ModelNode::Split { column: _, cuts: _ } => false,
        })
    }

    fn remarks_on(&self, format: Format) -> Vec<Remark> {
        let mut remarks = self.remarks.clone();
        if !is_within(format, self.inputs) {
            remarks.push(Remark::PeerCast { kind: self.kind, inputs: self.inputs, format });
        }
        remarks
    }
}

/// The largest number to which every sum of ones is exact, whatever its order.
fn counts_to(format: Format) -> Integer {
    let most = Integer::from(1) << format.precision();
    match format.largest(false).and_then(|largest| decode(format, largest)?.rational()) {
        Some(largest) if largest < most => largest.floor().into_numer_denom().0,
        _ => most,
    }
}

/// Refuses classes whose numbers are one value of the format.
fn check_classes(format: Format, classes: &[String], labels: &[Rational]) -> Result<(), ConversionError> {
    let mut seen = BTreeMap::new();
    for (class, label) in classes.iter().zip(labels) {
        // What overflows is refused where it is rounded, as a leaf.
        let rounded = round(label, format, RoundingMode::TiesToEven, Overflow::Saturate);
        let value = value(format, rounded.encoding);
        if rounded.status.contains(Status::OVERFLOW) {
            continue;
        }
        let text = exact_dyadic(value.clone());
        if let Some(first) = seen.insert(value, class) {
            let [first, second] = [first, class].map(|name| shorten(name));
            return Err(ConversionError::Classes { first, second, value: text, format });
        }
    }
    Ok(())
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

/// Where a cut is among the finite values of a format.
enum Place {
    /// All values lie below it.
    Behind,
    /// All values lie above it.
    Ahead,
    /// The largest value below it; whether the cut is at no value of the format.
    After(Encoding, bool),
}

/// Part of a tree that is still to come.
enum Open {
    /// What is below a node.
    Node(usize),
    /// The intervals from one to another between the cuts of a split, which is one of a list.
    Intervals(usize, usize, usize),
}

/// A split whose cuts are several, among the values of the format.
struct Several {
    column: u32,
    thresholds: Vec<Encoding>,
    /// The sides by turns, from what is below the first threshold on.
    sides: [usize; 2],
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
    /// As in [`ForestOptions`].
    real_inputs: bool,
    /// Leaves that were there before.
    copies: usize,
    done: Rounding,
}

impl Maker<'_> {
    /// A leaf with nothing but the base.
    fn constant(&mut self) -> Result<Tree, ConversionError> {
        let mut values = Encodings::with_capacity(self.format, self.width);
        for (place, exact) in self.model.base.iter().take(self.width).enumerate() {
            let (value, inexact) = self.round(exact, || format!("base, output {place}"))?;
            self.done.base += usize::from(inexact);
            values.push(value);
        }
        self.done.numbers.push(vec![0]);
        Ok(Tree { nodes: vec![TreeNode::Leaf], values })
    }

    fn tree(&mut self, index: usize, tree: &ModelTree) -> Result<Tree, ConversionError> {
        let ends = tree.ends();
        let (mut nodes, mut values, mut numbers) = (Vec::new(), Encodings::new(self.format), Vec::new());
        let (mut several, mut met, mut kept) = (Vec::<Several>::new(), vec![false; tree.nodes().len()], 0);
        // The nearest last.
        let mut open = vec![Open::Node(0)];
        while let Some(next) = open.pop() {
            let place = match next {
                Open::Node(place) => place,
                Open::Intervals(split, from, to) if from == to => several[split].sides[from % 2],
                Open::Intervals(split, from, to) => {
                    let middle = (from + to) / 2;
                    let Several { column, thresholds, .. } = &several[split];
                    nodes.push(TreeNode::Split { column: *column, threshold: thresholds[middle] });
                    open.extend([Open::Intervals(split, middle + 1, to), Open::Intervals(split, from, middle)]);
                    continue;
                }
            };
            match &tree.nodes()[place] {
                ModelNode::Split { column, cuts } => {
                    let (thresholds, moved, swapped) = self.thresholds(cuts)?;
                    let mut sides = [place + 1, ends[place + 1]];
                    if swapped {
                        sides.reverse();
                    }
                    if !thresholds.is_empty() && !std::mem::replace(&mut met[place], true) {
                        self.done.thresholds += usize::from(moved);
                        kept += 1;
                    }
                    match thresholds[..] {
                        [] => open.push(Open::Node(sides[0])),
                        [threshold] => {
                            nodes.push(TreeNode::Split { column: *column, threshold });
                            open.extend([Open::Node(sides[1]), Open::Node(sides[0])]);
                        }
                        _ => {
                            open.push(Open::Intervals(several.len(), 0, thresholds.len()));
                            several.push(Several { column: *column, thresholds, sides });
                        }
                    }
                }
                ModelNode::Leaf { number, values: exact } => {
                    let copied = std::mem::replace(&mut met[place], true);
                    self.copies += usize::from(copied);
                    if self.copies > MOST_COPIES / self.width.min(MOST_COPIES) {
                        let leaves = self.model.leaves() + self.copies;
                        return Err(ConversionError::Size { leaves, outputs: self.width });
                    }
                    nodes.push(TreeNode::Leaf);
                    self.leaf(index, *number, tree.output, exact, copied, &mut values)?;
                    numbers.push(*number);
                }
            }
        }
        self.done.pruned += tree.leaves() - 1 - kept;
        self.done.numbers.push(numbers);
        Ok(Tree { nodes, values })
    }

    /// The largest value below each cut that has values on both sides, whether one of those is at no value, and whether
    /// the sides are swapped below the first of them.
    fn thresholds(&self, cuts: &[Cut]) -> Result<(Vec<Encoding>, bool, bool), ConversionError> {
        let (mut thresholds, mut any_moved, mut swapped) = (Vec::with_capacity(cuts.len()), false, false);
        for cut in cuts {
            match self.place(cut)? {
                Place::Behind => break,
                Place::Ahead => swapped = !swapped,
                // No value is between two cuts of one threshold.
                Place::After(threshold, _) if thresholds.last() == Some(&threshold) => {
                    thresholds.pop();
                }
                Place::After(threshold, moved) => {
                    any_moved |= moved;
                    thresholds.push(threshold);
                }
            }
        }
        Ok((thresholds, any_moved, swapped))
    }

    /// Where a cut of the tool's inputs is among the values of the format.
    fn place(&self, cut: &Cut) -> Result<Place, ConversionError> {
        let (format, inputs) = (self.format, self.model.inputs);
        if self.real_inputs && !format.is_bounded() && !cut.closed && cut.at == 0 {
            return Err(ConversionError::NoPredecessor { format });
        }
        if self.real_inputs || is_within(format, inputs) {
            return Ok(place(format, cut));
        }
        // The largest value that the tool has below the cut, and the one above that: reals go to the nearer of them.
        let below = match place(inputs, cut) {
            Place::After(below, _) => value(inputs, below),
            one_side => return Ok(one_side),
        };
        let beyond = below.clone() + step(inputs, &below);
        let above = round(&beyond, inputs, RoundingMode::TowardPositive, Overflow::Saturate).encoding;
        let at = (below.clone() + value(inputs, above)) / 2;
        let nearest = round(&at, inputs, RoundingMode::TiesToEven, Overflow::Saturate).encoding;
        // Never at 0, since 0 is a value of the tool's.
        Ok(place(format, &Cut { closed: value(inputs, nearest) == below, at }))
    }

    /// Appends the values of a leaf.
    fn leaf(
        &mut self,
        tree: usize,
        number: u32,
        output: Option<usize>,
        exact: &[Rational],
        copied: bool,
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
            self.done.leaves += usize::from(inexact && !copied);
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
        let value = value(format, rounded.encoding);
        let error = Rational::from(&value - exact).abs();
        let inexact = error != 0;
        if error > self.done.largest_error {
            self.done.largest_error = error;
        }
        let encoding = if format.is_zero(rounded.encoding) { format.zero() } else { rounded.encoding };
        Ok((encoding, inexact))
    }
}

/// A finite value.
fn value(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).and_then(|datum| datum.rational()).unwrap_or_default()
}

/// Where a cut is among the values of a format; in a format without a smallest exponent, a cut that is not at 0.
fn place(format: Format, cut: &Cut) -> Place {
    let toward_negative = |q: &Rational| round(q, format, RoundingMode::TowardNegative, Overflow::Saturate);
    let mut rounded = toward_negative(&cut.at);
    let moved = rounded.status != Status::NONE;
    if !cut.closed && !moved {
        rounded = toward_negative(&(cut.at.clone() - step(format, &cut.at)));
    }
    match (format.largest(true), format.largest(false)) {
        // Below the smallest value there is none: saturation gives that value, which is above the cut.
        (Some(smallest), _) if rounded.encoding == smallest && rounded.status.contains(Status::OVERFLOW) => {
            Place::Ahead
        }
        (_, Some(largest)) if rounded.encoding == largest => Place::Behind,
        _ => Place::After(rounded.encoding, moved),
    }
}

/// Less than the distance of a value to the values beside it: half a unit of the binade below, or of the subnormals.
fn step(format: Format, value: &Rational) -> Rational {
    let precision = i64::from(format.precision());
    match (*value == 0, format.emin()) {
        (true, Some(emin)) => power_of_two(i64::from(emin) - precision),
        (true, None) => unreachable!("0 has no value beside it in a format without a smallest exponent"),
        (false, _) => value.clone().abs() * power_of_two(-2 - precision),
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
