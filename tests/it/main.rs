//! Tests that run the binaries as people do, without an Engine. One binary links faster than many.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

mod against;
mod at_once;
mod branches;
mod canary;
mod cli;
mod completions;
mod compose;
mod compose_add;
mod compose_differential;
mod compose_hostile;
mod credential_canary;
mod credential_get;
mod credential_refused;
mod credential_store;
mod deploy;
mod docs;
mod doctor;
mod edit;
mod edit_editors;
#[allow(dead_code, reason = "shared with tests/engine; each binary uses a part of it")]
mod env;
mod export;
mod gates;
mod helper_wiring;
mod hostile_engine;
mod identities;
mod import;
mod import_and_export;
mod import_removal;
mod import_salt;
mod import_salt_bad;
mod import_sources;
mod init;
mod layers;
mod leavers;
mod lifetime;
mod locks;
mod logs;
mod lying_engine;
mod merging;
mod moving;
mod other_users;
#[allow(dead_code, reason = "shared with tests/engine")]
mod pages;
mod python;
mod readers;
mod recovery;
mod refused;
mod registry;
mod rekey_killed;
mod sealing;
#[allow(dead_code, reason = "shared with tests/engine")]
mod search;
mod secrets;
mod service_names;
mod some_hosts;
mod starlark;
mod team;
mod terminal;
mod trust;
mod values;
mod verify;
mod week;
mod words;
mod workspace_is_data;
