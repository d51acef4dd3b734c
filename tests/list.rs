//! The committed corpus is what is claimed under `proofs/`, no more and no less, in the one form that it has.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use roundproof_corpus::{Corpus, Established, Expectation};
use roundproof_kernel::Verdict;

fn proofs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proofs")
}

#[test]
fn every_obligation_is_on_record_and_every_folder_on_the_list() {
    let corpus = Corpus::read(&proofs()).unwrap();
    assert!(corpus.obligations().len() > 3000, "{} obligations were read", corpus.obligations().len());
    assert_eq!(corpus.differences(), []);
    let listed: u64 = corpus.list().entries().values().map(|entry| entry.instances()).sum();
    assert_eq!(listed, corpus.obligations().len() as u64);
}

#[test]
fn every_record_says_what_its_folder_says() {
    let corpus = Corpus::read(&proofs()).unwrap();
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for obligation in corpus.obligations() {
        let record = corpus.recorded(obligation).unwrap_or_else(|| panic!("{}: no record", obligation.name));
        let established = record.established().unwrap();
        let expected = match (obligation.expectation, established) {
            (_, Established::Refused(_)) => true,
            (Expectation::Holds, Established::Mapped) => obligation.is_map(),
            (Expectation::Holds, Established::Verdict(verdict)) => {
                matches!(verdict, Verdict::Proved | Verdict::Attested)
            }
            (Expectation::Fails, Established::Verdict(verdict)) => verdict == Verdict::Refuted,
            (Expectation::Fails, Established::Mapped) => false,
        };
        assert!(expected, "{}: {established} is not what its folder says", obligation.name);
        *outcomes.entry(established.name()).or_default() += 1;
    }
    assert_eq!(outcomes.into_keys().collect::<Vec<_>>(), ["Attested", "Mapped", "Proved", "Refuted", "refused"]);
}

/// A reviewer looks at the folder: few files, of a size that can be looked at.
#[test]
fn the_corpus_stays_small() {
    let mut folders = vec![proofs()];
    let (mut files, mut bytes) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                // What Rocq leaves behind is not committed.
                false
                    if path
                        .extension()
                        .is_some_and(|it| ["vo", "vok", "vos", "glob", "aux", "d"].iter().any(|end| it == *end)) => {}
                false => {
                    files += 1;
                    bytes += std::fs::metadata(&path).unwrap().len();
                }
            }
        }
    }
    assert!(files <= 600 && bytes <= 6_000_000, "{files} files of {bytes} bytes");
}
