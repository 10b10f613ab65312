//! Two users for two prefixes of one registry, which lets each of them see its own part alone.

use crate::guarded::Guarded;
use crate::testbed::EngineEnv;
use std::collections::BTreeSet;

#[test]
fn each_prefix_is_pulled_by_its_own_user_alone() {
    let Some(bed) = EngineEnv::initialised(&["two"]) else { return };
    let guarded = Guarded::new();
    let (a, b) = (guarded.push(&bed, "team-a/web", "1"), guarded.push(&bed, "team-b/web", "1"));
    let c = guarded.push(&bed, "team-a-evil/web", "1");
    let name = &bed.name;
    guarded.issuer.user("anna", "pässword-a", &[&format!("{name}/team-a/")]);
    guarded.issuer.user("ben", "password~b", &[&format!("{name}/team-b/")]);
    let prefix = |team: &str| format!("{}/{name}/{team}", guarded.registry);
    let add = |registry: &str, user: &str, password: &str| {
        bed.env.run_with_input(&["registry", "add", registry, "-u", user, "--password-stdin"], password).ok();
    };
    add(&prefix("team-a"), "anna", "pässword-a");
    add(&prefix("team-b"), "ben", "password~b");
    let container = |n: &str, image: &str| {
        format!("[{n}.container.running]\nname = \"{name}-{n}\"\nimage = \"{image}:1\"\nmonitor = \"0s\"\n")
    };
    bed.env.write("states/two.toml", container("a", &a) + &container("b", &b));
    bed.env.run(&["apply", "-y"]).ok();
    assert_eq!(bed.containers().len(), 2);
    let asked = guarded.issuer.asked();
    // How they ask, and how often, is the Engine's affair.
    let seen: BTreeSet<(&str, &str, bool)> =
        asked.iter().map(|one| (one.user.as_str(), one.scopes[0].as_str(), one.answered)).collect();
    let scope = |team: &str| format!("repository:{name}/{team}/web:pull");
    let (for_a, for_b) = (scope("team-a"), scope("team-b"));
    assert_eq!(seen, BTreeSet::from([("anna", for_a.as_str(), true), ("ben", for_b.as_str(), true)]));
    bed.env.run(&["registry", "check"]).ok().says("user anna").says("user ben").says("4 asked: 4 work");

    // The registry itself keeps them apart: with the two exchanged neither gets in.
    add(&prefix("team-a"), "ben", "password~b");
    add(&prefix("team-b"), "anna", "pässword-a");
    let said = bed.env.run(&["registry", "check"]).exits(7);
    said.says("2 refused").lacks("pässword").lacks("password~b");
    add(&prefix("team-a"), "anna", "pässword-a");
    add(&prefix("team-b"), "ben", "password~b");

    // Whole parts of a path count: no entry covers `team-a-evil`.
    guarded.issuer.asked();
    bed.env.write("states/two.toml", container("c", &c));
    bed.env.run(&["plan"]).exits(7).explains("wants a credential");
    assert!(guarded.issuer.asked().iter().all(|one| one.by == "anonymous"));
}
