//! The judge: claims, evidence, and a verdict from exact arithmetic.
