//! Path models of an audit: what a runtime may choose when it evaluates a model of another tool.

use std::fmt;

use roundproof_format::{Format, ParseError, RoundingMode, Subnormals};
use roundproof_network::{Contraction, Order, Rounding};
use thiserror::Error;

use crate::functions::{Functions, TableError};

/// What every verdict leaves out, unless its path model names it.
pub const NOT_COVERED: &str = "\
Not covered unless named: TF32, bfloat16 or float16 in place of float32 (autocast, converters: several runtimes do so \
by default); block sums of matrix units; Winograd, FFT, Strassen; scales moved across a sum, merged linear layers, \
other algebra between nodes, casts that a runtime leaves out; int8 or multi-pass emulation; compensated, binary64 or \
x87 accumulation; approximate division, square root and functions beyond the table that the path model names; double \
rounding under `nearest`; other Softmax algorithms (with exponentials or sums in a narrower format, or without the \
largest element) or Resize algorithms; sparsification; preprocessing; other tie-breaking; bugs. Each node that reads a \
tensor is taken to see one evaluation of it, whole: a runtime that forms parts of a tensor twice for one reader, in \
tiles that overlap say, is not covered.";

/// Where sums and products are formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accumulator {
    /// In the format of the tensor.
    Same,
    /// In this format, or in that of the tensor: in the one that has every value of the other. Where neither has, nothing is said.
    Wider(Format),
}

/// Where a sum that was formed in a wider accumulator is narrowed to the format of its tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Narrowing {
    /// Once, when all of it is there.
    Once,
    /// Then, and perhaps at each node that the sum is made of: as before a bias.
    Bias,
    /// At any node boundary, or not: whoever reads a tensor may see what was not narrowed.
    Optional,
}

/// Whether all that read a tensor see the same values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Copies {
    /// They do.
    One,
    /// Each node that reads it may see values of an evaluation of its own.
    PerReader,
}

/// How a mean, or a quotient by a constant, is formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Division {
    /// By one division.
    Quotient,
    /// By a division, or by products with the rounded reciprocal, of the sum or of what is added.
    Any,
}

/// Whether the constants of a batch normalization may become part of the weights of the sum before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Folding {
    /// It may not.
    None,
    /// It may.
    Any,
}

/// What the factors of products in sums are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operands {
    /// The values of the tensors.
    Exact,
    /// These, or one of their two neighbours in this format.
    Rounded(Format),
}

impl fmt::Display for Operands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operands::Exact => f.write_str("exact"),
            Operands::Rounded(format) => format.fmt(f),
        }
    }
}

/// Which choices a runtime has. Every order of additions and every fused multiply-add is covered by each bound of this crate, so that
/// `order` and `contraction` say what is meant, and make no bound smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathModel {
    /// Rounding directions, of every operation.
    pub rounding: Rounding,
    /// Summation orders.
    pub order: Order,
    /// Fused multiply-add.
    pub contraction: Contraction,
    /// Where sums and products are formed.
    pub accumulator: Accumulator,
    /// Where sums are narrowed.
    pub narrowing: Narrowing,
    /// Into how many parts a sum may be split that are narrowed each, and again when two are added; 1 if it is not split.
    pub partials: u32,
    /// Whether readers of a tensor see the same values.
    pub copies: Copies,
    /// Subnormal results and operands, of every operation.
    pub subnormals: Subnormals,
    /// Means and quotients by constants.
    pub division: Division,
    /// Batch normalizations behind a sum.
    pub folding: Folding,
    /// Factors of products in sums.
    pub operands: Operands,
    /// Functions that runtimes approximate.
    pub functions: Functions,
}

/// A text that does not name a path model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
    /// An unknown word.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Not a table of functions.
    #[error(transparent)]
    Functions(#[from] TableError),
    /// Not a number of parts.
    #[error("`partials={text}` is not a number from 1 to {MOST_PARTIALS}")]
    Partials {
        /// What stands there.
        text: String,
    },
}

/// The most parts of a sum.
pub const MOST_PARTIALS: u32 = 1 << 16;

/// What a path model may be changed in.
const FIELDS: [&str; 12] = [
    "rounding",
    "order",
    "contraction",
    "narrowing",
    "partials",
    "copies",
    "subnormals",
    "division",
    "folding",
    "operands",
    "functions",
    "accumulator",
];

/// The path models with names, and what each is.
pub const NAMED: [(&str, &str); 4] = [
    (
        "portable",
        "any order and contraction, ties to even, narrowing and flushing optional, a copy for each reader: the default",
    ),
    ("once", "portable, and sums are narrowed once"),
    ("nearest", "ties to even, sums narrowed once, one copy of each tensor, nothing flushed"),
    ("all", "either neighbour at each rounding, sums narrowed once, one copy of each tensor, nothing flushed"),
];

impl PathModel {
    /// `portable`, the default: what runtimes were seen to do.
    pub const PORTABLE: PathModel = PathModel {
        rounding: Rounding::Mode(RoundingMode::TiesToEven),
        order: Order::Any,
        contraction: Contraction::Any,
        accumulator: Accumulator::Wider(Format::BINARY32),
        narrowing: Narrowing::Optional,
        partials: 2,
        copies: Copies::PerReader,
        subnormals: Subnormals::Flush,
        division: Division::Any,
        folding: Folding::Any,
        operands: Operands::Exact,
        functions: Functions::None,
    };

    /// `once`: portable with sums that are narrowed once.
    pub const ONCE: PathModel = {
        let mut model = PathModel::PORTABLE;
        model.narrowing = Narrowing::Once;
        model.partials = 1;
        model
    };

    /// `nearest`: once, with one copy of each tensor, and nothing flushed.
    pub const NEAREST: PathModel = {
        let mut model = PathModel::ONCE;
        model.copies = Copies::One;
        model.subnormals = Subnormals::Gradual;
        model
    };

    /// `all`: any direction at each rounding. It neither contains `portable` nor is contained in it.
    pub const ALL: PathModel = {
        let mut model = PathModel::NEAREST;
        model.rounding = Rounding::Any;
        model
    };

    /// Reads a name, or a name and changes: `portable`, `all,accumulator=same`, `nearest,narrowing=bias`. Changes alone start
    /// from `portable`; `accumulator`, whose format may have commas of its own, comes last.
    ///
    /// # Errors
    ///
    /// If a name, a field or a value is unknown.
    pub fn parse(text: &str) -> Result<PathModel, ModelError> {
        let mut model = PathModel::PORTABLE;
        let (text, accumulator) = match text.split_once("accumulator=") {
            Some((before, name)) => (before.trim_end_matches(','), Some(name)),
            None => (text, None),
        };
        for (index, part) in text.split(',').filter(|part| !part.is_empty()).enumerate() {
            match (index, part, part.split_once('=')) {
                (0, "portable", _) => model = PathModel::PORTABLE,
                (0, "once", _) => model = PathModel::ONCE,
                (0, "nearest", _) => model = PathModel::NEAREST,
                (0, "all", _) => model = PathModel::ALL,
                (_, _, Some((field, value))) => model.set(field, value)?,
                (_, _, None) => {
                    let fields = FIELDS.map(|field| format!("{field}=…"));
                    let known = NAMED.iter().map(|(name, _)| *name).chain(fields.iter().map(String::as_str));
                    return Err(ParseError::unknown("path model", part, known).into());
                }
            }
        }
        match accumulator {
            None => {}
            Some("same") => model.accumulator = Accumulator::Same,
            Some(format) => model.accumulator = Accumulator::Wider(format.parse::<Format>()?),
        }
        Ok(model)
    }

    fn set(&mut self, field: &str, value: &str) -> Result<(), ModelError> {
        let unknown = |what, known: &[&str]| ParseError::unknown(what, value, known.iter().copied());
        match field {
            "rounding" => {
                self.rounding = match value {
                    "any" => Rounding::Any,
                    mode => Rounding::Mode(mode.parse()?),
                }
            }
            "order" => {
                self.order = match value {
                    "any" => Order::Any,
                    "left-to-right" => Order::LeftToRight,
                    _ => return Err(unknown("order", &["any", "left-to-right"]).into()),
                }
            }
            "contraction" => {
                self.contraction = match value {
                    "any" => Contraction::Any,
                    "none" => Contraction::None,
                    _ => return Err(unknown("contraction", &["any", "none"]).into()),
                }
            }
            "narrowing" => {
                self.narrowing = match value {
                    "once" => Narrowing::Once,
                    "bias" => Narrowing::Bias,
                    "optional" => Narrowing::Optional,
                    _ => return Err(unknown("narrowing", &["once", "bias", "optional"]).into()),
                }
            }
            "partials" => {
                let parsed = value.parse().ok().filter(|parts| (1..=MOST_PARTIALS).contains(parts));
                self.partials = parsed.ok_or_else(|| ModelError::Partials { text: value.to_owned() })?;
            }
            "copies" => {
                self.copies = match value {
                    "one" => Copies::One,
                    "per-reader" => Copies::PerReader,
                    _ => return Err(unknown("copies", &["one", "per-reader"]).into()),
                }
            }
            "subnormals" => self.subnormals = value.parse()?,
            "division" => {
                self.division = match value {
                    "quotient" => Division::Quotient,
                    "any" => Division::Any,
                    _ => return Err(unknown("division", &["quotient", "any"]).into()),
                }
            }
            "folding" => {
                self.folding = match value {
                    "none" => Folding::None,
                    "any" => Folding::Any,
                    _ => return Err(unknown("folding", &["none", "any"]).into()),
                }
            }
            "operands" => {
                self.operands = match value {
                    "exact" => Operands::Exact,
                    format => Operands::Rounded(format.parse()?),
                }
            }
            "functions" => self.functions = Functions::parse(value)?,
            other => return Err(ParseError::unknown("path model field", other, FIELDS).into()),
        }
        Ok(())
    }

    /// The format in which sums and products are formed that become values of `format`, if there is one.
    pub(crate) fn accumulator(&self, format: Format) -> Option<Format> {
        match self.accumulator {
            Accumulator::Same => Some(format),
            Accumulator::Wider(wide) if contains(wide, format) => Some(wide),
            Accumulator::Wider(other) => (other == format || contains(format, other)).then_some(format),
        }
    }
}

/// Whether every finite value of `narrow` is one of `wide`. Only of bounded formats that differ in this way: a format is not wider
/// than itself.
fn contains(wide: Format, narrow: Format) -> bool {
    let ends = |format: Format| {
        let (emin, emax) = format.emin().zip(format.emax())?;
        Some((i64::from(emin) - i64::from(format.precision()), emax))
    };
    let (Some((wide_least, wide_emax)), Some((narrow_least, narrow_emax))) = (ends(wide), ends(narrow)) else {
        return false;
    };
    // The topmost significand of the wider one is complete but for its last bit.
    wide.precision() > narrow.precision() + 1 && wide_least <= narrow_least && wide_emax >= narrow_emax
}

impl fmt::Display for PathModel {
    /// Every field, in the spelling that [`PathModel::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PathModel {
            rounding,
            order,
            contraction,
            accumulator,
            narrowing,
            partials,
            copies,
            subnormals,
            division,
            folding,
            operands,
            functions,
        } = *self;
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
        let narrowing = match narrowing {
            Narrowing::Once => "once",
            Narrowing::Bias => "bias",
            Narrowing::Optional => "optional",
        };
        let copies = match copies {
            Copies::One => "one",
            Copies::PerReader => "per-reader",
        };
        let division = match division {
            Division::Quotient => "quotient",
            Division::Any => "any",
        };
        let folding = match folding {
            Folding::None => "none",
            Folding::Any => "any",
        };
        write!(
            f,
            "rounding={rounding},order={order},contraction={contraction},narrowing={narrowing},partials={partials},"
        )?;
        write!(f, "copies={copies},subnormals={subnormals},division={division},folding={folding},operands=")?;
        write!(f, "{operands},functions={functions}")?;
        match accumulator {
            Accumulator::Same => write!(f, ",accumulator=same"),
            Accumulator::Wider(format) => write!(f, ",accumulator={format}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_read_back() {
        for (name, model) in [
            ("portable", PathModel::PORTABLE),
            ("once", PathModel::ONCE),
            ("nearest", PathModel::NEAREST),
            ("all", PathModel::ALL),
            ("", PathModel::PORTABLE),
        ] {
            assert_eq!(PathModel::parse(name), Ok(model), "{name}");
            assert_eq!(PathModel::parse(&model.to_string()), Ok(model), "{model}");
        }
        for text in [
            "all,rounding=toward-zero,order=left-to-right,contraction=none",
            "nearest,narrowing=bias,partials=4,copies=per-reader,subnormals=flush",
            "once,division=quotient,folding=none,operands=tf32,accumulator=same",
            "portable,accumulator=p=30,emin=-126,emax=127",
        ] {
            let model = PathModel::parse(text).expect(text);
            assert_eq!(PathModel::parse(&model.to_string()), Ok(model), "{text}");
        }
    }

    #[test]
    fn what_names_no_model_is_refused() {
        let message = |text: &str| PathModel::parse(text).unwrap_err().to_string();
        assert!(message("portible").contains("did you mean `portable`?"));
        assert!(message("all,nearest").contains("unknown path model"));
        assert!(message("all,partials=0").contains("from 1 to"));
        for field in ["rounding", "order", "contraction", "narrowing", "copies", "subnormals", "division", "folding"] {
            assert!(message(&format!("all,{field}=x")).contains("unknown"), "{field}");
        }
        assert!(message("all,planted=x").contains("unknown path model field"));
    }

    #[test]
    fn accumulators_are_those_that_contain_the_format() {
        let model = PathModel::ALL;
        assert_eq!(model.accumulator(Format::BFLOAT16), Some(Format::BINARY32));
        assert_eq!(model.accumulator(Format::BINARY64), Some(Format::BINARY64));
        assert_eq!(model.accumulator(Format::BINARY32), Some(Format::BINARY32));
        let same = PathModel { accumulator: Accumulator::Same, ..model };
        assert_eq!(same.accumulator(Format::BFLOAT16), Some(Format::BFLOAT16));
        let narrow_range = PathModel { accumulator: Accumulator::Wider(Format::BINARY16), ..model };
        assert_eq!(narrow_range.accumulator(Format::BFLOAT16), None);
        assert_eq!(narrow_range.accumulator(Format::FLOAT8_E4M3FN), Some(Format::BINARY16));
    }
}
