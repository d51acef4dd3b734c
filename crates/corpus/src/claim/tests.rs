use roundproof_approximation::Accuracy;
use roundproof_format::{Overflow, RoundingMode};

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

/// Whether the error is this field, which goes with no other.
fn is_stray<T>(read: &Result<T, ClaimError>, stray: &str) -> bool {
    matches!(read, Err(ClaimError::Stray { field, line: _ }) if field == stray)
}

/// Whether TOML that has not the right form is refused for this reason.
fn is_misformed<T>(read: &Result<T, ClaimError>, reason: &str) -> bool {
    matches!(read, Err(ClaimError::Form(error)) if error.to_string().contains(reason))
}

fn read(text: &str) -> Result<Vec<Instance>, ClaimError> {
    ClaimFile::parse(text, Path::new("folder")).map(ClaimFile::instances)
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
    assert!(instances.iter().all(|instance| !instance.slow && instance.record == RecordKind::Evidence));
    let Making::Rows { rows: Rows::All(function), .. } = &instances[3].making else { panic!("{instances:?}") };
    assert_eq!(*function, AllValues { of: None, inputs: 1, classes: None, seed: 2 });
}

#[test]
fn an_unbounded_format_has_the_values_of_another() {
    let text = FUNCTIONS.replace("[\"float4_e2m1fn\"]", "[\"F(2)\"]");
    let instances = read(&text.replace("\"all\"\nseeds", "\"float4_e2m1fn\"\nseeds")).unwrap();
    let Making::Rows { rows: Rows::All(function), .. } = &instances[0].making else { panic!("{instances:?}") };
    assert_eq!(function.of, Some(Format::FLOAT4_E2M1FN));
    let lacks = read(&text.replace("\"all\"\nseeds", "\"float6_e2m3fn\"\nseeds"));
    assert!(matches!(lacks, Err(ClaimError::AllValues(_))), "{lacks:?}");
}

#[test]
fn one_activation_may_be_refused_alone() {
    let refused = |line: &str| {
        let instances = read(&format!("{FUNCTIONS}{line}\n"))?;
        Ok::<_, ClaimError>(instances.iter().map(|it| (it.activation, it.refused)).collect::<Vec<_>>())
    };
    let (step, relu) = (Activation::Step, Activation::Relu);
    let each = |of_step, of_relu| vec![(step, of_step), (step, of_step), (relu, of_relu), (relu, of_relu)];
    assert_eq!(refused("refused = [\"relu.float4_e2m1fn\"]").unwrap(), each(false, true));
    assert_eq!(refused("refused = [\"float4_e2m1fn\"]").unwrap(), each(true, true));
    assert_eq!(refused("refused = []").unwrap(), each(false, false));
    for name in ["identity.float4_e2m1fn", "relu.bfloat16", "bfloat16"] {
        let error = refused(&format!("refused = [\"{name}\"]"));
        assert!(matches!(&error, Err(ClaimError::Refused(found)) if found == name), "{error:?}");
    }
    assert!(matches!(refused("refused = [\"rely.float4_e2m1fn\"]"), Err(ClaimError::Name(_))));
}

#[test]
fn options_of_a_record_reach_every_instance() {
    let instances = read(&format!("{FUNCTIONS}record = \"digest\"\nslow = true\n")).unwrap();
    assert!(instances.iter().all(|instance| instance.slow && instance.record == RecordKind::Digest));
}

#[test]
fn some_instances_may_be_slow_alone() {
    let text = APPROXIMATION.replace("paths = \"all\"", "paths = [\"paper\", \"all\"]");
    let instances = read(&format!("{text}slow = [\"bfloat16.paper\"]\n")).unwrap();
    let slow: Vec<&str> = instances.iter().filter(|it| it.slow).map(|it| it.name.as_str()).collect();
    assert!(!slow.is_empty() && slow.len() * 2 == instances.len(), "{instances:?}");
    assert!(slow.iter().all(|name| name.ends_with(".bfloat16.paper")), "{slow:?}");
    for stray in ["bfloat16", "binary32.paper", "paper"] {
        let refused = read(&format!("{text}slow = [\"{stray}\"]\n"));
        assert!(matches!(&refused, Err(ClaimError::Slow(found)) if found == stray), "{refused:?}");
    }
}

#[test]
fn what_does_not_go_with_all_values_is_refused() {
    let stray = |text: &str| match read(text) {
        Err(ClaimError::Stray { field, .. }) => field,
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
    assert!(is_misformed(&without, "missing field `seeds`"), "{without:?}");
    for (from, to) in [("float4_e2m1fn", "F(4)"), ("float4_e2m1fn", "binary32"), ("seeds", "classes = 9\nseeds")] {
        let refused = read(&FUNCTIONS.replace(from, to));
        assert!(matches!(refused, Err(ClaimError::AllValues(_))), "{to}: {refused:?}");
    }
    for (from, to) in
        [("\"all\"\nseeds", "1\nseeds"), ("paths", "record = \"none\"\npaths"), ("paths", "slow = 1\npaths")]
    {
        let refused = read(&FUNCTIONS.replace(from, to));
        assert!(matches!(refused, Err(ClaimError::Form(_))), "{to}: {refused:?}");
    }
}

#[test]
fn a_function_may_be_rounded_by_another_policy_than_the_paths() {
    let accuracy = |format: &str, lines: &str| {
        let text = APPROXIMATION.replace("bfloat16", format);
        let instance = read(&format!("{text}{lines}"))?.remove(0);
        let Making::Function(wanted, _) = &instance.making else { panic!("{instance:?}") };
        let wanted = wanted.in_format(instance.format, &instance.model).map_err(ClaimError::Value)?;
        Ok::<_, ClaimError>((instance.model.overflow, wanted.accuracy))
    };
    let rounded = |overflow| Accuracy::Rounded { mode: RoundingMode::TiesToEven, overflow };
    let saturate = accuracy("bfloat16", "overflow = \"saturate\"\n").unwrap();
    assert_eq!(saturate, (Overflow::Ieee, rounded(Overflow::Saturate)));
    assert_eq!(accuracy("bfloat16", "").unwrap().1, rounded(Overflow::Ieee));
    assert!(matches!(accuracy("float8_e4m3fn", "overflow = \"ieee\"\n"), Err(ClaimError::Value(_))));
    assert!(is_misformed(&accuracy("bfloat16", "overflow = \"wrap\"\n"), "overflow"));
    for error in ["eps", "excess"] {
        let stray = accuracy("bfloat16", &format!("overflow = \"saturate\"\n{error} = \"1\"\n"));
        assert!(is_stray(&stray, "overflow"), "{stray:?}");
    }
}

#[test]
fn every_data_set_has_a_shape_and_nothing_else() {
    let text = "statement = \"s\"\nkind = \"parametric\"\nrows-count = 3\ninputs = 2\nactivations = [\"step\"]\n\
                formats = [\"bfloat16\"]\npaths = \"all\"\n";
    let instances = read(text).expect("a claim");
    assert!(matches!(instances[0].making, Making::EveryDataSet(shape, false) if (shape.rows, shape.inputs) == (3, 2)));
    for (line, reason) in
        [("rows-count = 3\n", "missing field `rows-count`"), ("inputs = 2\n", "missing field `inputs`")]
    {
        assert!(is_misformed(&read(&text.replace(line, "")), reason), "{line}");
        assert!(is_misformed(&read(&text.replace(line, &line.replace(['2', '3'], "0"))), "nonzero"), "{line}");
    }
    for stray in ["seeds = [1]\n", "strategy = \"point\"\n", "labels = [\"y\"]\n", "refused = [\"bfloat16\"]\n"] {
        let field = stray.split(' ').next().expect("a field");
        assert!(is_stray(&read(&format!("{text}{stray}")), field), "{stray}");
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
            assert!(is_misformed(&other, "unknown variant"), "{other:?}");
        }
    }
    let both = flaw(format!("{APPROXIMATION}{layers}\nstrategy = \"halved-penalties\"\n"));
    assert!(is_stray(&both, "strategy"), "{both:?}");
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
        (FUNCTIONS, "overflow = \"saturate\"", "overflow"),
        (FOREST, "overflow = \"saturate\"", "overflow"),
    ] {
        let refused = read(&format!("{text}{line}\n"));
        assert!(is_stray(&refused, field), "{line}: {refused:?}");
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

#[test]
fn errors_name_the_line_the_field_and_what_would_do() {
    let error = |text: String| read(&text).unwrap_err().to_string();
    let stray = error(format!("{FUNCTIONS}max-leaf = 3\n"));
    assert!(stray.starts_with("line 10: ") && stray.contains("does not have the field max-leaf"), "{stray}");
    let missing = error(FUNCTIONS.replace("strategy = \"point\"\n", ""));
    assert!(missing.contains("line 3") && missing.contains("missing field `strategy`"), "{missing}");
    let unknown = error(FUNCTIONS.replace("\"relu\"", "\"rely\""));
    assert!(unknown.contains("line 7") && unknown.contains("did you mean `relu`?"), "{unknown}");
    let kind = error(FUNCTIONS.replace("memorization", "memorisation"));
    assert!(kind.contains("line 3") && kind.contains("`memorization`"), "{kind}");
    let leaves = error(format!("{FUNCTIONS}max-leaves = 3\n"));
    assert!(leaves.contains("max-leaves limits the strategy tree"), "{leaves}");
}
