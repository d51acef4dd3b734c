//! Points that are not rows, and ranges of values that are right.

use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_network::{Activation, At, Layer, Network, PathModel};
use roundproof_softfloat::{compare, encode, negate};

use super::FORMATS;
use crate::choose::{Arrangement, Fixed};
use crate::error::EvaluateError;
use crate::evaluate::{evaluate, replay};
use crate::reach::Reach;
use crate::search::{Finding, SearchOptions, search};
use crate::targets::{Points, Right, Targets, are_right, is_right};

/// By the order of values alone.
fn between(format: Format, value: Encoding, (low, high): (Encoding, Encoding)) -> bool {
    compare(format, low, value).is_some_and(|order| order.is_le())
        && compare(format, value, high).is_some_and(|order| order.is_le())
}

/// Every datum, every range: and a set of values is right if each value is.
#[test]
fn a_set_is_right_if_all_of_it_is() {
    for name in ["float4_e2m1fn", "p=2,emin=-1,emax=1", "p=2,emin=-2,emax=2,specials=fnuz"] {
        let format: Format = name.parse().expect(name);
        let all: Vec<Encoding> = format.encodings().collect();
        let (mut held, mut failed) = (0, 0);
        for &low in &all {
            for &high in &all {
                let right: Right = Some((low, high));
                for &value in &all {
                    assert_eq!(is_right(format, value, right), between(format, value, (low, high)), "{name}");
                    assert!(!is_right(format, value, None));
                    for &other in &all {
                        let set = Reach::of(format, value).hull(format, Reach::of(format, other));
                        let each = all.iter().filter(|&&datum| set.contains(format, datum));
                        let wanted = each.clone().all(|&datum| is_right(format, datum, right));
                        assert_eq!(are_right(format, &set, right), wanted, "{name} {set:?} {right:?}");
                        *if wanted { &mut held } else { &mut failed } += 1;
                    }
                }
            }
        }
        assert!(held > 100 && failed > 100, "{held} {failed}");
    }
}

/// `x + 1`, by one neuron.
fn plus_one(format: Format) -> Network {
    let mut layer = Layer::new(format, Activation::Identity);
    layer.push([(0, format.one(false))], format.one(false));
    Network::new(format, 1, vec![layer]).unwrap()
}

/// What is right from the sum rounded down to the sum rounded up is found on no path, and of one value less a path is found.
#[test]
fn ranges_are_missed_just_where_a_path_leaves_them() {
    for name in FORMATS {
        let format: Format = name.parse().expect(name);
        let Some(small) = encode(format, false, 1, -i64::from(format.precision())) else { continue };
        let (network, model) = (plus_one(format), PathModel::all(format));
        let [down, up] = [RoundingMode::TowardNegative, RoundingMode::TowardPositive].map(|mode| {
            let mut path = Fixed { mode, arrangement: Arrangement::LeftToRight, contract: false, flush: false };
            evaluate(&network, &[small], &model, &mut path).unwrap()[0]
        });
        let search = |right: Right| {
            let mut points = Points::new(format, 1, 1);
            points.push(vec![format.zero()], vec![Some((format.one(false), format.one(false)))]);
            points.push(vec![small], vec![right]);
            let found = search(&network, &points, &model, &SearchOptions::default()).unwrap();
            if let Finding::Found(witness) = &found {
                assert_eq!(witness.at, At::Point(vec![small]));
                assert_eq!(replay(&network, &points, &model, witness), Ok(witness.value));
                assert!(!is_right(format, witness.value, right));
            }
            found
        };
        assert_eq!(search(Some((down, up))), Finding::Excluded, "{name}");
        assert_eq!(search(Some((negate(format, up), up))), Finding::Excluded, "{name}");
        assert!(matches!(search(None), Finding::Found(_)));
        if down != up {
            assert!(matches!(search(Some((down, down))), Finding::Found(_)), "{name}");
            assert!(matches!(search(Some((up, up))), Finding::Found(_)), "{name}");
        }
    }
}

#[test]
fn a_witness_is_found_where_it_is() {
    let format = Format::BFLOAT16;
    let mut points = Points::new(format, 1, 1);
    points.push(vec![format.one(false)], vec![None]);
    let model = PathModel::all(format);
    let Finding::Found(mut witness) = search(&plus_one(format), &points, &model, &SearchOptions::default()).unwrap()
    else {
        panic!()
    };
    assert_eq!((witness.at.clone(), witness.neurons.len()), (points.at(0), 0));
    for at in [At::Row(0), At::Point(vec![format.zero()]), At::Point(Vec::new())] {
        witness.at = at.clone();
        let missing = Err(EvaluateError::Witness { at, output: 0 });
        assert_eq!(replay(&plus_one(format), &points, &model, &witness), missing);
    }
    let other = Points::new(format, 2, 1);
    assert_eq!(search(&plus_one(format), &other, &model, &SearchOptions::default()), Err(EvaluateError::Dataset));
}
