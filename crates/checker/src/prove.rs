//! From a data set or a forest to a network with a certificate, or to the path that refutes it.

mod approximate;
mod candidates;
mod describe;
#[cfg(test)]
mod function_tests;
mod refute;
mod strategy;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use roundproof_construct::learn::{LearnOptions, learn, optimize};
use roundproof_construct::{ConstructError, Construction, classical, compile, point};
use roundproof_exact::{Integer, Rational, power_of_two};
use roundproof_files::Digest;
use roundproof_files::certificate::{Certificate, FileReference, RelativePath, SourceReference};
use roundproof_files::safetensors::{
    Columns, TensorError, dataset_bytes, forest_bytes, named_network_bytes, parse_dataset, parse_forest, parse_network,
};
use roundproof_judge::{Claim, Evidence, Property, Rejection, Subject, Verdict};
use roundproof_kernel::{Claim as KernelClaim, boxes, exceptions};
use roundproof_network::{Activation, Dataset, Forest, Network, PathModel};
use roundproof_paths::EvaluateError;
use thiserror::Error;

pub use approximate::{approximate, approximate_by};
pub use describe::describe;
use refute::Judged;
pub use strategy::Strategy;

/// Which evidence to look for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preference {
    /// What the construction offers, else the values reachable on any path.
    #[default]
    Construction,
    /// The values reachable on any path.
    Paths,
}

/// The step of [`Progress`] that counts milliseconds: the search that `optimize` of [`TreeOptions`] allows.
pub const SEARCH: &str = "growing smaller trees";

/// How the strategy `tree` grows its tree.
#[derive(Clone, Debug, Default)]
pub struct TreeOptions {
    /// Its limits.
    pub learn: LearnOptions,
    /// How long to look for a smaller network; none: the first tree is taken.
    pub optimize: Option<Duration>,
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// How to make the network.
    pub strategy: Strategy,
    /// The activation of its hidden layers; a strategy that has only one takes that.
    pub activation: Activation,
    /// The rounding paths that the claim speaks of.
    pub model: PathModel,
    /// How a tree is grown, and how long smaller ones are looked for.
    pub tree: TreeOptions,
    /// Which evidence to look for.
    pub preference: Preference,
    /// Put before `network.safetensors`, `dataset.safetensors` and `forest.safetensors`, the names that the certificate
    /// gives to its files.
    pub prefix: String,
    /// The file that the data came from.
    pub source: Option<SourceReference>,
    /// The names of the inputs, which the network's file keeps.
    pub input_names: Option<Vec<String>>,
}

/// A certificate with its files.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The network.
    pub network: Network,
    /// The files that the certificate names.
    pub files: Files,
    /// The certificate: what the kernel established, and of which bytes.
    pub certificate: Certificate,
    /// Why the evidence that was offered first was not accepted, if it was not.
    pub rejection: Option<Rejection>,
}

/// The files of a certificate, as bytes.
#[derive(Clone, Debug)]
pub struct Files {
    /// The network.
    pub network: Vec<u8>,
    /// The rounded data set.
    pub dataset: Option<Vec<u8>>,
    /// The forest that is computed.
    pub forest: Option<Vec<u8>>,
}

impl Files {
    /// The files that there are, with the names that they have without a prefix.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let [network, dataset, forest] = NAMES;
        let rest = [(dataset, &self.dataset), (forest, &self.forest)];
        let rest = rest.into_iter().filter_map(|(name, bytes)| Some((name, bytes.as_deref()?)));
        [(network, self.network.as_slice())].into_iter().chain(rest)
    }
}

/// The names of the files of a certificate: the network, the data set, the forest.
pub const NAMES: [&str; 3] = ["network.safetensors", "dataset.safetensors", "forest.safetensors"];

/// Why there is no proof, nor a refutation.
#[derive(Debug, Error)]
pub enum ProveError {
    /// No network could be made.
    #[error(transparent)]
    Construct(#[from] ConstructError),
    /// A file that was just made does not read back.
    #[error("a file that was just made does not read back: {0}")]
    ReadBack(#[from] TensorError),
    /// Rows of other sizes than the forest's.
    #[error("{what}: the model has {needed}, the table {found}; {remedy}")]
    Columns {
        /// `inputs` or `outputs`.
        what: &'static str,
        /// What the rows have.
        found: usize,
        /// What the forest has.
        needed: usize,
        /// What to do.
        remedy: &'static str,
    },
    /// The path model does not fit the format.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The prefix makes no file name.
    #[error("`{0}` is not a name for a file beside a certificate")]
    Name(String),
}

/// What is done, and how many of how many steps of it are.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, usize, usize);

/// Makes a network for `data`, and has the kernel judge that it memorizes it, or computes the tree that was grown on it.
///
/// The kernel sees what is in the files: what is claimed about is written to bytes and read back before it is judged. If
/// the evidence is not accepted, a witness against the claim is searched, and its replay by the kernel makes the
/// verdict `Refuted`; without one it is `Unknown`, with the rejection.
///
/// # Errors
///
/// If the construction has no network for the data set.
pub fn memorize(
    data: &Dataset,
    columns: Option<&Columns>,
    task: &Task,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    progress("constructing", 0, 1);
    if task.strategy == Strategy::Tree {
        let forest = grow(data, task, progress)?;
        return compute(&forest, Some((data, columns)), task, progress);
    }
    let (network, offered) = construct(data, task.strategy, task.activation)?;
    judge(network, offered, data, columns, task, progress)
}

/// [`memorize`] with a network that somebody made: what the kernel says of it, by the values reachable on any path, or by
/// a witness.
///
/// # Errors
///
/// If the network does not fit the data set.
pub fn given(
    network: Network,
    data: &Dataset,
    columns: Option<&Columns>,
    task: &Task,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    let mut proof = judge(network, Evidence::Paths, data, columns, task, progress)?;
    proof.certificate.provenance.insert("strategy".to_string(), "given".to_string());
    Ok(proof)
}

fn judge(
    network: Network,
    offered: Evidence,
    data: &Dataset,
    columns: Option<&Columns>,
    task: &Task,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    let offered = if task.preference == Preference::Paths { Evidence::Paths } else { offered };
    progress("serializing", 0, 1);
    let files = Files {
        network: named_network_bytes(&network, task.input_names.as_deref()),
        dataset: Some(dataset_bytes(data, columns)),
        forest: None,
    };
    drop(network);
    let names = Names::new(task)?;
    let network = names.network(&files)?;
    let data = names.dataset(&files)?;
    let claim = KernelClaim::memorizes(&network, &data, task.model).map(Property::from);
    let subject = Subject::memorizing(&network, &data);
    let Judged { verdict, evidence, rejection } = Judged::of(&claim, &subject, offered, progress)?;
    let certificate = names.certificate(claim, &files, verdict, evidence, task);
    Ok(Proof { network, files, certificate, rejection })
}

/// The network of a strategy, and the evidence that it offers for memorization; of a tree, the one grown without limits.
pub(crate) fn construct(
    data: &Dataset,
    strategy: Strategy,
    activation: Activation,
) -> Result<(Network, Evidence), ConstructError> {
    Ok(match strategy {
        Strategy::Point => in_parts(point::memorize(data, activation)?),
        Strategy::Tree => {
            let forest = learn(data, &LearnOptions::default(), &mut |_, _| ())?;
            in_parts(compile::compile(&forest, activation)?)
        }
        Strategy::HalvedPenalties => {
            let construction = point::memorize(data, Activation::Relu)?;
            (classical::halve_penalties(construction.network)?, construction.evidence)
        }
        Strategy::TelescopingSum => (classical::telescoping_sum(data)?, Evidence::Paths),
        Strategy::CountingIndicator => (classical::counting_indicator(data)?, Evidence::Paths),
        Strategy::CountedRamps => (classical::counted_ramps(data)?, Evidence::Paths),
        Strategy::DensePoint => (classical::dense(point::memorize(data, activation)?.network)?, Evidence::Paths),
    })
}

/// Compiles `forest` to a network, and has the kernel judge that it computes it at every finite input; if the sums are
/// exact and there are `rows`, also in which of them the forest gives another value than the label.
///
/// # Errors
///
/// If there is no network for the forest, or the rows do not have its inputs and outputs.
pub fn compute(
    forest: &Forest,
    rows: Option<(&Dataset, Option<&Columns>)>,
    task: &Task,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    compute_within(forest, None, rows, task, progress)
}

/// [`compute`], with the tolerance that is claimed; if none is given, one that the kernel can prove. With the strategy
/// [`Strategy::HalvedPenalties`], the network is one that does not compute the forest.
///
/// # Errors
///
/// As [`compute`].
pub fn compute_within(
    forest: &Forest,
    claimed: Option<&Rational>,
    rows: Option<(&Dataset, Option<&Columns>)>,
    task: &Task,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    if let Some((data, _)) = rows {
        check_columns(forest, data)?;
    }
    progress("compiling", 0, 1);
    let (network, offered) = compiled(forest, task)?;
    let Evidence::BoxNetwork(separator) = &offered else { unreachable!("what is compiled is a box network") };
    // Where this fails, so does the kernel's check below, which says why; the claim is then what it would be of `all`.
    let bound = |model: &PathModel| boxes::error_bound(model, &network, separator);
    let bound = bound(&task.model).or_else(|_| bound(&PathModel::all(network.format()))).unwrap_or_default();
    let tolerance = claimed.cloned().unwrap_or_else(|| in_few_bits(&bound));
    let rows = rows.filter(|_| tolerance == 0);
    progress("serializing", 0, 1);
    let files = Files {
        network: named_network_bytes(&network, task.input_names.as_deref()),
        dataset: rows.map(|(data, columns)| dataset_bytes(data, columns)),
        forest: Some(forest_bytes(forest)),
    };
    drop(network);
    let names = Names::new(task)?;
    let network = names.network(&files)?;
    let forest = names.forest(&files)?;
    let data = rows.map(|_| names.dataset(&files)).transpose()?;
    let exceptions = match &data {
        Some(data) => exceptions(&forest, data, &mut |done, of| progress("comparing labels", done, of)),
        None => Vec::new(),
    };
    let claim =
        KernelClaim::computes(&network, &forest, data.as_ref(), task.model, tolerance, exceptions).map(Property::from);
    let subject = Subject { network: &network, data: data.as_ref(), forest: Some(&forest) };
    let Judged { verdict, evidence, rejection } = Judged::of(&claim, &subject, offered, progress)?;
    let certificate = names.certificate(claim, &files, verdict, evidence, task);
    Ok(Proof { network, files, certificate, rejection })
}

/// The network of a forest, with half of each penalty if the strategy asks for that.
fn compiled(forest: &Forest, task: &Task) -> Result<(Network, Evidence), ConstructError> {
    let (network, evidence) = in_parts(compile::compile(forest, task.activation)?);
    match task.strategy {
        Strategy::HalvedPenalties => Ok((classical::halve_penalties(network)?, evidence)),
        _ => Ok((network, evidence)),
    }
}

/// What a threshold costs with ReLU, in parameters: most have a unit for either side.
const RELU_THRESHOLD: usize = 4;

/// Whether the rows have the forest's inputs and outputs.
fn check_columns(forest: &Forest, data: &Dataset) -> Result<(), ProveError> {
    let sizes = [
        ("inputs", forest.dimension(), data.dimension(), "every column that is not a label is an input"),
        ("outputs", forest.outputs(), data.outputs(), "name a label column for each output"),
    ];
    match sizes.into_iter().find(|(_, needed, found, _)| needed != found) {
        Some((what, needed, found, remedy)) => Err(ProveError::Columns { what, found, needed, remedy }),
        None => Ok(()),
    }
}

/// A tree grown on the rows: the first one, or the one whose network is the smallest that was found in time.
fn grow(data: &Dataset, task: &Task, progress: Progress<'_>) -> Result<Forest, ConstructError> {
    let TreeOptions { learn: options, optimize: budget } = &task.tree;
    let threshold_cost = if task.activation == Activation::Relu { RELU_THRESHOLD } else { options.threshold_cost };
    let options = &LearnOptions { threshold_cost, ..*options };
    let Some(budget) = budget else {
        return learn(data, options, &mut |done, of| progress("growing a tree", done, of));
    };
    let mut score = |forest: &Forest| compile::parameters(forest, task.activation);
    let mut report = |done, of| progress(SEARCH, done, of);
    Ok(optimize(data, options, *budget, &mut score, &mut report)?.forest)
}

/// The least number of eight significant bits that is not below `bound`: a claim that can be read.
fn in_few_bits(bound: &Rational) -> Rational {
    let bits = |number: &Integer| i64::from(number.significant_bits());
    let shift = 9 - (bits(bound.numer()) - bits(bound.denom()));
    let scale = power_of_two(shift);
    Rational::from(bound * &scale).ceil() / scale
}

fn in_parts(construction: Construction) -> (Network, Evidence) {
    (construction.network, construction.evidence)
}

/// The names of the files of one certificate.
struct Names {
    network: RelativePath,
    dataset: RelativePath,
    forest: RelativePath,
}

impl Names {
    fn new(task: &Task) -> Result<Names, ProveError> {
        let [network, dataset, forest] = NAMES.map(|file| {
            let name = format!("{}{file}", task.prefix);
            name.parse::<RelativePath>().map_err(|_| ProveError::Name(name))
        });
        Ok(Names { network: network?, dataset: dataset?, forest: forest? })
    }

    fn network(&self, files: &Files) -> Result<Network, TensorError> {
        parse_network(Path::new(self.network.as_str()), &files.network)
    }

    fn dataset(&self, files: &Files) -> Result<Dataset, TensorError> {
        let bytes = files.dataset.as_deref().unwrap_or_default();
        Ok(parse_dataset(Path::new(self.dataset.as_str()), bytes)?.dataset)
    }

    fn forest(&self, files: &Files) -> Result<Forest, TensorError> {
        parse_forest(Path::new(self.forest.as_str()), files.forest.as_deref().unwrap_or_default())
    }

    fn certificate(
        self,
        claim: Claim,
        files: &Files,
        verdict: Verdict,
        evidence: Option<Evidence>,
        task: &Task,
    ) -> Certificate {
        let reference = |path, bytes: &[u8]| FileReference { path, sha256: Digest::of(bytes) };
        let lemmas = match &evidence {
            Some(Evidence::BoxNetwork(_)) => crate::lemmas::behind_box_networks(claim.format),
            _ => Vec::new(),
        };
        Certificate {
            claim,
            network: reference(self.network, &files.network),
            network_source: None,
            dataset: files.dataset.as_ref().map(|bytes| reference(self.dataset, bytes)),
            forest: files.forest.as_ref().map(|bytes| reference(self.forest, bytes)),
            source: task.source.clone(),
            verdict,
            evidence,
            lemmas,
            provenance: provenance(task),
        }
    }
}

fn provenance(task: &Task) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("program".to_string(), format!("roundproof {}", env!("CARGO_PKG_VERSION"))),
        ("strategy".to_string(), task.strategy.to_string()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_raised_to_few_bits() {
        assert_eq!(in_few_bits(&Rational::new()), 0);
        for (numerator, denominator) in
            [(1u64, 3u64), (1, 1024), (12_345_678_901, 7), (1, 12_345_678_901), (255, 256), (1, 1)]
        {
            let bound = Rational::from((numerator, denominator));
            let raised = in_few_bits(&bound);
            assert!(raised >= bound && raised <= bound * Rational::from((257, 256)), "{raised}");
            let odd = raised.numer().clone() >> raised.numer().find_one(0).unwrap_or(0);
            assert!(odd.significant_bits() <= 10 && raised.denom().is_power_of_two(), "{raised}");
        }
    }
}
