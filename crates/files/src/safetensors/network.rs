//! Networks.

use std::collections::BTreeMap;
use std::path::Path;

use roundproof_format::Format;
use roundproof_network::{Activation, Encodings, Layer, Network, NetworkError};

use crate::atomic::WriteProblem;
use crate::digest::{Digest, Stored};
use crate::error::{In, InFile};
use crate::json::{Field, Json};
use crate::write_atomically;

use super::container::{self, Container};
use super::values::{take_u32s, take_u64s, take_values, u32s, u64s, values};
use super::{TensorError, TensorProblem};

/// The bytes of a network's file: the same for the same network, always.
pub fn network_bytes(network: &Network) -> Vec<u8> {
    let format = network.format();
    let parameters: Vec<Encodings> =
        network.layers().iter().map(|layer| Encodings::collect(format, layer.activation.parameters())).collect();
    let mut parts = Vec::new();
    for (index, (layer, parameters)) in network.layers().iter().zip(&parameters).enumerate() {
        if !parameters.is_empty() {
            let name = format!("layer{index}.activation");
            parts.extend(values(format, name, vec![parameters.len()], parameters));
        }
        parts.push(u64s(format!("layer{index}.row_ptr"), &layer.row_ptr));
        parts.push(u32s(format!("layer{index}.columns"), &layer.columns));
        let columns = [("weights", &layer.weights), ("bias", &layer.bias)];
        parts.extend(
            columns
                .into_iter()
                .flat_map(|(what, column)| values(format, format!("layer{index}.{what}"), vec![column.len()], column)),
        );
    }
    let activations = network.layers().iter().map(|layer| Json::text(layer.activation)).collect();
    let mut metadata = BTreeMap::from([
        ("activations", Json::Array(activations).compact()),
        ("format", format.to_string()),
        ("input_dimension", network.input_dimension().to_string()),
    ]);
    if version(network) > 1 {
        metadata.insert("version", version(network).to_string());
    }
    container::bytes(&metadata, parts)
}

/// The version of the layout that a network is written in: the first that has all of it.
fn version(network: &Network) -> u32 {
    let since = |layer: &Layer| match layer.activation {
        Activation::Step | Activation::Relu | Activation::Identity => 1,
        Activation::LeakyRelu { slope: _ } | Activation::Clip { low: _, high: _ } | Activation::Sign => 2,
    };
    network.layers().iter().map(since).max().unwrap_or(1)
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
/// If the file cannot be read or is no network.
pub fn read_network(path: &Path) -> Result<Stored<Network>, TensorError> {
    let bytes = std::fs::read(path).map_err(TensorProblem::Unreadable).in_file(path)?;
    Ok(Stored { value: parse_network(path, &bytes)?, digest: Digest::of(&bytes) })
}

/// The network in `bytes`, which come from `file`.
///
/// # Errors
///
/// If they are no network.
pub fn parse_network(file: &Path, bytes: &[u8]) -> Result<Network, TensorError> {
    parse(bytes).in_file(file)
}

fn parse(bytes: &[u8]) -> Result<Network, TensorProblem> {
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
    let said = match container.metadata.contains_key("version") {
        true => {
            container.read_metadata("version", |text| (text == "2").then_some(2).ok_or("2 is needed".to_string()))?
        }
        false => 1,
    };
    let mut layers = Vec::new();
    for (index, (name, arity)) in activations.into_iter().enumerate() {
        let activation = take_activation(&mut container, format, index, &name, arity)?;
        layers.push(take_layer(&mut container, format, index, activation)?);
    }
    container.finish()?;
    let network = Network::new(format, input_dimension, layers)
        .map_err(|source| TensorProblem::Network { place: faulty(&source), source })?;
    let version = version(&network);
    if version == said {
        return Ok(network);
    }
    let what = format!("this network is written in version {version}, and the file is of version {said}");
    Err(TensorProblem::Metadata { key: "version".to_string(), what })
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

fn take_layer(
    container: &mut Container<'_>,
    format: Format,
    index: usize,
    activation: Activation,
) -> Result<Layer, TensorProblem> {
    let name = |what: &str| format!("layer{index}.{what}");
    let row_ptr = take_u64s(container, &name("row_ptr"))?;
    let columns = take_u32s(container, &name("columns"))?;
    let (weights, _) = take_values(container, format, &name("weights"), 1)?;
    let (bias, _) = take_values(container, format, &name("bias"), 1)?;
    let check = |what: &str, found: usize, expected: usize, why: &str| {
        if found == expected {
            return Ok(());
        }
        let expected = format!("[{expected}] ({why})");
        Err(TensorProblem::Shape { tensor: name(what), found: vec![found], expected })
    };
    check("row_ptr", row_ptr.len(), bias.len() + 1, "one more than biases")?;
    check("weights", weights.len(), columns.len(), "one for each column")?;
    Ok(Layer { row_ptr, columns, weights, bias, activation })
}

/// The tensor, or the entry of the metadata, that an error is about.
fn faulty(error: &NetworkError) -> String {
    let (layer, what) = match error {
        NetworkError::Shape { inputs: 0, .. } => return "metadata `input_dimension`".to_string(),
        NetworkError::Shape { .. } => return "metadata `activations`".to_string(),
        NetworkError::Layer { layer, .. } => (layer, "row_ptr"),
        NetworkError::Activation { layer, .. } => (layer, "activation"),
        NetworkError::Column { layer, .. } => (layer, "columns"),
        NetworkError::Value { layer, what: "bias", .. } => (layer, "bias"),
        NetworkError::Value { layer, .. } => (layer, "weights"),
    };
    format!("tensor `layer{layer}.{what}`")
}
