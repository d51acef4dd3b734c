//! A reader of Rust sources that knows comments, texts and tests, and little more.

use std::path::{Path, PathBuf};

pub mod closed;

/// Modules of the standard library that reach outside of the program.
const OUTSIDE: &[&str] = &["env", "fs", "io", "net", "os", "process", "thread", "time"];

/// The sources below a folder, tests left out.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        match (path.is_dir(), is_test) {
            (_, true) => {}
            (true, false) => files.extend(self::files(&path)),
            (false, false) => files.push(path),
        }
    }
    files
}

/// What a trusted source should not say.
pub fn violations(text: &str) -> Vec<String> {
    let code = code(text);
    let mut found = Vec::new();
    let code = match code.split_once("#[cfg(test)]\nmod tests {") {
        None => code,
        Some((before, tests)) => {
            // Nothing hides behind the tests: they end the file.
            let after = tests.lines().find(|line| line.starts_with(|c: char| !c.is_whitespace() && c != '}'));
            found.extend(after.map(|line| format!("`{line}` after the tests")));
            before.to_string()
        }
    };
    for word in code.split(|c: char| !c.is_alphanumeric() && c != '_') {
        let digits = word.trim_end_matches("f32").trim_end_matches("f64");
        let is_suffix = digits != word && digits.chars().all(|c| c.is_ascii_digit() || c == '_');
        if is_suffix {
            found.push(format!("the type {}", &word[digits.len()..]));
        }
    }
    found.extend(float_literals(&code));
    found.extend(imports(&code));
    found
}

/// `1.5` and `2e3`, but neither `1..5` nor `pair.0.1`.
fn float_literals(code: &str) -> Vec<String> {
    let words = code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
    let is_float = |word: &str| {
        let starts = word.starts_with(|c: char| c.is_ascii_digit());
        let mut parts = word.splitn(2, '.');
        let (whole, fraction) = (parts.next().unwrap_or_default(), parts.next());
        let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit() || c == '_');
        let exponent = |part: &str| part.split_once(['e', 'E']).is_some_and(|(a, b)| is_number(a) && is_number(b));
        starts && (exponent(whole) || (is_number(whole) && fraction.is_some_and(|f| is_number(f) || exponent(f))))
    };
    words.filter(|word| is_float(word)).map(|word| format!("the literal {word}")).collect()
}

/// Paths and groups of imports that name a module of [`OUTSIDE`].
fn imports(code: &str) -> Vec<String> {
    let dense: String =
        code.split_whitespace().collect::<Vec<&str>>().join(" ").replace(" ::", "::").replace(":: ", "::");
    let mut found = Vec::new();
    for (place, _) in dense.match_indices("std::") {
        let rest = &dense[place + "std::".len()..];
        // In a group, every part may name a module; in a plain path only the first word does.
        let parts: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => group.split("};").next().unwrap_or(group).split([',', '{', '}']).collect(),
            None => vec![rest],
        };
        for part in parts {
            let word = part.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            if OUTSIDE.contains(&word) {
                found.push(format!("std::{word}"));
            }
        }
    }
    found
}

/// The text without comments, and with every string and character emptied.
fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut at) = (String::new(), 0);
    let starts = |at: usize, with: &str| with.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    while at < chars.len() {
        let c = chars[at];
        if starts(at, "//") {
            at += chars[at..].iter().take_while(|&&c| c != '\n').count();
        } else if starts(at, "/*") {
            let mut depth = 0;
            loop {
                let step = if starts(at, "/*") {
                    depth += 1;
                    2
                } else if starts(at, "*/") {
                    depth -= 1;
                    2
                } else {
                    1
                };
                at += step;
                if depth == 0 || at >= chars.len() {
                    break;
                }
            }
        } else if c == '"' {
            let hashes = code.len() - code.trim_end_matches('#').len();
            let raw = code.trim_end_matches('#').ends_with('r');
            at = end_of_text(&chars, at + 1, raw.then_some(hashes));
            code.push_str("\"\"");
        } else if c == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'')) {
            let escaped = usize::from(chars.get(at + 1) == Some(&'\\'));
            let end = chars.iter().skip(at + 2 + escaped).position(|&c| c == '\'').unwrap_or(0);
            at += 3 + escaped + end;
            code.push_str("' '");
        } else {
            code.push(c);
            at += 1;
        }
    }
    code
}

/// The place behind a string that begins at `at`; `raw` has the number of its hashes.
fn end_of_text(chars: &[char], mut at: usize, raw: Option<usize>) -> usize {
    while at < chars.len() {
        let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
        match (chars[at], raw) {
            ('\\', None) => at += 2,
            ('"', None) => return at + 1,
            ('"', Some(wanted)) if hashes >= wanted => return at + 1 + wanted,
            _ => at += 1,
        }
    }
    at
}

#[test]
fn fabricated_sources_are_rejected() {
    let found = |text: &str| violations(text).join("; ");
    assert_eq!(found("let x: f64 = y as f32;"), "the type f64; the type f32");
    assert_eq!(
        found("let x = 1f64; let y = 2.5; let z = 1_0.0e3; let w = 2e3;"),
        "the type f64; the literal 2.5; the literal 1_0.0e3; the literal 2e3"
    );
    assert_eq!(found("use std::fs;"), "std::fs");
    assert_eq!(found("use std::fs::File; fn f() { std :: thread::spawn(g); }"), "std::fs; std::thread");
    assert_eq!(found("use std::{\n    fmt,\n    io::{self, Read},\n};"), "std::io");
    assert_eq!(found("// a\"\nstd::fs::read(p); /* \" */"), "std::fs");
    assert_eq!(found("let c = '\"'; let d = '\\''; std::io::stdin();"), "std::io");
    assert_eq!(
        found("#[cfg(test)]\nmod tests {\n    fn f(x: f64) {}\n}\nfn g(x: f64) {}\n"),
        "`fn g(x: f64) {}` after the tests"
    );
}

#[test]
fn what_only_looks_forbidden_is_not() {
    let sources = [
        "// f64 and 2.5, std::fs\n/* f32 /* nested */ f64 */ fn f() {}",
        "let text = \"an f64, \\\" 2.5\"; let raw = r#\"f32 \" f64\"#;",
        "const TF32: u32 = tf32(x.0.1, 1..5, 0x1e3, [0; 2]);",
        "use std::{fmt, collections::BTreeMap}; use std::cmp::Ordering; fn f<'a>(io: &'a str) {}",
        "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n    const X: f64 = 1.5;\n}\n",
    ];
    for source in sources {
        assert_eq!(violations(source), Vec::<String>::new(), "{source}");
    }
}
