//! What people read off an output, and what has to hold of it so that every path gives the same.

use roundproof_exact::Rational;

/// What is read off the elements of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The place of the largest element.
    Argmax {
        /// What counts where two are equal.
        ties: Ties,
    },
    /// The places of the largest elements, so many of them. Equal ones at the edge are not told apart.
    Top {
        /// How many.
        count: usize,
        /// Whether their order counts.
        ordered: bool,
    },
    /// Of each element whether it is positive or negative. Zero is neither.
    Sign,
    /// Of each element whether it is above a limit, or below it. The limit itself is neither.
    Threshold {
        /// The limit, as it is; what a comparison in another format makes of it is another limit.
        limit: Rational,
    },
    /// Each element, up to a tolerance: no two paths differ by more.
    Value {
        /// The tolerance.
        tolerance: Rational,
    },
    /// The encoding of each element, but for the sign of zero.
    Bits,
}

/// What counts as the place of the largest element where two are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ties {
    /// Any of the two: a decision needs a strict winner.
    Any,
    /// The first one.
    First,
}

/// A linear form that has to be positive on every path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// The element that counts with 1, or with -1 if `negated`.
    pub plus: usize,
    pub negated: bool,
    /// The element that counts with -1.
    pub minus: Option<usize>,
    /// What is taken off.
    pub limit: Rational,
    /// Whether zero will do.
    pub or_zero: bool,
}

impl Decision {
    /// What the decision is at these values, and the forms that have to be positive for it to be that one. None where the values
    /// alone do not say: a tie, or more places than there are elements.
    pub(crate) fn needs(&self, values: &[i128], unit: &Rational) -> Option<(Vec<usize>, Vec<Need>)> {
        let pair = |plus: usize, minus: usize, or_zero| Need {
            plus,
            negated: false,
            minus: Some(minus),
            limit: Rational::new(),
            or_zero,
        };
        // Larger ones first, of equal ones the first.
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by_key(|&place| (-values[place], place));
        match self {
            Decision::Argmax { ties } => {
                let &best = order.first()?;
                let or_zero = |other: usize| match ties {
                    Ties::Any => false,
                    Ties::First => best < other,
                };
                let needs =
                    (0..values.len()).filter(|&other| other != best).map(|other| pair(best, other, or_zero(other)));
                Some((vec![best], needs.collect()))
            }
            Decision::Top { count, ordered } => {
                if *count == 0 || *count > values.len() {
                    return None;
                }
                let (inside, outside) = order.split_at(*count);
                let mut needs: Vec<Need> = inside
                    .iter()
                    .flat_map(|&plus| outside.iter().map(move |&minus| pair(plus, minus, false)))
                    .collect();
                let mut answer = inside.to_vec();
                if *ordered {
                    needs.extend(inside.windows(2).map(|two| pair(two[0], two[1], false)));
                } else {
                    answer.sort_unstable();
                }
                Some((answer, needs))
            }
            Decision::Sign => Some(sides(values, unit, &Rational::new())),
            Decision::Threshold { limit } => Some(sides(values, unit, limit)),
            Decision::Value { tolerance: _ } | Decision::Bits => Some((Vec::new(), Vec::new())),
        }
    }
}

/// Which elements are above a limit.
fn sides(values: &[i128], unit: &Rational, limit: &Rational) -> (Vec<usize>, Vec<Need>) {
    let above = |value: i128| Rational::from(value) * unit > *limit;
    let needs = values.iter().enumerate().map(|(plus, &value)| {
        let negated = !above(value);
        let limit = if negated { -limit.clone() } else { limit.clone() };
        Need { plus, negated, minus: None, limit, or_zero: false }
    });
    let answer = (0..values.len()).filter(|&place| above(values[place])).collect();
    (answer, needs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(needs: &[Need]) -> Vec<(usize, Option<usize>, bool)> {
        needs.iter().map(|need| (need.plus, need.minus, need.or_zero)).collect()
    }

    #[test]
    fn decisions_lower_to_forms() {
        let one = Rational::from(1);
        let values = [3, 7, 7, 1];
        let (answer, needs) = Decision::Argmax { ties: Ties::First }.needs(&values, &one).expect("four values");
        assert_eq!(answer, [1]);
        assert_eq!(pairs(&needs), [(1, Some(0), false), (1, Some(2), true), (1, Some(3), true)]);
        let (_, needs) = Decision::Argmax { ties: Ties::Any }.needs(&values, &one).expect("four values");
        assert!(needs.iter().all(|need| !need.or_zero));
        let (answer, needs) = Decision::Top { count: 3, ordered: false }.needs(&values, &one).expect("four values");
        assert_eq!((answer, needs.len()), (vec![0, 1, 2], 3));
        let (answer, needs) = Decision::Top { count: 3, ordered: true }.needs(&values, &one).expect("four values");
        assert_eq!((answer, needs.len()), (vec![1, 2, 0], 5));
        assert_eq!(Decision::Top { count: 5, ordered: true }.needs(&values, &one), None);
        assert_eq!(Decision::Argmax { ties: Ties::Any }.needs(&[], &one), None);
        let (answer, needs) =
            Decision::Threshold { limit: Rational::from(3) }.needs(&values, &one).expect("four values");
        assert_eq!(answer, [1, 2]);
        assert_eq!(needs.iter().map(|need| need.negated).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(needs[0].limit, -3);
    }
}
