//! The testbed itself: if these fail, no other test here means anything.

use crate::testbed::EngineEnv;
use base64::Engine as _;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

/// Pulls through the Engine with this header and returns everything it streamed.
pub(crate) fn pull(env: &EngineEnv, repository: &str, tag: &str, header: &str) -> String {
    let mut stream = UnixStream::connect(env.engine.socket()).expect("the Engine");
    write!(
        stream,
        "POST /images/create?fromImage={repository}&tag={tag} HTTP/1.0\r\nHost: engine\r\n{header}Content-Length: 0\r\n\r\n"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The header with the credential of the testbed's user.
pub(crate) fn header(env: &EngineEnv, password: &str) -> String {
    let auth = json!({ "username": env.user, "password": password, "serveraddress": env.registry });
    format!("X-Registry-Auth: {}\r\n", base64::engine::general_purpose::URL_SAFE.encode(auth.to_string()))
}

#[test]
fn the_registry_wants_its_password_and_a_pushed_image_runs_and_serves() {
    let Some(env) = EngineEnv::new() else { return };
    let (repository, digest) = env.push("serve", "web", "1.0.0");
    let refused = pull(&env, &repository, "1.0.0", "");
    assert!(refused.contains("no basic auth credentials"), "{refused}");
    let refused = pull(&env, &repository, "1.0.0", &header(&env, "wrong"));
    assert!(!refused.contains("Digest:"), "{refused}");
    let pulled = pull(&env, &repository, "1.0.0", &header(&env, &env.password));
    assert!(pulled.contains(&digest), "{digest} is not in {pulled}");

    let port = env.port();
    let created = env.engine.post(
        &format!("/containers/create?name={}-web", env.name),
        &json!({
            "Image": format!("{repository}:1.0.0"),
            "Labels": { "io.pillarbox.workspace": env.name },
            "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": port.to_string() }] } },
        }),
    );
    let id = created["Id"].as_str().expect("an id").to_owned();
    env.engine.post(&format!("/containers/{id}/start"), &json!({}));
    env.answers(port, "web 1.0.0");
    assert_eq!(env.containers().len(), 1);
}

#[test]
fn what_a_test_made_is_gone_when_it_ends() {
    let Some(env) = EngineEnv::new() else { return };
    let (repository, _) = env.push("exits", "job", "1");
    let _ = pull(&env, &repository, "1", &header(&env, &env.password));
    let labels = json!({ "io.pillarbox.workspace": env.name });
    env.engine.post("/containers/create", &json!({ "Image": format!("{repository}:1"), "Labels": labels }));
    env.engine.post("/volumes/create", &json!({ "Name": format!("pillarbox-lock.{}.1", env.name) }));
    env.engine.post("/networks/create", &json!({ "Name": format!("{}-net", env.name), "Labels": labels }));
    let name = env.name.clone();
    drop(env);
    let after = EngineEnv::new().expect("the Engine is still there");
    for path in ["/containers/json?all=1", "/volumes", "/networks", "/images/json"] {
        let left = after.engine.inspect(path).to_string();
        assert!(!left.contains(&name), "{path} still has {name}: {left}");
    }
}

#[test]
fn one_tag_pushed_twice_with_two_pages_has_two_digests_and_the_same_page_has_one() {
    let Some(env) = EngineEnv::new() else { return };
    let (_, first) = env.push_page("serve", "web", "1", "one");
    let (_, moved) = env.push_page("serve", "web", "1", "two");
    let (_, again) = env.push_page("serve", "web", "1", "one");
    assert_ne!(first, moved);
    assert_eq!(first, again);
}

#[test]
fn a_user_added_to_the_registry_can_pull() {
    let Some(mut env) = EngineEnv::new() else { return };
    let (repository, _) = env.push("serve", "web", "1");
    let password = "~?>ü \"quoted\" \\ back";
    let user = format!("{}-user", env.name);
    env.add_registry_user(&user, password);
    env.user = user;
    let pulled = pull(&env, &repository, "1", &header(&env, password));
    assert!(pulled.contains("Digest: sha256:"), "{pulled}");
}
