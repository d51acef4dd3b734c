//! What neurons do to their sums.

use std::fmt;
use std::str::FromStr;

use roundproof_format::{Encoding, Format, ParseError};
use thiserror::Error;

use crate::is_admitted;

/// What a neuron does to its sum `v`, a datum of the network's format.
///
/// An activation is a relation: it may admit several values for a sum. All but one admit exactly one, and round nothing.
/// [`Activation::LeakyRelu`] rounds a product, as the path model says: any of the values that it rounds to is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `1` if `v >= 0`, else `0`; so 1 for -0, and 0 for NaN.
    Step,
    /// `max(v, 0)`; NaN for NaN.
    Relu,
    /// `v`.
    Identity,
    /// `v` if `v >= 0` (so -0 for -0), NaN for NaN, and else the product `slope * v`, rounded once, in the network's format.
    ///
    /// The product is an operation of the path model like any other: it is rounded in a direction of the model, under
    /// its overflow policy, and under `subnormals=flush` either operand and the result may be flushed. A slope of zero is
    /// not a ReLU: `0 * -infinity` is NaN.
    LeakyRelu {
        /// The factor of negative sums, of either sign and any magnitude. The activation is monotone if it is not negative.
        slope: Encoding,
    },
    /// The bounded ReLU: `low` if `v <= low`, `high` if `v >= high`, else `v`; NaN for NaN.
    Clip {
        /// The least value.
        low: Encoding,
        /// The largest value, at least `low`.
        high: Encoding,
    },
    /// -1 if `v < 0`, 1 if `v > 0`, +0 for both zeros; NaN for NaN.
    Sign,
}

/// Parameters that an activation does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActivationError {
    /// There is no activation of that name.
    #[error(transparent)]
    Unknown(#[from] ParseError),
    /// Another number of parameters.
    #[error("{name} takes {expected} parameters, and there are {given}")]
    Count {
        /// The activation.
        name: &'static str,
        /// How many there are.
        given: usize,
        /// How many it takes.
        expected: usize,
    },
}

impl Activation {
    /// Those without parameters.
    pub const WITHOUT_PARAMETERS: &'static [Activation] =
        &[Activation::Step, Activation::Relu, Activation::Identity, Activation::Sign];

    /// All names, each with how many parameters the activation takes.
    const NAMES: &'static [(&'static str, usize)] =
        &[("step", 0), ("relu", 0), ("identity", 0), ("leaky-relu", 1), ("clip", 2), ("sign", 0)];

    /// The spelling in files and on the command line, without parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Activation::Step => "step",
            Activation::Relu => "relu",
            Activation::Identity => "identity",
            Activation::LeakyRelu { slope: _ } => "leaky-relu",
            Activation::Clip { low: _, high: _ } => "clip",
            Activation::Sign => "sign",
        }
    }

    /// The parameters, in the order in which [`Activation::with_parameters`] takes them: the slope; the lower bound and
    /// the upper one.
    pub fn parameters(self) -> impl ExactSizeIterator<Item = Encoding> {
        const NONE: Encoding = Encoding::from_bits(0);
        let (all, count) = match self {
            Activation::Step | Activation::Relu | Activation::Identity | Activation::Sign => ([NONE; 2], 0),
            Activation::LeakyRelu { slope } => ([slope, NONE], 1),
            Activation::Clip { low, high } => ([low, high], 2),
        };
        all.into_iter().take(count)
    }

    /// How many parameters the activation of this name takes.
    ///
    /// # Errors
    ///
    /// If there is none of this name.
    pub fn arity(name: &str) -> Result<usize, ParseError> {
        let known = Activation::NAMES.iter();
        let found = known.clone().find(|(known, _)| *known == name);
        found
            .map(|(_, arity)| *arity)
            .ok_or_else(|| ParseError::unknown("activation", name, known.map(|(name, _)| *name)))
    }

    /// The activation of this name with these parameters. Whether a network may have them is for
    /// [`Network::new`](crate::Network::new) to say.
    ///
    /// # Errors
    ///
    /// If there is no such activation, or it takes another number of parameters.
    pub fn with_parameters(name: &str, parameters: &[Encoding]) -> Result<Activation, ActivationError> {
        let expected = Activation::arity(name)?;
        Ok(match (name, parameters) {
            ("leaky-relu", &[slope]) => Activation::LeakyRelu { slope },
            ("clip", &[low, high]) => Activation::Clip { low, high },
            (name, []) if expected == 0 => name.parse()?,
            (_, given) => {
                let name = Activation::NAMES.iter().find(|(known, _)| *known == name).map_or("it", |(name, _)| name);
                return Err(ActivationError::Count { name, given: given.len(), expected });
            }
        })
    }

    /// Why a network over `format` may not have this activation.
    pub(crate) fn flaw(self, format: Format) -> Option<String> {
        if let Some(value) = self.parameters().find(|&value| !is_admitted(format, value)) {
            let bits = value.bits();
            return Some(format!(
                "the parameter {bits:#x} of {self} is not a finite value of {format} that a network may store"
            ));
        }
        match self {
            Activation::Step | Activation::Relu | Activation::Identity | Activation::Sign => None,
            Activation::LeakyRelu { slope: _ } => None,
            Activation::Clip { low, high } => (rank(format, low) > rank(format, high))
                .then(|| "the lower bound of clip is above the upper one".to_string()),
        }
    }
}

/// Finite data in the order of their values, both zeros alike.
fn rank(format: Format, value: Encoding) -> i128 {
    let sign = 1 << (format.width() - 1);
    let magnitude = (value.bits() & !sign) as i128;
    if format.is_sign_minus(value) { -magnitude } else { magnitude }
}

impl fmt::Display for Activation {
    /// The name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Activation {
    type Err = ParseError;
    /// An activation without parameters, by its name.
    fn from_str(text: &str) -> Result<Activation, ParseError> {
        let known = Activation::WITHOUT_PARAMETERS.iter().copied();
        known
            .clone()
            .find(|activation| activation.name() == text)
            .ok_or_else(|| ParseError::unknown("activation", text, known.map(Activation::name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layer, Network};

    const F: Format = Format::BFLOAT16;

    fn network(activation: Activation) -> Result<Network, String> {
        let mut layer = Layer::new(F, activation);
        layer.push([(0, F.one(false))], F.zero());
        Network::new(F, 1, vec![layer]).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_parameters_read_back() {
        let (one, two) = (F.one(false), Encoding::from_bits(0x4000));
        let all = Activation::WITHOUT_PARAMETERS.iter().copied();
        let all: Vec<_> =
            all.chain([Activation::LeakyRelu { slope: one }, Activation::Clip { low: one, high: two }]).collect();
        for &activation in &all {
            let parameters: Vec<_> = activation.parameters().collect();
            assert_eq!(Activation::with_parameters(activation.name(), &parameters), Ok(activation));
            assert_eq!(Activation::arity(activation.name()), Ok(parameters.len()));
            assert!(Activation::with_parameters(activation.name(), &[one; 3]).is_err(), "{activation}");
            assert_eq!(activation.name().parse::<Activation>().is_ok(), parameters.is_empty(), "{activation}");
            assert!(network(activation).is_ok(), "{activation}");
        }
        assert_eq!(all.len(), Activation::NAMES.len());
        assert!(Activation::arity("clipp").unwrap_err().to_string().contains("did you mean `clip`?"));
    }

    #[test]
    fn parameters_are_values_and_bounds_are_in_order() {
        let infinity = F.infinity(false).expect("bfloat16 has one");
        let (low, high) = (F.one(true), F.one(false));
        assert!(network(Activation::Clip { low, high }).is_ok());
        assert!(network(Activation::Clip { low, high: low }).is_ok());
        let zeros = Activation::Clip { low: F.zero(), high: F.negative_zero().expect("bfloat16 has one") };
        assert!(network(zeros).is_ok());
        assert!(network(Activation::Clip { low: high, high: low }).unwrap_err().contains("lower bound"));
        assert!(network(Activation::Clip { low, high: infinity }).unwrap_err().contains("parameter 0x7f80 of clip"));
        assert!(network(Activation::LeakyRelu { slope: infinity }).unwrap_err().contains("0x7f80 of leaky-relu"));
    }
}
