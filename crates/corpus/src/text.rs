//! JSON as it stands in the files of a corpus: an object or array of scalars on one line, of any other each member on lines
//! of its own, so that a change is a difference of few lines. `verdict` comes first, other fields in the order of their names.
//!
//! A text is read only if it is written so. Whatever JSON has that a value does not show (a field twice, another order,
//! another spelling of a number) is then an error, with its line.

use std::fmt::Write;

use serde_json::Value;

/// Text that is not JSON as this module writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misread {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) why: String,
}

/// The value of a text.
///
/// # Errors
///
/// With the first line that is not as [`write`] would write it.
pub(crate) fn read(text: &str) -> Result<Value, Misread> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| Misread { line: error.line(), why: error.to_string() })?;
    let canonical = write(&value);
    if canonical == text {
        return Ok(value);
    }
    let same = canonical.split('\n').zip(text.split('\n')).take_while(|(one, other)| one == other).count();
    let [wanted, found] = [canonical.as_str(), text].map(|text| text.split('\n').nth(same).map_or("", str::trim));
    let why = format!(
        "{} is written otherwise: {}; a field stands there twice or in another place, or was not written by verify-all \
         --bless",
        shortened(found),
        shortened(wanted)
    );
    Err(Misread { line: same + 1, why })
}

/// A value as text.
pub(crate) fn write(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text.push('\n');
    text
}

fn write_value(text: &mut String, value: &Value, depth: usize) {
    let inner = "  ".repeat(depth + 1);
    let (open, close) = match value {
        Value::Object(fields) if depth > 0 && fields.values().all(is_scalar) => return write_line(text, value),
        Value::Array(elements) if elements.iter().all(is_scalar) => return write_line(text, value),
        Value::Object(fields) if fields.is_empty() => return text.push_str("{}"),
        Value::Object(_) => ('{', '}'),
        Value::Array(_) => ('[', ']'),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return write_line(text, value),
    };
    text.push(open);
    for (index, (key, member)) in members(value).into_iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&inner);
        if let Some(key) = key {
            let _ = write!(text, "{}: ", Value::from(key));
        }
        write_value(text, member, depth + 1);
    }
    text.push('\n');
    text.push_str(&inner[2..]);
    text.push(close);
}

/// A scalar, or what has scalars alone.
fn write_line(text: &mut String, value: &Value) {
    let (open, close) = match value {
        Value::Object(_) => ("{", "}"),
        Value::Array(_) => ("[", "]"),
        scalar => {
            let _ = write!(text, "{scalar}");
            return;
        }
    };
    text.push_str(open);
    for (index, (key, member)) in members(value).into_iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let key = key.map_or(String::new(), |key| format!("{}: ", Value::from(key)));
        let _ = write!(text, "{comma}{key}{member}");
    }
    text.push_str(close);
}

/// The members of an object, in their order, or of an array.
fn members(value: &Value) -> Vec<(Option<&str>, &Value)> {
    match value {
        Value::Object(fields) => {
            let mut members: Vec<_> = fields.iter().map(|(key, member)| (Some(key.as_str()), member)).collect();
            members.sort_by_key(|(key, _)| (*key != Some("verdict"), *key));
            members
        }
        Value::Array(elements) => elements.iter().map(|element| (None, element)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

const fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Object(_) | Value::Array(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// The line on which a member of the outermost object begins, from 1.
pub(crate) fn line_of(text: &str, member: &str) -> usize {
    let head = format!("  {}: ", Value::from(member));
    text.lines().position(|line| line.starts_with(&head)).map_or(1, |index| index + 1)
}

/// The first characters, on one line and without control characters.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    let escaped: String =
        text.chars().flat_map(|it| if it.is_control() { it.escape_debug().collect() } else { vec![it] }).collect();
    match escaped.chars().count() <= MOST {
        true => format!("`{escaped}`"),
        false => format!("`{}…`", escaped.chars().take(MOST - 1).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_flat_is_a_line() {
        let value = json!({
            "relu.F(8)": { "refused": "no-scale", "words": "row 3" },
            "relu.bfloat16": {
                "claim": { "domain": [{ "high": "0x1", "low": "0x0" }], "exceptions": [1, 2] },
                "verdict": "Proved", "none": [], "also": {}
            }
        });
        let text = r#"{
  "relu.F(8)": {"refused": "no-scale", "words": "row 3"},
  "relu.bfloat16": {
    "verdict": "Proved",
    "also": {},
    "claim": {
      "domain": [
        {"high": "0x1", "low": "0x0"}
      ],
      "exceptions": [1, 2]
    },
    "none": []
  }
}
"#;
        assert_eq!(write(&value), text);
        assert_eq!(read(text), Ok(value));
        assert_eq!(line_of(text, "relu.bfloat16"), 3);
        for value in [json!({}), json!({ "a": { "b": null } }), json!({ "a\n\"": "\u{1b}" })] {
            assert_eq!(read(&write(&value)), Ok(value));
        }
    }

    #[test]
    fn what_is_written_otherwise_is_refused_with_its_line() {
        let text = "{\n  \"a\": {\"x\": 1, \"y\": [2]},\n  \"b\": {\"x\": 1}\n}\n";
        let good = write(&serde_json::from_str(text).expect("JSON"));
        for (from, to, line) in [
            ("\"x\": 1", "\"x\": 0, \"x\": 1", 3),
            ("\"x\": 1", "\"x\":1", 3),
            ("\n}\n", "\n}", 8),
            ("\n}\n", "\n}\n\n", 9),
            ("\n}\n", "\n}\n{}", 8),
            ("\"b\"", "\"a\"", 2),
            ("[2]", "[2.0e0]", 4),
            ("[2]", "[2", 5),
        ] {
            let changed = good.replacen(from, to, 1);
            assert_ne!(changed, good, "{from}");
            let found = read(&changed).expect_err(&changed);
            assert_eq!(found.line, line, "{from} {to}: {found:?} in {changed}");
        }
        assert!(read("{\n  \"b\": 1,\n  \"a\": 2\n}\n").is_err_and(|found| found.line == 2));
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
