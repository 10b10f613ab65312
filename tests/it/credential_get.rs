//! What the credential helper answers from a workspace, through the real binary.

use crate::env::{TestEnv, files_below};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// The protocol's "there is none", as clients compare it.
pub(crate) const NOT_FOUND: &str = "credentials not found in native keychain\n";

/// A workspace that the helper answers from, with these entries: registry, user, password.
pub(crate) fn shop(entries: &[(&str, &str, &str)]) -> TestEnv {
    let env = TestEnv::initialised();
    env.set_standing_workspace();
    for (registry, user, password) in entries {
        add(&env, registry, user, password);
    }
    env
}

/// `registry add`.
pub(crate) fn add(env: &TestEnv, registry: &str, user: &str, password: &str) {
    env.run_with_input(&["registry", "add", registry, "-u", user, "--password-stdin"], password).ok();
}

/// The user and secret that `get` answers, with nothing on standard error.
#[track_caller]
pub(crate) fn get(env: &TestEnv, server: &str) -> (String, String) {
    let json = env.helper("get", server).ok().and_nothing_else().json();
    assert_eq!(json["ServerURL"], server.trim(), "the address as it was asked for");
    let text = |field: &str| json[field].as_str().expect("a text").to_owned();
    (text("Username"), text("Secret"))
}

/// `get` says that there is none, and no more than that.
#[track_caller]
pub(crate) fn absent(env: &TestEnv, server: &str) {
    env.helper("get", server).exits(1).says_only(NOT_FOUND).and_nothing_else();
}

fn login(user: &str, secret: &str) -> (String, String) {
    (user.to_owned(), secret.to_owned())
}

#[test]
fn every_form_of_an_address_finds_the_entry_of_the_registry() {
    let env = shop(&[("r.example.com", "robot", "pw"), ("localhost:5000", "lo", "pw"), ("::1", "six", "pw")]);
    for form in [
        "r.example.com",
        "https://r.example.com",
        "https://r.example.com/",
        "https://r.example.com/v1/",
        "https://r.example.com/v2/",
        "R.EXAMPLE.com",
        " r.example.com\r\n",
    ] {
        assert_eq!(get(&env, form), login("robot", "pw"), "{form}");
    }
    assert_eq!(get(&env, "https://localhost:5000/v2/").0, "lo");
    assert_eq!(get(&env, "[::1]").0, "six");
    assert_eq!(get(&env, "::1").0, "six");
}

#[test]
fn every_address_of_docker_hub_is_one_registry_but_not_the_tokens_of_the_docker_cli() {
    let env = shop(&[("docker.io", "hub", "pw")]);
    for form in [
        "https://index.docker.io/v1/",
        "https://index.docker.io/v1",
        "index.docker.io",
        "docker.io",
        "registry-1.docker.io",
    ] {
        assert_eq!(get(&env, form), login("hub", "pw"), "{form}");
    }
    absent(&env, "https://index.docker.io/v1/access-token");
    absent(&env, "https://index.docker.io/v1/refresh-token");
}

#[test]
fn another_port_scheme_or_host_is_another_server() {
    let env = shop(&[("r.example.com", "robot", "pw"), ("tls.example.com:2376", "engine", "pw")]);
    for other in [
        "http://r.example.com",
        "r.example.com:443",
        "https://r.example.com:5000",
        "tls.example.com",
        "tls.example.com:2375",
        "example.com",
        "x.r.example.com",
        "r.example.com.evil.io",
        "[::1]:5000",
    ] {
        absent(&env, other);
    }
    assert_eq!(get(&env, "tls.example.com:2376").0, "engine");
}

#[test]
fn an_address_with_two_schemes_or_a_blank_belongs_to_no_registry() {
    let env = shop(&[("r.example.com", "robot", "CANARY-pw")]);
    for form in [
        "https://http://r.example.com",
        "http://https://r.example.com",
        "https://https://r.example.com",
        "https:// r.example.com",
        "https://r.example.com /v2/",
        "r.example.com /team",
        "r.example.com\t/v1/",
    ] {
        env.helper("get", form).exits(1).lacks("CANARY");
    }
    env.run(&["registry", "add", "r.example.com /team", "-u", "x", "--anonymous"]).exits(64);
}

#[test]
fn a_client_that_names_the_image_gets_the_longest_prefix() {
    let env = shop(&[
        ("ghcr.io/acme", "acme", "1"),
        ("ghcr.io/acme/api", "api", "2"),
        ("ghcr.io/beta", "beta", "3"),
        ("quay.io", "quay", "4"),
    ]);
    for (server, user) in [
        ("ghcr.io/acme/web", "acme"),
        ("ghcr.io/acme", "acme"),
        ("ghcr.io/acme/api", "api"),
        ("https://ghcr.io/acme/api/v2", "api"),
        ("ghcr.io/beta/x", "beta"),
        ("quay.io/any/thing", "quay"),
    ] {
        assert_eq!(get(&env, server).0, user, "{server}");
    }
    absent(&env, "ghcr.io/acme-evil/api");
}

#[test]
fn a_client_that_names_only_the_host_gets_no_guess_but_a_hint_for_people() {
    let env = shop(&[("ghcr.io/acme", "acme", "1"), ("ghcr.io/beta", "beta", "2")]);
    env.helper("get", "ghcr.io")
        .exits(1)
        .says_only(NOT_FOUND)
        .explains_on_one_line()
        .explains("ghcr.io/acme, ghcr.io/beta")
        .explains("pillarbox registry add 'ghcr.io' -u USER");
    add(&env, "ghcr.io", "all", "3");
    assert_eq!(get(&env, "ghcr.io").0, "all");
}

#[test]
fn identity_tokens_have_their_own_user_name_and_anonymous_entries_answer_nothing() {
    let env = shop(&[("r.example.com", "robot", "pw")]);
    env.run_with_input(&["registry", "add", "acr.example.com", "--identity-token-stdin"], "refresh").ok();
    env.run(&["registry", "add", "r.example.com/public", "--anonymous"]).ok();
    assert_eq!(get(&env, "acr.example.com"), login("<token>", "refresh"));
    absent(&env, "r.example.com/public/image");
    assert_eq!(get(&env, "r.example.com/private").0, "robot");
}

#[test]
fn an_entry_may_stand_in_any_file_but_those_of_single_hosts() {
    let env = shop(&[]);
    let add_in = |file: &str, registry: &str, user: &str| {
        let arguments = ["registry", "add", "--in", file, registry, "-u", user, "--password-stdin"];
        env.run_with_input(&arguments, "pw").ok();
    };
    add_in("registries", "r.example.com", "one");
    add_in("registries", "https://index.docker.io/v1/", "hub");
    add_in("hosts/local", "host.example.com", "host");
    assert_eq!(get(&env, "r.example.com").0, "one");
    assert_eq!(get(&env, "docker.io").0, "hub");
    absent(&env, "host.example.com");
    // The registry's own file goes before others.
    add_in("registries/r.example.com", "r.example.com", "own");
    assert_eq!(get(&env, "r.example.com").0, "own");
}

#[test]
fn boxes_below_folders_are_opened_with_their_own_keys() {
    let env = shop(&[]);
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    let arguments = ["registry", "add", "--in", "prod/r", "r.example.com", "-u", "prod", "--password-stdin"];
    env.run_with_input(&arguments, "pw").ok();
    assert_eq!(get(&env, "r.example.com"), login("prod", "pw"));
}

#[test]
fn secrets_of_any_text_and_length_arrive_whole() {
    for secret in ["~?>ünd \"quoted\" \\ <&>", &"x".repeat(100_000), "{\n  \"type\": \"service_account\"\n}"]
    {
        let env = shop(&[("r.example.com", "robot", "pw")]);
        env.run_with_input(&["seal", "registries.\"r.example.com\".password"], secret).ok();
        assert_eq!(get(&env, "r.example.com").1, secret);
    }
}

#[test]
fn the_list_has_users_by_addresses_that_clients_can_ask_for_and_opens_nothing() {
    let env = shop(&[]);
    env.helper("list", "unused").ok().says_only("{}\n").and_nothing_else();
    for (registry, user) in [("r.example.com", "robot"), ("docker.io", "hub"), ("ghcr.io/acme", "acme")] {
        add(&env, registry, user, "pw");
    }
    env.run(&["registry", "add", "quay.io", "--anonymous"]).ok();
    fs::remove_file(env.identity()).expect("removed");
    let expected = "{\"https://index.docker.io/v1/\":\"hub\",\"r.example.com\":\"robot\"}\n";
    env.helper("list", "unused").ok().says_only(expected).and_nothing_else();
}

#[test]
fn the_workspace_is_named_by_a_variable_or_the_configuration_and_never_by_the_current_folder() {
    let mut env = TestEnv::initialised();
    add(&env, "r.example.com", "robot", "pw");
    let here = |env: &TestEnv| env.helper_command("get").within(env.workspace()).input("r.example.com").run();
    here(&env).exits(1).says_only(NOT_FOUND).and_nothing_else();
    fs::write(env.home().join(".config/pillarbox/config.toml"), "workspace = \"~/shop\"\n").expect("written");
    assert_eq!(get(&env, "r.example.com").0, "robot");
    env.set_var("PILLARBOX_WORKSPACE", "shop");
    env.helper_command("get")
        .within(env.home())
        .input("r.example.com")
        .run()
        .exits(1)
        .says("PILLARBOX_WORKSPACE is a relative path")
        .explains("set it to an absolute path");
    env.set_var("PILLARBOX_WORKSPACE", env.home().join("nowhere").display().to_string());
    env.helper("get", "r.example.com").exits(1).says("nowhere").lacks("not found in native keychain");
    fs::remove_file(env.home().join(".config/pillarbox/config.toml")).expect("removed");
    env.set_var("PILLARBOX_WORKSPACE", env.workspace().display().to_string());
    assert_eq!(get(&env, "r.example.com").0, "robot");
}

#[test]
fn asking_changes_no_file_at_all() {
    let env = shop(&[("r.example.com", "robot", "pw"), ("ghcr.io/acme", "acme", "pw")]);
    // Nothing is known of the box: a first use must not be remembered where no person is told.
    fs::remove_file(env.home().join(".local/state/pillarbox/known.toml")).expect("removed");
    let before = files_below(&env.home());
    assert_eq!(get(&env, "r.example.com").0, "robot");
    absent(&env, "quay.io");
    env.helper("list", "unused").ok();
    env.helper("erase", "quay.io").ok().says_only("").and_nothing_else();
    assert_eq!(files_below(&env.home()), before);
}

#[test]
fn a_thousand_other_registries_are_not_looked_at() {
    let env = shop(&[("r.example.com", "robot", "pw")]);
    for number in 0..1000 {
        // Not even TOML: a reader of them would fail.
        env.write(&format!("pillar/registries/r{number}.example.org.toml"), "broken = = r");
    }
    assert_eq!(get(&env, "r.example.com").0, "robot");
    absent(&env, "quay.io");
}

/// Puts another program's credential helper before others in `PATH`: a script of sh.
fn other_helper(env: &mut TestEnv, name: &str, script: &str) {
    let folder = env.home().join("bin");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("docker-credential-{name}"));
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
    env.path_first(folder);
}

#[test]
fn an_entry_that_names_another_helper_is_answered_by_it_anew_each_time() {
    let mut env = shop(&[]);
    let asked = env.home().join("asked").display().to_string();
    let script = format!(
        "[ \"$1\" = get ] || exit 9\ncat >> '{asked}'; env >> '{asked}.env'\n\
         printf '{{\"ServerURL\":\"\",\"Username\":\"AWS\",\"Secret\":\"t%s\"}}' \"$(wc -c < '{asked}')\""
    );
    other_helper(&mut env, "ecr-login", &script);
    env.set_var("PILLARBOX_AGE_KEY", fs::read_to_string(env.identity()).expect("a key"));
    env.write(
        "pillar/registries/r.example.com.toml",
        "[registries.\"r.example.com\"]\nhelper = \"ecr-login\"\n",
    );
    assert_eq!(get(&env, "https://r.example.com/v2/"), login("AWS", "t13"));
    assert_eq!(get(&env, "r.example.com/any/image"), login("AWS", "t26"));
    assert_eq!(fs::read_to_string(&asked).expect("asked"), "r.example.comr.example.com");
    let environment = fs::read_to_string(format!("{asked}.env")).expect("its environment");
    assert!(!environment.contains("AGE-SECRET-KEY"), "{environment}");
    env.helper("list", "unused").ok().says_only("{\"r.example.com\":\"\"}\n").and_nothing_else();
}

#[test]
fn another_helper_that_fails_is_an_error_and_never_absent() {
    for (script, why) in [
        ("echo 'credentials not found in native keychain'; exit 1", "has no credential"),
        ("echo CANARY; exit 0", "not a credential"),
        ("kill -9 $$", "crashed"),
    ] {
        let mut env = shop(&[]);
        other_helper(&mut env, "odd", script);
        env.write(
            "pillar/registries/r.example.com.toml",
            "[registries.\"r.example.com\"]\nhelper = \"odd\"\n",
        );
        let failed = env.helper("get", "r.example.com").exits(1).says(why).lacks("CANARY");
        assert_ne!(failed.stdout(), NOT_FOUND);
        failed.explains_on_one_line().explains("pillar/registries/r.example.com.toml:1");
    }
}
