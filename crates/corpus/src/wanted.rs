//! Functions to be approximated.

use std::sync::{Arc, Mutex, PoisonError};

use roundproof_approximation::{Accuracy, Approximation};
use roundproof_construct::ConstructError;
use roundproof_construct::approximate::{all_finite, approximate};
use roundproof_exact::{Number, Rational};
use roundproof_format::{Format, Overflow, RoundingMode};
use roundproof_functions::Function;
use roundproof_network::{Forest, PathModel};

/// A function to be approximated, in whatever format.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub(crate) function: Function,
    /// For each variable; none: all finite values.
    pub(crate) domain: Option<Vec<(Number, Number)>>,
    pub(crate) nearness: Nearness,
    /// The policy by which the function is rounded; none: that of the paths.
    pub(crate) overflow: Option<Overflow>,
    pub(crate) trees: Trees,
}

/// The trees of a claim. Instances that differ in activation or paths alone have the same, which is made once: to round a
/// function at every point takes longer than all else that a prover does. The kernel rounds it for each instance anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trees(Arc<Mutex<Vec<Shared>>>);

/// For what a tree is made, and the tree once it is there.
type Shared = (Format, Approximation, Arc<Mutex<Option<Arc<Forest>>>>);

impl Trees {
    /// The tree that approximates a function as asked.
    ///
    /// # Errors
    ///
    /// As [`approximate`].
    pub(crate) fn of(
        &self,
        wanted: &Approximation,
        format: Format,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Arc<Forest>, ConstructError> {
        let shared = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match all.iter().find(|(of, what, _)| *of == format && what == wanted) {
                Some((.., shared)) => Arc::clone(shared),
                None => {
                    let shared = Arc::default();
                    all.push((format, wanted.clone(), Arc::clone(&shared)));
                    shared
                }
            }
        };
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match &*shared {
            Some(tree) => Ok(Arc::clone(tree)),
            None => Ok(Arc::clone(shared.insert(Arc::new(approximate(wanted, format, progress)?)))),
        }
    }
}

/// How nearly it is to be approximated.
#[derive(Clone, Debug)]
pub(crate) enum Nearness {
    /// Rounded once.
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
        if let Some(policy) = self.overflow.filter(|&policy| !format.expresses(policy)) {
            return Err(format!("{format} cannot express overflow={policy}"));
        }
        Ok(Approximation { function: self.function.clone(), domain, accuracy: self.accuracy(&self.nearness, model) })
    }

    /// How near that is, on these paths.
    pub(crate) fn accuracy(&self, nearness: &Nearness, model: &PathModel) -> Accuracy {
        match nearness {
            Nearness::Rounded(mode) => {
                Accuracy::Rounded { mode: *mode, overflow: self.overflow.unwrap_or(model.overflow) }
            }
            Nearness::Within(error) => Accuracy::Within(error.clone()),
            Nearness::Excess(excess) => Accuracy::Excess(excess.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_made_once_for_each_format_and_accuracy() {
        let wanted = Wanted {
            function: Function::parse("x / 3").expect("a function"),
            domain: None,
            nearness: Nearness::Rounded(RoundingMode::TiesToEven),
            overflow: None,
            trees: Trees::default(),
        };
        let tree = |format: Format, model: &str, built: Option<Nearness>| {
            let model = PathModel::parse(model, format).expect("a model");
            let mut claimed = wanted.in_format(format, &model).expect("a claim");
            claimed.accuracy = built.map_or(claimed.accuracy, |built| wanted.accuracy(&built, &model));
            wanted.trees.of(&claimed, format, &mut |_, _| ()).expect("a tree")
        };
        let format = Format::FLOAT6_E3M2FN;
        let all = tree(format, "all", None);
        assert!(Arc::ptr_eq(&all, &tree(format, "paper", None)));
        let others = [
            tree(format, "all", Some(Nearness::Rounded(RoundingMode::TowardZero))),
            tree(Format::FLOAT6_E2M3FN, "all", None),
        ];
        assert!(others.iter().all(|other| **other != *all));
        assert!(others[0].format() == format && others[1].format() != format);
        // A tree that cannot be made is asked for again, with the same answer.
        let refused = Wanted { function: Function::parse("1 / x").expect("a function"), ..wanted.clone() };
        let claimed = refused.in_format(format, &PathModel::all(format)).expect("a claim");
        for _ in 0..2 {
            let error = refused.trees.of(&claimed, format, &mut |_, _| ());
            assert!(matches!(error, Err(ConstructError::Function { .. })), "{error:?}");
        }
    }
}
