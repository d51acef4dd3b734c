//! Trees within an error, or what would do instead.

use roundproof_approximation::Accuracy;

use super::attainable::TOO_MANY;
use super::places::Places;
use super::search::{Report, Search};
use super::{Grower, Keys, MOST_LEAVES};
use crate::ConstructError;

/// Grows the tree over a domain.
pub fn grow(grower: &mut Grower<'_>, domain: &[Keys], progress: Report<'_>) -> Result<(), ConstructError> {
    let (wanted, format) = (grower.wanted, grower.format);
    let (Accuracy::Within(error) | Accuracy::Excess(error)) = &wanted.accuracy else { return Ok(()) };
    let places = domain.iter().map(|&ends| Places::new(format, ends)).collect::<Result<Vec<Places>, _>>()?;
    let search = Search { wanted, format, error, places: &places };
    search.grow_or_explain(grower, progress).map_err(|error| match error {
        ConstructError::TooFine { at, attainable, format } => match search.curve() {
            // No error would do.
            Err(error @ (ConstructError::Function { .. } | ConstructError::AtZero { .. })) => error,
            _ => {
                let attainable = Box::new(search.attainable(*attainable));
                ConstructError::TooFine { at, attainable, format }
            }
        },
        error => error,
    })
}

impl Search<'_> {
    /// Grows the tree, unless it has or is bound to have too many leaves.
    fn grow_or_explain(&self, grower: &mut Grower<'_>, progress: Report<'_>) -> Result<(), ConstructError> {
        let points = self.places.iter().try_fold(1u128, |points, places| points.checked_mul(places.len()));
        if points.is_some_and(|points| points <= MOST_LEAVES as u128) {
            // There cannot be too many.
            return self.grow(grower, progress).map(|_| ());
        }
        let curve = self.curve()?;
        if curve.leaves(self.error) <= self.of_variables(TOO_MANY) && self.grow(grower, progress)? {
            return Ok(());
        }
        Err(self.too_many(&curve))
    }
}
