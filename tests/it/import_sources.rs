//! `registry import` from every source, and the way of a newcomer.

use crate::env::{TestEnv, mode};
use crate::helper_wiring::program;
use crate::import::{auth, file, secret};
use crate::import_and_export::there_and_back;
use crate::search::files_with;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fs;

/// The file of a service account, as Google gives it: with line ends.
const KEY_FILE: &str = "{\n  \"type\": \"service_account\",\n  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nCANARY-google\\n-----END PRIVATE KEY-----\\n\"\n}\n";

#[test]
fn a_newcomer_moves_three_files_into_the_pillar_and_no_secret_is_lost_or_printed() {
    const SECRETS: [&str; 6] = [
        "CANARY-hub-0001",
        "CANARY-ghcr-0002",
        "CANARY-quay-0003",
        "CANARY-team~?>é",
        "CANARY-kube-0005",
        "CANARY-google",
    ];
    let mut env = TestEnv::initialised();
    let answers = format!(
        "#!/bin/sh\nserver=$(cat)\ncase \"$1 $server\" in\n\
         'list unused') echo '{{\"https://index.docker.io/v1/\":\"hub\",\"ghcr.io\":\"<token>\"}}';;\n\
         'get https://index.docker.io/v1/') printf '{{\"ServerURL\":\"%s\",\"Username\":\"hub\",\"Secret\":\"{}\"}}' \"$server\";;\n\
         'get ghcr.io') printf '{{\"ServerURL\":\"%s\",\"Username\":\"<token>\",\"Secret\":\"{}\"}}' \"$server\";;\n\
         *) echo 'credentials not found in native keychain'; exit 1;;\nesac\n",
        SECRETS[0], SECRETS[1]
    );
    program(&mut env, "docker-credential-desktop", &answers);
    // Docker Desktop: empty entries, the secrets are with its helper.
    let desktop = json!({
        "auths": { "https://index.docker.io/v1/": {}, "ghcr.io": {} },
        "credsStore": "desktop",
        "currentContext": "desktop-linux",
        "plugins": { "-x-cli-hints": { "enabled": "true" } },
    });
    let (desktop, _) =
        file(&env, ".docker/config.json", &serde_json::to_string_pretty(&desktop).expect("JSON"));
    // podman: a registry, a part of it, and the key file of a service account.
    let podman = json!({ "auths": {
        "quay.io": auth("bot", SECRETS[2]),
        "quay.io/acme": auth("team", SECRETS[3]),
        "europe-docker.pkg.dev": auth("_json_key", KEY_FILE),
    } });
    let podman = serde_json::to_string_pretty(&podman).expect("JSON").replace("  ", "\t");
    let (podman, podman_path) = file(&env, "containers/auth.json", &podman);
    fs::set_permissions(&podman, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    // Kubernetes: as `kubectl get secret -o yaml` prints it.
    let inner = json!({ "auths": { "https://registry.example.com/v2/": {
        "username": "kube", "password": SECRETS[4], "email": "ops@example.com", "auth": auth("kube", SECRETS[4])["auth"],
    } } });
    let kubernetes = format!(
        "apiVersion: v1\ndata:\n  .dockerconfigjson: {}\nkind: Secret\nmetadata:\n  creationTimestamp: \"2026-01-01T00:00:00Z\"\n  name: regcred\n  namespace: shop\ntype: kubernetes.io/dockerconfigjson\n",
        STANDARD.encode(inner.to_string())
    );
    let (kubernetes, kubernetes_path) = file(&env, "regcred.yaml", &kubernetes);
    let before = [&desktop, &podman, &kubernetes].map(|path| fs::read(path).expect("a source"));

    env.run(&["registry", "import"]).exits(9).says("from https://index.docker.io/v1/ of helper desktop");
    let mut said = String::new();
    for arguments in [
        &["registry", "import", "-y"][..],
        &["registry", "import", &podman_path, "-y"],
        &["registry", "import", &kubernetes_path, "-y"],
        &["registry", "list"],
        &["verify", "--require-open"],
    ] {
        let output = env.command(arguments).var("RUST_LOG", "trace").run().ok();
        said += output.stdout();
        said += output.stderr();
    }
    assert!(said.contains("from https://registry.example.com/v2/ of secret shop/regcred"), "{said}");
    let after = [&desktop, &podman, &kubernetes].map(|path| fs::read(path).expect("a source"));
    assert!(before == after, "sources stay as they are");

    for (key, expected) in [
        ("docker.io.password", SECRETS[0]),
        ("ghcr.io.identity_token", SECRETS[1]),
        ("quay.io.password", SECRETS[2]),
        ("quay.io/acme.password", SECRETS[3]),
        ("registry.example.com.password", SECRETS[4]),
        ("europe-docker.pkg.dev.password", KEY_FILE),
    ] {
        assert_eq!(secret(&env, &format!("registries.{key}")), expected, "{key}");
    }
    said += &there_and_back(&env, &SECRETS, KEY_FILE);
    // The file of podman gives up what was taken; then no secret is anywhere in clear but in the other sources.
    env.run(&["registry", "import", &podman_path, "-y", "--remove-from-source"])
        .ok()
        .explains("took 3 entries");
    assert_eq!(mode(&podman), 0o600);
    fs::remove_file(&kubernetes).expect("removed");
    fs::remove_file(env.home().join("bin/docker-credential-desktop")).expect("removed");
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} was printed");
        let mut found = Vec::new();
        files_with(env.home().parent().expect("the root of the test"), secret, &mut found);
        assert!(found.is_empty(), "{secret} in {found:?}");
    }
}

#[test]
fn the_preview_says_what_each_key_was_taken_as() {
    let env = TestEnv::initialised();
    let config = json!({ "auths": { "https://h.io/v2/x/": auth("u", "p"), "quay.io/acme": auth("u", "p") } })
        .to_string();
    let (_, docker) = file(&env, "config.json", &config);
    let (_, podman) = file(&env, "auth.json", &config);
    let shown = env.run(&["registry", "import", &docker]).exits(9);
    for line in ["h.io  ", "from https://h.io/v2/x/", "quay.io  ", "from quay.io/acme"] {
        assert!(shown.stdout().contains(line), "{line}\n{}", shown.stdout());
    }
    let shown =
        env.run(&["registry", "import", &podman]).exits(9).says("quay.io/acme").lacks("from quay.io/acme");
    shown.says("from https://h.io/v2/x/");
    env.run(&["registry", "import", &docker, "--format", "podman"]).exits(9).lacks("from quay.io/acme");
    let (_, pairs) =
        file(&env, ".env", "CI_REGISTRY=r.example.com\nCI_REGISTRY_USER=ci\nCI_REGISTRY_PASSWORD=p\n");
    env.run(&["registry", "import", &pairs])
        .exits(9)
        .says("from CI_REGISTRY, CI_REGISTRY_USER, CI_REGISTRY_PASSWORD");
}

#[test]
fn a_file_of_no_known_format_is_an_error_and_an_empty_one_of_a_client_is_not() {
    let env = TestEnv::initialised();
    for (name, text) in
        [("package.json", "{\"name\": \"app\"}"), ("notes.txt", "hello\n"), ("a.yaml", "a: 1\n")]
    {
        let (_, named) = file(&env, name, text);
        env.run(&["registry", "import", &named, "-y"])
            .exits(1)
            .explains("none of the known formats")
            .explains("--format");
    }
    let (_, named) = file(&env, "config.json", "{\"psFormat\": \"x\"}");
    env.run(&["registry", "import", &named, "-y"]).ok().explains("nothing to import");
}

#[test]
fn a_file_of_sops_is_decrypted_by_sops_and_never_written_in_clear() {
    let mut env = TestEnv::initialised();
    let encrypted = "docker-registries:\n    a.io:\n        username: ENC[AES256_GCM,data:x]\n        password: ENC[AES256_GCM,data:y]\nsops:\n    age: []\n    mac: ENC[AES256_GCM,data:z]\n";
    let (path, named) = file(&env, "secrets.sls", encrypted);
    env.command(&["registry", "import", &named, "-y"])
        .var("PATH", "/nonexistent")
        .run()
        .exits(1)
        .explains("encrypted with SOPS")
        .explains("install sops");
    let seen = env.home().join("seen");
    let script = format!(
        "#!/bin/sh\necho \"$@\" > '{}'\nenv >> '{0}'\nprintf 'docker-registries:\\n  a.io:\\n    username: u\\n    password: CANARY-sops\\n'\necho CANARY-sops >&2\n",
        seen.display()
    );
    program(&mut env, "sops", &script);
    let output = env
        .command(&["-v", "registry", "import", &named, "-y"])
        .var("SOPS_AGE_KEY_FILE", "/keys.txt")
        .var("RUST_LOG", "trace")
        .run()
        .ok();
    output.explains("imported 1 credential").lacks("CANARY");
    let seen = fs::read_to_string(seen).expect("what sops saw");
    assert!(
        seen.starts_with(&format!("-d --input-type yaml --output-type yaml {}", path.display())),
        "{seen}"
    );
    assert!(seen.contains("SOPS_AGE_KEY_FILE=/keys.txt"), "{seen}");
    assert_eq!(secret(&env, "registries.a.io.password"), "CANARY-sops");
    fs::remove_file(env.home().join("bin/sops")).expect("removed");
    let mut found = Vec::new();
    files_with(env.home().parent().expect("the root of the test"), "CANARY-sops", &mut found);
    assert!(found.is_empty(), "{found:?}");
    // What it says may repeat a secret; where the file is not named it cannot be run.
    program(&mut env, "sops", "#!/bin/sh\necho 'no key for CANARY' >&2\nexit 128\n");
    env.run(&["registry", "import", &named, "-y"]).exits(1).explains("it ended with 128").lacks("CANARY");
    env.run_with_input(&["registry", "import", "-", "-y"], encrypted).exits(1).explains("name the file");
}

#[test]
fn what_is_not_rendered_or_still_encrypted_is_never_sealed() {
    let env = TestEnv::initialised();
    let config = json!({ "auths": {
        "a.io": auth("u", "{{ registry_password }}"),
        "b.io": auth("u", "ENC[AES256_GCM,data:x]"),
        "c.io": auth("u", "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n"),
        "ok.io": auth("u", "p"),
    } });
    env.run_with_input(&["registry", "import", "-", "-y"], config.to_string())
        .exits(1)
        .explains("`a.io` cannot be imported: it is a template that was not rendered")
        .explains("`b.io` cannot be imported: it is encrypted with SOPS")
        .explains("`c.io` cannot be imported: it is encrypted with age")
        .explains("imported 1 credential; 3 left out");
    env.run(&["registry", "list"]).ok().says("ok.io").lacks("a.io");
    env.run_with_input(&["registry", "add", "a.io", "-u", "u", "--password-stdin"], "{{ pw }}")
        .ok()
        .explains("it is a template that was not rendered");
}

#[test]
fn a_thousand_credentials_are_imported_taken_out_and_replaced() {
    let env = TestEnv::initialised();
    let auths: serde_json::Map<String, serde_json::Value> =
        (0..1000).map(|n| (format!("r{n}.example.com"), auth("u", &format!("p{n}")))).collect();
    let text = serde_json::to_string_pretty(&json!({ "auths": auths })).expect("JSON");
    let (path, named) = file(&env, "auth.json", &text);
    let (_, changed) = file(&env, "changed.json", &text.replace("dTpw", "dTpx"));
    for (arguments, said) in [
        (&["registry", "import", &named, "-y"][..], "imported 1000 credentials"),
        (&["registry", "import", &named, "-y", "--remove-from-source"], "took 1000 entries"),
        (&["registry", "import", &changed, "-y"], "imported 1000 credentials"),
        (&["registry", "import", &changed, "-y", "--in", "all"], "imported 1000 credentials"),
        (&["registry", "import", &changed, "-y", "--in", "all"], "1000 stood in it already"),
    ] {
        env.run(arguments).ok().explains(said);
    }
    assert_eq!(fs::read_to_string(path).expect("the source"), "{\n  \"auths\": {}\n}");
    let one = env.run(&["reveal", "--in", "all", "registries.r999.example.com.password"]).ok();
    assert_eq!(one.stdout(), "q999");
}
