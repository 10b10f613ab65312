//! `known accept` for several hosts at once.

use crate::env::TestEnv;
use crate::lying_engine::LyingEngine;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;

/// A port behind which an Engine answers that listens on a socket.
fn port_to(engine: &LyingEngine) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let socket = engine.address().trim_start_matches("unix://").to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(engine) = UnixStream::connect(&socket) else { continue };
            let (from, to) = (client.try_clone().expect("a handle"), engine.try_clone().expect("a handle"));
            thread::spawn(move || forward(from, to));
            thread::spawn(move || back(engine, client));
        }
    });
    port
}

fn forward(mut from: TcpStream, mut to: UnixStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

fn back(mut from: UnixStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// Twelve hosts at one port, and one where nothing listens.
fn fleet(port: u16) -> TestEnv {
    let env = TestEnv::initialised();
    at(&env, port);
    env
}

fn at(env: &TestEnv, port: u16) {
    let host =
        |name: &str, port: u16| format!("[hosts.{name}]\nengine = \"tcp://127.0.0.1:{port}\"\ntls = false\n");
    let hosts: String = (1..=12).map(|at| host(&format!("web{at:02}"), port)).collect();
    env.write("pillarbox.toml", format!("workspace = \"shop\"\n{hosts}{}", host("db1", 1)));
}

fn says_it_is(engine: &LyingEngine, id: &str) {
    engine.says("GET /info", 200, format!(r#"{{"ID":"{id}","ServerVersion":"27.0.0","OSType":"linux","Architecture":"x86_64","NCPU":2,"MemTotal":4000000000,"Name":"a","Labels":[]}}"#));
}

#[test]
fn many_hosts_are_accepted_after_one_question_that_shows_what_was_and_what_is() {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    let port = port_to(&engine);
    at(&env, port);
    says_it_is(&engine, "OLD1");
    let asked = env.run(&["known", "accept", "--all"]).exits(9).explains("13 of 13 hosts are new or changed");
    let asked = asked.says(&format!("web01  is new: tcp://127.0.0.1:{port}, TLS none, daemon ID OLD1\n"));
    asked.says("db1  is new: tcp://127.0.0.1:1, TLS none; its daemon ID is learned when it answers\n");
    env.run(&["known", "list"]).ok().lacks("web01");
    env.run(&["known", "accept", "--all", "-y"])
        .ok()
        .explains("13 hosts may be sent credentials and secrets");
    let known = env.run(&["known", "list"]).ok();
    assert_eq!(known.stdout().matches("daemon ID OLD1").count(), 12);
    env.run(&["known", "accept", "web*,!web12"])
        .ok()
        .says_only("")
        .explains("11 hosts are as this machine knows them");

    says_it_is(&engine, "NEW1");
    let changed = env.run(&["known", "accept", "web0?", "web10", "-y"]).ok();
    let changed = changed.says("web01  daemon ID was OLD1, is NEW1\n");
    assert_eq!(changed.stdout().lines().count(), 10, "{}", changed.stdout());
    let known = env.run(&["known", "list"]).ok();
    let of = |id: &str| known.stdout().matches(&format!("daemon ID {id}")).count();
    assert_eq!((of("NEW1"), of("OLD1")), (10, 2));

    // Behind an address that is not the known one nothing is asked before it is accepted.
    let second = port_to(&engine);
    at(&env, second);
    let before = engine.asked("GET /info").len();
    let moved = env.run(&["known", "accept", "@none,web01"]).exits(64).explains("no groups");
    drop(moved);
    let moved = env.run(&["known", "accept", "web*", "-y", "--json"]).ok().json();
    assert_eq!(engine.asked("GET /info").len(), before);
    let hosts = moved["hosts"].as_array().expect("hosts");
    assert_eq!((hosts.len(), hosts[0]["old"]["daemon"].as_str()), (12, Some("NEW1")));
    assert_eq!(hosts[0]["new"]["address"], format!("tcp://127.0.0.1:{second}"));
}

#[test]
fn a_box_is_accepted_by_itself_and_a_name_that_is_none_is_an_error() {
    let env = fleet(1);
    env.run(&["known", "accept", "pillar/", "web01"])
        .exits(64)
        .explains("`pillar/` is a box, and is accepted by itself");
    env.run(&["known", "accept", "wbe01"]).exits(64).explains("did you mean `web01`?");
    env.run(&["known", "accept", "x*"]).exits(64).explains("no host matches `x*`");
    env.run(&["known", "accept"]).exits(64);
    env.run(&["known", "accept", "web01", "--all"]).exits(64);
    env.run(&["known", "accept", "web01"])
        .ok()
        .explains("web01 at tcp://127.0.0.1:1 may be sent credentials");
    env.run(&["known", "accept", "pillar/"]).ok();
}
