//! pillarbox: registry credentials and deploy variables in an encrypted pillar, compiled into plans
//! that bring Docker hosts to the wanted state.
//!
//! The library exists for the two binaries and promises no stable interface. Data flows one way;
//! a module uses lower layers only (held by `tests/it/layers.rs`):
//!
//! | layer | modules | |
//! |---|---|---|
//! | 0 | `problem`, `secret`, `name` | pure |
//! | 1 | `keys`, `pillar`, `rollout` | pure |
//! | 2 | `inventory`, `inspect`, `state`, `compose`, `desired`, `observed`, `registry`, `docker_config`, `salt` | pure |
//! | 3 | `script`, `interpreter`, `compile`, `plan`, `planner`, `check`, `history`, `credential`, `record`, `import`, `highstate`, `export` | pure |
//! | 4 | `store`, `keyring`, `process`, `engine`, `external_helper`, `sandbox`, `observe`, `lock`, `execute`, `event`, `logs` | reads and changes the world |
//! | 5 | `testing` | of tests alone: an Engine in memory |
//! | 5 | `session` | one pipeline for all that talks to hosts |
//! | 6 | `cli` | arguments, terminal, exit codes |
// The macros of `starlark` write `unsafe impl`, in its tests.
#![cfg_attr(not(test), forbid(unsafe_code))]
#![cfg_attr(test, deny(unsafe_code))]

#[cfg(not(unix))]
compile_error!("pillarbox runs on Linux; on Windows use it in WSL");

pub mod check;
pub mod cli;

pub mod compile;
pub mod compose;
pub mod credential;
pub mod desired;
pub mod docker_config;
pub mod engine;
pub mod event;
pub mod execute;
pub mod export;
pub mod external_helper;
pub mod highstate;
pub mod history;
pub mod import;
pub mod inspect;
#[cfg(all(test, feature = "starlark"))]
mod interpreter;
pub mod inventory;
pub mod keyring;
pub mod keys;
pub mod lock;
pub mod logs;
pub mod name;
pub mod observe;
pub mod observed;
pub mod pillar;
pub mod plan;
pub mod planner;
pub mod problem;
pub mod process;
pub mod record;
pub mod registry;
pub mod rollout;
mod salt;
pub mod sandbox;
pub mod script;
pub mod secret;
pub mod session;
pub mod state;
pub mod store;
#[cfg(test)]
pub mod testing;
