//! Functions to be approximated.

use roundproof_construct::approximate::all_finite;
use roundproof_exact::functions::Function;
use roundproof_exact::{Number, Rational};
use roundproof_format::{Format, Overflow, RoundingMode};
use roundproof_kernel::{Accuracy, Approximation};
use roundproof_network::PathModel;

/// A function to be approximated, in whatever format.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub(super) function: Function,
    /// For each variable; none: all finite values.
    pub(super) domain: Option<Vec<(Number, Number)>>,
    pub(super) nearness: Nearness,
}

/// How nearly it is to be approximated.
#[derive(Clone, Debug)]
pub(super) enum Nearness {
    /// Rounded once, by the overflow policy of the paths.
    Rounded(RoundingMode),
    /// As [`Accuracy::Within`].
    Within(Rational),
    /// As [`Accuracy::Excess`].
    Excess(Rational),
}

impl Wanted {
    /// The approximation in a format: of a range, the values within.
    ///
    /// # Errors
    ///
    /// If the format has no value in a range, or the function another number of variables.
    pub fn in_format(&self, format: Format, model: &PathModel) -> Result<Approximation, String> {
        let end = |number: &Number, mode| number.round(format, mode, Overflow::Saturate).encoding;
        let range = |(low, high): &(Number, Number)| {
            (end(low, RoundingMode::TowardPositive), end(high, RoundingMode::TowardNegative))
        };
        let domain = match &self.domain {
            Some(ranges) => ranges.iter().map(range).collect(),
            None => all_finite(&self.function, format),
        };
        if domain.len() != self.function.arity() {
            return Err(format!("{} has {} variables", self.function, self.function.arity()));
        }
        Ok(Approximation { function: self.function.clone(), domain, accuracy: self.nearness.accuracy(model) })
    }
}

impl Nearness {
    pub(super) fn accuracy(&self, model: &PathModel) -> Accuracy {
        match self {
            Nearness::Rounded(mode) => Accuracy::Rounded { mode: *mode, overflow: model.overflow },
            Nearness::Within(error) => Accuracy::Within(error.clone()),
            Nearness::Excess(excess) => Accuracy::Excess(excess.clone()),
        }
    }
}
