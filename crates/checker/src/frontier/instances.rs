//! Data sets: the hardest of a format, and small ones on which a construction that is wrong shows it.

use std::collections::BTreeSet;

use roundproof_format::{Encoding, Format};
use roundproof_network::{Dataset, Encodings};
use roundproof_softfloat::{from_order_key, negate, order_key, power_of_two};

use crate::random::SplitMix;

/// Where labels are drawn from.
const SEED: u64 = 1;

/// A data set of a format.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    /// What its rows are.
    pub name: &'static str,
    pub data: Dataset,
}

/// The order key of the largest value.
pub(super) fn last_key(format: Format) -> i128 {
    format.largest(false).and_then(|largest| order_key(format, largest)).unwrap_or_default()
}

/// The keys of all finite values.
pub(super) fn every_key(format: Format) -> Vec<i128> {
    let last = last_key(format);
    (-last..=last).collect()
}

/// The keys around the edges of each binade, subnormal ones too: each power of two with its two neighbours, in either
/// sign; zero with its neighbours, and the ends of the format.
pub(super) fn edge_keys(format: Format) -> Vec<i128> {
    let last = last_key(format);
    let (emin, emax) = (i64::from(format.emin().unwrap_or(0)), i64::from(format.emax().unwrap_or(0)));
    let mut keys = BTreeSet::from([-1, 0, 1, last - 1, last, 1 - last, -last]);
    for exponent in emin - i64::from(format.trailing_bits())..=emax {
        let key = power_of_two(format, exponent).and_then(|power| order_key(format, power));
        keys.extend(key.into_iter().flat_map(|key| [key - 1, key, key + 1]).flat_map(|key| [-key, key]));
    }
    keys.into_iter().filter(|key| key.abs() <= last).collect()
}

/// Rows of a data set with several inputs; fewer, if these are many.
const fn few_rows(dimension: usize) -> usize {
    if dimension < 64 { 4 } else { 2 }
}

/// As many of these keys as a few rows take, the first and the last among them.
pub(super) fn thinned(keys: &[i128], dimension: usize) -> Vec<i128> {
    let (most, wanted) = (keys.len() - 1, few_rows(dimension) * dimension - 1);
    if most <= wanted {
        return keys.to_vec();
    }
    (0..=wanted).map(|index| keys[index * most / wanted]).collect()
}

/// Rows over these values, of which no two neighbours have one label. With one input there is a row for each value, and
/// one more for -0 if `zeros` says so. With more, the values go on from input to input and from row to row.
pub(super) fn over(format: Format, keys: &[i128], dimension: usize, zeros: bool) -> Option<Dataset> {
    let last = last_key(format);
    let mut random = SplitMix(SEED);
    let (mut inputs, mut labels) = (Encodings::new(format), Encodings::new(format));
    let rows = if dimension == 1 { keys.len() } else { keys.len().div_ceil(dimension).clamp(2, few_rows(dimension)) };
    let mut before = None;
    for row in 0..rows {
        let start = row * dimension + if dimension < keys.len() { 0 } else { row };
        let mut label = random.below(2 * last as u64 + 1) as i128 - last;
        if before == Some(label) {
            label = if label == last { -last } else { label + 1 };
        }
        before = Some(label);
        let key = keys[start % keys.len()];
        if let Some(zero) = format.negative_zero().filter(|_| zeros && dimension == 1 && key == 0) {
            inputs.push(zero);
            labels.push(from_order_key(format, label)?);
        }
        for column in 0..dimension {
            inputs.push(from_order_key(format, keys[(start + column) % keys.len()])?);
        }
        labels.push(from_order_key(format, label)?);
    }
    Dataset::new(format, dimension, 1, inputs, labels).ok()
}

/// Small data sets. All inputs but the first are 1.
pub(super) fn small(format: Format, dimension: usize) -> Vec<Instance> {
    let at = |key: i128| from_order_key(format, key).unwrap_or(format.zero());
    let (zero, one, last) = (format.zero(), format.one(false), last_key(format));
    let [minus_one, largest, lowest] = [format.one(true), at(last), at(-last)];
    let above_one = at(order_key(format, one).unwrap_or_default() + 1);
    let least = at(1);
    let ends = [lowest, at(last - 1), largest];
    let mirrored = ends.map(|value| negate(format, value));
    type Labelled = (&'static str, Vec<Encoding>, Vec<Encoding>);
    let listed: [Labelled; 9] = [
        ("one row", vec![one], vec![one]),
        ("1 and its successor", vec![one, above_one], vec![one, minus_one]),
        ("0 and its successor", vec![zero, least], vec![one, minus_one]),
        ("the ends", ends.to_vec(), vec![one, minus_one, largest]),
        ("the ends, mirrored", mirrored.to_vec(), vec![one, minus_one, largest]),
        ("the ends, other labels", ends.to_vec(), vec![minus_one, one, zero]),
        ("largest to least", vec![zero, one], vec![largest, least]),
        ("least to largest", vec![zero, one], vec![least, largest]),
        ("largest to 1", vec![zero, one], vec![largest, one]),
    ];
    let instance = |(name, first, labels): Labelled| {
        let rows = first
            .iter()
            .flat_map(|&value| std::iter::once(value).chain(std::iter::repeat_n(one, dimension.saturating_sub(1))));
        let (inputs, labels) = (Encodings::collect(format, rows), Encodings::collect(format, labels));
        let data = Dataset::new(format, dimension, 1, inputs, labels).ok()?;
        Some(Instance { name, data })
    };
    // A count of many bounds is dear to enclose, and fails on these if at all.
    let wanted = if dimension == 1 { listed.len() } else { 3 };
    listed.into_iter().take(wanted).filter_map(instance).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontier::Family;

    #[test]
    fn every_value_has_a_row_and_neighbours_have_different_labels() {
        for format in [Family::Ieee.format(3, 4), Family::Low.format(2, 1)].into_iter().flatten() {
            let data = over(format, &every_key(format), 1, true).unwrap();
            let finite = format.encodings().filter(|&encoding| format.is_finite(encoding)).count();
            assert_eq!(data.rows(), finite);
            for row in 1..data.rows() {
                let [before, this] = [row - 1, row].map(|row| order_key(format, data.input(row, 0)).unwrap());
                assert_eq!(data.label(row - 1, 0) == data.label(row, 0), before == this, "{format}, row {row}");
            }
        }
    }

    #[test]
    fn many_inputs_share_the_values() {
        let format = Family::Ieee.format(3, 4).unwrap();
        let keys = every_key(format);
        for (dimension, values) in [(2, 8), (16, 64), (256, keys.len())] {
            let thinned = thinned(&keys, dimension);
            let data = over(format, &thinned, dimension, false).unwrap();
            let found: BTreeSet<Encoding> = data.inputs().iter().collect();
            assert!((2..=4).contains(&data.rows()), "{dimension} inputs");
            assert_eq!((thinned.len(), found.len()), (values, values), "{dimension} inputs");
            assert_eq!([thinned[0], thinned[values - 1]], [keys[0], keys[keys.len() - 1]]);
        }
    }

    #[test]
    fn small_formats_have_no_other_edges_than_values() {
        for format in [Format::FLOAT4_E2M1FN, Family::Low.format(8, 1).unwrap()] {
            assert_eq!(edge_keys(format), every_key(format), "{format}");
        }
        assert!(edge_keys(Format::BINARY16).len() < 300);
    }
}
