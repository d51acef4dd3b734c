//! `roundproof sizes`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow};
use clap::Args;
use roundproof_checker::prove::{Preference, Proof, ProveError, Strategy, Task, TreeOptions, describe, memorize};
use roundproof_construct::reference_parameters;
use roundproof_format::Format;
use roundproof_kernel::Verdict;
use roundproof_network::{Activation, Dataset, PathModel};
use roundproof_softfloat::order_key;
use roundproof_sources::table::Table;
use serde::Serialize;

use crate::exit::Exit;
use crate::input::{self, TableOptions};
use crate::output::{Whole, emit, emit_json, table, table_text};
use crate::progress::Progress;

const EXAMPLES: &str = "\
Every network is built and judged by the kernel; a size stands in the table only if the verdict is Proved.

  reference  6dn + (1 + k)n, for n distinct rows, d inputs and k outputs: a point box for each row, nothing left out
  point      one point box for each distinct row, without the sides at the ends of the format
  tree       a decision tree grown until every row is right
  yardstick  n * log2(labels) / bits of a parameter, rounded down: networks that differ in fewer parameters of so many \
bits cannot give all labelings of these rows. Where weights stand is not counted, and these rows have one labeling: it is no \
bound, and may be beaten

Exit codes: 0 a table, which gives the reason wherever there is no network; 2 a wrong command line, or a table that cannot \
be read or does not fit a format.

Examples:
  roundproof sizes data/iris.csv data/wine.csv --label class --format bfloat16
  roundproof sizes data/digits.csv --label class --format bfloat16 --format binary32 --optimize 30 --json";

/// Compare the sizes of the networks that the strategies make
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Sizes {
    /// Tables with the same label columns
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// A label column; once for each output
    #[arg(short, long = "label", value_name = "COLUMN", required = true)]
    labels: Vec<String>,
    #[command(flatten)]
    table: TableOptions,
    /// A floating-point format; may be given several times
    #[arg(short, long = "format", value_name = "FORMAT", required = true)]
    formats: Vec<Format>,
    /// Look for smaller trees for this many seconds each
    #[arg(long, value_name = "SECONDS", value_parser = crate::parsers::seconds, allow_negative_numbers = true)]
    optimize: Option<Duration>,
    /// Leave out the strategy `point`, whose networks are large
    #[arg(long)]
    no_point: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// One data set in one format, with one activation.
#[derive(Serialize)]
struct Row {
    data: String,
    format: String,
    activation: &'static str,
    rows: usize,
    distinct_rows: usize,
    inputs: usize,
    labels: usize,
    /// Why there is no network, if there is none.
    refused: Option<String>,
    reference: Whole,
    point: Option<usize>,
    tree: Option<usize>,
    /// `n log2(labels) / bits`, rounded down to a tenth.
    yardstick: f64,
    /// To a tenth.
    reference_to_tree: Option<f64>,
    /// To a tenth.
    tree_to_yardstick: Option<f64>,
}

impl Sizes {
    /// Builds the networks and prints the table.
    pub fn execute(self) -> Result<Exit> {
        let progress = Progress::new();
        let mut rows = Vec::new();
        for data in &self.data {
            for &format in &self.formats {
                let table = input::table(data, &self.table.choice(&self.labels), format);
                for activation in [Activation::Relu, Activation::Step] {
                    rows.push(match &table {
                        Ok(table) => self.row(data, &table.value, activation, &progress)?,
                        Err(error) => return Err(anyhow!("{error:#}")),
                    });
                }
            }
        }
        drop(progress);
        if self.json {
            emit_json(&rows)?;
        } else {
            emit(&text(&rows))?;
        }
        Ok(Exit::AsClaimed)
    }

    fn row(&self, path: &Path, of: &Table, activation: Activation, progress: &Progress) -> Result<Row> {
        let data = &of.dataset;
        let (format, name) = (data.format(), path.file_stem().unwrap_or_default().to_string_lossy().to_string());
        let (distinct_rows, labels) = (distinct(data, true), distinct(data, false));
        let reference = reference_parameters(distinct_rows, data.dimension(), data.outputs());
        let yardstick = distinct_rows as f64 * (labels as f64).log2() / f64::from(format.width());
        let mut row = Row {
            data: name,
            format: format.to_string(),
            activation: activation.name(),
            rows: data.rows(),
            distinct_rows,
            inputs: data.dimension(),
            labels,
            refused: None,
            reference: Whole(reference),
            point: None,
            tree: None,
            yardstick: (yardstick * 10.0).floor() / 10.0,
            reference_to_tree: None,
            tree_to_yardstick: None,
        };
        for strategy in [Strategy::Point, Strategy::Tree] {
            if strategy == Strategy::Point && self.no_point {
                continue;
            }
            let found = self.prove(of, strategy, activation, progress);
            match (found, strategy) {
                (Ok(proof), _) if proof.certificate.verdict != Verdict::Proved => {
                    let why = proof.rejection.map_or(String::new(), |rejection| rejection.to_string());
                    row.refused = Some(format!("{strategy} was not proved: {why}"));
                }
                (Ok(proof), Strategy::Point) => row.point = Some(proof.network.parameters()),
                (Ok(proof), _) => row.tree = Some(proof.network.parameters()),
                (Err(ProveError::Construct(error)), _) => row.refused = Some(describe(&error, of)),
                (Err(error), _) => return Err(anyhow!("{}: {error}", path.display())),
            }
        }
        let tenths = |ratio: f64| (ratio * 10.0).round() / 10.0;
        row.reference_to_tree = row.tree.map(|tree| tenths(row.reference.0.to_f64() / tree as f64));
        row.tree_to_yardstick = row.tree.filter(|_| yardstick > 0.0).map(|tree| tenths(tree as f64 / yardstick));
        Ok(row)
    }

    fn prove(
        &self,
        table: &Table,
        strategy: Strategy,
        activation: Activation,
        progress: &Progress,
    ) -> Result<Proof, ProveError> {
        let tree = TreeOptions { optimize: self.optimize, ..TreeOptions::default() };
        let task = Task {
            strategy,
            activation,
            model: PathModel::all(table.dataset.format()),
            tree,
            preference: Preference::Construction,
            prefix: String::new(),
            source: None,
            input_names: None,
        };
        memorize(&table.dataset, None, &task, &mut |what, done, of| progress.report(what, done, of))
    }
}

/// How many different rows of inputs there are, or of labels.
fn distinct(data: &Dataset, inputs: bool) -> usize {
    let format = data.format();
    let width = if inputs { data.dimension() } else { data.outputs() };
    let key = |row: usize, column: usize| {
        order_key(format, if inputs { data.input(row, column) } else { data.label(row, column) })
    };
    let rows = (0..data.rows()).map(|row| (0..width).map(|column| key(row, column)).collect::<Vec<_>>());
    rows.collect::<HashSet<_>>().len()
}

fn text(rows: &[Row]) -> String {
    let mut sheet = table(&[
        "data",
        "format",
        "activation",
        "rows",
        "inputs",
        "reference",
        "point",
        "tree",
        "yardstick",
        "reference/tree",
        "tree/yardstick",
    ]);
    for index in 3..11 {
        if let Some(column) = sheet.column_mut(index) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    let number = |number: Option<usize>| number.map_or("-".to_string(), |number| number.to_string());
    let ratio = |ratio: Option<f64>| ratio.map_or("-".to_string(), |ratio| format!("{ratio:.1}"));
    for row in rows {
        sheet.add_row([
            row.data.clone(),
            row.format.clone(),
            row.activation.to_string(),
            row.rows.to_string(),
            row.inputs.to_string(),
            row.reference.to_string(),
            number(row.point),
            number(row.tree),
            format!("{:.1}", row.yardstick),
            ratio(row.reference_to_tree),
            ratio(row.tree_to_yardstick),
        ]);
    }
    let mut text = table_text(&sheet);
    // A row for each activation: a reason that holds for both is told once.
    let mut told: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for row in rows {
        let Some(reason) = &row.refused else { continue };
        let place = format!("{} in {}", row.data, row.format);
        match told.last_mut() {
            Some((last, why, activations)) if *last == place && why == reason => activations.push(row.activation),
            _ => told.push((place, reason, vec![row.activation])),
        }
    }
    text.extend(
        told.iter().map(|(place, why, activations)| format!("{place}, {}: {why}\n", activations.join(" and "))),
    );
    text
}

#[cfg(test)]
mod tests {
    use roundproof_network::Encodings;

    use super::*;

    #[test]
    fn equal_values_are_counted_once() {
        let f = Format::BFLOAT16;
        let zeros = [f.zero(), f.negative_zero().unwrap(), f.one(false)];
        let inputs = Encodings::collect(f, zeros);
        let labels = Encodings::collect(f, zeros);
        let data = Dataset::new(f, 1, 1, inputs, labels).unwrap();
        assert_eq!((distinct(&data, true), distinct(&data, false)), (2, 2));
    }
}
