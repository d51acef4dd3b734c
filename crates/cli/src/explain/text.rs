//! An explanation as text.

use roundproof_exact::{Integer, parse_number};

use super::operations::Operation;
use super::story::{Explanation, Neuron, Place, Source};
use crate::output::{Sheet, count};

impl Explanation {
    /// For people.
    pub fn text(&self) -> String {
        let Explanation { at: Place { row, name, expected, function, .. }, output, given, plain, .. } = self;
        let place = match (row, name) {
            (Some(row), _) => format!("row {row}"),
            (None, name) => format!("at {}", name.as_deref().unwrap_or("a point")),
        };
        let mut text = format!("Refuted: {place}, output {output}: expected {expected}, the path gives {given}\n");
        if let Some(function) = function {
            text += &format!("  {function}\n");
        }
        let mut others = Vec::new();
        if let Some(real) = &self.over_the_reals {
            others.push(match real == given {
                true => format!("over the reals {real} too: the network is wrong without any rounding"),
                false => format!("over the reals {real}"),
            });
        }
        others.push(match plain == given {
            true => "this is the plain path: left to right, nothing fused".to_string(),
            false => format!("on the plain path {plain}"),
        });
        text += &format!("  {}\n", others.join("; "));
        for neuron in &self.neurons {
            text += &neuron.text();
        }
        if self.neurons_left_out > 0 {
            text += &format!("and {} more, below these\n", count(self.neurons_left_out, "neuron"));
        }
        with_powers(&text)
    }
}

/// A text with long decimals that are powers of two spelled so: `2^-24`. (JSON keeps what reads back.)
fn with_powers(text: &str) -> String {
    const LONG: usize = 9;
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let (mut spelled, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(is_part) {
        let (before, number) = rest.split_at(start);
        let end = number.find(|c: char| !is_part(c) && !c.is_ascii_alphabetic()).unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        spelled += before;
        let value = parse_number(number).ok().filter(|_| number.len() >= LONG).map(|number| number.magnitude);
        let power = value.filter(|value| value.numer().is_power_of_two() && value.denom().is_power_of_two());
        spelled += &power.map_or(number.to_string(), |power| {
            let exponent = |part: &Integer| i64::from(part.significant_bits());
            format!("2^{}", exponent(power.numer()) - exponent(power.denom()))
        });
        rest = after;
    }
    spelled + rest
}

impl Neuron {
    fn text(&self) -> String {
        let Neuron { layer, neuron, activation, value, .. } = self;
        let mut heading = format!("layer {layer}, neuron {neuron} ({activation}) gives {value}");
        match (&self.exact, &self.over_the_reals) {
            (Some(exact), Some(real)) if exact == real && exact != value => heading += &format!("; exactly {exact}"),
            (Some(exact), real) => {
                if exact != value {
                    heading += &format!("; of its inputs exactly {exact}");
                }
                if let Some(real) = real.as_ref().filter(|real| *real != value) {
                    heading += &format!("; over the reals {real}");
                }
            }
            (None, Some(real)) => heading += &format!("; over the reals {real}"),
            (None, None) => {}
        }
        let mut sheet = Sheet::new(heading);
        if !self.terms.is_empty() {
            let verb = match self.computes {
                "product" => "multiplies",
                "maximum" => "the largest of",
                _ => "adds",
            };
            sheet.line(verb, self.terms.join(", ") + &more(self.terms_left_out));
        }
        if !self.takes.is_empty() {
            let takes: Vec<String> = self.takes.iter().map(Source::text).collect();
            sheet.line("takes", takes.join(", ") + &more(self.takes_left_out));
        }
        if let Some(order) = &self.order {
            sheet.line("order", order);
        }
        for operation in &self.operations {
            sheet.line(operation.place(), operation.text());
        }
        if self.operations_left_out > 0 {
            sheet.line("and", format!("{} more that are not exact", count(self.operations_left_out, "operation")));
        }
        sheet.text()
    }
}

fn more(left_out: usize) -> String {
    if left_out == 0 { String::new() } else { format!(", and {left_out} more") }
}

impl Source {
    fn text(&self) -> String {
        let Source { layer, neuron, value, over_the_reals } = self;
        let real = over_the_reals.as_ref().map_or(String::new(), |real| format!(" (over the reals {real})"));
        format!("{value} from layer {layer}, neuron {neuron}{real}")
    }
}

impl Operation {
    fn place(&self) -> String {
        let Operation { kind, first, last, of, .. } = self;
        match (*kind, first == last) {
            ("out of the accumulator" | "activation", _) => kind.to_string(),
            (_, true) => format!("{kind} {first} of {of}"),
            (_, false) => format!("{kind}s {first} to {last} of {of}"),
        }
    }

    fn text(&self) -> String {
        let Operation { operation, exact, below, above, taken, direction, .. } = self;
        let (Some(exact), Some(below), Some(above)) = (exact, below, above) else {
            return format!("{operation}: {taken}");
        };
        let exactly = format!("{operation}: exactly {exact}");
        if !self.flushed.is_empty() {
            return format!("{exactly}, but {} is flushed, which gives {taken}", self.flushed.join(" and "));
        }
        let mut text = match below == above {
            true => format!("{exactly}, beyond the largest value; overflow gives {taken}"),
            false => format!("{exactly}, between {below} and {above}; {direction} takes {taken}"),
        };
        if let Some(even) = self.ties_to_even.as_ref().filter(|even| *even != taken) {
            text += &format!(", ties-to-even would take {even}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_powers_of_two_are_spelled_as_such() {
        for (text, expected) in [
            ("p0 = 0.000000059604644775390625 * -0.5;", "p0 = 2^-24 * -0.5;"),
            ("-1208925819614629174706176, 1208925819614629174706177", "-2^80, 1208925819614629174706177"),
            ("0.0000000596046447753906250001 0x1.8p-300 12", "0.0000000596046447753906250001 0x1.8p-300 12"),
        ] {
            assert_eq!(with_powers(text), expected);
        }
    }
}
