//! Refuses to build against a Z3 that nobody chose: a linker that finds no `libz3.so` where `.cargo/config.toml` says
//! takes the system's, and Debian 12's is both too old for the bindings and wrong about fused multiply-add.

use std::path::Path;

const VARIABLE: &str = "Z3_LIBRARY_PATH_OVERRIDE";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    if std::env::var_os("CARGO_FEATURE_VENDORED_Z3").is_some() {
        // The environment of the workspace keeps the bindings from linking the C++ library, which libz3.so brings itself.
        println!("cargo::rustc-link-lib=stdc++");
        return;
    }
    let folder = std::env::var(VARIABLE).unwrap_or_default();
    let library = Path::new(&folder).join("libz3.so");
    println!("cargo::rerun-if-changed={}", library.display());
    if folder.is_empty() || !library.exists() {
        println!(
            "cargo::error=no libz3.so in {VARIABLE}={folder:?}: run ./x setup, and cargo from within the workspace; or \
             build Z3 from source with --features vendored-z3"
        );
    }
}
