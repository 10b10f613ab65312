//! Secrets on their way into an environment.

use super::stage::{Open, SECRET, Stage, running, secret};
use crate::execute::{Fetching, Interrupt, Secrets};
use crate::name::{HostName, ImageName};
use crate::problem::{Code, Problem, Result};
use crate::secret::Secret;
use crate::state::{Encoder, SecretRef, Segment, Text};
use futures_util::FutureExt as _;
use futures_util::future::ready;

struct Bytes(&'static [u8]);

impl Secrets for Bytes {
    fn open(&self, _: &SecretRef) -> Result<Secret> {
        Ok(Secret::new(self.0.to_vec()))
    }
    fn auth<'a>(&'a self, _: &'a HostName, _: &'a ImageName) -> Fetching<'a> {
        ready(Ok(None)).boxed_local()
    }
}

struct Sealed;

impl Secrets for Sealed {
    fn open(&self, secret: &SecretRef) -> Result<Secret> {
        Err(Problem::new(Code::Seal, format!("{} was moved", secret.origin)).into())
    }
    fn auth<'a>(&'a self, _: &'a HostName, _: &'a ImageName) -> Fetching<'a> {
        ready(Ok(None)).boxed_local()
    }
}

fn encoded(encoders: &[Encoder]) -> Text {
    let Some(Segment::Secret(mut reference)) = secret("db.password").segments().first().cloned() else {
        unreachable!("a secret")
    };
    reference.encoders = encoders.to_vec();
    let before = Segment::Clear("postgres://api:".to_owned());
    Text::from_segments([before, Segment::Secret(reference), Segment::Clear("@db".to_owned())])
}

async fn stage(text: Text) -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    let mut wish = running("nginx", "r.example.com/nginx:1");
    wish.spec.env.insert("DB".to_owned(), text);
    stage.with(vec![wish])
}

#[tokio::test(start_paused = true)]
async fn encoders_are_applied_in_order_and_text_is_joined() {
    let cases: [(&[Encoder], &str); 5] = [
        (&[], "postgres://api:s3cr3t/päss@db"),
        (&[Encoder::UrlEncode], "postgres://api:s3cr3t%2Fp%C3%A4ss@db"),
        (&[Encoder::B64Encode], "postgres://api:czNjcjN0L3DDpHNz@db"),
        (&[Encoder::ToJson], "postgres://api:\"s3cr3t/päss\"@db"),
        (&[Encoder::B64Encode, Encoder::UrlEncode], "postgres://api:czNjcjN0L3DDpHNz@db"),
    ];
    for (encoders, wanted) in cases {
        let stage = stage(encoded(encoders)).await;
        stage.settle().await;
        assert_eq!(
            stage.fake.body("nginx").expect("there")["Env"],
            serde_json::json!([format!("DB={wanted}")])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_nowhere_but_in_the_body_of_the_create() {
    let mut stage = stage(encoded(&[])).await;
    let log = vec![format!("connecting to postgres://api:{SECRET}@db")];
    let ends = crate::testing::fake::Behaviour { log, ..crate::testing::fake::Behaviour::ends(1, 1) };
    stage.fake.publish("r.example.com/nginx:1", "logs", ends);
    stage.options.fix_drift = true;
    let applied = stage.apply().await;
    assert!(stage.fake.body("nginx").expect("there").to_string().contains(SECRET));
    let seen = format!("{:?}{:?}{:?}", applied.plan, applied.outcome, applied.events);
    assert!(seen.contains("postgres://api:[secret]@db"), "the log is shown");
    assert!(!seen.contains("s3cr3t"), "{seen}");
    assert!(!serde_json::to_string(&applied.plan).expect("JSON").contains("s3cr3t"));
    assert!(!stage.fake.calls().join("\n").contains("s3cr3t"));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_does_not_open_or_does_not_fit_changes_nothing() {
    let cases: [(&dyn Secrets, Code, &str); 3] = [
        (&Sealed, Code::Seal, "db.password in pillar/apps.toml was moved"),
        (&Bytes(b"a\0b"), Code::Failed, "env.DB of container nginx has a NUL byte in it"),
        (
            &Bytes(b"\xff\xfe"),
            Code::Failed,
            "db.password in pillar/apps.toml for env.DB of container nginx is not text",
        ),
    ];
    for (secrets, code, what) in cases {
        let stage = stage(encoded(&[])).await;
        let plan = stage.plan().await.expect("planned");
        let applied = stage.carry_out(plan, secrets, &Interrupt::new(), |_| false).await;
        let failure = applied.outcome.failure.expect("failed");
        assert_eq!((failure.code(), failure.to_string().as_str()), (code, what));
        assert!(stage.fake.changes().is_empty(), "{:?}", stage.fake.changes());
    }
    // Base64 makes text of any bytes.
    let stage = stage(encoded(&[Encoder::B64Encode])).await;
    let plan = stage.plan().await.expect("planned");
    let applied = stage.carry_out(plan, &Bytes(b"\xff\0"), &Interrupt::new(), |_| false).await;
    assert_eq!(applied.outcome.failure, None);
    let _ = Open;
}
