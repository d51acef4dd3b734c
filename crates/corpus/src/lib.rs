//! The corpus: what is claimed under `proofs/`, or in any other folder, proved again and compared with what is on record.
//!
//! A claim is a folder with a `claim.toml` ([`claim`] has its form); below a folder `refutations/` it must fail, anywhere else
//! hold. A corpus may have these parts besides, at its top:
//!
//! ```text
//! lemmas/        what Z3 says of each lemma of the program
//! rocq/          theorems mechanized in Rocq, and what they assume
//! frontier/      maps of where each construction holds, fails or has no parameters
//! ```
//!
//! In each folder with claims, and in each of these, stands one file `record.json`: an object with an entry for each
//! instance, which is what is claimed, the digests of what it is about, what came of it and the evidence, if that is short,
//! or its digest ([`Record`]). Of an instance that is refused it is the kind of the error and its words; refusals are
//! compared by their kind. The text is written in one way ([`RECORD`]), a field or a flat object on a line, and read in no other.
//! What was found differs from a record field by field, which the message says; what only a digest stands for is made
//! again by `verify-all --keep`.
//!
//! The folder is the expectation: a claim that must hold and is not `Proved` or `Attested`, or one that must fail and is not
//! `Refuted`, is a failure, whatever is on record.
//!
//! All folders are on one list, `obligations.json` ([`List`]), by which a folder that is gone is noticed.

mod all_values;
pub mod claim;
mod code;
mod corpus;
mod depth;
pub mod diff;
mod given;
mod list;
mod make;
mod memory;
mod new;
mod obligations;
mod record;
mod record_file;
mod refusal;
mod run;
mod text;
mod wanted;

pub use corpus::{Corpus, Findings};
pub use list::{Difference, Entry, LIST, List};
pub use make::RunError;
pub use memory::Memory;
pub use new::{Kind, NewError};
pub use obligations::{CLAIM, CorpusError, Expectation, Obligation};
pub use record::{Comparison, Established, FieldChange, Record};
pub use record_file::{RECORD, RecordFile, RecordProblem};
pub use refusal::{Refusal, RefusalKind};
pub use run::{Outcome, Settings};
