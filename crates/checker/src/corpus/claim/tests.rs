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
