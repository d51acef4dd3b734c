//! What data sets and forests come from: tables as CSV or NumPy's arrays, and trees that other tools have trained.
//!
//! Untrusted: a certificate is about the rounded data set and the forest, which `roundproof-files` writes, and names the
//! file that they came from by its digest alone. Still every reader takes bytes that anyone may have written, as there.
//!
//! - [`table`]: data sets from tables in any notation, rounded once to a format: [`csv`], exact text; [`numpy`], arrays.
//! - [`models`]: trees that XGBoost, LightGBM or scikit-learn have trained.

pub mod csv;
pub mod models;
pub mod numpy;
pub mod table;

pub use table::read_table;
