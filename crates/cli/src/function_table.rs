//! Tables of functions in files: `functions=FILE.json` of a path model of audits.

use std::collections::BTreeMap;

use roundproof_audit::{Bound, Functions, PathModel, Table, function_named};
use serde::Deserialize;

/// No table is larger.
const MOST_BYTES: u64 = 1 << 20;

/// A table, as those of `data/functions/` are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    functions: BTreeMap<String, Entry>,
    /// Where it was measured, and of which share of all arguments: for people.
    #[serde(default, rename = "machine")]
    _machine: Option<String>,
    #[serde(default, rename = "every")]
    _every: Option<u64>,
}

/// What is known of a function: numbers as text, which is exact.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    relative: String,
    absolute: String,
    least: Option<String>,
    largest: Option<String>,
    /// What the bounds rest on: for people.
    #[serde(default, rename = "measured")]
    _measured: Option<serde_json::Value>,
}

/// A path model, in which `functions=FILE.json` stands for the table in that file.
pub fn path_model(text: &str) -> Result<PathModel, String> {
    let (fields, accumulator) = match text.find("accumulator=") {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let part = |part: &str| match part.strip_prefix("functions=").filter(|file| file.ends_with(".json")) {
        Some(file) => Ok(format!("functions={}", Functions::Given(read(file)?))),
        None => Ok(part.to_owned()),
    };
    let fields = fields.split(',').map(part).collect::<Result<Vec<_>, String>>()?;
    PathModel::parse(&(fields.join(",") + accumulator)).map_err(|error| error.to_string())
}

fn read(file: &str) -> Result<Table, String> {
    let length = std::fs::metadata(file).map_err(|error| format!("{file:?} cannot be read: {error}"))?.len();
    if length > MOST_BYTES {
        return Err(format!("{file:?} has {length} bytes; a table of functions has {MOST_BYTES} at most"));
    }
    let bytes = std::fs::read(file).map_err(|error| format!("{file:?} cannot be read: {error}"))?;
    parse(&bytes).map_err(|error| format!("{file:?}: {error}"))
}

fn parse(bytes: &[u8]) -> Result<Table, String> {
    let File { format, functions, _machine: _, _every: _ } =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let format = format.parse().map_err(|error| format!("format: {error}"))?;
    let mut table = Table::new(format).map_err(|error| error.to_string())?;
    for (name, entry) in &functions {
        let Entry { relative, absolute, least, largest, _measured: _ } = entry;
        let function = function_named(name).map_err(|error| error.to_string())?;
        let bound = Bound::parse(function, relative, absolute, least.as_deref(), largest.as_deref());
        table.set(function, bound.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stands_for_its_table() {
        let file = format!("{}/../../data/functions/binary32.json", env!("CARGO_MANIFEST_DIR"));
        let model = path_model(&format!("nearest,functions={file},accumulator=same")).expect("a table");
        assert!(model.to_string().contains("functions=binary32/Exp:0x1p-20:0x1p-125:0x0p0:/Log:"), "{model}");
        assert!(model.to_string().ends_with("accumulator=same"));
        assert_eq!(PathModel::parse(&model.to_string()), Ok(model));
        assert_eq!(path_model("all"), Ok(PathModel::ALL));
        assert!(path_model("all,functions=none.json").unwrap_err().contains("\"none.json\" cannot be read"));
    }

    #[test]
    fn what_is_not_a_table_is_refused() {
        for (text, said) in [
            ("", "EOF"),
            (r#"{"format": "binary32", "functions": {}, "more": 1}"#, "unknown field `more`"),
            (r#"{"format": "binary33", "functions": {}}"#, "format: unknown"),
            (
                r#"{"format": "binary32", "functions": {"Exq": {"relative": "0", "absolute": "0"}}}"#,
                "did you mean `Exp`?",
            ),
            (
                r#"{"format": "binary32", "functions": {"Exp": {"relative": "0.1", "absolute": "0"}}}"#,
                "Exp, relative: \"0.1\"",
            ),
            (r#"{"format": "binary32", "functions": {"Exp": {"relative": "0"}}}"#, "missing field `absolute`"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
