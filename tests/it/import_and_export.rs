//! The way out of the pillar and in again: what `registry export` gives, `registry import` takes.

use crate::env::{Output, TestEnv, mode};
use crate::import::auth;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;

/// The credentials of a newcomer go out to each client byte for byte, and come in again as they were. Returns what
/// was printed, but for `reveal`.
pub(crate) fn there_and_back(env: &TestEnv, secrets: &[&str; 6], key_file: &str) -> String {
    let mut said = String::new();
    let hub = auth("hub", secrets[0]);
    let token = json!({ "auth": STANDARD.encode("<token>:"), "identitytoken": secrets[1] });
    let (quay, part) = (auth("bot", secrets[2]), auth("team", secrets[3]));
    let (google, kube) = (auth("_json_key", key_file), auth("kube", secrets[4]));
    let files = [("docker", "out.json"), ("podman", "auth-out.json"), ("kubernetes", "out.yaml")];
    for (format, name) in files {
        let to = env.home().join(name);
        let path = to.to_str().expect("a path");
        let output = env
            .command(&["registry", "export", "--format", format, "--to", path])
            .var("RUST_LOG", "trace")
            .run();
        said += &format!("{}{}", output.stdout, output.stderr);
        let output = output.ok().says_only("");
        assert_eq!(mode(&to), 0o600, "{format}");
        let text = fs::read_to_string(&to).expect("what was exported");
        let auths = match format {
            "kubernetes" => {
                let data = text.trim_end().rsplit(' ').next().expect("the data");
                let config = STANDARD.decode(data).expect("base64");
                serde_json::from_slice::<serde_json::Value>(&config).expect("JSON")["auths"].clone()
            }
            _ => serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["auths"].clone(),
        };
        let mut expected = json!({
            "quay.io": quay, "registry.example.com": kube, "europe-docker.pkg.dev": google,
        });
        let hub_key = if format == "podman" { "docker.io" } else { "https://index.docker.io/v1/" };
        expected[hub_key] = hub.clone();
        // Each says what its client cannot have: docker a part of a registry, Kubernetes a token.
        match format {
            "docker" => output.explains("quay.io/acme is left out"),
            "kubernetes" => output.explains("ghcr.io is left out"),
            _ => output,
        };
        if format != "docker" {
            expected["quay.io/acme"] = part.clone();
        }
        if format != "kubernetes" {
            expected["ghcr.io"] = token.clone();
        }
        assert_eq!(auths, expected, "{format}");

        // Into another workspace: what was exported is the same pillar there.
        let other = env.home().join(format!("other-{format}"));
        let there = |arguments: &[&str]| env.command(arguments).within(&other).run();
        env.run(&["init", other.to_str().expect("a path")]).ok();
        let output = there(&["registry", "import", path, "-y"]);
        said += &format!("{}{}", output.stdout, output.stderr);
        output.ok();
        let listed = |output: Output| -> BTreeSet<String> {
            let all = output.ok().json()["registries"].as_array().expect("a list").clone();
            all.iter().map(|one| format!("{} {}", one["registry"], one["username"])).collect()
        };
        let mut before = listed(env.run(&["--json", "registry", "list"]));
        match format {
            "docker" => before.retain(|one| !one.contains("quay.io/acme")),
            "kubernetes" => before.retain(|one| !one.contains("ghcr.io")),
            _ => {}
        }
        assert_eq!(listed(there(&["--json", "registry", "list"])), before, "{format}");
        for (registry, field, secret) in [
            ("docker.io", "password", secrets[0]),
            ("ghcr.io", "identity_token", secrets[1]),
            ("quay.io", "password", secrets[2]),
            ("quay.io/acme", "password", secrets[3]),
            ("registry.example.com", "password", secrets[4]),
            ("europe-docker.pkg.dev", "password", key_file),
        ] {
            if (format, registry) != ("docker", "quay.io/acme")
                && (format, registry) != ("kubernetes", "ghcr.io")
            {
                let key = format!("registries.\"{registry}\".{field}");
                assert_eq!(there(&["reveal", &key]).ok().stdout(), secret, "{format}: {key}");
            }
        }
        fs::remove_file(to).expect("removed");
    }
    said
}
