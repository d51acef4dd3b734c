//! The judge of models that somebody else made: whether a decision about a row of data is the same on every rounding path.
//!
//! A [`Graph`] says what the model computes, a [`PathModel`] what a runtime may choose when it does, a [`Decision`] what people read off an
//! output. [`Audit::row`] says [`Invariant`](Verdict::Invariant) if every path of the model gives the same decision, and
//! [`Undecided`](Verdict::Undecided), with what is missing, if it cannot tell. It needs no evidence, asks no solver, and computes on
//! integers alone, rounded outward; and on rationals what is not a sum, with functions that MPFR encloses.
//!
//! 1. `plan`: which nodes are one sum, with which leaves.
//! 2. `sum`: how far a sum may be from the exact one, over all trees: the theorem that all else rests on.
//! 3. `forward`: an interval for each element of each tensor that no path leaves; `ends`, `curve`, `normalize` and `softmax`, where that is
//!    not a sum, with the tables of `functions`.
//! 4. `norms`: how far each tensor may be from a reference evaluation, in the Euclidean norm, and smaller intervals by that.
//! 5. `backward`: a lower bound of a difference of outputs, by weak duality.
//! 6. `decision`: which differences have to be positive.
//!
//! What a rule is not about is refused by name: [`NotCovered`]. What a path model leaves out is said in [`NOT_COVERED`].

mod affine;
mod audit;
mod backward;
mod curve;
mod decision;
mod ends;
mod error;
mod fixed;
mod forward;
mod functions;
mod linear;
mod model;
mod normalize;
mod norms;
mod operands;
mod plan;
mod rounding;
mod softmax;
mod span;
mod sum;

pub use audit::{Audit, Loss, Margin, Missing, Verdict};
pub use decision::{Decision, Ties};
pub use error::{NotCovered, Refusal, RowError};
pub use functions::{Bound, Dyadic, Functions, MEASURED, Table, TableError, function_named};
pub use model::{
    Accumulator, Copies, Division, Folding, MOST_PARTIALS, ModelError, NAMED, NOT_COVERED, Narrowing, Operands,
    PathModel,
};
pub use roundproof_graph::Graph;

#[cfg(test)]
mod tests;
