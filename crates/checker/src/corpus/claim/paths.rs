//! The path models that a claim is about.

use serde::Deserialize;

/// One path model, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Paths {
    One(String),
    Several(Vec<String>),
}

impl Paths {
    /// Each model, with what its instances are told apart by.
    pub(super) fn named(&self) -> Vec<(String, &str)> {
        match self {
            Paths::One(model) => vec![(String::new(), model)],
            Paths::Several(models) => models.iter().map(|model| (format!(".{model}"), model.as_str())).collect(),
        }
    }
}
