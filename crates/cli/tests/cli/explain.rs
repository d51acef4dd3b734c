//! `explain`: refutations in words, and what is none.

use serde_json::Value;

use crate::common::{Folder, message};

const SUM: &str = "x,y\n1,1\n2,256\n3,1\n4,3\n";

/// A data set and the options with which its network is refuted.
fn refuted(table: &str, options: &str) -> Folder {
    let folder = Folder::new();
    folder.write("table.csv", table);
    folder.expect(4, &format!("prove table.csv -l y --out out {options}"));
    folder
}

fn explained(table: &str, options: &str) -> String {
    format!("# {options}\n{}\n", refuted(table, options).expect(0, "explain out/certificate.json").stdout)
}

/// One table with 129 inputs, of which a bfloat16 cannot count the 258 bounds.
fn many_inputs() -> String {
    let (header, row): (Vec<String>, Vec<&str>) = (0..129).map(|column| (format!("x{column}"), "1")).unzip();
    format!("{},y\n{},1\n", header.join(","), row.join(","))
}

#[test]
fn an_order_a_plain_path_a_flush_and_a_penalty() {
    let subnormal = "x,y\n0x1p-24,1\n0x1p-23,2\n";
    let stories = [
        explained(SUM, "-f bfloat16 --strategy telescoping-sum"),
        explained(SUM, "-f float8_e5m2 --strategy telescoping-sum"),
        explained(&many_inputs(), "-f bfloat16 --strategy counting-indicator"),
        explained(&many_inputs(), "-f bfloat16 --strategy counted-ramps --paths paper"),
        explained(subnormal, "-f binary16 --activation step --paths all,subnormals=flush"),
        explained(subnormal, "-f binary16 --paths all,subnormals=flush"),
        explained("x,y\n1,1\n1.125,2\n", "-f float8_e4m3fn --strategy halved-penalties"),
        explained("x,y\n0,1\n0x1p15,2\n", "-f binary16 --strategy dense-point"),
        explained("x,y\n1,1\n-96,2\n", "-f float8_e4m3fn --paths all,overflow=nan"),
        explained("x,y\n1,1\n2,512\n3,1\n", "-f bfloat16 --strategy telescoping-sum --paths all,accumulator=tf32"),
    ];
    insta::assert_snapshot!(stories.concat());
}

/// Refutations of the corpus: sums of a few terms, in accumulators, fused, beyond the largest value.
#[test]
fn networks_of_the_corpus() {
    let folder = Folder::new();
    let proofs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proofs");
    let filters = ["accumulators/", "contraction/", "overflow/", "partial-sums/any-order-2"];
    let filters = filters.map(|filter| format!("--filter refutations/{filter}")).join(" ");
    folder.expect(0, &format!("verify-all {proofs} --keep kept {filters}"));
    let mut stories = String::new();
    for name in [
        "accumulators/double-rounding/identity.bfloat16",
        "contraction/fused/identity.F(3)",
        "overflow/saturating/identity.float8_e4m3fn.all",
        "overflow/infinite/identity.float8_e5m2.paper",
        "partial-sums/any-order-2/identity.float4_e2m1fn",
    ] {
        let run = folder.expect(0, &format!("explain kept/refutations/{name}.json"));
        stories += &format!("# {name}\n{}\n", run.stdout);
    }
    insta::assert_snapshot!(stories);
}

/// Refutations at points: a direction, an order, a flush, labels that are not nearest, a leaf that half a penalty lets through.
#[test]
fn approximations_and_forests_of_the_corpus() {
    let folder = Folder::new();
    let proofs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proofs");
    folder.expect(
        0,
        &format!("verify-all {proofs} --keep kept --filter refutations/approximation --filter refutations/forest"),
    );
    let mut stories = String::new();
    for name in [
        "approximation-one-neuron/identity.bfloat16",
        "approximation-flush/step.binary16",
        "approximation-labels/directed/relu.F(8).paper",
        "approximation-labels/excess/step.bfloat16",
        "approximation-labels/nearest/step.float8_e4m3fn",
        "approximation-halved-penalties/relu.float8_e4m3fn.all",
        "forest-any-order/step.bfloat16",
        "forest-halved-penalties/relu.bfloat16.all",
    ] {
        let file = format!("kept/refutations/{name}");
        let explained = folder.expect(0, &format!("explain {file}.json"));
        let checked = folder.expect(4, &format!("check {file}.json"));
        let replayed = folder.expect(0, &format!("run {file}.network.safetensors --path {file}.json"));
        stories += &format!("# {name}\n{}\n{}{}\n", explained.stdout, checked.stdout, replayed.stdout);
    }
    insta::assert_snapshot!(stories);
}

#[test]
fn machines_get_a_point_too() {
    let folder = Folder::new();
    let refuted =
        "approximate --function sqrt -f binary16 --domain 0:0x1p-20 --exact --paths all,subnormals=flush --out out";
    let report = folder.expect_json(4, refuted);
    assert_eq!((&report["verdict"], &report["evidence"]), (&"Refuted".into(), &"witness".into()), "{report}");
    let explanation = folder.expect_json(0, "explain out/certificate.json");
    let replay = "run out/network.safetensors --path out/certificate.json --output-format json";
    let replayed: Value = serde_json::from_str(&folder.expect(0, replay).stdout).unwrap();
    assert_eq!(replayed["equal"], false);
    assert_eq!(replayed["point"][0]["value"], explanation["point"][0]);
    assert_eq!(replayed["outputs"][0]["value"], explanation["given"]);
    assert_eq!(replayed["allowed"][0][0]["value"], explanation["expected"]);
    assert_eq!(report["refutation"]["point"], explanation["point"]);
    assert_eq!(report["refutation"]["value"], explanation["given"]);
    assert!(explanation["row"].is_null() && report["refutation"]["row"].is_null());
    let csv = folder.expect(0, &replay.replace("json", "csv").replace("certificate.csv", "certificate.json")).stdout;
    assert!(csv.starts_with("x,output_0,expected_0,equal\n") && csv.ends_with(",0\n"), "{csv}");
    // A point takes no data, no rows and no labels; and a row takes data.
    folder.write("table.csv", SUM);
    let mut messages = String::new();
    for options in ["table.csv", "-r 0", "-l y"] {
        let run = folder.expect(2, &format!("run out/network.safetensors {options} --path out/certificate.json"));
        messages += &message(&run);
    }
    folder.expect(4, "prove table.csv -l y -f bfloat16 --strategy telescoping-sum --out sum");
    messages += &message(&folder.expect(2, "run sum/network.safetensors --path sum/certificate.json"));
    messages += &message(&folder.expect(2, "run out/network.safetensors --path sum/certificate.json"));
    insta::assert_snapshot!(messages);
}

/// Every change of a witness at a point is rejected by the kernel, and so is a claim that was made true.
#[test]
fn a_witness_at_a_point_that_was_meddled_with_is_rejected() {
    let folder = Folder::new();
    folder.expect(
        4,
        "approximate --function sqrt -f binary16 --domain 0:0x1p-20 --exact --paths all,subnormals=flush --out out",
    );
    let certificate = folder.json("out/certificate.json");
    let changes: [(&str, &str, Value); 12] = [
        ("another value", "/evidence/value", "0x3c00".into()),
        ("another point", "/evidence/point/0", "0x0002".into()),
        ("a point outside the domain", "/evidence/point/0", "0x3c00".into()),
        ("an infinity", "/evidence/point/0", "0x7c00".into()),
        ("two inputs", "/evidence/point", Value::Array(vec!["0x0001".into(); 2])),
        ("no such output", "/evidence/output", 1.into()),
        ("no such neuron", "/evidence/neurons/0/neuron", 4_000_000.into()),
        ("the plain path", "/evidence/neurons", Value::Array(Vec::new())),
        ("no flush", "/evidence/neurons/0/path", "1 RNE".into()),
        ("paths without flush", "/claim/model/subnormals", "gradual".into()),
        ("an error that covers it", "/claim/accuracy", serde_json::json!({ "error": "1" })),
        ("another function, which is what the path gives", "/claim/function", "0*x".into()),
    ];
    let mut messages = String::new();
    for (what, pointer, value) in changes {
        let mut changed = certificate.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        folder.write("out/changed.json", changed.to_string());
        let run = folder.expect(1, "explain out/changed.json");
        folder.expect(1, "check out/changed.json");
        messages += &format!("{what}: {}", message(&run));
    }
    // Neither a row nor a point, and both: no certificate.
    for (what, row, point) in
        [("neither", None, None), ("both", Some(Value::from(0)), Some(Value::from(["0x0001"].to_vec())))]
    {
        let mut changed = certificate.clone();
        let evidence = changed["evidence"].as_object_mut().unwrap();
        evidence.remove("point");
        evidence.extend(row.map(|row| ("row".to_string(), row)));
        evidence.extend(point.map(|point| ("point".to_string(), point)));
        folder.write("out/changed.json", changed.to_string());
        messages += &format!("{what}: {}", message(&folder.expect(2, "check out/changed.json")));
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn machines_get_the_same() {
    let folder = refuted(SUM, "-f bfloat16 --strategy telescoping-sum");
    let explanation = folder.expect_json(0, "explain out/certificate.json");
    insta::assert_snapshot!(serde_json::to_string_pretty(&explanation).unwrap());
    // What is told is what the path gives.
    let replay = "run out/network.safetensors out/dataset.safetensors --path out/certificate.json --output-format json";
    let rows: Value = serde_json::from_str(&folder.expect(0, replay).stdout).unwrap();
    assert_eq!(rows[0]["row"], explanation["row"]);
    assert_eq!(rows[0]["outputs"][0]["value"], explanation["given"]);
}

/// Every change of a witness is rejected by the kernel, and then nothing is explained.
#[test]
fn a_witness_that_was_meddled_with_is_rejected() {
    let folder = refuted(SUM, "-f bfloat16 --strategy telescoping-sum");
    let certificate = folder.json("out/certificate.json");
    let path = certificate["evidence"]["neurons"][0]["path"].as_str().unwrap().to_string();
    let changes: [(&str, &str, Value); 9] = [
        ("another value", "/evidence/value", "0x3f80".into()),
        ("another row", "/evidence/row", 0.into()),
        ("no such row", "/evidence/row", 7.into()),
        ("no such output", "/evidence/output", 1.into()),
        ("no such neuron", "/evidence/neurons/0/neuron", 3.into()),
        ("the plain path", "/evidence/neurons", Value::Array(Vec::new())),
        ("another path", "/evidence/neurons/0/path", "3 RNE".into()),
        ("an order that the model lacks", "/claim/model/order", "left-to-right".into()),
        ("another digest", "/network/sha256", "0".repeat(64).into()),
    ];
    let mut messages = format!("{path}\n");
    for (what, pointer, value) in changes {
        let mut changed = certificate.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        folder.write("out/changed.json", changed.to_string());
        let run = folder.expect(1, "explain out/changed.json");
        folder.expect(1, "check out/changed.json");
        messages += &format!("{what}: {}", message(&run));
    }
    // The same path through a network with one number changed.
    let network = folder.read("out/network.safetensors");
    let mut bytes = network.clone();
    let (place, _) = crate::common::tensors(&bytes)["layer1.bias"].clone();
    bytes[place.start] ^= 1;
    folder.write("out/network.safetensors", &bytes);
    messages += &format!("another bias: {}", message(&folder.expect(1, "explain out/certificate.json")));
    insta::with_settings!({ filters => [("[0-9a-f]{64}", "<digest>")] }, { insta::assert_snapshot!(messages); });
}

#[test]
fn what_is_no_refutation_is_told() {
    let folder = Folder::new();
    folder.write("table.csv", "x,y\n1,2\n3,4\n");
    folder.expect(0, "prove table.csv -l y -f bfloat16 --out out");
    let mut messages = String::new();
    for file in ["out/certificate.json", "out/network.safetensors", "table.csv", "nothing.json"] {
        messages +=
            &format!("$ roundproof explain {file}\n{}\n", message(&folder.expect(2, &format!("explain {file}"))));
    }
    // A witness, and nothing to replay it on.
    let folder = refuted(SUM, "-f bfloat16 --strategy telescoping-sum");
    std::fs::remove_file(folder.path("out/dataset.safetensors")).unwrap();
    messages += &message(&folder.expect(2, "explain out/certificate.json"));
    insta::assert_snapshot!(messages);
}
