//! What flush to zero breaks: R3 and R1, in every format, at data that Z3 finds and exact arithmetic evaluates again.

use roundproof_exact::text::exact_dyadic;
use roundproof_exact::{Datum, Rational, decode, faithful, power_of_two, round};
use roundproof_format::{Encoding, Format, RoundingMode};

use super::super::Falsehood;
use super::InBits;
use crate::smt::bits::Operation;

/// The axioms of one format that are false under flush.
pub(in crate::lemmas) fn flush(format: Format) -> Vec<Falsehood> {
    let Some(asker) = InBits::new(format) else { return Vec::new() };
    let flushed = |datum: &str| {
        format!("(let ((v {datum})) (ite (and (lt (neg {{least-normal}}) v) (lt v {{least-normal}})) zero v))")
    };
    let pair = ["(is-finite a)", "(is-finite x)", "(has-pred a)", "(lt x a)"];
    let normal = [&pair[..], &["(le {least-normal} a)", "(le {least-normal} x)"]].concat();
    let subnormal = [&pair[..], &["(lt a {least-normal})", "(lt (neg {least-normal}) x)"]].concat();
    let gap = |difference: &str| format!("(le (pow2 (gap-exponent a)) {difference})");
    let result = gap(&flushed("(subtract a x true)"));
    let operands = gap(&format!("(subtract {} {} true)", flushed("a"), flushed("x")));
    let f = format!("(is-negative f) {}", asker.bits.real_of("f"));
    let rounded = flushed(&format!("(round {f} true)"));
    let sandwich = format!("(let ((r {rounded})) (and (=> (le-real f {f}) (le f r)) (=> (real-le {f} f) (le r f))))");
    let falsehood = |case, operation, at, assumptions: &[&str], conclusion: &str, replay| {
        let names: Vec<&str> = at;
        let question = asker.ask(case, &[operation], &names.join(" "), assumptions, conclusion);
        Falsehood { question, format, at: names, replay }
    };
    vec![
        falsehood(
            "R3 of normal values, results flushed",
            Operation::Add,
            vec!["a", "x"],
            &normal,
            &result,
            flushed_result,
        ),
        falsehood(
            "R3 of subnormal values, operands flushed",
            Operation::Add,
            vec!["a", "x"],
            &subnormal,
            &operands,
            flushed_operands,
        ),
        falsehood(
            "R1 at a value, results flushed",
            Operation::Round,
            vec!["f"],
            &["(is-finite f)"],
            &sandwich,
            flushed_value,
        ),
    ]
}

fn value(format: Format, encoding: Encoding) -> Option<Rational> {
    decode(format, encoding)?.rational()
}

/// A value, or 0 for a subnormal one.
fn flush_to_zero(format: Format, value: Rational) -> Option<Rational> {
    let least_normal = power_of_two(format.emin()?.into());
    Some(if value.clone().abs() < least_normal { Rational::new() } else { value })
}

/// What a real may become, finite and flushed.
fn results(format: Format, t: &Rational) -> Vec<Rational> {
    let rounded = faithful(t, format, format.default_overflow());
    let finite = [rounded.below, rounded.above].into_iter().filter_map(|result| value(format, result));
    finite.filter_map(|result| flush_to_zero(format, result)).collect()
}

/// `a - pred(a)`, if there is a predecessor: what is a little less than `a`, rounded down.
fn gap(format: Format, a: &Rational) -> Option<Rational> {
    let unit = power_of_two(i64::from(format.emin()?) - i64::from(format.precision()));
    let below = round(&(a.clone() - unit), format, RoundingMode::TowardNegative, format.default_overflow()).encoding;
    match decode(format, below)? {
        Datum::Infinity { .. } | Datum::Nan => None,
        below => Some(a.clone() - below.rational()?).filter(|gap| *gap > 0),
    }
}

/// Whether R3 fails for the difference `a - x` of two values; in words, if so.
fn below_gap(format: Format, a: &Rational, [p, q]: [Rational; 2]) -> Option<String> {
    let (gap, difference) = (gap(format, a)?, p - q);
    let low = results(format, &difference).into_iter().find(|result| *result < gap)?;
    let [difference, low, gap] = [difference, low, gap].map(exact_dyadic);
    Some(format!("{difference} becomes {low}, and a - pred(a) is {gap}"))
}

fn flushed_result(format: Format, at: &[Encoding]) -> Option<String> {
    let [a, x] = [value(format, *at.first()?)?, value(format, *at.get(1)?)?];
    if x >= a {
        return None;
    }
    Some(format!("a - x = {}", below_gap(format, &a, [a.clone(), x])?))
}

fn flushed_operands(format: Format, at: &[Encoding]) -> Option<String> {
    let [a, x] = [value(format, *at.first()?)?, value(format, *at.get(1)?)?];
    if x >= a {
        return None;
    }
    let operands = [flush_to_zero(format, a.clone())?, flush_to_zero(format, x)?];
    let [p, q] = operands.clone().map(exact_dyadic);
    Some(format!("{p} - {q} = {}", below_gap(format, &a, operands)?))
}

fn flushed_value(format: Format, at: &[Encoding]) -> Option<String> {
    let f = value(format, *at.first()?)?;
    let other = results(format, &f).into_iter().find(|result| *result != f)?;
    Some(format!("f = t = {} becomes {}", exact_dyadic(f), exact_dyadic(other)))
}
