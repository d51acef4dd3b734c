//! Models as people have them: what their tools compute, the network gives, or the model is refused with the way out.

use serde_json::Value;

use crate::common::{Folder, tolerance};

/// A model of XGBoost 3.2 with one split of one input, of 1 below and 2 above.
fn xgboost(threshold: &str, objective: &str, base: &str) -> String {
    format!(
        r#"{{"learner":{{"attributes":{{}},"feature_names":[],"feature_types":[],"gradient_booster":{{"model":{{
"gbtree_model_param":{{"num_trees":"1"}},"tree_info":[0],"trees":[{{"default_left":[0,0,0],"id":0,"left_children":[1,-1,-1],
"right_children":[2,-1,-1],"split_conditions":[{threshold},1E0,2E0],"split_indices":[0,0,0],
"tree_param":{{"num_deleted":"0","num_nodes":"3","size_leaf_vector":"1"}}}}]}},"name":"gbtree"}},
"learner_model_param":{{"base_score":"{base}","num_class":"0","num_feature":"1","num_target":"1"}},
"objective":{{"name":"{objective}"}}}},"version":[3,2,0]}}"#
    )
}

/// A classifier of scikit-learn with one split of one input.
fn classifier(first: &str, second: &str, trees: usize) -> String {
    let tree = r#"{"column":[0,null,null],"threshold":["0x1p-1",null,null],"lower":[1,null,null],"upper":[2,null,null],
        "value":[null,["0x1p0","0x0p0"],["0x0p0","0x1p0"]]}"#;
    let kind = if trees == 1 { "decision-tree" } else { "random-forest" };
    let trees = vec![tree; trees].join(",");
    format!(
        r#"{{"schema":1,"kind":"{kind}","estimator":"E","features":1,"classes":["{first}","{second}"],"trees":[{trees}]}}"#
    )
}

fn outputs(folder: &Folder, rows: &str) -> Vec<String> {
    folder.write("rows.csv", rows);
    let run = folder.expect(0, "run out/network.safetensors rows.csv -l y --output-format json");
    let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    rows.iter().map(|row| row["outputs"][0]["value"].as_str().unwrap().to_string()).collect()
}

#[test]
fn inputs_of_binary64_take_the_way_that_xgboost_sends_them() {
    let folder = Folder::new();
    folder.write("model.json", xgboost("0.671", "reg:squarederror", "0E0"));
    let run = folder.expect(0, "compile model.json -f binary64 --out out");
    assert!(
        run.stdout.contains("XGBoost rounds its inputs to binary32, ties to even, before it compares them"),
        "{run:?}"
    );
    // 0.671 and 0.67100000 + 2^-26 become the threshold 0.67100000381 in binary32, which is not below itself.
    assert_eq!(outputs(&folder, "x,y\n0.671,0\n0.6709999,0\n0.6710001,0\n0.67099999,0\n"), ["2", "1", "2", "2"]);
    folder.expect(0, "check out/certificate.json");
}

#[test]
fn an_infinite_threshold_has_all_inputs_on_one_side() {
    let folder = Folder::new().and_model("xgboost-infinite.json").and_model("sklearn-missing.json");
    for format in ["binary32", "bfloat16"] {
        let report = folder.expect_json(0, &format!("compile xgboost-infinite.json -f {format} --out out"));
        assert_eq!((&report["claim"]["outputs"]["leaves"], &report["model"]["pruned_splits"]), (&1.into(), &1.into()));
        folder.expect(0, "check out/certificate.json");
        let report = folder.expect_json(0, &format!("compile sklearn-missing.json -f {format} --out out"));
        assert_ne!(report["model"]["pruned_splits"], 0);
    }
}

#[test]
fn base_scores_are_those_of_the_version() {
    let folder = Folder::new();
    for (objective, score, expected) in [
        // XGBoost 3.2.0 has -13.815510749816895 + 1, a unit in the last place away: its logarithm is not rounded correctly.
        ("binary:logistic", "[1E-7]", "-12.815509796142578125"),
        ("binary:logitraw", "[3E-1]", "1.2999999523162841796875"),
    ] {
        folder.write("model.json", xgboost("2E0", objective, score));
        folder.expect(0, "compile model.json -f binary32 --out out");
        assert_eq!(outputs(&folder, "x,y\n0,0\n")[0], expected, "{objective}");
    }
}

#[test]
fn classes_that_become_one_number_are_refused() {
    let folder = Folder::new();
    folder.write("model.json", classifier("256", "257", 1));
    let run = folder.expect(2, "compile model.json -f bfloat16 --out out");
    assert!(run.stderr.contains("model.json: the classes `256` and `257` are both 256 in bfloat16"), "{run:?}");
    assert!(run.stderr.contains("take --outputs votes or scores, or a wider format"), "{run:?}");
    for out in ["bfloat16 --outputs votes", "bfloat16 --outputs scores", "binary16"] {
        folder.expect(0, &format!("compile model.json -f {out} --out out"));
    }
    folder.write("model.json", classifier("16", "0x10", 1));
    assert!(folder.expect(2, "compile model.json -f binary64").stderr.contains("`16` and `0x10` are both 16"));
}

#[test]
fn votes_are_exact_or_refused() {
    let folder = Folder::new();
    for (format, most) in [("bfloat16", 256), ("float4_e2m1fn", 4)] {
        folder.write("model.json", classifier("a", "b", most));
        for activation in ["relu", "step"] {
            let report =
                folder.expect_json(0, &format!("compile model.json -f {format} -a {activation} --outputs votes"));
            assert_eq!((tolerance(&report), &report["verdict"]), ("0", &"Proved".into()));
        }
        folder.write("model.json", classifier("a", "b", most + 1));
        let run = folder.expect(2, &format!("compile model.json -f {format} --outputs votes"));
        let told = format!("the votes of {} trees do not add up exactly in {format}, which counts to {most}", most + 1);
        assert!(run.stderr.contains(&told), "{run:?}");
    }
}

#[test]
fn a_bound_that_says_little_is_remarked() {
    let folder = Folder::new();
    let remarked = |trees: usize| {
        folder.write("model.json", classifier("a", "b", trees));
        let run = folder.expect(0, "compile model.json -f float8_e5m2 --outputs scores");
        run.stdout.contains("the bound says little: the sums of leaves themselves lie within")
    };
    assert!(remarked(40));
    assert!(!remarked(2));
}

#[test]
fn models_of_every_kind_are_proved() {
    for model in [
        "xgboost-dart.json",
        "xgboost-vector.json",
        "xgboost-categories.ubj",
        "xgboost-none.json",
        "lightgbm-categories.txt",
        "lightgbm-zeros.txt",
        "sklearn-boosting.json",
        "sklearn-outputs.json",
    ] {
        let folder = Folder::new().and_model(model);
        for format in ["bfloat16", "binary64"] {
            let report = folder.expect_json(0, &format!("compile {model} -f {format} --out out"));
            assert_eq!(report["verdict"], "Proved", "{model}");
            folder.expect(0, "check out/certificate.json");
        }
    }
}

/// LightGBM's text, with the inputs `a` and `b=1`, of which the second is compared.
const NAMED: &str = "tree\nversion=v3\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
objective=regression\nfeature_names=a b=1\nfeature_infos=[0:1] [0:1]\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=1\n\
threshold=0.25\ndecision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=1.5 2.5\nshrinkage=1\n\n\nend of trees\n";

#[test]
fn columns_go_to_the_inputs_of_their_names() {
    let folder = Folder::new();
    folder.write("model.txt", NAMED);
    let compile = "compile model.txt -f binary32 -l y --data";
    folder.write("t.csv", "b=1,a,y\n0.3,0,2.5\n0,0.3,1.5\n");
    let run = folder.expect(0, &format!("{compile} t.csv --out out"));
    assert!(run.stdout.contains("; that is the label of each of 2 rows\n"), "{run:?}");
    folder.expect(0, "check out/certificate.json");
    folder.write("more.csv", "b=1,id,a,y\n0.3,1,0,2.5\n0,2,0.3,1.5\n");
    let run = folder.expect(2, &format!("{compile} more.csv"));
    assert!(
        run.stderr.contains("more.csv: the column `id` is not an input of the model; leave it out with --drop"),
        "{run:?}"
    );
    let run = folder.expect(0, &format!("{compile} more.csv --drop id"));
    assert!(run.stdout.contains("; that is the label of each of 2 rows\n"), "{run:?}");
    folder.write("other.csv", "foo,bar,y\n0,0.3,2.5\n");
    let run = folder.expect(2, &format!("{compile} other.csv"));
    assert!(run.stderr.contains("other.csv: has no column `a`, which is an input of the model"), "{run:?}");
    // Told how, columns of other names do.
    let run = folder.expect(0, &format!("{compile} other.csv --inputs foo,bar"));
    assert!(run.stdout.contains("; that is the label of each of 1 row\n"), "{run:?}");
}
