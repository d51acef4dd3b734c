//! The operations on quotients and roots, and rounding to an integer.

use roundproof_peers::Operation;

use super::Ours;

/// The operation as this project has it; none if it is not one of these.
pub fn ours(operation: Operation) -> Option<Ours> {
    Some(match operation {
        Operation::Divide => |arithmetic, q| arithmetic.divide(q.mode, q.operands[0], q.operands[1]),
        Operation::SquareRoot => |arithmetic, q| arithmetic.square_root(q.mode, q.operands[0]),
        Operation::Remainder => |arithmetic, q| arithmetic.remainder(q.operands[0], q.operands[1]),
        Operation::RoundToIntegral => |arithmetic, q| arithmetic.round_to_integral_exact(q.mode, q.operands[0]),
        _ => return None,
    })
}
