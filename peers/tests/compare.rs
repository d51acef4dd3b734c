//! This project against each peer: encodings, and status where the peer has one.

mod common;

use common::{Tally, conversions, every_operand, formats, random};
use roundproof_format::{Format, NAMED};
use roundproof_peers::apfloat::Apfloat;
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
use roundproof_peers::berkeley::Berkeley;
use roundproof_peers::machine::Machine;
use roundproof_peers::minifloats::Minifloats;
use roundproof_peers::mpfr::Mpfr;

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

#[test]
fn apfloat() {
    let tally = Tally::default();
    every_operand(&Apfloat, &small(), &tally);
    random(&Apfloat, &Apfloat::FORMATS, CASES, &tally);
    conversions(&Apfloat, &Apfloat::FORMATS, &Apfloat::FORMATS, CASES, &tally);
    tally.at_least(28_000_000);
}

#[test]
fn machine() {
    let tally = Tally::default();
    random(&Machine, &WIDE, CASES, &tally);
    conversions(&Machine, &WIDE, &WIDE, CASES, &tally);
    tally.at_least(1_200_000);
}

#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
#[test]
fn berkeley() {
    let tally = Tally::default();
    random(&Berkeley, &WIDE, CASES, &tally);
    conversions(&Berkeley, &WIDE, &WIDE, CASES, &tally);
    tally.at_least(13_000_000);
}

#[test]
fn mpfr() {
    let tally = Tally::default();
    every_operand(&Mpfr, &small(), &tally);
    random(&Mpfr, &WIDE, CASES, &tally);
    random(&Mpfr, &peculiar(), CASES / 10, &tally);
    conversions(&Mpfr, &small(), &small(), CASES, &tally);
    conversions(&Mpfr, &WIDE, &WIDE, CASES, &tally);
    conversions(&Mpfr, &peculiar(), &peculiar(), CASES / 10, &tally);
    tally.at_least(20_000_000);
}

#[test]
fn minifloats() {
    let tally = Tally::default();
    every_operand(&Minifloats, &small(), &tally);
    random(&Minifloats, &WIDE, CASES, &tally);
    conversions(&Minifloats, Minifloats::FORMATS, Minifloats::FORMATS, CASES, &tally);
    conversions(&Minifloats, &WIDE, Minifloats::FORMATS, CASES, &tally);
    tally.at_least(4_000_000);
}
