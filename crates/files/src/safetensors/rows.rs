//! The rows that an audit is about.

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_format::Format;
use roundproof_network::Encodings;

use crate::error::In;

use super::container::{self, Container};
use super::network::canonical_format;
use super::values::{take_u64s, take_values, u64s, values};
use super::{TensorError, TensorProblem};

/// What the metadata entry `kind` says.
pub(super) const KIND: &str = "roundproof rows, version 1";

/// Rows of inputs, with their numbers in the data that they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRows {
    format: Format,
    dimension: usize,
    inputs: Encodings,
    numbers: Vec<u64>,
}

impl AuditRows {
    /// Rows of `dimension` inputs each, all finite, with ascending numbers; or what is wrong with them.
    ///
    /// # Errors
    ///
    /// If there are not so many inputs, one is not finite, or the numbers are not ascending.
    pub fn new(
        format: Format,
        dimension: usize,
        inputs: Encodings,
        numbers: Vec<u64>,
    ) -> Result<AuditRows, TensorProblem> {
        let layout = |tensor: &str, what: String| TensorProblem::Layout { tensor: tensor.to_string(), what };
        if dimension == 0 || numbers.len().checked_mul(dimension) != Some(inputs.len()) || !inputs.fits(format) {
            let what =
                format!("{} values of {format} are not {} rows of {dimension} inputs", inputs.len(), numbers.len());
            return Err(layout("inputs", what));
        }
        if let Some(place) = numbers.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(layout("numbers", format!("the number of row {} is not above the one before", place + 1)));
        }
        if let Some((index, value)) = inputs.iter().enumerate().find(|(_, value)| !format.is_finite(*value)) {
            let (tensor, what) = ("inputs".to_string(), format!("{:#x}", value.bits()));
            return Err(TensorProblem::Value { tensor, index, what, format });
        }
        Ok(AuditRows { format, dimension, inputs, numbers })
    }

    /// The format of every input.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many inputs a row has.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The numbers of the rows, ascending.
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// The inputs, row by row.
    pub fn inputs(&self) -> &Encodings {
        &self.inputs
    }

    /// These rows and others, in the order of their numbers; or the number of a row that both have.
    ///
    /// # Errors
    ///
    /// If both have a row of one number.
    ///
    /// # Panics
    ///
    /// If the others are of another format or size.
    pub fn join(&self, other: &AuditRows) -> Result<AuditRows, u64> {
        assert_eq!((self.format, self.dimension), (other.format, other.dimension), "rows of one kind");
        let mut order: Vec<(u64, &AuditRows, usize)> = Vec::with_capacity(self.numbers.len() + other.numbers.len());
        for rows in [self, other] {
            order.extend(rows.numbers.iter().enumerate().map(|(index, &number)| (number, rows, index)));
        }
        order.sort_by_key(|(number, _, _)| *number);
        if let Some(pair) = order.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(pair[0].0);
        }
        let values = order.iter().flat_map(|(_, rows, index)| {
            (index * rows.dimension..(index + 1) * rows.dimension).map(|place| rows.inputs.get(place))
        });
        let inputs = Encodings::collect(self.format, values);
        let numbers = order.iter().map(|(number, _, _)| *number).collect();
        Ok(AuditRows { format: self.format, dimension: self.dimension, inputs, numbers })
    }
}

/// The bytes of the rows' file: the same for the same rows, always.
pub fn audit_rows_bytes(rows: &AuditRows) -> Vec<u8> {
    let AuditRows { format, dimension, inputs, numbers } = rows;
    let mut parts = values(*format, "inputs".to_string(), vec![numbers.len(), *dimension], inputs);
    parts.push(u64s("numbers".to_string(), numbers));
    let metadata = BTreeMap::from([("format", format.to_string()), ("kind", KIND.to_string())]);
    container::bytes(&metadata, parts)
}

/// The rows in `bytes`, which come from `file`.
///
/// # Errors
///
/// If they are not rows of an audit.
pub fn parse_audit_rows(file: &Path, bytes: &[u8]) -> Result<AuditRows, TensorError> {
    parse(bytes).in_file(file)
}

fn parse(bytes: &[u8]) -> Result<AuditRows, TensorProblem> {
    let mut container = Container::parse(bytes)?;
    container.read_metadata("kind", |text| if text == KIND { Ok(()) } else { Err(format!("`{KIND}` is needed")) })?;
    let format = container.read_metadata("format", |text| canonical_format(text).map_err(|error| error.to_string()))?;
    if !format.is_bounded() {
        let what = format!("{format} has exponents without end; audits are about other formats");
        return Err(TensorProblem::Metadata { key: "format".to_string(), what });
    }
    let (inputs, shape) = take_values(&mut container, format, "inputs", 2)?;
    let numbers = take_u64s(&mut container, "numbers")?;
    container.finish()?;
    if shape[0] != numbers.len() {
        let expected = format!("[{}, …], a row for each number,", numbers.len());
        return Err(TensorProblem::Shape { tensor: "inputs".to_string(), found: shape, expected });
    }
    AuditRows::new(format, shape[1], inputs, numbers)
}

#[cfg(test)]
mod tests {
    use roundproof_format::Encoding;

    use super::*;

    fn rows(numbers: &[u64]) -> AuditRows {
        let format = Format::BFLOAT16;
        let values = numbers.iter().flat_map(|number| [0x3f80 + u128::from(*number), 0x8000]);
        let inputs = Encodings::collect(format, values.map(Encoding::from_bits));
        AuditRows::new(format, 2, inputs, numbers.to_vec()).expect("rows")
    }

    #[test]
    fn rows_read_back_and_every_change_of_the_form_is_refused() {
        for numbers in [&[0, 3, 7][..], &[5], &[]] {
            let rows = rows(numbers);
            let bytes = audit_rows_bytes(&rows);
            assert_eq!(parse_audit_rows(Path::new("rows"), &bytes).expect("rows"), rows);
            assert!(parse_audit_rows(Path::new("rows"), &[&bytes[..], b"x"].concat()).is_err());
            assert!(parse_audit_rows(Path::new("rows"), &bytes[..bytes.len() - 1]).is_err());
        }
    }

    #[test]
    fn what_is_not_rows_is_refused() {
        let format = Format::BFLOAT16;
        let column = |bits: &[u128]| Encodings::collect(format, bits.iter().map(|&bits| Encoding::from_bits(bits)));
        assert!(AuditRows::new(format, 2, column(&[0, 0, 0]), vec![0, 1]).is_err());
        assert!(AuditRows::new(format, 0, column(&[]), vec![0]).is_err());
        assert!(AuditRows::new(format, 1, column(&[0, 0]), vec![1, 1]).is_err());
        assert!(AuditRows::new(format, 1, column(&[0, 0]), vec![1, 0]).is_err());
        let error = AuditRows::new(format, 1, column(&[0, 0x7f80]), vec![0, 1]).expect_err("an infinity").to_string();
        assert!(error.contains("element 1: 0x7f80 is not a value"), "{error}");
    }

    #[test]
    fn parts_are_joined_in_order() {
        assert_eq!(rows(&[0, 4]).join(&rows(&[1, 2, 9])), Ok(rows(&[0, 1, 2, 4, 9])));
        assert_eq!(rows(&[0, 4]).join(&rows(&[])), Ok(rows(&[0, 4])));
        assert_eq!(rows(&[0, 4]).join(&rows(&[1, 4])), Err(4));
    }
}
