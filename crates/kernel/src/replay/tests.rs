//! Every product with every choice, and every maximum, of small formats, against an implementation that shares no arithmetic with
//! this one.

use roundproof_format::Class;
use roundproof_network::Flushes;
use roundproof_paths::Machine;

use super::*;

/// What is read, and what is made of it.
const FORMATS: [(&str, &str); 5] = [
    ("float4_e2m1fn", "float4_e2m1fn"),
    ("p=2,emin=-1,emax=1", "p=2,emin=-1,emax=1"),
    ("p=2,emin=-2,emax=2,specials=fnuz", "p=2,emin=-2,emax=2,specials=fnuz"),
    ("float4_e2m1fn", "p=3,emin=-1,emax=3"),
    ("p=2,emin=-1,emax=1", "p=2,emin=-3,emax=2"),
];

fn settings() -> impl Iterator<Item = (Format, Format, PathModel)> {
    FORMATS.into_iter().flat_map(|(operands, format)| {
        let [operands, format] = [operands, format].map(|name| name.parse::<Format>().expect(name));
        ["all,subnormals=flush", "all,subnormals=flush,overflow=saturate", "all,subnormals=flush,overflow=nan"]
            .into_iter()
            .filter_map(move |text| PathModel::parse(text, format).ok()?.at(operands, format).ok())
            .map(move |model| (operands, format, model))
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

#[test]
fn every_product() {
    let (mut products, mut flushed) = (0, 0);
    for (operands, format, model) in settings() {
        let (ours, peer) =
            (Replay::new(&model, operands, format), Machine::of(operands, format, &model).expect("checked"));
        for (a, b) in data(operands).into_iter().flat_map(|a| data(operands).into_iter().map(move |b| (a, b))) {
            for &mode in RoundingMode::ALL {
                let plain = ours.product([a, b], Choice::plain(mode));
                for flags in 0..8 {
                    let flushes = Flushes { left: flags & 1 != 0, right: flags & 2 != 0, result: flags & 4 != 0 };
                    let choice = Choice { mode, flushes };
                    let given = ours.product([a, b], choice);
                    assert_eq!(
                        given,
                        peer.multiply([a, b], choice),
                        "{operands} to {format}, {model}: {a:?} * {b:?}, {choice:?}"
                    );
                    products += 1;
                    flushed += usize::from(given != plain);
                }
            }
        }
    }
    assert!(products > 50_000 && flushed > 5_000, "{products}, {flushed}");
}

#[test]
fn every_maximum_of_three() {
    for (operands, format, model) in settings().filter(|(operands, format, _)| operands == format) {
        let (ours, peer) =
            (Replay::new(&model, operands, format), Machine::of(operands, format, &model).expect("checked"));
        let all = data(format);
        for &a in &all {
            for &b in &all {
                for &c in &all {
                    let values = [a, b, c];
                    assert_eq!(
                        ours.maximum(values.into_iter()),
                        peer.maximum(values.into_iter()),
                        "{format}: {values:?}"
                    );
                }
            }
            assert_eq!(ours.maximum([a].into_iter()), peer.maximum([a].into_iter()), "{format}: {a:?}");
        }
    }
}
