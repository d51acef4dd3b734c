//! What a reader of certificates asks of a claim, beyond that it holds: `--require paths=all,exceptions=0,format=bfloat16`.
//!
//! A verdict says that a claim holds; which claim, the certificate says. Whoever relies on one in a build says here what it has
//! to be, and a certificate of another claim does not pass.

use std::fmt;
use std::str::FromStr;

use roundproof_audit::PathModel as AuditModel;
use roundproof_exact::{Rational, parse_number};
use roundproof_files::{Certificate, Digest};
use roundproof_format::{Format, ParseError};
use roundproof_kernel::Subject;
use roundproof_network::PathModel;
use thiserror::Error;

use crate::audits::{AuditPaths, Audited, contains};
use crate::encodings::has_equal_encodings;
use crate::paths::{Paths, covers};
use crate::{Accuracy, Claim, KernelProperty, Property};

/// Something that a claim has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    /// It speaks of every path of this model, as `--paths` reads it, over the claim's format.
    Paths(String),
    /// It is about this format.
    Format(Format),
    /// It is of this kind.
    Property(&'static str),
    /// It is about every finite input, not only about rows or a domain.
    EveryInput,
    /// At most so many rows have labels that are not what is computed.
    Exceptions(usize),
    /// At least so many rows are spoken of.
    Rows(usize),
    /// The outputs are at most this far from what they are claimed to be.
    Tolerance(Rational),
    /// Every path gives the same encodings.
    EqualEncodings,
    /// This very file.
    File(File, Digest),
    /// Of an audit: at least so many rows are invariant.
    Invariant(Share),
}

/// How many of some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Share {
    All,
    Percent(Rational),
    Count(usize),
}

impl Share {
    fn is_met(&self, count: usize, of: usize) -> bool {
        match self {
            Share::All => count == of,
            Share::Percent(percent) => Rational::from(count) * 100 >= Rational::from(percent * of),
            Share::Count(least) => count >= *least,
        }
    }
}

/// The files that a certificate names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum File {
    Network,
    Dataset,
    Forest,
    Graph,
    Model,
}

impl File {
    const fn name(self) -> &'static str {
        match self {
            File::Network => "network",
            File::Dataset => "dataset",
            File::Forest => "forest",
            File::Graph => "graph",
            File::Model => "model",
        }
    }
}

/// What is required of a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements(Vec<Requirement>);

/// A text that does not say what is required.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequirementError {
    /// Nothing can be required of this.
    #[error(transparent)]
    Unknown(#[from] ParseError),
    /// A value that does not go with what is required.
    #[error("{key}={value}: {why}")]
    Value {
        /// Of what something is required.
        key: &'static str,
        /// What was said.
        value: String,
        /// What is wrong with it.
        why: String,
    },
}

const KEYS: [&str; 14] = [
    "paths",
    "format",
    "property",
    "inputs",
    "exceptions",
    "rows",
    "tolerance",
    "encodings",
    "network",
    "dataset",
    "forest",
    "invariant",
    "graph",
    "model",
];
const PROPERTIES: [&str; 4] = ["memorizes", "computes", "approximates", DECIDES];
/// The property of an audit.
const DECIDES: &str = "decides";

impl FromStr for Requirements {
    type Err = RequirementError;

    /// Reads `KEY=VALUE`, and more of them after commas:
    ///
    /// | key | value |
    /// | --- | --- |
    /// | `paths` | a path model, whose paths are all spoken of: `all`, `paper,order=any` |
    /// | `format` | the format |
    /// | `property` | `memorizes`, `computes`, `approximates` or `decides` |
    /// | `inputs` | `finite`: every finite input is spoken of |
    /// | `exceptions` | the most rows that may have other labels than is computed; where rows are spoken of at all |
    /// | `rows` | the fewest rows that are spoken of |
    /// | `tolerance` | the most that an output may be off: a number, or `n/d` |
    /// | `encodings` | `equal`: every path gives the same encodings; zeros have signs |
    /// | `network`, `dataset`, `forest`, `graph`, `model` | the SHA-256 of the file |
    /// | `invariant` | of an audit: how many rows are invariant at least: `all`, a number, or `99%` of them; with `paths`, under a \
    /// path model that has all of these, else under each of the audit |
    ///
    /// After `paths` and `format`, a part that does not begin with a key belongs to the value before it: path models and
    /// formats have commas of their own.
    ///
    /// # Errors
    ///
    /// If a key or a value is not one of these.
    fn from_str(text: &str) -> Result<Requirements, RequirementError> {
        let mut parts: Vec<String> = Vec::new();
        for part in text.split(',') {
            let key = |part: &str| part.split_once('=').map_or("", |(key, _)| key.trim()).to_string();
            match parts.last_mut() {
                Some(last)
                    if !KEYS.contains(&key(part).as_str()) && ["paths", "format"].contains(&key(last).as_str()) =>
                {
                    *last = format!("{last},{part}");
                }
                _ => parts.push(part.to_string()),
            }
        }
        parts.iter().map(|part| requirement(part)).collect::<Result<_, _>>().map(Requirements)
    }
}

impl Requirements {
    /// These and others.
    pub fn and(mut self, others: Requirements) -> Requirements {
        self.0.extend(others.0);
        self
    }

    /// What of it the claim of a certificate does not say, each with what it says instead; `subject` are the files.
    pub fn unmet(&self, certificate: &Certificate, subject: &Subject<'_>) -> Vec<String> {
        self.0.iter().filter_map(|requirement| unmet(requirement, certificate, subject)).collect()
    }

    /// Whether something is said of how many rows have to be invariant.
    pub fn counts_rows(&self) -> bool {
        self.0.iter().any(|requirement| match requirement {
            Requirement::Invariant(_) => true,
            Requirement::Paths(_)
            | Requirement::Format(_)
            | Requirement::Property(_)
            | Requirement::EveryInput
            | Requirement::Exceptions(_)
            | Requirement::Rows(_)
            | Requirement::Tolerance(_)
            | Requirement::EqualEncodings
            | Requirement::File(_, _) => false,
        })
    }

    /// What of it an audit does not say, each with what it says instead.
    pub fn unmet_by(&self, audited: &Audited) -> Vec<String> {
        let asked = self.0.iter().filter_map(|requirement| match requirement {
            Requirement::Paths(text) => AuditModel::parse(text).ok(),
            _ => None,
        });
        let asked: Vec<AuditModel> = asked.collect();
        self.0.iter().filter_map(|requirement| unmet_by(requirement, &asked, audited)).collect()
    }
}

fn requirement(text: &str) -> Result<Requirement, RequirementError> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    let (key, value) = (key.trim(), value.trim());
    let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
        return Err(ParseError::unknown("requirement", key, KEYS).into());
    };
    let wrong = |why: String| RequirementError::Value { key, value: value.to_string(), why };
    let counted = || value.parse::<usize>().map_err(|_| wrong("a count is needed".to_string()));
    let digest = || value.parse::<Digest>().map_err(|error| wrong(error.to_string()));
    Ok(match key {
        "paths" => {
            // Whether it is a model of the claim's format is seen when there is one.
            let parsed = PathModel::parse(value, Format::BINARY32);
            let of_audits = AuditModel::parse(value);
            if let (Err(error @ roundproof_network::ModelError::Parse(_)), Err(of_audits)) = (parsed, of_audits) {
                return Err(wrong(format!("{error}; or of an audit: {of_audits}")));
            }
            Requirement::Paths(value.to_string())
        }
        "format" => Requirement::Format(value.parse().map_err(|error: ParseError| wrong(error.to_string()))?),
        "property" => match PROPERTIES.into_iter().find(|known| *known == value) {
            Some(known) => Requirement::Property(known),
            None => return Err(ParseError::unknown("property", value, PROPERTIES).into()),
        },
        "inputs" if value == "finite" => Requirement::EveryInput,
        "inputs" => return Err(wrong("`finite` is what can be required of them".to_string())),
        "encodings" if value == "equal" => Requirement::EqualEncodings,
        "encodings" => return Err(wrong("`equal` is what can be required of them".to_string())),
        "exceptions" => Requirement::Exceptions(counted()?),
        "rows" => Requirement::Rows(counted()?),
        "tolerance" => Requirement::Tolerance(number(value).map_err(wrong)?),
        "network" => Requirement::File(File::Network, digest()?),
        "dataset" => Requirement::File(File::Dataset, digest()?),
        "graph" => Requirement::File(File::Graph, digest()?),
        "model" => Requirement::File(File::Model, digest()?),
        "invariant" => {
            Requirement::Invariant(share(value).ok_or_else(|| {
                wrong("`all`, a number of rows, or a percentage from 0% to 100% is needed".to_string())
            })?)
        }
        _ => Requirement::File(File::Forest, digest()?),
    })
}

fn share(text: &str) -> Option<Share> {
    match text.strip_suffix('%') {
        Some(percent) => number(percent.trim()).ok().filter(|percent| *percent <= 100).map(Share::Percent),
        None if text == "all" => Some(Share::All),
        None => text.parse().ok().map(Share::Count),
    }
}

/// A number that is not negative: `0.5`, `0x1p-6`, `1/64`.
fn number(text: &str) -> Result<Rational, String> {
    let read = |text: &str| parse_number(text).map(|number| number.value()).map_err(|error| error.to_string());
    let value = match text.split_once('/') {
        None => read(text)?,
        Some((numerator, denominator)) => {
            let denominator = read(denominator)?;
            if denominator == 0 {
                return Err("is divided by 0".to_string());
            }
            read(numerator)? / denominator
        }
    };
    if value < 0 { Err("is negative".to_string()) } else { Ok(value) }
}

/// What the claim says instead; none if it says what is required.
fn unmet(requirement: &Requirement, certificate: &Certificate, subject: &Subject<'_>) -> Option<String> {
    let claim = &certificate.claim;
    let Claim { format, model, property, shape } = claim;
    let unless =
        |is_met: bool, found: &dyn fmt::Display| (!is_met).then(|| format!("{requirement} is required; {found}"));
    match requirement {
        Requirement::Paths(text) => {
            let is_met = PathModel::parse(text, *format).is_ok_and(|wanted| covers(model, &wanted));
            unless(is_met, &format_args!("the claim is about the paths {}", Paths::new(model, *format).name))
        }
        Requirement::Format(wanted) => unless(format == wanted, &format_args!("the claim is about {format}")),
        Requirement::Property(wanted) => {
            let name = match property {
                Property::Kernel(KernelProperty::Memorizes) => "memorizes",
                Property::Kernel(KernelProperty::Computes { .. }) => "computes",
                Property::Approximates(_) => "approximates",
            };
            unless(*wanted == name, &format_args!("the network {name}"))
        }
        Requirement::EveryInput => {
            let is_met = match property {
                Property::Kernel(KernelProperty::Memorizes) => false,
                Property::Kernel(KernelProperty::Computes { .. }) => true,
                Property::Approximates(property) => {
                    let everything = (format.largest(true), format.largest(false));
                    let mut domain = property.approximation.domain.iter();
                    domain.all(|&(low, high)| everything == (Some(low), Some(high)))
                }
            };
            unless(is_met, &"the claim is about fewer inputs")
        }
        Requirement::Exceptions(most) => {
            let exceptions = match property {
                Property::Kernel(KernelProperty::Memorizes) => 0,
                Property::Kernel(KernelProperty::Computes { exceptions, .. }) => exceptions.len(),
                Property::Approximates(_) => 0,
            };
            unless(exceptions <= *most, &format_args!("the claim has {exceptions}"))
        }
        Requirement::Rows(least) => unless(shape.rows >= *least, &format_args!("the claim is about {}", shape.rows)),
        Requirement::Tolerance(most) => match property {
            Property::Kernel(KernelProperty::Memorizes) => None,
            Property::Kernel(KernelProperty::Computes { tolerance, .. }) => {
                unless(tolerance <= most, &format_args!("the claim allows {tolerance}"))
            }
            Property::Approximates(property) => match &property.approximation.accuracy {
                Accuracy::Within(error) => unless(error <= most, &format_args!("the claim allows {error}")),
                Accuracy::Rounded { .. } | Accuracy::Excess(_) => {
                    unless(false, &"how far the nearest values are, the claim does not say")
                }
            },
        },
        Requirement::EqualEncodings => {
            unless(has_equal_encodings(claim, subject), &"one path may give -0 and another +0, or other values")
        }
        Requirement::File(file, wanted) => {
            let reference = match file {
                File::Network => Some(&certificate.network),
                File::Dataset => certificate.dataset.as_ref(),
                File::Forest => certificate.forest.as_ref(),
                File::Graph | File::Model => None,
            };
            match reference {
                Some(reference) => {
                    let found = reference.sha256;
                    unless(
                        found == *wanted,
                        &format_args!("the certificate names {} of SHA-256 {found}", reference.path),
                    )
                }
                None => unless(false, &"the certificate names none"),
            }
        }
        Requirement::Invariant(_) => unless(false, &"the claim is not about the decisions of a model"),
    }
}

/// What an audit says instead; none if it says what is required. `asked` are the path models that are required.
fn unmet_by(requirement: &Requirement, asked: &[AuditModel], audited: &Audited) -> Option<String> {
    let Audited { format, rows, models, files } = audited;
    let unless =
        |is_met: bool, found: &dyn fmt::Display| (!is_met).then(|| format!("{requirement} is required; {found}"));
    let not_said = || unless(false, &"of that, an audit says nothing");
    let names = || {
        let names: Vec<String> = models.iter().map(|(model, _)| AuditPaths::new(model).name).collect();
        names.join(" and ")
    };
    match requirement {
        Requirement::Paths(text) => {
            let wanted = AuditModel::parse(text);
            let is_met = wanted.is_ok_and(|wanted| models.iter().any(|(model, _)| contains(model, &wanted)));
            unless(is_met, &format_args!("the audit is about the paths {}", names()))
        }
        Requirement::Invariant(share) => {
            let met = |count: usize| share.is_met(count, *rows);
            let is_met = if asked.is_empty() {
                models.iter().all(|(_, count)| met(*count))
            } else {
                asked.iter().all(|wanted| models.iter().any(|(model, count)| contains(model, wanted) && met(*count)))
            };
            let counts: Vec<String> =
                models.iter().map(|(model, count)| format!("{count} under {}", AuditPaths::new(model).name)).collect();
            unless(is_met, &format_args!("of {rows} rows, invariant are {}", counts.join(", ")))
        }
        Requirement::Format(wanted) => unless(format == wanted, &format_args!("the rows are in {format}")),
        Requirement::Property(wanted) => unless(*wanted == DECIDES, &format_args!("the property is {DECIDES}")),
        Requirement::Rows(least) => unless(rows >= least, &format_args!("the audit is about {rows}")),
        Requirement::File(file, wanted) => match files.iter().find(|(role, _)| *role == file.name()) {
            Some((_, found)) => unless(found == wanted, &format_args!("it is that of SHA-256 {found}")),
            None => unless(false, &"the certificate names none"),
        },
        Requirement::EveryInput
        | Requirement::Exceptions(_)
        | Requirement::Tolerance(_)
        | Requirement::EqualEncodings => not_said(),
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Requirement::Paths(text) => write!(f, "paths={text}"),
            Requirement::Format(format) => write!(f, "format={format}"),
            Requirement::Property(name) => write!(f, "property={name}"),
            Requirement::EveryInput => f.write_str("inputs=finite"),
            Requirement::Exceptions(most) => write!(f, "exceptions={most}"),
            Requirement::Rows(least) => write!(f, "rows={least}"),
            Requirement::Tolerance(most) => write!(f, "tolerance={most}"),
            Requirement::EqualEncodings => f.write_str("encodings=equal"),
            Requirement::File(file, digest) => write!(f, "{}={digest}", file.name()),
            Requirement::Invariant(Share::All) => f.write_str("invariant=all"),
            Requirement::Invariant(Share::Percent(percent)) => write!(f, "invariant={percent}%"),
            Requirement::Invariant(Share::Count(least)) => write!(f, "invariant={least}"),
        }
    }
}
