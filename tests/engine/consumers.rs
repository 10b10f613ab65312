//! One credential of the pillar in the hands of every client: exported for docker, podman, skopeo, Compose,
//! crane and oras, as a Kubernetes Secret and as variables, and by the helper within a container that deploys.

use crate::clients::{Machine, Team, has, podman_works};
use crate::env::Output;
use crate::testbed::testbed_var;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A secret with line ends, as that of a service account; bcrypt reads 72 bytes.
const KEY: &str = "{\n \"type\": \"sa\",\r\n\t\"key\": \"-----\\n~?>\"\n}\n";

impl Machine {
    /// Exports into a file of the home; returns its path.
    fn export(&self, format: &str, name: &str) -> String {
        let path = self.bed.env.home().join(name).display().to_string();
        self.bed.env.run(&["registry", "export", "--format", format, "--to", &path]).ok();
        path
    }

    /// A program that is not in every Debian: `None` where it is not in PATH.
    fn newer(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        let found = self.bed.env.program("sh", &["-c", &format!("command -v {program}")]).run();
        if found.code != 0 {
            let _ = writeln!(std::io::stderr(), "SKIPPED: {program} is not here");
            return None;
        }
        Some(self.bed.env.program(program, arguments).run())
    }
}

#[test]
fn every_client_pulls_with_what_was_exported_for_it() {
    let Some(machine) = Machine::new(Team::Has).filter(|_| has(&["docker", "docker-compose", "skopeo"]))
    else {
        return;
    };
    machine.docker_config(&json!({}));
    assert_ne!(machine.docker_pull().code, 0, "the registry wants a password");
    machine.export("docker", "docker/config.json");
    machine.docker_pull().ok();
    let folder = machine.bed.env.home().join("compose");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(
        folder.join("docker-compose.yml"),
        format!("version: \"3\"\nservices:\n  web:\n    image: {}\n", machine.image),
    )
    .expect("written");
    machine.bed.engine.delete(&format!("/images/{}?force=1", machine.image));
    machine.bed.env.program("docker-compose", &["pull"]).within(&folder).run().ok();

    let auth = machine.export("podman", "exported.json");
    let image = format!("docker://{}", machine.image);
    assert_ne!(machine.skopeo(&["inspect", "--tls-verify=false", "--no-creds", &image]).code, 0);
    machine.skopeo(&["inspect", "--tls-verify=false", "--authfile", &auth, &image]).ok();
    if has(&["podman"]) && podman_works(&machine) {
        machine.podman(&["pull", "-q", "--tls-verify=false", "--authfile", &auth, &machine.image]).run().ok();
    }
    if let Some(said) = machine.newer("crane", &["digest", "--insecure", &machine.image]) {
        said.ok().says("sha256:");
    }
    let arguments = ["manifest", "fetch", "--plain-http", "--registry-config", &auth, &machine.image];
    if let Some(said) = machine.newer("oras", &arguments) {
        said.ok().says("\"layers\"");
    }

    // What a Secret holds is a configuration of docker.
    let manifest = fs::read_to_string(machine.export("kubernetes", "secret.yaml")).expect("a file");
    let data = manifest.trim_end().rsplit(' ').next().expect("the data");
    machine.docker_config(&json!({}));
    assert_ne!(machine.docker_pull().code, 0);
    let config = machine.bed.env.home().join("docker/config.json");
    fs::write(config, STANDARD.decode(data).expect("base64")).expect("written");
    machine.docker_pull().ok();

    // And variables log in.
    machine.docker_config(&json!({}));
    let variables = machine.export("env", "registries.env");
    let name = machine.bed.registry.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let script = format!(
        "set -eu; . '{variables}'; printf %s \"$REGISTRY_{name}_PASSWORD\" | docker login -u \"$REGISTRY_{name}_USERNAME\" --password-stdin '{}'",
        machine.bed.registry
    );
    machine.bed.env.program("sh", &["-c", &script]).run().ok().says("Login Succeeded");
    machine.docker_pull().ok();
}

#[test]
fn a_secret_of_several_lines_pulls_in_apply_by_the_helper_and_as_an_export() {
    let Some(machine) = Machine::new(Team::Lacks).filter(|_| has(&["docker", "skopeo"])) else { return };
    let bed = &machine.bed;
    let user = format!("{}-json-key", bed.name);
    let made = std::process::Command::new("htpasswd").args(["-Bbn", "-C", "4", &user, KEY]).output();
    let line = made.expect("htpasswd").stdout;
    let users = testbed_var("PILLARBOX_TEST_REGISTRY_HTPASSWD");
    let mut users = fs::OpenOptions::new().append(true).open(users).expect("the registry's users");
    users.write_all(String::from_utf8_lossy(&line).trim_start().as_bytes()).expect("one more user");
    let add = |key: &str| {
        let file = bed.env.home().join("key.json");
        fs::write(&file, key).expect("written");
        let file = file.display().to_string();
        bed.env.run(&["registry", "add", &bed.registry, "-u", &user, "--password-file", &file]).ok();
        bed.env.run(&["registry", "check", "-y", "--accept-new-hosts"])
    };
    // One byte less is another password.
    add(KEY.trim_end()).exits(7).explains("refused");
    add(KEY).ok();
    let (name, tag) = machine.image.rsplit_once(':').expect("a tag");
    let state = format!("[web_image.image.pulled]\nname = \"{name}\"\ntag = \"{tag}\"\nforce = true\n");
    bed.env.write("states/web.toml", state);
    bed.set_inventory(&[("web1", &bed.engine.address())], &["web"]);
    bed.engine.delete(&format!("/images/{}?force=1", machine.image));
    bed.env.run(&["apply", "-y", "--accept-new-hosts"]).ok();
    assert!(bed.engine.find_image(&machine.image).is_some());

    machine.docker_config(&machine.by_registry());
    machine.docker_pull().ok();
    machine.docker_config(&json!({}));
    assert_ne!(machine.docker_pull().code, 0);
    machine.export("docker", "docker/config.json");
    machine.docker_pull().ok();
    let auth = machine.export("podman", "exported.json");
    let image = format!("docker://{}", machine.image);
    machine.skopeo(&["inspect", "--tls-verify=false", "--authfile", &auth, &image]).ok();
}

#[test]
fn the_helper_answers_within_a_container_that_deploys() {
    let Some(machine) = Machine::new(Team::Has).filter(|_| has(&["docker"])) else { return };
    machine.docker_config(&machine.by_registry());
    machine.docker_pull().ok();
    let bed = &machine.bed;
    let helper = PathBuf::from(env!("CARGO_BIN_EXE_docker-credential-pillarbox"));
    let config = bed.env.home().join("deployer");
    fs::create_dir_all(&config).expect("a folder");
    fs::write(config.join("config.json"), machine.by_registry().to_string()).expect("written");
    let mount = |from: &Path, to: &str| format!("type=bind,readonly,source={},target={to}", from.display());
    let mut arguments = vec!["run".to_owned(), "--rm".to_owned(), "--network=none".to_owned()];
    // The container has no client and no C library of its own: those of this machine.
    for folder in ["/usr", "/lib", "/lib64"].map(Path::new).into_iter().filter(|folder| folder.exists()) {
        arguments.extend([
            "--mount".to_owned(),
            mount(&folder.canonicalize().expect("a folder"), &folder.display().to_string()),
        ]);
    }
    for (from, to) in [
        (helper.as_path(), "/opt/pillarbox/docker-credential-pillarbox"),
        (&bed.env.workspace(), "/workspace"),
        (&bed.env.identity(), "/run/secrets/identity.txt"),
        (&config, "/config"),
        (bed.engine.socket(), "/docker.sock"),
    ] {
        arguments.extend(["--mount".to_owned(), mount(from, to)]);
    }
    for variable in [
        "HOME=/tmp",
        "PATH=/opt/pillarbox:/usr/local/bin:/usr/bin:/bin",
        "PILLARBOX_WORKSPACE=/workspace",
        "PILLARBOX_IDENTITY=/run/secrets/identity.txt",
        "DOCKER_CONFIG=/config",
        "DOCKER_HOST=unix:///docker.sock",
    ] {
        arguments.extend(["--env".to_owned(), variable.to_owned()]);
    }
    let run = |script: &str| {
        let all: Vec<&str> = arguments
            .iter()
            .map(String::as_str)
            .chain([machine.image.as_str(), "sh", "-c", script])
            .collect();
        bed.env.program("docker", &all).run()
    };
    let script = format!("printf %s '{}' | docker-credential-pillarbox get", bed.registry);
    let answer = run(&script).ok().json();
    assert_eq!(
        (answer["Username"].as_str(), answer["Secret"].as_str()),
        (Some(&*bed.user), Some(&*bed.password))
    );
    run(&format!("docker pull '{}'", machine.image)).ok();
    // Nothing of it was changed from within.
    assert!(run("touch /workspace/x /config/x").code != 0);
}
