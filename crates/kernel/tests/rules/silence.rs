//! Under overflow to NaN, Step units that NaN silences: what is rejected, and that what is accepted is true on every path.

use roundproof_format::{Encoding, Format};
use roundproof_kernel::{BoxRejection, Claim, Evidence, Node, Rejection, Separator, Subject, Verdict, check};
use roundproof_network::{Activation, Encodings, Forest, Layer, Network, PathModel, Tree, TreeNode};

use crate::common::*;
use crate::hand_built::representable;

const F: Format = Format::FLOAT8_E4M3FN;

/// A unit of a box: weight and bias of layer 1, and the weight of layer 2.
type Side<'a> = (u32, &'a str, &'a str, &'a str);

fn box_of(inputs: usize, sides: &[Side]) -> Network {
    let (mut first, mut terms) = (Layer::new(F, Activation::Step), Vec::new());
    for (unit, &(column, weight, bias, counts)) in (0..).zip(sides) {
        first.push([(column, value(F, weight))], value(F, bias));
        terms.push((unit, counts));
    }
    let required = sides.iter().filter(|side| side.3 == "1").count();
    let second = layer(F, Activation::Step, &[(&terms, &format!("-{required}"))]);
    network(F, inputs, vec![first, second, layer(F, Activation::Identity, &[(&[(0, "3")], "0")])])
}

/// The verdict on these rows under overflow to NaN, and whether every path is right.
fn judged(network: &Network, rows: &[(&[&str], &[&str])]) -> (Result<Verdict, Rejection>, Option<bool>) {
    let (model, data) = (PathModel::parse("all,overflow=nan", F).expect("a model"), texts(F, rows));
    let evidence = Evidence::BoxNetwork(Separator { nodes: vec![Node::Box(0)] });
    (judge(&model, network, &data, &evidence), memorizes(&model, network, &data))
}

fn silenced(unit: usize) -> Result<Verdict, Rejection> {
    Err(Rejection::Boxes(BoxRejection::Silenced { neuron: BoxNumber(0), unit: Unit(unit) }))
}

const PROVED: Result<Verdict, Rejection> = Ok(Verdict::Proved);

/// `Step(x - z)` and `Step(z - x)`, each of which has to fire: where one of them overflows, the other one is silent.
#[test]
fn a_count_of_both_sides_survives() {
    let point = box_of(1, &[(0, "1", "448", "1"), (0, "-1", "-448", "1")]);
    let rows: &[(&[&str], &[&str])] = &[(&["-448"], &["3"]), (&["448"], &["0"]), (&["1"], &["0"])];
    assert_eq!(judged(&point, rows), (PROVED, Some(true)));
    // The box [-448, 64] is wider than the largest value: at 64, x - -448 overflows.
    let wide = box_of(1, &[(0, "1", "448", "1"), (0, "-1", "64", "1")]);
    assert_eq!(judged(&wide, &[(&["64"], &["3"])]), (silenced(0), Some(false)));
    // Where the rows end before, it does not.
    assert_eq!(judged(&wide, &[(&["0"], &["3"])]), (PROVED, Some(true)));
    assert_eq!(judged(&wide, &[(&["0"], &["3"]), (&["448"], &["0"])]).0, silenced(0));
}

/// A unit that has to be silent in the box, and fires beyond: looking away from zero it never overflows where it fires.
#[test]
fn a_side_that_has_to_be_silent_may_look_away_from_zero() {
    for (away, toward, far) in [("-1", "1", "-448"), ("1", "-1", "448")] {
        // Fires from 1 on, away from zero; from -1 on, through zero.
        let rows: &[(&[&str], &[&str])] = &[(&["0"], &["3"]), (&[far], &["0"])];
        assert_eq!(judged(&box_of(1, &[(0, away, "-1", "-1")]), rows), (PROVED, Some(true)));
        let through: &[(&[&str], &[&str])] = &[(&[far], &["0"])];
        assert_eq!(judged(&box_of(1, &[(0, away, "32", "-1")]), through), (silenced(0), Some(false)));
        // The other way, the same input is where it is silent.
        assert_eq!(judged(&box_of(1, &[(0, toward, "-1", "-1")]), &[(&[far], &["3"])]), (PROVED, Some(true)));
    }
}

/// A unit of weight 1 keeps far inputs out, of its own column only, and of its own side.
#[test]
fn required_units_narrow_their_column() {
    let far: &[(&[&str], &[&str])] = &[(&["448", "448"], &["0"])];
    let fires = (0, "1", "32", "-1");
    assert_eq!(judged(&box_of(2, &[fires]), far), (silenced(0), Some(false)));
    // x <= 1 has to fire, and is silent at 448, so that it does not matter what the other unit does.
    assert_eq!(judged(&box_of(2, &[fires, (0, "-1", "1", "1")]), far), (PROVED, Some(true)));
    let near: &[(&[&str], &[&str])] = &[(&["448", "0"], &["0"])];
    assert_eq!(judged(&box_of(2, &[fires, (1, "-1", "1", "1")]), near), (silenced(0), Some(false)));
    assert_eq!(judged(&box_of(2, &[fires, (0, "1", "-1", "1")]), far), (silenced(0), Some(false)));
    // As a unit that has to be silent, it keeps nothing out.
    assert_eq!(judged(&box_of(2, &[fires, (0, "-1", "1", "-1")]), far), (silenced(0), Some(false)));
}

/// The point 0, which is in order, and x <= -36, which is not: at 448 the unit that fires above may be NaN.
#[test]
fn every_box_is_looked_at() {
    let first = layer(F, Activation::Step, &[(&[(0, "1")], "0"), (&[(0, "-1")], "0"), (&[(0, "1")], "32")]);
    let second = layer(F, Activation::Step, &[(&[(0, "1"), (1, "1")], "-2"), (&[(2, "-1")], "0")]);
    let last = layer(F, Activation::Identity, &[(&[(0, "3"), (1, "5")], "0")]);
    let network = network(F, 1, vec![first, second, last]);
    let model = PathModel::parse("all,overflow=nan", F).expect("a model");
    let cut = Node::Split { column: 0, threshold: value(F, "-36") };
    let evidence = Evidence::BoxNetwork(Separator { nodes: vec![cut, Node::Box(1), Node::Box(0)] });
    let judged = |rows: &[(&[&str], &[&str])]| {
        let data = texts(F, rows);
        (judge(&model, &network, &data, &evidence), memorizes(&model, &network, &data))
    };
    assert_eq!(judged(&[(&["0"], &["3"]), (&["-36"], &["5"]), (&["32"], &["0"])]), (PROVED, Some(true)));
    let second = Rejection::Boxes(BoxRejection::Silenced { neuron: BoxNumber(1), unit: Unit(2) });
    assert_eq!(judged(&[(&["0"], &["3"]), (&["448"], &["0"])]), (Err(second), Some(false)));
}

/// At every finite input, not only at rows.
#[test]
fn of_a_function_every_input_is_in_question() {
    let judge = |weight: &str, bias: &str, counts: &str| {
        let network = box_of(1, &[(0, weight, bias, counts)]);
        let nodes = vec![TreeNode::Split { column: 0, threshold: F.one(false) }, TreeNode::Leaf, TreeNode::Leaf];
        let values = Encodings::collect(F, [F.zero(), value(F, "3")]);
        let base = Encodings::collect(F, [F.zero()]);
        let forest = Forest::new(F, 1, base, vec![Tree { nodes, values }]).expect("a forest");
        let separator = vec![Node::Split { column: 0, threshold: F.one(false) }, Node::Empty, Node::Box(0)];
        let model = PathModel::parse("all,overflow=nan", F).expect("a model");
        let claim = Claim::computes(&network, &forest, None, model, roundproof_exact::Rational::new(), vec![]);
        let subject = Subject { network: &network, data: None, forest: Some(&forest) };
        check(&claim, &subject, &Evidence::BoxNetwork(Separator { nodes: separator }), &mut |_, _| ())
    };
    // x > 1: silent is Step(1 - x), which at -448 may be NaN; or Step(x - succ(1)) fires.
    assert_eq!(judge("-1", "1", "-1"), silenced(0));
    assert_eq!(judge("1", "-1.125", "1"), PROVED);
}

/// Every box of up to two sides in a format of 5 bits, on all its values and on those that are not negative.
#[test]
fn what_is_accepted_is_true_on_every_path() {
    let (mut accepted, mut wrong, mut lost) = (0, 0, 0);
    for (name, models) in [
        ("p=2,emin=0,emax=1", ["all,overflow=nan", "all,overflow=nan,rounding=toward-positive"]),
        (
            "p=2,emin=0,emax=1,specials=fnuz",
            ["all,overflow=nan,accumulator=p=3,emin=0,emax=2/ieee", "all,overflow=nan"],
        ),
        ("p=2,emin=0,emax=1", ["all,accumulator=p=3,emin=0,emax=1/nan", "paper,overflow=nan"]),
    ] {
        let format: Format = name.parse().expect(name);
        let all = values(format);
        let [one, minus] = [false, true].map(|negative| format.one(negative));
        let sides: Vec<(Encoding, Encoding, Encoding)> = all
            .iter()
            .flat_map(|&bias| [(one, bias), (minus, bias)])
            .flat_map(|(weight, bias)| [(weight, bias, one), (weight, bias, minus)])
            .collect();
        let pairs = (0..sides.len()).flat_map(|a| (0..=a).map(move |b| if a == b { vec![a] } else { vec![a, b] }));
        let upper = all[all.len() / 2..].to_vec();
        for text in models {
            let model = PathModel::parse(text, format).expect(text);
            for chosen in pairs.clone() {
                let chosen: Vec<_> = chosen.into_iter().map(|side| sides[side]).collect();
                let (mut first, mut terms) = (Layer::new(format, Activation::Step), Vec::new());
                for (unit, &(weight, bias, counts)) in (0..).zip(&chosen) {
                    first.push([(0, weight)], bias);
                    terms.push((unit, counts));
                }
                let required = chosen.iter().filter(|side| side.2 == one).count();
                let Some(bias) = representable(format, &-roundproof_exact::Rational::from(required)) else { continue };
                let mut second = Layer::new(format, Activation::Step);
                second.push(terms, bias);
                let last = layer(format, Activation::Identity, &[(&[(0, "1")], "0")]);
                let network = network(format, 1, vec![first, second, last]);
                let inside = |input: Encoding| {
                    chosen.iter().all(|&(weight, bias, counts)| {
                        let fires = number_of(format, weight) * number_of(format, input) + number_of(format, bias) >= 0;
                        fires == (counts == one)
                    })
                };
                for inputs in [&all, &upper] {
                    let label = |input| if inside(input) { one } else { format.zero() };
                    let rows: Vec<_> = inputs.iter().map(|&input| (vec![input], vec![label(input)])).collect();
                    let data = dataset(format, &rows);
                    let evidence = Evidence::BoxNetwork(Separator { nodes: vec![Node::Box(0)] });
                    let verdict = judge(&model, &network, &data, &evidence);
                    let truth = memorizes(&model, &network, &data).expect("few paths");
                    assert!(truth || verdict.is_err(), "{format} {text} {chosen:?}");
                    accepted += usize::from(verdict.is_ok());
                    wrong += usize::from(!truth);
                    lost += usize::from(truth && verdict.is_err());
                }
            }
        }
    }
    assert!(accepted > 1000 && wrong > 100 && lost < wrong, "{accepted} {wrong} {lost}");
}
