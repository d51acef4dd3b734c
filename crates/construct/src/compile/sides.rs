//! Sides of boxes, and the regions that they bound.

use std::collections::BTreeMap;

use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Forest, TreeNode};
use roundproof_softfloat::{from_order_key, negate, order_key};

use crate::scale;

/// What a side costs that cannot be built. It keeps boxes away from where they are impossible.
const IMPOSSIBLE: i64 = 1 << 20;

/// For every cut of a forest, what a side at it is made of.
pub(super) struct Sides {
    pub format: Format,
    pub activation: Activation,
    /// ReLU: by whether the side is an upper one, and the key of the cut.
    relu: BTreeMap<(bool, i128), Option<scale::Units>>,
}

impl Sides {
    pub fn of(forest: &Forest, activation: Activation) -> Sides {
        let format = forest.format();
        let mut relu = BTreeMap::new();
        if activation == Activation::Relu {
            for node in forest.trees().iter().flat_map(|tree| &tree.nodes) {
                let TreeNode::Split { threshold, .. } = *node else { continue };
                let key = key_of(format, threshold);
                for upper in [false, true] {
                    relu.entry((upper, key)).or_insert_with(|| relu_side(format, upper, key));
                }
            }
        }
        Sides { format, activation, relu }
    }

    /// The parts of a ReLU side, if the format has them.
    pub fn relu(&self, upper: bool, key: i128) -> Option<scale::Units> {
        self.relu.get(&(upper, key)).copied().flatten()
    }

    /// How many terms of a box the side takes.
    fn terms(&self, upper: bool, key: i128) -> i64 {
        match self.activation {
            Activation::Relu => self.relu(upper, key).map_or(IMPOSSIBLE, |side| side.copies.into()),
            _ => 1,
        }
    }
}

/// The order key of a threshold, which is finite by the invariants of forests.
pub(super) fn key_of(format: Format, threshold: Encoding) -> i128 {
    order_key(format, threshold).expect("thresholds are finite")
}

/// The value next above a cut; none in `F(p)` at zero, and at the end of the format.
pub(super) fn above(format: Format, key: i128) -> Option<Encoding> {
    if key == 0 && !format.is_bounded() {
        return None;
    }
    from_order_key(format, key + 1).filter(|&value| format.is_finite(value))
}

/// A lower side `x > t` is silent from the value above `t` on and fires from `t` on; an upper side `x <= t`, mirrored,
/// is silent from `-t` on and fires from the negative of the value above `t` on.
fn relu_side(format: Format, upper: bool, key: i128) -> Option<scale::Units> {
    let (threshold, above) = (from_order_key(format, key)?, above(format, key)?);
    if upper {
        scale::units(format, true, negate(format, threshold), negate(format, above))
    } else {
        scale::units(format, false, above, threshold)
    }
}

/// A cut, and the node of the forest's tree where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub key: i128,
    pub node: u32,
}

/// What lies on one side of each of several cuts: per input, above one value and at most another.
pub(super) struct Region<'a> {
    sides: &'a Sides,
    /// Inputs that are bounded: `x > [0]`, `x <= [1]`.
    bounds: BTreeMap<u32, [Option<Cut>; 2]>,
    terms: i64,
}

impl<'a> Region<'a> {
    pub fn everything(sides: &'a Sides) -> Region<'a> {
        Region { sides, bounds: BTreeMap::new(), terms: 0 }
    }

    /// How many terms a box takes that is this region.
    pub fn terms(&self) -> i64 {
        self.terms
    }

    /// The cuts that bound an input from below and above.
    pub fn bounds(&self, column: u32) -> [Option<Cut>; 2] {
        self.bounds.get(&column).copied().unwrap_or_default()
    }

    /// Replaces a bound, and returns the one that was there.
    pub fn replace(&mut self, column: u32, upper: bool, cut: Option<Cut>) -> Option<Cut> {
        let bounds = self.bounds.entry(column).or_default();
        let before = std::mem::replace(&mut bounds[usize::from(upper)], cut);
        if *bounds == [None, None] {
            self.bounds.remove(&column);
        }
        let terms = |cut: Option<Cut>| cut.map_or(0, |cut| self.sides.terms(upper, cut.key));
        self.terms += terms(cut) - terms(before);
        before
    }

    /// The sides, by input: `(column, upper, cut)`.
    pub fn sides(&self) -> impl Iterator<Item = (u32, bool, Cut)> + '_ {
        self.bounds.iter().flat_map(|(&column, bounds)| {
            [false, true].into_iter().filter_map(move |upper| Some((column, upper, bounds[usize::from(upper)]?)))
        })
    }
}
