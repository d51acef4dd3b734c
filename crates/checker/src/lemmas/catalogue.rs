//! Every lemma, by name.

use super::{Beside, Lemma, enumeration, every_format, formats, independence};

/// Every lemma, the deeper ones first.
pub fn catalogue() -> &'static [Lemma] {
    &CATALOGUE
}

/// No question of this kind: the lemma is one about every format.
const NONE: fn(roundproof_format::Format) -> Vec<super::Question> = |_| Vec::new();

static CATALOGUE: [Lemma; 12] = [
    Lemma {
        name: "axioms",
        statement: "The axioms hold in each named format, for all values and all reals, under any rounding: R, that a real becomes \
                    one of its neighbours; R1, R3, R4, G, symmetry, and of neighbours that no value lies between them (N) and \
                    that their difference is a value (D), from which R3 follows. Two small formats are asked over the reals, \
                    too, their values listed, and formats of up to 8 bits enumerated.",
        behind_boxes: false,
        every_format: every_format::axioms,
        formats: formats::axioms,
        beside: Beside::Enumeration(enumeration::axioms),
    },
    Lemma {
        name: "flush",
        statement: "Where subnormal results, or operands, are flushed to zero, R3 is false in each named format, and where results \
                    are, R1 too: at the values listed, which the solver found and exact arithmetic evaluates again.",
        behind_boxes: false,
        every_format: Vec::new,
        formats: NONE,
        beside: Beside::Falsehoods(formats::flush),
    },
    Lemma {
        name: "independence",
        statement: "None of R1, N, D, S, R4, G0 and G follows from the others: for each there are finitely many values and a \
                    rounding, listed, that satisfy the others for all arguments and not it, nor a lemma that leans on it: \
                    exactness, gap, gap, threshold-step, scaling, penalty, grid-sums. R3 follows, by the lemma gap.",
        behind_boxes: false,
        every_format: independence::questions,
        formats: NONE,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "exactness",
        statement: "R2: a real that is a value rounds to itself, in every direction.",
        behind_boxes: false,
        every_format: every_format::exactness,
        formats: NONE,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "grid-sums",
        statement: "R5, the induction step over trees: if two subtrees give exactly a and b, multiples of a power of two g in the \
                    format, and |a + b| is at most min(2^p g, max), then their sum is exactly a + b, a multiple of g again; also if \
                    one of them is a contracted product.",
        behind_boxes: true,
        every_format: every_format::grid_sums,
        formats: NONE,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "gap",
        statement: "R3: for finite values x < a whose predecessor pred(a) is finite, every rounding of a - x is at least \
                    a - pred(a), and no NaN; also for the mirror image, and for x as a contracted product with 1 or -1, which is \
                    exact, so that the one rounding is that of the same difference.",
        behind_boxes: true,
        every_format: every_format::gap,
        formats: formats::gap,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "scaling",
        statement: "R4: for K = 2^k >= 1 and a value a with |K a| <= max, every rounding of K a is K a; and x <= y gives r(K x) <= \
                    K y where K y is a value.",
        behind_boxes: true,
        every_format: every_format::scaling,
        formats: formats::scaling,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "threshold-step",
        statement: "For finite x and t: a rounding of t - x is at least 0 if x <= t, and below 0 if x > t, so Step of it is exactly \
                    1[x <= t], and it is no NaN; also with the product -1 * x rounded by itself, and contracted.",
        behind_boxes: true,
        every_format: every_format::threshold_step,
        formats: formats::threshold_step,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "threshold-relu",
        statement: "For finite x and a, and K = 2^k with K = 1 or |K a|, |K pred(a)| <= max: u = ReLU(r(K a - r(K x))) is 0 if x >= a, \
                    and at least K (a - pred(a)) if x <= pred(a), and no NaN; also fused, u = ReLU(r(K a - K x)) with one rounding.",
        behind_boxes: true,
        every_format: every_format::threshold_relu,
        formats: formats::threshold_relu,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "penalty",
        statement: "For u >= g (infinity included) and a power of two W with W g >= 1, every rounding of W u is at least 1, and no \
                    NaN.",
        behind_boxes: true,
        every_format: every_format::penalty,
        formats: formats::penalty,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "dominance",
        statement: "R6, the induction step over trees: with s the value of one subtree and t that of another (minus infinity \
                    included), s <= 1, t <= 0 gives a sum <= 1; s <= 1, t <= -1 gives <= 0; s <= 0, t <= 0 gives <= 0; s <= 0, t <= -1 \
                    gives <= -1; s = 1, t = 0 gives 1; never NaN. Also with t = -(W u) contracted. In general, for terms <= -2^-j, \
                    j <= p: bounds 1 - min(k, 2^j) / 2^j carry over.",
        behind_boxes: true,
        every_format: every_format::dominance,
        formats: formats::dominance,
        beside: Beside::Nothing,
    },
    Lemma {
        name: "selection",
        statement: "R7: for finite y and s, y * 1 is y, y * 0 is a zero and s + 0 is s, exactly, in every direction; also with the \
                    product contracted.",
        behind_boxes: true,
        every_format: every_format::selection,
        formats: formats::selection,
        beside: Beside::Nothing,
    },
];
