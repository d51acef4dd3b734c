//! Floating-point arithmetic for a solver, three times: over bit-vectors ([`bits`]), in the solver's own theory
//! ([`ieee`]), and for all formats at once over the reals ([`reals`]).

pub mod bits;
pub mod ieee;
pub mod reals;
pub mod term;
