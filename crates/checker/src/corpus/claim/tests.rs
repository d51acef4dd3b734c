use super::*;

const FUNCTIONS: &str = r#"
statement = "Functions on all values."
kind = "memorization"
values = "all"
seeds = [1, 2]
strategy = "point"
activations = ["step", "relu"]
formats = ["float4_e2m1fn"]
paths = "all"
"#;

fn read(text: &str) -> Result<Vec<Instance>, ClaimError> {
    toml::from_str::<Text>(text)?.instances(Path::new("folder"))
}

#[test]
fn each_seed_is_an_instance_with_a_name_of_its_own() {
    let instances = read(FUNCTIONS).unwrap();
    let names: Vec<&str> = instances.iter().map(|instance| instance.name.as_str()).collect();
    let expected = [
        "step.float4_e2m1fn.seed-1",
        "step.float4_e2m1fn.seed-2",
        "relu.float4_e2m1fn.seed-1",
        "relu.float4_e2m1fn.seed-2",
    ];
    assert_eq!(names, expected);
    assert!(instances.iter().all(|instance| !instance.slow && instance.record == RecordKind::Certificate));
    let Making::Rows { rows: Rows::All(function), .. } = &instances[3].making else { panic!("{instances:?}") };
    assert_eq!(*function, AllValues { inputs: 1, classes: None, seed: 2 });
}

#[test]
fn options_of_a_record_reach_every_instance() {
    let instances = read(&format!("{FUNCTIONS}record = \"digest\"\nslow = true\n")).unwrap();
    assert!(instances.iter().all(|instance| instance.slow && instance.record == RecordKind::Digest));
}

#[test]
fn what_does_not_go_with_all_values_is_refused() {
    let stray = |text: &str| match read(text) {
        Err(ClaimError::Stray(field)) => field,
        other => panic!("{text}: {other:?}"),
    };
    for (line, field) in [("data = \"data.csv\"", "data"), ("labels = [\"y\"]", "labels"), ("rows = [0]", "rows")] {
        assert_eq!(stray(&format!("{FUNCTIONS}{line}\n")), field);
    }
    let forest = FUNCTIONS.replace("memorization", "forest").replace("strategy = \"point\"", "model = \"m.json\"");
    assert_eq!(stray(&forest), "values");
    let file = FUNCTIONS.replace("values = \"all\"", "data = \"data.csv\"\nlabels = [\"y\"]");
    assert_eq!(stray(&file), "seeds");
    let file = file.replace("seeds = [1, 2]\n", "");
    assert!(read(&file).is_ok());
    for (line, field) in [("inputs = 2", "inputs"), ("classes = 2", "classes")] {
        assert_eq!(stray(&format!("{file}{line}\n")), field);
    }
}

#[test]
fn functions_without_seeds_or_in_formats_that_lack_them_are_refused() {
    let without = read(&FUNCTIONS.replace("seeds = [1, 2]\n", ""));
    assert!(matches!(without, Err(ClaimError::Missing("seeds"))), "{without:?}");
    for (from, to) in [("float4_e2m1fn", "F(4)"), ("float4_e2m1fn", "binary32"), ("seeds", "classes = 9\nseeds")] {
        let refused = read(&FUNCTIONS.replace(from, to));
        assert!(matches!(refused, Err(ClaimError::AllValues(_))), "{to}: {refused:?}");
    }
    for (from, to) in
        [("\"all\"\nseeds", "\"some\"\nseeds"), ("paths", "record = \"none\"\npaths"), ("paths", "slow = 1\npaths")]
    {
        let refused = read(&FUNCTIONS.replace(from, to));
        assert!(matches!(refused, Err(ClaimError::Form(_))), "{to}: {refused:?}");
    }
}

#[test]
fn every_data_set_has_a_shape_and_nothing_else() {
    let text = "statement = \"s\"\nkind = \"parametric\"\nrows-count = 3\ninputs = 2\nactivations = [\"step\"]\n\
                formats = [\"bfloat16\"]\npaths = \"all\"\n";
    let instances = read(text).expect("a claim");
    assert!(matches!(instances[0].making, Making::EveryDataSet(shape, false) if (shape.rows, shape.inputs) == (3, 2)));
    for field in ["rows-count = 3\n", "inputs = 2\n"] {
        assert!(matches!(read(&text.replace(field, "")), Err(ClaimError::Missing(_))), "{field}");
    }
    for stray in ["seeds = [1]\n", "strategy = \"point\"\n", "labels = [\"y\"]\n", "refused = [\"bfloat16\"]\n"] {
        assert!(matches!(read(&format!("{text}{stray}")), Err(ClaimError::Stray(_))), "{stray}");
    }
}

const APPROXIMATION: &str = r#"
statement = "A function."
kind = "approximation"
function = "exp"
domain = ["0:1"]
activations = ["relu"]
formats = ["bfloat16"]
paths = "all"
"#;

const FOREST: &str = r#"
statement = "A forest."
kind = "forest"
model = "model.json"
activations = ["relu"]
formats = ["bfloat16"]
paths = "all"
"#;

#[test]
fn a_false_claim_says_what_is_wrong_with_its_network() {
    let flaw = |text: String| match read(&text).map(|mut instances| instances.remove(0).making) {
        Ok(Making::Function(_, flaw) | Making::Model { flaw, .. }) => Ok(flaw),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    let none = flaw(APPROXIMATION.to_string()).expect("a claim");
    assert!(none.strategy == Strategy::Tree && none.built.is_none() && none.network.is_none());
    for (line, accuracy) in [
        ("built = { rounding = \"toward-zero\" }", "Rounded(TowardZero)"),
        ("built = { eps = \"0x1p-3\" }", "Within(1/8)"),
        ("built = { excess = \"0\" }", "Excess(0)"),
    ] {
        let flaw = flaw(format!("{APPROXIMATION}{line}\n")).expect(line);
        assert_eq!(format!("{:?}", flaw.built.expect(line)), accuracy);
    }
    let layers = "layers = [[{ weights = { 0 = \"1\" }, bias = \"0\" }], [{ weights = { 0 = \"1\" }, bias = \"0\" }]]";
    assert!(flaw(format!("{APPROXIMATION}{layers}\n")).expect("layers").network.is_some());
    for text in [APPROXIMATION, FOREST] {
        let halved = flaw(format!("{text}strategy = \"halved-penalties\"\n")).expect("a claim");
        assert_eq!(halved.strategy, Strategy::HalvedPenalties);
        // It halves what ReLU networks have, and nothing else is made.
        let step = text.replace("relu", "step") + "strategy = \"halved-penalties\"\n";
        assert!(matches!(flaw(step), Err(ClaimError::Activation { .. })));
        for other in ["point", "tree", "dense-point"] {
            let other = flaw(format!("{text}strategy = \"{other}\"\n"));
            assert!(matches!(other, Err(ClaimError::Stray("strategy"))), "{other:?}");
        }
    }
    let both = flaw(format!("{APPROXIMATION}{layers}\nstrategy = \"halved-penalties\"\n"));
    assert!(matches!(both, Err(ClaimError::Stray("strategy"))), "{both:?}");
}

#[test]
fn what_is_wrong_goes_with_its_kind_alone() {
    let claimed = read(&format!("{FOREST}tolerance = \"0x1p-3\"\n")).expect("a claim").remove(0);
    let Making::Model { tolerance, .. } = claimed.making else { panic!("{claimed:?}") };
    assert_eq!(tolerance, Some(Rational::from((1, 8))));
    for (text, line, field) in [
        (APPROXIMATION, "tolerance = \"0\"", "tolerance"),
        (FOREST, "built = { eps = \"0\" }", "built"),
        (FOREST, "layers = [[{ bias = \"0\" }]]", "layers"),
        (FUNCTIONS, "built = { eps = \"0\" }", "built"),
        (FUNCTIONS, "tolerance = \"0\"", "tolerance"),
    ] {
        let refused = read(&format!("{text}{line}\n"));
        assert!(matches!(refused, Err(ClaimError::Stray(found)) if found == field), "{line}: {refused:?}");
    }
    for (text, line) in [
        (FOREST, "tolerance = \"-1\""),
        (APPROXIMATION, "built = { eps = \"-1\" }"),
        (APPROXIMATION, "built = { rounding = \"inward\" }"),
        (APPROXIMATION, "built = { eps = \"1\", excess = \"1\" }"),
        (APPROXIMATION, "built = { nearest = \"1\" }"),
    ] {
        assert!(read(&format!("{text}{line}\n")).is_err(), "{line}");
    }
}
