//! XGBoost's models as JSON: `save_model("model.json")`, of version 1.0 and later.
//!
//! Boosters of trees (`gbtree`) with numerical splits are read. A split sends `x < split_condition` to the left child.
//! Thresholds and leaves are binary32 numbers that are written in decimal; each is read as the binary32 value nearest to
//! its text, as XGBoost reads it. Nodes that pruning deleted are passed over if no path leads to them and there are as
//! many as the file says. What is refused by name: `gblinear`, `dart`, categorical splits and vector leaves.
//!
//! # The base
//!
//! The value is the margin: what `predict(output_margin=True)` gives, but for the rounding of sums. The file has a base
//! score, in the terms of the objective, and not the margin that it becomes. For some objectives they are the same:
//!
//! - `reg:squarederror`, `reg:squaredlogerror`, `reg:absoluteerror`, `reg:pseudohubererror`, `reg:quantileerror`,
//!   `binary:hinge`, `multi:softmax`, `multi:softprob`, `rank:ndcg`, `rank:pairwise`, `rank:map`: the margin is the base
//!   score.
//!
//! For others XGBoost computes a logarithm by the mathematical library of the machine that it runs on:
//!
//! - `binary:logistic`, `reg:logistic`: `-ln(1 / s - 1)`, quotient and difference rounded to binary32;
//! - `count:poisson`, `reg:gamma`, `reg:tweedie`, `survival:cox`, `survival:aft`: `ln(s)`.
//!
//! The margin is then the binary32 value nearest to that logarithm, and a [`Remark::BaseScore`] says so. It is exact for
//! a logistic base score of 0.5 (a margin of 0) and for `s = 1`. Any other objective with a tool's own transformation is
//! refused.

use roundproof_exact::Rational;
use roundproof_format::Format;

use super::loose::{Loose, LooseArray, LooseFields};
use super::number::{logarithm, nearest, rounded};
use super::tree::FileNode;
use super::{Comparison, Kind, Model, ModelProblem, ModelTree, NodeProblem, Remark};

/// Objectives whose margin is the base score.
const IDENTITY: &[&str] = &[
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:quantileerror",
    "binary:hinge",
    "multi:softmax",
    "multi:softprob",
    "rank:ndcg",
    "rank:pairwise",
    "rank:map",
];
/// Objectives whose margin is the logit of the base score.
const LOGIT: &[&str] = &["binary:logistic", "reg:logistic"];
/// Objectives whose margin is the logarithm of the base score.
const LOGARITHM: &[&str] = &["count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"];

/// The fields of a tree in all versions.
const FIELDS: &[&str] = &[
    "base_weights",
    "categories",
    "categories_nodes",
    "categories_segments",
    "categories_sizes",
    "default_left",
    "id",
    "leaf_child_counts",
    "leaf_weights",
    "left_children",
    "loss_changes",
    "parents",
    "right_children",
    "split_conditions",
    "split_indices",
    "split_type",
    "sum_hessian",
    "tree_param",
];
/// The input of a node that was deleted; its default direction is then left.
const DELETED: i64 = 0x7fff_ffff;

/// The model in a document that has the field `learner`.
pub(super) fn parse(document: LooseFields<'_>) -> Result<Model, ModelProblem> {
    let learner = document.get("learner")?.object()?;
    let booster = learner.get("gradient_booster")?.object()?;
    let name = booster.get("name")?.text()?;
    if name != "gbtree" {
        let remedy = "train with booster=\"gbtree\"";
        return Err(unsupported("gradient_booster", format!("the booster `{name}`"), remedy));
    }
    // What a later version may add there could make it another function.
    booster.only(&["model", "name"])?;
    let known =
        ["attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param", "objective"];
    learner.only(&known)?;
    let parameters = learner.get("learner_model_param")?.object()?;
    parameters.only(&["base_score", "boost_from_average", "num_class", "num_feature", "num_target"])?;
    let dimension = parameters.get("num_feature")?.count()?;
    let count = |key: &str| parameters.optional(key).map_or(Ok(1), Loose::count);
    let outputs = count("num_class")?.max(count("num_target")?).max(1);
    let forest = booster.get("model")?.object()?;
    forest.only(&["cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees"])?;
    if let Some(categories) = forest.optional("cats")
        && !categories.object()?.get("enc")?.array()?.is_empty()
    {
        let remedy = "train on numbers: encode the categories yourself";
        return Err(unsupported("gradient_booster.model.cats", "an encoding of categories".to_string(), remedy));
    }
    let trees = trees(&forest, dimension, outputs)?;
    let objective = learner.get("objective")?.object()?.get("name")?.text()?;
    let mut remarks = Vec::new();
    let base = base(&objective, &parameters.get("base_score")?.text()?, outputs, &mut remarks)?;
    if let Some(attributes) = learner.optional("attributes")
        && let Some(best) = attributes.object()?.optional("best_iteration")
    {
        remarks.push(Remark::BestIteration { iteration: roundproof_files::json::shorten(&best.text()?) });
    }
    Ok(Model {
        kind: Kind::XgBoost,
        objective: Some(objective),
        dimension,
        feature_names: feature_names(&learner, dimension)?,
        classes: None,
        comparison: Comparison::Less,
        inputs: Format::BINARY32,
        base,
        divisor: 1,
        trees,
        remarks,
    })
}

fn unsupported(place: impl ToString, what: String, remedy: &'static str) -> ModelProblem {
    ModelProblem::Unsupported { place: place.to_string(), what, remedy }
}

/// The names of the inputs, if there are any.
fn feature_names(learner: &LooseFields<'_>, dimension: usize) -> Result<Option<Vec<String>>, ModelProblem> {
    let Some(names) = learner.optional("feature_names") else { return Ok(None) };
    let names = names.array()?;
    if names.is_empty() {
        return Ok(None);
    }
    expect("learner.feature_names", "names", names.len(), dimension)?;
    Ok(Some(names.iter().map(Loose::text).collect::<Result<_, _>>()?))
}

fn expect(place: &str, what: &'static str, found: usize, expected: usize) -> Result<(), ModelProblem> {
    let count = || ModelProblem::Count { place: place.to_string(), what, found, expected };
    if found == expected { Ok(()) } else { Err(count()) }
}

/// The margins that the base scores become: one score for all outputs, or one for each.
fn base(objective: &str, text: &str, outputs: usize, remarks: &mut Vec<Remark>) -> Result<Vec<Rational>, ModelProblem> {
    let scores: Vec<&str> = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(list) => list.split(',').map(str::trim).collect(),
        None => vec![text.trim()],
    };
    if scores.len() != 1 {
        expect("learner_model_param.base_score", "base scores", scores.len(), outputs)?;
    }
    let margins = scores.iter().map(|score| margin(objective, score, remarks));
    let mut margins = margins.collect::<Result<Vec<Rational>, ModelProblem>>()?;
    if let [one] = &margins[..] {
        margins = vec![one.clone(); outputs];
    }
    Ok(margins)
}

fn margin(objective: &str, text: &str, remarks: &mut Vec<Remark>) -> Result<Rational, ModelProblem> {
    let place = || "learner_model_param.base_score".to_string();
    let score = nearest(Format::BINARY32, text, place)?;
    if IDENTITY.contains(&objective) {
        return Ok(score);
    }
    let outside = || ModelProblem::Number {
        place: place(),
        text: text.to_string(),
        what: "has no finite logarithm in the terms of the objective",
    };
    let margin = if LOGIT.contains(&objective) {
        let binary32 = |value: Rational| rounded(Format::BINARY32, &value).ok_or_else(outside);
        if score <= 0 {
            return Err(outside());
        }
        let odds = binary32(binary32(score.recip())? - 1u32)?;
        if odds <= 0 {
            return Err(outside());
        }
        -logarithm(&odds)
    } else if LOGARITHM.contains(&objective) {
        if score <= 0 {
            return Err(outside());
        }
        logarithm(&score)
    } else {
        let what = format!(
            "the transformation of a base score by the objective `{}`",
            roundproof_files::json::shorten(objective)
        );
        let remedy =
            "train with an objective such as reg:squarederror, binary:logistic, count:poisson or multi:softprob";
        return Err(unsupported("objective.name", what, remedy));
    };
    if margin != 0 {
        let (objective, score) = (objective.to_string(), text.to_string());
        remarks.push(Remark::BaseScore { objective, score, margin: margin.clone() });
    }
    Ok(margin)
}

fn trees(forest: &LooseFields<'_>, dimension: usize, outputs: usize) -> Result<Vec<ModelTree>, ModelProblem> {
    let (trees, groups) = (forest.get("trees")?.array()?, forest.get("tree_info")?.array()?);
    let announced = forest.get("gbtree_model_param")?.object()?.get("num_trees")?.count()?;
    expect("gradient_booster.model.trees", "trees", trees.len(), announced)?;
    expect("gradient_booster.model.tree_info", "outputs of trees", groups.len(), announced)?;
    let read = |(index, tree): (usize, Loose<'_>)| {
        let group = groups.integer(index)?;
        let group = usize::try_from(group).ok().filter(|&group| group < outputs);
        let Some(output) = group else {
            return Err(groups.get(index).refuse(format!("is no output; the model has {outputs}")).into());
        };
        let arrays = Arrays::open(index, tree.object()?)?;
        let nodes = (0..arrays.nodes).map(|node| arrays.node(node, dimension));
        let nodes = nodes.collect::<Result<Vec<FileNode>, ModelProblem>>()?;
        let deleted = nodes.iter().filter(|node| matches!(node, FileNode::Deleted)).count();
        expect(&format!("tree {index}"), "deleted nodes", deleted, arrays.deleted)?;
        ModelTree::build(index, nodes, Some(output), |node| format!("node {node}"))
    };
    let trees = trees.iter().enumerate().map(read).collect::<Result<Vec<ModelTree>, ModelProblem>>()?;
    if announced < outputs {
        // Every round has a tree for every output. So the outputs are no more than the file has room for.
        let place = "gradient_booster.model.trees".to_string();
        return Err(ModelProblem::Count { place, what: "trees", found: announced, expected: outputs });
    }
    Ok(trees)
}

/// A tree, as the file has it: arrays with an entry for each node.
struct Arrays<'a> {
    tree: usize,
    nodes: usize,
    deleted: usize,
    left: LooseArray<'a>,
    right: LooseArray<'a>,
    columns: LooseArray<'a>,
    conditions: LooseArray<'a>,
    default_left: LooseArray<'a>,
}

impl<'a> Arrays<'a> {
    fn open(tree: usize, fields: LooseFields<'a>) -> Result<Arrays<'a>, ModelProblem> {
        let place = || format!("tree {tree}");
        let parameters = fields.get("tree_param")?.object()?;
        let vector = parameters.optional("size_leaf_vector").map_or(Ok(1), Loose::count)?;
        if vector > 1 || fields.has("leaf_weights") {
            let remedy = "train with multi_strategy=\"one_output_per_tree\"";
            return Err(unsupported(place(), "a leaf with a vector of values".to_string(), remedy));
        }
        fields.only(FIELDS)?;
        let id = fields.optional("id").map_or(Ok("".to_string()), |id| id.written())?;
        if !id.is_empty() && id != tree.to_string() {
            return Err(fields.get("id")?.refuse(format!("stands at the place of tree {tree}")).into());
        }
        let nodes = parameters.get("num_nodes")?.count()?;
        let deleted = parameters.optional("num_deleted").map_or(Ok(0), Loose::count)?;
        let column = |key: &str, what| {
            let array = fields.get(key)?.array()?;
            expect(&format!("tree {tree}, {key}"), what, array.len(), nodes)?;
            Ok::<_, ModelProblem>(array)
        };
        for key in ["categories", "categories_nodes"] {
            if let Some(categories) = fields.optional(key)
                && !categories.array()?.is_empty()
            {
                return Err(categorical(place()));
            }
        }
        if fields.has("split_type") {
            let types = column("split_type", "types of splits")?;
            for node in 0..nodes {
                if types.integer(node)? != 0 {
                    return Err(categorical(format!("tree {tree}, node {node}")));
                }
            }
        }
        Ok(Arrays {
            tree,
            nodes,
            deleted,
            left: column("left_children", "left children")?,
            right: column("right_children", "right children")?,
            columns: column("split_indices", "inputs")?,
            conditions: column("split_conditions", "thresholds")?,
            default_left: column("default_left", "default directions")?,
        })
    }

    fn node(&self, node: usize, dimension: usize) -> Result<FileNode, ModelProblem> {
        let place = || format!("tree {}, node {node}", self.tree);
        let wrong = |problem| ModelProblem::Node { tree: self.tree, node: format!("node {node}"), problem };
        let column = self.columns.integer(node)?;
        if column == DELETED && self.default_left.truth(node)? {
            return Ok(FileNode::Deleted);
        }
        self.default_left.truth(node)?;
        let number = nearest(Format::BINARY32, self.conditions.number(node)?, place)?;
        let sides = [self.left.integer(node)?, self.right.integer(node)?];
        if sides == [-1, -1] {
            // No tree has more nodes than its file has bytes; beyond 32 bits it could not be numbered.
            let index = u32::try_from(node).map_err(|_| wrong(NodeProblem::Unreachable))?;
            return Ok(FileNode::Leaf { number: index, values: vec![number] });
        }
        if sides.contains(&-1) {
            return Err(wrong(NodeProblem::OneChild));
        }
        let child = |child: i64| {
            let there = usize::try_from(child).ok().filter(|&child| child < self.nodes);
            there.ok_or_else(|| wrong(NodeProblem::NoSuchChild { child: child.to_string() }))
        };
        let [lower, upper] = [child(sides[0])?, child(sides[1])?];
        let there = u32::try_from(column).ok().filter(|&column| (column as usize) < dimension);
        let column = there.ok_or_else(|| wrong(NodeProblem::Column { column: column.to_string(), dimension }))?;
        Ok(FileNode::Split { column, threshold: number, lower, upper })
    }
}

fn categorical(place: String) -> ModelProblem {
    unsupported(place, "a split by category".to_string(), "train on numbers: encode the categories yourself")
}
