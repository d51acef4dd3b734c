//! One question to Z3.
//!
//! All questions of a process share one of Z3's contexts. Answers do not depend on that, but how long they take does: with a
//! context for each, as with `(reset)` in Z3's own program, some lemmas take twice to seven times as long.

use roundproof_solver::protocol::{Constant, Question, Reply, Said};
use z3::ast::BV;
use z3::{Params, SatResult, Solver};

/// The version of Z3 that this program *runs* with, which need not be the one it was built with.
pub fn version() -> String {
    let full = z3::full_version();
    full.strip_prefix("Z3 ").unwrap_or(full).trim().to_string()
}

/// Has Z3 give up when it needs more than this, in MiB. To be called before any question.
pub fn limit_memory(mib: u32) {
    z3::set_global_param("memory_max_size", &mib.to_string());
}

/// What Z3 says, which may take as much memory as [`limit_memory`] said.
pub fn reply(question: Question, memory_mib: u32) -> Reply {
    let Question { number, logic, text, assertions, timeout_ms, constants } = question;
    let solver = match &logic {
        None => Some(Solver::new()),
        Some(logic) => Solver::new_for_logic(logic.as_str()),
    };
    let Some(solver) = solver else {
        return Reply { number, assertions: 0, said: Said::Unknown(format!("no logic {logic:?}")) };
    };
    if let Some(Constant { name, width }) = constants.iter().find(|it| !(1..=128).contains(&it.width)) {
        return Reply {
            number,
            assertions: 0,
            said: Said::Unknown(format!("{name:?} has {width} bits, not 1 to 128")),
        };
    }
    solver.from_string(text);
    // Text that Z3 cannot read leaves the solver empty, without a word.
    let arrived = solver.get_assertions().len();
    let said = if arrived != assertions {
        Said::Unknown(format!("{arrived} of {assertions} assertions were understood"))
    } else {
        let mut params = Params::new();
        params.set_u32("timeout", timeout_ms);
        solver.set_params(&params);
        said(&solver, &constants, memory_mib)
    };
    Reply { number, assertions: arrived, said }
}

fn said(solver: &Solver, constants: &[Constant], memory_mib: u32) -> Said {
    match solver.check() {
        SatResult::Unsat => Said::Unsat,
        SatResult::Unknown => match solver.get_reason_unknown().unwrap_or_default() {
            reason if reason.contains("memory") => Said::Unknown(format!("{reason}: {memory_mib} MiB are allowed")),
            reason => Said::Unknown(reason),
        },
        SatResult::Sat => match values(solver, constants) {
            Some(values) => Said::Sat(values),
            None => Said::Unknown("a model without values".to_string()),
        },
    }
}

fn values(solver: &Solver, constants: &[Constant]) -> Option<Vec<u128>> {
    if constants.is_empty() {
        return Some(Vec::new());
    }
    let model = solver.get_model()?;
    let value = |Constant { name, width }: &Constant| {
        let width = *width;
        let constant = BV::new_const(name.as_str(), width);
        let part = |high, low| model.eval(&constant.extract(high, low), true).and_then(|part| part.as_u64());
        let high = if width > 64 { part(width - 1, 64) } else { Some(0) };
        Some(u128::from(high?) << 64 | u128::from(part(width.min(64) - 1, 0)?))
    };
    constants.iter().map(value).collect()
}
