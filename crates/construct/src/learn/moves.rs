//! The changes that the search makes to a tree: another subtree for the rows that come to a node.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::Learner;
use super::criterion::Weights;
use super::grow::{Chance, Style};
use super::plan::{Node, cuts, end_of, errors};

/// Cells of the largest subtree that is changed, unless all have more.
const LARGEST: usize = 1 << 22;

/// A number below `bound`.
pub(super) fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    ((u128::from(random.next_u64()) * bound as u128) >> 64) as usize
}

/// How much chance there is in the growth of a tree.
pub(super) fn chance(random: &mut ChaCha8Rng) -> Chance {
    let noise = [0, 32, 128, 512][below(random, 4)];
    let columns = [1024, 1024, 1024, 512][below(random, 4)];
    Chance { seed: random.next_u64(), noise, columns }
}

/// A subtree, and the rows that come to it.
pub(super) struct Site {
    /// Its first node.
    pub start: usize,
    /// The node after its last one.
    pub end: usize,
    depth: u32,
    rows: Vec<u32>,
}

impl Site {
    /// A split, with the splits above it: most often any, else one on the way to any. None if the tree is a leaf.
    pub fn choose(nodes: &[Node], learner: &Learner, random: &mut ChaCha8Rng) -> Option<Site> {
        if nodes[0].is_leaf() {
            return None;
        }
        let is_small = |index: usize| nodes[index].rows as usize * learner.table.columns() <= LARGEST;
        let mut start = loop {
            let index = below(random, nodes.len());
            if !nodes[index].is_leaf() {
                break index;
            }
        };
        let mut path = path_to(nodes, start);
        if below(random, 8) == 0 {
            path.truncate(1 + below(random, path.len()));
            start = path[path.len() - 1];
        }
        // A split close to the leaves has few rows.
        while !is_small(start) && !nodes[start + 1].is_leaf() {
            start += 1;
            path.push(start);
        }
        let mut rows: Vec<u32> = (0..learner.table.rows() as u32).collect();
        for pair in path.windows(2) {
            let node = &nodes[pair[0]];
            let ranks = learner.table.column(node.column as usize);
            let is_lower = pair[1] == pair[0] + 1;
            rows.retain(|&row| (ranks[row as usize] <= node.low) == is_lower);
        }
        Some(Site { start, end: end_of(nodes, start), depth: path.len() as u32 - 1, rows })
    }

    /// Another subtree for the same rows.
    pub fn change(&self, nodes: &[Node], learner: &Learner, weights: &[Weights], random: &mut ChaCha8Rng) -> Vec<Node> {
        let used = if below(random, 4) == 0 { None } else { Some(self.used(nodes, learner)) };
        let weights = &weights[below(random, weights.len())];
        let (total, chance) = (learner.table.rows(), Some(chance(random)));
        let style = Style { weights, min_rows: 1, total, used: used.as_deref(), chance };
        let maker = Maker { nodes, learner, style, seen: self.seen(nodes, learner, random) };
        let (lower, upper) = (self.start + 1, self.start + nodes[self.start].skip as usize);
        let template = match below(random, 12) {
            0..4 => return maker.grow(&self.rows, self.depth),
            // One side for all rows.
            4..6 => [lower, upper][below(random, 2)],
            // A subtree from elsewhere.
            6..8 => below(random, nodes.len()),
            // Another first split.
            kind => {
                let Some((split, sides)) = self.split(nodes, learner, random) else {
                    return maker.grow(&self.rows, self.depth);
                };
                let templates = if kind < 10 { [lower, upper] } else { [self.start; 2] };
                let mut tree = vec![split];
                for (rows, template) in sides.into_iter().zip(templates) {
                    tree.extend(maker.refit(template, rows, self.depth + 1, random));
                }
                return tree;
            }
        };
        maker.refit(template, self.rows.clone(), self.depth, random)
    }

    /// Columns that are looked at: all, or those that the subtree has and some others, which is faster.
    fn seen(&self, nodes: &[Node], learner: &Learner, random: &mut ChaCha8Rng) -> Vec<bool> {
        let others = [1, 4, 4, 16][below(random, 4)];
        let mut seen: Vec<bool> = (0..learner.table.columns()).map(|_| below(random, others) == 0).collect();
        for node in nodes[self.start..self.end].iter().filter(|node| !node.is_leaf()) {
            seen[node.column as usize] = true;
        }
        seen
    }

    /// Where the columns are cut in the rest of the tree.
    fn used(&self, nodes: &[Node], learner: &Learner) -> Vec<Vec<u32>> {
        let rest: Vec<Node> = [&nodes[..self.start], &nodes[self.end..]].concat();
        let mut used = vec![Vec::new(); learner.table.columns()];
        for (column, cuts) in cuts(&rest) {
            used[column as usize] = cuts;
        }
        used
    }

    /// A split at a cut by chance: next to that of the subtree, or where the rest of the tree, or any row, has one.
    fn split(&self, nodes: &[Node], learner: &Learner, random: &mut ChaCha8Rng) -> Option<(Node, [Vec<u32>; 2])> {
        let (column, cut) = match below(random, 3) {
            0 => {
                let row = self.rows[below(random, self.rows.len())];
                let column = nodes[self.start].column;
                (column, learner.table.column(column as usize)[row as usize])
            }
            1 => {
                let row = self.rows[below(random, self.rows.len())];
                let column = below(random, learner.table.columns());
                (column as u32, learner.table.column(column)[row as usize])
            }
            _ => {
                let node = &nodes[below(random, nodes.len())];
                if node.is_leaf() {
                    return None;
                }
                (node.column, node.low)
            }
        };
        divide(learner, &self.rows, column, cut)
    }
}

/// The splits from the root to a node, itself at the end.
fn path_to(nodes: &[Node], index: usize) -> Vec<usize> {
    let (mut path, mut at) = (vec![0], 0);
    while at != index {
        let upper = at + nodes[at].skip as usize;
        at = if index < upper { at + 1 } else { upper };
        path.push(at);
    }
    path
}

/// A split of some rows after a rank, and its two sides; none if one is empty.
fn divide(learner: &Learner, rows: &[u32], column: u32, cut: u32) -> Option<(Node, [Vec<u32>; 2])> {
    let ranks = learner.table.column(column as usize);
    let rank = |row: &u32| ranks[*row as usize];
    let (lower, upper): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| rank(row) <= cut);
    let (low, high) = (lower.iter().map(rank).max()?, upper.iter().map(rank).min()?);
    Some((Node { column, low, high, ..Node::leaf(0, rows.len() as u32, 0) }, [lower, upper]))
}

/// How subtrees are made in one change.
struct Maker<'a> {
    nodes: &'a [Node],
    learner: &'a Learner<'a>,
    style: Style<'a>,
    /// For each column, whether it is looked at.
    seen: Vec<bool>,
}

impl Maker<'_> {
    /// A tree for some rows by some columns, or by all if those do not separate the classes.
    fn grow(&self, rows: &[u32], depth: u32) -> Vec<Node> {
        let tree = self.learner.grow(rows, depth, &self.style, &|column| self.seen[column], &mut |_| ());
        if errors(&tree) == 0 {
            return tree;
        }
        self.learner.grow(rows, depth, &self.style, &|_| true, &mut |_| ())
    }

    /// The subtree at `index` for other rows: splits that separate nothing are left out, and where rows of several
    /// classes come to a leaf, it grows.
    fn refit(&self, index: usize, rows: Vec<u32>, depth: u32, random: &mut ChaCha8Rng) -> Vec<Node> {
        let mut tree = Vec::new();
        let mut stack = vec![(index, rows, depth)];
        while let Some((index, rows, depth)) = stack.pop() {
            let (node, table) = (&self.nodes[index], &self.learner.table);
            let class = table.classes[rows[0] as usize];
            if rows.iter().all(|&row| table.classes[row as usize] == class) {
                tree.push(Node::leaf(class, rows.len() as u32, 0));
                continue;
            }
            if node.is_leaf() {
                tree.extend(self.grow(&rows, depth));
                continue;
            }
            let cut = node.low + below(random, (node.high - node.low) as usize) as u32;
            let (lower, upper) = (index + 1, index + node.skip as usize);
            if let Some((split, [under, over])) = divide(self.learner, &rows, node.column, cut) {
                tree.push(split);
                stack.extend([(upper, over, depth + 1), (lower, under, depth + 1)]);
            } else {
                let is_lower = table.column(node.column as usize)[rows[0] as usize] <= cut;
                stack.push((if is_lower { lower } else { upper }, rows, depth));
            }
        }
        tree
    }
}
