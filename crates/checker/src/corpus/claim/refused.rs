//! Instances for which there must be no network.

use roundproof_format::Format;
use roundproof_network::Activation;

use super::ClaimError;

/// Formats, each for one activation or for all that a claim names.
pub(super) struct Refused(Vec<(Option<Activation>, Format)>);

impl Refused {
    /// Reads `FORMAT` or `ACTIVATION.FORMAT`.
    ///
    /// # Errors
    ///
    /// If the claim does not name the one or the other.
    pub(super) fn read(
        names: &[String],
        activations: &[Activation],
        formats: &[Format],
    ) -> Result<Refused, ClaimError> {
        let read = |name: &String| {
            let (activation, format) = match name.split_once('.') {
                Some((activation, format)) => (Some(activation.parse::<Activation>()?), format.parse()?),
                None => (None, name.parse()?),
            };
            let claimed = formats.contains(&format) && activation.is_none_or(|it| activations.contains(&it));
            claimed.then_some((activation, format)).ok_or_else(|| ClaimError::Refused(name.clone()))
        };
        names.iter().map(read).collect::<Result<_, _>>().map(Refused)
    }

    /// Whether this instance is one of them.
    pub(super) fn has(&self, activation: Activation, format: Format) -> bool {
        self.0.iter().any(|&(only, refused)| refused == format && only.is_none_or(|only| only == activation))
    }
}
