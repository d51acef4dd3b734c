//! Path models: their names, in words, and which contains which.

use roundproof_format::{Format, Overflow, Subnormals};
use roundproof_network::{Accumulator, Contraction, Order, PathModel, Rounding, Summation, Trees};
use serde::Serialize;

/// A path model, each field for itself, and the whole in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// The shortest text that `--paths` reads as this model: `all`, `paper`, or one of them and what differs from it.
    pub name: String,
    /// Every choice in words.
    pub words: String,
    /// `any`, or the one direction of every rounding.
    pub rounding: String,
    /// The order of a sum's additions: `any` or `left-to-right`.
    pub order: String,
    /// Fused multiply-add: `any`, fused or not at each addition, or `none`.
    pub contraction: String,
    /// What overflow gives: `ieee`, `saturate` or `nan`.
    pub overflow: String,
    /// `gradual`, or `flush`: flushed to zero or not, at each operation.
    pub subnormals: String,
    /// Where sums are formed: `same`, the format of the values, or a wider format and, after a stroke, what its overflow gives.
    pub accumulator: String,
}

impl Paths {
    /// The model, of a claim about networks over `format`.
    pub fn new(model: &PathModel, format: Format) -> Paths {
        let (name, words) = (name(model, format), words(model, format));
        let [rounding, order, contraction, overflow, subnormals, accumulator] = fields(model);
        Paths { name, words, rounding, order, contraction, overflow, subnormals, accumulator }
    }

    /// The paths that a claim speaks of, as its sentence begins.
    pub fn lead(&self) -> String {
        let which = if self.name == "all" {
            "on every rounding path"
        } else if self.is_one() {
            "on one rounding path"
        } else {
            "on every rounding path of a model"
        };
        format!("{which} ({}: {})", self.name, self.words)
    }

    /// Whether the model leaves nothing to choose.
    fn is_one(&self) -> bool {
        let choices = [&self.rounding, &self.order, &self.contraction, &self.subnormals];
        !choices.iter().any(|choice| ["any", "flush"].contains(&choice.as_str()))
    }
}

/// The names of the fields, as `--paths` reads them: the accumulator, whose format may have commas, last.
const FIELDS: [&str; 6] = ["rounding", "order", "contraction", "overflow", "subnormals", "accumulator"];

/// What each field says.
fn fields(model: &PathModel) -> [String; 6] {
    let PathModel { rounding, overflow, subnormals, summation: Summation::Trees(trees) } = model;
    let Trees { order, contraction, accumulator } = trees;
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
    let accumulator = match accumulator {
        Accumulator::Same => "same".to_string(),
        Accumulator::Wider { format, overflow } => format!("{format}/{overflow}"),
    };
    let [rounding, order, contraction] = [rounding, order, contraction].map(str::to_string);
    [rounding, order, contraction, overflow.to_string(), subnormals.to_string(), accumulator]
}

/// The shortest text that [`PathModel::parse`] reads as `model`; of two, the one that starts from `all`.
fn name(model: &PathModel, format: Format) -> String {
    let from = |base: &str, start: PathModel| {
        let differ = FIELDS.into_iter().zip(fields(model).into_iter().zip(fields(&start)));
        let changes =
            differ.filter(|(_, (one, other))| one != other).map(|(field, (value, _))| format!("{field}={value}"));
        [base.to_string()].into_iter().chain(changes).collect::<Vec<_>>()
    };
    let [all, paper] = [from("all", PathModel::all(format)), from("paper", PathModel::paper(format))];
    if paper.len() < all.len() { paper } else { all }.join(",")
}

/// The choices of a model in words.
fn words(model: &PathModel, format: Format) -> String {
    let PathModel { rounding, overflow, subnormals, summation: Summation::Trees(trees) } = model;
    let Trees { order, contraction, accumulator } = trees;
    let mut parts = vec![
        match rounding {
            Rounding::Any => "any direction for each rounding".to_string(),
            Rounding::Mode(mode) => format!("every rounding {mode}"),
        },
        match order {
            Order::Any => "additions in any order".to_string(),
            Order::LeftToRight => "additions from left to right".to_string(),
        },
        match contraction {
            Contraction::Any => "products fused or not".to_string(),
            Contraction::None => "no product fused".to_string(),
        },
    ];
    parts.extend(overflow_words(format, *overflow).map(str::to_string));
    if format.is_bounded() {
        parts.push(match subnormals {
            Subnormals::Gradual => "gradual underflow".to_string(),
            Subnormals::Flush => "subnormals flushed or not".to_string(),
        });
    }
    match accumulator {
        Accumulator::Same => {}
        Accumulator::Wider { format, overflow } => {
            let overflow = overflow_words(*format, *overflow).map(|words| format!(" ({words})")).unwrap_or_default();
            parts.push(format!("sums in {format}{overflow}, rounded once more at the end"));
        }
    }
    parts.join(", ")
}

fn overflow_words(format: Format, policy: Overflow) -> Option<&'static str> {
    format.is_bounded().then_some(match policy {
        Overflow::Ieee => "overflow to infinity",
        Overflow::Saturate => "overflow saturates",
        Overflow::Nan => "overflow to NaN",
    })
}

/// Whether every path of `other` is a path of `model`, over the same format: what is claimed under `model` is then true
/// under `other`.
pub fn covers(model: &PathModel, other: &PathModel) -> bool {
    let PathModel { rounding, overflow, subnormals, summation: Summation::Trees(trees) } = model;
    let PathModel { rounding: of_rounding, overflow: of_overflow, subnormals: of_subnormals, summation } = other;
    let Trees { order, contraction, accumulator } = trees;
    let Summation::Trees(Trees { order: of_order, contraction: of_contraction, accumulator: of_accumulator }) =
        summation;
    let rounding = match (rounding, of_rounding) {
        (Rounding::Any, Rounding::Any | Rounding::Mode(_)) => true,
        (Rounding::Mode(_), Rounding::Any) => false,
        (Rounding::Mode(mode), Rounding::Mode(other)) => mode == other,
    };
    let order = match (order, of_order) {
        (Order::Any, Order::Any | Order::LeftToRight) | (Order::LeftToRight, Order::LeftToRight) => true,
        (Order::LeftToRight, Order::Any) => false,
    };
    let contraction = match (contraction, of_contraction) {
        (Contraction::Any, Contraction::Any | Contraction::None) | (Contraction::None, Contraction::None) => true,
        (Contraction::None, Contraction::Any) => false,
    };
    let subnormals = match (subnormals, of_subnormals) {
        (Subnormals::Flush, Subnormals::Flush | Subnormals::Gradual) | (Subnormals::Gradual, Subnormals::Gradual) => {
            true
        }
        (Subnormals::Gradual, Subnormals::Flush) => false,
    };
    rounding && order && contraction && subnormals && overflow == of_overflow && accumulator == of_accumulator
}
