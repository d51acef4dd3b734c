//! The links of the documents: each leads to a file that is there, and to a heading that the file has.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The documents of the repository: those at the root, of the book, the proofs and the crates.
fn documents(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_ours = !name.starts_with('.') && !["target", "shared", "node_modules"].contains(&name.as_str());
            if path.is_dir() && is_ours && !path.is_symlink() {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text without code: neither blocks nor spans have links.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let outside = line.split('`').step_by(2);
            prose += &outside.collect::<Vec<_>>().join("`");
            prose.push('\n');
        }
    }
    prose
}

/// Where the links of a document lead: what stands between `](` and the next `)`.
fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let ends = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    ends.map(|(target, _)| target.to_string()).collect()
}

/// The anchors of a document: its headings, in lower case, without punctuation, blanks as hyphens.
fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut seen = BTreeMap::<String, usize>::new();
    let mut anchors = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let Some(heading) = line.strip_prefix('#').filter(|_| !fenced) else { continue };
        let kept = heading.trim_start_matches('#').trim().chars().filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ => character.is_alphanumeric().then(|| character.to_ascii_lowercase()),
        });
        let anchor: String = kept.collect();
        let times = seen.entry(anchor.clone()).or_default();
        anchors.push(if *times == 0 { anchor } else { format!("{anchor}-{times}") });
        *times += 1;
    }
    anchors
}

/// What is wrong with the links of a document.
fn broken(document: &Path, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for target in targets(text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let path = if file.is_empty() { document.to_path_buf() } else { document.parent().unwrap().join(file) };
        let found = match fs::read_to_string(&path) {
            Ok(text) => anchor.is_empty() || anchors(&text).iter().any(|there| there == anchor),
            Err(_) => anchor.is_empty() && path.exists(),
        };
        if !found {
            broken.push(format!("{}: {target}", document.display()));
        }
    }
    broken
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let documents = documents(root);
    let links: usize = documents.iter().map(|path| targets(&fs::read_to_string(path).unwrap()).len()).sum();
    assert!(documents.len() > 20 && links > 100, "{} documents, {links} links", documents.len());
    let broken: Vec<String> =
        documents.iter().flat_map(|path| broken(path, &fs::read_to_string(path).unwrap())).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_is_in_the_book() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs");
    let summary = targets(&fs::read_to_string(folder.join("SUMMARY.md")).unwrap());
    for page in documents(&folder) {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name == "SUMMARY.md" || summary.contains(&name), "{name} is not in SUMMARY.md");
    }
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("page.md");
    let text = "# A `b`, c\n[a](Cargo.toml) [b](nowhere.md) [c](#a-b-c) [d](#d) [e](https://x.y/z)\n\
                [f](../TRUST.md#what-is-believed-and-why) [g](../TRUST.md#nothing)\n`[h](code.md)`\n```\n[i](code.md)\n```\n";
    let found = |text: &str| {
        let broken = broken(&here, text);
        broken.iter().map(|line| line.rsplit(' ').next().unwrap().to_string()).collect::<Vec<String>>()
    };
    assert_eq!(anchors(text), ["a-b-c"]);
    assert_eq!(
        found("[b](nowhere.md) [f](../TRUST.md#what-is-believed-and-why) [g](../TRUST.md#nothing)"),
        ["nowhere.md", "../TRUST.md#nothing"]
    );
    assert_eq!(found(text), ["nowhere.md", "#a-b-c", "#d", "../TRUST.md#nothing"]);
    assert_eq!(anchors("# A\n## A\n```\n# B\n```\n"), ["a", "a-1"]);
}
