//! Who left, what they could read, and who could read what: from real git.

use crate::env::{Output, TestEnv};
use crate::sealing::{box_file, opens, person, post, post_to, sealed};
use crate::terminal::typed;
use std::fs;

fn git(env: &TestEnv, arguments: &[&str]) -> String {
    let output = env.program("git", arguments).run();
    assert_eq!(output.code, 0, "git {arguments:?}: {}", output.stderr);
    output.stdout.trim().to_owned()
}

/// Commits everything, at noon of a day of 2026.
fn commit(env: &TestEnv, day: &str, message: &str) -> String {
    git(env, &["add", "-A"]);
    let date = format!("2026-{day}T12:00:00Z");
    env.program("git", &["commit", "-q", "--allow-empty", "-m", message])
        .var("GIT_AUTHOR_DATE", &date)
        .var("GIT_COMMITTER_DATE", &date)
        .run()
        .ok();
    git(env, &["rev-parse", "HEAD"])
}

fn seal(env: &TestEnv, file: &str, key: &str, secret: &str) {
    env.run_with_input(&["seal", "--in", file, key], secret).ok();
}

/// A workspace of alice and bob, in which much happened before bob leaves.
fn lived_in() -> TestEnv {
    let env = TestEnv::initialised();
    git(&env, &["init", "-q", "-b", "main", "."]);
    let (_, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    env.write(
        "states/nginx.toml",
        "[api.container.installed]\nimage = \"api:1\"\nenv.TOKEN = \"{{ pillar.api.token }}\"\n",
    );
    seal(&env, "apps", "api.token", "CANARY-token");
    seal(&env, "apps", "api.moved", "CANARY-moved");
    seal(&env, "apps", "api.unset", "CANARY-unset");
    seal(&env, "apps", "api.old", "CANARY-old");
    seal(&env, "gone", "all.of_it", "CANARY-file");
    env.run_with_input(&["registry", "add", "ghcr.io", "-u", "robot", "--password-stdin"], "CANARY-registry")
        .ok();
    commit(&env, "01-10", "first");
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    seal(&env, "prod/apps", "api.never", "CANARY-never");
    env.run(&["move", "--in", "apps", "--to-in", "prod/apps", "api.moved", "api.moved"])
        .ok()
        .explains("could read what was moved, also in older commits: bob;")
        .explains("pillarbox reader leavers bob")
        .lacks("CANARY");
    commit(&env, "02-10", "a box of its own for production");
    env.run(&["unset", "api.unset"]).ok();
    seal(&env, "apps", "api.old", "CANARY-new");
    fs::remove_file(env.workspace().join("pillar/gone.toml")).expect("removed");
    commit(&env, "03-10", "clean up");
    env
}

fn places(list: &serde_json::Value) -> Vec<String> {
    let all = list.as_array().expect("a list").iter();
    all.map(|one| {
        format!("{}:{}", one["file"].as_str().expect("a file"), one["key"].as_str().expect("a key"))
    })
    .collect()
}

fn leaver(env: &TestEnv) -> serde_json::Value {
    env.run(&["--json", "reader", "leavers", "bob"]).ok().json()["leavers"][0].clone()
}

#[test]
fn who_leaves_is_told_with_everything_they_could_ever_open() {
    let env = lived_in();
    let said = env.run(&["reader", "remove", "bob", "--to", "bob.txt"]).ok();
    said.explains("api.token in pillar/apps.toml  on local (container api)")
        .explains("api.moved in pillar/prod/apps.toml")
        .explains("registries.\"ghcr.io\".password in pillar/registries/ghcr.io.toml  (registry ghcr.io, user robot)")
        .explains("until it was taken out of the pillar; revoke these")
        .explains("api.unset in pillar/apps.toml  gone 2026-03-10 (commit ")
        .explains("all.of_it in pillar/gone.toml  gone 2026-03-10 (commit ")
        .explains("1 more that were readable were replaced")
        .explains("pillarbox reader leavers bob")
        .lacks("api.never")
        .lacks("CANARY");
    let list = env.read("bob.txt");
    for place in [
        "api.token",
        "api.moved",
        "api.unset",
        "all.of_it",
        "api.old in pillar/apps.toml  replaced 2026-03-10",
    ] {
        assert!(list.contains(place), "{place}: {list}");
    }
    assert!(!list.contains("CANARY") && !list.contains("api.never"));
    assert_eq!(crate::env::mode(&env.workspace().join("bob.txt")), 0o600);
    fs::remove_file(env.workspace().join("bob.txt")).expect("removed");
    // Not committed yet, and known all the same.
    env.run(&["reader", "leavers"]).ok().says("left pillar/ now, not committed yet").says(
        "  4 to change, 0 gone from the pillar since and 0 replaced since; 3 were no longer in use before",
    );
}

#[test]
fn what_was_changed_since_is_told_from_git() {
    let env = lived_in();
    env.run(&["reader", "leavers"]).ok().explains("each secret of one of them").says("1 to change");
    env.run(&["reader", "remove", "bob"]).ok();
    let left = commit(&env, "04-01", "bob leaves");
    seal(&env, "apps", "api.token", "CANARY-rotated");
    env.run(&["registry", "remove", "ghcr.io"]).ok();
    let rotated = commit(&env, "04-02", "rotate");
    let bob = leaver(&env);
    assert_eq!(bob["left"][0]["commit"], left);
    assert_eq!(places(&bob["rotate"]), ["apps.toml:api.old", "prod/apps.toml:api.moved"]);
    assert_eq!(places(&bob["replaced"]), ["apps.toml:api.token"]);
    assert_eq!(bob["replaced"][0]["since"]["commit"], rotated);
    assert_eq!(places(&bob["revoke"]), ["registries/ghcr.io.toml:registries.\"ghcr.io\".password"]);
    assert_eq!(bob["before"].as_array().expect("a list").len(), 3);
    let said = env.run(&["reader", "leavers", "bob"]).ok();
    said.says("left pillar/ 2026-04-01")
        .says("change these where they are valid")
        .lacks("CANARY")
        .lacks("api.never");
    env.run(&["reader", "leavers", "alice"]).exits(1).explains("alice has left no box");
    env.run(&["reader", "leavers", "bbo"]).exits(1).explains("was never a reader");
    // A fresh clone says the same: nothing of it lies on this machine.
    let clone = env.home().join("clone");
    git(&env, &["clone", "-q", ".", clone.to_str().expect("a path")]);
    let again =
        env.command(&["--json", "--no-identity", "reader", "leavers", "bob"]).within(&clone).run().ok();
    assert_eq!(again.json()["leavers"][0]["rotate"], bob["rotate"]);
}

#[test]
fn without_git_it_is_said_what_cannot_be_known() {
    let env = TestEnv::initialised();
    let (_, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    for number in 0..25 {
        post(&env, "apps.toml", &format!("k{number}"), "CANARY");
    }
    env.run(&["reader", "leavers"])
        .exits(1)
        .explains("there is no git repository")
        .explains("from git alone");
    let said = env.run(&["reader", "remove", "bob"]).ok();
    said.explains("there is no git repository")
        .explains("is not known, and not listed")
        .explains("  k24 in pillar/apps.toml");
    // The list cannot be made again, so all of it is there.
    let output = env.run(&["who-can-read", "k24"]).ok().explains("there is no git to ask");
    output.says("by the box pillar/, as its lock says").says("    alice  age1");
    env.run(&["who-can-read", "k24", "--at", "2026-01-01"]).exits(1).explains("there is no git repository");
}

#[test]
fn a_shallow_clone_says_that_it_does_not_know_everything() {
    let env = lived_in();
    env.run(&["reader", "remove", "bob"]).ok();
    commit(&env, "04-01", "bob leaves");
    let clone = env.home().join("clone");
    let url = format!("file://{}", env.workspace().display());
    git(&env, &["clone", "-q", "--depth", "1", &url, clone.to_str().expect("a path")]);
    for arguments in [&["reader", "leavers"][..], &["who-can-read", "api.token"]] {
        env.command(arguments).within(&clone).run().ok().explains("git fetch --unshallow");
    }
}

#[test]
fn who_can_read_a_secret_is_told_now_and_for_any_time() {
    let env = lived_in();
    let first = git(&env, &["rev-list", "--max-parents=0", "HEAD"]);
    let (_, carol) = person(&env, "carol");
    env.run(&["reader", "add", "carol", &carol]).ok();
    commit(&env, "04-01", "carol joins");
    env.run(&["reader", "remove", "bob"]).ok();
    let left = commit(&env, "05-01", "bob leaves");
    let data = |arguments: &[&str]| {
        let all = [&["--json", "who-can-read"], arguments].concat();
        env.run(&all).ok().json()["secrets"][0].clone()
    };
    let names = |list: &serde_json::Value| -> Vec<String> {
        let all = list.as_array().expect("a list").iter();
        all.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    let now = data(&["api.token"]);
    assert_eq!(names(&now["readers"]), ["alice", "carol"]);
    assert_eq!(
        (names(&now["former"]), &now["former"][0]["until"]["commit"]),
        (vec!["bob".to_owned()], &left.into())
    );
    assert_eq!((&now["box"], &now["by_lock"]), (&"pillar/".into(), &true.into()));
    assert_eq!(now["readers"][0]["since"]["commit"], first);
    assert_eq!(now["readers"][1]["key"], carol);
    // As of a day: carol joined on the first of April.
    assert_eq!(names(&data(&["api.token", "--at", "2026-03-31"])["readers"]), ["alice", "bob"]);
    assert_eq!(names(&data(&["api.token", "--at", "2026-04-01"])["readers"]), ["alice", "bob", "carol"]);
    assert_eq!(names(&data(&["api.token", "--at", "2026-04-01T11:59:59Z"])["readers"]), ["alice", "bob"]);
    // As of a commit, for what is no longer there.
    let unset = data(&["api.unset", "--at", &first]);
    assert_eq!(
        (names(&unset["readers"]), names(&unset["former"])),
        (vec!["alice".into(), "bob".into()], vec![])
    );
    env.run(&["who-can-read", "api.unset"]).exits(1).explains("--at 2026-03-31");
    env.run(&["who-can-read", "api.token", "--at", "2025-01-01"])
        .exits(1)
        .explains("there is no commit of 2025-01-01");
    env.run(&["who-can-read", "api.token", "--at", "yesterday"]).exits(1).explains("is not a revision");
    // What moved to another box is still known to those of the old one, and carol's lock opens older commits.
    // Without a key as well.
    let moved = data(&["--no-identity", "api.moved"]);
    assert_eq!(
        (names(&moved["readers"]), names(&moved["former"])),
        (vec!["alice".into()], vec!["bob".into(), "carol".into()])
    );
    assert_eq!((&moved["box"], &moved["by_lock"]), (&"pillar/prod/".into(), &false.into()));
    let said = env
        .run(&["who-can-read", "api"])
        .ok()
        .says("api.token in pillar/apps.toml")
        .says("  since 2026-01-10");
    said.says("api.never in pillar/prod/apps.toml").says("until 2026-05-01").lacks("CANARY");
}

#[test]
fn a_branch_that_posted_to_the_old_slot_counts_after_its_merge() {
    let env = lived_in();
    let slot = box_file(&env, "").slot;
    git(&env, &["checkout", "-q", "-b", "late"]);
    let late = post_to(&env, &slot, "late.toml", "late.token", "CANARY-late");
    commit(&env, "03-20", "late");
    git(&env, &["checkout", "-q", "main"]);
    env.run(&["reader", "remove", "bob"]).ok();
    commit(&env, "04-01", "bob leaves");
    git(&env, &["merge", "-q", "--no-edit", "late"]);
    env.run(&["reader", "rekey"]).ok().explains("late.token in pillar/late.toml").lacks("CANARY");
    commit(&env, "04-03", "rekey");
    assert_eq!(sealed(&env, "late.toml", "late.token").id, late.id);
    assert!(places(&leaver(&env)["rotate"]).contains(&"late.toml:late.token".to_owned()));
}

#[test]
fn a_reader_of_one_box_less_is_told_of_that_box_alone() {
    let env = TestEnv::initialised();
    git(&env, &["init", "-q", "-b", "main", "."]);
    let (_, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    env.run(&["box", "new", "prod", "--readers", "alice,bob"]).ok();
    seal(&env, "apps", "api.token", "CANARY");
    seal(&env, "prod/apps", "api.token", "CANARY");
    commit(&env, "01-10", "first");
    env.run(&["reader", "remove", "bob", "--box", "prod"])
        .ok()
        .explains("api.token in pillar/prod/apps.toml")
        .lacks("api.token in pillar/apps.toml");
    commit(&env, "02-10", "bob leaves production");
    assert_eq!(places(&leaver(&env)["rotate"]), ["prod/apps.toml:api.token"]);
}

#[test]
fn many_boxes_and_values_are_summed_up_with_a_bar_on_a_terminal() {
    let mut env = TestEnv::initialised();
    env.set_var("TERM", "xterm");
    git(&env, &["init", "-q", "-b", "main", "."]);
    let (bob, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    for number in 0..12 {
        env.run(&["box", "new", &format!("b{number}"), "--readers", "alice,bob"]).ok();
        let slot = box_file(&env, &format!("b{number}")).slot;
        for value in 0..20 {
            post_to(&env, &slot, &format!("b{number}/apps.toml"), &format!("k{value}"), "CANARY");
        }
    }
    commit(&env, "01-10", "first");
    let (code, shown) = typed(&env, "reader remove bob", &[]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("of 240 values sealed again"), "{shown}");
    let count = |text: &str| shown.matches(text).count();
    assert!(
        shown.contains("bob cannot open 13 boxes any more")
            && shown.contains("pillar/b7/: 20 secrets in 1 file")
    );
    assert!(shown.contains("in all 240 secrets") && count("in pillar/b7/apps.toml") == 0, "{shown}");
    assert_eq!(opens(&env, &env.identity(), "b7", "b7/apps.toml", "k7"), "CANARY");
    let data = env.run(&["--json", "reader", "leavers", "bob"]).ok().json();
    assert_eq!(data["leavers"][0]["rotate"].as_array().expect("a list").len(), 240);
    fs::remove_file(env.identity()).expect("alice is away");
    let bob = bob.to_str().expect("a path");
    let closed: Output = env.run(&["--identity", bob, "--strict", "verify", "--require-open"]);
    assert_eq!(closed.code, 10, "{}", closed.stderr);
}
