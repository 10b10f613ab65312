//! Tasks: once, before anything else, and known afterwards.

use super::stage::{Open, SECRET, Stage, item, resource, running, runtime, secret, thing};
use super::trouble::{live_through, trouble};
use crate::desired::{Address, DesiredState, DesiredTask, Item, Kind, On, Run, SecretFile, Store};
use crate::event::EventKind;
use crate::execute::{Command, Host, Interrupt, Outcome, Unguarded, execute};
use crate::name::{ContainerName, HostName, ImageRef};
use crate::plan::{HostPlan, text_with_undo};
use crate::planner::{Options, Part, assign, plan_host};
use crate::problem::{Code, Place};
use crate::testing::fake::Behaviour;
use proptest::prelude::*;

const TASK: &str = "pillarbox-task.shop.migrate";

pub(super) fn task(version: u32) -> DesiredTask {
    let mut container = running("migrate", &format!("r.example.com/db:{version}"));
    container.spec.fixed.clear();
    container.spec.live.clear();
    container.run = Run::Created;
    DesiredTask { container, timeout: 60, on: On::First }
}

pub(super) fn task_item(want: DesiredTask) -> Item {
    thing(Kind::Task, "migrate", DesiredState::Task(Box::new(want)))
}

fn service(version: u32) -> Item {
    let needs = vec![Address { kind: Kind::Task, name: "migrate".to_owned() }];
    Item { needs, ..item(running("nginx", &format!("r.example.com/nginx:{version}"))) }
}

/// Migrations 1 to 3 take two seconds and succeed, 4 fails, 5 never ends.
pub(super) fn world() -> Stage {
    let stage = Stage::new();
    for n in 1..=5 {
        stage.publish(n);
        let behaviour = match n {
            4 => Behaviour { log: vec![format!("cannot connect with {SECRET}")], ..Behaviour::ends(2, 3) },
            5 => Behaviour::fine(),
            _ => Behaviour::ends(2, 0),
        };
        stage.fake.publish(&format!("r.example.com/db:{n}"), &format!("db {n}"), behaviour);
    }
    stage
}

fn wants(stage: &Stage, version: u32) -> Stage {
    Stage { items: vec![task_item(task(version)), service(version)], ..stage.clone() }
}

/// How often a version of the task was started.
fn runs(stage: &Stage, version: u32) -> usize {
    let wanted = format!("{TASK} r.example.com/db:{version}@");
    stage.fake.started().iter().filter(|started| started.starts_with(&wanted)).count()
}

#[tokio::test(start_paused = true)]
async fn a_task_runs_once_before_what_requires_it_and_is_remembered() {
    let stage = wants(&world(), 1);
    let plan = stage.settle().await;
    insta::assert_snapshot!(super::stage::readable(&text_with_undo(&plan)), @r#"
    #1 [] pull r.example.com/db@sha256:238e (pull r.example.com/db@sha256:238e): run once: it has not run yet
    #2 [] pull r.example.com/nginx@sha256:bb82 (pull r.example.com/nginx@sha256:bb82): will be created
    #3 [1] create pillarbox-task.shop.migrate (task migrate): run once: it has not run yet
    #4 [3] start pillarbox-task.shop.migrate (task migrate): run once: it has not run yet
    #5 [4] await the end of pillarbox-task.shop.migrate (task migrate): run once: it has not run yet
    #6 [5] create volume pillarbox-ran.shop.migrate.28125e67f91cf5b7 (task migrate): run once: it has not run yet
    #7 [6] remove pillarbox-task.shop.migrate (task migrate): run once: it has not run yet
    #8 [2,7] tag pillarbox.invalid/shop/nginx:g1-1 (create nginx): will be created
         undo: untag pillarbox.invalid/shop/nginx:g1-1
    #9 [8] create nginx (create nginx): will be created
         undo: untag pillarbox.invalid/shop/nginx:g1-1
    #10 [9] start nginx (create nginx): will be created
         undo: stop nginx
    #11 [10] await nginx (create nginx): will be created
         undo: stop nginx
    #12 [11] update nginx RestartPolicy=always (create nginx): will be created
         undo: update nginx RestartPolicy=no; stop nginx
    "#);
    assert_eq!(stage.statuses(), ["nginx running"]);
    assert_eq!(runs(&stage, 1), 1);
    let label = stage.fake.body("nginx").expect("there")["Labels"]["io.pillarbox.tasks"].clone();
    let label = label.as_str().expect("text").strip_prefix("migrate=").expect("named").to_owned();
    assert_eq!(label.len(), 16);
    assert_eq!(stage.fake.volume_names(), [format!("pillarbox-ran.shop.migrate.{label}")]);
    // The memory is lost: the instance says so too.
    stage.fake.lose_volume(&format!("pillarbox-ran.shop.migrate.{label}"));
    let plan = stage.settle().await;
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(runs(&stage, 1), 1);
    // Back to an older version that has had it: nothing runs again.
    wants(&stage, 2).settle().await;
    wants(&stage, 1).settle().await;
    assert_eq!((runs(&stage, 1), runs(&stage, 2)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_stops_everything_and_is_tried_again() {
    let stage = wants(&world(), 1);
    stage.settle().await;
    let failing = wants(&stage, 4);
    let applied = failing.apply().await;
    let failure = applied.outcome.failure.expect("failed");
    assert_eq!(failure.code(), Code::Partial);
    assert!(format!("{failure:?}").contains("exit code 3"), "{failure:?}");
    let logs = applied.events.iter().filter_map(|event| match &event.kind {
        EventKind::ContainerLog { lines, .. } => Some(lines.join("\n")),
        _ => None,
    });
    assert_eq!(logs.collect::<Vec<_>>(), [format!("cannot connect with {SECRET}")]);
    assert_eq!(failing.statuses(), ["nginx running", &format!("{TASK} exited")]);
    assert_eq!(failing.image("nginx"), "r.example.com/nginx:1");
    let again = failing.plan().await.expect("planned");
    assert_eq!(again.changes[0].cause[0].to_string(), "run once: the last attempt is exited (3)");
    failing.apply().await;
    assert_eq!(runs(&stage, 4), 2);
    wants(&stage, 2).settle().await;
    assert_eq!(stage.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn log_lines_of_a_task_hide_its_secrets() {
    let mut want = task(4);
    want.container.spec.env.insert("PASSWORD".to_owned(), secret("db.password"));
    let stage = Stage { items: vec![task_item(want)], ..world() };
    let applied = stage.apply().await;
    let shown = format!("{:?}{:?}", applied.events, applied.outcome);
    assert!(shown.contains("cannot connect with [secret]") && !shown.contains(SECRET), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_end_is_stopped() {
    let mut want = task(5);
    want.timeout = 30;
    let stage = Stage { items: vec![task_item(want), service(1)], ..world() };
    let failure = stage.apply().await.outcome.failure.expect("failed");
    assert!(format!("{failure:?}").contains("did not end within 30 seconds and was stopped"), "{failure:?}");
    assert_eq!(stage.statuses(), [format!("{TASK}.stopped exited")]);
    // It ended with 0, but not by itself.
    let plan = stage.plan().await.expect("planned");
    assert_eq!(plan.changes[0].cause[0].to_string(), "run once: the last attempt is exited (0)");
}

#[tokio::test(start_paused = true)]
async fn one_that_runs_when_an_apply_ends_is_waited_for_by_the_next() {
    let stage = wants(&world(), 1);
    let waits = |happened: &EventKind| matches!(happened, EventKind::StepStarted { step: 5 });
    let applied = stage.apply_until(&Interrupt::new(), waits).await;
    assert_eq!(stage.statuses(), [format!("{TASK} running")], "{}", text_with_undo(&applied.plan));
    let plan = stage.settle().await;
    assert_eq!(plan.changes[0].cause[0].to_string(), "run once: it runs already, and is waited for");
    assert_eq!(runs(&stage, 1), 1);
    assert_eq!(stage.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn secrets_of_a_task_go_with_it_and_can_lie_in_memory() {
    for store in [Store::Disk, Store::Memory] {
        let mut want = task(1);
        let file = SecretFile { store, ..SecretFile::of(secret("db.password")) };
        want.container.spec.secrets.insert("password".to_owned(), file);
        let stage = Stage { items: vec![task_item(want), service(1)], ..world() };
        let waits =
            |happened: &EventKind| matches!(happened, EventKind::StepStarted { .. }) && runs(&stage, 1) == 1;
        stage.apply_until(&Interrupt::new(), waits).await;
        let files = stage.fake.files(TASK, "/run/secrets");
        assert_eq!(files["password"].content, SECRET.as_bytes(), "{store:?}");
        let plan = stage.settle().await;
        assert!(!format!("{plan:?}").contains(SECRET));
        assert_eq!(stage.statuses(), ["nginx running"]);
        assert!(stage.fake.volume_names().iter().all(|name| name.starts_with("pillarbox-ran.")));
        assert_eq!(runs(&stage, 1), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_memory_is_refused_where_podman_would_lose_it() {
    for (version, keeps) in [("4.3.1", false), ("5.4.2", true)] {
        let mut want = task(1);
        let file = SecretFile { store: Store::Memory, ..SecretFile::of(secret("db.password")) };
        want.container.spec.secrets.insert("password".to_owned(), file);
        let stage = Stage { items: vec![task_item(want), service(1)], ..world() };
        stage.fake.set_facts(|facts| {
            facts.engine_id = "podman".to_owned();
            facts.engine_version = version.to_owned();
        });
        let plan = stage.plan().await.map(drop).map_err(|problems| problems.to_string());
        let refused = "task migrate has the secret `password` in memory, which host web1 cannot keep there";
        assert_eq!(plan, if keeps { Ok(()) } else { Err(refused.to_owned()) });
    }
}

/// Two hosts with the same desired states, planned and applied as one run.
struct Two([Stage; 2]);

impl Two {
    fn new(on: Option<&str>) -> Self {
        let mut want = task(1);
        want.on = match on {
            None => On::First,
            Some("each") => On::Each,
            Some(name) => On::Host(HostName::parse(name).expect("a name"), Place::new("states/db.toml", 4)),
        };
        let stage = |_| Stage { items: vec![task_item(want.clone()), service(1)], ..world() };
        Self([0, 1].map(stage))
    }

    async fn plans(&self, which: &[usize]) -> crate::problem::Result<Vec<HostPlan>> {
        let mut seen = Vec::new();
        for at in which {
            let host = HostName::parse(&format!("web{}", at + 1)).expect("a name");
            let (mut desired, mut observed) = (self.0[*at].desired(), self.0[*at].observe().await);
            (desired.host, observed.host) = (host.clone(), host);
            seen.push((desired, observed));
        }
        let parts = assign(&seen.iter().map(|(desired, observed)| (desired, observed)).collect::<Vec<_>>())?;
        let plan = |((desired, observed), tasks): (&(_, _), _)| {
            plan_host(desired, observed, &Options { tasks, ..Options::default() })
        };
        seen.iter().zip(parts).map(plan).collect()
    }

    async fn apply(&self, which: &[usize]) -> Outcome {
        let plans = self.plans(which).await.expect("planned");
        let hosts = which.iter().zip(&plans);
        let hosts: Vec<_> =
            hosts.map(|(at, plan)| Host { plan, engine: &self.0[*at].fake, guard: &Unguarded }).collect();
        execute(Command::APPLY, &hosts, &Open, &|_| {}, &Interrupt::new()).await
    }

    fn ran(&self) -> [usize; 2] {
        [runs(&self.0[0], 1), runs(&self.0[1], 1)]
    }
}

#[tokio::test(start_paused = true)]
async fn one_host_of_a_run_runs_it_before_any_host_changes_and_all_remember() {
    for (on, expected) in [(None, [1, 0]), (Some("web2"), [0, 1])] {
        let two = Two::new(on);
        assert_eq!(two.apply(&[0, 1]).await.failure, None);
        assert_eq!(two.ran(), expected);
        assert!(two.0.iter().all(|stage| stage.fake.volume_names().len() == 1));
        for which in [&[0, 1][..], &[0], &[1]] {
            let plans = two.plans(which).await.expect("planned");
            assert!(plans.iter().all(|plan| plan.steps.is_empty()), "{plans:?}");
        }
    }
}

fn causes(plans: &[HostPlan]) -> Vec<String> {
    plans.iter().map(|plan| plan.changes[0].cause[0].to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_host_runs_its_own_where_that_is_declared_also_where_it_ran_once_for_all() {
    // Once for both, first: that a host remembers it says nothing about its own database.
    let two = Two::new(None);
    assert_eq!(two.apply(&[0, 1]).await.failure, None);
    let each = Two([0, 1].map(|at| {
        let mut want = task(1);
        want.on = On::Each;
        Stage { items: vec![task_item(want), service(1)], ..two.0[at].clone() }
    }));
    let plans = each.plans(&[0, 1]).await.expect("planned");
    assert_eq!(
        causes(&plans),
        [
            "run once: its image or options are others than when it ran",
            "run once: its image or options are others than when it ran",
        ]
    );
    assert_eq!(each.apply(&[0, 1]).await.failure, None);
    assert_eq!(each.ran(), [2, 1]);
    for which in [&[0, 1][..], &[0], &[1]] {
        let plans = each.plans(which).await.expect("planned");
        assert!(plans.iter().all(|plan| plan.steps.is_empty()), "{plans:?}");
    }
    // From the beginning, and one host after the other.
    let each = Two::new(Some("each"));
    assert_eq!(
        causes(&each.plans(&[0]).await.expect("planned")),
        ["run once: it has not run here yet, and each host runs its own"]
    );
    assert_eq!(each.apply(&[1]).await.failure, None);
    assert_eq!(each.ran(), [0, 1]);
    assert_eq!(each.apply(&[0, 1]).await.failure, None);
    assert_eq!(each.ran(), [1, 1]);
    assert_eq!(
        causes(&each.plans(&[0]).await.expect("planned")),
        ["it ran here, as on each host, with this image and these options"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_on_which_host_a_task_runs_for_which_and_on_which_it_ran() {
    let two = Two::new(Some("web2"));
    assert_eq!(
        causes(&two.plans(&[0, 1]).await.expect("planned")),
        [
            "it runs on web2, and is remembered here",
            "run once: it has not run yet; it runs here, for web1 too",
        ]
    );
    assert_eq!(two.apply(&[0, 1]).await.failure, None);
    let ran = "it ran on web2 with this image and these options";
    assert_eq!(causes(&two.plans(&[0, 1]).await.expect("planned")), [ran, ran]);
}

#[tokio::test(start_paused = true)]
async fn where_it_fails_on_its_host_no_other_host_is_touched() {
    let two = Two::new(Some("web2"));
    two.0[1].fake.publish("r.example.com/db:1", "db 1 that fails", Behaviour::ends(1, 1));
    let mut broken = Two::new(Some("web2"));
    broken.0[1] = two.0[1].clone();
    broken.0[0].fake.publish("r.example.com/db:1", "db 1 that fails", Behaviour::ends(1, 1));
    let outcome = broken.apply(&[0, 1]).await;
    assert_eq!(outcome.failure.expect("failed").code(), Code::Partial);
    assert!(!outcome.hosts[0].changed && outcome.hosts[1].changed);
    assert_eq!(broken.0[0].statuses(), [""; 0]);
    assert_eq!(broken.0[1].statuses(), [format!("{TASK} exited")]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_taken_in_later_learns_from_the_others() {
    let two = Two::new(None);
    assert_eq!(two.apply(&[0]).await.failure, None);
    let plans = two.plans(&[0, 1]).await.expect("planned");
    let ran = Part::Ran(HostName::parse("web1").expect("a name"));
    assert!(plans[1].changes[0].cause[0].to_string().contains("it ran on web1"), "{ran:?}");
    assert_eq!(two.apply(&[0, 1]).await.failure, None);
    assert_eq!(two.ran(), [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_host_that_is_not_in_the_run_is_an_error_until_it_ran() {
    let two = Two::new(Some("web2"));
    let said = two.plans(&[0]).await.expect_err("refused").to_string();
    assert!(said.contains("task migrate runs on host web2, which is not part of this run"), "{said}");
    assert_eq!(two.apply(&[0, 1]).await.failure, None);
    assert!(two.plans(&[0]).await.is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    /// Wherever applies are cut off: what succeeded is never started again, nothing starts before its task
    /// has succeeded, and in the end nothing is left of it.
    #[test]
    fn a_task_that_succeeded_is_never_repeated(
        rounds in proptest::collection::vec((1..=4u32, trouble(1..24)), 1..5),
        end in 1..=3u32,
    ) {
        runtime().block_on(async {
            let stage = world();
            for (version, trouble) in rounds {
                live_through(&wants(&stage, version), trouble).await;
            }
            // One that still runs as another version is waited for, and may fail.
            wants(&stage, end).apply().await;
            wants(&stage, end).settle().await;
            assert_eq!(stage.statuses(), ["nginx running"]);
            let started = stage.fake.started();
            for version in 1..=4u32 {
                let service = |line: &String| line.contains(&format!(" r.example.com/nginx:{version}@"));
                let first = started.iter().position(service);
                let task = format!("{TASK} r.example.com/db:{version}@");
                let ran = started.iter().position(|line| line.starts_with(&task));
                assert!(first.is_none() || ran < first && ran.is_some(), "{started:?}");
                if version < 4 {
                    assert!(runs(&stage, version) <= 1, "{started:?}");
                } else {
                    assert_eq!(first, None, "{started:?}");
                }
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_task_holds_what_requires_it_until_it_ran() {
    use crate::desired::Gated;
    use crate::pillar::gate::Hold;
    let stage = wants(&world(), 1);
    let mut held = stage.clone();
    let hold = Hold { why: None, place: Place::new("pillar/apps.toml", 3) };
    held.items[0].gate = Some(Gated { app: "db".to_owned(), hold: Some(hold) });
    let plan = held.plan().await.expect("planned");
    assert!(plan.steps.is_empty());
    assert!(plan.changes.iter().all(|change| change.actions[0].symbol() == "!"), "{:?}", plan.changes);
    assert!(plan.changes[0].cause[1].to_string().contains("it has not run yet"), "{:?}", plan.changes[0]);
    stage.settle().await;
    let plan = held.plan().await.expect("planned");
    assert!(plan.steps.is_empty());
    let causes: Vec<String> = plan.changes[0].cause.iter().map(ToString::to_string).collect();
    assert_eq!(causes[1], "it ran on web1 with this image and these options");
}

#[tokio::test(start_paused = true)]
async fn what_requires_a_held_task_over_others_waits_with_it_and_is_shown() {
    use crate::desired::Gated;
    use crate::pillar::gate::Hold;
    let hold = Hold { why: None, place: Place::new("pillar/apps.toml", 3) };
    let gate = Some(Gated { app: "db".to_owned(), hold: Some(hold) });
    let mut held = wants(&world(), 1);
    let after = |item: Item, needed: &Item| Item { needs: vec![needed.address.clone()], ..item };
    held.fake.preload("r.example.com/nginx:2");
    held.items[0].gate = gate;
    let network = after(resource(Kind::Network, "front", &[]), &held.items[0]);
    let away = DesiredState::ImageAbsent { image: ImageRef::parse("r.example.com/nginx:2").expect("one") };
    let image = after(thing(Kind::Image, "r.example.com/nginx:2", away), &network);
    let web = after(item(running("nginx", "r.example.com/nginx:1")), &image);
    held.items = vec![held.items.remove(0), network, image, web];
    let plan = held.plan().await.expect("planned");
    assert!(plan.steps.is_empty(), "{}", text_with_undo(&plan));
    let said: Vec<String> = plan
        .changes
        .iter()
        .map(|change| format!("{} {}: {}", change.actions[0].symbol(), change.address, change.cause[0]))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    ! task migrate: db is held, pillar/apps.toml:3
    ! network front: db is held, pillar/apps.toml:3
    ! image r.example.com/nginx:2: db is held, pillar/apps.toml:3
    ! container nginx: db is held, pillar/apps.toml:3
    ");
    // Nothing waits any more when it has run.
    held.items[0].gate = None;
    held.settle().await;
    assert_eq!(held.statuses(), ["nginx running"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_a_held_one_here_is_run_by_a_host_where_it_need_not_wait() {
    use crate::desired::Gated;
    use crate::pillar::gate::Hold;
    let mut two = Two::new(None);
    let hold = Hold { why: None, place: Place::new("pillar/apps.toml", 3) };
    for (at, stage) in two.0.iter_mut().enumerate() {
        let mut first = task(2);
        first.container.name = ContainerName::parse("prepare").expect("a name");
        let mut first = thing(Kind::Task, "prepare", DesiredState::Task(Box::new(first)));
        let hold = Some(hold.clone()).filter(|_| at == 0);
        first.gate = Some(Gated { app: "db".to_owned(), hold });
        stage.items[0].needs = vec![first.address.clone()];
        stage.items.insert(0, first);
    }
    assert_eq!(two.apply(&[0, 1]).await.failure, None);
    assert_eq!(two.ran(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_no_state_declares_any_more_is_pruned() {
    let stage = Stage { items: vec![task_item(task(4))], ..world() };
    stage.apply().await;
    let mut none = Stage { items: Vec::new(), ..stage };
    let plan = none.plan().await.expect("planned");
    assert!(plan.steps.is_empty() && plan.notes[0].contains("of a task that no state declares"), "{plan:?}");
    none.options.prune = true;
    none.settle().await;
    assert_eq!(none.statuses(), [""; 0]);
}
