//! `formats`, and what the program says of itself.

use crate::common::Folder;

#[test]
fn the_table_of_formats() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.expect(0, "formats").stdout);
    insta::assert_snapshot!(folder.expect(0, "formats e5m7 p=4,emin=-6,emax=8,specials=fn F(8)").stdout);
    let json = folder.expect(0, "formats --json float8_e4m3fn F(8)").stdout;
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows[0]["largest"]["value"], "448");
    assert_eq!(rows[0]["largest"]["encoding"], "0x7e");
    assert_eq!((&rows[0]["infinity"], &rows[0]["nan"]), (&false.into(), &true.into()));
    assert_eq!(rows[1]["emax"], serde_json::Value::Null);
}

#[test]
fn help_and_version() {
    let folder = Folder::new();
    for command in ["", "formats", "prove", "check", "run", "show", "verify-all"] {
        let help = folder.expect(0, &format!("{command} --help"));
        assert!(help.stdout.contains("Example") && help.stdout.contains("Usage: roundproof"), "{help:?}");
        assert!(help.stderr.is_empty());
    }
    let version = folder.expect(0, "--version").stdout;
    let lines: Vec<&str> = version.lines().collect();
    assert_eq!(lines[0], concat!("roundproof ", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("Z3 ") && lines.len() == 2, "{version}");
    assert_eq!(folder.run("").code, 2);
}
