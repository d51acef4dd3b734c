//! From a function of the reals to a network that approximates it.

use roundproof_construct::approximate;
use roundproof_files::safetensors::{forest_bytes, network_bytes};
use roundproof_format::Format;
use roundproof_kernel::{Accuracy, Approximation, Claim, Evidence, Subject};
use roundproof_network::Network;

use super::refute::Judged;
use super::{Files, Names, Progress, Proof, ProveError, Task, compiled};

/// How tree and network are made where that is not as the claim asks, for claims that are false.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// How nearly the tree approximates the function.
    pub accuracy: Option<Accuracy>,
    /// A network in place of that of the tree.
    pub network: Option<Network>,
}

/// Makes a tree that approximates a function as asked and a network of it, and has the kernel judge that it does, at every
/// point of the domain and on every path.
///
/// The source of the task is not asked.
///
/// # Errors
///
/// If there is no such tree, or no network for it.
pub fn approximate(
    wanted: &Approximation,
    format: Format,
    task: &Task,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    approximate_as_made(wanted, Made::default(), format, task, progress)
}

/// [`approximate`], but for what `made` says, and with the strategy [`HalvedPenalties`](super::Strategy::HalvedPenalties) a network with half of
/// each penalty.
///
/// # Errors
///
/// As [`approximate`].
pub fn approximate_as_made(
    wanted: &Approximation,
    made: Made,
    format: Format,
    task: &Task,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    let mut rounding = |done, of| progress("rounding the function", done, of);
    let of_tree = Approximation { accuracy: made.accuracy.unwrap_or(wanted.accuracy.clone()), ..wanted.clone() };
    let forest = approximate::approximate(&of_tree, format, &mut rounding)?;
    progress("compiling", 0, 1);
    let (network, offered) = match made.network {
        Some(network) => (network, Evidence::Paths),
        None => compiled(&forest, task)?,
    };
    progress("serializing", 0, 1);
    let files = Files { network: network_bytes(&network), dataset: None, forest: Some(forest_bytes(&forest)) };
    drop(network);
    let names = Names::new(task)?;
    let (network, forest) = (names.network(&files)?, names.forest(&files)?);
    let claim = Claim::approximates(&network, &forest, task.model, wanted.clone());
    let subject = Subject { network: &network, data: None, forest: Some(&forest) };
    let Judged { verdict, evidence, rejection } = Judged::of(&claim, &subject, offered, progress)?;
    let mut certificate = names.certificate(claim, &files, verdict, evidence, task);
    certificate.provenance.insert("strategy".to_string(), "approximate".to_string());
    Ok(Proof { network, files, certificate, rejection })
}
