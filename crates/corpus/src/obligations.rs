//! The obligations of a corpus, from its folders.

use std::io;
use std::path::{Path, PathBuf};

use roundproof_checker::frontier::{CONSTRUCTIONS, Construction, Family};
use roundproof_checker::lemmas::{Lemma, catalogue};
use roundproof_checker::mechanized::{LIST, ListError, Theorem, theorems};
use roundproof_files::InFile;
use thiserror::Error;

use crate::claim::{ClaimError, ClaimFile, Instance};
use crate::record::{CERTIFICATE, REFUSAL};

/// The folders of the corpus.
pub(crate) const PARTS: [&str; 5] = ["lemmas", "rocq", "theorems", "refutations", "frontier"];

/// What a folder of the corpus says of the claims in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expectation {
    /// They hold.
    Holds,
    /// They fail.
    Fails,
}

/// One thing to prove, or to refute.
#[derive(Clone, Debug)]
pub struct Obligation {
    /// Its name: the path of its record below the corpus, without the ending.
    pub name: String,
    /// The path of its record, without the ending.
    pub(crate) stem: PathBuf,
    /// What its folder says of it.
    pub expectation: Expectation,
    pub(crate) subject: Subject,
}

impl Obligation {
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
    #[error("{folder}: no {what}: an empty part of the corpus proves nothing")]
    Empty {
        /// The folder.
        folder: PathBuf,
        /// What it should hold.
        what: &'static str,
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
    /// A folder that is not a part of the corpus.
    #[error("{folder}: is not a part of the corpus, which has lemmas, rocq, theorems, refutations and frontier")]
    Part {
        /// The folder.
        folder: PathBuf,
    },
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
/// If a folder or claim cannot be read, a part of the corpus is empty, or a record belongs to no claim.
pub fn obligations(root: &Path) -> Result<Vec<Obligation>, CorpusError> {
    let mut all = Vec::new();
    for lemma in catalogue() {
        all.push(Obligation {
            name: format!("lemmas/{}", lemma.name),
            stem: root.join("lemmas").join(lemma.name),
            expectation: Expectation::Holds,
            subject: Subject::Lemma(lemma),
        });
    }
    all.extend(mechanized(root)?);
    all.extend(frontier(root));
    for (part, expectation) in [("theorems", Expectation::Holds), ("refutations", Expectation::Fails)] {
        let folder = root.join(part);
        let claims = claim_files(&folder)?;
        if claims.is_empty() {
            return Err(CorpusError::Empty { folder, what: "claim.toml" });
        }
        for file in claims {
            for instance in ClaimFile::read(&file)?.instances() {
                let stem = file.with_file_name(&instance.name);
                let name = name(root, &stem);
                all.push(Obligation { name, stem, expectation, subject: Subject::Instance(Box::new(instance)) });
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = all.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(CorpusError::Twice { name: pair[0].name.clone() });
    }
    check_parts(root)?;
    check_strays(root, &all)?;
    Ok(all)
}

/// The name of an obligation whose record is at `stem`.
pub(crate) fn name(root: &Path, stem: &Path) -> String {
    stem.strip_prefix(root).unwrap_or(stem).to_string_lossy().replace('\\', "/")
}

/// The theorems in Rocq; a corpus may do without.
fn mechanized(root: &Path) -> Result<Vec<Obligation>, CorpusError> {
    let folder = root.join("rocq");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let listed = theorems(&folder).map_err(|error| CorpusError::List { file: folder.join(LIST), error })?;
    let obligation = |theorem: Theorem| Obligation {
        name: format!("rocq/{}", theorem.name),
        stem: folder.join(&theorem.name),
        expectation: Expectation::Holds,
        subject: Subject::Mechanized(theorem),
    };
    Ok(listed.into_iter().map(obligation).collect())
}

/// A map for each construction; a corpus may do without.
fn frontier(root: &Path) -> impl Iterator<Item = Obligation> {
    let folder = root.join("frontier");
    let constructions = if folder.exists() { CONSTRUCTIONS } else { &[] };
    constructions.iter().map(move |construction| Obligation {
        name: format!("frontier/{}", construction.name),
        stem: folder.join(construction.name),
        expectation: Expectation::Holds,
        subject: Subject::Frontier(construction),
    })
}

/// Nothing in the corpus is passed over in silence: no folder of another name, and none with files but no claim.
fn check_parts(root: &Path) -> Result<(), CorpusError> {
    for file in files_below(root)? {
        let below = file.strip_prefix(root).unwrap_or(&file);
        let Some(part) = below.iter().next().filter(|_| below.iter().count() > 1) else { continue };
        if !PARTS.iter().any(|known| part == *known) {
            return Err(CorpusError::Part { folder: root.join(part) });
        }
        let folder = file.parent().unwrap_or(root);
        if ["theorems", "refutations"].iter().any(|claims| part == *claims)
            && !folder.join("claim.toml").exists()
            && !file.ends_with("README.md")
        {
            return Err(CorpusError::Empty { folder: folder.to_path_buf(), what: "claim.toml" });
        }
    }
    Ok(())
}

/// The files named `claim.toml` below a folder, in order.
fn claim_files(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    Ok(files_below(folder)?
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "claim.toml"))
        .collect())
}

/// Every file below a folder, in order.
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
        if entry.is_dir() {
            files.extend(files_below(&entry)?);
        } else {
            files.push(entry);
        }
    }
    Ok(files)
}

/// No certificate or refusal may stand in the corpus unchecked.
fn check_strays(root: &Path, obligations: &[Obligation]) -> Result<(), CorpusError> {
    for part in PARTS {
        let folder = root.join(part);
        if !folder.exists() {
            continue;
        }
        for file in files_below(&folder)? {
            let text = file.to_string_lossy();
            let stem = text.strip_suffix(REFUSAL).or_else(|| text.strip_suffix(CERTIFICATE));
            if let Some(stem) = stem
                && !obligations.iter().any(|obligation| obligation.stem.as_os_str() == stem)
            {
                return Err(CorpusError::Stray { file });
            }
            if stem.is_none() && part == "frontier" && !belongs_to_frontier(&folder, &file) {
                return Err(CorpusError::Stray { file });
            }
        }
    }
    Ok(())
}

/// Whether a file beside the maps is a picture of them, or says what they are.
fn belongs_to_frontier(folder: &Path, file: &Path) -> bool {
    let picture = |family: Family| file == folder.join(format!("{family}.svg"));
    file == folder.join("README.md") || Family::ALL.into_iter().any(picture)
}
