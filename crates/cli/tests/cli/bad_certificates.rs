//! Certificates and tensors that someone meddled with: unreadable (2) or rejected (1), and never believed.

use std::fmt::Write;

use crate::common::{Folder, Run, message};

fn proved() -> Folder {
    let folder = Folder::new();
    folder.write("table.csv", "x,y\n1,2\n3,4\n");
    folder.expect(0, "prove table.csv -l y -f bfloat16 --out out");
    folder
}

/// The text of a certificate with one place changed, checked.
fn changed(folder: &Folder, from: &str, to: &str) -> Run {
    let text = String::from_utf8(folder.read("out/certificate.json")).unwrap();
    assert!(text.contains(from), "{from}");
    folder.write("out/changed.json", text.replacen(from, to, 1));
    folder.run("check out/changed.json")
}

#[test]
fn certificates() {
    let folder = proved();
    let mut messages = String::new();
    let cases = [
        (2, "\"schema\": 1", "\"schema\": 2"),
        (2, "\"schema\": 1,", ""),
        (2, "\"schema\": 1,", "\"schema\": 1, \"more\": 1,"),
        (2, "\"schema\": 1,", "\"schema\": 1, \"schema\": 1,"),
        (2, "\"rows\": 2", "\"rows\": 2.0"),
        (2, "\"verdict\": \"Proved\"", "\"verdict\": \"Prooved\""),
        (2, "\"verdict\": \"Proved\"", "\"verdict\": \"Refuted\""),
        (2, "\"network.safetensors\"", "\"../out/network.safetensors\""),
        (2, "\"network.safetensors\"", "\"lost.safetensors\""),
        (2, "\"format\": \"bfloat16\"", "\"format\": \"bf16\""),
        (2, "\"order\": \"any\"", "\"order\": \"anny\""),
        (2, "}", ""),
        (1, "\"rows\": 2", "\"rows\": 3"),
        (1, "\"network.safetensors\"", "\"dataset.safetensors\""),
    ];
    for (code, from, to) in cases {
        let run = changed(&folder, from, to);
        assert_eq!(run.code, code, "{from} -> {to}: {run:?}");
        writeln!(messages, "{from} -> {to}\n{}", message(&run)).unwrap();
    }
    insta::with_settings!({ filters => [("[0-9a-f]{64}", "<digest>")] }, { insta::assert_snapshot!(messages); });
}

#[test]
fn of_several_the_worst_counts() {
    let folder = proved();
    let text = String::from_utf8(folder.read("out/certificate.json")).unwrap();
    folder.write("out/rejected.json", text.replace("\"rows\": 2", "\"rows\": 3"));
    let unknown: serde_json::Value = {
        let mut certificate = folder.json("out/certificate.json");
        certificate["verdict"] = "Attested".into();
        certificate.as_object_mut().unwrap().remove("evidence");
        certificate
    };
    folder.write("out/attested.json", unknown.to_string());
    let good = "out/certificate.json";
    let run = folder.expect(3, &format!("check {good} out/attested.json"));
    assert!(run.stdout.contains("nothing to check again"), "{run:?}");
    folder.expect(1, &format!("check {good} out/attested.json out/rejected.json"));
    let run = folder.expect(2, &format!("check out/rejected.json lost.json {good} --json"));
    let reports: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let statuses: Vec<&str> = reports.as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["rejected", "unreadable", "accepted"]);
    // A verdict that nothing stands behind.
    let mut vacuous = unknown;
    vacuous["verdict"] = "Vacuous".into();
    folder.write("out/vacuous.json", vacuous.to_string());
    let run = folder.expect(1, "check out/vacuous.json");
    assert!(run.stdout.contains("the certificate says Vacuous, and the data set has 2 rows"), "{run:?}");
}

#[test]
fn tensors() {
    let folder = proved();
    let network = folder.read("out/network.safetensors");
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let length = u64::from_le_bytes(network[..8].try_into().unwrap()) as usize;
    let text = String::from_utf8(network[8..8 + length].to_vec()).unwrap();
    let with_header = |text: &str| [&header(text)[..], &network[8 + length..]].concat();
    let files: [(&str, Vec<u8>); 9] = [
        ("nothing", Vec::new()),
        ("short", network[..5].to_vec()),
        ("header-cut", network[..40].to_vec()),
        ("data-cut", network[..network.len() - 1].to_vec()),
        ("too-long", [&network[..], b"x"].concat()),
        ("huge-header", [&u64::MAX.to_le_bytes()[..], b"{}"].concat()),
        ("huge-shape", with_header(&text.replacen("\"shape\":[", "\"shape\":[99999999999,", 1))),
        ("overlap", with_header(&text.replacen("\"data_offsets\":[0,", "\"data_offsets\":[1,", 1))),
        ("no-json", header("{\"layer0.bias\"")),
    ];
    let mut messages = String::new();
    for (name, bytes) in files {
        folder.write(&format!("{name}.safetensors"), bytes);
        let run = folder.expect(2, &format!("run {name}.safetensors out/dataset.safetensors"));
        writeln!(messages, "{}", run.stderr).unwrap();
        folder.expect(2, &format!("show {name}.safetensors"));
    }
    insta::assert_snapshot!(messages);
    // Beside a certificate, the digest is looked at first.
    folder.write("out/network.safetensors", &network[..40]);
    let run = folder.expect(1, "check out/certificate.json");
    assert!(run.stdout.contains("has the SHA-256"), "{run:?}");
}
