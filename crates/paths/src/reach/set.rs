//! Sets of values: a finite interval, infinities, NaN; and what the operations make of them.

use roundproof_format::{Class, Encoding, Format, RoundingMode, Status};
use roundproof_network::{Activation, Contraction, Rounding};
use roundproof_softfloat::{Arithmetic, BothNeighbours, flush, is_subnormal};

use crate::machine::Machine;

/// A set of data of a format: every finite value between two, and perhaps infinities and NaN. The sign of a zero is
/// not told apart, and written +0: no value depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The least and the largest finite value; none if no value is finite.
    pub finite: Option<(Encoding, Encoding)>,
    /// Whether minus infinity is in the set.
    pub negative_infinity: bool,
    /// Whether plus infinity is in the set.
    pub positive_infinity: bool,
    /// Whether NaN is in the set.
    pub nan: bool,
}

/// What an enclosure says about a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Every path gives the label.
    Always,
    /// No path does.
    Never,
    /// The enclosure does not tell.
    Undecided,
}

impl Reach {
    /// The set of one datum.
    pub fn of(format: Format, value: Encoding) -> Reach {
        let mut set = Reach::default();
        set.include(format, value);
        set
    }

    /// The least interval that contains the finite values, infinities and NaN of both.
    pub fn hull(self, format: Format, other: Reach) -> Reach {
        let mut set = self;
        match (self.finite, other.finite) {
            (None, ends) => set.finite = ends,
            (_, None) => {}
            (Some(ours), Some((low, high))) if ours != (low, high) => {
                set.include(format, low);
                set.include(format, high);
            }
            _ => {}
        }
        set.negative_infinity |= other.negative_infinity;
        set.positive_infinity |= other.positive_infinity;
        set.nan |= other.nan;
        set
    }

    /// Extends the set by one datum, and by what lies between.
    pub fn include(&mut self, format: Format, value: Encoding) {
        if self.finite.is_some_and(|(low, high)| low == value || high == value) {
            return;
        }
        match format.class(value) {
            Class::Nan | Class::Invalid => self.nan = true,
            Class::Infinite if format.is_sign_minus(value) => self.negative_infinity = true,
            Class::Infinite => self.positive_infinity = true,
            Class::Zero | Class::Subnormal | Class::Normal => {
                let value = if format.is_zero(value) { format.zero() } else { value };
                let (mut low, mut high) = self.finite.unwrap_or((value, value));
                if is_less(format, value, low) {
                    low = value;
                }
                if is_less(format, high, value) {
                    high = value;
                }
                self.finite = Some((low, high));
            }
        }
    }

    /// Whether the datum is in the set, as a value.
    pub fn contains(&self, format: Format, value: Encoding) -> bool {
        match format.class(value) {
            Class::Nan | Class::Invalid => self.nan,
            Class::Infinite if format.is_sign_minus(value) => self.negative_infinity,
            Class::Infinite => self.positive_infinity,
            Class::Zero | Class::Subnormal | Class::Normal => {
                self.finite.is_some_and(|(low, high)| !is_less(format, value, low) && !is_less(format, high, value))
            }
        }
    }

    /// Whether there is but one value in the set.
    pub fn is_single(&self, format: Format) -> bool {
        let others = [self.negative_infinity, self.positive_infinity, self.nan].into_iter().filter(|&b| b).count();
        match self.finite {
            Some((low, high)) => others == 0 && !is_less(format, low, high),
            None => others == 1,
        }
    }

    /// Whether every path, or none, gives `label` as a value. NaN equals nothing, so a set of NaN alone never does.
    pub fn decides(&self, format: Format, label: Encoding) -> Decision {
        if !self.contains(format, label) || format.is_nan(label) {
            Decision::Never
        } else if self.is_single(format) {
            Decision::Always
        } else {
            Decision::Undecided
        }
    }

    pub(super) fn has_infinity(&self) -> bool {
        self.negative_infinity || self.positive_infinity
    }

    /// Whether a value is not finite.
    pub fn has_infinity_or_nan(&self) -> bool {
        self.has_infinity() || self.nan
    }

    fn has_zero(&self, format: Format) -> bool {
        self.contains(format, format.zero())
    }

    /// Extended by what flushing makes of its values.
    pub(super) fn flushed(mut self, format: Format) -> Reach {
        if let Some((low, high)) = self.finite {
            for end in [low, high] {
                if is_subnormal(format, end) {
                    self.include(format, flush(format, end));
                }
            }
        }
        self
    }
}

/// Whether one finite value is below another.
fn is_less(format: Format, a: Encoding, b: Encoding) -> bool {
    if a == b {
        return false;
    }
    let sign_bit = 1u128 << (format.width() - 1);
    let key = |value: Encoding| {
        let magnitude = (value.bits() & (sign_bit - 1)) as i128;
        if value.bits() & sign_bit != 0 { -magnitude } else { magnitude }
    };
    key(a) < key(b)
}

/// A term of a sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summand {
    /// The set of values when it is rounded by itself. Wide.
    pub rounded: Reach,
    /// What a contracted product is made of: weights and inputs, both wide. None for what is never contracted.
    pub product: Option<(Reach, Reach)>,
}

impl Summand {
    /// The bias; `added` if there is something to add it to.
    pub fn bias(machine: &Machine, bias: Encoding, added: bool) -> Summand {
        let format = machine.accumulator();
        let set = Reach::of(format, machine.widen(bias));
        let rounded = if added && machine.flushes() { set.flushed(format) } else { set };
        Summand { rounded, product: None }
    }

    /// A product of a weight and any value of `input`.
    pub fn product(machine: &Machine, weight: Encoding, input: Reach) -> Summand {
        let read = machine.operands();
        let weights = machine.reach_read(read, Reach::of(read, weight));
        let inputs = machine.reach_read(read, input);
        let (weights, inputs) = (machine.reach_widened(weights), machine.reach_widened(inputs));
        let rounded = machine.reach_product(machine.wide(), weights, inputs);
        let contracted = machine.trees().contraction == Contraction::Any;
        Summand { rounded, product: contracted.then_some((weights, inputs)) }
    }

    /// Bounds of every finite value that it can stand for in a sum, a contracted product included; none on a side where
    /// there is none.
    pub fn bounds(&self, machine: &Machine) -> (Option<Encoding>, Option<Encoding>) {
        let Some((weights, inputs)) = self.product else { return self.rounded.finite.unzip() };
        let (least, most) = exact_bounds(machine, weights, inputs);
        // Both neighbours of the exact products, so all rounded ones but those that were flushed.
        let (true, Some((low, high))) = (machine.flushes(), self.rounded.finite) else { return (least, most) };
        let format = machine.accumulator();
        (
            least.map(|least| if is_less(format, low, least) { low } else { least }),
            most.map(|most| if is_less(format, most, high) { high } else { most }),
        )
    }

    /// Whether it is a zero on every path, contracted or not.
    pub fn is_zero(&self, format: Format) -> bool {
        let zero = |set: &Reach| set.is_single(format) && set.has_zero(format);
        zero(&self.rounded) && self.product.is_none_or(|(weights, inputs)| zero(&weights) || zero(&inputs))
    }

    /// Whether it can be a number that is neither infinite nor NaN.
    pub fn can_be_finite(&self) -> bool {
        let contracted = self.product.is_some_and(|(weights, inputs)| weights.finite.and(inputs.finite).is_some());
        self.rounded.finite.is_some() || contracted
    }
}

/// Wide numbers at or beyond the exact products; none where a product lies beyond the largest finite value.
fn exact_bounds(machine: &Machine, weights: Reach, inputs: Reach) -> (Option<Encoding>, Option<Encoding>) {
    let format = machine.accumulator();
    if weights.finite.and(inputs.finite).is_none() {
        return (None, None);
    }
    let mut set = Reach::default();
    let (mut low, mut high) = (true, true);
    for (weight, input) in ranges(format, weights, inputs).flat_map(|(low, high)| [low, high]) {
        let product = machine.wide().multiply(BothNeighbours, weight, input);
        if product.status.contains(Status::OVERFLOW) {
            let negative = format.is_sign_minus(weight) != format.is_sign_minus(input);
            *(if negative { &mut low } else { &mut high }) = false;
        }
        for end in [product.below, product.above] {
            if format.is_finite(end) {
                set.include(format, end);
            }
        }
    }
    let (least, most) = set.finite.unzip();
    (least.filter(|_| low), most.filter(|_| high))
}

/// What an operation gives: toward negative and toward positive, or twice the same in a fixed direction; and, after
/// an overflow, the largest finite value of its sign.
type Ends = (Encoding, Encoding, Option<Encoding>);

impl Machine {
    fn reach_read(&self, format: Format, set: Reach) -> Reach {
        if self.flushes() { set.flushed(format) } else { set }
    }

    fn reach_widened(&self, set: Reach) -> Reach {
        self.reach_read_by(self.wide(), set)
    }

    /// Operands in the format of this arithmetic, which contains them.
    fn reach_read_by(&self, arithmetic: &Arithmetic, set: Reach) -> Reach {
        if arithmetic.format() == self.operands() {
            return set;
        }
        let mut read = Reach::default();
        for value in samples(self.operands(), set).into_iter().flatten() {
            read.include(arithmetic.format(), self.read_by(arithmetic, value));
        }
        read
    }

    /// Products of any value of the one set and any of the other, element by element.
    pub(super) fn reach_multiplied(&self, factors: [Reach; 2]) -> Reach {
        let [a, b] = factors.map(|set| self.reach_read_by(self.narrow(), self.reach_read(self.operands(), set)));
        let format = self.format();
        let set = product_specials(format, a, b);
        let (Some((al, ah)), Some((bl, bh))) = (a.finite, b.finite) else { return set };
        // The least and the largest exact product are among those of ends.
        let corners = [(al, bl), (al, bh), (ah, bl), (ah, bh)];
        let ends = corners.map(|(a, b)| self.ends_of_product(self.narrow(), a, b));
        set.hull(format, self.reach_between(self.narrow(), &ends))
    }

    /// The largest of any values of these sets.
    pub(super) fn reach_maximum(&self, sets: impl Iterator<Item = Reach>) -> Reach {
        let format = self.format();
        sets.reduce(|a, b| {
            let nan = a.nan || b.nan;
            let larger = |a: Encoding, b: Encoding| if is_less(format, a, b) { b } else { a };
            let never_below = |set: &Reach| !set.negative_infinity && set.finite.is_none() && set.positive_infinity;
            let mut all = Reach { nan, ..Reach::default() };
            all.positive_infinity = a.positive_infinity || b.positive_infinity;
            all.negative_infinity = a.negative_infinity && b.negative_infinity;
            // A finite value is the largest if the other is below it, or minus infinity.
            all.finite = match (a.finite, b.finite) {
                (Some((al, ah)), Some((bl, bh))) => {
                    let low = match (a.negative_infinity, b.negative_infinity) {
                        (false, false) => larger(al, bl),
                        (true, false) => bl,
                        (false, true) => al,
                        (true, true) => {
                            if is_less(format, al, bl) {
                                al
                            } else {
                                bl
                            }
                        }
                    };
                    Some((low, larger(ah, bh)))
                }
                (Some(ends), None) if !never_below(&b) => Some(ends),
                (None, Some(ends)) if !never_below(&a) => Some(ends),
                (Some(_), None) | (None, Some(_)) | (None, None) => None,
            };
            all
        })
        .unwrap_or_default()
    }

    /// The results over a range of exact values, from those at some of them, its two ends among these.
    ///
    /// Sound because rounding in one direction is monotone: a finite result lies between the finite ones at the ends,
    /// or the largest finite value where an end overflows and the other does not overflow on the same side.
    fn reach_between(&self, arithmetic: &Arithmetic, ends: &[Ends]) -> Reach {
        let format = arithmetic.format();
        let mut set = Reach::default();
        for &(below, above, _) in ends {
            set.include(format, below);
            set.include(format, above);
        }
        let clamps = || ends.iter().map(|end| end.2);
        if clamps().any(|clamp| clamp != ends[0].2) {
            for clamp in clamps().flatten() {
                set.include(format, clamp);
            }
        }
        if self.flushes() { set.flushed(format) } else { set }
    }

    fn ends(
        &self,
        faithful: impl FnOnce() -> roundproof_softfloat::Faithful,
        directed: impl Fn(RoundingMode) -> roundproof_softfloat::Outcome,
    ) -> Ends {
        match self.model().rounding {
            Rounding::Any => {
                let both = faithful();
                (both.below, both.above, None)
            }
            Rounding::Mode(mode) => {
                let outcome = directed(mode);
                let overflow = outcome.status.contains(Status::OVERFLOW);
                let clamp = overflow.then(|| directed(RoundingMode::TowardZero).encoding);
                (outcome.encoding, outcome.encoding, clamp)
            }
        }
    }

    fn ends_of_sum(&self, a: Encoding, b: Encoding) -> Ends {
        let wide = self.wide();
        self.ends(|| wide.add(BothNeighbours, a, b), |mode| wide.add(mode, a, b))
    }

    fn ends_of_product(&self, arithmetic: &Arithmetic, a: Encoding, b: Encoding) -> Ends {
        self.ends(|| arithmetic.multiply(BothNeighbours, a, b), |mode| arithmetic.multiply(mode, a, b))
    }

    fn ends_of_fused(&self, a: Encoding, b: Encoding, c: Encoding) -> Ends {
        let wide = self.wide();
        self.ends(|| wide.fused_multiply_add(BothNeighbours, a, b, c), |mode| wide.fused_multiply_add(mode, a, b, c))
    }

    /// Products of two sets, in the format of `arithmetic`.
    fn reach_product(&self, arithmetic: &Arithmetic, weights: Reach, inputs: Reach) -> Reach {
        let format = arithmetic.format();
        let mut set = product_specials(format, weights, inputs);
        for (low, high) in ranges(format, weights, inputs) {
            let ends = |(weight, input)| self.ends_of_product(arithmetic, weight, input);
            set = set.hull(format, self.reach_between(arithmetic, &[ends(low), ends(high)]));
        }
        set
    }

    /// Two sets added.
    pub(super) fn reach_sum_of(&self, a: Reach, b: Reach) -> Reach {
        let mut set = sum_specials(a, b);
        if let (Some((al, ah)), Some((bl, bh))) = (a.finite, b.finite) {
            let (low, high) = (self.ends_of_sum(al, bl), self.ends_of_sum(ah, bh));
            set = set.hull(self.accumulator(), self.reach_between(self.wide(), &[low, high]));
        }
        set
    }

    /// A product, contracted into an addition with `other`.
    fn reach_fused(&self, (weights, inputs): (Reach, Reach), other: Reach) -> Reach {
        let format = self.accumulator();
        let mut set = Reach::default();
        let products = product_specials(format, weights, inputs);
        if let Some((least, most)) = other.finite {
            for (low, high) in ranges(format, weights, inputs) {
                let (low, high) = (self.ends_of_fused(low.0, low.1, least), self.ends_of_fused(high.0, high.1, most));
                set = set.hull(format, self.reach_between(self.wide(), &[low, high]));
            }
        }
        // What is not finite on both sides: any finite product will do for a finite one.
        let finite = (weights.finite.is_some() && inputs.finite.is_some()).then(|| (format.zero(), format.zero()));
        let products = Reach { finite, ..products };
        set.hull(format, sum_specials(products, other))
    }

    /// A partial sum and a summand, contracted or not.
    pub(super) fn reach_plus(&self, sum: Reach, summand: &Summand) -> Reach {
        let added = self.reach_sum_of(sum, summand.rounded);
        match summand.product {
            Some(product) => added.hull(self.accumulator(), self.reach_fused(product, sum)),
            None => added,
        }
    }

    /// Two summands, either of them contracted or none.
    pub(super) fn reach_join(&self, a: &Summand, b: &Summand) -> Reach {
        let set = self.reach_plus(a.rounded, b);
        match a.product {
            Some(product) => set.hull(self.accumulator(), self.reach_fused(product, b.rounded)),
            None => set,
        }
    }

    /// The rounding out of a wider accumulator.
    pub(super) fn reach_round_out(&self, set: Reach) -> Reach {
        if !self.is_widened() {
            return set;
        }
        let (from, to) = (self.accumulator(), self.format());
        let set = self.reach_read(from, set);
        let narrow = self.narrow();
        let ends =
            |value| self.ends(|| narrow.convert(BothNeighbours, from, value), |mode| narrow.convert(mode, from, value));
        let mut rounded = Reach::default();
        if let Some((low, high)) = set.finite {
            rounded = self.reach_between(narrow, &[ends(low), ends(high)]);
        }
        let nan = from.nan().filter(|_| set.nan);
        let negative = from.infinity(true).filter(|_| set.negative_infinity);
        let positive = from.infinity(false).filter(|_| set.positive_infinity);
        for special in [nan, negative, positive].into_iter().flatten() {
            rounded.include(to, narrow.convert(RoundingMode::TowardZero, from, special).encoding);
        }
        rounded
    }

    /// What an activation makes of a set of numbers of the network's format.
    pub(super) fn reach_activated(&self, activation: Activation, set: Reach) -> Reach {
        let format = self.format();
        let slope = match activation {
            Activation::Identity => return set,
            Activation::LeakyRelu { slope } => slope,
            // Monotone functions: what the ends give bounds what lies between.
            Activation::Step | Activation::Relu | Activation::Clip { low: _, high: _ } | Activation::Sign => {
                let mut activated = Reach::default();
                for value in samples(format, set).into_iter().flatten() {
                    activated.include(format, self.activate(activation, value));
                }
                return activated;
            }
        };
        // Zero is an end of both parts if both are there.
        let zero = format.zero();
        let below = set.finite.filter(|&(low, _)| is_less(format, low, zero));
        let below = below.map(|(low, high)| (low, if is_less(format, zero, high) { zero } else { high }));
        let above = set.finite.filter(|&(_, high)| !is_less(format, high, zero));
        let above = above.map(|(low, high)| (if is_less(format, low, zero) { zero } else { low }, high));
        let above = Reach { finite: above, negative_infinity: false, ..set };
        let below = Reach { finite: below, negative_infinity: set.negative_infinity, ..Reach::default() };
        let factor = self.reach_read(format, Reach::of(format, slope));
        above.hull(format, self.reach_product(self.narrow(), factor, self.reach_read(format, below)))
    }
}

/// Both finite ends, the infinities and NaN of a set of data of a format.
fn samples(format: Format, set: Reach) -> [Option<Encoding>; 5] {
    let (low, high) = set.finite.unzip();
    let nan = format.nan().filter(|_| set.nan);
    let negative = format.infinity(true).filter(|_| set.negative_infinity);
    let positive = format.infinity(false).filter(|_| set.positive_infinity);
    [low, high, nan, negative, positive]
}

/// A weight and an input.
type Pair = (Encoding, Encoding);

/// Ranges of products that between them hold the finite ones: of each, the pair with the least and the one with the
/// largest product. The weights are one number, or two (one of them zero) when it may be flushed.
fn ranges(format: Format, weights: Reach, inputs: Reach) -> impl Iterator<Item = (Pair, Pair)> {
    let both = weights.finite.zip(inputs.finite);
    both.into_iter().flat_map(move |((a, b), (low, high))| {
        let range = move |weight| {
            let (low, high) = ((weight, low), (weight, high));
            if format.is_sign_minus(weight) { (high, low) } else { (low, high) }
        };
        let second = is_less(format, a, b).then(|| range(b));
        std::iter::once(range(a)).chain(second)
    })
}

/// The infinities and NaNs that products have.
fn product_specials(format: Format, weights: Reach, inputs: Reach) -> Reach {
    let mut set = Reach { nan: weights.nan || inputs.nan, ..Reach::default() };
    for (a, b) in [(weights, inputs), (inputs, weights)] {
        set.nan |= a.has_infinity() && b.has_zero(format);
        let (negative, positive) = match b.finite {
            Some((low, high)) => (is_less(format, low, format.zero()), is_less(format, format.zero(), high)),
            None => (false, false),
        };
        let (negative, positive) = (negative || b.negative_infinity, positive || b.positive_infinity);
        set.positive_infinity |= (a.positive_infinity && positive) || (a.negative_infinity && negative);
        set.negative_infinity |= (a.positive_infinity && negative) || (a.negative_infinity && positive);
    }
    set
}

/// The infinities and NaNs that sums have because a summand is one.
fn sum_specials(a: Reach, b: Reach) -> Reach {
    let mut set = Reach { nan: a.nan || b.nan, ..Reach::default() };
    for (a, b) in [(a, b), (b, a)] {
        set.nan |= a.negative_infinity && b.positive_infinity;
        set.negative_infinity |= a.negative_infinity && (b.finite.is_some() || b.negative_infinity);
        set.positive_infinity |= a.positive_infinity && (b.finite.is_some() || b.positive_infinity);
    }
    set
}
