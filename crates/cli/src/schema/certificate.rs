//! The form of a certificate, from which its schema is made. `roundproof-files` reads certificates by itself, more strictly;
//! that the two agree on every field is tested.

#![allow(dead_code)] // only the schema is made of these

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// A claim about a network, what was established, and the evidence.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Certificate {
    /// The version of this description.
    #[schemars(range(min = 1, max = 1))]
    schema: u64,
    claim: Claim,
    /// The network.
    network: Reference,
    /// The file of another tool that the network was made from. Nothing depends on it.
    #[serde(default)]
    #[schemars(with = "Reference")]
    network_source: Option<Reference>,
    /// The rounded data set.
    #[serde(default)]
    #[schemars(with = "Reference")]
    dataset: Option<Reference>,
    /// The forest that is computed.
    #[serde(default)]
    #[schemars(with = "Reference")]
    forest: Option<Reference>,
    /// The file that the data set, or the forest, came from.
    #[serde(default)]
    #[schemars(with = "Source")]
    source: Option<Source>,
    verdict: Verdict,
    /// There for Proved and Refuted, and only then.
    #[serde(default)]
    #[schemars(with = "Evidence")]
    evidence: Option<Evidence>,
    /// What the verdict leans on.
    lemmas: Vec<Lemma>,
    /// Where the certificate comes from. Nothing depends on it.
    provenance: BTreeMap<String, String>,
}

/// What was established.
#[derive(JsonSchema)]
enum Verdict {
    Proved,
    Attested,
    Refuted,
    Vacuous,
    Unknown,
}

/// What is claimed.
#[derive(JsonSchema)]
#[serde(tag = "property", rename_all = "lowercase")]
#[schemars(deny_unknown_fields)]
enum Claim {
    /// Each row of the data set gives its labels.
    Memorizes { format: FormatName, model: Model, shape: Shape },
    /// Every finite input gives the value of the forest.
    Computes {
        trees: usize,
        leaves: usize,
        /// How far off an output may be.
        tolerance: Magnitude,
        /// Rows whose labels are not the forest's values, ascending.
        exceptions: Vec<usize>,
        format: FormatName,
        model: Model,
        shape: Shape,
    },
    /// Every finite input of the domain gives a value near the function.
    Approximates {
        /// A name of the catalogue, or an expression in its canonical spelling.
        function: String,
        /// A range for each variable.
        #[schemars(length(min = 1, max = 2))]
        domain: Vec<Range>,
        accuracy: Accuracy,
        /// Of the tree that is the evidence.
        leaves: usize,
        format: FormatName,
        model: Model,
        shape: Shape,
    },
}

/// The canonical name of a format: `bfloat16`, `F(8)`, `p=8,emin=-126,emax=127,specials=ieee`.
#[derive(JsonSchema)]
struct FormatName(#[schemars(length(min = 1))] String);

/// A number that is not negative, in lowest terms: `n` or `n/d`.
#[derive(JsonSchema)]
struct Magnitude(#[schemars(regex(pattern = r"^[0-9]+(/[0-9]+)?$"))] String);

/// The encoding of a value.
#[derive(JsonSchema)]
struct Bits(#[schemars(regex(pattern = r"^0x[0-9a-f]{1,32}$"))] String);

/// Both ends belong to it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Range {
    low: Bits,
    high: Bits,
}

#[derive(JsonSchema)]
#[serde(untagged)]
enum Accuracy {
    Rounded(Rounded),
    Within(Within),
    Excess(Excess),
}

/// The function, rounded once.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rounded {
    rounding: Direction,
    overflow: Overflow,
}

/// At most so far from the function.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Within {
    error: Magnitude,
}

/// At most so much farther from the function than the nearest value.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Excess {
    excess: Magnitude,
}

/// The path model.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Model {
    rounding: Rounding,
    order: Order,
    contraction: Contraction,
    overflow: Overflow,
    subnormals: Subnormals,
    accumulator: Accumulator,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Direction {
    TiesToEven,
    TiesToAway,
    TowardPositive,
    TowardNegative,
    TowardZero,
}

#[derive(JsonSchema)]
#[serde(untagged)]
enum Rounding {
    Any(Any),
    Mode(Direction),
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Any {
    Any,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Order {
    Any,
    LeftToRight,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Contraction {
    Any,
    None,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Overflow {
    Ieee,
    Saturate,
    Nan,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Subnormals {
    Gradual,
    Flush,
}

#[derive(JsonSchema)]
#[serde(untagged)]
enum Accumulator {
    Same(Same),
    Wider(Wider),
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Same {
    Same,
}

/// Sums are formed in this format, and rounded once more.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Wider {
    format: FormatName,
    overflow: Overflow,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Shape {
    rows: usize,
    input_dimension: usize,
    output_dimension: usize,
    layers: usize,
    parameters: usize,
}

/// A path from the certificate's folder, with `/`, that stays within it.
#[derive(JsonSchema)]
struct RelativePath(#[schemars(length(min = 1))] String);

/// A SHA-256 digest.
#[derive(JsonSchema)]
struct Sha256(#[schemars(regex(pattern = r"^[0-9a-f]{64}$"))] String);

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Reference {
    path: RelativePath,
    sha256: Sha256,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Source {
    path: RelativePath,
    sha256: Sha256,
    /// The label columns, in order.
    labels: Vec<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Lemma {
    name: String,
    established: String,
}

#[derive(JsonSchema)]
#[serde(untagged)]
enum Evidence {
    BoxNetwork(BoxNetwork),
    Paths(Paths),
    AtRow(AtRow),
    AtPoint(AtPoint),
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum KindOfBoxNetwork {
    BoxNetwork,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum KindOfPaths {
    Paths,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum KindOfWitness {
    Witness,
}

/// Which boxes the neurons of the second layer indicate, in preorder.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct BoxNetwork {
    kind: KindOfBoxNetwork,
    separator: String,
}

/// The reachable values of every neuron are enclosed anew.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Paths {
    kind: KindOfPaths,
}

/// A path on which a row gives something else.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AtRow {
    kind: KindOfWitness,
    row: usize,
    output: usize,
    value: Bits,
    neurons: Vec<Neuron>,
}

/// A path on which a point gives something else.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AtPoint {
    kind: KindOfWitness,
    /// A value for each input.
    point: Vec<Bits>,
    output: usize,
    value: Bits,
    neurons: Vec<Neuron>,
}

/// A neuron whose path is not the plain one.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Neuron {
    layer: usize,
    neuron: usize,
    path: String,
    /// The value that it gives, of several that its activation admits.
    #[serde(default)]
    #[schemars(with = "Bits")]
    value: Option<Bits>,
}
