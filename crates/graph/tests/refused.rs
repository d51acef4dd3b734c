//! Each invariant of a graph, broken: it is refused, with the place.

use roundproof_format::{Encoding, Format};
use roundproof_graph::{
    Function, Graph, GraphError, MAX_NODES, Node, Op, Pick, Pool, Problem, Reduction, Source, Tensor, TensorId, Unary,
};
use roundproof_network::{Axis, Datatype, Encodings, Geometry, Store};

const FORMAT: Format = Format::BINARY32;

/// Tensors, nodes and outputs that may be a graph.
#[derive(Clone)]
struct Parts {
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
    outputs: Vec<TensorId>,
}

impl Parts {
    fn new() -> Parts {
        Parts { tensors: Vec::new(), nodes: Vec::new(), outputs: Vec::new() }
    }

    fn tensor(&mut self, shape: &[usize], source: Source) -> TensorId {
        let (name, datatype) = (format!("t{}", self.tensors.len()), Datatype::Float(FORMAT));
        self.tensors.push(Tensor { name, shape: shape.to_vec(), datatype, source });
        self.tensors.len() - 1
    }

    fn ones(&mut self, shape: &[usize]) -> TensorId {
        let ones = vec![FORMAT.one(false); shape.iter().product()];
        self.tensor(shape, Source::Constant(Encodings::collect(FORMAT, ones)))
    }

    fn node(&mut self, op: Op, reads: &[TensorId], shape: &[usize]) -> TensorId {
        let writes = self.tensor(shape, Source::Node(self.nodes.len()));
        self.nodes.push(Node { name: "n".to_string(), op, reads: reads.to_vec(), writes });
        self.outputs = vec![writes];
        writes
    }

    fn graph(&self) -> Result<Graph, GraphError> {
        Graph::new(self.tensors.clone(), self.nodes.clone(), self.outputs.clone())
    }
}

/// One node that reads tensors of these shapes, the first of them an input.
fn one(op: Op, reads: &[&[usize]], shape: &[usize]) -> Parts {
    let mut parts = Parts::new();
    let mut ids = vec![parts.tensor(reads[0], Source::Input)];
    ids.extend(reads[1..].iter().map(|shape| parts.ones(shape)));
    parts.node(op, &ids, shape);
    parts
}

/// What is wrong with parts that make a graph before a change.
fn broken(parts: &Parts, change: impl FnOnce(&mut Parts)) -> Problem {
    parts.graph().expect("a graph, before the change");
    let mut parts = parts.clone();
    change(&mut parts);
    parts.graph().expect_err("no graph, after it").problem
}

fn relu() -> Parts {
    one(Op::Unary(Unary::Relu), &[&[1, 2]], &[1, 2])
}

#[test]
fn the_whole() {
    assert_eq!(broken(&relu(), |parts| parts.outputs.clear()), Problem::Empty);
    assert_eq!(broken(&relu(), |parts| parts.outputs.push(9)), Problem::Unmade { tensor: 9 });
    let constant = |parts: &mut Parts| {
        let ones = Encodings::collect(FORMAT, [FORMAT.one(false); 2]);
        parts.tensors[0].source = Source::Constant(ones);
    };
    assert_eq!(broken(&relu(), constant), Problem::Empty);
    let many = |parts: &mut Parts| {
        for _ in 0..MAX_NODES {
            parts.node(Op::Unary(Unary::Neg), &[0], &[1, 2]);
        }
    };
    assert_eq!(broken(&relu(), many), Problem::Nodes { nodes: MAX_NODES + 1 });
}

#[test]
fn tensors() {
    let shape = vec![1 << 20, 1 << 20];
    let large = |parts: &mut Parts| parts.tensors[0].shape.clone_from(&shape);
    assert_eq!(broken(&relu(), large), Problem::Size { shape: shape.clone() });
    assert_eq!(broken(&relu(), |parts| parts.tensors[0].shape = vec![1; 9]), Problem::Size { shape: vec![1; 9] });
    let sum = one(Op::Add, &[&[1, 2], &[2]], &[1, 2]);
    let with = |values: Encodings| move |parts: &mut Parts| parts.tensors[1].source = Source::Constant(values);
    let short = Encodings::collect(FORMAT, [FORMAT.zero()]);
    assert_eq!(broken(&sum, with(short)), Problem::Stored { stored: 1, shape: vec![2] });
    let narrow = Encodings::from_store(Store::U16(vec![0; 2]));
    assert_eq!(broken(&sum, with(narrow)), Problem::Value { element: 0, format: FORMAT });
    let infinite = Encodings::collect(FORMAT, [FORMAT.zero(), Encoding::from_bits(0x7f80_0000)]);
    assert_eq!(broken(&sum, with(infinite)), Problem::Value { element: 1, format: FORMAT });
}

#[test]
fn what_nodes_read_and_make() {
    let sum = one(Op::Add, &[&[1, 2], &[2]], &[1, 2]);
    let reads = |found: usize| Problem::Reads { op: "Add", expected: "2".to_string(), found };
    assert_eq!(broken(&sum, |parts| parts.nodes[0].reads.truncate(1)), reads(1));
    assert_eq!(broken(&sum, |parts| parts.nodes[0].reads.push(0)), reads(3));
    assert_eq!(broken(&sum, |parts| parts.nodes[0].reads[1] = 9), Problem::Unmade { tensor: 9 });
    // Itself.
    assert_eq!(broken(&sum, |parts| parts.nodes[0].reads[1] = 2), Problem::Unmade { tensor: 2 });
    assert_eq!(broken(&sum, |parts| parts.nodes[0].writes = 9), Problem::Maker { tensor: 9 });
    assert_eq!(broken(&sum, |parts| parts.nodes[0].writes = 0), Problem::Maker { tensor: 0 });
    assert_eq!(broken(&sum, |parts| parts.tensors[2].source = Source::Node(1)), Problem::Maker { tensor: 2 });
    let unmade = |parts: &mut Parts| {
        parts.tensor(&[1], Source::Node(7));
    };
    assert_eq!(broken(&sum, unmade), Problem::Unmade { tensor: 3 });
    let twice = |parts: &mut Parts| parts.nodes.push(parts.nodes[0].clone());
    assert_eq!(broken(&sum, twice), Problem::Maker { tensor: 2 });
    // Nothing at all.
    let picks = vec![Pick { read: 0, element: 1 }, Pick { read: 0, element: 0 }];
    let arranged = one(Op::Arrange(picks), &[&[1, 2]], &[2]);
    assert_eq!(
        broken(&arranged, |parts| parts.nodes[0].reads.clear()),
        Problem::Reads { op: "Arrange", expected: "at least 1".to_string(), found: 0 }
    );
}

#[test]
fn data_types_constants_and_parameters() {
    let double = |parts: &mut Parts| parts.tensors[0].datatype = Datatype::Float(Format::BINARY64);
    assert_eq!(broken(&relu(), double), Problem::Datatypes);
    let mut cast = relu();
    cast.nodes[0].op = Op::Cast;
    double(&mut cast);
    cast.graph().expect("a cast is between data types");
    let epsilon = Encoding::from_bits(1e-5f32.to_bits().into());
    let batch = one(Op::BatchNormalization { epsilon }, &[&[1, 2, 3], &[2], &[2], &[2], &[2]], &[1, 2, 3]);
    assert_eq!(broken(&batch, |parts| parts.tensors[3].source = Source::Input), Problem::Constant { read: 3 });
    let shapes = |parts: &mut Parts| {
        let ones = parts.ones(&[3]);
        parts.nodes[0].reads[2] = ones;
    };
    assert!(matches!(broken(&batch, shapes), Problem::Shapes { .. }));
    let infinity = Encoding::from_bits(0x7f80_0000);
    for unary in [
        Unary::LeakyRelu { slope: infinity },
        Unary::Clip { low: Some(infinity), high: None },
        Unary::Clip { low: None, high: Some(infinity) },
        Unary::HardSigmoid { slope: infinity, offset: epsilon },
        Unary::HardSigmoid { slope: epsilon, offset: infinity },
    ] {
        let problem = broken(&relu(), |parts| parts.nodes[0].op = Op::Unary(unary));
        assert_eq!(problem, Problem::Attribute { op: unary.name() });
    }
    let infinite = |parts: &mut Parts| parts.nodes[0].op = Op::BatchNormalization { epsilon: infinity };
    assert_eq!(broken(&batch, infinite), Problem::Attribute { op: "BatchNormalization" });
    // A limit is in the format of the tensor, and not in binary32: these are the bits of an infinity of binary16.
    let mut clip = relu();
    for tensor in &mut clip.tensors {
        tensor.datatype = Datatype::Float(Format::BINARY16);
    }
    let limit = |bits: u128| Op::Unary(Unary::Clip { low: None, high: Some(Encoding::from_bits(bits)) });
    clip.nodes[0].op = limit(0x7bff);
    assert_eq!(broken(&clip, |parts| parts.nodes[0].op = limit(0x7c00)), Problem::Attribute { op: "Clip" });
}

#[test]
fn shapes() {
    let axis = |size, window, before| Axis { size, window, stride: 1, dilation: 1, before, after: 0 };
    let geometry = |axis: Axis| Geometry::new(vec![axis]).expect("a geometry");
    let conv = |groups| Op::Conv { geometry: geometry(axis(4, 2, 0)), groups };
    type Good<'a> = (Op, &'a [&'a [usize]], &'a [usize]);
    let good: [Good<'_>; 9] = [
        (Op::MatMul, &[&[2, 1, 3], &[3, 4]], &[2, 1, 4]),
        (conv(2), &[&[1, 4, 4], &[2, 2, 2]], &[1, 2, 3]),
        (Op::Pool { pool: Pool::Max, geometry: geometry(axis(4, 2, 0)) }, &[&[1, 4, 4]], &[1, 4, 3]),
        (Op::Reduce { reduction: Reduction::Sum, axes: vec![0, 2] }, &[&[2, 3, 4]], &[1, 3, 1]),
        (Op::Softmax { axis: 1 }, &[&[2, 3]], &[2, 3]),
        (Op::PRelu, &[&[2, 3], &[3]], &[2, 3]),
        (Op::Where, &[&[2, 1], &[3], &[1]], &[2, 3]),
        (Op::Unary(Unary::Function(Function::Exp)), &[&[2]], &[2]),
        (Op::Arrange(vec![Pick { read: 1, element: 0 }; 4]), &[&[2], &[1]], &[2, 2]),
    ];
    for (op, reads, shape) in &good {
        let parts = one(op.clone(), reads, shape);
        let declared = |parts: &mut Parts| {
            let last = parts.tensors.len() - 1;
            parts.tensors[last].shape.push(2);
        };
        match broken(&parts, declared) {
            Problem::Result { found, declared: _ } => assert_eq!(found, *shape),
            Problem::Picks { picks } => assert_eq!((picks, op.name()), (4, "Arrange")),
            other => panic!("{op:?}: {other}"),
        }
    }
    let bad: [(Op, &[&[usize]]); 14] = [
        (Op::MatMul, &[&[1, 3], &[4, 2]]),
        (Op::MatMul, &[&[3], &[3, 2]]),
        (Op::MatMul, &[&[2, 1, 3], &[3, 3, 4]]),
        (conv(0), &[&[1, 4, 4], &[2, 2, 2]]),
        (conv(1), &[&[1, 4, 4], &[2, 2, 2]]),
        (conv(2), &[&[1, 4, 4], &[3, 2, 2]]),
        (conv(2), &[&[2, 4, 4], &[2, 2, 2]]),
        (conv(2), &[&[1, 4, 5], &[2, 2, 2]]),
        (conv(2), &[&[1, 4, 4], &[2, 2, 3]]),
        (Op::Pool { pool: Pool::Max, geometry: geometry(axis(4, 2, 0)) }, &[&[1, 4, 5]]),
        (Op::PRelu, &[&[3], &[2, 3]]),
        (Op::Add, &[&[2], &[3]]),
        (Op::Where, &[&[2], &[3], &[1]]),
        (Op::Where, &[&[2], &[2], &[3]]),
    ];
    for (op, reads) in bad {
        let found = one(op.clone(), reads, &[1]).graph().expect_err("shapes that do not fit");
        assert!(matches!(found.problem, Problem::Shapes { .. }), "{op:?}, {reads:?}: {found}");
    }
}

#[test]
fn axes_windows_and_picks() {
    let problem =
        |op: Op, reads: &[&[usize]], shape: &[usize]| one(op, reads, shape).graph().expect_err("none").problem;
    let reduce = |axes: Vec<usize>| Op::Reduce { reduction: Reduction::Max, axes };
    assert_eq!(problem(reduce(vec![2]), &[&[2, 3]], &[2, 3]), Problem::Axis { axis: 2, axes: 2 });
    assert_eq!(problem(reduce(vec![1, 0]), &[&[2, 3]], &[1, 1]), Problem::Axes);
    assert_eq!(problem(reduce(vec![1, 1]), &[&[2, 3]], &[2, 1]), Problem::Axes);
    assert_eq!(problem(Op::LogSoftmax { axis: 1 }, &[&[2]], &[2]), Problem::Axis { axis: 1, axes: 1 });
    let padded = Axis { size: 3, window: 1, stride: 1, dilation: 1, before: 1, after: 0 };
    let geometry = Geometry::new(vec![padded]).expect("a geometry");
    let pool = |pool| Op::Pool { pool, geometry: geometry.clone() };
    assert_eq!(problem(pool(Pool::Max), &[&[1, 1, 3]], &[1, 1, 4]), Problem::Window);
    assert_eq!(problem(pool(Pool::Average { padding_counts: false }), &[&[1, 1, 3]], &[1, 1, 4]), Problem::Window);
    one(pool(Pool::Average { padding_counts: true }), &[&[1, 1, 3]], &[1, 1, 4]).graph().expect("a mean of padding");
    let arrange = |read, element| Op::Arrange(vec![Pick { read, element }]);
    assert_eq!(problem(arrange(1, 0), &[&[2]], &[1]), Problem::Pick { read: 1, element: 0 });
    assert_eq!(problem(arrange(0, 2), &[&[2]], &[1]), Problem::Pick { read: 0, element: 2 });
    // 2^14 times 2^14 results of 2^10 operands each are too much for one node, though no tensor is too large.
    let mut parts = Parts::new();
    let (left, right) = (1 << 14, 1 << 10);
    let row = parts.tensor(&[left, right], Source::Input);
    let column = parts.tensor(&[right, left], Source::Input);
    parts.node(Op::MatMul, &[row, column], &[left, left]);
    assert_eq!(parts.graph().expect_err("too much").problem, Problem::Work { elements: left * left, operands: right });
}
