//! An apply that is cut off: killed, interrupted, or without its Engine, at every line that it prints
//! and every call that it makes. What worked still works or works again with the next apply, and the
//! next apply leaves exactly one container.

use crate::cut::{self, Cut, signal};
use crate::env::Run;
use crate::relay::Relay;
use crate::shop::Shop;
use crate::testbed::eventually;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;
use std::time::Duration;

fn applying(shop: &Shop) -> Run {
    shop.env.command(&["apply", "-y", "-v"])
}

/// Cuts off upgrades between two versions at every line of progress: `first`, `first + step` …
fn cut_everywhere(first: usize, step: usize, name: &str, check: impl Fn(&Shop, &Cut, &str, &str)) {
    let Some(shop) = Shop::deployed() else { return };
    // In half of them the new container is not watched for a second.
    if name == "KILL" || first == 2 {
        shop.hasty();
    }
    shop.push("serve", "web", "1.1.0");
    let (mut old, mut new) = ("1.0.0", "1.1.0");
    let mut moments = 0;
    for lines in (first..).step_by(step) {
        shop.version(new);
        let then = Duration::from_millis([0, 20, 5][moments % 3]);
        let disturb = |child: &Child| {
            std::thread::sleep(then);
            signal(child, name);
        };
        let Some(cut) = cut::cut(applying(&shop), lines, disturb) else { break };
        moments += 1;
        check(&shop, &cut, &format!("web {old}"), &format!("web {new}"));
        shop.apply().ok();
        shop.only(&format!("web {new}"));
        shop.env.run(&["plan", "--detailed-exitcode"]).ok();
        (old, new) = (new, old);
    }
    assert!(moments * step >= 8, "only {moments} moments");
}

fn after_a_kill(shop: &Shop, cut: &Cut, _: &str, _: &str) {
    assert!(cut.code == -1 || cut.code == 0, "{}: {}", cut.code, cut.said);
    shop.env.run(&["status"]).ok();
}

#[test]
fn killed_at_any_odd_moment_the_next_apply_converges() {
    cut_everywhere(1, 2, "KILL", after_a_kill);
}

#[test]
fn killed_at_any_even_moment_the_next_apply_converges() {
    cut_everywhere(2, 2, "KILL", after_a_kill);
}

/// What the killed one asked for last, the Engine does while the next one plans.
#[test]
fn killed_in_the_middle_of_a_stop_the_next_apply_is_not_stale() {
    let Some(shop) = Shop::new() else { return };
    shop.release("deaf", "1.0.0");
    shop.apply().ok();
    shop.hasty();
    shop.push("deaf", "web", "1.1.0");
    for (round, millis) in (1500..=2100).step_by(100).enumerate() {
        shop.version(["1.1.0", "1.0.0"][round % 2]);
        let mut child = applying(&shop).spawn();
        drop(child.stdin.take());
        let mut stderr = BufReader::new(child.stderr.take().expect("its errors"));
        let mut said = String::new();
        while !said.contains("stop ") {
            assert!(stderr.read_line(&mut said).is_ok_and(|read| read > 0), "{said}");
        }
        // It takes two seconds: from before it ends to after that.
        std::thread::sleep(Duration::from_millis(millis));
        signal(&child, "KILL");
        let _ = child.wait();
        shop.apply().ok();
        shop.only(["web 1.1.0", "web 1.0.0"][round % 2]);
    }
}

fn after_an_interrupt(shop: &Shop, cut: &Cut, old: &str, new: &str) {
    // Rolled back or ended: it answers at once, and no other apply has to wait for the lock.
    let page = match cut.code {
        0 => new,
        3 | 130 => old,
        code => panic!("{code}: {}", cut.said),
    };
    let mut found = Err(String::new());
    let works = eventually(|| {
        found = shop.http(shop.port);
        found.as_deref() == Ok(page) || found.as_deref() == Ok(new)
    });
    assert!(works, "{found:?} after {}: {}", cut.code, cut.said);
    if cut.code != 0 {
        assert!(cut.said.contains("interrupted"), "{}", cut.said);
    }
}

#[test]
fn interrupted_at_any_odd_moment_it_takes_back_what_is_half_done() {
    cut_everywhere(1, 2, "INT", after_an_interrupt);
}

#[test]
fn interrupted_at_any_even_moment_it_takes_back_what_is_half_done() {
    cut_everywhere(2, 2, "INT", after_an_interrupt);
}

/// A deployed shop whose Engine is reached through a relay, and another version to go to.
fn behind_a_relay() -> Option<(Shop, Relay)> {
    let shop = Shop::deployed()?;
    shop.push("serve", "web", "1.1.0");
    shop.hasty();
    let relay = Relay::new(shop.engine.socket(), &shop.env.runtime());
    shop.set_inventory(&[("local", &relay.address())], &["web"]);
    shop.env.run(&["known", "accept", "local"]).ok();
    Some((shop, relay))
}

#[test]
fn without_its_engine_for_a_moment_the_old_one_is_brought_back_and_the_next_apply_converges() {
    let Some((shop, relay)) = behind_a_relay() else { return };
    let mut moments = 0;
    for calls in (1..).step_by(5) {
        let version = ["1.1.0", "1.0.0"][moments % 2];
        shop.version(version);
        relay.cut_after(calls, Some(Duration::from_secs(1)));
        let output = shop.apply();
        if !relay.restore() {
            let _ = output.ok();
            break;
        }
        moments += 1;
        // Where only the lock could not be given back, all was done.
        assert!([0, 1, 3].contains(&output.code), "{output}");
        let works = eventually(|| shop.http(shop.port).is_ok());
        assert!(works, "it was not brought back\n{output}");
        // Cut off while it was taken or given back, the lock ends by itself.
        shop.lease_is_over();
        shop.apply().ok();
        shop.only(&format!("web {version}"));
    }
    assert!(moments >= 8, "only {moments} moments");
}

#[test]
fn without_its_engine_for_a_moment_a_plan_is_made_all_the_same() {
    let Some((shop, relay)) = behind_a_relay() else { return };
    shop.version("1.1.0");
    // The first request asks whether it is an Engine at all.
    let mut moments = 0;
    for calls in (1..).step_by(2) {
        relay.cut_after(calls, Some(Duration::from_secs(1)));
        shop.env.run(&["plan"]).ok().says("1.1.0");
        if !relay.restore() {
            break;
        }
        moments += 1;
    }
    assert!(moments >= 3, "only {moments} moments");
}

#[test]
fn an_engine_that_stays_away_is_not_waited_for_after_a_second_interrupt() {
    let Some((shop, relay)) = behind_a_relay() else { return };
    shop.version("1.1.0");
    // With -v it says when it begins to stop the old one.
    let mut child = shop.env.command(&["apply", "-y", "-v"]).spawn();
    drop(child.stdin.take());
    let mut stderr = BufReader::new(child.stderr.take().expect("its errors"));
    let mut said = String::new();
    while !said.contains("waits for it") {
        assert!(stderr.read_line(&mut said).is_ok_and(|read| read > 0), "{said}");
        if said.contains("stop ") {
            relay.cut_after(0, None);
        }
    }
    signal(&child, "INT");
    signal(&child, "INT");
    let _ = stderr.read_to_string(&mut said);
    assert_eq!(child.wait().expect("it ends").code(), Some(3), "{said}");
    assert!(relay.restore());
    shop.lease_is_over();
    shop.apply().ok();
    shop.only("web 1.1.0");
}

#[test]
fn after_a_kill_the_next_apply_takes_the_lock_over_and_says_so() {
    let Some(shop) = Shop::deployed() else { return };
    shop.release("serve", "1.1.0");
    let cut = cut::killed(applying(&shop), 10).expect("it was under way");
    assert_eq!(cut.code, -1, "{}", cut.said);
    // Looking needs no lock.
    shop.env.run(&["plan"]).ok();
    shop.env.run(&["status"]).ok();
    shop.apply().ok().explains("left by an apply that ended early (alice on ");
    shop.only("web 1.1.0");
}

#[test]
fn a_second_interrupt_ends_at_once_and_the_next_apply_goes_on() {
    let Some(shop) = Shop::deployed() else { return };
    shop.options("healthcheck = { test = [\"CMD\", \"false\"], interval = \"30s\" }");
    let mut child = shop.env.command(&["apply", "-y", "-v"]).spawn();
    drop(child.stdin.take());
    let mut stderr = BufReader::new(child.stderr.take().expect("its errors"));
    let mut said = String::new();
    while !said.contains("wait") {
        assert!(stderr.read_line(&mut said).is_ok_and(|read| read > 0), "{said}");
    }
    signal(&child, "INT");
    signal(&child, "INT");
    let _ = stderr.read_to_string(&mut said);
    assert_eq!(child.wait().expect("it ends").code(), Some(3), "{said}");
    shop.options("");
    shop.apply().ok();
    shop.only("web 1.0.0");
}
