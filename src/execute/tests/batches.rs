//! Hosts in batches: what goes at once, what ends a run, what is between two batches.

use super::stage::{Open, Stage, running};
use crate::execute::{Ahead, Command, Host, Interrupt, Outcome, Rollout, Stages, Unguarded, Wait, roll_out};
use crate::name::HostName;
use crate::plan::{Batch, HostPlan};
use crate::problem::Code;
use crate::testing::fake::Behaviour;
use futures_util::future::LocalBoxFuture;
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A host on which nginx 1 runs, and 2 is wanted.
async fn host_with(new: Behaviour) -> Stage {
    let stage = Stage::new();
    stage.publish(1);
    stage.fake.publish("r.example.com/nginx:2", "2", new);
    let stage = stage.with(vec![running("nginx", "r.example.com/nginx:1")]);
    stage.settle().await;
    stage.fake.forget_calls();
    stage.with(vec![running("nginx", "r.example.com/nginx:2")])
}

struct Fleet {
    stages: Vec<Stage>,
    plans: Vec<HostPlan>,
}

impl Fleet {
    async fn of(hosts: Vec<Behaviour>) -> Self {
        let (mut stages, mut plans) = (Vec::new(), Vec::new());
        for (number, behaviour) in hosts.into_iter().enumerate() {
            let stage = host_with(behaviour).await;
            let mut plan = stage.plan().await.expect("planned");
            plan.host = name(number);
            stages.push(stage);
            plans.push(plan);
        }
        Self { stages, plans }
    }

    async fn roll_out(&self, sizes: &[usize], pace: Pace, told: &Told, interrupt: &Interrupt) -> Outcome {
        let mut names = (0..self.plans.len()).map(name);
        let batches: Vec<Batch> =
            sizes.iter().map(|size| Batch { wave: 0, hosts: names.by_ref().take(*size).collect() }).collect();
        assert!(names.next().is_none(), "all are in a batch");
        let hosts = self.plans.iter().zip(&self.stages);
        let hosts: Vec<_> =
            hosts.map(|(plan, stage)| Host { plan, engine: &stage.fake, guard: &Unguarded }).collect();
        let Pace { wait, most_failures, most_batches } = pace;
        let rollout = Rollout { batches: &batches, most_failures, most_batches, wait, stages: told };
        roll_out(Command::APPLY, &hosts, rollout, &Open, &|_| {}, interrupt).await
    }

    /// The tag that runs on each host.
    fn versions(&self) -> String {
        let tag = |stage: &Stage| stage.image("nginx").rsplit(':').next().unwrap_or_default().to_owned();
        self.stages.iter().map(tag).collect()
    }
}

fn name(number: usize) -> HostName {
    HostName::parse(&format!("web{number:03}")).expect("a name")
}

#[derive(Clone, Copy, Default)]
struct Pace {
    wait: Wait,
    most_failures: usize,
    most_batches: Option<usize>,
}

/// Writes down what it is told; agrees so often.
#[derive(Default)]
struct Told {
    lines: RefCell<Vec<String>>,
    yes: Cell<usize>,
}

impl Told {
    fn lines(&self) -> String {
        self.lines.take().join("; ")
    }
}

impl Stages for Told {
    fn begins(&self, ahead: &Ahead<'_>) {
        let (size, left, failed) = (ahead.hosts.len(), ahead.left, ahead.failed);
        self.lines
            .borrow_mut()
            .push(format!("{}/{}: {size} of {left}, {failed} failed", ahead.number, ahead.of));
    }

    fn waits(&self, _: &Ahead<'_>, time: Duration) {
        self.lines.borrow_mut().push(format!("waits {} s", time.as_secs()));
    }

    fn asks<'s>(&'s self, _: &'s Ahead<'s>) -> LocalBoxFuture<'s, bool> {
        let yes = self.yes.get();
        self.yes.set(yes.saturating_sub(1));
        Box::pin(async move { yes > 0 })
    }
}

fn fine(count: usize) -> Vec<Behaviour> {
    vec![Behaviour::fine(); count]
}

const NO_WAIT: Pace = Pace { wait: Wait::For(Duration::ZERO), most_failures: 0, most_batches: None };

#[tokio::test(start_paused = true)]
async fn the_hosts_of_a_batch_go_at_once_and_the_first_is_watched_before_the_rest() {
    let fleet = Fleet::of(fine(7)).await;
    let (told, began) = (Told::default(), Instant::now());
    let outcome = fleet.roll_out(&[1, 3, 3], Pace::default(), &told, &Interrupt::new()).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(fleet.versions(), "2222222");
    assert_eq!(
        told.lines(),
        "1/3: 1 of 7, 0 failed; waits 5 s; 2/3: 3 of 6, 0 failed; 3/3: 3 of 3, 0 failed"
    );
    // Three times it is monitored for five seconds, and once more the first.
    let took = began.elapsed().as_secs();
    assert!((20..24).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_failure_lets_its_batch_end_and_no_further_one_begin() {
    let mut hosts = fine(6);
    hosts[2] = Behaviour::ends(1, 3);
    let fleet = Fleet::of(hosts).await;
    let told = Told::default();
    let outcome = fleet.roll_out(&[1, 3, 2], NO_WAIT, &told, &Interrupt::new()).await;
    assert_eq!(fleet.versions(), "221211");
    assert_eq!(outcome.failure.expect("failed").code(), Code::Partial);
    assert_eq!(told.lines(), "1/3: 1 of 6, 0 failed; 2/3: 3 of 5, 0 failed");
}

#[tokio::test(start_paused = true)]
async fn so_many_may_fail_and_the_end_says_so_but_the_first_alone_never_may() {
    let mut hosts = fine(6);
    hosts[2] = Behaviour::ends(1, 3);
    let fleet = Fleet::of(hosts).await;
    let one = Pace { most_failures: 1, ..NO_WAIT };
    let told = Told::default();
    let outcome = fleet.roll_out(&[1, 3, 2], one, &told, &Interrupt::new()).await;
    assert_eq!(fleet.versions(), "221222");
    assert_eq!(outcome.failure.expect("it is said").code(), Code::Partial);
    assert!(told.lines().ends_with("3/3: 2 of 2, 1 failed"));
    let mut hosts = fine(3);
    hosts[0] = Behaviour::ends(1, 3);
    let fleet = Fleet::of(hosts).await;
    fleet.roll_out(&[1, 2], Pace { most_failures: 9, ..NO_WAIT }, &Told::default(), &Interrupt::new()).await;
    assert_eq!(fleet.versions(), "111");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_fails_after_it_had_passed_ends_the_run() {
    for (wait, dies_after) in [(Wait::Monitor, 8), (Wait::For(Duration::from_secs(60)), 40)] {
        let mut hosts = fine(3);
        hosts[0] = Behaviour::ends(dies_after, 3);
        let fleet = Fleet::of(hosts).await;
        let pace = Pace { wait, ..NO_WAIT };
        let outcome = fleet.roll_out(&[1, 2], pace, &Told::default(), &Interrupt::new()).await;
        assert_eq!(fleet.versions(), "211", "{wait:?}");
        let failure = outcome.failure.expect("failed");
        assert_eq!(failure.code(), Code::Partial);
        let said = failure.to_string();
        assert!(said.contains("on host web000 worked at first, and no longer does"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_can_end_after_some_batches_and_the_next_one_goes_on() {
    let fleet = Fleet::of(fine(4)).await;
    let two = Pace { most_batches: Some(2), ..NO_WAIT };
    let outcome = fleet.roll_out(&[1, 1, 2], two, &Told::default(), &Interrupt::new()).await;
    assert_eq!((outcome.left, outcome.failure), (2, None));
    assert_eq!(fleet.versions(), "2211");
    let ask = Pace { wait: Wait::Ask, ..NO_WAIT };
    let fleet = Fleet::of(fine(4)).await;
    let told = Told::default();
    told.yes.set(1);
    let outcome = fleet.roll_out(&[1, 1, 2], ask, &told, &Interrupt::new()).await;
    assert_eq!((outcome.left, outcome.failure), (2, None));
    assert_eq!(fleet.versions(), "2211");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_between_two_batches_leaves_the_rest_and_is_no_success() {
    let fleet = Fleet::of(fine(3)).await;
    let interrupt = Interrupt::new();
    let ctrl_c = async {
        sleep(Duration::from_secs(60)).await;
        interrupt.raise();
    };
    let pace = Pace { wait: Wait::For(Duration::from_secs(3600)), ..NO_WAIT };
    let told = Told::default();
    let began = Instant::now();
    let (outcome, ()) = tokio::join!(fleet.roll_out(&[1, 2], pace, &told, &interrupt), ctrl_c);
    assert!(began.elapsed() < Duration::from_secs(70));
    assert_eq!(fleet.versions(), "211");
    let failure = outcome.failure.expect("it is said");
    assert_eq!(failure.code(), Code::Partial);
    assert!(failure.iter().any(|problem| problem.code == Code::Interrupted), "{failure}");
    assert_eq!(told.lines(), "1/2: 1 of 3, 0 failed; waits 3600 s");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_no_host_is_without_a_working_container_and_no_more_fail_than_a_batch_and_the_budget(
        failing in prop::collection::btree_set(0_usize..9, 0..4),
        sizes in prop_oneof![Just(vec![1, 3, 5]), Just(vec![3, 3, 3]), Just(vec![9]), Just(vec![1; 9])],
        most_failures in 0_usize..3,
    ) {
        super::stage::runtime().block_on(async {
            let hosts = (0..9).map(|number| match failing.contains(&number) {
                true => Behaviour::ends(1, 3),
                false => Behaviour::fine(),
            });
            let fleet = Fleet::of(hosts.collect()).await;
            let pace = Pace { most_failures, ..NO_WAIT };
            let outcome = fleet.roll_out(&sizes, pace, &Told::default(), &Interrupt::new()).await;
            let versions = fleet.versions();
            let failed: BTreeSet<usize> =
                failing.iter().copied().filter(|at| fleet.stages[*at].fake.changes().iter().any(|call| call.starts_with("create"))).collect();
            for (number, stage) in fleet.stages.iter().enumerate() {
                assert_eq!(stage.running("nginx"), 1, "{number}: {:?}", stage.statuses());
                let new = versions.as_bytes()[number] == b'2';
                assert!(!(new && failing.contains(&number)), "{versions}");
            }
            let largest = sizes.iter().max().copied().unwrap_or(0);
            assert!(failed.len() <= most_failures + largest, "{failed:?}");
            assert_eq!(outcome.failure.is_none(), failed.is_empty(), "{versions}");
            if failed.len() <= most_failures && !(failed.contains(&0) && sizes[0] == 1) {
                assert_eq!(versions.matches('1').count(), failing.len(), "all others are new: {versions}");
            }
        });
    }
}
