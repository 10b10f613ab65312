use super::*;
use serde_json::json;
use std::time::Duration;

fn body(image: &str) -> CreateBody {
    CreateBody::clear(
        json!({ "Image": image, "HostConfig": { "PortBindings": { "80/tcp": [{ "HostPort": "8080" }] } } }),
    )
}

#[tokio::test(start_paused = true)]
async fn a_port_is_held_by_one_running_container() {
    let fake = Fake::new();
    fake.build("web:1", "one", Behaviour::fine());
    let (a, _) = fake.create("a", body("web:1")).await.expect("made");
    let (b, _) = fake.create("b", body("web:1")).await.expect("made");
    fake.start(&a).await.expect("started");
    assert_eq!(fake.start(&b).await.expect_err("taken").kind, ErrorKind::Conflict);
    fake.stop("a", None).await.expect("stopped");
    fake.start(&b).await.expect("free now");
    assert_eq!(fake.create("b", body("web:1")).await.expect_err("taken").kind, ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_is_called_running_and_counts_its_restarts() {
    let fake = Fake::new();
    fake.build("web:1", "one", Behaviour::ends(2, 1));
    let body = json!({ "Image": "web:1", "HostConfig": { "RestartPolicy": { "Name": "always" } } });
    fake.create("a", CreateBody::clear(body)).await.expect("made");
    fake.start("a").await.expect("started");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let seen = fake.container("a").await.expect("read").expect("there");
    assert!(seen.state.running);
    assert_eq!(seen.state.restart_count, 3);
}

#[tokio::test(start_paused = true)]
async fn a_pull_by_digest_leaves_no_tag_and_a_tag_keeps_it() {
    let fake = Fake::new();
    let digest = fake.publish("r.example.com/web:1", "one", Behaviour::fine());
    let image = ImageRef::parse("r.example.com/web:1").expect("a reference").by_digest(&digest);
    assert_eq!(fake.resolve(&image, None).await.expect("known").digest, digest.as_str());
    fake.pull(&image, None, None, &|_| {}).await.expect("pulled");
    assert_eq!(fake.image_names(), [image.to_string()]);
    fake.tag(&image.to_string(), "pillarbox.invalid/shop/web:g1").await.expect("tagged");
    fake.untag(&image.to_string()).await.expect("untagged");
    assert!(fake.image("pillarbox.invalid/shop/web:g1").await.expect("read").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_guarded_registry_wants_its_header() {
    let fake = Fake::new();
    fake.publish("r.example.com/web:1", "one", Behaviour::fine());
    let host = RegistryHost::parse("r.example.com").expect("a host");
    let (good, bad) = (AuthHeader::basic(&host, "u", "p"), AuthHeader::basic(&host, "u", "q"));
    fake.guard(&host, Some(&good));
    let image = ImageRef::parse("r.example.com/web:1").expect("a reference");
    let kind = |result: EngineResult<()>| result.expect_err("refused").kind;
    assert_eq!(kind(fake.pull(&image, None, None, &|_| {}).await), ErrorKind::CredentialMissing);
    assert_eq!(kind(fake.pull(&image, None, Some(&bad), &|_| {}).await), ErrorKind::Refused);
    fake.pull(&image, None, Some(&good), &|_| {}).await.expect("let in");
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_stays_lost_and_what_was_done_stays_done() {
    let fake = Fake::new();
    fake.build("web:1", "one", Behaviour::fine());
    fake.fail(2, Fault::HangUpAfter);
    fake.create("a", body("web:1")).await.expect("made");
    assert_eq!(fake.start("a").await.expect_err("lost").kind, ErrorKind::Unreachable);
    assert_eq!(fake.containers().await.expect_err("lost").kind, ErrorKind::Unreachable);
    fake.heal();
    assert_eq!(fake.statuses()["a"], "running");
    assert_eq!(fake.changes(), ["create a", "start a"]);
}
