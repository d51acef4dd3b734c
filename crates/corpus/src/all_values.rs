//! Functions on all values of a format, as data sets: every finite input has a row. In `F(p)` they are the values of a
//! bounded format that is within it.

use roundproof_checker::random::SplitMix;
use roundproof_exact::{decode, encode as encode_exactly};
use roundproof_files::safetensors::Columns;
use roundproof_format::{Encoding, Format};
use roundproof_network::{Dataset, Encodings};
use roundproof_softfloat::{encode, from_order_key, order_key};
use roundproof_sources::table::{Places, Report, Table};
use thiserror::Error;

/// The most rows of a table: a network that is wider than this is for another day.
const MOST_ROWS: u128 = 1 << 20;

/// A function on all finite values of a format, drawn from all that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllValues {
    /// The format of whose values it is, if that is not the one of the network, which has to hold them all.
    pub of: Option<Format>,
    /// Inputs of each row: the function's arguments.
    pub inputs: usize,
    /// Different results, the integers from 0 on; all finite values, if left out.
    pub classes: Option<u64>,
    /// Which function.
    pub seed: u64,
}

/// A format in which there is no such function.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AllValuesError {
    /// A format with infinitely many values.
    #[error("values: {0} has no last value; take those of a bounded format")]
    Unbounded(Format),
    /// Values that the network's format lacks.
    #[error("values: {format} does not have all values of {of}")]
    Lacks {
        /// Whose values.
        of: Format,
        /// The network's format.
        format: Format,
    },
    /// More rows than one table takes.
    #[error("values: {format} has too many values for {inputs} inputs; at most 2^20 rows are made")]
    TooMany {
        /// The format.
        format: Format,
        /// How many inputs.
        inputs: usize,
    },
    /// Integers that are not values.
    #[error("classes: the integers below {classes} are not all values of {format}")]
    Classes {
        /// How many.
        classes: u64,
        /// The format.
        format: Format,
    },
    /// Nothing to choose from.
    #[error("inputs and classes must be at least 1")]
    Empty,
}

impl AllValues {
    /// Whether there is such a function.
    ///
    /// # Errors
    ///
    /// If the values are of an unbounded format, too many, or none of `format`, or lack one of the results.
    pub fn check(&self, format: Format) -> Result<(), AllValuesError> {
        self.data(format).map(|_| ())
    }

    /// The data that it takes, with the order keys of their values.
    fn data(&self, format: Format) -> Result<Vec<(i128, Encoding)>, AllValuesError> {
        let of = self.of.unwrap_or(format);
        let last = last_key(of).ok_or(AllValuesError::Unbounded(of))?;
        if self.inputs == 0 || self.classes == Some(0) {
            return Err(AllValuesError::Empty);
        }
        let values = 2 * last.unsigned_abs() + 2;
        let rows = (0..self.inputs).try_fold(1u128, |rows, _| rows.checked_mul(values));
        if rows.is_none_or(|rows| rows > MOST_ROWS) {
            return Err(AllValuesError::TooMany { format: of, inputs: self.inputs });
        }
        match self.classes {
            Some(classes) if integer(of, classes - 1).is_none() || !without_gap(of, classes - 1) => {
                Err(AllValuesError::Classes { classes, format: of })
            }
            _ => finite_data(of, last, format).ok_or(AllValuesError::Lacks { of, format }),
        }
    }

    /// The function as a table: one row for each tuple of finite data, in the order of their encodings' values, the last
    /// input fastest. Both zeros are there if the format has both, with the same result: it is a function of values.
    ///
    /// # Errors
    ///
    /// As [`AllValues::check`] says.
    pub fn table(&self, format: Format) -> Result<Table, AllValuesError> {
        let data = self.data(format)?;
        let last = data[data.len() - 1].0;
        let mut random = SplitMix(self.seed);
        let results: Vec<Encoding> = match self.classes {
            Some(classes) => (0..classes).filter_map(|number| integer(format, number)).collect(),
            None => {
                data.iter().map(|&(_, datum)| datum).filter(|&datum| Some(datum) != format.negative_zero()).collect()
            }
        };
        let values = (2 * last + 1) as usize;
        let drawn: Vec<Encoding> =
            (0..values.pow(self.inputs as u32)).map(|_| results[random.below(results.len() as u64) as usize]).collect();
        let rows = data.len().pow(self.inputs as u32);
        let (mut inputs, mut labels) = (Encodings::new(format), Encodings::new(format));
        for row in 0..rows {
            let mut place = 0;
            for column in (0..self.inputs as u32).rev() {
                let (key, datum) = data[row / data.len().pow(column) % data.len()];
                inputs.push(datum);
                place = place * values + (key + last) as usize;
            }
            labels.push(drawn[place]);
        }
        let columns = Columns {
            inputs: (0..self.inputs).map(|column| format!("x{column}")).collect(),
            labels: vec!["y".to_string()],
        };
        let dataset = Dataset::new(format, self.inputs, 1, inputs, labels).map_err(|_| AllValuesError::Empty)?;
        Ok(Table {
            dataset,
            columns,
            places: Places::Rows((0..rows).collect()),
            report: Report::default(),
            remarks: Vec::new(),
        })
    }
}

/// The order key of the largest finite value of a bounded format.
fn last_key(format: Format) -> Option<i128> {
    order_key(format, format.largest(false)?)
}

/// Every finite datum of a format as one of another, with the key of its value in the former; by value, -0 before +0, if
/// both formats have it. None if one of them is not a value of the other.
fn finite_data(of: Format, last: i128, format: Format) -> Option<Vec<(i128, Encoding)>> {
    let mut data = Vec::new();
    for key in -last..=last {
        if key == 0 {
            data.extend(of.negative_zero().and(format.negative_zero()).map(|zero| (0, zero)));
            data.push((0, format.zero()));
        } else {
            let datum = from_order_key(of, key)?;
            data.push((key, if of == format { datum } else { encode_exactly(format, &decode(of, datum)?)? }));
        }
    }
    Some(data)
}

fn integer(format: Format, number: u64) -> Option<Encoding> {
    if number == 0 { Some(format.zero()) } else { encode(format, false, number.into(), 0) }
}

/// Whether a format with this integer has all integers below it: all do up to `2^p`.
fn without_gap(format: Format, number: u64) -> bool {
    format.emin().is_some_and(|emin| emin - (format.precision() as i32) < 0)
        && u128::from(number) <= 1 << format.precision()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ONE: AllValues = AllValues { of: None, inputs: 1, classes: None, seed: 1 };

    #[test]
    fn every_tuple_of_finite_data_has_one_row_and_equal_values_have_equal_results() {
        for format in [Format::FLOAT4_E2M1FN, Format::FLOAT6_E3M2FN, Format::FLOAT8_E5M2, Format::FLOAT8_E4M3FNUZ] {
            for inputs in [1, 2] {
                let table = AllValues { inputs, ..ONE }.table(format).unwrap();
                let data = &table.dataset;
                let row = |row: usize| (0..inputs).map(|column| data.input(row, column)).collect::<Vec<_>>();
                let rows: BTreeSet<Vec<Encoding>> = (0..data.rows()).map(row).collect();
                let finite = format.encodings().filter(|&encoding| format.is_finite(encoding)).count();
                assert_eq!((rows.len(), data.rows()), (finite.pow(inputs as u32), rows.len()), "{format}");
                let value = |index: usize| row(index).iter().map(|&x| order_key(format, x)).collect::<Vec<_>>();
                let mut results = std::collections::BTreeMap::new();
                for index in 0..data.rows() {
                    let label = data.label(index, 0);
                    assert_eq!(*results.entry(value(index)).or_insert(label), label, "{format}");
                }
            }
        }
    }

    #[test]
    fn seeds_draw_different_functions_and_classes_bound_their_results() {
        let format = Format::FLOAT8_E5M2;
        let table = |seed| AllValues { seed, ..ONE }.table(format).unwrap();
        assert_eq!(table(1), table(1));
        assert_ne!(table(1).dataset, table(2).dataset);
        let two = AllValues { classes: Some(2), ..ONE }.table(format).unwrap();
        let results: BTreeSet<Encoding> = (0..two.dataset.rows()).map(|row| two.dataset.label(row, 0)).collect();
        assert_eq!(results, BTreeSet::from([format.zero(), format.one(false)]));
    }

    #[test]
    fn values_of_another_format_are_the_same_numbers() {
        let of = Format::FLOAT6_E3M2FN;
        let function = AllValues { of: Some(of), inputs: 2, ..ONE };
        let own = AllValues { of: None, ..function }.table(of).unwrap().dataset;
        let number = |format, encoding| roundproof_exact::real(format, encoding).unwrap();
        for format in [Format::unbounded(3).unwrap(), Format::unbounded(8).unwrap(), Format::FLOAT8_E4M3FNUZ] {
            let table = function.table(format).unwrap().dataset;
            // No second zero, and otherwise the same function.
            assert_eq!((own.rows(), table.rows()), (64 * 64, 63 * 63), "{format}");
            let rows = |data: &Dataset| -> BTreeSet<Vec<roundproof_exact::Rational>> {
                let row = |row| [data.input(row, 0), data.input(row, 1), data.label(row, 0)];
                (0..data.rows()).map(|at| row(at).map(|it| number(data.format(), it)).to_vec()).collect()
            };
            assert_eq!(rows(&own), rows(&table), "{format}");
        }
        for format in [Format::unbounded(2).unwrap(), Format::FLOAT6_E2M3FN] {
            assert_eq!(function.check(format), Err(AllValuesError::Lacks { of, format }));
        }
        let unbounded = Format::unbounded(3).unwrap();
        let within_itself = AllValues { of: Some(unbounded), ..ONE };
        assert_eq!(within_itself.check(unbounded), Err(AllValuesError::Unbounded(unbounded)));
    }

    #[test]
    fn functions_that_cannot_be_listed_are_refused() {
        let check = |function: AllValues, format: Format| function.check(format).unwrap_err();
        let unbounded = Format::unbounded(8).unwrap();
        assert_eq!(check(ONE, unbounded), AllValuesError::Unbounded(unbounded));
        for (inputs, format) in [(1, Format::BINARY32), (2, Format::BFLOAT16), (3, Format::FLOAT8_E5M2)] {
            assert_eq!(check(AllValues { inputs, ..ONE }, format), AllValuesError::TooMany { format, inputs });
        }
        for (classes, format) in [(6, Format::FLOAT4_E2M1FN), (10, Format::FLOAT8_E5M2), (18, Format::FLOAT8_E4M3)] {
            let error = check(AllValues { classes: Some(classes), ..ONE }, format);
            assert_eq!(error, AllValuesError::Classes { classes, format });
            assert_eq!(AllValues { classes: Some(classes - 1), ..ONE }.check(format), Ok(()), "{format}");
        }
        for function in [AllValues { inputs: 0, ..ONE }, AllValues { classes: Some(0), ..ONE }] {
            assert_eq!(check(function, Format::BFLOAT16), AllValuesError::Empty);
        }
    }
}
