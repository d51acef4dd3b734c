//! What the program is built from, part by part, as digests: `verify-all` does not believe what an earlier run established if
//! another program established it (`src/code.rs`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let parts = parts(&crates).unwrap_or_default();
    let text: String = parts.iter().fold(String::new(), |mut text, (name, digest)| {
        let _ = writeln!(text, "({name:?}, {digest:?}),");
        text
    });
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names a folder"));
    std::fs::write(out.join("parts.rs"), format!("&[\n{text}]\n")).expect("the folder of cargo can be written to");
}

/// Every part with its digest, by name: a crate, a module of the prover's crate, the versions of others' crates, the compiler.
/// None where the sources are not all there, as in a crate that was taken out of its workspace.
fn parts(crates: &Path) -> Option<Vec<(String, String)>> {
    let lock = crates.join("../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let compiler = Command::new(std::env::var_os("RUSTC")?).arg("-vV").output().ok()?.stdout;
    let mut parts =
        vec![("lock".to_string(), hex(&std::fs::read(&lock).ok()?)), ("compiler".to_string(), hex(&compiler))];
    for folder in listed(crates)? {
        let name = folder.file_name()?.to_str()?.to_string();
        let source = folder.join("src");
        if !source.is_dir() {
            return None;
        }
        println!("cargo::rerun-if-changed={}", source.display());
        let files = files(&source)?;
        // Of the prover's crate, each module: what is asked of Z3, of Rocq and of the kernel has little in common.
        let part = |file: &Path| -> Option<String> {
            let first = file.strip_prefix(&source).ok()?.iter().next()?.to_str()?;
            let module = first.strip_suffix(".rs").unwrap_or(first);
            Some(if name == "checker" && module != "lib" { format!("{name}::{module}") } else { name.clone() })
        };
        let mut texts: std::collections::BTreeMap<String, Vec<u8>> = std::collections::BTreeMap::new();
        for file in &files {
            let text = texts.entry(part(file)?).or_default();
            let bytes = std::fs::read(file).ok()?;
            text.extend(format!("{}\n{}\n", file.strip_prefix(&source).ok()?.display(), bytes.len()).bytes());
            text.extend(bytes);
        }
        parts.extend(texts.into_iter().map(|(part, text)| (part, hex(&text))));
    }
    parts.sort();
    Some(parts)
}

/// Every Rust file below a folder that is not of tests alone.
fn files(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in listed(folder)? {
        let stem = entry.file_stem()?.to_str()?;
        if stem == "tests" || stem.ends_with("_tests") {
            continue;
        }
        if entry.is_dir() {
            all.extend(files(&entry)?);
        } else {
            all.push(entry);
        }
    }
    Some(all)
}

/// What is in a folder, by name.
fn listed(folder: &Path) -> Option<Vec<PathBuf>> {
    let entries: Option<Vec<PathBuf>> =
        std::fs::read_dir(folder).ok()?.map(|entry| entry.ok().map(|entry| entry.path())).collect();
    let mut entries = entries?;
    entries.sort();
    Some(entries)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
