# What one does with Roundproof. Run these through ./x, which first sees to what the build needs.

set positional-arguments

# roundproof-z3 finds Z3 by a path relative to target/ (crates/z3/build.rs): these would move the one or drop the other.
unexport CARGO_BUILD_TARGET
unexport CARGO_BUILD_TARGET_DIR
unexport CARGO_ENCODED_RUSTFLAGS
unexport CARGO_TARGET_DIR
unexport RUSTFLAGS

roundproof := quote(justfile_directory() / "target/release/roundproof")

# What --version says beside the version; nothing, without a repository.
commit := quote(`git describe --always --exclude='*' --abbrev=12 --dirty=', changed' 2>/dev/null || true`)

[private]
default:
    @{{ quote(just_executable()) }} --list --unsorted

# Fetch what the build needs
setup:
    @test -e .tools/z3/lib/libz3.so || ./x setup

# Build target/release/roundproof
build: setup
    ROUNDPROOF_COMMIT={{ commit }} cargo build --release --locked

# Run all tests but the slow ones, on the same random cases each time: minutes
test *ARGS: setup
    PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-0}" cargo test --workspace --locked "$@"

# Run the tests with random cases that nobody has run before; a failure is repeated with the seed it prints
properties *ARGS: setup
    #!/usr/bin/env bash
    set -euo pipefail
    export PROPTEST_RNG_SEED=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
    echo "PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED"
    cargo test --workspace --locked "$@"

# Prove every theorem again and compare with the records in proofs/: verify-all --shard 1/4
[no-exit-message]
verify-all *ARGS: build
    @{{ roundproof }} verify-all "$@"

# Prove the theorems again, the slow claims too: minutes
[no-exit-message]
sweep-theorems *ARGS: build
    @{{ roundproof }} verify-all --slow --filter theorems/ "$@"

# Draw up the frontier with a row for every value of formats of up to 16 bits: minutes
[no-cd, no-exit-message]
sweep-frontier *ARGS: build
    @{{ roundproof }} frontier --every-value 16 "$@"

# Compile the theorems in Rocq and compare what they assume with the records in proofs/rocq/
[no-exit-message]
rocq *ARGS: build
    @{{ roundproof }} verify-all --filter rocq/ "$@"
    @echo 'Axioms, by how many of the main theorems each is assumed:'
    @sed -n '/"assumptions"/s/^[^[]*\[\(.*\)\].*/\1/p' proofs/rocq/record.json | tr -d ' "' | tr , '\n' | sort | uniq -c

# Export the networks of the corpus and run them in ONNX Runtime, beside what is proved: onnx --self-test
[no-exit-message]
onnx *ARGS: build
    PYTHONPATH=.tools/onnxruntime "$PYTHON" scripts/onnx_runtime.py "$@"

# Make the networks that detect how they are computed, with what is right of each: attack-nets --check
[no-exit-message]
attack-nets *ARGS:
    PYTHONPATH=.tools/onnxruntime "$PYTHON" scripts/attack_nets.py "$@"

# Compare graphs with the ONNX models that they come from, by readers of their own: every change of a model is noticed
same *ARGS: setup
    cargo test --package roundproof-onnx --test import --locked -- --include-ignored same:: "$@"

# Compare what the graphs of imported models give with the node tests of the onnx package
onnx-node-tests *ARGS: setup _onnx-nodes
    cargo test --package roundproof-onnx --test import --locked -- --ignored node_tests "$@"

# Its models, inputs and outputs, in target/onnx-node-tests/
[private]
_onnx-nodes:
    mkdir -p target
    PYTHONPATH=.tools/onnxruntime "$PYTHON" scripts/onnx_node_tests.py target/onnx-node-tests

# Run the models of data/onnx in ONNX Runtime and in other orders, record what each gives, and compare it with the judge of audits
audit-peers *ARGS: setup
    @{{ quote(just_executable()) }} _peers "$@"
    cargo test --package roundproof-tests --test attack --locked -- --ignored --nocapture

# The recordings, in target/peers-audit/
[private, no-exit-message]
_peers *ARGS:
    PYTHONPATH=.tools/onnxruntime "$PYTHON" scripts/peers_audit.py "$@"

# Measure the functions of ONNX Runtime and NumPy, and compare them with the tables of data/functions: measure-functions --every 7
measure-functions *ARGS: setup
    #!/usr/bin/env bash
    set -euo pipefail
    # The Python whose pip fetched it.
    for python in python3 /usr/bin/python3; do
        if "$python" -m pip --version &>/dev/null; then break; fi
    done
    PYTHONPATH=.tools/onnxruntime exec "$python" scripts/measure_functions.py "$@"

# Build a network for a data set, with its certificate: prove data.csv --label class --format bfloat16
[no-cd, no-exit-message]
prove *ARGS: build
    @{{ roundproof }} prove "$@"

# Check a certificate with the kernel alone: check certificate.json
[no-cd, no-exit-message]
check *ARGS: build
    @{{ roundproof }} check "$@"

# Make the Python wheel in target/wheels/: both programs and a module that runs them, without Z3
wheel: _check
    #!/usr/bin/env bash
    set -euo pipefail
    mkdir -p python/data/scripts
    strip -o python/data/scripts/roundproof-check target/release/roundproof-check
    cd python
    rm -f ../target/wheels/*.whl
    ROUNDPROOF_COMMIT={{ commit }} ../.tools/maturin/bin/maturin build --release --out ../target/wheels

# Install the wheel into an environment of its own and try it
wheel-test: wheel
    #!/usr/bin/env bash
    set -euo pipefail
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: target/wheels/*.whl
    cp python/tests/test_wheel.py "$folder"
    cd "$folder"
    env -u PYTHONPATH venv/bin/python -m unittest test_wheel

# Put both programs, their manual pages and completions, the wheel and the digests of these files into target/dist/
archive: build wheel
    #!/usr/bin/env bash
    set -euo pipefail
    version=$(cargo metadata --no-deps --format-version 1 | grep -o '"name":"roundproof-cli","version":"[^"]*"' | cut -d'"' -f8)
    name=roundproof-$version-$(rustc -vV | sed -n 's/^host: //p')
    rm -rf target/dist
    mkdir -p target/dist/"$name"/completions
    cp target/release/{roundproof,roundproof-check} LICENSE-* README.md TRUST.md CERTIFICATES.md target/dist/"$name"
    strip target/dist/"$name"/{roundproof,roundproof-check}
    {{ roundproof }} man target/dist/"$name"/man/man1
    for shell in bash zsh fish; do
        {{ roundproof }} completions "$shell" > target/dist/"$name"/completions/roundproof."$shell"
    done
    time=$(git log -1 --format=%ct 2>/dev/null || echo 0)
    tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$time" --directory=target/dist "$name" |
        gzip --no-name --best > target/dist/"$name".tar.gz
    rm -r target/dist/"$name"
    cp target/wheels/*.whl target/dist
    cd target/dist
    sha256sum -- *.tar.gz *.whl | tee SHA256SUMS

# roundproof-check alone, which needs no Z3
[private]
_check:
    ROUNDPROOF_COMMIT={{ commit }} cargo build --release --locked --package roundproof-judge

# Run the examples of README.md and docs/: what is false there must be refuted or rejected, all else succeed
readme: build
    #!/usr/bin/env bash
    set -euo pipefail
    root=$PWD
    folders=()
    trap 'rm -rf "${folders[@]}"' EXIT
    roundproof() { "$root/target/release/roundproof" "$@"; }
    examples=0
    for document in README.md docs/*.md; do
        folder=$(mktemp -d)
        folders+=("$folder")
        ln -s "$root/data" "$root/crates" "$folder"
        cd "$folder"
        while IFS= read -r line; do
            printf '%s: $ %s\n' "$document" "$line"
            expected=0
            case $line in *telescoping-sum* | *subnormals=flush*) expected=4 ;; *'check tampered'*) expected=1 ;; *audit*--require*) ;; *roundproof\ audit*bfloat16*) expected=3 ;; esac
            code=0
            eval "$line" || code=$?
            [[ $code == "$expected" ]] || { echo "exit code $code, expected $expected"; exit 1; }
            ((examples += 1))
        done < <(sed -n 's/^\$ //p' "$root/$document" | grep -v -e '^\./x' -e '^alias')
        cd "$root"
    done
    ((examples >= 30)) || { echo "only $examples examples"; exit 1; }

# Show which records and snapshots changed
review:
    #!/usr/bin/env bash
    set -euo pipefail
    git status --short -- proofs
    git diff -- proofs
    if cargo insta --version >/dev/null 2>&1; then
        exec cargo insta review --workspace
    fi
    mapfile -t pending < <(find crates tests proofs -name '*.snap.new' -o -name '.*.pending-snap')
    ((${#pending[@]})) || exit 0
    for new in "${pending[@]}"; do
        [[ $new == *.snap.new ]] || continue
        old=${new%.new}
        [[ -e $old ]] || old=/dev/null
        git --no-pager diff --no-index -- "$old" "$new" || true
    done
    echo 'Pending snapshots: rename to accept one, without .new; an inline one (.pending-snap) is edited in its test.'
    printf '    %s\n' "${pending[@]}"

# Refuse what is not formatted, what clippy or rustdoc warns of
lint: setup
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- --deny warnings
    RUSTDOCFLAGS='--deny warnings --allow rustdoc::private-intra-doc-links' cargo doc --workspace --no-deps --locked

# Add a variant to each closed type on a copy, and compare what does not compile then with scripts/closed_world.txt
closed-world *ARGS: setup
    python3 scripts/closed_world.py "$@"

# Print the lines of code that a verdict rests on, per kind of claim, and the crates of others
trusted-base:
    @python3 scripts/trusted_base.py

# Refuse crates of others with a licence that is not in the list, or from elsewhere than the registry
licences:
    .tools/cargo-deny/bin/cargo-deny --locked check --hide-inclusion-graph licenses bans sources

# Format the code
fmt:
    cargo fmt --all

# Measure: bench, or one of benches/: bench softfloat -- add/binary32
bench NAME="" *ARGS: setup
    #!/usr/bin/env bash
    set -euo pipefail
    (($# == 0)) || { name=$1; shift; set -- --bench "$name" "$@"; }
    cargo bench --package roundproof-benches --locked "$@"

# Run the fuzz targets in fuzz/ on random inputs
fuzz *ARGS: setup
    cargo test --release --manifest-path fuzz/Cargo.toml "$@"

# Run the slow tests, which enumerate whole formats: hours
sweep *ARGS: setup _onnx-nodes _peers
    cargo test --release --workspace --locked "$@" -- --ignored

# Delete what the build made, but not .tools/
clean:
    cargo clean
