//! Paths replayed on the other arithmetic, top down.

use roundproof_exact::Arithmetic;
use roundproof_format::{Class, Encoding, Format, RoundingMode};
use roundproof_network::{Accumulator, TreePath};

use super::{machines, random_sum};
use crate::choose::{Arrangement, Fixed};
use crate::machine::{Machine, Sum};
use crate::random::Random;

struct Replay<'a> {
    format: Format,
    narrow: Arithmetic,
    accumulator: Format,
    wide: Arithmetic,
    sum: &'a Sum,
    path: &'a TreePath,
}

fn flushed(format: Format, flag: bool, value: Encoding) -> Encoding {
    match format.class(value) {
        Class::Subnormal if flag && format.is_sign_minus(value) => format.negative_zero().unwrap_or(format.zero()),
        Class::Subnormal if flag => format.zero(),
        _ => value,
    }
}

impl Replay<'_> {
    fn widened(&self, value: Encoding) -> Encoding {
        let moved = || self.wide.convert(RoundingMode::TiesToEven, self.format, value).encoding;
        if self.accumulator == self.format { value } else { moved() }
    }

    fn factors(&self, index: usize) -> (Encoding, Encoding) {
        let flushes = self.path.products[index].flushes;
        let weight = flushed(self.format, flushes.left, self.sum.terms[index].weight);
        let input = flushed(self.format, flushes.right, self.sum.terms[index].input);
        (self.widened(weight), self.widened(input))
    }

    fn term(&self, number: usize) -> Encoding {
        let count = self.sum.terms.len();
        if number < count {
            let choice = self.path.products[number];
            let (weight, input) = self.factors(number);
            let product = self.wide.multiply(choice.mode, weight, input).encoding;
            return flushed(self.accumulator, choice.flushes.result, product);
        }
        if number == count {
            return self.widened(self.sum.bias);
        }
        let add = self.path.additions[number - count - 1];
        let (mode, flushes) = (add.choice.mode, add.choice.flushes);
        let right = flushed(self.accumulator, flushes.right, self.term(add.right as usize));
        let sum = if add.contracted {
            let (weight, input) = self.factors(add.left as usize);
            self.wide.fused_multiply_add(mode, weight, input, right).encoding
        } else {
            let left = flushed(self.accumulator, flushes.left, self.term(add.left as usize));
            self.wide.add(mode, left, right).encoding
        };
        flushed(self.accumulator, flushes.result, sum)
    }

    fn value(&self) -> Encoding {
        let sum = self.term(2 * self.sum.terms.len());
        let Some(choice) = self.path.narrowing else { return sum };
        let sum = flushed(self.accumulator, choice.flushes.left, sum);
        let rounded = self.narrow.convert(choice.mode, self.accumulator, sum).encoding;
        flushed(self.format, choice.flushes.result, rounded)
    }
}

fn compare(machine: &Machine, sum: &Sum, path: &TreePath) {
    let (accumulator, overflow) = match machine.trees().accumulator {
        Accumulator::Same => (machine.format(), machine.model().overflow),
        Accumulator::Wider { format, overflow } => (format, overflow),
    };
    let narrow = Arithmetic::new(machine.format(), machine.model().overflow).unwrap();
    let wide = Arithmetic::new(accumulator, overflow).unwrap();
    let replay = Replay { format: machine.format(), narrow, accumulator, wide, sum, path };
    let (ours, exact) = (machine.sum(sum, path).value, replay.value());
    assert_eq!(ours, exact, "{} {} {sum:?} {path:?}", machine.format(), machine.model());
}

#[test]
fn paths_give_what_they_give_in_exact_arithmetic() {
    let mut random = Random::new(41, 0);
    for machine in machines() {
        for _ in 0..60 {
            let sum = random_sum(&mut random, machine.format(), 7);
            compare(&machine, &sum, &random.path(sum.terms.len(), &machine));
            let arrangement = Arrangement::ALL[random.below(Arrangement::ALL.len() as u32) as usize];
            let mode = RoundingMode::ALL[random.below(5) as usize];
            let fixed = Fixed { mode, arrangement, contract: random.coin(), flush: random.coin() };
            compare(&machine, &sum, &fixed.path(&sum, &machine));
        }
    }
}
