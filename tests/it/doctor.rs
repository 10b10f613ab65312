//! `doctor`: one finding a line, and for each that is not well one command that helps.

use crate::env::TestEnv;
use crate::helper_wiring::{program, with_registries};
use crate::sealing::{own_key, person, post};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Findings of a state as `section: what`.
fn findings(env: &TestEnv, code: i32, state: &str) -> Vec<String> {
    let json = env.run(&["--json", "doctor", "--offline"]).exits(code).json();
    let mut found = Vec::new();
    for section in json["sections"].as_array().expect("sections") {
        for finding in section["findings"].as_array().expect("findings") {
            assert!(finding["state"] == "ok" || finding["fix"].is_string(), "no fix: {finding}");
            if finding["state"] == state {
                found.push(format!(
                    "{}: {}",
                    section["section"].as_str().expect("a title"),
                    finding["what"].as_str().expect("a text")
                ));
            }
        }
    }
    found
}

/// Runs the fix of the one problem that there is.
fn fix(env: &TestEnv) {
    let json = env.run(&["--json", "doctor", "--offline"]).exits(1).json();
    // One cause may be seen in two sections: what is fixed at last is that all is well.
    assert!(json["problems"].as_u64() >= Some(1), "{json:#}");
    let all = json["sections"].as_array().expect("sections");
    let fix = all
        .iter()
        .flat_map(|section| section["findings"].as_array().expect("findings"))
        .find(|finding| finding["state"] == "problem")
        .and_then(|finding| finding["fix"].as_str())
        .expect("a fix");
    env.program("sh", &["-c", fix]).run().ok();
    env.run(&["doctor", "--offline"]).ok();
}

fn with_binaries() -> TestEnv {
    let mut env = TestEnv::initialised();
    env.path_first(Path::new(env!("CARGO_BIN_EXE_pillarbox")).parent().expect("a folder"));
    env
}

#[test]
fn a_new_workspace_is_well_but_for_its_one_reader() {
    let env = with_binaries();
    let known = env.home().join(".local/state/pillarbox/known.toml");
    let before = (env.files(), fs::read(&known).expect("known"));
    env.run(&["doctor", "--offline"])
        .ok()
        .says(&own_key(&env))
        .says("  ok       pillar/ opens here; readers: alice")
        .says("pillar/ has one reader, alice")
        .says("fix: pillarbox reader add recovery --box pillar/")
        .explains("0 problems")
        .lacks("AGE-SECRET-KEY");
    assert!((env.files(), fs::read(&known).expect("known")) == before, "it only looks");
    let notes = findings(&env, 0, "note");
    assert_eq!(notes.len(), 2, "{notes:?}");
    // The fix works as it is printed.
    let json = env.run(&["--json", "doctor", "--offline"]).ok().json();
    let section =
        json["sections"].as_array().expect("sections").iter().find(|section| section["section"] == "boxes");
    let fix = section.expect("boxes")["findings"][1]["fix"].as_str().expect("a fix").to_owned();
    env.program("sh", &["-c", &fix]).run().ok();
    let recovery = env.home().join("pillarbox-recovery.txt");
    env.run(&["--identity", recovery.to_str().expect("a path"), "verify", "--require-open"]).ok();
    assert!(!findings(&env, 0, "note").iter().any(|note| note.contains("one reader")));
}

#[test]
fn files_that_others_may_read_are_closed_by_the_fix() {
    let env = with_binaries();
    fs::set_permissions(env.identity(), fs::Permissions::from_mode(0o644)).expect("its mode");
    let problems = findings(&env, 1, "problem");
    assert!(problems[0].starts_with("identity: others may read the identity"), "{problems:?}");
    fix(&env);
    let known = env.home().join(".local/state/pillarbox/known.toml");
    fs::set_permissions(&known, fs::Permissions::from_mode(0o666)).expect("its mode");
    assert!(findings(&env, 1, "problem")[0].contains("known.toml (mode 0666)"));
    fix(&env);
}

#[test]
fn without_a_workspace_what_is_personal_is_looked_at_and_a_broken_one_is_said() {
    let env = with_binaries();
    let elsewhere = env.home();
    env.command(&["doctor"]).within(&elsewhere).run().ok().says("there is none here").says("identity");
    env.command(&["-C", "nowhere", "doctor"]).within(&elsewhere).run().exits(1).says("problem");
    post(&env, "apps.toml", "api.db_password", "CANARY-secret");
    env.write("pillar/broken.toml", "x = = 1\n");
    env.write("keys/bob.pub", "nonsense\n");
    env.run(&["doctor", "--offline"])
        .exits(1)
        .says("pillar/broken.toml:1")
        .says("keys/bob.pub:1")
        .says("pillar/ opens here")
        .lacks("CANARY");
    env.write("pillarbox.toml", "workspace = \n");
    env.run(&["doctor"]).exits(1).says("pillarbox.toml:1");
    env.write(
        "pillarbox.toml",
        "workspace = \"shop\"\n[hosts.web1]\nengine = \"unix:///nowhere/docker.sock\"\n",
    );
    fs::remove_file(env.workspace().join("pillar/broken.toml")).expect("removed");
    fs::remove_file(env.workspace().join("keys/bob.pub")).expect("removed");
    env.run(&["doctor"])
        .exits(1)
        .says("host web1: its Engine at unix:///nowhere/docker.sock does not answer");
    env.run(&["doctor", "--offline"]).ok().says("not asked (--offline): 1 host");
}

#[test]
fn boxes_that_do_not_open_or_hold_and_keys_that_wait_are_found() {
    let env = with_binaries();
    env.run(&["--no-identity", "doctor", "--offline"]).exits(1).says("fix: pillarbox identity new");
    let (bob, key) = person(&env, "bob");
    env.run(&["--identity", bob.to_str().expect("a path"), "doctor", "--offline"])
        .ok()
        .says("pillar/ opens here");
    env.write("keys/alice.pub", format!("{key}\n"));
    let problems = findings(&env, 1, "problem");
    assert!(problems[0].contains("keys/ differ for alice"), "{problems:?}");
    let minted = crate::sealing::minted("shop", "", &[("alice", &own_key(&env))]);
    crate::sealing::put_box(&env, "", &minted);
    env.run(&["doctor", "--offline"]).exits(1).says("git log -- pillar/box.toml").lacks("known accept");
}

#[test]
fn the_wiring_of_the_helper_is_looked_at_from_both_ends() {
    let mut env = with_registries(&["ghcr.io", "quay.io"]);
    let notes = findings(&env, 0, "note");
    assert!(notes.iter().any(|note| note.contains("neither docker nor podman asks pillarbox")), "{notes:?}");
    env.run(&["registry", "helper", "install"]).ok();
    let problems = findings(&env, 1, "problem");
    assert!(problems[0].contains("docker-credential-pillarbox is not in PATH"), "{problems:?}");
    program(
        &mut env,
        "docker-credential-pillarbox",
        "#!/bin/sh\necho 'docker-credential-pillarbox (pillarbox) 0.0.1'\n",
    );
    assert!(findings(&env, 1, "problem")[0].contains("of another version"));
    program(&mut env, "docker-credential-pillarbox", "#!/bin/sh\nsleep 60\n");
    assert!(findings(&env, 1, "problem")[0].contains("does not say which"));
    env.path_first(Path::new(env!("CARGO_BIN_EXE_pillarbox")).parent().expect("a folder"));
    env.run(&["doctor", "--offline"])
        .ok()
        .says("~/.docker/config.json: asks pillarbox about 2 registries")
        .says("the helper answers from ");
    // A registry that came later, a password in clear, another workspace.
    env.run_with_input(&["registry", "add", "late.io", "-u", "bot", "--password-stdin"], "CANARY-pw").ok();
    assert!(
        findings(&env, 0, "note").iter().any(|note| note.contains("does not ask pillarbox about late.io"))
    );
    env.run(&["registry", "helper", "install"]).ok();
    let docker = env.home().join(".docker/config.json");
    let text = fs::read_to_string(&docker).expect("a file");
    fs::write(
        &docker,
        text.replacen('{', "{\"auths\": {\"ghcr.io\": {\"auth\": \"Ym90OkNBTkFSWS1wdw==\"}},", 1),
    )
    .expect("written");
    env.run(&["doctor", "--offline"])
        .exits(1)
        .says("credentials in clear of registries that the pillar has: ghcr.io")
        .lacks("CANARY")
        .lacks("Ym90");
    let import =
        format!("pillarbox registry import '{}' --only 'ghcr.io' --remove-from-source", docker.display());
    env.run(&["doctor", "--offline"]).exits(1).says(&import);
    env.program("sh", &["-c", &format!("{import} -y")]).run().ok();
    env.run(&["doctor", "--offline"]).ok();
    fs::write(env.home().join(".config/pillarbox/config.toml"), "workspace = \"/nowhere\"\n")
        .expect("written");
    fix_with(&env, "pillarbox registry helper install --replace");
    fs::write(&docker, "{ broken").expect("written");
    env.run(&["doctor", "--offline"]).exits(1).says("~/.docker/config.json:1: this is not JSON");
}

fn fix_with(env: &TestEnv, expected: &str) {
    env.run(&["doctor", "--offline"]).exits(1).says(&format!("fix: {expected}"));
    fix(env);
}

#[test]
fn a_key_that_others_may_read_is_mended_and_not_replaced_by_another() {
    let env = with_binaries();
    fs::set_permissions(env.identity(), fs::Permissions::from_mode(0o644)).expect("changed");
    env.run(&["doctor", "--offline"]).exits(1).says("its mode is 0644").lacks("identity new\n");
    fix(&env);
}
