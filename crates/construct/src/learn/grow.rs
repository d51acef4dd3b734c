//! Growing a tree from the root down.
//!
//! Large nodes are split one after the other, their columns in parallel; small ones become tasks of their own, which
//! run in parallel. What is chosen depends on neither.
//!
//! A path on which splits take little off is stopped from becoming as long as there are rows: from some depth on the
//! splits have to be balanced where there is such a split. So a node at depth `24 + 2 log2(n / m)` or above has splits of
//! any kind, and the work is `O(n d log n)` but for data in which every column has almost all rows at one value.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::criterion::Weights;
use super::plan::{Node, link};
use super::sheet::{Census, Cut, Entry, Sheet, Wish};

/// Rows from which on a node is split by all threads together.
const LARGE: usize = 2048;
/// How deep a node may be, beyond twice the least depth for its size, before its split has to be balanced.
const SLACK: u32 = 24;

/// How splits are chosen.
pub(super) struct Style<'a> {
    /// The impurity.
    pub weights: &'a Weights,
    /// Least rows in a leaf, at least 1.
    pub min_rows: u32,
    /// Rows of the whole data set.
    pub total: usize,
    /// Per column, in order, the ranks after which other nodes are cut.
    pub used: Option<&'a [Vec<u32>]>,
    /// Chance, and how much of it.
    pub chance: Option<Chance>,
}

/// Randomness in the choice of splits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    /// Decides everything.
    pub seed: u64,
    /// By how many 1024ths an impurity may seem larger than it is.
    pub noise: u32,
    /// The share of columns that are looked at, in 1024ths.
    pub columns: u32,
}

impl Chance {
    /// A number that is fixed by the seed, the place of a node and a column (SplitMix64's finalizer, twice).
    fn draw(self, node: &Pending, column: u32) -> u64 {
        let mix = |mut z: u64| {
            z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ z >> 31
        };
        mix(mix(self.seed ^ (node.place as u64) << 32 ^ node.range.len() as u64) ^ u64::from(column))
    }
}

impl Chance {
    /// By how many 1024ths the impurity of a column's best cut seems larger.
    fn noise_at(self, node: &Pending, column: u32) -> u64 {
        ((self.draw(node, column) & 0xffff_ffff) * u64::from(self.noise)) >> 32
    }
}

/// A node that is still to be grown.
struct Pending {
    /// Where its rows stand in the sheet's columns.
    range: Range<usize>,
    /// Where they would stand in the sheet of the whole tree.
    place: usize,
    depth: u32,
    /// The columns in which its rows may differ.
    columns: Arc<[u32]>,
}

/// Room that is used again and again.
#[derive(Default)]
struct Scratch<E> {
    census: Census,
    left: Vec<u32>,
    is_lower: Vec<bool>,
    upper: Vec<E>,
    number: Vec<u32>,
}

/// A tree for the rows of `sheet`, in preorder, its root at `depth` of a larger one. `done` is told of rows in leaves.
pub(super) fn grow<E: Entry>(
    sheet: &mut Sheet<E>,
    depth: u32,
    style: &Style,
    done: &mut dyn FnMut(usize),
) -> Vec<Node> {
    // A column that was left out has no entries.
    let columns =
        (0..sheet.columns.len() as u32).filter(|&column| !sheet.columns[column as usize].is_empty()).collect();
    let root = Pending { range: 0..sheet.classes.len(), place: 0, depth, columns };
    let (top, tasks) = grow_top(sheet, root, style, done);
    let mut grown = Vec::with_capacity(tasks.len());
    let mut waiting = &tasks[..];
    let batch = (sheet.classes.len() / 8).max(LARGE);
    while !waiting.is_empty() {
        let mut rows = 0;
        let fits = |task: &&(usize, Pending)| {
            let before = rows;
            rows += task.1.range.len();
            before < batch
        };
        let count = waiting.iter().take_while(fits).count();
        let (now, later) = waiting.split_at(count);
        let one = |scratch: &mut Scratch<E>, task: &(usize, Pending)| grow_task(sheet, &task.1, style, scratch);
        let trees: Vec<Vec<Node>> = if sheet.classes.len() >= LARGE {
            now.par_iter().with_max_len(1).map_init(Scratch::default, one).collect()
        } else {
            let mut scratch = Scratch::default();
            now.iter().map(|task| one(&mut scratch, task)).collect()
        };
        grown.extend(trees);
        done(now.iter().map(|task| task.1.range.len()).sum());
        waiting = later;
    }
    let mut nodes = Vec::new();
    let mut tasks = tasks.iter().zip(&grown).peekable();
    for (index, &node) in top.iter().enumerate() {
        match tasks.next_if(|((place, _), _)| *place == index) {
            Some((_, tree)) => nodes.extend_from_slice(tree),
            None => nodes.push(node),
        }
    }
    link(&mut nodes);
    nodes
}

/// The part of a tree above its tasks, each of which stands there as a leaf.
fn grow_top<E: Entry>(
    sheet: &mut Sheet<E>,
    root: Pending,
    style: &Style,
    done: &mut dyn FnMut(usize),
) -> (Vec<Node>, Vec<(usize, Pending)>) {
    let (mut nodes, mut tasks, mut scratch) = (Vec::new(), Vec::new(), Scratch::default());
    let mut stack = vec![root];
    while let Some(pending) = stack.pop() {
        if pending.range.len() < LARGE {
            nodes.push(Node::leaf(0, 0, 0));
            tasks.push((nodes.len() - 1, pending));
            continue;
        }
        let rows = pending.range.len();
        let (node, children) = step(sheet, pending, style, &mut scratch, true);
        nodes.push(node);
        match children {
            Some([lower, upper]) => stack.extend([upper, lower]),
            None => done(rows),
        }
    }
    (nodes, tasks)
}

/// The tree of a small node. A node without columns is a leaf whatever it holds, so there is always one.
fn grow_task<E: Entry>(sheet: &Sheet<E>, task: &Pending, style: &Style, scratch: &mut Scratch<E>) -> Vec<Node> {
    let mut own = sheet.extract(&task.columns, task.range.clone(), &mut scratch.number);
    let root =
        Pending { range: 0..task.range.len(), place: task.place, depth: task.depth, columns: task.columns.clone() };
    let (mut nodes, mut stack) = (Vec::new(), vec![root]);
    while let Some(pending) = stack.pop() {
        let (node, children) = step(&mut own, pending, style, scratch, false);
        nodes.push(node);
        if let Some([lower, upper]) = children {
            stack.extend([upper, lower]);
        }
    }
    nodes
}

/// Makes a node of what is pending: a leaf, or a split and what is pending on its two sides.
fn step<E: Entry>(
    sheet: &mut Sheet<E>,
    pending: Pending,
    style: &Style,
    scratch: &mut Scratch<E>,
    parallel: bool,
) -> (Node, Option<[Pending; 2]>) {
    let rows = pending.range.len() as u32;
    sheet.count(pending.columns[0] as usize, pending.range.clone(), &mut scratch.census);
    let mut node = scratch.census.leaf();
    if scratch.census.counts.len() < 2 || rows / 2 < style.min_rows {
        return (node, None);
    }
    let differs = |&column: &u32| !sheet.is_constant(column as usize, pending.range.clone());
    let columns: Arc<[u32]> = if pending.columns.iter().all(differs) {
        pending.columns.clone()
    } else {
        pending.columns.iter().copied().filter(differs).collect()
    };
    let Some(cut) = choose(sheet, &pending, &columns, style, scratch, parallel) else {
        return (node, None);
    };
    node.column = cut.column;
    (node.low, node.high) = (cut.low, cut.high);
    node.gain = scratch.census.impurity(style.weights) - cut.impurity;
    divide(sheet, &pending, &columns, &cut, scratch, parallel);
    let middle = cut.lower as usize;
    let depth = pending.depth + 1;
    let side = |range: Range<usize>, place| Pending { range, place, depth, columns: columns.clone() };
    let Range { start, end } = pending.range;
    let lower = side(start..start + middle, pending.place);
    let upper = side(start + middle..end, pending.place + middle);
    (node, Some([lower, upper]))
}

/// The best cut over some columns.
fn choose<E: Entry>(
    sheet: &Sheet<E>,
    pending: &Pending,
    columns: &[u32],
    style: &Style,
    scratch: &mut Scratch<E>,
    parallel: bool,
) -> Option<Cut> {
    let rows = pending.range.len();
    let balanced = pending.depth > SLACK + 2 * (style.total / rows).checked_ilog2().unwrap_or(0);
    let wish = Wish { weights: style.weights, min_rows: style.min_rows, balanced, used: style.used };
    let census = &scratch.census;
    let scan = |left: &mut Vec<u32>, &column: &u32| {
        let mut cut = sheet.scan(column as usize, pending.range.clone(), census, &wish, left)?;
        if let Some(chance) = style.chance {
            let draw = chance.noise_at(pending, column);
            cut.seeming = ((i128::from(cut.seeming) * i128::from(1024 + draw)) >> 10) as i64;
        }
        Some(cut)
    };
    if parallel {
        return columns.par_iter().map_init(Vec::new, scan).flatten().min();
    }
    let is_seen = |column: &&u32| {
        style.chance.is_none_or(|chance| chance.draw(pending, **column) >> 32 & 1023 < u64::from(chance.columns))
    };
    let left = &mut scratch.left;
    let best = columns.iter().filter(is_seen).filter_map(|column| scan(left, column)).min();
    // All columns, if none of those that were looked at has a cut.
    best.or_else(|| style.chance.and_then(|_| columns.iter().filter_map(|column| scan(left, column)).min()))
}

/// Sorts the rows of a node apart in every column that its sides need.
fn divide<E: Entry>(
    sheet: &mut Sheet<E>,
    pending: &Pending,
    columns: &[u32],
    cut: &Cut,
    scratch: &mut Scratch<E>,
    parallel: bool,
) {
    let Scratch { is_lower, upper, .. } = scratch;
    is_lower.resize(sheet.classes.len(), false);
    for (index, entry) in sheet.columns[cut.column as usize][pending.range.clone()].iter().enumerate() {
        is_lower[entry.row()] = index < cut.lower as usize;
    }
    let range = pending.range.clone();
    if !parallel {
        for &column in columns.iter().filter(|&&column| column != cut.column) {
            Sheet::split(&mut sheet.columns[column as usize][range.clone()], is_lower, upper);
        }
        return;
    }
    let mut next = columns.iter().copied().filter(|&column| column != cut.column).peekable();
    let all = sheet.columns.iter_mut().enumerate();
    let needed: Vec<&mut Vec<E>> =
        all.filter_map(|(index, column)| next.next_if_eq(&(index as u32)).map(|_| column)).collect();
    let is_lower = &is_lower[..];
    needed
        .into_par_iter()
        .for_each_init(Vec::new, |upper, column| Sheet::split(&mut column[range.clone()], is_lower, upper));
}
