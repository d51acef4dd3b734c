//! Where rows stand in the file that they come from.

use std::fmt;

/// Where a row stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a text: the line that it begins in, from 1.
    Line(usize),
    /// In an array: its index, from 0.
    Row(usize),
}

impl Place {
    /// The line, in a text.
    pub fn line(self) -> Option<usize> {
        match self {
            Place::Line(line) => Some(line),
            Place::Row(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// Where the rows of a table stand in their file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// In a text: the line of each row, from 1.
    Lines(Vec<usize>),
    /// In arrays: the index of each row, from 0.
    Rows(Vec<usize>),
}

impl Places {
    /// Where row `row` of the table stands; in a table without that row, as a row of this number.
    pub fn of(&self, row: usize) -> Place {
        match self {
            Places::Lines(lines) => lines.get(row).map_or(Place::Row(row), |&line| Place::Line(line)),
            Places::Rows(rows) => Place::Row(rows.get(row).copied().unwrap_or(row)),
        }
    }

    /// The line of each row, in a text.
    pub fn lines(&self) -> Option<&[usize]> {
        match self {
            Places::Lines(lines) => Some(lines),
            Places::Rows(_) => None,
        }
    }

    /// Where some of the rows stand.
    ///
    /// # Panics
    ///
    /// If the table has not all of them.
    pub fn select(&self, rows: &[usize]) -> Places {
        let select = |numbers: &[usize]| rows.iter().map(|&row| numbers[row]).collect();
        match self {
            Places::Lines(lines) => Places::Lines(select(lines)),
            Places::Rows(indices) => Places::Rows(select(indices)),
        }
    }
}
