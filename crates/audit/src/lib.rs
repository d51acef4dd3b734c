//! The judge of models that somebody else made: whether a decision about a row of data is the same on every rounding path.
//!
//! A [`Graph`] says what the model computes, a [`PathModel`] what a runtime may choose when it does, a [`Decision`] what people read off an
//! output. [`Audit::row`] says [`Invariant`](Verdict::Invariant) if every path of the model gives the same decision, and
//! [`Undecided`](Verdict::Undecided), with what is missing, if it cannot tell. It needs no evidence, asks no solver, and computes on
//! integers alone, rounded outward.
//!
//! 1. `plan`: which nodes are one sum, with which leaves.
//! 2. `sum`: how far a sum may be from the exact one, over all trees: the theorem that all else rests on.
//! 3. `forward`: an interval for each element of each tensor that no path leaves.
//! 4. `backward`: a lower bound of a difference of outputs, by weak duality.
//! 5. `decision`: which differences have to be positive.
//!
//! What a rule is not about is refused by name: [`NotCovered`]. What a path model leaves out is said in [`NOT_COVERED`].

mod affine;
mod audit;
mod backward;
mod decision;
mod error;
mod fixed;
mod forward;
mod linear;
mod model;
mod plan;
mod rounding;
mod sum;

pub use audit::{Audit, Loss, Margin, Missing, Verdict};
pub use decision::{Decision, Ties};
pub use error::{NotCovered, Refusal, RowError};
pub use model::{
    Accumulator, Copies, Division, Folding, MOST_PARTIALS, ModelError, NAMED, NOT_COVERED, Narrowing, Operands,
    PathModel,
};
pub use roundproof_graph::Graph;

#[cfg(test)]
mod tests;
