//! Merges of branches that both changed the pillar: real git, without the merge driver and with it.

use crate::branches::{commit, git};
use crate::env::{Output, TestEnv};
use crate::sealing::{box_file, minted, own_key, person, put_box};

/// A committed workspace on `main` with a sealed value and the readers alice and frank.
fn committed() -> TestEnv {
    let env = TestEnv::initialised();
    seal(&env, "api.token", "first-CANARY");
    let (_, frank) = person(&env, "frank");
    env.run(&["reader", "add", "frank", &frank]).ok();
    git(&env, "init -q -b main .");
    commit(&env, "first");
    env
}

/// Makes `pillarbox` the merge driver of the repository.
fn with_the_driver(env: &TestEnv) {
    let driver = format!("{} merge-driver %O %A %B %P", env!("CARGO_BIN_EXE_pillarbox"));
    env.program("git", &["config", "merge.pillarbox.driver", &driver]).run().ok();
}

fn seal(env: &TestEnv, key: &str, secret: &str) {
    env.run_with_input(&["seal", "--in", "apps", key], secret).ok();
}

fn reveals(env: &TestEnv, key: &str, secret: &str) {
    assert_eq!(env.run(&["reveal", "--in", "apps", key]).ok().stdout(), secret);
}

/// On `feature` and on `main` the box is rotated, and a value of its own is posted; main is checked out.
fn both_rotated(env: &TestEnv) {
    git(env, "checkout -q -b feature");
    env.run(&["reader", "rekey", "--new-slot"]).ok();
    seal(env, "feature.token", "theirs-CANARY");
    commit(env, "feature");
    git(env, "checkout -q main");
    env.run(&["known", "accept", "pillar/"]).ok();
    env.run(&["reader", "remove", "frank"]).ok();
    seal(env, "main.token", "ours-CANARY");
    commit(env, "main");
}

fn merge(env: &TestEnv, branch: &str) -> Output {
    env.program("git", &["merge", "-q", "--no-edit", branch]).run()
}

/// Everything opens, nothing is left of a conflict, and frank is gone.
fn is_joined(env: &TestEnv) {
    is_joined_without_commit(env);
    commit(env, "merged");
}

fn is_joined_without_commit(env: &TestEnv) {
    for (key, secret) in
        [("api.token", "first-CANARY"), ("feature.token", "theirs-CANARY"), ("main.token", "ours-CANARY")]
    {
        reveals(env, key, secret);
    }
    env.run(&["--strict", "verify", "--require-open"]).ok().explains("3 opened");
    assert!(!env.read("pillar/apps.toml").contains("<<<<<<<"));
    assert!(box_file(env, "").readers.iter().all(|name| name.as_str() == "alice"));
}

#[test]
fn two_branches_that_rotated_one_box_are_joined_without_the_driver_and_with_it() {
    for driver in [false, true] {
        let env = committed();
        if driver {
            with_the_driver(&env);
        }
        both_rotated(&env);
        let said =
            merge(&env, "feature").exits(1).says("CONFLICT (content): Merge conflict in pillar/box.toml");
        assert_eq!(said.stdout().contains("conflict in pillar/apps.toml"), !driver, "{}", said.stdout());
        env.run(&["verify"])
            .exits(1)
            .explains("pillar/box.toml:")
            .explains("pillarbox reader rekey --also MERGE_HEAD");
        let said = env.run(&["reader", "rekey", "--also", "MERGE_HEAD"]);
        // Frank left on this branch: no key is new, so nothing has to be accepted.
        said.ok()
            .explains("has one lock for both branches; its readers are alice")
            .explains("removed readers could read")
            .lacks("CANARY");
        is_joined(&env);
        // A machine that knows the one branch, and one that knows the other, follow without a question.
        for branch in ["main~1", "feature"] {
            let state = env.home().join(format!("state-{}", branch.replace('~', "")));
            let on = |arguments: &[&str]| env.command(arguments).var("XDG_STATE_HOME", &state).run();
            git(&env, &format!("checkout -q {branch}"));
            on(&["verify"]).ok();
            git(&env, "checkout -q main");
            on(&["--strict", "verify"]).ok().explains("was changed by one of its readers");
        }
    }
}

#[test]
fn a_merge_that_was_committed_with_one_of_the_locks_is_put_right() {
    for side in ["--ours", "--theirs"] {
        let env = committed();
        with_the_driver(&env);
        both_rotated(&env);
        merge(&env, "feature").exits(1).says("CONFLICT");
        git(&env, &format!("checkout {side} -- pillar/box.toml"));
        commit(&env, "the wrong way");
        if side == "--theirs" {
            env.run(&["known", "accept", "pillar/"]).ok();
        }
        env.run(&["verify"]).exits(8);
        let other = if side == "--ours" { "feature" } else { "HEAD~1" };
        env.run(&["reader", "rekey", "--also", other]).ok();
        for (key, secret) in [("feature.token", "theirs-CANARY"), ("main.token", "ours-CANARY")] {
            reveals(&env, key, secret);
        }
        env.run(&["--strict", "verify", "--require-open"]).ok();
    }
}

fn fingerprint(said: &str) -> String {
    let hint = said.split("--accept-readers ").nth(1).expect("a hint with a fingerprint");
    hint.split_whitespace().next().expect("a fingerprint").to_owned()
}

#[test]
fn a_reader_whom_a_merge_lost_is_named_with_the_command() {
    let env = committed();
    let ((carols, carol), (_, bob)) = (person(&env, "carol"), person(&env, "bob"));
    git(&env, "checkout -q -b feature");
    env.run(&["reader", "add", "carol", &carol]).ok();
    commit(&env, "carol joins");
    git(&env, "checkout -q main");
    env.run(&["reader", "add", "bob", &bob]).ok();
    commit(&env, "bob joins");
    merge(&env, "feature").exits(1).says("CONFLICT");
    git(&env, "checkout --ours -- pillar/box.toml");
    for arguments in [&["verify"][..], &["reader", "rekey"]] {
        env.run(arguments)
            .ok()
            .explains("warning: keys/carol.pub reads no box; if it should: pillarbox reader add carol");
    }
    env.run(&["doctor", "--offline"]).ok().says("keys/carol.pub reads no box");
    // Both at once, whatever became of the conflict.
    git(&env, "checkout --merge -- pillar/box.toml");
    let asked = env.run(&["reader", "rekey", "--also", "MERGE_HEAD"]).exits(9).explains("+ carol  age1");
    let accept = fingerprint(asked.stderr());
    env.run(&["reader", "rekey", "--also", "MERGE_HEAD", "--accept-readers", &accept]).ok();
    commit(&env, "merged");
    env.run(&["--strict", "verify"]).ok().lacks("reads no box").lacks("new slot");
    let by_carol =
        env.command(&["--identity", carols.to_str().expect("a path"), "reveal", "--in", "apps", "api.token"]);
    assert_eq!(
        by_carol.var("XDG_CONFIG_HOME", env.home().join("nothing")).run().ok().stdout(),
        "first-CANARY"
    );
}

#[test]
fn a_lock_that_a_removed_reader_made_does_not_bring_them_back() {
    let env = committed();
    let (franks, frank) = person(&env, "frank2");
    env.run(&["reader", "add", "frank2", &frank]).ok();
    commit(&env, "frank2 joins");
    // On a machine of his own he makes a lock after he left.
    git(&env, "checkout -q -b franks");
    let frank = ["--identity", franks.to_str().expect("a path")];
    let as_frank = |arguments: &[&str]| {
        let all: Vec<&str> = frank.iter().chain(arguments).copied().collect();
        let run = env.command(&all).var("XDG_CONFIG_HOME", env.home().join("nothing"));
        run.var("XDG_STATE_HOME", env.home().join("franks-state")).run()
    };
    as_frank(&["reader", "rekey", "--new-slot"]).ok();
    commit(&env, "mine");
    git(&env, "checkout -q main");
    env.run(&["reader", "remove", "frank2"]).ok();
    commit(&env, "frank2 leaves");
    git(&env, "checkout -q franks");
    env.run(&["verify"]).exits(8).explains("does not hold the known slot's key");
    git(&env, "checkout -q main");
    env.run(&["reader", "rekey", "--also", "franks"]).ok().explains("removed readers could read");
    assert!(box_file(&env, "").readers.iter().all(|name| name.as_str() != "frank2"));
    as_frank(&["reveal", "--in", "apps", "api.token"]).exits(10);

    // A box that was made from nothing is not joined at all.
    commit(&env, "joined");
    git(&env, "checkout -q -b minted");
    let minted = minted("shop", "", &[("alice", &own_key(&env))]);
    put_box(&env, "", &minted);
    commit(&env, "minted");
    git(&env, "checkout -q main");
    let before = env.files();
    env.run(&["reader", "rekey", "--also", "minted"]).exits(8).explains("is another box");
    assert_eq!(env.files(), before);
}

#[test]
fn the_driver_merges_by_key_and_stops_where_both_changed_one_value() {
    let env = committed();
    with_the_driver(&env);
    env.write("pillar/apps.toml", "# Of both.\n[web]\nport = 80\nhost = \"a\"\nold = 1\n");
    seal(&env, "api.token", "first-CANARY");
    commit(&env, "before");
    git(&env, "checkout -q -b feature");
    env.write(
        "pillar/apps.toml",
        env.read("pillar/apps.toml")
            .replace("port = 80", "port = 81")
            .replace("old = 1\n", "# Why it is new.\nnew = 1\n"),
    );
    seal(&env, "worker.token", "theirs-CANARY");
    commit(&env, "feature");
    git(&env, "checkout -q main");
    env.write(
        "pillar/apps.toml",
        env.read("pillar/apps.toml").replace("host = \"a\"", "host = \"b\"\nextra = 2 # ours"),
    );
    seal(&env, "cron.token", "ours-CANARY");
    commit(&env, "main");
    merge(&env, "feature").ok();
    let text = env.read("pillar/apps.toml");
    for part in ["# Of both.", "port = 81", "host = \"b\"", "extra = 2 # ours", "# Why it is new.\nnew = 1"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("old = 1"), "{text}");
    env.run(&["--strict", "verify", "--require-open"]).ok().explains("3 opened");

    // One value on both sides.
    git(&env, "checkout -q -b left");
    seal(&env, "api.token", "left-CANARY");
    env.run(&["set", "--in", "apps", "web.port", "1"]).ok();
    commit(&env, "left");
    git(&env, "checkout -q main");
    seal(&env, "api.token", "right-CANARY");
    env.run(&["set", "--in", "apps", "web.new", "5"]).ok();
    commit(&env, "right");
    let said = merge(&env, "left").exits(1).says("CONFLICT");
    said.explains("pillar/apps.toml: both branches changed api.token").lacks("CANARY");
    let text = env.read("pillar/apps.toml");
    assert!(text.contains("port = 1\n") && text.contains("new = 5\n"), "{text}");
    let at = text.find("<<<<<<< ours\ntoken = { sealed").expect("the value of ours");
    let end = text.find(">>>>>>> theirs\n").expect("the end of theirs");
    assert_eq!(text[at..end].matches("token = { sealed").count(), 2, "{text}");
    env.run(&["verify"]).exits(1).explains("`ours` and `theirs` changed the same lines");
    env.run(&["show", "apps"]).ok().says("<<<<<<< ours\ntoken = (sealed ");
    git(&env, "checkout --theirs -- pillar/apps.toml");
    git(&env, "checkout --merge -- pillar/apps.toml");
    assert!(env.read("pillar/apps.toml").contains("<<<<<<< "), "the driver is asked again");
}

#[test]
fn a_rebase_over_a_branch_that_rotated_keeps_the_new_value_and_says_that_it_is_late() {
    let env = committed();
    with_the_driver(&env);
    git(&env, "checkout -q -b work");
    seal(&env, "work.token", "late-CANARY");
    commit(&env, "work");
    git(&env, "checkout -q main");
    env.run(&["reader", "remove", "frank"]).ok();
    commit(&env, "frank leaves");
    git(&env, "checkout -q work");
    git(&env, "rebase -q main");
    env.run(&["verify"]).exits(1).explains("work.token").explains("slot that has retired");
    env.run(&["reader", "rekey"]).ok().explains("work.token").lacks("CANARY");
    env.run(&["--strict", "verify", "--require-open"]).ok();
    reveals(&env, "work.token", "late-CANARY");
}

#[test]
fn the_driver_leaves_both_sides_where_a_file_is_no_pillar() {
    let env = TestEnv::new();
    for (name, text) in [("o", "a = 1\n"), ("a", "a = \n"), ("b", "a = 3\n")] {
        env.write(name, text);
    }
    env.run(&["merge-driver", "o", "a", "b", "pillar/x y.toml"]).exits(1).explains("pillar/x y.toml");
    assert_eq!(env.read("a"), "<<<<<<< ours\na = \n=======\na = 3\n>>>>>>> theirs\n");
    env.write("a", "a = 2\n");
    env.run(&["merge-driver", "o", "a", "b", "pillar/x.toml"]).exits(1).explains("both branches changed a");
    env.write("a", "b = 2\na = 1\n");
    env.run(&["merge-driver", "o", "a", "b", "pillar/x.toml"]).ok().and_nothing_else();
    assert_eq!(env.read("a"), "b = 2\na = 3\n");
}

#[test]
fn two_rotations_are_joined_in_a_rebase_too() {
    let env = committed();
    both_rotated(&env);
    git(&env, "checkout -q feature");
    let said = env.program("git", &["rebase", "-q", "main"]).run().exits(1);
    assert!(said.stdout().contains("CONFLICT"), "{}", said.stdout());
    env.run(&["reader", "rekey", "--also", "REBASE_HEAD"]).ok();
    git(&env, "add -A");
    env.program("git", &["rebase", "--continue"]).var("GIT_EDITOR", "true").run().ok();
    is_joined_without_commit(&env);
}
