//! A small evaluator of ONNX models over `roundproof-softfloat`: what each operator means, one element after the other.

use std::cmp::Ordering;
use std::collections::HashMap;

use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_onnx::proto::{DataType, Length, ModelProto, NodeProto, TensorProto};
use roundproof_onnx::{ELEMENTS, INPUTS, OUTPUTS};
use roundproof_softfloat::{Arithmetic, compare};

const NEAREST: RoundingMode = RoundingMode::TiesToEven;

/// A tensor of no axis but the last, or of the batch and that one. Of booleans, elements are 0 and 1; of integers, themselves.
#[derive(Clone)]
struct Tensor {
    element: Element,
    batch: Option<usize>,
    width: usize,
    data: Vec<u128>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Float(Format),
    Integer,
    Boolean,
}

impl Tensor {
    fn at(&self, row: usize, column: usize) -> Encoding {
        let row = if self.batch == Some(1) || self.batch.is_none() { 0 } else { row };
        let column = if self.width == 1 { 0 } else { column };
        Encoding::from_bits(self.data[row * self.width + column])
    }

    fn format(&self) -> Result<Format, String> {
        match self.element {
            Element::Float(format) => Ok(format),
            other => Err(format!("{other:?} in place of floats")),
        }
    }
}

pub fn format_of(element: Option<i32>) -> Result<Format, String> {
    let found = ELEMENTS.iter().find(|(_, known)| Some(*known as i32) == element);
    found.map(|(format, _)| *format).ok_or_else(|| format!("element type {element:?}"))
}

/// The outputs of a model in several rows.
pub fn evaluate(model: &ModelProto, rows: &[Vec<Encoding>]) -> Result<Vec<Vec<Encoding>>, String> {
    let graph = model.graph.as_ref().ok_or("no graph")?;
    let [input] = &graph.input[..] else { return Err("not one input".to_string()) };
    let tensor = input.r#type.as_ref().and_then(|known| known.tensor_type.as_ref()).ok_or("no type")?;
    let dims: Vec<_> = tensor.shape.iter().flat_map(|shape| &shape.dim).map(|dim| dim.value.clone()).collect();
    let [Some(Length::DimParam(_)), Some(Length::DimValue(width))] = &dims[..] else { return Err("a shape".into()) };
    let width = *width as usize;
    if input.name.as_deref() != Some(INPUTS) || rows.iter().any(|row| row.len() != width) {
        return Err("inputs".to_string());
    }
    let data = rows.iter().flatten().map(|value| value.bits()).collect();
    let element = Element::Float(format_of(tensor.elem_type)?);
    let mut tensors = HashMap::from([(INPUTS.to_string(), Tensor { element, batch: Some(rows.len()), width, data })]);
    for initializer in &graph.initializer {
        tensors.insert(initializer.name.clone().ok_or("a name")?, constant(initializer)?);
    }
    for node in &graph.node {
        let inputs: Option<Vec<&Tensor>> = node.input.iter().map(|name| tensors.get(name)).collect();
        let inputs = inputs.ok_or_else(|| format!("{:?} reads what is not there", node.name))?;
        let made = apply(node, &inputs, rows.len()).map_err(|error| format!("{:?}: {error}", node.name))?;
        if tensors.insert(node.output[0].clone(), made).is_some() {
            return Err(format!("{:?} is made twice", node.output));
        }
    }
    let outputs = tensors.get(OUTPUTS).ok_or("no outputs")?;
    if outputs.element != element {
        return Err("outputs of another type".to_string());
    }
    Ok((0..rows.len()).map(|row| (0..outputs.width).map(|column| outputs.at(row, column)).collect()).collect())
}

fn constant(tensor: &TensorProto) -> Result<Tensor, String> {
    let bytes = tensor.raw_data.as_ref().ok_or("no data")?;
    let [width] = tensor.dims[..] else { return Err("not one axis".to_string()) };
    let (element, size) = match tensor.data_type {
        Some(known) if known == DataType::Int32 as i32 => (Element::Integer, 4),
        other => {
            let format = format_of(other)?;
            (Element::Float(format), format.storage_width() as usize / 8)
        }
    };
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u128::from(byte));
    let data: Vec<u128> = bytes.chunks(size).map(word).collect();
    if data.len() != width as usize {
        return Err("another number of elements".to_string());
    }
    Ok(Tensor { element, batch: None, width: width as usize, data })
}

fn attribute(node: &NodeProto, name: &str) -> Option<i64> {
    node.attribute.iter().find(|known| known.name.as_deref() == Some(name)).and_then(|known| known.i)
}

fn apply(node: &NodeProto, inputs: &[&Tensor], rows: usize) -> Result<Tensor, String> {
    let elementwise = |element: Element, of: &dyn Fn(&[Encoding]) -> Result<u128, String>| {
        let width = inputs.iter().map(|tensor| tensor.width).max().unwrap_or(0);
        if inputs.iter().any(|tensor| tensor.width != width && tensor.width != 1) {
            return Err("widths".to_string());
        }
        let batch = inputs.iter().any(|tensor| tensor.batch.is_some()).then_some(rows);
        let places = (0..batch.unwrap_or(1)).flat_map(|row| (0..width).map(move |column| (row, column)));
        let at = |(row, column)| of(&inputs.iter().map(|tensor| tensor.at(row, column)).collect::<Vec<_>>());
        Ok(Tensor { element, batch, width, data: places.map(at).collect::<Result<_, _>>()? })
    };
    let alike = || {
        let format = inputs[0].format()?;
        if inputs.iter().any(|tensor| tensor.element != inputs[0].element) {
            return Err("operands of several types".to_string());
        }
        Arithmetic::new(format, Overflow::Ieee)
            .map_err(|error| error.to_string())
            .map(|arithmetic| (format, arithmetic))
    };
    let columns = |tensors: &[(&Tensor, usize)]| -> Vec<u128> {
        (0..rows).flat_map(|row| tensors.iter().map(move |(tensor, column)| tensor.at(row, *column).bits())).collect()
    };
    let compared = |admits: &[Ordering]| {
        let (format, _) = alike()?;
        elementwise(Element::Boolean, &|of| {
            Ok(u128::from(compare(format, of[0], of[1]).is_some_and(|order| admits.contains(&order))))
        })
    };
    match node.op_type.as_deref().ok_or("no operator")? {
        "Identity" => Ok(inputs[0].clone()),
        "Shape" => {
            let (batch, width) = (inputs[0].batch.ok_or("no batch")?, inputs[0].width);
            Ok(Tensor { element: Element::Integer, batch: None, width: 2, data: vec![batch as u128, width as u128] })
        }
        "Expand" if inputs[1].data == [rows as u128, 1] => Ok(Tensor {
            batch: Some(rows),
            data: (0..rows).flat_map(|_| inputs[0].data.iter().copied()).collect(),
            ..inputs[0].clone()
        }),
        "Gather" if attribute(node, "axis") == Some(1) && inputs[1].element == Element::Integer => {
            let from = inputs[0];
            if inputs[1].data.iter().any(|&index| index >= from.width as u128) {
                return Err("an index".to_string());
            }
            let places: Vec<_> = inputs[1].data.iter().map(|&index| (from, index as usize)).collect();
            Ok(Tensor { width: places.len(), data: columns(&places), ..from.clone() })
        }
        "Concat" if attribute(node, "axis") == Some(1) => {
            alike()?;
            let places: Vec<_> =
                inputs.iter().flat_map(|&part| (0..part.width).map(move |column| (part, column))).collect();
            Ok(Tensor { element: inputs[0].element, batch: Some(rows), width: places.len(), data: columns(&places) })
        }
        "Mul" => {
            let (format, arithmetic) = alike()?;
            elementwise(Element::Float(format), &|of| Ok(arithmetic.multiply(NEAREST, of[0], of[1]).encoding.bits()))
        }
        "Add" => {
            let (format, arithmetic) = alike()?;
            elementwise(Element::Float(format), &|of| Ok(arithmetic.add(NEAREST, of[0], of[1]).encoding.bits()))
        }
        "Max" => {
            let (format, arithmetic) = alike()?;
            elementwise(Element::Float(format), &|of| Ok(arithmetic.maximum(of[0], of[1]).encoding.bits()))
        }
        "Cast" => {
            let (from, to) = (inputs[0].format()?, format_of(attribute(node, "to").map(|to| to as i32))?);
            let overflow = match attribute(node, "saturate") {
                Some(1) => Overflow::Saturate,
                Some(0) if !to.has_infinity() => Overflow::Nan,
                _ => Overflow::Ieee,
            };
            let arithmetic = Arithmetic::new(to, overflow).map_err(|error| error.to_string())?;
            elementwise(Element::Float(to), &|of| Ok(arithmetic.convert(NEAREST, from, of[0]).encoding.bits()))
        }
        "Less" => compared(&[Ordering::Less]),
        "Greater" => compared(&[Ordering::Greater]),
        "Equal" => compared(&[Ordering::Equal]),
        "LessOrEqual" => compared(&[Ordering::Less, Ordering::Equal]),
        "GreaterOrEqual" => compared(&[Ordering::Greater, Ordering::Equal]),
        "Where" if inputs[0].element == Element::Boolean && inputs[1].element == inputs[2].element => {
            elementwise(inputs[1].element, &|of| Ok(if of[0].bits() == 1 { of[1] } else { of[2] }.bits()))
        }
        other => Err(format!("no operator {other} like this")),
    }
}
