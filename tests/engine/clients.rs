//! Real clients through the real credential helper: docker, podman, skopeo and Compose log in, pull and
//! log out at a registry that wants a password, and no file of theirs holds it.

use crate::env::{Output, Run, files_below, has_program};
use crate::search::files_with;
use crate::testbed::EngineEnv;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A workspace that the helper answers from, an image that is not pulled yet, and clients with
/// configurations of their own.
pub(crate) struct Machine {
    pub(crate) bed: EngineEnv,
    /// Repository and tag.
    pub(crate) image: String,
    /// The workspace as it was in the beginning.
    team: BTreeMap<PathBuf, Vec<u8>>,
}

/// Whether the registry's credential is in the pillar.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Team {
    Has,
    Lacks,
}

impl Machine {
    pub(crate) fn new(team: Team) -> Option<Self> {
        let mut bed = EngineEnv::initialised(&[])?;
        if team == Team::Has {
            bed.add_registry();
        }
        bed.env.set_standing_workspace();
        let (repository, _) = bed.push("serve", "web", "1.0.0");
        let helper = Path::new(env!("CARGO_BIN_EXE_docker-credential-pillarbox"));
        bed.env.path_first(helper.parent().expect("the folder of the binaries"));
        let home = bed.env.home();
        for (name, value) in [
            ("DOCKER_HOST", bed.engine.address()),
            ("DOCKER_CONFIG", home.join("docker").display().to_string()),
            ("REGISTRY_AUTH_FILE", home.join("auth.json").display().to_string()),
            ("CONTAINERS_REGISTRIES_CONF", home.join("registries.conf").display().to_string()),
            ("PILLARBOX_STRICT", "1".to_owned()),
        ] {
            bed.env.set_var(name, value);
        }
        fs::create_dir_all(home.join("docker")).expect("a folder");
        fs::write(home.join("registries.conf"), "").expect("written");
        let team = bed.env.files();
        Some(Self { bed, image: format!("{repository}:1.0.0"), team })
    }

    /// Writes docker's configuration.
    pub(crate) fn docker_config(&self, config: &Value) {
        fs::write(self.bed.env.home().join("docker/config.json"), config.to_string()).expect("written");
    }

    /// Writes podman's and skopeo's configuration.
    fn auth_file(&self, config: &Value) {
        fs::write(self.bed.env.home().join("auth.json"), config.to_string()).expect("written");
    }

    /// This registry alone by the helper.
    pub(crate) fn by_registry(&self) -> Value {
        json!({ "credHelpers": { self.bed.registry.as_str(): "pillarbox" } })
    }

    fn docker(&self, arguments: &[&str]) -> Output {
        self.bed.env.program("docker", arguments).run()
    }

    fn login(&self, program: Run, password: &str) -> Output {
        program.input(format!("{password}\n")).run()
    }

    fn docker_login(&self, user: &str, password: &str) -> Output {
        let arguments = ["login", "-u", user, "--password-stdin", &self.bed.registry];
        self.login(self.bed.env.program("docker", &arguments), password)
    }

    pub(crate) fn skopeo(&self, arguments: &[&str]) -> Output {
        self.bed.env.program("skopeo", arguments).run()
    }

    pub(crate) fn podman(&self, arguments: &[&str]) -> Run {
        let folder = |name: &str| self.bed.env.home().join(name).display().to_string();
        let (root, run, tmp) = (folder("podman"), folder("podman-run"), folder("podman-tmp"));
        let mut all = vec!["--storage-driver", "vfs", "--root", &root, "--runroot", &run, "--tmpdir", &tmp];
        all.extend(arguments);
        self.bed.env.program("podman", &all)
    }

    /// Pulls again: what the Engine has of it goes first.
    pub(crate) fn docker_pull(&self) -> Output {
        self.bed.engine.delete(&format!("/images/{}?force=1", self.image));
        self.docker(&["pull", &self.image])
    }

    fn whose(&self) -> String {
        let answer = self.bed.env.helper("get", &self.bed.registry).ok().json();
        answer["Username"].as_str().expect("a user").to_owned()
    }

    /// No file below the home holds a password, and the workspace is byte for byte what it was.
    #[track_caller]
    fn is_clean(&self, passwords: &[&str]) {
        for password in passwords {
            let mut found = Vec::new();
            files_with(&self.bed.env.home(), password, &mut found);
            assert!(found.is_empty(), "a password in {found:?}");
        }
        assert!(self.bed.env.files() == self.team, "the workspace was changed");
    }
}

pub(crate) fn has(programs: &[&str]) -> bool {
    programs.iter().all(|program| has_program(program))
}

/// Whether podman can work as this user: a rootless one needs ranges of user ids.
pub(crate) fn podman_works(machine: &Machine) -> bool {
    let info = machine.podman(&["info"]).run();
    if info.code != 0 {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "podman works in CI: {info}");
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: podman does not work as this user: {}", info.stderr.trim());
    }
    info.code == 0
}

#[test]
fn docker_logs_in_pulls_and_logs_out_without_a_password_in_its_configuration() {
    let Some(machine) = Machine::new(Team::Lacks).filter(|_| has(&["docker"])) else { return };
    let (user, password) = (machine.bed.user.as_str(), machine.bed.password.as_str());
    machine.docker_config(&json!({ "credsStore": "pillarbox" }));
    assert_ne!(machine.docker_pull().code, 0, "the registry wants a password");
    assert_ne!(machine.docker_login(user, "wrong").code, 0);
    assert!(!machine.bed.env.overlay().exists(), "a password that was refused was kept");

    machine.docker_login(user, password).ok().says("Login Succeeded");
    machine.docker_pull().ok();
    let logged_in = files_below(&machine.bed.env.overlay());
    machine.docker_login(user, password).ok();
    assert_eq!(files_below(&machine.bed.env.overlay()), logged_in, "the same login wrote something");
    machine.is_clean(&[password]);

    machine.docker(&["logout", &machine.bed.registry]).ok();
    assert_ne!(machine.docker_pull().code, 0, "logged out");
    machine.bed.env.helper("list", "unused").ok().says_only("{}\n");
    machine.is_clean(&[password]);
}

#[test]
fn docker_pulls_with_the_teams_entry_and_a_login_goes_before_it_until_the_logout() {
    let Some(machine) = Machine::new(Team::Has).filter(|_| has(&["docker"])) else { return };
    let (user, password) = (machine.bed.user.clone(), machine.bed.password.clone());
    machine.docker_config(&machine.by_registry());
    machine.docker_pull().ok();
    machine.docker_login(&user, &password).ok();
    assert!(!machine.bed.env.overlay().exists(), "the team's login was kept a second time");

    let (alice, hers) = (format!("{}-alice", machine.bed.name), "CANARY~alice?>");
    machine.bed.add_registry_user(&alice, hers);
    machine.docker_login(&alice, hers).ok();
    assert_eq!(machine.whose(), alice);
    machine.docker_pull().ok();
    let logout = machine.docker(&["logout", &machine.bed.registry]).ok();
    assert!(logout.stderr().contains("stays available from the workspace"), "{}", logout.stderr());
    assert_eq!(machine.whose(), user);
    machine.docker_pull().ok();
    machine.is_clean(&[&password, hers]);
}

#[test]
fn a_locked_credential_is_said_on_the_terminal_where_docker_itself_goes_on_without() {
    let Some(machine) = Machine::new(Team::Has).filter(|_| has(&["docker"])) else { return };
    machine.docker_config(&machine.by_registry());
    fs::rename(machine.bed.env.identity(), machine.bed.env.home().join("elsewhere")).expect("moved");
    let pull = machine.docker_pull();
    assert_ne!(pull.code, 0);
    assert!(pull.stderr.contains("docker-credential-pillarbox: no identity here opens the box"), "{pull}");
    assert!(pull.stderr.contains("pillarbox identity new"), "{pull}");
}

#[test]
fn podman_pulls_logs_in_and_logs_out_of_everything_without_touching_the_workspace() {
    let Some(machine) = Machine::new(Team::Has).filter(|_| has(&["podman"])) else { return };
    if !podman_works(&machine) {
        return;
    }
    let (user, password) = (machine.bed.user.clone(), machine.bed.password.clone());
    let registry = machine.bed.registry.as_str();
    machine.auth_file(&machine.by_registry());
    machine.podman(&["pull", "-q", "--tls-verify=false", &machine.image]).run().ok();

    // With the helper for every registry `logout --all` lists, and erases each one.
    let conf = machine.bed.env.home().join("registries.conf");
    fs::write(conf, "credential-helpers = [\"pillarbox\"]\n").expect("written");
    machine.auth_file(&json!({}));
    let (alice, hers) = (format!("{}-alice", machine.bed.name), "CANARY~alice?>");
    machine.bed.add_registry_user(&alice, hers);
    let login = |user: &str, password: &str| {
        let arguments = ["login", "--tls-verify=false", "-u", user, "--password-stdin", registry];
        machine.login(machine.podman(&arguments), password)
    };
    assert_ne!(login(&alice, "wrong").code, 0);
    login(&alice, hers).ok().says("Login Succeeded");
    assert_eq!(machine.whose(), alice);
    machine.podman(&["rmi", "-a", "-f"]).run().ok();
    machine.podman(&["pull", "-q", "--tls-verify=false", &machine.image]).run().ok();
    let logout = machine.podman(&["logout", "--all"]).run().ok();
    assert!(logout.stderr().contains("stays available from the workspace"), "{}", logout.stderr());
    assert_eq!(machine.whose(), user);
    machine.is_clean(&[&password, hers]);
}

#[test]
fn skopeo_inspects_and_copies() {
    let Some(machine) = Machine::new(Team::Has).filter(|_| has(&["skopeo"])) else { return };
    let image = format!("docker://{}", machine.image);
    machine.auth_file(&json!({}));
    assert_ne!(machine.skopeo(&["inspect", "--tls-verify=false", &image]).code, 0, "it wants a password");
    machine.auth_file(&machine.by_registry());
    machine.skopeo(&["inspect", "--tls-verify=false", &image]).ok().says("\"Digest\"");
    let copy = format!("dir:{}", machine.bed.env.home().join("copy").display());
    machine.skopeo(&["copy", "-q", "--src-tls-verify=false", &image, &copy]).ok();
    let again = format!("docker://{}/{}/again:1", machine.bed.registry, machine.bed.name);
    machine.skopeo(&["copy", "-q", "--dest-tls-verify=false", &copy, &again]).ok();
    machine.is_clean(&[&machine.bed.password]);
}

#[test]
fn compose_pulls() {
    let Some(machine) = Machine::new(Team::Has).filter(|_| has(&["docker-compose"])) else { return };
    let folder = machine.bed.env.home().join("compose");
    fs::create_dir_all(&folder).expect("a folder");
    let project = format!("version: \"3\"\nservices:\n  web:\n    image: {}\n", machine.image);
    fs::write(folder.join("docker-compose.yml"), project).expect("written");
    let pull = || machine.bed.env.program("docker-compose", &["pull"]).within(&folder).run();
    machine.docker_config(&json!({}));
    assert_ne!(pull().code, 0, "it wants a password");
    machine.docker_config(&machine.by_registry());
    pull().ok();
    assert!(machine.bed.engine.find_image(&machine.image).is_some());
    machine.is_clean(&[&machine.bed.password]);
}
