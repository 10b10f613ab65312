//! A host in memory with desired states that change.

use crate::desired::{
    Address, Desired, DesiredContainer, DesiredResource, DesiredState, Item, Kind, PullPolicy, Requisites,
    Run, Spec,
};
use crate::engine::Engine as _;
use crate::event::{Event, EventKind};
use crate::execute::{Command, Fetching, Guard, Host, Interrupt, Outcome, Secrets, execute};
use crate::name::{ContainerName, HostName, ImageName, ImageRef, KeyPath, Owner, WorkspaceName};
use crate::observe::{Ask, Resolved, What, names, observe};
use crate::observed::{Label, Observed};
use crate::pillar::{Origin, SealId};
use crate::plan::HostPlan;
use crate::planner::adopt::{Adoption, Candidate, Found};
use crate::planner::{self, Options};
use crate::problem::{Place, Result};
use crate::secret::Secret;
use crate::state::{SecretRef, Text};
use crate::testing::fake::{Behaviour, Fake};
use futures_util::FutureExt as _;
use futures_util::future::ready;
use serde_json::json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A host and what is wanted of it.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) fake: Fake,
    pub(crate) items: Vec<Item>,
    pub(crate) options: Options,
    /// Whose desired states these are.
    pub(crate) owner: Owner,
    /// Whether all names of images are read that could go.
    pub(crate) tidies: bool,
}

/// Every secret is this text.
pub(crate) const SECRET: &str = "s3cr3t/päss";

/// A lock that is held as long as its Engine answers.
struct Answers<'a>(&'a Fake);

impl Guard for Answers<'_> {
    async fn check(&self) -> Result<()> {
        self.0.now().await.map(drop).map_err(|error| error.problem("the lock cannot be looked at").into())
    }
}

/// Opens everything to [`SECRET`]; registries are open.
pub(crate) struct Open;

impl Secrets for Open {
    fn open(&self, _: &SecretRef) -> Result<Secret> {
        Ok(SECRET.to_owned().into())
    }
    fn auth<'a>(&'a self, _: &'a HostName, _: &'a ImageName) -> Fetching<'a> {
        ready(Ok(None)).boxed_local()
    }
}

/// `nginx`, running from an image, on port 8080, with a restart policy.
pub(crate) fn running(name: &str, image: &str) -> DesiredContainer {
    let mut spec = Spec::default();
    spec.fixed.insert("ports".to_owned(), json!({ "80/tcp": [{ "HostIp": "", "HostPort": "8080" }] }));
    spec.live.insert("restart".to_owned(), json!("always"));
    DesiredContainer {
        name: ContainerName::parse(name).expect("a name"),
        run: Run::Running,
        image: ImageRef::parse(image).expect("a reference"),
        pull: PullPolicy::Missing,
        spec,
        stop_timeout: Some(5),
        monitor: 5,
        start_timeout: Some(30),
        replica: None,
        sources: BTreeMap::from([
            ("image".to_owned(), vec![Place::new("pillar/apps.toml", 12)]),
            ("env.LOG".to_owned(), vec![Place::new("pillar/apps.toml", 14)]),
        ]),
    }
}

/// A text that is one secret.
pub(crate) fn secret(key: &str) -> Text {
    Text::secret(SecretRef {
        origin: Origin { file: "apps.toml".to_owned(), key: KeyPath::parse(key).expect("a key") },
        id: SealId::parse("9f2c41d70b6e83aa").expect("an id"),
        encoders: Vec::new(),
    })
}

/// An item of a container.
pub(crate) fn item(want: DesiredContainer) -> Item {
    let name = want.name.to_string();
    thing(Kind::Container, &name, DesiredState::Container(Box::new(want)))
}

/// An item.
pub(crate) fn thing(kind: Kind, name: &str, want: DesiredState) -> Item {
    let address = Address { kind, name: name.to_owned() };
    Item {
        address,
        want,
        declared: vec![("x".to_owned(), Place::new("states/x.toml", 1))],
        needs: Vec::new(),
        gate: None,
        requisites: Requisites::default(),
    }
}

/// A network or volume with these fields.
pub(crate) fn resource(kind: Kind, name: &str, fields: &[(&str, serde_json::Value)]) -> Item {
    let mut spec = Spec::default();
    spec.fixed.extend(fields.iter().map(|(field, value)| ((*field).to_owned(), value.clone())));
    let want = Box::new(DesiredResource { name: name.to_owned(), spec, sources: BTreeMap::new() });
    thing(
        kind,
        name,
        if kind == Kind::Network { DesiredState::Network(want) } else { DesiredState::Volume(want) },
    )
}

/// No container of this name.
pub(crate) fn absent(name: &str) -> Item {
    let want = DesiredState::ContainerAbsent {
        name: ContainerName::parse(name).expect("a name"),
        stop_timeout: Some(3),
    };
    thing(Kind::Container, name, want)
}

/// What happened in one apply.
pub(crate) struct Applied {
    pub(crate) plan: HostPlan,
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Event>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let options = Options { engine: "unix:///run/docker.sock".to_owned(), ..Options::default() };
        let owner = WorkspaceName::parse("shop").expect("a name").into();
        Self { fake: Fake::new(), items: Vec::new(), options, owner, tidies: false }
    }

    /// Publishes `r.example.com/nginx:<n>`, which works.
    pub(crate) fn publish(&self, n: u32) {
        self.fake.publish(&format!("r.example.com/nginx:{n}"), &format!("nginx {n}"), Behaviour::fine());
    }

    /// The same host with other desired states.
    pub(crate) fn with(&self, wants: Vec<DesiredContainer>) -> Self {
        Self { items: wants.into_iter().map(item).collect(), ..self.clone() }
    }

    pub(crate) fn desired(&self) -> Desired {
        Desired {
            workspace: self.owner.clone(),
            host: HostName::parse("web1").expect("a name"),
            items: self.items.clone(),
            notes: Vec::new(),
            partial: false,
        }
    }

    pub(crate) async fn observe(&self) -> Observed {
        let desired = self.desired();
        let resolved = Resolved::default();
        let no_login = |_: &ImageName| ready(Ok(None)).boxed_local();
        let offline = self.options.offline;
        let ask = Ask { offline, keychain: &no_login, resolved: &resolved, waits: &|_| {} };
        let facts = self.fake.facts().await.expect("facts");
        observe(&self.fake, &desired.host, facts, &What::of(&desired), &ask).await.expect("observed")
    }

    /// Takes over the container of a name as it is.
    pub(crate) async fn adopt(&self, name: &str) -> Adoption {
        let (desired, observed) = (self.desired(), self.observe().await);
        let Ok(Found::Candidate(candidate)) = Candidate::find(&desired, &observed, name) else {
            panic!("{name} cannot be adopted")
        };
        let image = self.fake.image(&candidate.container.image_id).await.expect("an answer");
        let adoption = candidate.compare(image.as_ref(), &BTreeSet::new()).expect("compared");
        let after = candidate.plan_after(&adoption, &self.options).expect("planned");
        let record = &adoption.record;
        self.fake.create_volume(&record.volume, &record.labels).await.expect("recorded");
        let only = self.items.iter().filter(|item| item.address.name == name).cloned().collect();
        let then = Self { items: only, ..self.clone() }.plan().await.expect("planned");
        let (said, done) = ((&after.changes, &after.steps), (&then.changes, &then.steps));
        assert_eq!(said, done, "what was said is what is done");
        adoption
    }

    /// Ids of containers that the host has a record of.
    pub(crate) async fn records(&self) -> Vec<String> {
        let volumes = self.fake.volumes(Label::ADOPTED, "shop").await.expect("an answer");
        volumes.iter().filter_map(|volume| volume.labels.get(Label::CONTAINER).cloned()).collect()
    }

    pub(crate) async fn plan(&self) -> Result<HostPlan> {
        let (desired, mut observed) = (self.desired(), self.observe().await);
        let plan = planner::plan_host(&desired, &observed, &self.options)?;
        if !self.tidies || plan.unread_images.is_empty() {
            return Ok(plan);
        }
        observed.kept_images.extend(names(&self.fake, &desired.host, &plan.unread_images).await?);
        planner::plan_host(&desired, &observed, &self.options)
    }

    pub(crate) async fn apply(&self) -> Applied {
        self.apply_until(&Interrupt::new(), |_| false).await
    }

    /// Applies; interrupts after the first event that `when` wants.
    pub(crate) async fn apply_until(
        &self,
        interrupt: &Interrupt,
        when: impl Fn(&EventKind) -> bool,
    ) -> Applied {
        let plan = match self.plan().await {
            Ok(plan) => plan,
            Err(problems) => panic!("{problems}"),
        };
        self.carry_out(plan, &Open, interrupt, when).await
    }

    pub(crate) async fn carry_out(
        &self,
        plan: HostPlan,
        secrets: &dyn Secrets,
        interrupt: &Interrupt,
        when: impl Fn(&EventKind) -> bool,
    ) -> Applied {
        let events = RefCell::new(Vec::new());
        let hosts = [Host { plan: &plan, engine: &self.fake, guard: &Answers(&self.fake) }];
        let watch = |event: Event| {
            if when(&event.kind) && !interrupt.raised() {
                interrupt.raise();
            }
            events.borrow_mut().push(event);
        };
        let outcome = execute(Command::APPLY, &hosts, secrets, &watch, interrupt).await;
        Applied { plan, outcome, events: events.into_inner() }
    }

    /// Applies, which must not fail; afterwards there is nothing more to do.
    pub(crate) async fn settle(&self) -> HostPlan {
        let applied = self.apply().await;
        if let Some(failure) = applied.outcome.failure {
            panic!("{failure:#?}\n{}", crate::plan::text_with_undo(&applied.plan));
        }
        let again = self.plan().await.expect("planned");
        assert!(
            again.steps.is_empty(),
            "not settled:\n{}\nafter:\n{}\n{:?}",
            crate::plan::text(&again),
            crate::plan::text(&applied.plan),
            self.statuses(),
        );
        applied.plan
    }

    /// Names with their status, `nginx running`.
    pub(crate) fn statuses(&self) -> Vec<String> {
        self.fake.statuses().into_iter().map(|(name, status)| format!("{name} {status}")).collect()
    }

    /// How many containers of a service run.
    pub(crate) fn running(&self, service: &str) -> usize {
        let statuses = self.fake.statuses();
        let of = |name: &str| name == service || name.starts_with(&format!("{service}.g"));
        statuses.iter().filter(|(name, status)| of(name) && *status == "running").count()
    }

    /// The image that the container of a name was made from.
    pub(crate) fn image(&self, name: &str) -> String {
        let body = self.fake.body(name).expect("there");
        body["Image"].as_str().expect("text").split('@').next().expect("a part").to_owned()
    }
}

/// One thread, and a clock that stands still while anybody works.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Digests shortened to what can be told apart.
pub(crate) fn readable(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("sha256:") {
        let (before, digest) = rest.split_at(at);
        out.push_str(before);
        let end = digest[7..].find(|c: char| !c.is_ascii_hexdigit()).map_or(digest.len(), |end| end + 7);
        out.push_str(&digest[..end.min(11)]);
        rest = &digest[end..];
    }
    out + rest
}
