//! Values of a table, each rounded once, and a report of what that did.
//!
//! A table of pixels has millions of cells and few different ones, so texts are remembered; what is not is rounded on
//! machine words where they suffice. The report is the same as if every cell were rounded by `roundproof-exact`: a
//! remembered text has had its error compared with the worst, and an error that a bound shows to be no worse need not
//! be known.

use roundproof_exact::text::exact_decimal;
use roundproof_exact::{Datum, Integer, Number, NumberError, Rational, decode, parse_number};
use roundproof_files::json::shorten;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Status};
use roundproof_network::UNBOUNDED_EXPONENT_LIMIT;
use rustc_hash::FxHashMap;

use super::quick::{Quick, Source, Target};
use super::{CellProblem, Inexact, Place, Report};

/// The most texts, and the most bit patterns, that are remembered.
const MOST_KNOWN: usize = 1 << 16;
/// The longest text that is remembered.
const LONGEST_KNOWN: usize = 48;

/// Whether a value is an input or a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// An input.
    Input,
    /// A label.
    Label,
}

/// Where a value stands, and how it is written.
pub(crate) struct Spot {
    pub(crate) place: Place,
    pub(crate) column: String,
    pub(crate) text: String,
}

/// A number as a table of arrays holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scalar {
    /// An integer.
    Integer { negative: bool, magnitude: u64 },
    /// A datum of binary16, binary32 or binary64.
    Datum { source: Source, bits: u64 },
    /// An encoding of another format.
    Encoded { format: Format, bits: u64 },
}

impl Scalar {
    /// Its value, exactly.
    pub(crate) fn text(self) -> String {
        match self {
            Scalar::Integer { negative, magnitude } => format!("{}{magnitude}", if negative { "-" } else { "" }),
            Scalar::Datum { source, bits } => exact_decimal(source.format(), Encoding::from_bits(bits.into())),
            Scalar::Encoded { format, bits } => exact_decimal(format, Encoding::from_bits(bits.into())),
        }
    }

    #[inline]
    fn quick(self) -> Option<Quick> {
        match self {
            Scalar::Integer { negative, magnitude } => {
                Some(Quick { negative, significand: magnitude, exponent: 0, divisor: 1 })
            }
            Scalar::Datum { source, bits } => Quick::datum(source, bits),
            Scalar::Encoded { .. } => None,
        }
    }

    fn number(self) -> Result<Number, CellProblem> {
        match self {
            Scalar::Integer { negative, magnitude } => {
                Ok(Number { negative, magnitude: Integer::from(magnitude).into() })
            }
            Scalar::Datum { source, bits } => decoded(source.format(), bits),
            Scalar::Encoded { format, bits } => decoded(format, bits),
        }
    }
}

fn decoded(format: Format, bits: u64) -> Result<Number, CellProblem> {
    match decode(format, Encoding::from_bits(bits.into())) {
        Some(Datum::Finite(value)) => Ok(Number { negative: value < 0, magnitude: value.abs() }),
        Some(Datum::Zero { negative }) => Ok(Number { negative, magnitude: Rational::new() }),
        Some(Datum::Nan | Datum::Infinity { .. }) | None => Err(CellProblem::NotFinite),
    }
}

#[derive(Clone, Copy)]
struct Known {
    encoding: Encoding,
    inexact: bool,
}

/// Rounds the values of a table, in the order of the file, and keeps the report.
pub(crate) struct Rounder {
    format: Format,
    target: Target,
    report: Report,
    /// The worst relative error, times 2^63, cut; none if there is none.
    worst: Option<u64>,
    texts: FxHashMap<Box<str>, Known>,
    scalars: FxHashMap<Scalar, Known>,
}

impl Rounder {
    pub(crate) fn new(format: Format) -> Rounder {
        let (texts, scalars) = (FxHashMap::default(), FxHashMap::default());
        Rounder { format, target: Target::new(format), report: Report::default(), worst: None, texts, scalars }
    }

    /// The format that is rounded to.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// What rounding did.
    pub(crate) fn report(self) -> Report {
        self.report
    }

    /// The value of a text.
    pub(crate) fn text(&mut self, text: &str, part: Part, spot: impl Fn() -> Spot) -> Result<Encoding, CellProblem> {
        if let Some(&known) = self.texts.get(text) {
            return Ok(self.count(known, part));
        }
        let known = match Quick::decimal(text).and_then(|quick| self.quickly(quick)) {
            Some(known) => known,
            None => self.exactly(&number(text)?, &spot)?,
        };
        if text.len() <= LONGEST_KNOWN && self.texts.len() < MOST_KNOWN {
            self.texts.insert(text.into(), known);
        }
        Ok(self.count(known, part))
    }

    /// The value of a scalar.
    #[inline]
    pub(crate) fn scalar(
        &mut self,
        scalar: Scalar,
        part: Part,
        spot: impl Fn() -> Spot,
    ) -> Result<Encoding, CellProblem> {
        if let Some(known) = scalar.quick().and_then(|quick| self.quickly(quick)) {
            return Ok(self.count(known, part));
        }
        if let Some(&known) = self.scalars.get(&scalar) {
            return Ok(self.count(known, part));
        }
        let known = self.exactly(&scalar.number()?, &spot)?;
        if self.scalars.len() < MOST_KNOWN {
            self.scalars.insert(scalar, known);
        }
        Ok(self.count(known, part))
    }

    fn count(&mut self, known: Known, part: Part) -> Encoding {
        let count = match part {
            Part::Input => &mut self.report.inexact_inputs,
            Part::Label => &mut self.report.inexact_labels,
        };
        *count += usize::from(known.inexact);
        known.encoding
    }

    /// On machine words, unless they do not suffice or the error may be the worst yet.
    #[inline]
    fn quickly(&self, quick: Quick) -> Option<Known> {
        let rounded = quick.round(&self.target)?;
        match rounded.error {
            Some(error) if self.worst.is_none_or(|worst| error.may_exceed(worst)) => None,
            error => Some(Known { encoding: rounded.encoding, inexact: error.is_some() }),
        }
    }

    /// By the definition of rounding; what that did goes into the report, but for the count.
    fn exactly(&mut self, number: &Number, spot: impl Fn() -> Spot) -> Result<Known, CellProblem> {
        let format = self.format;
        let rounded = number.round(format, RoundingMode::TiesToEven, Overflow::Saturate);
        if rounded.status.contains(Status::OVERFLOW) {
            let largest = format.largest(false).map_or(String::new(), |largest| exact_decimal(format, largest));
            return Err(CellProblem::OutOfRange { format, largest });
        }
        if !within_limit(format, rounded.encoding) {
            return Err(CellProblem::Unbounded { format });
        }
        let inexact = rounded.status.contains(Status::INEXACT);
        if inexact {
            self.note(rounded.encoding, &number.value(), spot);
        }
        Ok(Known { encoding: rounded.encoding, inexact })
    }

    /// Keeps this rounding in the report if none before it lost as much.
    fn note(&mut self, rounded: Encoding, exact: &Rational, spot: impl Fn() -> Spot) {
        let Some(value) = decode(self.format, rounded).and_then(|datum| datum.rational()) else { return };
        let relative_error = ((value - exact) / exact).abs();
        if self.report.worst.as_ref().is_none_or(|worst| relative_error > worst.relative_error) {
            // At most 2^63: a value is never rounded further than to twice itself.
            self.worst = (relative_error.clone() << 63u32).trunc().numer().to_u64();
            let Spot { place, column, text } = spot();
            self.report.worst = Some(Inexact { place, column, text: shorten(&text), rounded, relative_error });
        }
    }
}

fn number(text: &str) -> Result<Number, CellProblem> {
    parse_number(text).map_err(|error| match error {
        NumberError::Empty => CellProblem::Empty,
        NumberError::Syntax if CellProblem::is_missing(text) => CellProblem::Missing,
        NumberError::Syntax => CellProblem::Text,
        NumberError::NotFinite => CellProblem::NotFinite,
        NumberError::Exponent => CellProblem::Exponent,
    })
}

/// Whether a rounded value has an exponent that data may have.
fn within_limit(format: Format, value: Encoding) -> bool {
    if format.is_bounded() || format.is_zero(value) {
        return true;
    }
    let field = value.bits() >> format.trailing_bits() & ((1 << format.exponent_bits()) - 1);
    (field as i64 - format.bias()).abs() <= UNBOUNDED_EXPONENT_LIMIT
}
