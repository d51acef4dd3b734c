//! Reading and writing: networks, data sets and forests as safetensors, certificates as JSON.
//!
//! Every reader takes bytes that anyone may have written. It gives a value that keeps the invariants of its type, or a
//! typed error that names the file and the place in it; it does not panic, and allocates no more than the file's size
//! (and a fixed bound on the length of paths in a witness) justifies. Every writer gives the same bytes for the same
//! value, so that SHA-256 digests name values, and replaces a file as a whole or not at all.
//!
//! - [`safetensors`]: networks, graphs, rounded data sets and rows of audits; the layout is written down there.
//! - [`certificate`]: what was claimed, of which files, on what evidence; the notation is written down there.
//! - [`audit`]: certificates of audits, in the same notation.
//! - [`digest`], [`atomic`]: SHA-256, and files that are never half-written.
//! - [`json`]: strict JSON.
//!
//! Tables and models, which data sets and forests come from, are read by `roundproof-sources`.

pub mod atomic;
pub mod audit;
pub mod certificate;
pub mod digest;
mod error;
pub mod json;
pub mod safetensors;

pub use atomic::{AtomicFile, write_atomically};
pub use certificate::Certificate;
pub use digest::{Digest, Stored};
pub use error::{In, InFile};
pub use json::{JsonError, Misfit, Problem};
