//! The outputs of `run`, row by row or as a table.

use anyhow::Result;
use roundproof_exact::text::{exact_decimal, exact_hexadecimal, full_decimal};
use roundproof_format::{Encoding, Format};
use roundproof_judge::point::Point;
use roundproof_paths::is_right;
use roundproof_sources::table::Places;
use serde::Serialize;

use super::{Computed, OutputFormat};
use crate::input::Data;
use crate::output::{emit, emit_json, note, table, table_text};
use crate::words::bits;

/// Prints rows in one of the formats.
pub struct Printer<'a> {
    output_format: OutputFormat,
    hex: bool,
    format: Format,
    lines: Option<&'a [usize]>,
    /// Of the outputs, and of the labels, if there are any.
    names: [Vec<String>; 2],
    table: comfy_table::Table,
    json: Vec<Row>,
    header_printed: bool,
}

#[derive(Serialize)]
struct Row {
    row: usize,
    line: Option<usize>,
    outputs: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    equal: Option<bool>,
}

#[derive(Serialize)]
struct Value {
    value: String,
    encoding: String,
}

impl<'a> Printer<'a> {
    /// A printer of so many outputs on `data`, exactly, in hexadecimal if `hex`.
    pub fn new(output_format: OutputFormat, hex: bool, format: Format, outputs: usize, data: &'a Data) -> Printer<'a> {
        let named = data.columns.as_ref().filter(|_| data.outputs > 0).map(|columns| columns.labels.clone());
        let names = named.unwrap_or_else(|| (0..outputs).map(|output| format!("output_{output}")).collect());
        let labels = names.iter().take(data.outputs).map(|name| format!("label of {name}")).collect();
        let lines = data.places.as_ref().and_then(Places::lines);
        let names = [names, labels];
        let mut header = vec!["row".to_string()];
        header.extend(lines.map(|_| "line".to_string()));
        header.extend(names.iter().flatten().cloned());
        header.push(String::new());
        let table = table(&header.iter().map(String::as_str).collect::<Vec<&str>>());
        Printer { output_format, hex, format, lines, names, table, json: Vec::new(), header_printed: false }
    }

    /// Values as texts.
    fn texts(&self, values: &[Encoding]) -> Vec<String> {
        let text = match (self.hex, self.output_format) {
            (true, _) => exact_hexadecimal,
            // One notation in a column.
            (false, OutputFormat::Csv) => full_decimal,
            (false, OutputFormat::Text | OutputFormat::Json) => exact_decimal,
        };
        values.iter().map(|&value| text(self.format, value)).collect()
    }

    /// Prints a row, or keeps it for the end.
    pub fn row(&mut self, computed: &Computed) -> Result<()> {
        let format = self.format;
        let equal = computed.gives_labels(format);
        let line = self.lines.map(|lines| lines[computed.row]);
        let outputs = self.texts(&computed.outputs);
        let labels = self.texts(&computed.labels);
        match self.output_format {
            OutputFormat::Text => {
                let mut cells = vec![computed.row.to_string()];
                cells.extend(line.map(|line| line.to_string()));
                cells.extend(outputs);
                cells.extend(labels);
                cells.push(if equal == Some(false) { "differs" } else { "" }.to_string());
                self.table.add_row(cells);
            }
            OutputFormat::Csv => {
                self.csv_header()?;
                let equal = equal.map(|equal| u8::from(equal).to_string());
                let cells = [vec![computed.row.to_string()], outputs, labels, equal.into_iter().collect()].concat();
                emit(&(cells.join(",") + "\n"))?;
            }
            OutputFormat::Json => {
                let values = |encodings: &[Encoding], texts: Vec<String>| {
                    let pairs = encodings.iter().zip(texts);
                    pairs.map(|(&encoding, value)| Value { value, encoding: bits(format, encoding) }).collect()
                };
                self.json.push(Row {
                    row: computed.row,
                    line,
                    outputs: values(&computed.outputs, outputs),
                    labels: values(&computed.labels, labels),
                    equal,
                });
            }
        }
        Ok(())
    }

    fn csv_header(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.header_printed, true) {
            return Ok(());
        }
        let quoted = |name: &String| {
            let special = name.contains([',', '"', '\n', '\r']);
            if special { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.clone() }
        };
        let mut header = vec!["row".to_string()];
        header.extend(self.names.iter().flatten().map(quoted));
        header.extend((!self.names[1].is_empty()).then(|| "equal".to_string()));
        Ok(emit(&(header.join(",") + "\n"))?)
    }

    /// Prints what was kept.
    pub fn finish(mut self) -> Result<()> {
        match self.output_format {
            OutputFormat::Text => Ok(emit(&table_text(&self.table))?),
            OutputFormat::Csv => self.csv_header(),
            OutputFormat::Json => emit_json(&self.json),
        }
    }
}

#[derive(Serialize)]
struct AtPoint {
    point: Vec<Value>,
    outputs: Vec<Value>,
    /// The least and the largest value that is allowed of each output; none if no value is.
    allowed: Vec<Option<[Value; 2]>>,
    equal: bool,
}

/// Prints the outputs at a point beside the values that are claimed of it.
pub fn point(output_format: OutputFormat, format: Format, point: &Point<'_>, outputs: &[Encoding]) -> Result<()> {
    let value = |encoding: Encoding| Value { value: exact_decimal(format, encoding), encoding: bits(format, encoding) };
    let equal = outputs.iter().enumerate().all(|(output, &value)| is_right(format, value, point.allowed(output)));
    let names = |what: &str| (0..outputs.len()).map(|output| format!("{what}_{output}")).collect::<Vec<String>>();
    let expected: Vec<String> = (0..outputs.len()).map(|output| point.expected(output)).collect();
    let cells = || {
        [point.inputs(), outputs.iter().map(|&value| exact_decimal(format, value)).collect(), expected.clone()].concat()
    };
    let header = [point.names(), names("output"), names("expected")].concat();
    match output_format {
        OutputFormat::Text => {
            let header: Vec<&str> = header.iter().map(String::as_str).chain([""]).collect();
            let mut table = table(&header);
            table.add_row(cells().into_iter().chain([if equal { "" } else { "differs" }.to_string()]));
            emit(&table_text(&table))?;
            for (output, &value) in outputs.iter().enumerate() {
                note(&format!("output {output}: {}", point.function(output, value)));
            }
            Ok(())
        }
        OutputFormat::Csv => {
            Ok(emit(&format!("{},equal\n{},{}\n", header.join(","), cells().join(","), u8::from(equal)))?)
        }
        OutputFormat::Json => emit_json(&AtPoint {
            point: point.encodings().iter().map(|&input| value(input)).collect(),
            outputs: outputs.iter().map(|&output| value(output)).collect(),
            allowed: (0..outputs.len())
                .map(|output| point.allowed(output).map(|(low, high)| [value(low), value(high)]))
                .collect(),
            equal,
        }),
    }
}
