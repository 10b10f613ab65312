//! Every call of `engine::docker` on a real Engine.

use crate::testbed::EngineEnv;
use pillarbox::engine::docker::Docker;
use pillarbox::engine::{Address, CreateBody, Engine, EngineError, EngineResult, ErrorKind, PullProgress};
use pillarbox::name::{Digest, ImageRef, RegistryHost};
use pillarbox::observed::Health;
use pillarbox::registry::AuthHeader;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(crate) async fn connect(env: &EngineEnv) -> Docker {
    let address = Address::Unix(env.engine.socket().to_owned());
    Docker::connect(&address).await.expect("the Engine")
}

pub(crate) fn header(env: &EngineEnv, user: &str, password: &str) -> AuthHeader {
    AuthHeader::basic(&RegistryHost::parse(&env.registry).expect("a host"), user, password)
}

fn kind<T: std::fmt::Debug>(result: EngineResult<T>) -> ErrorKind {
    result.expect_err("refused").kind
}

struct Made {
    docker: Docker,
    tag: ImageRef,
    digest: ImageRef,
    auth: AuthHeader,
}

/// An image of this test, pushed; nothing is on the Engine yet.
async fn pushed(env: &EngineEnv, kind: &str) -> Made {
    // A page of its own: an image that another test has pulled already would leave nothing to do.
    let (repository, digest) = env.push_page(kind, "web", "1", &env.name);
    let tag = ImageRef::parse(&format!("{repository}:1")).expect("a reference");
    let digest = tag.by_digest(&Digest::parse(&digest).expect("a digest"));
    Made { docker: connect(env).await, tag, digest, auth: header(env, &env.user, &env.password) }
}

/// The same, pulled by digest, and a container of it.
async fn created(env: &EngineEnv, kind: &str, more: Value) -> (Made, String) {
    let made = pushed(env, kind).await;
    made.docker.pull(&made.digest, None, Some(&made.auth), &|_| {}).await.expect("pulled");
    let mut body = json!({
        "Image": made.digest.to_string(),
        "Labels": { "io.pillarbox.workspace": env.name, "a": "b" },
    });
    for (key, value) in more.as_object().expect("an object") {
        body[key.as_str()] = value.clone();
    }
    let (id, warnings) =
        made.docker.create(&format!("{}-web", env.name), CreateBody::clear(body)).await.expect("created");
    assert_eq!(warnings, Vec::<String>::new());
    (made, id)
}

#[tokio::test]
async fn an_engine_says_what_it_is_and_what_time_it_is() {
    let Some(env) = EngineEnv::new() else { return };
    let docker = connect(&env).await;
    let facts = docker.facts().await.expect("facts");
    assert!(facts.engine_id.len() > 8 && facts.cpus > 0 && facts.memory > 1 << 20, "{facts:?}");
    assert_eq!((facts.os.as_str(), facts.api_version.starts_with("1.")), ("linux", true), "{facts:?}");
    assert!(["amd64", "arm64"].contains(&facts.arch.as_str()), "{facts:?}");
    let here = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    assert!(docker.now().await.expect("a Date").abs_diff(here.cast_signed()) <= 2);
}

#[tokio::test]
async fn what_is_not_there_is_none_or_not_found() {
    let Some(env) = EngineEnv::new() else { return };
    let docker = connect(&env).await;
    assert!(docker.container("no-such-name").await.expect("an answer").is_none());
    assert!(docker.image("no/such/image:1").await.expect("an answer").is_none());
    docker.remove_volume("no-such-name").await.expect("fine");
    assert_eq!(kind(docker.start("no-such-name").await), ErrorKind::NotFound);
    assert_eq!(kind(docker.untag("no/such/image:1").await), ErrorKind::NotFound);
    let body = CreateBody::clear(json!({ "Image": "no/such/image:1" }));
    assert_eq!(kind(docker.create("x", body).await), ErrorKind::NotFound);
    assert_eq!(kind(docker.connect("no-such-name", "bridge", &json!({})).await), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_pull_shows_its_progress_and_leaves_a_digest_that_a_tag_keeps() {
    let Some(env) = EngineEnv::new() else { return };
    let Made { docker, tag, digest, auth } = pushed(&env, "serve").await;
    assert_eq!(
        docker.resolve(&tag, Some(&auth)).await.expect("known").digest,
        digest.digest.as_ref().expect("one").as_str()
    );
    let seen: RefCell<Vec<PullProgress>> = RefCell::default();
    docker
        .pull(&digest, None, Some(&auth), &|progress| seen.borrow_mut().push(progress))
        .await
        .expect("pulled");
    let last = *seen.borrow().last().expect("progress");
    assert!(last.layers > 0 && last.layers_done == last.layers && last.done == last.total, "{last:?}");

    let image = docker.image(&digest.to_string()).await.expect("read").expect("there");
    assert!(image.repo_digests.contains(&digest.to_string()), "{image:?}");
    let id = |name: &str| env.engine.find_image(name).map(|image| image["Id"].as_str().map(str::to_owned));
    assert_eq!(id(&digest.to_string()), Some(Some(image.id.clone())));
    assert!(docker.image(&tag.to_string()).await.expect("read").is_none(), "no tag came with it");
    assert_eq!(id(&tag.to_string()), None, "no tag came with it");
    let keep = format!("pillarbox.invalid/{}/web:g1-1.0.0", env.name);
    docker.tag(&digest.to_string(), &keep).await.expect("tagged");
    docker.tag(&digest.to_string(), &tag.to_string()).await.expect("tagged");
    assert_eq!(docker.image(&keep).await.expect("read").expect("there").id, image.id);
    assert_eq!(docker.image(&tag.to_string()).await.expect("read").expect("there").id, image.id);
    assert_eq!((id(&keep), id(&tag.to_string())), (Some(Some(image.id.clone())), Some(Some(image.id))));
    docker.untag(&tag.to_string()).await.expect("untagged");
    assert!(id(&keep).is_some() && id(&tag.to_string()).is_none());
}

#[tokio::test]
async fn a_container_lives_from_create_to_remove() {
    let Some(env) = EngineEnv::new() else { return };
    let port = env.port();
    let more = json!({
        "Env": ["A=1", "B=ü \"quoted\" = x"],
        "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": port.to_string() }] }, "Memory": 33_554_432, "MemorySwap": 67_108_864 },
    });
    let (Made { docker, digest, .. }, id) = created(&env, "serve", more).await;
    let name = format!("{}-web", env.name);
    let seen = docker.container(&name).await.expect("read").expect("there");
    assert_eq!((&seen.id, &seen.name, seen.labels["a"].as_str()), (&id, &name, "b"));
    assert_eq!((seen.state.status.as_str(), seen.state.running), ("created", false));
    assert_eq!(seen.image_id, docker.image(&digest.to_string()).await.expect("read").expect("there").id);
    let env_of = seen.inspect.compare("/Config/Env").expect("its environment");
    assert!(env_of.as_array().expect("a list").contains(&json!("B=ü \"quoted\" = x")));
    assert!(!format!("{seen:?}").contains("quoted"), "an environment is not shown");
    let witnessed = env.engine.container(&name);
    assert_eq!((&witnessed["Id"], &witnessed["Config"]["Labels"]["a"]), (&json!(id), &json!("b")));
    assert_eq!(witnessed["Config"]["Env"], *env_of);
    assert_eq!(witnessed["HostConfig"]["MemorySwap"], 67_108_864);

    docker.start(&id).await.expect("started");
    docker.start(&id).await.expect("a second start is fine");
    env.answers(port, &env.name);
    assert_eq!(env.engine.container(&id)["State"]["Running"], true);
    let listed = docker.containers().await.expect("a list");
    let listed = listed.iter().find(|container| container.id == id).expect("in it");
    assert_eq!(
        (listed.name.as_str(), listed.status.as_str(), &listed.image_id),
        (name.as_str(), "running", &seen.image_id)
    );

    let live = json!({ "Memory": 67_108_864, "MemorySwap": 134_217_728, "RestartPolicy": { "Name": "unless-stopped" } });
    assert_eq!(docker.update(&id, &live).await.expect("updated"), Vec::<String>::new());
    let seen = docker.container(&id).await.expect("read").expect("there");
    assert_eq!(seen.inspect.compare("/HostConfig/Memory"), Some(&json!(67_108_864)));
    assert_eq!(seen.inspect.compare("/HostConfig/RestartPolicy/Name"), Some(&json!("unless-stopped")));
    let witnessed = env.engine.container(&id);
    assert_eq!(witnessed["HostConfig"]["Memory"], 67_108_864);
    assert_eq!(witnessed["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
    assert_eq!(
        kind(docker.update(&id, &json!({ "Memory": 134_217_728, "MemorySwap": 1 })).await),
        ErrorKind::Other
    );

    let network = format!("{}-net", env.name);
    env.engine.post(
        "/networks/create",
        &json!({ "Name": network, "Labels": { "io.pillarbox.workspace": env.name } }),
    );
    docker.connect(&id, &network, &json!({ "Aliases": ["api"] })).await.expect("joined");
    let seen = docker.container(&id).await.expect("read").expect("there");
    let aliases =
        seen.inspect.compare(&format!("/NetworkSettings/Networks/{network}/Aliases")).expect("aliases");
    assert!(aliases.as_array().expect("a list").contains(&json!("api")));
    let joined = || env.engine.container(&id)["NetworkSettings"]["Networks"][&network].is_object();
    assert!(joined());
    docker.disconnect(&id, &network, false).await.expect("left");
    assert!(!joined());

    docker.rename(&id, &format!("{name}-old")).await.expect("renamed");
    assert_eq!(kind(docker.remove(&id).await), ErrorKind::Conflict, "it runs");
    assert_eq!(kind(docker.untag(&digest.to_string()).await), ErrorKind::Conflict, "its image is used");
    docker.stop(&id, Some(5)).await.expect("stopped");
    docker.stop(&id, Some(5)).await.expect("a second stop is fine");
    assert!(!docker.container(&id).await.expect("read").expect("there").state.running);
    assert_eq!(env.engine.container(&id)["Name"], format!("/{name}-old"));
    docker.remove(&id).await.expect("removed");
    assert!(docker.container(&id).await.expect("read").is_none());
    assert!(env.engine.find_container(&id).is_none());
}

#[tokio::test]
async fn a_name_or_a_port_that_is_taken_is_a_conflict() {
    let Some(env) = EngineEnv::new() else { return };
    let port = env.port();
    let bound = json!({ "PortBindings": { "80/tcp": [{ "HostPort": port.to_string() }] } });
    let (Made { docker, digest, .. }, first) = created(&env, "serve", json!({ "HostConfig": bound })).await;
    let body = || {
        CreateBody::clear(json!({
            "Image": digest.to_string(), "HostConfig": bound, "Labels": { "io.pillarbox.workspace": env.name },
        }))
    };
    assert_eq!(kind(docker.create(&format!("{}-web", env.name), body()).await), ErrorKind::Conflict);
    let (second, _) = docker.create(&format!("{}-web2", env.name), body()).await.expect("created");
    docker.start(&first).await.expect("started");
    let taken = docker.start(&second).await.expect_err("taken");
    assert_eq!(taken.kind, ErrorKind::Conflict, "{}", taken.message);
    let state = docker.container(&second).await.expect("read").expect("there").state;
    assert!(!state.running && state.error.contains("port is already allocated"), "{state:?}");
    assert_eq!(kind(docker.rename(&second, &format!("{}-web", env.name)).await), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_container_that_ends_says_its_code_and_its_last_words() {
    let Some(env) = EngineEnv::new() else { return };
    let (Made { docker, .. }, id) = created(&env, "exits", json!({})).await;
    docker.start(&id).await.expect("started");
    for _ in 0..100 {
        if !docker.container(&id).await.expect("read").expect("there").state.running {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let state = docker.container(&id).await.expect("read").expect("there").state;
    assert_eq!((state.status.as_str(), state.exit_code, state.health), ("exited", 3, None), "{state:?}");
    let log = docker.log_tail(&id, 5).await.expect("a log");
    assert_eq!(log, ["demo: cannot start: no such table: users"]);
}

#[tokio::test]
async fn health_is_what_its_check_says() {
    let Some(env) = EngineEnv::new() else { return };
    for (image, expected) in [("healthy", Health::Healthy), ("unhealthy", Health::Unhealthy)] {
        let Some(env) = EngineEnv::new() else { return };
        let (Made { docker, digest, .. }, id) = created(&env, image, json!({})).await;
        assert!(
            docker.image(&digest.to_string()).await.expect("read").expect("there").health_check.is_some()
        );
        docker.start(&id).await.expect("started");
        let mut health = None;
        for _ in 0..200 {
            health = docker.container(&id).await.expect("read").expect("there").state.health;
            if health == Some(expected) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(health, Some(expected));
    }
    drop(env);
}

#[tokio::test]
async fn a_stop_waits_as_long_as_it_was_told_and_then_kills() {
    let Some(env) = EngineEnv::new() else { return };
    let (Made { docker, .. }, id) = created(&env, "deaf", json!({})).await;
    docker.start(&id).await.expect("started");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    docker.stop(&id, Some(2)).await.expect("killed");
    assert!(began.elapsed() >= Duration::from_millis(1900), "{:?}", began.elapsed());
    assert_eq!(docker.container(&id).await.expect("read").expect("there").state.exit_code, 137);
}

#[tokio::test]
async fn a_volume_that_is_there_keeps_its_first_labels() {
    let Some(env) = EngineEnv::new() else { return };
    let docker = connect(&env).await;
    let name = format!("{}-vol", env.name);
    let labels = |who: &str| {
        BTreeMap::from([
            ("io.pillarbox.workspace".to_owned(), env.name.clone()),
            ("who".to_owned(), who.to_owned()),
        ])
    };
    let first = docker.create_volume(&name, &labels("one")).await.expect("made");
    let second = docker.create_volume(&name, &labels("two")).await.expect("there");
    assert_eq!((first.labels["who"].as_str(), &second), ("one", &first));
    assert!(docker.now().await.expect("a Date").abs_diff(first.created_at) <= 3);
    assert_eq!(docker.volumes("who", "one").await.expect("a list").len(), 1);
    let witnessed = || env.engine.volumes().into_iter().find(|volume| volume["Name"] == name.as_str());
    assert_eq!(witnessed().expect("there")["Labels"]["who"], "one");
    assert_eq!(docker.volumes("io.pillarbox.workspace", &env.name).await.expect("a list"), [first]);
    assert!(docker.volumes("who", "two").await.expect("a list").is_empty());
    docker.remove_volume(&name).await.expect("removed");
    assert!(docker.volumes("who", "one").await.expect("a list").is_empty());
    assert!(witnessed().is_none());
}

#[tokio::test]
async fn a_refusal_of_the_registry_is_told_from_everything_else() {
    let Some(env) = EngineEnv::new() else { return };
    let Made { docker, tag, digest, auth } = pushed(&env, "serve").await;
    let wrong = header(&env, &env.user, "wrong");
    let stranger = header(&env, "stranger", &env.password);
    let pull = async |image: &ImageRef, auth: Option<&AuthHeader>| {
        kind(docker.pull(image, None, auth, &|_| {}).await)
    };
    let resolve = async |image: &ImageRef, auth: Option<&AuthHeader>| kind(docker.resolve(image, auth).await);
    for image in [&tag, &digest] {
        for bad in [&wrong, &stranger] {
            assert_eq!(pull(image, Some(bad)).await, ErrorKind::Refused);
            assert_eq!(resolve(image, Some(bad)).await, ErrorKind::Refused);
        }
        assert_eq!(pull(image, None).await, ErrorKind::CredentialMissing);
        assert_eq!(resolve(image, None).await, ErrorKind::CredentialMissing);
    }
    let missing = ImageRef { tag: Some("nope".to_owned()), ..tag.clone() };
    assert_eq!(pull(&missing, Some(&auth)).await, ErrorKind::NoSuchImage);
    assert_eq!(resolve(&missing, Some(&auth)).await, ErrorKind::NoSuchImage);
    let down = ImageRef::parse("127.0.0.1:9/unauthorized/web:1").expect("a reference");
    assert_eq!(pull(&down, Some(&auth)).await, ErrorKind::RegistryUnreachable);
    assert_eq!(resolve(&down, Some(&auth)).await, ErrorKind::RegistryUnreachable);
    // None of it keeps the right credential from working.
    docker.pull(&tag, None, Some(&auth), &|_| {}).await.expect("pulled");
}

#[tokio::test]
async fn fifty_calls_at_once_share_few_connections_and_all_are_answered() {
    let Some(env) = EngineEnv::new() else { return };
    let docker = connect(&env).await;
    for _ in 0..3 {
        let calls = (0..50).map(|_| docker.now());
        let answers: Vec<EngineResult<i64>> = futures_util::future::join_all(calls).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
}

/// An Engine that gives these answers on one connection, after its ping; status and body each.
fn answering(answers: &[(&str, &str)]) -> (tempfile::TempDir, Address, std::thread::JoinHandle<()>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let whole = |(status, body): &(&str, &str)| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nApi-Version: 1.51\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let answers: Vec<String> = [("200 OK", "OK")].iter().chain(answers).map(whole).collect();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        for answer in answers {
            let mut buffer = [0; 4096];
            let _ = std::io::Read::read(&mut stream, &mut buffer);
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    (folder, Address::Unix(path), serving)
}

#[tokio::test]
async fn a_list_that_is_not_found_because_an_image_on_it_goes_is_asked_for_again() {
    let goes = ("404 Not Found", r#"{"message":"NotFound: content digest sha256:4e: not found"}"#);
    let list =
        ("200 OK", r#"[{"Id":"sha256:4e","RepoTags":["pillarbox.invalid/shop/api:g1"],"RepoDigests":[]}]"#);
    let (_folder, address, serving) = answering(&[goes, goes, list]);
    let docker = Docker::connect(&address).await.expect("an Engine");
    assert_eq!(docker.tags("pillarbox.invalid/shop").await.expect("a list").len(), 1);
    serving.join().expect("served");
}

#[tokio::test]
async fn a_label_with_a_name_that_the_parser_keeps_for_itself_spoils_no_list() {
    let labels = r#"{"$serde_json::private::Number":"no number","a":"b"}"#;
    let list = format!(r#"[{{"Id":"1","Names":["/a"],"Labels":{labels}}},{{"Id":"2","Names":["/b"]}}]"#);
    let (_folder, address, serving) = answering(&[("200 OK", &list)]);
    let docker = Docker::connect(&address).await.expect("an Engine");
    let all = docker.containers().await.expect("a list");
    assert_eq!(all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(all[0].labels.get("a").map(String::as_str), Some("b"));
    serving.join().expect("served");
}

#[tokio::test]
async fn what_is_no_engine_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let answers: [(&str, &str); 3] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "is it an Engine?"),
        ("HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nContent-Length: 2\r\n\r\nOK", "needs at least 1.41"),
        ("", "the connection was lost"),
    ];
    let serving = std::thread::spawn(move || {
        for (answer, _) in answers {
            // A lost connection is tried once more only where another one was idle: each is one.
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut buffer = [0; 1024];
            let _ = std::io::Read::read(&mut stream, &mut buffer);
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    for (_, words) in answers {
        let error: EngineError =
            Docker::connect(&Address::Unix(path.clone())).await.err().expect("no Engine");
        assert!(error.message.contains(words), "{}", error.message);
    }
    serving.join().expect("served");
}
