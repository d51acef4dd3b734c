//! The questions, and the comparison of the answers.

#![allow(dead_code)] // Each test file uses a part.

pub mod cases;

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_peers::differences::Seen;
use roundproof_peers::{Answer, Operation, Peer, Question};
use roundproof_softfloat::{Arithmetic, Outcome};

use cases::Cases;

/// An operation of this project.
pub type Ours = fn(&Arithmetic, Question) -> Outcome;

/// The operation as this project has it.
fn ours(operation: Operation) -> Ours {
    match operation {
        Operation::Add => |arithmetic, q| arithmetic.add(q.mode, q.operands[0], q.operands[1]),
        Operation::Subtract => |arithmetic, q| arithmetic.subtract(q.mode, q.operands[0], q.operands[1]),
        Operation::Multiply => |arithmetic, q| arithmetic.multiply(q.mode, q.operands[0], q.operands[1]),
        Operation::FusedMultiplyAdd => |arithmetic, q| {
            let [a, b, c] = q.operands;
            arithmetic.fused_multiply_add(q.mode, a, b, c)
        },
        Operation::Convert(_) => {
            |arithmetic, q| arithmetic.convert(q.mode, q.operation.source(q.format), q.operands[0])
        }
        Operation::Divide => |arithmetic, q| arithmetic.divide(q.mode, q.operands[0], q.operands[1]),
        Operation::SquareRoot => |arithmetic, q| arithmetic.square_root(q.mode, q.operands[0]),
        Operation::Remainder => |arithmetic, q| arithmetic.remainder(q.operands[0], q.operands[1]),
        Operation::RoundToIntegral => |arithmetic, q| arithmetic.round_to_integral_exact(q.mode, q.operands[0]),
    }
}

/// The operations that both sides have, with a result in the format.
fn operations(peer: &dyn Peer, format: Format) -> impl Iterator<Item = (Operation, Ours)> {
    let offered = Operation::HOMOGENEOUS.into_iter().filter(move |&operation| peer.has(operation, format));
    offered.map(|operation| (operation, ours(operation)))
}

/// An operation in one format and direction, put to both sides.
pub struct Comparison<'a> {
    peer: &'a dyn Peer,
    arithmetic: Arithmetic,
    ours: Ours,
    question: Question,
}

impl<'a> Comparison<'a> {
    pub fn new(peer: &'a dyn Peer, format: Format, operation: Operation, mode: RoundingMode) -> Comparison<'a> {
        Comparison {
            peer,
            arithmetic: Arithmetic::new(format, peer.overflow(format)).expect("a policy of the format"),
            ours: ours(operation),
            question: Question { format, operation, mode, operands: [format.zero(); 3] },
        }
    }

    pub fn see(&self, operands: [Encoding; 3]) -> Seen {
        let question = Question { operands, ..self.question };
        let Outcome { encoding, status } = (self.ours)(&self.arithmetic, question);
        Seen { question, ours: Answer { encoding, status: Some(status) }, theirs: self.peer.answer(question) }
    }

    /// Compares one answer.
    ///
    /// # Panics
    ///
    /// If the two differ in a way that is not tolerated.
    pub fn check(&self, operands: [Encoding; 3]) {
        let seen = self.see(operands);
        if !seen.agrees() && seen.tolerated(self.peer.name()).is_none() {
            let Seen { question, ours, theirs } = seen;
            panic!("{question}: {ours:x?} here, {theirs:x?} from {}", self.peer.name());
        }
    }
}

/// How many questions were asked.
#[derive(Default)]
pub struct Tally(AtomicU64);

impl Tally {
    fn add(&self, questions: u64) {
        self.0.fetch_add(questions, Ordering::Relaxed);
    }

    /// # Panics
    ///
    /// If there were fewer questions: something was left out.
    pub fn at_least(self, expected: u64) {
        let asked = self.0.into_inner();
        println!("{asked} questions");
        assert!(asked >= expected, "{asked} questions were asked, fewer than {expected}");
    }
}

/// All operands of operations in formats of up to 16 bits, all pairs in those of up to 8, all triples in those of so many
/// bits.
pub fn every_operand(peer: &dyn Peer, formats: &[Format], triples: u32, tally: &Tally) {
    for &format in formats.iter().filter(|format| peer.has_format(**format)) {
        assert!(format.width() <= 16, "{format} is too large to enumerate");
        let data: Vec<Encoding> = format.encodings().collect();
        for (operation, _) in operations(peer, format) {
            let seconds = if operation.arity() >= 2 { &data[..] } else { &data[..1] };
            let thirds = match operation.arity() {
                3 if format.width() <= triples => &data[..],
                3 => continue,
                2 if format.width() > 8 => continue,
                _ => &data[..1],
            };
            for &mode in peer.modes(operation) {
                let comparison = Comparison::new(peer, format, operation, mode);
                data.par_iter().for_each(|&a| {
                    seconds.iter().for_each(|&b| thirds.iter().for_each(|&c| comparison.check([a, b, c])));
                });
                tally.add((data.len() * seconds.len() * thirds.len()) as u64);
            }
        }
    }
}

/// Every conversion between these formats that the peer has; complete from those of up to 16 bits.
pub fn conversions(peer: &dyn Peer, from: &[Format], to: &[Format], cases: u64, tally: &Tally) {
    for (&from, &to) in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))) {
        let operation = Operation::Convert(from);
        if !peer.has(operation, to) {
            continue;
        }
        for &mode in peer.modes(operation) {
            let comparison = Comparison::new(peer, to, operation, mode);
            if from.width() <= 16 {
                let data: Vec<Encoding> = from.encodings().collect();
                data.par_iter().for_each(|&a| comparison.check([a; 3]));
                tally.add(data.len() as u64);
            } else {
                shards(cases, |seed, count| {
                    let mut cases = Cases::new(from, seed);
                    (0..count).for_each(|_| comparison.check([cases.near(to); 3]));
                });
                tally.add(cases);
            }
        }
    }
}

/// Random operands, gathered where roundings are hard.
pub fn random(peer: &dyn Peer, formats: &[Format], cases: u64, tally: &Tally) {
    for &format in formats.iter().filter(|format| peer.has_format(**format)) {
        for (operation, _) in operations(peer, format) {
            for &mode in peer.modes(operation) {
                let comparison = Comparison::new(peer, format, operation, mode);
                shards(cases, |seed, count| {
                    let mut cases = Cases::new(format, seed ^ (mode as u64) << 32);
                    (0..count).for_each(|_| comparison.check(cases.triple()));
                });
                tally.add(cases);
            }
        }
    }
}

/// Splits a number of cases among threads, each with its seed.
fn shards(cases: u64, work: impl Fn(u64, u64) + Sync) {
    const SHARD: u64 = 1_000;
    assert_eq!(cases % SHARD, 0);
    (0..cases / SHARD).into_par_iter().for_each(|seed| work(seed, SHARD));
}

/// Formats by name.
pub fn formats(names: &[&str]) -> Vec<Format> {
    names.iter().map(|name| name.parse().expect("a format")).collect()
}
