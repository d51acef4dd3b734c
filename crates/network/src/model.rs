//! Path models: which choices the evaluation of a neuron has.

use std::fmt;

use roundproof_format::{Format, Overflow, ParseError, RoundingMode, Subnormals};
use thiserror::Error;

use crate::Network;

/// The rounding directions that operations may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// This one, for every operation.
    Mode(RoundingMode),
    /// Either neighbour of the exact result, chosen anew for every operation.
    Any,
}

/// How sums are formed: one choice, which each side answers in one place. Whoever reads it names every variant, so that a
/// new one does not compile until all have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Summation {
    /// By binary trees of additions over the products and the bias, each addition rounded as the path model says.
    Trees(Trees),
}

impl Summation {
    /// The trees, of sums that are formed by trees.
    pub const fn trees(&self) -> &Trees {
        let Summation::Trees(trees) = self;
        trees
    }

    /// The trees, of sums that are formed by trees, to be changed.
    pub const fn trees_mut(&mut self) -> &mut Trees {
        let Summation::Trees(trees) = self;
        trees
    }
}

/// Which trees of additions form a sum, and in which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trees {
    /// Summation orders.
    pub order: Order,
    /// Fused multiply-add.
    pub contraction: Contraction,
    /// Where sums are formed.
    pub accumulator: Accumulator,
}

/// The trees over the terms of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Products in index order, the bias last (the paper).
    LeftToRight,
    /// Every binary tree over every arrangement of the products and the bias.
    Any,
}

/// Whether a product may go into the addition above it unrounded (fused multiply-add).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contraction {
    /// Every product is rounded by itself.
    None,
    /// Every addition may contract one product.
    Any,
}

/// The format in which products are rounded and added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accumulator {
    /// The format of the values, or of what is added where that is wider: see [`PathModel::at`].
    Same,
    /// A wider one; the sum is rounded once more, to the format of the values, before the activation.
    Wider {
        /// The accumulator's format; it contains every value of the network's.
        format: Format,
        /// The accumulator's own overflow policy.
        overflow: Overflow,
    },
}

/// Which rounding paths a claim speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathModel {
    /// Rounding directions, of every operation.
    pub rounding: Rounding,
    /// Overflow in the network's format.
    pub overflow: Overflow,
    /// Subnormal results and operands, of every operation.
    pub subnormals: Subnormals,
    /// How sums are formed.
    pub summation: Summation,
}

/// A path model that a format does not support.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The overflow policy is not expressible.
    #[error("{format} cannot express overflow={overflow}; {remedy}")]
    Overflow {
        /// The format.
        format: Format,
        /// The policy.
        overflow: Overflow,
        /// What would do.
        remedy: &'static str,
    },
    /// The accumulator lacks values of the format.
    #[error("accumulator {accumulator} does not contain every value of {format}")]
    Accumulator {
        /// The network's format.
        format: Format,
        /// The accumulator's.
        accumulator: Format,
    },
    /// Sums of one format that become values of another, neither of which contains the other.
    #[error(
        "neither {operands} nor {format} contains the other: sums of the one that become values of the other need an accumulator that contains both, as `accumulator=binary32`"
    )]
    Operands {
        /// What is added.
        operands: Format,
        /// What the sums become.
        format: Format,
    },
    /// The text does not name a model.
    #[error(transparent)]
    Parse(#[from] ParseError),
}

/// What a path model may be changed in.
const FIELDS: [&str; 6] = ["rounding", "order", "contraction", "overflow", "subnormals", "accumulator"];

impl PathModel {
    /// `paper`: ties-to-even, left to right, no contraction, gradual underflow; overflow as in [`PathModel::all`].
    pub fn paper(format: Format) -> PathModel {
        PathModel {
            rounding: Rounding::Mode(RoundingMode::TiesToEven),
            summation: Summation::Trees(Trees {
                order: Order::LeftToRight,
                contraction: Contraction::None,
                accumulator: Accumulator::Same,
            }),
            overflow: format.default_overflow(),
            subnormals: Subnormals::Gradual,
        }
    }

    /// `all`: any rounding, any order, any contraction, gradual underflow; overflow `ieee` where the format has
    /// infinities and `saturate` where it has none.
    pub fn all(format: Format) -> PathModel {
        PathModel {
            rounding: Rounding::Any,
            overflow: format.default_overflow(),
            subnormals: Subnormals::Gradual,
            summation: Summation::Trees(Trees {
                order: Order::Any,
                contraction: Contraction::Any,
                accumulator: Accumulator::Same,
            }),
        }
    }

    /// Whether networks over `format` can be evaluated under this model.
    ///
    /// # Errors
    ///
    /// If an overflow policy cannot be expressed, or the accumulator lacks a value of the format.
    pub fn check(&self, format: Format) -> Result<(), ModelError> {
        let policy = |format: Format, overflow| {
            if format.expresses(overflow) {
                return Ok(());
            }
            let remedy = if format.has_nan() { "use saturate or nan" } else { "use saturate" };
            Err(ModelError::Overflow { format, overflow, remedy })
        };
        // Every format can be rounded in each direction, added in each order, and flushed.
        let PathModel { rounding: _, overflow, subnormals: _, summation } = *self;
        policy(format, overflow)?;
        let Summation::Trees(Trees { order: _, contraction: _, accumulator }) = summation;
        match accumulator {
            Accumulator::Same => Ok(()),
            Accumulator::Wider { format: accumulator, overflow } => {
                policy(accumulator, overflow)?;
                if contains(accumulator, format) {
                    Ok(())
                } else {
                    Err(ModelError::Accumulator { format, accumulator })
                }
            }
        }
    }

    /// The model of a step that reads values of `operands` and makes values of `format`: the one of networks over `format`, but
    /// for the accumulator. It contains both formats; [`Accumulator::Same`] is the wider one of the two, and where that is the one
    /// that is read, sums are rounded once more, as out of any wider accumulator.
    ///
    /// # Errors
    ///
    /// As [`PathModel::check`], for both formats; and if neither contains the other, and no accumulator is named.
    pub fn at(&self, operands: Format, format: Format) -> Result<PathModel, ModelError> {
        let PathModel { rounding, overflow, subnormals, summation: Summation::Trees(trees) } = *self;
        let Trees { order, contraction, accumulator } = trees;
        let accumulator = match accumulator {
            Accumulator::Same if contains(format, operands) => Accumulator::Same,
            Accumulator::Same if contains(operands, format) => Accumulator::Wider { format: operands, overflow },
            Accumulator::Same => return Err(ModelError::Operands { operands, format }),
            Accumulator::Wider { format: accumulator, overflow: _ } if !contains(accumulator, operands) => {
                return Err(ModelError::Accumulator { format: operands, accumulator });
            }
            Accumulator::Wider { format, overflow } => Accumulator::Wider { format, overflow },
        };
        let summation = Summation::Trees(Trees { order, contraction, accumulator });
        let model = PathModel { rounding, overflow, subnormals, summation };
        model.check(format)?;
        Ok(model)
    }

    /// Whether a network can be evaluated under this model: whether there is a model for each of its steps.
    ///
    /// # Errors
    ///
    /// As [`PathModel::at`], for the first step that has none.
    pub fn check_steps(&self, network: &Network) -> Result<(), ModelError> {
        network.steps().iter().try_for_each(|step| self.at(step.operands(), step.format()).map(|_| ()))
    }

    /// Reads `all`, `paper`, or either followed by changes: `all,subnormals=flush`, `paper,order=any`,
    /// `all,accumulator=binary32`. The fields are `rounding` (`any` or a direction), `order` (`any`,
    /// `left-to-right`), `contraction` (`any`, `none`), `overflow`, `subnormals` and, last, `accumulator` (`same`, a
    /// format, or a format and what its overflow gives: `binary32/saturate`). Changes alone start from `all`.
    ///
    /// # Errors
    ///
    /// If a field or value is unknown, or the model fails [`PathModel::check`].
    pub fn parse(text: &str, format: Format) -> Result<PathModel, ModelError> {
        let mut model = PathModel::all(format);
        // A format such as `p=8,emin=-126,emax=127` has commas and equals signs of its own.
        let (text, accumulator) = match text.split_once("accumulator=") {
            Some((before, name)) => (before.trim_end_matches(','), Some(name)),
            None => (text, None),
        };
        for (index, part) in text.split(',').filter(|part| !part.is_empty()).enumerate() {
            match (part, part.split_once('=')) {
                ("all", _) if index == 0 => {}
                ("paper", _) if index == 0 => model = PathModel::paper(format),
                (_, Some((field, value))) => model.set(field, value)?,
                _ => {
                    let fields = FIELDS.map(|field| format!("{field}=…"));
                    let known = ["all", "paper"].into_iter().chain(fields.iter().map(String::as_str));
                    return Err(ParseError::unknown("path model", part, known).into());
                }
            }
        }
        if let Some(name) = accumulator {
            model.set_accumulator(name)?;
        }
        model.check(format)?;
        Ok(model)
    }

    fn set(&mut self, field: &str, value: &str) -> Result<(), ParseError> {
        let Summation::Trees(trees) = &mut self.summation;
        match field {
            "rounding" => {
                self.rounding = match value {
                    "any" => Rounding::Any,
                    mode => Rounding::Mode(mode.parse()?),
                }
            }
            "order" => {
                trees.order = match value {
                    "any" => Order::Any,
                    "left-to-right" => Order::LeftToRight,
                    other => return Err(ParseError::unknown("order", other, ["any", "left-to-right"])),
                }
            }
            "contraction" => {
                trees.contraction = match value {
                    "any" => Contraction::Any,
                    "none" => Contraction::None,
                    other => return Err(ParseError::unknown("contraction", other, ["any", "none"])),
                }
            }
            "overflow" => self.overflow = value.parse()?,
            "subnormals" => self.subnormals = value.parse()?,
            other => {
                return Err(ParseError::unknown("path model field", other, FIELDS));
            }
        }
        Ok(())
    }

    /// `same`, `FORMAT` or `FORMAT/OVERFLOW`.
    fn set_accumulator(&mut self, text: &str) -> Result<(), ParseError> {
        let Summation::Trees(trees) = &mut self.summation;
        trees.accumulator = match text.split_once('/') {
            _ if text == "same" => Accumulator::Same,
            Some((format, overflow)) => Accumulator::Wider { format: format.parse()?, overflow: overflow.parse()? },
            None => {
                let format: Format = text.parse()?;
                Accumulator::Wider { format, overflow: format.default_overflow() }
            }
        };
        Ok(())
    }
}

/// Whether every value of `narrow`, and its infinity if it has one, is a value of `wide`.
pub(crate) fn contains(wide: Format, narrow: Format) -> bool {
    if wide.precision() < narrow.precision() {
        return false;
    }
    let Some(((wide_min, wide_max), (narrow_min, narrow_max))) =
        wide.emin().zip(wide.emax()).zip(narrow.emin().zip(narrow.emax()))
    else {
        return !wide.is_bounded() && !narrow.has_infinity();
    };
    let least = |emin: i32, format: Format| emin - format.precision() as i32 + 1;
    // Topmost significands, aligned to the wider precision.
    let top = |format: Format| format.largest_significand() << (wide.precision() - format.precision());
    least(wide_min, wide) <= least(narrow_min, narrow)
        && (wide_max, top(wide)) >= (narrow_max, top(narrow))
        && (wide.has_infinity() || !narrow.has_infinity())
}

impl fmt::Display for PathModel {
    /// Every field, in the spelling that [`PathModel::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PathModel { rounding, overflow, subnormals, summation } = *self;
        let Summation::Trees(Trees { order, contraction, accumulator }) = summation;
        let rounding = match rounding {
            Rounding::Mode(mode) => mode.name(),
            Rounding::Any => "any",
        };
        let order = match order {
            Order::LeftToRight => "left-to-right",
            Order::Any => "any",
        };
        let contraction = match contraction {
            Contraction::None => "none",
            Contraction::Any => "any",
        };
        write!(
            f,
            "rounding={rounding},order={order},contraction={contraction},overflow={overflow},subnormals={subnormals},accumulator="
        )?;
        match accumulator {
            Accumulator::Same => write!(f, "same"),
            Accumulator::Wider { format, overflow } => write!(f, "{format}/{overflow}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_read_back() {
        let f = Format::BFLOAT16;
        for text in [
            "all",
            "paper",
            "all,subnormals=flush",
            "paper,order=any",
            "rounding=toward-zero",
            "all,accumulator=binary32",
        ] {
            let model = PathModel::parse(text, f).expect(text);
            assert_eq!(PathModel::parse(&model.to_string(), f), Ok(model), "{text}");
        }
        assert_eq!(PathModel::parse("all", f), Ok(PathModel::all(f)));
        let custom = PathModel::parse("paper,accumulator=p=24,emin=-126,emax=127/saturate", f).expect("a model");
        let Summation::Trees(trees) = custom.summation;
        assert_eq!(trees.accumulator, Accumulator::Wider { format: Format::BINARY32, overflow: Overflow::Saturate });
    }

    /// Where a step reads one format and makes another, it adds in the wider; an accumulator has to hold what is read.
    #[test]
    fn a_step_adds_in_a_format_that_holds_what_it_reads() {
        let at = |text: &str, operands, format| {
            let model = PathModel::parse(text, format).expect(text).at(operands, format);
            model.map(|model| model.summation.trees().accumulator)
        };
        let (b16, b32, h16) = (Format::BFLOAT16, Format::BINARY32, Format::BINARY16);
        let wider = |format| Ok(Accumulator::Wider { format, overflow: Overflow::Ieee });
        assert_eq!(at("all", b16, b16), Ok(Accumulator::Same));
        assert_eq!(at("all", b16, b32), Ok(Accumulator::Same));
        assert_eq!(at("all", b32, b16), wider(b32));
        assert_eq!(at("all", h16, b16), Err(ModelError::Operands { operands: h16, format: b16 }));
        assert_eq!(at("all,accumulator=binary32", h16, b16), wider(b32));
        assert_eq!(at("all,accumulator=binary64", b32, b16), wider(Format::BINARY64));
        // The accumulator holds the values, as a model of their format has to, and not what is read.
        let lacks = |format, accumulator| Err(ModelError::Accumulator { format, accumulator });
        assert_eq!(at("all,accumulator=binary32", Format::BINARY64, b16), lacks(Format::BINARY64, b32));
    }

    #[test]
    fn models_that_a_format_lacks_are_refused() {
        let message = |text, format| PathModel::parse(text, format).unwrap_err().to_string();
        assert!(message("all,overflow=ieee", Format::FLOAT8_E4M3FN).contains("use saturate or nan"));
        assert!(message("all,overflow=nan", Format::FLOAT4_E2M1FN).contains("use saturate"));
        assert!(message("all,accumulator=binary16", Format::BFLOAT16).contains("does not contain"));
        assert!(message("all,accumulator=F(24)", Format::BFLOAT16).contains("does not contain"));
        assert!(message("al", Format::BFLOAT16).contains("did you mean `all`?"));
        assert!(message("all,ordr=any", Format::BFLOAT16).contains("did you mean `order`?"));
    }

    #[test]
    fn containment_looks_at_both_ends() {
        let narrow = Format::FLOAT8_E4M3FN;
        assert!(contains(Format::BFLOAT16, narrow) && contains(Format::BINARY16, narrow) && contains(narrow, narrow));
        let same_emax: Format = "p=5,emin=-9,emax=8,specials=fnuz".parse().expect("a format");
        assert!(contains(same_emax, narrow));
        assert!(!contains("p=5,emin=-9,emax=7".parse().expect("a format"), narrow));
        assert!(!contains("p=5,emin=-4,emax=9".parse().expect("a format"), narrow));
        assert!(contains(Format::unbounded(4).expect("a format"), narrow));
        assert!(!contains(Format::unbounded(3).expect("a format"), narrow));
    }
}
