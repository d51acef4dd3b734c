//! Making the network of an instance, and having it judged.

use std::path::Path;

use roundproof_checker::parametric::{Parametric, Shape};
use roundproof_checker::prove::{
    Files, Preference, Proof, ProveError, Strategy, Task, TreeOptions, approximate_by, compute_within, given, memorize,
};
use roundproof_construct::learn::LearnOptions;
use roundproof_exact::text::exact_decimal;
use roundproof_files::Digest;
use roundproof_files::certificate::{Certificate, RelativePath, SourceReference};
use roundproof_format::Format;
use roundproof_judge::{Approximation, KernelProperty, Property, Verdict};
use roundproof_network::{At, Dataset, Encodings, Witness};
use roundproof_solver::Solver;
use roundproof_sources::csv::{CsvProblem, read_csv};
use roundproof_sources::models::read_model;
use roundproof_sources::table::Table;
use thiserror::Error;

use crate::all_values::AllValuesError;
use crate::claim::{Flaw, Instance, Making, RecordKind, Rows};
use crate::record::Record;
use crate::refusal::{Refusal, RefusalKind};
use crate::wanted::Wanted;

/// An obligation that could not be run.
#[derive(Debug, Error)]
pub enum RunError {
    /// A file could not be read or written.
    #[error("{0}")]
    File(String),
    /// A function that the format does not have.
    #[error(transparent)]
    AllValues(#[from] AllValuesError),
    /// No network, for a reason that is none of the data's.
    #[error(transparent)]
    Prove(#[from] ProveError),
}

/// What an obligation came to.
pub(crate) struct Found {
    pub(crate) verdict: Option<Verdict>,
    pub(crate) how: String,
    pub(crate) record: Record,
    /// The files, and their certificate in full.
    pub(crate) kept: Option<(Files, String)>,
    /// What a solver was asked, by name, in SMT-LIB.
    pub(crate) scripts: Vec<(String, String)>,
    /// Rows in which the network is proved to give something else than the label.
    pub(crate) wrong_rows: usize,
}

impl Found {
    /// Something that is not about one network, with its record in JSON.
    ///
    /// # Errors
    ///
    /// If that is not a JSON object.
    pub(crate) fn statement(verdict: Verdict, how: String, json: &str) -> Result<Found, RunError> {
        let record = on_record("", json, RecordKind::Evidence)?;
        Ok(Found { verdict: Some(verdict), how, record, kept: None, scripts: Vec::new(), wrong_rows: 0 })
    }

    /// No network to speak of.
    pub(crate) fn refusal(refusal: Refusal) -> Found {
        let how = refusal.words.clone();
        let record = Record::Refusal(refusal);
        Found { verdict: None, how, record, kept: None, scripts: Vec::new(), wrong_rows: 0 }
    }
}

/// What is put on record of this JSON.
fn on_record(name: &str, json: &str, kind: RecordKind) -> Result<Record, RunError> {
    Record::of_json(name, json, kind).map_err(|error| RunError::File(error.to_string()))
}

/// Proves or refutes what an instance says, and what is put on record of it.
pub(crate) fn found(
    instance: &Instance,
    solver: &Solver,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<Found, RunError> {
    if let Making::EveryDataSet(shape, steps) = instance.making {
        return every_data_set(instance, shape, steps, solver, progress);
    }
    if let Making::Depth(points) = &instance.making {
        let (verdict, how, json) = crate::depth::enumerate(instance, points).map_err(RunError::File)?;
        return Found::statement(verdict, how, &json);
    }
    let mut proof = match prove(instance, progress)? {
        Ok(proof) => proof,
        Err(refusal) => return Ok(Found::refusal(refusal)),
    };
    let mut scripts = Vec::new();
    let how = match (&instance.making, &proof.data) {
        (Making::Rows { whole: true, .. }, Some(data)) => {
            let answer =
                roundproof_checker::whole::attest(solver, &proof.proof.network, data, &instance.model, progress);
            proof.proof.certificate.verdict = answer.verdict;
            proof.proof.certificate.evidence = None;
            proof.proof.certificate.lemmas = vec![answer.lemma];
            proof.proof.certificate.provenance.insert("z3".to_string(), solver.provenance());
            scripts = answer.scripts;
            answer.how
        }
        _ => describe(&proof.proof.certificate),
    };
    let Proof { certificate, rejection, files, .. } = proof.proof;
    let json = certificate.to_json().map_err(|error| RunError::File(error.to_string()))?;
    let how = match rejection {
        Some(rejection) if certificate.verdict == Verdict::Unknown => rejection.to_string(),
        _ => how,
    };
    let record = on_record(&instance.name, &json, instance.record)?;
    let wrong_rows = match &certificate.claim.property {
        Property::Kernel(KernelProperty::Memorizes) | Property::Approximates(_) => 0,
        Property::Kernel(KernelProperty::Computes { exceptions, .. }) => exceptions.len(),
    };
    let how = if wrong_rows > 0 { format!("{how}, {wrong_rows} rows with another label") } else { how };
    Ok(Found { verdict: Some(certificate.verdict), how, record, kept: Some((files, json)), scripts, wrong_rows })
}

/// Asks about every data set of a shape.
fn every_data_set(
    instance: &Instance,
    shape: Shape,
    steps: bool,
    solver: &Solver,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<Found, RunError> {
    let Instance { activation, format, model, .. } = *instance;
    let answered = Parametric { activation, format, model, shape, steps }.attest(solver, progress);
    let found = Found::statement(answered.verdict, answered.how, &answered.json)?;
    Ok(Found { scripts: answered.scripts, ..found })
}

/// A proof, and the rows that it was made of.
struct Made {
    proof: Proof,
    data: Option<Dataset>,
}

/// Makes the network and has the kernel judge it; or why there is none to speak of.
fn prove(
    instance: &Instance,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<Result<Made, Refusal>, RunError> {
    let rows = match &instance.making {
        Making::Rows { rows, .. } | Making::Given { rows, .. } => Some(rows),
        Making::Model { rows, .. } => rows.as_ref(),
        Making::Function(wanted, flaw) => return approximate_function(instance, wanted, flaw, progress),
        Making::EveryDataSet(..) | Making::Depth(_) => None,
    };
    let read = match rows.map(|rows| read_rows(rows, instance.format)).transpose()? {
        Some(Err(refusal)) => return Ok(Err(refusal)),
        Some(Ok(read)) => Some(read),
        None => None,
    };
    let (table, rows_source) = match read {
        Some((table, source)) => (Some(table), source),
        None => (None, None),
    };
    let judged = match (&instance.making, &table) {
        (Making::Model { file, options, tolerance, flaw, .. }, table) => {
            let model = read_model(file).map_err(|error| RunError::File(error.to_string()))?;
            let forest = match model.value.to_forest(instance.format, options) {
                Ok((forest, _)) => forest,
                Err(error) => {
                    return match RefusalKind::of_conversion(&error) {
                        Some(kind) => Ok(Err(Refusal { kind, words: error.to_string() })),
                        None => Err(RunError::File(format!("{}: {error}", file.display()))),
                    };
                }
            };
            let task = task(instance, flaw.strategy, None, source(file, model.digest, &[]));
            let rows = table.as_ref().map(|table| (&table.dataset, Some(&table.columns)));
            compute_within(&forest, tolerance.as_ref(), rows, &task, progress)
        }
        (Making::Rows { strategy, max_leaves, .. }, Some(table)) => {
            let task = task(instance, *strategy, *max_leaves, rows_source);
            memorize(&table.dataset, Some(&table.columns), &task, progress)
        }
        (Making::Given { network, .. }, Some(Table { dataset, columns, .. })) => {
            let task = task(instance, Strategy::Point, None, rows_source);
            let network = network.in_format(instance.format, instance.activation, dataset.dimension());
            given(network.map_err(RunError::File)?, dataset, Some(columns), &task, progress)
        }
        (_, _) => unreachable!("rows were read above"),
    };
    match judged {
        Ok(proof) => Ok(Ok(Made { proof, data: table.map(|table| table.dataset) })),
        Err(error) => refused(error, table.as_ref()).map(Err),
    }
}

/// Why there is no network to speak of, in the places of the table if there is one.
///
/// # Errors
///
/// With the error, if it says something else.
fn refused(error: ProveError, table: Option<&Table>) -> Result<Refusal, RunError> {
    let ProveError::Construct(error) = error else { return Err(error.into()) };
    match RefusalKind::of_construction(&error) {
        Some(kind) => {
            let words =
                table.map_or_else(|| error.to_string(), |table| roundproof_checker::prove::describe(&error, table));
            Ok(Refusal { kind, words })
        }
        None => Err(ProveError::Construct(error).into()),
    }
}

/// The rows, and the file that they are from; or why they are not rows of the format.
fn read_rows(rows: &Rows, format: Format) -> Result<Result<(Table, Option<SourceReference>), Refusal>, RunError> {
    let (file, labels, rows) = match rows {
        Rows::File { file, labels, rows } => (file, labels, rows.as_deref()),
        Rows::All(function) => return Ok(Ok((function.table(format)?, None))),
    };
    match read_csv(file, labels, format) {
        Ok(csv) => {
            let table = select(&csv.value, rows).map_err(RunError::File)?;
            Ok(Ok((table, source(file, csv.digest, labels))))
        }
        Err(error) => {
            let kind = match &*error.problem {
                CsvProblem::Cell { problem, .. } => RefusalKind::of_cell(problem),
                _ => None,
            };
            match kind {
                Some(kind) => Ok(Err(Refusal { kind, words: error.problem.to_string() })),
                None => Err(RunError::File(error.to_string())),
            }
        }
    }
}

/// Approximates a function and has the kernel judge it; or why the format has no such network.
fn approximate_function(
    instance: &Instance,
    wanted: &Wanted,
    flaw: &Flaw,
    progress: &mut dyn FnMut(&'static str, usize, usize),
) -> Result<Result<Made, Refusal>, RunError> {
    let Instance { format, activation, model, .. } = instance;
    let task = task(instance, flaw.strategy, None, None);
    let claimed = wanted.in_format(*format, model).map_err(RunError::File)?;
    let network = flaw.network.as_ref().map(|given| given.in_format(*format, *activation, claimed.function.arity()));
    let network = network.transpose().map_err(RunError::File)?;
    let built = flaw.built.as_ref().map(|built| wanted.accuracy(built, model));
    let of_tree = Approximation { accuracy: built.unwrap_or(claimed.accuracy.clone()), ..claimed.clone() };
    let mut rounding = |done, of| progress("rounding the function", done, of);
    let tree = wanted.trees.of(&of_tree, *format, &mut rounding).map_err(ProveError::from);
    match tree.and_then(|tree| approximate_by(&claimed, &tree, network, &task, progress)) {
        Ok(proof) => Ok(Ok(Made { proof, data: None })),
        Err(error) => refused(error, None).map(Err),
    }
}

fn task(instance: &Instance, strategy: Strategy, max_leaves: Option<usize>, source: Option<SourceReference>) -> Task {
    let learn = LearnOptions { max_leaves, ..LearnOptions::default() };
    Task {
        strategy,
        activation: instance.activation,
        model: instance.model,
        tree: TreeOptions { learn, optimize: None },
        preference: Preference::Construction,
        prefix: format!("{}.", instance.name),
        source,
        input_names: None,
    }
}

/// How the kernel came to a certificate's verdict, in words.
fn describe(certificate: &Certificate) -> String {
    use roundproof_judge::Evidence;
    let shape = &certificate.claim.shape;
    match &certificate.evidence {
        Some(Evidence::BoxNetwork(_)) => {
            let function = match &certificate.claim.property {
                Property::Approximates(property) => {
                    return format!(
                        "kernel, box-network, every point, {} leaves, {} parameters",
                        property.leaves, shape.parameters
                    );
                }
                Property::Kernel(KernelProperty::Memorizes) => String::new(),
                Property::Kernel(KernelProperty::Computes { leaves, .. }) => format!("all inputs, {leaves} leaves, "),
            };
            format!("kernel, box-network, {function}{} rows, {} parameters", shape.rows, shape.parameters)
        }
        Some(Evidence::Paths) => format!("kernel, paths, {} rows, {} parameters", shape.rows, shape.parameters),
        Some(Evidence::Witness(Witness { at: At::Row(row), .. })) => format!("kernel, witness replayed for row {row}"),
        Some(Evidence::Witness(Witness { at: At::Point(point), .. })) => {
            let at: Vec<String> = point.iter().map(|&value| exact_decimal(certificate.claim.format, value)).collect();
            format!("kernel, witness replayed at {}", at.join(", "))
        }
        None => "no evidence".to_string(),
    }
}

fn source(file: &Path, sha256: Digest, labels: &[String]) -> Option<SourceReference> {
    let path = file.file_name()?.to_str()?.parse::<RelativePath>().ok()?;
    Some(SourceReference { path, sha256, labels: labels.to_vec() })
}

/// Some rows of a data set, with their places.
fn select(csv: &Table, rows: Option<&[usize]>) -> Result<Table, String> {
    let Some(rows) = rows else { return Ok(csv.clone()) };
    let data = &csv.dataset;
    if let Some(row) = rows.iter().find(|&&row| row >= data.rows()) {
        return Err(format!("there is no row {row} in a data set of {}", data.rows()));
    }
    let format = data.format();
    let inputs = rows.iter().flat_map(|&row| (0..data.dimension()).map(move |column| data.input(row, column)));
    let labels = rows.iter().flat_map(|&row| (0..data.outputs()).map(move |column| data.label(row, column)));
    let (inputs, labels) = (Encodings::collect(format, inputs), Encodings::collect(format, labels));
    let dataset =
        Dataset::new(format, data.dimension(), data.outputs(), inputs, labels).map_err(|error| error.to_string())?;
    Ok(Table { dataset, places: csv.places.select(rows), ..csv.clone() })
}
