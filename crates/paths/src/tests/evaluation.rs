//! One path: choosers, errors, traces.

use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_network::{
    Activation, At, Dataset, Encodings, Layer, Network, NeuronPath, PathModel, TreePath, Witness,
};
use roundproof_softfloat::encode;

use super::{machines, random_sum};
use crate::choose::{Arrangement, Chooser, Fixed, Plain, Site};
use crate::error::EvaluateError;
use crate::evaluate::{Computed, evaluate, replay, trace};
use crate::machine::Machine;
use crate::random::Random;

const F: Format = Format::FLOAT8_E4M3;

fn value(n: i32) -> Encoding {
    encode(F, n < 0, n.unsigned_abs().into(), 0).unwrap()
}

/// `relu(16 x0 + x1 - 16)` and `step(x1)`, then their sum.
fn network() -> Network {
    let mut hidden = Layer::new(F, Activation::Relu);
    hidden.push([(0, value(16)), (1, value(1))], value(-16));
    hidden.push([(1, value(2))], value(0));
    let mut last = Layer::new(F, Activation::Identity);
    last.push([(0, value(1)), (1, value(1))], value(0));
    Network::new(F, 2, vec![hidden, last]).unwrap()
}

fn output(chooser: &mut dyn Chooser) -> Encoding {
    let inputs = [value(1), value(1)];
    evaluate(&network(), &inputs, &PathModel::all(F), chooser).unwrap()[0]
}

#[test]
fn order_direction_and_contraction_matter() {
    // 16 + 1 lies between 16 and 18.
    let fixed = |mode, arrangement| Fixed { mode, arrangement, contract: false, flush: false };
    use Arrangement::{BiasFirst, LeftToRight};
    use RoundingMode::{TiesToEven, TowardPositive};
    assert_eq!(output(&mut Plain), value(2));
    assert_eq!(output(&mut fixed(TiesToEven, LeftToRight)), value(2));
    assert_eq!(output(&mut fixed(TowardPositive, LeftToRight)), value(4));
    assert_eq!(output(&mut fixed(TiesToEven, BiasFirst)), value(3));
}

#[test]
fn a_trace_tells_what_evaluate_gives() {
    let inputs = [value(1), value(1)];
    let model = PathModel::all(F);
    let told = trace(&network(), &inputs, &model, &mut Random::new(7, 3)).unwrap();
    let outputs = evaluate(&network(), &inputs, &model, &mut Random::new(7, 3)).unwrap();
    assert_eq!(told.layers[1][0].value, outputs[0]);
    let machine = Machine::new(F, &model).unwrap();
    for neuron in told.layers.iter().flatten() {
        let Computed::Sum { sum, path, steps } = &neuron.computed else { panic!("sums alone") };
        assert_eq!(machine.sum(sum, path), *steps);
        assert_eq!(steps.additions.len(), sum.terms.len());
    }
}

#[test]
fn random_paths_are_the_same_everywhere() {
    // Written down once: a change here changes what a seed means.
    let machine = Machine::new(F, &PathModel::all(F)).unwrap();
    let path = Random::new(0x1234_5678_9abc_def0, 5).path(4, &machine);
    let shape: Vec<(u32, u32, bool)> = path.additions.iter().map(|a| (a.left, a.right, a.contracted)).collect();
    assert_eq!(shape, [(3, 2, true), (4, 5, false), (0, 6, true), (7, 1, false)]);
}

#[test]
fn what_cannot_be_evaluated_is_told() {
    let model = PathModel::all(F);
    let network = network();
    let error = |inputs: &[Encoding], model: &PathModel| evaluate(&network, inputs, model, &mut Plain).unwrap_err();
    assert_eq!(error(&[value(1)], &model), EvaluateError::Inputs { given: 1, expected: 2 });
    let invalid = Encoding::from_bits(0x100);
    assert_eq!(error(&[value(1), invalid], &model), EvaluateError::Datum { column: 1, bits: 0x100 });
    let foreign = PathModel::parse("all,accumulator=bfloat16", F).unwrap();
    assert!(evaluate(&network, &[value(1), value(1)], &foreign, &mut Plain).is_ok());
    let mut bad = PathModel::all(F);
    let narrow = roundproof_network::Accumulator::Wider { format: Format::FLOAT4_E2M1FN, overflow: bad.overflow };
    bad.summation.trees_mut().accumulator = narrow;
    assert!(matches!(error(&[value(1), value(1)], &bad), EvaluateError::Model(_)));

    struct Foreign;
    impl Chooser for Foreign {
        fn choose(&mut self, _: Site, _: &crate::Sum, _: &Machine) -> std::borrow::Cow<'_, TreePath> {
            std::borrow::Cow::Owned(TreePath { products: vec![], additions: vec![], narrowing: None })
        }
    }
    let refused = evaluate(&network, &[value(1), value(1)], &model, &mut Foreign).unwrap_err();
    assert!(matches!(refused, EvaluateError::Path { layer: 0, neuron: 0, .. }));
}

#[test]
fn witnesses_replay_and_strange_ones_are_refused() {
    let column = |n: &[i32]| Encodings::collect(F, n.iter().map(|&n| value(n)));
    let data = Dataset::new(F, 2, 1, column(&[1, 1]), column(&[2])).unwrap();
    let model = PathModel::all(F);
    let up = TreePath::plain(
        2,
        &PathModel { rounding: roundproof_network::Rounding::Mode(RoundingMode::TowardPositive), ..model },
    );
    let neuron = NeuronPath { layer: 0, neuron: 0, path: up.into(), value: None };
    let mut witness = Witness { at: At::Row(0), output: 0, value: value(4), neurons: vec![neuron] };
    assert_eq!(replay(&network(), &data, &model, &witness), Ok(value(4)));
    witness.neurons[0].neuron = 2;
    assert_eq!(replay(&network(), &data, &model, &witness), Err(EvaluateError::Witness { at: At::Row(0), output: 0 }));
    let other = Dataset::new(F, 1, 1, column(&[1, 1]), column(&[2, 2])).unwrap();
    witness.neurons.clear();
    assert_eq!(replay(&network(), &other, &model, &witness), Err(EvaluateError::Dataset));
}

#[test]
fn the_short_cut_of_the_plain_path_is_none() {
    let mut random = Random::new(22, 0);
    for machine in machines() {
        for _ in 0..20 {
            let sum = random_sum(&mut random, machine.format(), 5);
            let path = TreePath::plain(sum.terms.len(), machine.model());
            let short = machine.in_order(sum.terms.iter().copied(), sum.bias, machine.plain_mode());
            assert_eq!(short, machine.sum(&sum, &path).value, "{} {} {sum:?}", machine.format(), machine.model());
        }
    }
}

#[test]
fn every_fixed_path_is_in_its_model() {
    let mut random = Random::new(21, 0);
    for machine in machines() {
        let sum = random_sum(&mut random, machine.format(), 9);
        for &arrangement in Arrangement::ALL {
            for (contract, flush) in [(false, false), (true, false), (true, true)] {
                let path = Fixed { mode: RoundingMode::TiesToAway, arrangement, contract, flush }.path(&sum, &machine);
                assert_eq!(path.check(sum.terms.len(), machine.model()), Ok(()));
            }
        }
    }
}
