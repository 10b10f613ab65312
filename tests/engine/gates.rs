//! Gates against a real registry: digests are asked for through the host, a moved tag changes nothing, a
//! held application is left alone.

use crate::testbed::EngineEnv;

const STATE: &str = "[web_up.container.running]\nname = \"NAME\"\ngate = \"web\"\nmonitor = \"1s\"\n";

/// A host, a registry with its credential, and version 1.0.0 deployed through a gate; its digest.
fn gated() -> Option<(EngineEnv, String, String)> {
    let bed = EngineEnv::initialised(&["web"])?;
    bed.add_registry();
    bed.env.write("states/web.toml", STATE.replace("NAME", &bed.name));
    let (repository, digest) = bed.push("serve", "web", "1.0.0");
    bed.env.run(&["gate", "set", "web", "1.0.0", "--image", &repository, "--in", "apps", "-y"]).ok();
    assert!(bed.env.read("pillar/apps.toml").contains(&digest));
    bed.env.run(&["apply", "-y"]).ok();
    Some((bed, repository, digest))
}

fn image_of(bed: &EngineEnv) -> String {
    let seen = bed.engine.container(&bed.name);
    seen["Config"]["Labels"]["io.pillarbox.image"].as_str().expect("a label").to_owned()
}

#[test]
fn a_moved_tag_changes_nothing_until_the_gate_does() {
    let Some((bed, repository, first)) = gated() else { return };
    let (_, second) = bed.push_page("serve", "web", "1.0.0", "moved");
    assert_ne!(first, second);
    bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    bed.env.run(&["gate", "list", "--check"]).ok().explains("the tag 1.0.0 was moved");
    bed.env.run(&["apply", "-y"]).ok();
    assert_eq!(image_of(&bed), format!("{repository}@{first}"));
    bed.env.run(&["gate", "set", "web", "1.0.0"]).ok().explains("was moved");
    bed.env.run(&["gate", "list", "--check"]).ok().explains("still stands for");
    bed.env.run(&["apply", "-y"]).ok().says("same tag, other image");
    assert_eq!(image_of(&bed), format!("{repository}@{second}"));
}

#[test]
fn a_held_application_waits_and_says_why() {
    let Some((bed, repository, first)) = gated() else { return };
    let (_, second) = bed.push("serve", "web", "1.1.0");
    bed.env.run(&["gate", "hold", "web", "-m", "a bad night"]).ok();
    // Held and nothing waits.
    bed.env.run(&["plan", "--detailed-exitcode"]).ok();
    bed.env.run(&["gate", "set", "web", "1.1.0"]).ok().explains("it is held");
    for command in [&["plan", "--detailed-exitcode"][..], &["apply", "-y", "--detailed-exitcode"]] {
        let said = bed.env.run(command).exits(4);
        said.says("! container")
            .says("web is held: a bad night, pillar/apps.toml:")
            .says("version 1.0.0 → 1.1.0");
    }
    bed.env.run(&["plan"]).ok();
    bed.env.run(&["status"]).ok().says("web is held: a bad night");
    assert_eq!(image_of(&bed), format!("{repository}@{first}"));
    bed.env.run(&["gate", "unhold", "web"]).ok();
    bed.env.run(&["apply", "-y"]).ok();
    assert_eq!(image_of(&bed), format!("{repository}@{second}"));
}

#[test]
fn a_tag_that_is_gone_and_a_credential_that_is_refused_change_no_file() {
    let Some((bed, _, _)) = gated() else { return };
    let before = bed.env.files();
    bed.env
        .run(&["gate", "set", "web", "9.9.9"])
        .exits(1)
        .explains("has no image")
        .explains("--digest sha256:…");
    bed.env.run(&["--no-identity", "gate", "set", "web", "1.0.0"]).exits(10).explains("--digest sha256:…");
    assert_eq!(bed.env.files(), before);
    bed.env
        .run_with_input(&["registry", "add", &bed.registry, "-u", "robot", "--password-stdin"], "wrong")
        .ok();
    bed.env.run(&["gate", "set", "web", "1.0.0"]).exits(7).explains("refused the credential");
}

#[test]
fn a_gate_pulls_by_digest_with_no_question_to_the_registry() {
    let Some((bed, _, _)) = gated() else { return };
    // Nothing is asked where everything is pinned: a plan works without the credential's key.
    bed.env.run(&["--no-identity", "plan", "--detailed-exitcode"]).ok();
}
