//! Two corpora side by side: which claims are stronger, weaker, gone or new. [`strength`] says what stronger is.

pub mod statement;
pub mod strength;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use roundproof_kernel::Verdict;
use thiserror::Error;

use crate::corpus::records;
use crate::list::TOP;
use crate::obligations::CorpusError;
use crate::record::{Established, Record};
use statement::Statement;
use strength::{FieldOrder, Fields, compare};

/// What one of two corpora claims, by name.
#[derive(Clone, Debug)]
pub struct Claims(BTreeMap<String, Claim>);

/// A claim on record.
#[derive(Clone, Debug)]
struct Claim {
    record: Record,
    established: Established,
    /// Of a refusal there is none.
    statement: Option<Statement>,
}

/// A corpus that cannot be compared.
#[derive(Debug, Error)]
pub enum DiffError {
    /// A record that cannot be read.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Nothing to compare.
    #[error("{0}: there is no record in it; give a folder like proofs/")]
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
    /// Reads what is on record in a folder like `proofs/`.
    ///
    /// # Errors
    ///
    /// If a record cannot be read, or there is none.
    pub fn read(path: &Path) -> Result<Claims, DiffError> {
        let mut claims = BTreeMap::new();
        for (folder, file) in records(path)? {
            for (entry, record) in file.entries() {
                // Records that say nothing were refused when they were read.
                let (Ok(established), Ok(statement)) = (record.established(), record.statement(entry)) else {
                    continue;
                };
                let name = if folder == TOP { entry.clone() } else { format!("{folder}/{entry}") };
                claims.insert(name, Claim { record: record.clone(), established, statement });
            }
        }
        match claims.is_empty() {
            true => Err(DiffError::Empty(path.to_path_buf())),
            false => Ok(Claims(claims)),
        }
    }
}

/// Every claim of two corpora, in the order of names.
pub fn diff(Claims(first): &Claims, Claims(second): &Claims) -> Vec<Compared> {
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let compared = names.into_iter().map(|name| {
        let (one, other) = (first.get(name), second.get(name));
        let (change, fields) = match (one, other) {
            (None, _) => (Change::New, Vec::new()),
            (Some(_), None) => (Change::Gone, Vec::new()),
            (Some(one), Some(other)) if one.record == other.record => (Change::Same, Vec::new()),
            (Some(one), Some(other)) => {
                let fields = fields([one.established, other.established], [&one.statement, &other.statement]);
                (changed(fields.order()), fields.0)
            }
        };
        let established = [one, other].map(|claim| claim.map(|claim| claim.established));
        Compared { name: name.clone(), change, established, fields }
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
fn fields([one, other]: [Established; 2], statements: [&Option<Statement>; 2]) -> Fields {
    let outcome = |order| FieldOrder { field: "outcome", order, values: [one.to_string(), other.to_string()] };
    let decided = |order| Fields(vec![outcome(order)]);
    let mut is_refuted = false;
    let mut verdict = Ordering::Equal;
    match (one, other) {
        (Established::Refused(kind), Established::Refused(other)) => {
            return decided((kind == other).then_some(verdict));
        }
        (Established::Mapped, Established::Mapped) => {}
        (Established::Verdict(one), Established::Verdict(other)) => match (rank(one), rank(other)) {
            (Rank::Nothing, Rank::Nothing) => return Fields::default(),
            (Rank::Nothing, _) => return decided(Some(Ordering::Greater)),
            (_, Rank::Nothing) => return decided(Some(Ordering::Less)),
            (Rank::Fails, Rank::Fails) => is_refuted = true,
            (Rank::Holds(one), Rank::Holds(other)) => verdict = other.cmp(&one),
            (Rank::Fails, Rank::Holds(_)) | (Rank::Holds(_), Rank::Fails) => return decided(None),
        },
        (Established::Refused(_) | Established::Mapped | Established::Verdict(_), _) => return decided(None),
    }
    let [Some(first), Some(second)] = statements else { return decided(None) };
    let mut fields = match is_refuted {
        true => compare(first, second, true).reversed(),
        false => compare(first, second, false),
    };
    if verdict != Ordering::Equal {
        fields.0.insert(0, outcome(Some(verdict)));
    }
    fields
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
