//! Locks of hosts, through the binary: who holds one, waiting for it, breaking it.

use crate::env::TestEnv;
use crate::lying_engine::LyingEngine;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

struct Shop {
    env: TestEnv,
    engine: LyingEngine,
}

/// A workspace with one host, and a volume to be made there.
fn shop() -> Shop {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    env.write(
        "pillarbox.toml",
        format!(
            "workspace = \"shop\"\n[hosts.web1]\nengine = \"{}\"\nstates = [\"data\"]\n",
            engine.address()
        ),
    )
    .write("states/data.toml", "[uploads.volume.present]\nname = \"uploads\"\n");
    Shop { env, engine }
}

impl Shop {
    /// Another run takes the lock.
    fn locked(&self, number: u64, state: &str) {
        self.engine.put_volume(
            &format!("pillarbox-lock.shop.{number:08}"),
            &json!({ "io.pillarbox.lock": "shop", "io.pillarbox.lock.token": "alice's",
                    "io.pillarbox.lock.state": state, "io.pillarbox.lock.lease": "180",
                    "io.pillarbox.lock.who": "alice\u{1b}[2J", "io.pillarbox.lock.from": "laptop",
                    "io.pillarbox.lock.command": "pillarbox apply",
                    "io.pillarbox.lock.since": "1790000000" }),
        );
    }

    fn holder(&self) -> Value {
        self.env.run(&["lock", "list", "--json"]).ok().json()["hosts"][0]["holder"].clone()
    }
}

#[test]
fn a_locked_host_is_exit_code_6_with_who_what_since_when_and_for_how_long() {
    let shop = shop();
    shop.locked(1, "held");
    for command in [&["apply", "-y"][..], &["apply", "-y", "--lock-wait", "1s"]] {
        let said = shop.env.run(command).exits(6);
        let said = said
            .explains("host web1 is locked by alice\\u{1b}[2J on laptop since 2026-09-21T14:13:20Z")
            .explains("it runs `pillarbox apply`")
            .lacks("\u{1b}");
        let ends = said.stderr().split("expires within ").nth(1).and_then(|rest| rest.split(' ').next());
        let ends: u32 = ends.and_then(|text| text.parse().ok()).expect("a number");
        assert!((150..=182).contains(&ends), "{}", said.stderr());
    }
    let waited = shop.env.run(&["apply", "-y", "--lock-wait", "1s"]).exits(6);
    waited.explains("it was waited for, for 1s");
    assert!(shop.engine.asked("DELETE").is_empty());
}

#[test]
fn who_holds_a_lock_is_listed_and_a_lock_can_be_broken_by_name() {
    let shop = shop();
    shop.env.run(&["lock", "list"]).ok().says("").explains("0 of 1 host locked");
    assert_eq!(shop.holder(), Value::Null);
    shop.env.run(&["lock", "break", "web1", "-y"]).ok().explains("host web1 is not locked");
    shop.locked(1, "held");
    let list = shop.env.run(&["lock", "list"]).ok().explains("1 of 1 host locked").lacks("\u{1b}");
    for words in
        ["HOST", "ENDS IN", "web1", "alice\\u{1b}[2J on laptop", "pillarbox apply", "2026-09-21T14:13:20Z"]
    {
        assert!(list.stdout().contains(words), "{words}: {}", list.stdout());
    }
    let holder = shop.holder();
    assert_eq!(
        (holder["from"].as_str(), holder["command"].as_str(), holder["since"].as_str()),
        (Some("laptop"), Some("pillarbox apply"), Some("2026-09-21T14:13:20Z"))
    );
    assert!((100..=182).contains(&holder["ends_in_seconds"].as_u64().expect("seconds")), "{holder}");
    // Without a terminal, and without a host of that name.
    shop.env
        .run(&["lock", "break", "web1"])
        .exits(9)
        .explains("there is no terminal to ask on")
        .explains("pillarbox lock break 'web1' -y");
    shop.env.run(&["lock", "break", "web2", "-y"]).exits(64).explains("did you mean `web1`?");
    assert_ne!(shop.holder(), Value::Null);
    shop.env.run(&["lock", "break", "web1", "-y"]).ok().explains("the lock of host web1 is broken");
    assert_eq!(shop.holder(), Value::Null);
    shop.env.run(&["apply", "-y"]).ok().lacks("taken over");
}

#[test]
fn a_lock_is_waited_for_until_it_is_given_back() {
    let shop = shop();
    shop.locked(1, "held");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            shop.locked(2, "free");
        });
        let began = Instant::now();
        shop.env
            .run(&["apply", "-y", "--lock-wait", "2m"])
            .ok()
            .explains("host web1 is locked: alice\\u{1b}[2J on laptop runs `pillarbox apply`; waiting for it, at most")
            .lacks("planned again");
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    });
    shop.env.run(&["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn two_runs_that_wait_for_each_other_both_succeed() {
    let shop = shop();
    let wait = ["apply", "-y", "--lock-wait", "2m"];
    let mut running: Vec<_> = (0..4).map(|_| shop.env.command(&wait).spawn()).collect();
    for child in &mut running {
        assert!(child.wait().expect("its end").success());
    }
    assert_eq!(shop.holder(), Value::Null);
}

#[test]
fn a_wait_that_is_no_time_is_a_usage_error() {
    let shop = shop();
    for time in ["", "0s", "soon", "-1m", "900d"] {
        shop.env.run(&["apply", "-y", &format!("--lock-wait={time}")]).exits(64).explains("give a time");
    }
}
