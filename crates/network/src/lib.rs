//! Networks, data sets, forests, path models and witnesses: plain data with their invariants. No arithmetic, no files.
//!
//! A value of these types that exists is well formed: indices point somewhere, shapes agree, every stored number is a
//! finite datum of the format. What the data *compute* is defined by `roundproof-kernel` and `roundproof-paths`, each
//! on its own arithmetic.

mod activation;
mod dataset;
mod encodings;
mod forest;
mod geometry;
mod layer;
mod matrix;
mod model;
mod network;
mod place;
mod preorder;
mod step;
mod witness;

pub use activation::{Activation, ActivationError};
pub use dataset::{Dataset, DatasetError};
pub use encodings::{Encodings, Store};
pub use forest::{Forest, ForestError, Tree, TreeNode};
pub use geometry::{Axis, Geometry, GeometryError, Taps};
pub use layer::Layer;
pub use matrix::{Convolution, Dense, Matrix, Places, Sparse, Storage, Terms, Window, Windows};
pub use model::{Accumulator, Contraction, ModelError, Order, PathModel, Rounding, Summation, Trees};
pub use network::{Network, NetworkError};
pub use place::{BoxNumber, Input, Output, Place, Row, Site, Unit};
pub use preorder::{Parts, Preorder, Turn};
pub use step::{Datatype, Neuron, Op, Placed, SparseLayer, Step};
pub use witness::{Addition, At, Choice, Flushes, NeuronPath, PathError, SumPath, TreePath, Witness};

/// The largest magnitude of an exponent of a stored value of `F(p)`, and the most layers of a network over it: the
/// exponents of all intermediate results then stay far within the 32 bits that an encoding in `F(p)` gives them.
pub const UNBOUNDED_EXPONENT_LIMIT: i64 = 1 << 20;
/// The most layers of a network. See [`UNBOUNDED_EXPONENT_LIMIT`].
pub const MAX_LAYERS: usize = 512;
/// The most values that an evaluation makes beyond those that numbers are stored of: neurons of convolutions, of windows that
/// slide and of products, and copies of several vectors that are read as one. No small file makes a large evaluation.
pub const MAX_NEURONS: usize = 1 << 26;

/// Whether networks, forests and data sets may hold a value: finite, and in `F(p)` with an exponent of at most 2^20 in
/// magnitude.
pub fn is_admitted(format: roundproof_format::Format, encoding: roundproof_format::Encoding) -> bool {
    if !format.is_finite(encoding) {
        return false;
    }
    if format.is_bounded() || format.is_zero(encoding) {
        return true;
    }
    let field = encoding.bits() >> format.trailing_bits() & ((1 << format.exponent_bits()) - 1);
    (field as i64 - format.bias()).abs() <= UNBOUNDED_EXPONENT_LIMIT
}
