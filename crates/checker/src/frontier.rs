//! The frontier: for each construction, format and path model, whether it holds, fails, or has no parameters.
//!
//! | cell | is established by |
//! | --- | --- |
//! | holds | the kernel, which accepted evidence for the network of the hardest data set of the format |
//! | fails | the kernel, which replayed a path on which the network of a small data set misses a label |
//! | no parameters | the construction's refusal of that data set; of ReLU gadgets and ramps, a search over all powers of two too |
//! | no format, no model | the vocabulary, which has no such format, or no such overflow in it |
//! | unknown | nothing |
//!
//! The hardest data set has a row for every finite value where the format is small, else around the edges of every binade;
//! `proofs/frontier/README.md` proves that this is no less. [`condition`] says what each cell has to be, knows neither kernel
//! nor construction, and any difference is reported; so is a construction that holds on all paths of a model and fails on
//! some of them.

mod cell;
pub mod condition;
mod formats;
mod instances;
mod record;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use roundproof_format::{Format, ParseError};
use roundproof_network::{Activation, ModelError};
use thiserror::Error;

pub use cell::Cell;
pub use formats::{Family, Grid, MODELS, includes, model};
pub use record::{Recorded, RecordedPanel, status};

use crate::prove::Strategy;
use cell::Lab;

/// A construction, and what is claimed of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Construction {
    /// Its name on the map.
    pub name: &'static str,
    /// How the network is made.
    pub strategy: Strategy,
    /// The activation of its hidden layers.
    pub activation: Activation,
    /// Inputs of the data sets.
    pub inputs: usize,
    /// What is claimed, for every data set of the format with so many inputs.
    pub statement: &'static str,
}

const fn row(
    name: &'static str,
    strategy: Strategy,
    activation: Activation,
    inputs: usize,
    statement: &'static str,
) -> Construction {
    Construction { name, strategy, activation, inputs, statement }
}

const COUNTS: &str = "indicators that count 2d satisfied bounds, of d inputs, memorize";

/// The rows of the map.
#[rustfmt::skip] // a line each
pub const CONSTRUCTIONS: &[Construction] = &[
    row("point-step", Strategy::Point, Activation::Step, 1, "a point box for each row, with Step, memorizes"),
    row("point-relu", Strategy::Point, Activation::Relu, 1, "a point box for each row, with ReLU, memorizes"),
    row("tree-step", Strategy::Tree, Activation::Step, 1, "a tree, with Step, is computed at every finite input"),
    row("tree-relu", Strategy::Tree, Activation::Relu, 1, "a tree, with ReLU, is computed at every finite input"),
    row("counting-1", Strategy::CountingIndicator, Activation::Step, 1, COUNTS),
    row("counting-2", Strategy::CountingIndicator, Activation::Step, 2, COUNTS),
    row("counting-4", Strategy::CountingIndicator, Activation::Step, 4, COUNTS),
    row("counting-16", Strategy::CountingIndicator, Activation::Step, 16, COUNTS),
    row("counting-64", Strategy::CountingIndicator, Activation::Step, 64, COUNTS),
    row("counting-256", Strategy::CountingIndicator, Activation::Step, 256, COUNTS),
    row("counted-ramps", Strategy::CountedRamps, Activation::Relu, 1, "indicators that count two-layer ReLU steps, of one input, memorize"),
    row("telescoping-sum", Strategy::TelescopingSum, Activation::Step, 1, "the telescoping sum memorizes"),
    row("halved-penalties", Strategy::HalvedPenalties, Activation::Relu, 1, "point boxes with half of each penalty memorize"),
];

/// The construction with this name.
///
/// # Errors
///
/// If there is none; the nearest name is told.
pub fn construction(name: &str) -> Result<&'static Construction, ParseError> {
    let found = CONSTRUCTIONS.iter().find(|construction| construction.name == name);
    found.ok_or_else(|| ParseError::unknown("construction", name, CONSTRUCTIONS.iter().map(|found| found.name)))
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The construction is right for every data set.
    Holds,
    /// It is wrong for one.
    Fails,
    /// It refuses a data set: the format lacks the numbers that it needs.
    NoParameters,
    /// There is no such format.
    NoFormat,
    /// The format cannot express the path model.
    NoModel,
    /// Nothing was established.
    Unknown,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 6] =
        [Status::Holds, Status::Fails, Status::NoParameters, Status::NoFormat, Status::NoModel, Status::Unknown];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Holds => "holds",
            Status::Fails => "fails",
            Status::NoParameters => "no parameters",
            Status::NoFormat => "no format",
            Status::NoModel => "no model",
            Status::Unknown => "unknown",
        }
    }
}

/// One construction under one path model, over the formats of one family.
#[derive(Clone, Debug)]
pub struct Panel {
    /// The path model, as [`model`] reads it.
    pub model: String,
    /// The layout of the formats.
    pub family: Family,
    /// The formats, exponent bits first, then precisions; with what was found.
    pub cells: Vec<(Option<Format>, Cell)>,
}

impl Panel {
    /// The format of the fewest bits in which the construction holds; of these, the one with the fewest exponent bits.
    pub fn least(&self) -> Option<Format> {
        let held = self.cells.iter().filter(|(_, cell)| cell.status() == Status::Holds);
        held.filter_map(|(format, _)| *format).min_by_key(|format| (format.width(), format.exponent_bits()))
    }

    /// How many cells say what.
    pub fn counts(&self) -> BTreeMap<Status, usize> {
        let mut counts = BTreeMap::new();
        for (_, cell) in &self.cells {
            *counts.entry(cell.status()).or_default() += 1;
        }
        counts
    }
}

/// What was found of one construction.
#[derive(Clone, Debug)]
pub struct Map {
    /// The construction.
    pub construction: &'static Construction,
    /// The formats that were looked at.
    pub grid: Grid,
    /// By path model, then by family.
    pub panels: Vec<Panel>,
    /// Where what was established is not what the theory says, or contradicts itself.
    pub contradictions: Vec<String>,
}

impl Map {
    /// How many cells say what, in words.
    pub fn summary(&self) -> String {
        let mut counts = BTreeMap::<Status, usize>::new();
        for (status, count) in self.panels.iter().flat_map(Panel::counts) {
            *counts.entry(status).or_default() += count;
        }
        let counts: Vec<String> = counts.iter().map(|(status, count)| format!("{count} {}", status.name())).collect();
        counts.join(", ")
    }
}

/// A map that cannot be drawn up.
#[derive(Debug, Error)]
pub enum FrontierError {
    /// A path model that is none.
    #[error("paths `{model}`: {error}")]
    Model {
        /// As it was given.
        model: String,
        /// What is wrong.
        error: ParseError,
    },
}

/// Looks at a construction under these path models, in every format of the grid. The same on every machine and with any
/// number of threads. `progress` is told how many formats of how many are done.
///
/// # Errors
///
/// If a path model is none in any format.
pub fn sweep(
    construction: &'static Construction,
    models: &[&str],
    grid: &Grid,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Map, FrontierError> {
    sweep_in(&Lab::new(construction, grid.every_value), models, grid, progress)
}

fn sweep_in(
    lab: &Lab,
    models: &[&str],
    grid: &Grid,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Map, FrontierError> {
    for text in models {
        // What a format cannot express is not an error of the text; any format tells.
        if let Err(ModelError::Parse(error)) = model(text, Format::BFLOAT16) {
            return Err(FrontierError::Model { model: (*text).to_string(), error });
        }
    }
    let formats: Vec<(Family, Option<Format>)> =
        grid.families.iter().flat_map(|&family| grid.formats(family).map(move |format| (family, format))).collect();
    let done = AtomicUsize::new(0);
    let look = |&(_, format): &(Family, Option<Format>)| {
        let cells = match format {
            Some(format) => lab.cells(format, models),
            None => (vec![Cell::NoFormat; models.len()], Vec::new()),
        };
        progress(1 + done.fetch_add(1, Ordering::Relaxed), formats.len());
        cells
    };
    let found: Vec<_> = formats.par_iter().with_max_len(1).map(look).collect();
    let mut panels = Vec::new();
    for (index, model) in models.iter().enumerate() {
        for &family in &grid.families {
            let of_family = formats.iter().zip(&found).filter(|((of, _), _)| *of == family);
            let cells = of_family.map(|((_, format), (cells, _))| (*format, cells[index].clone())).collect();
            panels.push(Panel { model: (*model).to_string(), family, cells });
        }
    }
    let contradictions = found.into_iter().flat_map(|(_, contradictions)| contradictions).collect();
    Ok(Map { construction: lab.construction, grid: grid.clone(), panels, contradictions })
}

#[cfg(test)]
mod tests;
