//! Enclosures against enumerated values.

use roundproof_format::{Encoding, Format};
use roundproof_network::{Layer, Network, Order, PathModel};
use roundproof_softfloat::{encode, order_key};

use super::{activation, datum, machines, random_sum};
use crate::enumerate::{Enumeration, Keep};
use crate::machine::{Machine, Sum, Term};
use crate::random::Random;
use crate::reach::{Decision, Reach, grid_for_tests, reach_from, reach_sum};

fn reach_of(machine: &Machine, sum: &Sum) -> Reach {
    let terms: Vec<(Encoding, Reach)> =
        sum.terms.iter().map(|term| (term.weight, Reach::of(machine.format(), term.input))).collect();
    reach_sum(machine, &terms, sum.bias)
}

#[test]
fn enumerated_values_lie_in_the_enclosure_and_touch_its_ends() {
    let mut random = Random::new(11, 0);
    for machine in machines() {
        let format = machine.format();
        for _ in 0..60 {
            let sum = random_sum(&mut random, format, 4);
            let Some(found) = Enumeration::new(&machine, &sum, Keep::All, 100_000) else { continue };
            let set = reach_of(&machine, &sum);
            let mut hull = Reach::default();
            for value in found.values() {
                assert!(set.contains(format, value), "{format} {} {sum:?} {value:?} {set:?}", machine.model());
                hull.include(format, value);
            }
            let keys = |set: Reach| set.finite.map(|(a, b)| (order_key(format, a), order_key(format, b)));
            let flags = |set: Reach| (set.negative_infinity, set.positive_infinity, set.nan);
            if !machine.flushes() {
                let told = (keys(set), flags(set));
                assert_eq!(told, (keys(hull), flags(hull)), "{format} {} {sum:?}", machine.model());
            }
        }
    }
}

#[test]
fn the_grid_bound_is_sound_on_its_own() {
    let mut random = Random::new(12, 0);
    for machine in machines().filter(|machine| machine.trees().order == Order::Any) {
        let format = machine.format();
        for _ in 0..60 {
            let sum = random_sum(&mut random, format, 4);
            let Some(found) = Enumeration::new(&machine, &sum, Keep::All, 100_000) else { continue };
            let terms: Vec<(Encoding, Reach)> =
                sum.terms.iter().map(|term| (term.weight, Reach::of(format, term.input))).collect();
            let set = grid_for_tests(&machine, &terms, sum.bias);
            for value in found.values() {
                assert!(set.contains(format, value), "{format} {} {sum:?} {value:?} {set:?}", machine.model());
            }
        }
    }
}

#[test]
fn long_sums_stay_in_their_bounds_on_random_paths() {
    let mut random = Random::new(13, 0);
    let (mut single, mut bounded) = (0, 0);
    for machine in machines() {
        let format = machine.format();
        for _ in 0..40 {
            let mut sum = random_sum(&mut random, format, 40);
            if random.coin() {
                // Small enough not to overflow.
                for term in &mut sum.terms {
                    term.input = if random.coin() { format.zero() } else { format.one(random.coin()) };
                }
            }
            let set = reach_of(&machine, &sum);
            single += usize::from(set.is_single(format));
            bounded += usize::from(!set.has_infinity_or_nan());
            for _ in 0..40 {
                let path = random.path(sum.terms.len(), &machine);
                let value = machine.sum(&sum, &path).value;
                assert!(set.contains(format, value), "{format} {} {sum:?} {value:?} {set:?}", machine.model());
            }
        }
    }
    assert!(single > 100 && bounded > single, "{single} {bounded}");
}

#[test]
fn inputs_from_a_range_are_enclosed_together() {
    let mut random = Random::new(14, 0);
    for machine in machines() {
        let format = machine.format();
        for _ in 0..20 {
            let sum = random_sum(&mut random, format, 3);
            let sets: Vec<(Encoding, Reach)> = sum
                .terms
                .iter()
                .map(|term| {
                    let set = Reach::of(format, term.input);
                    (term.weight, set.hull(format, Reach::of(format, datum(&mut random, format, false))))
                })
                .collect();
            let enclosure = reach_sum(&machine, &sets, sum.bias);
            for _ in 0..40 {
                let mut inside = || loop {
                    let value = datum(&mut random, format, true);
                    if random.coin() {
                        return value;
                    }
                };
                let terms: Vec<Term> = sets
                    .iter()
                    .map(|(weight, set)| {
                        let drawn = std::iter::repeat_with(&mut inside).take(50);
                        let input = drawn.into_iter().find(|&value| set.contains(format, value));
                        Term {
                            weight: *weight,
                            input: input.unwrap_or(set.finite.map_or(format.zero(), |ends| ends.0)),
                        }
                    })
                    .collect();
                if !terms.iter().zip(&sets).all(|(term, (_, set))| set.contains(format, term.input)) {
                    continue;
                }
                let sum = Sum { terms, bias: sum.bias };
                let path = random.path(sum.terms.len(), &machine);
                let value = machine.sum(&sum, &path).value;
                assert!(
                    enclosure.contains(format, value),
                    "{format} {} {sum:?} {path:?} {value:?} {enclosure:?}",
                    machine.model()
                );
            }
        }
    }
}

/// A sum with integer weights, all inputs 1.
fn integers(format: Format, weights: &[i32], bias: i32) -> Sum {
    let value = |n: i32| encode(format, n < 0, n.unsigned_abs().into(), 0).unwrap();
    let terms = weights.iter().map(|&n| Term { weight: value(n), input: format.one(false) }).collect();
    Sum { terms, bias: value(bias) }
}

#[test]
fn grid_sums_dominance_and_selection_are_exact() {
    for name in ["float8_e4m3fn", "float8_e4m3", "float8_e5m2", "bfloat16", "binary32", "binary128", "F(4)"] {
        let format: Format = name.parse().unwrap();
        let machine = Machine::new(format, &PathModel::all(format)).unwrap();
        let decide = |sum: &Sum, n: i32| {
            let label = encode(format, n < 0, n.unsigned_abs().into(), 0).unwrap();
            reach_of(&machine, sum).decides(format, label)
        };
        // R5: within 2^p in any order; p = 3 has 8.
        let ones = integers(format, &[1, 1, 1, -1, -1, -1, 1, -1, 1, -1, 1, 1], 1);
        assert_eq!(decide(&ones, 3), Decision::Always, "{format}");
        // R7: one summand among zeros.
        let mut selection = integers(format, &[3, 4, 5, -6, 4, 3, 2, 1, 1, 1], 0);
        for (index, term) in selection.terms.iter_mut().enumerate() {
            term.input = if index == 3 { format.one(false) } else { format.zero() };
        }
        assert_eq!(decide(&selection, -6), Decision::Always, "{format}");
        assert_eq!(decide(&selection, 0), Decision::Never, "{format}");
        // R6: 1 and many terms of at most -1 give at most 0, and minus infinity perhaps.
        let dominated = integers(format, &[-1, -4, -4, -4, -7, -4, -4, -4, -4, -4, -4, -4, -6], 1);
        let set = reach_of(&machine, &dominated);
        assert!(!set.positive_infinity && !set.nan);
        assert!(order_key(format, set.finite.unwrap().1).unwrap() <= 0, "{format} {set:?}");
    }
}

#[test]
fn a_bound_on_one_order_is_not_enough() {
    // p = 2: 4 + 1 - 4 is 1 on one order and 0 or 2 on another.
    let format: Format = "p=2,emin=-3,emax=4".parse().unwrap();
    let machine = Machine::new(format, &PathModel::all(format)).unwrap();
    let set = reach_of(&machine, &integers(format, &[4, 1, -4], 0));
    assert_eq!(set.decides(format, format.one(false)), Decision::Undecided);
}

#[test]
fn activated_values_lie_in_the_enclosure_and_touch_its_ends() {
    let mut random = Random::new(15, 0);
    let mut several = 0;
    for machine in machines() {
        let format = machine.format();
        for _ in 0..100 {
            let sum = random_sum(&mut random, format, 3);
            let activation = activation(&mut random, format);
            let Some(found) = Enumeration::new(&machine, &sum, Keep::All, 100_000) else { continue };
            let mut layer = Layer::new(format, activation);
            layer.push((0..).zip(sum.terms.iter().map(|term| term.weight)), sum.bias);
            let network = Network::new(format, sum.terms.len().max(1), vec![layer]).unwrap();
            let inputs: Vec<Reach> = sum.terms.iter().map(|term| Reach::of(format, term.input)).collect();
            let inputs = if inputs.is_empty() { vec![Reach::of(format, format.zero())] } else { inputs };
            let set = reach_from(&network, &inputs, machine.model()).unwrap()[0][0];
            let mut hull = Reach::default();
            let sums = reach_of(&machine, &sum);
            for value in found.values() {
                let admitted = machine.activations(activation, value);
                several += usize::from(admitted.len() > 1);
                for value in admitted {
                    assert!(set.contains(format, value), "{format} {} {activation:?} {sum:?}", machine.model());
                    hull.include(format, value);
                }
            }
            // Of a single sum, the enclosure is exact, but for the values that are not between its ends.
            let (single, keys) = (sums.is_single(format), |set: Reach| {
                set.finite.map(|(a, b)| (order_key(format, a), order_key(format, b)))
            });
            if single && !machine.flushes() {
                assert_eq!(keys(set), keys(hull), "{format} {} {activation:?} {sum:?}", machine.model());
            }
        }
    }
    assert!(several > 100, "{several}");
}
