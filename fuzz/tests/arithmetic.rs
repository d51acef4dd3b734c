//! Whatever the operands, every peer that has the operation gives our result, but for what is known to differ.

use std::sync::LazyLock;

use bolero::check;
use roundproof_format::{Encoding, Format, NAMED, RoundingMode};
use roundproof_peers::differences::Seen;
use roundproof_peers::{Answer, Operation, Peer, Question, all};
use roundproof_softfloat::{Arithmetic, Outcome};

static PEERS: LazyLock<Vec<Box<dyn Peer>>> = LazyLock::new(all);

fn ours(arithmetic: &Arithmetic, question: Question) -> Outcome {
    let Question { format, operation, mode, operands: [a, b, c] } = question;
    match operation {
        Operation::Add => arithmetic.add(mode, a, b),
        Operation::Subtract => arithmetic.subtract(mode, a, b),
        Operation::Multiply => arithmetic.multiply(mode, a, b),
        Operation::FusedMultiplyAdd => arithmetic.fused_multiply_add(mode, a, b, c),
        _ => arithmetic.convert(mode, operation.source(format), a),
    }
}

fn format(index: u8) -> Format {
    NAMED[usize::from(index) % NAMED.len()].1
}

#[test]
fn arithmetic() {
    check!().with_type::<(u8, u8, u8, u8, [u128; 3])>().for_each(|&(result, source, operation, mode, bits)| {
        let operations = [
            Operation::Add,
            Operation::Subtract,
            Operation::Multiply,
            Operation::FusedMultiplyAdd,
            Operation::Convert(format(source)),
        ];
        let format = format(result);
        let operation = operations[usize::from(operation) % operations.len()];
        let mode = RoundingMode::ALL[usize::from(mode) % RoundingMode::ALL.len()];
        // From the top: a significand of zeros below is as likely as one above.
        let from = operation.source(format);
        let operands = bits.map(|bits| Encoding::from_bits(bits >> (128 - from.width())));
        let question = Question { format, operation, mode, operands };
        for peer in PEERS.iter().filter(|peer| peer.has(operation, format) && peer.modes(operation).contains(&mode)) {
            let arithmetic = Arithmetic::new(format, peer.overflow(format)).expect("a policy of the format");
            let Outcome { encoding, status } = ours(&arithmetic, question);
            let ours = Answer { encoding, status: Some(status) };
            let seen = Seen { question, ours, theirs: peer.answer(question) };
            assert!(seen.agrees() || seen.tolerated(peer.name()).is_some(), "{}: {seen:?}", peer.name());
        }
    });
}
