//! Certificates to JSON. The fields stand in the order in which a reader wants them.

use roundproof_approximation::{Accuracy, Approximates, Approximation};
use roundproof_format::Format;
use roundproof_kernel::{Evidence, Property as KernelProperty, Shape};
use roundproof_network::{
    Accumulator, At, Contraction, NeuronPath, Order, PathModel, Rounding, Summation, Trees, Witness,
};

use super::{Certificate, Claim, FileReference, LemmaReference, Property, SCHEMA, SourceReference, notation};
use crate::json::Json;

/// A certificate that passed its check.
pub(super) fn certificate(certificate: &Certificate) -> Json {
    let Certificate { claim, network, network_source, dataset, forest, source, verdict, evidence, lemmas, provenance } =
        certificate;
    let mut fields =
        vec![("schema", Json::count(SCHEMA)), ("claim", self::claim(claim)), ("network", reference(network))];
    fields.extend(network_source.iter().map(|source| ("network_source", reference(source))));
    fields.extend(dataset.iter().map(|dataset| ("dataset", reference(dataset))));
    fields.extend(forest.iter().map(|forest| ("forest", reference(forest))));
    fields.extend(source.iter().map(|source| ("source", self::source(source))));
    fields.push(("verdict", Json::text(verdict)));
    fields.extend(evidence.iter().map(|evidence| ("evidence", self::evidence(claim.format, evidence))));
    fields.push(("lemmas", Json::Array(lemmas.iter().map(lemma).collect())));
    let provenance = provenance.iter().map(|(key, value)| (key.clone(), Json::text(value)));
    fields.push(("provenance", Json::Object(provenance.collect())));
    Json::Object(fields.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}

fn claim(Claim { format, model, property, shape }: &Claim) -> Json {
    let property = match property {
        Property::Kernel(KernelProperty::Memorizes) => vec![("property", Json::text("memorizes"))],
        Property::Kernel(KernelProperty::Computes { trees, leaves, tolerance, exceptions }) => vec![
            ("property", Json::text("computes")),
            ("trees", Json::count(*trees)),
            ("leaves", Json::count(*leaves)),
            ("tolerance", Json::text(tolerance)),
            ("exceptions", Json::Array(exceptions.iter().map(|&row| Json::count(row)).collect())),
        ],
        Property::Approximates(property) => approximates(*format, property),
    };
    let Shape { rows, input_dimension, output_dimension, layers, parameters } = *shape;
    let shape = Json::object([
        ("rows", Json::count(rows)),
        ("input_dimension", Json::count(input_dimension)),
        ("output_dimension", Json::count(output_dimension)),
        ("layers", Json::count(layers)),
        ("parameters", Json::count(parameters)),
    ]);
    let rest = [("format", Json::text(format)), ("model", self::model(model)), ("shape", shape)];
    Json::Object(property.into_iter().chain(rest).map(|(key, value)| (key.to_string(), value)).collect())
}

fn approximates(format: Format, Approximates { approximation, leaves }: &Approximates) -> Vec<(&'static str, Json)> {
    let Approximation { function, domain, accuracy } = approximation;
    let range = |&(low, high): &(_, _)| {
        let [low, high] = [low, high].map(|end| Json::Text(notation::write_value(format, end)));
        Json::object([("low", low), ("high", high)])
    };
    let accuracy = match accuracy {
        Accuracy::Rounded { mode, overflow } => {
            Json::object([("rounding", Json::text(mode.name())), ("overflow", Json::text(overflow))])
        }
        Accuracy::Within(error) => Json::object([("error", Json::text(error))]),
        Accuracy::Excess(excess) => Json::object([("excess", Json::text(excess))]),
    };
    vec![
        ("property", Json::text("approximates")),
        ("function", Json::text(function)),
        ("domain", Json::Array(domain.iter().map(range).collect())),
        ("accuracy", accuracy),
        ("leaves", Json::count(*leaves)),
    ]
}

fn model(model: &PathModel) -> Json {
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
        Accumulator::Same => Json::text("same"),
        Accumulator::Wider { format, overflow } => {
            Json::object([("format", Json::text(format)), ("overflow", Json::text(overflow))])
        }
    };
    Json::object([
        ("rounding", Json::text(rounding)),
        ("order", Json::text(order)),
        ("contraction", Json::text(contraction)),
        ("overflow", Json::text(overflow)),
        ("subnormals", Json::text(subnormals)),
        ("accumulator", accumulator),
    ])
}

fn reference(FileReference { path, sha256 }: &FileReference) -> Json {
    Json::object([("path", Json::text(path)), ("sha256", Json::text(sha256))])
}

fn source(SourceReference { path, sha256, labels }: &SourceReference) -> Json {
    Json::object([("path", Json::text(path)), ("sha256", Json::text(sha256)), ("labels", Json::texts(labels))])
}

fn lemma(LemmaReference { name, established }: &LemmaReference) -> Json {
    Json::object([("name", Json::text(name)), ("established", Json::text(established))])
}

fn evidence(format: Format, evidence: &Evidence) -> Json {
    match evidence {
        Evidence::BoxNetwork(separator) => Json::object([
            ("kind", Json::text("box-network")),
            ("separator", Json::Text(notation::write_separator(format, separator))),
        ]),
        Evidence::Paths => Json::object([("kind", Json::text("paths"))]),
        Evidence::Witness(witness) => self::witness(format, witness),
    }
}

fn witness(format: Format, Witness { at, output, value, neurons }: &Witness) -> Json {
    let neurons = neurons.iter().map(|NeuronPath { layer, neuron, path, value }| {
        let mut fields = vec![
            ("layer".to_string(), Json::count(*layer)),
            ("neuron".to_string(), Json::count(*neuron)),
            ("path".to_string(), Json::Text(notation::write_path(path))),
        ];
        let value = value.map(|value| Json::Text(notation::write_value(format, value)));
        fields.extend(value.map(|value| ("value".to_string(), value)));
        Json::Object(fields)
    });
    let at = match at {
        At::Row(row) => ("row", Json::count(*row)),
        At::Point(inputs) => {
            let inputs = inputs.iter().map(|&value| Json::Text(notation::write_value(format, value)));
            ("point", Json::Array(inputs.collect()))
        }
    };
    Json::object([
        ("kind", Json::text("witness")),
        at,
        ("output", Json::count(*output)),
        ("value", Json::Text(notation::write_value(format, *value))),
        ("neurons", Json::Array(neurons.collect())),
    ])
}
