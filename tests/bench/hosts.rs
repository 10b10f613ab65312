//! Planning a thousand simulated hosts with five services each, whose Engines answer at once or after 50 ms.

use crate::env::TestEnv;
use crate::process::{self, Cost};
use crate::recording::{Answers, Recording};
use crate::simulated::Engines;
use crate::{services, table};
use std::time::Duration;

const FEW: usize = 100;
const MANY: usize = 1000;
const SERVICES: usize = 5;
/// Open files that a process may have where nothing was configured; PILLARBOX_BENCH_FILES says otherwise.
const FILES: &str = "1024";

pub(crate) fn run(recording: &Recording, rounds: usize) {
    let wanted = services::many(SERVICES, "service.deployed", &recording.image_name);
    let nothing = recording.of_nothing();
    for (delay, at) in [(Duration::ZERO, "at once"), (Duration::from_millis(50), "50 ms a call")] {
        let [few, many] = [FEW, MANY].map(|count| Fleet::of(recording, &nothing, count, delay, &wanted));
        let done = recording.of_done(&many.planned());
        let [few_done, many_done] =
            [FEW, MANY].map(|count| Fleet::of(recording, &done, count, delay, &wanted));
        let mut costs = [const { Vec::new() }; 4];
        for _ in 0..rounds {
            for (fleet, costs) in [&few, &many, &few_done, &many_done].into_iter().zip(&mut costs) {
                costs.push(fleet.plan());
            }
        }
        let [few, many, few_done, many_done] = &mut costs;
        let of = |count: usize| format!("plan {count} hosts × {SERVICES} services");
        table::costs(&format!("{}, to be made, {at}", of(MANY)), many, &format!("{FEW}"), few);
        table::costs(&format!("{}, up to date, {at}", of(MANY)), many_done, &format!("{FEW}"), few_done);
    }
}

/// A workspace with so many hosts.
struct Fleet {
    env: TestEnv,
    _engines: Engines,
}

impl Fleet {
    fn of(recording: &Recording, answers: &Answers, count: usize, delay: Duration, states: &str) -> Self {
        let env = services::workspace();
        let engines = Engines::start(recording, answers, count, delay);
        services::declare(&env, &engines, states);
        let fleet = Self { env, _engines: engines };
        // All hosts are met.
        fleet.plan();
        fleet
    }

    fn plan(&self) -> Cost {
        // The processes of the benchmark hold the other ends of the connections, and may have more.
        let files = std::env::var("PILLARBOX_BENCH_FILES").unwrap_or_else(|_| FILES.to_owned());
        let script = format!("ulimit -Sn {files}; exec \"$0\" plan");
        process::cost(self.env.program("sh", &["-c", &script, env!("CARGO_BIN_EXE_pillarbox")])).0
    }

    /// The plan of its first host.
    fn planned(&self) -> serde_json::Value {
        let (_, plan) = process::cost(self.env.command(&["plan", "--json", "--host", "web0"]));
        let plan: serde_json::Value = serde_json::from_str(&plan).expect("a plan");
        plan["hosts"][0].clone()
    }
}
