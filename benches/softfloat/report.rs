//! The medians that Criterion kept, beside each other.

use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use roundproof_format::RoundingMode;

use crate::operands::{COUNT, Distribution};
use crate::rows;
use crate::subjects::{APFLOAT, BERKELEY, MPFR, OURS, OURS_AT_RUN_TIME, Operation};

/// The name of a group of measurements.
pub fn group(operation: Operation, format: &str) -> String {
    format!("{}/{format}", operation.name())
}

/// Criterion's folder, beside the build's.
fn folder() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let target = program.ancestors().find(|path| path.ends_with("target"));
    target.unwrap_or(Path::new("target")).join("criterion")
}

/// Nanoseconds per operation: the median of this run.
fn median(group: &str, who: &str, row: &str) -> Option<f64> {
    let directory = |name: &str| name.replace('/', "_");
    let path = folder().join(directory(group)).join(directory(who)).join(directory(row)).join("new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Some(estimates["median"]["point_estimate"].as_f64()? / COUNT as f64)
}

/// A Markdown table: ours in nanoseconds, theirs in nanoseconds and as a multiple of ours.
pub fn print() {
    let peers = [OURS_AT_RUN_TIME, BERKELEY, APFLOAT, MPFR];
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["operation", "direction, operands", OURS].into_iter().chain(peers));
    (2..7).for_each(|column| {
        table.column_mut(column).expect("a column").set_cell_alignment(CellAlignment::Right);
    });
    for operation in Operation::ALL {
        for format in ["binary16", "bfloat16", "binary32", "binary64", "binary128"] {
            let group = group(operation, format);
            let measured = rows(operation).map(|(mode, distribution)| format!("{mode}, {}", distribution.name()));
            for row in measured.chain(["faithful pair, normal", "latency, ties-to-even"].map(String::from)) {
                let Some(ours) = median(&group, OURS, &row) else { continue };
                // One rounding is what a pair of them is compared with.
                let single = format!("{}, {}", RoundingMode::TowardPositive, Distribution::Normal.name());
                let cells = peers.map(|peer| {
                    let row = if row.starts_with("faithful") { &single } else { &row };
                    median(&group, peer, row)
                        .map_or(String::new(), |theirs| format!("{theirs:.1} ({:.1}x)", theirs / ours))
                });
                table.add_row([group.clone(), row, format!("{ours:.1}")].into_iter().chain(cells));
            }
        }
    }
    println!("{table}");
}
