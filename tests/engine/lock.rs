//! The lock on a real Engine: twenty contenders that crash, oversleep and renew, never two inside.

use crate::docker::connect;
use crate::testbed::EngineEnv;
use pillarbox::engine::docker::Docker;
use pillarbox::lock::{Lock, Run};
use pillarbox::name::{HostName, WorkspaceName};
use pillarbox::problem::Code;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Seconds: twice the margins of whole seconds, and some.
const LEASE: u32 = 4;

#[derive(Default)]
struct Count {
    inside: AtomicU32,
    actions: AtomicU32,
    held: AtomicU32,
    overlaps: AtomicU32,
    crashes: AtomicU32,
    lost: AtomicU32,
}

#[tokio::test]
async fn twenty_contenders_never_overlap() {
    let Some(env) = EngineEnv::new() else { return };
    let seconds = std::env::var("PILLARBOX_TEST_LOCK_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(30));
    let count = Arc::new(Count::default());
    let workspace = WorkspaceName::parse(&env.name).expect("a name");
    let mut tasks = Vec::new();
    for id in 1..=20 {
        let contender = Contender { docker: connect(&env).await, workspace: workspace.clone(), id, dice: id };
        tasks.push(tokio::spawn(contender.contend(Arc::clone(&count), until)));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    let of = |counter: &AtomicU32| counter.load(Ordering::SeqCst);
    let said = format!(
        "{} actions, {} overlaps, {} crashes, {} leases lost",
        of(&count.actions),
        of(&count.overlaps),
        of(&count.crashes),
        of(&count.lost)
    );
    assert_eq!(of(&count.overlaps), 0, "{said}");
    assert!(of(&count.actions) >= 20 && of(&count.crashes) > 0, "nothing was shown: {said}");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("lock: {said}\n").as_bytes());
}

struct Contender {
    docker: Docker,
    workspace: WorkspaceName,
    id: u32,
    dice: u32,
}

impl Contender {
    fn roll(&mut self, sides: u32) -> u32 {
        self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.dice >> 16) % sides
    }

    async fn pause(&mut self, at_most: u32) {
        let pause = self.roll(at_most);
        tokio::time::sleep(Duration::from_millis(u64::from(pause))).await;
    }

    async fn contend(mut self, count: Arc<Count>, until: Instant) {
        let host = HostName::parse("web1").expect("a name");
        while Instant::now() < until {
            let run = Run::new("someone", "somewhere", "pillarbox apply").expect("random bits");
            let lock =
                match Lock::acquire(&self.docker, &host, &self.workspace.clone().into(), &run, LEASE).await {
                    Ok(lock) => lock,
                    Err(problems) => {
                        assert_eq!(problems.code(), Code::Locked, "{problems:?}");
                        self.pause(400).await;
                        continue;
                    }
                };
            let crashes = self.act(&lock, &count).await;
            if crashes {
                count.crashes.fetch_add(1, Ordering::SeqCst);
                drop(lock);
            } else {
                lock.release(&self.docker).await.expect("given back");
            }
        }
    }

    /// Some guarded actions; answers whether to crash then.
    async fn act(&mut self, lock: &Lock, count: &Count) -> bool {
        for _ in 0..self.roll(10) {
            if self.roll(20) == 0 {
                // A laptop that was closed.
                tokio::time::sleep(Duration::from_millis(u64::from(LEASE * 1500))).await;
            }
            if lock.verify(&self.docker).await.is_err() {
                count.lost.fetch_add(1, Ordering::SeqCst);
                break;
            }
            if count.inside.swap(self.id, Ordering::SeqCst) != 0 {
                count.overlaps.fetch_add(1, Ordering::SeqCst);
            }
            self.pause(30).await;
            count.inside.store(0, Ordering::SeqCst);
            count.actions.fetch_add(1, Ordering::SeqCst);
            if self.roll(3) == 0 {
                let _ = lock.renew(&self.docker).await;
            }
        }
        // Counted, not diced: every run has seen a crash before it has seen twenty actions.
        count.held.fetch_add(1, Ordering::SeqCst) % 8 == 1
    }
}
