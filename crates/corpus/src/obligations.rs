//! The obligations of a corpus, from its folders.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use roundproof_checker::frontier::{CONSTRUCTIONS, Construction, Family};
use roundproof_checker::lemmas::{Lemma, catalogue};
use roundproof_checker::mechanized::{LIST as THEOREMS, ListError, Theorem, theorems};
use roundproof_files::InFile;
use thiserror::Error;

use crate::claim::{ClaimError, ClaimFile, Instance};
use crate::list::{LIST, TOP};
use crate::record_file::{RECORD, RecordProblem};

/// The name of a file with claims.
pub const CLAIM: &str = "claim.toml";

/// The folder of claims that must fail; all others hold claims that must hold.
const REFUTATIONS: &str = "refutations";

/// What a folder of the corpus says of the claims in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expectation {
    /// They hold.
    Holds,
    /// They fail.
    Fails,
}

impl Expectation {
    /// The word in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Expectation::Holds => "holds",
            Expectation::Fails => "fails",
        }
    }
}

/// One thing to prove, or to refute.
#[derive(Clone, Debug)]
pub struct Obligation {
    /// Its name: its folder's, a slash, and the name of its record there; in the corpus itself the latter alone.
    pub name: String,
    /// The path of its folder below the corpus; `.` of the corpus itself.
    pub folder: String,
    /// The name of its record in the file of its folder.
    pub entry: String,
    /// Its folder.
    pub(crate) path: PathBuf,
    /// What its folder says of it.
    pub expectation: Expectation,
    pub(crate) subject: Subject,
}

impl Obligation {
    fn new(root: &Path, path: &Path, entry: &str, expectation: Expectation, subject: Subject) -> Obligation {
        let folder = below(root, path);
        let name = if folder == TOP { entry.to_string() } else { format!("{folder}/{entry}") };
        Obligation { name, folder, entry: entry.to_string(), path: path.to_path_buf(), expectation, subject }
    }

    /// Whether it takes so long that it is left out unless it is asked for.
    pub fn is_slow(&self) -> bool {
        matches!(&self.subject, Subject::Instance(instance) if instance.slow)
    }

    /// Whether a solver is asked about it.
    pub fn asks_solver(&self) -> bool {
        match &self.subject {
            Subject::Lemma(_) => true,
            Subject::Mechanized(_) | Subject::Frontier(_) => false,
            Subject::Instance(instance) => instance.making.asks_solver(),
        }
    }

    /// Whether it is a map of many cells, some of which hold and some of which do not.
    pub fn is_map(&self) -> bool {
        matches!(self.subject, Subject::Frontier(_))
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Lemma(&'static Lemma),
    Mechanized(Theorem),
    Frontier(&'static Construction),
    Instance(Box<Instance>),
}

impl From<(PathBuf, io::Error)> for CorpusError {
    fn from((folder, error): (PathBuf, io::Error)) -> CorpusError {
        CorpusError::Folder { folder, error }
    }
}

/// A corpus that cannot be read.
#[derive(Debug, Error)]
pub enum CorpusError {
    /// A folder cannot be read.
    #[error("{folder}: {error}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A folder without a claim.
    #[error(
        "{folder}: there is no {CLAIM} in it or in a folder below it; `roundproof corpus new {folder}/NAME --kind \
         memorization` begins one"
    )]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// A record that belongs to no claim.
    #[error("{file}: belongs to no claim; remove it, or add the instance to claim.toml")]
    Stray {
        /// The file.
        file: PathBuf,
    },
    /// One instance twice: the same format under two names, say.
    #[error("{name}: is claimed twice")]
    Twice {
        /// Its name.
        name: String,
    },
    /// A file that is named almost as one with claims is.
    #[error("{file}: is passed over; a file with claims is named {CLAIM}")]
    Name {
        /// The file.
        file: PathBuf,
    },
    /// A file of records, or the list, that cannot be read.
    #[error(transparent)]
    Record(#[from] InFile<RecordProblem>),
    /// A list of theorems that cannot be read.
    #[error("{file}: {error}")]
    List {
        /// The list.
        file: PathBuf,
        /// What is wrong with it.
        error: ListError,
    },
    /// A claim that says nothing that can be proved.
    #[error(transparent)]
    Claim(#[from] InFile<ClaimError>),
}

/// Every obligation of the corpus at `root`, by name.
///
/// # Errors
///
/// If a folder or claim cannot be read, there is none, or a record belongs to no claim.
pub(crate) fn obligations(root: &Path) -> Result<Vec<Obligation>, CorpusError> {
    let files = files_below(root)?;
    let mut all = Vec::new();
    // Of the parts that are not made of claims a corpus may have any.
    let part = |name: &str| {
        let folder = root.join(name);
        let has_claims = files.iter().any(|file| file.starts_with(&folder) && file.ends_with(CLAIM));
        (folder.is_dir() && !has_claims).then_some(folder)
    };
    let holds = |folder: &Path, entry: &str, subject| Obligation::new(root, folder, entry, Expectation::Holds, subject);
    if let Some(folder) = part("lemmas") {
        all.extend(catalogue().iter().map(|lemma| holds(&folder, lemma.name, Subject::Lemma(lemma))));
    }
    if let Some(folder) = part("rocq") {
        let listed = theorems(&folder).map_err(|error| CorpusError::List { file: folder.join(THEOREMS), error })?;
        all.extend(listed.into_iter().map(|it| holds(&folder, &it.name.clone(), Subject::Mechanized(it))));
    }
    if let Some(folder) = part("frontier") {
        all.extend(CONSTRUCTIONS.iter().map(|it| holds(&folder, it.name, Subject::Frontier(it))));
        check_pictures(&folder, &files)?;
    }
    for file in files.iter().filter(|file| file.ends_with(CLAIM)) {
        let folder = file.parent().unwrap_or(root);
        for instance in ClaimFile::read(file)?.instances() {
            let name = instance.name.clone();
            let subject = Subject::Instance(Box::new(instance));
            all.push(Obligation::new(root, folder, &name, expectation(root, folder), subject));
        }
    }
    if all.is_empty() {
        return Err(CorpusError::Empty { folder: root.to_path_buf() });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = all.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(CorpusError::Twice { name: pair[0].name.clone() });
    }
    check_strays(root, &files, &all)?;
    Ok(all)
}

/// What a folder says of the claims in it: that they fail, below one that is named so, which may be the corpus itself.
fn expectation(root: &Path, folder: &Path) -> Expectation {
    let fails = folder.strip_prefix(root).is_ok_and(|below| below.iter().any(|part| part == REFUTATIONS))
        || root.file_name().is_some_and(|name| name == REFUTATIONS);
    if fails { Expectation::Fails } else { Expectation::Holds }
}

/// The path of a folder below the corpus.
pub(crate) fn below(root: &Path, folder: &Path) -> String {
    let below = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().replace('\\', "/");
    if below.is_empty() { TOP.to_string() } else { below }
}

/// Every file below a folder, in order; hidden folders are left out.
///
/// # Errors
///
/// With the folder that cannot be read.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>())
        .map_err(|error| (folder.to_path_buf(), error))?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        let is_hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !entry.is_dir() {
            files.push(entry);
        } else if !is_hidden {
            files.extend(files_below(&entry)?);
        }
    }
    Ok(files)
}

/// Nothing in the corpus is passed over in silence: no records without a claim, and no claim under another name.
fn check_strays(root: &Path, files: &[PathBuf], obligations: &[Obligation]) -> Result<(), CorpusError> {
    let folders: BTreeSet<&Path> = obligations.iter().map(|obligation| obligation.path.as_path()).collect();
    for file in files {
        let Some(name) = file.file_name().map(|name| name.to_string_lossy()) else { continue };
        let folder = file.parent().unwrap_or(root);
        if (name == RECORD && !folders.contains(folder)) || (name == LIST && folder != root) {
            return Err(CorpusError::Stray { file: file.clone() });
        }
        if name != CLAIM && ["claim.toml", "claims.toml"].iter().any(|almost| name.eq_ignore_ascii_case(almost)) {
            return Err(CorpusError::Name { file: file.clone() });
        }
    }
    Ok(())
}

/// Beside the maps stand pictures of them, and what they are; nothing else is taken for one.
fn check_pictures(folder: &Path, files: &[PathBuf]) -> Result<(), CorpusError> {
    let picture = |file: &Path, family: Family| file == folder.join(format!("{family}.svg"));
    let belongs = |file: &Path| {
        ["README.md", RECORD].iter().any(|name| file == folder.join(name))
            || Family::ALL.into_iter().any(|family| picture(file, family))
    };
    let stray = files.iter().find(|file| file.starts_with(folder) && !belongs(file));
    stray.map_or(Ok(()), |file| Err(CorpusError::Stray { file: file.clone() }))
}
