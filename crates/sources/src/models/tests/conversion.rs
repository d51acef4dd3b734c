//! From models to forests, and readers beside damaged files.

use super::*;

/// One split of one input with the leaves 0 and 1.
fn split(cuts: Vec<Cut>) -> Model {
    let mut model = read(LIGHTGBM);
    let nodes = vec![
        tree::FileNode::Split { column: 0, cuts, lower: 1, upper: 2 },
        tree::FileNode::Leaf { number: 0, values: vec![Rational::new()] },
        tree::FileNode::Leaf { number: 1, values: vec![Rational::from(1)] },
    ];
    model.trees = vec![ModelTree::build(0, nodes, Some(0), |node| node.to_string()).unwrap()];
    model
}

fn value(format: Format, encoding: Encoding) -> Rational {
    decode(format, encoding).unwrap().rational().unwrap()
}

/// What a forest of one split, or of none, gives for an input, or for all.
fn side(forest: &Forest, input: &Rational) -> Rational {
    let (tree, format) = (&forest.trees()[0], forest.format());
    let leaf = match tree.nodes[0] {
        TreeNode::Leaf => 0,
        TreeNode::Split { threshold, .. } => usize::from(*input > value(format, threshold)),
    };
    value(format, tree.values.get(leaf))
}

fn check_split(format: Format, values: &[Rational], threshold: &Rational) {
    for cut in [Cut::before(threshold), Cut::after(threshold)] {
        let (forest, rounding) = split(vec![cut.clone()]).to_forest(format, &ForestOptions::default()).unwrap();
        let is_lower = |x: &Rational| if cut.closed { x <= threshold } else { x < threshold };
        for x in values {
            assert_eq!(side(&forest, x) == 0, is_lower(x), "{format}: {x} {cut:?}");
        }
        let lower = values.iter().filter(|x| is_lower(x)).count();
        let one_sided = lower == 0 || lower == values.len();
        assert_eq!(rounding.pruned, usize::from(one_sided), "{format}: {cut:?}");
        let moved = !one_sided && !values.contains(threshold);
        assert_eq!(rounding.thresholds, usize::from(moved), "{format}: {cut:?}");
    }
}

/// Every value of every small format as a threshold, every mean of neighbours, and reals beyond them all: every value
/// goes where it went.
#[test]
fn thresholds_keep_their_meaning_on_every_value_of_every_small_format() {
    for &(_, format, _) in roundproof_format::NAMED.iter().filter(|(_, format, _)| format.width() <= 8) {
        let finite = format.encodings().filter(|&encoding| format.is_finite(encoding));
        let mut values: Vec<Rational> = finite.map(|encoding| value(format, encoding)).collect();
        values.sort();
        values.dedup();
        let largest = values[values.len() - 1].clone();
        for pair in values.windows(2) {
            check_split(format, &values, &pair[0]);
            check_split(format, &values, &((pair[0].clone() + &pair[1]) / 2));
            check_split(format, &values, &(pair[0].clone() + Rational::from(&pair[1] - &pair[0]) * power_of_two(-300)));
        }
        for beyond in [largest.clone(), largest.clone() * Rational::from((257, 256)), largest * power_of_two(400)] {
            check_split(format, &values, &beyond);
            check_split(format, &values, &-beyond);
        }
    }
}

/// In `F(p)` the tool rounds inputs to binary64 or binary32: what is nearer to 0 than to its least value is 0.
#[test]
fn unbounded_formats_have_the_cuts_of_the_tools_rounding() {
    let format = Format::unbounded(3).unwrap();
    let threshold = |cut| {
        let (forest, _) = split(vec![cut]).to_forest(format, &ForestOptions::default()).unwrap();
        let TreeNode::Split { threshold, .. } = forest.trees()[0].nodes[0] else { panic!("pruned") };
        value(format, threshold)
    };
    let half = power_of_two(-1075);
    assert_eq!(threshold(Cut::after(0)), half);
    assert_eq!(threshold(Cut::before(0)), -half * Rational::from((5, 4)));
    assert_eq!(threshold(Cut::before(1)), Rational::from((7, 8)));
    assert_eq!(threshold(Cut::after(1)), 1);
    assert_eq!(threshold(Cut::before(-1)), Rational::from((-5, 4)));
    assert_eq!(threshold(Cut::before((-9, 8))), Rational::from((-5, 4)));
}

/// The leaf that an input reaches.
fn leaf(forest: &Forest, input: &Rational) -> Rational {
    let (tree, format) = (&forest.trees()[0], forest.format());
    let leaf = tree.leaf(&tree.preorder(), |_, threshold| *input > value(format, threshold));
    value(format, tree.values.get(leaf))
}

/// Every choice of up to five cuts before and after some values of a format and between them: every value goes to the side
/// that the number of cuts below it says.
#[test]
fn several_cuts_part_every_value_of_a_small_format() {
    let format = Format::FLOAT6_E2M3FN;
    let finite = format.encodings().filter(|&encoding| format.is_finite(encoding));
    let mut values: Vec<Rational> = finite.map(|encoding| value(format, encoding)).collect();
    values.sort();
    values.dedup();
    let mut cuts: Vec<Cut> = [-8, 0, 1, 7]
        .iter()
        .flat_map(|&at| [Cut::before((at, 8)), Cut::after((at, 8)), Cut::after((2 * at + 1, 16))])
        .collect();
    cuts.extend([Cut::before(-100), Cut::after(100)]);
    cuts.sort();
    let mut copies = 0;
    for chosen in 0u32..1 << cuts.len() {
        if chosen.count_ones() > 5 {
            continue;
        }
        let chosen: Vec<Cut> =
            (0..cuts.len()).filter(|&bit| chosen >> bit & 1 != 0).map(|bit| cuts[bit].clone()).collect();
        let (forest, rounding) = split(chosen.clone()).to_forest(format, &ForestOptions::default()).unwrap();
        for x in &values {
            let side = chosen.iter().filter(|cut| !cut.is_above(x)).count() % 2;
            assert_eq!(leaf(&forest, x), side, "{x}: {chosen:?}");
        }
        let is_lower = |x: &&Rational| chosen.iter().filter(|cut| !cut.is_above(x)).count() % 2 == 0;
        let lower = values.iter().filter(is_lower).count();
        assert_eq!(rounding.pruned == 1, lower == 0 || lower == values.len(), "{chosen:?}");
        copies = copies.max(forest.trees()[0].leaves());
    }
    assert_eq!(copies, 6);
}

/// In a format with values between those of the tool's inputs, each goes where the nearest of these goes: every value of
/// binary16 as an input of a tool of float8_e5m2, and thresholds at, between and beyond its values.
#[test]
fn inputs_that_the_tool_rounds_go_where_the_rounded_ones_go() {
    let (inputs, format) = (Format::FLOAT8_E5M2, Format::BINARY16);
    let all = |format: Format| {
        let finite = format.encodings().filter(move |&encoding| format.is_finite(encoding));
        let mut values: Vec<Rational> = finite.map(|encoding| value(format, encoding)).collect();
        values.sort();
        values.dedup();
        values
    };
    let (theirs, ours) = (all(inputs), all(format));
    let rounded: Vec<Option<Rational>> = ours.iter().map(|x| number::rounded(inputs, x)).collect();
    let mut checked = 0;
    for pair in theirs.windows(2).step_by(41) {
        for at in [pair[0].clone(), (pair[0].clone() + &pair[1]) / 2] {
            for cut in [Cut::before(&at), Cut::after(&at)] {
                let mut model = split(vec![cut.clone()]);
                model.inputs = inputs;
                let (forest, rounding) = model.to_forest(format, &ForestOptions::default()).unwrap();
                assert!(matches!(rounding.remarks[..], [Remark::PeerCast { .. }]));
                for (x, rounded) in ours.iter().zip(&rounded) {
                    // What overflows there, the tool refuses.
                    let Some(rounded) = rounded else { continue };
                    assert_eq!(leaf(&forest, x) == 0, cut.is_above(rounded), "{x}: {cut:?}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 500_000, "{checked}");
}

#[test]
fn classes_that_are_one_number_and_votes_that_are_not_counted_are_refused() {
    let options = |outputs| ForestOptions { outputs, grid: None, real_inputs: false };
    for (first, second, format, value) in [
        ("256", "257", Format::BFLOAT16, "256"),
        ("1", "01", Format::BINARY64, "1"),
        ("16", "0x10", Format::BINARY32, "16"),
        ("0", "-0", Format::BINARY32, "0"),
    ] {
        let text = SKLEARN.replace(r#"["7","9"]"#, &format!(r#"["{first}","{second}"]"#));
        let error = read(&text).to_forest(format, &options(None)).unwrap_err().to_string();
        let expected = format!("the classes `{first}` and `{second}` are both {value} in {format}");
        assert!(error.starts_with(&expected) && error.contains("take --outputs votes or scores"), "{error}");
        assert!(read(&text).to_forest(format, &options(Some(Outputs::Votes))).is_ok());
    }
    for (format, most) in [(Format::FLOAT4_E2M1FN, 4), (Format::BFLOAT16, 256), (Format::unbounded(3).unwrap(), 8)] {
        let mut forest = read(SKLEARN);
        forest.trees = vec![forest.trees[0].clone(); most];
        assert!(forest.to_forest(format, &options(Some(Outputs::Votes))).is_ok(), "{format}");
        forest.trees.push(forest.trees[0].clone());
        let error = forest.to_forest(format, &options(Some(Outputs::Votes))).unwrap_err();
        assert_eq!(error, ConversionError::Votes { trees: most + 1, most: most.into(), format });
    }
}

#[test]
fn a_side_that_no_value_reaches_is_left_out_with_all_below_it() {
    // 1e30 is beyond binary16; below it on the left stands another split.
    let text = LIGHTGBM.replace("threshold=0.5 2", "threshold=-1e30 2");
    let (forest, rounding) = read(&text).to_forest(Format::BINARY16, &ForestOptions::default()).unwrap();
    assert_eq!((rounding.pruned, &rounding.numbers[0][..], forest.trees()[0].nodes.len()), (1, &[1, 2][..], 3));
    let text = LIGHTGBM.replace("threshold=0.5 2", "threshold=1e30 2");
    let (forest, rounding) = read(&text).to_forest(Format::BINARY16, &ForestOptions::default()).unwrap();
    assert_eq!((rounding.pruned, &rounding.numbers[0][..]), (2, &[0][..]));
    assert_eq!(forest.trees()[0].nodes, [TreeNode::Leaf]);
}

#[test]
fn leaves_are_rounded_to_the_format_or_to_the_grid() {
    let format = Format::BFLOAT16;
    let text = LIGHTGBM.replace("leaf_value=1.5 -2 3", "leaf_value=0.1 -2 3.3");
    let convert = |grid| read(&text).to_forest(format, &ForestOptions { outputs: None, grid, real_inputs: false });
    let values = |forest: &Forest| -> Vec<Rational> {
        forest
            .trees()
            .iter()
            .flat_map(|tree| tree.values.iter().map(|x| value(format, x)).collect::<Vec<_>>())
            .collect()
    };
    let quarters = |q: [i32; 4]| q.map(|q| Rational::from((q, 4))).to_vec();
    let (forest, rounding) = convert(None).unwrap();
    assert_eq!((rounding.leaves, rounding.base), (2, 0));
    assert_eq!(values(&forest)[2], Rational::from((211, 64)));
    let exact = nearest(Format::BINARY64, "3.3", String::new).unwrap();
    assert_eq!(rounding.largest_error, (exact.clone() - Rational::from((211, 64))).abs());
    let (forest, rounding) = convert(Some(-2)).unwrap();
    assert_eq!(values(&forest), quarters([0, -8, 13, 1]));
    assert_eq!(rounding.leaves, 2);
    // Of two multiples, the even one: 0.25 is half of 0.5.
    assert_eq!(values(&convert(Some(-1)).unwrap().0), quarters([0, -8, 14, 0]));
    assert_eq!(values(&convert(Some(2)).unwrap().0), quarters([0, 0, 16, 0]));
    let error = convert(Some(-20)).unwrap_err();
    assert!(matches!(error, ConversionError::OffGrid { grid: -20, .. }), "{error}");
    let error = convert(Some(1 << 40)).unwrap_err();
    assert!(matches!(error, ConversionError::Grid { .. }), "{error}");
    let small = read(&text.replace("-2 3.3", "-2 3.3e5")).to_forest(Format::BINARY16, &ForestOptions::default());
    let message = small.unwrap_err().to_string();
    assert!(message.starts_with("tree 0, leaf 2, output 0: 3.3e5 is beyond the values of binary16; take"), "{message}");
    let base = read(&XGBOOST.replace("[5E-1,2E0]", "7E5")).to_forest(Format::BINARY16, &ForestOptions::default());
    assert!(base.unwrap_err().to_string().starts_with("base, output 0: 7.0e5 is beyond"));
    let (forest, rounding) = read(&XGBOOST.replace("[5E-1,2E0]", "1E-1"))
        .to_forest(format, &ForestOptions { outputs: None, grid: Some(0), real_inputs: false })
        .unwrap();
    assert_eq!((value(format, forest.base().get(0)), rounding.base), (Rational::new(), 2));
    // A mean: each leaf is divided, then rounded.
    let mean = read(&LIGHTGBM.replace("tree_sizes", "average_output\ntree_sizes"));
    let (forest, _) = mean.to_forest(format, &ForestOptions::default()).unwrap();
    assert_eq!(values(&forest), [(3, 4), (-1, 1), (3, 2), (1, 8)].map(Rational::from));
}

#[test]
fn outputs_are_those_asked_for_or_refused() {
    let format = Format::FLOAT8_E4M3FN;
    let convert = |text: &str, outputs| {
        let (forest, _) = read(text).to_forest(format, &ForestOptions { outputs, grid: None, real_inputs: false })?;
        let values = forest.trees()[0].values.iter().map(|x| value(format, x)).collect::<Vec<Rational>>();
        Ok::<_, ConversionError>((forest.outputs(), values))
    };
    let numbers = |list: &[i32]| list.iter().map(|&n| Rational::from(n)).collect::<Vec<_>>();
    // Of equal fractions, the first class.
    assert_eq!(convert(SKLEARN, None), Ok((1, numbers(&[7, 9, 7]))));
    assert_eq!(convert(SKLEARN, Some(Outputs::Votes)), Ok((2, numbers(&[1, 0, 0, 1, 1, 0]))));
    let fractions = [(1, 2), (1, 2), (1, 4), (3, 4), (1, 1), (0, 1)].map(Rational::from).to_vec();
    assert_eq!(convert(SKLEARN, Some(Outputs::Scores)), Ok((2, fractions.clone())));
    let named = SKLEARN.replace("\"7\"", "\"seven\"");
    assert_eq!(convert(&named, None), Ok((2, fractions)));
    assert_eq!(
        convert(XGBOOST, None),
        Ok((2, [(3, 2), (0, 1), (-2, 1), (0, 1), (3, 1), (0, 1)].map(Rational::from).to_vec()))
    );
    let refused = |text: &str, outputs| convert(text, Some(outputs)).unwrap_err().to_string();
    assert!(refused(&named, Outputs::Label).contains("this model cannot give labels: its classes are not"));
    assert!(
        refused(XGBOOST, Outputs::Votes).contains("its leaves are not fractions of classes; take --outputs scores")
    );
    assert!(refused(LIGHTGBM, Outputs::Label).contains("not fractions of classes"));
    let mut two = read(SKLEARN);
    two.trees.push(two.trees[0].clone());
    let label = ForestOptions { outputs: Some(Outputs::Label), grid: None, real_inputs: false };
    assert!(two.to_forest(format, &label).unwrap_err().to_string().contains("the label of 2 trees"));
    let grid = ForestOptions { outputs: None, grid: Some(0), real_inputs: false };
    assert!(read(SKLEARN).to_forest(format, &grid).unwrap_err().to_string().contains("leave the grid out"));
    let mut wide = read(LIGHTGBM);
    wide.base = vec![Rational::new(); 1 << 14];
    wide.trees = vec![wide.trees[0].clone(); 1 << 14];
    let error = wide.to_forest(format, &ForestOptions::default()).unwrap_err();
    assert!(matches!(error, ConversionError::Size { .. }), "{error}");
}

fn fixture(which: usize) -> &'static [u8] {
    match which {
        0 => include_bytes!("../../../tests/models/xgboost-one.json"),
        1 => include_bytes!("../../../tests/models/xgboost-logistic.json"),
        2 => include_bytes!("../../../tests/models/lightgbm-multiclass.txt"),
        3 => include_bytes!("../../../tests/models/sklearn-tree.json"),
        4 => XGBOOST.as_bytes(),
        5 => LIGHTGBM.as_bytes(),
        6 => include_bytes!("../../../tests/models/xgboost-categories.ubj"),
        7 => include_bytes!("../../../tests/models/lightgbm-zeros.txt"),
        _ => SKLEARN.as_bytes(),
    }
}

/// Whatever is accepted gives a forest or an error, and the forest's file is read back.
fn accepted_is_sound(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(model) = parse_model(Path::new("m"), bytes) else { return Ok(()) };
    for format in [Format::FLOAT6_E3M2FN, Format::BINARY16, Format::BINARY64, Format::unbounded(11).unwrap()] {
        for outputs in [None, Some(Outputs::Scores), Some(Outputs::Votes)] {
            for grid in [None, Some(-3)] {
                if let Ok((forest, _)) = model.to_forest(format, &ForestOptions { outputs, grid, real_inputs: false }) {
                    prop_assert_eq!(parse_forest(Path::new("f"), &forest_bytes(&forest)).unwrap(), forest);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), start in 0usize..6) {
        let start: &[u8] = [&b""[..], b"{\"learner\":", b"{\"schema\":1,", b"tree\n", b"tree\nversion=v4\n", b"{L\0\0\0\0\0\0\0\x07learner{"][start];
        accepted_is_sound(&[start, &bytes].concat())?;
    }

    /// Digits, brackets and other bytes of true files in other places.
    #[test]
    fn damaged_models_are_refused_or_sound(
        which in 0usize..9,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..4), 1..5),
    ) {
        let mut bytes = fixture(which).to_vec();
        for (place, other, kind) in changes {
            let (place, other) = (place.index(bytes.len()), other.index(bytes.len()));
            match kind {
                0 => bytes[place] = b"0123456789-,"[other % 12],
                1 => bytes[place] = bytes[other],
                2 => { bytes.remove(place); }
                _ => { let byte = bytes[other]; bytes.insert(place, byte); }
            }
        }
        accepted_is_sound(&bytes)?;
    }
}

#[test]
fn models_that_are_cut_anywhere_are_refused() {
    for which in 0..9 {
        let bytes = fixture(which);
        // What follows the trees of LightGBM is not read.
        let needed =
            bytes.windows(12).position(|end| end == b"end of trees").map_or(bytes.trim_ascii_end().len(), |at| at + 12);
        for end in 0..needed {
            assert!(parse_model(Path::new("m"), &bytes[..end]).is_err(), "{which}, cut to {end} bytes");
        }
        assert!(parse_model(Path::new("m"), &bytes[..needed]).is_ok(), "{which}");
    }
}

/// Where the tree is meant and no tool, what is next to 0 is not 0, and a cut before it has no threshold in `F(p)`.
#[test]
fn a_tree_over_the_reals_is_not_rounded() {
    let format = Format::unbounded(3).unwrap();
    let options = ForestOptions { real_inputs: true, ..ForestOptions::default() };
    let threshold = |cut| {
        let (forest, rounding) = split(vec![cut]).to_forest(format, &options)?;
        let TreeNode::Split { threshold, .. } = forest.trees()[0].nodes[0] else { panic!("pruned") };
        assert_eq!(rounding.remarks, []);
        Ok::<_, ConversionError>(value(format, threshold))
    };
    assert_eq!(threshold(Cut::after(0)), Ok(Rational::new()));
    assert_eq!(threshold(Cut::before(0)), Err(ConversionError::NoPredecessor { format }));
    assert_eq!(threshold(Cut::before(1)), Ok(Rational::from((7, 8))));
}
