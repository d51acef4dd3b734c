//! Expressions from text, by recursive descent.
//!
//! The grammar is small, numbers must stay exact, and every error names its position: evaluators of expressions for
//! machine floats give neither.

use roundproof_exact::NumberError;

use super::expression::{Binary, Expression, Unary};
use super::{FunctionError, shortened};

/// How deeply parentheses, calls and signs may be nested.
const MAX_NESTING: usize = 200;
/// How many operators and calls an expression may have.
const MAX_OPERATORS: usize = 1000;
/// The largest magnitude of an exponent.
const MAX_POWER: i32 = 1_000_000;
/// The bits of the numerators and denominators of all numbers.
const MAX_NUMBER_BITS: u32 = 1 << 16;
const NUMBER_BITS: &str = "numbers of at most 65536 bits, together";

struct Parser<'a> {
    text: &'a str,
    /// In bytes.
    position: usize,
    nesting: usize,
    operators: usize,
    number_bits: u32,
}

/// An expression, or why there is none.
type Tree = Result<Expression, FunctionError>;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Tree {
    let mut parser = Parser { text, position: 0, nesting: 0, operators: 0, number_bits: 0 };
    let expression = parser.sum()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.error("an operator or the end")),
    }
}

impl<'a> Parser<'a> {
    fn error(&self, expected: &'static str) -> FunctionError {
        FunctionError::Syntax { position: self.position, expected }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    fn peek(&mut self) -> Option<char> {
        let trimmed = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
        self.position = self.text.len() - trimmed.len();
        trimmed.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.position += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), FunctionError> {
        if self.take(wanted) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// Counts an operator. There are no more of them on any path from the root to a leaf, which bounds the stack.
    fn grown(&mut self, expression: Expression) -> Tree {
        if self.operators == MAX_OPERATORS {
            return Err(self.error("at most 1000 operators"));
        }
        self.operators += 1;
        Ok(expression)
    }

    fn chain(&mut self, operators: &[(char, Binary)], part: fn(&mut Self) -> Tree) -> Tree {
        let mut left = part(self)?;
        loop {
            let next = self.peek();
            let Some((sign, operator)) = operators.iter().find(|(sign, _)| Some(*sign) == next) else {
                return Ok(left);
            };
            self.take(*sign);
            let right = part(self)?;
            left = self.grown(Expression::Binary(*operator, Box::new(left), Box::new(right)))?;
        }
    }

    fn sum(&mut self) -> Tree {
        self.chain(&[('+', Binary::Add), ('-', Binary::Subtract)], Self::product)
    }

    fn product(&mut self) -> Tree {
        self.chain(&[('*', Binary::Multiply), ('/', Binary::Divide)], Self::factor)
    }

    /// A factor that no other follows without a sign between them.
    fn factor(&mut self) -> Tree {
        self.peek();
        let start = self.position;
        let factor = self.signed()?;
        let end = self.position;
        let next = match self.peek() {
            Some('(') => "(...)",
            Some(c) if c.is_ascii_alphanumeric() || c == '.' => {
                let rest = self.rest();
                &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len())]
            }
            _ => return Ok(factor),
        };
        let product = format!("{}*{}", self.text[start..end].trim_end(), next);
        Err(FunctionError::Product { position: self.position, product: shortened(&product) })
    }

    fn signed(&mut self) -> Tree {
        if !self.take('-') {
            return self.power();
        }
        self.nested(|parser| {
            let a = parser.signed()?;
            parser.grown(Expression::Unary(Unary::Negate, Box::new(a)))
        })
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Tree) -> Tree {
        if self.nesting == MAX_NESTING {
            return Err(self.error("at most 200 nested parentheses, calls and signs"));
        }
        self.nesting += 1;
        let tree = inner(self)?;
        self.nesting -= 1;
        Ok(tree)
    }

    fn power(&mut self) -> Tree {
        let base = self.atom()?;
        if !self.take('^') {
            return Ok(base);
        }
        let parenthesis = self.take('(');
        let negative = self.take('-');
        self.peek();
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let exponent = rest[..length].parse::<i32>().ok().filter(|n| *n <= MAX_POWER);
        let exponent = exponent.ok_or_else(|| self.error("an integer of at most 1000000 as an exponent"))?;
        self.position += length;
        if parenthesis {
            self.expect(')', "`)` after the exponent")?;
        }
        if self.peek() == Some('^') {
            return Err(self.error("parentheses around a power of a power"));
        }
        self.grown(Expression::Power(Box::new(base), if negative { -exponent } else { exponent }))
    }

    fn atom(&mut self) -> Tree {
        match self.peek() {
            Some('(') => self.nested(|parser| {
                parser.take('(');
                let tree = parser.sum()?;
                parser.expect(')', "an operator or `)`")?;
                Ok(tree)
            }),
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() => self.name(),
            _ => Err(self.error("a number, x, y, a function or `(`")),
        }
    }

    /// Digits with a point, and behind their mark an exponent's, with a sign.
    fn number(&mut self) -> Tree {
        let bytes = self.rest().as_bytes();
        let byte = |index: usize| bytes.get(index).map_or(0, u8::to_ascii_lowercase);
        let hexadecimal = byte(0) == b'0' && byte(1) == b'x';
        let part =
            |byte: u8| byte == b'.' || if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
        let run = |from: usize, part: &dyn Fn(u8) -> bool| {
            (from..bytes.len()).find(|&index| !part(byte(index))).unwrap_or(bytes.len())
        };
        let mut length = run(if hexadecimal { 2 } else { 0 }, &part);
        if byte(length) == if hexadecimal { b'p' } else { b'e' } {
            let digits = length + 1 + usize::from(matches!(byte(length + 1), b'+' | b'-'));
            // Else it is the beginning of a name.
            if byte(digits).is_ascii_digit() {
                length = run(digits, &|byte| byte.is_ascii_digit());
            }
        }
        let number = roundproof_exact::parse_number(&self.rest()[..length]).map_err(|error| match error {
            NumberError::Exponent => self.error(NUMBER_BITS),
            _ => self.error("a number"),
        })?;
        let value = number.value();
        self.number_bits = [value.numer(), value.denom()]
            .iter()
            .fold(self.number_bits, |bits, part| bits.saturating_add(part.significant_bits()));
        if self.number_bits > MAX_NUMBER_BITS {
            return Err(self.error(NUMBER_BITS));
        }
        self.position += length;
        Ok(Expression::Number(value))
    }

    fn name(&mut self) -> Tree {
        let start = self.position;
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest[..length].to_string();
        self.position += length;
        match name.as_str() {
            "x" => return Ok(Expression::Variable(0)),
            "y" => return Ok(Expression::Variable(1)),
            _ => {}
        }
        let unary = Unary::NAMED.iter().find(|(known, _)| *known == name).map(|(_, function)| *function);
        let binary = Binary::NAMED.iter().find(|(known, _)| *known == name).map(|(_, function)| *function);
        let expected = match (unary, binary) {
            (None, None) => {
                return Err(FunctionError::UnknownName {
                    nearest: nearest(&name),
                    name: shortened(&name),
                    position: start,
                });
            }
            (Some(_), _) => 1,
            _ => 2,
        };
        let mut arguments = self.arguments()?;
        let found = arguments.len();
        match (unary, binary, arguments.pop(), arguments.pop(), arguments.pop()) {
            (Some(function), _, Some(a), None, _) => self.grown(Expression::Unary(function, Box::new(a))),
            (None, Some(function), Some(b), Some(a), None) => {
                self.grown(Expression::Binary(function, Box::new(a), Box::new(b)))
            }
            _ => Err(FunctionError::Arity { name, expected, found }),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, FunctionError> {
        if self.nesting == MAX_NESTING {
            return Err(self.error("at most 200 nested parentheses, calls and signs"));
        }
        self.nesting += 1;
        self.expect('(', "`(` after the name of a function")?;
        let mut arguments = vec![self.sum()?];
        while self.take(',') {
            arguments.push(self.sum()?);
        }
        self.expect(')', "an operator, `,` or `)`")?;
        self.nesting -= 1;
        Ok(arguments)
    }
}

/// The known name at the least number of single edits, if at most half of the letters differ.
fn nearest(name: &str) -> Option<&'static str> {
    let names = Unary::NAMED.iter().map(|(name, _)| *name).chain(Binary::NAMED.iter().map(|(name, _)| *name));
    let names = names.chain(super::CATALOGUE.iter().map(|(name, ..)| *name));
    let best = names.map(|known| (edits(name, known), known)).min()?;
    (best.0 * 2 <= best.1.len()).then_some(best.1)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(a.len())
}
