//! The program as its users meet it: processes, files, exit codes, messages.

#![allow(clippy::unwrap_used)] // a helper that fails fails the test

mod activations;
mod approximate;
mod audit;
mod bad_certificates;
mod bad_input;
mod common;
mod compile;
mod diff;
mod digits;
mod explain;
mod export;
mod formats;
mod frontier;
mod iris;
mod memory;
mod models;
mod paths;
mod process;
mod schemas;
mod second_judge;
mod sizes;
mod solver;
mod steps;
mod tables;
mod terminal;
mod trees;
mod verify_all;
