//! The prover: constructions judged by the kernel, lemmas asked of Z3, theorems that Rocq compiles.
//!
//! Nothing here is trusted. A verdict `Proved` or `Refuted` is the kernel's, on evidence that this crate found;
//! `Attested` is what a solver said of a lemma, or Rocq of a theorem.

pub mod depth;
pub mod frontier;
pub mod lemmas;
pub mod mechanized;
pub mod parametric;
pub mod prove;
pub mod random;
pub mod smt;
pub mod whole;
