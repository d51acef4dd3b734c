//! Claims to begin with: of each kind one that runs as it is, with its fields explained.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use roundproof_format::ParseError;
use serde::Deserialize;
use thiserror::Error;

use crate::obligations::CLAIM;
use crate::record_file::{RECORD, write_file};

/// The kinds of claims, as they are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A network gives the label of each row.
    Memorization,
    /// The same, asked of Z3 in one query.
    WholeNetwork,
    /// A network computes a model of another tool.
    Forest,
    /// A network approximates a function.
    Approximation,
    /// The box network of every data set of a shape is right.
    Parametric,
    /// Networks of two layers do not compute every function.
    Depth,
}

/// A claim that was not begun.
#[derive(Debug, Error)]
pub enum NewError {
    /// Something is there.
    #[error("{0}: is there already, and is not written over; name another folder")]
    There(PathBuf),
    /// A file cannot be written.
    #[error("{0}")]
    File(String),
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] =
        [Kind::Memorization, Kind::WholeNetwork, Kind::Forest, Kind::Approximation, Kind::Parametric, Kind::Depth];

    /// The word in `claim.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Memorization => "memorization",
            Kind::WholeNetwork => "whole-network",
            Kind::Forest => "forest",
            Kind::Approximation => "approximation",
            Kind::Parametric => "parametric",
            Kind::Depth => "depth",
        }
    }

    /// A claim of this kind: its files by name, `claim.toml` the first.
    pub const fn example(self) -> &'static [(&'static str, &'static str)] {
        const DATA: (&str, &str) = ("data.csv", include_str!("new/data.csv"));
        const MODEL: (&str, &str) = ("model.json", include_str!("new/model.json"));
        match self {
            Kind::Memorization => &[(CLAIM, include_str!("new/memorization.toml")), DATA],
            Kind::WholeNetwork => &[(CLAIM, include_str!("new/whole-network.toml")), DATA],
            Kind::Forest => &[(CLAIM, include_str!("new/forest.toml")), MODEL],
            Kind::Approximation => &[(CLAIM, include_str!("new/approximation.toml"))],
            Kind::Parametric => &[(CLAIM, include_str!("new/parametric.toml"))],
            Kind::Depth => &[(CLAIM, include_str!("new/depth.toml"))],
        }
    }

    /// Begins a claim of this kind in a folder, and gives the files that were written.
    ///
    /// # Errors
    ///
    /// If one of them is there, or records are, or a file cannot be written.
    pub fn begin(self, folder: &Path) -> Result<Vec<PathBuf>, NewError> {
        let files: Vec<(PathBuf, &str)> =
            self.example().iter().map(|(name, text)| (folder.join(name), *text)).collect();
        let taken = files.iter().map(|(file, _)| file.clone()).chain([folder.join(RECORD)]);
        if let Some(there) = taken.into_iter().find(|file| file.symlink_metadata().is_ok()) {
            return Err(NewError::There(there));
        }
        // The claim last: without its data it would be a wrong one.
        for (file, text) in files.iter().rev() {
            write_file(file, text.as_bytes()).map_err(NewError::File)?;
        }
        Ok(files.into_iter().map(|(file, _)| file).collect())
    }
}

impl FromStr for Kind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Kind, ParseError> {
        let found = Kind::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| ParseError::unknown("kind of claim", text, Kind::ALL.map(Kind::name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::ClaimFile;

    #[test]
    fn every_example_is_a_claim_of_its_kind_and_stands_in_the_documentation() {
        let documented = include_str!("../../../docs/claims.md");
        for kind in Kind::ALL {
            let folder = tempfile::tempdir().expect("a folder");
            let files = kind.begin(folder.path()).expect("a claim");
            assert!(!ClaimFile::read(&files[0]).expect("a claim").instances().is_empty());
            let text = kind.example()[0].1;
            assert!(text.contains(&format!("kind = \"{}\"", kind.name())) && kind.name().parse() == Ok(kind));
            assert!(documented.contains(&format!("```toml\n{text}```\n")), "docs/claims.md lacks {}", kind.name());
            // What is there is not written over, and nothing beside it is written then.
            for there in files.iter().map(PathBuf::as_path).chain([folder.path().join(RECORD).as_path()]) {
                let other = tempfile::tempdir().expect("a folder");
                let there = other.path().join(there.file_name().expect("a name"));
                std::fs::write(&there, "mine").expect("a file");
                assert!(matches!(kind.begin(other.path()), Err(NewError::There(file)) if file == there));
                assert_eq!(std::fs::read_dir(other.path()).expect("a folder").count(), 1);
            }
        }
        assert_eq!(documented.matches("```toml\n").count(), Kind::ALL.len());
    }
}
