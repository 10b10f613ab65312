//! An Engine that is restarted while an apply is under way, by SIGTERM and by SIGKILL: what worked works
//! again, and the next apply converges. The Engine is one of its own, so that no other test notices.

use crate::cut::cut;
use crate::env::Output;
use crate::own_engine::OwnEngine;
use crate::testbed::{EngineEnv, eventually};
use serde_json::{Value, json};
use std::process::Child;

/// The number of moments at which an upgrade was cut off by an Engine that went away.
fn restarted_by(signal: &str) {
    let Some(bed) = EngineEnv::initialised(&["api"]) else { return };
    bed.add_registry();
    let engine = OwnEngine::apart(&bed);
    for version in ["1.0.0", "1.1.0"] {
        let (repository, _) = bed.push("healthy", "api", version);
        let image = format!("{repository}:{version}");
        let pulled = format!("[api.image.pulled]\nname = \"{repository}\"\ntag = \"{version}\"\n");
        bed.env.write("states/api.toml", pulled);
        bed.env.run(&["apply", "-y"]).ok();
        engine.load(&bed, &image);
    }
    bed.set_inventory(&[("own", &engine.api.address())], &["api"]);
    let name = format!("{}-api", bed.name);
    let want = |version: &str| {
        let image = format!("{}/{}/api:{version}", bed.registry, bed.name);
        let state = format!(
            "[api.service.deployed]\nname = \"{name}\"\nimage = \"{image}\"\npull = \"never\"\nnetwork_mode = \"none\"\n\
             restart = \"always\"\nstop_timeout = \"1s\"\nretain = 0\nupdate = {{ drain = \"0s\" }}\n"
        );
        bed.env.write("states/api.toml", state);
    };
    want("1.0.0");
    bed.env.run(&["apply", "-y"]).ok();
    let healthy = || match engine.api.get("/containers/json") {
        Ok((200, Value::Array(all))) => {
            all.iter().any(|one| one["Status"].as_str().is_some_and(|status| status.contains("(healthy)")))
        }
        _ => false,
    };
    let mut moments = 0;
    for lines in (3..).step_by(3) {
        let version = ["1.1.0", "1.0.0"][moments % 2];
        want(version);
        let restart = |_: &Child| {
            engine.stop(signal);
            engine.run();
        };
        let Some(cut) = cut(bed.env.command(&["apply", "-y", "-v"]), lines, restart) else { break };
        moments += 1;
        assert!([0, 1, 3].contains(&cut.code), "{}: {}", cut.code, cut.said);
        assert!(eventually(healthy), "nothing works after {}", cut.said);
        let after: Output = bed.env.run(&["apply", "-y"]);
        assert_eq!(after.code, 0, "{after}\nafter: {}", cut.said);
        let all = engine.api.containers(None);
        assert_eq!(all.len(), 1, "{all:?} after {}", cut.said);
        assert_eq!(all[0]["Names"], json!([format!("/{name}")]));
        assert_eq!(all[0]["Labels"]["io.pillarbox.version"], version);
        bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    }
    assert!(moments >= 4, "only {moments} moments");
}

#[test]
fn a_lock_that_an_engine_left_half_made_has_no_owner() {
    let Some(bed) = EngineEnv::initialised(&["api"]) else { return };
    let engine = OwnEngine::apart(&bed);
    bed.set_inventory(&[("own", &engine.api.address())], &["api"]);
    let volume = |name: &str| {
        let name = format!("{}-{name}", bed.name);
        bed.env.write("states/api.toml", format!("[data.volume.present]\nname = \"{name}\"\n"));
    };
    let locks = || {
        let all = engine.api.volumes();
        let names = all.iter().filter_map(|one| one["Name"].as_str()).filter(|name| name.contains("-lock."));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    volume("one");
    bed.env.run(&["apply", "-y"]).ok();
    let last = locks().pop().expect("a row of locks");
    let (row, number) = last.rsplit_once('.').expect("a number");
    let next = number.parse::<u64>().expect("a number") + 1;
    let half = format!("{row}.{next:08}");
    engine.leave_half_made(&half);
    assert!(locks().contains(&half));
    volume("two");
    bed.env.run(&["apply", "-y"]).ok();
    assert!(!locks().contains(&half), "{:?}", locks());
}

#[test]
fn an_engine_that_is_restarted_gently_in_an_upgrade_leaves_something_that_works() {
    restarted_by("TERM");
}

#[test]
fn an_engine_that_is_killed_in_an_upgrade_leaves_something_that_works() {
    restarted_by("KILL");
}
