//! Constructions: from data to a network and the claim that it should satisfy.
