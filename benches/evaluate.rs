//! A dense layer on the plain path and on random paths, beside a plain loop over the host's `f32`; ratios to that loop.
//!
//! `just bench evaluate`, or `just bench evaluate -- 1024` for another number of inputs and outputs than 4096.
//!
//! The plain loop is `sum += weight * input` from left to right, as anybody would write it. One row at a time each sum waits
//! for the last product; in a block of rows, the loop over them is innermost, and becomes vector instructions. The
//! evaluator has both forms too.

#![allow(clippy::unwrap_used)] // a benchmark that fails ends

use std::hint::black_box;
use std::time::Instant;

use comfy_table::Table;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_network::{Activation, Datatype, Dense, Encodings, Matrix, Network, Op, PathModel, Step, Storage};
use roundproof_paths::{Arrangement, Fixed, Random, evaluate, evaluate_rows};
use roundproof_softfloat::Arithmetic;

/// Rows in a block.
const BLOCK: usize = 32;
const RUNS: usize = 5;

fn main() {
    let given = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let size: usize = given.unwrap_or(4096);
    let mut state = 1u64;
    let mut number = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let weights: Vec<f32> = (0..size * size).map(|_| number()).collect();
    let rows: Vec<Vec<f32>> = (0..BLOCK).map(|_| (0..size).map(|_| number()).collect()).collect();

    let mut table = Table::new();
    table.set_header(["", "ns per product", "plain loop, one row", "plain loop, block"]);
    for format in [Format::BINARY32, Format::BFLOAT16, Format::BINARY16] {
        let (network, inputs) = subject(format, &weights, &rows);
        let all: Vec<&[Encoding]> = inputs.iter().map(Vec::as_slice).collect();
        let model = PathModel::all(format);
        let plain = |mode| Fixed { mode, arrangement: Arrangement::LeftToRight, contract: false, flush: false };
        let block = |mode| evaluate_rows(&network, &all, &model, &mut plain(mode)).unwrap();
        let one = |mode| evaluate(&network, all[0], &model, &mut plain(mode)).unwrap();
        let (even, up) = (RoundingMode::TiesToEven, RoundingMode::TowardPositive);
        let products = (size * size) as f64;
        let block_of = BLOCK as f64 * products;
        // All in turn, so that what slows the machine down slows all of them.
        let times = medians([
            (products, &mut || drop(black_box(loop_over_one(&weights, &rows[0])))),
            (block_of, &mut || drop(black_box(loop_over_block(&weights, &rows)))),
            (products, &mut || drop(black_box(one(even)))),
            (block_of, &mut || drop(black_box(block(even)))),
            (products, &mut || drop(black_box(one(up)))),
            (block_of, &mut || drop(black_box(block(up)))),
            (products, &mut || drop(black_box(evaluate(&network, all[0], &model, &mut Random::new(1, 0)).unwrap()))),
        ]);
        let names = [
            "f32, plain loop, one row",
            "f32, plain loop, block",
            "plain path, one row",
            "plain path, block",
            "toward positive, one row",
            "toward positive, block",
            "random path, one row",
        ];
        for (name, time) in names.into_iter().zip(times) {
            let ratio = |peer: f64| format!("{:.2}x", time / peer);
            table.add_row([format!("{format}: {name}"), format!("{time:.3}"), ratio(times[0]), ratio(times[1])]);
        }
    }
    println!("a dense layer of {size} x {size}, medians of {RUNS} runs, one thread, blocks of {BLOCK} rows\n{table}");
}

/// The layer and the rows, rounded to a format.
fn subject(format: Format, weights: &[f32], rows: &[Vec<f32>]) -> (Network, Vec<Vec<Encoding>>) {
    let arithmetic = Arithmetic::new(format, Overflow::Ieee).unwrap();
    let rounded = |value: &f32| {
        let bits = Encoding::from_bits(value.to_bits().into());
        arithmetic.convert(RoundingMode::TiesToEven, Format::BINARY32, bits).encoding
    };
    let size = rows[0].len();
    let weights = Encodings::collect(format, weights.iter().map(rounded));
    let bias = Encodings::collect(format, (0..size).map(|_| format.one(false)));
    let matrix = Matrix::new(Storage::Dense(Dense { inputs: size, weights }));
    let op = Op::Sum { matrix, bias };
    let step = Step { op, reads: vec![0], datatype: Datatype::Float(format), activation: Activation::Relu };
    let rows = rows.iter().map(|row| row.iter().map(rounded).collect()).collect();
    (Network::of_steps(format, size, vec![step]).unwrap(), rows)
}

fn loop_over_one(weights: &[f32], row: &[f32]) -> Vec<f32> {
    let sum = |weights: &[f32]| {
        let mut sum = 0.0;
        for (weight, input) in weights.iter().zip(row) {
            sum += weight * input;
        }
        f32::max(sum + 1.0, 0.0)
    };
    weights.chunks(row.len()).map(sum).collect()
}

fn loop_over_block(weights: &[f32], rows: &[Vec<f32>]) -> Vec<[f32; BLOCK]> {
    let column = |column: usize| std::array::from_fn(|row| rows[row][column]);
    let columns: Vec<[f32; BLOCK]> = (0..rows[0].len()).map(column).collect();
    let sums = |weights: &[f32]| {
        let mut sums = [0.0; BLOCK];
        for (weight, inputs) in weights.iter().zip(&columns) {
            for (sum, input) in sums.iter_mut().zip(inputs) {
                *sum += weight * input;
            }
        }
        sums.map(|sum| f32::max(sum + 1.0, 0.0))
    };
    weights.chunks(rows[0].len()).map(sums).collect()
}

/// Nanoseconds per product of each subject, which has so many.
fn medians<const N: usize>(mut subjects: [(f64, &mut dyn FnMut()); N]) -> [f64; N] {
    let mut times = [[0.0; RUNS]; N];
    for run in 0..RUNS {
        for ((products, subject), times) in subjects.iter_mut().zip(&mut times) {
            let start = Instant::now();
            subject();
            times[run] = start.elapsed().as_secs_f64() * 1e9 / *products;
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[RUNS / 2]
    })
}
