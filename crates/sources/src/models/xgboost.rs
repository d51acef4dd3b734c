//! XGBoost's models as JSON or UBJSON: `save_model("model.json")` or `"model.ubj"`, of version 1.0 and later.
//!
//! Boosters of trees (`gbtree`, and `dart`, whose trees have weights) are read. A split sends `x < split_condition` to the
//! left child. A split by category sends `x` to the right child if the integer part of `x` is one of its categories, and
//! everything else, negative numbers too, to the left. Thresholds and leaves are binary32 numbers that are written in
//! decimal; each is read as the binary32 value nearest to its text, as XGBoost reads it. A leaf has a value for the output
//! that its tree adds to, or a vector with a value for each output. Nodes that pruning deleted are passed over if no path
//! leads to them and there are as many as the file says. What is refused by name: `gblinear`, and categories that a data
//! frame has named, which XGBoost encodes by a table of its own.
//!
//! # The base
//!
//! The value is the margin: what `predict(output_margin=True)` gives, but for the rounding of sums. The file has a base
//! score, in the terms of the objective, and not the margin that it becomes. For some objectives they are the same:
//!
//! - `reg:squarederror`, `reg:squaredlogerror`, `reg:absoluteerror`, `reg:pseudohubererror`, `reg:quantileerror`,
//!   `binary:hinge`, `binary:logitraw`, `multi:softmax`, `multi:softprob`, `rank:ndcg`, `rank:pairwise`, `rank:map`: the
//!   margin is the base score.
//!
//! For others XGBoost computes a logarithm by the mathematical library of the machine that it runs on:
//!
//! - `binary:logistic`, `reg:logistic`: `-ln(1 / s - 1)`, quotient and difference rounded to binary32. Since version 3.2,
//!   `s` is first clamped to `[1e-6, 1 - 1e-6]`, both ends rounded to binary32; the `version` in the file decides;
//! - `count:poisson`, `reg:gamma`, `reg:tweedie`, `survival:cox`, `survival:aft`: `ln(s)`.
//!
//! The margin is then the binary32 value nearest to that logarithm, and a [`Remark::BaseScore`] says so. It is exact for
//! a logistic base score of 0.5 (a margin of 0) and for `s = 1`. Any other objective with a tool's own transformation is
//! refused.

use std::collections::HashMap;

use roundproof_exact::Rational;
use roundproof_files::json::shorten;
use roundproof_format::Format;

use super::loose::{Loose, LooseArray, LooseFields};
use super::number::{logarithm, nearest, nearest_limit, rounded};
use super::tree::{Cut, FileNode, Room};
use super::{Kind, Model, ModelProblem, ModelTree, NodeProblem, Remark};

/// Objectives whose margin is the base score.
const IDENTITY: &[&str] = &[
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:quantileerror",
    "binary:hinge",
    "binary:logitraw",
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
/// The most outputs of a model without trees, which has nothing in it that would bound them.
const MOST_OUTPUTS: usize = 1 << 16;
/// No category is as large as this one.
const CATEGORIES: u64 = 1 << 24;
/// The input of a node that was deleted; its default direction is then left.
const DELETED: i64 = 0x7fff_ffff;

/// The model in a document that has the field `learner`.
pub(super) fn parse(document: LooseFields<'_>) -> Result<Model, ModelProblem> {
    let learner = document.get("learner")?.object()?;
    let booster = learner.get("gradient_booster")?.object()?;
    let name = booster.get("name")?.text()?;
    let (booster, weights) = match name.as_str() {
        "gbtree" => (booster, None),
        "dart" => {
            booster.only(&["gbtree", "name", "weight_drop"])?;
            (booster.get("gbtree")?.object()?, Some(booster.get("weight_drop")?.array()?))
        }
        _ => {
            let remedy = "train with booster=\"gbtree\" or \"dart\"";
            return Err(unsupported("gradient_booster", format!("the booster `{}`", shorten(&name)), remedy));
        }
    };
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
    let trees = trees(&forest, weights.as_ref(), dimension, outputs)?;
    let objective = learner.get("objective")?.object()?.get("name")?.text()?;
    let mut remarks = Vec::new();
    let version = version(&document)?;
    let base = base(&objective, &parameters.get("base_score")?.text()?, version, outputs, &mut remarks)?;
    if let Some(attributes) = learner.optional("attributes")
        && let Some(best) = attributes.object()?.optional("best_iteration")
    {
        remarks.push(Remark::BestIteration { iteration: shorten(&best.text()?) });
    }
    Ok(Model {
        kind: Kind::XgBoost,
        objective: Some(objective),
        dimension,
        feature_names: feature_names(&learner, dimension)?,
        classes: None,
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

/// The major and the minor version of XGBoost that wrote the file, if it says so.
fn version(document: &LooseFields<'_>) -> Result<Option<[i64; 2]>, ModelProblem> {
    let Some(version) = document.optional("version") else { return Ok(None) };
    let version = version.array()?;
    if version.len() < 2 {
        return expect("version", "numbers", version.len(), 3).map(|()| None);
    }
    Ok(Some([version.integer(0)?, version.integer(1)?]))
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
fn base(
    objective: &str,
    text: &str,
    version: Option<[i64; 2]>,
    outputs: usize,
    remarks: &mut Vec<Remark>,
) -> Result<Vec<Rational>, ModelProblem> {
    let scores: Vec<&str> = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(list) => list.split(',').map(str::trim).collect(),
        None => vec![text.trim()],
    };
    if scores.len() != 1 {
        expect("learner_model_param.base_score", "base scores", scores.len(), outputs)?;
    }
    let margins = scores.iter().map(|score| margin(objective, score, version, remarks));
    let mut margins = margins.collect::<Result<Vec<Rational>, ModelProblem>>()?;
    if let [one] = &margins[..] {
        margins = vec![one.clone(); outputs];
    }
    Ok(margins)
}

fn margin(
    objective: &str,
    text: &str,
    version: Option<[i64; 2]>,
    remarks: &mut Vec<Remark>,
) -> Result<Rational, ModelProblem> {
    let place = || "learner_model_param.base_score".to_string();
    let mut score = nearest(Format::BINARY32, text, place)?;
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
        let least = binary32(Rational::from((1, 1_000_000)))?;
        let most = binary32(Rational::from(1 - &least))?;
        if score < least || score > most {
            match version {
                Some(version) if version < [3, 2] => {}
                Some(_) => score = if score < least { least } else { most },
                None => {
                    let what = "a base score beyond [1e-6, 1 - 1e-6] without the version of XGBoost, which decides what \
                                becomes of it,";
                    return Err(unsupported("version", what.to_string(), "save the model again"));
                }
            }
        }
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
        let what = format!("the transformation of a base score by the objective `{}`", shorten(objective));
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

/// The trees; of dart, each with its weight.
fn trees(
    forest: &LooseFields<'_>,
    weights: Option<&LooseArray<'_>>,
    dimension: usize,
    outputs: usize,
) -> Result<Vec<ModelTree>, ModelProblem> {
    let (trees, groups) = (forest.get("trees")?.array()?, forest.get("tree_info")?.array()?);
    let announced = forest.get("gbtree_model_param")?.object()?.get("num_trees")?.count()?;
    expect("gradient_booster.model.trees", "trees", trees.len(), announced)?;
    expect("gradient_booster.model.tree_info", "outputs of trees", groups.len(), announced)?;
    if let Some(weights) = weights {
        expect("gradient_booster.weight_drop", "weights of trees", weights.len(), announced)?;
    }
    let (mut vectors, room) = (false, Room::default());
    let read = |(index, tree): (usize, Loose<'_>)| {
        let group = groups.integer(index)?;
        let group = usize::try_from(group).ok().filter(|&group| group < outputs);
        let Some(output) = group else {
            return Err(groups.get(index).refuse(format!("is not an output; the model has {outputs}")).into());
        };
        let weight = match weights {
            Some(weights) => nearest(Format::BINARY32, weights.number(index)?, || format!("weight of tree {index}"))?,
            None => Rational::from(1),
        };
        let arrays = Arrays::open(index, weight, tree.object()?, outputs, &room)?;
        vectors |= arrays.vectors.is_some();
        let nodes = (0..arrays.nodes).map(|node| arrays.node(node, dimension));
        let nodes = nodes.collect::<Result<Vec<FileNode>, ModelProblem>>()?;
        let deleted = nodes.iter().filter(|node| matches!(node, FileNode::Deleted)).count();
        expect(&format!("tree {index}"), "deleted nodes", deleted, arrays.deleted)?;
        let output = arrays.vectors.is_none().then_some(output);
        ModelTree::build(index, nodes, output, |node| format!("node {node}"))
    };
    let trees = trees.iter().enumerate().map(read).collect::<Result<Vec<ModelTree>, ModelProblem>>()?;
    // Every round has a tree for every output, or a vector in every leaf. So the outputs are no more than the file has
    // room for.
    let room = if announced == 0 { MOST_OUTPUTS } else { announced };
    if room < outputs && !vectors {
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
    /// What every leaf is multiplied by.
    weight: Rational,
    left: LooseArray<'a>,
    right: LooseArray<'a>,
    columns: LooseArray<'a>,
    conditions: LooseArray<'a>,
    default_left: LooseArray<'a>,
    /// The values of leaves one after the other, and how many a leaf has; none where a leaf has its value in place of
    /// a threshold.
    vectors: Option<(LooseArray<'a>, usize)>,
    /// For each split by category, where the sides meet.
    categories: HashMap<usize, Vec<Cut>>,
}

impl<'a> Arrays<'a> {
    fn open(
        tree: usize,
        weight: Rational,
        fields: LooseFields<'a>,
        outputs: usize,
        room: &Room,
    ) -> Result<Arrays<'a>, ModelProblem> {
        fields.only(FIELDS)?;
        let parameters = fields.get("tree_param")?.object()?;
        let vector = parameters.optional("size_leaf_vector").map_or(Ok(1), Loose::count)?;
        let vectors = match fields.optional("leaf_weights") {
            Some(weights) => {
                expect(&format!("tree {tree}, size_leaf_vector"), "values of a leaf", vector, outputs)?;
                Some((weights.array()?, vector))
            }
            None if vector > 1 => {
                let remedy = "save the model with XGBoost 3.1 or later, or train with \
                              multi_strategy=\"one_output_per_tree\"";
                let what = "a vector of values in a leaf, as versions before 3.1 wrote it,";
                return Err(unsupported(format!("tree {tree}"), what.to_string(), remedy));
            }
            None => None,
        };
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
        let categories = categories(tree, &fields, nodes, room)?;
        if fields.has("split_type") {
            let types = column("split_type", "types of splits")?;
            for node in 0..nodes {
                let by_category = match types.integer(node)? {
                    0 => false,
                    1 => true,
                    _ => return Err(types.get(node).refuse("is not a type of split".to_string()).into()),
                };
                if by_category != categories.contains_key(&node) {
                    return Err(types.get(node).refuse("does not agree with `categories_nodes`".to_string()).into());
                }
            }
        } else if !categories.is_empty() {
            return Err(fields.get("split_type").map_or_else(Into::into, |types| types.refuse(String::new()).into()));
        }
        Ok(Arrays {
            tree,
            nodes,
            deleted,
            weight,
            left: column("left_children", "left children")?,
            right: column("right_children", "right children")?,
            columns: column("split_indices", "inputs")?,
            conditions: column("split_conditions", "thresholds")?,
            default_left: column("default_left", "default directions")?,
            vectors,
            categories,
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
        let sides = [self.left.integer(node)?, self.right.integer(node)?];
        if sides[0] == -1 && (sides[1] == -1 || self.vectors.is_some()) {
            // No tree has more nodes than its file has bytes; beyond 32 bits it could not be numbered.
            let number = u32::try_from(node).map_err(|_| wrong(NodeProblem::Unreachable))?;
            return Ok(FileNode::Leaf { number, values: self.leaf(node, sides[1])? });
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
        if let Some(cuts) = self.categories.get(&node) {
            return Ok(FileNode::Split { column, cuts: cuts.clone(), lower, upper });
        }
        let threshold = nearest_limit(Format::BINARY32, self.conditions.number(node)?, place)?;
        Ok(FileNode::compare(column, threshold, Cut::before, [lower, upper]))
    }

    /// The values of a leaf; `index` is its place among the vectors, if there are any.
    fn leaf(&self, node: usize, index: i64) -> Result<Vec<Rational>, ModelProblem> {
        let place = || format!("tree {}, node {node}", self.tree);
        let value = |text| Ok::<_, ModelProblem>(nearest(Format::BINARY32, text, place)? * &self.weight);
        let Some((values, width)) = &self.vectors else {
            return Ok(vec![value(self.conditions.number(node)?)?]);
        };
        let start = usize::try_from(index).ok().and_then(|index| index.checked_mul(*width));
        let range = start.and_then(|start| Some(start..start.checked_add(*width)?));
        let range = range.filter(|range| range.end <= values.len()).ok_or_else(|| ModelProblem::Node {
            tree: self.tree,
            node: format!("node {node}"),
            problem: NodeProblem::NoSuchVector { vector: index.to_string() },
        })?;
        range.map(|place| value(values.number(place)?)).collect()
    }
}

/// Where the sides of each split by category meet, by its node.
///
/// `categories_nodes` has the nodes, `categories_segments` and `categories_sizes` where the categories of each begin in
/// `categories`, and how many there are.
fn categories(
    tree: usize,
    fields: &LooseFields<'_>,
    nodes: usize,
    room: &Room,
) -> Result<HashMap<usize, Vec<Cut>>, ModelProblem> {
    let list = |key: &str| fields.optional(key).map(|field| field.array()?.iter().map(Loose::natural).collect());
    let list = |key: &str| list(key).unwrap_or(Ok::<Vec<u64>, roundproof_files::Misfit>(Vec::new()));
    let [categories, places, starts, sizes] =
        [list("categories")?, list("categories_nodes")?, list("categories_segments")?, list("categories_sizes")?];
    expect(&format!("tree {tree}, categories_segments"), "starts", starts.len(), places.len())?;
    expect(&format!("tree {tree}, categories_sizes"), "sizes", sizes.len(), places.len())?;
    let mut cuts = HashMap::new();
    for ((&node, &start), &size) in places.iter().zip(&starts).zip(&sizes) {
        let wrong = |what: String| ModelProblem::Number {
            place: format!("tree {tree}, node {node}"),
            text: what,
            what: "is not a place or a list of categories of this tree",
        };
        let node = usize::try_from(node).ok().filter(|&node| node < nodes).ok_or_else(|| wrong(node.to_string()))?;
        let range =
            start.checked_add(size).and_then(|end| Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?));
        let range = range.filter(|range| range.end <= categories.len() && size > 0);
        let mut own = categories[range.ok_or_else(|| wrong(format!("{start} + {size}")))?].to_vec();
        room.take(own.len() as u64, tree)?;
        own.sort_unstable();
        own.dedup();
        if own.last().is_some_and(|&category| category >= CATEGORIES) {
            return Err(wrong(format!("{start} + {size}")));
        }
        if cuts.insert(node, category_cuts(&own)).is_some() {
            return Err(wrong(node.to_string()));
        }
    }
    Ok(cuts)
}

/// The cuts around runs of categories, which are ascending: the integer part of what lies between the first cut and the
/// second is one of them, and so on.
fn category_cuts(categories: &[u64]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (index, &category) in categories.iter().enumerate() {
        if index == 0 || categories[index - 1] + 1 < category {
            cuts.push(Cut::before(category));
        }
        if categories.get(index + 1).is_none_or(|&next| next > category + 1) {
            cuts.push(Cut::before(category + 1));
        }
    }
    cuts
}
