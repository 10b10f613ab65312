//! Secrets as files.

use super::stage::{SECRET, Stage, absent, item, running, runtime, secret};
use super::trouble::{live_through, trouble};
use crate::desired::{DesiredContainer, SecretFile};
use crate::engine::{EngineError, ErrorKind};
use crate::execute::{Fetching, Interrupt, Secrets};
use crate::name::{HostName, ImageName};
use crate::problem::{Code, Result};
use crate::secret::Secret;
use crate::state::{SecretRef, Text};
use crate::testing::fake::{Behaviour, Fault};
use futures_util::FutureExt as _;
use futures_util::future::ready;
use proptest::prelude::*;

const FOLDER: &str = "/run/secrets";
const VOLUME: &str = "pillarbox-secrets.shop.nginx.g";

struct Bytes(Vec<u8>);

impl Secrets for Bytes {
    fn open(&self, _: &SecretRef) -> Result<Secret> {
        Ok(Secret::new(self.0.clone()))
    }
    fn auth<'a>(&'a self, _: &'a HostName, _: &'a ImageName) -> Fetching<'a> {
        ready(Ok(None)).boxed_local()
    }
}

fn want(version: u32, files: &[(&str, SecretFile)]) -> DesiredContainer {
    let mut want = running("nginx", &format!("r.example.com/nginx:{version}"));
    want.spec.secrets = files.iter().map(|(name, file)| ((*name).to_owned(), file.clone())).collect();
    want
}

fn key() -> (&'static str, SecretFile) {
    ("tls_key", SecretFile::of(secret("api.tls_key")))
}

fn world() -> Stage {
    let stage = Stage::new();
    for n in 1..=3 {
        stage.publish(n);
    }
    stage.fake.publish("r.example.com/nginx:4", "ends", Behaviour::ends(1, 3));
    stage
}

#[tokio::test(start_paused = true)]
async fn files_are_there_before_the_start_and_nowhere_else() {
    let conf = SecretFile {
        uid: 1000,
        gid: 70,
        mode: 0o400,
        ..SecretFile::of(Text::from_segments([
            crate::state::Segment::Clear("password=".to_owned()),
            secret("api.password").segments()[0].clone(),
        ]))
    };
    let stage = world().with(vec![want(1, &[key(), ("conf", conf)])]);
    let plan = stage.settle().await;
    let files = stage.fake.files("nginx", FOLDER);
    assert_eq!(files["tls_key"].content, SECRET.as_bytes());
    assert_eq!(files["tls_key"].owner, (0, 0, 0o444));
    assert_eq!(files["conf"].content, format!("password={SECRET}").as_bytes());
    assert_eq!(files["conf"].owner, (1000, 70, 0o400));
    assert_eq!(stage.statuses(), ["nginx running"]);
    assert_eq!(stage.fake.volume_names(), [format!("{VOLUME}1")]);
    let body = stage.fake.body("nginx").expect("there");
    assert!(!body.to_string().contains(SECRET), "{body}");
    assert_eq!(body["HostConfig"]["Mounts"][0]["ReadOnly"], true);
    let shown = serde_json::to_string(&plan).expect("JSON") + &format!("{plan:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    let receivers: Vec<String> =
        plan.receivers.iter().map(|r| format!("{} → {}, {}", r.secret, r.container, r.field)).collect();
    assert_eq!(
        receivers,
        ["api.password → nginx, file /run/secrets/conf", "api.tls_key → nginx, file /run/secrets/tls_key"]
    );
    let calls = stage.fake.changes();
    let at = |wanted: &str| calls.iter().position(|call| call == wanted).expect(wanted);
    assert!(at(&format!("put {VOLUME}1 {}", crate::plan::FILLED)) < at("create nginx"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn any_bytes_go_in_as_they_were_sealed_and_too_many_change_nothing() {
    for length in [0, 1, 511, 512, 513, 100_000] {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8 ^ 0xff).collect();
        let stage = world().with(vec![want(1, &[key()])]);
        let plan = stage.plan().await.expect("planned");
        let done = stage.carry_out(plan, &Bytes(bytes.clone()), &Interrupt::new(), |_| false).await;
        assert_eq!(done.outcome.failure, None);
        assert_eq!(stage.fake.files("nginx", FOLDER)["tls_key"].content, bytes);
    }
    let stage = world().with(vec![want(1, &[key()])]);
    let plan = stage.plan().await.expect("planned");
    let done = stage.carry_out(plan, &Bytes(vec![0; (1 << 20) + 1]), &Interrupt::new(), |_| false).await;
    let failure = done.outcome.failure.expect("failed").to_string();
    assert!(failure.contains("secrets.tls_key of container nginx is 1048577 bytes long"), "{failure}");
    assert_eq!(stage.fake.changes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn another_secret_replaces_the_container_and_takes_the_old_volume_along() {
    let stage = world().with(vec![want(1, &[key()])]);
    stage.settle().await;
    let other = SecretFile { mode: 0o400, ..key().1 };
    let stage = stage.with(vec![want(1, &[("tls_key", other)])]);
    let plan = stage.settle().await;
    assert_eq!(plan.changes[0].cause[0].to_string(), "secrets.tls_key changed");
    assert_eq!(stage.fake.volume_names(), [format!("{VOLUME}2")]);
    let none = stage.with(vec![want(1, &[])]);
    none.settle().await;
    assert_eq!(none.fake.volume_names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_takes_its_secrets_along_and_a_lost_volume_is_recreated() {
    let stage = world().with(vec![want(1, &[key()])]);
    stage.settle().await;
    stage.fake.lose_volume(&format!("{VOLUME}1"));
    let plan = stage.plan().await.expect("planned");
    assert_eq!(plan.changes[0].cause[0].to_string(), "the volume of its secrets is gone");
    stage.settle().await;
    assert_eq!(stage.fake.files("nginx", FOLDER)["tls_key"].content, SECRET.as_bytes());
    let gone = Stage { items: vec![absent("nginx")], ..stage };
    gone.settle().await;
    assert_eq!(gone.fake.volume_names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_full_brings_the_old_one_back_and_leaves_nothing() {
    let stage = world().with(vec![want(1, &[key()])]);
    stage.settle().await;
    let next = stage.with(vec![want(2, &[key()])]);
    let full = EngineError::new(ErrorKind::Other, 500, "no space left on device");
    for call in ["create-volume", "create pillarbox-secrets", "put", "discard", "create nginx.g2"] {
        stage.fake.fail_calls(call, full.clone());
        let failure = next.apply().await.outcome.failure.expect("failed");
        assert!(format!("{failure:?}").contains("no space left on device"), "{failure:?}");
        stage.fake.heal();
        assert_eq!(stage.running("nginx"), 1);
        let left = stage.fake.volume_names();
        // What cannot be removed now is by the next apply.
        assert!(call == "discard" || left == [format!("{VOLUME}1")], "{call}: {left:?}");
    }
    next.settle().await;
    assert_eq!(next.fake.volume_names(), [format!("{VOLUME}2")]);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_volume_of_that_name_is_never_filled_or_removed() {
    use crate::engine::Engine as _;
    let stage = world().with(vec![want(1, &[key()])]);
    let name = format!("{VOLUME}1");
    stage.fake.create_volume(&name, &[("a".to_owned(), "b".to_owned())].into()).await.expect("made");
    let failure = stage.apply().await.outcome.failure.expect("failed");
    assert!(
        format!("{failure:?}").contains("a volume of that name exists that is not managed by pillarbox"),
        "{failure:?}"
    );
    assert_eq!(stage.fake.volume_names(), std::slice::from_ref(&name));
    assert!(stage.fake.files("nginx", FOLDER).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_came_after_the_plan_is_never_filled() {
    use crate::engine::Engine as _;
    use crate::observed::Label;
    let stage = world().with(vec![want(1, &[key()])]);
    let plan = stage.plan().await.expect("planned");
    let labels = [(Label::WORKSPACE, "shop"), (Label::SECRETS, "nginx.g1")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    stage.fake.create_volume(&format!("{VOLUME}1"), &labels).await.expect("made");
    let done = stage.carry_out(plan, &Bytes(vec![1]), &Interrupt::new(), |_| false).await;
    assert_eq!(done.outcome.failure.expect("failed").code(), Code::Stale);
    assert!(stage.fake.files("nginx", FOLDER).is_empty());
    stage.settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_keeps_its_secrets_as_long_as_it_is_kept() {
    let stage = world().with(vec![want(1, &[key()])]);
    stage.settle().await;
    let failed = stage.with(vec![want(4, &[key()])]).apply().await;
    assert_eq!(failed.outcome.failure.expect("failed").code(), Code::Partial);
    assert_eq!(stage.fake.volume_names(), [format!("{VOLUME}1"), format!("{VOLUME}2")]);
    stage.with(vec![want(3, &[key()])]).settle().await;
    assert_eq!(stage.fake.volume_names(), [format!("{VOLUME}3")]);
}

/// Bytes, owner and version that a round wants.
fn round() -> impl Strategy<Value = (u32, u8)> {
    (1..=4u32, 0..4u8)
}

fn wanted((version, files): (u32, u8)) -> DesiredContainer {
    let other = ("other", SecretFile { uid: 7, ..SecretFile::of(Text::clear("clear")) });
    match files {
        0 => want(version, &[]),
        1 => want(version, &[key()]),
        2 => want(version, &[key(), other]),
        _ => want(version, &[("tls_key", SecretFile { mode: 0o400, ..key().1 })]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    /// Wherever applies were cut off, the next one leaves one volume for each container that has files, and
    /// nothing that filled one.
    #[test]
    fn no_volume_and_no_filler_is_left_after_any_history(
        rounds in proptest::collection::vec((round(), trouble(1..30)), 1..5),
        end in (1..=3u32, 0..4u8),
    ) {
        runtime().block_on(async {
            let stage = world();
            for (round, trouble) in rounds {
                let now = Stage { items: vec![item(wanted(round))], ..stage.clone() };
                live_through(&now, trouble).await;
            }
            let last = Stage { items: vec![item(wanted(end))], ..stage };
            last.settle().await;
            assert_eq!(last.statuses(), ["nginx running"]);
            let files = last.fake.files("nginx", FOLDER);
            assert_eq!(files.len(), [0, 1, 2, 1][usize::from(end.1)]);
            assert!(files.get("tls_key").is_none_or(|file| file.content == SECRET.as_bytes()));
            assert_eq!(last.fake.volume_names().len(), usize::from(end.1 > 0));
        });
    }
}

#[tokio::test(start_paused = true)]
async fn the_law_does_not_hold_by_accident() {
    // A process that dies after the volume was filled leaves it; the next apply removes it.
    let stage = world().with(vec![want(1, &[key()])]);
    stage.fake.fail(5, Fault::HangUpBefore);
    stage.apply().await;
    stage.fake.heal();
    assert_eq!(stage.fake.volume_names(), [format!("{VOLUME}1")]);
    let plan = stage.plan().await.expect("planned");
    let said: Vec<String> =
        plan.changes.iter().map(|c| format!("{} {}", c.actions[0].symbol(), c.address)).collect();
    assert_eq!(
        said,
        [format!("- container {VOLUME}1"), format!("- volume {VOLUME}1"), "+ container nginx".to_owned()]
    );
    stage.settle().await;
}

#[tokio::test(start_paused = true)]
async fn what_fills_a_volume_and_is_just_being_removed_is_awaited_before_its_name_is_used_again() {
    let stage = world().with(vec![want(1, &[key()])]);
    stage.fake.fail(5, Fault::HangUpBefore);
    stage.apply().await;
    stage.fake.heal();
    let (desired, mut observed) = (stage.desired(), stage.observe().await);
    let filler = observed.containers.iter_mut().find(|one| one.helper.is_some()).expect("left over");
    filler.state.status = "removing".to_owned();
    let name = filler.name.clone();
    let plan = crate::planner::plan_host(&desired, &observed, &stage.options).expect("a plan that holds");
    let at = |wanted: String| plan.steps.iter().position(|step| step.action.to_string() == wanted);
    let (removed, made) = (at(format!("remove {name}")), at(format!("create {name}")));
    assert!(removed.is_some() && removed < made, "{:#?}", plan.steps);
}
