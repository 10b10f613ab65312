//! Values in clear: `set`, `get`, `unset`, and which file is meant.

use crate::env::{TestEnv, mode, within_mounts};
use std::os::unix::fs::PermissionsExt as _;

const APPS: &str = "\
# What runs.

[deploy.nginx]          # the front
image = \"registry.example.com/web/nginx\"
version = \"1.27\"        # reviewed
# hold = \"frozen\"

# The api, by the second team.
[api]
env.LOG = 'info'
limits = { memory = \"1g\", cpus = 1.5 }   # per replica
ports = [ 80,
          443 ]
replicas = 2
";

fn with_apps() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("pillar/apps.toml", APPS);
    env
}

#[test]
fn a_version_stays_a_string_and_other_types_stay_what_they_are() {
    let env = with_apps();
    env.run(&["set", "deploy.nginx.version", "1.10"]).ok();
    assert_eq!(env.run(&["get", "deploy.nginx.version"]).ok().stdout(), "1.10\n");
    assert!(env.read("pillar/apps.toml").contains("version = \"1.10\"        # reviewed\n"));
    env.run(&["set", "api.new", "1.10"]).ok();
    assert!(env.read("pillar/apps.toml").contains("new = \"1.10\"\n"));
    env.run(&["set", "api.replicas", "3"]).ok();
    env.run(&["set", "api.replicas", "-3"]).ok();
    assert!(env.read("pillar/apps.toml").contains("\nreplicas = -3\n"));
    let said = env.run(&["set", "api.replicas", "three"]).exits(64);
    said.explains("pillar/apps.toml:14: `three` is not a value of type integer, the type of `api.replicas`")
        .explains("pillarbox set --toml 'api.replicas' '\"three\"'");
    env.run(&["set", "--toml", "api.replicas", "\"three\""]).ok();
    env.run(&["set", "--toml", "api.ports", "[8080]"]).ok();
    assert_eq!(env.run(&["get", "api.ports"]).ok().stdout(), "[8080]\n");
    env.run(&["set", "--toml", "api.x", "[1,"]).exits(64).explains("is not a TOML value");
    env.run(&["set", "api", "x"]).exits(64).explains("`api` is a table");
}

#[test]
fn comments_order_and_formatting_survive() {
    let env = with_apps();
    std::fs::set_permissions(
        env.workspace().join("pillar/apps.toml"),
        std::fs::Permissions::from_mode(0o640),
    )
    .expect("a mode");
    env.run(&["set", "deploy.nginx.version", "1.28"]).ok();
    env.run(&["set", "api.env.LOG", "debug"]).ok();
    env.run(&["set", "api.env.TZ", "UTC"]).ok();
    env.run(&["set", "api.limits.memory", "2g"]).ok();
    env.run(&["unset", "api.replicas"]).ok();
    env.run_with_input(&["seal", "api.token"], "x\n").ok();
    env.run(&["unset", "api.token"]).ok();
    let expected = APPS
        .replace("\"1.27\"", "\"1.28\"")
        .replace("env.LOG = 'info'\n", "env.LOG = \"debug\"\nenv.TZ = \"UTC\"\n")
        .replace("\"1g\"", "\"2g\"")
        .replace("replicas = 2\n", "");
    assert_eq!(env.read("pillar/apps.toml"), expected);
    assert_eq!(mode(&env.workspace().join("pillar/apps.toml")), 0o640);
}

#[test]
fn the_file_is_the_one_that_has_the_key_or_its_longest_table() {
    let env = with_apps();
    env.write("pillar/base.toml", "[deploy.api]\nversion = \"1\"\n");
    env.write("pillar/hosts/local.toml", "[api]\nreplicas = 9\n");
    env.run(&["set", "deploy.api.version", "2"]).ok().explains("pillar/base.toml");
    env.run(&["set", "deploy.nginx.digest", "sha256:1"]).ok().explains("pillar/apps.toml");
    // A host's own file is never chosen by itself.
    env.run(&["set", "api.replicas", "4"]).ok().explains("pillar/apps.toml");
    env.run(&["set", "--host", "local", "api.replicas", "5"]).ok().explains("pillar/hosts/local.toml");
    env.run(&["set", "--in", "hosts/local", "api.replicas", "6"]).ok().explains("pillar/hosts/local.toml");
    env.run(&["set", "--in", "pillar/new/file.toml", "a.b", "c"]).ok();
    assert_eq!(env.read("pillar/new/file.toml"), "[a]\nb = \"c\"\n");
    let before = env.files();
    env.run(&["set", "deploy.web.version", "1"])
        .exits(64)
        .explains("pillar/apps.toml could be")
        .explains("pillarbox set --in apps 'deploy.web.version' '1'")
        .explains("pillarbox set --in base 'deploy.web.version' '1'");
    env.run(&["set", "--host", "loacl", "api.replicas", "5"]).exits(64).explains("did you mean `local`?");
    for file in ["../x", "box", "prod/box.toml", "/etc/x", ".hidden", "-x", "a//b", ""] {
        env.run(&["set", &format!("--in={file}"), "a.b", "c"]).exits(64);
    }
    env.run(&["set", "--in", "apps", "--host", "local", "a", "b"]).exits(64);
    assert_eq!(env.files(), before);
}

#[test]
fn quotes_that_a_shell_ate_are_found_again_for_keys_that_are_there() {
    let env = TestEnv::initialised();
    env.run_with_input(&["registry", "add", "ghcr.io", "-u", "bot", "--password-stdin"], "x").ok();
    assert_eq!(env.run(&["get", "registries.ghcr.io.username"]).ok().stdout(), "bot\n");
    env.run(&["set", "registries.ghcr.io.username", "bot2"]).ok();
    assert_eq!(env.run(&["get", "registries.\"ghcr.io\".username"]).ok().stdout(), "bot2\n");
    let before = env.files();
    env.run(&["set", "registries.quay.io.username", "x"])
        .exits(64)
        .explains("pillarbox set 'registries.\"quay.io\".username' 'x'");
    env.run_with_input(&["seal", "registries.quay.io/acme.password"], "x")
        .exits(64)
        .explains("pillarbox seal 'registries.\"quay.io/acme\".password'");
    env.run(&["set", "deploy.my.app.version", "it's"])
        .exits(64)
        .explains("pillarbox set 'deploy.\"my.app\".version' 'it'\\''s'");
    assert_eq!(env.files(), before);
}

#[test]
fn new_keys_of_registries_and_gates_must_be_ones_that_there_are() {
    let env = with_apps();
    let before = env.files();
    for (key, value) in [
        ("registries.\"ghcr.io\".user", "x"),
        ("registries.nohost.username", "x"),
        ("registries.\"ghcr.io\"", "x"),
        ("deploy.nginx.verison", "1"),
        ("deploy.nginx.port", "1"),
        ("deploy.new", "1"),
    ] {
        env.run(&["set", "--in", "apps", key, value]).exits(64);
    }
    env.run(&["set", "--toml", "deploy.nginx.digest", "1.10"]).exits(64).explains("must be a string");
    env.run_with_input(&["seal", "deploy.nginx.digest"], "x").exits(64).explains("must be a string");
    env.run(&["set", "deploy.nginx.verison", "1"]).exits(64).explains("did you mean `version`?");
    assert_eq!(env.files(), before);
    env.run(&["set", "registries.\"ghcr.io\".password", "x"])
        .exits(64)
        .explains("pillarbox registry add 'ghcr.io' -u USER")
        .explains("pillarbox seal 'registries.\"ghcr.io\".password'");
    assert_eq!(env.files(), before);
    env.run(&["set", "deploy.nginx.hold", "a bad night"]).ok();
    env.run(&["set", "--toml", "deploy.nginx.hold", "true"]).ok();
}

#[test]
fn set_does_not_overwrite_a_sealed_value() {
    let env = with_apps();
    env.run_with_input(&["seal", "api.token"], "CANARY\n").ok();
    let before = env.files();
    env.run(&["set", "api.token", "x"])
        .exits(64)
        .explains("is sealed")
        .explains("pillarbox seal 'api.token'");
    env.run(&["set", "--toml", "api.token", "1"]).exits(64);
    env.run(&["set", "--toml", "api.y", "{ sealed = 'x', id = '9f2c41d70b6e83aa' }"]).exits(64);
    assert_eq!(env.files(), before);
    env.run(&["unset", "api.token"]).ok().explains("older commits");
    env.run(&["set", "api.token", "x"]).ok();
}

#[test]
fn a_host_sees_its_files_merged_and_every_value_says_where_it_is_from() {
    let env = with_apps();
    env.write("pillar/hosts/local.toml", "[api]\nreplicas = 9\n");
    assert_eq!(env.run(&["get", "api.replicas"]).ok().stdout(), "2\n");
    assert_eq!(env.run(&["get", "--host", "local", "api.replicas"]).ok().stdout(), "9\n");
    let said = env.run(&["-v", "get", "--host", "local", "api"]).ok();
    said.says("replicas = 9")
        .says("[limits]\ncpus = 1.5\nmemory = \"1g\"\n")
        .explains("api.replicas: pillar/hosts/local.toml:2")
        .explains("api.env.LOG: pillar/apps.toml:10");
    let json = env.run(&["--json", "get", "--host", "local", "api.limits"]).ok().json();
    assert_eq!(json["value"]["cpus"], 1.5);
    assert_eq!(json["from"], "pillar/apps.toml:11");
    env.run(&["get", "--host", "elsewhere", "api"]).exits(64).explains("the hosts are: local");
    env.run(&["get", "--host", "local", "api.replica"]).exits(1).explains("did you mean `api.replicas`?");
}

#[test]
fn get_of_a_sealed_value_says_that_it_is_one() {
    let env = with_apps();
    env.run_with_input(&["seal", "api.token"], "CANARY\n").ok();
    let said = env.run(&["--no-identity", "get", "api.token"]).exits(1);
    let said = said.says("(sealed ").explains("pillarbox reveal 'api.token'").lacks("CANARY");
    assert_eq!(said.stdout().len(), "(sealed 1234)\n".len());
    let id = said.stdout()[8..12].to_owned();
    env.run(&["get", "api"]).ok().says(&format!("token = \"(sealed {id})\"\n"));
    env.run(&["get", "--host", "local", "api.token"])
        .exits(1)
        .explains("pillarbox reveal --host local 'api.token'");
    let json = env.run(&["--json", "get", "api.token"]).exits(1).json();
    assert_eq!(json["error"]["problems"][0]["what"], "`api.token` is sealed");
    env.run(&["reveal", "api.replicas"]).exits(64).explains("pillarbox get 'api.replicas'");
}

#[test]
fn text_of_strangers_does_not_reach_a_terminal_raw_and_a_pipe_gets_every_byte() {
    let env = TestEnv::initialised();
    env.write("pillar/x.toml", "a = \"\\u001b]0;evil\\u0007\"\n");
    assert_eq!(env.run(&["get", "a"]).ok().stdout(), "\u{1b}]0;evil\u{7}\n");
    env.program("script", &["-qec", &format!("{} get a", env!("CARGO_BIN_EXE_pillarbox")), "/dev/null"])
        .run()
        .ok()
        .says("\\u{1b}]0;evil\\u{7}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line_and_nothing_is_written() {
    let env = with_apps();
    env.write("pillar/broken.toml", "a = 1\nb = = 2\n");
    let before = env.files();
    for command in [&["set", "api.x", "1"][..], &["unset", "api.env"], &["get", "api"], &["reveal", "api"]] {
        env.run(command).exits(1).explains("pillar/broken.toml:2: this is not valid TOML");
    }
    assert_eq!(env.files(), before);
    env.write("pillar/broken.toml", "a = 1\n");
    env.run(&["unset", "api.replcias"]).exits(1).explains("did you mean `api.replicas`?");
    env.run(&["get", "a..b"]).exits(64).explains("is not a key");
    env.run(&["-C", "nowhere", "get", "a"]).exits(1);
}

#[test]
fn a_read_only_workspace_can_be_read_and_says_why_it_is_not_changed() {
    let env = with_apps();
    env.run_with_input(&["seal", "api.token"], "the-token").ok();
    let bin = env!("CARGO_BIN_EXE_pillarbox");
    let script = format!(
        "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\" && \
         {bin} get api.replicas && {bin} reveal api.token && {bin} registry list; \
         {bin} set api.replicas 3; echo \"set $?\"; \
         echo x | {bin} seal api.token; echo \"seal $?\"; \
         {bin} move api.token api.t; echo \"move $?\""
    );
    let before = env.files();
    let Some(run) = within_mounts(&env, &script) else { return };
    let said = run.ok().says("2\nthe-token").says("set 1\n").says("seal 1\n").says("move 1\n");
    assert!(said.stderr().matches("Read-only file system").count() == 3, "{}", said.stderr());
    assert_eq!(env.files(), before);
}

#[test]
fn a_full_disk_changes_nothing() {
    let env = with_apps();
    let bin = env!("CARGO_BIN_EXE_pillarbox");
    let script = format!(
        "cp -a . ../copy && mount -t tmpfs -o size=256k none . && cd \"$PWD\" && cp -a ../copy/. . && \
         sha256sum pillar/apps.toml pillarbox.toml > ../sums; \
         cat /dev/zero > fill 2>/dev/null; \
         head -c 60000 /dev/urandom | base64 -w0 | {bin} seal api.token; echo \"seal $?\"; \
         sha256sum -c ../sums; {bin} get api.replicas; rm fill; \
         {bin} set api.replicas 3; echo \"set $?\"; {bin} verify; echo \"verify $?\""
    );
    let Some(run) = within_mounts(&env, &script) else { return };
    run.ok()
        .says("seal 1\n")
        .says("pillar/apps.toml: OK\npillarbox.toml: OK\n2\n")
        .says("set 0\n")
        .says("verify 0\n")
        .explains("No space left on device");
}

#[test]
fn zeros_at_the_end_of_a_number_are_written() {
    let env = TestEnv::initialised();
    env.write("pillar/apps.toml", "[app]\nversion = 1.1\n");
    env.run(&["set", "app.version", "1.10"]).ok().explains("set app.version");
    assert_eq!(env.read("pillar/apps.toml"), "[app]\nversion = 1.10\n");
    env.run(&["set", "app.version", "1.10"]).ok().explains("already has this value");
    assert_eq!(env.run(&["get", "app.version"]).ok().stdout(), "1.10\n");
    assert!(env.run(&["get", "app"]).ok().stdout().contains("version = 1.10"));
}
