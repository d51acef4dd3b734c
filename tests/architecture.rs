//! The layering, read from `cargo metadata`, and what the sources of the trusted crates may not say.
//!
//! Each rule is also shown to reject: a fabricated edge or source that breaks it is found.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{CargoOpt, Dependency, DependencyKind, Metadata, MetadataCommand};

/// For each crate of the workspace, the crates of the workspace that it may depend on.
const LAYERS: &[(&str, &[&str])] = &[
    ("format", &[]),
    ("exact", &["format"]),
    ("functions", &["format", "exact"]),
    ("softfloat", &["format"]),
    ("network", &["format"]),
    ("graph", &["format", "network"]),
    ("paths", &["format", "softfloat", "network"]),
    ("kernel", &["format", "exact", "network"]),
    ("audit", &["format", "exact", "functions", "network", "graph"]),
    ("approximation", &["format", "exact", "functions", "network", "kernel"]),
    ("construct", &["format", "exact", "functions", "softfloat", "network", "paths", "kernel", "approximation"]),
    ("files", &["format", "exact", "functions", "network", "graph", "audit", "kernel", "approximation"]),
    ("judge", &["format", "exact", "functions", "network", "graph", "audit", "kernel", "approximation", "files"]),
    ("sources", &["format", "exact", "network", "files"]),
    ("onnx", &["format", "softfloat", "network", "graph"]),
    ("solver", &[]),
    ("z3", &["solver"]),
    (
        "checker",
        &[
            "format",
            "exact",
            "functions",
            "softfloat",
            "network",
            "paths",
            "kernel",
            "approximation",
            "construct",
            "files",
            "judge",
            "sources",
            "solver",
        ],
    ),
    (
        "corpus",
        &[
            "format",
            "exact",
            "functions",
            "softfloat",
            "network",
            "kernel",
            "approximation",
            "construct",
            "files",
            "judge",
            "sources",
            "solver",
            "checker",
        ],
    ),
    (
        "cli",
        &[
            "format",
            "exact",
            "functions",
            "softfloat",
            "network",
            "paths",
            "graph",
            "audit",
            "kernel",
            "approximation",
            "construct",
            "files",
            "onnx",
            "judge",
            "sources",
            "solver",
            "checker",
            "corpus",
        ],
    ),
    ("peers", &["format"]),
    ("tests", &[]),
    ("benches", &[]),
];

/// For each crate that a verdict rests on (and softfloat, whose agreement with exact is evidence), every crate of others
/// that it may depend on. The last two read files; the others have neither input nor output, see [`TALKATIVE`].
const OUTSIDERS: &[(&str, &[&str])] = &[
    ("format", &["strsim", "thiserror"]),
    ("exact", &["gmp-mpfr-sys", "rug", "thiserror"]),
    ("functions", &["rug", "thiserror"]),
    ("softfloat", &["num-bigint", "pulp"]),
    ("network", &["thiserror"]),
    ("graph", &["thiserror"]),
    ("kernel", &["rustc-hash", "thiserror"]),
    ("audit", &["thiserror"]),
    ("approximation", &["thiserror"]),
    ("files", &["serde", "serde_json", "sha2", "tempfile", "thiserror"]),
    ("judge", &["lexopt", "serde", "serde_json", "thiserror"]),
];

/// The only crate that Z3's library may be linked to.
const WITH_Z3: &str = "z3";

/// Trusted crates whose sources may speak of files.
const TALKATIVE: &[&str] = &["files", "judge"];

/// What those that the kernel is built with lean on in turn.
const BEHIND_THEM: &[&str] = &[
    "az",
    "libc",
    "libm",
    "proc-macro2",
    "quote",
    "syn",
    "thiserror-impl",
    "unicode-ident",
    // On Windows.
    "windows-link",
    "windows-sys",
];

/// What the crates behind the judge lean on beyond that: JSON, SHA-256, and temporary files, which writing replaces others by.
const BEHIND_FILES: &[&str] = &[
    "bitflags",
    "block-buffer",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "errno",
    "fastrand",
    "getrandom",
    "hybrid-array",
    "itoa",
    "linux-raw-sys",
    "memchr",
    "once_cell",
    "rand_core",
    "rustix",
    "serde_core",
    "serde_derive",
    "typenum",
    "zmij",
];

/// Sources that may say what trusted ones may not, and why.
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("format/src/error.rs", "the literal 0.7", "how alike two names are: it chooses a hint in a message, no value")];

/// Where the host's floats are the subject: operations on slices, compared with those on integers.
const ON_HOST_FLOATS: &[&str] = &["softfloat/src/slices.rs", "softfloat/src/slices/"];

const PREFIX: &str = "roundproof-";

type Edges = BTreeSet<(String, String)>;

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    command.features(CargoOpt::AllFeatures);
    // What only other platforms build stays away. What optional features need may be fetched here: nothing else built it.
    let rustc = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    command.other_options(["--locked", "--filter-platform", host].map(str::to_string));
    command.exec().unwrap()
}

/// Every edge from a crate of the workspace that is not for tests alone, whatever feature turns it on.
fn edges(metadata: &Metadata) -> Edges {
    let packages = metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id));
    let edges = packages.flat_map(|package| {
        let dependencies = package.dependencies.iter().filter(|edge| edge.kind != DependencyKind::Development);
        dependencies.map(|edge| (package.name.to_string(), edge.name.clone()))
    });
    edges.collect()
}

/// What is wrong with these edges.
fn violations(edges: &Edges) -> Vec<String> {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let outsiders: BTreeMap<&str, &[&str]> = OUTSIDERS.iter().copied().collect();
    let mut found = Vec::new();
    for (from, to) in edges {
        let Some(from) = from.strip_prefix(PREFIX) else {
            found.push(format!("{from} is not named {PREFIX}…"));
            continue;
        };
        let allowed = match to.strip_prefix(PREFIX) {
            Some(to) => layers.get(from).is_some_and(|allowed| allowed.contains(&to)),
            None => outsiders.get(from).is_none_or(|allowed| allowed.contains(&to.as_str())),
        };
        if !allowed {
            found.push(format!("{from} -> {to}"));
        }
    }
    found
}

/// Everything that `root` is built with, itself left out.
fn behind(metadata: &Metadata, root: &str) -> BTreeSet<String> {
    let name = |id| metadata.packages.iter().find(|package| package.id == id).unwrap().name.to_string();
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let (mut seen, mut open) = (BTreeSet::new(), vec![root.to_string()]);
    while let Some(current) = open.pop() {
        let node = nodes.iter().find(|node| name(node.id.clone()) == current).unwrap();
        let needed =
            node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development));
        for dependency in needed.map(|dep| name(dep.pkg.clone())) {
            if seen.insert(dependency.clone()) {
                open.push(dependency);
            }
        }
    }
    seen
}

#[test]
fn every_crate_has_a_layer() {
    let metadata = metadata();
    let members: BTreeSet<String> = metadata.workspace_packages().iter().map(|p| p.name.to_string()).collect();
    let known: BTreeSet<String> = LAYERS.iter().map(|(name, _)| format!("{PREFIX}{name}")).collect();
    assert_eq!(members, known);
}

#[test]
fn no_edge_points_where_it_should_not() {
    let edges = edges(&metadata());
    assert!(edges.len() > 30, "the edges were read: {edges:?}");
    assert_eq!(violations(&edges), Vec::<String>::new());
}

#[test]
fn what_the_judges_are_built_with_is_known() {
    let metadata = metadata();
    for judge in ["kernel", "approximation", "judge"] {
        let below = LAYERS.iter().find(|(name, _)| *name == judge).unwrap().1;
        let mut known: BTreeSet<String> = below.iter().map(|name| format!("{PREFIX}{name}")).collect();
        known.extend(below.iter().chain(&[judge]).flat_map(|name| {
            let outsiders = OUTSIDERS.iter().filter(move |(from, _)| from == name);
            outsiders.flat_map(|(_, allowed)| allowed.iter().map(ToString::to_string))
        }));
        known.extend(BEHIND_THEM.iter().map(ToString::to_string));
        if judge == "judge" {
            known.extend(BEHIND_FILES.iter().map(ToString::to_string));
        }
        let unknown: Vec<String> = behind(&metadata, &format!("{PREFIX}{judge}")).difference(&known).cloned().collect();
        assert_eq!(unknown, Vec::<String>::new(), "{judge}");
    }
}

/// The crates of the workspace that ask for MPFR's floats, tests aside.
fn with_mpfr(metadata: &Metadata) -> BTreeSet<String> {
    let asks = |edge: &&Dependency| {
        edge.kind != DependencyKind::Development
            && edge.name == "rug"
            && (edge.uses_default_features || edge.features.iter().any(|feature| feature == "float"))
    };
    let packages = metadata.workspace_packages().into_iter();
    packages
        .filter(|package| package.dependencies.iter().any(|edge| asks(&edge)))
        .map(|it| it.name.to_string())
        .collect()
}

#[test]
fn of_what_judges_only_functions_asks_for_mpfr() {
    let mut metadata = metadata();
    let known = BTreeSet::from(["functions", "peers"].map(|name| format!("{PREFIX}{name}")));
    assert_eq!(with_mpfr(&metadata), known);
    // And it would be seen.
    let exact = metadata.packages.iter_mut().find(|package| package.name.as_str() == "roundproof-exact").unwrap();
    exact.dependencies.iter_mut().find(|edge| edge.name == "rug").unwrap().features.push("float".to_string());
    assert!(with_mpfr(&metadata).contains("roundproof-exact"));
}

#[test]
fn fabricated_edges_are_rejected() {
    let real = edges(&metadata());
    for (from, to) in [
        ("exact", "roundproof-softfloat"),
        ("softfloat", "roundproof-exact"),
        ("softfloat", "rug"),
        ("format", "roundproof-network"),
        ("network", "roundproof-exact"),
        ("paths", "roundproof-exact"),
        ("paths", "roundproof-kernel"),
        ("exact", "roundproof-functions"),
        ("kernel", "roundproof-functions"),
        ("kernel", "roundproof-approximation"),
        ("kernel", "roundproof-softfloat"),
        ("kernel", "roundproof-audit"),
        ("audit", "roundproof-softfloat"),
        ("audit", "roundproof-paths"),
        ("audit", "roundproof-kernel"),
        ("audit", "rayon"),
        ("approximation", "roundproof-files"),
        ("approximation", "serde"),
        ("kernel", "roundproof-paths"),
        ("kernel", "roundproof-files"),
        ("kernel", "z3"),
        ("kernel", "serde"),
        ("kernel", "rayon"),
        ("kernel", "clap"),
        ("files", "roundproof-construct"),
        ("files", "roundproof-sources"),
        ("files", "csv"),
        ("judge", "roundproof-construct"),
        ("judge", "roundproof-checker"),
        ("judge", "roundproof-paths"),
        ("judge", "z3"),
        ("judge", "rayon"),
        ("judge", "clap"),
        ("construct", "roundproof-files"),
        ("construct", "roundproof-checker"),
        ("checker", "roundproof-cli"),
        ("checker", "roundproof-z3"),
        ("solver", "roundproof-format"),
        ("solver", "roundproof-z3"),
        ("checker", "roundproof-corpus"),
        ("corpus", "roundproof-cli"),
        ("benches", "roundproof-tests"),
        ("new", "roundproof-format"),
    ] {
        let mut edges = real.clone();
        edges.insert((format!("{PREFIX}{from}"), to.to_string()));
        assert_eq!(violations(&edges), [format!("{from} -> {to}")]);
    }
}

#[test]
fn z3_is_behind_its_own_program_and_no_other() {
    let metadata = metadata();
    let with_z3 = |name: &&(&str, _)| behind(&metadata, &format!("{PREFIX}{}", name.0)).contains("z3-sys");
    let with_z3: Vec<&str> = LAYERS.iter().filter(with_z3).map(|(name, _)| *name).collect();
    // The walk finds what is several edges away: the bindings, behind z3.
    assert_eq!(with_z3, [WITH_Z3]);
}

#[test]
fn the_kernel_would_not_be_known_with_a_prover_behind_it() {
    let metadata = metadata();
    let checker = behind(&metadata, "roundproof-checker");
    for name in ["rayon-core", "serde", "rug"] {
        assert!(checker.contains(name), "{name}");
    }
}

#[test]
fn trusted_sources_have_no_host_floats_files_or_threads() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut count = 0;
    for name in OUTSIDERS.iter().map(|(name, _)| name).filter(|name| !TALKATIVE.contains(name)) {
        for file in sources::files(&crates.join(name).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let place = file.display().to_string().replace('\\', "/");
            let on_host_floats = ON_HOST_FLOATS.iter().any(|part| place.contains(part));
            let excused = |found: &String| {
                EXCEPTIONS.iter().any(|(place, what, _)| file.ends_with(place) && found == what)
                    || on_host_floats && (found.starts_with("the type ") || found.starts_with("the literal "))
            };
            let found: Vec<String> = sources::violations(&text).into_iter().filter(|found| !excused(found)).collect();
            assert_eq!(found, Vec::<String>::new(), "{}", file.display());
            count += 1;
        }
    }
    assert!(count > 30, "{count} files were read");
}

/// The trusted crates whose rules and meanings turn on the closed types.
const CLOSED_IN: &[&str] = &["format", "exact", "network", "kernel", "audit"];

#[test]
fn closed_types_are_taken_apart_whole() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut count = 0;
    for name in CLOSED_IN {
        for file in sources::files(&crates.join(name).join("src")) {
            let found = sources::closed::open_places(&std::fs::read_to_string(&file).unwrap());
            assert_eq!(found, Vec::<String>::new(), "{}", file.display());
            count += 1;
        }
    }
    assert!(count > 30, "{count} files were read");
}

/// The files below a folder that are named `mod.rs`.
fn other_layout(folder: &Path) -> Vec<std::path::PathBuf> {
    sources::files(folder).into_iter().filter(|file| file.ends_with("mod.rs")).collect()
}

/// A module is `name.rs`, with those inside of it in `name/`.
#[test]
fn modules_are_laid_out_in_one_way() {
    let crates = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")).unwrap();
    let mut count = 0;
    for source in crates.map(|entry| entry.unwrap().path().join("src")) {
        assert_eq!(other_layout(&source), Vec::<std::path::PathBuf>::new());
        count += 1;
    }
    assert!(count > 10, "{count} crates were read");
    // And one would be found: where tests share a module, cargo wants it laid out so.
    assert_eq!(other_layout(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sources")).len(), 1);
}
