use std::path::Path;

use proptest::prelude::*;
use roundproof_exact::{decode, power_of_two};
use roundproof_files::safetensors::{forest_bytes, parse_forest};
use roundproof_format::Encoding;
use roundproof_network::{Forest, TreeNode};

use super::number::{logarithm, logarithm_bounds, nearest};
use super::*;

/// `x[1] < 0.5`, then 1.5, else `x[0] < 2` and -2 or 3; for two classes, the second tree a leaf.
const XGBOOST: &str = r#"{"learner":{"attributes":{},"feature_names":["a","b"],"feature_types":[],
"gradient_booster":{"model":{"gbtree_model_param":{"num_trees":"2"},"tree_info":[0,1],"trees":[
{"id":0,"left_children":[1,-1,3,-1,-1],"right_children":[2,-1,4,-1,-1],"split_indices":[1,0,0,0,0],
"split_conditions":[5E-1,1.5E0,2E0,-2E0,3E0],"default_left":[0,1,0,0,0],"split_type":[0,0,0,0,0],"categories":[],
"tree_param":{"num_deleted":"0","num_nodes":"5","size_leaf_vector":"1"}},
{"id":1,"left_children":[-1],"right_children":[-1],"split_indices":[0],"split_conditions":[2.5E-1],"default_left":[0],
"tree_param":{"num_nodes":"1"}}]},"name":"gbtree"},
"learner_model_param":{"base_score":"[5E-1,2E0]","num_class":"2","num_feature":"2"},
"objective":{"name":"multi:softprob"}},"version":[3,2,0]}"#;

const LIGHTGBM: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
objective=regression\nfeature_names=a b\nfeature_infos=[0:1] [0:2]\ntree_sizes=9 9\n\nTree=0\nnum_leaves=3\nnum_cat=0\n\
split_feature=1 0\nthreshold=0.5 2\ndecision_type=2 8\nleft_child=-1 -2\nright_child=1 -3\nleaf_value=1.5 -2 3\n\
is_linear=0\nshrinkage=1\n\n\nTree=1\nnum_leaves=1\nleaf_value=0.25\n\n\nend of trees\n\nparameters:\n[boosting: gbdt]\n";

const SKLEARN: &str = r#"{"schema":1,"kind":"decision-tree","estimator":"DecisionTreeClassifier","features":2,
"feature_names":["a","b"],"classes":["7","9"],"trees":[{"column":[1,null,0,null,null],
"threshold":["0x1p-1",null,"0x1p+1",null,null],"lower":[1,null,3,null,null],"upper":[2,null,4,null,null],
"value":[null,["0x1p-1","0x1p-1"],null,["0x1p-2","0x1.8p-1"],["0x1p0","0x0p0"]]}]}"#;

fn read(text: &str) -> Model {
    parse_model(Path::new("m"), text.as_bytes()).unwrap()
}

/// The message after one change.
fn refused(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    let error = parse_model(Path::new("m"), text.replacen(from, to, 1).as_bytes()).unwrap_err();
    error.to_string()
}

#[track_caller]
fn refuse_all(text: &str, cases: &[(&str, &str, &str)]) {
    for (from, to, what) in cases {
        let message = refused(text, from, to);
        assert!(message.contains(what), "{from} -> {to}: {message}");
    }
}

#[test]
fn the_examples_are_read() {
    let leaf = |number, value: i32| ModelNode::Leaf { number, values: vec![Rational::from((value, 4))] };
    let split = |column, cut| ModelNode::Split { column, cuts: vec![cut] };
    let xgboost = read(XGBOOST);
    assert_eq!(
        xgboost.trees[0].nodes(),
        [split(1, Cut::before((1, 2))), leaf(1, 6), split(0, Cut::before(2)), leaf(3, -8), leaf(4, 12)]
    );
    assert_eq!((xgboost.trees[1].nodes(), xgboost.trees[1].output), (&[leaf(0, 1)][..], Some(1)));
    assert_eq!(xgboost.base, [Rational::from((1, 2)), Rational::from(2)]);
    let lightgbm = read(LIGHTGBM);
    assert_eq!(
        lightgbm.trees[0].nodes(),
        [split(1, Cut::after((1, 2))), leaf(0, 6), split(0, Cut::after(2)), leaf(1, -8), leaf(2, 12)]
    );
    assert_eq!((lightgbm.divisor, &lightgbm.base[..]), (1, &[Rational::new()][..]));
    assert_eq!(read(&LIGHTGBM.replace("tree_sizes", "average_output\ntree_sizes")).divisor, 2);
    let sklearn = read(SKLEARN);
    assert_eq!(sklearn.trees[0].nodes()[2], split(0, Cut::after(2)));
    for model in [&xgboost, &lightgbm, &sklearn] {
        assert_eq!((model.dimension, model.feature_names.as_deref().unwrap()), (2, &["a".into(), "b".into()][..]));
    }
    // Versions before 3.1 have one base score for all outputs.
    let one = read(&XGBOOST.replace("[5E-1,2E0]", "5E-1"));
    assert_eq!(one.base, [Rational::from((1, 2)), Rational::from((1, 2))]);
    let lists = [XGBOOST, SKLEARN, &LIGHTGBM.replace('\n', "\r\n")].map(|text| read(&format!("\u{feff}\n{text}")));
    assert_eq!(lists, [xgboost, sklearn, lightgbm]);
}

#[test]
fn files_of_other_kinds_are_refused_by_name() {
    let message = |bytes: &[u8]| parse_model(Path::new("m"), bytes).unwrap_err().to_string();
    for (bytes, what) in [
        (&b""[..], "is empty"),
        (b" \n", "is empty"),
        (b"\x80\x04\x95", "pickle"),
        (b"binf\0", "old binary form"),
        (b"[{\"nodeid\": 0}]", "a dump of trees"),
        (b"\xff\xfe", "is not text"),
        (b"forest\n", "neither JSON nor LightGBM's"),
        (b"{\"name\": \"tree\", \"tree_info\": []}", "a dump of a model of LightGBM"),
        (b"{\"model\": 1}", "no `learner`"),
    ] {
        let message = message(bytes);
        assert!(message.contains(what) && message.contains("save_model"), "{message}");
    }
    assert!(message(b"{\"learner\": ").contains("is not JSON: EOF"));
    assert!(message(b"{\"learner\": {}, \"learner\": {}}").contains("the key `learner` is there twice"));
    let deep = [&b"{\"learner\": "[..], &[b'['; 1_000_000]].concat();
    assert!(message(&deep).contains("is not JSON"));
    let error = read_model(Path::new("no/such")).unwrap_err().to_string();
    assert!(error.starts_with("no/such: cannot be read"), "{error}");
}

#[test]
fn each_fault_of_an_xgboost_model_is_named() {
    refuse_all(
        XGBOOST,
        &[
            ("\"name\":\"gbtree\"", "\"name\":\"gblinear\"", "the booster `gblinear` is not read; train with booster"),
            (
                "\"name\":\"gbtree\"",
                "\"name\":\"dart\",\"weight_drop\":[1E0,1E0]",
                "gradient_booster.model: unknown field",
            ),
            ("\"name\":\"gbtree\"", "\"name\":\"gbtree\",\"weight_drop\":[]", "weight_drop: unknown field"),
            (
                "\"split_type\":[0,0",
                "\"split_type\":[0,1",
                "split_type[1]: `1`: does not agree with `categories_nodes`",
            ),
            ("\"split_type\":[0,0", "\"split_type\":[0,2", "split_type[1]: `2`: is not a type of split"),
            (
                "\"categories\":[]",
                "\"categories_nodes\":[0]",
                "tree 0, categories_segments: 0 starts, and 1 are needed",
            ),
            ("\"categories\":[]", "\"categories_segments\":[0]", "categories_segments: 1 starts, and 0 are needed"),
            ("\"categories\":[]", "\"categories\":[-1]", "categories[0]: `-1`: is not a count"),
            ("\"model\":{", "\"model\":{\"cats\":{\"enc\":[1]},", "an encoding of categories is not read"),
            (
                "\"size_leaf_vector\":\"1\"",
                "\"size_leaf_vector\":\"2\"",
                "tree 0: a vector of values in a leaf, as versions",
            ),
            ("\"id\":1,", "\"id\":1,\"leaf_weights\":[],", "tree 1, size_leaf_vector: 1 values of a leaf, and 2 are"),
            ("\"id\":1,", "\"id\":1,\"other\":[],", "trees[1].other: unknown field"),
            ("\"id\":1,", "\"id\":0,", "trees[1].id: `0`: stands at the place of tree 1"),
            ("\"id\":1,", "\"id\":1,\"id\":1,", "the key `id` is there twice"),
            ("multi:softprob", "custom", "the objective `custom` is not read"),
            ("\"tree_info\":[0,1]", "\"tree_info\":[0,2]", "tree_info[1]: `2`: is not an output; the model has 2"),
            ("\"tree_info\":[0,1]", "\"tree_info\":[0,-1]", "tree_info[1]: `-1`: is not an output"),
            ("\"tree_info\":[0,1]", "\"tree_info\":[0]", "1 outputs of trees, and 2 are needed"),
            ("\"num_trees\":\"2\"", "\"num_trees\":\"3\"", "2 trees, and 3 are needed"),
            ("\"num_trees\":\"2\"", "\"num_trees\":2", "num_trees: a string is needed, not a number"),
            ("\"num_trees\":\"2\"", "\"num_trees\":\"-2\"", "num_trees: `\\\"-2\\\"`: is not a count"),
            ("\"num_class\":\"2\"", "\"num_class\":\"3\"", "2 trees, and 3 are needed"),
            ("\"num_class\":\"2\"", "\"num_class\":\"99999999999\"", "2 trees, and 99999999999 are needed"),
            ("\"num_class\":\"2\"", "\"num_groups\":\"2\"", "num_groups: unknown field"),
            ("[5E-1,2E0]", "[5E-1,2E0,0]", "3 base scores, and 2 are needed"),
            ("[5E-1,2E0]", "[5E-1,two]", "base_score: `two` is not a number"),
            ("[5E-1,2E0]", "[5E-1,nan]", "base_score: `nan` is not finite"),
            ("[5E-1,2E0]", "", "base_score: `` is empty"),
            ("[\"a\",\"b\"]", "[\"a\"]", "learner.feature_names: 1 names, and 2 are needed"),
            ("\"num_nodes\":\"5\"", "\"num_nodes\":\"4\"", "5 types of splits, and 4 are needed"),
            ("\"num_nodes\":\"1\"", "\"num_nodes\":\"0\"", "tree 1, left_children: 1 left children, and 0 are needed"),
            ("[5E-1,1.5E0,2E0,-2E0,3E0]", "[5E-1,1.5E0,2E0,-2E0]", "split_conditions: 4 thresholds, and 5 are needed"),
            ("[5E-1,1.5E0,", "[5E-1,1E39,", "tree 0, node 1: `1E39` is beyond the tool's own format"),
            ("[5E-1,1.5E0,", "[1E99999,1.5E0,", "tree 0, node 0: `1E99999` is not a decimal of a usual length"),
            ("[5E-1,1.5E0,", "[NaN,1.5E0,", "tree 0, node 0: `NaN` is not finite"),
            ("[5E-1,1.5E0,", "[\"1\",1.5E0,", "split_conditions[0]: a number is needed, not a string"),
            ("[5E-1,1.5E0,", "[null,1.5E0,", "split_conditions[0]: a number is needed, not null"),
            ("\"split_indices\":[1,", "\"split_indices\":[2,", "tree 0, node 0: compares input 2, and the model has 2"),
            ("\"split_indices\":[1,", "\"split_indices\":[-1,", "tree 0, node 0: compares input -1"),
            ("\"split_indices\":[1,", "\"split_indices\":[1.0,", "split_indices[0]: `1.0`: is not an integer"),
            ("\"default_left\":[0,1", "\"default_left\":[0,2", "default_left[1]: `2`: is neither 0 nor 1"),
            (
                "\"left_children\":[1,-1",
                "\"left_children\":[0,-1",
                "tree 0, node 0: lies below itself; the file is damaged",
            ),
            ("3,-1,-1],\"right", "0,-1,-1],\"right", "tree 0, node 0: lies below itself"),
            ("\"right_children\":[2,", "\"right_children\":[1,", "tree 0, node 1: is a child twice"),
            ("\"right_children\":[2,", "\"right_children\":[3,", "tree 0, node 2: cannot be reached"),
            ("\"left_children\":[1,-1,3", "\"left_children\":[1,-1,4", "tree 0, node 4: is a child twice"),
            ("\"left_children\":[1,-1,3", "\"left_children\":[1,-1,5", "tree 0, node 2: has the child 5, which is not"),
            ("\"left_children\":[1,-1,3", "\"left_children\":[1,-1,-2", "tree 0, node 2: has the child -2"),
            ("\"left_children\":[1,-1,3", "\"left_children\":[1,-1,-1", "tree 0, node 2: has one child"),
            ("\"right_children\":[2,-1,4", "\"right_children\":[2,-1,-1", "tree 0, node 2: has one child"),
        ],
    );
    // Categories that are not there, too large, of no node or of one twice.
    let lists = |nodes: &str, starts: &str, sizes: &str, all: &str| {
        let lists = format!(
            "\"categories\":[{all}],\"categories_nodes\":[{nodes}],\"categories_segments\":[{starts}],\"categories_sizes\":[{sizes}]"
        );
        let text = XGBOOST.replace("\"split_type\":[0,0,0", "\"split_type\":[0,0,1");
        parse_model(Path::new("m"), text.replace("\"categories\":[]", &lists).as_bytes())
    };
    let cuts = |model: Model| match &model.trees[0].nodes()[2] {
        ModelNode::Split { cuts, .. } => cuts.clone(),
        leaf => panic!("{leaf:?}"),
    };
    let both = |from: u32, to: u32| [Cut::before(from), Cut::before(to)];
    assert_eq!(cuts(lists("2", "0", "3", "4,0,5").unwrap()), [both(0, 1), both(4, 6)].concat());
    for (nodes, starts, sizes, all) in [
        ("2", "0", "4", "4,0,5"),
        ("2", "3", "1", "4,0,5"),
        ("2", "0", "0", "4,0,5"),
        ("2", "18446744073709551615", "1", "4"),
        ("2", "0", "1", "16777216"),
        ("5", "0", "1", "4"),
        ("2,2", "0,0", "1,1", "4"),
    ] {
        let message = lists(nodes, starts, sizes, all).unwrap_err().to_string();
        assert!(message.contains("is not a place or a list of categories of this tree"), "{message}");
    }
    // The same categories again and again would be more than the file.
    let list = |entry: &dyn Fn(usize) -> String| (0..3).map(entry).collect::<Vec<_>>().join(",");
    let many = (0..1 << 21).map(|category: usize| (2 * category).to_string()).collect::<Vec<_>>().join(",");
    let message = lists(&list(&|i| i.to_string()), "0,0,0", &list(&|_| (1 << 21).to_string()), &many).unwrap_err();
    assert!(
        message.to_string().contains("name more than 4194304 categories is not read; train with fewer"),
        "{message}"
    );
    // A node that is marked as deleted, below a split or counted wrong.
    let deleted = XGBOOST.replace("\"split_indices\":[1,0,0", "\"split_indices\":[1,2147483647,0");
    let message = refused(&deleted, "\"num_deleted\":\"0\"", "\"num_deleted\":\"1\"");
    assert!(message.contains("tree 0, node 0: has a child that is marked as deleted, node 1"), "{message}");
    let message = refused(&deleted, "\"id\":0", "\"id\":0");
    assert!(message.contains("1 deleted nodes, and 0 are needed"), "{message}");
}

#[test]
fn each_fault_of_a_lightgbm_model_is_named() {
    refuse_all(
        LIGHTGBM,
        &[
            ("version=v4", "version=v5", "line 2: version `v5` is not read"),
            ("version=v4", "version=v4\nversion=v4", "line 3: the entry `version` is there twice"),
            ("version=v4", "version=v4\nlinear", "line 3: the entry `linear` is not known"),
            ("version=v4\n", "", "line 1: below it, the entry `version` is missing"),
            ("max_feature_idx=1", "max_feature_idx=2", "feature_names: 2 names, and 3 are needed"),
            ("max_feature_idx=1", "max_feature_idx=-1", "line 6: `max_feature_idx` is not a count: `-1`"),
            ("per_iteration=1", "per_iteration=0", "2 trees"),
            ("per_iteration=1", "per_iteration=3", "2 trees, and 3 are needed"),
            ("per_iteration=1", "per_iteration=9999999999999", "2 trees, and 9999999999999 are needed"),
            ("tree_sizes=9 9", "tree_sizes=9 9 9", "before `end of trees`: 2 trees, and 3 are needed"),
            ("Tree=1", "Tree=2", "`Tree=1` or `end of trees` is needed, not `Tree=2`"),
            ("end of trees", "end", "`Tree=2` or `end of trees` is needed, not `end`"),
            ("end of trees\n\nparameters:\n[boosting: gbdt]\n", "", "the file ends before `end of trees`"),
            ("is_linear=0", "is_linear=1", "tree 0: a linear tree is not read; train with linear_tree=false"),
            ("num_cat=0", "num_dog=0", "the entry `num_dog` is not known"),
            ("decision_type=2 8", "decision_type=2 1", "tree 0, node 1: `2` is not a list of categories of this tree"),
            (
                "decision_type=2 8",
                "cat_boundaries=0 1 2 1\ncat_threshold=7 4294967296\ndecision_type=2 1",
                "tree 0, node 1: `2` is not a list of categories",
            ),
            (
                "decision_type=2 8",
                "cat_boundaries=0 0 1 2\ncat_threshold=7 4294967296\ndecision_type=2 1",
                "tree 0, node 1: `4294967296` is not a word of categories",
            ),
            ("decision_type=2 8", "decision_type=12 8", "tree 0, node 0: `12` is not a kind of split"),
            ("decision_type=2 8", "decision_type=18 8", "tree 0, node 0: `18` is not a kind of split"),
            ("decision_type=2 8", "decision_type=2", "tree 0, decision_type: 1 kinds of splits, and 2 are needed"),
            ("decision_type=2 8\n", "", "the entry `decision_type` is missing"),
            ("num_leaves=3", "num_leaves=4", "tree 0, leaf_value: 3 values of leaves, and 4 are needed"),
            ("num_leaves=3", "num_leaves=0", "tree 0: 0 leaves, and 1 are needed"),
            ("num_leaves=3", "num_leaves=18446744073709551615", "and 18446744073709551615 are needed"),
            ("threshold=0.5", "threshold=-nan", "tree 0, node 0: `-nan` is not finite"),
            ("threshold=0.5", "threshold=1e309", "tree 0, node 0: `1e309` is beyond the tool's own format"),
            ("threshold=0.5", "threshold=0x1p0", "tree 0, node 0: `0x1p0` is not a decimal"),
            ("leaf_value=0.25", "leaf_value=nan", "tree 1, leaf 0: `nan` is not finite"),
            ("leaf_value=0.25", "leaf_value=", "tree 1, leaf_value: 0 values of leaves, and 1 are needed"),
            ("split_feature=1", "split_feature=2", "tree 0, node 0: compares input 2, and the model has 2"),
            ("split_feature=1", "split_feature=x", "tree 0, node 0: compares input x"),
            ("left_child=-1", "left_child=0", "tree 0, node 0: lies below itself"),
            ("left_child=-1", "left_child=1", "tree 0, node 1: is a child twice"),
            ("left_child=-1", "left_child=2", "tree 0, node 0: has the child 2, which is not there"),
            ("left_child=-1", "left_child=-4", "tree 0, node 0: has the child -4, which is not there"),
            ("left_child=-1", "left_child=-2", "tree 0, leaf 1: is a child twice"),
            ("right_child=1", "right_child=-2", "tree 0, node 1: cannot be reached"),
            (
                "left_child=-1 -2\nright_child=1 -3",
                "left_child=-1 -2\nright_child=1 -2",
                "tree 0, leaf 1: is a child twice",
            ),
            ("left_child=-1 -2\nright_child=1 -3", "left_child=-1 1\nright_child=-2 -3", "node 1: cannot be reached"),
            ("right_child=1 -3", "right_child=1 0", "tree 0, node 0: lies below itself"),
        ],
    );
}

#[test]
fn each_fault_of_an_export_of_scikit_learn_is_named() {
    refuse_all(
        SKLEARN,
        &[
            ("\"schema\":1", "\"schema\":2", "is of schema 2, and 1 is read; export the model again"),
            ("decision-tree", "boosting", "kind: `boosting`"),
            ("\"trees\":[", "\"trees\":[],\"extra\":[", "extra: unknown field"),
            ("\"features\":2", "\"features\":2,\"features\":2", "the key `features` is there twice"),
            ("\"features\":2", "\"features\":3", "feature_names: 2 names, and 3 are needed"),
            ("\"classes\":[\"7\",\"9\"]", "\"classes\":[\"7\"]", "tree 0, node 1: 2 values, and 1 are needed"),
            ("\"0x1p-1\",null", "\"0.5\",null", "threshold[0]: `0.5`: is not a hexadecimal float"),
            ("\"0x1p-1\",null", "0.5,null", "is not JSON"),
            ("[\"0x1p0\",", "[\"inf\",", "value[4][0]: `inf`: is not finite"),
            ("\"0x1p-1\",null", "\"-nan\",null", "threshold[0]: `-nan`: is not finite"),
            ("\"0x1p-1\",null", "\"0x1p-1100\",null", "threshold[0]: `0x1p-1100`: is not a value of binary64"),
            ("\"0x1p-1\",null", "\"0x1p1024\",null", "is not a value of binary64"),
            ("\"0x1p-1\",null", "\"0x1.00000000000001p0\",null", "is not a value of binary64"),
            ("\"0x1p-1\",null", "\"0x1p-999999\",null", "of a usual length"),
            ("\"0x1p-1\",null", "null,null", "threshold[0]: a string is needed, not null"),
            ("\"0x1p-1\",null", "\"0x1p-1\",\"0x1p-1\"", "threshold[1]: null is needed, not a string"),
            ("\"column\":[1,null", "\"column\":[2,null", "tree 0, node 0: compares input 2"),
            ("\"column\":[1,null", "\"column\":[1,0", "column[1]: null is needed, not a number"),
            ("\"column\":[1,null,0,null,null]", "\"column\":[1,null,0,null]", "5 thresholds, and 4 are needed"),
            ("\"lower\":[1,", "\"lower\":[0,", "tree 0, node 0: lies below itself"),
            ("\"lower\":[1,", "\"lower\":[2,", "tree 0, node 2: is a child twice"),
            ("\"lower\":[1,", "\"lower\":[5,", "tree 0, node 0: has the child 5"),
            ("\"upper\":[2,", "\"upper\":[3,", "tree 0, node 2: cannot be reached"),
            ("\"upper\":[2,", "\"upper\":[-1,", "is not JSON"),
            ("\"upper\":[2,", "\"upper\":[null,", "upper[0]: a number is needed, not null"),
            ("[\"0x1p-2\",\"0x1.8p-1\"]", "[\"0x1p-2\"]", "tree 0, node 3: 1 values, and 2 are needed"),
        ],
    );
    let none = refused(SKLEARN, "\"trees\":[", "\"trees\":[],\"x\":[").replace("x: unknown", "");
    assert!(none.contains("unknown field") || none.contains("known"), "{none}");
    let cut = SKLEARN.find("\"trees\"").unwrap();
    let error = parse_model(Path::new("m"), format!("{}\"trees\":[]}}", &SKLEARN[..cut]).as_bytes()).unwrap_err();
    assert!(error.to_string().contains("trees: 0 trees, and 1 are needed"), "{error}");
}

#[test]
fn chains_as_deep_as_the_file_is_long_do_not_overflow_the_stack() {
    const SPLITS: usize = 100_000;
    let list = |entry: &dyn Fn(usize) -> String, n: usize, by: &str| (0..n).map(entry).collect::<Vec<_>>().join(by);
    let text = format!(
        "tree\nversion=v4\nnum_tree_per_iteration=1\nmax_feature_idx=0\nfeature_names=a\n\nTree=0\nnum_leaves={}\n\
         split_feature={}\nthreshold={}\ndecision_type={}\nleft_child={}\nright_child={}\nleaf_value={}\n\nend of trees\n",
        SPLITS + 1,
        list(&|_| "0".to_string(), SPLITS, " "),
        list(&|_| "1".to_string(), SPLITS, " "),
        list(&|_| "2".to_string(), SPLITS, " "),
        list(&|i| if i + 1 < SPLITS { (i + 1).to_string() } else { (!SPLITS as i64).to_string() }, SPLITS, " "),
        list(&|i| (!i as i64).to_string(), SPLITS, " "),
        list(&|_| "1".to_string(), SPLITS + 1, " "),
    );
    let model = read(&text);
    assert_eq!(model.trees[0].leaves(), SPLITS + 1);
    let (forest, _) = model.to_forest(Format::BINARY32, &ForestOptions::default()).unwrap();
    assert_eq!(parse_forest(Path::new("f"), &forest_bytes(&forest)).unwrap(), forest);
}

#[test]
fn decimals_are_rounded_once_and_to_even() {
    let of = |text| nearest(Format::BINARY32, text, String::new).unwrap();
    assert_eq!(of("1.00000005960464477539"), Rational::from(1));
    assert_eq!(of("1.000000059604644775390625"), Rational::from(1));
    assert_eq!(of("1.0000000596046447753906250000000001"), Rational::from(1) + power_of_two(-23));
    assert_eq!(of("1E-45"), power_of_two(-149));
    assert_eq!(of("-3.4028235E38"), power_of_two(104) - power_of_two(128));
}

/// Values of binary32 beside logarithms that were computed elsewhere, rounded to 17 digits.
#[test]
fn logarithms_are_those_of_tables() {
    for (value, logarithm_of) in [
        ((2, 1), "0.69314718055994531"),
        ((10, 1), "2.3025850929940457"),
        ((1, 1024), "-6.9314718055994531"),
        ((3, 4), "-0.28768207245178093"),
        ((5, 4), "0.22314355131420976"),
        ((16777215, 16777216), "-5.9604646551544104e-8"),
        ((1, 1), "0"),
    ] {
        let expected = nearest(Format::BINARY32, logarithm_of, String::new).unwrap();
        assert_eq!(logarithm(&Rational::from(value)), expected, "{value:?}");
    }
}

/// Bounds from few terms enclose those from many, which are closer than any rounding is.
#[test]
fn bounds_of_logarithms_enclose_them() {
    for value in [(2, 1), (1, 2), (3, 1), (1, 3), (7, 5), (5, 7), (1_000_001, 1), (1, 1_000_001), (1023, 1024)] {
        let [bounds @ .., [low, high]] = [0, 1, 2, 5, 80].map(|terms| logarithm_bounds(&Rational::from(value), terms));
        assert!(low < high && Rational::from(&high - &low) < power_of_two(-200), "{value:?}");
        assert!(bounds.iter().all(|[below, above]| *below < low && high < *above), "{value:?}");
    }
}

#[test]
fn base_scores_become_margins_as_the_objective_says() {
    let with = |objective, score| {
        let text = XGBOOST.replace("multi:softprob", objective).replace("[5E-1,2E0]", score);
        parse_model(Path::new("m"), text.as_bytes()).map(|model| (model.base[0].clone(), model.remarks))
    };
    assert_eq!(with("binary:logistic", "5E-1").unwrap(), (Rational::new(), vec![]));
    assert_eq!(with("count:poisson", "1").unwrap(), (Rational::new(), vec![]));
    let margin = |objective| with(objective, "3E-1").unwrap();
    // What XGBoost 3.2.0 gives for a model of no trees, on a machine with the GNU C library.
    let theirs = |text| nearest(Format::BINARY32, text, String::new).unwrap();
    for (objective, expected) in [
        ("reg:squarederror", "0.30000001192092896"),
        ("binary:hinge", "0.30000001192092896"),
        ("binary:logistic", "-0.8472978472709656"),
        ("reg:logistic", "-0.8472978472709656"),
        ("binary:logitraw", "0.30000001192092896"),
        ("reg:gamma", "-1.2039728164672852"),
        ("survival:aft", "-1.2039728164672852"),
    ] {
        assert_eq!(margin(objective).0, theirs(expected), "{objective}");
        assert_eq!(margin(objective).1.is_empty(), expected.starts_with("0.3"), "{objective}");
    }
    for (objective, score) in [("reg:tweedie", "0"), ("reg:tweedie", "-2")] {
        let message = with(objective, score).unwrap_err().to_string();
        assert!(message.contains("has no finite logarithm"), "{message}");
    }
}

/// What XGBoost 3.2.0 gives, and 3.1.1: since 3.2, a score is clamped before its logit is taken.
#[test]
fn logistic_base_scores_are_clamped_since_version_3_2() {
    let margin = |score: &str, version: &str| {
        let text = XGBOOST.replace("multi:softprob", "binary:logistic").replace("[5E-1,2E0]", score);
        parse_model(Path::new("m"), text.replace(",\"version\":[3,2,0]", version).as_bytes())
            .map(|model| model.base[0].clone())
            .map_err(|error| error.to_string())
    };
    let value = |text| Ok(nearest(Format::BINARY32, text, String::new).unwrap());
    let [old, new, later] = ["3,1,1", "3,2,0", "4,0,0"].map(|version| format!(",\"version\":[{version}]"));
    for version in [&new, &later] {
        for score in ["1E-7", "1E-6", "0", "-1", "1E-45"] {
            assert_eq!(margin(score, version), value("-13.81551"), "{score}");
        }
        for score in ["9.9999999E-1", "9.999999E-1", "9.99999E-1", "1", "2"] {
            assert_eq!(margin(score, version), value("13.74516"), "{score}");
        }
    }
    assert_eq!(margin("1E-7", &old), value("-16.118095"));
    assert_eq!(margin("1E-6", &old), value("-13.81551"));
    for score in ["0", "1", "-1", "9.9999999E-1", "1E-45"] {
        let message = margin(score, &old).unwrap_err();
        assert!(message.contains("has no finite logarithm"), "{message}");
    }
    // Within the interval, the version does not matter; beyond it, it has to be there.
    assert_eq!(margin("3E-1", ""), margin("3E-1", &new));
    let message = margin("1E-7", "").unwrap_err();
    assert!(
        message.contains("version: a base score beyond [1e-6, 1 - 1e-6] without the version of XGBoost"),
        "{message}"
    );
}

#[test]
fn what_the_tools_do_otherwise_is_said() {
    let remarks = |text: &str, format| read(text).to_forest(format, &ForestOptions::default()).unwrap().1.remarks;
    assert_eq!(remarks(SKLEARN, Format::BINARY32), []);
    assert_eq!(remarks(SKLEARN, Format::BFLOAT16), []);
    assert_eq!(remarks(LIGHTGBM, Format::BINARY64), []);
    for (text, format) in [
        (SKLEARN, Format::BINARY64),
        (XGBOOST, Format::BINARY64),
        (XGBOOST, Format::unbounded(24).unwrap()),
        (LIGHTGBM, Format::BINARY128),
        // Smaller exponents than binary32 has, though less precision.
        (XGBOOST, Format::new(8, -200, 100, roundproof_format::Specials::Ieee).unwrap()),
    ] {
        let found = remarks(text, format);
        assert!(matches!(found[..], [Remark::PeerCast { .. }]), "{format}");
        assert!(found[0].to_string().contains("rounds its inputs to binary"), "{}", found[0]);
    }
    let best = read(&XGBOOST.replace("\"attributes\":{}", "\"attributes\":{\"best_iteration\":\"0\"}"));
    assert_eq!(best.remarks, [Remark::BestIteration { iteration: "0".to_string() }]);
}

mod conversion;
mod semantics;
