//! What is said of rows: lines and JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use roundproof_audit::{Loss, Margin, Missing, Verdict};
use roundproof_exact::Rational;
use roundproof_graph::Graph;
use roundproof_judge::audits::{AuditPaths, invariant, invariant_answer};
use serde::{Deserialize, Serialize};

use crate::output::{Sheet, count};

/// A row, judged under a path model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Judged {
    /// The row of the data, from 0.
    pub row: usize,
    /// The name of the path model.
    pub paths: String,
    /// What is said of it.
    pub verdict: Word,
    /// The places that the decision is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Vec<usize>>,
    /// What these are called, if they have names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Whether the answer is the label of the row, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<bool>,
    /// How far the decision is from another, and what rounding may take of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Told>,
    /// Why nothing was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// What is said of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Word {
    /// Every path of the model gives this decision.
    Invariant,
    /// It was not shown that every path gives the same.
    Undecided,
}

/// A margin for people: decimal, rounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Told {
    /// The element that has to be the larger one.
    element: usize,
    /// The other one; absent if a limit is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other: Option<usize>,
    /// The difference in the middle of all paths.
    distance: f64,
    /// What it may be less on some path, at most.
    taken: f64,
    /// Distance over what rounding may take; absent if that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// Where most of that is lost, the greatest first.
    losses: Vec<LossTold>,
}

/// What a node adds to a bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct LossTold {
    /// The node, as the model names it.
    node: String,
    /// How much.
    taken: f64,
}

/// What is said of all rows under a path model.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Summary {
    /// The path model.
    #[cfg_attr(test, schemars(with = "PathsTold"))]
    paths: AuditPaths,
    /// Whether the exit code and what is required are about this path model, too; else it stands beside for comparison.
    asked: bool,
    rows: usize,
    invariant: usize,
    undecided: usize,
    /// Rows whose answer is the label on every path; absent without labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    certainly_right: Option<usize>,
    /// The least distance over what rounding may take, of the rows that are invariant.
    #[serde(skip_serializing_if = "Option::is_none")]
    least_ratio: Option<f64>,
    /// The nodes that take most of a margin, each with the number of rows where it does; rows count whose margin was traced back.
    lost_most: Vec<LostMost>,
}

/// A node that takes most of margins.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
struct LostMost {
    /// The node, as the model names it.
    node: String,
    /// In how many rows.
    rows: usize,
}

/// A path model, by name and field by field.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)] // only the schema is made of it
struct PathsTold {
    /// The shortest text that `--paths` reads as this model.
    name: String,
    /// What each field says.
    fields: BTreeMap<String, String>,
}

/// A path model that no rule covers for this model; only of those that are not asked for by name.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Uncovered {
    /// Its name.
    pub paths: String,
    /// What is not covered.
    pub reason: String,
}

/// What a report says before its rows.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Head {
    /// The ONNX file.
    pub model: String,
    /// Its digest.
    pub sha256: String,
    /// The file of the rows.
    pub data: String,
    /// Its digest.
    pub data_sha256: String,
    /// The output that was taken.
    pub output: String,
    /// What is read off it.
    pub decision: String,
    /// What no verdict is about, unless its path model names it.
    pub not_covered: &'static str,
}

/// What a report says after its rows.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Tail {
    /// What is said of all rows, under each path model.
    pub summary: Vec<Summary>,
    /// Path models that stand beside the one that was asked for, and are not covered.
    pub uncovered: Vec<Uncovered>,
    /// What was required and is not so.
    pub unmet: Vec<String>,
}

/// The whole report: it is written piece by piece.
#[cfg(test)]
#[derive(Serialize, schemars::JsonSchema)]
#[allow(dead_code)] // only the schema is made of it
pub struct Report {
    #[serde(flatten)]
    head: Head,
    /// Each row under each path model, in this order.
    rows: Vec<Judged>,
    #[serde(flatten)]
    tail: Tail,
}

impl Judged {
    /// What the judge says of a row; `called` is what a place is called.
    pub fn new(
        graph: &Graph,
        row: usize,
        paths: &AuditPaths,
        verdict: Verdict,
        called: impl Fn(usize) -> Option<String>,
        right: impl Fn(&[usize]) -> Option<bool>,
    ) -> Judged {
        let mut judged = Judged {
            row,
            paths: paths.name.clone(),
            verdict: Word::Undecided,
            answer: None,
            names: Vec::new(),
            right: None,
            margin: None,
            missing: None,
        };
        match verdict {
            Verdict::Invariant { answer, margin } => {
                judged.verdict = Word::Invariant;
                judged.names = answer.iter().filter_map(|&place| called(place)).collect();
                judged.right = right(&answer);
                judged.answer = Some(answer);
                judged.margin = margin.map(|margin| Told::new(graph, &margin));
            }
            Verdict::Undecided(missing) => {
                let missing = match missing {
                    Missing::Margin(margin) => {
                        let margin = judged.margin.insert(Told::new(graph, &margin));
                        margin.missing()
                    }
                    Missing::Overflow { place } => format!("a value may be beyond the largest one at {place}"),
                    Missing::Divisor { place } => format!("a divisor may be zero at {place}"),
                    Missing::Domain { place } => {
                        format!("an operand may be where the function is not defined, or has no bound, at {place}")
                    }
                    Missing::Spread { element, spread } => {
                        format!("two paths may differ by {:.3e} in element {element}", spread.to_f64())
                    }
                    Missing::Decision => "there are not so many elements".to_owned(),
                };
                judged.missing = Some(missing);
            }
        }
        judged
    }

    /// Whether two verdicts are the same but for the path model and the margin.
    fn agrees(&self, other: &Judged) -> bool {
        (self.verdict, &self.answer, &self.missing) == (other.verdict, &other.answer, &other.missing)
    }

    fn ratio(&self) -> Option<f64> {
        self.margin.as_ref()?.ratio
    }
}

/// The verdicts about a row, a line each; those that are the same under several path models in one.
pub fn lines(row: &[Judged]) -> String {
    let mut text = String::new();
    let mut told = vec![false; row.len()];
    for (index, judged) in row.iter().enumerate() {
        if told[index] {
            continue;
        }
        let mut same = Vec::new();
        for (told, other) in told.iter_mut().zip(row) {
            if !*told && judged.agrees(other) {
                *told = true;
                same.push(other);
            }
        }
        let names: Vec<&str> = same.iter().map(|judged| judged.paths.as_str()).collect();
        let _ = write!(text, "row {}: ", judged.row);
        match (judged.verdict, &judged.missing) {
            (Word::Invariant, _) => {
                let places: Vec<String> = match &judged.answer {
                    Some(_) if !judged.names.is_empty() => {
                        judged.names.iter().map(|name| format!("{name:?}")).collect()
                    }
                    Some(answer) => answer.iter().map(usize::to_string).collect(),
                    None => Vec::new(),
                };
                text += &invariant_answer(&places, &names);
                text += match judged.right {
                    Some(true) => ", the label",
                    Some(false) => ", not the label",
                    None => "",
                };
                if let Some(ratio) = same.iter().filter_map(|judged| judged.ratio()).min_by(f64::total_cmp) {
                    let least = if same.len() > 1 { "at least " } else { "" };
                    let _ = write!(text, "; the margin is {least}{ratio:.3e} times what rounding may take");
                }
            }
            (Word::Undecided, missing) => {
                let missing = missing.as_deref().unwrap_or("nothing is said of why");
                let _ = write!(text, "undecided under {}: {missing}", names.join(", "));
            }
        }
        text.push('\n');
    }
    text
}

impl Told {
    fn new(graph: &Graph, margin: &Margin) -> Told {
        let Margin { element, other, distance, taken, losses } = margin;
        let loss = |Loss { node, taken }: &Loss| {
            let place = &graph.nodes()[*node];
            LossTold { node: format!("{} {:?}", place.op.name(), place.name), taken: taken.to_f64() }
        };
        Told {
            element: *element,
            other: *other,
            distance: distance.to_f64(),
            taken: taken.to_f64(),
            ratio: (*taken > 0).then(|| Rational::from(distance / taken).to_f64()),
            losses: losses.iter().map(loss).collect(),
        }
    }

    fn against(&self) -> String {
        self.other.map_or("the limit".to_owned(), |other| format!("element {other}"))
    }

    fn missing(&self) -> String {
        let mut text = format!(
            "element {} is {:.3e} from {}, and rounding may take {:.3e}",
            self.element,
            self.distance,
            self.against(),
            self.taken
        );
        for (index, loss) in self.losses.iter().enumerate() {
            let _ = write!(text, "{}{:.3e} at {}", if index == 0 { ": " } else { ", " }, loss.taken, loss.node);
        }
        text
    }
}

/// What was said of rows so far, under a path model.
pub struct Tally {
    paths: AuditPaths,
    asked: bool,
    rows: usize,
    invariant: usize,
    right: Option<usize>,
    least: Option<f64>,
    lost: BTreeMap<String, usize>,
}

/// How many nodes are named that take most.
const NODES: usize = 3;

impl Tally {
    /// Of no rows yet.
    pub fn new(paths: AuditPaths, asked: bool, labelled: bool) -> Tally {
        let right = labelled.then_some(0);
        Tally { paths, asked, rows: 0, invariant: 0, right, least: None, lost: BTreeMap::new() }
    }

    /// Counts a row.
    pub fn add(&mut self, judged: &Judged) {
        self.rows += 1;
        if judged.verdict == Word::Invariant {
            self.invariant += 1;
            let ratios = self.least.into_iter().chain(judged.ratio());
            self.least = ratios.min_by(f64::total_cmp);
        }
        if let (Some(right), Some(true)) = (&mut self.right, judged.right) {
            *right += 1;
        }
        if let Some(first) = judged.margin.as_ref().and_then(|margin| margin.losses.first()) {
            *self.lost.entry(first.node.clone()).or_default() += 1;
        }
    }

    /// How many rows are invariant.
    pub fn invariant(&self) -> usize {
        self.invariant
    }

    /// Whether all are.
    pub fn all(&self) -> bool {
        self.invariant == self.rows
    }

    /// What is said of them.
    pub fn summary(self) -> Summary {
        let Tally { paths, asked, rows, invariant, right, least, lost } = self;
        let mut lost_most: Vec<LostMost> = lost.into_iter().map(|(node, rows)| LostMost { node, rows }).collect();
        lost_most.sort_by_key(|node| std::cmp::Reverse(node.rows));
        lost_most.truncate(NODES);
        let undecided = rows - invariant;
        Summary { paths, asked, rows, invariant, undecided, certainly_right: right, least_ratio: least, lost_most }
    }
}

impl Tail {
    /// What is said of all rows, for people.
    pub fn text(&self, head: &Head) -> String {
        let Tail { summary, uncovered, unmet } = self;
        let Head { model, sha256: _, data: _, data_sha256: _, output, decision, not_covered } = head;
        let headings: Vec<String> =
            summary.iter().map(|summary| invariant(summary.invariant, summary.rows, &summary.paths)).collect();
        let mut sheet = Sheet::new(headings.join("\n"));
        sheet.line("model", format!("{model}, output {output:?}"));
        sheet.line("decision", decision);
        let mut each = |name: &str, said: &dyn Fn(&Summary) -> Option<String>| {
            let lines = summary.iter().filter_map(|summary| {
                let under =
                    if summary.paths.name.is_empty() { String::new() } else { format!("{}: ", summary.paths.name) };
                Some(format!("{under}{}", said(summary)?))
            });
            let lines: Vec<String> = lines.collect();
            if !lines.is_empty() {
                sheet.line(name, lines.join("\n"));
            }
        };
        each("labels", &|summary| {
            Some(format!("the label comes out on every path in {}", count(summary.certainly_right?, "row")))
        });
        each("margin", &|summary| {
            let ratio = summary.least_ratio?;
            Some(format!("at least {ratio:.3e} times what rounding may take, where it is invariant"))
        });
        each("losses", &|summary| {
            let nodes =
                summary.lost_most.iter().map(|LostMost { node, rows }| format!("{node} ({})", count(*rows, "row")));
            let nodes: Vec<String> = nodes.collect();
            (!nodes.is_empty()).then(|| format!("most is taken at {}", nodes.join(", ")))
        });
        if !uncovered.is_empty() {
            let lines =
                uncovered.iter().map(|Uncovered { paths, reason }| format!("{paths}: is not covered: {reason}"));
            sheet.line("beside", lines.collect::<Vec<String>>().join("\n"));
        }
        if !unmet.is_empty() {
            sheet.line("but", unmet.join("\n"));
        }
        sheet.line("note", *not_covered);
        sheet.text()
    }
}

#[cfg(test)]
mod tests;
