//! What activations admit: for a sum, and for an interval of sums.
//!
//! All that an activation may compute it computes in the network's format, after the sum has been rounded out of a wider
//! accumulator, under the overflow policy of that format. See [`Activation`] for what each is.

use std::cmp::Ordering;

use roundproof_exact::{Arithmetic, order_key};
use roundproof_format::{Encoding, Format, RoundingMode, Subnormals};
use roundproof_network::{Activation, PathModel, Rounding, Summation, Trees};

use crate::reach::interval::{Extended, Keys, Lost, Rounder};
use crate::value::flush;
use crate::{key, stored};

/// The activations over one format, under one path model.
pub(crate) struct Activations {
    format: Format,
    rounding: Rounding,
    subnormals: Subnormals,
    arithmetic: Arithmetic,
    rounder: Rounder,
}

/// How a sum lies to a bound; none for NaN.
fn order(format: Format, sum: Encoding, bound: Encoding) -> Option<Ordering> {
    Some(order_key(format, sum)?.cmp(&order_key(format, bound)?))
}

impl Activations {
    pub fn new(model: &PathModel, format: Format) -> Activations {
        let PathModel { rounding, overflow, subnormals, summation } = *model;
        // How the sum was formed is over: an activation takes it in the network's format.
        let Summation::Trees(Trees { order: _, contraction: _, accumulator: _ }) = summation;
        let arithmetic = Arithmetic::new(format, overflow).expect("the model was checked");
        let rounder = Rounder::new(format, overflow, rounding);
        Activations { format, rounding, subnormals, arithmetic, rounder }
    }

    /// The value for `sum` of a neuron whose value is not named: every operation of the activation is rounded as
    /// [`SumPath::plain`](roundproof_network::SumPath::plain) rounds, and nothing is flushed.
    pub fn plain(&self, activation: Activation, sum: Encoding) -> Encoding {
        let mode = match self.rounding {
            Rounding::Mode(mode) => mode,
            Rounding::Any => RoundingMode::TiesToEven,
        };
        match self.branch(activation, sum) {
            Branch::Value(value) => value,
            Branch::Product(slope) => self.arithmetic.multiply(mode, slope, sum).encoding,
        }
    }

    /// Whether `value` is one that `activation` admits for `sum` on some path of the model.
    pub fn admits(&self, activation: Activation, sum: Encoding, value: Encoding) -> bool {
        let slope = match self.branch(activation, sum) {
            Branch::Value(only) => return value == only,
            Branch::Product(slope) => slope,
        };
        let modes = match &self.rounding {
            Rounding::Mode(mode) => std::slice::from_ref(mode),
            Rounding::Any => RoundingMode::ALL,
        };
        let flushes: &[bool] = match self.subnormals {
            Subnormals::Gradual => &[false],
            Subnormals::Flush => &[false, true],
        };
        let product = |mode, left, right, result| {
            let (slope, sum) = (flush(self.format, left, slope), flush(self.format, right, sum));
            flush(self.format, result, self.arithmetic.multiply(mode, slope, sum).encoding)
        };
        modes.iter().any(|&mode| {
            let with = |left, right| flushes.iter().any(|&result| product(mode, left, right, result) == value);
            flushes.iter().any(|&left| flushes.iter().any(|&right| with(left, right)))
        })
    }

    /// All values that `activation` admits for the sums of an interval, none of which is NaN, where nothing is flushed: the
    /// least interval that holds them.
    ///
    /// # Errors
    ///
    /// If one of the values may be NaN.
    pub fn image(&self, activation: Activation, sums: Keys) -> Result<Keys, Lost> {
        let key = |value| key(self.format, value);
        let one = key(self.format.one(false));
        // The activations that are functions are monotone.
        let each = |of: &dyn Fn(i128) -> i128| Ok(Keys { low: of(sums.low), high: of(sums.high) });
        match activation {
            Activation::Identity => Ok(sums),
            Activation::Step => each(&|sum| if sum >= 0 { one } else { 0 }),
            Activation::Relu => each(&|sum| sum.max(0)),
            Activation::Sign => each(&|sum| sum.signum() * one),
            Activation::Clip { low, high } => each(&|sum| sum.clamp(key(low), key(high))),
            Activation::LeakyRelu { slope: _ } if sums.low >= 0 => Ok(sums),
            Activation::LeakyRelu { slope } => {
                // Zero, and every value above it, is its own; below, products lie between those at the ends. If zero is
                // among the sums, it is an end: it is among the values too.
                let negative = Keys { high: sums.high.min(0), ..sums };
                let products = self.rounder.round(&self.scaled(slope, negative)?)?;
                Ok(if sums.high < 0 { products } else { products.hull(Keys { low: 0, ..sums }) })
            }
        }
    }

    /// The exact products of an interval with a factor.
    fn scaled(&self, factor: Encoding, interval: Keys) -> Result<(Extended, Extended), Lost> {
        let factor = stored(self.format, factor);
        let (low, high) = self.rounder.ends(interval);
        if factor == 0 && [&low, &high].iter().any(|end| end.is_infinite()) {
            return Err(Lost::Nan);
        }
        let (low, high) = (low.scale(&factor), high.scale(&factor));
        Ok(if factor < 0 { (high, low) } else { (low, high) })
    }

    fn branch(&self, activation: Activation, sum: Encoding) -> Branch {
        let format = self.format;
        let to_zero = order(format, sum, format.zero());
        Branch::Value(match activation {
            Activation::Identity => sum,
            Activation::Step if to_zero.is_some_and(Ordering::is_ge) => format.one(false),
            Activation::Step => format.zero(),
            Activation::Relu if to_zero.is_some_and(Ordering::is_le) => format.zero(),
            Activation::Relu => sum,
            Activation::LeakyRelu { slope } if to_zero == Some(Ordering::Less) => return Branch::Product(slope),
            Activation::LeakyRelu { slope: _ } => sum,
            Activation::Clip { low, high: _ } if order(format, sum, low).is_some_and(Ordering::is_le) => low,
            Activation::Clip { low: _, high } if order(format, sum, high).is_some_and(Ordering::is_ge) => high,
            Activation::Clip { low: _, high: _ } => sum,
            Activation::Sign => match to_zero {
                None => sum,
                Some(Ordering::Less) => format.one(true),
                Some(Ordering::Equal) => format.zero(),
                Some(Ordering::Greater) => format.one(false),
            },
        })
    }
}

/// What an activation does to one sum.
#[derive(Clone, Copy)]
enum Branch {
    /// It has this value.
    Value(Encoding),
    /// It is the product with this factor, rounded.
    Product(Encoding),
}

#[cfg(test)]
mod tests;
