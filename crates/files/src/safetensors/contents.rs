//! What a file seems to hold.

use std::fmt;

/// What a safetensors file seems to hold. Whoever reads it says whether it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// A network.
    Network,
    /// A graph.
    Graph,
    /// A data set.
    Dataset,
    /// A forest.
    Forest,
    /// Rows of an audit.
    Rows,
}

impl Contents {
    /// What `bytes` seem to hold, from the first of them; none if they do not begin as a safetensors file does: with eight
    /// bytes of length, and JSON.
    pub fn of(bytes: &[u8]) -> Option<Contents> {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        if rest.first() != Some(&b'{') {
            return None;
        }
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let header = &rest[..length.min(rest.len())];
        let names = |text: &[u8]| header.windows(text.len()).any(|window| window == text);
        Some(if names(super::graph::FORMAT.as_bytes()) {
            Contents::Graph
        } else if names(super::rows::KIND.as_bytes()) {
            Contents::Rows
        } else if names(b"\"activations\"") || names(b"\"layer0.") {
            Contents::Network
        } else if names(b"\"starts\"") && names(b"\"thresholds\"") {
            Contents::Forest
        } else {
            Contents::Dataset
        })
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Contents::Network => "a network",
            Contents::Graph => "a graph",
            Contents::Dataset => "a data set",
            Contents::Forest => "a forest",
            Contents::Rows => "rows of an audit",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        let tensors = |header: &str| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        assert_eq!(Contents::of(&tensors(r#"{"layer0.bias":{}}"#)), Some(Contents::Network));
        let graph = r#"{"__metadata__":{"format":"roundproof graph, version 1"}}"#;
        assert_eq!(Contents::of(&tensors(graph)), Some(Contents::Graph));
        assert_eq!(Contents::of(&tensors(r#"{"inputs":{}}"#)), Some(Contents::Dataset));
        assert_eq!(Contents::of(&tensors(r#"{"base":{},"starts":{},"thresholds":{}}"#)), Some(Contents::Forest));
        let rows = r#"{"__metadata__":{"kind":"roundproof rows, version 1"},"inputs":{}}"#;
        assert_eq!(Contents::of(&tensors(rows)), Some(Contents::Rows));
        for other in ["", "12345678", "\n{\"schema\": 1}", "x,y\n1,2\n"] {
            assert_eq!(Contents::of(other.as_bytes()), None, "{other:?}");
        }
    }
}
