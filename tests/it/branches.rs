//! Branches that rotate a box, clones that share what a machine knows, and rewinds: real git.

use crate::env::{Output, TestEnv};
use crate::sealing::{box_file, person};
use std::fs;
use std::path::Path;

/// A committed workspace on `main` with a sealed value, a registry and a second reader, frank.
fn committed() -> TestEnv {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "--in", "apps", "api.token"], "s3cret-CANARY").ok();
    let add = ["registry", "add", "ghcr.io", "-u", "robot", "--password-stdin"];
    env.run_with_input(&add, "t0ken-CANARY").ok();
    let (_, frank) = person(&env, "frank");
    env.run(&["reader", "add", "frank", &frank]).ok();
    git(&env, "init -q -b main .");
    commit(&env, "first");
    env
}

pub(crate) fn git(env: &TestEnv, arguments: &str) {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    env.program("git", &arguments).run().ok();
}

pub(crate) fn commit(env: &TestEnv, message: &str) {
    git(env, "add -A");
    env.program("git", &["commit", "-qm", message]).run().ok();
}

/// `rotation` without frank, one revision ahead of `main`, which is checked out again.
fn with_a_rotation() -> TestEnv {
    let env = committed();
    git(&env, "checkout -q -b rotation");
    env.run(&["reader", "remove", "frank"]).ok();
    commit(&env, "frank leaves");
    env.run(&["verify"]).ok();
    git(&env, "checkout -q main");
    env
}

fn seal(env: &TestEnv) -> Output {
    env.run_with_input(&["seal", "--in", "queue", "queue.token"], "n3w-CANARY")
}

#[test]
fn switching_between_a_branch_that_rotated_and_main_asks_once() {
    let env = with_a_rotation();
    let said = seal(&env)
        .exits(8)
        .explains("this checkout has revision 1, this machine has seen 2: an older branch, or a rewind?");
    let hints: Vec<usize> = ["git pull", "git merge", "pillarbox known accept pillar/"]
        .iter()
        .map(|hint| said.stderr().find(hint).expect("a hint"))
        .collect();
    assert!(hints.is_sorted(), "{}", said.stderr());
    env.run(&["verify"]).exits(8).explains("git pull");
    assert!(!env.workspace().join("pillar/queue.toml").exists());

    env.run(&["known", "accept", "pillar/"])
        .ok()
        .explains("may be used beside the newer one")
        .explains("warning: frank can open what is sealed to the older slot");
    env.run(&["known", "list"]).ok().says("revision 2").says("beside it  age1").says("revision 1  on main");
    for _ in 0..2 {
        env.run(&["--strict", "verify"]).ok();
        git(&env, "checkout -q rotation");
        env.run(&["--strict", "verify"]).ok();
        git(&env, "checkout -q main");
    }
    seal(&env).ok();
    fs::remove_file(env.workspace().join("pillar/queue.toml")).expect("removed");

    // A merge retires the older slot: from then on it is a rewind.
    git(&env, "merge -q --no-edit rotation");
    env.run(&["--strict", "verify"]).ok();
    env.run(&["known", "list"]).ok().lacks("beside it");
    git(&env, "reset -q --hard HEAD~1");
    seal(&env).exits(8).explains("this checkout has revision 1");
    // The branch goes on: its next rotation is followed without a question.
    git(&env, "checkout -q rotation");
    env.run(&["reader", "rekey", "--new-slot"]).ok();
    env.run(&["--strict", "verify"]).ok();
}

#[test]
fn what_an_older_version_made_of_an_accepted_branch_is_put_right_by_the_newer_lock() {
    let env = with_a_rotation();
    // `known accept` replaced the newer slot by the older one.
    let (old, new) = (box_file(&env, "").slot, {
        git(&env, "checkout -q rotation");
        box_file(&env, "").slot
    });
    let known = env.home().join(".local/state/pillarbox/known.toml");
    let text = fs::read_to_string(&known).expect("known.toml");
    let (old, new) = (old.to_string(), new.to_string());
    let text = text.replace(&old, "X").replace(&new, &old).replace('X', &new).replace("turn = 2", "turn = 1");
    fs::write(&known, text).expect("written");
    env.run(&["--strict", "verify"]).ok().explains("was changed by one of its readers");
    env.run(&["known", "list"]).ok().says("revision 2");
}

#[test]
fn two_clones_of_one_workspace_share_what_was_accepted() {
    let env = with_a_rotation();
    let clone = env.home().join("clone");
    let (from, to) = (env.workspace(), clone.to_str().expect("a path").to_owned());
    env.program("git", &["clone", "-q", from.to_str().expect("a path"), &to]).run().ok();
    let in_clone = |arguments: &[&str]| env.command(arguments).within(&clone).run();
    in_clone(&["known", "accept", "pillar/"]).ok();
    // Accepted in one, it is accepted in both; the merge in the one of them leaves the other as it was.
    env.run(&["--strict", "verify"]).ok();
    git(&env, "merge -q --no-edit rotation");
    env.run(&["--strict", "verify"]).ok();
    in_clone(&["--strict", "verify"]).ok();
    env.program("git", &["pull", "-q"]).within(&clone).run().ok();
    in_clone(&["--strict", "verify"]).ok();
    env.program("git", &["reset", "-q", "--hard", "HEAD~1"]).within(&clone).run().ok();
    in_clone(&["verify"]).exits(8).explains("an older branch, or a rewind?");
}

#[test]
fn a_rebase_over_a_rotation_needs_no_question() {
    let env = with_a_rotation();
    git(&env, "checkout -q -b work main~0");
    env.write("states/other.toml", "");
    commit(&env, "work");
    git(&env, "rebase -q rotation");
    env.run(&["--strict", "verify"]).ok();
    seal(&env).ok();
}

#[test]
fn doctor_never_proposes_to_approve_a_rollback() {
    let env = with_a_rotation();
    let said = env.run(&["--json", "doctor", "--offline"]).exits(1);
    let all = said.json()["sections"].to_string();
    assert!(all.contains("an older branch, or a rewind?") || all.contains("older here"), "{all}");
    assert!(all.contains("\"git pull\"") && !all.contains("known accept"), "{all}");
    // Nor for a slot that was swapped.
    let mallory = TestEnv::named("mallory");
    mallory.run(&["init", "--name", "shop"]).ok();
    env.write("pillar/box.toml", mallory.read("pillar/box.toml").replace("\"me\"", "\"alice\""));
    let all = env.run(&["--json", "doctor", "--offline"]).exits(1).json()["sections"].to_string();
    assert!(all.contains("git log") && !all.contains("known accept"), "{all}");
}

#[test]
fn a_rewound_box_is_warned_of_by_everything_that_reads_and_refused_with_strict() {
    let env = with_a_rotation();
    env.set_standing_workspace();
    let commands: [&[&str]; 4] = [
        &["reveal", "--in", "apps", "api.token"],
        &["compile"],
        &["plan", "--offline"],
        &["registry", "check", "ghcr.io/a/b"],
    ];
    for arguments in commands {
        let said = env.run(arguments);
        assert!(said.stderr.contains("warning: shop: the box pillar/ is older here"), "{said}");
        assert!(said.stderr.contains("this checkout has revision 1, this machine has seen 2"), "{said}");
        assert_eq!(said.stderr.matches("is older here").count(), 1, "once: {said}");
        assert_ne!(said.code, 8, "{said}");
        let mut strict = vec!["--strict"];
        strict.extend(arguments);
        env.run(&strict)
            .exits(8)
            .explains("is older here than the one that this machine knows")
            .lacks("CANARY");
    }
    // The client reads standard output alone, and it is what the protocol says.
    let said = env.helper("get", "ghcr.io").ok();
    assert_eq!(said.json()["Secret"], "t0ken-CANARY");
    said.explains("this checkout has revision 1, this machine has seen 2");
    let strict = env.helper_command("get").input("ghcr.io").var("PILLARBOX_STRICT", "1").run().exits(1);
    strict.says("is older here").lacks("CANARY");
    // Once it is accepted, it is read without a word.
    env.run(&["known", "accept", "pillar/"]).ok();
    env.run(&["--strict", "reveal", "--in", "apps", "api.token"]).ok().and_nothing_else();
    env.helper("get", "ghcr.io").ok().and_nothing_else();
}

/// Both branches change the version of one gate and the token; main is checked out, the merge stopped.
fn in_conflict() -> TestEnv {
    let env = committed();
    for (branch, secret) in [("feature", "theirs-CANARY"), ("main", "ours-CANARY")] {
        if branch == "feature" {
            git(&env, "checkout -q -b feature");
        } else {
            git(&env, "checkout -q main");
        }
        env.run_with_input(&["seal", "--in", "apps", "api.token"], secret).ok();
        commit(&env, branch);
    }
    env.program("git", &["merge", "-q", "feature"]).run().exits(1).says("CONFLICT");
    assert!(env.read("pillar/apps.toml").contains("<<<<<<< HEAD"));
    env
}

#[test]
fn a_conflict_of_git_is_called_that_by_every_command_with_the_way_out() {
    let env = in_conflict();
    env.set_standing_workspace();
    let before = env.files();
    let commands: [&[&str]; 9] = [
        &["reveal", "--in", "apps", "api.token"],
        &["get", "--in", "apps", "api.token"],
        &["set", "--in", "apps", "a.b", "1"],
        &["compile"],
        &["plan", "--offline"],
        &["verify"],
        &["reader", "list"],
        &["box", "list"],
        &["registry", "list"],
    ];
    for arguments in commands {
        env.run(arguments)
            .exits(1)
            .explains("git left a conflict here that is not resolved")
            .explains("pillar/apps.toml:")
            .explains("git checkout --ours -- ")
            .explains("git checkout --theirs -- ")
            .lacks("key with no value")
            .lacks("box new");
    }
    assert_eq!(env.files(), before, "nothing is written over a conflict");
    env.run(&["doctor", "--offline"]).exits(1).says("git left a conflict").lacks("box new");
    // Its other files are read as ever.
    env.helper("get", "ghcr.io").ok();
    env.write("pillar/registries/ghcr.io.toml", env.read("pillar/apps.toml"));
    env.helper("get", "ghcr.io").exits(1).says("git left a conflict").lacks("CANARY");
    env.write("pillar/registries/ghcr.io.toml", &before[Path::new("pillar/registries/ghcr.io.toml")]);
    // What `show` and the textconv of git show.
    env.run(&["show", "apps"]).ok().says("<<<<<<< HEAD").says("token = (sealed ").lacks("token = {");
    git(&env, "checkout --theirs -- pillar/apps.toml");
    assert_eq!(env.run(&["reveal", "--in", "apps", "api.token"]).ok().stdout(), "theirs-CANARY");
}

#[test]
fn a_conflict_in_a_box_the_inventory_a_state_or_a_key_is_called_that() {
    let env = committed();
    let conflict = |text: &str| format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n");
    for path in ["pillar/box.toml", "pillarbox.toml", "states/nginx.toml", "keys/frank.pub"] {
        let before = env.read(path);
        env.write(path, conflict(&before));
        for arguments in [&["verify"][..], &["compile"], &["reader", "rekey"]] {
            let said = env.run(arguments);
            let is_read = match path.split('/').next() {
                Some("states") => arguments[0] == "compile",
                Some("keys") => arguments[0] != "compile",
                _ => true,
            };
            assert_eq!(said.code != 0, is_read, "{path}: {said}");
            if is_read {
                said.exits(1)
                    .explains(&format!("{path}:1: git left a conflict here"))
                    .explains(&format!("git checkout --ours -- '{path}'"))
                    .lacks("box new");
            }
        }
        env.write(path, before);
    }
    let inventory = env.read("pillarbox.toml");
    env.write("pillarbox.toml", inventory.replace("states = [\"nginx\"]", "states = [\"x\"]"));
    env.write("states/x.star", conflict("x = 1\n"));
    env.run(&["compile"]).exits(1).explains("states/x.star:1: git left a conflict here");
    env.write("states/x.star", "").write("pillarbox.toml", inventory);
    // A marker that was left over.
    let text = env.read("pillar/apps.toml");
    env.write("pillar/apps.toml", text + "=======\n");
    env.run(&["verify"]).exits(1).explains("git left a conflict here").lacks("no value");
}

#[test]
fn a_box_that_cannot_be_read_lets_nothing_into_the_box_above() {
    let env = committed();
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    env.run_with_input(&["seal", "--in", "prod/apps", "api.token"], "prod-CANARY").ok();
    let text = env.read("pillar/prod/box.toml");
    env.write("pillar/prod/box.toml", format!("<<<<<<< a\n{text}=======\n{text}>>>>>>> b\n"));
    let said = env.run(&["verify"]).exits(1);
    assert_eq!(said.stderr().matches("error:").count(), 1, "{}", said.stderr());
    said.explains("pillar/prod/box.toml:1: git left a conflict here");
}
