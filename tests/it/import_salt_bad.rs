//! `import salt` with what is wrong, hostile or much: an error with its reason, and nothing half written.

use crate::env::{Output, TestEnv};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

fn workspace() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("pillarbox.toml", "workspace = \"shop\"\n");
    for file in ["states/nginx.toml", "pillar/apps.toml"] {
        fs::remove_file(env.workspace().join(file)).expect("a file of init");
    }
    env
}

fn running(args: &Value, order: u32) -> Value {
    let mut list: Vec<Value> = args
        .as_object()
        .expect("arguments")
        .iter()
        .map(|(key, value)| json!({ (key.as_str()): value }))
        .collect();
    list.extend([json!("running"), json!({ "order": 10_000 + order })]);
    json!({"docker_container": list, "__sls__": "shop", "__env__": "base"})
}

/// Imports the states of minions, and their pillars.
fn import(env: &TestEnv, states: &Value, pillar: &Value, more: &[&str]) -> Output {
    env.write("../states.json", states.to_string()).write("../pillar.json", pillar.to_string());
    let all = [&["import", "salt", "../states.json", "--pillar", "../pillar.json"], more].concat();
    env.run(&all)
}

#[test]
fn answers_of_other_commands_of_salt_are_read() {
    let state = running(&json!({"image": "registry.example.com/web:1"}), 0);
    for states in [
        json!({"web1": {"web": state}}),
        // salt-ssh, and the job cache of a master.
        json!({"web1": {"jid": "20261130", "fun": "state.show_highstate", "retcode": 0, "return": {"web": state}}}),
        // Salt 2014 and 2019 call the module otherwise.
        json!({"web1": {"web": {"dockerng": ["running", {"image": "registry.example.com/web:1"}], "__sls__": "shop"}}}),
        json!({"web1": {"web": {"docker.running": [{"image": "registry.example.com/web:1"}], "__sls__": "shop"}}}),
    ] {
        let env = workspace();
        import(&env, &states, &json!({"web1": {}}), &["-y"]).ok();
        env.run(&["--no-identity", "compile"]).ok().says("registry.example.com/web:1");
    }
}

#[test]
fn minions_that_disagree_get_what_is_equal_together_and_the_rest_each_for_itself() {
    let env = workspace();
    let minion = |tag: &str, replicas: u32| {
        json!({
            "web": running(&json!({"image": format!("registry.example.com/web:{tag}")}), 0),
            "metrics": {"docker_container": [{"image": "registry.example.com/metrics:1"}, "running", {"order": 10001}], "__sls__": "metrics"},
            "n": {"test": ["nop", {"n": replicas}], "__sls__": "metrics"},
        })
    };
    let states = json!({"web1": minion("1", 1), "web2": minion("2", 2)});
    let pillar = json!({"web1": {"a": 1, "b": "x"}, "web2": {"a": 2, "b": "x"}});
    import(&env, &states, &pillar, &["-y"]).ok();
    assert!(env.read("states/shop.toml").contains("web:1"));
    assert!(env.read("states/hosts/web2/shop.toml").contains("web:2"));
    assert!(env.read("states/metrics.toml").contains("metrics:1"));
    assert!(env.read("pillar/hosts/web1.toml").ends_with("a = 1\n"));
    assert!(env.read("pillar/hosts/web2.toml").ends_with("a = 2\n"));
    let compiled = env.run(&["--no-identity", "compile"]).ok();
    compiled.says("registry.example.com/web:1").says("registry.example.com/web:2");
}

#[test]
fn what_another_tool_encrypted_is_named_as_that_and_never_sealed_as_text() {
    let env = workspace();
    let states = json!({"web1": {
        "pgp": running(&json!({"image": "a:1", "environment": [{"PASSWORD": "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----"}]}), 0),
        "sops": running(&json!({"image": "a:1", "environment": [{"PASSWORD": "ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]"}]}), 1),
        "good": running(&json!({"image": "a:1"}), 2),
    }});
    let pillar = json!({"web1": {
        "pgp_password": "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----",
        "sops_password": "ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]",
        "nacl_password": "NACL[pEXHQM6cuaF7A7r1WlKlUo6N8+8=]",
    }});
    let said = import(&env, &states, &pillar, &["-y"]).exits(1);
    said.explains("pillar pgp_password: it is encrypted with PGP")
        .explains("pillar sops_password: it is encrypted with SOPS")
        .explains("pillar nacl_password: it is encrypted with Salt's nacl")
        .explains("docker_container.running `pgp`")
        .explains("docker_container.running `sops`");
    assert!(!env.workspace().join("pillar/salt.toml").exists(), "no value was left");
    env.run(&["--no-identity", "compile"]).ok().says("container good").lacks("container pgp");
}

#[test]
fn ids_that_are_no_names_here_are_kept_or_said() {
    let env = workspace();
    let states = json!({"web1": {
        "Install the web app!": running(&json!({"name": "web", "image": "a:1", "require": [{"docker_container": "näh bei"}]}), 1),
        "näh bei": running(&json!({"name": "near", "image": "a:1"}), 0),
        "{{ pillar.x }}": running(&json!({"name": "braces", "image": "a:1", "log_driver": "json-file", "log_opt": [{"tag": "{{.Name}}"}], "command": "{% x %} {# y #}"}), 2),
        "a\nb\u{1b}[31m\"": running(&json!({"name": "odd", "image": "a:1"}), 3),
        "no container": running(&json!({"image": "a:1"}), 4),
        "../../etc": running(&json!({"name": "up", "image": "a:1"}), 5),
    }});
    let said = import(&env, &states, &json!({"web1": {}}), &["-y"]).exits(1);
    assert!(!said.stderr().contains('\u{1b}'));
    let said = said.explains("`no container` is no name that an Engine takes for a container");
    said.explains("give the state a `name`, and render it again");
    let compiled = env.run(&["--no-identity", "compile"]).ok();
    for name in ["web", "near", "braces", "odd", "up"] {
        assert!(compiled.stdout().contains(&format!("container {name}")), "{name}: {}", compiled.stdout());
    }
    let compiled = compiled.says("{{.Name}}");
    compiled.says("\"{#\"");
}

#[test]
fn files_that_lie_outside_are_not_read_and_names_of_files_do_not_lead_outside() {
    let env = workspace();
    env.write("../secret.txt", "CANARY").write("../tree/ok.conf", "fine\n");
    std::os::unix::fs::symlink(env.workspace().join("../secret.txt"), env.workspace().join("../tree/link"))
        .expect("a link");
    let states = json!({"web1": {
        "/etc/a": {"file": ["managed", {"source": "salt://../secret.txt"}], "__sls__": "shop"},
        "a": running(&json!({"image": "a:1", "binds": "/etc/a:/etc/a:ro"}), 0),
        "/etc/b": {"file": ["recurse", {"source": "salt://.."}], "__sls__": "shop"},
        "b": running(&json!({"image": "a:1", "binds": "/etc/b:/etc/b:ro"}), 1),
    }, "../../x": {"web": {"docker_container": [{"image": "a:1"}, "running"], "__sls__": "../../../tmp/x"}}});
    let said = import(&env, &states, &json!({}), &["--files", "../tree", "-y"]);
    assert!(said.code != 0, "{}", said.stderr);
    for (path, bytes) in env.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains("CANARY"), "{path:?}");
    }
    assert!(!env.workspace().join("../../x").exists() && !env.workspace().join("../x.toml").exists());
}

#[test]
fn a_folder_that_salt_fills_is_given_to_the_container_that_mounts_it() {
    let env = workspace();
    env.write("../tree/site/index.html", "<h1>shop</h1>\n").write("../tree/site/css/main.css", "h1 {}\n");
    let recurse = |more: Value| {
        let mut args = vec![json!("recurse"), json!({"source": "salt://site"}), json!({"file_mode": "0640"})];
        args.push(more);
        json!({"file": args, "__sls__": "shop"})
    };
    let web = running(
        &json!({"image": "a:1", "binds": "/srv/www:/usr/share/nginx/html:ro", "watch": [{"file": "/srv/www"}]}),
        1,
    );
    let states = json!({"web1": {"/srv/www": recurse(json!({"order": 10_000})), "web": web}});
    import(&env, &states, &json!({}), &["-y"]).exits(1).explains("--files FOLDER");
    let env = workspace();
    env.write("../tree/site/index.html", "<h1>shop</h1>\n").write("../tree/site/css/main.css", "h1 {}\n");
    import(&env, &states, &json!({}), &["--files", "../tree", "-y"]).ok();
    insta::assert_snapshot!(env.read("states/shop.toml"), @r##"
# From Salt's `shop`, imported by pillarbox.

# docker_container.running
# /srv/www of the host was mounted at /usr/share/nginx/html; here are the files that Salt puts there
[web.container.running]
image = "a:1"

[web.container.running.files."/usr/share/nginx/html/css/main.css"]
source = "files/site/css/main.css"
mode = "0640"

[web.container.running.files."/usr/share/nginx/html/index.html"]
source = "files/site/index.html"
mode = "0640"
"##);
    assert_eq!(env.read("files/site/css/main.css"), "h1 {}\n");
    env.run(&["--no-identity", "compile"]).ok();
    // Which files a pattern leaves, only Salt knows.
    let env = workspace();
    let states = json!({"web1": {"/srv/www": recurse(json!({"exclude_pat": "*.css"})), "web": web}});
    let said = import(&env, &states, &json!({}), &["--files", "../tree", "-y"]).exits(1);
    said.explains("write the files that `exclude_pat` leaves as file.managed");
}

#[test]
fn requisites_without_an_equivalent_are_said_beside_the_state() {
    let env = workspace();
    let states = json!({"web1": {
        "db": running(&json!({"image": "a:1"}), 0),
        "cache": running(&json!({"image": "a:1"}), 1),
        "web": running(&json!({"image": "a:1", "require_any": [{"docker_container": "db"}, {"docker_container": "cache"}],
            "listen": [{"docker_container": "db"}], "retry": {"attempts": 3}}), 2),
    }});
    import(&env, &states, &json!({}), &["-y"]).ok();
    let text = env.read("states/shop.toml");
    for said in [
        "# `require_any` was for one of them; here each of them counts",
        "# `listen` has no equivalent: watch = { ID = \"restart\" } does it at once",
        "# `retry` has no equivalent: run 'pillarbox apply' again, it goes on from there",
        "require = [\"db\", \"cache\"]",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    env.run(&["--no-identity", "compile"]).ok();
}

#[test]
fn yaml_that_was_made_to_cost_ends_soon_and_bad_input_is_no_panic() {
    let env = workspace();
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (before, name) in ('a'..='h').zip('b'..='i') {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", ")));
    }
    let deep = format!(
        "web:\n  docker_container.running:\n    - env: {}{}\n",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let deep_json = format!("{{\"local\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (name, text) in [
        ("bomb.sls", bomb.as_str()),
        ("deep.sls", deep.as_str()),
        ("deep.json", deep_json.as_str()),
        ("cut.json", "{\"local\": {\"web\": {\"docker_container\": [\"runn"),
        ("nul.json", "{\"local\": \u{0}}"),
        ("list.sls", "- a\n- b\n"),
        ("tab.sls", "web:\n\tdocker_container.running: []\n"),
        ("number.json", "{\"local\": {\"web\": {\"docker_container\": [1, 2], \"__sls__\": 3}}}"),
        (
            "order.json",
            "{\"local\": {\"web\": {\"docker_container\": [\"running\", {\"order\": 1e999}], \"__sls__\": \"a\"}}}",
        ),
    ] {
        env.write(&format!("../{name}"), text);
        let began = Instant::now();
        let said = env.run(&["import", "salt", &format!("../{name}"), "-y"]);
        assert!(began.elapsed() < Duration::from_secs(20), "{name}");
        assert!((1..=64).contains(&said.code), "{name}: {} {}", said.code, said.stderr);
        assert!(!said.stderr.contains("panicked"), "{name}: {}", said.stderr);
    }
}

#[test]
fn two_thousand_states_are_imported_in_a_bounded_time() {
    let env = workspace();
    let mut states = serde_json::Map::new();
    let mut values = serde_json::Map::new();
    for number in 0..2000 {
        let mut state = running(
            &json!({
                "image": "registry.example.com/web:1",
                "environment": [{"DB_PASSWORD": format!("secret-number-{number}")}, {"N": number}],
                "port_bindings": [format!("{}:80", 10_000 + number)],
                "require": [{"docker_container": format!("web{}", number / 2)}],
            }),
            number,
        );
        state["__sls__"] = json!(format!("shop{}", number % 20));
        values.insert(format!("app{number}"), json!({"password": format!("secret-number-{number}")}));
        states.insert(format!("web{number}"), state);
    }
    let began = Instant::now();
    import(&env, &json!({"web1": states}), &json!({"web1": values}), &["-y"]).ok();
    let took = began.elapsed();
    // 2 s in a release build (scripts/bench), on a machine with nothing else to do.
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert!(env.read("states/shop19.toml").contains("{{ pillar.app1999.password }}"));
}
