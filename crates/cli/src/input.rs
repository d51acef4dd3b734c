//! Data sets and networks from the files that a user names.

use std::path::Path;

use anyhow::{Context, Result, bail};
use roundproof_files::csv::read_csv;
use roundproof_files::safetensors::{NamedDataset, read_dataset, read_network};
use roundproof_files::{Digest, Stored};
use roundproof_format::Format;
use roundproof_network::Network;

/// A data set, and where its rows come from.
pub struct Data {
    /// The rows and the names of their columns.
    pub named: NamedDataset,
    /// The line of each row, if they come from a CSV.
    pub lines: Option<Vec<usize>>,
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
    /// A certificate.
    Certificate,
    /// Anything else.
    Text,
}

/// What a file seems to be, from its first bytes. Whoever reads it says whether it is.
pub fn kind(bytes: &[u8]) -> Kind {
    // Safetensors: eight bytes of length, and JSON.
    if let Some((length, rest)) = bytes.split_first_chunk::<8>()
        && rest.first() == Some(&b'{')
    {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let header = &rest[..length.min(rest.len())];
        let names = |text: &[u8]| header.windows(text.len()).any(|window| window == text);
        return if names(b"\"activations\"") || names(b"\"layer0.") { Kind::Network } else { Kind::Dataset };
    }
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Kind::Certificate,
        _ => Kind::Text,
    }
}

/// A network.
pub fn network(path: &Path) -> Result<Stored<Network>> {
    Ok(read_network(path)?)
}

/// A data set for networks in `format`: a safetensors file, or a CSV with the label columns `labels`.
pub fn data(path: &Path, labels: &[String], format: Format) -> Result<Data> {
    if !is_table(path)? {
        if !labels.is_empty() {
            bail!("{}: --label names columns of a CSV; this data set already has its labels", path.display());
        }
        let stored = read_dataset(path)?;
        let found = stored.value.dataset.format();
        if found != format {
            bail!(
                "{}: is a data set in {found}, the network is in {format}; run it on a data set of its own format, or on \
                 a CSV, which is rounded to it",
                path.display()
            );
        }
        return Ok(Data { named: stored.value, lines: None, digest: stored.digest });
    }
    let stored = read_csv(path, labels, format)?;
    let named = NamedDataset { dataset: stored.value.dataset, columns: Some(stored.value.columns) };
    Ok(Data { named, lines: Some(stored.value.lines), digest: stored.digest })
}

/// Whether a file is a CSV: by the end of its name, else by its first bytes.
fn is_table(path: &Path) -> Result<bool> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv" | "CSV") => Ok(true),
        Some("safetensors") => Ok(false),
        _ => {
            let bytes = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
            Ok(kind(&bytes) == Kind::Text)
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
        assert_eq!(kind(b"\n{\"schema\": 1}"), Kind::Certificate);
        assert_eq!(kind(b"x,y\n1,2\n"), Kind::Text);
        assert_eq!(kind(b""), Kind::Text);
    }
}
