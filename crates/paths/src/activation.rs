//! What activations make of a number, and of a set of numbers.

use std::cmp::Ordering;

use roundproof_format::Encoding;
use roundproof_network::{Activation, Choice, Flushes};
use roundproof_softfloat::{compare, relu, step};

use crate::machine::{Machine, readings};

impl Machine {
    /// What an activation makes of a number of the network's format, on the plain path.
    #[inline]
    pub fn activate(&self, activation: Activation, value: Encoding) -> Encoding {
        self.activate_with(activation, value, Choice::plain(self.plain_mode()))
    }

    /// What an activation makes of a number when its operation, if it has one, is rounded as `choice` says: the left operand
    /// is the slope, the right one the number.
    pub fn activate_with(&self, activation: Activation, value: Encoding, choice: Choice) -> Encoding {
        let format = self.format();
        match activation {
            Activation::Step => step(format, value),
            Activation::Relu => relu(format, value),
            Activation::Identity => value,
            Activation::LeakyRelu { slope } if is_negative(self, value) => self.scale(slope, value, choice),
            Activation::LeakyRelu { slope: _ } => value,
            Activation::Clip { low, high } => match (compare(format, value, low), compare(format, value, high)) {
                (Some(Ordering::Less | Ordering::Equal), _) => low,
                (_, Some(Ordering::Greater | Ordering::Equal)) => high,
                _ => value,
            },
            Activation::Sign => match compare(format, value, format.zero()) {
                None => value,
                Some(Ordering::Equal) => format.zero(),
                Some(order) => format.one(order == Ordering::Less),
            },
        }
    }

    /// Every value that an activation admits for a number, that of the plain path first.
    pub fn activations(&self, activation: Activation, value: Encoding) -> Vec<Encoding> {
        let mut all = vec![self.activate(activation, value)];
        let slope = match activation {
            Activation::LeakyRelu { slope } if is_negative(self, value) => slope,
            Activation::LeakyRelu { slope: _ }
            | Activation::Step
            | Activation::Relu
            | Activation::Identity
            | Activation::Clip { low: _, high: _ }
            | Activation::Sign => return all,
        };
        for (_, left) in readings(self, self.format(), slope) {
            for (_, right) in readings(self, self.format(), value) {
                for &mode in self.modes() {
                    let choice = Choice { mode, flushes: Flushes { left, right, result: false } };
                    let product = self.scale(slope, value, choice);
                    for (product, _) in readings(self, self.format(), product) {
                        if !all.contains(&product) {
                            all.push(product);
                        }
                    }
                }
            }
        }
        all
    }
}

fn is_negative(machine: &Machine, value: Encoding) -> bool {
    compare(machine.format(), value, machine.format().zero()) == Some(Ordering::Less)
}
