//! The types of elements.

use std::fmt;

use roundproof_format::Format;

use crate::table::{Scalar, Source};

/// A type of elements that is read, with its byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dtype {
    kind: Kind,
    /// Bytes of an element.
    size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Unsigned,
    Signed,
    Float,
    /// Encodings of a format that NumPy does not know, one in each byte or two bytes.
    Encoded,
}

/// Why a type is not read: what its elements are, and what to do.
pub(super) type Refusal = (&'static str, &'static str);

const TO_DOUBLE: &str = "use .astype(numpy.float64) where that loses nothing that matters";

impl Dtype {
    /// Unsigned bytes.
    pub const U8: Dtype = Dtype { kind: Kind::Unsigned, size: 1, big_endian: false };
    /// binary16, the low byte first.
    pub const F16: Dtype = Dtype { kind: Kind::Float, size: 2, big_endian: false };
    /// binary32, the low byte first.
    pub const F32: Dtype = Dtype { kind: Kind::Float, size: 4, big_endian: false };
    /// binary64, the low byte first.
    pub const F64: Dtype = Dtype { kind: Kind::Float, size: 8, big_endian: false };

    /// Bytes of an element.
    pub fn size(self) -> usize {
        self.size
    }

    /// The format of floating-point elements.
    pub fn format(self) -> Option<Format> {
        self.source().map(Source::format)
    }

    #[inline]
    fn source(self) -> Option<Source> {
        match (self.kind, self.size) {
            (Kind::Float, 2) => Some(Source::Binary16),
            (Kind::Float, 4) => Some(Source::Binary32),
            (Kind::Float, 8) => Some(Source::Binary64),
            _ => None,
        }
    }

    /// The type that a header names, such as `<f4`.
    pub(super) fn parse(text: &str) -> Result<Dtype, Refusal> {
        let unknown = ("elements of an unknown type", TO_DOUBLE);
        // As those write it who register the name themselves.
        if text == "bfloat16" {
            return Ok(Dtype { kind: Kind::Encoded, size: 2, big_endian: false });
        }
        let mut rest = text.chars();
        let (order, kind) = (rest.next().ok_or(unknown)?, rest.next().ok_or(unknown)?);
        let size = rest.as_str();
        match kind {
            'c' => return Err(("complex numbers", "save .real, .imag or both as arrays of their own")),
            'O' => return Err(("pickled objects, which are never loaded", "use .astype(numpy.float64)")),
            'S' | 'U' | 'a' => return Err(("strings", "number the categories")),
            'M' | 'm' => return Err(("dates or times", "use .astype(numpy.int64)")),
            // As ml_dtypes has its types saved: float8_e5m2 as `<f1`, others of a byte as `|V1`, bfloat16 as `<V2`.
            'V' | 'f' if matches!((kind, size), ('V' | 'f', "1") | ('V', "2")) => {
                let size = if size == "1" { 1 } else { 2 };
                return Ok(Dtype { kind: Kind::Encoded, size, big_endian: order == '>' && size > 1 });
            }
            'V' => return Err(("raw bytes", "use .astype(numpy.float32) before saving")),
            'f' if !matches!(size, "2" | "4" | "8") => return Err(("extended floating-point numbers", TO_DOUBLE)),
            _ => {}
        }
        let (kind, size) = match (kind, size) {
            ('b', "1") => (Kind::Bool, 1),
            ('u', "1") => (Kind::Unsigned, 1),
            ('u', "2") => (Kind::Unsigned, 2),
            ('u', "4") => (Kind::Unsigned, 4),
            ('u', "8") => (Kind::Unsigned, 8),
            ('i', "1") => (Kind::Signed, 1),
            ('i', "2") => (Kind::Signed, 2),
            ('i', "4") => (Kind::Signed, 4),
            ('i', "8") => (Kind::Signed, 8),
            ('f', "2") => (Kind::Float, 2),
            ('f', "4") => (Kind::Float, 4),
            ('f', "8") => (Kind::Float, 8),
            _ => return Err(unknown),
        };
        let big_endian = match order {
            '<' => false,
            '>' => true,
            '|' if size == 1 => false,
            _ => return Err(("elements whose byte order is not said", "write it again with numpy.save")),
        };
        Ok(Dtype { kind, size, big_endian: big_endian && size > 1 })
    }

    /// Whether its elements are encodings of a format that the type does not name.
    pub(super) fn is_encoded(self) -> bool {
        self.kind == Kind::Encoded
    }

    /// Whether elements that are encoded without a word of their format are those of `format`: of one byte for formats of up
    /// to 8 bits, of two for bfloat16. Others have a type of their own.
    pub(super) fn may_encode(self, format: Format) -> bool {
        !self.is_encoded() || (self.size == 1 && format.width() <= 8) || (self.size == 2 && format == Format::BFLOAT16)
    }

    /// The element at `index`; none if it is a boolean other than 0 and 1, or not an encoding of `format`, which encoded
    /// elements are taken to be of.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[inline]
    pub(super) fn element(self, bytes: &[u8], index: usize, format: Format) -> Option<Scalar> {
        let bits = match self.size {
            1 => u64::from(bytes[index]),
            2 => u64::from(self.ordered(bytes, index, u16::from_le_bytes, u16::from_be_bytes)),
            4 => u64::from(self.ordered(bytes, index, u32::from_le_bytes, u32::from_be_bytes)),
            _ => self.ordered(bytes, index, u64::from_le_bytes, u64::from_be_bytes),
        };
        match self.kind {
            Kind::Bool if bits > 1 => None,
            Kind::Bool | Kind::Unsigned => Some(Scalar::Integer { negative: false, magnitude: bits }),
            Kind::Signed => {
                let unused = 64 - 8 * self.size as u32;
                let value = ((bits << unused) as i64) >> unused;
                Some(Scalar::Integer { negative: value < 0, magnitude: value.unsigned_abs() })
            }
            Kind::Encoded => (bits >> format.width() == 0).then_some(Scalar::Encoded { format, bits }),
            Kind::Float => self.source().map(|source| Scalar::Datum { source, bits }),
        }
    }

    #[inline]
    fn ordered<T, const N: usize>(self, bytes: &[u8], index: usize, le: fn([u8; N]) -> T, be: fn([u8; N]) -> T) -> T {
        let mut element = [0; N];
        element.copy_from_slice(&bytes[index * N..(index + 1) * N]);
        if self.big_endian { be(element) } else { le(element) }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match (self.size, self.big_endian) {
            (1, _) => '|',
            (_, true) => '>',
            (_, false) => '<',
        };
        let kind = match self.kind {
            Kind::Bool => 'b',
            Kind::Unsigned => 'u',
            Kind::Signed => 'i',
            Kind::Float => 'f',
            Kind::Encoded => 'V',
        };
        write!(f, "{order}{kind}{}", self.size)
    }
}
