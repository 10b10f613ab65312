//! `verify` of sound workspaces, and what it says of a change.

use crate::env::TestEnv;
use crate::sealing::{person, post, sealed};

fn committed() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("pillar/registries/ghcr.io.toml", "[registries.\"ghcr.io\"]\nusername = \"robot\"\n");
    post(&env, "registries/ghcr.io.toml", "registries.\"ghcr.io\".password", "t0ken");
    post(&env, "apps.toml", "api.db_password", "s3cret");
    env.program("git", &["init", "-q", "."]).run().ok();
    env.program("git", &["add", "-A"]).run().ok();
    env.program("git", &["commit", "-qm", "first"]).run().ok();
    env
}

#[test]
fn what_no_identity_opens_is_counted_and_said() {
    let env = committed();
    env.run(&["verify"])
        .ok()
        .explains("2 sealed values in 1 box: 2 opened")
        .explains("has one reader, alice");
    let said = env.run(&["--no-identity", "verify"]).ok();
    assert!(said.stderr().contains("pillar/ does not open here: 2 sealed values checked in form alone"));
    env.run(&["--no-identity", "verify", "--require-open"]).exits(10);
    let data = env.run(&["--json", "--no-identity", "verify"]).ok().json();
    assert_eq!(
        (&data["values"], &data["opened"], &data["closed"]["pillar/"]),
        (&2.into(), &0.into(), &2.into())
    );
}

#[test]
fn a_private_key_in_the_folder_is_found_wherever_it_lies() {
    let env = committed();
    let key = std::fs::read_to_string(env.identity()).expect("the identity");
    env.write("notes/backup.md", format!("Text.\n\n{key}"));
    let said = env.run(&["verify"]).exits(8).explains("notes/backup.md:4: a private key is in the workspace");
    let secret = key.lines().nth(1).expect("the key");
    assert!(!said.stderr().contains(secret));
}

#[test]
fn nothing_differs_from_the_commit_that_stands() {
    let env = committed();
    let said =
        env.run(&["verify", "--against", "HEAD"]).ok().explains("nothing that protects a secret differs");
    assert!(said.stdout().is_empty());
    env.run(&["verify", "--against", "no-such"])
        .exits(1)
        .explains("`no-such` is not a revision of the git repository");
    env.run(&["verify", "--against=--output=x"]).exits(64);
    let data = env.run(&["--json", "verify", "--against", "HEAD"]).ok().json();
    assert_eq!(data["findings"], serde_json::json!([]));
}

#[test]
fn a_change_of_what_protects_secrets_is_listed_without_a_key() {
    let env = committed();
    let (_, bob) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &bob]).ok();
    let apps = env.read("pillar/apps.toml");
    let line = apps.lines().find(|line| line.starts_with("db_password")).expect("the value").to_owned();
    env.write("pillar/apps.toml", apps.replace(&line, "db_password = \"s3cret\""));
    env.write(
        "pillarbox.toml",
        env.read("pillarbox.toml").replace("unix:///var/run/docker.sock", "tcp://evil.example.com:2376"),
    );
    env.write(
        "pillar/registries/ecr.toml",
        "[registries.\"1.dkr.ecr.example.com\"]\nhelper = \"ecr-login\"\n",
    );
    post(&env, "registries/ghcr.io.toml", "registries.\"ghcr.io\".password", "n3w");
    env.run(&["--no-identity", "verify", "--against", "HEAD"])
        .exits(8)
        .says("! readers changed: pillar/\n    alice → alice, bob")
        .says("! was sealed and is clear now: api.db_password in pillar/apps.toml")
        .says("! engine changed: local\n    unix:///var/run/docker.sock → tcp://evil.example.com:2376")
        .says("! new registry: 1.dkr.ecr.example.com in pillar/registries/ecr.toml\n    helper ecr-login")
        .says(
            "  secret replaced by another: registries.\"ghcr.io\".password in pillar/registries/ghcr.io.toml",
        )
        .says("  new key of a reader: keys/bob.pub")
        .lacks("s3cret");
}

#[test]
fn a_rekey_is_told_from_a_replaced_secret() {
    let env = committed();
    env.run(&["reader", "rekey", "--new-slot"]).ok();
    env.run(&["verify", "--against", "HEAD"])
        .exits(8)
        .says("! slot changed: pillar/")
        .says("  sealed again for the new slot, with their ids: 2 values of pillar/")
        .lacks("replaced");
    // The same id with another content in the same slot does not happen by accident.
    let env = committed();
    let value = sealed(&env, "apps.toml", "api.db_password");
    let again = post(&env, "apps.toml", "api.db_password", "ev1l");
    let text = env.read("pillar/apps.toml");
    env.write("pillar/apps.toml", text.replace(again.id.as_str(), value.id.as_str()));
    env.run(&["--no-identity", "verify", "--against", "HEAD"])
        .exits(8)
        .says("! sealed again under the same id and slot");
}

#[test]
fn a_workspace_below_the_top_of_its_repository_is_compared_too() {
    let env = TestEnv::new();
    env.run(&["init", "infra/shop"]).ok();
    env.program("git", &["init", "-q", "."]).run().ok();
    env.program("git", &["add", "-A"]).run().ok();
    env.program("git", &["commit", "-qm", "first"]).run().ok();
    let shop = env.workspace().join("infra/shop");
    env.command(&["verify", "--against", "HEAD"])
        .within(&shop)
        .run()
        .ok()
        .explains("nothing that protects a secret differs");
    env.command(&["reader", "rekey", "--new-slot"]).within(&shop).run().ok();
    env.command(&["verify", "--against", "HEAD"])
        .within(&shop)
        .run()
        .exits(8)
        .says("! slot changed: pillar/");
}

#[test]
fn everything_wrong_is_said_at_once() {
    let env = committed();
    env.write("pillar/broken.toml", "a = \n").write("pillar/prod/box.toml", "format = 2\n");
    env.write("keys/carl.pub", "nothing\n").write("keys/alice.pub", "");
    env.run(&["verify"])
        .exits(1)
        .explains("pillar/broken.toml:1")
        .explains("pillar/prod/box.toml")
        .explains("keys/carl.pub")
        .explains("keys/alice.pub");
}

#[test]
fn known_boxes_are_listed_accepted_and_forgotten() {
    let mut env = committed();
    env.run(&["known", "list"]).ok().says("shop  id ").says("\n  pillar/  age1").says("    alice  age1");
    env.run(&["known", "accept", "local"]).ok().explains("unix:///var/run/docker.sock");
    env.run(&["known", "list"]).ok().says("  local  unix:///var/run/docker.sock");
    env.run(&["known", "accept", "pillra/"]).exits(64).explains("did you mean `pillar/`");
    env.run(&["known", "forget", "local"]).ok();
    env.run(&["known", "forget", "local"])
        .exits(64)
        .explains("this machine knows nothing of the host local of shop")
        .explains("pillarbox known list")
        .lacks("did you mean");
    env.run(&["known", "forget", "shop"]).exits(64).explains("pillarbox known forget --workspace 'shop'");
    env.run(&["known", "forget", "pilar/"]).exits(64).explains("did you mean `pillar/`");
    env.run(&["known", "forget"]).exits(64).explains("--workspace <NAME>");
    env.run(&["known", "list"]).ok().lacks("local");
    env.run(&["known", "forget", "pillar/"]).ok();
    env.run(&["--strict", "verify"]).exits(8).explains("pillarbox known accept pillar/");
    env.run(&["known", "accept", "pillar/"]).ok();
    env.run(&["--strict", "verify"]).ok();
    // A machine without a key remembers the slot alone, and takes a change only on request.
    env.set_var("PILLARBOX_KNOWN", env.home().join("ci.toml").to_str().expect("a path"));
    env.run(&["--no-identity", "verify"]).ok().explains("was not known on this machine");
    env.command(&["reader", "rekey", "--new-slot"])
        .var("PILLARBOX_KNOWN", env.home().join("x.toml"))
        .run()
        .ok();
    env.run(&["--no-identity", "verify"]).exits(8).explains("its lock was not opened here");
    env.run(&["verify"]).ok().explains("the slot of the box pillar/ was changed by one of its readers");
    env.run(&["--no-identity", "verify"]).ok();
}

#[test]
fn what_was_merged_into_main_since_is_no_change_of_a_branch() {
    let env = committed();
    let git = |arguments: &[&str]| env.program("git", arguments).run().ok();
    git(&["branch", "-m", "main"]);
    git(&["checkout", "-q", "-b", "change"]);
    env.write("states/more.toml", "");
    git(&["add", "-A"]);
    git(&["commit", "-qm", "a branch that touches no secret"]);
    git(&["checkout", "-q", "main"]);
    let (_, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    git(&["add", "-A"]);
    git(&["commit", "-qm", "bob joins"]);
    git(&["checkout", "-q", "change"]);
    for revision in ["main", "main...", "main...HEAD", "refs/heads/main"] {
        env.run(&["--no-identity", "verify", "--against", revision])
            .ok()
            .explains("compared with refs/heads/main, commit ")
            .explains(" where this branch left it, of the git repository");
    }
    // As main stands, the branch takes bob away.
    env.run(&["--no-identity", "verify", "--against", "main.."]).exits(8).says("readers changed: pillar/");
    let data = env.run(&["--json", "--no-identity", "verify", "--against", "main"]).ok().json();
    assert_ne!(data["against"]["commit"], data["against"]["tip"]);
    // What the branch changes itself is found.
    let (_, key) = person(&env, "mallory");
    env.run(&["reader", "add", "mallory", &key]).ok();
    env.run(&["--no-identity", "verify", "--against", "main"]).exits(8).says("readers changed: pillar/");
    git(&["checkout", "-q", "--orphan", "other"]);
    git(&["commit", "-qm", "another beginning"]);
    env.run(&["--no-identity", "verify", "--against", "main"])
        .exits(1)
        .explains("HEAD and `main` have no commit in common")
        .explains("pillarbox verify --against 'main..'");
}

#[test]
fn a_clone_that_lacks_the_revision_is_told_how_to_get_it() {
    let env = committed();
    let git = |arguments: &[&str]| env.program("git", arguments).run().ok();
    git(&["branch", "-m", "main"]);
    git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    git(&["checkout", "-q", "-b", "change"]);
    git(&["commit", "-q", "--allow-empty", "-m", "third"]);
    let (url, clone) = (format!("file://{}", env.workspace().display()), env.home().join("clone"));
    git(&["clone", "-q", "--depth", "1", "--branch", "change", &url, clone.to_str().expect("a path")]);
    let hint = "git fetch --unshallow origin +refs/heads/main:refs/remotes/origin/main";
    let verify =
        || env.command(&["--no-identity", "verify", "--against", "origin/main"]).within(&clone).run();
    let said =
        verify().exits(1).explains("`origin/main` is not a revision").explains("this clone is shallow");
    assert!(said.stderr().replace('\'', "").contains(hint), "{}", said.stderr());
    // The branch alone is not enough: where it left is missing.
    env.program(
        "git",
        &["fetch", "-q", "--depth", "1", "origin", "+refs/heads/main:refs/remotes/origin/main"],
    )
    .within(&clone)
    .run()
    .ok();
    verify().exits(1).explains("have no commit in common").explains("git fetch --unshallow");
    env.program("sh", &["-c", hint]).within(&clone).run().ok();
    verify().ok().explains("compared with refs/remotes/origin/main");
}

#[test]
fn a_deploy_job_must_open_every_box_also_one_without_a_value() {
    let env = committed();
    let (bob, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    env.run(&["verify", "--require-open"]).ok();
    // What opens must hold as well.
    let value = sealed(&env, "apps.toml", "api.db_password");
    let sound = env.read("pillar/apps.toml");
    crate::sealing::copy(&env, &value, "apps.toml", "api.other");
    env.run(&["verify", "--require-open"]).exits(8);
    env.write("pillar/apps.toml", sound);
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    std::fs::remove_file(env.identity()).expect("alice is away");
    env.run(&["--identity", bob.to_str().expect("a path"), "verify", "--require-open"])
        .exits(10)
        .explains("0 sealed values in 1 box do not open here")
        .explains("pillar/prod/: 0 sealed values")
        .explains("pillarbox reader add NAME KEY --box pillar/prod/");
}
