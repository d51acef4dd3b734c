//! `roundproof approximate`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use clap::{ArgGroup, Args};
use roundproof_approximation::rule::MOST_POINTS;
use roundproof_checker::prove::{Preference, Proof, ProveError, Strategy, Task, TreeOptions, approximate};
use roundproof_construct::approximate::all_finite;
use roundproof_construct::{Attainable, ConstructError, reference_parameters};
use roundproof_exact::text::{approximate as approximate_below, approximate_above, exact_decimal};
use roundproof_exact::{Integer, Rational, parse_number};
use roundproof_files::safetensors::parse_forest;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::{CATALOGUE, Function};
use roundproof_judge::{Accuracy, Approximation, Property};
use roundproof_network::{Activation, PathModel};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{Whole, count, emit_json, emit_verdicts, note};
use crate::parsers;
use crate::progress::Progress;
use crate::prove::{PATHS_HELP, Report, place};
use crate::words;

const EXAMPLES: &str = "\
With --exact, the function is rounded at every value of the domain (at most 2^16 points, pairs for two variables), to \
nearest, ties to even, and beyond the largest value by the overflow policy of --paths; the network gives exactly these \
results. With --eps, it is within EPS of the function over the reals at every value of the domain, and has as few steps as \
that takes. With --excess, it is at most EPS farther from the function than the nearest value of the format: every EPS above 0 \
can be had of a continuous function. In F(p), with infinitely many values next to 0, --eps and --excess are proved for all of \
them, and --exact takes a domain without 0. Each is proved on every rounding path: the kernel checks the network against a tree, and the tree against \
enclosures of the function. Beyond the domain, the network goes on with the result at its edge.

A function that is given by a table of its values, one row a point, is not an expression: `roundproof prove` makes a network that \
represents it exactly.

DIR gets network.safetensors, forest.safetensors (the tree) and certificate.json.

Exit codes: 0 Proved, 2 no network or a wrong command line, 3 Unknown, 4 Refuted.

Examples:
  roundproof approximate --function tanh --format bfloat16 --exact --out tanh
  roundproof approximate --function exp --format binary32 --domain -4:4 --eps 0.01
  roundproof approximate --function 'x*y' --format 'F(8)' --domain 0:1,0:1 --excess 0.05
  roundproof approximate --function mul --format float8_e4m3fn --exact --paths all,overflow=saturate
  roundproof approximate --function 'x*tanh(log(1+exp(x)))' --format bfloat16 --domain -4:4 --eps 0x1p-6 -a step";

/// What `--help` ends with: the functions that have names, what the figures mean, and examples.
fn long_help() -> String {
    let mut text = "Functions with a name:\n".to_string();
    for (name, variables, meaning) in CATALOGUE {
        let arguments = if *variables == 1 { "x" } else { "x, y" };
        text += &format!("  {:<16}{meaning}\n", format!("{name}({arguments})"));
    }
    text += "\nExpressions have x, y, numbers, + - * / ^ with an integer for an exponent, parentheses, the functions of one variable \
             above, abs(a), hypot(a, b), atan2(a, b), max(a, b) and min(a, b).\n\n\
             What is reported:\n  \
             points     values of the domain, or pairs; at so many, neighbours of equal results joined, the tree has its leaves\n  \
             reference  6dn + 2n parameters, for n points of d variables: a point box for each, nothing left out\n  \
             yardstick  n * log2(results) / bits of a parameter, rounded down, for n points and so many distinct results: \
             networks that differ in fewer parameters of so many bits cannot give every function from these points to these results, \
             of which a smooth one may well take less\n\n";
    text + EXAMPLES
}

/// Make a network that approximates a function on every value of a domain, and prove it
#[derive(Args)]
#[command(after_help = EXAMPLES, after_long_help = long_help())]
#[command(group(ArgGroup::new("accuracy").required(true).args(["exact", "eps", "excess"])))]
pub struct Approximate {
    /// The function: a name, such as tanh or mul (--help lists them), or an expression in x (and y)
    #[arg(long, value_name = "FUNCTION", value_parser = parsers::function, allow_hyphen_values = true)]
    function: Function,
    /// The floating-point format of the network and its inputs; see `roundproof formats`
    #[arg(short, long)]
    format: Format,
    /// The values from LOW to HIGH, for each variable; all finite values, if left out
    #[arg(long, value_name = "LOW:HIGH[,LOW:HIGH]", allow_hyphen_values = true)]
    domain: Option<String>,
    /// Every result is the function, rounded correctly (to nearest, ties to even)
    #[arg(long)]
    exact: bool,
    /// Every result is at most EPS away from the function
    #[arg(long, value_name = "EPS", allow_negative_numbers = true)]
    eps: Option<String>,
    /// Every result is at most EPS farther from the function than the nearest value of the format
    #[arg(long, value_name = "EPS", allow_negative_numbers = true)]
    excess: Option<String>,
    /// The activation of the hidden layers
    #[arg(short, long, default_value = "relu", value_parser = parsers::activation())]
    activation: Activation,
    /// The rounding paths that the claim speaks of: all, paper, or either with changes
    #[arg(short, long, default_value = "all", value_name = "MODEL", long_help = PATHS_HELP)]
    paths: String,
    /// Where to put the network, the tree and the certificate; nowhere, if left out
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// What is approximated, and the report on the proof.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Approximated {
    /// Of the tree that is the evidence.
    leaves: usize,
    distinct_results: usize,
    /// Points of the domain, if they can be counted, and what a box for each of them takes.
    points: Option<Whole>,
    point_parameters: Option<Whole>,
    /// `points log2(distinct results) / bits`, rounded down to a tenth.
    yardstick: Option<f64>,
    #[serde(flatten)]
    report: Report,
}

impl Approximate {
    /// Makes the tree and the network, has them judged, and writes the files.
    pub fn execute(self) -> Result<Exit> {
        let since = Instant::now();
        let model = PathModel::parse(&self.paths, self.format).context("--paths")?;
        let wanted = self.wanted(model.overflow)?;
        let task = Task {
            strategy: Strategy::Tree,
            activation: self.activation,
            model,
            tree: TreeOptions::default(),
            preference: Preference::Construction,
            prefix: String::new(),
            source: None,
            input_names: None,
        };
        let progress = Progress::new();
        let mut report = |what, done, of| progress.report(what, done, of);
        let proof =
            approximate(&wanted, self.format, &task, &mut report).map_err(|error| self.explain(&wanted, error))?;
        drop(progress);
        if let Some(out) = &self.out {
            place(out, &proof, None)?;
        }
        let report = Report::new(&proof, None, self.out.as_deref(), since.elapsed());
        let points = points(self.format, &wanted.domain);
        let results = distinct_results(&proof)?;
        let yardstick = points.as_ref().filter(|_| self.format.is_bounded()).map(|points| {
            let floor = points.to_f64() * (results as f64).log2() / f64::from(self.format.width());
            (floor * 10.0).floor() / 10.0
        });
        let point_parameters =
            points.clone().map(|points| reference_parameters(points, wanted.domain.len(), 1)).map(Whole);
        if self.json {
            emit_json(&Approximated {
                leaves: leaves(&proof),
                distinct_results: results,
                points: points.map(Whole),
                point_parameters,
                yardstick,
                report,
            })?;
        } else {
            let mut sheet = report.sheet(&proof, None);
            let (tree, distinct) = (words::leaf_count(leaves(&proof)), count(results, "distinct result"));
            match points {
                Some(points) => sheet.line("points", format!("{points}; a tree with {tree} gives {distinct} at them")),
                None => sheet.line("points", format!("infinitely many; a tree with {tree} gives {distinct} at them")),
            }
            if let Some(reference) = point_parameters {
                let reference = reference.parameters_beside(proof.network.parameters());
                sheet.line("reference", format!("a box for each point takes {reference}"));
            }
            if let Some(least) = yardstick.filter(|least| *least > 0.0) {
                let least = if least < 1e15 { format!("{least:.1}") } else { format!("{least:.1e}") };
                sheet.line("yardstick", format!("{least} parameters, for every function to these results: points * log2(distinct results) / bits"));
            }
            report.end(&mut sheet);
            emit_verdicts(&sheet.text())?;
            if self.out.is_none() {
                note("note: nothing was written; --out DIR keeps the network, the tree and the certificate");
            }
        }
        Ok(proof.certificate.verdict.into())
    }

    fn wanted(&self, overflow: Overflow) -> Result<Approximation> {
        let domain = match &self.domain {
            Some(text) => domain(text, self.format)?,
            None if self.format.is_bounded() => all_finite(&self.function, self.format),
            None => bail!("--domain: {} has no largest value; name the ends, such as 0:1", self.format),
        };
        let (given, variables) = (domain.len(), self.function.arity());
        if given != variables {
            let (variables, given) = (count(variables, "variable"), count(given, "range"));
            bail!(
                "--domain: {} has {variables}, and the domain {given}, one for each is needed",
                self.function.abridged()
            );
        }
        let magnitude = |option: &str, text: &str| {
            let number = parse_number(text).map_err(|error| anyhow!("{option}: `{text}` {error}"))?;
            if number.negative && number.magnitude != 0 {
                bail!("{option}: {text} is negative; an error is 0 or more");
            }
            Ok(number.magnitude)
        };
        let accuracy = match (&self.eps, &self.excess) {
            (Some(text), _) => Accuracy::Within(magnitude("--eps", text)?),
            (None, Some(text)) => Accuracy::Excess(magnitude("--excess", text)?),
            (None, None) => Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow },
        };
        Ok(Approximation { function: self.function.clone(), domain, accuracy })
    }

    /// Which errors can be had instead.
    fn remedy(&self, wanted: &Approximation, attainable: &Attainable) -> String {
        let few = points(self.format, &wanted.domain).is_some_and(|points| points <= MOST_POINTS);
        let exact = if few { ", or --exact, which rounds correctly" } else { "" };
        if self.excess.is_some() {
            return format!("; an EPS above 0 may do{exact}");
        }
        let mut text = String::new();
        match (&attainable.least, &attainable.suffices) {
            (Some(least), Some(suffices)) if least == suffices => {
                text += &format!("; the least EPS on this domain is {}", in_digits(least));
            }
            (Some(least), suffices) => {
                text += &format!("; the least EPS of a value at each point is {}", in_digits(least));
                if let Some(suffices) = suffices {
                    text += &format!(", and --eps {} takes few enough leaves", in_digits(suffices));
                }
            }
            (None, suffices) => {
                if attainable.farther > 0 {
                    text += &format!("; every EPS below {} is too small", approximate_below(&attainable.farther));
                }
                if let Some(suffices) = suffices {
                    text += &format!("; --eps {} suffices, which may not be the least", in_digits(suffices));
                }
            }
        }
        text + "; or take --excess, which bounds the error beyond that of the nearest value" + exact
    }

    /// The error, with points as numbers.
    fn explain(&self, wanted: &Approximation, error: ProveError) -> anyhow::Error {
        let function = self.function.abridged();
        let option = if self.excess.is_some() { "--excess" } else { "--eps" };
        let ProveError::Construct(error) = error else { return error.into() };
        let domain = "name a --domain without such points";
        match &error {
            ConstructError::Function { at, error } => {
                anyhow!("{function} at {at}: {error}; {domain}")
            }
            ConstructError::Overflow { at, format } => anyhow!(
                "{function} at {at} is beyond the largest value of {format}; {domain}, or take --paths all,overflow=saturate"
            ),
            ConstructError::TooFine { at, attainable, format } => {
                let at = format!("{option}: at {at} no value of {format} is so near to {function}");
                anyhow!("{at}{}", self.remedy(wanted, attainable))
            }
            ConstructError::TooManyPoints { most } => anyhow!(
                "--exact: the domain has more than {most} points; name a smaller --domain, or an error with --eps"
            ),
            ConstructError::InfinitelyManyPoints { format } => anyhow!(
                "--exact: {format} has infinitely many values next to 0, and no network of boxes tells them all apart; \
                 bound the error with --eps or --excess, or name a --domain without 0"
            ),
            ConstructError::AtZero { variable, depth, format } => anyhow!(
                "{option}: next to 0, with {variable} within 2^-{depth}, {function} varies by more than that or is not defined, \
                 and in {format} no box can end there; take a larger {option} or a --domain without 0"
            ),
            ConstructError::TooManyLeaves { most, estimate, suffices } => {
                let remedy = match suffices {
                    Some(error) => format!("{option} {} would do, or a smaller --domain", in_digits(error)),
                    None => "name a smaller --domain".to_string(),
                };
                let about = in_digits(&Rational::from(*estimate));
                anyhow!("{option}: this takes more than {most} leaves, by an estimate about {about}; {remedy}")
            }
            ConstructError::NoScaleAtCut { column, threshold, .. } => anyhow!(
                "{} has no powers of two K and W that make a box that ends at {} = {} safe (W * K * gap >= 1), and too few bits \
                 for copies of a weaker unit; take --activation step, which needs none",
                self.format,
                ["x", "y"][*column as usize % 2],
                exact_decimal(self.format, *threshold),
            ),
            _ => anyhow!("{error}"),
        }
    }
}

/// An error, raised to two digits, as `--eps` takes it.
fn in_digits(error: &Rational) -> String {
    let text = approximate_above(error);
    match parse_number(&text) {
        Ok(number) if number.value() >= *error => text,
        // Beyond 1e100, or below its reciprocal: a power of two.
        _ => {
            let bits = |part: &Integer| i64::from(part.significant_bits());
            format!("0x1p{}", bits(error.numer()) - bits(error.denom()) + 1)
        }
    }
}

fn distinct_results(proof: &Proof) -> Result<usize> {
    let bytes = proof.files.forest.as_deref().context("an approximation has a tree")?;
    let forest = parse_forest(Path::new("forest.safetensors"), bytes)?;
    let values = forest.trees().iter().flat_map(|tree| tree.values.iter());
    Ok(values.map(|value| roundproof_exact::order_key(forest.format(), value)).collect::<BTreeSet<_>>().len())
}

fn leaves(proof: &Proof) -> usize {
    match &proof.certificate.claim.property {
        Property::Approximates(property) => property.leaves,
        Property::Kernel(_) => 0,
    }
}

/// How many points a domain has; none if infinitely many, as in `F(p)` next to 0.
fn points(format: Format, domain: &[(Encoding, Encoding)]) -> Option<Integer> {
    let key = |end| roundproof_exact::order_key(format, end);
    domain.iter().try_fold(Integer::from(1), |points, &(low, high)| {
        let (low, high) = (key(low)?, key(high)?);
        let infinite = !format.is_bounded() && low <= 0 && 0 <= high && low < high;
        (!infinite).then(|| points * (high.abs_diff(low) + 1))
    })
}

/// `LOW:HIGH`, for each variable: the values of the format from the one to the other.
fn domain(text: &str, format: Format) -> Result<Vec<(Encoding, Encoding)>> {
    let range = |part: &str| {
        let (low, high) =
            part.split_once(':').ok_or_else(|| anyhow!("--domain: `{part}` is not a range; one is LOW:HIGH"))?;
        let end = |text: &str, mode| {
            let number = parse_number(text.trim()).map_err(|error| anyhow!("--domain: `{text}` {error}"))?;
            let rounded = number.round(format, mode, Overflow::Saturate).encoding;
            let limit = |largest| roundproof_exact::real(format, largest);
            if let Some(largest) = format.largest(false)
                && limit(largest).is_some_and(|limit| number.magnitude > limit)
            {
                let largest = exact_decimal(format, largest);
                bail!("--domain: {text} is beyond the largest value of {format}, {largest}");
            }
            Ok((number.value(), rounded))
        };
        let (from, least) = end(low, RoundingMode::TowardPositive)?;
        let (to, most) = end(high, RoundingMode::TowardNegative)?;
        if from > to {
            bail!("--domain: {part} is in the wrong order; from the lower end to the upper one it is {high}:{low}");
        }
        let key = |end| roundproof_exact::order_key(format, end);
        if key(least) > key(most) {
            bail!("--domain: no value of {format} lies from {low} to {high}");
        }
        Ok((least, most))
    };
    text.split(',').map(range).collect()
}
