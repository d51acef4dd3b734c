//! Which parts of the program decide what comes of an obligation.
//!
//! [`PARTS`] is every crate of the workspace, and every module of `checker`, with the digest of its sources, and beside them the
//! versions of others' crates and the compiler. A part that no list here names counts for every obligation: what is new is
//! believed to matter until somebody has said of what.

use roundproof_files::Digest;

use crate::claim::Making;
use crate::obligations::Subject;

/// The parts and their digests, by name; none if the program was built where its sources were not all there.
pub(crate) const PARTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/parts.rs"));

/// How it is decided what comes of an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Z3 is asked about rounding.
    Lemma,
    /// Z3 is asked about every data set of a shape.
    Parametric,
    /// The kernel judges a network of rows or trees.
    Kernel,
    /// Z3 is asked about a network of rows.
    Whole,
    /// The kernel judges a network of a function.
    Function,
    /// Networks of two layers are enumerated.
    Depth,
    /// The kernel judges networks of every format.
    Map,
    /// Rocq compiles a theorem.
    Mechanized,
}

/// What puts questions to Z3.
const QUESTIONS: &[&str] = &["exact", "solver", "z3", "checker::smt"];
/// What makes networks, and judges them.
const NETWORKS: &[&str] = &[
    "exact",
    "softfloat",
    "network",
    "paths",
    "kernel",
    "construct",
    "judge",
    "sources",
    "checker::prove",
    "checker::random",
];
/// What decides about functions alone.
const FUNCTIONS: &[&str] = &["functions", "approximation"];
/// What has no part in any verdict that is on record.
const APART: &[&str] = &["cli", "onnx", "graph", "audit"];

impl Way {
    pub(crate) const ALL: [Way; 8] =
        [Way::Lemma, Way::Parametric, Way::Kernel, Way::Whole, Way::Function, Way::Depth, Way::Map, Way::Mechanized];

    pub(crate) fn of(subject: &Subject) -> Way {
        match subject {
            Subject::Lemma(_) => Way::Lemma,
            Subject::Mechanized(_) => Way::Mechanized,
            Subject::Frontier(_) => Way::Map,
            Subject::Instance(instance) => match &instance.making {
                Making::Rows { whole: true, .. } => Way::Whole,
                Making::Rows { whole: false, .. } | Making::Given { .. } | Making::Model { .. } => Way::Kernel,
                Making::Function(..) => Way::Function,
                Making::EveryDataSet(..) => Way::Parametric,
                Making::Depth(_) => Way::Depth,
            },
        }
    }

    /// The parts that decide this way beside those that count for every obligation.
    const fn parts(self) -> &'static [&'static [&'static str]] {
        match self {
            Way::Lemma => &[QUESTIONS, &["checker::lemmas"]],
            Way::Parametric => &[QUESTIONS, &["softfloat", "network", "checker::parametric"]],
            Way::Kernel => &[NETWORKS],
            Way::Whole => &[NETWORKS, QUESTIONS, &["checker::whole"]],
            Way::Function => &[NETWORKS, FUNCTIONS],
            Way::Depth => &[&["softfloat", "network", "checker::depth"]],
            Way::Map => &[NETWORKS, &["checker::frontier"]],
            Way::Mechanized => &[&["checker::mechanized"]],
        }
    }

    /// Whether a part has a say.
    pub(crate) fn has(self, part: &str) -> bool {
        let lists = |way: Way| way.parts().iter().any(|list| list.contains(&part));
        lists(self) || !(APART.contains(&part) || Way::ALL.into_iter().any(lists))
    }

    /// The digest of all parts that have a say.
    pub(crate) fn digest(self, parts: &[(&str, &str)]) -> Digest {
        let text: String = parts
            .iter()
            .filter(|(part, _)| self.has(part))
            .map(|(part, digest)| format!("{part} {digest}\n"))
            .collect();
        Digest::of(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Which ways decide otherwise, for all that is known, when this part has changed.
    fn concerned(part: &str) -> Vec<Way> {
        let changed: Vec<(&str, &str)> =
            PARTS.iter().map(|&(name, digest)| (name, if name == part { "changed" } else { digest })).collect();
        assert!(PARTS.iter().any(|(name, _)| *name == part), "{part} is a part");
        Way::ALL.into_iter().filter(|way| way.digest(PARTS) != way.digest(&changed)).collect()
    }

    #[test]
    fn a_changed_part_concerns_what_it_decides() {
        let networks = [Way::Kernel, Way::Whole, Way::Function, Way::Map];
        assert_eq!(concerned("kernel"), networks);
        assert_eq!(concerned("construct"), networks);
        assert_eq!(concerned("checker::smt"), [Way::Lemma, Way::Parametric, Way::Whole]);
        assert_eq!(concerned("solver"), [Way::Lemma, Way::Parametric, Way::Whole]);
        assert_eq!(concerned("checker::lemmas"), [Way::Lemma]);
        assert_eq!(concerned("functions"), [Way::Function]);
        assert_eq!(concerned("checker::mechanized"), [Way::Mechanized]);
        assert_eq!(concerned("checker::frontier"), [Way::Map]);
        for everything in ["format", "files", "corpus", "checker", "lock", "compiler"] {
            assert_eq!(concerned(everything), Way::ALL, "{everything}");
        }
        assert_eq!(concerned("cli"), []);
        assert!(Way::ALL.into_iter().all(|way| way.has("a part that is new")));
    }

    #[test]
    fn every_listed_part_is_there() {
        let known: BTreeSet<&str> = PARTS.iter().map(|(part, _)| *part).collect();
        let listed = Way::ALL.into_iter().flat_map(Way::parts).copied().flatten().chain(APART);
        assert_eq!(listed.filter(|part| !known.contains(*part)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    /// What a part names of another without being decided by it.
    const NAMED_ONLY: &[(&str, &str, &str)] = &[
        ("checker::lemmas", "kernel", "its verdicts"),
        ("checker::parametric", "kernel", "its verdicts"),
        ("checker::depth", "kernel", "its verdicts"),
        ("checker::mechanized", "kernel", "its verdicts"),
        ("construct", "functions", "for functions alone"),
        ("construct", "approximation", "for functions alone"),
        ("judge", "functions", "for functions alone"),
        ("judge", "approximation", "for functions alone"),
        ("judge", "audit", "for audits alone"),
        ("judge", "graph", "for audits alone"),
        ("checker::prove", "functions", "for functions alone"),
        ("checker::prove", "approximation", "for functions alone"),
        ("checker::prove", "checker::lemmas", "what is established of them, which is a dependency by its value"),
    ];

    /// The modules that a part names, crates and modules of `checker`, wherever they stand in its text.
    fn named(part: &str) -> BTreeSet<String> {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let source = |name: &str| crates.join(name).join("src");
        let files = match part.split_once("::") {
            Some((name, module)) => {
                let mut files = vec![source(name).join(format!("{module}.rs"))];
                files.extend(below(&source(name).join(module)));
                files
            }
            None => below(&source(part)),
        };
        let mut all = BTreeSet::new();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for (prefix, crates) in [("roundproof_", true), ("crate::", false)] {
                for (at, _) in text.match_indices(prefix) {
                    let name: String =
                        text[at + prefix.len()..].chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
                    let name = if crates { name } else { format!("checker::{name}") };
                    if PARTS.iter().any(|(part, _)| *part == name) && (crates || part.starts_with("checker::")) {
                        all.insert(name);
                    }
                }
            }
        }
        all.remove(part);
        all
    }

    fn below(folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut all = Vec::new();
        for entry in entries.map(|entry| entry.unwrap().path()) {
            let stem = entry.file_stem().unwrap().to_str().unwrap();
            match entry.is_dir() {
                _ if stem == "tests" || stem.ends_with("_tests") => {}
                true => all.extend(below(&entry)),
                false => all.push(entry),
            }
        }
        all
    }

    #[test]
    fn what_a_part_names_has_a_say_where_it_has() {
        for way in Way::ALL {
            for part in way.parts().iter().copied().flatten().copied().filter(|part| *part != "z3") {
                for other in named(part).iter().filter(|other| !way.has(other)) {
                    let known = NAMED_ONLY.iter().any(|(from, to, _)| (*from, *to) == (part, other.as_str()));
                    assert!(known, "{way:?}: {part} names {other}");
                }
            }
        }
    }
}
