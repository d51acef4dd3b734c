//! Which of two claims is the stronger one.
//!
//! A claim is at least as strong as another if it implies it. That is decided field by field, and the whole is the product
//! of the orders: at least as strong in every field, or neither implies the other.
//!
//! | field | is stronger |
//! | --- | --- |
//! | verdict | Proved, then Attested, then what establishes nothing (Unknown, Vacuous), whatever it is about |
//! | Refuted | is the opposite claim: incomparable with Proved and Attested, and of two, the one that refutes the *weaker* claim is stronger |
//! | refused | equal with a refusal of the same kind, incomparable with all else |
//! | format | equal, or incomparable |
//! | rounding paths | the larger set: `any` rounding, order or contraction, and subnormals flushed at will, contain the others; directions, overflow policies and accumulators are equal or incomparable |
//! | data set | equal by digest; for a forest, one with data says more than one without |
//! | forest | equal by digest; of an approximation it is evidence, and does not count |
//! | network | does not count for a claim that holds: there is one that the construction makes. A refutation is about its network |
//! | tolerance, error, excess | smaller; of different kinds, and of rounded values by another rule, incomparable |
//! | exceptions | fewer rows, all of them among the other's |
//! | function | equal, or incomparable |
//! | domain | larger, in every variable |
//! | lemma | the same statement, of more cases: questions with their digests, enumerated formats, counterexamples |
//! | theorem in Rocq | the same statement, from fewer assumptions; that definitions did not change is not seen |
//! | every data set of a shape | the same shape, more rounding paths |
//! | depth | the same points, *fewer* rounding paths: it says that no network is right on all of them |
//! | map | the same cells or more, each as strong: a row for every value before rows at edges, no numbers before no powers of two, all before unknown |

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use roundproof_checker::frontier::{Recorded, Status, status};
use roundproof_exact::order_key;
use roundproof_files::{Certificate, Digest};
use roundproof_format::{Encoding, Format, Subnormals};
use roundproof_judge::{Accuracy, Approximates, Approximation, Claim, KernelProperty, Property};
use roundproof_network::{Accumulator, Contraction, Order, PathModel, Rounding, Summation, Trees};

use super::statement::{Scope, Statement};

/// How one field of a claim compares with that of another claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOrder {
    /// The field.
    pub field: &'static str,
    /// None: neither implies the other.
    pub order: Option<Ordering>,
    /// What the first claim says, and what the second.
    pub values: [String; 2],
}

/// Fields that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<FieldOrder>);

impl Fields {
    /// The product of the orders of all fields: how the second claim compares with the first, `Greater` if it is stronger.
    pub fn order(&self) -> Option<Ordering> {
        self.0.iter().try_fold(Ordering::Equal, |all, field| match (all, field.order?) {
            (Ordering::Equal, one) | (one, Ordering::Equal) => Some(one),
            (one, other) => (one == other).then_some(one),
        })
    }

    /// The same of the opposite claims.
    pub fn reversed(mut self) -> Fields {
        for field in &mut self.0 {
            field.order = field.order.map(Ordering::reverse);
        }
        self
    }

    fn add(&mut self, field: &'static str, order: Option<Ordering>, values: [&dyn Display; 2]) {
        if order != Some(Ordering::Equal) {
            self.0.push(FieldOrder { field, order, values: values.map(ToString::to_string) });
        }
    }

    /// A field that is equal or incomparable.
    fn equal<T: PartialEq + Display>(&mut self, field: &'static str, first: &T, second: &T) {
        self.add(field, (first == second).then_some(Ordering::Equal), [first, second]);
    }

    fn same(&mut self, field: &'static str, is_same: bool, values: [&dyn Display; 2]) {
        self.add(field, is_same.then_some(Ordering::Equal), values);
    }
}

/// How the second statement compares with the first.
pub fn compare(first: &Statement, second: &Statement, is_refuted: bool) -> Fields {
    let mut fields = Fields::default();
    match (first, second) {
        (Statement::Network(one), Statement::Network(other)) => certificates(&mut fields, one, other, is_refuted),
        (
            Statement::Lemma { statement: one, cases: of_one },
            Statement::Lemma { statement: other, cases: of_other },
        ) => {
            fields.equal("statement", one, other);
            let counts = [of_one, of_other].map(|cases| format!("{} cases", cases.len()));
            fields.add("cases", by_inclusion(of_one, of_other), [&counts[0], &counts[1]]);
        }
        (
            Statement::Theorem { statement: one, assumptions: of_one },
            Statement::Theorem { statement: other, assumptions: of_other },
        ) => {
            fields.equal("statement", one, other);
            let named = [of_one, of_other].map(|axioms| axioms.iter().cloned().collect::<Vec<_>>().join(", "));
            fields.add("assumptions", by_inclusion(of_other, of_one), [&named[0], &named[1]]);
        }
        (Statement::EveryDataSet(one, shape), Statement::EveryDataSet(other, of_other)) => {
            scopes(&mut fields, one, other, false);
            let texts = [shape, of_other].map(|[rows, inputs]| format!("{rows} rows of {inputs} inputs"));
            fields.same("shape", shape == of_other, [&texts[0], &texts[1]]);
        }
        (Statement::Depth(one, points), Statement::Depth(other, of_other)) => {
            scopes(&mut fields, one, other, true);
            fields.same("points", points == of_other, [&points.join(", "), &of_other.join(", ")]);
        }
        (Statement::Map(one), Statement::Map(other)) => maps(&mut fields, one, other),
        (
            Statement::Network(_)
            | Statement::Lemma { .. }
            | Statement::Theorem { .. }
            | Statement::EveryDataSet(..)
            | Statement::Depth(..)
            | Statement::Map(_),
            _,
        ) => fields.same("kind", false, [&first.kind(), &second.kind()]),
    }
    fields
}

fn scopes(fields: &mut Fields, one: &Scope, other: &Scope, is_negative: bool) {
    fields.equal("format", &one.format, &other.format);
    fields.equal("activation", &one.activation, &other.activation);
    let mut of_paths = Fields::default();
    paths(&mut of_paths, &one.model, &other.model);
    fields.0.extend(if is_negative { of_paths.reversed() } else { of_paths }.0);
}

fn certificates(fields: &mut Fields, one: &Certificate, other: &Certificate, is_refuted: bool) {
    let Claim { format, model, property, shape: _ } = &one.claim;
    let Claim { format: of_format, model: of_model, property: of_property, shape: _ } = &other.claim;
    fields.equal("format", format, of_format);
    paths(fields, model, of_model);
    if is_refuted {
        fields.equal("network", &one.network.sha256, &other.network.sha256);
    }
    let digest = |certificate: &Certificate| certificate.dataset.as_ref().map(|file| file.sha256);
    let forest = |certificate: &Certificate| certificate.forest.as_ref().map(|file| file.sha256);
    match (property, of_property) {
        (Property::Kernel(KernelProperty::Memorizes), Property::Kernel(KernelProperty::Memorizes)) => {
            files(fields, "data set", digest(one), digest(other), false);
        }
        (
            Property::Kernel(KernelProperty::Computes { tolerance, exceptions, trees: _, leaves: _ }),
            Property::Kernel(KernelProperty::Computes {
                tolerance: of_tolerance,
                exceptions: of_exceptions,
                trees: _,
                leaves: _,
            }),
        ) => {
            files(fields, "forest", forest(one), forest(other), false);
            files(fields, "data set", digest(one), digest(other), true);
            fields.add("tolerance", Some(tolerance.cmp(of_tolerance)), [tolerance, of_tolerance]);
            if digest(one).is_some() && digest(other).is_some() {
                let rows: [BTreeSet<usize>; 2] = [exceptions, of_exceptions].map(|rows| rows.iter().copied().collect());
                let texts = [&rows[0], &rows[1]].map(|rows| format!("{} rows", rows.len()));
                fields.add("exceptions", by_inclusion(&rows[1], &rows[0]), [&texts[0], &texts[1]]);
            }
        }
        (Property::Approximates(one), Property::Approximates(other)) => {
            let Approximates { approximation, leaves: _ } = &**one;
            approximations(fields, [*format, *of_format], approximation, &other.approximation);
        }
        (
            Property::Kernel(KernelProperty::Memorizes | KernelProperty::Computes { .. }) | Property::Approximates(_),
            _,
        ) => {
            fields.same("property", false, [&word(property), &word(of_property)]);
        }
    }
}

const fn word(property: &Property) -> &'static str {
    match property {
        Property::Kernel(KernelProperty::Memorizes) => "memorizes",
        Property::Kernel(KernelProperty::Computes { .. }) => "computes",
        Property::Approximates(_) => "approximates",
    }
}

/// Files by digest. What is said with a file is more than what is said without, if `is_more`; else the two are incomparable.
fn files(fields: &mut Fields, field: &'static str, one: Option<Digest>, other: Option<Digest>, is_more: bool) {
    let order = match (one, other) {
        (one, other) if one == other => Some(Ordering::Equal),
        (None, Some(_)) if is_more => Some(Ordering::Greater),
        (Some(_), None) if is_more => Some(Ordering::Less),
        _ => None,
    };
    let text = |digest: Option<Digest>| digest.map_or("none".to_string(), |digest| digest.to_string());
    fields.add(field, order, [&text(one), &text(other)]);
}

fn paths(fields: &mut Fields, one: &PathModel, other: &PathModel) {
    let PathModel { rounding, overflow, subnormals, summation } = one;
    let PathModel { rounding: of_rounding, overflow: of_overflow, subnormals: of_subnormals, summation: of_summation } =
        other;
    let order = match (rounding, of_rounding) {
        (Rounding::Any, Rounding::Any) => Some(Ordering::Equal),
        (Rounding::Mode(_), Rounding::Any) => Some(Ordering::Greater),
        (Rounding::Any, Rounding::Mode(_)) => Some(Ordering::Less),
        (Rounding::Mode(mode), Rounding::Mode(other)) => (mode == other).then_some(Ordering::Equal),
    };
    let named = |rounding: &Rounding| match rounding {
        Rounding::Mode(mode) => mode.name(),
        Rounding::Any => "any",
    };
    fields.add("rounding", order, [&named(rounding), &named(of_rounding)]);
    fields.equal("overflow", overflow, of_overflow);
    let rank = |subnormals: &Subnormals| match subnormals {
        Subnormals::Gradual => (0, "gradual"),
        Subnormals::Flush => (1, "flush"),
    };
    ranked(fields, "subnormals", rank(subnormals), rank(of_subnormals));
    match (summation, of_summation) {
        (Summation::Trees(one), Summation::Trees(other)) => trees(fields, one, other),
    }
}

fn trees(fields: &mut Fields, one: &Trees, other: &Trees) {
    let Trees { order, contraction, accumulator } = one;
    let Trees { order: of_order, contraction: of_contraction, accumulator: of_accumulator } = other;
    let rank = |order: &Order| match order {
        Order::LeftToRight => (0, "left-to-right"),
        Order::Any => (1, "any"),
    };
    ranked(fields, "order", rank(order), rank(of_order));
    let rank = |contraction: &Contraction| match contraction {
        Contraction::None => (0, "none"),
        Contraction::Any => (1, "any"),
    };
    ranked(fields, "contraction", rank(contraction), rank(of_contraction));
    let text = |accumulator: &Accumulator| match accumulator {
        Accumulator::Same => "same".to_string(),
        Accumulator::Wider { format, overflow } => format!("{format}/{overflow}"),
    };
    fields.same("accumulator", accumulator == of_accumulator, [&text(accumulator), &text(of_accumulator)]);
}

/// The higher rank has the larger set of paths.
fn ranked(fields: &mut Fields, field: &'static str, one: (u8, &str), other: (u8, &str)) {
    fields.add(field, Some(other.0.cmp(&one.0)), [&one.1, &other.1]);
}

fn approximations(fields: &mut Fields, formats: [Format; 2], one: &Approximation, other: &Approximation) {
    let Approximation { function, domain, accuracy } = one;
    fields.same("function", function == &other.function, [function, &other.function]);
    if formats[0] == formats[1] {
        let texts = [domain, &other.domain].map(|domain| ranges(domain));
        fields.add("domain", domains(formats[0], domain, &other.domain), [&texts[0], &texts[1]]);
    }
    let order = match (accuracy, &other.accuracy) {
        (Accuracy::Within(one), Accuracy::Within(other)) | (Accuracy::Excess(one), Accuracy::Excess(other)) => {
            Some(one.cmp(other))
        }
        (one, other) => (one == other).then_some(Ordering::Equal),
    };
    let text = |accuracy: &Accuracy| match accuracy {
        Accuracy::Rounded { mode, overflow } => format!("rounded {mode}, overflow={overflow}"),
        Accuracy::Within(error) => format!("error {error}"),
        Accuracy::Excess(excess) => format!("excess {excess}"),
    };
    fields.add("accuracy", order, [&text(accuracy), &text(&other.accuracy)]);
}

fn ranges(domain: &[(Encoding, Encoding)]) -> String {
    domain.iter().map(|(low, high)| format!("{low:?}:{high:?}")).collect::<Vec<_>>().join(", ")
}

/// Boxes of values, by inclusion: `Greater` if the second is the larger one.
fn domains(format: Format, one: &[(Encoding, Encoding)], other: &[(Encoding, Encoding)]) -> Option<Ordering> {
    if one.len() != other.len() {
        return None;
    }
    let mut all = Ordering::Equal;
    let ends = one.iter().zip(other).flat_map(|(one, other)| [(other.0, one.0), (one.1, other.1)]);
    for (low, high) in ends {
        // Of an end that is not a value nothing is known.
        let order = order_key(format, high)?.cmp(&order_key(format, low)?);
        match (all, order) {
            (Ordering::Equal, one) => all = one,
            (_, Ordering::Equal) => {}
            (one, other) if one == other => {}
            _ => return None,
        }
    }
    Some(all)
}

/// Sets, by inclusion: `Greater` if the second is the larger one.
fn by_inclusion<T: Ord>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> Option<Ordering> {
    match (one.is_subset(other), other.is_subset(one)) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Greater),
        (false, true) => Some(Ordering::Less),
        (false, false) => None,
    }
}

/// A cell of a map: path model, family, exponent bits, precision.
type Place<'a> = (&'a str, &'a str, &'a str, usize);

fn maps(fields: &mut Fields, one: &Recorded, other: &Recorded) {
    fields.equal("construction", &one.construction, &other.construction);
    fields.equal("statement", &one.statement, &other.statement);
    fields.equal("inputs", &one.inputs, &other.inputs);
    let (of_one, of_other) = (cells(one), cells(other));
    let places: BTreeSet<&Place> = of_one.keys().chain(of_other.keys()).collect();
    for place in places {
        let letters = [&of_one, &of_other].map(|cells| cells.get(place).copied().unwrap_or('?'));
        let texts = letters.map(|letter| format!("{letter} under {}, {}, {} p={}", place.0, place.1, place.2, place.3));
        fields.add("cell", established(letters), [&texts[0], &texts[1]]);
    }
}

/// The cells that say something: formats and path models that there are.
fn cells(map: &Recorded) -> BTreeMap<Place<'_>, char> {
    let of_panels = map.panels.iter().flat_map(|panel| {
        panel.cells.iter().flat_map(move |(bits, letters)| {
            let place = move |index: usize| (panel.paths.as_str(), panel.family.as_str(), bits.as_str(), index);
            let first = map.precisions[0] as usize;
            letters.chars().enumerate().map(move |(index, letter)| (place(first + index), letter))
        })
    });
    of_panels.filter(|(_, letter)| !matches!(letter, '.' | '-')).collect()
}

/// What two cells say. A capital letter is said of every value.
fn established([one, other]: [char; 2]) -> Option<Ordering> {
    let rank = |letter: char| match status(letter)? {
        status @ (Status::Holds | Status::Fails | Status::NoParameters) => Some((status, letter.is_ascii_uppercase())),
        Status::NoFormat | Status::NoModel | Status::Unknown => None,
    };
    match (rank(one), rank(other)) {
        (None, None) => Some(Ordering::Equal),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(_), None) => Some(Ordering::Less),
        (Some((what, rank)), Some((of_other, other))) => (what == of_other).then(|| other.cmp(&rank)),
    }
}
