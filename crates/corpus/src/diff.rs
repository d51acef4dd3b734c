//! Two corpora side by side: which claims are stronger, weaker, gone or new. [`strength`] says what stronger is.

pub mod statement;
pub mod strength;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use roundproof_files::InFile;
use roundproof_kernel::Verdict;
use serde_json::Value;
use thiserror::Error;

use crate::list::{Entry, Established, List, ListProblem};
use crate::record::{CERTIFICATE, ending};
use statement::Statement;
use strength::{FieldOrder, Fields, compare};

/// What one of two corpora claims.
#[derive(Clone, Debug)]
pub struct Claims {
    list: List,
    /// The folder with its records; of a list there are none.
    folder: Option<PathBuf>,
}

/// A corpus that cannot be compared.
#[derive(Debug, Error)]
pub enum DiffError {
    /// A list or a record that cannot be read.
    #[error(transparent)]
    List(#[from] InFile<ListProblem>),
    /// Nothing to compare.
    #[error("{0}: there is no record in it; give a folder like proofs/, or its obligations.jsonl")]
    Empty(PathBuf),
}

/// How a claim of the second corpus compares with that of the same name in the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It claims the same, on the same record.
    Same,
    /// It claims the same, on another record: by other evidence, with another network or in other words.
    OtherRecord,
    /// It implies the first, and not the other way round.
    Stronger,
    /// It is implied by the first, and not the other way round.
    Weaker,
    /// Neither implies the other, as far as the records tell.
    Incomparable,
    /// There is none.
    Gone,
    /// There was none.
    New,
}

impl Change {
    /// Every change.
    pub const ALL: [Change; 7] = [
        Change::Same,
        Change::OtherRecord,
        Change::Stronger,
        Change::Weaker,
        Change::Incomparable,
        Change::Gone,
        Change::New,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Change::Same => "same",
            Change::OtherRecord => "other record",
            Change::Stronger => "stronger",
            Change::Weaker => "weaker",
            Change::Incomparable => "incomparable",
            Change::Gone => "gone",
            Change::New => "new",
        }
    }

    /// Whether the first claim is still implied.
    pub const fn is_kept(self) -> bool {
        match self {
            Change::Same | Change::OtherRecord | Change::Stronger | Change::New => true,
            Change::Weaker | Change::Incomparable | Change::Gone => false,
        }
    }
}

/// A claim in two corpora.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// How the second compares with the first.
    pub change: Change,
    /// What came of it in the first and in the second.
    pub established: [Option<Established>; 2],
    /// The fields in which the claims differ.
    pub fields: Vec<FieldOrder>,
}

impl Claims {
    /// Reads a folder like `proofs/`, or a list of obligations.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or there is nothing in it.
    pub fn read(path: &Path) -> Result<Claims, DiffError> {
        let claims = match path.is_dir() {
            true => Claims { list: List::of_records(path)?, folder: Some(path.to_path_buf()) },
            false => Claims { list: List::read_file(path)?, folder: None },
        };
        match claims.list.entries().is_empty() {
            true => Err(DiffError::Empty(path.to_path_buf())),
            false => Ok(claims),
        }
    }

    /// What is claimed; none if there are no records to read it from.
    fn statement(&self, name: &str) -> Result<Option<Statement>, DiffError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let file = ending(&folder.join(name), CERTIFICATE);
        let read = || {
            let record: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)
                .map_err(|error| ListProblem::Record(error.to_string()))?;
            Statement::of_record(&record).map_err(ListProblem::Record)
        };
        match read() {
            Ok(statement) => Ok(Some(statement)),
            Err(problem) => Err(InFile { file: file.clone(), problem: Box::new(problem) }.into()),
        }
    }
}

/// Every claim of two corpora, in the order of names.
///
/// # Errors
///
/// If a record cannot be read.
pub fn diff(first: &Claims, second: &Claims) -> Result<Vec<Compared>, DiffError> {
    let (of_first, of_second) = (first.list.entries(), second.list.entries());
    let names: BTreeSet<&String> = of_first.keys().chain(of_second.keys()).collect();
    let compared = names.into_iter().map(|name| {
        let (one, other) = (of_first.get(name), of_second.get(name));
        let (change, fields) = match (one, other) {
            (None, _) => (Change::New, Vec::new()),
            (Some(_), None) => (Change::Gone, Vec::new()),
            (Some(one), Some(other)) if one == other => (Change::Same, Vec::new()),
            (Some(one), Some(other)) => {
                let fields = fields([one, other], || Ok([first.statement(name)?, second.statement(name)?]))?;
                (changed(fields.order()), fields.0)
            }
        };
        let established = [one, other].map(|entry| entry.map(|entry| entry.established));
        Ok(Compared { name: name.clone(), change, established, fields })
    });
    compared.collect()
}

fn changed(order: Option<Ordering>) -> Change {
    match order {
        Some(Ordering::Equal) => Change::OtherRecord,
        Some(Ordering::Greater) => Change::Stronger,
        Some(Ordering::Less) => Change::Weaker,
        None => Change::Incomparable,
    }
}

/// In which fields two claims differ, by what came of them and, where that does not decide, by what they state.
fn fields(
    [one, other]: [&Entry; 2],
    statements: impl FnOnce() -> Result<[Option<Statement>; 2], DiffError>,
) -> Result<Fields, DiffError> {
    let (one, other) = (one.established, other.established);
    let outcome = |order| FieldOrder { field: "outcome", order, values: [one.to_string(), other.to_string()] };
    let decided = |order| Ok(Fields(vec![outcome(order)]));
    let mut is_refuted = false;
    let mut verdict = Ordering::Equal;
    match (one, other) {
        (Established::Refused(kind), Established::Refused(other)) => {
            return decided((kind == other).then_some(verdict));
        }
        (Established::Mapped, Established::Mapped) => {}
        (Established::Verdict(one), Established::Verdict(other)) => match (rank(one), rank(other)) {
            (Rank::Nothing, Rank::Nothing) => return Ok(Fields::default()),
            (Rank::Nothing, _) => return decided(Some(Ordering::Greater)),
            (_, Rank::Nothing) => return decided(Some(Ordering::Less)),
            (Rank::Fails, Rank::Fails) => is_refuted = true,
            (Rank::Holds(one), Rank::Holds(other)) => verdict = other.cmp(&one),
            (Rank::Fails, Rank::Holds(_)) | (Rank::Holds(_), Rank::Fails) => return decided(None),
        },
        (Established::Refused(_) | Established::Mapped | Established::Verdict(_), _) => return decided(None),
    }
    let mut fields = match statements()? {
        [Some(first), Some(second)] if is_refuted => compare(&first, &second, true).reversed(),
        [Some(first), Some(second)] => compare(&first, &second, false),
        _ => Fields(vec![FieldOrder {
            field: "record",
            order: None,
            values: ["another one", "a list has digests alone, two folders tell more"].map(str::to_string),
        }]),
    };
    if verdict != Ordering::Equal {
        fields.0.insert(0, outcome(Some(verdict)));
    }
    Ok(fields)
}

/// What a verdict establishes.
enum Rank {
    Nothing,
    Fails,
    /// The more, the stronger.
    Holds(u8),
}

const fn rank(verdict: Verdict) -> Rank {
    match verdict {
        Verdict::Proved => Rank::Holds(1),
        Verdict::Attested => Rank::Holds(0),
        Verdict::Refuted => Rank::Fails,
        Verdict::Vacuous | Verdict::Unknown => Rank::Nothing,
    }
}

#[cfg(test)]
mod tests;
