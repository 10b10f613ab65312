//! Records of runs: what is written while hosts are changed, and what `history` and `--failed` make of it.

use crate::env::{TestEnv, mode};
use crate::lying_engine::{DIGEST, LyingEngine};
use crate::search::files_with;
use std::fs;
use std::path::PathBuf;

/// Two hosts with an Engine each; both get a volume, web2 a container as well, and what starts there crashes.
fn shop() -> (TestEnv, [LyingEngine; 2]) {
    let env = TestEnv::initialised();
    let engines = ["web1", "web2"].map(|name| {
        let folder = env.home().join(name);
        fs::create_dir(&folder).expect("a folder");
        let engine = LyingEngine::new(&folder);
        let info = format!(
            r#"{{"ID":"{name}","ServerVersion":"27.0.0","OSType":"linux","Architecture":"x86_64","NCPU":2,"MemTotal":4000000000,"Name":"a","Labels":[]}}"#
        );
        engine.says("GET /info", 200, info);
        engine
    });
    let host = |name: &str, engine: &LyingEngine, states: &str| {
        format!("[hosts.{name}]\nengine = \"{}\"\npillar = [\"api\"]\nstates = {states}\n", engine.address())
    };
    env.write(
        "pillarbox.toml",
        format!(
            "workspace = \"shop\"\n{}{}",
            host("web1", &engines[0], "[\"data\"]"),
            host("web2", &engines[1], "[\"data\", \"web\"]")
        ),
    );
    env.write("states/data.toml", "[data.volume.present]\n");
    env.write(
        "states/web.toml",
        format!(
            "[web.container.running]\nimage = \"registry.example.com/web@{DIGEST}\"\nenv = {{ PW = \"{{{{ pillar.api.pw }}}}\" }}\nmonitor = \"1s\"\n"
        ),
    );
    env.run_with_input(&["seal", "api.pw", "--in", "api"], SECRET).ok();
    (env, engines)
}

const SECRET: &str = "CANARY-of-a-run~?>\"'\\ü";

fn records(env: &TestEnv) -> Vec<PathBuf> {
    let folder = env.home().join(".local/state/pillarbox/runs/shop");
    let mut found: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.expect("an entry").path()).collect(),
        Err(_) => Vec::new(),
    };
    found.sort();
    found
}

#[test]
fn a_run_is_recorded_as_it_goes_and_the_hosts_that_failed_can_be_taken_up_again() {
    let (env, _engines) = shop();
    env.run(&["history"]).ok().explains("no run of this workspace is recorded on this machine");
    env.run(&["plan", "--failed"]).exits(64).explains("--failed names no host");
    env.run(&["apply", "-y", "--host", "web?", "--accept-new-hosts"]).exits(3);
    let all = records(&env);
    assert_eq!(all.len(), 1);
    assert_eq!((mode(&all[0]), mode(all[0].parent().expect("its folder"))), (0o600, 0o700));
    let lines: Vec<serde_json::Value> = fs::read_to_string(&all[0])
        .expect("the record")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().expect("a kind")).collect();
    assert_eq!((kinds[0], kinds[1], kinds[2], kinds[kinds.len() - 1]), ("run", "body", "body", "end"));
    assert_eq!(lines[0]["host"], serde_json::json!(["web?"]));
    assert_eq!((&lines[0]["by"], &lines[0]["command"]), (&"alice".into(), &"apply".into()));
    let end = &lines[lines.len() - 1];
    assert_eq!(
        (&end["result"], &end["done"], &end["rolled_back"]),
        (&"partial".into(), &1.into(), &1.into())
    );

    let id = lines[0]["run"].as_str().expect("an id");
    let list = env.run(&["history"]).ok().says("RUN").says("alice@").says("1 rolled back, 1 done");
    assert!(list.stdout().contains(id), "{}", list.stdout());
    let one = env.run(&["history", id]).ok().says("1  rolled back  web2").says("1  done         web1");
    let one = one.says("hosts: 'web?'").says("create  volume data: ").says("next   pillarbox apply --failed");
    assert!(one.stdout().contains("web2  rolled back: "), "{}", one.stdout());
    assert_eq!(env.run(&["history", id, "--json"]).ok().json()["results"]["web2"], "rolled-back");
    assert_eq!(env.run(&["history", "--json"]).ok().json()["runs"][0]["run"]["run"], id);

    env.run(&["plan", "--failed"]).ok().explains("hosts: 1 of 2: web2").lacks("web1");
    env.run(&["plan", "--failed", "--host", "web1"]).exits(64).explains("none of these hosts failed");
    env.write("states/web.toml", "[more.volume.present]\n");
    env.run(&["apply", "-y", "--failed"]).ok();
    assert_eq!(records(&env).len(), 2);
    env.run(&["plan", "--failed"]).exits(64).explains("no host is left of the last run");
    env.run(&["apply", "-y"]).ok();
    assert_eq!(records(&env).len(), 2, "a run that changes nothing is none");
    let ends = env.run(&["history"]).ok();
    assert!(ends.stdout().lines().nth(1).is_some_and(|line| line.ends_with("done")), "{}", ends.stdout());
}

#[test]
fn a_record_holds_no_secret_in_any_form() {
    let (env, engines) = shop();
    // An Engine that repeats what it was sent.
    engines[1].lies("POST /containers/*/start", |_, out| {
        crate::lying_engine::answer(out, 500, format!("{{\"message\":\"no: PW={SECRET}\"}}").as_bytes())
    });
    let said = env.run(&["-v", "apply", "-y", "--accept-new-hosts"]).exits(3);
    let shown = env.run(&["history", "-v", "--json"]).ok();
    assert!(!said.stderr().contains("CANARY") && !shown.stdout().contains("CANARY"), "{}", said.stderr());
    assert_eq!(records(&env).len(), 1);
    let mut found = Vec::new();
    files_with(&env.home().join(".local/state"), SECRET, &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_run_does_not_fail_because_it_cannot_be_recorded() {
    let (env, _engines) = shop();
    env.write("states/web.toml", "[more.volume.present]\n");
    let state = env.home().join(".local/state/pillarbox");
    fs::create_dir_all(&state).expect("the folder");
    fs::write(state.join("runs"), "no folder").expect("written");
    env.run(&["apply", "-y"]).ok().explains("warning: this run is not recorded: ");
    assert!(env.run(&["history"]).exits(1).stderr().contains("runs/shop"));
}

#[test]
fn a_run_that_was_killed_is_cut_off_and_what_is_no_record_is_skipped() {
    let (env, _engines) = shop();
    let folder = env.home().join(".local/state/pillarbox/runs/shop");
    fs::create_dir_all(&folder).expect("the folder");
    let begin = r#"{"kind":"run","v":1,"t":"2026-11-29T14:02:11Z","run":"7c1e9a","workspace":"shop","command":"apply","by":"a\u001b[31m","from":"desk","tool":"0.1.0","hosts":2}"#;
    let body = r#"{"kind":"body","id":"b1","hosts":["web1","web2","gone"],"changes":[]}"#;
    let host = r#"{"kind":"host","t":"","host":"web1","body":"b1","end":"done","took_ms":1000}"#;
    fs::write(
        folder.join("2026-11-29T14-02-11Z-7c1e9a.jsonl"),
        format!("{begin}\n{body}\n{host}\n{{\"kind\":"),
    )
    .expect("written");
    fs::write(folder.join("2026-11-30T14-02-11Z-000000.jsonl"), "\u{0}\n").expect("written");
    let list =
        env.run(&["history"]).ok().says("7c1e9a  2026-11-29 14:02Z").says("cut off, 1 done, 2 skipped");
    assert_eq!(list.stdout().lines().count(), 2, "{}", list.stdout());
    assert!(!list.stdout().contains('\u{1b}'));
    env.run(&["history", "7c1e9a"]).ok().says("next   pillarbox apply --failed");
    env.run(&["plan", "--failed"]).ok().explains("hosts: 1 of 2: web2");
    env.run(&["history", "aaaaaa"]).exits(64).explains("no host has a service `aaaaaa`");
}

#[test]
fn old_records_go_when_a_run_begins() {
    let (env, _engines) = shop();
    env.write("states/web.toml", "[more.volume.present]\n");
    fs::write(env.home().join(".config/pillarbox/config.toml"), "[runs]\nkeep = 2\ndays = 30\n")
        .expect("written");
    let folder = env.home().join(".local/state/pillarbox/runs/shop");
    fs::create_dir_all(&folder).expect("the folder");
    for name in ["2020-01-01T00-00-00Z-000001", "2020-01-02T00-00-00Z-000002", "2999-01-01T00-00-00Z-000003"]
    {
        fs::write(folder.join(format!("{name}.jsonl")), "").expect("written");
    }
    env.run(&["apply", "-y"]).ok();
    let left: Vec<String> = records(&env).iter().map(|path| path.display().to_string()).collect();
    assert!(left.len() == 2 && left[1].contains("2999-01-01"), "{left:?}");
}
