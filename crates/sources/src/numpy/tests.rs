use std::path::{Path, PathBuf};

use proptest::prelude::*;
use roundproof_exact::text::exact_decimal;
use roundproof_format::Encoding;

use super::*;
use crate::csv::read_csv;
use crate::table::{Remark, memory_needed, read_inputs, read_table};

const F: Format = Format::BFLOAT16;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/numpy").join(name)
}

fn strings(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|label| label.to_string()).collect()
}

fn read(name: &str, labels: &[&str], format: Format) -> Result<Table, String> {
    let read = read_table(&fixture(name), &Choice::of_labels(&strings(labels)), format, &mut |_, _| {});
    read.map(|stored| stored.value)
        .map_err(|error| error.to_string().split_once(&format!("{name}: ")).unwrap().1.to_string())
}

fn array(bytes: &[u8]) -> Result<Table, NumpyProblem> {
    parse_array(bytes, &Choice::of_labels(&strings(&["#1"])), F)
}

fn archive(bytes: &[u8]) -> Result<Table, NumpyProblem> {
    parse_archive(bytes, &Choice::of_labels(&strings(&["#1"])), F)
}

fn values(column: &Encodings, format: Format) -> Vec<String> {
    column.iter().map(|value| exact_decimal(format, value)).collect()
}

#[test]
fn every_type_in_every_byte_order_gives_its_values() {
    let mut names = vec!["fortran".to_string()];
    for dtype in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"] {
        names.push(format!("{dtype}.little"));
        names.extend((!dtype.ends_with('1')).then(|| format!("{dtype}.big")));
    }
    for name in names {
        let table = read(&format!("{name}.npy"), &["#3"], F).unwrap();
        assert_eq!(table.columns, Columns { inputs: strings(&["#1", "#2"]), labels: strings(&["#3"]) });
        assert_eq!(values(table.dataset.inputs(), F), ["0", "1", "3", "4", "6", "7", "9", "10"], "{name}");
        assert_eq!(values(table.dataset.labels(), F), ["2", "5", "8", "11"], "{name}");
        assert_eq!(table.report, crate::table::Report::default());
    }
    let table = read("bool.npy", &["#1"], F).unwrap();
    assert_eq!(values(table.dataset.inputs(), F), ["0", "1", "1", "0", "0", "1", "1", "0"]);
}

#[test]
fn extreme_integers_and_fractions_are_exact() {
    let f = Format::BINARY128;
    let table = read("extremes.i8.npy", &["#2"], f).unwrap();
    assert_eq!(values(table.dataset.inputs(), f), ["-9223372036854775808", "9223372036854775807"]);
    let table = read("extremes.u8.npy", &["#2"], f).unwrap();
    assert_eq!(values(table.dataset.inputs(), f), ["18446744073709551615", "0"]);
    let table = read("fractions.f2.npy", &["#2"], f).unwrap();
    assert_eq!(values(table.dataset.inputs(), f), ["0.0999755859375", "-0", "0.000000059604644775390625"]);
    let table = read("fractions.f4.npy", &["#2"], Format::BINARY32).unwrap();
    let bits = |column: &Encodings| column.iter().map(Encoding::bits).collect::<Vec<u128>>();
    assert_eq!(bits(table.dataset.inputs()), [0x3dcc_cccd, 0x8000_0000, 1]);
    let table = read("fractions.f8.npy", &["#2"], Format::BINARY64).unwrap();
    assert_eq!(bits(table.dataset.inputs()), [0x3fb9_9999_9999_999a, 1 << 63, 0x3bc7_9ca1_0c92_4223]);
    assert_eq!(table.report, crate::table::Report::default());
}

#[test]
fn an_archive_is_the_table_that_a_csv_of_its_values_is() {
    for format in [F, Format::BINARY32, Format::FLOAT8_E4M3, Format::unbounded(5).unwrap()] {
        for labels in [&["label"][..], &["#5"], &["weight", "x[1]"]] {
            let csv = read_csv(&fixture("table.csv"), &strings(labels), format).unwrap().value;
            for name in ["table.npz", "compressed.npz"] {
                let table = read(name, labels, format).unwrap();
                assert_eq!((&table.dataset, &table.columns), (&csv.dataset, &csv.columns));
                assert_eq!(table.places, Places::Rows(vec![0, 1, 2, 3]));
                assert_eq!(table.report.inexact_inputs, csv.report.inexact_inputs);
                let error = |table: &Table| table.report.worst.as_ref().map(|worst| worst.relative_error.clone());
                assert_eq!(error(&table), error(&csv));
            }
        }
    }
    let table = read("table.npz", &["x"], F).unwrap();
    assert_eq!(table.columns.labels, ["x[0]", "x[1]", "x[2]"]);
    assert!(read("table.npz", &["x", "x[1]"], F).unwrap_err().contains("`x[1]` was named as a label twice"));
    assert!(read("table.npz", &["lable"], F).unwrap_err().contains("did you mean `label`?"));
}

#[test]
fn what_is_refused_is_named_with_a_remedy() {
    let refused = |name: &str| read(name, &["#1"], F).unwrap_err();
    assert!(refused("complex.npy").contains("complex numbers (dtype <c8); save .real"));
    assert!(refused("strings.npy").contains("strings (dtype <U2); number the categories"));
    assert!(refused("bytes.npy").contains("strings (dtype |S2)"));
    assert!(refused("objects.npy").contains("pickled objects, which are never loaded (dtype |O); use .astype"));
    assert!(refused("dates.npy").contains("dates or times (dtype <M8[D])"));
    assert!(refused("records.npy").contains("records of several fields (dtype [("));
    assert!(refused("scalar.npy").contains("is a single number, without rows; use .reshape(1, 1)"));
    assert!(refused("empty.npy").contains("has the shape [0, 3]"));
    assert!(refused("one_dimension.npy").contains("every column is a label"));
    assert!(refused("ragged.npz").contains("array `x` has 4 rows, array `label` has 3"));
    assert_eq!(
        read("not_finite.npy", &["#2"], F).unwrap_err(),
        "row 1, column `#1`: `nan` is not finite; data must be: delete the row, or put a number there"
    );
    let error = read("extremes.u8.npy", &["#2"], Format::BINARY16).unwrap_err();
    assert!(
        error.starts_with("row 0, column `#1`: `18446744073709551615` is out of range: the largest value of binary16")
    );
}

fn chosen(name: &str, labels: &[&str], inputs: &[&str], drop: &[&str]) -> Result<Inputs, String> {
    let [labels, inputs, drop] = [labels, inputs, drop].map(strings);
    let choice = Choice { labels, inputs, drop, no_header: false };
    let read = read_inputs(&fixture(name), &choice, F, &mut |_, _| {});
    read.map(|stored| stored.value)
        .map_err(|error| error.to_string().split_once(&format!("{name}: ")).unwrap().1.to_string())
}

#[test]
fn encodings_of_types_that_numpy_does_not_know_are_read_in_their_format() {
    for name in ["bfloat16", "float8_e5m2", "float8_e4m3fn", "float4_e2m1fn"] {
        let format: Format = name.parse().unwrap();
        let file = format!("{name}.npy");
        let table = read(&file, &["#3"], format).unwrap();
        let least = if name == "float4_e2m1fn" { "0" } else { "0.125" };
        assert_eq!(values(table.dataset.inputs(), format), ["0.5", "-2", "3", "-0", least, "1.5"], "{name}");
        assert_eq!(values(table.dataset.labels(), format), ["1", "0", "1"]);
        assert_eq!(table.report, crate::table::Report::default());
        for other in [Format::BINARY16, Format::BINARY32, Format::unbounded(3).unwrap()] {
            let error = read(&file, &["#3"], other).unwrap_err();
            assert!(error.contains("as which bfloat16 and other types from outside NumPy are saved"), "{error}");
            assert!(error.contains(&format!("not with {other}: take it, or .astype(numpy.float32)")), "{error}");
        }
    }
    let named =
        array(&with_header("{'descr': 'bfloat16', 'fortran_order': False, 'shape': (1, 2)}", &[0x80, 0x3f, 0, 0x40]));
    assert_eq!(values(named.unwrap().dataset.inputs(), F), ["2"]);
    // A byte means what the format asked for makes of it; one with more bits than the format has means nothing.
    let error = read("float8_e5m2.npy", &["#3"], Format::FLOAT4_E2M1FN).unwrap_err();
    assert!(error.contains("row 0, column `#1`: the byte is not a value of the array's type"), "{error}");
    let error = read("float8_e5m2.infinite.npy", &["#2"], Format::FLOAT8_E5M2).unwrap_err();
    assert!(error.contains("row 0, column `#1`: `inf` is not finite"), "{error}");
}

#[test]
fn rows_of_more_dimensions_are_laid_out_and_that_is_said() {
    for name in ["three_dimensions.npy", "three_dimensions.fortran.npy"] {
        let table = read(name, &["#6"], F).unwrap();
        assert_eq!(values(table.dataset.inputs(), F), ["0", "1", "2", "3", "4", "6", "7", "8", "9", "10"], "{name}");
        assert_eq!(values(table.dataset.labels(), F), ["5", "11"]);
        assert_eq!(table.remarks, [Remark::Flattened { array: String::new(), shape: vec![2, 2, 3] }]);
        assert!(table.remarks[0].to_string().contains("each row was laid out as 6 columns, the last index fastest"));
    }
}

#[test]
fn arrays_that_are_not_asked_for_may_be_of_any_kind() {
    // Without a choice, what cannot be an input is told.
    assert!(chosen("others.npz", &["label"], &[], &[]).unwrap_err().contains("array `names` holds strings"));
    let table = chosen("others.npz", &["label"], &["x"], &[]).unwrap();
    assert_eq!((table.columns.inputs, table.columns.labels), (strings(&["x[0]", "x[1]", "x[2]"]), strings(&["label"])));
    let table = chosen("others.npz", &["label"], &["x[2]", "images"], &[]).unwrap();
    assert_eq!(table.columns.inputs, strings(&["x[2]", "images[0]", "images[1]", "images[2]"]));
    assert_eq!(table.remarks, [Remark::Flattened { array: "images".to_string(), shape: vec![4, 1, 3] }]);
    let table = chosen("others.npz", &[], &[], &["names", "one", "more", "images", "label"]).unwrap();
    assert_eq!((table.columns.inputs.len(), table.labels.len()), (3, 0));
    let error = chosen("others.npz", &["label"], &["x", "more"], &[]).unwrap_err();
    assert!(error.contains("array `label` has 4 rows, array `more` has 2") && error.contains("--drop"), "{error}");
    for array in ["names", "one"] {
        let error = chosen("others.npz", &["label"], &[array], &[]).unwrap_err();
        assert!(error.contains(&format!("array `{array}` ")), "{error}");
    }
    assert!(chosen("others.npz", &["label"], &["z"], &[]).unwrap_err().contains("has no column `z`"));
}

#[test]
fn headers_are_those_of_numpy_and_of_its_peers() {
    for (name, dtype, shape) in [
        ("u1.little.npy", Dtype::U8, &[4, 3][..]),
        ("f2.little.npy", Dtype::F16, &[4, 3]),
        ("f4.little.npy", Dtype::F32, &[4, 3]),
        ("one_dimension.npy", Dtype::F64, &[4]),
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let header = header(dtype, shape);
        assert!(bytes.starts_with(&header), "{name}");
        let peer = npyz::NpyHeader::from_reader(&bytes[..]).unwrap();
        assert_eq!(peer.shape(), shape.iter().map(|&length| length as u64).collect::<Vec<u64>>());
        assert_eq!(peer.dtype().descr(), format!("'{dtype}'"));
    }
}

#[test]
fn formats_are_stored_in_the_narrowest_type_that_has_all_their_values() {
    for (format, dtype) in [
        (Format::FLOAT8_E5M2, Some(Dtype::F16)),
        (Format::FLOAT4_E2M1FN, Some(Dtype::F16)),
        (Format::BINARY16, Some(Dtype::F16)),
        (Format::BFLOAT16, Some(Dtype::F32)),
        (Format::TF32, Some(Dtype::F32)),
        (Format::BINARY64, Some(Dtype::F64)),
        (Format::BINARY128, None),
        (Format::unbounded(3).unwrap(), None),
    ] {
        assert_eq!(narrowest(format), dtype, "{format}");
    }
    // That each value is one, in every small format.
    for &(_, format, _) in roundproof_format::NAMED.iter().filter(|(_, format, _)| format.width() <= 16) {
        let wide = narrowest(format).and_then(Dtype::format).unwrap();
        for encoding in format.encodings().filter(|&encoding| format.is_finite(encoding)) {
            let datum = roundproof_exact::decode(format, encoding).unwrap();
            assert!(roundproof_exact::encode(wide, &datum).is_some(), "{format} {encoding:#x}");
        }
    }
}

#[test]
fn the_memory_that_is_needed_is_in_the_headers() {
    assert_eq!(memory_needed(&fixture("u1.little.npy"), F).unwrap(), 128 + 12 + 24);
    let file = std::fs::metadata(fixture("compressed.npz")).unwrap().len();
    assert_eq!(memory_needed(&fixture("compressed.npz"), F).unwrap(), file + 3 * 128 + 12 + 16 + 32 + 2 * 20);
    let csv = std::fs::metadata(fixture("table.csv")).unwrap().len();
    assert!((csv + 2 * 20..csv + 2 * 30).contains(&memory_needed(&fixture("table.csv"), F).unwrap()));
}

fn with_header(text: &str, elements: &[u8]) -> Vec<u8> {
    [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes(), elements].concat()
}

#[test]
fn hostile_headers_are_refused() {
    let of = |text: &str| array(&with_header(text, &[0; 8])).unwrap_err().to_string();
    let whole = |shape: &str| of(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}"));
    assert!(array(&with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 4L,), }  \n", &[0; 8])).is_ok());
    assert!(array(&with_header("{\"shape\":(2,4),\"descr\":\"<u1\",\"fortran_order\":True}", &[0; 8])).is_ok());
    assert!(whole("(2, 5)").contains("has 8 bytes of elements"));
    assert!(whole("(4294967296, 4294967296)").contains("has 8 bytes"));
    assert!(whole("(18446744073709551615, 2)").contains("has 8 bytes"));
    assert!(whole("(18446744073709551616, 2)").contains("malformed"));
    assert!(whole("(0, 18446744073709551615)").contains("has 8 bytes"));
    assert!(matches!(
        array(&with_header("{'descr':'|u1','fortran_order':False,'shape':(0,18446744073709551615)}", &[])),
        Err(NumpyProblem::Empty { .. })
    ));
    assert!(whole("(2, -4)").contains("malformed"));
    assert!(whole("(2 4)").contains("malformed"));
    assert!(whole(&format!("({})", "1,".repeat(65))).contains("more than 64 dimensions"));
    assert!(of(&format!("{{'descr': {}", "[".repeat(60000))).contains("malformed"));
    assert!(of("{'descr': '|u1', 'descr': '|u1'}").contains("twice"));
    assert!(of("{'descr': '|u1'}").contains("no descr, fortran_order or shape"));
    assert!(of("{'pickle': '|u1'}").contains("unknown entry"));
    assert!(of("{'descr': '|u2', 'fortran_order': False, 'shape': (4,)}").contains("byte order"));
    assert!(of("{'descr': '<f3', 'fortran_order': False, 'shape': (4,)}").contains("extended"));
    assert!(of("{'descr': '', 'fortran_order': False, 'shape': (4,)}").contains("unknown type"));
    assert!(array(&[MAGIC, &[2, 0, 255, 255, 255, 255]].concat()).unwrap_err().to_string().contains("65536"));
    assert!(array(&[MAGIC, &[4, 0]].concat()).unwrap_err().to_string().contains("version"));
    let boolean = array(&with_header("{'descr': '|b1', 'fortran_order': False, 'shape': (4, 2)}", &[2; 8]));
    assert!(matches!(boolean, Err(NumpyProblem::NoValue { row: 0, .. })));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = array(&bytes);
        let _ = array(&[MAGIC, &[1, 0], &bytes].concat());
        let _ = archive(&bytes);
        let _ = archive(&[b"PK\x03\x04", &bytes[..]].concat());
    }

    #[test]
    fn no_header_panics(text in "[{}()\\[\\]'\":, 0-9a-zA-Z|<>]{0,80}", shape in "\\(([0-9]{1,20}, ?){0,4}\\)") {
        let _ = array(&with_header(&text, &[0; 16]));
        let _ = array(&with_header(&format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"), &[0; 16]));
        let _ = array(&with_header(&format!("{{'descr': {text}, 'fortran_order': True, 'shape': {shape}}}"), &[0; 16]));
    }

    #[test]
    fn no_damage_panics(
        name in prop::sample::select(vec!["table.npz", "compressed.npz", "f4.big.npy", "records.npy"]),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let kept = if whole { bytes.len() } else { cut.index(bytes.len()) };
        let _ = array(&bytes[..kept]);
        let _ = archive(&bytes[..kept]);
        let _ = cells(&mut &bytes[..kept]);
        let _ = cells_and_bytes(std::io::Cursor::new(&bytes[..kept]));
    }
}
