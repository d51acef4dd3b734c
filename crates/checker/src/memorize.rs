//! From a data set to a network with a certificate, or to the path that refutes it.

mod describe;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use roundproof_construct::{ConstructError, classical, point};
use roundproof_files::Digest;
use roundproof_files::certificate::{Certificate, FileReference, RelativePath, SourceReference};
use roundproof_files::safetensors::{Columns, TensorError, dataset_bytes, network_bytes, parse_dataset, parse_network};
use roundproof_format::ParseError;
use roundproof_kernel::{Claim, Evidence, Rejection, Verdict, check};
use roundproof_network::{Activation, Dataset, Network, PathModel};
use roundproof_paths::{EvaluateError, Finding, SearchOptions, search};
use thiserror::Error;

pub use describe::describe;

/// How a network is made of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// A box network with one point box per distinct row. Sound on every path.
    Point,
    /// The same with every penalty halved. Wrong; for the corpus.
    HalvedPenalties,
    /// The telescoping sum. Right over the reals; for the corpus.
    TelescopingSum,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: &'static [Strategy] = &[Strategy::Point, Strategy::HalvedPenalties, Strategy::TelescopingSum];

    /// The hidden activation of its networks, if it makes but one kind.
    pub const fn only_activation(self) -> Option<Activation> {
        match self {
            Strategy::Point => None,
            Strategy::HalvedPenalties => Some(Activation::Relu),
            Strategy::TelescopingSum => Some(Activation::Step),
        }
    }

    /// The spelling on the command line and in claims.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::Point => "point",
            Strategy::HalvedPenalties => "halved-penalties",
            Strategy::TelescopingSum => "telescoping-sum",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Strategy {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Strategy, ParseError> {
        let known = Strategy::ALL.iter().copied();
        known
            .clone()
            .find(|strategy| strategy.name() == text)
            .ok_or_else(|| ParseError::unknown("strategy", text, known.map(Strategy::name)))
    }
}

/// Which evidence to look for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preference {
    /// What the construction offers, else the values reachable on any path.
    #[default]
    Construction,
    /// The values reachable on any path.
    Paths,
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
    /// Which evidence to look for.
    pub preference: Preference,
    /// Put before `network.safetensors` and `dataset.safetensors`, the names that the certificate gives to its files.
    pub prefix: String,
    /// The CSV that the data came from.
    pub source: Option<SourceReference>,
}

/// A certificate with its files, as bytes.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The network.
    pub network: Network,
    /// Its file.
    pub network_bytes: Vec<u8>,
    /// The data set's file.
    pub dataset_bytes: Vec<u8>,
    /// The certificate: what the kernel established, and of which bytes.
    pub certificate: Certificate,
    /// Why the evidence that was offered first was not accepted, if it was not.
    pub rejection: Option<Rejection>,
}

/// Why there is no proof, nor a refutation.
#[derive(Debug, Error)]
pub enum ProveError {
    /// No network could be made.
    #[error(transparent)]
    Construct(#[from] ConstructError),
    /// A file that was just made does not read back.
    #[error("a file that was just made does not read back: {0}")]
    ReadBack(#[from] TensorError),
    /// The path model does not fit the format.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The prefix makes no file name.
    #[error("`{0}` is no name for a file beside a certificate")]
    Name(String),
}

/// Makes a network for `data`, and has the kernel judge that it memorizes it.
///
/// The kernel sees what is in the files: the network and the data set are written to bytes and read back before they
/// are judged. If the evidence is not accepted, a witness against the claim is searched, and its replay by the kernel
/// makes the verdict `Refuted`; without one it is `Unknown`, with the rejection.
///
/// `progress` is told what is being done, and how many of how many steps of it are.
///
/// # Errors
///
/// If the construction has no network for the data set.
pub fn memorize(
    data: &Dataset,
    columns: Option<&Columns>,
    task: &Task,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<Proof, ProveError> {
    progress("constructing", 0, 1);
    let (network, offered) = construct(data, task)?;
    let (network_bytes, dataset_bytes) = (network_bytes(&network), dataset_bytes(data, columns));
    let name = |file: &str| {
        let name = format!("{}{file}", task.prefix);
        name.parse::<RelativePath>().map_err(|_| ProveError::Name(name))
    };
    let (network_path, dataset_path) = (name("network.safetensors")?, name("dataset.safetensors")?);
    let network = parse_network(Path::new(network_path.as_str()), &network_bytes)?;
    let data = parse_dataset(Path::new(dataset_path.as_str()), &dataset_bytes)?.dataset;

    let claim = Claim::memorizes(&network, &data, task.model);
    let judged = check(&claim, &network, &data, &offered, &mut |done, of| progress("judging", done, of));
    let (verdict, evidence, rejection) = match judged {
        Ok(verdict) => (verdict, Some(offered), None),
        Err(rejection) => {
            progress("searching for a witness", 0, 1);
            let found = match search(&network, &data, &task.model, &SearchOptions::default())? {
                Finding::Found(witness) => Some(Evidence::Witness(witness)),
                Finding::Excluded | Finding::Open(_) => None,
            };
            let judge = |evidence: &Evidence| check(&claim, &network, &data, evidence, &mut |_, _| ());
            match found.filter(|evidence| judge(evidence) == Ok(Verdict::Refuted)) {
                Some(evidence) => (Verdict::Refuted, Some(evidence), Some(rejection)),
                None => (Verdict::Unknown, None, Some(rejection)),
            }
        }
    };
    let evidence = evidence.filter(|_| matches!(verdict, Verdict::Proved | Verdict::Refuted));
    let lemmas = match &evidence {
        Some(Evidence::BoxNetwork(_)) => crate::lemmas::behind_box_networks(claim.format),
        _ => Vec::new(),
    };
    let certificate = Certificate {
        claim,
        network: FileReference { path: network_path, sha256: Digest::of(&network_bytes) },
        dataset: FileReference { path: dataset_path, sha256: Digest::of(&dataset_bytes) },
        source: task.source.clone(),
        verdict,
        evidence,
        lemmas,
        provenance: provenance(task),
    };
    Ok(Proof { network, network_bytes, dataset_bytes, certificate, rejection })
}

fn construct(data: &Dataset, task: &Task) -> Result<(Network, Evidence), ConstructError> {
    let (network, evidence) = match task.strategy {
        Strategy::Point => {
            let construction = point::memorize(data, task.activation)?;
            (construction.network, construction.evidence)
        }
        Strategy::HalvedPenalties => {
            let construction = point::memorize(data, Activation::Relu)?;
            (classical::halve_penalties(construction.network)?, construction.evidence)
        }
        Strategy::TelescopingSum => (classical::telescoping_sum(data)?, Evidence::Paths),
    };
    let evidence = if task.preference == Preference::Paths { Evidence::Paths } else { evidence };
    Ok((network, evidence))
}

fn provenance(task: &Task) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("program".to_string(), format!("roundproof {}", env!("CARGO_PKG_VERSION"))),
        ("strategy".to_string(), task.strategy.to_string()),
        ("z3".to_string(), crate::solver::version()),
    ])
}
