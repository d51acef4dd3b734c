//! A column of encodings, stored as narrowly as the format allows.

use roundproof_format::{Encoding, Format};

/// Encodings of one format, in 8, 16, 32, 64 or 128 bits each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encodings(Store);

/// The storage of an [`Encodings`], by the format's [`storage_width`](Format::storage_width).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// Formats of up to 8 bits.
    U8(Vec<u8>),
    /// Formats of up to 16 bits.
    U16(Vec<u16>),
    /// Formats of up to 32 bits.
    U32(Vec<u32>),
    /// Formats of up to 64 bits.
    U64(Vec<u64>),
    /// Wider formats. An encoding in `F(p)` has `32 + p` bits.
    U128(Vec<u128>),
}

/// Runs the same expression on whichever vector there is.
macro_rules! each_store {
    ($store:expr, $vec:ident => $body:expr) => {
        match $store {
            Store::U8($vec) => $body,
            Store::U16($vec) => $body,
            Store::U32($vec) => $body,
            Store::U64($vec) => $body,
            Store::U128($vec) => $body,
        }
    };
}

impl Encodings {
    /// An empty column for encodings of `format`.
    pub fn new(format: Format) -> Encodings {
        Encodings::with_capacity(format, 0)
    }

    /// An empty column with room for `capacity` encodings of `format`.
    pub fn with_capacity(format: Format, capacity: usize) -> Encodings {
        Encodings(match format.storage_width() {
            8 => Store::U8(Vec::with_capacity(capacity)),
            16 => Store::U16(Vec::with_capacity(capacity)),
            32 => Store::U32(Vec::with_capacity(capacity)),
            64 => Store::U64(Vec::with_capacity(capacity)),
            _ => Store::U128(Vec::with_capacity(capacity)),
        })
    }

    /// A column over an existing vector. Whether its width is that of a format, and its contents data, is checked
    /// where a network or a data set is made of it.
    pub fn from_store(store: Store) -> Encodings {
        Encodings(store)
    }

    /// The encodings in order.
    pub fn collect(format: Format, encodings: impl IntoIterator<Item = Encoding>) -> Encodings {
        let mut column = Encodings::new(format);
        column.extend(encodings);
        column
    }

    /// The vector behind the column.
    pub fn store(&self) -> &Store {
        &self.0
    }

    /// Whether encodings of `format` are stored in this width.
    pub fn fits(&self, format: Format) -> bool {
        let width = match self.0 {
            Store::U8(_) => 8,
            Store::U16(_) => 16,
            Store::U32(_) => 32,
            Store::U64(_) => 64,
            Store::U128(_) => 128,
        };
        width == format.storage_width()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        each_store!(&self.0, vec => vec.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends one. Bits above the storage width are lost: `encoding` must be of the column's format.
    pub fn push(&mut self, encoding: Encoding) {
        let bits = encoding.bits();
        match &mut self.0 {
            Store::U8(vec) => vec.push(bits as u8),
            Store::U16(vec) => vec.push(bits as u16),
            Store::U32(vec) => vec.push(bits as u32),
            Store::U64(vec) => vec.push(bits as u64),
            Store::U128(vec) => vec.push(bits),
        }
    }

    /// The encoding at `index`.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[inline]
    #[allow(clippy::useless_conversion)] // for the one width that is 128 bits already
    pub fn get(&self, index: usize) -> Encoding {
        each_store!(&self.0, vec => Encoding::from_bits(u128::from(vec[index])))
    }

    /// Replaces the encoding at `index`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn set(&mut self, index: usize, encoding: Encoding) {
        let bits = encoding.bits();
        match &mut self.0 {
            Store::U8(vec) => vec[index] = bits as u8,
            Store::U16(vec) => vec[index] = bits as u16,
            Store::U32(vec) => vec[index] = bits as u32,
            Store::U64(vec) => vec[index] = bits as u64,
            Store::U128(vec) => vec[index] = bits,
        }
    }

    /// The encodings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Encoding> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl Extend<Encoding> for Encodings {
    fn extend<I: IntoIterator<Item = Encoding>>(&mut self, encodings: I) {
        for encoding in encodings {
            self.push(encoding);
        }
    }
}
