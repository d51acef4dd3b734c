//! The choice of columns: which are labels, which are inputs, and which are left out.

use std::collections::BTreeMap;
use std::ops::Range;

use roundproof_files::json::shorten;
use thiserror::Error;

/// Which columns of a table are what. A column is named by its name, as `#5` for the fifth, or, in an archive of arrays,
/// with all others of its array by the array's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The labels, in the order that they are to have. May be empty where labels are not needed.
    pub labels: Vec<String>,
    /// The inputs, in the order that they are to have; if empty, every column that is not a label, in the order of the file.
    pub inputs: Vec<String>,
    /// Columns that are neither.
    pub drop: Vec<String>,
    /// Whether a text has no header, so that its first row is one of data, and columns are called `#1`, `#2` and so on.
    pub no_header: bool,
}

impl Choice {
    /// These labels; everything else is an input.
    pub fn of_labels(labels: &[String]) -> Choice {
        Choice { labels: labels.to_vec(), ..Choice::default() }
    }
}

/// What is wrong with a choice of columns.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChoiceProblem {
    /// No label column was asked for.
    #[error("no label column was named; name at least one of {}", .known)]
    NoLabel {
        /// The columns there are.
        known: String,
    },
    /// A column that is not there.
    #[error("has no column `{name}`{} (columns: {known}; #1 is the first)", did_you_mean(.nearest))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest names there are, the nearest first.
        nearest: Vec<String>,
        /// The columns there are.
        known: String,
    },
    /// The same label column twice.
    #[error("column `{name}` was named {}; name it once", twice(*.first, *.second))]
    Twice {
        /// Its name.
        name: String,
        /// As what it was named first.
        first: Role,
        /// As what it was named again.
        second: Role,
    },
    /// No column is an input.
    #[error("every column is a label or is dropped; at least one column must be left as an input")]
    NoInput,
}

/// What a column was named as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A label.
    Label,
    /// An input.
    Input,
    /// Neither.
    Dropped,
}

fn did_you_mean(nearest: &[String]) -> String {
    let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(" or ")) }
}

fn twice(first: Role, second: Role) -> String {
    let name = |role| match role {
        Role::Label => "as a label",
        Role::Input => "as an input",
        Role::Dropped => "to be dropped",
    };
    if first == second { format!("{} twice", name(first)) } else { format!("{} and {}", name(first), name(second)) }
}

/// Which columns of a table are inputs, and which are labels, in the order asked for.
pub(crate) struct Chosen {
    pub(crate) inputs: Vec<usize>,
    pub(crate) labels: Vec<usize>,
}

/// Chooses columns by name, by the name of a group of columns, or as `#5` for the fifth column, in this order.
pub(crate) fn choose(
    header: &[String],
    groups: &BTreeMap<String, Range<usize>>,
    wanted: &Choice,
) -> Result<Chosen, ChoiceProblem> {
    let mut roles: Vec<Option<Role>> = vec![None; header.len()];
    let mut take = |names: &[String], role: Role| {
        let mut taken = Vec::new();
        for name in names {
            for column in find(header, groups, name)? {
                if let Some(first) = roles[column].replace(role) {
                    return Err(ChoiceProblem::Twice { name: shorten(&header[column]), first, second: role });
                }
                taken.push(column);
            }
        }
        Ok(taken)
    };
    let labels = take(&wanted.labels, Role::Label)?;
    take(&wanted.drop, Role::Dropped)?;
    let mut inputs = take(&wanted.inputs, Role::Input)?;
    if wanted.inputs.is_empty() {
        inputs = (0..header.len()).filter(|&column| roles[column].is_none()).collect();
    }
    if inputs.is_empty() { Err(ChoiceProblem::NoInput) } else { Ok(Chosen { inputs, labels }) }
}

fn find(header: &[String], groups: &BTreeMap<String, Range<usize>>, name: &str) -> Result<Range<usize>, ChoiceProblem> {
    let named = || header.iter().position(|column| column == name.trim()).map(|column| column..column + 1);
    let numbered = || {
        let column = name.strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1)?;
        (column < header.len()).then(|| column..column + 1)
    };
    named().or_else(|| groups.get(name.trim()).cloned()).or_else(numbered).ok_or_else(|| ChoiceProblem::Unknown {
        name: shorten(name),
        nearest: nearest(header.iter().chain(groups.keys()), name),
        known: known(header),
    })
}

/// The columns of a table; of many, the first and, where labels mostly stand, the last.
pub(crate) fn known(header: &[String]) -> String {
    const MOST: usize = 20;
    let quoted = |names: &[String]| names.iter().map(|name| format!("`{}`", shorten(name))).collect::<Vec<String>>();
    if header.len() <= MOST {
        return quoted(header).join(", ");
    }
    let [first, last] =
        [quoted(&header[..MOST / 4]), quoted(&header[header.len() - MOST / 4..])].map(|names| names.join(", "));
    format!("{first}, …, {last}: {} columns in all", header.len())
}

/// Up to three names that are alike.
fn nearest<'a>(names: impl Iterator<Item = &'a String>, name: &str) -> Vec<String> {
    let likeness = |column: &String| strsim::jaro_winkler(&column.to_lowercase(), &name.to_lowercase());
    let mut likely: Vec<(f64, &String)> =
        names.map(|column| (likeness(column), column)).filter(|(likeness, _)| *likeness > 0.7).collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0));
    // Others are worth a mention only if they are nearly as likely.
    let best = likely.first().map_or(0.0, |(likeness, _)| *likeness);
    likely.dedup_by(|a, b| a.1 == b.1);
    let near = likely.iter().take_while(|(likeness, _)| *likeness > best - 0.05);
    near.take(3).map(|(_, column)| shorten(column)).collect()
}
