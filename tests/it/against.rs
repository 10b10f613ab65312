//! `verify --against` of a clone that lies: what someone who may write to the repository can put in the way.

use crate::env::{Run, TestEnv};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

const EVIL: &str = "tcp://evil.example.com:2376";

/// A committed workspace in `infra/shop` of a repository, and its folder.
fn in_a_subfolder() -> (TestEnv, PathBuf) {
    let env = TestEnv::new();
    env.run(&["init", "infra/shop"]).ok();
    let shop = env.workspace().join("infra/shop");
    git(&env, &["init", "-q", "-b", "main", "."]);
    git(&env, &["add", "-A"]);
    git(&env, &["commit", "-qm", "first"]);
    (env, shop)
}

fn git(env: &TestEnv, arguments: &[&str]) {
    env.program("git", arguments).run().ok();
}

fn said(env: &TestEnv, arguments: &[&str]) -> String {
    let output = env.program("git", arguments).run();
    assert_eq!(output.code, 0, "{}", output.stderr);
    output.stdout.trim().to_owned()
}

fn against(env: &TestEnv, shop: &Path, revision: &str) -> Run {
    env.command(&["--no-identity", "verify", "--against", revision]).within(shop)
}

/// Points the host of a workspace at another Engine.
fn change_engine(shop: &Path) {
    let file = shop.join("pillarbox.toml");
    let text = fs::read_to_string(&file).expect("the inventory");
    fs::write(file, text.replace("unix:///var/run/docker.sock", EVIL)).expect("written");
}

/// A program that leaves a mark where it was run.
fn trap(env: &TestEnv) -> (PathBuf, PathBuf) {
    let (program, mark) = (env.home().join("trap"), env.home().join("it-ran"));
    fs::write(&program, format!("#!/bin/sh\necho \"$0 $*\" >> {}\nexit 1\n", mark.display()))
        .expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    (program, mark)
}

#[test]
fn a_repository_that_was_committed_into_the_workspace_is_not_asked() {
    let (env, shop) = in_a_subfolder();
    change_engine(&shop);
    // What stands now, as a repository of its own whose files lie beside `pillarbox.toml`.
    let planted = env.home().join("planted");
    let other = planted.to_str().expect("a path");
    env.program("cp", &["-r", shop.to_str().expect("a path"), other]).run().ok();
    for arguments in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-qm", "evil"]] {
        env.program("git", arguments).within(&planted).run().ok();
    }
    for part in ["HEAD", "config", "objects", "refs"] {
        let from = planted.join(".git").join(part);
        env.program("cp", &["-r", from.to_str().expect("a path"), shop.to_str().expect("a path")]).run().ok();
    }
    let (program, mark) = trap(&env);
    let config = format!("[core]\n\tbare = true\n\tfsmonitor = {0}\n\tsshCommand = {0}\n", program.display());
    fs::write(shop.join("config"), config).expect("written");
    let top = env.workspace().canonicalize().expect("its real path");
    against(&env, &shop, "main")
        .run()
        .exits(8)
        .says(&format!("! engine changed: local\n    unix:///var/run/docker.sock → {EVIL}"))
        .explains(&format!("of the git repository {}", top.display()))
        .explains("compared with refs/heads/main, commit ");
    // Where there is no other repository, it is none either.
    fs::remove_dir_all(env.workspace().join(".git")).expect("removed");
    against(&env, &shop, "main").run().exits(1).explains("there is no git repository around the workspace");
    assert!(!mark.exists(), "{}", fs::read_to_string(mark).unwrap_or_default());
}

#[test]
fn nothing_that_the_repository_names_is_run_and_nothing_is_fetched() {
    let (env, shop) = in_a_subfolder();
    let (program, mark) = trap(&env);
    let program = program.to_str().expect("a path");
    let hooks = env.home().join("hooks");
    fs::create_dir(&hooks).expect("made");
    for hook in ["post-index-change", "fsmonitor-watchman", "reference-transaction"] {
        fs::copy(program, hooks.join(hook)).expect("a hook");
    }
    let included = env.home().join("included");
    fs::write(&included, format!("[alias]\n\tcat-file = !{program}\n\tls-tree = !{program}\n"))
        .expect("written");
    for (key, value) in [
        ("core.fsmonitor", program),
        ("core.hooksPath", hooks.to_str().expect("a path")),
        ("core.pager", program),
        ("pager.ls-tree", program),
        ("core.alternateRefsCommand", program),
        ("core.askPass", program),
        ("core.gitProxy", program),
        ("credential.helper", program),
        ("diff.external", program),
        ("diff.pillarbox.textconv", program),
        ("alias.rev-parse", &format!("!{program}")),
        ("include.path", included.to_str().expect("a path")),
    ] {
        git(&env, &["config", key, value]);
    }
    against(&env, &shop, "main").run().ok();
    against(&env, &shop, "HEAD").run().ok();
    // A file of the revision is missing here, and promised by a remote that is reached by a program.
    let blob = said(&env, &["rev-parse", "HEAD:infra/shop/pillarbox.toml"]);
    change_engine(&shop);
    git(&env, &["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "commit", "-qam", "second"]);
    let (folder, file) = blob.split_at(2);
    fs::remove_file(env.workspace().join(".git/objects").join(folder).join(file)).expect("removed");
    for (key, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialCloneFilter", "blob:none"),
        ("core.sshCommand", program),
    ] {
        git(&env, &["config", key, value]);
    }
    for url in
        ["ssh://evil.example.com/x.git", &format!("ext::{program}"), env.home().to_str().expect("a path")]
    {
        git(&env, &["config", "remote.origin.url", url]);
        git(&env, &["config", "remote.origin.uploadpack", program]);
        git(&env, &["config", "protocol.allow", "always"]);
        against(&env, &shop, "HEAD~1")
            .run()
            .exits(1)
            .explains("a file of the revision is not in the repository");
    }
    assert!(!mark.exists(), "{}", fs::read_to_string(mark).unwrap_or_default());
}

#[test]
fn an_object_that_stands_in_for_another_is_not_taken() {
    let (env, shop) = in_a_subfolder();
    let old = said(&env, &["rev-parse", "HEAD:infra/shop/pillarbox.toml"]);
    change_engine(&shop);
    let new = said(&env, &["hash-object", "-w", "infra/shop/pillarbox.toml"]);
    git(&env, &["replace", &old, &new]);
    against(&env, &shop, "main").run().exits(8).says("! engine changed: local");
}

#[test]
fn a_name_that_is_a_branch_and_a_tag_is_refused() {
    let (env, shop) = in_a_subfolder();
    git(&env, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    against(&env, &shop, "origin/main")
        .run()
        .ok()
        .explains("compared with refs/remotes/origin/main, commit ");
    change_engine(&shop);
    git(&env, &["commit", "-qam", "second"]);
    git(&env, &["tag", "origin/main"]);
    against(&env, &shop, "origin/main")
        .run()
        .exits(1)
        .explains("`origin/main` names several things")
        .explains("refs/remotes/origin/main, refs/tags/origin/main");
    against(&env, &shop, "origin/main~0").run().exits(1);
    against(&env, &shop, "refs/remotes/origin/main").run().exits(8).says("! engine changed: local");
    // A tag that is called as the beginning of a commit's id.
    let first = said(&env, &["rev-parse", "--short=10", "HEAD~1"]);
    against(&env, &shop, &first).run().exits(8);
    git(&env, &["tag", &first, "HEAD"]);
    against(&env, &shop, &first).run().exits(1).explains("the beginning of an id");
    against(&env, &shop, &said(&env, &["rev-parse", "HEAD~1"])).run().exits(8);
    // A whole name is that branch, or nothing.
    git(&env, &["update-ref", "-d", "refs/remotes/origin/main"]);
    git(&env, &["tag", "refs/remotes/origin/main"]);
    against(&env, &shop, "refs/remotes/origin/main").run().exits(1).explains("is not a revision");
}

#[test]
fn programs_are_found_in_absolute_folders_outside_of_the_repository_alone() {
    let (env, shop) = in_a_subfolder();
    let (program, mark) = trap(&env);
    fs::copy(program, shop.join("git")).expect("a program in the workspace");
    let path = std::env::var("PATH").expect("PATH");
    let path = format!(".:infra:{}:{path}", shop.display());
    against(&env, &shop, "main").var("PATH", path).run().ok();
    // Nor does what the caller's environment says of git.
    against(&env, &shop, "main")
        .var("GIT_DIR", shop.join("evil"))
        .var("GIT_CONFIG_COUNT", "1")
        .var("GIT_CONFIG_KEY_0", "core.bare")
        .var("GIT_CONFIG_VALUE_0", "true")
        .var("GIT_OBJECT_DIRECTORY", "/nonexistent")
        .var("GIT_EXEC_PATH", &shop)
        .run()
        .ok();
    assert!(!mark.exists(), "{}", fs::read_to_string(mark).unwrap_or_default());
}

#[test]
fn linked_work_trees_and_submodules_are_followed_but_not_into_the_workspace() {
    let (env, shop) = in_a_subfolder();
    let linked = env.home().join("linked");
    git(&env, &["worktree", "add", "-q", "-b", "side", linked.to_str().expect("a path")]);
    against(&env, &linked.join("infra/shop"), "main").run().ok().explains("of the git repository");
    change_engine(&linked.join("infra/shop"));
    against(&env, &linked.join("infra/shop"), "main").run().exits(8).says("! engine changed");
    // As a submodule of another repository.
    let outer = env.home().join("outer");
    fs::create_dir(&outer).expect("made");
    let url = env.workspace().to_str().expect("a path").to_owned();
    env.program("git", &["init", "-q", "."]).within(&outer).run().ok();
    env.program("git", &["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "sub"])
        .within(&outer)
        .run()
        .ok();
    against(&env, &outer.join("sub/infra/shop"), "main").run().ok();
    fs::write(shop.join(".git"), "gitdir: evil\n").expect("written");
    fs::create_dir(shop.join("evil")).expect("made");
    against(&env, &shop, "main").run().exits(1).explains("leads into the workspace");
}

#[test]
fn a_repository_of_another_user_is_refused_as_git_refuses_it() {
    let (env, shop) = in_a_subfolder();
    let git_dir = env.workspace().join(".git");
    if env.program("chown", &["-R", "12345", git_dir.to_str().expect("a path")]).run().code != 0 {
        return;
    }
    let top = env.workspace().canonicalize().expect("its real path");
    against(&env, &shop, "main")
        .run()
        .exits(1)
        .explains("belongs to another user")
        .explains(&format!("git config --global --add safe.directory '{}'", top.display()));
    git(&env, &["config", "--global", "--add", "safe.directory", top.to_str().expect("a path")]);
    against(&env, &shop, "main").run().ok();
    git(&env, &["config", "--global", "--add", "safe.directory", ""]);
    against(&env, &shop, "main").run().exits(1);
}
