//! Which formats ONNX has, and in which type operations on their values are done.

use roundproof_format::{Format, Overflow, RoundingMode};
use roundproof_network::{PathModel, Rounding};

use crate::ExportError;
use crate::proto::DataType;

/// The formats that ONNX has a type for, narrowest first.
pub const ELEMENTS: &[(Format, DataType)] = &[
    (Format::FLOAT8_E4M3FN, DataType::Float8e4m3fn),
    (Format::FLOAT8_E4M3FNUZ, DataType::Float8e4m3fnuz),
    (Format::FLOAT8_E5M2, DataType::Float8e5m2),
    (Format::FLOAT8_E5M2FNUZ, DataType::Float8e5m2fnuz),
    (Format::BFLOAT16, DataType::Bfloat16),
    (Format::BINARY16, DataType::Float16),
    (Format::BINARY32, DataType::Float),
    (Format::BINARY64, DataType::Double),
];

/// The type of a format.
///
/// # Errors
///
/// If there is none.
pub fn element(format: Format) -> Result<DataType, ExportError> {
    let found = ELEMENTS.iter().find(|(known, _)| *known == format);
    found.map(|(_, element)| *element).ok_or(ExportError::Format { format })
}

/// Rounding to a format, and the type that values are in when it is done.
///
/// ONNX Runtime has no addition of its own for narrower formats than binary32: it casts their tensors, adds in binary32, and
/// casts back only where somebody looks. So values of narrow formats are in tensors of binary32 here, which hold each exactly, and
/// every operation is followed by a Cast to the format and one back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// The format.
    pub format: Format,
    /// Its type.
    pub element: DataType,
    /// The type of tensors that are computed with: [`DataType::Float`] or [`DataType::Double`].
    pub carrier: DataType,
    /// Of types for which a Cast has the attribute: whether what overflows becomes the largest value.
    pub saturate: Option<bool>,
}

impl Arithmetic {
    /// Operations of `model` that give values of a format.
    ///
    /// # Errors
    ///
    /// If ONNX has no such type, or its operations do not overflow like that.
    pub fn new(format: Format, overflow: Overflow) -> Result<Arithmetic, ExportError> {
        let element = element(format)?;
        let refused = || ExportError::Overflow { format, overflow };
        // Two more would do if ONNX Runtime (1.32.0) did as ONNX says: its Cast without saturation makes NaN of 61440 to 65536 in
        // float8_e5m2, and 448 of 480 to 496 in float8_e4m3fn.
        let saturate = match (element, overflow) {
            (DataType::Float16 | DataType::Bfloat16 | DataType::Float | DataType::Double, Overflow::Ieee) => None,
            (
                DataType::Float8e4m3fn | DataType::Float8e4m3fnuz | DataType::Float8e5m2 | DataType::Float8e5m2fnuz,
                Overflow::Saturate,
            ) => Some(true),
            (DataType::Float8e4m3fnuz | DataType::Float8e5m2fnuz, Overflow::Nan) => Some(false),
            (_, Overflow::Ieee | Overflow::Saturate | Overflow::Nan) => return Err(refused()),
        };
        let carrier = if element == DataType::Double { DataType::Double } else { DataType::Float };
        Ok(Arithmetic { format, element, carrier, saturate })
    }

    /// A format of which nothing but its values is needed: nothing is rounded to it.
    ///
    /// # Errors
    ///
    /// If ONNX has no such type.
    pub fn stored(format: Format) -> Result<Arithmetic, ExportError> {
        Arithmetic::new(format, format.default_overflow()).or_else(|_| Arithmetic::new(format, Overflow::Saturate))
    }

    /// Whether operations on the carrier round to the format by themselves.
    pub fn is_native(&self) -> bool {
        self.element == self.carrier
    }
}

/// Refuses directions in which no runtime rounds.
///
/// # Errors
///
/// If the model has but one, and that is another than to nearest, ties to even.
pub fn check_rounding(model: &PathModel) -> Result<(), ExportError> {
    match model.rounding {
        Rounding::Any | Rounding::Mode(RoundingMode::TiesToEven) => Ok(()),
        Rounding::Mode(mode) => Err(ExportError::Rounding { mode }),
    }
}
