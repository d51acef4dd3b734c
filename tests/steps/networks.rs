//! Random networks of every form of step.

use roundproof_format::{Encoding, Format};
use roundproof_network::{
    Activation, Axis, Convolution, Datatype, Dense, Encodings, Geometry, Matrix, Network, Op, Sparse, Step, Storage,
    Windows,
};

/// Random numbers (SplitMix64), the same on every machine.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    pub fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % count as u64) as usize
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// A finite value that is often a zero, a small integer, or of the size of 1, and seldom anything.
    pub fn value(&mut self, format: Format) -> Encoding {
        let (trailing, sign) = (format.trailing_bits(), self.below(2) as u128);
        let exponent = match self.below(8) {
            0 => return format.zero(),
            1 if format.is_bounded() => self.below(1 << format.exponent_bits()) as i64,
            _ => (format.bias() + self.below(5) as i64 - 2).max(1),
        };
        let significand = match self.below(3) {
            0 => 0,
            _ => self.below(1 << trailing.min(30)) as u128,
        };
        let bits = sign << (format.width() - 1) | (exponent as u128) << trailing | significand;
        let value = Encoding::from_bits(bits);
        if roundproof_network::is_admitted(format, value) { value } else { format.one(sign == 1) }
    }

    fn values(&mut self, format: Format, count: usize) -> Encodings {
        Encodings::collect(format, (0..count).map(|_| self.value(format)).collect::<Vec<_>>())
    }
}

fn activation(numbers: &mut Numbers, format: Format) -> Activation {
    match numbers.below(8) {
        0 | 1 => Activation::Relu,
        2 => Activation::Step,
        3 => Activation::Sign,
        4 => Activation::LeakyRelu { slope: numbers.value(format) },
        5 => Activation::Clip { low: format.zero(), high: format.one(false) },
        _ => Activation::Identity,
    }
}

/// What a step in this format may become.
fn successor(numbers: &mut Numbers, format: Format) -> Format {
    let wider = [Format::BINARY32, Format::BFLOAT16, Format::FLOAT8_E5M2];
    let others: Vec<Format> = match format.is_bounded() && format.width() <= 32 {
        true => wider.to_vec(),
        false => Vec::new(),
    };
    if others.is_empty() || numbers.below(3) > 0 { format } else { numbers.pick(&others) }
}

/// Some columns of so many, ascending; `least` at least.
fn columns(numbers: &mut Numbers, inputs: usize, least: usize) -> Vec<u32> {
    let mut columns: Vec<u32> = (0..inputs as u32).filter(|_| numbers.below(3) < 2).collect();
    if columns.len() < least {
        columns = vec![numbers.below(inputs) as u32];
    }
    columns
}

fn rows(numbers: &mut Numbers, rows: usize, inputs: usize, least: usize) -> (Vec<u64>, Vec<u32>) {
    let (mut row_ptr, mut all) = (vec![0], Vec::new());
    for _ in 0..rows {
        all.extend(columns(numbers, inputs, least));
        row_ptr.push(all.len() as u64);
    }
    (row_ptr, all)
}

fn sparse(numbers: &mut Numbers, format: Format, count: usize, inputs: usize) -> Op {
    let (row_ptr, columns) = rows(numbers, count, inputs, 0);
    let weights = numbers.values(format, columns.len());
    let bias = numbers.values(format, count);
    Op::Sum { matrix: Matrix::new(Storage::Sparse(Sparse { row_ptr, columns, weights })), bias }
}

/// A geometry over channels of `size` values: of one axis, or of two where that goes.
fn geometry(numbers: &mut Numbers, size: usize, padded: bool) -> Geometry {
    let axis = |numbers: &mut Numbers, size: usize| {
        let window = 1 + numbers.below(size.min(3));
        let padding = |numbers: &mut Numbers| if padded { numbers.below(window.min(2)) } else { 0 };
        let (before, after) = (padding(numbers), padding(numbers));
        let dilation = if (window - 1) * 2 < size { 1 + numbers.below(2) } else { 1 };
        Axis { size, window, stride: 1 + numbers.below(2), dilation, before, after }
    };
    let axes = match size.is_multiple_of(2) && numbers.below(2) == 0 {
        true => vec![axis(numbers, 2), axis(numbers, size / 2)],
        false => vec![axis(numbers, size)],
    };
    Geometry::new(axes).expect("windows fit")
}

/// A network over `format` of two to five steps.
pub fn random_network(numbers: &mut Numbers, format: Format) -> Network {
    let inputs = 1 + numbers.below(4);
    // Of every vector: how long it is, and its format.
    let mut vectors = vec![(inputs, format)];
    let mut steps = Vec::new();
    for _ in 0..1 + numbers.below(4) {
        let first = numbers.below(vectors.len());
        let (width, operands) = vectors[first];
        let mut reads = vec![first];
        let partners: Vec<usize> = (0..vectors.len()).filter(|&other| vectors[other].1 == operands).collect();
        if numbers.below(3) == 0 {
            reads.push(numbers.pick(&partners));
        }
        let read: usize = reads.iter().map(|&vector| vectors[vector].0).sum();
        let made = successor(numbers, operands);
        let (op, reads, made) = match numbers.below(7) {
            0 | 1 => {
                let count = 1 + numbers.below(3);
                (sparse(numbers, operands, count, read), reads, made)
            }
            2 => {
                let count = 1 + numbers.below(3);
                let (weights, bias) = (numbers.values(operands, count * read), numbers.values(operands, count));
                (Op::Sum { matrix: Matrix::new(Storage::Dense(Dense { inputs: read, weights })), bias }, reads, made)
            }
            3 => {
                let groups = if read.is_multiple_of(2) { 1 + numbers.below(2) } else { 1 };
                let inputs = if read.is_multiple_of(2) { 2 } else { 1 };
                let outputs = groups * (1 + numbers.below(2));
                let geometry = geometry(numbers, read / inputs, true);
                let weights = numbers.values(operands, outputs * (inputs / groups) * geometry.window());
                let convolution = Convolution { geometry, inputs, outputs, groups, weights };
                let bias = numbers.values(operands, outputs);
                (Op::Sum { matrix: Matrix::new(Storage::Convolution(convolution)), bias }, reads, made)
            }
            4 => {
                let count = 1 + numbers.below(3);
                let (row_ptr, columns) = rows(numbers, count, read, 1);
                (Op::Maximum(Windows::Listed { row_ptr, columns }), reads, operands)
            }
            5 => {
                let channels = if read.is_multiple_of(2) { 2 } else { 1 };
                (
                    Op::Maximum(Windows::Sliding { geometry: geometry(numbers, read / channels, false), channels }),
                    reads,
                    operands,
                )
            }
            _ => {
                let equal: Vec<usize> = partners.iter().copied().filter(|&other| vectors[other].0 == width).collect();
                (Op::Product, vec![first, numbers.pick(&equal)], if made == Format::BINARY32 { made } else { operands })
            }
        };
        let step = Step { op, reads, datatype: Datatype::Float(made), activation: activation(numbers, made) };
        steps.push(step);
        // How many rows it has, a network says; its outputs have to be in its format.
        match Network::of_steps(format, inputs, closed(steps.clone(), steps.len(), made, format)) {
            Ok(network) => vectors.push((network.steps()[steps.len() - 1].rows(), made)),
            Err(_) => {
                steps.pop();
            }
        }
    }
    let last = vectors.len() - 1;
    let (width, operands) = vectors[last];
    let mut reads = vec![last];
    reads.extend((0..last).filter(|&other| vectors[other].1 == operands && numbers.below(3) == 0));
    let read = width + reads[1..].iter().map(|&vector| vectors[vector].0).sum::<usize>();
    let outputs = 1 + numbers.below(2);
    let op = sparse(numbers, operands, outputs, read);
    steps.push(Step { op, reads, datatype: Datatype::Float(format), activation: activation(numbers, format) });
    Network::of_steps(format, inputs, steps).expect("a network")
}

/// With one more step, of one neuron, that is in the network's format.
fn closed(mut steps: Vec<Step>, vector: usize, operands: Format, format: Format) -> Vec<Step> {
    let (bias, weights) = (Encodings::collect(operands, [operands.zero()]), Encodings::new(operands));
    let matrix = Matrix::new(Storage::Sparse(Sparse { row_ptr: vec![0, 0], columns: Vec::new(), weights }));
    let datatype = Datatype::Float(format);
    steps.push(Step { op: Op::Sum { matrix, bias }, reads: vec![vector], datatype, activation: Activation::Identity });
    steps
}
