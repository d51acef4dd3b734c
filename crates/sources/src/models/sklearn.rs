//! Decision trees and forests of scikit-learn, as JSON that `scripts/export_sklearn.py` writes.
//!
//! ```json
//! {
//!   "schema": 1,
//!   "kind": "random-forest",
//!   "estimator": "RandomForestClassifier",
//!   "features": 2,
//!   "feature_names": ["length", "width"],
//!   "classes": ["0", "1"],
//!   "trees": [
//!     {
//!       "column": [1, null, null],
//!       "threshold": ["0x1.8p+1", null, null],
//!       "lower": [1, null, null],
//!       "upper": [2, null, null],
//!       "value": [null, ["0x1p+0", "0x0p+0"], ["0x0p+0", "0x1p+0"]]
//!     }
//!   ]
//! }
//! ```
//!
//! - `kind`: `decision-tree`, of one tree; `random-forest`, whose value is the mean of its trees; or `gradient-boosting`,
//!   whose value is the `base` and the sum of its trees, the leaves of each times `scale`, the tree after each other adding
//!   to the outputs in turn. Extremely randomized trees are of one of the first two. `estimator` is scikit-learn's class.
//! - `feature_names` and `classes` may be missing: the names of the `features` inputs, and of classes, in order. `base`, a
//!   number for each output, and `scale` are there for gradient boosting alone.
//! - A tree's arrays have an entry for each node; the first is the root. At a split, `column`, `threshold`, `lower` and
//!   `upper` are there and `value` is null; at a leaf it is the other way round. `lower` and `upper` are the indices of
//!   its sides. `value` has a number for each output, the fractions of the classes or the means; of gradient boosting,
//!   one number.
//! - Numbers are hexadecimal floats of binary64, as strings; every key is known and there once. A threshold may be `inf`
//!   or `-inf`: it parts missing values from others, and every finite input lies on one side of it.
//!
//! scikit-learn rounds inputs to binary32 and compares them with thresholds of binary64: `x <= threshold` goes to the
//! lower side. Its sides for missing values are not written.

use roundproof_exact::Rational;
use roundproof_files::json::{Field, Json, Misfit};
use roundproof_format::{Format, ParseError};

use super::number::{exact, exact_limit};
use super::tree::{Cut, FileNode};
use super::{Kind, Model, ModelProblem, ModelTree, NodeProblem};

/// The version that is read.
const SCHEMA: usize = 1;

/// The model in `text`, a document that has the field `schema`.
pub(super) fn parse(text: &str) -> Result<Model, ModelProblem> {
    let mut fields = Field::root(Json::parse(text.as_bytes()).map_err(ModelProblem::Json)?).object()?;
    match fields.take("schema")?.count()? {
        SCHEMA => {}
        found => return Err(ModelProblem::Schema { found }),
    }
    let family = fields.take("kind")?.read(|kind| match kind {
        "decision-tree" => Ok(Family::Single),
        "random-forest" => Ok(Family::Mean),
        "gradient-boosting" => Ok(Family::Boosted),
        _ => Err(ParseError::unknown("kind", kind, ["decision-tree", "random-forest", "gradient-boosting"])),
    })?;
    let estimator = fields.take("estimator")?.text()?;
    let dimension = fields.take("features")?.count()?;
    let names = |field: Field| field.array()?.into_iter().map(Field::text).collect::<Result<Vec<String>, Misfit>>();
    let feature_names = fields.take_optional("feature_names").map(names).transpose()?;
    let classes = fields.take_optional("classes").map(names).transpose()?;
    if let Some(names) = &feature_names {
        expect("feature_names", "names", names.len(), dimension)?;
    }
    let boosted = match family {
        Family::Single | Family::Mean => None,
        Family::Boosted => {
            let base = fields.take("base")?.array()?.into_iter().map(number).collect::<Result<Vec<_>, Misfit>>()?;
            Some((base, number(fields.take("scale")?)?))
        }
    };
    let trees = fields.take("trees")?.array()?;
    fields.finish()?;
    if trees.is_empty() || (family == Family::Single && trees.len() != 1) {
        expect("trees", "trees", trees.len(), 1)?;
    }
    if let Some((base, _)) = &boosted
        && (base.is_empty() || !trees.len().is_multiple_of(base.len()))
    {
        let expected = trees.len().next_multiple_of(base.len().max(1));
        expect("trees", "trees for the numbers of `base`", trees.len(), expected.max(1))?;
        expect("base", "numbers", base.len(), 1)?;
    }
    let mut width = if boosted.is_some() { Some(1) } else { classes.as_ref().map(Vec::len) };
    let trees = trees.into_iter().enumerate().map(|(index, field)| {
        let boosted = boosted.as_ref().map(|(base, scale)| (index % base.len(), scale));
        tree(index, field, dimension, &mut width, boosted)
    });
    let trees = trees.collect::<Result<Vec<ModelTree>, ModelProblem>>()?;
    Ok(Model {
        kind: Kind::ScikitLearn,
        objective: Some(estimator),
        dimension,
        feature_names,
        // What a boosted model adds up are not fractions of classes.
        classes: if boosted.is_some() { None } else { classes },
        inputs: Format::BINARY32,
        base: boosted.map_or_else(|| vec![Rational::new(); width.unwrap_or(0)], |(base, _)| base),
        divisor: if family == Family::Mean { trees.len() } else { 1 },
        trees,
        remarks: Vec::new(),
    })
}

/// What a model makes of its trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Single,
    Mean,
    Boosted,
}

fn expect(place: &str, what: &'static str, found: usize, expected: usize) -> Result<(), ModelProblem> {
    let count = || ModelProblem::Count { place: place.to_string(), what, found, expected };
    if found == expected { Ok(()) } else { Err(count()) }
}

/// A tree. `width` is how many values a leaf has; the first leaf says so if nothing did before. `boosted` has the output
/// that a boosted tree adds to, and what its leaves are multiplied by.
fn tree(
    tree: usize,
    field: Field,
    dimension: usize,
    width: &mut Option<usize>,
    boosted: Option<(usize, &Rational)>,
) -> Result<ModelTree, ModelProblem> {
    let mut fields = field.object()?;
    let columns = fields.take("column")?.array()?;
    let count = columns.len();
    let mut column = |key: &str, what| {
        let array = fields.take(key)?.array()?;
        expect(&format!("tree {tree}, {key}"), what, array.len(), count)?;
        Ok::<_, ModelProblem>(array.into_iter())
    };
    let mut thresholds = column("threshold", "thresholds")?;
    let mut lower = column("lower", "lower sides")?;
    let mut upper = column("upper", "upper sides")?;
    let mut values = column("value", "values")?;
    fields.finish()?;
    let mut nodes = Vec::with_capacity(count);
    for (node, column) in columns.into_iter().enumerate() {
        let sides = (thresholds.next(), lower.next(), upper.next(), values.next());
        // All columns have the same length.
        let (Some(threshold), Some(lower), Some(upper), Some(value)) = sides else { break };
        let wrong = |problem| ModelProblem::Node { tree, node: format!("node {node}"), problem };
        nodes.push(if value.is_null() {
            let child = |field: Field| {
                let child = field.count()?;
                let there = (child < count).then_some(child);
                there.ok_or_else(|| wrong(NodeProblem::NoSuchChild { child: child.to_string() }))
            };
            let column = column.count()?;
            let there = u32::try_from(column).ok().filter(|_| column < dimension);
            let column = there.ok_or_else(|| wrong(NodeProblem::Column { column: column.to_string(), dimension }))?;
            let threshold = threshold.read(|text| exact_limit(Format::BINARY64, text))?;
            FileNode::compare(column, threshold, Cut::after, [child(lower)?, child(upper)?])
        } else {
            for field in [column, threshold, lower, upper] {
                field.null()?;
            }
            let mut values = value.array()?.into_iter().map(number).collect::<Result<Vec<Rational>, Misfit>>()?;
            if let Some((_, scale)) = boosted {
                values.iter_mut().for_each(|value| *value *= scale);
            }
            let expected = *width.get_or_insert(values.len());
            expect(&format!("tree {tree}, node {node}"), "values", values.len(), expected)?;
            let number = u32::try_from(node).map_err(|_| wrong(NodeProblem::Unreachable))?;
            FileNode::Leaf { number, values }
        });
    }
    let output = boosted.map(|(output, _)| output);
    ModelTree::build(tree, nodes, output, |node| format!("node {node}"))
}

fn number(field: Field) -> Result<Rational, Misfit> {
    field.read(|text| exact(Format::BINARY64, text))
}
