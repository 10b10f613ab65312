//! `logs` and `exec` on a real Engine: logs through a rollout, and a shell on a terminal of its own.

use crate::env::has_program;
use crate::service::Service;
use crate::testbed::eventually;
use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Counts, one number each tenth of a second, under the name of its run.
const COUNTS: &str = r#"
command = ["sh", "-c", "trap 'exit 0' TERM; n=0; while :; do n=$((n+1)); echo RUN $n; sleep 0.1; done"]
healthcheck = false
"#;

pub(crate) fn counting(replicas: usize) -> Option<Service> {
    Service::deployed(replicas, &COUNTS.replace("RUN", "one"))
}

#[test]
fn logs_go_on_through_a_rollout_without_a_gap() {
    let Some(service) = counting(2) else { return };
    let env = &service.bed.env;
    let mut following =
        env.command(&["--no-identity", "logs", "-f", &service.name, "-n", "all", "--json"]).spawn();
    let mut stdout = following.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    service.replicas(2, &COUNTS.replace("RUN", "two"));
    service.apply().ok();
    std::thread::sleep(Duration::from_secs(1));
    interrupt(&following);
    let ended = following.wait().expect("its end");
    assert_eq!(ended.code(), Some(130));
    let text = reader.join().expect("all of it").expect("text");
    let mut counted: std::collections::BTreeMap<(String, u64), Vec<u64>> = std::collections::BTreeMap::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("an object a line");
        let (run, number) =
            line["text"].as_str().and_then(|text| text.split_once(' ')).expect("a run and a number");
        let index = line["index"].as_u64().expect("a number");
        counted.entry((run.to_owned(), index)).or_default().push(number.parse().expect("a number"));
    }
    let runs: Vec<_> = counted.keys().cloned().collect();
    let expected =
        [("one", 1), ("one", 2), ("two", 1), ("two", 2)].map(|(run, index)| (run.to_owned(), index));
    assert_eq!(runs, expected, "every container of both versions was followed");
    for (run, numbers) in counted {
        assert!(numbers.len() > 3, "{run:?}: {numbers:?}");
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{run:?} has a gap: {numbers:?}");
    }
    // What the earlier version said is still there.
    env.run(&["--no-identity", "logs", &service.name, "--previous", "-n", "1"])
        .ok()
        .says(".g1 ")
        .says("one ");
    // Also while a file of the workspace is broken.
    env.write("states/api.toml", "[[[");
    env.run(&["--no-identity", "logs", &service.name, "--index", "2", "-n", "1"])
        .ok()
        .says("two ")
        .lacks("|");
}

#[test]
fn logs_are_in_the_order_of_their_times_and_can_be_chosen_from() {
    let Some(service) = counting(2) else { return };
    let env = &service.bed.env;
    let enough = || {
        let said = env.run(&["--no-identity", "logs", &service.name, "-n", "all"]).ok();
        said.stdout().lines().count() > 30
    };
    assert!(eventually(enough), "thirty lines");
    let said = env.run(&["--no-identity", "logs", &service.name, "-t", "--no-prefix", "-n", "15"]).ok();
    let times: Vec<&str> = said.stdout().lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(times.len(), 30);
    assert!(times.is_sorted() && times[0].len() == "2026-11-29T10:00:00.123456789Z".len(), "{times:?}");
    let until =
        env.run(&["--no-identity", "logs", &service.name, "-t", "--since", "1h", "--until", times[9]]).ok();
    let in_time = |line: &str| line.rsplit(" | ").next().is_some_and(|line| line[..30] <= *times[9]);
    assert!(until.stdout().lines().all(in_time) && until.stdout().contains("one 1\n"), "{}", until.stdout());
    let said = env.run(&["--no-identity", "logs", &service.name, "--grep", "one 1?5$", "-n", "all"]).ok();
    assert!(said.stdout().lines().all(|line| line.ends_with(" one 5") || line.ends_with(" one 15")));
    env.run(&["--no-identity", "logs", &service.name, "--previous"]).exits(1).explains("earlier or failed");
    env.run(&["--no-identity", "logs", &service.name, "--index", "7"]).exits(1).explains("has no container");
}

#[test]
fn a_command_has_its_input_its_two_outputs_and_its_code() {
    let Some(service) = counting(2) else { return };
    let env = &service.bed.env;
    let name = service.name.as_str();
    let said = env.run(&exec(name, &["--", "sh", "-c", "echo out; echo err >&2; exit 7"])).exits(7);
    said.says_only("out\n").explains("err\n").explains(&format!("in local/{}\n", service.name));
    // The end of the input arrives, and every byte of it.
    let text: String = (0..50_000).map(|n| format!("{n}\n")).collect();
    let back = env.run_with_input(&exec(name, &["-T", "--", "cat"]), &text).ok();
    assert!(back.stdout() == text, "{} bytes came back", back.stdout().len());
    let said = env.run(&exec(
        name,
        &["-i", "-e", "A=1 2", "-u", "7:8", "-w", "/www", "--", "sh", "-c", "echo $A; id -u; echo $PWD"],
    ));
    said.ok().says_only("1 2\n7\n/www\n");
    env.run(&exec(name, &["-q", "--index", "2", "--", "hostname"])).ok().and_nothing_else();
    env.run(&exec(name, &["--index", "9", "--", "true"])).exits(125).explains("has no running container");
    env.run(&["--no-identity", "exec", "nonsense", "--", "true"])
        .exits(125)
        .explains("no host has a service");
    env.run(&exec(name, &["--", "no-such-program"]))
        .exits(127)
        .explains("no-such-program cannot be run")
        .says_only("");
    env.run(&exec(name, &["--", "/www/index.html"]))
        .exits(126)
        .explains("/www/index.html cannot be run")
        .says_only("");
    env.run(&exec(name, &["-e", "NOT_SET_ANYWHERE", "--", "true"]))
        .exits(125)
        .explains("-e NOT_SET_ANYWHERE=VALUE");
    let said = env
        .run(&exec(name, &["--all", "--", "sh", "-c", "hostname; exit $(($(hostname | wc -c) > 5))"]))
        .exits(1);
    assert_eq!(said.stdout().lines().count(), 2);
    said.says(&format!("local/{}   | ", service.name)).says(&format!("local/{}-2 | ", service.name));
    env.run(&exec(name, &["-d", "--", "sh", "-c", "echo it was here > /tmp/left"])).ok().says_only("");
    let there = || {
        let said = env.run(&exec(name, &["-q", "--", "sh", "-c", "cat /tmp/left; true"])).ok();
        said.stdout().contains("it was here")
    };
    assert!(eventually(there), "what the detached command wrote");
}

#[test]
fn a_shell_has_a_terminal_of_the_right_size_and_every_key() {
    let Some(service) = counting(1) else { return };
    if !has_program("script") {
        return;
    }
    let mut terminal = Terminal::open(&service, "stty rows 33 cols 101", &["busybox", "sh"]);
    terminal.types("echo size $(busybox stty size)\r");
    terminal.shows("size 33 101");
    terminal.beside("stty -F DEVICE rows 40 cols 90");
    let fits = || {
        terminal.types("echo size $(busybox stty size)\r");
        std::thread::sleep(Duration::from_millis(300));
        terminal.so_far().contains("size 40 90")
    };
    assert!(eventually(fits), "the new size");
    // Ctrl-C ends what runs there, and not what runs here.
    terminal.types("trap 'echo heard-it' INT; sleep 30\r");
    std::thread::sleep(Duration::from_millis(500));
    terminal.types("\u{3}");
    terminal.shows("heard-it\r\n");
    // Ctrl-P is not held back, and with Ctrl-Q leaves nothing.
    terminal.types("busybox stty -icanon -echo; busybox dd bs=1 count=1 2>/dev/null | busybox od -An -tx1; busybox stty sane\r");
    std::thread::sleep(Duration::from_millis(500));
    terminal.types("\u{10}");
    terminal.shows(" 10\r\n");
    terminal.types("\u{10}\u{11}\u{15}echo still-$((40+2))\r");
    terminal.shows("still-42");
    terminal.types("exit 7\r");
    assert_eq!(terminal.end(), "7 as it was");
}

#[test]
fn the_terminal_is_as_it_was_after_a_lost_link_a_signal_and_an_escape() {
    let Some(service) = counting(1) else { return };
    if !has_program("script") {
        return;
    }
    // The escape of ssh.
    let mut terminal = Terminal::open(&service, "true", &["sleep", "60"]);
    terminal.types("\r~.");
    terminal.shows("the command goes on in local/");
    assert_eq!(terminal.end(), "125 as it was");
    // SIGTERM.
    let terminal = Terminal::open(&service, "true", &["sh", "-c", "echo begun; sleep 60"]);
    terminal.shows("begun");
    terminal.beside("kill $(pgrep -f -- '^[^ ]*/pillarbox --no-identity [e]xec NAME')");
    assert_eq!(terminal.end(), "143 as it was");
    // The container goes.
    let terminal = Terminal::open(&service, "true", &["sh", "-c", "echo begun; sleep 60"]);
    terminal.shows("begun");
    service.bed.engine.post(&format!("/containers/{}/kill", service.name), &serde_json::Value::Null);
    assert!(terminal.end().ends_with(" as it was"));
}

pub(crate) fn exec<'a>(service: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--no-identity", "exec", service], more].concat()
}

/// `pillarbox exec` on a terminal of its own, which is looked at before and after.
pub(crate) struct Terminal<'s> {
    service: &'s Service,
    child: Child,
    keys: ChildStdin,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: std::thread::JoinHandle<()>,
}

impl<'s> Terminal<'s> {
    pub(crate) fn open(service: &'s Service, before: &str, command: &[&str]) -> Self {
        let env = &service.bed.env;
        let words: Vec<String> = command.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "tty > device; {before}; b=$(stty -g); '{}' --no-identity exec {} -- {}; code=$?; \
             if [ \"$b\" = \"$(stty -g)\" ]; then echo \"<$code as it was>\"; else echo \"<$code otherwise>\"; stty -a; fi",
            env!("CARGO_BIN_EXE_pillarbox"),
            service.name,
            words.join(" ")
        );
        let mut child = env.program("script", &["-qec", &script, "/dev/null"]).spawn();
        let (keys, mut stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&seen);
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 512];
            while let Ok(count @ 1..) = stdout.read(&mut chunk) {
                shared.lock().expect("the text").extend_from_slice(&chunk[..count]);
            }
        });
        let terminal = Self { service, child, keys, seen, reader };
        terminal.shows("in local/");
        // Its keys go over once it is raw.
        std::thread::sleep(Duration::from_millis(500));
        terminal
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("typed");
        self.keys.flush().expect("typed");
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("the text")).into_owned()
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.so_far().contains(text) {
            assert!(Instant::now() < until, "{text:?} is not shown: {:?}", self.so_far());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Does something from outside of the terminal.
    pub(crate) fn beside(&self, command: &str) {
        let env = &self.service.bed.env;
        let device = env.read("device");
        let command = command.replace("DEVICE", device.trim()).replace("NAME", &self.service.name);
        env.program("sh", &["-c", &command]).run().ok();
    }

    /// How it ended: its code, and whether the terminal is as it was.
    pub(crate) fn end(mut self) -> String {
        self.shows(">\r\n");
        self.child.wait().expect("its end");
        let text = String::from_utf8_lossy(&self.seen.lock().expect("the text")).into_owned();
        self.reader.join().expect("all of it");
        let end = text.rsplit_once('<').map_or("", |(_, end)| end);
        end.split('>').next().unwrap_or_default().to_owned()
    }
}

pub(crate) fn interrupt(child: &Child) {
    let done = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(done.expect("kill").success());
}
