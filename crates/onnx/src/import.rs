//! Models of other tools as graphs.
//!
//! A model is read operator by operator; what each becomes is in the table. Names are those of [`Op`] and of
//! ONNX.
//!
//! | operator | becomes |
//! | --- | --- |
//! | Add, Sub, Mul, Div, PRelu; Abs, Neg, Relu, LeakyRelu, HardSigmoid, Sign, Sqrt, Reciprocal; Exp, Log, Sigmoid, Tanh, Erf, Softplus; Softmax, LogSoftmax; BatchNormalization; MatMul | itself |
//! | Sum, Max, Min of several operands | Add, Max, Min, two by two from the left |
//! | Clip | itself, with constant limits (an infinite one is left out); with others Max, then Min |
//! | Pow by -1, 0.5, 1, 2, 3 | Reciprocal; Sqrt; nothing; a product with itself; that times the operand |
//! | Gemm | MatMul, Mul by `alpha` unless it is 1, Add of `C`, which Mul by `beta` goes before unless that is 1; a transposed constant is stored so, another factor is arranged |
//! | Conv | Conv, and Add of the bias |
//! | MaxPool, AveragePool | a pool; `auto_pad` and `ceil_mode` become padding |
//! | GlobalAveragePool, GlobalMaxPool; ReduceSum, ReduceMean, ReduceMax, ReduceMin | a reduction; without `keepdims`, an arrangement after it |
//! | Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Concat, Split, Slice, Gather by constants, Expand, Pad; Where by a constant | an arrangement |
//! | Greater, GreaterOrEqual, Less, LessOrEqual, Equal; Where; And, Or, Not | a comparison, which gives 0 or 1; Where; Min, Max, a comparison with 0 |
//! | Cast | itself, between floating-point formats; of truth values, the numbers 0 and 1 |
//! | Identity, Dropout, ZipMap | nothing |
//! | Constant, ConstantOfShape, Range, Shape, Size, and all of integers and truth values that are known | a constant |
//! | ArgMax, and behind it Cast, reshapes, Gather and ArrayFeatureExtractor from a list of labels | nothing: a [`Decision`] |
//! | Scaler | Sub, Mul |
//! | Normalizer | itself |
//! | LinearRegressor, LinearClassifier | MatMul, Add, and Sigmoid or Softmax for LOGISTIC or SOFTMAX; the label is a [`Decision`] by what the Add makes |
//!
//! What moves elements of constants, or converts them exactly, is done here; an operation that rounds stays a node even if all that
//! it reads is constant, since whoever judges the graph has to bound what it may give.
//!
//! The importer is not trusted: `scripts/same.py` compares a graph with the model that it comes from.

mod arrange;
mod builder;
mod call;
mod constant;
mod elementwise;
mod error;
mod linear;
mod operators;
mod reduce;
mod scan;
mod shapes;
mod traditional;
mod windows;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost::Message;
use roundproof_graph::{Graph, Node, Op, Source, Tensor, TensorId};

use roundproof_softfloat::{to_decimal, to_hexadecimal};

use crate::proto::{GraphProto, Length, ModelProto, NodeProto, ValueInfoProto};
use builder::{Builder, Labels, Value};
use call::Call;
use constant::{Constant, Values, datatype, float_format, type_name};
use error::quoted;
use operators::{Lowering, TRADITIONAL, lowering};

pub use error::{ImportError, Part, PartError, Problem};
pub use operators::operators;
pub use scan::{ScanError, ScanProblem};

/// The versions of ONNX's own operators that are known.
pub const OPSETS: std::ops::RangeInclusive<i64> = 7..=28;
/// The versions of the operators of `ai.onnx.ml` that are known.
pub const TRADITIONAL_OPSETS: std::ops::RangeInclusive<i64> = 1..=5;

/// What is asked for beside the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Which output to take, or which tensor inside; if none is named, the first output that is numbers, or the first one.
    pub output: Option<String>,
    /// Sizes of axes that the model leaves open, by the name that it has for them. The first axis of an input has the size 1 if
    /// nothing else is said.
    pub sizes: BTreeMap<String, usize>,
}

/// A model as a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// What it computes of one row. Its first output is the one that was taken, or what that is decided by; a second one, if there
    /// is one, is what [`decision`](Model::decision) is made of.
    pub graph: Graph,
    /// The name of the output that was taken.
    pub output: String,
    /// The names of the others.
    pub others: Vec<String>,
    /// What the model decides by its outputs, if it does: of the output that was taken, or else of the only one that is a label.
    pub decision: Option<Decision>,
    /// For each node of the graph, the number of the model's node that it comes from.
    pub origins: Vec<usize>,
}

/// What a model decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Which element is the largest along an axis, the first of equal ones.
    ArgMax {
        /// Of which tensor.
        tensor: TensorId,
        /// Along which axis.
        axis: usize,
        /// What the model calls each place of the axis. Foreign text.
        labels: Vec<String>,
    },
}

impl Model {
    /// The nodes that round and come before every matrix product: preprocessing that is inside of the model.
    pub fn preprocessing(&self) -> Vec<&Node> {
        let is_product = |node: &&Node| matches!(node.op, Op::MatMul | Op::Conv { geometry: _, groups: _ });
        let rounds = |node: &&Node| !matches!(node.op, Op::Arrange(_));
        if !self.graph.nodes().iter().any(|node| is_product(&node)) {
            return Vec::new();
        }
        self.graph.nodes().iter().take_while(|node| !is_product(node)).filter(rounds).collect()
    }
}

/// The graph of a model, for one row.
///
/// # Errors
///
/// If the bytes are not a model, or anything in it is not supported: then all such parts are named.
pub fn import(bytes: &[u8], options: &ImportOptions) -> Result<Model, ImportError> {
    scan::scan(bytes)?;
    import_model(&ModelProto::decode(bytes)?, options)
}

/// The graph of a model that is read already.
///
/// # Errors
///
/// As [`import`].
pub fn import_model(model: &ModelProto, options: &ImportOptions) -> Result<Model, ImportError> {
    let versions = versions(model)?;
    let empty = GraphProto::default();
    let graph = model.graph.as_ref().unwrap_or(&empty);
    if graph.node.len() > roundproof_graph::MAX_NODES {
        let (found, most) = (graph.node.len(), roundproof_graph::MAX_NODES);
        return Err(whole(format!("the model has {found} nodes; at most {most} are supported")));
    }
    let mut reading = Reading { builder: Builder::new(), values: HashMap::new(), errors: Vec::new(), versions };
    reading.initializers(graph);
    reading.inputs(graph, options);
    for (number, node) in graph.node.iter().enumerate() {
        reading.node(number, node);
    }
    reading.finish(graph, options)
}

fn whole(what: impl Into<String>) -> ImportError {
    ImportError::Model { what: what.into() }
}

/// The versions of the operator sets that a model names, checked.
fn versions(model: &ModelProto) -> Result<HashMap<String, i64>, ImportError> {
    let mut versions = HashMap::new();
    for set in &model.opset_import {
        let (domain, version) = (canonical(set.domain.as_deref().unwrap_or("")), set.version.unwrap_or(0));
        let (known, name) = match domain {
            "" => (OPSETS, "ONNX"),
            TRADITIONAL => (TRADITIONAL_OPSETS, TRADITIONAL),
            // Operators of other domains are refused where a node has one.
            _ => continue,
        };
        if !known.contains(&version) {
            let (first, last) = (known.start(), known.end());
            return Err(whole(format!(
                "version {version} of the operators of {name} is not known; {first} to {last} are: convert the model \
                 (onnx.version_converter)"
            )));
        }
        if versions.insert(domain.to_string(), version).is_some_and(|before| before != version) {
            return Err(whole(format!("the model names two versions of the operators of {name}")));
        }
    }
    Ok(versions)
}

/// The domain by the name that is used here.
fn canonical(domain: &str) -> &str {
    if domain == "ai.onnx" { "" } else { domain }
}

/// A model while it is read.
struct Reading {
    builder: Builder,
    values: HashMap<String, Value>,
    errors: Vec<PartError>,
    versions: HashMap<String, i64>,
}

impl Reading {
    fn refuse(&mut self, part: Part, problem: Problem) {
        self.errors.push(PartError { part, problem });
    }

    fn initializers(&mut self, graph: &GraphProto) {
        for tensor in &graph.initializer {
            let name = tensor.name.clone().unwrap_or_default();
            let value = match Constant::read(tensor) {
                Ok(constant) => Value::constant(&name, constant),
                Err(problem) => {
                    self.refuse(Part::Initializer(name.clone()), problem);
                    Value::Unknown
                }
            };
            if self.values.insert(name.clone(), value).is_some() {
                self.refuse(Part::Initializer(name), Problem::other("there are two of this name"));
            }
        }
    }

    fn inputs(&mut self, graph: &GraphProto, options: &ImportOptions) {
        let constants: BTreeSet<&str> = graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect();
        for info in &graph.input {
            let name = info.name.clone().unwrap_or_default();
            // In old models, constants are inputs too.
            if constants.contains(&name[..]) {
                continue;
            }
            let value = match input(info, options) {
                Ok((shape, format)) => Value::Tensor(self.builder.input(&name, shape, format)),
                Err(problem) => {
                    self.refuse(Part::Input(name.clone()), problem);
                    Value::Unknown
                }
            };
            if self.values.insert(name.clone(), value).is_some() {
                self.refuse(Part::Input(name), Problem::other("there are two of this name"));
            }
        }
    }

    fn node(&mut self, number: usize, node: &NodeProto) {
        let operator = node.op_type.clone().unwrap_or_default();
        let domain = canonical(node.domain.as_deref().unwrap_or("")).to_string();
        let first = node.output.iter().find(|name| !name.is_empty()).cloned().unwrap_or_default();
        let name = node.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| first.clone());
        self.builder.number = number;
        self.builder.name.clone_from(&name);
        self.builder.output = first;
        let made = lowering(&domain, &operator).and_then(|lowering| self.lower(node, &domain, lowering));
        let values = match made {
            Ok(values) => values,
            Err(problem) => {
                let operator = if domain.is_empty() { operator } else { format!("{domain}.{operator}") };
                self.refuse(Part::Node { number, name: name.clone(), operator }, problem);
                Some(Vec::new())
            }
        };
        for (index, output) in node.output.iter().enumerate().filter(|(_, output)| !output.is_empty()) {
            let value = values.as_ref().and_then(|values| values.get(index)).cloned().unwrap_or(Value::Unknown);
            self.builder.name_result(&value, output);
            if self.values.insert(output.clone(), value).is_some() {
                let problem = Problem::other(format!("{} is made twice", quoted(output)));
                let operator = node.op_type.clone().unwrap_or_default();
                self.refuse(Part::Node { number, name: name.clone(), operator }, problem);
            }
        }
    }

    /// What a node makes; nothing if it reads what could not be told.
    fn lower(&mut self, node: &NodeProto, domain: &str, lowering: Lowering) -> Result<Option<Vec<Value>>, Problem> {
        let version = self.versions.get(domain).copied();
        let version = version.ok_or_else(|| Problem::other("the model does not name the version of its operators"))?;
        let mut operands = Vec::with_capacity(node.input.len());
        for (operand, name) in node.input.iter().enumerate() {
            operands.push(match &name[..] {
                "" => None,
                name => Some(self.values.get(name).cloned().ok_or_else(|| {
                    let what = "is not an input, an initializer or made by an earlier node";
                    Problem::operand(operand, format!("{} {what}", quoted(name)))
                })?),
            });
        }
        // Operands that are left out at the end are not there.
        while let Some(None) = operands.last() {
            operands.pop();
        }
        if operands.iter().flatten().any(|value| matches!(value, Value::Unknown)) {
            return Ok(None);
        }
        let mut call = Call::new(&mut self.builder, node, operands, version)?;
        let values = lowering(&mut call)?;
        call.finish()?;
        let made = values.len();
        if call.outputs.iter().skip(made).any(|named| *named) {
            return Err(Problem::other(format!("outputs after the first {made} are not supported")));
        }
        Ok(Some(values))
    }

    fn finish(mut self, graph: &GraphProto, options: &ImportOptions) -> Result<Model, ImportError> {
        let names: Vec<String> = graph.output.iter().map(|info| info.name.clone().unwrap_or_default()).collect();
        for name in &names {
            let problem = match self.values.get(name) {
                Some(Value::Constant(_)) => "it does not depend on the inputs",
                Some(Value::Tensor(_) | Value::Truth(_) | Value::Labels(_) | Value::Unknown) => continue,
                None => "no node makes it",
            };
            self.refuse(Part::Output(name.clone()), Problem::other(problem));
        }
        if !self.errors.is_empty() {
            return Err(ImportError::Parts(self.errors));
        }
        let (output, decided) = chosen(&self.values, &names, options)?;
        let others = names.iter().filter(|name| **name != output).cloned().collect();
        let mut outputs = Vec::new();
        match self.values.get(&output) {
            Some(Value::Tensor(tensor) | Value::Truth(tensor)) => outputs.push(*tensor),
            Some(Value::Constant(_) | Value::Labels(_) | Value::Unknown) | None => {}
        }
        let decision = decided.map(|Labels { tensor, axis, labels }| {
            if !outputs.contains(&tensor) {
                outputs.push(tensor);
            }
            let labels = match labels {
                Values::Integers(_, labels) => labels.iter().map(ToString::to_string).collect(),
                Values::Texts(labels) => labels,
                Values::Floats(format, labels) => {
                    let text = |label| to_decimal(format, label).unwrap_or_else(|_| to_hexadecimal(format, label));
                    labels.iter().map(text).collect()
                }
            };
            Decision::ArgMax { tensor, axis, labels }
        });
        let (graph, origins, places) = pruned(self.builder, &outputs)?;
        let decision = decision.map(|Decision::ArgMax { tensor, axis, labels }| Decision::ArgMax {
            tensor: places[&tensor],
            axis,
            labels,
        });
        Ok(Model { graph, output, others, decision, origins })
    }
}

/// The shape and the format of an input, for one row.
fn input(info: &ValueInfoProto, options: &ImportOptions) -> Result<(Vec<usize>, roundproof_format::Format), Problem> {
    let tensor = info.r#type.as_ref().and_then(|said| said.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| Problem::other("it is not a tensor"))?;
    let datatype = datatype(tensor.elem_type.unwrap_or(0).into())?;
    let format = float_format(datatype).ok_or_else(|| {
        let name = type_name(datatype);
        Problem::other(format!("inputs of {name} are not supported; float32, float16, bfloat16 and float64 are"))
    })?;
    let shape = tensor.shape.as_ref().ok_or_else(|| Problem::other("it has no shape; export the model with one"))?;
    let mut sizes = Vec::with_capacity(shape.dim.len().min(roundproof_graph::MAX_AXES));
    for (axis, dimension) in shape.dim.iter().enumerate() {
        let size = match &dimension.value {
            Some(Length::DimValue(size)) => usize::try_from(*size)
                .ok()
                .filter(|&size| size > 0)
                .ok_or_else(|| Problem::other(format!("axis {axis} has the size {size}, and it has to be positive")))?,
            Some(Length::DimParam(name)) if options.sizes.contains_key(name) => options.sizes[name],
            Some(Length::DimParam(_)) | None if axis == 0 => 1,
            Some(Length::DimParam(name)) => {
                let what = "which has to be fixed: only the first axis, of rows, may be open";
                return Err(Problem::other(format!("axis {axis} has an open size, {}, {what}", quoted(name))));
            }
            None => {
                let what = "which has to be fixed: only the first axis, of rows, may be open";
                return Err(Problem::other(format!("axis {axis} has an open size, {what}")));
            }
        };
        sizes.push(size);
    }
    match roundproof_graph::elements(&sizes) {
        Some(_) => Ok((sizes, format)),
        None => Err(roundproof_graph::Problem::Size { shape: sizes }.into()),
    }
}

/// Which output to take, and what is decided: by it, or else by the only label that there is.
fn chosen(
    values: &HashMap<String, Value>,
    names: &[String],
    options: &ImportOptions,
) -> Result<(String, Option<Labels>), ImportError> {
    let labels = |name: &String| match values.get(name) {
        Some(Value::Labels(labels)) => Some(Labels::clone(labels)),
        Some(Value::Constant(_) | Value::Tensor(_) | Value::Truth(_) | Value::Unknown) | None => None,
    };
    let listed = || names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let output = match &options.output {
        Some(wanted) => match values.get(wanted) {
            // Of one output nothing else decides; and what is inside the model may be looked at, too.
            Some(Value::Tensor(tensor) | Value::Truth(tensor)) => {
                let decided = names.iter().filter_map(labels).find(|labels| labels.tensor == *tensor);
                return Ok((wanted.clone(), decided));
            }
            _ => names.iter().find(|name| *name == wanted).ok_or_else(|| {
                whole(format!("the model has no output and no tensor {}; its outputs are {}", quoted(wanted), listed()))
            })?,
        },
        None => {
            let scores = names.iter().find(|name| labels(name).is_none());
            scores.or(names.first()).ok_or_else(|| whole("the model has no output"))?
        }
    };
    if let Some(labels) = labels(output) {
        return Ok((output.clone(), Some(labels)));
    }
    let decided: Vec<Labels> = names.iter().filter_map(labels).collect();
    let only = match &decided[..] {
        [only] => Some(only.clone()),
        _ => None,
    };
    Ok((output.clone(), only))
}

/// What is left of a graph without what its outputs do not need, but with all inputs; the nodes' origins, and for each tensor that is
/// left its new place.
type Pruned = (Graph, Vec<usize>, HashMap<TensorId, TensorId>);

fn pruned(builder: Builder, outputs: &[TensorId]) -> Result<Pruned, ImportError> {
    let Builder { tensors, nodes, origins, .. } = builder;
    let mut needed: Vec<bool> = tensors.iter().map(|tensor| tensor.source == Source::Input).collect();
    for &output in outputs {
        needed[output] = true;
    }
    for node in nodes.iter().rev() {
        if needed[node.writes] {
            for &read in &node.reads {
                needed[read] = true;
            }
        }
    }
    let mut places = HashMap::new();
    for (tensor, _) in needed.iter().enumerate().filter(|(_, needed)| **needed) {
        places.insert(tensor, places.len());
    }
    let (mut kept, mut from, mut numbers) = (Vec::new(), Vec::new(), HashMap::new());
    for (number, node) in nodes.into_iter().enumerate().filter(|(_, node)| places.contains_key(&node.writes)) {
        numbers.insert(number, kept.len());
        let reads = node.reads.iter().map(|read| places[read]).collect();
        kept.push(Node { reads, writes: places[&node.writes], ..node });
        from.push(origins[number]);
    }
    let renumbered = |tensor: Tensor| match tensor.source {
        Source::Node(number) => Tensor { source: Source::Node(numbers[&number]), ..tensor },
        Source::Input | Source::Constant(_) => tensor,
    };
    let tensors =
        tensors.into_iter().enumerate().filter(|(id, _)| places.contains_key(id)).map(|(_, tensor)| renumbered(tensor));
    let tensors = tensors.collect();
    let outputs = outputs.iter().map(|output| places[output]).collect();
    Ok((Graph::new(tensors, kept, outputs)?, from, places))
}
