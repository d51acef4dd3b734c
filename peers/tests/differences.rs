//! What is tolerated occurs, and nothing else is tolerated.

mod common;

use common::Comparison;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_peers::apfloat::Apfloat;
use roundproof_peers::differences::TOLERATED;
use roundproof_peers::{Answer, Operation, Peer, Question, all};

#[test]
fn every_difference_occurs() {
    let peers = all();
    for known in TOLERATED {
        let peer = peers.iter().find(|peer| peer.name() == known.peer);
        let peer = peer.unwrap_or_else(|| panic!("no peer has the name {}", known.peer));
        let Question { format, operation, mode, operands } = known.example;
        let seen = Comparison::new(peer.as_ref(), format, operation, mode).see(operands);
        assert_eq!(seen.ours.encoding.bits(), known.ours, "{}", known.reason);
        assert_eq!(seen.theirs.encoding.bits(), known.theirs, "{}", known.reason);
        assert!(!seen.agrees() && (known.covers)(&seen), "{}", known.reason);
        // No earlier entry covers it: this one is needed.
        assert_eq!(seen.tolerated(known.peer).map(|found| found.reason), Some(known.reason));
    }
}

/// A peer with a fault in it.
struct Faulty {
    wrong: fn(Question, Answer) -> Answer,
}

impl Peer for Faulty {
    fn name(&self) -> &'static str {
        Apfloat.name()
    }
    fn has_format(&self, format: Format) -> bool {
        Apfloat.has_format(format)
    }
    fn has(&self, operation: Operation, format: Format) -> bool {
        Apfloat.has(operation, format)
    }
    fn modes(&self, operation: Operation) -> &'static [RoundingMode] {
        Apfloat.modes(operation)
    }
    fn overflow(&self, format: Format) -> Overflow {
        Apfloat.overflow(format)
    }
    fn knows_status(&self) -> bool {
        false
    }
    fn answer(&self, question: Question) -> Answer {
        (self.wrong)(question, Apfloat.answer(question))
    }
}

/// Whether a comparison with a peer that has this fault finds it, in a few hundred additions of this format.
fn is_found(format: Format, mode: RoundingMode, wrong: fn(Question, Answer) -> Answer) -> bool {
    let peer = Faulty { wrong };
    let comparison = Comparison::new(&peer, format, Operation::Add, mode);
    let mut cases = common::cases::Cases::new(format, 1);
    (0..10_000).map(|_| comparison.see(cases.triple())).any(|s| !s.agrees() && s.tolerated(peer.name()).is_none())
}

fn with_bits(answer: Answer, change: impl Fn(u128) -> u128) -> Answer {
    Answer { encoding: Encoding::from_bits(change(answer.encoding.bits())), ..answer }
}

#[test]
fn faults_are_found() {
    for format in Apfloat::FORMATS {
        for &mode in RoundingMode::ALL {
            assert!(!is_found(format, mode, |_, answer| answer), "{format}, {mode}: nothing is wrong");
            assert!(is_found(format, mode, |_, answer| with_bits(answer, |bits| bits ^ 1)), "{format}, {mode}: a bit");
            // The sign of a zero alone.
            let negative_zero = |q: Question, answer: Answer| {
                let zero = q.format.is_zero(answer.encoding);
                with_bits(answer, |bits| if zero { bits ^ 1 << (q.format.width() - 1) } else { bits })
            };
            assert!(is_found(format, mode, negative_zero), "{format}, {mode}: the sign of zero");
            // NaN for the largest value, everywhere.
            let nan_for_largest = |q: Question, answer: Answer| {
                let largest = q.format.largest(false) == Some(answer.encoding);
                let nan = q.format.nan().expect("a NaN");
                with_bits(answer, |bits| if largest { nan.bits() } else { bits })
            };
            assert!(is_found(format, mode, nan_for_largest), "{format}, {mode}: NaN for the largest value");
            // A status that is wrong beside an encoding that is right.
            let status = |_: Question, answer: Answer| Answer {
                status: Some(roundproof_format::Status::DIVIDE_BY_ZERO),
                ..answer
            };
            assert!(is_found(format, mode, status), "{format}, {mode}: the status");
        }
        // Another direction than the one asked for.
        for (asked, given) in [
            (RoundingMode::TiesToEven, RoundingMode::TiesToAway),
            (RoundingMode::TowardZero, RoundingMode::TowardNegative),
        ] {
            let other = match given {
                RoundingMode::TiesToAway => |q, _| Apfloat.answer(Question { mode: RoundingMode::TiesToAway, ..q }),
                _ => |q, _| Apfloat.answer(Question { mode: RoundingMode::TowardNegative, ..q }),
            };
            assert!(is_found(format, asked, other), "{format}, {asked} as {given}");
        }
    }
}
