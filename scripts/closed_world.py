#!/usr/bin/env python3
"""Adds a variant or a field to each closed type on a copy of the trusted crates, and compares what does not compile then
with scripts/closed_world.txt: the places that have to answer before anything new is judged.

    scripts/closed_world.py            compare; exit code 1 if a place is gone or new
    scripts/closed_world.py --bless    write the list
    scripts/closed_world.py Order ...  these types alone, printed

What does not compile in a lower crate is mended by the arm or field that the compiler asks for, so that those above it are
reached too. A wildcard, `..` or comparison that takes the new variant unasked shows as a place that is gone.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "scripts" / "closed_world.txt"
CRATES = ["format", "exact", "network", "functions", "kernel", "graph", "audit"]
# In which file each type is declared, and how a new variant (or field) is spelt there; behind a crate, one that another has, too.
VARIANT = "/// Planted.\n    Planted,"
TYPES = {
    "Accumulator": ("network/src/model.rs", VARIANT),
    "Activation": ("network/src/activation.rs", VARIANT),
    "Contraction": ("network/src/model.rs", VARIANT),
    "Datatype": ("network/src/step.rs", VARIANT),
    "Neuron": ("network/src/step.rs", VARIANT),
    "Op": ("network/src/step.rs", VARIANT),
    "Order": ("network/src/model.rs", VARIANT),
    "Overflow": ("format/src/mode.rs", '/// Planted.\n    Planted = "planted",'),
    "PathModel": ("network/src/model.rs", "/// Planted.\n    pub planted: (),"),
    "Rounding": ("network/src/model.rs", VARIANT),
    "RoundingMode": ("format/src/mode.rs", '/// Planted.\n    Planted = "planted",'),
    "Specials": ("format/src/format.rs", VARIANT),
    "Storage": ("network/src/matrix.rs", VARIANT),
    "Subnormals": ("format/src/mode.rs", '/// Planted.\n    Planted = "planted",'),
    "Summation": ("network/src/model.rs", VARIANT),
    "SumPath": ("network/src/witness.rs", VARIANT),
    "TreeNode": ("network/src/forest.rs", VARIANT),
    "Trees": ("network/src/model.rs", "/// Planted.\n    pub planted: (),"),
    "Windows": ("network/src/matrix.rs", VARIANT),
    "audit.Accumulator": ("audit/src/model.rs", VARIANT),
    "audit.PathModel": ("audit/src/model.rs", "/// Planted.\n    pub planted: (),"),
    "Copies": ("audit/src/model.rs", VARIANT),
    "Division": ("audit/src/model.rs", VARIANT),
    "Folding": ("audit/src/model.rs", VARIANT),
    "Narrowing": ("audit/src/model.rs", VARIANT),
    "Operands": ("audit/src/model.rs", VARIANT),
    "Functions": ("audit/src/functions.rs", VARIANT),
    "graph.Op": ("graph/src/op.rs", VARIANT),
    "Pool": ("graph/src/op.rs", VARIANT),
    "Reduction": ("graph/src/op.rs", VARIANT),
    "Unary": ("graph/src/op.rs", VARIANT),
}
# The errors of a place that has to answer: a match that lacks an arm, a pattern or a value that lacks a field, an
# irrefutable pattern that no longer is one.
ANSWERS = {"E0004": "arm", "E0005": "pattern", "E0023": "pattern", "E0027": "field", "E0063": "field"}


def copy(scratch):
    for name in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo"]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, scratch / name)
        elif source.exists():
            shutil.copy(source, scratch / name)
    # With new times: cargo takes what was built of the copy before for its own, unless files are younger.
    shutil.copytree(ROOT / "crates", scratch / "crates", copy_function=shutil.copy)
    # Members that are left out, and what only they need.
    manifest = (scratch / "Cargo.toml").read_text()
    manifest = re.sub(r"members = \[.*?\]", 'members = ["crates/*"]', manifest, flags=re.S)
    manifest = re.sub(r"\[patch\.crates-io\]\n(?:.+\n)*", "", manifest)
    (scratch / "Cargo.toml").write_text(manifest)


def plant(scratch, name):
    file, text = TYPES[name]
    name = name.rpartition(".")[2]
    path = scratch / "crates" / file
    source = path.read_text()
    head = re.search(rf"(?:pub (?:enum|struct) {name}(?:<[^>]*>)? \{{|    {name}, \"[^\"]*\" \{{)\n", source)
    if not head:
        sys.exit(f"{file} does not declare {name}")
    path.write_text(source[: head.end()] + "    " + text + "\n" + source[head.end() :])


def errors(scratch):
    """The compiler's errors, each with its code, its spans and what it suggests."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(ROOT / "target" / "closed-world"))
    command = ["cargo", "check", "--offline", "--quiet", "--message-format", "json"]
    for crate in CRATES:
        command += ["-p", f"roundproof-{crate}"]
    run = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True)
    found = []
    for line in run.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-message" and message["message"]["level"] == "error":
            found.append(message["message"])
    if run.returncode != 0 and not found:
        sys.exit(run.stderr)
    return [error for error in found if error["code"] or error["spans"]]


def mend(scratch, error):
    """The edits (file, from, to, text) that make a place compile, without a meaning."""
    code = error["code"]["code"]
    if code == "E0063":
        span = error["spans"][0]
        text = (scratch / span["file_name"]).read_bytes()
        brace = text.index(b"{", span["byte_end"])
        return [(span["file_name"], brace + 1, brace + 1, " planted: (), ")]
    edits = []
    for child in error["children"]:
        for span in child["spans"]:
            replacement = span["suggested_replacement"]
            if replacement is not None:
                # The compiler names a module of the crate as if it were in scope everywhere.
                replacement = re.sub(r"\b(?!roundproof_|crate\b)[a-z_]+::(?=[A-Z])", "", replacement)
                edits.append((span["file_name"], span["byte_start"], span["byte_end"], replacement))
        if edits:
            return edits
    return []


def places(scratch, name):
    """Everything that has to answer for a new variant or field, as file and function."""
    found = set()
    for _ in range(40):
        current = errors(scratch)
        if not current:
            return found
        edits = {}
        for error in current:
            code = (error["code"] or {}).get("code")
            span = next((span for span in error["spans"] if span["is_primary"]), None)
            if code not in ANSWERS or span is None:
                sys.exit(f"{name}: another error than expected: {error['rendered']}")
            file = span["file_name"]
            text = (scratch / file).read_text()
            above = text.encode()[: span["byte_start"]].decode()
            functions = re.findall(r"\bfn (\w+)", above)
            found.add(f"{name}: {file.removeprefix('crates/')}: {functions[-1] if functions else '-'}: {ANSWERS[code]}")
            made = mend(scratch, error)
            if not made:
                sys.exit(f"{name}: the compiler does not say what would do: {error['rendered']}")
            for edit in made:
                edits.setdefault(edit[0], set()).add(edit[1:])
        for file, changes in edits.items():
            text = (scratch / file).read_bytes()
            for start, end, replacement in sorted(changes, reverse=True):
                text = text[:start] + replacement.encode() + text[end:]
            (scratch / file).write_bytes(text)
    sys.exit(f"{name}: still not mended")


def main():
    bless = "--bless" in sys.argv[1:]
    names = [name for name in sys.argv[1:] if not name.startswith("-")]
    found = []
    for name in names or TYPES:
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            copy(scratch)
            plant(scratch, name)
            found += sorted(places(scratch, name))
    text = "".join(f"{place}\n" for place in found)
    if names:
        print(text, end="")
    elif bless:
        LIST.write_text(text)
    else:
        expected = LIST.read_text().splitlines()
        for place in expected:
            if place not in found:
                print(f"no longer has to answer: {place}")
        for place in found:
            if place not in expected:
                print(f"has to answer, and is not in the list: {place}")
        if expected != found:
            sys.exit(1)
        print(f"{len(found)} places have to answer for {len(TYPES)} types")


main()
