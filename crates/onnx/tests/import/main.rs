//! Models of other tools, imported.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

mod arrays;
mod audited;
mod evaluate;
mod models;
mod node_tests;
mod properties;
mod refused;
mod same;
mod trained;
mod write;
