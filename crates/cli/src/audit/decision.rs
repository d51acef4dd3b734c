//! What is read off an output, as the command line says it.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use roundproof_audit::{Decision, Ties};
use roundproof_exact::{Rational, parse_number};

/// What is read off an output.
#[derive(Args)]
pub struct DecisionOptions {
    /// What is read off the output: argmax, top-K, sign, threshold, value, bits, or label: what the model itself decides by its scores
    #[arg(long, value_name = "DECISION", default_value = "argmax")]
    pub decision: Reading,
    /// Whether a tie for the largest element is decided
    #[arg(long, value_enum, default_value = "any")]
    ties: TiesGiven,
    /// With top-K: whether the order of these places counts
    #[arg(long)]
    ordered: bool,
    /// With threshold: the limit, exactly as it is written
    #[arg(long, value_name = "NUMBER", required_if_eq("decision", "threshold"), value_parser = exact)]
    threshold: Option<Rational>,
    /// With value: by how much two paths may differ
    #[arg(long, value_name = "NUMBER", required_if_eq("decision", "value"), value_parser = exact)]
    tolerance: Option<Rational>,
}

/// What is read off the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Argmax,
    Top(usize),
    Sign,
    Threshold,
    Value,
    Bits,
    Label,
}

impl FromStr for Reading {
    type Err = String;

    fn from_str(text: &str) -> Result<Reading, String> {
        Ok(match text {
            "argmax" => Reading::Argmax,
            "sign" => Reading::Sign,
            "threshold" => Reading::Threshold,
            "value" => Reading::Value,
            "bits" => Reading::Bits,
            "label" => Reading::Label,
            other => {
                let count = other.strip_prefix("top-").and_then(|count| count.parse().ok()).filter(|count| *count > 0);
                Reading::Top(count.ok_or("argmax, top-K (as top-3), sign, threshold, value, bits or label is needed")?)
            }
        })
    }
}

impl Reading {
    /// Whether it tells places of a tensor, which may have names.
    pub fn counts_places(self) -> bool {
        match self {
            Reading::Argmax | Reading::Top(_) | Reading::Label => true,
            Reading::Sign | Reading::Threshold | Reading::Value | Reading::Bits => false,
        }
    }
}

/// What counts where two elements are the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TiesGiven {
    /// A tie is not decided: one element has to be larger than all others
    Any,
    /// The first one counts
    First,
}

fn exact(text: &str) -> Result<Rational, String> {
    parse_number(text).map(|number| number.value()).map_err(|error| format!("`{text}` {error}"))
}

impl DecisionOptions {
    /// What has to be the same on every path.
    pub fn decided(&self) -> Decision {
        let ties = match self.ties {
            TiesGiven::Any => Ties::Any,
            TiesGiven::First => Ties::First,
        };
        match self.decision {
            Reading::Argmax | Reading::Label => Decision::Argmax { ties },
            Reading::Top(count) => Decision::Top { count, ordered: self.ordered },
            Reading::Sign => Decision::Sign,
            Reading::Threshold => Decision::Threshold { limit: self.threshold.clone().unwrap_or_default() },
            Reading::Value => Decision::Value { tolerance: self.tolerance.clone().unwrap_or_default() },
            Reading::Bits => Decision::Bits,
        }
    }
}
