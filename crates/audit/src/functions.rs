//! What is known of functions that runtimes approximate: a table.
//!
//! No standard says how exp or tanh round. For a function `f` and a format, a table says that whatever a runtime gives in that format for
//! an argument `x` is within `relative |f(x)| + absolute` of `f(x)`, and within `[least, largest]` where that is said. Nothing is
//! assumed of monotonicity, nor that equal arguments give equal results. A verdict about a graph with such a function is as true as
//! its table: it rests on the table, and the path model says so by its field `functions`.
//!
//! [`MEASURED`] is what `scripts/measure_functions.py` found of runtimes on many arguments, rounded up generously. It is a
//! measurement: nothing proves it for arguments that were not tried, nor for other runtimes.

use std::fmt;

use roundproof_exact::{Rational, parse_number, power_of_two};
use roundproof_format::{Format, ParseError};
use roundproof_graph::Function;
use thiserror::Error;

/// A number `significand 2^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dyadic {
    /// The integer.
    pub significand: i64,
    /// The power of two that it is multiplied by, from -4096 to 4096.
    pub exponent: i32,
}

/// How far what a runtime gives may be from a function, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    /// Times the magnitude of the function's value.
    pub relative: Dyadic,
    /// In addition.
    pub absolute: Dyadic,
    /// No result is below.
    pub least: Option<Dyadic>,
    /// No result is above.
    pub largest: Option<Dyadic>,
}

/// What is known of functions in one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// The format of arguments and results.
    pub format: Format,
    /// In the order of [`Function::ALL`]; none of which nothing is known.
    pub bounds: [Option<Bound>; 6],
}

/// What a path model says of functions that runtimes approximate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::large_enum_variant)] // there are few path models, and they stay where they are
pub enum Functions {
    /// Nothing: graphs that have one are not covered.
    None,
    /// [`MEASURED`].
    Measured,
    /// A table of the reader's own.
    Given(Table),
}

/// A text that is not a table of functions.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TableError {
    /// An unknown word.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A format whose name has commas.
    #[error("functions in {format}: a table is of a format with a name of one word")]
    Format {
        /// The format.
        format: Format,
    },
    /// Not a number as a table has it.
    #[error("{function}, {field}: {text:?} is not {wanted}")]
    Number {
        /// The function.
        function: &'static str,
        /// The field.
        field: &'static str,
        /// What stands there.
        text: String,
        /// What is needed.
        wanted: &'static str,
    },
    /// A function twice, or with another number of fields.
    #[error("`{text}`: {reason}")]
    Entry {
        /// The entry.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// The largest magnitude of exponents of a table.
const MOST_EXPONENT: i32 = 4096;

const fn dyadic(significand: i64, exponent: i32) -> Dyadic {
    Dyadic { significand, exponent }
}

const ZERO: Dyadic = dyadic(0, 0);

/// Bounds `2^relative` and `2^absolute`.
const fn bound(relative: i32, absolute: i32, least: Option<Dyadic>, largest: Option<Dyadic>) -> Option<Bound> {
    Some(Bound { relative: dyadic(1, relative), absolute: dyadic(1, absolute), least, largest })
}

/// What was measured of ONNX Runtime and NumPy, rounded up. `data/functions/` has the figures, and how they came about.
pub const MEASURED: [Table; 2] = [
    Table {
        format: Format::BINARY32,
        bounds: [
            // Exp
            bound(-20, -125, Some(ZERO), None),
            // Log
            bound(-20, -149, None, None),
            // Sigmoid
            bound(-20, -21, Some(ZERO), Some(dyadic((1 << 22) + 1, -22))),
            // Tanh
            bound(-19, -125, Some(dyadic(-(1 << 22) - 1, -22)), Some(dyadic((1 << 22) + 1, -22))),
            // Erf
            bound(-20, -125, Some(dyadic(-(1 << 22) - 1, -22)), Some(dyadic((1 << 22) + 1, -22))),
            // Softplus
            bound(-20, -22, Some(ZERO), None),
        ],
    },
    Table {
        format: Format::BINARY64,
        bounds: [
            bound(-50, -1021, Some(ZERO), None),
            bound(-50, -1074, None, None),
            bound(-49, -50, Some(ZERO), Some(dyadic((1 << 51) + 1, -51))),
            bound(-48, -1021, Some(dyadic(-(1 << 51) - 1, -51)), Some(dyadic((1 << 51) + 1, -51))),
            // erf was not measured in binary64.
            None,
            bound(-49, -51, Some(ZERO), None),
        ],
    },
];

impl Dyadic {
    /// The number.
    pub fn rational(self) -> Rational {
        Rational::from(self.significand) * power_of_two(self.exponent.into())
    }

    /// Reads a number, decimal or hexadecimal, exactly.
    fn parse(text: &str) -> Option<Dyadic> {
        let value = parse_number(text).ok()?.value();
        if value == 0 {
            return Some(ZERO);
        }
        let trailing = value.numer().find_one(0).unwrap_or(0);
        let power = value.denom().find_one(0).unwrap_or(0);
        if value.denom().significant_bits() != power + 1 {
            return None;
        }
        let exponent = i32::try_from(i64::from(trailing) - i64::from(power)).ok()?;
        let significand = (value * power_of_two((-exponent).into())).numer().to_i64()?;
        (exponent.abs() <= MOST_EXPONENT).then_some(Dyadic { significand, exponent })
    }
}

impl fmt::Display for Dyadic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.significand < 0 { "-" } else { "" };
        write!(f, "{sign}0x{:x}p{}", self.significand.unsigned_abs(), self.exponent)
    }
}

impl Bound {
    /// A bound from texts: of the error relative to the function's value, of what is added, and where results lie, if that is
    /// known.
    ///
    /// # Errors
    ///
    /// If one is not a number that is a power of two times an integer, or an error is negative.
    pub fn parse(
        function: Function,
        relative: &str,
        absolute: &str,
        least: Option<&str>,
        largest: Option<&str>,
    ) -> Result<Bound, TableError> {
        let number = |field, text: &str, wanted, fits: &dyn Fn(Dyadic) -> bool| {
            let error = || TableError::Number { function: function.name(), field, text: text.to_owned(), wanted };
            Dyadic::parse(text).filter(|number| fits(*number)).ok_or_else(error)
        };
        let error =
            "an integer of 63 bits times a power of two, zero or more, as 0x1p-20; relative errors are below 1/2";
        let any = "an integer of 63 bits times a power of two, as 0x1p-20";
        let small = |number: Dyadic| number.significand >= 0 && number.rational() < Rational::from((1, 2));
        Ok(Bound {
            relative: number("relative", relative, error, &small)?,
            absolute: number("absolute", absolute, error, &|number| number.significand >= 0)?,
            least: least.map(|text| number("least", text, any, &|_| true)).transpose()?,
            largest: largest.map(|text| number("largest", text, any, &|_| true)).transpose()?,
        })
    }
}

impl Table {
    /// A table of one format, of which nothing is known yet.
    ///
    /// # Errors
    ///
    /// If the format has no name of one word.
    pub fn new(format: Format) -> Result<Table, TableError> {
        if format.to_string().contains([',', '/', ':']) {
            return Err(TableError::Format { format });
        }
        Ok(Table { format, bounds: [None; 6] })
    }

    /// Sets what is known of a function.
    ///
    /// # Errors
    ///
    /// If something is known of it already.
    pub fn set(&mut self, function: Function, bound: Bound) -> Result<(), TableError> {
        match &mut self.bounds[place(function)] {
            none @ None => *none = Some(bound),
            Some(_) => return Err(TableError::Entry { text: function.name().to_owned(), reason: "it is there twice" }),
        }
        Ok(())
    }

    /// Reads what `Display` writes: a format, and of each function `/NAME:relative:absolute:least:largest`, the last two perhaps empty.
    fn parse(text: &str) -> Result<Table, TableError> {
        let mut parts = text.split('/');
        let mut table = Table::new(parts.next().unwrap_or("").parse()?)?;
        for part in parts {
            let [name, relative, absolute, least, largest] = part.split(':').collect::<Vec<_>>()[..] else {
                let reason = "NAME:relative:absolute:least:largest is needed";
                return Err(TableError::Entry { text: part.to_owned(), reason });
            };
            let function = function_named(name)?;
            let given = |text: &'_ str| -> Option<String> { (!text.is_empty()).then(|| text.to_owned()) };
            let (least, largest) = (given(least), given(largest));
            table.set(function, Bound::parse(function, relative, absolute, least.as_deref(), largest.as_deref())?)?;
        }
        Ok(table)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.format)?;
        for (function, bound) in Function::ALL.iter().zip(&self.bounds) {
            if let Some(Bound { relative, absolute, least, largest }) = bound {
                let shown = |end: &Option<Dyadic>| end.map(|end| end.to_string()).unwrap_or_default();
                write!(f, "/{}:{relative}:{absolute}:{}:{}", function.name(), shown(least), shown(largest))?;
            }
        }
        Ok(())
    }
}

/// The function of a name.
///
/// # Errors
///
/// If there is none.
pub fn function_named(name: &str) -> Result<Function, ParseError> {
    let found = Function::ALL.into_iter().find(|function| function.name() == name);
    found.ok_or_else(|| ParseError::unknown("function", name, Function::ALL.iter().map(|function| function.name())))
}

const fn place(function: Function) -> usize {
    match function {
        Function::Exp => 0,
        Function::Log => 1,
        Function::Sigmoid => 2,
        Function::Tanh => 3,
        Function::Erf => 4,
        Function::Softplus => 5,
    }
}

impl Functions {
    /// `none`, `measured`, or a table as [`Table`] displays it.
    pub(crate) fn parse(text: &str) -> Result<Functions, TableError> {
        match text {
            "none" => Ok(Functions::None),
            "measured" => Ok(Functions::Measured),
            table if table.contains('/') => Ok(Functions::Given(Table::parse(table)?)),
            other => Err(ParseError::unknown("table of functions", other, ["none", "measured"]).into()),
        }
    }

    /// What is known of a function in a format.
    pub(crate) fn bound(&self, function: Function, format: Format) -> Option<Bound> {
        let in_table = |table: &Table| if table.format == format { table.bounds[place(function)] } else { None };
        match self {
            Functions::None => None,
            Functions::Measured => MEASURED.iter().find_map(in_table),
            Functions::Given(table) => in_table(table),
        }
    }
}

impl fmt::Display for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Functions::None => f.write_str("none"),
            Functions::Measured => f.write_str("measured"),
            Functions::Given(table) => table.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_as_they_are_written() {
        for table in MEASURED {
            let text = Functions::Given(table).to_string();
            assert_eq!(Functions::parse(&text), Ok(Functions::Given(table)), "{text}");
        }
        for (index, function) in Function::ALL.into_iter().enumerate() {
            assert_eq!(place(function), index);
            assert!(Functions::Measured.bound(function, Format::BINARY32).is_some());
            assert_eq!(Functions::Measured.bound(function, Format::BINARY64).is_some(), function != Function::Erf);
            assert_eq!(Functions::Measured.bound(function, Format::BINARY16), None);
            assert_eq!(Functions::None.bound(function, Format::BINARY32), None);
        }
        assert_eq!(Dyadic::parse("-0.75"), Some(dyadic(-3, -2)));
        assert_eq!(Dyadic::parse("0x1p-149"), Some(dyadic(1, -149)));
        assert_eq!(Dyadic::parse("0.1"), None);
    }

    #[test]
    fn what_is_not_a_table_is_refused() {
        let message = |text: &str| Functions::parse(text).unwrap_err().to_string();
        assert!(message("measurd").contains("did you mean `measured`?"));
        assert!(message("binary32/Exp:0x1p-20:0").contains("NAME:relative"));
        assert!(message("binary32/Expp:0x1p-20:0::").contains("did you mean `Exp`?"));
        assert!(message("binary32/Exp:-1:0::").contains("Exp, relative: \"-1\""));
        assert!(message("binary32/Exp:0.5:0::").contains("below 1/2"));
        assert!(message("binary32/Exp:0:0.1::").contains("absolute"));
        assert!(message("binary32/Exp:0:0::/Exp:0:0::").contains("twice"));
        assert!(message("binary33/Exp:0:0::").contains("unknown"));
        assert!(matches!(Table::new("p=3,emin=-2,emax=2".parse().expect("a format")), Err(TableError::Format { .. })));
    }
}
