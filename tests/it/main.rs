//! Tests that run the binaries as people do, without an Engine. One binary links faster than many.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

mod at_once;
mod cli;
mod deploy;
mod docs;
#[allow(dead_code, reason = "shared with tests/engine; each binary uses a part of it")]
mod env;
mod init;
mod layers;
#[allow(dead_code, reason = "shared with tests/engine")]
mod pages;
mod readers;
mod recovery;
mod refused;
mod rekey_killed;
mod sealing;
mod verify;
mod workspace_is_data;
