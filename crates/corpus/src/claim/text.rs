//! `claim.toml` as it stands: groups of fields, each of which goes with others of its group or not at all.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use roundproof_checker::parametric::Shape;
use roundproof_checker::prove::Strategy;
use roundproof_exact::{Number, NumberError, Rational, parse_number};
use roundproof_format::{Format, Overflow, ParseError, RoundingMode};
use roundproof_functions::{Function, FunctionError};
use roundproof_network::Activation;
use roundproof_sources::models::{ForestOptions, Outputs};
use serde::de::{Deserializer, Error as _, Visitor, value::Error as ProbeError};
use serde::{Deserialize, forward_to_deserialize_any};
use thiserror::Error;
use toml::Spanned;
use toml::de::DeTable;

use super::instances::{Paths, Slow};
use super::{ClaimError, Flaw, Making, RecordKind, Rows};
use crate::all_values::AllValues;
use crate::given::{GivenNetwork, NeuronText};
use crate::new::Kind;
use crate::wanted::{Nearness, Trees, Wanted};

/// The fields of a claim that no group has taken yet.
pub(super) struct Fields<'t> {
    table: DeTable<'t>,
    text: &'t str,
    /// Where the kind stands: what lacks a field is said to be of this kind.
    kind: std::ops::Range<usize>,
}

impl<'t> Fields<'t> {
    /// Reads TOML.
    pub(super) fn parse(text: &'t str) -> Result<Fields<'t>, ClaimError> {
        let table = DeTable::parse(text)?.into_inner();
        let kind = table.get("kind").map_or(0..0, Spanned::span);
        Ok(Fields { table, text, kind })
    }

    /// Takes the fields of a group.
    pub(super) fn take<T: Deserialize<'t>>(&mut self) -> Result<T, ClaimError> {
        let mut group = DeTable::new();
        for &field in fields_of::<T>() {
            group.extend(self.table.remove_entry(field));
        }
        T::deserialize(toml::de::Deserializer::from(Spanned::new(self.kind.clone(), group))).map_err(|mut error| {
            error.set_input(Some(self.text));
            error.into()
        })
    }

    /// Whether there is a field that no group has taken.
    fn has(&self, field: &str) -> bool {
        self.table.contains_key(field)
    }

    /// That every field was taken.
    ///
    /// # Errors
    ///
    /// With the first one that was not.
    pub(super) fn finish(self) -> Result<(), ClaimError> {
        let first = self.table.iter().min_by_key(|(field, _)| field.span().start);
        first.map_or(Ok(()), |(field, _)| {
            let line = 1 + self.text[..field.span().start].matches('\n').count();
            Err(ClaimError::Stray { field: field.get_ref().to_string(), line })
        })
    }
}

/// The names of the fields of a struct, as serde knows them.
fn fields_of<'t, T: Deserialize<'t>>() -> &'static [&'static str] {
    struct Probe<'p>(&'p mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Probe<'_> {
        type Error = ProbeError;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ProbeError> {
            Err(ProbeError::custom("a group is a struct"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, ProbeError> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut fields: &'static [&'static str] = &[];
    // It always fails: there is nothing to read.
    let _ = T::deserialize(Probe(&mut fields));
    fields
}

/// A value that is written as text.
pub(super) struct Text<T>(pub(super) T);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<T>, D::Error> {
        String::deserialize(deserializer)?.parse().map(Text).map_err(D::Error::custom)
    }
}

/// What every claim has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) statement: String,
    pub(super) kind: Kind,
    pub(super) activations: Vec<Text<Activation>>,
    pub(super) formats: Vec<Text<Format>>,
    pub(super) paths: Paths,
    #[serde(default)]
    pub(super) slow: Slow,
}

/// What a claim about one network may have.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfNetwork {
    #[serde(default)]
    pub(super) refused: Vec<String>,
    #[serde(default)]
    pub(super) record: RecordKind,
}

/// Rows of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRows {
    data: PathBuf,
    labels: Vec<String>,
    rows: Option<Vec<usize>>,
}

/// Functions on all values of a format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnRows {
    values: Text<Values>,
    #[serde(default = "one")]
    inputs: usize,
    classes: Option<u64>,
    seeds: Vec<u64>,
}

fn one() -> usize {
    1
}

/// `all` values of the instance's format, or those of another one.
struct Values(Option<Format>);

impl FromStr for Values {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Values, ParseError> {
        Ok(Values((text != "all").then(|| text.parse()).transpose()?))
    }
}

/// How a network is made of rows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OfRows {
    strategy: Text<Strategy>,
    max_leaves: Option<usize>,
}

/// A network in full.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    layers: Vec<Vec<NeuronText>>,
}

/// A model of another tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    model: PathBuf,
    outputs: Option<Text<OutputsText>>,
    grid: Option<i64>,
    tolerance: Option<Text<Magnitude>>,
    inputs: Option<Text<RealInputs>>,
}

/// The one word that `inputs` may have.
struct RealInputs;

impl FromStr for RealInputs {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<RealInputs, ParseError> {
        if text == "real" { Ok(RealInputs) } else { Err(ParseError::unknown("inputs", text, ["real"])) }
    }
}

struct OutputsText(Outputs);

impl FromStr for OutputsText {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<OutputsText, ParseError> {
        let known = [("scores", Outputs::Scores), ("votes", Outputs::Votes), ("label", Outputs::Label)];
        let found = known.iter().find(|(name, _)| *name == text).map(|(_, outputs)| OutputsText(*outputs));
        found.ok_or_else(|| ParseError::unknown("outputs", text, known.map(|(name, _)| name)))
    }
}

/// A function, and where it is approximated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfFunction {
    function: Text<FunctionText>,
    domain: Option<Vec<Text<Range>>>,
}

struct FunctionText(Function);

impl FromStr for FunctionText {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<FunctionText, Self::Err> {
        Function::parse(text).map(FunctionText)
    }
}

/// The function rounded to nearest, ties to even.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rounded {
    overflow: Option<Text<Overflow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Within {
    eps: Text<Magnitude>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Excess {
    excess: Text<Magnitude>,
}

/// What is wrong on purpose with the network of a tree, but for a network in its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Halved {
    strategy: Option<HalvedPenalties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum HalvedPenalties {
    HalvedPenalties,
}

/// How nearly a tree approximates the function, where that is not what is claimed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherTree {
    built: Option<Built>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum Built {
    Rounding(Text<RoundingMode>),
    Eps(Text<Magnitude>),
    Excess(Text<Magnitude>),
}

/// Every data set of a shape.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct EveryDataSet {
    rows_count: NonZeroUsize,
    inputs: NonZeroUsize,
    #[serde(default)]
    steps: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Points {
    points: Vec<Text<Real>>,
}

/// A number that is not one.
#[derive(Debug, Error)]
pub(super) enum RealError {
    #[error("`{0}` {1}")]
    Number(String, NumberError),
    #[error("`{0}` is negative")]
    Negative(String),
    #[error("`{0}` is not LOW:HIGH")]
    Range(String),
}

struct Real(Number);

impl FromStr for Real {
    type Err = RealError;

    fn from_str(text: &str) -> Result<Real, RealError> {
        parse_number(text.trim()).map(Real).map_err(|error| RealError::Number(text.to_string(), error))
    }
}

/// A number that is not negative.
struct Magnitude(Rational);

impl FromStr for Magnitude {
    type Err = RealError;

    fn from_str(text: &str) -> Result<Magnitude, RealError> {
        match text.parse::<Real>()?.0.value() {
            value if value < 0 => Err(RealError::Negative(text.to_string())),
            value => Ok(Magnitude(value)),
        }
    }
}

struct Range(Number, Number);

impl FromStr for Range {
    type Err = RealError;

    fn from_str(text: &str) -> Result<Range, RealError> {
        let (low, high) = text.split_once(':').ok_or_else(|| RealError::Range(text.to_string()))?;
        Ok(Range(low.parse::<Real>()?.0, high.parse::<Real>()?.0))
    }
}

/// What the networks of a claim are made of, with what tells several apart.
pub(super) fn makings(kind: Kind, fields: &mut Fields<'_>, folder: &Path) -> Result<Vec<(String, Making)>, ClaimError> {
    let one = |making| vec![(String::new(), making)];
    Ok(match kind {
        Kind::Memorization => of_rows(fields, folder, false)?,
        Kind::WholeNetwork => of_rows(fields, folder, true)?,
        Kind::Forest => {
            let Model { model, outputs, grid, tolerance, inputs } = fields.take()?;
            let outputs = outputs.map(|Text(OutputsText(outputs))| outputs);
            let options = ForestOptions { outputs, grid, real_inputs: inputs.is_some() };
            let has_rows = ["data", "labels", "rows"].iter().any(|field| fields.has(field));
            let rows = has_rows.then(|| file_rows(fields, folder)).transpose()?;
            let tolerance = tolerance.map(|Text(Magnitude(tolerance))| tolerance);
            let flaw = Flaw { strategy: halved(fields)?, built: None, network: None };
            one(Making::Model { file: folder.join(model), options, rows, tolerance, flaw })
        }
        Kind::Approximation => one(Making::Function(wanted(fields)?, flaw(fields)?)),
        Kind::Parametric => {
            let EveryDataSet { rows_count, inputs, steps } = fields.take()?;
            one(Making::EveryDataSet(Shape { rows: rows_count.get(), inputs: inputs.get() }, steps))
        }
        Kind::Depth => {
            let Points { points } = fields.take()?;
            one(Making::Depth(points.into_iter().map(|Text(Real(point))| point).collect()))
        }
    })
}

fn file_rows(fields: &mut Fields<'_>, folder: &Path) -> Result<Rows, ClaimError> {
    let FileRows { data, labels, rows } = fields.take()?;
    Ok(Rows::File { file: folder.join(data), labels, rows })
}

/// One for each seed of drawn functions; else one.
fn of_rows(fields: &mut Fields<'_>, folder: &Path, whole: bool) -> Result<Vec<(String, Making)>, ClaimError> {
    let rows: Vec<(String, Rows)> = if fields.has("values") {
        let DrawnRows { values: Text(Values(of)), inputs, classes, seeds } = fields.take()?;
        let drawn = |seed| (format!(".seed-{seed}"), Rows::All(AllValues { of, inputs, classes, seed }));
        seeds.into_iter().map(drawn).collect()
    } else {
        vec![(String::new(), file_rows(fields, folder)?)]
    };
    if fields.has("layers") && !whole {
        let network = given(fields)?;
        let making = |(name, rows)| (name, Making::Given { rows, network: network.clone() });
        return Ok(rows.into_iter().map(making).collect());
    }
    let OfRows { strategy: Text(strategy), max_leaves } = fields.take()?;
    if max_leaves.is_some() && strategy != Strategy::Tree {
        return Err(ClaimError::Leaves(strategy));
    }
    let making = |(name, rows)| (name, Making::Rows { rows, strategy, max_leaves, whole });
    Ok(rows.into_iter().map(making).collect())
}

fn given(fields: &mut Fields<'_>) -> Result<GivenNetwork, ClaimError> {
    let Given { layers } = fields.take()?;
    GivenNetwork::new(&layers).map_err(ClaimError::Value)
}

fn wanted(fields: &mut Fields<'_>) -> Result<Wanted, ClaimError> {
    let OfFunction { function: Text(FunctionText(function)), domain } = fields.take()?;
    let domain = domain.map(|ranges| ranges.into_iter().map(|Text(Range(low, high))| (low, high)).collect());
    let (nearness, overflow) = if fields.has("eps") {
        let Within { eps: Text(Magnitude(error)) } = fields.take()?;
        (Nearness::Within(error), None)
    } else if fields.has("excess") {
        let Excess { excess: Text(Magnitude(excess)) } = fields.take()?;
        (Nearness::Excess(excess), None)
    } else {
        let Rounded { overflow } = fields.take()?;
        (Nearness::Rounded(RoundingMode::TiesToEven), overflow.map(|Text(policy)| policy))
    };
    Ok(Wanted { function, domain, nearness, overflow, trees: Trees::default() })
}

/// What is wrong on purpose with the network of a function.
fn flaw(fields: &mut Fields<'_>) -> Result<Flaw, ClaimError> {
    let OtherTree { built } = fields.take()?;
    let built = built.map(|built| match built {
        Built::Rounding(Text(mode)) => Nearness::Rounded(mode),
        Built::Eps(Text(Magnitude(error))) => Nearness::Within(error),
        Built::Excess(Text(Magnitude(excess))) => Nearness::Excess(excess),
    });
    if fields.has("layers") {
        return Ok(Flaw { strategy: Strategy::Tree, built, network: Some(given(fields)?) });
    }
    Ok(Flaw { strategy: halved(fields)?, built, network: None })
}

fn halved(fields: &mut Fields<'_>) -> Result<Strategy, ClaimError> {
    let Halved { strategy } = fields.take()?;
    Ok(match strategy {
        Some(HalvedPenalties::HalvedPenalties) => Strategy::HalvedPenalties,
        None => Strategy::Tree,
    })
}
