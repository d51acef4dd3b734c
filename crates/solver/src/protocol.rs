//! What goes over the pipes between [`crate::Solver`] and the program that it asks: one JSON object a line.
//!
//! The program says a [`Greeting`] when it starts. Then it is sent one [`Question`] after another, and says one [`Reply`] to
//! each. It ends when its input does, even in the middle of a question.

use serde::{Deserialize, Serialize};

/// The version of what is described here. Both sides must have the same.
pub const PROTOCOL: u32 = 1;

/// What the program says of itself, first of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Greeting {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The solver behind it: `Z3`.
    pub solver: String,
    /// The solver's version, as the solver itself tells it: `5.4.1.0`.
    pub version: String,
    /// How much memory the solver may take, in MiB.
    pub memory_mib: u32,
}

/// Whether assertions are satisfiable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its number; the reply has the same.
    pub number: u64,
    /// An SMT-LIB logic, or none for the solver's choice.
    pub logic: Option<String>,
    /// Declarations and assertions in SMT-LIB.
    pub text: String,
    /// How many assertions there are in the text.
    pub assertions: usize,
    /// How long the solver may think, in milliseconds.
    pub timeout_ms: u32,
    /// Bit-vector constants of the text, whose values in a model are wanted.
    pub constants: Vec<Constant>,
}

/// A bit-vector constant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// As it is declared.
    pub name: String,
    /// Its bits, 1 to 128.
    pub width: u32,
}

/// What the program says to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The number of the question.
    pub number: u64,
    /// How many assertions the solver has, after it read the text.
    pub assertions: usize,
    /// What it says of them.
    pub said: Said,
}

/// What a solver says of assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Said {
    /// They have a model, with these values of the constants that were asked for, in their order.
    Sat(Vec<u128>),
    /// They have none.
    Unsat,
    /// It cannot tell, for this reason.
    Unknown(String),
}
