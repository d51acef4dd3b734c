//! Models of other tools, compiled and proved, and computed on data.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::common::{Folder, message, tensors, tolerance};

const MODELS: [(&str, &str); 11] = [
    ("xgboost-softprob.json", ""),
    ("xgboost-logistic.json", ""),
    ("xgboost-one.json", ""),
    ("lightgbm-multiclass.txt", ""),
    ("lightgbm-forest.txt", ""),
    ("sklearn-tree.json", ""),
    ("sklearn-tree.json", "--outputs scores"),
    ("sklearn-forest.json", ""),
    ("sklearn-forest.json", "--outputs votes"),
    ("sklearn-extra.json", ""),
    ("xgboost-softprob.json", "--grid=-6"),
];

#[test]
fn every_kind_of_model() {
    let mut summary = String::new();
    for (model, options) in MODELS {
        let folder = Folder::new().and_model(model);
        for activation in ["relu", "step"] {
            let arguments = format!("compile {model} -f bfloat16 -a {activation} {options} --out out");
            let run = folder.expect(0, &arguments);
            let kept = |line: &&str| {
                ["claim", "model", "thresholds", "leaves", "remark"]
                    .iter()
                    .any(|name| line.trim_start().starts_with(name))
            };
            let lines: Vec<&str> = run.stdout.lines().filter(kept).collect();
            writeln!(summary, "{model} {options} {activation}\n{}\n", lines.join("\n")).unwrap();
            folder.expect(0, "check out/certificate.json");
            let report = folder.expect_json(0, &arguments);
            let tolerance = tolerance(&report);
            let single = ["sklearn-tree.json", "xgboost-one.json"].contains(&model);
            let exact = options.contains("votes") || options.contains("grid") || single;
            assert_eq!(tolerance == "0", exact, "{model} {options}: {tolerance}");
        }
    }
    insta::assert_snapshot!(summary);
}

/// A bfloat16 value, which is one of binary64.
fn value(encoding: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(encoding) << 16))
}

/// What a forest in bfloat16 gives, read and added up here, by nothing of the program. Sums of these are exact.
struct Forest {
    starts: Vec<u64>,
    columns: Vec<u32>,
    thresholds: Vec<f64>,
    values: Vec<f64>,
    base: Vec<f64>,
}

impl Forest {
    fn read(bytes: &[u8]) -> Forest {
        let tensors = tensors(bytes);
        let of = |name: &str| &bytes[tensors[name].0.clone()];
        let halves =
            |name: &str| of(name).chunks(2).map(|two| value(u16::from_le_bytes(two.try_into().unwrap()))).collect();
        Forest {
            starts: of("starts").chunks(8).map(|eight| u64::from_le_bytes(eight.try_into().unwrap())).collect(),
            columns: of("columns").chunks(4).map(|four| u32::from_le_bytes(four.try_into().unwrap())).collect(),
            thresholds: halves("thresholds"),
            values: halves("values"),
            base: halves("base"),
        }
    }

    /// The node after a subtree.
    fn end(&self, node: usize) -> usize {
        if self.columns[node] == u32::MAX { node + 1 } else { self.end(self.end(node + 1)) }
    }

    fn give(&self, inputs: &[f64]) -> Vec<f64> {
        let mut sums = self.base.clone();
        for tree in self.starts.windows(2) {
            let mut node = tree[0] as usize;
            while self.columns[node] != u32::MAX {
                let lower = inputs[self.columns[node] as usize] <= self.thresholds[node];
                node = if lower { node + 1 } else { self.end(node + 1) };
            }
            let leaf = self.columns[..node].iter().filter(|&&column| column == u32::MAX).count();
            let outputs = sums.len();
            for (output, sum) in sums.iter_mut().enumerate() {
                *sum += self.values[leaf * outputs + output];
            }
        }
        sums
    }
}

#[test]
fn what_is_computed_on_data_is_the_forest_up_to_the_tolerance() {
    for (model, options) in MODELS {
        let folder = Folder::with("iris.csv").and_model(model);
        let report = folder.expect_json(0, &format!("compile {model} -f bfloat16 {options} --out out"));
        let tolerance = tolerance(&report);
        let (over, under) = tolerance.split_once('/').unwrap_or((tolerance, "1"));
        let tolerance = over.parse::<f64>().unwrap() / under.parse::<f64>().unwrap();
        let forest = Forest::read(&folder.read("out/forest.safetensors"));
        // The rows, with as many labels as there are outputs.
        let outputs = report["claim"]["shape"]["outputs"].as_u64().unwrap() as usize;
        let names: Vec<String> = (0..outputs).map(|output| format!("y{output}")).collect();
        let text = String::from_utf8(folder.read("iris.csv")).unwrap();
        let mut table = format!("a,b,c,d,{}\n", names.join(","));
        for line in text.lines().skip(1) {
            writeln!(table, "{}{}", line.rsplit_once(',').unwrap().0, ",0".repeat(outputs)).unwrap();
        }
        folder.write("table.csv", &table);
        let labels: String = names.iter().map(|name| format!(" -l {name}")).collect();
        folder.expect(0, "prove iris.csv -l class -f bfloat16 --out data");
        let data = folder.read("data/dataset.safetensors");
        let inputs = &data[tensors(&data)["inputs"].0.clone()];
        let inputs: Vec<f64> = inputs.chunks(2).map(|two| value(u16::from_le_bytes(two.try_into().unwrap()))).collect();
        let mut off = 0.0f64;
        for path in
            ["", "--fma", "--order right-to-left --mode toward-negative", "--order pairwise --mode toward-positive"]
        {
            let run =
                folder.expect(0, &format!("run out/network.safetensors table.csv{labels} --output-format json {path}"));
            let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(rows.len(), 150);
            for (row, inputs) in rows.iter().zip(inputs.chunks(4)) {
                for (output, sum) in forest.give(inputs).into_iter().enumerate() {
                    let encoding = row["outputs"][output]["encoding"].as_str().unwrap();
                    let given = value(u16::from_str_radix(&encoding[2..], 16).unwrap());
                    off = off.max((given - sum).abs());
                    assert!((given - sum).abs() <= tolerance, "{model} {options} {path}: {row} gives no {sum}");
                }
            }
        }
        assert_eq!(off == 0.0, tolerance == 0.0, "{model} {options}: the bound {tolerance} is of use, {off} was seen");
    }
}

#[test]
fn labels_are_compared_with_an_exact_forest() {
    let folder = Folder::with("iris.csv").and_model("sklearn-tree.json").and_model("xgboost-logistic.json");
    let report = folder.expect_json(0, "compile sklearn-tree.json -f float8_e5m2 --data iris.csv -l class --out out");
    let claim = report["claim"]["sentence"].as_str().unwrap();
    assert!(
        claim.ends_with("a tree with 9 leaves, the sign of a zero aside; that is the label of 129 of 150 rows"),
        "{claim}"
    );
    assert_eq!((&report["compared"], report["claim"]["exceptions"].as_array().unwrap().len()), (&json!(true), 21));
    folder.expect(0, "check out/certificate.json");
    let run = folder.expect(0, "compile sklearn-tree.json -f bfloat16 --data iris.csv -l class");
    assert!(run.stdout.contains("; that is the label of each of 150 rows\n"), "{run:?}");
    // A bounded one gives no label, and says that nothing was compared.
    let arguments = "compile xgboost-logistic.json -f bfloat16 --data iris.csv -l class --out bounded";
    let run = folder.expect(0, arguments);
    assert!(run.stderr.starts_with("note: iris.csv: no label was compared"), "{run:?}");
    assert!(!run.stdout.contains("rows") && !folder.path("bounded/dataset.safetensors").exists(), "{run:?}");
    let report = folder.expect_json(0, arguments);
    assert_eq!(
        (&report["compared"], &report["claim"]["shape"]["rows"], &report["rounding"]),
        (&json!(false), &json!(0), &Value::Null)
    );
    folder.expect(0, "check bounded/certificate.json");
}

#[test]
fn a_bound_that_is_too_small_is_rejected() {
    let folder = Folder::new().and_model("xgboost-softprob.json");
    folder.expect(0, "compile xgboost-softprob.json -f bfloat16 --out out");
    let tolerance = folder.json("out/certificate.json")["claim"]["tolerance"].as_str().unwrap().to_string();
    let (over, under) = tolerance.split_once('/').unwrap();
    let less = format!("{}/{under}", over.parse::<u64>().unwrap() - 2);
    for (pointer, value) in [
        ("/claim/tolerance", json!(less)),
        ("/claim/tolerance", json!("0")),
        ("/claim/trees", json!(5)),
        ("/claim/exceptions", json!([0])),
        ("/claim/shape/output_dimension", json!(2)),
    ] {
        let run = folder.check_with(pointer, value);
        // Rows cannot be named where there are none.
        let code = if pointer == "/claim/exceptions" { 2 } else { 1 };
        assert!(run.code == code && (code == 2 || run.stdout.starts_with("rejected  ")), "{pointer}: {run:?}");
    }
    // Every leaf, threshold and base.
    let bytes = folder.read("out/forest.safetensors");
    for name in ["values", "thresholds", "base"] {
        let (range, size) = tensors(&bytes)[name].clone();
        for element in 0..range.len() / size {
            let mut changed = bytes.clone();
            changed[range.start + element * size] ^= 1;
            let run = folder.check_resealed("forest.safetensors", &changed);
            assert!(run.code == 1 || run.code == 2, "{name} {element}: {run:?}");
        }
    }
    folder.expect(0, "check out/certificate.json");
}

#[test]
fn what_is_no_model_or_does_not_go_together_is_refused() {
    let folder = Folder::with("iris.csv")
        .and_model("sklearn-tree.json")
        .and_model("sklearn-forest.json")
        .and_model("sklearn-digits.json")
        .and_model("xgboost-softprob.json");
    folder.write("empty", "");
    folder.write("latin.json", b"{\"a\": \"\xe9\"}");
    folder.write("other.json", "{}");
    folder.write("half.json", &folder.read("xgboost-softprob.json")[..2000]);
    folder.expect(0, "prove iris.csv -l class -f bfloat16 --out out");
    let before = folder.files();
    let mut messages = String::new();
    for arguments in [
        "nothing.json -f bfloat16",
        ". -f bfloat16",
        "empty -f bfloat16",
        "latin.json -f bfloat16",
        "other.json -f bfloat16",
        "half.json -f bfloat16",
        "iris.csv -f bfloat16",
        "out/network.safetensors -f bfloat16",
        "xgboost-softprob.json",
        "xgboost-softprob.json -f bfloat16 --outputs votes",
        "xgboost-softprob.json -f bfloat16 --grid=-20",
        "xgboost-softprob.json -f bfloat16 --grid=x",
        "xgboost-softprob.json -f bfloat16 --grid=99999999",
        "xgboost-softprob.json -f bfloat16 --data iris.csv",
        "xgboost-softprob.json -f bfloat16 --label class",
        "xgboost-softprob.json -f bfloat16 --data iris.csv --label class",
        "sklearn-digits.json -f bfloat16 --data iris.csv --label class",
        "sklearn-tree.json -f bfloat16 --data iris.csv --label klass",
        "sklearn-tree.json -f bfloat16 --data out/dataset.safetensors --label class",
        "sklearn-tree.json -f float4_e2m1fn --data iris.csv --label class",
        "sklearn-tree.json -f bfloat16 --outputs votes --grid 3",
        "sklearn-forest.json -f bfloat16 --outputs label",
        "sklearn-forest.json -f bfloat16 --outputs vote",
        "sklearn-forest.json -f bfloat16 --paths some",
    ] {
        let run = folder.expect(2, &format!("compile {arguments} --out compiled"));
        assert!(run.stdout.is_empty(), "{run:?}");
        writeln!(messages, "compile {arguments}\n{}", message(&run)).unwrap();
    }
    assert!(folder.files() == before, "nothing is written");
    insta::assert_snapshot!(messages);
    let run = folder.expect(2, "show sklearn-tree.json");
    assert!(run.stderr.contains("is a model of scikit-learn; `roundproof compile` makes"), "{run:?}");
}

#[test]
fn a_model_in_other_formats_and_on_other_paths() {
    let folder = Folder::new().and_model("lightgbm-multiclass.txt");
    for format in ["float4_e2m1fn", "float8_e4m3fn", "binary16", "binary64", "binary128", "F(8)", "F(24)"] {
        for activation in ["relu", "step"] {
            folder.expect(0, &format!("compile lightgbm-multiclass.txt -f {format} -a {activation} --out out"));
            folder.expect(0, "check out/certificate.json");
        }
    }
    for (code, paths) in [(0, "paper"), (0, "all,accumulator=binary32"), (3, "all,subnormals=flush")] {
        folder.expect(code, &format!("compile lightgbm-multiclass.txt -f bfloat16 --paths {paths} --out out"));
        folder.expect(code, "check out/certificate.json");
    }
}
