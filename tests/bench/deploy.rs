//! Applying twenty containers against the Engine calls that it needs, made directly by another client
//! (bollard) with the same parallelism.

use crate::testbed::EngineEnv;
use crate::{process, table, witness};
use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptions, ListContainersOptions};
use futures_util::StreamExt as _;
use std::time::Instant;

const CONTAINERS: usize = 20;
/// As many as apply has under way at once.
const AT_ONCE: usize = pillarbox::execute::CALLS;

pub(crate) fn run(rounds: usize) {
    let Some(env) = EngineEnv::initialised(&["twenty"]) else { return };
    env.add_registry();
    let (repository, digest) = env.push("serve", "web", "1.0.0");
    let image = format!("{repository}:1.0.0@{digest}");
    env.env.write("states/twenty.toml", states(&image));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");

    // The image, and everything that is cold, before the first round.
    env.env.run(&["apply", "-y"]).ok();
    let stored = format!("{repository}@{digest}");
    let (mut first, mut first_direct, mut again, mut again_direct) =
        <(Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
    let mut peaks = Vec::new();
    for _ in 0..rounds {
        remove_all(&env);
        let (cost, _) = process::cost(env.env.command(&["apply", "-y"]));
        peaks.push(cost.peak);
        first.push(cost.wall);

        let start = Instant::now();
        env.env.run(&["apply", "-y"]).ok();
        again.push(start.elapsed());
        let start = Instant::now();
        runtime.block_on(async { look(&witness::at(env.engine.socket()), &stored).await });
        again_direct.push(start.elapsed());

        remove_all(&env);
        let start = Instant::now();
        runtime.block_on(async { make(&witness::at(env.engine.socket()), &stored).await });
        first_direct.push(start.elapsed());
        for number in 0..CONTAINERS {
            env.engine.delete(&format!("/containers/direct{number}?force=true"));
        }
    }
    let calls = "the Engine calls it needs, directly";
    table::row("apply with nothing to do, 20 containers (process)", &mut again, calls, &mut again_direct);
    table::row("first apply of 20 containers (process)", &mut first, calls, &mut first_direct);
    // What the last round left runs beside; ours are made again.
    env.env.run(&["apply", "-y"]).ok();
    crate::compose::run(&env, &stored, CONTAINERS, rounds);
    peaks.sort_by(f64::total_cmp);
    table::figure("peak memory of the first apply (VmHWM)", &format!("{:.1} MB", peaks[peaks.len() / 2]));
}

fn states(image: &str) -> String {
    (0..CONTAINERS)
        .map(|number| {
            format!(
                "[web{number}.container.running]\nname = \"web{number}\"\nimage = \"{image}\"\nenv.NUMBER = \"{number}\"\nmonitor = \"0s\"\n"
            )
        })
        .collect()
}

fn remove_all(env: &EngineEnv) {
    for container in env.containers() {
        let id = container["Id"].as_str().expect("an id");
        env.engine.delete(&format!("/containers/{id}?force=true"));
    }
}

/// What planning must ask: the Engine's facts, the list, each container, the image.
async fn look(engine: &Docker, image: &str) {
    engine.info().await.expect("facts");
    let options = ListContainersOptions { all: true, ..Default::default() };
    let all = engine.list_containers(Some(options)).await.expect("a list");
    let ids: Vec<String> = all.into_iter().filter_map(|container| container.id).collect();
    let calls = ids.iter().map(|id| engine.inspect_container(id, None));
    let seen: Vec<_> = futures_util::stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
    assert!(seen.iter().all(|answer| answer.is_ok()));
    engine.inspect_image(image).await.expect("it is there");
}

/// The same, then twenty times create, start, and a look whether it runs.
async fn make(engine: &Docker, image: &str) {
    look(engine, image).await;
    let calls = (0..CONTAINERS).map(|number| async move {
        let name = format!("direct{number}");
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            env: Some(vec![format!("NUMBER={number}")]),
            ..Default::default()
        };
        let options = CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
        engine.create_container(Some(options), body).await.expect("created");
        engine.start_container(&name, None).await.expect("started");
        engine.inspect_container(&name, None).await.expect("it is there");
    });
    futures_util::stream::iter(calls).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}
