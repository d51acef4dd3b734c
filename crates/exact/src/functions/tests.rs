use super::*;

#[test]
fn tanh_of_a_thousand_rounds_below_one_toward_zero() {
    let f: Function = "tanh".parse().unwrap();
    let format = Format::BFLOAT16;
    let at = |mode| f.round(&[Rational::from(1000)], format, mode, Overflow::Ieee).unwrap().encoding.bits();
    assert_eq!(at(RoundingMode::TowardZero), 0x3f7f);
    assert_eq!(at(RoundingMode::TiesToEven), 0x3f80);
}
