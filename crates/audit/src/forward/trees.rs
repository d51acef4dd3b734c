//! Sums of few leaves, by every tree.
//!
//! A part of a sum with the leaves `I` is one of them, or the rounded sum of two parts that share `I` out. Roundings do not fall, so that
//! its least value is the least sum of least values, rounded; its greatest likewise: one interval for each set of leaves, over all trees
//! and all values of the leaves. A product that is an operand of an addition may be exact, or rounded before.
//!
//! In the same way goes how far a part may be from the exact sum of its leaves: what two parts are, added up, and what one rounding costs
//! of a value that is so far from `sup |sum_I t|`; nothing for multiples of a grid that the format holds. This is the induction of the
//! theorem of `sum` with each set by itself in place of their number.
//!
//! A value that may be narrowed, that of any part or of the inner sums, has both in its interval, before and after.

use crate::plan::Inner;
use crate::rounding::Grain;

/// The most leaves that are followed through every tree: three to this power are the steps.
pub(super) const MOST_LEAVES: u64 = 6;

/// A leaf, in units of the sum: a value, or an exact product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    /// The part of the sum that it belongs to.
    pub part: usize,
    pub ends: [i128; 2],
    /// Whether it is a product that rounding may change.
    pub rounds: bool,
    /// The exponent of a power of two that divides it.
    pub grid: i32,
}

/// What is known of the sum of some leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// What it is between.
    pub ends: [i128; 2],
    /// How far it may be from the exact sum of its leaves.
    pub error: u128,
}

/// How the parts are formed.
pub(super) struct Accumulated<'a> {
    pub accumulator: Grain,
    pub storage: Grain,
    /// Whether any part may be narrowed.
    pub anywhere: bool,
    /// Those that may be.
    pub inner: &'a [&'a Inner],
}

impl Accumulated<'_> {
    /// The whole sum; none if something may be out of range, or cannot be counted.
    pub fn every_tree(&self, leaves: &[Leaf], unit: i32) -> Option<Part> {
        let all = 1usize << leaves.len();
        // By the set of leaves, a bit for each: as a value, and as an operand.
        let mut values: Vec<Part> = vec![Part { ends: [0, 0], error: 0 }; all];
        let mut operands = values.clone();
        let inner: Vec<usize> =
            self.inner.iter().map(|inner| set(leaves, |leaf| inner.parts.contains(&leaf.part))).collect();
        for of in 1..all {
            let within = || leaves.iter().enumerate().filter(|(index, _)| of >> index & 1 == 1).map(|(_, leaf)| leaf);
            let exact = within().fold([0, 0], |ends, leaf| [ends[0] + leaf.ends[0], ends[1] + leaf.ends[1]]);
            let most = exact[0].unsigned_abs().max(exact[1].unsigned_abs());
            let grid = within().map(|leaf| leaf.grid).min()?;
            let mut part = if of.is_power_of_two() {
                let leaf = &leaves[of.trailing_zeros() as usize];
                match leaf.rounds {
                    false => Part { ends: leaf.ends, error: 0 },
                    true => Part {
                        ends: self.accumulator.rounded(leaf.ends, unit)?,
                        error: self.accumulator.error(most, unit)?,
                    },
                }
            } else {
                let (mut ends, mut error) = ([i128::MAX, i128::MIN], 0);
                let mut left = (of - 1) & of;
                while left > of ^ left {
                    let (one, other) = (&operands[left], &operands[of ^ left]);
                    ends = [ends[0].min(one.ends[0] + other.ends[0]), ends[1].max(one.ends[1] + other.ends[1])];
                    error = error.max(one.error.checked_add(other.error)?);
                    left = (left - 1) & of;
                }
                let is_exact = self.keeps(grid) && self.accumulator.holds(grid, most.checked_add(error)?, unit);
                if !is_exact {
                    error = error.checked_add(self.accumulator.error(most.checked_add(error)?, unit)?)?;
                }
                Part { ends: self.accumulator.rounded(ends, unit)?, error }
            };
            if self.anywhere || inner.contains(&of) {
                let largest = most.checked_add(part.error)?;
                let narrowed = self.storage.rounded(part.ends, unit)?;
                if !narrowed.iter().all(|end| self.storage.reaches(end.unsigned_abs(), unit)) {
                    return None;
                }
                part.ends = [part.ends[0].min(narrowed[0]), part.ends[1].max(narrowed[1])];
                if !(self.keeps(grid) && self.storage.holds(grid, largest, unit)) {
                    part.error = part.error.checked_add(self.storage.error(largest, unit)?)?;
                }
            }
            let largest = part.ends[0].unsigned_abs().max(part.ends[1].unsigned_abs());
            if !self.accumulator.reaches(largest, unit) {
                return None;
            }
            values[of] = part;
            operands[of] = part;
            if of.is_power_of_two() {
                let leaf = &leaves[of.trailing_zeros() as usize];
                operands[of].ends = [part.ends[0].min(leaf.ends[0]), part.ends[1].max(leaf.ends[1])];
            }
        }
        values.last().copied()
    }

    /// Whether every part of multiples of a power of two is one, narrowed or not.
    fn keeps(&self, grid: i32) -> bool {
        let narrows = self.anywhere || !self.inner.is_empty();
        grid >= self.accumulator.grid() && (!narrows || grid >= self.storage.grid())
    }
}

/// The leaves of which something holds, a bit for each.
fn set(leaves: &[Leaf], holds: impl Fn(&Leaf) -> bool) -> usize {
    leaves.iter().enumerate().filter(|(_, leaf)| holds(leaf)).fold(0, |set, (index, _)| set | 1 << index)
}

#[cfg(test)]
mod tests {
    use roundproof_format::Format;

    use super::*;
    use crate::model::PathModel;
    use crate::tests::{self, Paths, Random, Small, UNIT, finite, number};

    /// Sums of two to five leaves against all of their paths: nothing lies outside of the ends, nothing is farther off than the error, and
    /// most ends are attained. To nearest, ties of ends may go either way, and not all products are fused at once.
    #[test]
    fn every_tree_is_followed() {
        let format: Format = "p=3,emin=-2,emax=5,specials=finite".parse().expect("a format");
        let wide: Format = "p=5,emin=-4,emax=7,specials=finite".parse().expect("a format");
        let flush = PathModel { subnormals: PathModel::ONCE.subnormals, ..PathModel::ALL };
        let models = [PathModel::ALL, PathModel::NEAREST, flush, PathModel::ONCE];
        let mut random = Random(17);
        for (model, wider) in models.into_iter().flat_map(|model| [(model, false), (model, true)]) {
            let (accumulator, storage) = (if wider { wide } else { format }, format);
            let [of_accumulator, of_storage] =
                [accumulator, storage].map(|format| Grain::new(format, &model).expect("bounded"));
            let values = finite(storage);
            let (mut compared, mut attained) = (0, 0);
            for _ in 0..400 {
                let count = 2 + random.below(4);
                let mut draw = || number(storage, values[random.below(values.len())]);
                let drawn: Vec<(i64, i64)> = (0..count).map(|_| (draw(), draw())).collect();
                let drawn: Vec<tests::Leaf> = drawn
                    .into_iter()
                    .map(|(w, x)| if random.below(4) > 0 { tests::Leaf::Product(w, x) } else { tests::Leaf::Number(x) })
                    .collect();
                let small = Small::new(accumulator, &model);
                // The first two parts are a sum that may be narrowed.
                let inner = Inner { parts: 0..2, stored: true };
                let nonzero: Vec<usize> = (0..count).filter(|&index| drawn[index].product() != 0).collect();
                let narrowed = (wider && nonzero.len() == count).then(|| (Small::new(storage, &model), 0));
                let paths = Paths { accumulator: small, narrowed, inner: narrowed.map(|_| 0b11) };
                let leaf = |(index, leaf): (usize, &tests::Leaf)| {
                    let exact = i128::from(leaf.product());
                    let (is_product, flushed) = match *leaf {
                        tests::Leaf::Number(n) => (false, small.read(n).len() > 1),
                        tests::Leaf::Product(w, x) => (true, small.read(w).len() > 1 || small.read(x).len() > 1),
                    };
                    let ends = if flushed { [exact.min(0), exact.max(0)] } else { [exact, exact] };
                    let grid = UNIT + exact.trailing_zeros() as i32;
                    Leaf { part: index, ends, rounds: is_product, grid }
                };
                let leaves: Vec<Leaf> = drawn.iter().enumerate().map(leaf).filter(|leaf| leaf.ends != [0, 0]).collect();
                let inner = [&inner];
                let accumulated = Accumulated {
                    accumulator: of_accumulator,
                    storage: of_storage,
                    anywhere: false,
                    inner: if narrowed.is_some() { &inner } else { &[] },
                };
                let found = paths.values(&drawn);
                let Some(Part { ends, error }) = accumulated.every_tree(&leaves, UNIT) else {
                    continue;
                };
                let found = found.expect("nothing is out of range");
                let [least, most] = [found.first(), found.last()].map(|end| i128::from(*end.expect("one")));
                assert!(ends[0] <= least && ends[1] >= most, "{model} {drawn:?}: {ends:?} {found:?}");
                let exact: [i128; 2] =
                    leaves.iter().fold([0, 0], |ends, leaf| [ends[0] + leaf.ends[0], ends[1] + leaf.ends[1]]);
                let error = i128::try_from(error).expect("small");
                assert!(exact[0] - error <= least && exact[1] + error >= most, "{model} {drawn:?}");
                compared += 1;
                attained += usize::from(ends == [least, most]);
            }
            println!("{model}: {compared} sums, {attained} of them with both ends attained");
            assert!(compared > 100 && 3 * attained > compared);
        }
    }
}
