//! Boxes and their readers.

use crate::env::TestEnv;
use crate::sealing::{box_file, opens, own_key, person, post, post_to, sealed};
use crate::terminal::typed;
use std::fs;

/// Reads fingerprints such as `1f0c-77ab-90de-3c55-0d1e` out of a hint.
fn fingerprint(said: &str) -> String {
    let hint = said.split("--accept-readers ").nth(1).expect("a hint with a fingerprint");
    hint.split_whitespace().next().expect("a fingerprint").to_owned()
}

#[test]
fn a_reader_is_added_with_two_lines_of_one_file_and_can_open() {
    let env = TestEnv::initialised();
    post(&env, "apps.toml", "api.db_password", "s3cret");
    let (bob, key) = person(&env, "bob");
    let old = env.read("pillar/box.toml");
    env.run(&["reader", "add", "bob", &key]).ok().explains("bob can open pillar/");
    assert_eq!(env.read("keys/bob.pub"), format!("{key}\n"));
    let new = env.read("pillar/box.toml");
    assert_eq!(old.lines().zip(new.lines()).filter(|(old, new)| old != new).count(), 2);
    assert_eq!(opens(&env, &bob, "", "apps.toml", "api.db_password"), "s3cret");
    env.command(&["--identity", bob.to_str().expect("a path"), "verify"])
        .run()
        .ok()
        .explains("1 sealed value in 1 box: 1 opened");
    env.run(&["reader", "add", "bob", &key]).ok().explains("already");
    let (_, other) = person(&env, "other");
    let before = env.files();
    env.run(&["reader", "add", "bob", &other]).exits(1).explains("keys/bob.pub holds another key");
    env.run(&["reader", "add", "twin", &key]).exits(1).explains("bob and twin have the same key");
    env.run(&["reader", "add", "x", "ssh-ed25519 AAAA"]).exits(1).explains("not an ssh-ed25519 public key");
    env.run(&["--no-identity", "reader", "add", "carl", &other]).exits(10);
    env.run(&["reader", "add", "carl"]).exits(64).explains("there is no keys/carl.pub");
    assert!(before == env.files());
}

#[test]
fn removing_a_reader_makes_a_new_slot_and_says_what_to_rotate() {
    let env = TestEnv::initialised();
    let (_, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    let inventory =
        env.read("pillarbox.toml").replace("default = [\"alice\"]", "default = [\"alice\", \"bob\"] # us");
    env.write("pillarbox.toml", &inventory);
    env.write(
        "pillar/registries/ghcr.io.toml",
        "# ours\n[registries.\"ghcr.io\"]\nusername = \"robot\" # pull only\n",
    );
    let token = post(&env, "registries/ghcr.io.toml", "registries.\"ghcr.io\".password", "t0ken");
    let secret = post(&env, "apps.toml", "api.db_password", "s3cret");
    let (slot, text) = (box_file(&env, "").slot, env.read("pillar/registries/ghcr.io.toml"));

    env.run(&["reader", "remove", "bob"])
        .ok()
        .explains("registries.\"ghcr.io\".password in pillar/registries/ghcr.io.toml  (registry ghcr.io, user robot)")
        .explains("api.db_password in pillar/apps.toml")
        .lacks("t0ken")
        .lacks("s3cret");
    assert_ne!(box_file(&env, "").slot, slot);
    let again = sealed(&env, "apps.toml", "api.db_password");
    assert!(again.id == secret.id && again.sealed != secret.sealed);
    let changed = env.read("pillar/registries/ghcr.io.toml");
    let now = sealed(&env, "registries/ghcr.io.toml", "registries.\"ghcr.io\".password");
    assert_eq!(changed, text.replace(&token.sealed, &now.sealed), "everything else stays as it was");
    assert_eq!(opens(&env, &env.identity(), "", "apps.toml", "api.db_password"), "s3cret");
    assert!(!env.workspace().join("keys/bob.pub").exists());
    assert!(env.read("pillarbox.toml").contains("default = [\"alice\"] # us"));
    env.command(&["--no-identity", "verify"]).run().ok().explains("does not open here");
    env.run(&["verify"]).ok().explains("2 sealed values in 1 box: 2 opened");
    env.run(&["reader", "remove", "bob"]).exits(1).explains("bob is not a reader of any box");
    let before = env.files();
    env.run(&["reader", "remove", "alice"])
        .exits(1)
        .explains("would have no reader")
        .explains("add another one first: pillarbox reader add NAME KEY");
    assert!(before == env.files());
}

#[test]
fn a_rekey_without_any_key_file_says_how_to_get_the_file_back() {
    let env = TestEnv::initialised();
    let key = env.read("keys/alice.pub");
    fs::remove_file(env.workspace().join("keys/alice.pub")).expect("removed");
    let said = env.run(&["reader", "rekey"]).exits(1);
    let hint = said.stderr().lines().find_map(|line| line.split_once("put it back: ")).expect("a hint").1;
    env.program("sh", &["-c", hint]).run().ok();
    assert_eq!(env.read("keys/alice.pub").trim(), key.trim());
    env.run(&["reader", "rekey"]).ok().explains("the locks agree");
}

#[test]
fn a_removed_reader_opens_nothing_any_more() {
    let mut env = TestEnv::initialised();
    let (bob, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    post(&env, "apps.toml", "api.db_password", "s3cret");
    env.run(&["reader", "remove", "bob"]).ok();
    std::fs::remove_file(env.identity()).expect("alice is away");
    env.set_var("PILLARBOX_KNOWN", env.home().join("bobs-known.toml").to_str().expect("a path"));
    let bob = bob.to_str().expect("a path");
    env.run(&["--identity", bob, "verify", "--require-open"]).exits(10);
    env.run(&["--identity", bob, "reader", "rekey"])
        .exits(10)
        .explains("no identity here opens the box pillar/");
}

#[test]
fn a_value_posted_to_the_old_slot_is_found_sealed_again_and_named() {
    let env = TestEnv::initialised();
    let (_, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    let old = box_file(&env, "").slot;
    env.run(&["reader", "remove", "bob"]).ok();
    // A branch made before the removal is merged after it.
    let late = post_to(&env, &old, "apps.toml", "late.token", "t0ken");
    env.run(&["verify"]).exits(1).explains("posted to a slot that has retired");
    env.run(&["reader", "rekey"]).ok().explains("late.token in pillar/apps.toml").lacks("t0ken");
    assert_eq!(sealed(&env, "apps.toml", "late.token").id, late.id);
    assert_eq!(opens(&env, &env.identity(), "", "apps.toml", "late.token"), "t0ken");
    env.run(&["verify"]).ok();
    let before = env.files();
    env.run(&["reader", "rekey"]).ok().explains("the locks agree");
    assert!(before == env.files());
}

#[test]
fn a_replaced_public_key_is_pending_until_its_fingerprint_is_accepted() {
    let env = TestEnv::initialised();
    let (bob, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    post(&env, "apps.toml", "api.db_password", "s3cret");
    let (mallory, other) = person(&env, "mallory");
    env.write("keys/bob.pub", format!("# bob, new laptop\n{other}\n"));
    assert_eq!(opens(&env, &bob, "", "apps.toml", "api.db_password"), "s3cret");
    env.run(&["reader", "list"]).ok().says("pending: keys/bob.pub has another key");
    env.run(&["verify"]).exits(1).explains("keys/bob.pub has another key");
    let before = env.files();
    let asked = env
        .run(&["reader", "rekey"])
        .exits(9)
        .explains(&format!("- bob  {key}"))
        .explains(&format!("+ bob  {other}"));
    env.run(&["reader", "rekey", "--accept-readers", "0000-0000-0000-0000-0000"]).exits(8);
    assert!(before == env.files());
    env.run(&["reader", "rekey", "--accept-readers", &fingerprint(asked.stderr())])
        .ok()
        .explains("api.db_password in pillar/apps.toml");
    assert_eq!(opens(&env, &mallory, "", "apps.toml", "api.db_password"), "s3cret");
    env.run(&["verify"]).ok();
}

#[test]
fn a_key_that_only_lies_in_keys_is_added_after_its_fingerprint_is_accepted() {
    let env = TestEnv::initialised();
    let (carl, key) = person(&env, "carl");
    env.write("keys/carl.pub", format!("{key}\n"));
    // A box.toml that was edited by hand is the same box.
    env.write("pillar/box.toml", env.read("pillar/box.toml").replace('\n', "\r\n") + "# hand-made\r\n");
    env.run(&["reader", "list"]).ok().says("keys/carl.pub: reads no box");
    let asked = env.run(&["reader", "add", "carl"]).exits(9).explains(&format!("+ carl  {key}"));
    env.run(&["reader", "add", "carl", "--accept-readers", &fingerprint(asked.stderr())]).ok();
    env.run(&["--identity", carl.to_str().expect("a path"), "verify", "--require-open"]).ok();
}

#[test]
fn a_box_below_has_readers_of_its_own_and_takes_its_values_along() {
    let env = TestEnv::initialised();
    let (bob, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    let value = post(&env, "prod/apps.toml", "api.db_password", "s3cret");
    env.run(&["box", "new", "prod", "--readers", "alice"])
        .ok()
        .explains("1 sealed values in it were those of the box pillar/");
    assert_eq!(sealed(&env, "prod/apps.toml", "api.db_password").id, value.id);
    assert_eq!(opens(&env, &env.identity(), "prod", "prod/apps.toml", "api.db_password"), "s3cret");
    env.run(&["verify", "--require-open"]).ok().explains("1 sealed value in 2 boxes: 1 opened");
    env.run(&["box", "list"]).ok().says("pillar/prod/\n").says("readers  alice, bob\n");
    env.run(&["box", "new", "prod", "--readers", "alice"]).exits(1).explains("is there already");
    env.run(&["box", "new", "eu", "--readers", "bob"]).exits(10).explains("you would not be a reader");
    env.run(&["box", "new", "eu", "--readers", "alise"]).exits(1).explains("did you mean `alice`");
    env.run(&["--no-identity", "box", "new", "eu"]).exits(10);
    // Bob goes from one box alone; his file stays, because another box lists him.
    env.run(&["reader", "add", "bob", "--box", "prod", "--accept-readers", "x"]).exits(8);
    env.run(&["reader", "add", "bob", &key, "--box", "prod"]).ok();
    env.run(&["reader", "remove", "bob", "--box", "prod"]).ok();
    assert!(env.workspace().join("keys/bob.pub").exists());
    let bob = bob.to_str().expect("a path");
    env.run(&["reader", "remove", "bob"]).ok();
    env.run(&["--identity", bob, "reader", "list"]).ok();
}

#[test]
fn a_new_box_with_a_key_that_this_machine_does_not_know_is_asked_about() {
    let env = TestEnv::initialised();
    let (_, mallory) = person(&env, "mallory");
    env.write("keys/bob.pub", format!("{mallory}\n"));
    let before = env.files();
    let asked = env
        .run(&["box", "new", "prod", "--readers", "alice,bob"])
        .exits(9)
        .explains(&format!("+ bob  {mallory}"));
    assert!(before == env.files());
    assert!(!asked.stderr().contains(&own_key(&env)), "the own key needs no question");
    let accepted = fingerprint(asked.stderr());
    env.run(&["box", "new", "prod", "--readers", "alice,bob", "--accept-readers", &accepted]).ok();
}

#[test]
fn a_box_that_does_not_hold_stops_a_rekey_and_nothing_is_changed() {
    let env = TestEnv::initialised();
    let (_, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    let value = post(&env, "apps.toml", "a.token", "s3cret");
    crate::sealing::copy(&env, &value, "apps.toml", "b.token");
    let before = env.files();
    env.run(&["reader", "remove", "bob"]).exits(8).explains("sealed for another place");
    assert!(before == env.files());
    env.write("pillar/more.toml", "list = [{ sealed = \"YWdl\", id = \"0000000000000000\" }]\n");
    env.run(&["reader", "rekey", "--new-slot"]).exits(8).explains("pillar/more.toml:1");
}

#[test]
fn lists_are_data() {
    let env = TestEnv::initialised();
    let key = own_key(&env);
    let list = env.run(&["--json", "reader", "list"]).ok().json();
    assert_eq!(list["boxes"][0]["readers"][0]["key"], key);
    assert_eq!(list["boxes"][0]["opened"], true);
    let boxes = env.run(&["--json", "box", "list"]).ok().json();
    assert_eq!(boxes["boxes"][0]["slot"], box_file(&env, "").slot.as_str());
    let known = env.run(&["--json", "known", "list"]).ok().json();
    assert_eq!(known["workspaces"]["shop"]["boxes"]["pillar/"]["readers"]["alice"], key);
}

#[test]
fn removing_oneself_is_asked_for() {
    let env = TestEnv::initialised();
    let bob = env.home().join("bob.txt");
    let bob = bob.to_str().expect("a path");
    let public = env.run(&["identity", "new", bob]).ok().stdout().trim().to_owned();
    env.run(&["reader", "add", "bob", &public]).ok();
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "s3cret").ok();
    let before = env.files();
    env.run(&["reader", "remove", "alice"])
        .exits(9)
        .explains("alice is you: no other private key here opens pillar/ afterwards")
        .explains("give -y");
    assert_eq!(env.files(), before);
    let (code, said) = typed(&env, "reader remove alice", &[("[y/N]", "n")]);
    assert!(code == 9 && said.contains("Remove yourself?"), "{said}");
    assert_eq!(env.files(), before);
    // Another key of the same person goes without a question, and so does another person.
    let second = env.home().join("second.txt");
    let second = second.to_str().expect("a path");
    let public = env.run(&["identity", "new", second]).ok().stdout().trim().to_owned();
    env.run(&["reader", "add", "carol", &public]).ok();
    env.run(&["reader", "remove", "carol"]).ok().lacks("is you");
    env.run(&["reader", "remove", "-y", "alice"]).ok();
    env.run(&["reveal", "api.pw"]).exits(10);
    assert_eq!(env.run(&["--identity", bob, "reveal", "api.pw"]).ok().stdout(), "s3cret");
}
