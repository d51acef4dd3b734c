//! What is put on record of a construction, and reading it back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cell, Map, Panel, Status};

/// What the letters of a record mean.
const LETTERS: [(char, &str); 10] = [
    ('H', "holds: box-network, a row for every finite value"),
    ('h', "holds: box-network, rows at the edges of every binade, or with several inputs a few rows"),
    ('P', "holds: paths, a row for every finite value"),
    ('p', "holds: paths, such rows"),
    ('F', "fails: a witness was replayed"),
    ('N', "no parameters: the construction refuses, and no other numbers make such a gadget"),
    ('n', "no parameters: the construction refuses"),
    ('.', "no format"),
    ('-', "no such path model in the format"),
    ('?', "unknown"),
];

/// The letter of a cell.
pub(super) const fn letter(cell: &Cell) -> char {
    match cell {
        Cell::Holds { every_value: true, by_paths: false } => 'H',
        Cell::Holds { every_value: false, by_paths: false } => 'h',
        Cell::Holds { every_value: true, by_paths: true } => 'P',
        Cell::Holds { every_value: false, by_paths: true } => 'p',
        Cell::Fails { .. } => 'F',
        Cell::NoParameters { hopeless: true, .. } => 'N',
        Cell::NoParameters { hopeless: false, .. } => 'n',
        Cell::NoFormat => '.',
        Cell::NoModel => '-',
        Cell::Unknown { .. } => '?',
    }
}

/// What a letter of a record says; none if it is not one of its letters.
pub fn status(letter: char) -> Option<Status> {
    Some(match letter {
        'H' | 'h' | 'P' | 'p' => Status::Holds,
        'F' => Status::Fails,
        'N' | 'n' => Status::NoParameters,
        '.' => Status::NoFormat,
        '-' => Status::NoModel,
        '?' => Status::Unknown,
        _ => return None,
    })
}

/// A construction on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Its name.
    pub construction: String,
    /// What is claimed, for every data set of the format.
    pub statement: String,
    /// How many inputs the data sets have.
    pub inputs: usize,
    /// The least and the largest precision.
    pub precisions: [u32; 2],
    /// The least and the most exponent bits.
    pub exponent_bits: [u32; 2],
    /// The most bits of a format in which every finite value has a row.
    pub every_value: u32,
    /// What the letters mean.
    pub letters: BTreeMap<String, String>,
    /// By path model, then by family.
    pub panels: Vec<RecordedPanel>,
}

/// One construction under one path model, over the formats of one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedPanel {
    /// The path model.
    pub paths: String,
    /// The family.
    pub family: String,
    /// The format of the fewest bits in which the construction holds.
    pub least: Option<String>,
    /// For each number of exponent bits a letter for each precision.
    pub cells: BTreeMap<String, String>,
    /// By format: the data set, the row, its label, what the path gives, and the digest of the certificate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub witnesses: BTreeMap<String, String>,
    /// Why there are no parameters, or why nothing was established; by format.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, String>,
}

impl Recorded {
    /// The cells of a panel, exponent bits first, then precisions; none if they are not those of the grid.
    pub fn statuses(&self, panel: &RecordedPanel) -> Option<Vec<Vec<Status>>> {
        let [least, most] = self.exponent_bits;
        let width = self.precisions[1].checked_sub(self.precisions[0])? as usize + 1;
        let row = |bits: u32| {
            let letters = panel.cells.get(&format!("e{bits}"))?;
            let found = letters.chars().map(status).collect::<Option<Vec<Status>>>()?;
            (found.len() == width).then_some(found)
        };
        (least..=most).map(row).collect()
    }
}

impl Map {
    /// What is put on record.
    pub fn recorded(&self) -> Recorded {
        let ends = |range: &std::ops::RangeInclusive<u32>| [*range.start(), *range.end()];
        let letters = LETTERS.into_iter();
        Recorded {
            construction: self.construction.name.to_string(),
            statement: self.construction.statement.to_string(),
            inputs: self.construction.inputs,
            precisions: ends(&self.grid.precisions),
            exponent_bits: ends(&self.grid.exponent_bits),
            every_value: self.grid.every_value,
            letters: letters.map(|(letter, text)| (letter.to_string(), text.to_string())).collect(),
            panels: self.panels.iter().map(|panel| self.recorded_panel(panel)).collect(),
        }
    }

    fn recorded_panel(&self, panel: &Panel) -> RecordedPanel {
        let mut recorded = RecordedPanel {
            paths: panel.model.clone(),
            family: panel.family.to_string(),
            least: panel.least().map(|format| format.to_string()),
            cells: BTreeMap::new(),
            witnesses: BTreeMap::new(),
            reasons: BTreeMap::new(),
        };
        let width = self.grid.precisions.clone().count();
        for (bits, row) in self.grid.exponent_bits.clone().zip(panel.cells.chunks(width.max(1))) {
            recorded.cells.insert(format!("e{bits}"), row.iter().map(|(_, cell)| letter(cell)).collect());
        }
        for (format, cell) in &panel.cells {
            let Some(format) = format else { continue };
            let place = format!("e{}m{}", format.exponent_bits(), format.trailing_bits());
            match cell {
                Cell::Fails { witness } => recorded.witnesses.insert(place, witness.clone()),
                Cell::NoParameters { why, .. } | Cell::Unknown { why } => recorded.reasons.insert(place, why.clone()),
                Cell::Holds { .. } | Cell::NoFormat | Cell::NoModel => None,
            };
        }
        recorded
    }
}
