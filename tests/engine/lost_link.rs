//! A link that is lost while a command runs in a container, or a log is followed.

use crate::env::has_program;
use crate::one_off::one_offs;
use crate::relay::Relay;
use crate::service::Service;
use crate::streams::{Terminal, counting, exec, interrupt};
use crate::testbed::{eventually, testbed_var};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;
use std::time::{Duration, Instant};

/// Reached through a relay from now on.
fn relayed(service: &Service) -> Relay {
    let relay = Relay::new(service.bed.engine.socket(), &service.bed.env.runtime());
    service.bed.set_inventory(&[("local", &relay.address())], &["api"]);
    service.bed.env.run(&["known", "accept", "local"]).ok();
    relay
}

/// A command that has said `begun`, and the rest of what it says.
fn begun(service: &Service, arguments: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = service.bed.env.command(arguments).spawn();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert_eq!(line, "begun\n");
    (child, out)
}

/// The code and the errors of what soon ends.
#[track_caller]
fn ends(mut child: Child, within: Duration) -> (Option<i32>, String) {
    let began = Instant::now();
    let status = loop {
        match child.try_wait().expect("its end") {
            Some(status) => break status,
            None => assert!(began.elapsed() < within, "it hangs"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    (status.code(), said)
}

#[test]
fn a_command_whose_link_is_lost_ends_with_an_error_and_gives_the_terminal_back() {
    let Some(service) = counting(1) else { return };
    let relay = relayed(&service);
    let script = ["sh", "-c", "echo begun; sleep 60"];
    let (child, _out) = begun(&service, &exec(&service.name, &[&["-T", "--"], &script[..]].concat()));
    relay.cut();
    let (code, said) = ends(child, Duration::from_secs(20));
    assert_eq!(code, Some(125), "{said}");
    let lost = format!("the connection to local/{} was lost", service.name);
    assert!(said.contains(&lost) && said.contains("the command may go on there"), "{said}");
    relay.restore();
    if !has_program("script") {
        return;
    }
    let terminal = Terminal::open(&service, "true", &script);
    terminal.shows("begun");
    relay.cut();
    terminal.shows(&lost);
    assert_eq!(terminal.end(), "125 as it was");
}

#[test]
fn a_one_off_command_whose_link_is_lost_says_what_may_be_left_of_it() {
    let Some(service) = counting(1) else { return };
    let relay = relayed(&service);
    let script = ["-T", "--", "sh", "-c", "echo begun; sleep 5"];
    let (child, _out) = begun(&service, &[&["run", &service.name][..], &script].concat());
    relay.cut();
    let (code, said) = ends(child, Duration::from_secs(90));
    assert_eq!(code, Some(125), "{said}");
    assert!(said.contains("was lost") && said.contains("pillarbox status"), "{said}");
    // The Engine removes it at its end.
    assert!(eventually(|| one_offs(&service).is_empty()));
}

#[test]
fn logs_that_are_followed_go_on_without_a_gap_when_the_link_is_back() {
    let Some(service) = counting(1) else { return };
    let relay = relayed(&service);
    let env = &service.bed.env;
    let mut following =
        env.command(&["--no-identity", "logs", "-f", &service.name, "-n", "all", "--no-prefix"]).spawn();
    let mut out = BufReader::new(following.stdout.take().expect("piped"));
    let mut seen = Vec::new();
    let mut read = |until: usize| {
        while seen.len() < until {
            let mut line = String::new();
            assert!(out.read_line(&mut line).expect("a line") > 0, "it ended: {seen:?}");
            seen.push(line.trim_end().to_owned());
        }
    };
    read(10);
    relay.cut();
    std::thread::sleep(Duration::from_secs(2));
    relay.restore();
    read(80);
    interrupt(&following);
    let (code, said) = ends(following, Duration::from_secs(20));
    assert_eq!(code, Some(130), "{said}");
    assert!(
        said.contains("host local is lost and dialled again") && said.contains("host local is back"),
        "{said}"
    );
    assert!(seen.iter().enumerate().all(|(at, line)| *line == format!("one {}", at + 1)), "{seen:?}");
}

#[test]
fn a_shell_whose_ssh_is_killed_ends_and_gives_the_terminal_back() {
    let Some(mut service) = counting(1) else { return };
    if !has_program("script") {
        return;
    }
    service.bed.env.path_first(testbed_var("PILLARBOX_TEST_SSH_BIN"));
    let address = format!("{}{}", testbed_var("PILLARBOX_TEST_SSH"), service.bed.engine.socket().display());
    service.bed.set_inventory(&[("local", &address)], &["api"]);
    service.bed.env.run(&["known", "accept", "local"]).ok();
    let terminal = Terminal::open(&service, "true", &["sh", "-c", "echo begun; sleep 60"]);
    terminal.shows("begun");
    terminal.beside("kill -KILL $(pgrep -P $(pgrep -f -- '^[^ ]*/pillarbox --no-identity [e]xec NAME') ssh)");
    terminal.shows(&format!("the connection to local/{} was lost", service.name));
    assert_eq!(terminal.end(), "125 as it was");
}
