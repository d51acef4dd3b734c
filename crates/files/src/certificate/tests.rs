use proptest::prelude::*;
use roundproof_format::{Encoding, Format, Overflow, RoundingMode, Subnormals};
use roundproof_kernel::{Node, Property as KernelProperty, Separator, Shape};
use roundproof_network::{
    Accumulator, Addition, At, Choice, Contraction, Flushes, NeuronPath, Order, PathModel, Rounding, Summation,
    TreePath, Trees, Witness,
};

use super::*;

const F: Format = Format::BFLOAT16;

fn reference(name: &str) -> FileReference {
    FileReference { path: name.parse().unwrap(), sha256: Digest::of(name.as_bytes()) }
}

fn proved() -> Certificate {
    let split = |column, bits| Node::Split { column, threshold: Encoding::from_bits(bits) };
    let nodes = vec![split(3, 0x4190), Node::Box(1), split(0, 0x80), Node::Empty, Node::Box(0)];
    Certificate {
        claim: Claim {
            format: F,
            model: PathModel::all(F),
            property: KernelProperty::Memorizes.into(),
            shape: Shape { rows: 150, input_dimension: 4, output_dimension: 1, layers: 3, parameters: 84 },
        },
        network: reference("network.safetensors"),
        network_source: None,
        dataset: Some(reference("dataset.safetensors")),
        forest: None,
        source: Some(SourceReference {
            path: "iris.csv".parse().unwrap(),
            sha256: Digest::of(b"iris"),
            labels: vec!["class".to_string()],
        }),
        verdict: Verdict::Proved,
        evidence: Some(Evidence::BoxNetwork(Separator { nodes })),
        lemmas: vec![LemmaReference { name: "dominance".to_string(), established: "enumerated".to_string() }],
        provenance: [("version", "0.1.0"), ("strategy", "tree")].map(|(k, v)| (k.to_string(), v.to_string())).into(),
    }
}

fn refuted() -> Certificate {
    let model = PathModel::parse("all,subnormals=flush,accumulator=binary32", F).unwrap();
    let mut path = TreePath::plain(3, &model);
    path.products[1].mode = RoundingMode::TowardPositive;
    path.products[2].flushes.right = true;
    path.additions[0] = Addition { left: 2, right: 3, contracted: true, choice: path.products[1] };
    path.additions[1] = Addition { left: 1, right: 0, ..path.additions[1] };
    path.additions[2] = Addition { left: 5, right: 4, ..path.additions[2] };
    path.additions[2].choice.flushes.result = true;
    let neurons = vec![NeuronPath { layer: 1, neuron: 17, path: path.into(), value: None }];
    let claim = Claim { model, ..proved().claim };
    let witness = Witness { at: At::Row(3), output: 0, value: Encoding::from_bits(0x7fc0), neurons };
    let evidence = Some(Evidence::Witness(witness));
    Certificate { claim, source: None, verdict: Verdict::Refuted, evidence, lemmas: vec![], ..proved() }
}

fn computed() -> Certificate {
    let property =
        KernelProperty::Computes { trees: 1, leaves: 3, tolerance: (1, 1024).into(), exceptions: vec![] }.into();
    let shape = Shape { rows: 0, ..proved().claim.shape };
    let claim = Claim { property, shape, ..proved().claim };
    let forest = Some(reference("forest.safetensors"));
    Certificate { claim, dataset: None, forest, source: None, ..proved() }
}

fn parse(text: &str) -> Result<Certificate, CertificateError> {
    Certificate::parse(Path::new("certificate.json"), text.as_bytes())
}

/// The message after a piece of a certificate's text was replaced.
fn refused_in(certificate: &Certificate, from: &str, to: &str) -> String {
    let text = certificate.to_json().unwrap();
    assert!(text.contains(from), "`{from}` is not in {text}");
    let error = parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
    error.strip_prefix("certificate.json: ").unwrap().to_string()
}

fn refused(from: &str, to: &str) -> String {
    refused_in(&proved(), from, to)
}

#[test]
fn a_proof_looks_like_this() {
    insta::assert_snapshot!(proved().to_json().unwrap(), @r#"
    {
      "schema": 1,
      "claim": {
        "property": "memorizes",
        "format": "bfloat16",
        "model": {
          "rounding": "any",
          "order": "any",
          "contraction": "any",
          "overflow": "ieee",
          "subnormals": "gradual",
          "accumulator": "same"
        },
        "shape": {
          "rows": 150,
          "input_dimension": 4,
          "output_dimension": 1,
          "layers": 3,
          "parameters": 84
        }
      },
      "network": {
        "path": "network.safetensors",
        "sha256": "45650c1f57ef42fcccd3e81dd1222f4738cdb86993d047179a5d201ac7b8881d"
      },
      "dataset": {
        "path": "dataset.safetensors",
        "sha256": "14cde28fa6137669a20884ee33bebedc53048dea8aee1a354735af91947d7c9e"
      },
      "source": {
        "path": "iris.csv",
        "sha256": "47612b3175fece07f6c3e91992412c5b16ca88a9068cb72fecbcf653eb5ffcd7",
        "labels": [
          "class"
        ]
      },
      "verdict": "Proved",
      "evidence": {
        "kind": "box-network",
        "separator": "3:0x4190 #1 0:0x0080 - #0"
      },
      "lemmas": [
        {
          "name": "dominance",
          "established": "enumerated"
        }
      ],
      "provenance": {
        "strategy": "tree",
        "version": "0.1.0"
      }
    }
    "#);
}

#[test]
fn a_refutation_looks_like_this() {
    let text = refuted().to_json().unwrap();
    let (_, evidence) = text.split_once("\"evidence\": ").unwrap();
    insta::assert_snapshot!(evidence, @r#"
    {
        "kind": "witness",
        "row": 3,
        "output": 0,
        "value": "0x7fc0",
        "neurons": [
          {
            "layer": 1,
            "neuron": 17,
            "path": "3 RNE; p1 RTP; p2 RNE/r; a0 fma(2,3) RTP; a1 add(1,0); a2 add(5,4) RNE/o; out RNE"
          }
        ]
      },
      "lemmas": [],
      "provenance": {
        "strategy": "tree",
        "version": "0.1.0"
      }
    }
    "#);
    let (_, model) = text.split_once("\"model\": ").unwrap();
    let (model, _) = model.split_once("\"shape\"").unwrap();
    insta::assert_snapshot!(model.trim_end(), @r#"
    {
          "rounding": "any",
          "order": "any",
          "contraction": "any",
          "overflow": "ieee",
          "subnormals": "flush",
          "accumulator": {
            "format": "binary32",
            "overflow": "ieee"
          }
        },
    "#);
}

#[test]
fn files_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate.json");
    for certificate in [proved(), refuted()] {
        let digest = certificate.write(&path).unwrap();
        assert_eq!(Certificate::read(&path).unwrap(), Stored { value: certificate, digest });
    }
    let error = Certificate::read(&folder.path().join("none.json")).unwrap_err();
    assert!(matches!(*error.problem, CertificateProblem::Unreadable(_)), "{error}");
    let error = proved().write(&folder.path().join("no/folder.json")).unwrap_err();
    assert!(matches!(*error.problem, CertificateProblem::Unwritable(_)), "{error}");
    let mut broken = proved();
    broken.evidence = None;
    assert!(matches!(*broken.write(&path).unwrap_err().problem, CertificateProblem::Inconsistent(_)));
    assert!(Certificate::read(&path).is_ok(), "what stood there before still does");
}

#[test]
fn other_versions_are_refused_before_anything_else() {
    assert_eq!(
        refused("\"schema\": 1", "\"schema\": 2, \"x\": 3"),
        "is a certificate of schema 2; this program reads schema 1"
    );
    assert_eq!(refused("\"schema\": 1,", ""), "schema: the field is missing");
    assert!(refused("\"schema\": 1", "\"schema\": \"1\"").contains("schema: a number is needed, not a string"));
    assert!(refused("\"schema\": 1", "\"schema\": 1.0").contains("not strict JSON"));
}

#[test]
fn keys_are_all_known_and_there_once() {
    assert!(
        refused("\"verdict\":", "\"comment\": \"x\", \"verdict\":")
            .starts_with("comment: unknown field (known: schema, ")
    );
    assert!(refused("\"order\":", "\"odrer\":").starts_with("claim.model.order: the field is missing"));
    assert!(refused("\"rows\":", "\"rows\": 150, \"rows\":").contains("the key `rows` is there twice at line"));
    assert!(refused("\"version\":", "\"version\": \"1\", \"version\":").contains("`version` is there twice"));
    assert!(refused("\"name\":", "\"name\": \"x\", \"name\":").contains("`name` is there twice"));
    assert!(
        refused("\"kind\":", "\"row\": 1, \"kind\":")
            .starts_with("evidence.row: unknown field (known: kind, separator)")
    );
    assert!(
        refused("\"rows\": 150", "\"rows\": 150, \"columns\": 4").starts_with("claim.shape.columns: unknown field")
    );
}

#[test]
fn the_source_of_a_network_is_named_or_it_is_not() {
    let named = Certificate { network_source: Some(reference("model.onnx")), ..proved() };
    let text = named.to_json().unwrap();
    assert_eq!(Certificate::parse(Path::new("c"), text.as_bytes()).unwrap(), named);
    let digest = reference("model.onnx").sha256;
    let field =
        format!("  \"network_source\": {{\n    \"path\": \"model.onnx\",\n    \"sha256\": \"{digest}\"\n  }},\n");
    assert!(text.contains(&field), "{text}");
    assert_eq!(proved().to_json().unwrap(), text.replace(&field, ""));
    let wrong = text.replace("model.onnx", "../model.onnx");
    assert!(Certificate::parse(Path::new("c"), wrong.as_bytes()).is_err());
}

#[test]
fn values_have_one_type_and_one_spelling() {
    assert!(refused("\"rows\": 150", "\"rows\": \"150\"").starts_with("claim.shape.rows: a number is needed"));
    assert!(refused("\"rows\": 150", "\"rows\": -1").contains("not strict JSON"));
    assert!(refused("\"version\": \"0.1.0\"", "\"version\": 1").starts_with("provenance.version: a string is needed"));
    assert!(refused("\"format\": \"bfloat16\"", "\"format\": \"bf16\"").contains("`bfloat16` is how"));
    assert!(refused("\"memorizes\"", "\"memorises\"").contains("did you mean `memorizes`?"));
    assert!(refused("\"Proved\"", "\"proved\"").contains("did you mean `Proved`?"));
    assert!(refused("\"box-network\"", "\"boxes\"").contains("unknown kind of evidence"));
    assert!(refused("\"gradual\"", "\"gradually\"").contains("claim.model.subnormals: `gradually`: unknown"));
    assert!(refused("\"same\"", "\"binary32\"").contains("claim.model.accumulator: `binary32`"));
    assert!(refused("\"same\"", "{\"format\": \"binary32\"}").contains("claim.model.accumulator.overflow: the field"));
    assert!(refused("\"overflow\": \"ieee\"", "\"overflow\": \"wrap\"").contains("unknown overflow policy"));
    let digest = Digest::of(b"iris").to_string();
    assert!(refused(&digest, &digest.to_uppercase()).starts_with("source.sha256: "));
    assert!(refused(&digest, &digest[1..]).contains("64 lowercase hexadecimal digits"));
}

#[test]
fn paths_stay_in_the_folder() {
    for path in ["/etc/passwd", "../iris.csv", "a/../b", "a//b", "", ".", "a/", "C:\\\\x", "a\\\\b", "c:x"] {
        let message = refused("\"iris.csv\"", &format!("\"{path}\""));
        assert!(message.contains("source.path: ") && message.contains("folder is needed"), "{message}");
    }
    let inside: RelativePath = "a/b.csv".parse().unwrap();
    assert_eq!(inside.beside(Path::new("proofs/certificate.json")), Path::new("proofs/a/b.csv"));
    assert_eq!(inside.beside(Path::new("certificate.json")), Path::new("a/b.csv"));
}

#[test]
fn separators_have_one_spelling() {
    let text = "3:0x4190 #1 0:0x0080 - #0";
    let with = |separator: &str| refused(text, separator);
    for wrong in
        ["3:0x4190  #1", " 3:0x4190", "3:0x4190 ", "03:0x4190", "+3:0x4190", "#01", "#-1", "#4294967296", "x", "--"]
    {
        let message = with(wrong);
        assert!(message.contains("evidence.separator: ") && message.contains("is neither"), "{message}");
    }
    for wrong in ["3:0x419", "3:0x04190", "3:0X4190", "3:4190", "3:0x41A0", "3:0x+190", "3:18", "3:"] {
        assert!(with(wrong).contains("node 0: a value of bfloat16 is `0x` and 4 lowercase"), "{wrong}");
    }
}

#[test]
fn a_value_must_be_an_encoding_of_the_format() {
    // 19 bits in five digits; no negative zero in fnuz formats.
    assert!(notation::read_value(Format::TF32, "0x7ffff").is_ok());
    assert!(notation::read_value(Format::TF32, "0x80000").is_err());
    assert!(notation::read_value(Format::FLOAT8_E4M3FNUZ, "0x80").is_ok());
    assert!(notation::read_value(Format::unbounded(4).unwrap(), "0x800000000").is_err());
    let mut certificate = refuted();
    if let Some(Evidence::Witness(witness)) = &mut certificate.evidence {
        witness.value = Encoding::from_bits(0x1_0000);
    }
    assert_eq!(certificate.to_json(), Err(Inconsistency::Value { bits: 0x1_0000 }));
}

#[test]
fn paths_have_one_spelling() {
    let text = "3 RNE; p1 RTP; p2 RNE/r; a0 fma(2,3) RTP; a1 add(1,0); a2 add(5,4) RNE/o; out RNE";
    let with = |path: &str| refused_in(&refuted(), text, path);
    for (wrong, what) in [
        ("", "begins with the number"),
        ("3", "begins with the number"),
        ("3 RNX", "begins with the number"),
        ("03 RNE", "begins with the number"),
        ("3 RNE;p1 RTP", "begins with the number"),
        ("3 RNE; p3 RTP", "`p3 RTP` is not a change of a path of 3 products"),
        ("3 RNE; p1 RTP/", "is not a change"),
        ("3 RNE; p1 RTP/rl", "is not a change"),
        ("3 RNE; p1 RTP/x", "is not a change"),
        ("3 RNE; a1 mul(1,2)", "is not a change"),
        ("3 RNE; a1 add(1,2", "is not a change"),
        ("3 RNE; a1 add(1, 2)", "is not a change"),
        ("3 RNE; a1 add(1,2) ", "is not a change"),
        ("3 RNE; b", "is not a change"),
        ("3 RNE; ", "is not a change"),
        ("3 RNE; p1 RNE", "written otherwise: `3 RNE`"),
        ("3 RNE; p2 RTP; p1 RTP", "written otherwise: `3 RNE; p1 RTP; p2 RTP`"),
        ("3 RNE; p1 RTZ; p1 RTP", "written otherwise: `3 RNE; p1 RTP`"),
        ("3 RNE; a0 add(0,1)", "written otherwise: `3 RNE`"),
        ("1 RTZ; p0 RNA; a0 RNA", "written otherwise: `1 RNA`"),
        ("0 RTZ", "written otherwise: `0 RNE`"),
        ("4194305 RNE", "may have 4194304 terms together"),
        ("4294967295 RNE", "may have 4194304 terms together"),
    ] {
        let message = with(wrong);
        assert!(message.starts_with("evidence.neurons[0].path: ") && message.contains(what), "{wrong}: {message}");
    }
}

#[test]
fn many_long_paths_in_few_bytes_are_refused() {
    let neuron = "{\"layer\": 0, \"neuron\": 0, \"path\": \"3000000 RNE\"}";
    let text = refuted().to_json().unwrap();
    let (start, rest) = text.split_once("\"neurons\": [").unwrap();
    let (_, end) = rest.split_once(']').unwrap();
    let error = parse(&format!("{start}\"neurons\": [{neuron}, {neuron}]{end}")).unwrap_err().to_string();
    assert!(error.contains("evidence.neurons[1].path: `3000000 RNE`: the paths of a witness may have"), "{error}");
}

#[test]
fn verdict_and_evidence_go_together() {
    for (verdict, evidence, fits) in [
        (Verdict::Proved, Some(Evidence::Paths), true),
        (Verdict::Proved, None, false),
        (Verdict::Proved, refuted().evidence, false),
        (Verdict::Refuted, refuted().evidence, true),
        (Verdict::Refuted, Some(Evidence::Paths), false),
        (Verdict::Refuted, None, false),
        (Verdict::Attested, None, true),
        (Verdict::Attested, Some(Evidence::Paths), false),
        (Verdict::Vacuous, None, true),
        (Verdict::Unknown, None, true),
        (Verdict::Unknown, refuted().evidence, false),
    ] {
        let certificate = Certificate { verdict, evidence, ..refuted() };
        match certificate.to_json() {
            Ok(text) => assert!(fits && parse(&text).unwrap() == certificate),
            Err(error) => assert!(!fits && matches!(error, Inconsistency::Evidence { .. }), "{error}"),
        }
    }
    assert_eq!(
        refused("\"Proved\"", "\"Unknown\""),
        "the verdict Unknown needs no evidence; here is that of a box network"
    );
}

#[test]
fn a_model_that_the_format_lacks_is_refused() {
    let mut certificate = proved();
    certificate.claim.model.summation.trees_mut().accumulator =
        Accumulator::Wider { format: Format::BINARY16, overflow: Overflow::Ieee };
    let error = certificate.to_json().unwrap_err().to_string();
    assert_eq!(error, "claim.model: accumulator binary16 does not contain every value of bfloat16");
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused_or_seen() {
    for certificate in [proved(), refuted()] {
        let text = certificate.to_json().unwrap();
        let bytes = text.trim_end().as_bytes();
        let path = Path::new("x");
        for end in 0..bytes.len() {
            assert!(Certificate::parse(path, &bytes[..end]).is_err(), "cut to {end} bytes");
        }
        let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.to_vec();
                flipped[position] ^= 1 << bit;
                if let Ok(read) = Certificate::parse(path, &flipped) {
                    // White space may change outside strings; any other change makes another certificate.
                    let white = bytes[position].is_ascii_whitespace() && flipped[position].is_ascii_whitespace();
                    assert_eq!(read == certificate, white, "{position} {bit}");
                    assert_eq!(json(read.to_json().unwrap().as_bytes()), json(&flipped));
                }
            }
        }
    }
}

fn choice() -> impl Strategy<Value = Choice> {
    let flushes = prop_oneof![3 => Just((false, false, false)), 1 => any::<(bool, bool, bool)>()];
    (prop::sample::select(RoundingMode::ALL), flushes)
        .prop_map(|(mode, (left, right, result))| Choice { mode, flushes: Flushes { left, right, result } })
}

fn path() -> impl Strategy<Value = TreePath> {
    let term = (choice(), choice(), any::<bool>(), any::<bool>(), 0u32..300, 0u32..300);
    (prop::collection::vec(term, 0..20), prop::option::of(choice())).prop_map(|(terms, narrowing)| {
        let plain = TreePath::plain(terms.len(), &PathModel::all(F));
        let additions =
            terms.iter().zip(&plain.additions).map(|(&(_, choice, contracted, keep, left, right), plain)| {
                if keep { Addition { choice, ..*plain } } else { Addition { left, right, contracted, choice } }
            });
        TreePath { products: terms.iter().map(|term| term.0).collect(), additions: additions.collect(), narrowing }
    })
}

fn node() -> impl Strategy<Value = Node> {
    let bits = any::<u16>().prop_map(|bits| Encoding::from_bits(bits.into()));
    prop_oneof![
        (any::<u32>(), bits).prop_map(|(column, threshold)| Node::Split { column, threshold }),
        any::<u32>().prop_map(Node::Nested),
        any::<u32>().prop_map(Node::Box),
        Just(Node::Empty),
    ]
}

fn evidence() -> impl Strategy<Value = (Verdict, Option<Evidence>)> {
    let separator = prop::collection::vec(node(), 0..12).prop_map(|nodes| Evidence::BoxNetwork(Separator { nodes }));
    let value = prop::option::of(any::<u16>().prop_map(|bits| Encoding::from_bits(bits.into())));
    let neuron = (0usize..9, any::<u32>(), path(), value).prop_map(|(layer, neuron, path, value)| NeuronPath {
        layer,
        neuron: neuron as usize,
        path: path.into(),
        value,
    });
    let point = prop::collection::vec(any::<u16>().prop_map(|bits| Encoding::from_bits(bits.into())), 0..4);
    let at = prop_oneof![any::<u16>().prop_map(|row| At::Row(row.into())), point.prop_map(At::Point)];
    let witness = (at, 0usize..9, any::<u16>(), prop::collection::vec(neuron, 0..4));
    let witness = witness.prop_map(|(at, output, value, neurons)| {
        Evidence::Witness(Witness { at, output, value: Encoding::from_bits(value.into()), neurons })
    });
    prop_oneof![
        prop_oneof![separator, Just(Evidence::Paths)].prop_map(|evidence| (Verdict::Proved, Some(evidence))),
        witness.prop_map(|evidence| (Verdict::Refuted, Some(evidence))),
        prop::sample::select(&[Verdict::Attested, Verdict::Vacuous, Verdict::Unknown][..]).prop_map(|v| (v, None)),
    ]
}

fn model() -> impl Strategy<Value = PathModel> {
    let rounding = prop::option::of(prop::sample::select(RoundingMode::ALL));
    let accumulators = [Accumulator::Same, Accumulator::Wider { format: Format::BINARY32, overflow: Overflow::Nan }];
    let overflow = prop::sample::select(Overflow::ALL);
    let rest = (prop::sample::select(Subnormals::ALL), prop::sample::select(accumulators.to_vec()));
    (rounding, any::<bool>(), any::<bool>(), overflow, rest).prop_map(
        |(rounding, any_order, contract, overflow, (subnormals, accumulator))| PathModel {
            rounding: rounding.map_or(Rounding::Any, Rounding::Mode),
            overflow,
            subnormals,
            summation: Summation::Trees(Trees {
                order: if any_order { Order::Any } else { Order::LeftToRight },
                contraction: if contract { Contraction::Any } else { Contraction::None },
                accumulator,
            }),
        },
    )
}

proptest! {
    #[test]
    fn certificates_read_back(
        (verdict, evidence) in evidence(), model in model(), counts in any::<[u32; 5]>(),
        provenance in prop::collection::btree_map("\\PC{0,9}", "(?s).{0,9}", 0..4),
        labels in prop::option::of(prop::collection::vec(".{0,9}", 0..3)),
        lemmas in prop::collection::vec((".{0,9}", ".{0,9}"), 0..3),
    ) {
        let [rows, input_dimension, output_dimension, layers, parameters] = counts.map(|count| count as usize);
        let shape = Shape { rows, input_dimension, output_dimension, layers, parameters };
        let claim = Claim { model, shape, ..proved().claim };
        let source = labels.and_then(|labels| Some(SourceReference { labels, ..proved().source? }));
        let lemmas = lemmas.into_iter().map(|(name, established)| LemmaReference { name, established }).collect();
        let certificate = Certificate { claim, verdict, evidence, source, lemmas, provenance, ..proved() };
        let text = certificate.to_json().unwrap();
        let read = parse(&text).unwrap();
        prop_assert_eq!(read.to_json().unwrap(), text);
        prop_assert_eq!(read, certificate);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(Certificate::parse(Path::new("x"), &bytes).is_err());
    }

    #[test]
    fn no_notation_panics(text in "[0-9a-fpRNETZPout();:,/# x-]{0,40}", terms in 0usize..9) {
        let mut left = notation::MAX_TERMS;
        for path in [text.clone(), format!("{terms} RTZ; {text}"), format!("{terms} RTZ; a{text}")] {
            if let Ok(read) = notation::read_path(&path, &mut left) {
                prop_assert_eq!(notation::write_path(&read), path);
            }
        }
        if let Ok(separator) = notation::read_separator(F, &text) {
            prop_assert_eq!(notation::write_separator(F, &separator), text);
        }
    }
}

#[test]
fn a_claim_about_a_forest_reads_back_and_names_its_files() {
    let certificate = computed();
    let text = certificate.to_json().unwrap();
    assert_eq!(parse(&text).unwrap(), certificate);
    assert!(text.contains(r#""tolerance": "1/1024""#) && text.contains(r#""forest""#), "{text}");

    let refused = |from: &str, to: &str| refused_in(&computed(), from, to);
    for other in ["2/2048", "-1/1024", "1/0", "0.5", "", "+1", "01", "1/1"] {
        let message = refused(r#""1/1024""#, &format!("{other:?}"));
        assert!(message.contains("`n` or `n/d` in lowest terms"), "{other}: {message}");
    }
    assert!(refused(r#""trees": 1,"#, "").contains("trees"));
    assert!(refused(r#""exceptions": []"#, r#""exceptions": [1]"#).contains("needs the field dataset"));
    assert!(refused(r#""rows": 0"#, r#""rows": 1"#).contains("needs the field dataset"));
    assert!(refused(r#""property": "computes""#, r#""property": "memorizes""#).contains("trees"));

    let without = Certificate { forest: None, ..computed() };
    assert!(matches!(without.check(), Err(Inconsistency::Files { property: "computes", .. })));
    let without = Certificate { dataset: None, ..proved() };
    assert!(matches!(without.check(), Err(Inconsistency::Files { property: "memorizes", .. })));
    let with = Certificate { forest: computed().forest, ..proved() };
    assert!(matches!(with.check(), Err(Inconsistency::Files { property: "memorizes", .. })));
}

fn approximated(accuracy: roundproof_approximation::Accuracy) -> Certificate {
    let function = roundproof_functions::Function::parse("mul").unwrap();
    let ends = [0xc080, 0x4080].map(Encoding::from_bits);
    let domain = vec![ends.into(), (F.zero(), F.one(false))];
    let approximation = roundproof_approximation::Approximation { function, domain, accuracy };
    let property = Approximates { approximation, leaves: 3 }.into();
    Certificate { claim: Claim { property, ..computed().claim }, ..computed() }
}

#[test]
fn approximations_read_back_and_their_other_spellings_are_refused() {
    use roundproof_approximation::Accuracy;
    let mode = RoundingMode::TiesToEven;
    let exact = approximated(Accuracy::Rounded { mode, overflow: Overflow::Saturate });
    let near = approximated(Accuracy::Within((1, 128).into()));
    let farther = approximated(Accuracy::Excess((1, 128).into()));
    for certificate in [&exact, &near, &farther] {
        assert_eq!(&parse(&certificate.to_json().unwrap()).unwrap(), certificate);
    }
    let refused = |from: &str, to: &str| refused_in(&exact, from, to);
    assert!(refused(r#""function": "x*y""#, r#""function": "x*z""#).contains("claim.function"));
    assert!(refused(r#""function": "x*y""#, r#""function": "mul""#).contains("claim.function"));
    assert!(refused(r#""low": "0xc080""#, r#""low": "-4""#).contains("claim.domain[0].low"));
    assert!(refused(r#""low": "0xc080""#, r#""low": "0xc080", "step": "0x0001""#).contains("claim.domain[0].step"));
    assert!(refused(r#""rounding": "ties-to-even""#, r#""rounding": "nearest""#).contains("claim.accuracy.rounding"));
    assert!(refused(r#""rounding": "ties"#, r#""error": "1", "rounding": "ties"#).contains("claim.accuracy"));
    assert!(refused(r#""leaves": 3"#, r#""leaves": "3""#).contains("claim.leaves"));
    assert!(refused(r#""leaves": 3"#, r#""leaves": 3, "trees": 1"#).contains("claim.trees"));
    assert!(refused(r#""property": "approximates""#, r#""property": "computes""#).contains("claim"));
    assert!(refused_in(&near, r#""error": "1/128""#, r#""error": "2/256""#).contains("claim.accuracy.error"));
    assert!(refused_in(&near, r#""error": "1/128""#, r#""error": "-1/128""#).contains("claim.accuracy.error"));
    assert!(refused_in(&farther, r#""excess": "1/128""#, r#""excess": "0.5""#).contains("claim.accuracy.excess"));
    let both = r#""error": "1/128", "excess": "1/128""#;
    assert!(refused_in(&farther, r#""excess": "1/128""#, both).contains("claim.accuracy.excess"));

    let with_data = Certificate { dataset: Some(reference("dataset.safetensors")), ..exact.clone() };
    let without_forest = Certificate { forest: None, ..exact };
    for certificate in [with_data, without_forest] {
        assert!(matches!(certificate.check(), Err(Inconsistency::Files { property: "approximates", .. })));
    }
}
