//! Lowering a course to steps. Each way of replacing is a module of its own.

mod rest;
mod start_first;
mod stop_first;
mod way_back;

pub(super) use start_first::lower as start_first;
pub(super) use stop_first::lower as stop_first;
