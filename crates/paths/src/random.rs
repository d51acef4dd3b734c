//! Random paths.

use std::borrow::Cow;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use roundproof_format::{Encoding, RoundingMode};
use roundproof_network::{Activation, Addition, Choice, Contraction, Flushes, Order, PathError, Rounding, TreePath};
use roundproof_softfloat::{BothNeighbours, Faithful, Outcome, Standard};

use crate::blocks::{bits, on_hardware};
use crate::choose::{Chooser, Site};
use crate::machine::{Machine, Sum, Term};

/// Random paths, the same for the same seed on every machine and in every release.
///
/// The generator is ChaCha8 with the seed in the first eight bytes of its key, least significant first, all others 0,
/// and the path's number as its stream; it is asked for 32-bit words only, and a number below `n` is drawn as
/// `word % n` after rejecting words at or above the largest multiple of `n`.
///
/// For each sum, in the order in which the neurons are asked for: a *temper* (one in four: every operation toward
/// negative; one in four: toward positive; else each draws one of these two, which between them give every allowed
/// result); the tree, by joining two random terms until one is left; for each addition that can contract, whether it
/// does, and which of two products; flushes, each with probability one half. For each element-wise product a temper, a direction and
/// flushes; where its activation admits several values, one
/// of them. A choice that the model does not leave is not drawn.
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
    #[inline]
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        let excess = || (u32::MAX % n + 1) % n;
        loop {
            let word = self.generator.next_u32();
            // The excess is below `n`: for most words that decides, without another division.
            if word <= u32::MAX - n || word <= u32::MAX - excess() {
                return word % n;
            }
        }
    }

    /// [`Random::below`] two: no word is rejected.
    #[inline(always)]
    pub(crate) fn coin(&mut self) -> bool {
        self.generator.next_u32() & 1 == 1
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
        let (products, additions) = (Vec::with_capacity(terms), Vec::with_capacity(terms));
        let mut path = TreePath { products, additions, narrowing: None };
        path.narrowing = self.draw(terms, machine, &mut path);
        path
    }

    /// Draws a path, and tells of each choice as it is drawn: of the products first. Gives the last one, of the rounding
    /// out of a wider accumulator.
    fn draw(&mut self, terms: usize, machine: &Machine, drawn: &mut impl Drawn) -> Option<Choice> {
        let temper = self.temper(machine);
        for _ in 0..terms {
            drawn.product(self.choice(machine, temper));
        }
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
            drawn.addition(self.addition(terms, left, right, machine, temper));
        }
        machine.is_widened().then(|| self.choice(machine, temper))
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

    /// Computed while it is drawn, where the format is one of the host's.
    fn value(&mut self, _: Site, sum: &Sum, machine: &Machine) -> Result<Encoding, PathError> {
        let value = if machine.flushes() {
            None
        } else {
            on_hardware!(machine, H => {
                let mut evaluation = Evaluation::<H>::of(sum);
                let _ = self.draw(sum.terms.len(), machine, &mut evaluation);
                evaluation.value()
            })
        };
        Ok(value.unwrap_or_else(|| {
            let path = self.path(sum.terms.len(), machine);
            machine.sum(sum, &path).value
        }))
    }

    fn product(&mut self, _: Site, _: [Encoding; 2], machine: &Machine) -> Choice {
        let temper = self.temper(machine);
        self.choice(machine, temper)
    }

    fn activate(&mut self, _: Site, activation: Activation, sum: Encoding, machine: &Machine) -> Option<Encoding> {
        match activation {
            Activation::LeakyRelu { slope: _ } => {
                let admitted = machine.activations(activation, sum);
                // One value is not a choice.
                let place = if admitted.len() > 1 { self.below(admitted.len() as u32) } else { 0 };
                Some(admitted[place as usize])
            }
            Activation::Step | Activation::Relu | Activation::Identity | Activation::Sign => None,
            Activation::Clip { low: _, high: _ } => None,
        }
    }
}

/// What listens while a path is drawn.
trait Drawn {
    /// The choice of the next product.
    fn product(&mut self, choice: Choice);

    /// The next addition.
    fn addition(&mut self, addition: Addition);
}

impl Drawn for TreePath {
    fn product(&mut self, choice: Choice) {
        self.products.push(choice);
    }

    fn addition(&mut self, addition: Addition) {
        self.additions.push(addition);
    }
}

/// A sum on a path that is being drawn, in a format that is known when this is compiled: what [`Machine::sum`] gives where
/// nothing is flushed and the accumulator is the network's format. Each product is rounded when it is added, if at all.
struct Evaluation<'a, H: Standard> {
    sum: &'a Sum,
    products: Vec<RoundingMode>,
    additions: Vec<H::Bits>,
}

impl<'a, H: Standard> Evaluation<'a, H> {
    fn of(sum: &'a Sum) -> Evaluation<'a, H> {
        let count = sum.terms.len();
        Evaluation { sum, products: Vec::with_capacity(count), additions: Vec::with_capacity(count) }
    }

    fn operand(&self, number: u32) -> H::Bits {
        let (number, count) = (number as usize, self.sum.terms.len());
        match self.sum.terms.get(number) {
            Some(term) => {
                let [weight, input] = [term.weight, term.input].map(bits::<H>);
                rounded::<H>(
                    self.products[number],
                    |mode| H::multiply(mode, weight, input),
                    || H::multiply(BothNeighbours, weight, input),
                )
            }
            None if number == count => bits::<H>(self.sum.bias),
            None => self.additions[number - count - 1],
        }
    }

    fn value(&self) -> Encoding {
        self.additions.last().map_or(self.sum.bias, |&bits| Encoding::from_bits(bits.into()))
    }
}

/// A result in some direction: of the two that are drawn by a coin, one is chosen of both, since a processor does not foresee
/// where it would have to jump.
#[inline(always)]
fn rounded<H: Standard>(
    mode: RoundingMode,
    one: impl Fn(RoundingMode) -> Outcome,
    both: impl Fn() -> Faithful,
) -> H::Bits {
    let (up, down) = (mode == RoundingMode::TowardPositive, mode == RoundingMode::TowardNegative);
    if up | down {
        let Faithful { below, above, status: _ } = both();
        bits::<H>(if up { above } else { below })
    } else {
        bits::<H>(one(mode).encoding)
    }
}

impl<H: Standard> Drawn for Evaluation<'_, H> {
    fn product(&mut self, choice: Choice) {
        self.products.push(choice.mode);
    }

    fn addition(&mut self, addition: Addition) {
        let Addition { left, right, contracted, choice: Choice { mode, flushes: _ } } = addition;
        let right = self.operand(right);
        let sum = if contracted {
            let Term { weight, input } = self.sum.terms[left as usize];
            let [weight, input] = [weight, input].map(bits::<H>);
            rounded::<H>(
                mode,
                |mode| H::fused_multiply_add(mode, weight, input, right),
                || H::fused_multiply_add(BothNeighbours, weight, input, right),
            )
        } else {
            let left = self.operand(left);
            rounded::<H>(mode, |mode| H::add(mode, left, right), || H::add(BothNeighbours, left, right))
        };
        self.additions.push(sum);
    }
}
