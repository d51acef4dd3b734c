use std::path::Path;

use proptest::prelude::*;
use roundproof_format::{Encoding, Format};
use roundproof_network::{Activation, Dataset, Encodings, Layer, Network};

use super::*;
use crate::Digest;

const FILE: &str = "net.safetensors";

/// One format of every storage width, and `F(p)` with significands of one and of two words.
fn formats() -> [Format; 8] {
    let unbounded = |p| Format::unbounded(p).unwrap();
    let [f6, f8, bf16, tf32] = [Format::FLOAT6_E3M2FN, Format::FLOAT8_E4M3FN, Format::BFLOAT16, Format::TF32];
    [f6, f8, bf16, tf32, Format::BINARY64, Format::BINARY128, unbounded(5), unbounded(96)]
}

/// A small network: two inputs, three neurons, one output.
fn network(format: Format) -> Network {
    let (one, minus) = (format.one(false), format.one(true));
    let mut hidden = Layer::new(format, Activation::Relu);
    hidden.push([(0, one), (1, minus)], format.zero());
    hidden.push([], minus);
    hidden.push([(1, format.zero())], one);
    let mut last = Layer::new(format, Activation::Identity);
    last.push([(0, one), (2, minus)], one);
    Network::new(format, 2, vec![hidden, last]).unwrap()
}

fn dataset(format: Format) -> Dataset {
    let (zero, one, minus) = (format.zero(), format.one(false), format.one(true));
    let inputs = Encodings::collect(format, [one, minus, zero, one]);
    Dataset::new(format, 2, 1, inputs, Encodings::collect(format, [minus, zero])).unwrap()
}

fn columns() -> Columns {
    Columns { inputs: vec!["a \"b\"".to_string(), "ü".to_string()], labels: vec!["class".to_string()] }
}

fn reread(bytes: &[u8]) -> Result<Network, TensorError> {
    parse_network(Path::new(FILE), bytes)
}

/// The message after the header of a small network's file was changed, its length kept true.
fn refused(from: &str, to: &str) -> String {
    let bytes = network_bytes(&network(Format::BFLOAT16));
    let (header, data) = parts(&bytes);
    assert!(header.contains(from), "{header}");
    reread(&file(&header.replacen(from, to, 1), data)).unwrap_err().to_string()
}

fn parts(bytes: &[u8]) -> (String, &[u8]) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (String::from_utf8(bytes[8..8 + length].to_vec()).unwrap(), &bytes[8 + length..])
}

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

#[test]
fn networks_and_data_sets_of_every_width_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for format in formats() {
        let (path, network) = (folder.path().join(FILE), network(format));
        let digest = write_network(&path, &network).unwrap();
        let stored = read_network(&path).unwrap();
        assert_eq!((stored.value, stored.digest), (network, digest));
        assert_eq!(Digest::of_file(&path).unwrap(), digest);
        for columns in [None, Some(columns())] {
            let (path, dataset) = (folder.path().join("data.safetensors"), dataset(format));
            let digest = write_dataset(&path, &dataset, columns.as_ref()).unwrap();
            let stored = read_dataset(&path).unwrap();
            assert_eq!((stored.value, stored.digest), (NamedDataset { dataset, columns }, digest));
        }
    }
}

#[test]
fn the_bytes_are_these() {
    let bytes = network_bytes(&network(Format::BFLOAT16));
    let (header, data) = parts(&bytes);
    insta::assert_snapshot!(header.trim_end().replace("},", "},\n"), @r#"
    {"__metadata__":{"activations":"[\"relu\",\"identity\"]","format":"bfloat16","input_dimension":"2"},
    "layer0.row_ptr":{"dtype":"U64","shape":[4],"data_offsets":[0,32]},
    "layer1.row_ptr":{"dtype":"U64","shape":[2],"data_offsets":[32,48]},
    "layer0.columns":{"dtype":"U32","shape":[3],"data_offsets":[48,60]},
    "layer1.columns":{"dtype":"U32","shape":[2],"data_offsets":[60,68]},
    "layer0.bias":{"dtype":"U16","shape":[3],"data_offsets":[68,74]},
    "layer0.weights":{"dtype":"U16","shape":[3],"data_offsets":[74,80]},
    "layer1.bias":{"dtype":"U16","shape":[1],"data_offsets":[80,82]},
    "layer1.weights":{"dtype":"U16","shape":[2],"data_offsets":[82,86]}}
    "#);
    assert_eq!(header.len() % 8, 0);
    // The last tensor: the weights of layer 1, 1 and -1.
    assert_eq!(data[data.len() - 4..], [0x80, 0x3f, 0x80, 0xbf]);
    insta::assert_snapshot!(Digest::of(&bytes), @"c23e9b1247ef88f5453b1cad393dee2ab82648dc30c41fc4aba9cf446c999c59");
    let bytes = dataset_bytes(&dataset(Format::unbounded(5).unwrap()), Some(&columns()));
    let (header, data) = parts(&bytes);
    insta::assert_snapshot!(header.trim_end().replace("},", "},\n"), @r#"
    {"__metadata__":{"format":"F(5)","input_names":"[\"a \\\"b\\\"\",\"ü\"]","label_names":"[\"class\"]"},
    "inputs.significand":{"dtype":"U64","shape":[2,2,2],"data_offsets":[0,64]},
    "labels.significand":{"dtype":"U64","shape":[2,1,2],"data_offsets":[64,96]},
    "inputs.exponent":{"dtype":"I32","shape":[2,2],"data_offsets":[96,112]},
    "labels.exponent":{"dtype":"I32","shape":[2,1],"data_offsets":[112,120]}}
    "#);
    // 1 is 0b10000 * 2^-4; -1 has bit 127 set.
    assert_eq!(data[..16], [0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(data[16..32], [0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]);
    assert_eq!(data[96..104], [0xfc, 0xff, 0xff, 0xff, 0xfc, 0xff, 0xff, 0xff]);
}

#[test]
fn the_library_reads_what_we_write_and_lays_it_out_as_we_do() {
    for format in formats() {
        let bytes = network_bytes(&network(format));
        let theirs = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let (_, metadata) = ::safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let pointers = theirs.tensor("layer0.row_ptr").unwrap();
        assert_eq!(pointers.data(), [0u64, 2, 2, 3].map(u64::to_le_bytes).concat());
        let rewritten = ::safetensors::serialize(theirs.tensors(), metadata.metadata().clone()).unwrap();
        // Their metadata come in any order: the rest is the same, byte by byte.
        assert_eq!(rewritten.len(), bytes.len());
        assert_eq!(parts(&rewritten).1, parts(&bytes).1);
        assert_eq!(reread(&rewritten).unwrap(), network(format));
    }
}

#[test]
fn containers_that_are_none_are_refused() {
    let bytes = network_bytes(&network(Format::BFLOAT16));
    for end in 0..bytes.len() {
        assert!(reread(&bytes[..end]).is_err(), "cut to {end} bytes");
    }
    assert!(reread(b"").unwrap_err().to_string().starts_with("net.safetensors: is not a safetensors file"));
    let error = reread(&[&u64::MAX.to_le_bytes()[..], b"{}"].concat()).unwrap_err();
    assert!(matches!(*error.problem, TensorProblem::Truncated { header: Some(u64::MAX), .. }), "{error}");
    assert!(reread(&[&bytes[..], &[0]].concat()).unwrap_err().to_string().contains("bytes of data after the header"));
    assert!(reread(&file("{", b"")).unwrap_err().to_string().contains("not strict JSON"));
    assert!(reread(&file("[]", b"")).unwrap_err().to_string().contains("an object is needed"));
    assert!(reread(&file("{}", b"")).unwrap_err().to_string().contains("metadata `format` is missing"));
    let error = read_network(Path::new("no/such.safetensors")).unwrap_err().to_string();
    assert!(error.starts_with("no/such.safetensors: cannot be read"), "{error}");
}

#[test]
fn headers_that_lie_are_refused() {
    let key = r#""layer0.columns":{"dtype":"U32","shape":[3]"#;
    assert!(refused(key, r#""layer0.columns":{"dtype":"F32","shape":[3]"#).contains("layer0.columns.dtype: `F32`"));
    assert!(refused(key, r#""layer0.columns":{"dtype":"I32","shape":[3]"#).contains("is of I32; U32 is needed"));
    assert!(refused(key, r#""layer0.columns":{"dtype":"U32","shape":[4]"#).contains("are not what a U32 of shape [4]"));
    assert!(refused(key, r#""layer0.columns":{"dtype":"U32","shape":[3,1]"#).contains("one with 1 dimensions"));
    let huge = r#""layer0.columns":{"dtype":"U32","shape":[4611686018427387905]"#;
    assert!(refused(key, huge).contains("tensor `layer0.columns`: bytes"));
    let huge = r#""layer0.columns":{"dtype":"U32","shape":[4294967296,4294967296,4294967296]"#;
    assert!(refused(key, huge).contains("tensor `layer0.columns`: bytes"));
    assert!(refused(key, r#""layer0.columns":{"x":1,"dtype":"U32","shape":[3]"#).contains("x: unknown field"));
    assert!(refused(key, r#""layer0.columns":{"dtype":"U32","shape":[3.0]"#).contains("not strict JSON"));
    assert!(refused(key, r#""layer0.columns":{"dtype":"U32","shape":["3"]"#).contains("shape[0]: a number is needed"));
    assert!(refused(key, r#""layer9.columns":{"dtype":"U32","shape":[3]"#).contains("`layer0.columns` is missing"));
    assert!(refused(key, r#""layer1.columns":{"dtype":"U32","shape":[3]"#).contains("`layer1.columns` is there twice"));
    assert!(refused(r#""format":"#, r#""fromat":"#).contains("metadata `format` is missing"));
    assert!(refused(r#""format":"#, r#""extra":"","format":"#).contains("metadata `extra`: has no place"));
    assert!(refused(r#""format":"bfloat16""#, r#""format":"bf16""#).contains("`bfloat16` is how"));
    assert!(refused(r#""format":"bfloat16""#, r#""format":"bfloat17""#).contains("did you mean `bfloat16`"));
    assert!(refused(r#""format":"bfloat16""#, r#""format":"binary32""#).contains("is of U16; U32 is needed"));
    assert!(refused(r#""format":"bfloat16""#, r#""format":16"#).contains("__metadata__.format: a string is needed"));
    assert!(refused(r#"\"relu\""#, r#"\"gelu\""#).contains("metadata `activations`: [0]: `gelu`: unknown activation"));
    assert!(refused(r#"\"relu\","#, "").contains("tensor `layer1.bias` has no place"));
    assert!(refused(r#"\"relu\","#, r#"\"relu\",\"relu\","#).contains("tensor `layer2.row_ptr` is missing"));
    assert!(refused(r#"[\"relu\""#, r#"null,[\"relu\""#).contains("metadata `activations`"));
    for dimension in ["02", "+2", "-2", "2.0", "", "99999999999999999999999"] {
        let message = refused(r#""input_dimension":"2""#, &format!(r#""input_dimension":"{dimension}""#));
        assert!(message.contains("metadata `input_dimension`: a plain decimal integer"), "{message}");
    }
    assert!(refused(r#""input_dimension":"2""#, r#""input_dimension":"0""#).contains("metadata `input_dimension`"));
    assert!(
        refused(r#""input_dimension":"2""#, r#""input_dimension":"1""#).contains("tensor `layer0.columns`: layer 0")
    );
}

#[test]
fn tensors_must_lie_side_by_side() {
    let bytes = network_bytes(&network(Format::BFLOAT16));
    let (header, data) = parts(&bytes);
    let offsets = r#""data_offsets":[32,48]"#;
    assert!(header.contains(offsets), "{header}");
    for (wrong, what) in [
        ("[0,16]", "starts at byte 0, but the tensors before it end at byte"),
        ("[40,56]", "starts at byte 40"),
        ("[48,32]", "starts at byte 48"),
        ("[32,31]", "are not what"),
        ("[32,49]", "are not what"),
        ("[9000,9016]", "`layer0.columns`: starts at byte 48"),
        ("[18446744073709551608,18446744073709551615]", "`layer0.columns`: starts at byte 48"),
        ("[32]", "1 numbers, not 2"),
        ("[32,48,48]", "3 numbers, not 2"),
    ] {
        let wrong = format!(r#""data_offsets":{wrong}"#);
        let message = reread(&file(&header.replacen(offsets, &wrong, 1), data)).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
    }
    // A last tensor that runs past the end.
    let error = reread(&file(&header, &data[..data.len() - 1])).unwrap_err().to_string();
    assert!(error.contains("tensor `layer1.weights`: takes 4 bytes from byte"), "{error}");
}

#[test]
fn contents_that_are_no_network_are_refused() {
    let format = Format::BFLOAT16;
    let bytes = network_bytes(&network(format));
    let start = bytes.len() - parts(&bytes).1.len();
    let with = |position: usize, new: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[start + position..][..new.len()].copy_from_slice(new);
        reread(&bytes).unwrap_err().to_string()
    };
    // layer0.row_ptr: 0, 2, 2, 3.
    assert!(with(8, &9u64.to_le_bytes()).contains("tensor `layer0.row_ptr`: layer 0: row pointers must ascend"));
    assert!(with(24, &u64::MAX.to_le_bytes()).contains("tensor `layer0.row_ptr`"));
    assert!(with(0, &1u64.to_le_bytes()).contains("tensor `layer0.row_ptr`"));
    // layer0.columns: 0, 1, 1.
    assert!(with(48, &7u32.to_le_bytes()).contains("tensor `layer0.columns`: layer 0, row 0: column 7 is outside"));
    // layer0.bias: 0, -1, 1; layer0.weights.
    assert!(with(68, &0x7fc0u16.to_le_bytes()).contains("tensor `layer0.bias`: layer 0, row 0: the bias 0x7fc0"));
    assert!(with(74, &0xff80u16.to_le_bytes()).contains("tensor `layer0.weights`: layer 0, row 0: the weight 0xff80"));
}

#[test]
fn encodings_above_the_width_and_special_values_are_refused() {
    let format = Format::FLOAT6_E3M2FN;
    let mut bytes = network_bytes(&network(format));
    *bytes.last_mut().unwrap() = 0x40;
    let error = reread(&bytes).unwrap_err().to_string();
    assert!(
        error.contains("tensor `layer1.weights`: layer 1, row 0: the weight 0x40 is not a finite value"),
        "{error}"
    );
    let mut bytes = dataset_bytes(&dataset(Format::FLOAT8_E4M3FN), None);
    *bytes.last_mut().unwrap() = 0x7f;
    let error = parse_dataset(Path::new("d"), &bytes).unwrap_err().to_string();
    assert!(
        error.contains("d: tensor `labels`: row 1, label 0: 0x7f is not a finite value of float8_e4m3fn"),
        "{error}"
    );
}

#[test]
fn a_network_keeps_the_names_of_its_inputs() {
    let network = network(Format::BFLOAT16);
    let names = ["a \"b\"".to_string(), "ü".to_string()];
    let bytes = named_network_bytes(&network, Some(&names));
    assert_ne!(bytes, network_bytes(&network));
    assert_eq!(reread(&bytes).unwrap(), network);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    std::fs::write(&path, &bytes).unwrap();
    let read = read_named_network(&path).unwrap();
    assert_eq!((&read.value.network, read.value.input_names.as_deref()), (&network, Some(&names[..])));
    assert_eq!(read.digest, Digest::of(&bytes));
    std::fs::write(&path, network_bytes(&network)).unwrap();
    assert_eq!(read_named_network(&path).unwrap().value.input_names, None);
    let (header, data) = parts(&bytes);
    let refused = |from: &str, to: &str| {
        assert!(header.contains(from), "{header}");
        reread(&file(&header.replacen(from, to, 1), data)).unwrap_err().to_string()
    };
    assert!(refused(r#",\"ü\""#, "").contains("metadata `input_names`: 1 names for 2 inputs"));
    assert!(refused(r#"\"ü\""#, r#"\"a \\\"b\\\"\""#).contains("is the name of two inputs"));
    assert!(refused(r#"\"ü\""#, "1").contains("metadata `input_names`: [1]: a string is needed"));
}

#[test]
fn data_sets_that_are_none_are_refused() {
    let bytes = dataset_bytes(&dataset(Format::BFLOAT16), Some(&columns()));
    let (header, data) = parts(&bytes);
    let refused = |from: &str, to: &str| {
        assert!(header.contains(from), "{header}");
        parse_dataset(Path::new("d"), &file(&header.replacen(from, to, 1), data)).unwrap_err().to_string()
    };
    assert!(refused(r#""shape":[2,2]"#, r#""shape":[1,4]"#).contains("tensor `labels` has the shape [2, 1]; [1, …]"));
    assert!(refused(r#""shape":[2,2]"#, r#""shape":[4]"#).contains("one with 2 dimensions"));
    assert!(refused(r#"[\"class\"]"#, "[]").contains("metadata `label_names`: 0 names for 1 columns"));
    assert!(refused(r#"[\"class\"]"#, "[1]").contains("metadata `label_names`: [0]: a string is needed"));
    assert!(refused("label_names", "lable_names").contains("metadata `label_names` is missing"));
    let empty = r#"{"__metadata__":{"format":"bfloat16"},"inputs":{"dtype":"U16","shape":[0,1152921504606846976],
        "data_offsets":[0,0]},"labels":{"dtype":"U16","shape":[0,0],"data_offsets":[0,0]}}"#;
    let error = parse_dataset(Path::new("d"), &file(empty, b"")).unwrap_err();
    assert!(matches!(*error.problem, TensorProblem::Dataset { .. }), "{error}");
}

#[test]
fn values_of_unbounded_formats_have_one_spelling() {
    let format = Format::unbounded(5).unwrap();
    let bytes = dataset_bytes(&dataset(format), None);
    let start = bytes.len() - parts(&bytes).1.len();
    let exponents = 6 * 16;
    for (position, new) in [
        (0, &[0x08][..]),                       // not normalized
        (0, &[0x20]),                           // p + 1 bits
        (9, &[1]),                              // bits above the significand
        (32 + 15, &[0x80]),                     // a negative zero
        (exponents + 8, &[1]),                  // a zero with an exponent
        (exponents, &[0, 0, 0x10, 0]),          // 2^20 + 4
        (exponents, &[0xfb, 0xff, 0xef, 0xff]), // -2^20 - 5
        (exponents, &[0, 0, 0, 0x80]),          // -2^31
        (exponents, &[0xff, 0xff, 0xff, 0x7f]),
    ] {
        let mut bytes = bytes.clone();
        bytes[start + position..][..new.len()].copy_from_slice(new);
        let error = parse_dataset(Path::new("d"), &bytes).unwrap_err();
        assert!(matches!(*error.problem, TensorProblem::Value { .. }), "{position} {new:?}: {error}");
    }
    let mut bytes = bytes.clone();
    bytes[start + exponents..][..4].copy_from_slice(&[0xfc, 0xff, 0x0f, 0]);
    assert!(parse_dataset(Path::new("d"), &bytes).is_ok());
}

/// The bytes of whatever is accepted say what is in it: read, written and read again, it is the same.
fn accepted_is_legitimate(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(network) = reread(bytes) {
        prop_assert_eq!(reread(&network_bytes(&network)).unwrap(), network);
    }
    if let Ok(NamedDataset { dataset, columns }) = parse_dataset(Path::new("d"), bytes) {
        let again = parse_dataset(Path::new("d"), &dataset_bytes(&dataset, columns.as_ref())).unwrap();
        prop_assert_eq!(again, NamedDataset { dataset, columns });
    }
    Ok(())
}

/// The small network with other activations.
fn activated(format: Format, hidden: Activation, last: Activation) -> Network {
    let mut layers = network(format).into_layers().expect("layers");
    (layers[0].activation, layers[1].activation) = (hidden, last);
    Network::new(format, 2, layers).unwrap()
}

#[test]
fn activations_of_version_2_read_back_in_every_format() {
    for format in formats() {
        let (zero, one, minus) = (format.zero(), format.one(false), format.one(true));
        let (leaky, clip) = (Activation::LeakyRelu { slope: minus }, Activation::Clip { low: zero, high: one });
        for (hidden, last) in [(leaky, clip), (Activation::Relu, Activation::Sign), (clip, Activation::Identity)] {
            let network = activated(format, hidden, last);
            let bytes = network_bytes(&network);
            assert!(parts(&bytes).0.contains(r#""version":"2""#));
            assert_eq!(reread(&bytes).unwrap(), network);
            let old = activated(format, Activation::Relu, Activation::Step);
            assert!(!parts(&network_bytes(&old)).0.contains("version"), "what version 1 has is of version 1");
        }
    }
}

#[test]
fn activations_of_version_2_are_refused_where_they_are_wrong() {
    let format = Format::BFLOAT16;
    let (zero, one) = (format.zero(), format.one(false));
    let bytes = network_bytes(&activated(format, Activation::Clip { low: zero, high: one }, Activation::Sign));
    let (header, data) = parts(&bytes);
    let refused = |from: &str, to: &str| {
        assert!(header.contains(from), "{header}");
        reread(&file(&header.replacen(from, to, 1), data)).unwrap_err().to_string()
    };
    let answers = [
        refused(r#","version":"2""#, ""),
        refused(r#""version":"2""#, r#""version":"3""#),
        refused(r#""version":"2""#, r#""version":"02""#),
        refused(r#"[\"clip\""#, r#"[\"leaky-relu\""#),
        refused(r#"[\"clip\""#, r#"[\"relu\""#),
        refused(r#"\"sign\""#, r#"\"clip\""#),
        refused(r#"\"sign\""#, r#"\"sing\""#),
    ];
    insta::assert_snapshot!(answers.join("\n"), @"
    net.safetensors: metadata `version`: this network is written in version 2, and the file is of version 1
    net.safetensors: metadata `version`: 2 is needed
    net.safetensors: metadata `version`: 2 is needed
    net.safetensors: tensor `layer0.activation` has the shape [2]; [1] (leaky-relu takes 1 parameters, and there are 2) is needed
    net.safetensors: tensor `layer0.activation` has no place in this file
    net.safetensors: tensor `layer1.activation` is missing
    net.safetensors: metadata `activations`: [1]: `sing`: unknown activation `sing`; did you mean `sign`? (known: step, relu, identity, leaky-relu, clip, sign)
    ");
    // A file of version 2 with nothing in it that version 1 does not have.
    let (header, data) =
        (parts(&network_bytes(&network(format))).0, parts(&network_bytes(&network(format))).1.to_vec());
    let header = header.replacen(r#""input_dimension":"2""#, r#""input_dimension":"2","version":"2""#, 1);
    let message = reread(&file(&header, &data)).unwrap_err().to_string();
    assert!(message.contains("written in version 1, and the file is of version 2"), "{message}");
    // Bounds in the wrong order, and one that is not finite.
    let high = data_of(&bytes, &[0x80, 0x3f], &[0x80, 0xbf]);
    assert!(reread(&high).unwrap_err().to_string().contains("`layer0.activation`: layer 0: the lower bound"));
    let infinite = data_of(&bytes, &[0x80, 0x3f], &[0x80, 0x7f]);
    assert!(reread(&infinite).unwrap_err().to_string().contains("parameter 0x7f80 of clip"));
}

/// The file with another second parameter of the first layer's activation, which stands first of what is 16 bits wide.
fn data_of(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut bytes = bytes.to_vec();
    let place = 8 + header + parameters_start(&bytes);
    assert_eq!(&bytes[place + 2..place + 4], from);
    bytes[place + 2..place + 4].copy_from_slice(to);
    bytes
}

/// Where the tensor `layer0.activation` starts in the data.
fn parameters_start(bytes: &[u8]) -> usize {
    let (header, _) = parts(bytes);
    let header: serde_json::Value = serde_json::from_str(header.trim()).unwrap();
    header["layer0.activation"]["data_offsets"][0].as_u64().unwrap() as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), framed in any::<bool>()) {
        let framed = if framed { [&(bytes.len() as u64 / 2).to_le_bytes(), &bytes[..]].concat() } else { bytes };
        accepted_is_legitimate(&framed)?;
    }

    /// A flipped bit is refused, or is seen: in the network that is read, or nowhere but in the order and the white
    /// space of the header.
    #[test]
    fn flipped_bits_are_refused_or_seen(which in 0usize..8, flips in proptest::collection::vec(any::<(u16, u8)>(), 1..4)) {
        let format = formats()[which];
        let original = network_bytes(&network(format));
        let mut bytes = original.clone();
        for (position, bit) in flips {
            let position = usize::from(position) % bytes.len();
            bytes[position] ^= 1 << (bit % 8);
        }
        let data = |bytes: &[u8]| bytes[8 + u64::from_le_bytes(original[..8].try_into().unwrap()) as usize..].to_vec();
        match reread(&bytes) {
            Err(_) => {}
            Ok(read) if read == network(format) => prop_assert_eq!(data(&bytes), data(&original)),
            // Another network: then these are its bytes, but for white space.
            Ok(read) => prop_assert_eq!(reread(&network_bytes(&read)).unwrap(), read),
        }
    }

    #[test]
    fn random_networks_and_data_sets_read_back(
        which in 0usize..8, bits in proptest::collection::vec(any::<u128>(), 8..40), rows in 0usize..4,
    ) {
        let format = formats()[which];
        let mut values = bits.into_iter().cycle().map(|bits| value(format, bits));
        let mut layer = Layer::new(format, Activation::Step);
        for row in 0..=rows as u32 {
            let bias = values.next().unwrap();
            layer.push((0..row).map(|column| column * 2).zip(values.by_ref()), bias);
        }
        let network = Network::new(format, 9, vec![layer]).unwrap();
        let bytes = network_bytes(&network);
        prop_assert_eq!(&reread(&bytes).unwrap(), &network);
        prop_assert_eq!(network_bytes(&network.clone()), bytes);
        let mut column = |n| Encodings::collect(format, values.by_ref().take(n));
        let dataset = Dataset::new(format, 3, 2, column(3 * rows), column(2 * rows)).unwrap();
        let read = parse_dataset(Path::new("d"), &dataset_bytes(&dataset, None)).unwrap();
        prop_assert_eq!(read.dataset, dataset);
    }
}

/// A value that data may have, made of random bits.
fn value(format: Format, bits: u128) -> Encoding {
    let masked = bits & (u128::MAX >> (128 - format.width()));
    let candidate = if format.is_bounded() {
        masked
    } else {
        // The exponent field within 2^20 of the bias.
        let field = ((1 << 31) - (1 << 20)) + (bits >> 100 & ((1 << 21) - 1));
        let field_mask = ((1u128 << 32) - 1) << format.trailing_bits();
        masked & !field_mask | field << format.trailing_bits()
    };
    let candidate = Encoding::from_bits(candidate);
    if format.is_finite(candidate) { candidate } else { format.one(true) }
}

mod forest;

mod graphs {
    use roundproof_graph::{
        Comparison, Function, Graph, Node, Norm, Op, Pick, Pool, Reduction, Source, Tensor, Unary, result_shape,
    };
    use roundproof_network::{Axis, Datatype, Geometry};

    use super::*;

    /// A graph under construction: what it makes is what is read next.
    struct Builder {
        format: Format,
        tensors: Vec<Tensor>,
        nodes: Vec<Node>,
    }

    impl Builder {
        fn tensor(&mut self, shape: &[usize], source: Source) -> usize {
            let (name, datatype) = (format!("t{}", self.tensors.len()), Datatype::Float(self.format));
            self.tensors.push(Tensor { name, shape: shape.to_vec(), datatype, source });
            self.tensors.len() - 1
        }

        fn ones(&mut self, shape: &[usize]) -> usize {
            let ones = vec![self.format.one(false); shape.iter().product()];
            self.tensor(shape, Source::Constant(Encodings::collect(self.format, ones)))
        }

        fn node(&mut self, op: Op, reads: &[usize], declared: &[usize]) -> usize {
            let shapes: Vec<&[usize]> = reads.iter().map(|&read| &self.tensors[read].shape[..]).collect();
            let shape = result_shape(&op, &shapes, declared).unwrap();
            let writes = self.tensor(&shape, Source::Node(self.nodes.len()));
            self.nodes.push(Node { name: format!("\"{}\"", op.name()), op, reads: reads.to_vec(), writes });
            writes
        }
    }

    /// A graph with every operation.
    fn graph(format: Format) -> Graph {
        let mut builder = Builder { format, tensors: Vec::new(), nodes: Vec::new() };
        let geometry = |size| {
            let axis = Axis { size, window: 2, stride: 1, dilation: 1, before: 1, after: 0 };
            Geometry::new(vec![axis, Axis { dilation: 2, ..axis }]).unwrap()
        };
        let input = builder.tensor(&[1, 2, 4, 4], Source::Input);
        let weights = builder.ones(&[2, 1, 2, 2]);
        let mut last = builder.node(Op::Conv { geometry: geometry(4), groups: 2 }, &[input, weights], &[]);
        let size = builder.tensors[last].shape[2];
        let flat = |size| Geometry::new(vec![Axis::plain(size, 1), Axis::plain(size - 1, 1)]).unwrap();
        for pool in [Pool::Max, Pool::Average { padding_counts: true }, Pool::Average { padding_counts: false }] {
            last = builder.node(Op::Pool { pool, geometry: flat(size) }, &[last], &[]);
        }
        let channels = [0; 4].map(|_| builder.ones(&[2]));
        let reads = [&[last][..], &channels].concat();
        let epsilon = Encoding::from_bits(1e-5f32.to_bits().into());
        last = builder.node(Op::BatchNormalization { epsilon }, &reads, &[]);
        let limit = Some(format.one(false));
        let mut unaries = vec![
            Unary::Neg,
            Unary::Abs,
            Unary::Relu,
            Unary::LeakyRelu { slope: epsilon },
            Unary::Clip { low: Some(format.zero()), high: limit },
            Unary::Clip { low: None, high: limit },
            Unary::HardSigmoid { slope: epsilon, offset: epsilon },
            Unary::Sign,
            Unary::Sqrt,
            Unary::Reciprocal,
        ];
        unaries.extend(Function::ALL.map(Unary::Function));
        for unary in unaries {
            last = builder.node(Op::Unary(unary), &[last], &[]);
        }
        for norm in [Norm::Max, Norm::L1, Norm::L2] {
            last = builder.node(Op::Normalize(norm), &[last], &[]);
        }
        last = builder.node(Op::Softmax { axis: 1 }, &[last], &[]);
        last = builder.node(Op::LogSoftmax { axis: 3 }, &[last], &[]);
        let one = builder.ones(&[]);
        for op in [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Max, Op::Min, Op::PRelu] {
            last = builder.node(op, &[last, one], &[]);
        }
        let comparisons = [
            Comparison::Greater,
            Comparison::GreaterOrEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Equal,
        ];
        for comparison in comparisons {
            let truth = builder.node(Op::Compare(comparison), &[last, one], &[]);
            last = builder.node(Op::Where, &[truth, last, one], &[]);
        }
        let columns = builder.tensors[last].shape[3];
        let matrix = builder.ones(&[columns, 3]);
        last = builder.node(Op::MatMul, &[last, matrix], &[]);
        for (reduction, axes) in [
            (Reduction::Sum, vec![3]),
            (Reduction::Mean, vec![2, 3]),
            (Reduction::Max, vec![]),
            (Reduction::Min, vec![0]),
        ] {
            last = builder.node(Op::Reduce { reduction, axes }, &[last], &[]);
        }
        let picks = vec![Pick { read: 0, element: 1 }, Pick { read: 1, element: 0 }, Pick { read: 0, element: 0 }];
        last = builder.node(Op::Arrange(picks), &[last, one], &[1, 3]);
        builder.format = Format::BINARY64;
        let cast = builder.node(Op::Cast, &[last], &[]);
        let Builder { format: _, tensors, nodes } = builder;
        Graph::new(tensors, nodes, vec![cast, last]).unwrap()
    }

    fn reread(bytes: &[u8]) -> Result<Graph, TensorError> {
        parse_graph(Path::new("graph.safetensors"), bytes)
    }

    #[test]
    fn graphs_read_back() {
        for format in [Format::BFLOAT16, Format::BINARY16, Format::BINARY32, Format::BINARY64] {
            let graph = graph(format);
            let bytes = graph_bytes(&graph);
            assert_eq!(reread(&bytes).unwrap(), graph);
            assert_eq!(graph_bytes(&reread(&bytes).unwrap()), bytes);
            assert_eq!(Contents::of(&bytes), Some(Contents::Graph));
            assert!(parse_network(Path::new(FILE), &bytes).is_err());
        }
    }

    #[test]
    fn the_layout_of_a_graph() {
        insta::assert_snapshot!(parts(&graph_bytes(&graph(Format::BFLOAT16))).0.trim_end());
    }

    /// The message after the header of the file was changed, its length kept true.
    fn refused(from: &str, to: &str) -> String {
        let bytes = graph_bytes(&graph(Format::BFLOAT16));
        let (header, data) = parts(&bytes);
        let (from, to) = (from.replace('\'', "\\\""), to.replace('\'', "\\\""));
        assert!(header.contains(&from), "{header}");
        reread(&file(&header.replacen(&from, &to, 1), data)).unwrap_err().to_string()
    }

    #[test]
    fn other_spellings_and_other_graphs_are_refused() {
        let reasons = [
            ("graph, version 1", "graph, version 2"),
            ("'op':'Neg'", "'op':'Ceil'"),
            ("'op':'Neg'", "'op':'neg'"),
            ("'op':'Neg'", "'op':'Neg','axis':1"),
            ("'op':'Neg'", "'op': 'Neg'"),
            ("'slope':'0x3727c5ac'", "'slope':'0x3727C5AC'"),
            ("'slope':'0x3727c5ac'", "'slope':'0x7f800000'"),
            ("'low':'0x0000'", "'low':'0x00000000'"),
            ("'low':'0x0000'", "'low':'0x7f80'"),
            ("'norm':'l1'", "'norm':'l3'"),
            ("'divisor':'places'", "'divisor':'both'"),
            ("'groups':2", "'groups':3"),
            ("[4,2,1,1,1,0]", "[4,2,1,1,1]"),
            ("[4,2,1,1,1,0]", "[4,2,0,1,1,0]"),
            ("'axis':1", "'axis':4"),
            ("'source':'input'", "'source':'node'"),
            ("'source':'input'", "'source':'constant'"),
            ("'source':'constant'", "'source':'nowhere'"),
            ("'shape':[2,1,2,2]", "'shape':[2,1,4,1]"),
            ("'format':'bfloat16'", "'format':'binary16'"),
            ("'writes':3", "'writes':4"),
            ("node48.picks", "node47.picks"),
            ("\"outputs\":\"[", "\"outputs\":\"[999,"),
        ]
        .map(|(from, to)| format!("{from} -> {to}\n    {}", refused(from, to)));
        insta::assert_snapshot!(reasons.join("\n"));
    }

    proptest! {
        #[test]
        fn changed_bytes_make_no_other_graph(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
            let mut bytes = graph_bytes(&graph(Format::BFLOAT16));
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if let Ok(graph) = reread(&bytes) {
                prop_assert_eq!(reread(&graph_bytes(&graph)).unwrap(), graph);
            }
        }
    }
}
