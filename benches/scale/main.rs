//! How the cost of `roundproof check` grows with rows and with parameters.
//!
//! `just bench scale`; `just bench scale -- relu/tree` for a part. A sample is what `check` does of files that the system
//! has in memory: read the certificate, compare digests, read what it names, judge. Each series goes over two decades; what
//! is printed at the end is the exponent `e` of the power `c n^e` that fits its times best, and the times.

mod report;
mod subjects;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use roundproof_network::Activation;

use subjects::Series;

const ACTIVATIONS: [Activation; 2] = [Activation::Relu, Activation::Step];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .without_plots()
        .configure_from_args();
    let mut measured: Vec<report::Measured> = Vec::new();
    for activation in ACTIVATIONS {
        for series in Series::ALL {
            let name = report::group(series, activation);
            let mut group = criterion.benchmark_group(&name);
            let mut points = Vec::new();
            for step in 0..Series::STEPS {
                let files = series.files(activation, step);
                group.throughput(Throughput::Elements(files.size as u64));
                group.bench_function(BenchmarkId::from_parameter(step), |bencher| bencher.iter(|| files.check()));
                points.push((step, files.size));
            }
            group.finish();
            measured.push((series, activation, points));
        }
    }
    criterion.final_summary();
    report::print(&measured);
}
