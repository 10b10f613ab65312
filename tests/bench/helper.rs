//! The credential helper against docker-credential-pass, and one registry against a thousand; whole
//! processes, as clients start them.

use crate::env::TestEnv;
use crate::table;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

const HOST: &str = "registry.example.com";
const REGISTRIES: usize = 1000;
/// More than a pipe holds: the helper waits with its answer while its memory is read.
const LONG: usize = 200_000;

pub(crate) fn run(rounds: usize) {
    let one = machine();
    let many = machine();
    let text = many.read(&format!("pillar/registries/{HOST}.toml"));
    for number in 1..REGISTRIES {
        let host = format!("r{number}.example.org");
        many.write(&format!("pillar/registries/{host}.toml"), text.replace(HOST, &host));
    }
    let times = |sample: &dyn Fn() -> Duration| -> Vec<Duration> { (0..rounds).map(|_| sample()).collect() };
    let ask = |env: &TestEnv, server: &str| ended(env, "get", server);
    ask(&one, HOST);
    ask(&many, HOST);
    let mut of_one = times(&|| ask(&one, HOST));
    let mut of_many = times(&|| ask(&many, HOST));
    table::row("helper get, 1,000 registries (process)", &mut of_many, "helper get, 1 registry", &mut of_one);
    let mut absent = times(&|| ask(&many, "quay.io"));
    table::row(
        "helper get of an absent one, 1,000 registries",
        &mut absent,
        "helper get, 1 registry",
        &mut of_one,
    );
    let mut list = times(&|| ended(&many, "list", "unused"));
    table::row("helper list, 1,000 registries (process)", &mut list, "helper get, 1 registry", &mut of_one);
    match Pass::new() {
        Some(pass) => {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                ours.push(ask(&one, HOST));
                theirs.push(pass.get());
            }
            table::row(
                "helper get, 1 registry (process)",
                &mut ours,
                "docker-credential-pass get (process)",
                &mut theirs,
            );
        }
        None => table::figure("docker-credential-pass is not in PATH (scripts/bench fetches it)", "-"),
    }
    table::figure("peak memory of helper get, secret of 200 KB (VmHWM)", &format!("{:.1} MB", peak(&one)));
    for program in [env!("CARGO_BIN_EXE_docker-credential-pillarbox"), env!("CARGO_BIN_EXE_pillarbox")] {
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        let size = fs::metadata(program).expect("the program").len() as f64 / 1e6;
        table::figure(&format!("size of {name}, stripped"), &format!("{size:.2} MB"));
    }
}

/// A home with a workspace of one registry, from which the helper answers.
fn machine() -> TestEnv {
    let env = TestEnv::initialised();
    env.set_standing_workspace();
    env.run_with_input(&["registry", "add", HOST, "-u", "robot", "--password-stdin"], "the-password").ok();
    env
}

fn ended(env: &TestEnv, action: &str, question: &str) -> Duration {
    let run = env.helper_command(action).input(question);
    let start = Instant::now();
    let output = run.run();
    let time = start.elapsed();
    assert!(output.code == 0 || output.stdout.starts_with("credentials not found"), "{output}");
    time
}

/// The most memory that was resident, in MB.
fn peak(env: &TestEnv) -> f64 {
    let key = format!("registries.\"{HOST}\".password");
    env.run_with_input(&["seal", &key], "x".repeat(LONG)).ok();
    let mut child = env.helper_command("get").spawn();
    child.stdin.take().expect("stdin").write_all(HOST.as_bytes()).expect("asked");
    let mut out = child.stdout.take().expect("stdout");
    // The first byte is there: everything is opened, and the rest waits for room in the pipe.
    out.read_exact(&mut [0]).expect("an answer");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
    let kib: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
    out.read_to_end(&mut Vec::new()).expect("the rest");
    child.wait().expect("it ends");
    kib / 1024.0
}

/// docker-credential-pass with a store and a key without a passphrase of its own.
struct Pass(TestEnv);

impl Pass {
    fn new() -> Option<Self> {
        let mut env = TestEnv::new();
        let sh = |env: &TestEnv, script: &str| env.program("sh", &["-c", script]).run();
        if sh(&env, "command -v docker-credential-pass && command -v pass && command -v gpg").code != 0 {
            return None;
        }
        let home = env.home();
        env.set_var("GNUPGHOME", home.join("gnupg").display().to_string());
        env.set_var("PASSWORD_STORE_DIR", home.join("pass").display().to_string());
        let json = format!("{{\"ServerURL\":\"{HOST}\",\"Username\":\"robot\",\"Secret\":\"the-password\"}}");
        let script = format!(
            "mkdir -m 700 \"$GNUPGHOME\" && gpg --batch -q --passphrase '' --quick-gen-key bench default default never && \
             pass init bench && printf '%s' '{json}' | docker-credential-pass store"
        );
        sh(&env, &script).ok();
        let pass = Self(env);
        pass.get();
        Some(pass)
    }

    fn get(&self) -> Duration {
        let run = self.0.program("docker-credential-pass", &["get"]).input(HOST);
        let start = Instant::now();
        run.run().ok();
        start.elapsed()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let _ = self.0.program("gpgconf", &["--kill", "gpg-agent"]).run();
    }
}
