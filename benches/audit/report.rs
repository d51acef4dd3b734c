//! The table.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::Found;

/// A model under a path model.
pub struct Line {
    pub model: String,
    pub paths: String,
    /// Per cent of invariant rows that are asked for.
    pub goal: Option<f64>,
    pub found: Found,
}

/// A Markdown table.
pub fn print(lines: &[Line]) {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["model", "path model", "rows", "invariant", "goal", "", "ms a row", "loading, ms"]);
    for Line { model, paths, goal, found } in lines {
        let Found { loading, seconds, rows, invariant } = found;
        let share = 100.0 * *invariant as f64 / *rows as f64;
        table.add_row([
            model.clone(),
            paths.clone(),
            rows.to_string(),
            format!("{share:.2} %"),
            goal.map_or(String::new(), |goal| format!("{goal} %")),
            goal.map_or("", |goal| if share >= goal { "reached" } else { "missed" }).to_owned(),
            format!("{:.3}", 1e3 * seconds / *rows as f64),
            format!("{:.1}", 1e3 * loading),
        ]);
    }
    (2..8).for_each(|column| {
        table.column_mut(column).unwrap().set_cell_alignment(CellAlignment::Right);
    });
    println!("{table}");
}
