//! Text for people, JSON for machines.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::AutoStream;
use anstyle::AnsiColor;
use roundproof_exact::Integer;
pub use roundproof_judge::words::count;
use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::exit;

/// Whether only results and errors are asked for.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on there are no notes and no progress.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether only results and errors are asked for.
pub fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Writes to stdout, all of it.
pub fn emit(text: &str) -> io::Result<()> {
    exit::wrote_output();
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes a value to stdout as indented JSON. Fields stand in the order in which they are declared.
pub fn emit_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(emit(&(text + "\n"))?)
}

/// JSON that is written as it comes: an object of what a report says before its rows, the rows, and what it says after them.
pub mod emit_json_rows {
    use anyhow::Result;
    use serde::Serialize;

    use super::emit;

    /// The fields of an object as lines, without the brackets and the last line feed.
    fn fields(value: &impl Serialize) -> Result<String> {
        let text = serde_json::to_string_pretty(value)?;
        Ok(text.strip_prefix("{\n").and_then(|text| text.strip_suffix("\n}")).unwrap_or_default().to_string())
    }

    /// Begins the object.
    pub fn begin(head: &impl Serialize) -> Result<()> {
        Ok(emit(&format!("{{\n{},\n  \"rows\": [", fields(head)?))?)
    }

    /// Rows, a line each; whether they are the first ones.
    pub fn rows<'a, T: Serialize + 'a>(first: bool, rows: impl Iterator<Item = &'a T>) -> Result<()> {
        let mut text = String::new();
        for (index, row) in rows.enumerate() {
            text += if first && index == 0 { "\n    " } else { ",\n    " };
            text += &serde_json::to_string(row)?;
        }
        Ok(emit(&text)?)
    }

    /// Ends the object.
    pub fn end(tail: &impl Serialize) -> Result<()> {
        Ok(emit(&format!("\n  ],\n{}\n}}\n", fields(tail)?))?)
    }
}

/// Writes to stdout, with the verdicts in colour where colours are shown.
pub fn emit_verdicts(text: &str) -> io::Result<()> {
    exit::wrote_output();
    let mut stdout = AutoStream::auto(io::stdout().lock());
    stdout.write_all(with_colours(text).as_bytes())?;
    stdout.flush()
}

/// Writes an error to stderr. If that is gone too, there is nobody to tell.
pub fn error(text: &str) {
    let word = AnsiColor::Red.on_default().bold();
    let _ = writeln!(AutoStream::auto(io::stderr().lock()), "{word}error:{word:#} {text}");
}

/// The words that say how something came out, as certificates, reports and tables have them.
const VERDICTS: [(&str, AnsiColor); 14] = [
    ("Proved", AnsiColor::Green),
    ("Mapped", AnsiColor::Green),
    ("Invariant", AnsiColor::Green),
    ("Undecided", AnsiColor::Yellow),
    ("Attested", AnsiColor::Cyan),
    ("Unknown", AnsiColor::Yellow),
    ("Vacuous", AnsiColor::Yellow),
    ("not established", AnsiColor::Yellow),
    ("refused", AnsiColor::Yellow),
    ("Refuted", AnsiColor::Red),
    ("rejected", AnsiColor::Red),
    ("unreadable", AnsiColor::Red),
    ("unexpected", AnsiColor::Red),
    ("error", AnsiColor::Red),
];

/// The text with a verdict in colour wherever a line begins with it, or has it for the second word, as tables do.
fn with_colours(text: &str) -> String {
    let is_end = |character: char| character.is_whitespace() || character == ':';
    let verdict = |text: &str| {
        let ends = |word: &str| text[word.len()..].chars().next().is_none_or(is_end);
        VERDICTS.into_iter().find(|(word, _)| text.starts_with(word) && ends(word))
    };
    let mut coloured = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let starts = line.char_indices().filter(|&(at, character)| {
            !character.is_whitespace() && line[..at].chars().next_back().is_none_or(char::is_whitespace)
        });
        match starts.take(2).find_map(|(at, _)| Some((at, verdict(&line[at..])?))) {
            Some((at, (word, colour))) => {
                let style = colour.on_default().bold();
                let _ = write!(coloured, "{}{style}{word}{style:#}{}", &line[..at], &line[at + word.len()..]);
            }
            None => coloured += line,
        }
    }
    coloured
}

/// Tells people something that is not a result.
pub fn note(text: &str) {
    if is_quiet() {
        return;
    }
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

/// A table as text, without blanks at the ends of lines. On a terminal that is too narrow for it, what the rows say, one
/// below the other.
pub fn table_text(table: &comfy_table::Table) -> String {
    let columns = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    fitted(table, columns)
}

fn fitted(table: &comfy_table::Table, columns: Option<usize>) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_string()).collect();
    match columns.filter(|&columns| lines.iter().any(|line| line.chars().count() > columns)) {
        None => lines.iter().map(|line| format!("{line}\n")).collect(),
        Some(columns) => table.row_iter().map(|row| record(table, row, columns)).collect(),
    }
}

/// The first cell, and below it the others with the names of their columns, in lines of at most so many columns.
fn record(table: &comfy_table::Table, row: &comfy_table::Row, columns: usize) -> String {
    let names = table.header().into_iter().flat_map(comfy_table::Row::cell_iter).map(comfy_table::Cell::content);
    let mut cells = names.zip(row.cell_iter().map(comfy_table::Cell::content));
    let mut text = cells.next().map(|(_, first)| first).unwrap_or_default();
    let mut width = usize::MAX;
    for (name, cell) in cells.filter(|(_, cell)| !cell.is_empty() && cell != "-") {
        let item = if name.is_empty() { cell } else { format!("{name} {cell}") };
        let length = item.chars().count();
        if width.saturating_add(2 + length) <= columns {
            let _ = write!(text, "  {item}");
            width += 2 + length;
        } else {
            let _ = write!(text, "\n  {item}");
            width = 2 + length;
        }
    }
    text + "\n"
}

/// A whole number of any size: in JSON all its digits, more than some readers keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole(pub Integer);

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Whole {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Whole".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "description": "A whole number of any size." })
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
    fn a_table_fits_a_narrow_terminal() {
        let mut sheet = table(&["data", "format", "verdict", "parameters", ""]);
        sheet.add_row(["iris", "bfloat16", "Proved", "41", "equal"]).add_row(["wine", "F(8)", "refused", "-", ""]);
        let whole = "data  format    verdict  parameters\niris  bfloat16  Proved   41          equal\nwine  F(8)      refused  -\n";
        assert_eq!(fitted(&sheet, None), whole);
        assert_eq!(fitted(&sheet, Some(60)), whole);
        let narrow =
            "iris\n  format bfloat16  verdict Proved\n  parameters 41  equal\nwine\n  format F(8)  verdict refused\n";
        assert_eq!(fitted(&sheet, Some(35)), narrow);
        assert!(narrow.lines().all(|line| line.len() <= 35));
        assert_eq!(fitted(&sheet, Some(1)).lines().count(), 2 + 4 + 2);
    }

    #[test]
    fn verdicts_are_coloured_and_nothing_else() {
        let green = |word| format!("\u{1b}[1m\u{1b}[32m{word}\u{1b}[0m");
        let red = |word| format!("\u{1b}[1m\u{1b}[31m{word}\u{1b}[0m");
        assert_eq!(
            with_colours("Proved: the kernel\n  claim  x\n"),
            format!("{}: the kernel\n  claim  x\n", green("Proved"))
        );
        assert_eq!(with_colours("a/b   Proved  same\n"), format!("a/b   {}  same\n", green("Proved")));
        assert_eq!(with_colours("rejected  c.json: says Proved"), format!("{}  c.json: says Proved", red("rejected")));
        for text in ["", "\n", "  name and Proved\n", "not all\n", "Provedly\n", "un/Proved x\n"] {
            assert_eq!(with_colours(text), text);
        }
    }

    #[test]
    fn a_sheet_is_aligned() {
        let mut sheet = Sheet::new("Proved");
        sheet.line("rows", "3");
        sheet.line("parameters", "40\nand more");
        assert_eq!(sheet.text(), "Proved\n  rows        3\n  parameters  40\n              and more\n");
    }
}
