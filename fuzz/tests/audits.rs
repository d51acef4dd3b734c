//! Whatever becomes of the certificate of an audit and of its files, it is read or refused, and judged without a panic; and where the
//! files are as they were, nothing but what the rule gives is accepted.

use std::path::Path;
use std::sync::LazyLock;

use bolero::check;
use roundproof_audit::{Audit, Decision, PathModel, Ties};
use roundproof_exact::Rational;
use roundproof_files::Digest;
use roundproof_files::audit::{AuditCertificate, UnderPaths};
use roundproof_files::certificate::FileReference;
use roundproof_files::safetensors::{AuditRows, audit_rows_bytes, graph_bytes, parse_audit_rows, parse_graph};
use roundproof_format::Encoding;
use roundproof_judge::audits::{judge_rows, split, word_of};
use roundproof_network::Encodings;
use roundproof_onnx::{ImportOptions, import};

/// A certificate, and its files: graph, rows.
#[derive(Clone)]
struct Bundle {
    certificate: Vec<u8>,
    files: [Vec<u8>; 2],
}

impl Bundle {
    /// An audit of a model, with rows that are made up.
    fn new(model: &[u8], decision: &Decision) -> Bundle {
        let graph = import(model, &ImportOptions::default()).expect("a model").graph;
        let input = graph.inputs().next().expect("an input");
        let (format, dimension) = (graph.tensors()[input].format(), graph.tensors()[input].elements());
        // Between 1 and 2, whatever the format.
        let one = (format.bias() as u128) << format.trailing_bits();
        let values =
            (0..4 * dimension as u128).map(|index| Encoding::from_bits(one + index % (1 << format.trailing_bits())));
        let rows = Encodings::collect(format, values);
        let rows = AuditRows::new(format, dimension, rows, vec![0, 2, 3, 9]).expect("rows");
        let tensor = graph.outputs()[0];
        let under = |name: &str| {
            let model = PathModel::parse(name).expect("a path model");
            let audit = Audit::new(&graph, model, tensor, decision.clone()).expect("a graph that is covered");
            let word = |index: usize| {
                let values = (index * dimension..(index + 1) * dimension).map(|place| rows.inputs().get(place));
                word_of(&audit.row(&split(&graph, values)).expect("a row")).into_boxed_str()
            };
            let verdicts: Vec<Box<str>> = (0..4).map(word).collect();
            let invariant = verdicts.iter().filter(|word| ***word != *"-").count();
            UnderPaths { model, invariant, verdicts }
        };
        let files = [graph_bytes(&graph), audit_rows_bytes(&rows)];
        let reference =
            |name: &str, bytes: &[u8]| FileReference { path: name.parse().expect("a name"), sha256: Digest::of(bytes) };
        let certificate = AuditCertificate {
            decision: decision.clone(),
            tensor,
            classes: Vec::new(),
            inputs: dimension,
            rows: 4,
            graph: reference("graph.safetensors", &files[0]),
            dataset: reference("rows.safetensors", &files[1]),
            model: reference("model.onnx", model),
            source: reference("rows", &[]),
            audits: vec![under("portable"), under("all")],
            provenance: Default::default(),
        };
        Bundle { certificate: certificate.to_json().into_bytes(), files }
    }

    /// What the judge says, if the files can be read.
    fn accepted(&self) -> Option<bool> {
        let certificate = AuditCertificate::parse(Path::new("certificate.json"), &self.certificate).ok()?;
        let graph = parse_graph(Path::new("graph.safetensors"), &self.files[0]).ok()?;
        let rows = parse_audit_rows(Path::new("rows.safetensors"), &self.files[1]).ok()?;
        Some(judge_rows(&certificate, &graph, self.files[0].len(), &rows, &mut |_, _| ()).is_ok())
    }

    /// Changes a byte, most of the time so that the file can still be read.
    fn edit(&mut self, (part, place, to): (u8, u32, u8)) {
        let place = place as usize;
        if part % 3 == 0 {
            let at = place % self.certificate.len();
            self.certificate[at] = b"0123456789-+,/ aeinprt{}[]:\"\x00\x7f\x80"[usize::from(to) % 30];
            return;
        }
        let bytes = &mut self.files[usize::from(part % 3) - 1];
        let header = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
        let start = usize::try_from(header).unwrap_or(0).saturating_add(8);
        if to < 32 || start >= bytes.len() {
            let at = place % bytes.len();
            bytes[at] = b"0123456789x,:\"[]{} \x00\x7f\x80\xff"[usize::from(to) % 23];
        } else {
            let length = bytes.len() - start;
            bytes[start + place % length] ^= 1 << (to & 7);
        }
    }
}

static AUDITS: LazyLock<Vec<Bundle>> = LazyLock::new(|| {
    let regression = include_bytes!("../../data/onnx/wine-alcohol-bfloat16.onnx");
    let digits = include_bytes!("../../data/onnx/mlp-64-64-10-bfloat16.onnx");
    vec![
        Bundle::new(regression, &Decision::Value { tolerance: Rational::from((1, 2)) }),
        Bundle::new(regression, &Decision::Sign),
        Bundle::new(digits, &Decision::Argmax { ties: Ties::Any }),
        Bundle::new(digits, &Decision::Top { count: 2, ordered: true }),
    ]
});

#[test]
fn what_was_not_changed_is_accepted() {
    assert!(AUDITS.iter().all(|bundle| bundle.accepted() == Some(true)));
}

#[test]
fn audits() {
    check!().with_type::<(u8, Vec<(u8, u32, u8)>)>().for_each(|(which, edits)| {
        let whole = &AUDITS[usize::from(*which) % AUDITS.len()];
        let mut bundle = whole.clone();
        for edit in edits.iter().take(3) {
            bundle.edit(*edit);
        }
        if bundle.accepted() == Some(true) && bundle.files == whole.files {
            let words = |bundle: &Bundle| {
                let read =
                    AuditCertificate::parse(Path::new("certificate.json"), &bundle.certificate).expect("read before");
                let audits = read.audits.into_iter();
                audits.map(|audit| (audit.model.to_string(), audit.verdicts)).collect::<Vec<_>>()
            };
            // Another decision, or other path models, may have other verdicts; the same have the same.
            for ((model, found), (other, given)) in words(&bundle).iter().zip(words(whole)) {
                let same = *model == other && whole.decision() == bundle.decision();
                assert!(!same || *found == given, "{model}: {found:?}");
            }
        }
    });
}

impl Bundle {
    fn decision(&self) -> Option<(Decision, usize)> {
        let read = AuditCertificate::parse(Path::new("certificate.json"), &self.certificate).ok()?;
        Some((read.decision, read.tensor))
    }
}

/// Any bytes at all.
#[test]
fn readers() {
    check!().for_each(|bytes: &[u8]| {
        let _ = AuditCertificate::parse(Path::new("certificate.json"), bytes);
        if let Ok(rows) = parse_audit_rows(Path::new("rows.safetensors"), bytes) {
            let written = audit_rows_bytes(&rows);
            assert_eq!(parse_audit_rows(Path::new("rows.safetensors"), &written).expect("written just now"), rows);
        }
    });
}
