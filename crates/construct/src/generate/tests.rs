use std::collections::{BTreeMap, BTreeSet};

use roundproof_softfloat::{is_subnormal, order_key};

use super::*;

fn recipe(kind: Kind, format: Format, rows: usize, dimension: usize) -> Recipe {
    Recipe { kind, rows, dimension, classes: 3, separation: 4, seed: 7, format }
}

type Rows = Vec<(Vec<Encoding>, Encoding)>;

fn rows(recipe: Recipe) -> Result<Rows, GenerateError> {
    let mut generator = Generator::new(recipe)?;
    let (mut rows, mut inputs) = (Vec::new(), Vec::new());
    while let Some(label) = generator.next_row(&mut inputs) {
        rows.push((inputs.clone(), label));
    }
    Ok(rows)
}

fn keys(format: Format, row: &[Encoding]) -> Vec<i128> {
    row.iter().map(|&value| order_key(format, value).unwrap()).collect()
}

fn formats() -> Vec<Format> {
    let texts = ["float4_e2m1fn", "float8_e4m3fn", "float8_e5m2fnuz", "bfloat16", "binary16", "binary32", "binary64"];
    let more = ["binary128", "p=1,emin=-3,emax=3,specials=finite", "F(3)", "F(90)"];
    texts.iter().chain(&more).map(|text| text.parse().unwrap()).collect()
}

#[test]
fn rows_are_different_finite_and_labelled_in_every_format_and_kind() {
    for format in formats() {
        for kind in Kind::ALL {
            let recipe = Recipe { classes: 2, ..recipe(kind, format, 200, 5) };
            if kind == Kind::Subnormals && !format.is_bounded() {
                assert_eq!(rows(recipe), Err(GenerateError::NoSubnormals { format }));
                continue;
            }
            let rows = rows(recipe).unwrap();
            assert_eq!(rows.len(), 200, "{kind:?} {format}");
            assert!(rows.iter().flat_map(|(row, _)| row).all(|&value| format.is_finite(value)));
            let different: BTreeSet<Vec<i128>> = rows.iter().map(|(row, _)| keys(format, row)).collect();
            assert_eq!(different.len(), 200, "{kind:?} {format}");
            let labels: BTreeSet<u128> = rows.iter().map(|(_, label)| label.bits()).collect();
            assert_eq!(labels, [format.zero().bits(), format.one(false).bits()].into(), "{kind:?} {format}");
        }
    }
}

#[test]
fn as_many_rows_as_fit_are_given_and_no_more() {
    for (kind, text, fit) in [
        (Kind::RandomLabels, "float4_e2m1fn", 15 * 15),
        (Kind::OneUlp, "float4_e2m1fn", 14 * 15),
        // 0 to 4.
        (Kind::Clusters, "float4_e2m1fn", 5 * 5),
        // Zero, and magnitudes up to the least normal one.
        (Kind::Subnormals, "float8_e4m3", 17 * 17),
        (Kind::Extremes, "float8_e4m3", 13 * 13),
        (Kind::Clusters, "float8_e4m3", 17 * 17),
        (Kind::Clusters, "bfloat16", 256 * 256),
    ] {
        let format: Format = text.parse().unwrap();
        let all = rows(recipe(kind, format, fit, 2)).unwrap();
        let different: BTreeSet<Vec<i128>> = all.iter().map(|(row, _)| keys(format, row)).collect();
        assert_eq!(different.len(), fit, "{kind:?} {text}");
        let error = rows(recipe(kind, format, fit + 1, 2)).unwrap_err();
        assert_eq!(error, GenerateError::TooManyRows { rows: fit + 1, fit: fit as u128 }, "{kind:?} {text}");
    }
}

#[test]
fn pairs_are_one_unit_in_the_last_place_apart_and_differ_in_label() {
    // Drawn, and laid out.
    for (text, count, dimension) in [("binary32", 1000, 6), ("F(24)", 1000, 6), ("float4_e2m1fn", 14, 1)] {
        let format: Format = text.parse().unwrap();
        for pair in rows(recipe(Kind::OneUlp, format, count, dimension)).unwrap().chunks_exact(2) {
            let [a, b] = [&pair[0], &pair[1]].map(|(row, _)| keys(format, row));
            let differences: Vec<i128> = a.iter().zip(&b).map(|(a, b)| b - a).filter(|&d| d != 0).collect();
            assert_eq!(differences, [1], "{text}");
            assert_ne!(pair[0].1, pair[1].1);
        }
    }
}

#[test]
fn values_are_of_their_kind() {
    let format = Format::BINARY32;
    let flat = |kind| rows(recipe(kind, format, 500, 4)).unwrap().into_iter().flat_map(|(row, _)| row);
    let least_normal = power(format, -126);
    assert!(flat(Kind::Subnormals).all(|value| {
        format.is_zero(value) || is_subnormal(format, value) || roundproof_softfloat::abs(format, value) == least_normal
    }));
    let extremes: BTreeSet<u128> = flat(Kind::Extremes).map(Encoding::bits).collect();
    for needed in [0, 1, 0x8000_0001, 0x3f80_0000, 0xbf80_0000, 0x7f7f_ffff, 0xff7f_ffff, 0x0080_0000] {
        assert!(extremes.contains(&needed), "{needed:#x}");
    }
    let grid: BTreeSet<u128> = integers(format, 256).into_iter().map(Encoding::bits).collect();
    assert!(flat(Kind::Clusters).all(|value| grid.contains(&value.bits())));
}

fn power(format: Format, exponent: i64) -> Encoding {
    roundproof_softfloat::power_of_two(format, exponent).unwrap()
}

#[test]
fn rows_of_one_cluster_are_near_each_other() {
    let format = Format::BINARY32;
    let mut ends = BTreeMap::<u128, Vec<(i128, i128)>>::new();
    let of = |value: Encoding| integers(format, 256).iter().position(|&integer| integer == value).unwrap() as i128;
    for (row, label) in rows(Recipe { separation: 8, ..recipe(Kind::Clusters, format, 300, 4) }).unwrap() {
        let ends = ends.entry(label.bits()).or_insert_with(|| vec![(i128::MAX, i128::MIN); 4]);
        for (end, value) in ends.iter_mut().zip(row) {
            *end = (end.0.min(of(value)), end.1.max(of(value)));
        }
    }
    // 256 / (3 * 8) = 10 on either side.
    assert!(ends.values().flatten().all(|(low, high)| high - low <= 20), "{ends:?}");
}

#[test]
fn the_same_recipe_gives_the_same_rows_and_another_seed_others() {
    // What they are on every machine: positions are folded into one number.
    let digest = |recipe: Recipe| {
        let bits = |(row, label): (Vec<Encoding>, Encoding)| row.into_iter().chain([label]).map(Encoding::bits);
        fingerprint(&rows(recipe).unwrap().into_iter().flat_map(bits).collect::<Vec<u128>>())
    };
    let digests = Kind::ALL.map(|kind| format!("{:x}", digest(recipe(kind, Format::BFLOAT16, 50, 9)) >> 64));
    assert_eq!(digests, DIGESTS);
    let other = Recipe { seed: 8, ..recipe(Kind::Clusters, Format::BFLOAT16, 50, 9) };
    assert_ne!(format!("{:x}", digest(other) >> 64), DIGESTS[0]);
}

const DIGESTS: [&str; 5] =
    ["260ed1ab6052a3c1", "87d38081fc3d12fb", "9d771c29c1fd3d79", "5c647d7c680d2b17", "d07b73f00625a6f8"];

#[test]
fn what_cannot_be_is_refused() {
    let of = |change: fn(&mut Recipe)| {
        let mut recipe = recipe(Kind::Clusters, Format::FLOAT8_E4M3, 10, 2);
        change(&mut recipe);
        rows(recipe).unwrap_err()
    };
    assert_eq!(of(|recipe| recipe.rows = 0), GenerateError::Empty);
    assert_eq!(of(|recipe| recipe.dimension = 0), GenerateError::Empty);
    assert_eq!(of(|recipe| recipe.separation = 0), GenerateError::Empty);
    let error = of(|recipe| recipe.classes = 18);
    assert_eq!(error, GenerateError::TooManyClasses { classes: 18, last: 16, format: Format::FLOAT8_E4M3 });
    let one = |recipe: &mut Recipe| (recipe.kind, recipe.classes) = (Kind::OneUlp, 1);
    assert_eq!(of(one), GenerateError::OneClass);
}
