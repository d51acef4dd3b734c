//! Every activation on every datum and on every interval of small formats, against an implementation that shares no
//! arithmetic with this one.

use roundproof_format::Class;
use roundproof_paths::Machine;

use super::*;
use crate::value::datum;

const FORMATS: [&str; 4] =
    ["float4_e2m1fn", "p=2,emin=-1,emax=1", "p=3,emin=-1,emax=2", "p=2,emin=-2,emax=2,specials=fnuz"];
const MODELS: [&str; 8] = [
    "all",
    "paper",
    "all,overflow=saturate",
    "all,overflow=nan",
    "all,rounding=toward-zero",
    "all,rounding=toward-positive,overflow=nan",
    "all,subnormals=flush",
    "paper,subnormals=flush",
];

fn settings() -> impl Iterator<Item = (Format, PathModel)> {
    FORMATS.into_iter().flat_map(|name| {
        let format: Format = name.parse().expect(name);
        MODELS.into_iter().filter_map(move |text| Some((format, PathModel::parse(text, format).ok()?)))
    })
}

/// All data; of NaN, the encoding that operations give.
fn data(format: Format) -> Vec<Encoding> {
    let is_datum = |value: &Encoding| match format.class(*value) {
        Class::Nan => Some(*value) == format.nan(),
        class => class != Class::Invalid,
    };
    format.encodings().filter(is_datum).collect()
}

/// Every activation: with every slope, and with bounds of every kind.
fn activations(format: Format) -> Vec<Activation> {
    let mut finite: Vec<Encoding> = data(format).into_iter().filter(|&value| format.is_finite(value)).collect();
    let slopes: Vec<_> = finite.iter().map(|&slope| Activation::LeakyRelu { slope }).collect();
    finite.sort_by_key(|&value| order_key(format, value));
    let ends = [0, finite.len() / 3, finite.len() / 2, finite.len() - 2, finite.len() - 1];
    let clips =
        ends.iter().flat_map(|&low| ends.iter().filter(move |&&high| low <= high).map(move |&high| (low, high)));
    let clips = clips.map(|(low, high)| Activation::Clip { low: finite[low], high: finite[high] });
    Activation::WITHOUT_PARAMETERS.iter().copied().chain(clips).chain(slopes).collect()
}

#[test]
fn what_is_admitted_for_each_datum() {
    let mut several = 0;
    for (format, model) in settings() {
        let (ours, peer) = (Activations::new(&model, format), Machine::new(format, &model).expect("checked"));
        for activation in activations(format) {
            for sum in data(format) {
                let told = peer.activations(activation, sum);
                let context = format!("{format} {model} {activation:?} {sum:?} {told:?}");
                assert_eq!(ours.plain(activation, sum), told[0], "{context}");
                assert_eq!(peer.activate(activation, sum), told[0], "{context}");
                for value in data(format) {
                    assert_eq!(ours.admits(activation, sum, value), told.contains(&value), "{context} {value:?}");
                }
                several += usize::from(told.len() > 1);
            }
        }
    }
    assert!(several > 1000, "{several}");
}

/// An image is the least interval that holds what is admitted for any sum, and there is none where NaN is.
#[test]
fn the_image_of_each_interval() {
    let (mut images, mut lost) = (0, 0);
    for (format, model) in settings().filter(|(_, model)| model.subnormals == Subnormals::Gradual) {
        let (ours, peer) = (Activations::new(&model, format), Machine::new(format, &model).expect("checked"));
        // An infinity is not a sum where there is none that an operation gives.
        let given = |value: Encoding| format.is_finite(value) || model.overflow == roundproof_format::Overflow::Ieee;
        let mut keys: Vec<i128> =
            data(format).into_iter().filter(|&v| given(v)).filter_map(|v| order_key(format, v)).collect();
        keys.sort_unstable();
        keys.dedup();
        for activation in activations(format) {
            let at = |key: &i128| {
                let told = peer.activations(activation, datum(format, *key));
                told.into_iter().map(|value| order_key(format, value)).collect::<Option<Vec<i128>>>()
            };
            let each: Vec<Option<Vec<i128>>> = keys.iter().map(at).collect();
            for low in 0..keys.len() {
                for high in low..keys.len() {
                    let told = each[low..=high].iter().flatten().flatten();
                    let hull = told.clone().min().zip(told.max()).map(|(&low, &high)| Keys { low, high });
                    let expected = match each[low..=high].iter().all(Option::is_some) {
                        true => Ok(hull.expect("there is a value for each sum")),
                        false => Err(Lost::Nan),
                    };
                    let image = ours.image(activation, Keys { low: keys[low], high: keys[high] });
                    images += usize::from(image.is_ok());
                    lost += usize::from(image.is_err());
                    assert_eq!(image, expected, "{format} {model} {activation:?} {} {}", keys[low], keys[high]);
                }
            }
        }
    }
    assert!(images > 100_000 && lost > 100, "{images} {lost}");
}
