//! One rounding path, written down.

use roundproof_format::{Encoding, RoundingMode, Subnormals};
use thiserror::Error;

use crate::{Accumulator, Contraction, Neuron, Order, PathModel, Rounding, Summation, Trees};

/// A path on which a network gives another value than is claimed: what refutes a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The inputs.
    pub at: At,
    /// The output, from 0.
    pub output: usize,
    /// The value that the path gives there.
    pub value: Encoding,
    /// The paths of single neurons, ascending; a neuron that is not listed takes [`SumPath::plain`], and its activation
    /// rounds as that does.
    pub neurons: Vec<NeuronPath>,
}

/// Where a network is evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// At a row of the data set, from 0, if the claim is about rows.
    Row(usize),
    /// At these inputs, one value for each, if the claim is about all of them.
    Point(Vec<Encoding>),
}

/// The path that one neuron takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronPath {
    /// The layer, from 0.
    pub layer: usize,
    /// The neuron in it, from 0.
    pub neuron: usize,
    /// The path of its sum.
    pub path: SumPath,
    /// Its value, one of those that its activation admits for the sum; none: the one for the rounding of the plain path.
    pub value: Option<Encoding>,
}

/// Every choice in the evaluation of what one neuron computes before its activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SumPath {
    /// Of a sum of products and a bias, by [`Summation::Trees`].
    Tree(TreePath),
    /// Of an element-wise product: its one rounding, and how the factors are read.
    Product(Choice),
    /// Of a maximum, which leaves nothing to choose.
    Maximum,
}

impl SumPath {
    /// The tree, of a path that is one.
    pub fn tree(&self) -> Option<&TreePath> {
        match self {
            SumPath::Tree(path) => Some(path),
            SumPath::Product(_) | SumPath::Maximum => None,
        }
    }

    /// The tree, of a path that is one, to be changed.
    pub fn tree_mut(&mut self) -> Option<&mut TreePath> {
        match self {
            SumPath::Tree(path) => Some(path),
            SumPath::Product(_) | SumPath::Maximum => None,
        }
    }

    /// The path of a neuron that a witness does not mention, `model` being that of its step: see [`TreePath::plain`].
    pub fn plain(neuron: &Neuron<'_>, model: &PathModel) -> SumPath {
        match (neuron, model.summation) {
            (Neuron::Sum { terms, bias: _ }, Summation::Trees(_)) => SumPath::Tree(TreePath::plain(terms.len(), model)),
            (Neuron::Product(_), Summation::Trees(_)) => SumPath::Product(Choice::of(model)),
            (Neuron::Maximum(_), Summation::Trees(_)) => SumPath::Maximum,
        }
    }

    /// Whether this is a path of that neuron, and one that `model`, that of its step, has.
    ///
    /// # Errors
    ///
    /// If it is of another form, or fails [`TreePath::check`].
    pub fn check(&self, neuron: &Neuron<'_>, model: &PathModel) -> Result<(), PathError> {
        match (self, neuron, model.summation) {
            (SumPath::Tree(path), Neuron::Sum { terms, bias: _ }, Summation::Trees(_)) => {
                path.check(terms.len(), model)
            }
            (SumPath::Product(choice), Neuron::Product(_), Summation::Trees(_)) => choice.check(model),
            (SumPath::Maximum, Neuron::Maximum(_), Summation::Trees(_)) => Ok(()),
            (SumPath::Tree(_), Neuron::Product(_) | Neuron::Maximum(_), Summation::Trees(_))
            | (SumPath::Product(_), Neuron::Sum { terms: _, bias: _ } | Neuron::Maximum(_), Summation::Trees(_))
            | (SumPath::Maximum, Neuron::Sum { terms: _, bias: _ } | Neuron::Product(_), Summation::Trees(_)) => {
                Err(PathError::Form)
            }
        }
    }
}

impl From<TreePath> for SumPath {
    fn from(path: TreePath) -> SumPath {
        SumPath::Tree(path)
    }
}

/// Every choice in the evaluation of one sum of products and a bias by a tree of additions.
///
/// The terms are numbered: products `0..n` in the order in which the weights are stored, the bias `n`, the result of
/// addition `i` (from 0) `n + 1 + i`. Every term but the last result is an operand exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePath {
    /// How each product is rounded; for a contracted product, how its operands are read.
    pub products: Vec<Choice>,
    /// The additions, operands before results.
    pub additions: Vec<Addition>,
    /// The rounding out of a wider accumulator.
    pub narrowing: Option<Choice>,
}

/// One addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// One operand. If `contracted`, a product that goes in unrounded.
    pub left: u32,
    /// The other operand.
    pub right: u32,
    /// Whether this is a fused multiply-add.
    pub contracted: bool,
    /// How the sum is rounded.
    pub choice: Choice,
}

/// How one operation is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The direction.
    pub mode: RoundingMode,
    /// What is flushed.
    pub flushes: Flushes,
}

/// Which subnormal numbers of one operation are replaced by zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushes {
    /// The first operand.
    pub left: bool,
    /// The second operand, if there is one.
    pub right: bool,
    /// The result.
    pub result: bool,
}

/// A path that is none of its model, or none at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// A path of a sum for what is not one, or of a product.
    #[error(
        "the path is of another form than the neuron: a sum has a tree, a product one rounding, a maximum nothing to choose"
    )]
    Form,
    /// Counts of choices that do not belong to the sum.
    #[error("{products} products and {additions} additions are not a path of a sum of {terms} products and a bias")]
    Shape {
        /// Product choices.
        products: usize,
        /// Additions.
        additions: usize,
        /// Products of the sum.
        terms: usize,
    },
    /// An operand that does not exist yet or was used before.
    #[error("addition {addition}: operand {operand} is not available")]
    Operand {
        /// The addition, from 0.
        addition: usize,
        /// The operand's number.
        operand: u32,
    },
    /// A choice that the model does not have.
    #[error("{what} is not in the path model {model}")]
    Model {
        /// What is not.
        what: String,
        /// The model.
        model: PathModel,
    },
}

impl Choice {
    /// Rounding in one direction, nothing flushed.
    pub const fn plain(mode: RoundingMode) -> Choice {
        Choice { mode, flushes: Flushes { left: false, right: false, result: false } }
    }

    /// In the model's direction (ties-to-even where it may choose), nothing flushed.
    pub const fn of(model: &PathModel) -> Choice {
        Choice::plain(match model.rounding {
            Rounding::Mode(mode) => mode,
            Rounding::Any => RoundingMode::TiesToEven,
        })
    }

    /// Whether the model has this choice.
    ///
    /// # Errors
    ///
    /// If not.
    pub fn check(&self, model: &PathModel) -> Result<(), PathError> {
        let PathModel { rounding, overflow: _, subnormals, summation: Summation::Trees(_) } = model;
        let foreign = |what: String| Err(PathError::Model { what, model: *model });
        let Choice { mode, flushes: Flushes { left, right, result } } = *self;
        match *rounding {
            Rounding::Any => {}
            Rounding::Mode(only) if mode == only => {}
            Rounding::Mode(_) => return foreign(format!("rounding {mode}")),
        }
        match subnormals {
            Subnormals::Flush => Ok(()),
            Subnormals::Gradual if !(left || right || result) => Ok(()),
            Subnormals::Gradual => foreign("a flush".to_string()),
        }
    }
}

impl TreePath {
    /// Left to right, nothing contracted or flushed, in the model's direction (ties-to-even where it may choose).
    pub fn plain(terms: usize, model: &PathModel) -> TreePath {
        let PathModel { rounding: _, overflow: _, subnormals: _, summation: Summation::Trees(trees) } = model;
        let Trees { order: _, contraction: _, accumulator } = trees;
        let choice = Choice::of(model);
        let result = |index: usize| (terms + 1 + index) as u32;
        let additions = (0..terms)
            .map(|index| Addition {
                left: if index == 0 { 0 } else { result(index - 1) },
                right: index as u32 + 1,
                contracted: false,
                choice,
            })
            .collect();
        let narrowing = match accumulator {
            Accumulator::Same => None,
            Accumulator::Wider { format: _, overflow: _ } => Some(choice),
        };
        TreePath { products: vec![choice; terms], additions, narrowing }
    }

    /// Whether this is a path of a sum of `terms` products and a bias, and one that `model` has.
    ///
    /// # Errors
    ///
    /// If counts are wrong, an operand is missing or used twice, or a choice is not in the model.
    pub fn check(&self, terms: usize, model: &PathModel) -> Result<(), PathError> {
        let PathModel { rounding: _, overflow: _, subnormals: _, summation: Summation::Trees(trees) } = model;
        let Trees { order, contraction, accumulator } = trees;
        if self.products.len() != terms || self.additions.len() != terms {
            let (products, additions) = (self.products.len(), self.additions.len());
            return Err(PathError::Shape { products, additions, terms });
        }
        let foreign = |what: String| Err(PathError::Model { what, model: *model });
        match (&self.narrowing, accumulator) {
            (None, Accumulator::Same) | (Some(_), Accumulator::Wider { format: _, overflow: _ }) => {}
            (Some(_), Accumulator::Same) | (None, Accumulator::Wider { format: _, overflow: _ }) => {
                return foreign("rounding out of the accumulator, or its absence,".to_string());
            }
        }
        let choices = self.products.iter().chain(self.additions.iter().map(|add| &add.choice)).chain(&self.narrowing);
        for choice in choices {
            choice.check(model)?;
        }
        let mut used = vec![false; 2 * terms + 1];
        for (index, add) in self.additions.iter().enumerate() {
            for operand in [add.left, add.right] {
                let available = (operand as usize) < terms + 1 + index && !used[operand as usize];
                if !available {
                    return Err(PathError::Operand { addition: index, operand });
                }
                used[operand as usize] = true;
            }
            if add.contracted {
                let may_contract = match contraction {
                    Contraction::None => false,
                    Contraction::Any => (add.left as usize) < terms,
                };
                if !may_contract {
                    return foreign(format!("addition {index} as a fused multiply-add of operand {}", add.left));
                }
            }
            match order {
                Order::Any => {}
                Order::LeftToRight => {
                    let expected = (if index == 0 { 0 } else { (terms + index) as u32 }, index as u32 + 1);
                    if expected != (add.left, add.right) && expected != (add.right, add.left) {
                        return foreign(format!("adding {} and {}", add.left, add.right));
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use roundproof_format::Format;

    use super::*;

    fn models() -> (PathModel, PathModel) {
        (PathModel::paper(Format::BFLOAT16), PathModel::all(Format::BFLOAT16))
    }

    #[test]
    fn the_plain_path_is_in_every_model() {
        let (paper, all) = models();
        for terms in 0..5 {
            for model in [paper, all] {
                assert_eq!(TreePath::plain(terms, &model).check(terms, &model), Ok(()));
            }
        }
    }

    #[test]
    fn each_foreign_choice_is_named() {
        let (paper, all) = models();
        let path = TreePath::plain(3, &paper);
        let reject = |change: &dyn Fn(&mut TreePath), model: &PathModel| {
            let mut path = path.clone();
            change(&mut path);
            path.check(3, model).unwrap_err().to_string()
        };
        assert!(path.check(2, &paper).unwrap_err().to_string().contains("3 products"));
        assert!(reject(&|p| p.additions[1].right = 0, &all).contains("operand 0 is not available"));
        assert!(reject(&|p| p.additions[0].right = 6, &all).contains("operand 6 is not available"));
        assert!(reject(&|p| p.additions[0].left = 2, &paper).contains("adding 2 and 1"));
        assert!(reject(&|p| p.additions[0].contracted = true, &paper).contains("fused multiply-add"));
        assert!(reject(&|p| p.additions[1].contracted = true, &all).contains("fused multiply-add of operand 4"));
        assert!(reject(&|p| p.products[0].mode = RoundingMode::TowardZero, &paper).contains("toward-zero"));
        assert!(reject(&|p| p.products[0].flushes.left = true, &all).contains("a flush"));
        assert!(reject(&|p| p.narrowing = Some(p.products[0]), &all).contains("accumulator"));
    }
}
