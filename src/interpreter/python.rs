//! What Python has and Starlark has not: which word of a program it is, and what to write instead. Everything
//! here is asked only about programs that were refused.

mod brackets;
mod names;
mod recovery;
mod syntax;
mod tokens;
mod values;

pub(super) use names::refused_names;
pub(super) use recovery::parse;
pub(super) use values::instead;
