//! Functions, approximated and proved.

use serde_json::json;

use crate::common::{Folder, message};

#[test]
fn a_function_is_approximated_checked_and_shown() {
    let folder = Folder::new();
    for activation in ["relu", "step"] {
        let arguments = format!("approximate --function tanh -f float8_e4m3 --exact -a {activation} --out tanh");
        let report = folder.expect_json(0, &arguments);
        assert_eq!(report["verdict"], "Proved");
        assert_eq!(report["claim"]["outputs"]["function"], "tanh(x)");
        assert_eq!(report["claim"]["accuracy"]["kind"], "rounded");
        assert!(report["claim"]["shape"]["parameters"].as_u64() < report["point_parameters"].as_u64());
        assert!(report["distinct_results"].as_u64() <= report["leaves"].as_u64());
        // 239 finite values; 8 bits each.
        let floor = report["points"].as_f64().unwrap() * report["distinct_results"].as_f64().unwrap().log2() / 8.0;
        assert!((report["yardstick"].as_f64().unwrap() - floor).abs() <= 0.1, "{report}");
        let checked = folder.expect(0, "check tanh/certificate.json").stdout;
        assert!(checked.contains("every finite x gives exactly tanh(x), rounded ties-to-even"), "{checked}");
        assert!(folder.expect(0, "show tanh/certificate.json").stdout.contains("exactly tanh"));
    }
}

#[test]
fn an_error_takes_fewer_leaves_and_a_mutated_claim_is_rejected() {
    let folder = Folder::new();
    let arguments = "approximate --function exp -f binary16 --domain -2:2 --eps 0.25 --out exp";
    let report = folder.expect_json(0, arguments);
    assert_eq!(report["claim"]["accuracy"]["error"], "1/4");
    assert!(report["leaves"].as_u64().unwrap() < 40, "{report}");
    let path = folder.path("exp/certificate.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [("\"1/4\"", "\"1/64\""), ("\"exp(x)\"", "\"sin(x)\""), ("\"0x4000\"", "\"0x4400\"")] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let rejected = folder.expect(1, "check exp/certificate.json").stdout;
        assert!(rejected.contains("approximation"), "{rejected}");
    }
}

#[test]
fn two_variables() {
    let folder = Folder::new();
    let arguments = "approximate --function mul -f float6_e3m2fn --exact --paths all,overflow=saturate --out mul";
    let text = folder.expect(0, arguments).stdout;
    assert!(
        text.contains("every finite x and every finite y give exactly x*y, rounded ties-to-even (saturated)"),
        "{text}"
    );
    folder.expect(0, "check mul/certificate.json");
}

/// In domains around 0 no half of a region has less than the whole, by one cut.
#[test]
fn domains_around_zero_take_few_leaves() {
    let folder = Folder::new();
    for (function, format, domain, most) in [
        ("hypot", "binary32", "-4:4,-4:4", 600),
        ("hypot", "F(8)", "-1:7,-4:4", 600),
        ("atan2", "bfloat16", "-4:4,1:4", 700),
        ("max", "binary64", "-4:4,-4:4", 100),
        ("x/y", "binary16", "-4:4,1:4", 250),
        ("sin(x)*cos(y)", "binary32", "-3:3,-3:3", 130),
    ] {
        let arguments = format!("approximate --function {function} -f {format} --domain={domain} --eps 0.25");
        let report = folder.expect_json(0, &arguments);
        assert!(report["leaves"].as_u64().unwrap() < most, "{function}: {report}");
    }
}

/// Points are as many as there are, and not a power of two fewer.
#[test]
fn points_are_counted_beyond_64_bits() {
    let folder = Folder::new();
    let text = |arguments: &str| folder.expect(0, &format!("approximate {arguments}")).stdout;
    // 2^64 - 2^53 finite encodings, one of which is the second zero.
    let of_binary64 = text("--function tanh -f binary64 --eps 0.25");
    assert!(of_binary64.contains(" 18437736874454810623; a tree with"), "{of_binary64}");
    assert!(of_binary64.contains("takes 147501894995638484984 parameters, "), "{of_binary64}");
    let pairs = text("--function max(x,y)/0x1p1023 -f binary64 --eps 1 --json");
    assert!(pairs.contains("\"points\": 339950141051630649064954877706793648129,"), "{pairs}");
    let of_binary128 = text("--function tanh(x*y) -f binary128 --domain=0:1,0:1 --eps 0.5");
    assert!(
        of_binary128.contains(" 7236122180759819688959034708959637868761221772157994027604040921220760207361;"),
        "{of_binary128}"
    );
    assert!(text("--function sqrt -f F(8) --domain 0:4 --eps 0.25").contains("infinitely many; a tree with"));
    let counted = text("--function sqrt -f F(8) --domain 1:4 --exact");
    assert!(counted.contains("points     257; a tree with") && !counted.contains("yardstick"), "{counted}");
    let few = text("--function 1 -f float4_e2m1fn --domain 1:1 --exact");
    assert!(!few.contains(" 0.0 times"), "{few}");
}

#[test]
fn what_cannot_be_approximated_is_explained() {
    let folder = Folder::new();
    let wrong = |arguments: &str, what: &[&str]| {
        let text = message(&folder.expect(2, &format!("approximate -f bfloat16 {arguments}")));
        for what in what {
            assert!(text.contains(what), "{arguments}: {text}");
        }
    };
    wrong("--function tahn --exact", &["tahn", "tanh"]);
    wrong("--function tanh", &["--exact"]);
    wrong("--function tanh --exact --eps 1", &["--eps"]);
    wrong("--function log --exact --domain -1:1", &["log(x) at x = -1", "--domain"]);
    wrong("--function exp --exact", &["beyond the largest value", "--domain"]);
    wrong("--function tanh --exact --domain 1e40:1e41", &["beyond the largest value of bfloat16"]);
    wrong("--function tanh --exact --domain 2:1", &["2:1 is in the wrong order", "1:2"]);
    wrong("--function tanh --exact --domain 1.001:1.002", &["no value of bfloat16"]);
    wrong("--function 2x --exact", &["`2*x`"]);
    wrong("--function 1e999999*x --exact", &["numbers of at most 65536 bits"]);
    wrong("--function tab.csv --exact", &["roundproof prove"]);
    wrong("--function tanh --domain 0:1,0:1 --exact", &["has 1 variable,", "2 ranges"]);
    wrong("--function tanh --exact --excess 1", &["--excess"]);
    wrong(&format!("--function log(0-x{}) --exact --domain 1:2", "*x".repeat(200)), &["log(0-x*x", " ... ", "`log("]);
    wrong("--function mul --exact --domain 0:1", &["2 variables", "1 range"]);
    wrong("--function mul --exact", &["65536 points", "--eps"]);
    wrong("--function exp --domain -4:4 --eps=-1", &["negative"]);
    wrong("--function exp --domain -4:4 --eps -1", &["--eps: -1 is negative"]);
    wrong("--function log(x-1) --domain 0:2 --eps 0.1", &["log(x-1) at x = 0", "not defined"]);
    wrong("--function 1/x --domain=-1:1 --eps 0.1", &["1/x at x = 0", "not defined"]);
    wrong("--function exp --domain -4:4 --eps 1e-9", &["no value of bfloat16", "least EPS", "--excess"]);
}

/// What a refusal says would do, does: the least error where points can be counted, and nothing below it; and an error that takes
/// few enough leaves.
#[test]
fn errors_that_are_proposed_are_accepted() {
    let folder = Folder::new();
    let after = |text: &str, words: &str| {
        let rest = text.split_once(words).unwrap_or_else(|| panic!("{words}: {text}")).1;
        rest.trim_start().split([' ', ';', ',']).next().unwrap().to_string()
    };
    for (format, function, domain) in [("float8_e5m2", "tanh", "-4:4"), ("float8_e4m3", "exp", "-4:4")] {
        let ask = |eps: &str| format!("approximate -f {format} --function {function} --domain {domain} --eps {eps}");
        let least = after(&message(&folder.expect(2, &ask("1e-6"))), "the least EPS on this domain is");
        folder.expect(0, &ask(&least));
        let digits: f64 = least.parse().unwrap();
        folder.expect(2, &ask(&format!("{:e}", digits * 0.9)));
    }
    // Of all sines within 1, and none of so many waves within less, the nearest value is 0.
    let waves = "approximate -f binary32 --function sin --domain 0:1e6 --eps";
    assert!(message(&folder.expect(2, &format!("{waves} 0.1"))).contains("; --eps 1.0e0 would do"));
    folder.expect(0, &format!("{waves} 1"));
    folder.expect(2, &format!("{waves} 0.99"));
    for ask in ["binary32 --function exp --domain -4:4 --eps", "binary64 --function x*y --domain 0:1,0:1 --eps"] {
        let text = message(&folder.expect(2, &format!("approximate -f {ask} 0.00001")));
        assert!(text.contains("more than 65536 leaves"), "{text}");
        folder.expect(0, &format!("approximate -f {ask} {}", after(&text, "; --eps")));
    }
    // Of many binades few are where it varies, and the ends are beyond 2^127 places apart.
    for (format, function, error) in [
        ("binary64", "tanh", "--eps 1e-12"),
        ("binary128", "tanh", "--eps 1e-30"),
        ("binary128", "atan2(x,1)", "--eps 1e-9"),
        ("binary128", "x/4", "--excess 1e-20"),
    ] {
        let text = message(&folder.expect(2, &format!("approximate -f {format} --function {function} {error}")));
        assert!(text.contains("more than 65536 leaves"), "{text}");
    }
    folder.expect(0, "approximate -f binary128 --function tanh --eps 0x1p-7");
}

#[test]
fn with_unbounded_exponents_an_error_is_proved_up_to_zero() {
    let folder = Folder::new();
    for (function, domain) in [("tanh", "0:1"), ("exp", "-1:1"), ("x*y", "0:1,0:1")] {
        for (accuracy, key) in [("--eps 0.0625", "error"), ("--excess 0.0625", "excess")] {
            for activation in ["relu", "step"] {
                let arguments = format!(
                    "approximate --function {function} -f F(8) --domain={domain} {accuracy} -a {activation} --out out"
                );
                let report = folder.expect_json(0, &arguments);
                assert_eq!((&report["verdict"], &report["claim"]["accuracy"][key]), (&json!("Proved"), &json!("1/16")));
                assert_eq!(report["points"], json!(null));
                folder.expect(0, "check out/certificate.json");
            }
        }
    }
    let path = folder.path("out/certificate.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [("\"excess\": \"1/16\"", "\"excess\": \"1/1024\""), ("\"x*y\"", "\"x+y\"")] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        folder.expect(1, "check out/certificate.json");
    }
    let wrong = |arguments: &str, what: &[&str]| {
        let text = message(&folder.expect(2, &format!("approximate -f F(8) {arguments}")));
        for what in what {
            assert!(text.contains(what), "{arguments}: {text}");
        }
    };
    wrong("--function sqrt --domain 0:1 --exact", &["infinitely many values", "--excess"]);
    wrong("--function 1/x --domain 0:1 --eps 1", &["1/x varies", "next to 0"]);
    wrong("--function tanh --eps 1", &["no largest value", "0:1"]);
    wrong("--function x/3 --domain 0:1 --eps 1e-9", &["no value of F(8)", "suffices"]);
    wrong("--function x*y --domain=-1:1,0:1 --eps 1e-9", &["--eps"]);
    folder.expect(0, "approximate --function tanh -f F(8) --domain 0:0 --eps 0.1");
    wrong("--function tanh --domain 0:1 --eps 1 --excess 1", &["--excess"]);
    folder.expect(0, "approximate --function sqrt -f F(8) --domain 1:4 --exact");
}
