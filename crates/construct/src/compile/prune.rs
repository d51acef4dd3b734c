//! Trees without what no input reaches, and without cuts between equal values.

use std::collections::BTreeMap;

use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_network::{Forest, Preorder, Tree, TreeNode, UNBOUNDED_EXPONENT_LIMIT};
use roundproof_softfloat::{Arithmetic, Unpacked, decode};

use super::sides::{Cut, Region, Sides, key_of};

/// A tree in preorder, as [`Tree`], that computes the same.
pub(super) struct Pruned {
    pub nodes: Vec<Node>,
    /// For each node, the first one after its subtree.
    pub ends: Vec<u32>,
    pub labels: Labels,
}

/// A node of a [`Pruned`] tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// How many terms a box takes that is the region of the node.
    pub terms: i64,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Where the input is cut, and where the upper side begins.
    Split { column: u32, cut: Cut, upper: u32 },
    /// Its label among the tree's.
    Leaf { label: u32 },
}

/// The distinct values of a tree's leaves, `k` numbers each, with one zero only. Number 0 is all zero.
pub(super) struct Labels {
    values: Vec<Encoding>,
    outputs: usize,
    numbers: BTreeMap<Vec<u128>, u32>,
}

impl Labels {
    fn new(format: Format, outputs: usize) -> Labels {
        let mut labels = Labels { values: Vec::new(), outputs, numbers: BTreeMap::new() };
        labels.number(vec![format.zero(); outputs]);
        labels
    }

    fn number(&mut self, values: Vec<Encoding>) -> u32 {
        let next = self.numbers.len() as u32;
        let bits = values.iter().map(|value| value.bits()).collect();
        let number = *self.numbers.entry(bits).or_insert(next);
        if number == next {
            self.values.extend(values);
        }
        number
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn outputs(&self) -> usize {
        self.outputs
    }

    pub fn values(&self, label: u32) -> &[Encoding] {
        &self.values[label as usize * self.outputs..][..self.outputs]
    }

    /// In how many outputs two labels differ.
    pub fn difference(&self, a: u32, b: u32) -> usize {
        self.values(a).iter().zip(self.values(b)).filter(|(a, b)| a != b).count()
    }
}

/// The forest's base, and its pruned trees. A base that a single tree can take up without rounding goes into its leaves.
pub(super) fn prune(forest: &Forest, sides: &Sides) -> (Vec<Encoding>, Vec<Pruned>) {
    let format = forest.format();
    let mut base: Vec<Encoding> = forest.base().iter().map(|value| one_zero(format, value)).collect();
    let mut into_leaves = vec![format.zero(); base.len()];
    if let [tree] = forest.trees() {
        for (output, value) in base.iter_mut().enumerate() {
            let leaves = (0..tree.leaves()).map(|leaf| tree.values.get(leaf * forest.outputs() + output));
            if leaves.into_iter().all(|leaf| exact_sum(format, leaf, *value).is_some()) {
                into_leaves[output] = std::mem::replace(value, format.zero());
            }
        }
    }
    let trees = forest.trees().iter().map(|tree| Pruner::new(tree, sides, &into_leaves).run());
    (base, trees.collect())
}

/// `a + b`, if it is a value that is stored as it is.
pub(super) fn exact_sum(format: Format, a: Encoding, b: Encoding) -> Option<Encoding> {
    let arithmetic = Arithmetic::new(format, Overflow::Saturate).expect("every format saturates");
    let sum = arithmetic.add(RoundingMode::TiesToEven, a, b);
    (sum.status == Status::NONE && is_stored(format, sum.encoding)).then(|| one_zero(format, sum.encoding))
}

/// Whether a network may hold the value: in `F(p)`, not if its exponent is too large.
fn is_stored(format: Format, value: Encoding) -> bool {
    match decode(format, value) {
        Unpacked::Finite { significand, exponent, .. } if !format.is_bounded() => {
            (exponent + i64::from(significand.ilog2())).abs() <= UNBOUNDED_EXPONENT_LIMIT
        }
        _ => true,
    }
}

/// The value, as +0 if it is a zero.
pub(super) fn one_zero(format: Format, value: Encoding) -> Encoding {
    if format.is_zero(value) { format.zero() } else { value }
}

struct Pruner<'a> {
    tree: &'a Tree,
    preorder: Preorder,
    format: Format,
    into_leaves: &'a [Encoding],
    region: Region<'a>,
    pruned: Pruned,
    tasks: Vec<Task>,
}

enum Task {
    /// A node of the tree, whose region is the current one.
    Node(u32),
    /// The lower or upper side of a split of the tree; of an upper one, with the place of the pruned split.
    Side { child: u32, column: u32, cut: Cut, upper: Option<u32> },
    /// After a side.
    Restore { column: u32, upper: bool, before: Option<Cut> },
    /// After both sides of the split at this place.
    Close(u32),
}

impl<'a> Pruner<'a> {
    fn new(tree: &'a Tree, sides: &'a Sides, into_leaves: &'a [Encoding]) -> Pruner<'a> {
        let labels = Labels::new(sides.format, into_leaves.len());
        Pruner {
            tree,
            preorder: tree.preorder(),
            format: sides.format,
            into_leaves,
            region: Region::everything(sides),
            pruned: Pruned { nodes: Vec::new(), ends: Vec::new(), labels },
            tasks: vec![Task::Node(0)],
        }
    }

    fn run(mut self) -> Pruned {
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Node(node) => self.node(node),
                Task::Side { child, column, cut, upper } => {
                    let next = self.pruned.nodes.len() as u32;
                    if let Some(place) = upper
                        && let Kind::Split { upper, .. } = &mut self.pruned.nodes[place as usize].kind
                    {
                        *upper = next;
                    }
                    // The upper side lies above the cut, which bounds it from below.
                    let bound = upper.is_none();
                    let before = self.region.replace(column, bound, Some(cut));
                    self.tasks.push(Task::Restore { column, upper: bound, before });
                    self.tasks.push(Task::Node(child));
                }
                Task::Restore { column, upper, before } => {
                    self.region.replace(column, upper, before);
                }
                Task::Close(place) => self.close(place as usize),
            }
        }
        self.pruned.ends = ends(&self.pruned.nodes);
        self.pruned
    }

    fn node(&mut self, node: u32) {
        let terms = self.region.terms();
        let link = self.preorder.link(node as usize) as u32;
        let TreeNode::Split { column, threshold } = self.tree.nodes[node as usize] else {
            let label = self.label(link as usize);
            self.pruned.nodes.push(Node { terms, kind: Kind::Leaf { label } });
            return;
        };
        let key = key_of(self.format, threshold);
        let last = self.format.largest(false).map_or(i128::MAX, |largest| key_of(self.format, largest));
        let [least, most] = self.region.bounds(column).map(|cut| cut.map(|cut| cut.key));
        if least.is_some_and(|least| key <= least) {
            self.tasks.push(Task::Node(link));
        } else if key >= most.unwrap_or(last) {
            self.tasks.push(Task::Node(node + 1));
        } else {
            let place = self.pruned.nodes.len() as u32;
            let cut = Cut { key, node };
            self.pruned.nodes.push(Node { terms, kind: Kind::Split { column, cut, upper: 0 } });
            self.tasks.push(Task::Close(place));
            self.tasks.push(Task::Side { child: link, column, cut, upper: Some(place) });
            self.tasks.push(Task::Side { child: node + 1, column, cut, upper: None });
        }
    }

    fn label(&mut self, leaf: usize) -> u32 {
        let outputs = self.into_leaves.len();
        let values = self.into_leaves.iter().enumerate().map(|(output, &base)| {
            let value = self.tree.values.get(leaf * outputs + output);
            exact_sum(self.format, value, base).expect("exact for every leaf, or zero is added")
        });
        self.pruned.labels.number(values.collect())
    }

    /// A split between two leaves of one label is that leaf.
    fn close(&mut self, place: usize) {
        if let [Node { terms, .. }, lower, upper] = self.pruned.nodes[place..]
            && lower.kind == upper.kind
        {
            self.pruned.nodes.truncate(place);
            self.pruned.nodes.push(Node { terms, kind: lower.kind });
        }
    }
}

fn ends(nodes: &[Node]) -> Vec<u32> {
    let mut ends = vec![0; nodes.len()];
    for (index, node) in nodes.iter().enumerate().rev() {
        ends[index] = match node.kind {
            Kind::Leaf { .. } => index as u32 + 1,
            Kind::Split { upper, .. } => ends[upper as usize],
        };
    }
    ends
}

/// The region of each node of a pruned tree, one after the other.
pub(super) struct Descent<'a> {
    tree: &'a Pruned,
    pub region: Region<'a>,
    /// What changes at a later node, the next on top.
    later: Vec<(u32, Change)>,
}

enum Change {
    /// From the lower to the upper side of the split.
    Upper { split: u32, before: Option<Cut> },
    /// Out of the upper side.
    Leave { column: u32, before: Option<Cut> },
}

impl<'a> Descent<'a> {
    pub fn new(tree: &'a Pruned, sides: &'a Sides) -> Descent<'a> {
        Descent { tree, region: Region::everything(sides), later: Vec::new() }
    }

    /// Makes `region` that of a node. To be called for each node in order.
    pub fn enter(&mut self, index: u32) {
        if let Some(split) = index.checked_sub(1)
            && let Kind::Split { column, cut, upper } = self.tree.nodes[split as usize].kind
        {
            let before = self.region.replace(column, true, Some(cut));
            self.later.push((upper, Change::Upper { split, before }));
        }
        while let Some((_, change)) = self.later.pop_if(|(at, _)| *at == index) {
            match change {
                Change::Upper { split, before } => {
                    let Kind::Split { column, cut, .. } = self.tree.nodes[split as usize].kind else { continue };
                    self.region.replace(column, true, before);
                    let before = self.region.replace(column, false, Some(cut));
                    self.later.push((self.tree.ends[split as usize], Change::Leave { column, before }));
                    break;
                }
                Change::Leave { column, before } => {
                    self.region.replace(column, false, before);
                }
            }
        }
    }
}
