//! One data set in every format: proved, or refused for a reason.

use std::fmt::Write;

use crate::common::Folder;

const FORMATS: [&str; 21] = [
    "float4_e2m1fn",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e4m3b11fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "bfloat16",
    "binary16",
    "tf32",
    "binary32",
    "binary64",
    "binary128",
    "e5m7",
    "p=8,emin=-20,emax=20,specials=finite",
    "F(3)",
    "F(8)",
    "F(24)",
];

#[test]
fn every_format() {
    let folder = Folder::with("iris.csv");
    let mut summary = String::new();
    for format in FORMATS {
        for activation in ["relu", "step"] {
            let out = format!("{format}.{activation}");
            let run = folder.run(&format!("prove iris.csv -l class -f {format} --activation {activation} --out {out}"));
            let refused = run.stderr.strip_prefix("error: iris.csv: ");
            let words = if run.code == 0 { run.stdout.lines().next() } else { refused.map(str::trim_end) };
            writeln!(summary, "{format} {activation}: {}", words.unwrap_or(&run.stderr)).unwrap();
            if run.code == 0 {
                folder.expect(0, &format!("check {out}/certificate.json"));
            } else {
                assert_eq!(run.code, 2, "{run:?}");
                assert!(!folder.path(&out).exists(), "{out}: nothing is written");
            }
        }
    }
    insta::assert_snapshot!(summary);
}

#[test]
fn paths_as_evidence_and_wider_accumulators() {
    let folder = Folder::with("iris.csv");
    let prove = |options: &str| folder.run(&format!("prove iris.csv -l class --out out {options}"));
    let run = prove("-f bfloat16 --evidence paths");
    assert!(run.code == 0 && run.stdout.contains("evidence   paths: "), "{run:?}");
    folder.expect(0, "check out/certificate.json");
    let run = prove("-f float8_e4m3 --paths all,accumulator=binary32 --json");
    assert_eq!(run.code, 0, "{run:?}");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["verdict"], "Proved");
    assert_eq!(report["claim"]["paths"]["name"], "all,accumulator=binary32/ieee");
    assert_eq!(report["rounding"]["worst"]["column"], "sepal_width");
    folder.expect(0, "check out/certificate.json");
    // The rule for boxes does not cover flushing: the claim is true for all that is known, and not established.
    let run = prove("-f bfloat16 --paths all,subnormals=flush");
    assert!(run.code == 3 && run.stdout.starts_with("Unknown: "), "{run:?}");
    assert!(run.stdout.contains("rejected   box-network: the rule does not hold where subnormals may be flushed"));
    let run = folder.expect(3, "check out/certificate.json");
    assert!(run.stdout.starts_with("not established  out/certificate.json: Unknown"), "{run:?}");
}
