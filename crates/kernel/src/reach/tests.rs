//! Products and maxima of every two intervals of small formats: no smaller than what an implementation that shares no arithmetic
//! with this one gives for the values in them, and no larger.

use roundproof_format::Class;
use roundproof_paths::Machine;

use super::*;
use crate::value::datum;

const FORMATS: [(&str, &str); 4] = [
    ("float4_e2m1fn", "float4_e2m1fn"),
    ("p=2,emin=-1,emax=1", "p=2,emin=-1,emax=1"),
    ("float4_e2m1fn", "p=3,emin=-1,emax=3"),
    ("p=2,emin=-1,emax=1", "p=2,emin=-3,emax=2"),
];
const MODELS: [&str; 6] = [
    "all",
    "paper",
    "all,overflow=saturate",
    "all,overflow=nan",
    "all,rounding=toward-zero",
    "all,rounding=toward-positive",
];

/// The keys of all data but NaN, ascending.
fn keys(format: Format) -> Vec<i128> {
    let data = format.encodings().filter(|&value| format.class(value) != Class::Invalid);
    let mut keys: Vec<i128> = data.filter_map(|value| roundproof_exact::order_key(format, value)).collect();
    keys.sort();
    keys.dedup();
    keys
}

#[test]
fn products_and_maxima_of_intervals() {
    let (mut enclosed, mut lost) = (0, 0);
    for (operands, format) in FORMATS.map(|(a, b)| (a.parse::<Format>().expect(a), b.parse::<Format>().expect(b))) {
        for model in MODELS.iter().filter_map(|text| PathModel::parse(text, format).ok()) {
            let model = model.at(operands, format).expect("one contains the other");
            let ours = Evaluator::new(&model, operands, format).expect("nothing is flushed");
            let peer = Machine::of(operands, format, &model).expect("checked");
            let keys = keys(operands);
            // Of each pair of values the least and the largest product; none if one is NaN.
            let product = |a: i128, b: i128| {
                let values = peer.products([datum(operands, a), datum(operands, b)]);
                let keys: Option<Vec<i128>> = values.keys().map(|&v| roundproof_exact::order_key(format, v)).collect();
                keys.map(|keys| Keys { low: *keys.iter().min().expect("one"), high: *keys.iter().max().expect("one") })
            };
            let table: Vec<Vec<Option<Keys>>> =
                keys.iter().map(|&a| keys.iter().map(|&b| product(a, b)).collect()).collect();
            let intervals: Vec<(usize, usize)> =
                (0..keys.len()).flat_map(|low| (low..keys.len()).map(move |high| (low, high))).collect();
            for &(al, ah) in &intervals {
                for &(bl, bh) in &intervals {
                    let factors = [Keys { low: keys[al], high: keys[ah] }, Keys { low: keys[bl], high: keys[bh] }];
                    let hull =
                        table[al..=ah].iter().flat_map(|row| &row[bl..=bh]).copied().collect::<Option<Vec<Keys>>>();
                    let hull = hull.and_then(|all| all.into_iter().reduce(Keys::hull));
                    let given = ours.multiplied(factors).and_then(|ends| ours.own.round(&ends)).ok();
                    match (given, hull) {
                        (Some(given), hull) => {
                            assert_eq!(Some(given), hull, "{operands} to {format}, {model}: {factors:?}")
                        }
                        // An infinity that is not followed, as the rule says.
                        (None, Some(_)) => {
                            let infinite = |key| Extended::of_key(operands, key).is_infinite();
                            let known = factors.iter().any(|keys| infinite(keys.low) || infinite(keys.high));
                            assert!(known, "{operands} to {format}, {model}: {factors:?}");
                            lost += 1;
                        }
                        (None, None) => lost += 1,
                    }
                    enclosed += usize::from(given.is_some());
                }
            }
        }
    }
    assert!(enclosed > 50_000 && lost > 1_000, "{enclosed}, {lost}");
}
