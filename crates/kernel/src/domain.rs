//! Where a property is claimed to hold.

use roundproof_format::Format;
use roundproof_network::Dataset;

use crate::key;

/// The inputs that a claim speaks of.
#[derive(Clone, Copy, Debug)]
pub enum Domain<'a> {
    /// The rows of a data set.
    Rows(&'a Dataset),
    /// Every finite value of the format for each input.
    AllFinite,
}

impl Domain<'_> {
    /// Whether there is no input to speak of.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Domain::Rows(data) => data.rows() == 0,
            Domain::AllFinite => false,
        }
    }

    /// The keys of the least and of the largest input of a column; none if there are no rows, or all values of `F(p)`.
    pub(crate) fn range(&self, format: Format, column: u32) -> Option<[i128; 2]> {
        match self {
            Domain::Rows(data) => column_of(data, column).fold(None, |range: Option<[i128; 2]>, key| {
                Some(range.map_or([key; 2], |[low, high]| [low.min(key), high.max(key)]))
            }),
            Domain::AllFinite => format.largest(false).map(|largest| [-key(format, largest), key(format, largest)]),
        }
    }

    /// The largest key below 0 of an input of a column, mirrored if `upper`: in the outer option none if there is no largest one
    /// (all values of `F(p)`), in the inner one if none is below 0.
    pub(crate) fn next_below_zero(&self, column: u32, upper: bool) -> Option<Option<i128>> {
        match self {
            Domain::Rows(data) => {
                let mirrored = column_of(data, column).map(|key| if upper { -key } else { key });
                Some(mirrored.filter(|&key| key < 0).max())
            }
            Domain::AllFinite => None,
        }
    }
}

/// The keys of the inputs in a column.
fn column_of(data: &Dataset, column: u32) -> impl Iterator<Item = i128> {
    (0..data.rows()).map(move |row| key(data.format(), data.input(row, column as usize)))
}
