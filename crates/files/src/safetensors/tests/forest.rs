//! Forests.

use roundproof_network::{Forest, Tree, TreeNode};

use super::*;

/// Two inputs, two outputs; a tree of two splits and a tree of a leaf.
fn forest(format: Format) -> Forest {
    let (zero, one, minus) = (format.zero(), format.one(false), format.one(true));
    let split = |column, threshold| TreeNode::Split { column, threshold };
    let tree = |nodes: &[TreeNode], values: &[Encoding]| Tree {
        nodes: nodes.to_vec(),
        values: Encodings::collect(format, values.iter().copied()),
    };
    use TreeNode::Leaf;
    let first = tree(&[split(1, one), Leaf, split(0, minus), Leaf, Leaf], &[one, zero, minus, one, zero, zero]);
    let base = Encodings::collect(format, [zero, minus]);
    Forest::new(format, 2, base, vec![first, tree(&[Leaf], &[minus, one])]).unwrap()
}

fn reread(bytes: &[u8]) -> Result<Forest, TensorError> {
    parse_forest(Path::new("f"), bytes)
}

#[test]
fn forests_of_every_width_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for format in formats() {
        let (path, forest) = (folder.path().join(FILE), forest(format));
        let digest = write_forest(&path, &forest).unwrap();
        let stored = read_forest(&path).unwrap();
        assert_eq!((stored.value, stored.digest), (forest, digest));
        assert_eq!(Digest::of_file(&path).unwrap(), digest);
    }
    let error = read_forest(Path::new("no/such")).unwrap_err().to_string();
    assert!(error.starts_with("no/such: cannot be read"), "{error}");
}

#[test]
fn the_bytes_of_a_forest_are_these() {
    let bytes = forest_bytes(&forest(Format::BFLOAT16));
    let (header, data) = parts(&bytes);
    insta::assert_snapshot!(header.trim_end().replace("},", "},\n"), @r#"
    {"__metadata__":{"format":"bfloat16","input_dimension":"2"},
    "starts":{"dtype":"U64","shape":[3],"data_offsets":[0,24]},
    "columns":{"dtype":"U32","shape":[6],"data_offsets":[24,48]},
    "base":{"dtype":"U16","shape":[2],"data_offsets":[48,52]},
    "thresholds":{"dtype":"U16","shape":[6],"data_offsets":[52,64]},
    "values":{"dtype":"U16","shape":[4,2],"data_offsets":[64,80]}}
    "#);
    assert_eq!(data[..24], [0u64, 5, 6].map(u64::to_le_bytes).concat());
    assert_eq!(data[24..48], [1, u32::MAX, 0, u32::MAX, u32::MAX, u32::MAX].map(u32::to_le_bytes).concat());
    insta::assert_snapshot!(Digest::of(&bytes), @"bc81ff015f9abb49abb110195b5da771e245be131cb30f08fec49b5604126aa2");
    let theirs = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(theirs.tensor("values").unwrap().shape(), [4, 2]);
}

#[test]
fn headers_that_are_those_of_no_forest_are_refused() {
    let bytes = forest_bytes(&forest(Format::BFLOAT16));
    for end in 0..bytes.len() {
        assert!(reread(&bytes[..end]).is_err(), "cut to {end} bytes");
    }
    let (header, data) = parts(&bytes);
    for (from, to, what) in [
        (r#""format":"bfloat16""#, r#""format":"bf16""#, "`bfloat16` is how"),
        (r#""format":"bfloat16""#, r#""format":"binary32""#, "is of U16; U32 is needed"),
        (r#""format":"#, r#""extra":"","format":"#, "metadata `extra`: has no place"),
        (r#""input_dimension":"2""#, r#""input_dimension":"02""#, "a plain decimal integer"),
        (r#""input_dimension":"2""#, r#""input_dimension":"1""#, "tensor `columns`: tree 0, node 0: compares an input"),
        (r#""input_dimension":"2""#, r#""input_dimension":"0""#, "tensor `columns`: a forest needs an input"),
        (r#""starts":"#, r#""start":"#, "tensor `starts` is missing"),
        (r#""base":"#, r#""bias":"#, "tensor `base` is missing"),
        (r#""values":{"dtype":"U16","shape":[4,2]"#, r#""values":{"dtype":"U16","shape":[2,4]"#, "[4, 2] (a row"),
        (r#""values":{"dtype":"U16","shape":[4,2]"#, r#""values":{"dtype":"U16","shape":[8]"#, "with 2 dimensions"),
        (r#""base":{"dtype":"U16","shape":[2]"#, r#""base":{"dtype":"U16","shape":[2,1]"#, "with 1 dimensions"),
    ] {
        assert!(header.contains(from), "{header}");
        let message = reread(&file(&header.replacen(from, to, 1), data)).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
    }
    // A threshold less, and with it a value more.
    let lie = |text: &str| {
        let text = text.replace(r#""shape":[6],"data_offsets":[52,64]"#, r#""shape":[5],"data_offsets":[52,62]"#);
        text.replace(r#"[4,2],"data_offsets":[64,80]"#, r#"[9,1],"data_offsets":[62,80]"#)
    };
    let message = reread(&file(&lie(&header), data)).unwrap_err().to_string();
    assert!(message.contains("tensor `thresholds` has the shape [5]; [6] (one for each column)"), "{message}");
    // Networks and forests are not taken for each other.
    assert!(super::reread(&bytes).is_err());
    assert!(reread(&network_bytes(&network(Format::BFLOAT16))).is_err());
}

#[test]
fn contents_that_are_no_forest_are_refused() {
    let bytes = forest_bytes(&forest(Format::BFLOAT16));
    let start = bytes.len() - parts(&bytes).1.len();
    let with = |position: usize, new: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[start + position..][..new.len()].copy_from_slice(new);
        reread(&bytes).unwrap_err().to_string()
    };
    // starts: 0, 5, 6 from byte 0.
    assert!(with(0, &1u64.to_le_bytes()).contains("tensor `starts`: the trees must begin at node 0 and end at node 6"));
    assert!(with(8, &0u64.to_le_bytes()).contains("tensor `starts`: tree 0 ends at node 0, where it starts or before"));
    assert!(with(8, &6u64.to_le_bytes()).contains("tensor `starts`: tree 1 ends at node 6"));
    assert!(with(8, &u64::MAX.to_le_bytes()).contains("tensor `starts`: tree 1"));
    assert!(with(16, &7u64.to_le_bytes()).contains("end at node 6"));
    assert!(with(16, &u64::MAX.to_le_bytes()).contains("end at node 6"));
    assert!(with(8, &4u64.to_le_bytes()).contains("tensor `columns`: tree 0, node 4: is missing"));
    assert!(with(8, &3u64.to_le_bytes()).contains("tensor `columns`: tree 0, node 3: is missing"));
    // columns: 1, leaf, 0, leaf, leaf; leaf from byte 24.
    assert!(with(24, &2u32.to_le_bytes()).contains("tensor `columns`: tree 0, node 0: compares an input that is not"));
    assert!(with(24, &u32::MAX.to_le_bytes()).contains("tensor `values` has the shape [4, 2]; [5, 2]"));
    assert!(with(28, &0u32.to_le_bytes()).contains("tensor `values` has the shape [4, 2]; [3, 2]"));
    let moved = [0u32, u32::MAX, u32::MAX, 0].map(u32::to_le_bytes).concat();
    // A split less here is one more there: leaves and values still agree.
    assert!(with(24, &[&moved[..], &[0xff; 4]].concat()).contains("is a leaf and has the threshold"));
    // thresholds: 1, 0, -1, 0, 0; 0 from after the columns and the base.
    let (header, _) = parts(&bytes);
    let offset = |name: &str| {
        let entry = &header[header.find(&format!("\"{name}\"")).unwrap()..];
        let digits = entry.split_once("\"data_offsets\":[").unwrap().1.split(',').next().unwrap();
        digits.parse::<usize>().unwrap()
    };
    let thresholds = offset("thresholds");
    assert!(with(thresholds, &0x7f80u16.to_le_bytes()).contains("tensor `thresholds`: tree 0, node 0"));
    let message = with(thresholds + 2, &0x8000u16.to_le_bytes());
    assert!(
        message.contains("tensor `thresholds`: node 1 is a leaf and has the threshold 0x8000; a leaf has 0x0"),
        "{message}"
    );
    assert!(with(thresholds + 10, &1u16.to_le_bytes()).contains("node 5 is a leaf"));
    assert!(with(offset("values") + 6, &0x7fc0u16.to_le_bytes()).contains("tensor `values`: tree 0, leaf 1, output 1"));
    assert!(with(offset("base"), &0xff80u16.to_le_bytes()).contains("tensor `base`: base, output 0: 0xff80"));
}

#[test]
fn forests_without_anything_are_refused() {
    let empty = r#"{"__metadata__":{"format":"bfloat16","input_dimension":"1"},
        "starts":{"dtype":"U64","shape":[STARTS],"data_offsets":[0,END]},
        "columns":{"dtype":"U32","shape":[0],"data_offsets":[END,END]},
        "base":{"dtype":"U16","shape":[0],"data_offsets":[END,END]},
        "thresholds":{"dtype":"U16","shape":[0],"data_offsets":[END,END]},
        "values":{"dtype":"U16","shape":[0,0],"data_offsets":[END,END]}}"#;
    let with = |starts: usize| {
        let header = empty.replace("STARTS", &starts.to_string()).replace("END", &(8 * starts).to_string());
        reread(&file(&header, &vec![0; 8 * starts])).unwrap_err().to_string()
    };
    assert!(with(0).contains("tensor `starts`: the trees must begin at node 0"));
    assert!(with(1).contains("tensor `starts`: a forest needs an input"));
    assert!(with(2).contains("tensor `starts`: tree 0 ends at node 0"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A flipped bit is refused, or is seen.
    #[test]
    fn flipped_bits_of_forests_are_refused_or_seen(
        which in 0usize..8, flips in proptest::collection::vec(any::<(u16, u8)>(), 1..4),
    ) {
        let format = formats()[which];
        let original = forest_bytes(&forest(format));
        let mut bytes = original.clone();
        for (position, bit) in flips {
            let position = usize::from(position) % bytes.len();
            bytes[position] ^= 1 << (bit % 8);
        }
        let length = 8 + u64::from_le_bytes(original[..8].try_into().unwrap()) as usize;
        match reread(&bytes) {
            Err(_) => {}
            Ok(read) if read == forest(format) => prop_assert_eq!(&bytes[length..], &original[length..]),
            Ok(read) => {
                prop_assert_eq!(&forest_bytes(&read)[length..], &bytes[length..]);
                prop_assert_eq!(reread(&forest_bytes(&read)).unwrap(), read);
            }
        }
    }
}
