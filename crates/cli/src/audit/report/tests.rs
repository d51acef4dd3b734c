use insta::assert_snapshot;
use roundproof_audit::{NOT_COVERED, PathModel};
use roundproof_graph::Graph;
use roundproof_network::Datatype;

use super::*;

/// A graph of one input, which rounds nothing; and one node that names are taken from.
fn graph() -> Graph {
    use roundproof_format::Format;
    use roundproof_graph::{Node, Op, Source, Tensor, Unary};
    let tensor = |name: &str, source| Tensor {
        name: name.to_string(),
        shape: vec![1, 4],
        datatype: Datatype::Float(Format::BINARY32),
        source,
    };
    let node = Node { name: "relu \n0".to_string(), op: Op::Unary(Unary::Relu), reads: vec![0], writes: 1 };
    Graph::new(vec![tensor("x", Source::Input), tensor("y", Source::Node(0))], vec![node], vec![1]).expect("a graph")
}

fn margin(distance: (i32, i32), taken: (i32, i32), other: Option<usize>) -> Margin {
    let losses = other.map(|_| Loss { node: 0, taken: Rational::from(taken) }).into_iter().collect();
    Margin { element: 3, other, distance: Rational::from(distance), taken: Rational::from(taken), losses }
}

fn judged(row: usize, paths: &str, verdict: Verdict, names: &[&str], right: Option<bool>) -> Judged {
    let paths = AuditPaths::new(&PathModel::parse(paths).expect("a path model"));
    let called = |place: usize| names.get(place).map(ToString::to_string);
    Judged::new(&graph(), row, &paths, verdict, called, |_| right)
}

fn invariant(answer: &[usize], margin: Option<Margin>) -> Verdict {
    Verdict::Invariant { answer: answer.to_vec(), margin }
}

/// Every kind of verdict, in the words of the report.
#[test]
fn every_verdict_names_its_path_model() {
    let far = || Some(margin((3, 2), (1, 4096), Some(1)));
    let names = ["ant", "bee", "cat \"x\"\n", "dog"];
    let place = "node 0 (\"relu\", Relu)".to_string();
    let undecided = |missing| Verdict::Undecided(missing);
    let rows = [
        vec![judged(0, "portable", invariant(&[3], far()), &[], Some(true))],
        vec![
            judged(1, "portable", invariant(&[3], far()), &names, Some(false)),
            judged(1, "nearest", invariant(&[3], Some(margin((3, 2), (1, 8192), Some(1)))), &names, Some(false)),
            judged(1, "all,subnormals=flush", undecided(Missing::Divisor { place: place.clone() }), &names, None),
            judged(1, "once", invariant(&[2], None), &names, Some(true)),
        ],
        vec![judged(2, "portable", invariant(&[], None), &[], None)],
        vec![judged(3, "portable", invariant(&[0, 2, 3], Some(margin((1, 2), (0, 1), Some(1)))), &[], None)],
        vec![judged(4, "portable", undecided(Missing::Margin(margin((1, 8), (1, 4), Some(1)))), &[], None)],
        vec![judged(5, "portable", undecided(Missing::Margin(margin((1, 8), (1, 4), None))), &[], None)],
        vec![judged(6, "portable", undecided(Missing::Overflow { place }), &[], None)],
        vec![judged(
            7,
            "portable",
            undecided(Missing::Spread { element: 2, spread: Rational::from((1, 3)) }),
            &[],
            None,
        )],
        vec![judged(8, "portable", undecided(Missing::Decision), &[], None)],
    ];
    assert_snapshot!(rows.iter().map(|row| lines(row)).collect::<String>());
    for row in rows.iter().flatten() {
        let read: Judged = serde_json::from_str(&serde_json::to_string(row).expect("JSON")).expect("read back");
        assert_eq!(&read, row);
    }
}

#[test]
fn the_summary_has_a_line_for_each_path_model() {
    let far = || Some(margin((3, 2), (1, 4096), Some(1)));
    let mut tallies = ["portable", "all"].map(|name| {
        Tally::new(AuditPaths::new(&PathModel::parse(name).expect("a path model")), name == "portable", true)
    });
    for row in 0..2 {
        tallies[0].add(&judged(row, "portable", invariant(&[3], far()), &[], Some(row == 0)));
    }
    tallies[1].add(&judged(0, "all", invariant(&[3], far()), &[], Some(true)));
    tallies[1].add(&judged(1, "all", Verdict::Undecided(Missing::Decision), &[], None));
    assert!(tallies[0].all() && !tallies[1].all());
    let tail = Tail {
        summary: tallies.into_iter().map(Tally::summary).collect(),
        uncovered: vec![Uncovered { paths: "once".to_string(), reason: "node 0: not covered".to_string() }],
        unmet: vec!["invariant=all is required; of 2 rows, invariant are 1 under all".to_string()],
    };
    let head = Head {
        model: "m.onnx".to_string(),
        sha256: String::new(),
        data: "rows.csv".to_string(),
        data_sha256: String::new(),
        output: "y".to_string(),
        decision: "the largest element".to_string(),
        not_covered: NOT_COVERED,
    };
    assert_snapshot!(tail.text(&head));
}
