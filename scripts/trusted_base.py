#!/usr/bin/env python3
"""Prints what a verdict rests on: lines of code, without comments, blank lines and tests, and crates of others.

Usage: scripts/trusted_base.py

Per kind of claim: the crates of the workspace whose code decides, or reads what is decided about, and the parts of them that
a claim of that kind does not use. What only the program `roundproof-check` has linked into it, and no verdict of the kind
needs, is not counted; the crates of others are all that the judge is built with.
"""

import re
import subprocess
import sys
from pathlib import Path

# For each kind of claim: crates, and files or folders of them (from src/) that it does not rest on.
# Of the judge, what says things in words, and what `--require` asks beside the verdict.
UNTRUSTED = [
    "words.rs", "point.rs", "expected.rs", "statement.rs", "paths.rs", "encodings.rs", "require.rs", "folder.rs", "report.rs",
]
# Graphs are what no claim of these kinds is about.
FILES = ["safetensors/graph.rs", "safetensors/rows.rs", "audit.rs"]
JUDGE = {"format": [], "exact": [], "network": [], "files": FILES, "judge": [*UNTRUSTED, "audits"]}
KINDS = {
    "data set": {**JUDGE, "kernel": ["boxes/function.rs", "forest.rs"]},
    "forest": {**JUDGE, "kernel": ["reach"]},
    "audit": {
        "format": [],
        "exact": [],
        "network": [],
        "graph": [],
        "audit": [],
        "files": ["certificate", "safetensors/network.rs", "safetensors/dataset.rs", "safetensors/forest.rs"],
        "judge": [*UNTRUSTED, "audits/paths.rs", "audits/words.rs", "audits/statement.rs", "audits/size.rs", "judgement.rs"],
    },
    "function": {**JUDGE, "kernel": ["reach", "forest.rs"], "functions": [], "approximation": []},
}
# A statement that Z3 attests: our encoding of it, how Z3 is asked, and the program that has it in it.
ATTESTED = {
    "format": [],
    "checker": ["prove.rs", "prove", "frontier", "depth.rs", "mechanized.rs"],
    "solver": ["testing.rs"],
    "z3": [],
}


def code_lines(text):
    """Lines of Rust that are neither blank, comments nor tests."""
    lines, kept, comment = text.split("\n"), 0, 0
    index = 0
    while index < len(lines):
        line = lines[index].strip()
        if re.fullmatch(r"#\[cfg\((all\()?test\b.*\]", line):
            # The item: to the line that closes it in the column where it began, or one line.
            indent = len(lines[index]) - len(lines[index].lstrip())
            index += 1
            while lines[index].strip().startswith("#"):
                index += 1
            if not lines[index].rstrip().endswith(";"):
                while lines[index].rstrip() != " " * indent + "}":
                    index += 1
            index += 1
            continue
        comment += line.count("/*") - line.count("*/") if line.startswith("/*") or comment else 0
        if line and not line.startswith("//") and not comment and not line.startswith("*/"):
            kept += 1
        index += 1
    return kept


def count(source, without):
    skipped = [source / name for name in without]
    for path in skipped:
        if not path.exists() and not path.with_suffix(".rs").exists():
            sys.exit(f"{path} is not there: mend the list in scripts/trusted_base.py")
    total = 0
    for file in sorted(source.rglob("*.rs")):
        is_test = file.name == "tests.rs" or "tests" in file.relative_to(source).parts
        skip = any(file == path or path in file.parents or file == path.with_suffix(".rs") for path in skipped)
        if not is_test and not skip:
            total += code_lines(file.read_text())
    return total


def others(root, package):
    """Crates of others that a crate is built with, by name and version, with their licences."""
    tree = ["cargo", "tree", "--locked", "-p", package, "-e", "normal,build", "--prefix", "none", "-f", "{p};{l}"]
    lines = subprocess.run(tree, cwd=root, check=True, capture_output=True, text=True).stdout.split("\n")
    rows = {tuple(line.replace(" (*)", "").split(";")) for line in lines if line and "roundproof" not in line}
    return sorted((row[0].replace(" (proc-macro)", ""), row[1]) for row in rows)


def self_test():
    assert code_lines("//! a\n\nfn f() {\n    // b\n}\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n") == 2


def main():
    root = Path(__file__).parent.parent
    self_test()
    for kind, crates in {**KINDS, "attested by Z3": ATTESTED}.items():
        parts = {name: count(root / "crates" / name / "src", without) for name, without in crates.items()}
        listed = ", ".join(f"{name} {lines}" for name, lines in sorted(parts.items()))
        print(f"{kind:16}{sum(parts.values()):6} lines: {listed}")
    for package, what in [("roundproof-kernel", "the kernel"), ("roundproof-judge", "roundproof-check")]:
        rows = others(root, package)
        print(f"\n{what} is built with {len(rows)} crates of others:")
        for name, licence in rows:
            print(f"  {name:32}{licence}")


if __name__ == "__main__":
    main()
