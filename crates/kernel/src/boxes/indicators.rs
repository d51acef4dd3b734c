//! Layer 2: neurons that are 1 in a box and 0 elsewhere.

use std::collections::BTreeMap;

use roundproof_exact::{Value, parts};
use roundproof_format::Encoding;
use roundproof_network::{BoxNumber, SparseLayer, Unit};

use super::units::{Hidden, Side, Units};
use crate::facts::{Dominance, Facts, Grid};
use crate::{BoxRejection, key, stored};

/// A layer 2 over recognized units whose side conditions hold.
pub(super) struct Indicators<'a> {
    pub units: Units<'a>,
    layer: SparseLayer<'a>,
}

impl<'a> Indicators<'a> {
    pub fn recognize(facts: &Facts, units: Units<'a>, layer: SparseLayer<'a>) -> Result<Indicators<'a>, BoxRejection> {
        let boxes = Indicators { units, layer };
        let (dominance, grid) = (facts.dominance?, facts.grid.as_ref()?);
        for neuron in 0..layer.rows() {
            match boxes.units.hidden {
                Hidden::Step => boxes.check_count(grid, neuron)?,
                Hidden::Relu => boxes.check_penalty(&dominance, neuron)?,
            }
        }
        Ok(boxes)
    }

    pub fn count(&self) -> usize {
        self.layer.rows()
    }

    /// The units of a box, with their weights, none of which is zero.
    pub fn terms(&self, neuron: usize) -> impl ExactSizeIterator<Item = (usize, Encoding)> + '_ {
        self.layer.terms(neuron).map(|(unit, weight)| (unit as usize, weight))
    }

    pub fn bias(&self, neuron: usize) -> Encoding {
        self.layer.bias.get(neuron)
    }

    /// The units of a box, what each tells, and whether it has to fire.
    pub fn units(&self, neuron: usize) -> impl Iterator<Item = (usize, Side, bool)> + '_ {
        let required = |weight| !self.units.format.is_sign_minus(weight);
        self.terms(neuron).map(move |(unit, weight)| (unit, self.units.side(unit), required(weight)))
    }

    /// The sides of a box: every input outside is excluded by one of them.
    pub fn sides(&self, neuron: usize) -> impl Iterator<Item = Side> + '_ {
        self.units(neuron).map(|(_, side, required)| if required { side.opposite() } else { side })
    }

    /// A Step neuron counts: +1 for each unit that has to fire, -1 for each that has to be silent, and the bias takes
    /// off how many have to fire. Without any of those the sum is at most 0 in every order; with them it has to be
    /// exact (R5).
    fn check_count(&self, grid: &Grid, neuron: usize) -> Result<(), BoxRejection> {
        let format = self.units.format;
        let [one, minus_one] = [false, true].map(|negative| key(format, format.one(negative)));
        let mut required = 0i64;
        for (_, weight) in self.terms(neuron) {
            match key(format, weight) {
                key if key == one => required += 1,
                key if key == minus_one => {}
                _ => return Err(self.wrong_weight(neuron, weight)),
            }
        }
        if stored(format, self.bias(neuron)) != -required {
            return Err(self.wrong_bias(neuron, -required));
        }
        let terms = self.terms(neuron).len();
        if required > 0 && !grid.is_exact(0, &terms.into()) {
            return Err(BoxRejection::BoxCount { neuron: BoxNumber(neuron), terms });
        }
        Ok(())
    }

    fn wrong_weight(&self, neuron: usize, weight: Encoding) -> BoxRejection {
        let weight = Value { format: self.units.format, encoding: weight };
        BoxRejection::BoxWeight { neuron: BoxNumber(neuron), weight }
    }

    fn wrong_bias(&self, neuron: usize, expected: i64) -> BoxRejection {
        let bias = Value { format: self.units.format, encoding: self.bias(neuron) };
        BoxRejection::BoxBias { neuron: BoxNumber(neuron), bias, expected }
    }

    /// A ReLU neuron takes a penalty of at least 1 off 1 wherever a side fires: one unit's, or that of copies (R6).
    fn check_penalty(&self, dominance: &Dominance, neuron: usize) -> Result<(), BoxRejection> {
        let format = self.units.format;
        if key(format, self.bias(neuron)) != key(format, format.one(false)) {
            return Err(self.wrong_bias(neuron, 1));
        }
        let mut strengths = Vec::new();
        for (unit, weight) in self.terms(neuron) {
            let penalty = parts(format, weight).filter(|weight| weight.negative).and_then(|weight| weight.power());
            let penalty = penalty.ok_or_else(|| self.wrong_weight(neuron, weight))?;
            strengths.push((unit, penalty + self.units.strength(unit)));
        }
        if strengths.iter().all(|&(_, strength)| dominance.outweighs(&[strength])) {
            return Ok(());
        }
        // Units of one side fire at the same inputs.
        let mut sides: BTreeMap<Side, Vec<i64>> = BTreeMap::new();
        for &(unit, strength) in &strengths {
            sides.entry(self.units.side(unit)).or_default().push(strength);
        }
        match strengths.iter().find(|&&(unit, _)| !dominance.outweighs(&sides[&self.units.side(unit)])) {
            None => Ok(()),
            Some(&(unit, strength)) => {
                let copies = sides[&self.units.side(unit)].len();
                Err(BoxRejection::Penalty { neuron: BoxNumber(neuron), unit: Unit(unit), strength, copies })
            }
        }
    }
}
