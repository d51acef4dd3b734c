//! Tells the program which commit it is built from: ROUNDPROOF_COMMIT, or what git says of this repository; nothing, where
//! neither is there.
//!
//! Only release builds have it: others would be built again after each commit.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ROUNDPROOF_COMMIT");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let named = std::env::var("ROUNDPROOF_COMMIT").ok().filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = named.or_else(|| if is_release { of_repository() } else { None });
    let version = commit.map_or(version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=ROUNDPROOF_VERSION={version}");
}

/// The commit that is checked out, marked if a file was changed since.
fn of_repository() -> Option<String> {
    // A copy of the sources within another repository is not of its commit.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().ok()?;
    if Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()? != root {
        return None;
    }
    let mut files = vec!["HEAD".to_string(), "packed-refs".to_string()];
    files.extend(git(&["symbolic-ref", "--quiet", "HEAD"]));
    for file in files {
        let path = root.join(git(&["rev-parse", "--git-path", &file])?);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    println!("cargo::rerun-if-changed={}", root.join("crates").display());
    git(&["describe", "--always", "--exclude=*", "--abbrev=12", "--dirty=, changed"])
}

/// What git prints, if it can be asked and answers.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir("../..").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}
