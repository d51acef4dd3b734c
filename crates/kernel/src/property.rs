//! What a claim asks of outputs, whatever rule establishes it and whatever contradicts it.

use roundproof_exact::{Rational, Value, order_key, real};
use roundproof_format::{Encoding, Format};
use roundproof_network::{At, Dataset, Forest, Input, Network, Place, Row};

use crate::replay::exists;
use crate::{Domain, NO_FOREST, Property, Rejection, ReplayRejection, Subject, exponent_is_moderate, forest};

/// What one output has to be, on every path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// This value, a finite one: +0 equals -0.
    Equals(Encoding),
    /// A finite value that is at most so far from this number.
    Within(Rational, Rational),
}

impl Need {
    /// Whether this datum is what is needed. NaN never is.
    pub fn admits(&self, format: Format, given: Encoding) -> bool {
        match self {
            Need::Equals(value) => order_key(format, given).is_some_and(|key| order_key(format, *value) == Some(key)),
            Need::Within(wanted, tolerance) => {
                real(format, given).is_some_and(|given| (given - wanted).abs() <= *tolerance)
            }
        }
    }
}

/// A property with what it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Required<'a> {
    /// In every row its label.
    Labels(&'a Dataset),
    /// At every finite input what the forest gives, within the tolerance; and in all rows but the exceptions, that is the
    /// label.
    Forest { forest: &'a Forest, tolerance: &'a Rational, rows: Option<(&'a Dataset, &'a [usize])> },
}

impl<'a> Required<'a> {
    pub fn of(property: &'a Property, subject: &Subject<'a>) -> Result<Required<'a>, Rejection> {
        let refused = |what| Err(Rejection::Subject(what));
        match property {
            Property::Memorizes => match (subject.data, subject.forest) {
                (Some(data), None) => Ok(Required::Labels(data)),
                (None, _) | (_, Some(_)) => refused("memorization takes a data set and no forest"),
            },
            Property::Computes { trees: _, leaves: _, tolerance, exceptions } => {
                let forest = subject.forest.ok_or(NO_FOREST)?;
                let rows = subject.data.map(|data| (data, exceptions.as_slice()));
                match rows {
                    Some(_) if *tolerance != 0 => refused("labels are compared with tolerance 0 only"),
                    None if !exceptions.is_empty() => refused("there are exceptions and no data set"),
                    Some(_) | None => Ok(Required::Forest { forest, tolerance, rows }),
                }
            }
        }
    }

    /// Where it is to hold.
    pub fn domain(&self) -> Domain<'a> {
        match *self {
            Required::Labels(data) => Domain::Rows(data),
            Required::Forest { forest: _, tolerance: _, rows: _ } => Domain::AllFinite,
        }
    }

    /// What is needed of an output of `network` at the place of a witness, where the inputs are these.
    pub fn need(&self, at: &At, inputs: &[Encoding], output: usize) -> Result<Need, ReplayRejection> {
        match (self, at) {
            (Required::Labels(data), At::Row(row)) => Ok(Need::Equals(data.label(*row, output))),
            (Required::Forest { forest, tolerance, rows: _ }, At::Point(_)) => {
                Ok(Need::Within(forest::values_at(forest, inputs).swap_remove(output), (*tolerance).clone()))
            }
            (Required::Labels(_), At::Point(_)) => Err(NOT_A_ROW),
            (Required::Forest { forest: _, tolerance: _, rows: _ }, At::Row(_)) => Err(NOT_A_POINT),
        }
    }
}

const NOT_A_ROW: ReplayRejection = ReplayRejection::At { needed: "a row" };
const NOT_A_POINT: ReplayRejection = ReplayRejection::At { needed: "a point" };

impl Domain<'_> {
    /// The inputs at the place of a witness, if it is one of the domain: a row, or finite values, as many as `network` has inputs.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub(crate) fn inputs(&self, network: &Network, at: &At) -> Result<Vec<Encoding>, ReplayRejection> {
        let format = network.format();
        match (self, at) {
            (Domain::Rows(data), At::Row(row)) => {
                exists(Place::Row(Row(*row)), *row < data.rows())?;
                Ok((0..data.dimension()).map(|column| data.input(*row, column)).collect())
            }
            (Domain::AllFinite, At::Point(point)) => {
                let (given, expected) = (point.len(), network.input_dimension());
                if given != expected {
                    return Err(ReplayRejection::Inputs { given, expected });
                }
                let is_value = |&value: &Encoding| {
                    let key = order_key(format, value).filter(|_| format.is_finite(value));
                    key.is_some_and(|key| exponent_is_moderate(format, key))
                };
                match point.iter().position(|value| !is_value(value)) {
                    Some(input) => {
                        let value = Value { format, encoding: point[input] };
                        Err(ReplayRejection::Input { input: Input(input), value })
                    }
                    None => Ok(point.clone()),
                }
            }
            (Domain::Rows(_), At::Point(_)) => Err(NOT_A_ROW),
            (Domain::AllFinite, At::Row(_)) => Err(NOT_A_POINT),
        }
    }
}
