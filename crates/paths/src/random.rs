//! Random paths.

use std::borrow::Cow;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use roundproof_format::RoundingMode;
use roundproof_network::{Addition, Choice, Contraction, Flushes, Order, Rounding, TreePath};

use crate::choose::{Chooser, Site};
use crate::machine::{Machine, Sum};

/// Random paths, the same for the same seed on every machine and in every release.
///
/// The generator is ChaCha8 with the seed in the first eight bytes of its key, least significant first, all others 0,
/// and the path's number as its stream; it is asked for 32-bit words only, and a number below `n` is drawn as
/// `word % n` after rejecting words at or above the largest multiple of `n`.
///
/// For each sum, in the order in which the neurons are asked for: a *temper* (one in four: every operation toward
/// negative; one in four: toward positive; else each draws one of these two, which between them give every allowed
/// result); the tree, by joining two random terms until one is left; for each addition that can contract, whether it
/// does, and which of two products; flushes, each with probability one half. A choice that the model does not leave is
/// not drawn.
#[derive(Clone, Debug)]
pub struct Random {
    generator: ChaCha8Rng,
}

#[derive(Clone, Copy)]
enum Temper {
    Always(RoundingMode),
    Each,
}

impl Random {
    /// The paths of `seed`, from path number `path` on.
    pub fn new(seed: u64, path: u64) -> Random {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(path);
        Random { generator }
    }

    /// A number below `n`, each as likely as the others. `n` must not be 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        let excess = (u32::MAX % n + 1) % n;
        loop {
            let word = self.generator.next_u32();
            if word <= u32::MAX - excess {
                return word % n;
            }
        }
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    fn mode(&mut self, temper: Temper) -> RoundingMode {
        match temper {
            Temper::Always(mode) => mode,
            Temper::Each if self.coin() => RoundingMode::TowardPositive,
            Temper::Each => RoundingMode::TowardNegative,
        }
    }

    fn temper(&mut self, machine: &Machine) -> Temper {
        match machine.model().rounding {
            Rounding::Mode(mode) => Temper::Always(mode),
            Rounding::Any => match self.below(4) {
                0 => Temper::Always(RoundingMode::TowardNegative),
                1 => Temper::Always(RoundingMode::TowardPositive),
                _ => Temper::Each,
            },
        }
    }

    fn choice(&mut self, machine: &Machine, temper: Temper) -> Choice {
        let mode = self.mode(temper);
        let flushes = if machine.flushes() {
            Flushes { left: self.coin(), right: self.coin(), result: self.coin() }
        } else {
            Flushes::default()
        };
        Choice { mode, flushes }
    }

    /// A random path of a sum of `terms` products and a bias.
    pub fn path(&mut self, terms: usize, machine: &Machine) -> TreePath {
        let temper = self.temper(machine);
        let products = (0..terms).map(|_| self.choice(machine, temper)).collect();
        let mut additions = Vec::with_capacity(terms);
        let mut open: Vec<u32> = (0..=terms as u32).collect();
        for index in 0..terms {
            let (left, right) = match machine.trees().order {
                Order::LeftToRight if index == 0 => (0, 1),
                Order::LeftToRight => ((terms + index) as u32, index as u32 + 1),
                Order::Any => {
                    let left = self.below(open.len() as u32) as usize;
                    let left = open.swap_remove(left);
                    let right = self.below(open.len() as u32) as usize;
                    let right = open.swap_remove(right);
                    open.push((terms + 1 + index) as u32);
                    (left, right)
                }
            };
            additions.push(self.addition(terms, left, right, machine, temper));
        }
        let narrowing = machine.is_widened().then(|| self.choice(machine, temper));
        TreePath { products, additions, narrowing }
    }

    fn addition(&mut self, terms: usize, left: u32, right: u32, machine: &Machine, temper: Temper) -> Addition {
        let product = |operand: u32| (operand as usize) < terms;
        let (mut left, mut right) = (left, right);
        let mut contracted = false;
        if machine.trees().contraction == Contraction::Any && (product(left) || product(right)) {
            contracted = self.coin();
            let swap = if product(left) && product(right) { self.coin() } else { product(right) };
            if contracted && swap {
                (left, right) = (right, left);
            }
        }
        Addition { left, right, contracted, choice: self.choice(machine, temper) }
    }
}

impl Chooser for Random {
    fn choose(&mut self, _: Site, sum: &Sum, machine: &Machine) -> Cow<'_, TreePath> {
        Cow::Owned(self.path(sum.terms.len(), machine))
    }
}
