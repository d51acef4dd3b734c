//! The rows of a node, sorted by every column at once: the search for a split is one pass over each column, and a split
//! is one more, which keeps them sorted. Nothing is sorted twice.

use std::ops::Range;

use rayon::prelude::*;

use super::criterion::Weights;
use super::plan::Node;
use super::table::Table;

/// A rank and the number of a row in one word, ordered by rank.
pub(super) trait Entry: Copy + Default + Ord + Send + Sync {
    /// How many rows can be told apart.
    const ROWS: usize;

    fn new(rank: u32, row: u32) -> Self;
    fn rank(self) -> u32;
    fn row(self) -> usize;
}

/// For up to 2^16 rows.
impl Entry for u32 {
    const ROWS: usize = 1 << 16;

    fn new(rank: u32, row: u32) -> u32 {
        rank << 16 | row
    }
    fn rank(self) -> u32 {
        self >> 16
    }
    fn row(self) -> usize {
        (self & 0xffff) as usize
    }
}

/// For up to 2^32 rows.
impl Entry for u64 {
    const ROWS: usize = 1 << 32;

    fn new(rank: u32, row: u32) -> u64 {
        u64::from(rank) << 32 | u64::from(row)
    }
    fn rank(self) -> u32 {
        (self >> 32) as u32
    }
    fn row(self) -> usize {
        (self & 0xffff_ffff) as usize
    }
}

/// Sorted columns over some rows of a table; the rows are numbered anew from 0.
pub(super) struct Sheet<E> {
    /// Per column, the entries of all rows; none for a column that was left out.
    pub columns: Vec<Vec<E>>,
    /// The class of each row.
    pub classes: Vec<u32>,
}

/// The classes of the rows of a node, numbered anew, and how many rows each has.
#[derive(Default)]
pub(super) struct Census {
    /// For each row of the node, its class among those of the node; for other rows of the sheet, anything.
    pub class: Vec<u32>,
    /// Rows of each class of the node.
    pub counts: Vec<u32>,
    /// The numbers that these classes have in the sheet, ascending.
    pub names: Vec<u32>,
    sorted: Vec<(u32, u32)>,
}

impl Census {
    /// The node as a leaf, of the most frequent class, the smallest among those.
    pub fn leaf(&self) -> Node {
        let most = self.counts.iter().copied().max().unwrap_or(0);
        let first = self.counts.iter().position(|&count| count == most);
        let rows = self.counts.iter().sum::<u32>();
        Node::leaf(first.map_or(0, |class| self.names[class]), rows, rows - most)
    }

    /// The impurity of the node.
    pub fn impurity(&self, weights: &Weights) -> i64 {
        let rows = self.counts.iter().sum::<u32>();
        weights.at(rows) - self.counts.iter().map(|&count| weights.at(count)).sum::<i64>()
    }
}

/// Between two values of a column: where a node may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cut {
    /// What is wrong with it before its impurity counts: 0 unless a balanced split is asked for.
    pub penalty: u32,
    /// What its impurity is taken for: less where a cut can be shared.
    pub seeming: i64,
    /// By how many rows one side is larger.
    pub imbalance: u32,
    /// The column.
    pub column: u32,
    /// Rows on the lower side.
    pub lower: u32,
    /// The largest rank on the lower side.
    pub low: u32,
    /// The least rank on the upper side.
    pub high: u32,
    /// The impurity of both sides together.
    pub impurity: i64,
}

/// What splits are looked for.
pub(super) struct Wish<'a> {
    pub weights: &'a Weights,
    /// Least rows on a side.
    pub min_rows: u32,
    /// Whether a side with less than a quarter of the rows is to be avoided.
    pub balanced: bool,
    /// Per column, in order, ranks after which other nodes are cut; a cut that can be there is preferred.
    pub used: Option<&'a [Vec<u32>]>,
}

impl<E: Entry> Sheet<E> {
    /// The sheet of some rows of a table, which are at most [`Entry::ROWS`], with the columns of which `is_seen`.
    pub fn of_rows(table: &Table, rows: &[u32], is_seen: &(dyn Fn(usize) -> bool + Sync)) -> Sheet<E> {
        let sorted = |column| match is_seen(column) {
            true => sort_column(table.column(column), table.distinct[column], rows),
            false => Vec::new(),
        };
        let columns = if rows.len() * table.columns() > 1 << 22 {
            (0..table.columns()).into_par_iter().map(sorted).collect()
        } else {
            (0..table.columns()).map(sorted).collect()
        };
        let classes = rows.iter().map(|&row| table.classes[row as usize]).collect();
        Sheet { columns, classes }
    }

    /// The best cut of a column within a node that fills `range`, ties to balance, then to the lower rank; none if the
    /// rows agree in it or are too few. `left` is room for counts.
    pub fn scan(
        &self,
        column: usize,
        range: Range<usize>,
        census: &Census,
        wish: &Wish,
        left: &mut Vec<u32>,
    ) -> Option<Cut> {
        let entries = &self.columns[column][range];
        let (weights, rows) = (wish.weights, entries.len() as u32);
        let used = wish.used.map_or(&[][..], |used| &used[column]);
        let mut next_used = used.iter().copied().peekable();
        left.clear();
        left.resize(census.counts.len(), 0);
        let (mut lower_sum, mut upper_sum) = (0, census.counts.iter().map(|&count| weights.at(count)).sum::<i64>());
        let mut best: Option<Cut> = None;
        for (index, pair) in entries.windows(2).enumerate() {
            let class = census.class[pair[0].row()] as usize;
            let before = left[class];
            lower_sum += weights.step(before);
            upper_sum -= weights.step(census.counts[class] - before - 1);
            left[class] = before + 1;
            let (low, high) = (pair[0].rank(), pair[1].rank());
            let lower = index as u32 + 1;
            if low == high || lower < wish.min_rows || rows - lower < wish.min_rows {
                continue;
            }
            let impurity = weights.at(lower) - lower_sum + weights.at(rows - lower) - upper_sum;
            let mut seeming = impurity;
            if !used.is_empty() {
                while next_used.next_if(|&rank| rank < low).is_some() {}
                if next_used.peek().is_some_and(|&rank| rank < high) {
                    // Worth about a fifteenth.
                    seeming -= impurity >> 4;
                }
            }
            let imbalance = lower.abs_diff(rows - lower);
            let lopsided = wish.balanced && imbalance > rows / 2;
            let penalty = if lopsided { imbalance } else { 0 };
            let better =
                best.is_none_or(|best| (penalty, seeming, imbalance) < (best.penalty, best.seeming, best.imbalance));
            if better {
                best = Some(Cut { penalty, seeming, imbalance, column: column as u32, lower, low, high, impurity });
            }
        }
        best
    }

    /// Sorts the rows below and above a cut apart in one column, each side still in order. `is_lower` says of each row
    /// of the sheet where it belongs, and `upper` is room for a side.
    pub fn split(column: &mut [E], is_lower: &[bool], upper: &mut Vec<E>) {
        upper.clear();
        upper.resize(column.len(), E::new(0, 0));
        let mut lower = 0;
        for index in 0..column.len() {
            let entry = column[index];
            // Both are written, and only one is kept: which one cannot be predicted.
            column[lower] = entry;
            upper[index - lower] = entry;
            lower += usize::from(is_lower[entry.row()]);
        }
        let count = column.len() - lower;
        column[lower..].copy_from_slice(&upper[..count]);
    }

    /// A sheet of its own for the rows of a node, with only the given columns, of which there is at least one. `number`
    /// is room for a number for each row.
    pub fn extract(&self, columns: &[u32], range: Range<usize>, number: &mut Vec<u32>) -> Sheet<E> {
        number.resize(self.classes.len(), 0);
        let mut classes = Vec::with_capacity(range.len());
        for entry in &self.columns[columns[0] as usize][range.clone()] {
            number[entry.row()] = classes.len() as u32;
            classes.push(self.classes[entry.row()]);
        }
        let mut extracted: Vec<Vec<E>> = self.columns.iter().map(|_| Vec::new()).collect();
        for &column in columns {
            let entries = self.columns[column as usize][range.clone()].iter();
            extracted[column as usize] = entries.map(|entry| E::new(entry.rank(), number[entry.row()])).collect();
        }
        Sheet { columns: extracted, classes }
    }

    /// Whether the rows of a node agree in a column.
    pub fn is_constant(&self, column: usize, range: Range<usize>) -> bool {
        let entries = &self.columns[column][range];
        entries[0].rank() == entries[entries.len() - 1].rank()
    }

    /// Counts the classes of the rows of a node, which are found in any column that is kept in order.
    pub fn count(&self, column: usize, range: Range<usize>, census: &mut Census) {
        let entries = &self.columns[column][range];
        census.sorted.clear();
        census.sorted.extend(entries.iter().map(|entry| (self.classes[entry.row()], entry.row() as u32)));
        census.sorted.sort_unstable();
        census.class.resize(self.classes.len(), 0);
        census.names.clear();
        census.counts.clear();
        for &(class, row) in &census.sorted {
            if census.names.last() != Some(&class) {
                census.names.push(class);
                census.counts.push(0);
            }
            let last = census.counts.len() - 1;
            census.counts[last] += 1;
            census.class[row as usize] = last as u32;
        }
    }
}

/// The entries of some rows in a column, in order. The `index`-th of `rows` is row `index` of the sheet.
fn sort_column<E: Entry>(ranks: &[u32], distinct: u32, rows: &[u32]) -> Vec<E> {
    let entry = |(index, &row): (usize, &u32)| E::new(ranks[row as usize], index as u32);
    if distinct as usize > 2 * rows.len() {
        let mut entries: Vec<E> = rows.iter().enumerate().map(entry).collect();
        entries.sort_unstable();
        return entries;
    }
    let mut starts = vec![0u32; distinct as usize + 1];
    for &row in rows {
        starts[ranks[row as usize] as usize + 1] += 1;
    }
    for rank in 1..starts.len() {
        starts[rank] += starts[rank - 1];
    }
    let mut entries = vec![E::new(0, 0); rows.len()];
    for entry in rows.iter().enumerate().map(entry) {
        let place = &mut starts[entry.rank() as usize];
        entries[*place as usize] = entry;
        *place += 1;
    }
    entries
}
