//! Networks.

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_format::Format;
use roundproof_network::{
    Activation, Axis, Convolution, Datatype, Dense, Encodings, Geometry, Matrix, Network, NetworkError, Op, Placed,
    Sparse, Step, Storage, Windows,
};

use crate::atomic::WriteProblem;
use crate::digest::{Digest, Stored};
use crate::error::{In, InFile};
use crate::json::{Field, Fields, Json, Misfit, Problem, shorten};
use crate::write_atomically;

use super::container::{self, Container};
use super::dataset::take_names;
use super::values::{take_u32s, take_u64s, take_values, u32s, u64s, values};
use super::{TensorError, TensorProblem};

/// A network, and the names of its inputs where they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedNetwork {
    /// The network.
    pub network: Network,
    /// The names, as many as there are inputs, no two the same. Nothing that is claimed depends on them.
    pub input_names: Option<Vec<String>>,
}

/// The bytes of a network's file: the same for the same network, always.
pub fn network_bytes(network: &Network) -> Vec<u8> {
    named_network_bytes(network, None)
}

/// The bytes of a network's file, with the names of its inputs, if there are any: the same for the same network and names, always.
pub fn named_network_bytes(network: &Network, input_names: Option<&[String]>) -> Vec<u8> {
    let steps = network.steps();
    let parameters: Vec<Encodings> =
        steps.iter().map(|step| Encodings::collect(step.format(), step.activation().parameters())).collect();
    let mut parts = Vec::new();
    for (index, (step, parameters)) in steps.iter().zip(&parameters).enumerate() {
        let name = |what: &str| format!("layer{index}.{what}");
        if !parameters.is_empty() {
            parts.extend(values(step.format(), name("activation"), vec![parameters.len()], parameters));
        }
        match &step.step().op {
            Op::Sum { matrix, bias } => {
                let weights = match matrix.storage() {
                    Storage::Sparse(Sparse { row_ptr, columns, weights }) => {
                        parts.push(u64s(name("row_ptr"), row_ptr));
                        parts.push(u32s(name("columns"), columns));
                        (vec![weights.len()], weights)
                    }
                    Storage::Dense(Dense { inputs, weights }) => (vec![bias.len(), *inputs], weights),
                    Storage::Convolution(convolution) => (kernel_shape(convolution), &convolution.weights),
                };
                parts.extend(values(step.operands(), name("weights"), weights.0, weights.1));
                parts.extend(values(step.operands(), name("bias"), vec![bias.len()], bias));
            }
            Op::Maximum(Windows::Listed { row_ptr, columns }) => {
                parts.push(u64s(name("row_ptr"), row_ptr));
                parts.push(u32s(name("columns"), columns));
            }
            Op::Maximum(Windows::Sliding { geometry: _, channels: _ }) | Op::Product => {}
        }
    }
    let activations = steps.iter().map(|step| Json::text(step.activation())).collect();
    let mut metadata = BTreeMap::from([
        ("activations", Json::Array(activations).compact()),
        ("format", network.format().to_string()),
        ("input_dimension", network.input_dimension().to_string()),
    ]);
    metadata.extend(input_names.map(|names| ("input_names", Json::texts(names).compact())));
    metadata.extend(steps_text(network).map(|steps| ("steps", steps)));
    if version(network) > 1 {
        metadata.insert("version", version(network).to_string());
    }
    container::bytes(&metadata, parts)
}

/// Output channels, input channels of a group, and the places of the window along each axis.
fn kernel_shape(convolution: &Convolution) -> Vec<usize> {
    let Convolution { geometry, inputs, outputs, groups, weights: _ } = convolution;
    [*outputs, inputs / groups].into_iter().chain(geometry.axes().iter().map(|axis| axis.window)).collect()
}

/// The metadata `steps`, of a network that is more than layers.
fn steps_text(network: &Network) -> Option<String> {
    if network.as_layers().is_some() {
        return None;
    }
    Some(Json::Array(network.steps().iter().map(step_json).collect()).compact())
}

fn step_json(step: &Placed) -> Json {
    let axes = |geometry: &Geometry| {
        let axis = |&Axis { size, window, stride, dilation, before, after }: &Axis| {
            Json::Array([size, window, stride, dilation, before, after].map(Json::count).to_vec())
        };
        Json::Array(geometry.axes().iter().map(axis).collect())
    };
    let form: Vec<(&str, Json)> = match &step.step().op {
        Op::Sum { matrix, bias: _ } => match matrix.storage() {
            Storage::Sparse(_) => vec![("matrix", Json::text("sparse"))],
            Storage::Dense(_) => vec![("matrix", Json::text("dense"))],
            Storage::Convolution(Convolution { geometry, inputs, outputs: _, groups, weights: _ }) => vec![
                ("matrix", Json::text("convolution")),
                ("channels", Json::count(*inputs)),
                ("groups", Json::count(*groups)),
                ("axes", axes(geometry)),
            ],
        },
        Op::Maximum(Windows::Listed { row_ptr: _, columns: _ }) => vec![("windows", Json::text("listed"))],
        Op::Maximum(Windows::Sliding { geometry, channels }) => {
            vec![("windows", Json::text("sliding")), ("channels", Json::count(*channels)), ("axes", axes(geometry))]
        }
        Op::Product => Vec::new(),
    };
    let reads = step.step().reads.iter().map(|&vector| Json::count(vector)).collect();
    let common = [("op", Json::text(step.step().op.name())), ("reads", Json::Array(reads))];
    let fields = common.into_iter().chain(form).chain([("format", Json::text(step.format()))]);
    Json::Object(fields.map(|(key, value)| (key.to_string(), value)).collect())
}

/// The version of the layout that a network is written in: the first that has all of it.
fn version(network: &Network) -> u32 {
    let since = |step: &Placed| match step.activation() {
        Activation::Step | Activation::Relu | Activation::Identity => 1,
        Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ } | Activation::Sign => 2,
    };
    let steps = if network.as_layers().is_some() { 1 } else { 2 };
    network.steps().iter().map(since).chain([steps]).max().unwrap_or(1)
}

/// Writes a network's file, as a whole or not at all, and says its digest.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_network(path: &Path, network: &Network) -> Result<Digest, InFile<WriteProblem>> {
    let bytes = network_bytes(network);
    write_atomically(path, &bytes)?;
    Ok(Digest::of(&bytes))
}

/// The network in a file, and the file's digest.
///
/// # Errors
///
/// If the file cannot be read or is not a network.
pub fn read_network(path: &Path) -> Result<Stored<Network>, TensorError> {
    let bytes = std::fs::read(path).map_err(TensorProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse_network(path, &bytes)?, digest: Digest::of(&bytes) })
}

/// The network in `bytes`, which come from `file`.
///
/// # Errors
///
/// If they are not a network.
pub fn parse_network(file: &Path, bytes: &[u8]) -> Result<Network, TensorError> {
    Ok(parse(bytes).in_file(file)?.network)
}

/// The network in a file with the names of its inputs, and the file's digest.
///
/// # Errors
///
/// If the file cannot be read or is not a network.
pub fn read_named_network(path: &Path) -> Result<Stored<NamedNetwork>, TensorError> {
    let bytes = std::fs::read(path).map_err(TensorProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse(&bytes).in_file(path)?, digest: Digest::of(&bytes) })
}

fn parse(bytes: &[u8]) -> Result<NamedNetwork, TensorProblem> {
    let mut container = Container::parse(bytes)?;
    let format = take_format(&mut container)?;
    let activations = container.read_metadata("activations", |text| {
        let names = Field::root(Json::parse(text.as_bytes()).map_err(|error| error.to_string())?).array();
        let names = names.map_err(|misfit| misfit.to_string())?;
        let named = |name: &str| Activation::arity(name).map(|arity| (name.to_string(), arity));
        let activations = names.into_iter().map(|name| name.read(named));
        activations.collect::<Result<Vec<(String, usize)>, _>>().map_err(|misfit| misfit.to_string())
    })?;
    let input_dimension = take_dimension(&mut container)?;
    let input_names = take_names(&mut container, "input_names", input_dimension, "inputs")?;
    if let Some(twice) = input_names.as_ref().and_then(|names| twice(names)) {
        let what = format!("`{}` is the name of two inputs", shorten(twice));
        return Err(TensorProblem::Metadata { key: "input_names".to_string(), what });
    }
    let said = match container.metadata.contains_key("version") {
        true => {
            container.read_metadata("version", |text| (text == "2").then_some(2).ok_or("2 is needed".to_string()))?
        }
        false => 1,
    };
    let said_steps = match container.metadata.contains_key("steps") {
        true => Some(container.take_metadata("steps")?),
        false => None,
    };
    let forms = match &said_steps {
        Some(text) => read_forms(text, activations.len())
            .map_err(|what| TensorProblem::Metadata { key: "steps".to_string(), what })?,
        None => (0..activations.len()).map(|index| Form::layer(format, index)).collect(),
    };
    let (mut steps, mut formats) = (Vec::new(), Vec::new());
    for (index, ((name, arity), form)) in activations.into_iter().zip(forms).enumerate() {
        let activation = take_activation(&mut container, form.format, index, &name, arity)?;
        // What a vector is that does not exist is for the network to say.
        let of = |vector: &usize| vector.checked_sub(1).map_or(Some(format), |before| formats.get(before).copied());
        let operands = form.reads.first().and_then(of).unwrap_or(format);
        formats.push(form.format);
        steps.push(take_step(&mut container, operands, index, activation, form)?);
    }
    container.finish()?;
    let network = Network::of_steps(format, input_dimension, steps)
        .map_err(|source| TensorProblem::Network { place: faulty(&source), source })?;
    if steps_text(&network) != said_steps {
        let what = match steps_text(&network) {
            Some(text) => format!("they are written otherwise: `{}`", shorten(&text)),
            None => "nothing but layers, each over the one before: these are written without".to_string(),
        };
        return Err(TensorProblem::Metadata { key: "steps".to_string(), what });
    }
    let version = version(&network);
    if version == said {
        return Ok(NamedNetwork { network, input_names });
    }
    let what = format!("this network is written in version {version}, and the file is of version {said}");
    Err(TensorProblem::Metadata { key: "version".to_string(), what })
}

/// A name that is there twice.
fn twice(names: &[String]) -> Option<&String> {
    let mut seen = std::collections::BTreeSet::new();
    names.iter().find(|name| !seen.insert(*name))
}

/// What the metadata `steps` say of one.
struct Form {
    reads: Vec<usize>,
    format: Format,
    op: OpForm,
}

enum OpForm {
    Sparse,
    Dense,
    Convolution { geometry: Geometry, channels: usize, groups: usize },
    Listed,
    Sliding { geometry: Geometry, channels: usize },
    Product,
}

impl Form {
    /// A layer over vector `vector`.
    fn layer(format: Format, vector: usize) -> Form {
        Form { reads: vec![vector], format, op: OpForm::Sparse }
    }
}

/// The metadata `steps`.
fn read_forms(text: &str, count: usize) -> Result<Vec<Form>, String> {
    let json = Json::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let steps = Field::root(json).array().map_err(|misfit| misfit.to_string())?;
    if steps.len() != count {
        return Err(format!("{} steps, and {count} activations", steps.len()));
    }
    steps.into_iter().map(|step| read_form(step).map_err(|misfit| misfit.to_string())).collect()
}

fn read_form(field: Field) -> Result<Form, Misfit> {
    let mut fields = field.object()?;
    let counts = |field: Field| field.array()?.into_iter().map(Field::count).collect::<Result<Vec<usize>, Misfit>>();
    let op = fields.take("op")?.read(|text| one_of(text, ["sum", "maximum", "product"]))?;
    let reads = counts(fields.take("reads")?)?;
    let format = fields.take("format")?.read(canonical_format)?;
    let geometry = |fields: &mut Fields| {
        let field = fields.take("axes")?;
        let (at, value) = ("steps".to_string(), "axes".to_string());
        let misplaced =
            |reason: String| Misfit { at: at.clone(), problem: Problem::Value { value: value.clone(), reason } };
        let mut axes = Vec::new();
        for axis in field.array()? {
            let [size, window, stride, dilation, before, after] = counts(axis)?[..] else {
                return Err(misplaced(
                    "an axis is six counts: size, window, stride, dilation, padding before, after".to_string(),
                ));
            };
            axes.push(Axis { size, window, stride, dilation, before, after });
        }
        Geometry::new(axes).map_err(|error| misplaced(error.to_string()))
    };
    let op = match op {
        "sum" => match fields.take("matrix")?.read(|text| one_of(text, ["sparse", "dense", "convolution"]))? {
            "sparse" => OpForm::Sparse,
            "dense" => OpForm::Dense,
            _ => OpForm::Convolution {
                channels: fields.take("channels")?.count()?,
                groups: fields.take("groups")?.count()?,
                geometry: geometry(&mut fields)?,
            },
        },
        "maximum" => match fields.take("windows")?.read(|text| one_of(text, ["listed", "sliding"]))? {
            "listed" => OpForm::Listed,
            _ => OpForm::Sliding { channels: fields.take("channels")?.count()?, geometry: geometry(&mut fields)? },
        },
        _ => OpForm::Product,
    };
    fields.finish()?;
    Ok(Form { reads, format, op })
}

fn one_of<const N: usize>(text: &str, known: [&'static str; N]) -> Result<&'static str, String> {
    let found = known.into_iter().find(|known| *known == text);
    found.ok_or_else(|| format!("known are {}", known.join(", ")))
}

/// The activation of a layer, with the parameters that it takes.
fn take_activation(
    container: &mut Container<'_>,
    format: Format,
    layer: usize,
    name: &str,
    arity: usize,
) -> Result<Activation, TensorProblem> {
    let tensor = format!("layer{layer}.activation");
    let parameters = match arity {
        0 => Vec::new(),
        _ => take_values(container, format, &tensor, 1)?.0.iter().collect(),
    };
    let found = vec![parameters.len()];
    Activation::with_parameters(name, &parameters).map_err(|error| TensorProblem::Shape {
        tensor,
        found,
        expected: format!("[{arity}] ({error})"),
    })
}

/// The metadata entry `format`, in its one spelling.
pub(super) fn take_format(container: &mut Container<'_>) -> Result<Format, TensorProblem> {
    container.read_metadata("format", canonical_format)
}

/// The metadata entry `input_dimension`.
pub(super) fn take_dimension(container: &mut Container<'_>) -> Result<usize, TensorProblem> {
    container.read_metadata("input_dimension", |text| {
        // One spelling: no sign, no leading zeros.
        let number = text.parse::<usize>().ok().filter(|number| number.to_string() == text);
        number.ok_or_else(|| "a plain decimal integer is needed".to_string())
    })
}

/// A format by the name that it is written with.
pub(crate) fn canonical_format(text: &str) -> Result<Format, String> {
    let format = text.parse::<Format>().map_err(|error| error.to_string())?;
    let name = format.to_string();
    if name == text { Ok(format) } else { Err(format!("`{name}` is how this format is spelt in files")) }
}

fn take_step(
    container: &mut Container<'_>,
    operands: Format,
    index: usize,
    activation: Activation,
    form: Form,
) -> Result<Step, TensorProblem> {
    let name = |what: &str| format!("layer{index}.{what}");
    let check = |what: &str, found: Vec<usize>, expected: Vec<usize>, why: &str| {
        if found == expected {
            return Ok(());
        }
        let expected = format!("{expected:?} ({why})");
        Err(TensorProblem::Shape { tensor: name(what), found, expected })
    };
    let Form { reads, format, op } = form;
    let rows = |container: &mut Container<'_>| {
        Ok::<_, TensorProblem>((take_u64s(container, &name("row_ptr"))?, take_u32s(container, &name("columns"))?))
    };
    let bias =
        |container: &mut Container<'_>| Ok::<_, TensorProblem>(take_values(container, operands, &name("bias"), 1)?.0);
    let sum = |storage: Storage, bias: Encodings| Op::Sum { matrix: Matrix::new(storage), bias };
    let op = match op {
        OpForm::Sparse => {
            let (row_ptr, columns) = rows(container)?;
            let (weights, _) = take_values(container, operands, &name("weights"), 1)?;
            let bias = bias(container)?;
            check("row_ptr", vec![row_ptr.len()], vec![bias.len() + 1], "one more than biases")?;
            check("weights", vec![weights.len()], vec![columns.len()], "one for each column")?;
            sum(Storage::Sparse(Sparse { row_ptr, columns, weights }), bias)
        }
        OpForm::Dense => {
            let (weights, shape) = take_values(container, operands, &name("weights"), 2)?;
            let bias = bias(container)?;
            check("weights", shape.clone(), vec![bias.len(), shape[1]], "a row for each bias")?;
            sum(Storage::Dense(Dense { inputs: shape[1], weights }), bias)
        }
        OpForm::Convolution { geometry, channels, groups } => {
            let (weights, shape) = take_values(container, operands, &name("weights"), 2 + geometry.axes().len())?;
            let bias = bias(container)?;
            // Of no groups, the network says more.
            let of_group = channels.checked_div(groups).unwrap_or(0);
            let window = geometry.axes().iter().map(|axis| axis.window);
            let expected = [bias.len(), of_group].into_iter().chain(window).collect();
            check("weights", shape, expected, "output channels, input channels of a group, places of the window")?;
            let outputs = bias.len();
            sum(Storage::Convolution(Convolution { geometry, inputs: channels, outputs, groups, weights }), bias)
        }
        OpForm::Listed => {
            let (row_ptr, columns) = rows(container)?;
            Op::Maximum(Windows::Listed { row_ptr, columns })
        }
        OpForm::Sliding { geometry, channels } => Op::Maximum(Windows::Sliding { geometry, channels }),
        OpForm::Product => Op::Product,
    };
    Ok(Step { op, reads, datatype: Datatype::Float(format), activation })
}

/// The tensor, or the entry of the metadata, that an error is about.
fn faulty(error: &NetworkError) -> String {
    let (layer, what) = match error {
        NetworkError::Shape { inputs: 0, .. } => return "metadata `input_dimension`".to_string(),
        NetworkError::Shape { .. } => return "metadata `activations`".to_string(),
        NetworkError::Reads { .. } | NetworkError::Neurons { .. } => return "metadata `steps`".to_string(),
        NetworkError::Layer { layer, .. } => (layer, "row_ptr"),
        NetworkError::Activation { layer, .. } => (layer, "activation"),
        NetworkError::Column { layer, .. } => (layer, "columns"),
        NetworkError::Value { layer, what: "bias", .. } => (layer, "bias"),
        NetworkError::Value { layer, .. } => (layer, "weights"),
    };
    format!("tensor `layer{layer}.{what}`")
}
