//! `logs` against an Engine that says what a test wants.

use crate::env::TestEnv;
use crate::lying_engine::{Asked, LyingEngine, answer};
use serde_json::{Value, json};
use std::io::Write;
use std::time::{Duration, Instant};

struct Shop {
    env: TestEnv,
    engines: Vec<LyingEngine>,
}

/// Hosts `web1`, `web2`, … with one container of `api` each, which says this.
fn shop(logs: &[Vec<u8>]) -> Shop {
    let env = TestEnv::initialised();
    let mut inventory = "workspace = \"shop\"\n".to_owned();
    let mut engines = Vec::new();
    for (at, log) in logs.iter().enumerate() {
        let folder = env.home().join(format!("engine{at}"));
        std::fs::create_dir(&folder).expect("a folder");
        let engine = LyingEngine::new(&folder);
        inventory.push_str(&format!(
            "[hosts.web{}]\nengine = \"{}\"\nstates = []\npillar = []\n",
            at + 1,
            engine.address()
        ));
        engine.says("GET /containers/json", 200, json!([container("api", "1")]).to_string());
        engine.says("GET /containers/*/json", 200, inspected(false).to_string());
        engine.lies("GET /containers/*/logs", saying(log.clone()));
        // The list is asked for by a name that ends in the same way.
        engine.says("GET /containers/json", 200, json!([container("api", "1")]).to_string());
        engines.push(engine);
    }
    env.write("pillarbox.toml", inventory);
    Shop { env, engines }
}

fn saying(log: Vec<u8>) -> impl Fn(&Asked, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static {
    move |_, out| answer(out, 200, &log)
}

fn container(name: &str, generation: &str) -> Value {
    json!({
        "Id": "a".repeat(64), "Names": [format!("/{name}")], "ImageID": "sha256:1", "State": "running",
        "Labels": {
            "io.pillarbox.workspace": "shop", "io.pillarbox.service": "api",
            "io.pillarbox.instance": format!("api.g{generation}"), "io.pillarbox.generation": generation,
            "io.pillarbox.spec": "v1:sha256:00", "io.pillarbox.image": "r.example.com/api@sha256:00",
        },
        "NetworkSettings": { "Networks": {} }, "HostConfig": { "NetworkMode": "default" }, "Mounts": [],
    })
}

fn inspected(tty: bool) -> Value {
    json!({
        "Id": "a".repeat(64), "Name": "/api", "Image": "sha256:1", "Created": "2026-01-01T00:00:00Z",
        "Config": { "Tty": tty, "Labels": {} }, "HostConfig": { "LogConfig": { "Type": "syslog" } },
        "State": { "Status": "running", "Running": true, "ExitCode": 0 }, "Mounts": [], "RestartCount": 0,
        "NetworkSettings": { "Networks": {} },
    })
}

/// Lines as an Engine frames them, each with its stream and second.
fn framed(lines: &[(u8, u32, &str)]) -> Vec<u8> {
    let frame = |(stream, second, text): &(u8, u32, &str)| {
        let text = format!("2026-11-29T10:00:{second:02}.000000000Z {text}\n");
        let length = u32::try_from(text.len()).expect("short").to_be_bytes();
        [&[*stream, 0, 0, 0], &length[..], text.as_bytes()].concat()
    };
    lines.iter().flat_map(frame).collect()
}

#[test]
fn lines_of_several_hosts_come_in_the_order_of_their_times_with_their_host() {
    let shop = shop(&[
        framed(&[(1, 1, "one"), (2, 3, "three"), (1, 5, "five")]),
        framed(&[(1, 2, "two"), (1, 4, "four")]),
    ]);
    let lines = "web1/api | one\nweb2/api | two\nweb1/api | three\nweb2/api | four\nweb1/api | five\n";
    shop.env.run(&["--no-identity", "logs", "api"]).ok().says_only(lines).and_nothing_else();
    shop.env.run(&["logs", "api", "--no-prefix", "--grep", "^t"]).ok().says_only("two\nthree\n");
    shop.env
        .run(&["logs", "api", "--host", "web2", "-t"])
        .ok()
        .says_only("2026-11-29T10:00:02.000000000Z two\n2026-11-29T10:00:04.000000000Z four\n");
    let json = shop.env.run(&["logs", "api", "--json"]).ok();
    let third: Value =
        serde_json::from_str(json.stdout().lines().nth(2).expect("a third")).expect("an object");
    assert_eq!(
        third,
        json!({ "host": "web1", "service": "api", "container": "api", "index": 1, "stream": "stderr",
                "time": "2026-11-29T10:00:03.000000000Z", "text": "three" })
    );
}

#[test]
fn a_slow_host_is_waited_for_a_second_and_a_dead_one_is_said() {
    let shop = shop(&[framed(&[(1, 1, "one")]), framed(&[(1, 0, "zero")])]);
    shop.engines[1].lies("GET /containers/*/logs", |_, out| {
        std::thread::sleep(Duration::from_secs(3));
        answer(out, 200, &framed(&[(1, 0, "late")]))
    });
    let began = Instant::now();
    shop.env.run(&["logs", "api"]).ok().says_only("web1/api | one\nweb2/api | late\n");
    assert!(began.elapsed() < Duration::from_secs(10));
    let text = shop.env.read("pillarbox.toml");
    let gone = "[hosts.web3]\nengine = \"unix:///nonexistent/engine.sock\"\nstates = []\npillar = []\n";
    shop.env.write("pillarbox.toml", format!("{text}{gone}"));
    shop.env.run(&["logs", "api"]).exits(1).says("web1/api | one").explains("host web3");
}

#[test]
fn bytes_go_through_a_pipe_as_they_are_and_a_terminal_is_not_moved() {
    let text = "a\u{1b}[31mred\u{1b}[2J\u{7}\u{202e}b";
    let shop = shop(&[framed(&[(1, 1, text)])]);
    shop.env.run(&["logs", "api"]).ok().says_only(&format!("{text}\n"));
    let command = format!("'{}' logs api --color always", env!("CARGO_BIN_EXE_pillarbox"));
    let shown = shop.env.program("script", &["-qec", &command, "/dev/null"]).run().ok();
    shown.says("a\u{1b}[31mredb\u{1b}[0m\r\n").lacks("\u{1b}[2J").lacks("\u{7}");
}

#[test]
fn a_terminal_in_the_container_has_no_frames() {
    let shop = shop(&[b"2026-11-29T10:00:01Z one\r\n2026-11-29T10:00:02Z two\r\n".to_vec()]);
    shop.engines[0].says("GET /containers/*/json", 200, inspected(true).to_string());
    shop.engines[0].says("GET /containers/json", 200, json!([container("api", "1")]).to_string());
    shop.env.run(&["logs", "api"]).ok().says_only("one\ntwo\n");
}

#[test]
fn what_cannot_be_read_is_an_error_with_the_reason() {
    let shop = shop(&[framed(&[(1, 1, "one")]), framed(&[])]);
    let words = json!({ "message": "configured logging driver does not support reading" }).to_string();
    shop.engines[1].says("GET /containers/*/logs", 501, words);
    let said =
        shop.env.run(&["logs", "api"]).exits(1).says("one").explains("a log on host web2 cannot be read");
    said.explains("container api (log driver syslog): configured logging driver does not support reading");
    // No frames, and half of one.
    for (log, why) in [
        (b"no frames at all".to_vec(), "no frames"),
        (framed(&[(1, 1, "x")])[..20].to_vec(), "within a frame"),
    ] {
        shop.engines[1].lies("GET /containers/*/logs", saying(log));
        shop.env.run(&["logs", "api"]).exits(1).says("one").explains(why);
    }
    // It is just being removed.
    shop.engines[1].says("GET /containers/*/logs", 404, "{\"message\":\"No such container\"}");
    shop.env.run(&["logs", "api"]).ok().says("one");
}

#[test]
fn wrong_options_are_errors_before_anything_is_asked() {
    let shop = shop(&[framed(&[])]);
    for (options, why) in [
        (&["api", "--since", "yesterday"][..], "it is a duration"),
        (&["api", "-n", "many"], "it is a number, or `all`"),
        (&["api", "--grep", "("], "regex"),
        (&["api", "-f", "--until", "1m"], "cannot be used with"),
        (&[], "<SERVICE>"),
    ] {
        shop.env.run(&[&["logs"], options].concat()).exits(64).explains(why);
    }
    assert!(shop.engines[0].asked("GET /containers").is_empty());
    shop.env.run(&["logs", "apj"]).exits(64).explains("did you mean `api`?");
    shop.env.run(&["exec", "apj"]).exits(125).explains("did you mean `api`?");
}

#[test]
fn more_than_fifty_logs_are_a_question() {
    let shop = shop(&[framed(&[(1, 1, "one")])]);
    let many: Vec<Value> = (1..=51)
        .map(|index| {
            let mut one = container(&format!("api-{index}"), "1");
            one["Id"] = json!(format!("{index:064}"));
            one["Labels"]["io.pillarbox.instance"] = json!(format!("api-{index}.g1"));
            one
        })
        .collect();
    shop.engines[0].says("GET /containers/json", 200, Value::from(many).to_string());
    shop.env.run(&["logs", "api"]).exits(9).explains("Read 51 logs at once?");
    let said = shop.env.run(&["logs", "api", "-y"]).ok();
    assert_eq!(said.stdout().lines().count(), 51);
}

#[test]
fn a_secret_that_is_declared_is_replaced_where_a_private_key_is_at_hand() {
    let secret = "CANARY-in-a-log";
    let shop = shop(&[framed(&[(1, 1, &format!("connects with {secret}")), (1, 2, "nothing")])]);
    shop.env.run_with_input(&["seal", "api.pw", "--in", "apps"], secret).ok();
    shop.env.write(
        "states/api.toml",
        "[api.service.deployed]\nimage = \"r.example.com/api:1\"\nenv.PW = \"{{ pillar.api.pw }}\"\n",
    );
    let text = shop.env.read("pillarbox.toml");
    shop.env.write(
        "pillarbox.toml",
        text.replace("states = []\npillar = []", "states = [\"api\"]\npillar = [\"apps\"]"),
    );
    shop.env.run(&["logs", "api"]).ok().says_only("connects with [secret]\nnothing\n");
    shop.env.run(&["logs", "api", "--json"]).ok().says("connects with [secret]").lacks("CANARY");
    shop.env.run(&["--no-identity", "logs", "api"]).ok().says(secret);
    // Logs can be read while the states cannot, and -v says that nothing is replaced then.
    shop.env.write("states/api.toml", "[[[");
    shop.env
        .run(&["-v", "logs", "api"])
        .ok()
        .says("nothing")
        .explains("secrets in these logs are not replaced");
}
