use super::*;
use crate::name::WorkspaceName;
use crate::store::Process;
use crate::testing::fake::Fake;
use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn names() -> (HostName, Owner) {
    (HostName::parse("web1").expect("a name"), WorkspaceName::parse("shop").expect("a name").into())
}

fn run(who: &str) -> Run {
    Run::new(who, "laptop", "pillarbox apply").expect("random bits")
}

async fn acquire(fake: &Fake, run: &Run) -> Result<Lock> {
    let (host, workspace) = names();
    Lock::acquire(fake, &host, &workspace, run, 60).await
}

async fn seconds(count: u64) {
    tokio::time::sleep(Duration::from_secs(count)).await;
}

#[tokio::test(start_paused = true)]
async fn one_holds_it_and_the_other_learns_who_since_when_and_from_where() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    let refused = acquire(&fake, &run("bob")).await.expect_err("held");
    assert_eq!(refused.code(), Code::Locked);
    assert_eq!(refused.to_string(), "host web1 is locked by alice on laptop since 2026-01-01T00:00:00Z");
    lock.verify(&fake).await.expect("held");
    lock.release(&fake).await.expect("given back");
    acquire(&fake, &run("bob")).await.expect("free again");
}

#[tokio::test(start_paused = true)]
async fn a_crashed_holder_is_followed_when_its_lease_is_over_and_not_before() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    seconds(61).await;
    assert!(acquire(&fake, &run("bob")).await.is_err(), "within the margin");
    assert_eq!(lock.verify(&fake).await.expect_err("over").code(), Code::Stale);
    seconds(1).await;
    let next = acquire(&fake, &run("bob")).await.expect("over");
    assert_eq!(lock.verify(&fake).await.expect_err("taken").code(), Code::Stale);
    assert_eq!(lock.renew(&fake).await.expect_err("taken").code(), Code::Stale);
    lock.release(&fake).await.expect("nothing to give");
    next.verify(&fake).await.expect("still held");
}

#[tokio::test(start_paused = true)]
async fn a_row_whose_numbers_are_at_their_end_is_refused_and_never_begins_again() {
    for digits in [u64::MAX.to_string(), (u64::MAX - 3).to_string()] {
        let fake = Fake::new();
        let labels = [("io.pillarbox.lock", "shop"), ("io.pillarbox.lock.state", "free")];
        let labels = labels.map(|(label, value)| (label.to_owned(), value.to_owned())).into();
        fake.create_volume(&format!("pillarbox-lock.shop.{digits}"), &labels).await.expect("made");
        let refused = acquire(&fake, &run("alice")).await.expect_err("no number is left");
        let problem = refused.iter().next().expect("one");
        assert!(problem.hints[0].contains(&format!("docker volume rm 'pillarbox-lock.shop.{digits}'")));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_holder_of_this_machine_that_is_gone_is_followed_at_once_and_one_of_another_is_not() {
    let own = Process::current().expect("Linux tells").to_string();
    let (process, place) = own.split_once('@').expect("both");
    let (pid, start) = process.split_once('.').expect("both");
    let earlier = start.parse::<u64>().expect("ticks") - 1;
    for (left, followed) in [
        (format!("{pid}.{earlier}@{place}"), true),
        (own.clone(), false),
        (format!("{pid}.{earlier}@0011223344556677"), false),
    ] {
        let fake = Fake::new();
        let crashed = Run { process: left.parse().ok(), ..run("alice") };
        let old = acquire(&fake, &crashed).await.expect("free");
        match acquire(&fake, &run("bob")).await {
            Ok(new) if followed => {
                assert_eq!(new.left_by().map(ToString::to_string).as_deref(), Some("alice on laptop"));
                assert_eq!(old.verify(&fake).await.expect_err("taken").code(), Code::Stale);
            }
            Err(refused) if !followed => assert_eq!(refused.code(), Code::Locked),
            other => panic!("{left}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewed_lock_holds_on_and_says_since_when() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    for _ in 0..10 {
        seconds(20).await;
        lock.renew(&fake).await.expect("renewed");
    }
    lock.verify(&fake).await.expect("held");
    let refused = acquire(&fake, &run("bob")).await.expect_err("held");
    assert!(refused.to_string().ends_with("since 2026-01-01T00:00:00Z"), "{refused}");
    assert_eq!(fake.volumes("io.pillarbox.lock", "shop").await.expect("read").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn long_work_keeps_the_lock() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    assert_eq!(
        lock.hold_while(&fake, async {
            seconds(500).await;
            7
        })
        .await,
        7
    );
    lock.verify(&fake).await.expect("held");
}

#[tokio::test(start_paused = true)]
async fn a_pruned_lock_is_lost() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    for volume in fake.volumes("io.pillarbox.lock", "shop").await.expect("read") {
        fake.remove_volume(&volume.name).await.expect("pruned");
    }
    assert_eq!(lock.verify(&fake).await.expect_err("lost").code(), Code::Stale);
}

/// What an Engine leaves behind if it ends while it creates the volume: a folder, and no labels.
async fn leave_half_made(fake: &Fake, number: u64) {
    let name = format!("pillarbox-lock.shop.{number:08}");
    fake.create_volume(&name, &std::collections::BTreeMap::new()).await.expect("made");
}

#[tokio::test(start_paused = true)]
async fn what_an_engine_left_half_made_is_passed_over_and_removed() {
    let fake = Fake::new();
    for number in [1, 2] {
        leave_half_made(&fake, number).await;
    }
    let lock = acquire(&fake, &run("alice")).await.expect("it is free");
    assert_eq!(fake.volume_names(), ["pillarbox-lock.shop.00000003"]);
    leave_half_made(&fake, 4).await;
    lock.verify(&fake).await.expect("held");
    lock.renew(&fake).await.expect("renewed");
    assert_eq!(acquire(&fake, &run("bob")).await.expect_err("held").code(), Code::Locked);
    leave_half_made(&fake, 6).await;
    lock.release(&fake).await.expect("given back");
    leave_half_made(&fake, 8).await;
    acquire(&fake, &run("bob")).await.expect("free again");
    assert_eq!(fake.volume_names(), ["pillarbox-lock.shop.00000009"]);
}

#[tokio::test(start_paused = true)]
async fn another_workspace_has_a_lock_of_its_own() {
    let fake = Fake::new();
    let _lock = acquire(&fake, &run("alice")).await.expect("free");
    let (host, _) = names();
    for other in ["shop2", "shop.x", "sho"] {
        let other = WorkspaceName::parse(other).expect("a name").into();
        Lock::acquire(&fake, &host, &other, &run("bob"), 60).await.expect("another lock");
    }
}

#[tokio::test(start_paused = true)]
async fn two_names_of_one_engine_are_found() {
    let fake = Fake::new();
    let alice = run("alice");
    let _lock = acquire(&fake, &alice).await.expect("free");
    let again = acquire(&fake, &alice).await.expect_err("the same Engine");
    assert_eq!(again.code(), Code::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_was_cut_off_is_released_too() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    fake.fail(1, crate::testing::fake::Fault::AnswerLost);
    assert!(lock.renew(&fake).await.is_err());
    lock.verify(&fake).await.expect("the new one is ours too");
    lock.release(&fake).await.expect("given back");
    acquire(&fake, &run("bob")).await.expect("free again");
}

#[tokio::test(start_paused = true)]
async fn of_twenty_at_once_one_gets_it() {
    let fake = Fake::new();
    for _ in 0..5 {
        let runs: Vec<Run> = (0..20).map(|_| run("x")).collect();
        let tries = futures_util::future::join_all(runs.iter().map(|run| acquire(&fake, run))).await;
        let mut won: Vec<Lock> = tries.into_iter().filter_map(Result::ok).collect();
        assert_eq!(won.len(), 1);
        won.remove(0).release(&fake).await.expect("given back");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_was_slow_does_not_get_in_by_an_old_number() {
    let fake = Fake::new();
    let (slow, quick) = (run("slow"), run("quick"));
    let mut taking = std::pin::pin!(acquire(&fake, &slow));
    // It has seen that the lock is free, and is about to create its volume.
    for _ in 0..2 {
        assert!(futures_util::poll!(&mut taking).is_pending());
    }
    assert_eq!(fake.calls(), ["volumes"]);
    acquire(&fake, &quick).await.expect("free").release(&fake).await.expect("given back");
    let lock = acquire(&fake, &quick).await.expect("free");
    assert_eq!(taking.await.expect_err("too late").code(), Code::Locked);
    lock.verify(&fake).await.expect("undisturbed");
}

/// Twenty contenders that crash, oversleep and renew: never two inside.
#[tokio::test(start_paused = true)]
async fn twenty_contenders_never_overlap() {
    let fake = Fake::new();
    let inside = Arc::new(AtomicU32::new(0));
    let (mut tasks, actions) = (Vec::new(), Arc::new(AtomicU32::new(0)));
    for id in 1..=20_u32 {
        let (fake, inside, actions) = (fake.clone(), Arc::clone(&inside), Arc::clone(&actions));
        tasks.push(tokio::spawn(contend(fake, id, inside, actions)));
    }
    for task in tasks {
        task.await.expect("no overlap");
    }
    assert!(actions.load(Ordering::Relaxed) > 1000, "{actions:?}");
}

async fn contend(fake: Fake, id: u32, inside: Arc<AtomicU32>, actions: Arc<AtomicU32>) {
    let (host, workspace) = names();
    let mut dice = id;
    let mut roll = move |sides: u32| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (dice >> 16) % sides
    };
    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_secs(1800) {
        if roll(20) == 0 {
            let highest =
                fake.volume_names().last().and_then(|name| name.rsplit('.').next()?.parse::<u64>().ok());
            leave_half_made(&fake, highest.unwrap_or(0) + 1).await;
        }
        let Ok(lock) = Lock::acquire(&fake, &host, &workspace, &run("x"), 6).await else {
            tokio::time::sleep(Duration::from_millis(u64::from(roll(900)))).await;
            continue;
        };
        for _ in 0..roll(12) {
            if roll(8) == 0 {
                seconds(u64::from(roll(14))).await;
            }
            if lock.verify(&fake).await.is_err() {
                break;
            }
            assert_eq!(inside.swap(id, Ordering::SeqCst), 0, "two inside");
            tokio::time::sleep(Duration::from_millis(u64::from(roll(800)))).await;
            inside.store(0, Ordering::SeqCst);
            actions.fetch_add(1, Ordering::Relaxed);
            if roll(2) == 0 {
                let _ = lock.renew(&fake).await;
            }
        }
        if roll(4) > 0 {
            let _ = lock.release(&fake).await;
        }
    }
}

async fn seen(fake: &Fake) -> Option<Holder> {
    let (host, workspace) = names();
    holder(fake, &host, &workspace).await.expect("read")
}

#[tokio::test(start_paused = true)]
async fn others_see_who_holds_it_and_for_how_long() {
    let fake = Fake::new();
    assert_eq!(seen(&fake).await, None);
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    seconds(20).await;
    let holder = seen(&fake).await.expect("held");
    assert_eq!(
        (holder.who.as_str(), holder.from.as_str(), holder.command.as_str(), holder.left),
        ("alice", "laptop", "pillarbox apply", 42)
    );
    seconds(43).await;
    assert_eq!(seen(&fake).await, None, "its time is over");
    lock.release(&fake).await.expect("given back");
    assert_eq!(seen(&fake).await, None);
}

async fn broken(fake: &Fake, held_by: &Holder) -> bool {
    let (host, workspace) = names();
    let run = Run::new("carol", "desktop", "pillarbox lock break").expect("random bits");
    break_lock(fake, &host, &workspace, held_by, &run).await.expect("answered")
}

#[tokio::test(start_paused = true)]
async fn a_broken_lock_is_free_and_its_holder_changes_nothing_more() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    let holder = seen(&fake).await.expect("held");
    assert!(broken(&fake, &holder).await);
    for lost in [lock.verify(&fake).await, lock.renew(&fake).await] {
        let lost = lost.expect_err("broken");
        assert_eq!(lost.code(), Code::Stale);
        let problem = lost.iter().next().expect("one");
        assert_eq!(problem.causes, ["carol on desktop broke it with `pillarbox lock break`"]);
    }
    let next = acquire(&fake, &run("bob")).await.expect("free again");
    assert!(next.left_by().is_none());
    assert!(!broken(&fake, &holder).await, "it is another's now");
    next.verify(&fake).await.expect("undisturbed");
    lock.release(&fake).await.expect("nothing to give");
    next.verify(&fake).await.expect("undisturbed");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_is_just_renewed_is_broken_all_the_same() {
    for ahead in 0..6 {
        let fake = Fake::new();
        let lock = acquire(&fake, &run("alice")).await.expect("free");
        let holder = seen(&fake).await.expect("held");
        let (done, renewed) = {
            let mut renewal = std::pin::pin!(lock.renew(&fake).fuse());
            for _ in 0..ahead {
                let _ = futures_util::poll!(&mut renewal);
            }
            let is_over = renewal.is_terminated();
            let rest = async { if is_over { Ok(()) } else { renewal.as_mut().await } };
            tokio::join!(broken(&fake, &holder), rest)
        };
        assert!(done && (renewed.is_ok() || ahead < 4), "{ahead}");
        assert_eq!(lock.verify(&fake).await.expect_err("broken").code(), Code::Stale, "{ahead}");
        assert_eq!(seen(&fake).await, None, "{ahead}");
    }
}

#[tokio::test(start_paused = true)]
async fn before_a_call_a_lock_with_little_time_left_is_renewed() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    seconds(30).await;
    lock.verify(&fake).await.expect("held");
    assert_eq!(fake.volume_names(), ["pillarbox-lock.shop.00000001"], "half of it is left");
    seconds(15).await;
    lock.verify(&fake).await.expect("held");
    assert_eq!(fake.volume_names(), ["pillarbox-lock.shop.00000002"]);
    assert_eq!(seen(&fake).await.expect("held").left, 62);
}

#[tokio::test(start_paused = true)]
async fn a_look_at_the_lock_is_one_call() {
    let fake = Fake::new();
    let lock = acquire(&fake, &run("alice")).await.expect("free");
    fake.forget_calls();
    lock.verify(&fake).await.expect("held");
    assert_eq!(fake.calls(), ["volumes"]);
}
