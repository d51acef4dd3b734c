//! Points at which a claim about a function or a forest is likely to fail, if it does.

use std::collections::BTreeSet;

use roundproof_exact::{Rational, order_key, round};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_judge::{ApproximationRejection, Claim, Property, Rejection};
use roundproof_network::{Dataset, Forest, Network, Tree, TreeNode, is_admitted};

/// The most candidates, and the fewest that there may be of a large network.
const MOST_POINTS: usize = 1 << 12;
const FEWEST_POINTS: usize = 16;
/// How many stored numbers one evaluation at every candidate may look at.
const MOST_WORK: usize = 1 << 24;
/// The most corners that are chosen from.
const MOST_CORNERS: usize = 1 << 17;
/// In `F(p)`, the exponents of values next to 0, and how far beyond the largest threshold inputs lie.
const NEXT_TO_ZERO: i64 = -64;
const BEYOND: i64 = 4;

/// Order keys, the least and the largest.
type Range = (i128, i128);

/// In this order, each once, as many as can be evaluated: where the kernel rejected what was offered; the corners of the leaves,
/// which lie on either side of every cut; rows; what lies beside the thresholds of the first layer; and every
/// point, if they are few.
pub(super) fn candidates(
    claim: &Claim,
    network: &Network,
    forest: &Forest,
    data: Option<&Dataset>,
    rejection: &Rejection,
) -> Vec<Vec<Encoding>> {
    let format = claim.format;
    let most = (MOST_WORK / network.parameters().max(1)).clamp(FEWEST_POINTS, MOST_POINTS);
    let ranges = ranges(claim, forest);
    let mut list = List { format, most, ranges: ranges.clone(), known: BTreeSet::new(), points: Vec::new() };
    match rejection {
        Rejection::Approximation(ApproximationRejection::Value { at, .. }) => {
            list.push(at.ends.iter().map(|&(value, _)| key(format, value)).collect());
        }
        Rejection::Approximation(ApproximationRejection::Error { region, .. }) => {
            list.push(region.ends.iter().map(|&(low, _)| key(format, low)).collect());
            list.push(region.ends.iter().map(|&(_, high)| key(format, high)).collect());
        }
        _ => {}
    }
    for all in [false, true] {
        let mut corners = Vec::new();
        forest.trees().iter().for_each(|tree| list.corners_of_leaves(tree, all, &mut corners));
        some_of(corners, most.saturating_sub(list.points.len())).into_iter().for_each(|corner| list.push(corner));
    }
    for row in 0..data.map_or(0, Dataset::rows) {
        let inputs = data.into_iter().flat_map(|data| (0..data.dimension()).map(move |column| data.input(row, column)));
        list.push(inputs.map(|value| key(format, value)).collect());
    }
    list.beside_thresholds(network);
    list.every_point();
    list.points
}

/// Where inputs are looked for.
fn ranges(claim: &Claim, forest: &Forest) -> Vec<Range> {
    let format = claim.format;
    if let Property::Approximates(property) = &claim.property {
        return property
            .approximation
            .domain
            .iter()
            .map(|&(low, high)| (key(format, low), key(format, high)))
            .collect();
    }
    let largest = match format.largest(false) {
        Some(largest) => key(format, largest),
        None => {
            let thresholds = forest.trees().iter().flat_map(|tree| &tree.nodes).filter_map(|node| match node {
                TreeNode::Split { threshold, .. } => Some(key(format, *threshold).abs()),
                TreeNode::Leaf => None,
            });
            let one = key(format, format.one(false));
            thresholds.chain([one]).max().unwrap_or(one) + (i128::from(BEYOND) << format.trailing_bits())
        }
    };
    vec![(-largest, largest); forest.dimension()]
}

struct List {
    format: Format,
    most: usize,
    ranges: Vec<Range>,
    known: BTreeSet<Vec<i128>>,
    points: Vec<Vec<Encoding>>,
}

impl List {
    fn is_full(&self) -> bool {
        self.points.len() >= self.most
    }

    fn push(&mut self, keys: Vec<i128>) {
        let inside = keys.iter().zip(&self.ranges).all(|(key, (low, high))| low <= key && key <= high);
        if self.is_full() || !inside || self.known.contains(&keys) {
            return;
        }
        let point: Vec<Encoding> = keys.iter().map(|&key| encoding(self.format, key)).collect();
        if point.iter().all(|&value| is_admitted(self.format, value)) {
            self.points.push(point);
            self.known.insert(keys);
        }
    }

    /// Of every leaf of a tree one corner, at cuts if there are some; or all corners in one variable or two, else two
    /// opposite ones.
    fn corners_of_leaves(&self, tree: &Tree, all: bool, found: &mut Vec<Vec<i128>>) {
        let preorder = tree.preorder();
        let mut open = vec![(0, self.ranges.clone())];
        while let Some((node, region)) = open.pop() {
            if found.len() >= MOST_CORNERS {
                return;
            }
            let TreeNode::Split { column, threshold } = tree.nodes[node] else {
                found.extend(self.corners(&region, all));
                continue;
            };
            let (threshold, (low, high)) = (key(self.format, threshold), region[column as usize]);
            let mut side = |node, low, high| {
                if low <= high {
                    let mut region = region.clone();
                    region[column as usize] = (low, high);
                    open.push((node, region));
                }
            };
            side(preorder.link(node), low.max(self.next_above(threshold)), high);
            side(node + 1, low, high.min(threshold));
        }
    }

    fn corners(&self, region: &[Range], all: bool) -> Vec<Vec<i128>> {
        let ends: Vec<Range> = region.iter().zip(&self.ranges).map(|(&region, &range)| ends(region, range)).collect();
        let corner = |upper: &dyn Fn(usize) -> bool| -> Vec<i128> {
            ends.iter().enumerate().map(|(input, end)| if upper(input) { end.1 } else { end.0 }).collect()
        };
        match ends.len() {
            _ if !all => vec![corner(&|_| false)],
            1 | 2 => (0..1usize << ends.len()).map(|number| corner(&|input| number >> input & 1 == 1)).collect(),
            _ => vec![corner(&|_| true)],
        }
    }

    /// Where a unit of the first layer with one weight changes its sign, and on either side, the other inputs being where
    /// they are at the first point.
    fn beside_thresholds(&mut self, network: &Network) {
        let Some(first) = self.points.first().cloned() else { return };
        let first: Vec<i128> = first.iter().map(|&value| key(self.format, value)).collect();
        let Some(layer) = network.as_layers().and_then(|layers| layers.into_iter().next()) else { return };
        for unit in 0..layer.rows() {
            let mut terms = layer.terms(unit);
            let (Some((column, weight)), None) = (terms.next(), terms.next()) else { continue };
            let (weight, bias) = (real(self.format, weight), real(self.format, layer.bias.get(unit)));
            if weight == 0 || self.is_full() {
                continue;
            }
            let mode = RoundingMode::TowardNegative;
            let threshold = key(self.format, round(&(-bias / weight), self.format, mode, Overflow::Saturate).encoding);
            for at in [threshold, self.next_above(threshold), -self.next_above(-threshold)] {
                let mut point = first.clone();
                point[column as usize] = at;
                self.push(point);
            }
        }
    }

    /// Every point, if they are few enough.
    fn every_point(&mut self) {
        let sizes: Vec<(i128, u128)> = self.ranges.iter().map(|(low, high)| (*low, high.abs_diff(*low) + 1)).collect();
        let points = sizes.iter().map(|size| size.1).try_fold(1u128, |points, size| points.checked_mul(size));
        if !self.format.is_bounded() || points.is_none_or(|points| points > self.most as u128) {
            return;
        }
        self.most = usize::MAX;
        for number in 0..points.unwrap_or_default() {
            let mut rest = number;
            let digit = |&(low, size): &(i128, u128)| {
                let key = low + (rest % size) as i128;
                rest /= size;
                key
            };
            self.push(sizes.iter().map(digit).collect());
        }
    }

    /// The key of the next value; in `F(p)`, next to 0, of one that is near it.
    fn next_above(&self, key: i128) -> i128 {
        if self.format.is_bounded() {
            return key + 1;
        }
        let small = i128::from(self.format.bias() + NEXT_TO_ZERO) << self.format.trailing_bits();
        if key == 0 { small } else { key + 1 }
    }
}

/// Of points, if there are more than `most`: those nearest to 0, where differences are the least, and as many in equal steps.
/// In the order in which they were.
fn some_of(points: Vec<Vec<i128>>, most: usize) -> Vec<Vec<i128>> {
    if points.len() <= most {
        return points;
    }
    let size = |place: &usize| points[*place].iter().map(|key| key.unsigned_abs()).max();
    let mut by_size: Vec<usize> = (0..points.len()).collect();
    by_size.sort_by_key(size);
    let near = by_size.into_iter().take(most / 2);
    let far = (0..most - most / 2).map(|step| step * points.len() / (most - most / 2));
    let chosen: BTreeSet<usize> = near.chain(far).collect();
    chosen.into_iter().map(|place| points[place].clone()).collect()
}

/// The ends of a region between which inputs are, the one at a cut first; of an input that is not cut, 0 or what is nearest
/// to it.
fn ends(region: Range, range: Range) -> Range {
    match (region.0 == range.0, region.1 == range.1) {
        (true, true) => {
            let middle = 0i128.clamp(range.0, range.1);
            if range.0 == middle || range.1 == middle { range } else { (middle, middle) }
        }
        (true, false) => (region.1, region.0),
        (false, _) => region,
    }
}

fn key(format: Format, value: Encoding) -> i128 {
    order_key(format, value).unwrap_or_default()
}

/// The value with an order key; of the zeros, +0.
fn encoding(format: Format, key: i128) -> Encoding {
    let sign = if key < 0 { 1 << (format.width() - 1) } else { 0 };
    Encoding::from_bits(sign | key.unsigned_abs())
}

fn real(format: Format, encoding: Encoding) -> Rational {
    roundproof_exact::real(format, encoding).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_points_those_near_zero_and_some_of_all_are_taken() {
        let points: Vec<Vec<i128>> = (-500..500).map(|key| vec![key]).collect();
        assert_eq!(some_of(points.clone(), 1000), points);
        let some = some_of(points.clone(), 100);
        assert!(some.len() > 90 && some.len() <= 100 && some.is_sorted());
        assert!((-24..=24).all(|key| some.contains(&vec![key])));
        assert!(some.iter().filter(|point| point[0].abs() > 400).count() >= 8, "{some:?}");
        assert_eq!(some_of(points, 0), Vec::<Vec<i128>>::new());
    }
}
