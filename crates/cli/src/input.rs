//! Data sets and networks from the files that a user names.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use roundproof_files::safetensors::{Contents, NamedDataset, read_dataset, read_network};
use roundproof_files::{Digest, Stored};
use roundproof_format::Format;
use roundproof_network::Network;
use roundproof_sources::read_table;
use roundproof_sources::table::{Kind as Notation, Places, Table, memory_needed};

use crate::memory;
use crate::progress::Progress;

/// A data set, and where its rows come from.
pub struct Data {
    /// The rows and the names of their columns.
    pub named: NamedDataset,
    /// Where each row stands, if they come from a table.
    pub places: Option<Places>,
    /// The digest of the file.
    pub digest: Digest,
}

/// What kind of file a user named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A network, as safetensors.
    Network,
    /// A data set, as safetensors.
    Dataset,
    /// A forest, as safetensors.
    Forest,
    /// A certificate.
    Certificate,
    /// A table of arrays.
    Arrays,
    /// Anything else.
    Text,
}

/// What a file seems to be, from its first bytes. Whoever reads it says whether it is.
pub fn kind(bytes: &[u8]) -> Kind {
    match Contents::of(bytes) {
        Some(Contents::Network) => return Kind::Network,
        Some(Contents::Dataset) => return Kind::Dataset,
        Some(Contents::Forest) => return Kind::Forest,
        None => {}
    }
    if Notation::of_bytes(bytes) != Notation::Csv {
        return Kind::Arrays;
    }
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Kind::Certificate,
        _ => Kind::Text,
    }
}

/// What to say of a file that is not of the kind that is wanted: what it is, if that is plain, else the error.
pub fn instead(path: &Path, wanted: Kind, error: anyhow::Error) -> anyhow::Error {
    let found = std::fs::read(path).map(|bytes| kind(&bytes));
    let name = |kind| match kind {
        Kind::Network => "a network",
        Kind::Dataset => "a data set",
        Kind::Forest => "a forest",
        Kind::Certificate => "a certificate",
        Kind::Arrays => "arrays of NumPy",
        Kind::Text => "text",
    };
    match found {
        Ok(found @ (Kind::Network | Kind::Forest)) if found != wanted => {
            anyhow!("{}: is {}, and {} is needed", path.display(), name(found), name(wanted))
        }
        _ => error,
    }
}

/// A network.
pub fn network(path: &Path) -> Result<Stored<Network>> {
    read_network(path).map_err(|error| instead(path, Kind::Network, error.into()))
}

/// A data set for networks in `format`: a safetensors file, or a table with the label columns `labels`.
pub fn data(path: &Path, labels: &[String], format: Format) -> Result<Data> {
    if !is_table(path)? {
        if !labels.is_empty() {
            bail!("{}: --label names columns of a table; this data set already has its labels", path.display());
        }
        let stored = read_dataset(path).map_err(|error| instead(path, Kind::Dataset, error.into()))?;
        let found = stored.value.dataset.format();
        if found != format {
            bail!(
                "{}: is a data set in {found}, the network is in {format}; run it on a data set of its own format, or on \
                 a table, which is rounded to it",
                path.display()
            );
        }
        return Ok(Data { named: stored.value, places: None, digest: stored.digest });
    }
    let stored = table(path, labels, format)?;
    let named = NamedDataset { dataset: stored.value.dataset, columns: Some(stored.value.columns) };
    Ok(Data { named, places: Some(stored.value.places), digest: stored.digest })
}

/// A table, rounded to `format`, if there is memory for it.
pub fn table(path: &Path, labels: &[String], format: Format) -> Result<Stored<Table>> {
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        bail!(
            "{}: is not a table; a CSV with a header, or arrays of NumPy (.npy, .npz), are read here",
            path.display()
        );
    }
    // What cannot be read, reading says.
    if let Ok(needed) = memory_needed(path, format) {
        memory::ensure(&path.display().to_string(), needed, "take a narrower format, or fewer rows")?;
    }
    let progress = Progress::new();
    let mut report = |done, of| progress.report("reading", done as usize, of as usize);
    Ok(read_table(path, labels, format, &mut report)?)
}

/// Whether a file is a table: by the end of its name, else by its first bytes.
fn is_table(path: &Path) -> Result<bool> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => Ok(false),
        _ if Notation::of_name(path).is_some() => Ok(true),
        _ => {
            let bytes = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
            Ok(matches!(kind(&bytes), Kind::Text | Kind::Arrays))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        let tensors = |header: &str| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        assert_eq!(kind(&tensors(r#"{"layer0.bias":{}}"#)), Kind::Network);
        assert_eq!(kind(&tensors(r#"{"inputs":{}}"#)), Kind::Dataset);
        assert_eq!(kind(&tensors(r#"{"base":{},"starts":{},"thresholds":{}}"#)), Kind::Forest);
        assert_eq!(kind(b"\n{\"schema\": 1}"), Kind::Certificate);
        assert_eq!(kind(b"x,y\n1,2\n"), Kind::Text);
        assert_eq!(kind(b""), Kind::Text);
        assert_eq!(kind(b"\x93NUMPY\x01\0"), Kind::Arrays);
        assert_eq!(kind(b"PK\x03\x04"), Kind::Arrays);
    }
}
