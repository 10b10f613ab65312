//! Lowering a course to steps. Each way of replacing is a module of its own.

mod stop_first;
mod way_back;

pub(super) use stop_first::lower as stop_first;
