//! The JSON Schemas that are published, held against certificates and reports.

use std::collections::BTreeSet;
use std::path::Path;

use jsonschema::Validator;
use roundproof_files::Certificate;
use roundproof_files::certificate::CertificateProblem;
use serde_json::{Value, json};

use crate::common::{Folder, errors_of_form, validator};

/// Proved, Refuted and neither, of each property and by each kind of evidence; with a report that has the form that is published, as
/// everything that is read with `expect_json` has.
#[test]
fn certificates_and_reports_have_the_published_form() {
    let folder = Folder::with("iris.csv").and_model("sklearn-tree.json");
    folder.write("sum.csv", "x,y\n1,1\n2,256\n3,1\n4,3\n");
    let flush = "--paths all,subnormals=flush";
    let cases = [
        (0, "prove iris.csv -l class -f bfloat16"),
        (0, "prove iris.csv -l class -f F(8) --evidence paths"),
        (0, "prove iris.csv -l class -f float8_e4m3 -s tree --max-leaves 4 --paths all,accumulator=binary32"),
        (3, &format!("prove iris.csv -l class -f bfloat16 {flush}")),
        (4, "prove sum.csv -l y -f bfloat16 --strategy telescoping-sum"),
        (0, "compile sklearn-tree.json -f bfloat16 --data iris.csv -l class"),
        (0, "approximate --function tanh -f float8_e4m3 --exact"),
        (0, "approximate --function exp -f float8_e4m3 --domain 0:1 --eps 0.25"),
        (0, "approximate --function x*y -f F(4) --domain 0:1,0:1 --excess 0.25"),
        (4, &format!("approximate --function sqrt -f binary16 --domain 0:0x1p-20 --exact {flush}")),
    ];
    let (mut kinds, mut changed) = (BTreeSet::new(), 0);
    let of_certificates = validator("certificate");
    for (code, command) in cases {
        folder.expect_json(code, &format!("{command} --out out"));
        folder.expect_json(code, "check out/certificate.json");
        let certificate = folder.json("out/certificate.json");
        assert_eq!(errors_of_form(&of_certificates, &certificate), Vec::<String>::new(), "{command}");
        changed += changes(&certificate, &of_certificates);
        let kind = |pointer: &str| certificate.pointer(pointer).map(Value::to_string).unwrap_or_default();
        kinds.insert((kind("/claim/property"), kind("/verdict"), kind("/evidence/kind")));
    }
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    assert!(changed > 500, "{changed}");
}

/// Each field removed, of another type, and one added beside it: the schema allows what the reader takes for a certificate, and
/// nothing else.
fn changes(certificate: &Value, validator: &Validator) -> usize {
    let mut places = Vec::new();
    objects(certificate, String::new(), &mut places);
    let mut variants = Vec::new();
    let mut vary = |place: &str, what: String, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut variant = certificate.clone();
        change(variant.pointer_mut(place).and_then(Value::as_object_mut).unwrap());
        variants.push((what, variant));
    };
    for (place, keys) in &places {
        for key in keys {
            vary(place, format!("{place}/{key} removed"), &|fields| {
                fields.remove(key);
            });
            vary(place, format!("{place}/{key} of another type"), &|fields| {
                fields.insert(key.clone(), json!(true));
            });
        }
        if place != "/provenance" {
            vary(place, format!("{place}/unknown added"), &|fields| {
                fields.insert("unknown".to_string(), Value::Null);
            });
        }
    }
    for (what, variant) in &variants {
        let read = Certificate::parse(Path::new("certificate.json"), variant.to_string().as_bytes());
        // What parts go together is not a matter of form.
        let is_of_form = match &read {
            Ok(_) => true,
            Err(error) => matches!(&*error.problem, CertificateProblem::Inconsistent(_)),
        };
        assert_eq!(validator.is_valid(variant), is_of_form, "{what}: {:?}", read.err());
    }
    variants.len()
}

/// The objects of a value, with their keys; of an array, those of its first two entries.
fn objects(value: &Value, place: String, found: &mut Vec<(String, Vec<String>)>) {
    match value {
        Value::Object(fields) => {
            found.push((place.clone(), fields.keys().cloned().collect()));
            for (key, value) in fields {
                objects(value, format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(entries) => {
            for (index, value) in entries.iter().enumerate().take(2) {
                objects(value, format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn schemas_are_printed_as_they_are_published() {
    let folder = Folder::new();
    for name in ["certificate", "check", "prove", "compile", "approximate", "audit"] {
        let printed: Value = serde_json::from_str(&folder.expect(0, &format!("schema {name}")).stdout).unwrap();
        assert!(Some(printed) == crate::common::schema(name), "{name}");
    }
    let run = folder.expect(2, "schema proof");
    assert!(run.stderr.contains("possible values: certificate, check"), "{run:?}");
}
