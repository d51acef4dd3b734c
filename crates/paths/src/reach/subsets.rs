//! Every tree over a few terms.

use super::set::{Reach, Summand};
use crate::machine::Machine;

/// The hull of what every tree over the summands gives, subset by subset: a subset's values are those of all splits of it
/// into two, each contracted or not. The finite ends are exact if those of the summands are, but for flushes.
///
/// At most [`SUBSET_TERMS`](super::SUBSET_TERMS) summands, and at least one.
pub(super) fn hull(machine: &Machine, summands: &[Summand]) -> Reach {
    let format = machine.accumulator();
    let all = (1usize << summands.len()) - 1;
    let mut sets = vec![Reach::default(); all + 1];
    for subset in 1..=all {
        if subset.is_power_of_two() {
            sets[subset] = summands[subset.trailing_zeros() as usize].rounded;
            continue;
        }
        let first = subset & subset.wrapping_neg();
        let others = subset & !first;
        // Each split once: the side with the first summand is `first` and a proper part of the others.
        let mut part = others;
        let mut set = Reach::default();
        loop {
            part = (part - 1) & others;
            let (left, right) = (first | part, others & !part);
            set = set.hull(format, split(machine, summands, &sets, left, right));
            if part == 0 {
                break;
            }
        }
        sets[subset] = set;
    }
    sets[all]
}

fn split(machine: &Machine, summands: &[Summand], sets: &[Reach], left: usize, right: usize) -> Reach {
    let summand = |subset: usize| subset.is_power_of_two().then(|| &summands[subset.trailing_zeros() as usize]);
    match (summand(left), summand(right)) {
        (Some(a), Some(b)) => machine.reach_join(a, b),
        (Some(a), None) => machine.reach_plus(sets[right], a),
        (None, Some(b)) => machine.reach_plus(sets[left], b),
        (None, None) => machine.reach_sum_of(sets[left], sets[right]),
    }
}
