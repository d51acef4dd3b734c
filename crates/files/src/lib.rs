//! Reading and writing: data sets from CSV and from NumPy's files, networks and data sets as safetensors, certificates as JSON.
//!
//! Every reader takes bytes that anyone may have written. It gives a value that keeps the invariants of its type, or a
//! typed error that names the file and the place in it; it does not panic, and allocates no more than the file's size
//! (and a fixed bound on the length of paths in a witness) justifies. Every writer gives the same bytes for the same
//! value, so that SHA-256 digests name values, and replaces a file as a whole or not at all.
//!
//! - [`table`]: data sets from tables in any notation, rounded once to a format: [`csv`], exact text; [`numpy`], arrays.
//! - [`safetensors`]: networks and rounded data sets; the layout is written down there.
//! - [`models`]: trees that XGBoost, LightGBM or scikit-learn have trained.
//! - [`certificate`]: what was claimed, of which files, on what evidence; the notation is written down there.
//! - [`digest`], [`atomic`]: SHA-256, and files that are never half-written.
//! - [`text`]: data as exact text.

pub mod atomic;
pub mod certificate;
pub mod csv;
pub mod digest;
mod error;
mod json;
pub mod models;
pub mod numpy;
pub mod safetensors;
pub mod table;
pub mod text;

pub use atomic::{AtomicFile, write_atomically};
pub use certificate::Certificate;
pub use digest::{Digest, Stored};
pub use error::InFile;
pub use json::{JsonError, Misfit, Problem};
pub use table::read_table;
