//! `apply` with nothing to do against Docker Compose, each with twenty containers of its own on one Engine.

use crate::table;
use crate::testbed::EngineEnv;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Ways to start Compose: version 1 of Debian 12, and the plugin of the docker client.
const PROGRAMS: [(&str, &[&str]); 2] = [("docker-compose", &[]), ("docker", &["compose"])];

/// Twenty containers of ours must be there; `services` are as many of Compose, of this image.
pub(crate) fn run(env: &EngineEnv, image: &str, services: usize, rounds: usize) {
    let one = |number: usize| {
        format!(
            "  web{number}:\n    image: {image}\n    network_mode: bridge\n    environment:\n      NUMBER: \"{number}\"\n"
        )
    };
    let all: String = (0..services).map(one).collect();
    env.env.write("docker-compose.yml", format!("version: \"2.4\"\nservices:\n{all}"));
    let mut found = false;
    for (program, first) in PROGRAMS {
        let compose = |arguments: &[&str]| -> Option<Duration> {
            let mut command = Command::new(program);
            command.args(first).args(["-p", &format!("{}-compose", env.name)]).args(arguments);
            command.current_dir(env.env.workspace()).env("DOCKER_HOST", env.engine.address());
            command.env("DOCKER_CONFIG", env.env.home().join("no-docker")).env("HOME", env.env.home());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            command.status().is_ok_and(|status| status.success()).then(|| start.elapsed())
        };
        if compose(&["version"]).is_none() {
            continue;
        }
        found = true;
        compose(&["up", "-d"]).expect("Compose starts its containers");
        let (mut ours, mut theirs, mut nothing) = <(Vec<_>, Vec<_>, Vec<_>)>::default();
        for _ in 0..rounds {
            let start = Instant::now();
            env.env.run(&["apply", "-y"]).ok();
            ours.push(start.elapsed());
            theirs.push(compose(&["up", "-d"]).expect("Compose has nothing to do"));
            nothing.push(compose(&["version"]).expect("its version"));
        }
        let against = [&[program], first, &["up -d, nothing to do, its 20"]].concat().join(" ");
        table::row("apply with nothing to do, 20 containers (process)", &mut ours, &against, &mut theirs);
        let version = [&[program], first, &["version"]].concat().join(" ");
        table::row("the same", &mut ours, &version, &mut nothing);
        compose(&["down", "-t", "0"]).expect("Compose takes its containers away");
    }
    if !found {
        table::figure("Docker Compose", "not found");
    }
}
