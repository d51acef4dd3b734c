//! The corpus: what is claimed under `proofs/`, proved again and compared with what was committed.
//!
//! ```text
//! proofs/
//!   lemmas/        records of what Z3 said of each lemma: NAME.json
//!   rocq/          theorems mechanized in Rocq, and records of what they assume: NAME.json
//!   theorems/      claims that must hold
//!   refutations/   claims that must fail
//!   frontier/      maps of where each construction holds, fails or has no parameters: NAME.json
//! ```
//!
//! A claim is a folder with a `claim.toml` ([`claim::ClaimFile`]); beside it stands, for each instance, either
//! `INSTANCE.json`, a certificate, or `INSTANCE.refusal.txt`, the kind of the error with which the instance is refused, and its words. Refusals are
//! compared by their kind. The first
//! folder is the expectation: a certificate under `theorems/` that is not `Proved`, or one under `refutations/` that is not
//! `Refuted`, is a failure, whatever was committed.
//!
//! All of it is on one list, `obligations.jsonl` ([`List`]).
//!
//! Where a claim says `record = "digest"`, its records are certificates whose `evidence` has a `kind`, and of its compact
//! JSON with sorted keys the `bytes` and their `sha256`.

mod all_values;
pub mod claim;
mod depth;
pub mod diff;
mod given;
mod list;
mod make;
mod obligations;
mod record;
mod refusal;
mod run;
mod wanted;

pub use list::{Difference, Entry, Established, LIST, List, ListProblem};
pub use make::RunError;
pub use obligations::{CorpusError, Expectation, Obligation, obligations};
pub use record::{Comparison, Record};
pub use refusal::{Refusal, RefusalKind};
pub use run::{Outcome, Settings};
