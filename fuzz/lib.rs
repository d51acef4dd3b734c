//! Fuzz targets live in `tests/`. `just fuzz` runs each on random inputs, for as long as `BOLERO_RANDOM_TEST_TIME_MS`
//! says; `cargo bolero test TARGET` in this folder runs one under libFuzzer, guided by coverage.
