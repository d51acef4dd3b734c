//! The named formats and their parameters: `cargo run --package roundproof-format --example formats`.

use roundproof_format::NAMED;

fn main() {
    println!("{:20} {:>5} {:>3} {:>7} {:>7}  specials", "format", "width", "p", "emin", "emax");
    for (name, format, _) in NAMED {
        let exponent = |exponent: Option<i32>| exponent.map_or("none".to_string(), |exponent| exponent.to_string());
        let (emin, emax) = (exponent(format.emin()), exponent(format.emax()));
        let specials =
            [(format.has_infinity(), "infinity"), (format.has_nan(), "NaN"), (format.has_negative_zero(), "-0")];
        let specials: Vec<&str> = specials.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
        println!(
            "{name:20} {:>5} {:>3} {emin:>7} {emax:>7}  {}",
            format.width(),
            format.precision(),
            specials.join(" ")
        );
    }
}
