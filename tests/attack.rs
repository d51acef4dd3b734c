//! What `data/onnx/attack/attack.json` says of sums is what an enumeration that was written apart finds.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::collections::BTreeSet;
use std::path::Path;

use roundproof_exact::{Rational, parse_number, real};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_network::PathModel;
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

#[test]
fn each_network_flips_and_has_a_row_that_does_not() {
    for network in list(&told(), "networks") {
        let classes = |row: &Value| {
            let of_models = row
                .get("right")
                .map(|right| right.as_array().unwrap().iter().map(|it| it["classes"].clone()).collect());
            let of_stories = row.get("stories").map(|it| it.as_object().unwrap().values().cloned().collect::<Vec<_>>());
            let all: Vec<Value> = of_models.unwrap_or_default();
            let all = all.into_iter().chain(of_stories.unwrap_or_default());
            all.flat_map(|it| it.as_array().cloned().unwrap_or_else(|| vec![it]))
                .map(|it| it.as_u64().unwrap())
                .collect()
        };
        let rows: Vec<BTreeSet<u64>> = list(network, "rows").iter().map(classes).collect();
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
