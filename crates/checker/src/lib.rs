//! The prover: lemmas, Z3, evidence, and the corpus of claims.
