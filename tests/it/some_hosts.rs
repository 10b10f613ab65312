//! What is said where only some hosts of a workspace can be planned.

use crate::env::TestEnv;
use crate::lying_engine::{DIGEST, LyingEngine};

/// web1 has an Engine, web2 has none.
fn shop(state: &str) -> (TestEnv, LyingEngine) {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    let host = |name: &str, engine: &str| {
        format!("[hosts.{name}]\nengine = \"{engine}\"\npillar = []\nstates = [\"web\"]\n")
    };
    let hosts = [host("web1", &engine.address()), host("web2", "unix:///nonexistent/engine.sock")].concat();
    env.write("pillarbox.toml", format!("workspace = \"shop\"\n{hosts}"));
    env.write("states/web.toml", state.replace("IMAGE", &format!("registry.example.com/web@{DIGEST}")));
    (env, engine)
}

const WEB: &str = "[web.container.running]\nname = \"web\"\nimage = \"IMAGE\"\n";

#[test]
fn a_page_on_standard_output_is_a_page_or_nothing_and_files_that_are_not_written_are_named() {
    let (env, _engine) = shop(WEB);
    let page = env.run(&["plan", "--html", "-"]).exits(1).explains("host web2");
    assert_eq!(page.stdout(), "", "half a plan as text is no page");
    let said = env.run(&["plan", "--html", "plan.html", "-o", "plan.json"]).exits(1);
    said.says("container web").explains("not written: plan.html").explains("not written: plan.json");
    assert!(!env.workspace().join("plan.html").exists() && !env.workspace().join("plan.json").exists());
}

#[test]
fn status_says_why_an_apply_would_be_refused_and_what_is_missing_all_the_same() {
    let (env, _engine) = shop(&format!("[migrate.task.ran]\nimage = \"IMAGE\"\non = \"web2\"\n\n{WEB}"));
    let refused = "task migrate runs on host web2, which is not part of this run";
    env.run(&["apply", "-y", "--host", "web1"]).exits(1).explains(refused);
    let status = env.run(&["status", "--host", "web1"]).ok();
    status.says("task migrate cannot be compared").says(refused).says("container web: will be created");
    let json = env.run(&["status", "--json", "--host", "web1"]).ok().json();
    assert!(
        json["hosts"][0]["not_compared"][0].as_str().is_some_and(|note| note.contains(refused)),
        "{json}"
    );
    assert_eq!(json["hosts"][0]["missing"], serde_json::json!(["container web: will be created"]), "{json}");
}
