# Run these through ./x, which first sees to what the build needs.

set positional-arguments

# Paths relative to target/ find Z3 (.cargo/config.toml): these would move the one or drop the other.
unexport CARGO_TARGET_DIR
unexport CARGO_BUILD_TARGET_DIR
unexport CARGO_BUILD_TARGET
unexport RUSTFLAGS
unexport CARGO_ENCODED_RUSTFLAGS

roundproof := quote(justfile_directory() / "target/release/roundproof")

[private]
default:
    @{{ quote(just_executable()) }} --list --unsorted

# See to what the build needs
setup:
    @test -e .tools/z3/lib/libz3.so || ./x setup

# Build target/release/roundproof
build: setup
    cargo build --release --locked

# Run the tests that take minutes, not hours
test: setup
    cargo test --workspace --locked

# Prove every theorem again, on every format, and compare with the certificates in proofs/
[no-exit-message]
verify-all *ARGS: build
    @{{ roundproof }} verify-all "$@"

# Build a network for a data set and prove it: prove data.csv --label class --format bfloat16
[no-cd, no-exit-message]
prove *ARGS: build
    @{{ roundproof }} prove "$@"

# Check a certificate with the kernel alone: check certificate.json
[no-cd, no-exit-message]
check *ARGS: build
    @{{ roundproof }} check "$@"

# Check format, lints and documentation, warnings refused
lint: setup
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- --deny warnings
    RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --locked
