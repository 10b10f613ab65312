//! `registry helper install` and `remove`: what docker, podman and skopeo read afterwards.

use crate::env::{TestEnv, has_program, mode};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// A workspace with credentials for these registries.
pub(crate) fn with_registries(registries: &[&str]) -> TestEnv {
    let env = TestEnv::initialised();
    for registry in registries {
        env.run_with_input(&["registry", "add", registry, "-u", "bot", "--password-stdin"], "CANARY-pw").ok();
    }
    env
}

/// A program in a folder of the test that comes first in `PATH`.
pub(crate) fn program(env: &mut TestEnv, name: &str, script: &str) {
    let folder = env.home().join("bin");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), script).expect("a script");
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("its mode");
    env.path_first(folder);
}

fn docker_config(env: &TestEnv) -> PathBuf {
    env.home().join(".docker/config.json")
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("written");
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_was_installed_is_undone_and_every_file_is_as_it_was() {
    let env = with_registries(&["ghcr.io", "docker.io", "quay.io/acme"]);
    let (docker, podman) = (docker_config(&env), env.home().join(".config/containers/auth.json"));
    let before =
        "{\n    \"auths\": {\n        \"x.io\": {}\n    },\n    \"psFormat\": \"{{.ID}}\\u0041\"  }\n\n";
    put(&docker, before);
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o640)).expect("its mode");
    env.run(&["registry", "helper", "install"])
        .ok()
        .explains("~/.docker/config.json: https://index.docker.io/v1/ → docker-credential-pillarbox")
        .explains("~/.config/containers/auth.json: docker.io → docker-credential-pillarbox")
        .explains("for quay.io/acme docker and podman ask by host alone")
        .explains("docker-credential-pillarbox' /usr/local/bin/")
        .lacks("CANARY");
    assert_eq!(
        text(&docker),
        "{\n    \"auths\": {\n        \"x.io\": {}\n    },\n    \"psFormat\": \"{{.ID}}\\u0041\",\n    \"credHelpers\": {\n        \
         \"https://index.docker.io/v1/\": \"pillarbox\",\n        \"ghcr.io\": \"pillarbox\",\n        \"quay.io\": \"pillarbox\"\n    }  }\n\n"
    );
    assert_eq!(mode(&docker), 0o640);
    assert!(text(&podman).contains("\"docker.io\": \"pillarbox\""));
    assert_eq!(mode(&podman), 0o600);
    let config = env.home().join(".config/pillarbox/config.toml");
    let workspace = env.workspace().canonicalize().expect("its real path");
    assert_eq!(text(&config), format!("workspace = \"{}\"\n", workspace.display()));
    env.run(&["registry", "helper", "install"]).ok().explains("asks pillarbox already");

    // A registry that comes later is added, and removed with the others.
    env.run_with_input(&["registry", "add", "late.io", "-u", "bot", "--password-stdin"], "x").ok();
    env.run(&["registry", "helper", "install"]).ok().explains("late.io").lacks("ghcr.io →");
    let shown = env.run(&["registry", "helper", "remove", "--dry-run"]).ok();
    assert!(shown.stdout().contains("auth.json: removed") && podman.exists());
    env.run(&["registry", "helper", "remove"]).ok();
    assert_eq!(text(&docker), before);
    assert!(!podman.exists() && !config.exists() && mode(&docker) == 0o640);
    env.run(&["registry", "helper", "remove"]).ok().explains("does not name pillarbox");
    assert_eq!(text(&docker), before);
}

#[test]
fn a_dry_run_writes_nothing() {
    let env = with_registries(&["ghcr.io"]);
    env.run(&["registry", "helper", "install", "--dry-run"])
        .ok()
        .says("ghcr.io → docker-credential-pillarbox");
    assert!(!env.home().join(".docker").exists() && !env.home().join(".config/containers").exists());
    assert!(!env.home().join(".config/pillarbox/config.toml").exists());
}

#[test]
fn another_helper_stays_unless_it_is_to_be_replaced_and_comes_back() {
    let env = with_registries(&["ghcr.io", "a.io"]);
    let docker = docker_config(&env);
    let before =
        "{\"credHelpers\": {\"ghcr.io\": \"pass\", \"z.io\": \"gcloud\"}, \"credsStore\": \"desktop\"}";
    put(&docker, before);
    env.run(&["registry", "helper", "install"])
        .exits(1)
        .explains("another helper answers for ghcr.io: `pass`");
    assert_eq!(text(&docker), before);
    assert!(!env.home().join(".config/containers/auth.json").exists(), "all files or none");
    env.run(&["registry", "helper", "install", "--replace"]).ok().explains("(instead of pass)");
    assert!(
        text(&docker).contains("\"ghcr.io\": \"pillarbox\", \"z.io\": \"gcloud\", \"a.io\": \"pillarbox\"")
    );
    env.run(&["registry", "helper", "install", "--store", "--replace", "--only", "docker"])
        .ok()
        .explains("every registry → docker-credential-pillarbox (instead of desktop)");
    // docker rewrites the file at each login; then only what names us is taken out.
    let mut now: serde_json::Value = serde_json::from_str(&text(&docker)).expect("JSON");
    now["auths"] = serde_json::json!({ "new.io": {} });
    put(&docker, &serde_json::to_string_pretty(&now).expect("JSON"));
    env.run(&["registry", "helper", "remove"]).ok();
    let left: serde_json::Value = serde_json::from_str(&text(&docker)).expect("JSON");
    let mut expected: serde_json::Value = serde_json::from_str(before).expect("JSON");
    expected["auths"] = serde_json::json!({ "new.io": {} });
    assert_eq!(left, expected);
}

#[test]
fn a_broken_file_is_refused_with_line_and_column_and_nothing_is_written() {
    let env = with_registries(&["ghcr.io"]);
    let docker = docker_config(&env);
    for (broken, said) in [
        ("{\n  \"auths\": {},\n}", "config.json:3: this is not JSON: line 3, column 1"),
        ("[]", "not an object"),
        ("{\"credHelpers\": []}", "`credHelpers` is not an object"),
        ("{\"credHelpers\": {\"ghcr.io\": 7}}", "the helper of ghcr.io is not a string"),
        ("{\"credHelpers\": {}, \"CredHelpers\": {}}", "appears twice"),
        ("{\"credHelpers\"", "this is not JSON"),
    ] {
        put(&docker, broken);
        env.run(&["registry", "helper", "install", "--replace"]).exits(1).explains(said);
        assert_eq!(text(&docker), broken);
        assert!(!env.home().join(".config/containers/auth.json").exists(), "{broken}");
    }
    fs::write(&docker, b"{\"x\": \"\xff\"}").expect("written");
    env.run(&["registry", "helper", "install"]).exits(1).explains("is not UTF-8");
    put(&docker, "");
    env.run(&["registry", "helper", "install"]).ok();
    put(&docker, "{ no");
    env.run(&["registry", "helper", "remove"]).exits(1).explains("this is not JSON");
    assert_eq!(text(&docker), "{ no");
    put(&env.home().join(".config/pillarbox/config.toml"), "worksapce = 1\n");
    put(&docker, "{}");
    env.run(&["registry", "helper", "install"]).exits(1).explains("did you mean `workspace`?");
    assert_eq!(text(&docker), "{}");
}

#[test]
fn a_symbolic_link_stays_and_its_target_is_written() {
    let env = with_registries(&["ghcr.io"]);
    let (docker, real) = (docker_config(&env), env.home().join("dotfiles/docker.json"));
    put(&real, "{}");
    fs::create_dir_all(docker.parent().expect("a parent")).expect("a folder");
    symlink(&real, &docker).expect("a link");
    env.run(&["registry", "helper", "install"]).ok();
    assert!(docker.is_symlink() && text(&real).contains("pillarbox"));
    env.run(&["registry", "helper", "remove"]).ok();
    assert!(docker.is_symlink() && text(&real) == "{}");
    fs::remove_file(&real).expect("removed");
    env.run(&["registry", "helper", "install"]).exits(1).explains("cannot write");
    assert!(docker.is_symlink() && !real.exists());
}

#[test]
fn several_at_once_lose_nothing() {
    let env = with_registries(&["a.io", "b.io", "c.io"]);
    let docker = docker_config(&env);
    let before = "{\n  \"auths\": {}\n}";
    put(&docker, before);
    let run = || env.command(&["registry", "helper", "install"]).spawn();
    let children: Vec<_> = (0..8).map(|_| run()).collect();
    for child in children {
        assert!(child.wait_with_output().expect("it ends").status.success());
    }
    let now: serde_json::Value = serde_json::from_str(&text(&docker)).expect("JSON");
    assert_eq!(now["credHelpers"].as_object().expect("an object").len(), 3);
    env.run(&["registry", "helper", "remove"]).ok();
    assert_eq!(text(&docker), before);
}

#[test]
fn the_workspace_of_the_helper_is_named_once_and_another_one_is_said() {
    let env = with_registries(&["ghcr.io"]);
    let config = env.home().join(".config/pillarbox/config.toml");
    put(&config, "# mine\nworkspace = '/srv/other' # theirs\n");
    env.run(&["registry", "helper", "install"])
        .ok()
        .explains("names another workspace, /srv/other")
        .explains("registry helper install --replace");
    assert_eq!(text(&config), "# mine\nworkspace = '/srv/other' # theirs\n");
    env.run(&["registry", "helper", "install", "--replace"]).ok();
    let workspace = env.workspace().canonicalize().expect("its real path");
    assert_eq!(text(&config), format!("# mine\nworkspace = \"{}\" # theirs\n", workspace.display()));
    env.run(&["registry", "helper", "remove"]).ok();
    assert_eq!(text(&config), "# mine\nworkspace = '/srv/other' # theirs\n");
}

#[test]
fn a_password_in_clear_is_said_with_the_command_that_takes_it_away() {
    let env = with_registries(&["ghcr.io"]);
    put(
        &docker_config(&env),
        "{\n  \"auths\": {\n    \"ghcr.io\": {\"auth\": \"Ym90OkNBTkFSWQ==\"},\n    \"x.io\": {\"auth\": \"eDp5\"}\n  }\n}",
    );
    env.run(&["registry", "helper", "install"])
        .ok()
        .explains("~/.docker/config.json:3: a credential for ghcr.io is still there in clear")
        .lacks("x.io")
        .lacks("CANARY")
        .lacks("Ym90OkNBTkFSWQ");
}

#[test]
fn without_registries_there_is_nothing_to_install() {
    let env = TestEnv::initialised();
    env.run(&["registry", "helper", "install"]).exits(1).explains("pillarbox registry add HOST -u USER");
    env.run_with_input(&["registry", "add", "pub.io", "--anonymous"], "").ok();
    env.run(&["registry", "helper", "install"]).exits(1);
    env.run(&["registry", "helper", "install", "--store", "--only", "docker"]).ok();
    assert_eq!(text(&docker_config(&env)), "{\n\t\"credsStore\": \"pillarbox\"\n}\n");
    env.run(&["registry", "helper", "remove"]).ok();
    assert!(!docker_config(&env).exists());
}

/// docker, podman and skopeo, with a helper that writes down what it was asked.
#[test]
fn docker_podman_and_skopeo_ask_the_helper_that_was_installed() {
    // Nothing answers there, and nothing has to: credentials are looked for before the registry is.
    let mut env = with_registries(&["localhost:9", "docker.io"]);
    let called = env.home().join("called");
    let script = format!(
        "#!/bin/sh\necho \"$1 $(cat)\" >> '{}'\necho '{{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"s\"}}'\n",
        called.display()
    );
    program(&mut env, "docker-credential-pillarbox", &script);
    env.run(&["registry", "helper", "install"]).ok().lacks("not in PATH");
    let asked = |env: &TestEnv, command: &[&str]| {
        let _ = fs::remove_file(&called);
        let output = env.program(command[0], &command[1..]).run();
        fs::read_to_string(&called)
            .unwrap_or_else(|_| panic!("the helper was not asked by {command:?}\n{output}"))
    };
    if has_program("docker") {
        assert!(asked(&env, &["docker", "logout", "localhost:9"]).contains("erase localhost:9"));
        assert!(asked(&env, &["docker", "logout"]).contains("erase https://index.docker.io/v1/"));
    }
    if has_program("podman") {
        assert_eq!(asked(&env, &["podman", "login", "--get-login", "localhost:9"]), "get localhost:9\n");
        assert_eq!(asked(&env, &["podman", "login", "--get-login", "docker.io"]), "get docker.io\n");
    }
    if has_program("skopeo") {
        let inspect = ["skopeo", "inspect", "--tls-verify=false", "docker://localhost:9/a/b"];
        assert_eq!(asked(&env, &inspect), "get localhost:9\n");
    }
    // podman's file is found as well where the environment names another one.
    let other = env.home().join("other.json");
    env.set_var("REGISTRY_AUTH_FILE", other.to_str().expect("a path"));
    env.run(&["registry", "helper", "install", "--only", "podman"]).ok();
    if has_program("podman") {
        assert_eq!(asked(&env, &["podman", "login", "--get-login", "localhost:9"]), "get localhost:9\n");
    }
}
