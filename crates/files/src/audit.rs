//! Certificates of audits: which rows of a model of another tool are decided alike on every rounding path.
//!
//! An audit's certificate is JSON with these fields, in this order when written:
//!
//! | field | |
//! | --- | --- |
//! | `schema` | the version of this description: 1 |
//! | `claim` | `property` (`decides`), `decision`, `tensor`, `classes`, `inputs`, `rows`, as below |
//! | `graph` | `path` and `sha256` of the graph's file, beside the certificate |
//! | `dataset` | the same of the rows' file |
//! | `model` | the same of the ONNX file that the graph was made of. It need not be there, and nothing depends on it |
//! | `source` | the same of the file that the rows come from |
//! | `audits` | for each path model an object of `paths`, `invariant` and `verdicts` |
//! | `not_covered` | what no verdict is about, unless its path model names it: one text |
//! | `provenance` | an object of strings. Nothing depends on it |
//!
//! | of a claim | |
//! | --- | --- |
//! | `decision` | an object of `kind`, which is `argmax` (with `ties`: `any` or `first`), `top` (with `count`, and `places`: `set` or `ordered`), `sign`, `threshold` (with `limit`), `value` (with `tolerance`) or `bits` |
//! | `tensor` | the number of the graph's tensor that it is read off |
//! | `classes` | what the places of that tensor are called: an array of texts, perhaps empty. Nothing depends on it |
//! | `inputs`, `rows` | how many inputs a row has, and how many rows there are |
//!
//! `paths` has each field of the path model, in the words of
//! [`PathModel`]. `verdicts` is a text of a word for each row, in their order, with a blank in between: `-` of a
//! row that is undecided; of one that is invariant the places that its decision is about, decimal, with commas in between, or `+`
//! if there are none. `invariant` is how many are. A limit and a tolerance are `n` or `n/d` in lowest terms.

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_audit::{Decision, NOT_COVERED, PathModel, Ties};
use roundproof_exact::Rational;

use crate::certificate::{CertificateError, CertificateProblem, FileReference, SCHEMA};
use crate::error::In;
use crate::json::{Field, Fields, Json, Misfit, Problem, shorten};

/// What `claim.property` says of an audit.
pub const DECIDES: &str = "decides";

/// What an audit established, of which files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCertificate {
    /// What is read off the tensor.
    pub decision: Decision,
    /// The tensor of the graph that it is read off.
    pub tensor: usize,
    /// What the places of that are called; nothing depends on it.
    pub classes: Vec<String>,
    /// How many inputs a row has.
    pub inputs: usize,
    /// How many rows there are.
    pub rows: usize,
    /// The graph's file.
    pub graph: FileReference,
    /// The rows' file.
    pub dataset: FileReference,
    /// The model that the graph was made of; nothing depends on it.
    pub model: FileReference,
    /// The file that the rows come from; nothing depends on it.
    pub source: FileReference,
    /// What is said under each path model.
    pub audits: Vec<UnderPaths>,
    /// Where the certificate comes from. Nothing depends on it.
    pub provenance: BTreeMap<String, String>,
}

/// What is said of each row under a path model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderPaths {
    /// The path model.
    pub model: PathModel,
    /// How many rows are invariant.
    pub invariant: usize,
    /// A word for each row, as [`word`] has it.
    pub verdicts: Vec<Box<str>>,
}

/// The word for a verdict: the answer of a row that is invariant, or none.
pub fn word(answer: Option<&[usize]>) -> String {
    match answer {
        None => "-".to_string(),
        Some([]) => "+".to_string(),
        Some(places) => places.iter().map(usize::to_string).collect::<Vec<String>>().join(","),
    }
}

/// Whether a text is the word for some verdict.
fn is_word(text: &str) -> bool {
    let is_place = |place: &str| place.parse::<usize>().is_ok_and(|number| number.to_string() == place);
    text == "-" || text == "+" || text.split(',').all(is_place)
}

impl AuditCertificate {
    /// Whether `bytes` are JSON with the property of an audit. Whoever reads them says whether they are a certificate.
    pub fn is_one(bytes: &[u8]) -> bool {
        let Ok(json) = Json::parse(bytes) else { return false };
        let property = |json| -> Result<String, Misfit> {
            Field::root(json).object()?.take("claim")?.object()?.take("property")?.text()
        };
        property(json).is_ok_and(|property| property == DECIDES)
    }

    /// The certificate as text: the same for the same certificate, always.
    pub fn to_json(&self) -> String {
        let AuditCertificate {
            decision,
            tensor,
            classes,
            inputs,
            rows,
            graph,
            dataset,
            model,
            source,
            audits,
            provenance,
        } = self;
        let claim = Json::object([
            ("property", Json::text(DECIDES)),
            ("decision", decision_json(decision)),
            ("tensor", Json::count(*tensor)),
            ("classes", Json::texts(classes)),
            ("inputs", Json::count(*inputs)),
            ("rows", Json::count(*rows)),
        ]);
        let audit = |UnderPaths { model, invariant, verdicts }: &UnderPaths| {
            let paths = fields(model).into_iter().map(|(key, value)| (key, Json::Text(value)));
            Json::object([
                ("paths", Json::Object(paths.collect())),
                ("invariant", Json::count(*invariant)),
                ("verdicts", Json::Text(verdicts.join(" "))),
            ])
        };
        let provenance = provenance.iter().map(|(key, value)| (key.clone(), Json::text(value)));
        let reference = |FileReference { path, sha256 }: &FileReference| {
            Json::object([("path", Json::text(path)), ("sha256", Json::text(sha256))])
        };
        let json = Json::object([
            ("schema", Json::count(SCHEMA)),
            ("claim", claim),
            ("graph", reference(graph)),
            ("dataset", reference(dataset)),
            ("model", reference(model)),
            ("source", reference(source)),
            ("audits", Json::Array(audits.iter().map(audit).collect())),
            ("not_covered", Json::text(NOT_COVERED)),
            ("provenance", Json::Object(provenance.collect())),
        ]);
        json.pretty()
    }

    /// The certificate in `bytes`, which come from `file`.
    ///
    /// # Errors
    ///
    /// If they are not the certificate of an audit, or it is written otherwise.
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<AuditCertificate, CertificateError> {
        parse(bytes).in_file(file)
    }
}

/// The accumulator, whose format may have commas of its own, is the last of the fields.
const ACCUMULATOR: &str = ",accumulator=";

/// The fields of a path model, as it displays itself.
fn fields(model: &PathModel) -> Vec<(String, String)> {
    let text = model.to_string();
    let (others, accumulator) = text.split_once(ACCUMULATOR).unwrap_or((&text, ""));
    let others = others.split(',').filter_map(|field| field.split_once('='));
    others.chain([("accumulator", accumulator)]).map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn decision_json(decision: &Decision) -> Json {
    let kind = |kind: &str| ("kind", Json::text(kind));
    match decision {
        Decision::Argmax { ties } => {
            let ties = match ties {
                Ties::Any => "any",
                Ties::First => "first",
            };
            Json::object([kind("argmax"), ("ties", Json::text(ties))])
        }
        Decision::Top { count, ordered } => {
            let places = if *ordered { "ordered" } else { "set" };
            Json::object([kind("top"), ("count", Json::count(*count)), ("places", Json::text(places))])
        }
        Decision::Sign => Json::object([kind("sign")]),
        Decision::Threshold { limit } => Json::object([kind("threshold"), ("limit", Json::text(limit))]),
        Decision::Value { tolerance } => Json::object([kind("value"), ("tolerance", Json::text(tolerance))]),
        Decision::Bits => Json::object([kind("bits")]),
    }
}

fn parse(bytes: &[u8]) -> Result<AuditCertificate, CertificateProblem> {
    let mut top = Field::root(Json::parse(bytes).map_err(CertificateProblem::Json)?).object()?;
    match top.take("schema")?.count()? {
        SCHEMA => {}
        found => return Err(CertificateProblem::Schema { found }),
    }
    let mut claim = top.take("claim")?.object()?;
    claim
        .take("property")?
        .read(|text| if text == DECIDES { Ok(()) } else { Err(format!("`{DECIDES}` is needed")) })?;
    let decision = decision(claim.take("decision")?)?;
    let tensor = claim.take("tensor")?.count()?;
    let classes = claim.take("classes")?.array()?.into_iter().map(Field::text).collect::<Result<_, Misfit>>()?;
    let (inputs, rows) = (claim.take("inputs")?.count()?, claim.take("rows")?.count()?);
    claim.finish()?;
    let certificate = AuditCertificate {
        decision,
        tensor,
        classes,
        inputs,
        rows,
        graph: reference(top.take("graph")?)?,
        dataset: reference(top.take("dataset")?)?,
        model: reference(top.take("model")?)?,
        source: reference(top.take("source")?)?,
        audits: top
            .take("audits")?
            .array()?
            .into_iter()
            .map(|field| audit(field, rows))
            .collect::<Result<_, Misfit>>()?,
        provenance: {
            top.take("not_covered")?.read(|text| {
                let other = "this program leaves out something else, and does not judge the certificate";
                if text == NOT_COVERED { Ok(()) } else { Err(other) }
            })?;
            let provenance = top.take("provenance")?.object()?.take_all().into_iter();
            provenance.map(|(key, value)| Ok((key, value.text()?))).collect::<Result<_, Misfit>>()?
        },
    };
    top.finish()?;
    let misfit = |at: &str, reason: &str| {
        let problem = Problem::Value { value: "the field".to_string(), reason: reason.to_string() };
        CertificateProblem::Form(Misfit { at: at.to_string(), problem })
    };
    let audits = &certificate.audits;
    if audits.is_empty() {
        return Err(misfit("audits", "a path model at least is needed"));
    }
    if audits.iter().enumerate().any(|(index, audit)| audits[..index].iter().any(|other| other.model == audit.model)) {
        return Err(misfit("audits", "a path model is there twice"));
    }
    Ok(certificate)
}

/// The most digits of a number.
const DIGITS: usize = 4096;

fn number(text: &str) -> Result<Rational, &'static str> {
    let plain = text.len() <= DIGITS && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/' || byte == b'-');
    let number = if plain { text.parse::<Rational>().ok() } else { None };
    number.filter(|number| number.to_string() == text).ok_or("n or n/d in lowest terms is needed")
}

fn decision(field: Field) -> Result<Decision, Misfit> {
    let mut fields = field.object()?;
    type Read = fn(&mut Fields) -> Result<Decision, Misfit>;
    let argmax: Read = |fields| {
        let ties = fields.take("ties")?.read(|text| match text {
            "any" => Ok(Ties::Any),
            "first" => Ok(Ties::First),
            _ => Err("known are any, first"),
        })?;
        Ok(Decision::Argmax { ties })
    };
    let top: Read = |fields| {
        let count = fields.take("count")?.count()?;
        let ordered = fields.take("places")?.read(|text| match text {
            "set" => Ok(false),
            "ordered" => Ok(true),
            _ => Err("known are set, ordered"),
        })?;
        Ok(Decision::Top { count, ordered })
    };
    let threshold: Read = |fields| Ok(Decision::Threshold { limit: fields.take("limit")?.read(number)? });
    let value: Read = |fields| Ok(Decision::Value { tolerance: fields.take("tolerance")?.read(number)? });
    let read: Read = fields.take("kind")?.read(|text| -> Result<Read, &str> {
        Ok(match text {
            "argmax" => argmax,
            "top" => top,
            "sign" => |_: &mut Fields| Ok(Decision::Sign),
            "threshold" => threshold,
            "value" => value,
            "bits" => |_: &mut Fields| Ok(Decision::Bits),
            _ => return Err("known are argmax, top, sign, threshold, value, bits"),
        })
    })?;
    let decision = read(&mut fields)?;
    fields.finish()?;
    Ok(decision)
}

fn reference(field: Field) -> Result<FileReference, Misfit> {
    let mut fields = field.object()?;
    let reference = FileReference {
        path: fields.take("path")?.read(str::parse)?,
        sha256: fields.take("sha256")?.read(str::parse)?,
    };
    fields.finish()?;
    Ok(reference)
}

fn audit(field: Field, rows: usize) -> Result<UnderPaths, Misfit> {
    let mut fields = field.object()?;
    let model = model(fields.take("paths")?)?;
    let invariant = fields.take("invariant")?.count()?;
    let verdicts: Vec<Box<str>> = fields.take("verdicts")?.read(|text| {
        let words: Vec<Box<str>> = if text.is_empty() { Vec::new() } else { text.split(' ').map(Box::from).collect() };
        if words.len() != rows {
            return Err(format!("{} verdicts for {rows} rows", words.len()));
        }
        match words.iter().find(|word| !is_word(word)) {
            Some(word) => Err(format!("`{}` is not a verdict", shorten(word))),
            None if words.iter().filter(|word| ***word != *"-").count() != invariant => {
                Err(format!("not {invariant} of them are invariant"))
            }
            None => Ok(words),
        }
    })?;
    fields.finish()?;
    Ok(UnderPaths { model, invariant, verdicts })
}

/// The path model of these fields: all of them, in the words that it displays.
fn model(field: Field) -> Result<PathModel, Misfit> {
    let mut given = field.object()?;
    let mut said = Vec::new();
    for (key, _) in fields(&PathModel::PORTABLE) {
        let text = given.take(&key)?.text()?;
        said.push((key, text));
    }
    given.finish()?;
    let text = said.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<String>>().join(",");
    let refused = |reason: String| {
        let problem = Problem::Value { value: format!("`{}`", shorten(&text)), reason };
        Misfit { at: "audits.paths".to_string(), problem }
    };
    let model = PathModel::parse(&text).map_err(|error| refused(error.to_string()))?;
    let differs = fields(&model).into_iter().zip(&said).find(|(shown, said)| shown != *said);
    match differs {
        None => Ok(model),
        Some(((key, value), _)) => Err(refused(format!("certificates have {key}={value} for that"))),
    }
}

#[cfg(test)]
mod tests;
