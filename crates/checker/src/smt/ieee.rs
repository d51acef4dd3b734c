//! Z3's theory of floating-point arithmetic, with a rounding direction of its own for every operation.
//!
//! Only for the formats that SMT-LIB knows, and of those the ones whose exponent is no wider than their significand: the
//! theory's addition refuses the others. `fp.fma` is never used; see `selftest/`.

use roundproof_format::{Encoding, Format};

use super::term::Vector;

/// The sort of rounding directions.
pub const DIRECTIONS: &str = "RoundingMode";

/// The theory at one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatingPoint {
    format: Format,
    exponent: u32,
    significand: u32,
}

impl FloatingPoint {
    /// The theory at this format, if it takes it.
    pub fn new(format: Format) -> Option<FloatingPoint> {
        let (exponent, significand) = format.smtlib()?;
        (exponent <= significand).then_some(FloatingPoint { format, exponent, significand })
    }

    /// The widths of exponent and significand, `(eb, sb)`.
    pub fn widths(&self) -> (u32, u32) {
        (self.exponent, self.significand)
    }

    /// The sort of data.
    pub fn sort(&self) -> String {
        format!("(_ FloatingPoint {} {})", self.exponent, self.significand)
    }

    /// The sort of encodings. The theory has no function from a datum to its encoding, so what needs a neighbour is
    /// declared by its encoding.
    pub fn encoding_sort(&self) -> String {
        format!("(_ BitVec {})", self.format.width())
    }

    /// The sort of exponent fields, of which `pow2` makes a power of two.
    pub fn field_sort(&self) -> String {
        format!("(_ BitVec {})", self.exponent)
    }

    /// An encoding as a datum.
    pub fn constant(&self, encoding: Encoding) -> String {
        format!("(datum {})", Vector::constant(encoding.bits(), self.format.width()))
    }

    /// The field of the exponent 0, and so of 1.
    pub fn bias(&self) -> u128 {
        (1 << (self.exponent - 1)) - 1
    }

    /// The words of the lemmas, in the theory: a command each.
    pub fn definitions(&self) -> Vec<String> {
        let (eb, sb, width) = (self.exponent, self.significand, self.format.width());
        let (datum, encoding, top) = (self.sort(), self.encoding_sort(), width - 1);
        let constant = |value: u128| Vector::constant(value, width);
        let (one, minus_one) = (self.format.one(false).bits(), self.format.one(true).bits());
        let (least, minus_least) = (constant(1), constant((1 << top) + 1));
        let zero = format!("(= ((_ extract {} 0) e) {})", top - 1, Vector::zero(top));
        let negative = format!("(= ((_ extract {top} {top}) e) #b1)");
        vec![
            format!("(define-fun datum ((e {encoding})) {datum} ((_ to_fp {eb} {sb}) e))"),
            format!("(define-fun zero () {datum} (_ +zero {eb} {sb}))"),
            format!("(define-fun one () {datum} (datum {}))", constant(one)),
            format!("(define-fun minus-one () {datum} (datum {}))", constant(minus_one)),
            format!("(define-fun is-finite ((x {datum})) Bool (not (or (fp.isNaN x) (fp.isInfinite x))))"),
            format!(
                "(define-fun pred ((e {encoding})) {encoding} (ite {zero} {minus_least} (ite {negative} (bvadd e {least}) \
                 (bvsub e {least}))))"
            ),
            format!("(define-fun pow2 ((f {})) {datum} (fp #b0 f {}))", self.field_sort(), Vector::zero(sb - 1)),
            format!("(define-fun relu ((x {datum})) {datum} (ite (fp.isNaN x) x (ite (fp.leq x zero) zero x)))"),
            format!("(define-fun step ((x {datum})) {datum} (ite (fp.geq x zero) one zero))"),
        ]
    }
}
