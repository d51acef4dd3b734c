//! The rules of the kernel, one module each: what they must reject, one test per kind of rejection, and that what they
//! accept is true, against every path of small networks over small formats.

mod boxes;
mod boxes_sound;
mod claim;
mod common;
mod reach;
mod reach_sound;
mod replay;
