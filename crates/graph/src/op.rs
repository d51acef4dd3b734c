//! Operations. Whoever computes with them names every variant.

use roundproof_format::Encoding;
use roundproof_network::Geometry;

/// What a node computes of the tensors that it reads. The names are those of ONNX unless something else is said; what an operator
/// does by other attributes is another operation here, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Matrix products over the last two axes, `[.., m, k]` by `[.., k, n]`, leading axes broadcast. Each element is a sum of `k`
    /// products.
    MatMul,
    /// A tensor `[1, channels, places..]` with weights `[outputs, channels / groups, window..]`: each element is a sum of
    /// products, one for each tap of the window that is not in the padding.
    Conv {
        /// Where the window is.
        geometry: Geometry,
        /// Groups of channels.
        groups: usize,
    },
    /// Sums of two tensors, broadcast.
    Add,
    /// Differences of two tensors, broadcast.
    Sub,
    /// Products of two tensors, broadcast.
    Mul,
    /// Quotients of two tensors, broadcast.
    Div,
    /// The larger of two elements, broadcast. NaN if one is NaN.
    Max,
    /// The smaller of two elements, broadcast. NaN if one is NaN.
    Min,
    /// `x` where it is not negative, the product with the slope elsewhere: a tensor and slopes, broadcast to the tensor's shape.
    PRelu,
    /// A function of each element.
    Unary(Unary),
    /// Sums, means or extremes over axes, which stay with the size 1.
    Reduce {
        /// What is made of the elements.
        reduction: Reduction,
        /// The axes, ascending.
        axes: Vec<usize>,
    },
    /// Means or extremes over windows of a tensor `[1, channels, places..]`, channel by channel.
    Pool {
        /// What is made of the elements.
        pool: Pool,
        /// Where the window is.
        geometry: Geometry,
    },
    /// `(x - mean) / sqrt(variance + epsilon) * scale + bias`, channel by channel (axis 1): a tensor, and scale, bias, mean and
    /// variance, constants of one axis.
    BatchNormalization {
        /// As binary32 says it, whatever the tensors are.
        epsilon: Encoding,
    },
    /// `exp(x) / sum exp(x)` over an axis.
    Softmax {
        /// The axis.
        axis: usize,
    },
    /// The logarithm of [`Softmax`](Op::Softmax).
    LogSoftmax {
        /// The axis.
        axis: usize,
    },
    /// `x / |x|` over the last axis, by one of the norms of ONNX's `Normalizer`; zero where the norm is zero.
    Normalize(Norm),
    /// Elements of the tensors that are read, in any order, any number of times: what reshapes, transposes, concatenates, slices,
    /// gathers, expands or pads. Rounds nothing.
    Arrange(Vec<Pick>),
    /// Each element in the data type of the result: rounded once if that is narrower.
    Cast,
    /// 1 where a comparison of two tensors, broadcast, is true, 0 elsewhere.
    Compare(Comparison),
    /// Of three tensors, broadcast: an element of the second where the first is not zero, of the third elsewhere.
    Where,
}

/// By what [`Op::Normalize`] divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The largest of the elements.
    Max,
    /// The sum of their magnitudes.
    L1,
    /// The root of the sum of their squares.
    L2,
}

/// An element of a tensor that [`Op::Arrange`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pick {
    /// Which of the tensors that the node reads.
    pub read: u32,
    /// Which element, the last axis fastest.
    pub element: u32,
}

/// A function of one element. Parameters are attributes unless something else is said: encodings in binary32, whatever the tensors
/// are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `-x`.
    Neg,
    /// `|x|`.
    Abs,
    /// `max(x, 0)`.
    Relu,
    /// `x` where it is not negative, `slope x` elsewhere.
    LeakyRelu {
        /// ONNX's `alpha`.
        slope: Encoding,
    },
    /// `min(max(x, low), high)`. The limits are encodings in the data type of the tensor.
    Clip {
        /// The lower limit, if there is one.
        low: Option<Encoding>,
        /// The upper limit, if there is one.
        high: Option<Encoding>,
    },
    /// `min(max(slope x + offset, 0), 1)`.
    HardSigmoid {
        /// ONNX's `alpha`.
        slope: Encoding,
        /// ONNX's `beta`.
        offset: Encoding,
    },
    /// -1, 0 or 1.
    Sign,
    /// The root, rounded once.
    Sqrt,
    /// `1 / x`.
    Reciprocal,
    /// A function that runtimes approximate, each in its own way: what is known of it stands in the path model.
    Function(Function),
}

/// Functions that runtimes approximate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// The exponential function.
    Exp,
    /// The natural logarithm.
    Log,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// `log(1 + exp(x))`.
    Softplus,
}

/// What [`Op::Reduce`] makes of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their sum over their number.
    Mean,
    /// The largest; NaN if one is NaN.
    Max,
    /// The smallest; NaN if one is NaN.
    Min,
}

/// What [`Op::Pool`] makes of the elements of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The largest of those that are not in the padding; NaN if one is NaN.
    Max,
    /// Their sum over their number.
    Average {
        /// Whether the number counts places in the padding.
        padding_counts: bool,
    },
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `a > b`.
    Greater,
    /// `a >= b`.
    GreaterOrEqual,
    /// `a < b`.
    Less,
    /// `a <= b`.
    LessOrEqual,
    /// `a = b`.
    Equal,
}

impl Op {
    /// The name in files and in messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Op::MatMul => "MatMul",
            Op::Conv { geometry: _, groups: _ } => "Conv",
            Op::Add => "Add",
            Op::Sub => "Sub",
            Op::Mul => "Mul",
            Op::Div => "Div",
            Op::Max => "Max",
            Op::Min => "Min",
            Op::PRelu => "PRelu",
            Op::Unary(unary) => unary.name(),
            Op::Reduce { reduction, axes: _ } => match reduction {
                Reduction::Sum => "ReduceSum",
                Reduction::Mean => "ReduceMean",
                Reduction::Max => "ReduceMax",
                Reduction::Min => "ReduceMin",
            },
            Op::Pool { pool: Pool::Max, geometry: _ } => "MaxPool",
            Op::Pool { pool: Pool::Average { padding_counts: _ }, geometry: _ } => "AveragePool",
            Op::BatchNormalization { epsilon: _ } => "BatchNormalization",
            Op::Softmax { axis: _ } => "Softmax",
            Op::LogSoftmax { axis: _ } => "LogSoftmax",
            Op::Normalize(_) => "Normalizer",
            Op::Arrange(_) => "Arrange",
            Op::Cast => "Cast",
            Op::Compare(comparison) => match comparison {
                Comparison::Greater => "Greater",
                Comparison::GreaterOrEqual => "GreaterOrEqual",
                Comparison::Less => "Less",
                Comparison::LessOrEqual => "LessOrEqual",
                Comparison::Equal => "Equal",
            },
            Op::Where => "Where",
        }
    }

    /// How many tensors it reads; `None` for any number but none.
    pub const fn reads(&self) -> Option<usize> {
        match self {
            Op::MatMul
            | Op::Conv { geometry: _, groups: _ }
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Max
            | Op::Min
            | Op::PRelu
            | Op::Compare(_) => Some(2),
            Op::Unary(_)
            | Op::Reduce { reduction: _, axes: _ }
            | Op::Pool { pool: _, geometry: _ }
            | Op::Softmax { axis: _ }
            | Op::LogSoftmax { axis: _ }
            | Op::Normalize(_)
            | Op::Cast => Some(1),
            Op::Where => Some(3),
            Op::BatchNormalization { epsilon: _ } => Some(5),
            Op::Arrange(_) => None,
        }
    }

    /// Which element that is read is element `element` of the result, as it is or, if so it says, negated. None of an operation that
    /// does more than to move elements, or if there is no such element.
    pub fn moved(&self, element: usize) -> Option<(Pick, bool)> {
        match self {
            Op::Arrange(picks) => Some((*picks.get(element)?, false)),
            Op::Unary(Unary::Neg) => Some((Pick { read: 0, element: u32::try_from(element).ok()? }, true)),
            Op::Unary(
                Unary::Abs
                | Unary::Relu
                | Unary::LeakyRelu { slope: _ }
                | Unary::Clip { low: _, high: _ }
                | Unary::HardSigmoid { slope: _, offset: _ }
                | Unary::Sign
                | Unary::Sqrt
                | Unary::Reciprocal
                | Unary::Function(_),
            )
            | Op::MatMul
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
            | Op::BatchNormalization { epsilon: _ }
            | Op::Softmax { axis: _ }
            | Op::LogSoftmax { axis: _ }
            | Op::Normalize(_)
            | Op::Cast
            | Op::Compare(_)
            | Op::Where => None,
        }
    }
}

impl Unary {
    /// The name in files and in messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Unary::Neg => "Neg",
            Unary::Abs => "Abs",
            Unary::Relu => "Relu",
            Unary::LeakyRelu { slope: _ } => "LeakyRelu",
            Unary::Clip { low: _, high: _ } => "Clip",
            Unary::HardSigmoid { slope: _, offset: _ } => "HardSigmoid",
            Unary::Sign => "Sign",
            Unary::Sqrt => "Sqrt",
            Unary::Reciprocal => "Reciprocal",
            Unary::Function(function) => function.name(),
        }
    }
}

impl Function {
    /// Every one of them.
    pub const ALL: [Function; 6] =
        [Function::Exp, Function::Log, Function::Sigmoid, Function::Tanh, Function::Erf, Function::Softplus];

    /// The name in files and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Function::Exp => "Exp",
            Function::Log => "Log",
            Function::Sigmoid => "Sigmoid",
            Function::Tanh => "Tanh",
            Function::Erf => "Erf",
            Function::Softplus => "Softplus",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_elements_are_those_that_are_read() {
        let pick = |read, element| Pick { read, element };
        let arranged = Op::Arrange(vec![pick(1, 4), pick(0, 2)]);
        assert_eq!(arranged.moved(0), Some((pick(1, 4), false)));
        assert_eq!(arranged.moved(2), None);
        assert_eq!(Op::Unary(Unary::Neg).moved(7), Some((pick(0, 7), true)));
        assert_eq!(Op::Unary(Unary::Abs).moved(7), None);
        assert_eq!(Op::Cast.moved(0), None);
    }
}
