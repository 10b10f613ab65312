//! What tests stand on; no part of the program.

pub mod fake;
