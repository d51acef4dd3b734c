//! What the tools mean by tiny inputs, categories, infinite thresholds and bytes.

use super::*;

/// 1e-35 of binary32, and where LightGBM's comparison with a threshold around zero changes sides.
#[test]
fn lightgbm_takes_tiny_inputs_for_zero() {
    let z = Rational::from(0xd4_ad2e) * power_of_two(-140);
    let cuts = |threshold: &str, decision: u8| {
        let text = LIGHTGBM.replace("threshold=0.5", &format!("threshold={threshold}"));
        match &read(&text.replace("decision_type=2", &format!("decision_type={decision}"))).trees[0].nodes()[..2] {
            [ModelNode::Split { cuts, .. }, lower] => {
                (cuts.clone(), matches!(lower, ModelNode::Leaf { number: 0, .. }))
            }
            other => panic!("{other:?}"),
        }
    };
    let [below, above] = [Cut::before(-z.clone()), Cut::after(z.clone())];
    let at = |text: &str| Cut::after(nearest(Format::BINARY64, text, String::new).unwrap());
    let [least, most] = ["-1.0000000180025095e-35", "1.0000000180025095e-35"];
    assert_eq!((at(least).at, at(most).at), (-z.clone(), z));
    let (large, small) = ("1.0000000180025097e-35", "-1.0000000180025097e-35");
    // Nothing is missing, or NaN.
    for decision in [0, 2, 8, 10] {
        for (threshold, cut) in [
            (large, at(large)),
            (most, above.clone()),
            ("1e-35", above.clone()),
            ("0", above.clone()),
            ("-0", above.clone()),
            ("-1e-36", below.clone()),
            (least, below.clone()),
            (small, at(small)),
        ] {
            assert_eq!(cuts(threshold, decision), (vec![cut], true), "{threshold}");
        }
        assert_eq!(cuts("inf", decision), (vec![], true));
        assert_eq!(cuts("-inf", decision), (vec![], false));
    }
    // Zeros are missing, and go to the left, or to the right.
    let around = |other: Option<Cut>| {
        let mut cuts: Vec<Cut> = [below.clone(), above.clone()].into_iter().chain(other).collect();
        cuts.sort();
        cuts
    };
    for (threshold, left, right) in [
        (large, vec![at(large)], around(Some(at(large)))),
        (most, vec![above.clone()], vec![below.clone()]),
        ("0", vec![above.clone()], vec![below.clone()]),
        ("-1e-36", vec![above.clone()], vec![below.clone()]),
        (small, around(Some(at(small))), vec![at(small)]),
        ("inf", vec![], around(None)),
    ] {
        assert_eq!((cuts(threshold, 6), cuts(threshold, 4)), ((left, true), (right, true)), "{threshold}");
    }
    assert_eq!((cuts("-inf", 6), cuts("-inf", 4)), ((around(None), false), (vec![], false)));
}

/// The integer part of what lies between -1 and 1 is 0.
#[test]
fn lightgbm_takes_the_integer_part_for_a_category() {
    let cuts = |words: &str| {
        let lists = format!("cat_boundaries=0 {}\ncat_threshold={words}\n", words.split(' ').count());
        let text = LIGHTGBM
            .replace("threshold=0.5", "threshold=0")
            .replace("decision_type=2", &format!("{lists}decision_type=1"));
        match &read(&text).trees[0].nodes() {
            [ModelNode::Split { cuts, .. }, .., ModelNode::Leaf { number: 0, .. }] => cuts.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(cuts("1"), [Cut::after(-1), Cut::before(1)]);
    assert_eq!(cuts("2147483654 3"), [Cut::before(1), Cut::before(3), Cut::before(31), Cut::before(34)]);
    assert_eq!(cuts("0 2147483648"), [Cut::before(63), Cut::before(64)]);
    assert_eq!(cuts("0"), []);
}

#[test]
fn infinite_thresholds_have_every_finite_input_on_one_side() {
    let sides = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from));
        let (forest, rounding) =
            read(&text.replacen(from, to, 1)).to_forest(Format::BFLOAT16, &ForestOptions::default()).unwrap();
        (forest.trees()[0].leaves(), rounding.pruned, rounding.numbers[0].clone())
    };
    for (from, all_lower, all_upper) in
        [("[5E-1,", "[Infinity,", "[-Infinity,"), ("5E-1,1.5", "\"Infinity\",1.5", "\"-Infinity\",1.5")]
    {
        assert_eq!(sides(XGBOOST, from, all_lower), (1, 2, vec![1]));
        assert_eq!(sides(XGBOOST, from, all_upper), (2, 1, vec![3, 4]));
    }
    assert_eq!(sides(LIGHTGBM, "threshold=0.5", "threshold=inf"), (1, 2, vec![0]));
    assert_eq!(sides(SKLEARN, "\"0x1p-1\",null", "\"inf\",null"), (1, 2, vec![1]));
    assert_eq!(sides(SKLEARN, "\"0x1p-1\",null", "\"-inf\",null"), (2, 1, vec![3, 4]));
    // A leaf is not a threshold, and words in strings are left alone.
    let message = refused(XGBOOST, "5E-1,1.5E0", "5E-1,Infinity");
    assert!(message.contains("tree 0, node 1: `Infinity` is not finite"), "{message}");
    let message = refused(XGBOOST, "5E-1,1.5E0", "NaN,1.5E0");
    assert!(message.contains("tree 0, node 0: `NaN` is not finite"), "{message}");
    let named =
        read(&XGBOOST.replace("\"a\",\"b\"", "\"In\\\"Infinity\",\"NaN\\\\\"").replace("[5E-1,1", "[-Infinity,1"));
    assert_eq!(named.feature_names.unwrap(), ["In\"Infinity", "NaN\\"]);
}

/// Binary JSON gives the model that its text gives, and bytes that are not binary JSON an error with their place.
#[test]
fn binary_json_is_read_as_its_text() {
    let json = |bytes: &[u8]| ubjson::to_json(bytes);
    let document = b"{i\x01aU\xffi\x01b[ZTFN]U\x01c[$d#i\x03\x3f\x00\x00\x00\xff\x80\x00\x00\x00\x00\x00\x01i\x01d{#i\x01i\x01\"Si\x02\n\\i\x01eD\xbf\xf8\0\0\0\0\0\0}";
    let text = r#"{"a":255,"b":[null,true,false],"c":[5e-1,"-Infinity",1e-45],"d":{"\"":"\u000a\\"},"e":-1.5e0}"#;
    assert_eq!(json(document).as_deref(), Ok(text));
    for (bytes, position, what) in [
        (&b"{i\x01a"[..], 4, "ends too early"),
        (b"{}{", 2, "bytes follow the end"),
        (b"[#L\x7f\xff\xff\xff\xff\xff\xff\xff]", 11, "ends too early"),
        (b"[#i\xff", 4, "a length is negative"),
        (b"[#Si\x01a", 3, "a length is not an integer"),
        (b"[$Z#i\x7f", 3, "elements that take no bytes"),
        (b"[$i]", 3, "a type and no length"),
        (b"[Q]", 2, "no such marker"),
        (b"[C1]", 2, "characters and long decimals"),
        (b"{i\x01\xff", 4, "a string is not UTF-8"),
    ] {
        let (at, why) = json(bytes).unwrap_err();
        assert!(at == position && why.contains(what), "{bytes:?}: {at}, {why}");
    }
    let deep = [b'['; 1 << 20];
    assert_eq!(json(&deep), Err((102, "containers are nested too deeply")));
    let error = parse_model(Path::new("m"), b"{L\0\0").unwrap_err().to_string();
    assert!(
        error.contains("byte 2: the file ends too early; the file is damaged or is not a model of XGBoost"),
        "{error}"
    );
}
