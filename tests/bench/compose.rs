//! `apply` with nothing to do against Docker Compose: twenty containers that a state each declares, and a project of
//! twenty services, once as a file of Compose and once in TOML. All of them are on one Engine, each side with its own.

use crate::project::Project;
use crate::table;
use crate::testbed::EngineEnv;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SERVICES: usize = 20;

/// Docker Compose 2.40 of the testbed.
pub(crate) fn program() -> Option<OsString> {
    std::env::var_os("PILLARBOX_TEST_COMPOSE_CONFIG")
}

/// Docker Compose with a project of its own, in the workspace of a testbed.
struct Compose<'a> {
    program: &'a OsString,
    bed: &'a EngineEnv,
    project: String,
}

impl Compose<'_> {
    fn run(&self, arguments: &[&str]) -> Duration {
        let mut command = Command::new(self.program);
        command.args(["-p", &self.project, "-f", "compose.yaml"]).args(arguments);
        command.current_dir(self.bed.env.workspace()).env("DOCKER_HOST", self.bed.engine.address());
        let home = self.bed.env.home();
        command.env("DOCKER_CONFIG", home.join("no-docker")).env("HOME", home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        assert!(command.status().is_ok_and(|status| status.success()), "Compose: {arguments:?}");
        start.elapsed()
    }
}

fn applied(bed: &EngineEnv) -> Duration {
    let start = Instant::now();
    bed.env.run(&["apply", "-y"]).ok();
    start.elapsed()
}

/// Twenty containers of ours must be there; `services` are as many of Compose, of this image.
pub(crate) fn run(env: &EngineEnv, image: &str, services: usize, rounds: usize) {
    let one = |number: usize| {
        format!(
            "  web{number}:\n    image: {image}\n    network_mode: bridge\n    environment:\n      NUMBER: \"{number}\"\n"
        )
    };
    let all: String = (0..services).map(one).collect();
    env.env.write("compose.yaml", format!("services:\n{all}"));
    let Some(program) = program() else {
        table::figure("apply against Docker Compose 2", "PILLARBOX_TEST_COMPOSE_CONFIG is not set");
        return;
    };
    let compose = Compose { program: &program, bed: env, project: format!("{}-compose", env.name) };
    compose.run(&["up", "-d"]);
    let (mut ours, mut theirs, mut nothing) = <(Vec<_>, Vec<_>, Vec<_>)>::default();
    for _ in 0..rounds {
        ours.push(applied(env));
        theirs.push(compose.run(&["up", "-d"]));
        nothing.push(compose.run(&["version"]));
    }
    let what = "apply with nothing to do, 20 containers (process)";
    table::row(what, &mut ours, "Compose 2, up -d, nothing to do, its 20", &mut theirs);
    table::row("the same", &mut ours, "Compose 2, version", &mut nothing);
    compose.run(&["down", "-t", "0"]);
}

/// A project of twenty services that pillarbox deploys from the file of Compose, another in TOML, and a third that
/// Compose itself deploys from that file.
pub(crate) fn project(rounds: usize) {
    let Some(program) = program() else {
        table::figure("apply of a Compose project", "PILLARBOX_TEST_COMPOSE_CONFIG is not set");
        return;
    };
    let Some((composed, written)) = EngineEnv::initialised(&[]).zip(EngineEnv::initialised(&["services"]))
    else {
        return;
    };
    let (repository, digest) = composed.push("serve", "web", "1.0.0");
    let image = format!("{repository}@{digest}");
    for bed in [&composed, &written] {
        bed.add_registry();
        let project = Project {
            name: &bed.name,
            services: SERVICES,
            image: &image,
            image_in_toml: &image,
            published: None,
        };
        bed.env.write("compose.yaml", project.compose()).write("states/services.toml", project.toml());
    }
    let name = &composed.name;
    let inventory = composed.env.read("pillarbox.toml");
    let host = format!("groups = [\"all\"]\ncompose = [\"{name}\"]\n[compose.{name}]");
    composed.env.write("pillarbox.toml", inventory.replace("groups = [\"all\"]", &host));
    let compose = Compose { program: &program, bed: &composed, project: format!("{name}-compose") };
    applied(&composed);
    applied(&written);
    compose.run(&["up", "-d"]);
    for bed in [&composed, &written] {
        bed.env.run(&["plan", "--detailed-exitcode"]).ok();
        assert_eq!(bed.containers().len(), SERVICES, "it is deployed");
    }
    let (mut ours, mut in_toml, mut theirs) = <(Vec<_>, Vec<_>, Vec<_>)>::default();
    for _ in 0..rounds {
        ours.push(applied(&composed));
        in_toml.push(applied(&written));
        theirs.push(compose.run(&["up", "-d"]));
    }
    let what = "apply with nothing to do, Compose project of 20 (process)";
    table::row(what, &mut ours, "the same in TOML", &mut in_toml);
    table::row("the same", &mut ours, "Compose 2, up -d, nothing to do, its 20", &mut theirs);
    compose.run(&["down", "-t", "0"]);
}
