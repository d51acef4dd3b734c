//! The rule of approximation: what it must reject, one test per kind of rejection, and that what it accepts is true, at every
//! point and on every path of small networks over small formats.

mod approximates;
mod approximates_sound;
#[allow(dead_code)] // what the kernel's tests are written with
#[path = "../../../kernel/tests/rules/common.rs"]
mod common;
mod messages;
mod points;
mod real;
