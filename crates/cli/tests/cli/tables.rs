//! Tables that were made up, in each notation: proved, the same, and refused with a remedy.

use std::fs;

use serde_json::{Value, json};

use crate::common::Folder;

#[test]
fn what_is_made_up_is_proved() {
    let folder = Folder::new();
    for kind in ["clusters", "random-labels", "one-ulp", "subnormals", "extremes"] {
        for format in ["bfloat16", "float8_e5m2", "binary64"] {
            for name in ["t.csv", "t.npz", "t.npy"] {
                let options = format!("--rows 60 --dimension 5 --classes 3 --format {format} --kind {kind} --json");
                let run = folder.expect(0, &format!("generate {options} --out {name}"));
                let report: Value = serde_json::from_str(&run.stdout).unwrap();
                assert_eq!((&report["rows"], &report["kind"]), (&60.into(), &kind.into()));
                let label = if name == "t.npy" { "#6" } else { "label" };
                let run = folder.expect(0, &format!("prove {name} -l {label} -f {format} --out out --json"));
                let report: Value = serde_json::from_str(&run.stdout).unwrap();
                assert_eq!(report["verdict"], "Proved", "{kind} {format} {name}");
                assert_eq!(report["rounding"]["inexact_inputs"], 0, "{kind} {format} {name}: written exactly");
            }
            // The same rows, whatever the notation.
            let sets = ["t.csv -l label", "t.npz -l label", "t.npy -l #6"].map(|table| {
                folder.expect(0, &format!("prove {table} -f {format} --out out"));
                let run = folder.expect(0, "run out/network.safetensors out/dataset.safetensors --output-format json");
                run.stdout
            });
            assert!(sets[0] == sets[1] && sets[1] == sets[2], "{kind} {format}");
        }
    }
}

#[test]
fn a_table_of_arrays_is_run_and_told_by_its_rows() {
    let folder = Folder::new();
    folder.expect(0, "generate -r 20 -d 3 -c 2 -f bfloat16 -o t.npz");
    folder.expect(0, "prove t.npz -l label -f bfloat16 --out out");
    folder.expect(0, "check out/certificate.json");
    let run = folder.expect(0, "run out/network.safetensors t.npz -l label --rows 3..5");
    assert!(run.stderr.contains("2 of 2 rows give their labels"), "{run:?}");
    // Without an end that says what it is.
    fs::copy(folder.path("t.npz"), folder.path("table")).unwrap();
    folder.expect(0, "run out/network.safetensors table -l label");
    // Two rows that a narrow format takes for one are named by their numbers.
    folder.expect(0, "generate -k one-ulp -r 2 -d 1 -c 2 -f binary32 -o pair.npy");
    let run = folder.expect(2, "prove pair.npy -l #2 -f bfloat16");
    assert!(run.stderr.starts_with("error: pair.npy: row 0 and row 1 have the same inputs in bfloat16"), "{run:?}");
    let run = folder.expect(2, "prove t.npz -l labl -f bfloat16");
    assert!(run.stderr.starts_with("error: t.npz: has no column `labl`; did you mean `label`?"), "{run:?}");
}

#[test]
fn the_same_options_give_the_same_file_whatever_the_threads() {
    let folder = Folder::new();
    for name in ["a.csv", "a.npy", "a.npz"] {
        let options = "generate -r 50 -d 4 -f float8_e4m3 -k random-labels -c 5 --out";
        folder.expect(0, &format!("{options} {name}"));
        folder.expect(0, &format!("{options} again-{name} --threads 1"));
        assert_eq!(folder.read(name), folder.read(&format!("again-{name}")));
        folder.expect(0, &format!("{options} {name} --seed 4"));
        assert_ne!(folder.read(name), folder.read(&format!("again-{name}")));
    }
    assert_eq!(folder.files().len(), 6, "nothing else is left");
}

#[test]
fn what_cannot_be_made_up_is_refused_and_leaves_nothing() {
    let folder = Folder::new();
    let refused = |options: &str| folder.expect(2, &format!("generate {options}")).stderr;
    assert!(refused("-r 9 -d 1 -f bfloat16 -o t.txt").contains("name the file so"));
    assert!(refused("-r 9 -d 1 -f bfloat16 -o no/t.csv").contains("cannot be written"));
    assert!(refused("-r 9 -d 1 -f binary128 -k extremes -o t.npy").contains("write a .csv"));
    let message = refused("-r 9 -d 1 -c 2 -f float4_e2m1fn -o t.csv");
    assert_eq!(message, "error: 9 rows are asked for, and 5 different ones fit; take more inputs, or fewer rows\n");
    assert!(refused("-r 9 -d 9 -c 18 -f float8_e4m3 -o t.csv").contains("integers from 0 to 16"));
    assert!(refused("-r 9 -d 9 -c 1 -k one-ulp -f bfloat16 -o t.csv").contains("two classes"));
    assert!(refused("-r 9 -d 9 -k subnormals -f F(8) -o t.csv").contains("no subnormal"));
    assert!(refused("-r 99999999999999 -d 9 -f bfloat16 -o t.csv").contains("of memory, and"));
    for sizes in ["-d 9223372036854775807", "-d 18446744073709551615", "-d 9 -c 9223372036854775807"] {
        assert!(refused(&format!("-r 9 {sizes} -f bfloat16 -o t.npy")).contains("take fewer inputs or classes"));
    }
    assert!(folder.files().is_empty());
}

#[test]
fn a_table_larger_than_memory_is_refused_before_it_is_read() {
    let folder = Folder::new();
    // A header of a petabyte, and no element: the header alone is read.
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776, 1024), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    folder.write("large.npy", bytes);
    let run = folder.expect(2, "prove large.npy -l #1 -f bfloat16");
    assert!(run.stderr.starts_with("error: large.npy: needs about 2097152.1 GiB of memory, and "), "{run:?}");
    assert!(run.stderr.contains("take a narrower format, or fewer rows"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_no_part_of_a_table() {
    use std::process::{Command, Stdio};
    use std::thread::sleep;
    use std::time::Duration;
    let folder = Folder::new();
    let mut child = crate::common::program()
        .args("generate -r 10000000 -d 784 -f bfloat16 -o t.csv".split(' '))
        .current_dir(folder.path("."))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while folder.files().is_empty() {
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(200));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(folder.files().is_empty());
}

#[test]
fn rows_without_labels_are_computed() {
    let folder = Folder::new();
    folder.write("t.csv", "a,b,y\n0,0.25,1\n0,0.3,-2\n");
    folder.expect(0, "prove t.csv -l y -f binary32 --out out");
    folder.write("rows.csv", "a,b\n0,0.25\n0,0.3\n7,7\n");
    let run = folder.expect(0, "run out/network.safetensors rows.csv");
    assert!(run.stdout.starts_with("row  line  output_0\n0    2     1\n1    3     -2\n"), "{run:?}");
    assert!(!run.stderr.contains("give their labels"), "{run:?}");
    let run = folder.expect(0, "run out/network.safetensors rows.csv --output-format csv");
    assert_eq!(run.stdout, "row,output_0\n0,1\n1,-2\n2,0\n");
    let run = folder.expect(0, "run out/network.safetensors rows.csv --output-format json");
    let rows: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(rows[0].get("labels").is_none() && rows[0].get("equal").is_none(), "{run:?}");
    // Columns in another order, and one too many.
    folder.write("more.csv", "id,b,a\n9,0.25,0\n9,0.3,0\n");
    let run = folder.expect(0, "run out/network.safetensors more.csv --inputs a,b --output-format csv");
    assert_eq!(run.stdout, "row,output_0\n0,1\n1,-2\n");
    let run = folder.expect(2, "run out/network.safetensors more.csv");
    assert!(run.stderr.contains("the column `id` is not an input of the network; leave it out with --drop"), "{run:?}");
    folder.write("wide.csv", "9,0.25,0\n");
    let run = folder.expect(2, "run out/network.safetensors wide.csv --no-header");
    assert!(run.stderr.contains("has 3 input columns and no label column"), "{run:?}");
    assert!(run.stderr.contains("choose columns with --inputs or --drop"), "{run:?}");
    let run = folder.expect(2, "run out/network.safetensors out/dataset.safetensors --drop a");
    assert!(run.stderr.contains("this data set has its columns already"), "{run:?}");
}

#[test]
fn a_csv_of_values_is_all_in_decimal_or_all_in_hexadecimal() {
    let folder = Folder::new();
    folder.write("t.csv", "x,y\n1,0x1p-1074\n2,0x1p1000\n3,-0.1\n4,0\n");
    folder.expect(0, "prove t.csv -l y -f binary64 --out out");
    let column = |options: &str| {
        let run =
            folder.expect(0, &format!("run out/network.safetensors t.csv --inputs x {options} --output-format csv"));
        run.stdout.lines().skip(1).map(|line| line.split_once(',').unwrap().1.to_string()).collect::<Vec<String>>()
    };
    let [tiny, huge, tenth, zero] = &column("")[..] else { panic!() };
    assert!(
        tiny.starts_with("4.94065645841246544176568792868221372365059802614324764425585682") && tiny.ends_with("e-324")
    );
    assert!(
        huge.starts_with("1.07150860718626732094842504906000181056140481170553360744375038") && huge.ends_with("e301")
    );
    assert_eq!((tenth.as_str(), zero.as_str()), ("-1.000000000000000055511151231257827021181583404541015625e-1", "0"));
    assert_eq!(column("--hex"), ["0x1p-1074", "0x1p1000", "-0x1.999999999999ap-4", "0"]);
    // What is printed is what is meant.
    for (text, hex) in column("").iter().zip(column("--hex")) {
        assert_eq!(text.parse::<f64>().unwrap(), roundproof_exact::parse_number(&hex).unwrap().value().to_f64());
    }
}

#[test]
fn what_was_decided_about_a_table_is_said_and_kept() {
    let folder = Folder::new();
    folder.write("t.csv", "1,2\n3,4\n");
    let run = folder.expect(0, "prove t.csv -l #2 -f binary32");
    assert!(run.stdout.contains("every name in the header is a number; if the first line is a row of data"), "{run:?}");
    let report = folder.expect_json(0, "prove t.csv -l #2 -f binary32 --no-header");
    assert_eq!((&report["claim"]["shape"]["rows"], &report["remarks"]), (&2.into(), &json!([])));
    folder.write("named.csv", "x;kind\n1;setosa\n2;versicolor\n3;setosa\n");
    let report = folder.expect_json(0, "prove named.csv -l kind -f bfloat16 --out out");
    let remarks: Vec<&str> =
        report["remarks"].as_array().unwrap().iter().map(|remark| remark.as_str().unwrap()).collect();
    let told = ["the columns are separated by ';'", "the names in `kind` were numbered: 0 = setosa, 1 = versicolor"];
    assert_eq!(remarks, told);
    let files = ["network.safetensors", "dataset.safetensors", "classes.json", "certificate.json"];
    assert_eq!(report["files"], serde_json::json!(files.map(|name| format!("out/{name}"))));
    assert_eq!(folder.json("out/classes.json"), serde_json::json!({"kind": ["setosa", "versicolor"]}));
    folder.expect(0, "check out/certificate.json");
    let run = folder.expect(0, "run out/network.safetensors named.csv -l kind");
    assert!(run.stderr.contains("3 of 3 rows give their labels"), "{run:?}");
}

#[test]
fn identical_rows_with_different_labels_are_told_as_that() {
    let folder = Folder::new();
    folder.write("t.csv", "x,y\n1,2\n0.10,3\n0.1,4\n");
    let run = folder.expect(2, "prove t.csv -l y -f bfloat16");
    let told = "line 3 and line 4 are the same inputs with different labels: `y` is 3 in line 3 and 4 in line 4, and no network \
                can give both, in any format. Delete one of the rows";
    assert!(run.stderr.contains(told), "{run:?}");
    folder.write("t.csv", "x,y\n1,2\n0.1,3\n0.1000001,4\n");
    let run = folder.expect(2, "prove t.csv -l y -f bfloat16");
    assert!(run.stderr.contains("Take a format with more precision"), "{run:?}");
}

/// Where a network and a table have names, a column is the input of its name, wherever it stands.
#[test]
fn columns_are_inputs_by_their_names() {
    let folder = Folder::new();
    folder.write("data.csv", "a,b,y\n1,2,3\n4,5,6\n");
    folder.expect(0, "prove data.csv -l y -f bfloat16 --out out");
    let network = "run out/network.safetensors";
    let outputs = |arguments: &str| folder.expect(0, &format!("{network} {arguments} --output-format csv")).stdout;
    let right = outputs("data.csv -l y");
    folder.write("swapped.csv", "y,b,a\n3,2,1\n6,5,4\n");
    assert_eq!(outputs("swapped.csv -l y"), right);
    folder.write("unlabelled.csv", "b,a\n2,1\n5,4\n");
    assert_eq!(outputs("unlabelled.csv"), "row,output_0\n0,3\n1,6\n");
    // Whoever says which columns are meant is believed, and a table without names is read in its order.
    assert_eq!(outputs("unlabelled.csv --inputs b,a"), "row,output_0\n0,0\n1,0\n");
    folder.write("plain.csv", "1,2\n4,5\n");
    assert_eq!(outputs("plain.csv --no-header"), "row,output_0\n0,3\n1,6\n");
    folder.write("other.csv", "a,c\n1,2\n");
    let run = folder.expect(2, &format!("{network} other.csv"));
    assert_eq!(
        run.stderr,
        "error: other.csv: has no column `b`, which is an input of the network; name the columns as in out/network.safetensors, or \
         give them in the order of the network's inputs with --inputs\n"
    );
    let run = folder.expect(2, &format!("{network} data.csv"));
    let told =
        "data.csv: the column `y` is not an input of the network; leave it out with --drop, or name it with --label\n";
    assert_eq!(run.stderr, format!("error: {told}"));
    // Another data set in the same format is not one for this network, unless its inputs are.
    folder.write("renamed.csv", "b,a,y\n1,2,3\n4,5,6\n");
    folder.expect(0, "prove renamed.csv -l y -f bfloat16 --out renamed");
    let run = folder.expect(2, &format!("{network} renamed/dataset.safetensors"));
    assert_eq!(
        run.stderr,
        "error: renamed/dataset.safetensors: has the input `b` where out/network.safetensors has `a`: it is a data set for another \
         network\n"
    );
}

/// A class has the number that it had when the network was made, whichever classes the table at hand has.
#[test]
fn names_of_classes_keep_their_numbers() {
    let folder = Folder::new();
    folder.write("t.csv", "x,kind\n1,high\n2,low\n3,medium\n");
    folder.expect(0, "prove t.csv -l kind -f bfloat16 --out out");
    folder.write("part.csv", "x,kind\n2,low\n3,medium\n");
    let run = folder.expect(0, "run out/network.safetensors part.csv -l kind");
    assert!(run.stderr.contains("2 of 2 rows give their labels"), "{run:?}");
    assert!(run.stderr.contains("0 = high, 1 = low, 2 = medium"), "{run:?}");
    folder.write("other.csv", "x,kind\n2,low\n3,unheard of\n");
    let run = folder.expect(2, "run out/network.safetensors other.csv -l kind");
    let told = "error: other.csv: line 3, column `kind`: `unheard of` is not a class of out/classes.json, which has `high`, `low`, \
                `medium`\n";
    assert_eq!(run.stderr, told);
    fs::rename(folder.path("out/classes.json"), folder.path("kept.json")).unwrap();
    let run = folder.expect(2, "run out/network.safetensors part.csv -l kind");
    assert!(run.stderr.contains("name that file with --classes, or number the labels"), "{run:?}");
    let run = folder.expect(0, "run out/network.safetensors part.csv -l kind --classes kept.json");
    assert!(run.stderr.contains("2 of 2 rows give their labels"), "{run:?}");
    folder.write("kept.json", "[1, 2");
    let run = folder.expect(2, "run out/network.safetensors part.csv -l kind --classes kept.json");
    assert!(run.stderr.contains("kept.json: is not a list of names for each label column"), "{run:?}");
}
