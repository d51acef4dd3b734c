//! `export`: ONNX models, and what is refused.

use prost::Message;
use roundproof_onnx::proto::ModelProto;

use crate::common::Folder;

const TABLE: &str = "x,y\n1,1\n2,256\n3,1\n4,3\n";

/// A folder with a table, and what `prove` makes of it.
fn proved(options: &str) -> Folder {
    let folder = Folder::new();
    folder.write("table.csv", TABLE);
    folder.run(&format!("prove table.csv -l y --out out {options}"));
    folder
}

/// What a run prints and how it ends.
fn told(folder: &Folder, arguments: &str) -> String {
    let run = folder.run(arguments);
    format!("$ {arguments}\n{}{}exit code {}\n\n", run.stdout, run.stderr, run.code)
}

const EXPORT: &str = "export out/certificate.json --onnx out.onnx";

#[test]
fn what_is_exported_is_said() {
    let mut all = String::new();
    all += &told(&proved("-f binary32"), EXPORT);
    all += &told(&proved("-f binary16 --activation step --strategy tree"), EXPORT);
    all += &told(&proved("-f bfloat16 --paths all,accumulator=binary32"), EXPORT);
    all += &told(&proved("-f bfloat16 --paths paper --strategy telescoping-sum"), EXPORT);
    all += &told(
        &proved("-f float8_e5m2"),
        "export out/network.safetensors --paths all,overflow=saturate --onnx out.onnx",
    );
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_refused_is_said_and_nothing_is_written() {
    let mut all = String::new();
    let mut refused = |options: &str, arguments: &str| {
        let folder = proved(options);
        all += &format!("# {options}\n{}", told(&folder, arguments));
        assert!(!folder.path("out.onnx").exists(), "{arguments}");
    };
    refused("-f tf32", EXPORT);
    refused("-f F(8)", EXPORT);
    refused("-f binary32 --paths all,rounding=toward-zero", EXPORT);
    refused("-f float8_e5m2", EXPORT);
    refused("-f bfloat16 --strategy telescoping-sum", EXPORT);
    refused("-f bfloat16", "export table.csv --onnx out.onnx");
    refused("-f bfloat16", "export out/dataset.safetensors --onnx out.onnx");
    refused("-f bfloat16", "export nothing.json --onnx out.onnx");
    refused("-f bfloat16", "export out/certificate.json --paths paper --onnx out.onnx");
    refused("-f bfloat16", "export out/network.safetensors --paths papre --onnx out.onnx");
    refused("-f bfloat16", "export out/network.safetensors --onnx out/network.safetensors");
    refused("-f bfloat16", "export out/certificate.json --onnx nowhere/out.onnx");
    refused("-f bfloat16", "export out/certificate.json");
    insta::assert_snapshot!(all);
}

#[test]
fn a_changed_network_is_not_exported_as_proved() {
    let folder = proved("-f bfloat16");
    let mut network = folder.read("out/network.safetensors");
    *network.last_mut().expect("bytes") ^= 1;
    folder.write("out/network.safetensors", network);
    let run = folder.expect(1, EXPORT);
    assert!(run.stdout.starts_with("rejected"), "{run:?}");
    assert!(!folder.path("out.onnx").exists());
}

/// The same bytes each time; and the metadata name the files.
#[test]
fn a_model_names_its_claim_and_its_files() {
    let folder = proved("-f binary16");
    folder.expect(0, EXPORT);
    let bytes = folder.read("out.onnx");
    folder.expect(0, EXPORT);
    assert_eq!(folder.read("out.onnx"), bytes);
    let model = ModelProto::decode(&bytes[..]).expect("a model");
    let value = |key: &str| {
        let entry = model.metadata_props.iter().find(|entry| entry.key.as_deref() == Some(key));
        entry.and_then(|entry| entry.value.clone()).unwrap_or_default()
    };
    for (key, file) in
        [("certificate", "certificate.json"), ("network", "network.safetensors"), ("dataset", "dataset.safetensors")]
    {
        let digest = roundproof_files::Digest::of(&folder.read(&format!("out/{file}")));
        assert_eq!(value(&format!("{key}_sha256")), digest.to_string());
    }
    assert_eq!(
        (value("format"), value("order"), value("verdict")),
        ("binary16".into(), "pairwise".into(), "Proved".into())
    );
    assert!(model.doc_string.is_some_and(|text| text.contains(&value("claim")) && text.contains(&value("condition"))));
}
