//! Hosts that cannot be reached: what they cost, and that they are no other host's matter.

use crate::env::TestEnv;
use crate::lying_engine::LyingEngine;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

/// A workspace with one host whose Engine answers, and these beside it; each wants a volume.
fn shop(others: &[(&str, String)]) -> (TestEnv, LyingEngine) {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    let mut text = format!(
        "workspace = \"shop\"\n[hosts.web1]\nengine = \"{}\"\nstates = [\"data\"]\n",
        engine.address()
    );
    for (name, address) in others {
        let _ = writeln!(text, "[hosts.{name}]\nengine = \"{address}\"\nstates = [\"data\"]");
    }
    env.write("pillarbox.toml", text)
        .write("states/data.toml", "[uploads.volume.present]\nname = \"uploads\"\n");
    (env, engine)
}

/// No Engine listens there.
const DEAD: &str = "unix:///nonexistent/engine.sock";

#[test]
fn a_host_that_is_down_can_be_left_out_and_is_said_in_plan_and_in_the_end() {
    let (env, engine) = shop(&[("web2", DEAD.to_owned())]);
    // Without the option nothing is changed.
    env.run(&["plan"]).exits(1).says("web1").explains("host web2: its Engine at");
    env.run(&["apply", "-y"]).exits(1).explains("there is no socket at");
    assert!(engine.asked("POST /volumes/create").is_empty());

    let plan = env.run(&["plan", "--skip-unreachable"]).ok();
    plan.says("web2  ? cannot be reached and is left out: there is no socket at").says("volume uploads");
    let json = env.run(&["plan", "--skip-unreachable", "--json"]).ok().json();
    assert_eq!(json["unreachable"][0]["host"], "web2");
    env.run(&["plan", "--skip-unreachable", "--detailed-exitcode"]).exits(2);

    let applied = env.run(&["apply", "-y", "--skip-unreachable"]).exits(3);
    applied
        .says("web2  ? cannot be reached")
        .explains("apply did not do everything")
        .explains("web1: 1 done")
        .explains("host web2: its Engine at");
    assert!(!engine.asked("POST /volumes/create").is_empty());
    env.run(&["history"]).ok().says("1 unreachable, 1 done");
    // Only that one is left of the run.
    env.run(&["apply", "-y", "--failed"]).exits(1).explains("host web2: its Engine at").lacks("web1");
    // Nothing is left to do on the others, and not all is as it is wanted.
    env.run(&["apply", "-y", "--skip-unreachable"]).exits(1).explains("host web2: its Engine at");
    let json = env.run(&["apply", "-y", "--skip-unreachable", "--json"]).exits(1).json();
    assert_eq!(json["error"]["code"], "unreachable");
}

#[test]
fn where_no_host_can_be_reached_none_is_left_out() {
    let env = TestEnv::initialised();
    env.write(
        "pillarbox.toml",
        format!("workspace = \"shop\"\n[hosts.web1]\nengine = \"{}\"\n", DEAD.to_owned()),
    );
    for command in [&["plan", "--skip-unreachable"][..], &["apply", "-y", "--skip-unreachable"]] {
        env.run(command).exits(1).explains("there is no socket at").lacks("left out");
    }
}

#[test]
fn only_a_host_that_cannot_be_reached_is_left_out() {
    let (env, engine) = shop(&[("web2", DEAD.to_owned())]);
    engine.says("GET /containers/json", 500, "{\"message\":\"no\"}");
    env.run(&["plan", "--skip-unreachable"]).exits(1).explains("web1");
    engine.repents();
    for wrong in ["0", "1001", "many", "-1"] {
        env.run(&["plan", &format!("--connections={wrong}")]).exits(64);
        env.run(&["apply", "-y", &format!("--pulls={wrong}")]).exits(64);
    }
}

#[test]
fn an_engine_that_accepts_and_says_nothing_costs_fifteen_seconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mute.sock");
    let _mute = UnixListener::bind(&path).expect("a socket");
    let (env, _engine) = shop(&[("web2", format!("unix://{}", path.display()))]);
    let began = Instant::now();
    env.run(&["plan", "--skip-unreachable"]).ok().says("it did not answer within 15 seconds").says("uploads");
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}

/// A folder with an `ssh` that is this script.
fn with_ssh(env: &mut TestEnv, script: &str) {
    let folder = env.home().join("bin");
    fs::create_dir_all(&folder).expect("a folder");
    let program = folder.join("ssh");
    fs::write(&program, format!("#!/bin/sh\nlog={}/log\n{script}", env.home().display())).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    env.path_first(folder);
}

#[test]
fn at_most_eight_logins_are_under_way_behind_one_jump_host() {
    let others: Vec<(String, String)> =
        (2..30).map(|number| (format!("web{number}"), format!("ssh://deploy@web{number}"))).collect();
    let others: Vec<(&str, String)> = others.iter().map(|(name, at)| (name.as_str(), at.clone())).collect();
    let (mut env, _engine) = shop(&others);
    with_ssh(
        &mut env,
        "[ \"$1\" = -G ] && { echo 'hostname x'; echo 'port 22'; echo 'proxyjump jump.example.com'; exit 0; }\n\
         echo begin >> \"$log\"; sleep 0.3; echo end >> \"$log\"\n\
         echo 'deploy@web: Permission denied (publickey).' >&2; exit 255\n",
    );
    let said = env.run(&["plan", "--skip-unreachable"]).ok();
    said.says("no key that was offered is accepted there");
    let log = fs::read_to_string(env.home().join("log")).expect("its log");
    let (mut now, mut most) = (0, 0);
    for line in log.lines() {
        now += if line == "begin" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!(log.lines().filter(|line| *line == "begin").count(), 28, "each is tried once");
    assert!((2..=8).contains(&most), "{most}");
}

#[test]
fn a_login_that_was_dropped_is_tried_again_and_another_failure_is_not() {
    let (mut env, _engine) = shop(&[("web2", "ssh://deploy@web2".to_owned())]);
    with_ssh(
        &mut env,
        "[ \"$1\" = -G ] && { echo 'connecttimeout none'; exit 0; }\n\
         echo \"$*\" >> \"$log\"\n\
         if [ $(wc -l < \"$log\") -lt 3 ]; then\n\
           echo 'kex_exchange_identification: Connection closed by remote host' >&2; exit 255\n\
         fi\n\
         echo 'Host key verification failed.' >&2; exit 255\n",
    );
    let began = Instant::now();
    env.run(&["plan"])
        .exits(1)
        .explains("its host key is not known here")
        .explains("log in once by hand")
        .lacks("kex_exchange");
    assert!(began.elapsed() > Duration::from_secs(3), "{:?}", began.elapsed());
    let log = fs::read_to_string(env.home().join("log")).expect("its log");
    assert_eq!(log.lines().count(), 3);
    assert!(log.lines().all(|line| line.contains("ConnectTimeout=10")), "{log}");
}

#[test]
fn a_timeout_of_the_users_own_configuration_stays() {
    let (mut env, _engine) = shop(&[("web2", "ssh://deploy@web2".to_owned())]);
    with_ssh(
        &mut env,
        "[ \"$1\" = -G ] && { echo 'connecttimeout 45'; exit 0; }\n\
         echo \"$*\" >> \"$log\"; echo 'Connection timed out' >&2; exit 255\n",
    );
    env.run(&["plan"]).exits(1).explains("it does not answer");
    let log = fs::read_to_string(env.home().join("log")).expect("its log");
    assert!(log.lines().count() == 1 && !log.contains("ConnectTimeout"), "{log}");
}
