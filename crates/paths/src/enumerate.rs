//! Every value of one small sum, and a path to each.

use std::collections::BTreeMap;

use roundproof_format::Encoding;
use roundproof_network::{Addition, Choice, Contraction, Flushes, Order, TreePath};
use roundproof_softfloat::order_key;

use crate::machine::{Machine, Sum, readings};

/// How much of the values of a subset of terms is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// Every encoding: the enumeration is exact.
    All,
    /// Every value, with whichever sign a zero happens to have.
    Values,
    /// The least and the largest finite one, infinities and NaN. These are then exact for the whole sum, because
    /// rounding in one direction is monotone.
    Extremes,
}

/// The values of a sum on every path of a model, each with one path that gives it.
///
/// Built subset of terms by subset: the values of a subset are those of all its splits into two, each addition
/// contracted or not, rounded in every direction that matters, with every flush. That is every binary tree over every
/// arrangement, since what a subtree gives depends on nothing outside it. Encodings are told apart, so both zeros may
/// occur. All but [`Keep::All`] add terms that are zero on every path at the end, which costs nothing but the other zero.
#[derive(Clone, Debug)]
pub struct Enumeration {
    terms: usize,
    /// Whether `sets` are numbered by subset (bit `i` for leaf `i`); else leaf `i` is number `i`, and the sums from the
    /// left follow.
    by_subset: bool,
    /// Each value with its making.
    sets: Vec<BTreeMap<Encoding, Making>>,
    /// The terms that the subsets are over, by their numbers.
    leaves: Vec<u32>,
    /// The others.
    zeros: Vec<u32>,
    /// The sum in the network's format, with the wide number that it was rounded from.
    rounded: Option<BTreeMap<Encoding, (Encoding, Choice)>>,
    idle: Choice,
}

/// How a value came about.
#[derive(Clone, Copy, Debug)]
enum Making {
    Bias,
    Product(Choice),
    Sum { left: (usize, Encoding), right: (usize, Encoding), fused: Option<Choice>, choice: Choice },
}

/// The most terms, for which subsets still have a table.
const MOST_LEAVES: usize = 16;

/// What is the same for all subsets of one enumeration.
struct Builder<'a> {
    machine: &'a Machine,
    sum: &'a Sum,
    leaves: Vec<u32>,
    keep: Keep,
    /// Operations left before giving up.
    budget: usize,
    /// The ways to read the operands of each leaf that can be contracted, one choice for each pair of numbers.
    operands: Vec<Vec<Choice>>,
}

impl Enumeration {
    /// All values of `sum`, if they take no more than about `budget` operations.
    pub fn new(machine: &Machine, sum: &Sum, keep: Keep, budget: usize) -> Option<Enumeration> {
        let terms = sum.terms.len();
        let all = 0..=terms as u32;
        let (mut zeros, mut leaves): (Vec<u32>, Vec<u32>) = match (keep, machine.trees().order) {
            (Keep::All, _) | (_, Order::LeftToRight) => (Vec::new(), all.collect()),
            _ => all.partition(|&leaf| is_zero_leaf(machine, sum, leaf)),
        };
        // Something to start from; and, where it may be flushed, something to add to it.
        while leaves.len() < 1 + usize::from(machine.flushes()) && !zeros.is_empty() {
            leaves.push(zeros.remove(0));
        }
        if leaves.len() > MOST_LEAVES && machine.trees().order == Order::Any {
            return None;
        }
        let mut builder = Builder { machine, sum, operands: Vec::new(), leaves, keep, budget };
        builder.operands = builder.leaves.iter().map(|&leaf| builder.operand_choices(leaf)).collect();
        let sets = match machine.trees().order {
            Order::Any => builder.every_tree()?,
            Order::LeftToRight => builder.left_to_right()?,
        };
        let (leaves, by_subset) = (builder.leaves, machine.trees().order == Order::Any);
        let idle = Choice::plain(machine.modes()[0]);
        let mut found = Enumeration { terms, by_subset, sets, leaves, zeros, rounded: None, idle };
        if machine.is_widened() {
            found.rounded = Some(found.round_out(machine));
        }
        Some(found)
    }

    fn round_out(&self, machine: &Machine) -> BTreeMap<Encoding, (Encoding, Choice)> {
        let mut rounded = BTreeMap::new();
        for &wide in self.total().keys() {
            for (read, left) in readings(machine, machine.accumulator(), wide) {
                for &mode in machine.modes() {
                    let flushes = Flushes { left, ..Flushes::default() };
                    let value = machine.round_out(read, Choice::plain(mode));
                    for (value, result) in readings(machine, machine.format(), value) {
                        let choice = Choice { mode, flushes: Flushes { result, ..flushes } };
                        rounded.entry(value).or_insert((wide, choice));
                    }
                }
            }
        }
        rounded
    }

    fn total(&self) -> &BTreeMap<Encoding, Making> {
        &self.sets[self.sets.len() - 1]
    }

    /// The values, in the network's format and before the activation, ascending by their bits.
    pub fn values(&self) -> Vec<Encoding> {
        match &self.rounded {
            Some(rounded) => rounded.keys().copied().collect(),
            None => self.total().keys().copied().collect(),
        }
    }

    /// A path that gives `value`, if there is one among those kept. Where the sign of a zero is not told apart, the path
    /// may give the other zero.
    pub fn path(&self, value: Encoding) -> Option<TreePath> {
        let (wide, narrowing) = match &self.rounded {
            Some(rounded) => rounded.get(&value).map(|&(wide, choice)| (wide, Some(choice)))?,
            None => (value, None),
        };
        let mut path = TreePath { products: vec![self.idle; self.terms], additions: Vec::new(), narrowing };
        let mut result = self.build(self.sets.len() - 1, wide, &mut path)?;
        for &zero in &self.zeros {
            path.additions.push(Addition { left: result, right: zero, contracted: false, choice: self.idle });
            result = (self.terms + path.additions.len()) as u32;
        }
        Some(path)
    }

    /// Writes the making of a value into the path and gives the number of its term.
    fn build(&self, set: usize, value: Encoding, path: &mut TreePath) -> Option<u32> {
        match *self.sets[set].get(&value)? {
            Making::Bias => Some(self.terms as u32),
            Making::Product(choice) => {
                let leaf = self.leaf(set);
                path.products[leaf as usize] = choice;
                Some(leaf)
            }
            Making::Sum { left, right, fused, choice } => {
                let first = match fused {
                    Some(product) => {
                        let leaf = self.leaf(left.0);
                        path.products[leaf as usize] = product;
                        leaf
                    }
                    None => self.build(left.0, left.1, path)?,
                };
                let second = self.build(right.0, right.1, path)?;
                path.additions.push(Addition { left: first, right: second, contracted: fused.is_some(), choice });
                Some((self.terms + path.additions.len()) as u32)
            }
        }
    }

    /// The term of a set of one leaf.
    fn leaf(&self, set: usize) -> u32 {
        self.leaves[if self.by_subset { set.trailing_zeros() as usize } else { set }]
    }
}

/// Whether a term is a zero on every path, contracted or not.
fn is_zero_leaf(machine: &Machine, sum: &Sum, leaf: u32) -> bool {
    let format = machine.operands();
    match sum.terms.get(leaf as usize) {
        None => format.is_zero(sum.bias),
        Some(term) => {
            let finite = format.is_finite(term.weight) && format.is_finite(term.input);
            finite && (format.is_zero(term.weight) || format.is_zero(term.input))
        }
    }
}

impl Builder<'_> {
    fn term(&self, leaf: u32) -> Option<crate::machine::Term> {
        self.sum.terms.get(leaf as usize).copied()
    }

    fn operand_choices(&self, leaf: u32) -> Vec<Choice> {
        let Some(term) = self.term(leaf) else { return Vec::new() };
        let format = self.machine.operands();
        let plain = Choice::plain(self.machine.modes()[0]);
        readings(self.machine, format, term.weight)
            .flat_map(|(_, left)| {
                readings(self.machine, format, term.input).map(move |(_, right)| {
                    let flushes = Flushes { left, right, result: false };
                    Choice { flushes, ..plain }
                })
            })
            .collect()
    }

    /// The values of a single term.
    fn single(&self, index: usize) -> BTreeMap<Encoding, Making> {
        let mut set = BTreeMap::new();
        let Some(term) = self.term(self.leaves[index]) else {
            set.insert(self.machine.widen(self.sum.bias), Making::Bias);
            return set;
        };
        for &operands in &self.operands[index] {
            for &mode in self.machine.modes() {
                let choice = Choice { mode, ..operands };
                let value = self.machine.product(term, choice);
                for (value, result) in readings(self.machine, self.machine.accumulator(), value) {
                    let flushes = Flushes { result, ..choice.flushes };
                    set.entry(value).or_insert(Making::Product(Choice { flushes, ..choice }));
                }
            }
        }
        self.prune(&mut set);
        set
    }

    fn every_tree(&mut self) -> Option<Vec<BTreeMap<Encoding, Making>>> {
        let all = (1usize << self.leaves.len()) - 1;
        let mut sets = vec![BTreeMap::new(); all + 1];
        for subset in 1..=all {
            if subset.is_power_of_two() {
                sets[subset] = self.single(subset.trailing_zeros() as usize);
                continue;
            }
            let first = subset & subset.wrapping_neg();
            let others = subset & !first;
            let mut part = others;
            let mut set = BTreeMap::new();
            loop {
                part = (part - 1) & others;
                self.split(&sets, first | part, others & !part, &mut set)?;
                if part == 0 {
                    break;
                }
            }
            self.prune(&mut set);
            sets[subset] = set;
        }
        Some(sets)
    }

    fn split(
        &mut self,
        sets: &[BTreeMap<Encoding, Making>],
        left: usize,
        right: usize,
        set: &mut BTreeMap<Encoding, Making>,
    ) -> Option<()> {
        let single = |subset: usize| subset.is_power_of_two().then(|| subset.trailing_zeros() as usize);
        self.sums((left, &sets[left]), (right, &sets[right]), set)?;
        for (one, other) in [(left, right), (right, left)] {
            if let Some(index) = single(one) {
                self.fused((one, index), (other, &sets[other]), set)?;
            }
        }
        Some(())
    }

    fn left_to_right(&mut self) -> Option<Vec<BTreeMap<Encoding, Making>>> {
        let count = self.leaves.len();
        let mut sets: Vec<_> = (0..count).map(|index| self.single(index)).collect();
        for index in 1..count {
            let before = if index == 1 { 0 } else { sets.len() - 1 };
            let mut set = BTreeMap::new();
            self.sums((before, &sets[before]), (index, &sets[index]), &mut set)?;
            self.fused((index, index), (before, &sets[before]), &mut set)?;
            if index == 1 {
                self.fused((0, 0), (1, &sets[1]), &mut set)?;
            }
            self.prune(&mut set);
            sets.push(set);
        }
        Some(sets)
    }

    fn pay(&mut self, operations: usize) -> Option<()> {
        self.budget = self.budget.checked_sub(operations)?;
        Some(())
    }

    /// All sums of a value of one set and a value of another.
    fn sums(
        &mut self,
        (left, lefts): (usize, &BTreeMap<Encoding, Making>),
        (right, rights): (usize, &BTreeMap<Encoding, Making>),
        set: &mut BTreeMap<Encoding, Making>,
    ) -> Option<()> {
        self.pay(lefts.len() * rights.len())?;
        let (machine, format) = (self.machine, self.machine.accumulator());
        for &a in lefts.keys() {
            for &b in rights.keys() {
                for (read_a, left_flush) in readings(machine, format, a) {
                    for (read_b, right_flush) in readings(machine, format, b) {
                        for &mode in machine.modes() {
                            let value = machine.add(read_a, read_b, Choice::plain(mode));
                            let flushes = Flushes { left: left_flush, right: right_flush, result: false };
                            let making =
                                |choice| Making::Sum { left: (left, a), right: (right, b), fused: None, choice };
                            self.write(value, Choice { mode, flushes }, making, set);
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// All fused additions of one leaf's product and a value of a set.
    fn fused(
        &mut self,
        (leaf_set, index): (usize, usize),
        (right, rights): (usize, &BTreeMap<Encoding, Making>),
        set: &mut BTreeMap<Encoding, Making>,
    ) -> Option<()> {
        let Some(term) = self.term(self.leaves[index]) else { return Some(()) };
        if self.machine.trees().contraction == Contraction::None {
            return Some(());
        }
        self.pay(rights.len())?;
        let (machine, format) = (self.machine, self.machine.accumulator());
        for &product in &self.operands[index] {
            for &b in rights.keys() {
                for (read, right_flush) in readings(machine, format, b) {
                    for &mode in machine.modes() {
                        let value = machine.fuse(term, product, read, Choice::plain(mode));
                        let flushes = Flushes { right: right_flush, ..Flushes::default() };
                        let left = (leaf_set, value);
                        let making = |choice| Making::Sum { left, right: (right, b), fused: Some(product), choice };
                        self.write(value, Choice { mode, flushes }, making, set);
                    }
                }
            }
        }
        Some(())
    }

    /// Enters a result, and what flushing makes of it, where they are new.
    fn write(
        &self,
        value: Encoding,
        choice: Choice,
        making: impl Fn(Choice) -> Making,
        set: &mut BTreeMap<Encoding, Making>,
    ) {
        for (value, result) in readings(self.machine, self.machine.accumulator(), value) {
            let flushes = Flushes { result, ..choice.flushes };
            set.entry(value).or_insert_with(|| making(Choice { flushes, ..choice }));
        }
    }

    /// Drops what is not to be kept.
    fn prune(&self, set: &mut BTreeMap<Encoding, Making>) {
        if self.keep != Keep::Extremes || set.len() <= 2 {
            return;
        }
        let format = self.machine.accumulator();
        let finite = || set.keys().copied().filter(|&value| format.is_finite(value));
        let least = finite().min_by_key(|&value| order_key(format, value));
        let most = finite().max_by_key(|&value| order_key(format, value));
        set.retain(|&value, _| !format.is_finite(value) || Some(value) == least || Some(value) == most);
    }
}
