//! Whatever becomes of a certificate and of the files beside it, it is read or refused, and judged without a panic; and what the
//! kernel accepts then is so, as far as some points and paths show.

use std::path::Path;
use std::sync::LazyLock;

use bolero::check;
use roundproof_construct::Construction;
use roundproof_construct::approximate::approximate;
use roundproof_construct::compile::compile;
use roundproof_construct::point::memorize;
use roundproof_exact::{Rational, decode, order_key, parse_number, round};
use roundproof_files::Digest;
use roundproof_files::certificate::{Certificate, FileReference};
use roundproof_files::safetensors::{
    dataset_bytes, forest_bytes, network_bytes, parse_dataset, parse_forest, parse_network,
};
use roundproof_format::{Encoding, Format, Overflow, RoundingMode};
use roundproof_functions::Function;
use roundproof_judge::{
    Accuracy, Approximates, Approximation, Claim, Evidence, KernelProperty, Property, Subject, Verdict,
};
use roundproof_kernel::Claim as KernelClaim;
use roundproof_network::{Activation, Dataset, Encodings, Forest, Network, PathModel, TreeNode};
use roundproof_paths::{Chooser, Plain, Random, evaluate, replay};

/// A certificate and its files: network, forest, data set.
#[derive(Clone)]
struct Bundle {
    certificate: Vec<u8>,
    files: [Option<Vec<u8>>; 3],
}

/// A point, and between what each output is to lie there.
type Expected = (Vec<Encoding>, Vec<(Rational, Rational)>);

/// What is read of a bundle.
struct Read {
    certificate: Certificate,
    network: Network,
    forest: Option<Forest>,
    data: Option<Dataset>,
}

impl Bundle {
    fn new(claim: Claim, built: Construction, forest: Option<&Forest>, data: Option<&Dataset>) -> Bundle {
        let files =
            [Some(network_bytes(&built.network)), forest.map(forest_bytes), data.map(|data| dataset_bytes(data, None))];
        let reference = |name: &str, bytes: &[u8]| FileReference {
            path: format!("{name}.safetensors").parse().expect("a name"),
            sha256: Digest::of(bytes),
        };
        let named = |index: usize, name| files[index].as_ref().map(|bytes: &Vec<u8>| reference(name, bytes));
        let [network, forest, dataset] = [named(0, "network"), named(1, "forest"), named(2, "dataset")];
        let certificate = Certificate {
            claim,
            network: network.expect("there is a network"),
            network_source: None,
            dataset,
            forest,
            source: None,
            verdict: Verdict::Proved,
            evidence: Some(built.evidence),
            lemmas: Vec::new(),
            provenance: Default::default(),
        };
        let certificate = certificate.to_json().expect("the parts go together").into_bytes();
        Bundle { certificate, files }
    }

    fn read(&self) -> Option<Read> {
        let certificate = Certificate::parse(Path::new("certificate.json"), &self.certificate).ok()?;
        let [network, forest, data] = &self.files;
        let network = parse_network(Path::new("network.safetensors"), network.as_ref()?).ok()?;
        let forest = match forest {
            Some(bytes) => Some(parse_forest(Path::new("forest.safetensors"), bytes).ok()?),
            None => None,
        };
        let data = match data {
            Some(bytes) => Some(parse_dataset(Path::new("dataset.safetensors"), bytes).ok()?.dataset),
            None => None,
        };
        Some(Read { certificate, network, forest, data })
    }

    /// Changes a byte, most of the time so that the file can still be read: a digit of the certificate to another, or a bit of
    /// the numbers behind a header.
    fn edit(&mut self, (part, place, to): (u8, u16, u8)) {
        let is_certificate = part & 1 == 0;
        let bytes = match &mut self.files[usize::from(part >> 1) % 3] {
            _ if is_certificate => &mut self.certificate,
            Some(bytes) => bytes,
            None => return,
        };
        let place = usize::from(place);
        if to < 32 {
            let place = place % bytes.len();
            bytes[place] = b"0123456789-+*/^.xepa{}[],:\" \x00\x7f\x80\xff"[usize::from(to)];
        } else if is_certificate {
            let digits = digits(bytes);
            bytes[digits[place % digits.len()]] = b'0' + to % 10;
        } else {
            let header = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
            let start = usize::try_from(header).unwrap_or(0).saturating_add(8);
            if start < bytes.len() {
                let length = bytes.len() - start;
                bytes[start + place % length] ^= 1 << (to & 7);
            }
        }
    }
}

/// Where the digits of a certificate are, but those of digests, which the kernel is not asked about.
fn digits(text: &[u8]) -> Vec<usize> {
    let mut digits = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if !line.windows(6).any(|window| window == b"sha256") {
            digits.extend((start..).zip(line).filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at));
        }
        start += line.len();
    }
    digits
}

impl Read {
    fn verdict(&self) -> Option<Verdict> {
        let Certificate { claim, evidence, .. } = &self.certificate;
        let subject = Subject { network: &self.network, data: self.data.as_ref(), forest: self.forest.as_ref() };
        roundproof_judge::check(claim, &subject, evidence.as_ref()?, &mut |_, _| ()).ok()
    }

    /// Asserts that a proved claim holds at some points, on the plain path and some others.
    fn assert_true(&self, seed: u64) {
        let Claim { format, model, property, .. } = &self.certificate.claim;
        for index in 0..8 {
            let bits = u128::from(seed.rotate_left(8 * index)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let Some((point, right)) = self.point(*format, property, bits) else { continue };
            let choosers: [&mut dyn Chooser; 3] =
                [&mut Plain, &mut Random::new(seed, 0), &mut Random::new(seed, 1 + u64::from(index))];
            for chooser in choosers {
                let outputs = evaluate(&self.network, &point, model, chooser).expect("a network that was judged");
                for (output, right) in outputs.iter().zip(&right) {
                    let value = value(*format, *output).expect("a finite output");
                    assert!(right.0 <= value && value <= right.1, "{point:?}: {value}, not in {right:?}");
                }
            }
        }
    }

    /// A point that the claim speaks of.
    fn point(&self, format: Format, property: &Property, bits: u128) -> Option<Expected> {
        let single = |value: Rational| (value.clone(), value);
        let within = |(low, high): (Rational, Rational), error: &Rational| (low - error, high + error);
        match property {
            Property::Kernel(KernelProperty::Memorizes) => {
                let data = self.data.as_ref()?;
                let row = bits as usize % data.rows().max(1);
                let point = (0..data.dimension()).map(|column| data.input(row, column)).collect();
                let labels = (0..data.outputs()).map(|output| value(format, data.label(row, output)).map(single));
                Some((point, labels.collect::<Option<_>>()?))
            }
            Property::Kernel(KernelProperty::Computes { tolerance, .. }) => {
                let forest = self.forest.as_ref()?;
                // Of unbounded exponents those near 0: numbers are written out.
                let (one, mask) = (nearest(format, &Rational::from(1)).bits(), u128::MAX >> (128 - format.width()));
                let column = |column: usize| match bits.rotate_left(40 * column as u32) & mask {
                    bits if format.is_bounded() => Encoding::from_bits(bits),
                    bits => {
                        Encoding::from_bits((bits & (1 << (format.width() - 1))) | (one - WINDOW / 2 + bits % WINDOW))
                    }
                };
                let point: Vec<Encoding> = (0..forest.dimension()).map(column).collect();
                let right = leaf(forest, &point)?.into_iter().map(|value| within(single(value), tolerance)).collect();
                Some((point, right))
            }
            Property::Approximates(property) => {
                let Approximation { function, domain, accuracy } = &property.approximation;
                let column = |(column, &(low, high)): (usize, &(Encoding, Encoding))| {
                    let (low, high) = (order_key(format, low)?, order_key(format, high)?);
                    let steps = high.abs_diff(low).checked_add(1)?;
                    let steps = if format.is_bounded() { steps } else { steps.min(WINDOW) };
                    let key = high.checked_sub_unsigned(bits.rotate_left(40 * column as u32) % steps)?;
                    let sign = if key < 0 { 1 << (format.width() - 1) } else { 0 };
                    Some(Encoding::from_bits(sign | key.unsigned_abs()))
                };
                let point: Vec<Encoding> = domain.iter().enumerate().map(column).collect::<Option<_>>()?;
                let reals: Vec<Rational> = point.iter().map(|&input| value(format, input)).collect::<Option<_>>()?;
                let pairs: Vec<_> = reals.iter().cloned().map(single).collect();
                let (low, high) = function.enclose(&pairs, 512).expect("a function that is defined on the domain");
                let distance =
                    |real: &Rational| (value(format, nearest(format, real)).expect("a finite value") - real).abs();
                let right = match accuracy {
                    Accuracy::Within(error) => within((low, high), error),
                    Accuracy::Excess(error) => {
                        let error = distance(&low).max(distance(&high)) + error;
                        within((low, high), &error)
                    }
                    &Accuracy::Rounded { mode, overflow } => {
                        single(value(format, function.round(&reals, format, mode, overflow).ok()?.encoding)?)
                    }
                };
                Some((point, vec![right]))
            }
        }
    }
}

/// From how many neighbours a point is drawn where exponents are unbounded.
const WINDOW: u128 = 1 << 12;

fn nearest(format: Format, real: &Rational) -> Encoding {
    round(real, format, RoundingMode::TiesToEven, Overflow::Saturate).encoding
}

fn value(format: Format, encoding: Encoding) -> Option<Rational> {
    decode(format, encoding)?.rational()
}

/// The value of the forest; none at a point that is not finite.
fn leaf(forest: &Forest, point: &[Encoding]) -> Option<Vec<Rational>> {
    let format = forest.format();
    let point: Vec<Rational> = point.iter().map(|&input| value(format, input)).collect::<Option<_>>()?;
    let mut sums: Vec<Rational> = forest.base().iter().map(|base| value(format, base)).collect::<Option<_>>()?;
    for tree in forest.trees() {
        // In preorder: leaves of the sides that are not taken are counted as they are passed.
        let (mut node, mut leaves) = (0, 0);
        while let TreeNode::Split { column, threshold } = tree.nodes[node] {
            node += 1;
            if point[column as usize] > value(format, threshold)? {
                let mut open = 1;
                while open > 0 {
                    match tree.nodes[node] {
                        TreeNode::Split { .. } => open += 1,
                        TreeNode::Leaf => (open, leaves) = (open - 1, leaves + 1),
                    }
                    node += 1;
                }
            }
        }
        for (output, sum) in sums.iter_mut().enumerate() {
            *sum += value(format, tree.values.get(leaves * forest.outputs() + output))?;
        }
    }
    Some(sums)
}

/// Claims of every property, with the evidence for them.
static PROVED: LazyLock<Vec<Bundle>> = LazyLock::new(|| {
    let mut bundles = Vec::new();
    let number = |format, text: &str| {
        parse_number(text).expect("a number").round(format, RoundingMode::TiesToEven, Overflow::Saturate).encoding
    };
    let small = || parse_number("0.0625").expect("a number").value();
    let rounded =
        |format: Format| Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow: format.default_overflow() };
    let unbounded: Format = "F(6)".parse().expect("a format");
    for activation in [Activation::Relu, Activation::Step] {
        for (format, function, ends, accuracy) in [
            (Format::FLOAT8_E4M3, "tanh", vec![("-1", "1")], rounded(Format::FLOAT8_E4M3)),
            (Format::BFLOAT16, "exp", vec![("-1", "2")], Accuracy::Within(Rational::from(1))),
            (Format::BFLOAT16, "x*y", vec![("0", "1"), ("-1", "1")], Accuracy::Within(small() * 4)),
            (unbounded, "sqrt(x)/2", vec![("0", "1")], Accuracy::Excess(small())),
        ] {
            let function = Function::parse(function).expect("a function");
            let domain = ends.iter().map(|(low, high)| (number(format, low), number(format, high))).collect();
            let wanted = Approximation { function, domain, accuracy };
            let forest = approximate(&wanted, format, &mut |_, _| ()).expect("a tree");
            let built = compile(&forest, activation).expect("a network");
            let model = PathModel::all(format);
            let claim = Approximates::claim(&built.network, &forest, model, wanted).map(Property::from);
            bundles.push(Bundle::new(claim, built.clone(), Some(&forest), None));
            let claim = KernelClaim::computes(&built.network, &forest, None, model, Rational::new(), Vec::new())
                .map(Property::from);
            bundles.push(Bundle::new(claim, built, Some(&forest), None));
        }
        let format = Format::FLOAT8_E5M2;
        let numbers = |texts: [&str; 6]| Encodings::collect(format, texts.map(|text| number(format, text)));
        let (inputs, labels) =
            (numbers(["1", "2", "-3", "0", "0.5", "-0.25"]), numbers(["1", "0", "-1", "7", "8", "0.5"]));
        let data = Dataset::new(format, 2, 2, inputs, labels).expect("a data set");
        let built = memorize(&data, activation).expect("a network");
        let claim = KernelClaim::memorizes(&built.network, &data, PathModel::all(format)).map(Property::from);
        bundles.push(Bundle::new(claim, built, None, Some(&data)));
    }
    bundles
});

#[test]
fn what_was_not_changed_is_accepted() {
    for (index, bundle) in PROVED.iter().enumerate() {
        let read = bundle.read().expect("files that are as they were written");
        assert_eq!(read.verdict(), Some(Verdict::Proved), "{index}");
        for seed in 0..16u64 {
            read.assert_true(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
    }
}

#[test]
fn judged() {
    check!().with_type::<(u8, Vec<(u8, u16, u8)>, u64)>().for_each(|(which, edits, seed)| {
        let mut bundle = PROVED[usize::from(*which) % PROVED.len()].clone();
        for edit in edits.iter().take(1 + *seed as usize % 3) {
            bundle.edit(*edit);
        }
        let Some(read) = bundle.read() else { return };
        match read.verdict() {
            Some(Verdict::Proved) => read.assert_true(*seed),
            Some(Verdict::Refuted) => {
                let (certificate, data) = (&read.certificate, read.data.as_ref());
                if let (Some(Evidence::Witness(witness)), Some(data)) = (&certificate.evidence, data) {
                    let given = replay(&read.network, data, &certificate.claim.model, witness);
                    assert_eq!(given, Ok(witness.value));
                }
            }
            _ => {}
        }
    });
}
