//! Terms of SMT-LIB as text, with the widths of bit-vectors checked while they are built.

use std::fmt;

/// A bit-vector term. Width 0 is allowed while building: it is nothing, and joins with anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    text: String,
    width: u32,
}

/// A Boolean term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth(String);

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The sort of bit-vectors of a width.
pub fn vector_sort(width: u32) -> String {
    format!("(_ BitVec {width})")
}

impl Vector {
    /// The term with this text.
    pub fn new(text: impl Into<String>, width: u32) -> Vector {
        Vector { text: text.into(), width }
    }

    /// An unsigned constant.
    pub fn constant(value: u128, width: u32) -> Vector {
        debug_assert!(width >= 128 || value >> width == 0, "{value} does not fit into {width} bits");
        Vector::new(format!("(_ bv{value} {width})"), width)
    }

    /// A constant in two's complement.
    pub fn signed(value: i64, width: u32) -> Vector {
        debug_assert!(width < 64);
        Vector::constant(value as u64 as u128 & ((1 << width) - 1), width)
    }

    /// Zero of this width.
    pub fn zero(width: u32) -> Vector {
        Vector::constant(0, width)
    }

    /// How many bits there are.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Bits `from..from + count`.
    pub fn slice(&self, from: u32, count: u32) -> Vector {
        debug_assert!(from + count <= self.width);
        if count == self.width || count == 0 {
            return Vector::new(if count == 0 { "" } else { &self.text }, count);
        }
        Vector::new(format!("((_ extract {} {from}) {self})", from + count - 1), count)
    }

    /// The `count` lowest bits.
    pub fn low(&self, count: u32) -> Vector {
        self.slice(0, count)
    }

    /// The `count` highest bits.
    pub fn high(&self, count: u32) -> Vector {
        self.slice(self.width - count, count)
    }

    /// Whether bit `index` is set.
    pub fn bit(&self, index: u32) -> Truth {
        Truth(format!("(= {} #b1)", self.slice(index, 1)))
    }

    /// Whether the highest bit is set: the sign, in two's complement.
    pub fn top(&self) -> Truth {
        self.bit(self.width - 1)
    }

    /// These bits above those of `low`.
    pub fn join(&self, low: &Vector) -> Vector {
        match (self.width, low.width) {
            (0, _) => low.clone(),
            (_, 0) => self.clone(),
            _ => Vector::new(format!("(concat {self} {low})"), self.width + low.width),
        }
    }

    /// These bits with `count` zeros below.
    pub fn padded(&self, count: u32) -> Vector {
        if count == 0 { self.clone() } else { self.join(&Vector::zero(count)) }
    }

    /// The same unsigned number in `width` bits, at least as many as there are.
    pub fn widen(&self, width: u32) -> Vector {
        self.extend("zero_extend", width)
    }

    /// The same number in two's complement in `width` bits.
    pub fn widen_signed(&self, width: u32) -> Vector {
        self.extend("sign_extend", width)
    }

    fn extend(&self, how: &str, width: u32) -> Vector {
        match width - self.width {
            0 => self.clone(),
            more => Vector::new(format!("((_ {how} {more}) {self})"), width),
        }
    }

    fn with(&self, operator: &str, other: &Vector) -> Vector {
        debug_assert_eq!(self.width, other.width, "{operator} {self} {other}");
        Vector::new(format!("({operator} {self} {other})"), self.width)
    }

    fn compare(&self, relation: &str, other: &Vector) -> Truth {
        debug_assert_eq!(self.width, other.width, "{relation} {self} {other}");
        Truth(format!("({relation} {self} {other})"))
    }

    /// The sum, modulo 2^width.
    pub fn plus(&self, other: &Vector) -> Vector {
        self.with("bvadd", other)
    }

    /// The difference, modulo 2^width.
    pub fn minus(&self, other: &Vector) -> Vector {
        self.with("bvsub", other)
    }

    /// The product, modulo 2^width.
    pub fn times(&self, other: &Vector) -> Vector {
        self.with("bvmul", other)
    }

    /// The negative, modulo 2^width.
    pub fn negated(&self) -> Vector {
        Vector::new(format!("(bvneg {self})"), self.width)
    }

    /// One more.
    pub fn next(&self) -> Vector {
        self.plus(&Vector::constant(1, self.width))
    }

    /// One less.
    pub fn previous(&self) -> Vector {
        self.minus(&Vector::constant(1, self.width))
    }

    /// The bits set in either.
    pub fn or(&self, other: &Vector) -> Vector {
        self.with("bvor", other)
    }

    /// Equality.
    pub fn equals(&self, other: &Vector) -> Truth {
        self.compare("=", other)
    }

    /// Equality with a constant.
    pub fn is(&self, value: u128) -> Truth {
        self.equals(&Vector::constant(value, self.width))
    }

    /// Whether no bit is set.
    pub fn is_zero(&self) -> Truth {
        if self.width == 0 { Truth::yes() } else { self.is(0) }
    }

    /// Whether a bit is set.
    pub fn is_nonzero(&self) -> Truth {
        self.is_zero().not()
    }

    /// Unsigned `<`.
    pub fn below(&self, other: &Vector) -> Truth {
        self.compare("bvult", other)
    }

    /// Unsigned `<=`.
    pub fn at_most(&self, other: &Vector) -> Truth {
        self.compare("bvule", other)
    }

    /// `<` in two's complement.
    pub fn below_signed(&self, other: &Vector) -> Truth {
        self.compare("bvslt", other)
    }

    /// `<=` in two's complement.
    pub fn at_most_signed(&self, other: &Vector) -> Truth {
        self.compare("bvsle", other)
    }
}

impl Truth {
    /// The term with this text.
    pub fn new(text: impl Into<String>) -> Truth {
        Truth(text.into())
    }

    /// True.
    pub fn yes() -> Truth {
        Truth::new("true")
    }

    /// False.
    pub fn no() -> Truth {
        Truth::new("false")
    }

    fn is_yes(&self) -> bool {
        self.0 == "true"
    }

    fn is_no(&self) -> bool {
        self.0 == "false"
    }

    /// Negation.
    pub fn not(&self) -> Truth {
        match self.0.as_str() {
            "true" => Truth::no(),
            "false" => Truth::yes(),
            _ => Truth(format!("(not {self})")),
        }
    }

    /// Conjunction.
    pub fn and(&self, other: &Truth) -> Truth {
        match (self, other) {
            (a, b) if a.is_no() || b.is_yes() => a.clone(),
            (a, b) if a.is_yes() || b.is_no() => b.clone(),
            _ => Truth(format!("(and {self} {other})")),
        }
    }

    /// Disjunction.
    pub fn or(&self, other: &Truth) -> Truth {
        match (self, other) {
            (a, b) if a.is_yes() || b.is_no() => a.clone(),
            (a, b) if a.is_no() || b.is_yes() => b.clone(),
            _ => Truth(format!("(or {self} {other})")),
        }
    }

    /// Whether the two differ.
    pub fn xor(&self, other: &Truth) -> Truth {
        Truth(format!("(xor {self} {other})"))
    }

    /// Whether the two agree.
    pub fn equals(&self, other: &Truth) -> Truth {
        Truth(format!("(= {self} {other})"))
    }

    /// One vector or the other.
    pub fn pick(&self, yes: &Vector, no: &Vector) -> Vector {
        debug_assert_eq!(yes.width, no.width, "{self}: {yes} or {no}");
        match self.0.as_str() {
            "true" => yes.clone(),
            "false" => no.clone(),
            _ if yes == no => yes.clone(),
            _ => Vector::new(format!("(ite {self} {yes} {no})"), yes.width),
        }
    }

    /// One truth or the other.
    pub fn choose(&self, yes: &Truth, no: &Truth) -> Truth {
        match self.0.as_str() {
            "true" => yes.clone(),
            "false" => no.clone(),
            _ => Truth(format!("(ite {self} {yes} {no})")),
        }
    }

    /// One bit.
    pub fn as_bit(&self) -> Vector {
        self.pick(&Vector::new("#b1", 1), &Vector::new("#b0", 1))
    }
}

/// A chain of nested `let`s: every intermediate result gets a name and is written once.
#[derive(Debug, Default)]
pub struct Lets(Vec<(String, String)>);

impl Lets {
    /// Names a vector.
    pub fn vector(&mut self, hint: &str, term: Vector) -> Vector {
        Vector::new(self.bind(hint, term.text), term.width)
    }

    /// Names a truth.
    pub fn truth(&mut self, hint: &str, term: Truth) -> Truth {
        Truth(self.bind(hint, term.0))
    }

    fn bind(&mut self, hint: &str, text: String) -> String {
        if !text.starts_with('(') || text.starts_with("(_ bv") {
            return text;
        }
        let name = format!("{hint}.{}", self.0.len());
        self.0.push((name.clone(), text));
        name
    }

    /// The body under all the names.
    pub fn close(self, body: impl fmt::Display) -> String {
        let mut text = String::new();
        for (name, term) in &self.0 {
            text.push_str(&format!("(let (({name} {term}))\n "));
        }
        text.push_str(&body.to_string());
        text.push_str(&")".repeat(self.0.len()));
        text
    }
}
