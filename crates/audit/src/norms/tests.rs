use roundproof_exact::{Rational, power_of_two};
use roundproof_network::{Axis, Geometry};

use super::upper::tests::rational;
use super::*;
use crate::tests::Random;

impl Ball {
    /// The distance of values from the middle, of a tensor with intervals in these units, by the radius; beyond 1 only if it is more.
    pub fn share(&self, unit: Rational, values: &[Rational]) -> f64 {
        let half = unit / 2;
        let off = |(middle, value): (&i64, &Rational)| {
            let off = Rational::from(*middle) * &half - value;
            Rational::from(&off * &off)
        };
        let distance: Rational = self.middle.iter().zip(values).map(off).sum();
        let radius = rational(self.radius);
        let square = Rational::from(&radius * &radius);
        match distance {
            distance if distance > square => f64::INFINITY,
            _ if square == 0 => 0.0,
            distance => (distance / square).to_f64().sqrt(),
        }
    }
}

/// A dense layer: `outputs` rows of weights side by side.
fn dense(weights: &[Vec<i64>]) -> (Map, Centered) {
    let (columns, inner) = (weights.len(), weights[0].len());
    let map =
        Map::Product { offsets: vec![(0, 0)], rows: 1, columns, inner, steps_x: [inner, 0, 1], steps_w: [0, inner, 1] };
    (map, Centered { unit: -20, center: weights.concat(), radius: None })
}

fn norms(map: &Map, w: &Centered, elements: usize) -> Norms {
    Norms::of(map, Entries::Weights(Some(w)), elements, &mut Budget::of_a_model())
}

/// `|A|_2`, times `2^20`, of a dense layer.
fn spectral(weights: &[Vec<i64>]) -> Rational {
    let (map, w) = dense(weights);
    rational(norms(&map, &w, weights[0].len()).whole) * power_of_two(20)
}

/// At least `exact`, and at most so many thousandths more.
fn assert_near(found: &Rational, exact: &Rational, thousandths: i32) {
    let most = exact * Rational::from((1000 + thousandths, 1000));
    assert!(exact <= found, "{} is below {}", found.to_f64(), exact.to_f64());
    assert!(*found <= most, "{} is beyond {}", found.to_f64(), exact.to_f64());
}

/// Signs whose rows are orthogonal.
fn hadamard(n: usize) -> Vec<Vec<i64>> {
    (0..n).map(|i| (0..n).map(|j| if (i & j).count_ones().is_multiple_of(2) { 1 } else { -1 }).collect()).collect()
}

#[test]
fn norms_of_known_matrices_are_near() {
    let n = 64usize;
    // Orthogonal, but for a factor of 8.
    assert_near(&spectral(&hadamard(n)), &Rational::from(8), 1);
    let diagonal: Vec<Vec<i64>> =
        (0..n).map(|i| (0..n).map(|j| if i == j { 1000 + i as i64 } else { 0 }).collect()).collect();
    assert_near(&spectral(&diagonal), &Rational::from(1063), 1);
    // Of rank one: u v^T, with |u| = 3 and |v| = 32, and entries that few bits do not hold.
    let large = (1i64 << 44) + 1;
    let v = [4, -4].repeat(n / 2);
    let rank_one: Vec<Vec<i64>> = [1, 2, 2].iter().map(|u| v.iter().map(|v| u * v * large).collect()).collect();
    assert_near(&spectral(&rank_one), &Rational::from(96 * large), 1);
}

/// The square of the length of a vector.
fn square(vector: &[i128]) -> Rational {
    vector.iter().map(|&value| Rational::from(value) * value).sum()
}

/// What a map makes of a vector, and what its transpose makes of that.
fn there_and_back(map: &Map, w: Option<&Centered>, x: &[i64]) -> (Vec<i128>, Vec<i128>) {
    let y: Vec<i128> = (0..map.elements()).map(|element| image(map, element, x, w)).collect();
    let mut back = vec![0; x.len()];
    for (element, &value) in y.iter().enumerate() {
        crate::linear::scatter(map, element, i64::try_from(value >> 8).expect("small"), w, &mut back);
    }
    (y, back)
}

/// The largest share of the norm that a vector of many is lengthened by, found by going there and back again.
fn reached(map: &Map, w: Option<&Centered>, elements: usize, norms: &Norms, random: &mut Random) -> f64 {
    let unit = power_of_two(w.map_or(0, |w| w.unit.into()));
    let whole = rational(norms.whole) / &unit;
    let mut x: Vec<i64> = (0..elements).map(|_| random.below(2001) as i64 - 1000).collect();
    let mut most = 0f64;
    for _ in 0..60 {
        let (y, back) = there_and_back(map, w, &x);
        let (long, short) = (square(&y), square(&x.iter().map(|&x| x.into()).collect::<Vec<_>>()));
        if short == 0 {
            break;
        }
        let ratio = long / short;
        assert!(ratio <= Rational::from(&whole * &whole), "{map:?}");
        most = most.max((ratio / Rational::from(&whole * &whole)).to_f64().sqrt());
        let largest = back.iter().map(|value| value.unsigned_abs()).max().expect("some").max(1);
        x = back.iter().map(|value| (value * 1000 / largest as i128) as i64).collect();
    }
    // Of each row exactly, but for what was rounded up.
    for (element, row) in norms.rows.iter().enumerate() {
        let mut of_row = vec![0; elements];
        crate::linear::scatter(map, element, 1, w, &mut of_row);
        let (exact, row) = (square(&of_row), rational(*row) / &unit);
        let found = Rational::from(&row * &row);
        assert!(exact <= found, "{map:?}: {element}");
        match map {
            // Where one operand is read twice, the sum of magnitudes.
            Map::Listed { starts: _, x: _, w: Some(_) } => {}
            _ => assert!(found <= exact * Rational::from((1_000_001, 1_000_000)), "{map:?}: {element}"),
        }
    }
    most
}

/// No vector becomes longer than the norm says, and some become nearly as long.
#[test]
fn no_vector_is_lengthened_by_more() {
    let mut random = Random(3);
    let draw = |random: &mut Random, count: usize| -> Centered {
        let center = (0..count).map(|_| random.below(2 << 10) as i64 - (1 << 10)).collect();
        Centered { unit: -4, center, radius: None }
    };
    let axis = |size, window, stride, before| Axis { size, window, stride, dilation: 1, before, after: before };
    let window = |stride, groups| {
        let geometry = Geometry::new(vec![axis(6, 3, stride, 1), axis(5, 3, stride, 1)]).expect("a geometry");
        Map::window(&geometry, 4, 6 / groups, groups)
    };
    let product = |rows, columns, inner, swapped: bool, offsets: Vec<(usize, usize)>| {
        let mut steps = [[inner, 0, 1], [0, 1, columns]];
        if swapped {
            steps.swap(0, 1);
        }
        Map::Product { offsets, rows, columns, inner, steps_x: steps[0], steps_w: steps[1] }
    };
    let listed = Map::Listed { starts: vec![0, 3, 3, 5], x: vec![0, 1, 1, 2, 0], w: Some(vec![4, 3, 2, 1, 0]) };
    // Each element twice, but for one that is nothing.
    let twice = (0..240).map(|k| if k == 7 { None } else { Some(k / 2) }).collect();
    let selected = Map::Selected { map: std::sync::Arc::new(window(1, 1)), elements: twice };
    for (map, elements, weights, least) in [
        (product(1, 20, 30, false, vec![(0, 0)]), 30, 600, 0.99),
        (product(1, 30, 20, false, vec![(0, 0)]), 20, 600, 0.99),
        (product(5, 4, 3, false, vec![(0, 0)]), 15, 12, 0.99),
        (product(4, 5, 3, true, vec![(0, 0)]), 15, 12, 0.99),
        // Two matrices; the same operand for two of them, and one matrix for two operands.
        (product(2, 2, 3, false, vec![(0, 0), (6, 6)]), 12, 12, 0.99),
        (product(1, 4, 4, false, vec![(0, 0), (0, 16)]), 4, 32, 0.7),
        (product(1, 4, 4, false, vec![(0, 0), (4, 0)]), 8, 16, 0.99),
        (window(1, 1), 180, 216, 0.4),
        (window(2, 1), 180, 216, 0.4),
        (window(1, 2), 180, 108, 0.4),
        (listed, 3, 5, 0.6),
        (selected, 180, 216, 0.4),
    ] {
        let w = draw(&mut random, weights);
        let norms = norms(&map, &w, elements);
        let most = reached(&map, Some(&w), elements, &norms, &mut random);
        println!("{most:.3} of the norm");
        assert!(most > least, "{most} {map:?}");
    }
    // Without weights: copies, sums and means.
    let copies = Map::each(vec![0, 0, 1, 0], None);
    let norms = Norms::of(&copies, Entries::Weights(None), 2, &mut Budget::of_a_model());
    assert!(reached(&copies, None, 2, &norms, &mut random) > 0.99);
    let sums = Map::Listed { starts: vec![0, 4, 8], x: (0..8).collect(), w: None };
    let norms = Norms::of(&sums, Entries::Weights(None), 8, &mut Budget::of_a_model());
    assert_eq!(norms.whole, Upper::new(2, 0));
    let norms = Norms::simple(&sums, Entries::Reciprocals(&[4, 4]), 8);
    assert_eq!(norms.whole, Upper::new(1, -1));
    assert_eq!(norms.rows, vec![Upper::new(1, -1); 2]);
}

/// Where the budget is spent, sums of magnitudes are taken.
#[test]
fn norms_have_a_budget() {
    let weights = hadamard(8);
    let (map, w) = dense(&weights);
    let mut budget = Budget(1000);
    let of_sums = Norms::of(&map, Entries::Weights(Some(&w)), 8, &mut budget);
    assert_eq!(of_sums, Norms::simple(&map, Entries::Weights(Some(&w)), 8));
    assert_eq!((of_sums.whole, budget.0), (Upper::new(8, -20), 1000));
    assert!(norms(&map, &w, 8).whole < Upper::new(3, -20));
}

#[test]
fn what_is_cut_off_is_told_however_far_it_goes() {
    for (value, by, expected) in [
        (5, 0, Some((5, false))),
        (5, 2, Some((20, false))),
        (5, -1, Some((2, true))),
        (-5, -1, Some((-3, true))),
        (4, -2, Some((1, false))),
        (5, -126, Some((0, true))),
        (5, -127, Some((0, true))),
        (-5, -127, Some((-1, true))),
        (5, -4000, Some((0, true))),
        (i128::MIN, -127, Some((-1, false))),
        (i128::MIN, -128, Some((-1, true))),
        (0, -4000, Some((0, false))),
        (5, 125, None),
    ] {
        assert_eq!(converted(value, by), expected, "{value} {by}");
    }
}
