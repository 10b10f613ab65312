//! `registry import`.

use crate::env::TestEnv;
use crate::helper_wiring::program;
use crate::search::{files_with, holds};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

/// A file of the test's home.
pub(crate) fn file(env: &TestEnv, name: &str, text: &str) -> (PathBuf, String) {
    let path = env.home().join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(&path, text).expect("written");
    let named = path.to_str().expect("a path").to_owned();
    (path, named)
}

pub(crate) fn auth(user: &str, password: &str) -> serde_json::Value {
    json!({ "auth": STANDARD.encode(format!("{user}:{password}")) })
}

pub(crate) fn secret(env: &TestEnv, key: &str) -> String {
    env.run(&["reveal", key]).ok().stdout().to_owned()
}

#[test]
fn a_config_of_docker_is_shown_and_then_imported_as_one_change() {
    let env = TestEnv::initialised();
    let config = json!({ "auths": {
        "https://index.docker.io/v1/": auth("hub", "CANARY:1~?>é"),
        "ghcr.io": { "identitytoken": "CANARY-2" },
        "x.io": {},
    } });
    let (path, _) = file(&env, ".docker/config.json", &config.to_string());
    let before = env.files();
    env.run(&["registry", "import"])
        .exits(9)
        .says("docker.io  hub  password")
        .says("pillar/registries/docker.io.toml")
        .explains("Import 2 credentials into the pillar?")
        .lacks("CANARY");
    assert!(env.files() == before, "nothing was asked, so nothing is done");
    env.run(&["registry", "import", "-y"]).ok().explains("imported 2 credentials").lacks("CANARY");
    assert_eq!(secret(&env, "registries.docker.io.password"), "CANARY:1~?>é");
    assert_eq!(secret(&env, "registries.ghcr.io.identity_token"), "CANARY-2");
    assert_eq!(
        fs::read_to_string(&path).expect("the source"),
        config.to_string(),
        "the source stays as it is"
    );
    let ids = env.files();
    env.run(&["registry", "import", "-y"]).ok().says("same: stays").explains("2 stood in it already");
    assert!(env.files() == ids, "what is the same is not sealed again");
    env.run(&["verify"]).ok();
    // Another password replaces, in place.
    let config = json!({ "auths": { "docker.io": auth("hub", "CANARY-3") } });
    file(&env, ".docker/config.json", &config.to_string());
    env.run(&["registry", "import", "-y"]).ok().says("replaces another");
    assert_eq!(secret(&env, "registries.docker.io.password"), "CANARY-3");
    let shown = env.run(&["--json", "registry", "import", "-y"]).ok().json();
    assert_eq!(shown["registries"][0]["does"], "same");
    assert_eq!(shown["registries"][0]["username"], "hub");
    // What does not open here cannot be compared.
    env.run(&["--no-identity", "registry", "import", "-y"]).ok().says("replaces one that does not open here");
}

#[test]
fn helpers_that_a_config_names_are_asked_and_short_lived_ones_are_named() {
    let mut env = TestEnv::initialised();
    let script = "#!/bin/sh\nin=$(cat)\ncase \"$1 $in\" in\n\
        'list unused') echo '{\"https://index.docker.io/v1/\":\"hub\",\"tok.io\":\"<token>\",\"https://index.docker.io/v1/access-token\":\"x\"}';;\n\
        'get https://index.docker.io/v1/') printf '{\"ServerURL\":\"%s\",\"Username\":\"hub\",\"Secret\":\"CANARY-1\"}' \"$in\";;\n\
        'get tok.io') printf '{\"ServerURL\":\"%s\",\"Username\":\"\\\\u003ctoken\\\\u003e\",\"Secret\":\"CANARY-2\"}' \"$in\";;\n\
        'get one.io') printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"CANARY-3\"}' \"$in\";;\n\
        *) echo \"asked for $in\" >&2; echo 'credentials not found in native keychain'; exit 1;;\nesac\n";
    program(&mut env, "docker-credential-kept", script);
    program(&mut env, "docker-credential-ecr-login", "#!/bin/sh\nexit 9\n");
    program(&mut env, "docker-credential-pillarbox", "#!/bin/sh\nexit 9\n");
    let config = json!({
        "credsStore": "kept",
        "credHelpers": { "1.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login", "one.io": "kept", "own.io": "pillarbox" },
    });
    let (_, named) = file(&env, "config.json", &config.to_string());
    env.run(&["registry", "import", &named, "-y"])
        .exits(1)
        .says("helper ecr-login")
        .explains("login in the browser")
        .explains("imported 4 credentials; 1 left out")
        .lacks("asked for")
        .lacks("CANARY");
    env.run(&["registry", "import", &named, "-y", "--skip-bad"]).ok().explains("4 stood in it already");
    assert_eq!(secret(&env, "registries.docker.io.password"), "CANARY-1");
    assert_eq!(secret(&env, "registries.tok.io.identity_token"), "CANARY-2");
    assert_eq!(secret(&env, "registries.one.io.password"), "CANARY-3");
    env.run(&["registry", "list"]).ok().says("helper ecr-login").lacks("own.io");
    // podman does not read `credsStore`.
    let (_, named) = file(&env, "auth.json", "{\"credsStore\": \"kept\"}");
    env.run(&["registry", "import", &named, "--format", "podman"]).ok().explains("nothing to import");
    let (_, named) =
        file(&env, "gone.json", "{\"credHelpers\": {\n\"none.io\": \"nothere\", \"lost.io\": \"kept\"}}");
    env.run(&["registry", "import", &named, "-y"])
        .exits(1)
        .explains("~/gone.json:2")
        .explains("there is no program docker-credential-nothere in PATH")
        .explains("has no credential for lost.io");
}

#[test]
fn a_pillar_of_salt_goes_into_one_file_of_another_box() {
    let env = TestEnv::initialised();
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    env.write("pillar/prod/registries.toml", "# ours\r\n[registries.\"old.io\"]\r\nusername = \"u\"\r\n");
    let pillar = "docker-registries:\n  https://index.docker.io/v1/:\n    email: ops@example.com\n    password: CANARY-1\n    username: accountname\n\
                  team-docker-registries:\n  'registry.example.com:5000':\n    username: deploy\n    password: \"CANARY-2\"\n";
    env.run_with_input(&["registry", "import", "-", "-y", "--in", "prod/registries"], pillar)
        .ok()
        .says("accountname")
        .explains("imported 2 credentials")
        .lacks("CANARY");
    let text = env.read("pillar/prod/registries.toml");
    assert!(
        text.starts_with(
            "# ours\r\n[registries.\"old.io\"]\r\nusername = \"u\"\r\n\r\n[registries.\"docker.io\"]\r\n"
        ),
        "{text}"
    );
    assert!(text.contains("email = \"ops@example.com\"") && !text.replace("\r\n", "").contains('\n'));
    assert_eq!(secret(&env, "registries.registry.example.com:5000.password"), "CANARY-2");
    env.run(&["verify", "--require-open"]).ok().explains("2 sealed values");
    env.run_with_input(&["registry", "import", "-", "-y"], "base:\n  - x\n").exits(1).explains("--format");
    env.run_with_input(&["registry", "import", "-", "--format", "salt"], "{% if x %}docker-registries:")
        .exits(1)
        .explains("salt-call --out=yaml");
}

#[test]
fn entries_that_are_wrong_are_all_named_and_the_others_are_imported() {
    let env = TestEnv::initialised();
    let config = "{\"auths\": {\n\"a.io\": {\"auth\": \"%CANARY\"},\n\"b.io\": {\"auth\": \"Q0FOQVJZ\"},\n\"http://c.io\": {\"auth\": \"dTpDQU5BUlk=\"},\n\
                  \"d.io\": {\"auth\": \"dTpDQU4AQVJZ\"},\n\"https://index.docker.io/v1/refresh-token\": {\"auth\": \"dTpDQU5BUlk=\"},\n\
                  \"e.io\": {\"auth\": \"dTpDQU5BUlk=\"},\n\"https://e.io/\": {\"auth\": \"djpDQU5BUlk=\"},\n\"f.io\": {\"auth\": \"dTr/Q0FOQVJZ\"},\n\"ok.io\": {\"auth\": \"dTpw\"}}}";
    let (_, named) = file(&env, "config.json", config);
    let before = env.files();
    env.run(&["registry", "import", &named]).exits(9).explains("left out").lacks("CANARY");
    assert!(env.files() == before, "nothing was asked, so nothing is done");
    let said = env.run(&["registry", "import", &named, "-y"]).exits(1);
    for text in [
        "config.json:2: the entry of `a.io` cannot be imported: its `auth` is not base64",
        "config.json:3: the entry of `b.io` cannot be imported: its `auth` has no `:`",
        "config.json:4: the entry of `http://c.io`",
        "config.json:5: the entry of `d.io` cannot be imported: its secret has a NUL byte",
        "config.json:6:",
        "config.json:8: `e.io` and `https://e.io/` are one registry and have two credentials",
        "config.json:9: the entry of `f.io` cannot be imported: its `auth` is not UTF-8",
        "imported 2 credentials; 7 left out",
        "--skip-bad",
    ] {
        assert!(said.stderr().contains(text), "{text}\n{}", said.stderr());
    }
    said.lacks("CANARY").lacks("dTpDQU5BUlk");
    env.run(&["registry", "import", &named, "-y", "--skip-bad"])
        .ok()
        .explains("2 stood in it already")
        .explains("left out");
    assert_eq!(secret(&env, "registries.ok.io.password"), "p");
    assert_eq!(secret(&env, "registries.e.io.password"), "CANARY");
    // An entry that was asked for by name and is wrong, or is not there.
    env.run(&["registry", "import", &named, "-y", "--only", "a.io"])
        .exits(1)
        .explains("not base64")
        .lacks("b.io");
    env.run(&["registry", "import", &named, "-y", "--only", "z.io"]).exits(1).explains("no entry for z.io");
    for broken in ["", "{", "[]", "{\"auths\": []}", "{\"auths\": {}, \"auths\": {}}"] {
        let (_, named) = file(&env, "config.json", broken);
        env.run(&["registry", "import", &named, "-y", "--format", "docker"])
            .exits(i32::from(!broken.is_empty()));
    }
}

#[test]
fn what_is_in_the_pillar_leaves_the_source_when_asked_and_nothing_else_does() {
    let env = TestEnv::initialised();
    let text = "{\n\t\"auths\": {\n\t\t\"a.io\": {\"auth\": \"dTpw\"},\n\t\t\"b.io\": {\"auth\": \"dTpx\"},\n\t\t\"c.io\": {}\n\t},\n\t\"HttpHeaders\": {\"X\":  1}\n}";
    let (path, named) = file(&env, "config.json", text);
    env.run(&["registry", "import", &named, "-y", "--only", "a.io", "--remove-from-source"])
        .ok()
        .explains("took 1 entry out of ~/config.json");
    assert_eq!(
        fs::read_to_string(&path).expect("the source"),
        "{\n\t\"auths\": {\n\t\t\"b.io\": {\"auth\": \"dTpx\"},\n\t\t\"c.io\": {}\n\t},\n\t\"HttpHeaders\": {\"X\":  1}\n}"
    );
    env.run(&["registry", "list"]).ok().says("a.io").lacks("b.io");
    env.run_with_input(&["registry", "import", "-", "-y", "--remove-from-source"], text).exits(64);
}

#[test]
fn a_thousand_registries_and_a_long_secret_are_imported() {
    let env = TestEnv::initialised();
    let long = "x".repeat(64 << 10);
    let mut auths: serde_json::Map<String, serde_json::Value> =
        (0..1000).map(|n| (format!("r{n}.example.com"), auth("u", &format!("p{n}")))).collect();
    auths.insert("long.example.com/team".to_owned(), auth("_json_key", &long));
    let (_, named) = file(&env, "auth.json", &json!({ "auths": auths }).to_string());
    env.run(&["registry", "import", &named, "-y", "--in", "registries"])
        .ok()
        .explains("imported 1001 credentials");
    assert_eq!(secret(&env, "registries.r777.example.com.password"), "p777");
    assert_eq!(secret(&env, "registries.long.example.com/team.password"), long);
    env.run(&["registry", "import", &named, "-y"]).ok().explains("1001 stood in it already");
}

#[test]
fn an_imported_secret_is_nowhere_but_sealed() {
    const SECRETS: [&str; 3] = ["CANARY-pässword~?>", "CANARY-token-0002", "CANARY-third-0003"];
    let mut env = TestEnv::initialised();
    let seen = env.home().join("seen");
    let answer = format!("{{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"{}\"}}", SECRETS[2]);
    let script = format!(
        "#!/bin/sh\ntr '\\0' ' ' < /proc/$PPID/cmdline >> '{0}'\nenv >> '{0}'\nprintf '{answer}' \"$(cat)\"\necho 'gave {1}' >&2\n",
        seen.display(),
        SECRETS[2]
    );
    program(&mut env, "docker-credential-kept", &script);
    let config = json!({
        "auths": {
            "a.io": auth("u", SECRETS[0]),
            "b.io": { "identitytoken": SECRETS[1] },
            "bad.io": { "auth": SECRETS[0] },
            "http://c.io": auth("u", SECRETS[1]),
        },
        "credHelpers": { "d.io": "kept" },
    })
    .to_string();
    let broken = config.replacen("\"b.io\"", "b.io", 1);
    for (arguments, input, code) in [
        (&["-v", "registry", "import", "-", "--skip-bad"][..], &config, 9),
        (&["registry", "import", "-", "-y"], &config, 1),
        (&["-v", "registry", "import", "-", "-y"], &broken, 1),
        (&["-v", "--json", "registry", "import", "-", "-y", "--skip-bad"], &config, 0),
        (&["-v", "registry", "import", "-", "-y", "--skip-bad"], &config, 0),
        (&["-v", "registry", "helper", "install"], &String::new(), 0),
        (&["-v", "doctor", "--offline"], &String::new(), 1),
    ] {
        let output = env.command(arguments).var("RUST_LOG", "trace").input(input).run().exits(code);
        for secret in SECRETS {
            let said = format!("{}{}", output.stdout(), output.stderr());
            assert!(!holds(said.as_bytes(), secret), "{secret} in the output of {arguments:?}:\n{said}");
        }
    }
    // The fake helper names one itself.
    fs::remove_file(env.home().join("bin/docker-credential-kept")).expect("removed");
    assert!(fs::read(&seen).expect("what the helper saw").len() > 50);
    for secret in SECRETS {
        let mut found = Vec::new();
        files_with(env.home().parent().expect("the root of the test"), secret, &mut found);
        assert!(found.is_empty(), "{secret} in {found:?}");
    }
    assert_eq!(secret(&env, "registries.a.io.password"), SECRETS[0]);
    assert_eq!(secret(&env, "registries.d.io.password"), SECRETS[2]);
}
