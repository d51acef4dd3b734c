//! Expressions from text, by recursive descent.
//!
//! The grammar is small, numbers must stay exact, and every error names its position: evaluators of expressions for
//! machine floats give neither.

use super::FunctionError;
use super::expression::{Binary, Expression, Unary};

/// How deeply parentheses, calls and signs may be nested.
const MAX_NESTING: usize = 200;
/// How many operators may lie on a path from the root of the tree to a leaf.
const MAX_DEPTH: usize = 1000;
/// The largest magnitude of an exponent.
const MAX_POWER: i32 = 1_000_000;
/// The size of a number's numerator and denominator.
const MAX_NUMBER_BITS: u32 = 1 << 16;

struct Parser<'a> {
    text: &'a str,
    /// In bytes.
    position: usize,
    nesting: usize,
}

/// A tree and how deep it is.
type Tree = (Expression, usize);

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expression, FunctionError> {
    let mut parser = Parser { text, position: 0, nesting: 0 };
    let (expression, _) = parser.sum()?;
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

    /// A tree of the depth of its parts and one more.
    fn grown(&self, expression: Expression, depth: usize) -> Result<Tree, FunctionError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("fewer than 1000 operators in a chain"));
        }
        Ok((expression, depth + 1))
    }

    fn chain(
        &mut self,
        operators: &[(char, Binary)],
        part: fn(&mut Self) -> Result<Tree, FunctionError>,
    ) -> Result<Tree, FunctionError> {
        let mut left = part(self)?;
        loop {
            let next = self.peek();
            let Some((sign, operator)) = operators.iter().find(|(sign, _)| Some(*sign) == next) else {
                return Ok(left);
            };
            self.take(*sign);
            let right = part(self)?;
            let depth = left.1.max(right.1);
            left = self.grown(Expression::Binary(*operator, Box::new(left.0), Box::new(right.0)), depth)?;
        }
    }

    fn sum(&mut self) -> Result<Tree, FunctionError> {
        self.chain(&[('+', Binary::Add), ('-', Binary::Subtract)], Self::product)
    }

    fn product(&mut self) -> Result<Tree, FunctionError> {
        self.chain(&[('*', Binary::Multiply), ('/', Binary::Divide)], Self::signed)
    }

    fn signed(&mut self) -> Result<Tree, FunctionError> {
        if !self.take('-') {
            return self.power();
        }
        self.nested(|parser| {
            let (a, depth) = parser.signed()?;
            parser.grown(Expression::Unary(Unary::Negate, Box::new(a)), depth)
        })
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Result<Tree, FunctionError>) -> Result<Tree, FunctionError> {
        if self.nesting == MAX_NESTING {
            return Err(self.error("at most 200 nested parentheses, calls and signs"));
        }
        self.nesting += 1;
        let tree = inner(self)?;
        self.nesting -= 1;
        Ok(tree)
    }

    fn power(&mut self) -> Result<Tree, FunctionError> {
        let (base, depth) = self.atom()?;
        if !self.take('^') {
            return Ok((base, depth));
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
        self.grown(Expression::Power(Box::new(base), if negative { -exponent } else { exponent }), depth)
    }

    fn atom(&mut self) -> Result<Tree, FunctionError> {
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

    /// The longest text that may be a number: an exponent's sign belongs to it right after its mark.
    fn number(&mut self) -> Result<Tree, FunctionError> {
        let bytes = self.rest().as_bytes();
        let hexadecimal = bytes.len() > 1 && bytes[1].eq_ignore_ascii_case(&b'x');
        let mark = if hexadecimal { b'p' } else { b'e' };
        let part = |index: usize| {
            let byte = bytes[index].to_ascii_lowercase();
            let sign = index > 0 && matches!(byte, b'+' | b'-') && bytes[index - 1].eq_ignore_ascii_case(&mark);
            byte.is_ascii_alphanumeric() || byte == b'.' || sign
        };
        let length = (0..bytes.len()).find(|&index| !part(index)).unwrap_or(bytes.len());
        let number = crate::parse_number(&self.rest()[..length]).map_err(|_| self.error("a number"))?;
        let value = number.value();
        if value.numer().significant_bits().max(value.denom().significant_bits()) > MAX_NUMBER_BITS {
            return Err(self.error("a number of at most 65536 bits"));
        }
        self.position += length;
        Ok((Expression::Number(value), 1))
    }

    fn name(&mut self) -> Result<Tree, FunctionError> {
        let start = self.position;
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest[..length].to_string();
        self.position += length;
        match name.as_str() {
            "x" => return Ok((Expression::Variable(0), 1)),
            "y" => return Ok((Expression::Variable(1), 1)),
            _ => {}
        }
        let unary = Unary::NAMED.iter().find(|(known, _)| *known == name).map(|(_, function)| *function);
        let binary = Binary::NAMED.iter().find(|(known, _)| *known == name).map(|(_, function)| *function);
        let expected = match (unary, binary) {
            (None, None) => return Err(FunctionError::UnknownName { nearest: nearest(&name), name, position: start }),
            (Some(_), _) => 1,
            _ => 2,
        };
        let mut arguments = self.arguments()?;
        let found = arguments.len();
        match (unary, binary, arguments.pop(), arguments.pop(), arguments.pop()) {
            (Some(function), _, Some((a, depth)), None, _) => {
                self.grown(Expression::Unary(function, Box::new(a)), depth)
            }
            (None, Some(function), Some((b, right)), Some((a, left)), None) => {
                self.grown(Expression::Binary(function, Box::new(a), Box::new(b)), left.max(right))
            }
            _ => Err(FunctionError::Arity { name, expected, found }),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Tree>, FunctionError> {
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
