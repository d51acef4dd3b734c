#!/usr/bin/env python3
"""Prints what a verdict rests on: lines of code, without comments, blank lines and tests, and crates of others.

Usage: scripts/trusted_base.py            prints
       scripts/trusted_base.py --check    fails if a crate of others that the workspace is built with has a licence that is not
                                          in the list below, or is not from the registry with a checksum in Cargo.lock

Per kind of claim: the crates of the workspace whose code decides, or reads what is decided about, and the parts of them that
a claim of that kind does not use. What only the program `roundproof-check` has linked into it, and no verdict of the kind
needs, is not counted; the crates of others are all that the judge is built with.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

# For each kind of claim: crates, and files or folders of them (from src/) that it does not rest on.
# Of the judge, what says things in words, and what `--require` asks beside the verdict.
UNTRUSTED = [
    "words.rs", "point.rs", "expected.rs", "statement.rs", "paths.rs", "encodings.rs", "require.rs", "folder.rs", "report.rs",
]
# Graphs are what no claim of these kinds is about.
FILES = ["safetensors/graph.rs"]
JUDGE = {"format": [], "exact": [], "network": [], "files": FILES, "judge": UNTRUSTED}
KINDS = {
    "data set": {**JUDGE, "kernel": ["boxes/function.rs", "forest.rs"]},
    "forest": {**JUDGE, "kernel": ["reach"]},
    "function": {**JUDGE, "kernel": ["reach", "forest.rs"], "functions": [], "approximation": []},
}
# A statement that Z3 attests: our encoding of it, how Z3 is asked, and the program that has it in it.
ATTESTED = {
    "format": [],
    "checker": ["prove.rs", "prove", "frontier", "depth.rs", "mechanized.rs"],
    "solver": ["testing.rs"],
    "z3": [],
}


# Licences of crates of others. Of several that are offered (OR), one of these is enough.
LICENCES = {
    "MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unicode-3.0", "Unlicense",
    "Zlib", "CC0-1.0", "0BSD", "BSL-1.0", "MIT-0", "LGPL-3.0+", "LGPL-3.0-or-later",
    "MPL-2.0",  # of a peer that softfloat is compared with
}


def is_allowed(licence):
    """Whether an SPDX expression (or the older `MIT/Apache-2.0`) can be met by licences of the list."""
    text = licence.replace("/", " OR ").strip()
    # Parentheses first: each is replaced by one that is allowed, or by one that is not.
    while match := re.search(r"\(([^()]*)\)", text):
        text = text[: match.start()] + ("MIT" if is_allowed(match[1]) else "none") + text[match.end() :]
    return any(all(part.strip() in LICENCES for part in choice.split(" AND ")) for choice in text.split(" OR "))


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


def others(root, package=None):
    """Crates of others that a crate, or the workspace, is built with, by name and version, with their licences."""
    chosen = ["-p", package] if package else ["--workspace"]
    tree = ["cargo", "tree", "--locked", *chosen, "-e", "normal,build", "--prefix", "none", "-f", "{p};{l}"]
    if package is None:
        tree[tree.index("normal,build")] = "normal,build,dev"
    lines = subprocess.run(tree, cwd=root, check=True, capture_output=True, text=True).stdout.split("\n")
    rows = {tuple(line.replace(" (*)", "").split(";")) for line in lines if line and "roundproof" not in line}
    return sorted((row[0].replace(" (proc-macro)", ""), row[1]) for row in rows)


def check(root):
    """What is wrong with the crates of others."""
    wrong = [f"{name}: the licence {licence!r}" for name, licence in others(root) if not is_allowed(licence)]
    for package in tomllib.loads((root / "Cargo.lock").read_text())["package"]:
        source = package.get("source")
        if source is not None and (not source.startswith("registry+") or "checksum" not in package):
            wrong.append(f"{package['name']} {package['version']}: from {source}")
    return wrong


def self_test():
    for licence in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR GPL-3.0) AND Unicode-3.0"]:
        assert is_allowed(licence), licence
    for licence in ["", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR AGPL-3.0) AND MIT", "Apache-2.0 WITH other"]:
        assert not is_allowed(licence), licence
    assert code_lines("//! a\n\nfn f() {\n    // b\n}\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n") == 2


def main():
    root = Path(__file__).parent.parent
    self_test()
    if sys.argv[1:] == ["--check"]:
        wrong = check(root)
        sys.exit("\n".join(wrong) if wrong else 0)
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
