//! Compose files that were made to cost: each ends at once with an error that says what it has too much of.

use crate::env::TestEnv;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::time::{Duration, Instant};

/// Processor time in a build for tests: whatever else the machine does, a bounded amount of work takes less.
const SOON: Duration = Duration::from_secs(2);
/// Bytes that it has in memory at most.
const LITTLE: u64 = 200 << 20;

/// What a run cost and said.
struct Cost {
    processor: Duration,
    memory: u64,
    code: i32,
    stderr: String,
}

impl Cost {
    /// Runs `compose show` and looks at it all the while. On a busy machine it may have ended before the first
    /// look: then it is run once more.
    fn of(env: &TestEnv) -> Self {
        let seen = |cost: &Self| cost.memory > 0;
        std::iter::repeat_with(|| Self::once(env)).take(20).find(seen).expect("it was not seen")
    }

    fn once(env: &TestEnv) -> Self {
        let mut child = env.command(&["compose", "show"]).spawn();
        drop(child.stdin.take());
        let mut stdout = child.stdout.take().expect("piped");
        let reader = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let process = std::path::PathBuf::from(format!("/proc/{}", child.id()));
        let mut cost = Self { processor: Duration::ZERO, memory: 0, code: -1, stderr: String::new() };
        let began = Instant::now();
        let status = loop {
            cost.look(&process);
            match child.try_wait().expect("its end") {
                Some(status) => break status,
                None if began.elapsed() > Duration::from_secs(100) => {
                    child.kill().expect("killed");
                    panic!("it hangs");
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        cost.code = status.code().unwrap_or(255);
        child.stderr.take().expect("piped").read_to_string(&mut cost.stderr).expect("text");
        reader.join().expect("all of it").expect("read");
        cost
    }

    /// Until its end both only grow; a process that has ended has neither.
    fn look(&mut self, process: &std::path::Path) {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        self.memory = self.memory.max(kilobytes.unwrap_or_default() << 10);
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace().skip(11).take(2));
        // In hundredths of a second on every Linux that there is.
        let ticks: u64 = fields.into_iter().flatten().filter_map(|text| text.parse::<u64>().ok()).sum();
        self.processor = self.processor.max(Duration::from_millis(ticks * 10));
    }

    #[track_caller]
    fn is_small(&self) {
        assert!(self.processor < SOON, "{:?}: {}", self.processor, self.stderr);
        assert!(self.memory < LITTLE, "{} MiB: {}", self.memory >> 20, self.stderr);
    }
}

fn project(file: &[u8]) -> TestEnv {
    let env = TestEnv::initialised();
    env.write(
        "pillarbox.toml",
        "workspace = \"shop\"\n[compose.shop]\ndir = \"/srv\"\n[hosts.vm1]\nengine = \"ssh://a@vm1\"\npillar = [\"shop\"]\ncompose = [\"shop\"]\n",
    );
    env.write("pillar/shop.toml", "[vars.shop]\nA = \"a\"\n").write("compose.yaml", file);
    env
}

/// Ends soon with 1, and says this.
fn refused(file: impl AsRef<[u8]>, said: &str) {
    let env = project(file.as_ref());
    let cost = Cost::of(&env);
    assert!(cost.code == 1 && cost.stderr.contains(said), "{said:?} with {}: {}", cost.code, cost.stderr);
    cost.is_small();
}

#[test]
fn aliases_that_multiply_are_counted_before_they_are_copied() {
    let mut bomb = "x-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let before = level - 1;
        let _ = writeln!(bomb, "x-a{level}: &a{level} [{}]", vec![format!("*a{before}"); 10].join(", "));
    }
    bomb.push_str("services: {api: {image: x}}\n");
    refused(&bomb, "the file has more than 100000 values");
    let mut maps = "x-a0: &a0 {a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8}\n".to_owned();
    for level in 1..10 {
        let keys: Vec<String> = (0..8).map(|key| format!("k{key}: *a{}", level - 1)).collect();
        let _ = writeln!(maps, "x-a{level}: &a{level} {{{}}}", keys.join(", "));
    }
    refused(&maps, "the file has more than 100000 values");
    let mut merged = "x-a: &a\n".to_owned();
    for key in 0..1000 {
        let _ = writeln!(merged, "  k{key}: v");
    }
    merged.push_str("services:\n");
    for service in 0..200 {
        let _ = writeln!(merged, "  s{service}: {{image: x, environment: {{<<: *a}}}}");
    }
    refused(&merged, "the file has more than 100000 values");
}

#[test]
fn what_is_within_itself_nests_too_deep_or_is_too_large_is_refused() {
    refused(
        "services: {api: &a {image: x, environment: {<<: *a}}}\n",
        "an alias is within what it stands for",
    );
    refused("x-a: &a [*a]\nservices: {api: {image: x}}\n", "an alias is within what it stands for");
    refused("x: &a {<<: *a}\n", "an alias is within what it stands for");
    for count in [3_000, 10_000] {
        refused(format!("x-a: {}", "[".repeat(count)), "compose.yaml:1: ");
        refused(format!("x-a: {}", "{a: ".repeat(count)), "compose.yaml:1: ");
    }
    let deep: String = (0..200).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    refused(format!("x-a:\n{deep}"), "this is nested deeper than 64");
    let nested = format!("services: {{api: {{image: '{}x{}'}}}}\n", "${U:-".repeat(5_000), "}".repeat(5_000));
    refused(nested, "variables are nested deeper than 16");
    refused(format!("x-a: {}\n", "y".repeat(10 << 20)), "compose.yaml");
    refused(format!("x-a: {}\n", "y".repeat((1 << 20) + 1)), "the file is larger than 1 MiB");
    let many: String = (0..1_100).map(|number| format!("  s{number}: {{image: x}}\n")).collect();
    refused(format!("services:\n{many}"), "1000 are read at most");
    refused("services: {api: {image: x, ports: ['1-65535']}}\n", "these are too many ports");
    refused("services: {api: {image: x, ports: ['1-65535:1-65535']}}\n", "these are too many ports");
}

#[test]
fn files_outside_of_the_workspace_are_not_read() {
    for (file, said) in [
        ("services: {api: {image: x, env_file: /etc/passwd}}\n", "/etc/passwd is not in the workspace"),
        (
            "services: {api: {image: x, env_file: ../../etc/passwd}}\n",
            "../../etc/passwd is not in the workspace",
        ),
        ("services: {api: {image: x, label_file: ~/a}}\n", "~/a is not in the workspace"),
        (
            "services: {api: {extends: {file: /etc/passwd, service: a}}}\n",
            "/etc/passwd is not in the workspace",
        ),
        ("include: [../other.yaml]\nservices: {api: {image: x}}\n", "../other.yaml is not in the workspace"),
        (
            "include: ['oci://registry.example.com/a']\nservices: {api: {image: x}}\n",
            "is not in the workspace",
        ),
        ("include: ['https://github.com/a/b.git']\nservices: {api: {image: x}}\n", "is not in the workspace"),
        (
            "include: [{path: a.yaml, env_file: /etc/passwd}]\nservices: {api: {image: x}}\n",
            "/etc/passwd is not in the workspace",
        ),
        ("include: [compose.yaml]\nservices: {api: {image: x}}\n", "compose.yaml includes itself"),
        ("services: {api: {image: x, extends: api}}\n", "the service api extends itself"),
    ] {
        refused(file, said);
    }
    let env = project(b"services: {api: {image: x, env_file: link.env}}\n");
    std::os::unix::fs::symlink("/etc/passwd", env.workspace().join("link.env")).expect("a link");
    env.run(&["compose", "show"]).exits(1).explains("link.env").lacks("root:");
}

#[test]
fn bytes_that_are_no_text_and_texts_that_are_no_yaml_say_so() {
    for bytes in [
        b"\xff\xfe\x00s".as_slice(),
        b"services: \xc3\x28\n",
        b"services:\n\tapi: {image: x}\n",
        b"services: {api: {image: \"a\\0b\"}}\n",
        b"",
        b"# nothing\n",
        b"- a\n",
        b"just a text\n",
        b"services: {1: {image: x}}\n",
        b"services: {api: {image: x}, api: {image: y}}\n",
        b"services: {api: {image: !foo x}}\n",
        b"%YAML 9.9\n---\n!!map {\n",
    ] {
        refused(bytes, "compose.yaml");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_soon_and_never_with_a_defect(bytes in prop::collection::vec(any::<u8>(), 0..65_536)) {
        let env = project(&bytes);
        let cost = Cost::of(&env);
        prop_assert!(cost.code == 0 || cost.code == 1, "it ended with {}: {}", cost.code, cost.stderr);
        cost.is_small();
    }

    #[test]
    fn any_text_of_yaml_signs_ends_soon_and_never_with_a_defect(text in "(services|image|x|: |\n|  |- |\\[|\\]|\\{|\\}|&a|\\*a|<<|'|\"|\\$\\{A|:-|\\||>|!reset|#|,|\\?|%|---\n|80:80|true){0,2000}") {
        let env = project(text.as_bytes());
        let cost = Cost::of(&env);
        prop_assert!(cost.code == 0 || cost.code == 1, "it ended with {}: {}", cost.code, cost.stderr);
        cost.is_small();
    }
}
