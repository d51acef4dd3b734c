//! The program, for tests.

use std::env;
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use crate::Solver;
use crate::program::{PROGRAM, VARIABLE, folder};

/// A solver that passed the self-test, and gives up on a question after `timeout`.
///
/// # Panics
///
/// If there is none.
pub fn solver(timeout: Duration) -> Solver {
    build_program();
    let solver = Solver::new(timeout);
    if let Err(error) = solver.version() {
        panic!("{error}");
    }
    solver
}

/// Builds the program that is asked beside this test, unless the environment names another one: cargo builds the programs
/// of the crate under test and of no other. Of all calls, the first does it.
///
/// # Panics
///
/// If it cannot be built.
pub fn build_program() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        if env::var_os(VARIABLE).is_some_and(|named| !named.is_empty()) {
            return;
        }
        let this = env::current_exe().unwrap_or_default();
        // Cargo names the folder after the profile, but for one.
        let profile = folder(&this).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let profile = if profile == "debug" { "dev" } else { profile };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--package", PROGRAM, "--profile", profile])
            .args(["--manifest-path", manifest])
            .status();
        assert!(built.as_ref().is_ok_and(|status| status.success()), "{PROGRAM} cannot be built: {built:?}");
    });
}
