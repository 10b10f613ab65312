//! Credentials that end by themselves.

use crate::env::TestEnv;
use crate::import::{auth, file};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

fn jwt(exp: i64) -> String {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.CANARYc2ln", part("{\"alg\":\"none\"}".to_owned()), part(format!("{{\"exp\":{exp}}}")))
}

/// In the years 2001 and 2286.
const OVER: i64 = 1_000_000_000;
const LATER: i64 = 9_999_999_999;

#[test]
fn tokens_of_clouds_are_warned_of_with_the_helper_that_makes_new_ones() {
    let env = TestEnv::initialised();
    let add = |registry: &str, user: &str, secret: &str| {
        env.run_with_input(&["registry", "add", registry, "-u", user, "--password-stdin"], secret).ok()
    };
    let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    add(ecr, "AWS", "CANARY")
        .explains("a token of Amazon ECR")
        .explains("--helper ecr-login")
        .lacks("CANARY");
    add("eu.gcr.io", "oauth2accesstoken", "CANARY").explains("at the latest").explains("--helper gcloud");
    add("acme.azurecr.io", "00000000-0000-0000-0000-000000000000", &jwt(OVER))
        .explains("ended at 2001-09-09T01:46:40Z")
        .explains("--helper acr-env")
        .lacks("CANARY");
    add("later.io", "u", &jwt(LATER))
        .explains("note: the credential for later.io ends at 2286-11-20T17:46:39Z");
    add("plain.io", "u", "a.b.c").lacks("ends at");
    let list = env.run(&["registry", "list"]).ok();
    let line = |name: &str| list.stdout().lines().find(|line| line.starts_with(name)).expect(name).to_owned();
    assert!(line("acme.azurecr.io").contains("expired 2001-09-09T01:46:40Z"), "{}", list.stdout());
    assert!(line("later.io").contains("expires 2286-11-20T17:46:39Z"));
    assert!(line(ecr).contains("expires 2"));
    assert!(!line("plain.io").contains("expire"));
    let shown = env.run(&["--json", "registry", "list"]).ok().json();
    assert_eq!(shown["registries"][1]["expired"], true);
    // Whether it opens here or not.
    for identity in [&["doctor", "--offline"][..], &["--no-identity", "doctor", "--offline"]] {
        env.run(identity)
            .exits(1)
            .says("the credential of acme.azurecr.io has expired: 2001-09-09T01:46:40Z");
    }
    // A new secret says anew when it ends.
    add("acme.azurecr.io", "acme", "lasting");
    env.run(&["registry", "list"]).ok().lacks("expired");
    env.run_with_input(&["seal", "registries.'later.io'.password"], "lasting").ok();
    env.run(&["registry", "list"]).ok().lacks("2286");
    env.run(&["verify", "--require-open"]).ok();
}

#[test]
fn an_import_keeps_when_a_token_ends() {
    let env = TestEnv::initialised();
    let config =
        json!({ "auths": { "a.io": auth("u", &jwt(OVER)), "b.io": { "identitytoken": jwt(LATER) } } });
    let (_, named) = file(&env, "auth.json", &config.to_string());
    env.run(&["registry", "import", &named, "-y"])
        .ok()
        .explains("warning: the credential for a.io ended at 2001-09-09T01:46:40Z")
        .explains("note: the credential for b.io ends at 2286-11-20T17:46:39Z");
    env.run(&["registry", "list"]).ok().says("expired 2001").says("expires 2286");
    assert!(env.read("pillar/registries/a.io.toml").contains("expires = 2001-09-09T01:46:40Z\n"));
    let config = json!({ "auths": { "a.io": auth("u", "lasting") } });
    let (_, named) = file(&env, "auth.json", &config.to_string());
    env.run(&["registry", "import", &named, "-y"]).ok().says("replaces another");
    assert!(!env.read("pillar/registries/a.io.toml").contains("expires"));
}

#[test]
fn hosts_are_taken_as_they_are_asked_for() {
    let env = TestEnv::initialised();
    env.run_with_input(&["registry", "add", "hub.docker.com", "-u", "acme", "--password-stdin"], "p")
        .exits(64)
        .explains("the registry is docker.io: pillarbox registry add docker.io -u 'acme'");
    env.run_with_input(&["registry", "add", "bücher.example:5000/team", "-u", "u", "--password-stdin"], "p")
        .ok()
        .explains("xn--bcher-kva.example:5000/team");
    let config = json!({ "auths": { "bücher.example": auth("u", "p"), "hub.docker.com": auth("u", "p") } });
    env.run_with_input(&["registry", "import", "-", "-y"], config.to_string())
        .exits(1)
        .says("from bücher.example")
        .explains("the registry is docker.io");
    env.run(&["registry", "remove", "bücher.example"]).ok();
    env.run(&["registry", "list"]).ok().says("xn--bcher-kva.example:5000/team");
}
