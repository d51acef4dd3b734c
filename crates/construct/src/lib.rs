//! Constructions: from data to a network, the claim that it should satisfy, and evidence for the kernel.
