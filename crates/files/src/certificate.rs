//! Certificates: what was claimed, of which files, and on what evidence.
//!
//! A certificate is JSON with these fields, in this order when written:
//!
//! | field | |
//! | --- | --- |
//! | `schema` | the version of this description: 1 |
//! | `claim` | `property` (`memorizes`, `computes` or `approximates`), what goes with it, `format`, `model` and `shape`, as below |
//! | `network` | `path` and `sha256` of a safetensors file; the path is relative to the certificate's folder |
//! | `network_source` | may be left out: `path` and `sha256` of the file of another tool that the network was made from |
//! | `dataset` | the same of the rounded data set; may be left out for `computes`, and is for `approximates` |
//! | `forest` | the same of the forest that is computed; there for `computes` and `approximates`, and only then |
//! | `source` | may be left out: `path`, `sha256` and `labels` (column names) of the file that the data set, or the forest, came from |
//! | `verdict` | `Proved`, `Attested`, `Refuted`, `Vacuous` or `Unknown` |
//! | `evidence` | an object with the field `kind`, as below, for `Proved` and `Refuted`; left out for the others |
//! | `lemmas` | an array of `name` and `established` (how it was, in words) |
//! | `provenance` | an object of strings: solver, version, options, time. Nothing depends on it |
//!
//! With the property `computes` go the counts `trees` and `leaves`, the `tolerance`, a number of the form `"n"` or `"n/d"` in
//! lowest terms, and `exceptions`, an array of the rows, ascending, whose labels are not the forest's values.
//!
//! With the property `approximates` go the `function`, a name of the catalogue or an expression in its canonical spelling;
//! the `domain`, an array of `low` and `high`, two values, for each variable; the `accuracy`, an object of `rounding` (a
//! direction, by its name) and `overflow` for the function rounded once, or of `error`, a number as above; and the
//! count `leaves` of the tree.
//!
//! `model` has the fields `rounding`, `order`, `contraction`, `overflow`, `subnormals` and `accumulator`, with the words
//! of [`PathModel::parse`](roundproof_network::PathModel::parse); `accumulator` is `same` or an object of `format` and
//! `overflow`. `shape` has the counts `rows`, `input_dimension`, `output_dimension`, `layers` and `parameters`.
//!
//! The evidence for `Proved` has the kind `box-network`, and then a `separator`, or the kind `paths`, and then nothing
//! more. That for `Refuted` has the kind `witness`, the count `row`, or for `computes` and `approximates` the `point`, an
//! array of a value for each input, the count `output`, the `value` that comes out, and `neurons`, an array of `layer`,
//! `neuron` and `path`; and of `value`, that of the neuron, if its activation admits several and it is not that of the
//! plain path. It is in the format of its layer: it has as many digits as a value of the claim's, and more if it needs them.
//!
//! # Values, separators, paths
//!
//! A value is the hexadecimal digits of its encoding, in lowercase after `0x`, as many as the format's width takes:
//! `0x3f80` is 1 in bfloat16. Numbers in JSON are counts, and integers.
//!
//! ```text
//! separator = [ node *( " " node ) ]      in preorder: a split, all of its lower side, all of its upper side; tree by tree
//! node      = column ":" value            split: x[column] <= value is the lower side
//!           | "+" neuron                  the box that this neuron of the second layer indicates, around what follows
//!           | "#" neuron                  a leaf with the box that this neuron indicates
//!           | "-"                         a leaf without one
//!
//! path      = terms " " mode *( "; " change )       of a sum
//!           | "product " choice                     of an element-wise product
//!           | "maximum"                             of a maximum, which leaves nothing to choose
//! change    = "p" index " " choice        how product `index` is rounded
//!           | "a" index [ " add(" left "," right ")" | " fma(" left "," right ")" ] [ " " choice ]
//!                                         addition `index`: its operands, and how it is rounded
//!           | "out " choice               how the sum leaves a wider accumulator
//! choice    = mode [ "/" flushed ]
//! mode      = "RNE" | "RNA" | "RTP" | "RTN" | "RTZ"
//! flushed   = [ "l" ] [ "r" ] [ "o" ]     the left and right operand and the result (at least one of them)
//! ```
//!
//! A path states what differs from the plain one: `terms` products, each rounded in the direction `mode`, then added
//! from left to right, the bias last, in the same direction. Operands are numbered as in
//! [`TreePath`](roundproof_network::TreePath): products from 0, the bias `terms`, the result of addition `i`
//! `terms + 1 + i`; `fma` contracts the product `left`. `mode` is the most frequent direction (of several, the first in
//! the list above); changes are in the order of the grammar, then by index. So one path has one text.
//!
//! # Strictness
//!
//! Unknown and repeated keys, values that are numbers, other spellings of formats, values, paths and digests, other
//! versions, evidence that does not go with the verdict: all are refused, with the place. Whether the claim *holds*
//! is for the kernel to say.

mod notation;
mod read;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use roundproof_approximation::Approximates;
use roundproof_kernel::{Evidence, Verdict};

use thiserror::Error;

use crate::digest::{Digest, Stored};
use crate::error::{In, InFile};
use crate::json::{JsonError, Misfit};
use crate::write_atomically;

pub use notation::NotationError;
pub use roundproof_kernel::Property as KernelProperty;

/// The version of the certificates that are written, and the only one that is read.
pub const SCHEMA: usize = 1;

/// A claim of any kind.
pub type Claim = roundproof_kernel::Claim<Property>;

/// What a certificate can say to hold: whatever some judge has a rule for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// What the kernel judges: `memorizes` and `computes`.
    Kernel(KernelProperty),
    /// What `roundproof-approximation` judges: `approximates`.
    Approximates(Box<Approximates>),
}

impl From<KernelProperty> for Property {
    fn from(property: KernelProperty) -> Property {
        Property::Kernel(property)
    }
}

impl From<Approximates> for Property {
    fn from(property: Approximates) -> Property {
        Property::Approximates(Box::new(property))
    }
}

/// What was claimed, of which files, and on what evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The claim in full.
    pub claim: Claim,
    /// The network's file.
    pub network: FileReference,
    /// The file of another tool that the network was made from. It need not be there for the certificate to be checked, and
    /// nothing depends on it.
    pub network_source: Option<FileReference>,
    /// The rounded data set's file.
    pub dataset: Option<FileReference>,
    /// The file of the forest that is computed.
    pub forest: Option<FileReference>,
    /// The file that the data set, or the forest, came from.
    pub source: Option<SourceReference>,
    /// What was established.
    pub verdict: Verdict,
    /// What the kernel checks; see [`Certificate::check`].
    pub evidence: Option<Evidence>,
    /// The lemmas that the verdict leans on.
    pub lemmas: Vec<LemmaReference>,
    /// Where the certificate comes from: solver, version, options, time. Nothing depends on it.
    pub provenance: BTreeMap<String, String>,
}

/// A file beside a certificate, with its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReference {
    /// Where it is.
    pub path: RelativePath,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// The file that a data set came from: a CSV, or NumPy's arrays. It need not be there for the certificate to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReference {
    /// Its name.
    pub path: RelativePath,
    /// The digest of its bytes.
    pub sha256: Digest,
    /// The label columns, in order.
    pub labels: Vec<String>,
}

/// A lemma, and how it was established.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LemmaReference {
    /// Its name.
    pub name: String,
    /// How it was established, in words.
    pub established: String,
}

/// A path that stays within the folder that it starts from: names separated by `/`, none of them empty, `.` or `..`,
/// and neither backslashes nor colons, which mean something elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

/// A text that is not a [`RelativePath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a path within the certificate's folder is needed: names separated by `/`, without `..`, `\\` and `:`")]
pub struct PathTextError;

/// A certificate that cannot be read or written.
pub type CertificateError = InFile<CertificateProblem>;

/// What is wrong with a certificate.
#[derive(Debug, Error)]
pub enum CertificateProblem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file is not JSON, or has a key twice, or a number that is not a count.
    #[error("is not strict JSON: {0}")]
    Json(#[source] JsonError),
    /// The certificate is of another version.
    #[error("is a certificate of schema {found}; this program reads schema {SCHEMA}")]
    Schema {
        /// Its version.
        found: usize,
    },
    /// The JSON is not that of a certificate.
    #[error(transparent)]
    Form(#[from] Misfit),
    /// The parts do not go together.
    #[error(transparent)]
    Inconsistent(#[from] Inconsistency),
    /// The file cannot be written.
    #[error("cannot be written: {0}")]
    Unwritable(#[source] io::Error),
}

/// Parts of a certificate that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Inconsistency {
    /// Evidence of one kind with a verdict that another kind goes with.
    #[error("the verdict {verdict} needs {needed}; here is {found}")]
    Evidence {
        /// The verdict.
        verdict: Verdict,
        /// The evidence that goes with it.
        needed: &'static str,
        /// The evidence that is there.
        found: &'static str,
    },
    /// A file is missing that the property speaks of, or there that it does not speak of.
    #[error("the property {property} {needs}")]
    Files {
        /// The property's name.
        property: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// The claim's path model does not go with its format.
    #[error("claim.model: {0}")]
    Model(#[from] roundproof_network::ModelError),
    /// A path that the notation cannot express.
    #[error("evidence.neurons[{index}].path: {problem}")]
    Path {
        /// The neuron's place in the witness.
        index: usize,
        /// Why not.
        problem: NotationError,
    },
    /// A value that is not an encoding of the format.
    #[error("evidence: {bits:#x} is not an encoding of the claim's format")]
    Value {
        /// The bits.
        bits: u128,
    },
}

impl Certificate {
    /// Whether the parts go together, so far as that can be said without the files: `Proved` comes with evidence of a
    /// box network or of paths, `Refuted` with a witness, the other verdicts with none; the path model is one of the
    /// format; values are encodings; paths can be written down.
    ///
    /// # Errors
    ///
    /// The first thing that does not fit.
    pub fn check(&self) -> Result<(), Inconsistency> {
        let found = match &self.evidence {
            None => "none",
            Some(Evidence::BoxNetwork(_)) => "that of a box network",
            Some(Evidence::Paths) => "that of paths",
            Some(Evidence::Witness(_)) => "a witness",
        };
        let (fits, needed) = match self.verdict {
            Verdict::Proved => (
                matches!(self.evidence, Some(Evidence::BoxNetwork(_) | Evidence::Paths)),
                "evidence of a box network or of paths",
            ),
            Verdict::Refuted => (matches!(self.evidence, Some(Evidence::Witness(_))), "a witness"),
            Verdict::Attested | Verdict::Vacuous | Verdict::Unknown => (self.evidence.is_none(), "no evidence"),
        };
        if !fits {
            return Err(Inconsistency::Evidence { verdict: self.verdict, needed, found });
        }
        self.check_files()?;
        self.claim.model.check(self.claim.format)?;
        notation::check(self.claim.format, self.evidence.as_ref())
    }

    /// Whether the files are there that the claim speaks of, and no others.
    fn check_files(&self) -> Result<(), Inconsistency> {
        let needs = |property, needs| Err(Inconsistency::Files { property, needs });
        match (&self.claim.property, &self.dataset, &self.forest) {
            (Property::Kernel(KernelProperty::Memorizes), Some(_), None) => Ok(()),
            (Property::Kernel(KernelProperty::Memorizes), None, _) => needs("memorizes", "needs the field dataset"),
            (Property::Kernel(KernelProperty::Memorizes), _, Some(_)) => needs("memorizes", "has no field forest"),
            (Property::Kernel(KernelProperty::Computes { .. }), _, None) => needs("computes", "needs the field forest"),
            (Property::Kernel(KernelProperty::Computes { exceptions, .. }), None, _)
                if !exceptions.is_empty() || self.claim.shape.rows > 0 =>
            {
                needs("computes", "needs the field dataset where rows are spoken of")
            }
            (Property::Kernel(KernelProperty::Computes { .. }), ..) => Ok(()),
            (Property::Approximates(_), None, Some(_)) => Ok(()),
            (Property::Approximates(_), _, None) => needs("approximates", "needs the field forest"),
            (Property::Approximates(_), Some(_), _) => needs("approximates", "has no field dataset"),
        }
    }

    /// The certificate as text: the same for the same certificate, always.
    ///
    /// # Errors
    ///
    /// If it fails [`Certificate::check`].
    pub fn to_json(&self) -> Result<String, Inconsistency> {
        self.check()?;
        Ok(write::certificate(self).pretty())
    }

    /// Writes the certificate, as a whole or not at all, and says its digest.
    ///
    /// # Errors
    ///
    /// If it fails [`Certificate::check`], or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<Digest, CertificateError> {
        let text = self.to_json().map_err(CertificateProblem::Inconsistent).in_file(path)?;
        let unwritable = |error: InFile<crate::atomic::WriteProblem>| CertificateProblem::Unwritable(error.problem.0);
        write_atomically(path, text.as_bytes()).map_err(unwritable).in_file(path)?;
        Ok(Digest::of(text.as_bytes()))
    }

    /// The certificate in a file, and the file's digest.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a certificate.
    pub fn read(path: &Path) -> Result<Stored<Certificate>, CertificateError> {
        let bytes = std::fs::read(path).map_err(CertificateProblem::Unreadable).in_file(path)?;
        Ok(Stored { value: Certificate::parse(path, &bytes)?, digest: Digest::of(&bytes) })
    }

    /// The certificate in `bytes`, which come from `file`.
    ///
    /// # Errors
    ///
    /// If they are not a certificate.
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<Certificate, CertificateError> {
        read::certificate(bytes).in_file(file)
    }
}

impl RelativePath {
    /// Where this is, seen from the folder of `certificate`.
    pub fn beside(&self, certificate: &Path) -> PathBuf {
        certificate.with_file_name("").join(&self.0)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RelativePath {
    type Err = PathTextError;

    fn from_str(text: &str) -> Result<RelativePath, PathTextError> {
        let plain = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\\', ':', '\0']);
        if text.split('/').all(plain) { Ok(RelativePath(text.to_string())) } else { Err(PathTextError) }
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests;
