//! LightGBM's models as text: `save_model("model.txt")`, of the versions v2, v3 and v4 of that text.
//!
//! A split sends `x <= threshold` to the left child. Thresholds and leaves are binary64 numbers, and so are inputs.
//! LightGBM takes inputs of at most 1.0000000180025095e-35 in magnitude for 0 before it compares them, and that is part of
//! what is read. A split for which zero means "missing" sends these inputs to its default side. A split by category sends
//! `x` to the left child if the integer part of `x` is one of its categories, and everything else to the right. The
//! trees after each other add to the outputs in turn (`num_tree_per_iteration`); with `average_output`, as random forests
//! have it, their sum is divided by the number of iterations (LightGBM does that for a prediction, and not with
//! `raw_score=True`). The base is 0, since LightGBM adds it to the leaves of the first trees.
//!
//! What is refused by name: linear trees. Splits for which NaN means "missing" are those for which it does not, on finite
//! inputs. Categories are the numbers that LightGBM sees: of a data frame, the codes of the categories.

use roundproof_exact::{Rational, power_of_two};
use roundproof_files::json::shorten;
use roundproof_format::Format;

use super::number::{Limit, nearest, nearest_limit};
use super::tree::{Cut, FileNode, Room};
use super::{Kind, Model, ModelProblem, ModelTree, NodeProblem};

/// What may stand before the trees.
const HEADER: &[&str] = &[
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "average_output",
    "feature_names",
    "monotone_constraints",
    "feature_infos",
    "tree_sizes",
];
/// What may stand in a tree.
const TREE: &[&str] = &[
    "num_leaves",
    "num_cat",
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
    "shrinkage",
];
/// The most outputs of a model without trees, which has nothing in it that would bound them.
const MOST_OUTPUTS: usize = 1 << 16;
/// The end of what is read: importances and parameters follow.
const END: &str = "end of trees";

/// The model in `text`, whose first line that is not blank is `tree`.
pub(super) fn parse(text: &str) -> Result<Model, ModelProblem> {
    let mut lines = Lines { lines: text.lines(), last: 0 };
    // The first line that is not blank.
    while lines.next().is_some_and(|(_, line)| line.trim_start() != "tree") {}
    let header = Block::read(&mut lines, HEADER)?;
    let (line, version) = header.get("version")?;
    if !["v2", "v3", "v4"].contains(&version) {
        let what = format!("version `{}`", shorten(version));
        return Err(unsupported(format!("line {line}"), what, "save the model with LightGBM 2 to 4"));
    }
    let largest_column = header.count("max_feature_idx")?;
    let names: Vec<String> = header.get("feature_names")?.1.split(' ').map(str::to_string).collect();
    let dimension = names.len();
    expect("feature_names", "names", dimension, largest_column.saturating_add(1))?;
    let outputs = header.count("num_tree_per_iteration")?;
    let trees = trees(&mut lines, dimension, outputs)?;
    if let Some((_, sizes)) = header.find("tree_sizes") {
        expect("before `end of trees`", "trees", trees.len(), sizes.split_ascii_whitespace().count())?;
    }
    let one_each = trees.is_empty() && outputs <= MOST_OUTPUTS;
    if outputs == 0 || (trees.len() < outputs && !one_each) || !trees.len().is_multiple_of(outputs) {
        let expected = trees.len().max(1).next_multiple_of(outputs.max(1));
        return Err(ModelProblem::Count {
            place: "num_tree_per_iteration".to_string(),
            what: "trees",
            found: trees.len(),
            expected,
        });
    }
    let averaged = header.find("average_output").is_some();
    Ok(Model {
        kind: Kind::LightGbm,
        objective: header.find("objective").map(|(_, objective)| objective.to_string()),
        dimension,
        feature_names: Some(names),
        classes: None,
        inputs: Format::BINARY64,
        base: vec![Rational::new(); outputs],
        divisor: if averaged { (trees.len() / outputs).max(1) } else { 1 },
        remarks: Vec::new(),
        trees,
    })
}

fn unsupported(place: String, what: String, remedy: &'static str) -> ModelProblem {
    ModelProblem::Unsupported { place, what, remedy }
}

fn expect(place: &str, what: &'static str, found: usize, expected: usize) -> Result<(), ModelProblem> {
    let count = || ModelProblem::Count { place: place.to_string(), what, found, expected };
    if found == expected { Ok(()) } else { Err(count()) }
}

/// The largest magnitude that LightGBM takes for 0: 1e-35, rounded to binary32.
fn tiny() -> Rational {
    Rational::from(0xd4_ad2e) * power_of_two(-140)
}

/// The cut of `x <= threshold`, where tiny inputs are taken for 0.
fn cut(threshold: Rational) -> Cut {
    let tiny = tiny();
    if threshold >= tiny {
        Cut::after(threshold)
    } else if threshold >= 0 {
        Cut::after(tiny)
    } else if threshold >= -tiny.clone() {
        Cut::before(-tiny)
    } else {
        Cut::after(threshold)
    }
}

/// The cuts of `x <= threshold`, where tiny inputs go to the left side, or to the right one.
fn cuts_around_zero(threshold: Limit, tiny_left: bool) -> (Vec<Cut>, bool) {
    let around = [Cut::before(-tiny()), Cut::after(tiny())];
    let (mut cuts, inside_left, swapped) = match threshold {
        Limit::Finite(threshold) => {
            let zero_left = threshold >= 0;
            (vec![cut(threshold)], zero_left, false)
        }
        Limit::Infinite { negative } => (Vec::new(), !negative, negative),
    };
    if inside_left != tiny_left {
        // The sides change at both ends of what is taken for 0; two cuts at one place cancel each other.
        for end in around {
            match cuts.iter().position(|cut| *cut == end) {
                Some(index) => {
                    cuts.remove(index);
                }
                None => cuts.push(end),
            }
        }
        cuts.sort();
    }
    (cuts, swapped)
}

fn trees(lines: &mut Lines<'_>, dimension: usize, outputs: usize) -> Result<Vec<ModelTree>, ModelProblem> {
    let (mut trees, room) = (Vec::new(), Room::default());
    loop {
        let index = trees.len();
        match lines.next() {
            Some((_, "")) => {}
            Some((_, END)) => return Ok(trees),
            Some((line, text)) => {
                let number = text.strip_prefix("Tree=").and_then(|number| number.parse().ok());
                if number != Some(index) {
                    let what = format!("`Tree={index}` or `{END}` is needed, not `{}`", shorten(text));
                    return Err(ModelProblem::Line { line, what });
                }
                let output = index.checked_rem(outputs);
                trees.push(tree(index, &Block::read(lines, TREE)?, dimension, output, &room)?);
            }
            None => {
                let what = format!("the file ends before `{END}`");
                return Err(ModelProblem::Line { line: lines.last, what });
            }
        }
    }
}

fn tree(
    tree: usize,
    block: &Block<'_>,
    dimension: usize,
    output: Option<usize>,
    room: &Room,
) -> Result<ModelTree, ModelProblem> {
    let place = || format!("tree {tree}");
    if block.find("is_linear").is_some_and(|(_, linear)| linear != "0") {
        return Err(unsupported(place(), "a linear tree".to_string(), "train with linear_tree=false"));
    }
    let leaves = block.count("num_leaves")?;
    let Some(splits) = leaves.checked_sub(1) else {
        return Err(ModelProblem::Count { place: place(), what: "leaves", found: 0, expected: 1 });
    };
    let column = |key: &str, what, expected| {
        // A single leaf may come without the lines that splits have.
        let text = if splits == 0 { block.find(key).map_or("", |(_, text)| text) } else { block.get(key)?.1 };
        let entries: Vec<&str> = text.split_ascii_whitespace().collect();
        expect(&format!("tree {tree}, {key}"), what, entries.len(), expected)?;
        Ok::<_, ModelProblem>(entries)
    };
    let values = column("leaf_value", "values of leaves", leaves)?;
    let numbers = |key: &str| -> Vec<&str> {
        block.find(key).map_or_else(Vec::new, |(_, text)| text.split_ascii_whitespace().collect())
    };
    let arrays = Arrays {
        tree,
        columns: column("split_feature", "inputs", splits)?,
        thresholds: column("threshold", "thresholds", splits)?,
        decisions: column("decision_type", "kinds of splits", splits)?,
        left: column("left_child", "left children", splits)?,
        right: column("right_child", "right children", splits)?,
        boundaries: numbers("cat_boundaries"),
        words: numbers("cat_threshold"),
        room,
        leaves,
    };
    let mut nodes = (0..splits).map(|node| arrays.split(node, dimension)).collect::<Result<Vec<_>, _>>()?;
    for (leaf, text) in values.into_iter().enumerate() {
        let value = nearest(Format::BINARY64, text, || format!("tree {tree}, leaf {leaf}"))?;
        let number = u32::try_from(leaf).map_err(|_| ModelProblem::Node {
            tree,
            node: name(splits, splits + leaf),
            problem: NodeProblem::Unreachable,
        })?;
        nodes.push(FileNode::Leaf { number, values: vec![value] });
    }
    ModelTree::build(tree, nodes, output, |node| name(splits, node))
}

/// The tool counts splits and leaves apart; here the leaves follow the splits.
fn name(splits: usize, node: usize) -> String {
    node.checked_sub(splits).map_or_else(|| format!("node {node}"), |leaf| format!("leaf {leaf}"))
}

/// A tree, as the file has it: lines with an entry for each split.
struct Arrays<'a> {
    tree: usize,
    leaves: usize,
    columns: Vec<&'a str>,
    thresholds: Vec<&'a str>,
    decisions: Vec<&'a str>,
    left: Vec<&'a str>,
    right: Vec<&'a str>,
    /// Of each split by category, where its words begin; and where the last ones end.
    boundaries: Vec<&'a str>,
    /// Words of 32 categories, the first category in the lowest bit.
    words: Vec<&'a str>,
    room: &'a Room,
}

impl Arrays<'_> {
    fn split(&self, node: usize, dimension: usize) -> Result<FileNode, ModelProblem> {
        let place = || format!("tree {}, node {node}", self.tree);
        let wrong = |problem| ModelProblem::Node { tree: self.tree, node: format!("node {node}"), problem };
        // Bit 0: by category. Bit 1: the default direction. Bits 2 and 3: what is missing; 0 nothing, 1 zero, 2 NaN.
        let decision =
            self.decisions[node].parse::<u8>().ok().filter(|decision| decision >> 4 == 0 && decision >> 2 != 3);
        let Some(decision) = decision else {
            let (text, what) = (shorten(self.decisions[node]), "is not a kind of split");
            return Err(ModelProblem::Number { place: place(), text, what });
        };
        let child = |text: &str| {
            let there = text.parse::<i64>().ok().and_then(|child| {
                let (index, limit, start) =
                    if child < 0 { (!child, self.leaves, self.leaves - 1) } else { (child, self.leaves - 1, 0) };
                Some(start + usize::try_from(index).ok().filter(|&index| index < limit)?)
            });
            there.ok_or_else(|| wrong(NodeProblem::NoSuchChild { child: shorten(text) }))
        };
        let column = self.columns[node].parse::<u32>().ok().filter(|&column| (column as usize) < dimension);
        let no_column = || wrong(NodeProblem::Column { column: shorten(self.columns[node]), dimension });
        let column = column.ok_or_else(no_column)?;
        let [left, right] = [child(self.left[node])?, child(self.right[node])?];
        if decision & 1 != 0 {
            // What lies before the first category goes to the right.
            return Ok(FileNode::Split { column, cuts: self.categories(node)?, lower: right, upper: left });
        }
        let threshold = nearest_limit(Format::BINARY64, self.thresholds[node], place)?;
        Ok(if decision >> 2 == 1 {
            let (cuts, swapped) = cuts_around_zero(threshold, decision & 2 != 0);
            let [lower, upper] = if swapped { [right, left] } else { [left, right] };
            FileNode::Split { column, cuts, lower, upper }
        } else {
            FileNode::compare(column, threshold, cut, [left, right])
        })
    }

    /// Where the sides of a split by category meet: the integer part of what lies between the first cut and the second is
    /// one of its categories, and so on.
    fn categories(&self, node: usize) -> Result<Vec<Cut>, ModelProblem> {
        let refuse = |text: &str, what| ModelProblem::Number {
            place: format!("tree {}, node {node}", self.tree),
            text: shorten(text),
            what,
        };
        let index = self.thresholds[node];
        let boundary = |offset: usize| {
            let place = index.parse::<usize>().ok()?.checked_add(offset)?;
            self.boundaries.get(place)?.parse::<usize>().ok()
        };
        let range = boundary(0).zip(boundary(1)).map(|(start, end)| start..end);
        let words = range.and_then(|range| self.words.get(range));
        let words = words.ok_or_else(|| refuse(index, "is not a list of categories of this tree"))?;
        self.room.take(words.len() as u64 * u64::from(u32::BITS), self.tree)?;
        let (mut cuts, mut before) = (Vec::new(), false);
        for (place, text) in words.iter().enumerate() {
            let word = text.parse::<u32>().map_err(|_| refuse(text, "is not a word of categories"))?;
            for bit in 0..u32::BITS {
                let is_in = word >> bit & 1 != 0;
                if is_in != before {
                    cuts.push(integer_part(place as u64 * 32 + u64::from(bit)));
                }
                before = is_in;
            }
        }
        if before {
            cuts.push(integer_part(words.len() as u64 * 32));
        }
        Ok(cuts)
    }
}

/// The cut below which the integer parts less than `category` lie. That of what lies between -1 and 1 is 0.
fn integer_part(category: u64) -> Cut {
    if category == 0 { Cut::after(-1) } else { Cut::before(category) }
}

/// The lines that are left.
struct Lines<'a> {
    lines: std::str::Lines<'a>,
    /// The number of the line before them, from 1.
    last: usize,
}

impl<'a> Lines<'a> {
    /// The next line and its number.
    fn next(&mut self) -> Option<(usize, &'a str)> {
        let line = self.lines.next()?;
        self.last += 1;
        Some((self.last, line.trim_end()))
    }
}

/// Entries `key=value` that end at a blank line.
struct Block<'a> {
    /// The line before it.
    line: usize,
    entries: Vec<(usize, &'a str, &'a str)>,
}

impl<'a> Block<'a> {
    fn read(lines: &mut Lines<'a>, known: &[&str]) -> Result<Block<'a>, ModelProblem> {
        let mut block = Block { line: lines.last, entries: Vec::new() };
        while let Some((line, text)) = lines.next().filter(|(_, text)| !text.is_empty()) {
            // `average_output` stands alone.
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            let refuse = |what: &str| {
                let what = format!("the entry `{}` {what}", shorten(key));
                Err(ModelProblem::Line { line, what })
            };
            if !known.contains(&key) {
                return refuse("is not known");
            }
            if block.find(key).is_some() {
                return refuse("is there twice");
            }
            block.entries.push((line, key, value));
        }
        Ok(block)
    }

    /// The line and the value of `key`, if it is there.
    fn find(&self, key: &str) -> Option<(usize, &'a str)> {
        self.entries.iter().find(|(_, name, _)| *name == key).map(|&(line, _, value)| (line, value))
    }

    fn get(&self, key: &str) -> Result<(usize, &'a str), ModelProblem> {
        let missing =
            || ModelProblem::Line { line: self.line, what: format!("below it, the entry `{key}` is missing") };
        self.find(key).ok_or_else(missing)
    }

    fn count(&self, key: &str) -> Result<usize, ModelProblem> {
        let (line, text) = self.get(key)?;
        let what = || format!("`{key}` is not a count: `{}`", shorten(text));
        text.parse().map_err(|_| ModelProblem::Line { line, what: what() })
    }
}
