//! A graph under construction.

use roundproof_format::Encoding;
use roundproof_network::{Encodings, Store};

use crate::ExportError;
use crate::element::Arithmetic;
use crate::proto::{AttributeProto, AttributeType, DataType, GraphProto, NodeProto, TensorProto};

/// The most bytes of a serialized model: protobuf's limit, less what surrounds the constants.
const MOST_BYTES: usize = i32::MAX as usize - (1 << 20);

/// A graph under construction. Every tensor but the constants has the batch as its first axis.
pub(crate) struct Graph {
    proto: GraphProto,
    /// Goes before the names of nodes.
    pub scope: String,
    bytes: usize,
}

/// A tensor of a graph: of `[batch, width]`, or a constant.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub name: String,
    pub width: usize,
    pub element: DataType,
}

impl Graph {
    pub fn new() -> Graph {
        Graph { proto: GraphProto::default(), scope: String::new(), bytes: 0 }
    }

    pub fn into_proto(self) -> GraphProto {
        self.proto
    }

    /// A node with one output, which has its name.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let name = format!("{}{op}_{}", self.scope, self.proto.node.len());
        self.named(name.clone(), op, inputs, attributes);
        name
    }

    /// A node with this name, which is that of its output.
    pub fn named(&mut self, name: String, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) {
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![name.clone()],
            name: Some(name),
            op_type: Some(op.to_string()),
            attribute: attributes,
            domain: None,
        });
    }

    /// A constant.
    ///
    /// # Errors
    ///
    /// If the model gets too large.
    pub fn constant(&mut self, element: DataType, dims: Vec<i64>, data: Vec<u8>) -> Result<String, ExportError> {
        self.bytes = self.bytes.saturating_add(data.len());
        if self.bytes > MOST_BYTES {
            return Err(ExportError::Size);
        }
        let name = format!("{}constant_{}", self.scope, self.proto.initializer.len());
        self.proto.initializer.push(TensorProto {
            dims,
            data_type: Some(element as i32),
            name: Some(name.clone()),
            raw_data: Some(data),
            ..TensorProto::default()
        });
        Ok(name)
    }

    /// Numbers of a network, as they are stored, in tensors of `carrier`.
    pub fn stored(&mut self, from: &Arithmetic, numbers: &Encodings, carrier: DataType) -> Result<Tensor, ExportError> {
        let name = self.constant(from.element, vec![numbers.len() as i64], little_endian(numbers))?;
        Ok(self.cast(&Tensor { name, width: numbers.len(), element: from.element }, carrier))
    }

    /// One number of a network, for each element.
    pub fn number(&mut self, of: &Arithmetic, number: Encoding) -> Result<Tensor, ExportError> {
        self.stored(of, &Encodings::collect(of.format, [number]), of.carrier)
    }

    /// Indices.
    pub fn indices(&mut self, indices: &[u32]) -> Result<String, ExportError> {
        let bytes = indices.iter().map(|&index| i32::try_from(index).map(i32::to_le_bytes));
        let bytes: Result<Vec<[u8; 4]>, _> = bytes.collect();
        self.constant(DataType::Int32, vec![indices.len() as i64], bytes.map_err(|_| ExportError::Size)?.concat())
    }

    /// Some elements of each row, in this order.
    pub fn gather(&mut self, of: &Tensor, indices: &[u32]) -> Result<Tensor, ExportError> {
        if indices.len() == of.width && indices.iter().enumerate().all(|(index, &from)| index == from as usize) {
            return Ok(of.clone());
        }
        let constant = self.indices(indices)?;
        let name = self.node("Gather", &[&of.name, &constant], vec![integer("axis", 1)]);
        Ok(Tensor { name, width: indices.len(), element: of.element })
    }

    /// Rows, one behind the other.
    pub fn concat(&mut self, parts: &[Tensor]) -> Tensor {
        if let [only] = parts {
            return only.clone();
        }
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let name = self.node("Concat", &names, vec![integer("axis", 1)]);
        Tensor { name, width: parts.iter().map(|part| part.width).sum(), element: parts[0].element }
    }

    /// An operation on elements. The width is that of the last operand.
    pub fn elementwise(&mut self, op: &str, operands: &[&Tensor]) -> Tensor {
        let names: Vec<&str> = operands.iter().map(|operand| operand.name.as_str()).collect();
        let name = self.node(op, &names, Vec::new());
        let last = operands[operands.len() - 1];
        Tensor { name, width: last.width, element: last.element }
    }

    /// In tensors of another type, which has all values that there are.
    pub fn cast(&mut self, of: &Tensor, to: DataType) -> Tensor {
        if of.element == to {
            return of.clone();
        }
        let name = self.node("Cast", &[&of.name], vec![integer("to", to as i64)]);
        Tensor { name, width: of.width, element: to }
    }

    /// Rounded to a format, in its own type.
    pub fn narrow(&mut self, of: &Tensor, to: &Arithmetic) -> Tensor {
        if of.element == to.element {
            return of.clone();
        }
        let name = self.node("Cast", &[&of.name], narrowing(to));
        Tensor { name, width: of.width, element: to.element }
    }

    /// Rounded to a format, in tensors of its carrier.
    pub fn round(&mut self, of: &Tensor, to: &Arithmetic) -> Tensor {
        let narrow = self.narrow(of, to);
        self.cast(&narrow, to.carrier)
    }
}

/// The attributes of a Cast that rounds to a format.
pub(crate) fn narrowing(to: &Arithmetic) -> Vec<AttributeProto> {
    let mut attributes = vec![integer("to", to.element as i64)];
    attributes.extend(to.saturate.map(|saturate| integer("saturate", i64::from(saturate))));
    attributes
}

/// An integer attribute.
fn integer(name: &str, value: i64) -> AttributeProto {
    let r#type = Some(AttributeType::Int as i32);
    AttributeProto { name: Some(name.to_string()), i: Some(value), r#type, ..AttributeProto::default() }
}

fn little_endian(numbers: &Encodings) -> Vec<u8> {
    match numbers.store() {
        Store::U8(vec) => vec.clone(),
        Store::U16(vec) => vec.iter().flat_map(|bits| bits.to_le_bytes()).collect(),
        Store::U32(vec) => vec.iter().flat_map(|bits| bits.to_le_bytes()).collect(),
        Store::U64(vec) => vec.iter().flat_map(|bits| bits.to_le_bytes()).collect(),
        Store::U128(vec) => vec.iter().flat_map(|bits| bits.to_le_bytes()).collect(),
    }
}
