//! Every tree over a few terms.

use super::set::{Leaf, Reach};
use crate::machine::Machine;

/// The hull of what every tree over the leaves gives, subset by subset: a subset's values are those of all splits of it
/// into two, each contracted or not. The finite ends are exact if those of the leaves are, but for flushes.
///
/// At most [`SUBSET_TERMS`](super::SUBSET_TERMS) leaves, and at least one.
pub(super) fn hull(machine: &Machine, leaves: &[Leaf]) -> Reach {
    let format = machine.accumulator();
    let all = (1usize << leaves.len()) - 1;
    let mut sets = vec![Reach::default(); all + 1];
    for subset in 1..=all {
        if subset.is_power_of_two() {
            sets[subset] = leaves[subset.trailing_zeros() as usize].rounded;
            continue;
        }
        let first = subset & subset.wrapping_neg();
        let others = subset & !first;
        // Each split once: the side with the first leaf is `first` and a proper part of the others.
        let mut part = others;
        let mut set = Reach::default();
        loop {
            part = (part - 1) & others;
            let (left, right) = (first | part, others & !part);
            set = set.hull(format, split(machine, leaves, &sets, left, right));
            if part == 0 {
                break;
            }
        }
        sets[subset] = set;
    }
    sets[all]
}

fn split(machine: &Machine, leaves: &[Leaf], sets: &[Reach], left: usize, right: usize) -> Reach {
    let leaf = |subset: usize| subset.is_power_of_two().then(|| &leaves[subset.trailing_zeros() as usize]);
    match (leaf(left), leaf(right)) {
        (Some(a), Some(b)) => machine.reach_join(a, b),
        (Some(a), None) => machine.reach_plus(sets[right], a),
        (None, Some(b)) => machine.reach_plus(sets[left], b),
        (None, None) => machine.reach_sum_of(sets[left], sets[right]),
    }
}
