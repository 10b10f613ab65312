//! Several commands at the same time: none undoes what another did.

use crate::env::TestEnv;
use crate::sealing::{box_file, opens, person};

#[test]
fn readers_added_at_once_are_all_there() {
    let env = TestEnv::initialised();
    let people: Vec<(String, String)> =
        (0..8).map(|n| (format!("reader{n}"), person(&env, &format!("reader{n}")).1)).collect();
    let running: Vec<_> =
        people.iter().map(|(name, key)| env.command(&["reader", "add", name, key]).spawn()).collect();
    for mut child in running {
        assert!(child.wait().expect("its end").success());
    }
    let file = box_file(&env, "");
    assert_eq!(file.readers.len(), 9);
    env.run(&["verify"]).ok();
    let known = env.run(&["--json", "known", "list"]).ok().json();
    let readers =
        known["workspaces"]["shop"]["boxes"]["pillar/"]["readers"].as_object().expect("a table").len();
    assert_eq!(readers, 9, "what this machine knows is of the last lock");
}

#[test]
fn secrets_sealed_at_once_lose_nothing() {
    let env = TestEnv::initialised();
    let sealing = |n: usize| {
        let key = format!("api.secret{n}");
        let file = if n.is_multiple_of(2) { "apps" } else { "more" };
        env.run_with_input(&["seal", "--in", file, &key], format!("s3cret-{n}\n")).ok();
    };
    std::thread::scope(|scope| {
        for n in 0..12 {
            let sealing = &sealing;
            scope.spawn(move || sealing(n));
        }
    });
    env.run(&["verify", "--require-open"]).ok().explains("12 sealed values in 1 box: 12 opened");
    for n in 0..12_u32 {
        let file = if n.is_multiple_of(2) { "apps.toml" } else { "more.toml" };
        assert_eq!(opens(&env, &env.identity(), "", file, &format!("api.secret{n}")), format!("s3cret-{n}"));
    }
}
