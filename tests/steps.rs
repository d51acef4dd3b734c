//! Networks of every form of step, through files, evaluation, enclosures, search and the kernel.
//!
//! The networks are random, small, and of formats that are small too, so that the enumeration of `paths` settles most of them; the
//! kernel computes in exact arithmetic, `paths` in soft-float.

mod steps {
    pub mod networks;
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use roundproof_exact::Value;
use roundproof_files::certificate::{self, FileReference};
use roundproof_files::safetensors::{dataset_bytes, network_bytes, parse_network};
use roundproof_files::{Certificate, Digest};
use roundproof_format::{Encoding, Format, RoundingMode};
use roundproof_kernel::{Claim, Evidence, Rejection, ReplayRejection, Subject, Verdict, check};
use roundproof_network::{
    Activation, At, Choice, Dataset, Datatype, Encodings, Layer, Network, NeuronPath, Op, PathModel, Step, SumPath,
    TreePath, Windows, Witness,
};
use roundproof_paths::{
    Arrangement, Finding, Fixed, Plain, Random, SearchOptions, evaluate, evaluate_rows, reach, search, trace,
};
use steps::networks::{Numbers, random_network};

const MODELS: [&str; 6] = [
    "all",
    "paper",
    "all,contraction=none,order=left-to-right",
    "all,subnormals=flush",
    "all,accumulator=binary32",
    "all,overflow=saturate",
];

fn formats() -> Vec<Format> {
    vec![Format::FLOAT4_E2M1FN, Format::FLOAT6_E3M2FN, Format::FLOAT8_E4M3, Format::FLOAT8_E5M2, Format::BFLOAT16]
}

/// Every form that is to occur, and how often it did.
fn forms(network: &Network) -> Vec<&'static str> {
    let mut forms = Vec::new();
    for (index, step) in network.steps().iter().enumerate() {
        forms.push(match &step.step().op {
            Op::Sum { matrix, bias: _ } => match matrix.storage() {
                roundproof_network::Storage::Sparse(_) => "sparse",
                roundproof_network::Storage::Dense(_) => "dense",
                roundproof_network::Storage::Convolution(_) => "convolution",
            },
            Op::Maximum(Windows::Listed { .. }) => "maximum",
            Op::Maximum(Windows::Sliding { .. }) => "pooling",
            Op::Product => "product",
        });
        if step.step().reads.len() > 1 && !matches!(step.step().op, Op::Product) {
            forms.push("concatenation");
        }
        if step.step().reads.iter().any(|&vector| vector != index) {
            forms.push("skip");
        }
        if step.operands() != step.format() {
            forms.push("mixed formats");
        }
    }
    forms
}

const FORMS: [&str; 9] =
    ["sparse", "dense", "convolution", "maximum", "pooling", "product", "concatenation", "skip", "mixed formats"];

struct Counted(BTreeMap<&'static str, usize>);

impl Counted {
    fn new() -> Counted {
        Counted(FORMS.iter().map(|&form| (form, 0)).collect())
    }

    fn count(&mut self, network: &Network) {
        for form in forms(network) {
            *self.0.entry(form).or_default() += 1;
        }
    }

    fn at_least(&self, least: usize) {
        assert!(self.0.values().all(|&count| count >= least), "{:?}", self.0);
    }
}

/// A network, and a model that it can be evaluated under.
fn setting(numbers: &mut Numbers) -> Option<(Format, Network, PathModel)> {
    let format = numbers.pick(&formats());
    let network = random_network(numbers, format);
    let model = PathModel::parse(numbers.pick(&MODELS), format).ok()?;
    model.check_steps(&network).ok()?;
    Some((format, network, model))
}

fn row(numbers: &mut Numbers, network: &Network) -> Vec<Encoding> {
    (0..network.input_dimension()).map(|_| numbers.value(network.format())).collect()
}

fn dataset(format: Format, row: &[Encoding], labels: &[Encoding]) -> Option<Dataset> {
    let columns = [row, labels].map(|values| Encodings::collect(format, values.iter().copied()));
    let [inputs, labels] = columns;
    let outputs = labels.len();
    Dataset::new(format, row.len(), outputs, inputs, labels).ok()
}

#[test]
fn files_read_back_and_have_one_spelling() {
    let mut numbers = Numbers::new(1);
    let mut counted = Counted::new();
    for _ in 0..400 {
        let format =
            numbers.pick(&[&formats()[..], &[Format::BINARY128, Format::unbounded(5).expect("a format")]].concat());
        let network = random_network(&mut numbers, format);
        counted.count(&network);
        let bytes = network_bytes(&network);
        let read = parse_network("n".as_ref(), &bytes).expect("it was written");
        assert_eq!(read, network);
        assert_eq!(network_bytes(&read), bytes);
        // A changed byte of the header is noticed, or says the same.
        let header = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        let at = 8 + numbers.below(header);
        let mut changed = bytes.clone();
        changed[at] = changed[at].wrapping_add(1 + numbers.below(5) as u8);
        if let Ok(other) = parse_network("n".as_ref(), &changed) {
            assert!(other != network || changed[at].is_ascii_whitespace() || bytes[at].is_ascii_whitespace(), "{at}");
        }
    }
    counted.at_least(40);
}

#[test]
fn evaluation_is_what_a_trace_tells() {
    let mut numbers = Numbers::new(2);
    let mut counted = Counted::new();
    let mut evaluated = 0;
    for _ in 0..600 {
        let format = numbers.pick(&formats());
        let network = random_network(&mut numbers, format);
        for text in MODELS {
            let Ok(model) = PathModel::parse(text, format) else { continue };
            if model.check_steps(&network).is_err() {
                continue;
            }
            counted.count(&network);
            let rows: Vec<Vec<Encoding>> = (0..7).map(|_| row(&mut numbers, &network)).collect();
            let modes = [RoundingMode::TowardPositive, RoundingMode::TiesToEven];
            for mode in modes {
                let fixed = Fixed { mode, arrangement: Arrangement::LeftToRight, contract: false, flush: false };
                let all: Vec<&[Encoding]> = rows.iter().map(Vec::as_slice).collect();
                let given = evaluate_rows(&network, &all, &model, &mut { fixed }).expect("values");
                for (row, given) in rows.iter().zip(given) {
                    let told = trace(&network, row, &model, &mut { fixed }).expect("a trace");
                    let values: Vec<Encoding> = told.layers.last().expect("a layer").iter().map(|n| n.value).collect();
                    assert_eq!(given, values, "{format}, {model}: {row:?} through {network:?}");
                    assert_eq!(evaluate(&network, row, &model, &mut { fixed }), Ok(values));
                    evaluated += 1;
                }
            }
            let mut random = Random::new(3, evaluated);
            let told = trace(&network, &rows[0], &model, &mut random.clone()).expect("a trace");
            let values = told.layers.last().expect("a layer").iter().map(|neuron| neuron.value).collect();
            assert_eq!(evaluate(&network, &rows[0], &model, &mut random), Ok(values), "{format}, {model}: {network:?}");
        }
    }
    assert!(evaluated > 10_000, "{evaluated}");
    counted.at_least(100);
}

/// The witness that lists every neuron of a trace.
fn witness(told: &roundproof_paths::Trace, output: usize) -> Witness {
    let neurons = told.layers.iter().enumerate().flat_map(|(layer, neurons)| {
        neurons.iter().enumerate().map(move |(neuron, of)| NeuronPath {
            layer,
            neuron,
            path: of.computed.path(),
            value: Some(of.value),
        })
    });
    let value = told.layers[told.layers.len() - 1][output].value;
    Witness { at: At::Row(0), output, value, neurons: neurons.collect() }
}

fn judged(network: &Network, data: &Dataset, model: PathModel, evidence: &Evidence) -> Result<Verdict, Rejection> {
    let claim = Claim::memorizes(network, data, model);
    check(&claim, &Subject::memorizing(network, data), evidence, &mut |_, _| ())
}

#[test]
fn the_kernel_replays_what_soft_float_computes() {
    let mut numbers = Numbers::new(4);
    let mut counted = Counted::new();
    let (mut refuted, mut other_forms) = (0, 0);
    for seed in 0..1500 {
        let Some((format, network, model)) = setting(&mut numbers) else { continue };
        let row = row(&mut numbers, &network);
        let told = trace(&network, &row, &model, &mut Random::new(seed, 0)).expect("a trace");
        let witness = witness(&told, 0);
        let value = witness.value;
        let outputs = &told.layers[told.layers.len() - 1];
        let right: Vec<Encoding> =
            outputs.iter().map(|n| if format.is_finite(n.value) { n.value } else { format.zero() }).collect();
        let wrong: Vec<Encoding> =
            right.iter().map(|&label| if format.is_zero(label) { format.one(false) } else { format.zero() }).collect();
        let wrong = dataset(format, &row, &wrong).expect("a data set");
        let verdict = judged(&network, &wrong, model, &Evidence::Witness(witness.clone()));
        assert_eq!(verdict, Ok(Verdict::Refuted), "{format}, {model}: {row:?} through {network:?}: {witness:?}");
        counted.count(&network);
        refuted += 1;
        let holds = dataset(format, &row, &right).expect("a data set");
        if format.is_finite(value) {
            let verdict = judged(&network, &holds, model, &Evidence::Witness(witness.clone()));
            assert_eq!(verdict, Err(ReplayRejection::Holds { given: Value { format, encoding: value } }.into()));
        }
        // A path of another form is none of the neuron.
        let at = numbers.below(witness.neurons.len());
        let mut foreign = witness;
        foreign.neurons[at].path = match foreign.neurons[at].path {
            SumPath::Tree(_) => SumPath::Maximum,
            SumPath::Maximum => SumPath::Product(Choice::of(&model)),
            SumPath::Product(_) => SumPath::Tree(TreePath::plain(1, &model)),
        };
        let verdict = judged(&network, &wrong, model, &Evidence::Witness(foreign));
        assert!(matches!(verdict, Err(Rejection::Replay(ReplayRejection::Path { .. }))), "{verdict:?}");
        other_forms += 1;
    }
    assert!(refuted > 700 && other_forms == refuted, "{refuted}");
    counted.at_least(80);
}

#[test]
fn what_the_kernel_proves_no_path_misses_and_what_search_finds_it_replays() {
    let mut numbers = Numbers::new(5);
    let (mut proved, mut found, mut excluded) = (Counted::new(), Counted::new(), Counted::new());
    let options = SearchOptions { random_paths: 24, ..SearchOptions::default() };
    for seed in 0..1800 {
        let Some((format, network, model)) = setting(&mut numbers) else { continue };
        let row = row(&mut numbers, &network);
        let labels = evaluate(&network, &row, &model, &mut Plain).expect("values");
        let Some(data) = dataset(format, &row, &labels) else { continue };
        let sets = reach(&network, &row, &model).expect("sets");
        for path in 0..24 {
            let outputs = evaluate(&network, &row, &model, &mut Random::new(seed, path)).expect("values");
            for (set, &value) in sets.iter().zip(&outputs) {
                assert!(set.contains(format, value), "{format}, {model}: {row:?} through {network:?}: {value:?}");
            }
        }
        let verdict = judged(&network, &data, model, &Evidence::Paths);
        let finding = search(&network, &data, &model, &options).expect("a search");
        match (&verdict, &finding) {
            (Ok(Verdict::Proved), Finding::Found(witness)) => {
                panic!("{format}, {model}: {row:?} through {network:?} gives {labels:?}, but {witness:?}")
            }
            (Ok(Verdict::Proved), _) => proved.count(&network),
            (Err(Rejection::Reach(_)), _) => {}
            other => panic!("{other:?}"),
        }
        match finding {
            Finding::Found(witness) => {
                let verdict = judged(&network, &data, model, &Evidence::Witness(witness.clone()));
                assert_eq!(verdict, Ok(Verdict::Refuted), "{network:?}: {witness:?}");
                found.count(&network);
            }
            Finding::Excluded => excluded.count(&network),
            Finding::Open(_) => {}
        }
    }
    proved.at_least(15);
    found.at_least(15);
    excluded.at_least(25);
}

/// The witnesses of random paths in certificates, judged by the program that was written from CERTIFICATES.md alone.
#[test]
fn another_program_replays_them_too() {
    let mut numbers = Numbers::new(6);
    let mut counted = Counted::new();
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("steps");
    let mut certificates = Vec::new();
    for seed in 0..400 {
        let Some((format, network, model)) = setting(&mut numbers) else { continue };
        let row = row(&mut numbers, &network);
        let told = trace(&network, &row, &model, &mut Random::new(seed, 1)).expect("a trace");
        let witness = witness(&told, 0);
        let label = if format.is_zero(witness.value) { format.one(false) } else { format.zero() };
        let labels = vec![label; network.output_dimension()];
        let data = dataset(format, &row, &labels).expect("a data set");
        counted.count(&network);
        certificates.push(written(&root.join(seed.to_string()), &network, &data, model, witness));
    }
    counted.at_least(20);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/second_judge.py");
    let judge = |certificates: &[PathBuf]| {
        let run = Command::new("python3").arg(&script).args(certificates).output().expect("python3");
        (run.status.code(), String::from_utf8(run.stdout).expect("text"))
    };
    let (code, said) = judge(&certificates);
    let other: Vec<&str> = said.lines().filter(|line| !line.starts_with("Refuted")).collect();
    assert!(code == Some(0) && other.is_empty(), "{other:#?}");
    // Another value than the path gives is noticed.
    let text = std::fs::read_to_string(&certificates[0]).expect("a certificate");
    let said = text.find("\"value\": \"0x").expect("the output's value") + "\"value\": \"0x".len();
    let digit = if &text[said..=said] == "0" { "1" } else { "0" };
    std::fs::write(&certificates[0], format!("{}{digit}{}", &text[..said], &text[said + 1..])).expect("written");
    let (code, said) = judge(&certificates[..1]);
    assert!(code == Some(1) || code == Some(2), "{said}");
    std::fs::remove_dir_all(root).expect("removed");
}

/// A certificate with its files in this folder.
fn written(folder: &Path, network: &Network, data: &Dataset, model: PathModel, witness: Witness) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).expect("written");
        FileReference { path: name.parse().expect("a path"), sha256: Digest::of(bytes) }
    };
    let claim = Claim::memorizes(network, data, model);
    let certificate = Certificate {
        claim: certificate::Claim { format: claim.format, model, property: claim.property.into(), shape: claim.shape },
        network: file("net.safetensors", &network_bytes(network)),
        network_source: None,
        dataset: Some(file("data.safetensors", &dataset_bytes(data, None))),
        forest: None,
        source: None,
        verdict: Verdict::Refuted,
        evidence: Some(Evidence::Witness(witness)),
        lemmas: Vec::new(),
        provenance: [].into(),
    };
    let path = folder.join("certificate.json");
    certificate.write(&path).expect("written");
    // It reads back, values of other formats than the claim's included.
    assert_eq!(Certificate::read(&path).expect("it was written").value, certificate);
    path
}

/// One value through one operation of each kind, by hand.
#[test]
fn one_neuron_of_each_form_by_hand() {
    let (f, wide) = (Format::BFLOAT16, Format::BINARY32);
    let [one, three] = [0x3f80, 0x4040].map(Encoding::from_bits);
    let step = |op, reads: &[usize], format| Step {
        op,
        reads: reads.to_vec(),
        datatype: Datatype::Float(format),
        activation: Activation::Identity,
    };
    let scaled = |format: Format, vector, weight| {
        let mut layer = Layer::new(format, Activation::Identity);
        layer.push([(0, weight)], format.zero());
        layer.step(format, vector)
    };
    let run = |steps: Vec<Step>, model: &str| {
        let network = Network::of_steps(f, 1, steps).expect("a network");
        let model = PathModel::parse(model, f).expect("a model");
        evaluate(&network, &[three], &model, &mut Plain).map(|outputs| outputs[0].bits())
    };
    // (1 + 2^-7) 3 = 3 + 3 2^-7 is halfway in bfloat16, whose values there are 2^-6 apart, and a value of binary32.
    let above = Encoding::from_bits(0x3f81);
    let to_wide = |vector, weight| Step { datatype: Datatype::Float(wide), ..scaled(f, vector, weight) };
    let narrowed = Step { datatype: Datatype::Float(f), ..scaled(wide, 1, wide.one(false)) };
    assert_eq!(run(vec![scaled(f, 0, above), scaled(f, 1, one)], "paper"), Ok(0x4042));
    // 3 (3 + 3 2^-7) = 9 + 9 2^-7 in binary32, rounded once: 9 + 2^-4 is a value, 9 2^-7 is nearer to it than to zero.
    let square = step(Op::Product, &[1, 2], wide);
    let product = vec![to_wide(0, one), to_wide(0, above), square, Step { reads: vec![3], ..narrowed.clone() }];
    assert_eq!(run(product, "paper"), Ok(0x4111));
    // The larger of 3 and 3 + 3 2^-7.
    let larger = step(Op::Maximum(Windows::Listed { row_ptr: vec![0, 2], columns: vec![0, 1] }), &[1, 2], wide);
    let maximum = vec![to_wide(0, one), to_wide(0, above), larger, Step { reads: vec![3], ..narrowed }];
    assert_eq!(run(maximum, "paper"), Ok(0x4042));
    // Neither of bfloat16 and binary16 contains the other.
    let other = Step { datatype: Datatype::Float(Format::BINARY16), ..scaled(f, 0, one) };
    let back = Step { datatype: Datatype::Float(f), ..scaled(Format::BINARY16, 1, Format::BINARY16.one(false)) };
    let error = run(vec![other.clone(), back.clone()], "paper").unwrap_err().to_string();
    assert!(error.contains("neither bfloat16 nor binary16 contains the other"), "{error}");
    assert_eq!(run(vec![other, back], "paper,accumulator=binary32"), Ok(0x4040));
}
