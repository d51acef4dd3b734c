//! The outputs of `run`, row by row or as a table.

use anyhow::Result;
use roundproof_exact::text::exact_decimal;
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
    format: Format,
    lines: Option<&'a [usize]>,
    names: Vec<String>,
    table: comfy_table::Table,
    json: Vec<Row>,
    header_printed: bool,
}

#[derive(Serialize)]
struct Row {
    row: usize,
    line: Option<usize>,
    outputs: Vec<Value>,
    labels: Vec<Value>,
    equal: bool,
}

#[derive(Serialize)]
struct Value {
    value: String,
    encoding: String,
}

impl<'a> Printer<'a> {
    /// A printer of the outputs on `data`.
    pub fn new(output_format: OutputFormat, format: Format, data: &'a Data) -> Printer<'a> {
        let outputs = data.named.dataset.outputs();
        let names = match &data.named.columns {
            Some(columns) => columns.labels.clone(),
            None => (0..outputs).map(|output| format!("output_{output}")).collect(),
        };
        let lines = data.places.as_ref().and_then(Places::lines);
        let mut header = vec!["row".to_string()];
        header.extend(lines.map(|_| "line".to_string()));
        header.extend(names.iter().cloned());
        header.extend(names.iter().map(|name| format!("label of {name}")));
        header.push(String::new());
        let table = table(&header.iter().map(String::as_str).collect::<Vec<&str>>());
        Printer { output_format, format, lines, names, table, json: Vec::new(), header_printed: false }
    }

    /// Prints a row, or keeps it for the end.
    pub fn row(&mut self, computed: &Computed) -> Result<()> {
        let format = self.format;
        let equal = computed.gives_labels(format);
        let line = self.lines.map(|lines| lines[computed.row]);
        let outputs = Computed::texts(&computed.outputs, format);
        let labels = Computed::texts(&computed.labels, format);
        match self.output_format {
            OutputFormat::Text => {
                let mut cells = vec![computed.row.to_string()];
                cells.extend(line.map(|line| line.to_string()));
                cells.extend(outputs);
                cells.extend(labels);
                cells.push(if equal { "" } else { "differs" }.to_string());
                self.table.add_row(cells);
            }
            OutputFormat::Csv => {
                self.csv_header()?;
                let cells: Vec<String> = outputs.into_iter().chain(labels).collect();
                emit(&format!("{},{},{}\n", computed.row, cells.join(","), u8::from(equal)))?;
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
        let quoted = |name: &str| {
            let special = name.contains([',', '"', '\n', '\r']);
            if special { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_string() }
        };
        let mut header = vec!["row".to_string()];
        header.extend(self.names.iter().map(|name| quoted(name)));
        header.extend(self.names.iter().map(|name| quoted(&format!("label of {name}"))));
        header.push("equal".to_string());
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
    let cells = || [point.inputs(), Computed::texts(outputs, format), expected.clone()].concat();
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
