//! An upgrade of many containers against Docker Compose 2: `apply` and `docker compose up -d`, each from one
//! version to the next, in turns, each with containers of its own on one Engine.
//!
//! Compose is done when it has started a container. So is `apply` with `monitor = "0s"`; as it comes, it
//! also looks for three seconds whether each one stays up. A third side makes only the calls without which no
//! container is replaced (create, stop, start, remove), directly: nothing can be much quicker than that.

use crate::testbed::{EngineEnv, testbed_var};
use crate::{table, witness};
use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptions};
use futures_util::StreamExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// As many as apply has in progress.
const IN_PROGRESS: usize = pillarbox::execute::IN_PROGRESS;

/// How many containers, and how often at most: a round of a hundred that stop slowly takes two minutes.
const SIZES: [(usize, usize); 2] = [(20, 5), (100, 3)];

/// How a container stops, and what it runs: one ends when it is told to, the other is killed after ten seconds.
const KINDS: [(&str, &str); 2] = [
    ("quick stop", "trap 'exit 0' TERM; sleep 1000000 & wait"),
    ("10 s stop", "trap '' TERM; exec sleep 1000000"),
];

pub(crate) fn run(rounds: usize) {
    let Some(compose) = crate::compose::program() else {
        table::figure("upgrade against Docker Compose 2", "PILLARBOX_TEST_COMPOSE_CONFIG is not set");
        return;
    };
    let Some(bed) = EngineEnv::initialised(&["many"]) else { return };
    bed.add_registry();
    for (index, (kind, script)) in KINDS.into_iter().enumerate() {
        let name = format!("many{index}");
        for tag in ["1.0.0", "1.1.0"] {
            bed.push_script(script, &name, tag);
        }
        for (containers, most) in SIZES {
            let sides = Sides { bed: &bed, compose: &compose, name: &name, containers };
            sides.compare(kind, rounds.min(most));
        }
    }
}

/// The two that upgrade as many containers of the same image.
struct Sides<'a> {
    bed: &'a EngineEnv,
    compose: &'a std::ffi::OsStr,
    name: &'a str,
    containers: usize,
}

impl Sides<'_> {
    fn compare(&self, kind: &str, rounds: usize) {
        // Both versions are on the host before the first round.
        for tag in ["1.1.0", "1.0.0"] {
            self.apply(tag, "0s");
            self.compose_up(tag);
        }
        self.direct(|number| self.make(number, 0, "1.0.0"));
        let (mut started, mut watched, mut theirs, mut direct) =
            <(Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
        for round in 0..rounds {
            // The side that is watched goes from one version to the next and back in the same round.
            let [there, back] = if round % 2 == 0 { ["1.1.0", "1.0.0"] } else { ["1.0.0", "1.1.0"] };
            started.push(self.apply(there, "0s"));
            theirs.push(self.compose_up(there));
            watched.push(self.apply(back, "3s"));
            self.apply(there, "0s");
            direct.push(self.direct(|number| self.replace(number, round, there)));
        }
        let what = |more: &str| format!("upgrade of {}, {kind}{more} (process)", self.containers);
        let against = format!("Compose 2, up -d, its {}", self.containers);
        table::row(&what(""), &mut started, &against, &mut theirs.clone());
        table::row(&what(", watched for 3 s"), &mut watched, &against, &mut theirs.clone());
        table::row(&what(""), &mut started, "its least Engine calls, directly", &mut direct.clone());
        table::row("the same by Compose 2", &mut theirs, "the same calls", &mut direct);
        self.compose(&["down", "-t", "0"]);
        for number in 0..self.containers {
            self.bed.engine.delete(&format!("/containers/direct{number}.{rounds}?force=true"));
        }
        self.remove_ours();
    }

    fn apply(&self, tag: &str, monitor: &str) -> Duration {
        let image = format!("{}/{}/{}:{tag}", self.bed.registry, self.bed.name, self.name);
        let one = |number: usize| {
            format!(
                "[w{number}.container.running]\nname = \"w{number}\"\nimage = \"{image}\"\nmonitor = \"{monitor}\"\n"
            )
        };
        self.bed.env.write("states/many.toml", (0..self.containers).map(one).collect::<String>());
        let start = Instant::now();
        self.bed.env.run(&["apply", "-y"]).ok();
        start.elapsed()
    }

    /// Does this with all containers of the third side.
    fn direct<F: Future<Output = ()>>(&self, one: impl Fn(usize) -> F) -> Duration {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let start = Instant::now();
        let all = futures_util::stream::iter((0..self.containers).map(one));
        runtime.block_on(all.buffer_unordered(IN_PROGRESS).collect::<Vec<()>>());
        start.elapsed()
    }

    async fn make(&self, number: usize, round: usize, tag: &str) {
        let engine = witness::at(self.bed.engine.socket());
        self.create(&engine, number, round, tag).await;
        engine.start_container(&format!("direct{number}.{round}"), None).await.expect("started");
    }

    async fn replace(&self, number: usize, round: usize, tag: &str) {
        let engine = witness::at(self.bed.engine.socket());
        let [old, new] = [round, round + 1].map(|round| format!("direct{number}.{round}"));
        self.create(&engine, number, round + 1, tag).await;
        engine.stop_container(&old, None).await.expect("stopped");
        engine.start_container(&new, None).await.expect("started");
        engine.remove_container(&old, None::<RemoveContainerOptions>).await.expect("removed");
    }

    async fn create(&self, engine: &Docker, number: usize, round: usize, tag: &str) {
        let registry = testbed_var("PILLARBOX_TEST_OPEN_REGISTRY");
        let image = format!("{registry}/{}/{}:{tag}", self.bed.name, self.name);
        let body = ContainerCreateBody { image: Some(image), ..Default::default() };
        let name = Some(format!("direct{number}.{round}"));
        let options = CreateContainerOptions { name, ..Default::default() };
        engine.create_container(Some(options), body).await.expect("created");
    }

    fn compose_up(&self, tag: &str) -> Duration {
        // The registry that asks for nothing: Compose has no credential.
        let registry = testbed_var("PILLARBOX_TEST_OPEN_REGISTRY");
        let image = format!("{registry}/{}/{}:{tag}", self.bed.name, self.name);
        let one = |number: usize| format!("  c{number}:\n    image: {image}\n    network_mode: bridge\n");
        let all: String = (0..self.containers).map(one).collect();
        self.bed.env.write("docker-compose.yml", format!("services:\n{all}"));
        self.compose(&["up", "-d"])
    }

    fn compose(&self, arguments: &[&str]) -> Duration {
        let env = &self.bed.env;
        let mut command = Command::new(self.compose);
        command.args(["-p", &format!("{}-compose", self.bed.name)]).args(arguments);
        command.current_dir(env.workspace()).env("DOCKER_HOST", self.bed.engine.address());
        command.env("DOCKER_CONFIG", env.home().join("no-docker")).env("HOME", env.home());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        assert!(command.status().is_ok_and(|status| status.success()), "Compose: {arguments:?}");
        start.elapsed()
    }

    fn remove_ours(&self) {
        for container in self.bed.containers() {
            let id = container["Id"].as_str().expect("an id");
            self.bed.engine.delete(&format!("/containers/{id}?force=true"));
        }
    }
}
