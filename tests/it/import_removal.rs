//! `registry import --remove-from-source`: what was not taken stays.

use crate::env::{TestEnv, mode};
use crate::helper_wiring::program;
use crate::import::{file, secret};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("the source")
}

const REMOVE: [&str; 2] = ["-y", "--remove-from-source"];

#[test]
fn what_was_left_out_stays_in_its_source_to_the_byte() {
    let env = TestEnv::initialised();
    // In order: taken; not base64; another secret of a taken registry; plain HTTP alone; a twin with the same
    // secret; taken.
    let config = "{\n\t\"auths\": {\n\t\t\"a.io\": {\"auth\": \"dTpw\"},\n\t\t\"bad.io\": {\"auth\": \"%\"},\n\t\t\"https://a.io\": {\"auth\": \"dTpx\"},\n\
                  \t\t\"http://c.io\": {\"auth\": \"dTpw\"},\n\t\t\"http://a.io\": {\"auth\": \"dTpw\"},\n\t\t\"d.io\": {\"auth\" : \"dTpw\"}\n\t},\n\t\"HttpHeaders\": {\"X\":  1}\n}";
    let (path, named) = file(&env, "real.json", config);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
    let link = env.home().join("config.json");
    symlink(&path, &link).expect("a link");
    let link = link.to_str().expect("a path").to_owned();
    let arguments = ["registry", "import", &link, "--skip-bad", REMOVE[0], REMOVE[1]];
    env.run(&arguments).ok().explains("took 3 entries out of ~/config.json").explains("left out");
    let left = "{\n\t\"auths\": {\n\t\t\"bad.io\": {\"auth\": \"%\"},\n\t\t\"https://a.io\": {\"auth\": \"dTpx\"},\n\
                \t\t\"http://c.io\": {\"auth\": \"dTpw\"}\n\t},\n\t\"HttpHeaders\": {\"X\":  1}\n}";
    assert_eq!(text(&path), left);
    assert_eq!(mode(&path), 0o640);
    assert!(Path::new(&link).is_symlink(), "a link stays one");
    assert_eq!(secret(&env, "registries.a.io.password"), "p");
    // Without --skip-bad as well, and what is in the pillar with another secret is not taken for this one.
    file(&env, "real.json", config);
    env.run(&["registry", "import", &named, REMOVE[0], REMOVE[1]]).exits(1).explains("took 3 entries");
    assert_eq!(text(&path), left);
}

#[test]
fn of_two_equal_keys_the_last_is_taken_and_the_other_stays() {
    let env = TestEnv::initialised();
    let config = "{\"auths\": {\n\"a.io\": {\"auth\": \"dTpvbGQ=\"},\n\"a.io\": {\"auth\": \"dTpuZXc=\"},\n\"b.io\": {\"auth\": \"dTpw\"},\n\"b.io\": {\"auth\": \"dTpw\"}}}";
    let (path, named) = file(&env, "auth.json", config);
    env.run(&["registry", "import", &named, REMOVE[0], REMOVE[1]])
        .ok()
        .explains("auth.json:2: `a.io`: left out: it stands again further down")
        .explains("another entry of `a.io` was hidden by the one that is gone")
        .explains("took 3 entries");
    assert_eq!(secret(&env, "registries.a.io.password"), "new");
    assert_eq!(text(&path), "{\"auths\": {\n\"a.io\": {\"auth\": \"dTpvbGQ=\"}}}");
}

#[test]
fn what_a_helper_gave_or_hides_is_never_removed() {
    let mut env = TestEnv::initialised();
    program(
        &mut env,
        "docker-credential-kept",
        "#!/bin/sh\ncase $1 in list) echo '{\"a.io\":\"u\"}';; *) printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"new\"}' \"$(cat)\";; esac\n",
    );
    let config =
        "{\"auths\": {\"a.io\": {\"auth\": \"dTpzdGFsZQ==\"}, \"b.io\": {}}, \"credsStore\": \"kept\"}";
    let (path, named) = file(&env, "config.json", config);
    env.run(&["registry", "import", &named, REMOVE[0], REMOVE[1]])
        .ok()
        .says("from helper kept")
        .explains("`a.io`: left out: the helper `kept` answers for it")
        .explains("took 0 entries")
        .explains("docker logout HOST");
    assert_eq!(secret(&env, "registries.a.io.password"), "new");
    assert_eq!(text(&path), config);
}

#[test]
fn an_older_login_beside_our_own_helper_does_not_replace_what_the_pillar_has() {
    let env = TestEnv::initialised();
    env.run_with_input(&["registry", "add", "a.io", "-u", "u", "--password-stdin"], "new").ok();
    let config = |auth: &str| {
        format!(
            "{{\"auths\": {{\"a.io\": {{\"auth\": \"{auth}\"}}}}, \"credHelpers\": {{\"a.io\": \"pillarbox\"}}}}"
        )
    };
    let (path, named) = file(&env, "config.json", &config("dTpvbGQ="));
    let arguments = ["registry", "import", &named, REMOVE[0], REMOVE[1]];
    env.run(&arguments).ok().explains("the pillar has another credential").explains("nothing to import");
    assert_eq!(text(&path), config("dTpvbGQ="));
    assert_eq!(secret(&env, "registries.a.io.password"), "new");
    // The same one may go.
    file(&env, "config.json", &config("dTpuZXc="));
    env.run(&arguments).ok().explains("took 1 entry");
    assert!(text(&path).starts_with("{\"auths\": {}"));
}

#[test]
fn a_poster_without_a_key_removes_what_it_sealed_and_nothing_that_it_cannot_compare() {
    let env = TestEnv::initialised();
    let config = "{\"auths\": {\"a.io\": {\"auth\": \"dTpw\"}}}";
    let (path, named) = file(&env, "auth.json", config);
    let arguments = ["--no-identity", "registry", "import", &named, REMOVE[0], REMOVE[1]];
    env.run(&arguments).ok().explains("took 1 entry");
    assert_eq!(text(&path), "{\"auths\": {}}");
    assert_eq!(secret(&env, "registries.a.io.password"), "p");
}

#[test]
fn only_files_of_clients_lose_entries() {
    let env = TestEnv::initialised();
    let before = env.files();
    for (name, source) in [
        (".env", "REGISTRY=a.io\nREGISTRY_USER=u\nREGISTRY_PASSWORD=p\n"),
        ("x.sls", "docker-registries:\n  a.io: {username: u, password: p}\n"),
    ] {
        let (path, named) = file(&env, name, source);
        env.run(&["registry", "import", &named, REMOVE[0], REMOVE[1]]).exits(64).explains("docker or podman");
        assert_eq!(text(&path), source);
    }
    assert!(env.files() == before, "nothing was imported either");
    let (path, named) = file(
        &env,
        ".dockercfg",
        "\u{feff}{\"https://index.docker.io/v1/\": {\"auth\": \"dTpw\", \"email\": \"e\"}}",
    );
    env.run(&["registry", "import", &named, REMOVE[0], REMOVE[1]]).ok().explains("byte order mark");
    assert_eq!(text(&path), "\u{feff}{}");
}
