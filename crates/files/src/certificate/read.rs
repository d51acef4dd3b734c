//! JSON to certificates. Every field is asked for by name; what nobody asked for is refused.

use std::collections::BTreeMap;

use roundproof_approximation::{Accuracy, Approximates, Approximation};
use roundproof_format::{Encoding, Format, ParseError};
use roundproof_functions::Function;
use roundproof_kernel::{Evidence, Property as KernelProperty, Shape, Verdict};
use roundproof_network::{
    Accumulator, At, Contraction, NeuronPath, Order, PathModel, Rounding, Summation, Trees, Witness,
};

use super::{Certificate, CertificateProblem, Claim, FileReference, LemmaReference, SCHEMA, SourceReference, notation};
use crate::json::{Field, Json, Misfit};
use crate::safetensors::canonical_format;

pub(super) fn certificate(bytes: &[u8]) -> Result<Certificate, CertificateProblem> {
    let mut fields = Field::root(Json::parse(bytes).map_err(CertificateProblem::Json)?).object()?;
    // Before anything else: certificates of other versions may have other fields.
    match fields.take("schema")?.count()? {
        SCHEMA => {}
        found => return Err(CertificateProblem::Schema { found }),
    }
    let claim = claim(fields.take("claim")?)?;
    let format = claim.format;
    let certificate = Certificate {
        claim,
        network: reference(fields.take("network")?)?,
        network_source: fields.take_optional("network_source").map(reference).transpose()?,
        dataset: fields.take_optional("dataset").map(reference).transpose()?,
        forest: fields.take_optional("forest").map(reference).transpose()?,
        source: fields.take_optional("source").map(source).transpose()?,
        verdict: fields.take("verdict")?.read(verdict)?,
        evidence: fields.take_optional("evidence").map(|field| evidence(format, field)).transpose()?,
        lemmas: list(fields.take("lemmas")?, lemma)?,
        provenance: provenance(fields.take("provenance")?)?,
    };
    fields.finish()?;
    certificate.check()?;
    Ok(certificate)
}

fn list<T>(field: Field, read: impl FnMut(Field) -> Result<T, Misfit>) -> Result<Vec<T>, Misfit> {
    field.array()?.into_iter().map(read).collect()
}

fn provenance(field: Field) -> Result<BTreeMap<String, String>, Misfit> {
    let entries = field.object()?.take_all().into_iter();
    entries.map(|(key, value)| Ok((key, value.text()?))).collect()
}

/// One of some names.
fn one_of<T: Copy>(what: &str, text: &str, known: &[(&str, T)]) -> Result<T, ParseError> {
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| ParseError::unknown(what, text, known.iter().map(|(name, _)| *name)))
}

fn verdict(text: &str) -> Result<Verdict, ParseError> {
    let known: Vec<(&str, Verdict)> = Verdict::ALL.iter().map(|verdict| (verdict.name(), *verdict)).collect();
    one_of("verdict", text, &known)
}

fn claim(field: Field) -> Result<Claim, Misfit> {
    #[derive(Clone, Copy)]
    enum Kind {
        Memorizes,
        Computes,
        Approximates,
    }
    let kinds = [("memorizes", Kind::Memorizes), ("computes", Kind::Computes), ("approximates", Kind::Approximates)];
    let mut fields = field.object()?;
    let kind = fields.take("property")?.read(|text| one_of("property", text, &kinds))?;
    let format = fields.take("format")?.read(canonical_format)?;
    let property = match kind {
        Kind::Memorizes => KernelProperty::Memorizes.into(),
        Kind::Computes => KernelProperty::Computes {
            trees: fields.take("trees")?.count()?,
            leaves: fields.take("leaves")?.count()?,
            tolerance: fields.take("tolerance")?.read(notation::read_magnitude)?,
            exceptions: list(fields.take("exceptions")?, Field::count)?,
        }
        .into(),
        Kind::Approximates => {
            let approximation = Approximation {
                function: fields.take("function")?.read(function)?,
                domain: list(fields.take("domain")?, |field| range(format, field))?,
                accuracy: accuracy(fields.take("accuracy")?)?,
            };
            Approximates { approximation, leaves: fields.take("leaves")?.count()? }.into()
        }
    };
    let model = model(fields.take("model")?)?;
    let shape = shape(fields.take("shape")?)?;
    fields.finish()?;
    Ok(Claim { format, model, property, shape })
}

/// A function in the one spelling that it is written in.
fn function(text: &str) -> Result<Function, String> {
    let function = Function::parse(text).map_err(|error| error.to_string())?;
    let canonical = function.to_string();
    if canonical == text { Ok(function) } else { Err(format!("its canonical spelling is `{canonical}`")) }
}

fn range(format: Format, field: Field) -> Result<(Encoding, Encoding), Misfit> {
    let mut fields = field.object()?;
    let mut end = |key| fields.take(key)?.read(|text| notation::read_value(format, text));
    let range = (end("low")?, end("high")?);
    fields.finish()?;
    Ok(range)
}

fn accuracy(field: Field) -> Result<Accuracy, Misfit> {
    let mut fields = field.object()?;
    let accuracy = if let Some(error) = fields.take_optional("error") {
        Accuracy::Within(error.read(notation::read_magnitude)?)
    } else if let Some(excess) = fields.take_optional("excess") {
        Accuracy::Excess(excess.read(notation::read_magnitude)?)
    } else {
        Accuracy::Rounded {
            mode: fields.take("rounding")?.read(str::parse)?,
            overflow: fields.take("overflow")?.read(str::parse)?,
        }
    };
    fields.finish()?;
    Ok(accuracy)
}

fn shape(field: Field) -> Result<Shape, Misfit> {
    let mut fields = field.object()?;
    let shape = Shape {
        rows: fields.take("rows")?.count()?,
        input_dimension: fields.take("input_dimension")?.count()?,
        output_dimension: fields.take("output_dimension")?.count()?,
        layers: fields.take("layers")?.count()?,
        parameters: fields.take("parameters")?.count()?,
    };
    fields.finish()?;
    Ok(shape)
}

fn model(field: Field) -> Result<PathModel, Misfit> {
    let mut fields = field.object()?;
    let rounding = |text: &str| match text {
        "any" => Ok(Rounding::Any),
        mode => mode.parse().map(Rounding::Mode),
    };
    let order = |text: &str| one_of("order", text, &[("any", Order::Any), ("left-to-right", Order::LeftToRight)]);
    let contraction =
        |text: &str| one_of("contraction", text, &[("any", Contraction::Any), ("none", Contraction::None)]);
    // In the order of the file: the first that is wrong is told.
    let rounding = fields.take("rounding")?.read(rounding)?;
    let order = fields.take("order")?.read(order)?;
    let contraction = fields.take("contraction")?.read(contraction)?;
    let overflow = fields.take("overflow")?.read(str::parse)?;
    let subnormals = fields.take("subnormals")?.read(str::parse)?;
    let accumulator = accumulator(fields.take("accumulator")?)?;
    let summation = Summation::Trees(Trees { order, contraction, accumulator });
    let model = PathModel { rounding, overflow, subnormals, summation };
    fields.finish()?;
    Ok(model)
}

fn accumulator(field: Field) -> Result<Accumulator, Misfit> {
    if field.is_text() {
        return field.read(|text| one_of("accumulator", text, &[("same", Accumulator::Same)]));
    }
    let mut fields = field.object()?;
    let format = fields.take("format")?.read(canonical_format)?;
    let overflow = fields.take("overflow")?.read(str::parse)?;
    fields.finish()?;
    Ok(Accumulator::Wider { format, overflow })
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

fn source(field: Field) -> Result<SourceReference, Misfit> {
    let mut fields = field.object()?;
    let source = SourceReference {
        path: fields.take("path")?.read(str::parse)?,
        sha256: fields.take("sha256")?.read(str::parse)?,
        labels: list(fields.take("labels")?, Field::text)?,
    };
    fields.finish()?;
    Ok(source)
}

fn lemma(field: Field) -> Result<LemmaReference, Misfit> {
    let mut fields = field.object()?;
    let (name, established) = (fields.take("name")?.text()?, fields.take("established")?.text()?);
    fields.finish()?;
    Ok(LemmaReference { name, established })
}

#[derive(Clone, Copy)]
enum Kind {
    BoxNetwork,
    Paths,
    Witness,
}

fn evidence(format: Format, field: Field) -> Result<Evidence, Misfit> {
    let mut fields = field.object()?;
    let kinds = [("box-network", Kind::BoxNetwork), ("paths", Kind::Paths), ("witness", Kind::Witness)];
    let evidence = match fields.take("kind")?.read(|text| one_of("kind of evidence", text, &kinds))? {
        Kind::BoxNetwork => {
            let separator = fields.take("separator")?.read(|text| notation::read_separator(format, text))?;
            Evidence::BoxNetwork(separator)
        }
        Kind::Paths => Evidence::Paths,
        Kind::Witness => {
            let at = match fields.take_optional("point") {
                Some(point) => At::Point(list(point, |value| value.read(|text| notation::read_value(format, text)))?),
                None => At::Row(fields.take("row")?.count()?),
            };
            let output = fields.take("output")?.count()?;
            let value = fields.take("value")?.read(|text| notation::read_value(format, text))?;
            // All paths of a witness together take no more memory than this allows.
            let mut terms_left = notation::MAX_TERMS;
            let neurons = list(fields.take("neurons")?, |field| neuron(format, field, &mut terms_left))?;
            Evidence::Witness(Witness { at, output, value, neurons })
        }
    };
    fields.finish()?;
    Ok(evidence)
}

fn neuron(format: Format, field: Field, terms_left: &mut usize) -> Result<NeuronPath, Misfit> {
    let mut fields = field.object()?;
    let (layer, neuron) = (fields.take("layer")?.count()?, fields.take("neuron")?.count()?);
    let path = fields.take("path")?.read(|text| notation::read_path(text, terms_left))?;
    let value = fields.take_optional("value");
    let value = value.map(|value| value.read(|text| notation::read_bits(format, text))).transpose()?;
    fields.finish()?;
    Ok(NeuronPath { layer, neuron, path, value })
}
