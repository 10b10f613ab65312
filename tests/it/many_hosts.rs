//! What is shown where there are many hosts.

use crate::env::TestEnv;
use crate::lying_engine::{DIGEST, LyingEngine};

/// So many hosts with one Engine behind all of them, and so many where nothing answers.
fn fleet(ready: usize, away: usize) -> (TestEnv, LyingEngine) {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    let host = |at: usize| {
        let address = match at < ready {
            true => engine.address(),
            false => format!("unix:///nonexistent/web{at:04}.sock"),
        };
        format!("[hosts.web{at:04}]\nengine = \"{address}\"\nstates = [\"web\"]\n")
    };
    let hosts: String = (0..ready + away).map(host).collect();
    env.write("pillarbox.toml", format!("workspace = \"shop\"\n{hosts}"));
    let image = format!("registry.example.com/web@{DIGEST}");
    let service = |at| format!("[web{at}.service.deployed]\nimage = \"{image}\"\n");
    env.write("states/web.toml", (0..5).map(service).collect::<String>());
    (env, engine)
}

fn is_short(text: &str) {
    assert!(text.lines().count() < 60, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_plan_of_many_equal_hosts_is_short_and_its_page_small() {
    let (env, _engine) = fleet(100, 0);
    let plan = env.run(&["plan", "--offline", "--html", "plan.html"]).ok();
    let plan = plan.says("plan for 100 hosts, the same for each").says("A  100 hosts  web0000..0099\n");
    let plan = plan.says("100 to change  details: -v, --host web0000");
    is_short(plan.stdout());
    let page = env.read("plan.html");
    assert!(page.len() < 60_000 && page.contains("100 hosts") && page.contains("web0000..0099"), "{page}");
    let all = env.run(&["plan", "--offline", "-v"]).ok();
    assert_eq!(all.stdout().matches("  unix:///").count(), 100);
    let json = env.run(&["plan", "--offline", "--json"]).ok().json();
    assert_eq!(json["hosts"].as_array().map(Vec::len), Some(100));
}

#[test]
fn hosts_that_do_not_answer_take_a_line_for_each_reason() {
    let (env, _engine) = fleet(20, 40);
    for command in [&["plan", "--offline"][..], &["status"], &["apply", "-y", "--offline"]] {
        let said = env.run(command).exits(1).explains("error: 40 hosts failed\n  web0020..0059: ");
        is_short(said.stderr());
    }
    let all = env.run(&["plan", "--offline", "-v"]).exits(1);
    assert_eq!(all.stderr().matches("its Engine at unix:///nonexistent/").count(), 40);
    let json = env.run(&["plan", "--offline", "--json"]).exits(1).json();
    let problems = json["error"]["problems"].as_array().expect("problems");
    assert_eq!((problems.len(), problems[39]["host"].as_str()), (40, Some("web0059")));
}

#[test]
fn a_problem_of_a_file_that_hosts_share_is_no_problem_of_a_host() {
    let (env, _engine) = fleet(20, 0);
    env.write("states/web.toml", "[web.container.runing]\n");
    let said = env.run(&["plan"]).exits(1).explains("states/web.toml:1");
    assert_eq!(said.stderr().matches("error:").count(), 1, "{}", said.stderr());
}
