//! What the credential helper keeps and forgets: in the user's own logins, never in the workspace.

use crate::credential_get::{NOT_FOUND, absent, add, get, shop};
use crate::env::{Output, TestEnv, files_below, has_program, mode};
use crate::terminal::typed_to;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What `docker login` sends, with its final newline.
fn login(server: &str, user: &str, secret: &str) -> String {
    let json = serde_json::json!({ "ServerURL": server, "Username": user, "Secret": secret });
    format!("{json}\n")
}

fn store(env: &TestEnv, server: &str, user: &str, secret: &str) {
    env.helper("store", login(server, user, secret)).ok().says_only("").and_nothing_else();
}

fn pair(user: &str, secret: &str) -> (String, String) {
    (user.to_owned(), secret.to_owned())
}

#[test]
fn a_login_goes_before_the_teams_entry_and_leaves_it_alone() {
    let env = shop(&[("ghcr.io", "robot", "team")]);
    let before = env.files();
    store(&env, "ghcr.io", "alice", "mine");
    assert_eq!(get(&env, "https://ghcr.io/v2/"), pair("alice", "mine"));
    assert_eq!(get(&env, "ghcr.io/acme/api"), pair("alice", "mine"));
    store(&env, "ghcr.io", "alice", "newer");
    assert_eq!(get(&env, "ghcr.io"), pair("alice", "newer"));
    env.helper("erase", "ghcr.io")
        .ok()
        .says_only("")
        .explains_on_one_line()
        .explains("ghcr.io stays available from the workspace shop")
        .explains("registry remove 'ghcr.io'");
    assert_eq!(get(&env, "ghcr.io"), pair("robot", "team"));
    assert_eq!(env.files(), before);
}

#[test]
fn logging_in_with_what_is_there_already_changes_no_file() {
    let env = shop(&[("ghcr.io", "robot", "team")]);
    store(&env, "https://ghcr.io", "robot", "team");
    assert!(!env.overlay().exists());
    store(&env, "quay.io", "alice", "mine");
    let before = files_below(&env.home());
    for server in ["quay.io", "https://quay.io/v2/"] {
        store(&env, server, "alice", "mine");
    }
    store(&env, "ghcr.io", "robot", "team");
    assert_eq!(files_below(&env.home()), before);
}

#[test]
fn logging_out_as_docker_does_forgets_and_is_fine_where_there_is_nothing() {
    let env = shop(&[]);
    for server in ["quay.io", "http://quay.io", "https://index.docker.io/v1/"] {
        store(&env, server, "alice", "mine");
    }
    for server in ["quay.io", "quay.io", "http://quay.io", "https://quay.io", "unknown.io"] {
        env.helper("erase", server).ok().says_only("").and_nothing_else();
    }
    absent(&env, "quay.io");
    absent(&env, "http://quay.io");
    env.helper("list", "unused").ok().says_only("{\"https://index.docker.io/v1/\":\"alice\"}\n");
}

#[test]
fn erasing_everything_that_is_listed_leaves_the_workspace_untouched() {
    let env =
        shop(&[("ghcr.io", "robot", "team"), ("docker.io", "hub", "team"), ("r.example.com", "r", "team")]);
    store(&env, "ghcr.io", "alice", "mine");
    let before = env.files();
    let listed = env.helper("list", "unused").ok().json();
    let servers: Vec<&String> = listed.as_object().expect("an object").keys().collect();
    assert_eq!(servers.len(), 3);
    for server in servers {
        env.helper("erase", server).ok().says_only("").explains("stays available");
    }
    assert_eq!(env.files(), before);
    assert_eq!(get(&env, "ghcr.io"), pair("robot", "team"));
}

#[test]
fn tokens_of_the_docker_cli_are_kept_word_for_word() {
    let env = shop(&[]);
    let hub = "https://index.docker.io/v1/";
    for (server, user, secret) in [
        (hub, "alice", "password"),
        ("https://index.docker.io/v1/access-token", "alice", "access"),
        ("https://index.docker.io/v1/refresh-token", "alice", "refresh..id"),
    ] {
        store(&env, server, user, secret);
    }
    assert_eq!(get(&env, "docker.io").1, "password");
    assert_eq!(get(&env, "https://index.docker.io/v1/access-token").1, "access");
    env.helper("erase", "https://index.docker.io/v1/access-token").ok().and_nothing_else();
    absent(&env, "https://index.docker.io/v1/access-token");
    assert_eq!(get(&env, "https://index.docker.io/v1/refresh-token").1, "refresh..id");
    assert_eq!(get(&env, hub).1, "password");
}

#[test]
fn identity_tokens_empty_secrets_and_long_ones_come_back_as_they_were() {
    let env = shop(&[]);
    let long = "ü".repeat(70_000);
    for (server, user, secret) in [
        ("acr.example.com", "<token>", "refresh"),
        ("empty.example.com", "alice", ""),
        ("long.example.com", "_json_key", long.as_str()),
        ("myregistry", "alice", "~?>\n\"\\"),
        ("http://[::1]:5000", "ünïcode user", "pw"),
    ] {
        store(&env, server, user, secret);
        assert_eq!(get(&env, server), pair(user, secret));
    }
    // From a password to a token and back.
    store(&env, "acr.example.com", "bob", "pw");
    assert_eq!(get(&env, "acr.example.com"), pair("bob", "pw"));
    store(&env, "acr.example.com", "<token>", "again");
    assert_eq!(get(&env, "acr.example.com"), pair("<token>", "again"));
    for user in ["a:b", "a\nb", "a\u{7}"] {
        let before = env.files();
        env.helper("store", login("colon.example.com", user, "CANARY"))
            .exits(1)
            .says("this user name cannot be kept")
            .explains("docker login -u USER 'colon.example.com'")
            // Every other login stays where it is, whatever was typed.
            .lacks("rm ")
            .lacks("CANARY");
        assert_eq!(env.files(), before);
    }
    assert_eq!(get(&env, "acr.example.com"), pair("<token>", "again"));
}

#[test]
fn only_this_user_can_read_what_is_kept_and_it_is_an_ordinary_workspace() {
    let env = shop(&[]);
    store(&env, "quay.io", "alice", "CANARY");
    store(&env, "myregistry", "alice", "CANARY");
    fn private(folder: &Path) {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                private(&path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                assert!(!fs::read_to_string(&path).expect("text").contains("CANARY"), "{}", path.display());
            }
        }
    }
    private(&env.overlay());
    let overlay = env.overlay().display().to_string();
    env.run(&["-C", &overlay, "verify"]).ok().explains("2 sealed values in 1 box: 2 opened and in place");
    env.run(&["-C", &overlay, "registry", "list"]).ok().says("quay.io  user alice");
    env.run(&["-C", &overlay, "reveal", "servers.myregistry.secret"]).ok().says_only("CANARY");
}

#[test]
fn without_an_identity_nothing_is_kept_because_it_could_never_be_opened() {
    let env = shop(&[]);
    let elsewhere = env.home().join("elsewhere");
    fs::rename(env.identity(), &elsewhere).expect("moved");
    let refused = |output: Output, hint: &str| {
        output.exits(1).explains(hint).explains_on_one_line().lacks("CANARY").lacks(NOT_FOUND.trim());
    };
    refused(env.helper("store", login("quay.io", "alice", "CANARY")), "pillarbox identity new");
    assert!(!env.overlay().exists());
    fs::rename(&elsewhere, env.identity()).expect("moved back");
    store(&env, "quay.io", "alice", "pw");
    fs::remove_file(env.identity()).expect("removed");
    env.run(&["identity", "new"]).ok();
    let before = files_below(&env.overlay());
    refused(env.helper("store", login("quay.io", "alice", "CANARY")), "rm -r");
    refused(env.helper("get", "quay.io"), "personal");
    assert_eq!(files_below(&env.overlay()), before);
}

#[test]
fn a_login_is_kept_without_a_workspace_and_under_the_strict_rule() {
    let mut env = TestEnv::new();
    env.run(&["identity", "new"]).ok();
    env.set_var("PILLARBOX_STRICT", "1");
    store(&env, "quay.io", "alice", "mine");
    assert_eq!(get(&env, "quay.io"), pair("alice", "mine"));
    absent(&env, "ghcr.io");
    env.helper("list", "unused").ok().says_only("{\"quay.io\":\"alice\"}\n").and_nothing_else();
}

#[test]
fn logins_that_were_tampered_with_are_an_error_and_say_how_to_go_on() {
    let env = shop(&[("quay.io", "robot", "team")]);
    store(&env, "quay.io", "alice", "CANARY");
    let file = env.overlay().join("pillar/registries/quay.io.toml");
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(env.overlay().join("pillar/registries/evil.io.toml"), text.replace("quay.io", "evil.io"))
        .expect("written");
    let failed = env.helper("get", "evil.io").exits(1).says("was sealed for another place");
    failed.explains_on_one_line().explains("verify").lacks("CANARY");
    fs::write(&file, "[registries = ").expect("written");
    env.helper("get", "quay.io").exits(1).says("this is not valid TOML").explains("personal").lacks("robot");
    // The team's other registries are there all the same.
    add(&env, "r.example.com", "robot", "team");
    assert_eq!(get(&env, "r.example.com").0, "robot");
}

#[test]
fn eight_logins_at_once_make_one_overlay_and_all_are_kept() {
    let env = shop(&[]);
    let children: Vec<_> = (0..8)
        .map(|number| {
            let mut child = env.helper_command("store").spawn();
            let text = login(&format!("r{number}.example.com"), "alice", &format!("pw{number}"));
            std::io::Write::write_all(&mut child.stdin.take().expect("stdin"), text.as_bytes())
                .expect("sent");
            child
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    for number in 0..8 {
        assert_eq!(get(&env, &format!("r{number}.example.com")).1, format!("pw{number}"));
    }
}

#[test]
fn eight_gets_at_once_while_logins_change_answer_the_old_or_the_new_one() {
    let env = shop(&[("r.example.com", "robot", "team")]);
    store(&env, "quay.io", "alice", "pw0");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..12 {
                store(&env, "quay.io", "alice", &format!("pw{number}"));
            }
        });
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..6 {
                    let (user, secret) = get(&env, "quay.io");
                    assert!(user == "alice" && secret.starts_with("pw"), "{user} {secret}");
                    assert_eq!(get(&env, "r.example.com").1, "team");
                }
            });
        }
    });
    assert_eq!(get(&env, "quay.io").1, "pw11");
}

#[test]
fn the_list_has_both_and_a_login_hides_the_teams_user() {
    let env = shop(&[("ghcr.io", "robot", "team"), ("r.example.com", "robot", "team")]);
    store(&env, "https://ghcr.io", "alice", "mine");
    store(&env, "ghcr.io/acme", "acme", "mine");
    let all: BTreeMap<String, String> =
        serde_json::from_str(env.helper("list", "").ok().and_nothing_else().stdout()).expect("JSON");
    let expected = [("ghcr.io", "alice"), ("ghcr.io/acme", "acme"), ("r.example.com", "robot")];
    assert_eq!(all, expected.map(|(server, user)| (server.to_owned(), user.to_owned())).into());
}

#[test]
fn a_login_that_is_killed_at_any_moment_is_there_or_not_and_the_next_one_works() {
    for delay in 0..24 {
        let env = shop(&[]);
        for killed in [true, false, true] {
            let mut child = env.helper_command("store").spawn();
            let text = login("quay.io", "alice", if killed { "killed" } else { "whole" });
            std::io::Write::write_all(&mut child.stdin.take().expect("stdin"), text.as_bytes())
                .expect("sent");
            if killed {
                std::thread::sleep(std::time::Duration::from_micros(delay * 1500));
                child.kill().expect("killed");
            }
            let ended = child.wait_with_output().expect("it ends").status.success();
            let listed = env.helper("list", "unused").ok().json();
            if ended || listed["quay.io"] == "alice" {
                let (user, secret) = get(&env, "quay.io");
                assert!(user == "alice" && (secret == "killed" || secret == "whole"), "{secret}");
            }
            assert!(killed || ended, "the next login failed");
        }
    }
}

#[test]
fn behind_a_passphrase_nothing_is_asked_and_a_login_is_kept_all_the_same() {
    if !has_program("script") || !has_program("age") {
        return;
    }
    let env = shop(&[("r.example.com", "robot", "team")]);
    store(&env, "quay.io", "alice", "old");
    let plain = env.home().join("plain");
    fs::rename(env.identity(), &plain).expect("moved");
    let protect = format!("age -p -o '{}' '{}'", env.identity().display(), plain.display());
    let twice = [("Enter passphrase", "pass-CANARY"), ("Confirm", "pass-CANARY")];
    let (code, said) = typed_to(&env, &protect, &twice);
    assert!(code == 0, "{said}");
    fs::set_permissions(env.identity(), fs::Permissions::from_mode(0o600)).expect("its mode");

    for server in ["r.example.com", "quay.io"] {
        let locked = env.helper("get", server).exits(1).lacks("CANARY").lacks(NOT_FOUND.trim());
        locked.explains_on_one_line().explains("passphrase").explains("pillarbox identity unlock");
    }
    // Not compared, because nothing opens: written.
    store(&env, "quay.io", "alice", "new");
    env.helper("erase", "r.example.com").ok();
    env.helper("list", "").ok().says("\"quay.io\":\"alice\"").says("\"r.example.com\":\"robot\"");
    fs::remove_dir_all(env.overlay()).expect("removed");
    env.helper("store", login("quay.io", "alice", "CANARY"))
        .exits(1)
        .explains("pillarbox identity unlock")
        .explains_on_one_line()
        .lacks("CANARY");
    fs::rename(&plain, env.identity()).expect("moved back");
    store(&env, "quay.io", "alice", "again");
    assert_eq!(get(&env, "quay.io"), pair("alice", "again"));
}
