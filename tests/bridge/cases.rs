//! Random networks of boxes, each with a separator and the forest that it computes; and the same over the reals.

use std::collections::BTreeMap;

use roundproof_construct::compile::compile;
use roundproof_exact::{Datum, Rational, decode, encode, order_key, power_of_two};
use roundproof_format::{Encoding, Format};
use roundproof_kernel::{Evidence, Node, Separator};
use roundproof_network::{Activation, Dataset, Encodings, Forest, Layer, Network, SparseLayer, Tree, TreeNode};

use crate::theorem::{self, Arithmetic, Cell, Decision, Input, Net};

/// A small generator of pseudorandom numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A format, the arithmetic of the theorem, and the values that are put into networks.
pub struct Setting {
    pub format: Format,
    pub arithmetic: Arithmetic,
    pub palette: Vec<Rational>,
}

impl Setting {
    /// The bounded ones have infinities and exponents from `1 - emax` on, as in Overflow.v.
    pub fn new(name: &str) -> Setting {
        let format: Format = name.parse().expect(name);
        let window = match (format.emin(), format.emax()) {
            (Some(emin), Some(emax)) => i64::from(emin)..i64::from(emax) + 1,
            _ => -7..6,
        };
        let arithmetic = Arithmetic::new(format.precision(), window, format.is_bounded());
        let palette = arithmetic.inputs().into_iter();
        let moderate = |v: &Rational| *v == 0 || v.clone().abs() >= power_of_two(-2) && v.clone().abs() < 4;
        let palette = palette.filter(|v| format.is_bounded() || moderate(v)).collect();
        Setting { format, arithmetic, palette }
    }

    pub fn encoding(&self, real: &Rational) -> Option<Encoding> {
        if *real == 0 { Some(self.format.zero()) } else { encode(self.format, &Datum::Finite(real.clone())) }
    }

    pub fn real(&self, encoding: Encoding) -> Rational {
        decode(self.format, encoding).and_then(|datum| datum.rational()).expect("finite")
    }

    /// The value after `v`, if there is one.
    fn after(&self, v: &Rational) -> Option<Rational> {
        if *v == 0 && !self.format.is_bounded() {
            return None;
        }
        self.arithmetic.window.iter().find(|z| *z > v).filter(|z| self.encoding(z).is_some()).cloned()
    }

    /// The network over the reals.
    pub fn net(&self, network: &Network) -> Net {
        let cell = |layer: &SparseLayer<'_>, row| Cell {
            bias: self.real(layer.bias.get(row)),
            weights: layer.terms(row).map(|(column, weight)| (column as usize, self.real(weight))).collect(),
        };
        let cells = |layer: &SparseLayer<'_>| (0..layer.rows()).map(|row| cell(layer, row)).collect();
        Net {
            activations: network.as_layers().expect("layers").iter().map(|layer| layer.activation).collect(),
            layers: network.as_layers().expect("layers").iter().map(cells).collect(),
        }
    }

    /// The separators over the reals; none if the nodes are not complete trees.
    pub fn separators(&self, separator: &Separator) -> Option<Vec<theorem::Separator>> {
        let (mut nodes, mut found) = (separator.nodes.as_slice(), Vec::new());
        while !nodes.is_empty() {
            found.push(self.separator(&mut nodes)?);
        }
        (!found.is_empty()).then_some(found)
    }

    fn separator(&self, nodes: &mut &[Node]) -> Option<theorem::Separator> {
        let (node, rest) = nodes.split_first()?;
        *nodes = rest;
        Some(match *node {
            Node::Box(b) => theorem::Separator::Box(b as usize),
            Node::Empty => theorem::Separator::Empty,
            Node::Nested(b) => theorem::Separator::Nested(b as usize, Box::new(self.separator(nodes)?)),
            Node::Split { column, threshold } => {
                let [low, high] = [self.separator(nodes)?, self.separator(nodes)?].map(Box::new);
                theorem::Separator::Split(column as usize, self.real(threshold), low, high)
            }
        })
    }

    /// The trees of a forest over the reals.
    pub fn decisions(&self, forest: &Forest) -> Vec<Decision> {
        let outputs = forest.outputs();
        let decision = |tree: &Tree| {
            let labels: Vec<_> = tree.values.iter().map(|value| self.real(value)).collect();
            self.decision(&mut tree.nodes.as_slice(), &mut labels.as_slice(), outputs)
        };
        forest.trees().iter().map(decision).collect()
    }

    fn decision(&self, nodes: &mut &[TreeNode], labels: &mut &[Rational], outputs: usize) -> Decision {
        let (node, rest) = nodes.split_first().expect("a complete tree");
        *nodes = rest;
        match *node {
            TreeNode::Leaf => {
                let (label, rest) = labels.split_at(outputs);
                *labels = rest;
                Decision::Answer(label.to_vec())
            }
            TreeNode::Split { column, threshold } => {
                let [low, high] = [(); 2].map(|()| Box::new(self.decision(nodes, labels, outputs)));
                Decision::Decide(column as usize, self.real(threshold), low, high)
            }
        }
    }

    /// A data set of these rows; none if a label is not a value.
    pub fn dataset(&self, rows: &[(Input, Input)]) -> Option<Dataset> {
        let column = |numbers: Vec<&Rational>| {
            let encodings: Option<Vec<_>> = numbers.into_iter().map(|real| self.encoding(real)).collect();
            encodings.map(|encodings| Encodings::collect(self.format, encodings))
        };
        let (dimension, outputs) = (rows.first()?.0.len(), rows[0].1.len());
        let inputs = column(rows.iter().flat_map(|row| &row.0).collect())?;
        let labels = column(rows.iter().flat_map(|row| &row.1).collect())?;
        Dataset::new(self.format, dimension, outputs, inputs, labels).ok()
    }
}

/// A network, and what is said of it.
#[derive(Clone)]
pub struct Case {
    pub network: Network,
    pub separator: Separator,
    pub forest: Forest,
}

/// One side of a cut: `x[column] <= threshold`, or above.
#[derive(Clone)]
struct Cut {
    column: usize,
    threshold: Rational,
    above: bool,
}

/// What is being built: a separator, beside it a tree of the forest, and where the boxes are.
struct Maker<'a> {
    random: &'a mut Random,
    setting: &'a Setting,
    activation: Activation,
    dimension: usize,
    outputs: usize,
    nodes: Vec<Node>,
    boxes: Vec<(Vec<Cut>, Input)>,
    tree: (Vec<TreeNode>, Vec<Encoding>),
    units: Vec<(u32, Rational, Rational)>,
}

impl Maker<'_> {
    fn label(&mut self) -> Input {
        let small = self.random.one_in(2);
        let palette = self.setting.palette.iter().filter(|v| !small || **v == 0 || (*v).clone().abs() == 1);
        let palette: Vec<_> = palette.cloned().collect();
        (0..self.outputs).map(|_| self.random.pick(&palette).clone()).collect()
    }

    fn add_box(&mut self, cuts: &[Cut], sum: &Input) -> (u32, Input) {
        let label = self.label();
        let sum = sum.iter().zip(&label).map(|(sum, label)| Rational::from(sum + label)).collect();
        self.boxes.push((cuts.to_vec(), label));
        (self.boxes.len() as u32 - 1, sum)
    }

    /// A subtree; none if a leaf is not a value. `sum` is what the boxes around and the offset give.
    fn subtree(&mut self, cuts: &[Cut], budget: usize, sum: &Input) -> Option<()> {
        match self.random.below(if budget == 0 { 4 } else { 9 }) {
            kind @ (0..=2) => {
                let mut sum = sum.clone();
                if kind == 0 {
                    self.nodes.push(Node::Empty);
                } else {
                    let (neuron, with) = self.add_box(cuts, &sum);
                    self.nodes.push(Node::Box(neuron));
                    sum = with;
                }
                self.tree.0.push(TreeNode::Leaf);
                for real in &sum {
                    self.tree.1.push(self.setting.encoding(real)?);
                }
                Some(())
            }
            3 => {
                let (neuron, with) = self.add_box(cuts, sum);
                self.nodes.push(Node::Nested(neuron));
                self.subtree(cuts, budget.saturating_sub(1), &with)
            }
            _ => {
                let column = self.random.below(self.dimension);
                let zero = self.random.one_in(6);
                let threshold = if zero { Rational::new() } else { self.random.pick(&self.setting.palette).clone() };
                let encoding = self.setting.encoding(&threshold)?;
                self.nodes.push(Node::Split { column: column as u32, threshold: encoding });
                self.tree.0.push(TreeNode::Split { column: column as u32, threshold: encoding });
                for above in [false, true] {
                    let cut = Cut { column, threshold: threshold.clone(), above };
                    self.subtree(&[cuts.to_vec(), vec![cut]].concat(), budget.saturating_sub(2), sum)?;
                }
                Some(())
            }
        }
    }

    fn unit(&mut self, unit: (u32, Rational, Rational), fresh: bool) -> u32 {
        let place = self.units.iter().position(|other| *other == unit).filter(|_| !fresh);
        let place = place.unwrap_or_else(|| {
            self.units.push(unit);
            self.units.len() - 1
        });
        place as u32
    }

    /// A unit that has to fire, or to be silent, on one side of a cut; none where the format ends.
    fn step_side(&mut self, cut: &Cut) -> Option<(u32, i32)> {
        let (column, fresh) = (cut.column as u32, self.random.one_in(4));
        let next = self.setting.after(&cut.threshold).map(|next| -next);
        match next.filter(|_| self.random.one_in(2)) {
            None => {
                let unit = (column, Rational::from(-1), cut.threshold.clone());
                Some((self.unit(unit, fresh), if cut.above { -1 } else { 1 }))
            }
            Some(next) => Some((self.unit((column, Rational::from(1), next), fresh), if cut.above { 1 } else { -1 })),
        }
    }

    /// Units that have to be silent on one side of a cut, with their weights: one or more, as their strength may demand.
    fn relu_side(&mut self, cut: &Cut) -> Option<Vec<(u32, Rational)>> {
        let next = self.setting.after(&cut.threshold);
        // In F(p) nothing is next to 0: rows may be told apart nevertheless.
        let next = next.or_else(|| (cut.threshold == 0).then(|| power_of_two(-2)))?;
        let scale = power_of_two(self.random.below(3) as i64);
        let gap = Rational::from(&next - &cut.threshold) * &scale;
        let (weight, bias) = if cut.above { (-scale.clone(), next) } else { (scale.clone(), -cut.threshold.clone()) };
        let unit = (cut.column as u32, weight, bias * scale);
        let weights: Vec<_> = (-3..5).map(power_of_two).filter(|w| self.setting.encoding(w).is_some()).collect();
        let weight = match weights.iter().find(|w| Rational::from(*w * &gap) >= 1) {
            Some(least) if !self.random.one_in(4) => least.clone(),
            _ => self.random.pick(&weights).clone(),
        };
        let strength = Rational::from(&weight * &gap);
        let mut copies = 1;
        while Rational::from(copies) * &strength < 1 && copies < 8 {
            copies *= 2;
        }
        let copies = if self.random.one_in(6) { copies.max(2) - 1 } else { copies };
        Some((0..copies).map(|copy| (self.unit(unit.clone(), copy > 0), -weight.clone())).collect())
    }

    fn layer(&self, activation: Activation, cells: &[(BTreeMap<u32, Rational>, Rational)]) -> Option<Layer> {
        let mut layer = Layer::new(self.setting.format, activation);
        for (terms, bias) in cells {
            let terms: Option<Vec<_>> =
                terms.iter().map(|(&column, real)| Some((column, self.setting.encoding(real)?))).collect();
            layer.push(terms?, self.setting.encoding(bias)?);
        }
        Some(layer)
    }

    fn network(&mut self, bias: &Input) -> Option<Network> {
        let step = self.activation == Activation::Step;
        let (mut second, boxes) = (Vec::new(), std::mem::take(&mut self.boxes));
        for (cuts, _) in &boxes {
            let mut terms = BTreeMap::new();
            for cut in cuts {
                if step {
                    terms.extend(self.step_side(cut).map(|(unit, weight)| (unit, Rational::from(weight))));
                } else {
                    terms.extend(self.relu_side(cut).into_iter().flatten());
                }
            }
            let required = terms.values().filter(|weight| **weight > 0).count();
            second.push((terms, if step { -Rational::from(required) } else { Rational::from(1) }));
        }
        let units = self.units.iter().map(|(column, weight, bias)| ([(*column, weight.clone())].into(), bias.clone()));
        let first = self.layer(self.activation, &units.collect::<Vec<_>>())?;
        let labels = |output: usize| {
            let labels = boxes.iter().enumerate().filter(|(_, (_, label))| label[output] != 0);
            labels.map(|(neuron, (_, label))| (neuron as u32, label[output].clone())).collect()
        };
        let last: Vec<_> = bias.iter().enumerate().map(|(output, bias)| (labels(output), bias.clone())).collect();
        let layers = vec![first, self.layer(self.activation, &second)?, self.layer(Activation::Identity, &last)?];
        Network::new(self.setting.format, self.dimension, layers).ok()
    }
}

/// A random case, every third network compiled from its forest.
pub fn case(random: &mut Random, setting: &Setting, activation: Activation) -> Option<Case> {
    let (dimension, outputs) = (1 + usize::from(random.one_in(3)), 1 + usize::from(random.one_in(4)));
    let compiled = random.one_in(3);
    let (nodes, boxes, units, tree) = Default::default();
    let mut maker = Maker { random, setting, activation, dimension, outputs, nodes, boxes, tree, units };
    let (mut trees, mut bias) = (Vec::new(), vec![Rational::new(); outputs]);
    for _ in 0..1 + usize::from(maker.random.one_in(3)) {
        let offset = if maker.random.one_in(3) { maker.label() } else { vec![Rational::new(); outputs] };
        bias.iter_mut().zip(&offset).for_each(|(bias, offset)| *bias += offset);
        let budget = maker.random.below(6);
        maker.subtree(&[], budget, &offset)?;
        let (nodes, values) = std::mem::take(&mut maker.tree);
        trees.push(Tree { nodes, values: Encodings::collect(setting.format, values) });
    }
    let base = Encodings::collect(setting.format, vec![setting.format.zero(); outputs]);
    let network = maker.network(&bias);
    let separator = Separator { nodes: maker.nodes };
    let forest = Forest::new(setting.format, dimension, base, trees).ok()?;
    if compiled {
        let built = compile(&forest, activation).ok()?;
        let Evidence::BoxNetwork(separator) = built.evidence else { return None };
        return Some(Case { network: built.network, separator, forest });
    }
    Some(Case { network: network?, separator, forest })
}

/// One stored number, or one node, is another one.
pub fn mutate(random: &mut Random, setting: &Setting, case: &mut Case) {
    let format = setting.format;
    let all: Vec<_> = setting.palette.iter().filter_map(|real| setting.encoding(real)).collect();
    let near = |random: &mut Random, value: Encoding| {
        let at = all.iter().position(|&other| order_key(format, other) == order_key(format, value));
        match at.filter(|_| !random.one_in(3)) {
            Some(at) => all[(at + 1 + random.below(2) * (all.len() - 2)) % all.len()],
            None => *random.pick(&all),
        }
    };
    if random.one_in(3) {
        let nodes = &mut case.separator.nodes;
        let (place, other) = (random.below(nodes.len()), random.below(nodes.len()));
        let swapped = nodes[other];
        match &mut nodes[place] {
            Node::Split { threshold, .. } => *threshold = near(random, *threshold),
            // A box that is named elsewhere, too.
            node @ Node::Empty => {
                if let Node::Box(neuron) | Node::Nested(neuron) = swapped {
                    *node = Node::Box(neuron);
                }
            }
            node if !matches!(swapped, Node::Split { .. } | Node::Nested(_)) && !matches!(node, Node::Nested(_)) => {
                nodes.swap(place, other);
            }
            _ => {}
        }
        return;
    }
    let dimension = case.network.input_dimension();
    let mut layers = case.network.clone().into_layers().expect("layers");
    let index = random.below(3);
    let column = if random.one_in(2) { &mut layers[index].weights } else { &mut layers[index].bias };
    if !column.is_empty() {
        let place = random.below(column.len());
        column.set(place, near(random, column.get(place)));
    }
    if let Ok(network) = Network::new(format, dimension, layers) {
        case.network = network;
    }
}
