//! Tables that were made up, in each notation: proved, the same, and refused with a remedy.

use std::fs;

use serde_json::Value;

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
