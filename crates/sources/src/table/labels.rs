//! The choice of label columns.

use std::collections::BTreeMap;
use std::ops::Range;

use roundproof_files::json::shorten;
use thiserror::Error;

/// What is wrong with a choice of label columns.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LabelProblem {
    /// No label column was asked for.
    #[error("no label column was named; name at least one of {}", .known)]
    NoLabel {
        /// The columns there are.
        known: String,
    },
    /// A label column that is not there.
    #[error(
        "has no column `{name}`{} (columns: {known}; #1 is the first)",
        .nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
    )]
    UnknownLabel {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
        /// The columns there are.
        known: String,
    },
    /// The same label column twice.
    #[error("column `{name}` was named as a label twice; name it once")]
    LabelTwice {
        /// Its name.
        name: String,
    },
    /// Every column is a label.
    #[error("every column is a label; at least one column must be left as an input")]
    NoInput,
}

/// Which columns of a table are inputs, and which are labels, in the order asked for.
pub(crate) struct Chosen {
    pub(crate) inputs: Vec<usize>,
    pub(crate) labels: Vec<usize>,
}

/// Chooses labels by name, by the name of a group of columns, or as `#5` for the fifth column, in this order.
pub(crate) fn choose(
    header: &[String],
    groups: &BTreeMap<String, Range<usize>>,
    wanted: &[String],
) -> Result<Chosen, LabelProblem> {
    if wanted.is_empty() {
        return Err(LabelProblem::NoLabel { known: known(header) });
    }
    let (mut labels, mut is_label) = (Vec::new(), vec![false; header.len()]);
    for name in wanted {
        let named = || header.iter().position(|column| column == name.trim()).map(|column| column..column + 1);
        let numbered = || {
            let column = name.strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1)?;
            (column < header.len()).then(|| column..column + 1)
        };
        let Some(columns) = named().or_else(|| groups.get(name.trim()).cloned()).or_else(numbered) else {
            let (name, nearest) = (shorten(name), nearest(header, name));
            return Err(LabelProblem::UnknownLabel { name, nearest, known: known(header) });
        };
        for column in columns {
            if std::mem::replace(&mut is_label[column], true) {
                return Err(LabelProblem::LabelTwice { name: header[column].clone() });
            }
            labels.push(column);
        }
    }
    let inputs: Vec<usize> = (0..header.len()).filter(|&column| !is_label[column]).collect();
    if inputs.is_empty() { Err(LabelProblem::NoInput) } else { Ok(Chosen { inputs, labels }) }
}

fn known(header: &[String]) -> String {
    let mut names: Vec<String> = header.iter().take(20).map(|name| format!("`{}`", shorten(name))).collect();
    if header.len() > names.len() {
        names.push(format!("… ({} columns in all)", header.len()));
    }
    names.join(", ")
}

fn nearest(header: &[String], name: &str) -> Option<String> {
    let likeness = |column: &String| strsim::jaro_winkler(&column.to_lowercase(), &name.to_lowercase());
    let likely = header.iter().map(|column| (likeness(column), column)).filter(|(likeness, _)| *likeness > 0.7);
    likely.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, column)| column.clone())
}
