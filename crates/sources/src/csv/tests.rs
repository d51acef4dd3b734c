use proptest::prelude::*;
use roundproof_exact::text::exact_decimal;

use roundproof_format::Encoding;

use super::*;
use crate::table::Report;

const F: Format = Format::BFLOAT16;

fn read(text: &str, labels: &[&str], format: Format) -> Result<Table, CsvError> {
    let labels: Vec<String> = labels.iter().map(|label| label.to_string()).collect();
    parse_csv(Path::new("data.csv"), text.as_bytes(), &labels, format)
}

fn refused(text: &str, labels: &[&str]) -> String {
    read(text, labels, F).unwrap_err().to_string()
}

fn bits(column: &Encodings) -> Vec<u128> {
    column.iter().map(Encoding::bits).collect()
}

#[test]
fn columns_are_split_by_name_and_rounded() {
    let text = "a,class,b\n1, 2,3\n\n-0,0x1.8p1,\"0.5\"\r\n0.1,4,5\n";
    let data = read(text, &["class"], F).unwrap();
    assert_eq!(data.columns, Columns { inputs: vec!["a".into(), "b".into()], labels: vec!["class".into()] });
    assert_eq!((data.dataset.rows(), data.dataset.dimension(), data.dataset.outputs()), (3, 2, 1));
    assert_eq!(bits(data.dataset.inputs()), [0x3f80, 0x4040, 0x8000, 0x3f00, 0x3dcd, 0x40a0]);
    assert_eq!(bits(data.dataset.labels()), [0x4000, 0x4040, 0x4080]);
    assert_eq!(data.places.lines(), Some(&[2, 4, 5][..]));
    assert_eq!((data.report.inexact_inputs, data.report.inexact_labels), (1, 0));
    let worst = data.report.worst.unwrap();
    assert_eq!(
        (worst.place, worst.column.as_str(), worst.text.as_str(), worst.rounded.bits()),
        (Place::Line(5), "a", "0.1", 0x3dcd)
    );
    assert_eq!(roundproof_exact::text::approximate(&worst.relative_error), "9.7e-4");
}

#[test]
fn labels_come_in_the_order_asked_for_by_name_or_number() {
    let text = "\u{feff}a,b,\"c, d\",#1\n1,2,3,4\n";
    let data = read(text, &["#3", "a"], F).unwrap();
    assert_eq!(data.columns.labels, ["c, d", "a"]);
    assert_eq!(bits(data.dataset.labels()), [0x4040, 0x3f80]);
    // A column that is so named goes before a number.
    assert_eq!(read(text, &["#1"], F).unwrap().columns.labels, ["#1"]);
}

#[test]
fn rounding_is_once_and_from_the_exact_text() {
    // Just above a tie of binary32 that a binary64 in between would make a tie, and round down.
    let text = "x,y\n1.000000059604644775390625000000000000001,1\n";
    let data = read(text, &["y"], Format::BINARY32).unwrap();
    assert_eq!(data.dataset.input(0, 0).bits(), 0x3f80_0001);
    let data = read("x,y\n1.000000059604644775390625,1\n", &["y"], Format::BINARY32).unwrap();
    assert_eq!(data.dataset.input(0, 0).bits(), 0x3f80_0000);
}

#[test]
fn unbounded_formats_are_read() {
    let f = Format::unbounded(4).unwrap();
    let data = read("x,y\n1e300000,-3\n", &["y"], f).unwrap();
    assert_eq!(data.report.inexact_inputs, 1);
    for text in ["1e320000", "-1e-320000", "0x1p1048577"] {
        let error = read(&format!("x,y\n{text},0\n"), &["y"], f).unwrap_err();
        assert!(matches!(*error.problem, CsvProblem::Cell { problem: CellProblem::Unbounded { .. }, .. }), "{error}");
    }
    assert!(read("x,y\n0x1p1048576,0\n", &["y"], f).is_ok());
}

#[test]
fn what_is_no_table_is_refused() {
    assert!(refused("", &["y"]).starts_with("data.csv: is empty"));
    assert!(refused(" \n\n", &["y"]).starts_with("data.csv: is empty"));
    assert!(refused("x,y\n", &["y"]).contains("nothing below it"));
    assert!(refused("x,y\n\n  \n", &["y"]).contains("nothing below it"));
    assert!(refused("x,,y\n1,2,3\n", &["y"]).contains("column 2 has no name; name it in the header, or leave it out"));
    assert!(refused("x,y,x \n1,2,3\n", &["y"]).contains("columns 1 and 3 are both named `x`"));
    assert!(refused("x,y\n1,2\n1\n", &["y"]).contains("line 3 has 1 cells, the header 2"));
    assert!(refused("x,y\n1,2,\n", &["y"]).contains("line 2 has 3 cells"));
    assert!(refused("x,y\n\"4\"2,1\n", &["y"]).contains("line 2: text after a closing quote"));
    assert!(refused("x,y\n4\"2,1\n", &["y"]).contains("line 2: a quote within a cell"));
    assert!(refused("x,y\n1,2\n\"3,1\n4,5\n", &["y"]).contains("line 3: a quote that is never closed"));
    let error = parse_csv(Path::new("data.csv"), b"x,y\n1,\xff\n", &["y".to_string()], F).unwrap_err();
    assert_eq!(error.to_string(), "data.csv: line 2 is not UTF-8 text; save the file as UTF-8");
    let error = read_csv(Path::new("no/such.csv"), &["y".to_string()], F).unwrap_err();
    assert!(error.to_string().starts_with("no/such.csv: cannot be read: "), "{error}");
}

#[test]
fn labels_that_make_no_sense_are_refused() {
    let text = "length,class\n1,2\n";
    let error = refused(text, &["clas"]);
    assert!(
        error.contains("no column `clas`; did you mean `class`? (columns: `length`, `class`; #1 is the first)"),
        "{error}"
    );
    assert!(refused(text, &["Class"]).contains("did you mean `class`?"));
    assert!(!refused(text, &["zzz"]).contains("did you mean"));
    for number in ["#0", "#3", "#", "#-1", "#99999999999999999999"] {
        assert!(refused(text, &[number]).contains("has no column"), "{number}");
    }
    assert!(refused(text, &[]).contains("name at least one of `length`, `class`"));
    assert!(refused(text, &["class", "#2"]).contains("`class` was named as a label twice"));
    assert!(refused(text, &["class", "length"]).contains("at least one column must be left"));
    // Of many columns, the nearest names, the first and the last.
    let names: Vec<String> = (0..30).map(|column| format!("x{column}")).chain(["target".into()]).collect();
    let wide = format!("{}\n{}\n", names.join(","), vec!["1"; 31].join(","));
    let error = refused(&wide, &["Targets"]);
    assert!(error.contains("no column `Targets`; did you mean `target`? (columns: `x0`, `x1`"), "{error}");
    assert!(
        error.contains("`x29`, `target`: 31 columns in all; #1 is the first)") && !error.contains("`x15`"),
        "{error}"
    );
    let error = refused("petal width,petal length,y\n1,2,3\n", &["petal widht"]);
    assert!(error.contains("did you mean `petal width`"), "{error}");
}

#[test]
fn cells_that_give_no_value_name_line_column_and_value() {
    // A quoted line feed, CR LF and blank lines before the row do not mislead the count.
    let error = refused("\"x\ny\",b\r\n1,2\r\n\r\n3,setosa\r\n", &["b"]);
    assert!(error.starts_with("data.csv: line 5, column `b`: `setosa` is not a number; "), "{error}");
    let cell = |cell: &str| refused(&format!("x,y\n1,2\n1,{cell}\n"), &["y"]);
    assert!(cell("").contains("line 3, column `y`: the cell is empty"));
    assert!(cell(" ").contains("the cell is empty"));
    for text in ["nan", "NaN", "-inf", "Infinity"] {
        assert!(cell(text).contains(&format!("`{text}` is not finite")), "{text}");
    }
    for text in ["1e999999999", "-1e-999999999", "1e99999999999999999999", "0x1p99999999999"] {
        assert!(cell(text).contains("exponent beyond"), "{text}");
    }
    for text in ["NA", "?", "None", "null", "n/a"] {
        assert!(cell(text).contains(&format!("`{text}` says that the value is missing; fill it, or delete")), "{text}");
    }
    for text in ["0e99999999999999999999", "-0.00e-99999999999999999999", "0x0p99999999999999999999"] {
        let table = read(&format!("x,y\n{text},2\n"), &["y"], F).unwrap();
        assert_eq!(table.dataset.input(0, 0).bits() & 0x7fff, 0, "{text}");
    }
    for text in ["1.2.3", "1_000", "\"1,5\"", "0x", ".", "1e", "--1", "１", "1 2"] {
        assert!(cell(text).contains("is not a number"), "{text}");
    }
}

#[test]
fn the_end_of_the_range_is_where_rounding_puts_it() {
    let f = Format::FLOAT8_E4M3FN;
    let of = |text: &str| read(&format!("x,y\n{text},0\n"), &["y"], f);
    assert_eq!(of("463.9").unwrap().dataset.input(0, 0).bits(), 0x7e);
    let error = of("-1000").unwrap_err().to_string();
    assert!(error.contains("`-1000` is out of range: the largest value of float8_e4m3fn is 448; rescale"), "{error}");
    let error = read("x,y\n1e39,0\n", &["y"], Format::BINARY32).unwrap_err().to_string();
    assert!(error.contains("the largest value of binary32 is 340282346638528859811704183484516925440"), "{error}");
}

#[test]
fn the_data_in_this_repository_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    for (name, rows, inputs) in [("iris", 150, 4), ("wine", 178, 13), ("digits", 1797, 64)] {
        let path = folder.join(format!("{name}.csv"));
        let data = read_csv(&path, &["class".to_string()], F).unwrap().value;
        assert_eq!((data.dataset.rows(), data.dataset.dimension(), data.dataset.outputs()), (rows, inputs, 1));
        assert_eq!(data.report.inexact_labels, 0);
        assert_eq!(data.report.worst.is_none(), name == "digits");
    }
}

fn choose(text: &str, choice: &Choice) -> Result<Inputs, String> {
    parse(text.as_bytes(), choice, false, F, &mut |_, _| {}).map_err(|error| error.to_string())
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

#[test]
fn inputs_are_chosen_in_an_order_and_others_dropped() {
    let text = "a,b,c,y\n1,2,3,4\n5,6,7,8\n";
    let choice = Choice { labels: strings(&["y"]), inputs: strings(&["c", "#1"]), ..Choice::default() };
    let table = choose(text, &choice).unwrap();
    assert_eq!((table.columns.inputs, table.columns.labels), (strings(&["c", "a"]), strings(&["y"])));
    assert_eq!(bits(&table.inputs), [0x4040, 0x3f80, 0x40e0, 0x40a0]);
    let table = choose(text, &Choice { drop: strings(&["b", "y"]), ..Choice::default() }).unwrap();
    assert_eq!((table.columns.inputs, table.labels.len()), (strings(&["a", "c"]), 0));
    let error = |labels: &[&str], inputs: &[&str], drop: &[&str]| {
        let [labels, inputs, drop] = [labels, inputs, drop].map(strings);
        choose(text, &Choice { labels, inputs, drop, no_header: false }).unwrap_err()
    };
    assert!(error(&["y"], &["y"], &[]).contains("column `y` was named as a label and as an input; name it once"));
    assert!(error(&[], &["a"], &["#1"]).contains("column `a` was named to be dropped and as an input"));
    assert!(error(&[], &["a", "a"], &[]).contains("column `a` was named as an input twice"));
    assert!(error(&[], &["d"], &[]).contains("no column `d`"));
    assert!(error(&["y"], &[], &["a", "b", "c"]).contains("at least one column must be left as an input"));
    // An unnamed column is in nobody's way if it is dropped.
    assert!(choose(",a,y\n0,1,2\n", &Choice { drop: strings(&["#1"]), ..Choice::default() }).is_ok());
    assert!(choose(",a,y\n0,1,2\n", &Choice::default()).unwrap_err().contains("leave it out with --drop '#1'"));
}

#[test]
fn a_table_without_a_header_keeps_its_first_row() {
    let text = "\n1,2\n3,4\n";
    let table = read(text, &["#2"], F).unwrap();
    assert_eq!((table.dataset.rows(), &table.remarks[..]), (1, &[Remark::NumericHeader][..]));
    let choice = Choice { labels: strings(&["#2"]), no_header: true, ..Choice::default() };
    let table = choose(text, &choice).unwrap();
    assert_eq!((bits(&table.inputs), bits(&table.labels)), (vec![0x3f80, 0x4040], vec![0x4000, 0x4080]));
    assert_eq!((table.columns.inputs, table.remarks), (strings(&["#1"]), vec![]));
    assert_eq!(table.places.lines(), Some(&[2, 3][..]));
    assert_eq!(read("x,2\n3,4\n", &["#2"], F).unwrap().remarks, []);
}

#[test]
fn other_separators_are_told_by_the_header() {
    for separator in [';', '\t', '|'] {
        let text = "a,\"b,c\",y\n1,2,3\n4,\"5\",6\n";
        let expected = read(text, &["y"], F).unwrap();
        let other = read(&text.replace("\"b,c\"", "b").replace(',', &separator.to_string()), &["y"], F).unwrap();
        assert_eq!((&other.dataset, &other.remarks[..]), (&expected.dataset, &[Remark::Separator { separator }][..]));
    }
    assert!(refused("a;y\n1,5;2\n", &["y"]).contains("line 2, column `a`: `1,5` is not a number"));
    assert!(refused("a;y\n1;2;3\n", &["y"]).contains("line 2 has 3 cells, the header 2"));
}

#[test]
fn names_of_classes_are_numbered_in_alphabetical_order() {
    let text = "x,kind\n1,setosa\n2, virginica\n3,\"setosa\"\n4,a;b\n";
    let table = read(text, &["kind"], F).unwrap();
    assert_eq!(bits(table.dataset.labels()), [0x3f80, 0x4000, 0x3f80, 0]);
    let classes = Remark::Classes { column: "kind".to_string(), names: strings(&["a;b", "setosa", "virginica"]) };
    assert_eq!(classes.to_string(), "the names in `kind` were numbered: 0 = a;b, 1 = setosa, 2 = virginica");
    assert_eq!(table.remarks, [classes]);
    let refuse = |cell: &str| refused(&format!("x,kind\n1,setosa\n2,{cell}\n"), &["kind"]);
    assert!(refuse("7").contains("line 3, column `kind`: `7` is a number, and other labels in this column are names"));
    assert!(refuse("true").contains("`true` is a number"));
    assert!(refuse("").contains("line 3, column `kind`: the cell is empty"));
    assert!(refuse("NA").contains("`NA` says that the value is missing"));
    assert!(refuse("nan").contains("`nan` is not finite"));
    assert!(refused("x,kind\n1,7\n2,setosa\n", &["kind"]).contains("line 3, column `kind`: `setosa` is not a number"));
    // An input of names is none.
    assert!(refused("x,kind\nsetosa,1\n", &["kind"]).contains("line 2, column `x`: `setosa` is not a number"));
    // Each its own number of the format, or none.
    let rows: String = (0..10).map(|row| format!("{row},c{row}\n")).collect();
    let few = format!("x,kind\n{}", rows.lines().take(4).map(|row| format!("{row}\n")).collect::<String>());
    assert!(read(&few, &["kind"], Format::FLOAT4_E2M1FN).is_ok());
    let error = read(&format!("x,kind\n{}", rows.replace(['7', '8', '9'], "1")), &["kind"], Format::FLOAT4_E2M1FN);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("`kind` has 7 different names, and float4_e2m1fn does not have every whole number below 7"),
        "{error}"
    );
    let many: String = (0..65_538).map(|row| format!("1,c{row}\n")).collect();
    assert!(refused(&format!("x,kind\n{many}"), &["kind"]).contains("has more than 65536 different names"));
}

#[test]
fn truth_values_are_0_and_1_and_said() {
    let table = read("x,y\ntrue,False\n0.5,TRUE\n", &["y"], F).unwrap();
    assert_eq!((bits(table.dataset.inputs()), bits(table.dataset.labels())), (vec![0x3f80, 0x3f00], vec![0, 0x3f80]));
    assert_eq!(table.remarks, ["x", "y"].map(|column| Remark::Booleans { column: column.to_string() }));
}

#[test]
fn an_index_of_pandas_is_remarked() {
    let remarks = |text: &str| read(text, &["y"], F).unwrap().remarks;
    let told = |column: &str| vec![Remark::RowNumbers { column: column.to_string() }];
    assert_eq!(remarks("Unnamed: 0,x,y\n0,5,1\n1,5,2\n"), told("Unnamed: 0"));
    assert_eq!(remarks("x,index,y\n5,1,1\n5,2,2\n"), told("index"));
    assert_eq!(remarks("index,x,y\n0,5,1\n2,5,2\n"), []);
    // Inputs of other names may well be 0, 1, 2, and a lone input is meant.
    assert_eq!(remarks("x,z,y\n0,5,1\n1,5,2\n"), []);
    assert_eq!(remarks("index,y\n0,1\n1,2\n"), []);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse_csv(Path::new("x"), &bytes, &["#1".to_string()], F);
    }

    #[test]
    fn no_text_of_cells_panics(text in "[ab,\"\r\n0-9.eExp+;\t#-]{0,48}", unbounded in any::<bool>()) {
        let format = if unbounded { Format::unbounded(3).unwrap() } else { Format::FLOAT8_E5M2 };
        let _ = read(&text, &["#2"], format);
        let _ = read(&format!("a,b\n{text}"), &["b"], format);
    }

    #[test]
    fn values_written_exactly_are_read_back(values in proptest::collection::vec(0u128..0x7c00, 1..20)) {
        let f = Format::BINARY16;
        let cell = |&bits: &u128| exact_decimal(f, Encoding::from_bits(bits));
        let rows: Vec<String> = values.iter().map(|value| format!("{},1", cell(value))).collect();
        let data = read(&format!("x,y\n{}", rows.join("\n")), &["y"], f).unwrap();
        prop_assert_eq!(bits(data.dataset.inputs()), values);
        prop_assert_eq!(data.report, Report::default());
    }
}
