//! The judge: a claim, what it is about, evidence; a verdict.
//!
//! This crate knows no prover. It recomputes what evidence says from the network and the data alone, in the exact
//! arithmetic of `roundproof-exact`; evidence that does not hold is rejected with the reason, and nothing is taken on
//! trust. It has no solver, no serialization, no threads, no input or output, and no floating point of the host. It knows
//! no function of the reals either: what approximates one is judged by `roundproof-approximation`, which has the kernel judge
//! what the network computes.
//!
//! | evidence | what it says | what the kernel checks | the theorem that lifts it |
//! | --- | --- | --- | --- |
//! | [`Evidence::BoxNetwork`] | these are the regions of the boxes | [`boxes`]: the gadget, every side condition, the regions, every row or every leaf | the box theorem |
//! | [`Evidence::Paths`] | nothing | [`reach`]: an enclosure of the values of every neuron, row by row | monotonicity of rounding |
//! | [`Evidence::Witness`] | this path gives another value than is claimed | [`replay`]: that it is a path of the model, its value, and that the claim does not hold of it | none |

mod activation;
pub mod boxes;
mod claim;
pub mod cut;
mod domain;
mod evidence;
pub mod facts;
mod forest;
mod property;
pub mod reach;
mod rejection;
pub mod replay;
mod value;

pub use claim::{Claim, Property, Shape, Subject, Verdict};
pub use domain::Domain;
pub use evidence::{Evidence, Node, Separator};
pub use forest::{exceptions, values_at};
pub use rejection::{BoxRejection, ReachRejection, Rejection, ReplayRejection};
pub use value::{MODERATE_EXPONENT, datum, exponent_is_moderate, key, stored};

use roundproof_exact::Value;
use roundproof_network::{Dataset, Forest};

use facts::Facts;
use property::Required;

/// Judges `evidence` for or against `claim`.
///
/// `progress` is told, from time to time, how many of how many steps are done; it cannot influence the result.
///
/// Gives [`Verdict::Proved`] if the evidence establishes the claim, [`Verdict::Refuted`] if it is a witness against
/// it, [`Verdict::Vacuous`] if the claim is about the rows of a data set that has none. The other verdicts are not the
/// kernel's to give.
///
/// # Errors
///
/// If the claim does not describe this subject, its path model is none for the format, or the evidence fails a check. A
/// rejection says nothing about the claim's truth.
pub fn check(
    claim: &Claim,
    subject: &Subject<'_>,
    evidence: &Evidence,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Verdict, Rejection> {
    check_subject(claim, subject)?;
    let (model, network) = (&claim.model, subject.network);
    let required = Required::of(&claim.property, subject)?;
    if required.domain().is_empty() {
        return Ok(Verdict::Vacuous);
    }
    match (required, evidence) {
        (_, Evidence::Witness(witness)) => {
            let (inputs, given) = replay::at(model, network, required.domain(), witness)?;
            let need = required.need(&witness.at, &inputs, witness.output)?;
            if need.admits(claim.format, given) {
                let given = Value { format: claim.format, encoding: given };
                Err(ReplayRejection::Holds { given }.into())
            } else {
                Ok(Verdict::Refuted)
            }
        }
        (_, Evidence::BoxNetwork(separator)) => {
            let pieces = boxes::recognize(network, &Facts::of(model, claim.format), required.domain(), separator)?;
            match required {
                Required::Labels(data) => pieces.check_labels(data, progress)?,
                Required::Forest { forest, tolerance, rows } => {
                    pieces.check_forest(forest, tolerance, progress)?;
                    if let Some((data, exceptions)) = rows {
                        forest::check_exceptions(forest, data, exceptions, progress)?;
                    }
                }
            }
            Ok(Verdict::Proved)
        }
        (Required::Labels(data), Evidence::Paths) => {
            reach::check(model, network, data, progress)?;
            Ok(Verdict::Proved)
        }
        (Required::Forest { forest: _, tolerance: _, rows: _ }, Evidence::Paths) => Err(Rejection::Evidence),
    }
}

/// What a claim about all finite inputs needs, and its subject lacks.
pub const NO_FOREST: Rejection = Rejection::Subject("there is no forest to be computed");

/// Checks that the claim is about this subject: formats and sizes are those that it names, and its path model is one of the
/// format. [`check`] does so by itself.
///
/// # Errors
///
/// The first thing that differs.
pub fn check_subject(claim: &Claim, subject: &Subject<'_>) -> Result<(), Rejection> {
    let (network, shape) = (subject.network, &claim.shape);
    let formats = [
        ("network", Some(network.format())),
        ("data set", subject.data.map(Dataset::format)),
        ("forest", subject.forest.map(Forest::format)),
    ];
    for (of, found) in formats {
        if let Some(found) = found.filter(|&found| found != claim.format) {
            return Err(Rejection::Format { of, claimed: claim.format, found });
        }
    }
    claim.model.check(claim.format)?;
    claim.model.check_steps(network)?;
    let mut sizes = vec![
        ("rows", shape.rows, subject.data.map_or(0, Dataset::rows)),
        ("inputs of the network", shape.input_dimension, network.input_dimension()),
        ("outputs of the network", shape.output_dimension, network.output_dimension()),
        ("layers", shape.layers, network.steps().len()),
        ("parameters", shape.parameters, network.parameters()),
    ];
    if let Some(data) = subject.data {
        sizes.push(("inputs of the data set", shape.input_dimension, data.dimension()));
        sizes.push(("labels of the data set", shape.output_dimension, data.outputs()));
    }
    if let Some(forest) = subject.forest {
        sizes.push(("inputs of the forest", shape.input_dimension, forest.dimension()));
        sizes.push(("outputs of the forest", shape.output_dimension, forest.outputs()));
        match claim.property {
            Property::Memorizes => {}
            Property::Computes { trees, leaves, tolerance: _, exceptions: _ } => {
                sizes.push(("trees", trees, forest.trees().len()));
                sizes.push(("leaves", leaves, forest.leaves()));
            }
        }
    }
    match sizes.into_iter().find(|(_, claimed, found)| claimed != found) {
        Some((what, claimed, found)) => Err(Rejection::Size { what, claimed, found }),
        None => Ok(()),
    }
}
