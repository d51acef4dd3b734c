//! `roundproof formats`.

use anyhow::Result;
use clap::Args;
use roundproof_exact::text::exact_decimal;
use roundproof_format::{Encoding, Format, NAMED};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{emit, emit_json, table, table_text};
use crate::words::bits;

const EXAMPLES: &str = "\
Examples:
  roundproof formats
  roundproof formats bfloat16 e5m7 'p=4,emin=-6,emax=7,specials=finite' 'F(8)'

p is the precision: bits of the significand, the leading one included. Values lie between 2^emin and the largest one, \
with subnormals down to the least positive one. (eb,sb) are SMT-LIB's parameters, where it has the format.

A custom format is written e5m7 (IEEE 754 layout: exponent and trailing significand bits), or p=8,emin=-126,emax=127 with \
specials=ieee (infinities and NaN, the default), fn (one NaN, no infinity), fnuz (one NaN, no -0) or finite. F(8) has \
precision 8 and every exponent.";

/// Show formats and their parameters
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Formats {
    /// Formats to show, by name or by parameters; all that have names, if none is given
    #[arg(value_name = "FORMAT")]
    formats: Vec<Format>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    name: String,
    aliases: Vec<&'static str>,
    width: u32,
    p: u32,
    emin: Option<i32>,
    emax: Option<i32>,
    largest: Option<Number>,
    min_subnormal: Option<Number>,
    infinity: bool,
    nan: bool,
    negative_zero: bool,
    smtlib: Option<(u32, u32)>,
    #[serde(skip)]
    format: Format,
}

#[derive(Serialize)]
struct Number {
    encoding: String,
    value: String,
}

impl Formats {
    /// Prints the table.
    pub fn execute(self) -> Result<Exit> {
        let formats = match self.formats.is_empty() {
            true => NAMED.iter().map(|(_, format, _)| *format).collect(),
            false => self.formats,
        };
        let rows: Vec<Row> = formats.into_iter().map(Row::of).collect();
        if self.json {
            emit_json(&rows)?;
        } else {
            emit(&text(&rows))?;
        }
        Ok(Exit::AsClaimed)
    }
}

/// The least positive value.
fn least(format: Format) -> Option<Encoding> {
    format.is_bounded().then_some(Encoding::from_bits(1))
}

impl Row {
    fn of(format: Format) -> Row {
        let number =
            |encoding: Encoding| Number { encoding: bits(format, encoding), value: exact_decimal(format, encoding) };
        let aliases =
            NAMED.iter().find(|(_, named, _)| *named == format).map_or(Vec::new(), |(_, _, also)| also.to_vec());
        Row {
            name: format.to_string(),
            aliases,
            width: format.width(),
            p: format.precision(),
            emin: format.emin(),
            emax: format.emax(),
            largest: format.largest(false).map(number),
            min_subnormal: least(format).map(number),
            infinity: format.has_infinity(),
            nan: format.has_nan(),
            negative_zero: format.has_negative_zero(),
            smtlib: format.smtlib(),
            format,
        }
    }

    fn specials(&self) -> String {
        let has = [(self.infinity, "inf"), (self.nan, "nan"), (self.negative_zero, "-0")];
        let names: Vec<&str> = has.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect();
        if names.is_empty() { "none".to_string() } else { names.join(" ") }
    }

    fn cells(&self) -> Vec<String> {
        let exponent = |exponent: Option<i32>| exponent.map_or("none".to_string(), |exponent| exponent.to_string());
        let format = self.format;
        let unit = format.emin().map(|emin| i64::from(emin) - i64::from(format.trailing_bits()));
        vec![
            self.name.clone(),
            self.width.to_string(),
            self.p.to_string(),
            exponent(self.emin),
            exponent(self.emax),
            self.largest.as_ref().map_or("none".to_string(), |_| short_largest(format)),
            unit.map_or("none".to_string(), |unit| format!("2^{unit}")),
            self.specials(),
            self.smtlib.map_or("-".to_string(), |(eb, sb)| format!("({eb},{sb})")),
        ]
    }
}

/// The largest value: in decimal if that is short, else as a sum of powers of two.
fn short_largest(format: Format) -> String {
    let Some((largest, emax)) = format.largest(false).zip(format.emax()) else { return "none".to_string() };
    let decimal = exact_decimal(format, largest);
    if decimal.len() <= 8 {
        return decimal;
    }
    // All ones but for the significand that a NaN may take: (2^p - 1) or (2^p - 2) units of 2^(emax - p + 1).
    let missing = (1u128 << format.precision()) - format.largest_significand();
    let unit = i64::from(emax) - i64::from(format.trailing_bits()) + i64::from(missing.trailing_zeros());
    format!("2^{} - 2^{unit}", emax + 1)
}

fn text(rows: &[Row]) -> String {
    let mut table =
        table(&["format", "width", "p", "emin", "emax", "largest", "least positive", "specials", "(eb,sb)"]);
    for row in rows {
        table.add_row(row.cells());
    }
    for column in 1..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    table_text(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_is_short_and_right() {
        assert_eq!(short_largest(Format::FLOAT8_E4M3FN), "448");
        assert_eq!(short_largest(Format::BINARY16), "65504");
        assert_eq!(short_largest(Format::BFLOAT16), "2^128 - 2^120");
        assert_eq!(short_largest(Format::BINARY128), "2^16384 - 2^16271");
        let all_ones: Format = "p=8,emin=-125,emax=129,specials=fn".parse().unwrap();
        // (2^8 - 2) * 2^(129 - 7)
        assert_eq!(short_largest(all_ones), "2^130 - 2^123");
    }
}
