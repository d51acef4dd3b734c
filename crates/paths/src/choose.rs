//! Who chooses the path: plain, from a witness, or fixed by a user.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use roundproof_format::{Encoding, RoundingMode};
pub use roundproof_network::Site;
use roundproof_network::{
    Activation, Addition, Choice, Contraction, Flushes, NeuronPath, Order, PathError, Rounding, SumPath, TreePath,
    Witness,
};
use roundproof_softfloat::order_key;

use crate::machine::{Machine, Sum};

/// Gives each neuron its path. Asked layer by layer from the input, and within a layer in the order of the neurons.
pub trait Chooser {
    /// The path of the neuron at `site`, which adds up `sum`.
    fn choose(&mut self, site: Site, sum: &Sum, machine: &Machine) -> Cow<'_, TreePath>;

    /// The value of `sum` on the path that [`Chooser::choose`] gives.
    ///
    /// # Errors
    ///
    /// If that is none of the sum, or not in the model.
    fn value(&mut self, site: Site, sum: &Sum, machine: &Machine) -> Result<Encoding, PathError> {
        let path = self.choose(site, sum, machine);
        path.check(sum.terms.len(), machine.model())?;
        Ok(machine.sum(sum, &path).value)
    }

    /// How the product at `site` is rounded.
    fn product(&mut self, _site: Site, _factors: [Encoding; 2], machine: &Machine) -> Choice {
        Choice::of(machine.model())
    }

    /// The value of the neuron at `site`, one of those that its activation admits for `sum`; none: that of the plain path.
    /// Asked after [`Chooser::choose`].
    fn activate(&mut self, _site: Site, _activation: Activation, _sum: Encoding, _: &Machine) -> Option<Encoding> {
        None
    }

    /// Whether the neuron at `site` takes the plain path for certain, activation included, so that there is no need to ask
    /// for it.
    fn is_plain(&self, _site: Site) -> bool {
        false
    }

    /// The direction of every rounding in the layer, activations included, if all its neurons for certain add from left to
    /// right, contract nothing and flush nothing, so that there is no need to ask for their paths.
    fn in_order(&self, _layer: usize, _machine: &Machine) -> Option<RoundingMode> {
        None
    }
}

/// [`TreePath::plain`] for every neuron.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Chooser for Plain {
    fn is_plain(&self, _: Site) -> bool {
        true
    }

    fn in_order(&self, _: usize, machine: &Machine) -> Option<RoundingMode> {
        Some(machine.plain_mode())
    }

    fn choose(&mut self, _: Site, sum: &Sum, machine: &Machine) -> Cow<'_, TreePath> {
        Cow::Owned(TreePath::plain(sum.terms.len(), machine.model()))
    }
}

/// The paths that a witness lists, and the plain one elsewhere.
#[derive(Clone, Debug)]
pub struct FromWitness<'a> {
    neurons: BTreeMap<Site, &'a NeuronPath>,
}

impl<'a> FromWitness<'a> {
    /// The paths of `witness`. Of a neuron that it lists twice, the last.
    pub fn new(witness: &'a Witness) -> FromWitness<'a> {
        let site = |layer, neuron| Site { layer, neuron };
        FromWitness { neurons: witness.neurons.iter().map(|n| (site(n.layer, n.neuron), n)).collect() }
    }
}

impl Chooser for FromWitness<'_> {
    fn is_plain(&self, site: Site) -> bool {
        !self.neurons.contains_key(&site)
    }

    fn in_order(&self, layer: usize, machine: &Machine) -> Option<RoundingMode> {
        let site = |layer| Site { layer, neuron: 0 };
        let listed = self.neurons.range(site(layer)..site(layer + 1)).next();
        listed.is_none().then(|| machine.plain_mode())
    }

    fn choose(&mut self, site: Site, sum: &Sum, machine: &Machine) -> Cow<'_, TreePath> {
        match self.neurons.get(&site) {
            Some(NeuronPath { path: SumPath::Tree(path), .. }) => Cow::Borrowed(path),
            // Not a path of this sum, or of any of as many terms.
            Some(NeuronPath { path: SumPath::Product(_) | SumPath::Maximum, .. }) => {
                let products = vec![Choice::of(machine.model()); sum.terms.len() + 1];
                Cow::Owned(TreePath { products, additions: Vec::new(), narrowing: None })
            }
            None => Cow::Owned(TreePath::plain(sum.terms.len(), machine.model())),
        }
    }

    fn product(&mut self, site: Site, _: [Encoding; 2], machine: &Machine) -> Choice {
        match self.neurons.get(&site) {
            Some(NeuronPath { path: SumPath::Product(choice), .. }) => *choice,
            // That another form is listed for a product is for `check_witness` to say.
            Some(NeuronPath { path: SumPath::Tree(_) | SumPath::Maximum, .. }) | None => Choice::of(machine.model()),
        }
    }

    fn activate(&mut self, site: Site, _: Activation, _: Encoding, _: &Machine) -> Option<Encoding> {
        self.neurons.get(&site).and_then(|neuron| neuron.value)
    }
}

/// The shape of a sum, fixed for all neurons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrangement {
    /// Products in index order, the bias last.
    LeftToRight,
    /// The bias first, products from the last to the first.
    RightToLeft,
    /// The bias first, then the products in index order: how most matrix products start from a bias.
    BiasFirst,
    /// Neighbours pairwise, then the results pairwise: the tree of a parallel reduction.
    Pairwise,
    /// One after the other, rounded products and bias ascending by magnitude.
    Ascending,
    /// One after the other, descending by magnitude.
    Descending,
    /// One after the other, ascending by value: negative terms first.
    NegativeFirst,
    /// One after the other, descending by value: positive terms first.
    PositiveFirst,
}

impl Arrangement {
    /// Every arrangement.
    pub const ALL: &'static [Arrangement] = &[
        Arrangement::LeftToRight,
        Arrangement::RightToLeft,
        Arrangement::BiasFirst,
        Arrangement::Pairwise,
        Arrangement::Ascending,
        Arrangement::Descending,
        Arrangement::NegativeFirst,
        Arrangement::PositiveFirst,
    ];
}

/// One direction, one arrangement, contraction and flushes everywhere or nowhere, activations included. What a model does not have is left
/// out: under `order=left-to-right` the arrangement is that one, in a fixed direction the model's is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fixed {
    /// The direction of every operation.
    pub mode: RoundingMode,
    /// The order of every sum.
    pub arrangement: Arrangement,
    /// Whether every addition that can contracts a product (the one in its right operand, if both are products).
    pub contract: bool,
    /// Whether every subnormal operand and result is flushed.
    pub flush: bool,
}

impl Fixed {
    /// This choice as one of `machine`'s model.
    fn choice(&self, machine: &Machine) -> Choice {
        let mode = match machine.model().rounding {
            Rounding::Mode(mode) => mode,
            Rounding::Any => self.mode,
        };
        let flag = self.flush && machine.flushes();
        Choice { mode, flushes: Flushes { left: flag, right: flag, result: flag } }
    }

    /// Every arrangement in these directions, contracted and flushed or not, as far as the model has it.
    pub fn all(machine: &Machine, modes: &[RoundingMode]) -> Vec<Fixed> {
        let trees = machine.trees();
        let modes = if let Rounding::Mode(_) = machine.model().rounding { &modes[..modes.len().min(1)] } else { modes };
        let arrangements = if trees.order == Order::Any { Arrangement::ALL } else { &[Arrangement::LeftToRight] };
        let either = |has: bool| if has { &[false, true][..] } else { &[false] };
        let mut all = Vec::new();
        for &mode in modes {
            for &arrangement in arrangements {
                for &contract in either(trees.contraction == Contraction::Any) {
                    let flushes = either(machine.flushes()).iter();
                    all.extend(flushes.map(|&flush| Fixed { mode, arrangement, contract, flush }));
                }
            }
        }
        all
    }

    /// The path of one sum.
    pub fn path(&self, sum: &Sum, machine: &Machine) -> TreePath {
        let terms = sum.terms.len();
        let choice = self.choice(machine);
        let arrangement = match machine.trees().order {
            Order::LeftToRight => Arrangement::LeftToRight,
            Order::Any => self.arrangement,
        };
        let contract = self.contract && machine.trees().contraction == Contraction::Any;
        let addition = |left: u32, right: u32| {
            let product = |operand: u32| (operand as usize) < terms;
            match (contract, product(left), product(right)) {
                (true, _, true) => Addition { left: right, right: left, contracted: true, choice },
                (true, true, false) => Addition { left, right, contracted: true, choice },
                _ => Addition { left, right, contracted: false, choice },
            }
        };
        let order = leaves(sum, machine, arrangement, choice);
        let mut additions = Vec::with_capacity(terms);
        if arrangement == Arrangement::Pairwise {
            let mut level = order;
            while level.len() > 1 {
                let mut next = Vec::with_capacity(level.len().div_ceil(2));
                for pair in level.chunks(2) {
                    match *pair {
                        [left, right] => {
                            additions.push(addition(left, right));
                            next.push((terms + additions.len()) as u32);
                        }
                        _ => next.extend_from_slice(pair),
                    }
                }
                level = next;
            }
        } else {
            for (index, &leaf) in order.iter().enumerate().skip(1) {
                let before = if index == 1 { order[0] } else { (terms + index - 1) as u32 };
                additions.push(addition(before, leaf));
            }
        }
        let narrowing = machine.is_widened().then_some(choice);
        TreePath { products: vec![choice; terms], additions, narrowing }
    }
}

impl Chooser for Fixed {
    fn in_order(&self, _: usize, machine: &Machine) -> Option<RoundingMode> {
        let Choice { mode, flushes } = self.choice(machine);
        let contracts = self.contract && machine.trees().contraction == Contraction::Any;
        let in_order = self.arrangement == Arrangement::LeftToRight || machine.trees().order == Order::LeftToRight;
        (in_order && !contracts && flushes == Flushes::default()).then_some(mode)
    }

    fn choose(&mut self, _: Site, sum: &Sum, machine: &Machine) -> Cow<'_, TreePath> {
        Cow::Owned(self.path(sum, machine))
    }

    fn product(&mut self, _: Site, _: [Encoding; 2], machine: &Machine) -> Choice {
        self.choice(machine)
    }

    fn activate(&mut self, _: Site, activation: Activation, sum: Encoding, machine: &Machine) -> Option<Encoding> {
        Some(machine.activate_with(activation, sum, self.choice(machine)))
    }
}

/// The numbers of products and bias in the order of an arrangement. NaN sorts as if it were 0.
fn leaves(sum: &Sum, machine: &Machine, arrangement: Arrangement, choice: Choice) -> Vec<u32> {
    let terms = sum.terms.len() as u32;
    let mut order: Vec<u32> = (0..=terms).collect();
    let key = |&leaf: &u32| {
        let value = match sum.terms.get(leaf as usize) {
            Some(&term) => machine.product(term, choice),
            None => machine.widen(sum.bias),
        };
        order_key(machine.accumulator(), value).unwrap_or(0)
    };
    match arrangement {
        Arrangement::LeftToRight | Arrangement::Pairwise => {}
        Arrangement::RightToLeft => order.reverse(),
        Arrangement::BiasFirst => order.rotate_right(1),
        Arrangement::Ascending => order.sort_by_cached_key(|leaf| key(leaf).unsigned_abs()),
        Arrangement::Descending => order.sort_by_cached_key(|leaf| Reverse(key(leaf).unsigned_abs())),
        Arrangement::NegativeFirst => order.sort_by_cached_key(key),
        Arrangement::PositiveFirst => order.sort_by_cached_key(|leaf| Reverse(key(leaf))),
    }
    order
}
