//! Steps of the decision on a container. Each way of replacing is a module of its own.

mod parts;
mod rest;
mod rewrite;
mod rollback;
mod start_first;
mod stop_first;

pub(super) use start_first::{last_words, lower as start_first};
pub(super) use stop_first::lower as stop_first;
