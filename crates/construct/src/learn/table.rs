//! What a learner needs of a data set: for each input its rank in its column, and for each row its class.

use rayon::prelude::*;
use roundproof_format::Encoding;
use roundproof_network::Dataset;
use roundproof_softfloat::order_key;

/// Columns that one thread reads at a time, so that a row is not fetched anew for each.
const BLOCK: usize = 16;

/// Ranks and classes of a data set. Equal values have equal ranks, and ranks of a column are dense: 0, 1, 2, ...
pub(super) struct Table {
    /// Column after column, one rank for each row.
    ranks: Vec<u32>,
    /// Distinct values of each column.
    pub distinct: Vec<u32>,
    /// The class of each row. Classes are numbered in the order of their label vectors.
    pub classes: Vec<u32>,
    /// For each class its first row.
    pub examples: Vec<u32>,
}

impl Table {
    /// The ranks and classes of `data`, which has at least one and less than 2^32 rows.
    pub fn new(data: &Dataset) -> Table {
        let rows = data.rows();
        let mut ranks = vec![0; rows * data.dimension()];
        let distinct = ranks.par_chunks_mut(rows * BLOCK).enumerate().flat_map_iter(|(block, ranks)| {
            let columns: Vec<&mut [u32]> = ranks.chunks_mut(rows).collect();
            rank_block(data, block * BLOCK, columns)
        });
        let distinct = distinct.collect();
        let (classes, examples) = classes(data);
        Table { ranks, distinct, classes, examples }
    }

    pub fn rows(&self) -> usize {
        self.classes.len()
    }

    pub fn columns(&self) -> usize {
        self.distinct.len()
    }

    /// The ranks of a column, row by row.
    pub fn column(&self, column: usize) -> &[u32] {
        &self.ranks[column * self.rows()..][..self.rows()]
    }
}

/// The order key without its sign, so that differences do not overflow.
fn key(data: &Dataset, value: Encoding) -> u128 {
    unsigned(order_key(data.format(), value).expect("stored values are finite"))
}

/// Keeps the order.
pub(super) fn unsigned(key: i128) -> u128 {
    key as u128 ^ 1 << 127
}

/// Writes the ranks of consecutive columns from `first` on, and returns how many distinct values each has.
fn rank_block(data: &Dataset, first: usize, columns: Vec<&mut [u32]>) -> Vec<u32> {
    let rows = data.rows();
    let mut keys: Vec<Vec<u128>> = columns.iter().map(|_| Vec::with_capacity(rows)).collect();
    for row in 0..rows {
        for (offset, keys) in keys.iter_mut().enumerate() {
            keys.push(key(data, data.input(row, first + offset)));
        }
    }
    keys.into_iter().zip(columns).map(|(keys, ranks)| rank(&keys, ranks)).collect()
}

/// Writes the rank of each key, and returns how many distinct ones there are.
fn rank(keys: &[u128], ranks: &mut [u32]) -> u32 {
    let least = keys.iter().copied().min().unwrap_or(0);
    let widest = keys.iter().map(|key| key - least).max().unwrap_or(0);
    let row_bits = usize::BITS - keys.len().leading_zeros();
    if u128::BITS - widest.leading_zeros() + row_bits <= u64::BITS {
        // Key and row fit into one word: sorted much faster than pairs.
        let mask = (1u64 << row_bits) - 1;
        let words = keys.iter().enumerate();
        let mut words: Vec<u64> = words.map(|(row, key)| ((key - least) as u64) << row_bits | row as u64).collect();
        words.sort_unstable();
        number(words.iter().map(|word| (word >> row_bits, (word & mask) as usize)), ranks)
    } else {
        let mut pairs: Vec<(u128, usize)> = keys.iter().enumerate().map(|(row, &key)| (key, row)).collect();
        pairs.sort_unstable();
        number(pairs.into_iter(), ranks)
    }
}

fn number<K: PartialEq>(sorted: impl Iterator<Item = (K, usize)>, ranks: &mut [u32]) -> u32 {
    let (mut last, mut count) = (None, 0);
    for (key, row) in sorted {
        if last.as_ref() != Some(&key) {
            count += 1;
            last = Some(key);
        }
        ranks[row] = count - 1;
    }
    count
}

/// The class of each row, and the first row of each class.
fn classes(data: &Dataset) -> (Vec<u32>, Vec<u32>) {
    let labels = |row: u32| (0..data.outputs()).map(move |output| key(data, data.label(row as usize, output)));
    let mut rows: Vec<u32> = (0..data.rows() as u32).collect();
    rows.par_sort_by(|&a, &b| labels(a).cmp(labels(b)).then(a.cmp(&b)));
    let (mut classes, mut examples) = (vec![0; rows.len()], Vec::<u32>::new());
    for row in rows {
        if examples.last().is_none_or(|&example| labels(example).ne(labels(row))) {
            examples.push(row);
        }
        classes[row as usize] = examples.len() as u32 - 1;
    }
    (classes, examples)
}
