use roundproof_exact::Rational;
use roundproof_format::{Encoding, Format, Subnormals};

use super::*;
use crate::model::PathModel;
use crate::tests::{Leaf, Paths, Random, Small, UNIT, finite, number, rational};

/// What is left out of the bound, to see that it is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Without {
    Nothing,
    /// What products cost by themselves.
    Charge,
    /// One of the additions.
    Addition,
    /// That an addition errs by up to an ulp, and not half of it.
    Half,
    /// That `M` is a supremum over the box, and not its value at one point.
    Box,
    /// That a grid has to be one of all leaves.
    Grid,
    /// One of the narrowings.
    Narrowing,
    /// What flushing costs.
    Flush,
}

struct Sample {
    /// Each leaf's least and greatest value of `x`, and its weight; a leaf without one is a number.
    leaves: Vec<([Encoding; 2], Option<Encoding>)>,
}

impl Sample {
    fn draw(random: &mut Random, values: &[Encoding], leaves: usize) -> Sample {
        let mut draw = || values[random.below(values.len())];
        let drawn: Vec<_> = (0..leaves).map(|_| (draw(), draw(), draw())).collect();
        let leaves = drawn.into_iter().map(|(x, y, w)| {
            let single = random.below(3) > 0;
            ([x, if single { x } else { y }], (random.below(4) > 0).then_some(w))
        });
        Sample { leaves: leaves.collect() }
    }

    /// The leaves at each corner of the box.
    fn corners(&self, format: Format) -> Vec<Vec<Leaf>> {
        let corners = 1usize << self.leaves.len();
        let at = |corner: usize| {
            let leaf = |(index, (ends, w)): (usize, &([Encoding; 2], Option<Encoding>))| {
                let x = number(format, ends[corner >> index & 1]);
                w.map_or(Leaf::Number(x), |w| Leaf::Product(number(format, w), x))
            };
            self.leaves.iter().enumerate().map(leaf).collect()
        };
        let distinct = |corner: &usize| {
            self.leaves.iter().enumerate().all(|(i, (ends, _))| ends[0] != ends[1] || corner >> i & 1 == 0)
        };
        (0..corners).filter(distinct).map(at).collect()
    }

    /// The bound as the theorem has it, but for what is left out.
    fn bound(&self, paths: &Paths, model: &PathModel, without: Without) -> Option<u128> {
        let (format, mut model) = (paths.accumulator.format, *model);
        if without == Without::Flush {
            model.subnormals = Subnormals::Gradual;
        }
        if without == Without::Half {
            model.rounding = PathModel::NEAREST.rounding;
        }
        let accumulator = Grain::new(format, &model).expect("bounded");
        let mut corners: Vec<Vec<i64>> =
            self.corners(format).iter().map(|leaves| leaves.iter().map(|leaf| leaf.product()).collect()).collect();
        let flushed = model.subnormals == Subnormals::Flush;
        let charge: u128 = self
            .leaves
            .iter()
            .enumerate()
            .filter(|(index, (_, w))| w.is_some() && corners.iter().any(|leaves| leaves[*index] != 0))
            .map(|(index, _)| {
                let largest = corners.iter().map(|leaves| leaves[index].unsigned_abs()).max().unwrap_or(0);
                accumulator.share(largest.into()) + accumulator.error(1, UNIT).expect("small")
            })
            .sum();
        if flushed {
            // An operand that is flushed makes a zero of its leaf.
            let zeros = vec![0; self.leaves.len()];
            corners.push(zeros);
        }
        if without == Without::Box {
            corners.truncate(1);
        }
        let most = |of: &dyn Fn(i64) -> i64| -> u128 {
            (0..self.leaves.len()).map(|i| corners.iter().map(|leaves| of(leaves[i])).max().unwrap_or(0) as u128).sum()
        };
        let (high, low, all) = (most(&|t| t.max(0)), most(&|t| (-t).max(0)), most(&i64::abs));
        let signed = |of: &dyn Fn(i64) -> i64| -> i64 {
            (0..self.leaves.len()).map(|i| corners.iter().map(|leaves| of(leaves[i])).max().unwrap_or(0)).sum()
        };
        let largest = signed(&|t| t).unsigned_abs().max(signed(&|t| -t).unsigned_abs());
        let reach = high.max(low).min((all + u128::from(largest)).div_ceil(2));
        let grid = corners.iter().flatten().filter(|t| **t != 0).map(|t| t.trailing_zeros() as i32 + UNIT);
        let grid = if without == Without::Grid { grid.max() } else { grid.min() };
        let count = (0..self.leaves.len()).filter(|&i| corners.iter().any(|leaves| leaves[i] != 0)).count() as u64;
        let narrowed = paths.narrowed.map(|(storage, most)| {
            (
                Grain::new(storage.format, &model).expect("bounded"),
                u64::from(most) - u64::from(without == Without::Narrowing),
            )
        });
        let leaves = Leaves {
            unit: UNIT,
            count: count.saturating_sub(u64::from(without == Without::Addition)),
            reach,
            charge: if without == Without::Charge { 0 } else { charge },
            grid,
        };
        Additions { accumulator, narrowed }.error(&leaves, &[])
    }
}

/// How many sums were compared with all of their paths, how many of these contradict the bound, and the largest error over the bound.
fn compare(
    paths: &Paths,
    model: &PathModel,
    values: &[Encoding],
    samples: usize,
    most: usize,
    without: Without,
) -> (usize, usize, Rational) {
    let mut random = Random(samples as u64 + 7);
    let (mut compared, mut violated, mut worst) = (0, 0, Rational::new());
    for _ in 0..samples {
        let leaves = 2 + random.below(most - 1);
        let sample = Sample::draw(&mut random, values, leaves);
        let Some(bound) = sample.bound(paths, model, without) else { continue };
        for leaves in sample.corners(paths.accumulator.format) {
            let exact: i64 = leaves.iter().map(|leaf| leaf.product()).sum();
            let Some(found) = paths.values(&leaves) else {
                assert_ne!(without, Without::Nothing, "an overflow within the bound: {leaves:?}");
                continue;
            };
            let error = found.iter().map(|value| (value - exact).unsigned_abs()).max().unwrap_or(0);
            compared += 1;
            // What an operand that was flushed takes off is within its leaf, and not an error of the sum.
            let flushed = model.subnormals == Subnormals::Flush;
            if !flushed && u128::from(error) > bound || flushed && beyond(&leaves, &found, bound, &paths.accumulator) {
                violated += 1;
            }
            if bound > 0 && !flushed {
                worst = worst.max(Rational::from((error, bound)));
            }
        }
    }
    (compared, violated, worst)
}

/// Whether a value is farther away than the bound from every sum of leaves of which operands may have been flushed.
fn beyond(leaves: &[Leaf], found: &std::collections::BTreeSet<i64>, bound: u128, small: &Small) -> bool {
    let (mut low, mut high) = (0, 0);
    for leaf in leaves {
        let all: Vec<i64> = match *leaf {
            Leaf::Number(n) => small.read(n),
            Leaf::Product(w, x) => {
                let pairs = small.read(w).into_iter().flat_map(|w| small.read(x).into_iter().map(move |x| (w, x)));
                pairs.map(|(w, x)| Leaf::Product(w, x).product()).collect()
            }
        };
        low += all.iter().min().expect("one at least");
        high += all.iter().max().expect("one at least");
    }
    let bound = bound as i64;
    found.iter().any(|value| *value < low - bound || *value > high + bound)
}

fn small(text: &str, model: &PathModel) -> Small {
    Small::new(text.parse().expect(text), model)
}

const FORMATS: [&str; 4] = [
    "p=2,emin=-2,emax=4,specials=finite",
    "p=3,emin=-2,emax=5,specials=finite",
    "p=3,emin=-4,emax=4,specials=finite",
    "p=4,emin=-1,emax=5,specials=finite",
];

fn models() -> [PathModel; 3] {
    [PathModel::ALL, PathModel::NEAREST, PathModel { subnormals: Subnormals::Flush, ..PathModel::ALL }]
}

#[test]
fn no_tree_errs_by_more() {
    let mut largest = Rational::new();
    for text in FORMATS {
        for model in models() {
            let paths = Paths { accumulator: small(text, &model), narrowed: None, inner: None };
            let values = finite(paths.accumulator.format);
            let (compared, violated, worst) = compare(&paths, &model, &values, 4000, 5, Without::Nothing);
            println!(
                "{text} {:?} {:?}: {compared} sums, error/E at most {:.3}",
                model.rounding,
                model.subnormals,
                worst.to_f64()
            );
            assert_eq!(violated, 0, "{text} {model}");
            assert!(compared > 500);
            largest = largest.max(worst);
        }
    }
    println!("largest error/E: {:.3}", largest.to_f64());
    assert!(largest >= Rational::from((1, 2)));
}

#[test]
fn no_narrowing_errs_by_more() {
    for model in models() {
        for most in [1, 2, 3] {
            let paths = Paths {
                accumulator: small("p=4,emin=-4,emax=7,specials=finite", &model),
                narrowed: Some((small("p=2,emin=-2,emax=7,specials=finite", &model), most)),
                inner: None,
            };
            let values = finite("p=2,emin=-2,emax=3,specials=finite".parse().expect("a format"));
            let values: Vec<Encoding> = as_wide(&paths, &values);
            let (compared, violated, worst) = compare(&paths, &model, &values, 1500, 4, Without::Nothing);
            println!(
                "{:?} {:?} {most} narrowed: {compared}, error/E at most {:.3}",
                model.rounding,
                model.subnormals,
                worst.to_f64()
            );
            assert_eq!(violated, 0, "{model}");
            assert!(compared > 400);
        }
    }
}

/// Values of the narrow format as values of the accumulator.
fn as_wide(paths: &Paths, values: &[Encoding]) -> Vec<Encoding> {
    let narrow: Format = "p=2,emin=-2,emax=3,specials=finite".parse().expect("a format");
    let wide = paths.accumulator.format;
    let mirrored = finite(wide);
    let same = |value: &Encoding| {
        let value = number(narrow, *value);
        *mirrored.iter().find(|wide_value| number(wide, **wide_value) == value).expect("contained")
    };
    values.iter().map(same).collect()
}

/// Each part of the bound is needed: without it, some sum contradicts it.
#[test]
fn every_part_of_the_bound_is_needed() {
    let (all, nearest, flush) = (models()[0], models()[1], models()[2]);
    let text = "p=3,emin=-2,emax=5,specials=finite";
    for (without, model) in [
        (Without::Charge, nearest),
        (Without::Addition, all),
        (Without::Half, all),
        (Without::Box, all),
        (Without::Grid, all),
        (Without::Flush, flush),
    ] {
        let paths = Paths { accumulator: small(text, &model), narrowed: None, inner: None };
        let values = finite(paths.accumulator.format);
        let (compared, violated, _) = compare(&paths, &model, &values, 6000, 4, without);
        println!("without {without:?}: {violated} of {compared} contradicted");
        assert!(violated > 0, "{without:?}");
    }
    let paths = Paths {
        accumulator: small("p=4,emin=-4,emax=7,specials=finite", &all),
        narrowed: Some((small("p=2,emin=-2,emax=7,specials=finite", &all), 1)),
        inner: None,
    };
    let values = as_wide(&paths, &finite("p=2,emin=-2,emax=3,specials=finite".parse().expect("a format")));
    let (compared, violated, _) = compare(&paths, &all, &values, 3000, 4, Without::Narrowing);
    println!("without a narrowing: {violated} of {compared} contradicted");
    assert!(violated > 0);
}

/// `n (n + 1) / 2 * 2^-(m + 1) * max |a b|` stands in a public draft profile for safety-related ONNX as a bound for matrix products, with
/// `m` bits behind the point. It is wrong: this product of two elements in binary16, ties to even, from left to right, errs by more.
#[test]
fn a_bound_that_is_false() {
    use roundproof_exact::{Overflow, RoundingMode, real, round};
    let format = Format::BINARY16;
    let rounded = |value: &Rational| {
        let encoding = round(value, format, RoundingMode::TiesToEven, Overflow::Ieee).encoding;
        real(format, encoding).expect("finite")
    };
    let a = ["1.015625", "1.0146484375"].map(|text| roundproof_exact::parse_number(text).expect("a number").value());
    let b = ["1.03125", "1.033203125"].map(|text| roundproof_exact::parse_number(text).expect("a number").value());
    assert!(a.iter().chain(&b).all(|value| rounded(value) == *value));
    let products = [0, 1].map(|k| Rational::from(&a[k] * &b[k]));
    let exact = Rational::from(&products[0] + &products[1]);
    let computed = rounded(&(rounded(&products[0]) + rounded(&products[1])));
    let error = Rational::from(&computed - &exact).abs();
    let claimed = Rational::from(3) * &products[1].clone().max(products[0].clone()) / Rational::from(1 << 11);
    assert!(error > claimed, "{} {}", error.to_f64(), claimed.to_f64());
    // The theorem holds of it.
    let grain = Grain::new(format, &PathModel::NEAREST).expect("bounded");
    let unit = -40;
    let scaled = |value: &Rational| {
        let n = Rational::from(value * &roundproof_exact::power_of_two(40));
        assert_eq!(*n.denom(), 1);
        n.numer().to_u128().expect("positive")
    };
    let reach = scaled(&exact);
    let charge = products.iter().map(|product| grain.rounding(scaled(product), unit).expect("small")).sum();
    let leaves = Leaves { unit, count: 2, reach, charge, grid: None };
    let bound = Additions { accumulator: grain, narrowed: None }.error(&leaves, &[]).expect("within the format");
    assert!(scaled(&error) <= bound);
    assert!(rational(1) > 0);
}
