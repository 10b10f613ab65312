//! How a command line names a service.

use crate::env::TestEnv;
use crate::lying_engine::{DIGEST, LyingEngine};

/// A state with another id than its name, and two Compose projects with a service `db` each.
fn shop() -> (TestEnv, LyingEngine) {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    env.write(
        "pillarbox.toml",
        format!(
            "workspace = \"shop\"\n[compose.shop]\n[compose.blog]\nfiles = [\"blog.yaml\"]\n[hosts.web1]\n\
             engine = \"{}\"\npillar = []\nstates = [\"web\"]\ncompose = [\"shop\", \"blog\"]\n",
            engine.address()
        ),
    );
    let image = format!("registry.example.com/web@{DIGEST}");
    env.write(
        "states/web.toml",
        format!("[front.service.deployed]\nname = \"nginx\"\nimage = \"{image}\"\n"),
    );
    env.write(
        "compose.yaml",
        format!("services:\n  api: {{image: \"{image}\"}}\n  db: {{image: \"{image}\"}}\n"),
    );
    env.write("blog.yaml", format!("services:\n  db: {{image: \"{image}\"}}\n"));
    (env, engine)
}

#[test]
fn a_service_is_named_as_in_its_state_and_one_of_a_compose_project_in_short_if_no_other_has_the_name() {
    let (env, _engine) = shop();
    for (text, name) in [
        ("nginx", "nginx"),
        ("front", "nginx"),
        ("api", "shop-api"),
        ("shop.api", "shop-api"),
        ("shop-api", "shop-api"),
        ("blog.db", "blog-db"),
    ] {
        let said = env.run(&["--no-identity", "history", text, "--json"]).ok().json();
        assert_eq!(said["service"], name, "{text}");
        let plan = env.run(&["--no-identity", "plan", "--offline", "--only", text]).ok();
        plan.says(&format!("container {name}"));
    }
    let plan = env.run(&["--no-identity", "plan", "--offline", "--only", "service api"]).ok();
    plan.says("container shop-api-1").lacks("container nginx");
}

#[test]
fn a_name_that_two_services_have_is_an_error_with_both() {
    let (env, _engine) = shop();
    for command in ["history", "rollback"] {
        env.run(&["--no-identity", command, "db"])
            .exits(64)
            .explains("`db` names 2 services")
            .explains("one of them is blog.db")
            .explains("one of them is shop.db");
        env.run(&["--no-identity", command, "shop-api-1"])
            .exits(64)
            .explains("it is a container of the service shop.api");
        env.run(&["--no-identity", command, "shop.apj"]).exits(64).explains("did you mean `shop.api`?");
    }
}
