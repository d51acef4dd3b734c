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
    let most = Rational::from(exact * Rational::from((1000 + thousandths, 1000)));
    assert!(exact <= found, "{} is below {}", found.to_f64(), exact.to_f64());
    assert!(*found <= most, "{} is beyond {}", found.to_f64(), exact.to_f64());
}

#[test]
fn norms_of_known_matrices_are_near() {
    let n = 64usize;
    // Orthogonal, but for a factor of 8: Hadamard's.
    let hadamard: Vec<Vec<i64>> =
        (0..n).map(|i| (0..n).map(|j| if (i & j).count_ones().is_multiple_of(2) { 1 } else { -1 }).collect()).collect();
    assert_near(&spectral(&hadamard), &Rational::from(8), 1);
    let diagonal: Vec<Vec<i64>> =
        (0..n).map(|i| (0..n).map(|j| if i == j { 1000 + i as i64 } else { 0 }).collect()).collect();
    assert_near(&spectral(&diagonal), &Rational::from(1063), 1);
    // Of rank one: u v^T, with |u| = 3 and |v| = 32, and entries that few bits do not hold.
    let large = (1i64 << 44) + 1;
    let v = [4, -4].repeat(n / 2);
    let rank_one: Vec<Vec<i64>> = [1, 2, 2].iter().map(|u| v.iter().map(|v| u * v * large).collect()).collect();
    assert_near(&spectral(&rank_one), &Rational::from(96 * large), 1);
}
