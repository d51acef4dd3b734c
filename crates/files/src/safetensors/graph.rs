//! Graphs of models of other tools.

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_format::{Encoding, Format};
use roundproof_graph::{Comparison, Function, Graph, Node, Norm, Op, Pick, Pool, Reduction, Source, Tensor, Unary};
use roundproof_network::{Axis, Datatype, Geometry};

use crate::atomic::WriteProblem;
use crate::digest::{Digest, Stored};
use crate::error::{In, InFile};
use crate::json::{Field, Fields, Json, Misfit, Problem, shorten};
use crate::write_atomically;

use super::container::{self, Container};
use super::network::canonical_format;
use super::values::{take_u32s, take_values, u32s, values};
use super::{TensorError, TensorProblem};

/// What the metadata entry `format` says.
pub(super) const FORMAT: &str = "roundproof graph, version 1";

/// The bytes of a graph's file: the same for the same graph, always.
pub fn graph_bytes(graph: &Graph) -> Vec<u8> {
    let listed: Vec<Option<Vec<u32>>> = graph.nodes().iter().map(|node| listed(&node.op)).collect();
    let mut parts = Vec::new();
    for (id, tensor) in graph.tensors().iter().enumerate() {
        if let Some(constant) = tensor.constant() {
            parts.extend(values(tensor.format(), constant_name(id), tensor.shape.clone(), constant));
        }
    }
    for (number, picks) in listed.iter().enumerate() {
        parts.extend(picks.as_ref().map(|picks| u32s(picks_name(number), picks)));
    }
    let metadata = BTreeMap::from([
        ("format", FORMAT.to_string()),
        ("nodes", nodes_text(graph)),
        ("outputs", outputs_text(graph)),
        ("tensors", tensors_text(graph)),
    ]);
    container::bytes(&metadata, parts)
}

/// The tensor of the file that has the elements of a constant.
fn constant_name(tensor: usize) -> String {
    format!("tensor{tensor}")
}

/// The tensor of the file that says what a node arranges.
fn picks_name(node: usize) -> String {
    format!("node{node}.picks")
}

/// What an arrangement reads, two numbers for each element; nothing of other operations.
fn listed(op: &Op) -> Option<Vec<u32>> {
    match op {
        Op::Arrange(picks) => Some(picks.iter().flat_map(|&Pick { read, element }| [read, element]).collect()),
        Op::MatMul
        | Op::Conv { geometry: _, groups: _ }
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Max
        | Op::Min
        | Op::PRelu
        | Op::Unary(_)
        | Op::Reduce { reduction: _, axes: _ }
        | Op::Pool { pool: _, geometry: _ }
        | Op::BatchNormalization { epsilon: _ }
        | Op::Softmax { axis: _ }
        | Op::LogSoftmax { axis: _ }
        | Op::Normalize(_)
        | Op::Cast
        | Op::Compare(_)
        | Op::Where => None,
    }
}

fn counts<'a>(counts: impl IntoIterator<Item = &'a usize>) -> Json {
    Json::Array(counts.into_iter().map(|&count| Json::count(count)).collect())
}

fn outputs_text(graph: &Graph) -> String {
    counts(graph.outputs()).compact()
}

fn tensors_text(graph: &Graph) -> String {
    let json = |Tensor { name, shape, datatype: Datatype::Float(format), source }: &Tensor| {
        let source = match source {
            Source::Input => "input",
            Source::Constant(_) => "constant",
            Source::Node(_) => "node",
        };
        Json::object([
            ("name", Json::text(name)),
            ("shape", counts(shape)),
            ("format", Json::text(format)),
            ("source", Json::text(source)),
        ])
    };
    Json::Array(graph.tensors().iter().map(json).collect()).compact()
}

fn nodes_text(graph: &Graph) -> String {
    let json = |Node { name, op, reads, writes }: &Node| {
        let format = graph.tensors()[*writes].format();
        let common = [
            ("name", Json::text(name)),
            ("op", Json::text(op.name())),
            ("reads", counts(reads)),
            ("writes", Json::count(*writes)),
        ];
        let fields = common.into_iter().chain(parameters(op, format));
        Json::Object(fields.map(|(key, value)| (key.to_string(), value)).collect())
    };
    Json::Array(graph.nodes().iter().map(json).collect()).compact()
}

/// The digits of an encoding, as many as the format's width takes.
fn digits(format: Format, encoding: Encoding) -> Json {
    let count = format.width().div_ceil(4) as usize;
    Json::text(format!("0x{:0count$x}", encoding.bits()))
}

fn windows(geometry: &Geometry) -> (&'static str, Json) {
    let axis = |&Axis { size, window, stride, dilation, before, after }: &Axis| {
        counts(&[size, window, stride, dilation, before, after])
    };
    ("windows", Json::Array(geometry.axes().iter().map(axis).collect()))
}

/// The fields of an operation beyond those that all have; `format` is that of the result.
fn parameters(op: &Op, format: Format) -> Vec<(&'static str, Json)> {
    let attribute = |name: &'static str, encoding: Encoding| (name, digits(Format::BINARY32, encoding));
    match op {
        Op::Conv { geometry, groups } => vec![windows(geometry), ("groups", Json::count(*groups))],
        Op::Unary(unary) => match *unary {
            Unary::LeakyRelu { slope } => vec![attribute("slope", slope)],
            Unary::Clip { low, high } => {
                let limit = |name, limit: Option<Encoding>| limit.map(|limit| (name, digits(format, limit)));
                limit("low", low).into_iter().chain(limit("high", high)).collect()
            }
            Unary::HardSigmoid { slope, offset } => vec![attribute("slope", slope), attribute("offset", offset)],
            Unary::Neg
            | Unary::Abs
            | Unary::Relu
            | Unary::Sign
            | Unary::Sqrt
            | Unary::Reciprocal
            | Unary::Function(_) => Vec::new(),
        },
        Op::Reduce { reduction: _, axes } => vec![("axes", counts(axes))],
        Op::Pool { pool: Pool::Max, geometry } => vec![windows(geometry)],
        Op::Pool { pool: Pool::Average { padding_counts }, geometry } => {
            vec![windows(geometry), ("divisor", Json::text(divisor(*padding_counts)))]
        }
        Op::BatchNormalization { epsilon } => vec![attribute("epsilon", *epsilon)],
        Op::Softmax { axis } | Op::LogSoftmax { axis } => vec![("axis", Json::count(*axis))],
        Op::Normalize(norm) => vec![("norm", Json::text(norm_name(*norm)))],
        Op::MatMul
        | Op::Arrange(_)
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Max
        | Op::Min
        | Op::PRelu
        | Op::Cast
        | Op::Compare(_)
        | Op::Where => Vec::new(),
    }
}

/// By what the sum over a window is divided.
const fn divisor(padding_counts: bool) -> &'static str {
    if padding_counts { "window" } else { "places" }
}

const fn norm_name(norm: Norm) -> &'static str {
    match norm {
        Norm::Max => "max",
        Norm::L1 => "l1",
        Norm::L2 => "l2",
    }
}

/// Writes a graph's file, as a whole or not at all, and says its digest.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_graph(path: &Path, graph: &Graph) -> Result<Digest, InFile<WriteProblem>> {
    let bytes = graph_bytes(graph);
    write_atomically(path, &bytes)?;
    Ok(Digest::of(&bytes))
}

/// The graph in a file, and the file's digest.
///
/// # Errors
///
/// If the file cannot be read or is not a graph.
pub fn read_graph(path: &Path) -> Result<Stored<Graph>, TensorError> {
    let bytes = std::fs::read(path).map_err(TensorProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse_graph(path, &bytes)?, digest: Digest::of(&bytes) })
}

/// The graph in `bytes`, which come from `file`.
///
/// # Errors
///
/// If they are not a graph.
pub fn parse_graph(file: &Path, bytes: &[u8]) -> Result<Graph, TensorError> {
    parse(bytes).in_file(file)
}

fn parse(bytes: &[u8]) -> Result<Graph, TensorProblem> {
    let mut container = Container::parse(bytes)?;
    container.read_metadata(
        "format",
        |text| {
            if text == FORMAT { Ok(()) } else { Err(format!("`{FORMAT}` is needed")) }
        },
    )?;
    let said = |container: &mut Container<'_>, key| container.take_metadata(key);
    let texts = [
        ("nodes", said(&mut container, "nodes")?),
        ("outputs", said(&mut container, "outputs")?),
        ("tensors", said(&mut container, "tensors")?),
    ];
    let [nodes, outputs, tensors] = texts.each_ref().map(|(key, text)| items(key, text));
    let outputs = outputs?.into_iter().map(Field::count).collect::<Result<Vec<usize>, Misfit>>();
    let outputs = outputs.map_err(|misfit| in_metadata("outputs", misfit))?;
    let mut heads = Vec::new();
    for field in tensors? {
        heads.push(head(field).map_err(|misfit| in_metadata("tensors", misfit))?);
    }
    let mut made = Vec::new();
    for (number, field) in nodes?.into_iter().enumerate() {
        made.push(node(&mut container, &heads, number, field)?);
    }
    let mut makers = vec![None; heads.len()];
    for (number, Node { name: _, op: _, reads: _, writes }) in made.iter().enumerate() {
        if let Some(maker) = makers.get_mut(*writes) {
            *maker = Some(number);
        }
    }
    let mut read = Vec::with_capacity(heads.len());
    for (id, (Head { name, shape, format, source }, maker)) in heads.into_iter().zip(makers).enumerate() {
        let source = match source {
            From::Input => Source::Input,
            From::Constant => {
                let (column, found) = take_values(&mut container, format, &constant_name(id), shape.len())?;
                if found != shape {
                    let expected = format!("{shape:?}, as the metadata say,");
                    return Err(TensorProblem::Shape { tensor: constant_name(id), found, expected });
                }
                Source::Constant(column)
            }
            // One that no node makes is refused by the graph.
            From::Node => Source::Node(maker.unwrap_or(usize::MAX)),
        };
        read.push(Tensor { name, shape, datatype: Datatype::Float(format), source });
    }
    container.finish()?;
    let graph = Graph::new(read, made, outputs).map_err(TensorProblem::Graph)?;
    for (key, text) in texts {
        let written = match key {
            "nodes" => nodes_text(&graph),
            "outputs" => outputs_text(&graph),
            _ => tensors_text(&graph),
        };
        if text != written {
            let what = "the same is written otherwise: without spaces, and fields in their order".to_string();
            return Err(TensorProblem::Metadata { key: key.to_string(), what });
        }
    }
    Ok(graph)
}

/// The elements of an array that a metadata entry holds.
fn items(key: &str, text: &str) -> Result<Vec<Field>, TensorProblem> {
    let json = Json::parse(text.as_bytes());
    let json = json.map_err(|error| TensorProblem::Metadata { key: key.to_string(), what: error.to_string() })?;
    Field::root(json).array().map_err(|misfit| in_metadata(key, misfit))
}

fn in_metadata(key: &str, misfit: Misfit) -> TensorProblem {
    TensorProblem::Metadata { key: key.to_string(), what: misfit.to_string() }
}

/// What the metadata say of a tensor.
struct Head {
    name: String,
    shape: Vec<usize>,
    format: Format,
    source: From,
}

/// Where the elements of a tensor come from.
enum From {
    Input,
    Constant,
    Node,
}

fn numbers(field: Field) -> Result<Vec<usize>, Misfit> {
    field.array()?.into_iter().map(Field::count).collect()
}

fn head(field: Field) -> Result<Head, Misfit> {
    let mut fields = field.object()?;
    let name = fields.take("name")?.text()?;
    let shape = numbers(fields.take("shape")?)?;
    let format = fields.take("format")?.read(canonical_format)?;
    let source = fields.take("source")?.read(|text| match text {
        "input" => Ok(From::Input),
        "constant" => Ok(From::Constant),
        "node" => Ok(From::Node),
        _ => Err("known are input, constant, node"),
    })?;
    fields.finish()?;
    Ok(Head { name, shape, format, source })
}

fn node(container: &mut Container<'_>, heads: &[Head], number: usize, field: Field) -> Result<Node, TensorProblem> {
    let misfit = |misfit| in_metadata("nodes", misfit);
    let mut fields = field.object().map_err(misfit)?;
    let name = fields.take("name").and_then(Field::text).map_err(misfit)?;
    let op = fields.take("op").and_then(Field::text).map_err(misfit)?;
    let reads = fields.take("reads").and_then(numbers).map_err(misfit)?;
    let writes = fields.take("writes").and_then(Field::count).map_err(misfit)?;
    // What is not there is for the graph to say.
    let format = heads.get(writes).map_or(Format::BINARY32, |result| result.format);
    let op = operation(&op, &mut fields, format).map_err(misfit)?;
    fields.finish().map_err(misfit)?;
    let op = match op {
        Some(op) => op,
        None => {
            let list = take_u32s(container, &picks_name(number))?;
            let (pairs, rest) = list.as_chunks::<2>();
            if !rest.is_empty() {
                let (tensor, found) = (picks_name(number), vec![list.len()]);
                return Err(TensorProblem::Shape { tensor, found, expected: "an even number of elements".to_string() });
            }
            Op::Arrange(pairs.iter().map(|&[read, element]| Pick { read, element }).collect())
        }
    };
    Ok(Node { name, op, reads, writes })
}

fn encoding(format: Format, field: Field) -> Result<Encoding, Misfit> {
    field.read(|text| {
        let count = format.width().div_ceil(4) as usize;
        let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == count && digits.chars().all(hexadecimal));
        let bits = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
        bits.map(Encoding::from_bits).ok_or_else(|| format!("{count} hexadecimal digits after 0x are needed"))
    })
}

fn geometry(fields: &mut Fields) -> Result<Geometry, Misfit> {
    let field = fields.take("windows")?;
    let misfit = |reason: String| Misfit {
        at: "windows".to_string(),
        problem: Problem::Value { value: "the windows".to_string(), reason },
    };
    let mut axes = Vec::new();
    for axis in field.array()? {
        let [size, window, stride, dilation, before, after] = numbers(axis)?[..] else {
            return Err(misfit(
                "an axis is six counts: size, window, stride, dilation, padding before, after".to_string(),
            ));
        };
        axes.push(Axis { size, window, stride, dilation, before, after });
    }
    Geometry::new(axes).map_err(|error| misfit(error.to_string()))
}

/// The operation of this name, with its fields; `format` is that of the result. None for an arrangement, of which a tensor of the
/// file says what it reads.
fn operation(name: &str, fields: &mut Fields, format: Format) -> Result<Option<Op>, Misfit> {
    let attribute = |fields: &mut Fields, name: &str| encoding(Format::BINARY32, fields.take(name)?);
    let reduce = |fields: &mut Fields, reduction| -> Result<Op, Misfit> {
        Ok(Op::Reduce { reduction, axes: numbers(fields.take("axes")?)? })
    };
    let axis = |fields: &mut Fields| fields.take("axis")?.count();
    Ok(Some(match name {
        "MatMul" => Op::MatMul,
        "Conv" => {
            let geometry = geometry(fields)?;
            Op::Conv { geometry, groups: fields.take("groups")?.count()? }
        }
        "Add" => Op::Add,
        "Sub" => Op::Sub,
        "Mul" => Op::Mul,
        "Div" => Op::Div,
        "Max" => Op::Max,
        "Min" => Op::Min,
        "PRelu" => Op::PRelu,
        "Neg" => Op::Unary(Unary::Neg),
        "Abs" => Op::Unary(Unary::Abs),
        "Relu" => Op::Unary(Unary::Relu),
        "LeakyRelu" => Op::Unary(Unary::LeakyRelu { slope: attribute(fields, "slope")? }),
        "Clip" => {
            let mut limit = |name: &str| fields.take_optional(name).map(|field| encoding(format, field)).transpose();
            Op::Unary(Unary::Clip { low: limit("low")?, high: limit("high")? })
        }
        "HardSigmoid" => {
            let (slope, offset) = (attribute(fields, "slope")?, attribute(fields, "offset")?);
            Op::Unary(Unary::HardSigmoid { slope, offset })
        }
        "Sign" => Op::Unary(Unary::Sign),
        "Sqrt" => Op::Unary(Unary::Sqrt),
        "Reciprocal" => Op::Unary(Unary::Reciprocal),
        "ReduceSum" => reduce(fields, Reduction::Sum)?,
        "ReduceMean" => reduce(fields, Reduction::Mean)?,
        "ReduceMax" => reduce(fields, Reduction::Max)?,
        "ReduceMin" => reduce(fields, Reduction::Min)?,
        "MaxPool" => Op::Pool { pool: Pool::Max, geometry: geometry(fields)? },
        "AveragePool" => {
            let geometry = geometry(fields)?;
            let padding_counts = fields.take("divisor")?.read(|text| {
                let found = [false, true].into_iter().find(|&counts| divisor(counts) == text);
                found.ok_or("known are places, window")
            })?;
            Op::Pool { pool: Pool::Average { padding_counts }, geometry }
        }
        "BatchNormalization" => Op::BatchNormalization { epsilon: attribute(fields, "epsilon")? },
        "Softmax" => Op::Softmax { axis: axis(fields)? },
        "LogSoftmax" => Op::LogSoftmax { axis: axis(fields)? },
        "Normalizer" => Op::Normalize(fields.take("norm")?.read(|text| {
            let found = [Norm::Max, Norm::L1, Norm::L2].into_iter().find(|&norm| norm_name(norm) == text);
            found.ok_or("known are max, l1, l2")
        })?),
        "Cast" => Op::Cast,
        "Greater" => Op::Compare(Comparison::Greater),
        "GreaterOrEqual" => Op::Compare(Comparison::GreaterOrEqual),
        "Less" => Op::Compare(Comparison::Less),
        "LessOrEqual" => Op::Compare(Comparison::LessOrEqual),
        "Equal" => Op::Compare(Comparison::Equal),
        "Where" => Op::Where,
        "Arrange" => return Ok(None),
        other => match Function::ALL.into_iter().find(|function| function.name() == other) {
            Some(function) => Op::Unary(Unary::Function(function)),
            None => {
                let value = format!("`{}`", shorten(other));
                let reason = "the operation is not known".to_string();
                return Err(Misfit { at: "op".to_string(), problem: Problem::Value { value, reason } });
            }
        },
    }))
}
