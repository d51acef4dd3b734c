//! What earlier runs established, so that what has not changed need not be proved again.
//!
//! A convenience, believed by nobody else: a record is what a run without memory establishes, as one in CI is. What came of an
//! obligation is filed under the digest of all that it depends on: its claim, the files that this names, the solver or Rocq
//! that is asked, and the parts of the program that decide ([`code`](crate::code)). Whatever changes, another digest is looked
//! up, and nothing is found. A limit of time or memory is not among them: it changes no answer that was given.
//!
//! What is not established is not remembered, nor is an error. Each result is a file of its own that is replaced whole, with a
//! digest of what is in it: runs at the same time, or one that is killed, leave whole results or none, and what is not whole
//! is passed over. If a file changes while something is proved of it, the result is not remembered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use roundproof_checker::lemmas::behind_box_networks;
use roundproof_checker::mechanized;
use roundproof_files::{Digest, write_atomically};
use roundproof_format::Format;
use roundproof_kernel::Verdict;
use roundproof_solver::Solver;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::claim::{Making, Rows};
use crate::code::{PARTS, Way};
use crate::obligations::{Obligation, Subject};
use crate::record::Record;

/// The form of what is remembered.
const VERSION: u32 = 1;
/// How long a result is kept that no run asks for.
const KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// A folder with results of earlier runs.
#[derive(Debug)]
pub struct Memory {
    folder: PathBuf,
    /// Whether nothing is looked up.
    forgetful: bool,
    lemmas: Mutex<BTreeMap<String, String>>,
    mechanized: OnceLock<Option<Digest>>,
}

/// What is remembered of an obligation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remembered {
    pub(crate) verdict: Option<Verdict>,
    pub(crate) how: String,
    pub(crate) record: Record,
    pub(crate) wrong_rows: usize,
}

/// A result as it is filed.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Filed {
    verdict: Option<String>,
    how: String,
    record: Value,
    wrong_rows: usize,
    /// Of all the above, and of the key.
    sha256: String,
}

/// The digest of all that an obligation depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(Digest);

impl Memory {
    /// The memory in a folder, which is made when something is remembered; none if this program does not know what it was built
    /// from.
    pub fn new(folder: PathBuf) -> Option<Memory> {
        (!PARTS.is_empty()).then(|| Memory {
            folder,
            forgetful: false,
            lemmas: Mutex::default(),
            mechanized: OnceLock::new(),
        })
    }

    /// The same, for one that proves everything again and remembers that.
    pub fn forgetful(self) -> Memory {
        Memory { forgetful: true, ..self }
    }

    /// The key of an obligation, if all is there that it depends on.
    pub(crate) fn key(&self, obligation: &Obligation, solver: &Solver) -> Option<Key> {
        self.key_with(obligation, solver, PARTS)
    }

    fn key_with(&self, obligation: &Obligation, solver: &Solver, parts: &[(&str, &str)]) -> Option<Key> {
        let Obligation { name, folder: _, entry: _, path, expectation: _, subject } = obligation;
        let way = Way::of(subject);
        let solver = if obligation.asks_solver() { Some(solver.version().ok()?) } else { None };
        let on = match subject {
            // What they say and which questions they ask is in the program.
            Subject::Lemma(_) | Subject::Frontier(_) => Value::Null,
            Subject::Mechanized(_) => json!({ "rocq": self.mechanized(path)? }),
            Subject::Instance(instance) => {
                let files: Option<BTreeMap<String, String>> = files(&instance.making)
                    .into_iter()
                    .map(|file| Some((file.to_string_lossy().into_owned(), Digest::of_file(file).ok()?.to_string())))
                    .collect();
                let lemmas = match way {
                    Way::Kernel | Way::Whole | Way::Function => Some(self.lemmas(instance.format)),
                    Way::Lemma | Way::Parametric | Way::Depth | Way::Map | Way::Mechanized => None,
                };
                json!({ "claim": instance.claim.to_string(), "files": files?, "lemmas": lemmas })
            }
        };
        let code = way.digest(parts).to_string();
        let all = json!({ "version": VERSION, "name": name, "solver": solver, "on": on, "code": code });
        Some(Key(Digest::of(all.to_string().as_bytes())))
    }

    /// What certificates of a format say of the lemmas behind the kernel's rule.
    fn lemmas(&self, format: Format) -> String {
        let mut lemmas = self.lemmas.lock().unwrap_or_else(PoisonError::into_inner);
        let said = lemmas.entry(format.to_string()).or_insert_with(|| {
            let text: String =
                behind_box_networks(format).iter().map(|it| format!("{}\n{}\n", it.name, it.established)).collect();
            Digest::of(text.as_bytes()).to_string()
        });
        said.clone()
    }

    /// The digest of a development in Rocq and of the Rocq that compiles it.
    fn mechanized(&self, folder: &Path) -> Option<String> {
        let digest = self.mechanized.get_or_init(|| {
            let version = mechanized::version().ok()?;
            let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
                .ok()?
                .map(|entry| entry.ok().map(|entry| entry.path()))
                .collect::<Option<_>>()?;
            files.retain(|file| file.is_file());
            files.sort();
            let mut text = version;
            for file in files {
                text += &format!("\n{} {}", file.file_name()?.to_str()?, Digest::of_file(&file).ok()?);
            }
            Some(Digest::of(text.as_bytes()))
        });
        digest.map(|digest| digest.to_string())
    }

    fn path(&self, key: Key) -> PathBuf {
        let name = key.0.to_string();
        self.folder.join(&name[..2]).join(format!("{name}.json"))
    }

    /// What is remembered under a key.
    pub(crate) fn recall(&self, key: Key, name: &str) -> Option<Remembered> {
        if self.forgetful {
            return None;
        }
        let path = self.path(key);
        let filed: Filed = serde_json::from_str(&std::fs::read_to_string(&path).ok()?).ok()?;
        if filed.sha256 != filed.digest(key) {
            return None;
        }
        let Filed { verdict, how, record, wrong_rows, sha256: _ } = filed;
        let verdict = match verdict {
            Some(word) => Some(*Verdict::ALL.iter().find(|verdict| verdict.name() == word)?),
            None => None,
        };
        let entry = name.rsplit('/').next().unwrap_or(name);
        let record = Record::of_value(entry, record).ok()?;
        if !is_final(verdict) {
            return None;
        }
        // It was of use: it is kept.
        if let Ok(file) = std::fs::File::options().append(true).open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(Remembered { verdict, how, record, wrong_rows })
    }

    /// Remembers what is established. What cannot be written is proved again next time.
    pub(crate) fn remember(&self, key: Key, result: &Remembered) {
        let Remembered { verdict, how, record, wrong_rows } = result;
        if !is_final(*verdict) {
            return;
        }
        let verdict = verdict.map(|verdict| verdict.name().to_string());
        let mut filed = Filed {
            verdict,
            how: how.clone(),
            record: record.to_value(),
            wrong_rows: *wrong_rows,
            sha256: String::new(),
        };
        filed.sha256 = filed.digest(key);
        let path = self.path(key);
        let Ok(text) = serde_json::to_string(&filed) else { return };
        if let Some(folder) = path.parent()
            && std::fs::create_dir_all(folder).is_ok()
        {
            let _ = write_atomically(&path, text.as_bytes());
        }
    }

    /// Removes what no run has asked for in a long time.
    pub fn prune(&self) {
        let old = SystemTime::now() - KEPT;
        let below = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for file in
            below(&self.folder).filter(|folder| folder.is_dir()).flat_map(|folder| below(&folder).collect::<Vec<_>>())
        {
            if file.metadata().and_then(|file| file.modified()).is_ok_and(|used| used < old) {
                let _ = std::fs::remove_file(&file);
            }
        }
    }
}

impl Filed {
    fn digest(&self, key: Key) -> String {
        let Filed { verdict, how, record, wrong_rows, sha256: _ } = self;
        Digest::of(json!([key.0.to_string(), verdict, how, record, wrong_rows]).to_string().as_bytes()).to_string()
    }
}

/// Whether a result would be the same at another time: a refusal is, and what was established.
const fn is_final(verdict: Option<Verdict>) -> bool {
    match verdict {
        None | Some(Verdict::Proved | Verdict::Attested | Verdict::Refuted) => true,
        Some(Verdict::Vacuous | Verdict::Unknown) => false,
    }
}

/// The files that a claim names, which are read when it is proved.
fn files(making: &Making) -> Vec<&Path> {
    fn rows(rows: &Rows) -> Option<&Path> {
        match rows {
            Rows::File { file, labels: _, rows: _ } => Some(file),
            Rows::All(_) => None,
        }
    }
    match making {
        Making::Rows { rows: of, strategy: _, max_leaves: _, whole: _ } | Making::Given { rows: of, network: _ } => {
            rows(of).into_iter().collect()
        }
        Making::Model { file, options: _, rows: of, tolerance: _, flaw: _ } => {
            std::iter::once(file.as_path()).chain(of.as_ref().and_then(rows)).collect()
        }
        Making::Function(..) | Making::EveryDataSet(..) | Making::Depth(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use roundproof_solver::Solver;

    use super::*;
    use crate::obligations::obligations;

    /// A memory in a folder of its own, and the obligations of the lemmas and of one claim.
    fn memory() -> (tempfile::TempDir, Memory, Vec<Obligation>) {
        let folder = tempfile::tempdir().unwrap();
        let claim = folder.path().join("proofs/rows");
        std::fs::create_dir_all(folder.path().join("proofs/lemmas")).unwrap();
        std::fs::create_dir_all(&claim).unwrap();
        let text = "statement = \"S.\"\nkind = \"memorization\"\ndata = \"data.csv\"\nlabels = [\"y\"]\nstrategy = \"point\"\n\
                    activations = [\"relu\"]\nformats = [\"bfloat16\", \"binary16\"]\npaths = \"all\"\n";
        std::fs::write(claim.join("claim.toml"), text).unwrap();
        std::fs::write(claim.join("data.csv"), "x,y\n1,2\n").unwrap();
        let all = obligations(&folder.path().join("proofs")).unwrap();
        let memory = Memory::new(folder.path().join("memory")).unwrap();
        (folder, memory, all)
    }

    #[test]
    fn no_two_obligations_have_one_key_and_all_change_with_their_part() {
        let (_folder, memory, all) = memory();
        let solver = Solver::new(Duration::from_secs(1));
        let instances: Vec<&Obligation> = all.iter().filter(|it| !it.asks_solver()).collect();
        assert_eq!(instances.len(), 2);
        let keys: Vec<Key> = instances.iter().map(|it| memory.key(it, &solver).unwrap()).collect();
        assert_ne!(keys[0], keys[1]);
        for (part, concerns) in [("kernel", true), ("exact", true), ("checker::smt", false), ("cli", false)] {
            let parts: Vec<(&str, &str)> =
                PARTS.iter().map(|&(name, digest)| (name, if name == part { "changed" } else { digest })).collect();
            for (it, key) in instances.iter().zip(&keys) {
                assert_eq!(memory.key_with(it, &solver, &parts) != Some(*key), concerns, "{part}");
            }
        }
        // A file that is gone has no digest, and what depends on it no key.
        std::fs::remove_file(instances[0].path.join("data.csv")).unwrap();
        assert_eq!(memory.key(instances[0], &solver), None);
    }

    #[test]
    fn what_is_not_established_is_not_remembered() {
        let (_folder, memory, _) = memory();
        let record = Record::of_value("it", json!({ "refused": "conflict", "words": "two rows" }));
        let record = record.unwrap();
        let key = Key(Digest::of(b"key"));
        for verdict in Verdict::ALL.iter().copied().map(Some).chain([None]) {
            let result = Remembered { verdict, how: "so".to_string(), record: record.clone(), wrong_rows: 3 };
            let _ = std::fs::remove_file(memory.path(key));
            memory.remember(key, &result);
            let expected = is_final(verdict).then_some(result);
            assert_eq!(memory.recall(key, "it"), expected);
            assert_eq!(memory.recall(Key(Digest::of(b"other")), "it"), None);
        }
        assert!(!is_final(Some(Verdict::Unknown)) && !is_final(Some(Verdict::Vacuous)));
    }

    #[test]
    fn what_nobody_asks_for_is_removed_in_time() {
        let (_folder, memory, _) = memory();
        let result = Remembered {
            verdict: None,
            how: String::new(),
            record: Record::of_value("it", json!({ "refused": "conflict", "words": "two rows" })).unwrap(),
            wrong_rows: 0,
        };
        let [old, new, used] = [b"old" as &[u8], b"new", b"used"].map(|name| Key(Digest::of(name)));
        for key in [old, new, used] {
            memory.remember(key, &result);
        }
        for key in [old, used] {
            let file = std::fs::File::options().append(true).open(memory.path(key)).unwrap();
            file.set_modified(SystemTime::now() - KEPT - Duration::from_secs(60)).unwrap();
        }
        assert!(memory.recall(used, "it").is_some());
        memory.prune();
        assert_eq!([old, new, used].map(|key| memory.recall(key, "it").is_some()), [false, true, true]);
    }
}
