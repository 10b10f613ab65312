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

#[test]
fn a_missing_identity_is_said_once_with_every_image_that_it_is_missed_for() {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    let add = ["registry", "add", "registry.example.com", "-u", "robot", "--password-stdin"];
    env.run_with_input(&add, "s3cret").ok();
    let host = |name: &str| {
        format!(
            "[hosts.{name}]\nengine = \"{}\"\npillar = [\"registries/*\"]\nstates = [\"web\"]\n",
            engine.address()
        )
    };
    env.write("pillarbox.toml", format!("workspace = \"shop\"\n{}{}", host("web1"), host("web2")));
    let one =
        |name: &str| format!("[{name}.container.running]\nimage = \"registry.example.com/{name}:1.0.0\"\n\n");
    env.write("states/web.toml", ["api", "web", "worker"].map(one).concat());
    let said = env.run(&["--no-identity", "plan"]).exits(10);
    assert_eq!(said.stderr().matches("no identity here opens").count(), 1, "{}", said.stderr());
    for name in ["api", "web", "worker"] {
        let asked = format!("its registry must be asked what registry.example.com/{name}:1.0.0 stands for");
        assert_eq!(said.stderr().matches(&asked).count(), 1, "{}", said.stderr());
    }
    assert_eq!(said.stderr().matches("plan with --offline").count(), 1, "{}", said.stderr());
}
