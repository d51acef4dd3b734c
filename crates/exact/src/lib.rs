//! The definition of rounding, on exact rationals.
