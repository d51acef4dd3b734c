//! Values, separators and paths as text. The grammar stands in the documentation of the module above.

use std::fmt::Write as _;

use roundproof_exact::Rational;
use roundproof_format::{Class, Encoding, Format, RoundingMode};
use roundproof_kernel::{Evidence, Node, Separator};
use roundproof_network::{Addition, At, Choice, Flushes, SumPath, TreePath};
use thiserror::Error;

use super::Inconsistency;
use crate::json::shorten;

/// The most terms that all paths of a witness together may have: few bytes can stand for many terms.
pub(super) const MAX_TERMS: usize = 1 << 22;

const MODES: [(&str, RoundingMode); 5] = [
    ("RNE", RoundingMode::TiesToEven),
    ("RNA", RoundingMode::TiesToAway),
    ("RTP", RoundingMode::TowardPositive),
    ("RTN", RoundingMode::TowardNegative),
    ("RTZ", RoundingMode::TowardZero),
];

/// A text that is not a value, separator or path; or a path that has no text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotationError {
    /// Not a value's text.
    #[error("a value of {format} is `0x` and {digits} lowercase hexadecimal digits, and one of its encodings")]
    Value {
        /// The format.
        format: Format,
        /// Digits of its encodings.
        digits: usize,
    },
    /// Not a number's text.
    #[error("a number is `n` or `n/d` in lowest terms, without a sign")]
    Magnitude,
    /// Not a node of a separator.
    #[error("node {index}, `{node}`, is neither `column:value` nor `+neuron` nor `#neuron` nor `-`")]
    Node {
        /// The node, from 0.
        index: usize,
        /// Its text, shortened.
        node: String,
    },
    /// The threshold of a split is not a value's text.
    #[error("node {index}: {problem}")]
    Threshold {
        /// The node, from 0.
        index: usize,
        /// What is wrong.
        problem: Box<NotationError>,
    },
    /// A path does not begin with the number of its terms and a direction.
    #[error("a path begins with the number of its products and a direction, as in `4 RNE`")]
    Head,
    /// Not a change of a path.
    #[error("`{change}` is not a change of a path of {terms} products")]
    Change {
        /// Its text, shortened.
        change: String,
        /// Products of the path.
        terms: usize,
    },
    /// A path written in a way in which it is not written.
    #[error("this path is written otherwise: `{canonical}`")]
    Canonical {
        /// How it is written, shortened.
        canonical: String,
    },
    /// Too many terms.
    #[error("the paths of a witness may have {MAX_TERMS} terms together, and there are more")]
    TooLong,
    /// A path with more or fewer additions than products.
    #[error("{products} products and {additions} additions are not a path")]
    Counts {
        /// Products.
        products: usize,
        /// Additions.
        additions: usize,
    },
}

/// Whether everything in `evidence` can be written down.
pub(super) fn check(format: Format, evidence: Option<&Evidence>) -> Result<(), Inconsistency> {
    let is_encoding = |value: Encoding| match format.class(value) {
        Class::Invalid => Err(Inconsistency::Value { bits: value.bits() }),
        _ => Ok(()),
    };
    match evidence {
        None | Some(Evidence::Paths) => Ok(()),
        Some(Evidence::BoxNetwork(separator)) => separator.nodes.iter().try_for_each(|node| match node {
            Node::Split { threshold, .. } => is_encoding(*threshold),
            Node::Nested(_) | Node::Box(_) | Node::Empty => Ok(()),
        }),
        Some(Evidence::Witness(witness)) => {
            is_encoding(witness.value)?;
            if let At::Point(inputs) = &witness.at {
                inputs.iter().try_for_each(|&input| is_encoding(input))?;
            }
            let mut terms_left = MAX_TERMS;
            witness.neurons.iter().enumerate().try_for_each(|(index, neuron)| {
                let checked = match &neuron.path {
                    SumPath::Tree(TreePath { products, additions, narrowing: _ }) => {
                        let (products, additions) = (products.len(), additions.len());
                        let counts = if products == additions {
                            Ok(())
                        } else {
                            Err(NotationError::Counts { products, additions })
                        };
                        counts.and_then(|()| spend(&mut terms_left, products))
                    }
                    SumPath::Product(_) | SumPath::Maximum => spend(&mut terms_left, 1),
                };
                checked.map_err(|problem| Inconsistency::Path { index, problem })
            })
        }
    }
}

fn spend(terms_left: &mut usize, terms: usize) -> Result<(), NotationError> {
    *terms_left = terms_left.checked_sub(terms).ok_or(NotationError::TooLong)?;
    Ok(())
}

fn digits(format: Format) -> usize {
    format.width().div_ceil(4) as usize
}

pub(super) fn write_value(format: Format, value: Encoding) -> String {
    format!("0x{:0width$x}", value.bits(), width = digits(format))
}

pub(super) fn read_value(format: Format, text: &str) -> Result<Encoding, NotationError> {
    let width = digits(format);
    let hex = text.strip_prefix("0x").filter(|hex| hex.len() == width);
    let hex = hex.filter(|hex| hex.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
    let bits = hex.and_then(|hex| u128::from_str_radix(hex, 16).ok()).map(Encoding::from_bits);
    let value = bits.filter(|&value| format.class(value) != Class::Invalid);
    value.ok_or(NotationError::Value { format, digits: width })
}

/// The value of a neuron, whose format is that of its layer and need not be the claim's, `format`: as many digits as a value of
/// that one takes, or more if it needs them. Whether it is a value of the layer's format is for the kernel to say.
pub(super) fn read_bits(format: Format, text: &str) -> Result<Encoding, NotationError> {
    let hex = text.strip_prefix("0x").filter(|hex| hex.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
    let value = hex.and_then(|hex| u128::from_str_radix(hex, 16).ok()).map(Encoding::from_bits);
    let value = value.filter(|&value| write_value(format, value) == text);
    value.ok_or(NotationError::Value { format, digits: digits(format) })
}

/// A number that is not negative, as `n` or `n/d` in lowest terms.
pub(super) fn read_magnitude(text: &str) -> Result<Rational, NotationError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
    let number = text.parse::<Rational>().ok().filter(|number| plain && number.to_string() == text);
    number.ok_or(NotationError::Magnitude)
}

/// A decimal integer without sign and leading zeros.
fn read_index(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if digits { text.parse().ok() } else { None }
}

pub(super) fn write_separator(format: Format, separator: &Separator) -> String {
    let node = |node: &Node| match *node {
        Node::Split { column, threshold } => format!("{column}:{}", write_value(format, threshold)),
        Node::Nested(neuron) => format!("+{neuron}"),
        Node::Box(neuron) => format!("#{neuron}"),
        Node::Empty => "-".to_string(),
    };
    separator.nodes.iter().map(node).collect::<Vec<String>>().join(" ")
}

pub(super) fn read_separator(format: Format, text: &str) -> Result<Separator, NotationError> {
    if text.is_empty() {
        return Ok(Separator::default());
    }
    let node = |(index, node): (usize, &str)| {
        if node == "-" {
            return Ok(Node::Empty);
        }
        let refuse = || NotationError::Node { index, node: shorten(node) };
        if let Some(neuron) = node.strip_prefix('#') {
            return read_index(neuron).map(Node::Box).ok_or_else(refuse);
        }
        if let Some(neuron) = node.strip_prefix('+') {
            return read_index(neuron).map(Node::Nested).ok_or_else(refuse);
        }
        let (column, value) = node.split_once(':').ok_or_else(refuse)?;
        let column = read_index(column).ok_or_else(refuse)?;
        let threshold = read_value(format, value)
            .map_err(|problem| NotationError::Threshold { index, problem: Box::new(problem) })?;
        Ok(Node::Split { column, threshold })
    };
    let nodes = text.split(' ').enumerate().map(node).collect::<Result<Vec<Node>, NotationError>>()?;
    Ok(Separator { nodes })
}

/// The operands of addition `index` from left to right.
fn in_order(terms: usize, index: usize) -> (u32, u32) {
    (if index == 0 { 0 } else { (terms + index) as u32 }, index as u32 + 1)
}

/// A path that passed its check: as many additions as products.
pub(super) fn write_path(path: &SumPath) -> String {
    match path {
        SumPath::Tree(path) => write_tree(path),
        SumPath::Product(choice) => format!("{PRODUCT}{}", write_choice(*choice)),
        SumPath::Maximum => MAXIMUM.to_string(),
    }
}

/// What the path of an element-wise product starts with.
const PRODUCT: &str = "product ";
/// The path of a maximum.
const MAXIMUM: &str = "maximum";

fn write_tree(path: &TreePath) -> String {
    let (terms, mode) = (path.products.len(), frequent_mode(path));
    let plain = Choice::plain(mode);
    let mut text = format!("{terms} {}", mode_name(mode));
    // Writing into a string cannot fail.
    for (index, &choice) in path.products.iter().enumerate().filter(|(_, choice)| **choice != plain) {
        let _ = write!(text, "; p{index} {}", write_choice(choice));
    }
    for (index, &Addition { left, right, contracted, choice }) in path.additions.iter().enumerate() {
        let operands = match contracted {
            true => format!(" fma({left},{right})"),
            false if (left, right) == in_order(terms, index) => String::new(),
            false => format!(" add({left},{right})"),
        };
        let rounding = if choice == plain { String::new() } else { format!(" {}", write_choice(choice)) };
        if !operands.is_empty() || !rounding.is_empty() {
            let _ = write!(text, "; a{index}{operands}{rounding}");
        }
    }
    if let Some(choice) = path.narrowing {
        let _ = write!(text, "; out {}", write_choice(choice));
    }
    text
}

/// The direction that most products and additions take; of several, the first in the order of [`MODES`].
fn frequent_mode(path: &TreePath) -> RoundingMode {
    let choices = || path.products.iter().chain(path.additions.iter().map(|addition| &addition.choice));
    let count = |mode| choices().filter(|choice| choice.mode == mode).count();
    let mut best = (MODES[0].1, count(MODES[0].1));
    for (_, mode) in MODES {
        let count = count(mode);
        if count > best.1 {
            best = (mode, count);
        }
    }
    best.0
}

fn mode_name(mode: RoundingMode) -> &'static str {
    match mode {
        RoundingMode::TiesToEven => "RNE",
        RoundingMode::TiesToAway => "RNA",
        RoundingMode::TowardPositive => "RTP",
        RoundingMode::TowardNegative => "RTN",
        RoundingMode::TowardZero => "RTZ",
    }
}

fn read_mode(text: &str) -> Option<RoundingMode> {
    MODES.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode)
}

fn write_choice(Choice { mode, flushes: Flushes { left, right, result } }: Choice) -> String {
    let letters = [(left, 'l'), (right, 'r'), (result, 'o')];
    let flushed: String = letters.iter().filter(|(set, _)| *set).map(|(_, letter)| letter).collect();
    let slash = if flushed.is_empty() { "" } else { "/" };
    format!("{}{slash}{flushed}", mode_name(mode))
}

fn read_choice(text: &str) -> Option<Choice> {
    let (mode, flushed) = text.split_once('/').unwrap_or((text, ""));
    let flushes = Flushes { left: flushed.contains('l'), right: flushed.contains('r'), result: flushed.contains('o') };
    let choice = Choice { mode: read_mode(mode)?, flushes };
    (write_choice(choice) == text).then_some(choice)
}

/// The path with this text; its terms are taken off `terms_left`.
pub(super) fn read_path(text: &str, terms_left: &mut usize) -> Result<SumPath, NotationError> {
    let path = if text == MAXIMUM {
        spend(terms_left, 1)?;
        SumPath::Maximum
    } else if let Some(choice) = text.strip_prefix(PRODUCT) {
        spend(terms_left, 1)?;
        SumPath::Product(read_choice(choice).ok_or(NotationError::Head)?)
    } else {
        SumPath::Tree(read_tree(text, terms_left)?)
    };
    let canonical = write_path(&path);
    if canonical == text { Ok(path) } else { Err(NotationError::Canonical { canonical: shorten(&canonical) }) }
}

fn read_tree(text: &str, terms_left: &mut usize) -> Result<TreePath, NotationError> {
    let mut parts = text.split("; ");
    let head = parts.next().and_then(|head| head.split_once(' '));
    let head = head.and_then(|(terms, mode)| Some((read_index(terms)? as usize, read_mode(mode)?)));
    let (terms, mode) = head.ok_or(NotationError::Head)?;
    spend(terms_left, terms)?;

    let choice = Choice::plain(mode);
    let addition = |index| {
        let (left, right) = in_order(terms, index);
        Addition { left, right, contracted: false, choice }
    };
    let mut path =
        TreePath { products: vec![choice; terms], additions: (0..terms).map(addition).collect(), narrowing: None };
    for part in parts {
        change(&mut path, part).ok_or_else(|| NotationError::Change { change: shorten(part), terms })?;
    }
    Ok(path)
}

/// Makes one change; none if it is not a change.
fn change(path: &mut TreePath, text: &str) -> Option<()> {
    let (what, how) = text.split_once(' ')?;
    if what == "out" {
        path.narrowing = Some(read_choice(how)?);
    } else if let Some(index) = what.strip_prefix('p') {
        *path.products.get_mut(read_index(index)? as usize)? = read_choice(how)?;
    } else {
        let addition = path.additions.get_mut(read_index(what.strip_prefix('a')?)? as usize)?;
        let (operands, rounding) = match how.split_once(' ') {
            Some((operands, rounding)) => (Some(operands), Some(rounding)),
            None if how.ends_with(')') => (Some(how), None),
            None => (None, Some(how)),
        };
        if let Some(operands) = operands {
            let (name, operands) = operands.strip_suffix(')')?.split_once('(')?;
            addition.contracted = match name {
                "add" => false,
                "fma" => true,
                _ => return None,
            };
            let (left, right) = operands.split_once(',')?;
            (addition.left, addition.right) = (read_index(left)?, read_index(right)?);
        }
        if let Some(rounding) = rounding {
            addition.choice = read_choice(rounding)?;
        }
    }
    Some(())
}
