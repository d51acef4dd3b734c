//! Theorems mechanized in Rocq, under `proofs/rocq/`: compiled again, and asked what they assume.
//!
//! `theorems.toml` lists the main ones. A theorem is attested if every file compiles, none of them leaves anything open
//! or assumed (`Admitted`, `Axiom` and their like, outside comments), and `Print Assumptions` names no axiom but those of
//! the real numbers and of classical logic that Rocq's standard library and Flocq use.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use roundproof_kernel::Verdict;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The list of the main theorems.
pub const LIST: &str = "theorems.toml";
/// The files in the order in which they compile, for Rocq's own tools.
const PROJECT: &str = "_CoqProject";
/// The logical name of the folder.
const LIBRARY: &str = "Roundproof";
/// The version of records.
const SCHEMA: u32 = 1;

/// The axioms that a theorem may use: those behind the real numbers of the standard library, and the classical logic that
/// Flocq uses.
const AXIOMS: [&str; 4] = [
    "ClassicalDedekindReals.sig_forall_dec",
    "ClassicalDedekindReals.sig_not_dec",
    "Classical_Prop.classic",
    "FunctionalExtensionality.functional_extensionality_dep",
];

/// Words of commands that assume something, leave it open, or turn a check of Rocq off.
const FORBIDDEN: [&str; 12] = [
    "Admitted",
    "admit",
    "Axiom",
    "Axioms",
    "Parameter",
    "Parameters",
    "Conjecture",
    "give_up",
    "Abort",
    "Checking",
    "bypass_check",
    "Unset",
];

/// A main theorem.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theorem {
    /// Its name.
    pub name: String,
    /// The file that it stands in, without the ending.
    pub file: String,
    /// What it says, in words.
    pub words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    theorem: Vec<Theorem>,
}

/// A development that cannot be read.
#[derive(Debug, Error)]
pub enum ListError {
    /// The list cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is not TOML of the right form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// It lists nothing, or something twice.
    #[error("{0}")]
    Names(String),
}

/// The main theorems of a folder.
///
/// # Errors
///
/// If the list cannot be read, is empty, or has a name twice.
pub fn theorems(folder: &Path) -> Result<Vec<Theorem>, ListError> {
    let list: List = toml::from_str(&std::fs::read_to_string(folder.join(LIST))?)?;
    let mut names: Vec<&str> = list.theorem.iter().map(|theorem| theorem.name.as_str()).collect();
    names.sort_unstable();
    if names.is_empty() {
        return Err(ListError::Names("names no theorem".to_string()));
    }
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ListError::Names(format!("names {} twice", pair[0])));
    }
    if let Some(name) = names.iter().find(|name| !is_identifier(name)) {
        return Err(ListError::Names(format!("`{name}` is not a name of a theorem")));
    }
    Ok(list.theorem)
}

fn is_identifier(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// What was established of a theorem.
#[derive(Clone, Debug)]
pub struct Mechanized {
    /// `Attested`, or `Unknown`.
    pub verdict: Verdict,
    /// In words.
    pub how: String,
    /// The record.
    pub json: String,
}

#[derive(Serialize)]
struct Record<'a> {
    schema: u32,
    theorem: &'a str,
    file: String,
    words: &'a str,
    statement: &'a str,
    verdict: &'a str,
    assumptions: &'a [String],
    provenance: BTreeMap<&'static str, String>,
}

/// What Rocq said of the whole folder.
#[derive(Clone, Debug)]
struct Compiled {
    version: String,
    /// What each theorem says, as it stands in its file, and what it assumes.
    theorems: BTreeMap<String, (String, Vec<String>)>,
    seconds: f64,
}

/// Folders that were compiled in this run of the program, so that one of many theorems costs it once.
static DONE: Mutex<BTreeMap<PathBuf, Result<Compiled, String>>> = Mutex::new(BTreeMap::new());

impl Theorem {
    /// Has the folder compiled, if that was not done yet, and says what became of the theorem.
    pub fn check(&self, folder: &Path, progress: &mut dyn FnMut(&'static str, usize, usize)) -> Mechanized {
        let mut done = DONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let compiled = done.entry(folder.to_path_buf()).or_insert_with(|| compile(folder, progress));
        let (verdict, how, (statement, assumptions), provenance) = match compiled {
            Err(reason) => (Verdict::Unknown, reason.clone(), Default::default(), BTreeMap::new()),
            Ok(compiled) => {
                let (statement, assumptions) = compiled.theorems.get(&self.name).cloned().unwrap_or_default();
                let strange = assumptions.iter().find(|axiom| !AXIOMS.contains(&axiom.as_str()));
                let (verdict, how) = match strange {
                    Some(axiom) => (Verdict::Unknown, format!("assumes {axiom}")),
                    None => (Verdict::Attested, format!("rocq {}: {}", compiled.version, said(&assumptions))),
                };
                let seconds = format!("{:.1}", compiled.seconds);
                let provenance = BTreeMap::from([("rocq", compiled.version.clone()), ("seconds", seconds)]);
                (verdict, how, (statement, assumptions), provenance)
            }
        };
        let record = Record {
            schema: SCHEMA,
            theorem: &self.name,
            file: format!("{}.v", self.file),
            words: &self.words,
            statement: &statement,
            verdict: verdict.name(),
            assumptions: &assumptions,
            provenance,
        };
        // Strings alone: nothing of it can fail to become JSON.
        let json = serde_json::to_string_pretty(&record).unwrap_or_default() + "\n";
        Mechanized { verdict, how, json }
    }
}

fn said(assumptions: &[String]) -> &'static str {
    let classic = assumptions.iter().any(|name| name == "Classical_Prop.classic");
    match (assumptions.is_empty(), classic) {
        (true, _) => "no axiom",
        (false, false) => "axioms of the real numbers",
        (false, true) => "axioms of the real numbers, excluded middle",
    }
}

/// Compiles a copy of the folder and asks for the assumptions of its main theorems.
fn compile(folder: &Path, progress: &mut dyn FnMut(&'static str, usize, usize)) -> Result<Compiled, String> {
    let since = Instant::now();
    let version = version()?;
    let files = files(folder)?;
    let theorems = theorems(folder).map_err(|error| format!("{LIST}: {error}"))?;
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (index, file) in files.iter().enumerate() {
        progress("compiling proofs", index, files.len() + 1);
        let text = std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
        if let Some(word) = open_ends(&text) {
            return Err(format!("{file}: has `{word}`"));
        }
        std::fs::write(scratch.path().join(file), text).map_err(|error| format!("{file}: {error}"))?;
        run(scratch.path(), file)?;
    }
    progress("compiling proofs", files.len(), files.len() + 1);
    let questions = "Questions.v";
    std::fs::write(scratch.path().join(questions), ask(&files, &theorems)).map_err(|error| error.to_string())?;
    let answers = run(scratch.path(), questions)?;
    let told = theorems.iter().map(|Theorem { name, file, .. }| {
        let text = std::fs::read_to_string(scratch.path().join(format!("{file}.v")));
        let statement = text.ok().and_then(|text| statement(&text, name));
        let statement = statement.ok_or_else(|| format!("{file}.v: has no statement of {name}"))?;
        Ok((name.clone(), (statement, answered(&answers, name)?)))
    });
    let theorems = told.collect::<Result<_, String>>()?;
    Ok(Compiled { version, theorems, seconds: since.elapsed().as_secs_f64() })
}

/// What a theorem says, on one line: from its name to its proof.
fn statement(text: &str, name: &str) -> Option<String> {
    let begins = |keyword: &str| {
        let start = text.find(&format!("\n{keyword} {name}"))? + 1;
        let after = text[start..].strip_prefix(&format!("{keyword} {name}"))?;
        after.starts_with([' ', ':', '\n']).then_some(start)
    };
    let start = ["Theorem", "Corollary", "Lemma"].into_iter().find_map(begins)?;
    let (statement, _) = text[start..].split_once("\nProof.")?;
    Some(statement.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The version of Rocq, as `8.16.1`.
///
/// # Errors
///
/// If there is none, or it does not say so.
pub fn version() -> Result<String, String> {
    let missing = "coqc is not there; install Rocq and Flocq (Debian: coq, libcoq-flocq), or run ./x rocq";
    let output = Command::new("coqc").arg("--print-version").output().map_err(|_| missing.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).to_string();
    text.split_whitespace().next().map(str::to_string).ok_or_else(|| "coqc does not say its version".to_string())
}

/// The files that the project names, in its order; all that are there must be among them.
fn files(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error: io::Error| format!("{PROJECT}: {error}");
    let text = std::fs::read_to_string(folder.join(PROJECT)).map_err(failed)?;
    let named: Vec<String> =
        text.lines().map(str::trim).filter(|line| line.ends_with(".v")).map(String::from).collect();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().to_string();
        if name.ends_with(".v") && !named.contains(&name) {
            return Err(format!("{name}: is not among the files that {PROJECT} names"));
        }
    }
    Ok(named)
}

fn run(folder: &Path, file: &str) -> Result<String, String> {
    let output = Command::new("coqc")
        .args(["-q", "-Q", ".", LIBRARY, file])
        .current_dir(folder)
        .output()
        .map_err(|error| format!("coqc: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ");
        return Err(format!("{file} does not compile: {}", why.chars().take(300).collect::<String>()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).to_string())
}

/// A file that asks for the assumptions of each theorem, between two marks.
fn ask(files: &[String], theorems: &[Theorem]) -> String {
    let mut text = "From Coq Require Import String.\n".to_string();
    for file in files {
        text += &format!("From {LIBRARY} Require {}.\n", file.trim_end_matches(".v"));
    }
    for Theorem { name, file, .. } in theorems {
        text += &format!("Check \"begin {name}\"%string.\nPrint Assumptions {LIBRARY}.{file}.{name}.\n");
        text += &format!("Check \"end {name}\"%string.\n");
    }
    text
}

/// The names of the axioms between the marks of a theorem, in order.
fn answered(answers: &str, theorem: &str) -> Result<Vec<String>, String> {
    let unclear = || format!("Rocq does not say what {theorem} assumes");
    let (_, rest) = answers.split_once(&format!("\"begin {theorem}\"")).ok_or_else(unclear)?;
    let (between, _) = rest.split_once(&format!("\"end {theorem}\"")).ok_or_else(unclear)?;
    if between.contains("Closed under the global context") {
        return Ok(Vec::new());
    }
    let (before, axioms) = between.split_once("Axioms:").ok_or_else(unclear)?;
    // Anything else than the type of the mark, such as a theory that was weakened, is not expected there.
    if before.split_whitespace().ne(["%string", ":", "string"]) {
        return Err(unclear());
    }
    // A name stands at the beginning of a line, its type after a colon, in further lines that are indented.
    let names = axioms.lines().filter(|line| line.starts_with(|c: char| c.is_alphabetic() || c == '_'));
    let mut names: Vec<String> = names.filter_map(|line| line.split_whitespace().next()).map(String::from).collect();
    names.sort();
    if names.is_empty() { Err(unclear()) } else { Ok(names) }
}

/// A command in the text of a file, outside comments and strings, that assumes something or leaves it open.
fn open_ends(text: &str) -> Option<&'static str> {
    let mut plain = String::new();
    let (mut depth, mut quoted) = (0usize, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if depth == 0 && c == '"' {
            quoted = !quoted;
        }
        let (step, opens, closes) = match rest {
            _ if quoted => (c.len_utf8(), false, false),
            _ if rest.starts_with("(*") => (2, true, false),
            _ if rest.starts_with("*)") && depth > 0 => (2, false, true),
            _ => (c.len_utf8(), false, false),
        };
        if depth == 0 && !quoted && !opens {
            plain.push(c);
        } else {
            plain.push(' ');
        }
        depth = if opens { depth + 1 } else { depth - usize::from(closes) };
        rest = &rest[step..];
    }
    let words = plain.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''));
    words.into_iter().find_map(|word| FORBIDDEN.into_iter().find(|forbidden| word == *forbidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ends_are_found_outside_comments() {
        assert_eq!(open_ends("Lemma a : True. Proof. Admitted."), Some("Admitted"));
        assert_eq!(open_ends("Axiom a : False."), Some("Axiom"));
        assert_eq!(open_ends("Section S. Parameter x : nat."), Some("Parameter"));
        assert_eq!(open_ends("Proof. admit. Qed."), Some("admit"));
        assert_eq!(open_ends("Unset Guard Checking."), Some("Unset"));
        assert_eq!(open_ends("#[bypass_check(guard)] Fixpoint f := 0."), Some("bypass_check"));
        assert_eq!(open_ends("(* Admitted (* twice *) Axiom *) Lemma Admitted_not : True."), None);
        assert_eq!(open_ends("Check \"Axiom (*\"%string. (* Parameter *) Axiom b : False."), Some("Axiom"));
        assert_eq!(open_ends("Variable x : nat."), None, "the assumptions tell those that are left over");
    }

    #[test]
    fn axioms_are_read_from_between_the_marks() {
        let text = "\"begin a\"%string\n     : string\nClosed under the global context\n\"end a\"%string\n     : string\n\
                    \"begin b\"%string\n     : string\nAxioms:\nReals.sig : forall P,\n  {x : P} + {y}\nLogic.ext\n  : forall A, \
                    A\n\"end b\"%string\n     : string\n";
        assert_eq!(answered(text, "a"), Ok(vec![]));
        assert_eq!(answered(text, "b"), Ok(vec!["Logic.ext".to_string(), "Reals.sig".to_string()]));
        assert!(answered(text, "c").is_err());
        let weakened = text.replace("Axioms:", "Theory:\nType hierarchy is collapsed (logic is inconsistent)\nAxioms:");
        assert!(answered(&weakened, "b").is_err());
    }

    #[test]
    fn statements_are_read_from_their_files() {
        let text =
            "\nLemma ab : False -> True.\nProof. easy. Qed.\n\nTheorem a : forall n,\n  n = n.\nProof. easy. Qed.\n";
        assert_eq!(statement(text, "a").as_deref(), Some("Theorem a : forall n, n = n."));
        assert_eq!(statement(text, "ab").as_deref(), Some("Lemma ab : False -> True."));
        assert_eq!(statement(text, "b"), None);
    }

    #[test]
    fn lists_name_theorems_once() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            std::fs::write(folder.path().join(LIST), text).unwrap();
            theorems(folder.path()).map(|found| found.len()).map_err(|error| error.to_string())
        };
        let one = |name: &str| format!("[[theorem]]\nname = \"{name}\"\nfile = \"A\"\nwords = \"w\"\n");
        assert_eq!(read(&one("a")), Ok(1));
        assert!(read(&(one("a") + &one("a"))).unwrap_err().contains("twice"));
        assert!(read("theorem = []").unwrap_err().contains("no theorem"));
        assert!(read(&one("a.b")).unwrap_err().contains("not a name"));
        assert!(read("x = 1").is_err());
    }
}
