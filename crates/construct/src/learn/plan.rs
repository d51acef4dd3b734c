//! Trees while they are worked on: splits are gaps between ranks, and where in the gap is decided last.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use roundproof_format::Encoding;
use roundproof_network::{Dataset, Encodings, Forest, Tree, TreeNode, is_admitted};
use roundproof_softfloat::{from_order_key, order_key};

use super::table::{Table, unsigned};

/// The column of a leaf.
const NONE: u32 = u32::MAX;

/// A node of a tree in preorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// The column that is compared.
    pub column: u32,
    /// The largest rank among the rows of the lower side.
    pub low: u32,
    /// The least rank among the rows of the upper side.
    pub high: u32,
    /// Nodes from here to the upper side.
    pub skip: u32,
    /// The most frequent class of the rows.
    pub class: u32,
    /// How many rows there are.
    pub rows: u32,
    /// How many of them have another class.
    pub errors: u32,
    /// By how much the split makes the impurity less.
    pub gain: i64,
}

impl Node {
    pub fn leaf(class: u32, rows: u32, errors: u32) -> Node {
        Node { column: NONE, low: 0, high: 0, skip: 0, class, rows, errors, gain: 0 }
    }

    pub fn is_leaf(&self) -> bool {
        self.column == NONE
    }
}

/// Sets where the upper sides begin.
pub(super) fn link(nodes: &mut [Node]) {
    let mut open = Vec::new();
    for index in 0..nodes.len() {
        if !nodes[index].is_leaf() {
            open.push(index);
        } else if let Some(split) = open.pop() {
            nodes[split].skip = (index + 1 - split) as u32;
        }
    }
}

/// Rows whose leaf has another class.
pub(super) fn errors(nodes: &[Node]) -> u64 {
    nodes.iter().filter(|node| node.is_leaf()).map(|node| u64::from(node.errors)).sum()
}

/// Where the subtree at `index` ends.
pub(super) fn end_of(nodes: &[Node], index: usize) -> usize {
    let (mut open, mut end) = (1, index);
    while open > 0 {
        open = if nodes[end].is_leaf() { open - 1 } else { open + 1 };
        end += 1;
    }
    end
}

/// The tree with at most `max_leaves` leaves (at least one) that grows by the split with the greatest gain, again and
/// again; of equal gains the first in preorder comes first. What a split is does not depend on when it is made, so it is
/// the top of the tree that was grown without a limit.
pub(super) fn best_first(nodes: &[Node], max_leaves: usize) -> Vec<Node> {
    let mut kept = vec![false; nodes.len()];
    let mut heap = BinaryHeap::new();
    let offer = |heap: &mut BinaryHeap<_>, index: usize| {
        if !nodes[index].is_leaf() {
            heap.push((nodes[index].gain, Reverse(index)));
        }
    };
    offer(&mut heap, 0);
    for _ in 1..max_leaves {
        let Some((_, Reverse(index))) = heap.pop() else { break };
        kept[index] = true;
        offer(&mut heap, index + 1);
        offer(&mut heap, index + nodes[index].skip as usize);
    }
    let (mut top, mut stack) = (Vec::new(), vec![0]);
    while let Some(index) = stack.pop() {
        if kept[index] {
            top.push(nodes[index]);
            stack.extend([index + nodes[index].skip as usize, index + 1]);
        } else {
            let Node { class, rows, errors, .. } = nodes[index];
            top.push(Node::leaf(class, rows, errors));
        }
    }
    link(&mut top);
    top
}

/// For each column that is compared, in order, as few ranks as possible such that every gap of the tree has one in
/// `low <= rank < high`: each as far to the right as the first gap that lacks one allows.
pub(super) fn cuts(nodes: &[Node]) -> BTreeMap<u32, Vec<u32>> {
    let splits = nodes.iter().filter(|node| !node.is_leaf());
    let mut gaps: Vec<(u32, u32, u32)> = splits.map(|node| (node.column, node.high, node.low)).collect();
    gaps.sort_unstable();
    let mut cuts = BTreeMap::<u32, Vec<u32>>::new();
    for (column, high, low) in gaps {
        let chosen = cuts.entry(column).or_default();
        if chosen.last().is_none_or(|&last| last < low) {
            chosen.push(high - 1);
        }
    }
    cuts
}

/// The forest of one tree that splits at values in the gaps.
pub(super) fn forest(data: &Dataset, table: &Table, nodes: &[Node]) -> Forest {
    let format = data.format();
    let cuts = cuts(nodes);
    let thresholds: BTreeMap<u32, Vec<Encoding>> =
        cuts.iter().map(|(&column, cuts)| (column, thresholds(data, table, column, cuts))).collect();
    let mut values = Encodings::new(format);
    let mut tree = Vec::with_capacity(nodes.len());
    for node in nodes {
        if node.is_leaf() {
            let example = table.examples[node.class as usize] as usize;
            values.extend((0..data.outputs()).map(|output| data.label(example, output)));
            tree.push(TreeNode::Leaf);
        } else {
            let place = cuts[&node.column].partition_point(|&cut| cut < node.low);
            tree.push(TreeNode::Split { column: node.column, threshold: thresholds[&node.column][place] });
        }
    }
    let base = Encodings::collect(format, std::iter::repeat_n(format.zero(), data.outputs()));
    Forest::new(format, data.dimension(), base, vec![Tree { nodes: tree, values }])
        .expect("a tree in preorder over values of the data set and values between them")
}

/// For each rank after which a column is cut the value in the middle between this one and the next, counted in values
/// of the format. In `F(p)`, where most of the values between two are tiny, it is the lower one; but after zero, which has
/// no neighbour there, the value before the next one.
fn thresholds(data: &Dataset, table: &Table, column: u32, cuts: &[u32]) -> Vec<Encoding> {
    let format = data.format();
    let mut rows = BTreeMap::new();
    for &cut in cuts {
        rows.extend([(cut, None), (cut + 1, None)]);
    }
    for (row, rank) in table.column(column as usize).iter().enumerate() {
        if let Some(found @ None) = rows.get_mut(rank) {
            *found = Some(row);
        }
    }
    let value = |rank| {
        let row = rows[&rank].expect("a rank next to a cut is that of a row");
        data.input(row, column as usize)
    };
    let between = |cut: u32| {
        let (lower, upper) = (value(cut), value(cut + 1));
        if !format.is_bounded() {
            let before = order_key(format, upper).and_then(|key| from_order_key(format, key - 1));
            return before.filter(|&value| format.is_zero(lower) && is_admitted(format, value)).unwrap_or(lower);
        }
        let key = |value| unsigned(order_key(format, value).expect("stored values are finite"));
        let middle = unsigned(key(lower).midpoint(key(upper)) as i128) as i128;
        from_order_key(format, middle).expect("between two values there are only values")
    };
    cuts.iter().map(|&cut| between(cut)).collect()
}
