//! Verdicts of audits and what they are about, in words.

use roundproof_audit::{Decision, Ties};

use super::AuditPaths;
use crate::words::count;

/// What is read off an output.
pub fn decision(decision: &Decision) -> String {
    match decision {
        Decision::Argmax { ties: Ties::Any } => "the largest element, larger than all others".to_string(),
        Decision::Argmax { ties: Ties::First } => "the largest element, the first of equal ones".to_string(),
        Decision::Top { count, ordered } => {
            format!("the {count} largest elements{}", if *ordered { ", in their order" } else { "" })
        }
        Decision::Sign => "the sign of each element".to_string(),
        Decision::Threshold { limit } => format!("which elements are above {limit}, and which below"),
        Decision::Value { tolerance } => format!("each element, up to {tolerance}"),
        Decision::Bits => "the value of each element".to_string(),
    }
}

/// `352 of 359 rows are invariant under portable (rounding=ties-to-even, …)`.
pub fn invariant(invariant: usize, rows: usize, paths: &AuditPaths) -> String {
    let are = if rows == 1 { "is" } else { "are" };
    format!("{invariant} of {} {are} invariant under {}", count(rows, "row"), paths.in_full())
}

/// `invariant 3 under portable`: a verdict about a row, with what its places are called, and the names of the path models.
pub fn invariant_answer(answer: &[String], names: &[&str]) -> String {
    let answer = if answer.is_empty() { String::new() } else { format!(" {}", answer.join(", ")) };
    format!("invariant{answer} under {}", names.join(", "))
}
