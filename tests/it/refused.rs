//! What an attacker with write access and no key may try; one test for each row of the design's table, by
//! the binary. That every single byte counts is tested beside the code.

use crate::env::TestEnv;
use crate::sealing::{box_file, copy, minted, own_key, person, post, put, put_box, sealed};
use pillarbox::pillar::Sealed;
use pillarbox::pillar::boxes::BoxFile;

/// A workspace with two registries and an application's secret.
fn shop() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("pillar/registries/ghcr.io.toml", "[registries.\"ghcr.io\"]\nusername = \"robot\"\n");
    post(&env, "registries/ghcr.io.toml", "registries.\"ghcr.io\".password", "t0ken");
    post(&env, "apps.toml", "api.db_password", "s3cret");
    env.run(&["verify"]).ok();
    env
}

#[track_caller]
fn refused(env: &TestEnv, words: &[&str]) {
    let said = env.run(&["verify"]).exits(8).lacks("s3cret").lacks("t0ken");
    for word in words {
        assert!(said.stderr().contains(word), "lacks {word:?}:\n{}", said.stderr());
    }
}

#[test]
fn a_value_copied_to_another_key_is_refused_and_both_places_are_named() {
    let env = shop();
    copy(&env, &sealed(&env, "apps.toml", "api.db_password"), "apps.toml", "web.password");
    refused(
        &env,
        &["web.password in pillar/apps.toml", "another place: api.db_password in pillar/apps.toml"],
    );
}

#[test]
fn a_value_copied_to_another_file_or_a_renamed_file_is_refused() {
    let env = shop();
    copy(&env, &sealed(&env, "apps.toml", "api.db_password"), "hosts/web1.toml", "api.db_password");
    refused(
        &env,
        &["api.db_password in pillar/hosts/web1.toml", "another place: api.db_password in pillar/apps.toml"],
    );

    let env = shop();
    let pillar = env.workspace().join("pillar");
    std::fs::rename(pillar.join("apps.toml"), pillar.join("apps2.toml")).expect("renamed");
    refused(&env, &["in pillar/apps2.toml", "another place: api.db_password in pillar/apps.toml"]);
}

#[test]
fn a_credential_pointed_at_another_registry_is_refused() {
    let env = shop();
    let text = env.read("pillar/registries/ghcr.io.toml").replace("\"ghcr.io\"", "\"evil.example.com\"");
    env.write("pillar/registries/ghcr.io.toml", text);
    refused(
        &env,
        &[
            "registries.\"evil.example.com\".password",
            "registries.\"ghcr.io\".password in pillar/registries/ghcr.io.toml",
        ],
    );
}

#[test]
fn a_value_copied_to_another_box_is_refused_and_its_own_box_is_named() {
    let env = shop();
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    copy(&env, &sealed(&env, "apps.toml", "api.db_password"), "prod/apps.toml", "api.db_password");
    refused(
        &env,
        &[
            "was not sealed for this box's slot",
            "another box, pillar/: for api.db_password in pillar/apps.toml",
        ],
    );
}

#[test]
fn a_copy_is_found_without_a_key() {
    let env = shop();
    let value = sealed(&env, "apps.toml", "api.db_password");
    copy(&env, &value, "apps.toml", "web.db_password");
    env.run(&["--no-identity", "verify"]).exits(8).explains("the same sealed value is at");
    let env = shop();
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    put_box(&env, "prod", &box_file(&env, ""));
    env.run(&["--no-identity", "verify"])
        .exits(8)
        .explains("the boxes pillar/ and pillar/prod/ have the same lock");
    refused(&env, &["it was made for the box pillar/, not pillar/prod/"]);
}

#[test]
fn a_value_or_box_of_another_workspace_is_refused() {
    let env = shop();
    let mut other = TestEnv::named("other");
    other.set_var("PILLARBOX_IDENTITY", env.identity().to_str().expect("a path"));
    other.run(&["init"]).ok();
    put(&other, &sealed(&env, "apps.toml", "api.db_password"));
    refused(&other, &["was not sealed for this box's slot"]);
    put_box(&other, "", &box_file(&env, ""));
    refused(&other, &["it was made for the workspace shop, not other"]);
}

#[test]
fn swapped_values_and_an_edited_id_are_refused() {
    let env = shop();
    post(&env, "apps.toml", "web.db_password", "0ther");
    let (a, b) = (sealed(&env, "apps.toml", "api.db_password"), sealed(&env, "apps.toml", "web.db_password"));
    copy(&env, &a, "apps.toml", "web.db_password");
    copy(&env, &b, "apps.toml", "api.db_password");
    refused(&env, &["another place: web.db_password", "another place: api.db_password"]);

    let env = shop();
    let text = env.read("pillar/apps.toml");
    let id = sealed(&env, "apps.toml", "api.db_password").id;
    env.write("pillar/apps.toml", text.replace(id.as_str(), "0123456789abcdef"));
    refused(&env, &["the id of api.db_password in pillar/apps.toml was changed"]);
}

#[test]
fn flipped_bytes_of_values_and_locks_are_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let flip = |text: &str, at: usize| {
        let mut bytes = STANDARD.decode(text).expect("base64");
        let at = bytes.len() * at / 8;
        bytes[at] ^= 1;
        STANDARD.encode(bytes)
    };
    let env = shop();
    let (value, lock) = (sealed(&env, "apps.toml", "api.db_password"), box_file(&env, ""));
    for at in 0..8 {
        put(&env, &Sealed { sealed: flip(&value.sealed, at), ..value.clone() });
        refused(&env, &["api.db_password"]);
        put(&env, &value);
        put_box(&env, "", &BoxFile { lock: flip(&lock.lock, at), ..lock.clone() });
        // Where the only reader's stanza is hit it is as if she never was one; then nothing opens.
        let code = env.run(&["verify", "--require-open"]).code;
        assert!(code == 8 || code == 10, "{at}: {code}");
        put_box(&env, "", &lock);
    }
    env.run(&["verify"]).ok();
}

#[test]
fn edited_readers_and_a_swapped_slot_are_refused_by_every_reader() {
    let env = shop();
    let honest = box_file(&env, "");
    let (_, mallory) = person(&env, "mallory");
    let text = env.read("pillar/box.toml");
    env.write("pillar/box.toml", text.replace("[\"alice\"]", "[\"alice\", \"mallory\"]"));
    refused(&env, &["it is sealed to 1 keys, and the box lists 2 readers"]);
    env.write("pillar/box.toml", text.replace("[\"alice\"]", "[\"mallory\"]"));
    refused(&env, &["its readers are alice, and the clear list says mallory"]);
    env.write("pillar/box.toml", text.replace(honest.slot.as_str(), &mallory));
    refused(&env, &["its key belongs to the slot"]);
    // A machine that has no key and met the box before refuses too.
    env.run(&["--no-identity", "verify"])
        .exits(8)
        .explains("known slot")
        .explains("pillarbox known accept pillar/");
}

#[test]
fn a_slot_minted_together_with_a_lock_is_refused_where_the_box_is_known() {
    let mut env = shop();
    env.program("git", &["init", "-q", "."]).run().ok();
    env.program("git", &["add", "-A"]).run().ok();
    env.program("git", &["commit", "-qm", "honest"]).run().ok();
    let (_, mallory) = person(&env, "mallory");
    let alice = own_key(&env);
    put_box(&env, "", &minted("shop", "", &[("alice", &alice), ("mallory", &mallory)]));
    std::fs::remove_file(env.workspace().join("pillar/registries/ghcr.io.toml")).expect("gone");
    env.write("pillar/apps.toml", "");
    env.write("keys/mallory.pub", format!("{mallory}\n"));
    refused(&env, &["does not hold the known slot's key", "pillarbox known accept pillar/"]);
    env.run(&["reader", "rekey"]).exits(8);
    env.run(&["--no-identity", "verify", "--against", "HEAD"])
        .exits(8)
        .says("! slot changed: pillar/")
        .says("! readers changed: pillar/\n    alice → alice, mallory")
        .says("new key of a reader: keys/mallory.pub");
    // Where nothing is known the first use is said, or refused.
    env.set_var("PILLARBOX_KNOWN", env.home().join("fresh.toml").to_str().expect("a path"));
    env.run(&["--strict", "verify"]).exits(8).explains("is not known on this machine");
    env.run(&["verify"]).ok().explains("was not known on this machine");
    env.run(&["--strict", "verify"]).ok().lacks("was not known");
}

#[test]
fn an_older_box_may_be_read_and_never_posted_to() {
    let env = shop();
    let (_, key) = person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).ok();
    let (old_box, old_apps, old_registry) = (
        env.read("pillar/box.toml"),
        env.read("pillar/apps.toml"),
        env.read("pillar/registries/ghcr.io.toml"),
    );
    env.run(&["reader", "remove", "bob"]).ok();
    env.write("pillar/box.toml", old_box).write("pillar/apps.toml", old_apps);
    env.write("pillar/registries/ghcr.io.toml", old_registry).write("keys/bob.pub", format!("{key}\n"));
    env.run(&["reader", "list"]).ok().says("bob");
    refused(&env, &["this checkout has revision 1, this machine has seen 2"]);
    // Nor does it come back by way of a change of its readers.
    let (_, carl) = person(&env, "carl");
    env.run(&["reader", "add", "carl", &carl]).exits(8).explains("is older here than the one");
    env.run(&["reader", "rekey", "--new-slot"]).exits(8);
}

#[test]
fn a_lock_sealed_to_one_more_key_than_it_lists_is_refused() {
    let env = shop();
    let (_, mallory) = person(&env, "mallory");
    // The stanza of mallory is taken from a lock of her own: that needs no key.
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let stanza = {
        let own = minted("shop", "", &[("mallory", &mallory)]);
        let bytes = STANDARD.decode(own.lock).expect("base64");
        let text: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').skip(1).take(2).collect();
        text.join(&b'\n')
    };
    let honest = box_file(&env, "");
    let bytes = STANDARD.decode(&honest.lock).expect("base64");
    let first = bytes.iter().position(|byte| *byte == b'\n').expect("a header line") + 1;
    let lock = STANDARD.encode([&bytes[..first], &stanza, b"\n", &bytes[first..]].concat());
    put_box(&env, "", &BoxFile { lock, ..honest });
    refused(&env, &["it is sealed to 2 keys, and the box lists 1 readers"]);
}

#[test]
fn an_older_value_put_back_is_shown_by_verify_against() {
    let env = shop();
    let old = sealed(&env, "apps.toml", "api.db_password");
    post(&env, "apps.toml", "api.db_password", "n3w");
    env.program("git", &["init", "-q", "."]).run().ok();
    env.program("git", &["add", "-A"]).run().ok();
    env.program("git", &["commit", "-qm", "new secret"]).run().ok();
    put(&env, &old);
    env.run(&["verify"]).ok();
    env.run(&["--no-identity", "verify", "--against", "HEAD"])
        .ok()
        .says("secret replaced by another: api.db_password in pillar/apps.toml");
}

#[test]
fn clear_passwords_of_registries_and_sealed_values_in_lists_are_errors() {
    let env = shop();
    let value = sealed(&env, "apps.toml", "api.db_password").sealed;
    env.write(
        "pillar/registries/quay.io.toml",
        "[registries.\"quay.io\"]\nusername = \"x\"\npassword = \"clear\"\n",
    );
    env.write(
        "pillar/list.toml",
        format!("all = [\n  {{ sealed = \"{value}\", id = \"0123456789abcdef\" }},\n]\n"),
    );
    env.run(&["verify"]).exits(1).explains("pillar/registries/quay.io.toml:3").explains("pillar/list.toml:2");
}
