//! Importing a highstate of two thousand states from Salt, beside one of a hundred.

use crate::env::TestEnv;
use crate::table;
use serde_json::{Map, Value, json};
use std::time::Instant;

/// States of the large highstate, and of the small one.
const MANY: usize = 2000;
const FEW: usize = 100;

pub(crate) fn run(rounds: usize) {
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (count, times) in [MANY, FEW].into_iter().zip(&mut times) {
            // Nothing is imported twice: each round has a workspace of its own.
            let env = TestEnv::initialised();
            env.write("states.json", json!({"web1": states(count)}).to_string());
            env.write("pillar.json", json!({"web1": pillar(count)}).to_string());
            let start = Instant::now();
            env.run(&["import", "salt", "states.json", "--pillar", "pillar.json", "-y"]).ok();
            times.push(start.elapsed());
        }
    }
    let [many, few] = &mut times;
    table::row("import 2,000 states and secrets of Salt (process)", many, "import 100 of them", few);
}

fn states(count: usize) -> Map<String, Value> {
    let state = |number: usize| {
        json!({"docker_container": [
            {"image": "registry.example.com/web:1"},
            {"environment": [{"DB_PASSWORD": format!("secret-number-{number}")}, {"N": number}]},
            {"port_bindings": [format!("{}:80", 10_000 + number)]},
            {"require": [{"docker_container": format!("web{}", number / 2)}]},
            "running",
            {"order": 10_000 + number},
        ], "__sls__": format!("shop{}", number % 20)})
    };
    (0..count).map(|number| (format!("web{number}"), state(number))).collect()
}

fn pillar(count: usize) -> Map<String, Value> {
    let value = |number: usize| json!({"password": format!("secret-number-{number}")});
    (0..count).map(|number| (format!("app{number}"), value(number))).collect()
}
