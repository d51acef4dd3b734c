//! Which operators are read, and what each becomes.

use super::builder::Value;
use super::call::Call;
use super::error::Problem;
use super::{arrange, elementwise, linear, reduce, shapes, traditional, windows};

/// What a node becomes: the values of its outputs.
pub(super) type Lowering = fn(&mut Call<'_>) -> Result<Vec<Value>, Problem>;

/// The domain of the operators of traditional machine learning.
pub(super) const TRADITIONAL: &str = "ai.onnx.ml";

/// An operator: its domain (empty for ONNX's own), its name, and what becomes of it.
const OPERATORS: &[(&str, &str, Lowering)] = &[
    ("", "Abs", elementwise::abs),
    ("", "Add", elementwise::add),
    ("", "And", elementwise::and),
    ("", "ArgMax", reduce::arg_max),
    ("", "AveragePool", windows::average_pool),
    ("", "BatchNormalization", linear::batch_normalization),
    ("", "Cast", elementwise::cast),
    ("", "Clip", elementwise::clip),
    ("", "Concat", arrange::concat),
    ("", "Constant", shapes::constant),
    ("", "ConstantOfShape", shapes::constant_of_shape),
    ("", "Conv", windows::conv),
    ("", "Div", elementwise::div),
    ("", "Dropout", arrange::dropout),
    ("", "Equal", elementwise::equal),
    ("", "Erf", elementwise::erf),
    ("", "Exp", elementwise::exp),
    ("", "Expand", arrange::expand),
    ("", "Flatten", arrange::flatten),
    ("", "Gather", arrange::gather),
    ("", "Gemm", linear::gemm),
    ("", "GlobalAveragePool", reduce::global_average_pool),
    ("", "GlobalMaxPool", reduce::global_max_pool),
    ("", "Greater", elementwise::greater),
    ("", "GreaterOrEqual", elementwise::greater_or_equal),
    ("", "HardSigmoid", elementwise::hard_sigmoid),
    ("", "Identity", arrange::identity),
    ("", "LeakyRelu", elementwise::leaky_relu),
    ("", "Less", elementwise::less),
    ("", "LessOrEqual", elementwise::less_or_equal),
    ("", "Log", elementwise::log),
    ("", "LogSoftmax", reduce::log_softmax),
    ("", "MatMul", linear::mat_mul),
    ("", "Max", elementwise::max),
    ("", "MaxPool", windows::max_pool),
    ("", "Min", elementwise::min),
    ("", "Mul", elementwise::mul),
    ("", "Neg", elementwise::neg),
    ("", "Not", elementwise::not),
    ("", "Or", elementwise::or),
    ("", "PRelu", elementwise::prelu),
    ("", "Pad", arrange::pad),
    ("", "Pow", elementwise::pow),
    ("", "Range", shapes::range),
    ("", "Reciprocal", elementwise::reciprocal),
    ("", "ReduceMax", reduce::reduce_max),
    ("", "ReduceMean", reduce::reduce_mean),
    ("", "ReduceMin", reduce::reduce_min),
    ("", "ReduceSum", reduce::reduce_sum),
    ("", "Relu", elementwise::relu),
    ("", "Reshape", arrange::reshape),
    ("", "Shape", shapes::shape),
    ("", "Sigmoid", elementwise::sigmoid),
    ("", "Sign", elementwise::sign),
    ("", "Size", shapes::size),
    ("", "Slice", arrange::slice),
    ("", "Softmax", reduce::softmax),
    ("", "Softplus", elementwise::softplus),
    ("", "Split", arrange::split),
    ("", "Sqrt", elementwise::sqrt),
    ("", "Squeeze", arrange::squeeze),
    ("", "Sub", elementwise::sub),
    ("", "Sum", elementwise::sum),
    ("", "Tanh", elementwise::tanh),
    ("", "Transpose", arrange::transpose),
    ("", "Unsqueeze", arrange::unsqueeze),
    ("", "Where", elementwise::r#where),
    (TRADITIONAL, "ArrayFeatureExtractor", traditional::array_feature_extractor),
    (TRADITIONAL, "LinearClassifier", traditional::linear_classifier),
    (TRADITIONAL, "LinearRegressor", traditional::linear_regressor),
    (TRADITIONAL, "Normalizer", traditional::normalizer),
    (TRADITIONAL, "Scaler", traditional::scaler),
    (TRADITIONAL, "ZipMap", traditional::zip_map),
];

/// The operators that are read, each with its domain, which is empty for ONNX's own.
pub fn operators() -> impl Iterator<Item = (&'static str, &'static str)> {
    OPERATORS.iter().map(|(domain, name, _)| (*domain, *name))
}

/// What becomes of an operator.
pub(super) fn lowering(domain: &str, name: &str) -> Result<Lowering, Problem> {
    let found = OPERATORS.iter().find(|(known_domain, known, _)| *known_domain == domain && *known == name);
    let remedy = match (domain, name) {
        (TRADITIONAL, "TreeEnsemble" | "TreeEnsembleClassifier" | "TreeEnsembleRegressor") => {
            "trees become networks by `roundproof compile`, which reads the model that XGBoost, LightGBM or scikit-learn saves"
        }
        ("", "If" | "Loop" | "Scan") => "export the model without control flow, for one row",
        ("", name) if name.contains("Quantize") || name.contains("Integer") || name.starts_with("QLinear") => {
            "export the model before it is quantized"
        }
        ("" | TRADITIONAL, _) => {
            "what is supported is in docs/onnx.md; cut the model before it, or write it with those"
        }
        (_, _) => "only ONNX's own operators and those of ai.onnx.ml are supported; export without fusions",
    };
    found.map(|(_, _, lowering)| *lowering).ok_or_else(|| Problem::Operator { remedy: remedy.to_string() })
}
