//! 0.1 + 0.2 in every direction, in every named format of up to 32 bits:
//! `cargo run --package roundproof-softfloat --example rounding_table`.

use std::error::Error;

use roundproof_format::NAMED;
use roundproof_softfloat::{Arithmetic, RoundingMode, to_decimal};

fn main() -> Result<(), Box<dyn Error>> {
    let modes = [
        RoundingMode::TiesToEven,
        RoundingMode::TiesToAway,
        RoundingMode::TowardPositive,
        RoundingMode::TowardNegative,
        RoundingMode::TowardZero,
    ];
    println!("{:20} {}", "0.1 + 0.2", modes.map(|mode| format!("{:>24}", mode.to_string())).concat());
    for (name, format, _) in NAMED.iter().filter(|(_, format, _)| format.width() <= 32) {
        let arithmetic = Arithmetic::new(*format, format.default_overflow())?;
        let mut line = format!("{name:20} ");
        for mode in modes {
            let [a, b] = ["0.1", "0.2"].map(|text| arithmetic.parse(mode, text));
            let sum = arithmetic.add(mode, a?.encoding, b?.encoding);
            line += &format!("{:>24}", to_decimal(*format, sum.encoding)?);
        }
        println!("{line}");
    }
    Ok(())
}
