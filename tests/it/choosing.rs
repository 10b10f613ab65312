//! Which hosts and services a command is for: terms, files of terms, services, paused hosts.

use crate::env::TestEnv;
use crate::lying_engine::{DIGEST, LyingEngine};

/// Three hosts with one Engine behind all of them, and one that is paused, where nothing answers.
fn fleet() -> (TestEnv, LyingEngine) {
    let env = TestEnv::initialised();
    let engine = LyingEngine::new(&env.home());
    let address = engine.address();
    let host = |name: &str, group: &str, zone: &str, engine: &str, more: &str| {
        format!(
            "[hosts.{name}]\nengine = \"{engine}\"\ngroups = [\"{group}\"]\nlabels = {{ zone = \"{zone}\" }}\n{more}\n"
        )
    };
    let away = "unix:///nonexistent/engine.sock";
    let hosts = [
        host("web1", "web", "a", &address, ""),
        host("web2", "web", "b", &address, ""),
        host("db1", "db", "a", &address, ""),
        host("web3", "web", "a", away, "paused = \"disk is being replaced\""),
    ];
    env.write(
        "pillarbox.toml",
        format!(
            "workspace = \"shop\"\n[groups.web]\nstates = [\"web\"]\n[groups.db]\nstates = [\"web\"]\n{}",
            hosts.concat()
        ),
    );
    let image = format!("registry.example.com/web@{DIGEST}");
    let service =
        |name: &str, needs: &str| format!("[{name}.service.deployed]\nimage = \"{image}\"\n{needs}\n");
    let states = [
        service("web", "networks = [\"back\"]"),
        service("worker", ""),
        "[back.network.present]\n".to_owned(),
    ];
    env.write("states/web.toml", states.concat());
    (env, engine)
}

#[test]
fn terms_choose_hosts_and_what_they_choose_is_shown() {
    let (env, _engine) = fleet();
    let chosen = |terms: &[&str]| {
        let line = [&["plan", "--offline", "--json"], terms].concat();
        let said = env.run(&line).ok();
        let hosts = said.json()["hosts"].as_array().expect("hosts").clone();
        let names = hosts.iter().map(|host| host["host"].as_str().expect("a name").to_owned());
        (names.collect::<Vec<_>>().join(" "), said.stderr().to_owned())
    };
    for (terms, hosts, shown) in [
        (&["--host", "@web,!web3"][..], "web1 web2", "hosts: 2 of 4: web1 web2\n"),
        (&["--host", "label:zone=a", "--host", "&@web,!web3"], "web1", "hosts: 1 of 4: web1\n"),
        (&["--limit", "!@web"], "db1", "hosts: 1 of 4: db1\n"),
        (&["--host", "web1,db1"], "db1 web1", "hosts: 2 of 4: db1 web1\n"),
        (&["--host", "web1", "--host", "web2"], "web1 web2", ""),
        (&["--host", "web*"], "web1 web2", "hosts: 3 of 4: web1..3\n"),
    ] {
        let (names, said) = chosen(terms);
        assert_eq!((names.as_str(), said.as_str()), (hosts, shown), "{terms:?}");
    }
}

#[test]
fn terms_come_from_a_file_or_standard_input_and_a_file_without_any_chooses_none() {
    let (env, _engine) = fleet();
    env.write("chosen", "# the first\nweb1\r\n\n  @db,!web3  \n");
    env.run(&["status", "--host-file", "chosen"]).ok().explains("hosts: 2 of 4: db1 web1");
    env.run_with_input(&["status", "--host-file", "-", "--host", "web2"], "web1\n")
        .ok()
        .says("web1")
        .says("web2")
        .lacks("db1");
    env.write("none", "# nothing\n\n");
    for command in [&["plan"][..], &["apply", "-y"], &["restart", "web", "-y"], &["logs", "web"], &["df"]] {
        let line = [command, &["--host-file", "none"]].concat();
        env.run(&line).exits(64).explains("--host-file none names no host");
    }
    env.run(&["plan", "--host-file", "not-there"]).exits(1).explains("not-there");
}

#[test]
fn an_empty_choice_is_an_error_in_every_command_that_takes_hosts() {
    let (env, _engine) = fleet();
    for command in [
        &["plan"][..],
        &["apply", "-y"],
        &["status"],
        &["compile"],
        &["df"],
        &["clean", "-y"],
        &["history", "web"],
        &["rollback", "web", "-y"],
        &["restart", "web", "-y"],
        &["stop", "web", "-y"],
        &["start", "web"],
        &["down", "web", "--yes-remove=web"],
        &["exec", "web", "--", "true"],
        &["run", "web", "--", "true"],
        &["logs", "web"],
        &["registry", "check"],
    ] {
        for (terms, why) in [
            ("@web,!@web", "no host is chosen"),
            ("wbe1", "no host matches `wbe1`"),
            ("web1,", "does not choose hosts"),
        ] {
            let line = [&command[..1], &["--host", terms], &command[1..]].concat();
            let line = if command[0] == "registry" { [command, &["--host", terms]].concat() } else { line };
            // A command in a container has the exit codes of docker.
            let code = if matches!(command[0], "exec" | "run") { 125 } else { 64 };
            env.run(&line).exits(code).explains(why);
        }
    }
}

#[test]
fn an_error_names_the_three_nearest_of_many_hosts() {
    let env = TestEnv::initialised();
    let hosts = (0..1000).map(|at| format!("[hosts.web{at:04}]\nengine = \"ssh://web{at:04}\"\n"));
    env.write("pillarbox.toml", format!("workspace = \"shop\"\n{}", hosts.collect::<String>()));
    let said = env.run(&["plan", "--host", "wbe0317"]).exits(64);
    let said = said.explains("the nearest of 1000 hosts are: web0017, web0117, web0317");
    assert!(said.stderr().lines().count() <= 3, "{}", said.stderr());
}

#[test]
fn a_paused_host_is_never_dialled_and_stands_in_one_line_of_every_plan() {
    let (env, engine) = fleet();
    for command in [&["plan", "--offline"][..], &["apply", "-y", "--offline", "--only", "network back"]] {
        let said = env.run(command);
        assert!(
            said.stdout.contains("web3:  paused, disk is being replaced"),
            "{}{}",
            said.stdout,
            said.stderr
        );
        assert_eq!(said.stdout.matches("web3").count(), 1, "{}{}", said.stdout, said.stderr);
        assert!(!said.stderr.contains("nonexistent"), "{}{}", said.stdout, said.stderr);
    }
    env.run(&["plan", "--offline", "--detailed-exitcode"]).exits(2).says("web3:  paused");
    let json = env.run(&["plan", "--offline", "--json"]).ok().json();
    let paused = serde_json::json!([{ "host": "web3", "reason": "disk is being replaced" }]);
    assert_eq!(json["paused"], paused);
    assert!(env.run(&["plan", "--offline", "--html", "-"]).ok().stdout().contains("disk is being replaced"));
    for command in [&["status"][..], &["df"], &["clean", "-y"], &["doctor"], &["history", "web"]] {
        let said = env.run(command);
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(all.contains("web3: paused, disk is being replaced"), "{command:?} {all}");
        assert!(!all.contains("nonexistent"), "{command:?} {all}");
    }
    let asked = engine.asked("").len();
    env.run(&["plan", "--host", "web3"]).ok().says("web3:  paused").lacks("no changes");
    env.run(&["apply", "-y", "--host", "web3"]).ok().says("web3:  paused");
    env.run(&["exec", "web", "--host", "web3", "--", "true"]).exits(125).explains("host web3 is paused");
    assert_eq!(engine.asked("").len(), asked, "no other host was asked");
    // It is written for all the same.
    env.run(&["compile", "--host", "web3"]).ok().says("web3");
}

#[test]
fn a_pause_says_why() {
    let env = TestEnv::initialised();
    for (paused, why) in [("\"\"", "must be one line that says why"), ("true", "must be a string")] {
        let host = format!("[hosts.web1]\nengine = \"ssh://web1\"\npaused = {paused}\n");
        env.write("pillarbox.toml", format!("workspace = \"shop\"\n{host}"));
        env.run(&["plan"]).exits(1).explains("pillarbox.toml:").explains(why);
    }
}

#[test]
fn a_service_is_planned_with_what_it_requires_and_the_rest_of_its_host_is_named() {
    let (env, _engine) = fleet();
    let said = env.run(&["plan", "--offline", "--host", "web1", "--service", "web"]).ok();
    let said = said
        .says("container web")
        .says("network back")
        .says("not done because of --service: container worker");
    assert_eq!(said.stdout().matches("worker").count(), 1, "{}", said.stdout());
    let globbed = env.run(&["plan", "--offline", "--host", "web1", "--service", "w*"]).ok();
    globbed.says("container web").says("container worker").lacks("not done because");
    env.run(&["plan", "--service", "wbe"]).exits(64).explains("did you mean `web`?");
    env.run(&["plan", "--service", "x*"]).exits(64).explains("no host has a service `x*`");
    env.run(&["plan", "--service", "web", "--prune"]).exits(64);
    env.run(&["plan", "--host", "web1", "--service", "web", "-o", "plan.json"]).ok();
    assert!(
        env.read("plan.json").contains("\"services\": [\n      \"web\"\n    ]"),
        "{}",
        env.read("plan.json")
    );
}
