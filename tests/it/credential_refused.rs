//! What the credential helper must not answer: an error on both streams, never "there is none" and never
//! a secret.

use crate::credential_get::{NOT_FOUND, add, get, shop};
use crate::env::{TestEnv, has_program};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// `get` fails: one line for the client and one for people.
#[track_caller]
fn fails(env: &TestEnv, server: &str, why: &str, hint: &str) {
    let failed = env.helper("get", server).exits(1).says(why).explains_on_one_line().explains(hint);
    let failed = failed.lacks(NOT_FOUND.trim()).lacks("CANARY");
    assert_eq!(failed.stdout().lines().count(), 1, "{}", failed.stdout());
}

fn canary() -> TestEnv {
    shop(&[("r.example.com", "robot", "CANARY")])
}

#[test]
fn the_sentences_and_exit_codes_are_those_of_the_protocol() {
    let env = canary();
    let usage = "Usage: docker-credential-pillarbox <store|get|erase|list|version>\n";
    let program = env!("CARGO_BIN_EXE_docker-credential-pillarbox");
    env.program(program, &[]).run().exits(1).says_only(usage).and_nothing_else();
    env.program(program, &["get", "store"]).run().exits(1).says_only(usage).and_nothing_else();
    env.helper("version", "").ok().says("docker-credential-pillarbox (pillarbox) ");
    env.helper("--help", "").ok().says_only(usage);
    env.helper("frob", "").exits(1).says_only("docker-credential-pillarbox: unknown action: frob\n");
    for action in ["get", "erase"] {
        env.helper(action, " \n").exits(1).says_only("no credentials server URL\n").and_nothing_else();
    }
    for (json, sentence) in [
        (r#"{"Username":"u","Secret":"CANARY"}"#, "no credentials server URL\n"),
        (r#"{"ServerURL":"ghcr.io","Secret":"CANARY"}"#, "no credentials username\n"),
    ] {
        env.helper("store", json).exits(1).says_only(sentence).and_nothing_else();
    }
    env.helper("store", "CANARY").exits(1).says("not the JSON of a credential").lacks("CANARY");
    assert!(!env.overlay().exists());
}

#[test]
fn a_box_that_no_identity_opens_is_locked_and_not_empty() {
    let env = canary();
    fs::rename(env.identity(), env.home().join("elsewhere")).expect("moved");
    fails(&env, "r.example.com", "no identity", "pillarbox identity new");
    fs::rename(env.home().join("elsewhere"), env.identity()).expect("moved back");
    fs::set_permissions(env.identity(), fs::Permissions::from_mode(0o644)).expect("its mode");
    fails(&env, "r.example.com", "others may read the identity", "chmod 600");
}

/// The text with the byte some way behind a mark changed.
fn flipped(text: &str, mark: &str, behind: usize) -> String {
    let at = text.find(mark).expect("the mark") + mark.len() + behind;
    let other = if &text[at..=at] == "1" { "2" } else { "1" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

#[test]
fn tampering_is_refused_and_says_where() {
    let file = "pillar/registries/r.example.com.toml";
    let env = canary();
    let text = env.read(file);
    for changed in [
        flipped(&text, "sealed = \"", 60),
        flipped(&text, "sealed = \"", 300),
        flipped(&text, "id = \"", 3),
        format!("{text}\n[registries.\"https://r.example.com/v2/\"]\nanonymous = true\n"),
        format!("{text}\n[registries.\"x.io\"]\nusername = \"u\"\npassword = \"CANARY\"\n"),
        text.replace("username = \"robot\"\n", ""),
    ] {
        env.write(file, &changed);
        fails(&env, "r.example.com", "", "r.example.com");
    }
    env.write(file, text);
    env.write("pillar/box.toml", flipped(&env.read("pillar/box.toml"), "lock    = \"", 200));
    fails(&env, "r.example.com", "pillar/", "in the workspace");
}

#[test]
fn a_value_that_was_copied_to_another_registry_or_file_is_not_sent_there() {
    let env = canary();
    let text = env.read("pillar/registries/r.example.com.toml");
    env.write("pillar/registries/evil.io.toml", text.replace("r.example.com", "evil.io"));
    fails(&env, "evil.io", "was sealed for another place", "r.example.com");
    fs::remove_file(env.workspace().join("pillar/registries/r.example.com.toml")).expect("removed");
    env.write("pillar/moved.toml", text);
    fails(&env, "r.example.com", "was sealed for another place", "registries/r.example.com.toml");
}

#[test]
fn a_box_that_is_not_the_known_one_opens_nothing() {
    let env = canary();
    let (known, state) = (env.home().join(".local/state/pillarbox/known.toml"), "slot = \"age1");
    let text = fs::read_to_string(&known).expect("known.toml");
    let slot = text.lines().find(|line| line.starts_with(state)).expect("a slot");
    let other = "slot = \"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\"";
    fs::write(&known, text.replace(slot, other)).expect("written");
    fails(&env, "r.example.com", "is not the one that this machine knows", "known accept");
    fs::remove_file(&known).expect("removed");
    assert_eq!(get(&env, "r.example.com").0, "robot");
    let strict = env.helper_command("get").var("PILLARBOX_STRICT", "1").input("r.example.com").run();
    strict.exits(1).says("is not known on this machine").explains_on_one_line().lacks("CANARY");
}

#[test]
fn several_entries_for_one_registry_are_an_error_that_names_them() {
    let env = canary();
    fs::remove_file(env.workspace().join("pillar/registries/r.example.com.toml")).expect("removed");
    for file in ["one", "two"] {
        let arguments = ["registry", "add", "--in", file, "r.example.com", "-u", file, "--password-stdin"];
        env.run_with_input(&arguments, "CANARY").ok();
    }
    let said = "several entries are for r.example.com";
    fails(&env, "r.example.com", said, "pillar/one.toml:1");
    fails(&env, "https://r.example.com/v2/", said, "pillar/two.toml:1");
}

#[test]
fn a_file_that_names_the_registry_and_cannot_be_read_is_an_error() {
    let env = canary();
    env.write("pillar/broken.toml", "quay.io = = 1");
    fails(&env, "quay.io", "this is not valid TOML", "pillar/broken.toml:1");
    assert_eq!(get(&env, "r.example.com").0, "robot");
    fs::remove_file(env.workspace().join("pillar/broken.toml")).expect("removed");
    let target = env.workspace().join("pillar/registries/r.example.com.toml");
    fs::rename(&target, env.home().join("elsewhere")).expect("moved");
    std::os::unix::fs::symlink(env.home().join("elsewhere"), &target).expect("a link");
    fails(&env, "r.example.com", "r.example.com.toml", "symbolic link");
}

#[test]
fn a_configuration_with_a_slip_is_an_error_and_says_what_was_meant() {
    let env = canary();
    let config = env.home().join(".config/pillarbox/config.toml");
    fs::write(&config, "worksapce = \"~/shop\"\n").expect("written");
    fails(&env, "r.example.com", "unknown key `worksapce`", "did you mean `workspace`?");
    fs::write(&config, "workspace = \"shop\"\n").expect("written");
    fails(&env, "r.example.com", "relative path", "~/");
    fs::write(&config, "workspace = \"~/gone\"\n").expect("written");
    fails(&env, "r.example.com", "gone", "No such file");
}

#[test]
fn an_address_with_a_password_in_it_is_neither_kept_nor_shown() {
    let env = canary();
    let json = r#"{"ServerURL":"https://bot:CANARY@ghcr.io","Username":"u","Secret":"s"}"#;
    env.helper("store", json).exits(1).says("cannot be kept").explains_on_one_line().lacks("CANARY");
    env.helper("get", "https://bot:CANARY@ghcr.io").exits(1).says_only(NOT_FOUND).and_nothing_else();
    assert!(!env.overlay().exists());
}

#[test]
fn it_never_asks_anything_even_on_a_terminal() {
    if !has_program("script") {
        return;
    }
    let env = canary();
    fs::remove_file(env.identity()).expect("removed");
    let program = env!("CARGO_BIN_EXE_docker-credential-pillarbox");
    // A terminal on all three streams; nothing is typed.
    let line = format!(
        "printf 'r.example.com' > question; {program} get < question; exec < /dev/tty; {program} list"
    );
    let output = env.program("script", &["-qec", &line, "/dev/null"]).run();
    output.ok().says("no identity").says("{\"r.example.com\":\"robot\"}").lacks("CANARY");
}

#[test]
fn an_entry_whose_secret_is_no_text_is_an_error() {
    let env = shop(&[]);
    add(&env, "r.example.com", "robot", "pw");
    env.run_with_input(&["seal", "registries.\"r.example.com\".password"], [0xff, 0xfe, b'C']).ok();
    fails(&env, "r.example.com", "is not text", "is not text");
}
