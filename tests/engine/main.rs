//! Tests against a real Docker Engine and a real registry, as `scripts/testbed` starts them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

#[allow(dead_code, reason = "shared with tests/it; each binary uses a part of it")]
#[path = "../it/env.rs"]
mod env;

#[allow(dead_code, reason = "shared with tests/it")]
#[path = "../it/pages.rs"]
mod pages;

#[allow(dead_code, reason = "shared with tests/it")]
#[path = "../it/search.rs"]
mod search;

#[allow(dead_code, reason = "what only some tests need")]
mod testbed;

#[allow(dead_code, reason = "shared with the benchmark")]
mod witness;

#[allow(dead_code, reason = "what only some tests need")]
mod shop;

#[allow(dead_code, reason = "what only some tests need")]
mod images;
mod issuer;

#[allow(dead_code, reason = "what only some tests need")]
mod guarded;

mod addresses;
mod adopt;
mod article;
mod bad_images;
mod browser;
mod clients;
mod codes;
mod compose;
mod compose_shapes;
mod consumers;
mod container_files;
mod credentials;
mod cut;
mod data;
mod delegation;
mod docker;
mod docs;
mod drift;
mod engine_restart;
mod failing;
mod flows;
mod full_disk;
mod gates;
mod harness;
mod killed;
mod lock;
mod lost_link;
mod newcomer;
mod one_off;
mod operating;
mod options;
mod options_each;
mod own_engine;
mod page;
mod passwords;
mod podman;
mod podman_drift;
mod podman_everyday;
mod podman_options;
mod prefixes;
mod proxy;
mod real_project;
mod registry_away;
mod registry_check;
mod relay;
mod rollback;
mod rollout;
mod salt;
mod salt_trees;
mod secret_env;
mod secret_files;
mod service;
mod starlark;
mod status;
mod stored;
mod strangers;
mod streams;
mod taken;
mod takeover;
mod tasks;
mod things;
mod token_registry;
mod transport;
mod two_hosts;
mod two_projects;
mod written;
