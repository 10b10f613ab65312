//! `apply` with nothing to do against Docker Compose 2, each with twenty containers of its own on one Engine.

use crate::table;
use crate::testbed::EngineEnv;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Twenty containers of ours must be there; `services` are as many of Compose, of this image.
pub(crate) fn run(env: &EngineEnv, image: &str, services: usize, rounds: usize) {
    let one = |number: usize| {
        format!(
            "  web{number}:\n    image: {image}\n    network_mode: bridge\n    environment:\n      NUMBER: \"{number}\"\n"
        )
    };
    let all: String = (0..services).map(one).collect();
    env.env.write("docker-compose.yml", format!("services:\n{all}"));
    let Some(program) = std::env::var_os("PILLARBOX_TEST_COMPOSE") else {
        table::figure("apply against Docker Compose 2", "PILLARBOX_TEST_COMPOSE is not set");
        return;
    };
    let compose = |arguments: &[&str]| -> Duration {
        let mut command = Command::new(&program);
        command.args(["-p", &format!("{}-compose", env.name)]).args(arguments);
        command.current_dir(env.env.workspace()).env("DOCKER_HOST", env.engine.address());
        command.env("DOCKER_CONFIG", env.env.home().join("no-docker")).env("HOME", env.env.home());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        assert!(command.status().is_ok_and(|status| status.success()), "Compose: {arguments:?}");
        start.elapsed()
    };
    compose(&["up", "-d"]);
    let (mut ours, mut theirs, mut nothing) = <(Vec<_>, Vec<_>, Vec<_>)>::default();
    for _ in 0..rounds {
        let start = Instant::now();
        env.env.run(&["apply", "-y"]).ok();
        ours.push(start.elapsed());
        theirs.push(compose(&["up", "-d"]));
        nothing.push(compose(&["version"]));
    }
    let what = "apply with nothing to do, 20 containers (process)";
    table::row(what, &mut ours, "Compose 2, up -d, nothing to do, its 20", &mut theirs);
    table::row("the same", &mut ours, "Compose 2, version", &mut nothing);
    compose(&["down", "-t", "0"]);
}
