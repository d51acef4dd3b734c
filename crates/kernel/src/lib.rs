//! The judge: a claim, its network and data, evidence; a verdict.
//!
//! This crate knows no prover. It recomputes what evidence says from the network and the data alone, in the exact
//! arithmetic of `roundproof-exact`; evidence that does not hold is rejected with the reason, and nothing is taken on
//! trust. It has no solver, no serialization, no threads, no input or output, and no floating point of the host.
//!
//! | evidence | what it says | what the kernel checks | the theorem that lifts it |
//! | --- | --- | --- | --- |
//! | [`Evidence::BoxNetwork`] | these boxes are disjoint, and every row is in the right one | [`boxes`]: the gadget, every side condition, the separation, every row | the box theorem |
//! | [`Evidence::Paths`] | nothing | [`reach`]: an enclosure of the values of every neuron, row by row | monotonicity of rounding |
//! | [`Evidence::Witness`] | this path gives another value than the label | [`replay`]: that it is a path of the model, and its value | none |

pub mod boxes;
mod claim;
mod evidence;
mod growth;
pub mod reach;
mod rejection;
pub mod replay;

pub use claim::{Claim, Property, Shape, Verdict};
pub use evidence::{Evidence, Node, Separator};
pub use rejection::{BoxRejection, ReachRejection, Rejection, ReplayRejection};

use roundproof_format::Format;
use roundproof_network::{Dataset, Network};

/// Judges `evidence` for or against `claim`.
///
/// `progress` is told, from time to time, how many of how many steps are done; it cannot influence the result.
///
/// Gives [`Verdict::Proved`] if the evidence establishes the claim, [`Verdict::Refuted`] if it is a witness against
/// it, [`Verdict::Vacuous`] if the data set has no rows. The other verdicts are not the kernel's to give.
///
/// # Errors
///
/// If the claim does not describe this network and data set, its path model is none for the format, or the evidence
/// fails a check. A rejection says nothing about the claim's truth.
pub fn check(
    claim: &Claim,
    network: &Network,
    data: &Dataset,
    evidence: &Evidence,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Verdict, Rejection> {
    check_subject(claim, network, data)?;
    if data.rows() == 0 {
        return Ok(Verdict::Vacuous);
    }
    let Property::Memorizes = claim.property;
    match evidence {
        Evidence::BoxNetwork(separator) => {
            boxes::check(&claim.model, network, data, separator, progress)?;
            Ok(Verdict::Proved)
        }
        Evidence::Paths => {
            reach::check(&claim.model, network, data, progress)?;
            Ok(Verdict::Proved)
        }
        Evidence::Witness(witness) => {
            replay::check(&claim.model, network, data, witness)?;
            Ok(Verdict::Refuted)
        }
    }
}

/// Whether the claim is about this network and this data set.
fn check_subject(claim: &Claim, network: &Network, data: &Dataset) -> Result<(), Rejection> {
    for (of, found) in [("network", network.format()), ("data set", data.format())] {
        if found != claim.format {
            return Err(Rejection::Format { of, claimed: claim.format, found });
        }
    }
    claim.model.check(claim.format)?;
    let sizes = [
        ("rows", claim.shape.rows, data.rows()),
        ("inputs of the network", claim.shape.input_dimension, network.input_dimension()),
        ("inputs of the data set", claim.shape.input_dimension, data.dimension()),
        ("outputs of the network", claim.shape.output_dimension, network.output_dimension()),
        ("labels of the data set", claim.shape.output_dimension, data.outputs()),
        ("layers", claim.shape.layers, network.layers().len()),
        ("parameters", claim.shape.parameters, network.parameters()),
    ];
    match sizes.into_iter().find(|(_, claimed, found)| claimed != found) {
        Some((what, claimed, found)) => Err(Rejection::Size { what, claimed, found }),
        None => Ok(()),
    }
}

/// In `F(p)`, the largest magnitude of the exponent of a neuron's value that is computed with. Stored values have at most
/// [`UNBOUNDED_EXPONENT_LIMIT`](roundproof_network::UNBOUNDED_EXPONENT_LIMIT); without a limit, each layer could double
/// the memory that an exact number takes.
pub const MODERATE_EXPONENT: i64 = 1 << 22;

/// Whether the finite datum with this order key may be computed with: in `F(p)`, if it is 0 or has a moderate exponent.
fn exponent_is_moderate(format: Format, key: i128) -> bool {
    let field = (key.unsigned_abs() >> format.trailing_bits()) as i64;
    format.is_bounded() || key == 0 || (field - format.bias()).abs() <= MODERATE_EXPONENT
}
