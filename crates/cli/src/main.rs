//! The binary `roundproof`.
fn main() {}
