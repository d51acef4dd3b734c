//! Instances that take so long that `verify-all` leaves them out unless it is asked for them.

use serde::Deserialize;

use super::{ClaimError, Instance};

/// All instances of a claim, none, or these.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Slow {
    Every(bool),
    /// Names without the activation.
    These(Vec<String>),
}

impl Default for Slow {
    fn default() -> Slow {
        Slow::Every(false)
    }
}

impl Slow {
    /// Whether an instance is slow, by its name without the activation.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Slow::Every(slow) => *slow,
            Slow::These(names) => names.iter().any(|other| other == name),
        }
    }

    /// That every name is one of an instance.
    ///
    /// # Errors
    ///
    /// With the first that is not.
    pub(super) fn check(&self, instances: &[Instance]) -> Result<(), ClaimError> {
        let Slow::These(names) = self else { return Ok(()) };
        let is_one = |name: &str| instances.iter().any(|it| it.name.split_once('.').is_some_and(|(_, of)| of == name));
        match names.iter().find(|name| !is_one(name)) {
            Some(stray) => Err(ClaimError::Slow(stray.clone())),
            None => Ok(()),
        }
    }
}
