//! `registry export`: credentials in the formats of other tools.

use crate::credential_get::add;
use crate::env::{Output, TestEnv, has_program, mode};
use crate::search::{files_with, holds};
use crate::terminal::typed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

const KEY: &str = "{\n  \"type\": \"service_account\",\r\n\t\"private_key\": \"-----BEGIN\\n~?>é\"\n}\n";

/// The Hub, a registry, a prefix, an anonymous part, a token and a helper.
fn shop() -> TestEnv {
    let env = TestEnv::initialised();
    add(&env, "docker.io", "hubber", "hub-pw");
    add(&env, "registry.example.com:5000", "deploy", "it's b~?>");
    add(&env, "ghcr.io/acme", "bot", "prefix-pw");
    env.run(&["registry", "add", "ghcr.io/acme/free", "--anonymous"]).ok();
    env.run_with_input(&["registry", "add", "quay.io", "--identity-token-stdin"], "tok").ok();
    env.run(&["registry", "add", "gcr.io", "--helper", "gcloud"]).ok();
    env
}

fn export(env: &TestEnv, arguments: &[&str]) -> Output {
    env.run(&[&["registry", "export", "--format"], arguments].concat())
}

fn auth(user: &str, secret: &str) -> Value {
    json!({ "auth": STANDARD.encode(format!("{user}:{secret}")) })
}

#[test]
fn docker_gets_hosts_and_helpers_and_hears_what_it_cannot_have() {
    let env = shop();
    let said = export(&env, &["docker"]).ok();
    let token = json!({ "auth": STANDARD.encode("<token>:"), "identitytoken": "tok" });
    let expected = json!({
        "auths": {
            "https://index.docker.io/v1/": auth("hubber", "hub-pw"),
            "quay.io": token,
            "registry.example.com:5000": auth("deploy", "it's b~?>"),
        },
        "credHelpers": { "gcr.io": "gcloud" },
    });
    assert_eq!(said.json(), expected);
    said.explains("warning: ghcr.io/acme is left out: docker has one credential for a host")
        .explains("ghcr.io/acme/free is left out: it has no credential");
    // What is named and cannot be is an error, and so is what is not there.
    export(&env, &["docker", "--registry", "ghcr.io/acme"]).exits(1).explains("docker has one credential");
    export(&env, &["docker", "--registry", "quay.example.com"]).exits(1).explains("there is no entry for");
    export(&env, &["docker", "--registry", "a b"]).exits(64);
    let one = export(&env, &["docker", "--registry", "https://index.docker.io/v1/"]).ok().json();
    assert_eq!(one, json!({ "auths": { "https://index.docker.io/v1/": auth("hubber", "hub-pw") } }));
}

#[test]
fn podman_gets_prefixes_and_the_hub_under_its_own_name() {
    let env = shop();
    let said = export(&env, &["podman"]).ok().json();
    assert_eq!(said["auths"]["docker.io"], auth("hubber", "hub-pw"));
    assert_eq!(said["auths"]["ghcr.io/acme"], auth("bot", "prefix-pw"));
    assert_eq!(said["credHelpers"], json!({ "gcr.io": "gcloud" }));
    // A part of what an entry covers is answered as an image there would be.
    let part = export(&env, &["podman", "--registry", "ghcr.io/acme/api"]).ok().json();
    assert_eq!(part, json!({ "auths": { "ghcr.io/acme": auth("bot", "prefix-pw") } }));
    let below = export(&env, &["podman", "--registry", "ghcr.io"]).ok();
    below.explains("exported for podman: ghcr.io/acme\n");
}

#[test]
fn kubernetes_gets_a_manifest_of_a_secret() {
    let env = shop();
    let said = export(&env, &["kubernetes", "--name", "pull", "--namespace", "1"])
        .ok()
        .explains("quay.io is left out");
    let text = said.stdout().to_owned();
    let data = text.trim_end().rsplit(' ').next().expect("the data");
    assert_eq!(
        text,
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"pull\"\n  namespace: \"1\"\n\
             type: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {data}\n"
        )
    );
    let config: Value = serde_json::from_slice(&STANDARD.decode(data).expect("base64")).expect("JSON");
    let expected = json!({ "auths": {
        "https://index.docker.io/v1/": auth("hubber", "hub-pw"),
        "registry.example.com:5000": auth("deploy", "it's b~?>"),
        "ghcr.io/acme": auth("bot", "prefix-pw"),
    } });
    assert_eq!(config, expected);
    export(&env, &["kubernetes", "--name", "Pull_it"]).exits(64).explains("RFC 1123");
    export(&env, &["kubernetes", "--namespace", "a.b"]).exits(64);
}

#[test]
fn variables_are_read_by_sh_and_compose_alike() {
    let env = shop();
    add(&env, "tricky.example.com", "user$(x)", "a b#c\\d`e`\"f\"$HOME!é~");
    let file = env.home().join("registries.env");
    let to = file.display().to_string();
    let said = export(&env, &["env", "--to", &to]).ok();
    said.explains("gcr.io is left out: a helper is asked each time").explains("in clear text");
    let expected = [
        ("REGISTRY_DOCKER_IO_USERNAME", "hubber"),
        ("REGISTRY_REGISTRY_EXAMPLE_COM_5000_PASSWORD", "it's b~?>"),
        ("REGISTRY_GHCR_IO_ACME_PASSWORD", "prefix-pw"),
        ("REGISTRY_QUAY_IO_IDENTITY_TOKEN", "tok"),
        ("REGISTRY_TRICKY_EXAMPLE_COM_USERNAME", "user$(x)"),
        ("REGISTRY_TRICKY_EXAMPLE_COM_PASSWORD", "a b#c\\d`e`\"f\"$HOME!é~"),
    ];
    for (name, value) in expected {
        let script = format!(". '{to}'; printf %s \"${name}\"");
        let read = env.program("sh", &["-euc", &script]).run().ok();
        assert_eq!(read.stdout(), value, "{name} in sh");
    }
    export(&env, &["env", "--to", &to]).exits(1).explains("is there already").explains("--force");
    export(&env, &["env", "--to", &to, "--force", "--registry", "quay.io"]).ok();
    assert_eq!(fs::read_to_string(&file).expect("a file"), "REGISTRY_QUAY_IO_IDENTITY_TOKEN='tok'\n");
    // What the two would read in two ways is refused.
    for secret in ["a'$b", "a\\", KEY] {
        add(&env, "tricky.example.com", "u", secret);
        export(&env, &["env", "--registry", "tricky.example.com"])
            .exits(1)
            .explains("cannot be exported")
            .explains("--format docker")
            .lacks("BEGIN");
    }
    if !has_program("docker-compose") {
        return;
    }
    add(&env, "tricky.example.com", "user$(x)", expected[5].1);
    export(&env, &["env", "--to", &to, "--force"]).ok();
    let names = expected.iter().map(|(name, _)| format!("      {name}: ${{{name}}}\n")).collect::<String>();
    let compose = format!("version: '3'\nservices:\n  a:\n    image: x\n    environment:\n{names}");
    fs::write(env.home().join("compose.yml"), compose).expect("written");
    let arguments = ["--env-file", &to, "-f", "compose.yml", "config"];
    let read = env.program("docker-compose", &arguments).within(env.home()).run().ok();
    let config = yaml(&env, read.stdout());
    for (name, value) in expected {
        let said = &config["services"]["a"]["environment"][name];
        // Compose doubles dollars when it prints a configuration.
        assert_eq!(said.as_str().expect(name).replace("$$", "$"), value, "{name} in Compose");
    }
}

/// YAML by another reader.
fn yaml(env: &TestEnv, text: &str) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    env.program("/usr/bin/python3", &["-c", script]).input(text).run().ok().json()
}

#[test]
fn a_file_that_clients_have_is_added_to_and_only_its_owner_can_read_it() {
    let env = shop();
    let file = env.home().join(".docker/config.json");
    let to = file.display().to_string();
    export(&env, &["docker", "--registry", "docker.io", "--to", &to])
        .ok()
        .says_only("")
        .explains(&format!("wrote {to}: docker.io\n"))
        .explains("its mode is 0600: only its owner")
        .explains("base64, which is not encryption");
    assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
    let old = "{\n  \"auths\": {\n    \"registry.example.com:5000\": { \"auth\": \"b2xkOm9sZA==\" },\n    \"mine.example.com\": {}\n  },\n  \"psFormat\": \"x\"\n}\n";
    fs::write(&file, old).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("its mode");
    export(&env, &["docker", "--to", &to]).ok().explains("replaced in it: registry.example.com:5000");
    assert_eq!(mode(&file), 0o600);
    let now: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
    assert_eq!((&now["psFormat"], &now["auths"]["mine.example.com"]), (&json!("x"), &json!({})));
    assert_eq!(now["auths"]["registry.example.com:5000"], auth("deploy", "it's b~?>"));
    assert_eq!(now["credHelpers"], json!({ "gcr.io": "gcloud" }));
    // A link stays, and what it leads to is written.
    let link = env.home().join("link.json");
    symlink(&file, &link).expect("a link");
    export(&env, &["docker", "--to", "../link.json", "--registry", "quay.io", "--force"]).ok();
    let now: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
    assert!(link.is_symlink() && now["auths"].as_object().expect("auths").len() == 1);
    fs::write(&file, "{ broken").expect("written");
    export(&env, &["docker", "--to", &to]).exits(1).explains("not JSON");
    assert_eq!(fs::read_to_string(&file).expect("a file"), "{ broken");
    fs::write(&file, "{ \"credsStore\": \"desktop\" }").expect("written");
    export(&env, &["docker", "--to", &to]).ok().explains("names the helper `desktop`");
    // Not over what is no file, and not into what is committed.
    export(&env, &["env", "--to", "/dev/null", "--force"]).exits(1);
    for inside in ["pillar.env", "pillar/x.env", "../shop/new/x.env"] {
        export(&env, &["env", "--to", inside]).exits(1).explains("is in the workspace");
    }
}

#[test]
fn a_terminal_is_shown_nothing_unless_that_is_asked_for() {
    let env = shop();
    let (code, said) = typed(&env, "registry export --format docker", &[]);
    assert!(code == 64 && said.contains("--show") && said.contains("--to FILE"), "{said}");
    assert!(!holds(said.as_bytes(), "hub-pw"), "{said}");
    let (code, said) = typed(&env, "registry export --format docker --show", &[]);
    assert!(code == 0 && holds(said.as_bytes(), "hub-pw"), "{said}");
    let to = env.home().join("x.json").display().to_string();
    let (code, said) = typed(&env, &format!("registry export --format docker --to '{to}'"), &[]);
    assert!(code == 0 && !holds(said.as_bytes(), "hub-pw"), "{said}");
}

#[test]
fn what_opens_here_and_what_a_host_reads_is_what_is_exported() {
    let env = shop();
    let stranger = env.home().join("stranger.txt");
    env.run(&["identity", "new", stranger.to_str().expect("UTF-8")]).ok();
    let public = env.run(&["identity", "public", "--identity", stranger.to_str().expect("UTF-8")]).ok();
    env.write("keys/bob.pub", public.stdout());
    let bob = stranger.to_str().expect("UTF-8");
    env.run(&["--identity", bob, "box", "new", "other", "--readers", "bob"]).ok();
    let other =
        ["registry", "add", "other.example.com", "--in", "other/registries", "-u", "u", "--password-stdin"];
    env.run_with_input(&other, "CANARY").ok();
    export(&env, &["docker"]).ok().explains("other.example.com is left out: no identity here opens it");
    export(&env, &["docker", "--registry", "other.example.com"]).exits(10);
    env.run(&["--no-identity", "registry", "export", "--format", "env"]).exits(10);
    // An entry that two files have is one of a file, or of a host.
    let prod = ["registry", "add", "quay.io", "--in", "prod/registries", "-u", "prod", "--password-stdin"];
    env.run_with_input(&prod, "prod-pw").ok();
    export(&env, &["docker"])
        .exits(64)
        .explains("several entries for quay.io")
        .explains("--in 'prod/registries.toml'");
    export(&env, &["docker", "--registry", "docker.io"]).ok();
    let one = export(&env, &["docker", "--in", "prod/registries"]).ok().json();
    assert_eq!(one, json!({ "auths": { "quay.io": auth("prod", "prod-pw") } }));
    env.write(
        "pillarbox.toml",
        "workspace = \"shop\"\n[hosts.web1]\nengine = \"unix:///x\"\npillar = [\"prod/registries\"]\n\
         [hosts.web2]\nengine = \"unix:///x\"\npillar = [\"prod/registries\", \"registries/docker.io\"]\n",
    );
    let hosts = export(&env, &["docker", "--host", "web*"]).ok().json();
    let keys: Vec<&String> = hosts["auths"].as_object().expect("auths").keys().collect();
    assert_eq!(keys, ["https://index.docker.io/v1/", "quay.io"]);
    assert_eq!(export(&env, &["docker", "--host", "web1"]).ok().json(), one);
    export(&env, &["docker", "--host", "db*"]).exits(64);
    // A value that was moved from elsewhere exports nothing.
    let text = env.read("pillar/registries/docker.io.toml");
    env.write("pillar/registries/docker.io.toml", text.replace("docker.io", "hub.example.com"));
    let to = env.home().join("new.json");
    export(&env, &["docker", "--host", "web2", "--to", to.to_str().expect("UTF-8")]).exits(8);
    assert!(!to.exists());
}

#[test]
fn an_exported_secret_is_nowhere_but_in_what_was_asked_for() {
    const SECRET: &str = "CANARY-export~?>-0001";
    let mut env = TestEnv::initialised();
    env.set_var("RUST_LOG", "trace");
    add(&env, "ghcr.io", "bot", SECRET);
    let to = env.home().join("out").display().to_string();
    for format in ["docker", "podman", "kubernetes", "env"] {
        let said = export(&env, &[format, "--to", &to, "--force", "--json"]).ok();
        let json = said.json();
        assert_eq!((&json["exported"][0]["username"], &json["content"]), (&json!("bot"), &Value::Null));
        assert!(!holds(said.stdout().as_bytes(), SECRET) && !holds(said.stderr().as_bytes(), SECRET));
        // A Secret's data is base64 of base64.
        let mut found = Vec::new();
        files_with(env.home().parent().expect("the root"), SECRET, &mut found);
        assert!(format == "kubernetes" || found == [to.clone()], "{format}: {found:?}");
        fs::remove_file(&to).expect("removed");
        let said = export(&env, &[format]).ok();
        assert!(format == "kubernetes" || holds(said.stdout().as_bytes(), SECRET));
        assert!(!holds(said.stderr().as_bytes(), SECRET));
        let content = export(&env, &[format, "--json"]).ok().json();
        assert_eq!(content["content"].as_str(), Some(said.stdout()));
    }
    let mut found = Vec::new();
    files_with(env.home().parent().expect("the root"), SECRET, &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_secret_of_several_lines_goes_in_and_out_byte_for_byte() {
    let env = TestEnv::initialised();
    env.set_standing_workspace();
    let file = env.home().join("key.json");
    fs::write(&file, KEY).expect("written");
    let path = file.to_str().expect("UTF-8");
    let kept = |registry: &str| {
        let said = env.run(&["reveal", &format!("registries.\"{registry}\".password")]).ok();
        said.stdout().to_owned()
    };
    let from_file = ["registry", "add", "pkg.example.com", "-u", "_json_key", "--password-file", path];
    env.run(&from_file).ok().lacks("warning").lacks("BEGIN");
    assert_eq!(kept("pkg.example.com"), KEY, "a file is taken whole");
    // Of standard input one line end goes, LF or CRLF, and no other.
    for (given, taken) in
        [("a\nb", "a\nb"), ("a\nb\n", "a\nb"), ("a\r\n\r\n", "a\r\n"), ("a\n\n", "a\n"), ("a\r", "a\r")]
    {
        add(&env, "lines.example.com", "u", given);
        assert_eq!(kept("lines.example.com"), taken, "{given:?}");
    }
    let answer = env.helper("get", "pkg.example.com").ok().json();
    assert_eq!(answer, json!({ "ServerURL": "pkg.example.com", "Username": "_json_key", "Secret": KEY }));
    let out = export(&env, &["docker", "--registry", "pkg.example.com"]).ok().json();
    assert_eq!(out["auths"]["pkg.example.com"], auth("_json_key", KEY));
    // A line end that an editor left is said; what cannot be carried is refused with the reason.
    fs::write(&file, "pw\n").expect("written");
    env.run(&from_file).ok().explains("the line end at the end of the file is part of the password");
    assert_eq!(kept("pkg.example.com"), "pw\n");
    for (bytes, why) in [
        (&b"CANARY\0"[..], "NUL"),
        (b"CAN\x1b[200~ARY", "control character"),
        (b"CANARY\xff", "not UTF-8"),
        (b"", "empty"),
    ] {
        fs::write(&file, bytes).expect("written");
        env.run(&from_file).exits(1).explains(why).lacks("CANARY");
    }
    let token = ["registry", "add", "quay.io", "--identity-token-stdin"];
    env.run_with_input(&token, "CANARY\nCANARY").exits(1).explains("more than one line").lacks("CANARY");
    env.run(&["registry", "add", "x.io", "-u", "a:b", "--password-file", path])
        .exits(64)
        .explains("RFC 7617");
    env.run(&["registry", "add", "x.io", "-u", "u", "--password-file", path, "--password-stdin"]).exits(64);
    env.run(&["registry", "add", "x.io", "--password-file", path]).exits(64).explains("needs a user name");
}
