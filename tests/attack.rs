//! What `data/onnx/attack/attack.json` says of sums is what an enumeration that was written apart finds, and the judge of audits
//! contradicts none of it.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::collections::BTreeSet;
use std::path::Path;

use roundproof_audit::{Audit, Decision, Ties, Verdict};
use roundproof_exact::{Rational, parse_number, real};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_graph::{Graph, Node, Op, Source, Tensor};
use roundproof_network::{Datatype, Encodings, PathModel};
use roundproof_onnx::{ImportOptions, import};
use roundproof_paths::{Enumeration, Keep, Machine, Sum, Term};
use serde_json::Value;

/// The file, read.
fn told() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/onnx/attack/attack.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is not a list of {value}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is not a text of {value}"))
}

/// A value of the format, exactly.
fn encoding(value: &Value, format: Format) -> Encoding {
    let number = parse_number(value.as_str().unwrap()).unwrap();
    let rounded = number.round(format, RoundingMode::TiesToEven, Overflow::Ieee);
    assert_eq!(real(format, rounded.encoding).unwrap(), number.value(), "{value} is not a value of {format}");
    rounded.encoding
}

/// The values of a sum under a path model, as rationals: both zeros are one.
fn reachable(sum: &Value, format: Format, model: &str) -> BTreeSet<Rational> {
    let machine = Machine::new(format, &PathModel::parse(model, format).unwrap()).unwrap();
    let terms = list(sum, "terms").iter().map(|term| {
        let [weight, input] = [0, 1].map(|at| encoding(&term[at], format));
        Term { weight, input }
    });
    let sum = Sum { bias: encoding(&sum["bias"], format), terms: terms.collect() };
    let found = Enumeration::new(&machine, &sum, Keep::Values, 50_000_000).unwrap();
    found.values().into_iter().map(|value| real(format, value).unwrap()).collect()
}

/// Compares what is said of one sum, and gives the number of path models.
fn compare(sum: &Value, right: &[Value], format: Format, place: &str) -> usize {
    for entry in right {
        let model = text(entry, "paths");
        let said: BTreeSet<Rational> =
            list(entry, "values").iter().map(|value| parse_number(value.as_str().unwrap()).unwrap().value()).collect();
        assert_eq!(reachable(sum, format, model), said, "{place}, {model}");
    }
    right.len()
}

#[test]
fn sums_have_the_values_that_are_said() {
    let told = told();
    let mut compared = 0;
    for sum in list(&told, "sums") {
        let format: Format = text(sum, "format").parse().unwrap();
        compared += compare(sum, list(sum, "right"), format, text(sum, "name"));
    }
    for network in list(&told, "networks") {
        let format: Format = text(network, "format").parse().unwrap();
        for (index, row) in list(network, "rows").iter().enumerate().filter(|(_, row)| row.get("sum").is_some()) {
            compared +=
                compare(&row["sum"], list(row, "right"), format, &format!("{}, row {index}", text(network, "file")));
        }
    }
    assert!(compared > 60, "{compared} path models were compared");
}

/// The path model of audits that is the same for a single sum; none where audits have none.
fn audited(model: &str, format: Format) -> Option<roundproof_audit::PathModel> {
    let rest = model.strip_prefix("all")?;
    let (rest, accumulator) = match rest.split_once(",accumulator=") {
        Some((rest, accumulator)) => (rest, accumulator.to_string()),
        None => (rest, format.to_string()),
    };
    // Where operations flush apart, a tensor has a copy for each reader; a single sum has one reader.
    let copies = if rest.contains("subnormals=flush") { ",copies=per-reader" } else { "" };
    let text = format!("all{rest}{copies},accumulator={accumulator}");
    Some(roundproof_audit::PathModel::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// Whether the judge says that a sum is the same on every path, up to a tolerance.
fn invariant(sum: &Value, format: Format, model: roundproof_audit::PathModel, tolerance: Rational) -> bool {
    let datatype = Datatype::Float(format);
    let terms: Vec<[Encoding; 2]> =
        list(sum, "terms").iter().map(|term| [0, 1].map(|at| encoding(&term[at], format))).collect();
    let constant = |values: Vec<Encoding>| Source::Constant(Encodings::collect(format, values));
    let tensor =
        |name: &str, shape: [usize; 2], source| Tensor { name: name.into(), shape: shape.into(), datatype, source };
    let tensors = vec![
        tensor("x", [1, terms.len()], Source::Input),
        tensor("weights", [terms.len(), 1], constant(terms.iter().map(|term| term[0]).collect())),
        tensor("bias", [1, 1], constant(vec![encoding(&sum["bias"], format)])),
        tensor("products", [1, 1], Source::Node(0)),
        tensor("sum", [1, 1], Source::Node(1)),
    ];
    let node = |op, reads: [usize; 2], writes| Node { name: String::new(), op, reads: reads.into(), writes };
    let nodes = vec![node(Op::MatMul, [0, 1], 3), node(Op::Add, [3, 2], 4)];
    let graph = Graph::new(tensors, nodes, vec![4]).unwrap();
    let audit = Audit::new(&graph, model, 4, Decision::Value { tolerance }).unwrap();
    let row = [Encodings::collect(format, terms.iter().map(|term| term[1]))];
    match audit.row(&row).unwrap() {
        Verdict::Invariant { answer: _, margin: _ } => true,
        Verdict::Undecided(_) => false,
    }
}

#[test]
fn the_judge_of_audits_contradicts_no_sum() {
    let told = told();
    let rows = list(&told, "networks").iter().flat_map(|network| {
        list(network, "rows").iter().map(move |row| (text(network, "format"), &row["sum"], row.get("right")))
    });
    let sums = list(&told, "sums").iter().map(|sum| (text(sum, "format"), sum, sum.get("right")));
    let (mut compared, mut exact, mut agreed) = (0, 0, 0);
    for (format, sum, right) in rows.chain(sums) {
        let format: Format = format.parse().unwrap();
        for entry in right.map(|right| right.as_array().unwrap()).into_iter().flatten() {
            let Some(model) = audited(text(entry, "paths"), format) else { continue };
            let values: BTreeSet<Rational> = list(entry, "values")
                .iter()
                .map(|value| parse_number(value.as_str().unwrap()).unwrap().value())
                .collect();
            let spread = Rational::from(values.last().unwrap() - values.first().unwrap());
            compared += 1;
            if spread == 0 {
                exact += 1;
                agreed += usize::from(invariant(sum, format, model, spread));
            } else {
                // Just less than the values are apart; and a bound that is far enough.
                let less = &spread * Rational::from((1023, 1024));
                assert!(!invariant(sum, format, model, less), "{sum} under {model} has {} values", values.len());
                assert!(invariant(sum, format, model, spread * 1024), "{sum} under {model}");
            }
        }
    }
    // Many of the sums with one value have it by the grid.
    assert!(
        compared > 60 && exact > 15 && 2 * agreed > exact,
        "{compared} compared, {agreed} of {exact} exact ones agreed"
    );
}

/// Each network from its file, each row, each path model: where both classes are reached, the judge does not say that there is one.
#[test]
fn the_judge_of_audits_contradicts_no_network() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/onnx/attack");
    let (mut flips, mut stays, mut agreed) = (0, 0, 0);
    for network in list(&told(), "networks") {
        let (file, format) = (text(network, "file"), text(network, "format").parse::<Format>().unwrap());
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let model = match import(&bytes, &ImportOptions::default()) {
            Ok(model) => model,
            Err(error) => {
                assert!(
                    file == "forest.onnx" && error.to_string().contains("TreeEnsembleClassifier"),
                    "{file}: {error}"
                );
                continue;
            }
        };
        let output = model.graph.outputs()[0];
        for (index, row) in list(network, "rows").iter().enumerate() {
            let input = [Encodings::collect(format, list(row, "x").iter().map(|value| encoding(value, format)))];
            // What is said of path models; of a row that has stories alone, all of them are paths of the default one.
            let told: Vec<(roundproof_audit::PathModel, BTreeSet<u64>)> = match row.get("right") {
                Some(right) => {
                    let entries = right.as_array().unwrap().iter();
                    let entry =
                        |entry: &Value| Some((audited(text(entry, "paths"), format)?, classes(&entry["classes"])));
                    entries.filter_map(entry).collect()
                }
                None => {
                    let stories = row["stories"].as_object().unwrap().values();
                    vec![(roundproof_audit::PathModel::PORTABLE, stories.flat_map(classes).collect())]
                }
            };
            for (paths, classes) in told {
                let audit = Audit::new(&model.graph, paths, output, Decision::Argmax { ties: Ties::Any }).unwrap();
                let verdict = audit.row(&input).unwrap();
                let said = match verdict {
                    Verdict::Invariant { answer, margin: _ } => Some(answer),
                    Verdict::Undecided(_) => None,
                };
                if classes.len() == 2 {
                    flips += 1;
                    assert_eq!(said, None, "{file}, row {index}, {paths}: both classes are reached");
                } else {
                    stays += 1;
                    agreed += usize::from(said.is_some());
                    let only = classes.first().map(|&class| vec![class as usize]);
                    assert!(said.is_none() || said == only, "{file}, row {index}, {paths}: {said:?} is not {only:?}");
                }
            }
        }
    }
    assert!(flips > 20 && stays > 20 && 2 * agreed > stays, "{flips} flips; {agreed} of {stays} others agreed");
}

/// What runtimes and libraries were seen to give, beside the judge: no two ways differ by more than it says that any two paths do.
#[test]
#[ignore = "reads what `./x audit-peers` leaves in target/peers-audit"]
fn no_recording_contradicts_the_judge_of_audits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<_> =
        std::fs::read_dir(root.join("target/peers-audit")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let (mut judged, mut invariant) = (0, 0);
    for file in files {
        let told: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let name = text(&told, "model");
        let bytes = std::fs::read(root.join(name)).unwrap();
        for output in list(&told, "outputs") {
            let options = ImportOptions { output: Some(text(output, "output").into()), ..ImportOptions::default() };
            let model = match import(&bytes, &options) {
                Ok(model) => model,
                Err(error) => {
                    println!("{name}: {error}");
                    continue;
                }
            };
            let (input, tensor) = (model.graph.inputs().next().unwrap(), model.graph.outputs()[0]);
            let format = model.graph.tensors()[input].format();
            let audit = |decision| Audit::new(&model.graph, roundproof_audit::PathModel::PORTABLE, tensor, decision);
            for (index, row) in list(output, "rows").iter().enumerate() {
                let numbers =
                    |key| list(row, key).iter().map(|value| parse_number(value.as_str().unwrap()).unwrap().value());
                let spread = numbers("low").zip(numbers("high")).map(|(low, high)| high - low).max().unwrap();
                let values = [Encodings::collect(format, list(row, "x").iter().map(|value| encoding(value, format)))];
                let says = |decision| match audit(decision).map(|audit| audit.row(&values)) {
                    Err(error) => Err(error.to_string()),
                    Ok(Err(error)) => Err(error.to_string()),
                    Ok(Ok(Verdict::Invariant { answer, margin: _ })) => Ok(Some(answer)),
                    Ok(Ok(Verdict::Undecided(_))) => Ok(None),
                };
                let of_values = says(Decision::Value { tolerance: &spread * Rational::from((1023, 1024)) });
                match of_values {
                    Err(error) => {
                        println!("{name}, {}: {error}", text(output, "output"));
                        break;
                    }
                    Ok(said) => {
                        assert!(spread == 0 || said.is_none(), "{name}, row {index}: two ways differ by {spread}")
                    }
                }
                let largest: Vec<usize> = list(row, "largest").iter().map(|it| it.as_u64().unwrap() as usize).collect();
                if let Ok(Some(answer)) = says(Decision::Argmax { ties: Ties::Any }) {
                    assert_eq!(answer, largest, "{name}, row {index}");
                    invariant += 1;
                }
                judged += 1;
            }
        }
    }
    println!("{judged} rows judged, the largest place of {invariant} is the same on every path");
    assert!(judged > 100, "{judged} rows were judged");
}

/// The classes of an entry: a list, or one.
fn classes(value: &Value) -> BTreeSet<u64> {
    let all = value.as_array().map_or_else(|| vec![value.clone()], Clone::clone);
    all.iter().map(|class| class.as_u64().unwrap()).collect()
}

#[test]
fn each_network_flips_and_has_a_row_that_does_not() {
    for network in list(&told(), "networks") {
        let of_row = |row: &Value| {
            let right = row.get("right").and_then(Value::as_array).into_iter().flatten().map(|entry| &entry["classes"]);
            let stories =
                row.get("stories").and_then(Value::as_object).into_iter().flat_map(|stories| stories.values());
            right.chain(stories).flat_map(classes).collect()
        };
        let rows: Vec<BTreeSet<u64>> = list(network, "rows").iter().map(of_row).collect();
        let file = text(network, "file");
        assert!(rows.iter().any(|classes| classes.len() == 2), "{file} does not flip");
        assert!(rows.iter().any(|classes| classes.len() == 1), "{file} has no row that stays");
    }
}

#[test]
fn comparisons_are_those_that_are_said() {
    for entry in list(&told(), "comparisons") {
        let [input, threshold] = ["input", "threshold"].map(|key| parse_number(text(entry, key)).unwrap().value());
        for format in [Format::BINARY32, Format::BINARY64] {
            let rounded =
                parse_number(text(entry, "input")).unwrap().round(format, RoundingMode::TiesToEven, Overflow::Ieee);
            let less = real(format, rounded.encoding).unwrap() < threshold;
            assert_eq!(entry[format.to_string()], less, "{}, {format}", text(entry, "name"));
        }
        assert!(input < threshold, "{}", text(entry, "name"));
    }
}
