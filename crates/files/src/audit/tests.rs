use proptest::prelude::*;

use super::*;

fn reference(name: &str) -> FileReference {
    FileReference { path: name.parse().expect("a path"), sha256: crate::Digest::of(name.as_bytes()) }
}

fn certificate(decision: Decision) -> AuditCertificate {
    let under = |name: &str, words: &[&str]| UnderPaths {
        model: PathModel::parse(name).expect("a path model"),
        invariant: words.iter().filter(|word| **word != "-").count(),
        verdicts: words.iter().map(|word| Box::from(*word)).collect(),
    };
    AuditCertificate {
        decision,
        tensor: 4,
        classes: vec!["a \"b\"".to_string(), String::new()],
        inputs: 64,
        rows: 4,
        graph: reference("graph.safetensors"),
        dataset: reference("rows.safetensors"),
        model: reference("model.onnx"),
        source: reference("rows.csv"),
        audits: vec![
            under("portable", &["3", "-", "+", "0,12,7"]),
            under("nearest,narrowing=bias,accumulator=p=30,emin=-100,emax=127", &["-", "-", "-", "-"]),
        ],
        provenance: [("version".to_string(), "1".to_string())].into(),
    }
}

fn decisions() -> Vec<Decision> {
    let third = Rational::from((-1, 3));
    vec![
        Decision::Argmax { ties: Ties::Any },
        Decision::Argmax { ties: Ties::First },
        Decision::Top { count: 3, ordered: false },
        Decision::Top { count: 1, ordered: true },
        Decision::Sign,
        Decision::Threshold { limit: third },
        Decision::Value { tolerance: Rational::from(2) },
        Decision::Bits,
    ]
}

fn read(text: &str) -> Result<AuditCertificate, String> {
    AuditCertificate::parse(Path::new("c.json"), text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn certificates_read_back() {
    for decision in decisions() {
        let certificate = certificate(decision);
        let text = certificate.to_json();
        assert_eq!(read(&text), Ok(certificate), "{text}");
        assert!(AuditCertificate::is_one(text.as_bytes()));
    }
    assert!(!AuditCertificate::is_one(b"{\"claim\": {\"property\": \"memorizes\"}}"));
    assert!(!AuditCertificate::is_one(b"[]"));
}

/// Each text in place of another, and what is said then.
#[test]
fn what_is_written_otherwise_is_refused() {
    let text = certificate(Decision::Threshold { limit: Rational::from((1, 2)) }).to_json();
    for (from, to, said) in [
        ("\"schema\": 1", "\"schema\": 2", "schema 2"),
        ("\"decides\"", "\"decide\"", "claim.property"),
        ("\"threshold\"", "\"thresholds\"", "known are argmax, top"),
        ("\"1/2\"", "\"2/4\"", "lowest terms"),
        ("\"1/2\"", "\"1/0\"", "lowest terms"),
        ("\"1/2\"", "\"0.5\"", "lowest terms"),
        ("\"tensor\": 4", "\"tensor\": -4", "strict JSON"),
        ("\"tensor\": 4", "\"tensor\": 4, \"tensor\": 4", "twice"),
        ("\"tensor\": 4", "\"tensor\": 4, \"other\": 4", "unknown field"),
        ("\"rows\": 4", "\"rows\": 5", "4 verdicts for 5 rows"),
        ("\"invariant\": 3", "\"invariant\": 4", "not 4 of them are invariant"),
        ("3 - +", "3  - +", "5 verdicts for 4 rows"),
        ("3 - +", "03 - +", "`03` is not a verdict"),
        ("3 - +", "+3 - +", "`+3` is not a verdict"),
        ("3 - +", "3, - +", "`3,` is not a verdict"),
        ("3 - +", "99999999999999999999 - +", "is not a verdict"),
        ("\"rounding\": \"ties-to-even\"", "\"rounding\": \"any-way\"", "unknown"),
        ("\"partials\": \"2\"", "\"partials\": \"02\"", "certificates have partials=2"),
        ("\"copies\": \"per-reader\",\n", "", "paths.copies: the field is missing"),
        ("\"copies\": \"per-reader\"", "\"copies\": \"per-reader,folding=any\"", "certificates have copies=per-reader"),
        ("Not covered unless named: ", "Not covered unless named, but for: ", "not_covered"),
        ("\"graph.safetensors\"", "\"../graph.safetensors\"", "graph.path"),
        ("  \"provenance\"", "  \"verdict\": \"Proved\",\n  \"provenance\"", "unknown field"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = read(&changed).expect_err(to);
        assert!(error.starts_with("c.json: ") && error.contains(said), "{to}: {error}");
    }
    assert!(read(&format!("{text}x")).is_err() && read(&text[..text.len() / 2]).is_err());
    let mut twice = certificate(Decision::Sign);
    twice.audits[1].model = twice.audits[0].model;
    assert!(read(&twice.to_json()).expect_err("twice").contains("a path model is there twice"));
    twice.audits.clear();
    assert!(read(&twice.to_json()).expect_err("none").contains("a path model at least"));
}

proptest! {
    /// Whatever a byte is changed to, what is read is written the same, but for white space.
    #[test]
    fn one_changed_byte_is_refused_or_told(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let certificate = certificate(Decision::Top { count: 2, ordered: true });
        let mut bytes = certificate.to_json().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(read) = AuditCertificate::parse(Path::new("c.json"), &bytes) {
            let written = read.to_json();
            let plain = |text: &[u8]| text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>();
            prop_assert_eq!(plain(written.as_bytes()), plain(&bytes));
        }
    }
}
