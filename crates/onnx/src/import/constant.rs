//! Tensors that are known whatever the row is: initializers, and what is computed of shapes.

use roundproof_format::{Encoding, Format};
use roundproof_graph::elements;
use roundproof_network::{Encodings, Store};
use roundproof_softfloat::{Unpacked, decode, encode};

use super::error::{Problem, bare};
use crate::ELEMENTS;
use crate::proto::{DataType, TensorProto};

/// A tensor that is known whatever the row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Constant {
    pub shape: Vec<usize>,
    pub values: Values,
}

/// The elements of a constant, the last axis fastest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Encodings of a format.
    Floats(Format, Encodings),
    /// Integers of a type, or truth values, 0 and 1.
    Integers(DataType, Vec<i64>),
    /// Texts.
    Texts(Vec<String>),
}

/// The data types of tensors that may depend on a row.
const FLOATS: [DataType; 4] = [DataType::Float, DataType::Float16, DataType::Bfloat16, DataType::Double];

/// The format of a data type, if tensors of it are supported.
pub(super) fn float_format(datatype: DataType) -> Option<Format> {
    FLOATS.contains(&datatype).then_some(())?;
    ELEMENTS.iter().find(|(_, element)| *element == datatype).map(|(format, _)| *format)
}

/// A data type by its number.
pub(super) fn datatype(number: i64) -> Result<DataType, Problem> {
    let known = i32::try_from(number).ok().and_then(|number| DataType::try_from(number).ok());
    known.ok_or_else(|| Problem::other(format!("the data type {number} is not known")))
}

/// The least and the largest of a type of integers.
pub(super) fn range_of(datatype: DataType) -> Option<(i64, i64)> {
    Some(match datatype {
        DataType::Bool => (0, 1),
        DataType::Uint8 => (0, u8::MAX.into()),
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Uint16 => (0, u16::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::Uint32 => (0, u32::MAX.into()),
        DataType::Int64 => (i64::MIN, i64::MAX),
        // What is larger than the largest of int64 is refused where it is read.
        DataType::Uint64 => (0, i64::MAX),
        _ => return None,
    })
}

/// The name of a data type, in the words of ONNX.
pub(super) fn type_name(datatype: DataType) -> &'static str {
    match datatype {
        DataType::Undefined => "undefined",
        DataType::Float => "float32",
        DataType::Uint8 => "uint8",
        DataType::Int8 => "int8",
        DataType::Uint16 => "uint16",
        DataType::Int16 => "int16",
        DataType::Int32 => "int32",
        DataType::Int64 => "int64",
        DataType::String => "string",
        DataType::Bool => "bool",
        DataType::Float16 => "float16",
        DataType::Double => "float64",
        DataType::Uint32 => "uint32",
        DataType::Uint64 => "uint64",
        DataType::Complex64 => "complex64",
        DataType::Complex128 => "complex128",
        DataType::Bfloat16 => "bfloat16",
        DataType::Float8e4m3fn => "float8e4m3fn",
        DataType::Float8e4m3fnuz => "float8e4m3fnuz",
        DataType::Float8e5m2 => "float8e5m2",
        DataType::Float8e5m2fnuz => "float8e5m2fnuz",
        DataType::Uint4 => "uint4",
        DataType::Int4 => "int4",
        DataType::Float4e2m1 => "float4e2m1",
        DataType::Float8e8m0 => "float8e8m0",
        DataType::Uint2 => "uint2",
        DataType::Int2 => "int2",
        DataType::Float6e2m3 => "float6e2m3",
        DataType::Float6e3m2 => "float6e3m2",
    }
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Values::Floats(_, values) => values.len(),
            Values::Integers(_, values) => values.len(),
            Values::Texts(values) => values.len(),
        }
    }

    /// Nothing, of the same type.
    fn none(&self) -> Values {
        match self {
            Values::Floats(format, _) => Values::Floats(*format, Encodings::new(*format)),
            Values::Integers(datatype, _) => Values::Integers(*datatype, Vec::new()),
            Values::Texts(_) => Values::Texts(Vec::new()),
        }
    }

    /// Appends an element of another one; false if they are not of one type.
    fn push_from(&mut self, other: &Values, element: usize) -> bool {
        match (self, other) {
            (Values::Floats(to, values), Values::Floats(from, others)) if to == from => {
                values.push(others.get(element));
            }
            (Values::Integers(to, values), Values::Integers(from, others)) if to == from => {
                values.push(others[element]);
            }
            (Values::Texts(values), Values::Texts(others)) => values.push(others[element].clone()),
            _ => return false,
        }
        true
    }

    /// The elements at these places, each of one of several constants.
    pub fn picked(of: &[&Values], picks: impl Iterator<Item = (usize, usize)>) -> Result<Values, Problem> {
        let mut values = of[0].none();
        for (read, element) in picks {
            if !values.push_from(of[read], element) {
                return Err(Problem::operand(read, "its data type is not that of the first operand"));
            }
        }
        Ok(values)
    }

    pub fn describe(&self) -> String {
        match self {
            Values::Floats(format, _) => format.to_string(),
            Values::Integers(datatype, _) => type_name(*datatype).to_string(),
            Values::Texts(_) => "string".to_string(),
        }
    }
}

impl Constant {
    /// Integers of one axis.
    pub fn integers(values: Vec<i64>) -> Constant {
        Constant { shape: vec![values.len()], values: Values::Integers(DataType::Int64, values) }
    }

    /// Numbers of binary32 of these shapes.
    pub fn floats(shape: Vec<usize>, values: &[f32]) -> Constant {
        let values = values.iter().map(|value| Encoding::from_bits(value.to_bits().into()));
        let values = Encodings::collect(Format::BINARY32, values);
        Constant { shape, values: Values::Floats(Format::BINARY32, values) }
    }

    /// The constant that a message holds.
    pub fn read(proto: &TensorProto) -> Result<Constant, Problem> {
        let TensorProto {
            dims,
            data_type,
            float_data,
            int32_data,
            string_data,
            int64_data,
            name: _,
            raw_data,
            double_data,
            uint64_data,
        } = proto;
        let shape: Option<Vec<usize>> = dims.iter().map(|&size| usize::try_from(size).ok()).collect();
        let shape = shape.ok_or_else(|| Problem::other(format!("a tensor cannot have the shape {}", shown(dims))))?;
        let count = elements(&shape).ok_or(roundproof_graph::Problem::Size { shape: shape.clone() })?;
        let datatype = datatype(data_type.unwrap_or(0).into())?;
        let values = match (datatype, raw_data) {
            (DataType::String, None) => {
                let texts = string_data.iter().map(|text| String::from_utf8(text.clone()));
                let texts: Result<Vec<String>, _> = texts.collect();
                Values::Texts(texts.map_err(|_| Problem::other("a text is not UTF-8"))?)
            }
            (DataType::Float, None) => {
                return Constant::floats(shape, float_data).counted(count);
            }
            (DataType::Double, None) => {
                let store = Store::U64(double_data.iter().map(|value| value.to_bits()).collect());
                Values::Floats(Format::BINARY64, Encodings::from_store(store))
            }
            (DataType::Float16 | DataType::Bfloat16, None) => {
                let narrow = int32_data.iter().map(|&bits| u16::try_from(bits));
                let narrow: Result<Vec<u16>, _> = narrow.collect();
                let store = Store::U16(narrow.map_err(|_| Problem::other("an element has more than 16 bits"))?);
                let format = if datatype == DataType::Float16 { Format::BINARY16 } else { Format::BFLOAT16 };
                Values::Floats(format, Encodings::from_store(store))
            }
            (DataType::Int64, None) => Values::Integers(datatype, int64_data.clone()),
            (DataType::Uint32 | DataType::Uint64, None) => {
                let signed: Result<Vec<i64>, _> = uint64_data.iter().map(|&value| i64::try_from(value)).collect();
                let signed = signed.map_err(|_| Problem::other("an element is larger than 2^63 - 1"))?;
                Values::Integers(datatype, within(datatype, signed)?)
            }
            (
                DataType::Bool
                | DataType::Int8
                | DataType::Uint8
                | DataType::Int16
                | DataType::Uint16
                | DataType::Int32,
                None,
            ) => Values::Integers(datatype, within(datatype, int32_data.iter().map(|&value| value.into()).collect())?),
            (_, Some(bytes)) => raw(datatype, bytes)?,
            (_, None) => return Err(unsupported(datatype)),
        };
        Constant { shape, values }.counted(count)
    }

    fn counted(self, count: usize) -> Result<Constant, Problem> {
        if self.values.len() == count {
            return Ok(self);
        }
        let Constant { shape, values } = self;
        Err(roundproof_graph::Problem::Stored { stored: values.len(), shape }.into())
    }

    /// The integers, if they are.
    pub fn as_integers(&self) -> Option<&[i64]> {
        match &self.values {
            Values::Integers(_, values) => Some(values),
            Values::Floats(_, _) | Values::Texts(_) => None,
        }
    }

    /// The constant in another data type; none if a value is not one of that type.
    pub fn cast(&self, to: DataType) -> Result<Option<Constant>, Problem> {
        let Constant { shape, values } = self;
        let format = float_format(to);
        let values = match (values, format) {
            (Values::Texts(texts), None) if to == DataType::String => Some(Values::Texts(texts.clone())),
            (Values::Integers(_, numbers), None) if to == DataType::Bool => {
                Some(Values::Integers(to, numbers.iter().map(|&number| i64::from(number != 0)).collect()))
            }
            (Values::Integers(_, numbers), None) if range_of(to).is_some() => {
                Some(Values::Integers(to, within(to, numbers.clone())?))
            }
            (Values::Integers(_, numbers), Some(format)) => {
                let exact = |&number: &i64| encode(format, number < 0, number.unsigned_abs().into(), 0);
                let encodings: Option<Vec<Encoding>> = numbers.iter().map(exact).collect();
                encodings.map(|encodings| Values::Floats(format, Encodings::collect(format, encodings)))
            }
            (Values::Floats(from, column), Some(format)) => {
                let encodings: Option<Vec<Encoding>> =
                    column.iter().map(|value| converted(*from, value, format)).collect();
                encodings.map(|encodings| Values::Floats(format, Encodings::collect(format, encodings)))
            }
            (Values::Floats(from, column), None) if range_of(to).is_some() => {
                let numbers: Option<Vec<i64>> = column.iter().map(|value| integer(*from, value)).collect();
                match numbers {
                    Some(numbers) if to == DataType::Bool => {
                        Some(Values::Integers(to, numbers.iter().map(|&number| i64::from(number != 0)).collect()))
                    }
                    Some(numbers) => Some(Values::Integers(to, within(to, numbers)?)),
                    None => None,
                }
            }
            _ => {
                let from = values.describe();
                return Err(Problem::other(format!("a cast of {from} to {} is not supported", type_name(to))));
            }
        };
        Ok(values.map(|values| Constant { shape: shape.clone(), values }))
    }
}

/// A list of sizes, as much of it as a message can hold.
pub(super) fn shown<T: std::fmt::Debug>(sizes: &[T]) -> String {
    match sizes.get(..12) {
        Some(start) if sizes.len() > 12 => {
            let start = format!("{start:?}");
            format!("{}, …]", start.trim_end_matches(']'))
        }
        _ => format!("{sizes:?}"),
    }
}

/// A finite value of one format as an encoding in another that has it.
pub(super) fn converted(from: Format, value: Encoding, to: Format) -> Option<Encoding> {
    match decode(from, value) {
        Unpacked::Zero { negative } => encode(to, negative, 0, 0),
        Unpacked::Finite { negative, significand, exponent } => encode(to, negative, significand, exponent),
        Unpacked::Infinity { negative } => to.infinity(negative),
        Unpacked::Nan => to.nan(),
    }
}

/// A value that is an integer of 64 bits.
fn integer(format: Format, value: Encoding) -> Option<i64> {
    match decode(format, value) {
        Unpacked::Zero { negative: _ } => Some(0),
        Unpacked::Finite { negative, significand, exponent } => {
            let zeros = significand.trailing_zeros();
            let shift = exponent + i64::from(zeros);
            let odd = i128::try_from(significand >> zeros).ok()?;
            let shift = u32::try_from(shift).ok().filter(|&shift| shift < 63)?;
            let magnitude = odd.checked_mul(1i128 << shift)?;
            i64::try_from(if negative { -magnitude } else { magnitude }).ok()
        }
        Unpacked::Infinity { negative: _ } | Unpacked::Nan => None,
    }
}

fn unsupported(datatype: DataType) -> Problem {
    Problem::other(format!(
        "tensors of {} are not supported; float32, float16, bfloat16, float64, integers, bool and string are",
        bare(type_name(datatype))
    ))
}

/// Integers that are of this type.
fn within(datatype: DataType, values: Vec<i64>) -> Result<Vec<i64>, Problem> {
    let (least, largest) = range_of(datatype).ok_or_else(|| unsupported(datatype))?;
    match values.iter().find(|&&value| value < least || value > largest) {
        Some(value) => Err(Problem::other(format!("{value} is not a value of {}", type_name(datatype)))),
        None => Ok(values),
    }
}

/// Elements that are written little-endian, one behind the other.
fn raw(datatype: DataType, bytes: &[u8]) -> Result<Values, Problem> {
    macro_rules! chunks {
        ($type:ty) => {{
            let (chunks, rest) = bytes.as_chunks::<{ size_of::<$type>() }>();
            if !rest.is_empty() {
                let what = format!("{} bytes are not elements of {}", bytes.len(), type_name(datatype));
                return Err(Problem::other(what));
            }
            chunks.iter().map(|chunk| <$type>::from_le_bytes(*chunk))
        }};
    }
    macro_rules! integers {
        ($type:ty) => {
            chunks!($type).map(i64::from).collect()
        };
    }
    if let Some(format) = float_format(datatype) {
        let store = match format.storage_width() {
            16 => Store::U16(chunks!(u16).collect()),
            32 => Store::U32(chunks!(u32).collect()),
            _ => Store::U64(chunks!(u64).collect()),
        };
        return Ok(Values::Floats(format, Encodings::from_store(store)));
    }
    let values: Vec<i64> = match datatype {
        DataType::Bool | DataType::Uint8 => integers!(u8),
        DataType::Int8 => integers!(i8),
        DataType::Uint16 => integers!(u16),
        DataType::Int16 => integers!(i16),
        DataType::Int32 => integers!(i32),
        DataType::Uint32 => integers!(u32),
        DataType::Int64 => chunks!(i64).collect(),
        DataType::Uint64 => {
            let values: Result<Vec<i64>, _> = chunks!(u64).map(i64::try_from).collect();
            values.map_err(|_| Problem::other("an element is larger than 2^63 - 1"))?
        }
        _ => return Err(unsupported(datatype)),
    };
    Ok(Values::Integers(datatype, within(datatype, values)?))
}
