//! `stdint.h` of glibc on x86_64, as far as `softfloat-sys` names it: a stand-in for the package `c99`, which finds the
//! same out by running CMake, that few have. That every answer of Berkeley SoftFloat agrees bears it out.

#![no_std]
#![forbid(unsafe_code)]
#![allow(non_camel_case_types, missing_docs)]

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
compile_error!("these are the types of glibc on x86_64");

pub type int_fast32_t = i64;
pub type int_fast64_t = i64;
pub type uint_fast8_t = u8;
pub type uint_fast32_t = u64;
pub type uint_fast64_t = u64;
