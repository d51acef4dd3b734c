//! The committed list of all obligations is what is claimed under `proofs/` and on record there.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use roundproof_corpus::{List, obligations};

fn proofs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proofs")
}

#[test]
fn every_obligation_is_listed() {
    let root = proofs();
    let (list, records) = (List::read(&root).unwrap(), List::of_records(&root).unwrap());
    let claimed = obligations(&root).unwrap();
    let claimed: BTreeSet<&str> = claimed.iter().map(|obligation| obligation.name.as_str()).collect();
    assert!(claimed.len() > 3000, "{} obligations were read", claimed.len());
    let differences: Vec<String> =
        list.differences(&claimed, &records).iter().map(|(name, difference)| format!("{name} {difference}")).collect();
    assert_eq!(differences, Vec::<String>::new());
    assert_eq!(list, records, "nothing is on record that is not listed");
}
