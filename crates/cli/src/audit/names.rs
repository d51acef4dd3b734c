//! What places of an output are called, in a file: `--labels`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The names in a file, one for each of `places`: a name a line; or JSON, an array of names, or `classes.json` of
/// `roundproof prove`, which has one such array.
pub fn read(path: &Path, places: usize) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    let names = match text.trim_start().chars().next() {
        Some('[' | '{') => from_json(&text).with_context(|| path.display().to_string())?,
        Some(_) | None => from_lines(&text).with_context(|| path.display().to_string())?,
    };
    if names.len() != places {
        bail!(
            "{}: has {} names, and the output of the model has {places} places; one name for each is needed",
            path.display(),
            names.len()
        );
    }
    Ok(names)
}

fn from_lines(text: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let name = line.trim();
        if name.is_empty() {
            bail!("line {}: is empty; a name a line is needed", index + 1);
        }
        names.push(name.to_string());
    }
    Ok(names)
}

fn from_json(text: &str) -> Result<Vec<String>> {
    let needed = "an array of names is needed, or an object with one such array";
    let list = match serde_json::from_str(text)? {
        Value::Array(list) => list,
        Value::Object(fields) if fields.len() == 1 => match fields.into_iter().next() {
            Some((_, Value::Array(list))) => list,
            _ => bail!("{needed}"),
        },
        _ => bail!("{needed}"),
    };
    let mut names = Vec::new();
    for (index, name) in list.into_iter().enumerate() {
        match name {
            Value::String(name) => names.push(name),
            Value::Number(name) => names.push(name.to_string()),
            other => bail!("entry {index}: {other} is not a name"),
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_read_in_three_forms() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("names");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            super::read(&path, 2).map_err(|error| format!("{error:#}"))
        };
        let names = vec!["cat".to_string(), "a dog".to_string()];
        for text in ["cat\na dog\n", "cat\r\n a dog", "[\"cat\", \"a dog\"]", "{\"class\": [\"cat\", \"a dog\"]}"] {
            assert_eq!(read(text), Ok(names.clone()), "{text}");
        }
        assert_eq!(read("[1, \"x\"]"), Ok(vec!["1".to_string(), "x".to_string()]));
        for (text, said) in [
            ("cat\n", "has 1 names, and the output of the model has 2 places"),
            ("cat\n\ndog\n", "line 2: is empty"),
            ("[\"cat\", null]", "entry 1: null is not a name"),
            ("{\"a\": [], \"b\": []}", "an array of names is needed"),
            ("[\"cat\", ", "EOF"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains("names: ") && error.contains(said), "{text}: {error}");
        }
    }
}
