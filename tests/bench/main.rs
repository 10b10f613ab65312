//! What pillarbox costs, as ratios of one run: against the Engine calls it needs, made directly by
//! another client, against plain age, and against another credential helper. It prints; it judges nothing.
//!
//! `scripts/bench` starts a private Engine and registry and runs it; without an Engine only the sealing
//! part runs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may stop at the first surprise")]
#![allow(clippy::print_stdout, reason = "it prints figures")]
#![allow(missing_docs, reason = "a program")]

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../it/env.rs"]
mod env;

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../engine/testbed.rs"]
mod testbed;

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../engine/witness.rs"]
mod witness;

mod compile;
mod compose;
mod deploy;
mod helper;
mod hosts;
mod import;
mod plan;
mod process;
mod project;
mod recording;
mod rotation;
mod sealing;
mod services;
mod simulated;
mod streams;
mod table;
mod upgrade;

fn main() {
    // `cargo bench` hands its own options on.
    let rounds = std::env::var("PILLARBOX_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(9);
    // Part of it: PILLARBOX_BENCH_PARTS=compile,deploy.
    let parts = std::env::var("PILLARBOX_BENCH_PARTS").unwrap_or_else(|_| {
        "sealing,rotation,helper,compile,import,plan,hosts,deploy,project,streams".to_owned()
    });
    table::head(rounds);
    for part in parts.split(',') {
        match part {
            "sealing" => sealing::run(rounds),
            "rotation" => rotation::run(rounds),
            "helper" => helper::run(rounds),
            "compile" => compile::run(rounds),
            "import" => import::run(rounds),
            "plan" => recorded(|recording| plan::run(recording, rounds)),
            "hosts" => recorded(|recording| hosts::run(recording, rounds)),
            "deploy" => deploy::run(rounds),
            "project" => compose::project(rounds),
            "streams" => streams::run(rounds),
            "upgrade" => upgrade::run(rounds),
            other => panic!("there is no part {other}"),
        }
    }
}

fn recorded(run: impl FnOnce(&recording::Recording)) {
    if let Some(recording) = recording::Recording::take() {
        run(&recording);
    }
}
