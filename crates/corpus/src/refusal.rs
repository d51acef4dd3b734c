//! Why an instance has no network: a kind, which is what is claimed and compared, and the words, which may improve.

use std::fmt;
use std::str::FromStr;

use roundproof_construct::ConstructError;
use roundproof_format::ParseError;
use roundproof_functions::FunctionError;
use roundproof_sources::models::ConversionError;
use roundproof_sources::table::CellProblem;

/// Why there is no network to speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was missing.
    pub kind: RefusalKind,
    /// The same in words, with the place.
    pub words: String,
}

/// What is missing where there is no network. Each is a variant of an error below; the matches in this file say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// [`ConstructError::Conflict`].
    Conflict,
    /// [`ConstructError::NoScale`].
    NoScale,
    /// [`ConstructError::NoScaleAtCut`].
    NoScaleAtCut,
    /// [`ConstructError::NoNeighbour`].
    NoNeighbour,
    /// [`ConstructError::NoSlope`].
    NoSlope,
    /// [`ConstructError::Count`].
    Count,
    /// [`ConstructError::Overflow`].
    Overflow,
    /// [`ConstructError::TooFine`].
    TooFine,
    /// [`ConstructError::InfinitelyManyPoints`].
    InfinitelyManyPoints,
    /// [`ConstructError::AtZero`].
    AtZero,
    /// [`FunctionError::Undefined`] at a point.
    FunctionUndefined,
    /// [`FunctionError::Unbounded`] at a point.
    FunctionUnbounded,
    /// [`FunctionError::Undecided`] at a point.
    FunctionUndecided,
    /// [`CellProblem::NotFinite`].
    CellNotFinite,
    /// [`CellProblem::Exponent`].
    CellExponent,
    /// [`CellProblem::OutOfRange`].
    CellOutOfRange,
    /// [`ConversionError::OutOfRange`].
    LeafOutOfRange,
    /// [`ConversionError::OffGrid`].
    LeafOffGrid,
}

impl RefusalKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [RefusalKind; 18] = [
        RefusalKind::Conflict,
        RefusalKind::NoScale,
        RefusalKind::NoScaleAtCut,
        RefusalKind::NoNeighbour,
        RefusalKind::NoSlope,
        RefusalKind::Count,
        RefusalKind::Overflow,
        RefusalKind::TooFine,
        RefusalKind::InfinitelyManyPoints,
        RefusalKind::AtZero,
        RefusalKind::FunctionUndefined,
        RefusalKind::FunctionUnbounded,
        RefusalKind::FunctionUndecided,
        RefusalKind::CellNotFinite,
        RefusalKind::CellExponent,
        RefusalKind::CellOutOfRange,
        RefusalKind::LeafOutOfRange,
        RefusalKind::LeafOffGrid,
    ];

    /// The word on record.
    pub const fn name(self) -> &'static str {
        match self {
            RefusalKind::Conflict => "conflict",
            RefusalKind::NoScale => "no-scale",
            RefusalKind::NoScaleAtCut => "no-scale-at-cut",
            RefusalKind::NoNeighbour => "no-neighbour",
            RefusalKind::NoSlope => "no-slope",
            RefusalKind::Count => "count",
            RefusalKind::Overflow => "overflow",
            RefusalKind::TooFine => "too-fine",
            RefusalKind::InfinitelyManyPoints => "infinitely-many-points",
            RefusalKind::AtZero => "at-zero",
            RefusalKind::FunctionUndefined => "function-undefined",
            RefusalKind::FunctionUnbounded => "function-unbounded",
            RefusalKind::FunctionUndecided => "function-undecided",
            RefusalKind::CellNotFinite => "cell-not-finite",
            RefusalKind::CellExponent => "cell-exponent",
            RefusalKind::CellOutOfRange => "cell-out-of-range",
            RefusalKind::LeafOutOfRange => "leaf-out-of-range",
            RefusalKind::LeafOffGrid => "leaf-off-grid",
        }
    }

    /// The kind of a construction's error; none if it says nothing of data, function and format, but that the claim is at
    /// fault.
    pub const fn of_construction(error: &ConstructError) -> Option<RefusalKind> {
        match error {
            ConstructError::Conflict { .. } => Some(RefusalKind::Conflict),
            ConstructError::NoScale { .. } => Some(RefusalKind::NoScale),
            ConstructError::NoScaleAtCut { .. } => Some(RefusalKind::NoScaleAtCut),
            ConstructError::NoNeighbour { .. } => Some(RefusalKind::NoNeighbour),
            ConstructError::NoSlope { .. } => Some(RefusalKind::NoSlope),
            ConstructError::Count { .. } => Some(RefusalKind::Count),
            ConstructError::Overflow { .. } => Some(RefusalKind::Overflow),
            ConstructError::TooFine { .. } => Some(RefusalKind::TooFine),
            ConstructError::InfinitelyManyPoints { .. } => Some(RefusalKind::InfinitelyManyPoints),
            ConstructError::AtZero { .. } => Some(RefusalKind::AtZero),
            ConstructError::Function { at: _, error } => RefusalKind::of_function(error),
            ConstructError::Empty
            | ConstructError::Network(_)
            | ConstructError::TooManyPoints { .. }
            | ConstructError::Magnitude { .. }
            | ConstructError::TooManyLeaves { .. }
            | ConstructError::Unsuitable(_)
            | ConstructError::TooLarge { .. } => None,
        }
    }

    const fn of_function(error: &FunctionError) -> Option<RefusalKind> {
        match error {
            FunctionError::Undefined { .. } => Some(RefusalKind::FunctionUndefined),
            FunctionError::Unbounded { .. } => Some(RefusalKind::FunctionUnbounded),
            FunctionError::Undecided { .. } => Some(RefusalKind::FunctionUndecided),
            FunctionError::Syntax { .. }
            | FunctionError::Product { .. }
            | FunctionError::UnknownName { .. }
            | FunctionError::Arity { .. }
            | FunctionError::Empty { .. }
            | FunctionError::Overflow { .. } => None,
        }
    }

    /// The kind of a cell that is not a value of the format; none if it is a fault of the table.
    pub const fn of_cell(problem: &CellProblem) -> Option<RefusalKind> {
        match problem {
            CellProblem::NotFinite => Some(RefusalKind::CellNotFinite),
            CellProblem::Exponent => Some(RefusalKind::CellExponent),
            CellProblem::OutOfRange { .. } => Some(RefusalKind::CellOutOfRange),
            CellProblem::Empty
            | CellProblem::Missing
            | CellProblem::Text
            | CellProblem::NotAName
            | CellProblem::Unbounded { .. } => None,
        }
    }

    /// The kind of a model whose leaves are not values of the format; none if it is a fault of the claim.
    pub const fn of_conversion(error: &ConversionError) -> Option<RefusalKind> {
        match error {
            ConversionError::OutOfRange { .. } => Some(RefusalKind::LeafOutOfRange),
            ConversionError::OffGrid { .. } => Some(RefusalKind::LeafOffGrid),
            ConversionError::Outputs { .. }
            | ConversionError::NoPredecessor { .. }
            | ConversionError::Grid { .. }
            | ConversionError::Classes { .. }
            | ConversionError::Votes { .. }
            | ConversionError::Size { .. }
            | ConversionError::Forest(_) => None,
        }
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for RefusalKind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<RefusalKind, ParseError> {
        let found = RefusalKind::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| ParseError::unknown("kind of refusal", text, RefusalKind::ALL.map(RefusalKind::name)))
    }
}

#[cfg(test)]
mod tests {
    use roundproof_approximation::Region;
    use roundproof_format::Format;

    use super::*;

    #[test]
    fn kinds_read_back() {
        for kind in RefusalKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let mut names = RefusalKind::ALL.map(RefusalKind::name);
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        let error = "no-scael".parse::<RefusalKind>().unwrap_err().to_string();
        assert!(error.contains("did you mean `no-scale`?"), "{error}");
    }

    #[test]
    fn faults_of_a_claim_are_no_refusals() {
        assert_eq!(RefusalKind::of_construction(&ConstructError::Empty), None);
        assert_eq!(RefusalKind::of_construction(&ConstructError::TooLarge { units: 1 }), None);
        let function = |error| ConstructError::Function { at: Region::point(Format::BFLOAT16, []), error };
        let undefined = FunctionError::Undefined { place: "log(x)".to_string(), certain: true };
        assert_eq!(RefusalKind::of_construction(&function(undefined)), Some(RefusalKind::FunctionUndefined));
        assert_eq!(RefusalKind::of_construction(&function(FunctionError::Empty { variable: 0 })), None);
        assert_eq!(RefusalKind::of_cell(&CellProblem::Text), None);
        let size = ConversionError::Size { leaves: 1, outputs: 1 };
        assert_eq!(RefusalKind::of_conversion(&size), None);
    }
}
