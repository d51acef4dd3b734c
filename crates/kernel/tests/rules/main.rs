//! The rules of the kernel, one module each: what they must reject, one test per kind of rejection, and that what they
//! accept is true, against every path of small networks over small formats.

mod boxes;
mod boxes_sound;
mod claim;
mod common;
mod coverage;
mod function;
mod function_sound;
mod hand_built;
mod hand_built_sound;
mod messages;
mod points;
mod reach;
mod reach_sound;
mod replay;
mod silence;
