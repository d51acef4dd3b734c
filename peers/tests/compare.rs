//! This project against each peer: encodings, and status where the peer has one.

mod common;

use common::{Comparison, Tally, conversions, every_operand, formats, random};
use rayon::prelude::*;
use roundproof_format::{Encoding, Format, NAMED};
use roundproof_peers::apfloat::Apfloat;
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
use roundproof_peers::berkeley::Berkeley;
use roundproof_peers::machine::Machine;
use roundproof_peers::minifloats::Minifloats;
use roundproof_peers::mpfr::Mpfr;
use roundproof_peers::{Operation, Peer};

/// Of each operation in each direction.
const CASES: u64 = 100_000;

const WIDE: [Format; 6] =
    [Format::BFLOAT16, Format::BINARY16, Format::TF32, Format::BINARY32, Format::BINARY64, Format::BINARY128];

/// Formats of up to 8 bits: those with names, all with the layout of IEEE 754, and some that are odd in one way each.
fn small() -> Vec<Format> {
    let named = NAMED.iter().map(|(_, format, _)| *format).filter(|format| format.width() <= 8);
    let layouts =
        (2..=6).flat_map(|exponent| (1..=7 - exponent).map(move |trailing| format!("e{exponent}m{trailing}")));
    let odd = formats(&[
        "p=1,emin=-3,emax=4,specials=finite",
        "p=1,emin=-4,emax=3,specials=fnuz",
        "p=2,emin=-3,emax=3",
        "p=3,emin=-2,emax=2",
        "p=3,emin=-5,emax=0,specials=fnuz",
        "p=3,emin=1,emax=4,specials=finite",
        "p=4,emin=3,emax=5,specials=ieee",
        "p=4,emin=0,emax=0,specials=fn",
        "p=2,emin=-3,emax=3,specials=fn",
    ]);
    let mut all: Vec<Format> = named.chain(layouts.map(|name| name.parse().expect("a format"))).chain(odd).collect();
    all.sort();
    all.dedup();
    all
}

/// Formats that no other peer has: every kind of word, and precisions at their ends.
fn peculiar() -> Vec<Format> {
    formats(&[
        "F(1)",
        "F(2)",
        "F(8)",
        "F(32)",
        "F(53)",
        "F(96)",
        "e5m7",
        "e3m29",
        "e3m30",
        "e4m59",
        "e3m60",
        "e4m62",
        "p=1,emin=-40,emax=90,specials=finite",
        "p=2,emin=-30,emax=32,specials=fn",
        "p=9,emin=-3,emax=60",
        "p=11,emin=-60,emax=3,specials=fnuz",
        "p=24,emin=10,emax=40,specials=finite",
        "p=64,emin=-16382,emax=16383",
        "p=113,emin=0,emax=0,specials=fn",
        "p=113,emin=-20,emax=5,specials=fnuz",
    ])
}

/// How much is asked: 1 in every run of the tests, [`SLOW`] in the slow ones.
const SLOW: u64 = 100;

/// The formats of 16 bits, of which every operand of a single one is asked.
const SIXTEEN: [Format; 2] = [Format::BFLOAT16, Format::BINARY16];

/// Formats of which every triple is asked, in bits.
fn triples(times: u64) -> u32 {
    if times == SLOW { 8 } else { 6 }
}

fn apfloat(times: u64) {
    let tally = Tally::default();
    every_operand(&Apfloat, &SIXTEEN, 0, &tally);
    every_operand(&Apfloat, &small(), triples(times), &tally);
    random(&Apfloat, &Apfloat::FORMATS, times * CASES, &tally);
    conversions(&Apfloat, &Apfloat::FORMATS, &Apfloat::FORMATS, times * CASES, &tally);
    tally.at_least(24_000_000 * times);
}

fn machine(times: u64) {
    let tally = Tally::default();
    random(&Machine, &WIDE, times * CASES, &tally);
    conversions(&Machine, &WIDE, &WIDE, times * CASES, &tally);
    tally.at_least(1_200_000 * times);
}

#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
fn berkeley(times: u64) {
    let tally = Tally::default();
    every_operand(&Berkeley, &SIXTEEN, 0, &tally);
    random(&Berkeley, &WIDE, times * CASES, &tally);
    conversions(&Berkeley, &WIDE, &WIDE, times * CASES, &tally);
    tally.at_least(12_000_000 * times);
}

fn mpfr(times: u64) {
    let tally = Tally::default();
    every_operand(&Mpfr, &SIXTEEN, 0, &tally);
    every_operand(&Mpfr, &small(), triples(times).min(7), &tally);
    random(&Mpfr, &WIDE, times * CASES, &tally);
    random(&Mpfr, &peculiar(), times * CASES / 10, &tally);
    conversions(&Mpfr, &small(), &small(), CASES, &tally);
    conversions(&Mpfr, &WIDE, &WIDE, times * CASES, &tally);
    conversions(&Mpfr, &peculiar(), &peculiar(), times * CASES / 50, &tally);
    tally.at_least(20_000_000 * times);
}

fn minifloats(times: u64) {
    let tally = Tally::default();
    every_operand(&Minifloats, &SIXTEEN, 0, &tally);
    every_operand(&Minifloats, &small(), 0, &tally);
    random(&Minifloats, &WIDE, times * CASES, &tally);
    conversions(&Minifloats, Minifloats::FORMATS, Minifloats::FORMATS, CASES, &tally);
    conversions(&Minifloats, &WIDE, Minifloats::FORMATS, times * CASES, &tally);
    tally.at_least(2_900_000 * times);
}

/// Each peer, and how much is asked of it.
macro_rules! tests {
    ($($(#[$condition:meta])* $peer:ident),+) => {
        $($(#[$condition])* #[test] fn $peer() { super::$peer(TIMES) })+
    };
}

mod quick {
    const TIMES: u64 = 1;
    tests!(apfloat, machine, mpfr, minifloats);
    #[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
    tests!(berkeley);
}

mod slow {
    use super::*;

    const TIMES: u64 = SLOW;
    tests!(
        #[ignore = "minutes"]
        apfloat,
        #[ignore = "minutes"]
        machine,
        #[ignore = "an hour"]
        mpfr,
        #[ignore = "minutes"]
        minifloats
    );
    #[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
    tests!(
        #[ignore = "minutes"]
        berkeley
    );

    /// All pairs of encodings of 16 bits, in every direction: 2^32 of each.
    fn every_pair(peer: &dyn Peer, format: Format, operation: Operation) {
        let data: Vec<Encoding> = format.encodings().collect();
        for &mode in peer.modes(operation) {
            let comparison = Comparison::new(peer, format, operation, mode);
            data.par_iter().for_each(|&a| data.iter().for_each(|&b| comparison.check([a, b, b])));
        }
    }

    #[test]
    #[ignore = "an hour"]
    fn every_pair_of_bfloat16() {
        every_pair(&Apfloat, Format::BFLOAT16, Operation::Add);
        every_pair(&Apfloat, Format::BFLOAT16, Operation::Multiply);
    }

    #[test]
    #[ignore = "an hour"]
    fn every_pair_of_binary16() {
        #[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
        let peer = Berkeley;
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
        let peer = Apfloat;
        every_pair(&peer, Format::BINARY16, Operation::Add);
        every_pair(&peer, Format::BINARY16, Operation::Multiply);
    }
}
