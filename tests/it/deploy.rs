//! plan, apply, status and compile as far as they go without an Engine: what is wrong is said at once,
//! with its place and the right exit code.

use crate::env::TestEnv;

const NGINX: &str = r#"
[nginx_up.container.running]
name = "nginx"
image = "registry.example.com/web/nginx:{{ pillar.deploy.nginx.version }}"
env.GREETING = "{{ pillar.nginx.greeting }}"
"#;

const APPS: &str = "[deploy.nginx]\nversion = \"1.8.2\"\n[nginx]\ngreeting = \"hello\"\n";

/// A workspace with these hosts, one state and its values.
fn shop(hosts: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "pillarbox.toml",
        format!("workspace = \"shop\"\n[groups.web]\npillar = [\"apps\"]\nstates = [\"nginx\"]\n{hosts}"),
    )
    .write("states/nginx.toml", NGINX)
    .write("pillar/apps.toml", APPS);
    env
}

fn two_hosts() -> TestEnv {
    shop(
        "[hosts.web1]\nengine = \"unix:///nonexistent/one.sock\"\ngroups = [\"web\"]\n\
         [hosts.web2]\nengine = \"unix:///nonexistent/two.sock\"\ngroups = [\"web\"]\n",
    )
}

#[test]
fn the_desired_state_is_data_and_needs_neither_key_nor_engine() {
    let env = two_hosts();
    env.write("pillar/hosts/web2.toml", "[nginx]\ngreeting = \"servus\"\n");
    let said = env.run(&["--no-identity", "compile"]).ok().json();
    let greeting = |host: usize| said["hosts"][host]["states"][0]["env"]["GREETING"].clone();
    assert_eq!((greeting(0), greeting(1)), ("hello".into(), "servus".into()));
    let one = env.run(&["compile", "--host", "*2"]).ok().json();
    assert_eq!(one["hosts"].as_array().map(Vec::len), Some(1));
    assert_eq!(one["hosts"][0]["host"], "web2");
}

#[test]
fn what_is_wrong_is_said_at_once_and_once_where_it_is_the_same_for_all_hosts() {
    let env = two_hosts();
    env.write("states/nginx.toml", NGINX.replace("greeting", "greting"));
    env.write("pillar/apps.toml", APPS.replace("version", "verzion"));
    for command in ["compile", "plan", "apply", "status"] {
        env.run(&[command])
            .exits(1)
            .explains("states/nginx.toml:4: `pillar.deploy.nginx.version` does not exist for host web1")
            .explains("states/nginx.toml:5: `pillar.nginx.greting` does not exist for host web2")
            .explains("did you mean `pillar.nginx.greeting`?");
    }
    env.write("pillar/apps.toml", APPS);
    env.write("states/nginx.toml", "[nginx_up.container.runing]\nname = \"nginx\"\n");
    let said = env.run(&["plan"]).exits(1).explains("container.running");
    assert_eq!(said.stderr().matches("error:").count(), 1, "{}", said.stderr());
}

#[test]
fn an_engine_that_does_not_answer_is_named_with_its_line_for_every_host() {
    let env = two_hosts();
    for command in [&["plan"][..], &["apply", "-y"], &["status"]] {
        env.run(command)
            .exits(1)
            .explains("pillarbox.toml:5: host web1")
            .explains("pillarbox.toml:8: host web2")
            .explains("/nonexistent/two.sock");
    }
    let said = env.run(&["--json", "plan"]).exits(1).json();
    assert_eq!(said["format_version"], "1.0");
    assert_eq!(said["error"]["code"], "unreachable");
    assert_eq!(said["error"]["problems"].as_array().map(Vec::len), Some(2));
    assert_eq!(said["error"]["problems"][0]["place"]["file"], "pillarbox.toml");
}

#[test]
fn hosts_that_do_not_exist_and_options_that_exclude_each_other_are_usage_errors() {
    let env = two_hosts();
    env.run(&["plan", "--host", "wbe1"]).exits(64).explains("did you mean `web1`?");
    env.run(&["plan", "--offline", "-o", "plan.json"]).exits(64);
    env.run(&["apply", "plan.json", "--prune"]).exits(64);
    env.run(&["apply", "plan.json", "--host", "web1"]).exits(64);
}

#[test]
fn a_page_and_something_else_in_one_place_is_a_usage_error_and_without_a_plan_there_is_no_page() {
    let env = two_hosts();
    env.run(&["plan", "--json", "--html", "-"]).exits(64).explains("standard output");
    env.run(&["plan", "-o", "plan", "--html", "./plan"]).exits(64).explains("same file");
    env.run(&["plan", "--html", "plan.html"]).exits(1);
    assert!(!env.workspace().join("plan.html").exists());
}

#[test]
fn an_inventory_without_hosts_says_how_to_add_one() {
    shop("").run(&["plan"]).exits(1).explains("has no hosts").explains("[hosts.web1]");
}

#[test]
fn what_is_no_plan_file_is_refused_before_anything_is_asked() {
    let env = two_hosts();
    env.run(&["apply", "missing.json"]).exits(1).explains("missing.json");
    env.write("plan.json", "{\"format_version\":\"7.0\",\"hosts\":[]}");
    env.run(&["apply", "plan.json"]).exits(1).explains("its format_version is `7.0`");
    env.write("plan.json", "{\"format_version\":\"1.0\",\"hosts\":[{\"host\":\"web9\"}]}");
    env.run(&["apply", "plan.json"]).exits(5).explains("web9");
}

#[test]
fn without_a_workspace_the_way_to_one_is_shown() {
    let env = TestEnv::new();
    for command in ["plan", "apply", "status", "compile"] {
        env.run(&[command]).exits(1).explains("pillarbox init");
    }
    two_hosts().run(&["-C", "/nonexistent", "plan"]).exits(1).explains("/nonexistent");
}

#[test]
fn another_address_of_a_known_host_is_refused_before_it_is_dialled() {
    let mut env = two_hosts();
    env.write(
        "known.toml",
        "format = 1\n[workspaces.shop.hosts.web1]\naddress = \"ssh://deploy@web1.example.com\"\n",
    );
    env.set_var("PILLARBOX_KNOWN", env.workspace().join("known.toml").display().to_string());
    env.run(&["plan", "--host", "web1"])
        .exits(8)
        .explains("ssh://deploy@web1.example.com")
        .explains("unix:///nonexistent/one.sock")
        .explains("pillarbox known accept web1");
}
