//! The medians that Criterion kept, and how they grow.

use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use roundproof_network::Activation;

use crate::subjects::Series;

/// A series, and the steps of it that were measured, with their sizes.
pub type Measured = (Series, Activation, Vec<(usize, usize)>);

/// The name of a series of measurements.
pub fn group(series: Series, activation: Activation) -> String {
    format!("{activation}/{}/{}", series.strategy(), series.axis())
}

/// Criterion's folder, beside the build's.
fn folder() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let target = program.ancestors().find(|path| path.ends_with("target"));
    target.unwrap_or(Path::new("target")).join("criterion")
}

/// Seconds of a check: the median of this run.
fn median(group: &str, step: usize) -> Option<f64> {
    let path = folder().join(group.replace('/', "_")).join(step.to_string()).join("new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Some(estimates["median"]["point_estimate"].as_f64()? / 1e9)
}

/// The least-squares slope of the logarithm of the time over that of the size.
fn exponent(points: &[(usize, f64)]) -> f64 {
    let logarithms: Vec<(f64, f64)> = points.iter().map(|&(size, time)| ((size as f64).ln(), time.ln())).collect();
    let mean = |part: fn(&(f64, f64)) -> f64| logarithms.iter().map(part).sum::<f64>() / logarithms.len() as f64;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = logarithms.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let variance: f64 = logarithms.iter().map(|point| (point.0 - x).powi(2)).sum();
    covariance / variance
}

/// A Markdown table: one line for each series, with its exponent and the time of its smallest and its largest certificate.
pub fn print(measured: &[Measured]) {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["strategy", "activation", "what grows", "from", "to", "milliseconds", "exponent"]);
    (3..7).for_each(|column| {
        table.column_mut(column).expect("a column").set_cell_alignment(CellAlignment::Right);
    });
    for (series, activation, points) in measured {
        let group = group(*series, *activation);
        let points = points.iter().filter_map(|&(step, size)| Some((size, median(&group, step)?)));
        let points: Vec<(usize, f64)> = points.collect();
        let (Some((least, short)), Some((most, long))) = (points.first(), points.last()) else { continue };
        table.add_row([
            series.strategy().to_string(),
            activation.to_string(),
            series.axis().to_string(),
            least.to_string(),
            most.to_string(),
            format!("{:.2} to {:.1}", short * 1e3, long * 1e3),
            format!("{:.2}", exponent(&points)),
        ]);
    }
    println!("{table}");
    println!(
        "\nThe exponent e is that of the power c n^e which fits the times of a series best (least squares of logarithms)."
    );
}
