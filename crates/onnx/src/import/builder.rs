//! A graph under construction, and the values that names of a model stand for.

use std::cell::Cell;
use std::rc::Rc;

use roundproof_format::Format;
use roundproof_graph::{MAX_NODES, Node, Op, Pick, Source, Tensor, TensorId, result_shape};
use roundproof_network::{Datatype, Encodings, is_admitted};

use super::constant::{Constant, Values};
use super::error::Problem;

/// The most elements of all constants that are made of other constants, and of all arrangements: no small file makes a large
/// graph.
const MAX_MADE: usize = 1 << 24;

/// What a name of a model stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// What is known whatever the row is.
    Constant(Rc<Known>),
    /// Numbers.
    Tensor(TensorId),
    /// Truth values, as the numbers 0 and 1.
    Truth(TensorId),
    /// The place of the largest of several numbers, or the label that stands for it.
    Labels(Rc<Labels>),
    /// What cannot be told, since the node that makes it is not supported.
    Unknown,
}

/// A constant, and the tensor that it is in the graph, once a node reads it.
#[derive(Debug)]
pub(super) struct Known {
    pub name: String,
    pub constant: Constant,
    tensor: Cell<Option<TensorId>>,
}

/// What only tells which of several numbers is the largest.
#[derive(Clone, Debug)]
pub(super) struct Labels {
    /// The numbers.
    pub tensor: TensorId,
    /// Along which axis they are compared.
    pub axis: usize,
    /// What stands for each of them.
    pub labels: Values,
}

impl Value {
    pub fn constant(name: &str, constant: Constant) -> Value {
        Value::Constant(Rc::new(Known { name: name.to_string(), constant, tensor: Cell::new(None) }))
    }
}

/// A graph under construction.
pub(super) struct Builder {
    pub tensors: Vec<Tensor>,
    pub nodes: Vec<Node>,
    /// For each node, that of the model which it comes from.
    pub origins: Vec<usize>,
    /// The node of the model that is read.
    pub number: usize,
    /// What it is called.
    pub name: String,
    /// What it makes is called.
    pub output: String,
    /// Elements that may still be made.
    left: usize,
}

impl Builder {
    pub fn new() -> Builder {
        let (name, output) = (String::new(), String::new());
        Builder { tensors: Vec::new(), nodes: Vec::new(), origins: Vec::new(), number: 0, name, output, left: MAX_MADE }
    }

    pub fn input(&mut self, name: &str, shape: Vec<usize>, format: Format) -> TensorId {
        let datatype = Datatype::Float(format);
        self.tensors.push(Tensor { name: name.to_string(), shape, datatype, source: Source::Input });
        self.tensors.len() - 1
    }

    pub fn shape(&self, tensor: TensorId) -> &[usize] {
        &self.tensors[tensor].shape
    }

    pub fn format(&self, tensor: TensorId) -> Format {
        self.tensors[tensor].format()
    }

    /// Says that so many elements are made.
    pub fn make(&mut self, elements: usize) -> Result<(), Problem> {
        match self.left.checked_sub(elements) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Problem::other(format!(
                "more than {MAX_MADE} elements are made by operations on constants, or moved by reshapes and their like"
            ))),
        }
    }

    /// The tensor that a constant is in the graph.
    pub fn known(&mut self, known: &Known) -> Result<TensorId, Problem> {
        if let Some(tensor) = known.tensor.get() {
            return Ok(tensor);
        }
        let tensor = self.constant(&known.name, &known.constant)?;
        known.tensor.set(Some(tensor));
        Ok(tensor)
    }

    /// A constant as a tensor of the graph.
    pub fn constant(&mut self, name: &str, constant: &Constant) -> Result<TensorId, Problem> {
        let Constant { shape, values } = constant;
        let (format, values) = match values {
            Values::Floats(format, values) => (*format, values),
            Values::Integers(_, _) | Values::Texts(_) => {
                let found = values.describe();
                return Err(Problem::other(format!("numbers of a floating-point type are needed, not {found}")));
            }
        };
        if let Some(element) = values.iter().position(|value| !is_admitted(format, value)) {
            let what = if format.is_nan(values.get(element)) { "not a number" } else { "infinite" };
            let name = super::error::quoted(name);
            return Err(Problem::other(format!("the constant {name} is {what} at element {element}")));
        }
        let source = Source::Constant(values.clone());
        let datatype = Datatype::Float(format);
        self.tensors.push(Tensor { name: name.to_string(), shape: shape.clone(), datatype, source });
        Ok(self.tensors.len() - 1)
    }

    /// A node; its result has the data type of what it reads first.
    pub fn node(&mut self, op: Op, reads: &[TensorId]) -> Result<TensorId, Problem> {
        let format = self.format(reads[0]);
        self.node_in(op, reads, format, &[])
    }

    /// A cast, unless there is nothing to be done.
    pub fn cast(&mut self, tensor: TensorId, format: Format) -> Result<TensorId, Problem> {
        if self.format(tensor) == format { Ok(tensor) } else { self.node_in(Op::Cast, &[tensor], format, &[]) }
    }

    /// A node that arranges elements.
    pub fn arrange(&mut self, reads: &[TensorId], shape: &[usize], picks: Vec<Pick>) -> Result<TensorId, Problem> {
        let format = self.format(reads[0]);
        self.node_in(Op::Arrange(picks), reads, format, shape)
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, tensor: TensorId, shape: &[usize]) -> Result<TensorId, Problem> {
        if self.shape(tensor) == shape {
            return Ok(tensor);
        }
        let count = self.tensors[tensor].elements();
        self.make(count)?;
        let picks = (0..count as u32).map(|element| Pick { read: 0, element }).collect();
        self.arrange(&[tensor], shape, picks)
    }

    fn node_in(&mut self, op: Op, reads: &[TensorId], format: Format, declared: &[usize]) -> Result<TensorId, Problem> {
        if !matches!(op, Op::Cast)
            && let Some(read) = reads.iter().position(|&read| self.format(read) != format)
        {
            let found = self.format(reads[read]);
            let what = format!("it is of {found}, and {format} is needed, the data type of the others");
            return Err(Problem::operand(read, what));
        }
        if self.nodes.len() >= MAX_NODES {
            return Err(roundproof_graph::Problem::Nodes { nodes: self.nodes.len() + 1 }.into());
        }
        let shapes: Vec<&[usize]> = reads.iter().map(|&read| self.shape(read)).collect();
        let shape = result_shape(&op, &shapes, declared)?;
        if roundproof_graph::elements(&shape).is_none() {
            return Err(roundproof_graph::Problem::Size { shape }.into());
        }
        let writes = self.tensors.len();
        let name = format!("{}/{}", self.output, op.name());
        let source = Source::Node(self.nodes.len());
        self.tensors.push(Tensor { name, shape, datatype: Datatype::Float(format), source });
        self.nodes.push(Node { name: self.name.clone(), op, reads: reads.to_vec(), writes });
        self.origins.push(self.number);
        Ok(writes)
    }

    /// Gives what the node of the model made the name that the model has for it.
    pub fn name_result(&mut self, value: &Value, name: &str) {
        let tensor = match value {
            Value::Tensor(tensor) | Value::Truth(tensor) => *tensor,
            Value::Constant(_) | Value::Labels(_) | Value::Unknown => return,
        };
        if let Source::Node(node) = self.tensors[tensor].source
            && self.origins[node] == self.number
        {
            self.tensors[tensor].name = name.to_string();
        }
    }

    /// One number in each place.
    pub fn filled(format: Format, value: roundproof_format::Encoding, count: usize) -> Encodings {
        Encodings::collect(format, std::iter::repeat_n(value, count))
    }
}
