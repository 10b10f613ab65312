//! What is done with a service by request: stopped, started, restarted, recreated, taken down.

use super::start_first::{host, service};
use crate::desired::{DesiredState, Item, Order};
use crate::engine::Engine as _;
use crate::execute::Interrupt;
use crate::execute::tests::stage::{Applied, Open, Stage, readable};
use crate::plan::{Verb, text, text_with_undo};
use crate::planner::{AskedStop, Clean, Operation, Options, plan_clean, plan_operation, taken_down};
use crate::problem::Result;
use crate::testing::fake::Fault;

fn declared(version: u32, replicas: usize) -> Vec<Item> {
    let mut items = service(version, replicas);
    for item in &mut items {
        let DesiredState::Container(want) = &mut item.want else { continue };
        let Some(replica) = &mut want.replica else { continue };
        (replica.retain, replica.images, replica.order, replica.drain) = (1, 1, Order::StartFirst, 0);
    }
    items
}

async fn deployed(replicas: usize) -> Stage {
    let stage = Stage { tidies: true, items: declared(1, replicas), ..host() };
    stage.settle().await;
    stage
}

fn stop(until: Option<i64>) -> Operation {
    let (by, why) = ("alice on desk".to_owned(), Some("a new disk".to_owned()));
    Operation::Stop(AskedStop { by, why, until })
}

async fn planned(stage: &Stage, operation: &Operation) -> Result<crate::plan::HostPlan> {
    plan_operation(&stage.desired(), &stage.observe().await, &stage.options, "api", operation)
}

async fn done(stage: &Stage, operation: &Operation) -> Applied {
    let plan = planned(stage, operation).await.expect("planned");
    stage.carry_out(plan, &Open, &Interrupt::new(), |_| false).await
}

/// What a plan says, without how it was and will be.
async fn said(stage: &Stage) -> String {
    let plan = stage.plan().await.expect("planned");
    assert!(plan.steps.is_empty(), "{}", text(&plan));
    let changes = plan.changes.iter().filter(|change| change.actions != [Verb::Unchanged]);
    let line = |change: &crate::plan::Change| {
        let causes: Vec<String> = change.cause.iter().map(ToString::to_string).collect();
        format!("{:?} {}: {}", change.actions[0], change.address, causes.join("; "))
    };
    changes.map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_stays_so_whatever_is_declared_until_it_is_started() {
    let stage = deployed(2).await;
    let plan = planned(&stage, &stop(Some(4_000_000_000))).await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r"
    #1 [] create volume pillarbox-stopped.shop.api (record service api): stopped by alice on desk: a new disk, until 2096-10-02 07:06Z
    #2 [1] stop api (stop api): stopped by alice on desk: a new disk, until 2096-10-02 07:06Z
    #3 [2] update api RestartPolicy=unless-stopped (stop api): stopped by alice on desk: a new disk, until 2096-10-02 07:06Z
    #4 [1] stop api-2 (stop api-2): stopped by alice on desk: a new disk, until 2096-10-02 07:06Z
    #5 [4] update api-2 RestartPolicy=unless-stopped (stop api-2): stopped by alice on desk: a new disk, until 2096-10-02 07:06Z
    ");
    assert!(done(&stage, &stop(Some(4_000_000_000))).await.outcome.failure.is_none());
    assert_eq!(stage.statuses(), ["api exited", "api-2 exited"]);
    insta::assert_snapshot!(said(&stage).await, @r#"
    Held container api: stopped by alice on desk: a new disk, until 2096-10-02 07:06Z
    Held container api-2: stopped by alice on desk: a new disk, until 2096-10-02 07:06Z
    "#);
    let newer = Stage { items: declared(2, 3), ..stage.clone() };
    insta::assert_snapshot!(said(&newer).await, @r#"
    Held container api: stopped by alice on desk: a new disk, until 2096-10-02 07:06Z; version 1 → 2, pillar/apps.toml:12
    Held container api-2: stopped by alice on desk: a new disk, until 2096-10-02 07:06Z; version 1 → 2, pillar/apps.toml:12
    Held container api-3: stopped by alice on desk: a new disk, until 2096-10-02 07:06Z; will be created
    "#);
    // Once more changes nothing, and a restart is refused.
    assert!(planned(&stage, &stop(Some(4_000_000_000))).await.expect("planned").steps.is_empty());
    let refused = planned(&stage, &Operation::Restart).await.expect_err("it is stopped").to_string();
    assert!(refused.contains("api is stopped on host web1, by alice on desk"), "{refused}");

    let plan = planned(&stage, &Operation::Start).await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] remove volume pillarbox-stopped.shop.api (record service api): started by request
    #2 [1] start api (start api): started by request
    #3 [2] await api (start api): started by request
    #4 [3] update api RestartPolicy=always (start api): started by request
    #5 [1] start api-2 (start api-2): started by request
    #6 [5] await api-2 (start api-2): started by request
    #7 [6] update api-2 RestartPolicy=always (start api-2): started by request
    "#);
    assert!(done(&stage, &Operation::Start).await.outcome.failure.is_none());
    assert_eq!(stage.statuses(), ["api running", "api-2 running"]);
    assert!(stage.fake.volume_names().is_empty(), "{:?}", stage.fake.volume_names());
    assert!(stage.plan().await.expect("planned").steps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_over_holds_nothing_and_its_record_goes() {
    let stage = deployed(1).await;
    assert!(done(&stage, &stop(Some(5))).await.outcome.failure.is_none());
    let plan = stage.settle().await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] remove volume pillarbox-stopped.shop.api (remove records): it does not count any more
    #2 [] disconnect api from back (start api): it is exited (0)
    #3 [2] connect api to back (start api): it is exited (0)
    #4 [3] start api (start api): it is exited (0)
    #5 [4] await api (start api): it is exited (0)
    #6 [5] update api RestartPolicy=always (start api): it is exited (0)
    "#);
    assert_eq!(stage.statuses(), ["api running"]);
    // Declared no more, and gone: the record goes as well.
    assert!(done(&stage, &stop(None)).await.outcome.failure.is_none());
    let gone = Stage {
        items: Vec::new(),
        options: Options { prune: true, ..stage.options.clone() },
        ..stage.clone()
    };
    assert!(gone.apply().await.outcome.failure.is_none());
    gone.settle().await;
    assert!(stage.statuses().is_empty() && stage.fake.volume_names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_restart_takes_one_container_after_another_and_waits_for_each() {
    let stage = deployed(2).await;
    let plan = planned(&stage, &Operation::Restart).await.expect("planned");
    insta::assert_snapshot!(readable(&text_with_undo(&plan)), @r#"
    #1 [] stop api (restart api): restarted by request
         undo: start api
    #2 [1] start api (restart api): restarted by request
    #3 [2] await api (restart api): restarted by request
    #4 [3] stop api-2 (restart api-2): restarted by request
         undo: start api-2
    #5 [4] start api-2 (restart api-2): restarted by request
    #6 [5] await api-2 (restart api-2): restarted by request
    "#);
    let ids = stage.fake.ids();
    assert!(done(&stage, &Operation::Restart).await.outcome.failure.is_none());
    assert_eq!(stage.fake.ids(), ids);
    assert_eq!(stage.statuses(), ["api running", "api-2 running"]);
    assert!(stage.plan().await.expect("planned").steps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn new_containers_take_the_place_of_the_old_without_a_gap() {
    let stage = deployed(1).await;
    let options = Options { renew: ["api".to_owned()].into(), ..stage.options.clone() };
    let anew = Stage { options, ..stage.clone() };
    let plan = anew.plan().await.expect("planned");
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] tag pillarbox.invalid/shop/api:g2-1 (replace api): a new container is asked for (restart --new)
    #2 [1] create api.g2 (replace api): a new container is asked for (restart --new)
    #3 [2] start api.g2 (replace api): a new container is asked for (restart --new)
    #4 [3] await api.g2 (replace api): a new container is asked for (restart --new)
    #5 [4] disconnect api.g2 from back (replace api): a new container is asked for (restart --new)
    #6 [5] connect api.g2 to back (replace api): a new container is asked for (restart --new)
    #7 [6] await api.g2 (replace api): a new container is asked for (restart --new)
    #8 [7] update api.g2 RestartPolicy=always (replace api): a new container is asked for (restart --new)
    #9 [8] stop api (replace api): a new container is asked for (restart --new)
    #10 [9] update api RestartPolicy=unless-stopped (replace api): a new container is asked for (restart --new)
    #11 [10] rename api to api.g1.kept (replace api): a new container is asked for (restart --new)
    #12 [11] rename api.g2 to api (replace api): a new container is asked for (restart --new)
    "#);
    stage.fake.watch("api");
    assert!(anew.apply().await.outcome.failure.is_none());
    assert!(stage.fake.least() >= 1);
    assert_eq!(stage.statuses(), ["api running", "api.g1.kept exited"]);
    assert!(stage.plan().await.expect("planned").steps.is_empty());
}

/// The plan of a `down`.
pub(super) async fn down(stage: &Stage, only: Option<&str>, volumes: bool) -> crate::plan::HostPlan {
    let mut observed = stage.observe().await;
    let down = taken_down(&stage.desired(), &observed, only, volumes).expect("services");
    let options = Options { down: true, forgets: down.forgets, ..stage.options.clone() };
    let plan = crate::planner::plan_host(&down.desired, &observed, &options).expect("planned");
    let named = crate::observe::names(&stage.fake, &observed.host, &plan.unread_images).await;
    observed.kept_images.extend(named.expect("read"));
    crate::planner::plan_host(&down.desired, &observed, &options).expect("planned")
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_down_leaves_nothing_but_volumes_and_the_next_apply_makes_it_again() {
    let stage = deployed(2).await;
    Stage { items: declared(2, 2), ..stage.clone() }.settle().await;
    assert!(done(&stage, &stop(None)).await.outcome.failure.is_none());
    let plan = down(&stage, Some("api"), false).await;
    insta::assert_snapshot!(readable(&text(&plan)), @r#"
    #1 [] remove volume pillarbox-stopped.shop.api (remove records): it does not count any more
    #2 [] remove api.g1.kept (remove api): taken down
    #3 [2] remove api-2.g1.kept (remove api): taken down
    #4 [3] remove api-2 (remove api): taken down
    #5 [4] remove api (remove api): taken down
    #6 [5] remove image r.example.com/nginx@sha256:f903 (remove image r.example.com/nginx@sha256:f903): nothing needs it any more
    #7 [6] untag pillarbox.invalid/shop/api-2:g2-2 (remove image r.example.com/nginx@sha256:f903): nothing needs it any more
    #8 [7] untag pillarbox.invalid/shop/api:g2-2 (remove image r.example.com/nginx@sha256:f903): nothing needs it any more
    #9 [5] remove image r.example.com/nginx@sha256:bb82 (remove image r.example.com/nginx@sha256:bb82): nothing needs it any more
    #10 [9] untag pillarbox.invalid/shop/api-2:g1-1 (remove image r.example.com/nginx@sha256:bb82): nothing needs it any more
    #11 [10] untag pillarbox.invalid/shop/api:g1-1 (remove image r.example.com/nginx@sha256:bb82): nothing needs it any more
    "#);
    let applied = stage.carry_out(plan, &Open, &Interrupt::new(), |_| false).await;
    assert!(applied.outcome.failure.is_none());
    assert!(stage.statuses().is_empty());
    let left = (stage.fake.image_names(), stage.fake.volume_names());
    assert_eq!(left, (Vec::new(), Vec::new()));
    assert!(down(&stage, None, true).await.steps.is_empty());
    stage.settle().await;
    assert_eq!(stage.running("api"), 1);
}

/// Wherever a request is cut off: made once more it is done, and an apply after that changes nothing that it should not.
#[tokio::test(start_paused = true)]
async fn wherever_a_request_is_cut_off_it_is_done_when_it_is_made_again() {
    for fault in [Fault::HangUpBefore, Fault::HangUpAfter, Fault::AnswerLost] {
        for (operation, then) in
            [(stop(None), "exited"), (Operation::Start, "running"), (Operation::Restart, "running")]
        {
            for call in 1.. {
                let stage = deployed(2).await;
                if operation == Operation::Start {
                    assert!(done(&stage, &stop(None)).await.outcome.failure.is_none());
                }
                stage.fake.forget_calls();
                stage.fake.fail(call, fault.clone());
                let failed = done(&stage, &operation).await.outcome.failure.is_some();
                stage.fake.heal();
                if let Ok(plan) = planned(&stage, &operation).await {
                    let again = stage.carry_out(plan, &Open, &Interrupt::new(), |_| false).await;
                    assert!(again.outcome.failure.is_none(), "{operation:?} after call {call}");
                }
                let statuses = stage.statuses();
                assert!(
                    statuses.iter().all(|one| one.ends_with(then)),
                    "{operation:?} after call {call}: {statuses:?}"
                );
                assert_eq!(statuses.len(), 2);
                if !failed {
                    break;
                }
                stage.settle().await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_cleaned_are_failed_attempts_and_images_of_what_is_neither_there_nor_declared() {
    let stage = deployed(1).await;
    assert!(Stage { items: declared(4, 1), ..stage.clone() }.apply().await.outcome.failure.is_some());
    assert_eq!(stage.statuses(), ["api running", "api.g2 exited"]);
    let image = stage.fake.image_names().into_iter().find(|name| name.contains("/nginx@")).expect("an image");
    stage.fake.tag(&image, "pillarbox.invalid/shop/gone:g3").await.expect("tagged");
    let plan = async |clean: Clean| {
        let mut observed = stage.observe().await;
        let plan = plan_clean(&stage.desired(), &observed, &stage.options, clean).expect("planned");
        let named = crate::observe::names(&stage.fake, &observed.host, &plan.unread_images).await;
        observed.kept_images.extend(named.expect("read"));
        plan_clean(&stage.desired(), &observed, &stage.options, clean).expect("planned")
    };
    let all = plan(Clean::default()).await;
    insta::assert_snapshot!(readable(&text(&all)), @r#"
    #1 [] remove api.g2 (remove api): a failed attempt, kept for its log
    #2 [1] remove image r.example.com/nginx@sha256:1a32 (remove image r.example.com/nginx@sha256:1a32): nothing needs it any more
    #3 [2] untag pillarbox.invalid/shop/api:g2-4 (remove image r.example.com/nginx@sha256:1a32): nothing needs it any more
    #4 [3] untag pillarbox.invalid/shop/gone:g3 (remove image r.example.com/nginx@sha256:1a32): nothing needs it any more
    "#);
    let old = plan(Clean { ended_before: Some(0), ..Clean::default() }).await;
    let images = plan(Clean { images: true, ..Clean::default() }).await;
    let only = "#1 [] untag pillarbox.invalid/shop/gone:g3 (remove pillarbox.invalid/shop/gone): no state declares it any more";
    assert_eq!((text(&old).trim(), text(&images).trim()), (only, only));
    assert!(stage.carry_out(all, &Open, &Interrupt::new(), |_| false).await.outcome.failure.is_none());
    assert_eq!(stage.statuses(), ["api running"]);
    assert!(plan(Clean::default()).await.steps.is_empty());
    assert!(stage.plan().await.expect("planned").steps.is_empty());
}
