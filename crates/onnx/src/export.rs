//! From the steps of a network to nodes.

use roundproof_format::{Encoding, Format};
use roundproof_network::{
    Accumulator, Activation, Encodings, Network, Neuron, Op, Order, PathModel, Placed, Summation,
};

use crate::ExportError;
use crate::element::{Arithmetic, check_rounding};
use crate::graph::{Graph, Tensor, narrowing};
use crate::proto::{
    DataType, Dimension, GraphProto, Length, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// The name of the input, of `[batch, inputs]`.
pub const INPUTS: &str = "inputs";
/// The name of the output, of `[batch, outputs]`.
pub const OUTPUTS: &str = "outputs";

/// How the operands of each row are combined, level by level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reduction {
    /// All neighbours at once: [`Order::Any`].
    Pairwise,
    /// The first two alone: [`Order::LeftToRight`].
    LeftToRight,
}

/// The formats of a step.
struct Formats {
    /// What it reads.
    operands: Arithmetic,
    /// Where sums are formed.
    accumulator: Arithmetic,
    /// What it makes.
    values: Arithmetic,
}

/// The operands of each row of a step: places in one tensor, row after row.
struct Rows {
    row_ptr: Vec<usize>,
    operands: Vec<u32>,
}

/// The graph of a network.
///
/// # Errors
///
/// If ONNX has no type for a format, or its operations are not paths of the model; or if the model would be too large.
pub(crate) fn graph(network: &Network, model: &PathModel) -> Result<GraphProto, ExportError> {
    check_rounding(model)?;
    let format = Arithmetic::new(network.format(), model.overflow)?;
    let mut graph = Graph::new();
    let inputs = Tensor { name: INPUTS.to_string(), width: network.input_dimension(), element: format.element };
    let mut vectors = vec![graph.cast(&inputs, format.carrier)];
    let batch = batch(&mut graph, &vectors[0])?;
    for (layer, step) in network.steps().iter().enumerate() {
        let model = model.at(step.operands(), step.format())?;
        graph.scope = format!("layer{layer}/");
        let formats = Formats::of(step, &model)?;
        let read: Vec<Tensor> = step.step().reads.iter().map(|&vector| vectors[vector].clone()).collect();
        let read = graph.concat(&read);
        let value = match &step.step().op {
            Op::Sum { matrix: _, bias: _ } => sum(&mut graph, step, &formats, &model, &read, &batch)?,
            Op::Maximum(_) => maximum(&mut graph, step, &read)?,
            Op::Product => product(&mut graph, step, &formats, &read)?,
        };
        vectors.push(activate(&mut graph, step.activation(), &formats.values, value)?);
    }
    let last = &vectors[vectors.len() - 1];
    let (op, attributes) = match format.is_native() {
        true => ("Identity", Vec::new()),
        false => ("Cast", narrowing(&format)),
    };
    graph.named(OUTPUTS.to_string(), op, &[&last.name], attributes);
    let mut proto = graph.into_proto();
    proto.input = vec![info(INPUTS, format.element, network.input_dimension())];
    proto.output = vec![info(OUTPUTS, format.element, network.output_dimension())];
    Ok(proto)
}

impl Formats {
    fn of(step: &Placed, model: &PathModel) -> Result<Formats, ExportError> {
        let values = Arithmetic::new(step.format(), model.overflow)?;
        let Summation::Trees(trees) = &model.summation;
        let accumulator = match trees.accumulator {
            Accumulator::Same => values,
            Accumulator::Wider { format, overflow } => Arithmetic::new(format, overflow)?,
        };
        let is_wide = |format: &Arithmetic| format.carrier == DataType::Double;
        if is_wide(&accumulator) && !is_wide(&values) && values.format != Format::BINARY32 {
            return Err(ExportError::Narrowing { from: accumulator.format, to: values.format });
        }
        let operands = Arithmetic::stored(step.operands())?;
        Ok(Formats { operands, accumulator, values })
    }
}

/// The shape `[batch, 1]`.
fn batch(graph: &mut Graph, inputs: &Tensor) -> Result<String, ExportError> {
    // A column first: of a network with one input there is nothing to gather.
    let column = graph.gather(inputs, &[0])?;
    Ok(graph.node("Shape", &[&column.name], Vec::new()))
}

/// Sums of products and a bias: each product rounded once, then each addition of a tree.
fn sum(
    graph: &mut Graph,
    step: &Placed,
    formats: &Formats,
    model: &PathModel,
    read: &Tensor,
    batch: &str,
) -> Result<Tensor, ExportError> {
    let Formats { operands, accumulator, values } = formats;
    let (mut columns, mut weights) = (Vec::new(), Encodings::new(operands.format));
    let mut biases = Encodings::with_capacity(operands.format, step.rows());
    let mut counts = Vec::with_capacity(step.rows());
    for row in 0..step.rows() {
        if let Neuron::Sum { terms, bias } = step.neuron(row) {
            counts.push(terms.len());
            biases.push(bias);
            for (column, weight) in terms {
                columns.push(column);
                weights.push(weight);
            }
        }
        if columns.len() > i32::MAX as usize / 4 {
            return Err(ExportError::Size);
        }
    }
    let mut parts = Vec::new();
    if !columns.is_empty() {
        let factors = graph.gather(read, &columns)?;
        let factors = graph.cast(&factors, accumulator.carrier);
        let weights = graph.stored(operands, &weights, accumulator.carrier)?;
        let products = graph.elementwise("Mul", &[&weights, &factors]);
        parts.push(graph.round(&products, accumulator));
    }
    let biases = graph.stored(operands, &biases, accumulator.carrier)?;
    let name = graph.node("Expand", &[&biases.name, batch], Vec::new());
    parts.push(Tensor { name, ..biases });
    let terms = graph.concat(&parts);
    let rows = Rows::of_sums(&counts, columns.len());
    let Summation::Trees(trees) = &model.summation;
    let reduction = match trees.order {
        Order::Any => Reduction::Pairwise,
        Order::LeftToRight => Reduction::LeftToRight,
    };
    let sums = reduce(graph, reduction, terms, rows, &mut |graph, left, right| {
        let sums = graph.elementwise("Add", &[left, right]);
        graph.round(&sums, accumulator)
    })?;
    Ok(match trees.accumulator {
        Accumulator::Same => sums,
        Accumulator::Wider { format: _, overflow: _ } => graph.round(&sums, values),
    })
}

/// The largest of several values.
fn maximum(graph: &mut Graph, step: &Placed, read: &Tensor) -> Result<Tensor, ExportError> {
    let mut rows = Rows { row_ptr: vec![0], operands: Vec::new() };
    for row in 0..step.rows() {
        rows.push(&step.columns(row));
        if rows.operands.len() > i32::MAX as usize / 4 {
            return Err(ExportError::Size);
        }
    }
    reduce(graph, Reduction::Pairwise, read.clone(), rows, &mut |graph, left, right| {
        graph.elementwise("Max", &[left, right])
    })
}

/// Products of two vectors.
fn product(graph: &mut Graph, step: &Placed, formats: &Formats, read: &Tensor) -> Result<Tensor, ExportError> {
    let rows = step.rows() as u32;
    let read = graph.cast(read, formats.values.carrier);
    let left = graph.gather(&read, &(0..rows).collect::<Vec<_>>())?;
    let right = graph.gather(&read, &(rows..2 * rows).collect::<Vec<_>>())?;
    let products = graph.elementwise("Mul", &[&left, &right]);
    Ok(graph.round(&products, &formats.values))
}

/// Combines the operands of each row, neighbours first, and puts the results in the order of the rows. Nothing is padded: an
/// operand without a neighbour goes to the next level as it is.
fn reduce(
    graph: &mut Graph,
    reduction: Reduction,
    mut terms: Tensor,
    mut rows: Rows,
    combine: &mut dyn FnMut(&mut Graph, &Tensor, &Tensor) -> Tensor,
) -> Result<Tensor, ExportError> {
    while let Some(Level { left, right, rest, next }) = rows.level(reduction) {
        let left = graph.gather(&terms, &left)?;
        let right = graph.gather(&terms, &right)?;
        let mut parts = vec![combine(graph, &left, &right)];
        if !rest.is_empty() {
            parts.push(graph.gather(&terms, &rest)?);
        }
        terms = graph.concat(&parts);
        rows = next;
    }
    graph.gather(&terms, &rows.operands)
}

/// One level of a reduction.
struct Level {
    /// The operands on the left of each pair.
    left: Vec<u32>,
    /// Those on the right.
    right: Vec<u32>,
    /// What has no partner on this level.
    rest: Vec<u32>,
    /// Where the operands of the next level are: the results of pairs, then what had no partner.
    next: Rows,
}

impl Rows {
    /// Of sums with so many products each, which come first, and then a bias for each.
    fn of_sums(counts: &[usize], products: usize) -> Rows {
        let mut rows = Rows { row_ptr: vec![0], operands: Vec::with_capacity(products + counts.len()) };
        let mut start = 0;
        for (row, &count) in counts.iter().enumerate() {
            rows.operands.extend(start as u32..(start + count) as u32);
            rows.push(&[(products + row) as u32]);
            start += count;
        }
        rows
    }

    /// Ends a row with these operands.
    fn push(&mut self, operands: &[u32]) {
        self.operands.extend_from_slice(operands);
        self.row_ptr.push(self.operands.len());
    }

    /// The next level; none if every row has one operand.
    fn level(&self, reduction: Reduction) -> Option<Level> {
        let pairs = |row: &[u32]| match reduction {
            Reduction::Pairwise => row.len() / 2,
            Reduction::LeftToRight => (row.len() / 2).min(1),
        };
        let rows = || self.row_ptr.windows(2).map(|bounds| &self.operands[bounds[0]..bounds[1]]);
        let total: usize = rows().map(pairs).sum();
        if total == 0 {
            return None;
        }
        let (mut left, mut right, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = Rows { row_ptr: vec![0], operands: Vec::new() };
        for row in rows() {
            let (paired, single) = row.split_at(2 * pairs(row));
            for pair in paired.chunks(2) {
                next.operands.push(left.len() as u32);
                left.push(pair[0]);
                right.push(pair[1]);
            }
            next.operands.extend((0..single.len()).map(|index| (total + rest.len() + index) as u32));
            rest.extend_from_slice(single);
            next.push(&[]);
        }
        Some(Level { left, right, rest, next })
    }
}

/// The activation, by comparisons: they say what becomes of NaN and of both zeros.
fn activate(
    graph: &mut Graph,
    activation: Activation,
    values: &Arithmetic,
    value: Tensor,
) -> Result<Tensor, ExportError> {
    let format = values.format;
    let number = |graph: &mut Graph, encoding: Encoding| graph.number(values, encoding);
    let choose = |graph: &mut Graph, comparison: &str, bound: &Tensor, then: &Tensor, other: &Tensor| {
        let chosen = graph.elementwise(comparison, &[bound, &value]);
        let name = graph.node("Where", &[&chosen.name, &then.name, &other.name], Vec::new());
        Tensor { name, ..value.clone() }
    };
    // Of `bound` and `value`, in this order: `GreaterOrEqual` is `value <= bound`.
    Ok(match activation {
        Activation::Identity => value.clone(),
        Activation::Step => {
            let (zero, one) = (number(graph, format.zero())?, number(graph, format.one(false))?);
            choose(graph, "LessOrEqual", &zero, &one, &zero)
        }
        Activation::Relu => {
            let zero = number(graph, format.zero())?;
            choose(graph, "GreaterOrEqual", &zero, &zero, &value)
        }
        Activation::Sign => {
            let (zero, one, minus) =
                (number(graph, format.zero())?, number(graph, format.one(false))?, number(graph, format.one(true))?);
            let zeros = choose(graph, "Equal", &zero, &zero, &value);
            let negative = choose(graph, "Greater", &zero, &minus, &zeros);
            choose(graph, "Less", &zero, &one, &negative)
        }
        Activation::Clip { low, high } => {
            let (low, high) = (number(graph, low)?, number(graph, high)?);
            let above = choose(graph, "LessOrEqual", &high, &high, &value);
            choose(graph, "GreaterOrEqual", &low, &low, &above)
        }
        Activation::LeakyRelu { slope } => {
            let (zero, slope) = (number(graph, format.zero())?, number(graph, slope)?);
            let products = graph.elementwise("Mul", &[&slope, &value]);
            let products = graph.round(&products, values);
            choose(graph, "Greater", &zero, &products, &value)
        }
    })
}

/// An input or output of `[batch, width]`.
fn info(name: &str, element: DataType, width: usize) -> ValueInfoProto {
    let dim = [Length::DimParam("batch".to_string()), Length::DimValue(width as i64)];
    let dim = dim.map(|length| Dimension { value: Some(length) }).to_vec();
    let shape = Some(TensorShapeProto { dim });
    let tensor_type = Some(TensorTypeProto { elem_type: Some(element as i32), shape });
    ValueInfoProto { name: Some(name.to_string()), r#type: Some(TypeProto { tensor_type }) }
}
