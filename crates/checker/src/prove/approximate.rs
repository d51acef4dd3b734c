//! From a function of the reals to a network that approximates it.

use roundproof_construct::{approximate, compile};
use roundproof_files::safetensors::{forest_bytes, network_bytes};
use roundproof_format::Format;
use roundproof_kernel::{Approximation, Claim, Subject, Verdict, check};

use super::{Files, Names, Progress, Proof, ProveError, Task, in_parts};

/// Makes a tree that approximates a function as asked and a network of it, and has the kernel judge that it does, at every
/// point of the domain and on every path.
///
/// The strategy and the source of the task are not asked.
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
    let forest = approximate::approximate(wanted, format, &mut rounding)?;
    progress("compiling", 0, 1);
    let (network, offered) = in_parts(compile::compile(&forest, task.activation)?);
    progress("serializing", 0, 1);
    let files = Files { network: network_bytes(&network), dataset: None, forest: Some(forest_bytes(&forest)) };
    drop(network);
    let names = Names::new(task)?;
    let (network, forest) = (names.network(&files)?, names.forest(&files)?);
    let claim = Claim::approximates(&network, &forest, task.model, wanted.clone());
    let subject = Subject { network: &network, data: None, forest: Some(&forest) };
    let judged = check(&claim, &subject, &offered, &mut |done, of| progress("judging", done, of));
    let (verdict, evidence, rejection) = match judged {
        Ok(verdict) => (verdict, Some(offered), None),
        Err(rejection) => (Verdict::Unknown, None, Some(rejection)),
    };
    let mut certificate = names.certificate(claim, &files, verdict, evidence, task);
    certificate.provenance.insert("strategy".to_string(), "approximate".to_string());
    Ok(Proof { network, files, certificate, rejection })
}
