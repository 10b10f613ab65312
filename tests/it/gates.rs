//! `gate list`, `set --digest`, `hold`, `unhold`, `promote`: what they write and what they refuse.

use crate::env::TestEnv;

const APPS: &str = "\
# what runs
[deploy.api] # the API
image = \"registry.example.com/api\"
version = \"1.42.0\" # since May
digest = \"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"
allow = \">=1.4, <2\"

[api]
log = \"info\"
";

/// A digest of one digit.
fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

fn shop() -> TestEnv {
    let env = TestEnv::new();
    let host = |name: &str| format!("[hosts.{name}]\nengine = \"unix:///nonexistent\"\ngroups = [\"web\"]\n");
    let hosts: String = ["web1", "web2", "db1"].map(host).concat();
    env.write(
        "pillarbox.toml",
        format!("workspace = \"shop\"\n[groups.web]\npillar = [\"apps\"]\nstates = [\"api\"]\n{hosts}"),
    )
    .write("states/api.toml", "[api_up.container.running]\nname = \"api\"\ngate = \"api\"\n")
    .write("pillar/apps.toml", APPS);
    env
}

fn compiled(env: &TestEnv, host: usize) -> String {
    let said = env.run(&["--no-identity", "compile"]).ok().json();
    said["hosts"][host]["states"][0]["image"].as_str().expect("an image").to_owned()
}

#[test]
fn version_and_digest_are_written_together_and_the_rest_of_the_file_stays() {
    let env = shop();
    env.run(&["gate", "set", "api", "1.43.0", "--digest", &digest('b')]).ok().explains("api is 1.43.0 (bbbb");
    let expected = APPS.replace("1.42.0", "1.43.0").replace(&digest('a'), &digest('b'));
    assert_eq!(env.read("pillar/apps.toml"), expected);
    assert_eq!(compiled(&env, 0), format!("registry.example.com/api:1.43.0@{}", digest('b')));
    env.run(&["gate", "set", "api", "1.43.0", "--digest", &digest('b')]).ok().explains("already");
    env.run(&["gate", "set", "api", "1.43.0", "--digest", &digest('c')])
        .ok()
        .explains("the tag 1.43.0 was moved: it stood for bbbbbbbbbbbb and stands for cccccccccccc");
}

#[test]
fn a_canary_is_promoted_and_its_own_values_go() {
    let env = shop();
    env.write("pillar/hosts/web2.toml", "# web2\n[deploy.api]\nhold = \"its disk is full\"\n");
    env.run(&["gate", "set", "api", "1.43.0", "--digest", &digest('b'), "--host", "web*"]).ok();
    assert_eq!(env.read("pillar/apps.toml"), APPS);
    let own = format!("[deploy.api]\nversion = \"1.43.0\"\ndigest = \"{}\"\n", digest('b'));
    assert_eq!(env.read("pillar/hosts/web1.toml"), own);
    assert!(compiled(&env, 0).contains(":1.42.0@") && compiled(&env, 1).contains(":1.43.0@"));
    env.run(&["gate", "set", "api", "1.42.1", "--digest", &digest('d')])
        .ok()
        .explains("web1 keeps its own: 1.43.0, pillar/hosts/web1.toml:2");
    env.run(&["gate", "promote", "api", "--from", "web1"])
        .ok()
        .explains("api is 1.43.0 in pillar/apps.toml")
        .explains("no values of their own any more: web1, web2");
    assert_eq!(
        env.read("pillar/apps.toml"),
        APPS.replace("1.42.0", "1.43.0").replace(&digest('a'), &digest('b'))
    );
    assert!(!env.files().keys().any(|path| path.ends_with("web1.toml")));
    assert_eq!(env.read("pillar/hosts/web2.toml"), "# web2\n[deploy.api]\nhold = \"its disk is full\"\n");
    env.run(&["gate", "promote", "api", "--from", "web1"]).exits(1).explains("no version of api of its own");
    env.run(&["gate", "promote", "api", "--from", "web9"]).exits(64).explains("did you mean");
}

#[test]
fn a_host_with_another_version_keeps_it_when_one_is_promoted() {
    let env = shop();
    env.run(&["gate", "set", "api", "1.43.0", "--digest", &digest('b'), "--host", "web1"]).ok();
    env.run(&["gate", "set", "api", "1.44.0", "--digest", &digest('c'), "--host", "web2"]).ok();
    env.run(&["gate", "promote", "api", "--from", "web1"]).ok().explains("something else is named for web2");
    assert!(compiled(&env, 2).contains(":1.44.0@") && compiled(&env, 0).contains(":1.43.0@"));
}

#[test]
fn a_hold_says_why_and_a_host_can_be_let_go_by_itself() {
    let env = shop();
    env.run(&["gate", "hold", "api", "-m", " "]).exits(64).explains("a hold has a reason");
    env.run(&["gate", "hold", "api", "-m", "error rate went up"]).ok();
    env.run(&["gate", "list"]).ok().says("held: error rate went up");
    env.run(&["gate", "unhold", "api", "--host", "web1"]).ok().explains("web2 is still held");
    assert_eq!(env.read("pillar/hosts/web1.toml"), "[deploy.api]\nhold = false\n");
    let gates = env.run(&["--json", "gate", "list"]).ok().json();
    assert_eq!(
        (&gates["gates"][0]["hold"], &gates["gates"][0]["held"]),
        (&"error rate went up".into(), &true.into())
    );
    assert_eq!((&gates["gates"][1]["host"], &gates["gates"][1]["held"]), (&"web1".into(), &false.into()));
    env.run(&["gate", "unhold", "api"]).ok();
    assert_eq!(env.read("pillar/apps.toml"), APPS);
    env.run(&["gate", "unhold", "api"]).ok().explains("is not held");
}

#[test]
fn what_is_not_allowed_is_refused_when_it_is_set_and_when_it_is_planned() {
    let env = shop();
    let set = |version: &str| env.run(&["gate", "set", "api", version, "--digest", &digest('b')]);
    let _ = set("9").exits(1);
    let before = env.files();
    set("2.0.0").exits(1).explains("version 2.0.0 of api is not allowed").explains("pillar/apps.toml:6");
    set("latest").exits(1).explains("version `latest` has no number to compare with `allow`");
    set("2024-05-01").exits(1).explains("has no number");
    set("a b").exits(64).explains("is not a tag");
    env.run(&["gate", "set", "api", "1.5.0", "--digest", "sha256:12"]).exits(64).explains("is not a digest");
    env.run(&["gate", "set", "api", "1.5.0", "--digest", &digest('b'), "--host", "db9"]).exits(64);
    assert_eq!(env.files(), before);
    set("1.10-alpine").ok();
    env.write("pillar/apps.toml", APPS.replace("1.42.0", "2.1"));
    env.run(&["plan"]).exits(1).explains("pillar/apps.toml:4: version 2.1 of api is not allowed");
}

#[test]
fn a_gate_that_is_not_sound_stops_the_plan_with_its_line() {
    let env = shop();
    for (apps, said) in [
        ("[deploy.api]\nversion = \"1\"\n", "has no `image`"),
        ("[deploy.api]\nimage = \"a\"\n", "has no `version`"),
        ("[deploy.api]\nimage = \"a\"\nverison = \"1\"\n", "did you mean `version`?"),
        ("[deploy.apo]\nimage = \"a\"\nversion = \"1\"\n", "did you mean `apo`?"),
        ("", "this host has no gate `api`"),
    ] {
        env.write("pillar/apps.toml", apps);
        env.run(&["plan"]).exits(1).explains(said);
    }
    env.run(&["gate", "set", "api", "1"]).exits(64).explains("there is no gate `api`").explains("--image");
}

#[test]
fn a_digest_does_not_stay_behind_when_only_the_version_is_set() {
    let env = shop();
    env.run(&["set", "deploy.api.version", "1.43.0"]).exits(64).explains("pillarbox gate set 'api' '1.43.0'");
    env.run(&["set", "deploy.api.version", "1.43.0", "--host", "web1"]).exits(64);
    env.write("pillar/hosts/web1.toml", "[deploy.api]\nversion = \"1.43.0\"\n");
    env.run(&["plan"]).exits(1).explains("version and digest of api are in different files");
}

#[test]
fn which_of_several_files_is_meant_has_to_be_said() {
    let env = shop();
    env.write("pillar/staging.toml", "[deploy.api]\nversion = \"2\"\n");
    env.run(&["gate", "hold", "api", "-m", "x"])
        .exits(64)
        .explains("pillarbox gate hold --in staging 'api'")
        .explains("pillarbox gate hold --in apps 'api'");
    env.run(&["gate", "hold", "api", "-m", "x", "--in", "apps"]).ok();
    env.run(&["gate", "set", "new", "1", "--digest", &digest('e'), "--image", "a/b", "--in", "staging"]).ok();
    assert!(
        env.read("pillar/staging.toml").contains("[deploy.new]\nimage = \"a/b\"\nversion = \"1\"\ndigest = ")
    );
}

#[test]
fn an_image_put_together_from_a_gate_is_pinned_by_it_and_a_host_is_asked_only_where_it_pulls() {
    let env = shop();
    let image = "{{ pillar.deploy.api.image }}:{{ pillar.deploy.api.version }}";
    env.write(
        "states/api.toml",
        format!("[api_up.container.running]\nname = \"api\"\nimage = \"{image}\"\n"),
    );
    assert_eq!(compiled(&env, 0), format!("registry.example.com/api:1.42.0@{}", digest('a')));
    env.write("states/api.toml", "[x.container.absent]\nname = \"api\"\n");
    env.run(&["gate", "set", "api", "1.43.0"]).exits(1).explains("--digest sha256:…").lacks("0000000000");
    assert_eq!(env.read("pillar/apps.toml"), APPS);
}
