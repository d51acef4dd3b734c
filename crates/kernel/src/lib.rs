//! The judge.

pub mod boxes;
mod claim;
mod evidence;
pub mod reach;
pub mod replay;

pub use claim::{Claim, Property, Shape, Verdict};
pub use evidence::{Evidence, Node, Separator};
