//! Words for counts and kinds. Nothing of this decides anything.

use crate::Evidence;

/// `1 row`, `2 rows`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `1 leaf`, `2 leaves`.
pub fn leaf_count(leaves: usize) -> String {
    if leaves == 1 { "1 leaf".to_string() } else { format!("{leaves} leaves") }
}

/// The name of a kind of evidence, as on the command line and in certificates.
pub fn evidence_kind(evidence: &Evidence) -> &'static str {
    match evidence {
        Evidence::BoxNetwork(_) => "box-network",
        Evidence::Paths => "paths",
        Evidence::Witness(_) => "witness",
    }
}
