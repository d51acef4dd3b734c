//! Arithmetic beside its peers, one operation at a time: nanoseconds per operation, and how often ours fits into theirs.
//!
//! `just bench softfloat`; `just bench softfloat -- add/binary32` for a part.
//!
//! *Throughput* is that of a loop over 4096 operands whose operations do not depend on each other, *latency* that of a
//! chain in which each waits for the one before. The direction is a constant of the loop, in every implementation that
//! has it as an argument, and every one delivers result and status, where it has one.

mod operands;
mod report;
mod subjects;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use roundproof_format::{RoundingMode, Status};
use roundproof_softfloat::{Bfloat16, Binary16, Binary32, Binary64, Binary128};
use std::hint::black_box;
use std::time::Duration;

use operands::Distribution;
use subjects::{Operation, Subject};

/// What is measured of one operation in one format.
type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// Results and status of one operation after another.
fn throughput<T>(
    group: &mut Group,
    who: &str,
    row: &str,
    operands: &[T],
    mut operation: impl FnMut(&T) -> (u64, Status),
) {
    group.throughput(Throughput::Elements(operands.len() as u64));
    time(group, BenchmarkId::new(who, row), &mut || {
        let (mut sum, mut status) = (0u64, Status::NONE);
        for operands in black_box(operands) {
            let (result, raised) = operation(operands);
            sum = sum.wrapping_add(result);
            status |= raised;
        }
        (sum, status)
    });
}

/// The measuring, compiled once for all loops.
fn time(group: &mut Group, id: BenchmarkId, pass: &mut dyn FnMut() -> (u64, Status)) {
    group.bench_function(id, |bencher| bencher.iter(&mut *pass));
}

/// What is measured of an operation: all of sums and products, two directions of what else has one.
fn rows(operation: Operation) -> impl Iterator<Item = (RoundingMode, Distribution)> {
    RoundingMode::ALL.iter().flat_map(move |&mode| {
        let first = mode == RoundingMode::TiesToEven;
        let typical = first || mode == RoundingMode::TowardPositive;
        let some = if operation.rounds() { typical } else { first };
        Distribution::ALL
            .into_iter()
            .filter(move |&distribution| match distribution {
                Distribution::Normal => some || operation.is_arithmetic(),
                _ => typical && operation.is_arithmetic(),
            })
            .map(move |distribution| (mode, distribution))
    })
}

fn measure<S: Subject>(criterion: &mut Criterion) {
    for operation in Operation::ALL {
        let mut group = criterion.benchmark_group(report::group(operation, S::NAME));
        for (mode, distribution) in rows(operation) {
            subjects::every::<S>(&mut group, operation, mode, distribution);
        }
        if operation.is_arithmetic() {
            subjects::faithful::<S>(&mut group, operation);
            subjects::latency::<S>(&mut group, operation);
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(60))
        .measurement_time(Duration::from_millis(150))
        .nresamples(2_000)
        .without_plots()
        .configure_from_args();
    measure::<Binary16>(&mut criterion);
    measure::<Bfloat16>(&mut criterion);
    measure::<Binary32>(&mut criterion);
    measure::<Binary64>(&mut criterion);
    measure::<Binary128>(&mut criterion);
    criterion.final_summary();
    report::print();
}
