//! One sum, added in two orders, and fused, is not one value: `cargo run --package roundproof-exact --example sum_orders`.

use roundproof_exact::text::exact_decimal;
use roundproof_exact::{
    Arithmetic, Encoding, Format, Overflow, Rational, RoundingMode, UnsupportedPolicy, real, round,
};

fn main() -> Result<(), UnsupportedPolicy> {
    let format = Format::BFLOAT16;
    let arithmetic = Arithmetic::new(format, Overflow::Ieee)?;
    let mode = RoundingMode::TiesToEven;
    let [a, b, c] = [256, 1, 1].map(|value| round(&Rational::from(value), format, mode, Overflow::Ieee).encoding);
    let add = |x: Encoding, y: Encoding| arithmetic.add(mode, x, y).encoding;
    let exact: Rational = [a, b, c].iter().filter_map(|&term| real(format, term)).sum();
    println!("over the reals   {exact}");
    for (order, sum) in [
        ("(256 + 1) + 1", add(add(a, b), c)),
        ("256 + (1 + 1)", add(a, add(b, c))),
        ("fused: 256 + 2 * 1", arithmetic.fused_multiply_add(mode, add(b, c), b, a).encoding),
    ] {
        println!("{order:20} {}", exact_decimal(format, sum));
    }
    Ok(())
}
