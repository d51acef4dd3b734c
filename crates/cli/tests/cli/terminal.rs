//! Colours, quiet, completions, manual pages.

use crate::common::Folder;

#[test]
fn colours_are_there_when_they_are_asked_for() {
    let folder = Folder::with("iris.csv");
    let plain = folder.expect(0, "prove iris.csv -l class -f bfloat16 --out out").stdout;
    assert!(plain.starts_with("Proved: the kernel"), "{plain}");
    for arguments in ["--color always check out/certificate.json", "check --color=always out/certificate.json"] {
        let coloured = folder.expect(0, arguments).stdout;
        assert!(coloured.starts_with("\u{1b}[1m\u{1b}[32mProved\u{1b}[0m "), "{coloured:?}");
    }
    assert!(folder.expect(0, "check out/certificate.json").stdout.starts_with("Proved "));
    let error = folder.expect(2, "--color always check missing.json").stderr;
    assert!(error.contains("missing.json"), "{error:?}");
    let error = folder.expect(2, "--color always prove missing.csv -l class -f bfloat16").stderr;
    assert!(error.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m missing.csv"), "{error:?}");
    assert!(folder.expect(0, "--color always --help").stdout.contains("\u{1b}["));
    assert!(!folder.expect(0, "--color never --help").stdout.contains("\u{1b}["));
    assert!(folder.expect(2, "--color sometimes formats").stderr.contains("[possible values: auto, always, never]"));
}

#[test]
fn quiet_leaves_out_notes_and_keeps_results_and_errors() {
    let folder = Folder::with("iris.csv");
    let loud = folder.expect(0, "prove iris.csv -l class -f bfloat16");
    let quiet = folder.expect(0, "prove iris.csv -l class -f bfloat16 --quiet");
    assert!(loud.stderr.contains("note: nothing was written") && quiet.stderr.is_empty(), "{loud:?} {quiet:?}");
    assert!(quiet.stdout.starts_with("Proved"), "{quiet:?}");
    assert!(folder.expect(2, "-q prove iris.csv -l none -f bfloat16").stderr.starts_with("error: "));
}

#[test]
fn every_shell_has_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.expect(0, &format!("completions {shell}")).stdout;
        assert!(script.contains("verify-all") && script.contains("max-leaves"), "{shell}: {script}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    let page = folder.expect(0, "man").stdout;
    assert!(page.contains(".TH roundproof 1") && page.contains("verify\\-all"), "{page}");
    assert_eq!(folder.expect(0, "man pages/man1").stdout, "");
    let help = folder.expect(0, "--help").stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What is indented further belongs to the line above.
    let names = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    let mut pages = vec!["roundproof.1".to_string()];
    pages.extend(names.map(|name| format!("roundproof-{name}.1")));
    assert!(pages.len() > 10, "{help}");
    for page in &pages {
        let text = String::from_utf8(folder.read(&format!("pages/man1/{page}"))).unwrap();
        assert!(text.contains(&format!(".TH {} 1", page.trim_end_matches(".1"))), "{text}");
    }
    assert_eq!(folder.files().len(), pages.len());
}
