//! The subset tables against a recursion that knows no tables, and random paths against both.

use std::collections::BTreeSet;

use roundproof_format::{Encoding, Format};
use roundproof_network::{Choice, Contraction, Flushes, Order};
use roundproof_softfloat::order_key;

use super::{every_mode, machines, random_sum};
use crate::enumerate::{Enumeration, Keep};
use crate::machine::{Machine, Sum};
use crate::random::Random;

/// Every choice of an operation, in all five directions and with all flushes.
fn every_choice(machine: &Machine) -> Vec<Choice> {
    let flags: &[bool] = if machine.flushes() { &[false, true] } else { &[false] };
    let mut choices = Vec::new();
    for mode in every_mode(machine) {
        for &left in flags {
            for &right in flags {
                for &result in flags {
                    choices.push(Choice { mode, flushes: Flushes { left, right, result } });
                }
            }
        }
    }
    choices
}

/// The values of every tree over `leaves` (numbers as in a path), by splitting in two in every way, again and again.
fn naive(machine: &Machine, sum: &Sum, leaves: &[usize]) -> BTreeSet<Encoding> {
    let mut values = BTreeSet::new();
    let choices = every_choice(machine);
    if let [leaf] = *leaves {
        match sum.terms.get(leaf) {
            Some(&term) => values.extend(choices.iter().map(|&choice| machine.product(term, choice))),
            None => drop(values.insert(machine.widen(sum.bias))),
        }
        return values;
    }
    for subset in 1..(1u32 << leaves.len()) - 1 {
        let side = |wanted: u32| -> Vec<usize> {
            (0..leaves.len()).filter(|&i| subset >> i & 1 == wanted).map(|i| leaves[i]).collect()
        };
        let (left, right) = (side(1), side(0));
        let ordered = left.len() == leaves.len() - 1 && left.iter().max() < right.iter().max();
        if machine.trees().order == Order::LeftToRight && !ordered {
            continue;
        }
        let rights = naive(machine, sum, &right);
        for &a in &naive(machine, sum, &left) {
            for &b in &rights {
                values.extend(choices.iter().map(|&choice| machine.add(a, b, choice)));
            }
        }
        if machine.trees().contraction == Contraction::Any {
            for (one, other) in [(&left, &right), (&right, &left)] {
                if let [leaf] = one[..]
                    && let Some(&term) = sum.terms.get(leaf)
                {
                    for b in naive(machine, sum, other) {
                        for &product in &choices {
                            values.extend(choices.iter().map(|&choice| machine.fuse(term, product, b, choice)));
                        }
                    }
                }
            }
        }
    }
    values
}

fn naive_values(machine: &Machine, sum: &Sum) -> BTreeSet<Encoding> {
    let leaves: Vec<usize> = (0..=sum.terms.len()).collect();
    let wide = naive(machine, sum, &leaves);
    if !machine.is_widened() {
        return wide;
    }
    let choices = every_choice(machine);
    wide.iter().flat_map(|&value| choices.iter().map(move |&choice| machine.round_out(value, choice))).collect()
}

#[test]
fn tables_and_recursion_agree() {
    let mut random = Random::new(1, 0);
    for machine in machines() {
        for round in 0..24 {
            let sum = random_sum(&mut random, machine.format(), if round < 20 { 2 } else { 3 });
            let expected = naive_values(&machine, &sum);
            let found = Enumeration::new(&machine, &sum, Keep::All, usize::MAX).unwrap();
            let values: BTreeSet<Encoding> = found.values().into_iter().collect();
            assert_eq!(values, expected, "{} {} {sum:?}", machine.format(), machine.model());
        }
    }
}

#[test]
fn every_value_has_a_path_that_replays() {
    let mut random = Random::new(2, 0);
    for machine in machines() {
        for _ in 0..20 {
            let sum = random_sum(&mut random, machine.format(), 4);
            for keep in [Keep::All, Keep::Values, Keep::Extremes] {
                let Some(found) = Enumeration::new(&machine, &sum, keep, 200_000) else { continue };
                for value in found.values() {
                    let path = found.path(value).unwrap();
                    path.check(sum.terms.len(), machine.model()).unwrap();
                    let replayed = machine.sum(&sum, &path).value;
                    let key = |value| order_key(machine.format(), value);
                    let same = if keep == Keep::All { replayed == value } else { key(replayed) == key(value) };
                    assert!(same, "{} {} {sum:?} {path:?}", machine.format(), machine.model());
                }
            }
        }
    }
}

fn extremes(format: Format, values: &[Encoding]) -> (Option<i128>, Option<i128>, bool) {
    let keys = || values.iter().filter_map(|&value| order_key(format, value));
    (keys().min(), keys().max(), values.iter().any(|&value| format.is_nan(value)))
}

#[test]
fn extremes_are_those_of_all_values() {
    let mut random = Random::new(3, 0);
    for machine in machines() {
        for _ in 0..30 {
            let sum = random_sum(&mut random, machine.format(), 4);
            let Some(all) = Enumeration::new(&machine, &sum, Keep::All, 200_000) else { continue };
            let some = Enumeration::new(&machine, &sum, Keep::Extremes, usize::MAX).unwrap();
            let format = machine.format();
            let values = Enumeration::new(&machine, &sum, Keep::Values, usize::MAX).unwrap();
            let keys = |found: &Enumeration| -> BTreeSet<Option<i128>> {
                found.values().into_iter().map(|value| order_key(format, value)).collect()
            };
            assert_eq!(keys(&values), keys(&all), "{format} {} {sum:?}", machine.model());
            assert_eq!(
                extremes(format, &some.values()),
                extremes(format, &all.values()),
                "{format} {} {sum:?}",
                machine.model()
            );
        }
    }
}

#[test]
fn random_paths_land_among_the_values() {
    let mut random = Random::new(4, 0);
    for machine in machines() {
        for _ in 0..20 {
            let sum = random_sum(&mut random, machine.format(), 4);
            let Some(found) = Enumeration::new(&machine, &sum, Keep::All, 200_000) else { continue };
            let values: BTreeSet<Encoding> = found.values().into_iter().collect();
            for _ in 0..20 {
                let path = random.path(sum.terms.len(), &machine);
                path.check(sum.terms.len(), machine.model()).unwrap();
                let value = machine.sum(&sum, &path).value;
                assert!(values.contains(&value), "{} {} {sum:?} {path:?}", machine.format(), machine.model());
            }
        }
    }
}

#[test]
fn a_budget_is_kept() {
    let machine = machines().next().unwrap();
    let mut random = Random::new(5, 0);
    let sum = loop {
        let sum = random_sum(&mut random, machine.format(), 4);
        if sum.terms.len() == 4 {
            break sum;
        }
    };
    assert!(Enumeration::new(&machine, &sum, Keep::All, 3).is_none());
}
