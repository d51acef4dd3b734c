//! The first walk over the bytes of a model, before anything is allocated for it: every field is one that is known, what would be
//! ignored although it means something is refused, and there are not more parts than is supported.
//!
//! Numbers of fields are those of `onnx.proto`; how fields are written is protobuf's encoding.

use prost::encoding::{WireType, decode_key, decode_varint};
use thiserror::Error;

/// The most messages, names and texts of a model: each becomes an allocation, and takes two bytes of a file at least.
const MAX_PARTS: usize = 1 << 20;

/// Bytes that are not a model, or one with parts that are not supported.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {problem}")]
pub struct ScanError {
    /// The message: model, graph, node 3, …
    pub place: String,
    /// What is wrong.
    pub problem: ScanProblem,
}

/// What is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScanProblem {
    /// The bytes are not what protobuf writes.
    #[error("the bytes are not an ONNX model, or a truncated one: {what}")]
    Encoding {
        /// What is not.
        what: String,
    },
    /// A field that is not known.
    #[error("field {number} is not known; export the model with an older version of ONNX")]
    Unknown {
        /// Its number.
        number: u32,
    },
    /// A field that may be there once.
    #[error("field {number} is there twice")]
    Twice {
        /// Its number.
        number: u32,
    },
    /// A field that is known and not supported.
    #[error("{what} are not supported; {remedy}")]
    Unsupported {
        /// What the field holds.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Too many parts.
    #[error("the model has more than {MAX_PARTS} nodes, names, attributes and tensors")]
    Parts,
}

/// The messages that are read.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Dimension,
    Opset,
}

/// What a field holds.
enum Field {
    /// A number, a text or bytes.
    Plain,
    /// The same, any number of times.
    Plains,
    /// A message.
    One(Kind),
    /// Messages.
    Many(Kind),
    /// What means nothing for the values that a model computes, or is refused where it is used, any number of times.
    Ignored,
    /// What is not supported, and what to do.
    Unsupported(&'static str, &'static str),
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::Graph => "graph",
            Kind::Node => "node",
            Kind::Attribute => "attribute",
            Kind::Tensor => "tensor",
            Kind::ValueInfo => "input or output",
            Kind::Type => "type",
            Kind::TensorType => "tensor type",
            Kind::Shape => "shape",
            Kind::Dimension => "dimension",
            Kind::Opset => "operator set",
        }
    }

    /// What the field with this number holds; none if it is not known.
    const fn field(self, number: u32) -> Option<Field> {
        Some(match (self, number) {
            (Kind::Model, 1..=6) => Field::Plain,
            (Kind::Model, 7) => Field::One(Kind::Graph),
            (Kind::Model, 8) => Field::Many(Kind::Opset),
            (Kind::Model, 14 | 26) => Field::Ignored,
            (Kind::Model, 20) => Field::Unsupported("graphs for training", "export the model for inference"),
            (Kind::Model, 25) => Field::Unsupported(
                "functions of a model's own",
                "replace their calls by their nodes (onnx.inliner.inline_local_functions)",
            ),
            (Kind::Graph, 1) => Field::Many(Kind::Node),
            (Kind::Graph, 2 | 10) => Field::Plain,
            (Kind::Graph, 5) => Field::Many(Kind::Tensor),
            (Kind::Graph, 11 | 12) => Field::Many(Kind::ValueInfo),
            (Kind::Graph, 13 | 16) => Field::Ignored,
            (Kind::Graph, 14) => Field::Unsupported("annotations of quantization", "export the model without them"),
            (Kind::Graph, 15) => Field::Unsupported("sparse initializers", "store them as dense ones"),
            (Kind::Node, 1 | 2) => Field::Plains,
            (Kind::Node, 3 | 4 | 6 | 7) => Field::Plain,
            (Kind::Node, 5) => Field::Many(Kind::Attribute),
            (Kind::Node, 9 | 10) => Field::Ignored,
            (Kind::Node, 8) => Field::Unsupported("overloads of functions", "replace their calls by their nodes"),
            (Kind::Attribute, 1..=4 | 13 | 20) => Field::Plain,
            (Kind::Attribute, 5) => Field::One(Kind::Tensor),
            (Kind::Attribute, 7..=9) => Field::Plains,
            // Whoever takes an attribute refuses the types that these hold.
            (Kind::Attribute, 6 | 10 | 11 | 14 | 15 | 22 | 23) => Field::Ignored,
            (Kind::Attribute, 21) => Field::Unsupported(
                "references to attributes of a function",
                "replace calls of functions by their nodes",
            ),
            (Kind::Tensor, 1 | 4..=7 | 10 | 11) => Field::Plains,
            (Kind::Tensor, 2 | 8 | 9 | 12) => Field::Plain,
            (Kind::Tensor, 16) => Field::Ignored,
            (Kind::Tensor, 3) => Field::Unsupported("segments of tensors", "store each tensor as a whole"),
            (Kind::Tensor, 13 | 14) => Field::Unsupported(
                "data in another file",
                "put them into the model's file (onnx.load, then onnx.save with save_as_external_data=False)",
            ),
            (Kind::ValueInfo, 1 | 3) => Field::Plain,
            (Kind::ValueInfo, 2) => Field::One(Kind::Type),
            (Kind::ValueInfo, 4) => Field::Ignored,
            (Kind::Type, 1) => Field::One(Kind::TensorType),
            (Kind::Type, 6) => Field::Plain,
            // Of inputs, what has no tensor type is refused; of outputs, the type is not used.
            (Kind::Type, 4 | 5 | 7..=9) => Field::Ignored,
            (Kind::TensorType, 1) => Field::Plain,
            (Kind::TensorType, 2) => Field::One(Kind::Shape),
            (Kind::Shape, 1) => Field::Many(Kind::Dimension),
            (Kind::Dimension, 1..=3) => Field::Plain,
            (Kind::Opset, 1 | 2) => Field::Plain,
            (
                Kind::Model
                | Kind::Graph
                | Kind::Node
                | Kind::Attribute
                | Kind::Tensor
                | Kind::ValueInfo
                | Kind::Type
                | Kind::TensorType
                | Kind::Shape
                | Kind::Dimension
                | Kind::Opset,
                _,
            ) => return None,
        })
    }
}

/// Walks over the bytes of a model.
///
/// # Errors
///
/// If they are not one, or have what is not supported.
pub(super) fn scan(bytes: &[u8]) -> Result<(), ScanError> {
    Scan { parts: 0 }.message(Kind::Model, bytes).map_err(|(mut place, problem)| {
        place.push(Kind::Model.name().to_string());
        place.reverse();
        ScanError { place: place.join(", "), problem }
    })
}

/// A problem, and the places that it is in, from the inside out.
type Misfit = (Vec<String>, ScanProblem);

struct Scan {
    parts: usize,
}

impl Scan {
    fn message(&mut self, kind: Kind, mut bytes: &[u8]) -> Result<(), Misfit> {
        let here = |problem| (Vec::new(), problem);
        let broken = |what: &dyn std::fmt::Display| here(ScanProblem::Encoding { what: what.to_string() });
        // Fields that were there, and how many of each that holds messages.
        let (mut seen, mut counts) = (0u64, [0usize; 32]);
        while !bytes.is_empty() {
            let (number, wire) = decode_key(&mut bytes).map_err(|error| broken(&error))?;
            let field = kind.field(number).ok_or_else(|| here(ScanProblem::Unknown { number }))?;
            let content = content(&mut bytes, wire).map_err(|what| broken(&what))?;
            let once = match field {
                Field::Unsupported(what, remedy) => return Err(here(ScanProblem::Unsupported { what, remedy })),
                Field::Plain => true,
                Field::Plains | Field::Ignored => {
                    // An unpacked number is not larger in memory than in the file, by much.
                    self.parts += usize::from(content.is_some());
                    false
                }
                Field::One(inner) | Field::Many(inner) => {
                    let content = content.ok_or_else(|| broken(&format!("field {number} is not a message")))?;
                    let count = &mut counts[number as usize];
                    self.parts += 1;
                    self.message(inner, content).map_err(|(mut place, problem)| {
                        place.push(format!("{} {count}", inner.name()));
                        (place, problem)
                    })?;
                    *count += 1;
                    matches!(field, Field::One(_))
                }
            };
            if once && seen >> number & 1 == 1 {
                return Err(here(ScanProblem::Twice { number }));
            }
            seen |= 1 << number;
            if self.parts > MAX_PARTS {
                return Err(here(ScanProblem::Parts));
            }
        }
        Ok(())
    }
}

/// Takes the content of a field off the bytes: what is in it, if it has a length.
fn content<'a>(bytes: &mut &'a [u8], wire: WireType) -> Result<Option<&'a [u8]>, String> {
    let take = |bytes: &mut &'a [u8], length: usize| {
        let (content, rest) = bytes.split_at_checked(length).ok_or("it ends within a field")?;
        *bytes = rest;
        Ok::<_, String>(content)
    };
    match wire {
        WireType::Varint => decode_varint(bytes).map(|_| None).map_err(|error| error.to_string()),
        WireType::ThirtyTwoBit => take(bytes, 4).map(|_| None),
        WireType::SixtyFourBit => take(bytes, 8).map(|_| None),
        WireType::LengthDelimited => {
            let length = decode_varint(bytes).map_err(|error| error.to_string())?;
            take(bytes, usize::try_from(length).unwrap_or(usize::MAX)).map(Some)
        }
        WireType::StartGroup | WireType::EndGroup => Err("groups are not used in ONNX".to_string()),
    }
}
