//! The hypotheses of the theorems in `proofs/rocq/`, evaluated word for word over exact rationals.
//!
//! Each function has the name of the definition that it transcribes, and its file. Nothing here is the kernel's, and
//! nothing is clever: what is quantified over values is asked of each value of [`Arithmetic::window`], and what exists is
//! searched for.

use roundproof_exact::{Rational, power_of_two};
use roundproof_network::Activation;

/// `FLX_arithmetic` or `FLT_arithmetic` (Formats.v), with the bound of Overflow.v.
pub struct Arithmetic {
    pub precision: u32,
    /// `emin` of FLT: the least positive value is 2 to this power; none for FLX.
    pub least: Option<i64>,
    /// `emax` of Overflow.v: finite data are below 2 to this power; none if there is no largest value.
    pub bound: Option<i64>,
    /// The values that stand for all: each one of a bounded format and the binade beyond; of FLX, those of some binades
    /// around all that is stored, so that every other value is beyond all thresholds or between 0 and the next.
    pub window: Vec<Rational>,
}

/// The largest exponent of a power of two that divides a dyadic number; none for 0.
fn divisor(v: &Rational) -> Option<i64> {
    let zeros = v.numer().find_one(0)?;
    Some(i64::from(zeros) - i64::from(v.denom().significant_bits() - 1))
}

impl Arithmetic {
    pub fn new(precision: u32, exponents: std::ops::Range<i64>, bounded: bool) -> Arithmetic {
        let p = i64::from(precision);
        let least = bounded.then_some(exponents.start - p + 1);
        let bound = bounded.then_some(exponents.end);
        let mut arithmetic = Arithmetic { precision, least, bound, window: Vec::new() };
        let mut window = vec![Rational::new()];
        for exponent in exponents.start..exponents.end + i64::from(bounded) {
            for significand in 1 << (p - 1)..1 << p {
                window.push(Rational::from(significand) * power_of_two(exponent - p + 1));
            }
        }
        if let Some(least) = least {
            window.extend((1..1 << (p - 1)).map(|significand| Rational::from(significand) * power_of_two(least)));
        }
        window.extend(window[1..].iter().map(|v| Rational::from(-v)).collect::<Vec<_>>());
        window.sort();
        assert!(window.iter().all(|v| arithmetic.value(v)));
        arithmetic.window = window;
        arithmetic
    }

    /// `value` (Arithmetic.v) of `FLX_arithmetic` and `FLT_arithmetic`: `m 2^e` with `|m| < 2^p`, in FLT with `emin <= e`.
    pub fn value(&self, v: &Rational) -> bool {
        let Some(exponent) = divisor(v) else { return true };
        v.clone().abs() < power_of_two(exponent + i64::from(self.precision))
            && self.least.is_none_or(|least| least <= exponent)
    }

    /// `value` (Overflow.v): a value with a magnitude below `2^emax`.
    pub fn in_range(&self, v: &Rational) -> bool {
        self.value(v) && self.bound.is_none_or(|bound| v.clone().abs() < power_of_two(bound))
    }

    /// What a column of an input can be: `every_input` (Units.v), with `is_finite` of the data (OverflowNetwork.v).
    pub fn inputs(&self) -> Vec<Rational> {
        self.window.iter().filter(|v| self.in_range(v)).cloned().collect()
    }

    /// `adjacent` (Network.v). Beside the window, halves are asked for: in FLX nothing is next to 0.
    fn adjacent(&self, below: &Rational, above: &Rational) -> bool {
        let halves = [Rational::from(below / 2), Rational::from(above / 2)];
        let mut asked = self.window.iter().chain(halves.iter().filter(|z| self.value(z)));
        self.value(below) && self.value(above) && below < above && asked.all(|z| z <= below || above <= z)
    }

    /// Which value could be next below `a`.
    fn before(&self, a: &Rational) -> Option<Rational> {
        self.window.iter().rfind(|v| *v < a).cloned().filter(|pa| self.adjacent(pa, a))
    }

    /// `followed` (Units.v).
    fn followed(&self, v: &Rational) -> bool {
        *v == 0 || self.window.iter().find(|z| *z > v).is_some_and(|above| self.adjacent(v, above))
    }
}

/// `cell` (Network.v).
pub struct Cell {
    pub bias: Rational,
    pub weights: Vec<(usize, Rational)>,
}

/// `network` (Network.v), with the activations of the layers as they are.
pub struct Net {
    pub activations: Vec<Activation>,
    pub layers: Vec<Vec<Cell>>,
}

/// `side` (Network.v), and the exponent of `K`.
#[derive(Clone, Debug)]
pub struct Side {
    pub column: usize,
    pub upper: bool,
    pub fires: Rational,
    pub silent: Rational,
    pub scale: i64,
}

pub type Input = Vec<Rational>;

/// `inputs` (Units.v): the rows of a data set, or none for every input.
pub type Inputs<'a> = Option<&'a [Input]>;

/// `mirrored` (Network.v).
fn mirrored(upper: bool, v: &Rational) -> Rational {
    if upper { Rational::from(-v) } else { v.clone() }
}

/// Which side to take for a ReLU unit at 0 where more than one is recognised.
#[derive(Clone, Copy, PartialEq)]
pub enum AtZero {
    /// `Recognised_relu` before `Recognised_relu_at_zero`.
    Neighbour,
    /// The other way round.
    Rows,
}

/// `recognised_unit` (Units.v), with `step_unit` and `relu_unit` (Network.v): the side and the scale that exist.
fn recognised_unit(a: &Arithmetic, d: Inputs<'_>, act: Activation, c: &Cell, at_zero: AtZero) -> Option<Side> {
    let [(column, weight)] = c.weights.as_slice() else { return None };
    let (column, upper) = (*column, *weight > 0);
    if act == Activation::Step {
        let holds = a.value(&c.bias) && weight.clone().abs() == 1 && a.followed(&c.bias);
        return holds.then(|| Side { column, upper, fires: c.bias.clone(), silent: c.bias.clone(), scale: 0 });
    }
    let scale = divisor(weight).filter(|&k| k >= 0 && weight.clone().abs() == power_of_two(k))?;
    let silent = &c.bias / power_of_two(scale);
    let relu = || a.before(&silent).map(|fires| Side { column, upper, fires, silent: silent.clone(), scale });
    let zero = || {
        // Every input has values between 0 and any other one in FLX; in FLT the one before 0 is `relu`.
        let values = d.filter(|_| silent == 0)?.iter().map(|x| mirrored(upper, &x[column]));
        let fires = values.filter(|v| *v < 0).max().unwrap_or_else(|| -power_of_two(40));
        Some(Side { column, upper, fires, silent: silent.clone(), scale })
    };
    if at_zero == AtZero::Neighbour { relu().or_else(zero) } else { zero().or_else(relu) }
}

/// `fires_at` (Units.v), at a value of the column.
fn fires_at(s: &Side, v: &Rational) -> bool {
    mirrored(s.upper, v) <= s.fires
}

/// `unit_in_range` (OverflowUnits.v).
fn unit_in_range(a: &Arithmetic, act: Activation, s: &Side) -> bool {
    act != Activation::Relu || a.in_range(&s.fires) && a.in_range(&(&s.fires * power_of_two(s.scale)))
}

/// `met` (Boxes.v), at a value of the column.
fn met(units: &[Side], (unit, weight): &(usize, Rational), v: &Rational) -> bool {
    fires_at(&units[*unit], v) == (*weight > 0)
}

/// `inside` (Boxes.v).
fn inside(units: &[Side], c: &Cell, x: &Input) -> bool {
    c.weights.iter().all(|t| met(units, t, &x[units[t.0].column]))
}

/// `step_box` (Boxes.v).
fn step_box(a: &Arithmetic, c: &Cell) -> bool {
    let required = c.weights.iter().filter(|(_, w)| *w > 0).count();
    c.weights.iter().all(|(_, w)| *w == 1 || *w == -1)
        && c.bias == -Rational::from(required)
        && (required == 0 || c.weights.len() <= power_of_two(i64::from(a.precision)))
}

/// `same_place` and `copies` (Boxes.v): how many.
fn copies(units: &[Side], c: &Cell, s: &Side, j: i64) -> usize {
    let is_copy = |(unit, weight): &&(usize, Rational)| {
        let u = &units[*unit];
        let strength = power_of_two(u.scale) * Rational::from(&u.silent - &u.fires);
        (u.column, u.upper, &u.fires) == (s.column, s.upper, &s.fires)
            && power_of_two(-j) <= Rational::from(-weight) * strength
    };
    c.weights.iter().filter(is_copy).count()
}

/// Whether some `j` of `relu_box` has to be more than 0.
pub fn takes_copies(units: &[Side], c: &Cell) -> bool {
    c.weights.iter().any(|t| copies(units, c, &units[t.0], 0) == 0)
}

/// `relu_box` (Boxes.v).
fn relu_box(a: &Arithmetic, units: &[Side], c: &Cell) -> bool {
    let is_power = |w: &Rational| divisor(w).is_some_and(|e| *w == -power_of_two(e));
    let suffices =
        |unit: usize, j: i64| a.value(&power_of_two(-j)) && power_of_two(j) <= copies(units, c, &units[unit], j);
    c.bias == 1
        && c.weights.iter().all(|(_, w)| is_power(w))
        && c.weights.iter().all(|&(unit, _)| (0..=i64::from(a.precision)).any(|j| suffices(unit, j)))
}

/// A hypothesis that does not hold.
pub type Fails = &'static str;

fn holds(condition: bool, name: Fails) -> Result<(), Fails> {
    if condition { Ok(()) } else { Err(name) }
}

/// `recognised` (BoxNetwork.v); under a bound `frecognised` (OverflowNetwork.v).
pub fn recognised(a: &Arithmetic, d: Inputs<'_>, n: &Net, at_zero: AtZero) -> Result<Vec<Side>, Fails> {
    let [first, second, last] = n.layers.as_slice() else { return Err("three layers") };
    let hidden = n.activations[0];
    holds(n.activations == [hidden, hidden, Activation::Identity] && hidden != Activation::Identity, "activations")?;
    let numbers = n.layers.iter().flatten().flat_map(|c| c.weights.iter().map(|(_, w)| w).chain([&c.bias]));
    holds(numbers.into_iter().all(|v| a.in_range(v)), "stored_finite")?;
    holds(d.is_none_or(|rows| rows.iter().flatten().all(|v| a.in_range(v))), "inputs_values")?;
    let units: Option<Vec<Side>> = first.iter().map(|c| recognised_unit(a, d, hidden, c, at_zero)).collect();
    let units = units.ok_or("first_units")?;
    holds(units.iter().all(|s| unit_in_range(a, hidden, s)), "units_in_range")?;
    holds(second.iter().flat_map(|c| &c.weights).all(|(u, _)| *u < first.len()), "second_reads")?;
    holds(last.iter().flat_map(|c| &c.weights).all(|(b, _)| *b < second.len()), "last_reads")?;
    let recognised_box = |c: &Cell| if hidden == Activation::Step { step_box(a, c) } else { relu_box(a, &units, c) };
    holds(second.iter().all(recognised_box), "second_boxes")?;
    Ok(units)
}

/// `labels` (BoxNetwork.v).
fn labels(n: &Net, units: &[Side], x: &Input, c: &Cell) -> Vec<Rational> {
    c.weights.iter().filter(|(b, _)| inside(units, &n.layers[1][*b], x)).map(|(_, w)| w.clone()).collect()
}

/// The grid of R5 with the most reach: the largest power of two that divides all; 1 if all are 0.
fn grid<'a>(vs: impl Iterator<Item = &'a Rational>) -> i64 {
    vs.filter_map(divisor).min().unwrap_or(0)
}

fn within_reach(a: &Arithmetic, e: i64, positives: &Rational, negatives: &Rational) -> bool {
    let reach = power_of_two(i64::from(a.precision) + e);
    a.value(&power_of_two(e)) && *positives <= reach && *negatives <= reach
}

/// `sum_in_range` (OverflowNetwork.v).
fn sum_in_range(a: &Arithmetic, positives: &Rational, negatives: &Rational) -> bool {
    a.bound.is_none_or(|bound| *positives < power_of_two(bound) && *negatives < power_of_two(bound))
}

fn parts<'a>(vs: impl Iterator<Item = &'a Rational>) -> [Rational; 2] {
    let mut parts = [Rational::new(), Rational::new()];
    vs.for_each(|v| if *v > 0 { parts[0] += v } else { parts[1] -= v });
    parts
}

/// `exact_sum` (BoxNetwork.v) and `sum_in_range` (OverflowNetwork.v).
fn exact_sum(a: &Arithmetic, b: &Rational, vs: &[Rational]) -> bool {
    let all = || vs.iter().chain([b]);
    let [positives, negatives] = parts(all());
    let selection = *b == 0 && vs.len() <= 1 && vs.iter().all(|v| a.value(v));
    (selection || within_reach(a, grid(all()), &positives, &negatives)) && sum_in_range(a, &positives, &negatives)
}

/// The hypotheses of `box_network` (BoxNetwork.v) and `box_network_with_overflow` (OverflowNetwork.v) at these inputs, with
/// what the outputs are to be; with the rows of a data set, those of `memorization` (Theorems.v,
/// OverflowTheorems.v).
pub fn box_network(a: &Arithmetic, n: &Net, units: &[Side], rows: &[(Input, Input)]) -> Result<(), Fails> {
    for (x, f) in rows {
        for (c, f) in n.layers[2].iter().zip(f) {
            let vs = labels(n, units, x, c);
            holds(exact_sum(a, &c.bias, &vs), "exact_sum")?;
            holds(vs.iter().fold(c.bias.clone(), |sum, v| sum + v) == *f, "label")?;
        }
    }
    Ok(())
}

/// `separator` (Regions.v).
pub enum Separator {
    Box(usize),
    Empty,
    Nested(usize, Box<Separator>),
    Split(usize, Rational, Box<Separator>, Box<Separator>),
}

/// `cut` (Regions.v).
#[derive(Clone)]
struct Cut<'a> {
    column: usize,
    threshold: &'a Rational,
    above: bool,
}

/// `beyond` (Regions.v).
fn beyond(q: &Cut<'_>, v: &Rational) -> bool {
    (v <= q.threshold) == q.above
}

impl Separator {
    /// `named` (Regions.v).
    fn named(&self) -> Vec<usize> {
        self.placed(&[]).into_iter().map(|(b, _)| b).collect()
    }

    /// `placed` (Regions.v).
    fn placed<'a>(&'a self, region: &[Cut<'a>]) -> Vec<(usize, Vec<Cut<'a>>)> {
        match self {
            Separator::Box(b) => vec![(*b, region.to_vec())],
            Separator::Empty => vec![],
            Separator::Nested(b, s) => [vec![(*b, region.to_vec())], s.placed(region)].concat(),
            Separator::Split(column, threshold, low, high) => {
                let cut = |above| [vec![Cut { column: *column, threshold, above }], region.to_vec()].concat();
                [low.placed(&cut(false)), high.placed(&cut(true))].concat()
            }
        }
    }

    /// `path` (Regions.v).
    fn path(&self, x: &Input) -> Vec<usize> {
        match self {
            Separator::Box(b) => vec![*b],
            Separator::Empty => vec![],
            Separator::Nested(b, s) => [vec![*b], s.path(x)].concat(),
            Separator::Split(column, t, low, high) => {
                if x[*column] <= *t {
                    low.path(x)
                } else {
                    high.path(x)
                }
            }
        }
    }

    /// `worst` (Regions.v).
    fn worst(&self, f: &dyn Fn(usize) -> Rational) -> Rational {
        match self {
            Separator::Box(b) => f(*b),
            Separator::Empty => Rational::new(),
            Separator::Nested(b, s) => f(*b) + s.worst(f),
            Separator::Split(_, _, low, high) => low.worst(f).max(high.worst(f)),
        }
    }

    /// `nests` (Regions.v).
    fn nests(&self) -> bool {
        match self {
            Separator::Box(_) | Separator::Empty => false,
            Separator::Nested(..) => true,
            Separator::Split(_, _, low, high) => low.nests() || high.nests(),
        }
    }
}

/// `excludes` (Regions.v).
fn excludes(units: &[Side], t: &(usize, Rational), v: &Rational) -> bool {
    !met(units, t, v)
}

/// `lies_within` (Regions.v).
fn lies_within(a: &Arithmetic, units: &[Side], c: &Cell, region: &[Cut<'_>]) -> bool {
    let excluded = |q: &Cut<'_>, t| a.window.iter().all(|v| !beyond(q, v) || excludes(units, t, v));
    region.iter().all(|q| c.weights.iter().any(|t| units[t.0].column == q.column && excluded(q, t)))
}

/// `fills` (Regions.v).
fn fills(a: &Arithmetic, units: &[Side], c: &Cell, region: &[Cut<'_>]) -> bool {
    let cut_off = |q: &Cut<'_>, t| a.window.iter().all(|v| !excludes(units, t, v) || beyond(q, v));
    c.weights.iter().all(|t| region.iter().any(|q| units[t.0].column == q.column && cut_off(q, t)))
}

/// `separated` (Evidence.v), with `separates` (Regions.v).
pub fn separated(a: &Arithmetic, n: &Net, units: &[Side], ss: &[Separator]) -> Result<(), Fails> {
    let mut named: Vec<usize> = ss.iter().flat_map(Separator::named).collect();
    named.sort_unstable();
    holds(named.windows(2).all(|pair| pair[0] < pair[1]), "named_once")?;
    holds(named.iter().copied().eq(0..n.layers[1].len()), "named_all")?;
    let separates =
        |s: &Separator| s.placed(&[]).iter().all(|(b, region)| lies_within(a, units, &n.layers[1][*b], region));
    holds(ss.iter().all(separates), "named_within")
}

/// `filled` (Regions.v), of all separators.
pub fn filled(a: &Arithmetic, n: &Net, units: &[Side], ss: &[Separator]) -> Result<(), Fails> {
    let filled = |s: &Separator| s.placed(&[]).iter().all(|(b, region)| fills(a, units, &n.layers[1][*b], region));
    holds(ss.iter().all(filled), "boxes_filled")
}

/// `worst_case` (Evidence.v), with `stored`.
fn worst_case(f: &dyn Fn(&Rational) -> Rational, ss: &[Separator], c: &Cell) -> Rational {
    let stored = |b| c.weights.iter().filter(|t| t.0 == b).fold(Rational::new(), |sum, t| sum + f(&t.1));
    ss.iter().fold(f(&c.bias), |sum, s| sum + s.worst(&stored))
}

/// `checked_sum` (Evidence.v), and `sum_in_range` (OverflowNetwork.v) of the worst paths.
pub fn checked_sum(a: &Arithmetic, ss: &[Separator], c: &Cell) -> bool {
    let selection = c.bias == 0
        && matches!(ss, [s] if !s.nests())
        && (1..c.weights.len()).all(|i| c.weights[i - 1].0 < c.weights[i].0)
        && c.weights.iter().all(|(_, w)| a.value(w));
    let [positives, negatives] = worst_parts(ss, c);
    let e = grid(c.weights.iter().map(|(_, w)| w).chain([&c.bias]));
    selection || within_reach(a, e, &positives, &negatives) && sum_in_range(a, &positives, &negatives)
}

fn worst_parts(ss: &[Separator], c: &Cell) -> [Rational; 2] {
    [1, -1].map(|sign| worst_case(&|v| Rational::from(v * sign).max(Rational::new()), ss, c))
}

/// The bound of `checked_sum_error` (Evidence.v) with `error` (SumsError.v): `((1 + 2^(1-p))^m - 1) M`.
pub fn checked_sum_error(a: &Arithmetic, ss: &[Separator], c: &Cell) -> Rational {
    let [positives, negatives] = worst_parts(ss, c);
    let counted = worst_case(&|v| Rational::from(u32::from(*v != 0)), ss, c);
    let one = Rational::from(1);
    let (mut growth, mut terms) = (one.clone(), Rational::new());
    while terms < counted {
        growth *= one.clone() + power_of_two(1 - i64::from(a.precision));
        terms += 1;
    }
    (growth - one) * (positives + negatives)
}

/// `decision` (Regions.v).
pub enum Decision {
    Answer(Input),
    Decide(usize, Rational, Box<Decision>, Box<Decision>),
}

impl Decision {
    /// `decides` (Regions.v).
    fn decides(&self, x: &Input) -> &Input {
        match self {
            Decision::Answer(label) => label,
            Decision::Decide(column, t, low, high) => {
                if x[*column] <= *t {
                    low.decides(x)
                } else {
                    high.decides(x)
                }
            }
        }
    }
}

/// `forest` (Theorems.v).
pub fn forest(trees: &[Decision], base: &Input, x: &Input) -> Input {
    let mut sums = base.clone();
    trees.iter().for_each(|tree| sums.iter_mut().zip(tree.decides(x)).for_each(|(sum, leaf)| *sum += leaf));
    sums
}

/// `leaf_offset` and `bias_offset` of `computes_forest` (Theorems.v), at every finite input; the offsets that exist are
/// those of the first input. `overlay`: the separators beside the trees.
pub fn overlaid(n: &Net, ss: &[Separator], trees: &[Decision], base: &Input, xs: &[Input]) -> Result<(), Fails> {
    holds(ss.len() == trees.len(), "overlays")?;
    let mut biases = base.clone();
    for (s, tree) in ss.iter().zip(trees) {
        let difference = |x: &Input| -> Input {
            let (path, leaf) = (s.path(x), tree.decides(x));
            let sum =
                |c: &Cell| c.weights.iter().filter(|t| path.contains(&t.0)).fold(Rational::new(), |sum, t| sum + &t.1);
            n.layers[2].iter().zip(leaf).map(|(c, leaf)| leaf - sum(c)).collect()
        };
        let offset = difference(&xs[0]);
        holds(xs.iter().all(|x| difference(x) == offset), "leaf_offset")?;
        biases.iter_mut().zip(&offset).for_each(|(bias, offset)| *bias += offset);
    }
    holds(n.layers[2].iter().zip(&biases).all(|(c, bias)| c.bias == *bias), "bias_offset")
}
