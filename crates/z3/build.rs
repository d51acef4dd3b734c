//! Refuses to build against a Z3 that nobody chose: a linker that finds no `libz3.so` where `.cargo/config.toml` says
//! takes the system's, and Debian 12's is both too old for the bindings and wrong about fused multiply-add.

use std::path::Path;

const VARIABLE: &str = "Z3_LIBRARY_PATH_OVERRIDE";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    if std::env::var_os("CARGO_FEATURE_VENDORED").is_some() {
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
             build Z3 from source with --features roundproof-z3/vendored"
        );
    }
    // The program looks for libz3.so from where it lies: target/*/, or target/*/*/ of a platform that was named.
    // An RPATH, not a RUNPATH: LD_LIBRARY_PATH does not come first.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg=-Wl,--disable-new-dtags");
        for folder in ["$ORIGIN/../../.tools/z3/lib", "$ORIGIN/../../../.tools/z3/lib"] {
            println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
        }
    }
}
