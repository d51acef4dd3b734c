//! The lemmas for one format: symbolic data, a symbolic choice for every operation.

use roundproof_format::Format;

use super::Question;

pub(super) fn gap(_format: Format) -> Vec<Question> {
    Vec::new()
}

pub(super) fn scaling(_format: Format) -> Vec<Question> {
    Vec::new()
}

pub(super) fn threshold_step(_format: Format) -> Vec<Question> {
    Vec::new()
}

pub(super) fn threshold_relu(_format: Format) -> Vec<Question> {
    Vec::new()
}

pub(super) fn penalty(_format: Format) -> Vec<Question> {
    Vec::new()
}

pub(super) fn dominance(_format: Format) -> Vec<Question> {
    Vec::new()
}

pub(super) fn selection(_format: Format) -> Vec<Question> {
    Vec::new()
}
