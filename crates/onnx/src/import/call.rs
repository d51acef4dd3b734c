//! One node of a model while it is read: its operands and attributes, typed.

use std::collections::BTreeMap;
use std::rc::Rc;

use roundproof_format::{Encoding, Format};
use roundproof_graph::{MAX_AXES, TensorId};

use super::builder::{Builder, Labels, Value};
use super::constant::{Constant, shown};
use super::error::Problem;
use crate::proto::{AttributeProto, AttributeType, NodeProto, TensorProto};

/// One node of a model while it is read.
pub(super) struct Call<'a> {
    pub builder: &'a mut Builder,
    /// What it reads; none where an operand is left out.
    pub operands: Vec<Option<Value>>,
    attributes: BTreeMap<String, Attribute>,
    /// The version of its operator set.
    pub version: i64,
    /// Which of its outputs have a name.
    pub outputs: Vec<bool>,
}

/// The value of an attribute.
enum Attribute {
    Float(f32),
    Integer(i64),
    Text(Vec<u8>),
    Tensor(TensorProto),
    Floats(Vec<f32>),
    Integers(Vec<i64>),
    Texts(Vec<Vec<u8>>),
}

impl<'a> Call<'a> {
    pub fn new(
        builder: &'a mut Builder,
        node: &NodeProto,
        operands: Vec<Option<Value>>,
        version: i64,
    ) -> Result<Call<'a>, Problem> {
        let mut attributes = BTreeMap::new();
        for proto in &node.attribute {
            let name = proto.name.clone().unwrap_or_default();
            let value = attribute(&name, proto)?;
            if attributes.insert(name.clone(), value).is_some() {
                return Err(Problem::attribute(&name, "it is there twice"));
            }
        }
        let outputs = node.output.iter().map(|name| !name.is_empty()).collect();
        Ok(Call { builder, operands, attributes, version, outputs })
    }

    /// Refuses what was not taken.
    pub fn finish(&self) -> Result<(), Problem> {
        match self.attributes.first_key_value() {
            Some((name, _)) => {
                Err(Problem::attribute(name, "this operator does not have it, in the version that the model names"))
            }
            None => Ok(()),
        }
    }

    /// Refuses other numbers of operands.
    pub fn expect(&self, least: usize, most: usize) -> Result<(), Problem> {
        let found = self.operands.len();
        if (least..=most).contains(&found) {
            return Ok(());
        }
        let needed = if least == most { least.to_string() } else { format!("{least} to {most}") };
        Err(Problem::other(format!("it has {found} operands, and {needed} are needed")))
    }

    /// Refuses outputs beyond the first.
    pub fn one_output(&self, others: &str) -> Result<(), Problem> {
        match self.outputs.iter().skip(1).any(|named| *named) {
            true => Err(Problem::other(format!("its second output ({others}) is not supported"))),
            false => Ok(()),
        }
    }

    pub fn has(&self, operand: usize) -> bool {
        matches!(self.operands.get(operand), Some(Some(_)))
    }

    pub fn value(&self, operand: usize) -> Result<&Value, Problem> {
        match self.operands.get(operand) {
            Some(Some(value)) => Ok(value),
            Some(None) | None => Err(Problem::operand(operand, "it is missing")),
        }
    }

    /// Numbers, as a tensor of the graph.
    pub fn tensor(&mut self, operand: usize) -> Result<TensorId, Problem> {
        match self.value(operand)?.clone() {
            Value::Tensor(tensor) => Ok(tensor),
            Value::Constant(known) => self.builder.known(&known).map_err(|problem| match problem {
                Problem::Other(what) => Problem::operand(operand, what),
                problem => problem,
            }),
            Value::Truth(_) => Err(Problem::operand(operand, "numbers are needed, not truth values")),
            Value::Labels(_) => {
                Err(Problem::operand(operand, "it is a label or a place of a maximum, which cannot be computed with"))
            }
            Value::Unknown => Err(Problem::operand(operand, "it is not known")),
        }
    }

    /// What is known whatever the row is.
    pub fn constant(&self, operand: usize) -> Result<&Constant, Problem> {
        match self.value(operand)? {
            Value::Constant(known) => Ok(&known.constant),
            Value::Tensor(_) | Value::Truth(_) | Value::Labels(_) | Value::Unknown => Err(Problem::operand(
                operand,
                "it has to be a constant, and depends on the inputs; store it as an initializer",
            )),
        }
    }

    /// Integers that are known whatever the row is.
    pub fn integers(&self, operand: usize) -> Result<Vec<i64>, Problem> {
        let constant = self.constant(operand)?;
        let found = || Problem::operand(operand, format!("integers are needed, not {}", constant.values.describe()));
        constant.as_integers().map(<[i64]>::to_vec).ok_or_else(found)
    }

    /// One integer that is known whatever the row is.
    pub fn integer(&self, operand: usize) -> Result<i64, Problem> {
        match self.integers(operand)?[..] {
            [integer] => Ok(integer),
            ref others => Err(Problem::operand(operand, format!("one integer is needed, not {}", others.len()))),
        }
    }

    /// The label or place that an operand is, if it is one.
    pub fn labels(&self, operand: usize) -> Option<Rc<Labels>> {
        match self.operands.get(operand) {
            Some(Some(Value::Labels(labels))) => Some(labels.clone()),
            _ => None,
        }
    }

    /// The shape of an operand.
    pub fn shape(&self, operand: usize) -> Result<Vec<usize>, Problem> {
        match self.value(operand)? {
            Value::Constant(known) => Ok(known.constant.shape.clone()),
            Value::Tensor(tensor) | Value::Truth(tensor) => Ok(self.builder.shape(*tensor).to_vec()),
            Value::Labels(labels) => {
                let mut shape = self.builder.shape(labels.tensor).to_vec();
                shape[labels.axis] = 1;
                Ok(shape)
            }
            Value::Unknown => Err(Problem::operand(operand, "it is not known")),
        }
    }

    /// The axis of an operand that has so many, counted from the end if it is negative.
    pub fn axis_of(&self, axis: i64, axes: usize) -> Result<usize, Problem> {
        let counted = if axis < 0 { axis.checked_add(axes as i64) } else { Some(axis) };
        let counted = counted.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < axes);
        counted.ok_or_else(|| Problem::other(format!("axis {axis} of a tensor that has {axes} axes")))
    }

    /// Distinct axes of an operand that has so many, ascending.
    pub fn axes_of(&self, axes: &[i64], count: usize) -> Result<Vec<usize>, Problem> {
        if axes.len() > MAX_AXES {
            return Err(Problem::other(format!("{} axes; a tensor has at most {MAX_AXES}", axes.len())));
        }
        let mut found = Vec::with_capacity(axes.len());
        for &axis in axes {
            let axis = self.axis_of(axis, count)?;
            if found.contains(&axis) {
                return Err(Problem::other(format!("axis {axis} is named twice, in {}", shown(axes))));
            }
            found.push(axis);
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The axes of an attribute, or of an operand: whichever the operator has in its version.
    pub fn axes_argument(&mut self, operand: usize) -> Result<Option<Vec<i64>>, Problem> {
        let attribute = self.take_integers("axes")?;
        match (attribute, self.has(operand)) {
            (Some(_), true) => Err(Problem::attribute("axes", "there is an operand for them too")),
            (Some(axes), false) => Ok(Some(axes)),
            (None, true) => self.integers(operand).map(Some),
            (None, false) => Ok(None),
        }
    }

    pub fn take_integer(&mut self, name: &str) -> Result<Option<i64>, Problem> {
        match self.attributes.remove(name) {
            None => Ok(None),
            Some(Attribute::Integer(value)) => Ok(Some(value)),
            Some(other) => Err(mistyped(name, "an integer", &other)),
        }
    }

    /// Says what an operator has to say by an attribute that another one has.
    pub fn put_integer(&mut self, name: &str, value: i64) {
        self.attributes.insert(name.to_string(), Attribute::Integer(value));
    }

    pub fn take_integers(&mut self, name: &str) -> Result<Option<Vec<i64>>, Problem> {
        match self.attributes.remove(name) {
            None => Ok(None),
            Some(Attribute::Integers(values)) => Ok(Some(values)),
            Some(other) => Err(mistyped(name, "integers", &other)),
        }
    }

    pub fn take_float(&mut self, name: &str) -> Result<Option<f32>, Problem> {
        match self.attributes.remove(name) {
            None => Ok(None),
            Some(Attribute::Float(value)) => Ok(Some(value)),
            Some(other) => Err(mistyped(name, "a float", &other)),
        }
    }

    pub fn take_floats(&mut self, name: &str) -> Result<Option<Vec<f32>>, Problem> {
        match self.attributes.remove(name) {
            None => Ok(None),
            Some(Attribute::Floats(values)) => Ok(Some(values)),
            Some(other) => Err(mistyped(name, "floats", &other)),
        }
    }

    pub fn take_text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.attributes.remove(name) {
            None => Ok(None),
            Some(Attribute::Text(value)) => match String::from_utf8(value) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(Problem::attribute(name, "it is not UTF-8")),
            },
            Some(other) => Err(mistyped(name, "a text", &other)),
        }
    }

    pub fn take_texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        match self.attributes.remove(name) {
            None => Ok(None),
            Some(Attribute::Texts(values)) => {
                let texts: Result<Vec<String>, _> = values.into_iter().map(String::from_utf8).collect();
                texts.map(Some).map_err(|_| Problem::attribute(name, "it is not UTF-8"))
            }
            Some(other) => Err(mistyped(name, "texts", &other)),
        }
    }

    pub fn take_tensor(&mut self, name: &str) -> Result<Option<Constant>, Problem> {
        match self.attributes.remove(name) {
            None => Ok(None),
            Some(Attribute::Tensor(tensor)) => Constant::read(&tensor).map(Some),
            Some(other) => Err(mistyped(name, "a tensor", &other)),
        }
    }

    /// A truth value, which is written as an integer.
    pub fn take_flag(&mut self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.take_integer(name)? {
            None => Ok(default),
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(other) => Err(Problem::attribute(name, format!("{other} is neither 0 nor 1"))),
        }
    }

    /// A finite number of binary32, as an encoding.
    pub fn take_number(&mut self, name: &str, default: f32) -> Result<Encoding, Problem> {
        let value = self.take_float(name)?.unwrap_or(default);
        finite(name, value)
    }
}

/// A finite number of binary32, as an encoding.
pub(super) fn finite(attribute: &str, value: f32) -> Result<Encoding, Problem> {
    let encoding = Encoding::from_bits(value.to_bits().into());
    match Format::BINARY32.is_finite(encoding) {
        true => Ok(encoding),
        false => Err(Problem::attribute(attribute, format!("{value} is not a finite number"))),
    }
}

impl Attribute {
    const fn kind(&self) -> &'static str {
        match self {
            Attribute::Float(_) => "a float",
            Attribute::Integer(_) => "an integer",
            Attribute::Text(_) => "a text",
            Attribute::Tensor(_) => "a tensor",
            Attribute::Floats(_) => "floats",
            Attribute::Integers(_) => "integers",
            Attribute::Texts(_) => "texts",
        }
    }
}

fn mistyped(name: &str, needed: &str, found: &Attribute) -> Problem {
    Problem::attribute(name, format!("{needed} is needed, not {}", found.kind()))
}

/// The value of an attribute, of the type that it says it has.
fn attribute(name: &str, proto: &AttributeProto) -> Result<Attribute, Problem> {
    let AttributeProto { name: _, f, i, s, t, floats, ints, strings, r#type } = proto;
    // Before version 2 of the file format, an attribute did not say.
    let said = match r#type.unwrap_or(0) {
        0 if f.is_some() => AttributeType::Float,
        0 if i.is_some() => AttributeType::Int,
        0 if s.is_some() => AttributeType::String,
        0 if t.is_some() => AttributeType::Tensor,
        0 if !floats.is_empty() => AttributeType::Floats,
        0 if !ints.is_empty() => AttributeType::Ints,
        0 if !strings.is_empty() => AttributeType::Strings,
        number => AttributeType::try_from(number).unwrap_or(AttributeType::Undefined),
    };
    let singular = [f.is_some(), i.is_some(), s.is_some(), t.is_some()];
    let plural = [!floats.is_empty(), !ints.is_empty(), !strings.is_empty()];
    let there = singular.into_iter().chain(plural).filter(|there| *there).count();
    let value = match said {
        AttributeType::Float => Attribute::Float(f.unwrap_or_default()),
        AttributeType::Int => Attribute::Integer(i.unwrap_or_default()),
        AttributeType::String => Attribute::Text(s.clone().unwrap_or_default()),
        AttributeType::Tensor => Attribute::Tensor(t.clone().unwrap_or_default()),
        AttributeType::Floats => Attribute::Floats(floats.clone()),
        AttributeType::Ints => Attribute::Integers(ints.clone()),
        AttributeType::Strings => Attribute::Texts(strings.clone()),
        AttributeType::Graph | AttributeType::Graphs => {
            return Err(Problem::attribute(name, "graphs within a node are not supported"));
        }
        AttributeType::Undefined
        | AttributeType::Tensors
        | AttributeType::SparseTensor
        | AttributeType::SparseTensors
        | AttributeType::TypeProto
        | AttributeType::TypeProtos => {
            return Err(Problem::attribute(name, "attributes of this type are not supported"));
        }
    };
    // A value of another type than it says would be ignored.
    let of_the_type = match &value {
        Attribute::Float(_) => singular[0],
        Attribute::Integer(_) => singular[1],
        Attribute::Text(_) => singular[2],
        Attribute::Tensor(_) => singular[3],
        Attribute::Floats(_) => plural[0],
        Attribute::Integers(_) => plural[1],
        Attribute::Texts(_) => plural[2],
    };
    match there == usize::from(of_the_type) {
        true => Ok(value),
        false => {
            Err(Problem::attribute(name, format!("it says that it is {}, and holds something else", value.kind())))
        }
    }
}
