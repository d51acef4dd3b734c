//! The form of what is said of a claim and of a certificate, from which schemas are made. `roundproof-judge` writes it, and is built
//! without what makes schemas; every report that the tests read is held against them.

#![allow(dead_code)] // only schemas are made of these

use schemars::JsonSchema;

/// What became of one certificate, for people and for machines.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Report {
    /// Where it is.
    certificate: String,
    /// What was established, or is said and cannot be judged; none if the certificate was rejected or could not be read.
    verdict: Option<String>,
    /// `accepted`, `rejected`, `not established` or `unreadable`.
    status: String,
    /// What was accepted, or why it was not, in a sentence.
    detail: String,
    /// What is claimed, whatever became of it; none if the certificate could not be read.
    claim: Option<Statement>,
    /// What is said of a model of another tool, if that is what the certificate is about; `claim` is none then.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Audit>,
    /// The kind of evidence, if there is any.
    evidence: Option<String>,
    /// The files that it is about, by what they are: of an accepted certificate, these very bytes were judged.
    files: Vec<NamedFile>,
    /// What was required of the claim and is not so; or what else was expected of the verdict.
    unmet: Vec<String>,
    /// Whether all is as expected and required.
    as_expected: bool,
}

/// A file that a certificate names.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NamedFile {
    /// `network`, `dataset`, `forest` or `graph`.
    role: String,
    /// Where it is, from the certificate's folder.
    path: String,
    /// The digest of its bytes: 64 hexadecimal digits.
    sha256: String,
}

/// What the certificate of an audit says.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Audit {
    /// The whole of it in a sentence.
    sentence: String,
    /// What is read off the model.
    decision: String,
    /// How many rows were judged.
    rows: usize,
    /// Under each path model.
    audits: Vec<AuditUnder>,
    /// What no verdict is about, unless its path model names it.
    not_covered: String,
}

/// What is said under a path model of audits.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AuditUnder {
    /// The path model.
    paths: AuditPaths,
    /// How many rows are invariant.
    invariant: usize,
}

/// A path model of audits, by name and field by field.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AuditPaths {
    /// The shortest text that `--paths` reads as this model.
    name: String,
    /// What each field says.
    fields: std::collections::BTreeMap<String, String>,
}

/// A claim, in words and part by part. Numbers that are not counts are texts: `n` or `n/d`, or a decimal for a value of the
/// format.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Statement {
    /// The whole of it in a sentence.
    sentence: String,
    /// `memorizes`, `computes` or `approximates`.
    property: String,
    /// The format of inputs, weights and outputs.
    format: String,
    /// Under which path model it is claimed.
    paths: Paths,
    /// Of which inputs it is claimed.
    inputs: Inputs,
    /// What the outputs are to be.
    outputs: Outputs,
    /// How near the outputs have to be to that.
    accuracy: Nearness,
    /// Rows of the data set, from 0, of which it is said that their labels are *not* what is computed.
    exceptions: Vec<usize>,
    /// Whether every path gives the same encodings, and not only the same numbers. Where a zero is among the outputs, one path may
    /// give -0 and another +0. None where that cannot be said of the claim alone, without its files; false where it does not follow.
    equal_encodings: Option<bool>,
    /// The sizes of what is claimed about.
    shape: Sizes,
}

/// A path model, each field for itself, and the whole in words.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Paths {
    /// The shortest text that `--paths` reads as this model: `all`, `paper`, or one of them and what differs from it.
    name: String,
    /// Every choice in words.
    words: String,
    /// `any`, or the one direction of every rounding.
    rounding: String,
    /// The order of a sum's additions: `any` or `left-to-right`.
    order: String,
    /// Fused multiply-add: `any`, fused or not at each addition, or `none`.
    contraction: String,
    /// What overflow gives: `ieee`, `saturate` or `nan`.
    overflow: String,
    /// `gradual`, or `flush`: flushed to zero or not, at each operation.
    subnormals: String,
    /// Where sums are formed: `same`, the format of the values, or a wider format and, after a stroke, what its overflow gives.
    accumulator: String,
}

/// Of which inputs something is claimed.
#[derive(JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Inputs {
    /// The rows of the data set.
    Rows,
    /// Every finite input of the format.
    Finite,
    /// Every finite input within these ranges.
    Domain {
        /// A range for each variable.
        ranges: Vec<Range>,
    },
}

/// The values of a variable from `low` to `high`, both included.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Range {
    /// `x` or `y`.
    variable: String,
    /// The least value.
    low: String,
    /// The largest value.
    high: String,
}

/// What outputs are to be.
#[derive(JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Outputs {
    /// The labels of the rows.
    Labels,
    /// The value of a forest.
    Forest {
        /// Its trees.
        trees: usize,
        /// Their leaves.
        leaves: usize,
    },
    /// A function of the reals.
    Function {
        /// Its name or expression.
        function: String,
    },
}

/// How near outputs have to be.
#[derive(JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Nearness {
    /// Equal.
    Exact,
    /// Equal to the real value rounded once.
    Rounded {
        /// The direction.
        rounding: String,
        /// What overflow gives.
        overflow: String,
    },
    /// At most this far away.
    Error {
        /// How far.
        error: String,
    },
    /// At most this much farther away than the nearest value of the format.
    Excess {
        /// How much.
        excess: String,
    },
}

/// The sizes of what is claimed about.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Sizes {
    /// Rows of the data set.
    rows: usize,
    /// Inputs of the network.
    inputs: usize,
    /// Outputs of the network.
    outputs: usize,
    /// Layers of the network.
    layers: usize,
    /// Weights and biases of the network.
    parameters: usize,
}
