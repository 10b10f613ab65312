//! `logs` and `exec` against `docker logs` and `docker exec`: from the start of the process to its first byte, through
//! the same socket, of the same container.

use crate::env::Run;
use crate::table;
use crate::testbed::{EngineEnv, eventually};
use std::io::Read as _;
use std::time::{Duration, Instant};

pub(crate) fn run(rounds: usize) {
    let Some(bed) = EngineEnv::initialised(&["talks"]) else { return };
    bed.add_registry();
    let (repository, digest) =
        bed.push_script("echo ready; trap 'exit 0' TERM; sleep 1000000 & wait", "talks", "1.0.0");
    let service = format!(
        "[talks.service.deployed]\nimage = \"{repository}:1.0.0@{digest}\"\nupdate = {{ monitor = \"0s\" }}\n"
    );
    bed.env.write("states/talks.toml", service);
    bed.env.run(&["apply", "-y"]).ok();
    let id = bed.containers()[0]["Id"].as_str().expect("an id").to_owned();
    let docker =
        |arguments: &[&str]| bed.env.program("docker", arguments).var("DOCKER_HOST", bed.engine.address());
    assert!(eventually(|| docker(&["logs", &id]).run().stdout == "ready\n"), "it says something");
    let sides = [
        ("logs", vec!["logs", "talks"], vec!["logs", &id], "ready\n"),
        ("exec", vec!["exec", "talks", "--", "echo", "up"], vec!["exec", &id, "echo", "up"], "up\n"),
    ];
    for (command, ours, theirs, said) in sides {
        let (mut first, mut first_of_docker) = <(Vec<_>, Vec<_>)>::default();
        let (mut whole, mut whole_of_docker) = <(Vec<_>, Vec<_>)>::default();
        for _ in 0..rounds {
            let (byte, end) = times(bed.env.command(&ours), said);
            first.push(byte);
            whole.push(end);
            let (byte, end) = times(docker(&theirs), said);
            first_of_docker.push(byte);
            whole_of_docker.push(end);
        }
        let of_docker = format!("docker {command}");
        table::row(&format!("{command}, to its first byte"), &mut first, &of_docker, &mut first_of_docker);
        table::row(&format!("{command}, to its end"), &mut whole, &of_docker, &mut whole_of_docker);
    }
}

/// From the start to the first byte, and to the end.
fn times(run: Run, said: &str) -> (Duration, Duration) {
    let start = Instant::now();
    let mut child = run.spawn();
    drop(child.stdin.take());
    let mut out = child.stdout.take().expect("stdout");
    let mut first = [0];
    out.read_exact(&mut first).expect("it says something");
    let byte = start.elapsed();
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("a text");
    assert!(child.wait().expect("it ends").success(), "it does not end well");
    let end = start.elapsed();
    assert_eq!(format!("{}{rest}", char::from(first[0])), said);
    (byte, end)
}
