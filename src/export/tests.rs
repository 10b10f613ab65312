use super::*;
use crate::pillar::document::Document;
use crate::registry::Credentials;

const SEALED: &str = "{ sealed = \"YQ==\", id = \"9f2c41d70b6e83aa\" }";

fn entries() -> Credentials {
    let text = format!(
        "[registries.\"docker.io\"]\nusername = \"hub\"\npassword = {SEALED}\n\
         [registries.\"docker.io/acme\"]\nusername = \"acme\"\npassword = {SEALED}\n\
         [registries.\"ghcr.io/acme\"]\nusername = \"bot\"\npassword = {SEALED}\n\
         [registries.\"ghcr.io/acme/free\"]\nanonymous = true\n\
         [registries.\"quay.io\"]\nidentity_token = {SEALED}\n\
         [registries.\"gcr.io\"]\nhelper = \"gcloud\"\n\
         [registries.\"gcr.io/p\"]\nhelper = \"gcloud\"\n"
    );
    let document = Document::parse("registries.toml", text).expect("TOML");
    Credentials::read(document.tree().expect("a tree")).expect("entries")
}

fn keys(format: &Format) -> Vec<String> {
    let all = entries();
    let kept = all.iter().filter(|entry| format.leaves_out(entry).is_none());
    kept.map(|entry| format.key(&entry.scope)).collect()
}

#[test]
fn each_format_has_what_its_readers_can_read_under_the_names_that_they_look_for() {
    let manifest = Manifest { name: "x".to_owned(), namespace: None };
    assert_eq!(keys(&Format::Docker), ["https://index.docker.io/v1/", "gcr.io", "quay.io"]);
    assert_eq!(keys(&Format::Podman), ["docker.io", "docker.io/acme", "gcr.io", "ghcr.io/acme", "quay.io"]);
    assert_eq!(
        keys(&Format::Kubernetes(manifest)),
        ["https://index.docker.io/v1/", "docker.io/acme", "ghcr.io/acme"]
    );
    assert_eq!(
        keys(&Format::Env),
        ["REGISTRY_DOCKER_IO", "REGISTRY_DOCKER_IO_ACME", "REGISTRY_GHCR_IO_ACME", "REGISTRY_QUAY_IO"]
    );
}

#[test]
fn a_secret_that_a_format_cannot_carry_is_refused_without_any_of_it() {
    let all = entries();
    let entry = all.iter().next().expect("one");
    let export = |format: &Format, bytes: &[u8]| {
        let all = [Exported { entry, secret: Some(Secret::new(bytes.to_vec())) }];
        format.write(&all, "", "f").map(|put| put.text)
    };
    for bytes in [&b"CANARY\0"[..], b"CANARY\xff", b""] {
        for format in [Format::Docker, Format::Podman] {
            let problems = export(&format, bytes).expect_err("refused");
            assert!(!format!("{problems:?}").contains("CANARY"));
        }
    }
    assert!(export(&Format::Docker, b"{\n \"private_key\": \"-----\\n\"\n}\n").is_ok());
    let problems = export(&Format::Env, b"CANARY\nCANARY").expect_err("refused");
    assert!(problems.iter().any(|problem| problem.causes[0].contains("more than one line")));
    assert!(!format!("{problems:?}").contains("CANARY"));
}

#[test]
fn names_that_kubernetes_would_refuse_are_refused() {
    for (name, fine) in [("a", true), ("registry-credentials", true), ("a.b-1", true), ("", false)] {
        assert_eq!(check_name(name).is_ok(), fine, "{name}");
    }
    for name in ["A", "a_b", "-a", "a-", "a..b", "a\nb", "a\"b", &"a".repeat(254)] {
        assert!(check_name(name).is_err(), "{name}");
    }
    assert!(check_namespace("prod").is_ok());
    assert!(check_namespace("a.b").is_err() && check_namespace(&"a".repeat(64)).is_err());
}
