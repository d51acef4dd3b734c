//! `roundproof show`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use roundproof_construct::reference_parameters;
use roundproof_exact::text::exact_decimal;
use roundproof_files::audit::AuditCertificate;
use roundproof_files::safetensors::{NamedDataset, parse_dataset, parse_forest, parse_network};
use roundproof_files::{Certificate, Digest};
use roundproof_format::{Encoding, Format};
use roundproof_judge::{Sizes, Statement};
use roundproof_network::{Encodings, Forest, Network, Op, Placed, TreeNode};
use roundproof_softfloat::order_key;
use roundproof_sources::models::parse_model;
use serde::Serialize;

use crate::exit::Exit;
use crate::input::{Kind, kind};
use crate::output::{Sheet, Whole, count, emit_json, emit_verdicts};
use crate::words;

const EXAMPLES: &str = "\
Nothing is judged: what a certificate says is shown, not checked. `roundproof check` does that.

Examples:
  roundproof show network.safetensors
  roundproof show dataset.safetensors --json
  roundproof show certificate.json";

/// Say what a network, a data set, a forest or a certificate is
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Show {
    /// A network, a data set or a forest (safetensors), or a certificate (JSON)
    file: PathBuf,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// What is shown: the same entries for people and for machines.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Shown {
    Network(ShownNetwork),
    DataSet(ShownDataset),
    Forest(ShownForest),
    Certificate(Box<ShownCertificate>),
}

#[derive(Serialize)]
struct ShownNetwork {
    sha256: String,
    format: String,
    inputs: usize,
    outputs: usize,
    parameters: usize,
    layers: Vec<ShownLayer>,
}

#[derive(Serialize)]
struct ShownLayer {
    neurons: usize,
    /// `sparse`, `dense` or `convolution` for a sum, `maximum`, `product`.
    computes: &'static str,
    /// The vectors that it reads: 0 is the inputs, `k` what the layer before layer `k` (from 0) makes.
    reads: Vec<usize>,
    /// Of its values, if it is not the network's.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    activation: String,
    weights: usize,
    least_weight: Option<String>,
    largest_weight: Option<String>,
    least_bias: Option<String>,
    largest_bias: Option<String>,
}

#[derive(Serialize)]
struct ShownDataset {
    sha256: String,
    format: String,
    rows: usize,
    inputs: Vec<ShownColumn>,
    labels: Vec<ShownColumn>,
    reference_parameters: Whole,
}

#[derive(Serialize)]
struct ShownColumn {
    name: Option<String>,
    least: Option<String>,
    largest: Option<String>,
    distinct: usize,
}

#[derive(Serialize)]
struct ShownForest {
    sha256: String,
    format: String,
    inputs: usize,
    trees: usize,
    leaves: usize,
    /// Distinct pairs of an input and a threshold.
    thresholds: usize,
    columns_used: usize,
    outputs: Vec<ShownOutput>,
}

#[derive(Serialize)]
struct ShownOutput {
    base: Option<String>,
    least: Option<String>,
    largest: Option<String>,
}

#[derive(Serialize)]
struct ShownCertificate {
    sha256: String,
    verdict: &'static str,
    claim: Statement,
    evidence: Option<String>,
    network: Reference,
    /// The file of another tool that the network was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_source: Option<Reference>,
    dataset: Option<Reference>,
    forest: Option<Reference>,
    source: Option<Reference>,
    labels: Vec<String>,
    lemmas: Vec<(String, String)>,
    provenance: Vec<(String, String)>,
    /// The format with its parameters, for people.
    #[serde(skip)]
    format: String,
}

#[derive(Serialize)]
struct Reference {
    path: String,
    sha256: String,
}

impl Show {
    /// Prints what the file is.
    pub fn execute(self) -> Result<Exit> {
        let path = &self.file;
        let bytes = fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
        let shown = Shown::of(path, &bytes)?;
        if self.json {
            emit_json(&shown)?;
        } else {
            emit_verdicts(&shown.text(path))?;
        }
        Ok(Exit::AsClaimed)
    }
}

impl Shown {
    fn of(path: &Path, bytes: &[u8]) -> Result<Shown> {
        let sha256 = Digest::of(bytes).to_string();
        let is_tensors = path.extension().is_some_and(|extension| extension == "safetensors");
        if !is_tensors && let Ok(model) = parse_model(path, bytes) {
            bail!(
                "{}: is a model of {}; `roundproof compile` makes a forest and a network of it, which can be shown",
                path.display(),
                model.kind
            );
        }
        Ok(match kind(bytes) {
            Kind::Dataset => Shown::DataSet(ShownDataset::new(&parse_dataset(path, bytes)?, sha256)),
            Kind::Forest => Shown::Forest(ShownForest::new(&parse_forest(path, bytes)?, sha256)),
            Kind::Certificate if AuditCertificate::is_one(bytes) => bail!(
                "{}: is the certificate of an audit; `roundproof check` says what is claimed, and whether it holds",
                path.display()
            ),
            Kind::Certificate => {
                Shown::Certificate(Box::new(ShownCertificate::new(Certificate::parse(path, bytes)?, sha256)))
            }
            Kind::Graph => bail!("{}: is the graph of a model of another tool, which is not shown yet", path.display()),
            Kind::Rows => bail!("{}: has the rows of an audit, which are not shown", path.display()),
            Kind::Text | Kind::Arrays if !is_tensors => bail!(
                "{}: is neither a safetensors file nor a certificate; of a table, `roundproof prove` makes what can be shown",
                path.display()
            ),
            Kind::Network | Kind::Text | Kind::Arrays => {
                Shown::Network(ShownNetwork::new(&parse_network(path, bytes)?, sha256))
            }
        })
    }

    fn text(&self, path: &Path) -> String {
        match self {
            Shown::Network(network) => network.text(path),
            Shown::DataSet(data) => data.text(path),
            Shown::Forest(forest) => forest.text(path),
            Shown::Certificate(certificate) => certificate.text(path),
        }
    }
}

/// The least and the largest of some values.
fn range(format: Format, values: impl Iterator<Item = Encoding> + Clone) -> (Option<String>, Option<String>) {
    let key = |value: &Encoding| order_key(format, *value);
    let text = |value: Option<Encoding>| value.map(|value| exact_decimal(format, value));
    (text(values.clone().min_by_key(key)), text(values.max_by_key(key)))
}

fn between(least: Option<&String>, largest: Option<&String>) -> String {
    match (least, largest) {
        (Some(least), Some(largest)) if least == largest => least.clone(),
        (Some(least), Some(largest)) => format!("{least} to {largest}"),
        _ => "none".to_string(),
    }
}

impl ShownLayer {
    fn new(network: &Network, layer: &Placed) -> ShownLayer {
        let of = |values: Option<&Encodings>| {
            range(layer.operands(), values.iter().flat_map(|values| (0..values.len()).map(|index| values.get(index))))
        };
        let (weights, bias) = match &layer.step().op {
            Op::Sum { matrix, bias } => (Some(matrix.weights()), Some(bias)),
            Op::Maximum(_) | Op::Product => (None, None),
        };
        let ((least_weight, largest_weight), (least_bias, largest_bias)) = (of(weights), of(bias));
        ShownLayer {
            neurons: layer.rows(),
            computes: words::form(layer),
            reads: layer.step().reads.clone(),
            format: (layer.format() != network.format()).then(|| layer.format().to_string()),
            activation: words::activation(layer.format(), layer.activation()),
            weights: weights.map_or(0, Encodings::len),
            least_weight,
            largest_weight,
            least_bias,
            largest_bias,
        }
    }

    /// Layer `index`, from 0, as messages and certificates count them.
    fn text(&self, index: usize) -> String {
        let mut text = format!("{}, {}", count(self.neurons, "neuron"), self.activation);
        if self.computes != "sparse" {
            text += &format!(", {}", self.computes);
        }
        if self.reads != [index] {
            let name = |&vector: &usize| match vector.checked_sub(1) {
                None => "the inputs".to_string(),
                Some(layer) => format!("layer {layer}"),
            };
            text += &format!(" of {}", self.reads.iter().map(name).collect::<Vec<_>>().join(" and "));
        }
        if let Some(format) = &self.format {
            text += &format!(", in {format}");
        }
        if self.weights > 0 {
            text += &format!(
                ": {} ({}), biases {}",
                count(self.weights, "stored weight"),
                between(self.least_weight.as_ref(), self.largest_weight.as_ref()),
                between(self.least_bias.as_ref(), self.largest_bias.as_ref()),
            );
        }
        text
    }
}

impl ShownNetwork {
    fn new(network: &Network, sha256: String) -> ShownNetwork {
        ShownNetwork {
            sha256,
            format: network.format().to_string(),
            inputs: network.input_dimension(),
            outputs: network.output_dimension(),
            parameters: network.parameters(),
            layers: network.steps().iter().map(|layer| ShownLayer::new(network, layer)).collect(),
        }
    }

    fn text(&self, path: &Path) -> String {
        let mut sheet = Sheet::new(format!("{}: a network", path.display()));
        sheet.line("format", &self.format);
        sheet.line("inputs", self.inputs.to_string());
        for (index, layer) in self.layers.iter().enumerate() {
            sheet.line(format!("layer {index}"), layer.text(index));
        }
        sheet.line("outputs", self.outputs.to_string());
        sheet.line("parameters", self.parameters.to_string());
        sheet.line("SHA-256", &self.sha256);
        sheet.text()
    }
}

impl ShownDataset {
    fn new(named: &NamedDataset, sha256: String) -> ShownDataset {
        let (data, format) = (&named.dataset, named.dataset.format());
        let column = |name: Option<String>, values: Vec<Encoding>| {
            let (least, largest) = range(format, values.iter().copied());
            let mut keys: Vec<_> = values.iter().map(|&value| order_key(format, value)).collect();
            keys.sort_unstable();
            keys.dedup();
            ShownColumn { name, least, largest, distinct: keys.len() }
        };
        let names = |of: fn(&roundproof_files::safetensors::Columns) -> &Vec<String>, index: usize| {
            named.columns.as_ref().and_then(|columns| of(columns).get(index)).cloned()
        };
        let input = |index| (0..data.rows()).map(|row| data.input(row, index)).collect();
        let label = |index| (0..data.rows()).map(|row| data.label(row, index)).collect();
        ShownDataset {
            sha256,
            format: format.to_string(),
            rows: data.rows(),
            inputs: (0..data.dimension()).map(|i| column(names(|columns| &columns.inputs, i), input(i))).collect(),
            labels: (0..data.outputs()).map(|i| column(names(|columns| &columns.labels, i), label(i))).collect(),
            reference_parameters: Whole(reference_parameters(data.rows(), data.dimension(), data.outputs())),
        }
    }

    fn text(&self, path: &Path) -> String {
        let mut sheet = Sheet::new(format!("{}: a data set", path.display()));
        sheet.line("format", &self.format);
        sheet.line("rows", self.rows.to_string());
        for (what, columns) in [("input", &self.inputs), ("label", &self.labels)] {
            for (index, column) in columns.iter().enumerate() {
                let name = column.name.as_ref().map(|name| format!("`{name}`: ")).unwrap_or_default();
                let values = between(column.least.as_ref(), column.largest.as_ref());
                sheet.line(
                    format!("{what} {}", index + 1),
                    format!("{name}{values}, {}", count(column.distinct, "distinct value")),
                );
            }
        }
        sheet.line("reference", format!("{} parameters with one point box per row", self.reference_parameters));
        sheet.line("SHA-256", &self.sha256);
        sheet.text()
    }
}

impl ShownForest {
    fn new(forest: &Forest, sha256: String) -> ShownForest {
        let format = forest.format();
        let value = |value: Option<Encoding>| value.map(|value| exact_decimal(format, value));
        let mut columns: Vec<BTreeSet<Option<i128>>> = vec![BTreeSet::new(); forest.dimension()];
        for node in forest.trees().iter().flat_map(|tree| &tree.nodes) {
            if let TreeNode::Split { column, threshold } = *node {
                columns[column as usize].insert(order_key(format, threshold));
            }
        }
        let output = |output: usize| {
            let values =
                forest.trees().iter().flat_map(move |tree| tree.values.iter().skip(output).step_by(forest.outputs()));
            let (least, largest) = range(format, values.collect::<Vec<_>>().into_iter());
            ShownOutput { base: value(Some(forest.base().get(output))), least, largest }
        };
        ShownForest {
            sha256,
            format: format.to_string(),
            inputs: forest.dimension(),
            trees: forest.trees().len(),
            leaves: forest.leaves(),
            thresholds: columns.iter().map(BTreeSet::len).sum(),
            columns_used: columns.iter().filter(|thresholds| !thresholds.is_empty()).count(),
            outputs: (0..forest.outputs()).map(output).collect(),
        }
    }

    fn text(&self, path: &Path) -> String {
        let mut sheet =
            Sheet::new(format!("{}: {}", path.display(), if self.trees == 1 { "a tree" } else { "a forest" }));
        sheet.line("format", &self.format);
        sheet.line("trees", format!("{} with {}", self.trees, words::leaf_count(self.leaves)));
        sheet.line(
            "splits",
            format!(
                "{} on {} of {}",
                count(self.thresholds, "threshold"),
                self.columns_used,
                count(self.inputs, "input")
            ),
        );
        for (index, output) in self.outputs.iter().enumerate() {
            let base = output.base.as_deref().unwrap_or("0");
            let values = between(output.least.as_ref(), output.largest.as_ref());
            sheet.line(format!("output {index}"), format!("leaves {values}, base {base}"));
        }
        sheet.line("SHA-256", &self.sha256);
        sheet.text()
    }
}

impl ShownCertificate {
    fn new(certificate: Certificate, sha256: String) -> ShownCertificate {
        let claim = &certificate.claim;
        let reference =
            |path: &dyn ToString, sha256: &Digest| Reference { path: path.to_string(), sha256: sha256.to_string() };
        ShownCertificate {
            sha256,
            verdict: certificate.verdict.name(),
            claim: Statement::new(claim, None),
            evidence: certificate.evidence.as_ref().map(words::evidence),
            network: reference(&certificate.network.path, &certificate.network.sha256),
            network_source: certificate.network_source.as_ref().map(|source| reference(&source.path, &source.sha256)),
            dataset: certificate.dataset.as_ref().map(|dataset| reference(&dataset.path, &dataset.sha256)),
            forest: certificate.forest.as_ref().map(|forest| reference(&forest.path, &forest.sha256)),
            source: certificate.source.as_ref().map(|source| reference(&source.path, &source.sha256)),
            labels: certificate.source.as_ref().map_or(Vec::new(), |source| source.labels.clone()),
            format: words::format(claim.format),
            lemmas: certificate.lemmas.into_iter().map(|lemma| (lemma.name, lemma.established)).collect(),
            provenance: certificate.provenance.into_iter().collect(),
        }
    }

    fn text(&self, path: &Path) -> String {
        let mut sheet = Sheet::new(format!("{}: a certificate that says {}", path.display(), self.verdict));
        sheet.line("claim", &self.claim.sentence);
        sheet.line("format", &self.format);
        let Sizes { rows, inputs, outputs, layers, parameters } = self.claim.shape;
        sheet.line(
            "shape",
            format!(
                "{}, {}, {}, {}, {}",
                count(rows, "row"),
                count(inputs, "input"),
                count(outputs, "output"),
                count(layers, "layer"),
                count(parameters, "parameter")
            ),
        );
        sheet.line("evidence", self.evidence.as_deref().unwrap_or("none"));
        let references = [
            ("network", Some(&self.network)),
            ("made from", self.network_source.as_ref()),
            ("data set", self.dataset.as_ref()),
            ("forest", self.forest.as_ref()),
            ("from", self.source.as_ref()),
        ];
        for (name, reference) in references {
            if let Some(Reference { path, sha256 }) = reference {
                sheet.line(name, format!("{path}, SHA-256 {sha256}"));
            }
        }
        if !self.labels.is_empty() {
            sheet.line("labels", self.labels.join(", "));
        }
        for (name, established) in &self.lemmas {
            sheet.line("leans on", format!("{name}: {established}"));
        }
        for (name, text) in &self.provenance {
            sheet.line("provenance", format!("{name}: {text}"));
        }
        sheet.line("SHA-256", &self.sha256);
        sheet.text()
    }
}
