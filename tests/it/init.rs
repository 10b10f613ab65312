//! `init` and `identity`.

use crate::env::{TestEnv, mode};
use crate::terminal::typed;
use std::fs;

#[test]
fn a_new_workspace_is_sound_and_says_what_to_do_next() {
    let env = TestEnv::new();
    env.run(&["init"]).ok().explains("made the workspace shop").explains("pillarbox registry add");
    assert!(env.read("pillarbox.toml").contains("workspace = \"shop\""));
    assert!(env.read(".gitattributes").contains("diff=pillarbox"));
    assert_eq!(env.read("keys/alice.pub").trim(), env.run(&["identity", "public"]).ok().stdout().trim());
    assert_eq!(mode(&env.identity()), 0o600);
    assert_eq!(mode(&env.home().join(".local/state/pillarbox/known.toml")), 0o600);
    env.run(&["--strict", "verify"]).ok();
    env.run(&["reader", "list"]).ok().says("pillar/\n  alice  age1");
    // Its own folder is not for git.
    env.program("git", &["init", "-q", "."]).run().ok();
    env.program("git", &["add", "-A"]).run().ok();
    env.program("git", &["status", "--porcelain"]).run().ok().says("A  pillar/box.toml").lacks(".pillarbox");
}

#[test]
fn init_makes_the_folder_and_names_the_workspace_after_it() {
    let env = TestEnv::new();
    let said = env.run(&["--json", "init", "deep/My Shop"]).ok().json();
    assert_eq!(said["workspace"], "my-shop");
    assert!(env.read("deep/My Shop/pillarbox.toml").contains("workspace = \"my-shop\""));
    let said = env.run(&["--json", "init", "other", "--name", "test.1"]).ok().json();
    assert_eq!((&said["workspace"], &said["reader"]), (&"test.1".into(), &"alice".into()));
    env.run(&["init", "third", "--name", "No Name"]).exits(1).explains("is not a workspace name");
    env.command(&["init", "fourth"]).var("USER", "ACME\\bob").run().ok().explains("ACME-bob");
}

#[test]
fn init_overwrites_nothing() {
    let env = TestEnv::new();
    env.write("pillar/apps.toml", "[mine]\nvalue = 1\n").write(".gitattributes", "*.png binary\n");
    env.run(&["init"]).ok().explains("= pillar/apps.toml (was there").explains("add to .gitattributes");
    assert_eq!(env.read("pillar/apps.toml"), "[mine]\nvalue = 1\n");
    assert_eq!(env.read(".gitattributes"), "*.png binary\n");
    let before = env.files();
    env.run(&["init"]).exits(1).explains("is already a workspace");
    assert!(before == env.files());

    let other = TestEnv::new();
    other.write("keys/alice.pub", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n");
    other.run(&["init"]).exits(1).explains("keys/alice.pub holds another key");
    assert!(!other.workspace().join("pillarbox.toml").exists());
}

#[test]
fn a_second_workspace_of_the_same_name_is_refused_until_the_first_is_forgotten() {
    let env = TestEnv::initialised();
    let before = env.run(&["known", "list"]).ok().stdout().to_owned();
    env.run(&["init", "../elsewhere/shop"]).exits(1).explains("pillarbox known forget --workspace shop");
    assert_eq!(env.run(&["known", "list"]).ok().stdout(), before);
    env.run(&["known", "forget", "--workspace", "shop"]).ok();
    env.run(&["known", "forget", "--workspace", "shop"]).exits(64);
    env.run(&["init", "../elsewhere/shop"]).ok();
}

#[test]
fn init_takes_the_identity_that_is_there() {
    let mut env = TestEnv::new();
    let file = env.home().join("key.txt");
    let key = env.run(&["-q", "identity", "new", "../key.txt"]).ok().stdout().trim().to_owned();
    env.set_var("PILLARBOX_IDENTITY", file.to_str().expect("a path"));
    env.run(&["init"]).ok().explains(&key);
    assert!(!env.identity().exists());
    env.run(&["init", "x", "--no-identity"]).exits(64);
}

#[test]
fn an_identity_is_private_never_overwritten_and_never_in_a_workspace() {
    let env = TestEnv::initialised();
    let text = fs::read_to_string(env.identity()).expect("the identity");
    env.run(&["identity", "new"]).exits(1).explains("is there already").explains("never overwritten");
    assert_eq!(fs::read_to_string(env.identity()).expect("the identity"), text);
    for inside in ["me.txt", "keys/me.txt", "new/folder/me.txt", "../shop/me.txt"] {
        env.run(&["identity", "new", inside]).exits(1).explains("must not be in a workspace");
    }
    std::os::unix::fs::symlink(env.workspace(), env.home().join("link")).expect("a link");
    env.run(&["identity", "new", "../link/me.txt"]).exits(1).explains("must not be in a workspace");
    let said = env.run(&["identity", "new", "../deep/me.txt"]).ok();
    assert!(said.stdout().starts_with("age1") && !said.stderr().contains("AGE-SECRET-KEY"));
    assert_eq!(mode(&env.home().join("deep/me.txt")), 0o600);
    // In the home folder, which is a workspace: nowhere to put a key.
    let home = TestEnv::new();
    home.command(&["init"]).within(home.home()).run().exits(1).explains("must not be in a workspace");
    assert!(!home.identity().exists());
}

#[test]
fn the_public_half_is_of_the_first_identity_unless_all_are_asked_for() {
    let env = TestEnv::initialised();
    let own = env.run(&["identity", "public"]).ok().stdout().to_owned();
    env.run(&["identity", "new", "../second.txt"]).ok();
    let second = env.run(&["--identity", "../second.txt", "identity", "public"]).ok().stdout().to_owned();
    assert_ne!(own, second);
    let all = env.run(&["--identity", "../second.txt", "identity", "public", "--all"]).ok();
    assert_eq!(all.stdout(), format!("{second}{own}"));
    env.run(&["--no-identity", "identity", "public"]).exits(10).explains("--no-identity was given");
}

/// What git says of a workspace.
fn driver(env: &TestEnv) -> String {
    env.program("git", &["config", "--get-regexp", "^(diff|merge).pillarbox"]).run().stdout
}

#[test]
fn git_is_set_up_where_it_is_asked_for_and_nowhere_else() {
    let env = TestEnv::new();
    env.run(&["init"]).ok().explains("  git init\n").explains("git config merge.pillarbox.driver 'pillarbox");
    assert!(!env.workspace().join(".git").exists());

    let env = TestEnv::new();
    env.run(&["init", "--no-git"]).ok().lacks("git config");
    assert!(!env.workspace().join(".git").exists());
    env.run(&["init", "x", "--git", "--no-git"]).exits(64);

    let env = TestEnv::new();
    let said = env.run(&["--json", "init", "--git"]).ok().json();
    assert_eq!(said["git"], true);
    let drivers = driver(&env);
    assert!(drivers.contains("textconv pillarbox show\n"), "{drivers}");
    assert!(drivers.contains("driver pillarbox merge-driver %O %A %B %P\n"), "{drivers}");
    env.program("git", &["add", "-A"]).run().ok();
    env.program("git", &["status", "--porcelain"]).run().ok().says("A  pillar/box.toml");
}

#[test]
fn a_workspace_in_a_repository_uses_that_one() {
    let env = TestEnv::new();
    env.program("git", &["init", "-q", "."]).run().ok();
    env.run(&["init", "deploy"]).ok().explains("git config diff.pillarbox.textconv").lacks("git init");
    assert_eq!(driver(&env), "", "nothing is set without being asked for");
    env.run(&["init", "--git", "more/shop2"]).ok().explains("the git repository shows sealed values");
    assert!(!env.workspace().join("more/shop2/.git").exists());
    assert!(driver(&env).contains("pillarbox show"));
}

#[test]
fn on_a_terminal_init_offers_git_and_takes_no_for_an_answer() {
    let env = TestEnv::new();
    let (code, said) = typed(&env, "init yes", &[("make it a git repository", "y")]);
    assert_eq!(code, 0, "{said}");
    assert!(env.workspace().join("yes/.git").exists() && said.contains("made a git repository"), "{said}");
    let (code, said) = typed(&env, "init no", &[("make it a git repository", "n")]);
    assert_eq!(code, 0, "{said}");
    assert!(!env.workspace().join("no/.git").exists() && said.contains("git init"), "{said}");
}

#[test]
fn without_git_init_says_what_is_missing_and_the_workspace_stands() {
    let env = TestEnv::new();
    let said = env.command(&["init", "--git"]).var("PATH", "/nonexistent").run();
    said.exits(1).explains("git is not installed");
    env.run(&["verify"]).ok();
}

#[test]
fn the_starter_is_one_service_with_a_gate() {
    let env = TestEnv::initialised();
    let said = env.run(&["--no-identity", "compile"]).ok().json();
    assert_eq!(said["hosts"][0]["states"][0]["name"], "nginx", "{said:#}");
    let digest = format!("sha256:{}", "a".repeat(64));
    env.run(&["gate", "set", "nginx", "1.1.0", "--digest", &digest]).ok().explains("nginx is 1.1.0");
    env.run(&["--no-identity", "compile"]).ok().says(&digest);
}
