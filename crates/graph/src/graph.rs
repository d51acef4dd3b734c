//! Graphs: tensors, and the nodes that make them.

use roundproof_format::{Encoding, Format};
use roundproof_network::{Datatype, Encodings, is_admitted};

use crate::shape::{elements, operands, result_shape};
use crate::{GraphError, MAX_ELEMENTS, MAX_NODES, Op, Problem, Unary};

/// The place of a tensor in its graph.
pub type TensorId = usize;

/// A tensor: what is known of it before anything is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// The name that the model gives it. Foreign text: escape it where it is printed.
    pub name: String,
    /// Sizes of the axes, the last one fastest. A batch axis has the size 1.
    pub shape: Vec<usize>,
    /// What its elements are.
    pub datatype: Datatype,
    /// Where its elements come from.
    pub source: Source,
}

/// Where the elements of a tensor come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From outside: a row of data.
    Input,
    /// From the model.
    Constant(Encodings),
    /// From a node, this one.
    Node(usize),
}

/// An operation on tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The name that the model gives it, or that of what it makes. Foreign text.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Of which tensors.
    pub reads: Vec<TensorId>,
    /// Which tensor it makes.
    pub writes: TensorId,
}

/// What a model computes of one row. See the [crate](crate) for what holds of one that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
    outputs: Vec<TensorId>,
}

impl Tensor {
    /// The format of its elements.
    pub fn format(&self) -> Format {
        let Datatype::Float(format) = self.datatype;
        format
    }

    /// How many elements it has.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Its elements, if they are the model's.
    pub fn constant(&self) -> Option<&Encodings> {
        match &self.source {
            Source::Constant(values) => Some(values),
            Source::Input | Source::Node(_) => None,
        }
    }
}

impl Graph {
    /// The graph of these tensors and nodes.
    ///
    /// # Errors
    ///
    /// If a node reads what is not there before it, shapes or data types do not agree, a constant is not finite or has another
    /// number of elements than its shape, or anything is larger than is supported; the place is named.
    pub fn new(tensors: Vec<Tensor>, nodes: Vec<Node>, outputs: Vec<TensorId>) -> Result<Graph, GraphError> {
        let graph = Graph { tensors, nodes, outputs };
        graph.check()?;
        Ok(graph)
    }

    fn check(&self) -> Result<(), GraphError> {
        let whole = |problem| GraphError { place: "the graph".to_owned(), problem };
        if self.nodes.len() > MAX_NODES {
            return Err(whole(Problem::Nodes { nodes: self.nodes.len() }));
        }
        if self.outputs.is_empty() || self.inputs().next().is_none() {
            return Err(whole(Problem::Empty));
        }
        let mut made = Vec::with_capacity(self.tensors.len());
        for (id, tensor) in self.tensors.iter().enumerate() {
            tensor
                .check()
                .map_err(|problem| GraphError { place: format!("tensor {id} ({:?})", tensor.name), problem })?;
            made.push(!matches!(tensor.source, Source::Node(_)));
        }
        for (number, node) in self.nodes.iter().enumerate() {
            self.check_node(number, node, &made).map_err(|problem| GraphError {
                place: format!("node {number} ({:?}, {})", node.name, node.op.name()),
                problem,
            })?;
            made[node.writes] = true;
        }
        for (id, tensor) in self.tensors.iter().enumerate() {
            if !made[id] {
                let place = format!("tensor {id} ({:?})", tensor.name);
                return Err(GraphError { place, problem: Problem::Unmade { tensor: id } });
            }
        }
        match self.outputs.iter().find(|&&id| id >= self.tensors.len()) {
            Some(&tensor) => Err(whole(Problem::Unmade { tensor })),
            None => Ok(()),
        }
    }

    fn check_node(&self, number: usize, node: &Node, made: &[bool]) -> Result<(), Problem> {
        let Node { name: _, op, reads, writes } = node;
        let expected = op.reads();
        if reads.is_empty() || expected.is_some_and(|expected| expected != reads.len()) {
            let expected = expected.map_or("at least 1".to_owned(), |expected| expected.to_string());
            return Err(Problem::Reads { op: op.name(), expected, found: reads.len() });
        }
        if let Some(&tensor) = reads.iter().find(|&&id| !made.get(id).copied().unwrap_or(false)) {
            return Err(Problem::Unmade { tensor });
        }
        let result = self.tensors.get(*writes).ok_or(Problem::Maker { tensor: *writes })?;
        if result.source != Source::Node(number) || made[*writes] {
            return Err(Problem::Maker { tensor: *writes });
        }
        let one_type = reads.iter().all(|&id| self.tensors[id].datatype == result.datatype);
        if !one_type && *op != Op::Cast {
            return Err(Problem::Datatypes);
        }
        if let Op::BatchNormalization { epsilon: _ } = op
            && let Some(read) = (1..reads.len()).find(|&read| self.tensors[reads[read]].constant().is_none())
        {
            return Err(Problem::Constant { read });
        }
        if !parameters(op, result.format()).iter().all(|&(format, parameter)| format.is_finite(parameter)) {
            return Err(Problem::Attribute { op: op.name() });
        }
        let shapes: Vec<&[usize]> = reads.iter().map(|&id| &self.tensors[id].shape[..]).collect();
        let found = result_shape(op, &shapes, &result.shape)?;
        if found != result.shape {
            return Err(Problem::Result { found, declared: result.shape.clone() });
        }
        let (elements, operands) = (result.elements(), operands(op, &shapes));
        if elements.checked_mul(operands).is_none_or(|work| work > MAX_ELEMENTS) {
            return Err(Problem::Work { elements, operands });
        }
        Ok(())
    }

    /// The tensors, by number.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The nodes, each after those that it reads.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What the graph is for: the tensors that people read.
    pub fn outputs(&self) -> &[TensorId] {
        &self.outputs
    }

    /// The tensors that come from outside, in the order of a row of data.
    pub fn inputs(&self) -> impl Iterator<Item = TensorId> + '_ {
        self.tensors.iter().enumerate().filter(|(_, tensor)| tensor.source == Source::Input).map(|(id, _)| id)
    }

    /// What a node reads.
    pub fn reads<'a>(&'a self, node: &'a Node) -> impl ExactSizeIterator<Item = &'a Tensor> + 'a {
        node.reads.iter().map(|&id| &self.tensors[id])
    }
}

impl Tensor {
    fn check(&self) -> Result<(), Problem> {
        let Tensor { name: _, shape, datatype: Datatype::Float(format), source } = self;
        let count = elements(shape).ok_or_else(|| Problem::Size { shape: shape.clone() })?;
        match source {
            Source::Input | Source::Node(_) => Ok(()),
            Source::Constant(values) => {
                if values.len() != count {
                    return Err(Problem::Stored { stored: values.len(), shape: shape.clone() });
                }
                if !values.fits(*format) {
                    return Err(Problem::Value { element: 0, format: *format });
                }
                match values.iter().position(|value| !is_admitted(*format, value)) {
                    Some(element) => Err(Problem::Value { element, format: *format }),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The parameters of an operation on tensors of `format`, each with the format that it is in.
fn parameters(op: &Op, format: Format) -> Vec<(Format, Encoding)> {
    let attribute = |parameter| (Format::BINARY32, parameter);
    match op {
        Op::Unary(unary) => match *unary {
            Unary::LeakyRelu { slope } => vec![attribute(slope)],
            Unary::Clip { low, high } => low.into_iter().chain(high).map(|limit| (format, limit)).collect(),
            Unary::HardSigmoid { slope, offset } => vec![attribute(slope), attribute(offset)],
            Unary::Neg
            | Unary::Abs
            | Unary::Relu
            | Unary::Sign
            | Unary::Sqrt
            | Unary::Reciprocal
            | Unary::Function(_) => Vec::new(),
        },
        Op::BatchNormalization { epsilon } => vec![attribute(*epsilon)],
        Op::MatMul
        | Op::Conv { geometry: _, groups: _ }
        | Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Max
        | Op::Min
        | Op::PRelu
        | Op::Reduce { reduction: _, axes: _ }
        | Op::Pool { pool: _, geometry: _ }
        | Op::Softmax { axis: _ }
        | Op::LogSoftmax { axis: _ }
        | Op::Normalize(_)
        | Op::Arrange(_)
        | Op::Cast
        | Op::Compare(_)
        | Op::Where => Vec::new(),
    }
}
