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
