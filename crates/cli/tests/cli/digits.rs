//! What this program is for, done on real data: prove, check, and see every change rejected.

use serde_json::{Value, json};

use crate::common::{Folder, Run, tensors};

fn proved() -> Folder {
    let folder = Folder::with("digits.csv");
    let run = folder.expect(0, "prove digits.csv --label class --format bfloat16 --out out");
    assert!(run.stdout.starts_with("Proved: "), "{run:?}");
    assert!(run.stdout.contains("693643 parameters"), "{run:?}");
    let names: Vec<String> =
        folder.files().into_keys().map(|path| path.file_name().unwrap().to_string_lossy().into()).collect();
    assert_eq!(names, ["digits.csv", "certificate.json", "dataset.safetensors", "network.safetensors"]);
    folder
}

#[track_caller]
fn rejected(run: &Run, why: &str) {
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.starts_with("rejected  out/certificate.json: ") && run.stdout.contains(why), "{why}: {run:?}");
}

/// The first, the last and some of the elements between.
fn sample(count: usize) -> impl Iterator<Item = usize> {
    (0..4).map(move |part| part * (count - 1) / 3)
}

#[test]
fn proved_and_checked() {
    let folder = proved();
    let run = folder.expect(0, "check out/certificate.json");
    assert!(run.stdout.starts_with("Proved    out/certificate.json: "), "{run:?}");
    // Proving again gives the same files.
    let before = folder.files();
    folder.expect(0, "prove digits.csv --label class --format bfloat16 --out out");
    assert!(folder.files() == before, "the same bytes");
}

#[test]
fn every_change_of_a_file_is_rejected() {
    let folder = proved();
    for file in ["out/network.safetensors", "out/dataset.safetensors"] {
        let bytes = folder.read(file);
        let mut changed = 0;
        for (range, size) in tensors(&bytes).into_values() {
            for element in sample(range.len() / size).take(2) {
                let mut bytes = bytes.clone();
                bytes[range.start + element * size] ^= 1;
                folder.write(file, bytes);
                rejected(&folder.run("check out/certificate.json"), "has the SHA-256");
                changed += 1;
            }
        }
        assert!(changed >= 4);
        folder.write(file, bytes);
    }
    folder.expect(0, "check out/certificate.json");
}

#[test]
fn every_change_of_a_value_is_rejected_by_the_kernel_though_the_digest_is_right() {
    let folder = proved();
    let certificate = folder.json("out/certificate.json");
    let table = String::from_utf8(folder.read("digits.csv")).unwrap();
    let rows = table.lines().skip(1).enumerate();
    let others: Vec<usize> = rows.filter(|(_, line)| !line.ends_with(",0")).map(|(row, _)| row).collect();
    for (file, field) in [("out/network.safetensors", "network"), ("out/dataset.safetensors", "dataset")] {
        let bytes = folder.read(file);
        for (name, (range, size)) in tensors(&bytes) {
            if name.ends_with("columns") || name.ends_with("row_ptr") {
                continue;
            }
            let elements: Vec<usize> = match name.as_str() {
                // A row outside of every box gives 0. If that is its label, such a change leaves the claim true.
                "inputs" => sample(others.len()).map(|index| others[index] * 64 + index % 64).collect(),
                _ => sample(range.len() / size).collect(),
            };
            for element in elements {
                // One unit in the last place.
                let mut bytes = bytes.clone();
                bytes[range.start + element * size] ^= 1;
                folder.write(file, bytes);
                let shown: Value =
                    serde_json::from_str(&folder.expect(0, &format!("show --json {file}")).stdout).unwrap();
                let mut certificate = certificate.clone();
                certificate[field]["sha256"] = shown["sha256"].clone();
                folder.write("out/certificate.json", certificate.to_string());
                let run = folder.run("check out/certificate.json");
                assert_eq!(run.code, 1, "{file}, {name}, element {element}: {run:?}");
                rejected(&run, "box-network: ");
            }
        }
        folder.write(file, bytes);
    }
}

#[test]
fn every_change_of_the_certificate_is_rejected() {
    let folder = proved();
    let certificate = folder.json("out/certificate.json");
    let with = |pointer: &str, value: Value| {
        let mut certificate = certificate.clone();
        *certificate.pointer_mut(pointer).unwrap() = value;
        folder.write("out/certificate.json", certificate.to_string());
        folder.run("check out/certificate.json")
    };
    for pointer in ["/network/sha256", "/dataset/sha256"] {
        let digest = certificate.pointer(pointer).unwrap().as_str().unwrap();
        let other = if digest.starts_with('0') { "1" } else { "0" };
        rejected(&with(pointer, json!(format!("{other}{}", &digest[1..]))), "has the SHA-256");
    }
    for count in ["rows", "input_dimension", "output_dimension", "layers", "parameters"] {
        rejected(&with(&format!("/claim/shape/{count}"), json!(7)), "the claim says 7 ");
    }
    rejected(&with("/claim/format", json!("binary16")), "the claim is about binary16, the network is in bfloat16");
    rejected(&with("/claim/model/subnormals", json!("flush")), "may be flushed");

    let separator = certificate["evidence"]["separator"].as_str().unwrap();
    let nodes: Vec<&str> = separator.split(' ').collect();
    let is_box = |node: &&str| node.starts_with('#');
    let first_box = nodes.iter().position(is_box).unwrap();
    let last_box = nodes.iter().rposition(is_box).unwrap();
    let mut changes =
        vec![(first_box, nodes[last_box].to_string()), (last_box, "#1797".into()), (last_box, "-".into())];
    for index in sample(nodes.len()).filter(|&index| !is_box(&nodes[index])) {
        let (column, threshold) = nodes[index].split_once(':').unwrap();
        changes.push((index, format!("64:{threshold}")));
        // Below, and above, everything.
        changes.push((index, format!("{column}:0xff7f")));
        changes.push((index, format!("{column}:0x7f7f")));
        changes.push((index, nodes[first_box].to_string()));
    }
    for (index, node) in changes {
        let mut nodes = nodes.clone();
        nodes[index] = &node;
        rejected(&with("/evidence/separator", json!(nodes.join(" "))), "separator: ");
    }
    folder.write("out/certificate.json", certificate.to_string());
    folder.expect(0, "check out/certificate.json");
}
