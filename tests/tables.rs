//! Tables in the documents that are made of the records of `proofs/`: between `<!-- of the records: NAME -->` and `<!-- end -->`
//! stands what is made here. With `ROUNDPROOF_BLESS` set, the documents are made anew.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn json(file: &str) -> Value {
    serde_json::from_slice(&fs::read(root().join("proofs").join(file)).unwrap()).unwrap()
}

/// A count, its thousands apart.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let rest = digits.as_bytes()[first..].chunks(3).map(|three| String::from_utf8_lossy(three).into_owned());
    std::iter::once(digits[..first].to_string()).chain(rest).collect::<Vec<String>>().join(",")
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// What came of how many obligations, part by part.
fn outcomes() -> String {
    let words = ["Proved", "Attested", "Mapped", "Refuted", "refused"];
    let mut parts: BTreeMap<String, [u64; 7]> = BTreeMap::new();
    for (folder, entry) in json("obligations.json").as_object().unwrap() {
        let name: Vec<&str> = folder.split('/').take(if folder.starts_with("theorems/") { 2 } else { 1 }).collect();
        let part = parts.entry(name.join("/")).or_default();
        part[0] += 1;
        for (outcome, count) in entry.as_object().unwrap().iter().filter(|(outcome, _)| *outcome != "sha256") {
            let place = words.iter().position(|word| outcome.starts_with(word));
            part[2 + place.unwrap_or_else(|| panic!("{folder}: {outcome}"))] += count.as_u64().unwrap();
            part[1] += count.as_u64().unwrap();
        }
    }
    let all = parts.values().fold([0; 7], |all: [u64; 7], part| std::array::from_fn(|place| all[place] + part[place]));
    let mut text = "| part | folders | obligations | proved | attested | mapped | refuted | refused |\n".to_string();
    text += &format!("|{}\n", " --- |".repeat(8));
    for (name, counts) in
        parts.iter().map(|(name, counts)| (format!("`{name}/`"), counts)).chain([("all".to_string(), &all)])
    {
        let counts = counts.iter().map(|&count| if count == 0 { String::new() } else { grouped(count) });
        text += &row(&std::iter::once(name).chain(counts).collect::<Vec<String>>());
    }
    text
}

/// How many values of a format lie between two encodings, both among them; zeros are one value.
fn values(bits: u32, domain: &Value) -> u64 {
    let place = |end: &str| {
        let encoding = i64::from_str_radix(domain[end].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        let magnitude = encoding & ((1 << (bits - 1)) - 1);
        if encoding >> (bits - 1) == 1 { -magnitude } else { magnitude }
    };
    u64::try_from(place("high") - place("low") + 1).unwrap()
}

/// What correctly rounded functions take, beside a box for each point.
fn approximations() -> String {
    let claims = [
        ("tanh, every bfloat16", "tanh", "bfloat16", 16),
        ("sigmoid, every bfloat16", "sigmoid", "bfloat16", 16),
        ("gelu, every binary16", "gelu", "binary16", 16),
        ("log, every positive binary16", "log", "binary16", 16),
        ("x * y, every pair of float8_e4m3fn", "multiplication", "float8_e4m3fn", 8),
        ("hypot, every pair of float8_e4m3fn", "hypot", "float8_e4m3fn", 8),
    ];
    let mut text =
        "| correctly rounded | points | leaves | parameters, ReLU | Step | one box for each point |\n".to_string();
    text += &format!("|{}\n", " --- |".repeat(6));
    for (words, folder, format, bits) in claims {
        let record = json(&format!("theorems/approximation/{folder}/record.json"));
        let claim = |activation: &str| &record[format!("{activation}.{format}.all")]["claim"];
        let parameters = |activation: &str| claim(activation)["shape"]["parameters"].as_u64().unwrap();
        let domain = claim("relu")["domain"].as_array().unwrap();
        let points: u64 = domain.iter().map(|range| values(bits, range)).product();
        let reference = (6 * domain.len() as u64 + 2) * points;
        let leaves = claim("relu")["leaves"].as_u64().unwrap();
        let counts = [points, leaves, parameters("relu"), parameters("step"), reference];
        text += &row(&std::iter::once(words.to_string()).chain(counts.map(grouped)).collect::<Vec<String>>());
    }
    text
}

/// How many cells of the frontier came out how.
fn frontier() -> String {
    let mut cells: BTreeMap<char, u64> = BTreeMap::new();
    let record = json("frontier/record.json");
    for map in record.as_object().unwrap().values() {
        for panel in map["panels"].as_array().unwrap() {
            let rows = panel["cells"].as_object().unwrap().values();
            rows.flat_map(|row| row.as_str().unwrap().chars()).for_each(|cell| *cells.entry(cell).or_default() += 1);
        }
    }
    let count = |letters: &str| letters.chars().map(|letter| cells.get(&letter).copied().unwrap_or(0)).sum::<u64>();
    let mut text = "| construction by format by path model | cells |\n| --- | --- |\n".to_string();
    for (words, letters) in [
        ("hold", "HhPp"),
        ("fail", "F"),
        ("have no parameters", "Nn"),
        ("have no format, or no such overflow in it", ".-"),
        ("are unknown", "?"),
    ] {
        text += &row(&[words.to_string(), grouped(count(letters))]);
    }
    let all: u64 = cells.values().sum();
    assert_eq!(all, count("HhPpFNn.-?"), "{cells:?}");
    text + &row(&["all".to_string(), grouped(all)])
}

/// Each table, with the document that it stands in.
fn tables() -> [(&'static str, &'static str, String); 3] {
    [
        ("outcomes", "proofs/README.md", outcomes()),
        ("sizes", "proofs/theorems/approximation/README.md", approximations()),
        ("cells", "proofs/frontier/README.md", frontier()),
    ]
}

/// The document with this table in its place.
fn placed(document: &str, name: &str, table: &str) -> Option<String> {
    let begin = format!("<!-- of the records: {name} -->\n");
    let start = document.find(&begin)? + begin.len();
    let end = start + document[start..].find("<!-- end -->")?;
    Some(format!("{}\n{table}\n{}", &document[..start], &document[end..]))
}

#[test]
fn tables_are_what_the_records_say() {
    for (name, file, table) in tables() {
        let path = root().join(file);
        let document = fs::read_to_string(&path).unwrap();
        let made = placed(&document, name, &table).unwrap_or_else(|| panic!("{file}: has no place for {name}"));
        if std::env::var_os("ROUNDPROOF_BLESS").is_some() {
            fs::write(&path, &made).unwrap();
            continue;
        }
        assert!(
            document == made,
            "{file}: {name} is not what the records say: ROUNDPROOF_BLESS=1 makes it anew\n{table}"
        );
    }
    let changed = placed("a\n<!-- of the records: it -->\n\n| 1 |\n\n<!-- end -->\nb", "it", "| 2 |\n").unwrap();
    assert_eq!(changed, "a\n<!-- of the records: it -->\n\n| 2 |\n\n<!-- end -->\nb");
    assert_eq!(placed("a", "it", ""), None);
    assert_eq!([1, 999, 1000, 1_234_567].map(grouped), ["1", "999", "1,000", "1,234,567"]);
}
