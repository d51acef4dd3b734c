//! The lemmas for one format: symbolic data, and a symbolic choice for every operation.
//!
//! Every bounded format is asked in our bit-vectors, where a choice is one of the two neighbours; formats that Z3's own
//! theory takes are asked there too, with a symbolic rounding direction. Products with a power of two appear as
//! `scale`, which adds to an exponent and rounds; where the solver can, it is asked whether that is what `multiply` gives.
//!
//! A contracted product with 1 or -1 is exact, so its one rounding is that of the plain sum or difference. Up to
//! [`FUSED`] bits of precision this is asked of the fused operation all the same; beyond, it is left at that. Where a
//! question takes the solver too long, it is asked in cases, or in steps that chain: a step's conclusion is an assumption
//! of the next.

mod axioms;
mod flush;

use roundproof_format::Format;

use super::Question;
use crate::smt::bits::{Bits, Choices, Operation};
use crate::smt::ieee::{DIRECTIONS, FloatingPoint};

pub(super) use axioms::axioms;
pub(super) use flush::flush;

/// The largest precision for which a fused multiply-add of symbolic data is asked about.
const FUSED: u32 = 24;

/// Asks about one format in our bit-vectors.
struct InBits {
    bits: Bits,
    format: Format,
}

impl InBits {
    fn new(format: Format) -> Option<InBits> {
        let bits = Bits::new(format, format.default_overflow(), Choices::Neighbours)?;
        Some(InBits { bits, format })
    }

    fn is_fused(&self) -> bool {
        self.format.precision() <= FUSED
    }

    /// Constants are data, but `k`, `w`, `j`, which are exponents, `c…`, which are choices, `t.s t.e t.m`, which are a real
    /// without the top bit of its significand.
    fn ask(
        &self,
        case: &str,
        operations: &[Operation],
        names: &str,
        assumptions: &[&str],
        conclusion: &str,
    ) -> Question {
        let mut script = roundproof_solver::Script::new(Some("QF_BV"));
        for line in self.bits.definitions(operations) {
            script.line(&line);
        }
        for name in names.split_whitespace() {
            script.line(&format!("(declare-const {name} {})", self.sort(name)));
        }
        for assumption in assumptions {
            script.assert(&self.exponents(assumption));
        }
        Question {
            scope: self.format.to_string(),
            encoding: "bit-vectors",
            case: case.to_string(),
            assumptions: script,
            conclusion: self.exponents(conclusion),
        }
    }

    fn sort(&self, name: &str) -> String {
        let [sign, offset, significand] = self.bits.real_sorts();
        match (name, name.as_bytes()[0]) {
            ("t.s", _) => sign,
            ("t.e", _) => offset,
            ("t.m", _) => significand,
            (_, b'k' | b'w' | b'j') => self.bits.exponent_sort(),
            (_, b'c') => self.bits.choice_sort().to_string(),
            _ => self.bits.sort(),
        }
    }

    /// Puts constants in the places of `{0}`, `{emax}`, `{emin}` and `{least-normal}`.
    fn exponents(&self, text: &str) -> String {
        let bits = &self.bits;
        let exponent = |value: Option<i32>| bits.exponent(value.map_or(0, i64::from));
        let least_normal = bits.constant(roundproof_format::Encoding::from_bits(1 << self.format.trailing_bits()));
        text.replace("{0}", &bits.exponent(0))
            .replace("{emax}", &exponent(self.format.emax()))
            .replace("{emin}", &exponent(self.format.emin()))
            .replace("{least-normal}", &least_normal)
    }
}

/// Asks about one format in Z3's theory.
struct InTheory {
    theory: FloatingPoint,
    format: Format,
}

impl InTheory {
    fn new(format: Format) -> Option<InTheory> {
        Some(InTheory { theory: FloatingPoint::new(format)?, format })
    }

    /// Constants are data, but `e…`, which are encodings, `f…`, which are exponent fields, and `m…`, which are directions.
    fn ask(&self, case: &str, names: &str, assumptions: &[&str], conclusion: &str) -> Question {
        let mut script = roundproof_solver::Script::new(None);
        for line in self.theory.definitions() {
            script.line(&line);
        }
        for name in names.split(' ') {
            let sort = match name.as_bytes()[0] {
                b'e' => self.theory.encoding_sort(),
                b'f' => self.theory.field_sort(),
                b'm' => DIRECTIONS.to_string(),
                _ => self.theory.sort(),
            };
            script.line(&format!("(declare-const {name} {sort})"));
        }
        for assumption in assumptions {
            script.assert(&self.fields(assumption));
        }
        Question {
            scope: self.format.to_string(),
            encoding: "floating-point",
            case: case.to_string(),
            assumptions: script,
            conclusion: self.fields(conclusion),
        }
    }

    /// Puts constants in the places of `{bias}`, `{twice-bias}` (two bits wider) and `{top}`, the field of infinity.
    fn fields(&self, text: &str) -> String {
        let ((eb, _), bias) = (self.theory.widths(), self.theory.bias());
        text.replace("{bias}", &format!("(_ bv{bias} {eb})"))
            .replace("{twice-bias}", &format!("(_ bv{} {})", 2 * bias, eb + 2))
            .replace("{top}", &format!("(_ bv{} {eb})", 2 * bias + 1))
            .replace("{no-field}", &format!("(_ bv0 {eb})"))
    }
}

/// The questions in both encodings, where there are such.
fn both(
    format: Format,
    bits: impl FnOnce(&InBits) -> Vec<Question>,
    theory: impl FnOnce(&InTheory) -> Vec<Question>,
) -> Vec<Question> {
    let bits = InBits::new(format).map(|asker| bits(&asker)).unwrap_or_default();
    let theory = InTheory::new(format).map(|asker| theory(&asker)).unwrap_or_default();
    bits.into_iter().chain(theory).collect()
}

pub(super) fn gap(format: Format) -> Vec<Question> {
    let lower = ["(is-finite a)", "(is-finite x)", "(has-pred a)", "(lt x a)"];
    let upper = ["(is-finite a)", "(is-finite x)", "(has-succ a)", "(lt a x)"];
    let in_bits = |asker: &InBits| {
        let at_least = |gap: &str, difference: &str| format!("(le (pow2 (gap-exponent {gap})) {difference})");
        let mut questions = vec![
            asker.ask("below", &[Operation::Add], "a x c1", &lower, &at_least("a", "(subtract a x c1)")),
            asker.ask("above", &[Operation::Add], "a x c1", &upper, &at_least("(succ a)", "(subtract x a c1)")),
        ];
        if asker.is_fused() {
            let fused = at_least("a", "(fma minus-one x a c1)");
            questions.push(asker.ask("contracted", &[Operation::FusedMultiplyAdd], "a x c1", &lower, &fused));
        }
        questions
    };
    let in_theory = |asker: &InTheory| {
        if !asker.takes_two_roundings() {
            return Vec::new();
        }
        let assumptions =
            ["(is-finite x)", "(is-finite (datum e))", "(is-finite (datum (pred e)))", "(fp.lt x (datum e))"];
        let conclusion = "(fp.leq (fp.sub m2 (datum e) (datum (pred e))) (fp.sub m1 (datum e) x))";
        vec![asker.ask("below", "x e m1 m2", &assumptions, conclusion)]
    };
    both(format, in_bits, in_theory)
}

pub(super) fn scaling(format: Format) -> Vec<Question> {
    let exponent = ["(bvsle {0} k)", "(bvsle k {emax})"];
    let in_bits = |asker: &InBits| {
        let exact = [&exponent[..], &["(is-finite a)", "(fits k a)"]].concat();
        let monotone =
            [&exponent[..], &["(is-finite a)", "(is-finite x)", "(is-finite q)", "(le x a)", "(is-scaled q k a)"]]
                .concat();
        let scale = [Operation::Scale];
        let mut questions = vec![
            asker.ask("exact", &scale, "a k c1", &exact, "(is-scaled (scale k a c1) k a)"),
            asker.ask("monotone", &scale, "a x q k c1", &monotone, "(le (scale k x c1) q)"),
        ];
        if asker.is_fused() {
            let operations = [Operation::Scale, Operation::Multiply];
            let same = "(= (multiply (pow2 k) x c1) (scale k x c1))";
            let assumptions = ["(is-exponent k)", "(is-finite x)"];
            questions.push(asker.ask("scaling is multiplication", &operations, "x k c1", &assumptions, same));
        }
        questions
    };
    let in_theory = |asker: &InTheory| {
        if !asker.takes_products() {
            return Vec::new();
        }
        let exponent = ["(bvuge f {bias})", "(bvult f {top})", "(is-finite x)"];
        let within = |value: &str| format!("(not (fp.isInfinite (fp.mul RTP (pow2 f) (fp.abs {value}))))");
        let (x_within, a_within) = (within("x"), within("a"));
        let exact = [&exponent[..], &[&x_within]].concat();
        let monotone = [&exponent[..], &["(is-finite a)", "(fp.leq x a)", &a_within]].concat();
        vec![
            asker.ask("exact", "x f m1", &exact, "(= (fp.mul m1 (pow2 f) x) (fp.mul RTZ (pow2 f) x))"),
            asker.ask("monotone", "x a f m1", &monotone, "(fp.leq (fp.mul m1 (pow2 f) x) (fp.mul RTZ (pow2 f) a))"),
        ]
    };
    both(format, in_bits, in_theory)
}

impl InTheory {
    /// Whether the theory answers about products of symbolic data in time.
    fn takes_products(&self) -> bool {
        self.format.precision() <= 11
    }

    /// Whether it answers in time where two sums are compared, or one of a product: not in binary128.
    fn takes_two_roundings(&self) -> bool {
        self.format.precision() <= 53
    }
}

pub(super) fn threshold_step(format: Format) -> Vec<Question> {
    let in_bits = |asker: &InBits| {
        let finite = ["(is-finite t)", "(is-finite x)"];
        let right = |r: &str| {
            format!("(let ((r {r})) (and (not (is-nan r)) (= (le x t) (eq (step r) one)) (= (lt t x) (lt r zero))))")
        };
        let mut questions = vec![
            asker.ask("difference", &[Operation::Add], "t x c1", &finite, &right("(subtract t x c1)")),
            asker.ask(
                "product rounded by itself",
                &[Operation::Add, Operation::Multiply],
                "t x c1 c2",
                &finite,
                &right("(add t (multiply minus-one x c1) c2)"),
            ),
        ];
        if asker.is_fused() {
            let fused = right("(fma minus-one x t c1)");
            questions.push(asker.ask("contracted", &[Operation::FusedMultiplyAdd], "t x c1", &finite, &fused));
        }
        questions
    };
    let in_theory = |asker: &InTheory| {
        let finite = ["(is-finite t)", "(is-finite x)"];
        let right = |r: &str| {
            format!(
                "(let ((r {r})) (and (not (fp.isNaN r)) (= (fp.leq x t) (fp.eq (step r) one)) (= (fp.lt t x) (fp.lt r zero))))"
            )
        };
        let product = right("(fp.add m2 (fp.mul m1 minus-one x) t)");
        let mut questions = vec![asker.ask("difference", "t x m1", &finite, &right("(fp.sub m1 t x)"))];
        if asker.takes_two_roundings() {
            questions.push(asker.ask("product rounded by itself", "t x m1 m2", &finite, &product));
        }
        questions
    };
    both(format, in_bits, in_theory)
}

pub(super) fn threshold_relu(format: Format) -> Vec<Question> {
    both(format, relu_in_bits, relu_in_theory)
}

/// `b = K a` and `q = K pred(a)` are values, `K = 2^k`.
const SCALED: [&str; 7] = [
    "(is-finite a)",
    "(is-finite b)",
    "(is-finite q)",
    "(has-pred a)",
    "(bvsle {0} k)",
    "(bvsle k {emax})",
    "(and (is-scaled b k a) (is-scaled q k (pred a)))",
];

fn relu_in_bits(asker: &InBits) -> Vec<Question> {
    let gap = "(pow2 (bvadd (gap-exponent a) k))";
    let right = |u: &str| format!("(let ((u (relu {u}))) (and (=> (le a x) (eq u zero)) (=> (lt x a) (le {gap} u))))");
    let add = [Operation::Add];
    if asker.is_fused() {
        let assumptions = [&SCALED[..], &["(is-finite x)"]].concat();
        let operations = [Operation::Add, Operation::Scale];
        let separate = right("(subtract b (scale k x c1) c2)");
        let fused = right("(scale-add k (neg x) b c1)");
        return vec![
            asker.ask("product rounded by itself", &operations, "a x b q k c1 c2", &assumptions, &separate),
            asker.ask("contracted", &[Operation::ScaleAdd], "a x b q k c1", &assumptions, &fused),
        ];
    }
    // y is the rounded K x, which the lemma on scaling puts at or above b, or at or below q.
    let outside = format!("(le {gap} (relu (subtract b y c1)))");
    let small = "(and (le a {least-normal}) (le (neg {least-normal}) a))";
    let large = format!("(not {small})");
    let mut questions = vec![
        asker.ask("inside", &add, "b y c1", &["(is-finite b)", "(le b y)"], "(eq (relu (subtract b y c1)) zero)"),
        asker.ask(
            "outside neighbours",
            &add,
            "b y c1",
            &["(is-finite b)", "(has-pred b)", "(le y (pred b))"],
            "(le (pow2 (gap-exponent b)) (relu (subtract b y c1)))",
        ),
        asker.ask(
            "scaled normal values are neighbours",
            &[],
            "a b q k",
            &[&SCALED[..], &[large.as_str()]].concat(),
            "(and (has-pred b) (eq q (pred b)) (= (gap-exponent b) (bvadd (gap-exponent a) k)))",
        ),
    ];
    // With the widest precision for which the solver answers in time: for two cases, not that of binary128.
    let cases: [(&str, &[&str], u32); 4] = [
        ("positive, y positive", &["(lt zero a)", "(lt zero y)"], 53),
        ("positive, y not", &["(lt zero a)", "(le y zero)"], 113),
        ("zero", &["(is-zero a)"], 113),
        ("negative", &["(lt a zero)"], 53),
    ];
    for (case, more, widest) in cases {
        if asker.format.precision() <= widest {
            let assumptions = [&SCALED[..], &["(le y q)", small], more].concat();
            let case = format!("outside, subnormal, {case}");
            questions.push(asker.ask(&case, &add, "a b q y k c1", &assumptions, &outside));
        }
    }
    let assumptions = [
        "(is-finite a)",
        "(is-finite x)",
        "(has-pred a)",
        "(bvsle {0} k)",
        "(bvsle k {emax})",
        "(or (= k {0}) (and (fits k a) (fits k (pred a))))",
    ];
    let fused = right("(scale-sum k a (neg x) c1)");
    questions.push(asker.ask("contracted", &[Operation::ScaleSum], "a x k c1", &assumptions, &fused));
    questions
}

fn relu_in_theory(asker: &InTheory) -> Vec<Question> {
    let finite = ["(is-finite x)", "(is-finite (datum e))", "(is-finite (datum (pred e)))"];
    let right = |u: &str, gap: &str| {
        format!(
            "(let ((u (relu {u})) (a (datum e)) (pa (datum (pred e)))) (and (=> (fp.leq a x) (fp.isZero u)) (=> (fp.leq x pa) \
             (fp.leq {gap} u))))"
        )
    };
    let unscaled = right("(fp.sub m1 (datum e) x)", "(fp.sub m2 a pa)");
    if !asker.takes_two_roundings() {
        return Vec::new();
    }
    let mut questions = vec![asker.ask("K = 1", "x e m1 m2", &finite, &unscaled)];
    // Beyond 8 bits, three roundings and a symbolic product take too long.
    if asker.format.width() <= 8 {
        let within = |value: &str| format!("(not (fp.isInfinite (fp.mul RTP (pow2 f) (fp.abs {value}))))");
        let (a, pa) = (within("(datum e)"), within("(datum (pred e))"));
        let assumptions = [&finite[..], &["(bvuge f {bias})", "(bvult f {top})", &a, &pa]].concat();
        let scaled = right(
            "(fp.sub m2 (fp.mul RTZ (pow2 f) (datum e)) (fp.mul m1 (pow2 f) x))",
            "(fp.sub RTZ (fp.mul RTZ (pow2 f) a) (fp.mul RTZ (pow2 f) pa))",
        );
        questions.push(asker.ask("product rounded by itself", "x e f m1 m2", &assumptions, &scaled));
    }
    questions
}

pub(super) fn penalty(format: Format) -> Vec<Question> {
    let in_bits = |asker: &InBits| {
        let assumptions = ["(is-exponent w)", "(is-exponent j)", "(bvsle {0} (bvadd w j))", "(le (pow2 j) u)"];
        let conclusion = "(and (le one (scale w u c1)) (le (scale w (neg u) c1) minus-one))";
        vec![asker.ask("penalty", &[Operation::Scale], "u w j c1", &assumptions, conclusion)]
    };
    let in_theory = |asker: &InTheory| {
        // f1 and f2 are the exponent fields of W and g.
        let assumptions = [
            "(not (= f1 {no-field}))",
            "(not (= f2 {no-field}))",
            "(is-finite (pow2 f1))",
            "(is-finite (pow2 f2))",
            "(bvuge (bvadd ((_ zero_extend 2) f1) ((_ zero_extend 2) f2)) {twice-bias})",
            "(fp.leq (pow2 f2) u)",
        ];
        vec![asker.ask("penalty", "u f1 f2 m1", &assumptions, "(fp.leq one (fp.mul m1 (pow2 f1) u))")]
    };
    both(format, in_bits, in_theory)
}

/// Bounds of two subtrees and of their sum.
const BOUNDS: [(&str, &str, &str); 5] = [
    ("one", "zero", "one"),
    ("one", "minus-one", "zero"),
    ("zero", "zero", "zero"),
    ("zero", "minus-one", "minus-one"),
    ("minus-one", "zero", "minus-one"),
];

pub(super) fn dominance(format: Format) -> Vec<Question> {
    let in_bits = |asker: &InBits| {
        let mut questions = Vec::new();
        for (s, t, sum) in BOUNDS {
            let case = format!("s at most {s}, t at most {t}");
            let assumptions = [format!("(le s {s})"), format!("(le t {t})")];
            let assumptions: Vec<&str> = assumptions.iter().map(String::as_str).collect();
            let conclusion = format!("(le (add s t c1) {sum})");
            questions.push(asker.ask(&case, &[Operation::Add], "s t c1", &assumptions, &conclusion));
            // Contracted: t is the exact -(2^w u), at most 0 as u is not negative; at most -1 if u >= 2^-w.
            let least = match t {
                "zero" => "(le zero u)",
                _ => "(or (is-infinite u) (and (not (is-zero u)) (bvsle {0} (bvadd w (bvadd (offset u) {emin})))))",
            };
            let bounded = format!("(le s {s})");
            let assumptions = ["(is-exponent w)", "(le zero u)", least, &bounded];
            let conclusion = format!("(le (scale-add w (neg u) s c1) {sum})");
            let case = format!("{case}, contracted");
            questions.push(asker.ask(&case, &[Operation::ScaleAdd], "s u w c1", &assumptions, &conclusion));
        }
        let ones = ["(eq s one)", "(is-zero t)"];
        questions.push(asker.ask("s is 1, t is 0", &[Operation::Add], "s t c1", &ones, "(eq (add s t c1) one)"));
        questions
    };
    let in_theory = |asker: &InTheory| {
        let each = BOUNDS.map(|(s, t, sum)| {
            let assumptions = [format!("(fp.leq s {s})"), format!("(fp.leq t {t})")];
            let assumptions: Vec<&str> = assumptions.iter().map(String::as_str).collect();
            let conclusion = format!("(fp.leq (fp.add m1 s t) {sum})");
            asker.ask(&format!("s at most {s}, t at most {t}"), "s t m1", &assumptions, &conclusion)
        });
        each.into()
    };
    both(format, in_bits, in_theory)
}

pub(super) fn selection(format: Format) -> Vec<Question> {
    let in_bits = |asker: &InBits| {
        let mut questions = vec![
            asker.ask(
                "products",
                &[Operation::Multiply],
                "y z c1",
                &["(is-finite y)", "(is-zero z)"],
                "(and (eq (multiply y one c1) y) (is-zero (multiply y z c1)))",
            ),
            asker.ask(
                "sums",
                &[Operation::Add],
                "s z c1",
                &["(is-finite s)", "(is-zero z)"],
                "(and (eq (add s z c1) s) (eq (add z s c1) s))",
            ),
        ];
        if asker.is_fused() {
            let assumptions = ["(is-finite y)", "(is-finite s)", "(is-zero z)"];
            let exact = "(and (eq (fma y one z c1) y) (eq (fma y z s c1) s))";
            questions.push(asker.ask("contracted", &[Operation::FusedMultiplyAdd], "y s z c1", &assumptions, exact));
        }
        questions
    };
    let in_theory = |asker: &InTheory| {
        let products = "(and (fp.eq (fp.mul m1 y one) y) (fp.isZero (fp.mul m1 y z)))";
        let sums = "(and (fp.eq (fp.add m1 s z) s) (fp.eq (fp.add m1 z s) s))";
        vec![
            asker.ask("products", "y z m1", &["(is-finite y)", "(fp.isZero z)"], products),
            asker.ask("sums", "s z m1", &["(is-finite s)", "(fp.isZero z)"], sums),
        ]
    };
    both(format, in_bits, in_theory)
}

#[cfg(test)]
mod tests;
