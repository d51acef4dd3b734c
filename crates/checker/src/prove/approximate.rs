//! From a function of the reals to a network that approximates it.

use roundproof_construct::approximate;
use roundproof_files::safetensors::{forest_bytes, network_bytes};
use roundproof_format::Format;
use roundproof_judge::{Approximates, Approximation, Evidence, Property, Subject};
use roundproof_network::{Forest, Network};

use super::refute::Judged;
use super::{Files, Names, Progress, Proof, ProveError, Task, compiled};

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
    let mut rounding = |done, of| progress("rounding the function", done, of);
    let tree = approximate::approximate(wanted, format, &mut rounding)?;
    approximate_by(wanted, &tree, None, task, progress)
}

/// [`approximate()`] with a tree that is at hand, which may not be what is asked for, as of a claim that is false; and with a
/// network in place of the tree's, or with the strategy [`HalvedPenalties`](super::Strategy::HalvedPenalties) one with half of
/// each penalty.
///
/// # Errors
///
/// If there is no network for the tree.
pub fn approximate_by(
    wanted: &Approximation,
    tree: &Forest,
    network: Option<Network>,
    task: &Task,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    progress("compiling", 0, 1);
    let (network, offered) = match network {
        Some(network) => (network, Evidence::Paths),
        None => compiled(tree, task)?,
    };
    progress("serializing", 0, 1);
    let files = Files { network: network_bytes(&network), dataset: None, forest: Some(forest_bytes(tree)) };
    drop(network);
    let names = Names::new(task)?;
    let (network, forest) = (names.network(&files)?, names.forest(&files)?);
    let claim = Approximates::claim(&network, &forest, task.model, wanted.clone()).map(Property::from);
    let subject = Subject { network: &network, data: None, forest: Some(&forest) };
    let Judged { verdict, evidence, rejection } = Judged::of(&claim, &subject, offered, progress)?;
    let mut certificate = names.certificate(claim, &files, verdict, evidence, task);
    certificate.provenance.insert("strategy".to_string(), "approximate".to_string());
    Ok(Proof { network, files, certificate, rejection })
}
