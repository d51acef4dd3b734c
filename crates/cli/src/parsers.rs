//! Values of the command line that are not plain text.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use roundproof_checker::frontier::{self, CONSTRUCTIONS, Construction, Family};
use roundproof_checker::prove::Strategy;
use roundproof_construct::generate;
use roundproof_format::{Format, Overflow, ParseError, RoundingMode};
use roundproof_functions::Function;
use roundproof_network::Activation;
use roundproof_paths::Arrangement;
use roundproof_sources::models::Outputs;

/// One of some names; clap lists them in the help, and names the nearest to a wrong one.
fn one_of<T: FromStr<Err = ParseError> + Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// A rounding direction.
pub fn mode() -> impl TypedValueParser<Value = RoundingMode> {
    one_of(RoundingMode::ALL.iter().map(|mode| mode.name()))
}

/// An overflow policy.
pub fn overflow() -> impl TypedValueParser<Value = Overflow> {
    one_of(Overflow::ALL.iter().map(|policy| policy.name()))
}

/// A strategy.
pub fn strategy() -> impl TypedValueParser<Value = Strategy> {
    one_of(Strategy::ALL.iter().map(|strategy| strategy.name()))
}

/// A construction of the frontier.
pub fn construction() -> impl TypedValueParser<Value = &'static Construction> {
    PossibleValuesParser::new(CONSTRUCTIONS.iter().map(|construction| construction.name))
        .try_map(|name| frontier::construction(&name))
}

/// A layout of formats.
pub fn family() -> impl TypedValueParser<Value = Family> {
    one_of(Family::ALL.map(Family::name))
}

/// Whole numbers from one to another, both among them: `1..12`, or a single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span(pub RangeInclusive<u32>);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        match (from.trim().parse(), to.trim().parse()) {
            (Ok(from), Ok(to)) if from <= to => Ok(Span(from..=to)),
            _ => Err("a range from the least to the most is needed, such as 1..12".to_string()),
        }
    }
}

/// What made-up rows are like.
pub fn made_up() -> impl TypedValueParser<Value = generate::Kind> {
    PossibleValuesParser::new(generate::Kind::ALL.map(generate::Kind::name)).try_map(|name| {
        let kind = generate::Kind::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| ParseError::unknown("kind", &name, generate::Kind::ALL.map(generate::Kind::name)))
    })
}

/// What a forest gives.
pub fn outputs() -> impl TypedValueParser<Value = Outputs> {
    PossibleValuesParser::new(["scores", "votes", "label"]).map(|name| match name.as_str() {
        "votes" => Outputs::Votes,
        "label" => Outputs::Label,
        _ => Outputs::Scores,
    })
}

/// A function of the reals.
pub fn function(text: &str) -> Result<Function, String> {
    let name = text.to_ascii_lowercase();
    if [".csv", ".npy", ".npz", ".safetensors"].iter().any(|end| name.ends_with(end)) {
        return Err(
            "a table of values is not an expression; `roundproof prove TABLE --label COLUMN` makes a network that gives \
                    every value in it exactly"
                .to_string(),
        );
    }
    Function::parse(text).map_err(|error| error.to_string())
}

/// A number of seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "a number of seconds is needed, such as 30 or 0.5".to_string();
    let seconds = text.parse::<f64>().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// The activation of hidden layers.
pub fn activation() -> impl TypedValueParser<Value = Activation> {
    one_of([Activation::Relu, Activation::Step].map(Activation::name))
}

/// How the terms of a sum are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermOrder {
    /// The same way in every neuron.
    Fixed(Arrangement),
    /// Another tree for every neuron.
    Random,
}

const RANDOM: &str = "random";

impl TermOrder {
    /// The spelling on the command line.
    pub fn name(self) -> &'static str {
        match self {
            TermOrder::Random => RANDOM,
            TermOrder::Fixed(arrangement) => match arrangement {
                Arrangement::LeftToRight => "left-to-right",
                Arrangement::RightToLeft => "right-to-left",
                Arrangement::BiasFirst => "bias-first",
                Arrangement::Pairwise => "pairwise",
                Arrangement::Ascending => "ascending",
                Arrangement::Descending => "descending",
                Arrangement::NegativeFirst => "negative-first",
                Arrangement::PositiveFirst => "positive-first",
            },
        }
    }

    fn all() -> impl Iterator<Item = TermOrder> {
        Arrangement::ALL.iter().map(|&arrangement| TermOrder::Fixed(arrangement)).chain([TermOrder::Random])
    }
}

impl FromStr for TermOrder {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<TermOrder, ParseError> {
        TermOrder::all()
            .find(|order| order.name() == text)
            .ok_or_else(|| ParseError::unknown("order", text, TermOrder::all().map(TermOrder::name)))
    }
}

/// An order.
pub fn order() -> impl TypedValueParser<Value = TermOrder> {
    one_of(TermOrder::all().map(TermOrder::name))
}

/// A format, and what its overflow gives: `binary32` or `binary32/saturate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accumulator {
    /// The format.
    pub format: Format,
    /// The policy.
    pub overflow: Overflow,
}

impl FromStr for Accumulator {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Accumulator, ParseError> {
        match text.split_once('/') {
            Some((format, overflow)) => Ok(Accumulator { format: format.parse()?, overflow: overflow.parse()? }),
            None => {
                let format: Format = text.parse()?;
                Ok(Accumulator { format, overflow: format.default_overflow() })
            }
        }
    }
}

/// Rows, from 0: `7`, `0..10` (10 not among them), `5..`, and lists of these with commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows(Vec<(usize, Option<usize>)>);

impl FromStr for Rows {
    type Err = String;

    fn from_str(text: &str) -> Result<Rows, String> {
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let part = |part: &str| match part.split_once("..") {
            None => number(part).and_then(|row| Some((row, Some(row.checked_add(1)?)))),
            Some((from, to)) => {
                let from = if from.trim().is_empty() { Some(0) } else { number(from) };
                let to = if to.trim().is_empty() { Some(None) } else { number(to).map(Some) };
                from.zip(to).filter(|(from, to)| to.is_none_or(|to| *from < to))
            }
        };
        let wrong = |part: &str| format!("`{part}` is not a row or range of rows, such as 7, 0..10, 5.. or 0..3,7");
        text.split(',').map(|text| part(text).ok_or_else(|| wrong(text))).collect::<Result<_, _>>().map(Rows)
    }
}

impl Rows {
    /// Every row, of which there may be none.
    pub fn of_all() -> Rows {
        Rows(Vec::new())
    }

    /// Only this row.
    pub fn only(row: usize) -> Rows {
        Rows(vec![(row, Some(row + 1))])
    }

    /// The rows of a data set of `count` rows that are meant.
    pub fn of(&self, count: usize) -> Result<Vec<usize>, String> {
        if self.0.is_empty() {
            return Ok((0..count).collect());
        }
        let mut rows = Vec::new();
        for &(from, to) in &self.0 {
            let to = to.unwrap_or(count);
            if from >= count || to > count {
                let last = if to > from + 1 { to - 1 } else { from };
                return Err(format!("there is no row {last}: the data set has {count} rows, numbered from 0"));
            }
            rows.extend(from..to);
        }
        Ok(rows)
    }
}

/// One of several equal parts: `1/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Shard { index, count }),
            _ => Err("a shard is I/N with 1 <= I <= N, as in 1/4".to_string()),
        }
    }
}

impl Shard {
    /// Whether the item at `position` (from 0) belongs to this part: every N-th does.
    pub fn has(self, position: usize) -> bool {
        position % self.count == self.index - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read() {
        let of = |text: &str, count| text.parse::<Rows>().unwrap().of(count);
        assert_eq!(of("3", 5), Ok(vec![3]));
        assert_eq!(of("0..3,4", 5), Ok(vec![0, 1, 2, 4]));
        assert_eq!(of("3..", 5), Ok(vec![3, 4]));
        assert_eq!(of("..2", 5), Ok(vec![0, 1]));
        assert!(of("3..7", 5).unwrap_err().contains("no row 6"));
        assert!(of("9", 5).unwrap_err().contains("no row 9"));
        for wrong in ["", "a", "3..3", "4..2", "1,,2", "-1"] {
            assert!(wrong.parse::<Rows>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shards_partition() {
        for wrong in ["0/4", "5/4", "1", "a/b", "1/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        let shards: Vec<Shard> = (1..=3).map(|index| format!("{index}/3").parse().unwrap()).collect();
        for position in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(position)).count(), 1);
        }
    }

    #[test]
    fn every_order_reads_back() {
        assert!(TermOrder::all().all(|order| order.name().parse() == Ok(order)));
    }
}
