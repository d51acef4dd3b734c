//! Integer-only floating-point arithmetic for any binary format.
