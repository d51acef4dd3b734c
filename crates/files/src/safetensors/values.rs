//! Values as tensors, and back.

use roundproof_format::{Encoding, Format};
use roundproof_network::{Encodings, Store, UNBOUNDED_EXPONENT_LIMIT};

use super::TensorProblem;
use super::container::{Container, Dtype, Fill, Part, Tensor};

/// The sign of a value of `F(p)`, above its significand.
const SIGN: u128 = 1 << 127;

/// A vector as a tensor of one of the types of integers that Rust has.
macro_rules! part {
    ($name:expr, $dtype:expr, $shape:expr, $vec:expr) => {{
        let vec = $vec;
        let fill = Box::new(move |bytes: &mut Vec<u8>| bytes.extend(vec.iter().flat_map(|x| x.to_le_bytes())));
        Part { name: $name, dtype: $dtype, shape: $shape, fill }
    }};
}

/// A tensor's elements as a vector of the type of integers that it holds.
macro_rules! elements {
    ($type:ty, $tensor:expr) => {
        $tensor
            .data
            .chunks_exact(size_of::<$type>())
            .map(|chunk| chunk.try_into().map_or(0, <$type>::from_le_bytes))
            .collect::<Vec<$type>>()
    };
}

/// Integers as a tensor of one dimension.
pub(super) fn u64s(name: String, vec: &[u64]) -> Part<'_> {
    part!(name, Dtype::U64, vec![vec.len()], vec)
}

/// Integers as a tensor of one dimension.
pub(super) fn u32s(name: String, vec: &[u32]) -> Part<'_> {
    part!(name, Dtype::U32, vec![vec.len()], vec)
}

/// A tensor of one dimension.
fn line<'a>(container: &mut Container<'a>, name: &str, dtype: Dtype) -> Result<Tensor<'a>, TensorProblem> {
    let tensor = container.take(name, dtype)?;
    check_rank(name, &tensor.shape, 1)?;
    Ok(tensor)
}

/// The elements of a tensor of one dimension.
pub(super) fn take_u64s(container: &mut Container<'_>, name: &str) -> Result<Vec<u64>, TensorProblem> {
    Ok(elements!(u64, line(container, name, Dtype::U64)?))
}

/// The elements of a tensor of one dimension.
pub(super) fn take_u32s(container: &mut Container<'_>, name: &str) -> Result<Vec<u32>, TensorProblem> {
    Ok(elements!(u32, line(container, name, Dtype::U32)?))
}

fn check_rank(name: &str, shape: &[usize], rank: usize) -> Result<(), TensorProblem> {
    if shape.len() == rank {
        return Ok(());
    }
    let expected = format!("one with {rank} dimensions");
    Err(TensorProblem::Shape { tensor: name.to_string(), found: shape.to_vec(), expected })
}

/// Values of `format` as the one or two tensors that hold them.
pub(super) fn values<'a>(format: Format, name: String, shape: Vec<usize>, column: &'a Encodings) -> Vec<Part<'a>> {
    let pairs = [&shape[..], &[2]].concat();
    if !format.is_bounded() {
        let significands: Fill<'a> = Box::new(move |bytes| {
            bytes.extend(column.iter().flat_map(|value| unbounded_parts(format, value).0.to_le_bytes()));
        });
        let exponents: Fill<'a> = Box::new(move |bytes| {
            bytes.extend(column.iter().flat_map(|value| unbounded_parts(format, value).1.to_le_bytes()));
        });
        let part = |suffix, dtype, shape, fill| Part { name: format!("{name}.{suffix}"), dtype, shape, fill };
        return vec![
            part("significand", Dtype::U64, pairs, significands),
            part("exponent", Dtype::I32, shape, exponents),
        ];
    }
    vec![match column.store() {
        Store::U8(vec) => part!(name, Dtype::U8, shape, vec),
        Store::U16(vec) => part!(name, Dtype::U16, shape, vec),
        Store::U32(vec) => part!(name, Dtype::U32, shape, vec),
        Store::U64(vec) => part!(name, Dtype::U64, shape, vec),
        // An integer of 128 bits, little-endian, is its low word and then its high word.
        Store::U128(vec) => part!(name, Dtype::U64, pairs, vec),
    }]
}

/// Values of `format` from the one or two tensors that hold them, and their shape, which has `rank` dimensions.
pub(super) fn take_values(
    container: &mut Container<'_>,
    format: Format,
    name: &str,
    rank: usize,
) -> Result<(Encodings, Vec<usize>), TensorProblem> {
    if !format.is_bounded() {
        return take_unbounded(container, format, name, rank);
    }
    let dtype = match format.storage_width() {
        8 => Dtype::U8,
        16 => Dtype::U16,
        32 => Dtype::U32,
        _ => Dtype::U64,
    };
    let mut tensor = container.take(name, dtype)?;
    let store = match (dtype, format.storage_width()) {
        (Dtype::U8, _) => Store::U8(tensor.data.to_vec()),
        (Dtype::U16, _) => Store::U16(elements!(u16, tensor)),
        (Dtype::U32, _) => Store::U32(elements!(u32, tensor)),
        (_, 64) => Store::U64(elements!(u64, tensor)),
        _ => {
            pop_pair(name, &mut tensor.shape)?;
            Store::U128(elements!(u128, tensor))
        }
    };
    check_rank(name, &tensor.shape, rank)?;
    Ok((Encodings::from_store(store), tensor.shape))
}

/// Takes the last dimension, which must be 2, off the shape of a tensor of pairs.
fn pop_pair(name: &str, shape: &mut Vec<usize>) -> Result<(), TensorProblem> {
    if shape.last() == Some(&2) {
        shape.pop();
        return Ok(());
    }
    let expected = "a last dimension of 2 (low and high word)".to_string();
    Err(TensorProblem::Shape { tensor: name.to_string(), found: shape.clone(), expected })
}

fn take_unbounded(
    container: &mut Container<'_>,
    format: Format,
    name: &str,
    rank: usize,
) -> Result<(Encodings, Vec<usize>), TensorProblem> {
    let (significand_name, exponent_name) = (format!("{name}.significand"), format!("{name}.exponent"));
    let mut significands = container.take(&significand_name, Dtype::U64)?;
    pop_pair(&significand_name, &mut significands.shape)?;
    check_rank(&significand_name, &significands.shape, rank)?;
    let exponents = container.take(&exponent_name, Dtype::I32)?;
    if exponents.shape != significands.shape {
        let expected = format!("{:?}, that of the significands,", significands.shape);
        return Err(TensorProblem::Shape { tensor: exponent_name, found: exponents.shape, expected });
    }
    let pairs = elements!(u128, significands).into_iter().zip(elements!(i32, exponents));
    let value = |(index, (significand, exponent))| {
        unbounded_value(format, significand, exponent).ok_or_else(|| TensorProblem::Value {
            tensor: significand_name.clone(),
            index,
            what: format!("significand {significand:#x} with exponent {exponent}"),
            format,
        })
    };
    let mut column = Encodings::with_capacity(format, exponents.shape.iter().product());
    for element in pairs.enumerate() {
        column.push(value(element)?);
    }
    Ok((column, significands.shape))
}

/// Significand (with sign) and exponent of an encoding in `F(p)` that a network or data set may hold.
fn unbounded_parts(format: Format, value: Encoding) -> (u128, i32) {
    if format.is_zero(value) {
        return (0, 0);
    }
    let (bits, trailing_bits) = (value.bits(), format.trailing_bits());
    let hidden = 1 << trailing_bits;
    let field = bits >> trailing_bits & ((1 << format.exponent_bits()) - 1);
    let exponent = field as i64 - format.bias() - i64::from(trailing_bits);
    let sign = if format.is_sign_minus(value) { SIGN } else { 0 };
    (sign | hidden | bits & (hidden - 1), exponent as i32)
}

/// The encoding in `F(p)` of a significand (with sign) and an exponent, if they are written as they should be.
fn unbounded_value(format: Format, significand: u128, exponent: i32) -> Option<Encoding> {
    let (negative, magnitude) = (significand & SIGN != 0, significand & !SIGN);
    if magnitude == 0 {
        return (!negative && exponent == 0).then_some(format.zero());
    }
    let trailing_bits = format.trailing_bits();
    if magnitude >> trailing_bits != 1 {
        return None;
    }
    // The exponent of the leading bit.
    let leading = i64::from(exponent) + i64::from(trailing_bits);
    if leading.abs() > UNBOUNDED_EXPONENT_LIMIT {
        return None;
    }
    let field = (leading + format.bias()) as u128;
    let sign = if negative { 1 << (format.width() - 1) } else { 0 };
    Some(Encoding::from_bits(sign | field << trailing_bits | magnitude & ((1 << trailing_bits) - 1)))
}
