//! kill -9 during a rekey, also during the recovery from one: the pillar is the old one or the new one.

use crate::env::TestEnv;
use crate::sealing::{box_file, post};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::{Duration, Instant};

const ROUNDS: u32 = 30;

#[test]
fn a_rekey_killed_at_any_moment_leaves_the_old_pillar_or_the_new_one() {
    let env = TestEnv::initialised();
    for file in 0..12 {
        for key in 0..4 {
            post(&env, &format!("f{file}.toml"), &format!("t.k{key}"), &format!("s3cret-{file}-{key}"));
        }
    }
    let begun = Instant::now();
    env.run(&["reader", "rekey", "--new-slot"]).ok();
    let whole = begun.elapsed();
    let (mut cut, mut changed) = (0, 0);
    for round in 0..ROUNDS {
        let before = box_file(&env, "").slot;
        let mut child = env.command(&["reader", "rekey", "--new-slot"]).spawn();
        std::thread::sleep(moment(round, whole));
        let _ = child.kill();
        let ended = child.wait().expect("its end");
        cut += u32::from(!ended.success());
        if round % 3 == 0 {
            // The next command finishes the change; that may be killed too.
            let mut next = env.command(&["verify"]).spawn();
            std::thread::sleep(moment(round, whole / 4));
            let _ = next.kill();
            next.wait().expect("its end");
        }
        env.run(&["verify", "--require-open"]).ok().explains("48 sealed values in 1 box: 48 opened");
        changed += u32::from(box_file(&env, "").slot != before);
    }
    assert!(cut > 0, "no rekey was cut off: it takes {whole:?}");
    assert!(changed < ROUNDS || cut < ROUNDS, "the moments are all too late");
}

/// A moment within the time that a command takes: spread over it, and random within each part.
fn moment(round: u32, whole: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    let random = u32::try_from(random).expect("below a thousand");
    whole * (round * 1000 + random) / (ROUNDS * 1000)
}
