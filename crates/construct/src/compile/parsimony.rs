//! Which label each node of a tree has, so that few boxes change labels.
//!
//! A node has the label of the node above it, or another one at the price of a box. Sankoff's recurrence ("Minimal
//! mutation trees of sequences", 1975) with one price per node: with `s(v, l)` the least price below `v` if `v` has the
//! label `l`, and `price(v)` that of a box at `v`,
//!
//! > `f(v, l) = min(s(v, l), price(v) + min_m s(v, m))`, `s(v, l)` = sum of `f(c, l)` over the children `c`,
//!
//! and at a leaf `s` is 0 for its own label and infinite for the others. Nearly all labels have the same `f` at a node:
//! only the others are stored, by their differences, and of two children the smaller store goes into the larger one. So
//! `n` leaves take `O(n log^2 n)` time and `O(n)` memory, whatever the number of labels.

use std::collections::{BTreeMap, BTreeSet};

use super::prune::{Kind, Pruned};

/// The most that a node may cost, so that no sum of prices overflows.
const MOST: i64 = 1 << 30;

/// A label for each node of a tree, and one for the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    /// What holds above the root.
    pub root: u32,
    /// One label per node, in preorder. A node whose label is not that of the node above it has a box.
    pub labels: Vec<u32>,
}

impl Assignment {
    /// Boxes at leaves alone, where the label is not zero.
    pub fn flat(tree: &Pruned) -> Assignment {
        let label = |kind| if let Kind::Leaf { label } = kind { label } else { 0 };
        Assignment { root: 0, labels: tree.nodes.iter().map(|node| label(node.kind)).collect() }
    }
}

/// The prices of a tree, as far as choosing labels takes them.
pub(super) struct Parsimony<'a> {
    tree: &'a Pruned,
    choices: Vec<Choice>,
    /// Leaves by label, in preorder: `(label, node)`.
    leaves: Vec<(u32, u32)>,
    /// Over `leaves`: where labels stop being preferred.
    ends: Minima,
}

/// What to do at a node.
#[derive(Clone, Copy)]
struct Choice {
    /// The best label if there is a box.
    best: u32,
    /// Whether any label that is not among the preferred ones is given up.
    changes: bool,
}

/// The prices at a node, `s` or `f`: of most labels `others`, of a few `base` and what stands here.
#[derive(Default)]
struct Prices {
    others: i64,
    base: i64,
    /// For a label, what comes to `base`, and one of the leaves that brought it here.
    few: BTreeMap<u32, (i64, u32)>,
    sorted: BTreeSet<(i64, u32)>,
}

impl Prices {
    fn set(&mut self, label: u32, price: i64, leaf: u32) {
        let price = price - self.base;
        if let Some((before, _)) = self.few.insert(label, (price, leaf)) {
            self.sorted.remove(&(before, label));
        }
        self.sorted.insert((price, label));
    }

    /// Adds the smaller of two to the larger; two leaves of one label go together.
    fn join(mut self, mut other: Prices, together: &mut Sets) -> Prices {
        if self.few.len() < other.few.len() {
            std::mem::swap(&mut self, &mut other);
        }
        let here = self.others;
        self.others += other.others;
        self.base += other.others;
        for (label, (price, leaf)) in other.few {
            let price = price + other.base;
            let mine = match self.few.get(&label) {
                Some(&(mine, own)) => {
                    together.join(own, leaf);
                    // `base` has grown by what the other price of another label would have been.
                    mine + self.base - other.others
                }
                None => here,
            };
            self.set(label, mine + price, leaf);
        }
        self
    }
}

impl<'a> Parsimony<'a> {
    /// `outputs` is how many weights a box takes.
    pub fn of(tree: &'a Pruned, outputs: usize) -> Parsimony<'a> {
        let count = tree.nodes.len();
        let mut choices = vec![Choice { best: 0, changes: true }; count];
        let mut together = Sets::new(count);
        // Where the label of a set of leaves stops being preferred: the node after this one, or 0 for nowhere.
        let mut ended = vec![0u32; count];
        let mut open: Vec<Prices> = Vec::new();
        // From the end: the lower side comes after the upper one.
        for (index, node) in tree.nodes.iter().enumerate().rev() {
            let box_price = (node.terms + 1 + outputs as i64).min(MOST);
            let (prices, choice) = match node.kind {
                Kind::Leaf { label } => {
                    let mut prices = Prices { others: box_price, ..Prices::default() };
                    prices.set(label, 0, index as u32);
                    (prices, Choice { best: label, changes: true })
                }
                Kind::Split { .. } => {
                    let (Some(below), Some(above)) = (open.pop(), open.pop()) else {
                        unreachable!("a tree in preorder")
                    };
                    let mut prices = below.join(above, &mut together);
                    let choice = limit(&mut prices, box_price, |leaf| ended[together.of(leaf)] = index as u32 + 1);
                    (prices, choice)
                }
            };
            choices[index] = choice;
            open.push(prices);
        }
        let mut leaves: Vec<(u32, u32)> = Vec::new();
        for (index, node) in tree.nodes.iter().enumerate() {
            if let Kind::Leaf { label } = node.kind {
                leaves.push((label, index as u32));
            }
        }
        leaves.sort_unstable();
        let ends = Minima::of(leaves.iter().map(|&(_, leaf)| ended[together.of(leaf)]).collect());
        Parsimony { tree, choices, leaves, ends }
    }

    /// The best labels, if what is above the root can be chosen.
    pub fn best(&self) -> Assignment {
        self.below(self.choices[0].best)
    }

    /// The best labels below one that is given.
    pub fn below(&self, root: u32) -> Assignment {
        let mut labels = Vec::with_capacity(self.tree.nodes.len());
        // The labels above the nodes to come.
        let mut above = vec![root];
        for (index, node) in self.tree.nodes.iter().enumerate() {
            let Some(given) = above.pop() else { unreachable!("a tree in preorder") };
            let label = match node.kind {
                Kind::Leaf { label } => label,
                Kind::Split { .. } => {
                    let choice = self.choices[index];
                    let label = if choice.changes && !self.prefers(index, given) { choice.best } else { given };
                    above.extend([label, label]);
                    label
                }
            };
            labels.push(label);
        }
        Assignment { root, labels }
    }

    /// Whether a label is among the few whose price at the node is its own.
    fn prefers(&self, node: usize, label: u32) -> bool {
        let from = self.leaves.partition_point(|&leaf| leaf < (label, node as u32));
        let to = self.leaves.partition_point(|&leaf| leaf < (label, self.tree.ends[node]));
        // A leaf below, whose label was given up above the node alone.
        from < to && self.ends.least(from, to) <= node as u32
    }
}

/// From `s` to `f`: labels that are not better than a box at the node are given up.
fn limit(prices: &mut Prices, box_price: i64, mut give_up: impl FnMut(u32)) -> Choice {
    let &(least, best) = prices.sorted.first().expect("the label of a leaf below is never given up at once");
    let most = box_price + least + prices.base;
    if most >= prices.others {
        return Choice { best, changes: false };
    }
    prices.others = most;
    while let Some(&(price, label)) = prices.sorted.last()
        && price + prices.base >= most
    {
        prices.sorted.pop_last();
        if let Some((_, leaf)) = prices.few.remove(&label) {
            give_up(leaf);
        }
    }
    Choice { best, changes: true }
}

/// Disjoint sets of leaves.
struct Sets(Vec<u32>);

impl Sets {
    fn new(count: usize) -> Sets {
        Sets((0..count as u32).collect())
    }

    fn of(&mut self, mut member: u32) -> usize {
        while self.0[member as usize] != member {
            let above = self.0[self.0[member as usize] as usize];
            self.0[member as usize] = above;
            member = above;
        }
        member as usize
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[b] = a as u32;
    }
}

/// Least entries of ranges, in a binary tree over them.
struct Minima(Vec<u32>);

impl Minima {
    fn of(entries: Vec<u32>) -> Minima {
        let count = entries.len();
        let mut tree = vec![0; count];
        tree.extend(entries);
        for index in (1..count).rev() {
            tree[index] = tree[2 * index].min(tree[2 * index + 1]);
        }
        Minima(tree)
    }

    fn least(&self, from: usize, to: usize) -> u32 {
        let count = self.0.len() / 2;
        let (mut from, mut to, mut least) = (from + count, to + count, u32::MAX);
        while from < to {
            if from % 2 == 1 {
                least = least.min(self.0[from]);
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                least = least.min(self.0[to]);
            }
            (from, to) = (from / 2, to / 2);
        }
        least
    }
}
