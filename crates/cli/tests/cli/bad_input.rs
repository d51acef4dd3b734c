//! Input that is wrong: told with file, line, column, value and a remedy; nothing written.

use std::fmt::Write;

use crate::common::{Folder, message};

#[test]
fn tables() {
    let tables: [(&str, &[u8]); 15] = [
        ("empty", b""),
        ("blank", b"\n\n"),
        ("header-only", b"x,y\n"),
        ("ragged", b"x,y\n1,2\n3\n"),
        ("long", b"x,y\n1,2\n3,4,5\n"),
        ("words", b"x,y\n1,2\nred,3\n"),
        ("hole", b"x,y\n1,2\n,3\n"),
        ("nan", b"x,y\n1,2\nnan,3\n"),
        ("infinite-label", b"x,y\n1,2\n3,-inf\n"),
        ("large", b"x,y\n1,2\n1e39,3\n"),
        ("absurd", b"x,y\n1,2\n1e999999999,3\n"),
        ("twice", b"y,y\n1,2\n"),
        ("unnamed", b",y\n1,2\n"),
        ("latin-1", b"x,y\n1,2\n\xe9,3\n"),
        ("conflict", b"x,y\n1,2\n5,3\n1.0001,4\n"),
    ];
    let folder = Folder::new();
    for (name, contents) in tables {
        folder.write(&format!("{name}.csv"), contents);
    }
    let before = folder.files();
    let mut messages = String::new();
    for (name, _) in tables {
        let run = folder.expect(2, &format!("prove {name}.csv --label y --format bfloat16 --out out"));
        assert!(run.stderr.starts_with(&format!("error: {name}.csv: ")) && run.stdout.is_empty(), "{run:?}");
        writeln!(messages, "{}", run.stderr).unwrap();
    }
    assert!(folder.files() == before && !folder.path("out").exists(), "nothing is written");
    insta::assert_snapshot!(messages);
}

#[test]
fn command_lines() {
    let folder = Folder::with("iris.csv");
    let before = folder.files();
    let mut messages = String::new();
    for arguments in [
        "prove nothing.csv -l class -f bfloat16 --out out",
        "prove . -l class -f bfloat16 --out out",
        "prove iris.csv -f bfloat16 --out out",
        "prove iris.csv -l clas -f bfloat16 --out out",
        "prove iris.csv -l class -l class -f bfloat16 --out out",
        "prove iris.csv -l #9 -f bfloat16 --out out",
        "prove iris.csv -l class --out out",
        "prove iris.csv -l class -f bflota16 --out out",
        "prove iris.csv -l class -f p=0,emin=0,emax=1 --out out",
        "prove iris.csv -l class -f p=2,emin=0 --out out",
        "prove iris.csv -l class -f F(500) --out out",
        "prove iris.csv -l class -f fp8 --out out",
        "prove iris.csv -l class -f bfloat16 --activation relo --out out",
        "prove iris.csv -l class -f bfloat16 --strategy pont --out out",
        "prove iris.csv -l class -f bfloat16 --strategy telescoping-sum --out out",
        "prove iris.csv -l class -f bfloat16 --strategy telescoping-sum --evidence box-network --out out",
        "prove iris.csv -l class -f bfloat16 --paths papr --out out",
        "prove iris.csv -l class -f bfloat16 --paths gpu --out out",
        "prove iris.csv -l class -f bfloat16 --paths all,accumulator-overflow=saturate --out out",
        "prove iris.csv -l clas -f bfloat16 --out out",
        "prove iris.csv -l class --drop width -f bfloat16 --out out",
        "prove iris.csv -l class --inputs class -f bfloat16 --out out",
        "approximate --function soft(x) -f bfloat16 --out out",
        "prove iris.csv -l class -f bfloat16 --paths all,ordr=any --out out",
        "prove iris.csv -l class -f bfloat16 --paths all,accumulator=binary16 --out out",
        "prove iris.csv -l class -f float8_e4m3fn --paths all,overflow=ieee --out out",
        "prove iris.csv -l class -f bfloat16 --evidence boxes --out out",
        "prov iris.csv",
        "formats e99m99",
        "check",
        "verify-all nothing",
        "verify-all --shard 5/4",
        "verify-all --threads many",
    ] {
        let run = folder.expect(2, arguments);
        assert!(run.stdout.is_empty(), "{run:?}");
        writeln!(messages, "$ roundproof {arguments}\n{}", message(&run)).unwrap();
    }
    assert!(folder.files() == before && !folder.path("out").exists(), "nothing is written");
    insta::assert_snapshot!(messages);
}

#[test]
fn an_activation_that_the_strategy_does_not_make() {
    let folder = Folder::new();
    folder.write("sum.csv", "x,y\n1,1\n2,256\n3,1\n4,3\n");
    let prove = "prove sum.csv --label y --format bfloat16 --strategy telescoping-sum";
    let run = folder.expect(2, &format!("{prove} --activation relu"));
    assert!(run.stderr.contains("makes step networks, and no relu ones"), "{run:?}");
    for allowed in ["", " --activation step"] {
        folder.expect(4, &format!("{prove}{allowed}"));
    }
}
