//! `verify-all` on a small corpus: new, blessed, the same, changed, unexpected.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use roundproof_files::Digest;
use serde_json::Value;

use crate::common::{Folder, message, program};

const THEOREM: &str = r#"
statement = "A point box network memorizes these rows."
kind = "memorization"
data = "data.csv"
labels = ["y"]
strategy = "point"
activations = ["relu", "step"]
formats = ["float8_e5m2", "bfloat16"]
paths = "all"
"#;

pub fn corpus() -> Folder {
    let folder = Folder::new();
    for part in ["lemmas", "theorems/rows", "refutations/sum"] {
        fs::create_dir_all(folder.path(&format!("proofs/{part}"))).unwrap();
    }
    folder.write("proofs/theorems/rows/claim.toml", THEOREM);
    folder.write("proofs/theorems/rows/data.csv", "x,y\n1,2\n3,4\n");
    let refutation = THEOREM.replace("\"point\"", "\"telescoping-sum\"").replace("\"relu\", ", "");
    folder.write("proofs/refutations/sum/claim.toml", refutation);
    folder.write("proofs/refutations/sum/data.csv", "x,y\n0,0\n1,100\n2,0.1\n");
    folder
}

const ALL: &str = "verify-all --filter rows/ --filter sum/";

#[test]
fn a_corpus_from_new_to_changed() {
    let folder = corpus();
    let run = folder.expect(1, ALL);
    assert!(run.stdout.contains("verdicts as expected, but 6 new and 0 changed"), "{run:?}");
    assert_eq!(folder.files().len(), 4, "nothing is written without --bless");

    let run = folder.expect(0, &format!("{ALL} --bless --keep kept"));
    assert!(run.stdout.contains("all as expected; 6 new and 0 changed on record"), "{run:?}");
    folder.expect(0, "check kept/theorems/rows/relu.bfloat16.json");
    folder.expect(4, "check kept/refutations/sum/step.bfloat16.json");

    let run = folder.expect(0, &format!("{ALL} --threads 2"));
    insta::with_settings!({ filters => [(r"\d+\.\d s", "<time>"), (r"Z3 [0-9.]+", "Z3 <version>")] }, {
        insta::assert_snapshot!(message(&run));
    });

    let file = "proofs/theorems/rows/record.json";
    let text = String::from_utf8(folder.read(file)).unwrap();
    let changed = text.replacen("\"parameters\": 17, \"rows\": 2", "\"parameters\": 18, \"rows\": 3", 1);
    folder.write(file, changed);
    // What differs is named, of the instance that differs alone.
    let run = folder.expect(1, ALL);
    let told: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("changed: ")).collect();
    assert_eq!(
        told,
        [
            "changed: theorems/rows/relu.bfloat16: `claim.shape.parameters`: `18` on record, `17` found",
            "changed: theorems/rows/relu.bfloat16: `claim.shape.rows`: `3` on record, `2` found"
        ]
    );
    let run = folder.expect(1, &format!("{ALL} --json"));
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&report["totals"]["changed"], &report["totals"]["unexpected"]), (&1.into(), &0.into()));
    assert_eq!((&report["z3"], &report["self_test"]), (&Value::Null, &"not needed".into()));
    let names: Vec<&str> =
        report["obligations"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.len() == 6, "{names:?}");
    // A blessing of one instance leaves what was changed in another as it is, and untold on the list.
    folder.expect(1, "verify-all --filter rows/step --bless");
    assert!(String::from_utf8(folder.read(file)).unwrap().contains("\"rows\": 3"));
    folder.expect(1, ALL);
    folder.expect(0, &format!("{ALL} --bless"));
    assert!(folder.read(file) == text.as_bytes());
    folder.expect(0, ALL);
}

/// Text that is not as it is written is refused, with the file and the line.
#[test]
fn a_record_is_read_strictly() {
    let folder = corpus();
    folder.expect(0, &format!("{ALL} --bless"));
    let file = "proofs/theorems/rows/record.json";
    let text = String::from_utf8(folder.read(file)).unwrap();
    let line = |pattern: &str| text.lines().position(|line| line.contains(pattern)).unwrap() + 1;
    let shape = "\"shape\": {\"input_dimension\": 1";
    for (from, to, at, reason) in [
        ("\"rows\": 2}", "\"rows\": 2, \"zeros\": 1}", 2, "zeros"),
        (shape, "\"shape\": {\"input_dimension\": 2, \"input_dimension\": 1", line("shape"), "is written otherwise"),
        ("\"property\": \"memorizes\"", "\"property\": \"memorises\"", 2, "memorises"),
        ("\"Proved\"", "\"Prooved\"", 2, "is not a verdict"),
        ("\"lemmas\"", "\"lemma\"", 2, "lemmas has the fields"),
        ("\"kind\": \"box-network\"", "\"kind\": \"box\"", 2, "box"),
        ("\n}\n", "\n}\n{}", text.lines().count() + 1, "trailing"),
        ("{\n", "[\n", 2, "expected"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        folder.write(file, changed);
        let run = folder.expect(2, ALL);
        let told = run.stderr.replace('\\', "/");
        assert!(
            told.contains(&format!("rows/record.json: line {at}: ")) && told.contains(reason),
            "{from} {to} {at}: {run:?}"
        );
    }
    folder.write(file, &text);
    folder.expect(0, ALL);
}

/// A theorem that changes is a difference of few lines, and nothing else is written.
#[test]
fn a_changed_witness_is_a_small_difference() {
    let folder = corpus();
    folder.expect(0, &format!("{ALL} --bless"));
    let before = folder.files();
    let changed = |folder: &Folder| {
        let after = folder.files();
        let changed = after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes));
        changed
            .map(|(path, bytes)| {
                let [old, new] = [&before[path], bytes].map(|it| String::from_utf8(it.clone()).unwrap());
                assert_eq!(old.lines().count(), new.lines().count(), "{}", path.display());
                old.lines().zip(new.lines()).filter(|(old, new)| old != new).count()
            })
            .sum::<usize>()
    };
    // Another label: another data set, network and witness, in both formats.
    folder.write("proofs/refutations/sum/data.csv", "x,y\n0,0\n1,100\n2,0.2\n");
    folder.expect(0, &format!("{ALL} --bless"));
    let lines = changed(&folder);
    assert!((4..=20).contains(&lines), "{lines} lines");
}

#[test]
fn a_wrong_expectation_is_told_and_never_blessed() {
    let folder = corpus();
    fs::copy(folder.path("proofs/refutations/sum/claim.toml"), folder.path("proofs/theorems/rows/claim.toml")).unwrap();
    fs::copy(folder.path("proofs/refutations/sum/data.csv"), folder.path("proofs/theorems/rows/data.csv")).unwrap();
    let before = folder.files();
    let run = folder.expect(1, "verify-all --filter theorems/rows --bless");
    assert!(run.stdout.contains("unexpected: theorems/rows/step.bfloat16: the claim must hold, and came out Refuted"));
    assert!(folder.files() == before);
}

/// A claim that is true does not pass for a refutation, nor does a search that finds nothing.
#[test]
fn a_right_network_is_no_refutation() {
    let folder = corpus();
    folder.write(
        "proofs/refutations/right/claim.toml",
        THEOREM.replace("formats = [\"bfloat16\"", "formats = [\"tf32\""),
    );
    folder.write("proofs/refutations/right/data.csv", "x,y\n1,2\n3,4\n");
    let run = folder.expect(1, "verify-all --filter refutations/right --bless");
    assert!(run.stdout.contains("the claim must fail, and came out Proved"), "{run:?}");
    assert!(!run.stdout.contains("Refuted"), "{run:?}");
    // The same of networks that the claim has in full: each is refuted in one folder only.
    let given = |bias: &str| {
        format!(
            "statement = \"x + 1.\"\nkind = \"memorization\"\ndata = \"data.csv\"\nlabels = [\"y\"]\n\
             layers = [[{{ weights = {{ 0 = \"1\" }}, bias = \"{bias}\" }}]]\nactivations = [\"identity\"]\n\
             formats = [\"bfloat16\"]\npaths = [\"paper\", \"all\"]\n"
        )
    };
    for (bias, part, code) in
        [("1", "theorems", 0), ("1", "refutations", 1), ("2", "theorems", 1), ("2", "refutations", 0)]
    {
        folder.write(&format!("proofs/{part}/given/claim.toml"), given(bias));
        folder.write(&format!("proofs/{part}/given/data.csv"), "x,y\n1,2\n3,4\n");
        let run = folder.expect(code, &format!("verify-all --filter {part}/given --bless"));
        assert!(run.stdout.contains(&format!("{part}/given/identity.bfloat16.paper")), "{run:?}");
        fs::remove_dir_all(folder.path(&format!("proofs/{part}/given"))).unwrap();
    }
    // What has no network is not a refutation either, unless the claim names it.
    folder.write("proofs/refutations/given/claim.toml", given("1.001"));
    folder.write("proofs/refutations/given/data.csv", "x,y\n1,2\n3,4\n");
    let run = folder.expect(2, "verify-all --filter refutations/given");
    assert!(run.stdout.contains("is not a value of bfloat16"), "{run:?}");
    for (change, reason) in [
        (("layers =", "strategy = \"point\"\nlayers ="), "does not have the field strategy"),
        (("\"identity\"", "\"relu\""), "one layer is the identity"),
        (("[\"paper\", \"all\"]", "[]"), "must name at least one each"),
    ] {
        folder.write("proofs/refutations/given/claim.toml", given("1").replace(change.0, change.1));
        let run = folder.expect(2, "verify-all --filter refutations/given");
        assert!(run.stderr.contains(reason), "{reason}: {run:?}");
    }
}

#[test]
fn shards_cover_everything_once() {
    let folder = corpus();
    let mut names = Vec::new();
    for shard in 1..=4 {
        let run = folder.expect(1, &format!("{ALL} --json --shard {shard}/4"));
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        names.extend(report["obligations"].as_array().unwrap().iter().map(|row| row["name"].to_string()));
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6);
    let run = folder.expect(2, "verify-all --filter nothing-has-this-name");
    assert!(run.stderr.contains("no name of the") && run.stderr.contains("nothing-has-this-name"), "{run:?}");
}

#[test]
fn nothing_is_passed_over_in_silence() {
    let folder = corpus();
    let run = folder.expect(2, &format!("{ALL} --shard 500/500"));
    assert!(run.stderr.contains("--shard: there is nothing in it"), "{run:?}");

    // The records are changed by --bless alone.
    folder.expect(0, &format!("{ALL} --bless"));
    let before = folder.files();
    for keep in ["proofs", "proofs/theorems", "."] {
        let run = folder.expect(2, &format!("{ALL} --keep {keep}"));
        assert!(run.stderr.contains("overlaps the claims"), "{run:?}");
    }
    assert!(folder.files() == before);

    let rejected = [
        ("proofs/frontiers/record.json", "{}", "belongs to no claim"),
        ("proofs/frontier/row.json", "{}", "belongs to no claim"),
        ("proofs/frontier/point-step.svg", "", "belongs to no claim"),
        ("proofs/theorems/typo/Claim.toml", THEOREM, "a file with claims is named claim.toml"),
        ("proofs/theorems/rows/obligations.json", "{}", "belongs to no claim"),
    ];
    for (file, text, reason) in rejected {
        folder.write(file, text);
        let run = folder.expect(2, ALL);
        assert!(run.stderr.contains(reason), "{file}: {run:?}");
        fs::remove_file(folder.path(file)).unwrap();
    }
    fs::remove_dir(folder.path("proofs/frontiers")).unwrap();
    fs::remove_dir(folder.path("proofs/frontier")).unwrap();
    let claims = [
        (THEOREM.replace("[\"relu\", \"step\"]", "[\"step\", \"step\"]"), "is claimed twice"),
        (THEOREM.replace("\"point\"", "\"telescoping-sum\""), "makes no relu networks"),
        (format!("{THEOREM}refused = [\"binary64\"]\n"), "not among the formats"),
        (format!("{THEOREM}refuse = []\n"), "does not have the field refuse"),
        (THEOREM.replace("\"all\"", "\"al\""), "did you mean `all`"),
        (THEOREM.replace("bfloat16", "bflaot16"), "did you mean `bfloat16`"),
    ];
    for (claim, reason) in claims {
        folder.write("proofs/theorems/rows/claim.toml", claim);
        let run = folder.expect(2, ALL);
        assert!(run.stderr.contains(reason), "{reason}: {run:?}");
    }
}

/// A claim that is removed or added, a record that is changed: nothing of it passes, whatever stands in the folders.
#[test]
fn every_obligation_is_on_the_list() {
    let folder = corpus();
    folder.write("proofs/refutations/sum/data.csv", "x,y\n0,0\n1,100\n2,0.1\n");
    let refused = THEOREM.replace("[\"float8_e5m2\", \"bfloat16\"]", "[\"F(8)\"]").replace("[\"relu\", ", "[");
    folder.write("proofs/theorems/refused/claim.toml", format!("{refused}refused = [\"F(8)\"]\n"));
    folder.write("proofs/theorems/refused/data.csv", "x,y\n1,2\n1.0001,4\n");
    let all = format!("{ALL} --filter refused/");
    let run = folder.expect(1, &all);
    assert!(run.stdout.contains("list: theorems/rows is claimed, and not on the list"), "{run:?}");
    folder.expect(0, &format!("{all} --bless"));
    let run = folder.expect(0, &all);
    assert!(!run.stdout.contains("list:"), "{run:?}");

    // A folder that is gone is told, also where the filter leaves something else of its part; --bless takes it off.
    let list = String::from_utf8(folder.read("proofs/obligations.json")).unwrap();
    let claim = folder.read("proofs/refutations/sum/claim.toml");
    folder.write("proofs/refutations/other/claim.toml", &claim);
    folder.write("proofs/refutations/other/data.csv", "x,y\n0,0\n1,100\n2,0.1\n");
    fs::remove_dir_all(folder.path("proofs/refutations/sum")).unwrap();
    let told = |code: i32, arguments: &str, names: &[&str]| {
        let run = folder.expect(code, arguments);
        let lines: Vec<&str> = run.stdout.lines().filter_map(|line| line.strip_prefix("list: ")).collect();
        assert!(
            lines.len() == names.len() && lines.iter().zip(names).all(|(line, name)| line.starts_with(name)),
            "{run:?}"
        );
    };
    let gone = ["refutations/sum is on the list, and claimed no more"];
    told(1, &all, &gone);
    told(0, "verify-all --filter rows/", &[]);
    told(0, "verify-all --filter rows/ --bless", &[]);
    told(1, &format!("{all} --shard 1/2"), &gone);
    let added = "refutations/other is claimed, and not on the list";
    told(1, "verify-all --filter refutations/", &[added, gone[0]]);
    told(0, "verify-all --filter refutations/ --bless", &[]);
    assert!(!String::from_utf8(folder.read("proofs/obligations.json")).unwrap().contains("refutations/sum"));

    // Lines of the list itself.
    folder.write("proofs/refutations/sum/claim.toml", &claim);
    folder.write("proofs/refutations/sum/data.csv", "x,y\n0,0\n1,100\n2,0.1\n");
    fs::remove_dir_all(folder.path("proofs/refutations/other")).unwrap();
    folder.expect(0, "verify-all --filter refutations/ --bless");
    assert!(folder.read("proofs/obligations.json") == list.as_bytes());
    let line = list.lines().find(|line| line.contains("theorems/rows")).unwrap();
    let digest = &line[line.len() - 66..line.len() - 2];
    for (from, to, what) in [
        (format!(",\n{line}"), String::new(), "is claimed, and not on the list"),
        (
            line.to_string(),
            line.replace("\"Proved\": 4", "\"Proved\": 3, \"Refuted\": 1"),
            "has 3 Proved, 1 Refuted on the list, and 4 Proved on record",
        ),
        (digest.to_string(), "0".repeat(64), "has other records than the list says"),
        (
            "refused conflict".to_string(),
            "refused no-scale".to_string(),
            "has 1 refused no-scale on the list, and 1 refused conflict on record",
        ),
    ] {
        let changed = list.replace(&from, &to);
        assert_ne!(changed, list, "{from}");
        folder.write("proofs/obligations.json", changed);
        told(1, &all, &[""]);
        let run = folder.expect(1, &format!("{all} --json"));
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["unlisted"][0]["difference"], what);
        assert_eq!((&report["totals"]["changed"], &report["totals"]["new"]), (&0.into(), &0.into()));
    }
    folder.write("proofs/obligations.json", list.replace("4, ", "0, "));
    let run = folder.expect(2, &all);
    assert!(
        run.stderr.contains("obligations.json: line ") && run.stderr.contains("not a number of instances"),
        "{run:?}"
    );
    folder.write("proofs/obligations.json", &list);

    // The words of a refusal may improve, its kind may not.
    let file = "proofs/theorems/refused/record.json";
    let text = String::from_utf8(folder.read(file)).unwrap();
    let words = text.split("\"words\": \"").nth(1).unwrap().split('"').next().unwrap();
    folder.write(file, text.replace(words, "in other words"));
    let run = folder.expect(1, &all);
    assert!(
        run.stdout.contains("1 refusal of the recorded kind in other words") && run.stdout.contains("reworded"),
        "{run:?}"
    );
    folder.expect(0, &format!("{all} --bless"));
    assert!(folder.read(file) == text.as_bytes());
    folder.write(file, text.replace("conflict", "no-slope"));
    let run = folder.expect(1, &all);
    assert!(run.stdout.contains("changed") && run.stdout.contains("1 refused no-slope on record"), "{run:?}");
    folder.write(file, &text);

    // An instance that is claimed no more is told until it is blessed.
    let (claim, rows) = ("proofs/theorems/rows/claim.toml", "proofs/theorems/rows/record.json");
    folder.write(claim, THEOREM.replace("\"float8_e5m2\", ", ""));
    let unclaimed =
        ["theorems/rows/relu.float8_e5m2 is on record, and claimed no more", "theorems/rows/step.float8_e5m2"];
    told(1, &all, &unclaimed);
    told(0, &format!("{all} --bless"), &[]);
    assert!(!String::from_utf8(folder.read(rows)).unwrap().contains("float8_e5m2"));
    told(0, &all, &[]);
}

/// A refusal is what a claim names, neither more nor less, whatever is blessed.
#[test]
fn refusals_are_named_by_the_claim() {
    let folder = corpus();
    folder.write("proofs/theorems/rows/data.csv", "x,y\n1,2\n1.0001,4\n");
    let run = folder.expect(1, "verify-all --filter rows/ --bless");
    assert!(run.stdout.contains("unexpected: theorems/rows/relu.bfloat16"), "{run:?}");
    folder.write("proofs/theorems/rows/claim.toml", format!("{THEOREM}refused = [\"bfloat16\", \"float8_e5m2\"]\n"));
    folder.expect(0, "verify-all --filter rows/ --bless");
    folder.expect(0, "verify-all --filter rows/");
    // Now there is a network after all.
    folder.write("proofs/theorems/rows/data.csv", "x,y\n1,2\n3,4\n");
    folder.expect(1, "verify-all --filter rows/ --bless");
    // A wrong column is a fault of the claim, not a refusal.
    folder.write("proofs/theorems/rows/data.csv", "x,z\n1,2\n3,4\n");
    let run = folder.expect(2, "verify-all --filter rows/ --bless");
    assert!(run.stdout.contains("has no column `y`") || run.stderr.contains("has no column `y`"), "{run:?}");
}

/// A claim about a model of another tool: proved, checked, refused, and refused to be read.
#[test]
fn a_model_is_a_claim_too() {
    let folder = corpus().and_model("xgboost-softprob.json").and_model("sklearn-tree.json");
    let forest = "statement = \"A forest.\"\nkind = \"forest\"\nmodel = \"../../../xgboost-softprob.json\"\ngrid = -10\n\
                  activations = [\"relu\"]\nformats = [\"bfloat16\", \"binary16\"]\npaths = \"all\"\nrefused = [\"bfloat16\"]\n";
    folder.write("proofs/theorems/forest/claim.toml", forest);
    let run = folder.expect(0, "verify-all --filter forest/ --bless --keep kept");
    assert!(run.stdout.contains("2 obligations: 1 proved, 1 refused"), "{run:?}");
    folder.expect(0, "check kept/theorems/forest/relu.binary16.json");
    folder.expect(0, "verify-all --filter forest/");
    // Without the refusal that is expected, or with one that does not come, the claim is wrong, whatever is blessed.
    for refused in ["", "refused = [\"bfloat16\", \"binary16\"]"] {
        let claim = forest.replace("refused = [\"bfloat16\"]", refused);
        folder.write("proofs/theorems/forest/claim.toml", claim);
        folder.expect(1, "verify-all --filter forest/ --bless");
    }
    let tree = "statement = \"A tree.\"\nkind = \"forest\"\nmodel = \"../../../sklearn-tree.json\"\ndata = \"data.csv\"\n\
                labels = [\"class\"]\nactivations = [\"relu\"]\nformats = [\"bfloat16\"]\npaths = \"all\"\n";
    folder.write("proofs/theorems/tree/data.csv", fs::read(crate::common::shared("iris.csv")).unwrap());
    folder.write("proofs/theorems/tree/claim.toml", tree);
    folder.write("proofs/theorems/forest/claim.toml", forest);
    folder.expect(0, "verify-all --filter tree/ --bless");
    assert_eq!(folder.json("proofs/theorems/tree/record.json")["relu.bfloat16"]["claim"]["shape"]["rows"], 150);
    let claims = [
        (tree.replace("labels = [\"class\"]\n", ""), "missing field `labels`"),
        (tree.replace("data = \"data.csv\"\n", ""), "missing field `data`"),
        (tree.replace("\"forest\"", "\"memorization\""), "missing field `strategy`"),
        (tree.replace("model =", "max-leaves = 3\nmodel ="), "does not have the field max-leaves"),
        (tree.replace("model = \"../../../sklearn-tree.json\"\n", ""), "missing field `model`"),
        (format!("{tree}outputs = \"vote\"\n"), "did you mean `votes`"),
        (THEOREM.replace("strategy = \"point\"\n", ""), "missing field `strategy`"),
        (format!("{THEOREM}max-leaves = 3\n"), "max-leaves limits the strategy tree"),
    ];
    for (claim, reason) in claims {
        folder.write("proofs/theorems/tree/claim.toml", claim);
        let run = folder.expect(2, "verify-all --filter tree/");
        assert!(run.stderr.contains(reason), "{reason}: {run:?}");
    }
    for (wrong, reason) in [
        (tree.replace("[\"class\"]", "[\"petal_width\", \"class\"]"), "inputs: the model has 4, the table 3"),
        (format!("{tree}grid = 1\n"), "votes and labels are not rounded"),
        (tree.replace("sklearn-tree", "nothing"), "cannot be read"),
    ] {
        folder.write("proofs/theorems/tree/claim.toml", wrong);
        let run = folder.expect(2, "verify-all --filter tree/");
        assert!(format!("{}{}", run.stdout, run.stderr).contains(reason), "{reason}: {run:?}");
    }
}

/// A function on all values of a format: digests on record, the certificate in full where it is kept, slow ones asked for.
#[test]
fn functions_on_all_values_are_claims_too() {
    let folder = corpus();
    let claim = "statement = \"All pairs.\"\nkind = \"memorization\"\nvalues = \"all\"\ninputs = 2\nclasses = 3\n\
                 seeds = [7]\nstrategy = \"tree\"\nactivations = [\"relu\"]\nformats = [\"float4_e2m1fn\"]\n\
                 paths = \"all\"\nrecord = \"digest\"\n";
    let file = "proofs/theorems/pairs/claim.toml";
    folder.write(file, claim);
    folder.expect(0, "verify-all --filter pairs/ --bless --keep kept");
    folder.expect(0, "verify-all --filter pairs/");
    folder.expect(0, "check kept/theorems/pairs/relu.float4_e2m1fn.seed-7.json");
    let name = "proofs/theorems/pairs/record.json";
    let record = &folder.json(name)["relu.float4_e2m1fn.seed-7"];
    assert_eq!((&record["claim"]["shape"]["rows"], &record["verdict"]), (&256.into(), &"Proved".into()));
    assert_eq!(record["evidence"].as_object().unwrap().keys().collect::<Vec<_>>(), ["bytes", "kind", "sha256"]);

    // Another digest is another record; and no certificate that anything can be checked by.
    let text = String::from_utf8(folder.read(name)).unwrap();
    let digest = record["evidence"]["sha256"].as_str().unwrap().to_string();
    folder.write(name, text.replace(&digest, &"0".repeat(64)));
    folder.expect(1, "verify-all --filter pairs/");
    folder.write(name, text);
    folder.expect(2, &format!("check {name}"));

    // A tree that is too small computes another function: proved, but not what the claim says, whatever is blessed.
    let before = folder.files();
    folder.write(file, format!("{claim}max-leaves = 4\n"));
    let run = folder.expect(1, "verify-all --filter pairs/ --bless");
    assert!(run.stdout.contains("unexpected: theorems/pairs/") && run.stdout.contains("with another label"), "{run:?}");
    folder.write(file, claim);
    assert!(folder.files() == before);

    folder.write(file, format!("{claim}slow = true\n"));
    let run = folder.expect(2, "verify-all --filter pairs/");
    assert!(run.stderr.contains("add --slow"), "{run:?}");
    let run = folder.expect(1, "verify-all --filter pairs/ --filter rows/");
    assert!(run.stdout.contains("4 obligations") && run.stdout.contains("1 slow obligation left out"), "{run:?}");
    let run = folder.expect(0, "verify-all --filter pairs/ --slow");
    assert!(run.stdout.contains("1 obligation: 1 proved") && !run.stdout.contains("left out"), "{run:?}");
}

/// The questions to a solver, byte by byte those of the digests on record.
#[test]
fn every_question_is_kept_as_it_is_on_record() {
    let folder = corpus();
    folder.expect(0, "verify-all --filter lemmas/exactness --bless --keep kept");
    let record = &folder.json("proofs/lemmas/record.json")["exactness"];
    for (what, answer) in [("assumptions", "sat"), ("negation", "unsat")] {
        let text = folder.read(&format!("kept/lemmas/exactness.every-format.reals.rounding.{what}.smt2"));
        let expected = format!("{answer} sha256:{}", Digest::of(&text));
        assert_eq!(record["questions"][0][what], Value::String(expected));
    }
}

/// Whenever it comes, an interrupt finds whole files and no temporary ones.
#[test]
fn an_interrupt_while_questions_are_kept_leaves_whole_files() {
    let folder = corpus();
    let arguments =
        "verify-all --filter lemmas/independence --filter lemmas/exactness --filter lemmas/grid --keep kept";
    for wait in [0, 1, 3, 10, 30] {
        let _ = fs::remove_dir_all(folder.path("kept"));
        let mut child = program()
            .args(arguments.split(' '))
            .current_dir(folder.path("."))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let since = Instant::now();
        while !folder.path("kept/lemmas").exists() && since.elapsed() < Duration::from_secs(60) {
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(wait));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        child.wait().unwrap();
        for (path, bytes) in folder.files().iter().filter(|(path, _)| path.to_string_lossy().contains("kept")) {
            assert!(path.to_string_lossy().ends_with(".smt2"), "{}", path.display());
            assert!(bytes.ends_with(b"(check-sat)\n"), "{}", path.display());
        }
    }
}

/// A folder of claims needs nothing else, and can lie anywhere: begun, proved, put on record, listed; of every kind.
#[test]
fn a_corpus_of_ones_own() {
    let folder = Folder::new();
    let run = folder.expect(2, "verify-all");
    assert!(run.stderr.contains("there is no folder proofs/ here") && run.stderr.contains("corpus new"), "{run:?}");
    fs::create_dir_all(folder.path("mine")).unwrap();
    let run = folder.expect(2, "verify-all mine");
    assert!(run.stderr.contains("there is no claim.toml") && run.stderr.contains("corpus new mine/NAME"), "{run:?}");
    let kinds = ["memorization", "whole-network", "forest", "approximation", "parametric", "depth"];
    for kind in kinds {
        let run = folder.expect(0, &format!("corpus new mine/{kind} --kind {kind}"));
        assert!(run.stdout.contains("claim.toml"), "{run:?}");
        let before = folder.files();
        let run = folder.expect(2, &format!("corpus new mine/{kind} --kind {kind}"));
        assert!(run.stderr.contains("is there already"), "{run:?}");
        assert!(folder.files() == before);
    }
    let run = folder.expect(2, "corpus new mine/other --kind memorisation");
    assert!(run.stderr.contains("did you mean `memorization`"), "{run:?}");
    let run = folder.expect(1, "corpus list mine");
    assert!(run.stdout.contains("list: memorization is claimed, and not on the list"), "{run:?}");
    let run = folder.expect(0, "verify-all mine --bless");
    assert!(run.stdout.contains("all as expected"), "{run:?}");
    let run =
        folder.expect(0, "verify-all mine --filter memorization --filter whole --filter forest --filter approximation");
    assert!(run.stdout.contains("and every record the same") && !run.stdout.contains("lemmas/"), "{run:?}");
    let report: Value = folder.expect_json(0, "corpus list mine");
    let claims = report["claims"].as_array().unwrap();
    assert!(kinds.iter().all(|kind| claims.iter().any(|it| it["name"].as_str().unwrap().starts_with(kind))));
    assert_eq!(report["totals"]["none"], Value::Null);
    let report: Value = folder.expect_json(0, "corpus list mine --verdict Attested --filter depth/");
    assert_eq!(report["claims"].as_array().unwrap().len(), 1);
    folder.expect(2, "corpus list mine --verdict Mapped");

    // A folder that is itself a claim, and one of claims that must fail.
    let run = folder.expect(1, "verify-all mine/forest");
    assert!(run.stdout.contains("step.bfloat16") && run.stdout.contains("list: . is claimed"), "{run:?}");
    folder.expect(0, "corpus new false/refutations/rows --kind memorization");
    let run = folder.expect(1, "verify-all false --bless");
    assert!(run.stdout.contains("the claim must fail, and came out Proved"), "{run:?}");
}
