//! Claims about every data set of a shape.

use super::{ClaimError, Making, Text};
use crate::parametric::Shape;

impl Text {
    /// A shape; nothing of what other kinds have.
    pub(super) fn every_data_set(&self) -> Result<Making, ClaimError> {
        let strays = [
            ("data", self.data.is_some()),
            ("labels", !self.labels.is_empty()),
            ("rows", self.rows.is_some()),
            ("strategy", self.strategy.is_some()),
            ("max-leaves", self.max_leaves.is_some()),
            ("model", self.model.is_some()),
            ("outputs", self.outputs.is_some()),
            ("grid", self.grid.is_some()),
            ("function", self.function.is_some()),
            ("domain", self.domain.is_some()),
            ("eps", self.eps.is_some()),
            ("excess", self.excess.is_some()),
            ("overflow", self.overflow.is_some()),
            ("built", self.built.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("values", self.values.is_some()),
            ("classes", self.classes.is_some()),
            ("seeds", !self.seeds.is_empty()),
            ("refused", !self.refused.is_empty()),
        ];
        if let Some((field, _)) = strays.iter().find(|(_, given)| *given) {
            return Err(ClaimError::Stray(field));
        }
        let rows = self.rows_count.filter(|&rows| rows > 0).ok_or(ClaimError::Missing("rows-count"))?;
        let inputs = self.inputs.filter(|&inputs| inputs > 0).ok_or(ClaimError::Missing("inputs"))?;
        Ok(Making::EveryDataSet(Shape { rows, inputs }, self.steps))
    }
}
