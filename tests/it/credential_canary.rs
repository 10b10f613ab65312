//! A secret that goes through every action of the credential helper stands nowhere but in what `get`
//! answers.

use crate::credential_get::{add, get};
use crate::env::TestEnv;
use crate::search::{files_with, holds};

#[test]
fn a_secret_is_nowhere_but_in_the_answer_that_was_asked_for() {
    const TEAM: &str = "CANARY-team-~?>-0001";
    const MINE: &str = "CANARY-mine-~?>-0002";
    let mut env = TestEnv::initialised();
    env.set_standing_workspace();
    env.set_var("RUST_LOG", "trace");
    env.set_var("RUST_BACKTRACE", "full");
    add(&env, "ghcr.io", "robot", TEAM);
    let login = |server: &str, secret: &str| {
        serde_json::json!({ "ServerURL": server, "Username": "alice", "Secret": secret }).to_string()
    };
    let mut said = Vec::new();
    let mut run = |action: &str, input: String, code: i32| {
        let output = env.helper(action, input);
        assert_eq!(output.code, code, "{output}");
        said.push(format!("{output}"));
    };
    run("store", login("quay.io", MINE), 0);
    run("store", login("https://index.docker.io/v1/refresh-token", MINE), 0);
    run("store", login("ghcr.io", TEAM), 0);
    run("store", login("a b", MINE), 1);
    run("store", login("", MINE), 1);
    run("store", format!("{}x", login("quay.io", MINE).trim_end_matches('}')), 1);
    run("store", MINE.to_owned(), 1);
    run("get", MINE.to_owned(), 1);
    run("list", MINE.to_owned(), 0);
    run("erase", "ghcr.io".to_owned(), 0);
    for text in &said {
        for secret in [TEAM, MINE] {
            assert!(!holds(text.as_bytes(), secret), "{text}");
        }
    }
    assert_eq!(get(&env, "quay.io").1, MINE);
    assert_eq!(get(&env, "ghcr.io").1, TEAM);
    for secret in [TEAM, MINE] {
        let mut found = Vec::new();
        files_with(env.home().parent().expect("the root of the test"), secret, &mut found);
        assert!(found.is_empty(), "{secret} in {found:?}");
    }
}
