//! Planning many services, and many containers, of one simulated Engine: to make all of them, to find that
//! all are up to date, and to replace all of them.

use crate::env::TestEnv;
use crate::process::{self, Cost};
use crate::recording::{Answers, Recording};
use crate::simulated::Engines;
use crate::{services, table};
use std::time::Duration;

const FEW: usize = 100;
const MANY: usize = 800;

pub(crate) fn run(recording: &Recording, rounds: usize) {
    for (kind, state) in [("services", "service.deployed"), ("containers", "container.running")] {
        let stages = [FEW, MANY].map(|count| Stage::of(recording, count, state));
        let mut costs = [const { [const { Vec::new() }; 3] }; 2];
        for _ in 0..rounds {
            for (stage, costs) in stages.iter().zip(&mut costs) {
                for (workspace, costs) in [&stage.first, &stage.nothing, &stage.all].into_iter().zip(costs) {
                    costs.push(workspace.plan());
                }
            }
        }
        let [few, many] = costs;
        let what = ["all to be made", "all up to date", "all to be replaced"];
        for ((what, mut many), mut few) in what.into_iter().zip(many).zip(few) {
            table::costs(&format!("plan {MANY} {kind}, {what}"), &mut many, &format!("{FEW}"), &mut few);
        }
    }
}

/// One number of services in three workspaces.
struct Stage {
    first: Workspace,
    nothing: Workspace,
    all: Workspace,
}

impl Stage {
    fn of(recording: &Recording, count: usize, state: &str) -> Self {
        let wanted = services::many(count, state, &recording.image_name);
        let first = Workspace::of(recording, &recording.of_nothing(), &wanted);
        let (_, plan) = process::cost(first.env.command(&["plan", "--json"]));
        let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
        let done = recording.of_done(&plan["hosts"][0]);
        let other = recording.image_name.replace(":1.0.0@sha256:", ":1.1.0@sha256:");
        // Another digest: the last digits are those of another image.
        let other =
            format!("{}{}", &other[..other.len() - 4], if other.ends_with("0000") { "1111" } else { "0000" });
        Self {
            first,
            nothing: Workspace::of(recording, &done, &wanted),
            all: Workspace::of(recording, &done, &services::many(count, state, &other)),
        }
    }
}

/// A workspace with one host.
struct Workspace {
    env: TestEnv,
    _engine: Engines,
}

impl Workspace {
    fn of(recording: &Recording, answers: &Answers, states: &str) -> Self {
        let env = services::workspace();
        let engine = Engines::start(recording, answers, 1, Duration::ZERO);
        services::declare(&env, &engine, states);
        env.run(&["plan"]).ok();
        Self { env, _engine: engine }
    }

    fn plan(&self) -> Cost {
        process::cost(self.env.command(&["plan"])).0
    }
}
