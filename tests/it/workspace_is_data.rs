//! A clone of a stranger's workspace is safe to look at.

use crate::env::TestEnv;
use std::os::unix::fs::symlink;

#[test]
fn symbolic_links_in_a_workspace_are_refused() {
    for (link, command) in [
        ("pillar/evil.toml", &["verify"][..]),
        ("pillar/evil.toml", &["box", "list"]),
        ("keys/evil.pub", &["reader", "list"]),
    ] {
        let env = TestEnv::initialised();
        symlink("/etc/passwd", env.workspace().join(link)).expect("a link");
        env.run(command).exits(1).explains(link).explains("symbolic link").lacks("root:");
    }
    let env = TestEnv::initialised();
    let pillar = env.workspace().join("pillar");
    std::fs::rename(&pillar, env.home().join("elsewhere")).expect("moved");
    symlink(env.home().join("elsewhere"), &pillar).expect("a link");
    env.run(&["verify"]).exits(1).explains("symbolic link");
    let env = TestEnv::initialised();
    let own = env.workspace().join(".pillarbox");
    std::fs::remove_dir_all(&own).expect("removed");
    symlink(env.home(), &own).expect("a link");
    let (_, key) = crate::sealing::person(&env, "bob");
    env.run(&["reader", "add", "bob", &key]).exits(1);
}

#[test]
fn names_that_could_be_options_are_refused() {
    let env = TestEnv::initialised();
    for engine in ["ssh://-oProxyCommand=touch${IFS}x", "ssh://-x@host", "context:-x", "ssh://a b"] {
        let text = env.read("pillarbox.toml").replace("unix:///var/run/docker.sock", engine);
        let fine = env.read("pillarbox.toml");
        env.write("pillarbox.toml", text);
        env.run(&["verify"]).exits(1).explains("pillarbox.toml:");
        env.write("pillarbox.toml", fine);
    }
    env.run(&["reader", "add", "--", "-x", "age1"]).exits(1).explains("is not a reader name");
}

#[test]
fn keys_of_plugins_start_no_program() {
    let mut env = TestEnv::initialised();
    let bin = env.home().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    let plugin = bin.join("age-plugin-evil");
    std::fs::write(&plugin, format!("#!/bin/sh\ntouch {}/ran\n", env.home().display())).expect("a program");
    std::fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("its mode");
    env.path_first(bin);
    env.write("keys/evil.pub", "age1evil1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\n");
    env.run(&["box", "new", "prod", "--readers", "alice,evil"]).exits(1).explains("keys of age plugins");
    env.run(&["verify"]).exits(1).explains("keys/evil.pub:1");
    assert!(!env.home().join("ran").exists());
}

#[test]
fn a_credential_helper_is_started_by_nothing_that_only_looks() {
    let mut env = TestEnv::initialised();
    let bin = env.home().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    let helper = bin.join("docker-credential-evil");
    std::fs::write(&helper, format!("#!/bin/sh\ntouch {}/ran\n", env.home().display())).expect("a program");
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("its mode");
    env.path_first(bin);
    env.run(&["registry", "add", "registry.example.com", "--helper", "evil"]).ok();
    env.write(
        "pillarbox.toml",
        env.read("pillarbox.toml").replace("/var/run/docker.sock", "/nonexistent.sock"),
    );
    for command in [
        &["verify"][..],
        &["show", "registries/registry.example.com"],
        &["registry", "list"],
        &["get", "registries", "--in", "registries/registry.example.com"],
        &["get", "registries", "--host", "local"],
        &["compile"],
        &["box", "list"],
        &["known", "list"],
    ] {
        env.run(command).ok();
    }
    // No Engine answers, so no registry is asked.
    for command in [&["plan"][..], &["apply", "-y"], &["status"], &["registry", "check"]] {
        env.run(command).exits(1);
    }
    assert!(!env.home().join("ran").exists());
    for name in ["../evil", "/bin/sh", "-x", "Evil", "e vil", "pillarbox", ""] {
        let text = format!("[registries.\"registry.example.com\"]\nhelper = \"{name}\"\n");
        env.write("pillar/registries/registry.example.com.toml", text);
        env.run(&["plan"])
            .exits(1)
            .explains("pillar/registries/registry.example.com.toml:1")
            .explains("helper");
    }
}

#[test]
fn a_workspace_above_the_home_folder_is_not_found() {
    let env = TestEnv::initialised();
    let above = env.home().parent().expect("a folder").join("pillarbox.toml");
    std::fs::write(&above, "workspace = \"evil\"\n").expect("written");
    let below = env.home().join("elsewhere");
    std::fs::create_dir(&below).expect("a folder");
    env.command(&["verify"]).within(&below).run().exits(1).explains("pillarbox init");
    let deep = env.workspace().join("states");
    env.command(&["verify"]).within(deep).run().ok();
}

#[test]
fn control_characters_of_a_workspace_reach_no_terminal() {
    let env = TestEnv::initialised();
    env.write("pillar/a\u{1b}[2J.toml", "x = \n");
    env.write("pillar/b.toml", "\"k\\u001b[31m\" = { sealed = \"x\", id = \"0123456789abcdef\" }\n");
    let said = env.run(&["verify"]).exits(8).explains("\\u{1b}");
    assert!(!said.stderr().contains('\u{1b}') && !said.stdout().contains('\u{1b}'));
}

/// What may lie in the place of a file.
const NO_FILES: [&str; 3] = ["mkfifo", "mkdir", "truncate -s 100G"];

#[test]
fn what_is_no_file_of_some_bytes_is_refused_at_once_wherever_it_lies() {
    for (place, commands) in [
        ("shop/pillarbox.toml", &[&["verify"][..], &["plan"]][..]),
        ("shop/pillar/apps.toml", &[&["verify"], &["compile"], &["set", "a.b", "c"], &["show", "apps"]]),
        ("shop/pillar/box.toml", &[&["verify"], &["box", "list"]]),
        ("shop/states/nginx.toml", &[&["compile"], &["plan"]]),
        ("shop/keys/alice.pub", &[&["reader", "list"], &["verify"]]),
        ("shop/.pillarbox/lock", &[&["verify"], &["compile"], &["set", "a.b", "c"]]),
        (".local/state/pillarbox/known.toml", &[&["verify"], &["known", "list"]]),
        (".config/pillarbox/config.toml", &[&["doctor"]]),
        (".config/pillarbox/identity.txt", &[&["reveal", "a.pw"], &["doctor"]]),
    ] {
        for kind in NO_FILES {
            // A lock has no content: its length means nothing.
            if place.ends_with("lock") && kind.starts_with("truncate") {
                continue;
            }
            let env = TestEnv::initialised();
            env.run_with_input(&["seal", "a.pw"], "secret").ok();
            let path = env.home().join(place);
            // Not all of them are there in a new home.
            let _ = std::fs::remove_file(&path);
            env.program("sh", &["-c", &format!("{kind} '{}'", path.display())]).run().ok();
            for command in commands {
                let began = std::time::Instant::now();
                let said = env.run(command);
                assert!(began.elapsed().as_secs() < 30, "{kind} {place}: {said}");
                // A folder of that name is looked into, and is empty.
                let is_fine = command[0] == "doctor" || kind == "mkdir";
                // A list of readers says it in the row of the key.
                let is_fine = is_fine || (command[0] == "reader" && said.stdout.contains("holds no key"));
                assert!(said.code != 0 || is_fine, "{kind} {place}: {said}");
            }
        }
    }
}

/// Runs it with little memory.
fn tight(env: &TestEnv, megabytes: u32, command: &str) -> crate::env::Output {
    let script =
        format!("ulimit -v {}; exec {} {command}", megabytes * 1000, env!("CARGO_BIN_EXE_pillarbox"));
    env.program("sh", &["-c", &script]).run()
}

fn one_host() -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "pillarbox.toml",
        "workspace = \"shop\"\n[hosts.web1]\nengine = \"unix:///nonexistent.sock\"\npillar = [\"apps\"]\n\
         states = [\"web\"]\n",
    )
    .write("pillar/apps.toml", "a = 1\n")
    .write("states/web.toml", "[web.container.running]\nname = \"web\"\nimage = \"nginx:1\"\n");
    env
}

#[test]
fn thousands_of_expressions_have_one_budget_and_the_line_is_named_where_it_ends() {
    let env = one_host();
    let state = env.read("states/web.toml");
    for expression in ["{{ 'x' * 600000 }}", "{{ ('x' * 5000000) | length }}"] {
        let many: String = (0..5000).map(|n| format!("env.E{n} = \"{expression}\"\n")).collect();
        env.write("states/web.toml", format!("{state}{many}"));
        let said = tight(&env, 1000, "compile").exits(1);
        let said = said.explains("states/web.toml:").explains("the expressions of this run take too much");
        assert_eq!(said.stderr().matches("of this run take too much").count(), 1, "{}", said.stderr());
    }
}

#[test]
fn a_hundred_thousand_small_tables_take_little_memory_and_more_are_refused() {
    let env = one_host();
    let tables = |count: u32| (0..count).map(|n| format!("[t{n}]\na=1\n")).collect::<String>();
    env.write("pillar/apps.toml", tables(100_000));
    tight(&env, 700, "compile").ok();
    env.write("pillar/apps.toml", tables(1_000_000));
    for command in ["compile", "verify", "get t1.a", "set t1.a 2"] {
        let said = tight(&env, 400, command).exits(1);
        said.explains("pillar/apps.toml").explains("more than 250000 keys, tables and entries");
    }
    env.write("pillar/apps.toml", "a = 1\n").write("states/web.toml", tables(1_000_000));
    tight(&env, 400, "compile").exits(1).explains("states/web.toml").explains("more than 250000");
}

#[test]
fn every_value_of_a_large_table_can_be_read_in_one_expression() {
    let env = one_host();
    let keys: String = (0..30_000).map(|n| format!("k{n} = 1\n")).collect();
    env.write("pillar/apps.toml", format!("[t]\n{keys}"));
    env.write("states/web.toml", env.read("states/web.toml") + "env.X = \"{{ pillar.t | tojson }}\"\n");
    let began = std::time::Instant::now();
    env.run(&["compile"]).ok().says("k29999");
    assert!(began.elapsed().as_secs() < 90, "it grows with the square: {:?}", began.elapsed());
}

#[test]
fn characters_that_hide_or_turn_others_are_written_out_by_every_printer() {
    let env = one_host();
    let evil = "a\u{1b}[31m\u{9b}31m\u{61c}\u{2028}\u{202e}\u{2060}\u{2067}\u{feff}\u{e0041}b";
    let toml = serde_json::Value::from(evil).to_string().replace('\u{1b}', "\\u001b");
    env.write("pillar/apps.toml", format!("text = {toml}\n{toml} = 1\n[t]\nx = {toml}\n"));
    env.write(
        "states/web.toml",
        env.read("states/web.toml")
            + &format!("env.X = \"{{{{ pillar.text }}}}\"\n[{toml}.container.running]\n"),
    );
    for command in [
        &["--json", "get", "text"][..],
        &["--json", "get", "t"],
        &["show", "apps"],
        &["compile"],
        &["--json", "compile"],
        &["plan"],
        &["--json", "plan"],
        &["verify"],
        &["--json", "verify"],
        &["--json", "get", evil],
    ] {
        let said = env.run(command);
        let text = format!("{}{}", said.stdout, said.stderr);
        let raw = |c: &char| evil.contains(*c) && !c.is_ascii_graphic();
        assert!(text.chars().find(raw).is_none(), "{command:?}: {text:?}");
    }
    assert_eq!(env.run(&["--json", "get", "text"]).ok().json()["value"], evil);
    // A pipe gets every byte; on a terminal they are written out.
    env.run(&["get", "text"]).ok().says_only(&format!("{evil}\n"));
    for arguments in ["get text", "get t"] {
        let (code, text) = crate::terminal::typed(&env, arguments, &[]);
        assert!(code == 0 && !text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{feff}']), "{text:?}");
    }
}
