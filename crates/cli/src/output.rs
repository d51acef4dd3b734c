//! Text for people, JSON for machines.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use roundproof_exact::Integer;
pub use roundproof_judge::words::count;
use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;

/// Writes to stdout, all of it.
pub fn emit(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes a value to stdout as indented JSON. Fields stand in the order in which they are declared.
pub fn emit_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(emit(&(text + "\n"))?)
}

/// Tells people something that is not a result.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// The causes of an error, outermost first, each said once.
pub fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Many errors already say what caused them.
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            let _ = write!(text, ": {cause}");
        }
    }
    text
}

/// A heading and lines of a name and a text, the texts below each other.
pub struct Sheet {
    heading: String,
    lines: Vec<(String, String)>,
}

impl Sheet {
    /// A sheet without lines.
    pub fn new(heading: impl Into<String>) -> Sheet {
        Sheet { heading: heading.into(), lines: Vec::new() }
    }

    /// Appends a line.
    pub fn line(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.lines.push((name.into(), text.into()));
    }

    /// The sheet as text.
    pub fn text(&self) -> String {
        let width = self.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let mut text = format!("{}\n", self.heading);
        for (name, line) in &self.lines {
            let mut name = name.as_str();
            for part in line.lines() {
                let _ = writeln!(text, "  {name:width$}  {part}");
                name = "";
            }
        }
        text
    }
}

/// A table without borders, its columns aligned, a rule below the header.
pub fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
    table.set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A table as text, without blanks at the ends of lines.
pub fn table_text(table: &comfy_table::Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A whole number of any size: in JSON all its digits, more than some readers keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole(pub Integer);

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Whole {
    /// `1234 parameters, 5.6 times as many`, as a network of `parameters` has.
    pub fn parameters_beside(&self, parameters: usize) -> String {
        let times = self.0.to_f64() / parameters as f64;
        let times = match times {
            1e6.. => format!("{times:.1e}"),
            0.95.. => format!("{times:.1}"),
            // Two digits, however small it is.
            _ => format!("{times:.places$}", places = (1.0 - times.log10().floor()).clamp(0.0, 30.0) as usize),
        };
        format!("{self} parameters, {times} times as many")
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn causes_are_said_once() {
        let inner = anyhow::anyhow!("no such file");
        assert_eq!(chain(&inner.context("a.csv")), "a.csv: no such file");
        let twice = Err::<(), _>(anyhow::anyhow!("no such file")).context("a.csv: no such file").unwrap_err();
        assert_eq!(chain(&twice), "a.csv: no such file");
    }

    #[test]
    fn no_reference_is_rounded_away() {
        let beside = |reference: u128, parameters| Whole(Integer::from(reference)).parameters_beside(parameters);
        assert_eq!(beside(26, 20), "26 parameters, 1.3 times as many");
        assert_eq!(beside(20, 20), "20 parameters, 1.0 times as many");
        assert_eq!(beside(8, 3333), "8 parameters, 0.0024 times as many");
        assert_eq!(beside(1 << 67, 10), "147573952589676412928 parameters, 1.5e19 times as many");
        let json = serde_json::to_string(&[Whole(Integer::from(1u32) << 200)]).unwrap();
        assert_eq!(json, "[1606938044258990275541962092341162602522202993782792835301376]");
    }

    #[test]
    fn a_sheet_is_aligned() {
        let mut sheet = Sheet::new("Proved");
        sheet.line("rows", "3");
        sheet.line("parameters", "40\nand more");
        assert_eq!(sheet.text(), "Proved\n  rows        3\n  parameters  40\n              and more\n");
    }
}
