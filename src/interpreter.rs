//! Runs states that are written in Starlark. The only place that names the crate `starlark`. Pure: it is run
//! in a child without keys and with limits of the system (`sandbox`), because an interpreter's own limits are
//! best-effort; secrets come in as numbers, so that neither a program nor the child can know, print or
//! compare one.
//!
//! It belongs to the program `pillarbox`, not to the library (which has it for its tests): the crate registers
//! itself in every program that it is linked into, and the credential helper must stay small.

mod branch;
mod convert;
mod encoders;
mod fault;
mod files;
mod functions;
mod lines;
mod log;
mod python;
mod run;
mod sealed;

pub(crate) use run::run;
