use proptest::prelude::*;

use super::*;

#[test]
fn the_named_formats_have_the_published_widths() {
    let widths: Vec<(&str, u32)> = NAMED.iter().map(|(name, format, _)| (*name, format.width())).collect();
    assert_eq!(
        widths,
        [
            ("float4_e2m1fn", 4),
            ("float6_e2m3fn", 6),
            ("float6_e3m2fn", 6),
            ("float8_e3m4", 8),
            ("float8_e4m3", 8),
            ("float8_e4m3fn", 8),
            ("float8_e4m3fnuz", 8),
            ("float8_e4m3b11fnuz", 8),
            ("float8_e5m2", 8),
            ("float8_e5m2fnuz", 8),
            ("bfloat16", 16),
            ("binary16", 16),
            ("tf32", 19),
            ("binary32", 32),
            ("binary64", 64),
            ("binary128", 128),
        ]
    );
}

#[test]
fn every_named_format_passes_its_own_constructor_and_reads_back() {
    for (name, format, also) in NAMED {
        let (Some(emin), Some(emax), Some(specials)) = (format.emin(), format.emax(), format.specials()) else {
            panic!("{name} is bounded");
        };
        assert_eq!(Format::new(format.precision(), emin, emax, specials), Ok(*format));
        assert_eq!(format.to_string(), *name);
        for spelling in also.iter().chain([name]) {
            assert_eq!(spelling.parse(), Ok(*format));
        }
    }
}

#[test]
fn encodings_with_names_are_those_of_the_machine() {
    let f = Format::BINARY32;
    let bits = |x: f32| Some(Encoding::from_bits(x.to_bits().into()));
    assert_eq!(f.largest(true), bits(f32::MIN));
    assert_eq!(f.infinity(true), bits(f32::NEG_INFINITY));
    assert_eq!(Some(f.one(true)), bits(-1.0));
    assert_eq!(f.negative_zero(), bits(-0.0));
    assert_eq!(f.nan(), bits(f32::from_bits(0x7fc0_0000)));
    assert_eq!(Format::FLOAT8_E4M3FN.largest(false), Some(Encoding::from_bits(0x7e)));
    assert_eq!(Format::FLOAT8_E4M3FN.nan(), Some(Encoding::from_bits(0x7f)));
    assert_eq!(Format::FLOAT8_E4M3FNUZ.nan(), Some(Encoding::from_bits(0x80)));
    assert_eq!(Format::FLOAT4_E2M1FN.one(false), Encoding::from_bits(2));
}

#[test]
fn one_can_be_subnormal() {
    let format = Format::new(3, 1, 4, Specials::Finite).expect("1 is a multiple of 2^(1 - 3 + 1)");
    assert_eq!(format.one(false), Encoding::from_bits(2));
    assert_eq!(format.class(format.one(false)), Class::Subnormal);
}

#[test]
fn classes_are_counted() {
    let count = |format: Format, class| format.encodings().filter(|&e| format.class(e) == class).count();
    assert_eq!(count(Format::FLOAT8_E5M2, Class::Nan), 6);
    assert_eq!(count(Format::FLOAT8_E5M2, Class::Infinite), 2);
    assert_eq!(count(Format::FLOAT8_E5M2, Class::Subnormal), 6);
    assert_eq!(count(Format::FLOAT8_E4M3FN, Class::Nan), 2);
    assert_eq!(count(Format::FLOAT8_E4M3FNUZ, Class::Nan), 1);
    assert_eq!(count(Format::FLOAT8_E4M3FNUZ, Class::Zero), 1);
    assert_eq!(count(Format::FLOAT4_E2M1FN, Class::Normal), 12);
    // An exponent range that does not fill its field leaves encodings of nothing.
    let lopsided: Format = "p=3,emin=-2,emax=2".parse().expect("a format");
    assert_eq!(lopsided.width(), 6);
    assert_eq!(lopsided.encodings().count(), 2 * (4 + 5 * 4 + 4));
}

#[test]
fn names_that_are_not_names() {
    let message = |text: &str| text.parse::<Format>().unwrap_err().to_string();
    assert!(message("bflaot16").contains("did you mean `bfloat16`?"), "{}", message("bflaot16"));
    assert!(message("p=3,emin=-2").contains("all needed"));
    assert!(message("p=3,emin=-2,emax=2,emin=1").contains("twice"));
    assert!(message("p=0,emin=-2,emax=2").contains("1 to 113"));
    assert!(message("p=3,emin=5,emax=9").contains("must contain 0, 1 and -1"));
    assert!(message("p=3,emin=-9,emax=-2").contains("must contain 0, 1 and -1"));
    assert!(message("p=1,emin=-3,emax=2").contains("specials=finite"));
    assert!(message("p=3,emin=-2,emax=2,specials=fn").contains("do not fill"));
    assert!(message("F(97)").contains("1 to 96"));
    assert!(message("e1m3").contains("out of range"));
    assert!(message("p=113,emin=-100000,emax=100000").contains("128"));
    assert_eq!("e5m2".parse(), Ok(Format::FLOAT8_E5M2));
}

proptest! {
    #[test]
    fn every_format_reads_back(
        p in 1u32..=113, emin in -3000i32..=2, emax in 0i32..=3000, scheme in 0usize..4,
    ) {
        if let Ok(format) = Format::new(p, emin, emax, Specials::ALL[scheme]) {
            prop_assert_eq!(format.to_string().parse(), Ok(format));
            prop_assert_eq!(format.class(format.one(false)) , if emin > 0 { Class::Subnormal } else { Class::Normal });
            let largest = format.largest(true).expect("bounded");
            prop_assert_eq!(format.class(largest), if emin <= emax { Class::Normal } else { Class::Invalid });
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,24}") {
        let _ = text.parse::<Format>();
    }
}
